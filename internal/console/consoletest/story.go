// SPDX-License-Identifier: Apache-2.0

package consoletest

import (
	"fmt"
	"time"

	"github.com/tillmend/tillmend/internal/estate"
	"github.com/tillmend/tillmend/internal/terminal"
	"github.com/tillmend/tillmend/internal/txn"
)

// The terminals whose stories tests name.
const (
	Clone     = estate.TerminalID("10000201") // two machines use its number
	Rejected  = estate.TerminalID("10000202") // the host does not know it
	Reversing = estate.TerminalID("10000203") // a payment unanswered, its reversal not taken
	OneCard   = estate.TerminalID("10000204") // well; one customer's card is refused
	Full      = estate.TerminalID("10000205") // its memory of payments is nearly full
	Quiet     = estate.TerminalID("10000206") // silent against its own rhythm
	Stale     = estate.TerminalID("10000207") // nothing lately
	Recovered = estate.TerminalID("10000208") // was blocked, trades again
	Unsigned  = estate.TerminalID("10000209") // did not sign in today
	Faulty    = estate.TerminalID("10000210") // reports its card reader as faulty
	Puzzling  = estate.TerminalID("10000211") // declined with a code that means many things
	Healthy   = estate.TerminalID("10000301") // the first of the healthy ones
	Hostile   = estate.TerminalID(`<b>"&'x`)  // a number that tries to be markup
)

// Secure is a device whose secure connections fail before it names a terminal.
var Secure = estate.Unnamed("198.51.100.77")

// healthyTerminals is how many terminals trade as they should: more than a page.
const healthyTerminals = 64

// teller makes the events of one terminal.
type teller struct {
	id       estate.TerminalID
	merchant estate.MerchantID
	peer     string
	at       time.Time
	stan     uint32
	batch    uint32
	list     []terminal.Event
}

func tell(id estate.TerminalID, shop int, from time.Time) *teller {
	return &teller{
		id: id, merchant: estate.MerchantID(fmt.Sprintf("89800000000%04d", shop)), at: from, batch: 12, stan: 400,
		peer: fmt.Sprintf("203.0.113.%d:40001", shop%250+1),
	}
}

func (t *teller) wait(d time.Duration) *teller {
	t.at = t.at.Add(d)
	return t
}

// add tells one attempt; change sets what is not usual.
func (t *teller) add(kind txn.Kind, out txn.Outcome, code string, change func(*txn.Attempt)) *teller {
	t.stan++
	a := &txn.Attempt{
		At: t.at, Terminal: t.id, Merchant: t.merchant, Peer: t.peer, Host: "192.0.2.10:5000", Kind: kind, Outcome: out, Code: code,
		Latency: 320 * time.Millisecond, STAN: t.stan, Amount: -1, Batch: t.batch, Clock: t.at.Format("0102150405"),
	}
	if out == txn.TimedOut || out == txn.Unanswered {
		a.Timing, a.Latency = txn.NoAnswer, 0
	}
	if change != nil {
		change(a)
	}
	t.list = append(t.list, terminal.Event{Terminal: t.id, Attempt: a})
	return t.wait(40 * time.Second)
}

func (t *teller) signIn() *teller {
	return t.add(txn.SignIn, txn.Approved, "00", func(a *txn.Attempt) { a.HostBatch, a.KeyBytes = t.batch, 60 })
}

// cards are public test numbers as they are kept.
var cards = []struct{ masked, issuer string }{
	{"620000******0005", "620000"}, {"622424******0021", "622424"}, {"411111******1111", "411111"},
}

func (t *teller) sale(card int, fen int64, out txn.Outcome, code string) *teller {
	return t.add(txn.Sale, out, code, paidWith(card, fen))
}

func paidWith(card int, fen int64) func(*txn.Attempt) {
	return func(a *txn.Attempt) {
		a.Amount, a.Entry, a.Card, a.Issuer = fen, 51, cards[card].masked, cards[card].issuer
		a.CardNo = uint16(card + 1) //nolint:gosec // three cards
		if a.Outcome == txn.Approved {
			a.RRN, a.AuthCode = fmt.Sprintf("15%010d", a.STAN), fmt.Sprintf("%06d", a.STAN)
		}
	}
}

// Stories gives the events of the whole fleet up to now.
func Stories(now time.Time) []terminal.Event {
	var list []terminal.Event
	morning := now.Add(-2*time.Hour - 44*time.Minute)
	for i := range healthyTerminals {
		id := estate.TerminalID(fmt.Sprintf("%08d", 10000301+i))
		t := tell(id, 301+i/2, morning.Add(time.Duration(i)*17*time.Second)).signIn()
		for n := range 4 {
			t.wait(time.Duration(20+i%7)*time.Minute).sale(n%3, int64(1250+i*310+n*95), txn.Approved, "00")
		}
		list = append(list, t.list...)
	}
	for _, story := range []func(time.Time) []terminal.Event{
		clone, rejected, reversing, oneCard, full, quiet, stale, recovered, unsigned, faulty, puzzling, hostile, secure,
	} {
		list = append(list, story(now)...)
	}
	return list
}

func clone(now time.Time) []terminal.Event {
	t := tell(Clone, 201, now.Add(-70*time.Minute)).signIn().sale(0, 8800, txn.Approved, "00").sale(1, 4550, txn.Approved, "00")
	own := t.peer
	t.wait(20 * time.Minute)
	t.peer, t.batch, t.stan = "198.51.100.9:51000", 13, 9
	t.signIn()
	for n := range 3 {
		t.peer, t.batch, t.stan = own, 12, uint32(403+n*2)
		t.wait(3*time.Minute).sale(n, int64(2600+n*500), txn.Declined, "77")
	}
	t.signIn()
	t.peer, t.batch, t.stan = "198.51.100.9:51000", 14, 10
	t.wait(4 * time.Minute).signIn()
	t.peer, t.batch, t.stan = own, 12, 411
	return t.wait(2*time.Minute).sale(0, 2600, txn.Declined, "A0").list
}

