// SPDX-License-Identifier: Apache-2.0

package iso8583

import (
	"encoding/binary"
	"math/bits"

	"github.com/tillmend/tillmend/iso8583/dialect"
)

// Nearly every field of nearly every message is as usual, and then few steps are enough
// to verify it and to find its end: the first eight bytes are taken as one number and
// compared with the masks of the [dialect.Op]. Whatever is not as usual, and the last
// bytes of a frame, are left to [Message.readField], which alone refuses and knows why.

// readQuick reads the fields of one half of the bitmap as long as it can; left has their
// bits, that of the next field the lowest. It gives where the next one begins and which
// are left.
func (m *Message) readQuick(half, at int, left uint64) (next int, after uint64) {
	b := m.raw
	ops := (*[64]dialect.Op)(m.dialect.Ops()[64*half+1:])
	spans := (*[64]span)(m.spans[64*half+1:])
	for ; left != 0; left &= left - 1 {
		if at < 0 || at > len(b)-8 {
			break
		}
		x := binary.LittleEndian.Uint64(b[at : at+8])
		n := bits.TrailingZeros64(left) & 63
		op := &ops[n]
		if !usual(op, x) {
			break
		}
		if op.Quick >= dialect.Word {
			spans[n] = newSpan(at, op.Size, op.Max)
			at += int(op.Size)
			continue
		}
		s := quickSpan(op, b, at, x)
		if s == 0 {
			break
		}
		spans[n] = s
		at = s.off() + s.size()
	}
	return at, left
}

// usual compares eight bytes with the masks of a field. See [notDigits] for the digits; a
// byte is a control character when none of its three highest bits is set.
func usual(op *dialect.Op, x uint64) bool {
	shifted := x<<1 | x<<2
	return x&shifted&op.Digits|^(x|shifted)&op.Text|x&op.Zero == 0
}

// quickSpan reads a longer field, of which x has the first eight bytes, that are usual.
// It gives 0 for one that is to be read with care.
func quickSpan(op *dialect.Op, b []byte, at int, x uint64) span {
	switch op.Quick {
	case dialect.Words:
		last := at + int(op.Size) - 8
		if last < 0 || last > len(b)-8 || !usual(op, binary.LittleEndian.Uint64(b[last:last+8])) {
			return 0
		}
		return newSpan(at, op.Size, op.Max)
	case dialect.Packed:
	case dialect.Slow, dialect.Word, dialect.Number:
		return 0
	}
	units, start := int(x&15+x>>4&15*10), at+1
	if op.Prefix == dialect.BCD2 {
		units, start = units*100+int(x>>8&15+x>>12&15*10), at+2
	}
	size := (units + int(op.Halve)) >> (op.Halve & 1)
	if units > int(op.Max) || start+size > len(b) {
		return 0
	}
	if op.Check != dialect.Anything && (op.Check != dialect.BCDPadLast || !usualDigits(b[:start+size], size, units)) {
		return 0
	}
	return newSpan(start, uint16(size), uint16(units))
}

// usualDigits tells whether the last bytes of b, so many and at most 16, are packed
// digits, with a 0 behind an odd number of them.
func usualDigits(b []byte, size, units int) bool {
	if size > 16 || len(b) < 16 {
		return false
	}
	first, last := uint64(0), binary.BigEndian.Uint64(b[len(b)-8:])
	if size >= 8 {
		first = binary.BigEndian.Uint64(b[len(b)-size:])
	} else {
		last &= 1<<(8*uint(size)) - 1
	}
	if units&1 == 1 && last&15 != 0 {
		return false
	}
	return notDigits(first)|notDigits(last) == 0
}
