// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"encoding/binary"
	"slices"
	"sync"
)

// Limits of what waits for the disk.
const (
	maxQueueEntries = 16_384   // some ten batches: about 0.1 s at the rate of a synced disk
	maxQueueBytes   = 32 << 20 // memory held by entries whose callers may have gone on
)

// pending is an entry that waits to become durable.
type pending struct {
	entry Entry
	done  func(Position, error) // called exactly once by the packer
}

// size is what the entry takes in a batch.
func (p pending) size() int {
	return len(p.entry.Key) + len(p.entry.Data) + 2*binary.MaxVarintLen32
}

// queue holds the entries that wait, in order. Many put, one takes.
type queue struct {
	mu     sync.Mutex
	items  []pending
	bytes  int
	closed bool
	room   chan struct{} // closed and replaced whenever entries were taken, closed for good with the queue
	wake   chan struct{} // holds a token while there may be something to take
}

func newQueue() *queue {
	return &queue{room: make(chan struct{}), wake: make(chan struct{}, 1)}
}

// put adds an entry. When there is no room it returns ErrBackpressure and a
// channel that is closed once trying again makes sense.
func (q *queue) put(p pending) (room <-chan struct{}, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return nil, ErrClosed
	case len(q.items) >= maxQueueEntries || q.bytes+p.size() > maxQueueBytes:
		return q.room, ErrBackpressure
	}
	q.items = append(q.items, p)
	q.bytes += p.size()
	q.signal()
	return nil, nil
}

// take waits for entries and moves as many as one batch may hold into batch. It
// reports false when the queue is closed and empty.
func (q *queue) take(batch []pending) ([]pending, bool) {
	for {
		if taken, more := q.tryTake(batch); len(taken) > 0 || !more {
			return taken, more
		}
		<-q.wake
	}
}

// tryTake is take without waiting; more is false when nothing will ever come.
func (q *queue) tryTake(batch []pending) (taken []pending, more bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, bytes := 0, binary.MaxVarintLen32 // of the number of entries
	for n < min(len(q.items), MaxBatchEntries) && bytes+q.items[n].size() <= MaxBatchBytes {
		bytes += q.items[n].size()
		q.bytes -= q.items[n].size()
		n++
	}
	if n == 0 {
		return batch[:0], !q.closed
	}
	batch = append(batch[:0], q.items[:n]...)
	q.items = slices.Delete(q.items, 0, n)
	if !q.closed {
		close(q.room)
		q.room = make(chan struct{})
	}
	return batch, true
}

// close refuses further entries; those inside are still to be taken.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	q.closed = true
	close(q.room)
	q.signal()
}

// depth is the number of entries that wait.
func (q *queue) depth() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items)
}

// signal wakes the taker; mu is held.
func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}
