// SPDX-License-Identifier: Apache-2.0

package terminal_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tillmend/tillmend/internal/terminal"
	"github.com/tillmend/tillmend/internal/txn"
)

var (
	china = time.FixedZone("", 8*3600)
	start = time.Date(2026, 6, 1, 9, 0, 0, 0, china) // a Monday
)

// events draws a sequence of events with all that a state reacts to.
func events(t *rapid.T) []terminal.Event {
	at := start
	var list []terminal.Event
	for i := range rapid.IntRange(1, 60).Draw(t, "events") {
		at = at.Add(time.Duration(rapid.IntRange(1, 40_000).Draw(t, "seconds")) * time.Second)
		e := terminal.Event{ID: terminal.EventID(i + 1), Terminal: "T0000001"}
		peer := rapid.SampledFrom([]string{"10.0.0.7:1", "10.0.0.7:2", "10.0.0.9:1", "[2001:db8::1]:5"}).Draw(t, "peer")
		if rapid.IntRange(0, 5).Draw(t, "link") == 0 {
			kind := txn.LinkKind(rapid.IntRange(int(txn.LinkOpen), int(txn.LinkOverloaded)).Draw(t, "event"))
			e.Link = &txn.Link{At: at, Kind: kind, Peer: peer}
		} else {
			e.Attempt = &txn.Attempt{
				At: at, Terminal: "T0000001", Merchant: "898000000000001", Peer: peer,
				Kind:    txn.Kind(rapid.IntRange(0, int(txn.BatchEnd)).Draw(t, "kind")),
				Outcome: txn.Outcome(rapid.IntRange(0, int(txn.Malformed)).Draw(t, "outcome")),
				Timing:  txn.Timing(rapid.IntRange(0, int(txn.NoAnswer)).Draw(t, "timing")),
				STAN:    uint32(rapid.IntRange(0, 999_999).Draw(t, "stan")), Amount: rapid.Int64Range(-1, 1e12).Draw(t, "amount"),
				Code:  rapid.SampledFrom([]string{"", "00", "77", "A0", "51", "95"}).Draw(t, "code"),
				Batch: uint32(rapid.IntRange(0, 3).Draw(t, "batch")), HostBatch: uint32(rapid.IntRange(0, 3).Draw(t, "host batch")),
				CardNo: uint16(rapid.IntRange(0, 3).Draw(t, "card")), HostOrder: uint8(rapid.IntRange(0, 6).Draw(t, "order")),
				Clock: rapid.SampledFrom([]string{"", "0601090000", "nonsense"}).Draw(t, "clock"),
			}
		}
		list = append(list, e)
	}
	return list
}

// TestSnapshotContinues: a state that is written, read and goes on equals one that
// was never written; and so do the bytes.
func TestSnapshotContinues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := events(t)
		cut := rapid.IntRange(0, len(list)).Draw(t, "cut")
		var whole, before, after terminal.State
		for i := range list {
			whole.Apply(&list[i])
			if i < cut {
				before.Apply(&list[i])
			}
		}
		snap, err := before.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := after.UnmarshalBinary(snap); err != nil {
			t.Fatal(err)
		}
		for i := range list[cut:] {
			after.Apply(&list[cut+i])
		}
		a, errA := whole.AppendBinary(nil)
		b, errB := after.AppendBinary(nil)
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Fatalf("states differ: %s", cmp.Diff(whole, after))
		}
	})
}

// TestInvariants: what must hold in every state, whatever happened.
func TestInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s terminal.State
		for _, e := range events(t) {
			s.Apply(&e)
			switch {
			case int(s.Count) > terminal.Recent || s.Next >= terminal.Recent:
				t.Fatalf("ring at %d of %d", s.Next, s.Count)
			case uint32(s.Journal) > s.Approved:
				t.Fatalf("%d payments in the journal, %d approved", s.Journal, s.Approved)
			case s.Approved > s.Payments:
				t.Fatalf("%d approved of %d", s.Approved, s.Payments)
			case (s.Failing == 0) != (s.Failed == 0):
				t.Fatalf("failing since %d, %d times", s.Failing, s.Failed)
			case s.Approval > s.Last || s.Payment > s.Last:
				t.Fatalf("a payment after the last event")
			case int(s.Session.Device) >= len(s.Devices):
				t.Fatalf("device %d", s.Session.Device)
			}
			if xs := s.Exchanges(nil); len(xs) != int(s.Count) {
				t.Fatalf("%d exchanges of %d", len(xs), s.Count)
			}
		}
	})
}

