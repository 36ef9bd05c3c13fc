// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/tillmend/tillmend/internal/estate"
	"github.com/tillmend/tillmend/internal/terminal"
	"github.com/tillmend/tillmend/internal/txn"
)

const (
	// surveyWindow is how recent an exchange must be to count for a scope.
	surveyWindow = 15 * time.Minute
	// manyTerminals is the number of terminals from which a failure is shared.
	manyTerminals = 3
	// mostShare is the share of a scope's terminals that must fail together.
	mostShare = 0.5
)

// Scopes is the result of a survey: what is wrong on sets of terminals, ready to
// be looked up for each of them.
type Scopes struct {
	now       time.Time
	issuers   map[uint32]*tally
	merchants map[[15]byte]*tally
	all       tally
}

// tally counts the terminals of a scope.
type tally struct {
	failing, served             int // terminals
	slow, system                int // of those failing: without answer, with system errors
	format, cutover             int
	since                       terminal.Millis
	firstSlow, firstSys, firstF terminal.EventID
}

// Survey looks at many terminals at once, at time now.
func Survey(states iter.Seq2[estate.TerminalID, *terminal.State], now time.Time) *Scopes {
	sc := &Scopes{now: now, issuers: map[uint32]*tally{}, merchants: map[[15]byte]*tally{}}
	var buf [terminal.Recent]terminal.Exchange
	for _, s := range states {
		if now.Sub(s.Last.Time(time.UTC)) > surveyWindow {
			continue
		}
		sc.count(s, s.Exchanges(buf[:0]))
	}
	return sc
}

// outcome is what a terminal's recent exchanges say of one scope.
type outcome struct {
	served, failed, slow, system, format, cutover bool
	first                                         terminal.Exchange
}

func (o *outcome) add(x *terminal.Exchange) {
	if served(x) {
		*o = outcome{served: true} // what failed before is over
		return
	}
	if !x.Outcome.Failed() {
		return
	}
	if !o.failed {
		o.first = *x
	}
	o.failed, o.served = true, false
	switch x.CodeString() {
	case "06", "91", "92", "96", "98", "68":
		o.system = true
	case "30":
		o.format = true
	case "90":
		o.cutover = true
	case "":
		o.slow = o.slow || x.Outcome == txn.TimedOut || x.Outcome == txn.Unanswered
	}
}

func (sc *Scopes) count(s *terminal.State, list []terminal.Exchange) {
	var whole outcome
	byIssuer := map[uint32]*outcome{}
	for i := range list {
		x := &list[i]
		if x.Has(terminal.SecondAnswer) || sc.now.Sub(x.At.Time(time.UTC)) > surveyWindow {
			continue
		}
		whole.add(x)
		if x.Issuer != 0 {
			o := byIssuer[x.Issuer]
			if o == nil {
				o = &outcome{}
				byIssuer[x.Issuer] = o
			}
			o.add(x)
		}
	}
	sc.all.take(&whole)
	at(sc.merchants, s.Merchant).take(&whole)
	for issuer, o := range byIssuer {
		at(sc.issuers, issuer).take(o)
	}
}

// at gives the tally under a key, made when first asked for.
func at[K comparable](m map[K]*tally, key K) *tally {
	t := m[key]
	if t == nil {
		t = &tally{}
		m[key] = t
	}
	return t
}

func (t *tally) take(o *outcome) {
	if o.served {
		t.served++
	}
	if !o.failed {
		return
	}
	t.failing++
	if t.since == 0 || o.first.At < t.since {
		t.since = o.first.At
	}
	t.slow += mark(o.slow, &t.firstSlow, o.first.Event)
	t.system += mark(o.system, &t.firstSys, o.first.Event)
	t.format += mark(o.format, &t.firstF, o.first.Event)
	t.cutover += mark(o.cutover, &t.firstF, o.first.Event)
}

// mark counts one if it is so, and keeps the earliest event.
func mark(is bool, first *terminal.EventID, event terminal.EventID) int {
	if !is {
		return 0
	}
	if *first == 0 || event < *first {
		*first = event
	}
	return 1
}

// shared reports whether n terminals of a scope are many and most of them.
func (t *tally) shared(n int) bool {
	return n >= manyTerminals && float64(n) >= mostShare*float64(t.failing+t.served)
}

// For gives the scope findings that bear on one terminal.
func (sc *Scopes) For(s *terminal.State) []Finding {
	if sc == nil {
		return nil
	}
	var list []Finding
	add := func(kind Kind, t *tally, count int, event terminal.EventID, detail string) {
		f := Finding{Kind: kind, State: Present, Shared: true, Since: t.since.Time(s.Location()), Count: count, Detail: detail}
		if event != 0 {
			f.Events = []terminal.EventID{event}
		}
		list = append(list, f)
	}
	all := &sc.all
	if all.shared(all.slow) {
		add(HostSlow, all, all.slow, all.firstSlow, "")
	}
	if issuer, t := sc.sickIssuer(s); t != nil {
		add(IssuerDown, t, t.system+t.slow, t.firstSys, fmt.Sprintf("%06d", issuer))
	} else if all.shared(all.system) {
		add(HostErrors, all, all.system, all.firstSys, "")
	}
	if all.shared(all.format) {
		add(ManyFormatRejected, all, all.format, all.firstF, "")
	}
	if all.shared(all.cutover) {
		add(ManyCutover, all, all.cutover, all.firstF, "")
	}
	return append(list, sc.shop(s)...)
}

// sickIssuer gives the issuer of the terminal's last failure, if its cards fail
// on many terminals while other issuers' cards go through.
func (sc *Scopes) sickIssuer(s *terminal.State) (uint32, *tally) {
	e := episodeOf(s, sc.now)
	for _, x := range slices.Backward(e.fails) {
		issuer := x.Issuer
		t := sc.issuers[issuer]
		if issuer == 0 || t == nil {
			continue
		}
		healthy := 0
		for other, o := range sc.issuers {
			if other != issuer && o.served > 0 {
				healthy++
			}
		}
		if t.shared(t.system+t.slow) && healthy > 0 {
			return issuer, t
		}
	}
	return 0, nil
}

// shop says whether the merchant's other terminals, and other merchants', trade.
func (sc *Scopes) shop(s *terminal.State) []Finding {
	t := sc.merchants[s.Merchant]
	if t == nil || s.Failing == 0 && s.Session.Refused == 0 {
		return nil
	}
	var list []Finding
	add := func(kind Kind, count int) {
		list = append(list, Finding{Kind: kind, State: Present, Shared: true, Since: t.since.Time(s.Location()), Count: count})
	}
	switch {
	case t.failing >= 2 && t.served == 0:
		add(WholeShop, t.failing)
	case t.served > 0:
		add(OnlyThisTerminal, t.served)
	}
	if others := sc.all.served - t.served; others > 0 {
		add(OthersTrade, others)
	}
	return list
}
