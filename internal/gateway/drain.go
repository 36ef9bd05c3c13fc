// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"
)

var errDrainDeadline = errors.New("the drain reached its deadline")

// Drain stops accepting and waits until every connection has ended. A
// connection is ended by the gateway only when it owes no answer and has been
// silent for [Config.DrainGrace] (or, when its stream cannot tell what is owed,
// for [Config.DrainQuiet]). When ctx ends first, the rest is closed and the
// error says how many connections that cut, and how many owed an answer.
// Serve returns when Drain is done. A second call waits as well, and its
// deadline counts too.
func (g *Gateway) Drain(ctx context.Context) error {
	cancel := g.beginDrain()
	if cancel == nil { // Serve was never called: there is nothing but sockets.
		for _, l := range g.listeners {
			if l.bound != nil {
				l.unbind()
			}
		}
		return nil
	}
	for _, l := range g.listeners {
		_ = l.bound.SetDeadline(longAgo) // An error means that the socket is closed already.
	}
	g.wake()
	if deadline, ok := ctx.Deadline(); ok {
		defer time.AfterFunc(time.Until(deadline)/2, func() {
			g.hurry.Store(true)
			g.wake()
		}).Stop()
	}
	select {
	case <-g.served:
		return nil
	case <-ctx.Done():
	}
	cut, owed := g.unfinished()
	cancel(errDrainDeadline)
	<-g.served
	return fmt.Errorf("gateway: drain: %d connections cut, %d of them owed an answer: %w", cut, owed, ctx.Err())
}

// beginDrain marks the beginning and gives what ends Serve, if it runs.
func (g *Gateway) beginDrain() context.CancelCauseFunc {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.isDraining() {
		close(g.draining)
	}
	return g.cancel
}

// wake makes every connection judge itself again.
func (g *Gateway) wake() {
	for _, c := range g.current() {
		c.wake()
	}
}

// unfinished counts the connections that are left, and those that owe an answer.
func (g *Gateway) unfinished() (open, owing int) {
	conns := g.current()
	for _, c := range conns {
		if owed, _ := c.owed(); owed {
			owing++
		}
	}
	return len(conns), owing
}

func (g *Gateway) isDraining() bool {
	select {
	case <-g.draining:
		return true
	default:
		return false
	}
}
