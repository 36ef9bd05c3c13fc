// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tillmend/tillmend/internal/gateway"
	"github.com/tillmend/tillmend/internal/txn"
)

// The yardstick is the plainest proxy there is: two loops that copy. Both run
// at once in this process, with the same host and the same terminals, and are
// measured in short turns, so that a busy machine is busy for both.
const (
	pacedConnections   = 1000
	pacedPerSecond     = 2000 // round trips
	saturatedConns     = 64
	bareBufferBytes    = 2048
	queuedFrames       = 1 << 14
	pacedTick          = time.Millisecond
	regressionP50      = 2.0 // times the bare proxy; the goal is 1.3
	regressionThrough  = 0.6 // of the bare proxy; the goal is 0.9
	regressionTurns    = 5
	regressionTurnTime = 100 * time.Millisecond
	benchTurnTime      = 500 * time.Millisecond
)

// bareProxy copies both ways and does nothing else.
func bareProxy(t testing.TB, host string) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var copying sync.WaitGroup
	copyLoop := func(to, from net.Conn) {
		b := make([]byte, bareBufferBytes)
		for {
			n, err := from.Read(b)
			if err == nil {
				_, err = to.Write(b[:n])
			}
			if err != nil {
				_ = to.Close()
				_ = from.Close()
				return
			}
		}
	}
	copying.Go(func() {
		for {
			terminal, err := ln.Accept()
			if err != nil {
				return
			}
			copying.Go(func() {
				up, err := net.Dial("tcp", host)
				if err != nil {
					_ = terminal.Close()
					return
				}
				copying.Go(func() { copyLoop(terminal, up) })
				copyLoop(up, terminal)
			})
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		copying.Wait()
	})
	return ln.Addr().String()
}

// framingTap does what the program does on the payment's way: it cuts the bytes
// into frames, copies each and queues it for slower work.
type framingTap struct{ frames *gateway.Queue[[]byte] }

type framingStream struct {
	*framingTap
	split [2]splitter
	part  [2][]byte
	owed  int
}

func newFramingTap(t testing.TB) *framingTap {
	t.Helper()
	tap := &framingTap{frames: gateway.NewQueue[[]byte](queuedFrames)}
	done := make(chan struct{})
	var working sync.WaitGroup
	working.Go(func() {
		pause := time.NewTimer(gateway.Pause)
		defer pause.Stop()
		for {
			select {
			case <-tap.frames.C():
			case <-done:
				return
			}
			tap.frames.Gather(func([]byte) {})
			pause.Reset(gateway.Pause)
			<-pause.C
		}
	})
	t.Cleanup(func() { close(done); working.Wait() })
	return tap
}

func (f *framingTap) Open(string, string, string, time.Time) gateway.Stream {
	return &framingStream{framingTap: f}
}

func (s *framingStream) Data(dir txn.Direction, _ time.Time, b []byte) {
	split := &s.split[dir]
	before := split.frames
	split.take(b)
	s.part[dir] = append(s.part[dir], b...)
	if split.frames > before && split.have == 0 { // payments here do not share pieces
		s.frames.Offer(slices.Clone(s.part[dir]))
		s.part[dir] = s.part[dir][:0]
		s.owed += 1 - 2*int(dir)
	}
}

func (s *framingStream) Link(txn.Link) {}

func (s *framingStream) Owed() bool { return s.owed > 0 || s.split[txn.ToHost].have > 0 }

// load is terminals on one proxy. Each waits for a token, pays, and notes how
// long that took.
type load struct {
	tokens chan struct{}
	mu     sync.Mutex
	took   []time.Duration
	count  atomic.Int64
}

func newLoad(t testing.TB, address string, connections int) *load {
	t.Helper()
	l := &load{tokens: make(chan struct{}, connections)}
	var paying sync.WaitGroup
	conns := make([]net.Conn, connections)
	for i := range conns {
		conns[i] = dialTo(t, address)
	}
	for i, c := range conns {
		paying.Go(func() { l.pay(t, c, payment(i)) })
	}
	t.Cleanup(func() {
		close(l.tokens)
		paying.Wait()
		for _, c := range conns {
			_ = c.Close()
		}
	})
	return l
}

func (l *load) pay(t testing.TB, c net.Conn, request []byte) {
	answer := make([]byte, len(request))
	if err := c.SetDeadline(time.Time{}); err != nil {
		t.Error(err)
	}
	for range l.tokens {
		begun := time.Now()
		_, err := c.Write(request)
		if err == nil {
			_, err = io.ReadFull(c, answer)
		}
		if err != nil {
			t.Error(err)
			return
		}
		took := time.Since(begun)
		l.mu.Lock()
		l.took = append(l.took, took)
		l.mu.Unlock()
		l.count.Add(1)
	}
}

// drained waits until n payments are done since the last call, and gives how
// long each took, sorted.
func (l *load) drained(n int64) []time.Duration {
	for l.count.Load() < n {
		beat := time.NewTimer(pacedTick)
		<-beat.C
	}
	l.count.Store(0)
	l.mu.Lock()
	defer l.mu.Unlock()
	took := l.took
	l.took = nil
	slices.Sort(took)
	return took
}

// paced offers a steady pace for a while and gives the median and the 99th percentile.
func (l *load) paced(turn time.Duration) (p50, p99 time.Duration) {
	ticks := time.NewTicker(pacedTick)
	defer ticks.Stop()
	const perTick = pacedPerSecond / int(time.Second/pacedTick)
	sent := int64(0)
	for range turn / pacedTick {
		<-ticks.C
		for range perTick {
			l.tokens <- struct{}{}
			sent++
		}
	}
	took := l.drained(sent)
	return took[len(took)/2], took[len(took)*99/100]
}

