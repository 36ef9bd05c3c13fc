// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Read calls fn for every entry after the position, in order, up to the end of
// the journal at the time of the call. 0 starts with the oldest entry kept. It
// stops with fn's error, with ErrAhead, ErrVersion or ErrClosed, or when ctx
// ends. Entries that retention removed before they could be read are counted in
// Stats.Missed and logged. fn must not call Close.
func (j *Journal) Read(ctx context.Context, after Position, fn func(Record) error) error {
	state, err := j.state(ctx)
	if err != nil {
		return err
	}
	return j.run(ctx, &reader{j: j, after: after, until: state.LastSeq, fn: fn}, state)
}

// Follow is Read that goes on with entries as they become durable, until fn
// fails, ctx ends (it returns the cause) or the journal is closed.
func (j *Journal) Follow(ctx context.Context, after Position, fn func(Record) error) error {
	state, err := j.state(ctx)
	if err != nil {
		return err
	}
	return j.run(ctx, &reader{j: j, after: after, until: forEver, fn: fn}, state)
}

// Get returns the entry at a position, or ErrNotFound.
func (j *Journal) Get(ctx context.Context, at Position) (Record, error) {
	msg, err := j.message(ctx, at.seq())
	if err != nil {
		return Record{}, err
	}
	entries, err := decode(msg.Data)
	if err != nil {
		return Record{}, fmt.Errorf("journal: get %v: %w", at, err)
	}
	if at.index() >= len(entries) {
		return Record{}, fmt.Errorf("%w: %v", ErrNotFound, at)
	}
	return record(at, msg.Time, entries[at.index()]), nil
}

// Last returns the position of the newest entry; 0 when there never was one.
// When retention has removed all entries, it is a position after them.
func (j *Journal) Last(ctx context.Context) (Position, error) {
	state, err := j.state(ctx)
	if err != nil || state.LastSeq == 0 {
		return 0, err
	}
	last := newPosition(state.LastSeq, MaxBatchEntries-1)
	msg, err := j.message(ctx, state.LastSeq)
	if errors.Is(err, ErrNotFound) {
		return last, nil
	} else if err != nil {
		return 0, err
	}
	if entries, err := decode(msg.Data); err == nil {
		last = newPosition(state.LastSeq, len(entries)-1)
	}
	return last, nil
}

// state asks for the stream's first and last sequence.
func (j *Journal) state(ctx context.Context) (jetstream.StreamState, error) {
	ctx, cancel := j.withTimeout(ctx)
	defer cancel()
	info, err := j.stream.Info(ctx)
	if err != nil {
		return jetstream.StreamState{}, j.readError("state", err)
	}
	return info.State, nil
}

// message fetches one message by its sequence.
func (j *Journal) message(ctx context.Context, seq uint64) (*jetstream.RawStreamMsg, error) {
	if seq == 0 {
		return nil, fmt.Errorf("%w: there is none before the first", ErrNotFound)
	}
	ctx, cancel := j.withTimeout(ctx)
	defer cancel()
	msg, err := j.stream.GetMsg(ctx, seq)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, fmt.Errorf("%w: batch %d", ErrNotFound, seq)
	} else if err != nil {
		return nil, j.readError("get", err)
	}
	return msg, nil
}

// readError names the operation, and says ErrClosed when that is the reason.
func (j *Journal) readError(op string, err error) error {
	if j.life.Err() != nil || errors.Is(err, nats.ErrConnectionClosed) {
		return ErrClosed
	}
	return fmt.Errorf("journal: %s: %w", op, err)
}

// record makes a Record of an entry.
func record(at Position, stored time.Time, e Entry) Record {
	return Record{Position: at, Time: stored, Partition: PartitionOf(e.Key), Key: e.Key, Data: e.Data}
}
