// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"fmt"
	"time"

	"github.com/tillmend/tillmend/internal/terminal"
	"github.com/tillmend/tillmend/internal/txn"
)

const (
	// stuckAfter is the number of tries from which a reversal is stuck that the
	// host answers and does not take.
	stuckAfter = 2
	// givenUpAfter is the number of tries after which terminals give up by default,
	// and refuse to sell.
	givenUpAfter = 3
	// journalLimit is how many payments a terminal keeps before it wants to be
	// settled; 500 is the usual default.
	journalLimit = 500
	// journalWarning leaves a shop a day to settle in its own time.
	journalWarning = 450
	// journalSlack is how far above the limit a count may be wrong.
	journalSlack = 10
	// choresAlone is the number of management requests without any payment from
	// which a terminal seems to refuse to sell.
	choresAlone = 5
	// quietHours is for how long there must have been no payment.
	quietHours = 2 * time.Hour
)

// reversals: a reversal that the host does not take stops all further payments.
func reversals(e *episode) []Finding {
	r := &e.s.Reversal
	if !r.Open {
		return nil
	}
	f := e.at(ReversalPending, r.Since, int(r.Tries), 0)
	f[0].Detail = fmt.Sprintf("%06d", r.STAN)
	for i := range e.all {
		if x := &e.all[i]; x.Kind == txn.Reversal && x.STAN == r.STAN {
			f[0].Events = append(f[0].Events, x.Event)
			f[0].Code = x.CodeString()
		}
	}
	if r.Tries >= stuckAfter && f[0].Code != "" || r.Tries >= givenUpAfter {
		f[0].Kind = ReversalStuck // the host answers and does not take it, or the terminal has given up
	}
	return f
}

// answersLost: the answer was passed on and the terminal says it got none.
func answersLost(e *episode) []Finding {
	return e.of(AnswersLost, e.where(func(x *terminal.Exchange) bool { return x.Has(terminal.WasForwarded) }))
}

// noAnswers: the host did not answer, and whether it has answered since.
func noAnswers(e *episode) []Finding {
	list := e.where(func(x *terminal.Exchange) bool {
		return x.Kind != txn.Reversal && (x.Outcome == txn.TimedOut || x.Outcome == txn.Unanswered)
	})
	if len(list) == 0 {
		return nil
	}
	out := e.of(HostNoAnswer, list)
	last := list[len(list)-1].At
	var since []terminal.Exchange
	for _, x := range e.all {
		if x.At > last && (x.Outcome == txn.Approved || x.Outcome == txn.Declined) {
			since = append(since, x)
		}
	}
	return append(out, e.of(HostAnswers, since)...)
}

// related: a void, refund or completion that does not find its payment.
func related(e *episode) []Finding {
	var unknown, amount []terminal.Exchange
	for _, x := range e.fails {
		if !x.Kind.Related() {
			continue
		}
		switch x.CodeString() {
		case "25", "22", "12", "26", "21":
			unknown = append(unknown, x)
		case "64":
			amount = append(amount, x)
		}
	}
	return append(e.of(OriginalNotFound, unknown), e.of(OriginalAmount, amount)...)
}

// stanReused: a trace number used twice.
func stanReused(e *episode) []Finding {
	return e.of(STANReused, e.where(func(x *terminal.Exchange) bool {
		return x.CodeString() == "94" && x.Has(terminal.STANReused)
	}))
}

// settlement: a settlement that was not brought to its end stops the terminal.
func settlement(e *episode) []Finding {
	c := &e.s.Closing
	switch c.Phase {
	case terminal.Unbalanced:
		return e.at(SettleUnbalanced, c.At, 1, c.Event)
	case terminal.Asked, terminal.Uploading:
		return e.at(SettleUnfinished, c.At, 1, c.Event)
	case terminal.NeverSettled, terminal.Settled:
	}
	return nil
}

// journal: how full the terminal's memory of payments is.
func journal(e *episode) []Finding {
	n := int(e.s.Journal)
	kind := JournalNearlyFull
	switch {
	case n < journalWarning, n > journalLimit+journalSlack: // it goes on selling: its limit is another
		return nil
	case n >= journalLimit:
		kind = JournalFull
	}
	f := e.at(kind, e.s.Approval, n, 0)
	f[0].Detail = fmt.Sprintf("%d/%d", n, journalLimit)
	return f
}

// noPayments: management messages only. What a terminal refuses by itself never
// reaches the wire; it shows as the absence of payments.
func noPayments(e *episode) []Finding {
	s := e.s
	if s.Chores < choresAlone || s.Payment == 0 && s.Approved > 0 {
		return nil
	}
	since := max(s.Payment, s.ChoresSince)
	if s.Last-since < terminal.Millis(quietHours/time.Millisecond) {
		return nil
	}
	return e.at(NoPayments, since, int(s.Chores), 0)
}
