// SPDX-License-Identifier: Apache-2.0

package iso8583

import "strings"

// harmlessTag is the length, least and most, that a tag of chip data may have to be shown.
var harmlessTag = map[uint32][2]int{
	0x84:   {5, 16}, // the application on the card
	0x8A:   {2, 2},  // response code
	0x95:   {5, 5},  // terminal verification results
	0x9B:   {2, 2},  // transaction status
	0x9F27: {1, 1},  // kind of cryptogram
	0x9F33: {3, 3},  // what the terminal can do
	0x9F34: {3, 3},  // how the cardholder was verified
	0x9F35: {1, 1},  // kind of terminal
	0x9F36: {2, 2},  // counter of the card
}

// harmlessTags lists the tags of chip data that may be shown and counts the rest; empty
// for data that are not tags.
func harmlessTags(b []byte) string {
	var out strings.Builder
	hidden := 0
	for len(b) > 0 {
		tag, value, rest, ok := nextTag(b)
		if !ok {
			return ""
		}
		b = rest
		size, allowed := harmlessTag[tag]
		if !allowed || len(value) < size[0] || len(value) > size[1] {
			hidden++
			continue
		}
		if out.Len() > 0 {
			out.WriteByte(' ')
		}
		if tag > 0xFF {
			writeHex(&out, byte(tag>>8))
		}
		writeHex(&out, byte(tag))
		out.WriteByte('=')
		for _, c := range value {
			writeHex(&out, c)
		}
	}
	if hidden > 0 {
		if out.Len() > 0 {
			out.WriteByte(' ')
		}
		out.WriteString("(" + count(hidden, "tag") + " not shown)")
	}
	return out.String()
}

func writeHex(out *strings.Builder, c byte) {
	out.WriteByte(upperHex[c>>4])
	out.WriteByte(upperHex[c&15])
}

// nextTag reads one tag, length and value in the manner of EMV.
func nextTag(b []byte) (tag uint32, value, rest []byte, ok bool) {
	tag = uint32(b[0])
	b = b[1:]
	if tag&0x1F == 0x1F { // goes on while the highest bit is set
		for more := true; more; {
			if len(b) == 0 || tag > 0xFFFF {
				return 0, nil, nil, false
			}
			tag = tag<<8 | uint32(b[0])
			more = b[0]&0x80 != 0
			b = b[1:]
		}
	}
	if len(b) == 0 {
		return 0, nil, nil, false
	}
	n := int(b[0])
	b = b[1:]
	if n >= 0x80 { // the length follows in n-0x80 bytes
		size := n - 0x80
		if size < 1 || size > 2 || len(b) < size {
			return 0, nil, nil, false
		}
		n = 0
		for _, c := range b[:size] {
			n = n<<8 | int(c)
		}
		b = b[size:]
	}
	if n > len(b) {
		return 0, nil, nil, false
	}
	return tag, b[:n], b[n:], true
}
