// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/tillmend/tillmend/internal/gateway"
	"github.com/tillmend/tillmend/internal/txn"
)

func TestNoHostAccepts(t *testing.T) {
	dead, hung := deadAddress(t), hungAddress(t)
	cases := []struct {
		name   string
		hosts  []string
		want   txn.LinkKind
		detail []string
	}{
		{"refused", []string{dead}, txn.LinkHostRefused, []string{dead, "refused"}},
		{"hanging", []string{hung}, txn.LinkHostTimeout, []string{hung, "timeout"}},
		{"one hanging, one refused", []string{hung, dead}, txn.LinkHostRefused, []string{hung, dead}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			tap := newRecorder()
			cfg := one(c.hosts...)
			cfg.Listeners[0].ConnectTimeout = soon
			g := start(t, cfg, tap)
			g.knock(t)
			opened := tap.event(t, txn.LinkOpen)
			end := tap.event(t, c.want)
			if opened.host != "" || opened.link.Host != "" || end.link.Host != c.hosts[len(c.hosts)-1] {
				t.Fatalf("opened %+v, ended %+v; want no host, then the last one tried", opened, end)
			}
			for _, word := range c.detail {
				if !strings.Contains(end.link.Detail, word) {
					t.Errorf("detail %q, want %q in it", end.link.Detail, word)
				}
			}
			tap.quiet(t)
		})
	}
}

func TestNextHostIsTried(t *testing.T) {
	good, accepted := hostOf(t)
	for name, bad := range map[string]string{"refused": deadAddress(t), "hanging": hungAddress(t)} {
		t.Run(name, func(t *testing.T) {
			tap := newRecorder()
			cfg := one(bad, good)
			cfg.Listeners[0].ConnectTimeout = soon
			g := start(t, cfg, tap)
			terminal := g.dial(t)
			send(t, terminal, []byte("hello"))
			expect(t, take(t, accepted), []byte("hello"))
			if s := tap.event(t, txn.LinkOpen); s.host != good || !strings.Contains(s.link.Detail, bad) {
				t.Fatalf("told %+v, want the second host and why not the first", s)
			}
			hosts := g.Stats().Listeners[0].Hosts
			if !hosts[0].Failing || hosts[0].Failures != 1 || hosts[1].Failing {
				t.Fatalf("hosts %+v, want the first failing", hosts)
			}
			g.dial(t) // the failing host is not tried first again
			take(t, accepted)
			if s := tap.next(t); s.link.Kind == txn.LinkOpen && s.link.Detail != "" {
				t.Fatalf("detail %q, want no failed host before the good one", s.link.Detail)
			}
		})
	}
}

// logged hands the messages of a log to the test.
type logged struct {
	slog.Handler
	messages chan string
}

func (l *logged) Enabled(context.Context, slog.Level) bool { return true }

func (l *logged) WithAttrs([]slog.Attr) slog.Handler { return l }

func (l *logged) Handle(_ context.Context, r slog.Record) error {
	l.messages <- r.Message
	return nil
}

func (l *logged) wait(t *testing.T, want string) {
	t.Helper()
	select {
	case got := <-l.messages:
		if got != want {
			t.Fatalf("logged %q, want %q", got, want)
		}
	case <-time.After(patience):
		t.Fatalf("not logged: %q", want)
	}
}

func TestHealthChecks(t *testing.T) {
	first := deadAddress(t)
	second, acceptedBySecond := hostOf(t)
	ticks := make(chan time.Time)
	stopped := make(chan time.Duration, 1)
	ticker := func(d time.Duration) (<-chan time.Time, func()) {
		return ticks, func() { stopped <- d }
	}
	cfg := one(first, second)
	cfg.HealthInterval = 7 * time.Second
	log := &logged{messages: make(chan string, 16)}
	tap := newRecorder()
	g, err := gateway.New(cfg, tap, slog.New(log), gateway.WithTicker(ticker))
	if err != nil {
		t.Fatal(err)
	}
	r := serve(t, g)
	ticks <- time.Time{}
	log.wait(t, "host is failing") // found before any terminal came
	expectEnd(t, take(t, acceptedBySecond))
	r.dial(t)
	take(t, acceptedBySecond)
	if s := tap.event(t, txn.LinkOpen); s.host != second || s.link.Detail != "" {
		t.Fatalf("told %+v, want the second host at once", s)
	}
	ln, err := net.Listen("tcp", first)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	ticks <- time.Time{}
	log.wait(t, "host is back")
	r.dial(t)
	if s := tap.event(t, txn.LinkOpen); s.host != first {
		t.Fatalf("told %+v, want the first host again", s)
	}
	r.stop()
	if d := <-stopped; d != cfg.HealthInterval {
		t.Fatalf("checked every %v, want %v", d, cfg.HealthInterval)
	}
}

// Failing hosts are still tried, in order, when nothing else is left.
func TestFailingHostsAreTriedLast(t *testing.T) {
	a, b := deadAddress(t), deadAddress(t)
	tap := newRecorder()
	g := start(t, one(a, b), tap)
	for range 2 {
		g.knock(t)
		tap.event(t, txn.LinkOpen)
		detail := tap.event(t, txn.LinkHostRefused).link.Detail
		if strings.Index(detail, a) > strings.Index(detail, b) || !strings.Contains(detail, b) {
			t.Fatalf("detail %q, want %s before %s", detail, a, b)
		}
	}
	ln, err := net.Listen("tcp", b)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	g.dial(t)
	if s := tap.event(t, txn.LinkOpen); s.host != b {
		t.Fatalf("told %+v, want the host that came back", s)
	}
	if hosts := g.Stats().Listeners[0].Hosts; !hosts[0].Failing || hosts[1].Failing {
		t.Fatalf("hosts %+v, want only the first failing", hosts)
	}
}

func TestSeveralListeners(t *testing.T) {
	tap := newRecorder()
	cfg := one()
	cfg.Listeners = nil
	accepted := map[string]<-chan *net.TCPConn{}
	for _, name := range []string{"north", "south"} {
		address, conns := hostOf(t)
		accepted[name] = conns
		cfg.Listeners = append(cfg.Listeners, gateway.Listener{
			Name: name, Address: "127.0.0.1:0", Hosts: []gateway.Host{{Name: name + " host", Address: address}},
		})
	}
	g := start(t, cfg, tap)
	for name, conns := range accepted {
		terminal := dialTo(t, g.Addr(name).String())
		send(t, terminal, []byte(name))
		expect(t, take(t, conns), []byte(name))
		if s := tap.event(t, txn.LinkOpen); s.from != name {
			t.Fatalf("told %+v, want listener %s", s, name)
		}
	}
}
