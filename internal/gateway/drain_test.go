// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tillmend/tillmend/internal/gateway"
	"github.com/tillmend/tillmend/internal/txn"
)

// drain starts a drain.
func (r *running) drain(ctx context.Context) <-chan error {
	done := make(chan error, 1)
	go func() { done <- r.Drain(ctx) }()
	return done
}

func wait[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

func TestDrainWaitsForWhatIsOwed(t *testing.T) {
	tap := newRecorder()
	address, accepted := hostOf(t)
	cfg := one(address)
	cfg.DrainGrace = 1
	g := start(t, cfg, tap)
	terminal := g.dial(t)
	host := take(t, accepted)
	idle := g.dial(t)
	idleHost := take(t, accepted)
	send(t, terminal, frame([]byte("0200")))
	expect(t, host, frame([]byte("0200")))
	done := g.drain(t.Context())
	expectEnd(t, idle) // nothing was owed on it
	expectEnd(t, idleHost)
	_ = idle.Close()
	_ = idleHost.Close()
	g.dialUntilRefused(t)
	select {
	case err := <-done:
		t.Fatalf("drained with %v while an answer was owed", err)
	default:
	}
	send(t, host, frame([]byte("0210")))
	expect(t, terminal, frame([]byte("0210")))
	expectEnd(t, terminal)
	expectEnd(t, host)
	_ = terminal.Close()
	_ = host.Close()
	if err := wait(t, done); err != nil {
		t.Fatal(err)
	}
	g.ended(t)
	if !g.Stats().Draining {
		t.Fatal("stats do not tell the drain")
	}
	for {
		if s := tap.next(t); s.link.Peer == terminal.LocalAddr().String() && s.link.Kind != txn.LinkOpen {
			if s.link.Kind != txn.LinkClose || !strings.Contains(s.link.Detail, "drained") {
				t.Fatalf("ended with %+v, want the drain", s.link)
			}
			return
		}
	}
}

// dialUntilRefused returns when the port is closed.
func (r *running) dialUntilRefused(t *testing.T) {
	t.Helper()
	for {
		c, err := net.Dial("tcp", r.Addr("shops").String())
		if errors.Is(err, syscall.ECONNREFUSED) {
			return
		}
		if err == nil {
			_ = c.Close()
		}
	}
}

func TestDrainWithoutAKnowingStreamWaitsForQuiet(t *testing.T) {
	tap := newRecorder()
	tap.mute = true
	address, accepted := hostOf(t)
	cfg := one(address)
	cfg.DrainQuiet = 3 * soon
	g := start(t, cfg, tap)
	terminal := g.dial(t)
	host := take(t, accepted)
	send(t, terminal, []byte("0200"))
	expect(t, host, []byte("0200"))
	done := g.drain(t.Context())
	send(t, host, []byte("0210"))
	answered := time.Now()
	expect(t, terminal, []byte("0210"))
	expectEnd(t, terminal)
	if quiet := time.Since(answered); quiet < cfg.DrainQuiet {
		t.Fatalf("closed after %v of silence, want %v", quiet, cfg.DrainQuiet)
	}
	_ = terminal.Close()
	_ = host.Close()
	if err := wait(t, done); err != nil {
		t.Fatal(err)
	}
}

func TestDrainDeadlineCutsAndCounts(t *testing.T) {
	g, tap, terminal, host := pair(t, nil)
	send(t, terminal, frame([]byte("0200")))
	expect(t, host, frame([]byte("0200")))
	tap.bytes(t, txn.ToHost, 6)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	first := g.drain(t.Context())
	err := g.Drain(ctx) // one that asks for haste
	if err := wait(t, first); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "1 connections cut, 1 of them owed") {
		t.Fatalf("error %v, want what was cut", err)
	}
	if s := tap.event(t, txn.LinkClose); !strings.Contains(s.link.Detail, "deadline") || !strings.HasSuffix(s.link.Detail, "owed") {
		t.Fatalf("detail %q, want the deadline and what was owed", s.link.Detail)
	}
	expectBroken(t, terminal)
	expectBroken(t, host)
}

// In the second half of a drain no silence is asked for any more.
func TestDrainHurriesInTheEnd(t *testing.T) {
	g, _, terminal, host := pair(t, func(c *gateway.Config) { c.DrainGrace = time.Hour })
	const deadline = 20 * soon
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	begun := time.Now()
	done := g.drain(ctx)
	expectEnd(t, terminal)
	_ = terminal.Close()
	_ = host.Close()
	if err := wait(t, done); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begun); took < deadline/2 {
		t.Fatalf("drained after %v, but silence of an hour was asked for in the first %v", took, deadline/2)
	}
}
