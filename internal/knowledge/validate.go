// SPDX-License-Identifier: Apache-2.0

package knowledge

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Bounds of what a base may say.
const (
	maxSteps   = 3     // more is not read at a counter
	maxMinutes = 240   // a check that takes longer is no question
	maxWeight  = 10000 // likelihood ratio; more than that is a rule, not a weight
)

var (
	causeForm    = regexp.MustCompile(`^[A-Z0-9]+(-[A-Z0-9]+)*$`)
	wordForm     = regexp.MustCompile(`^[a-z0-9]+([-_.][a-z0-9]+)*$`)
	actors       = []Actor{Clerk, Cardholder, MerchantOwner, ServiceProvider, Acquirer, Issuer, Carrier, Vendor, WalletProvider, Regulator, Nobody}
	effects      = []Effect{Blocks, Limits, Threatens, OneCard, NoEffect}
	codeClasses  = []string{"", "A", "B", "C", "D", "E"}
	scopesOfCode = []Scope{
		ScopeOK, ScopeCard, ScopePayment, ScopeMerchant, ScopeTerminal, ScopeKeys, ScopeOrder,
		ScopeParameter, ScopeLimit, ScopeIssuer, ScopeNetwork, ScopeFee, ScopePrivate,
	}
)

// A checker reports what is wrong with one entry.
type checker struct {
	l     *loader
	name  string // such as "cause TERM-CLONE"
	entry *entry
}

// bad reports a fault at the field that steps lead to.
func (c checker) bad(steps []any, format string, args ...any) {
	file, line := c.entry.at(steps...)
	c.l.bad(file, line, "%s: %w", c.name, fmt.Errorf(format, args...))
}

func at(steps ...any) []any { return steps }

func (l *loader) checker(kind, key string) checker {
	name := kind + " " + key
	return checker{l, name, l.entries[name]}
}

// validate reports everything in the base that is unknown, contradictory, out of range or untranslated.
func (l *loader) validate() {
	b := l.base
	if _, ok := b.causes[Other]; !ok {
		l.errs = append(l.errs, fmt.Errorf("knowledge: no cause %s; expected one for what the base does not know", Other))
	}
	for i := range b.Causes {
		l.checker("cause", string(b.Causes[i].ID)).cause(&b.Causes[i])
	}
	for i := range b.Layers {
		layer := &b.Layers[i]
		for j := range layer.Codes {
			l.checker("code "+layer.Name, layer.Codes[j].Code).code(&layer.Codes[j])
		}
	}
	for i := range b.Screens {
		l.checker("screen", b.Screens[i].Text).causesKnown(b.Screens[i].Causes, true, at("causes"))
	}
	for i := range b.Questions {
		l.checker("question", b.Questions[i].ID).question(&b.Questions[i])
	}
	for i := range b.Evidence {
		l.checker("evidence", b.Evidence[i].Finding).evidence(&b.Evidence[i])
	}
	for i := range b.Cues {
		l.checker("cue", b.Cues[i].ID).cue(&b.Cues[i])
	}
	for i := range b.Glossary {
		l.checker("term", b.Glossary[i].ZH).term(&b.Glossary[i])
	}
	l.synonyms()
	l.layerNames()
}

func (c checker) cause(k *Cause) {
	if !causeForm.MatchString(string(k.ID)) {
		c.bad(at("id"), "id; expected capital letters and digits in groups parted by dashes")
	}
	if !wordForm.MatchString(k.Area) {
		c.bad(at("area"), "area %q; expected a word in small letters", k.Area)
	}
	oneOf(c, at("facet"), "facet", k.Facet, Facets[:])
	oneOf(c, at("effect"), "effect", k.Effect, effects)
	oneOf(c, at("actor"), "actor", k.Actor, actors)
	for i, a := range k.Helpers {
		oneOf(c, at("helpers", i), "helper", a, actors)
		if a == k.Actor || slices.Contains(k.Helpers[:i], a) {
			c.bad(at("helpers", i), "helper %s twice; expected each party once, the actor first", a)
		}
	}
	if !(k.Prior > 0 && k.Prior < 1) {
		c.bad(at("prior"), "prior %v; expected a share above 0 and below 1", k.Prior)
	}
	if strings.TrimSpace(k.Origin) == "" {
		c.bad(at("origin"), "no origin; expected assumed, protocol or a source")
	}
	c.text(k.Title, "title")
	c.text(k.What, "what")
	c.text(k.Proof, "proof")
	c.steps(k.Now, "now")
	c.steps(k.Avoid, "avoid")
	for i, t := range k.Now {
		for _, s := range []string{t.ZH, t.EN} {
			if bad := NeverAdvised(s); bad != "" {
				c.bad(at("now", i), "step %q advises %s; expected a step that evades no control and destroys nothing", s, bad)
			}
		}
	}
	c.says(k.Says, "says")
}

func (c checker) code(k *Code) {
	if strings.TrimSpace(k.Code) != k.Code || strings.ContainsFunc(k.Code, unicode.IsSpace) {
		c.bad(at("code"), "code %q; expected no white space", k.Code)
	}
	oneOf(c, at("class"), "class", k.Class, codeClasses)
	oneOf(c, at("scope"), "scope", k.Scope, scopesOfCode)
	c.text(k.Title, "title")
	if (k.Note.ZH == "") != (k.Note.EN == "") {
		c.text(k.Note, "note")
	}
	approved := k.Class == "A" || k.Scope == ScopeOK
	c.causesKnown(k.Causes, !approved, at("causes"))
	c.says(k.Says, "says")
	c.says(k.Screen, "screen")
}

