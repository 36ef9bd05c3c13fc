// SPDX-License-Identifier: Apache-2.0

package iso8583

import (
	"cmp"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"github.com/tillmend/tillmend/iso8583/dialect"
	"github.com/tillmend/tillmend/iso8583/frame"
)

// Detection is what [Detect] found out about unknown bytes.
type Detection struct {
	// Fits are the ways of reading the bytes that use them up exactly, the best first.
	Fits []Fit
	// Failed are the other ways, those that came furthest first, each with its reason.
	Failed []Candidate
}

// Fit is one way of reading that uses up all bytes.
type Fit struct {
	// Dialect has the frame that fitted, which need not be its usual one.
	Dialect *dialect.Dialect
	// Fields is how many fields were read.
	Fields int

	score int
}

// Candidate is one way of reading that failed.
type Candidate struct {
	// Dialect is the name of the dialect, Frame what was tried around the message.
	Dialect string
	Frame   frame.Format
	// Reason says in words why it cannot be. It quotes no content.
	Reason string

	fields int
}

// Best gives the best fit; ok is false when nothing fits.
func (d Detection) Best() (fit Fit, ok bool) {
	if len(d.Fits) == 0 {
		return Fit{}, false
	}
	return d.Fits[0], true
}

// Ambiguous says in one sentence which other dialects read the same bytes just as well;
// it is empty when the best fit stands alone.
func (d Detection) Ambiguous() string {
	if len(d.Fits) < 2 {
		return ""
	}
	var names []string
	for _, f := range d.Fits[1:] {
		if f.score == d.Fits[0].score {
			names = append(names, f.Dialect.Name+" ("+describeFormat(f.Dialect.Frame)+")")
		}
	}
	if names == nil {
		return ""
	}
	return "these bytes read just as well as " + strings.Join(names, ", ") + "; a message with more fields would tell"
}

// Detect tries every known dialect in every usual frame, with and without length
// prefix, TPDU, caller's number and header, on one complete message. What uses up the
// bytes exactly fits; of several fits the one that explains more of the bytes comes
// first, then the one in which the contents look more like themselves, then the order
// of known.
func Detect(b []byte, known []*dialect.Dialect) Detection {
	var d Detection
	var m Message
	for _, di := range known {
		for _, f := range formats(di.Frame) {
			ok := m.decode(di, &f, b)
			if ok {
				if why := m.implausible(); why != "" {
					d.Failed = append(d.Failed, Candidate{di.Name, f, why, m.count()})
					continue
				}
				d.Fits = append(d.Fits, Fit{Dialect: di.WithFrame(f), Fields: m.count(), score: m.score(f)})
				continue
			}
			d.Failed = append(d.Failed, Candidate{di.Name, f, m.why(f), m.count()})
		}
	}
	slices.SortStableFunc(d.Fits, func(x, y Fit) int { return cmp.Compare(y.score, x.score) })
	slices.SortStableFunc(d.Failed, func(x, y Candidate) int { return cmp.Compare(y.fields, x.fields) })
	return d
}

// aniSize is the only caller's number seen between TPDU and header, in bytes.
const aniSize = 14

// formats lists what may stand around a message, the dialect's own way first.
func formats(own frame.Format) []frame.Format {
	list := []frame.Format{own}
	header := unionPayHeader
	if own.Header > 0 {
		header = own.Header
	}
	for _, length := range []frame.Format{
		{Length: frame.Binary2},
		{Length: frame.BCD2},
		{Length: frame.ASCII4},
		{Length: frame.Binary2, LengthCountsSelf: true},
		{Length: frame.BCD2, LengthCountsSelf: true},
		{Length: frame.ASCII4, LengthCountsSelf: true},
		{},
	} {
		for _, rest := range []frame.Format{
			{TPDU: true, Header: header},
			{TPDU: true, ANI: aniSize, Header: header},
			{TPDU: true},
			{Header: header},
			{},
		} {
			rest.Length, rest.LengthCountsSelf = length.Length, length.LengthCountsSelf
			if rest != own {
				list = append(list, rest)
			}
		}
	}
	return list
}

