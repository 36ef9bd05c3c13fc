// SPDX-License-Identifier: Apache-2.0

// Package txn is one attempt: a request of a terminal and what came back.
//
// The tap reads each message on the wire into a [Leg], which holds what may
// leave memory and nothing else. A [Pairer] joins the legs of a request and its
// answer into an [Attempt], tells late, duplicate and unsolicited answers apart,
// and says of each request without an answer how it ended. A decline is an
// [Outcome], not an error.
package txn

import (
	"time"

	"github.com/tillmend/tillmend/internal/estate"
)

// Leg is what is kept of one message: half of an attempt.
type Leg struct {
	At        time.Time
	Peer      string // the terminal's side of the connection, ip:port
	Host      string // the host's address, when known
	Direction Direction
	Size      int // bytes of the frame

	MTI        uint16 // 0x0200
	Kind       Kind
	Terminal   estate.TerminalID // DE41
	Merchant   estate.MerchantID // DE42
	Processing uint32            // DE3
	Amount     int64             // DE4, minor units; -1 when absent
	STAN       uint32            // DE11
	Clock      string            // DE13 and DE12, MMDDhhmmss; shorter when one is absent
	Entry      uint16            // DE22
	RRN        string            // DE37
	AuthCode   string            // DE38
	Code       string            // DE39
	Issuer     string            // DE44 issuer, or the first six digits of the card number
	Card       string            // first six and last four digits of DE2
	CardNo     uint16            // number of this card among the cards seen at this terminal today; 0: unknown
	Batch      uint32            // DE60.2
	Function   uint16            // DE60.3
	Original   Original          // DE61
	Balanced   uint8             // result digit of DE48 in a settlement answer: 1 balanced, 2 not, 3 error; 0 absent
	Hardware   Hardware          // DE62 of a status upload
	KeyBytes   int               // length of DE62 in a sign-in answer
	HostOrder  uint8             // 处理要求 of the header, set by the host
	Test       bool              // the header says test or training
	Version    string            // software version digits of the header
	Layout     string            // which fields a request has and how long its DE60 is
	Fault      string            // why the frame is malformed, and where; empty if it was read whole
}

// Original names the payment that a void, refund or completion points at.
type Original struct {
	Batch uint32 `json:"batch,omitempty"`
	STAN  uint32 `json:"stan,omitempty"`
	Date  string `json:"date,omitempty"` // MMDD
}

// Hardware is what a status upload says of the parts of a terminal, as sets of [Part].
type Hardware struct {
	Known  Part `json:"known,omitempty"`
	Faulty Part `json:"faulty,omitempty"`
}

// Part is a set of parts of a terminal.
type Part uint8

// The parts that a status upload speaks of.
const (
	Keyboard Part = 1 << iota
	PINPad
	CardReader
	Printer
	Display
)

// Attempt is one request and what came back. It is what is stored.
type Attempt struct {
	At       time.Time         `json:"at"` // when the request was seen; of an answer without request, when that was
	Terminal estate.TerminalID `json:"terminal"`
	Merchant estate.MerchantID `json:"merchant,omitempty"`
	Peer     string            `json:"peer,omitempty"`
	Host     string            `json:"host,omitempty"`
	Kind     Kind              `json:"kind"`
	Outcome  Outcome           `json:"outcome"`
	Timing   Timing            `json:"timing"`
	Latency  time.Duration     `json:"latency_ns,omitempty"` // request seen to answer seen, at the gateway

	STAN      uint32   `json:"stan,omitempty"`
	Amount    int64    `json:"amount_minor"` // -1: the message has none
	Entry     uint16   `json:"entry,omitempty"`
	Code      string   `json:"code,omitempty"`   // DE39 of the answer
	Reason    string   `json:"reason,omitempty"` // DE39 of a reversal request: why it reverses
	RRN       string   `json:"rrn,omitempty"`
	AuthCode  string   `json:"auth_code,omitempty"`
	Card      string   `json:"card,omitempty"`
	CardNo    uint16   `json:"card_no,omitempty"`
	Issuer    string   `json:"issuer,omitempty"`
	Batch     uint32   `json:"batch,omitempty"`      // of the request
	HostBatch uint32   `json:"host_batch,omitempty"` // of the answer
	Function  uint16   `json:"function,omitempty"`
	Original  Original `json:"original,omitzero"`
	Balanced  uint8    `json:"balanced,omitempty"`
	Hardware  Hardware `json:"hardware,omitzero"`
	KeyBytes  int      `json:"key_bytes,omitempty"`
	HostOrder uint8    `json:"host_order,omitempty"`
	Test      bool     `json:"test,omitempty"`
	Version   string   `json:"version,omitempty"`
	Clock     string   `json:"clock,omitempty"`      // of the terminal
	HostClock string   `json:"host_clock,omitempty"` // of the host
	Layout    string   `json:"layout,omitempty"`
	Fault     string   `json:"fault,omitempty"`
}
