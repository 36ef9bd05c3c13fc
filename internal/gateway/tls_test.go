// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/tillmend/tillmend/internal/gateway"
	"github.com/tillmend/tillmend/internal/txn"
)

// secured is a configuration with TLS on either leg.
func secured(t *testing.T, a *authority, host string, onTerminal, onHost bool) gateway.Config {
	t.Helper()
	cfg := one(host)
	cfg.Listeners[0].HandshakeTimeout = patience
	if onTerminal {
		cert, key := a.sign(t)
		cfg.Listeners[0].TLS = &gateway.ServerTLS{CertFile: cert, KeyFile: key}
	}
	if onHost {
		cfg.Listeners[0].Hosts[0].TLS = &gateway.ClientTLS{CAFile: a.file}
	}
	return cfg
}

func TestTLSIsTerminatedOnEitherLeg(t *testing.T) {
	a := newAuthority(t)
	for _, c := range []struct{ terminal, host bool }{{true, false}, {false, true}, {true, true}} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			t.Run(fmt.Sprintf("terminal %v host %v %s", c.terminal, c.host, tls.VersionName(version)), func(t *testing.T) {
				tap := newRecorder()
				address, accepted := hostOf(t)
				g := start(t, secured(t, a, address, c.terminal, c.host), tap)
				var terminal net.Conn = g.dial(t)
				if c.terminal {
					terminal = tls.Client(terminal, &tls.Config{RootCAs: a.pool, ServerName: "127.0.0.1", MaxVersion: version})
				}
				var greeting sync.WaitGroup
				greeting.Go(func() { _, _ = terminal.Write([]byte("\x00\x02hi")) })
				var host net.Conn = take(t, accepted)
				if c.host {
					host = tls.Server(host, &tls.Config{Certificates: []tls.Certificate{a.pair(t)}, MaxVersion: version})
				}
				expect(t, host, []byte("\x00\x02hi"))
				greeting.Wait()
				converse(t, tap, terminal, host)
			})
		}
	}
}

// converse checks bytes both ways, their order at the tap, and the two ends.
func converse(t *testing.T, tap *recorder, terminal, host net.Conn) {
	t.Helper()
	tap.event(t, txn.LinkOpen)
	tap.bytes(t, txn.ToHost, 4)
	long := frame(bytes.Repeat([]byte("8583"), 16000))
	for range 20 {
		send(t, host, []byte("\x00\x02ok"))
		expect(t, terminal, []byte("\x00\x02ok"))
		var sending sync.WaitGroup
		sending.Go(func() { _, _ = terminal.Write(long) })
		expect(t, host, long)
		sending.Wait()
		if !plainSocket { // which keep no order
			tap.bytes(t, txn.ToTerminal, 4)
			if got := tap.bytes(t, txn.ToHost, len(long)); !bytes.Equal(got, long) {
				t.Fatal("the tap was shown other bytes than were forwarded")
			}
		}
	}
	send(t, host, []byte("\x00\x01!"))
	expect(t, terminal, []byte("\x00\x01!"))
	half(t, terminal)
	expectEnd(t, host)
	half(t, host)
	expectEnd(t, terminal)
	for {
		if s := tap.next(t); s.link.Kind != 0 && s.link.Kind != txn.LinkEOF { // 21 requests have 21 answers
			if s.link.Kind != txn.LinkClose || !strings.HasPrefix(s.link.Detail, "terminal closed first") {
				t.Fatalf("ended with %+v", s.link)
			}
			return
		}
	}
}

// half closes the sending half, with TLS also that of TCP.
func half(t *testing.T, c net.Conn) {
	t.Helper()
	if secure, ok := c.(*tls.Conn); ok {
		if err := secure.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		c = secure.NetConn()
	}
	closeWrite(t, c.(*net.TCPConn))
}

