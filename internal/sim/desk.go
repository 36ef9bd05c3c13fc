// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/tillmend/tillmend/internal/txn"
)

// chores are the messages that are no payments, with what the host does about them.
var chores = map[txn.Kind]func(*Host, *request) reply{
	txn.SignIn: (*Host).signInLocked, txn.SignOff: (*Host).signOffLocked,
	txn.Echo: (*Host).agreeLocked, txn.StatusUpload: (*Host).agreeLocked, txn.Download: (*Host).downloadLocked,
	txn.Reversal: (*Host).reverseLocked, txn.Settlement: (*Host).settleLocked,
	txn.BatchUpload: (*Host).uploadLocked, txn.BatchEnd: (*Host).endBatchLocked,
}

// today is the host's day.
func (h *Host) today() string { return h.cfg.Now().Format(time.DateOnly) }

// signInLocked gives fresh keys and the batch number. A sign-in makes the keys of the one
// before worthless, whichever machine has them.
func (h *Host) signInLocked(r *request) reply {
	a := r.account
	a.signIns++
	a.signedIn = h.today()
	a.keys = newWorkingKeys(h.cfg.Seed, a.tid, a.signIns)
	return reply{code: "00", set: map[int]string{
		60: fmt.Sprintf("%s%06d%s", typeManagement, a.batch, part(r.msg.Text(60), 8, 11)),
		62: hex.EncodeToString(a.keys.wrap(a.master)),
	}}
}

func (h *Host) signOffLocked(r *request) reply {
	if r.account.signedIn == "" {
		return reply{code: "77"}
	}
	r.account.signedIn = ""
	return reply{code: "00"}
}

func (h *Host) agreeLocked(*request) reply { return reply{code: "00"} }

// parameters are what a terminal downloads: tag of two digits and value. Time-out in
// seconds, tries, whether to ask for a tip, whether a card number may be keyed in.
const parameters = "1260133180201"

func (h *Host) downloadLocked(r *request) reply {
	if part(r.msg.Text(60), 8, 11) == codeParamsEnd {
		return reply{code: "00"}
	}
	return reply{code: "00", set: map[int]string{37: r.reference, 62: fmt.Sprintf("%X", parameters)}}
}

// reverseLocked takes a payment back. A payment that never came, or was declined, has
// nothing to take back: the terminal takes 25 and 12 as done.
func (h *Host) reverseLocked(r *request) reply {
	if !genuine(r.msg, r.account.keys.mac) {
		return reply{code: "A0"}
	}
	e := r.account.find(r.trace)
	switch {
	case e == nil:
		return reply{code: "25"}
	case !e.approved:
		return reply{code: "12"}
	case e.amount != r.amount:
		return reply{code: "64"}
	case !e.undone:
		h.undoLocked(e)
	}
	return reply{code: "00"}
}

// settleLocked compares totals. The verdict is in field 48; there is no response code.
func (h *Host) settleLocked(r *request) reply {
	a := r.account
	if code := h.sessionLocked(r); code != "" {
		return reply{code: code}
	}
	sum := settlementText(a.totals(a.batch), '0')
	asked := r.msg.Text(48)
	verdict := byte(balancedVerdict)
	if r.fault.Unbalanced || part(asked, 0, settlementHalf) != sum {
		verdict = unequalVerdict
	} else {
		a.roll()
	}
	text := part(asked, 0, settlementHalf-1) + string(verdict) + part(asked, settlementHalf, len(asked))
	return reply{set: map[int]string{48: text, 63: r.msg.Text(63)}}
}

// uploadLocked takes records of a batch that did not balance.
func (h *Host) uploadLocked(r *request) reply {
	text := r.msg.Text(48)
	if count := int(number(part(text, 0, 2))); count < 1 || len(text) != 2+count*uploadDigits {
		return reply{code: "30"}
	}
	return reply{code: "00", set: map[int]string{48: "00" + part(text, 0, 2)}}
}

// endBatchLocked ends the batch: at once after totals that differed, and once more
// without effect after totals that did not.
func (h *Host) endBatchLocked(r *request) reply {
	a := r.account
	switch r.trace.batch {
	case a.batch:
		a.roll()
	case a.closed:
	default:
		return reply{code: "77"}
	}
	return reply{code: "00", set: map[int]string{48: r.msg.Text(48)}}
}

// sessionLocked tells whether the terminal has a session: 77 for none of today, and for
// another batch; empty when all is well.
func (h *Host) sessionLocked(r *request) string {
	if r.account.signedIn != h.today() || r.trace.batch != r.account.batch {
		return "77"
	}
	return ""
}

// payLocked decides a payment, cheap checks first, and books what is approved.
func (h *Host) payLocked(r *request) reply {
	a := r.account
	if code := h.sessionLocked(r); code != "" {
		return reply{code: code}
	}
	if !genuine(r.msg, a.keys.mac) {
		return reply{code: "A0"}
	}
	if a.seen[r.trace] {
		return reply{code: "94"}
	}
	a.seen[r.trace] = true
	e := &entry{trace: r.trace, kind: r.kind, card: r.card, amount: r.amount, left: r.amount}
	code := h.judgeLocked(r, e)
	if r.kind == txn.Balance {
		return h.balanceLocked(r, code)
	}
	e.approved, e.rrn = code == "00", r.reference
	rep := reply{code: code, set: map[int]string{}}
	if e.approved {
		h.applyLocked(e)
		e.auth = fmt.Sprintf("%06d", (h.cfg.Seed+a.answers*7919+uint64(r.trace.stan))%1_000_000)
		rep.set[38] = e.auth
		rep.set[63] = "CUP"
	}
	a.book(e)
	return rep
}

// judgeLocked gives the response code of a payment.
func (h *Host) judgeLocked(r *request, e *entry) string {
	if r.card == 0 {
		return "14"
	}
	if r.msg.Has(52) && !pinMatches(r.account.keys.pin, r.msg.Raw(52), testPIN, r.card.data().pan) {
		return "55"
	}
	if r.kind.Related() {
		return h.relatedLocked(r, e)
	}
	switch {
	case r.kind == txn.Balance:
		return "00"
	case r.amount <= 0:
		return "13"
	case h.cfg.SingleLimit > 0 && r.amount > h.cfg.SingleLimit:
		return "61"
	case h.balances[r.card] < r.amount:
		return "51"
	}
	return "00"
}

// relatedLocked finds the payment that this one refers to and judges it.
func (h *Host) relatedLocked(r *request, e *entry) string {
	de61 := r.msg.Text(61)
	t := trace{uint32(number(part(de61, 0, 6))), uint32(number(part(de61, 6, 12)))} //nolint:gosec // six digits each
	o := r.account.find(t)
	if o != nil && o.card != r.card {
		return "25"
	}
	if o != nil && r.msg.Has(37) && r.msg.Text(37) != o.rrn {
		return "25"
	}
	if o != nil && r.msg.Has(38) && strings.TrimSpace(r.msg.Text(38)) != o.auth {
		return "25"
	}
	code := original(r.kind, r.amount, o)
	if code == "00" {
		e.orig = o
	}
	return code
}

// balanceLocked answers a balance inquiry: ledger balance, in yuan, credit.
func (h *Host) balanceLocked(r *request, code string) reply {
	rep := reply{code: code}
	if code == "00" {
		rep.set = map[int]string{54: fmt.Sprintf("1002%sC%012d", currencyYuan, h.balances[r.card])}
	}
	return rep
}
