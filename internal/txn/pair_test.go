// SPDX-License-Identifier: Apache-2.0

package txn_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tillmend/tillmend/internal/estate"
	"github.com/tillmend/tillmend/internal/txn"
)

var start = time.Date(2026, 6, 3, 10, 0, 0, 0, time.UTC)

// log is what a pairer reported, one short line each.
type log struct {
	lines []string
}

func (l *log) pairer() *txn.Pairer {
	return txn.NewPairer(
		func(a txn.Attempt) {
			l.lines = append(l.lines, fmt.Sprintf("%s %d %s %s", a.Kind, a.STAN, a.Outcome, a.Timing))
		},
		func(id estate.TerminalID, e txn.Link) {
			l.lines = append(l.lines, fmt.Sprintf("%s %s", id, e.Kind))
		},
	)
}

func request(after time.Duration, kind txn.Kind, stan uint32) txn.Leg {
	mti := map[txn.Kind]uint16{txn.Sale: 0x0200, txn.Reversal: 0x0400, txn.Echo: 0x0820, txn.SignIn: 0x0800, txn.Settlement: 0x0500}[kind]
	return txn.Leg{
		At: start.Add(after), Peer: "10.0.0.7:40000", Direction: txn.ToHost, MTI: mti, Kind: kind, STAN: stan,
		Terminal: "T0000001", Amount: 100,
	}
}

func answer(req txn.Leg, after time.Duration, code string) txn.Leg {
	req.Direction, req.At, req.Code, req.MTI = txn.ToTerminal, start.Add(after), code, req.MTI|0x0010
	return req
}

// pairings are conversations and what must be reported of them.
func pairings() []pairing {
	sale, second := request(0, txn.Sale, 7), request(time.Second, txn.Sale, 8)
	echo, reversal := request(0, txn.Echo, 0), request(20*time.Second, txn.Reversal, 7)
	end := txn.Link{At: start.Add(2 * time.Second), Kind: txn.LinkReset, Peer: sale.Peer}
	return []pairing{
		{"approved", func(p *txn.Pairer) { p.Leg(sale); p.Leg(answer(sale, time.Second, "00")) }, "sale 7 approved on_time"},
		{"declined is an outcome", func(p *txn.Pairer) { p.Leg(sale); p.Leg(answer(sale, time.Second, "51")) }, "sale 7 declined on_time"},
		{"answers may cross", func(p *txn.Pairer) {
			p.Leg(sale)
			p.Leg(second)
			p.Leg(answer(second, 2*time.Second, "00"))
			p.Leg(answer(sale, 3*time.Second, "51"))
		}, "sale 8 approved on_time\nsale 7 declined on_time"},
		{"an echo has no trace number", func(p *txn.Pairer) {
			p.Leg(echo)
			a := answer(echo, time.Second, "00")
			a.STAN = 33
			p.Leg(a)
		}, "echo 0 approved on_time"},
		{"timed out, then late, then once more", func(p *txn.Pairer) {
			p.Leg(sale)
			p.Sweep(start.Add(59 * time.Second))
			p.Sweep(start.Add(60 * time.Second))
			p.Leg(answer(sale, 70*time.Second, "00"))
			p.Leg(answer(sale, 71*time.Second, "00"))
		}, "sale 7 timed_out none\nsale 7 approved late\nsale 7 approved duplicate"},
		{"terminals that share a connection have trace numbers of their own", func(p *txn.Pairer) {
			other := sale
			other.Terminal = "T0000002"
			p.Leg(sale)
			p.Leg(other)
			p.Leg(answer(other, time.Second, "51"))
			p.Leg(answer(sale, 2*time.Second, "00"))
		}, "sale 7 declined on_time\nsale 7 approved on_time"},
		{"an answer that names no terminal", func(p *txn.Pairer) {
			p.Leg(sale)
			a := answer(sale, time.Second, "00")
			a.Terminal = ""
			p.Leg(a)
		}, "sale 7 approved on_time"},
		{"duplicate", func(p *txn.Pairer) {
			p.Leg(sale)
			p.Leg(answer(sale, time.Second, "00"))
			p.Leg(answer(sale, 2*time.Second, "00"))
		}, "sale 7 approved on_time\nsale 7 approved duplicate"},
		{"unsolicited", func(p *txn.Pairer) { p.Leg(answer(sale, 0, "00")) }, "sale 7 approved unsolicited"},
		{"the connection ends first", func(p *txn.Pairer) { p.Leg(sale); p.Event(end) }, "sale 7 unanswered none\nT0000001 reset"},
		{"the terminal takes it back", func(p *txn.Pairer) {
			p.Leg(sale)
			p.Leg(reversal)
			p.Leg(answer(reversal, 21*time.Second, "00"))
		}, "sale 7 unanswered none\nreversal 7 approved on_time"},
	}
}

