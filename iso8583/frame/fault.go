// SPDX-License-Identifier: Apache-2.0

package frame

// Fault says what is wrong with a frame. It is an error; 0 means none.
type Fault uint8

// The faults of a frame.
const (
	// TooLong means more bytes than [MaxFrame].
	TooLong Fault = iota + 1
	// Short means that the parts before the message do not fit.
	Short
	// PrefixNotDecimal means that a decimal prefix holds something else.
	PrefixNotDecimal
	// PrefixTooSmall means that a prefix which counts itself says less than its own size.
	PrefixTooSmall
	// PrefixAhead means that the prefix says more than is there: the frame was cut, or lost a part.
	PrefixAhead
	// PrefixBehind means that the prefix says less than is there: something was added.
	PrefixBehind
	// NoTPDU means that the byte where a TPDU should begin is not 0x60.
	NoTPDU
)

var faultTexts = [...]string{
	0:                "no fault",
	TooLong:          "the frame is longer than any prefix can say",
	Short:            "the frame ends before the message begins",
	PrefixNotDecimal: "the length prefix is not decimal",
	PrefixTooSmall:   "the length prefix says less than its own size",
	PrefixAhead:      "the length prefix says more bytes than follow",
	PrefixBehind:     "the length prefix says fewer bytes than follow",
	NoTPDU:           "the TPDU does not begin with 60",
}

// Error gives the fault in words.
func (f Fault) Error() string {
	if int(f) < len(faultTexts) {
		return faultTexts[f]
	}
	return "unknown fault of the frame"
}
