// SPDX-License-Identifier: Apache-2.0

package iso8583

import (
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/tillmend/tillmend/iso8583/dialect"
	"github.com/tillmend/tillmend/iso8583/frame"
)

// Draft is a message to be written, for simulators and tests. The gateway never writes
// messages: it passes on the bytes it got.
type Draft struct {
	// MTI is the message type, four digits.
	MTI string
	// Fields are the contents as [Message.Text] gives them: digits, characters, track data
	// with D as separator, hexadecimal for bytes. Lengths are exact: nothing is filled up.
	Fields map[int]string
	// TPDU, ANI and Header are hexadecimal. Where the dialect's frame has one and the draft
	// does not, it is written as 6000000000 and as zeros.
	TPDU, ANI, Header string
}

// Encode writes the draft as a complete frame. The error joins all mistakes; each names
// its field and what was expected, and none quotes content.
func (d Draft) Encode(di *dialect.Dialect) ([]byte, error) {
	var errs []error
	note := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	head, err := d.surround(di.Frame)
	note(err)
	body, err := d.start(di)
	note(err)
	for _, de := range slices.Sorted(maps.Keys(d.Fields)) {
		if de < 2 || de > di.MaxField || di.Fields[de].Class == dialect.Undefined {
			note(fmt.Errorf("field %d: not in dialect %s", de, di.Name))
			continue
		}
		var why error
		if body, why = appendField(body, &di.Fields[de], d.Fields[de]); why != nil {
			note(fmt.Errorf("field %d: %w", de, why))
		}
	}
	if errs != nil {
		return nil, fmt.Errorf("encode %s: %w", di.Name, errors.Join(errs...))
	}
	return prefixed(di.Frame, append(head, body...))
}

// surround writes what stands between length prefix and message.
func (d Draft) surround(f frame.Format) ([]byte, error) {
	var out []byte
	var errs []error
	tpdu := 0
	if f.TPDU {
		tpdu = 5
	}
	for _, part := range []struct {
		name, text string
		size       int
	}{{"TPDU", d.TPDU, tpdu}, {"ANI", d.ANI, f.ANI}, {"header", d.Header, f.Header}} {
		b, err := hex.DecodeString(part.text)
		switch {
		case part.text == "":
			b = make([]byte, part.size)
			if part.name == "TPDU" && part.size > 0 {
				b[0] = 0x60
			}
		case err != nil || len(b) != part.size:
			errs = append(errs, fmt.Errorf("%s: expected %d bytes in hexadecimal", part.name, part.size))
		case part.name == "TPDU" && b[0] != 0x60:
			errs = append(errs, errors.New("TPDU: expected 60 at the beginning"))
		}
		out = append(out, b...)
	}
	return out, errors.Join(errs...)
}

// start writes message type and bitmap.
func (d Draft) start(di *dialect.Dialect) ([]byte, error) {
	if len(d.MTI) != 4 || !plainDigits([]byte(d.MTI)) {
		return nil, errors.New("message type: expected four digits")
	}
	var out []byte
	if di.Body == dialect.ASCII {
		out = append(out, d.MTI...)
	} else {
		out = appendNibbles(out, d.MTI)
	}
	var bitmap [16]byte
	size := 8
	for de := range d.Fields {
		if de >= 1 && de <= 128 {
			bitmap[(de-1)/8] |= 0x80 >> ((de - 1) % 8)
		}
		if de > 64 && di.Secondary == dialect.Flagged {
			size = 16
			bitmap[0] |= 0x80
		}
	}
	if di.Secondary == dialect.Always {
		size = 16
	}
	if di.HexBitmap {
		for _, c := range bitmap[:size] {
			out = append(out, upperHex[c>>4], upperHex[c&15])
		}
		return out, nil
	}
	return append(out, bitmap[:size]...), nil
}

