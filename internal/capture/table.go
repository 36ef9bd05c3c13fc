// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"container/list"
	"net/netip"
	"slices"
	"time"

	"github.com/tillmend/tillmend/internal/txn"
)

// Limits of a table.
const (
	// maxConnections is how many connections are followed at once, at about half a
	// kilobyte each. Above it the one that was silent longest is forgotten.
	maxConnections = 1 << 16
	// maxHosts is how many hosts are counted apart.
	maxHosts = 4096
	// maxPieces is how many segments of one direction may wait behind a hole.
	maxPieces = 1024
	// synTimeout is how long a SYN is waited on to be answered. By then it was sent
	// five times and a clerk has given up.
	synTimeout = 20 * time.Second
	// synUnsure is what a SYN at the end of a capture must have waited at least to be
	// called unanswered: by then it was sent three times.
	synUnsure = 5 * time.Second
	// lingering is how long packets of an ended connection may still come.
	lingering = 60 * time.Second
)

// table follows the connections of a capture.
type table struct {
	sink  Sink
	ports []uint16
	sum   *Summary

	conns  map[pair]*conn
	recent *list.List // of *conn, the latest first
	dials  []*conn    // those that were dialing, the earliest first
	hosts  map[netip.AddrPort]int
	held   int // bytes that wait, in all
}

func newTable(sink Sink, ports []uint16, sum *Summary) *table {
	return &table{
		sink: sink, ports: ports, sum: sum,
		conns: map[pair]*conn{}, recent: list.New(), hosts: map[netip.AddrPort]int{},
	}
}

// take takes the next packet.
func (t *table) take(s *segment) {
	if len(t.ports) > 0 && !slices.Contains(t.ports, s.src.Port()) && !slices.Contains(t.ports, s.dst.Port()) {
		t.sum.OtherPorts++
		return
	}
	t.expire(s.at)
	c := t.conns[pairOf(s.src, s.dst)]
	if c != nil && c.state == over && s.at.Sub(c.last) > lingering {
		t.drop(c)
		c = nil
	}
	if c != nil {
		c.last = s.at
		t.recent.MoveToFront(c.place)
	}
	switch {
	case s.syn && s.acks:
		t.accept(c, s)
	case s.syn:
		t.dial(c, s)
	case s.rst:
		if c != nil {
			c.reset(s)
		}
	default:
		t.flow(c, s)
	}
}

// dial takes a SYN.
func (t *table) dial(c *conn, s *segment) {
	if c != nil {
		if c.isn == s.seq {
			return // sent again
		}
		c.abandon(s.at, 0)
		t.drop(c)
	}
	c = t.begin(s, s.dst)
	c.isn, c.began = s.seq, s.at
	t.dials = append(t.dials, c)
}

// accept takes the answer to a SYN, which may not have been captured.
func (t *table) accept(c *conn, s *segment) {
	if c != nil && c.isn == s.ack-1 {
		if c.state != dialing || s.src != c.hostAt {
			return // sent again
		}
	} else {
		if c != nil {
			c.abandon(s.at, 0)
			t.drop(c)
		}
		c = t.begin(s, s.src)
		c.isn, c.began = s.ack-1, s.at
	}
	c.establish(s.at, true)
	c.halves[txn.ToHost].begin(s.ack)
	c.halves[txn.ToTerminal].begin(s.seq + 1)
}

// flow takes any other segment.
func (t *table) flow(c *conn, s *segment) {
	switch {
	case c == nil:
		if len(s.data) <= 1 {
			return // an echo of an old connection, or a probe whether it is alive
		}
		c = t.begin(s, t.guess(s))
		c.establish(s.at, false)
	case c.state == dialing:
		c.halves[txn.ToHost].begin(c.isn + 1)
		c.establish(s.at, true) // the answer to the SYN was not captured
	case c.state == over:
		return
	}
	c.flow(s)
}

// begin adds a connection between the ends of a segment, one of which is the host
// unless the options say otherwise.
func (t *table) begin(s *segment, host netip.AddrPort) *conn {
	if len(t.conns) >= maxConnections {
		t.forget()
	}
	src, dst := slices.Contains(t.ports, s.src.Port()), slices.Contains(t.ports, s.dst.Port())
	switch {
	case src && !dst:
		host = s.src
	case dst && !src:
		host = s.dst
	}
	peer := s.src
	if peer == host {
		peer = s.dst
	}
	c := &conn{
		table: t, key: pairOf(s.src, s.dst), peer: peer.String(), host: host.String(), hostAt: host, last: s.at,
	}
	c.place = t.recent.PushFront(c)
	t.conns[c.key] = c
	t.sum.Connections++
	if _, ok := t.hosts[host]; ok || len(t.hosts) < maxHosts {
		t.hosts[host]++
	}
	return c
}

// guess tells which end is the host when the connection's beginning was not captured.
func (t *table) guess(s *segment) netip.AddrPort {
	src, dst := t.hosts[s.src], t.hosts[s.dst]
	if src > dst || src == dst && s.src.Port() < s.dst.Port() {
		return s.src
	}
	return s.dst
}

// expire ends connections whose SYN was not answered in time.
func (t *table) expire(now time.Time) {
	for len(t.dials) > 0 {
		c := t.dials[0]
		if c.state == dialing {
			if now.Sub(c.began) < synTimeout {
				return
			}
			c.finish(c.began.Add(synTimeout), txn.LinkTimeout, noAnswer)
		}
		t.dials[0] = nil
		t.dials = t.dials[1:]
	}
}

// forget makes room for a connection.
func (t *table) forget() {
	c := t.recent.Back().Value.(*conn) //nolint:forcetypeassert // the list holds nothing else
	if c.state != over {
		t.sum.Forgotten++
	}
	t.drop(c)
}

// drop takes a connection out of the table.
func (t *table) drop(c *conn) {
	t.held -= c.held()
	c.state = over
	c.halves = [2]half{}
	t.recent.Remove(c.place)
	delete(t.conns, c.key)
}

// finish ends the capture.
func (t *table) finish() {
	t.expire(t.sum.Last)
	for e := t.recent.Back(); e != nil; e = e.Prev() {
		c := e.Value.(*conn) //nolint:forcetypeassert // the list holds nothing else
		c.last = t.sum.Last
		c.abandon(t.sum.Last, synUnsure)
	}
	t.sum.Hosts = map[string]int{}
	for host, n := range t.hosts {
		t.sum.Hosts[host.String()] = n
	}
}
