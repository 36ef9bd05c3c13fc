// SPDX-License-Identifier: Apache-2.0

//go:build !unix || plainsocket

package gateway

import (
	"net"
	"sync/atomic"
	"time"
)

// socket is a TCP connection where the system gives no way to read and write
// without waiting: a buffer is held while waiting, and the order in which the
// tap sees the two directions is that of the goroutines, not of the wire. The
// build tag plainsocket selects it anywhere, for tests.
type socket struct {
	*net.TCPConn
	writeTimeout time.Duration
	landing      atomic.Pointer[landing] // for the next write of TLS
	cut          atomic.Bool             // set by interrupt
}

func newSocket(tcp *net.TCPConn, writeTimeout time.Duration) (*socket, error) {
	return &socket{TCPConn: tcp, writeTimeout: writeTimeout}, nil
}

// receive waits for bytes; see [leg.next].
func (s *socket) receive() (*piece, int, error) {
	p := pieces.Get().(*piece)
	n, err := s.Read(p[:])
	if n > 0 {
		return p, n, nil
	}
	pieces.Put(p)
	return nil, 0, err
}

// send writes all of b; see [leg.deliver].
func (s *socket) send(b []byte, landed *landing) error {
	if err := s.armWrite(); err != nil {
		return err
	}
	if _, err := s.TCPConn.Write(b); err != nil {
		return err
	}
	if landed != nil {
		landed.order.Lock()
		defer landed.order.Unlock()
		landed.show()
	}
	return nil
}

// Write is what TLS calls to send a record.
func (s *socket) Write(b []byte) (int, error) {
	if err := s.send(b, s.landing.Swap(nil)); err != nil {
		return 0, err
	}
	return len(b), nil
}

// unread cannot be known here.
func (s *socket) unread() bool { return false }
