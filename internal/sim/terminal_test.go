// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tillmend/tillmend/internal/txn"
)

func TestNewTerminalNamesWhatIsWrong(t *testing.T) {
	_, err := NewTerminal(TerminalConfig{TID: "T1", MID: "898", MasterKey: []byte("short"), Version: "31", TPDU: "7000000000"})
	for _, word := range []string{"TID", "MID", "MasterKey", "Version", "TPDU", "Address", "Now", "Rand"} {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("error %v does not name %s", err, word)
		}
	}
}

func TestKeysAndMACAreVerified(t *testing.T) {
	ctx := t.Context()
	b := newBench(t, nil)
	approved(t, b.SignIn(ctx))
	approved(t, b.Sale(ctx, 100, CardA, Chip))
	m := b.wire.last(t, false)
	if !genuine(m, b.keys.mac) || genuine(m, []byte("other---")) {
		t.Error("the MAC of a sale does not depend on its key")
	}
	if !pinMatches(b.keys.pin, m.Raw(52), testPIN, CardA.data().pan) {
		t.Error("the PIN block does not hold the PIN")
	}

	if err := b.LoadMasterKey(TestMasterKey("T9999999")); err != nil {
		t.Fatal(err)
	}
	if r := b.SignIn(ctx); r.Refused != RefusedKeys || !errors.Is(r.Err, errCheckValue) || r.Code != "00" {
		t.Errorf("keys under another master key: code %q, refused %q, error %v", r.Code, r.Refused, r.Err)
	}
	b.Habits.TrustKeys = true
	for range 2 {
		approved(t, b.SignIn(ctx))
		declined(t, b.Sale(ctx, 100, CardA, Chip), "A0")
	}
}

func TestPINIsVerified(t *testing.T) {
	ctx := t.Context()
	b := newBench(t, nil)
	approved(t, b.SignIn(ctx))
	b.keys.pin = []byte("another PIN key ")
	declined(t, b.Sale(ctx, 100, CardA, Chip), "55")
}

func TestAnswerWithWrongMACIsReversed(t *testing.T) {
	ctx := t.Context()
	b := newBench(t, nil)
	approved(t, b.SignIn(ctx))
	b.host.SetFault("mac", Fault{WrongMAC: true, Kinds: []txn.Kind{txn.Sale}})
	if r := b.Sale(ctx, 100, CardA, Chip); !errors.Is(r.Err, errMAC) || r.Approved {
		t.Fatalf("sale: approved %t, error %v", r.Approved, r.Err)
	}
	b.host.ClearFault("mac")
	if r := approved(t, b.Reversal(ctx)); r.Tries != 1 {
		t.Errorf("reversed in %d tries", r.Tries)
	}
	if got := b.wire.last(t, false).Text(39); got != "A0" {
		t.Errorf("reason %q, wanted A0", got)
	}
	if got := approved(t, b.Balance(ctx, CardA, Chip)).Balance; got != plenty {
		t.Errorf("balance %d after the reversal, wanted %d", got, plenty)
	}
}

// A reversal with an answer that is not genuine is not sent again at once, and stays.
func TestReversalWithWrongMACStays(t *testing.T) {
	ctx := t.Context()
	b := newBench(t, nil)
	approved(t, b.SignIn(ctx))
	b.host.SetFault("mac", Fault{WrongMAC: true})
	b.Sale(ctx, 100, CardA, Chip)
	if r := b.Reversal(ctx); r.Tries != 1 || !errors.Is(r.Err, errMAC) || b.Memory().Pending == nil {
		t.Errorf("tries %d, error %v, pending %v", r.Tries, r.Err, b.Memory().Pending)
	}
}

