// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/tillmend/tillmend/internal/app"
	"github.com/tillmend/tillmend/internal/capture"
	"github.com/tillmend/tillmend/internal/diagnosis"
	"github.com/tillmend/tillmend/internal/estate"
	"github.com/tillmend/tillmend/internal/knowledge"
)

type replayCmd struct {
	Files    []string `arg:"" type:"existingfile" help:"Hex logs, .pcap or .pcapng files, in the order of time."`
	Dialect  string   `default:"upos" help:"How the messages are written: a shipped dialect, or a YAML file."`
	Acquirer string   `placeholder:"NAME" help:"Whose response codes to use first."`
	Port     []uint16 `placeholder:"PORT" help:"The host's ports in a capture; guessed when left out."`
	Terminal []string `placeholder:"TID" help:"Only these terminals."`
	Abnormal bool     `help:"Only terminals that are not ok."`
}

// Help is printed below the flags.
func (replayCmd) Help() string {
	return `Examples:
  tillmend replay monday.pcap
  tillmend replay --abnormal --lang en examples/cloned-terminal.hexlog
  tillmend -o json replay monday.pcap | jq 'select(.state=="blocked")'

A hex log has one frame a line: time, peer, > (to the host) or < (to the terminal), hex;
and connection events with ! (open, close, reset, timeout, refused, tls-alert):
  2026-06-03T10:44:00.123+08:00 10.0.0.7:40112 > 003C6000...

Exit code: 0 when every terminal is ok, 1 when one is not, 2 when a file cannot be read.`
}

// Run replays the files.
func (c *replayCmd) Run(ctx context.Context, all *cli, std *streams) error {
	b, err := all.base()
	if err != nil {
		return err
	}
	d, err := dialectOf(c.Dialect)
	if err != nil {
		return err
	}
	r := app.NewReplay(b, d, c.Acquirer)
	var unreadable []error
	for _, name := range c.Files {
		if err := c.read(ctx, std, name, r); err != nil {
			unreadable = append(unreadable, err)
		}
	}
	list := r.Finish()
	c.hint(std, r, d.Name)
	list = slices.DeleteFunc(list, func(d diagnosis.Diagnosis) bool {
		return c.Abnormal && d.Status == diagnosis.OK || len(c.Terminal) > 0 && !slices.Contains(c.Terminal, string(d.Terminal))
	})
	if err := c.print(all, std, b, list); err != nil {
		return err
	}
	if unreadable != nil {
		return usageError{errors.Join(unreadable...)}
	}
	if slices.ContainsFunc(list, func(d diagnosis.Diagnosis) bool { return d.Status != diagnosis.OK }) {
		return errWrong
	}
	return nil
}

func (c *replayCmd) read(ctx context.Context, std *streams, name string, r *app.Replay) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	sum, err := capture.Read(ctx, f, name, r, capture.Options{HostPorts: c.Port})
	for _, p := range sum.Problems {
		std.warn("tillmend:", p)
	}
	if more := sum.Errors + sum.Warnings - len(sum.Problems); more > 0 {
		std.warnf("tillmend: %s: %d more\n", name, more)
	}
	if err == nil && sum.Errors > 0 {
		return fmt.Errorf("%s: not read: %d; the rest was", name, sum.Errors)
	}
	return err
}

// hint says what to try when little or nothing could be read.
func (c *replayCmd) hint(std *streams, r *app.Replay, dialect string) {
	for reason, n := range r.Opaque {
		std.warnf("tillmend: %d connections could not be read: %s\n", n, reason)
	}
	if r.Malformed > 0 && r.Malformed*2 > r.Frames {
		std.warnf("tillmend: %d of %d messages do not fit dialect %s; `tillmend decode` tells which one does\n", r.Malformed, r.Frames, dialect)
	}
}

func (c *replayCmd) print(all *cli, std *streams, b *knowledge.Base, list []diagnosis.Diagnosis) error {
	enc := json.NewEncoder(std.out)
	for i := range list {
		v := list[i].View(b, all.Lang, c.Acquirer)
		if all.Output == "json" {
			if err := enc.Encode(v); err != nil {
				return err
			}
			continue
		}
		printView(std, wordsIn(all.Lang), &v)
	}
	return nil
}

// printView prints a diagnosis for a reader: what, why, who, what now.
func printView(std *streams, w *words, v *diagnosis.View) {
	since := ""
	if v.Since != nil && v.State != diagnosis.OK {
		since = " · " + w.since + " " + v.Since.Format("01-02 15:04:05")
	}
	std.sayf("%s  %s  %s%s\n", v.Terminal, orDash(v.Merchant), w.states[v.State], since)
	if len(v.Diagnosis) > 0 {
		printCause(std, w, v)
	}
	std.say()
}

func printCause(std *streams, w *words, v *diagnosis.View) {
	top := &v.Diagnosis[0]
	lead := "  "
	if v.Over {
		lead = "  " + w.over
	}
	sure := fmt.Sprintf(w.evidence, w.confidence[v.Confidence], len(top.For), len(top.Against))
	std.sayf("%s"+w.cause+" %s\n", lead, top.Title, top.Cause, sure)
	std.sayf("  %s\n", top.What)
	std.sayf("  %s%s\n", w.who, w.actor(top.Actor))
	switch {
	case v.Over:
	case v.Next != nil && v.Confidence == diagnosis.Unclear:
		std.sayf("  %s%s\n  %s\n", w.ask, v.Next.Step, v.Next.Why)
	default:
		for j, s := range top.Steps {
			std.sayf("  %s%d %s\n", w.step, j+1, s)
		}
		for _, s := range top.Avoid {
			std.sayf("  %s%s\n", w.avoid, s)
		}
	}
	for i := range v.Findings {
		f := &v.Findings[i]
		std.sayf("    %s %s%s%s\n", w.presence[f.State], f.Title, times(f.Count), cited(f))
	}
	for i := range v.Diagnosis[1:] {
		c := &v.Diagnosis[i+1]
		std.sayf("    %2.0f%% "+w.cause+"\n", 100*c.P, c.Title, c.Cause)
	}
}

func times(n int) string {
	if n < 2 {
		return ""
	}
	return fmt.Sprintf(" ×%d", n)
}

func cited(f *diagnosis.FindingView) string {
	text := ""
	if f.Since != nil {
		text = " " + f.Since.Format("15:04:05")
	}
	if f.Detail != "" {
		text += " [" + f.Detail + "]"
	}
	if len(f.Events) > 0 {
		text += " " + strings.Join(f.Events, " ")
	}
	return text
}

func orDash(id estate.MerchantID) string {
	if id == "" {
		return "-"
	}
	return string(id)
}
