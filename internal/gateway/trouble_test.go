// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tillmend/tillmend/internal/gateway"
	"github.com/tillmend/tillmend/internal/txn"
)

// soon is a deadline that a test waits out.
const soon = 60 * time.Millisecond

func TestResetByTerminal(t *testing.T) {
	_, tap, terminal, host := pair(t, nil)
	send(t, terminal, frame([]byte("0200")))
	expect(t, host, frame([]byte("0200")))
	reset(t, terminal)
	expectEnd(t, host)
	s := tap.event(t, txn.LinkReset)
	if !strings.Contains(s.link.Detail, "reading terminal") || !strings.HasSuffix(s.link.Detail, "an answer was owed") {
		t.Fatalf("detail %q, want the reset with what was owed", s.link.Detail)
	}
}

func TestResetByHost(t *testing.T) {
	_, tap, terminal, host := pair(t, nil)
	send(t, terminal, frame([]byte("0200")))
	expect(t, host, frame([]byte("0200")))
	send(t, host, frame([]byte("0210")))
	reset(t, host)
	// The answer that was on its way arrives, then the end.
	expect(t, terminal, frame([]byte("0210")))
	expectEnd(t, terminal)
	s := tap.event(t, txn.LinkHostReset)
	if strings.Contains(s.link.Detail, "owed") {
		t.Fatalf("detail %q, but the answer had come", s.link.Detail)
	}
}

// What a terminal sends after its host has failed is taken and thrown away for a
// moment: a reset in answer to it could destroy what the terminal has not read.
func TestLateBytesAreNotAnsweredWithAReset(t *testing.T) {
	_, tap, terminal, host := pair(t, nil)
	send(t, terminal, frame([]byte("0200")))
	expect(t, host, frame([]byte("0200")))
	send(t, host, frame([]byte("0210")))
	reset(t, host)
	tap.event(t, txn.LinkHostReset)
	for range 3 { // after a reset the second would fail
		send(t, terminal, frame([]byte("0400")))
	}
	expect(t, terminal, frame([]byte("0210")))
	expectEnd(t, terminal)
}

func TestSilence(t *testing.T) {
	idle := func(c *gateway.Config) { c.Listeners[0].IdleTimeout = soon }
	t.Run("of the terminal", func(t *testing.T) {
		_, tap, terminal, host := pair(t, idle)
		if s := tap.event(t, txn.LinkTimeout); s.link.Age < soon {
			t.Fatalf("ended after %v, want %v at least", s.link.Age, soon)
		}
		expectEnd(t, terminal)
		expectEnd(t, host)
	})
	t.Run("of the host", func(t *testing.T) {
		_, tap, terminal, host := pair(t, idle)
		send(t, terminal, frame([]byte("0200")))
		expect(t, host, frame([]byte("0200")))
		tap.event(t, txn.LinkHostTimeout)
		expectEnd(t, terminal)
	})
	t.Run("of the terminal after its answer", func(t *testing.T) {
		_, tap, terminal, host := pair(t, idle)
		send(t, terminal, frame([]byte("0200")))
		expect(t, host, frame([]byte("0200")))
		send(t, host, frame([]byte("0210")))
		expect(t, terminal, frame([]byte("0210")))
		tap.event(t, txn.LinkTimeout)
	})
	t.Run("of a terminal that does not close", func(t *testing.T) {
		_, tap, terminal, host := pair(t, func(c *gateway.Config) { c.Listeners[0].HalfCloseTimeout = soon })
		closeWrite(t, host)
		expectEnd(t, terminal)
		tap.event(t, txn.LinkTimeout)
	})
	t.Run("of a host that does not close", func(t *testing.T) {
		_, tap, terminal, host := pair(t, func(c *gateway.Config) { c.Listeners[0].HalfCloseTimeout = soon })
		closeWrite(t, terminal)
		expectEnd(t, host)
		if s := tap.event(t, txn.LinkClose); !strings.Contains(s.link.Detail, "the host did not") {
			t.Fatalf("detail %q, want the host", s.link.Detail)
		}
	})
	t.Run("counts from the first end", func(t *testing.T) {
		_, tap, terminal, _ := pair(t, func(c *gateway.Config) { c.Listeners[0].HalfCloseTimeout = soon })
		<-time.After(2 * soon) // silence before the end is not silence after it
		closeWrite(t, terminal)
		if s := tap.event(t, txn.LinkClose); s.link.Age < 3*soon {
			t.Fatalf("ended after %v, want %v at least", s.link.Age, 3*soon)
		}
	})
	t.Run("of a host that does not close, owing", func(t *testing.T) {
		_, tap, terminal, host := pair(t, func(c *gateway.Config) { c.Listeners[0].HalfCloseTimeout = soon })
		send(t, terminal, frame([]byte("0200")))
		closeWrite(t, terminal)
		expect(t, host, frame([]byte("0200")))
		tap.event(t, txn.LinkEOF)
		tap.event(t, txn.LinkHostTimeout)
	})
}

