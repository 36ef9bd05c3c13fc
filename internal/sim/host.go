// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"
)

// Limits of a host.
const (
	// maxTerminals bounds what an unknown crowd can register by itself.
	maxTerminals = 10_000
	// maxEntries is how many payments are remembered of one terminal, so that old ones
	// can be refunded; the oldest go first.
	maxEntries = 2_000
	// maxConnections is above what any fleet here opens; one more is closed at once.
	maxConnections = 10_000
)

// HostConfig is what a host is told when it starts.
type HostConfig struct {
	// Address is host:port to bind; empty: a free port of 127.0.0.1.
	Address string
	// AutoRegister makes the host accept terminals that it does not know, with
	// [TestMasterKey]; otherwise they are answered 97.
	AutoRegister bool
	// SingleLimit is the most that one payment may be, minor units; zero: no limit.
	SingleLimit int64
	// Seed makes keys and authorization codes repeatable.
	Seed uint64
	// Now is its clock; nil: the system's.
	Now func() time.Time
	// Wait passes the time of slow answers; nil: for real.
	Wait func(ctx context.Context, d time.Duration) error
	// Log is told of what goes wrong; nil: nobody.
	Log *slog.Logger
}

// Host is an acquirer's system for tests and demonstrations. Its methods may be called
// from many goroutines. Its life is NewHost, Listen, Serve, Close.
type Host struct {
	cfg HostConfig

	mu        sync.Mutex // guards what follows
	listener  net.Listener
	closed    bool
	conns     map[net.Conn]struct{}
	faults    map[string]Fault
	terminals map[string]*account
	merchants map[string]bool
	balances  map[Card]int64
}

var (
	errNotListening = errors.New("sim: host: Serve: Listen comes first")
	errRegistered   = errors.New("sim: host: too many terminals")
)

// NewHost makes a host that knows no terminal yet.
func NewHost(cfg HostConfig) *Host {
	if cfg.Address == "" {
		cfg.Address = "127.0.0.1:0"
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Wait == nil {
		cfg.Wait = Wait
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	h := &Host{
		cfg: cfg, conns: map[net.Conn]struct{}{}, faults: map[string]Fault{}, terminals: map[string]*account{},
		merchants: map[string]bool{}, balances: map[Card]int64{},
	}
	for i, d := range cardTable {
		h.balances[Card(i)] = d.balance //nolint:gosec // a table of a few cards
	}
	return h
}

// Wait waits for d or until ctx ends, and then gives the reason.
func Wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Register makes a terminal known, with its merchant and its master key; nil:
// [TestMasterKey]. A terminal known before is replaced.
func (h *Host) Register(tid, mid string, masterKey []byte) error {
	if masterKey == nil {
		masterKey = TestMasterKey(tid)
	}
	if len(tid) != 8 || len(mid) != 15 || len(masterKey) != masterKeySize {
		return fmt.Errorf("sim: host: terminal %q of merchant %q: expected 8 and 15 characters and a master key of %d bytes",
			tid, mid, masterKeySize)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.registerLocked(tid, mid, masterKey)
}

func (h *Host) registerLocked(tid, mid string, masterKey []byte) error {
	if len(h.terminals) >= maxTerminals {
		return errRegistered
	}
	h.merchants[mid] = true
	h.terminals[tid] = &account{tid: tid, mid: mid, master: masterKey, batch: 1, seen: map[trace]bool{}}
	return nil
}

// SetBalance sets what a card has, minor units.
func (h *Host) SetBalance(c Card, amount int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.balances[c] = amount
}

// Listen binds the address.
func (h *Host) Listen() error {
	l, err := net.Listen("tcp", h.cfg.Address)
	if err != nil {
		return fmt.Errorf("sim: host: %w", err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.listener = l
	return nil
}

// Addr is where the host listens; nil before Listen.
func (h *Host) Addr() net.Addr {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.listener == nil {
		return nil
	}
	return h.listener.Addr()
}

// Serve answers until ctx ends or Close is called, and returns when every connection
// is done.
func (h *Host) Serve(ctx context.Context) error {
	h.mu.Lock()
	l := h.listener
	h.mu.Unlock()
	if l == nil {
		return errNotListening
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { h.shut() })
	defer stop()
	var serving sync.WaitGroup
	defer serving.Wait()
	for {
		c, err := l.Accept()
		if err != nil {
			cancel() // waits of slow answers end too
			h.shut()
			if h.isClosed() {
				return nil
			}
			return fmt.Errorf("sim: host: %w", err)
		}
		if h.enter(c) {
			serving.Go(func() { h.serve(ctx, c) })
		}
	}
}

func (h *Host) isClosed() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.closed
}

// enter notes a connection; false when the host is closing or full.
func (h *Host) enter(c net.Conn) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || len(h.conns) >= maxConnections {
		_ = c.Close() // nobody will use it
		return false
	}
	h.conns[c] = struct{}{}
	return true
}

// Close stops listening and ends every connection. Serve returns then.
func (h *Host) Close() error {
	h.shut()
	return nil
}

func (h *Host) shut() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	if h.listener != nil {
		_ = h.listener.Close() // a second Close reports that it is closed
	}
	for c := range h.conns {
		_ = c.Close() // its own goroutine may have been faster
	}
}

// serve answers one connection until its far end closes.
func (h *Host) serve(ctx context.Context, c net.Conn) {
	defer func() {
		_ = c.Close() // shut may have been faster
		h.mu.Lock()
		delete(h.conns, c)
		h.mu.Unlock()
	}()
	w := newWire(c)
	for {
		b, err := w.next()
		if err != nil {
			return // the terminal is done, or speaks something else
		}
		if !h.respond(ctx, c, b) {
			return
		}
	}
}

// respond answers one frame; false ends the connection.
func (h *Host) respond(ctx context.Context, c net.Conn, b []byte) bool {
	out, f := h.answer(b)
	if f.Delay > 0 && h.cfg.Wait(ctx, f.Delay) != nil {
		return false
	}
	if tcp, ok := c.(*net.TCPConn); ok && f.Reset {
		_ = tcp.SetLinger(0) // without effect when the far end is gone already
		return false
	}
	if f.Drop || f.Reset || out == nil && !f.Silent {
		return false
	}
	if f.Silent {
		return true
	}
	_, err := c.Write(out)
	return err == nil
}
