// SPDX-License-Identifier: Apache-2.0

package console

import (
	"slices"

	"github.com/tillmend/tillmend/internal/terminal"
	"github.com/tillmend/tillmend/internal/txn"
)

// doubt is a payment of which nobody at the counter can say whether it was made.
type doubt struct {
	What string
	URL  string // of the record that shows it
}

// unclear is a payment under examination by doubts.
type unclear struct {
	x        terminal.Exchange
	late     bool // the host approved it after the terminal gave up
	reversal int  // reversals that the host did not take
}

// doubts finds the payments among the remembered exchanges whose outcome is not
// known at the counter, newest first: unanswered ones that no reversal has
// settled, and reversals that the host has not taken. The customer must not be
// charged again for any of them before it is known.
func (t *tongue) doubts(s *terminal.State) []doubt {
	open := map[uint32]*unclear{}
	paid := map[uint32]terminal.Exchange{}
	for _, x := range s.Exchanges(nil) {
		switch {
		case x.Kind == txn.Reversal:
			reversed(open, paid, &x)
		case !x.Kind.Financial() || x.Kind == txn.Balance:
		case x.Has(terminal.SecondAnswer):
			if u := open[x.STAN]; u != nil && x.Outcome == txn.Approved {
				u.late = true
			}
		case x.Outcome == txn.TimedOut || x.Outcome == txn.Unanswered || x.Outcome == txn.Malformed:
			open[x.STAN] = &unclear{x: x}
		default:
			delete(open, x.STAN)
			paid[x.STAN] = x
		}
	}
	list := make([]*unclear, 0, len(open))
	for _, u := range open {
		list = append(list, u)
	}
	slices.SortFunc(list, func(a, b *unclear) int { return int(b.x.At - a.x.At) })
	out := make([]doubt, 0, len(list))
	for _, u := range list {
		out = append(out, t.doubt(u, s))
	}
	return out
}

// reversed takes a reversal into account: taken, it settles its payment.
func reversed(open map[uint32]*unclear, paid map[uint32]terminal.Exchange, x *terminal.Exchange) {
	if x.Outcome == txn.Approved {
		delete(open, x.STAN)
		return
	}
	u := open[x.STAN]
	if u == nil {
		u = &unclear{x: *x}
		if p, ok := paid[x.STAN]; ok {
			u.x = p
		}
		open[x.STAN] = u
	}
	u.reversal++
}

func (t *tongue) doubt(u *unclear, s *terminal.State) doubt {
	at := u.x.At.Time(s.Location()).Format("15:04:05")
	amount := t.T("doubt.noamount")
	if u.x.Amount > 0 {
		amount = money(int64(u.x.Amount))
	}
	args := []any{"Time", at, "Amount", amount, "STAN", sixDigits(u.x.STAN), "N", u.reversal}
	text := t.T("doubt.unanswered", args...)
	switch {
	case u.late:
		text = t.T("doubt.late", args...)
	case u.reversal > 0:
		text = t.T("doubt.reversal", args...)
	}
	return doubt{text, eventURL(u.x.Event)}
}
