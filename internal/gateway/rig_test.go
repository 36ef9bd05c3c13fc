// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tillmend/tillmend/internal/gateway"
	"github.com/tillmend/tillmend/internal/txn"
)

// patience is how long a test waits for something that must happen. It is long
// because the machine may be busy, and never waited out when things work.
const patience = 30 * time.Second

// seen is one thing that the tap was told.
type seen struct {
	link txn.Link      // an event, or
	dir  txn.Direction // bytes
	data []byte
	at   time.Time
	host string // as given to Open
	from string // the listener, as given to Open
}

// recorder is a tap that hands everything to the test. It counts frames of two
// length bytes, and says what is owed, unless mute.
type recorder struct {
	mute   bool
	told   chan seen
	panics map[string]bool // methods that panic
}

func newRecorder() *recorder {
	const room = 1 << 16 // more than any test tells
	return &recorder{told: make(chan seen, room), panics: map[string]bool{}}
}

func (r *recorder) Open(listener, _, host string, at time.Time) gateway.Stream {
	r.blow("Open")
	s := &recording{recorder: r, listener: listener, host: host, at: at}
	if r.mute {
		return s
	}
	return &owingRecording{recording: s}
}

func (r *recorder) blow(method string) {
	if r.panics[method] {
		panic(method)
	}
}

type recording struct {
	*recorder
	listener, host string
	at             time.Time
}

func (s *recording) Data(dir txn.Direction, at time.Time, b []byte) {
	s.blow("Data")
	s.told <- seen{dir: dir, data: bytes.Clone(b), at: at, host: s.host, from: s.listener}
}

func (s *recording) Link(event txn.Link) {
	s.blow("Link")
	s.told <- seen{link: event, host: s.host, from: s.listener}
}

// owingRecording also counts requests and answers.
type owingRecording struct {
	*recording
	split [2]splitter
}

func (s *owingRecording) Data(dir txn.Direction, at time.Time, b []byte) {
	s.split[dir].take(b)
	s.recording.Data(dir, at, b)
}

func (s *owingRecording) Owed() bool {
	s.blow("Owed")
	up, down := &s.split[txn.ToHost], &s.split[txn.ToTerminal]
	return up.frames > down.frames || up.have > 0
}

// splitter counts frames of two length bytes.
type splitter struct {
	header [2]byte
	have   int // bytes of the frame so far, header included
	left   int // bytes of the body to come
	frames int
}

func (s *splitter) take(b []byte) {
	for len(b) > 0 {
		if s.have < len(s.header) {
			s.header[s.have] = b[0]
			s.have++
			b = b[1:]
			if s.have == len(s.header) {
				s.left = int(binary.BigEndian.Uint16(s.header[:]))
			}
		} else {
			n := min(s.left, len(b))
			s.left, s.have, b = s.left-n, s.have+n, b[n:]
		}
		if s.have >= len(s.header) && s.left == 0 {
			s.have = 0
			s.frames++
		}
	}
}

// next waits for the next thing told.
func (r *recorder) next(t testing.TB) seen {
	t.Helper()
	select {
	case s := <-r.told:
		return s
	case <-time.After(patience):
		t.Fatal("the tap was told nothing more")
		return seen{}
	}
}

// event waits for the next connection event, passing over bytes, and checks its kind.
func (r *recorder) event(t testing.TB, want txn.LinkKind) seen {
	t.Helper()
	for {
		s := r.next(t)
		if s.link.Kind == 0 {
			continue
		}
		if s.link.Kind != want {
			t.Fatalf("event %v (%s), want %v", s.link.Kind, s.link.Detail, want)
		}
		return s
	}
}

// bytes waits for n bytes of a direction, passing over nothing else.
func (r *recorder) bytes(t testing.TB, dir txn.Direction, n int) []byte {
	t.Helper()
	var all []byte
	for len(all) < n {
		s := r.next(t)
		if s.link.Kind != 0 || s.dir != dir {
			t.Fatalf("told %v %v, want bytes %v", s.link, s.dir, dir)
		}
		all = append(all, s.data...)
	}
	return all
}

// quiet checks that nothing more was told.
func (r *recorder) quiet(t testing.TB) {
	t.Helper()
	select {
	case s := <-r.told:
		t.Fatalf("told also %+v %v %q", s.link, s.dir, s.data)
	default:
	}
}

// running is a gateway that serves.
type running struct {
	*gateway.Gateway
	stop   context.CancelFunc
	served chan struct{} // closed when Serve has returned
	err    error         // of Serve, once it has returned
}

// ended waits until Serve has returned, without an error.
func (r *running) ended(t testing.TB) {
	t.Helper()
	select {
	case <-r.served:
	case <-time.After(patience):
		t.Fatal("Serve did not return")
	}
	if r.err != nil {
		t.Fatal(r.err)
	}
}

