// SPDX-License-Identifier: Apache-2.0

// Package app wires the parts into a service and starts and stops it.
//
// # Order
//
// Payments come first. All ports are bound before anything starts, the gateway is
// the first part that runs and the last that is stopped, and nothing behind the
// tap can keep it from starting: if the journal cannot be opened or the pages' port
// is taken, payments are forwarded, what the tap sees is counted as not recorded,
// and both are tried again. So a new process can take over from one that still
// drains. Stopping drains the gateway, records what it saw, saves the states, and
// only then lets go.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tillmend/tillmend/internal/card"
	"github.com/tillmend/tillmend/internal/console"
	"github.com/tillmend/tillmend/internal/diagnosis"
	"github.com/tillmend/tillmend/internal/estate"
	"github.com/tillmend/tillmend/internal/explain"
	"github.com/tillmend/tillmend/internal/gateway"
	"github.com/tillmend/tillmend/internal/journal"
	"github.com/tillmend/tillmend/internal/knowledge"
	"github.com/tillmend/tillmend/internal/pipeline"
	"github.com/tillmend/tillmend/internal/tap"
	"github.com/tillmend/tillmend/internal/terminal"
)

// retryAfter is the time between tries to open or follow the journal, and to bind
// the pages' port.
const retryAfter = 10 * time.Second

// App is the service. New binds, Run serves.
type App struct {
	cfg      *Config
	log      *slog.Logger
	base     *knowledge.Base
	gateway  *gateway.Gateway
	recorder *recorder
	follower *follower
	pages    atomic.Pointer[net.Listener] // nil while the port is taken
	handler  http.Handler
	retry    time.Duration
	started  time.Time

	journal atomic.Pointer[journal.Journal] // nil while it cannot be opened
	fault   atomic.Pointer[string]          // why not
}

// New makes the service and binds all its ports. Demo marks its pages as showing
// made-up data.
func New(cfg *Config, log *slog.Logger, demo bool) (_ *App, err error) {
	a := &App{cfg: cfg, log: log, started: time.Now(), retry: retryAfter}
	if a.base, err = LoadKnowledge(cfg.path(cfg.Knowledge)); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		log.Error("nothing can be recorded", "reason", err) // opening the journal says so again, and tries again
	}
	a.recorder = newRecorder(cfg.Gateway.Queue, log)
	a.follower = &follower{
		engine: pipeline.New(a.base, cfg.Acquirer), path: filepath.Join(cfg.Data, snapshotName), log: log, watch: &watchers{},
	}
	a.follower.restore()
	a.handler, err = console.New(console.Options{
		Source: a, Base: a.base, Explain: explain.New(a.base), Acquirer: cfg.Acquirer, Demo: demo, Log: log,
	})
	if err != nil {
		return nil, err
	}
	return a, a.listen()
}

// LoadKnowledge gives the shipped knowledge with an operator's folder laid over
// it; an empty path is no folder.
func LoadKnowledge(path string) (*knowledge.Base, error) {
	if path == "" {
		return knowledge.Default()
	}
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("knowledge: %w", err)
	}
	return knowledge.Load(os.DirFS(path))
}

// listen binds the gateway's ports and the pages' port.
func (a *App) listen() error {
	cards, byListener := card.NewCounter(), taps{}
	for _, l := range a.cfg.Gateway.Listeners {
		d, _ := a.cfg.dialect(l.Dialect) // validated with the configuration
		byListener[l.Name] = tapFor{tap: tap.New(d, cards), queue: a.recorder.queue, opaque: l.Mode == string(gateway.ModeTLSPassthrough)}
	}
	g, err := gateway.New(a.cfg.gateway(), byListener, a.log)
	if err != nil {
		return err
	}
	if err := g.Listen(); err != nil {
		return err
	}
	a.gateway = g
	ln, err := net.Listen("tcp", a.cfg.Console.Listen)
	if err != nil {
		a.log.Error("there are no pages yet; payments go on", "reason", err, "again_in", a.retry)
		return nil
	}
	a.pages.Store(&ln)
	return nil
}

// Pages is the address of the pages, nil while their port is taken.
func (a *App) Pages() net.Addr {
	if ln := a.pages.Load(); ln != nil {
		return (*ln).Addr()
	}
	return nil
}

// Gateway is the address of a listener.
func (a *App) Gateway(listener string) net.Addr { return a.gateway.Addr(listener) }

// Engine gives the states and diagnoses.
func (a *App) Engine() *pipeline.Engine { return a.follower.engine }

// Run serves until ctx ends, then stops in order. An error of the gateway ends it;
// the other parts only log theirs.
func (a *App) Run(ctx context.Context) error {
	behind, stopBehind := context.WithCancel(context.WithoutCancel(ctx))
	defer stopBehind()
	var wg sync.WaitGroup
	wg.Go(func() { a.servePages(behind) })
	recording := make(chan struct{})
	recordCtx, stopRecording := context.WithCancel(behind)
	defer stopRecording()
	wg.Go(func() {
		defer close(recording)
		a.record(recordCtx, behind, &wg)
	})

	serving := make(chan error, 1)
	wg.Go(func() { serving <- a.gateway.Serve(behind) })
	a.log.InfoContext(ctx, "serving", "pages", a.cfg.Console.Listen, "terminals", a.cfg.Gateway.Listeners[0].Listen)
	var err error
	select {
	case err = <-serving:
	case <-ctx.Done():
		a.log.InfoContext(ctx, "draining", "timeout", a.cfg.Gateway.DrainTimeout)
		drain, cancel := context.WithTimeout(behind, a.cfg.Gateway.DrainTimeout)
		err = a.gateway.Drain(drain)
		cancel()
		err = errors.Join(err, <-serving)
	}
	stopRecording()
	<-recording
	stopBehind()
	wg.Wait()
	return errors.Join(err, a.closeJournal())
}

