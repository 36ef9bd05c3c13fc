// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"github.com/tillmend/tillmend/internal/sim"
)

// DemoConfig is what a demo is told.
type DemoConfig struct {
	Listen string // address of the pages
	Seed   uint64 // makes a run repeatable
	Data   string // where the journal is kept; empty: a temporary folder, removed at the end
	Log    *slog.Logger
	// Scenarios are the faults to play; nil: all.
	Scenarios []sim.Scenario
	// Wait passes the time between the fleet's steps; nil: for real.
	Wait func(ctx context.Context, d time.Duration) error
}

// demoListener is the name of the demo's port for terminals.
const demoListener = "demo"

// demoSurvey is how often a demo looks at all terminals together: often enough
// for somebody who watches.
const demoSurvey = 2 * time.Second

// Demo is everything in one process: a simulated host and fleet, and between them
// the real service.
type Demo struct {
	*App
	host  *sim.Host
	fleet *sim.Fleet
	temp  string // to be removed
	log   *slog.Logger
}

// NewDemo binds everything on the loopback address.
func NewDemo(c DemoConfig) (_ *Demo, err error) {
	d := &Demo{log: c.Log}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.clean())
		}
	}()
	if c.Data == "" {
		if d.temp, err = os.MkdirTemp("", "tillmend-demo-"); err != nil {
			return nil, fmt.Errorf("demo: %w", err)
		}
		c.Data = d.temp
	}
	d.host = sim.NewHost(sim.HostConfig{Seed: c.Seed, Log: c.Log})
	if err := d.host.Listen(); err != nil {
		return nil, err
	}
	cfg := &Config{
		Data: c.Data, Console: ConsoleConfig{Listen: c.Listen}, Engine: EngineConfig{SurveyInterval: demoSurvey},
		Gateway: GatewayConfig{
			Listeners: []ListenerConfig{{
				Name: demoListener, Listen: "127.0.0.1:0", Hosts: []HostConfig{{Name: "simulated host", Address: d.host.Addr().String()}},
			}},
			// Nobody's money hangs on a demo: it may stop at once.
			DrainTimeout: time.Second,
		},
	}
	cfg.setDefaults()
	if err := cfg.validate(); err != nil {
		return nil, errors.Join(err, d.host.Close())
	}
	if d.App, err = New(cfg, c.Log, true); err != nil {
		return nil, errors.Join(err, d.host.Close())
	}
	if d.Pages() == nil {
		return nil, errors.Join(fmt.Errorf("demo: %s is taken; choose another address with --listen", c.Listen), d.host.Close())
	}
	d.fleet, err = sim.NewFleet(sim.FleetConfig{
		Address: d.Gateway(demoListener).String(), Host: d.host, Seed: c.Seed, Scenarios: c.Scenarios, Wait: c.Wait, Log: c.Log,
	})
	return d, err
}

// Seats says which terminal plays which fault.
func (d *Demo) Seats() []sim.Seat { return d.fleet.Seats() }

// Run runs host, service and fleet until ctx ends.
func (d *Demo) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	hostCtx, stopHost := context.WithCancel(context.WithoutCancel(ctx))
	defer stopHost()
	var wg sync.WaitGroup
	wg.Go(func() { d.part("the simulated host", d.host.Serve(hostCtx)) })
	wg.Go(func() { d.part("the simulated fleet", d.fleet.Run(ctx)) })
	err := d.App.Run(ctx)
	stop()
	stopHost()
	wg.Wait()
	return errors.Join(err, d.clean())
}

// part tells of a part of the demo that ended in another way than by being stopped.
func (d *Demo) part(name string, err error) {
	if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, net.ErrClosed) {
		d.log.Error("a part of the demo has stopped", "part", name, "reason", err)
	}
}

func (d *Demo) clean() error {
	if d.temp == "" {
		return nil
	}
	return os.RemoveAll(d.temp)
}
