// SPDX-License-Identifier: Apache-2.0

package knowledge

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// mergeSynonyms adds groups of synonyms. A group whose first word is known replaces that group.
func (l *loader) mergeSynonyms(file string, list *yaml.Node) {
	for _, n := range list.Content {
		var group []string
		if err := n.Decode(&group); err != nil || len(group) < 2 {
			l.bad(file, n.Line, "synonyms: %d words; expected at least 2, the first the one to normalize to", len(group))
			continue
		}
		i, ok := l.place(file, n, "synonyms", group[0], len(l.base.Synonyms))
		switch {
		case !ok:
		case i == len(l.base.Synonyms):
			l.base.Synonyms = append(l.base.Synonyms, group)
		default:
			l.base.Synonyms[i] = group
		}
	}
}

// mergeLayer adds the codes of a file to their layer.
func (l *loader) mergeLayer(file string, top *yaml.Node) {
	name, codes := field(top, "layer"), field(top, "codes")
	if name == nil {
		for _, key := range []string{"codes", "names", "source", "default"} {
			if n := field(top, key); n != nil {
				l.bad(file, n.Line, "%s without a layer; expected layer: standard, acquirer:NAME or operator", key)
			}
		}
		return
	}
	at := l.layer(file, top, name)
	if at < 0 || codes == nil {
		return
	}
	merge(l, file, codes, "code "+name.Value, "code", &l.base.Layers[at].Codes)
}

// layer gives the place of the layer that the file is about, made new if need be; -1 if it is not one.
func (l *loader) layer(file string, top, name *yaml.Node) int {
	if !validLayer(name.Value) {
		l.bad(file, name.Line, "layer %q; expected standard, acquirer:NAME or operator", name.Value)
		return -1
	}
	key := "layer " + name.Value
	e := l.entries[key]
	if e == nil {
		e = &entry{index: len(l.base.Layers)}
		l.entries[key] = e
		l.base.Layers = append(l.base.Layers, Layer{})
	}
	e.sources = append(e.sources, source{file, top})
	layer := &l.base.Layers[e.index]
	codes := layer.Codes
	if err := top.Decode(layer); err != nil {
		l.bad(file, top.Line, "layer %s: %w", name.Value, err)
	}
	layer.Codes = codes // they are merged one by one
	return e.index
}

func validLayer(name string) bool {
	who, ok := strings.CutPrefix(name, "acquirer:")
	return name == Standard || name == Operator || ok && strings.TrimSpace(who) == who && who != ""
}

// merge puts the items of list into out: over the known one of the same key, else at the end.
func merge[T any](l *loader, file string, list *yaml.Node, kind, key string, out *[]T) {
	for _, n := range list.Content {
		k := field(n, key)
		if k == nil || strings.TrimSpace(k.Value) == "" {
			l.bad(file, n.Line, "%s without %s", kind, key)
			continue
		}
		i, ok := l.place(file, n, kind, k.Value, len(*out))
		if !ok {
			continue
		}
		if i == len(*out) {
			*out = append(*out, *new(T))
		}
		if err := n.Decode(&(*out)[i]); err != nil {
			l.bad(file, n.Line, "%s %s: %w", kind, k.Value, err)
		}
	}
}

// place finds the index of an item in its list, next for a new one. It is not ok
// when the same tree has spoken of the item already.
func (l *loader) place(file string, n *yaml.Node, kind, key string, next int) (int, bool) {
	name := kind + " " + key
	e := l.entries[name]
	if e == nil {
		e = &entry{index: next}
		l.entries[name] = e
	} else if e.tree == l.tree {
		last := e.sources[len(e.sources)-1]
		l.bad(file, n.Line, "%s: twice; expected once, it is already at %s:%d", name, last.file, last.node.Line)
		return 0, false
	}
	e.tree = l.tree
	e.sources = append(e.sources, source{file, n})
	return e.index, true
}

// addSays adds the further phrases to their causes. One that is there already is left out.
func (l *loader) addSays() {
	for _, s := range l.says {
		for id, list := range fields(s.node) {
			c, ok := l.base.causes[CauseID(id)]
			if !ok {
				l.bad(s.file, list.Line, "says: unknown cause %q; expected the id of a cause of this base", id)
				continue
			}
			for _, n := range list.Content {
				if !slices.Contains(c.Says, n.Value) {
					c.Says = append(c.Says, n.Value)
				}
			}
		}
	}
}
