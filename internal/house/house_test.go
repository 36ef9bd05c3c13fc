// SPDX-License-Identifier: Apache-2.0

// Package house_test holds the rules of the house: which package may import which,
// and how files look. It reads the files itself, for a test that asks another
// program may be answered from a cache.
package house_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	root    = "../.."
	module  = "github.com/tillmend/tillmend/"
	pure    = 7   // floors up to here use the standard library only
	maxFile = 500 // lines of a Go file: what can be read in one sitting
)

// excused are the outside packages that pure floors may import, with the reason:
// reading YAML from memory is as pure as reading JSON, and the standard library
// has none.
var excused = map[string][]string{
	"iso8583/dialect":    {"go.yaml.in/yaml/v3"},
	"internal/knowledge": {"go.yaml.in/yaml/v3"},
}

// place is where a package lives: its floor, and its turn among those of the floor.
type place struct{ floor, turn int }

// floors reads the table of floors out of ARCHITECTURE.md.
func floors(t *testing.T) map[string]place {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	row, name := regexp.MustCompile(`(?m)^\| (\d+) \| ([^|]*) \|`), regexp.MustCompile("`([a-z0-9/]+)`")
	places := map[string]place{}
	for _, m := range row.FindAllStringSubmatch(string(text), -1) {
		floor, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range name.FindAllStringSubmatch(m[2], -1) {
			if _, twice := places[n[1]]; twice {
				t.Errorf("ARCHITECTURE.md: %s stands on two floors", n[1])
			}
			places[n[1]] = place{floor, len(places)}
		}
	}
	if len(places) < 10 {
		t.Fatalf("ARCHITECTURE.md: %d packages in the table of floors", len(places))
	}
	return places
}

// goFiles gives the Go files of the module by package folder.
func goFiles(t *testing.T) map[string][]string {
	t.Helper()
	files := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if slices.Contains([]string{".git", "bench", "tools", "node_modules", "testdata", "data"}, d.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(rel, ".go") {
			files[filepath.ToSlash(filepath.Dir(rel))] = append(files[filepath.ToSlash(filepath.Dir(rel))], path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// parse gives the imports of a file.
func parse(t *testing.T, path string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, spec := range f.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	return list
}

// TestFloors: a package imports packages of lower floors, or earlier ones of its
// own floor's row; and the table names every package that there is.
func TestFloors(t *testing.T) {
	places, files := floors(t), goFiles(t)
	for _, pkg := range slices.Sorted(maps.Keys(files)) {
		here, ok := places[pkg]
		testsOnly := !slices.ContainsFunc(files[pkg], func(f string) bool { return !strings.HasSuffix(f, "_test.go") })
		if testsOnly {
			continue
		}
		if !ok {
			t.Errorf("%s: not in the table of floors in ARCHITECTURE.md", pkg)
			continue
		}
		for _, file := range files[pkg] {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			for _, imported := range parse(t, file) {
				checkImport(t, file, pkg, imported, here, places)
			}
		}
	}
	for pkg := range places {
		if len(files[pkg]) == 0 {
			t.Errorf("ARCHITECTURE.md: %s is in the table of floors and not in the tree", pkg)
		}
	}
}

func checkImport(t *testing.T, file, pkg, imported string, here place, places map[string]place) {
	t.Helper()
	name, ours := strings.CutPrefix(imported, module)
	switch {
	case ours:
		there, ok := places[name]
		if ok && (there.floor > here.floor || there.floor == here.floor && there.turn > here.turn) {
			t.Errorf("%s: imports %s of floor %d from floor %d", file, name, there.floor, here.floor)
		}
	case here.floor <= pure && strings.Contains(strings.Split(imported, "/")[0], ".") && !slices.Contains(excused[pkg], imported):
		t.Errorf("%s: imports %s; floors up to %d use the standard library only", file, imported, pure)
	}
}

// impure are the standard packages for I/O, which floors up to 7 leave alone.
var impure = []string{"net", "net/http", "os", "os/exec", "os/signal", "log", "log/slog", "syscall"}

// mayLog are packages of pure floors that need a type of an impure package: a
// secret must know how to hide in a log.
var mayLog = map[string][]string{"internal/card": {"log/slog"}}

// TestPureFloorsDoNoIO: floors up to 7 take bytes and times as arguments.
func TestPureFloorsDoNoIO(t *testing.T) {
	places, files := floors(t), goFiles(t)
	clock := regexp.MustCompile(`\btime\.(Now|Since|Until|After|AfterFunc|NewTimer|NewTicker|Tick)\(`)
	for pkg, here := range places {
		if here.floor > pure {
			continue
		}
		for _, file := range files[pkg] {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			for _, imported := range parse(t, file) {
				if slices.Contains(impure, imported) && !slices.Contains(mayLog[pkg], imported) {
					t.Errorf("%s: imports %s on floor %d", file, imported, here.floor)
				}
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if m := clock.Find(text); m != nil {
				t.Errorf("%s: reads the clock with %s on floor %d; time is an argument", file, m, here.floor)
			}
		}
	}
}

// TestFilesAreTidy: every Go file names its licence and can be read in one sitting.
func TestFilesAreTidy(t *testing.T) {
	for _, list := range goFiles(t) {
		for _, file := range list {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(strings.SplitN(string(text), "\npackage ", 2)[0], "// SPDX-License-Identifier: Apache-2.0\n") {
				t.Errorf("%s: does not begin with its licence", file)
			}
			if n := strings.Count(string(text), "\n"); n > maxFile {
				t.Errorf("%s: %d lines, more than %d", file, n, maxFile)
			}
		}
	}
}

// reveals is the loud call that shows a card number. No package makes it.
var reveals = regexp.MustCompile(`\.Reveal\(\)`)

// TestNobodyRevealsCards: outside its own package a card number is never revealed.
func TestNobodyRevealsCards(t *testing.T) {
	for pkg, list := range goFiles(t) {
		if pkg == "internal/card" {
			continue
		}
		for _, file := range list {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if reveals.Match(text) {
				t.Errorf("%s: reveals a card number", file)
			}
		}
	}
}

// TestDocsNameWhatExists: every path that the documents name is there.
func TestDocsNameWhatExists(t *testing.T) {
	docs, err := filepath.Glob(filepath.Join(root, "docs/*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"} {
		docs = append(docs, filepath.Join(root, name))
	}
	path := regexp.MustCompile(`(?:^|[\s\x60(])((?:internal|cmd|iso8583|docs|examples|bench|tools|test)/[A-Za-z0-9_./-]*[A-Za-z0-9_]|[a-z.]+\.(?:md|yaml))(?:[\s\x60),.:]|$)`)
	for _, doc := range docs {
		text, err := os.ReadFile(doc)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range path.FindAllStringSubmatch(string(text), -1) {
			if slices.Contains(invented, m[1]) {
				continue
			}
			near := filepath.Join(filepath.Dir(doc), m[1])
			if _, err := os.Stat(filepath.Join(root, m[1])); err != nil {
				if _, err := os.Stat(near); err != nil {
					t.Errorf("%s names %s, which does not exist", doc, m[1])
				}
			}
		}
	}
}

// invented are files that a reader of the documents is to make.
var invented = []string{"tillmend.yaml", "my-host.yaml"}
