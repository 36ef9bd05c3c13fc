// SPDX-License-Identifier: Apache-2.0

package diagnosis

import (
	"cmp"
	"math"
	"slices"

	"github.com/tillmend/tillmend/internal/finding"
	"github.com/tillmend/tillmend/internal/knowledge"
	"github.com/tillmend/tillmend/internal/terminal"
)

// codeShares is how the belief after a response code falls on the causes that its
// table lists, in their order. What is left over is for causes not listed.
var codeShares = [...]float64{0.60, 0.18, 0.08, 0.04, 0.02, 0.01}

const (
	// unlistedShare is the belief after a code that none of the listed causes is it.
	unlistedShare = 0.05
	// shadow is the exponent for a code whose events another sign explains: two
	// shadows of one fact are not counted twice.
	shadow = 0.25
	// notable is the ratio from which a weight is worth showing; its inverse, against.
	notable = 1.5
)

// rank fills the candidates from the findings.
func (d *Diagnosis) rank(b *knowledge.Base, acquirer string) {
	live := d.evidence(b, func(f *finding.Finding) bool { return f.State == finding.Present })
	if live.signs == nil {
		live = d.evidence(b, (*finding.Finding).Over)
		d.Over = live.signs != nil
	}
	if live.signs == nil {
		return
	}
	r := ranking{base: b, belief: make(map[knowledge.CauseID]float64, len(b.Causes)), weights: map[knowledge.CauseID][]Weight{}}
	for i := range b.Causes {
		r.belief[b.Causes[i].ID] = b.Causes[i].Prior
	}
	for _, f := range live.signs {
		if f.Kind == finding.DeclinedWithCode {
			r.code(f, acquirer, live.explained(f))
		} else {
			r.finding(f)
		}
	}
	cardsOnly := r.cardsOnly(live.signs, acquirer)
	for _, f := range live.context {
		if !cardsOnly || f.Kind != finding.AllCards && f.Kind != finding.AllIssuers {
			r.context(f)
		}
	}
	d.Candidates = r.candidates(slices.Concat(live.signs, live.context))
}

// evidence is the findings that a ranking rests on.
type evidence struct {
	signs   []*finding.Finding // each a sign of trouble by itself
	context []*finding.Finding // what only shifts the weights
}

// explained reports whether a more special sign speaks of the same events as a
// bare response code: then both are one fact.
func (e *evidence) explained(code *finding.Finding) bool {
	for _, f := range e.signs {
		if f.Kind != finding.DeclinedWithCode && !f.Shared && len(f.Events) > 0 && !slices.ContainsFunc(code.Events, func(id terminal.EventID) bool {
			return !slices.Contains(f.Events, id)
		}) {
			return true
		}
	}
	return false
}

// evidence gives the findings that pass, with those that are mere context.
func (d *Diagnosis) evidence(b *knowledge.Base, pass func(*finding.Finding) bool) evidence {
	var e evidence
	for i := range d.Findings {
		f := &d.Findings[i]
		about, ok := b.About(string(f.Kind))
		switch {
		case !ok:
		case about.Context && (f.State == finding.Present || pass(f)):
			e.context = append(e.context, f)
		case !about.Context && pass(f):
			e.signs = append(e.signs, f)
		}
	}
	return e
}

// ranking is a belief under construction.
type ranking struct {
	base    *knowledge.Base
	belief  map[knowledge.CauseID]float64 // not normalized
	weights map[knowledge.CauseID][]Weight
}

func (r *ranking) weigh(id knowledge.CauseID, ratio float64, f *finding.Finding, layer string) {
	r.belief[id] *= ratio
	if ratio >= notable || ratio <= 1/notable {
		r.weights[id] = append(r.weights[id], Weight{Finding: f, Ratio: ratio, Layer: layer})
	}
}

func (r *ranking) finding(f *finding.Finding) {
	r.each(f, func(knowledge.CauseID) bool { return true })
}

// context weighs the causes for which there are signs.
func (r *ranking) context(f *finding.Finding) { r.each(f, r.supported) }

// cardsOnly reports whether all that was seen are response codes that no terminal
// can bring about: empty accounts stay empty accounts, however many there are.
func (r *ranking) cardsOnly(signs []*finding.Finding, acquirer string) bool {
	for _, f := range signs {
		if f.Kind != finding.DeclinedWithCode {
			return false
		}
		for _, id := range r.listed(f.Code, acquirer).Causes {
			if c, ok := r.base.Cause(id); !ok || c.Effect != knowledge.OneCard {
				return false
			}
		}
	}
	return true
}

