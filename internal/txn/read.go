// SPDX-License-Identifier: Apache-2.0

package txn

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tillmend/tillmend/internal/estate"
	"github.com/tillmend/tillmend/iso8583"
)

// Seen is what the tap knows of a frame besides its bytes.
type Seen struct {
	At        time.Time
	Peer      string
	Host      string
	Direction Direction
	Size      int
	CardNo    uint16 // see [Leg.CardNo]
}

// ReadLeg keeps of a decoded message what may leave memory. x is scratch space
// that the caller reuses.
func ReadLeg(m *iso8583.Message, x *iso8583.Extract, seen Seen) Leg {
	m.Extract(x)
	l := Leg{
		At: seen.At, Peer: seen.Peer, Host: seen.Host, Direction: seen.Direction, Size: seen.Size, CardNo: seen.CardNo,
		MTI: x.MTI, Terminal: estate.TerminalID(text(x.TerminalID[:])), Merchant: estate.MerchantID(text(x.MerchantID[:])),
		Processing: x.Processing, Amount: -1, STAN: x.Trace, Entry: x.EntryMode,
		RRN: text(x.RRN[:]), AuthCode: text(x.Approval[:]), Code: text(x.Code[:]), Issuer: strings.TrimSpace(x.Issuer.String()),
		Batch: x.Function.Batch, Function: x.Function.Network, HostOrder: x.HostOrder, Test: x.TestMode,
		KeyBytes: int(x.KeyBytes), Original: originalOf(x), Hardware: hardwareOf(x), Balanced: balanced(x), Clock: clock(x),
	}
	if v, ok := m.Number(70); ok && !x.Function.HasNetwork && m.Malformed() == nil {
		l.Function = uint16(v) //nolint:gosec // three digits
	}
	request := l.MTI &^ 0x0010
	l.Kind = kindOf(request, x.Function.Type, l.Function, x.Processing)
	if x.Has(4) {
		l.Amount = x.Amount
	}
	if x.CardFirst6 != 0 && m.Has(2) {
		l.Card = m.PAN().String()
		if l.Issuer == "" {
			l.Issuer = fmt.Sprintf("%06d", x.CardFirst6)
		}
	}
	if seen.Direction == ToHost {
		l.Layout = strconv.FormatUint(x.Bitmap, 16) + "/" + strconv.Itoa(m.Units(60))
		l.Version = version(m)
	}
	if bad := m.Malformed(); bad != nil {
		l.Fault = bad.Error()
	}
	return l
}

// text gives a fixed field without the spaces and zero bytes that fill it up.
func text(b []byte) string {
	return strings.Trim(string(b), " \x00")
}

func originalOf(x *iso8583.Extract) Original {
	if !x.Original.Present {
		return Original{}
	}
	o := Original{Batch: x.Original.Batch, STAN: x.Original.Trace}
	if x.Original.Date != 0 {
		o.Date = fmt.Sprintf("%04d", x.Original.Date)
	}
	return o
}

func hardwareOf(x *iso8583.Extract) Hardware {
	var h Hardware
	if !x.Devices.Reported() {
		return h
	}
	for dev, part := range map[iso8583.Device]Part{
		iso8583.Keyboard: Keyboard, iso8583.PINPad: PINPad, iso8583.CardReader: CardReader,
		iso8583.Printer: Printer, iso8583.Display: Display,
	} {
		working, known := x.Devices.State(dev)
		if known {
			h.Known |= part
		}
		if known && !working {
			h.Faulty |= part
		}
	}
	return h
}

// balanced gives the worst verdict of a settlement answer.
func balanced(x *iso8583.Extract) uint8 {
	if x.MTI != 0x0510 {
		return 0
	}
	return max(x.Totals[0].Result, x.Totals[1].Result)
}

// clock gives month, day, hour, minute and second as far as the message has them.
func clock(x *iso8583.Extract) string {
	if !x.Has(12) || !x.Has(13) {
		return ""
	}
	return fmt.Sprintf("%04d%06d", x.LocalDate, x.LocalTime)
}

// version gives the software version digits of the header: all but the first and
// the third byte, which hold the application and the state.
func version(m *iso8583.Message) string {
	h := m.Frame().Header()
	if len(h) < 6 {
		return ""
	}
	return fmt.Sprintf("%02x%x", h[1], h[3:])
}
