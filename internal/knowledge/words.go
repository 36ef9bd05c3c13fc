// SPDX-License-Identifier: Apache-2.0

package knowledge

import "strings"

// synonyms reports groups that contradict one another: a word in two groups, or
// groups that lead round in a circle.
func (l *loader) synonyms() {
	home := map[string]string{} // word → first word of its group
	for _, group := range l.base.Synonyms {
		c := l.checker("synonyms", group[0])
		for i, w := range group {
			switch first, taken := home[w]; {
			case strings.TrimSpace(w) == "":
				c.bad(at(i), "empty word; expected words")
			case !taken:
				home[w] = group[0]
			case first == group[0]:
				c.bad(at(i), "%q twice; expected once", w)
			default:
				c.bad(at(i), "%q is already in the group of %q; expected each word in one group", w, first)
			}
		}
	}
	l.circles(home)
}

// circles reports groups whose words lead back to themselves when each word is
// replaced by the first of its group: a first word that is a variant elsewhere.
func (l *loader) circles(home map[string]string) {
	next := map[string]string{}
	for _, group := range l.base.Synonyms {
		for _, w := range group[1:] {
			next[w] = group[0]
		}
	}
	for _, group := range l.base.Synonyms {
		seen := []string{group[0]}
		for w, ok := next[group[0]]; ok && len(seen) <= len(home); w, ok = next[w] {
			seen = append(seen, w)
			if w == group[0] {
				l.checker("synonyms", w).bad(nil, "circle %s; expected first words that are variants of nothing", strings.Join(seen, " → "))
				break
			}
		}
	}
}

// layerNames reports names that two acquirers share: a name must lead to one layer.
func (l *loader) layerNames() {
	taken := map[string]string{}
	for i := range l.base.Layers {
		layer := &l.base.Layers[i]
		c := l.checker("layer", layer.Name)
		own, _ := strings.CutPrefix(layer.Name, "acquirer:")
		for _, name := range append([]string{own}, layer.Names...) {
			key := strings.ToLower(name)
			if other, ok := taken[key]; ok && other != layer.Name {
				c.bad(at("names"), "name %q is also one of %s; expected a name of one layer", name, other)
			}
			taken[key] = layer.Name
		}
		if layer.Source == "" && len(layer.Codes) > 0 {
			c.bad(at("source"), "no source; expected the kind of document that the meanings are from")
		}
	}
}
