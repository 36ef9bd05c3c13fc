// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"bytes"
	"encoding/csv"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tillmend/tillmend/internal/knowledge"
)

var update = flag.Bool("update", false, "write the golden files anew")

// A complaint is what someone said and what it was.
type complaint struct {
	id, code, screen, says string
	causes                 []knowledge.CauseID // the right one, then acceptable ones
	actor                  knowledge.Actor
	never                  string // what no step may say
}

func complaints(t testing.TB, file string) []complaint {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(bytes.NewReader(text))
	r.Comma, r.Comment, r.LazyQuotes = '\t', '#', true
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var list []complaint
	for _, row := range rows[1:] {
		c := complaint{id: row[0], code: row[1], screen: row[2], says: row[3], actor: knowledge.Actor(row[5]), never: row[6]}
		for id := range strings.FieldsSeq(row[4]) {
			c.causes = append(c.causes, knowledge.CauseID(id))
		}
		list = append(list, c)
	}
	return list
}

func base(t testing.TB) *knowledge.Base {
	t.Helper()
	b, err := knowledge.Default()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A leaver makes indexes from which a complaint was left out.
type leaver struct {
	full  *Index
	plain *normalizer
	said  []string // every phrase and screen text of the base
	norm  []string
	pairs []map[string]bool
}

func newLeaver(b *knowledge.Base) *leaver {
	l := &leaver{plain: newNormalizer(nil)}
	l.full = newIndex(b, func(s string) bool {
		n := string(l.plain.normalize(s))
		l.said, l.norm, l.pairs = append(l.said, s), append(l.norm, n), append(l.pairs, pairs(n))
		return false
	})
	return l
}

// without makes an index of the base less the complaint and whatever is almost
// the same or contains it.
func (l *leaver) without(says string) *Index {
	q := string(l.plain.normalize(says))
	alike := map[string]bool{}
	for i, n := range l.norm {
		if strings.Contains(n, q) || jaccard(l.pairs[i], pairs(q)) >= 0.8 {
			alike[l.said[i]] = true
		}
	}
	if len(alike) == 0 {
		return l.full
	}
	return newIndex(l.full.base, func(s string) bool { return alike[s] })
}

func pairs(s string) map[string]bool {
	r := []rune(s)
	set := map[string]bool{}
	for i := range len(r) - 1 {
		set[string(r[i:i+2])] = true
	}
	return set
}

func jaccard(a, b map[string]bool) float64 {
	both := 0
	for k := range a {
		if b[k] {
			both++
		}
	}
	if len(a)+len(b) == both {
		return 0
	}
	return float64(both) / float64(len(a)+len(b)-both)
}

// A tally counts how well a set of complaints was answered.
type tally struct {
	name              string
	n, first, third   int
	acceptable        int
	withActor, actors int
	sure              float64 // sum of the scores of the first causes
	reciprocal        float64
	misses            []string
}

func (s *tally) add(c complaint, asked string, a Answer) {
	s.n++
	s.sure += a.Matches[0].Score
	if slices.Contains(c.causes, a.Matches[0].Cause) {
		s.acceptable++
	}
	if c.actor != "" {
		s.withActor++
		if a.Matches[0].Actor == c.actor {
			s.actors++
		}
	}
	at := slices.IndexFunc(a.Matches, func(m Match) bool { return m.Cause == c.causes[0] })
	switch {
	case at == 0:
		s.first++
	case at < 0 || at > 2:
		s.misses = append(s.misses, fmt.Sprintf("%s not in three: want %s, got %s: %s", c.id, c.causes[0], got(a), asked))
	default:
		s.misses = append(s.misses, fmt.Sprintf("%s at %d: want %s, got %s: %s", c.id, at+1, c.causes[0], got(a), asked))
	}
	if at >= 0 {
		s.reciprocal += 1 / float64(at+1)
		if at < 3 {
			s.third++
		}
	}
}

func got(a Answer) string {
	var list []string
	for _, m := range a.Matches[:min(3, len(a.Matches))] {
		list = append(list, fmt.Sprintf("%s %.2f", m.Cause, m.Score))
	}
	return strings.Join(list, ", ")
}

func (s *tally) String() string {
	n := float64(s.n)
	actors := "    -"
	if s.withActor > 0 {
		actors = fmt.Sprintf("%.3f", float64(s.actors)/float64(s.withActor))
	}
	return fmt.Sprintf("%-25s n %3d  recall@1 %.3f  recall@3 %.3f  mrr %.3f  acceptable first %.3f  actor %s  mean score %.3f",
		s.name, s.n, float64(s.first)/n, float64(s.third)/n, s.reciprocal/n, float64(s.acceptable)/n, actors, s.sure/n)
}

// The ways in which a complaint is asked.
var ways = []struct {
	name string
	text func(complaint) string
}{
	{"complaint", func(c complaint) string { return c.says }},
	{"screen", func(c complaint) string { return c.screen }},
	{"code and complaint", func(c complaint) string {
		if c.code == "" {
			return ""
		}
		return c.code + " " + c.says
	}},
}

// Bars that answers to a complaint alone must reach.
const (
	leastFirst = 0.80 // share with the right cause first
	leastThird = 0.95 // share with the right cause among the first three
)

// TestRank asks for every complaint while the base does not hold it, and keeps
// the figures and the misses in a golden file. Of the held set only the figures
// are kept, so that nobody tunes by its misses.
func TestRank(t *testing.T) {
	leave := newLeaver(base(t))
	var figures, misses strings.Builder
	for _, set := range []string{"cases", "more", "held"} {
		for i, sum := range ask(t, leave, set) {
			fmt.Fprintln(&figures, sum)
			n := float64(sum.n)
			if i == 0 && (float64(sum.first)/n < leastFirst || float64(sum.third)/n < leastThird) {
				t.Errorf("%s; expected recall@1 %.2f and recall@3 %.2f", sum, leastFirst, leastThird)
			}
			if set == "held" {
				continue
			}
			fmt.Fprintf(&misses, "\n%s\n", sum.name)
			for _, m := range sum.misses {
				fmt.Fprintf(&misses, "  %s\n", m)
			}
		}
	}
	golden(t, "rank_stats.txt", figures.String()+misses.String())
}

// ask asks a set of complaints in all ways.
func ask(t *testing.T, leave *leaver, set string) []*tally {
	t.Helper()
	sums := make([]*tally, len(ways))
	for i, way := range ways {
		sums[i] = &tally{name: set + ", " + way.name}
	}
	for _, c := range complaints(t, set+".tsv") {
		ix := leave.without(c.says)
		for i, way := range ways {
			if asked := way.text(c); asked != "" {
				sums[i].add(c, asked, ix.Explain(asked, "", "zh"))
			}
		}
	}
	return sums
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil { //nolint:gosec // a golden file is public
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not as it was; look at the difference and run with -update\n%s", file, difference(string(want), got))
	}
}

// difference gives the lines that only one of two texts has.
func difference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	var out strings.Builder
	for _, l := range w {
		if !slices.Contains(g, l) {
			fmt.Fprintln(&out, "-", l)
		}
	}
	for _, l := range g {
		if !slices.Contains(w, l) {
			fmt.Fprintln(&out, "+", l)
		}
	}
	return out.String()
}
