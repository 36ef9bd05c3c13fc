// SPDX-License-Identifier: Apache-2.0

// Package iso8583 reads payment messages as they pass, without copying and without
// allocating, and never changes one.
//
// # Reading
//
// [Message.Decode] walks a complete frame once and keeps where each field lies in the
// caller's bytes. It answers true only when the frame was used up exactly: with 64
// optional fields behind a bitmap, a wrong dialect or a damaged frame nearly never ends
// at the last byte, so exact consumption is the proof that every field was understood.
// Otherwise [Message.Malformed] names the field, the place and the reason, and the
// fields before the fault can still be read.
//
//	var m iso8583.Message
//	upos, _ := dialect.Named("upos")
//	if !m.Decode(upos, frame) {
//		log.Warn("malformed", "why", m.Malformed())
//	}
//	amount, ok := m.Number(4)
//
// What a message looks like on the wire is data, see [dialect]; what stands around it,
// see [frame]. [Detect] tells which of several dialects unknown bytes are in.
//
// # Card data
//
// A decoded message gives access to everything in it. What may be shown to people or
// written anywhere is decided by [Message.Masked], which knows what is harmless and
// drops the rest; [Message.View] and [Describe] build on that. [Message.Extract] copies
// what the diagnosis needs, and nothing secret.
package iso8583

import (
	"encoding/binary"

	"github.com/tillmend/tillmend/iso8583/dialect"
	"github.com/tillmend/tillmend/iso8583/frame"
)

// Message is one decoded message. It holds places in the caller's bytes, which must
// stay unchanged while it is used. A Message may be used again for the next frame; it
// belongs to one goroutine. The zero value holds no fields.
type Message struct {
	dialect *dialect.Dialect
	frame   frame.Frame
	raw     []byte
	bitmap  [2]uint64 // as sent
	have    [2]uint64 // what was read
	bad     Malformed
	mti     uint16
	exact   bool // the fields end where the frame ends, whatever the length prefix says
	spans   [dialect.Fields]span
}

// span is where the content of a field lies: from the highest bits, 32 for its offset in
// the frame, 16 for its size in bytes and 16 for the number of units that its length counts.
type span uint64

func newSpan(off int, size, units uint16) span {
	return span(off)<<32 | (span(size)<<16 | span(units)) // neighbours in an Op, so one load for two
}

func (s span) off() int   { return int(s >> 32) }
func (s span) size() int  { return int(uint16(s >> 16)) }
func (s span) units() int { return int(uint16(s)) }

// Decode reads a complete frame and tells whether it was used up exactly. When not, it
// read as much as it could, see [Message.Malformed]. It allocates nothing.
func (m *Message) Decode(d *dialect.Dialect, b []byte) bool {
	return m.decode(d, &d.Frame, b)
}

func (m *Message) decode(d *dialect.Dialect, format *frame.Format, b []byte) bool {
	m.dialect, m.raw = d, b
	m.bitmap = [2]uint64{}
	m.have = [2]uint64{}
	m.bad = Malformed{}
	m.mti, m.exact = 0, false
	if fault := m.frame.Cut(format, b); fault != 0 {
		m.bad = frameFault(fault, format, len(b))
		if fault == frame.TooLong {
			return false
		}
	}
	at, ok := m.readStart(m.frame.BodyOffset())
	if ok {
		at, ok = m.readFields(at)
	}
	m.exact = ok && at == len(b)
	if ok && !m.exact {
		m.fail(0, at, Trailing)
	}
	return m.bad.Reason == 0
}

// fail notes the first fault; later ones follow from it.
func (m *Message) fail(field, offset int, why Reason) {
	if m.bad.Reason == 0 {
		m.bad = Malformed{Field: field, Offset: offset, Reason: why}
	}
}

// readStart reads message type and bitmap from at, and gives where the fields begin.
func (m *Message) readStart(at int) (int, bool) {
	b := m.raw
	if m.dialect.Body == dialect.ASCII {
		if len(b)-at < 4 {
			m.fail(1, at, NoType)
			return at, false
		}
		for _, c := range b[at : at+4] {
			if c < '0' || c > '9' {
				m.fail(1, at, TypeNotDecimal)
				return at, false
			}
			m.mti = m.mti<<4 | uint16(c&15)
		}
		at += 4
	} else {
		if len(b)-at < 2 {
			m.fail(1, at, NoType)
			return at, false
		}
		mti := uint16(b[at])<<8 | uint16(b[at+1])
		if mti&(mti<<1|mti<<2)&0x8888 != 0 {
			m.fail(1, at, TypeNotDecimal)
			return at, false
		}
		m.mti = mti
		at += 2
	}
	start := at
	at, ok := m.readBitmap(0, at)
	if !ok {
		return at, false
	}
	flagged := m.bitmap[0]>>63 == 1
	switch m.dialect.Secondary {
	case dialect.Never:
		if flagged {
			m.fail(1, start, NoSecondary)
			return at, false
		}
	case dialect.Flagged:
		if flagged {
			return m.readBitmap(1, at)
		}
	case dialect.Always:
		return m.readBitmap(1, at)
	}
	return at, true
}

// readBitmap reads 64 bits of the bitmap.
func (m *Message) readBitmap(half, at int) (int, bool) {
	size := 8
	if m.dialect.HexBitmap {
		size = 16
	}
	if len(m.raw)-at < size {
		m.fail(1, at, NoBitmap)
		return at, false
	}
	var w uint64
	if !m.dialect.HexBitmap {
		m.bitmap[half] = binary.BigEndian.Uint64(m.raw[at:])
		return at + size, true
	}
	for i, c := range m.raw[at : at+16] {
		v := hexValue(c)
		if v > 15 {
			m.fail(1, at+i, BitmapNotHex)
			return at, false
		}
		w = w<<4 | uint64(v)
	}
	m.bitmap[half] = w
	return at + size, true
}

// hexValue gives the value of a hexadecimal character, more than 15 for any other.
func hexValue(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	}
	return 16
}
