// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"net/netip"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

// TestLimits holds memory: what is followed and what waits.
func TestLimits(t *testing.T) {
	t.Run("connections", func(t *testing.T) {
		var sum Summary
		n := &notes{}
		tab := newTable(n, nil, &sum)
		for i := range maxConnections + 10 {
			src := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 4000)
			tab.take(&segment{src: src, dst: host, at: ms(i), seq: 1, acks: true, data: []byte("xx"), size: 2})
		}
		if len(tab.conns) != maxConnections || tab.recent.Len() != maxConnections || sum.Forgotten != 10 {
			t.Errorf("%d connections, %d in order, %d forgotten", len(tab.conns), tab.recent.Len(), sum.Forgotten)
		}
	})
	t.Run("bytes behind a hole", func(t *testing.T) {
		var sum Summary
		n := &notes{}
		tab := newTable(n, nil, &sum)
		piece := make([]byte, 1000)
		take := func(seq uint32) {
			tab.take(&segment{src: pos, dst: host, at: ms(1), seq: seq, acks: true, data: piece, size: len(piece)})
		}
		take(1)
		for i := range uint32(2000) {
			take(5000 + 1000*i)
			if tab.held > maxHeld+len(piece) {
				t.Fatalf("%d bytes wait", tab.held)
			}
		}
		if sum.Gaps != 1 || sum.Bytes < 1_700_000 {
			t.Errorf("%d gaps, %d bytes", sum.Gaps, sum.Bytes)
		}
		for i := range uint32(5000) {
			take(5_000_000 + 3000*i)
			if c := tab.conns[pairOf(pos, host)]; len(c.halves[up].held) > maxPieces {
				t.Fatalf("%d pieces wait", len(c.halves[up].held))
			}
		}
		tab.finish()
		if tab.held != 0 {
			t.Errorf("%d bytes still wait", tab.held)
		}
	})
}

// TestFragmentLimit holds the memory of fragments whose others never come.
func TestFragmentLimit(t *testing.T) {
	d := newDissector()
	whole := newWire(pos, host).add(0, up, "PA", make([]byte, 400)).packets[0]
	first := fragments(t, &whole, whole.bytes(t, layers.LinkTypeRaw, 0), false)[1] // neither the first nor the last
	size := len(first) - 20
	for i := range 2 * maxFragments / size {
		first[4], first[5] = byte(i>>8), byte(i) // a datagram of its own
		info := gopacket.CaptureInfo{Timestamp: ms(i), CaptureLength: len(first), Length: len(first)}
		if _, ok := d.segment(layers.LinkTypeRaw, first, info); ok || !d.waits || d.kept > maxFragments {
			t.Fatalf("fragment %d: %v, waits %v, %d bytes", i, ok, d.waits, d.kept)
		}
	}
}
