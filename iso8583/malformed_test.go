// SPDX-License-Identifier: Apache-2.0

package iso8583_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tillmend/tillmend/iso8583"
	"github.com/tillmend/tillmend/iso8583/frame"
)

func TestEveryCutIsMalformed(t *testing.T) {
	var m iso8583.Message
	for _, v := range vectors(t) {
		for n := range v.raw {
			if m.Decode(v.dialect, v.raw[:n]) {
				t.Errorf("%s: cut to %d of %d bytes and taken for sound", v.name, n, len(v.raw))
				continue
			}
			bad := *m.Malformed()
			if bad.Offset < 0 || bad.Offset > n {
				t.Errorf("%s: cut to %d bytes: %v is outside", v.name, n, bad)
			}
			if v.dialect.Frame.Length != frame.None && n >= 2 && bad != (iso8583.Malformed{Reason: iso8583.FrameLengthAhead}) {
				t.Errorf("%s: cut to %d bytes: %v, want the length prefix named", v.name, n, bad)
			}
		}
	}
}

func TestEveryAdditionIsMalformed(t *testing.T) {
	var m iso8583.Message
	for _, v := range vectors(t) {
		for n := 1; n <= 3; n++ {
			for _, fill := range []byte{0, '0', 0xFF} {
				longer := append(slices.Clone(v.raw), bytes.Repeat([]byte{fill}, n)...)
				if m.Decode(v.dialect, longer) {
					t.Errorf("%s: %d bytes added and taken for sound", v.name, n)
					continue
				}
				want := iso8583.Malformed{Offset: len(v.raw), Reason: iso8583.Trailing}
				if v.dialect.Frame.Length != frame.None {
					want = iso8583.Malformed{Reason: iso8583.FrameLengthBehind}
				}
				if got := *m.Malformed(); got != want {
					t.Errorf("%s: %d bytes added: %v, want %v", v.name, n, got, want)
				}
				if !m.Has(39) && !m.Has(11) && !m.Has(12) {
					t.Errorf("%s: %d bytes added: no field can be read", v.name, n)
				}
			}
		}
	}
}

func TestWrongLengthPrefixIsMalformed(t *testing.T) {
	var m iso8583.Message
	for _, v := range vectors(t) {
		if v.dialect.Frame.Length == frame.None {
			continue
		}
		right := int(v.raw[0])<<8 | int(v.raw[1])
		for _, wrong := range []int{0, 1, right - 11, right - 5, right - 1, right + 1, right + 2, right << 8 & 0xFF00, 0xFFFF} {
			raw := slices.Clone(v.raw)
			raw[0], raw[1] = byte(wrong>>8), byte(wrong)
			want := iso8583.Malformed{Reason: iso8583.FrameLengthBehind}
			if wrong > right {
				want.Reason = iso8583.FrameLengthAhead
			}
			if m.Decode(v.dialect, raw) {
				t.Errorf("%s: length %d instead of %d taken for sound", v.name, wrong, right)
			} else if got := *m.Malformed(); got != want {
				t.Errorf("%s: length %d instead of %d: %v", v.name, wrong, right, got)
			}
			if got, want := m.MTI(), uint16(raw[13])<<8|uint16(raw[14]); got != want {
				t.Errorf("%s: message type %04x, want %04x: the message behind a wrong length is not read", v.name, got, want)
			}
		}
	}
}

// stillExact are the wrong bitmaps that no decoder can tell from right ones, because the
// bytes are used up exactly all the same and every field holds what it may. None is in a
// message of a terminal.
var stillExact = map[string]string{
	"cups-0200-9 bit 8":  "eight digits of field 7 or 11 pass for a field of eight digits; two announced lengths make up for it",
	"cups-0200-9 bit 9":  "the same",
	"cups-0200-9 bit 10": "the same",
	"cups-0210-1 bit 8":  "the same",
	"cups-0210-1 bit 9":  "the same",
	"cups-0210-1 bit 10": "the same",
	"cups-0200-9 bit 64": "eight characters of field 100 pass for field 64, and the rest of it for an empty one",
	"cups-0200-9 bit 96": "eight characters of field 100 pass for field 96, and the rest of it for an empty one",

	"basei-0420-reversal-advice bit 1":       "the second bitmap is always there, and the bit that announces it means nothing",
	"basei-0800-network-echo bit 1":          "the same",
	"basei-0810-network-echo-response bit 1": "the same",
}

