// SPDX-License-Identifier: Apache-2.0

package txn

import "fmt"

// Kind is what an attempt wants.
type Kind uint8

// The kinds of attempts, told apart by message type, DE60 and processing code.
const (
	KindUnknown Kind = iota
	SignIn
	SignOff
	Echo
	StatusUpload
	Download // parameters, CA public keys, IC parameters, black lists
	Balance
	Sale
	Void
	Refund
	PreAuth
	PreAuthVoid
	Completion
	CompletionVoid
	Offline // offline sale, adjustment, tip: advice messages
	Reversal
	Settlement
	BatchUpload
	BatchEnd
)

var kindNames = [...]string{
	"unknown", "sign_in", "sign_off", "echo", "status_upload", "download", "balance", "sale", "void", "refund", "pre_auth",
	"pre_auth_void", "completion", "completion_void", "offline", "reversal", "settlement", "batch_upload", "batch_end",
}

// String gives the word used in events and in the API.
func (k Kind) String() string { return name(kindNames[:], uint8(k)) }

// MarshalText implements [encoding.TextMarshaler].
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (k *Kind) UnmarshalText(b []byte) error {
	i, err := index(kindNames[:], b, "kind of attempt")
	*k = Kind(i)
	return err
}

// Financial reports whether an attempt of this kind moves money or asks for it:
// what a shop means by "a payment".
func (k Kind) Financial() bool {
	switch k {
	case Balance, Sale, Void, Refund, PreAuth, PreAuthVoid, Completion, CompletionVoid:
		return true
	case KindUnknown, SignIn, SignOff, Echo, StatusUpload, Download, Offline, Reversal, Settlement, BatchUpload, BatchEnd:
		return false
	}
	panic(fmt.Sprintf("txn: kind %d", k)) // unreachable: every kind is named above
}

// Related reports whether an attempt of this kind points at an earlier payment.
func (k Kind) Related() bool {
	return k == Void || k == Refund || k == PreAuthVoid || k == Completion || k == CompletionVoid
}

// Functions of DE60.3, the network management code.
const (
	funcSignInSingle = 1
	funcSignOff      = 2
	funcSignInDouble = 3
	funcSignInTrack  = 4
	funcSignInLong   = 5
	funcBatchUnequal = 202
	funcBatchEqual   = 207
	funcEcho         = 301
	funcStatusUpload = 362
	funcSignInPoints = 401
)

// Types of DE60.1, the transaction type.
const (
	typeBalance        = 1
	typePreAuth        = 10
	typePreAuthVoid    = 11
	typeCompletion     = 20
	typeCompletionVoid = 21
	typeSale           = 22
	typeVoid           = 23
	typeCompletionAdv  = 24
	typeRefund         = 25
)

var kindByType = map[uint8]Kind{
	typeBalance: Balance, typePreAuth: PreAuth, typePreAuthVoid: PreAuthVoid, typeCompletion: Completion,
	typeCompletionVoid: CompletionVoid, typeSale: Sale, typeVoid: Void, typeCompletionAdv: Completion, typeRefund: Refund,
}

// kindOf classifies a message by its type (of the request: 0200, not 0210), its
// DE60.1 and DE60.3 (or DE70 where a dialect uses that), and its processing code.
// DE60.1 decides where it is known, for one processing code serves several kinds.
func kindOf(mti uint16, typ uint8, function uint16, processing uint32) Kind {
	switch mti {
	case 0x0800, 0x0820:
		return managementKind(mti, function)
	case 0x0400, 0x0420:
		return Reversal
	case 0x0500:
		return Settlement
	case 0x0320:
		if function == funcBatchUnequal || function == funcBatchEqual {
			return BatchEnd
		}
		return BatchUpload
	case 0x0100:
		if typ == typePreAuthVoid || processing/10000 == 20 {
			return PreAuthVoid
		}
		return PreAuth
	case 0x0200, 0x0220:
		return paymentKind(mti, typ, processing)
	}
	return KindUnknown
}

func managementKind(mti, function uint16) Kind {
	switch function {
	case funcSignInSingle, funcSignInDouble, funcSignInTrack, funcSignInLong, funcSignInPoints:
		return SignIn
	case funcSignOff:
		return SignOff
	case funcEcho:
		return Echo
	case funcStatusUpload:
		return StatusUpload
	case 0:
		if mti == 0x0800 {
			return SignIn
		}
		return Echo
	}
	return Download
}

func paymentKind(mti uint16, typ uint8, processing uint32) Kind {
	if k, ok := kindByType[typ]; ok {
		return k
	}
	if mti == 0x0220 && typ != 0 {
		return Offline
	}
	switch processing / 10000 {
	case 31:
		return Balance
	case 20:
		if mti == 0x0220 {
			return Refund
		}
		return Void
	}
	if mti == 0x0220 {
		return Offline
	}
	return Sale
}

// Outcome is what came of an attempt. A decline is an outcome, not an error.
type Outcome uint8

// The outcomes.
const (
	OutcomeUnknown Outcome = iota
	Approved
	Declined   // answered with a response code that is no approval
	TimedOut   // no answer within the limit
	Unanswered // the connection ended, or the terminal gave up, before an answer
	Malformed  // the request or the answer could not be read
)

var outcomeNames = [...]string{"unknown", "approved", "declined", "timed_out", "unanswered", "malformed"}

// String gives the word used in events and in the API.
func (o Outcome) String() string { return name(outcomeNames[:], uint8(o)) }

// MarshalText implements [encoding.TextMarshaler].
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (o *Outcome) UnmarshalText(b []byte) error {
	i, err := index(outcomeNames[:], b, "outcome")
	*o = Outcome(i)
	return err
}

// Failed reports whether the attempt did not get what it asked for.
func (o Outcome) Failed() bool { return o != Approved && o != OutcomeUnknown }

// Timing tells how an answer stands to its request.
type Timing uint8

// The timings of answers.
const (
	OnTime      Timing = iota
	Late               // after the attempt had been given up
	Duplicate          // a second answer to the same request
	Unsolicited        // no request is known for it
	NoAnswer
)

var timingNames = [...]string{"on_time", "late", "duplicate", "unsolicited", "none"}

// String gives the word used in events and in the API.
func (t Timing) String() string { return name(timingNames[:], uint8(t)) }

// MarshalText implements [encoding.TextMarshaler].
func (t Timing) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (t *Timing) UnmarshalText(b []byte) error {
	i, err := index(timingNames[:], b, "timing")
	*t = Timing(i)
	return err
}

// MarshalText implements [encoding.TextMarshaler].
func (k LinkKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (k *LinkKind) UnmarshalText(b []byte) error {
	i, err := index(linkNames[:], b, "connection event")
	*k = LinkKind(i)
	return err
}

func name(names []string, i uint8) string {
	if int(i) < len(names) && names[i] != "" {
		return names[i]
	}
	return fmt.Sprintf("%d", i)
}

func index(names []string, b []byte, what string) (uint8, error) {
	for i, n := range names {
		if n != "" && n == string(b) {
			return uint8(i), nil
		}
	}
	return 0, fmt.Errorf("txn: %q is no %s", b, what)
}
