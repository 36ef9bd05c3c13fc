// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"fmt"
	"slices"
	"time"

	"github.com/tillmend/tillmend/internal/terminal"
	"github.com/tillmend/tillmend/internal/txn"
)

// Codes with which hosts ask for a sign-in. 77 is the standard one; 22, 94, 99
// and A0 have it as their printed remedy and have detectors of their own.
var signInCodes = []string{"77", "A8", "A4", "EW", "Q7", "Q8"}

// keyCodes are what a machine gets whose keys or batch another sign-in replaced.
var keyCodes = []string{"77", "A0", "99", "94", "22", "55"}

// slips are those of keyCodes that a customer's or a cashier's slip gives as well:
// they tell of a second machine only beside other signs.
var slips = []string{"55", "22", "94"}

// secondDevice: a sign-in from another machine under this terminal's number, and
// then refusals for the machine that was trading. Each sign-in makes the other's
// keys and batch invalid, so "sign in again" would go on for ever.
func secondDevice(e *episode) []Finding {
	hit := e.coded(keyCodes...)
	elsewhere := false
	for i := range e.all {
		x := &e.all[i]
		if x.Has(terminal.SignInElsewhere) {
			elsewhere = true
			hit = append([]terminal.Exchange{*x}, hit...)
			break
		}
	}
	other := false
	for i := range hit {
		if !slices.Contains(slips, hit[i].CodeString()) {
			other = other || hit[i].Has(terminal.OtherDevice)
		}
	}
	if !other && (!elsewhere || !alternates(e)) {
		return nil
	}
	f := e.of(SecondDevice, hit)
	f[0].Detail = deviceList(e.s)
	if alternates(e) { // whoever signed in last can sell, until the other one does
		f[0].State, f[0].Until = Present, time.Time{}
	}
	return f
}

// alternates reports whether sign-ins changed machines more than once.
func alternates(e *episode) bool {
	n := 0
	for i := range e.all {
		if e.all[i].Has(terminal.SignInElsewhere) {
			n++
		}
	}
	return n > 1
}

func deviceList(s *terminal.State) string {
	text := ""
	for i := range s.Devices {
		if d := &s.Devices[i]; d.Uses > 0 {
			if text != "" {
				text += ", "
			}
			text += fmt.Sprintf("%s (%d)", d.Now, d.Uses)
		}
	}
	return text
}

// batchMismatch: 77 on a payment whose batch is not the one of the last sign-in.
func batchMismatch(e *episode) []Finding {
	list := e.where(func(x *terminal.Exchange) bool {
		return x.CodeString() == "77" && x.Has(terminal.BatchDiffers)
	})
	f := e.of(BatchMismatch, list)
	if f != nil {
		f[0].Detail = fmt.Sprintf("%06d", e.s.Session.Batch)
	}
	return f
}

// notSignedIn: refused with a code that asks for a sign-in, by a terminal that
// has no session, or of which none was ever seen.
func notSignedIn(e *episode) []Finding {
	asked := e.coded(append(signInCodes, "58", "22", "A0", "99")...)
	var known, unseen []terminal.Exchange
	for _, x := range asked {
		switch {
		case x.Kind == txn.SignOff || x.Kind == txn.SignIn:
		case x.Has(terminal.NotSignedIn):
			known = append(known, x)
		case e.s.Session.State == terminal.SessionUnknown && slices.Contains(signInCodes, x.CodeString()):
			unseen = append(unseen, x)
		}
	}
	return append(e.of(NotSignedIn, known), e.of(NoSignInSeen, unseen)...)
}

// signOffUnsigned: a sign-off refused because there was no sign-in.
func signOffUnsigned(e *episode) []Finding {
	return e.of(SignOffUnsigned, e.where(func(x *terminal.Exchange) bool {
		return x.Kind == txn.SignOff && x.CodeString() == "77"
	}))
}

// macErrors: A0 right after a good sign-in means that the master key is wrong,
// for the sign-in has just brought fresh working keys under it; A0 at another
// time means working keys out of step, which a sign-in mends.
func macErrors(e *episode) []Finding {
	var after, later []terminal.Exchange
	for _, x := range e.coded("A0") {
		switch {
		case x.Kind == txn.Reversal:
		case x.Has(terminal.FirstAfter):
			after = append(after, x)
		default:
			later = append(later, x)
		}
	}
	f := e.of(MACAfterSignIn, after)
	if f != nil {
		f[0].Count = max(f[0].Count, int(e.s.Session.BadMAC))
		return f
	}
	return e.of(MACStale, later)
}

// pinErrors: PIN refusals on several cards speak against the key, not the cards.
func pinErrors(e *episode) []Finding {
	list := e.coded("99", "55", "38", "75")
	if cards(list) >= 2 {
		return e.of(PINManyCards, list)
	}
	return e.of(PINFormat, e.coded("99"))
}

// answerDistrusted: the terminal takes a payment back because it finds the MAC of
// the answer wrong.
func answerDistrusted(e *episode) []Finding {
	return e.of(AnswerDistrusted, e.where(func(x *terminal.Exchange) bool { return x.Has(terminal.BadMACReason) }))
}

// signInTrouble: sign-ins that fail.
func signInTrouble(e *episode) []Finding {
	var system, refused []terminal.Exchange
	for _, x := range e.fails {
		switch {
		case x.Kind != txn.SignIn:
		case x.CodeString() == "96":
			system = append(system, x)
		default:
			refused = append(refused, x)
		}
	}
	return append(e.of(SignInSystemError, system), e.of(SignInRefused, refused)...)
}
