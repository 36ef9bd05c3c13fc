// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"math"
	"slices"

	"github.com/tillmend/tillmend/internal/knowledge"
)

// Bounds of asking.
const (
	clear     = 0.85 // a cause this likely needs no question
	askAmong  = 8    // causes that a question should tell apart
	yesIfYes  = 0.9  // how likely the answer is yes when the cause is under yes
	leastBits = 0.05 // a question that tells less is not worth a minute
)

// Questions that the index asks for by name.
const (
	askText     = "exact-text"     // what stands on the screen?
	askAcquirer = "which-acquirer" // whose code is it?
)

// ask gives the question that best tells the candidates apart; nil if one is
// clear or no question helps.
func (ix *Index) ask(ranked []candidate, q *query) *knowledge.Question {
	switch {
	case len(ranked) == 0:
		return nil
	case ix.foreign(q):
		return ix.question(askAcquirer)
	case ranked[0].cause.ID == knowledge.Other:
		return ix.question(askText)
	case ranked[0].p >= clear:
		return nil
	}
	var best *knowledge.Question
	most := leastBits
	for i := range ix.base.Questions {
		k := &ix.base.Questions[i]
		if k.Open || matchesAny(ix.told[i], string(q.text)) {
			continue
		}
		if bits := gain(k, ranked[:min(askAmong, len(ranked))]); bits > most {
			best, most = k, bits
		}
	}
	if best == nil {
		return ix.question(askText)
	}
	return best
}

func (ix *Index) question(id string) *knowledge.Question {
	for i := range ix.base.Questions {
		if ix.base.Questions[i].ID == id {
			return &ix.base.Questions[i]
		}
	}
	return nil
}

// foreign reports whether a code of the query was understood by more than one
// acquirer's private meaning while the acquirer is not known.
func (ix *Index) foreign(q *query) bool {
	if q.acquirer != "" {
		return false
	}
	first := map[string]knowledge.CauseID{}
	for _, m := range q.meanings {
		if m.layer == knowledge.Standard || m.layer == knowledge.Operator {
			return false
		}
		if id, ok := first[m.code]; ok && id != m.causes[0] {
			return true
		}
		first[m.code] = m.causes[0]
	}
	return false
}

// gain gives how much the answer to k is expected to tell about the candidates, in bits.
func gain(k *knowledge.Question, list []candidate) float64 {
	yes := make([]float64, len(list))
	no := make([]float64, len(list))
	all := make([]float64, len(list))
	for i, c := range list {
		p := 0.5
		if slices.Contains(k.Yes, c.cause.ID) {
			p = yesIfYes
		} else if slices.Contains(k.No, c.cause.ID) {
			p = 1 - yesIfYes
		}
		all[i], yes[i], no[i] = c.p, c.p*p, c.p*(1-p)
	}
	hAll, wAll := entropy(all)
	hYes, wYes := entropy(yes)
	hNo, wNo := entropy(no)
	if wAll == 0 {
		return 0
	}
	return hAll - (wYes*hYes+wNo*hNo)/wAll
}

// entropy gives the entropy of weights in bits and their sum.
func entropy(w []float64) (bits, sum float64) {
	for _, v := range w {
		sum += v
	}
	for _, v := range w {
		if v > 0 {
			bits -= v / sum * math.Log2(v/sum)
		}
	}
	return bits, sum
}
