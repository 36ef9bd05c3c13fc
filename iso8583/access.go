// SPDX-License-Identifier: Apache-2.0

package iso8583

import (
	"math/bits"
	"slices"

	"github.com/tillmend/tillmend/iso8583/dialect"
	"github.com/tillmend/tillmend/iso8583/frame"
)

// MTI is the message type as it is written, 0x0200 for a payment request; 0 when it
// could not be read.
func (m *Message) MTI() uint16 { return m.mti }

// Bitmap is the first 64 bits of the bitmap as sent; the highest stands for field 1.
func (m *Message) Bitmap() uint64 { return m.bitmap[0] }

// Dialect is what the message was decoded with, nil before the first time.
func (m *Message) Dialect() *dialect.Dialect { return m.dialect }

// Frame gives the parts around the message.
func (m *Message) Frame() frame.Frame { return m.frame }

// HostOrder is what the host asks the terminal to do next, see [frame.Frame.HostOrder].
func (m *Message) HostOrder() uint8 { return m.frame.HostOrder() }

// TestMode tells whether the header says that the terminal is in test or training.
func (m *Message) TestMode() bool { return m.frame.TerminalState() != 0 }

// Has tells whether the field was sent and could be read.
func (m *Message) Has(de int) bool {
	return de >= 2 && de < dialect.Fields && m.have[(de-1)>>6]>>(63-(de-1)&63)&1 == 1
}

// Fields calls yield for every field that could be read, in order, until it answers false.
func (m *Message) Fields(yield func(de int) bool) {
	for half, w := range m.have {
		for w != 0 {
			n := bits.LeadingZeros64(w)
			w &^= 1 << 63 >> n
			if !yield(half<<6 + n + 1) {
				return
			}
		}
	}
}

// Raw gives the content of the field as it is packed, without its length; nil for a
// field that is not there. The bytes belong to the caller of Decode.
func (m *Message) Raw(de int) []byte {
	if !m.Has(de) {
		return nil
	}
	return slices.Clip(m.content(de))
}

// content is [Message.Raw] of a field that is there.
func (m *Message) content(de int) []byte {
	s := m.spans[de]
	return m.raw[s.off() : s.off()+s.size()]
}

// Units is the number of digits, characters or bytes that the field holds; 0 for a
// field that is not there.
func (m *Message) Units(de int) int {
	if !m.Has(de) {
		return 0
	}
	return m.spans[de].units()
}

// packed gives the half bytes that hold the content of a field of packed digits: n of
// them in b, beginning with number skip.
func (m *Message) packed(de int) (b []byte, skip, n int) {
	f := &m.dialect.Fields[de]
	b, n = m.Raw(de), m.Units(de)
	if f.Unit == dialect.Bytes {
		return b, 0, 2 * n
	}
	if f.Align == dialect.Right {
		skip = n & 1
	}
	return b, skip, n
}

// packedAt tells where the packed digits of a field that is there begin, in half bytes
// of the frame, and how many there are; n is 0 when it has none that were verified.
func (m *Message) packedAt(de int) (half, n int) {
	op := &m.dialect.Ops()[de]
	s := m.spans[de]
	half, n = 2*s.off(), s.units()
	switch {
	case op.Halve == 0:
		return 0, 0
	case op.Check == dialect.BCDPadFirst:
		return half + n&1, n
	case op.Check == dialect.BCDDigits, op.Check == dialect.BCDPadLast:
		return half, n
	}
	return 0, 0
}

// wordFrom gives at least 15 half bytes of the frame, from number half on.
func (m *Message) wordFrom(half int) uint64 { return wordAt(m.raw, half>>1) << (4 * uint(half&1)) }

// nibble gives half byte i of b.
func nibble(b []byte, i int) byte {
	if i&1 == 0 {
		return b[i>>1] >> 4
	}
	return b[i>>1] & 15
}

// Number gives the value of a field of at most 19 digits; ok is false for a field that
// is absent, empty, longer or not of digits.
func (m *Message) Number(de int) (value uint64, ok bool) {
	if !m.Has(de) || m.dialect.Fields[de].Class != dialect.N {
		return 0, false
	}
	return m.digits(de, 0, 19)
}

// digits gives the value of the digits of the field from number from on, which must be
// between 1 and most; ok is false for anything else.
func (m *Message) digits(de, from, most int) (value uint64, ok bool) {
	n := m.digitCount(de) - from
	if n < 1 || n > most {
		return 0, false
	}
	return m.part(de, from, n)
}

// digitCount is the number of digits in the field, 0 when it is absent or of bytes.
func (m *Message) digitCount(de int) int {
	if !m.Has(de) {
		return 0
	}
	f := &m.dialect.Fields[de]
	n := m.Units(de)
	if f.Packing == dialect.BCD && f.Unit == dialect.Bytes {
		n *= 2
	}
	if f.Packing == dialect.Binary {
		n = 0
	}
	return n
}

// part gives the value of n digits from number from on; ok is false when they are not
// all there or not all digits.
func (m *Message) part(de, from, n int) (value uint64, ok bool) {
	if !m.Has(de) {
		return 0, false
	}
	if half, count := m.packedAt(de); n <= 8 && from+n <= count {
		return uint64(part8(m.wordFrom(half+from), 0, uint(n))), true
	}
	if from+n > m.digitCount(de) {
		return 0, false
	}
	if m.dialect.Fields[de].Packing == dialect.BCD {
		b, skip, _ := m.packed(de)
		return packedNumber(b, skip+from, n)
	}
	for _, c := range m.Raw(de)[from : from+n] {
		if c < '0' || c > '9' {
			return 0, false
		}
		value = value*10 + uint64(c-'0')
	}
	return value, true
}

// packedNumber reads n half bytes from number from on.
func packedNumber(b []byte, from, n int) (value uint64, ok bool) {
	end := from + n
	if from&1 == 1 && n > 0 {
		if value = uint64(b[from>>1] & 15); value > 9 {
			return 0, false
		}
		from++
	}
	for ; from+1 < end; from += 2 {
		v := decimal(b[from>>1])
		if v < 0 {
			return 0, false
		}
		value = value*100 + uint64(v)
	}
	if from < end {
		v := uint64(b[from>>1] >> 4)
		if v > 9 {
			return 0, false
		}
		value = value*10 + v
	}
	return value, true
}

const upperHex = "0123456789ABCDEF"

// AppendText appends the field as text and gives the longer slice: digits without
// pads, characters as they are (in whatever encoding they were sent), track data with D
// as separator, bytes as hexadecimal. Nothing is appended for a field that is not there.
func (m *Message) AppendText(dst []byte, de int) []byte {
	if !m.Has(de) {
		return dst
	}
	switch m.dialect.Fields[de].Packing {
	case dialect.BCD:
		b, skip, n := m.packed(de)
		for i := skip; i < skip+n; i++ {
			dst = append(dst, upperHex[nibble(b, i)])
		}
	case dialect.ASCII:
		dst = append(dst, m.Raw(de)...)
	case dialect.Binary:
		if m.dialect.Fields[de].Class != dialect.B {
			return append(dst, m.Raw(de)...)
		}
		for _, c := range m.Raw(de) {
			dst = append(dst, upperHex[c>>4], upperHex[c&15])
		}
	}
	return dst
}

// Text is [Message.AppendText] as a string. It may hold card data: see [Message.Masked]
// for what may be shown.
func (m *Message) Text(de int) string { return string(m.AppendText(nil, de)) }
