// SPDX-License-Identifier: Apache-2.0

package iso8583_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tillmend/tillmend/iso8583"
	"github.com/tillmend/tillmend/iso8583/dialect"
)

// decoded reads one of the vectors.
func decoded(t testing.TB, name string) *iso8583.Message {
	t.Helper()
	for _, v := range vectors(t) {
		if v.name == name {
			var m iso8583.Message
			if !m.Decode(v.dialect, v.raw) {
				t.Fatal(m.Malformed())
			}
			return &m
		}
	}
	t.Fatalf("no vector %s", name)
	return nil
}

// drafted writes a message and reads it.
func drafted(t testing.TB, mti string, fields map[int]string) *iso8583.Message {
	t.Helper()
	d := named(t, "upos")
	b, err := iso8583.Draft{MTI: mti, Header: "603103311108", Fields: fields}.Encode(d)
	if err != nil {
		t.Fatal(err)
	}
	var m iso8583.Message
	if !m.Decode(d, b) {
		t.Fatal(m.Malformed())
	}
	return &m
}

func TestExtractOfAnAnswer(t *testing.T) {
	m := decoded(t, "sale-0210-ipaynow")
	want := iso8583.Extract{
		MTI: 0x0210, Bitmap: 0x703E02810ED08213, Fields: 0x703E02810ED08213,
		Amount: 73700, Trace: 2332, LocalTime: 203217, LocalDate: 827,
		CardDigits: 19, CardFirst6: 620550, CardLast4: 4,
		Function: iso8583.Function{Digits: 14, Type: 22, HasType: true, Batch: 65, HasBatch: true, HasNetwork: true},
		TestMode: false,
	}
	copy(want.RRN[:], "203217491827")
	copy(want.Approval[:], "012345")
	copy(want.Code[:], "00")
	copy(want.TerminalID[:], "T0000001")
	copy(want.MerchantID[:], "898000000000001")
	copy(want.Issuer[:], "01020000")
	copy(want.Acquirer[:], "48031000")
	var got iso8583.Extract
	m.Extract(&got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got.Issuer.String() != "01020000" || (iso8583.Institution{}).String() != "" {
		t.Errorf("issuer %q", got.Issuer)
	}
	for de := range 70 {
		if got.Has(de) != (m.Has(de) && de <= 64) {
			t.Errorf("Has(%d) is %v", de, got.Has(de))
		}
	}
	if (iso8583.Institution{'1', '2', '3', '4', '5', '6', '7', '8', '9', '0', '1'}).String() != "12345678901" {
		t.Error("a full institution is cut")
	}
}

func TestExtractKnowsTheCardOfTheTrack(t *testing.T) {
	var x iso8583.Extract
	decoded(t, "sale-0200-mag").Extract(&x)
	if x.CardDigits != 16 || x.CardFirst6 != 620000 || x.CardLast4 != 5 || !x.HasTrack || x.TrackEncrypted || x.Has(2) {
		t.Errorf("got %+v", x)
	}
	if x.EntryMode != 21 || x.Function.HasNetwork == false {
		t.Errorf("entry mode %d, function %+v", x.EntryMode, x.Function)
	}
}

func TestExtractOfFunctionsOfAnyLength(t *testing.T) {
	for _, tc := range []struct {
		text string
		want iso8583.Function
	}{
		{"22000001", iso8583.Function{Digits: 8, Type: 22, HasType: true, Batch: 1, HasBatch: true}},
		{"00000001003", iso8583.Function{Digits: 11, HasType: true, Batch: 1, HasBatch: true, Network: 3, HasNetwork: true}},
		{"22000399000506001", iso8583.Function{Digits: 17, Type: 22, HasType: true, Batch: 399, HasBatch: true, HasNetwork: true}},
		{"22", iso8583.Function{Digits: 2, Type: 22, HasType: true}},
		{"2", iso8583.Function{Digits: 1}},
	} {
		var x iso8583.Extract
		drafted(t, "0200", map[int]string{60: tc.text}).Extract(&x)
		if x.Function != tc.want {
			t.Errorf("%s: got %+v, want %+v", tc.text, x.Function, tc.want)
		}
	}
}

func TestExtractOfManagement(t *testing.T) {
	const half = "000000012345" + "007" + "000000000100" + "001"
	for _, tc := range []struct {
		name   string
		mti    string
		fields map[int]string
		want   func(x *iso8583.Extract)
	}{
		{"sign-in answer", "0810", map[int]string{60: "00000001003", 62: strings.Repeat("AB", 40)}, func(x *iso8583.Extract) { x.KeyBytes = 40 }},
		{"parameters are no keys", "0810", map[int]string{60: "00000001380", 62: "31"}, func(*iso8583.Extract) {}},
		{"a sign-off has no keys", "0810", map[int]string{60: "00000001002", 62: "31"}, func(*iso8583.Extract) {}},
		{"totals", "0510", map[int]string{48: half + "2" + half + "0"}, func(x *iso8583.Extract) {
			x.Totals[0] = iso8583.Totals{Debit: 12345, Debits: 7, Credit: 100, Credits: 1, Result: 2, Present: true}
			x.Totals[1] = x.Totals[0]
			x.Totals[1].Result = 0
		}},
		{"domestic totals only", "0500", map[int]string{48: half + "0"}, func(x *iso8583.Extract) {
			x.Totals[0] = iso8583.Totals{Debit: 12345, Debits: 7, Credit: 100, Credits: 1, Present: true}
		}},
		{"no totals in a payment", "0200", map[int]string{48: half + "2" + half + "0"}, func(*iso8583.Extract) {}},
		{"original", "0200", map[int]string{61: "0000010001230603"}, func(x *iso8583.Extract) {
			x.Original = iso8583.Original{Batch: 1, Trace: 123, Date: 603, Present: true}
		}},
		{"original without a date", "0200", map[int]string{61: "000001000123"}, func(x *iso8583.Extract) {
			x.Original = iso8583.Original{Batch: 1, Trace: 123, Present: true}
		}},
		{"original too short", "0200", map[int]string{61: "00000100012"}, func(*iso8583.Extract) {}},
		{"one institution", "0210", map[int]string{44: "  123 "}, func(x *iso8583.Extract) { copy(x.Issuer[:], "123") }},
	} {
		m := drafted(t, tc.mti, tc.fields)
		var got iso8583.Extract
		m.Extract(&got)
		want := iso8583.Extract{MTI: got.MTI, Bitmap: got.Bitmap, Fields: got.Fields, HostOrder: 3, Function: got.Function}
		tc.want(&want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
}

func TestExtractOfAStatusReport(t *testing.T) {
	for _, tc := range []struct{ raw, want string }{
		{"011021030041051", "keyboard ok, PIN pad ok, card reader fault, printer ok, display ok"},
		{"0410", "printer ok"},
		{"01111260131", "keyboard ok"}, // settings follow
		{"\x01\x01\x04\x00\x0c\x60", "keyboard ok, printer fault"},
		{"\x011\x040", "keyboard ok, printer fault"},
		{"", ""},
		{"0", ""},
		{"99", ""},
		{"012", ""},
		{"\x01", ""},
		{"061", ""},
	} {
		m := drafted(t, "0820", map[int]string{60: "00000001362", 62: fmt.Sprintf("%X", tc.raw)})
		var x iso8583.Extract
		m.Extract(&x)
		if got := x.Devices.String(); got != tc.want || x.Devices.Reported() != (tc.want != "") {
			t.Errorf("%q: got %q, want %q", tc.raw, got, tc.want)
		}
	}
	if _, known := (iso8583.Devices{}).State(iso8583.Printer); known {
		t.Error("a printer is known without a report")
	}
	if iso8583.Printer.String() != "printer" || iso8583.Device(0).String() != "unknown part" || iso8583.Device(9).String() != "unknown part" {
		t.Error("a part has the wrong name")
	}
}

// TestExtractOfMisplacedFields shows that nothing is taken from fields that may hold
// each other's bytes: the bit of the card number is taken away, so that its digits
// stand where the amount is looked for.
func TestExtractOfMisplacedFields(t *testing.T) {
	raw := chipSale(t)
	raw[15] &^= 0x40
	var m iso8583.Message
	if m.Decode(named(t, "upos"), raw) {
		t.Fatal("taken for sound")
	}
	var x iso8583.Extract
	m.Extract(&x)
	if m.Text(4) == "" {
		t.Fatal("the example does not show what it should")
	}
	if x.Amount != 0 || x.Processing != 0 || x.Trace != 0 || x.CardDigits != 0 || x.MTI != 0x0200 || x.HostOrder != 0 {
		t.Errorf("got %+v", x)
	}
	for de := range m.Fields {
		if text, _ := m.Masked(de); !strings.HasPrefix(text, "(present, ") {
			t.Errorf("field %d of a misplaced message shows %s", de, text)
		}
	}
}

// TestExtractOfWhatIsStillThere shows that fields behind a wrong length prefix are where
// they belong, and that nothing is told of a message whose end is missing: its fields may
// hold each other's bytes, also where they look like a terminal's number.
func TestExtractOfWhatIsStillThere(t *testing.T) {
	var m iso8583.Message
	var x iso8583.Extract
	raw := chipSale(t)
	raw[1]++
	if m.Decode(named(t, "upos"), raw) {
		t.Fatal("taken for sound")
	}
	m.Extract(&x)
	if x.Amount != 12345 || string(x.TerminalID[:]) != "T0000001" {
		t.Errorf("got %+v", x)
	}
	if m.Decode(named(t, "upos"), raw[:200]) {
		t.Fatal("taken for sound")
	}
	m.Extract(&x)
	if x.Amount != 0 || x.TerminalID != [8]byte{} || x.MerchantID != [15]byte{} || x.MTI != 0x0200 || x.Bitmap == 0 {
		t.Errorf("got %+v", x)
	}
}

func TestCardKey(t *testing.T) {
	const pan = "6200000000000005"
	for _, tc := range []struct {
		name   string
		fields map[int]string
		want   string
	}{
		{"field 2", map[int]string{2: pan, 35: "6225000000000014D3012"}, pan},
		{"19 digits", map[int]string{2: "6205500000000000004"}, "6205500000000000004"},
		{"track", map[int]string{35: pan + "D30122010000000000000"}, pan},
		{"track, 6DES and clear", map[int]string{35: pan + "D3012", 53: "2600000000000000"}, pan},
		{"encrypted track", map[int]string{35: pan + "D3012", 53: "2610000000000000"}, ""},
		{"track without a separator", map[int]string{35: pan}, ""},
		{"track of anything", map[int]string{35: "62000000000F0005D3012"}, ""},
		{"number too long", map[int]string{35: "62000000000000000000005D3012"}, ""},
		{"number too short", map[int]string{2: "62000000000"}, ""},
		{"no card", map[int]string{3: "000000"}, ""},
	} {
		m := drafted(t, "0200", tc.fields)
		if got := string(m.CardKey([]byte("key:"))); got != "key:"+tc.want {
			t.Errorf("%s: got %s", tc.name, got)
		}
	}
	cups := decoded(t, "cups-0200-9")
	if got := string(cups.CardKey(nil)); got != "6224242000000021" {
		t.Errorf("field 2 in characters gives %s", got)
	}
	ascii := named(t, "upos-ascii")
	b, err := iso8583.Draft{MTI: "0200", Fields: map[int]string{35: pan + "=3012"}}.Encode(ascii)
	if err != nil {
		t.Fatal(err)
	}
	var m iso8583.Message
	if !m.Decode(ascii, b) || string(m.CardKey(nil)) != pan {
		t.Errorf("a track in characters gives %s", m.CardKey(nil))
	}
}

func TestNumberAndUnits(t *testing.T) {
	m := decoded(t, "sale-0210-ipaynow")
	for de, want := range map[int]uint64{4: 73700, 11: 2332, 23: 1, 32: 48031000, 2: 6205500000000000004} {
		if got, ok := m.Number(de); !ok || got != want {
			t.Errorf("field %d: %d, %v", de, got, ok)
		}
	}
	for _, de := range []int{0, 1, 3 + 64, 22, 39, 55, 128, 129, -1} {
		if _, ok := m.Number(de); ok {
			t.Errorf("field %d is a number", de)
		}
	}
	for de, want := range map[int]int{2: 19, 32: 8, 55: 5, 60: 14, 64: 8, 22: 0} {
		if got := m.Units(de); got != want {
			t.Errorf("field %d: %d units, want %d", de, got, want)
		}
	}
}

func TestWhatIsAroundAndWhatIsAbsent(t *testing.T) {
	m := decoded(t, "sale-0210-ipaynow")
	if m.Raw(22) != nil || len(m.Raw(60)) != 7 || m.Text(22) != "" {
		t.Error("an absent field has content")
	}
	if m.Dialect().Name != "upos" || m.Bitmap() != 0x703E02810ED08213 || m.TestMode() || m.HostOrder() != 0 {
		t.Error("what is around the message is read wrongly")
	}
	for range m.Fields {
		break // stopping early is allowed
	}
}

func TestZeroMessageIsEmpty(t *testing.T) {
	var m iso8583.Message
	var x iso8583.Extract
	m.Extract(&x)
	if m.Has(2) || m.MTI() != 0 || m.Text(2) != "" || x != (iso8583.Extract{}) || m.View().MTI != "" || m.Malformed() != nil {
		t.Error("a message that was never decoded has content")
	}
}

func TestReadingAllocatesNothing(t *testing.T) {
	raw := chipSale(t)
	broken := append([]byte(nil), raw...)
	broken[40] = 0xFF
	d := named(t, "upos")
	var m iso8583.Message
	var x iso8583.Extract
	var text [64]byte
	for name, do := range map[string]func(){
		"sound":     func() { m.Decode(d, raw); m.Extract(&x) },
		"cut":       func() { m.Decode(d, raw[:100]); m.Extract(&x) },
		"malformed": func() { m.Decode(d, broken); m.Extract(&x); _ = m.Malformed().Field },
		"accessors": func() {
			m.Decode(d, raw)
			_ = m.AppendText(text[:0], 41)
			_, _ = m.Number(4)
			_ = m.CardKey(text[:0])
		},
	} {
		if n := testing.AllocsPerRun(100, do); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// fieldNames of every field that a shipped dialect has must be found or agreed on.
func TestFieldNames(t *testing.T) {
	upos := named(t, "upos")
	for de := 2; de <= upos.MaxField; de++ {
		zh, en := iso8583.FieldName(de)
		if named := zh != "" && en != ""; !named && upos.Fields[de].Class != dialect.Undefined && (de < 40 || de > 47) {
			t.Errorf("field %d has no name", de)
		}
	}
	if zh, en := iso8583.FieldName(41); zh != "受卡机终端标识码" || en != "terminal" {
		t.Errorf("field 41 is called %s, %s", zh, en)
	}
}
