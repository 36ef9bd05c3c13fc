// SPDX-License-Identifier: Apache-2.0

// Package frame knows what surrounds an ISO 8583 message on a stream: the length
// prefix, the TPDU that routes it, an optional caller number (ANI) and the
// application header of the terminal. It finds whole frames in a stream and the
// parts of a frame, and knows nothing of the message inside.
//
//	| length prefix | TPDU 5 | ANI n | header n | body … |
//
// A [Format] says which of these parts a listener uses. [Format.Parse] looks at one
// complete frame, a [Splitter] cuts a stream into frames. Neither copies bytes that
// it does not have to keep, and neither changes one.
package frame

// Limits of a frame, in bytes.
const (
	// MaxBody is the most that may follow a length prefix: what two binary bytes can say.
	MaxBody = 64<<10 - 1
	// MaxFrame is the longest complete frame: [MaxBody] and the longest prefix.
	MaxFrame = MaxBody + 4
	// tpduSize is the size of a TPDU: its identifier, the destination and the source.
	tpduSize = 5
	// tpduID is the first byte of every TPDU.
	tpduID = 0x60
)

// Length is how a frame announces its own size.
type Length uint8

// The length prefixes seen in the field.
const (
	// None means that there is no prefix: every read is one frame.
	None Length = iota
	// Binary2 is two bytes, big endian.
	Binary2
	// BCD2 is two bytes holding four decimal digits.
	BCD2
	// ASCII4 is four decimal digits as characters.
	ASCII4
)

var lengthNames = [...]string{None: "none", Binary2: "binary2", BCD2: "bcd2", ASCII4: "ascii4"}

// String gives the name used in dialect files.
func (l Length) String() string {
	if int(l) < len(lengthNames) {
		return lengthNames[l]
	}
	return "unknown"
}

// ParseLength is the inverse of [Length.String].
func ParseLength(name string) (Length, bool) {
	for i, n := range lengthNames {
		if n == name {
			return Length(i), true
		}
	}
	return None, false
}

// Size is the number of bytes that the prefix takes.
func (l Length) Size() int {
	switch l {
	case None:
		return 0
	case Binary2, BCD2:
		return 2
	case ASCII4:
		return 4
	}
	return 0
}

// Format tells which parts stand before the message. The zero value is a bare message.
type Format struct {
	// Length is the form of the length prefix.
	Length Length
	// LengthCountsSelf is set when the prefix counts its own bytes too.
	LengthCountsSelf bool
	// TPDU is set when five bytes of TPDU follow the prefix; the first is 0x60.
	TPDU bool
	// ANI is the number of bytes between the TPDU and the header, 0 for none; one
	// family of terminals puts 14 there.
	ANI int
	// Header is the number of bytes of the application header, 0 for none; 6 for UnionPay terminals.
	Header int
}

// Overhead is the number of bytes between the prefix and the message.
func (f Format) Overhead() int {
	n := f.ANI + f.Header
	if f.TPDU {
		n += tpduSize
	}
	return n
}

// announced reads the prefix of b, which must hold at least that, and gives the size
// of the whole frame with the prefix.
func (f *Format) announced(b []byte) (int, Fault) {
	n := 0
	switch f.Length {
	case None:
		return len(b), 0
	case Binary2:
		n = int(b[0])<<8 | int(b[1])
	case BCD2:
		for _, c := range b[:2] {
			if c>>4 > 9 || c&15 > 9 {
				return 0, PrefixNotDecimal
			}
			n = n*100 + int(c>>4)*10 + int(c&15)
		}
	case ASCII4:
		for _, c := range b[:4] {
			if c < '0' || c > '9' {
				return 0, PrefixNotDecimal
			}
			n = n*10 + int(c-'0')
		}
	}
	if !f.LengthCountsSelf {
		return n + f.Length.Size(), 0
	}
	if n < f.Length.Size() {
		return 0, PrefixTooSmall
	}
	return n, 0
}

// Frame is where the parts of one complete frame lie. It refers to the caller's bytes
// and is valid as long as they are.
type Frame struct {
	raw    []byte
	body   uint32 // where the message begins
	ani    uint16
	header uint16
	prefix uint8
	tpdu   uint8
}

// Parse finds the parts of the complete frame b. The error is a [Fault]; the frame is
// then still usable as far as the bytes reach, and its body begins where it would
// have begun. Parse allocates nothing.
func (f Format) Parse(b []byte) (Frame, error) {
	var fr Frame
	if fault := fr.Cut(&f, b); fault != 0 {
		return fr, fault
	}
	return fr, nil
}

// Cut is [Format.Parse] into a frame that exists, with the plain fault, 0 for none.
func (f *Frame) Cut(format *Format, b []byte) Fault {
	prefix, tpdu := format.Length.Size(), 0
	if format.TPDU {
		tpdu = tpduSize
	}
	body := prefix + tpdu + format.ANI + format.Header
	// Part by part: to make a whole Frame and copy it here takes three times as long.
	f.raw, f.body = b, uint32(body)
	f.prefix, f.tpdu, f.ani, f.header = uint8(prefix), uint8(tpdu), uint16(format.ANI), uint16(format.Header)
	if body > len(b) {
		*f = Frame{raw: b, body: uint32(len(b))}
	}
	return format.check(b, prefix, body)
}

func (f *Format) check(b []byte, prefix, body int) Fault {
	if len(b) > MaxFrame {
		return TooLong
	}
	if len(b) < prefix {
		return Short
	}
	want, fault := f.announced(b)
	switch {
	case fault != 0:
		return fault
	case want > len(b):
		return PrefixAhead
	case want < len(b):
		return PrefixBehind
	case body > len(b):
		return Short
	case f.TPDU && b[prefix] != tpduID:
		return NoTPDU
	}
	return 0
}

// Bytes gives the whole frame.
func (f Frame) Bytes() []byte { return f.raw }

// Length is what the prefix should say when it does not count itself: the number of
// bytes after it.
func (f Frame) Length() int { return len(f.raw) - int(f.prefix) }

// TPDU gives the TPDU, empty when the format has none.
func (f Frame) TPDU() []byte { return f.raw[int(f.prefix) : int(f.prefix)+int(f.tpdu)] }

// ANI gives the bytes between TPDU and header, empty when the format has none.
func (f Frame) ANI() []byte {
	start := int(f.prefix) + int(f.tpdu)
	return f.raw[start : start+int(f.ani)]
}

// Header gives the application header, empty when the format has none.
func (f Frame) Header() []byte { return f.raw[f.body-uint32(f.header) : f.body] }

// Body gives the message.
func (f Frame) Body() []byte { return f.raw[f.body:] }

// BodyOffset is where the message begins in the frame.
func (f *Frame) BodyOffset() int { return int(f.body) }

// unionPayHeader is the size of the header whose third byte has a meaning to us.
const unionPayHeader = 6

// HostOrder is what the host asks the terminal to do next (处理要求), the low half of
// the third header byte: 0 nothing, 1 fetch parameters, 2 report its status, 3 sign in
// again, 4 renew public keys, 5 fetch chip parameters, 6 update software. It is 0 for
// other headers, and means something in answers of the host only.
func (f Frame) HostOrder() uint8 {
	if f.header != unionPayHeader {
		return 0
	}
	return f.raw[f.body-unionPayHeader+2] & 15
}

// TerminalState is the high half of the same byte: 0 in normal service, anything else
// for test or training.
func (f Frame) TerminalState() uint8 {
	if f.header != unionPayHeader {
		return 0
	}
	return f.raw[f.body-unionPayHeader+2] >> 4
}
