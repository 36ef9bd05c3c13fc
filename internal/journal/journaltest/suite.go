// SPDX-License-Identifier: Apache-2.0

// Package journaltest holds what every journal must do, as a test suite, and a
// journal in memory that does it.
package journaltest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tillmend/tillmend/internal/journal"
)

// Writer is the half of a journal that takes entries.
type Writer interface {
	Append(ctx context.Context, e journal.Entry) (journal.Position, error)
	AppendAsync(e journal.Entry, done func(journal.Position, error)) error
}

// Reader is the half of a journal that gives them back.
type Reader interface {
	Read(ctx context.Context, after journal.Position, fn func(journal.Record) error) error
	Follow(ctx context.Context, after journal.Position, fn func(journal.Record) error) error
	Get(ctx context.Context, at journal.Position) (journal.Record, error)
	Last(ctx context.Context) (journal.Position, error)
}

// Log is a whole journal.
type Log interface {
	Writer
	Reader
	Stats() journal.Stats
	Close() error
}

// Run runs the suite. open gives a new, empty journal and closes it at the end of
// the test; closing twice must be harmless.
func Run(t *testing.T, open func(t *testing.T) Log) {
	t.Helper()
	for _, c := range []struct {
		name string
		test func(*testing.T, Log)
	}{
		{"Empty", testEmpty},
		{"ReadBack", testReadBack},
		{"Resume", testResume},
		{"Get", testGet},
		{"Async", testAsync},
		{"KeyOrder", testKeyOrder},
		{"Follow", testFollow},
		{"Ahead", testAhead},
		{"TooLarge", testTooLarge},
		{"StopsWithError", testStopsWithError},
		{"Stats", testStats},
		{"Close", testClose},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

// fill appends n entries over some keys and returns them as they must be read.
func fill(t *testing.T, log Log, n int) []journal.Record {
	t.Helper()
	var want []journal.Record
	for i := range n {
		e := journal.Entry{Key: fmt.Sprintf("T%07d", i%7), Data: fmt.Appendf(nil, "entry %d", i)}
		at, err := log.Append(t.Context(), e)
		if err != nil {
			t.Fatalf("Append %d: %v", i, err)
		}
		want = append(want, journal.Record{Position: at, Partition: journal.PartitionOf(e.Key), Key: e.Key, Data: e.Data})
	}
	return want
}

// readAll reads to the end.
func readAll(t *testing.T, log Log, after journal.Position) []journal.Record {
	t.Helper()
	var got []journal.Record
	if err := log.Read(t.Context(), after, func(r journal.Record) error { got = append(got, r); return nil }); err != nil {
		t.Fatalf("Read after %v: %v", after, err)
	}
	return got
}

// same compares records; times are only required to be there, and in order.
func same(t *testing.T, got, want []journal.Record) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d records, want %d", len(got), len(want))
	}
	for i, g := range got {
		w := want[i]
		if g.Position != w.Position || g.Partition != w.Partition || g.Key != w.Key || string(g.Data) != string(w.Data) {
			t.Fatalf("record %d is %v %d %q %q, want %v %d %q %q", i, g.Position, g.Partition, g.Key, g.Data, w.Position, w.Partition, w.Key, w.Data)
		}
		if g.Time.IsZero() || i > 0 && (g.Time.Before(got[i-1].Time) || g.Position <= got[i-1].Position) {
			t.Fatalf("record %d at %v (%v) does not come after its predecessor", i, g.Position, g.Time)
		}
	}
}

func testEmpty(t *testing.T, log Log) {
	if got := readAll(t, log, 0); len(got) != 0 {
		t.Errorf("an empty journal gives %d records", len(got))
	}
	if last, err := log.Last(t.Context()); last != 0 || err != nil {
		t.Errorf("Last = %v, %v, want 0", last, err)
	}
	if _, err := log.Get(t.Context(), 0); !errors.Is(err, journal.ErrNotFound) {
		t.Errorf("Get(0) = %v, want ErrNotFound", err)
	}
}

func testReadBack(t *testing.T, log Log) {
	want := fill(t, log, 100)
	at, err := log.Append(t.Context(), journal.Entry{})
	if err != nil {
		t.Fatalf("Append of an empty entry: %v", err)
	}
	want = append(want, journal.Record{Position: at, Partition: journal.PartitionOf("")})
	same(t, readAll(t, log, 0), want)
	if last, err := log.Last(t.Context()); last != at || err != nil {
		t.Errorf("Last = %v, %v, want %v", last, err, at)
	}
}

