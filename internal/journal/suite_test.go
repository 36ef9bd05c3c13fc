// SPDX-License-Identifier: Apache-2.0

package journal_test

import (
	"cmp"
	"log/slog"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/tillmend/tillmend/internal/journal"
	"github.com/tillmend/tillmend/internal/journal/journaltest"
)

// openLog opens a journal that closes with the test.
func openLog(t *testing.T, cfg journal.Config) journaltest.Log {
	t.Helper()
	j, err := journal.Open(t.Context(), cfg, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return j
}

func TestEmbedded(t *testing.T) {
	journaltest.Run(t, func(t *testing.T) journaltest.Log {
		return openLog(t, journal.Config{Dir: t.TempDir()})
	})
}

func TestFast(t *testing.T) {
	journaltest.Run(t, func(t *testing.T) journaltest.Log {
		return openLog(t, journal.Config{Dir: t.TempDir(), Durability: journal.Fast})
	})
}

// TestExternal runs the same suite against a server with a listener, as an
// operator would run it.
func TestExternal(t *testing.T) {
	journaltest.Run(t, func(t *testing.T) journaltest.Log {
		return openLog(t, journal.Config{URL: externalServer(t, &server.Options{})})
	})
}

// externalServer starts a NATS server with JetStream on a free local port.
func externalServer(t *testing.T, opts *server.Options) string {
	t.Helper()
	return startServer(t, opts).ClientURL()
}

// startServer is externalServer for who wants to stop it. The port and the
// directory of opts are kept when they are set.
func startServer(t *testing.T, opts *server.Options) *server.Server {
	t.Helper()
	opts.Host, opts.Port = "127.0.0.1", cmp.Or(opts.Port, server.RANDOM_PORT)
	opts.JetStream, opts.StoreDir = true, cmp.Or(opts.StoreDir, t.TempDir())
	opts.NoSigs, opts.NoLog = true, true
	s, err := server.NewServer(opts)
	if err != nil {
		t.Fatal(err)
	}
	go s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(readyTimeout) {
		t.Fatal("the server did not start")
	}
	return s
}
