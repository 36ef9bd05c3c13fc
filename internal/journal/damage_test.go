// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestDirectoryIsLocked(t *testing.T) {
	dir := t.TempDir()
	child, out := startChild(t, "holder", dir)
	defer reap(child)
	defer kill(child)
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "open\n" {
		t.Fatalf("the holder says %q, %v", line, err)
	}
	_, err := Open(t.Context(), Config{Dir: dir}, testLog(t))
	if want := fmt.Sprintf("in use by another process (process %d", child.Process.Pid); err == nil || !strings.Contains(err.Error(), want) {
		t.Fatalf("Open = %v, want %q", err, want)
	}
	kill(child)
	reap(child)
	j := openTest(t, Config{Dir: dir}) // the lock went with the process
	if _, err := Open(t.Context(), Config{Dir: dir}, testLog(t)); err == nil {
		t.Error("opened twice by one process")
	}
	mustAppend(t, j, Entry{Key: "T1"})
}

// holderMain opens the journal and waits to be killed.
func holderMain(dir string) int {
	if _, err := Open(context.Background(), Config{Dir: dir}, slog.New(slog.DiscardHandler)); err != nil {
		say(err)
		return 1
	}
	say("open")
	select {}
}

// fillDir writes n batches of one entry and closes the journal.
func fillDir(t *testing.T, dir string, n int) {
	t.Helper()
	j := openTest(t, Config{Dir: dir})
	for i := range n {
		mustAppend(t, j, Entry{Key: "T1", Data: fmt.Appendf(nil, "entry %d %s", i, strings.Repeat("x", 100))})
	}
	mustClose(t, j)
}

// blocks are the files that hold the messages.
func blocks(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "jetstream", "*", "streams", streamName, "msgs", "*.blk"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no message blocks: %v", err)
	}
	slices.Sort(files)
	return files
}

// TestDamagedStore damages the files of a closed journal: whatever is lost, it
// opens, gives nothing wrong, keeps the order, and takes new entries.
func TestDamagedStore(t *testing.T) {
	const n = 50
	for name, c := range map[string]struct {
		damage func(t *testing.T, path string, size int64) error
		least  int // entries that must be left
	}{
		"cut in the last message": {func(_ *testing.T, path string, size int64) error { return os.Truncate(path, size-10) }, n - 1},
		"cut in the middle":       {func(_ *testing.T, path string, size int64) error { return os.Truncate(path, size/2) }, n/2 - 2},
		"emptied":                 {func(_ *testing.T, path string, _ int64) error { return os.Truncate(path, 0) }, 0},
		"garbage at the end": {func(_ *testing.T, path string, size int64) error {
			return overwrite(path, size, []byte(strings.Repeat("garbage ", 40)))
		}, n},
		"garbage in the middle": {func(_ *testing.T, path string, size int64) error {
			return overwrite(path, size/2, []byte("garbage"))
		}, n/2 - 2},
		"index damaged": {func(_ *testing.T, path string, _ int64) error {
			return overwrite(filepath.Join(filepath.Dir(path), "index.db"), 0, []byte("garbage"))
		}, n},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			fillDir(t, dir, n)
			block := blocks(t, dir)[0]
			info, err := os.Stat(block)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.damage(t, block, info.Size()); err != nil {
				t.Fatal(err)
			}
			checkDamaged(t, dir, n, c.least)
		})
	}
}

// overwrite writes into a file at an offset.
func overwrite(path string, offset int64, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(data, offset)
	return errors.Join(err, f.Close())
}

// checkDamaged opens a damaged journal and looks at what is left of n entries.
func checkDamaged(t *testing.T, dir string, n, least int) {
	t.Helper()
	j := openTest(t, Config{Dir: dir})
	next, left := 0, 0
	for _, r := range readAll(t, j) {
		var i int
		if _, err := fmt.Sscanf(string(r.Data), "entry %d", &i); err != nil || i < next || i >= n {
			t.Fatalf("record %v: %.20q after entry %d", r.Position, r.Data, next-1)
		}
		next = i + 1
		left++
	}
	t.Logf("%d of %d entries left", left, n)
	if left < least {
		t.Errorf("%d entries left, want at least %d", left, least)
	}
	at := mustAppend(t, j, Entry{Key: "T1", Data: []byte("after")})
	if last := newPosition(uint64(n), 0); at <= last {
		t.Errorf("the next entry is at %v: the positions up to %v had been given out", at, last)
	}
	after, err := j.Get(t.Context(), at)
	if err != nil || string(after.Data) != "after" {
		t.Errorf("the entry after the damage: %q, %v", after.Data, err)
	}
	if got := readAll(t, j); len(got) != left+1 || string(got[left].Data) != "after" {
		t.Errorf("%d records after one more, want %d", len(got), left+1)
	}
}

