// SPDX-License-Identifier: Apache-2.0

//go:build unix && !plainsocket

package gateway

import (
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// socket is a TCP connection that borrows a buffer only when there is data,
// and that writes without waiting as long as the kernel takes the bytes.
type socket struct {
	*net.TCPConn
	raw          syscall.RawConn
	writeTimeout time.Duration
	landing      atomic.Pointer[landing] // for the next write of TLS
	cut          atomic.Bool             // set by interrupt

	// Owned by the reader.
	in      *piece
	inLen   int
	inErr   error
	tryRead func(fd uintptr) bool

	// Owned by the writer.
	out      []byte
	outErr   error
	landed   *landing
	tryWrite func(fd uintptr) bool
	writeNow func(fd uintptr)
}

func newSocket(tcp *net.TCPConn, writeTimeout time.Duration) (*socket, error) {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil, err
	}
	s := &socket{TCPConn: tcp, raw: raw, writeTimeout: writeTimeout}
	s.tryRead, s.tryWrite = s.readFD, s.writeFD
	s.writeNow = func(fd uintptr) { s.writeFD(fd) }
	return s, nil
}

// receive waits for bytes; see [leg.next].
func (s *socket) receive() (*piece, int, error) {
	s.in, s.inLen, s.inErr = nil, 0, nil
	if err := s.raw.Read(s.tryRead); err != nil {
		return nil, 0, err
	}
	return s.in, s.inLen, s.inErr
}

// readFD reads once; false means that there is nothing yet.
func (s *socket) readFD(fd uintptr) bool {
	p := pieces.Get().(*piece)
	n, err := retry(syscall.Read, fd, p[:])
	if n > 0 {
		s.in, s.inLen = p, n
		return true
	}
	pieces.Put(p)
	switch {
	case errors.Is(err, syscall.EAGAIN):
		return false
	case err == nil:
		s.inErr = io.EOF
	default:
		s.inErr = os.NewSyscallError("read", err)
	}
	return true
}

// send writes all of b; see [leg.deliver]. A deadline is set only when the
// kernel does not take everything at once.
func (s *socket) send(b []byte, landed *landing) error {
	s.out, s.outErr, s.landed = b, nil, landed
	err := s.raw.Control(s.writeNow)
	if err == nil && s.outErr == nil && len(s.out) > 0 {
		if err = s.armWrite(); err == nil {
			err = s.raw.Write(s.tryWrite)
		}
	}
	s.out, s.landed = nil, nil
	if err != nil {
		return err
	}
	return s.outErr
}

// writeFD writes until all is taken, then calls landed; false means that the
// kernel takes no more for now.
func (s *socket) writeFD(fd uintptr) bool {
	if s.landed != nil {
		s.landed.order.Lock()
		defer s.landed.order.Unlock()
	}
	for len(s.out) > 0 {
		n, err := retry(syscall.Write, fd, s.out)
		switch {
		case errors.Is(err, syscall.EAGAIN):
			return false
		case err != nil:
			s.outErr = os.NewSyscallError("write", err)
			return true
		}
		s.out = s.out[n:]
	}
	if s.landed != nil {
		s.landed.show()
	}
	return true
}

// Write is what TLS calls to send a record.
func (s *socket) Write(b []byte) (int, error) {
	if err := s.send(b, s.landing.Swap(nil)); err != nil {
		return 0, err
	}
	return len(b), nil
}

// unread reports whether received bytes wait to be read; the end is no byte.
func (s *socket) unread() bool {
	waiting := false
	err := s.raw.Control(func(fd uintptr) {
		var b [1]byte
		n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		waiting = err == nil && n > 0
	})
	return err == nil && waiting
}

// retry calls again when a signal interrupted the call.
func retry(call func(int, []byte) (int, error), fd uintptr, b []byte) (int, error) {
	for {
		n, err := call(int(fd), b)
		if !errors.Is(err, syscall.EINTR) {
			return n, err
		}
	}
}
