// SPDX-License-Identifier: Apache-2.0

package txn

import (
	"net/netip"
	"slices"
	"time"

	"github.com/tillmend/tillmend/internal/estate"
)

// Limits of a pairer.
const (
	// DefaultTimeout is how long an answer is waited for. Terminals give up after
	// 60 s and reverse.
	DefaultTimeout = 60 * time.Second
	// remembered is how long after its request a finished attempt is remembered, so
	// that a late or second answer is known for what it is: half a minute longer than
	// an answer is waited for.
	remembered = 90 * time.Second
	// maxKept bounds the attempts that are open or remembered, at about half a
	// kilobyte each: a minute's requests of a host that answers none of 15,000 a
	// second. Above it the oldest is ended and forgotten first.
	maxKept = 1 << 20
	// maxPeers bounds the connections and addresses whose terminal is remembered.
	maxPeers = 500_000
)

// Pairer joins requests and answers. It is used by one goroutine; time comes in
// with the legs and through Sweep.
type Pairer struct {
	// Timeout is how long an answer is waited for; DefaultTimeout if zero.
	Timeout time.Duration
	// Attempt receives each attempt once its end is known, in order of its end.
	Attempt func(Attempt)
	// Link receives each connection event under the terminal it belongs to.
	Link func(estate.TerminalID, Link)

	kept   map[pairKey]*opened
	order  []*opened // kept attempts by time of the request
	due    int       // those before this place in order have ended
	peers  map[string]*speaker
	byAddr map[string]estate.TerminalID    // empty: more than one
	byTerm map[estate.TerminalID][]*opened // open payments

	// Dropped counts requests whose end was not seen: forgotten for want of room,
	// or open when the source of messages ended.
	Dropped uint64
}

// pairKey is what a request and its answer share. A connection may carry many
// terminals, whose trace numbers are their own.
type pairKey struct {
	peer     string
	terminal estate.TerminalID
	mti      uint16 // of the request
	stan     uint32
}

// opened is a request that waits, or one that is finished and remembered.
type opened struct {
	key      pairKey
	leg      Leg
	finished bool
	givenUp  bool // finished without an answer
}

// speaker is one connection: the terminal last named on it and what it waits for.
type speaker struct {
	id    estate.TerminalID
	open  []*opened
	spoke int // messages seen
}

// NewPairer gives a pairer that reports to attempt and link.
func NewPairer(attempt func(Attempt), link func(estate.TerminalID, Link)) *Pairer {
	return &Pairer{
		Timeout: DefaultTimeout, Attempt: attempt, Link: link,
		kept: map[pairKey]*opened{}, peers: map[string]*speaker{},
		byAddr: map[string]estate.TerminalID{}, byTerm: map[estate.TerminalID][]*opened{},
	}
}

// Leg takes the next message of a connection.
func (p *Pairer) Leg(l Leg) {
	p.Sweep(l.At)
	sp := p.speaker(l.Peer)
	sp.spoke++
	named := l.Terminal != ""
	switch {
	case !named:
		l.Terminal = p.terminalOf(l.Peer)
	case sp.id != l.Terminal:
		sp.id = l.Terminal
		p.learn(addrOf(l.Peer), l.Terminal)
	}
	if l.Direction == ToHost {
		p.request(sp, l)
	} else {
		p.answer(sp, l, named)
	}
}

// speaker gives the record of a connection, made when first seen.
func (p *Pairer) speaker(peer string) *speaker {
	if sp, ok := p.peers[peer]; ok {
		return sp
	}
	if len(p.peers) >= maxPeers || len(p.byAddr) >= maxPeers {
		clear(p.peers)
		clear(p.byAddr)
	}
	sp := &speaker{}
	p.peers[peer] = sp
	return sp
}

// learn remembers the terminal of an address. An address that has named two, such as
// that of a shop behind one router, names none.
func (p *Pairer) learn(addr string, id estate.TerminalID) {
	if before, ok := p.byAddr[addr]; ok && before != id {
		id = ""
	}
	p.byAddr[addr] = id
}

// terminalOf gives the terminal last seen on a connection, or the only one of its
// address, or a name for the address.
func (p *Pairer) terminalOf(peer string) estate.TerminalID {
	if sp, ok := p.peers[peer]; ok && sp.id != "" {
		return sp.id
	}
	addr := addrOf(peer)
	if id := p.byAddr[addr]; id != "" {
		return id
	}
	return estate.Unnamed(addr)
}

