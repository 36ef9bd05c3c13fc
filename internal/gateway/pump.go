// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"errors"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/tillmend/tillmend/internal/txn"
)

// pump moves the bytes of one direction.
type pump struct {
	conn     *conn
	dir      txn.Direction
	from, to *leg
	landing  landing
	records  records     // for passthrough
	moving   atomic.Bool // bytes were read and are not delivered yet
	done     atomic.Bool // the source has closed, and the end was passed on

	// The piece that is being delivered; owned by the pump's goroutine.
	b  []byte
	at time.Time
}

func (p *pump) init(c *conn, dir txn.Direction, from, to *leg, dataSeen *bool) {
	p.conn, p.dir, p.from, p.to = c, dir, from, to
	p.landing = landing{order: &c.order, show: p.show}
	p.records.data = dataSeen
}

// run moves bytes until the source closes or the connection ends.
func (p *pump) run() {
	if !p.stay() {
		return
	}
	for {
		b, n, err := p.from.next()
		switch {
		case err == nil:
			err = p.move(b[:n])
			pieces.Put(b)
			if err != nil {
				p.stuck(err)
				return
			}
		case errors.Is(err, os.ErrDeadlineExceeded):
			if !p.stay() {
				return
			}
		case errors.Is(err, io.EOF):
			p.close()
			return
		default:
			p.conn.end(p.failure(p.dir, "reading", err))
			p.conn.cut()
			return
		}
	}
}

// move delivers one piece. What it allocates is paid for every payment: nothing.
func (p *pump) move(b []byte) error {
	p.moving.Store(true)
	defer p.moving.Store(false)
	p.b, p.at = b, time.Now()
	p.conn.touch(p.at)
	p.conn.asked.Store(p.dir == txn.ToHost)
	return p.to.deliver(b, &p.landing)
}

// show is called when the piece has been handed to the kernel, with the
// connection's order held.
func (p *pump) show() {
	c := p.conn
	c.stats.bytes[p.dir].Add(uint64(len(p.b)))
	if c.listener.cfg.Mode == ModeTLSPassthrough {
		p.records.scan(p.b, p.alert)
		return
	}
	c.dataLocked(p.dir, p.at, p.b)
}

// alert tells a TLS alert; order is held.
func (p *pump) alert(a alert) {
	p.conn.linkLocked(p.conn.event(ending{txn.LinkTLSAlert, sender(p.dir) + " sent " + a.String()}))
}

// close passes the source's end on.
func (p *pump) close() {
	c := p.conn
	first := c.first.CompareAndSwap(nil, p)
	owed, _ := c.owed()
	failed := c.ended.Load() != nil
	c.touch(time.Now())
	p.to.finish()
	if first && owed && !failed {
		c.link(c.event(ending{txn.LinkEOF, sender(p.dir) + " closed while an answer was owed"}))
	}
	p.done.Store(true)
	if !failed {
		c.wake()
	}
}

// stuck ends the connection after a failed write. A destination that was reset
// may have sent something before: the other pump reads on until the end of it,
// which is near, since the socket is dead.
func (p *pump) stuck(err error) {
	c := p.conn
	c.end(p.failure(p.dir^1, "writing", err))
	if isTimeout(err) {
		p.to.abort() // what it did not take will not be taken
		c.cut()
		return
	}
	c.round.Add(1)
	_ = p.to.SetReadDeadline(time.Now().Add(c.listener.cfg.HalfCloseTimeout)) // An error means that it is closed already.
}

// stay decides, before a wait and after one that a deadline ended, whether to
// wait again, and until when. Only one pump judges the connection: the one
// that reads the terminal while it lives, since it alone knows that no request
// has come in between; else the other.
func (p *pump) stay() bool {
	c := p.conn
	for {
		round := c.round.Load()
		if c.ended.Load() != nil {
			return false
		}
		var until time.Time // no deadline
		if p.dir == txn.ToHost || c.toHost.done.Load() {
			wait, end := c.judge()
			if end != nil {
				c.end(*end)
				c.cut()
				return false
			}
			until = time.Now().Add(wait)
		}
		_ = p.from.SetReadDeadline(until) // An error comes back from the next read.
		if c.round.Load() == round {
			return true
		}
	}
}
