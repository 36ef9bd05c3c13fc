// SPDX-License-Identifier: Apache-2.0

package iso8583

import (
	"math/bits"

	"github.com/tillmend/tillmend/iso8583/dialect"
)

// readFields walks the bitmap and finds the end of every field.
func (m *Message) readFields(at int) (int, bool) {
	first := m.bitmap[0] &^ (1 << 63) // that bit announces the second half
	for half, sent := range [2]uint64{first, m.bitmap[1]} {
		if sent == 0 {
			continue
		}
		// Backwards, the next field is the lowest bit, which is cheap to take away.
		left := bits.Reverse64(sent)
		for {
			at, left = m.readQuick(half, at, left)
			if left == 0 {
				break
			}
			n := bits.TrailingZeros64(left)
			de := half<<6 + n + 1
			var ok bool
			if at, ok = m.readField(&m.dialect.Ops()[de], de, at); !ok {
				m.have[half] = sent &^ (1<<(64-n) - 1)
				return at, false
			}
			left &= left - 1
		}
		m.have[half] = sent
	}
	return at, true
}

// readField reads any field and gives where it ends. When it cannot, it notes why and
// gives where the field begins.
func (m *Message) readField(op *dialect.Op, de, at int) (int, bool) {
	b := m.raw
	units, start := int(op.Max), at
	if op.Prefix != dialect.FixedSize {
		units, start = announcedUnits(op.Prefix, b, at)
	}
	if uint(units) <= uint(op.Max) {
		end := start + (units+int(op.Halve))>>op.Halve
		if end <= len(b) && (op.Check == dialect.Anything || checked(op.Check, b[start:end], units)) {
			m.spans[de] = newSpan(start, uint16(end-start), uint16(units))
			return end, true
		}
	}
	m.failField(op, de, at)
	return at, false
}

// announcedUnits reads the length at at and gives where the content begins; the length
// is below zero when there is none.
func announcedUnits(form dialect.PrefixForm, b []byte, at int) (units, start int) {
	start = at + form.Size()
	if start > len(b) {
		return notDecimal, start
	}
	switch form {
	case dialect.BCD1:
		return decimal(b[at]), start
	case dialect.BCD2:
		return decimal(b[at])*100 + decimal(b[at+1]), start
	case dialect.ASCII2, dialect.ASCII3:
		for _, c := range b[at:start] {
			if c < '0' || c > '9' {
				return notDecimal, start
			}
			units = units*10 + int(c-'0')
		}
		return units, start
	case dialect.Binary1:
		return int(b[at]), start
	case dialect.Binary2:
		return int(b[at])<<8 | int(b[at+1]), start
	case dialect.Absent, dialect.FixedSize:
	}
	return notDecimal, start
}

// notDecimal is so far below zero that no second byte makes up for it.
const notDecimal = -1 << 20

// decimal gives the value of two packed digits, [notDecimal] for anything else.
func decimal(c byte) int {
	if c&(c<<1|c<<2)&0x88 != 0 {
		return notDecimal
	}
	return int(c) - 6*int(c>>4)
}

// failField notes why the field at at could not be read.
func (m *Message) failField(op *dialect.Op, de, at int) {
	b := m.raw
	if op.Prefix == dialect.Absent {
		m.fail(de, at, UnknownField)
		return
	}
	units, start := int(op.Max), at
	if op.Prefix != dialect.FixedSize {
		units, start = announcedUnits(op.Prefix, b, at)
	}
	switch {
	case start > len(b):
		m.fail(de, at, Cut)
	case units < 0:
		m.fail(de, at, LengthNotDecimal)
	case units > int(op.Max):
		m.fail(de, at, LengthTooGreat)
	default:
		end := start + (units+int(op.Halve))>>op.Halve
		if end > len(b) {
			m.fail(de, at, Cut)
			return
		}
		why := NotDecimal
		if op.Check == dialect.Characters || op.Check == dialect.PlainCharacters {
			why = NotText
		}
		m.fail(de, start+firstBad(op.Check, b[start:end], units), why)
	}
}