// addrOf gives the address of ip:port.
func addrOf(peer string) string {
	if ap, err := netip.ParseAddrPort(peer); err == nil {
		return ap.Addr().Unmap().String()
	}
	return peer
}

func (p *Pairer) request(sp *speaker, l Leg) {
	if l.Fault != "" {
		p.Attempt(attemptOf(&l, Malformed, NoAnswer))
		return
	}
	if l.Kind == Reversal {
		p.giveUpOriginal(&l)
	}
	key := pairKey{l.Peer, l.Terminal, l.MTI, l.STAN}
	if before, ok := p.kept[key]; ok && !before.finished {
		p.giveUp(before, Unanswered) // the terminal sent it again
	}
	if len(p.order) >= maxKept {
		if oldest := p.order[0]; !oldest.finished {
			p.giveUp(oldest, TimedOut) // early, rather than never
		}
		p.forget(1)
	}
	o := &opened{key: key, leg: l}
	p.kept[key] = o
	p.order = append(p.order, o)
	sp.open = append(sp.open, o)
	if l.Kind.Financial() {
		p.byTerm[l.Terminal] = append(p.byTerm[l.Terminal], o)
	}
}

// giveUpOriginal ends the payment that a reversal takes back: the terminal has
// stopped waiting for it, on whichever connection it was sent.
func (p *Pairer) giveUpOriginal(l *Leg) {
	for _, o := range p.byTerm[l.Terminal] {
		if o.leg.STAN == l.STAN {
			p.giveUp(o, Unanswered)
			return
		}
	}
}

func (p *Pairer) answer(sp *speaker, l Leg, named bool) {
	key := pairKey{l.Peer, l.Terminal, l.MTI &^ 0x0010, l.STAN}
	o := p.kept[key]
	if o == nil {
		o = sp.waiting(key, named)
	}
	switch {
	case o == nil && l.Fault != "":
		p.Attempt(attemptOf(&l, Malformed, Unsolicited))
	case o == nil:
		p.Attempt(attemptOf(&l, outcomeOf(&l), Unsolicited))
	case o.givenUp:
		o.givenUp = false // what follows is a duplicate
		p.Attempt(join(&o.leg, &l, Late))
	case o.finished:
		p.Attempt(join(&o.leg, &l, Duplicate))
	default:
		p.finish(o)
		p.Attempt(join(&o.leg, &l, OnTime))
	}
}

// waiting finds the request that an answer belongs to when one of the two lacks
// something, as an echo's request its trace number: the only one of its type that
// waits on the connection and does not say otherwise.
func (sp *speaker) waiting(key pairKey, named bool) *opened {
	var found *opened
	for _, o := range sp.open {
		other := key.stan != 0 && o.key.stan != 0 && o.key.stan != key.stan || named && o.key.terminal != key.terminal
		if o.key.mti != key.mti || other {
			continue
		}
		if found != nil {
			return nil
		}
		found = o
	}
	return found
}

// Event takes a connection event. The end of a connection ends its open attempts.
func (p *Pairer) Event(l Link) {
	p.Sweep(l.At)
	id := p.terminalOf(l.Peer)
	if sp, ok := p.peers[l.Peer]; ok {
		l.Messages = max(l.Messages, sp.spoke)
		if l.Kind.Ends() {
			for len(sp.open) > 0 {
				p.giveUp(sp.open[0], Unanswered)
			}
			delete(p.peers, l.Peer)
		}
	}
	p.Link(id, l)
}

// Sweep ends what has waited too long at time now, and forgets what was
// remembered long enough.
func (p *Pairer) Sweep(now time.Time) {
	for p.due < len(p.order) && now.Sub(p.order[p.due].leg.At) >= p.Timeout {
		if o := p.order[p.due]; !o.finished {
			p.giveUp(o, TimedOut)
		}
		p.due++
	}
	n := 0
	for n < p.due && now.Sub(p.order[n].leg.At) >= remembered {
		n++
	}
	p.forget(n)
}

// forget drops the n oldest attempts from memory.
func (p *Pairer) forget(n int) {
	for _, o := range p.order[:n] {
		if !o.finished {
			p.finish(o)
			p.Dropped++
		}
		if p.kept[o.key] == o {
			delete(p.kept, o.key)
		}
	}
	clear(p.order[:n])
	p.order = p.order[n:]
	p.due = max(0, p.due-n)
}

