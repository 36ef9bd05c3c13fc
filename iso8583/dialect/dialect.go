// SPDX-License-Identifier: Apache-2.0

// Package dialect describes how one family of ISO 8583 messages is written: the frame
// around it, the form of bitmap and digits, and for every field its content, length and
// packing. A dialect is data: the shipped ones are YAML files in this package, an
// operator adds others with [Load], mostly by extending a shipped one.
//
// A field is described along independent axes, so that an odd dialect is a combination
// and not new code: content ([Class]), fixed or announced length ([Length]), how the
// announcement is written ([Packing]) and what it counts ([Unit]), how the content is
// packed, and on which side an odd digit is padded.
//
// A [Dialect] is read only once made and may be used by any number of goroutines. At
// load every field is also reduced to an [Op], the few numbers that a decoder needs.
package dialect

import "github.com/tillmend/tillmend/iso8583/frame"

// Fields is the number of places in a field table: fields are numbered 1 to 128.
const Fields = 129

// Class is what a field may contain.
type Class uint8

// The classes of content.
const (
	// Undefined marks a field that the dialect does not have.
	Undefined Class = iota
	// N is decimal digits.
	N
	// AN is letters and digits.
	AN
	// ANS is any characters.
	ANS
	// Z is track data: digits, the separator D or =, and whatever encryption made of them.
	Z
	// B is bytes; their text form is hexadecimal.
	B
)

// Length is how many units a field holds.
type Length uint8

// Fixed and announced lengths.
const (
	// Fixed is always the maximum.
	Fixed Length = iota
	// LL is announced by two digits.
	LL
	// LLL is announced by three digits.
	LLL
)

// Packing is how digits or content are written.
type Packing uint8

// The ways of writing.
const (
	// BCD is two digits a byte.
	BCD Packing = iota
	// ASCII is one character a byte.
	ASCII
	// Binary is bytes as they are; as a length, a big-endian number.
	Binary
)

// Unit is what a length counts.
type Unit uint8

// The units of a length.
const (
	// Digits are digits or characters, before packing.
	Digits Unit = iota
	// Bytes are bytes on the wire.
	Bytes
)

// Align is the side on which content stands when a digit is to spare.
type Align uint8

// The two sides.
const (
	// Left puts the pad after the content.
	Left Align = iota
	// Right puts the pad before it.
	Right
)

// Secondary tells when a second bitmap of 64 fields follows the first.
type Secondary uint8

// The habits about a second bitmap.
const (
	// Never means that there are 64 fields only.
	Never Secondary = iota
	// Flagged means that the first bit announces it.
	Flagged
	// Always means that it is there whatever the first bit says.
	Always
)

// Field describes one field.
type Field struct {
	// Class is what the field may contain; [Undefined] for a field that the dialect lacks.
	Class Class
	// Length tells whether the length is fixed or announced.
	Length Length
	// Max is the fixed length, or the greatest that may be announced, in units.
	Max int
	// Prefix is how an announced length is written.
	Prefix Packing
	// Unit is what the length counts.
	Unit Unit
	// Packing is how the content is written.
	Packing Packing
	// Align is where content stands when packing leaves a digit to spare.
	Align Align
	// Pad is the digit to spare, '0' or 'F', as it is written. Either is accepted when read.
	Pad byte
	// Free is set when the content is not judged by its class: private fields, in which
	// anything is found.
	Free bool
}

// Dialect is one complete description. Do not change it after [Load]; [Dialect.WithFrame]
// gives a variant.
type Dialect struct {
	// Name is how configuration refers to the dialect.
	Name string
	// Title says in a few words what speaks it.
	Title string
	// Frame is what stands around the message.
	Frame frame.Format
	// Body is how the message type and, unless said otherwise, digits are written.
	Body Packing
	// HexBitmap is set when the bitmap is written as hexadecimal characters.
	HexBitmap bool
	// Secondary tells when a second bitmap follows.
	Secondary Secondary
	// MaxField is 64 or 128.
	MaxField int
	// UnionPay is set when fields 44, 48, 60, 61 and 62 are laid out as UnionPay terminals
	// have them. Without it nothing is read from those, and nothing of them is shown.
	UnionPay bool
	// Fields describes each field under its number; index 0 and 1 are not used.
	Fields [Fields]Field

	ops [Fields]Op
}

// WithFrame gives the same dialect in other surroundings.
func (d *Dialect) WithFrame(f frame.Format) *Dialect {
	variant := *d
	variant.Frame = f
	return &variant
}

// Ops gives the compiled table of fields, under their numbers.
func (d *Dialect) Ops() *[Fields]Op { return &d.ops }
