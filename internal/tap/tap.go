// SPDX-License-Identifier: Apache-2.0

// Package tap turns the bytes of payment connections into legs of attempts.
//
// It is where card data ends: bytes come in as they passed, and what goes out is a
// [txn.Leg], which holds only what may be kept. The same tap serves the inline
// gateway, captures and hex logs. It does no I/O, reads no clock and never blocks.
package tap

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/tillmend/tillmend/internal/card"
	"github.com/tillmend/tillmend/internal/txn"
	"github.com/tillmend/tillmend/iso8583"
	"github.com/tillmend/tillmend/iso8583/dialect"
	"github.com/tillmend/tillmend/iso8583/frame"
)

// Tap reads connections of one dialect. It may be used by many goroutines.
type Tap struct {
	dialect *dialect.Dialect
	cards   *card.Counter
	scratch sync.Pool
}

// New gives a tap for messages of dialect d. It counts cards with cards.
func New(d *dialect.Dialect, cards *card.Counter) *Tap {
	t := &Tap{dialect: d, cards: cards}
	t.scratch.New = func() any { return new(scratch) }
	return t
}

// scratch is what reading one frame needs.
type scratch struct {
	message iso8583.Message
	extract iso8583.Extract
}

// Stream is one connection. Data of one direction comes from one goroutine; the
// two directions may come at once.
type Stream struct {
	tap        *Tap
	peer, host string
	up, down   *frame.Splitter
	emit       func(txn.Leg)
	owed       atomic.Int32 // requests seen less answers seen
}

// Open gives the stream of a connection from peer to host. Each complete message
// is given to emit, which must not block.
func (t *Tap) Open(peer, host string, emit func(txn.Leg)) *Stream {
	return &Stream{
		tap: t, peer: peer, host: host, emit: emit,
		up: frame.NewSplitter(t.dialect.Frame), down: frame.NewSplitter(t.dialect.Frame),
	}
}

// Data takes bytes that passed in direction dir at a time. It keeps none of them
// but the beginning of an unfinished frame.
func (s *Stream) Data(dir txn.Direction, at time.Time, b []byte) {
	split := s.up
	if dir == txn.ToTerminal {
		split = s.down
	}
	split.Feed(b, func(fr []byte) { s.frame(dir, at, fr) })
}

// Frame takes one complete frame, of a source that knows where frames end.
func (s *Stream) Frame(dir txn.Direction, at time.Time, fr []byte) { s.frame(dir, at, fr) }

// Opaque says why the stream can no longer be read, if so: it is encrypted, or not
// of this dialect.
func (s *Stream) Opaque() (reason string, ok bool) {
	if reason, ok = s.up.Opaque(); ok {
		return reason, ok
	}
	return s.down.Opaque()
}

// Owed reports whether a request has passed that has no answer yet.
func (s *Stream) Owed() bool { return s.owed.Load() > 0 }

func (s *Stream) frame(dir txn.Direction, at time.Time, fr []byte) {
	if dir == txn.ToHost {
		s.owed.Add(1)
	} else if s.owed.Add(-1) < 0 {
		s.owed.Store(0) // an answer that nobody asked for
	}
	sc := s.tap.scratch.Get().(*scratch) //nolint:forcetypeassert // the pool holds nothing else
	sc.message.Decode(s.tap.dialect, fr)
	seen := txn.Seen{At: at, Peer: s.peer, Host: s.host, Direction: dir, Size: len(fr), CardNo: s.tap.ordinal(&sc.message, at)}
	leg := txn.ReadLeg(&sc.message, &sc.extract, seen)
	s.tap.scratch.Put(sc)
	s.emit(leg)
}

// ordinal gives the number of the message's card at its terminal today.
func (t *Tap) ordinal(m *iso8583.Message, at time.Time) uint16 {
	var space [24]byte // the longest card number has 19 digits
	pan := m.CardKey(space[:0])
	if len(pan) == 0 {
		return 0
	}
	n := t.cards.Ordinal(string(m.Raw(41)), pan, at)
	clear(space[:])
	return n
}
