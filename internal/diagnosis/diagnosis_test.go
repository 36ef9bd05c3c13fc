// SPDX-License-Identifier: Apache-2.0

package diagnosis_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tillmend/tillmend/internal/diagnosis"
	"github.com/tillmend/tillmend/internal/finding"
	"github.com/tillmend/tillmend/internal/knowledge"
	"github.com/tillmend/tillmend/internal/terminal"
	"github.com/tillmend/tillmend/internal/txn"
)

var start = time.Date(2026, 6, 3, 10, 0, 0, 0, time.FixedZone("", 8*3600))

func base(t testing.TB) *knowledge.Base {
	t.Helper()
	b, err := knowledge.Default()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// play applies attempts, a minute apart, to a new state.
func play(list ...txn.Attempt) *terminal.State {
	s := &terminal.State{}
	for i, a := range list {
		a.At = start.Add(time.Duration(i) * time.Minute)
		a.Terminal, a.Peer, a.STAN, a.Amount = "T0000001", "10.0.0.7:1", uint32(i+1), 100
		s.Apply(&terminal.Event{ID: terminal.EventID(i + 1), Terminal: "T0000001", Attempt: &a})
	}
	return s
}

func sale(code string, card uint16) txn.Attempt {
	a := txn.Attempt{Kind: txn.Sale, Outcome: txn.Approved, Code: code, CardNo: card}
	if code != "00" {
		a.Outcome = txn.Declined
	}
	return a
}

func judge(t testing.TB, s *terminal.State, acquirer string) diagnosis.Diagnosis {
	t.Helper()
	return diagnosis.Diagnose(base(t), "T0000001", s, nil, acquirer, start.Add(time.Hour))
}

// TestNoSignNoDiagnosis: without a sign of trouble nothing is diagnosed, however
// much context there is.
func TestNoSignNoDiagnosis(t *testing.T) {
	d := judge(t, play(sale("00", 1), sale("00", 2)), "")
	if d.Top() != nil || d.Status != diagnosis.OK || d.Next.Who != "" || len(d.Findings) == 0 {
		t.Errorf("%+v", d)
	}
	if d := judge(t, &terminal.State{}, ""); d.Status != diagnosis.Unknown || d.Top() != nil {
		t.Errorf("a terminal never heard of is %s", d.Status)
	}
}

// TestCardsDecideWhoIsBlamed: one decline lies with the card; the same code on
// several cards does not.
func TestCardsDecideWhoIsBlamed(t *testing.T) {
	one := judge(t, play(sale("00", 1), sale("55", 2)), "")
	if top := one.Top(); top.Cause.ID != "CARD-PIN" || one.Status != diagnosis.OK {
		t.Errorf("one card: %s, %s", top.Cause.ID, one.Status)
	}
	many := judge(t, play(sale("00", 1), sale("55", 2), sale("55", 3), sale("55", 4)), "")
	if top := many.Top(); top.Cause.ID != "TERM-PINPAD-KEY" || many.Status != diagnosis.Blocked || !many.Known() {
		t.Errorf("several cards: %s, %s", top.Cause.ID, many.Status)
	}
}

// TestAcquirerDecidesTheMeaning: the same code is another matter at another
// acquirer, and the evidence says whose table it rests on.
func TestAcquirerDecidesTheMeaning(t *testing.T) {
	s := play(sale("00", 1), sale("A9", 2))
	d := judge(t, s, "basewin")
	top := d.Top()
	i := slices.IndexFunc(top.For, func(w diagnosis.Weight) bool { return w.Layer != "" })
	if i < 0 || top.For[i].Layer != "acquirer:basewin" {
		t.Fatalf("%s rests on %+v", top.Cause.ID, top.For)
	}
	if top.Cause.ID != "MER-FROZEN-RISK" {
		t.Errorf("merchant status abnormal is %s", top.Cause.ID)
	}
}

// TestOverIsSaid: an episode that has ended is told as such, asks for nothing and
// leaves the terminal well.
func TestOverIsSaid(t *testing.T) {
	d := judge(t, play(sale("00", 1), sale("A0", 1), sale("00", 1)), "")
	if !d.Over || d.Status != diagnosis.OK || d.Next.Who != "" || d.Top().Cause.ID != "TERM-KEY-STALE" {
		t.Errorf("%+v", d)
	}
}

// TestUnsureAsks: when no cause is believed enough, the next step is a question
// whose answer splits the candidates, never an order.
func TestUnsureAsks(t *testing.T) {
	unsure := 0
	for _, layer := range base(t).Layers {
		for _, c := range layer.Codes {
			d := judge(t, play(sale("00", 1), sale(c.Code, 2), sale(c.Code, 3)), "")
			top := d.Top()
			if top == nil || top.P >= diagnosis.Sure {
				continue
			}
			unsure++
			if d.Known() {
				t.Errorf("%s: claims to know with %.2f", c.Code, top.P)
			}
			if q := d.Next.Question; q != nil && (q.Ask.ZH != d.Next.Step.ZH || d.Next.Who != q.Who) {
				t.Errorf("%s: the step is not its question", c.Code)
			}
		}
	}
	if unsure < 10 {
		t.Errorf("only %d unsure cases: the test says little", unsure)
	}
}

// TestBeliefsAreProbabilities: whatever was seen, beliefs lie between zero and one,
// stand in order, and do not add up to more than one; and the same state gives the
// same diagnosis.
func TestBeliefsAreProbabilities(t *testing.T) {
	b := base(t)
	rapid.Check(t, func(t *rapid.T) {
		var list []txn.Attempt
		for range rapid.IntRange(1, 20).Draw(t, "attempts") {
			list = append(list, txn.Attempt{
				Kind:    txn.Kind(rapid.IntRange(0, int(txn.BatchEnd)).Draw(t, "kind")),
				Outcome: txn.Outcome(rapid.IntRange(0, int(txn.Malformed)).Draw(t, "outcome")),
				Code:    rapid.SampledFrom([]string{"", "00", "03", "51", "55", "58", "61", "77", "91", "94", "96", "97", "A0", "30"}).Draw(t, "code"),
				CardNo:  uint16(rapid.IntRange(0, 3).Draw(t, "card")), Reason: rapid.SampledFrom([]string{"", "98", "A0"}).Draw(t, "reason"),
				Issuer: rapid.SampledFrom([]string{"", "620000", "622500"}).Draw(t, "issuer"),
			})
		}
		s := play(list...)
		now := start.Add(time.Hour)
		d := diagnosis.Diagnose(b, "T0000001", s, nil, "", now)
		again := diagnosis.Diagnose(b, "T0000001", s, nil, "", now)
		sum, last := 0.0, 1.0
		for i, c := range d.Candidates {
			if math.IsNaN(c.P) || c.P < 0 || c.P > last {
				t.Fatalf("candidate %d has %v after %v", i, c.P, last)
			}
			sum, last = sum+c.P, c.P
			if again.Candidates[i].P != c.P || again.Candidates[i].Cause.ID != c.Cause.ID {
				t.Fatalf("the same state gives %v and %v", c.P, again.Candidates[i].P)
			}
		}
		if sum > 1+1e-9 {
			t.Fatalf("beliefs add up to %v", sum)
		}
		if len(d.Facets) != len(knowledge.Facets) || d.Status == "" {
			t.Fatalf("status %q, %d facets", d.Status, len(d.Facets))
		}
		if d.Status == diagnosis.Blocked && !d.Over && d.Next.Who == "" {
			t.Fatal("blocked, and nothing to do")
		}
	})
}

// TestViewCitesEvents: every event that a view cites is one that a finding has.
func TestViewCitesEvents(t *testing.T) {
	b := base(t)
	d := judge(t, play(sale("00", 1), sale("77", 2), sale("77", 3)), "")
	for _, lang := range []string{"zh", "en"} {
		v := d.View(b, lang, "")
		if v.Diagnosis[0].Title == "" || len(v.Diagnosis[0].Steps) == 0 || v.Next == nil || v.Next.Step == "" {
			t.Errorf("%s: %+v", lang, v)
		}
		for _, f := range v.Findings {
			if f.Kind == finding.DeclinedWithCode && (len(f.Events) != 2 || f.Events[0] != "e2") {
				t.Errorf("%+v", f)
			}
		}
	}
}
