// SPDX-License-Identifier: Apache-2.0

package iso8583

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// View is a message as it may be shown to anyone: the JSON form of a decoded message.
// Every value went through [Message.Masked].
type View struct {
	// Dialect is the name of what the message was decoded with.
	Dialect string `json:"dialect"`
	// Frame is what stands around the message.
	Frame FrameView `json:"frame"`
	// MTI is the message type, four digits; empty when it could not be read.
	MTI string `json:"mti"`
	// Bitmap is the bitmap in hexadecimal, 16 characters or 32.
	Bitmap string `json:"bitmap"`
	// Fields has every field that could be read, under its number.
	Fields map[string]string `json:"fields"`
	// DE60 is field 60 taken apart, nil where the dialect has no such parts.
	DE60 *FunctionView `json:"de60"`
	// Malformed says what is wrong, nil for a sound message.
	Malformed *MalformedView `json:"malformed"`
}

// FrameView is what stands around a message.
type FrameView struct {
	// Length is the number of bytes after the length prefix.
	Length int `json:"length"`
	// TPDU and Header are in hexadecimal, empty when there is none.
	TPDU   string `json:"tpdu"`
	Header string `json:"header"`
}

// FunctionView is field 60 taken apart; parts that were not sent are empty.
type FunctionView struct {
	// Type is what kind of transaction, two digits.
	Type string `json:"type"`
	// Batch is the terminal's batch, six digits.
	Batch string `json:"batch"`
	// Function is the network management code, three digits.
	Function string `json:"function"`
}

// MalformedView is a [Malformed] in words.
type MalformedView struct {
	// Field and Offset say where, as in [Malformed].
	Field  int `json:"field"`
	Offset int `json:"offset"`
	// Reason says what is wrong there.
	Reason string `json:"reason"`
}

// View gives the message as it may be shown.
func (m *Message) View() View {
	v := View{Fields: map[string]string{}, Frame: m.frameView()}
	if m.dialect != nil {
		v.Dialect = m.dialect.Name
	}
	if m.mti != 0 {
		v.MTI = fmt.Sprintf("%04X", m.mti)
		v.Bitmap = fmt.Sprintf("%016X", m.bitmap[0])
		if m.bitmap[1] != 0 {
			v.Bitmap += fmt.Sprintf("%016X", m.bitmap[1])
		}
	}
	for de := range m.Fields {
		v.Fields[strconv.Itoa(de)], _ = m.Masked(de)
	}
	if m.exact && m.dialect.UnionPay && m.Has(60) {
		v.DE60 = m.functionView()
	}
	if bad := m.Malformed(); bad != nil {
		v.Malformed = &MalformedView{Field: bad.Field, Offset: bad.Offset, Reason: bad.Reason.String()}
	}
	return v
}

// frameView shows what stands around the message. A caller's number is not shown, nor
// a header of a kind that may hold more than versions and states.
func (m *Message) frameView() FrameView {
	f := m.frame
	v := FrameView{Length: f.Length(), TPDU: upper(f.TPDU())}
	if len(f.Header()) <= headerShown {
		v.Header = upper(f.Header())
	}
	return v
}

// headerShown is the longest header that is shown, in bytes.
const headerShown = 6

func upper(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) }

// functionView takes field 60 apart without turning its digits into numbers.
func (m *Message) functionView() *FunctionView {
	text := m.printable(60)
	cut := func(from, n int) string {
		if len(text) < from+n {
			return ""
		}
		return text[from : from+n]
	}
	return &FunctionView{Type: cut(0, 2), Batch: cut(2, 6), Function: cut(8, 3)}
}
