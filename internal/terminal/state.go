// SPDX-License-Identifier: Apache-2.0

// Package terminal is what a terminal is now, told from its own traffic: keys,
// sign-in, batch, trace number, journal, pending reversal, settlement, link, and
// its last exchanges.
//
// # The normal order
//
// A terminal downloads parameters, signs in (and gets batch number and working
// keys), sends payments, sends a pending reversal before any other payment,
// settles, uploads its batch if the totals differ, signs off, and signs in again
// the next day. [State.Apply] follows this order and marks each exchange that
// breaks it; package finding judges the marks.
//
// # Memory
//
// A State has no pointers and a fixed size below [MaxSize], so that a million of
// them are a slice-like heap that the garbage collector does not walk, and so
// that a snapshot of a state is its bytes. What needs more history is in the
// journal.
package terminal

import (
	"net/netip"
	"time"

	"github.com/tillmend/tillmend/internal/txn"
)

const (
	// MaxSize bounds a state at rest, in bytes.
	MaxSize = 1024
	// Recent is the number of exchanges kept.
	Recent = 10
	// devices is the number of addresses kept that used the terminal's number.
	devices = 2
	// hoursOfWeek is the length of the rhythm profile.
	hoursOfWeek = 7 * 24
)

// Millis is a point in time, milliseconds since 1970. Zero is never.
type Millis int64

// At turns a time into milliseconds.
func At(t time.Time) Millis {
	if t.IsZero() {
		return 0
	}
	return Millis(t.UnixMilli())
}

// Time turns milliseconds into a time in the given zone; zero gives the zero time.
func (m Millis) Time(loc *time.Location) time.Time {
	if m == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(m)).In(loc)
}

// Mark is something remarkable about one exchange.
type Mark uint16

// The marks.
const (
	BatchDiffers    Mark = 1 << iota // its batch is not the one of the last sign-in
	NotSignedIn                      // it came without a sign-in this day, or after a sign-off
	FirstAfter                       // the first payment after a sign-in
	STANReused                       // its trace number had been used by another payment
	LayoutChanged                    // its fields differ from those of the last approved one
	WasForwarded                     // a reversal for want of an answer, though the answer had been forwarded
	NoAnswerReason                   // a reversal because the terminal got no answer (98)
	BadMACReason                     // a reversal because the terminal did not trust the answer (A0)
	OtherDevice                      // it came from another device than the one that signed in
	HostAsked                        // the answer's header asked the terminal for something
	ClockDiffers                     // its clock is off the host's
	SecondAnswer                     // its answer was late, second or unsolicited
	SignInElsewhere                  // a sign-in from another device than the one that was trading
	SettlementEqual                  // a settlement found the totals equal
)

// Exchange is what is kept of one attempt.
type Exchange struct {
	At      Millis
	Event   EventID
	STAN    uint32
	Issuer  uint32 // first eight digits of the issuer's code, or the first six of the card number; 0 unknown
	Amount  uint32 // minor units, cut at the largest value
	Card    uint16 // number of the card at this terminal today; 0 unknown
	Latency uint16 // in units of 10 ms, cut at the largest value
	Mark    Mark
	Code    [2]byte
	Kind    txn.Kind
	Outcome txn.Outcome
}

// CodeString gives the response code, empty if there was none.
func (x *Exchange) CodeString() string {
	if x.Code[0] == 0 {
		return ""
	}
	return string(x.Code[:])
}

// Has reports whether the exchange bears all marks of m.
func (x *Exchange) Has(m Mark) bool { return x.Mark&m == m }

// SignedIn is what is known about the terminal's session with the host.
type SignedIn uint8

// The states of the session.
const (
	SessionUnknown SignedIn = iota // no sign-in or sign-off seen yet
	SessionOpen
	SessionClosed // signed off
)

// Session is the sign-in that holds.
type Session struct {
	At        Millis
	Event     EventID
	Batch     uint32 // given by the host; 0 unknown
	Before    uint32 // the batch before
	Day       uint16 // month and day up to which the session is known to hold, as MMDD
	State     SignedIn
	Fresh     bool  // no payment since
	Refused   uint8 // sign-ins refused or unanswered in a row
	BadMAC    uint8 // sign-ins in a row that were followed at once by A0
	KeyBytes  uint8 // length of the working keys given
	Succeeded uint8 // sign-ins seen, cut at the largest value
	Device    uint8 // place in State.Devices of who signed in
}

