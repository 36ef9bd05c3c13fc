// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/tillmend/tillmend/internal/knowledge"
)

// Index is a knowledge base made ready for questions in words.
type Index struct {
	base   *knowledge.Base
	norm   *normalizer
	causes []*knowledge.Cause // all but OTHER
	prior  []float64          // of each cause, as a logarithm
	cues   []cue
	told   [][]*regexp.Regexp // of each question: what says that its answer is known
	codes  codeBook
	makers []maker

	weight   map[gram]float64 // rarity of a gram among the causes times its share
	phrases  []phrase
	postings map[gram][]int32 // the phrases that have a gram
	bags     map[gram][]inBag // the causes that have a gram, and how often
	common   map[gram]float64 // how often a gram is in all bags together, 0 to 1
	size     []float64        // of each cause's bag
	meanSize float64
}

// A phrase is one way of speaking of causes.
type phrase struct {
	total  float64 // weight of its grams
	causes []share
}

// A share says how much a phrase speaks of a cause: 1 for its own.
type share struct {
	cause int32
	of    float64
}

// inBag says how many of a cause's phrases have a gram.
type inBag struct {
	cause int32
	count float64
}

// A cue is a [knowledge.Cue] with its expressions compiled and its factors on
// all causes as logarithms.
type cue struct {
	words []*regexp.Regexp
	odds  []share
}

// New makes an index of b, which must not change afterwards.
func New(b *knowledge.Base) *Index {
	return newIndex(b, func(string) bool { return false })
}

// newIndex makes an index without the phrases and screen texts that drop names.
func newIndex(b *knowledge.Base, drop func(string) bool) *Index {
	ix := &Index{
		base: b, norm: newNormalizer(b.Synonyms), codes: newCodeBook(b), makers: newMakers(b),
		weight: map[gram]float64{}, postings: map[gram][]int32{}, bags: map[gram][]inBag{}, common: map[gram]float64{},
	}
	place := map[knowledge.CauseID]int32{}
	for i := range b.Causes {
		if c := &b.Causes[i]; c.ID != knowledge.Other {
			place[c.ID] = int32(len(ix.causes)) //nolint:gosec // a base has some hundred causes
			ix.causes = append(ix.causes, c)
			ix.prior = append(ix.prior, math.Log(c.Prior))
		}
	}
	for i := range b.Cues {
		ix.cues = append(ix.cues, newCue(&b.Cues[i], ix.causes))
	}
	for i := range b.Questions {
		ix.told = append(ix.told, expressions(b.Questions[i].Told))
	}
	ix.addTexts((&collector{norm: ix.norm, place: place, drop: drop, known: map[string]int{}}).collect(b))
	return ix
}

// expressions compiles what the loader has found sound.
func expressions(list []string) []*regexp.Regexp {
	out := make([]*regexp.Regexp, 0, len(list))
	for _, w := range list {
		out = append(out, regexp.MustCompile(w))
	}
	return out
}

func matchesAny(list []*regexp.Regexp, text string) bool {
	return slices.ContainsFunc(list, func(re *regexp.Regexp) bool { return re.MatchString(text) })
}

func newCue(k *knowledge.Cue, causes []*knowledge.Cause) cue {
	c := cue{words: expressions(k.Words)}
	for i, cause := range causes {
		if f := k.Factor(cause); f != 1 {
			c.odds = append(c.odds, share{int32(i), math.Log(f)}) //nolint:gosec // a base has some hundred causes
		}
	}
	return c
}

// contextCount is what the explanation and the proof of a cause count in its
// bag, against one phrase: they hold its words in their plainest form.
const contextCount = 1.5

// addTexts weighs the grams of all texts and files the phrases under them.
func (ix *Index) addTexts(list []text) {
	counts := map[gram]map[int32]float64{}
	count := func(g gram, cause int32, n float64) {
		if counts[g] == nil {
			counts[g] = map[int32]float64{}
		}
		counts[g][cause] += n
	}
	for _, t := range list {
		for _, g := range t.grams {
			for _, s := range t.causes {
				count(g, s.cause, s.of)
			}
		}
	}
	for i, c := range ix.causes {
		for _, s := range []string{c.What.ZH, c.What.EN, c.Proof.ZH, c.Proof.EN} {
			for _, g := range distinct(grams(ix.norm.normalize(s))) {
				count(g, int32(i), contextCount) //nolint:gosec // a base has some hundred causes
			}
		}
	}
	ix.fillBags(counts)
	for i, t := range list {
		p := phrase{causes: t.causes}
		for _, g := range t.grams {
			p.total += ix.weight[g]
			ix.postings[g] = append(ix.postings[g], int32(i)) //nolint:gosec // a base has some thousand phrases
		}
		ix.phrases = append(ix.phrases, p)
	}
}