func TestTLSTroubleWithTheTerminal(t *testing.T) {
	a, stranger := newAuthority(t), newAuthority(t)
	cases := []struct {
		name   string
		mutual bool
		act    func(t *testing.T, c *net.TCPConn)
		want   txn.LinkKind
		detail string
	}{
		{"does not trust us", false, handshakes(&tls.Config{RootCAs: stranger.pool, ServerName: "127.0.0.1"}), txn.LinkTLSAlert, "remote error: tls: "},
		{"speaks TLS 1.1", false, handshakes(&tls.Config{RootCAs: a.pool, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}), txn.LinkTLSAlert, "unsupported versions"},
		{"shows no certificate", true, handshakes(&tls.Config{RootCAs: a.pool, ServerName: "127.0.0.1"}), txn.LinkTLSAlert, "certificate"},
		{"shows a foreign certificate", true, handshakes(&tls.Config{RootCAs: a.pool, ServerName: "127.0.0.1", Certificates: []tls.Certificate{stranger.pair(t)}}), txn.LinkTLSAlert, "certificate"},
		{"speaks no TLS", false, func(t *testing.T, c *net.TCPConn) { send(t, c, frame([]byte("0800"))); expectBroken(t, c) }, txn.LinkTLSAlert, "does not look like a TLS handshake"},
		{"closes", false, func(_ *testing.T, c *net.TCPConn) { _ = c.Close() }, txn.LinkTLSAlert, "EOF"},
		{"resets", false, func(t *testing.T, c *net.TCPConn) { send(t, c, []byte{22}); reset(t, c) }, txn.LinkReset, "reset"},
		{"says nothing", false, func(t *testing.T, c *net.TCPConn) { expectBroken(t, c) }, txn.LinkTimeout, "deadline"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			tap := newRecorder()
			address, _ := hostOf(t)
			cfg := secured(t, a, address, true, false)
			if c.mutual {
				cfg.Listeners[0].TLS.ClientCAFile = a.file
			}
			if c.want == txn.LinkTimeout {
				cfg.Listeners[0].HandshakeTimeout = soon
			}
			g := start(t, cfg, tap)
			c.act(t, g.dial(t))
			tap.event(t, txn.LinkOpen)
			if s := tap.event(t, c.want); !strings.Contains(s.link.Detail, c.detail) || s.host != "" {
				t.Fatalf("told %+v, want %q and no host", s, c.detail)
			}
			if !c.want.Ends() {
				tap.event(t, txn.LinkClose)
			}
			tap.quiet(t)
		})
	}
}

// handshakes tries TLS and reads until it breaks.
func handshakes(cfg *tls.Config) func(t *testing.T, c *net.TCPConn) {
	return func(t *testing.T, c *net.TCPConn) {
		t.Helper()
		expectBroken(t, tls.Client(c, cfg))
	}
}

func TestMutualTLS(t *testing.T) {
	a := newAuthority(t)
	address, accepted := hostOf(t)
	cfg := secured(t, a, address, true, true)
	cfg.Listeners[0].TLS.ClientCAFile = a.file
	cert, key := a.sign(t)
	cfg.Listeners[0].Hosts[0].TLS.CertFile, cfg.Listeners[0].Hosts[0].TLS.KeyFile = cert, key
	g := start(t, cfg, nil)
	terminal := tls.Client(g.dial(t), &tls.Config{RootCAs: a.pool, ServerName: "127.0.0.1", Certificates: []tls.Certificate{a.pair(t)}})
	send(t, terminal, []byte("hi"))
	host := tls.Server(take(t, accepted), &tls.Config{
		Certificates: []tls.Certificate{a.pair(t)}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: a.pool,
	})
	expect(t, host, []byte("hi"))
}

func TestTLSTroubleWithTheHost(t *testing.T) {
	a, stranger := newAuthority(t), newAuthority(t)
	cases := []struct {
		name   string
		act    func(t *testing.T, c *net.TCPConn)
		want   txn.LinkKind
		detail string
	}{
		{"untrusted", func(_ *testing.T, c *net.TCPConn) {
			_ = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{stranger.pair(t)}}).Handshake() // fails, which is what the tap must see
		}, txn.LinkHostTLSAlert, "unknown authority"},
		{"wants another version", func(_ *testing.T, c *net.TCPConn) {
			// fails, which is what the tap must see
			_ = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{a.pair(t)}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}).Handshake()
		}, txn.LinkHostTLSAlert, "remote error: tls: protocol version not supported"},
		{"speaks no TLS", func(t *testing.T, c *net.TCPConn) { send(t, c, frame([]byte("0810"))) }, txn.LinkHostTLSAlert, "TLS handshake"},
		{"hangs", func(_ *testing.T, _ *net.TCPConn) {}, txn.LinkHostTimeout, "TLS handshake"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			tap := newRecorder()
			address, accepted := hostOf(t)
			cfg := secured(t, a, address, false, true)
			if c.want == txn.LinkHostTimeout {
				cfg.Listeners[0].HandshakeTimeout = soon
			}
			g := start(t, cfg, tap)
			terminal := g.dial(t)
			c.act(t, take(t, accepted))
			expectBroken(t, terminal)
			tap.event(t, txn.LinkOpen)
			if s := tap.event(t, c.want); !strings.Contains(s.link.Detail, c.detail) || s.link.Host != address {
				t.Fatalf("told %+v, want %q and the host", s.link, c.detail)
			}
			if !c.want.Ends() {
				tap.event(t, txn.LinkClose)
			}
			tap.quiet(t)
		})
	}
}

