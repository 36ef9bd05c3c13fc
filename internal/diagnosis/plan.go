// SPDX-License-Identifier: Apache-2.0

package diagnosis

import (
	"slices"
	"strings"

	"github.com/tillmend/tillmend/internal/knowledge"
)

// plan chooses the next step: the first step against a cause that is believed; else
// the check that tells the leading causes apart, or where none does, what would
// prove the first.
func (d *Diagnosis) plan(b *knowledge.Base, acquirer string) {
	top := d.Top()
	if top == nil || d.Over {
		return
	}
	if top.P < Sure {
		if q := d.ask(b); q != nil {
			d.Next = Next{Step: q.Ask, Why: q.Why, Who: q.Who, Question: q}
		} else { // look for what would prove it
			d.Next = Next{Step: top.Cause.Proof, Why: because(b, top, acquirer), Who: top.Cause.Actor}
		}
		return
	}
	d.Next = Next{Step: top.Cause.Now[0], Why: because(b, top, acquirer), Who: top.Cause.Actor}
}

// ask finds the question whose answer moves most belief: the one that splits the
// candidates most evenly. nil if none splits them.
func (d *Diagnosis) ask(b *knowledge.Base) *knowledge.Question {
	const least = 0.05
	var best *knowledge.Question
	most := least
	for i := range b.Questions {
		q := &b.Questions[i]
		yes, no := d.belief(q.Yes), d.belief(q.No)
		if split := min(yes, no); split > most {
			best, most = q, split
		}
	}
	return best
}

// belief sums the belief in the candidates among ids.
func (d *Diagnosis) belief(ids []knowledge.CauseID) float64 {
	sum := 0.0
	for i := range d.Candidates {
		if slices.Contains(ids, d.Candidates[i].Cause.ID) {
			sum += d.Candidates[i].P
		}
	}
	return sum
}

// because gives the strongest evidence for a candidate in words.
func because(b *knowledge.Base, c *Candidate, acquirer string) knowledge.Text {
	var zh, en []string
	for _, w := range c.For {
		t := b.Describe(string(w.Finding.Kind), w.Finding.Code, acquirer)
		if slices.Contains(zh, t.ZH) {
			continue
		}
		zh, en = append(zh, t.ZH), append(en, t.EN)
		const enough = 2
		if len(zh) == enough {
			break
		}
	}
	if zh == nil {
		return c.Cause.Proof
	}
	return knowledge.Text{ZH: strings.Join(zh, "；"), EN: strings.Join(en, "; ")}
}

// Confidence is how sure the first cause is, as a word: certain, very likely,
// likely, or not clear yet.
type Confidence string

// The confidences.
const (
	Certain    Confidence = "certain"
	VeryLikely Confidence = "very_likely"
	Likely     Confidence = "likely"
	Unclear    Confidence = "unclear"
)

// ConfidenceOf gives the word for a belief.
func ConfidenceOf(p float64) Confidence {
	switch {
	case p >= 0.97:
		return Certain
	case p >= 0.8:
		return VeryLikely
	case p >= Sure:
		return Likely
	}
	return Unclear
}

// String gives the word in the form of the API.
func (c Confidence) String() string { return string(c) }
