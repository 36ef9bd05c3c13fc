// SPDX-License-Identifier: Apache-2.0

//go:build unix

package gateway_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tillmend/tillmend/internal/gateway"
	"github.com/tillmend/tillmend/internal/txn"
)

const (
	manyConnections   = 10_000
	fewestConnections = 1_000
	raceConnections   = 1_000    // two goroutines each, and the detector allows 8128
	spareFiles        = 200      // for everything that is no connection
	mostBytesEach     = 20 << 10 // per idle connection, so that 100,000 fit in a small server
	peersEnv          = "GATEWAY_TEST_PEERS"
)

// connectionsAllowed is how many connections this process can forward: each
// takes two file descriptors, here and in the process that plays the peers.
func connectionsAllowed(t *testing.T) int {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	const enough = 2*manyConnections + spareFiles
	if limit.Max < enough {
		raised := syscall.Rlimit{Cur: enough, Max: enough}
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &raised); err == nil {
			limit = raised
		}
	}
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	n := min(manyConnections, (int(min(limit.Cur, enough))-spareFiles)/2)
	if n < fewestConnections {
		t.Fatalf("RLIMIT_NOFILE is %d and cannot be raised; want at least %d", limit.Max, 2*fewestConnections+spareFiles)
	}
	if raceDetector {
		n = min(n, raceConnections)
	}
	return n
}

// TestManyConnections has ten thousand terminals connected at once, all of
// which pay, rest, and pay again. Terminals and host are another process, since
// the limit of file descriptors is per process.
func TestManyConnections(t *testing.T) {
	n := connectionsAllowed(t)
	peers := startPeers(t, n)
	tap := &countingTap{want: int64(n), done: make(chan struct{})}
	g := start(t, one(peers.read(t)), tap)
	empty := memory()
	peers.write(t, g.Addr("shops").String())
	for _, round := range []string{"first", "second"} {
		if got, want := peers.read(t), fmt.Sprintf("%d answered", n); got != want {
			t.Fatalf("%s round: %s, want %s", round, got, want)
		}
		if s := g.Stats(); s.Listeners[0].Open != n {
			t.Fatalf("%s round: %d connections open, want %d", round, s.Listeners[0].Open, n)
		}
		each := (memory() - empty) / n
		t.Logf("%s round: %d connections, %d bytes of memory each at rest", round, n, each)
		if each > mostBytesEach && !raceDetector {
			t.Errorf("%d bytes of memory for each connection, want at most %d", each, mostBytesEach)
		}
		peers.write(t, "go on")
	}
	wait(t, tap.done)
	if got, want := tap.bytes.Load(), int64(n*2*2*paymentBytes); got != want {
		t.Fatalf("the tap saw %d bytes, want %d", got, want)
	}
}

// memory is what connections take: heap and stacks, after a collection.
func memory() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapInuse + m.StackInuse)
}

// countingTap counts bytes, and closes done after as many orderly ends as wanted.
type countingTap struct {
	want        int64
	ends, bytes atomic.Int64
	done        chan struct{}
}

func (c *countingTap) Open(string, string, string, time.Time) gateway.Stream { return c }

func (c *countingTap) Data(_ txn.Direction, _ time.Time, b []byte) { c.bytes.Add(int64(len(b))) }

func (c *countingTap) Link(event txn.Link) {
	if event.Kind == txn.LinkClose && c.ends.Add(1) == c.want {
		close(c.done)
	}
}

// peersProcess is the process that plays terminals and host.
type peersProcess struct {
	out *bufio.Reader
	in  io.Writer
}

func startPeers(t *testing.T, n int) *peersProcess {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestPeersProcess$", "-test.v=false")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", peersEnv, n))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	return &peersProcess{out: bufio.NewReader(out), in: in}
}

func (p *peersProcess) read(t *testing.T) string {
	t.Helper()
	line, err := p.out.ReadString('\n')
	if err != nil {
		t.Fatalf("the peers ended: %v", err)
	}
	return strings.TrimSpace(line)
}

func (p *peersProcess) write(t *testing.T, line string) {
	t.Helper()
	if _, err := io.WriteString(p.in, line+"\n"); err != nil {
		t.Fatal(err)
	}
}

// TestPeersProcess plays terminals and host for TestManyConnections.
func TestPeersProcess(t *testing.T) {
	n := 0
	if _, err := fmt.Sscan(os.Getenv(peersEnv), &n); err != nil {
		t.Skip("only runs as the child of TestManyConnections")
	}
	connectionsAllowed(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var hosting sync.WaitGroup
	hosting.Go(func() { echoAll(ln, &hosting) })
	parent := &peersProcess{out: bufio.NewReader(os.Stdin), in: os.Stdout}
	parent.write(t, ln.Addr().String())
	address := parent.read(t)
	terminals := make([]net.Conn, n)
	for i := range terminals {
		terminals[i] = dialTo(t, address)
	}
	for range 2 {
		for i, c := range terminals {
			send(t, c, payment(i))
		}
		for i, c := range terminals {
			expect(t, c, payment(i))
		}
		parent.write(t, fmt.Sprintf("%d answered", n))
		parent.read(t)
	}
	for _, c := range terminals {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := parent.out.ReadString('\n'); !errors.Is(err, io.EOF) {
		t.Fatalf("error %v, want the parent's end", err)
	}
	_ = ln.Close()
	hosting.Wait()
}
