// SPDX-License-Identifier: Apache-2.0

package card

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

var noon = time.Date(2026, 6, 3, 12, 0, 0, 0, time.FixedZone("UTC+8", 8*60*60))

func TestOrdinalNumbersCardsOfEachTerminal(t *testing.T) {
	c := NewCounter()
	a, b := []byte("6200000000000005"), []byte("6225000000000014")
	for i, tc := range []struct {
		terminal string
		pan      []byte
		now      time.Time
		want     uint16
	}{
		{"T0000001", a, noon, 1},
		{"T0000001", a, noon, 1},
		{"T0000001", b, noon, 2},
		{"T0000002", b, noon, 1},
		{"T0000001", a, noon.Add(11 * time.Hour), 1},
		{"T0000001", b, noon.Add(12 * time.Hour), 1}, // midnight: a new day, a new key
		{"T0000001", a, noon.Add(12 * time.Hour), 2},
		{"T0000001", b, noon, 1}, // a late event belongs to the day that has begun
		{"T0000001", nil, noon, 0},
		{"T0000001", []byte("62000000000000000005"), noon, 0},
	} {
		if got := c.Ordinal(tc.terminal, tc.pan, tc.now); got != tc.want {
			t.Errorf("step %d: got %d, want %d", i, got, tc.want)
		}
	}
}

func TestCounterIsBounded(t *testing.T) {
	c := NewCounter()
	c.limit = 3
	for i := range 10 {
		c.Ordinal("T0000001", fmt.Appendf(nil, "62000000000000%02d", i), noon)
		if len(c.ordinals) > 3 {
			t.Fatalf("%d cards kept, the limit is 3", len(c.ordinals))
		}
	}
}

func TestCountersDoNotAgree(t *testing.T) {
	pan := []byte("6200000000000005")
	a, b := NewCounter(), NewCounter()
	if a.tag("T0000001", pan) == b.tag("T0000001", pan) {
		t.Error("two counters hash alike: the key is not random")
	}
	before := a.tag("T0000001", pan)
	a.renew()
	if a.tag("T0000001", pan) == before {
		t.Error("the key survived renewal")
	}
	for _, x := range a.scratch {
		if x != 0 {
			t.Fatal("the card number stays in the scratch space")
		}
	}
}

func TestTerminalAndCardAreKeptApart(t *testing.T) {
	c := NewCounter()
	if c.tag("T1", []byte("23")) == c.tag("T12", []byte("3")) {
		t.Error("the border between terminal and card does not count")
	}
}

func TestOrdinalAllocatesNothingForAKnownCard(t *testing.T) {
	c, pan := NewCounter(), []byte("6200000000000005")
	c.Ordinal("T0000001", pan, noon)
	if n := testing.AllocsPerRun(100, func() { c.Ordinal("T0000001", pan, noon) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestOrdinalFromManyGoroutines(t *testing.T) {
	c := NewCounter()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 200 {
				c.Ordinal("T0000001", fmt.Appendf(nil, "62000000000000%02d", i%20), noon)
			}
		})
	}
	wg.Wait()
	if got := c.Ordinal("T0000001", []byte("6200000000000099"), noon); got != 21 {
		t.Errorf("the next card is number %d, want 21", got)
	}
}
