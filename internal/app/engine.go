// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/tillmend/tillmend/internal/journal"
	"github.com/tillmend/tillmend/internal/pipeline"
	"github.com/tillmend/tillmend/internal/terminal"
)

// snapshotName is the file of the states in the data folder.
const snapshotName = "states.snapshot"

// follower reads the journal and keeps the engine and its snapshot up to date.
type follower struct {
	engine *pipeline.Engine
	path   string // of the snapshot
	log    *slog.Logger
	watch  *watchers
}

// source is what a follower reads.
type source interface {
	Follow(ctx context.Context, after journal.Position, fn func(journal.Record) error) error
}

// restore begins from the snapshot, if there is one that can be used. One that
// cannot is left out with a warning: the journal has all that it had.
func (f *follower) restore() {
	f.tidy()
	file, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err == nil {
		err = errors.Join(f.engine.Restore(file), file.Close())
	}
	if err != nil {
		f.log.Warn("states are rebuilt from the journal", "snapshot", f.path, "reason", err)
	}
}

// tidy removes what a process that was killed while saving has left.
func (f *follower) tidy() {
	left, _ := filepath.Glob(f.path + ".*")
	for _, name := range left {
		if err := os.Remove(name); err != nil {
			f.log.Warn("an unfinished snapshot is left", "reason", err)
		}
	}
}

// run applies all events of the journal, old and new, until ctx ends.
func (f *follower) run(ctx context.Context, j source) error {
	at, _ := f.engine.Position()
	err := j.Follow(ctx, journal.Position(at), func(r journal.Record) error {
		e, err := decodeEvent(&r)
		if err != nil {
			f.log.ErrorContext(ctx, "an event cannot be read and is left out", "position", uint64(r.Position), "reason", err)
			return nil
		}
		f.engine.Apply(&e)
		f.watch.notify()
		return nil
	})
	switch {
	case errors.Is(err, context.Canceled):
		return nil
	case errors.Is(err, journal.ErrAhead): // a power cut took what the snapshot had seen
		f.log.WarnContext(ctx, "the journal ends before the states; they are rebuilt from it", "reason", err)
		f.engine.Reset()
		return f.run(ctx, j)
	}
	return err
}

// runAlways runs, and begins again where it stopped when the journal fails.
func (f *follower) runAlways(ctx context.Context, j source, retry <-chan time.Time) {
	for {
		err := f.run(ctx, j)
		if ctx.Err() != nil || err == nil {
			return
		}
		f.log.ErrorContext(ctx, "the journal cannot be followed; the pages stand still", "reason", err)
		select {
		case <-retry:
		case <-ctx.Done():
			return
		}
	}
}

func decodeEvent(r *journal.Record) (terminal.Event, error) {
	var e terminal.Event
	if err := json.Unmarshal(r.Data, &e); err != nil {
		return e, fmt.Errorf("event %d: %w", r.Position, err)
	}
	if e.Attempt == nil && e.Link == nil {
		return e, fmt.Errorf("event %d: neither an attempt nor a connection event", r.Position)
	}
	e.ID = terminal.EventID(r.Position)
	return e, nil
}

// save writes the snapshot so that either the old or the new one is there, whole,
// whenever the machine stops.
func (f *follower) save() (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(f.path), snapshotName+".*")
	if err != nil {
		return fmt.Errorf("save states: %w", err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("save states: %w", errors.Join(err, os.Remove(tmp.Name())))
		}
	}()
	if err = f.engine.Snapshot(tmp); err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), f.path)
}

// keep surveys and saves at their intervals until ctx ends.
func (f *follower) keep(ctx context.Context, survey, save <-chan time.Time) {
	for {
		select {
		case now := <-survey:
			f.engine.Survey(now)
			f.watch.notify()
		case <-save:
			if err := f.save(); err != nil {
				f.log.ErrorContext(ctx, "states are not saved; the next start takes longer", "reason", err)
			}
		case <-ctx.Done():
			return
		}
	}
}

// watchers tells all who watch that something has changed. Many changes come as one.
type watchers struct {
	mu   sync.Mutex
	open map[chan struct{}]struct{}
}

func (w *watchers) notify() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.open {
		select {
		case c <- struct{}{}:
		default: // it has not taken the last one yet
		}
	}
}

// add gives a channel that is told of changes until ctx ends, and is then closed.
func (w *watchers) add(ctx context.Context) <-chan struct{} {
	c := make(chan struct{}, 1)
	w.mu.Lock()
	if w.open == nil {
		w.open = map[chan struct{}]struct{}{}
	}
	w.open[c] = struct{}{}
	w.mu.Unlock()
	context.AfterFunc(ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.open, c)
		close(c)
	})
	return c
}
