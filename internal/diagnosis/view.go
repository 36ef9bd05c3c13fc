// SPDX-License-Identifier: Apache-2.0

package diagnosis

import (
	"time"

	"github.com/tillmend/tillmend/internal/estate"
	"github.com/tillmend/tillmend/internal/finding"
	"github.com/tillmend/tillmend/internal/knowledge"
	"github.com/tillmend/tillmend/internal/terminal"
)

// View is the machine-readable form of a diagnosis, in one language. Keys are
// added freely and never change their meaning.
type View struct {
	Terminal   estate.TerminalID          `json:"terminal"`
	Merchant   estate.MerchantID          `json:"merchant"`
	State      Status                     `json:"state"`
	Since      *time.Time                 `json:"since"` // null: not known
	At         time.Time                  `json:"at"`
	Facets     map[knowledge.Facet]Status `json:"facets"`
	Confidence Confidence                 `json:"confidence,omitempty"`
	Over       bool                       `json:"over"` // the diagnosis is of an episode that has ended
	Diagnosis  []CauseView                `json:"diagnosis"`
	Next       *NextView                  `json:"next"`
	Findings   []FindingView              `json:"findings"`
}

// CauseView is one ranked cause.
type CauseView struct {
	Cause   knowledge.CauseID `json:"cause"`
	P       float64           `json:"p"`
	Area    string            `json:"area"`
	Facet   knowledge.Facet   `json:"facet"`
	Actor   knowledge.Actor   `json:"actor"`
	Helpers []knowledge.Actor `json:"helpers,omitempty"`
	Title   string            `json:"title"`
	What    string            `json:"what"`
	Steps   []string          `json:"steps"`
	Avoid   []string          `json:"avoid"`
	Proof   string            `json:"proof"`
	For     []string          `json:"for"`
	Against []string          `json:"against"`
	Missing []string          `json:"missing"`
}

// NextView is the step that is worth most now.
type NextView struct {
	Step     string          `json:"step"`
	Who      knowledge.Actor `json:"who"`
	Why      string          `json:"why"`
	Question string          `json:"question,omitempty"` // id of the question, if the step is one
}

// FindingView is one finding.
type FindingView struct {
	Kind   finding.Kind     `json:"kind"`
	Title  string           `json:"title"`
	State  finding.Presence `json:"state"`
	Since  *time.Time       `json:"since"`
	Until  *time.Time       `json:"until,omitempty"`
	Count  int              `json:"count"`
	Code   string           `json:"code,omitempty"`
	Detail string           `json:"detail,omitempty"`
	Events []string         `json:"events"`
}

// View puts the diagnosis into words of the language lang, "zh" or "en".
func (d *Diagnosis) View(b *knowledge.Base, lang, acquirer string) View {
	v := View{
		Terminal: d.Terminal, Merchant: d.Merchant, State: d.Status, Since: known(d.Since), At: d.At, Facets: d.Facets, Over: d.Over,
		Diagnosis: []CauseView{}, Findings: []FindingView{},
	}
	if top := d.Top(); top != nil {
		v.Confidence = ConfidenceOf(top.P)
	}
	for i := range d.Candidates {
		v.Diagnosis = append(v.Diagnosis, d.Candidates[i].view(lang))
	}
	if d.Next.Who != "" {
		v.Next = &NextView{Step: d.Next.Step.In(lang), Who: d.Next.Who, Why: d.Next.Why.In(lang)}
		if d.Next.Question != nil {
			v.Next.Question = d.Next.Question.ID
		}
	}
	for i := range d.Findings {
		f := &d.Findings[i]
		v.Findings = append(v.Findings, FindingView{
			Kind: f.Kind, Title: b.Describe(string(f.Kind), f.Code, acquirer).In(lang), State: f.State, Since: known(f.Since),
			Until: known(f.Until), Count: f.Count, Code: f.Code, Detail: f.Detail, Events: eventNames(f.Events),
		})
	}
	return v
}

func (c *Candidate) view(lang string) CauseView {
	k := c.Cause
	v := CauseView{
		Cause: k.ID, P: c.P, Area: k.Area, Facet: k.Facet, Actor: k.Actor, Helpers: k.Helpers, Title: k.Title.In(lang),
		What: k.What.In(lang), Proof: k.Proof.In(lang), Steps: inLang(k.Now, lang), Avoid: inLang(k.Avoid, lang),
		For: weightNames(c.For), Against: weightNames(c.Against), Missing: []string{},
	}
	for _, e := range c.Missing {
		v.Missing = append(v.Missing, "finding:"+e.Finding)
	}
	return v
}

// known gives nil for a time that is not known.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func inLang(list []knowledge.Text, lang string) []string {
	out := make([]string, len(list))
	for i, t := range list {
		out[i] = t.In(lang)
	}
	return out
}

// weightNames names the findings of weights; a response code and the layer that
// gives it its meaning are part of the name.
func weightNames(list []Weight) []string {
	out := make([]string, len(list))
	for i, w := range list {
		out[i] = "finding:" + string(w.Finding.Kind)
		if w.Layer != "" {
			out[i] += ":" + w.Finding.Code + "@" + w.Layer
		}
	}
	return out
}

func eventNames(ids []terminal.EventID) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = id.String()
	}
	return out
}
