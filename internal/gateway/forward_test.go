// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tillmend/tillmend/internal/gateway"
	"github.com/tillmend/tillmend/internal/txn"
)

// pair is a terminal and a host with the gateway in between.
func pair(t *testing.T, cfg func(*gateway.Config)) (*running, *recorder, *net.TCPConn, *net.TCPConn) {
	t.Helper()
	tap := newRecorder()
	address, accepted := hostOf(t)
	config := one(address)
	if cfg != nil {
		cfg(&config)
	}
	g := start(t, config, tap)
	terminal := g.dial(t)
	host := take(t, accepted)
	opened := tap.event(t, txn.LinkOpen)
	if opened.host != address || opened.link.Host != address || opened.from != "shops" || opened.link.Peer != terminal.LocalAddr().String() {
		t.Fatalf("opened %+v, want peer %v and host %v", opened, terminal.LocalAddr(), address)
	}
	return g, tap, terminal, host
}

func TestBytesPassUnchanged(t *testing.T) {
	g, tap, terminal, host := pair(t, nil)
	const size = 1 << 20
	chaos := rand.NewChaCha8([32]byte{1})
	up, down := make([]byte, size), make([]byte, size)
	_, _ = chaos.Read(up)
	_, _ = chaos.Read(down)
	var sending sync.WaitGroup
	sending.Go(func() { _, _ = terminal.Write(up); _ = terminal.CloseWrite() })
	sending.Go(func() { _, _ = host.Write(down); _ = host.CloseWrite() })
	var atHost []byte
	sending.Go(func() { atHost, _ = io.ReadAll(host) })
	atTerminal, err := io.ReadAll(terminal)
	sending.Wait()
	if err != nil || !bytes.Equal(atHost, up) || !bytes.Equal(atTerminal, down) {
		t.Fatalf("forwarded %d and %d bytes, error %v; want %d each, the same", len(atHost), len(atTerminal), err, size)
	}
	var shown [2][]byte
	for {
		s := tap.next(t)
		if s.link.Kind == txn.LinkClose {
			break
		}
		shown[s.dir] = append(shown[s.dir], s.data...)
	}
	if !bytes.Equal(shown[txn.ToHost], up) || !bytes.Equal(shown[txn.ToTerminal], down) {
		t.Fatal("the tap was shown other bytes than were forwarded")
	}
	if s := g.Stats(); s.BytesToHost != size || s.BytesToTerminal != size || s.Accepted != 1 {
		t.Fatalf("stats %+v, want %d bytes each way and 1 connection", s, size)
	}
}

func TestFramesInAnyShape(t *testing.T) {
	short, long := frame([]byte("0800")), frame(bytes.Repeat([]byte{7}, 0xffff))
	cases := []struct {
		name   string
		writes [][]byte
	}{
		{"byte by byte", bytes.SplitAfter(short, nil)},
		{"header and body apart", [][]byte{short[:2], short[2:]}},
		{"three in one", [][]byte{bytes.Repeat(short, 3)}},
		{"one and a half, then the rest", [][]byte{append(bytes.Clone(short), short[:3]...), short[3:]}},
		{"64 KiB", [][]byte{long}},
		{"64 KiB between short ones", [][]byte{short, append(bytes.Clone(long), short...)}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, tap, terminal, host := pair(t, nil)
			for _, dir := range []txn.Direction{txn.ToHost, txn.ToTerminal} {
				from, to := terminal, host
				if dir == txn.ToTerminal {
					from, to = host, terminal
				}
				var all []byte
				for _, w := range c.writes {
					send(t, from, w)
					expect(t, to, w) // a part of a frame passes without waiting for the rest
					all = append(all, w...)
				}
				if got := tap.bytes(t, dir, len(all)); !bytes.Equal(got, all) {
					t.Fatalf("the tap was shown %.40x, want %.40x", got, all)
				}
			}
		})
	}
}

// An answer follows its request within microseconds; the tap must never see
// them the other way round, nor the next request before the last answer.
func TestTapSeesCausalOrder(t *testing.T) {
	if plainSocket {
		t.Skip("plain sockets do not keep this order, and say so")
	}
	tap := newRecorder()
	address, accepted := hostOf(t)
	g := start(t, one(address), tap)
	const rounds = 3000
	terminal := g.dial(t)
	host := take(t, accepted)
	var echoing sync.WaitGroup
	echoing.Go(func() { _, _ = io.Copy(struct{ io.Writer }{host}, struct{ io.Reader }{host}); _ = host.Close() })
	for i := range rounds {
		request := frame(fmt.Appendf(nil, "%04d", i))
		send(t, terminal, request)
		expect(t, terminal, request)
	}
	closeWrite(t, terminal)
	echoing.Wait()
	tap.event(t, txn.LinkOpen)
	var last time.Time
	for i := range rounds {
		for _, dir := range []txn.Direction{txn.ToHost, txn.ToTerminal} {
			s := tap.next(t)
			if want := string(frame(fmt.Appendf(nil, "%04d", i))); s.dir != dir || string(s.data) != want || s.at.Before(last) {
				t.Fatalf("told %v %q %v, want %v %q", s.dir, s.data, s.link, dir, want)
			}
			last = s.at
		}
	}
	tap.event(t, txn.LinkClose)
}

