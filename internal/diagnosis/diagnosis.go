// SPDX-License-Identifier: Apache-2.0

// Package diagnosis says why a terminal is abnormal: ranked causes, each with the
// findings that speak for and against it, who must act, and the next step that is
// worth most.
//
// # Arithmetic
//
// One cause at a time: the belief in a cause is its base rate times the weights
// (likelihood ratios) of the findings, over the sum for all causes. A response
// code is evidence too: its table lists causes by how often they are behind the
// code, so it gives beliefs after the code, and these divided by the base rates
// are its weights. The cause [knowledge.Other] takes part, so that evidence which
// fits nothing known leads to "not known", not to the least bad guess.
//
// # Honesty
//
// Nothing is diagnosed without a sign of trouble, and a belief below
// [Sure] never becomes an order to do something that another check would make
// needless: then the next step is the check that tells the causes apart.
package diagnosis

import (
	"time"

	"github.com/tillmend/tillmend/internal/estate"
	"github.com/tillmend/tillmend/internal/finding"
	"github.com/tillmend/tillmend/internal/knowledge"
	"github.com/tillmend/tillmend/internal/terminal"
)

const (
	// Sure is the belief from which the step against a cause is the next step.
	Sure = 0.5
	// shown is the belief below which a cause is not listed, unless it is the first.
	shown = 0.02
	// mostShown bounds the list of causes.
	mostShown = 5
)

// Status is what a merchant can do on a terminal now.
type Status string

// The statuses, worst first.
const (
	Blocked   Status = "blocked"   // ■ cannot take money
	Offline   Status = "offline"   // ○ no contact beyond its own normal gap
	Attention Status = "attention" // ▲ takes money, with limits or not for long
	Unknown   Status = "unknown"   // ? never reported, or nothing recent enough to say
	OK        Status = "ok"        // ● the last payment went well, or nothing speaks against the next
)

// Statuses lists all statuses, worst first, the order of every list.
var Statuses = [...]Status{Blocked, Offline, Attention, Unknown, OK}

// Weight is one finding's part in a belief.
type Weight struct {
	Finding *finding.Finding
	Ratio   float64 // likelihood ratio against the average of the other causes
	Layer   string  // the layer of codes that the weight rests on; empty: not a code
}

// Candidate is a cause with what speaks for and against it.
type Candidate struct {
	Cause   *knowledge.Cause
	P       float64
	For     []Weight
	Against []Weight
	// Missing are kinds of findings that would speak for this cause and were not
	// found, strongest first: what a person could look for.
	Missing []*knowledge.Evidence
}

// Next is the step that is worth most now.
type Next struct {
	Step     knowledge.Text
	Why      knowledge.Text
	Who      knowledge.Actor
	Question *knowledge.Question // set when the step is a check that tells causes apart
}

// Diagnosis is what is known about a terminal at a time.
type Diagnosis struct {
	Terminal   estate.TerminalID
	Merchant   estate.MerchantID
	At         time.Time
	Status     Status
	Since      time.Time // since when the status holds, as far as is known; zero: not known
	Facets     map[knowledge.Facet]Status
	Candidates []Candidate // most likely first; empty: no sign of trouble
	Over       bool        // the candidates explain an episode that has ended
	Next       Next        // zero when nothing is to be done
	Findings   []finding.Finding
}

// Top gives the first candidate, nil if there is none.
func (d *Diagnosis) Top() *Candidate {
	if len(d.Candidates) == 0 {
		return nil
	}
	return &d.Candidates[0]
}

// Known reports whether the first cause is believed enough to act on.
func (d *Diagnosis) Known() bool {
	t := d.Top()
	return t != nil && t.P >= Sure && t.Cause.ID != knowledge.Other
}

// Diagnose judges one terminal at time now: its own findings and those of the
// scopes it belongs to. Acquirer chooses the layer of codes; it may be empty.
func Diagnose(b *knowledge.Base, id estate.TerminalID, s *terminal.State, scopes *finding.Scopes, acquirer string, now time.Time) Diagnosis {
	d := Diagnosis{
		Terminal: id, Merchant: estate.MerchantID(s.MerchantID()), At: now,
		Findings: append(finding.Detect(s, now), scopes.For(s)...),
	}
	d.rank(b, acquirer)
	d.judge(s)
	d.plan(b, acquirer)
	return d
}
