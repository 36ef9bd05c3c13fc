// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// pieceBytes is how much is moved at once: a few payment frames, or a
// sixteenth of the longest one. Larger pieces gain nothing at payment sizes.
const pieceBytes = 4096

type piece [pieceBytes]byte

// pieces lends read buffers; a connection holds one only while it has data
// (with TLS, also while it waits).
var pieces = sync.Pool{New: func() any { return new(piece) }}

// longAgo as a deadline ends a wait at once.
var longAgo = time.Unix(1, 0)

// landing is what to do when bytes have been written, under a lock that is
// also held during the write.
type landing struct {
	order *sync.Mutex
	show  func()
}

// leg is one side of a connection: a TCP socket, perhaps with TLS on it. One
// goroutine may read and one may write at a time; the rest may be called freely.
type leg struct {
	*socket
	secure *tls.Conn // nil without TLS
}

// newLeg takes over tcp. Writing to it fails when nothing is taken for writeTimeout.
func newLeg(tcp *net.TCPConn, writeTimeout time.Duration) (*leg, error) {
	s, err := newSocket(tcp, writeTimeout)
	if err != nil {
		return nil, err
	}
	return &leg{socket: s}, nil
}

// handshake puts TLS on the leg; make is tls.Server or tls.Client.
func (l *leg) handshake(ctx context.Context, side func(net.Conn, *tls.Config) *tls.Conn, cfg *tls.Config, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	l.secure = side(l.socket, cfg)
	return l.secure.HandshakeContext(ctx)
}

// next waits for bytes and gives them in a piece that the caller puts back to
// pieces. The error is io.EOF when the far side has closed its sending half.
func (l *leg) next() (*piece, int, error) {
	if l.secure == nil {
		return l.receive()
	}
	p := pieces.Get().(*piece)
	n, err := l.secure.Read(p[:])
	if n > 0 {
		return p, n, nil // an error that came along comes again
	}
	pieces.Put(p)
	return nil, 0, err
}

// deliver writes b and calls landed in the same critical section in which the
// last byte was handed to the kernel.
func (l *leg) deliver(b []byte, landed *landing) error {
	if l.secure == nil {
		return l.send(b, landed)
	}
	l.landing.Store(landed)
	_, err := l.secure.Write(b)
	l.landing.Store(nil)
	return err
}

// finish closes the sending half, so that the far side reads the end.
func (l *leg) finish() {
	if l.secure != nil {
		_ = l.secure.CloseWrite() // Best effort: the far side may be gone.
	}
	_ = l.CloseWrite() // Best effort, as above.
}

// linger closes a leg whose far side may still send. Closing a socket with
// unread bytes would reset it, and a reset can destroy an answer that the far
// side has not read yet; so the end is sent first, and what still comes is
// read and thrown away until the deadline.
func (l *leg) linger(deadline time.Time) {
	l.finish()
	if l.SetReadDeadline(deadline) == nil {
		for {
			p, _, err := l.receive()
			if err != nil {
				break
			}
			pieces.Put(p)
		}
	}
	_ = l.Close() // Nothing can be done about an error.
}

// abort resets the connection.
func (l *leg) abort() {
	_ = l.SetLinger(0) // Best effort: an orderly close is fine too.
	_ = l.Close()      // Nothing can be done about an error.
}

// interrupt ends every wait on the socket, now and later.
func (s *socket) interrupt() {
	s.cut.Store(true)
	_ = s.SetDeadline(longAgo) // An error means that it is closed already.
}

// armWrite sets the deadline of one write. An interrupt that comes before the
// deadline is set is found in cut, one that comes later overwrites the deadline.
func (s *socket) armWrite() error {
	if err := s.SetWriteDeadline(time.Now().Add(s.writeTimeout)); err != nil {
		return err
	}
	if s.cut.Load() {
		return os.ErrDeadlineExceeded
	}
	return nil
}

// isTimeout tells a deadline of ours, of the kernel, or of a context.
func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout() || errors.Is(err, context.DeadlineExceeded)
}
