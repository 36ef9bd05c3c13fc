// SPDX-License-Identifier: Apache-2.0

package iso8583

import (
	"encoding/binary"

	"github.com/tillmend/tillmend/iso8583/dialect"
)

// Extract is what the diagnosis needs of a message: who, what, how much, and how it
// ended. It holds no secret: of the card only the first six and last four digits, of
// track data, PIN blocks and keys only whether they are there.
//
// Numbers are 0 and texts empty when their field is absent; [Extract.Has] tells an
// absent amount from one of nothing.
type Extract struct {
	// MTI is the message type, 0x0200.
	MTI uint16
	// Bitmap is the first half of the bitmap as sent.
	Bitmap uint64
	// Fields has the bit of every field that could be read, numbered as in Bitmap.
	Fields uint64
	// HostOrder is what the host asks the terminal to do next, see [Message.HostOrder].
	HostOrder uint8
	// TestMode tells that the terminal is in test or training.
	TestMode bool

	// Processing is the processing code, field 3: 200000 for a void.
	Processing uint32
	// Amount is field 4 in minor units of the currency (fen).
	Amount int64
	// Trace is the terminal's number of the message (STAN), field 11.
	Trace uint32
	// LocalTime is field 12 as hhmmss, LocalDate field 13 as MMDD.
	LocalTime uint32
	LocalDate uint16
	// EntryMode is field 22: 51 for 051, chip with PIN.
	EntryMode uint16
	// RRN is the host's reference, field 37.
	RRN [12]byte
	// Approval is the authorization code, field 38.
	Approval [6]byte
	// Code is the response code, field 39, or in a reversal request its reason.
	Code [2]byte
	// TerminalID is field 41, MerchantID field 42.
	TerminalID [8]byte
	MerchantID [15]byte
	// Issuer and Acquirer are the two institutions of field 44, without spaces.
	Issuer   Institution
	Acquirer Institution

	// CardDigits is the number of digits of the card number, from field 2 or from track
	// data that is not encrypted, 0 without one.
	CardDigits uint8
	// CardFirst6 and CardLast4 are what may be kept of it, 0 when the number is shorter than 14 digits.
	CardFirst6 uint32
	CardLast4  uint16
	// HasTrack tells that track data (field 35) was sent, TrackEncrypted that field 53 says it is encrypted.
	HasTrack       bool
	TrackEncrypted bool

	// Function is field 60: what kind of transaction, in which batch.
	Function Function
	// Original is field 61: the message that this one refers to.
	Original Original
	// Totals are the sums of field 48 in a settlement: domestic, then foreign cards.
	Totals [2]Totals
	// Devices is what the terminal reports about its parts in field 62.
	Devices Devices
	// KeyBytes is the length of the working keys in a sign-in answer, 0 when there are none.
	KeyBytes uint16
}

// Has tells whether the field, 2 to 64, could be read.
func (x *Extract) Has(de int) bool { return de >= 2 && de <= 64 && x.Fields>>(64-de)&1 == 1 }

// Institution is a number of up to eleven characters, filled up with zero bytes.
type Institution [11]byte

// String gives the number without the filling, empty for none.
func (i Institution) String() string {
	for n, c := range i {
		if c == 0 {
			return string(i[:n])
		}
	}
	return string(i[:])
}

// Extract fills x. It allocates nothing and keeps nothing of the caller's bytes. When
// the fields do not end where the frame ends, they may hold each other's bytes, those
// of the card among them; then only type, bitmap and header are filled in.
func (m *Message) Extract(x *Extract) {
	*x = Extract{} // and then part by part, because copying a whole one is slow
	x.MTI, x.Bitmap, x.Fields = m.mti, m.bitmap[0], m.have[0]
	if m.dialect == nil {
		return
	}
	x.HostOrder, x.TestMode = m.HostOrder(), m.TestMode()
	if !m.exact {
		return
	}
	m.extractNumbers(x)
	m.extractTexts(x)
	m.extractCard(x)
	if m.dialect.UnionPay {
		m.extractPrivate(x)
	}
}

// extractNumbers reads the fields that are one number. Most are absent, so their presence
// is asked here, before a function is called.
func (m *Message) extractNumbers(x *Extract) {
	if m.Has(3) {
		x.Processing = uint32(m.number(3))
	}
	if m.Has(4) {
		x.Amount = int64(m.number(4))
	}
	if m.Has(11) {
		x.Trace = uint32(m.number(11))
	}
	if m.Has(12) {
		x.LocalTime = uint32(m.number(12))
	}
	if m.Has(13) {
		x.LocalDate = uint16(m.number(13))
	}
	if m.Has(22) {
		x.EntryMode = uint16(m.number(22))
	}
}

// extractTexts copies the fields of characters.
func (m *Message) extractTexts(x *Extract) {
	if m.Has(37) {
		fill(x.RRN[:], m.content(37))
	}
	if m.Has(38) {
		fill(x.Approval[:], m.content(38))
	}
	if m.Has(39) {
		fill(x.Code[:], m.content(39))
	}
	if m.Has(41) {
		fill(x.TerminalID[:], m.content(41))
	}
	if m.Has(42) {
		fill(x.MerchantID[:], m.content(42))
	}
}