func TestEveryWrongBitIsMalformed(t *testing.T) {
	var m iso8583.Message
	seen := map[string]bool{}
	for _, v := range vectors(t) {
		at, bits := bitmapAt(v)
		for de := 1; de <= bits; de++ {
			raw := slices.Clone(v.raw)
			if v.dialect.HexBitmap {
				digit := at + (de-1)/4
				value := strings.IndexByte("0123456789ABCDEF", raw[digit]) ^ 8>>((de-1)%4)
				raw[digit] = "0123456789ABCDEF"[value]
			} else {
				raw[at+(de-1)/8] ^= 0x80 >> ((de - 1) % 8)
			}
			if !m.Decode(v.dialect, raw) {
				continue
			}
			name := fmt.Sprintf("%s bit %d", v.name, de)
			if seen[name] = true; stillExact[name] == "" {
				t.Errorf("%s flipped and taken for sound", name)
			}
		}
	}
	for name := range stillExact {
		if !seen[name] {
			t.Errorf("%s is listed and is malformed", name)
		}
	}
}

// bitmapAt tells where the bitmap of a vector is, and its size in bits.
func bitmapAt(v vector) (at, bits int) {
	at = v.dialect.Frame.Length.Size() + v.dialect.Frame.Overhead() + 2
	if v.dialect.MaxField == 128 {
		return at + 2, 128
	}
	return at, 64
}

