// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"
)

// Defaults of a fleet.
const (
	// DefaultTerminals leaves a third of the fleet in good order beside all scenarios.
	DefaultTerminals = 32
	// DefaultShops is how many merchants share the terminals that need no shop of their own.
	DefaultShops = 6
	// DefaultFleetTimeout is short, so that a missing answer is seen soon.
	DefaultFleetTimeout = 10 * time.Second
	// maxMachines bounds a fleet: each machine is a goroutine's work and a connection.
	maxMachines = 5_000
)

// Pace of a fleet. Each wait is between half and one and a half of these.
const (
	rush       = time.Minute             // as long as this, things go fast
	rushPace   = 1500 * time.Millisecond // between two steps of a terminal then
	steadyPace = 25 * time.Second        // and afterwards
)

// FleetConfig is what a fleet is told.
type FleetConfig struct {
	// Address is the host:port to connect to: a gateway or a host. Required.
	Address string
	// Host plays along in scenarios that need it. Nil: only the others are possible.
	Host *Host
	// Terminals and Shops are how many there are; zero: the defaults. Scenarios that hit
	// a merchant have shops of their own.
	Terminals, Shops int
	// Scenarios are those to play, as far as there are terminals; the rest trades. Nil:
	// all that are possible.
	Scenarios []Scenario
	// Seed makes a run repeatable.
	Seed uint64
	// Rounds is how many rounds each terminal does; zero: until the context ends.
	Rounds int
	// Timeout is how long a terminal waits for an answer; zero: DefaultFleetTimeout.
	Timeout time.Duration
	// Now is the clock of all terminals; nil: the system's.
	Now func() time.Time
	// Wait passes the time between steps; nil: for real.
	Wait func(ctx context.Context, d time.Duration) error
	// Dial connects for one machine; nil: plainly by TCP, and from an address of its own
	// (127.83.x.x) where the far end is this computer and that is possible.
	Dial func(ctx context.Context, machine int, address string) (net.Conn, error)
	// Observe is told of every step, from many goroutines; nil: nobody is.
	Observe func(Step)
	// Log is told when a scenario begins and ends; nil: nobody.
	Log *slog.Logger
}

// Step is one thing that a terminal of a fleet did.
type Step struct {
	Terminal, Merchant string
	Machine            int // number of the machine in the fleet
	Scenario           Scenario
	Active             bool // the scenario has begun
	Round              int
	Result             Result
}

// Seat is one terminal of a fleet.
type Seat struct {
	Terminal, Merchant string
	Scenario           Scenario
}

// Fleet is some terminals that play scenarios.
type Fleet struct {
	cfg   FleetConfig
	seats []*seat
}

// Run makes a fleet and runs it until ctx ends or its rounds are done.
func Run(ctx context.Context, cfg FleetConfig) error {
	f, err := NewFleet(cfg)
	if err != nil {
		return err
	}
	return f.Run(ctx)
}

// NewFleet sets a fleet up and registers its terminals with the host, if there is one.
func NewFleet(cfg FleetConfig) (*Fleet, error) {
	cfg.defaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	f := &Fleet{cfg: cfg}
	for i, p := range cfg.plan() {
		s, err := newSeat(f, i, p)
		if err != nil {
			return nil, err
		}
		f.seats = append(f.seats, s)
	}
	return f, nil
}

