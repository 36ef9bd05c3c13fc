// SPDX-License-Identifier: Apache-2.0

package iso8583

import (
	"strconv"
	"strings"

	"github.com/tillmend/tillmend/internal/card"
	"github.com/tillmend/tillmend/iso8583/dialect"
)

// shown are the fields that say nothing of the card or the cardholder, as bits
// numbered like the bitmap. A field is shown because it is here, not because it is not
// on a list of secrets: what nobody thought of stays hidden.
var shown = [2]uint64{
	fieldSet(3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 15, 16, 18, 19, 22, 24, 25, 26, 28, 32, 33,
		37, 38, 39, 41, 42, 49, 50, 51, 53),
	fieldSet(70-64, 100-64),
}

func fieldSet(des ...int) (set uint64) {
	for _, de := range des {
		set |= 1 << (64 - de)
	}
	return set
}

// Masked gives what may be shown of the field, stored or sent anywhere; ok is false for
// a field that is not there. Card numbers come as their first six and last four digits,
// chip data as the tags that carry nothing personal, and whatever is not known to be
// harmless as its presence and size.
//
// When the fields do not end where the frame ends, each may hold the bytes of another,
// and only presence and size are told of any.
func (m *Message) Masked(de int) (text string, ok bool) {
	if !m.Has(de) {
		return "", false
	}
	if m.exact {
		text = m.harmless(de)
	}
	if text == "" {
		text = m.presence(de)
	}
	return text, true
}

// harmless gives the part of a field that may be shown, empty for none.
func (m *Message) harmless(de int) string {
	if shown[(de-1)>>6]>>(63-(de-1)&63)&1 == 1 {
		return m.printable(de)
	}
	switch de {
	case 2:
		return m.PAN().String()
	case 55:
		return harmlessTags(m.Raw(55))
	}
	if !m.dialect.UnionPay {
		return ""
	}
	return m.harmlessPrivate(de)
}

// harmlessPrivate does so for the fields that UnionPay terminals lay out in their way.
func (m *Message) harmlessPrivate(de int) string {
	text := m.printable(de)
	switch de {
	case 44, 60:
		return text
	case 48:
		return m.harmlessSums(text)
	case 61: // batch, trace and date; what follows is free
		switch {
		case m.digitCount(61) >= 16:
			return text[:16]
		case m.digitCount(61) >= 12:
			return text[:12]
		}
	case 62:
		switch {
		case m.isKeys():
			return "(working keys, " + count(len(m.Raw(62)), "byte") + ")"
		case m.isStatus():
			return devices(m.Raw(62)).String()
		}
	}
	return ""
}

// harmlessSums shows the totals of a settlement and the count at the end of a batch; the
// records of a batch upload in the same field hold card numbers.
func (m *Message) harmlessSums(text string) string {
	const countDigits = 4
	switch m.mti {
	case settlementRequest, settlementAnswer:
		if m.digitCount(48) == 2*totalsDigits {
			return text
		}
	case batchRequest, batchAnswer:
		if m.digitCount(48) <= countDigits {
			return text
		}
	}
	return ""
}

// printable gives the text with a dot for everything that is not a plain character.
func (m *Message) printable(de int) string {
	text := m.AppendText(nil, de)
	for i, c := range text {
		if c < ' ' || c > '~' {
			text[i] = '.'
		}
	}
	return string(text)
}

// presence tells that a field is there and how long it is.
func (m *Message) presence(de int) string {
	unit := "character"
	f := &m.dialect.Fields[de]
	switch {
	case f.Class == dialect.N && f.Unit == dialect.Digits, f.Class == dialect.N && f.Packing == dialect.ASCII:
		unit = "digit"
	case f.Class == dialect.B, f.Packing == dialect.BCD && f.Unit == dialect.Bytes:
		unit = "byte"
	}
	return "(present, " + count(m.Units(de), unit) + ")"
}

func count(n int, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return strconv.Itoa(n) + " " + unit + "s"
}

// PAN gives the card number of field 2; it prints itself masked only.
func (m *Message) PAN() card.PAN {
	var space [maxPAN + 1]byte
	if !m.Has(2) || m.Units(2) > maxPAN {
		return card.PAN{}
	}
	p, _ := card.NewPAN(m.AppendText(space[:0], 2))
	clear(space[:])
	return p
}

// Track tells of the track data in field 35, and never holds them.
func (m *Message) Track() card.Track { return card.NewTrack(m.Units(35)) }

// String lists what was reported, such as "keyboard ok, printer fault"; empty for nothing.
func (d Devices) String() string {
	var parts []string
	for dev, name := range deviceNames {
		switch working, known := d.State(Device(dev)); {
		case !known:
		case working:
			parts = append(parts, name+" ok")
		default:
			parts = append(parts, name+" fault")
		}
	}
	return strings.Join(parts, ", ")
}

var deviceNames = [...]string{
	Keyboard: "keyboard", PINPad: "PIN pad", CardReader: "card reader", Printer: "printer", Display: "display",
}

// String names the part.
func (d Device) String() string {
	if int(d) < len(deviceNames) && d > 0 {
		return deviceNames[d]
	}
	return "unknown part"
}
