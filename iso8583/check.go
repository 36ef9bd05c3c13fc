// SPDX-License-Identifier: Apache-2.0

package iso8583

import (
	"encoding/binary"

	"github.com/tillmend/tillmend/iso8583/dialect"
)

// Masks for eight bytes at once.
const (
	every30 = 0x3030303030303030
	everyF0 = 0xF0F0F0F0F0F0F0F0
	every06 = 0x0606060606060606
	every20 = 0x2020202020202020
	every80 = 0x8080808080808080
)

// checked tells whether content is what its field may hold.
func checked(check dialect.Check, b []byte, units int) bool {
	switch check {
	case dialect.Anything:
	case dialect.BCDDigits:
		return packedDigits(b)
	case dialect.BCDPadLast:
		if units&1 == 1 {
			last := b[len(b)-1]
			return last>>4 <= 9 && isPad(last&15) && packedDigits(b[:len(b)-1])
		}
		return packedDigits(b)
	case dialect.BCDPadFirst:
		if units&1 == 1 {
			return b[0]&15 <= 9 && isPad(b[0]>>4) && packedDigits(b[1:])
		}
		return packedDigits(b)
	case dialect.ASCIIDigits:
		return plainDigits(b)
	case dialect.Characters:
		return characters(b, 0)
	case dialect.PlainCharacters:
		return characters(b, every80)
	}
	return true
}

// isPad tells whether a half byte to spare is filled as usual. A digit there means that
// the field is aligned the other way, or is not this field at all.
func isPad(half byte) bool { return half == 0 || half == 15 }

// packedDigits tells whether every half byte is a decimal digit: one of ten and more
// has its highest bit set, and one of the two next to it.
func packedDigits(b []byte) bool {
	for len(b) >= 8 {
		if notDigits(binary.LittleEndian.Uint64(b)) != 0 {
			return false
		}
		b = b[8:]
	}
	var bad byte
	for _, c := range b {
		bad |= c & (c<<1 | c<<2)
	}
	return bad&0x88 == 0
}

// plainDigits tells whether every byte is a decimal character.
func plainDigits(b []byte) bool {
	for len(b) >= 8 {
		x := binary.LittleEndian.Uint64(b)
		if x&everyF0 != every30 || (x+every06)&everyF0 != every30 {
			return false
		}
		b = b[8:]
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// characters tells whether no byte is a control character, nor has a bit of plain. A
// byte below the space borrows when that is subtracted; a borrow reaches a higher byte
// only from a lower one that is bad itself.
func characters(b []byte, plain uint64) bool {
	if len(b) >= 8 {
		for at := 0; ; at = min(at+8, len(b)-8) { // the last eight overlap
			x := binary.LittleEndian.Uint64(b[at:])
			if (x-every20)&^x&every80|x&plain != 0 {
				return false
			}
			if at == len(b)-8 {
				return true
			}
		}
	}
	for _, c := range b {
		if c < ' ' || c&byte(plain) != 0 {
			return false
		}
	}
	return true
}

// firstBad finds the byte that made [checked] refuse.
func firstBad(check dialect.Check, b []byte, units int) int {
	for i := range b {
		one, n := check, 2
		switch {
		case check == dialect.BCDPadLast && i == len(b)-1, check == dialect.BCDPadFirst && i == 0:
			n = 2 - units&1
		case check == dialect.BCDPadLast, check == dialect.BCDPadFirst:
			one = dialect.BCDDigits
		}
		if !checked(one, b[i:i+1], n) {
			return i
		}
	}
	return 0
}
