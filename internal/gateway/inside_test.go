// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"io"
	"log/slog"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/tillmend/tillmend/internal/txn"
)

// forwarded gives the inside of a connection that is being forwarded, and its two far ends.
func forwarded(t *testing.T, keepAlive time.Duration) (c *conn, terminal, host net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	g, err := New(Config{HealthInterval: -1, Listeners: []Listener{{
		Name: "shops", Address: "127.0.0.1:0", KeepAlive: keepAlive, Hosts: []Host{{Address: ln.Addr().String()}},
	}}}, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- g.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	terminal, err = net.Dial("tcp", g.Addr("shops").String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = terminal.Close() })
	host, err = ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close() })
	if _, err := terminal.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(host, make([]byte, 1)); err != nil { // it was forwarded, so it is registered
		t.Fatal(err)
	}
	return g.current()[0], terminal, host
}

// A host that was reset may have answered before: what waits in the gateway's
// receive queue must pass although writing to the host has failed already.
func TestAnswerOutlivesFailedWrite(t *testing.T) {
	c, terminal, host := forwarded(t, 0)
	c.order.Lock() // holds the first piece back, so that the second waits in the queue
	for _, piece := range []string{"answer ", "and the rest"} {
		if _, err := host.Write([]byte(piece)); err != nil {
			t.Fatal(err)
		}
	}
	c.toHost.stuck(os.NewSyscallError("write", syscall.EPIPE))
	c.order.Unlock()
	if err := host.Close(); err != nil {
		t.Fatal(err)
	}
	const want = "answer and the rest"
	if got, err := io.ReadAll(terminal); err != nil || string(got) != want {
		t.Fatalf("the terminal got %q, error %v; want %q", got, err, want)
	}
	if e := c.ended.Load(); e.kind != txn.LinkHostReset || e.detail != "writing host: write: broken pipe" {
		t.Fatalf("ended with %+v, want the failed write", e)
	}
}

// A side that does not take its bytes is cut off, and so is the other one.
func TestFailedWriteByDeadlineCuts(t *testing.T) {
	c, terminal, _ := forwarded(t, 0)
	c.toHost.stuck(os.ErrDeadlineExceeded)
	if _, err := io.ReadAll(terminal); err != nil {
		t.Fatal(err)
	}
	if e := c.ended.Load(); e.kind != txn.LinkHostTimeout {
		t.Fatalf("ended with %+v, want a timeout of the host", e)
	}
}

// An interrupt that comes just before a write sets its deadline is not forgotten.
func TestInterruptBeforeTheDeadlineIsSet(t *testing.T) {
	c, _, _ := forwarded(t, 0)
	c.terminal.interrupt()
	if err := c.terminal.armWrite(); !os.IsTimeout(err) {
		t.Fatalf("error %v, want the deadline", err)
	}
}
