// SPDX-License-Identifier: Apache-2.0

// Package card holds card data so that it cannot be printed by accident. A [PAN] shows
// itself as its first six and last four digits whatever prints it, a [Track] as its
// presence and length. A [Counter] tells the cards at a terminal apart without keeping
// any of them.
//
// What a value shows is decided here and nowhere else: every way of formatting ends in
// its String method. A struct that hides a PAN in an unexported field keeps fmt from calling
// methods, so the digits lie behind two pointers, and then an address is all it can print.
package card

import (
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
)

// maxDigits is the longest card number, by ISO/IEC 7812.
const maxDigits = 19

// minDigits is the shortest card number accepted.
const minDigits = 8

// PAN is a card number. The zero value is no card. It is immutable and may be copied;
// compare with [PAN.Equal].
type PAN struct{ secret **digits }

type digits struct {
	text [maxDigits]byte
	n    uint8
}

// NewPAN makes a card number of 8 to 19 decimal digits; ok is false for anything else.
func NewPAN(text []byte) (p PAN, ok bool) {
	if len(text) < minDigits || len(text) > maxDigits {
		return PAN{}, false
	}
	for _, c := range text {
		if c < '0' || c > '9' {
			return PAN{}, false
		}
	}
	d := &digits{n: uint8(len(text))}
	copy(d.text[:], text)
	return PAN{&d}, true
}

// Reveal gives the whole number. Whoever calls it answers for where the digits go: not
// into a log, an error, a file, an answer or a string that lives on.
func (p PAN) Reveal() []byte {
	if p.secret == nil {
		return nil
	}
	d := *p.secret
	return d.text[:d.n]
}

// Present tells whether there is a number.
func (p PAN) Present() bool { return p.secret != nil }

// Equal tells whether both are the same number.
func (p PAN) Equal(other PAN) bool { return string(p.Reveal()) == string(other.Reveal()) }

// Parts of a number that may be shown.
const (
	first = 6
	last  = 4
	// shownFrom is the fewest digits of which ten are shown, so that four stay hidden.
	shownFrom = first + last + 4
)

// String gives the first six and last four digits with stars between; of a number too
// short for that only the last four. It is empty for no card.
func (p PAN) String() string {
	d := p.Reveal()
	switch {
	case len(d) == 0:
		return ""
	case len(d) < shownFrom:
		return strings.Repeat("*", len(d)-last) + string(d[len(d)-last:])
	}
	return string(d[:first]) + strings.Repeat("*", len(d)-first-last) + string(d[len(d)-last:])
}

// Format writes the same whatever the verb.
func (p PAN) Format(s fmt.State, _ rune) { writeMasked(s, p.String()) }

// GoString gives the same for %#v.
func (p PAN) GoString() string { return p.String() }

// LogValue gives the same to loggers.
func (p PAN) LogValue() slog.Value { return slog.StringValue(p.String()) }

// MarshalText gives the same to encoders.
func (p PAN) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// MarshalJSON gives the same as a JSON text.
func (p PAN) MarshalJSON() ([]byte, error) { return strconv.AppendQuote(nil, p.String()), nil }

// Track says that track data was there. It never holds the data.
type Track struct{ length uint8 }

// NewTrack notes track data of so many characters.
func NewTrack(length int) Track { return Track{uint8(min(max(length, 0), 255))} }

// Present tells whether there was any.
func (t Track) Present() bool { return t.length > 0 }

// String says so in words, empty for none.
func (t Track) String() string {
	if t.length == 0 {
		return ""
	}
	return "(present, " + strconv.Itoa(int(t.length)) + " characters)"
}

// Format writes the same whatever the verb.
func (t Track) Format(s fmt.State, _ rune) { writeMasked(s, t.String()) }

// GoString gives the same for %#v.
func (t Track) GoString() string { return t.String() }

// LogValue gives the same to loggers.
func (t Track) LogValue() slog.Value { return slog.StringValue(t.String()) }

// MarshalText gives the same to encoders.
func (t Track) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// MarshalJSON gives the same as a JSON text.
func (t Track) MarshalJSON() ([]byte, error) { return strconv.AppendQuote(nil, t.String()), nil }

func writeMasked(w io.Writer, text string) {
	// A formatter has nobody to report a failed write to; fmt does the same.
	_, _ = io.WriteString(w, text)
}
