// SPDX-License-Identifier: Apache-2.0

package iso8583_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tillmend/tillmend/iso8583"
	"github.com/tillmend/tillmend/iso8583/dialect"
	"github.com/tillmend/tillmend/iso8583/frame"
)

// known are all shipped dialects.
func known(t testing.TB) (list []*dialect.Dialect) {
	t.Helper()
	for _, name := range dialect.Names() {
		list = append(list, named(t, name))
	}
	return list
}

func TestDetectFindsEveryVector(t *testing.T) {
	for _, v := range vectors(t) {
		d := iso8583.Detect(v.raw, known(t))
		fit, ok := d.Best()
		if !ok {
			t.Errorf("%s: nothing fits; %+v", v.name, d.Failed[0])
			continue
		}
		if fit.Dialect.Name != v.dialect.Name || fit.Dialect.Frame != v.dialect.Frame || fit.Fields != len(v.fields) {
			t.Errorf("%s: read as %s in %+v with %d fields", v.name, fit.Dialect.Name, fit.Dialect.Frame, fit.Fields)
		}
		if text := d.Ambiguous(); text != "" {
			t.Errorf("%s: %s", v.name, text)
		}
		if len(d.Fits)+len(d.Failed) < 100 {
			t.Errorf("%s: only %d candidates", v.name, len(d.Fits)+len(d.Failed))
		}
	}
}

func TestDetectFindsTheFrame(t *testing.T) {
	upos := named(t, "upos")
	for _, f := range []frame.Format{
		{Length: frame.Binary2, TPDU: true, ANI: 14, Header: 6},
		{Length: frame.BCD2, TPDU: true, Header: 6},
		{Length: frame.ASCII4, LengthCountsSelf: true, TPDU: true, Header: 6},
		{Length: frame.Binary2},
		{TPDU: true},
	} {
		d := upos.WithFrame(f)
		b, err := iso8583.Draft{MTI: "0800", Fields: map[int]string{11: "000123", 41: "T0000001", 60: "00000001003"}}.Encode(d)
		if err != nil {
			t.Fatal(err)
		}
		fit, ok := iso8583.Detect(b, []*dialect.Dialect{upos}).Best()
		if !ok || fit.Dialect.Frame != f {
			t.Errorf("%+v is taken for %+v", f, fit.Dialect)
		}
		var m iso8583.Message
		if !m.Decode(fit.Dialect, b) || m.Text(11) != "000123" {
			t.Errorf("%+v: the dialect that was found does not read the message", f)
		}
	}
}

func TestDetectSaysWhatTheLengthCounts(t *testing.T) {
	for _, tc := range []struct {
		name   string
		prefix func(rest int) int
		want   string
	}{
		{"after the TPDU", func(n int) int { return n - 5 }, "the length prefix counts only the part after the TPDU"},
		{"after the header", func(n int) int { return n - 11 }, "the length prefix counts only the message after TPDU and header"},
		{"low byte first", func(n int) int { return n<<8&0xFF00 | n>>8 }, "the length prefix has its low byte first"},
		{"cut short", func(n int) int { return n + 7 }, "the length prefix says 7 bytes more than follow: the frame is cut short"},
		{"itself too", func(n int) int { return n + 2 }, "the length prefix counts itself too"},
		{"something added", func(n int) int { return n - 1 }, "the length prefix says 1 byte fewer than follow: there is more than one frame, or something was added"},
	} {
		raw := chipSale(t)
		n := tc.prefix(len(raw) - 2)
		raw[0], raw[1] = byte(n>>8), byte(n)
		d := iso8583.Detect(raw, known(t))
		if !slices.ContainsFunc(d.Failed, func(c iso8583.Candidate) bool {
			return c.Dialect == "upos" && c.Frame == named(t, "upos").Frame && c.Reason == tc.want
		}) {
			t.Errorf("%s: %q is not among the reasons", tc.name, tc.want)
		}
	}
}

func TestDetectExplainsWhatDoesNotFit(t *testing.T) {
	raw := chipSale(t)
	raw[8] = 0xA1 // the header
	d := iso8583.Detect(raw, []*dialect.Dialect{named(t, "upos")})
	if len(d.Fits) != 0 || d.Failed[0].Reason != "the header is not decimal" {
		t.Errorf("got %+v", d.Failed[0])
	}
	raw = chipSale(t)
	raw[13] = 0x92
	if d = iso8583.Detect(raw, []*dialect.Dialect{named(t, "upos")}); len(d.Fits) != 0 || !strings.Contains(d.Failed[0].Reason, "1987") {
		t.Errorf("got %+v", d.Failed[0])
	}
	if _, ok := iso8583.Detect(nil, known(t)).Best(); ok {
		t.Error("nothing is taken for a message")
	}
}

func TestDetectSaysWhenItCannotTell(t *testing.T) {
	ascii := named(t, "iso87-ascii")
	b, err := iso8583.Draft{MTI: "0800", Fields: map[int]string{11: "000123"}}.Encode(ascii)
	if err != nil {
		t.Fatal(err)
	}
	d := iso8583.Detect(b, known(t))
	if got, want := d.Ambiguous(), "these bytes read just as well as iso87-ascii (length binary2); a message with more fields would tell"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
