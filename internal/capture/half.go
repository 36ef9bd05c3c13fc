// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"bytes"
	"slices"
	"time"
)

// Limits of reassembly.
const (
	// maxHeld is how many bytes of one direction may wait behind a hole. Terminals
	// send a few hundred bytes at a time; more than this is no reordering.
	maxHeld = 256 << 10
	// maxHeldTotal is how many bytes may wait behind holes in all.
	maxHeldTotal = 64 << 20
	// maxJump is the distance in bytes from which a sequence number belongs to another
	// stream: what no hole of a payment connection can have.
	maxJump = 16 << 20
	// holeWait is how long bytes wait for those before them. A lost segment is sent
	// again within seconds; later, the capture missed it.
	holeWait = 3 * time.Second
)

// half is one direction of a TCP connection. It gives bytes in order. Where the
// capture lacks some it says so, once it is told not to wait, and goes on behind.
type half struct {
	next  uint32 // the sequence number that comes next
	known bool   // next is known
	held  []piece
	size  int       // bytes in held
	since time.Time // when held was last empty
	fin   bool      // the end was announced
	end   uint32    // where the end is, once announced
	done  bool      // the end was reached

	began bool // bytes were given out
	tls   bool // and the first of them were a TLS record
}

// piece is a segment that waits for those before it.
type piece struct {
	seq  uint32
	data []byte
}

// outlet takes what a half gives out. The bytes are valid during the call.
type outlet interface {
	deliver(h *half, b []byte)
	gap(h *half)
}

// ahead is how many bytes b lies behind a in a stream, negative when before it.
func ahead(a, b uint32) int { return int(int32(b - a)) } //nolint:gosec // sequence numbers wrap on purpose

// begin sets what comes first, unless that is known.
func (h *half) begin(seq uint32) {
	if !h.known {
		h.known, h.next = true, seq
	}
}

// take takes a segment: its bytes, or the end of the stream, or both.
func (h *half) take(s *segment, out outlet) {
	h.begin(s.seq)
	if s.fin && !h.fin {
		h.fin, h.end = true, s.seq+uint32(s.size) //nolint:gosec // a packet's size is far below 4 GB
	}
	if s.size > 0 {
		h.put(s, out)
	}
	h.finish()
}

func (h *half) put(s *segment, out outlet) {
	off := ahead(h.next, s.seq)
	switch {
	case off > maxJump || off < -maxJump:
		h.held, h.size, h.next, off = nil, 0, s.seq, 0
		out.gap(h)
	case off > 0:
		h.hold(s)
		return
	}
	h.give(s.seq, s.data, -off, out)
	h.drain(out)
}

// give gives out a piece less the bytes that were given out before.
func (h *half) give(seq uint32, data []byte, before int, out outlet) {
	if before < len(data) {
		h.next = seq + uint32(len(data)) //nolint:gosec // as above
		out.deliver(h, data[before:])
	}
}

// hold keeps a segment that has come too early.
func (h *half) hold(s *segment) {
	if len(s.data) == 0 {
		return // all of it was cut by the capture
	}
	if len(h.held) == 0 {
		h.since = s.at
	}
	i, found := slices.BinarySearchFunc(h.held, s.seq, func(p piece, seq uint32) int { return ahead(seq, p.seq) })
	switch {
	case !found:
		h.held = slices.Insert(h.held, i, piece{s.seq, bytes.Clone(s.data)})
	case len(h.held[i].data) < len(s.data):
		h.size -= len(h.held[i].data)
		h.held[i].data = bytes.Clone(s.data)
	default:
		return
	}
	h.size += len(s.data)
}

// drain gives out what is held as far as it follows.
func (h *half) drain(out outlet) {
	for len(h.held) > 0 {
		first := h.held[0]
		off := ahead(h.next, first.seq)
		if off > 0 {
			return
		}
		h.held = slices.Delete(h.held, 0, 1)
		h.size -= len(first.data)
		h.give(first.seq, first.data, -off, out)
	}
}

// skip gives up waiting for what is missing before the held bytes.
func (h *half) skip(out outlet) {
	if len(h.held) > 0 {
		h.next = h.held[0].seq
		out.gap(h)
		h.drain(out)
		h.finish()
	}
}

// flush gives out all that is held.
func (h *half) flush(out outlet) {
	for len(h.held) > 0 {
		h.skip(out)
	}
}

// received says that the other side has all before ack, and acts on it. What was not
// captured of that will not come.
func (h *half) received(ack uint32, out outlet) {
	if h.done || !h.known || ahead(h.next, ack) > maxJump {
		return
	}
	for ahead(h.next, ack) > 0 {
		if len(h.held) > 0 && ahead(h.held[0].seq, ack) > 0 {
			h.skip(out)
			continue
		}
		h.next = ack
		out.gap(h)
		h.drain(out)
	}
	h.finish()
}

// finish notices the end. The end itself takes a sequence number.
func (h *half) finish() {
	if h.fin && !h.done && ahead(h.end, h.next) >= 0 {
		h.done, h.next = true, h.end+1
	}
}
