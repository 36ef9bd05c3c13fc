// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"sync/atomic"
	"time"
)

// Queue is a bounded queue whose producers never wait: what does not fit is
// dropped and counted. It stands between a [Stream] and slower work.
type Queue[T any] struct {
	items   chan T
	dropped atomic.Uint64
}

// NewQueue gives a queue for up to capacity items; capacity below one counts as one.
func NewQueue[T any](capacity int) *Queue[T] {
	return &Queue[T]{items: make(chan T, max(capacity, 1))}
}

// Offer puts v into the queue. When the queue is full it drops v, counts it and
// returns false. It never blocks and may be called from many goroutines.
func (q *Queue[T]) Offer(v T) bool {
	select {
	case q.items <- v:
		return true
	default:
		q.dropped.Add(1)
		return false
	}
}

// C gives the items in the order they were offered. It is never closed.
func (q *Queue[T]) C() <-chan T { return q.items }

// Gather takes what waits in the queue, without waiting itself, and gives how much
// that was.
//
// A consumer that goes back to waiting on C after every item is woken for every
// item, and the waking is paid on the payment's way. One that gathers, and then
// looks away for [Pause] before it waits again, is woken a thousand times a second
// at most.
func (q *Queue[T]) Gather(take func(T)) (n int) {
	for {
		select {
		case v := <-q.items:
			take(v)
			n++
		default:
			return n
		}
	}
}

// Pause is how long a consumer looks away after it has emptied a queue: far below
// what anybody notices, far above what a waking costs.
const Pause = time.Millisecond

// Len is the number of items that wait.
func (q *Queue[T]) Len() int { return len(q.items) }

// Dropped is the number of items that were dropped since the start.
func (q *Queue[T]) Dropped() uint64 { return q.dropped.Load() }