// Bytes that are no TLS, within a session, are told as trouble of the side that sent them.
func TestTLSBreaksMidway(t *testing.T) {
	a := newAuthority(t)
	for side, want := range map[string]txn.LinkKind{"terminal": txn.LinkTLSAlert, "host": txn.LinkHostTLSAlert} {
		t.Run(side, func(t *testing.T) {
			tap := newRecorder()
			address, accepted := hostOf(t)
			g := start(t, secured(t, a, address, true, true), tap)
			terminal := tls.Client(g.dial(t), &tls.Config{RootCAs: a.pool, ServerName: "127.0.0.1"})
			send(t, terminal, []byte("\x00\x02hi"))
			host := tls.Server(take(t, accepted), &tls.Config{Certificates: []tls.Certificate{a.pair(t)}})
			expect(t, host, []byte("\x00\x02hi"))
			broken := terminal.NetConn()
			if side == "host" {
				broken = host.NetConn()
			}
			send(t, broken, []byte("\x17\x03\x03\x00\x20 these are no encrypted bytes...."))
			tap.event(t, txn.LinkOpen)
			tap.event(t, want)
			tap.event(t, txn.LinkClose)
		})
	}
}

func TestPassthrough(t *testing.T) {
	a, stranger := newAuthority(t), newAuthority(t)
	cases := []struct {
		name           string
		terminal, host tls.Config
		alert          string // empty: none, and the session works
	}{
		{"TLS 1.2", tls.Config{RootCAs: a.pool, MaxVersion: tls.VersionTLS12}, tls.Config{}, ""},
		{"TLS 1.3", tls.Config{RootCAs: a.pool}, tls.Config{}, ""},
		{"untrusted host", tls.Config{RootCAs: stranger.pool, MaxVersion: tls.VersionTLS12}, tls.Config{}, "terminal sent fatal alert 42 (bad_certificate)"},
		{"old terminal", tls.Config{RootCAs: a.pool, MaxVersion: tls.VersionTLS12}, tls.Config{MinVersion: tls.VersionTLS13}, "host sent fatal alert 70 (protocol_version)"},
	}
	for i := range cases {
		c := &cases[i]
		t.Run(c.name, func(t *testing.T) {
			tap := newRecorder()
			address, accepted := hostOf(t)
			cfg := one(address)
			cfg.Listeners[0].Mode = gateway.ModeTLSPassthrough
			g := start(t, cfg, tap)
			c.terminal.ServerName = "127.0.0.1"
			c.host.Certificates = []tls.Certificate{a.pair(t)}
			terminal := tls.Client(g.dial(t), &c.terminal)
			host := tls.Server(take(t, accepted), &c.host)
			var hosting sync.WaitGroup
			hosting.Go(func() {
				_, _ = io.Copy(host, host) // echo until the end, or until the handshake fails
				_ = host.Close()
			})
			_, err := terminal.Write([]byte("hello"))
			if (err == nil) != (c.alert == "") {
				t.Fatalf("terminal's error %v", err)
			}
			tap.event(t, txn.LinkOpen)
			if c.alert == "" {
				expect(t, terminal, []byte("hello"))
			} else if s := tap.event(t, txn.LinkTLSAlert); s.link.Detail != c.alert {
				t.Fatalf("detail %q, want %q", s.link.Detail, c.alert)
			}
			_ = terminal.Close()
			hosting.Wait()
			s := tap.next(t) // neither bytes nor further alerts
			for s.link.Kind == txn.LinkEOF {
				s = tap.next(t)
			}
			if s.link.Kind != txn.LinkClose && s.link.Kind != txn.LinkReset && s.link.Kind != txn.LinkHostReset {
				t.Fatalf("told %+v, want the end", s)
			}
			tap.quiet(t)
		})
	}
}

func TestTLSFilesAreReadBeforeStart(t *testing.T) {
	a := newAuthority(t)
	cert, key := a.sign(t)
	cases := []struct {
		name string
		edit func(l *gateway.Listener)
		want string
	}{
		{"no certificate", func(l *gateway.Listener) {
			l.TLS = &gateway.ServerTLS{CertFile: "absent.pem", KeyFile: key}
		}, "absent.pem"},
		{"no authority for terminals", func(l *gateway.Listener) {
			l.TLS = &gateway.ServerTLS{CertFile: cert, KeyFile: key, ClientCAFile: key}
		}, "at least one PEM certificate"},
		{"no authority for hosts", func(l *gateway.Listener) {
			l.Hosts[0].TLS = &gateway.ClientTLS{CAFile: "absent.pem"}
		}, "absent.pem"},
		{"no certificate for hosts", func(l *gateway.Listener) {
			l.Hosts[0].TLS = &gateway.ClientTLS{CertFile: "absent.pem", KeyFile: key}
		}, "absent.pem"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			cfg := one("127.0.0.1:1")
			c.edit(&cfg.Listeners[0])
			_, err := gateway.New(cfg, nil, slog.New(slog.DiscardHandler))
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), `"shops"`) {
				t.Fatalf("error %v, want the listener and %q", err, c.want)
			}
		})
	}
}
