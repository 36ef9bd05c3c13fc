// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"errors"

	moov "github.com/moov-io/iso8583"
	"github.com/moov-io/iso8583/encoding"
	"github.com/moov-io/iso8583/field"
	"github.com/moov-io/iso8583/prefix"
)

// codec is how packed digits are read: to the right, to the left, and as lengths.
type codec struct {
	right, left encoding.Encoder
	ll, lll     prefix.Prefixer
}

// stock is what the library brings.
var stock = codec{right: encoding.BCD, left: encoding.LBCD, ll: prefix.BCD.LL, lll: prefix.BCD.LLL}

// tuned reads the same with a loop over half bytes and one allocation a field.
var tuned = codec{right: packed{pad: 1}, left: packed{}, ll: packedLength{1}, lll: packedLength{2}}

// spec describes the fields of the measured message to the library.
func spec(c codec) *moov.MessageSpec {
	digits := func(n int, enc encoding.Encoder) field.Field {
		return field.NewString(&field.Spec{Length: n, Enc: enc, Pref: prefix.BCD.Fixed})
	}
	text := func(n int) field.Field {
		return field.NewString(&field.Spec{Length: n, Enc: encoding.ASCII, Pref: prefix.ASCII.Fixed})
	}
	bytes := func(n int) field.Field {
		return field.NewBinary(&field.Spec{Length: n, Enc: encoding.Binary, Pref: prefix.Binary.Fixed})
	}
	return &moov.MessageSpec{Fields: map[int]field.Field{
		0:  digits(4, c.right),
		1:  field.NewBitmap(&field.Spec{Length: 8, Enc: encoding.Binary, Pref: prefix.Binary.Fixed}),
		2:  field.NewString(&field.Spec{Length: 19, Enc: c.left, Pref: c.ll}),
		3:  digits(6, c.right),
		4:  digits(12, c.right),
		11: digits(6, c.right),
		14: digits(4, c.right),
		22: digits(3, c.left),
		23: digits(3, c.right),
		25: digits(2, c.right),
		26: digits(2, c.right),
		// The stock encoders refuse the separator of track data, so both use the same here.
		35: field.NewString(&field.Spec{Length: 37, Enc: packed{}, Pref: c.ll}),
		41: text(8),
		42: text(15),
		49: text(3),
		52: bytes(8),
		53: digits(16, c.right),
		55: field.NewBinary(&field.Spec{Length: 255, Enc: encoding.Binary, Pref: c.lll}),
		60: field.NewString(&field.Spec{Length: 17, Enc: c.left, Pref: c.lll}),
		64: bytes(8),
	}}
}

var errShort = errors.New("not enough bytes")

const characters = "0123456789ABCDEF"

// packed reads half bytes; pad is 1 when the spare one stands in front.
type packed struct{ pad int }

// Decode gives length characters and the number of bytes that they took.
func (p packed) Decode(b []byte, length int) (text []byte, read int, err error) {
	read = (length + 1) / 2
	if length < 0 || len(b) < read {
		return nil, 0, errShort
	}
	text = make([]byte, length)
	skip := p.pad * (length & 1)
	for i := range text {
		c := b[(i+skip)>>1]
		if (i+skip)&1 == 0 {
			c >>= 4
		}
		text[i] = characters[c&15]
	}
	return text, read, nil
}

// Encode is not needed for reading.
func (p packed) Encode([]byte) ([]byte, error) { return nil, errors.ErrUnsupported }

// packedLength reads a length of two digits a byte.
type packedLength struct{ size int }

// DecodeLength gives the length and the number of bytes that it took.
func (p packedLength) DecodeLength(most int, b []byte) (length, read int, err error) {
	if len(b) < p.size {
		return 0, 0, errShort
	}
	for _, c := range b[:p.size] {
		length = length*100 + int(c>>4)*10 + int(c&15)
	}
	if length > most {
		return 0, 0, errors.New("length too great")
	}
	return length, p.size, nil
}

// EncodeLength is not needed for reading.
func (p packedLength) EncodeLength(int, int) ([]byte, error) { return nil, errors.ErrUnsupported }

// Inspect names the prefix in the library's way.
func (p packedLength) Inspect() string { return "BCD.tuned" }
