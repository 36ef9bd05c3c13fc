// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/tillmend/tillmend/internal/gateway"
)

func TestQueueDropsAndCounts(t *testing.T) {
	q := gateway.NewQueue[int](2)
	for i, want := range []bool{true, true, false, false} {
		if got := q.Offer(i); got != want {
			t.Errorf("Offer(%d) = %v, want %v", i, got, want)
		}
	}
	if q.Len() != 2 || q.Dropped() != 2 {
		t.Errorf("%d wait and %d were dropped, want 2 and 2", q.Len(), q.Dropped())
	}
	if a, b := <-q.C(), <-q.C(); a != 0 || b != 1 {
		t.Errorf("got %d and %d, want the first two in order", a, b)
	}
	if !q.Offer(9) {
		t.Error("an empty queue refused an item")
	}
	if least := gateway.NewQueue[int](-1); !least.Offer(1) || least.Offer(2) {
		t.Error("a queue without room must hold one item")
	}
}

func TestQueueLosesNothingUncounted(t *testing.T) {
	const producers, each = 8, 5000
	q := gateway.NewQueue[int](64)
	var producing, consuming sync.WaitGroup
	taken, stop := 0, make(chan struct{})
	consuming.Go(func() {
		for {
			select {
			case <-q.C():
				taken++
			case <-stop:
				return
			}
		}
	})
	for range producers {
		producing.Go(func() {
			for i := range each {
				q.Offer(i)
			}
		})
	}
	producing.Wait()
	close(stop)
	consuming.Wait()
	if total := taken + q.Len() + int(q.Dropped()); total != producers*each {
		t.Fatalf("%d taken, %d waiting, %d dropped: %d in all, want %d", taken, q.Len(), q.Dropped(), total, producers*each)
	}
}

// TestGatherTakesWhatWaits: gathering takes everything in order and never waits.
func TestGatherTakesWhatWaits(t *testing.T) {
	q := gateway.NewQueue[int](8)
	for i := range 5 {
		q.Offer(i)
	}
	var got []int
	if n := q.Gather(func(i int) { got = append(got, i) }); n != 5 || !slices.Equal(got, []int{0, 1, 2, 3, 4}) {
		t.Errorf("gathered %d: %v", n, got)
	}
	if n := q.Gather(func(int) { t.Error("something came out of an empty queue") }); n != 0 {
		t.Errorf("gathered %d from an empty queue", n)
	}
}
