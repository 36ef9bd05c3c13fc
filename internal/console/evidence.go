// SPDX-License-Identifier: Apache-2.0

package console

import (
	"cmp"
	"slices"
	"time"

	"github.com/tillmend/tillmend/internal/diagnosis"
	"github.com/tillmend/tillmend/internal/estate"
	"github.com/tillmend/tillmend/internal/finding"
	"github.com/tillmend/tillmend/internal/terminal"
)

// shownEvents is how many records a line of evidence links to: the newest.
const shownEvents = 3

// evidence is one finding as a line that can be opened.
type evidence struct {
	Text   string
	Detail string // figures
	Layer  string // of codes, if it rests on one
	Count  int
	Since  Stamp
	Until  Stamp
	Events []link // the records it comes from, newest first
	Place  *link  // where it can be seen, if it is no record
}

// evidence puts the weights of a candidate into lines, in their order. Times are
// in the zone of the terminal, wherever a finding has them from.
func (c *console) evidence(q *request, d *diagnosis.Diagnosis, list []diagnosis.Weight, loc *time.Location) []evidence {
	out := make([]evidence, 0, len(list))
	for i := range list {
		f := list[i].Finding
		e := evidence{
			Text: c.Base.Describe(string(f.Kind), f.Code, c.Acquirer).In(q.code), Detail: f.Detail, Layer: q.layer(list[i].Layer),
			Count: f.Count, Since: stamp(in(f.Since, loc), q.now), Until: stamp(in(f.Until, loc), q.now),
		}
		if f.Kind == finding.HostOrderIgnored {
			e.Detail = q.T("order." + f.Detail)
		}
		newest := slices.Clone(f.Events)
		slices.SortFunc(newest, func(a, b terminal.EventID) int { return cmp.Compare(b, a) })
		for _, id := range firstOf(slices.Compact(newest), shownEvents) {
			e.Events = append(e.Events, link{id.String(), eventURL(id)})
		}
		if len(e.Events) == 0 {
			e.Place = q.place(f.Kind, d.Merchant)
		}
		out = append(out, e)
	}
	return out
}

func in(t time.Time, loc *time.Location) time.Time {
	if t.IsZero() {
		return t
	}
	return t.In(loc)
}

// place gives where a finding that comes from no single record can be seen: other
// terminals in the list, and what is told from the sum of records in the table of
// facts.
func (t *tongue) place(kind finding.Kind, shop estate.MerchantID) *link {
	switch kind { //nolint:exhaustive // the rest are findings about this terminal alone
	case finding.WholeShop, finding.OnlyThisTerminal:
		return &link{t.T("evidence.shop"), merchantURL(shop)}
	case finding.OthersTrade, finding.IssuerDown, finding.HostSlow, finding.HostErrors, finding.ManyFormatRejected, finding.ManyCutover:
		return &link{t.T("evidence.fleet"), "/terminals"}
	}
	return &link{t.T("evidence.state"), "#state"}
}
