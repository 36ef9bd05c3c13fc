// SPDX-License-Identifier: Apache-2.0

package console

import (
	"time"

	"github.com/tillmend/tillmend/internal/diagnosis"
	"github.com/tillmend/tillmend/internal/estate"
	"github.com/tillmend/tillmend/internal/knowledge"
)

// terminalBody is what the page of one terminal shows, in the order in which it
// is read: conclusion, reason, money, next step, how it is known.
type terminalBody struct {
	ID, Merchant, MerchantURL string
	Unnamed                   bool // known by its address alone
	Test                      bool // its messages say test or training
	Zone                      string
	Status                    diagnosis.Status
	Since                     Stamp
	Lasting                   string
	Seen                      Stamp  // last message
	SeenAgo                   string // how long ago

	Why        reason
	What       string // the cause for a shopkeeper
	Confidence string
	CauseID    knowledge.CauseID
	Over       bool
	OneCard    bool // the terminal is well; a customer's card was refused
	Doubts     []doubt

	First   *check // the check to make before anything else
	Steps   []string
	Who     string
	Helpers string
	Avoid   []string
	Proof   string

	For, Against, Missing []evidence
	Others                []other
	Facets                []facet
	Timeline              []exchange
	Facts                 []fact
}

// check is a question whose answer tells causes apart.
type check struct {
	Ask, Why, Who string
	Minutes       int
}

// facet is one side of the status.
type facet struct {
	Name   string
	Status diagnosis.Status
}

// other is a candidate that is not the first.
type other struct {
	Title, What, Confidence, Actor string
	ID                             knowledge.CauseID
	For, Against                   []evidence
}

// terminal is the page of one terminal.
func (c *console) terminal(q *request) (*page, error) {
	id := estate.TerminalID(q.PathValue("id"))
	d, s, ok := c.Source.Terminal(id)
	if !ok {
		return nil, errLost
	}
	b := terminalBody{
		ID: string(id), Merchant: string(d.Merchant), Unnamed: id.IsUnnamed(), Test: s.Test, Zone: zone(s.Location(), q.now),
		Status: d.Status, Since: stamp(d.Since, q.now), Why: q.reason(&d), Over: d.Over, Doubts: q.doubts(&s),
		Timeline: c.timeline(q, &s), Facts: q.facts(&s, q.now),
	}
	if d.Status != diagnosis.OK || d.Top() == nil {
		b.Lasting = q.lasting(d.Since, q.now)
	}
	if d.Merchant != "" {
		b.MerchantURL = merchantURL(d.Merchant)
	}
	if seen := s.Last.Time(s.Location()); !seen.IsZero() {
		b.Seen, b.SeenAgo = stamp(seen, q.now), q.lasting(seen, q.now)
	}
	for _, f := range knowledge.Facets {
		b.Facets = append(b.Facets, facet{q.T("facet." + string(f)), d.Facets[f]})
	}
	if top := d.Top(); top != nil {
		c.conclude(q, &b, &d, top, s.Location())
	}
	return &page{Template: "terminal", Title: b.ID, Nav: "terminals", Live: true, Body: b}, nil
}

// conclude fills in what follows from the first candidate.
func (c *console) conclude(q *request, b *terminalBody, d *diagnosis.Diagnosis, top *diagnosis.Candidate, loc *time.Location) {
	cause := top.Cause
	b.CauseID, b.What, b.Confidence = cause.ID, cause.What.In(q.code), q.confidence(top)
	b.OneCard = d.Status == diagnosis.OK && !d.Over
	b.For, b.Against = c.evidence(q, d, top.For, loc), c.evidence(q, d, top.Against, loc)
	for _, m := range top.Missing {
		b.Missing = append(b.Missing, evidence{Text: m.Title.In(q.code)})
	}
	for i := range d.Candidates[1:] {
		o := &d.Candidates[i+1]
		b.Others = append(b.Others, other{
			Title: o.Cause.Title.In(q.code), What: o.Cause.What.In(q.code), Confidence: q.confidence(o), ID: o.Cause.ID,
			Actor: q.T("actor." + string(o.Cause.Actor)), For: c.evidence(q, d, o.For, loc), Against: c.evidence(q, d, o.Against, loc),
		})
	}
	if d.Over {
		return // there is nothing to do about what has ended
	}
	if k := d.Next.Question; k != nil {
		b.First = &check{k.Ask.In(q.code), k.Why.In(q.code), q.T("actor." + string(k.Who)), k.Minutes}
	}
	b.Steps, b.Avoid, b.Proof = q.texts(cause.Now), q.texts(cause.Avoid), cause.Proof.In(q.code)
	b.Who, b.Helpers = q.T("actor."+string(cause.Actor)), q.actors(cause.Helpers)
}