// saturated pays as fast as it goes and gives the payments a second.
func (l *load) saturated(turn time.Duration) float64 {
	begun := time.Now()
	sent := int64(0)
	for time.Since(begun) < turn {
		l.tokens <- struct{}{}
		sent++
	}
	l.drained(sent)
	return float64(sent) / time.Since(begun).Seconds()
}

// compared is the median over the turns of gateway figure / bare figure.
type compared struct {
	p50, p99, through []float64
	bareP50, bareP99  []float64 // microseconds
	gateP50, gateP99  []float64 // microseconds
	bareThrough       []float64
}

// contest holds both proxies with their loads.
type contest struct {
	bare, gate         *load // paced
	bareFull, gateFull *load // saturated
	tap                *framingTap
	turn               int
	result             compared
}

func newContest(t testing.TB) *contest {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var hosting sync.WaitGroup
	hosting.Go(func() { echoAll(ln, &hosting) })
	t.Cleanup(func() {
		_ = ln.Close()
		hosting.Wait()
	})
	host := ln.Addr().String()
	bare, tap := bareProxy(t, host), newFramingTap(t)
	gate := start(t, one(host), tap).Addr("shops").String()
	c := &contest{
		tap: tap, bare: newLoad(t, bare, pacedConnections), gate: newLoad(t, gate, pacedConnections),
		bareFull: newLoad(t, bare, saturatedConns), gateFull: newLoad(t, gate, saturatedConns),
	}
	c.round(regressionTurnTime) // to warm up: connections, caches, stacks
	c.result = compared{}
	return c
}

// round measures one turn of each, in changing order.
func (c *contest) round(turn time.Duration) {
	var (
		p50, p99 [2]time.Duration
		through  [2]float64
	)
	c.turn++
	for i := range 2 {
		which := (i + c.turn) % 2
		paced, full := c.bare, c.bareFull
		if which == 1 {
			paced, full = c.gate, c.gateFull
		}
		p50[which], p99[which] = paced.paced(turn)
		through[which] = full.saturated(turn)
	}
	r := &c.result
	r.p50 = append(r.p50, float64(p50[1])/float64(p50[0]))
	r.p99 = append(r.p99, float64(p99[1])/float64(p99[0]))
	r.through = append(r.through, through[1]/through[0])
	r.bareP50 = append(r.bareP50, micro(p50[0]))
	r.gateP50 = append(r.gateP50, micro(p50[1]))
	r.bareP99 = append(r.bareP99, micro(p99[0]))
	r.gateP99 = append(r.gateP99, micro(p99[1]))
	r.bareThrough = append(r.bareThrough, through[0])
}

func micro(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// BenchmarkAgainstBareProxy reports how much slower a payment is through the
// gateway than through the bare proxy. One iteration is one turn of each; ask
// for an odd number of them, e.g. -benchtime 9x.
func BenchmarkAgainstBareProxy(b *testing.B) {
	c := newContest(b)
	for b.Loop() {
		c.round(benchTurnTime)
	}
	r := c.result
	b.ReportMetric(median(r.p50), "p50-ratio")
	b.ReportMetric(median(r.p99), "p99-ratio")
	b.ReportMetric(median(r.through), "throughput-ratio")
	b.ReportMetric(median(r.bareP50), "bare-p50-µs")
	b.ReportMetric(median(r.gateP50), "gateway-p50-µs")
	b.ReportMetric(median(r.bareP99), "bare-p99-µs")
	b.ReportMetric(median(r.gateP99), "gateway-p99-µs")
	b.ReportMetric(median(r.bareThrough), "bare-payments/s")
	b.ReportMetric(float64(c.tap.frames.Dropped()), "frames-dropped")
	b.ReportMetric(0, "ns/op") // an iteration is a fixed time
}

// A regression of the payment's way fails here; the bounds are loose, since the
// machine may be busy, and the benchmark gives the figures.
func TestNotMuchSlowerThanBareProxy(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector slows the gateway's locks and atomics, not the bare proxy")
	}
	if testing.Short() {
		t.Skip("takes three seconds of steady load")
	}
	c := newContest(t)
	for range regressionTurns {
		c.round(regressionTurnTime)
	}
	p50, through := median(c.result.p50), median(c.result.through)
	t.Logf("p50 %.2f times, p99 %.2f times, throughput %.2f of the bare proxy", p50, median(c.result.p99), through)
	if p50 > regressionP50 {
		t.Errorf("p50 is %.2f times that of a bare proxy (%.2f), want at most %.1f", p50, c.result.p50, regressionP50)
	}
	if through < regressionThrough {
		t.Errorf("throughput is %.2f of that of a bare proxy (%.2f), want at least %.1f", through, c.result.through, regressionThrough)
	}
}

// BenchmarkRoundTrip is one terminal's payment after payment.
func BenchmarkRoundTrip(b *testing.B) {
	address, accepted := hostOf(b)
	g := start(b, one(address), newFramingTap(b))
	terminal := g.dial(b)
	host := take(b, accepted)
	var echoing sync.WaitGroup
	echoing.Go(func() { _, _ = io.Copy(struct{ io.Writer }{host}, struct{ io.Reader }{host}) })
	request, answer := payment(1), make([]byte, paymentBytes)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := terminal.Write(request); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(terminal, answer); err != nil {
			b.Fatal(err)
		}
	}
	_ = terminal.Close()
	echoing.Wait()
}
