// SPDX-License-Identifier: Apache-2.0

package console

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tillmend/tillmend/internal/diagnosis"
	"github.com/tillmend/tillmend/internal/estate"
	"github.com/tillmend/tillmend/internal/explain"
	"github.com/tillmend/tillmend/internal/knowledge"
)

const (
	// shownSimilar is how many terminals a search names.
	shownSimilar = 5
	// leastNumber is the length from which a search is also one for terminals:
	// shorter numbers are codes.
	leastNumber = 4
)

// explainBody is what the page that answers questions shows.
type explainBody struct {
	Q         string
	Acquirer  string
	Acquirers []acquirer
	Terminals []link
	Matches   []answer
	Ask       *check
	Examples  []link
}

// acquirer is one choice of whose codes count.
type acquirer struct {
	Name, Text string
	On         bool
}

// answer is one cause that fits a question.
type answer struct {
	explain.Match
	Confidence, Actor, Basis string
	Fleet                    bool // terminals can be listed by it
}

// explain answers a question in words, a code or a number. The exact number of a
// terminal leads to its page.
func (c *console) explain(q *request) (*page, error) {
	text := strings.TrimSpace(q.query.Get("q"))
	b := explainBody{Q: text, Acquirer: q.query.Get("acquirer")}
	if b.Acquirer == "" && !q.query.Has("acquirer") {
		b.Acquirer = c.Acquirer
	}
	b.Acquirers = c.acquirers(b.Acquirer)
	p := &page{Template: "explain", Title: q.T("explain.title"), Nav: "explain", Search: text}
	if text == "" {
		for example := range strings.SplitSeq(q.T("explain.examples"), "|") {
			b.Examples = append(b.Examples, link{example, withQuery(q.URL, "q", example)})
		}
		p.Body = b
		return p, nil
	}
	if _, _, ok := c.Source.Terminal(estate.TerminalID(text)); ok {
		return &page{Redirect: terminalURL(estate.TerminalID(text))}, nil
	}
	b.Terminals = c.containing(text)
	found := c.Explain.Explain(text, b.Acquirer, q.code)
	for _, m := range found.Matches {
		b.Matches = append(b.Matches, answer{
			Match: m, Confidence: q.T("confidence." + diagnosis.ConfidenceOf(m.Score).String()),
			Actor: q.T("actor." + string(m.Actor)), Basis: q.layer(m.Layer), Fleet: c.listed(m.Cause),
		})
	}
	if a := found.Ask; a != nil {
		b.Ask = &check{a.Question, a.Why, q.T("actor." + string(a.Who)), a.Minutes}
	}
	p.Body = b
	return p, nil
}

// listed reports whether terminals count under a cause: one of a single card
// leaves the terminal well.
func (c *console) listed(id knowledge.CauseID) bool {
	cause, ok := c.Base.Cause(id)
	return ok && id != knowledge.Other && cause.Effect != knowledge.OneCard
}

// acquirers are those whose codes the base knows by name.
func (c *console) acquirers(chosen string) []acquirer {
	var list []acquirer
	layer := c.Base.Acquirer(chosen)
	for i := range c.Base.Layers {
		l := &c.Base.Layers[i]
		if len(l.Names) > 0 {
			list = append(list, acquirer{l.Name, l.Names[0], l == layer})
		}
	}
	return list
}

// containing gives terminals whose number, or whose merchant's, contains a text.
func (c *console) containing(text string) []link {
	if utf8.RuneCountInString(text) < leastNumber {
		return nil
	}
	f := filter{Q: text, Sort: "terminal"}
	return links(f.apply(c.fleet.all()))
}

// similar gives terminals whose number is like one that does not exist.
func (c *console) similar(text string) []link {
	all := c.fleet.all()
	const tolerance = 2 // digits misread or mistyped
	var list []*diagnosis.Diagnosis
	for i := range all {
		if apart(string(all[i].Terminal), text) <= tolerance {
			list = append(list, &all[i])
		}
	}
	slices.SortFunc(list, func(a, b *diagnosis.Diagnosis) int {
		return cmp.Or(cmp.Compare(apart(string(a.Terminal), text), apart(string(b.Terminal), text)), cmp.Compare(a.Terminal, b.Terminal))
	})
	return links(list)
}

// apart counts the places in which two texts differ; a missing place differs.
func apart(a, b string) int {
	n := max(len(a), len(b)) - min(len(a), len(b))
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}

func links(list []*diagnosis.Diagnosis) []link {
	var out []link
	for _, d := range firstOf(list, shownSimilar) {
		out = append(out, link{markOf(d.Status) + " " + string(d.Terminal), terminalURL(d.Terminal)})
	}
	return out
}
