// SPDX-License-Identifier: Apache-2.0

package frame_test

import (
	"encoding/hex"
	"errors"
	"testing"

	"github.com/tillmend/tillmend/iso8583/frame"
)

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var upos = frame.Format{Length: frame.Binary2, TPDU: true, Header: 6}

func TestParseFindsTheParts(t *testing.T) {
	for _, tc := range []struct {
		name                    string
		format                  frame.Format
		hex                     string
		tpdu, ani, header, body string
		length, order, state    int
	}{
		{"terminal", upos, "000D" + "6000050000" + "603113311108" + "0800", "6000050000", "", "603113311108", "0800", 13, 3, 1},
		{
			"with a caller's number",
			frame.Format{Length: frame.Binary2, TPDU: true, ANI: 14, Header: 6},
			"001B" + "6000010000" + "1111111111111111111111111111" + "602110000000" + "0800",
			"6000010000", "1111111111111111111111111111", "602110000000", "0800", 27, 0, 1,
		},
		{"decimal prefix that counts itself", frame.Format{Length: frame.BCD2, LengthCountsSelf: true, TPDU: true}, "0009" + "6000050000" + "0800", "6000050000", "", "", "0800", 7, 0, 0},
		{"characters", frame.Format{Length: frame.ASCII4}, "30303032" + "0800", "", "", "", "0800", 2, 0, 0},
		{"bare", frame.Format{}, "0800", "", "", "", "0800", 2, 0, 0},
	} {
		f, err := tc.format.Parse(unhex(t, tc.hex))
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
		}
		for part, pair := range map[string][2]string{
			"TPDU": {hex.EncodeToString(f.TPDU()), tc.tpdu}, "ANI": {hex.EncodeToString(f.ANI()), tc.ani},
			"header": {hex.EncodeToString(f.Header()), tc.header}, "body": {hex.EncodeToString(f.Body()), tc.body},
		} {
			if pair[0] != pair[1] {
				t.Errorf("%s: %s is %s, want %s", tc.name, part, pair[0], pair[1])
			}
		}
		if f.Length() != tc.length || int(f.HostOrder()) != tc.order || int(f.TerminalState()) != tc.state {
			t.Errorf("%s: length %d, order %d, state %d", tc.name, f.Length(), f.HostOrder(), f.TerminalState())
		}
		if f.BodyOffset()+len(f.Body()) != len(f.Bytes()) {
			t.Errorf("%s: the body begins at %d", tc.name, f.BodyOffset())
		}
	}
}

func TestParseNamesTheFault(t *testing.T) {
	decimal := frame.Format{Length: frame.BCD2}
	for _, tc := range []struct {
		format frame.Format
		hex    string
		want   frame.Fault
	}{
		{upos, "00", frame.Short},
		{upos, "000160", frame.Short},
		{upos, "000D" + "6000050000" + "603100311108" + "08", frame.PrefixAhead},
		{upos, "000D" + "6000050000" + "603100311108" + "080000", frame.PrefixBehind},
		{upos, "000D" + "6100050000" + "603100311108" + "0800", frame.NoTPDU},
		{decimal, "000A", frame.PrefixNotDecimal},
		{frame.Format{Length: frame.ASCII4}, "3030303A", frame.PrefixNotDecimal},
		{frame.Format{Length: frame.Binary2, LengthCountsSelf: true}, "0001", frame.PrefixTooSmall},
	} {
		_, err := tc.format.Parse(unhex(t, tc.hex))
		var got frame.Fault
		if !errors.As(err, &got) || got != tc.want {
			t.Errorf("%s: got %v, want %v", tc.hex, err, tc.want)
		}
	}
	if _, err := (frame.Format{}).Parse(make([]byte, frame.MaxFrame+1)); !errors.Is(err, frame.TooLong) {
		t.Errorf("a frame too long gives %v", err)
	}
}

func TestNamesOfLengthsReadBack(t *testing.T) {
	for l := frame.None; l <= frame.ASCII4; l++ {
		if got, ok := frame.ParseLength(l.String()); !ok || got != l {
			t.Errorf("%v reads back as %v", l, got)
		}
	}
	if _, ok := frame.ParseLength("binary4"); ok || frame.Length(99).String() != "unknown" {
		t.Error("an unknown length has a name")
	}
}

func TestParseAllocatesNothing(t *testing.T) {
	good, bad := unhex(t, "000D6000050000603100311108"+"0800"), unhex(t, "000E6000050000603100311108"+"0800")
	if n := testing.AllocsPerRun(100, func() {
		if _, err := upos.Parse(good); err != nil {
			t.Error(err)
		}
		if _, err := upos.Parse(bad); err == nil {
			t.Error("a wrong length is accepted")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
