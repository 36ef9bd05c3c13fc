// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestFullDisk(t *testing.T) {
	var free atomic.Uint64
	free.Store(2 << 30)
	j, err := open(t.Context(), Config{Dir: t.TempDir(), MinFreeBytes: 1 << 30}, testLog(t),
		func(string) (uint64, error) { return free.Load(), nil })
	if err != nil {
		t.Fatal(err)
	}
	defer mustClose(t, j)
	first := mustAppend(t, j, Entry{Key: "T1"})

	free.Store(1<<30 - 1)
	_, err = j.Append(t.Context(), Entry{Key: "T1"})
	if !errors.Is(err, ErrFull) || !strings.Contains(err.Error(), "make room") {
		t.Fatalf("Append on a full disk = %v, want ErrFull with what to do", err)
	}
	if s := j.Stats(); s.Refused != 1 || s.Appended != 1 {
		t.Errorf("%+v, want one appended, one refused", s)
	}

	free.Store(1 << 30)
	second := mustAppend(t, j, Entry{Key: "T1"})
	if got := readAll(t, j); len(got) != 2 || got[0].Position != first || got[1].Position != second {
		t.Errorf("%d records, want the two that were acknowledged", len(got))
	}
}

func TestUnmeasurableDisk(t *testing.T) {
	cause := errors.New("no such device")
	j, err := open(t.Context(), Config{Dir: t.TempDir()}, testLog(t), func(string) (uint64, error) { return 0, cause })
	if err != nil {
		t.Fatal(err)
	}
	defer mustClose(t, j)
	if _, err := j.Append(t.Context(), Entry{}); !errors.Is(err, ErrFull) || !errors.Is(err, cause) {
		t.Errorf("Append = %v, want ErrFull and the cause", err)
	}
}

// incompressible gives an entry that takes its whole size on disk.
func incompressible() Entry {
	e := Entry{Key: "T1", Data: make([]byte, 100<<10)}
	rand.Read(e.Data)
	return e
}

func TestKeepAllRefuses(t *testing.T) {
	j := openTest(t, Config{Dir: t.TempDir(), MaxBytes: minMaxBytes, KeepAll: true})
	stored := 0
	var err error
	for err == nil {
		if _, err = j.Append(t.Context(), incompressible()); err == nil {
			stored++
		}
	}
	if !errors.Is(err, ErrFull) || !strings.Contains(err.Error(), "MaxBytes") {
		t.Fatalf("Append = %v, want ErrFull that names MaxBytes", err)
	}
	if got := readAll(t, j); len(got) != stored || stored < 5 {
		t.Errorf("%d records kept of %d stored", len(got), stored)
	}
}

func TestSizeRetention(t *testing.T) {
	j := openTest(t, Config{Dir: t.TempDir(), MaxBytes: minMaxBytes})
	first := mustAppend(t, j, incompressible())
	for range 30 {
		mustAppend(t, j, incompressible())
	}
	if _, err := j.Get(t.Context(), first); !errors.Is(err, ErrNotFound) {
		t.Errorf("Get of a removed entry = %v, want ErrNotFound", err)
	}
	kept := readAll(t, j)
	if len(kept) == 0 || len(kept) > 10 {
		t.Errorf("%d entries of 100 KiB kept in 1 MiB", len(kept))
	}
	if s := j.Stats(); s.DiskBytes > minMaxBytes || s.First != kept[0].Position || s.Missed != 0 {
		t.Errorf("%+v: want at most 1 MiB from %v on, and nothing missed by a new reader", s, kept[0].Position)
	}

	// A reader that was here before is told what it missed.
	resumed := 0
	if err := j.Read(t.Context(), first, func(Record) error { resumed++; return nil }); err != nil {
		t.Fatal(err)
	}
	if missed := j.Stats().Missed; resumed != len(kept) || missed != uint64(30-len(kept)) {
		t.Errorf("resumed with %d records, %d batches missed; want %d and %d", resumed, missed, len(kept), 30-len(kept))
	}
}

func TestAgeRetention(t *testing.T) {
	dir := t.TempDir()
	j := openTest(t, Config{Dir: dir, MaxAge: minMaxAge})
	old := mustAppend(t, j, Entry{Key: "T1", Data: []byte("old")})
	gone := func() bool { _, err := j.Get(t.Context(), old); return errors.Is(err, ErrNotFound) }
	for tick := time.NewTicker(5 * time.Millisecond); !gone(); {
		<-tick.C
	}
	if got := readAll(t, j); len(got) != 0 {
		t.Errorf("%d records after all have expired", len(got))
	}
	last, err := j.Last(t.Context())
	if err != nil || last < old {
		t.Errorf("Last = %v, %v, want a position after %v", last, err, old)
	}
	if err := j.Read(t.Context(), last, func(Record) error { return nil }); err != nil {
		t.Errorf("Read after Last: %v", err)
	}

	// The position of an entry that comes after is higher, also after a restart
	// with another limit.
	mustClose(t, j)
	j = openTest(t, Config{Dir: dir, MaxAge: time.Hour})
	if at := mustAppend(t, j, Entry{Key: "T1", Data: []byte("new")}); at <= last {
		t.Errorf("new entry at %v, want it after %v", at, last)
	}
	if got := readAll(t, j); len(got) != 1 || string(got[0].Data) != "new" {
		t.Errorf("%d records, want the new one", len(got))
	}
}

