// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"time"

	"github.com/tillmend/tillmend/internal/txn"
	"github.com/tillmend/tillmend/iso8583"
)

// Defaults and limits of a terminal.
const (
	// DefaultTimeout is how long a terminal waits for an answer.
	DefaultTimeout = 60 * time.Second
	// DefaultJournalLimit is how many payments a terminal keeps before it must be settled.
	DefaultJournalLimit = 500
	// reversalTries is how often a terminal sends a reversal before it gives up for now.
	reversalTries = 3
	// maxSTAN is the last trace number; 1 follows.
	maxSTAN = 999999
)

// Refusal is what a terminal says on its screen when it refuses something by itself.
// Nothing is sent then.
type Refusal string

// The refusals.
const (
	RefusedSignIn   Refusal = "请先签到"
	RefusedFull     Refusal = "流水满,请先结算"
	RefusedHalted   Refusal = "结算中断,请先结算"
	RefusedReversal Refusal = "冲正失败"
	RefusedSettle   Refusal = "请先结算"
	RefusedKeys     Refusal = "校验错，请重新签到"
	RefusedOriginal Refusal = "无此交易"
	RefusedPINPad   Refusal = "密码键盘故障"
)

// Habits are ways in which a terminal is not in order. The zero value is a good one.
type Habits struct {
	// TrustKeys makes it use working keys whose check values differ.
	TrustKeys bool
	// Lenient makes it send what a good terminal refuses by itself: payments without a
	// sign-in, voids of payments that it does not know.
	Lenient bool
	// LoseAnswers makes the answers to payments get lost on their last stretch: they reach
	// the terminal's address and not its program.
	LoseAnswers bool
	// Mute makes it connect and send nothing.
	Mute bool
	// NoUpload makes it break off a settlement that is not balanced before the batch upload.
	NoUpload bool
	// IgnoreOrders makes it not do what the host asks for in the header of its answers.
	IgnoreOrders bool
	// Broken are parts that do not work; without a PIN pad no PIN can be entered.
	Broken txn.Part
}

// TerminalConfig is what a terminal is told when it is set up.
type TerminalConfig struct {
	// TID and MID are its number and its merchant's: 8 and 15 characters.
	TID, MID string
	// Address is the host:port to connect to.
	Address string
	// Dial connects to Address; nil: plainly by TCP.
	Dial func(ctx context.Context, address string) (net.Conn, error)
	// MasterKey is the 16 bytes under which working keys come; nil: [TestMasterKey].
	MasterKey []byte
	// Version is its software version, 8 digits; empty: "31311108".
	Version string
	// TPDU is 10 digits with the address of the host; empty: "6000050000".
	TPDU string
	// Long keeps one connection for all messages; otherwise each has its own.
	Long bool
	// Timeout is how long an answer is waited for; zero: DefaultTimeout.
	Timeout time.Duration
	// JournalLimit is how many payments it keeps; zero: DefaultJournalLimit.
	JournalLimit int
	// FirstSTAN is the trace number before its first message.
	FirstSTAN uint32
	// Now is its clock; required.
	Now func() time.Time
	// Rand is its chance; required.
	Rand *rand.Rand
	// Memory is what it kept from before it was switched off; nil: nothing.
	Memory *Memory
	// Persist is called with what it must keep, before the message goes out that makes
	// that necessary. An error stops the payment; nil: nothing is kept.
	Persist func(Memory) error
}

// Terminal is one machine. It belongs to one goroutine.
type Terminal struct {
	// Habits may be changed between calls.
	Habits Habits

	cfg  TerminalConfig
	mem  Memory
	keys workingKeys
	conn *wire // the long connection; nil when there is none
}

// Result is what came of one thing that a terminal was told to do.
type Result struct {
	Kind     txn.Kind
	STAN     uint32
	Amount   int64 // minor units
	Card     Card
	Code     string  // response code, field 39; empty without an answer
	Approved bool    // the host agreed, and its answer is genuine
	Refused  Refusal // the terminal refused by itself; nothing of this was sent
	RRN      string  // the host's reference
	AuthCode string
	Balance  int64  // of a balance inquiry, minor units
	Balanced uint8  // verdict on a settlement: 1 balanced, 2 not
	Tries    int    // how often a reversal was sent
	Params   string // of a download
	Err      error  // why there is no usable answer
}

