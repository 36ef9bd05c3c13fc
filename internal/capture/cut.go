// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"cmp"
	"slices"

	"github.com/tillmend/tillmend/iso8583"
	"github.com/tillmend/tillmend/iso8583/dialect"
	"github.com/tillmend/tillmend/iso8583/frame"
)

// prefixes are the length prefixes that are tried, the most usual first.
var prefixes = []frame.Format{
	{Length: frame.Binary2},
	{Length: frame.BCD2},
	{Length: frame.ASCII4},
	{Length: frame.Binary2, LengthCountsSelf: true},
	{Length: frame.BCD2, LengthCountsSelf: true},
	{Length: frame.ASCII4, LengthCountsSelf: true},
}

// span is where a frame lies in bytes that were put together.
type span struct{ from, to int }

// cut gives the frames that b consists of, as their length prefixes tell, and nil when
// no form of prefix uses b up exactly. Empty frames, which keep a line alive, are left
// out.
func cut(b []byte) []span {
	for _, f := range prefixes {
		var spans []span
		total := 0
		frame.NewSplitter(f).Feed(b, func(fr []byte) {
			if len(fr) > f.Length.Size() {
				spans = append(spans, span{total, total + len(fr)})
			}
			total += len(fr)
		})
		if total == len(b) && len(spans) > 0 {
			return spans
		}
	}
	return nil
}

// fits reports whether b is one message of a dialect we know.
func fits(b []byte) bool {
	if len(b) > frame.MaxFrame {
		return false
	}
	known := make([]*dialect.Dialect, 0, len(dialect.Names()))
	for _, name := range dialect.Names() {
		if d, ok := dialect.Named(name); ok {
			known = append(known, d)
		}
	}
	_, ok := iso8583.Detect(b, known).Best()
	return ok
}

// marks remember where bytes that were put together come from.
type marks []struct{ offset, source int }

// add says that what follows offset comes from source.
func (m *marks) add(offset, source int) {
	*m = append(*m, struct{ offset, source int }{offset, source})
}

// at gives the source of the byte at offset.
func (m marks) at(offset int) int {
	i, found := slices.BinarySearchFunc(m, offset, func(x struct{ offset, source int }, offset int) int {
		return cmp.Compare(x.offset, offset)
	})
	if !found {
		i--
	}
	if i < 0 {
		return 0 // unreachable: the first mark is at offset 0
	}
	return m[i].source
}
