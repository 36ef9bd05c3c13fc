// SPDX-License-Identifier: Apache-2.0

// Package foreign_test puts the gateway between a terminal and a host that are not
// ours: Node programs on the npm package iso_8583. What they say they sent must be what
// the other one says it received, bit for bit, and our own reading of the frames in
// between must be theirs.
package foreign_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tillmend/tillmend/internal/gateway"
	"github.com/tillmend/tillmend/internal/txn"
	"github.com/tillmend/tillmend/iso8583"
	"github.com/tillmend/tillmend/iso8583/dialect"
	"github.com/tillmend/tillmend/iso8583/frame"
)

const (
	dialectName = "iso87-ascii"
	exchanges   = 4 // sign-in, sale, reversal, settlement
	patience    = time.Minute
)

// told is a line of the Node programs: one frame as they saw it.
type told struct {
	Listening int               `json:"listening"`
	Dir       string            `json:"dir"` // sent or received
	SHA256    string            `json:"sha256"`
	Bytes     int               `json:"bytes"`
	Fields    map[string]string `json:"fields"` // 0 is the message type
}

// requireNode skips, or fails where the test is demanded, when Node or its packages
// are not there.
func requireNode(t *testing.T) {
	t.Helper()
	_, missing := exec.LookPath("node")
	// Looking at the programs also tells Go's test cache when they change.
	for _, file := range []string{"node_modules/iso_8583/package.json", "client.mjs", "host.mjs", "wire.mjs"} {
		if missing == nil {
			_, missing = os.Stat(file)
		}
	}
	switch {
	case missing == nil:
	case os.Getenv("CI") != "" || os.Getenv("TILLMEND_FOREIGN") == "1":
		t.Fatalf("the foreign client needs node, and `npm ci` in test/foreign: %v", missing)
	default:
		t.Skipf("no node, or no `npm ci` in test/foreign: %v", missing)
	}
}

// node starts a program and gives its lines. It ends with the test at the latest.
func node(ctx context.Context, t *testing.T, args ...string) (cmd *exec.Cmd, in io.Closer, lines <-chan told) {
	t.Helper()
	cmd = exec.CommandContext(ctx, "node", args...) //nolint:gosec // programs of this folder
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	out := make(chan told, 4*exchanges)
	go func() {
		defer close(out)
		for scan := bufio.NewScanner(stdout); scan.Scan(); {
			var line told
			if err := json.Unmarshal(scan.Bytes(), &line); err != nil {
				t.Errorf("%s says %q: %v", args[0], scan.Text(), err)
				continue
			}
			out <- line
		}
	}()
	return cmd, stdin, out
}

// tap keeps the frames that pass the gateway.
type tap struct {
	dialect *dialect.Dialect

	mu     sync.Mutex
	frames map[txn.Direction][][]byte
}

// Open begins a connection.
func (t *tap) Open(string, string, string, time.Time) gateway.Stream {
	return &stream{t, map[txn.Direction]*frame.Splitter{
		txn.ToHost: frame.NewSplitter(t.dialect.Frame), txn.ToTerminal: frame.NewSplitter(t.dialect.Frame),
	}}
}

type stream struct {
	tap *tap
	cut map[txn.Direction]*frame.Splitter
}

// Data takes bytes that passed.
func (s *stream) Data(dir txn.Direction, _ time.Time, b []byte) {
	s.tap.mu.Lock()
	defer s.tap.mu.Unlock()
	s.cut[dir].Feed(b, func(f []byte) { s.tap.frames[dir] = append(s.tap.frames[dir], slices.Clone(f)) })
}

// Link takes an event of the connection.
func (s *stream) Link(txn.Link) {}

