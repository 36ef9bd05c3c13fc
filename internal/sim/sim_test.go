// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tillmend/tillmend/iso8583"
	"github.com/tillmend/tillmend/iso8583/frame"
)

const (
	tid = "T0000001"
	mid = "898000000000001"
)

// testClock is a clock that is set by hand.
type testClock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *testClock {
	return &testClock{now: time.Date(2025, 3, 14, 9, 26, 53, 0, time.FixedZone("CST", 8*3600))}
}

func (c *testClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *testClock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// startHost serves a host until the test ends.
func startHost(t *testing.T, cfg HostConfig) *Host {
	t.Helper()
	h := NewHost(cfg)
	if err := h.Listen(); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- h.Serve(context.WithoutCancel(t.Context())) }()
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return h
}

// log keeps the messages that passed, as the wire has them.
type log struct {
	mu       sync.Mutex
	messages []passed
}

type passed struct {
	answer bool
	m      *iso8583.Message
}

func (l *log) add(t *testing.T, answer bool, b []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := new(iso8583.Message)
	b = append([]byte(nil), b...)
	if !m.Decode(upos(), b) {
		t.Errorf("message on the wire: %v", m.Malformed())
	}
	l.messages = append(l.messages, passed{answer, m})
}

// last gives the last request or answer.
func (l *log) last(t *testing.T, answer bool) *iso8583.Message {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range slices.Backward(l.messages) {
		if p.answer == answer {
			return p.m
		}
	}
	t.Fatal("no message passed")
	return nil
}

func (l *log) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.messages)
}

// tapped shows what passes over a connection.
type tapped struct {
	net.Conn
	t       *testing.T
	log     *log
	out, in *frame.Splitter
}

func (c *tapped) Write(b []byte) (int, error) {
	c.out.Feed(b, func(f []byte) { c.log.add(c.t, false, f) })
	return c.Conn.Write(b)
}

func (c *tapped) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.in.Feed(b[:n], func(f []byte) { c.log.add(c.t, true, f) })
	return n, err
}

// bench is a terminal at a host, with a look at the wire between them.
type bench struct {
	*Terminal
	host  *Host
	clock *testClock
	wire  *log
}

func newBench(t *testing.T, change func(*TerminalConfig)) *bench {
	t.Helper()
	clock := newClock()
	b := &bench{clock: clock, wire: new(log), host: startHost(t, HostConfig{Seed: 7, Now: clock.Now, SingleLimit: 50_000_00})}
	if err := b.host.Register(tid, mid, nil); err != nil {
		t.Fatal(err)
	}
	b.Terminal = b.machine(t, change)
	return b
}

// machine makes another terminal of the same number.
func (b *bench) machine(t *testing.T, change func(*TerminalConfig)) *Terminal {
	t.Helper()
	cfg := TerminalConfig{
		TID: tid, MID: mid, Address: b.host.Addr().String(), Now: b.clock.Now, Timeout: 5 * time.Second,
		Rand: rand.New(rand.NewPCG(1, 2)),
		Dial: func(ctx context.Context, address string) (net.Conn, error) {
			var d net.Dialer
			c, err := d.DialContext(ctx, "tcp", address)
			if err != nil {
				return nil, err
			}
			return &tapped{c, t, b.wire, frame.NewSplitter(upos().Frame), frame.NewSplitter(upos().Frame)}, nil
		},
	}
	if change != nil {
		change(&cfg)
	}
	pos, err := NewTerminal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pos.Close(); err != nil {
			t.Error(err)
		}
	})
	return pos
}

// approved fails the test unless the host agreed.
func approved(t *testing.T, r Result) Result {
	t.Helper()
	if !r.Approved || r.Err != nil || r.Refused != "" {
		t.Fatalf("%s: code %q, refused %q, error %v; wanted approval", r.Kind, r.Code, r.Refused, r.Err)
	}
	return r
}

// declined fails the test unless the host answered with the code.
func declined(t *testing.T, r Result, code string) {
	t.Helper()
	if r.Approved || r.Code != code || r.Err != nil || r.Refused != "" {
		t.Fatalf("%s: code %q, approved %t, refused %q, error %v; wanted code %s", r.Kind, r.Code, r.Approved, r.Refused, r.Err, code)
	}
}

// refused fails the test unless the terminal refused by itself and sent nothing of it.
func (b *bench) refused(t *testing.T, do func() Result, want Refusal) {
	t.Helper()
	before := b.wire.count()
	r := do()
	if r.Refused != want {
		t.Fatalf("%s: refused %q, code %q, error %v; wanted refusal %q", r.Kind, r.Refused, r.Code, r.Err, want)
	}
	if n := b.wire.count() - before; n != 0 && r.Refused != RefusedReversal {
		t.Fatalf("%s: refused and sent %d messages", r.Kind, n)
	}
}