// NewTerminal sets a terminal up; the error names the setting that is wrong.
func NewTerminal(cfg TerminalConfig) (*Terminal, error) {
	if cfg.MasterKey == nil {
		cfg.MasterKey = TestMasterKey(cfg.TID)
	}
	if cfg.Version == "" {
		cfg.Version = "31311108"
	}
	if cfg.TPDU == "" {
		cfg.TPDU = "6000050000"
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = DefaultTimeout
	}
	if cfg.JournalLimit == 0 {
		cfg.JournalLimit = DefaultJournalLimit
	}
	if cfg.Dial == nil {
		cfg.Dial = func(ctx context.Context, address string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "tcp", address)
		}
	}
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	t := &Terminal{cfg: cfg, mem: Memory{STAN: cfg.FirstSTAN, Batch: 1}}
	if cfg.Memory != nil {
		t.mem = cfg.Memory.clone()
		t.mem.SignedIn = "" // the working keys went with the power
	}
	return t, nil
}

func (c *TerminalConfig) validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("sim: terminal %q: "+format, append([]any{c.TID}, args...)...))
		}
	}
	check(len(c.TID) == 8, "TID: got %d characters, expected 8", len(c.TID))
	check(len(c.MID) == 15, "MID: got %d characters, expected 15", len(c.MID))
	check(len(c.MasterKey) == masterKeySize, "MasterKey: got %d bytes, expected %d", len(c.MasterKey), masterKeySize)
	check(digits(c.Version, 8), "Version: got %q, expected 8 digits", c.Version)
	check(digits(c.TPDU, 10) && c.TPDU[:2] == "60", "TPDU: got %q, expected 10 digits that begin with 60", c.TPDU)
	check(c.Address != "", "Address: empty, expected host:port")
	check(c.Now != nil, "Now: no clock")
	check(c.Rand != nil, "Rand: no source of random numbers")
	return errors.Join(errs...)
}

func digits(text string, n int) bool {
	for _, c := range []byte(text) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(text) == n
}

// Memory is what the terminal keeps, as a copy.
func (t *Terminal) Memory() Memory { return t.mem.clone() }

// LoadMasterKey puts another master key in; the next sign-in uses it.
func (t *Terminal) LoadMasterKey(key []byte) error {
	if len(key) != masterKeySize {
		return fmt.Errorf("sim: terminal %q: master key: got %d bytes, expected %d", t.cfg.TID, len(key), masterKeySize)
	}
	t.cfg.MasterKey = append([]byte(nil), key...)
	return nil
}

// SetVersion updates the software; version is 8 digits.
func (t *Terminal) SetVersion(version string) error {
	if !digits(version, 8) {
		return fmt.Errorf("sim: terminal %q: version: got %q, expected 8 digits", t.cfg.TID, version)
	}
	t.cfg.Version = version
	return nil
}

// SetBatch sets the batch number, as a restored backup does.
func (t *Terminal) SetBatch(batch uint32) { t.mem.Batch = batch }

// Close ends the long connection, if there is one.
func (t *Terminal) Close() error {
	if t.conn == nil {
		return nil
	}
	err := t.conn.Close()
	t.conn = nil
	if err != nil {
		return fmt.Errorf("sim: terminal %q: %w", t.cfg.TID, err)
	}
	return nil
}

// today is the day of the terminal's clock.
func (t *Terminal) today() string { return t.cfg.Now().Format(time.DateOnly) }

// signedIn tells whether there was a sign-in today.
func (t *Terminal) signedIn() bool { return t.mem.SignedIn == t.today() }

// nextSTAN counts on and keeps the number.
func (t *Terminal) nextSTAN() uint32 {
	t.mem.STAN = t.mem.STAN%maxSTAN + 1
	return t.mem.STAN
}

// draft begins a message of this terminal.
func (t *Terminal) draft(mti, typ, network string) iso8583.Draft {
	category := "60"
	return iso8583.Draft{
		MTI: mti, TPDU: t.cfg.TPDU, Header: category + t.cfg.Version[:2] + "00" + t.cfg.Version[2:],
		Fields: map[int]string{
			41: t.cfg.TID, 42: t.cfg.MID, 60: fmt.Sprintf("%s%06d%s", typ, t.mem.Batch, network),
		},
	}
}

// persist keeps the memory.
func (t *Terminal) persist() error {
	if t.cfg.Persist == nil {
		return nil
	}
	if err := t.cfg.Persist(t.mem.clone()); err != nil {
		return fmt.Errorf("sim: terminal %q: memory: %w", t.cfg.TID, err)
	}
	return nil
}
