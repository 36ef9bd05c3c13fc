// SPDX-License-Identifier: Apache-2.0

package knowledge

import (
	"regexp"
	"slices"
	"strings"
)

// maxFactor bounds how much a cue may change the odds of a cause.
const maxFactor = 100

// Cue is a manner of speaking that changes the odds of causes, whatever else is
// said: how many cards were tried, since when, what the complaint is about.
type Cue struct {
	ID string `yaml:"id" json:"id"`
	// Words are regular expressions over the normalized query; one match is
	// enough.
	Words []string `yaml:"words" json:"words"`
	// Odds are factors on the odds of causes: of one by its id ("TERM-CLONE"),
	// of a group by its beginning ("NET-*"), of all by effect ("effect:one_card"),
	// facet ("facet:fees"), area ("area:onboarding") or actor ("actor:issuer").
	// The factors of all that fit a cause are multiplied.
	Odds map[string]float64 `yaml:"odds" json:"odds"`
}

// Factor gives what the cue multiplies the odds of k with; 1 is no change.
func (c *Cue) Factor(k *Cause) float64 {
	f := 1.0
	for who, odds := range c.Odds {
		if fits(who, k) {
			f *= odds
		}
	}
	return f
}

// fits reports whether a key of Odds speaks of k.
func fits(who string, k *Cause) bool {
	kind, name, ok := strings.Cut(who, ":")
	if !ok {
		start, group := strings.CutSuffix(who, "*")
		return who == string(k.ID) || group && strings.HasPrefix(string(k.ID), start)
	}
	switch kind {
	case "effect":
		return name == string(k.Effect)
	case "facet":
		return name == string(k.Facet)
	case "area":
		return name == k.Area
	case "actor":
		return name == string(k.Actor)
	default:
		return false
	}
}

func (c checker) cue(k *Cue) {
	if !wordForm.MatchString(k.ID) {
		c.bad(at("id"), "id; expected a word in small letters")
	}
	if len(k.Words) == 0 {
		c.bad(at("words"), "no words; expected at least one regular expression")
	}
	c.expressions(k.Words, "words")
	if len(k.Odds) == 0 {
		c.bad(at("odds"), "no odds; expected factors for causes")
	}
	for _, who := range sortedKeys(k.Odds) {
		f := k.Odds[who]
		if !(f > 0 && f <= maxFactor) {
			c.bad(at("odds", who), "factor %v for %s; expected above 0, at most %d", f, who, maxFactor)
		}
		all := c.l.base.Causes
		if !slices.ContainsFunc(all, func(k Cause) bool { return fits(who, &k) }) {
			c.bad(at("odds", who), "%q fits no cause; expected an id, a beginning with *, effect:, facet:, area: or actor:", who)
		}
	}
}

// expressions reports regular expressions that cannot be read or match anything.
func (c checker) expressions(list []string, name string) {
	for i, w := range list {
		if re, err := regexp.Compile(w); err != nil {
			c.bad(at(name, i), "%w; expected a regular expression", err)
		} else if re.MatchString("") {
			c.bad(at(name, i), "%q matches the empty text; expected words", w)
		}
	}
}
