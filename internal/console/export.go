// SPDX-License-Identifier: Apache-2.0

package console

import (
	"encoding/csv"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tillmend/tillmend/internal/diagnosis"
	"github.com/tillmend/tillmend/internal/estate"
	"github.com/tillmend/tillmend/internal/knowledge"
)

// record is one terminal for machines. Its names are part of the interface.
type record struct {
	Terminal    estate.TerminalID    `json:"terminal"`
	Merchant    estate.MerchantID    `json:"merchant,omitempty"`
	Status      diagnosis.Status     `json:"status"`
	Since       time.Time            `json:"since,omitzero"`
	Cause       knowledge.CauseID    `json:"cause,omitempty"`
	Title       string               `json:"title,omitempty"` // of the cause, in the language of the request
	Confidence  diagnosis.Confidence `json:"confidence,omitempty"`
	Probability float64              `json:"probability,omitempty"`
	For         int                  `json:"for"`
	Against     int                  `json:"against"`
	Actor       knowledge.Actor      `json:"actor,omitempty"`
	Next        string               `json:"next,omitempty"`
	LastPayment time.Time            `json:"last_payment,omitzero"`
}

// records gives what a filter lets pass, on all its pages.
func (c *console) records(r *http.Request) []record {
	q := c.request(r)
	f, _ := readFilter(q.query, c.Base)
	list := []record{}
	for _, d := range f.apply(c.fleet.all()) {
		list = append(list, c.record(q, d))
	}
	return list
}

func (c *console) record(q *request, d *diagnosis.Diagnosis) record {
	r := record{
		Terminal: d.Terminal, Merchant: d.Merchant, Status: d.Status, Since: d.Since, Actor: turnOf(d), LastPayment: c.paid(d),
	}
	if top := d.Top(); top != nil && causeOf(d) != "" {
		r.Cause, r.Title, r.Probability = top.Cause.ID, top.Cause.Title.In(q.code), top.P
		r.Confidence = diagnosis.ConfidenceOf(top.P)
		r.For, r.Against, r.Next = len(top.For), len(top.Against), d.Next.Step.In(q.code)
	}
	return r
}

func (c *console) terminalsJSON(w http.ResponseWriter, r *http.Request) {
	c.writeJSON(w, c.records(r))
}

// terminalsCSV answers with the list as a file that spreadsheets open. It starts
// with the mark by which they know UTF-8.
func (c *console) terminalsCSV(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="terminals.csv"`)
	_, _ = w.Write([]byte("\uFEFF"))
	out := csv.NewWriter(w)
	_ = out.Write([]string{
		"terminal", "merchant", "status", "since", "cause", "title", "confidence", "probability", "for", "against", "actor", "next", "last_payment",
	})
	for _, x := range c.records(r) {
		_ = out.Write([]string{
			cell(string(x.Terminal)), cell(string(x.Merchant)), string(x.Status), moment(x.Since), string(x.Cause), x.Title,
			string(x.Confidence), strconv.FormatFloat(x.Probability, 'f', 3, 64), strconv.Itoa(x.For), strconv.Itoa(x.Against),
			string(x.Actor), x.Next, moment(x.LastPayment),
		})
	}
	out.Flush()
	if err := out.Error(); err != nil {
		c.Log.InfoContext(r.Context(), "console: export broken off", "request", numberOf(r), "err", err)
	}
}

// cell keeps a spreadsheet from taking what came over the wire for a formula.
func cell(text string) string {
	if strings.IndexAny(text, "=+-@\t\r") == 0 {
		return "'" + text
	}
	return text
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}
