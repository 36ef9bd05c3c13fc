// SPDX-License-Identifier: Apache-2.0

package iso8583_test

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tillmend/tillmend/iso8583"
	"github.com/tillmend/tillmend/iso8583/dialect"
	"github.com/tillmend/tillmend/iso8583/frame"
)

// careful gives the same dialect without any quick way to read a field.
func careful(d *dialect.Dialect) *dialect.Dialect {
	d = d.WithFrame(d.Frame)
	for de := range d.Ops() {
		d.Ops()[de].Quick = dialect.Slow
	}
	return d
}

// fataler is what a test, a fuzz target and a property have in common.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// sameBothWays reads raw in quick ways and with care, and wants the same of both, and of
// the texts of the fields, which are made in a third way.
func sameBothWays(t fataler, d, slow *dialect.Dialect, raw []byte) {
	t.Helper()
	var m, n iso8583.Message
	sound := m.Decode(d, raw)
	if n.Decode(slow, raw) != sound || !cmp.Equal(m.Malformed(), n.Malformed()) {
		t.Fatalf("%s: %v quickly, %v with care: %X", d.Name, m.Malformed(), n.Malformed(), raw)
	}
	for de := 2; de < dialect.Fields; de++ {
		if m.Has(de) != n.Has(de) || m.Units(de) != n.Units(de) || !bytes.Equal(m.Raw(de), n.Raw(de)) {
			t.Fatalf("%s: field %d: %X quickly, %X with care", d.Name, de, m.Raw(de), n.Raw(de))
		}
	}
	var x, y iso8583.Extract
	m.Extract(&x)
	n.Extract(&y)
	if x != y {
		t.Fatalf("%s: %s", d.Name, cmp.Diff(y, x))
	}
	if sound {
		sameAsTexts(t, &m, x)
	}
}

// sameAsTexts compares what was extracted, and every number, with the texts of the fields.
func sameAsTexts(t fataler, m *iso8583.Message, x iso8583.Extract) {
	t.Helper()
	d := m.Dialect()
	if want := told(m, x); x != want {
		t.Fatalf("%s: %s", d.Name, cmp.Diff(want, x))
	}
	for de := range m.Fields {
		want, err := strconv.ParseUint(m.Text(de), 10, 64)
		readable := err == nil && d.Fields[de].Class == dialect.N && len(m.Text(de)) <= 19
		if got, ok := m.Number(de); ok != readable || ok && got != want {
			t.Fatalf("%s: field %d is %s, read as %d, %v", d.Name, de, m.Text(de), got, ok)
		}
	}
}

// told gives x with what the texts of the fields say in the place of every number.
func told(m *iso8583.Message, x iso8583.Extract) iso8583.Extract {
	number := func(text string) uint64 {
		if len(text) > 12 {
			return 0
		}
		v, _ := strconv.ParseUint(text, 10, 64)
		return v
	}
	part := func(text string, from, n int) (uint32, bool) {
		if len(text) < from+n {
			return 0, false
		}
		return uint32(number(text[from : from+n])), true
	}
	x.Processing, x.Amount, x.Trace = uint32(number(m.Text(3))), int64(number(m.Text(4))), uint32(number(m.Text(11)))
	x.LocalTime, x.LocalDate, x.EntryMode = uint32(number(m.Text(12))), uint16(number(m.Text(13))), uint16(number(m.Text(22)))
	x.TrackEncrypted = len(m.Text(53)) >= 3 && m.Text(53)[2] == '1'
	pan := cardText(m, x.TrackEncrypted)
	x.CardDigits, x.CardFirst6, x.CardLast4 = uint8(len(pan)), 0, 0
	if len(pan) >= 14 {
		x.CardFirst6, x.CardLast4 = uint32(number(pan[:6])), uint16(number(pan[len(pan)-4:]))
	}
	if !m.Dialect().UnionPay {
		return x
	}
	f, text := iso8583.Function{Digits: uint8(len(m.Text(60)))}, m.Text(60)
	kind, ok := part(text, 0, 2)
	f.Type, f.HasType = uint8(kind), ok
	f.Batch, f.HasBatch = part(text, 2, 6)
	network, ok := part(text, 8, 3)
	f.Network, f.HasNetwork = uint16(network), ok
	x.Function, x.Original = f, iso8583.Original{}
	if trace, ok := part(m.Text(61), 6, 6); ok {
		batch, _ := part(m.Text(61), 0, 6)
		date, _ := part(m.Text(61), 12, 4)
		x.Original = iso8583.Original{Batch: batch, Trace: trace, Date: uint16(date), Present: true}
	}
	return x
}

