// SPDX-License-Identifier: Apache-2.0

package iso8583_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tillmend/tillmend/iso8583"
)

func TestViewIsTheDocumentedJSON(t *testing.T) {
	for _, tc := range []struct{ name, want string }{
		{"signin-0800-a", `{"dialect":"upos","frame":{"length":60,"tpdu":"6000009733","header":"602200000000"},"mti":"0800","bitmap":"0020000000C00012",` +
			`"fields":{"11":"021806","41":"T0000001","42":"898000000000001","60":"00000001001","63":"(present, 3 characters)"},` +
			`"de60":{"type":"00","batch":"000001","function":"001"},"malformed":null}`},
		{"sale-0200-mag-b", `{"dialect":"upos","frame":{"length":99,"tpdu":"","header":""},"mti":"0200","bitmap":"302004C020C09811",` +
			`"fields":{"11":"001834","22":"021","25":"00","26":"06","3":"000000","35":"(present, 32 characters)","4":"000000000051",` +
			`"41":"T0000001","42":"898000000000001","49":"156","52":"(present, 8 bytes)","53":"2600000000000000","60":"22000001","64":"(present, 8 bytes)"},` +
			`"de60":{"type":"22","batch":"000001","function":""},"malformed":null}`},
		{"basei-0800-network-echo", `{"dialect":"basei","frame":{"length":94,"tpdu":"","header":""},"mti":"0800","bitmap":"02380100008100000400000000000000",` +
			`"fields":{"11":"654321","12":"161616","13":"0604","24":"001","41":"TERMNET1","48":"(present, 15 characters)","7":"0604161616","70":"301"},` +
			`"de60":null,"malformed":null}`},
	} {
		text, err := json.Marshal(decoded(t, tc.name).View())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tc.want, string(text)); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
}

func TestViewOfAMalformedMessage(t *testing.T) {
	raw := chipSale(t)
	var m iso8583.Message
	if m.Decode(named(t, "upos"), append(raw, 0)) {
		t.Fatal("taken for sound")
	}
	want := &iso8583.MalformedView{Reason: "the length prefix says fewer bytes than follow"}
	v := m.View()
	if diff := cmp.Diff(want, v.Malformed); diff != "" {
		t.Error(diff)
	}
	if v.MTI != "0200" || v.DE60 != nil || v.Fields["41"] != "(present, 8 characters)" {
		t.Errorf("got %+v", v)
	}
}

