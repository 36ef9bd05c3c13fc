// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"errors"
	"testing"

	"github.com/tillmend/tillmend/internal/txn"
	"github.com/tillmend/tillmend/iso8583"
)

func TestServeComesAfterListen(t *testing.T) {
	h := NewHost(HostConfig{})
	if err := h.Serve(t.Context()); !errors.Is(err, errNotListening) || h.Addr() != nil {
		t.Errorf("error %v, address %v", err, h.Addr())
	}
	if err := NewHost(HostConfig{Address: "127.0.0.1:none"}).Listen(); err == nil {
		t.Error("an address that is none is bound")
	}
}

func TestServeEndsWithItsContext(t *testing.T) {
	h := NewHost(HostConfig{AutoRegister: true})
	if err := h.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- h.Serve(ctx) }()
	b := &bench{host: h, clock: newClock(), wire: new(log)}
	long := b.machine(t, func(c *TerminalConfig) { c.Long = true })
	approved(t, long.Echo(t.Context()))
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
	if r := long.Echo(t.Context()); r.Err == nil {
		t.Error("a host that has ended answers")
	}
}

func TestRegisterWantsWholeNumbers(t *testing.T) {
	h := NewHost(HostConfig{})
	if h.Register("T1", mid, nil) == nil || h.Register(tid, "898", nil) == nil || h.Register(tid, mid, []byte("short")) == nil {
		t.Error("a terminal is registered with numbers of another length")
	}
}

// What a card has is spent and given back.
func TestBalances(t *testing.T) {
	ctx := t.Context()
	b := newBench(t, nil)
	b.host.SetBalance(CardA, 10_00)
	approved(t, b.SignIn(ctx))
	first := approved(t, b.Sale(ctx, 6_00, CardA, Chip))
	declined(t, b.Sale(ctx, 6_00, CardA, Chip), "51")
	approved(t, b.Void(ctx, first.STAN))
	approved(t, b.PreAuth(ctx, 10_00, CardA, Chip))
	declined(t, b.Sale(ctx, 1, CardA, Chip), "51")
}

// A reversal of a void, a refund or a completion restores what it changed.
func TestReversalOfRelatedPayments(t *testing.T) {
	ctx := t.Context()
	b := newBench(t, nil)
	approved(t, b.SignIn(ctx))
	lose := func(do func() Result) {
		t.Helper()
		b.Habits.LoseAnswers = true
		if r := do(); !errors.Is(r.Err, errAnswerLost) {
			t.Fatalf("%s: error %v", r.Kind, r.Err)
		}
		b.Habits.LoseAnswers = false
		approved(t, b.Reversal(ctx))
	}
	sale := approved(t, b.Sale(ctx, 5_00, CardA, Chip))
	lose(func() Result { return b.Void(ctx, sale.STAN) })
	auth := b.slip(t, approved(t, b.PreAuth(ctx, 8_00, CardA, Chip)))
	lose(func() Result { return b.Completion(ctx, 7_00, auth) })
	lose(func() Result { return b.PreAuthVoid(ctx, auth) })
	if got := approved(t, b.Balance(ctx, CardA, Chip)).Balance; got != plenty-13_00 {
		t.Errorf("balance %d, wanted %d", got, plenty-13_00)
	}
	approved(t, b.Void(ctx, sale.STAN))
	approved(t, b.Completion(ctx, 7_00, auth))
	if r := approved(t, b.Settle(ctx)); r.Balanced != 1 {
		t.Errorf("verdict %d after reversals, wanted 1", r.Balanced)
	}
}

func TestRunIsTheWholeFleet(t *testing.T) {
	if err := Run(t.Context(), FleetConfig{}); err == nil {
		t.Error("a fleet runs without an address")
	}
	h := startHost(t, HostConfig{AutoRegister: true})
	sold := make(chan Step, 100)
	err := Run(t.Context(), FleetConfig{
		Address: h.Addr().String(), Terminals: 2, Scenarios: []Scenario{Healthy}, Rounds: 2, Wait: atOnce,
		Observe: func(s Step) { sold <- s },
	})
	if err != nil {
		t.Fatal(err)
	}
	close(sold)
	n := 0
	for s := range sold {
		if s.Result.Kind == txn.Sale && s.Result.Approved {
			n++
		}
	}
	if n != 4 {
		t.Errorf("%d sales of two terminals in two rounds, wanted 4", n)
	}
}

// Whatever bytes come, the host answers with a message that can be read, or not at all.
func FuzzHost(f *testing.F) {
	for _, d := range []iso8583.Draft{
		{MTI: "0800", Fields: map[int]string{11: "000001", 41: tid, 42: mid, 60: "00000001003", 63: operator}},
		{MTI: "0820", Fields: map[int]string{41: tid, 42: mid, 60: "00000001301"}},
		{MTI: "0500", Fields: map[int]string{11: "000002", 41: tid, 42: mid, 48: "1", 60: "00000001201"}},
		{MTI: "0320", Fields: map[int]string{11: "000002", 41: tid, 42: mid, 48: "99", 60: "00000001202"}},
		{MTI: "0400", Fields: map[int]string{2: "1", 11: "000002", 41: tid, 42: mid, 60: "22", 64: "0000000000000000"}},
		{MTI: "0200", Fields: map[int]string{35: "D", 52: "0000000000000000", 61: "1", 41: tid, 42: mid, 60: "23000001"}},
	} {
		b, err := d.Encode(upos())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h := NewHost(HostConfig{Now: newClock().Now, AutoRegister: true})
		if err := h.Register(tid, mid, nil); err != nil {
			t.Fatal(err)
		}
		h.terminals[tid].signedIn = h.today()
		h.terminals[tid].keys = newWorkingKeys(0, tid, 1)
		out, _ := h.answer(b)
		var m iso8583.Message
		if out != nil && !m.Decode(upos(), out) {
			t.Errorf("answer: %v", m.Malformed())
		}
	})
}
