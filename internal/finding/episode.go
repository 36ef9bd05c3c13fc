// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"slices"
	"time"

	"github.com/tillmend/tillmend/internal/terminal"
	"github.com/tillmend/tillmend/internal/txn"
)

// memory is how far back an episode that is over still counts.
const memory = 24 * time.Hour

// episode is what the detectors look at: the state, and the failures that belong
// together.
type episode struct {
	s     *terminal.State
	now   time.Time
	loc   *time.Location
	all   []terminal.Exchange // all that are remembered, oldest first
	fails []terminal.Exchange // the failures of the episode, oldest first
	ended terminal.Millis     // when an approved payment ended it; 0 while it lasts
}

// episodeOf finds the failures since the last approved payment; if there are
// none, those before it.
func episodeOf(s *terminal.State, now time.Time) *episode {
	e := &episode{s: s, now: now, loc: s.Location()}
	for _, x := range s.Exchanges(nil) {
		if !x.Has(terminal.SecondAnswer) {
			e.all = append(e.all, x)
		}
	}
	e.fails, e.ended = e.run(len(e.all))
	if len(e.fails) == 0 {
		e.fails, e.ended = nil, 0
	}
	if e.ended != 0 && now.Sub(e.ended.Time(e.loc)) > memory {
		e.fails, e.ended = nil, 0
	}
	return e
}

// run gives the failures after the last approved payment before place end, or,
// when nothing failed since, those before that payment and the time of the first
// approved payment after them.
// A chore that went well later takes back its own failures.
func (e *episode) run(end int) (fails []terminal.Exchange, ended terminal.Millis) {
	var done [txn.BatchEnd + 1]bool
	defer func() { slices.Reverse(fails) }() // found last first
	for i := end - 1; i >= 0; i-- {
		x := e.all[i]
		switch {
		case done[x.Kind]:
		case served(&x) && len(fails) > 0:
			return fails, ended
		case served(&x):
			ended = x.At
		case failed(&x):
			fails = append(fails, x)
		case x.Outcome == txn.Approved && (x.Kind == txn.SignIn || x.Kind == txn.SignOff || x.Kind == txn.Settlement):
			done[x.Kind] = true
		case x.Outcome == txn.Approved && x.Kind == txn.BatchEnd:
			done[txn.Settlement] = true // the totals differed, and the batch was uploaded to its end
		}
	}
	return fails, ended
}

// served reports whether an exchange shows that money can be taken.
func served(x *terminal.Exchange) bool {
	return x.Kind.Financial() && x.Kind != txn.Balance && x.Outcome == txn.Approved
}

// failed reports whether an exchange is a failure. A batch upload that gets no
// approval is none: its answers differ between hosts.
func failed(x *terminal.Exchange) bool {
	return x.Outcome.Failed() && x.Kind != txn.BatchUpload || x.Kind == txn.Reversal && x.Mark&(terminal.NoAnswerReason|terminal.BadMACReason) != 0
}

// where gives the failures of the episode that pass a test.
func (e *episode) where(test func(*terminal.Exchange) bool) []terminal.Exchange {
	var list []terminal.Exchange
	for i := range e.fails {
		if test(&e.fails[i]) {
			list = append(list, e.fails[i])
		}
	}
	return list
}

// coded gives the failures with one of these response codes.
func (e *episode) coded(codes ...string) []terminal.Exchange {
	return e.where(func(x *terminal.Exchange) bool { return slices.Contains(codes, x.CodeString()) })
}

// payments gives the failures that are payments.
func (e *episode) payments() []terminal.Exchange {
	return e.where(func(x *terminal.Exchange) bool { return x.Kind.Financial() })
}

// of makes a finding from exchanges; it is over when the episode is. It gives
// nothing for no exchanges.
func (e *episode) of(kind Kind, list []terminal.Exchange) []Finding {
	if len(list) == 0 {
		return nil
	}
	f := Finding{Kind: kind, State: Present, Since: list[0].At.Time(e.loc), Count: len(list), Code: list[len(list)-1].CodeString()}
	for i := range list {
		f.Events = append(f.Events, list[i].Event)
	}
	if e.ended != 0 {
		f.State, f.Until = Absent, e.ended.Time(e.loc)
	}
	return []Finding{f}
}

// at makes a finding of a fact in the state.
func (e *episode) at(kind Kind, since terminal.Millis, count int, event terminal.EventID) []Finding {
	f := Finding{Kind: kind, State: Present, Since: since.Time(e.loc), Count: count}
	if event != 0 {
		f.Events = []terminal.EventID{event}
	}
	return []Finding{f}
}

// cards counts the distinct cards among exchanges, as far as they are known.
func cards(list []terminal.Exchange) int {
	return distinct(list, func(x *terminal.Exchange) uint32 { return uint32(x.Card) })
}

// issuers counts the distinct issuers among exchanges, as far as they are known.
func issuers(list []terminal.Exchange) int {
	return distinct(list, func(x *terminal.Exchange) uint32 { return x.Issuer })
}

func distinct(list []terminal.Exchange, key func(*terminal.Exchange) uint32) int {
	seen := make(map[uint32]bool, len(list))
	for i := range list {
		if k := key(&list[i]); k != 0 {
			seen[k] = true
		}
	}
	return len(seen)
}
