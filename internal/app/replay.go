// SPDX-License-Identifier: Apache-2.0

package app

import (
	"time"

	"github.com/tillmend/tillmend/internal/card"
	"github.com/tillmend/tillmend/internal/diagnosis"
	"github.com/tillmend/tillmend/internal/estate"
	"github.com/tillmend/tillmend/internal/knowledge"
	"github.com/tillmend/tillmend/internal/pipeline"
	"github.com/tillmend/tillmend/internal/tap"
	"github.com/tillmend/tillmend/internal/terminal"
	"github.com/tillmend/tillmend/internal/txn"
	"github.com/tillmend/tillmend/iso8583/dialect"
)

// keptEvents bounds the events of a replay that can be shown afterwards.
const keptEvents = 1 << 20

// Replay runs a recording through the whole engine, without a server: the same
// tap, pairing, states and diagnosis as in service. Its time is the recording's.
type Replay struct {
	Engine *pipeline.Engine
	// Events are the events of the recording by their numbers, as far as kept.
	Events map[terminal.EventID]terminal.Event
	// Frames counts messages, Malformed those that could not be read whole.
	Frames, Malformed int
	// Opaque tells why streams could not be read: encrypted, or another dialect.
	Opaque map[string]int

	tap     *tap.Tap
	streams map[string]*tap.Stream
	pairs   *txn.Pairer
	number  terminal.EventID
	last    time.Time
}

// NewReplay gives an empty replay for messages of a dialect.
func NewReplay(b *knowledge.Base, d *dialect.Dialect, acquirer string) *Replay {
	r := &Replay{
		Engine: pipeline.New(b, acquirer), Events: map[terminal.EventID]terminal.Event{}, Opaque: map[string]int{},
		tap: tap.New(d, card.NewCounter()), streams: map[string]*tap.Stream{},
	}
	r.pairs = txn.NewPairer(
		func(a txn.Attempt) { r.event(terminal.Event{Terminal: a.Terminal, Attempt: &a}) },
		func(id estate.TerminalID, l txn.Link) { r.event(terminal.Event{Terminal: id, Link: &l}) },
	)
	return r
}

func (r *Replay) event(e terminal.Event) {
	r.number++
	e.ID = r.number
	if len(r.Events) < keptEvents {
		r.Events[e.ID] = e
	}
	r.Engine.Apply(&e)
}

// Open begins a connection anew.
func (r *Replay) Open(peer, host string, at time.Time) {
	r.advance(at)
	r.close(peer)
	r.streams[peer] = r.tap.Open(peer, host, r.leg)
}

// Data takes bytes of a connection.
func (r *Replay) Data(peer, host string, dir txn.Direction, at time.Time, b []byte) {
	r.advance(at)
	r.stream(peer, host).Data(dir, at, b)
}

// Frame takes one complete frame.
func (r *Replay) Frame(peer, host string, dir txn.Direction, at time.Time, frame []byte, _ int) {
	r.advance(at)
	r.stream(peer, host).Frame(dir, at, frame)
}

// Link takes a connection event.
func (r *Replay) Link(l txn.Link) {
	r.advance(l.At)
	if s, ok := r.streams[l.Peer]; ok {
		_, l.Opaque = s.Opaque()
	}
	r.pairs.Event(l)
	if l.Kind.Ends() {
		r.close(l.Peer)
	}
}

func (r *Replay) stream(peer, host string) *tap.Stream {
	s := r.streams[peer]
	if s == nil {
		s = r.tap.Open(peer, host, r.leg)
		r.streams[peer] = s
	}
	return s
}

func (r *Replay) close(peer string) {
	if s, ok := r.streams[peer]; ok {
		if reason, ok := s.Opaque(); ok {
			r.Opaque[reason]++
		}
		delete(r.streams, peer)
	}
}

func (r *Replay) leg(l txn.Leg) {
	r.Frames++
	if l.Fault != "" {
		r.Malformed++
	}
	r.pairs.Leg(l)
}

func (r *Replay) advance(at time.Time) {
	if at.After(r.last) {
		r.last = at
	}
}

// Finish ends what is still open and judges every terminal at the time of the
// last event of the recording.
func (r *Replay) Finish() []diagnosis.Diagnosis {
	r.pairs.Flush(r.last)
	for peer := range r.streams {
		r.close(peer)
	}
	r.Engine.Survey(r.last)
	return r.Engine.DiagnoseAll(r.last)
}
