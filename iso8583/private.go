// SPDX-License-Identifier: Apache-2.0

package iso8583

// Function is field 60: what kind of transaction, in which batch of the terminal.
// Terminals send 8 to 17 digits, so each part may be missing.
type Function struct {
	// Digits is the length of the whole field.
	Digits uint8
	// Type is 60.1: 22 sale, 0 management.
	Type uint8
	// Network is 60.3: 1, 3 and 4 sign-in, 2 sign-off, 201 settlement, 362 status report.
	Network uint16
	// Batch is 60.2, the batch number.
	Batch uint32
	// HasType, HasBatch and HasNetwork tell which parts were sent.
	HasType, HasBatch, HasNetwork bool
}

// Original is field 61: the message that this one refers to.
type Original struct {
	// Batch and Trace number it, Date says when it was, as MMDD; zero where not sent.
	Batch, Trace uint32
	Date         uint16
	// Present tells that at least batch and trace were sent.
	Present bool
}

// Totals is one half of field 48 of a settlement: what was taken and given back.
type Totals struct {
	// Debit and Credit are sums in minor units.
	Debit, Credit int64
	// Debits and Credits count the payments behind them.
	Debits, Credits uint16
	// Result is the host's verdict in an answer: 1 balanced, 2 not balanced, 3 error; 0 in a request.
	Result uint8
	// Present tells that this half was sent.
	Present bool
}

// Device is a part that a terminal reports on.
type Device uint8

// The parts, under the tags of the report.
const (
	Keyboard   Device = 1
	PINPad     Device = 2
	CardReader Device = 3
	Printer    Device = 4
	Display    Device = 5
)

// Devices is a terminal's report on its parts. Bit n stands for the part with tag n.
type Devices struct {
	// Known has the parts that were mentioned, Working those of them that work.
	Known, Working uint8
}

// State gives what was reported: known is false for a part that was not mentioned.
func (d Devices) State(dev Device) (working, known bool) {
	return d.Working>>dev&1 == 1, d.Known>>dev&1 == 1
}

// Reported tells whether any part was mentioned.
func (d Devices) Reported() bool { return d.Known != 0 }

// Network management codes that the reading of field 62 depends on.
const (
	lastSignIn   = 5 // 1, 3, 4 and 5 sign in; 2 signs off and has no keys
	statusReport = 362
)

// Message types that the reading of private fields depends on.
const (
	settlementRequest = 0x0500
	settlementAnswer  = 0x0510
	batchRequest      = 0x0320
	batchAnswer       = 0x0330
	networkAnswer     = 0x0810
	networkRequest    = 0x0820
)

// extractPrivate reads the fields that are laid out in UnionPay's way.
func (m *Message) extractPrivate(x *Extract) {
	if m.Has(44) {
		b := m.content(44)
		x.Issuer = institution(b[:min(11, len(b))])
		x.Acquirer = institution(b[min(11, len(b)):min(22, len(b))])
	}
	if m.Has(60) {
		m.function(&x.Function)
	}
	if m.Has(61) {
		x.Original = m.original()
	}
	if m.mti == settlementRequest || m.mti == settlementAnswer {
		x.Totals[0] = m.totals(0)
		x.Totals[1] = m.totals(1)
	}
	switch {
	case !m.Has(62):
	case m.isKeys():
		x.KeyBytes = uint16(len(m.Raw(62)))
	case m.isStatus():
		x.Devices = devices(m.Raw(62))
	}
}

// institution copies a number without the spaces and zero bytes around it.
func institution(b []byte) (i Institution) {
	for len(b) > 0 && (b[0] == ' ' || b[0] == 0) {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == 0) {
		b = b[:len(b)-1]
	}
	copy(i[:], b)
	return i
}

// function reads field 60.
func (m *Message) function(f *Function) {
	if half, n := m.packedAt(60); n >= 11 {
		x := m.wordFrom(half)
		f.Digits = uint8(min(n, 255))
		f.Type, f.HasType = uint8(part8(x, 0, 2)), true
		f.Batch, f.HasBatch = part8(x, 2, 6), true
		f.Network, f.HasNetwork = uint16(part8(x, 8, 3)), true
		return
	}
	f.Digits = uint8(min(m.digitCount(60), 255))
	kind, ok := m.part(60, 0, 2)
	f.Type, f.HasType = uint8(kind), ok
	batch, ok := m.part(60, 2, 6)
	f.Batch, f.HasBatch = uint32(batch), ok
	network, ok := m.part(60, 8, 3)
	f.Network, f.HasNetwork = uint16(network), ok
}

// original reads field 61.
func (m *Message) original() (o Original) {
	batch, ok := m.part(61, 0, 6)
	trace, too := m.part(61, 6, 6)
	if !ok || !too {
		return o
	}
	date, _ := m.part(61, 12, 4)
	return Original{Batch: uint32(batch), Trace: uint32(trace), Date: uint16(date), Present: true}
}

// totalsDigits is the length of one half of field 48 in a settlement: two sums of 12
// digits, each with a count of 3, and the result.
const totalsDigits = 31

// totals reads one half of field 48.
func (m *Message) totals(half int) (t Totals) {
	at := half * totalsDigits
	if m.digitCount(48) < at+totalsDigits {
		return t
	}
	read := func(from, n int) uint64 {
		v, ok := m.part(48, at+from, n)
		t.Present = t.Present && ok
		return v
	}
	t.Present = true
	t.Debit, t.Debits = int64(read(0, 12)), uint16(read(12, 3))
	t.Credit, t.Credits = int64(read(15, 12)), uint16(read(27, 3))
	t.Result = uint8(read(30, 1))
	if !t.Present {
		return Totals{}
	}
	return t
}

// isKeys tells whether field 62 holds working keys.
func (m *Message) isKeys() bool {
	if m.mti != networkAnswer {
		return false
	}
	network := m.network()
	return network >= 1 && network <= lastSignIn && network != 2
}

// isStatus tells whether field 62 holds a terminal's report on itself.
func (m *Message) isStatus() bool { return m.mti == networkRequest && m.network() == statusReport }

// network is the network management code of field 60, 0 for none.
func (m *Message) network() uint16 {
	code, _ := m.part(60, 8, 3)
	return uint16(code)
}

// devices reads a status report: a tag of two digits and a value, 1 working and 0 not,
// for each part; settings with other tags may follow. Some terminals write tags and
// values as bytes. Reading stops at the first thing that makes no sense.
func devices(b []byte) (d Devices) {
	if len(b) > 0 && b[0] < ' ' {
		for ; len(b) >= 2; b = b[2:] {
			if !d.set(b[0], b[1]) {
				break
			}
		}
		return d
	}
	for ; len(b) >= 3 && b[0] == '0'; b = b[3:] {
		if !d.set(b[1]-'0', b[2]) {
			break
		}
	}
	return d
}

// set notes one part and tells whether it was one.
func (d *Devices) set(tag, value byte) bool {
	value &^= '0' // 0 and 1, as digits or as characters
	if tag < byte(Keyboard) || tag > byte(Display) || value > 1 {
		return false
	}
	d.Known |= 1 << tag
	d.Working |= value << tag
	return true
}
