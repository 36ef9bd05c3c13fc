// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"cmp"
	"math"
	"slices"

	"github.com/tillmend/tillmend/internal/knowledge"
)

// Weights of what speaks for a cause, in natural logarithms of odds. They were
// chosen by leaving out each phrase of the base in turn and asking for it, and
// by the complaints of testdata; around them little changes.
const (
	phraseWeight  = 5.5  // the phrase nearest to the query, if it were the query itself
	moreWeight    = 0.5  // of each next phrase of the same cause, against the one before it
	bagWeight     = 11.0 // all phrases of a cause together, if they had all grams of the query
	bagHalf       = 1.3  // phrases with a gram that give half of its weight
	enoughWeight  = 10.0 // weight of the grams of a query whose words count half: "交易失败" says little
	speakerWeight = 0.55 // how much likelier a cause's own words are than anyone's, see speaker
	codeWeight    = 7.0  // a code that is surely one, for its first cause
	priorWeight   = 0.1  // of the logarithm of the base rate: people ask about rare things too
	otherOdds     = 1.8  // of OTHER, which explains every query a little
)

// A candidate is a cause and how likely it is.
type candidate struct {
	cause *knowledge.Cause
	logit float64
	p     float64
}

// A query is a question taken apart.
type query struct {
	text     []rune
	weights  []float64 // of the grams that start at each character
	acquirer string
	mentions []mention
	meanings []meaning
}

// A meaning is what a code of the query may mean.
type meaning struct {
	code   string
	layer  string
	causes []knowledge.CauseID
	weight float64 // 0 to 1
}

// read takes a query apart.
func (ix *Index) read(text, acquirer string) *query {
	if r := []rune(text); len(r) > MaxQueryRunes {
		text = string(r[:MaxQueryRunes])
	}
	raw := halfWidths(text)
	q := &query{acquirer: acquirer}
	q.mentions, text = ix.codes.mentions(raw)
	q.text = ix.norm.normalize(text)
	if q.acquirer == "" {
		q.acquirer = ix.acquirerIn(raw)
	}
	q.weights = emphasis(q.text)
	for _, m := range q.mentions {
		q.meanings = append(q.meanings, ix.meanings(m, q.acquirer)...)
	}
	return q
}

// foreign is the weight of a private code when the acquirer is not known. It is
// shared out among those who give it another meaning.
const foreign = 0.7

// meanings gives what a code means: in the layers that hold for sure, and where
// those say nothing, in all others.
func (ix *Index) meanings(m mention, acquirer string) []meaning {
	var list []meaning
	weight := m.sure
	for _, in := range ix.base.Codes(m.code, acquirer) {
		if len(in.Causes) > 0 {
			list = append(list, meaning{m.code, in.Layer, in.Causes, weight})
			weight *= foreign
		}
	}
	if len(list) > 0 {
		return list
	}
	all := ix.base.Everywhere(m.code)
	all = slices.DeleteFunc(all, func(in knowledge.CodeIn) bool { return len(in.Causes) == 0 })
	first := map[knowledge.CauseID]bool{}
	for _, in := range all {
		first[in.Causes[0]] = true
	}
	for _, in := range all {
		list = append(list, meaning{m.code, in.Layer, in.Causes, m.sure * foreign / math.Sqrt(float64(len(first)))})
	}
	return list
}

// basis gives the code on which a match with this cause rests, nil if it rests on words.
func (q *query) basis(id knowledge.CauseID) *meaning {
	for i := range q.meanings {
		if slices.Contains(q.meanings[i].causes, id) {
			return &q.meanings[i]
		}
	}
	return nil
}

// rank gives all causes with their probabilities, best first; OTHER is among them.
func (ix *Index) rank(q *query) []candidate {
	list := make([]candidate, len(ix.causes), len(ix.causes)+1)
	seen := false
	words := ix.words(q)
	for i, c := range ix.causes {
		seen = seen || words[i] > 0
		list[i] = candidate{cause: c, logit: words[i] + priorWeight*ix.prior[i]}
	}
	ix.addCues(q, list)
	ix.addCodes(q, list)
	if other, ok := ix.base.Cause(knowledge.Other); ok {
		logit := otherOdds
		if !seen && len(q.meanings) == 0 {
			logit = math.Inf(1) // nothing in the query is known: there is nothing to rank
		}
		list = append(list, candidate{cause: other, logit: logit})
	}
	soften(list)
	slices.SortStableFunc(list, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.p, a.p), cmp.Compare(a.cause.ID, b.cause.ID))
	})
	return list
}

func (ix *Index) addCues(q *query, list []candidate) {
	text := string(q.text)
	for _, c := range ix.cues {
		if matchesAny(c.words, text) {
			for _, o := range c.odds {
				list[o.cause].logit += o.of
			}
		}
	}
}

// addCodes adds what codes speak for. Of several meanings the strongest for a cause counts.
func (ix *Index) addCodes(q *query, list []candidate) {
	for i := range list {
		best := 0.0
		for _, m := range q.meanings {
			if at := slices.Index(m.causes, list[i].cause.ID); at >= 0 {
				best = max(best, m.weight*math.Pow(rankShare, float64(at)))
			}
		}
		list[i].logit += codeWeight * best
	}
}

// soften turns the logarithms of odds into probabilities that sum to 1.
func soften(list []candidate) {
	top := math.Inf(-1)
	for _, c := range list {
		top = max(top, c.logit)
	}
	sum := 0.0
	for i := range list {
		if list[i].p = 1; list[i].logit < top {
			list[i].p = math.Exp(list[i].logit - top)
		}
		sum += list[i].p
	}
	for i := range list {
		list[i].p /= sum
	}
}

func round(p float64) float64 {
	return math.Round(p*1e4) / 1e4
}
