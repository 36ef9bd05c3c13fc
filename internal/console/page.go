// SPDX-License-Identifier: Apache-2.0

package console

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"time"
)

//go:embed templates/*.html
var templateFiles embed.FS

// view is the templates in one language.
type view struct {
	*template.Template
}

// loadView parses the templates with the words of one language.
func loadView(t *tongue, a *assets) (*view, error) {
	root, err := template.New("").Funcs(template.FuncMap{
		"t":     t.T,
		"asset": func(name string) string { return a.address[name] },
		"n":     func(n int) string { return thousands(n) },
		"mark":  markOf,
		"list":  t.list,
	}).ParseFS(templateFiles, "templates/*.html")
	return &view{root}, err
}

// request is one question of a reader, with what every page needs to answer it.
type request struct {
	*http.Request
	*tongue
	asked bool // the address names a language
	query url.Values
	now   time.Time
}

func (c *console) request(r *http.Request) *request {
	q := &request{Request: r, query: r.URL.Query(), now: c.Now()}
	q.tongue, q.asked = c.catalog.choose(r)
	return q
}

// page is what a page function gives to be shown.
type page struct {
	Template string // the name of the template of the main region
	Title    string
	Nav      string // the entry of the navigation that is current, if any
	Status   int    // of the answer; 0 is 200
	Redirect string // where to go instead
	Search   string // what stands in the search field
	Notices  []string
	Live     bool // renewed when something changes
	Body     any
}

// frame is what the templates get.
type frame struct {
	*page
	Lang, OtherLang, OtherURL string
	Clock                     string
	Demo                      bool
}

// pageFunc makes a page.
type pageFunc func(*request) (*page, error)

// errLost is the error of a page that does not exist; lost makes the page for it.
var errLost = errors.New("console: no such page")

// page makes a handler of a page function.
func (c *console) page(make pageFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), pageTimeout)
		defer cancel()
		q := c.request(r.WithContext(ctx))
		p, err := make(q)
		if errors.Is(err, errLost) {
			p, err = c.lost(q)
		}
		switch {
		case errors.Is(err, context.Canceled):
			return // nobody waits for the answer
		case errors.Is(err, context.DeadlineExceeded):
			c.Log.ErrorContext(ctx, "console: page took too long", "request", numberOf(r), "path", r.URL.Path, "err", err)
			c.fail(w, r, http.StatusGatewayTimeout)
		case err != nil:
			c.Log.ErrorContext(ctx, "console: page failed", "request", numberOf(r), "path", r.URL.Path, "err", err)
			c.fail(w, r, http.StatusInternalServerError)
		case p.Redirect != "":
			http.Redirect(w, r, p.Redirect, http.StatusSeeOther)
		default:
			c.write(w, q, p)
		}
	})
}

// write answers with a page, or with its main region alone if the request asks
// for the fragment.
func (c *console) write(w http.ResponseWriter, q *request, p *page) {
	f := frame{
		page: p, Lang: q.code, OtherLang: q.other(), OtherURL: withQuery(q.URL, "lang", q.other()),
		Clock: q.now.Format(time.TimeOnly), Demo: c.Demo,
	}
	name := "page"
	if q.query.Get("fragment") == "1" {
		name = "main"
	}
	// The template of the body is chosen by name, which {{template}} cannot do.
	var body, out bytes.Buffer
	views := c.views[q.code]
	if err := views.ExecuteTemplate(&body, p.Template, f); err != nil {
		c.broken(w, q.Request, err)
		return
	}
	if err := views.ExecuteTemplate(&out, name, struct {
		frame
		Main template.HTML
	}{f, template.HTML(body.String())}); err != nil { //nolint:gosec // made by a template, escaped there
		c.broken(w, q.Request, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", q.code)
	h.Add("Vary", "Accept-Language, Cookie")
	if q.asked {
		remember(w, q.tongue)
	}
	if p.Status != 0 {
		w.WriteHeader(p.Status)
	}
	_, _ = out.WriteTo(w) // the client is gone if this fails
}

// broken answers when a template itself fails, which the tests of all pages exclude.
func (c *console) broken(w http.ResponseWriter, r *http.Request, err error) {
	c.Log.ErrorContext(r.Context(), "console: template failed", "request", numberOf(r), "path", r.URL.Path, "err", err)
	http.Error(w, "internal error, request "+numberOf(r), http.StatusInternalServerError)
}

// withQuery gives the address of u with one parameter set, or removed if the
// value is empty, and without the mark of a fragment.
func withQuery(u *url.URL, name, value string) string {
	q := u.Query()
	q.Del("fragment")
	if value == "" {
		q.Del(name)
	} else {
		q.Set(name, value)
	}
	if len(q) == 0 {
		return u.EscapedPath()
	}
	return u.EscapedPath() + "?" + q.Encode()
}

// lost is the page for an address that does not exist, with the search ready for
// what was in it.
func (c *console) lost(q *request) (*page, error) {
	what := q.PathValue("id")
	body := lostBody{What: what}
	if what != "" {
		body.Similar = c.similar(what)
	}
	return &page{Template: "lost", Status: http.StatusNotFound, Title: q.T("lost.title"), Search: what, Body: body}, nil
}

// lostBody is what the page for a missing address shows.
type lostBody struct {
	What    string
	Similar []link
}

// link is a text that leads somewhere.
type link struct{ Text, URL string }