// endings are conversations that end in other ways than by an answer.
func endings() []pairing {
	sale, reversal, settle := request(0, txn.Sale, 7), request(20*time.Second, txn.Reversal, 7), request(0, txn.Settlement, 9)
	unbalanced := answer(settle, time.Second, "00")
	unbalanced.Balanced = 2
	garbled := request(0, txn.Sale, 7)
	garbled.Fault = "field 48 is cut short"
	return []pairing{
		{"a reversal of what the host does not know is done", func(p *txn.Pairer) {
			p.Leg(reversal)
			p.Leg(answer(reversal, 21*time.Second, "25"))
		}, "reversal 7 approved on_time"},
		{"an address that has named two terminals names none", func(p *txn.Pairer) {
			other := request(time.Second, txn.Sale, 8)
			other.Terminal, other.Peer = "T0000002", "10.0.0.7:40009"
			p.Leg(sale)
			p.Leg(answer(sale, time.Second, "00"))
			p.Leg(other)
			p.Leg(answer(other, 2*time.Second, "00"))
			p.Event(txn.Link{At: start.Add(time.Minute), Kind: txn.LinkTLSAlert, Peer: "10.0.0.7:41000"})
		}, "sale 7 approved on_time\nsale 8 approved on_time\nunnamed@10.0.0.7 tls-alert"},
		{"a settlement that does not balance is no success", func(p *txn.Pairer) { p.Leg(settle); p.Leg(unbalanced) }, "settlement 9 declined on_time"},
		{"unreadable", func(p *txn.Pairer) { p.Leg(garbled) }, "sale 7 malformed none"},
		{"nobody has spoken", func(p *txn.Pairer) {
			p.Event(txn.Link{At: start, Kind: txn.LinkTLSAlert, Peer: "[::ffff:10.9.9.9]:1"})
		}, "unnamed@10.9.9.9 tls-alert"},
		{"the same address has spoken before", func(p *txn.Pairer) {
			p.Leg(sale)
			p.Leg(answer(sale, time.Second, "00"))
			p.Event(txn.Link{At: start.Add(time.Minute), Kind: txn.LinkOpen, Peer: "10.0.0.7:40001"})
		}, "sale 7 approved on_time\nT0000001 open"},
		{"the last moments of a recording say nothing", func(p *txn.Pairer) { p.Leg(sale); p.Flush(start.Add(time.Second)) }, ""},
		{"a recording that goes on without an answer does", func(p *txn.Pairer) { p.Leg(sale); p.Flush(start.Add(30 * time.Second)) }, "sale 7 unanswered none"},
	}
}

type pairing struct {
	name string
	play func(p *txn.Pairer)
	want string
}

