// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"

	"github.com/tillmend/tillmend/internal/app"
)

type demoCmd struct {
	Listen string `default:"127.0.0.1:8080" help:"Address of the pages."`
	Seed   uint64 `default:"1" help:"Makes a run repeatable."`
	Keep   string `type:"path" placeholder:"FOLDER" help:"Keep the journal in this folder; a temporary one is used and removed when left out."`
}

// Help is printed below the flags.
func (demoCmd) Help() string {
	return `Examples:
  tillmend demo
  tillmend demo --listen 127.0.0.1:9999

A simulated host and a small fleet of terminals, with a fault of every kind, talk through the
real gateway; what is seen goes through the real journal and engine to the pages. Within a
minute the faults show with their causes. Stop it with Ctrl-C.`
}

// Run shows the demo until it is told to stop.
func (c *demoCmd) Run(ctx context.Context, std *streams) error {
	log, err := app.NewLog(std.err, "warn")
	if err != nil {
		return err
	}
	d, err := app.NewDemo(app.DemoConfig{Listen: c.Listen, Seed: c.Seed, Data: c.Keep, Log: log}) //nolint:contextcheck // binding a port waits for nothing
	if err != nil {
		return err
	}
	std.sayf("http://%s   (Ctrl-C stops)\n", d.Pages())
	return d.Run(ctx)
}
