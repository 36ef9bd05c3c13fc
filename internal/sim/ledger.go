// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"slices"

	"github.com/tillmend/tillmend/internal/txn"
)

// account is what the host knows of a terminal.
type account struct {
	tid, mid string
	master   []byte
	keys     workingKeys
	batch    uint32
	closed   uint32 // the batch that was settled last
	signedIn string // day of the sign-in, YYYY-MM-DD; empty: none
	signIns  uint32
	answers  uint64         // references given
	seen     map[trace]bool // trace numbers of the batch
	entries  []*entry       // oldest first
}

// trace names a message of a terminal.
type trace struct{ batch, stan uint32 }

// entry is a payment in the host's books.
type entry struct {
	trace
	kind     txn.Kind
	card     Card
	amount   int64
	left     int64 // what may still be refunded or completed
	rrn      string
	auth     string
	orig     *entry
	approved bool
	undone   bool // voided, reversed or completed
}

// find gives the payment with this trace number, the newest first; nil for none.
func (a *account) find(t trace) *entry {
	for _, e := range slices.Backward(a.entries) {
		if e.trace == t {
			return e
		}
	}
	return nil
}

// book adds a payment to the books.
func (a *account) book(e *entry) {
	a.entries = append(a.entries, e)
	if len(a.entries) > maxEntries {
		a.entries = slices.Delete(a.entries, 0, len(a.entries)-maxEntries)
	}
}

// totals sums a batch up as the terminal does.
func (a *account) totals(batch uint32) (s totals) {
	for _, e := range a.entries {
		reversed := e.undone && !voided(a, e)
		if e.batch == batch && e.approved && !reversed {
			s.add(e.kind, e.amount)
		}
	}
	return s
}

// voided tells whether a payment was undone by another one, which is counted too, and
// not taken back without a trace.
func voided(a *account, e *entry) bool {
	return slices.ContainsFunc(a.entries, func(v *entry) bool { return v.orig == e && v.approved && !v.undone })
}

// roll begins a new batch, which the next sign-in tells the terminal. Payments of the old
// one are refused; a sign-off is not.
func (a *account) roll() {
	a.closed = a.batch
	a.batch = a.batch%maxSTAN + 1
	clear(a.seen)
}

// effect is what a payment does to the balance of its card: -1 takes, 1 gives.
var effect = map[txn.Kind]int64{
	txn.Sale: -1, txn.Completion: -1, txn.PreAuth: -1, txn.Void: 1, txn.Refund: 1, txn.PreAuthVoid: 1, txn.CompletionVoid: 1,
}

// wants tells which payment each kind refers to.
var wants = map[txn.Kind]txn.Kind{
	txn.Void: txn.Sale, txn.Refund: txn.Sale, txn.PreAuthVoid: txn.PreAuth, txn.Completion: txn.PreAuth,
	txn.CompletionVoid: txn.Completion,
}

// completionPercent is how much of the money set aside may be taken: hotels may take
// somewhat more.
const completionPercent = 115

// original judges the payment that another one refers to, by response code.
func original(kind txn.Kind, amount int64, o *entry) string {
	switch {
	case o == nil || o.kind != wants[kind]:
		return "25"
	case !o.approved:
		return "12"
	case o.undone:
		return "25"
	case kind == txn.Refund && amount > o.left:
		return "64"
	case kind == txn.Completion && amount > o.amount*completionPercent/100:
		return "64"
	case kind != txn.Refund && kind != txn.Completion && amount != o.amount:
		return "64"
	}
	return "00"
}

// applyLocked books an approved payment: balances, and what became of its original.
func (h *Host) applyLocked(e *entry) {
	h.balances[e.card] += effect[e.kind] * e.amount
	if e.orig == nil {
		return
	}
	if e.kind == txn.Refund {
		e.orig.left -= e.amount
		return
	}
	e.orig.undone = true
	if e.kind == txn.Completion {
		h.balances[e.card] += e.orig.amount // no longer set aside
	}
}

// undoLocked takes an approved payment back.
func (h *Host) undoLocked(e *entry) {
	e.undone = true
	h.balances[e.card] -= effect[e.kind] * e.amount
	if e.orig == nil {
		return
	}
	if e.kind == txn.Refund {
		e.orig.left += e.amount
		return
	}
	e.orig.undone = false
	if e.kind == txn.Completion {
		h.balances[e.card] -= e.orig.amount
	}
}
