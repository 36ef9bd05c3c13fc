// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"hash/fnv"
	"math"
	"time"

	"github.com/tillmend/tillmend/internal/txn"
)

// Apply takes the next event of the terminal. Events come in the order of their
// ids; the state is a function of their sequence alone.
func (s *State) Apply(e *Event) {
	at := e.At()
	if s.First == 0 {
		s.First = At(at)
	}
	s.keepRhythm(at)
	_, zone := at.Zone()
	s.Zone = int32(zone) //nolint:gosec // zones are within a day of seconds
	s.Last = max(s.Last, At(at))
	s.Served = e.ID
	switch {
	case e.Attempt != nil:
		s.attempt(e.ID, e.Attempt)
	case e.Link != nil:
		s.line(e.ID, e.Link)
	}
}

func (s *State) attempt(id EventID, a *txn.Attempt) {
	now := At(a.At.Add(a.Latency))
	if a.Merchant != "" {
		s.Merchant = [15]byte{}
		copy(s.Merchant[:], a.Merchant)
	}
	s.Line.Up, s.Line.Failures = true, 0
	x := exchangeOf(id, now, a)
	if a.Timing != txn.OnTime && a.Timing != txn.NoAnswer {
		x.Mark |= SecondAnswer // it changes nothing: the attempt has been counted
		s.push(x)
		return
	}
	s.Test = a.Test
	s.Request = max(s.Request, At(a.At))
	device := s.device(a)
	x.Mark |= s.marks(a, device)
	s.wish(id, now, a)
	switch {
	case a.Kind.Financial():
		s.payment(now, a)
	case a.Kind == txn.Reversal:
		s.reversal(id, now, a)
	default:
		if idle(a.Kind) {
			s.chore(now)
		}
		s.manage(id, now, a, device, &x)
	}
	if a.STAN != 0 && a.Kind != txn.Reversal {
		s.STAN = a.STAN
	}
	s.push(x)
}

// idle reports whether a request of this kind says that the terminal could work and
// has nothing to sell. The end of the day is work, and so is an offline sale.
func idle(k txn.Kind) bool {
	return k == txn.SignIn || k == txn.Echo || k == txn.StatusUpload || k == txn.Download || k == txn.KindUnknown
}

func exchangeOf(id EventID, now Millis, a *txn.Attempt) Exchange {
	x := Exchange{
		At: now, Event: id, STAN: a.STAN, Issuer: issuerNumber(a.Issuer), Card: a.CardNo, Kind: a.Kind, Outcome: a.Outcome,
		Amount:  uint32(min(max(a.Amount, 0), math.MaxUint32)),
		Latency: uint16(min(a.Latency/(10*time.Millisecond), math.MaxUint16)),
	}
	copy(x.Code[:], a.Code)
	return x
}

// issuerNumber folds an issuer's code (its first eight digits) or the first six
// digits of a card number into a number; 0 if it is neither.
func issuerNumber(issuer string) uint32 {
	var n uint32
	for i := range min(len(issuer), 8) {
		c := issuer[i]
		if c < '0' || c > '9' {
			break
		}
		n = n*10 + uint32(c-'0')
	}
	return n
}

func (s *State) push(x Exchange) {
	s.Ring[s.Next] = x
	s.Next = (s.Next + 1) % Recent
	s.Count = min(s.Count+1, Recent)
}

// marks tells what is remarkable about a request, before it changes the state.
func (s *State) marks(a *txn.Attempt, device uint8) Mark {
	var m Mark
	add := func(is bool, mark Mark) {
		if is {
			m |= mark
		}
	}
	add(a.HostOrder != 0, HostAsked)
	add(s.clockDiffers(a), ClockDiffers)
	if a.Kind == txn.Reversal {
		add(a.Reason == "98", NoAnswerReason)
		add(a.Reason == "A0", BadMACReason)
		add(a.Reason == "98" && s.wasForwarded(a), WasForwarded)
		return m
	}
	add(s.Session.Device != device && s.Session.State == SessionOpen && a.Kind != txn.SignIn, OtherDevice)
	if a.Kind == txn.SignOff {
		add(s.unsigned(a.At), NotSignedIn)
	}
	if !a.Kind.Financial() {
		return m
	}
	add(a.Batch != 0 && s.Session.Batch != 0 && a.Batch != s.Session.Batch, BatchDiffers)
	add(s.unsigned(a.At), NotSignedIn)
	add(s.Session.Fresh, FirstAfter)
	add(s.stanReused(a.STAN), STANReused)
	add(s.Layout != 0 && (fold(a.Layout) != s.Layout || fold(a.Version) != s.Version), LayoutChanged)
	return m
}

