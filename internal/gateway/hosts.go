// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tillmend/tillmend/internal/txn"
)

// host is one host of one listener.
type host struct {
	Host
	listener *Listener
	tls      *tls.Config // nil without TLS
	failing  atomic.Bool // tried last
	failures atomic.Uint64
	log      *slog.Logger
}

// dialError is why a host was not reached.
type dialError struct {
	kind  txn.LinkKind
	host  string
	cause error
}

// Error names the host and the cause.
func (e *dialError) Error() string { return e.host + ": " + e.cause.Error() }

// dial connects to the host, with TLS if it has any, and notes whether it works.
func (h *host) dial(ctx context.Context) (*leg, *dialError) {
	l, kind, err := h.connect(ctx)
	switch {
	case err == nil:
		if h.failing.Swap(false) {
			h.log.InfoContext(ctx, "host is back", "host", h.Name)
		}
		return l, nil
	case ctx.Err() != nil: // We are stopping: that says nothing about the host.
		return nil, &dialError{kind: txn.LinkClose, host: h.Address, cause: ctx.Err()}
	}
	h.failures.Add(1)
	if !h.failing.Swap(true) {
		h.log.WarnContext(ctx, "host is failing", "host", h.Name, "kind", kind.String(), "error", err)
	}
	return nil, &dialError{kind: kind, host: h.Address, cause: err}
}

func (h *host) connect(ctx context.Context) (*leg, txn.LinkKind, error) {
	dialer := net.Dialer{Timeout: h.listener.ConnectTimeout, KeepAlive: -1, KeepAliveConfig: h.listener.keepAlive()}
	conn, err := dialer.DialContext(ctx, "tcp", h.Address)
	if err != nil {
		if isTimeout(err) {
			return nil, txn.LinkHostTimeout, err
		}
		return nil, txn.LinkHostRefused, err
	}
	l, err := newLeg(conn.(*net.TCPConn), h.listener.WriteTimeout) // "tcp" gives nothing else
	if err == nil && h.tls != nil {
		err = l.handshake(ctx, tls.Client, h.tls, h.listener.HandshakeTimeout)
	}
	if err == nil {
		return l, 0, nil
	}
	_ = conn.Close() // The connection has failed already.
	if isTimeout(err) {
		return nil, txn.LinkHostTimeout, fmt.Errorf("TLS handshake: %w", err)
	}
	return nil, txn.LinkHostTLSAlert, fmt.Errorf("TLS handshake: %w", err)
}

// keepAlive gives the TCP keep-alive of both legs. Beside it KeepAlive is set
// to -1 in dialers and listeners, or Go would send probes of its own choice.
func (l *Listener) keepAlive() net.KeepAliveConfig {
	const (
		probes        = 3
		probesPerIdle = 4
	)
	return net.KeepAliveConfig{
		Enable: l.KeepAlive > 0, Idle: l.KeepAlive,
		Interval: max(l.KeepAlive/probesPerIdle, time.Second), Count: probes,
	}
}

// failover is the hosts that were tried in vain, in order.
type failover []*dialError

// String says which hosts failed, and why.
func (f failover) String() string {
	words := make([]string, len(f))
	for i, e := range f {
		words[i] = e.Error()
	}
	return strings.Join(words, "; ")
}

// kind sums the failures up: a TLS failure if there was any, since then a host
// was there; a timeout if nothing else happened; else refused.
func (f failover) kind() txn.LinkKind {
	sum := txn.LinkHostTimeout
	for _, e := range f {
		switch {
		case e.kind == txn.LinkHostTLSAlert || e.kind == txn.LinkClose:
			return e.kind
		case e.kind != txn.LinkHostTimeout:
			sum = e.kind
		}
	}
	return sum
}

// dialFirst connects to the first host that accepts: those that work in order,
// then those that are failing in order. Without any, the leg is nil and the
// host is the last one tried.
func dialFirst(ctx context.Context, hosts []*host) (*leg, *host, failover) {
	var (
		failed failover
		last   *host
	)
	for _, h := range inOrder(hosts) {
		l, err := h.dial(ctx)
		if err == nil {
			return l, h, failed
		}
		failed, last = append(failed, err), h
		if ctx.Err() != nil {
			break
		}
	}
	return nil, last, failed
}

func inOrder(hosts []*host) []*host {
	order := make([]*host, 0, len(hosts))
	var failing []*host
	for _, h := range hosts {
		if h.failing.Load() {
			failing = append(failing, h)
		} else {
			order = append(order, h)
		}
	}
	return append(order, failing...)
}

// watchHosts checks every host at each tick until ctx ends. A check that is
// still running is not started again.
func watchHosts(ctx context.Context, hosts []*host, ticks <-chan time.Time) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks:
		}
		var checks sync.WaitGroup
		for _, h := range hosts {
			checks.Go(func() { h.check(ctx) })
		}
		checks.Wait()
	}
}

// check connects and closes at once; dial notes the result.
func (h *host) check(ctx context.Context) {
	l, err := h.dial(ctx)
	if err != nil {
		return // dial has noted and logged it
	}
	l.finish()
	_ = l.Close() // The check is over either way.
}
