// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/tillmend/tillmend/internal/estate"
	"github.com/tillmend/tillmend/internal/gateway"
	"github.com/tillmend/tillmend/internal/journal"
	"github.com/tillmend/tillmend/internal/tap"
	"github.com/tillmend/tillmend/internal/terminal"
	"github.com/tillmend/tillmend/internal/txn"
)

const (
	// onTheWay bounds the events that wait for the disk: four full batches.
	onTheWay = 4096
	// pairInterval is how often requests without an answer are looked for.
	pairInterval = time.Second
)

// appender is where events go.
type appender interface {
	AppendAsync(e journal.Entry, done func(journal.Position, error)) error
}

// item is what the tap hands over: a leg, or a connection event.
type item struct {
	leg  *txn.Leg
	link *txn.Link
}

// recorder takes what the tap saw off a bounded queue, pairs it and writes events
// to the journal. It is behind the queue, so it may wait for the disk; when it
// waits too long the queue drops and counts, and payments go on.
type recorder struct {
	queue    *gateway.Queue[item]
	log      *slog.Logger
	slots    chan struct{} // one for each event that waits for the disk
	recorded atomic.Uint64
	lost     atomic.Uint64 // events that the journal did not take
	unended  atomic.Uint64 // requests whose end the pairer did not see
	fault    atomic.Pointer[string]
	journal  appender
}

func newRecorder(queue int, log *slog.Logger) *recorder {
	return &recorder{queue: gateway.NewQueue[item](queue), log: log, slots: make(chan struct{}, onTheWay)}
}

// run pairs and records until ctx ends and the queue is empty, and then waits for
// the disk.
func (r *recorder) run(ctx context.Context, j appender, answerTimeout time.Duration, ticks <-chan time.Time) {
	r.journal = j
	pairs := txn.NewPairer(
		func(a txn.Attempt) { r.record(&terminal.Event{Terminal: a.Terminal, Attempt: &a}) },
		func(id estate.TerminalID, l txn.Link) { r.record(&terminal.Event{Terminal: id, Link: &l}) },
	)
	if answerTimeout > 0 {
		pairs.Timeout = answerTimeout
	}
	last := time.Time{}
	take := func(it item) {
		if it.leg != nil {
			last = it.leg.At
			pairs.Leg(*it.leg)
		} else {
			last = it.link.At
			pairs.Event(*it.link)
		}
	}
	pause := time.NewTimer(gateway.Pause)
	defer pause.Stop()
	for ctx.Err() == nil {
		select {
		case it := <-r.queue.C():
			take(it)
			if r.queue.Gather(take) > 0 {
				pause.Reset(gateway.Pause)
				<-pause.C
			}
		case now := <-ticks:
			pairs.Sweep(now)
			r.unended.Store(pairs.Dropped)
		case <-ctx.Done():
		}
	}
	r.queue.Gather(take)
	pairs.Flush(last)
	for range cap(r.slots) { // all that was on the way has arrived
		r.slots <- struct{}{}
	}
}

// record writes one event to the journal.
func (r *recorder) record(e *terminal.Event) {
	data, err := json.Marshal(e)
	if err != nil {
		r.lose(err) // unreachable: an event is plain data
		return
	}
	r.slots <- struct{}{}
	err = r.journal.AppendAsync(journal.Entry{Key: string(e.Terminal), Data: data}, func(_ journal.Position, err error) {
		<-r.slots
		if err != nil {
			r.lose(err)
			return
		}
		r.recorded.Add(1)
		r.fault.Store(nil)
	})
	if err != nil {
		<-r.slots
		r.lose(err)
	}
}

// lose counts an event that could not be recorded, and says why once for each
// reason in a row.
func (r *recorder) lose(err error) {
	r.lost.Add(1)
	text := err.Error()
	if before := r.fault.Swap(&text); before == nil || *before != text {
		r.log.Error("events are not recorded", "reason", err, "full", errors.Is(err, journal.ErrFull))
	}
}

// dropped counts what was seen and is not on record.
func (r *recorder) dropped() uint64 { return r.queue.Dropped() + r.lost.Load() + r.unended.Load() }

// tapFor adapts the tap of a listener to the gateway: what it reads goes into the
// queue.
type tapFor struct {
	tap    *tap.Tap
	queue  *gateway.Queue[item]
	opaque bool // the listener passes TLS through
}

// Open implements gateway.Tap.
func (t tapFor) Open(_, peer, host string, _ time.Time) gateway.Stream {
	s := &stream{queue: t.queue, opaque: t.opaque}
	s.Stream = t.tap.Open(peer, host, func(l txn.Leg) {
		s.messages.Add(1)
		t.queue.Offer(item{leg: &l})
	})
	return s
}

// stream implements gateway.Stream.
type stream struct {
	*tap.Stream
	queue    *gateway.Queue[item]
	opaque   bool
	messages atomic.Int64 // also those for which the queue had no room
}

// Link implements gateway.Stream.
func (s *stream) Link(l txn.Link) {
	l.Messages = int(s.messages.Load())
	if _, l.Opaque = s.Opaque(); s.opaque {
		l.Opaque = l.Kind == txn.LinkClose || l.Kind == txn.LinkTimeout // other ends are failures whatever passed
	}
	s.queue.Offer(item{link: &l})
}

// taps chooses the tap by listener, for listeners may speak different dialects.
type taps map[string]tapFor

// Open implements gateway.Tap.
func (t taps) Open(listener, peer, host string, at time.Time) gateway.Stream {
	return t[listener].Open(listener, peer, host, at)
}
