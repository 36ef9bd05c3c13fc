// SPDX-License-Identifier: Apache-2.0

package iso8583

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tillmend/tillmend/iso8583/frame"
)

// Description is what may be kept of a frame that cannot be read: sizes and kinds of
// bytes, and of the content only what surely is no content. Track data can stand
// anywhere in such a frame.
type Description struct {
	// Length is the number of bytes.
	Length int `json:"length"`
	// Start is length prefix, TPDU and header in hexadecimal, where there is a TPDU.
	Start string `json:"start"`
	// MTI and Bitmap are a guess at the message type and the bitmap, empty for none.
	MTI    string `json:"mti"`
	Bitmap string `json:"bitmap"`
	// Classes are the kinds of bytes from the beginning, in runs: d a digit, a a letter,
	// x anything else, such as "x13 d4 x8".
	Classes string `json:"classes"`
}

// maxRuns is how many runs of bytes are described; a message of the usual size has fewer.
const maxRuns = 256

// Describe tells what may be known of a frame that cannot be read.
func Describe(b []byte) Description {
	d := Description{Length: len(b), Classes: classes(b)}
	for _, f := range []frame.Format{
		{Length: frame.Binary2, TPDU: true, Header: headerShown},
		{TPDU: true, Header: headerShown},
		{Length: frame.Binary2},
		{},
	} {
		start := f.Length.Size() + f.Overhead()
		if f.TPDU && (len(b) < start || b[f.Length.Size()] != 0x60) {
			continue
		}
		mti, bitmap := guess(b[min(start, len(b)):])
		if mti == "" && !f.TPDU {
			continue
		}
		d.MTI, d.Bitmap = mti, bitmap
		if f.TPDU {
			d.Start = upper(b[:start])
		}
		break
	}
	return d
}

// guess takes the beginning of a message for type and bitmap if it looks like that.
func guess(b []byte) (mti, bitmap string) {
	const binary = 2 + 8
	if len(b) >= binary && plausibleType(uint16(b[0])<<8|uint16(b[1])) {
		return upper(b[:2]), upper(b[2:binary])
	}
	const characters = 4 + 8
	if len(b) < characters || !plainDigits(b[:4]) {
		return "", ""
	}
	var v uint16
	for _, c := range b[:4] {
		v = v<<4 | uint16(c&15)
	}
	if !plausibleType(v) {
		return "", ""
	}
	return string(b[:4]), upper(b[4:characters])
}

// plausibleType tells whether v is a message type of the 1987 edition: version 0, a
// class from 1 to 8, a function that is even or one more, and an origin up to 5.
func plausibleType(v uint16) bool {
	class, function, origin := v>>8&15, v>>4&15, v&15
	return v>>12 == 0 && class >= 1 && class <= 8 && function <= 5 && origin <= 5
}

// classes describes the kinds of bytes in runs.
func classes(b []byte) string {
	var out strings.Builder
	for run := 0; len(b) > 0; run++ {
		if run == maxRuns {
			out.WriteString(" …")
			break
		}
		kind, n := class(b[0]), 1
		for n < len(b) && class(b[n]) == kind {
			n++
		}
		if run > 0 {
			out.WriteByte(' ')
		}
		out.WriteByte(kind)
		out.WriteString(strconv.Itoa(n))
		b = b[n:]
	}
	return out.String()
}

func class(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return 'd'
	case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z':
		return 'a'
	}
	return 'x'
}

// String gives the description in one line.
func (d Description) String() string {
	return fmt.Sprintf("%d bytes, start %q, type %q, bitmap %q, classes %s", d.Length, d.Start, d.MTI, d.Bitmap, d.Classes)
}
