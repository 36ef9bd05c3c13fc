// SPDX-License-Identifier: Apache-2.0

package app

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/tillmend/tillmend/internal/capture"
	"github.com/tillmend/tillmend/internal/diagnosis"
	"github.com/tillmend/tillmend/internal/txn"
)

var update = flag.Bool("update", false, "write the examples anew")

// hexLog writes what a script sends as the lines of a hex log.
type hexLog struct {
	*Replay
	out bytes.Buffer
}

func (h *hexLog) Frame(peer, host string, dir txn.Direction, at time.Time, frame []byte, line int) {
	fmt.Fprintf(&h.out, "%s %s %s %X\n", at.Format(time.RFC3339), peer, dir, frame)
	h.Replay.Frame(peer, host, dir, at, frame, line)
}

func (h *hexLog) Link(l txn.Link) {
	fmt.Fprintf(&h.out, "%s %s ! %s\n", l.At.Format(time.RFC3339), l.Peer, l.Kind)
	h.Replay.Link(l)
}

// examples are the hex logs of the examples folder and the conversations they are
// made of.
var examples = map[string]string{
	"cloned-terminal": "04-cloned-terminal", "wrong-master-key": "05-wrong-master-key",
	"issuer-down": "26-issuer-down", "empty-account": "27-empty-account",
}

// TestExamples: each example is what its conversation is on the wire, and reading
// it gives the same diagnosis as the conversation.
func TestExamples(t *testing.T) {
	for name, rule := range examples {
		t.Run(name, func(t *testing.T) {
			ar, err := txtar.ParseFile("testdata/rules/" + rule + ".txt")
			if err != nil {
				t.Fatal(err)
			}
			h := &hexLog{Replay: NewReplay(testBase(t), upos(t), "")}
			s := &script{t: t, di: upos(t), r: h, last: map[string]map[string]string{}}
			s.run(string(ar.Files[0].Data))
			text := "# " + strings.TrimSpace(string(ar.Comment)) + "\n" + h.out.String()
			path := "../../examples/" + name + ".hexlog"
			if *update {
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			kept, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if string(kept) != text {
				t.Errorf("%s is not what its conversation gives; run with -update", path)
			}
			r := NewReplay(testBase(t), upos(t), "")
			if _, err := capture.Read(t.Context(), bytes.NewReader(kept), path, r, capture.Options{}); err != nil {
				t.Fatal(err)
			}
			if got, want := verdicts(r.Finish()), verdicts(h.Finish()); got != want {
				t.Errorf("the file gives\n%s\nthe conversation\n%s", got, want)
			}
		})
	}
}

func verdicts(list []diagnosis.Diagnosis) string {
	var b strings.Builder
	for i := range list {
		b.WriteString(string(list[i].Terminal) + "\n" + show(&list[i]))
	}
	return b.String()
}