// TestPlaces shows where a decoder looks for the fault, for one example of each reason.
func TestPlaces(t *testing.T) {
	list := map[string]vector{}
	for _, v := range vectors(t) {
		list[v.name] = v
	}
	full, bare, echo := list["signin-0800-a"], list["settle-0500"], list["basei-0800-network-echo"]
	self := full.dialect.WithFrame(frame.Format{Length: frame.Binary2, LengthCountsSelf: true, TPDU: true, Header: 6})
	decimal := full.dialect.WithFrame(frame.Format{Length: frame.BCD2, TPDU: true, Header: 6})
	for _, tc := range []struct {
		name   string
		v      vector
		change func(b []byte) []byte
		want   iso8583.Malformed
	}{
		{"no TPDU", full, set(2, 0x61), iso8583.Malformed{Offset: 2, Reason: iso8583.NoTPDU}},
		{"frame without a message", full, func([]byte) []byte { return []byte{0, 1, 0x60} }, iso8583.Malformed{Offset: 3, Reason: iso8583.FrameShort}},
		{"prefix that counts itself", vector{dialect: self}, func([]byte) []byte { return []byte{0, 1, 0x60} }, iso8583.Malformed{Reason: iso8583.FrameLengthTooSmall}},
		{"decimal prefix", vector{dialect: decimal}, func([]byte) []byte { return []byte{0, 0x0A, 0x60} }, iso8583.Malformed{Reason: iso8583.FrameLengthNotDecimal}},
		{"too long", full, func([]byte) []byte { return make([]byte, frame.MaxFrame+1) }, iso8583.Malformed{Reason: iso8583.FrameTooLong}},
		{"no type", bare, cut(1), iso8583.Malformed{Field: 1, Offset: 0, Reason: iso8583.NoType}},
		{"no type in characters", echo, cut(3), iso8583.Malformed{Field: 1, Offset: 0, Reason: iso8583.NoType}},
		{"type", bare, set(0, 0x0F), iso8583.Malformed{Field: 1, Offset: 0, Reason: iso8583.TypeNotDecimal}},
		{"type in characters", echo, set(3, 'x'), iso8583.Malformed{Field: 1, Offset: 0, Reason: iso8583.TypeNotDecimal}},
		{"no bitmap", bare, cut(9), iso8583.Malformed{Field: 1, Offset: 2, Reason: iso8583.NoBitmap}},
		{"bitmap in characters", echo, set(9, 'G'), iso8583.Malformed{Field: 1, Offset: 9, Reason: iso8583.BitmapNotHex}},
		{"second bitmap", bare, set(2, 0x80), iso8583.Malformed{Field: 1, Offset: 2, Reason: iso8583.NoSecondary}},
		{"field that is not in the dialect", bare, set(2, 0x08), iso8583.Malformed{Field: 5, Offset: 10, Reason: iso8583.UnknownField}},
		{"trace number", bare, set(12, 0x4A), iso8583.Malformed{Field: 11, Offset: 12, Reason: iso8583.NotDecimal}},
		{"terminal", bare, set(15, 0x05), iso8583.Malformed{Field: 41, Offset: 15, Reason: iso8583.NotText}},
		{"merchant", bare, set(35, 0x05), iso8583.Malformed{Field: 42, Offset: 35, Reason: iso8583.NotText}},
		{"length of totals", bare, set(37, 0x6A), iso8583.Malformed{Field: 48, Offset: 36, Reason: iso8583.LengthNotDecimal}},
		{"totals too long", bare, set(36, 0x09), iso8583.Malformed{Field: 48, Offset: 36, Reason: iso8583.LengthTooGreat}},
		{"totals one more", bare, set(37, 0x64), iso8583.Malformed{Field: 49, Offset: 72, Reason: iso8583.NotText}},
		{"digit of totals", bare, set(50, 0xA0), iso8583.Malformed{Field: 48, Offset: 50, Reason: iso8583.NotDecimal}},
		{"pad of field 60", bare, set(79, 0x11), iso8583.Malformed{Field: 60, Offset: 79, Reason: iso8583.NotDecimal}},
		{"cut in field 63", bare, cut(84), iso8583.Malformed{Field: 63, Offset: 80, Reason: iso8583.Cut}},
		{"digit in characters", echo, set(36, 'O'), iso8583.Malformed{Field: 7, Offset: 36, Reason: iso8583.NotDecimal}},
	} {
		var m iso8583.Message
		if m.Decode(tc.v.dialect, tc.change(slices.Clone(tc.v.raw))) {
			t.Errorf("%s: taken for sound", tc.name)
		} else if got := *m.Malformed(); got != tc.want {
			t.Errorf("%s: got %+v (%v), want %+v", tc.name, got, got, tc.want)
		}
	}
}

func set(at int, value byte) func([]byte) []byte {
	return func(b []byte) []byte { b[at] = value; return b }
}

func cut(n int) func([]byte) []byte { return func(b []byte) []byte { return b[:n] } }

func TestFieldsBeforeTheFaultStayReadable(t *testing.T) {
	var m iso8583.Message
	for _, v := range vectors(t) {
		if v.name != "settle-0500" {
			continue
		}
		if m.Decode(v.dialect, v.raw[:84]) {
			t.Fatal("taken for sound")
		}
		if got := m.Text(48) + m.Text(60) + m.Text(63); got != v.fields[48]+v.fields[60] || m.Has(63) {
			t.Errorf("fields 48, 60 and 63 read %q", got)
		}
		return
	}
	t.Fatal("no settlement among the vectors")
}

func TestReasonsAreWords(t *testing.T) {
	seen := map[string]bool{}
	for r := iso8583.FrameTooLong; r <= iso8583.NotText; r++ {
		text := r.String()
		if text == "" || strings.HasPrefix(text, "unknown") || seen[text] {
			t.Errorf("reason %d reads %q", r, text)
		}
		seen[text] = true
	}
	if got := (iso8583.NotText + 1).String(); got != "unknown reason" {
		t.Errorf("a reason too far reads %q", got)
	}
	err := iso8583.Malformed{Field: 48, Offset: 97, Reason: iso8583.Cut}
	if got, want := err.Error(), "field 48 at byte 97: the frame ends inside the field"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