func (c checker) question(q *Question) {
	if !wordForm.MatchString(q.ID) {
		c.bad(at("id"), "id; expected a word in small letters")
	}
	c.text(q.Ask, "ask")
	c.text(q.Why, "why")
	oneOf(c, at("who"), "who", q.Who, actors)
	if q.Minutes < 1 || q.Minutes > maxMinutes {
		c.bad(at("minutes"), "%d minutes; expected 1 to %d", q.Minutes, maxMinutes)
	}
	c.expressions(q.Told, "told")
	c.causesKnown(q.Yes, false, at("yes"))
	c.causesKnown(q.No, false, at("no"))
	switch answers := len(q.Yes) + len(q.No); {
	case q.Open && answers > 0:
		c.bad(at("open"), "open, and yet with causes under yes or no; expected one of the two")
	case !q.Open && answers == 0:
		c.bad(at("yes"), "neither answer speaks for a cause; expected causes under yes, no or both")
	}
	for i, id := range q.No {
		if slices.Contains(q.Yes, id) {
			c.bad(at("no", i), "%s under yes and no; expected it under one", id)
		}
	}
}

func (c checker) evidence(e *Evidence) {
	if !wordForm.MatchString(e.Finding) {
		c.bad(at("finding"), "finding %q; expected a word in small letters", e.Finding)
	}
	c.text(e.Title, "title")
	if strings.TrimSpace(e.Origin) == "" {
		c.bad(at("origin"), "no origin; expected assumed, protocol or a source")
	}
	if len(e.For)+len(e.Against)+len(e.Effects) == 0 && !e.Context && e.Finding != declined {
		c.bad(at("for"), "speaks for and against nothing; expected causes under for or against, effects, or context: true")
	}
	for _, effect := range sortedKeys(e.Effects) {
		oneOf(c, at("effects"), "effect", effect, effects)
		c.weight(e.Effects[effect], 0, maxWeight, "for", effect, at("effects", string(effect)))
	}
	for _, id := range sortedKeys(e.For) {
		c.causeKnown(id, at("for", string(id)))
		c.weight(e.For[id], 1, maxWeight, "for", id, at("for", string(id)))
		if _, both := e.Against[id]; both {
			c.bad(at("against", string(id)), "%s under for and against; expected it under one", id)
		}
	}
	for _, id := range sortedKeys(e.Against) {
		c.causeKnown(id, at("against", string(id)))
		c.weight(e.Against[id], 0, 1, "against", id, at("against", string(id)))
	}
}

// weight reports a likelihood ratio that is not from least to most.
func (c checker) weight(w, least, most float64, side string, of any, steps []any) {
	if !(w >= least && w <= most) {
		c.bad(steps, "weight %v %s %v; expected a likelihood ratio from %v to %v", w, side, of, least, most)
	}
}

// causesKnown reports unknown and repeated causes, and an empty list where there must be one.
func (c checker) causesKnown(ids []CauseID, needed bool, steps []any) {
	if needed && len(ids) == 0 {
		c.bad(steps, "no causes; expected at least one, most likely first")
	}
	for i, id := range ids {
		here := append(slices.Clone(steps), i)
		c.causeKnown(id, here)
		if slices.Contains(ids[:i], id) {
			c.bad(here, "cause %s twice; expected once", id)
		}
	}
}

func (c checker) causeKnown(id CauseID, steps []any) {
	if _, ok := c.l.base.causes[id]; !ok {
		c.bad(steps, "unknown cause %q; expected the id of a cause of this base", id)
	}
}

func (c checker) steps(list []Text, name string) {
	if len(list) == 0 || len(list) > maxSteps {
		c.bad(at(name), "%d texts under %s; expected 1 to %d", len(list), name, maxSteps)
	}
	for i, t := range list {
		c.text(t, name, i)
	}
}

func (c checker) text(t Text, steps ...any) {
	for _, lang := range []string{"zh", "en"} {
		s := t.In(lang)
		if strings.TrimSpace(s) == "" {
			c.bad(append(slices.Clone(steps), lang), "%v without %s; expected the text in both languages", steps[0], lang)
		}
		if strings.ContainsFunc(s, unicode.IsControl) {
			c.bad(append(slices.Clone(steps), lang), "%v: control character; expected one line of text", steps[0])
		}
	}
	if t.ZH != "" && !strings.ContainsFunc(t.ZH, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
		c.bad(append(slices.Clone(steps), "zh"), "%v: %q; expected Chinese", steps[0], t.ZH)
	}
}

// says reports empty and repeated phrases.
func (c checker) says(list []string, name string) {
	for i, s := range list {
		switch {
		case strings.TrimSpace(s) == "":
			c.bad(at(name, i), "empty text under %s; expected words", name)
		case slices.Contains(list[:i], s):
			c.bad(at(name, i), "%q twice under %s; expected once", s, name)
		}
	}
}

func oneOf[T ~string](c checker, steps []any, what string, got T, known []T) {
	if slices.Contains(known, got) {
		return
	}
	names := make([]string, 0, len(known))
	for _, k := range known {
		if k != "" {
			names = append(names, string(k))
		}
	}
	c.bad(steps, "%s %q; expected one of %s", what, got, strings.Join(names, ", "))
}
