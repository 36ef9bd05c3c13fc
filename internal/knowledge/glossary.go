// SPDX-License-Identifier: Apache-2.0

package knowledge

// Term is a word of the product and the words that are not used in its place.
type Term struct {
	ZH    string   `yaml:"zh" json:"zh"`
	EN    string   `yaml:"en" json:"en"`
	NotZH []string `yaml:"not_zh" json:"not_zh"`
	NotEN []string `yaml:"not_en" json:"not_en"`
}

func (c checker) term(t *Term) {
	if t.EN == "" {
		c.bad(at("en"), "no English; expected the word in both languages")
	}
	c.says(t.NotZH, "not_zh")
	c.says(t.NotEN, "not_en")
}

// Shown walks all texts of the base that people are shown, each with the name of
// the thing that shows it. Codes are left out but for their notes: their titles
// are the words of their documents.
func (b *Base) Shown(yield func(of string, t Text) bool) {
	show := func(of string, texts ...Text) bool {
		for _, t := range texts {
			if t != (Text{}) && !yield(of, t) {
				return false
			}
		}
		return true
	}
	for i := range b.Causes {
		c := &b.Causes[i]
		if !show(string(c.ID), c.Title, c.What, c.Proof) || !show(string(c.ID), c.Now...) || !show(string(c.ID), c.Avoid...) {
			return
		}
	}
	for i := range b.Questions {
		if q := &b.Questions[i]; !show("question "+q.ID, q.Ask, q.Why) {
			return
		}
	}
	for i := range b.Evidence {
		if e := &b.Evidence[i]; !show("evidence "+e.Finding, e.Title) {
			return
		}
	}
	for i := range b.Layers {
		for j := range b.Layers[i].Codes {
			if k := &b.Layers[i].Codes[j]; !show(b.Layers[i].Name+" "+k.Code, k.Note) {
				return
			}
		}
	}
}
