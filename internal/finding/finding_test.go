// SPDX-License-Identifier: Apache-2.0

package finding_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/tillmend/tillmend/internal/estate"
	"github.com/tillmend/tillmend/internal/finding"
	"github.com/tillmend/tillmend/internal/knowledge"
	"github.com/tillmend/tillmend/internal/terminal"
	"github.com/tillmend/tillmend/internal/txn"
)

var start = time.Date(2026, 6, 3, 10, 0, 0, 0, time.FixedZone("", 8*3600))

// TestEveryKindIsKnown: the knowledge base says of every kind what it speaks for,
// and speaks of no other kind.
func TestEveryKindIsKnown(t *testing.T) {
	b, err := knowledge.Default()
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range finding.Kinds {
		if _, ok := b.About(string(k)); !ok {
			t.Errorf("%s: the knowledge base does not say what it speaks for", k)
		}
	}
	for _, e := range b.Evidence {
		if !slices.Contains(finding.Kinds, finding.Kind(e.Finding)) {
			t.Errorf("%s: the knowledge base speaks of a kind that is never found", e.Finding)
		}
	}
	if n := len(slices.Compact(slices.Sorted(slices.Values(finding.Kinds)))); n != len(finding.Kinds) {
		t.Errorf("%d kinds, %d of them different", len(finding.Kinds), n)
	}
}

// attempt plays one attempt on a state.
func attempt(s *terminal.State, id int, after time.Duration, change func(*txn.Attempt)) {
	a := txn.Attempt{
		At: start.Add(after), Terminal: "T0000001", Peer: "10.0.0.7:1", Kind: txn.Sale, Outcome: txn.Approved, Code: "00",
		STAN: uint32(id), Amount: 100, CardNo: 1, Issuer: "620000", Batch: 1,
	}
	change(&a)
	s.Apply(&terminal.Event{ID: terminal.EventID(id), Terminal: "T0000001", Attempt: &a})
}

func decline(code string, card uint16) func(*txn.Attempt) {
	return func(a *txn.Attempt) { a.Outcome, a.Code, a.CardNo = txn.Declined, code, card }
}

func kinds(list []finding.Finding, state finding.Presence) []finding.Kind {
	var out []finding.Kind
	for i := range list {
		if list[i].State == state {
			out = append(out, list[i].Kind)
		}
	}
	return out
}

// TestEpisodeEnds: what failed is present until a payment goes through, and over
// after it, with the time when it ended; a day later it is forgotten.
func TestEpisodeEnds(t *testing.T) {
	var s terminal.State
	attempt(&s, 1, 0, decline("91", 1))
	attempt(&s, 2, time.Minute, decline("91", 2))
	list := finding.Detect(&s, start.Add(2*time.Minute))
	for _, k := range []finding.Kind{finding.AllCards, finding.DeclinedWithCode, finding.NeverTraded} {
		if !finding.Has(list, k) {
			t.Errorf("%s is not present: %v", k, kinds(list, finding.Present))
		}
	}
	attempt(&s, 3, 3*time.Minute, func(*txn.Attempt) {})
	list = finding.Detect(&s, start.Add(4*time.Minute))
	if !finding.Has(list, finding.Trading) || finding.Has(list, finding.DeclinedWithCode) {
		t.Errorf("after an approved payment: %v", kinds(list, finding.Present))
	}
	i := slices.IndexFunc(list, func(f finding.Finding) bool { return f.Kind == finding.DeclinedWithCode })
	if i < 0 || !list[i].Over() || !list[i].Until.Equal(start.Add(3*time.Minute)) || list[i].Count != 2 {
		t.Errorf("the episode that is over: %+v", list)
	}
	list = finding.Detect(&s, start.Add(25*time.Hour))
	if slices.ContainsFunc(list, func(f finding.Finding) bool { return f.Kind == finding.DeclinedWithCode }) {
		t.Error("yesterday's episode is not forgotten")
	}
}