func TestPairing(t *testing.T) {
	for _, c := range slices.Concat(pairings(), endings()) {
		t.Run(c.name, func(t *testing.T) {
			var l log
			c.play(l.pairer())
			if got := strings.Join(l.lines, "\n"); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// TestEveryRequestEndsOnce: whatever comes in whatever order, each request ends
// exactly once, and nothing stays open.
func TestEveryRequestEndsOnce(t *testing.T) {
	kinds := []txn.Kind{txn.Sale, txn.Reversal, txn.Echo, txn.SignIn, txn.Settlement}
	rapid.Check(t, func(t *rapid.T) {
		ended := 0
		p := txn.NewPairer(func(a txn.Attempt) {
			if a.Timing == txn.OnTime || a.Timing == txn.NoAnswer {
				ended++
			}
		}, func(estate.TerminalID, txn.Link) {})
		var asked []txn.Leg
		at := time.Duration(0)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			at += time.Duration(rapid.IntRange(0, 40).Draw(t, "seconds")) * time.Second
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0, 1:
				l := request(at, rapid.SampledFrom(kinds).Draw(t, "kind"), uint32(rapid.IntRange(0, 5).Draw(t, "stan")))
				l.Peer = rapid.SampledFrom([]string{"10.0.0.7:1", "10.0.0.7:2"}).Draw(t, "peer")
				asked = append(asked, l)
				p.Leg(l)
			case 2:
				if len(asked) > 0 {
					p.Leg(answer(rapid.SampledFrom(asked).Draw(t, "of"), at, "00"))
				}
			case 3:
				p.Event(txn.Link{At: start.Add(at), Kind: txn.LinkClose, Peer: "10.0.0.7:1"})
			}
		}
		p.Flush(start.Add(at + time.Hour))
		if int(p.Dropped)+ended != len(asked) {
			t.Fatalf("%d requests, %d ended, %d dropped", len(asked), ended, p.Dropped)
		}
		for _, peer := range []string{"10.0.0.7:1", "10.0.0.7:2"} {
			if n := p.Open(peer); n != 0 {
				t.Fatalf("%d still open", n)
			}
		}
	})
}

// TestWords: every enum has its own word, and the word leads back to it.
func TestWords(t *testing.T) {
	seen := map[string]bool{}
	check := func(word string, back func([]byte) error) {
		t.Helper()
		if seen[word] {
			t.Errorf("%q stands for two things", word)
		}
		seen[word] = true
		if err := back([]byte(word)); err != nil {
			t.Error(err)
		}
	}
	for k := txn.KindUnknown; k <= txn.BatchEnd; k++ {
		check("kind "+k.String(), func(b []byte) error {
			var back txn.Kind
			if err := back.UnmarshalText(b[len("kind "):]); err != nil || back != k {
				return fmt.Errorf("%s leads to %s: %w", k, back, err)
			}
			return nil
		})
	}
	for k := txn.LinkOpen; k <= txn.LinkOverloaded; k++ {
		check("link "+k.String(), func(b []byte) error {
			if back, ok := txn.ParseLinkKind(string(b[len("link "):])); !ok || back != k {
				return fmt.Errorf("%s leads to %s", k, back)
			}
			return nil
		})
	}
	if _, ok := txn.ParseLinkKind("unheard of"); ok {
		t.Error("an unheard-of word is a connection event")
	}
	if slices.Contains([]string{"", "0"}, txn.Malformed.String()) {
		t.Error("an outcome has no word")
	}
}

// TestOutageIsRecorded: when a host answers nothing, every request is recorded as
// unanswered, however many wait at once.
func TestOutageIsRecorded(t *testing.T) {
	const requests = 150_000 // a minute and a quarter at 2,000 a second
	ended := 0
	p := txn.NewPairer(func(a txn.Attempt) {
		if a.Outcome == txn.TimedOut {
			ended++
		}
	}, func(estate.TerminalID, txn.Link) {})
	for n := range requests {
		l := request(time.Duration(n)*time.Second/2000, txn.Sale, uint32(n%1_000_000))
		l.Terminal, l.Peer = estate.TerminalID(fmt.Sprintf("T%07d", n%5000)), fmt.Sprintf("10.0.%d.%d:1", n%5000/250, n%250)
		p.Leg(l)
	}
	p.Sweep(start.Add(10 * time.Minute))
	if ended != requests || p.Dropped != 0 {
		t.Errorf("%d of %d requests are recorded, %d dropped", ended, requests, p.Dropped)
	}
}
