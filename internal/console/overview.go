// SPDX-License-Identifier: Apache-2.0

package console

import (
	"cmp"
	"slices"

	"github.com/tillmend/tillmend/internal/diagnosis"
	"github.com/tillmend/tillmend/internal/knowledge"
)

const (
	// topCauses is how many causes the overview names; the rest is one click away.
	topCauses = 10
	// topTerminals is how many terminals it names: those that stopped last.
	topTerminals = 8
)

// share is one line of a ranking with a bar.
type share struct {
	Text, URL string
	Actor     knowledge.Actor
	Count     int
	Sure      int // of Count: where the cause is believed enough to act on
	// The bar, in percent of the longest.
	Width, SureWidth int
}

// overviewBody is what the overview shows.
type overviewBody struct {
	Tiles    []choice
	Blocked  int
	LastPaid Stamp
	Total    int
	Causes   []share
	More     int // causes that are not named
	Turns    []share
	Latest   []row
	Health   healthLine
}

// healthLine is how Tillmend itself is, in figures.
type healthLine struct {
	Problems         []string
	Open             int
	Recorded         string
	Dropped          string
	Position         string
	Last             Stamp
	Lag              int
	Started          Stamp
	Fault            string
	FailingListeners []string
}

func (c *console) overview(q *request) (*page, error) {
	all := c.fleet.all()
	b := overviewBody{Total: len(all), Tiles: q.statusChoices(filter{Sort: orders[0].key, Page: 1}, all), Health: c.healthLine(q)}
	b.Blocked = b.Tiles[rank(diagnosis.Blocked)].Count
	b.Causes, b.More = c.causes(q, all)
	b.Turns = q.turns(all)
	stopped := filter{Status: []diagnosis.Status{diagnosis.Blocked, diagnosis.Offline}, Sort: "since", Down: true}
	for _, d := range firstOf(stopped.apply(all), topTerminals) {
		b.Latest = append(b.Latest, c.row(q, d))
	}
	p := &page{Template: "overview", Title: q.T("overview.title"), Nav: "overview", Live: true, Body: b}
	return p, nil
}

func firstOf[T any](list []T, n int) []T { return list[:min(n, len(list))] }

// causes ranks what is wrong by how many terminals it stops.
func (c *console) causes(q *request, all []diagnosis.Diagnosis) (list []share, more int) {
	at := map[knowledge.CauseID]*share{}
	for i := range all {
		d := &all[i]
		id := causeOf(d)
		if id == "" {
			continue
		}
		s := at[id]
		if s == nil {
			cause := d.Top().Cause
			f := filter{Cause: []knowledge.CauseID{id}, Sort: orders[0].key, Page: 1}
			s = &share{Text: cause.Title.In(q.code), URL: f.at("/terminals"), Actor: cause.Actor}
			at[id] = s
		}
		s.Count++
		if d.Known() {
			s.Sure++
		}
	}
	list = ranked(at)
	return firstOf(list, topCauses), max(0, len(list)-topCauses)
}

// turns counts whose turn it is.
func (t *tongue) turns(all []diagnosis.Diagnosis) []share {
	at := map[knowledge.Actor]*share{}
	for i := range all {
		who := turnOf(&all[i])
		if who == "" {
			continue
		}
		if at[who] == nil {
			f := filter{Actor: []knowledge.Actor{who}, Sort: orders[0].key, Page: 1}
			at[who] = &share{Text: t.T("actor." + string(who)), URL: f.at("/terminals"), Actor: who}
		}
		at[who].Count++
		at[who].Sure++
	}
	return ranked(at)
}

// ranked puts the most frequent first and measures the bars.
func ranked[K comparable](at map[K]*share) []share {
	var list []share
	for _, s := range at {
		list = append(list, *s)
	}
	slices.SortFunc(list, func(a, b share) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.URL, b.URL))
	})
	const percent = 100
	for i := range list {
		list[i].Width = max(1, list[i].Count*percent/list[0].Count)
		list[i].SureWidth = list[i].Sure * percent / list[0].Count
	}
	return list
}

func (c *console) healthLine(q *request) healthLine {
	h := c.Source.Health()
	line := healthLine{
		Open: h.Open(), Recorded: thousands(h.Recorded), Dropped: thousands(h.Dropped), Position: h.Journal.Position,
		Last: stamp(h.Journal.Last, q.now), Lag: int(min(h.Journal.Lag, 1<<31)), //nolint:gosec // bounded
		Started: stamp(h.Started, q.now), Fault: h.Journal.Fault,
	}
	for _, p := range h.Problems() {
		line.Problems = append(line.Problems, q.T("problem."+string(p)))
	}
	for _, l := range h.Listeners {
		for _, host := range l.Hosts {
			if host.Failing {
				line.FailingListeners = append(line.FailingListeners, l.Name+" → "+host.Name)
			}
		}
	}
	return line
}
