// SPDX-License-Identifier: Apache-2.0

package diagnosis

import (
	"time"

	"github.com/tillmend/tillmend/internal/finding"
	"github.com/tillmend/tillmend/internal/knowledge"
	"github.com/tillmend/tillmend/internal/terminal"
)

// freshFor is how long a payment, or a sign-in, speaks for the terminal.
const freshFor = 24 * time.Hour

// judge sets status and facets.
func (d *Diagnosis) judge(s *terminal.State) {
	d.Facets = facetsOf(s, d.At)
	top := d.Top()
	switch {
	case finding.Has(d.Findings, finding.Silent):
		d.set(Offline, d.first(finding.Silent))
		d.Facets[knowledge.Network] = Unknown
	case top == nil || d.Over:
		d.set(quiet(s, d.At), s.Approval.Time(s.Location()))
		return
	case top.Cause.Effect == knowledge.OneCard && !finding.Has(d.Findings, finding.AllCards):
		d.set(OK, s.Approval.Time(s.Location()))
	case top.Cause.Effect == knowledge.OneCard: // each card on its own, but several in a row
		d.set(Attention, d.earliest())
	case top.Cause.Effect == knowledge.NoEffect, s.Failing == 0 && !d.linkFails() && s.Session.Refused == 0:
		d.set(Attention, d.earliest())
	case top.Cause.Effect == knowledge.Blocks && d.Known(), s.Failed > 1 && s.Failing != 0, d.linkFails(), s.Session.Refused > 0:
		d.set(Blocked, sooner(d.earliest(), s.Failing.Time(s.Location())))
	default:
		d.set(Attention, d.earliest())
	}
	d.spoil()
}

func (d *Diagnosis) set(st Status, since time.Time) { d.Status, d.Since = st, since }

// sooner gives the earlier of two times that are known. The state remembers longer
// since when payments fail than which ones they were.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// linkFails reports whether connections fail before a message.
func (d *Diagnosis) linkFails() bool {
	for _, k := range [...]finding.Kind{finding.LinkSilent, finding.LinkReset, finding.LinkTLS, finding.LinkRefused, finding.HostUnreachable} {
		if finding.Has(d.Findings, k) {
			return true
		}
	}
	return false
}

// first gives since when a kind is present.
func (d *Diagnosis) first(kind finding.Kind) time.Time {
	for i := range d.Findings {
		if f := &d.Findings[i]; f.Kind == kind && f.State == finding.Present {
			return f.Since
		}
	}
	return time.Time{}
}

// earliest gives since when the findings for the first candidate are there.
func (d *Diagnosis) earliest() time.Time {
	var t time.Time
	for _, w := range d.Top().For {
		f := w.Finding
		if f.Kind == finding.TradedBefore || f.Kind == finding.NeverTraded || f.Since.IsZero() {
			continue
		}
		if t.IsZero() || f.Since.Before(t) {
			t = f.Since
		}
	}
	return t
}

// quiet gives the status of a terminal without a sign of trouble: fine if it
// traded or signed in lately, and otherwise not known.
func quiet(s *terminal.State, now time.Time) Status {
	for _, t := range [...]terminal.Millis{s.Approval, signedIn(s)} {
		if t != 0 && now.Sub(t.Time(time.UTC)) < freshFor {
			return OK
		}
	}
	return Unknown
}

func signedIn(s *terminal.State) terminal.Millis {
	if s.Session.State != terminal.SessionOpen {
		return 0
	}
	return s.Session.At
}

// facetsOf gives what a terminal's own traffic proves to be well. An approved
// payment proves every side that it passes through; an answer of any kind proves
// the way to the host.
func facetsOf(s *terminal.State, now time.Time) map[knowledge.Facet]Status {
	m := make(map[knowledge.Facet]Status, len(knowledge.Facets))
	for _, f := range knowledge.Facets {
		m[f] = Unknown
	}
	fresh := func(t terminal.Millis) bool { return t != 0 && now.Sub(t.Time(time.UTC)) < freshFor }
	if fresh(s.Request) && s.Line.Failures == 0 {
		m[knowledge.Network] = OK
	}
	if fresh(signedIn(s)) {
		m[knowledge.Operation], m[knowledge.Service] = OK, OK
	}
	if fresh(s.Approval) {
		for _, f := range [...]knowledge.Facet{
			knowledge.Identity, knowledge.Account, knowledge.Device, knowledge.Software, knowledge.Service, knowledge.Operation,
		} {
			m[f] = OK
		}
	}
	return m
}

// spoil marks the facets of the causes that are believed.
func (d *Diagnosis) spoil() {
	const believed = 0.25
	for i := range d.Candidates {
		c := &d.Candidates[i]
		if i > 0 && c.P < believed || c.Cause.ID == knowledge.Other {
			continue
		}
		st := Attention
		switch {
		case c.Cause.Effect == knowledge.OneCard && d.Status == OK:
			st = OK
		case i == 0 && d.Status == Blocked:
			st = Blocked
		}
		if worse(st, d.Facets[c.Cause.Facet]) || i == 0 {
			d.Facets[c.Cause.Facet] = st
		}
	}
}

// worse reports whether a stands before b in the order of statuses.
func worse(a, b Status) bool {
	for _, s := range Statuses {
		if s == a {
			return a != b
		}
		if s == b {
			return false
		}
	}
	return false
}
