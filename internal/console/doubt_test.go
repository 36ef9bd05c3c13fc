// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tillmend/tillmend/internal/console/consoletest"
	"github.com/tillmend/tillmend/internal/terminal"
	"github.com/tillmend/tillmend/internal/txn"
)

// step is one exchange of a story about a payment.
type step struct {
	kind    txn.Kind
	stan    uint32
	outcome txn.Outcome
	timing  txn.Timing
}

// TestDoubts tells when a page must say that the customer is not to be charged
// again, and when it must not.
func TestDoubts(t *testing.T) {
	lost := step{txn.Sale, 7, txn.TimedOut, txn.NoAnswer}
	const rule = "不要让客人再付一次"
	for name, c := range map[string]struct {
		steps []step
		want  string // empty: nothing is in doubt
	}{
		"approved":                 {[]step{{txn.Sale, 7, txn.Approved, txn.OnTime}}, ""},
		"declined":                 {[]step{{txn.Sale, 7, txn.Declined, txn.OnTime}}, ""},
		"unanswered":               {[]step{lost}, "¥12.34，流水号 000007）没有等到回应"},
		"balance unanswered":       {[]step{{txn.Balance, 7, txn.TimedOut, txn.NoAnswer}}, ""},
		"late approval":            {[]step{lost, {txn.Sale, 7, txn.Approved, txn.Late}}, "终端放弃之后主机才批准"},
		"late decline":             {[]step{lost, {txn.Sale, 7, txn.Declined, txn.Late}}, "没有等到回应"},
		"reversed":                 {[]step{lost, {txn.Reversal, 7, txn.Approved, txn.OnTime}}, ""},
		"reversal not taken":       {[]step{lost, {txn.Reversal, 7, txn.TimedOut, txn.NoAnswer}}, "主机还没有接受（试了 1 次）"},
		"approved, not reversed":   {[]step{{txn.Sale, 7, txn.Approved, txn.OnTime}, {txn.Reversal, 7, txn.Declined, txn.OnTime}}, "¥12.34，流水号 000007）正在冲正"},
		"reversal of an older one": {[]step{{txn.Reversal, 5, txn.TimedOut, txn.NoAnswer}}, "¥12.34，流水号 000005）正在冲正"},
		"another one reversed":     {[]step{lost, {txn.Reversal, 5, txn.Approved, txn.OnTime}}, "没有等到回应"},
	} {
		t.Run(name, func(t *testing.T) {
			b, ix := shipped()
			s := openOver(t, consoletest.Empty(b, at), ix)
			s.Play(func(now time.Time) []terminal.Event {
				var list []terminal.Event
				for i, x := range c.steps {
					list = append(list, terminal.Event{Terminal: "T", Attempt: &txn.Attempt{
						At: now.Add(time.Duration(i) * time.Second), Terminal: "T", Kind: x.kind, Outcome: x.outcome, Timing: x.timing,
						STAN: x.stan, Amount: 1234,
					}})
				}
				return list
			})
			page := s.page(t, "/terminals/T")
			if c.want != "" {
				wantText(t, page, c.want, rule)
			} else if strings.Contains(page, rule) {
				t.Errorf("the page warns:\n%s", text(page))
			}
		})
	}
}