// start runs a gateway, which ends with the test at the latest.
func start(t testing.TB, cfg gateway.Config, tap gateway.Tap) *running {
	t.Helper()
	if cfg.HealthInterval == 0 {
		cfg.HealthInterval = -1
	}
	g, err := gateway.New(cfg, tap, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, g)
}

func serve(t testing.TB, g *gateway.Gateway) *running {
	t.Helper()
	if err := g.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	r := &running{Gateway: g, stop: stop, served: make(chan struct{})}
	go func() {
		defer close(r.served)
		r.err = g.Serve(ctx)
	}()
	t.Cleanup(func() {
		stop()
		r.ended(t)
	})
	return r
}

// one is a configuration with one listener.
func one(hosts ...string) gateway.Config {
	l := gateway.Listener{Name: "shops", Address: "127.0.0.1:0"}
	for _, h := range hosts {
		l.Hosts = append(l.Hosts, gateway.Host{Address: h})
	}
	return gateway.Config{Listeners: []gateway.Listener{l}}
}

// dial connects a terminal.
func (r *running) dial(t testing.TB) *net.TCPConn {
	t.Helper()
	return dialTo(t, r.Addr("shops").String())
}

// knock connects a terminal that is turned away at once, perhaps before it
// knows that it is connected.
func (r *running) knock(t testing.TB) {
	t.Helper()
	c, err := net.Dial("tcp", r.Addr("shops").String())
	if errors.Is(err, syscall.ECONNRESET) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	tame(t, c)
	expectBroken(t, c)
}

func dialTo(t testing.TB, address string) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	tame(t, c)
	return c.(*net.TCPConn)
}

// tame closes c with the test and lets no wait on it last for ever.
func tame(t testing.TB, c net.Conn) {
	t.Helper()
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(2 * patience)); err != nil {
		t.Fatal(err)
	}
}

// hostOf listens as a host does; accepted connections come on the channel.
func hostOf(t testing.TB) (address string, accepted <-chan *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	const room = 4096
	conns := make(chan *net.TCPConn, room)
	var accepting sync.WaitGroup
	accepting.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			conns <- c.(*net.TCPConn)
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		accepting.Wait()
		close(conns)
		for c := range conns {
			_ = c.Close()
		}
	})
	return ln.Addr().String(), conns
}

// take waits for the next connection of a host.
func take(t testing.TB, accepted <-chan *net.TCPConn) *net.TCPConn {
	t.Helper()
	select {
	case c := <-accepted:
		tame(t, c)
		return c
	case <-time.After(patience):
		t.Fatal("the host was not connected to")
		return nil
	}
}

// deadAddress is an address at which nothing listens.
func deadAddress(t testing.TB) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	return ln.Addr().String()
}

// frame puts two length bytes before a body.
func frame(body []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(body))), body...)
}

func send(t testing.TB, c net.Conn, b []byte) {
	t.Helper()
	if _, err := c.Write(b); err != nil {
		t.Fatal(err)
	}
}

// expect reads exactly want.
func expect(t testing.TB, c net.Conn, want []byte) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("got %.40x (%d bytes), want %.40x", got, len(got), want)
	}
}

// expectEnd reads the orderly end.
func expectEnd(t testing.TB, c net.Conn) {
	t.Helper()
	if n, err := c.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		t.Fatalf("read %d bytes, error %v; want the end", n, err)
	}
}

// expectBroken reads until the connection breaks in whatever way.
func expectBroken(t testing.TB, c net.Conn) {
	t.Helper()
	_, err := io.Copy(io.Discard, c)
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		t.Fatal("the connection was not closed")
	}
}

func closeWrite(t testing.TB, c *net.TCPConn) {
	t.Helper()
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
}

// reset closes with RST.
func reset(t testing.TB, c *net.TCPConn) {
	t.Helper()
	if err := c.SetLinger(0); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

// echoAll answers every connection with its own bytes until ln closes.
func echoAll(ln net.Listener, echoing *sync.WaitGroup) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		echoing.Go(func() {
			b := make([]byte, 2*paymentBytes)
			for {
				n, err := c.Read(b)
				if err == nil {
					_, err = c.Write(b[:n])
				}
				if err != nil {
					_ = c.Close()
					return
				}
			}
		})
	}
}

// paymentBytes is a usual length of a request, length bytes included.
const paymentBytes = 300

// payment is a frame of paymentBytes that tells its number.
func payment(i int) []byte {
	body := make([]byte, paymentBytes-2)
	copy(body, fmt.Sprintf("%010d", i))
	return frame(body)
}
