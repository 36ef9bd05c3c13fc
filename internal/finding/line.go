// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"fmt"
	"time"

	"github.com/tillmend/tillmend/internal/terminal"
	"github.com/tillmend/tillmend/internal/txn"
)

// lines: connections that end before they bring a message.
func lines(e *episode) []Finding {
	n := &e.s.Line
	if n.Failures == 0 || n.Failures < silentFrom && lineKind(n.Kind) == LinkSilent {
		return nil
	}
	f := e.at(lineKind(n.Kind), n.FailedAt, int(n.Failures), n.Event)
	f[0].Detail = n.Kind.String()
	return f
}

// silentFrom is the number of silent connections in a row from which they count: a
// single one may be a probe, or a payment that was called off.
const silentFrom = 2

func lineKind(k txn.LinkKind) Kind {
	switch k {
	case txn.LinkReset:
		return LinkReset
	case txn.LinkTLSAlert:
		return LinkTLS
	case txn.LinkRefused, txn.LinkOverloaded:
		return LinkRefused
	case txn.LinkHostRefused, txn.LinkHostReset, txn.LinkHostTimeout, txn.LinkHostTLSAlert:
		return HostUnreachable
	case txn.LinkOpen, txn.LinkClose, txn.LinkTimeout, txn.LinkEOF:
	}
	return LinkSilent
}

// silentBelow is the probability of so long a silence by the terminal's own
// rhythm from which it counts: one false alarm in a hundred such absences.
const silentBelow = 0.01

// silence: nothing was heard for so long that it is not the terminal's habit.
func silence(e *episode) []Finding {
	odds, known := e.s.SilenceOdds(e.now)
	if !known || odds >= silentBelow {
		return nil
	}
	f := e.at(Silent, e.s.Last, 1, e.s.Served)
	f[0].Detail = fmt.Sprintf("%s, p=%.2g", e.now.Sub(e.s.Last.Time(e.loc)).Round(time.Minute), odds)
	return f
}

// parts in the order of [txn.Part], with what to call a fault of each.
var parts = []struct {
	part txn.Part
	kind Kind
}{
	{txn.PINPad, HardPINPad},
	{txn.CardReader, HardReader},
	{txn.Printer, HardPrinter},
	{txn.Keyboard, HardKeyboard},
	{txn.Display, HardDisplay},
}

// hardware: what the terminal says of itself in a status upload.
func hardware(e *episode) []Finding {
	var list []Finding
	for _, p := range parts {
		if e.s.Hardware.Faulty&p.part != 0 {
			list = append(list, e.at(p.kind, e.s.HardAt, 1, e.s.HardID)...)
		}
	}
	return list
}

// history: whether this terminal takes money, and ever did.
func history(e *episode) []Finding {
	s := e.s
	var list []Finding
	switch {
	case s.Approved == 0 && s.Payments > 0:
		list = e.at(NeverTraded, s.First, int(s.Payments), 0)
	case s.Approved > 0:
		list = e.at(TradedBefore, s.Approval, int(s.Approved), 0)
	}
	if s.Approved > 0 && s.Failing == 0 {
		list = append(list, e.at(Trading, s.Approval, 1, lastServed(e))...)
	}
	return list
}

func lastServed(e *episode) terminal.EventID {
	for i := len(e.all) - 1; i >= 0; i-- {
		if served(&e.all[i]) {
			return e.all[i].Event
		}
	}
	return 0
}
