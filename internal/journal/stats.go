// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"context"
	"sync/atomic"
)

// Stats is a snapshot for the metrics page. Counts are since Open.
type Stats struct {
	Appended    uint64 // entries that became durable
	Batches     uint64 // messages that carried them
	Bytes       uint64 // of the batches before compression
	StoredBytes uint64 // of the batches as they were stored
	Refused     uint64 // entries refused with ErrBackpressure (by AppendAsync) or ErrFull
	Failed      uint64 // entries whose outcome is unknown
	Waiting     int    // entries that wait for the disk now
	Missed      uint64 // batches that were removed before a reader got to them
	Damaged     uint64 // batches that readers skipped as damaged

	First     Position // of the oldest batch kept; 0 in an empty journal
	Last      Position // of the newest batch
	DiskBytes uint64   // what the stream takes on disk
	Readers   int      // calls of Read and Follow that are running
	Lag       uint64   // batches that the slowest of them has still to hand over
}

// counters are the parts of Stats that are counted here.
type counters struct {
	appended, batches, bytes, storedBytes, refused, failed, missed, damaged atomic.Uint64
}

// Stats returns the figures of now. First, Last, DiskBytes and Lag stay 0 when
// the server does not answer.
func (j *Journal) Stats() Stats {
	s := Stats{
		Appended:    j.counts.appended.Load(),
		Batches:     j.counts.batches.Load(),
		Bytes:       j.counts.bytes.Load(),
		StoredBytes: j.counts.storedBytes.Load(),
		Refused:     j.counts.refused.Load(),
		Failed:      j.counts.failed.Load(),
		Waiting:     j.queue.depth(),
		Missed:      j.counts.missed.Load(),
		Damaged:     j.counts.damaged.Load(),
	}
	state, err := j.state(context.Background())
	if err == nil && state.Msgs > 0 {
		s.First, s.Last = newPosition(state.FirstSeq, 0), newPosition(state.LastSeq, 0)
		s.DiskBytes = state.Bytes
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	s.Readers = len(j.readers)
	for r := range j.readers {
		if seen := r.seen.Load(); seen < state.LastSeq {
			s.Lag = max(s.Lag, state.LastSeq-seen)
		}
	}
	return s
}
