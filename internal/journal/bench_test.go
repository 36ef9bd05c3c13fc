// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"sync"
	"testing"
)

// benchWaiters is the number of callers that each wait for their own entry.
const benchWaiters = 500

// benchData gives distinct data of the size of a packed event, half of which does
// not compress.
func benchData() []byte {
	data := make([]byte, 300)
	rand.Read(data[:len(data)/2])
	return data
}

func benchJournal(b *testing.B, durability Durability) *Journal {
	b.Helper()
	j, err := Open(b.Context(), Config{Dir: b.TempDir(), Durability: durability}, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { mustClose(b, j) })
	return j
}

// appendFrom lets many callers append n entries, each waiting for its own.
func appendFrom(b *testing.B, j *Journal, n int) {
	b.Helper()
	var all sync.WaitGroup
	for w := range benchWaiters {
		all.Go(func() {
			e := Entry{Key: fmt.Sprintf("%08d", w), Data: benchData()}
			for range (n - w + benchWaiters - 1) / benchWaiters {
				if _, err := j.Append(context.Background(), e); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}

// BenchmarkAppend measures acknowledged entries per second with many waiters.
func BenchmarkAppend(b *testing.B) {
	for _, d := range []Durability{Fsync, Fast} {
		b.Run(d.String(), func(b *testing.B) {
			j := benchJournal(b, d)
			for b.Loop() {
				appendFrom(b, j, 10_000)
			}
			s := j.Stats()
			b.ReportMetric(float64(s.Appended)/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(float64(s.Appended)/float64(s.Batches), "events/batch")
			b.ReportMetric(float64(s.Bytes)/float64(s.StoredBytes), "compression")
		})
	}
}

// BenchmarkRead measures the replay of entries that were written in full batches.
func BenchmarkRead(b *testing.B) {
	j := benchJournal(b, Fast)
	appendFrom(b, j, 200_000)
	read := 0
	b.ResetTimer()
	for b.Loop() {
		if err := j.Read(b.Context(), 0, func(Record) error { read++; return nil }); err != nil {
			b.Fatal(err)
		}
	}
	if read == 0 || read%200_000 != 0 {
		b.Fatalf("read %d entries", read)
	}
	b.ReportMetric(float64(read)/b.Elapsed().Seconds(), "events/s")
}
