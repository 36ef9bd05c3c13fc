// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"
)

// poorAcceptor has no file descriptor to spare the first two times.
type poorAcceptor struct {
	*net.TCPListener
	tries int
}

func (a *poorAcceptor) AcceptTCP() (*net.TCPConn, error) {
	if a.tries++; a.tries <= 2 {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: syscall.EMFILE}
	}
	return a.TCPListener.AcceptTCP()
}

func TestAcceptFailuresPass(t *testing.T) {
	host, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close() })
	var log bytes.Buffer
	g, err := New(Config{HealthInterval: -1, Listeners: []Listener{{
		Name: "shops", Address: "127.0.0.1:0", Hosts: []Host{{Address: host.Addr().String()}},
	}}}, nil, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Listen(); err != nil {
		t.Fatal(err)
	}
	g.listeners[0].bound = &poorAcceptor{TCPListener: g.listeners[0].bound.(*net.TCPListener)}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- g.Serve(ctx) }()
	terminal, err := net.Dial("tcp", g.Addr("shops").String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = terminal.Close() })
	atHost, err := host.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = atHost.Close() })
	stop()
	if err := <-served; err != nil {
		t.Fatal(err)
	}
	if n := g.Stats().AcceptFailures; n != 2 || bytes.Count(log.Bytes(), []byte("cannot accept")) != 2 {
		t.Fatalf("counted %d failures, logged %q; want 2", n, log.String())
	}
}

// queuedAcceptor has not come to accept when the drain begins.
type queuedAcceptor struct {
	*net.TCPListener
	once     sync.Once
	draining chan struct{}
}

func (a *queuedAcceptor) SetDeadline(t time.Time) error {
	err := a.TCPListener.SetDeadline(t)
	a.once.Do(func() { close(a.draining) })
	return err
}

func (a *queuedAcceptor) AcceptTCP() (*net.TCPConn, error) {
	<-a.draining
	return a.TCPListener.AcceptTCP()
}

// A connection that waits in the system's queue when the drain begins is served.
func TestDrainServesTheQueue(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	g, err := New(Config{HealthInterval: -1, DrainQuiet: time.Hour, Listeners: []Listener{{
		Name: "shops", Address: "127.0.0.1:0", Hosts: []Host{{Address: ln.Addr().String()}},
	}}}, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Listen(); err != nil {
		t.Fatal(err)
	}
	g.listeners[0].bound = &queuedAcceptor{TCPListener: g.listeners[0].bound.(*net.TCPListener), draining: make(chan struct{})}
	terminal, err := net.Dial("tcp", g.Addr("shops").String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := terminal.Write([]byte("0200")); err != nil {
		t.Fatal(err)
	}
	served, drained := make(chan error, 1), make(chan error, 1)
	go func() { served <- g.Serve(t.Context()) }()
	for !g.isServing() {
		runtime.Gosched()
	}
	go func() { drained <- g.Drain(t.Context()) }()
	host, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(host, make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	_ = terminal.Close()
	_ = host.Close()
	if err := errors.Join(<-drained, <-served); err != nil {
		t.Fatal(err)
	}
}

// isServing reports whether Serve has begun.
func (g *Gateway) isServing() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.serving
}

func TestUnreadTellsBytesFromTheEnd(t *testing.T) {
	if _, ok := any(new(socket)).(interface{ readFD(uintptr) bool }); !ok {
		t.Skip("plain sockets cannot look")
	}
	l, far := socketPair(t)
	if l.unread() {
		t.Fatal("bytes before any were sent")
	}
	if _, err := far.Write([]byte("ab")); err != nil {
		t.Fatal(err)
	}
	if err := far.Close(); err != nil {
		t.Fatal(err)
	}
	if !l.unread() { // loopback has delivered when Write returns
		t.Fatal("bytes that wait were not seen")
	}
	p, n, err := l.next()
	if err != nil || n != 2 {
		t.Fatalf("read %d bytes, error %v", n, err)
	}
	pieces.Put(p)
	if _, _, err := l.next(); !errors.Is(err, io.EOF) || l.unread() {
		t.Fatalf("error %v, unread %v; want the end, which is no byte", err, l.unread())
	}
}

// socketPair gives a leg and its far end.
func socketPair(t *testing.T) (*leg, net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	far, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = far.Close() })
	near, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = near.Close() })
	l, err := newLeg(near.(*net.TCPConn), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return l, far
}
