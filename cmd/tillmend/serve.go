// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"

	"github.com/tillmend/tillmend/internal/app"
)

type serveCmd struct {
	Config string `required:"" short:"c" type:"existingfile" placeholder:"FILE" help:"Configuration; config.example.yaml documents every key."`
}

// Help is printed below the flags.
func (serveCmd) Help() string {
	return `Examples:
  tillmend config check tillmend.yaml
  tillmend serve --config tillmend.yaml

Stop it with SIGTERM or Ctrl-C: payments in flight are brought to their end first.`
}

// Run serves until it is told to stop.
func (c *serveCmd) Run(ctx context.Context, all *cli, std *streams) error {
	cfg, err := app.LoadConfig(c.Config)
	if err != nil {
		return usageError{err}
	}
	if all.Knowledge != "" {
		cfg.Knowledge = all.Knowledge
	}
	log, err := app.NewLog(std.err, cfg.Log.Level)
	if err != nil {
		return usageError{err}
	}
	a, err := app.New(cfg, log, false) //nolint:contextcheck // binding a port waits for nothing
	if err != nil {
		return err
	}
	return a.Run(ctx)
}

type configCmd struct {
	Check configCheckCmd `cmd:"" help:"Check a configuration file and say everything that is wrong with it."`
}

type configCheckCmd struct {
	File string `arg:"" type:"existingfile" help:"The configuration file."`
}

// Help is printed below the flags.
func (configCheckCmd) Help() string {
	return `Example:
  tillmend config check tillmend.yaml

Exit code: 0 when it can be served with, 1 when not.`
}

// Run checks the file.
func (c *configCheckCmd) Run(std *streams) error {
	if _, err := app.LoadConfig(c.File); err != nil {
		std.warn(err)
		return errWrong
	}
	std.sayf("%s: ok\n", c.File)
	return nil
}
