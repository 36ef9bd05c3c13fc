// SPDX-License-Identifier: Apache-2.0

package knowledge

import (
	"iter"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

var documentType = reflect.TypeFor[document]()

// field gives the value of a key of a mapping, nil if it is not there.
func field(n *yaml.Node, name string) *yaml.Node {
	for key, value := range fields(n) {
		if key == name {
			return value
		}
	}
	return nil
}

// fields walks the keys and values of a mapping.
func fields(n *yaml.Node) iter.Seq2[string, *yaml.Node] {
	return func(yield func(string, *yaml.Node) bool) {
		if n.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i].Value, n.Content[i+1]) {
				return
			}
		}
	}
}

// check reports every place where n has not the form of t: unknown or repeated
// keys, aliases, and values of another kind. The path says where in the file.
func (l *loader) check(file string, n *yaml.Node, t reflect.Type, path string) {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		l.bad(file, n.Line, "%s: anchors and aliases are not read; expected the value itself", path)
		return
	}
	switch t.Kind() { //nolint:exhaustive // the types of this package use no other kinds
	case reflect.Struct:
		l.checkStruct(file, n, t, path)
	case reflect.Map:
		if l.expect(file, n, yaml.MappingNode, path, "a mapping") {
			l.checkKeys(file, n, path)
			for key, value := range fields(n) {
				l.check(file, value, t.Elem(), path+"."+key)
			}
		}
	case reflect.Slice:
		if l.expect(file, n, yaml.SequenceNode, path, "a list") {
			for i, item := range n.Content {
				l.check(file, item, t.Elem(), path+"["+strconv.Itoa(i)+"]")
			}
		}
	default:
		l.checkScalar(file, n, t.Kind(), path)
	}
}

func (l *loader) checkStruct(file string, n *yaml.Node, t reflect.Type, path string) {
	if !l.expect(file, n, yaml.MappingNode, path, "a mapping") {
		return
	}
	l.checkKeys(file, n, path)
	known := make(map[string]reflect.Type, t.NumField())
	var names []string
	for f := range t.Fields() {
		if name := f.Tag.Get("yaml"); name != "" {
			known[name] = f.Type
			names = append(names, name)
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if ft, ok := known[key.Value]; ok {
			l.check(file, value, ft, path+"."+key.Value)
		} else {
			l.bad(file, key.Line, "%s: unknown field %q; expected one of %s", path, key.Value, strings.Join(names, ", "))
		}
	}
}

// checkKeys reports keys of a mapping that are no plain words or stand there twice.
func (l *loader) checkKeys(file string, n *yaml.Node, path string) {
	var seen []string
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		switch {
		case key.Kind != yaml.ScalarNode || key.Anchor != "" || key.Value == "<<":
			l.bad(file, key.Line, "%s: expected a plain word as key", path)
		case slices.Contains(seen, key.Value):
			l.bad(file, key.Line, "%s: field %q twice; expected once", path, key.Value)
		}
		seen = append(seen, key.Value)
	}
}

func (l *loader) checkScalar(file string, n *yaml.Node, kind reflect.Kind, path string) {
	if !l.expect(file, n, yaml.ScalarNode, path, "a single value") {
		return
	}
	var err error
	var want string
	switch kind { //nolint:exhaustive // the types of this package use no other kinds
	case reflect.Float64:
		if n.Tag != "!!int" && n.Tag != "!!float" {
			err = strconv.ErrSyntax
		}
		want = "a number"
	case reflect.Int:
		if n.Tag != "!!int" {
			err = strconv.ErrSyntax
		}
		want = "a whole number"
	case reflect.Bool:
		if n.Value != "true" && n.Value != "false" {
			err = strconv.ErrSyntax
		}
		want = "true or false"
	default:
		if n.Tag == "!!null" || n.Tag == "!!binary" {
			err = strconv.ErrSyntax
		}
		want = "text"
	}
	if err != nil {
		l.bad(file, n.Line, "%s: %q; expected %s", path, n.Value, want)
	}
}

func (l *loader) expect(file string, n *yaml.Node, kind yaml.Kind, path, want string) bool {
	if n.Kind != kind {
		l.bad(file, n.Line, "%s: expected %s", path, want)
		return false
	}
	return true
}

// at gives file and line of a field of an entry, from the last source that has
// it; steps are names of fields and indexes of lists. Without such a field it is
// the entry itself.
func (e *entry) at(steps ...any) (string, int) {
	for _, s := range slices.Backward(e.sources) {
		if n := descend(s.node, steps); n != nil {
			return s.file, n.Line
		}
	}
	last := e.sources[len(e.sources)-1]
	return last.file, last.node.Line
}

func descend(n *yaml.Node, steps []any) *yaml.Node {
	for _, step := range steps {
		switch s := step.(type) {
		case string:
			n = field(n, s)
		case int:
			if n.Kind != yaml.SequenceNode || s >= len(n.Content) {
				return nil
			}
			n = n.Content[s]
		}
		if n == nil {
			return nil
		}
	}
	return n
}