// Flush ends what is still open when the source of messages has ended. A request
// in the source's last moments says nothing: it is counted as dropped.
func (p *Pairer) Flush(last time.Time) {
	const moment = 5 * time.Second // shorter than any host is given to answer
	for _, o := range p.order {
		switch {
		case o.finished:
		case last.Sub(o.leg.At) < moment:
			p.finish(o)
			p.Dropped++
		default:
			p.giveUp(o, Unanswered)
		}
	}
}

// Open is the number of requests that wait for an answer on the connection of peer.
func (p *Pairer) Open(peer string) int {
	if sp, ok := p.peers[peer]; ok {
		return len(sp.open)
	}
	return 0
}

func (p *Pairer) giveUp(o *opened, out Outcome) {
	p.finish(o)
	o.givenUp = true
	p.Attempt(attemptOf(&o.leg, out, NoAnswer))
}

// finish takes a request off the lists of those that wait.
func (p *Pairer) finish(o *opened) {
	o.finished = true
	if sp, ok := p.peers[o.key.peer]; ok {
		sp.open = without(sp.open, o)
	}
	id := o.leg.Terminal
	if left := without(p.byTerm[id], o); len(left) > 0 {
		p.byTerm[id] = left
	} else {
		delete(p.byTerm, id)
	}
}

// without gives list less o, in the same memory.
func without(list []*opened, o *opened) []*opened {
	if i := slices.Index(list, o); i >= 0 {
		return slices.Delete(list, i, i+1)
	}
	return list
}

// outcomeOf reads the outcome off an answer.
func outcomeOf(l *Leg) Outcome {
	switch {
	case l.Fault != "":
		return Malformed
	case l.Code == "00" || l.Code == "10" || l.Code == "11" || l.Code == "16":
		return Approved
	case l.Code == "" && (l.Balanced == 1 || l.Kind == Settlement && l.Balanced == 0 || l.Kind == Echo):
		return Approved // a settlement answer may carry its result in DE48 alone
	case l.Kind == Reversal && (l.Code == "12" || l.Code == "25"):
		return Approved // the host knows no such payment: nothing is left to reverse
	}
	return Declined
}

// attemptOf makes an attempt of one leg alone.
func attemptOf(l *Leg, out Outcome, t Timing) Attempt {
	a := Attempt{
		At: l.At, Terminal: l.Terminal, Merchant: l.Merchant, Peer: l.Peer, Host: l.Host, Kind: l.Kind, Outcome: out, Timing: t,
		STAN: l.STAN, Amount: l.Amount, Entry: l.Entry, RRN: l.RRN, AuthCode: l.AuthCode, Card: l.Card, CardNo: l.CardNo,
		Issuer: l.Issuer, Function: l.Function, Original: l.Original, Hardware: l.Hardware, Test: l.Test, Fault: l.Fault,
	}
	if l.Direction == ToHost {
		a.Batch, a.Clock, a.Layout, a.Version, a.Reason = l.Batch, l.Clock, l.Layout, l.Version, l.Code
	} else {
		a.HostBatch, a.HostClock, a.Code, a.HostOrder = l.Batch, l.Clock, l.Code, l.HostOrder
		a.Balanced, a.KeyBytes = l.Balanced, l.KeyBytes
	}
	return a
}

// join makes an attempt of a request and its answer.
func join(req, ans *Leg, t Timing) Attempt {
	ans.Kind = req.Kind // a settlement answer is judged by what was asked
	a := attemptOf(req, outcomeOf(ans), t)
	a.Latency = ans.At.Sub(req.At)
	a.Code, a.HostBatch, a.HostClock, a.HostOrder = ans.Code, ans.Batch, ans.Clock, ans.HostOrder
	a.Balanced, a.KeyBytes, a.Fault = ans.Balanced, ans.KeyBytes, ans.Fault
	fill(&a.RRN, ans.RRN)
	fill(&a.AuthCode, ans.AuthCode)
	fill(&a.Card, ans.Card)
	fill(&a.Issuer, ans.Issuer)
	fill(&a.Host, ans.Host)
	fill(&a.Merchant, ans.Merchant)
	if ans.Issuer != "" {
		a.Issuer = ans.Issuer
	}
	if a.CardNo == 0 {
		a.CardNo = ans.CardNo
	}
	if req.Kind == Settlement && ans.Balanced > 1 {
		a.Outcome = Declined // accepted, and not balanced: DE39 alone would hide it
	}
	return a
}

// fill sets an empty text.
func fill[T ~string](to *T, from T) {
	if *to == "" {
		*to = from
	}
}