// TestEveryFindingCitesItsEvents: findings about payments name the events they
// come from, and these are the events of the episode.
func TestEveryFindingCitesItsEvents(t *testing.T) {
	var s terminal.State
	attempt(&s, 1, 0, func(*txn.Attempt) {})
	attempt(&s, 2, time.Minute, decline("55", 1))
	attempt(&s, 3, 2*time.Minute, decline("55", 2))
	attempt(&s, 4, 3*time.Minute, decline("99", 3))
	for _, f := range finding.Detect(&s, start.Add(4*time.Minute)) {
		if f.Kind == finding.PINManyCards && (!slices.Equal(f.Events, []terminal.EventID{2, 3, 4}) || f.Count != 3 || !f.Since.Equal(start.Add(time.Minute))) {
			t.Errorf("%+v", f)
		}
		if f.Kind == finding.DeclinedWithCode && f.Code == "55" && !slices.Equal(f.Events, []terminal.EventID{2, 3}) {
			t.Errorf("%+v", f)
		}
	}
}

// TestJournalFills: a terminal that is never settled is warned of before it stops.
func TestJournalFills(t *testing.T) {
	var s terminal.State
	attempt(&s, 1, 0, func(a *txn.Attempt) { a.Kind, a.HostBatch = txn.SignIn, 1 })
	for i := range 500 {
		attempt(&s, i+2, time.Duration(i)*time.Minute, func(*txn.Attempt) {})
		list := finding.Detect(&s, start.Add(time.Duration(i)*time.Minute))
		n := i + 1
		if got, want := finding.Has(list, finding.JournalNearlyFull), n >= 450 && n < 500; got != want {
			t.Fatalf("%d payments: nearly full is %v", n, got)
		}
		if got, want := finding.Has(list, finding.JournalFull), n == 500; got != want {
			t.Fatalf("%d payments: full is %v", n, got)
		}
	}
	attempt(&s, 600, 9*time.Hour, func(a *txn.Attempt) { a.Kind, a.Balanced = txn.Settlement, 1 })
	if list := finding.Detect(&s, start.Add(9*time.Hour)); finding.Has(list, finding.JournalFull) {
		t.Error("full after a settlement")
	}
}

// TestSurveyTellsScopesApart: one shop that fails is the shop's matter; one issuer
// that fails everywhere is the issuer's; and a terminal that fails alone is alone.
func TestSurveyTellsScopesApart(t *testing.T) {
	fleet := map[estate.TerminalID]*terminal.State{}
	add := func(id, merchant, issuer, code string) {
		s := &terminal.State{}
		for i, is := range []string{issuer, "625555"} {
			attempt(s, len(fleet)*10+i+1, time.Duration(i)*time.Second, func(a *txn.Attempt) {
				a.Merchant, a.Issuer = estate.MerchantID(merchant), is
				if code != "00" && is == issuer {
					a.Outcome, a.Code = txn.Declined, code
				}
				if code == "03" {
					a.Outcome, a.Code = txn.Declined, code
				}
			})
		}
		fleet[estate.TerminalID(id)] = s
	}
	add("A1", "shop a", "621111", "03")
	add("A2", "shop a", "621111", "03")
	add("B1", "shop b", "621111", "00")
	add("B2", "shop b", "621111", "03")
	for _, id := range []string{"C1", "D1", "E1"} {
		add(id, "shop "+id, "626666", "91")
	}
	now := start.Add(time.Minute)
	sc := finding.Survey(maps.All(fleet), now)
	for _, c := range []struct {
		id   estate.TerminalID
		kind finding.Kind
		want bool
	}{
		{"A1", finding.WholeShop, true},
		{"A1", finding.OnlyThisTerminal, false},
		{"A1", finding.OthersTrade, true},
		{"B2", finding.OnlyThisTerminal, true},
		{"B2", finding.WholeShop, false},
		{"B1", finding.OnlyThisTerminal, false}, // it trades
	} {
		if got := finding.Has(sc.For(fleet[c.id]), c.kind); got != c.want {
			t.Errorf("%s: %s is %v", c.id, c.kind, got)
		}
	}
	if got := sc.For(fleet["B1"]); len(got) != 0 {
		t.Errorf("of a terminal that trades: %+v", got)
	}
	if later := finding.Survey(maps.All(fleet), now.Add(time.Hour)); len(later.For(fleet["A1"])) != 0 {
		t.Error("an hour later the scope still fails")
	}
}