// What must be reversed is kept before the payment goes out, and is the first thing
// that a terminal sends after a loss of power.
func TestReversalOutlivesPower(t *testing.T) {
	ctx := t.Context()
	var kept Memory
	b := newBench(t, nil)
	b.cfg.Persist = func(m Memory) error {
		kept = m
		if m.Pending != nil && b.wire.last(t, false).Text(11) == "000002" {
			t.Error("the payment went out before its reversal was kept")
		}
		return nil
	}
	approved(t, b.SignIn(ctx))
	b.Habits.LoseAnswers = true
	if r := b.Sale(ctx, 5_00, CardA, Chip); !errors.Is(r.Err, errAnswerLost) {
		t.Fatalf("error %v", r.Err)
	}
	if kept.Pending == nil || kept.Pending.Amount != 5_00 || kept.Reason != reasonNoAnswer {
		t.Fatalf("kept %+v, reason %q", kept.Pending, kept.Reason)
	}

	again := b.machine(t, func(c *TerminalConfig) { c.Memory = &kept })
	if r := again.Sale(ctx, 100, CardA, Chip); r.Refused != RefusedSignIn {
		t.Fatalf("without keys: refused %q", r.Refused)
	}
	approved(t, again.SignIn(ctx))
	before := b.wire.count()
	approved(t, again.Sale(ctx, 1_00, CardA, Chip))
	first := b.wire.messages[before].m
	if first.MTI() != 0x0400 || first.Text(39) != "98" || first.Text(11) != "000002" {
		t.Errorf("first message %04X, reason %q, trace %q", first.MTI(), first.Text(39), first.Text(11))
	}
	if got := approved(t, again.Balance(ctx, CardA, Chip)).Balance; got != plenty-1_00 {
		t.Errorf("balance %d, wanted %d", got, plenty-1_00)
	}
}

func TestPersistFailureStopsThePayment(t *testing.T) {
	ctx := t.Context()
	b := newBench(t, nil)
	approved(t, b.SignIn(ctx))
	full := errors.New("memory is full")
	b.cfg.Persist = func(Memory) error { return full }
	before := b.wire.count()
	if r := b.Sale(ctx, 100, CardA, Chip); !errors.Is(r.Err, full) || b.wire.count() != before || b.mem.Pending != nil {
		t.Errorf("error %v, %d messages", r.Err, b.wire.count()-before)
	}
}

func TestStuckReversalStopsSelling(t *testing.T) {
	ctx := t.Context()
	b := newBench(t, nil)
	approved(t, b.SignIn(ctx))
	b.host.SetFault("drop", Fault{Drop: true, Kinds: []txn.Kind{txn.Sale}})
	b.host.SetFault("refuse", Fault{Code: "96", Kinds: []txn.Kind{txn.Reversal}})
	if r := b.Sale(ctx, 100, CardA, Chip); r.Err == nil {
		t.Fatal("a dropped sale has no error")
	}
	b.host.ClearFault("drop")
	before := b.wire.count()
	b.refused(t, func() Result { return b.Sale(ctx, 100, CardA, Chip) }, RefusedReversal)
	if got := b.wire.count() - before; got != 2*reversalTries {
		t.Errorf("%d messages, wanted %d reversals and answers", got, reversalTries)
	}
	if got := b.wire.last(t, false).Text(39); got != reasonOther {
		t.Errorf("reason %q of the repeated reversal, wanted %s", got, reasonOther)
	}
	b.refused(t, func() Result { return b.Settle(ctx) }, RefusedReversal)
	b.host.ClearFault("refuse")
	approved(t, b.Sale(ctx, 100, CardA, Chip))
}

// A reversal of a payment that never came, or was declined, is done all the same.
func TestReversalOfNothing(t *testing.T) {
	ctx := t.Context()
	b := newBench(t, nil)
	approved(t, b.SignIn(ctx))
	for code, rec := range map[string]Record{
		"25": {Kind: txn.Sale, STAN: 900, Batch: 1, Amount: 100, Card: CardA, Entry: Chip},
		"12": {Kind: txn.Sale, STAN: 3, Batch: 1, Amount: 100, Card: CardEmpty, Entry: Chip},
	} {
		if code == "12" {
			b.mem.STAN = 2
			declined(t, b.Sale(ctx, 100, CardEmpty, Chip), "51")
		}
		b.mem.Pending, b.mem.Reason = &rec, reasonNoAnswer
		if r := b.Reversal(ctx); !r.Approved || r.Code != code || b.mem.Pending != nil {
			t.Errorf("code %q, approved %t, wanted %s", r.Code, r.Approved, code)
		}
	}
}