// TestDamagedBatch stores what is not an envelope, and one of a newer version.
func TestDamagedBatch(t *testing.T) {
	j := openTest(t, Config{Dir: t.TempDir()})
	first := mustAppend(t, j, Entry{Key: "T1"})
	if _, err := j.js.Publish(t.Context(), packedSubject, []byte{envelopeVersion, 1, 2, 3}); err != nil {
		t.Fatal(err)
	}
	if last, err := j.Last(t.Context()); err != nil || last <= first {
		t.Errorf("Last = %v, %v, want the damaged batch", last, err)
	}
	second := mustAppend(t, j, Entry{Key: "T1"})
	if got := readAll(t, j); len(got) != 2 || got[1].Position != second {
		t.Errorf("%d records around a damaged batch, want 2", len(got))
	}
	if s := j.Stats(); s.Damaged != 1 {
		t.Errorf("Damaged = %d, want 1", s.Damaged)
	}
	if _, err := j.js.Publish(t.Context(), packedSubject, []byte{envelopeVersion + 1, 1, 2, 3, 4, 5}); err != nil {
		t.Fatal(err)
	}
	if err := j.Read(t.Context(), second, func(Record) error { return nil }); !errors.Is(err, ErrVersion) {
		t.Errorf("Read of a newer batch = %v, want ErrVersion", err)
	}
}

// TestWriteErrors runs a child whose files may not grow beyond a limit.
func TestWriteErrors(t *testing.T) {
	child, out := startChild(t, "limited", t.TempDir())
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		t.Log(lines.Text())
	}
	if err := child.Wait(); err != nil {
		t.Errorf("child: %v", err)
	}
}

// limitedMain appends until writes fail in the middle of a message, lifts the
// limit, and checks that the journal goes on with everything it acknowledged.
func limitedMain(dir string) int {
	signal.Ignore(syscall.SIGXFSZ) // so that a write beyond the limit is an error
	j, err := Open(context.Background(), Config{Dir: dir, AckTimeout: time.Second}, slog.New(slog.NewTextHandler(os.Stdout, nil)))
	if err == nil {
		err = overTheLimit(j)
	}
	if err != nil {
		say("FAILED:", err)
		return 1
	}
	return 0
}

// overTheLimit is the story of limitedMain.
func overTheLimit(j *Journal) error {
	ctx := context.Background()
	followed := make(chan Record, 1000)
	ended := make(chan error, 1)
	go func() { ended <- j.Follow(ctx, 0, func(r Record) error { followed <- r; return nil }) }()
	acked := make(map[Position]bool)
	if err := limited(func() {
		for failures := 0; failures < 3; {
			if at, err := j.Append(ctx, incompressible()); err != nil {
				say("as it should be:", err)
				failures++
			} else {
				acked[at] = true
			}
		}
	}); err != nil {
		return err
	}
	for attempt := 0; ; attempt++ { // the first may find the store still closed
		at, err := j.Append(ctx, Entry{Key: "T1", Data: []byte("after")})
		if err == nil {
			acked[at] = true
			break
		}
		say("after the limit was lifted:", err)
		if attempt == 5 {
			return fmt.Errorf("append does not recover: %w", err)
		}
	}
	say(len(acked), "acknowledged")
	for n := len(acked); n > 0; {
		if r := <-followed; acked[r.Position] {
			n--
		}
	}
	found := 0
	err := j.Read(ctx, 0, func(r Record) error {
		if acked[r.Position] {
			found++
		}
		return nil
	})
	if err == nil && found != len(acked) {
		err = fmt.Errorf("%d of %d acknowledged entries found", found, len(acked))
	}
	err = errors.Join(err, j.Close())
	if follow := <-ended; !errors.Is(follow, ErrClosed) {
		err = errors.Join(err, fmt.Errorf("the follower ended with %w", follow))
	}
	return err
}

// limited does something while files of this process may not grow beyond 300 KiB.
func limited(do func()) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	before := limit.Cur
	limit.Cur = 300 << 10
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	do()
	limit.Cur = before
	return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit)
}
