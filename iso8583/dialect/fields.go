// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// fields reads the table of fields over what d has already.
func (l *loader) fields(n *yaml.Node, d *Dialect) {
	l.each(n, "fields", func(key, value *yaml.Node) {
		de, err := strconv.Atoi(key.Value)
		if err != nil || de < 2 || de > d.MaxField || strconv.Itoa(de) != key.Value {
			l.fail(key, "fields: got %q; expected a field number from 2 to %d", key.Value, d.MaxField)
			return
		}
		before := len(l.errs)
		f := l.field(value, de, d.Body)
		if len(l.errs) == before {
			l.judge(value, de, f)
		}
		d.Fields[de] = f
	})
}

// given are the keys of a field that have defaults depending on others, and how often
// the length was given.
type given struct {
	class, prefix, unit, packing, align bool
	lengths                             int
}

func (l *loader) field(n *yaml.Node, de int, body Packing) Field {
	f := Field{Pad: '0'}
	var has given
	what := "field " + strconv.Itoa(de)
	l.each(n, what, func(key, value *yaml.Node) {
		at := what + ": " + key.Value
		if l.length(key, value, at, &f) {
			has.lengths++
			return
		}
		switch key.Value {
		case "class":
			has.class = true
			f.Class = choose(l, value, at, words[Class]{{"none", Undefined}, {"n", N}, {"an", AN}, {"ans", ANS}, {"z", Z}, {"b", B}})
		case "prefix":
			has.prefix = true
			f.Prefix = choose(l, value, at, packings)
		case "unit":
			has.unit = true
			f.Unit = choose(l, value, at, words[Unit]{{"digits", Digits}, {"bytes", Bytes}})
		case "packing":
			has.packing = true
			f.Packing = choose(l, value, at, packings)
		case "align":
			has.align = true
			f.Align = choose(l, value, at, words[Align]{{"left", Left}, {"right", Right}})
		case "pad":
			f.Pad = choose(l, value, at, words[byte]{{"0", '0'}, {"F", 'F'}})
		case "free":
			f.Free = l.yes(value, at)
		default:
			l.fail(key, "%s: unknown key %q; expected class, size, ll, lll, prefix, unit, packing, align, pad or free", what, key.Value)
		}
	})
	switch {
	case n.Kind != yaml.MappingNode:
	case !has.class:
		l.fail(n, "%s: no class; expected n, an, ans, z, b or none", what)
	case f.Class != Undefined && has.lengths != 1:
		l.fail(n, "%s: expected exactly one of size, ll and lll, got %d", what, has.lengths)
	}
	f.defaults(has, body)
	return f
}

var packings = words[Packing]{{"bcd", BCD}, {"ascii", ASCII}, {"binary", Binary}}

// length reads the keys that say how long the field is, and tells whether key is one.
func (l *loader) length(key, value *yaml.Node, at string, f *Field) bool {
	switch key.Value {
	case "size":
		f.Length, f.Max = Fixed, l.number(value, at, 1, 999)
	case "ll":
		f.Length, f.Max = LL, l.number(value, at, 1, 99)
	case "lll":
		f.Length, f.Max = LLL, l.number(value, at, 1, 9999)
	default:
		return false
	}
	return true
}

// defaults fills what the file leaves to the body of the dialect.
func (f *Field) defaults(has given, body Packing) {
	if !has.prefix {
		f.Prefix = body
	}
	if !has.packing {
		switch f.Class {
		case N, Z:
			f.Packing = body
		case AN, ANS:
			f.Packing = ASCII
		case B, Undefined:
			f.Packing = Binary
		}
	}
	if !has.unit && f.Packing != BCD {
		f.Unit = Bytes
	}
	if !has.align && f.Length == Fixed && f.Packing == BCD {
		f.Align = Right
	}
}

// judge refuses combinations that cannot be written or read.
func (l *loader) judge(n *yaml.Node, de int, f Field) {
	if f.Class == Undefined {
		return
	}
	digits := f.Class == N || f.Class == Z
	for _, rule := range []struct {
		broken bool
		text   string
	}{
		{f.Packing == BCD && !digits, "packing bcd holds digits only; expected class n or z"},
		{f.Packing == Binary && digits, "packing binary holds bytes; expected class b, or packing bcd or ascii"},
		{f.Class == B && f.Packing != Binary, "class b is written as it is; expected packing binary, or class ans"},
		{f.Unit == Digits && f.Packing == Binary, "bytes have no digits to count; expected unit bytes"},
		{f.Length == LLL && f.Prefix == ASCII && f.Max > 999, "three characters announce at most 999; expected that, or another prefix"},
	} {
		if rule.broken {
			l.fail(n, "field %d: %s", de, rule.text)
			return
		}
	}
}

// words pairs the words of a file with what they mean.
type words[T any] []struct {
	word string
	mean T
}

// choose gives the meaning of n among the words, or reports what was expected.
func choose[T any](l *loader, n *yaml.Node, what string, among words[T]) T {
	expected := make([]string, len(among))
	for i, w := range among {
		if n.Kind == yaml.ScalarNode && n.Value == w.word {
			return w.mean
		}
		expected[i] = w.word
	}
	l.fail(n, "%s: got %q; expected one of %s", what, n.Value, strings.Join(expected, ", "))
	var zero T
	return zero
}

func (l *loader) text(n *yaml.Node, what string) string {
	if n.Kind != yaml.ScalarNode || n.Value == "" {
		l.fail(n, "%s: expected a text", what)
	}
	return n.Value
}

func (l *loader) yes(n *yaml.Node, what string) bool {
	return choose(l, n, what, words[bool]{{"true", true}, {"false", false}})
}

func (l *loader) number(n *yaml.Node, what string, low, high int) int {
	v, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil || v < low || v > high {
		l.fail(n, "%s: got %q; expected a number from %d to %d", what, n.Value, low, high)
		return low
	}
	return v
}
