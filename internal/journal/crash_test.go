// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"
)

// The crash test kills a process that appends, opens what it left, and compares.
const (
	crashKillsEnv   = "JOURNAL_CRASH_KILLS" // number of kills, in place of the default
	crashSeedEnv    = "JOURNAL_CRASH_SEED"  // repeats the moments of an earlier run, as far as timing allows
	crashKills      = 100
	crashKillsShort = 5
	crashWorkers    = 8
	crashMaxAcks    = 1500
	crashMaxLife    = 150 * time.Millisecond // about three starts, so that some children die while they recover
)

// fact is what one entry of the crash test says: the n-th of a worker in the life
// of one child. Its data end in a sum, so that a torn entry shows.
type fact struct{ life, worker, n uint64 }

func (f fact) key() string { return fmt.Sprintf("worker-%d", f.worker) }

// data has a length that depends on n, so that batches differ.
func (f fact) data() []byte {
	b := make([]byte, 24+f.n%200)
	binary.LittleEndian.PutUint64(b, f.life)
	binary.LittleEndian.PutUint64(b[8:], f.worker)
	binary.LittleEndian.PutUint64(b[16:], f.n)
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

// factOf reads a fact back from a record.
func factOf(r Record) (fact, error) {
	n := len(r.Data) - sha256.Size
	if n < 24 || sha256.Sum256(r.Data[:n]) != [sha256.Size]byte(r.Data[n:]) {
		return fact{}, fmt.Errorf("record %v is damaged", r.Position)
	}
	f := fact{binary.LittleEndian.Uint64(r.Data), binary.LittleEndian.Uint64(r.Data[8:]), binary.LittleEndian.Uint64(r.Data[16:])}
	if f.key() != r.Key || PartitionOf(r.Key) != r.Partition {
		return fact{}, fmt.Errorf("record %v has key %s, partition %d", r.Position, r.Key, r.Partition)
	}
	return f, nil
}

// appenderMain is the child: it appends from several goroutines until it is
// killed, and prints a line for each acknowledged entry.
func appenderMain(dir string) int {
	j, err := Open(context.Background(), Config{Dir: dir}, slog.New(slog.DiscardHandler))
	if err != nil {
		say(err)
		return 1
	}
	life := uint64(time.Now().UnixNano())
	var workers sync.WaitGroup
	for w := range uint64(crashWorkers) {
		workers.Go(func() {
			for n := uint64(0); ; n++ {
				f := fact{life, w, n}
				at, err := j.Append(context.Background(), Entry{Key: f.key(), Data: f.data()})
				if err != nil {
					say(err)
					os.Exit(1)
				}
				say(uint64(at), f.life, f.worker, f.n)
			}
		})
	}
	workers.Wait()
	return 0
}

// TestKilledProcessLosesNothing is the promise of the package.
func TestKilledProcessLosesNothing(t *testing.T) {
	kills, seed := crashRounds(t)
	t.Logf("%d kills, %s=%d", kills, crashSeedEnv, seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	acked := make(map[Position]fact)
	for round := range kills {
		killOne(t, dir, rng, acked)
		// Now and then the next child has to recover from the kill itself.
		if rng.IntN(3) > 0 || round == kills-1 {
			verify(t, dir, acked)
		}
	}
	if len(acked) < kills {
		t.Errorf("only %d entries were acknowledged in %d lives: the test proves little", len(acked), kills)
	}
	t.Logf("%d acknowledged entries, none lost", len(acked))
}

// crashRounds gives the number of kills and the seed.
func crashRounds(t *testing.T) (kills int, seed uint64) {
	t.Helper()
	kills, seed = crashKills, rand.Uint64()
	if testing.Short() {
		kills = crashKillsShort
	}
	var err error
	if s := os.Getenv(crashKillsEnv); s != "" {
		if kills, err = strconv.Atoi(s); err != nil {
			t.Fatalf("%s: %v", crashKillsEnv, err)
		}
	}
	if s := os.Getenv(crashSeedEnv); s != "" {
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatalf("%s: %v", crashSeedEnv, err)
		}
	}
	return kills, seed
}

// killOne starts a child, notes what it acknowledges, and kills it after a random
// number of acknowledgements or a random time, whichever comes first.
func killOne(t *testing.T, dir string, rng *rand.Rand, acked map[Position]fact) {
	t.Helper()
	child, out := startChild(t, "appender", dir)
	limit := rng.IntN(crashMaxAcks)
	timer := time.AfterFunc(time.Duration(rng.Int64N(int64(crashMaxLife))), func() { kill(child) })
	defer timer.Stop()
	seen := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var at Position
		var f fact
		if _, err := fmt.Sscan(lines.Text(), &at, &f.life, &f.worker, &f.n); err != nil {
			t.Fatalf("line %q of the child: %v", lines.Text(), err)
		}
		if prev, ok := acked[at]; ok {
			t.Fatalf("position %v was given out twice: %v and %v", at, prev, f)
		}
		acked[at] = f
		if seen++; seen == limit {
			kill(child)
		}
	}
	reap(child)
	if code := child.ProcessState.ExitCode(); code != -1 {
		t.Fatalf("the child ended by itself with code %d", code)
	}
}

// verify opens the journal and compares everything in it with what was
// acknowledged. Entries that were stored but not acknowledged are allowed.
func verify(t *testing.T, dir string, acked map[Position]fact) {
	t.Helper()
	j, err := Open(t.Context(), Config{Dir: dir}, testLog(t))
	if err != nil {
		t.Fatalf("Open after a kill: %v", err)
	}
	defer mustClose(t, j)
	last := make(map[string]fact)
	found := 0
	err = j.Read(t.Context(), 0, func(r Record) error {
		f, err := factOf(r)
		if err != nil {
			return err
		}
		if want, ok := acked[r.Position]; ok {
			if f != want {
				return fmt.Errorf("record %v is %v, acknowledged was %v", r.Position, f, want)
			}
			found++
		}
		prev, ok := last[r.Key]
		if ok && (f.life < prev.life || f.life == prev.life && f.n != prev.n+1) {
			return fmt.Errorf("record %v: %v comes after %v", r.Position, f, prev)
		}
		last[r.Key] = f
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found != len(acked) {
		t.Fatalf("%d of %d acknowledged entries are lost", len(acked)-found, len(acked))
	}
	if s := j.Stats(); s.Damaged != 0 || s.Missed != 0 {
		t.Fatalf("%d damaged and %d missing batches", s.Damaged, s.Missed)
	}
}
