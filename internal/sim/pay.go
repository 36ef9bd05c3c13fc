// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"errors"
	"fmt"

	"github.com/tillmend/tillmend/internal/txn"
	"github.com/tillmend/tillmend/iso8583"
)

// order is a payment that the cashier asks for.
type order struct {
	kind   txn.Kind
	amount int64
	card   Card
	entry  Entry
	pin    bool
	orig   *Record // the payment that it refers to
}

// Sale takes money, amount in minor units. A card that is not keyed in asks for its PIN.
func (t *Terminal) Sale(ctx context.Context, amount int64, card Card, entry Entry) Result {
	return t.pay(ctx, order{kind: txn.Sale, amount: amount, card: card, entry: entry, pin: entry != Manual})
}

// Balance asks how much a card has.
func (t *Terminal) Balance(ctx context.Context, card Card, entry Entry) Result {
	return t.pay(ctx, order{kind: txn.Balance, card: card, entry: entry, pin: true})
}

// PreAuth sets money aside.
func (t *Terminal) PreAuth(ctx context.Context, amount int64, card Card, entry Entry) Result {
	return t.pay(ctx, order{kind: txn.PreAuth, amount: amount, card: card, entry: entry, pin: true})
}

// Void takes back the sale or completion with this trace number, as a whole. A
// terminal that does not have it refuses.
func (t *Terminal) Void(ctx context.Context, stan uint32) Result {
	orig := t.mem.find(stan)
	kind := txn.Void
	switch {
	case orig != nil && orig.Kind == txn.Completion:
		kind = txn.CompletionVoid
	case orig != nil && (orig.Voided || orig.Kind != txn.Sale), orig == nil:
		if !t.Habits.Lenient {
			return Result{Kind: kind, Refused: RefusedOriginal}
		}
		if orig == nil {
			orig = &Record{Kind: txn.Sale, STAN: stan, Batch: t.mem.Batch, Amount: 1, Card: Cards[0], Entry: Magstripe}
		}
	}
	return t.pay(ctx, order{kind: kind, amount: orig.Amount, card: orig.Card, entry: orig.Entry, orig: orig})
}

// Refund gives back amount of an earlier payment, also of an earlier day. The terminal
// need not have it any more: the cashier keys in what stands on the slip.
func (t *Terminal) Refund(ctx context.Context, amount int64, slip Record) Result {
	return t.pay(ctx, order{kind: txn.Refund, amount: amount, card: slip.Card, entry: slip.Entry, orig: &slip})
}

// PreAuthVoid gives money free that was set aside; slip is that of the pre-authorization.
func (t *Terminal) PreAuthVoid(ctx context.Context, slip Record) Result {
	return t.pay(ctx, order{kind: txn.PreAuthVoid, amount: slip.Amount, card: slip.Card, entry: slip.Entry, orig: &slip})
}

// Completion takes amount of the money set aside; slip is that of the pre-authorization.
func (t *Terminal) Completion(ctx context.Context, amount int64, slip Record) Result {
	return t.pay(ctx, order{kind: txn.Completion, amount: amount, card: slip.Card, entry: slip.Entry, orig: &slip})
}

// Slip gives the record of an approved payment of the batch, as its slip shows it.
func (t *Terminal) Slip(stan uint32) (Record, bool) {
	if r := t.mem.find(stan); r != nil {
		return *r, true
	}
	return Record{}, false
}

// pay is the way of every payment: refuse, clear what is pending, send, judge.
func (t *Terminal) pay(ctx context.Context, o order) Result {
	if refused := t.refuse(o); refused != "" {
		return Result{Kind: o.kind, Amount: o.amount, Card: o.card, Refused: refused}
	}
	if rev := t.Reversal(ctx); t.mem.Pending != nil {
		return Result{Kind: o.kind, Amount: o.amount, Card: o.card, Refused: RefusedReversal, Tries: rev.Tries, Err: rev.Err}
	}
	rec := Record{
		Kind: o.kind, STAN: t.nextSTAN(), Batch: t.mem.Batch, Amount: o.amount, Card: o.card, Entry: o.entry,
	}
	r := Result{Kind: o.kind, STAN: rec.STAN, Amount: o.amount, Card: o.card}
	if reversible(o.kind) {
		t.mem.Pending, t.mem.Reason = &rec, reasonNoAnswer
	}
	if r.Err = t.persist(); r.Err != nil {
		t.mem.Pending = nil
		return r
	}
	m, err := t.exchange(ctx, t.payment(o, &rec), t.Habits.LoseAnswers)
	if err != nil {
		r.Err = err
		if _, unsent := errors.AsType[errNotSent](err); unsent {
			t.settled(&r)
		}
		return r
	}
	t.judge(m, o, &rec, &r)
	t.comply(ctx, m)
	return r
}

