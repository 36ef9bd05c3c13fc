// SPDX-License-Identifier: Apache-2.0

package iso8583

import (
	"encoding/binary"
	"math/bits"
)

// Packed digits are verified, searched and turned into numbers in words of eight bytes,
// sixteen half bytes at once.

const everyHalf = 0x8888888888888888 // the highest bit of every half byte

// notDigits has the highest bit of every half byte of x that is no decimal digit: one of
// ten and more has that bit set, and one of the two next to it.
func notDigits(x uint64) uint64 { return x & (x<<1 | x<<2) & everyHalf }

// leadingDigits is the number of decimal digits that x begins with, from the highest half byte.
func leadingDigits(x uint64) int { return bits.LeadingZeros64(notDigits(x)) / 4 }

// value8 gives the number that eight decimal digits are. Neighbours are put together,
// then neighbours of those: a half byte that weighed 16 weighs 10, a byte 100 and so on.
func value8(x uint32) uint32 {
	x -= x >> 4 & 0x0F0F0F0F * (16 - 10)
	x -= x >> 8 & 0x00FF00FF * (256 - 100)
	return x - x>>16*(1<<16-10_000)
}

// value16 does the same for sixteen.
func value16(x uint64) uint64 {
	return uint64(value8(uint32(x>>32)))*100_000_000 + uint64(value8(uint32(x)))
}

// part8 gives the value of n digits of x, at most eight, from number from on, counted
// from the highest half byte.
func part8(x uint64, from, n uint) uint32 { return value8(uint32(x << (4 * from) >> (64 - 4*n))) }

// wordAt gives the eight bytes of a frame from at on, the first as the highest; bytes
// behind the end are 0. A frame in which a field was read has eight bytes: type and
// bitmap alone take ten.
func wordAt(b []byte, at int) uint64 {
	if at >= 0 && at <= len(b)-8 {
		return binary.BigEndian.Uint64(b[at : at+8])
	}
	last := len(b) - 8
	return binary.BigEndian.Uint64(b[last:]) << (8 * uint(at-last))
}
