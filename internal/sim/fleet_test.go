// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tillmend/tillmend/internal/txn"
)

// steps collects what a fleet did, by machine.
type steps struct {
	mu   sync.Mutex
	list map[int][]Step
}

func (s *steps) add(step Step) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list[step.Machine] = append(s.list[step.Machine], step)
}

// of gives the steps of all machines that played a scenario once it had begun.
func (s *steps) of(sc Scenario) (list []Step) {
	for _, steps := range s.list {
		for _, step := range steps {
			if step.Scenario == sc && step.Active {
				list = append(list, step)
			}
		}
	}
	return list
}

func (s *steps) count(sc Scenario, test func(Result) bool) (n int) {
	for _, step := range s.of(sc) {
		if test(step.Result) {
			n++
		}
	}
	return n
}

func atOnce(ctx context.Context, _ time.Duration) error { return ctx.Err() }

// newTestFleet makes a fleet that does not wait, at a host of its own.
func newTestFleet(t *testing.T, seed uint64, change func(*FleetConfig)) (*Fleet, *steps) {
	t.Helper()
	clock := newClock()
	h := startHost(t, HostConfig{Seed: seed, Now: clock.Now})
	seen := &steps{list: map[int][]Step{}}
	cfg := FleetConfig{
		Address: h.Addr().String(), Host: h, Seed: seed, Rounds: 12, Now: clock.Now, Wait: atOnce, Observe: seen.add,
	}
	if change != nil {
		change(&cfg)
	}
	f, err := NewFleet(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return f, seen
}

// code counts answers with a response code.
func code(want string) func(Result) bool { return func(r Result) bool { return r.Code == want } }

func kindCode(kind txn.Kind, want string) func(Result) bool {
	return func(r Result) bool { return r.Kind == kind && r.Code == want }
}

// signs are what must be seen of each scenario once it has begun: at least so many.
var signs = map[Scenario]func(Result) bool{
	Healthy:               func(r Result) bool { return r.Approved },
	MerchantNotRegistered: kindCode(txn.SignIn, "03"),
	TerminalNotRegistered: kindCode(txn.SignIn, "97"),
	MerchantFrozen:        kindCode(txn.Sale, "03"),
	CardWithoutFunds:      func(r Result) bool { return r.Card == CardEmpty && r.Code == "51" },
	WrongMasterKey:        kindCode(txn.Sale, "A0"),
	PINPadBroken:          func(r Result) bool { return r.Kind == txn.StatusUpload && r.Approved },
	ClonedTerminal:        code("A0"),
	VersionChanged:        kindCode(txn.Sale, "30"),
	ParametersStale:       kindCode(txn.Sale, "78"),
	SilentConnection:      func(r Result) bool { return r.Err != nil && r.Code == "" },
	AnswersLost:           func(r Result) bool { return r.Kind == txn.Sale && r.Err != nil },
	IssuerDown:            func(r Result) bool { return r.Card == CardSick && r.Code == "91" },
	KeyRecordMissing:      kindCode(txn.SignIn, "96"),
	NotSignedIn:           kindCode(txn.Sale, "77"),
	BatchMismatch:         kindCode(txn.Sale, "77"),
	WrongOriginal:         kindCode(txn.Void, "25"),
	StuckReversal:         func(r Result) bool { return r.Refused == RefusedReversal && r.Tries == reversalTries },
	UnbalancedSettlement:  func(r Result) bool { return r.Balanced == 2 || r.Refused == RefusedHalted },
	FeeRejected:           kindCode(txn.Sale, "23"),
	MerchantLimit:         kindCode(txn.Sale, "61"),
}

func TestFleetPlaysEveryScenario(t *testing.T) {
	f, seen := newTestFleet(t, 1, nil)
	if err := f.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, info := range Scenarios {
		const enough = 5
		if n := seen.count(info.Scenario, signs[info.Scenario]); n < enough {
			t.Errorf("%s: %d signs, wanted %d of %v", info.Name, n, enough, summary(seen.of(info.Scenario)))
		}
		sold := func(r Result) bool { return r.Kind == txn.Sale && r.Approved }
		if n := seen.count(info.Scenario, sold); info.Works != (n > 0) && !slices.Contains(halfWorking, info.Scenario) {
			t.Errorf("%s: %d sales, and it is said to work: %t", info.Name, n, info.Works)
		}
	}
}

// halfWorking are scenarios in which some payments go through, though the terminal is not in order.
var halfWorking = []Scenario{ClonedTerminal, IssuerDown}

func summary(list []Step) (text []string) {
	for _, s := range list {
		text = append(text, fmt.Sprintf("%s %s %q %s %v", s.Result.Kind, s.Result.Code, s.Result.Refused, s.Result.Card, s.Result.Err))
	}
	return text
}

// Nothing that a fleet tells holds a card number.
func TestStepsHoldNoCardNumber(t *testing.T) {
	f, seen := newTestFleet(t, 2, func(c *FleetConfig) { c.Rounds = 6 })
	if err := f.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	var told strings.Builder
	for _, list := range seen.list {
		fmt.Fprintf(&told, "%+v", list)
	}
	for _, s := range f.seats {
		fmt.Fprintf(&told, "%+v %v", s.pos.Memory(), s.pos.Memory().Journal)
	}
	for _, d := range cardTable {
		if d.pan != "" && strings.Contains(told.String(), d.pan) {
			t.Errorf("the number of card %s is told", cardOf(d.pan))
		}
	}
}

func TestFleetRepeatsItself(t *testing.T) {
	run := func(seed uint64) map[int][]string {
		f, seen := newTestFleet(t, seed, nil)
		if err := f.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		all := map[int][]string{}
		for machine, list := range seen.list {
			for _, s := range list {
				r := s.Result
				all[machine] = append(all[machine], fmt.Sprint(r.Kind, r.STAN, r.Amount, r.Card, r.Code, r.Approved, r.RRN, r.AuthCode, r.Refused))
			}
		}
		return all
	}
	first := run(42)
	if diff := cmp.Diff(first, run(42)); diff != "" {
		t.Errorf("the same seed gives something else:\n%s", diff)
	}
	if cmp.Equal(first, run(43)) {
		t.Error("another seed gives the same")
	}
}

// Whatever is broken can be mended while the fleet runs, and the terminal sells again.
func TestFleetMends(t *testing.T) {
	var f *Fleet
	const mendAt, rounds = 12, 24
	var mu sync.Mutex
	sold := map[string]int{}
	f, _ = newTestFleet(t, 5, func(c *FleetConfig) {
		c.Rounds = rounds
		c.Observe = func(s Step) {
			if s.Round >= mendAt && s.Scenario != Healthy {
				if err := f.Play(s.Terminal, Healthy); err != nil {
					t.Error(err)
				}
			}
			// A step after mendAt may still be of the old scenario, and three terminals share one fault.
			if s.Round > mendAt+6 && s.Result.Kind == txn.Sale && s.Result.Approved {
				mu.Lock()
				defer mu.Unlock()
				sold[s.Terminal]++
			}
		}
	})
	broken := f.Seats()
	if err := f.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, seat := range f.Seats() {
		if seat.Scenario != Healthy || sold[seat.Terminal] == 0 {
			t.Errorf("%s played %s, plays %s and sold %d times since", seat.Terminal, broken[i].Scenario, seat.Scenario, sold[seat.Terminal])
		}
	}
	if n := len(f.cfg.Host.Faults()); n != 0 {
		t.Errorf("%d faults are left at the host", n)
	}
	if err := f.Play("nobody", Healthy); err == nil {
		t.Error("a terminal that is not there plays")
	}
}

func TestFleetPlan(t *testing.T) {
	f, _ := newTestFleet(t, 1, func(c *FleetConfig) { c.Terminals, c.Shops = 24, 4 })
	merchants, tids := map[string][]Scenario{}, map[string]bool{}
	for _, s := range f.Seats() {
		merchants[s.Merchant] = append(merchants[s.Merchant], s.Scenario)
		tids[s.Terminal] = true
	}
	if len(tids) != 24 || len(merchants) != 8 {
		t.Errorf("%d terminals in %d shops, wanted 24 in 8", len(tids), len(merchants))
	}
	for mid, played := range merchants {
		if slices.ContainsFunc(played, func(s Scenario) bool { return s.Info().Shop }) && len(played) > 1 {
			t.Errorf("merchant %s: %v share a shop", mid, played)
		}
	}
}

func TestFleetNeedsAHostForSome(t *testing.T) {
	_, err := NewFleet(FleetConfig{Address: "127.0.0.1:1", Scenarios: []Scenario{IssuerDown}})
	if err == nil {
		t.Error("a fleet plays a host's fault without a host")
	}
	f, err := NewFleet(FleetConfig{Address: "127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range f.Seats() {
		if s.Scenario.Info().Host {
			t.Errorf("%s is planned without a host", s.Scenario)
		}
	}
	if err := f.Play(f.Seats()[0].Terminal, MerchantFrozen); err == nil {
		t.Error("a host's fault can be played without a host")
	}
	_, err = NewFleet(FleetConfig{Terminals: -1, Shops: -1})
	if err == nil {
		t.Error("a fleet of less than no terminals")
	}
}

func TestFleetStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var once sync.Once
	f, _ := newTestFleet(t, 1, func(c *FleetConfig) {
		c.Rounds = 0
		c.Observe = func(s Step) {
			if s.Round == 3 {
				once.Do(cancel)
			}
		}
	})
	if err := f.Run(ctx); err != nil {
		t.Error(err)
	}
}

func TestPaceIsFastThenSteady(t *testing.T) {
	f, _ := newTestFleet(t, 9, nil)
	r := f.seats[0].rand
	for range 100 {
		if d := pace(r, 0); d < rushPace/2 || d >= rushPace*3/2 {
			t.Fatalf("wait of %s in the rush", d)
		}
		if d := pace(r, rush); d < steadyPace/2 || d >= steadyPace*3/2 {
			t.Fatalf("wait of %s afterwards", d)
		}
	}
}

func TestMachinesHaveAddressesOfTheirOwn(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }() // nothing waits for it
	if probe, err := net.Listen("tcp", "127.83.0.1:0"); err != nil {
		t.Skip("this system has one loopback address only")
	} else if err := probe.Close(); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for machine := range 3 {
		c, err := dialLocal(t.Context(), machine+300, l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		host, _, err := net.SplitHostPort(c.LocalAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		seen[host] = true
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if len(seen) != 3 {
		t.Errorf("machines speak from %v", seen)
	}
}

func TestScenarioTable(t *testing.T) {
	causes := map[string]bool{}
	for i, info := range Scenarios {
		if info.Scenario != Scenario(i) || info.Zh == "" || info.En == "" || info.Terminals < 1 {
			t.Errorf("row %d: %+v", i, info)
		}
		if _, ok := scripts[info.Scenario]; !ok || signs[info.Scenario] == nil {
			t.Errorf("%s has no script or no signs", info.Name)
		}
		if causes[info.Cause] || (info.Cause == "") != (info.Scenario == Healthy) {
			t.Errorf("%s: cause %q", info.Name, info.Cause)
		}
		causes[info.Cause] = true
	}
}

func TestScenarioNames(t *testing.T) {
	for _, info := range Scenarios {
		var back Scenario
		if text, err := info.Scenario.MarshalText(); err != nil || back.UnmarshalText(text) != nil || back != info.Scenario {
			t.Errorf("%s does not come back from its text", info.Name)
		}
	}
	if _, ok := ParseScenario("no such"); ok || Scenario(99).String() != "scenario-99" || new(Scenario).UnmarshalText([]byte("x")) == nil {
		t.Error("a scenario that is none is taken")
	}
}

func TestEveryFacetHasAScenario(t *testing.T) {
	for _, facet := range []string{
		FacetIdentity, FacetAccount, FacetDevice, FacetSoftware, FacetNetwork, FacetService, FacetOperation, FacetFees,
	} {
		if !slices.ContainsFunc(Scenarios, func(i ScenarioInfo) bool { return i.Facet == facet }) {
			t.Errorf("no scenario for facet %s", facet)
		}
	}
}
