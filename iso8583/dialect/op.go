// SPDX-License-Identifier: Apache-2.0

package dialect

// Check is what a decoder verifies of a field's content.
type Check uint8

// The checks of content.
const (
	// Anything is not looked at.
	Anything Check = iota
	// BCDDigits is two decimal digits in every byte.
	BCDDigits
	// BCDPadLast is [BCDDigits] but for the last half byte, which is a pad,
	// 0 or F, when the number of digits is odd.
	BCDPadLast
	// BCDPadFirst is the same with the pad in front.
	BCDPadFirst
	// ASCIIDigits is a decimal character in every byte.
	ASCIIDigits
	// Characters is no control character in any byte.
	Characters
	// PlainCharacters is that, and no byte above the ASCII range.
	PlainCharacters
)

// Quick is how a decoder may read a field with few steps. It never has to: what it
// finds odd, and every field that is [Slow], it reads by the other numbers of the [Op].
type Quick uint8

// The quick ways. The first bytes of the field are verified with the masks of the [Op].
// Decoders rely on the order: from [Word] on, the masks verify the whole field.
const (
	// Slow is none.
	Slow Quick = iota
	// Packed is a length of packed digits; the masks verify these.
	Packed
	// Words is a fixed size of 9 to 16 bytes; the last eight have the masks of the first.
	Words
	// Word is a fixed size of up to eight bytes.
	Word
	// Number is a [Word] of packed digits, up to twelve and always as many.
	Number
)

// Op is a field reduced to what finding its end takes. The zero value stands for a
// field that the dialect does not have.
type Op struct {
	// Digits, Text and Zero verify eight bytes at once; the first is the lowest of the
	// numbers. Digits has the highest bit of every half byte that must be a decimal digit,
	// Text that of every byte that must be no control character, Zero every bit that is not
	// set in usual content. What does not pass so may still be right in the eyes of Check.
	Digits, Text, Zero uint64
	// Max is the greatest length in units, or the fixed one.
	Max uint16
	// Size is the size in bytes of a field of fixed length.
	Size uint16
	// Prefix is how the length is announced.
	Prefix PrefixForm
	// Check is what to verify of the content.
	Check Check
	// Quick is how the field may be read with few steps.
	Quick Quick
	// Halve is 1 when two units share a byte, else 0: a length of n units takes (n+Halve)>>Halve bytes.
	Halve uint8
}

// PrefixForm is how a length is announced, with its size in bytes in the low three bits.
type PrefixForm uint8

// The forms of a length prefix.
const (
	// Absent marks a field that the dialect does not have.
	Absent PrefixForm = 0
	// FixedSize has no prefix.
	FixedSize PrefixForm = 1 << 3
	// BCD1 is two digits in one byte.
	BCD1 PrefixForm = 2<<3 | 1
	// BCD2 is up to four digits in two bytes.
	BCD2 PrefixForm = 3<<3 | 2
	// ASCII2 is two decimal characters.
	ASCII2 PrefixForm = 4<<3 | 2
	// ASCII3 is three decimal characters.
	ASCII3 PrefixForm = 5<<3 | 3
	// Binary1 is a number in one byte.
	Binary1 PrefixForm = 6<<3 | 1
	// Binary2 is a big-endian number in two bytes.
	Binary2 PrefixForm = 7<<3 | 2
)

// Size is the number of bytes of the prefix.
func (p PrefixForm) Size() int { return int(p & 7) }

var prefixForms = [...][3]PrefixForm{
	Fixed: {FixedSize, FixedSize, FixedSize},
	LL:    {BCD: BCD1, ASCII: ASCII2, Binary: Binary1},
	LLL:   {BCD: BCD2, ASCII: ASCII3, Binary: Binary2},
}

// compile reduces the field.
func (f Field) compile() Op {
	if f.Class == Undefined {
		return Op{}
	}
	op := Op{Prefix: prefixForms[f.Length][f.Prefix], Max: uint16(f.Max)}
	if f.Packing == BCD && f.Unit == Digits {
		op.Halve = 1
	}
	op.Check = f.check()
	if f.Length == Fixed {
		op.Size = (op.Max + uint16(op.Halve)) >> op.Halve
	}
	op.Quick = op.quick()
	op.mask()
	return op
}

// check tells what to verify of the content.
func (f Field) check() Check {
	switch f.Class {
	case N:
	case AN, ANS:
		switch {
		case f.Free:
			return Anything
		case f.Class == AN:
			return PlainCharacters
		}
		return Characters
	case Undefined, Z, B:
		return Anything
	}
	switch {
	case f.Free:
		return Anything
	case f.Packing == ASCII:
		return ASCIIDigits
	case f.Unit == Bytes, f.Length == Fixed && f.Max%2 == 0:
		return BCDDigits
	case f.Align == Right:
		return BCDPadFirst
	}
	return BCDPadLast
}

// quick finds the quick way to read the field.
func (o *Op) quick() Quick {
	digits := o.Check == BCDDigits || o.Check == BCDPadFirst || o.Check == BCDPadLast
	switch {
	case o.Prefix == BCD1, o.Prefix == BCD2:
		return Packed
	case o.Prefix != FixedSize, o.Check == ASCIIDigits:
		return Slow
	case digits && o.Halve == 1 && o.Max <= 12:
		return Number
	case o.Size <= 8:
		return Word
	case o.Size <= 16 && o.Check != BCDPadFirst && o.Check != BCDPadLast:
		return Words
	}
	return Slow
}

// mask sets the masks for the quick way.
func (o *Op) mask() {
	const everyByte, everyHalf = 0x8080808080808080, 0x8888888888888888
	if o.Quick == Packed {
		o.Digits = everyHalf & (1<<(8*o.Prefix.Size()) - 1)
	}
	if o.Quick < Words {
		return
	}
	within := ^uint64(0) >> (64 - 8*min(8, o.Size))
	switch o.Check {
	case BCDDigits:
		o.Digits = everyHalf & within
	case BCDPadFirst:
		o.Zero = 0xF0
		o.Digits = everyHalf & within &^ o.Zero
	case BCDPadLast:
		o.Zero = 0x0F << (8 * (o.Size - 1))
		o.Digits = everyHalf & within &^ o.Zero
	case Characters:
		o.Text = everyByte & within
	case PlainCharacters:
		o.Text = everyByte & within
		o.Zero = o.Text
	case Anything, ASCIIDigits:
	}
}

func (d *Dialect) compile() {
	for de := range d.Fields {
		d.ops[de] = Op{}
		if de >= 2 && de <= d.MaxField {
			d.ops[de] = d.Fields[de].compile()
		}
	}
}