// fill copies a field to where there is room for its usual size.
func fill(dst, b []byte) {
	if n := len(b); n == len(dst) && n >= 8 { // two moves, where copy makes a call
		first, last := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[n-8:])
		binary.LittleEndian.PutUint64(dst, first)
		binary.LittleEndian.PutUint64(dst[n-8:], last)
		return
	}
	copy(dst, b)
}

// number gives the value of a field that is there, of up to 12 digits, 0 for a longer one.
func (m *Message) number(de int) uint64 {
	if op := &m.dialect.Ops()[de]; op.Quick == dialect.Number {
		x := wordAt(m.raw, m.spans[de].off())
		if op.Check == dialect.BCDPadFirst {
			x <<= 4
		}
		x >>= (64 - 4*op.Max) & 63
		if op.Max <= 8 {
			return uint64(value8(uint32(x)))
		}
		return value16(x)
	}
	v, _ := m.digits(de, 0, 12)
	return v
}

// extractCard tells what may be known of the card. A number in packed digits is not
// even unpacked.
func (m *Message) extractCard(x *Extract) {
	x.HasTrack = m.have[0]&tracks != 0
	x.TrackEncrypted = m.trackEncrypted()
	half, n, packed := m.cardAt(x.TrackEncrypted)
	if !packed {
		m.extractPlainCard(x)
		return
	}
	x.CardDigits = uint8(n)
	if n >= shownFrom {
		x.CardFirst6 = part8(m.wordFrom(half), 0, 6)
		x.CardLast4 = uint16(part8(m.wordFrom(half+n-4), 0, 4))
	}
}

// tracks are the fields of track data.
var tracks = fieldSet(35, 36, 45)

// extractPlainCard does so for a card number in characters, which stay on the stack.
func (m *Message) extractPlainCard(x *Extract) {
	var space [maxPAN]byte
	pan := m.CardKey(space[:0])
	x.CardDigits = uint8(len(pan))
	if len(pan) >= shownFrom {
		for _, c := range pan[:6] {
			x.CardFirst6 = x.CardFirst6*10 + uint32(c-'0')
		}
		for _, c := range pan[len(pan)-4:] {
			x.CardLast4 = x.CardLast4*10 + uint16(c-'0')
		}
	}
	clear(space[:])
}

// shownFrom is the fewest digits of a card number of which ten may be shown, so that at
// least four stay hidden; maxPAN is the longest number, minPAN the shortest believed.
const (
	shownFrom = 14
	maxPAN    = 19
	minPAN    = 12
)

// CardKey appends the digits of the card number to dst, from field 2 or else from the
// clear beginning of the track data, and nothing when there is none or the track is
// encrypted.
//
// This is the one loud place: the digits leave the message. It exists for a counter of
// distinct cards and for nothing else. Pass a slice of an array on the stack (19 bytes)
// and clear it after use.
func (m *Message) CardKey(dst []byte) []byte {
	encrypted := m.trackEncrypted()
	if half, n, packed := m.cardAt(encrypted); packed {
		for i := half; i < half+n; i++ {
			dst = append(dst, '0'+nibble(m.raw, i))
		}
		return dst
	}
	start := len(dst)
	if m.Has(2) {
		return onlyCard(m.AppendText(dst, 2), start)
	}
	for i, c := range m.content(35) {
		if c == 'D' || c == '=' {
			return onlyCard(dst, start)
		}
		if i == maxPAN {
			break
		}
		dst = append(dst, c)
	}
	clear(dst[start:])
	return dst[:start]
}

// cardAt tells where in the packed digits of the frame the card number begins, in half
// bytes, and how many there are, none when there is no number or it is encrypted. It
// answers false when the number is in characters, or in half bytes that were not verified.
func (m *Message) cardAt(encrypted bool) (half, n int, packed bool) {
	switch {
	case m.Has(2):
		if half, n = m.packedAt(2); n == 0 {
			return 0, 0, false
		}
	case !m.Has(35) || encrypted:
		return 0, 0, true
	case m.dialect.Fields[35].Packing != dialect.BCD:
		return 0, 0, false
	default:
		half, n = m.clearTrack()
	}
	if n < minPAN || n > maxPAN {
		return 0, 0, true
	}
	return half, n, true
}

// clearTrack finds the digits before the separator of packed track data, none without one.
func (m *Message) clearTrack() (half, n int) {
	_, skip, units := m.packed(35)
	half = 2*m.spans[35].off() + skip
	const step = 15 // half bytes that a word is sure to have
	n = min(leadingDigits(m.wordFrom(half)), step)
	if n == step {
		n += min(leadingDigits(m.wordFrom(half+step)), step)
	}
	if n >= units || nibble(m.raw, half+n) != 0xD {
		return 0, 0
	}
	return half, n
}

// onlyCard takes back what was appended from start on unless it is a card number.
func onlyCard(dst []byte, start int) []byte {
	pan := dst[start:]
	if len(pan) < minPAN || len(pan) > maxPAN || !plainDigits(pan) {
		clear(pan)
		return dst[:start]
	}
	return dst
}

// trackEncrypted tells whether the third digit of field 53 says that track data is encrypted.
func (m *Message) trackEncrypted() bool {
	if !m.Has(53) {
		return false
	}
	if half, n := m.packedAt(53); n >= 3 {
		return nibble(m.raw, half+2) == 1
	}
	v, ok := m.part(53, 2, 1)
	return ok && v == 1
}