// unsigned reports whether the terminal is known to have no session: it signed
// off, never signed in since it was first seen on an earlier day, or its sign-in
// is of another day.
func (s *State) unsigned(at time.Time) bool {
	switch s.Session.State {
	case SessionClosed:
		return true
	case SessionOpen:
		return s.Session.Day != dayOf(at)
	case SessionUnknown:
		return s.Approved == 0 && s.First != 0 && At(at)-s.First > Millis(24*time.Hour/time.Millisecond)
	}
	return false
}

// dayOf gives month and day as MMDD in the time's own zone.
func dayOf(t time.Time) uint16 {
	return uint16(int(t.Month())*100 + t.Day()) //nolint:gosec // at most 1231
}

// wasForwarded reports whether the payment that a reversal takes back had been
// answered before, and soon enough that the terminal was still waiting.
func (s *State) wasForwarded(a *txn.Attempt) bool {
	const prompt = 3000 // units of 10 ms: half of the minute that terminals wait
	for i := range s.Ring[:s.Count] {
		x := &s.Ring[i]
		answered := x.Outcome == txn.Approved || x.Outcome == txn.Declined
		if x.STAN == a.STAN && x.Kind.Financial() && answered && !x.Has(SecondAnswer) && x.Latency < prompt && x.At <= At(a.At) {
			return true
		}
	}
	return false
}

// stanReused reports whether a payment's trace number was used before, or lies
// behind the last one. A counter that wraps from 999999 to 1 is no reuse.
func (s *State) stanReused(stan uint32) bool {
	const wrap = 900_000
	return stan != 0 && s.STAN != 0 && stan <= s.STAN && s.STAN-stan < wrap
}

// clockDiffers compares the terminal's clock with the host's, when both said it.
func (s *State) clockDiffers(a *txn.Attempt) bool {
	const layout = "0102150405"
	own, err := time.Parse(layout, a.Clock)
	if err != nil {
		return false
	}
	host, err := time.Parse(layout, a.HostClock)
	if err != nil {
		return false
	}
	off := own.Sub(host).Minutes()
	const year = 366 * 24 * 60
	if off > year/2 {
		off -= year
	} else if off < -year/2 {
		off += year
	}
	s.ClockOff = int16(min(max(off, math.MinInt16), math.MaxInt16))
	return s.ClockIsOff()
}

// ClockIsOff reports whether the terminal's clock was too far from the host's when
// both were last seen.
func (s *State) ClockIsOff() bool {
	const tolerance = 10 // minutes: hosts take no offence at less
	return s.ClockOff > tolerance || s.ClockOff < -tolerance
}

func (s *State) payment(now Millis, a *txn.Attempt) {
	s.Payments++
	s.Payment = now
	s.Chores, s.ChoresSince = 0, 0
	if s.Session.Fresh {
		if a.Code == "A0" {
			s.Session.BadMAC = up(s.Session.BadMAC)
		} else if a.Outcome == txn.Approved || a.Outcome == txn.Declined {
			s.Session.BadMAC = 0
		}
	}
	s.Session.Fresh = false
	switch {
	case a.Outcome == txn.Approved && a.Kind == txn.Balance: // the host answers, and no money was taken
		return
	case a.Outcome == txn.Approved:
		s.sold(now, a)
		return
	case At(a.At) < s.Approval: // an old try that ends late: a newer one went well
		return
	}
	if s.Failing == 0 {
		s.Failing = now
	}
	s.Failed = up(s.Failed)
}

// sold takes an approved payment, and all that it proves: the session holds, and
// whatever a terminal must finish before it sells is finished, or was cleared.
func (s *State) sold(now Millis, a *txn.Attempt) {
	s.Approved++
	s.Approval = now
	s.Failing, s.Failed = 0, 0
	s.Layout, s.Version = fold(a.Layout), fold(a.Version)
	s.Journal = up(s.Journal)
	s.Session.Refused = 0
	if s.Session.State == SessionOpen {
		s.Session.Day = dayOf(a.At)
	}
	if s.Reversal.Since < At(a.At) {
		s.Reversal.Open = false
	}
	if p := s.Closing.Phase; p != Settled && s.Closing.At < At(a.At) {
		s.Closing.Phase = NeverSettled
	}
}

func (s *State) chore(now Millis) {
	if s.Chores == 0 {
		s.ChoresSince = now
	}
	s.Chores = up(s.Chores)
}

func (s *State) reversal(id EventID, now Millis, a *txn.Attempt) {
	r := &s.Reversal
	if a.Outcome != txn.Approved && r.STAN == a.STAN && !r.Open && At(a.At) < r.Last {
		return // an old try that ends late: a newer one was taken
	}
	if !r.Open || r.STAN != a.STAN {
		*r = Undone{Since: now, Event: id, STAN: a.STAN, Open: true}
	}
	r.Last = now
	r.Tries = up(r.Tries)
	r.Open = a.Outcome != txn.Approved
}

