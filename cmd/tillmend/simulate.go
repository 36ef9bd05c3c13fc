// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/tillmend/tillmend/internal/app"
	"github.com/tillmend/tillmend/internal/sim"
)

type simulateCmd struct {
	Terminals simTerminalsCmd `cmd:"" help:"Be a fleet of terminals that sign in, sell, void, reverse and settle."`
	Host      simHostCmd      `cmd:"" help:"Be an acquirer's host that answers them."`
	Scenarios simScenariosCmd `cmd:"" help:"List the faults that can be played."`
}

type simTerminalsCmd struct {
	Address  string   `arg:"" help:"host:port of a gateway or a host."`
	Count    int      `default:"8" help:"How many terminals."`
	Shops    int      `default:"4" help:"How many merchants they belong to."`
	Rounds   int      `help:"How many rounds each terminal does; without end when left out."`
	Scenario []string `placeholder:"NAME" help:"Faults to play, see: tillmend simulate scenarios. Those that need the host's help work only in the demo."`
	Seed     uint64   `default:"1" help:"Makes a run repeatable."`
}

// Help is printed below the flags.
func (simTerminalsCmd) Help() string {
	return `Examples:
  tillmend simulate host 127.0.0.1:8583 &
  tillmend simulate terminals 127.0.0.1:8583 --rounds 2
  tillmend -o json simulate terminals 127.0.0.1:9000 --scenario wrong-master-key

It sends only public test card numbers. Never point it at a live host.`
}

// Run runs the fleet.
func (c *simTerminalsCmd) Run(ctx context.Context, all *cli, std *streams) error {
	cfg := sim.FleetConfig{
		Address: c.Address, Terminals: c.Count, Shops: c.Shops, Rounds: c.Rounds, Seed: c.Seed, Scenarios: []sim.Scenario{},
		Observe: observer(all, std),
	}
	for _, name := range c.Scenario {
		s, ok := sim.ParseScenario(name)
		if !ok {
			return usageError{fmt.Errorf("scenario %q is not known; tillmend simulate scenarios lists them", name)}
		}
		cfg.Scenarios = append(cfg.Scenarios, s)
	}
	return sim.Run(ctx, cfg)
}

// observer prints each step.
func observer(all *cli, std *streams) func(sim.Step) {
	var mu sync.Mutex
	enc := json.NewEncoder(std.out)
	return func(s sim.Step) {
		mu.Lock()
		defer mu.Unlock()
		if all.Output == "json" {
			std.note(0, enc.Encode(s))
			return
		}
		r := &s.Result
		std.sayf("%s  %s  %-14s %-4s %s\n", time.Now().Format("15:04:05"), s.Terminal, r.Kind, r.Code, outcome(r))
	}
}

// outcome says what came of a step.
func outcome(r *sim.Result) string {
	switch {
	case r.Refused != "":
		return "refused by the terminal: " + string(r.Refused)
	case r.Err != nil:
		return r.Err.Error()
	case r.Approved:
		return "approved"
	}
	return "declined"
}

type simHostCmd struct {
	Address string `arg:"" default:"127.0.0.1:8583" help:"host:port to bind."`
	Seed    uint64 `default:"1" help:"Makes keys and authorization codes repeatable."`
}

// Run serves as a host.
func (c *simHostCmd) Run(ctx context.Context, std *streams) error {
	log, err := app.NewLog(std.err, "info")
	if err != nil {
		return err
	}
	h := sim.NewHost(sim.HostConfig{Address: c.Address, AutoRegister: true, Seed: c.Seed, Log: log})
	if err := h.Listen(); err != nil {
		return err
	}
	std.warn("host on", h.Addr())
	return h.Serve(ctx)
}

type simScenariosCmd struct{}

// Run lists the scenarios.
func (simScenariosCmd) Run(all *cli, std *streams) error {
	enc := json.NewEncoder(std.out)
	for _, i := range sim.Scenarios {
		if all.Output == "json" {
			if err := enc.Encode(i); err != nil {
				return err
			}
			continue
		}
		text := i.Zh
		if all.Lang == "en" {
			text = i.En
		}
		std.sayf("%-24s %-10s %-24s %s\n", i.Name, strings.ToLower(i.Facet), i.Cause, text)
	}
	return nil
}