// appendField writes one field with its length.
func appendField(dst []byte, f *dialect.Field, text string) ([]byte, error) {
	raw, units, err := measure(f, text)
	switch {
	case err != nil:
		return dst, err
	case f.Length == dialect.Fixed && units != f.Max:
		return dst, fmt.Errorf("expected exactly %d, got %d", f.Max, units)
	case units > f.Max:
		return dst, fmt.Errorf("expected at most %d, got %d", f.Max, units)
	}
	dst = appendLength(dst, f, units)
	if f.Packing != dialect.BCD {
		return append(dst, raw...), nil
	}
	if len(text)%2 == 1 {
		if f.Align == dialect.Right {
			text = string(f.Pad) + text
		} else {
			text += string(f.Pad)
		}
	}
	return appendNibbles(dst, text), nil
}

// measure verifies the text and gives the bytes that stand for it where it is not
// packed, and the number that the length of the field counts.
func measure(f *dialect.Field, text string) (raw []byte, units int, err error) {
	if f.Class == dialect.B {
		if raw, err = hex.DecodeString(text); err != nil {
			return nil, 0, fmt.Errorf("expected bytes in hexadecimal, got %d characters that are not", len(text))
		}
		return raw, len(raw), nil
	}
	raw, units = []byte(text), len(text)
	switch {
	case f.Class == dialect.N && !f.Free && !plainDigits(raw):
		return nil, 0, errors.New("expected digits only")
	case f.Packing == dialect.BCD && !packable(text):
		return nil, 0, errors.New("expected digits, D and other hexadecimal characters")
	case !legible(f, raw):
		return nil, 0, errors.New("expected characters only")
	case f.Packing != dialect.BCD || f.Unit == dialect.Digits:
		return raw, units, nil
	case units%2 == 1:
		return nil, 0, errors.New("expected an even number of digits")
	}
	return raw, units / 2, nil
}

// legible tells whether a field of characters holds nothing else.
func legible(f *dialect.Field, raw []byte) bool {
	switch {
	case f.Free:
		return true
	case f.Class == dialect.AN:
		return characters(raw, every80)
	}
	return f.Class != dialect.ANS || characters(raw, 0)
}

// packable tells whether every character is a hexadecimal digit in capitals.
func packable(text string) bool {
	for _, c := range []byte(text) {
		if hexValue(c) > 15 || c >= 'a' {
			return false
		}
	}
	return true
}

// appendNibbles packs an even number of hexadecimal characters.
func appendNibbles(dst []byte, text string) []byte {
	for i := 0; i+1 < len(text); i += 2 {
		dst = append(dst, hexValue(text[i])<<4|hexValue(text[i+1]))
	}
	return dst
}

// appendLength announces a number of units.
func appendLength(dst []byte, f *dialect.Field, units int) []byte {
	if f.Length == dialect.Fixed {
		return dst
	}
	long := f.Length == dialect.LLL
	switch f.Prefix {
	case dialect.BCD:
		if long {
			dst = append(dst, toBCD(units/100))
		}
		return append(dst, toBCD(units%100))
	case dialect.ASCII:
		text := strconv.Itoa(1000 + units)
		if long {
			return append(dst, text[1:]...)
		}
		return append(dst, text[2:]...)
	case dialect.Binary:
		if long {
			dst = append(dst, byte(units>>8))
		}
	}
	return append(dst, byte(units))
}

func toBCD(n int) byte { return byte(n/10<<4 | n%10) }

// prefixed puts the length prefix before the rest of a frame.
func prefixed(f frame.Format, rest []byte) ([]byte, error) {
	n, most := len(rest), 9999
	if f.LengthCountsSelf {
		n += f.Length.Size()
	}
	if f.Length == frame.Binary2 || f.Length == frame.None {
		most = frame.MaxBody
	}
	if n > most {
		return nil, fmt.Errorf("frame: expected at most %d bytes, got %d", most, n)
	}
	var prefix []byte
	switch f.Length {
	case frame.None:
	case frame.Binary2:
		prefix = []byte{byte(n >> 8), byte(n)}
	case frame.BCD2:
		prefix = []byte{toBCD(n / 100), toBCD(n % 100)}
	case frame.ASCII4:
		prefix = fmt.Appendf(nil, "%04d", n)
	}
	return append(prefix, rest...), nil
}
