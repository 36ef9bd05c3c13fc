// SPDX-License-Identifier: Apache-2.0

package knowledge

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sync"

	"go.yaml.in/yaml/v3"
)

// Limits of one file tree. They keep a wrong folder, named as an overlay by
// mistake, from being read for minutes.
const (
	maxFiles     = 500     // the embedded base has some thirty
	maxFileBytes = 2 << 20 // the largest embedded file has some hundred kilobytes
)

//go:embed data
var embedded embed.FS

var loadDefault = sync.OnceValues(func() (*Base, error) { return Load(nil) })

// Default gives the embedded base without an overlay. It is read once; everyone
// gets the same base, which must not be changed.
func Default() (*Base, error) {
	return loadDefault()
}

// Load reads the embedded base and then overlay, the operator's own files, which
// may be nil. Every file ends in .yaml and may be in any folder; it holds
// causes, codes of one layer, screens, questions, evidence, cues, terms or synonyms.
//
// What the overlay says of something known (a cause or question by id, a code by
// layer and code, a screen by text, evidence by finding, a cue by id, a term by
// its Chinese) replaces
// field by field: a field that is not given keeps its value, a list that is
// given replaces the whole list, weights of evidence are replaced one by one, and
// phrases under says are added. Anything else is added. Codes of the operator have "layer: operator".
//
// The error joins one error for each thing wrong, each with file and line and
// with what was expected there. A base with an error is never given out.
func Load(overlay fs.FS) (*Base, error) {
	data, err := fs.Sub(embedded, "data")
	if err != nil {
		return nil, fmt.Errorf("knowledge: embedded data: %w", err) // unreachable unless the folder is renamed
	}
	trees := []tree{{"", data}}
	if overlay != nil {
		trees = append(trees, tree{"overlay ", overlay})
	}
	return load(trees...)
}

// A tree is a file tree and the words before its file names in messages.
type tree struct {
	label string
	fs.FS
}

// load reads the trees, later ones over earlier ones, and validates the whole.
func load(trees ...tree) (*Base, error) {
	l := &loader{base: &Base{}, entries: map[string]*entry{}}
	for i, t := range trees {
		l.tree = i
		l.readTree(t)
	}
	if len(l.errs) == 0 { // a half-read base would be full of unknown names
		l.index()
		l.validate()
	}
	if len(l.errs) > 0 {
		return nil, errors.Join(l.errs...)
	}
	return l.base, nil
}

// A loader reads one base.
type loader struct {
	base    *Base
	tree    int               // which tree is being read
	entries map[string]*entry // by kind and key, such as "cause TERM-CLONE"
	says    []source          // further phrases, for when all causes are known
	errs    []error
}

// An entry is one thing of the base and where it was written.
type entry struct {
	index   int // in its list
	tree    int // the last tree that spoke of it
	sources []source
}

// A source is a place where an entry was written.
type source struct {
	file string
	node *yaml.Node
}

// document is the form of a file. The keys of a layer stand at its top.
type document struct {
	Causes    []Cause    `yaml:"causes"`
	Screens   []Screen   `yaml:"screens"`
	Questions []Question `yaml:"questions"`
	Evidence  []Evidence `yaml:"evidence"`
	Cues      []Cue      `yaml:"cues"`
	Glossary  []Term     `yaml:"glossary"`
	Synonyms  [][]string `yaml:"synonyms"`
	// Says are further ways of speaking of causes, beside those that the causes
	// bring themselves. They are added, never replaced.
	Says    map[CauseID][]string `yaml:"says"`
	Layer   string               `yaml:"layer"`
	Names   []string             `yaml:"names"`
	Source  string               `yaml:"source"`
	Default bool                 `yaml:"default"`
	Codes   []Code               `yaml:"codes"`
}

func (l *loader) bad(file string, line int, format string, args ...any) {
	l.errs = append(l.errs, fmt.Errorf("%s:%d: %w", file, line, fmt.Errorf(format, args...)))
}

// readTree reads all YAML files of t in the order of their paths.
func (l *loader) readTree(t tree) {
	files := 0
	err := fs.WalkDir(t, ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() || path.Ext(p) != ".yaml":
			return nil
		}
		if files++; files > maxFiles {
			return fmt.Errorf("more than %d files; expected a folder with nothing but knowledge", maxFiles)
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Size() > maxFileBytes {
			return fmt.Errorf("%s: %d bytes; expected at most %d", p, info.Size(), maxFileBytes)
		}
		text, err := fs.ReadFile(t, p)
		if err != nil {
			return err
		}
		l.readFile(t.label+p, text)
		return nil
	})
	if err != nil {
		l.errs = append(l.errs, fmt.Errorf("knowledge: %sfiles: %w", t.label, err))
	}
}

// readFile reads one file into the base.
func (l *loader) readFile(file string, text []byte) {
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		l.errs = append(l.errs, fmt.Errorf("%s: not YAML: %w", file, err))
		return
	}
	if len(root.Content) == 0 {
		return // an empty file, or nothing but comments
	}
	top := root.Content[0]
	before := len(l.errs)
	l.check(file, top, documentType, "file")
	if len(l.errs) > before {
		return
	}
	for name, list := range fields(top) {
		switch name {
		case "causes":
			merge(l, file, list, "cause", "id", &l.base.Causes)
		case "screens":
			merge(l, file, list, "screen", "text", &l.base.Screens)
		case "questions":
			merge(l, file, list, "question", "id", &l.base.Questions)
		case "evidence":
			merge(l, file, list, "evidence", "finding", &l.base.Evidence)
		case "cues":
			merge(l, file, list, "cue", "id", &l.base.Cues)
		case "glossary":
			merge(l, file, list, "term", "zh", &l.base.Glossary)
		case "says":
			l.says = append(l.says, source{file, list})
		case "synonyms":
			l.mergeSynonyms(file, list)
		}
	}
	l.mergeLayer(file, top)
}

// index makes the maps by which the base is asked.
func (l *loader) index() {
	b := l.base
	b.causes = make(map[CauseID]*Cause, len(b.Causes))
	for i := range b.Causes {
		b.causes[b.Causes[i].ID] = &b.Causes[i]
	}
	l.addSays()
	b.found = make(map[string]*Evidence, len(b.Evidence))
	for i := range b.Evidence {
		b.found[b.Evidence[i].Finding] = &b.Evidence[i]
	}
}