func TestHalfClose(t *testing.T) {
	for _, first := range []string{"terminal", "host"} {
		t.Run(first+" first", func(t *testing.T) {
			_, tap, terminal, host := pair(t, nil)
			a, b := terminal, host
			if first == "host" {
				a, b = host, terminal
			}
			send(t, a, []byte("\x00\x01a"))
			send(t, b, []byte("\x00\x01b")) // nothing is owed now
			expect(t, a, []byte("\x00\x01b"))
			expect(t, b, []byte("\x00\x01a"))
			closeWrite(t, a)
			expectEnd(t, b)
			for range 3 { // the other direction lives on
				send(t, b, []byte("\x00\x04late"))
				expect(t, a, []byte("\x00\x04late"))
			}
			closeWrite(t, b)
			expectEnd(t, a)
			end := tap.event(t, txn.LinkClose).link
			if !strings.Contains(end.Detail, first+" closed first") || end.Age <= 0 || end.At.IsZero() {
				t.Fatalf("ended with %+v, want %q closed first", end, first)
			}
		})
	}
}

func TestCloseWhileAnswerIsOwed(t *testing.T) {
	t.Run("terminal gives up", func(t *testing.T) {
		_, tap, terminal, host := pair(t, nil)
		send(t, terminal, frame([]byte("0200")))
		expect(t, host, frame([]byte("0200")))
		closeWrite(t, terminal)
		expectEnd(t, host)
		if s := tap.event(t, txn.LinkEOF); !strings.HasPrefix(s.link.Detail, "terminal closed") {
			t.Fatalf("detail %q, want the terminal", s.link.Detail)
		}
		send(t, host, frame([]byte("0210"))) // it only half-closed: the answer passes
		expect(t, terminal, frame([]byte("0210")))
		closeWrite(t, host)
		tap.event(t, txn.LinkClose)
	})
	t.Run("host gives up", func(t *testing.T) {
		_, tap, terminal, host := pair(t, nil)
		send(t, terminal, frame([]byte("0200")))
		expect(t, host, frame([]byte("0200")))
		closeWrite(t, host)
		expectEnd(t, terminal)
		if s := tap.event(t, txn.LinkEOF); !strings.HasPrefix(s.link.Detail, "host closed") {
			t.Fatalf("detail %q, want the host", s.link.Detail)
		}
		closeWrite(t, terminal) // told once only, although it is still owed
		tap.event(t, txn.LinkClose)
		tap.quiet(t)
	})
	t.Run("within a request", func(t *testing.T) {
		_, tap, terminal, host := pair(t, nil)
		send(t, terminal, frame([]byte("0200"))[:3])
		closeWrite(t, terminal)
		expect(t, host, frame([]byte("0200"))[:3])
		tap.event(t, txn.LinkEOF)
	})
	t.Run("answered at the last moment", func(t *testing.T) {
		_, tap, terminal, host := pair(t, nil)
		const payments = 200
		for range payments {
			send(t, terminal, frame([]byte("0200")))
			expect(t, host, frame([]byte("0200")))
			send(t, host, frame([]byte("0210")))
			expect(t, terminal, frame([]byte("0210")))
		}
		closeWrite(t, terminal) // right after the answer: nothing is owed
		closeWrite(t, host)
		tap.event(t, txn.LinkClose)
	})
}

func TestNilTapAndNilStream(t *testing.T) {
	for name, tap := range map[string]gateway.Tap{"no tap": nil, "no stream": blindTap{}} {
		t.Run(name, func(t *testing.T) {
			address, accepted := hostOf(t)
			g := start(t, one(address), tap)
			terminal := g.dial(t)
			host := take(t, accepted)
			send(t, terminal, []byte("ping"))
			expect(t, host, []byte("ping"))
			reset(t, terminal)
			expectBroken(t, host)
		})
	}
}

type blindTap struct{}

func (blindTap) Open(string, string, string, time.Time) gateway.Stream { return nil }

func TestPanicOfTheTapIsSurvived(t *testing.T) {
	for _, method := range []string{"Open", "Data", "Link", "Owed"} {
		t.Run(method, func(t *testing.T) {
			tap := newRecorder()
			tap.panics[method] = true
			address, accepted := hostOf(t)
			g := start(t, one(address), tap)
			for range 2 { // one connection's panic is not the next one's
				terminal := g.dial(t)
				host := take(t, accepted)
				for range 10 {
					send(t, terminal, frame([]byte("0200")))
					expect(t, host, frame([]byte("0200")))
					send(t, host, frame([]byte("0210")))
					expect(t, terminal, frame([]byte("0210")))
				}
				closeWrite(t, terminal)
				expectEnd(t, host)
				closeWrite(t, host)
				expectEnd(t, terminal)
			}
			g.stop()
			g.ended(t)
			if s := g.Stats(); s.TapPanics != 2 {
				t.Fatalf("counted %d panics, want one for each of 2 connections", s.TapPanics)
			}
		})
	}
}