// cardText gives the card number as text.
func cardText(m *iso8583.Message, encrypted bool) string {
	pan := m.Text(2)
	if !m.Has(2) {
		var found bool
		text := m.Text(35)
		if i := strings.IndexAny(text, "D="); i >= 0 && !encrypted {
			pan, found = text[:i], true
		}
		if !found {
			return ""
		}
	}
	if len(pan) < 12 || len(pan) > 19 || strings.Trim(pan, "0123456789") != "" {
		return ""
	}
	return pan
}

// TestQuickReadsAsWithCare damages every byte of every message in many ways, and cuts it
// everywhere.
func TestQuickReadsAsWithCare(t *testing.T) {
	list := append(vectors(t), vector{dialect: named(t, "upos"), raw: chipSale(t)})
	for _, v := range list {
		slow := careful(v.dialect)
		sameBothWays(t, v.dialect, slow, v.raw)
		for at := range v.raw {
			sameBothWays(t, v.dialect, slow, v.raw[:at])
			raw := slices.Clone(v.raw)
			for _, c := range []byte{0x00, 0x09, 0x0A, 0x1F, 0x20, 0x3A, 0x40, 0x61, 0x7F, 0x80, 0x99, 0x9A, 0xA0, 0xD0, 0x0D, 0xFF, raw[at] ^ 1, raw[at] ^ 0x10} {
				raw[at] = c
				sameBothWays(t, v.dialect, slow, raw)
			}
		}
	}
}

// TestQuickReadsAnyMessageAsWithCare does so for messages of any content, also in a
// dialect with what no shipped one has, and with every byte changed.
func TestQuickReadsAnyMessageAsWithCare(t *testing.T) {
	var pairs [][2]*dialect.Dialect
	for _, d := range append(known(t), oddOne(t), oddOne(t)) {
		d = d.WithFrame(frame.Format{})
		pairs = append(pairs, [2]*dialect.Dialect{d, careful(d)})
	}
	extracted := []int{2, 3, 4, 11, 12, 13, 22, 32, 35, 35, 41, 42, 43, 48, 53, 60, 61}
	rapid.Check(t, func(t *rapid.T) {
		pair := rapid.SampledFrom(pairs).Draw(t, "dialect")
		draft := iso8583.Draft{MTI: "0200", Fields: map[int]string{}}
		for _, de := range rapid.SliceOfN(rapid.SampledFrom(extracted), 1, 8).Draw(t, "fields") {
			switch f := pair[0].Fields[de]; {
			case f.Class == dialect.Undefined:
			case de == 35:
				draft.Fields[de] = rapid.StringMatching(`[0-9]{11,20}(D[0-9]{0,9})?`).Draw(t, "track")
			default:
				draft.Fields[de] = content(t, f)
			}
		}
		raw, err := draft.Encode(pair[0])
		if err != nil {
			t.Fatal(err)
		}
		sameBothWays(t, pair[0], pair[1], raw)
		changed := rapid.Byte().Draw(t, "changed")
		for at := range raw {
			raw[at] ^= changed
			sameBothWays(t, pair[0], pair[1], raw)
			raw[at] ^= changed
		}
	})
}

// TestQuickReadsEdgesAsWithCare changes every half byte of messages whose fields are a
// little longer or shorter than words can verify.
func TestQuickReadsEdgesAsWithCare(t *testing.T) {
	const digits = "6200000000000005620000000000000562000000"
	for _, d := range []*dialect.Dialect{named(t, "upos"), oddOne(t)} {
		slow := careful(d)
		for n := range 36 {
			track := digits[:n]
			if n%3 > 0 {
				track = digits[:min(n, 20)] + "D" + digits[:n%3]
			}
			fields := map[int]string{35: track, 48: digits[:n&^1], 60: digits[:min(n, 17)]}
			raw, err := iso8583.Draft{MTI: "0500", Fields: fields}.Encode(d)
			if err != nil {
				t.Fatal(err)
			}
			for i := range 2 * len(raw) {
				at, shift := i/2, 4*(i%2)
				before := raw[at]
				for _, half := range []byte{0, 8, 9, 0xA, 0xD, 0xF} {
					raw[at] = before&^(15<<shift) | half<<shift
					sameBothWays(t, d, slow, raw)
				}
				raw[at] = before
			}
		}
	}
}