func testResume(t *testing.T, log Log) {
	want := fill(t, log, 60)
	for i := range want {
		same(t, readAll(t, log, want[i].Position), want[i+1:])
	}
}

func testGet(t *testing.T, log Log) {
	for _, want := range fill(t, log, 20) {
		got, err := log.Get(t.Context(), want.Position)
		if err != nil {
			t.Fatalf("Get(%v): %v", want.Position, err)
		}
		same(t, []journal.Record{got}, []journal.Record{want})
	}
	last, err := log.Last(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []journal.Position{last + 1, last + 1<<20} {
		if _, err := log.Get(t.Context(), at); !errors.Is(err, journal.ErrNotFound) {
			t.Errorf("Get(%v) = %v, want ErrNotFound", at, err)
		}
	}
}

func testAsync(t *testing.T, log Log) {
	const n = 500
	positions := make(chan journal.Position, n)
	for i := range n {
		e := journal.Entry{Key: "T1", Data: fmt.Appendf(nil, "%d", i)}
		err := log.AppendAsync(e, func(at journal.Position, err error) {
			if err != nil {
				t.Errorf("done: %v", err)
			}
			positions <- at
		})
		if err != nil {
			t.Fatalf("AppendAsync %d: %v", i, err)
		}
	}
	var got []journal.Position
	for range n {
		got = append(got, <-positions)
	}
	if !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != n {
		t.Error("positions are not distinct and in the order of the calls")
	}
	for i, r := range readAll(t, log, 0) {
		if r.Position != got[i] || string(r.Data) != fmt.Sprint(i) {
			t.Fatalf("record %d is %v %q, want %v", i, r.Position, r.Data, got[i])
		}
	}
}

func testKeyOrder(t *testing.T, log Log) {
	const keys, each = 16, 50
	done := make(chan error, keys)
	for k := range keys {
		go func() {
			for i := range each {
				if _, err := log.Append(context.WithoutCancel(t.Context()), journal.Entry{Key: fmt.Sprint(k), Data: []byte{byte(i)}}); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range keys {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	next := make(map[string]byte)
	for _, r := range readAll(t, log, 0) {
		if r.Data[0] != next[r.Key] {
			t.Fatalf("key %s: entry %d comes where %d should", r.Key, r.Data[0], next[r.Key])
		}
		next[r.Key]++
	}
	if len(next) != keys {
		t.Errorf("%d keys, want %d", len(next), keys)
	}
}

func testFollow(t *testing.T, log Log) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	want := fill(t, log, 30)
	start := want[9].Position
	seen := make(chan journal.Record, 100)
	ended := make(chan error, 1)
	go func() {
		ended <- log.Follow(ctx, start, func(r journal.Record) error { seen <- r; return nil })
	}()
	want = want[10:]
	var got []journal.Record
	for range 20 {
		got = append(got, <-seen)
	}
	for range 5 {
		want = append(want, fill(t, log, 3)...)
		for range 3 {
			got = append(got, <-seen)
		}
	}
	same(t, got, want)
	if s := log.Stats(); s.Readers != 1 {
		t.Errorf("Stats.Readers = %d while one follows", s.Readers)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Follow ended with %v, want the cause of ctx", err)
	}
}

func testAhead(t *testing.T, log Log) {
	fill(t, log, 3)
	last, err := log.Last(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ahead := last + 1<<12
	never := func(journal.Record) error { t.Error("a record from beyond the end"); return nil }
	if err := log.Read(t.Context(), ahead, never); !errors.Is(err, journal.ErrAhead) {
		t.Errorf("Read = %v, want ErrAhead", err)
	}
	if err := log.Follow(t.Context(), ahead, never); !errors.Is(err, journal.ErrAhead) {
		t.Errorf("Follow = %v, want ErrAhead", err)
	}
}

func testTooLarge(t *testing.T, log Log) {
	largest := journal.Entry{Key: strings.Repeat("k", journal.MaxKeyBytes), Data: make([]byte, journal.MaxDataBytes)}
	if _, err := log.Append(t.Context(), largest); err != nil {
		t.Errorf("Append of the largest entry: %v", err)
	}
	done := func(journal.Position, error) { t.Error("done was called for a refused entry") }
	for _, e := range []journal.Entry{
		{Key: largest.Key + "k"},
		{Key: "T1", Data: make([]byte, journal.MaxDataBytes+1)},
	} {
		if _, err := log.Append(t.Context(), e); !errors.Is(err, journal.ErrTooLarge) {
			t.Errorf("Append = %v, want ErrTooLarge", err)
		}
		if err := log.AppendAsync(e, done); !errors.Is(err, journal.ErrTooLarge) {
			t.Errorf("AppendAsync = %v, want ErrTooLarge", err)
		}
	}
	if got := readAll(t, log, 0); len(got) != 1 || len(got[0].Data) != journal.MaxDataBytes {
		t.Errorf("%d records, want the largest one", len(got))
	}
}

func testStopsWithError(t *testing.T, log Log) {
	fill(t, log, 10)
	stop := errors.New("enough")
	for name, read := range map[string]func(context.Context, journal.Position, func(journal.Record) error) error{"Read": log.Read, "Follow": log.Follow} {
		n := 0
		err := read(t.Context(), 0, func(journal.Record) error {
			if n++; n == 4 {
				return stop
			}
			return nil
		})
		if !errors.Is(err, stop) || n != 4 {
			t.Errorf("%s gave %v after %d records, want the error of the fourth", name, err, n)
		}
	}
}

func testStats(t *testing.T, log Log) {
	want := fill(t, log, 25)
	s := log.Stats()
	if s.Appended != 25 || s.Batches > 25 || min(s.Batches, s.Bytes, s.StoredBytes, s.DiskBytes) == 0 {
		t.Errorf("counts: %+v", s)
	}
	if s.First == 0 || s.First > want[0].Position || s.Last < s.First || s.Last > want[24].Position {
		t.Errorf("First %v, Last %v, want them around %v and %v", s.First, s.Last, want[0].Position, want[24].Position)
	}
	quiet := journal.Stats{
		Appended: s.Appended, Batches: s.Batches, Bytes: s.Bytes, StoredBytes: s.StoredBytes,
		First: s.First, Last: s.Last, DiskBytes: s.DiskBytes,
	}
	if s != quiet {
		t.Errorf("a quiet journal has %+v", s)
	}
}

func testClose(t *testing.T, log Log) {
	fill(t, log, 5)
	const n = 200
	results := make(chan error, n)
	for range n {
		if err := log.AppendAsync(journal.Entry{Key: "T1"}, func(_ journal.Position, err error) { results <- err }); err != nil {
			t.Fatal(err)
		}
	}
	started, ended := make(chan struct{}, 1000), make(chan error, 1)
	go func() {
		ended <- log.Follow(t.Context(), 0, func(journal.Record) error { started <- struct{}{}; return nil })
	}()
	<-started
	if err := log.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	if err := <-ended; !errors.Is(err, journal.ErrClosed) {
		t.Errorf("Follow ended with %v, want ErrClosed", err)
	}
	if len(results) != n {
		t.Errorf("%d of %d done functions had been called when Close returned", len(results), n)
	}
	for range len(results) {
		if err := <-results; err != nil {
			t.Errorf("an entry accepted before Close failed: %v", err)
		}
	}
	closedMethods(t, log)
}

// closedMethods checks that nothing works any more, and that closing again does
// no harm.
func closedMethods(t *testing.T, log Log) {
	t.Helper()
	_, appendErr := log.Append(t.Context(), journal.Entry{})
	_, getErr := log.Get(t.Context(), 1<<10)
	_, lastErr := log.Last(t.Context())
	never := func(journal.Record) error { t.Error("a record from a closed journal"); return nil }
	for name, err := range map[string]error{
		"Append":      appendErr,
		"AppendAsync": log.AppendAsync(journal.Entry{}, func(journal.Position, error) { t.Error("done was called") }),
		"Read":        log.Read(t.Context(), 0, never),
		"Follow":      log.Follow(t.Context(), 0, never),
		"Get":         getErr,
		"Last":        lastErr,
	} {
		if !errors.Is(err, journal.ErrClosed) {
			t.Errorf("%s after Close = %v, want ErrClosed", name, err)
		}
	}
	if err := log.Close(); err != nil {
		t.Errorf("Close again: %v", err)
	}
}