// Without a stream that knows what is owed, the direction of the last bytes decides.
func TestSilenceSeenByAMuteStream(t *testing.T) {
	for asked, want := range map[bool]txn.LinkKind{true: txn.LinkHostTimeout, false: txn.LinkTimeout} {
		tap := newRecorder()
		tap.mute = true
		address, accepted := hostOf(t)
		cfg := one(address)
		cfg.Listeners[0].IdleTimeout = soon
		g := start(t, cfg, tap)
		terminal := g.dial(t)
		host := take(t, accepted)
		if asked {
			send(t, terminal, []byte("0200"))
			expect(t, host, []byte("0200"))
		}
		tap.event(t, txn.LinkOpen)
		tap.event(t, want)
	}
}

// Bytes that move keep a connection alive, in either direction.
func TestTrafficIsNotSilence(t *testing.T) {
	_, tap, terminal, host := pair(t, func(c *gateway.Config) { c.Listeners[0].IdleTimeout = 10 * soon })
	beat := time.NewTicker(soon)
	defer beat.Stop()
	for range 15 { // longer than the deadline in all
		<-beat.C
		send(t, host, []byte("\x00\x00"))
		expect(t, terminal, []byte("\x00\x00"))
	}
	closeWrite(t, terminal)
	closeWrite(t, host)
	tap.event(t, txn.LinkClose)
}

func TestSlowReader(t *testing.T) {
	slow := func(c *gateway.Config) { c.Listeners[0].WriteTimeout = soon }
	flood := func(t *testing.T, from io.Writer) {
		t.Helper()
		for b := make([]byte, 1<<16); ; {
			if _, err := from.Write(b); err != nil {
				return // the gateway has closed
			}
		}
	}
	t.Run("terminal", func(t *testing.T) {
		_, tap, terminal, host := pair(t, slow)
		flood(t, host)
		if s := tap.event(t, txn.LinkTimeout); !strings.Contains(s.link.Detail, "writing terminal") {
			t.Fatalf("detail %q, want the terminal", s.link.Detail)
		}
		expectBroken(t, terminal)
	})
	t.Run("host", func(t *testing.T) {
		_, tap, terminal, host := pair(t, slow)
		flood(t, terminal)
		if s := tap.event(t, txn.LinkHostTimeout); !strings.Contains(s.link.Detail, "writing host") {
			t.Fatalf("detail %q, want the host", s.link.Detail)
		}
		expectBroken(t, host)
	})
}

