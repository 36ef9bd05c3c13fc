// SPDX-License-Identifier: Apache-2.0

package knowledge

import (
	"strings"
	"testing"
)

// TestGlossary holds that every shown text uses the words of the glossary.
func TestGlossary(t *testing.T) {
	b, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Glossary) < 10 {
		t.Fatalf("%d terms", len(b.Glossary))
	}
	shown := 0
	for of, text := range b.Shown {
		shown++
		for _, term := range b.Glossary {
			for _, w := range term.NotZH {
				if strings.Contains(text.ZH, w) {
					t.Errorf("%s: %q; write %s for %s", of, text.ZH, term.ZH, w)
				}
			}
			for _, w := range term.NotEN {
				if strings.Contains(" "+text.EN, " "+w) {
					t.Errorf("%s: %q; write %s for %s", of, text.EN, term.EN, w)
				}
			}
		}
	}
	if shown < 1500 {
		t.Errorf("%d texts shown; the walk misses some", shown)
	}
}

// TestNeverInSteps holds that no step of the base advises what is never advised,
// in either language, and that each cause says what to avoid.
func TestNeverInSteps(t *testing.T) {
	b, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	for i := range b.Causes {
		c := &b.Causes[i]
		for _, step := range c.Now {
			for _, s := range []string{step.ZH, step.EN} {
				if bad := NeverAdvised(s); bad != "" {
					t.Errorf("%s advises %s: %s", c.ID, bad, s)
				}
			}
		}
	}
}
