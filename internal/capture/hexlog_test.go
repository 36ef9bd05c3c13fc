// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/tillmend/tillmend/internal/txn"
)

var update = flag.Bool("update", false, "write golden files anew")

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

// TestHexLogErrors holds what is said of lines that cannot be read: the golden file
// has the place and the reason, and none quotes the line.
func TestHexLogErrors(t *testing.T) {
	log, err := os.ReadFile("testdata/bad.hexlog")
	if err != nil {
		t.Fatal(err)
	}
	var n notes
	sum, err := Read(t.Context(), bytes.NewReader(log), "bad.hexlog", &n, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, p := range sum.Problems {
		kind := "error"
		if p.Warning {
			kind = "warning"
		}
		fmt.Fprintf(&got, "%s %s\n", kind, p)
	}
	fmt.Fprintf(&got, "%d lines, %d frames, %d events, %d connections, %d errors, %d warnings\n",
		sum.Lines, sum.Frames, sum.Events, sum.Connections, sum.Errors, sum.Warnings)
	golden(t, "bad.errors", got.String())
	if strings.Contains(got.String(), "6200000000000005") || strings.Contains(got.String(), "6205500000000000") {
		t.Error("the errors quote the log")
	}
}

func TestHexLogForms(t *testing.T) {
	one := "2026-06-03T10:44:00.123+08:00 10.0.0.7:40112 > 003C 6000\t05\n"
	want := "open 10.0.0.7:40112 \n1 2026-06-03T10:44:00.123+08:00 10.0.0.7:40112 > 003c600005"
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write([]byte(one)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, log, want string }{
		{"plain", one, want},
		{"no end of line", strings.TrimSpace(one), want},
		{"line ends of Windows", strings.ReplaceAll(one, "\n", "\r\n"), want},
		{"byte order mark", "\ufeff" + one, want},
		{"UTF-16, as shells of Windows write", utf16le(one), want},
		{"gzip", zipped.String(), want},
		{"small letters", strings.ReplaceAll(one, "3C", "3c"), want},
		{"comment", strings.TrimSpace(one) + " # 签到\n", want},
		{"white space before", " \t " + one, want},
		{"IPv6", strings.ReplaceAll(one, "10.0.0.7", "[2001:db8::7]"), strings.ReplaceAll(want, "10.0.0.7", "[2001:db8::7]")},
		{"name", strings.ReplaceAll(one, "10.0.0.7", "pos-1.shop"), strings.ReplaceAll(want, "10.0.0.7", "pos-1.shop")},
		{"UTC", strings.ReplaceAll(one, "+08:00", "Z"), strings.ReplaceAll(want, "+08:00", "Z")},
		{"nothing but a comment", "# nothing\n\n", ""},
		{
			"several", one + "\n# answer\n" + strings.ReplaceAll(one, ">", "<"),
			want + "\n4" + strings.Replace(want[strings.Index(want, "\n1")+2:], ">", "<", 1),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, sum := read(t, []byte(c.log), Options{})
			if diff := cmp.Diff(c.want, n.text()); diff != "" {
				t.Error(diff)
			}
			if sum.Errors+sum.Warnings != 0 || sum.Format != FormatHex || sum.Frames != strings.Count(c.want, "003c") {
				t.Errorf("summary: %+v", sum)
			}
			var again notes
			if _, err := ReadHexLog(t.Context(), strings.NewReader(c.log), "test", &again, Options{}); err != nil || again.text() != n.text() {
				t.Errorf("ReadHexLog: %v", err)
			}
		})
	}
}

// utf16le writes text as UTF-16 with a byte order mark.
func utf16le(text string) string {
	out := []byte{0xff, 0xfe}
	for _, unit := range utf16.Encode([]rune(text)) {
		out = binary.LittleEndian.AppendUint16(out, unit)
	}
	return string(out)
}

func TestHexLogZone(t *testing.T) {
	log := "2026-06-03T10:44:00.5 10.0.0.7:40112 > 00\n"
	n, _ := read(t, []byte(log), Options{Location: time.FixedZone("", 8*3600)})
	if !strings.Contains(n.text(), "1 2026-06-03T10:44:00.5+08:00") {
		t.Error(n.text())
	}
	var none notes
	_, err := Read(t.Context(), strings.NewReader(log), "test", &none, Options{})
	if err == nil || !strings.Contains(err.Error(), "test:1:1: the time names no zone; expected a time such as") {
		t.Error(err)
	}
}

