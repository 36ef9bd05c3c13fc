// SPDX-License-Identifier: Apache-2.0

package console

import (
	"net/url"
	"time"

	"github.com/tillmend/tillmend/internal/diagnosis"
	"github.com/tillmend/tillmend/internal/estate"
	"github.com/tillmend/tillmend/internal/knowledge"
	"github.com/tillmend/tillmend/internal/terminal"
)

// markOf gives the shape of a status, the same in every language.
func markOf(s diagnosis.Status) string {
	switch s {
	case diagnosis.Blocked:
		return "■"
	case diagnosis.Offline:
		return "○"
	case diagnosis.Attention:
		return "▲"
	case diagnosis.Unknown:
		return "?"
	case diagnosis.OK:
		return "●"
	}
	return "?"
}

// terminalURL is the address of a terminal's page.
func terminalURL(id estate.TerminalID) string { return "/terminals/" + url.PathEscape(string(id)) }

// eventURL is the address of a record.
func eventURL(id terminal.EventID) string { return "/events/" + id.String() }

// merchantURL is the list of a merchant's terminals.
func merchantURL(id estate.MerchantID) string {
	return (filter{Q: string(id), Sort: orders[0].key, Page: 1}).at("/terminals")
}

// needsHelp reports whether someone has to act on a terminal. One that is well
// does not, even if a customer's card was refused on it.
func needsHelp(d *diagnosis.Diagnosis) bool {
	return d.Status == diagnosis.Blocked || d.Status == diagnosis.Offline || d.Status == diagnosis.Attention
}

// causeOf gives the cause that a terminal counts under: the first candidate, as
// long as somebody has to act. Empty: none.
func causeOf(d *diagnosis.Diagnosis) knowledge.CauseID {
	if top := d.Top(); top != nil && needsHelp(d) && !d.Over {
		return top.Cause.ID
	}
	return ""
}

// turnOf gives whose turn it is at a terminal; empty if nobody's.
func turnOf(d *diagnosis.Diagnosis) knowledge.Actor {
	top := d.Top()
	switch {
	case top == nil || !needsHelp(d) || d.Over:
		return ""
	case d.Next.Who != "":
		return d.Next.Who
	}
	return top.Cause.Actor
}

// reason says in a few words why a terminal is as it is.
type reason struct {
	Text string
	Hint string // what it most looks like, if it is not clear
}

func (t *tongue) reason(d *diagnosis.Diagnosis) reason {
	top := d.Top()
	if top == nil {
		return reason{}
	}
	title := top.Cause.Title.In(t.code)
	switch {
	case d.Over:
		return reason{t.T("reason.over"), t.T("reason.was", "Cause", title)}
	case d.Status == diagnosis.OK:
		return reason{t.T("reason.onecard"), title}
	case d.Known():
		return reason{Text: title}
	case top.Cause.ID == knowledge.Other:
		return reason{Text: t.T("reason.unclear")}
	}
	return reason{t.T("reason.unclear"), t.T("reason.like", "Cause", title)}
}

// confidence says how sure a candidate is, as a word with its counts.
func (t *tongue) confidence(c *diagnosis.Candidate) string {
	word := t.T("confidence." + diagnosis.ConfidenceOf(c.P).String())
	return t.T("confidence.counts", "Word", word, "For", len(c.For), "Against", len(c.Against))
}

// actors names who acts and who helps.
func (t *tongue) actors(list []knowledge.Actor) string {
	words := make([]string, 0, len(list))
	for _, a := range list {
		words = append(words, t.T("actor."+string(a)))
	}
	return t.list(words)
}

// texts gives sentences of the base in the language.
func (t *tongue) texts(list []knowledge.Text) []string {
	out := make([]string, 0, len(list))
	for _, s := range list {
		out = append(out, s.In(t.code))
	}
	return out
}

// layer names the layer of codes that a statement rests on.
func (t *tongue) layer(name string) string {
	switch name {
	case "":
		return ""
	case knowledge.Standard, knowledge.Operator:
		return t.T("layer." + name)
	}
	const acquirer = "acquirer:"
	if len(name) > len(acquirer) && name[:len(acquirer)] == acquirer {
		return t.T("layer.acquirer", "Name", name[len(acquirer):])
	}
	return t.T("layer.words")
}

// meaning gives the meaning of a response code and the layer it is from. Of a
// code that only acquirers use the meaning is not said as long as none is named.
func (c *console) meaning(t *tongue, code string) (text, layer string) {
	if code == "" {
		return "", ""
	}
	found := c.Base.Codes(code, c.Acquirer)
	if len(found) == 0 {
		return t.T("code.unknown"), ""
	}
	return found[0].Title.In(t.code), t.layer(found[0].Layer)
}

// lasting says since when, and how long already.
func (t *tongue) lasting(since, now time.Time) string {
	if since.IsZero() {
		return ""
	}
	return t.duration(max(0, now.Sub(since)))
}