func TestMaskedShowsOnlyWhatIsHarmless(t *testing.T) {
	for _, tc := range []struct {
		name, mti string
		fields    map[int]string
		de        int
		want      string
	}{
		{"card number", "0200", map[int]string{2: "6200000000000005"}, 2, "620000******0005"},
		{"short card number", "0200", map[int]string{2: "6200005"}, 2, "(present, 7 digits)"},
		{"expiry", "0200", map[int]string{14: "3012"}, 14, "(present, 4 digits)"},
		{"card sequence", "0200", map[int]string{23: "001"}, 23, "(present, 3 digits)"},
		{"track 2", "0200", map[int]string{35: "6200000000000005D3012"}, 35, "(present, 21 characters)"},
		{"track 3", "0200", map[int]string{36: "996200000000000005D"}, 36, "(present, 19 characters)"},
		{"PIN block", "0200", map[int]string{52: "0123456789ABCDEF"}, 52, "(present, 8 bytes)"},
		{"security control", "0200", map[int]string{53: "2600000000000000"}, 53, "2600000000000000"},
		{"balances", "0210", map[int]string{54: "1"}, 54, "(present, 1 character)"},
		{"institutions", "0210", map[int]string{44: "90310000   03025840   "}, 44, "90310000   03025840   "},
		{"a control character is no text", "0210", map[int]string{44: "90310000   \xd6\xd0"}, 44, "90310000   .."},
		{"bill", "0200", map[int]string{48: "6200000000000005"}, 48, "(present, 16 digits)"},
		{"totals", "0510", map[int]string{48: strings.Repeat("01", 31)}, 48, strings.Repeat("01", 31)},
		{"count of a batch", "0320", map[int]string{48: "0004"}, 48, "0004"},
		{"records of a batch hold card numbers", "0320", map[int]string{48: "0100000123" + "6200000000000005"}, 48, "(present, 26 digits)"},
		{"scan codes", "0200", map[int]string{59: "A40251234"}, 59, "(present, 9 characters)"},
		{"original", "0200", map[int]string{61: "00000100012306030162000"}, 61, "0000010001230603"},
		{"original without date", "0200", map[int]string{61: "0000010001230"}, 61, "000001000123"},
		{"original too short", "0200", map[int]string{61: "00000100012"}, 61, "(present, 11 digits)"},
		{"card verification number", "0200", map[int]string{60: "22000001", 62: "3932"}, 62, "(present, 2 bytes)"},
		{"keys", "0810", map[int]string{60: "00000001003", 62: strings.Repeat("AB", 40)}, 62, "(working keys, 40 bytes)"},
		{"parameters", "0810", map[int]string{60: "00000001380", 62: "31"}, 62, "(present, 1 byte)"},
		{"status", "0820", map[int]string{60: "00000001362", 62: "303430"}, 62, "printer fault"},
		{"status of nothing", "0820", map[int]string{60: "00000001362", 62: "3939"}, 62, "(present, 2 bytes)"},
		{"operator", "0800", map[int]string{63: "01 "}, 63, "(present, 3 characters)"},
		{
			"chip", "0200",
			map[int]string{55: "9F360200475A0862000000000000059505000000040084081122334455667788"},
			55,
			"9F36=0047 95=0000000400 84=1122334455667788 (1 tag not shown)",
		},
		{"a harmless tag of the wrong size", "0200", map[int]string{55: "9F3608620000000000000595050000000400"}, 55, "95=0000000400 (1 tag not shown)"},
		{"only secret tags", "0200", map[int]string{55: "5F24033012315F340101"}, 55, "(2 tags not shown)"},
		{"long length", "0200", map[int]string{55: "5A8108620000000000000595050000000400"}, 55, "95=0000000400 (1 tag not shown)"},
		{"no tags", "0200", map[int]string{55: "9F"}, 55, "(present, 1 byte)"},
		{"no length", "0200", map[int]string{55: "9F36"}, 55, "(present, 2 bytes)"},
		{"tag cut", "0200", map[int]string{55: "9F360500"}, 55, "(present, 4 bytes)"},
		{"odd length", "0200", map[int]string{55: "9F368000"}, 55, "(present, 4 bytes)"},
		{"tag too long", "0200", map[int]string{55: "9F81818181810100"}, 55, "(present, 8 bytes)"},
	} {
		got, ok := drafted(t, tc.mti, tc.fields).Masked(tc.de)
		if !ok || got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
	if text, ok := drafted(t, "0800", map[int]string{3: "000000"}).Masked(4); ok || text != "" {
		t.Errorf("an absent field shows %q", text)
	}
}

func TestMaskedHidesPrivateFieldsOfOtherDialects(t *testing.T) {
	m := decoded(t, "basei-0420-reversal-advice")
	for de, want := range map[int]string{
		2: "411111******1111", 35: "(present, 34 characters)", 48: "(present, 39 characters)", 62: "(present, 26 characters)",
		90: "(present, 42 digits)", 42: "MERCHANT0000002", 7: "0604151515",
	} {
		if got, _ := m.Masked(de); got != want {
			t.Errorf("field %d: got %q, want %q", de, got, want)
		}
	}
}

// TestNothingSecretIsShown looks for whole secrets in everything that may be shown.
func TestNothingSecretIsShown(t *testing.T) {
	var m iso8583.Message
	for _, v := range vectors(t) {
		if !m.Decode(v.dialect, v.raw) {
			t.Fatal(m.Malformed())
		}
		text, err := json.Marshal(m.View())
		if err != nil {
			t.Fatal(err)
		}
		var x iso8583.Extract
		m.Extract(&x)
		shown := fmt.Sprintf("%s %v %+v %v %v %v", text, x, x, m.PAN(), m.Track(), iso8583.Describe(v.raw))
		for _, de := range []int{2, 35, 52} {
			if secret := v.fields[de]; len(secret) > 3 && strings.Contains(shown, secret[3:]) {
				t.Errorf("%s: field %d in %s", v.name, de, shown)
			}
		}
	}
}

func TestDescribeTellsSizesAndKinds(t *testing.T) {
	for _, tc := range []struct {
		raw, want string
	}{
		{
			"\x00\x3C\x60\x00\x05\x00\x00\x60\x31\x00\x31\x11\x08\x08\x00\x00\x20\x00\x00\x00\xC0\x00\x12T000",
			`27 bytes, start "003C6000050000603100311108", type "0800", bitmap "0020000000C00012", classes x8 d1 x1 d1 x12 a1 d3`,
		},
		{"", `0 bytes, start "", type "", bitmap "", classes `},
		{"\x62\x00\x00\x00\x00\x00\x00\x05", `8 bytes, start "", type "", bitmap "", classes a1 x7`},
		{"02006200000000000005", `20 bytes, start "", type "0200", bitmap "3632303030303030", classes d20`},
		{"9999620000000000", `16 bytes, start "", type "", bitmap "", classes d16`},
	} {
		if got := iso8583.Describe([]byte(tc.raw)).String(); got != tc.want {
			t.Errorf("got  %s\nwant %s", got, tc.want)
		}
	}
	d := iso8583.Describe(chipSale(t)[:60])
	if d.Length != 60 || d.Start != "010D6000050000613100311108" || d.MTI != "0200" || len(d.Bitmap) != 16 {
		t.Errorf("got %+v", d)
	}
	if d = iso8583.Describe(chipSale(t)[2:60]); d.Start != "6000050000613100311108" || d.MTI != "0200" {
		t.Errorf("got %+v", d)
	}
	if d = iso8583.Describe([]byte(strings.Repeat("1A", 1000))); !strings.HasSuffix(d.Classes, " …") || len(d.Classes) > 3*256+4 {
		t.Errorf("%d characters of classes", len(d.Classes))
	}
}
