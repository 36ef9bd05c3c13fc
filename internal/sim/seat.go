// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/tillmend/tillmend/internal/txn"
)

// seat is one terminal of a fleet with the script that it plays. Its fields belong to
// the goroutine of run, but for those under mu.
type seat struct {
	fleet   *Fleet
	index   int
	plan    Seat
	rand    *rand.Rand
	pos     *Terminal
	twin    *Terminal // another machine under the same number; nil without one
	playing Scenario
	active  bool // the script has begun
	round   int
	since   int // rounds since playing changed
	waited  time.Duration
	mind    *mind

	mu   sync.Mutex
	next Scenario // guarded by mu
}

// mind is what a script needs to remember between rounds.
type mind struct {
	last Record // the last approved sale
	done bool   // what is to happen once has happened
}

const versionBefore, versionAfter = "31311108", "31320001"

// twinSTAN is where the second machine of a clone counts from, so that its numbers do
// not continue the first one's.
const twinSTAN = 500_000

func newSeat(f *Fleet, index int, plan Seat) (*seat, error) {
	s := &seat{
		fleet: f, index: index, plan: plan, playing: plan.Scenario, next: plan.Scenario, mind: new(mind),
		rand: rand.New(rand.NewPCG(f.cfg.Seed, uint64(index))), //nolint:gosec // a play, and it must be repeatable
	}
	var err error
	if s.pos, err = s.machine(index, 0); err != nil {
		return nil, err
	}
	if f.cfg.Host != nil {
		if err = f.cfg.Host.Register(plan.Terminal, plan.Merchant, nil); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// machine makes a machine under the seat's number.
func (s *seat) machine(number int, firstSTAN uint32) (*Terminal, error) {
	cfg := &s.fleet.cfg
	return NewTerminal(TerminalConfig{
		TID: s.plan.Terminal, MID: s.plan.Merchant, Address: cfg.Address, Version: versionBefore, Timeout: cfg.Timeout,
		FirstSTAN: firstSTAN, Now: cfg.Now, Rand: s.rand,
		Dial: func(ctx context.Context, address string) (net.Conn, error) { return cfg.Dial(ctx, number, address) },
	})
}

func (s *seat) want(sc Scenario) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = sc
}

func (s *seat) wanted() Scenario {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.next
}

// run plays until ctx ends or the rounds are done.
func (s *seat) run(ctx context.Context) error {
	for s.fleet.cfg.Rounds == 0 || s.round < s.fleet.cfg.Rounds {
		d := pace(s.rand, s.waited)
		if err := s.fleet.cfg.Wait(ctx, d); err != nil {
			return nil //nolint:nilerr // the context has ended
		}
		s.waited += d
		if err := s.play(ctx); err != nil {
			return fmt.Errorf("sim: fleet: terminal %s: %w", s.plan.Terminal, err)
		}
		s.round++
		s.since++
	}
	return nil
}

// play does one round: trade as usual first, then the script.
func (s *seat) play(ctx context.Context) error {
	if next := s.wanted(); next != s.playing {
		if err := s.change(ctx, next); err != nil {
			return err
		}
	}
	sc := scripts[s.playing]
	if !s.active && s.since >= sc.after {
		s.fleet.cfg.Log.InfoContext(ctx, "scenario begins", "scenario", s.playing.String(), "terminal", s.plan.Terminal)
		s.active = true
		if sc.begin != nil {
			if err := sc.begin(s); err != nil {
				return err
			}
		}
	}
	if s.active && sc.round != nil {
		sc.round(ctx, s)
	} else {
		s.trade(ctx)
	}
	return nil
}

// change mends what the old scenario broke and takes up another.
func (s *seat) change(ctx context.Context, next Scenario) error {
	if s.fleet.cfg.Host != nil {
		s.fleet.cfg.Host.ClearFault(s.faultName())
	}
	s.pos.Habits = Habits{}
	if err := s.pos.LoadMasterKey(TestMasterKey(s.plan.Terminal)); err != nil {
		return err
	}
	if err := s.pos.SetVersion(versionBefore); err != nil {
		return err
	}
	s.pos.mem.SignedIn = "" // whoever mends it signs in again
	s.fleet.cfg.Log.InfoContext(ctx, "scenario ends", "scenario", s.playing.String(), "terminal", s.plan.Terminal)
	s.twin, s.mind = nil, new(mind)
	s.playing, s.active, s.since = next, false, 0
	return nil
}

func (s *seat) faultName() string { return s.playing.String() + " " + s.plan.Terminal }

// note tells the observer of a step.
func (s *seat) note(t *Terminal, r Result) Result {
	number := s.index
	if t == s.twin {
		number = s.twinNumber()
	}
	s.fleet.cfg.Observe(Step{
		Terminal: s.plan.Terminal, Merchant: s.plan.Merchant, Machine: number, Scenario: s.playing, Active: s.active,
		Round: s.round, Result: r,
	})
	return r
}

// twinNumber numbers the second machine of a clone behind all first ones.
func (s *seat) twinNumber() int { return len(s.fleet.seats) + s.index + 1 }

// card picks a card that has money, at an issuer that works.
func (s *seat) card() Card { return Cards[s.rand.IntN(len(Cards))] }

// amount picks an amount between one yuan and three hundred, in fen.
func (s *seat) amount() int64 { return 100 + s.rand.Int64N(299_01) }

// entry picks a way of reading a card.
func (s *seat) entry() Entry { return []Entry{Magstripe, Chip, Contactless}[s.rand.IntN(3)] }

// session finishes a settlement that broke off, and signs in when that is due.
func (s *seat) session(ctx context.Context, t *Terminal) bool {
	if !t.signedIn() && !s.note(t, t.SignIn(ctx)).Approved {
		return false
	}
	if t.mem.Halted && s.note(t, t.Settle(ctx)).Approved {
		return s.note(t, t.SignIn(ctx)).Approved
	}
	return !t.mem.Halted
}

// sale sells something to a card.
func (s *seat) sale(ctx context.Context, t *Terminal, c Card) Result {
	r := s.note(t, t.Sale(ctx, s.amount(), c, s.entry()))
	if slip, ok := t.Slip(r.STAN); ok && r.Approved {
		s.mind.last = slip
	}
	return r
}

// Of a hundred rounds of a shop, how many bring something besides a sale.
const (
	chanceVoid, chanceRefund, chanceHotel, chanceBalance, chanceStatus, chanceSettle = 4, 8, 12, 16, 19, 22
)

// trade is a round of an ordinary day.
func (s *seat) trade(ctx context.Context) {
	t := s.pos
	if !s.session(ctx, t) {
		return
	}
	sold := s.sale(ctx, t, s.card())
	if !sold.Approved || !s.active && s.playing != Healthy {
		return
	}
	switch chance := s.rand.IntN(100); {
	case chance < chanceVoid:
		s.note(t, t.Void(ctx, sold.STAN))
	case chance < chanceRefund:
		s.note(t, t.Refund(ctx, s.mind.last.Amount/2, s.mind.last))
	case chance < chanceHotel:
		s.hotel(ctx, t)
	case chance < chanceBalance:
		s.note(t, t.Balance(ctx, s.card(), Magstripe))
	case chance < chanceStatus:
		s.note(t, t.StatusUpload(ctx))
		s.note(t, t.Echo(ctx))
	case chance < chanceSettle || len(t.mem.Journal) > t.cfg.JournalLimit/2:
		s.note(t, t.Settle(ctx))
		s.note(t, t.SignOff(ctx))
	}
}

// hotel sets money aside and takes less of it.
func (s *seat) hotel(ctx context.Context, t *Terminal) {
	r := s.note(t, t.PreAuth(ctx, s.amount(), s.card(), Chip))
	slip, ok := t.Slip(r.STAN)
	if !ok || slip.Kind != txn.PreAuth {
		return
	}
	if s.rand.IntN(2) == 0 {
		s.note(t, t.PreAuthVoid(ctx, slip))
		return
	}
	s.note(t, t.Completion(ctx, slip.Amount*9/10, slip))
}
