// SPDX-License-Identifier: Apache-2.0

package app

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/tillmend/tillmend/internal/diagnosis"
	"github.com/tillmend/tillmend/internal/knowledge"
	"github.com/tillmend/tillmend/iso8583/dialect"
)

func testBase(t testing.TB) *knowledge.Base {
	t.Helper()
	b, err := knowledge.Default()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func upos(t testing.TB) *dialect.Dialect {
	t.Helper()
	d, ok := dialect.Named("upos")
	if !ok {
		t.Fatal("no dialect upos")
	}
	return d
}

// TestOrderRules plays each conversation of testdata/rules and compares what is
// said of its terminals: state, cause and actor. A dash stands for anything that
// is not the point of the case, a bar for either, a question mark for a diagnosis
// that must not claim to know and must name a check.
func TestOrderRules(t *testing.T) {
	files, err := filepath.Glob("testdata/rules/*.txt")
	if err != nil || len(files) < 24 {
		t.Fatalf("%d rule files, %v; want one for each of the 24 rules at least", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			ar, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			b := testBase(t)
			r := NewReplay(b, upos(t), "")
			s := &script{t: t, di: upos(t), r: r, last: map[string]map[string]string{}}
			s.run(string(ar.Files[0].Data))
			got := map[string]diagnosis.Diagnosis{}
			for _, d := range r.Finish() {
				got[string(d.Terminal)] = d
			}
			for want := range strings.Lines(string(ar.Files[1].Data)) {
				w := strings.Fields(want)
				d, ok := got[w[0]]
				if !ok {
					t.Fatalf("nothing is said of %s", w[0])
				}
				if bad := compare(&d, w[1], w[2], w[3]); bad != "" {
					t.Errorf("%s: %s\n%s", w[0], bad, show(&d))
				}
			}
		})
	}
}

func compare(d *diagnosis.Diagnosis, state, cause, actor string) string {
	if state != "-" && string(d.Status) != state {
		return fmt.Sprintf("state is %s, want %s", d.Status, state)
	}
	top := d.Top()
	switch {
	case cause == "-" && actor == "-":
		if top != nil && d.Status == diagnosis.OK && !d.Over {
			return fmt.Sprintf("cause is %s, want none", top.Cause.ID)
		}
		return ""
	case top == nil:
		return "no diagnosis"
	case cause == "?":
		if d.Known() || d.Next.Question == nil {
			return fmt.Sprintf("claims to know %s, or asks nothing", top.Cause.ID)
		}
		return ""
	}
	return compareTop(d, top, cause, actor)
}

func compareTop(d *diagnosis.Diagnosis, top *diagnosis.Candidate, cause, actor string) string {
	switch {
	case !slices.Contains(strings.Split(cause, "|"), string(top.Cause.ID)):
		return fmt.Sprintf("cause is %s, want %s", top.Cause.ID, cause)
	case actor != "-" && !slices.Contains(strings.Split(actor, "|"), string(top.Cause.Actor)):
		return fmt.Sprintf("actor is %s, want %s", top.Cause.Actor, actor)
	case !d.Known() && !strings.Contains(cause, "|"):
		return fmt.Sprintf("%s is believed with %.2f only", top.Cause.ID, top.P)
	}
	return ""
}

func show(d *diagnosis.Diagnosis) string {
	var b strings.Builder
	fmt.Fprintf(&b, "  state %s since %s, over %v\n", d.Status, d.Since, d.Over)
	for _, c := range d.Candidates {
		fmt.Fprintf(&b, "  %.3f %s:", c.P, c.Cause.ID)
		for _, w := range slices.Concat(c.For, c.Against) {
			fmt.Fprintf(&b, " %s×%.3g", w.Finding.Kind, w.Ratio)
		}
		b.WriteByte('\n')
	}
	for _, f := range d.Findings {
		fmt.Fprintf(&b, "  finding %s %s %s n=%d %s %v\n", f.Kind, f.State, f.Code, f.Count, f.Detail, f.Events)
	}
	return b.String()
}
