// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"maps"
	"slices"
	"time"

	"github.com/tillmend/tillmend/internal/txn"
)

// Fault is something that a host does wrong, or does to somebody on purpose. The
// first fields say to whom, an empty one means everybody; the others say what, and
// may be combined.
type Fault struct {
	// Terminal, Merchant and BIN (first six digits of the card) say whom it meets.
	Terminal, Merchant, BIN string
	// Kinds are the messages that it meets; none: all.
	Kinds []txn.Kind

	// Code is the response code instead of the true one; nothing is booked then.
	Code string
	// Silent makes the host do its work and not answer; it keeps the connection open.
	Silent bool
	// Drop makes the host do its work and end the connection instead of answering.
	Drop bool
	// Reset is Drop with a TCP reset.
	Reset bool
	// Delay is waited before the answer.
	Delay time.Duration
	// WrongMAC spoils the MAC of the answer.
	WrongMAC bool
	// Order is asked for in the header of the answer: 1 parameters, 2 status, 3 sign-in,
	// 4 public keys, 5 chip parameters, 6 software.
	Order uint8
	// Unbalanced makes the host find that settlement totals differ.
	Unbalanced bool
}

// meets tells whether the fault applies.
func (f *Fault) meets(tid, mid, bin string, kind txn.Kind) bool {
	return (f.Terminal == "" || f.Terminal == tid) && (f.Merchant == "" || f.Merchant == mid) &&
		(f.BIN == "" || f.BIN == bin) && (len(f.Kinds) == 0 || slices.Contains(f.Kinds, kind))
}

// payments are the kinds of messages that a card is used for.
var payments = []txn.Kind{
	txn.Balance, txn.Sale, txn.Void, txn.Refund, txn.PreAuth, txn.PreAuthVoid, txn.Completion, txn.CompletionVoid,
}

// merge adds what another fault does.
func (f *Fault) merge(g *Fault) {
	if f.Code == "" {
		f.Code = g.Code
	}
	f.Silent = f.Silent || g.Silent
	f.Drop = f.Drop || g.Drop
	f.Reset = f.Reset || g.Reset
	f.Delay += g.Delay
	f.WrongMAC = f.WrongMAC || g.WrongMAC
	f.Order = max(f.Order, g.Order)
	f.Unbalanced = f.Unbalanced || g.Unbalanced
}

// SetFault brings a fault in under a name, in place of one of the same name. It takes
// effect with the next message.
func (h *Host) SetFault(name string, f Fault) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f.Kinds = slices.Clone(f.Kinds)
	h.faults[name] = f
}

// ClearFault takes a fault away; a name that is not there does nothing.
func (h *Host) ClearFault(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.faults, name)
}

// Faults gives the faults in force by name, as a copy.
func (h *Host) Faults() map[string]Fault {
	h.mu.Lock()
	defer h.mu.Unlock()
	return maps.Clone(h.faults)
}

// faultLocked gives all that goes wrong with one message, in the order of the names.
func (h *Host) faultLocked(tid, mid, bin string, kind txn.Kind) Fault {
	var sum Fault
	for _, name := range slices.Sorted(maps.Keys(h.faults)) {
		if f := h.faults[name]; f.meets(tid, mid, bin, kind) {
			sum.merge(&f)
		}
	}
	return sum
}
