// SPDX-License-Identifier: Apache-2.0

package journal_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/tillmend/tillmend/internal/journal"
)

const readyTimeout = 20 * time.Second

func TestExternalRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		url  string
		want string
	}{
		"not there":       {"nats://127.0.0.1:1", "connect to the external NATS servers"},
		"small messages":  {externalServer(t, &server.Options{MaxPayload: 64 << 10}), "raise max_payload"},
		"wrong password":  {secured(t, "wrong"), "Authorization Violation"},
		"too few servers": {externalServer(t, &server.Options{}), "replicas"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := journal.Config{URL: c.url, Replicas: 3, Durability: journal.Replicated}
			j, err := journal.Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
			if err == nil {
				t.Fatal("Open succeeded", j.Close())
			}
			if !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "wrong") {
				t.Errorf("error %q, want %q and no password", err, c.want)
			}
		})
	}
}

// secured starts a server that wants a password and gives a URL with another one.
func secured(t *testing.T, password string) string {
	t.Helper()
	url := externalServer(t, &server.Options{Username: "journal", Password: "right"})
	return strings.Replace(url, "nats://", "nats://journal:"+password+"@", 1)
}

// TestExternalRestart takes the server away and brings it back: what was
// acknowledged is there, an entry that met no server is stored once, and a reader
// goes on.
func TestExternalRestart(t *testing.T) {
	opts := &server.Options{}
	s := startServer(t, opts)
	opts.Port = s.Addr().(*net.TCPAddr).Port // once more after the restart
	log := openLog(t, journal.Config{URL: s.ClientURL()})
	seen := make(chan string, 10)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		ended <- log.Follow(ctx, 0, func(r journal.Record) error { seen <- r.Key; return nil })
	}()
	if _, err := log.Append(t.Context(), journal.Entry{Key: "before"}); err != nil {
		t.Fatal(err)
	}
	s.Shutdown()
	s.WaitForShutdown()
	stored := make(chan error, 1)
	if err := log.AppendAsync(journal.Entry{Key: "meanwhile"}, func(_ journal.Position, err error) { stored <- err }); err != nil {
		t.Fatal(err)
	}
	if err := log.Read(t.Context(), 0, func(journal.Record) error { return nil }); err == nil || errors.Is(err, journal.ErrClosed) {
		t.Errorf("Read without a server = %v", err)
	}
	startServer(t, opts)
	if err := <-stored; err != nil {
		t.Fatalf("the entry that had to wait: %v", err)
	}
	if _, err := log.Append(t.Context(), journal.Entry{Key: "after"}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"before", "meanwhile", "after"} {
		if got := <-seen; got != want {
			t.Errorf("the reader got %q, want %q", got, want)
		}
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Follow = %v", err)
	}
}

// TestReplicated takes away one of three servers, and then a second one: with a
// majority nothing is lost and appending goes on, without one it is refused.
func TestReplicated(t *testing.T) {
	if testing.Short() {
		t.Skip("a cluster takes some seconds to elect its leaders")
	}
	servers := startCluster(t, 3)
	urls := make([]string, len(servers))
	for i, s := range servers {
		urls[i] = s.ClientURL()
	}
	log := openLog(t, journal.Config{
		URL: strings.Join(urls, ","), Replicas: 3, Durability: journal.Replicated,
	})
	acked := make(map[journal.Position]bool)
	appendSome := func() {
		for range 20 {
			at, err := log.Append(t.Context(), journal.Entry{Key: "T1"})
			if err != nil {
				t.Fatal(err)
			}
			acked[at] = true
		}
	}
	appendSome()
	servers[0].Shutdown()
	servers[0].WaitForShutdown()
	appendSome()
	found := 0
	err := log.Read(t.Context(), 0, func(r journal.Record) error {
		if acked[r.Position] {
			found++
		}
		return nil
	})
	if err != nil || found != len(acked) || len(acked) != 40 {
		t.Errorf("%d of %d acknowledged entries found, %v", found, len(acked), err)
	}
	servers[1].Shutdown()
	servers[1].WaitForShutdown()
	if at, err := log.Append(t.Context(), journal.Entry{Key: "T1"}); err == nil {
		t.Errorf("one of three servers acknowledged %v", at)
	}
}

// startCluster starts servers that know one another, and waits for their leader.
func startCluster(t *testing.T, n int) []*server.Server {
	t.Helper()
	var routes []*url.URL // every server must know all of them when it starts
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		routes = append(routes, &url.URL{Scheme: "nats", Host: l.Addr().String()})
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	var servers []*server.Server
	for i, r := range routes {
		port, err := strconv.Atoi(r.Port())
		if err != nil {
			t.Fatal(err)
		}
		servers = append(servers, startServer(t, &server.Options{
			ServerName: fmt.Sprintf("node-%d", i),
			Cluster:    server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: port},
			Routes:     routes,
		}))
	}
	ready := func() bool {
		led := false
		for _, s := range servers {
			led = led || s.JetStreamIsLeader() && len(s.JetStreamClusterPeers()) == n
		}
		return led
	}
	for tick := time.NewTicker(10 * time.Millisecond); !ready(); {
		<-tick.C
	}
	return servers
}
