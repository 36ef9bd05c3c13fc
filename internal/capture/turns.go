// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tillmend/tillmend/internal/txn"
	"github.com/tillmend/tillmend/iso8583/frame"
)

// maxTurn is how many bytes one side may send at a stretch before they are cut.
const maxTurn = 1 << 20

// turns cuts captured streams into frames without knowing their form: what one side
// sends until the other answers is a whole number of frames.
type turns struct {
	out     *frames
	packets *int
	conns   map[string]*turn
}

// turn is what one side has sent at a stretch.
type turn struct {
	dir    txn.Direction
	bytes  []byte
	origin marks
	opaque bool // it was said that the connection cannot be read
}

// Open ends what was unfinished.
func (t *turns) Open(peer, host string, _ time.Time) {
	c := t.conn(peer, host)
	t.cut(c)
	c.opaque = false
}

// Data adds bytes.
func (t *turns) Data(peer, host string, dir txn.Direction, _ time.Time, b []byte) {
	c := t.conn(peer, host)
	if c.dir != dir || len(c.bytes)+len(b) > maxTurn {
		t.cut(c)
	}
	c.dir = dir
	c.origin.add(len(c.bytes), *t.packets)
	c.bytes = append(c.bytes, b...)
}

// Frame takes the frames of sources that know them, which captures do not.
func (t *turns) Frame(_, _ string, _ txn.Direction, _ time.Time, _ []byte, _ int) {}

// Link ends what was unfinished when the connection ends.
func (t *turns) Link(l txn.Link) {
	if c, ok := t.conns[l.Peer+" "+l.Host]; ok && ends(l.Kind) {
		t.cut(c)
		delete(t.conns, l.Peer+" "+l.Host)
	}
}

func (t *turns) conn(peer, host string) *turn {
	key := peer + " " + host
	c := t.conns[key]
	if c == nil {
		if len(t.conns) >= maxConnections {
			t.finish()
		}
		c = &turn{}
		t.conns[key] = c
	}
	return c
}

// finish cuts what is left of all connections.
func (t *turns) finish() {
	for _, key := range slices.Sorted(maps.Keys(t.conns)) {
		t.cut(t.conns[key])
	}
	clear(t.conns)
}

// cut hands out the frames of a turn.
func (t *turns) cut(c *turn) {
	b, origin := c.bytes, c.origin
	c.bytes, c.origin = nil, nil
	if len(b) == 0 || c.opaque {
		return
	}
	spans := cut(b)
	for _, s := range spans {
		t.out.send(t.place(origin, s.from), b[s.from:s.to])
	}
	if spans != nil {
		return
	}
	foreign := frame.NewSplitter(frame.Format{})
	foreign.Feed(b, func(whole []byte) {
		if len(whole) <= frame.MaxFrame {
			t.out.send(t.place(origin, 0), whole)
			return
		}
		t.out.fail(Problem{Place: t.place(origin, 0), Reason: "expected frames with length prefixes"})
	})
	if reason, ok := foreign.Opaque(); ok {
		c.opaque = true
		t.out.fail(Problem{Place: t.place(origin, 0), Reason: reason})
	}
}

func (t *turns) place(origin marks, offset int) string {
	return fmt.Sprintf("%s: packet %d", t.out.name, origin.at(offset))
}