func rejected(now time.Time) []terminal.Event {
	var list []terminal.Event
	for i, id := range []estate.TerminalID{Rejected, "10000224"} {
		t := tell(id, 202+30*i, now.Add(-time.Duration(25+i)*time.Minute)).add(txn.SignIn, txn.Declined, "97", nil)
		t.sale(0, 12000, txn.Declined, "97").sale(1, 12000, txn.Declined, "97")
		list = append(list, t.wait(5*time.Minute).add(txn.SignIn, txn.Declined, "97", nil).list...)
	}
	return list
}

func reversing(now time.Time) []terminal.Event {
	t := tell(Reversing, 203, now.Add(-30*time.Minute)).signIn().sale(0, 3300, txn.Approved, "00")
	t.wait(9*time.Minute).sale(1, 25680, txn.TimedOut, "")
	stan := t.stan
	for range 3 {
		t.add(txn.Reversal, txn.TimedOut, "", func(a *txn.Attempt) {
			a.STAN, a.Reason, a.Amount, a.Card, a.Issuer = stan, "98", 25680, cards[1].masked, cards[1].issuer
		})
	}
	return t.list
}

func oneCard(now time.Time) []terminal.Event {
	t := tell(OneCard, 204, now.Add(-40*time.Minute)).signIn().sale(0, 1500, txn.Approved, "00")
	t.wait(5*time.Minute).sale(2, 99900, txn.Declined, "51").sale(2, 99900, txn.Declined, "51")
	return t.list
}

func full(now time.Time) []terminal.Event {
	const payments = 462
	t := tell(Full, 205, now.Add(-payments*41*time.Second)).signIn()
	for n := range payments {
		t.sale(n%3, int64(600+n), txn.Approved, "00")
	}
	return t.list
}

func quiet(now time.Time) []terminal.Event {
	const hours = 24 * 23
	t := tell(Quiet, 206, now.Add(-(hours+30)*time.Hour)).signIn()
	start := t.at
	for h := range hours {
		t.at = start.Add(time.Duration(h) * time.Hour)
		t.sale(h%3, 2100, txn.Approved, "00")
		if h%24 == 0 {
			t.add(txn.Settlement, txn.Approved, "00", func(a *txn.Attempt) { a.Balanced = 1 }).signIn()
		}
	}
	return t.list
}

func stale(now time.Time) []terminal.Event {
	return tell(Stale, 207, now.Add(-76*time.Hour)).signIn().sale(0, 4400, txn.Approved, "00").list
}

func recovered(now time.Time) []terminal.Event {
	t := tell(Recovered, 208, now.Add(-90*time.Minute)).sale(0, 5000, txn.Declined, "77").sale(1, 5000, txn.Declined, "77")
	return t.wait(10*time.Minute).signIn().sale(0, 5000, txn.Approved, "00").list
}

func unsigned(now time.Time) []terminal.Event {
	var list []terminal.Event
	for i, id := range []estate.TerminalID{Unsigned, "10000221", "10000222", "10000223"} {
		t := tell(id, 209+i, now.Add(-26*time.Hour)).signIn().sale(0, 7000, txn.Approved, "00").add(txn.SignOff, txn.Approved, "00", nil)
		t.at = now.Add(-time.Duration(12+7*i) * time.Minute)
		list = append(list, t.sale(1, 1800, txn.Declined, "77").sale(2, 1800, txn.Declined, "77").list...)
	}
	return list
}

func faulty(now time.Time) []terminal.Event {
	t := tell(Faulty, 210, now.Add(-55*time.Minute)).signIn().sale(0, 2500, txn.Approved, "00")
	return t.add(txn.StatusUpload, txn.Approved, "00", func(a *txn.Attempt) {
		a.Hardware = txn.Hardware{Known: txn.Keyboard | txn.PINPad | txn.CardReader | txn.Printer, Faulty: txn.CardReader}
	}).list
}

func puzzling(now time.Time) []terminal.Event {
	t := tell(Puzzling, 211, now.Add(-50*time.Minute)).signIn().sale(0, 900, txn.Approved, "00")
	return t.wait(30*time.Minute).sale(1, 60000, txn.Declined, "05").list
}

func hostile(now time.Time) []terminal.Event {
	t := tell(Hostile, 212, now.Add(-15*time.Minute))
	t.merchant = `=1+1<script>a`
	return t.add(txn.Sale, txn.Malformed, "", func(a *txn.Attempt) { a.Fault = `<img src=x onerror=alert(1)>` }).list
}

func secure(now time.Time) []terminal.Event {
	var list []terminal.Event
	for n := range 5 {
		at := now.Add(-time.Duration(18-3*n) * time.Minute)
		for _, kind := range []txn.LinkKind{txn.LinkOpen, txn.LinkTLSAlert, txn.LinkClose} {
			list = append(list, terminal.Event{Terminal: Secure, Link: &txn.Link{
				At: at, Kind: kind, Peer: fmt.Sprintf("198.51.100.77:%d", 50000+n), Detail: "certificate expired",
			}})
			at = at.Add(200 * time.Millisecond)
		}
	}
	return list
}

// Break makes a healthy terminal fail: the host no longer knows it.
func Break(id estate.TerminalID) func(time.Time) []terminal.Event {
	return func(now time.Time) []terminal.Event {
		t := tell(id, 301, now)
		for n := range 3 {
			t.sale(n, 5000, txn.Declined, "97")
			t.at = now.Add(time.Duration(n+1) * time.Millisecond)
		}
		return t.list
	}
}
