// SPDX-License-Identifier: Apache-2.0

// Package consoletest is a fleet of terminals in memory, for tests of the console.
// Each terminal tells a story in events, from which its state, its findings and
// its diagnosis are made by the same code as in production, so that a page shown
// to a test is one that could be shown to a reader.
package consoletest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/tillmend/tillmend/internal/console"
	"github.com/tillmend/tillmend/internal/diagnosis"
	"github.com/tillmend/tillmend/internal/estate"
	"github.com/tillmend/tillmend/internal/finding"
	"github.com/tillmend/tillmend/internal/knowledge"
	"github.com/tillmend/tillmend/internal/terminal"
)

// Fleet implements [console.Source].
type Fleet struct {
	base *knowledge.Base

	mu       sync.Mutex
	now      time.Time
	events   []terminal.Event // the event with id n is at n-1
	states   map[estate.TerminalID]*terminal.State
	health   console.Health
	watchers map[chan struct{}]bool
}

var _ console.Source = (*Fleet)(nil)

// Empty gives a fleet without terminals at time now.
func Empty(b *knowledge.Base, now time.Time) *Fleet {
	return &Fleet{
		base: b, now: now, states: map[estate.TerminalID]*terminal.State{}, watchers: map[chan struct{}]bool{},
		health: console.Health{
			Started: now.Add(-50 * time.Hour), Recorded: 128_456,
			Listeners: []console.Listener{{
				Name: "pos", Open: 71, Hosts: []console.Host{{Name: "main", Address: "192.0.2.10:5000"}},
			}},
			Journal: console.Journal{Position: "128456", Last: now.Add(-2 * time.Second)},
		},
	}
}

// New gives a fleet with one terminal for each story and healthy ones around them.
func New(b *knowledge.Base, now time.Time) *Fleet {
	f := Empty(b, now)
	f.play(Stories(now))
	return f
}

// play applies events in the order of their times.
func (f *Fleet) play(list []terminal.Event) {
	slices.SortStableFunc(list, func(x, y terminal.Event) int { return x.At().Compare(y.At()) })
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range list {
		e := list[i]
		e.ID = terminal.EventID(len(f.events) + 1)
		f.events = append(f.events, e)
		s := f.states[e.Terminal]
		if s == nil {
			s = &terminal.State{}
			f.states[e.Terminal] = s
		}
		s.Apply(&e)
	}
	for w := range f.watchers {
		select {
		case w <- struct{}{}:
		default: // it has not yet taken the last one
		}
	}
}

// Play tells a story now and lets the time go on by a second.
func (f *Fleet) Play(story func(now time.Time) []terminal.Event) {
	f.mu.Lock()
	f.now = f.now.Add(time.Second)
	now := f.now
	f.mu.Unlock()
	f.play(story(now))
}

// Now is the clock of the fleet.
func (f *Fleet) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// SetHealth changes the figures of the parts behind the console.
func (f *Fleet) SetHealth(change func(*console.Health)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(&f.health)
}

// Terminals implements [console.Source].
func (f *Fleet) Terminals() []diagnosis.Diagnosis {
	f.mu.Lock()
	defer f.mu.Unlock()
	scopes := f.survey()
	var list []diagnosis.Diagnosis
	for id, s := range f.states {
		list = append(list, diagnosis.Diagnose(f.base, id, s, scopes, "", f.now))
	}
	return list
}

// Terminal implements [console.Source].
func (f *Fleet) Terminal(id estate.TerminalID) (diagnosis.Diagnosis, terminal.State, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, ok := f.states[id]
	if !ok {
		return diagnosis.Diagnosis{}, terminal.State{}, false
	}
	return diagnosis.Diagnose(f.base, id, s, f.survey(), "", f.now), *s, true
}

func (f *Fleet) survey() *finding.Scopes { return finding.Survey(maps.All(f.states), f.now) }

// Event implements [console.Source].
func (f *Fleet) Event(_ context.Context, id terminal.EventID) (terminal.Event, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if id == 0 || id > terminal.EventID(len(f.events)) {
		return terminal.Event{}, fmt.Errorf("consoletest: event %s: %w", id, console.ErrNoEvent)
	}
	return f.events[id-1], nil
}

// Watch implements [console.Source].
func (f *Fleet) Watch(ctx context.Context) <-chan struct{} {
	w := make(chan struct{}, 1)
	f.mu.Lock()
	f.watchers[w] = true
	f.mu.Unlock()
	context.AfterFunc(ctx, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.watchers, w)
		close(w)
	})
	return w
}

// Health implements [console.Source].
func (f *Fleet) Health() console.Health {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.health
}
