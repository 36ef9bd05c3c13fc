// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// acceptPause is how long to wait after a failed accept; the usual cause, no
// free file descriptor, needs connections to end first.
const acceptPause = 50 * time.Millisecond

// queueGrace bounds how long a drain goes on accepting, so that a flood of
// connections cannot keep it from closing the socket.
const queueGrace = 10 * time.Millisecond

// listener is one port.
type listener struct {
	gateway *Gateway
	cfg     *Listener
	tls     *tls.Config // nil when terminals speak no TLS to us
	hosts   []*host
	log     *slog.Logger
	bound   acceptor // nil before bind
	open    atomic.Int64
	conns   sync.WaitGroup
}

// acceptor is what a listener needs of its socket.
type acceptor interface {
	AcceptTCP() (*net.TCPConn, error)
	SetDeadline(t time.Time) error
	Addr() net.Addr
	Close() error
}

func newListener(g *Gateway, cfg *Listener) (*listener, error) {
	l := &listener{gateway: g, cfg: cfg, log: g.log.With("listener", cfg.Name)}
	var err error
	if cfg.TLS != nil {
		if l.tls, err = cfg.TLS.serverConfig(); err != nil {
			return nil, fmt.Errorf("tls: %w", err)
		}
	}
	for _, h := range cfg.Hosts {
		to := &host{Host: h, listener: cfg, log: l.log}
		if h.TLS != nil {
			if to.tls, err = h.TLS.clientConfig(h.Address); err != nil {
				return nil, fmt.Errorf("host %q: tls: %w", h.Name, err)
			}
		}
		l.hosts = append(l.hosts, to)
	}
	return l, nil
}

func (l *listener) bind() error {
	lc := net.ListenConfig{KeepAlive: -1, KeepAliveConfig: l.cfg.keepAlive()}
	if l.gateway.cfg.ReusePort {
		lc.Control = reusePort
	}
	bound, err := lc.Listen(context.Background(), "tcp", l.cfg.Address) // binding does not wait
	if err != nil {
		return err
	}
	l.bound = bound.(*net.TCPListener) // "tcp" gives nothing else
	return nil
}

// unbind stops accepting; connections that still wait in the queue are reset.
func (l *listener) unbind() {
	_ = l.bound.Close() // An error means that it is closed already.
}

// serve accepts until the gateway drains or ctx ends, and returns when every
// connection has ended.
func (l *listener) serve(ctx context.Context) {
	defer l.conns.Wait()
	defer l.unbind()
	for {
		tcp, err := l.bound.AcceptTCP()
		switch {
		case err == nil:
			l.admit(ctx, tcp)
		case ctx.Err() != nil:
			return
		case l.gateway.isDraining():
			l.emptyQueue(ctx)
			return
		default:
			l.gateway.stats.acceptFailures.Add(1)
			l.log.ErrorContext(ctx, "cannot accept", "error", err)
			l.pause(ctx)
		}
	}
}

// emptyQueue accepts what already waits in the system's queue, since closing
// the socket would reset it.
func (l *listener) emptyQueue(ctx context.Context) {
	if l.bound.SetDeadline(time.Now().Add(queueGrace)) != nil {
		return // it is closed
	}
	for {
		tcp, err := l.bound.AcceptTCP()
		if err != nil {
			return
		}
		l.admit(ctx, tcp)
	}
}

// admit starts a connection, over the limit only to end it.
func (l *listener) admit(ctx context.Context, tcp *net.TCPConn) {
	l.gateway.stats.accepted.Add(1)
	c := newConn(l, tcp, time.Now())
	overloaded := l.open.Add(1) > int64(l.cfg.MaxConnections)
	l.conns.Go(func() {
		defer l.open.Add(-1)
		if overloaded {
			c.overload(tcp)
			return
		}
		c.serve(ctx, tcp)
	})
}

func (l *listener) pause(ctx context.Context) {
	timer := time.NewTimer(acceptPause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-l.gateway.draining:
	}
}
