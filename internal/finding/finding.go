// SPDX-License-Identifier: Apache-2.0

// Package finding judges the state of a terminal: what looks wrong on it
// ([Detect]), and what looks wrong on a scope of many ([Survey]).
//
// A [Finding] is a piece of evidence, not a diagnosis. It says since when it
// holds, how often it was seen and from which events it comes, so that every
// statement made from it can be opened down to the message on the wire.
//
// # Episodes
//
// Findings about payments speak of one episode: the failures since the last
// approved payment. If there are none, they speak of the failures before it,
// and are marked as over ([Absent] with a time in Until).
package finding

import (
	"slices"
	"time"

	"github.com/tillmend/tillmend/internal/terminal"
)

// Kind names what was found. Package knowledge says what each kind speaks for.
type Kind string

// The kinds of findings, with the rule of the message order each stands for.
const (
	BatchMismatch      Kind = "batch_mismatch"              // a payment's batch is not the one of the last sign-in
	NotSignedIn        Kind = "not_signed_in"               // refused for want of a sign-in, and there was none today
	NoSignInSeen       Kind = "no_sign_in_seen"             // refused for want of a sign-in; none was ever seen here
	SignOffUnsigned    Kind = "sign_off_unsigned"           // a sign-off without a sign-in
	SecondDevice       Kind = "second_device"               // another machine signed in under this number
	MACAfterSignIn     Kind = "mac_error_after_sign_in"     // A0 on the first payment after a good sign-in
	MACStale           Kind = "mac_error"                   // A0 some time after the sign-in
	PINManyCards       Kind = "pin_error_many_cards"        // PIN refused on several cards
	PINFormat          Kind = "pin_format_error"            // the host cannot read the PIN block
	ReversalStuck      Kind = "reversal_stuck"              // a reversal sent again and again and never taken
	ReversalPending    Kind = "reversal_pending"            // a reversal not yet taken
	AnswersLost        Kind = "answers_lost"                // answers were forwarded, and the terminal says that it got none
	HostNoAnswer       Kind = "host_no_answer"              // the host gave no answer to this terminal
	HostAnswers        Kind = "host_answers"                // it has answered something since
	AnswerDistrusted   Kind = "answer_mac_rejected"         // the terminal reverses because the answer's MAC is wrong
	OriginalNotFound   Kind = "original_not_found"          // a void, refund or completion of a payment that the host does not have so
	OriginalAmount     Kind = "original_amount_differs"     // its amount is not the original's
	STANReused         Kind = "stan_reused"                 // a trace number used twice
	SettleUnbalanced   Kind = "settlement_unbalanced"       // the totals differ and the batch was not uploaded to its end
	SettleUnfinished   Kind = "settlement_unfinished"       // a settlement or a batch upload was broken off
	NoPayments         Kind = "no_payments_attempted"       // management traffic only: the terminal itself refuses to sell
	JournalFull        Kind = "journal_full"                // as many payments since settlement as a terminal can keep
	JournalNearlyFull  Kind = "journal_nearly_full"         // close to that
	MerchantRejected   Kind = "merchant_rejected"           // 03 on everything
	TerminalRejected   Kind = "terminal_rejected"           // 97 on everything
	TerminalForbidden  Kind = "terminal_forbidden"          // 58
	FormatRejected     Kind = "format_rejected"             // 30
	FormatChanged      Kind = "format_rejected_changed"     // 30 since the fields or the version changed
	DownloadRequired   Kind = "download_required"           // 78
	HostOrderIgnored   Kind = "host_order_ignored"          // the host asks for something and the terminal does not do it
	SignInSystemError  Kind = "sign_in_system_error"        // 96 at sign-in
	SignInRefused      Kind = "sign_in_refused"             // the sign-in is refused with another code, or unanswered
	LimitManyCards     Kind = "limit_many_cards"            // 61 or 65 on several cards
	LinkSilent         Kind = "link_silent"                 // connections that bring no message
	LinkReset          Kind = "link_reset"                  // connections reset before a message
	LinkTLS            Kind = "link_tls_alert"              // the secure connection fails
	LinkRefused        Kind = "link_refused"                // connections refused
	HostUnreachable    Kind = "host_unreachable"            // the gateway cannot reach the host
	ClockOff           Kind = "clock_off"                   // the terminal's clock differs from the host's
	DateCutover        Kind = "date_cutover"                // 90
	OneCard            Kind = "one_card_fails"              // every failure is of one card
	AllCards           Kind = "all_cards_fail"              // several cards, and none goes through
	OneIssuer          Kind = "one_issuer_fails"            // one issuer's cards fail, others go through
	AllIssuers         Kind = "all_issuers_fail"            // several issuers' cards, and none goes through
	OtherCardWorks     Kind = "other_card_works"            // another card went through after the failure
	TradedBefore       Kind = "traded_before"               // this terminal has had approved payments
	NeverTraded        Kind = "never_traded"                // and this one has not, though it asked
	Silent             Kind = "silent"                      // silent against its own rhythm
	Trading            Kind = "trading"                     // the last payment was approved
	HardPINPad         Kind = "hardware_pin_pad"            // the terminal itself reports the part as faulty
	HardReader         Kind = "hardware_card_reader"        //
	HardPrinter        Kind = "hardware_printer"            //
	HardKeyboard       Kind = "hardware_keyboard"           //
	HardDisplay        Kind = "hardware_display"            //
	Unreadable         Kind = "unreadable_messages"         // messages that cannot be read
	TestMode           Kind = "test_mode"                   // the header says test or training
	DeclinedWithCode   Kind = "declined"                    // declined; the code is in the finding
	IssuerDown         Kind = "issuer_down"                 // scope: one issuer's cards fail on many terminals
	HostSlow           Kind = "host_slow"                   // scope: many terminals get no answers
	HostErrors         Kind = "host_errors"                 // scope: many terminals get system errors
	WholeShop          Kind = "whole_shop_fails"            // scope: every terminal of the merchant fails
	OnlyThisTerminal   Kind = "only_this_terminal"          // scope: the merchant's other terminals trade
	OthersTrade        Kind = "others_trade"                // scope: other merchants' terminals trade at the same host
	ManyFormatRejected Kind = "format_rejected_many"        // scope: 30 on many terminals
	ManyCutover        Kind = "date_cutover_many_terminals" // scope: 90 on many terminals
)

