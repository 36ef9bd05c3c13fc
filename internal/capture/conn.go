// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"container/list"
	"net/netip"
	"time"

	"github.com/tillmend/tillmend/internal/txn"
)

// segment is one TCP packet.
type segment struct {
	src, dst            netip.AddrPort
	at                  time.Time
	seq, ack            uint32
	syn, acks, fin, rst bool
	data                []byte
	size                int // of the data on the wire; more than len(data) when the capture cut it
}

// state is how far a connection has come.
type state uint8

const (
	dialing     state = iota // a SYN was seen, and no answer
	established              // bytes may flow
	over                     // it has ended; what still comes is an echo of it
)

// conn is one TCP connection.
type conn struct {
	table      *table
	key        pair
	peer, host string
	hostAt     netip.AddrPort
	state      state
	isn        uint32        // the sequence number of the SYN
	began      time.Time     // when the connection was asked for; zero when that was before the capture
	last       time.Time     // when the latest packet was seen
	halves     [2]half       // by direction
	place      *list.Element // among the connections by last
}

// pair is the two ends of a connection in a fixed order.
type pair struct{ low, high netip.AddrPort }

func pairOf(a, b netip.AddrPort) pair {
	if a.Compare(b) > 0 {
		a, b = b, a
	}
	return pair{a, b}
}

// direction is the way a segment goes.
func (c *conn) direction(s *segment) txn.Direction {
	if s.src == c.hostAt {
		return txn.ToTerminal
	}
	return txn.ToHost
}

// establish lets bytes flow. The sink hears of the event only when the capture saw
// the connection begin.
func (c *conn) establish(at time.Time, seen bool) {
	c.state = established
	c.table.sink.Open(c.peer, c.host, at)
	if seen {
		c.event(at, txn.LinkOpen, "")
	}
}

// event tells the sink what happened.
func (c *conn) event(at time.Time, kind txn.LinkKind, detail string) {
	l := txn.Link{At: at, Kind: kind, Peer: c.peer, Host: c.host, Detail: detail}
	if !c.began.IsZero() {
		l.Age = max(0, at.Sub(c.began))
	}
	c.table.sum.Events++
	c.table.sink.Link(l)
}

// flow takes a segment that neither opens nor resets the connection.
func (c *conn) flow(s *segment) {
	dir := c.direction(s)
	mine, theirs := &c.halves[dir], &c.halves[1-dir]
	before := c.held()
	if s.acks {
		theirs.begin(s.ack)
		if len(s.data) > 0 || theirs.fin {
			theirs.received(s.ack, c)
		}
	}
	if s.size > 0 || s.fin {
		mine.take(s, c)
	}
	c.table.held += c.held() - before
	c.relieve(mine, s.at)
	c.relieve(theirs, s.at)
	if mine.done && theirs.done {
		c.finish(s.at, txn.LinkClose, "")
	}
}

// relieve gives up on holes that are too old or have too much behind them.
func (c *conn) relieve(h *half, at time.Time) {
	before := h.size
	switch {
	case len(h.held) == 0:
	case at.Sub(h.since) > holeWait:
		h.flush(c)
	case h.size > maxHeld || len(h.held) > maxPieces || c.table.held > maxHeldTotal:
		h.skip(c)
	}
	c.table.held += h.size - before
}

// held is how many bytes wait.
func (c *conn) held() int { return c.halves[0].size + c.halves[1].size }

// flush gives out all that waits.
func (c *conn) flush() {
	c.table.held -= c.held()
	for i := range c.halves {
		c.halves[i].flush(c)
	}
}

// finish ends the connection with an event.
func (c *conn) finish(at time.Time, kind txn.LinkKind, detail string) {
	if c.state == established {
		c.flush()
	}
	c.state = over
	c.event(at, kind, detail)
}

// Ends of connections that need a word.
const (
	noAnswer    = "no answer to the SYN"
	gaveUp      = "reset before the SYN was answered"
	resetClosed = "reset after one side had closed"
	neverClosed = "only one side closed"
)

// reset takes a RST.
func (c *conn) reset(s *segment) {
	host := c.direction(s) == txn.ToTerminal
	switch c.state {
	case dialing:
		if host {
			c.finish(s.at, txn.LinkRefused, "")
		} else {
			c.finish(s.at, txn.LinkTimeout, gaveUp)
		}
	case established:
		c.flush()
		switch {
		case c.halfClosed():
			c.finish(s.at, txn.LinkClose, resetClosed)
		case host:
			c.finish(s.at, txn.LinkHostReset, "")
		default:
			c.finish(s.at, txn.LinkReset, "")
		}
	case over:
	}
}

// halfClosed reports whether a side has said that it will send no more.
func (c *conn) halfClosed() bool { return c.halves[0].fin || c.halves[1].fin }

// abandon ends a connection of which no more will be seen. Its end is told only when
// it can be known.
func (c *conn) abandon(at time.Time, patience time.Duration) {
	switch {
	case c.state == dialing && at.Sub(c.began) >= patience:
		c.finish(at, txn.LinkTimeout, noAnswer)
	case c.state == established:
		c.flush()
		if c.halfClosed() {
			c.finish(at, txn.LinkClose, neverClosed)
		}
	}
	c.state = over
}

// deliver gives the next bytes of a direction to the sink.
func (c *conn) deliver(h *half, b []byte) {
	dir := c.way(h)
	if !h.began {
		h.began, h.tls = true, isTLS(b)
	}
	c.table.sum.Bytes += int64(len(b))
	c.table.sink.Data(c.peer, c.host, dir, c.last, b)
	if h.tls {
		if detail, ok := alert(b); ok {
			c.event(c.last, txn.LinkTLSAlert, detail+from[dir])
		}
	}
}

// gap tells the sink that bytes are missing.
func (c *conn) gap(*half) {
	c.table.sum.Gaps++
	c.table.sink.Open(c.peer, c.host, c.last)
}

// way is the direction that a half is of.
func (c *conn) way(h *half) txn.Direction {
	if h == &c.halves[txn.ToHost] {
		return txn.ToHost
	}
	return txn.ToTerminal
}

// from names the sender of what goes in a direction.
var from = [...]string{txn.ToHost: " (sent by the terminal)", txn.ToTerminal: " (sent by the host)"}
