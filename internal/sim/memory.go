// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"slices"

	"github.com/tillmend/tillmend/internal/txn"
)

// Memory is what a terminal keeps over a loss of power.
type Memory struct {
	STAN     uint32  // last trace number used
	Batch    uint32  // batch of the last sign-in
	SignedIn string  // day of the last sign-in, YYYY-MM-DD; empty: none that holds
	Halted   bool    // a settlement was begun and not ended
	Pending  *Record // a payment that must be reversed; nil: none
	Reason   string  // why, field 39 of the reversal
	Journal  []Record
}

// Record is one payment as a terminal keeps it.
type Record struct {
	Kind     txn.Kind
	STAN     uint32
	Batch    uint32
	Amount   int64 // minor units
	Card     Card
	Entry    Entry
	RRN      string
	AuthCode string
	Date     string // the host's date, MMDD
	Voided   bool
}

func (m Memory) clone() Memory {
	m.Journal = slices.Clone(m.Journal)
	if m.Pending != nil {
		p := *m.Pending
		m.Pending = &p
	}
	return m
}

// find gives the approved payment with this trace number; nil if it is not there.
func (m *Memory) find(stan uint32) *Record {
	for i := range m.Journal {
		if m.Journal[i].STAN == stan {
			return &m.Journal[i]
		}
	}
	return nil
}

// totals are the sums that terminal and host compare at settlement.
type totals struct {
	debit, credit   int64
	debits, credits int
}

// add counts one payment. What was voided stays in both sums.
func (s *totals) add(kind txn.Kind, amount int64) {
	if slices.Contains([]txn.Kind{txn.Sale, txn.Completion}, kind) {
		s.debit += amount
		s.debits++
	}
	if slices.Contains([]txn.Kind{txn.Void, txn.Refund, txn.CompletionVoid}, kind) {
		s.credit += amount
		s.credits++
	}
}

// totals sums the journal up.
func (m *Memory) totals() (s totals) {
	for i := range m.Journal {
		s.add(m.Journal[i].Kind, m.Journal[i].Amount)
	}
	return s
}