// Undone is a reversal that the host has not taken.
type Undone struct {
	Since Millis
	Last  Millis
	Event EventID
	STAN  uint32
	Tries uint8
	Open  bool
}

// Phase is how far a settlement has come.
type Phase uint8

// The phases of settlement.
const (
	NeverSettled Phase = iota
	Asked              // a settlement request without a usable answer
	Unbalanced         // the host's totals differ: the batch must be uploaded
	Uploading
	Settled
)

// Closing is the settlement of the current batch.
type Closing struct {
	At    Millis
	Event EventID
	Phase Phase
}

// Line is the state of the terminal's connection.
type Line struct {
	Since    Millis // when Up last changed
	Event    EventID
	FailedAt Millis // first failure in the current row
	Failures uint8  // connections in a row that brought no message
	Last     txn.LinkKind
	Kind     txn.LinkKind // the kind of failure in the current row
	Up       bool
}

// Wish is what the host asked for in the header of its answers.
type Wish struct {
	Since   Millis
	Event   EventID
	Order   uint8 // 处理要求: 1 parameters, 2 status, 3 sign-in, 4 CA keys, 5 IC parameters, 6 software; 0 none
	Ignored uint8 // exchanges since, in which the terminal did something else
}

// Device is one machine that uses the terminal's number, told by its address and
// by where its trace numbers continue.
type Device struct {
	Now    Endpoint // where it spoke last
	Before Endpoint // where it spoke before that, if elsewhere
	Last   Millis
	STAN   uint32
	Jumped uint32 // where the trace numbers stood before they last jumped; 0: they never did
	Uses   uint16
}

// Endpoint is an address and port.
type Endpoint struct {
	IP   [16]byte
	Port uint16
}

// EndpointOf parses ip:port; the zero Endpoint stands for anything else.
func EndpointOf(peer string) Endpoint {
	ap, err := netip.ParseAddrPort(peer)
	if err != nil {
		return Endpoint{}
	}
	return Endpoint{ap.Addr().As16(), ap.Port()}
}

// String gives ip:port, empty for the zero Endpoint.
func (e Endpoint) String() string {
	if e == (Endpoint{}) {
		return ""
	}
	return netip.AddrPortFrom(netip.AddrFrom16(e.IP).Unmap(), e.Port).String()
}

// State is what a terminal is now. The zero value is a terminal never seen.
type State struct {
	Merchant [15]byte
	Test     bool
	Zone     int32 // seconds east of UTC, of the last event

	First    Millis // first event
	Last     Millis // last event
	Request  Millis // last message of the terminal
	Approval Millis // last approved payment
	Payment  Millis // last payment asked for
	Served   EventID

	Failing     Millis // since when no payment was approved though asked for; 0: not failing
	Failed      uint16 // how many since
	Approved    uint32 // payments approved in all
	Payments    uint32 // payments asked for in all
	Chores      uint16 // management requests since the last payment
	ChoresSince Millis
	Journal     uint16 // approved payments since the last settlement
	STAN        uint32 // last trace number
	Layout      uint64 // fields of the last approved payment, folded; 0 unknown
	Version     uint64 // software version of the header, folded
	ClockOff    int16  // minutes the terminal's clock is ahead of the host's

	Session  Session
	Reversal Undone
	Closing  Closing
	Line     Line
	Wish     Wish
	Devices  [devices]Device
	Hardware txn.Hardware
	HardAt   Millis
	HardID   EventID

	Hours [hoursOfWeek]uint8 // how lively each hour of the week is, in eighths of messages

	Count uint8 // exchanges in Ring, at most Recent
	Next  uint8 // where the next exchange goes
	Ring  [Recent]Exchange
}

// Location is the time zone of the terminal's last event.
func (s *State) Location() *time.Location {
	return time.FixedZone("", int(s.Zone))
}

// MerchantID gives the merchant number, empty if none was seen.
func (s *State) MerchantID() string {
	n := 0
	for n < len(s.Merchant) && s.Merchant[n] != 0 {
		n++
	}
	return string(s.Merchant[:n])
}

// Exchanges appends the kept exchanges to dst, oldest first.
func (s *State) Exchanges(dst []Exchange) []Exchange {
	start := int(s.Next) + Recent - int(s.Count)
	for i := range int(s.Count) {
		dst = append(dst, s.Ring[(start+i)%Recent])
	}
	return dst
}
