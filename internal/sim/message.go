// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"

	"github.com/tillmend/tillmend/internal/txn"
	"github.com/tillmend/tillmend/iso8583"
	"github.com/tillmend/tillmend/iso8583/dialect"
	"github.com/tillmend/tillmend/iso8583/frame"
)

// upos is the dialect that both ends speak.
var upos = sync.OnceValue(func() *dialect.Dialect {
	d, ok := dialect.Named("upos")
	if !ok {
		panic("sim: dialect upos is not shipped") // unreachable: it is part of the program
	}
	return d
})

// Network management codes, field 60.3.
const (
	codeNormal      = "000"
	codeSignIn      = "003" // with double-length keys
	codeSignOff     = "002"
	codeSettlement  = "201" // also the upload of the batch
	codeEndUnequal  = "202"
	codeEndEqual    = "207"
	codeEcho        = "301"
	codeParams      = "360"
	codeParamsEnd   = "361"
	codeStatus      = "362"
	typeManagement  = "00" // field 60.1
	currencyYuan    = "156"
	pinFormat       = "2600000000000000" // field 53: tied to the card number, triple DES
	clearedBy       = "00 12 25"         // answers that end a reversal
	reasonNoAnswer  = "98"
	reasonBadMAC    = "A0"
	reasonOther     = "06"
	macField        = 64
	macSize         = 8
	uploadsAtOnce   = 8  // records of one batch upload message
	uploadDigits    = 40 // digits of one record, after a count of two
	settlementHalf  = 31 // digits of one currency in field 48 of a settlement
	balancedVerdict = '1'
	unequalVerdict  = '2'
)

// form is how a kind of payment is written.
type form struct {
	mti, processing, typ string // message type, field 3, field 60.1
	condition            string // field 25
}

var forms = map[txn.Kind]form{
	txn.Balance:        {"0200", "310000", "01", "00"},
	txn.Sale:           {"0200", "000000", "22", "00"},
	txn.Void:           {"0200", "200000", "23", "00"},
	txn.Refund:         {"0220", "200000", "25", "00"},
	txn.PreAuth:        {"0100", "030000", "10", "06"},
	txn.PreAuthVoid:    {"0100", "200000", "11", "06"},
	txn.Completion:     {"0200", "000000", "20", "06"},
	txn.CompletionVoid: {"0200", "200000", "21", "06"},
}

// kindOf tells what a request wants; KindUnknown for what this host does not do.
func kindOf(m *iso8583.Message) txn.Kind {
	mti, typ, network := fmt.Sprintf("%04X", m.MTI()), part(m.Text(60), 0, 2), part(m.Text(60), 8, 11)
	switch mti {
	case "0400":
		return txn.Reversal
	case "0500":
		return txn.Settlement
	case "0320":
		if network == codeEndEqual || network == codeEndUnequal {
			return txn.BatchEnd
		}
		return txn.BatchUpload
	case "0800", "0820":
		return managementKinds[network]
	}
	for kind, f := range forms {
		if f.mti == mti && f.typ == typ {
			return kind
		}
	}
	return txn.KindUnknown
}

var managementKinds = map[string]txn.Kind{
	"001": txn.SignIn, codeSignIn: txn.SignIn, "004": txn.SignIn, codeSignOff: txn.SignOff, codeEcho: txn.Echo,
	codeStatus: txn.StatusUpload, codeParams: txn.Download, codeParamsEnd: txn.Download,
}

// part gives text[from:to] as far as it reaches.
func part(text string, from, to int) string {
	return text[min(from, len(text)):min(to, len(text))]
}

// number reads decimal digits; 0 for anything else.
func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// seal encodes a message and puts the MAC in, if it has field 64. What stands in
// front of the message is not covered.
func seal(d iso8583.Draft, macKey []byte) ([]byte, error) {
	_, sealed := d.Fields[macField]
	b, err := d.Encode(upos())
	if err != nil {
		return nil, fmt.Errorf("sim: message %s: %w", d.MTI, err)
	}
	if sealed {
		body := b[len(b)-bodySize(b):]
		copy(body[len(body)-macSize:], messageMAC(macKey, body[:len(body)-macSize]))
	}
	return b, nil
}

// bodySize is the number of bytes of the message in a complete frame.
func bodySize(b []byte) int {
	f, err := upos().Frame.Parse(b)
	if err != nil {
		panic(err) // unreachable: the frame is our own
	}
	return len(f.Body())
}

// genuine tells whether the message carries the MAC that the key gives.
func genuine(m *iso8583.Message, macKey []byte) bool {
	if !m.Has(macField) || len(macKey) == 0 {
		return false
	}
	body := m.Frame().Body()
	return string(m.Raw(macField)) == string(messageMAC(macKey, body[:len(body)-macSize]))
}

// wire reads frames from a connection.
type wire struct {
	net.Conn
	cut   *frame.Splitter
	ready [][]byte
	buf   []byte
}

const readSize = 4 << 10 // bytes; a frame is a few hundred

func newWire(c net.Conn) *wire {
	return &wire{Conn: c, cut: frame.NewSplitter(upos().Frame), buf: make([]byte, readSize)}
}

// next waits for the next frame. The end of the stream is [io.EOF].
func (w *wire) next() ([]byte, error) {
	for len(w.ready) == 0 {
		n, err := w.Read(w.buf)
		w.cut.Feed(w.buf[:n], func(b []byte) { w.ready = append(w.ready, append([]byte(nil), b...)) })
		if why, opaque := w.cut.Opaque(); opaque {
			return nil, fmt.Errorf("sim: the stream is not in this dialect: %s", why)
		}
		if len(w.ready) > 0 {
			break
		}
		if err == io.EOF { //nolint:errorlint // a connection gives io.EOF as it is
			return nil, io.EOF
		}
		if err != nil {
			return nil, fmt.Errorf("sim: read: %w", err)
		}
	}
	b := w.ready[0]
	w.ready = w.ready[1:]
	return b, nil
}
