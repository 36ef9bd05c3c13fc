// SPDX-License-Identifier: Apache-2.0

package app

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tillmend/tillmend/internal/terminal"
)

// syncBuffer is a log that may be read while it is written.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// service is a running service in front of a host that a test plays.
type service struct {
	*App
	log   *syncBuffer
	host  net.Listener
	queue int       // messages that may wait; 0: the default
	ports [2]string // of terminals and pages; empty: free ones
	stop  func() error
}

// startService starts a service on free ports, with a host that answers each
// connection with play.
func startService(t *testing.T, play func(net.Conn)) *service {
	t.Helper()
	host, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { host.Close() }) //nolint:errcheck // the end of the test
	go func() {
		for {
			c, err := host.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close() //nolint:errcheck // the end of the conversation
				play(c)
			}()
		}
	}()
	s := &service{log: &syncBuffer{}, host: host}
	s.start(t, t.TempDir())
	return s
}

func (s *service) start(t *testing.T, data string) {
	t.Helper()
	cfg := &Config{
		Data: data, Console: ConsoleConfig{Listen: orFree(s.ports[1])},
		Engine: EngineConfig{SurveyInterval: 50 * time.Millisecond},
		Gateway: GatewayConfig{
			DrainTimeout: 5 * time.Second, DrainGrace: 10 * time.Millisecond, HealthInterval: -1, Queue: s.queue, ReusePort: s.ports[0] != "",
			Listeners: []ListenerConfig{{Name: "shops", Listen: orFree(s.ports[0]), Hosts: []HostConfig{{Address: s.host.Addr().String()}}}},
		},
	}
	cfg.setDefaults()
	if err := cfg.validate(); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	a, err := New(cfg, log, false)
	if err != nil {
		t.Fatal(err)
	}
	a.retry = 20 * time.Millisecond
	s.App = a
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	var once sync.Once
	var ended error
	s.stop = func() error {
		once.Do(func() {
			cancel()
			ended = <-done
		})
		return ended
	}
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	})
}

func orFree(address string) string {
	if address == "" {
		return "127.0.0.1:0"
	}
	return address
}

// until waits for a condition on the engine, which tells of each change.
func (s *service) until(t *testing.T, what string, is func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	changes := s.Watch(ctx)
	for !is() {
		if _, open := <-changes; !open {
			t.Fatalf("no %s; log:\n%s", what, s.log)
		}
	}
}

func (s *service) get(t *testing.T, path string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.Pages().String()+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // only read
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", path, res.Status)
	}
	return string(body)
}

// echo sends back what it gets.
func echo(c net.Conn) { _, _ = io.Copy(c, c) }

// TestMalformedIsForwarded: what cannot be read reaches the host bit for bit, comes
// back, and is on record as malformed with its place.
func TestMalformedIsForwarded(t *testing.T) {
	s := startService(t, echo)
	good := saleFrame(t)
	c, err := net.Dial("tcp", s.Gateway("shops").String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close() //nolint:errcheck // the end of the test
	bad := bytes.Clone(good)
	bad[13+2] ^= 0x08 // a bit of the bitmap: field 5 seems to be there
	back := make([]byte, len(bad))
	if _, err := c.Write(bad); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, back); err != nil || !bytes.Equal(back, bad) {
		t.Fatalf("what came back differs, %v", err)
	}
	var found terminal.Event
	s.until(t, "malformed event", func() bool {
		for _, d := range s.Terminals() {
			for _, f := range d.Findings {
				if f.Kind == "unreadable_messages" && len(f.Events) > 0 {
					found, err = s.Event(t.Context(), f.Events[0])
					return err == nil
				}
			}
		}
		return false
	})
	if found.Attempt == nil || !strings.Contains(found.Attempt.Fault, "field 5") {
		t.Errorf("the fault is %+v; want field 5", found.Attempt)
	}
}