func (s *State) manage(id EventID, now Millis, a *txn.Attempt, device uint8, x *Exchange) {
	ok := a.Outcome == txn.Approved
	switch a.Kind {
	case txn.SignIn:
		s.signIn(id, now, a, device, x)
	case txn.SignOff:
		if ok {
			s.Session.State = SessionClosed
		}
	case txn.Settlement:
		s.settle(id, now, a, x)
	case txn.BatchUpload:
		if s.Closing.Phase == Unbalanced || s.Closing.Phase == Asked {
			s.Closing.Phase = Uploading
		}
	case txn.BatchEnd:
		if ok {
			s.Closing = Closing{At: now, Event: id, Phase: Settled}
			s.Journal = 0
		}
	case txn.StatusUpload:
		if a.Hardware.Known != 0 {
			s.Hardware, s.HardAt, s.HardID = a.Hardware, now, id
		}
	case txn.KindUnknown, txn.Echo, txn.Download, txn.Offline, txn.Balance, txn.Sale, txn.Void, txn.Refund, txn.PreAuth,
		txn.PreAuthVoid, txn.Completion, txn.CompletionVoid, txn.Reversal:
	}
}

func (s *State) signIn(id EventID, now Millis, a *txn.Attempt, device uint8, x *Exchange) {
	n := &s.Session
	if a.Outcome != txn.Approved {
		if At(a.At) >= n.At { // else an old try that ends late
			n.Refused = up(n.Refused)
		}
		return
	}
	if n.State == SessionOpen && n.Device != device {
		x.Mark |= SignInElsewhere
	}
	batch := a.HostBatch
	if batch == 0 {
		batch = a.Batch
	}
	if batch != n.Batch {
		n.Before = n.Batch
		s.Journal = 0
		s.Closing = Closing{}
	}
	*n = Session{
		At: now, Event: id, Batch: batch, Before: n.Before, Day: dayOf(a.At), State: SessionOpen, Fresh: true,
		BadMAC: n.BadMAC, KeyBytes: uint8(min(a.KeyBytes, math.MaxUint8)), Succeeded: up(n.Succeeded), Device: device,
	}
}

func (s *State) settle(id EventID, now Millis, a *txn.Attempt, x *Exchange) {
	s.Closing = Closing{At: now, Event: id, Phase: Asked}
	switch {
	case a.Outcome == txn.Approved:
		x.Mark |= SettlementEqual
		s.Closing.Phase = Settled
		s.Journal = 0
	case a.Balanced > 1 || a.Code == "95" || a.Code == "79":
		s.Closing.Phase = Unbalanced
	}
}

// wish follows what the host asks for in the header of its answers.
func (s *State) wish(id EventID, now Millis, a *txn.Attempt) {
	w := &s.Wish
	if w.Order != 0 {
		if complies(w.Order, a) {
			*w = Wish{}
		} else {
			w.Ignored = up(w.Ignored)
		}
	}
	if a.Outcome != txn.Approved && a.Outcome != txn.Declined {
		return
	}
	switch {
	case a.HostOrder == 0:
		*w = Wish{}
	case a.HostOrder != w.Order:
		*w = Wish{Since: now, Event: id, Order: a.HostOrder}
	}
}

// complies reports whether an attempt does what the host asked for: 1 parameters,
// 2 status, 3 sign-in, 4 CA keys, 5 IC parameters, 6 software.
func complies(order uint8, a *txn.Attempt) bool {
	switch order {
	case 2:
		return a.Kind == txn.StatusUpload
	case 3:
		return a.Kind == txn.SignIn
	}
	return a.Kind == txn.Download
}

// line follows the terminal's connections. They overlap at their ends, so each is
// judged by what it brought, not by what came last.
func (s *State) line(id EventID, l *txn.Link) {
	n := &s.Line
	now := At(l.At)
	before := n.Last
	n.Last, n.Event = l.Kind, id
	switch {
	case l.Kind == txn.LinkOverloaded: // the gateway's own limit is no fault of the terminal's
		return
	case l.Kind == txn.LinkOpen:
		n.Up, n.Since = true, now
		return
	case l.Kind == txn.LinkEOF:
		return
	case l.Kind != txn.LinkTLSAlert && l.Kind != txn.LinkHostTLSAlert:
		n.Up, n.Since = false, now
	}
	alerted := before == txn.LinkTLSAlert || before == txn.LinkHostTLSAlert
	if l.Messages == 0 && !l.Opaque && (!alerted || l.Kind != txn.LinkClose) { // an alert has been counted
		n.fail(l.Kind, now)
	}
}

// fail counts a connection that ended or broke before it brought a message.
func (n *Line) fail(kind txn.LinkKind, now Millis) {
	if n.Failures == 0 {
		n.FailedAt = now
	}
	n.Failures = up(n.Failures)
	n.Kind = kind
}

// up counts without ever wrapping.
func up[T uint8 | uint16](n T) T {
	if n+1 == 0 {
		return n
	}
	return n + 1
}

// fold turns a text into a number that differs where texts do.
func fold(text string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(text))
	return h.Sum64() | 1 // never the zero that stands for unknown
}
