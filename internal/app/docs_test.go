// SPDX-License-Identifier: Apache-2.0

package app

import (
	"os"
	"strings"
	"testing"

	"github.com/tillmend/tillmend/internal/knowledge"
	"github.com/tillmend/tillmend/iso8583/dialect"
)

// block gives the indented example of a document that begins with a line.
func block(t *testing.T, doc, first string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/" + doc)
	if err != nil {
		t.Fatal(err)
	}
	_, after, ok := strings.Cut(string(text), "    "+first+"\n")
	if !ok {
		t.Fatalf("%s has no example that begins with %q", doc, first)
	}
	example, _, _ := strings.Cut(first+"\n"+after, "\n\n")
	return strings.ReplaceAll(example, "\n    ", "\n")
}

// TestDocumentedDialect: the dialect that the documents show can be loaded.
func TestDocumentedDialect(t *testing.T) {
	d, err := dialect.Load(strings.NewReader(block(t, "operating.md", "name: my-host")), "operating.md")
	if err != nil {
		t.Fatal(err)
	}
	if d.Name != "my-host" || d.Frame.ANI != 14 {
		t.Errorf("%+v", d.Frame)
	}
}

// TestDocumentedOverlay: the codes that the documents show can be laid over the
// shipped knowledge, and come first for their acquirer.
func TestDocumentedOverlay(t *testing.T) {
	dir := t.TempDir()
	text := block(t, "operating.md", "codes/my-acquirer.yaml")
	name, body, _ := strings.Cut(text, "\n")
	body = strings.ReplaceAll(body, "\n  ", "\n")
	if err := os.MkdirAll(dir+"/codes", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/"+name, []byte(strings.TrimPrefix(body, "  ")), 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := LoadKnowledge(dir)
	if err != nil {
		t.Fatal(err)
	}
	if found := b.Codes("X9", "my-acquirer"); len(found) == 0 || found[0].Causes[0] != knowledge.CauseID("MER-FROZEN-RISK") {
		t.Errorf("%+v", found)
	}
}
