// SPDX-License-Identifier: Apache-2.0

package app

import (
	"bufio"
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tillmend/tillmend/internal/estate"
	"github.com/tillmend/tillmend/internal/journal"
	"github.com/tillmend/tillmend/internal/knowledge"
	"github.com/tillmend/tillmend/internal/pipeline"
	"github.com/tillmend/tillmend/internal/txn"
)

// crashDir names the data folder to a child of the crash test.
const crashDir = "TILLMEND_CRASH_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		if err := crashChild(dir, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// reporter tells the parent of each acknowledged event and of the states on the way.
type reporter struct {
	*journal.Journal
	mu     sync.Mutex
	out    *bufio.Writer
	engine *pipeline.Engine
}

func (r *reporter) line(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintf(r.out, format+"\n", args...) //nolint:errcheck // a broken pipe is the end of the test
	r.out.Flush()                            //nolint:errcheck // likewise
}

func (r *reporter) AppendAsync(e journal.Entry, done func(journal.Position, error)) error {
	return r.Journal.AppendAsync(e, func(p journal.Position, err error) {
		if err == nil {
			r.line("acknowledged %d", p)
		}
		done(p, err)
	})
}

func (r *reporter) Follow(ctx context.Context, after journal.Position, fn func(journal.Record) error) error {
	n := 0
	return r.Journal.Follow(ctx, after, func(rec journal.Record) error {
		err := fn(rec)
		if n++; n%50 == 0 {
			r.line("state %d %08x", rec.Position, digest(r.engine))
		}
		return err
	})
}

func digest(g *pipeline.Engine) uint32 {
	sum := crc32.NewIEEE()
	if err := g.Snapshot(sum); err != nil {
		panic(err) // unreachable: a checksum never fails to write
	}
	return sum.Sum32()
}

func crashConfig(dir string) journal.Config {
	return journal.Config{Dir: filepath.Join(dir, "journal"), MinFreeBytes: -1}
}

// crashChild is the service's recording half, fed without end, saving its states
// all the time.
func crashChild(dir string, out io.Writer) error {
	log := slog.New(slog.DiscardHandler)
	base, err := knowledge.Default()
	if err != nil {
		return err
	}
	ctx := context.Background()
	j, err := journal.Open(ctx, crashConfig(dir), log)
	if err != nil {
		return err
	}
	f := &follower{engine: pipeline.New(base, ""), path: filepath.Join(dir, snapshotName), log: log, watch: &watchers{}}
	f.restore()
	r := &reporter{Journal: j, out: bufio.NewWriter(out), engine: f.engine}
	rec := newRecorder(1024, log)
	go rec.run(ctx, r, 0, nil)
	go func() {
		for {
			if err := f.save(); err != nil {
				panic(err)
			}
			runtime.Gosched()
		}
	}()
	go feed(rec)
	return f.run(ctx, r)
}

// feed makes a steady stream of sales on twenty terminals.
func feed(rec *recorder) {
	at := time.Date(2026, 6, 3, 10, 0, 0, 0, time.FixedZone("", 8*3600))
	for n := uint32(1); ; n++ {
		at = at.Add(100 * time.Millisecond)
		id := estate.TerminalID(fmt.Sprintf("T%07d", n%20))
		req := txn.Leg{
			At: at, Peer: fmt.Sprintf("10.0.0.%d:40000", n%20), Direction: txn.ToHost, MTI: 0x0200, Kind: txn.Sale,
			Terminal: id, Merchant: "898000000000001", STAN: n % 1_000_000, Amount: 3600, Batch: 1, CardNo: uint16(n % 7),
		}
		ans := req
		ans.Direction, ans.MTI, ans.Code, ans.At = txn.ToTerminal, 0x0210, []string{"00", "00", "51", "A0"}[n%4], at.Add(30*time.Millisecond)
		for _, l := range []txn.Leg{req, ans} {
			for !rec.queue.Offer(item{leg: &l}) {
				runtime.Gosched()
			}
		}
	}
}

// TestKillAtAnyMoment kills the recording process at random moments: nothing that
// was acknowledged is lost, the states rebuilt from the journal equal those the
// process had, and the states rebuilt from snapshot and journal equal both.
func TestKillAtAnyMoment(t *testing.T) {
	rounds, perFolder := 100, 10
	if testing.Short() {
		rounds = 5
	}
	rng := rand.New(rand.NewPCG(1, 2))
	var acknowledged, compared int
	var dir string
	for round := range rounds {
		if round%perFolder == 0 {
			dir = t.TempDir()
		}
		acks, states := killOnce(t, dir, rng)
		acknowledged += len(acks)
		compared += verify(t, dir, acks, states)
		if t.Failed() {
			t.Fatalf("after %d kills", round+1)
		}
	}
	t.Logf("%d kills, %d events acknowledged, %d states compared", rounds, acknowledged, compared)
	if acknowledged < 20*rounds || compared < rounds/4 {
		t.Errorf("%d events and %d states are too few to say anything", acknowledged, compared)
	}
}

// killOnce runs a child and kills it after a random number of its reports.
func killOnce(t *testing.T, dir string, rng *rand.Rand) (acks []journal.Position, states map[journal.Position]string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), crashDir+"="+dir)
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	states = map[journal.Position]string{}
	left := 1 + rng.IntN(600)
	in := bufio.NewScanner(pipe)
	for in.Scan() {
		var p journal.Position
		var sum string
		if n, err := fmt.Sscanf(in.Text(), "state %d %s", &p, &sum); err == nil && n == 2 {
			states[p] = sum
		} else if n, err := fmt.Sscanf(in.Text(), "acknowledged %d", &p); err == nil && n == 1 {
			acks = append(acks, p)
		} else if !strings.HasPrefix(in.Text(), "acknowledged") && !strings.HasPrefix(in.Text(), "state") {
			t.Errorf("the child says %q", in.Text())
		}
		if left--; left == 0 {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait()
	return acks, states
}

// verify reopens what the killed child left, and gives how many states it compared.
func verify(t *testing.T, dir string, acks []journal.Position, states map[journal.Position]string) (compared int) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	j, err := journal.Open(t.Context(), crashConfig(dir), log)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close() //nolint:errcheck // the next round opens it again
	base := testBase(t)
	whole := pipeline.New(base, "")
	there := map[journal.Position]bool{}
	err = j.Read(t.Context(), 0, func(r journal.Record) error {
		there[r.Position] = true
		e, err := decodeEvent(&r)
		if err != nil {
			return err
		}
		whole.Apply(&e)
		if want, ok := states[r.Position]; ok {
			compared++
			if got := fmt.Sprintf("%08x", digest(whole)); got != want {
				t.Errorf("states at %d are %s, the child had %s", r.Position, got, want)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range acks {
		if !there[p] {
			t.Errorf("event %d was acknowledged and is gone", p)
		}
	}
	f := &follower{engine: pipeline.New(base, ""), path: filepath.Join(dir, snapshotName), log: log, watch: &watchers{}}
	f.restore()
	at, _ := f.engine.Position()
	err = j.Read(t.Context(), journal.Position(at), func(r journal.Record) error {
		e, err := decodeEvent(&r)
		f.engine.Apply(&e)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := digest(f.engine), digest(whole); got != want {
		t.Errorf("states from snapshot %d and journal are %08x, from the journal alone %08x", at, got, want)
	}
	return compared
}