func (b *bench) slip(t *testing.T, r Result) Record {
	t.Helper()
	slip, ok := b.Slip(r.STAN)
	if !ok {
		t.Fatalf("%s %06d is not in the journal", r.Kind, r.STAN)
	}
	return slip
}

func TestWholeDay(t *testing.T) {
	for _, long := range []bool{false, true} {
		b := newBench(t, func(c *TerminalConfig) { c.Long = long })
		ctx := t.Context()
		b.refused(t, func() Result { return b.Sale(ctx, 100, CardA, Chip) }, RefusedSignIn)
		approved(t, b.Echo(ctx))
		if got := approved(t, b.Download(ctx)).Params; got != parameters {
			t.Errorf("parameters %q", got)
		}
		approved(t, b.SignIn(ctx))
		approved(t, b.StatusUpload(ctx))

		sale := approved(t, b.Sale(ctx, 12_34, CardA, Chip))
		if sale.RRN == "" || sale.AuthCode == "" {
			t.Errorf("sale without reference %q or authorization %q", sale.RRN, sale.AuthCode)
		}
		approved(t, b.Sale(ctx, 50_00, CardB, Magstripe))
		approved(t, b.Sale(ctx, 1_00, CardC, Contactless))
		approved(t, b.Sale(ctx, 2_00, CardE, Manual))
		approved(t, b.Void(ctx, sale.STAN))
		b.refused(t, func() Result { return b.Void(ctx, sale.STAN) }, RefusedOriginal)
		other := approved(t, b.Sale(ctx, 30_00, CardD, Chip))
		approved(t, b.Refund(ctx, 10_00, b.slip(t, other)))
		auth := approved(t, b.PreAuth(ctx, 100_00, CardA, Chip))
		done := approved(t, b.Completion(ctx, 80_00, b.slip(t, auth)))
		approved(t, b.Void(ctx, done.STAN))
		auth = approved(t, b.PreAuth(ctx, 60_00, CardA, Chip))
		approved(t, b.PreAuthVoid(ctx, b.slip(t, auth)))

		// 12.34 came back; of 80.00 nothing is left but what was set aside again.
		if got := approved(t, b.Balance(ctx, CardD, Chip)).Balance; got != plenty-20_00 {
			t.Errorf("balance %d, wanted %d", got, plenty-20_00)
		}
		b.refused(t, func() Result { return b.SignOff(ctx) }, RefusedSettle)
		if r := approved(t, b.Settle(ctx)); r.Balanced != 1 {
			t.Errorf("verdict %d, wanted 1", r.Balanced)
		}
		approved(t, b.SignOff(ctx))
		b.refused(t, func() Result { return b.Sale(ctx, 100, CardA, Chip) }, RefusedSignIn)
		approved(t, b.SignIn(ctx))
		if b.Memory().Batch != 2 {
			t.Errorf("batch %d after settlement, wanted 2", b.Memory().Batch)
		}
	}
}

func TestMessagesHaveTheMandatoryFields(t *testing.T) {
	b := newBench(t, nil)
	ctx := t.Context()
	const expiry = 1 << (64 - 14) // field 14 is answered only where it was sent
	check := func(r Result, request, answer uint64) Result {
		t.Helper()
		approved(t, r)
		for _, side := range []struct {
			want   uint64
			answer bool
		}{{request, false}, {answer &^ expiry, true}} {
			if got := b.wire.last(t, side.answer).Bitmap(); got&side.want != side.want {
				t.Errorf("%s, answer %t: bitmap %016X lacks %016X", r.Kind, side.answer, got, side.want&^got)
			}
		}
		return r
	}
	check(b.Echo(ctx), 0x0000000000C00010, 0x0018000002C00010)
	if b.wire.last(t, false).Has(11) {
		t.Error("an echo carries a trace number")
	}
	check(b.SignIn(ctx), 0x0020000000C00012, 0x003800010AC00014)
	check(b.StatusUpload(ctx), 0x0000000000C00014, 0x0018000002C00010)
	check(b.Balance(ctx, CardA, Magstripe), 0x2020048000C08011, 0x603C00810AD08C11)
	sale := check(b.Sale(ctx, 1_00, CardA, Magstripe), 0x3020048000C08011, 0x703E00810ED08813)
	check(b.Void(ctx, sale.STAN), 0x3020048008C08019, 0x703E00810ED08013)
	sale = approved(t, b.Sale(ctx, 9_00, CardA, Magstripe))
	check(b.Refund(ctx, 1_00, b.slip(t, sale)), 0x3020048008C0801B, 0x703E00810ED08013)
	auth := check(b.PreAuth(ctx, 1_00, CardA, Magstripe), 0x3020048000C08011, 0x703E00810ED08813)
	check(b.PreAuthVoid(ctx, b.slip(t, auth)), 0x3020048004C08019, 0x703E00810ED08013)
	check(b.Settle(ctx), 0x0020000000C10010, 0x003800010AC10010) // the end of the batch comes last
	check(b.SignOff(ctx), 0x0020000000C00010, 0x003800010AC00010)
}