// fillBags weighs the grams by how many causes have them and fills the bags of the causes.
func (ix *Index) fillBags(counts map[gram]map[int32]float64) {
	ix.size = make([]float64, len(ix.causes))
	all := 0.0
	for _, g := range slices.Sorted(maps.Keys(counts)) {
		causes := counts[g]
		ix.weight[g] = g.share() * rarity(len(causes), len(ix.causes))
		for _, c := range slices.Sorted(maps.Keys(causes)) {
			n := causes[c]
			ix.bags[g] = append(ix.bags[g], inBag{c, n})
			ix.size[c] += n * g.share()
			ix.common[g] += n
			all += n * g.share()
		}
	}
	for g := range ix.common {
		ix.common[g] /= all
	}
	ix.meanSize = all / float64(max(1, len(ix.causes)))
}

// rarity weighs a gram that n of all causes use.
func rarity(n, all int) float64 {
	return math.Log(1 + (float64(all-n)+0.5)/(float64(n)+0.5))
}

// A text is a phrase before it is filed.
type text struct {
	grams  []gram
	causes []share
}

// rankShare is what each further cause of a code or screen counts, against the one before it.
const rankShare = 0.55

// A collector gathers the texts of a base: a text that several places have is one.
type collector struct {
	norm  *normalizer
	place map[knowledge.CauseID]int32
	drop  func(string) bool
	known map[string]int // normalized text → its place in list
	list  []text
}

func (c *collector) collect(b *knowledge.Base) []text {
	for i := range b.Causes {
		k := &b.Causes[i]
		c.add([]string{k.Title.ZH, k.Title.EN}, k.ID)
		c.addSaid(k.Says, k.ID)
	}
	for i := range b.Screens {
		s := &b.Screens[i]
		c.addSaid([]string{s.Text}, s.Causes...)
		c.addSaid(s.Also, s.Causes...)
	}
	for i := range b.Layers {
		for j := range b.Layers[i].Codes {
			k := &b.Layers[i].Codes[j]
			c.add([]string{k.Title.ZH, k.Title.EN}, k.Causes...)
			c.addSaid(withoutCode(k.Screen, k.Code), k.Causes...)
			c.addSaid(withoutCode(k.Says, k.Code), k.Causes...)
		}
	}
	return c.list
}

// withoutCode leaves out texts that name the code: codes are looked up as such,
// and the rest of such a text says nothing.
func withoutCode(list []string, code string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return strings.Contains(s, code) })
}

// addSaid adds what people and screens say, but for what is to be dropped.
func (c *collector) addSaid(said []string, ids ...knowledge.CauseID) {
	c.add(slices.DeleteFunc(slices.Clone(said), c.drop), ids...)
}

// add adds texts that speak of causes, most likely first.
func (c *collector) add(texts []string, ids ...knowledge.CauseID) {
	for _, s := range texts {
		n := c.norm.normalize(s)
		set := distinct(grams(n))
		if len(set) == 0 {
			continue
		}
		i, ok := c.known[string(n)]
		if !ok {
			i = len(c.list)
			c.known[string(n)] = i
			c.list = append(c.list, text{grams: set})
		}
		of := 1.0
		for _, id := range ids {
			if at, ok := c.place[id]; ok {
				c.list[i].speakOf(at, of)
				of *= rankShare
			}
		}
	}
}

// speakOf adds a cause to a text; the greatest share counts.
func (t *text) speakOf(c int32, of float64) {
	for i := range t.causes {
		if t.causes[i].cause == c {
			t.causes[i].of = max(t.causes[i].of, of)
			return
		}
	}
	t.causes = append(t.causes, share{c, of})
}
