// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"

	"github.com/tillmend/tillmend/internal/txn"
)

// warm is how many rounds of ordinary trade go before a fault that strikes a shop in
// the middle of its day.
const warm = 3

// script is how a seat plays a scenario.
type script struct {
	after int                          // rounds of ordinary trade before it begins
	begin func(*seat) error            // brings the fault in; nil: nothing to bring in
	round func(context.Context, *seat) // a round while it lasts; nil: ordinary trade
}

var scripts = map[Scenario]script{
	Healthy:               {},
	MerchantNotRegistered: {begin: merchantFault(Fault{Code: "03"})},
	TerminalNotRegistered: {begin: terminalFault(Fault{Code: "97"})},
	MerchantFrozen:        {after: warm, begin: merchantFault(Fault{Code: "03"}), round: insist},
	CardWithoutFunds:      {after: warm, round: poorCustomer},
	WrongMasterKey:        {after: warm, begin: wrongKey, round: everyTimeSignedIn},
	PINPadBroken:          {after: warm, begin: habit(Habits{Broken: txn.PINPad}), round: report},
	ClonedTerminal:        {after: warm, begin: clone, round: twins},
	VersionChanged:        {after: warm, begin: update, round: insist},
	ParametersStale:       {after: warm, begin: terminalFault(Fault{Code: "78", Kinds: payments}), round: insist},
	SilentConnection:      {after: warm, begin: habit(Habits{Mute: true}), round: echo},
	AnswersLost:           {after: warm, begin: habit(Habits{LoseAnswers: true}), round: losing},
	IssuerDown:            {after: warm, begin: issuerFault, round: twoIssuers},
	KeyRecordMissing:      {after: warm, begin: keyRecord},
	NotSignedIn:           {after: warm, begin: habit(Habits{Lenient: true}), round: signedOff},
	BatchMismatch:         {after: warm, begin: habit(Habits{Lenient: true}), round: oldBatch},
	WrongOriginal:         {after: warm, begin: habit(Habits{Lenient: true}), round: voidUnknown},
	StuckReversal:         {after: warm, begin: terminalFault(Fault{Code: "96", Kinds: []txn.Kind{txn.Reversal}}), round: stuck},
	UnbalancedSettlement:  {after: warm, begin: unbalanced, round: settleOnce},
	FeeRejected:           {after: warm, begin: merchantFault(Fault{Code: "23", Kinds: payments}), round: insist},
	MerchantLimit:         {after: warm, begin: merchantFault(Fault{Code: "61", Kinds: payments}), round: insist},
}

// merchantFault puts a fault of the host on the seat's merchant.
func merchantFault(f Fault) func(*seat) error {
	return func(s *seat) error {
		f.Merchant = s.plan.Merchant
		s.fleet.cfg.Host.SetFault(s.faultName(), f)
		return nil
	}
}

// terminalFault puts a fault of the host on the seat's terminal.
func terminalFault(f Fault) func(*seat) error {
	return func(s *seat) error {
		f.Terminal = s.plan.Terminal
		s.fleet.cfg.Host.SetFault(s.faultName(), f)
		return nil
	}
}

// issuerFault takes one issuer out, for everybody who has its cards.
func issuerFault(s *seat) error {
	s.fleet.cfg.Host.SetFault(s.faultName(), Fault{BIN: CardSick.BIN(), Code: "91"})
	return nil
}

// habit gives the machine a way of being out of order.
func habit(h Habits) func(*seat) error {
	return func(s *seat) error {
		s.pos.Habits = h
		return nil
	}
}

// insist tries two cards in a row, as people do.
func insist(ctx context.Context, s *seat) {
	if !s.session(ctx, s.pos) {
		return
	}
	first := s.rand.IntN(len(Cards))
	s.sale(ctx, s.pos, Cards[first])
	s.sale(ctx, s.pos, Cards[(first+1)%len(Cards)])
}

// losing sells, hears nothing, and takes the payment back.
func losing(ctx context.Context, s *seat) {
	if !s.session(ctx, s.pos) {
		return
	}
	s.sale(ctx, s.pos, s.card())
	s.note(s.pos, s.pos.Reversal(ctx))
}

// poorCustomer has an empty card; the next customer pays.
func poorCustomer(ctx context.Context, s *seat) {
	if !s.session(ctx, s.pos) {
		return
	}
	s.sale(ctx, s.pos, CardEmpty)
	s.sale(ctx, s.pos, CardEmpty)
	s.sale(ctx, s.pos, s.card())
}

