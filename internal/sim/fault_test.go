// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tillmend/tillmend/internal/txn"
)

// Every code that a fault promises is what stands on the wire, for whom it is meant
// and for nobody else.
func TestFaultCodes(t *testing.T) {
	ctx := t.Context()
	sale := []txn.Kind{txn.Sale}
	for _, code := range []string{"03", "97", "58", "91", "96", "30", "78", "A9", "61", "23", "51", "A0", "99"} {
		for name, f := range map[string]Fault{
			"all": {Code: code, Kinds: sale}, "terminal": {Code: code, Terminal: tid, Kinds: sale},
			"merchant": {Code: code, Merchant: mid, Kinds: sale}, "issuer": {Code: code, BIN: CardA.BIN()},
		} {
			b := newBench(t, nil)
			approved(t, b.SignIn(ctx))
			b.host.SetFault(name, f)
			declined(t, b.Sale(ctx, 100, CardA, Chip), code)
			if got := b.wire.last(t, true).Text(39); got != code {
				t.Errorf("%s %s: the wire says %q", name, code, got)
			}
			b.host.ClearFault(name)
			approved(t, b.SignIn(ctx)) // A0 wants one
			approved(t, b.Sale(ctx, 100, CardA, Chip))
		}
	}
}

func TestFaultMeetsOnlyItsOwn(t *testing.T) {
	ctx := t.Context()
	b := newBench(t, nil)
	approved(t, b.SignIn(ctx))
	b.host.SetFault("other terminal", Fault{Code: "58", Terminal: "T0000002"})
	b.host.SetFault("other merchant", Fault{Code: "58", Merchant: "898000000000002"})
	b.host.SetFault("other issuer", Fault{Code: "91", BIN: CardSick.BIN()})
	b.host.SetFault("other kind", Fault{Code: "96", Kinds: []txn.Kind{txn.SignIn}})
	approved(t, b.Sale(ctx, 100, CardA, Chip))
	declined(t, b.Sale(ctx, 100, CardSick, Chip), "91")
	declined(t, b.SignIn(ctx), "96")
	if n := len(b.host.Faults()); n != 4 {
		t.Errorf("%d faults, wanted 4", n)
	}
}

func TestFaultsWithoutAnAnswer(t *testing.T) {
	ctx := t.Context()
	sale := []txn.Kind{txn.Sale}
	for name, f := range map[string]Fault{
		"silent": {Silent: true, Kinds: sale}, "drop": {Drop: true, Kinds: sale}, "reset": {Reset: true, Kinds: sale},
	} {
		b := newBench(t, func(c *TerminalConfig) { c.Timeout = 300 * time.Millisecond })
		approved(t, b.SignIn(ctx))
		b.host.SetFault(name, f)
		if r := b.Sale(ctx, 5_00, CardA, Chip); r.Err == nil || r.Code != "" {
			t.Errorf("%s: code %q, error %v", name, r.Code, r.Err)
		}
		b.cfg.Timeout = 5 * time.Second
		// The host had done its work, and the reversal takes it back.
		if r := approved(t, b.Reversal(ctx)); r.Code != "00" {
			t.Errorf("%s: reversal %q", name, r.Code)
		}
		if got := b.wire.last(t, false).Text(39); got != "98" {
			t.Errorf("%s: reason %q, wanted 98", name, got)
		}
		if got := approved(t, b.Balance(ctx, CardA, Chip)).Balance; got != plenty {
			t.Errorf("%s: balance %d, wanted %d", name, got, plenty)
		}
	}
}

func TestSlowAnswer(t *testing.T) {
	ctx := t.Context()
	clock := newClock()
	waits := make(chan time.Duration, 1)
	h := startHost(t, HostConfig{Now: clock.Now, AutoRegister: true, Wait: func(_ context.Context, d time.Duration) error {
		waits <- d
		return nil
	}})
	b := &bench{host: h, clock: clock, wire: new(log)}
	b.Terminal = b.machine(t, nil)
	h.SetFault("slow", Fault{Delay: 40 * time.Second})
	approved(t, b.SignIn(ctx))
	if got := <-waits; got != 40*time.Second {
		t.Errorf("the host waited %s", got)
	}
}

