// SPDX-License-Identifier: Apache-2.0

package knowledge

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// The layers that are not an acquirer's.
const (
	Standard = "standard"
	Operator = "operator"
)

// A CodeIn is a code and the layer that gives it its meaning.
type CodeIn struct {
	Layer string
	*Code
}

// Codes gives the meanings of a code, the most specific first: the operator's,
// the named acquirer's, the standard one, and last those of the layers that are
// searched when no acquirer was named. The acquirer may be given by any of its
// names in any case; with an unknown or empty one only the operator's, the
// standard and the default layers are asked.
func (b *Base) Codes(code, acquirer string) []CodeIn {
	var found []CodeIn
	named := b.Acquirer(acquirer)
	for _, l := range b.ranked(named) {
		if l.Name != Operator && l.Name != Standard && l != named && (named != nil || !l.Default) {
			continue
		}
		if c := l.code(code); c != nil {
			found = append(found, CodeIn{l.Name, c})
		}
	}
	return found
}

// Everywhere gives the meanings of a code in all layers, the most specific first.
func (b *Base) Everywhere(code string) []CodeIn {
	var found []CodeIn
	for _, l := range b.ranked(nil) {
		if c := l.code(code); c != nil {
			found = append(found, CodeIn{l.Name, c})
		}
	}
	return found
}

// Acquirer gives the layer that goes by this name, nil if there is none.
func (b *Base) Acquirer(name string) *Layer {
	name = strings.TrimSpace(name)
	if name == "" {
		return nil
	}
	for i := range b.Layers {
		l := &b.Layers[i]
		own, ok := strings.CutPrefix(l.Name, "acquirer:")
		if !ok {
			continue
		}
		same := func(s string) bool { return strings.EqualFold(s, name) }
		if same(own) || same(l.Name) || slices.ContainsFunc(l.Names, same) {
			return l
		}
	}
	return nil
}

// ranked gives the layers in the order in which codes are looked up.
func (b *Base) ranked(named *Layer) []*Layer {
	layers := make([]*Layer, len(b.Layers))
	for i := range b.Layers {
		layers[i] = &b.Layers[i]
	}
	rank := func(l *Layer) int {
		switch {
		case l.Name == Operator:
			return 0
		case l == named:
			return 1
		case l.Name == Standard:
			return 2
		default:
			return 3
		}
	}
	slices.SortStableFunc(layers, func(x, y *Layer) int { return cmp.Compare(rank(x), rank(y)) })
	return layers
}

// code finds a code of the layer, whatever its case; nil if there is none.
func (l *Layer) code(code string) *Code {
	for i := range l.Codes {
		if strings.EqualFold(l.Codes[i].Code, code) {
			return &l.Codes[i]
		}
	}
	return nil
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	return slices.Sorted(maps.Keys(m))
}
