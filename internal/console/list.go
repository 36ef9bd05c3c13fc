// SPDX-License-Identifier: Apache-2.0

package console

import (
	"strconv"
	"time"

	"github.com/tillmend/tillmend/internal/diagnosis"
	"github.com/tillmend/tillmend/internal/knowledge"
)

// pageRows is how many terminals a page of the list has. The whole list is never
// sent: a browser chokes on it long before a server does.
const pageRows = 50

// row is one terminal of a list.
type row struct {
	URL, Terminal string
	Merchant      string
	MerchantURL   string
	Status        diagnosis.Status
	Why           reason
	Sure          string // how sure, as a word
	Turn          knowledge.Actor
	Since         Stamp
	Lasting       string
	Paid          Stamp // last approved payment
}

// row makes one terminal ready to be shown. It asks for the state, so it is made
// only of those that are.
func (c *console) row(q *request, d *diagnosis.Diagnosis) row {
	r := row{
		URL: terminalURL(d.Terminal), Terminal: string(d.Terminal), Merchant: string(d.Merchant), Status: d.Status,
		Why: q.reason(d), Turn: turnOf(d), Since: stamp(d.Since, q.now), Paid: stamp(c.paid(d), q.now),
	}
	if d.Merchant != "" {
		r.MerchantURL = merchantURL(d.Merchant)
	}
	if needsHelp(d) {
		r.Lasting = q.lasting(d.Since, q.now)
		if d.Known() {
			r.Sure = q.T("confidence." + diagnosis.ConfidenceOf(d.Top().P).String())
		}
	}
	return r
}

// paid gives when a terminal last had a payment approved, in its own zone.
func (c *console) paid(d *diagnosis.Diagnosis) time.Time {
	_, s, ok := c.Source.Terminal(d.Terminal)
	if !ok {
		return time.Time{}
	}
	return s.Approval.Time(s.Location())
}

// column is a heading of the list.
type column struct {
	Key, Title, URL string
	Sort            string // for aria-sort; empty: not sorted by it
	Arrow           string
}

// choice is one value of a filter that can be turned on and off.
type choice struct {
	Value, Text, URL string
	Mark             diagnosis.Status
	Count            int
	On               bool
}

// listBody is what the list of terminals shows.
type listBody struct {
	Filter      filter
	Rows        []row
	Columns     []column
	Statuses    []choice
	Chosen      []choice // conditions that are on, each with the address without it
	Clear       string
	Total, All  int
	From, To    int
	Page, Pages int
	Prev, Next  string
	CSV, JSON   string
	Nearest     []choice // when nothing passes: each condition to drop, and what then passes
}

func (c *console) terminals(q *request) (*page, error) {
	f, ignored := readFilter(q.query, c.Base)
	all := c.fleet.all()
	list := f.apply(all)
	b := listBody{Filter: f, Total: len(list), All: len(all), Pages: max(1, (len(list)+pageRows-1)/pageRows)}
	f.Page = min(f.Page, b.Pages)
	b.Page = f.Page
	b.From = min((f.Page-1)*pageRows+1, len(list))
	b.To = min(f.Page*pageRows, len(list))
	for _, d := range list[max(0, b.From-1):b.To] {
		b.Rows = append(b.Rows, c.row(q, d))
	}
	if f.Page > 1 {
		b.Prev = f.on(f.Page - 1).at("/terminals")
	}
	if f.Page < b.Pages {
		b.Next = f.on(f.Page + 1).at("/terminals")
	}
	b.Columns = q.columns(f)
	b.Statuses = q.statusChoices(f, all)
	b.Chosen = c.conditions(q, f)
	b.Clear = filter{Sort: f.Sort, Down: f.Down, Page: 1}.at("/terminals")
	b.CSV, b.JSON = f.on(1).at("/terminals.csv"), f.on(1).at("/terminals.json")
	if len(list) == 0 {
		for _, on := range b.Chosen {
			less := f.without(on.Value)
			on.URL, on.Count = less.at("/terminals"), len(less.apply(all))
			if on.Count > 0 {
				b.Nearest = append(b.Nearest, on)
			}
		}
	}
	p := &page{Template: "terminals", Title: q.T("terminals.title"), Nav: "terminals", Live: true, Body: b, Search: f.Q}
	for _, what := range ignored {
		p.Notices = append(p.Notices, q.T("notice.ignored", "What", what))
	}
	return p, nil
}

// columns are the headings; each leads to the list sorted by it.
func (t *tongue) columns(f filter) []column {
	var list []column
	add := func(key string, sorted bool) {
		col := column{Key: key, Title: t.T("column." + key)}
		if sorted {
			col.URL = f.by(key).at("/terminals")
		}
		if sorted && f.Sort == key {
			col.Sort, col.Arrow = "ascending", "▲"
			if f.Down {
				col.Sort, col.Arrow = "descending", "▼"
			}
		}
		list = append(list, col)
	}
	for _, key := range [...]string{"status", "terminal", "merchant", "cause", "actor", "since"} {
		add(key, true)
	}
	add("paid", false)
	return list
}

// statusChoices are the five statuses with their counts under the other
// conditions; each turns itself on or off.
func (t *tongue) statusChoices(f filter, all []diagnosis.Diagnosis) []choice {
	rest := f.without("status")
	counts := map[diagnosis.Status]int{}
	for i := range all {
		if rest.match(&all[i]) {
			counts[all[i].Status]++
		}
	}
	var list []choice
	for _, s := range diagnosis.Statuses {
		on := len(f.Status) > 0 && among(f.Status, s)
		to := f.without("status")
		for _, other := range f.Status {
			if other != s {
				to.Status = append(to.Status, other)
			}
		}
		if !on {
			to.Status = append(to.Status, s)
		}
		list = append(list, choice{
			Value: string(s), Text: t.T("status." + string(s)), URL: to.at("/terminals"), Mark: s, Count: counts[s], On: on,
		})
	}
	return list
}

// conditions are those that are on, in words.
func (c *console) conditions(q *request, f filter) []choice {
	var list []choice
	add := func(name string, on bool, values []string) {
		if on {
			text := q.T("filter.is", "Name", q.T("filter."+name), "Values", q.list(values))
			list = append(list, choice{Value: name, Text: text, URL: f.without(name).at("/terminals"), On: true})
		}
	}
	var statuses, causes, turns []string
	for _, s := range f.Status {
		statuses = append(statuses, q.T("status."+string(s)))
	}
	for _, id := range f.Cause {
		cause, _ := c.Base.Cause(id) // the filter has only known ones
		causes = append(causes, cause.Title.In(q.code))
	}
	for _, a := range f.Actor {
		turns = append(turns, q.T("actor."+string(a)))
	}
	add("status", len(statuses) > 0, statuses)
	add("cause", len(causes) > 0, causes)
	add("actor", len(turns) > 0, turns)
	add("q", f.Q != "", []string{strconv.Quote(f.Q)})
	return list
}
