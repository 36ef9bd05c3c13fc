// SPDX-License-Identifier: Apache-2.0

package pipeline_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/tillmend/tillmend/internal/estate"
	"github.com/tillmend/tillmend/internal/knowledge"
	"github.com/tillmend/tillmend/internal/pipeline"
	"github.com/tillmend/tillmend/internal/terminal"
	"github.com/tillmend/tillmend/internal/txn"
)

var start = time.Date(2026, 6, 3, 10, 0, 0, 0, time.FixedZone("", 8*3600))

func engine(t *testing.T) *pipeline.Engine {
	t.Helper()
	b, err := knowledge.Default()
	if err != nil {
		t.Fatal(err)
	}
	return pipeline.New(b, "")
}

// sale is the n-th event: a sale on one of five terminals.
func sale(n int, code string) *terminal.Event {
	id := estate.TerminalID(fmt.Sprintf("T%07d", n%5))
	a := &txn.Attempt{
		At: start.Add(time.Duration(n) * time.Second), Terminal: id, Merchant: "898000000000001", Peer: fmt.Sprintf("10.0.0.%d:4000", n%5),
		Kind: txn.Sale, Outcome: txn.Approved, Code: code, STAN: uint32(n), Amount: 100, CardNo: 1,
	}
	if code != "00" {
		a.Outcome = txn.Declined
	}
	return &terminal.Event{ID: terminal.EventID(n), Terminal: id, Attempt: a}
}

func snapshot(t *testing.T, g *pipeline.Engine) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := g.Snapshot(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestRestoreContinues: snapshot, restore and the events after it give the bytes
// that all events give, also when the replay begins too early.
func TestRestoreContinues(t *testing.T) {
	whole, half, again := engine(t), engine(t), engine(t)
	for n := 1; n <= 100; n++ {
		e := sale(n, []string{"00", "51", "A0"}[n%3])
		whole.Apply(e)
		if n <= 50 {
			half.Apply(e)
		}
	}
	if err := again.Restore(bytes.NewReader(snapshot(t, half))); err != nil {
		t.Fatal(err)
	}
	if at, _ := again.Position(); at != 50 {
		t.Fatalf("restored to %d", at)
	}
	for n := 40; n <= 100; n++ {
		again.Apply(sale(n, []string{"00", "51", "A0"}[n%3]))
	}
	if !bytes.Equal(snapshot(t, again), snapshot(t, whole)) {
		t.Error("the states differ")
	}
	if whole.Len() != 5 || len(whole.DiagnoseAll(start)) != 5 {
		t.Errorf("%d terminals", whole.Len())
	}
}

// TestBrokenSnapshotIsRefused: each byte of a snapshot matters, and an engine that
// refuses one stays as it was.
func TestBrokenSnapshotIsRefused(t *testing.T) {
	g := engine(t)
	for n := 1; n <= 10; n++ {
		g.Apply(sale(n, "00"))
	}
	good := snapshot(t, g)
	other := engine(t)
	other.Apply(sale(99, "00"))
	before := snapshot(t, other)
	for i := 0; i < len(good); i += 7 {
		bad := bytes.Clone(good)
		bad[i] ^= 0x55
		if err := other.Restore(bytes.NewReader(bad)); !errors.Is(err, pipeline.ErrSnapshot) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
		if err := other.Restore(bytes.NewReader(good[:i])); !errors.Is(err, pipeline.ErrSnapshot) {
			t.Fatalf("cut at %d: %v", i, err)
		}
	}
	if !bytes.Equal(snapshot(t, other), before) {
		t.Error("a refused snapshot has changed the engine")
	}
}

// TestUnnamedIsTakenOver: an address whose terminal becomes known is no longer
// listed as unnamed.
func TestUnnamedIsTakenOver(t *testing.T) {
	g := engine(t)
	id := estate.Unnamed("10.0.0.1")
	g.Apply(&terminal.Event{ID: 1, Terminal: id, Link: &txn.Link{At: start, Kind: txn.LinkTLSAlert, Peer: "10.0.0.1:1"}})
	if d, ok := g.Diagnose(id, start); !ok || d.Top() == nil || d.Top().Cause.ID != "TERM-CERT" {
		t.Fatalf("%v %+v", ok, d)
	}
	g.Apply(sale(6, "00")) // from 10.0.0.1
	if _, ok := g.Diagnose(id, start); ok || g.Len() != 1 {
		t.Errorf("%d terminals, the unnamed one still among them: %v", g.Len(), ok)
	}
	g.Reset()
	if at, _ := g.Position(); g.Len() != 0 || at != 0 {
		t.Error("a reset engine is not empty")
	}
}

// TestSilentTerminalIsOffline: silence is judged by a look, not by the next event.
func TestSilentTerminalIsOffline(t *testing.T) {
	g := engine(t)
	n := 5
	for day := range 21 {
		for hour := range 12 {
			e := sale(n, "00")
			e.Attempt.At = start.AddDate(0, 0, day).Add(time.Duration(hour) * time.Hour)
			g.Apply(e)
			n += 5
		}
	}
	last := start.AddDate(0, 0, 20).Add(11 * time.Hour)
	if d, _ := g.Diagnose("T0000000", last.Add(8*time.Hour)); d.Status != "ok" {
		t.Errorf("at night it is %s", d.Status)
	}
	d, _ := g.Diagnose("T0000000", last.Add(20*time.Hour))
	if d.Status != "offline" || d.Facets[knowledge.Network] == "ok" {
		t.Errorf("the next afternoon it is %s, network %s", d.Status, d.Facets[knowledge.Network])
	}
}
