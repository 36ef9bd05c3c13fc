// SPDX-License-Identifier: Apache-2.0

package iso8583_test

import (
	"bytes"
	"encoding/hex"
	"maps"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tillmend/tillmend/iso8583"
	"github.com/tillmend/tillmend/iso8583/dialect"
	"github.com/tillmend/tillmend/iso8583/frame"
)

// TestVectorsEncodeToTheirBytes writes every message again from its fields.
func TestVectorsEncodeToTheirBytes(t *testing.T) {
	var m iso8583.Message
	for _, v := range vectors(t) {
		if !m.Decode(v.dialect, v.raw) {
			t.Fatalf("%s: %v", v.name, m.Malformed())
		}
		d := iso8583.Draft{
			MTI: m.View().MTI, Fields: map[int]string{},
			TPDU: hex.EncodeToString(m.Frame().TPDU()), Header: hex.EncodeToString(m.Frame().Header()),
		}
		for de := range m.Fields {
			d.Fields[de] = m.Text(de)
		}
		got, err := d.Encode(v.dialect)
		if err != nil {
			t.Errorf("%s: %v", v.name, err)
			continue
		}
		if !bytes.Equal(got, v.raw) {
			t.Errorf("%s:\ngot  %X\nwant %X", v.name, got, v.raw)
		}
	}
}

// content draws text that the field may hold.
func content(t *rapid.T, f dialect.Field) string {
	units := f.Max
	if f.Length != dialect.Fixed {
		units = rapid.IntRange(0, min(f.Max, 60)).Draw(t, "units")
	}
	letters := "0123456789"
	switch f.Class {
	case dialect.N, dialect.Undefined:
	case dialect.Z:
		letters = "0123456789ABCDEF"
	case dialect.AN:
		letters = "0123456789ABCXYZabcxyz "
	case dialect.ANS:
		letters = "0123456789ABCxyz -=/\xd6\xd0"
	case dialect.B:
		units *= 2
		letters = "0123456789ABCDEF"
	}
	if f.Packing == dialect.BCD && f.Unit == dialect.Bytes {
		units *= 2
	}
	var out strings.Builder
	for range units {
		out.WriteByte(letters[rapid.IntRange(0, len(letters)-1).Draw(t, "c")])
	}
	return out.String()
}

// odd is a dialect with what no shipped one has.
const odd = `name: odd
extends: iso87-ascii
fields:
  2: {class: n, ll: 19, prefix: bcd, packing: bcd, unit: digits, align: right, pad: F}
  3: {class: n, size: 5, packing: bcd, unit: digits, align: left, pad: F}
  4: {class: n, size: 11, packing: bcd, unit: digits, pad: F}
  11: {class: n, size: 14, packing: bcd, unit: digits}
  12: {class: n, ll: 12, prefix: bcd, packing: bcd, unit: digits}
  22: {class: n, size: 9, packing: bcd, unit: digits}
  35: {class: z, ll: 37, prefix: bcd, packing: bcd, unit: digits, align: right}
  43: {class: ans, size: 20}
  48: {class: n, ll: 30, prefix: binary, packing: bcd, unit: bytes}
  53: {class: n, size: 40, packing: bcd, unit: digits}
  60: {class: ans, lll: 2000, prefix: binary}
  61: {class: z, lll: 40, prefix: bcd, packing: bcd, unit: digits}
  62: {class: b, ll: 40, prefix: binary}
`

func oddOne(t testing.TB) *dialect.Dialect {
	t.Helper()
	d, err := dialect.Load(strings.NewReader(odd), "odd.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestWritingAndReadingAgree is the property that holds for every dialect and frame.
func TestWritingAndReadingAgree(t *testing.T) {
	all := append(known(t), oddOne(t))
	frames := []frame.Format{
		{},
		{Length: frame.Binary2, TPDU: true, Header: 6},
		{Length: frame.BCD2, LengthCountsSelf: true, TPDU: true, ANI: 14, Header: 6},
		{Length: frame.ASCII4, Header: 46},
	}
	var m iso8583.Message
	rapid.Check(t, func(t *rapid.T) {
		d := rapid.SampledFrom(all).Draw(t, "dialect").WithFrame(rapid.SampledFrom(frames).Draw(t, "frame"))
		draft := iso8583.Draft{MTI: "0200", Fields: map[int]string{}}
		for range rapid.IntRange(0, 12).Draw(t, "fields") {
			de := rapid.IntRange(2, d.MaxField).Draw(t, "de")
			if d.Fields[de].Class != dialect.Undefined {
				draft.Fields[de] = content(t, d.Fields[de])
			}
		}
		b, err := draft.Encode(d)
		if err != nil {
			t.Fatal(err)
		}
		if !m.Decode(d, b) {
			t.Fatalf("%s: %v in %X", d.Name, m.Malformed(), b)
		}
		got := map[int]string{}
		for de := range m.Fields {
			got[de] = m.Text(de)
		}
		if m.MTI() != 0x0200 || !maps.Equal(got, draft.Fields) {
			t.Fatalf("%s: got %v, want %v", d.Name, got, draft.Fields)
		}
	})
}

func TestEncodeNamesEveryMistakeAndNoContent(t *testing.T) {
	const secret = "6200000000000005"
	_, err := iso8583.Draft{
		MTI: "20", TPDU: "6100050000", Header: "60", ANI: "11",
		Fields: map[int]string{
			2: secret + secret, 3: "12345", 4: secret[:11] + "x", 35: secret + "=3012", 41: "T000000\x01", 52: secret + "0", 53: secret + "1", 5: "1", 65: "1", 1: "1",
		},
	}.Encode(named(t, "upos"))
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{
		"encode upos: TPDU: expected 60 at the beginning", "header: expected 6 bytes in hexadecimal", "ANI: expected 0 bytes in hexadecimal",
		"message type: expected four digits", "field 1: not in dialect upos", "field 2: expected at most 19, got 32", "field 3: expected exactly 6, got 5",
		"field 4: expected digits only", "field 5: not in dialect upos", "field 35: expected digits, D and other hexadecimal characters",
		"field 41: expected characters only", "field 52: expected bytes in hexadecimal", "field 53: expected exactly 16, got 17", "field 65: not in dialect upos",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("nothing of %q in:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "0000000") {
		t.Errorf("content in %v", err)
	}
}

func TestEncodeRefusesAFrameTooLongForItsPrefix(t *testing.T) {
	d := named(t, "iso87-ascii").WithFrame(frame.Format{Length: frame.BCD2})
	fields := map[int]string{}
	for de := 104; de <= 127; de++ {
		fields[de] = strings.Repeat("x", min(d.Fields[de].Max, 999))
	}
	if _, err := (iso8583.Draft{MTI: "0200", Fields: fields}).Encode(d); err == nil || !strings.Contains(err.Error(), "at most 9999") {
		t.Errorf("got %v", err)
	}
}
