// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// forEver is the end of a reader that follows.
const forEver = math.MaxUint64

// How a reader asks the server for batches.
const (
	maxPulledBatches = 64               // bounds a reader's memory to about 16 MB
	readerHeartbeat  = time.Second      // after two missing ones the reader's cursor is made anew
	readerIdle       = 30 * time.Second // the server forgets the cursor of a reader that has gone
	readerRetry      = 500 * time.Millisecond
	maxQuiet         = 2 * time.Second // without a batch for so long, a replay looks whether any is left
)

// errCursorLost means that reading can go on with a new server-side cursor.
var errCursorLost = errors.New("journal reader interrupted")

// reader is one call of Read or Follow.
type reader struct {
	j     *Journal
	after Position // everything up to here has been handed over
	until uint64   // the last sequence to read, or forEver
	fn    func(Record) error
	seen  atomic.Uint64 // the last sequence handed over, or that the reader started after
}

// run registers the reader, lets it read, and ends it with the journal.
func (j *Journal) run(ctx context.Context, r *reader, state jetstream.StreamState) error {
	switch {
	case r.after.seq() > state.LastSeq:
		return fmt.Errorf("%w: asked to go on after %v, the last batch is %d", ErrAhead, r.after, state.LastSeq)
	case state.Msgs == 0 && r.until != forEver:
		return nil
	case r.after > 0:
		r.seen.Store(r.after.seq())
	case state.FirstSeq > 0: // a new reader has not missed what is gone already
		r.seen.Store(state.FirstSeq - 1)
	}
	if err := j.admit(r); err != nil {
		return err
	}
	defer j.dismiss(r)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(j.life, func() { cancel(ErrClosed) })() //nolint:contextcheck // a second reason to end, beside ctx
	return r.read(ctx)
}

// admit counts the reader among those that Close waits for.
func (j *Journal) admit(r *reader) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return ErrClosed
	}
	j.reading.Add(1)
	j.readers[r] = struct{}{}
	return nil
}

// dismiss undoes admit.
func (j *Journal) dismiss(r *reader) {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.readers, r)
	j.reading.Done()
}

// read hands over batches until the end, an error, or the end of ctx. When the
// server or the connection fails it tries again from where it is.
func (r *reader) read(ctx context.Context) error {
	for {
		err := r.pull(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !errors.Is(err, errCursorLost) {
			return err
		}
		r.j.log.WarnContext(ctx, "journal reader lost its place and looks for it again", "after", r.after, "err", err)
		select {
		case <-time.After(readerRetry):
		case <-ctx.Done():
		}
	}
}

// pull reads by one server-side cursor.
func (r *reader) pull(ctx context.Context) error {
	cursor, err := r.open(ctx)
	if err != nil {
		return err
	}
	defer r.leave(ctx, cursor)
	batches, err := cursor.Messages(jetstream.PullMaxMessages(maxPulledBatches), jetstream.PullHeartbeat(readerHeartbeat))
	if err != nil {
		return fmt.Errorf("%w: %w", errCursorLost, err)
	}
	defer context.AfterFunc(ctx, batches.Stop)()
	defer batches.Stop()
	for {
		msg, err := batches.Next(jetstream.NextMaxWait(maxQuiet))
		switch {
		case errors.Is(err, nats.ErrTimeout):
			if r.exhausted(ctx, cursor) {
				return nil
			}
			continue
		case err != nil:
			return fmt.Errorf("%w: %w", errCursorLost, err)
		case ctx.Err() != nil:
			return context.Cause(ctx)
		}
		if ended, err := r.deliver(msg); ended || err != nil {
			return err
		}
	}
}

// open makes the server-side cursor. The batch of the start position is read
// again, because only the batch tells whether it has more entries.
func (r *reader) open(ctx context.Context) (jetstream.Consumer, error) {
	start := r.after.seq()
	if start == 0 {
		start = r.seen.Load() + 1
	}
	ctx, cancel := r.j.withTimeout(ctx)
	defer cancel()
	cursor, err := r.j.js.OrderedConsumer(ctx, streamName, jetstream.OrderedConsumerConfig{
		DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:       start,
		InactiveThreshold: readerIdle,
		MaxResetAttempts:  1, // more would be made without regard to ctx; read makes them
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errCursorLost, err)
	}
	return cursor, nil
}

// leave removes the server-side cursor; the server would do so after readerIdle.
func (r *reader) leave(ctx context.Context, cursor jetstream.Consumer) {
	if r.j.life.Err() != nil {
		return
	}
	ctx, cancel := r.j.withTimeout(context.WithoutCancel(ctx))
	defer cancel()
	err := r.j.js.DeleteConsumer(ctx, streamName, cursor.CachedInfo().Name)
	if err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
		r.j.log.DebugContext(ctx, "journal reader's cursor is left to the server", "err", err)
	}
}

// deliver hands over the entries of one batch. It reports true at the end of a
// replay.
func (r *reader) deliver(msg jetstream.Msg) (ended bool, err error) {
	meta, err := msg.Metadata()
	if err != nil {
		return false, fmt.Errorf("journal: read: %w", err)
	}
	seq := meta.Sequence.Stream
	r.miss(min(seq, r.until))
	if seq > r.until {
		return true, nil
	}
	entries, err := decode(msg.Data())
	switch {
	case errors.Is(err, errDamaged):
		r.j.counts.damaged.Add(1)
		r.j.log.Error("journal batch skipped", "batch", seq, "err", err)
	case err != nil:
		return false, fmt.Errorf("journal: read batch %d: %w", seq, err)
	}
	for i, e := range entries {
		at := newPosition(seq, i)
		if at <= r.after {
			continue
		}
		if err := r.fn(record(at, meta.Timestamp, e)); err != nil {
			return false, err
		}
	}
	r.seen.Store(seq)
	r.after = newPosition(seq, MaxBatchEntries)
	return r.until != forEver && (seq == r.until || meta.NumPending == 0), nil
}

// miss counts the batches between the last one seen and seq, which retention or
// a repair of the store has removed.
func (r *reader) miss(seq uint64) {
	if next := r.seen.Load() + 1; seq > next {
		r.j.counts.missed.Add(seq - next)
		r.j.log.Warn("journal batches were removed before they were read", "count", seq-next, "before", seq)
	}
}

// exhausted tells, when a replay gets no more batches, whether that is because
// retention has removed the rest: the server has nothing pending, and everything
// that it delivered has been handed over.
func (r *reader) exhausted(ctx context.Context, cursor jetstream.Consumer) bool {
	if r.until == forEver {
		return false
	}
	ctx, cancel := r.j.withTimeout(ctx)
	defer cancel()
	info, err := cursor.Info(ctx)
	if err != nil {
		r.j.log.DebugContext(ctx, "journal reader waits for the server", "err", err)
		return false
	}
	return info.NumPending == 0 && info.Delivered.Stream <= r.seen.Load()
}
