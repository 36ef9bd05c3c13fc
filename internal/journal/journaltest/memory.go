// SPDX-License-Identifier: Apache-2.0

package journaltest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/tillmend/tillmend/internal/journal"
)

// Limits of Memory.
const (
	maxWaiting   = 1024 // entries between AppendAsync and the store
	positionStep = 1024 // every entry is a batch of its own
)

// Memory is a journal without a disk, for tests of what uses a journal. It passes
// the same suite as [journal.Journal]. It keeps everything.
type Memory struct {
	now func() time.Time
	in  chan waiting
	end chan struct{} // closed when the last entry has been stored

	mu      sync.Mutex // guards what follows
	records []journal.Record
	grown   chan struct{} // closed and replaced with every record, closed for good with the journal
	refused uint64
	bytes   uint64
	readers int
	closed  bool
	reading sync.WaitGroup
}

// waiting is an entry on its way into the store.
type waiting struct {
	entry journal.Entry
	done  func(journal.Position, error)
}

// NewMemory opens an empty journal whose records get their time from now.
func NewMemory(now func() time.Time) *Memory {
	m := &Memory{now: now, in: make(chan waiting, maxWaiting), end: make(chan struct{}), grown: make(chan struct{})}
	go m.store()
	return m
}

// store moves entries from the channel into the records.
func (m *Memory) store() {
	defer close(m.end)
	for w := range m.in {
		m.mu.Lock()
		at := journal.Position((len(m.records) + 1) * positionStep)
		m.records = append(m.records, journal.Record{
			Position: at, Time: m.now(), Partition: journal.PartitionOf(w.entry.Key),
			Key: w.entry.Key, Data: slices.Clone(w.entry.Data),
		})
		m.bytes += uint64(len(w.entry.Key) + len(w.entry.Data))
		if !m.closed {
			close(m.grown)
			m.grown = make(chan struct{})
		}
		m.mu.Unlock()
		w.done(at, nil)
	}
}

// put queues an entry, or returns ErrBackpressure.
func (m *Memory) put(e journal.Entry, done func(journal.Position, error)) error {
	if err := e.Validate(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return journal.ErrClosed
	}
	select {
	case m.in <- waiting{e, done}:
		return nil
	default:
		return journal.ErrBackpressure
	}
}

// Append is like [journal.Journal.Append], but does not wait for room: it returns
// ErrBackpressure.
func (m *Memory) Append(ctx context.Context, e journal.Entry) (journal.Position, error) {
	stored := make(chan journal.Position, 1)
	if err := m.put(e, func(at journal.Position, _ error) { stored <- at }); err != nil {
		return 0, err
	}
	select {
	case at := <-stored:
		return at, nil
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}

// AppendAsync is like [journal.Journal.AppendAsync].
func (m *Memory) AppendAsync(e journal.Entry, done func(journal.Position, error)) error {
	err := m.put(e, done)
	if err == journal.ErrBackpressure { //nolint:errorlint // put returns it bare
		m.mu.Lock()
		m.refused++
		m.mu.Unlock()
	}
	return err
}

// Read is like [journal.Journal.Read].
func (m *Memory) Read(ctx context.Context, after journal.Position, fn func(journal.Record) error) error {
	return m.walk(ctx, after, false, fn)
}

// Follow is like [journal.Journal.Follow].
func (m *Memory) Follow(ctx context.Context, after journal.Position, fn func(journal.Record) error) error {
	return m.walk(ctx, after, true, fn)
}

// walk hands the records over one by one, and waits for more when live.
func (m *Memory) walk(ctx context.Context, after journal.Position, live bool, fn func(journal.Record) error) error {
	m.mu.Lock()
	next, end := int(after/positionStep), len(m.records)
	switch {
	case m.closed:
		m.mu.Unlock()
		return journal.ErrClosed
	case next > end:
		m.mu.Unlock()
		return fmt.Errorf("%w: %v", journal.ErrAhead, after)
	}
	m.reading.Add(1)
	m.readers++
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.readers--
		m.reading.Done()
	}()
	for ; live || next < end; next++ {
		r, err := m.await(ctx, next)
		if err != nil {
			return err
		}
		if err := fn(r); err != nil {
			return err
		}
	}
	return nil
}

// await gives a record as soon as it is there.
func (m *Memory) await(ctx context.Context, i int) (journal.Record, error) {
	for {
		m.mu.Lock()
		closed, grown := m.closed, m.grown
		var r journal.Record
		have := i < len(m.records)
		if have {
			r = m.records[i]
		}
		m.mu.Unlock()
		switch {
		case ctx.Err() != nil:
			return journal.Record{}, context.Cause(ctx)
		case closed:
			return journal.Record{}, journal.ErrClosed
		case have:
			return r, nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
		}
	}
}

// Get is like [journal.Journal.Get].
func (m *Memory) Get(_ context.Context, at journal.Position) (journal.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := int(at / positionStep)
	switch {
	case m.closed:
		return journal.Record{}, journal.ErrClosed
	case at%positionStep != 0 || i < 1 || i > len(m.records):
		return journal.Record{}, fmt.Errorf("%w: %v", journal.ErrNotFound, at)
	}
	return m.records[i-1], nil
}

// Last is like [journal.Journal.Last].
func (m *Memory) Last(context.Context) (journal.Position, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return 0, journal.ErrClosed
	}
	return journal.Position(len(m.records) * positionStep), nil
}

// Stats is like [journal.Journal.Stats]; Lag is not kept.
func (m *Memory) Stats() journal.Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := uint64(len(m.records))
	s := journal.Stats{
		Appended: n, Batches: n, Bytes: m.bytes, StoredBytes: m.bytes, DiskBytes: m.bytes,
		Refused: m.refused, Waiting: len(m.in), Readers: m.readers, Last: journal.Position(n * positionStep),
	}
	if n > 0 {
		s.First = positionStep
	}
	return s
}

// Close is like [journal.Journal.Close].
func (m *Memory) Close() error {
	m.mu.Lock()
	if !m.closed {
		m.closed = true
		close(m.in)
		close(m.grown)
	}
	m.mu.Unlock()
	<-m.end
	m.reading.Wait()
	return nil
}
