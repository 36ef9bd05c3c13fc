// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"bytes"
	"embed"
	"slices"
	"sync"
)

//go:embed builtin/*.yaml
var builtin embed.FS

// names lists the shipped dialects; one may extend those before it.
var names = [...]string{"upos", "upos-ascii", "iso87-ascii", "iso87-hexbitmap", "basei"}

// shipped reads the shipped dialects once. They are part of the program, so a mistake
// in one is a mistake of the build and every test of this package finds it.
var shipped = sync.OnceValue(func() map[string]*Dialect {
	ready := make(map[string]*Dialect, len(names))
	for _, name := range names {
		file := "builtin/" + name + ".yaml"
		text, err := builtin.ReadFile(file)
		if err != nil {
			panic(err)
		}
		d, err := load(bytes.NewReader(text), file, func(base string) (*Dialect, bool) {
			d, ok := ready[base]
			return d, ok
		})
		if err != nil {
			panic(err)
		}
		ready[name] = d
	}
	return ready
})

// Named gives a shipped dialect.
func Named(name string) (*Dialect, bool) {
	d, ok := shipped()[name]
	return d, ok
}

// Names lists the shipped dialects, the most usual first.
func Names() []string { return slices.Clone(names[:]) }