func TestBackpressure(t *testing.T) {
	j := openTest(t, Config{Dir: t.TempDir()})
	release, stalled := make(chan struct{}), make(chan struct{})
	if err := j.AppendAsync(Entry{Key: "stall"}, func(Position, error) { close(stalled); <-release }); err != nil {
		t.Fatal(err)
	}
	<-stalled // the packer now waits for us, and everything else for the packer
	var acked atomic.Uint64
	accepted := uint64(0)
	done := func(_ Position, err error) {
		if err == nil {
			acked.Add(1)
		}
	}
	var err error
	for ; err == nil; accepted++ {
		err = j.AppendAsync(Entry{Key: "T1"}, done)
	}
	accepted-- // the last one was not
	if !errors.Is(err, ErrBackpressure) || accepted != maxQueueEntries {
		t.Fatalf("AppendAsync = %v after %d entries, want ErrBackpressure after %d", err, accepted, maxQueueEntries)
	}

	// Append waits for room, as long as its context allows.
	ctx, cancel := context.WithCancelCause(t.Context())
	gaveUp := errors.New("gave up")
	waiting := make(chan error, 2)
	go func() { _, err := j.Append(ctx, Entry{Key: "T2"}); waiting <- err }()
	cancel(gaveUp)
	if err := <-waiting; !errors.Is(err, gaveUp) || !errors.Is(err, ErrBackpressure) {
		t.Errorf("Append = %v, want the cause and ErrBackpressure", err)
	}
	go func() { _, err := j.Append(t.Context(), Entry{Key: "T2"}); waiting <- err }()
	close(release)
	if err := <-waiting; err != nil {
		t.Errorf("Append after room was made: %v", err)
	}
	mustClose(t, j)
	if s := j.Stats(); acked.Load() != accepted || s.Refused != 1 || s.Appended != accepted+2 {
		t.Errorf("%d of %d acknowledged, %+v", acked.Load(), accepted, s)
	}
}

// fullQueue gives a queue that takes no more of its large entries.
func fullQueue(t *testing.T) (q *queue, large pending, n int) {
	t.Helper()
	q = newQueue()
	large = pending{entry: Entry{Data: make([]byte, MaxDataBytes)}}
	for ; (n+1)*large.size() <= maxQueueBytes; n++ {
		if _, err := q.put(large); err != nil {
			t.Fatalf("put %d: %v", n, err)
		}
	}
	return q, large, n
}

func TestQueueAnnouncesRoom(t *testing.T) {
	q, large, _ := fullQueue(t)
	room, err := q.put(large)
	if !errors.Is(err, ErrBackpressure) {
		t.Fatalf("put beyond maxQueueBytes = %v, want ErrBackpressure", err)
	}
	if batch, more := q.take(nil); len(batch) != 1 || !more {
		t.Errorf("a batch of %d large entries, want 1: two do not fit", len(batch))
	}
	select {
	case <-room:
	default:
		t.Error("room was not announced")
	}
	if _, err := q.put(large); err != nil {
		t.Errorf("put after room was made: %v", err)
	}
}

func TestQueueCloses(t *testing.T) {
	q, large, n := fullQueue(t)
	q.close()
	q.close()
	if _, err := q.put(large); !errors.Is(err, ErrClosed) {
		t.Errorf("put after close = %v, want ErrClosed", err)
	}
	for left := n; left > 0; left-- {
		if batch, more := q.take(nil); len(batch) != 1 || !more {
			t.Fatalf("%d entries left: took %d", left, len(batch))
		}
	}
	if batch, more := q.take(nil); more || len(batch) != 0 || q.depth() != 0 || q.bytes != 0 {
		t.Errorf("the closed queue is not empty: %d taken, %d left, %d bytes", len(batch), q.depth(), q.bytes)
	}
}

func TestQueueBatches(t *testing.T) {
	q := newQueue()
	for i := range 2*MaxBatchEntries + 1 {
		if _, err := q.put(pending{entry: Entry{Key: fmt.Sprint(i)}}); err != nil {
			t.Fatal(err)
		}
	}
	next := 0
	for _, want := range []int{MaxBatchEntries, MaxBatchEntries, 1} {
		batch, _ := q.take(nil)
		if len(batch) != want {
			t.Fatalf("a batch of %d, want %d", len(batch), want)
		}
		for _, p := range batch {
			if p.entry.Key != fmt.Sprint(next) {
				t.Fatalf("entry %s where %d should be", p.entry.Key, next)
			}
			next++
		}
	}
}
