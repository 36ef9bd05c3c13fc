// SPDX-License-Identifier: Apache-2.0

// Package console is the web pages on which people read what Tillmend found out:
// which terminals cannot take money, why, who must act, what to do now, and from
// which records that is known.
//
// # Why it is built this way
//
// Pages are rendered on the server with html/template and are complete without
// JavaScript. Two small modules add to that: one replaces the main region when
// something changes ([Source.Watch]), one gives the keyboard. Nothing is loaded
// from elsewhere, and nothing needs to be built.
//
// # Promises
//
//   - The address holds everything: filters, order and page of a list can be sent
//     to a colleague, and the same filter gives CSV and JSON.
//   - A status is a shape and a word; colour comes third.
//   - Every piece of evidence links to the very record it speaks of.
//   - The console only reads. It answers GET and HEAD, nothing else.
//
// It does not ask who reads: whoever serves it decides from where it can be reached.
package console

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/tillmend/tillmend/internal/diagnosis"
	"github.com/tillmend/tillmend/internal/estate"
	"github.com/tillmend/tillmend/internal/explain"
	"github.com/tillmend/tillmend/internal/knowledge"
	"github.com/tillmend/tillmend/internal/terminal"
)

// ErrNoEvent is what [Source.Event] gives for an event that is not, or no longer,
// on record.
var ErrNoEvent = errors.New("console: no such event")

// Source is what the console reads. All methods may be called at once by many.
type Source interface {
	// Terminals gives one diagnosis for each terminal, in any order. It is called
	// at most once a second, however many pages are open.
	Terminals() []diagnosis.Diagnosis
	// Terminal gives the diagnosis and the state of one terminal; ok is false if
	// it was never seen.
	Terminal(id estate.TerminalID) (d diagnosis.Diagnosis, s terminal.State, ok bool)
	// Event gives a record; [ErrNoEvent], which may be wrapped, if there is none.
	Event(ctx context.Context, id terminal.EventID) (terminal.Event, error)
	// Watch gives a channel that receives when something has changed, with many
	// changes in one; it is closed once ctx ends.
	Watch(ctx context.Context) <-chan struct{}
	// Health gives the figures of the parts behind the console.
	Health() Health
}

// Options are what a console is made of.
type Options struct {
	Source  Source           // what is shown; required
	Base    *knowledge.Base  // the words for causes, findings and codes; required
	Explain *explain.Index   // answers questions in words; required
	Now     func() time.Time // the clock, and the zone of pages that are about no terminal; time.Now if nil
	// Acquirer chooses the layer of response codes, as in [diagnosis.Diagnose]; it may be empty.
	Acquirer string
	Demo     bool         // says on every page that the data are made up
	Log      *slog.Logger // failed requests, with their numbers; slog.Default if nil
}

// Limits of a server of the console.
const (
	headerTimeout   = 5 * time.Second   // a header is a few hundred bytes
	readTimeout     = 10 * time.Second  // there is no body to wait for
	writeTimeout    = 30 * time.Second  // the largest export over a slow line; streams renew it
	idleTimeout     = 120 * time.Second // longer than the pause between two looks at a page
	maxHeaderBytes  = 16 << 10          // cookies and a long filter
	maxAddressBytes = 4 << 10           // longest path and query that is answered
)

// NewServer gives a server for the console with limits on all that a client can
// use up. Requests and event streams end when ctx does: cancel it before Shutdown,
// which waits for them.
func NewServer(ctx context.Context, h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
}

// console serves the pages.
type console struct {
	Options
	catalog *catalog
	views   map[string]*view // by language
	assets  *assets
	fleet   fleet
	streams chan struct{} // one token for each open stream
}

// New gives the handler of the console.
func New(o Options) (http.Handler, error) {
	switch {
	case o.Source == nil:
		return nil, errors.New("console: Options.Source is nil; expected where diagnoses come from")
	case o.Base == nil:
		return nil, errors.New("console: Options.Base is nil; expected a knowledge base")
	case o.Explain == nil:
		return nil, errors.New("console: Options.Explain is nil; expected an index of the base")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	c := &console{Options: o, streams: make(chan struct{}, maxStreams), views: map[string]*view{}, fleet: fleet{source: o.Source}}
	var err error
	if c.assets, err = loadAssets(); err != nil {
		return nil, fmt.Errorf("console: assets: %w", err)
	}
	if c.catalog, err = loadCatalog(); err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	for _, lang := range languages {
		if c.views[lang], err = loadView(c.catalog.in(lang), c.assets); err != nil {
			return nil, fmt.Errorf("console: templates: %w", err)
		}
	}
	return c.guard(c.routes()), nil
}

// routes is the map of the site.
func (c *console) routes() http.Handler {
	mux := http.NewServeMux()
	page := func(pattern string, h pageFunc) { mux.Handle("GET "+pattern, c.page(h)) }
	page("/{$}", c.overview)
	page("/terminals", c.terminals)
	page("/terminals/{id}", c.terminal)
	page("/events/{id}", c.event)
	page("/explain", c.explain)
	page("/", c.lost)
	mux.HandleFunc("GET /terminals.csv", c.terminalsCSV)
	mux.HandleFunc("GET /terminals.json", c.terminalsJSON)
	mux.HandleFunc("GET /live", c.live)
	mux.HandleFunc("GET /health", c.health)
	mux.HandleFunc("GET /healthz", c.alive)
	mux.Handle("GET /assets/", c.assets)
	return mux
}