// reversible tells whether a payment must be taken back when its answer is missing.
func reversible(kind txn.Kind) bool { return kind != txn.Balance && kind != txn.Refund }

// refuse gives the reason why the terminal will not even ask; empty if it will.
func (t *Terminal) refuse(o order) Refusal {
	switch {
	case t.mem.Halted:
		return RefusedHalted
	case !t.signedIn() && !t.Habits.Lenient:
		return RefusedSignIn
	case len(t.mem.Journal) >= t.cfg.JournalLimit:
		return RefusedFull
	case o.pin && t.Habits.Broken&txn.PINPad != 0:
		return RefusedPINPad
	}
	return ""
}

// payment writes the message of a payment.
func (t *Terminal) payment(o order, rec *Record) iso8583.Draft {
	f := forms[o.kind]
	d := t.draft(f.mti, f.typ, codeNormal)
	set := d.Fields
	t.common(set, f, rec, o.pin)
	set[60] += "50" // reads chips, no trouble with them
	if o.entry == Manual {
		set[2], set[14] = o.card.data().pan, testExpiry
	} else {
		set[35] = o.card.track2()
	}
	if o.entry == Chip || o.entry == Contactless {
		set[23], set[55] = "001", t.chipData(o.amount)
		d.Header = "61" + d.Header[2:]
	}
	if o.pin {
		set[26], set[53] = "12", pinFormat
		set[52] = fmt.Sprintf("%X", pinBlock(t.pinKey(), testPIN, o.card.data().pan))
	}
	if o.orig != nil {
		set[61] = fmt.Sprintf("%06d%06d%04d", o.orig.Batch, o.orig.STAN, number(o.orig.Date))
		if o.kind == txn.PreAuthVoid || o.kind == txn.Completion {
			set[38] = fmt.Sprintf("%-6s", o.orig.AuthCode)
		} else {
			set[37] = fmt.Sprintf("%-12s", o.orig.RRN)
		}
	}
	if o.kind == txn.Refund {
		set[63] = "CUP"
	}
	return d
}

// common fills in what a payment and its reversal share.
func (t *Terminal) common(set map[int]string, f form, rec *Record, pin bool) {
	set[3], set[25], set[49] = f.processing, f.condition, currencyYuan
	set[11] = fmt.Sprintf("%06d", rec.STAN)
	set[22] = fmt.Sprintf("%02d2", rec.Entry)
	if pin {
		set[22] = fmt.Sprintf("%02d1", rec.Entry)
	}
	if rec.Kind != txn.Balance {
		set[4] = fmt.Sprintf("%012d", rec.Amount)
	}
	set[macField] = "0000000000000000"
}

// pinKey is the PIN key; before a sign-in there is none.
func (t *Terminal) pinKey() []byte {
	if len(t.keys.pin) == 0 {
		return make([]byte, pinKeySize)
	}
	return t.keys.pin
}

// chipData is what a chip says of a payment: cryptogram, counter, results. No tag of it
// names the card.
func (t *Terminal) chipData(amount int64) string {
	return fmt.Sprintf("9F2608%016X9F2701809F3602%04X950500000000009A03%s9C01009F0206%012d5F2A020156",
		t.cfg.Rand.Uint64(), t.mem.STAN&0xFFFF, t.cfg.Now().Format("060102"), amount)
}

// judge reads the answer to a payment.
func (t *Terminal) judge(m *iso8583.Message, o order, rec *Record, r *Result) {
	r.Code, r.RRN, r.AuthCode = m.Text(39), m.Text(37), m.Text(38)
	if r.Code == "77" || r.Code == "A0" {
		t.mem.SignedIn = "" // "sign in again"
	}
	if r.Code != "00" {
		t.settled(r)
		return
	}
	if !genuine(m, t.macKey()) {
		r.Err = errMAC
		if t.mem.Pending != nil {
			t.mem.Reason = reasonBadMAC
			r.Err = errors.Join(errMAC, t.persist())
		}
		return
	}
	r.Approved = true
	if o.kind == txn.Balance {
		r.Balance = number(part(m.Text(54), 8, 20))
		return
	}
	rec.RRN, rec.AuthCode, rec.Date = r.RRN, r.AuthCode, m.Text(13)
	t.mem.Journal = append(t.mem.Journal, *rec)
	if o.kind == txn.Void || o.kind == txn.CompletionVoid {
		if orig := t.mem.find(o.orig.STAN); orig != nil {
			orig.Voided = true
		}
	}
	t.settled(r)
}

// settled forgets the reversal that stood ready.
func (t *Terminal) settled(r *Result) {
	t.mem.Pending, t.mem.Reason = nil, ""
	if err := t.persist(); err != nil {
		r.Err = errors.Join(r.Err, err)
	}
}