// record opens the journal, trying again while that fails, then records and
// follows it until ctx ends. The follower lives in behind.
func (a *App) record(ctx, behind context.Context, wg *sync.WaitGroup) {
	j := a.openJournal(ctx)
	if j == nil {
		return
	}
	wg.Go(func() {
		retry := time.NewTicker(a.retry)
		defer retry.Stop()
		a.follower.runAlways(behind, j, retry.C)
	})
	wg.Go(func() {
		survey, save := time.NewTicker(a.cfg.Engine.SurveyInterval), time.NewTicker(a.cfg.Engine.SnapshotInterval)
		defer survey.Stop()
		defer save.Stop()
		a.follower.keep(behind, survey.C, save.C)
	})
	ticks := time.NewTicker(pairInterval)
	defer ticks.Stop()
	a.recorder.run(ctx, j, a.cfg.Gateway.AnswerTimeout, ticks.C)
}

// openJournal gives nil only when ctx ends before the journal could be opened.
func (a *App) openJournal(ctx context.Context) *journal.Journal {
	retry := time.NewTicker(a.retry)
	defer retry.Stop()
	for {
		j, err := journal.Open(ctx, a.cfg.journal(), a.log)
		if err == nil {
			a.journal.Store(j)
			a.fault.Store(nil)
			return j
		}
		text := err.Error()
		a.fault.Store(&text)
		a.follower.watch.notify()
		a.log.ErrorContext(ctx, "the journal cannot be opened; payments go on and are not recorded", "reason", err, "again_in", a.retry)
		select {
		case <-retry.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// closeJournal saves the states and closes the journal.
func (a *App) closeJournal() error {
	j := a.journal.Load()
	if j == nil {
		return nil
	}
	return errors.Join(a.follower.save(), j.Close())
}

// bindPages waits until the pages have a port; nil means that ctx has ended.
func (a *App) bindPages(ctx context.Context) net.Listener {
	retry := time.NewTicker(a.retry)
	defer retry.Stop()
	for a.pages.Load() == nil {
		select {
		case <-retry.C:
		case <-ctx.Done():
			return nil
		}
		if ln, err := new(net.ListenConfig).Listen(ctx, "tcp", a.cfg.Console.Listen); err == nil {
			a.pages.Store(&ln)
			a.log.InfoContext(ctx, "the pages are there", "pages", ln.Addr())
		}
	}
	ln := *a.pages.Load()
	if ap, ok := ln.Addr().(*net.TCPAddr); ok && !ap.IP.IsLoopback() {
		a.log.WarnContext(ctx, "the pages have no sign-in and can be reached from outside this machine", "pages", ap)
	}
	return ln
}

// servePages serves the console until ctx ends.
func (a *App) servePages(ctx context.Context) {
	ln := a.bindPages(ctx)
	if ln == nil {
		return
	}
	srv := console.NewServer(ctx, a.handler)
	stop := context.AfterFunc(ctx, func() {
		if err := srv.Close(); err != nil {
			a.log.WarnContext(ctx, "pages", "reason", err)
		}
	})
	defer stop()
	if err := srv.Serve(ln); err != nil && !errors.Is(err, http.ErrServerClosed) {
		a.log.ErrorContext(ctx, "the pages have stopped; payments go on", "reason", err)
	}
}

// Terminals implements console.Source.
func (a *App) Terminals() []diagnosis.Diagnosis { return a.Engine().DiagnoseAll(time.Now()) }

// Terminal implements console.Source.
func (a *App) Terminal(id estate.TerminalID) (diagnosis.Diagnosis, terminal.State, bool) {
	s, ok := a.Engine().State(id)
	if !ok {
		return diagnosis.Diagnosis{}, s, false
	}
	d, ok := a.Engine().Diagnose(id, time.Now())
	return d, s, ok
}

// Event implements console.Source.
func (a *App) Event(ctx context.Context, id terminal.EventID) (terminal.Event, error) {
	j := a.journal.Load()
	if j == nil {
		return terminal.Event{}, console.ErrNoEvent
	}
	r, err := j.Get(ctx, journal.Position(id))
	if errors.Is(err, journal.ErrNotFound) {
		return terminal.Event{}, console.ErrNoEvent
	}
	if err != nil {
		return terminal.Event{}, err
	}
	return decodeEvent(&r)
}

// Watch implements console.Source.
func (a *App) Watch(ctx context.Context) <-chan struct{} { return a.follower.watch.add(ctx) }

// Health implements console.Source.
func (a *App) Health() console.Health {
	h := console.Health{Started: a.started, Recorded: a.recorder.recorded.Load(), Dropped: a.recorder.dropped()}
	for _, l := range a.gateway.Stats().Listeners {
		out := console.Listener{Name: l.Name, Open: l.Open}
		for _, host := range l.Hosts {
			out.Hosts = append(out.Hosts, console.Host{Name: host.Name, Address: host.Address, Failing: host.Failing})
		}
		h.Listeners = append(h.Listeners, out)
	}
	if fault := a.fault.Load(); fault != nil {
		h.Journal.Fault = *fault
	} else if fault := a.recorder.fault.Load(); fault != nil {
		h.Journal.Fault = *fault
	}
	if j := a.journal.Load(); j != nil {
		s := j.Stats()
		h.Journal.Position, h.Journal.Lag = fmt.Sprint(uint64(s.Last)), s.Lag
		_, h.Journal.Last = a.Engine().Position()
	}
	return h
}
