// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"testing"
)

// childEnv names the role that this binary plays when a test starts it again, and
// dirEnv the directory of its journal.
const (
	childEnv = "JOURNAL_TEST_CHILD"
	dirEnv   = "JOURNAL_TEST_DIR"
)

func TestMain(m *testing.M) {
	switch os.Getenv(childEnv) {
	case "":
		os.Exit(m.Run())
	case "appender":
		os.Exit(appenderMain(os.Getenv(dirEnv)))
	case "limited":
		os.Exit(limitedMain(os.Getenv(dirEnv)))
	case "holder":
		os.Exit(holderMain(os.Getenv(dirEnv)))
	default:
		os.Exit(2)
	}
}

// startChild starts this binary again in a role. The caller waits for it.
func startChild(t *testing.T, role, dir string) (*exec.Cmd, io.ReadCloser) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), exe)
	child.Env = append(os.Environ(), childEnv+"="+role, dirEnv+"="+dir)
	child.Stderr = t.Output()
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	return child, out
}

// kill ends a child at once; it may have ended already.
func kill(child *exec.Cmd) {
	child.Process.Kill() //nolint:errcheck // there is nothing to be done
}

// reap waits for a killed child.
func reap(child *exec.Cmd) {
	child.Wait() //nolint:errcheck // it was killed, so there is an error
}

// say writes one line for the parent, in one piece.
func say(args ...any) {
	if _, err := fmt.Fprintln(os.Stdout, args...); err != nil {
		panic(err) // the parent has gone
	}
}

// mustClose closes a journal.
func mustClose(t testing.TB, j *Journal) {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// openTest opens a journal that closes with the test.
func openTest(t *testing.T, cfg Config) *Journal {
	t.Helper()
	j, err := Open(t.Context(), cfg, testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mustClose(t, j) })
	return j
}

// testLog shows warnings and errors with the test's output.
func testLog(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// mustAppend appends one entry.
func mustAppend(t *testing.T, j *Journal, e Entry) Position {
	t.Helper()
	at, err := j.Append(t.Context(), e)
	if err != nil {
		t.Fatalf("Append: %v", err)
	}
	return at
}

// readAll reads the whole journal.
func readAll(t *testing.T, j *Journal) []Record {
	t.Helper()
	var got []Record
	if err := j.Read(t.Context(), 0, func(r Record) error { got = append(got, r); return nil }); err != nil {
		t.Fatalf("Read: %v", err)
	}
	return got
}