// unionPayHeader is the usual size of a terminal's header.
const unionPayHeader = 6

// count is the number of fields that were read.
func (m *Message) count() int { return bits.OnesCount64(m.have[0]) + bits.OnesCount64(m.have[1]) }

// implausible says why a message that was read to the end still cannot be one, empty
// when it can.
func (m *Message) implausible() string {
	if !plausibleType(m.mti) {
		return "the message type is not one of the 1987 edition"
	}
	if h := m.frame.Header(); len(h) == unionPayHeader && !packedDigits(h) {
		return "the header is not decimal"
	}
	return ""
}

// score counts what speaks for a fit: framing that was recognised by its content, and
// characters where characters belong.
func (m *Message) score(f frame.Format) int {
	const perPart, perOddity = 1000, 1
	score := 0
	if f.Length != frame.None {
		score += perPart
	}
	if f.TPDU {
		score += perPart
	}
	for de := range m.Fields {
		class := m.dialect.Fields[de].Class
		if class != dialect.AN && class != dialect.ANS {
			continue
		}
		for _, c := range m.Raw(de) {
			if c < ' ' || c == 0x7F {
				score -= perOddity
			}
		}
	}
	return score
}

// why tells in words why the message was not read to the end.
func (m *Message) why(f frame.Format) string {
	bad := m.bad
	if bad.Reason == FrameLengthAhead || bad.Reason == FrameLengthBehind {
		return m.whyLength(f)
	}
	return bad.Error()
}

// whyLength looks for what the length prefix counts instead.
func (m *Message) whyLength(f frame.Format) string {
	b, size := m.raw, f.Length.Size()
	follow := len(b) - size
	said := announced(f.Length, b)
	over := follow - said
	if f.LengthCountsSelf {
		over += size
	}
	tpdu := len(b) > size && b[size] == 0x60
	switch {
	case tpdu && over == 5:
		return "the length prefix counts only the part after the TPDU"
	case tpdu && over == 5+f.Header && f.Header > 0:
		return "the length prefix counts only the message after TPDU and header"
	case f.Length == frame.Binary2 && int(b[1])<<8|int(b[0]) == follow:
		return "the length prefix has its low byte first"
	case over == -size && !f.LengthCountsSelf:
		return "the length prefix counts itself too"
	case over == size && f.LengthCountsSelf:
		return "the length prefix does not count itself"
	case over < 0:
		return "the length prefix says " + count(-over, "byte") + " more than follow: the frame is cut short"
	}
	return "the length prefix says " + count(over, "byte") + " fewer than follow: there is more than one frame, or something was added"
}

// announced gives the number that a sound prefix holds.
func announced(l frame.Length, b []byte) int {
	switch l {
	case frame.None:
	case frame.Binary2:
		return int(b[0])<<8 | int(b[1])
	case frame.BCD2:
		return decimal(b[0])*100 + decimal(b[1])
	case frame.ASCII4:
		n, err := strconv.Atoi(string(b[:4]))
		if err == nil {
			return n
		}
	}
	return len(b)
}

// describeFormat names the parts of a frame.
func describeFormat(f frame.Format) string {
	if f == (frame.Format{}) {
		return "bare message"
	}
	var parts []string
	if f.Length != frame.None {
		length := "length " + f.Length.String()
		if f.LengthCountsSelf {
			length += " counting itself"
		}
		parts = append(parts, length)
	}
	if f.TPDU {
		parts = append(parts, "TPDU")
	}
	if f.ANI > 0 {
		parts = append(parts, "ANI of "+count(f.ANI, "byte"))
	}
	if f.Header > 0 {
		parts = append(parts, "header of "+count(f.Header, "byte"))
	}
	return strings.Join(parts, ", ")
}