// TestEventSurvivesJSON: an event reads back as it was written.
func TestEventSurvivesJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for _, e := range events(t) {
			b, err := json.Marshal(&e)
			if err != nil {
				t.Fatal(err)
			}
			var back terminal.Event
			if err := json.Unmarshal(b, &back); err != nil {
				t.Fatal(err)
			}
			back.ID = e.ID // its place is not in it
			if d := cmp.Diff(e, back); d != "" {
				t.Fatal(d)
			}
		}
	})
}

// TestBadSnapshotsAreRefused: bytes that are no state are an error and no state.
func TestBadSnapshotsAreRefused(t *testing.T) {
	var s terminal.State
	good, err := s.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	other := bytes.Clone(good)
	other[0] = 99
	for name, b := range map[string][]byte{"empty": nil, "short": good[:len(good)-1], "long": append(bytes.Clone(good), 0), "another version": other} {
		if err := new(terminal.State).UnmarshalBinary(b); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// sale is an approved sale at a time.
func sale(id int, at time.Time) *terminal.Event {
	return &terminal.Event{ID: terminal.EventID(id), Terminal: "T0000001", Attempt: &txn.Attempt{
		At: at, Terminal: "T0000001", Peer: "10.0.0.7:1", Kind: txn.Sale, Outcome: txn.Approved, Code: "00", STAN: uint32(id), Amount: 100,
	}}
}

// TestSilenceIsJudgedByItsOwnRhythm: a shop that opens from nine to nine, Sundays
// closed, is not silent at night or on a Sunday, and is on a Monday at noon.
func TestSilenceIsJudgedByItsOwnRhythm(t *testing.T) {
	var s terminal.State
	id := 0
	last := start
	for day := range 4 * 7 {
		for hour := range 12 {
			at := start.AddDate(0, 0, day).Add(time.Duration(hour) * time.Hour)
			if at.Weekday() != time.Sunday && at.Before(start.AddDate(0, 0, 27)) {
				id++
				s.Apply(sale(id, at))
				last = at
			}
		}
	}
	if last.Weekday() != time.Saturday {
		t.Fatalf("the last sale is on a %s", last.Weekday())
	}
	for _, c := range []struct {
		name   string
		after  time.Duration
		silent bool
	}{
		{"the night after", 9 * time.Hour, false},
		{"Sunday noon", 16 * time.Hour, false},
		{"Monday before opening", 35 * time.Hour, false},
		{"Monday in the afternoon", 44 * time.Hour, true},
	} {
		odds, known := s.SilenceOdds(last.Add(c.after))
		if !known {
			t.Fatalf("%s: no rhythm after four weeks", c.name)
		}
		if (odds < 0.01) != c.silent {
			t.Errorf("%s: odds of silence %.4f, want silent %v", c.name, odds, c.silent)
		}
	}
	var young terminal.State
	young.Apply(sale(1, start))
	if _, known := young.SilenceOdds(start.Add(48 * time.Hour)); known {
		t.Error("a terminal seen once has no rhythm")
	}
}

// TestSilenceGrows: the longer the silence, the less likely it is.
func TestSilenceGrows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s terminal.State
		for _, e := range events(t) {
			s.Apply(&e)
		}
		before := 1.0
		at := s.Last.Time(china)
		for range 100 {
			at = at.Add(time.Hour)
			odds, _ := s.SilenceOdds(at)
			if odds > before+1e-12 {
				t.Fatalf("odds rise from %g to %g", before, odds)
			}
			before = odds
		}
	})
}

func TestEventID(t *testing.T) {
	if id, ok := terminal.ParseEventID(terminal.EventID(4711).String()); !ok || id != 4711 {
		t.Errorf("got %d, %v", id, ok)
	}
	for _, bad := range []string{"", "e", "4711", "ex", "e-1"} {
		if _, ok := terminal.ParseEventID(bad); ok {
			t.Errorf("%q is an event", bad)
		}
	}
}
