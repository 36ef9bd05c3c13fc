// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Ticker gives a channel that is sent to every d, and a function that stops it.
type Ticker func(d time.Duration) (ticks <-chan time.Time, stop func())

// Option changes how a gateway works inside; what it does is in [Config].
type Option func(*Gateway)

// WithTicker sets what paces the health checks, for tests.
func WithTicker(ticker Ticker) Option {
	return func(g *Gateway) { g.ticker = ticker }
}

// Gateway forwards payment connections. Its life is New, Listen, Serve, and
// Drain while Serve runs; it is not used again after that.
type Gateway struct {
	cfg       Config
	tap       Tap
	log       *slog.Logger
	ticker    Ticker
	listeners []*listener
	stats     counters
	draining  chan struct{} // closed when Drain begins
	served    chan struct{} // closed when Serve has returned
	hurry     atomic.Bool   // half of the drain's time is over

	mu      sync.Mutex
	conns   map[*conn]struct{} // the connections with both legs
	serving bool
	halted  string                  // why all connections were ended
	cancel  context.CancelCauseFunc // ends Serve at once; nil before Serve
}

// New makes a gateway from a valid configuration; TLS files are read now. A
// nil tap watches nothing.
func New(cfg Config, tap Tap, log *slog.Logger, opts ...Option) (*Gateway, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	g := &Gateway{
		cfg: cfg.withDefaults(), tap: tap, log: log, ticker: realTicker,
		draining: make(chan struct{}), served: make(chan struct{}),
		conns: make(map[*conn]struct{}),
	}
	for _, opt := range opts {
		opt(g)
	}
	for i := range g.cfg.Listeners {
		l, err := newListener(g, &g.cfg.Listeners[i])
		if err != nil {
			return nil, fmt.Errorf("gateway: listener %q: %w", g.cfg.Listeners[i].Name, err)
		}
		g.listeners = append(g.listeners, l)
	}
	return g, nil
}

func realTicker(d time.Duration) (<-chan time.Time, func()) {
	t := time.NewTicker(d)
	return t.C, t.Stop
}

// Listen binds every listener, or none. Connections wait in the system's
// queue until Serve.
func (g *Gateway) Listen() error {
	for i, l := range g.listeners {
		if err := l.bind(); err != nil {
			for _, bound := range g.listeners[:i] {
				bound.unbind()
			}
			return fmt.Errorf("gateway: listener %q: %w", l.cfg.Name, err)
		}
	}
	return nil
}

// Addr is where the named listener is bound; nil before Listen, and for a name
// that no listener has.
func (g *Gateway) Addr(listener string) net.Addr {
	for _, l := range g.listeners {
		if l.cfg.Name == listener && l.bound != nil {
			return l.bound.Addr()
		}
	}
	return nil
}

var (
	errNotListening = errors.New("gateway: Serve: Listen comes first")
	errServedTwice  = errors.New("gateway: Serve: called twice")
)

// Serve accepts and forwards connections. It returns nil when a Drain is
// complete, or when ctx ends; in the second case every connection is closed at
// once. It is called once, after Listen.
func (g *Gateway) Serve(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if err := g.begin(cancel); err != nil {
		return err
	}
	defer close(g.served)
	stopHalting := context.AfterFunc(ctx, func() { g.halt(context.Cause(ctx)) })
	defer stopHalting()
	checks, endChecks := context.WithCancel(ctx)
	var health, forwarding sync.WaitGroup
	health.Go(func() { g.watchHosts(checks) })
	for _, l := range g.listeners {
		forwarding.Go(func() { l.serve(ctx) })
	}
	forwarding.Wait()
	endChecks()
	health.Wait()
	return nil
}

func (g *Gateway) begin(cancel context.CancelCauseFunc) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, l := range g.listeners {
		if l.bound == nil {
			return errNotListening
		}
	}
	if g.serving {
		return errServedTwice
	}
	g.serving, g.cancel = true, cancel
	return nil
}

func (g *Gateway) watchHosts(ctx context.Context) {
	if g.cfg.HealthInterval < 0 {
		return
	}
	var hosts []*host
	for _, l := range g.listeners {
		hosts = append(hosts, l.hosts...)
	}
	ticks, stop := g.ticker(g.cfg.HealthInterval)
	defer stop()
	watchHosts(ctx, hosts, ticks)
}

// halt ends everything at once; Serve's context has ended.
func (g *Gateway) halt(cause error) {
	reason := "gateway stopped: " + cause.Error()
	g.mu.Lock()
	g.halted = reason
	g.mu.Unlock()
	for _, l := range g.listeners {
		l.unbind()
	}
	for _, c := range g.current() {
		c.halt(reason)
	}
}

// current gives the connections of now.
func (g *Gateway) current() []*conn {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Collect(maps.Keys(g.conns))
}

// enter registers a connection, which must leave again.
func (g *Gateway) enter(c *conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.conns[c] = struct{}{}
	if g.halted != "" {
		c.halt(g.halted)
	}
}

func (g *Gateway) leave(c *conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.conns, c)
}