func wrongKey(s *seat) error {
	s.pos.Habits.TrustKeys = true
	return s.pos.LoadMasterKey(TestMasterKey("other machine"))
}

// everyTimeSignedIn does what the screen says, "sign in again", and it does not help.
func everyTimeSignedIn(ctx context.Context, s *seat) {
	s.note(s.pos, s.pos.SignIn(ctx))
	s.sale(ctx, s.pos, s.card())
}

// report sends the status, and tries a card that would need the PIN pad.
func report(ctx context.Context, s *seat) {
	s.note(s.pos, s.pos.StatusUpload(ctx))
	s.sale(ctx, s.pos, s.card())
}

func echo(ctx context.Context, s *seat) { s.note(s.pos, s.pos.Echo(ctx)) }

// clone makes a second machine under the same number.
func clone(s *seat) error {
	twin, err := s.machine(s.twinNumber(), twinSTAN)
	s.twin = twin
	return err
}

// twins trade in turn. Each signs in when it is told to, and makes the other's keys worthless.
func twins(ctx context.Context, s *seat) {
	for _, t := range []*Terminal{s.pos, s.twin} {
		if s.session(ctx, t) {
			s.sale(ctx, t, s.card())
		}
	}
}

// update changes the software, and the host takes its messages no more.
func update(s *seat) error {
	if err := terminalFault(Fault{Code: "30", Kinds: payments})(s); err != nil {
		return err
	}
	return s.pos.SetVersion(versionAfter)
}

// twoIssuers takes a card of a working issuer and one of the other.
func twoIssuers(ctx context.Context, s *seat) {
	if !s.session(ctx, s.pos) {
		return
	}
	s.sale(ctx, s.pos, s.card())
	s.sale(ctx, s.pos, CardSick)
}

// keyRecord takes the terminal's record out of the host's security module, and the
// terminal must sign in.
func keyRecord(s *seat) error {
	s.pos.mem.SignedIn = ""
	return terminalFault(Fault{Code: "96", Kinds: []txn.Kind{txn.SignIn}})(s)
}

// signedOff signs off once and then sells without a sign-in.
func signedOff(ctx context.Context, s *seat) {
	if !s.mind.done {
		s.mind.done = s.note(s.pos, s.pos.SignOff(ctx)).Approved
		return
	}
	s.sale(ctx, s.pos, s.card())
}

// oldBatch sells under the batch before, as after a restored backup.
func oldBatch(ctx context.Context, s *seat) {
	if !s.mind.done {
		s.mind.done = true
		s.pos.SetBatch(s.pos.mem.Batch + 7)
	}
	s.sale(ctx, s.pos, s.card())
}

// voidUnknown voids a payment that never was.
func voidUnknown(ctx context.Context, s *seat) {
	if !s.pos.signedIn() && !s.note(s.pos, s.pos.SignIn(ctx)).Approved {
		return
	}
	s.note(s.pos, s.pos.Void(ctx, s.pos.mem.STAN+1000))
}

// stuck loses one answer for good, and the host does not take the reversal.
func stuck(ctx context.Context, s *seat) {
	if !s.session(ctx, s.pos) {
		return
	}
	if !s.mind.done {
		s.mind.done = true
		drop := s.faultName() + " drop"
		s.fleet.cfg.Host.SetFault(drop, Fault{Terminal: s.plan.Terminal, Kinds: []txn.Kind{txn.Sale}, Drop: true})
		s.sale(ctx, s.pos, s.card())
		s.fleet.cfg.Host.ClearFault(drop)
		return
	}
	s.sale(ctx, s.pos, s.card())
}

// unbalanced makes the next settlement not balance, and the upload break off.
func unbalanced(s *seat) error {
	s.pos.Habits.NoUpload = true
	return terminalFault(Fault{Unbalanced: true})(s)
}

// settleOnce settles, and then finds that the terminal sells no more.
func settleOnce(ctx context.Context, s *seat) {
	if !s.mind.done {
		s.mind.done = s.session(ctx, s.pos)
		s.note(s.pos, s.pos.Settle(ctx))
		return
	}
	s.sale(ctx, s.pos, s.card())
	s.note(s.pos, s.pos.Echo(ctx))
}
