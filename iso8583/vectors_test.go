// SPDX-License-Identifier: Apache-2.0

package iso8583_test

import (
	"encoding/hex"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/tillmend/tillmend/iso8583"
	"github.com/tillmend/tillmend/iso8583/dialect"
	"github.com/tillmend/tillmend/iso8583/frame"
)

// vector is one message of testdata/vectors.tsv.
type vector struct {
	name    string
	dialect *dialect.Dialect
	raw     []byte
	fields  map[int]string // text, or hexadecimal where inHex
	inHex   map[int]bool
}

// vectors reads the test messages.
func vectors(t testing.TB) []vector {
	t.Helper()
	text, err := os.ReadFile("testdata/vectors.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var list []vector
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		list = append(list, parseVector(t, strings.TrimSuffix(line, "\n")))
	}
	if len(list) != 25 {
		t.Fatalf("%d vectors, want 25", len(list))
	}
	return list
}

func parseVector(t testing.TB, line string) vector {
	t.Helper()
	col := strings.Split(line, "\t")
	raw, err := hex.DecodeString(col[3])
	if err != nil {
		t.Fatalf("%s: %v", col[0], err)
	}
	v := vector{name: col[0], raw: raw, fields: map[int]string{}, inHex: map[int]bool{}}
	f, ok := map[string]frame.Format{
		"full": {Length: frame.Binary2, TPDU: true, Header: 6},
		"tpdu": {TPDU: true, Header: 6},
		"bare": {},
	}[col[2]]
	if !ok {
		t.Fatalf("%s: frame %q", v.name, col[2])
	}
	v.dialect = named(t, col[1]).WithFrame(f)
	for part := range strings.SplitSeq(col[4], "|") {
		at := strings.IndexAny(part, "=:")
		de, err := strconv.Atoi(part[:at])
		if err != nil {
			t.Fatalf("%s: %v", v.name, err)
		}
		v.fields[de] = strings.ReplaceAll(part[at+1:], "%7C", "|")
		v.inHex[de] = part[at] == ':'
	}
	return v
}

func named(t testing.TB, name string) *dialect.Dialect {
	t.Helper()
	d, ok := dialect.Named(name)
	if !ok {
		t.Fatalf("no dialect %q", name)
	}
	return d
}

func TestVectorsDecodeToTheirFields(t *testing.T) {
	var m iso8583.Message
	for _, v := range vectors(t) {
		if !m.Decode(v.dialect, v.raw) {
			t.Errorf("%s: %v", v.name, m.Malformed())
			continue
		}
		n := 0
		for de := range m.Fields {
			n++
			got := m.Text(de)
			if v.inHex[de] {
				got = strings.ToUpper(hex.EncodeToString(m.Raw(de)))
			}
			if got != v.fields[de] {
				t.Errorf("%s: field %d: got %q, want %q", v.name, de, got, v.fields[de])
			}
		}
		if n != len(v.fields) {
			t.Errorf("%s: %d fields, want %d", v.name, n, len(v.fields))
		}
	}
}