func TestSettlement(t *testing.T) {
	ctx := t.Context()
	b := newBench(t, func(c *TerminalConfig) { c.JournalLimit = 20 })
	approved(t, b.SignIn(ctx))
	for i := range 20 {
		approved(t, b.Sale(ctx, 100, Cards[i%len(Cards)], Chip))
	}
	b.refused(t, func() Result { return b.Sale(ctx, 100, CardA, Chip) }, RefusedFull)
	b.host.SetFault("unequal", Fault{Unbalanced: true})

	b.Habits.NoUpload = true
	if r := b.Settle(ctx); r.Approved || r.Balanced != 2 {
		t.Fatalf("approved %t, verdict %d", r.Approved, r.Balanced)
	}
	if m := b.wire.last(t, true); m.Has(39) || m.Text(48)[30] != unequalVerdict {
		t.Errorf("answer has code %q and totals %q", m.Text(39), m.Text(48))
	}
	b.refused(t, func() Result { return b.Sale(ctx, 100, CardA, Chip) }, RefusedHalted)

	b.Habits.NoUpload = false
	before := b.wire.count()
	approved(t, b.Settle(ctx))
	var kinds []txn.Kind
	for _, p := range b.wire.messages[before:] {
		if !p.answer {
			kinds = append(kinds, kindOf(p.m))
		}
	}
	want := []txn.Kind{txn.Settlement, txn.BatchUpload, txn.BatchUpload, txn.BatchUpload, txn.BatchEnd}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("messages of an upload:\n%s", diff)
	}
	approved(t, b.SignIn(ctx))
	if b.Memory().Batch != 2 || len(b.Memory().Journal) != 0 {
		t.Errorf("batch %d with %d payments", b.Memory().Batch, len(b.Memory().Journal))
	}
	declined(t, b.Refund(ctx, 100, Record{Kind: txn.Sale, STAN: 999, Batch: 1, Card: CardA, Entry: Chip}), "25")
}

// Totals that do differ are found without a fault: here the terminal lost a record.
func TestTotalsAreCompared(t *testing.T) {
	ctx := t.Context()
	b := newBench(t, nil)
	approved(t, b.SignIn(ctx))
	approved(t, b.Sale(ctx, 100, CardA, Chip))
	approved(t, b.Sale(ctx, 200, CardA, Chip))
	b.mem.Journal = b.mem.Journal[:1]
	if r := approved(t, b.Settle(ctx)); r.Balanced != 2 {
		t.Errorf("verdict %d, wanted 2", r.Balanced)
	}
}

func TestNewDayWantsASignIn(t *testing.T) {
	ctx := t.Context()
	b := newBench(t, nil)
	approved(t, b.SignIn(ctx))
	approved(t, b.Sale(ctx, 100, CardA, Chip))
	b.clock.pass(24 * time.Hour)
	b.refused(t, func() Result { return b.Sale(ctx, 100, CardA, Chip) }, RefusedSignIn)
	b.Habits.Lenient = true
	declined(t, b.Sale(ctx, 100, CardA, Chip), "77")
}

func TestTerminalDoesWhatTheHostAsks(t *testing.T) {
	ctx := t.Context()
	for order, kind := range map[uint8]txn.Kind{orderDownload: txn.Download, orderStatus: txn.StatusUpload, orderSignIn: txn.SignIn} {
		b := newBench(t, nil)
		approved(t, b.SignIn(ctx))
		b.host.SetFault("order", Fault{Order: order, Kinds: []txn.Kind{txn.Sale}})
		approved(t, b.Sale(ctx, 100, CardA, Chip))
		if got := kindOf(b.wire.last(t, false)); got != kind {
			t.Errorf("order %d: the terminal sent %s, wanted %s", order, got, kind)
		}
		b.Habits.IgnoreOrders = true
		approved(t, b.Sale(ctx, 100, CardA, Chip))
		if m := b.wire.last(t, true); m.HostOrder() != order || kindOf(b.wire.last(t, false)) != txn.Sale {
			t.Errorf("order %d ignored: header says %d", order, m.HostOrder())
		}
	}
}

func TestMasterKeyAndVersionAreChecked(t *testing.T) {
	b := newBench(t, func(c *TerminalConfig) { c.Rand = rand.New(rand.NewPCG(3, 3)) })
	if b.LoadMasterKey([]byte("short")) == nil || b.SetVersion("31") == nil {
		t.Error("a short key or version is taken")
	}
}