// startGateway serves one listener in front of the host until the test ends.
func startGateway(t *testing.T, watch gateway.Tap, host string) (address string) {
	t.Helper()
	g, err := gateway.New(gateway.Config{
		HealthInterval: -1, // no connections but the terminal's
		Listeners:      []gateway.Listener{{Name: "foreign", Address: "127.0.0.1:0", Hosts: []gateway.Host{{Address: host}}}},
	}, watch, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	served := make(chan error, 1)
	go func() { served <- g.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return g.Addr("foreign").String()
}

// hashes lists what a program says that it sent, or received.
func hashes(list []told, dir string) (sums []string) {
	for _, line := range list {
		if line.Dir == dir {
			sums = append(sums, line.SHA256)
		}
	}
	return sums
}

func sums(frames [][]byte) (list []string) {
	for _, f := range frames {
		sum := sha256.Sum256(f)
		list = append(list, hex.EncodeToString(sum[:]))
	}
	return list
}

func collect(lines <-chan told) (list []told) {
	for line := range lines {
		list = append(list, line)
	}
	return list
}

// fieldsOf reads a frame with our own codec, in the form of the Node programs.
func fieldsOf(t *testing.T, d *dialect.Dialect, b []byte) map[string]string {
	t.Helper()
	var m iso8583.Message
	if !m.Decode(d, b) {
		t.Errorf("our decoder: %v", m.Malformed())
	}
	fields := map[string]string{"0": fmt.Sprintf("%04X", m.MTI())}
	for de := range m.Fields {
		fields[strconv.Itoa(de)] = m.Text(de)
	}
	return fields
}

func TestForeignTerminalAndHost(t *testing.T) {
	requireNode(t)
	d, ok := dialect.Named(dialectName)
	if !ok {
		t.Fatalf("dialect %s is not shipped", dialectName)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	host, hostIn, hostLines := node(ctx, t, "host.mjs")
	first, ok := <-hostLines
	if !ok || first.Listening == 0 {
		t.Fatal("the host does not say where it listens")
	}
	watch := &tap{dialect: d, frames: map[txn.Direction][][]byte{}}
	address := startGateway(t, watch, fmt.Sprintf("127.0.0.1:%d", first.Listening))

	client, _, clientLines := node(ctx, t, "client.mjs", address)
	terminal := collect(clientLines)
	if err := client.Wait(); err != nil {
		t.Fatalf("the terminal: %v", err)
	}
	if err := hostIn.Close(); err != nil { // it has answered all, and ends now
		t.Fatal(err)
	}
	acquirer := collect(hostLines)
	if err := host.Wait(); err != nil {
		t.Fatalf("the host: %v", err)
	}

	watch.mu.Lock()
	defer watch.mu.Unlock()
	for _, way := range []struct {
		name           string
		sent, received []string
		frames         [][]byte
	}{
		{"requests", hashes(terminal, "sent"), hashes(acquirer, "received"), watch.frames[txn.ToHost]},
		{"answers", hashes(acquirer, "sent"), hashes(terminal, "received"), watch.frames[txn.ToTerminal]},
	} {
		if len(way.sent) != exchanges {
			t.Errorf("%s: %d were sent, wanted %d", way.name, len(way.sent), exchanges)
		}
		if diff := cmp.Diff(way.sent, way.received); diff != "" {
			t.Errorf("%s: received is not what was sent:\n%s", way.name, diff)
		}
		if diff := cmp.Diff(way.sent, sums(way.frames)); diff != "" {
			t.Errorf("%s: the tap saw something else:\n%s", way.name, diff)
		}
	}
	readAsTheyDo(t, d, watch.frames[txn.ToHost], terminal, "sent")
	readAsTheyDo(t, d, watch.frames[txn.ToTerminal], acquirer, "sent")
}

// readAsTheyDo compares our reading of the frames with what their makers put in, and
// asks whether the dialect is recognised from the bytes alone.
func readAsTheyDo(t *testing.T, d *dialect.Dialect, frames [][]byte, lines []told, dir string) {
	t.Helper()
	var known []*dialect.Dialect
	for _, name := range dialect.Names() {
		if k, ok := dialect.Named(name); ok {
			known = append(known, k)
		}
	}
	var made []map[string]string
	for _, line := range lines {
		if line.Dir == dir {
			made = append(made, line.Fields)
		}
	}
	for i, b := range frames {
		if i >= len(made) {
			return // reported as a difference of hashes
		}
		if diff := cmp.Diff(made[i], fieldsOf(t, d, b)); diff != "" {
			t.Errorf("message %s: we read something else:\n%s", made[i]["0"], diff)
		}
		if fit, ok := iso8583.Detect(b, known).Best(); !ok || fit.Dialect.Name != dialectName {
			t.Errorf("message %s is taken for another dialect", made[i]["0"])
		}
	}
}
