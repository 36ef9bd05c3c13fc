// SPDX-License-Identifier: Apache-2.0

package console

import (
	"slices"
	"time"

	"github.com/tillmend/tillmend/internal/terminal"
	"github.com/tillmend/tillmend/internal/txn"
)

// exchange is one remembered exchange of a terminal.
type exchange struct {
	URL     string
	At      Stamp
	Kind    string
	Amount  string
	STAN    string
	Tone    string // ok, bad or plain
	Outcome string
	Code    string
	Meaning string
	Layer   string
	Latency string
	Marks   []string
}

// marks are all marks, in the order of their bits.
var marks = []struct {
	mark terminal.Mark
	key  string
}{
	{terminal.BatchDiffers, "batch_differs"},
	{terminal.NotSignedIn, "not_signed_in"},
	{terminal.FirstAfter, "first_after"},
	{terminal.STANReused, "stan_reused"},
	{terminal.LayoutChanged, "layout_changed"},
	{terminal.WasForwarded, "was_forwarded"},
	{terminal.NoAnswerReason, "no_answer_reason"},
	{terminal.BadMACReason, "bad_mac_reason"},
	{terminal.OtherDevice, "other_device"},
	{terminal.HostAsked, "host_asked"},
	{terminal.ClockDiffers, "clock_differs"},
	{terminal.SecondAnswer, "second_answer"},
	{terminal.SignInElsewhere, "sign_in_elsewhere"},
	{terminal.SettlementEqual, "settlement_equal"},
}

// timeline gives the remembered exchanges, newest first.
func (c *console) timeline(q *request, s *terminal.State) []exchange {
	list := s.Exchanges(nil)
	slices.Reverse(list)
	out := make([]exchange, 0, len(list))
	for i := range list {
		out = append(out, c.exchange(q, &list[i], s.Location()))
	}
	return out
}

func (c *console) exchange(q *request, x *terminal.Exchange, loc *time.Location) exchange {
	const unit = 10 * time.Millisecond
	e := exchange{
		URL: eventURL(x.Event), At: stamp(x.At.Time(loc), q.now), Kind: q.T("kind." + x.Kind.String()), STAN: sixDigits(x.STAN),
		Tone: tone(x.Outcome), Outcome: q.T("outcome." + x.Outcome.String()), Code: x.CodeString(),
	}
	if x.Amount > 0 {
		e.Amount = money(int64(x.Amount))
	}
	if x.Outcome == txn.Declined {
		e.Meaning, e.Layer = c.meaning(q.tongue, e.Code)
	}
	if x.Latency > 0 {
		e.Latency = latency(time.Duration(x.Latency) * unit)
	}
	for _, m := range marks {
		if x.Has(m.mark) {
			e.Marks = append(e.Marks, q.T("mark."+m.key))
		}
	}
	return e
}

// tone says how a line is to be coloured, beside its words.
func tone(o txn.Outcome) string {
	switch o {
	case txn.Approved:
		return "ok"
	case txn.Declined, txn.TimedOut, txn.Unanswered, txn.Malformed:
		return "bad"
	case txn.OutcomeUnknown:
	}
	return "plain"
}

// latency writes how long an answer took.
func latency(d time.Duration) string {
	if d < time.Second {
		return d.Round(time.Millisecond).String()
	}
	const tenth = 100 * time.Millisecond
	return d.Round(tenth).String()
}
