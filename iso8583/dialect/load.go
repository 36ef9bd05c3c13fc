// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tillmend/tillmend/iso8583/frame"
)

// maxFile is the longest dialect file read, in bytes; the longest shipped one has about 3,000.
const maxFile = 1 << 20

// Load reads a dialect file. Such a file is strict: an unknown key, a value that means
// nothing or a combination that cannot work is an error that begins with file:line and
// says what was expected. The parameter file is used for that only.
//
// A file with "extends: NAME" starts from a shipped dialect and says what differs;
// fields not named stay as they are there, and a field of "class: none" is taken away.
func Load(r io.Reader, file string) (*Dialect, error) { return load(r, file, Named) }

func load(r io.Reader, file string, named func(string) (*Dialect, bool)) (*Dialect, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("%s: read dialect: %w", file, err)
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("%s: a dialect file may have %d bytes at most", file, maxFile)
	}
	root, err := parse(text, file)
	if err != nil {
		return nil, err
	}
	l := &loader{file: file, named: named}
	d := &Dialect{MaxField: 64}
	l.document(root, d)
	if l.errs != nil {
		return nil, errors.Join(l.errs...)
	}
	d.compile()
	return d, nil
}

// parse gives the root of the only document in the text.
func parse(text []byte, file string) (*yaml.Node, error) {
	var doc, more yaml.Node
	in := yaml.NewDecoder(bytes.NewReader(text))
	switch err := in.Decode(&doc); {
	case errors.Is(err, io.EOF), err == nil && len(doc.Content) == 0:
		return nil, fmt.Errorf("%s:1: the file is empty; expected a dialect with name, title and fields", file)
	case err != nil:
		return nil, syntaxError(file, err)
	}
	switch err := in.Decode(&more); {
	case err == nil:
		return nil, fmt.Errorf("%s:%d: a second document; expected one dialect a file", file, max(more.Line, 1))
	case !errors.Is(err, io.EOF):
		return nil, syntaxError(file, err)
	}
	return doc.Content[0], nil
}

var lineOfSyntax = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// syntaxError puts the place in front of what the YAML reader says.
func syntaxError(file string, err error) error {
	text := err.Error()
	line := "1"
	if found := lineOfSyntax.FindStringSubmatch(text); found != nil {
		text = strings.TrimPrefix(text, found[0])
		if found[1] != "" {
			line = found[1]
		}
	}
	return fmt.Errorf("%s:%s: not YAML: %s; expected key: value lines", file, line, strings.ReplaceAll(text, "\n", " "))
}

// maxErrors is how many mistakes of one file are reported together.
const maxErrors = 20

// loader walks one file. It goes on after a mistake, so that all are told at once.
type loader struct {
	file  string
	named func(string) (*Dialect, bool)
	errs  []error
}

func (l *loader) fail(n *yaml.Node, format string, args ...any) {
	if len(l.errs) < maxErrors {
		l.errs = append(l.errs, fmt.Errorf("%s:%d: %s", l.file, n.Line, fmt.Sprintf(format, args...)))
	}
}

// each calls do for every entry of the mapping n, which is what the file calls what.
func (l *loader) each(n *yaml.Node, what string, do func(key, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		l.fail(n, "%s: expected a mapping (key: value)", what)
		return
	}
	seen := make(map[string]bool, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode {
			l.fail(key, "%s: expected a plain key", what)
			continue
		}
		if seen[key.Value] {
			l.fail(key, "%s: %q is given twice", what, key.Value)
			continue
		}
		seen[key.Value] = true
		do(key, value)
	}
}

func (l *loader) document(n *yaml.Node, d *Dialect) {
	var fields, name *yaml.Node
	if base := l.base(n); base != nil {
		*d = *base
		d.Name, d.Title = "", ""
	}
	l.each(n, "dialect", func(key, value *yaml.Node) {
		switch key.Value {
		case "extends":
		case "name":
			name = value
			d.Name = l.text(value, "name")
		case "title":
			d.Title = l.text(value, "title")
		case "frame":
			d.Frame = frame.Format{}
			l.frame(value, &d.Frame)
		case "body":
			d.Body = choose(l, value, "body", words[Packing]{{"bcd", BCD}, {"ascii", ASCII}})
		case "bitmap":
			d.HexBitmap = choose(l, value, "bitmap", words[bool]{{"binary", false}, {"hex", true}})
		case "secondary":
			d.Secondary = choose(l, value, "secondary", words[Secondary]{{"never", Never}, {"flagged", Flagged}, {"always", Always}})
			d.MaxField = 128
			if d.Secondary == Never {
				d.MaxField = 64
			}
		case "private":
			d.UnionPay = choose(l, value, "private", words[bool]{{"none", false}, {"unionpay", true}})
		case "fields":
			fields = value
		default:
			l.fail(key, "dialect: unknown key %q; expected extends, name, title, frame, body, bitmap, secondary, private or fields", key.Value)
		}
	})
	if n.Kind != yaml.MappingNode {
		return
	}
	l.complete(n, name, fields, d)
}

// complete reads the fields, which depend on the keys before them, and looks at the whole.
func (l *loader) complete(n, name, fields *yaml.Node, d *Dialect) {
	switch {
	case name == nil:
		l.fail(n, "dialect: no name; expected letters, digits, - and _")
	case !goodName.MatchString(d.Name):
		l.fail(name, "name: got %q; expected up to 40 lower-case letters, digits, - and _", d.Name)
	}
	if fields != nil {
		l.fields(fields, d)
	}
	highest := 0
	for de := range d.Fields {
		if d.Fields[de].Class != Undefined {
			highest = de
		}
	}
	switch {
	case highest == 0 && len(l.errs) == 0:
		l.fail(n, "dialect: no fields; expected fields, or extends")
	case highest > d.MaxField:
		l.fail(n, "dialect: field %d needs a second bitmap; expected secondary: flagged or always, or class: none for it", highest)
	}
}

var goodName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,39}$`)

// base finds the dialect that the file extends, nil for none.
func (l *loader) base(n *yaml.Node) *Dialect {
	if n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value != "extends" {
			continue
		}
		if d, ok := l.named(n.Content[i+1].Value); ok {
			return d
		}
		l.fail(n.Content[i+1], "extends: no shipped dialect %q; expected one of %v", n.Content[i+1].Value, Names())
	}
	return nil
}

func (l *loader) frame(n *yaml.Node, f *frame.Format) {
	l.each(n, "frame", func(key, value *yaml.Node) {
		switch key.Value {
		case "length":
			length, ok := frame.ParseLength(value.Value)
			if !ok {
				l.fail(value, "frame.length: got %q; expected none, binary2, bcd2 or ascii4", value.Value)
			}
			f.Length = length
		case "length_counts_self":
			f.LengthCountsSelf = l.yes(value, "frame.length_counts_self")
		case "tpdu":
			f.TPDU = l.yes(value, "frame.tpdu")
		case "ani":
			f.ANI = l.number(value, "frame.ani", 0, maxOverhead)
		case "header":
			f.Header = l.number(value, "frame.header", 0, maxOverhead)
		default:
			l.fail(key, "frame: unknown key %q; expected length, length_counts_self, tpdu, ani or header", key.Value)
		}
	})
}

// maxOverhead is the longest ANI or header believed, in bytes; interchange headers have 46.
const maxOverhead = 256