func TestHexLogEvents(t *testing.T) {
	line := func(at int, rest string) string {
		return ms(at).Format(time.RFC3339Nano) + " 10.0.0.7:40112 " + rest + "\n"
	}
	var all strings.Builder
	for k := txn.LinkOpen; k <= txn.LinkOverloaded; k++ {
		all.WriteString(line(0, "! "+k.String()))
		if !strings.Contains(wantWord, k.String()) {
			t.Errorf("%s is not among the words that errors list", k)
		}
	}
	n, _ := read(t, []byte(all.String()), Options{})
	for i, l := range n.links {
		if l.Kind != txn.LinkKind(i+1) || l.Peer != "10.0.0.7:40112" {
			t.Errorf("event %d is %s", i, l.Kind)
		}
	}
	if len(n.links) != int(txn.LinkOverloaded) {
		t.Errorf("%d events", len(n.links))
	}
	// A connection has its age from its beginning, and begins anew after its end.
	n, sum := read(t, []byte(line(0, "! open")+line(10, "> 00")+line(500, "! close # good")+line(600, "> 00")+line(700, "! reset")), Options{})
	want := "open|! open +0s|frame|! close +500ms|open|frame|! reset +0s"
	var got []string
	for _, l := range n.lines {
		switch {
		case strings.HasPrefix(l, "open"):
			l = "open"
		case !strings.HasPrefix(l, "!"):
			l = "frame"
		}
		got = append(got, l)
	}
	if strings.Join(got, "|") != want || sum.Connections != 2 {
		t.Errorf("got %q, %+v", got, sum)
	}
}

func TestHexLogLimits(t *testing.T) {
	good := "2026-06-03T10:44:00Z 10.0.0.7:40112 > 00\n"
	t.Run("too long a line", func(t *testing.T) {
		n, sum := read(t, []byte(good+strings.Repeat("0", 3*bufferSize)+"\n"+good), Options{})
		if len(n.frames) != 2 || sum.Errors != 1 || sum.Problems[0].Error() != "test:2: the line is longer than 262144 bytes" || sum.Lines != 3 {
			t.Errorf("%+v", sum)
		}
	})
	t.Run("too long a frame", func(t *testing.T) {
		_, sum := read(t, []byte(good+strings.TrimSpace(good)+strings.Repeat("00", 65539)+"\n"), Options{})
		if sum.Errors != 1 || sum.Problems[0].Reason != "the frame is longer than 65539 bytes" {
			t.Errorf("%+v", sum)
		}
	})
	t.Run("many errors", func(t *testing.T) {
		n, sum := read(t, []byte(strings.Repeat("no\n", 250)+good), Options{MaxProblems: 7})
		if len(n.frames) != 1 || sum.Errors != 250 || len(sum.Problems) != 7 {
			t.Errorf("%d frames, %d errors, %d problems", len(n.frames), sum.Errors, len(sum.Problems))
		}
	})
	t.Run("many connections", func(t *testing.T) {
		var log strings.Builder
		for i := range maxConnections + 5 {
			fmt.Fprintf(&log, "2026-06-03T10:44:00Z 10.%d.%d.%d:1 > 00\n", i>>16, i>>8&255, i&255)
		}
		if n, sum := read(t, []byte(log.String()), Options{}); len(n.frames) != maxConnections+5 || sum.Errors != 0 {
			t.Errorf("%d frames, %+v", len(n.frames), sum)
		}
	})
}

func TestHexLogUnreadable(t *testing.T) {
	var n notes
	_, err := Read(t.Context(), strings.NewReader("dear all,\nhere is my log 6200000000000005\n"), "letter.txt", &n, Options{})
	if err == nil || err.Error() != "no line could be read as a hex log, with lines such as "+exampleLine+": letter.txt:1:1: "+wantTime {
		t.Error(err)
	}
	broken := errors.New("disk gone")
	_, err = Read(t.Context(), iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("# something\n"))), "log", &n, Options{})
	if !errors.Is(err, iotest.ErrTimeout) {
		t.Error(err)
	}
	_, err = ReadHexLog(t.Context(), iotest.ErrReader(broken), "log", &n, Options{})
	if !errors.Is(err, broken) {
		t.Error(err)
	}
	_, err = ReadHexLog(t.Context(), bytes.NewReader([]byte{0, 1}), "log", &n, Options{})
	if err == nil || err.Error() != "log: not text; expected a hex log with lines such as "+exampleLine {
		t.Error(err)
	}
}