// listed gives the meaning of a code in the most specific layer that knows it; of a
// code that only acquirers use, when no acquirer was named, in the first that has it.
func (r *ranking) listed(code, acquirer string) knowledge.CodeIn {
	for _, found := range [][]knowledge.CodeIn{r.base.Codes(code, acquirer), r.base.Everywhere(code)} {
		if len(found) > 0 {
			return found[0]
		}
	}
	return knowledge.CodeIn{Code: &knowledge.Code{Code: code}}
}

// each weighs the causes that a finding speaks for or against and that pass.
func (r *ranking) each(f *finding.Finding, pass func(knowledge.CauseID) bool) {
	about, ok := r.base.About(string(f.Kind))
	if !ok {
		return
	}
	for i := range r.base.Causes {
		c := &r.base.Causes[i]
		ratio := 1.0
		if w, ok := about.For[c.ID]; ok {
			ratio = w
		} else if w, ok := about.Against[c.ID]; ok {
			ratio = w
		} else if w, ok := about.Effects[c.Effect]; ok {
			ratio = w
		}
		if ratio != 1 && pass(c.ID) {
			r.weigh(c.ID, ratio, f, "")
		}
	}
}

// code takes a response code as evidence. explained tells that a more special sign
// speaks of the same events: then the code counts little, for it is the same fact.
func (r *ranking) code(f *finding.Finding, acquirer string, explained bool) {
	temper := 1.0
	if explained {
		temper = shadow
	}
	meaning := r.listed(f.Code, acquirer)
	listed := meaning.Causes
	if len(listed) == 0 {
		return
	}
	listed = listed[:min(len(listed), len(codeShares))]
	rest := 0.0
	for i := range r.base.Causes {
		if !slices.Contains(listed, r.base.Causes[i].ID) {
			rest += r.base.Causes[i].Prior
		}
	}
	for i := range r.base.Causes {
		c := &r.base.Causes[i]
		if at := slices.Index(listed, c.ID); at >= 0 {
			r.weigh(c.ID, math.Pow(codeShares[at]/c.Prior, temper), f, meaning.Layer)
		} else {
			r.belief[c.ID] *= math.Pow(unlistedShare/rest, temper)
		}
	}
}

// candidates normalizes the beliefs and gives the causes worth showing.
func (r *ranking) candidates(seen []*finding.Finding) []Candidate {
	sum := 0.0
	for i := range r.base.Causes { // in one order, for equal sums
		sum += r.belief[r.base.Causes[i].ID]
	}
	var list []Candidate
	for i := range r.base.Causes {
		c := &r.base.Causes[i]
		p := r.belief[c.ID] / sum
		if p < shown && !r.supported(c.ID) {
			continue
		}
		list = append(list, Candidate{Cause: c, P: p})
	}
	slices.SortFunc(list, func(x, y Candidate) int {
		return cmp.Or(cmp.Compare(y.P, x.P), cmp.Compare(x.Cause.ID, y.Cause.ID))
	})
	list = slices.DeleteFunc(list, func(c Candidate) bool { return c.P < shown && c.Cause.ID != list[0].Cause.ID })
	list = list[:min(len(list), mostShown)]
	for i := range list {
		r.explain(&list[i], seen)
	}
	return list
}

func (r *ranking) supported(id knowledge.CauseID) bool {
	return slices.ContainsFunc(r.weights[id], func(w Weight) bool { return w.Ratio > 1 })
}

// explain fills in what speaks for and against, strongest first, and what is missing.
func (r *ranking) explain(c *Candidate, seen []*finding.Finding) {
	for _, w := range r.weights[c.Cause.ID] {
		if w.Ratio > 1 {
			c.For = append(c.For, w)
		} else {
			c.Against = append(c.Against, w)
		}
	}
	slices.SortStableFunc(c.For, func(x, y Weight) int { return cmp.Compare(y.Ratio, x.Ratio) })
	slices.SortStableFunc(c.Against, func(x, y Weight) int { return cmp.Compare(x.Ratio, y.Ratio) })
	const enough = 3
	for i := range r.base.Evidence {
		e := &r.base.Evidence[i]
		if e.For[c.Cause.ID] <= notable || slices.ContainsFunc(seen, func(f *finding.Finding) bool { return string(f.Kind) == e.Finding }) {
			continue
		}
		c.Missing = append(c.Missing, e)
	}
	slices.SortStableFunc(c.Missing, func(x, y *knowledge.Evidence) int {
		return cmp.Compare(y.For[c.Cause.ID], x.For[c.Cause.ID])
	})
	c.Missing = c.Missing[:min(len(c.Missing), enough)]
}
