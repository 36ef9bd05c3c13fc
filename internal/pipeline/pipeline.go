// SPDX-License-Identifier: Apache-2.0

// Package pipeline is the walk of an event, in one place that can be read in a
// minute:
//
//	terminal.Apply → finding.Detect, finding.Survey → diagnosis.Diagnose
//
// An [Engine] holds the state of every terminal. Its states are a function of the
// sequence of events alone, so an engine is rebuilt from a snapshot and the
// events after it, to the same bytes.
package pipeline

import (
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/tillmend/tillmend/internal/diagnosis"
	"github.com/tillmend/tillmend/internal/estate"
	"github.com/tillmend/tillmend/internal/finding"
	"github.com/tillmend/tillmend/internal/knowledge"
	"github.com/tillmend/tillmend/internal/terminal"
)

// Engine keeps the state of terminals and judges them. It may be used by many
// goroutines; events are applied in the order of the calls.
type Engine struct {
	base     *knowledge.Base
	acquirer string

	mu     sync.RWMutex
	states map[estate.TerminalID]*terminal.State
	last   terminal.EventID // of the last event applied
	lastAt time.Time
	scopes *finding.Scopes // of the last survey
}

// New gives an engine without terminals. Acquirer names the layer of response
// codes; it may be empty.
func New(b *knowledge.Base, acquirer string) *Engine {
	return &Engine{base: b, acquirer: acquirer, states: map[estate.TerminalID]*terminal.State{}}
}

// Apply takes the next event. An event that is not newer than the last one has
// been applied before and is left out, so that a replay may begin too early.
func (g *Engine) Apply(e *terminal.Event) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if e.ID <= g.last {
		return
	}
	g.last, g.lastAt = e.ID, e.At()
	s := g.states[e.Terminal]
	if s == nil {
		s = &terminal.State{}
		g.states[e.Terminal] = s
	}
	s.Apply(e)
	if e.Attempt != nil && !e.Terminal.IsUnnamed() {
		g.named(e.Attempt.Peer)
	}
}

// named drops the stand-in for an address whose terminal is known now.
func (g *Engine) named(peer string) {
	if ap, err := netip.ParseAddrPort(peer); err == nil {
		delete(g.states, estate.Unnamed(ap.Addr().Unmap().String()))
	}
}

// Reset forgets everything, so that the events can be applied from the first.
func (g *Engine) Reset() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.states, g.last, g.lastAt, g.scopes = map[estate.TerminalID]*terminal.State{}, 0, time.Time{}, nil
}

// Survey looks at all terminals at time now; what it finds bears on each diagnosis
// until the next survey.
func (g *Engine) Survey(now time.Time) {
	g.mu.RLock()
	scopes := finding.Survey(maps.All(g.states), now)
	g.mu.RUnlock()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.scopes = scopes
}

// Diagnose judges one terminal at time now; ok is false if it was never seen.
func (g *Engine) Diagnose(id estate.TerminalID, now time.Time) (d diagnosis.Diagnosis, ok bool) {
	s, scopes, ok := g.look(id)
	if !ok {
		return d, false
	}
	return diagnosis.Diagnose(g.base, id, &s, scopes, g.acquirer, now), true
}

// look copies what a diagnosis needs, so that events need not wait for it.
func (g *Engine) look(id estate.TerminalID) (s terminal.State, scopes *finding.Scopes, ok bool) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	p, ok := g.states[id]
	if !ok {
		return s, nil, false
	}
	return *p, g.scopes, true
}

// DiagnoseAll judges every terminal at time now, in order of their ids.
func (g *Engine) DiagnoseAll(now time.Time) []diagnosis.Diagnosis {
	g.mu.RLock()
	ids := slices.Sorted(maps.Keys(g.states))
	g.mu.RUnlock()
	list := make([]diagnosis.Diagnosis, 0, len(ids))
	for _, id := range ids {
		if d, ok := g.Diagnose(id, now); ok {
			list = append(list, d)
		}
	}
	return list
}

// State gives a copy of a terminal's state; ok is false if it was never seen.
func (g *Engine) State(id estate.TerminalID) (s terminal.State, ok bool) {
	s, _, ok = g.look(id)
	return s, ok
}

// Position gives the last event applied, and when it happened.
func (g *Engine) Position() (terminal.EventID, time.Time) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.last, g.lastAt
}

// Len is the number of terminals.
func (g *Engine) Len() int {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return len(g.states)
}
