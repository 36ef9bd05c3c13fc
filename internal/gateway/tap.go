// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/tillmend/tillmend/internal/txn"
)

type (
	// Tap is told of every connection. Open must not block; it may be called
	// for many connections at once. The host is empty when none accepted. It
	// may return nil for a connection that need not be watched.
	Tap interface {
		Open(listener, peer, host string, at time.Time) Stream
	}

	// Stream watches one connection. Its methods must not block.
	//
	// Data is called after b was forwarded; b is valid only during the call and
	// must not be changed; at is when b was read. Link tells an event. Calls
	// for one connection never overlap and come in causal order.
	//
	// A Stream that also has a method Owed() bool tells with it whether a
	// request, or a part of one, was seen whose answer has not passed. The
	// gateway asks before it lets a connection go, and when a side closes.
	Stream interface {
		Data(dir txn.Direction, at time.Time, b []byte)
		Link(event txn.Link)
	}

	// ower is the optional part of a Stream.
	ower interface{ Owed() bool }
)

// guard calls a Stream and survives it.
type guard struct {
	order  sync.Mutex // held during each call, and while the bytes of a call are written
	stream Stream     // guarded by order; nil when there is none or it panicked
	stats  *counters
	log    *slog.Logger
}

// open opens the stream of a connection; a panic of the tap leaves it unwatched.
func (g *guard) open(tap Tap, listener, peer, host string, at time.Time) {
	g.order.Lock()
	defer g.order.Unlock()
	if tap == nil {
		return
	}
	defer g.survive("Open")
	g.stream = tap.Open(listener, peer, host, at)
}

// dataLocked shows forwarded bytes; order is held by the caller.
func (g *guard) dataLocked(dir txn.Direction, at time.Time, b []byte) {
	if g.stream == nil {
		return
	}
	defer g.survive("Data")
	g.stream.Data(dir, at, b)
}

// link tells an event.
func (g *guard) link(event txn.Link) {
	g.order.Lock()
	defer g.order.Unlock()
	g.linkLocked(event)
}

// linkLocked tells an event; order is held by the caller.
func (g *guard) linkLocked(event txn.Link) {
	g.stats.events[event.Kind].Add(1)
	if g.stream == nil {
		return
	}
	defer g.survive("Link")
	g.stream.Link(event)
}

// owed asks whether an answer is owed; known is false when the stream cannot tell.
func (g *guard) owed() (owed, known bool) {
	g.order.Lock()
	defer g.order.Unlock()
	stream, ok := g.stream.(ower)
	if !ok {
		return false, false
	}
	defer g.survive("Owed")
	owed = stream.Owed() // a panic leaves known false
	return owed, true
}

// survive is deferred around every call; after a panic the stream is not called again.
func (g *guard) survive(method string) {
	cause := recover()
	if cause == nil {
		return
	}
	g.stream = nil
	g.stats.tapPanics.Add(1)
	// The panic's value, and the arguments that a stack trace prints, may hold
	// payment data, so only the value's type and the places are logged.
	g.log.Error("tap panicked, connection is forwarded unwatched",
		"method", method, "cause", fmt.Sprintf("%T", cause), "at", panicPlaces())
}

// panicPlaces gives the innermost places of the panic that is being recovered.
func panicPlaces() []string {
	const depth = 8
	var pcs [depth]uintptr
	const skip = 4 // runtime.Callers, panicPlaces, survive, runtime.gopanic
	frames := runtime.CallersFrames(pcs[:runtime.Callers(skip, pcs[:])])
	var places []string
	for {
		frame, more := frames.Next()
		places = append(places, fmt.Sprintf("%s:%d", frame.Function, frame.Line))
		if !more {
			return places
		}
	}
}