func TestHostChecks(t *testing.T) {
	ctx := t.Context()
	b := newBench(t, nil)
	stranger := b.machine(t, func(c *TerminalConfig) { c.TID = "T0000009" })
	declined(t, stranger.SignIn(ctx), "97")
	lost := b.machine(t, func(c *TerminalConfig) { c.MID = "898000000000009" })
	declined(t, lost.SignIn(ctx), "03")
	if err := b.host.Register("T0000002", "898000000000009", nil); err != nil {
		t.Fatal(err)
	}
	declined(t, lost.SignIn(ctx), "97") // number and merchant do not belong together
	declined(t, b.SignOff(ctx), "77")

	approved(t, b.SignIn(ctx))
	declined(t, b.Sale(ctx, 100, CardEmpty, Chip), "51")
	declined(t, b.Sale(ctx, 50_001_00, CardA, Chip), "61")
	declined(t, b.Sale(ctx, 0, CardA, Chip), "13")
	b.mem.Journal = nil

	sale := approved(t, b.Sale(ctx, 100, CardA, Chip))
	slip := b.slip(t, sale)
	b.mem.STAN--
	declined(t, b.Sale(ctx, 100, CardA, Chip), "94")
	b.mem.STAN += 10

	wrong := slip
	wrong.RRN = "000000000000"
	declined(t, b.Refund(ctx, 1, wrong), "25")
	wrong = slip
	wrong.Card = CardB
	declined(t, b.Refund(ctx, 1, wrong), "25")
	declined(t, b.Refund(ctx, 101, slip), "64")
	approved(t, b.Refund(ctx, 60, slip))
	declined(t, b.Refund(ctx, 41, slip), "64")
	auth := b.slip(t, approved(t, b.PreAuth(ctx, 100, CardA, Chip)))
	declined(t, b.Completion(ctx, 116, auth), "64")
	approved(t, b.Completion(ctx, 115, auth))
	declined(t, b.Completion(ctx, 10, auth), "25")

	b.Habits.Lenient = true
	declined(t, b.Void(ctx, 999), "25")
	b.mem.STAN = 700
	declined(t, b.Sale(ctx, 100, CardEmpty, Chip), "51")
	declinedSale := Record{Kind: txn.Sale, STAN: 701, Batch: 1, Card: CardEmpty, Entry: Chip, RRN: b.wire.last(t, true).Text(37)}
	declined(t, b.Refund(ctx, 1, declinedSale), "12")
	b.SetBatch(5)
	declined(t, b.Sale(ctx, 100, CardA, Chip), "77")
}

// A second machine under the same number makes the keys of the first one worthless.
func TestSignInElsewhere(t *testing.T) {
	ctx := t.Context()
	b := newBench(t, nil)
	twin := b.machine(t, func(c *TerminalConfig) { c.FirstSTAN = twinSTAN })
	approved(t, b.SignIn(ctx))
	approved(t, b.Sale(ctx, 100, CardA, Chip))
	approved(t, twin.SignIn(ctx))
	approved(t, twin.Sale(ctx, 100, CardA, Chip))
	declined(t, b.Sale(ctx, 100, CardA, Chip), "A0")
}

func TestMuteTerminal(t *testing.T) {
	b := newBench(t, nil)
	b.Habits.Mute = true
	if r := b.Echo(t.Context()); r.Err == nil || b.wire.count() != 0 {
		t.Errorf("error %v, %d messages", r.Err, b.wire.count())
	}
}

func TestEveryFaultFieldMerges(t *testing.T) {
	h := NewHost(HostConfig{})
	all := []Fault{
		{Code: "58"}, {Silent: true}, {Drop: true}, {Reset: true}, {Delay: 1}, {WrongMAC: true}, {Order: 3}, {Unbalanced: true},
	}
	for i, f := range all {
		h.SetFault(string(rune('a'+i)), f)
	}
	got := h.faultLocked(tid, mid, "", txn.Sale)
	want := Fault{Code: "58", Silent: true, Drop: true, Reset: true, Delay: 1, WrongMAC: true, Order: 3, Unbalanced: true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("merged faults:\n%s", diff)
	}
}