func (c *FleetConfig) defaults() {
	if c.Terminals == 0 {
		c.Terminals = DefaultTerminals
	}
	if c.Shops == 0 {
		c.Shops = DefaultShops
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultFleetTimeout
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Wait == nil {
		c.Wait = Wait
	}
	if c.Dial == nil {
		c.Dial = dialLocal
	}
	if c.Observe == nil {
		c.Observe = func(Step) {}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Scenarios == nil {
		for _, info := range Scenarios[1:] {
			if !info.Host || c.Host != nil {
				c.Scenarios = append(c.Scenarios, info.Scenario)
			}
		}
	}
}

func (c *FleetConfig) validate() error {
	var errs []error
	if c.Address == "" {
		errs = append(errs, errors.New("sim: fleet: Address: empty, expected host:port"))
	}
	if c.Terminals < 1 || c.Terminals > maxMachines {
		errs = append(errs, fmt.Errorf("sim: fleet: Terminals: got %d, expected 1 to %d", c.Terminals, maxMachines))
	}
	if c.Shops < 1 || c.Shops > maxMachines {
		errs = append(errs, fmt.Errorf("sim: fleet: Shops: got %d, expected 1 to %d", c.Shops, maxMachines))
	}
	for _, s := range c.Scenarios {
		if s.Info().Host && c.Host == nil {
			errs = append(errs, fmt.Errorf("sim: fleet: Scenarios: %s needs the simulated host to play along", s))
		}
	}
	return errors.Join(errs...)
}

// plan assigns scenarios and shops to terminals, as far as the terminals reach.
func (c *FleetConfig) plan() []Seat {
	var seats []Seat
	shop := c.Shops // shops of their own come after the shared ones
	for _, s := range c.Scenarios {
		info := s.Info()
		for range info.Terminals {
			if len(seats) == c.Terminals {
				return seats
			}
			mid := merchantID(len(seats) % c.Shops)
			if info.Shop {
				mid = merchantID(shop)
				shop++
			}
			seats = append(seats, Seat{terminalID(len(seats)), mid, s})
		}
	}
	for len(seats) < c.Terminals {
		seats = append(seats, Seat{terminalID(len(seats)), merchantID(len(seats) % c.Shops), Healthy})
	}
	return seats
}

// terminalID numbers terminals as the test messages in use do: T0000001.
func terminalID(i int) string { return fmt.Sprintf("T%07d", i+1) }

// merchantID gives a merchant number: acquirer 898, city 0000, trade 0000, number.
func merchantID(i int) string { return fmt.Sprintf("898%012d", i+1) }

// Seats lists the terminals and what they play now.
func (f *Fleet) Seats() []Seat {
	list := make([]Seat, len(f.seats))
	for i, s := range f.seats {
		list[i] = Seat{s.plan.Terminal, s.plan.Merchant, s.wanted()}
	}
	return list
}

var errNoSeat = errors.New("sim: fleet: no such terminal")

// Play makes a terminal play another scenario from its next round on: a fault, or
// [Healthy] to mend what is broken. Faults that hit the merchant hit its other
// terminals too.
func (f *Fleet) Play(terminal string, s Scenario) error {
	i := slices.IndexFunc(f.seats, func(s *seat) bool { return s.plan.Terminal == terminal })
	if i < 0 {
		return fmt.Errorf("%w: %q", errNoSeat, terminal)
	}
	if s.Info().Host && f.cfg.Host == nil {
		return fmt.Errorf("sim: fleet: %s needs the simulated host to play along", s)
	}
	f.seats[i].want(s)
	return nil
}

// Run drives the terminals until ctx ends or their rounds are done. It returns nil
// in both cases, and else what went wrong in the fleet itself; what goes wrong
// with payments is what it is there for.
func (f *Fleet) Run(ctx context.Context) error {
	var running sync.WaitGroup
	errs := make([]error, len(f.seats))
	for i, s := range f.seats {
		running.Go(func() { errs[i] = s.run(ctx) })
	}
	running.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return errors.Join(errs...)
}

// pace gives the wait before the next step, given how long has been waited already.
func pace(random *rand.Rand, waited time.Duration) time.Duration {
	mean := steadyPace
	if waited < rush {
		mean = rushPace
	}
	return mean/2 + time.Duration(random.Int64N(int64(mean)))
}

// dialLocal connects from an address of the machine's own when the far end is on the
// loopback network, so that machines can be told apart as they are in the field. Where
// the system has only one loopback address, it connects plainly.
func dialLocal(ctx context.Context, machine int, address string) (net.Conn, error) {
	var d net.Dialer
	if host, _, err := net.SplitHostPort(address); err == nil && net.ParseIP(host).IsLoopback() && net.ParseIP(host).To4() != nil {
		d.LocalAddr = &net.TCPAddr{IP: net.IPv4(127, 83, byte(machine>>8), byte(machine))} //nolint:gosec // at most maxMachines
		if c, err := d.DialContext(ctx, "tcp", address); err == nil {
			return c, nil
		}
		d.LocalAddr = nil
	}
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("sim: dial: %w", err)
	}
	return c, nil
}
