// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/tillmend/tillmend/internal/console"
	"github.com/tillmend/tillmend/internal/console/consoletest"
)

// serve starts a server of the console; the function stops it.
func serve(t *testing.T, s *site) (address string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := console.NewServer(ctx, s.h)
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	return "http://" + l.Addr().String(), func() {
		cancel()
		if err := srv.Shutdown(t.Context()); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("serve: %v", err)
		}
	}
}

// events is an open stream of changes.
type events struct {
	status int
	header http.Header
	lines  *bufio.Scanner
}

// stream opens the stream of changes; it closes with the test.
func stream(t *testing.T, address string) events {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+"/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = answer.Body.Close() })
	return events{answer.StatusCode, answer.Header, bufio.NewScanner(answer.Body)}
}

// next reads one event.
func (e *events) next() string {
	var event []string
	for e.lines.Scan() && e.lines.Text() != "" {
		event = append(event, e.lines.Text())
	}
	return strings.Join(event, " ")
}

// TestLiveTellsChanges: a stream greets, tells of a change with the time, and the
// page shows it; it ends when the server does.
func TestLiveTellsChanges(t *testing.T) {
	s := open(t)
	address, stop := serve(t, s)
	live := stream(t, address)
	if kind := live.header.Get("Content-Type"); kind != "text/event-stream" {
		t.Errorf("content type %q", kind)
	}
	if got := live.next(); got != "event: tick data: 10:44:07" {
		t.Errorf("greeting %q", got)
	}
	wantText(t, s.page(t, "/terminals/10000301"), "● 正常")
	s.Play(consoletest.Break(consoletest.Healthy))
	if got := live.next(); got != "event: change data: 10:44:08" {
		t.Errorf("change %q", got)
	}
	wantText(t, s.page(t, "/terminals/10000301?fragment=1"), "■ 不能收款", "终端号没有登记")
	stop()
	if live.lines.Scan() {
		t.Errorf("after the end: %q", live.lines.Text())
	}
}

func TestLiveRefusesOneTooMany(t *testing.T) {
	s := open(t)
	address, stop := serve(t, s)
	defer stop()
	const most = 512
	for range most {
		live := stream(t, address)
		live.next()
	}
	last := stream(t, address)
	if last.status != http.StatusServiceUnavailable || last.header.Get("Retry-After") == "" {
		t.Errorf("stream %d: status %d, Retry-After %q", most+1, last.status, last.header.Get("Retry-After"))
	}
}