// TestRestartContinues: after a stop and a start the states are those before, and
// events are found under the same numbers.
func TestRestartContinues(t *testing.T) {
	s := startService(t, func(c net.Conn) { answerSales(t, c) })
	c, err := net.Dial("tcp", s.Gateway("shops").String())
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if _, err := c.Write(saleFrame(t)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, make([]byte, len(answerFrame(t)))); err != nil {
			t.Fatal(err)
		}
	}
	c.Close() //nolint:errcheck // the end of the conversation
	s.until(t, "five sales", func() bool {
		st, _ := s.Engine().State("T0000001")
		return st.Approved == 5 && !st.Line.Up
	})
	before, at := digest(s.Engine()), s.Health().Journal.Position
	st, _ := s.Engine().State("T0000001")
	event := st.Exchanges(nil)[0].Event
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	s.start(t, s.cfg.Data)
	if got := digest(s.Engine()); got != before {
		t.Errorf("states are %08x after the restart, were %08x", got, before)
	}
	s.until(t, "journal", func() bool { return s.Health().Journal.Position == at })
	if e, err := s.Event(t.Context(), event); err != nil || e.Attempt == nil {
		t.Errorf("event %s: %+v, %v", event, e, err)
	}
}

// TestPaymentsWithoutJournal: a journal that cannot be opened leaves everything
// behind the tap stuck. That keeps no payment from passing, and is shown.
func TestPaymentsWithoutJournal(t *testing.T) {
	s := startService(t, echo)
	second := &service{log: &syncBuffer{}, host: s.host, queue: 4}
	second.start(t, s.cfg.Data) // the first holds the journal's lock
	c, err := net.Dial("tcp", second.Gateway("shops").String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close() //nolint:errcheck // the end of the test
	frame := saleFrame(t)
	for range 20 {
		if _, err := c.Write(frame); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, make([]byte, len(frame))); err != nil {
			t.Fatal(err)
		}
	}
	second.until(t, "fault", func() bool { return second.Health().Journal.Fault != "" })
	h := second.Health()
	if !strings.Contains(h.Journal.Fault, "journal") || h.Dropped < 20 || h.Recorded != 0 {
		t.Errorf("shown are fault %q, %d recorded, %d dropped", h.Journal.Fault, h.Recorded, h.Dropped)
	}
	if err := second.stop(); err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestTakeOver: a new process binds the same ports while the old one still serves.
// Payments pass at every moment, and the new one has pages, journal and states once
// the old one has ended.
func TestTakeOver(t *testing.T) {
	old := startService(t, echo)
	ports := [2]string{freePort(t), freePort(t)}
	if err := old.stop(); err != nil {
		t.Fatal(err)
	}
	old = &service{log: &syncBuffer{}, host: old.host, ports: ports}
	data := t.TempDir()
	old.start(t, data)
	pay := func() {
		t.Helper()
		c, err := net.Dial("tcp", ports[0])
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close() //nolint:errcheck // the end of the conversation
		frame := saleFrame(t)
		if _, err := c.Write(frame); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, make([]byte, len(frame))); err != nil {
			t.Fatal(err)
		}
	}
	pay()
	old.until(t, "first sale", func() bool { return old.Engine().Len() == 1 })
	next := &service{log: &syncBuffer{}, host: old.host, ports: ports}
	next.start(t, data)
	if next.Pages() != nil {
		t.Error("two processes have the pages' port")
	}
	pay()
	if err := old.stop(); err != nil {
		t.Fatal(err)
	}
	pay()
	next.until(t, "journal of the old one", func() bool {
		st, ok := next.Engine().State("T0000001")
		return ok && st.Count >= 2
	})
	for next.Pages() == nil {
		runtime.Gosched()
	}
	if page := next.get(t, "/terminals/T0000001"); !strings.Contains(page, "T0000001") {
		t.Error("the terminal has no page")
	}
}

// freePort gives an address that was free a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close() //nolint:errcheck // only its number is wanted
	return ln.Addr().String()
}
