// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"math"
	"regexp"
	"unicode/utf8"
)

// Weights of parts of a query that say less than the rest.
const (
	guessed = 0.3 // "是不是机器坏了": what the merchant guesses
	denied  = 0.2 // "不是余额不足": what it is said not to be
	granted = 0.5 // "额度够却…": what was to be expected
	shown   = 1.3 // "提示…": what the screen says
)

// parts are the manners of speaking that weigh a part of a query; the first
// group of the expression is that part.
var parts = []struct {
	words  *regexp.Regexp
	weight float64
}{
	{regexp.MustCompile(`(?:提示|显示|弹出|弹窗|报|说|写着|出现|跳出)([^ ]+)`), shown},
	{regexp.MustCompile(`((?:是不是|会不会|难道|以为|怀疑|是否|好像|应该是)[^ ]{1,12})`), guessed},
	{regexp.MustCompile(`((?:不是|并非|不关|肯定不)[^ ]{1,8})`), denied},
	{regexp.MustCompile(`([^ ]{2,12})(?:却|但是|可是|但|还是|也提示|也说|仍)`), granted},
}

// emphasis weighs each character of a normalized query.
func emphasis(text []rune) []float64 {
	w := make([]float64, len(text))
	for i := range w {
		w[i] = 1
	}
	s := string(text)
	for _, p := range parts {
		for _, m := range p.words.FindAllStringSubmatchIndex(s, -1) {
			from := utf8.RuneCountInString(s[:m[2]])
			for i := range utf8.RuneCountInString(s[m[2]:m[3]]) {
				w[from+i] *= p.weight
			}
		}
	}
	return w
}

// words gives, for each cause, how much the words of the query speak for it.
func (ix *Index) words(q *query) []float64 {
	score := make([]float64, len(ix.causes))
	set, total := ix.weigh(q)
	if total == 0 {
		return score
	}
	full := total / (total + enoughWeight)
	ix.nearest(set, total, full, score)
	ix.bag(set, bagWeight*full/total, score)
	ix.speaker(q, set, score)
	return score
}

// A weighed is a gram of a query and what it counts there.
type weighed struct {
	gram gram
	w    float64
}

// weigh gives the different grams of a query with their weights, and the sum of
// these. A gram that no cause uses has the weight of a common one in the sum:
// what is not understood makes an answer less sure.
func (ix *Index) weigh(q *query) ([]weighed, float64) {
	var set []weighed
	place := map[gram]int{}
	for _, s := range grams(q.text) {
		w, known := ix.weight[s.gram]
		if !known {
			w = s.gram.share()
		}
		w *= q.weights[s.at]
		if i, ok := place[s.gram]; ok {
			set[i].w = max(set[i].w, w)
			continue
		}
		place[s.gram] = len(set)
		set = append(set, weighed{s.gram, w})
	}
	total := 0.0
	for _, g := range set {
		total += g.w
	}
	return set, total
}

// nearest adds to score what the phrases nearest to the query speak for.
// Nearness is the cosine of the two sets of grams.
func (ix *Index) nearest(set []weighed, total, full float64, score []float64) {
	const keep = 3
	shared := make([]float64, len(ix.phrases))
	for _, g := range set {
		for _, p := range ix.postings[g.gram] {
			shared[p] += g.w
		}
	}
	best := make([][keep]float64, len(score))
	for p, w := range shared {
		if w == 0 {
			continue
		}
		phrase := &ix.phrases[p]
		near := min(1, w/math.Sqrt(total*phrase.total))
		for _, s := range phrase.causes {
			v := near * s.of
			top := &best[s.cause]
			for i := range top {
				if v > top[i] {
					v, top[i] = top[i], v
				}
			}
		}
	}
	for c, top := range best {
		part := phraseWeight * full
		for _, v := range top {
			score[c] += part * v
			part *= moreWeight
		}
	}
}

// bag adds to score how much of the query the texts of a cause have, taken together.
func (ix *Index) bag(set []weighed, unit float64, score []float64) {
	for _, g := range set {
		for _, in := range ix.bags[g.gram] {
			score[in.cause] += unit * g.w * in.count / (in.count + bagHalf)
		}
	}
}

// speakerMix is the share of common speech in what is expected of a cause's
// texts, against the mean size of these.
const speakerMix = 0.8

// speaker adds to score how much likelier the words of the query are in the
// texts of a cause than anywhere (Dirichlet smoothing). A long query does not
// count in full, since neighbouring grams say the same again.
func (ix *Index) speaker(q *query, set []weighed, score []float64) {
	length := 0.0
	for _, s := range grams(q.text) {
		length += s.gram.share() * q.weights[s.at]
	}
	mix := speakerMix * ix.meanSize
	unit := speakerWeight / math.Sqrt(max(length, 1))
	for i, size := range ix.size {
		score[i] += unit * length * math.Log(mix/(size+mix))
	}
	for _, g := range set {
		for _, in := range ix.bags[g.gram] {
			score[in.cause] += unit * g.gram.share() * math.Log(1+in.count/(mix*ix.common[g.gram]))
		}
	}
}
