// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"fmt"
	"time"

	"github.com/tillmend/tillmend/internal/terminal"
	"github.com/tillmend/tillmend/internal/txn"
)

// registration: the host knows the merchant or the terminal and will not serve
// it, or does not know it. That is so only if nothing else is answered.
func registration(e *episode) []Finding {
	var list []Finding
	list = append(list, e.of(MerchantRejected, e.coded("03"))...)
	list = append(list, e.of(TerminalRejected, e.coded("97"))...)
	return append(list, e.of(TerminalForbidden, e.coded("58"))...)
}

// formatRejected: 30, and whether the terminal's messages have changed.
func formatRejected(e *episode) []Finding {
	list := e.coded("30")
	var changed []terminal.Exchange
	for _, x := range list {
		if x.Has(terminal.LayoutChanged) {
			changed = append(changed, x)
		}
	}
	if len(changed) > 0 {
		return e.of(FormatChanged, changed)
	}
	return e.of(FormatRejected, list)
}

// ignoredAfter is the number of exchanges in which a terminal may do something
// else first before it counts as not doing what the host asked for.
const ignoredAfter = 2

// hostWishes: what the host asks the terminal to do, by code or in the header.
func hostWishes(e *episode) []Finding {
	list := e.of(DownloadRequired, e.coded("78"))
	if w := &e.s.Wish; w.Order != 0 && w.Ignored >= ignoredAfter {
		f := e.at(HostOrderIgnored, w.Since, int(w.Ignored), w.Event)
		f[0].Detail = fmt.Sprintf("%d", w.Order)
		list = append(list, f...)
	}
	return list
}

// limits: an amount or count limit that several cards meet is the merchant's.
func limits(e *episode) []Finding {
	list := e.coded("61", "65")
	if cards(list) < 2 {
		return nil
	}
	return e.of(LimitManyCards, list)
}

// cutover: the host changes its date.
func cutover(e *episode) []Finding {
	return e.of(DateCutover, e.coded("90"))
}

// unreadable: frames that do not hold what they say they hold.
func unreadable(e *episode) []Finding {
	return e.of(Unreadable, e.where(func(x *terminal.Exchange) bool { return x.Outcome == txn.Malformed }))
}

// testMode: the header says that this is a test or a training.
func testMode(e *episode) []Finding {
	if !e.s.Test {
		return nil
	}
	return e.at(TestMode, e.s.Last, 1, e.s.Served)
}

// clockOff: the terminal's clock is not the host's.
func clockOff(e *episode) []Finding {
	if !e.s.ClockIsOff() {
		return nil
	}
	var list []terminal.Exchange
	for _, x := range e.all {
		if x.Has(terminal.ClockDiffers) {
			list = append(list, x)
		}
	}
	f := e.of(ClockOff, list)
	if f != nil {
		f[0].State, f[0].Until, f[0].Detail = Present, time.Time{}, fmt.Sprintf("%+d min", e.s.ClockOff)
	}
	return f
}
