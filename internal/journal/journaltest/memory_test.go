// SPDX-License-Identifier: Apache-2.0

package journaltest_test

import (
	"errors"
	"testing"
	"time"

	"github.com/tillmend/tillmend/internal/journal"
	"github.com/tillmend/tillmend/internal/journal/journaltest"
)

func TestMemory(t *testing.T) {
	journaltest.Run(t, func(t *testing.T) journaltest.Log {
		m := journaltest.NewMemory(time.Now)
		t.Cleanup(func() { closeMemory(t, m) })
		return m
	})
}

func TestMemoryBackpressure(t *testing.T) {
	m := journaltest.NewMemory(time.Now)
	defer closeMemory(t, m)
	release := make(chan struct{})
	stall := func(journal.Position, error) { <-release }
	accepted := uint64(0)
	for {
		err := m.AppendAsync(journal.Entry{Key: "T1"}, stall)
		if errors.Is(err, journal.ErrBackpressure) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		accepted++
	}
	if s := m.Stats(); s.Refused != 1 {
		t.Errorf("Refused = %d, want 1", s.Refused)
	}
	close(release)
	closeMemory(t, m)
	if s := m.Stats(); s.Appended != accepted {
		t.Errorf("%d entries stored of %d accepted", s.Appended, accepted)
	}
}

func closeMemory(t *testing.T, m *journaltest.Memory) {
	t.Helper()
	if err := m.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}
