// SPDX-License-Identifier: Apache-2.0

package iso8583

import (
	"strconv"

	"github.com/tillmend/tillmend/iso8583/frame"
)

// Reason says what is wrong at one place of a message.
type Reason uint8

// The reasons. The first group concerns the frame, the second the type and the bitmap,
// the last a field.
const (
	// FrameTooLong means more bytes than [frame.MaxFrame].
	FrameTooLong Reason = iota + 1
	// FrameShort means that the frame ends before the message begins.
	FrameShort
	// FrameLengthNotDecimal means that a decimal length prefix holds something else.
	FrameLengthNotDecimal
	// FrameLengthTooSmall means that a prefix which counts itself says less than its own size.
	FrameLengthTooSmall
	// FrameLengthAhead means that the prefix says more bytes than follow: the frame was cut short.
	FrameLengthAhead
	// FrameLengthBehind means that the prefix says fewer bytes than follow: the frame was lengthened.
	FrameLengthBehind
	// NoTPDU means that the TPDU does not begin with 60.
	NoTPDU
	// Trailing means that bytes are left after the last field.
	Trailing

	// NoType means that the message type is missing.
	NoType
	// TypeNotDecimal means that the message type is not four digits.
	TypeNotDecimal
	// NoBitmap means that the frame ends inside the bitmap.
	NoBitmap
	// BitmapNotHex means that a bitmap in characters holds something else.
	BitmapNotHex
	// NoSecondary means that the bitmap announces a second one, which the dialect does not have.
	NoSecondary

	// UnknownField means that the bitmap announces a field that the dialect does not have.
	UnknownField
	// LengthNotDecimal means that the length of the field is not a decimal number.
	LengthNotDecimal
	// LengthTooGreat means that the field says it is longer than its kind may be.
	LengthTooGreat
	// Cut means that the frame ends inside the field.
	Cut
	// NotDecimal means that a field of digits holds something else.
	NotDecimal
	// NotText means that a field of characters holds something else.
	NotText
)

var reasonTexts = [...]string{
	0:                     "well-formed",
	FrameTooLong:          frame.TooLong.Error(),
	FrameShort:            frame.Short.Error(),
	FrameLengthNotDecimal: frame.PrefixNotDecimal.Error(),
	FrameLengthTooSmall:   frame.PrefixTooSmall.Error(),
	FrameLengthAhead:      frame.PrefixAhead.Error(),
	FrameLengthBehind:     frame.PrefixBehind.Error(),
	NoTPDU:                frame.NoTPDU.Error(),
	Trailing:              "bytes are left after the last field",
	NoType:                "the frame ends before the message type",
	TypeNotDecimal:        "the message type is not four digits",
	NoBitmap:              "the frame ends inside the bitmap",
	BitmapNotHex:          "the bitmap is not hexadecimal",
	NoSecondary:           "the bitmap announces a second bitmap, which this dialect does not have",
	UnknownField:          "the bitmap announces a field that this dialect does not have",
	LengthNotDecimal:      "the length of the field is not a decimal number",
	LengthTooGreat:        "the length of the field is greater than it may be",
	Cut:                   "the frame ends inside the field",
	NotDecimal:            "the field holds something other than digits",
	NotText:               "the field holds something other than characters",
}

// String gives the reason in words. They never quote content.
func (r Reason) String() string {
	if int(r) < len(reasonTexts) {
		return reasonTexts[r]
	}
	return "unknown reason"
}

// Malformed is the first fault of a message. It names places, never content, and is an
// error.
type Malformed struct {
	// Field is the field that could not be read: 0 for the frame as a whole, 1 for the
	// message type and the bitmap.
	Field int
	// Offset is the byte of the frame where the fault is, counted from 0 with the length
	// prefix: the beginning of the field with its length, or the very digit that is none.
	Offset int
	// Reason says what is wrong there.
	Reason Reason
}

// Error gives place and reason in one line.
func (f Malformed) Error() string {
	where := "field " + strconv.Itoa(f.Field)
	switch f.Field {
	case 0:
		where = "frame"
	case 1:
		where = "message type and bitmap"
	}
	return where + " at byte " + strconv.Itoa(f.Offset) + ": " + f.Reason.String()
}

// Malformed gives what is wrong with the message, nil when [Message.Decode] was content.
// It belongs to the message and changes with the next Decode.
func (m *Message) Malformed() *Malformed {
	if m.bad.Reason == 0 {
		return nil
	}
	return &m.bad
}

var frameReasons = [...]Reason{
	frame.TooLong:          FrameTooLong,
	frame.Short:            FrameShort,
	frame.PrefixNotDecimal: FrameLengthNotDecimal,
	frame.PrefixTooSmall:   FrameLengthTooSmall,
	frame.PrefixAhead:      FrameLengthAhead,
	frame.PrefixBehind:     FrameLengthBehind,
	frame.NoTPDU:           NoTPDU,
}

// frameFault places a fault of the frame.
func frameFault(fault frame.Fault, format *frame.Format, size int) Malformed {
	bad := Malformed{Reason: frameReasons[fault]}
	switch fault {
	case frame.NoTPDU:
		bad.Offset = format.Length.Size()
	case frame.Short:
		bad.Offset = size
	case frame.TooLong, frame.PrefixNotDecimal, frame.PrefixTooSmall, frame.PrefixAhead, frame.PrefixBehind:
	}
	return bad
}
