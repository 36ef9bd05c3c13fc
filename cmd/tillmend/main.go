// SPDX-License-Identifier: Apache-2.0

// Command tillmend says why a card terminal cannot take money, who must act and
// what to do now. `tillmend demo` shows it; `tillmend --help` lists the commands.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"
	kongcompletion "github.com/jotaen/kong-completion"

	"github.com/tillmend/tillmend/internal/app"
	"github.com/tillmend/tillmend/internal/knowledge"
)

// The exit codes.
const (
	exitDone   = 0
	exitWrong  = 1 // done, and something is wrong in what was looked at
	exitUsage  = 2 // usage, or input that cannot be read
	exitFailed = 3 // the program itself failed
)

// errWrong is returned by a command that did its work and found something wrong.
var errWrong = errors.New("something is wrong in what was looked at")

// usageError is an error of the one who called: wrong flags, unreadable input.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// streams are where a command reads and writes. A write that failed is remembered
// and makes the program fail at its end.
type streams struct {
	in       io.Reader
	out, err io.Writer
	failed   error
}

// say prints a line to the output.
func (s *streams) say(words ...any) { s.note(fmt.Fprintln(s.out, words...)) }

// sayf prints to the output.
func (s *streams) sayf(format string, args ...any) { s.note(fmt.Fprintf(s.out, format, args...)) }

// warn prints a line to the error output.
func (s *streams) warn(words ...any) { s.note(fmt.Fprintln(s.err, words...)) }

// warnf prints to the error output.
func (s *streams) warnf(format string, args ...any) { s.note(fmt.Fprintf(s.err, format, args...)) }

func (s *streams) note(_ int, err error) {
	if s.failed == nil {
		s.failed = err
	}
}

// cli is every command and flag.
type cli struct {
	Demo     demoCmd     `cmd:"" help:"Show everything in one process: a simulated host, a small fleet with faults, and pages."`
	Serve    serveCmd    `cmd:"" help:"Stand between terminals and the acquirer's host, and say what is wrong."`
	Replay   replayCmd   `cmd:"" help:"Run a recording through the engine and print a diagnosis for each terminal."`
	Explain  explainCmd  `cmd:"" help:"Say what a screen text, a response code or a complaint means."`
	Decode   decodeCmd   `cmd:"" help:"Show the fields of payment messages, card data masked."`
	Simulate simulateCmd `cmd:"" help:"Be a fleet of terminals, or a host, against any address."`
	Config   configCmd   `cmd:"" help:"Check a configuration file."`

	Completion kongcompletion.Completion `cmd:"" help:"Print the completion script for a shell."`
	Version    kong.VersionFlag          `help:"Print the version and exit."`

	Knowledge string `type:"existingdir" placeholder:"FOLDER" help:"Folder with your own causes, codes and screen texts, laid over the shipped ones."`
	Lang      string `enum:"zh,en" default:"${lang}" help:"Language of what is explained: zh or en. The default follows the environment."`
	Output    string `short:"o" enum:"text,json" default:"text" help:"Form of the output: text or json."`
}

// base gives the knowledge that the flags ask for.
func (c *cli) base() (*knowledge.Base, error) {
	b, err := app.LoadKnowledge(c.Knowledge)
	if err != nil {
		return nil, usageError{err}
	}
	return b, nil
}

func main() { os.Exit(run(os.Args[1:], &streams{in: os.Stdin, out: os.Stdout, err: os.Stderr})) }

// run is the whole program less the process: it gives the exit code.
func run(args []string, std *streams) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c cli
	exited := -1
	parser, err := kong.New(&c,
		kong.Name("tillmend"), kong.Description("Why a card terminal cannot take money, who must act, and what to do now."),
		kong.Writers(std.out, std.err), kong.Exit(func(code int) { exited = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.Vars{"lang": language(os.Getenv), "version": version()},
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(&c, std),
	)
	if err != nil {
		std.warn("tillmend:", err)
		return exitFailed
	}
	kongcompletion.Register(parser)
	k, err := parser.Parse(args)
	if exited >= 0 { // help, version or completion has been printed
		return exited
	}
	if err != nil {
		std.warn("tillmend:", err)
		std.warn("Try: tillmend --help")
		return exitUsage
	}
	return std.code(k.Run())
}

// code turns a command's error into an exit code, and says what went wrong.
func (s *streams) code(err error) int {
	switch {
	case err == nil && s.failed != nil:
		s.warn("tillmend:", s.failed)
		return exitFailed
	case err == nil:
		return exitDone
	case errors.Is(err, errWrong):
		return exitWrong
	case errors.Is(err, context.Canceled):
		return exitDone
	}
	s.warn("tillmend:", err)
	if _, ok := errors.AsType[usageError](err); ok {
		return exitUsage
	}
	return exitFailed
}

// language gives en for an English environment and zh otherwise: the product's
// first users are in China.
func language(env func(string) string) string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := env(name); v != "" {
			if len(v) >= 2 && v[:2] == "en" {
				return "en"
			}
			return "zh"
		}
	}
	return "zh"
}

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "tillmend (unknown version)"
	}
	return "tillmend " + info.Main.Version
}
