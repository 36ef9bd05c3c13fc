// SPDX-License-Identifier: Apache-2.0

package console

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/tillmend/tillmend/internal/diagnosis"
	"github.com/tillmend/tillmend/internal/knowledge"
	"github.com/tillmend/tillmend/internal/terminal"
	"github.com/tillmend/tillmend/internal/txn"
)

// catalogOf reads the texts of a language as they stand in the file, the plural
// forms of a text in one.
func catalogOf(t *testing.T, lang string) map[string]string {
	t.Helper()
	raw, err := os.ReadFile("locales/active." + lang + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file map[string]any
	if err := yaml.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for key, v := range file {
		switch v := v.(type) {
		case string:
			texts[key] = v
		case map[string]any:
			for _, form := range slices.Sorted(maps.Keys(v)) {
				s, _ := v[form].(string)
				texts[key] += s + "\n"
			}
		}
	}
	return texts
}

var placeholder = regexp.MustCompile(`\{\{\.?\w+\}\}`)

func TestCatalogsAgree(t *testing.T) {
	zh, en := catalogOf(t, chinese), catalogOf(t, english)
	for key, text := range zh {
		other, ok := en[key]
		if !ok {
			t.Errorf("%s is not in English", key)
			continue
		}
		a, b := placeholder.FindAllString(text, -1), placeholder.FindAllString(other, -1)
		slices.Sort(a)
		slices.Sort(b)
		if !slices.Equal(slices.Compact(a), slices.Compact(b)) {
			t.Errorf("%s uses %v in Chinese and %v in English", key, a, b)
		}
	}
	for key := range en {
		if _, ok := zh[key]; !ok {
			t.Errorf("%s is not in Chinese", key)
		}
	}
}

// TestEveryTextCanBeSaid says each text with one and with many of something.
func TestEveryTextCanBeSaid(t *testing.T) {
	c, err := loadCatalog()
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range languages {
		for key, text := range catalogOf(t, lang) {
			for _, n := range []int{0, 1, 2} {
				args := []any{"N", n}
				for _, p := range placeholder.FindAllString(text, -1) {
					if name := strings.Trim(p, "{.}"); name != "N" {
						args = append(args, name, "x")
					}
				}
				if got := c.in(lang).T(key, args...); got == key || strings.Contains(got, "no value") {
					t.Errorf("%s in %s with %d: %q", key, lang, n, got)
				}
			}
		}
	}
}

// TestCatalogIsUsedAndComplete finds every key that templates and code name, and
// every one that they make of a value, and compares them with the catalog.
func TestCatalogIsUsedAndComplete(t *testing.T) {
	wanted := families()
	literal := regexp.MustCompile(`"([a-z]+(?:\.[a-z0-9_]+)+)"`)
	facts := regexp.MustCompile(`t\.fact\("(\w+)"`)
	for _, pattern := range []string{"*.go", "templates/*.html"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range literal.FindAllStringSubmatch(string(source), -1) {
				if !isFile.MatchString(m[1]) {
					wanted[m[1]] = true
				}
			}
			for _, m := range facts.FindAllStringSubmatch(string(source), -1) {
				wanted["fact."+m[1]] = true
			}
		}
	}
	zh := catalogOf(t, chinese)
	for key := range wanted {
		if _, ok := zh[key]; !ok {
			t.Errorf("%s is used and not in the catalog", key)
		}
	}
	for key := range zh {
		if !wanted[key] {
			t.Errorf("%s is in the catalog and not used", key)
		}
	}
}

// isFile tells names of files from keys.
var isFile = regexp.MustCompile(`\.(css|js|svg|csv|html)$`)

// families are the keys that are made of a value.
func families() map[string]bool {
	all := map[string]bool{}
	add := func(prefix string, names ...string) {
		for _, n := range names {
			all[prefix+"."+n] = true
		}
	}
	for _, s := range diagnosis.Statuses {
		add("status", string(s))
		if s != diagnosis.Offline { // a side of a status is never offline
			add("side", string(s))
		}
	}
	for _, c := range []diagnosis.Confidence{diagnosis.Certain, diagnosis.VeryLikely, diagnosis.Likely, diagnosis.Unclear} {
		add("confidence", c.String())
	}
	for _, a := range actors {
		add("actor", string(a))
	}
	for _, f := range knowledge.Facets {
		add("facet", string(f))
	}
	add("layer", knowledge.Standard, knowledge.Operator)
	add("kind", named(func(i uint8) string { return txn.Kind(i).String() })...)
	add("outcome", named(func(i uint8) string { return txn.Outcome(i).String() })...)
	add("timing", named(func(i uint8) string { return txn.Timing(i).String() })...)
	for k := txn.LinkOpen; k.String() != "unknown"; k++ {
		add("link", k.String())
	}
	for _, m := range marks {
		add("mark", m.key)
	}
	for _, p := range hardwareParts {
		add("part", p.key)
	}
	for _, e := range entries {
		add("entry", e)
	}
	for _, o := range orders {
		add("column", o.key)
	}
	add("column", "paid")
	add("session", sessions[:]...)
	add("phase", phases[:]...)
	add("line", "up", "down")
	add("order", "1", "2", "3", "4", "5", "6")
	add("balanced", "1", "2", "3")
	add("filter", "status", "cause", "actor", "q")
	add("problem", string(ProblemDropped), string(ProblemHost), string(ProblemJournal), string(ProblemBehind))
	for _, record := range []any{txn.Attempt{}, txn.Link{}} {
		for f := range reflect.TypeOf(record).Fields() {
			key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			add("field", key)
		}
	}
	return all
}

// named gives the names of an enum up to the first value that has none.
func named(name func(uint8) string) []string {
	var list []string
	for i := range uint8(255) {
		n := name(i)
		if _, err := strconv.Atoi(n); err == nil {
			break
		}
		list = append(list, n)
	}
	return list
}

func TestEveryMarkHasItsWords(t *testing.T) {
	var all terminal.Mark
	for _, m := range marks {
		all |= m.mark
	}
	if all != terminal.SettlementEqual<<1-1 {
		t.Errorf("marks cover %b; the last of all is %b", all, terminal.SettlementEqual)
	}
}

// TestGlossary holds the words of the pages to the one list of words.
func TestGlossary(t *testing.T) {
	raw, err := os.ReadFile("locales/glossary.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var glossary []struct {
		ZH    string   `yaml:"zh"`
		EN    []string `yaml:"en"`
		Never []string `yaml:"never"`
	}
	if err := yaml.Unmarshal(raw, &glossary); err != nil {
		t.Fatal(err)
	}
	zh, en := catalogOf(t, chinese), catalogOf(t, english)
	for _, g := range glossary {
		used := false
		for key, text := range zh {
			text, english := placeholder.ReplaceAllString(text, ""), strings.ToLower(placeholder.ReplaceAllString(en[key], ""))
			has := func(word string) bool { return strings.Contains(english, word) }
			if strings.Contains(text, g.ZH) {
				used = true
				if !slices.ContainsFunc(g.EN, has) {
					t.Errorf("%s: %q has %s, %q has none of %v", key, text, g.ZH, en[key], g.EN)
				}
			}
			for _, never := range g.Never {
				if strings.Contains(text, never) || regexp.MustCompile(`\b`+regexp.QuoteMeta(strings.ToLower(never))+`\b`).MatchString(english) {
					t.Errorf("%s: %q / %q says %s; the word is %s", key, text, en[key], never, g.ZH)
				}
			}
		}
		if !used {
			t.Errorf("no text uses %s", g.ZH)
		}
	}
}