// A reader that is slow but alive gets every byte.
func TestSlowReaderInTime(t *testing.T) {
	_, _, terminal, host := pair(t, nil)
	const size = 16 << 20 // more than all socket buffers on the way
	if err := host.SetWriteDeadline(time.Now().Add(5 * soon)); err != nil {
		t.Fatal(err)
	}
	held, err := host.Write(make([]byte, size))
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("wrote %d bytes, error %v; the gateway must hold the host back", held, err)
	}
	if err := host.SetWriteDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	sent := make(chan error, 1)
	go func() {
		_, err := host.Write(make([]byte, size-held))
		_ = host.CloseWrite()
		sent <- err
	}()
	if n, err := io.Copy(io.Discard, terminal); err != nil || n != size {
		t.Fatalf("got %d bytes, error %v; want %d", n, err, size)
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
}

func TestOverload(t *testing.T) {
	g, tap, first, _ := pair(t, func(c *gateway.Config) { c.Listeners[0].MaxConnections = 1 })
	g.knock(t)
	tap.event(t, txn.LinkOpen)
	if s := tap.event(t, txn.LinkOverloaded); s.host != "" || s.link.Peer == first.LocalAddr().String() {
		t.Fatalf("told %+v, want the second peer and no host", s)
	}
	reset(t, first)
	tap.event(t, txn.LinkReset)
	if s := g.Stats(); s.Events[txn.LinkOverloaded] != 1 || s.Events[txn.LinkOpen] != 2 {
		t.Fatalf("stats %+v, want one overload among two connections", s)
	}
}

func TestStop(t *testing.T) {
	g, tap, terminal, host := pair(t, nil)
	g.stop()
	g.ended(t)
	if s := tap.event(t, txn.LinkClose); !strings.Contains(s.link.Detail, "gateway stopped") {
		t.Fatalf("detail %q, want the stop", s.link.Detail)
	}
	expectBroken(t, terminal)
	expectBroken(t, host)
}

// Connections that are still being made end with the gateway as well.
func TestStopWhileConnecting(t *testing.T) {
	a := newAuthority(t)
	alive, _ := hostOf(t)
	for name, cfg := range map[string]gateway.Config{
		"handshake": secured(t, a, alive, true, false),
		"dialling":  one(hungAddress(t)),
	} {
		t.Run(name, func(t *testing.T) {
			tap := newRecorder()
			cfg.Listeners[0].ConnectTimeout = patience
			g := start(t, cfg, tap)
			g.dial(t)
			for g.Stats().Accepted == 0 {
				runtime.Gosched()
			}
			g.stop()
			g.ended(t)
			tap.event(t, txn.LinkOpen)
			tap.event(t, txn.LinkClose)
		})
	}
}

func TestListenBindsAllOrNothing(t *testing.T) {
	address, _ := hostOf(t) // a port that is taken
	cfg := one(address)
	free := deadAddress(t)
	cfg.Listeners[0].Address = free
	cfg.Listeners = append(cfg.Listeners, cfg.Listeners[0])
	cfg.Listeners[1].Name, cfg.Listeners[1].Address = "taken", address
	g, err := gateway.New(cfg, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Listen(); err == nil || !strings.Contains(err.Error(), `"taken"`) || !strings.Contains(err.Error(), address) {
		t.Fatalf("error %v, want the listener and its address", err)
	}
	cfg.Listeners = cfg.Listeners[:1]
	again := start(t, cfg, nil) // the first port was given back
	if got := again.Addr("shops").String(); got != free {
		t.Fatalf("bound %s, want %s", got, free)
	}
	if again.Addr("nobody") != nil {
		t.Fatal("an unknown listener has an address")
	}
}

func TestServeNeedsListenAndHappensOnce(t *testing.T) {
	address, accepted := hostOf(t)
	g, err := gateway.New(one(address), nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Serve(t.Context()); err == nil {
		t.Fatal("served without a port")
	}
	if g.Addr("shops") != nil {
		t.Fatal("an address before Listen")
	}
	if err := g.Drain(t.Context()); err != nil { // nothing runs, nothing to wait for
		t.Fatal(err)
	}
	running := start(t, one(address), nil)
	running.dial(t)
	take(t, accepted) // Serve runs
	if err := running.Serve(t.Context()); err == nil {
		t.Fatal("served twice")
	}
}
