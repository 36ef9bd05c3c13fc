// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Terminals pay all the time while one instance takes over the port from
// another. Every request that the host saw must be answered at the terminal:
// otherwise a customer has paid and the shop does not know.
func TestNoPaymentIsLostAcrossARestart(t *testing.T) {
	if plainSocket {
		t.Skip("plain sockets do not see unread bytes, so a request may meet the end")
	}
	const terminals, fewest = 40, 20
	host, book := openLedger(t, terminals)
	cfg := one(host)
	cfg.ReusePort, cfg.DrainGrace = true, 1
	old := start(t, cfg, newRecorder())
	s := newShops(terminals, old.Addr("shops").String())
	s.payUntil(func(p *payer) bool { return len(p.answered) == fewest })()

	// Every terminal now waits for an answer while the restart begins.
	gate := make(chan struct{})
	book.gate.Store(&gate)
	moved := s.payUntil(func(p *payer) bool { return len(p.answered) >= 2*fewest && p.retried > 0 })
	for range terminals {
		wait(t, book.waiting)
	}
	after := newRecorder()
	cfg.Listeners[0].Address = s.address
	young := start(t, cfg, after)
	drained := old.drain(t.Context())
	for len(after.told) == 0 { // until new connections reach the new instance
		if c, err := net.Dial("tcp", s.address); err == nil { // may be reset while the old one closes
			_ = c.Close()
		}
	}
	book.gate.Store(nil)
	close(gate)
	moved()
	if err := wait(t, drained); err != nil {
		t.Fatal(err)
	}
	last := s.number.Load() // every terminal pays once more, at the new instance
	s.payUntil(func(p *payer) bool { return p.answered[len(p.answered)-1] > last })()

	answered := s.close(t)
	book.mu.Lock()
	defer book.mu.Unlock()
	for n := range book.requests {
		if !answered[n] {
			t.Errorf("the host saw request %d, but its answer was lost", n)
		}
	}
	if !t.Failed() {
		t.Logf("%d payments by %d terminals, none lost", len(answered), terminals)
	}
	if s := young.Stats(); s.Accepted < terminals {
		t.Errorf("the new instance took %d connections, want all %d terminals", s.Accepted, terminals)
	}
}

// shops are terminals that pay at one address.
type shops struct {
	address  string
	number   atomic.Uint32 // of the last request
	payers   []*payer
	failures chan error
}

func newShops(n int, address string) *shops {
	s := &shops{address: address, payers: make([]*payer, n), failures: make(chan error, n)}
	for i := range s.payers {
		s.payers[i] = &payer{}
	}
	return s
}

// payUntil lets every terminal pay until it has enough; the result waits for that.
func (s *shops) payUntil(enough func(*payer) bool) (wait func()) {
	var paying sync.WaitGroup
	for _, p := range s.payers {
		paying.Go(func() {
			for !enough(p) {
				if err := p.pay(s.address, &s.number); err != nil {
					s.failures <- err
					return
				}
			}
		})
	}
	return paying.Wait
}

// close gives the requests that were answered.
func (s *shops) close(t *testing.T) map[uint32]bool {
	t.Helper()
	close(s.failures)
	for err := range s.failures {
		t.Error(err)
	}
	answered := map[uint32]bool{}
	for _, p := range s.payers {
		for _, n := range p.answered {
			answered[n] = true
		}
		_ = p.conn.Close()
	}
	return answered
}

// payer is a terminal that pays one payment after the other, on a new
// connection when the last one was closed.
type payer struct {
	answered []uint32
	retried  int
	conn     net.Conn
}

// pay sends one request and waits for its answer; it tries again, with a new
// number, when the connection ends before the answer.
func (p *payer) pay(address string, number *atomic.Uint32) error {
	for {
		n := number.Add(1)
		answer, err := p.try(address, n)
		if err == nil {
			if answer != n {
				return errors.New("the answer belongs to another request")
			}
			p.answered = append(p.answered, n)
			return nil
		}
		if isDeadline(err) {
			return err
		}
		p.retried++
		if p.conn != nil {
			_ = p.conn.Close()
			p.conn = nil
		}
	}
}

func (p *payer) try(address string, n uint32) (uint32, error) {
	if p.conn == nil {
		c, err := net.Dial("tcp", address)
		if err != nil {
			return 0, err
		}
		p.conn = c
		if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
			return 0, err
		}
	}
	if _, err := p.conn.Write(frame(binary.BigEndian.AppendUint32(nil, n))); err != nil {
		return 0, err
	}
	var answer [6]byte
	_, err := io.ReadFull(p.conn, answer[:])
	return binary.BigEndian.Uint32(answer[2:]), err
}

func isDeadline(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// ledger is a host that writes down every request before it answers.
type ledger struct {
	mu       sync.Mutex
	requests map[uint32]bool
	gate     atomic.Pointer[chan struct{}] // while set, answers wait for it
	waiting  chan uint32                   // requests whose answer waits
}

// openLedger starts a host; waiting takes as many requests as terminals wait.
func openLedger(t *testing.T, terminals int) (address string, book *ledger) {
	t.Helper()
	book = &ledger{requests: map[uint32]bool{}, waiting: make(chan uint32, terminals)}
	address, accepted := hostOf(t)
	go func() {
		for c := range accepted {
			go book.serve(c)
		}
	}()
	return address, book
}

func (l *ledger) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	var request [6]byte
	for {
		if _, err := io.ReadFull(c, request[:]); err != nil {
			return
		}
		n := binary.BigEndian.Uint32(request[2:])
		l.mu.Lock()
		l.requests[n] = true
		l.mu.Unlock()
		if gate := l.gate.Load(); gate != nil {
			l.waiting <- n
			<-*gate
		}
		if _, err := c.Write(request[:]); err != nil {
			return
		}
	}
}
