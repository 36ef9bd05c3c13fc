// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"time"

	"github.com/tillmend/tillmend/internal/terminal"
)

// A detector looks for one thing in an episode.
type detector func(*episode) []Finding

// detectors in the order in which findings are shown: what decides first.
var detectors = []detector{
	secondDevice, batchMismatch, notSignedIn, signOffUnsigned, macErrors, pinErrors, answerDistrusted,
	reversals, answersLost, noAnswers, related, stanReused, settlement, journal, noPayments,
	registration, formatRejected, hostWishes, signInTrouble, limits, cutover,
	lines, clockOff, hardware, silence, testMode, unreadable,
	whichCards, whichIssuers, history, declines,
}

// Detect judges one terminal at time now. It gives what is present and what was
// present in an episode that has ended; the order is stable.
func Detect(s *terminal.State, now time.Time) []Finding {
	e := episodeOf(s, now)
	var list []Finding
	for _, d := range detectors {
		list = append(list, d(e)...)
	}
	return list
}
