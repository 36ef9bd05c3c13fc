// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/tillmend/tillmend/internal/diagnosis"
	"github.com/tillmend/tillmend/internal/estate"
	"github.com/tillmend/tillmend/internal/sim"
)

// faster makes a demo ten times as fast.
func faster(ctx context.Context, d time.Duration) error { return sim.Wait(ctx, d/10) }

// lasting is how many looks in a row must find every verdict right: a minute of
// the demo's time.
const lasting = 12

// TestDemoShowsItsFaults runs the demo as it is, only faster, until every fault of
// the fleet shows with its cause at the same time, and every terminal that takes
// money shows as well.
func TestDemoShowsItsFaults(t *testing.T) {
	d, err := NewDemo(DemoConfig{Listen: "127.0.0.1:0", Seed: 1, Data: t.TempDir(), Log: slog.New(slog.DiscardHandler), Wait: faster})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	limit := time.NewTimer(90 * time.Second)
	defer limit.Stop()
	look := time.NewTicker(500 * time.Millisecond)
	defer look.Stop()
	var wrong string
	for right := 0; right < lasting; {
		select {
		case <-look.C:
			right++
			if wrong = misjudged(d); wrong != "" {
				right = 0
			}
		case <-limit.C:
			right = lasting // wrong says what is not
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if wrong != "" {
		t.Error(wrong)
	}
	if n := d.recorder.dropped(); n > 0 {
		t.Errorf("%d messages are not on record", n)
	}
}

// misjudged lists the terminals of which something else is said than they play.
func misjudged(d *Demo) string {
	var b strings.Builder
	seats := d.Seats()
	if len(seats) == 0 {
		return "no fleet yet"
	}
	for _, seat := range seats {
		info := seat.Scenario.Info()
		got, ok := d.Engine().Diagnose(estate.TerminalID(seat.Terminal), time.Now())
		if !ok {
			fmt.Fprintf(&b, "%s plays %s and was not seen\n", seat.Terminal, info.Name)
			continue
		}
		top := got.Top()
		switch {
		case info.Cause == "" && got.Status != diagnosis.OK:
			fmt.Fprintf(&b, "%s trades and is %s\n%s", seat.Terminal, got.Status, show(&got))
		case info.Works && got.Status == diagnosis.Blocked:
			fmt.Fprintf(&b, "%s plays %s, takes money, and is %s\n%s", seat.Terminal, info.Name, got.Status, show(&got))
		case info.Cause != "" && !info.Works && (top == nil || string(top.Cause.ID) != info.Cause):
			fmt.Fprintf(&b, "%s plays %s (%s)\n%s", seat.Terminal, info.Name, info.Cause, show(&got))
		}
	}
	return b.String()
}