// Kinds lists every kind.
var Kinds = []Kind{
	BatchMismatch, NotSignedIn, NoSignInSeen, SignOffUnsigned, SecondDevice, MACAfterSignIn, MACStale, PINManyCards, PINFormat,
	ReversalStuck, ReversalPending, AnswersLost, HostNoAnswer, HostAnswers, AnswerDistrusted, OriginalNotFound, OriginalAmount, STANReused,
	SettleUnbalanced, SettleUnfinished, NoPayments, JournalFull, JournalNearlyFull, MerchantRejected, TerminalRejected,
	TerminalForbidden, FormatRejected, FormatChanged, DownloadRequired, HostOrderIgnored, SignInSystemError, SignInRefused,
	LimitManyCards, LinkSilent, LinkReset, LinkTLS, LinkRefused, HostUnreachable, ClockOff, DateCutover, OneCard, AllCards,
	OneIssuer, AllIssuers, OtherCardWorks, TradedBefore, NeverTraded, Silent, Trading, HardPINPad, HardReader, HardPrinter,
	HardKeyboard, HardDisplay, Unreadable, TestMode, DeclinedWithCode, IssuerDown, HostSlow, HostErrors, WholeShop,
	OnlyThisTerminal, OthersTrade, ManyFormatRejected, ManyCutover,
}

// Presence is whether a finding holds.
type Presence string

// The presences.
const (
	Present Presence = "present"
	Absent  Presence = "absent" // looked for and not there, or over
	Unknown Presence = "unknown"
)

// Finding is a judged piece of evidence about one terminal.
type Finding struct {
	Kind   Kind
	State  Presence
	Since  time.Time
	Until  time.Time // when it ended; zero while it lasts
	Shared bool      // it is of a scope that the terminal belongs to, not of the terminal alone
	Count  int       // how often it was seen, as far as is remembered
	Code   string    // the response code it is about, if any
	Detail string    // figures for a reader, such as "000002 ≠ 000001"; never payment data
	Events []terminal.EventID
}

// Over reports whether the finding held once and has ended.
func (f *Finding) Over() bool { return f.State == Absent && !f.Until.IsZero() }

// Has reports whether a kind is present in a list of findings.
func Has(list []Finding, kind Kind) bool {
	return slices.ContainsFunc(list, func(f Finding) bool { return f.Kind == kind && f.State == Present })
}
