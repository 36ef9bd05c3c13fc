// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tillmend/tillmend/internal/card"
	"github.com/tillmend/tillmend/internal/estate"
	"github.com/tillmend/tillmend/internal/finding"
	"github.com/tillmend/tillmend/internal/journal"
	"github.com/tillmend/tillmend/internal/pipeline"
	"github.com/tillmend/tillmend/internal/tap"
	"github.com/tillmend/tillmend/internal/terminal"
	"github.com/tillmend/tillmend/internal/txn"
	"github.com/tillmend/tillmend/iso8583"
)

// judging counts the events that have been judged, and judges each.
type judging struct {
	*journal.Journal
	engine *pipeline.Engine
	seen   int
	want   int
	all    chan struct{}
}

func (g *judging) Follow(ctx context.Context, after journal.Position, fn func(journal.Record) error) error {
	return g.Journal.Follow(ctx, after, func(r journal.Record) error {
		if err := fn(r); err != nil {
			return err
		}
		s, _ := g.engine.State(estate.TerminalID(r.Key))
		at := s.Last.Time(time.UTC)
		_ = finding.Detect(&s, at)
		if g.seen++; g.seen == g.want {
			close(g.all)
		}
		return nil
	})
}

// BenchmarkTapToFindings takes sales as bytes through tap, pairing, journal (synced
// to disk), state and findings. Its unit is one attempt: request and answer.
func BenchmarkTapToFindings(b *testing.B) {
	const terminals = 1000
	log := slog.New(slog.DiscardHandler)
	dir := b.TempDir()
	j, err := journal.Open(b.Context(), journal.Config{Dir: filepath.Join(dir, "journal"), MinFreeBytes: -1}, log)
	if err != nil {
		b.Fatal(err)
	}
	defer j.Close() //nolint:errcheck // the end of the benchmark
	f := &follower{engine: pipeline.New(testBase(b), ""), path: filepath.Join(dir, snapshotName), log: log, watch: &watchers{}}
	g := &judging{Journal: j, engine: f.engine, want: b.N, all: make(chan struct{})}
	rec := newRecorder(1<<14, log)
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	tp := tap.New(upos(b), card.NewCounter())
	streams, requests, answers := make([]*tap.Stream, terminals), make([][]byte, terminals), make([][]byte, terminals)
	for i := range terminals {
		streams[i] = tp.Open(fmt.Sprintf("10.0.%d.%d:4000", i/250, i%250), "", func(l txn.Leg) {
			for !rec.queue.Offer(item{leg: &l}) {
				runtime.Gosched()
			}
		})
		requests[i], answers[i] = salePair(b, i)
	}
	b.ResetTimer()
	go rec.run(ctx, j, 0, nil)
	go f.run(ctx, g) //nolint:errcheck // ends with the benchmark
	at := time.Now()
	for n := range b.N {
		i := n % terminals
		streams[i].Data(txn.ToHost, at, requests[i])
		streams[i].Data(txn.ToTerminal, at, answers[i])
	}
	<-g.all
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "attempts/s")
}

func salePair(b *testing.B, i int) (request, answer []byte) {
	b.Helper()
	f := map[int]string{
		2: testPANs["a"], 3: "000000", 4: "000000003600", 11: fmt.Sprintf("%06d", i+1), 22: "051", 25: "00",
		41: fmt.Sprintf("T%07d", i), 42: "898000000000001", 49: "156", 60: "2200000100050", 64: "3531443837343145",
	}
	request = encode(b, iso8583.Draft{MTI: "0200", Fields: f, TPDU: "6000050000", Header: "603100311108"})
	f[12], f[13], f[37], f[39], f[44] = "101500", "0603", "000000000001", "00", fmt.Sprintf("%-22s", "01020000")
	answer = encode(b, iso8583.Draft{MTI: "0210", Fields: f, TPDU: "6000000005", Header: "603100311108"})
	return request, answer
}

func encode(b *testing.B, d iso8583.Draft) []byte {
	b.Helper()
	frame, err := d.Encode(upos(b))
	if err != nil {
		b.Fatal(err)
	}
	return frame
}

// BenchmarkApplyAndDiagnose is one event through the state, and a diagnosis.
func BenchmarkApplyAndDiagnose(b *testing.B) {
	base := testBase(b)
	r := NewReplay(base, upos(b), "")
	s := &script{di: upos(b), r: r, last: map[string]map[string]string{}}
	for line := range strings.Lines(benchLog) {
		if err := s.line(strings.Fields(line)); err != nil {
			b.Fatal(err)
		}
	}
	e := r.Events[terminal.EventID(len(r.Events))]
	id := e.Terminal
	b.Run("apply", func(b *testing.B) {
		st, _ := r.Engine.State(id)
		b.ReportAllocs()
		for b.Loop() {
			st.Apply(&e)
		}
	})
	b.Run("diagnose", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r.Engine.Diagnose(id, r.last)
		}
	})
}

const benchLog = `10:00:00 10.0.0.7:40112 > sign_in stan=1
10:00:01 10.0.0.7:40112 < 00 batch=1
10:05:00 10.0.0.7:40112 > sale stan=2 card=a
10:05:01 10.0.0.7:40112 < 00
10:20:00 10.0.0.99:51000 > sign_in stan=501
10:20:01 10.0.0.99:51000 < 00 batch=2
10:21:00 10.0.0.7:40112 > sale stan=3 batch=1 card=b
10:21:01 10.0.0.7:40112 < 77`
