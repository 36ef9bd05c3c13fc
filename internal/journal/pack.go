// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"
)

// Append stores an entry and returns its position once it is durable. It waits
// for room when the journal is busy; ctx bounds the whole wait. When ctx ends
// after the entry has been queued, the entry may be stored all the same.
func (j *Journal) Append(ctx context.Context, e Entry) (Position, error) {
	if err := e.Validate(); err != nil {
		return 0, err
	}
	type result struct {
		at  Position
		err error
	}
	stored := make(chan result, 1)
	done := func(at Position, err error) { stored <- result{at, err} }
	for {
		room, err := j.queue.put(pending{e, done})
		if err == nil {
			break
		}
		if !errors.Is(err, ErrBackpressure) {
			return 0, err
		}
		select {
		case <-room:
		case <-ctx.Done():
			return 0, fmt.Errorf("%w: %w", err, context.Cause(ctx))
		}
	}
	select {
	case r := <-stored:
		return r.at, r.err
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}

// AppendAsync queues an entry and returns at once. done is called exactly once
// when nil was returned, and never otherwise: with the position when the entry
// is durable, or with the error. Done functions are called one after another, in
// the order of the entries, and hold up the next batch: they must be quick and
// must not call Append or Close. AppendAsync returns ErrBackpressure when too
// much waits already.
func (j *Journal) AppendAsync(e Entry, done func(Position, error)) error {
	if err := e.Validate(); err != nil {
		return err
	}
	_, err := j.queue.put(pending{e, done})
	if errors.Is(err, ErrBackpressure) {
		j.counts.refused.Add(1)
	}
	return err
}

// pack turns what waits into batches until the queue is closed and empty.
func (j *Journal) pack(reserve *reserve) {
	defer close(j.packed)
	var enc encoder
	batch, more := j.queue.take(nil)
	for more {
		seq, err := j.write(batch, &enc, reserve)
		for i, p := range batch {
			if err != nil {
				p.done(0, err)
			} else {
				p.done(newPosition(seq, i), nil)
			}
		}
		clear(batch)
		batch, more = j.queue.take(batch)
	}
}

// write makes one batch durable and gives its sequence in the stream.
func (j *Journal) write(batch []pending, enc *encoder, reserve *reserve) (uint64, error) {
	n := uint64(len(batch))
	if err := reserve.check(); err != nil {
		j.counts.refused.Add(n)
		return 0, err
	}
	envelope := enc.encode(batch)
	seq, err := j.publish(envelope)
	switch {
	case errors.Is(err, ErrFull):
		j.counts.refused.Add(n)
		return 0, err
	case err != nil:
		j.counts.failed.Add(n)
		j.log.Error("journal batch failed", "entries", n, "err", err)
		j.mend()
		return 0, err
	}
	j.counts.appended.Add(n)
	j.counts.batches.Add(1)
	j.counts.bytes.Add(uint64(len(enc.body)))
	j.counts.storedBytes.Add(uint64(len(envelope)))
	return seq, nil
}

// How an external server is tried again. A connection that breaks, or a leader
// that goes, takes acknowledgements with it; the message's id lets the server
// recognise what it has already stored.
const (
	attemptTimeout  = 2 * time.Second        // an acknowledgement takes milliseconds; one that takes seconds is lost
	sendAgain       = 100 * time.Millisecond // pause when the server said at once that it cannot
	duplicateWindow = time.Minute            // how long the server remembers ids, at some 140 bytes each
)

// publish sends one envelope and waits for the acknowledgement. To an external
// server it is sent until AckTimeout has passed. The embedded one is asked once:
// if it is silent its store has failed, and mend must repair it.
func (j *Journal) publish(envelope []byte) (uint64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), j.cfg.AckTimeout)
	defer cancel()
	msg := &nats.Msg{Subject: packedSubject, Data: envelope}
	if j.engine != nil {
		return j.attempt(ctx, msg, j.cfg.AckTimeout)
	}
	id := jetstream.WithMsgID(nuid.Next())
	for {
		seq, err := j.attempt(ctx, msg, attemptTimeout, id)
		if err == nil || errors.Is(err, ErrFull) {
			return seq, err
		}
		select {
		case <-time.After(sendAgain):
		case <-ctx.Done():
			return 0, err
		}
	}
}

// attempt sends the message once.
func (j *Journal) attempt(ctx context.Context, msg *nats.Msg, timeout time.Duration, opts ...jetstream.PublishOpt) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	ack, err := j.js.PublishMsg(ctx, msg, append(opts, jetstream.WithRetryAttempts(0))...)
	if err != nil {
		return 0, j.publishError(err)
	}
	return ack.Sequence, nil
}

// publishError tells a refusal for want of room from a fault. A fault says
// nothing of whether the batch was stored.
func (j *Journal) publishError(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("journal: append, outcome unknown: no acknowledgement within %v: %w", j.cfg.AckTimeout, err)
	}
	if api, ok := errors.AsType[*jetstream.APIError](err); ok {
		switch server.ErrorIdentifier(api.ErrorCode) { //nolint:exhaustive // the others are faults
		case server.JSStreamStoreFailedF: // in this stream only MaxBytes with KeepAll
			return fmt.Errorf("%w: it has reached MaxBytes and keeps all: raise MaxBytes, or shorten MaxAge (%w)", ErrFull, err)
		case server.JSInsufficientResourcesErr, server.JSStorageResourcesExceededErr:
			return fmt.Errorf("%w: the server's storage limit is reached: raise its max_file_store or the account's limit (%w)", ErrFull, err)
		}
	}
	return fmt.Errorf("journal: append, outcome unknown: %w", err)
}

// mend restarts the embedded store after a batch failed. A failed write leaves
// the server's store refusing all further ones; opening it anew reads back what
// is on disk, drops a torn tail, and goes on.
func (j *Journal) mend() {
	if j.engine == nil {
		return
	}
	if err := j.engine.restart(); err != nil {
		j.log.Error("journal store cannot be reopened", "dir", j.cfg.Dir, "err", err)
		return
	}
	j.log.Warn("journal store reopened after a failed batch", "dir", j.cfg.Dir)
}
