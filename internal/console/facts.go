// SPDX-License-Identifier: Apache-2.0

package console

import (
	"fmt"
	"strings"
	"time"

	"github.com/tillmend/tillmend/internal/terminal"
	"github.com/tillmend/tillmend/internal/txn"
)

// fact is one line of what a terminal is now.
type fact struct {
	Name  string
	Value string
	At    Stamp
	URL   string // of the record that says so, if one does
	Bad   bool
}

// facts gives what is known of a terminal from its own traffic.
func (t *tongue) facts(s *terminal.State, now time.Time) []fact {
	at := func(m terminal.Millis) Stamp { return stamp(m.Time(s.Location()), now) }
	list := []fact{
		t.sessionFact(s, at),
		t.batchFact(s),
		t.fact("stan", sixDigits(s.STAN)),
		t.fact("journal", t.T("fact.journal.value", "N", int(s.Journal))),
		t.reversalFact(&s.Reversal, at),
		t.closingFact(&s.Closing, at),
		t.lineFact(&s.Line, at),
		t.wishFact(&s.Wish, at),
		t.clockFact(s.ClockOff),
		t.hardwareFact(s, at),
		t.fact("addresses", addresses(s)),
		t.fact("payments", t.T("fact.payments.value", "Approved", thousands(uint64(s.Approved)), "All", thousands(uint64(s.Payments)))),
	}
	paid, first := t.fact("paid", ""), t.fact("first", "")
	paid.At, first.At = at(s.Approval), at(s.First)
	return append(list, paid, first)
}

func (t *tongue) fact(key, value string) fact { return fact{Name: t.T("fact." + key), Value: value} }

// recordURL gives the address of an event; empty for none.
func recordURL(id terminal.EventID) string {
	if id == 0 {
		return ""
	}
	return eventURL(id)
}

// sessions are the keys of the states of a session.
var sessions = [...]string{terminal.SessionUnknown: "unknown", terminal.SessionOpen: "open", terminal.SessionClosed: "closed"}

func (t *tongue) sessionFact(s *terminal.State, at func(terminal.Millis) Stamp) fact {
	n := &s.Session
	f := t.fact("session", t.T("session."+sessions[n.State]))
	f.At, f.URL = at(n.At), recordURL(n.Event)
	if n.Refused > 0 {
		f.Value += t.T("fact.comma") + t.T("fact.session.refused", "N", int(n.Refused))
		f.Bad = true
	}
	if n.KeyBytes > 0 {
		f.Value += t.T("fact.comma") + t.T("fact.session.keys", "N", int(n.KeyBytes))
	}
	return f
}

func (t *tongue) batchFact(s *terminal.State) fact {
	f := t.fact("batch", sixDigits(s.Session.Batch))
	if s.Session.Before != 0 {
		f.Value += t.T("fact.comma") + t.T("fact.batch.before", "Batch", sixDigits(s.Session.Before))
	}
	return f
}

func (t *tongue) reversalFact(r *terminal.Undone, at func(terminal.Millis) Stamp) fact {
	f := t.fact("reversal", t.T("fact.none"))
	if r.Open {
		f.Value = t.T("fact.reversal.open", "STAN", sixDigits(r.STAN), "N", int(r.Tries))
		f.At, f.URL, f.Bad = at(r.Since), recordURL(r.Event), true
	}
	return f
}

// phases are the keys of the phases of settlement.
var phases = [...]string{
	terminal.NeverSettled: "never", terminal.Asked: "asked", terminal.Unbalanced: "unbalanced", terminal.Uploading: "uploading",
	terminal.Settled: "settled",
}

func (t *tongue) closingFact(c *terminal.Closing, at func(terminal.Millis) Stamp) fact {
	f := t.fact("settlement", t.T("phase."+phases[c.Phase]))
	f.At, f.URL = at(c.At), recordURL(c.Event)
	f.Bad = c.Phase == terminal.Unbalanced
	return f
}

func (t *tongue) lineFact(n *terminal.Line, at func(terminal.Millis) Stamp) fact {
	key := "down"
	if n.Up {
		key = "up"
	}
	f := t.fact("line", t.T("line."+key))
	f.At, f.URL = at(n.Since), recordURL(n.Event)
	if n.Failures > 0 {
		f.Value += t.T("fact.comma") + t.T("fact.line.failures", "N", int(n.Failures), "Kind", t.T("link."+n.Kind.String()))
		f.At, f.Bad = at(n.FailedAt), true
	}
	return f
}

func (t *tongue) wishFact(w *terminal.Wish, at func(terminal.Millis) Stamp) fact {
	f := t.fact("wish", t.T("fact.none"))
	if w.Order != 0 {
		f.Value = t.T("order." + fmt.Sprint(w.Order))
		if w.Ignored > 0 {
			f.Value += t.T("fact.comma") + t.T("fact.wish.ignored", "N", int(w.Ignored))
		}
		f.At, f.URL = at(w.Since), recordURL(w.Event)
	}
	return f
}

func (t *tongue) clockFact(off int16) fact {
	if off == 0 {
		return t.fact("clock", t.T("fact.clock.same"))
	}
	key, d := "fact.clock.ahead", time.Duration(off)*time.Minute
	if off < 0 {
		key, d = "fact.clock.behind", -d
	}
	return t.fact("clock", t.T(key, "Time", t.duration(d)))
}

// hardwareParts are the parts of a terminal with their keys.
var hardwareParts = []struct {
	part txn.Part
	key  string
}{
	{txn.Keyboard, "keyboard"},
	{txn.PINPad, "pin_pad"},
	{txn.CardReader, "card_reader"},
	{txn.Printer, "printer"},
	{txn.Display, "display"},
}

// hardware says what a terminal reported of its parts.
func (t *tongue) hardware(h txn.Hardware) string {
	var faulty []string
	for _, p := range hardwareParts {
		if h.Faulty&p.part != 0 {
			faulty = append(faulty, t.T("part."+p.key))
		}
	}
	switch {
	case len(faulty) > 0:
		return t.T("fact.hardware.faulty", "Parts", t.list(faulty))
	case h.Known != 0:
		return t.T("fact.hardware.good")
	}
	return t.T("fact.hardware.unknown")
}

func (t *tongue) hardwareFact(s *terminal.State, at func(terminal.Millis) Stamp) fact {
	f := t.fact("hardware", t.hardware(s.Hardware))
	f.At, f.URL, f.Bad = at(s.HardAt), recordURL(s.HardID), s.Hardware.Faulty != 0
	return f
}

// addresses are those from which the terminal's number was used last.
func addresses(s *terminal.State) string {
	var list []string
	for i := range s.Devices {
		if d := &s.Devices[i]; d.Uses > 0 {
			list = append(list, fmt.Sprintf("%s (%d)", d.Now, d.Uses))
		}
	}
	return strings.Join(list, ", ")
}
