// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// Limits of the embedded server.
const (
	lockName       = "LOCK"
	serverName     = "tillmend-journal"
	maxServerStart = time.Minute        // for the connections; reading the store back happens before
	maxServerMem   = 64 << 20           // memory streams: only readers' cursors live there
	maxServerStore = math.MaxInt64 >> 1 // bytes; the reserve of free space and MaxBytes are our limits, not a guess at start-up
)

// engine is the server inside this process. It holds the directory's lock.
type engine struct {
	server *server.Server
	store  server.JetStreamConfig
	lock   *os.File
}

// startEngine locks the directory and starts a server on it that listens nowhere.
func startEngine(cfg Config, log *slog.Logger) (*engine, error) {
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory: %w", err)
	}
	lock, err := lockFile(filepath.Join(cfg.Dir, lockName))
	if err != nil {
		return nil, err
	}
	e := &engine{lock: lock}
	if err := e.start(cfg, log); err != nil {
		e.stop()
		return nil, fmt.Errorf("start the embedded server in %s: %w", cfg.Dir, err)
	}
	return e, nil
}

// start builds and starts the server.
func (e *engine) start(cfg Config, log *slog.Logger) (err error) {
	opts := &server.Options{
		ServerName:         serverName,
		DontListen:         true,
		NoSigs:             true,
		JetStream:          true,
		StoreDir:           cfg.Dir,
		JetStreamMaxMemory: maxServerMem,
		JetStreamMaxStore:  maxServerStore,
		SyncInterval:       fastSyncInterval,
		SyncAlways:         cfg.Durability == Fsync,
	}
	e.store = server.JetStreamConfig{
		StoreDir:     opts.StoreDir,
		MaxMemory:    opts.JetStreamMaxMemory,
		MaxStore:     opts.JetStreamMaxStore,
		SyncInterval: opts.SyncInterval,
		SyncAlways:   opts.SyncAlways,
		Strict:       true,
		CompressOK:   true,
	}
	if e.server, err = server.NewServer(opts); err != nil {
		return err
	}
	logger := &serverLog{log: log}
	e.server.SetLoggerV2(logger, false, false, false)
	e.server.Start() // returns, because nothing listens
	if err := logger.fatal(); err != nil {
		return err
	}
	if !e.server.ReadyForConnections(maxServerStart) {
		return fmt.Errorf("it was not ready after %v", maxServerStart)
	}
	return nil
}

// restart closes the store and opens it anew. Connections stay; readers find
// their place again.
func (e *engine) restart() error {
	if err := e.server.ShutdownJetStream(); err != nil {
		return fmt.Errorf("close the store: %w", err)
	}
	store := e.store
	if err := e.server.EnableJetStream(&store); err != nil {
		return fmt.Errorf("open the store: %w", err)
	}
	return nil
}

// stop ends the server and releases the directory.
func (e *engine) stop() {
	if e.server != nil {
		e.server.Shutdown()
		e.server.WaitForShutdown()
	}
	unlockFile(e.lock)
}

// serverLog hands the server's log lines to slog. What the server calls a notice
// is of interest only to people who look for trouble.
type serverLog struct {
	log *slog.Logger

	mu    sync.Mutex
	cause error // the first fatal line; the server itself only returns
}

// Noticef logs at level debug.
func (l *serverLog) Noticef(format string, v ...any) { l.log.Debug(line(format, v)) }

// Warnf logs at level warning.
func (l *serverLog) Warnf(format string, v ...any) { l.log.Warn(line(format, v)) }

// Errorf logs at level error.
func (l *serverLog) Errorf(format string, v ...any) { l.log.Error(line(format, v)) }

// Fatalf logs at level error and remembers the line for fatal.
func (l *serverLog) Fatalf(format string, v ...any) {
	l.log.Error(line(format, v))
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cause == nil {
		l.cause = errors.New(line(format, v))
	}
}

// Debugf drops the line: debugging of the server is never switched on.
func (l *serverLog) Debugf(string, ...any) {}

// Tracef drops the line: it could contain payloads.
func (l *serverLog) Tracef(string, ...any) {}

// fatal is the first fatal line, as an error.
func (l *serverLog) fatal() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cause
}

// line formats one line of the server's log.
func line(format string, v []any) string {
	return "journal server: " + strings.TrimSpace(fmt.Sprintf(format, v...))
}
