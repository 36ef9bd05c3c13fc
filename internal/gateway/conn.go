// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/tillmend/tillmend/internal/txn"
)

// lingerTime is how long a side that is still sending is given to read what
// was sent to it, and the end, before its connection is closed.
const lingerTime = time.Second

// ending is how a connection ended, and why.
type ending struct {
	kind   txn.LinkKind
	detail string
}

// conn is one terminal's connection.
type conn struct {
	guard
	listener *listener
	peer     string
	accepted time.Time

	terminal, host *leg
	hostAddress    string
	toHost         pump
	toTerminal     pump

	moved atomic.Int64           // when bytes or an end last came, since accepted
	asked atomic.Bool            // those bytes went to the host
	round atomic.Uint64          // counts the changes that waiting pumps must look at
	first atomic.Pointer[pump]   // whose source closed first
	ended atomic.Pointer[ending] // the first failure
}

func newConn(l *listener, tcp *net.TCPConn, at time.Time) *conn {
	c := &conn{listener: l, peer: tcp.RemoteAddr().String(), accepted: at}
	c.stats, c.log = &l.gateway.stats, l.log
	return c
}

// event makes a connection event of now.
func (c *conn) event(e ending) txn.Link {
	now := time.Now()
	return txn.Link{
		At: now, Kind: e.kind, Peer: c.peer, Host: c.hostAddress,
		Age: now.Sub(c.accepted), Detail: e.detail,
	}
}

// announce opens the stream and tells it that the terminal has connected.
func (c *conn) announce(host, detail string) {
	c.open(c.listener.gateway.tap, c.listener.cfg.Name, c.peer, host, c.accepted)
	c.link(txn.Link{At: c.accepted, Kind: txn.LinkOpen, Peer: c.peer, Host: host, Detail: detail})
}

// conclude tells how the connection ended. Trouble with TLS is not an end by
// itself (with passthrough it is only seen), so the end is told after it.
func (c *conn) conclude(e ending) {
	c.link(c.event(e))
	if !e.kind.Ends() {
		c.link(c.event(ending{txn.LinkClose, "after " + e.kind.String()}))
	}
}

// overload ends a connection that is one too many.
func (c *conn) overload(tcp *net.TCPConn) {
	c.announce("", "")
	c.conclude(ending{txn.LinkOverloaded, fmt.Sprintf("limit of %d connections", c.listener.cfg.MaxConnections)})
	_ = tcp.SetLinger(0) // Best effort: an orderly close is fine too.
	_ = tcp.Close()      // Nothing can be done about an error.
}

// serve forwards until both sides have closed, one failed, or ctx ended.
func (c *conn) serve(ctx context.Context, tcp *net.TCPConn) {
	var err error
	if c.terminal, err = newLeg(tcp, c.listener.cfg.WriteTimeout); err != nil {
		c.giveUp(tcp, ending{txn.LinkReset, err.Error()})
		return
	}
	if c.listener.tls != nil {
		if err := c.terminal.handshake(ctx, tls.Server, c.listener.tls, c.listener.cfg.HandshakeTimeout); err != nil {
			c.giveUp(tcp, handshakeEnding(ctx, err))
			return
		}
	}
	host, chosen, failed := dialFirst(ctx, c.listener.hosts)
	c.host, c.hostAddress = host, chosen.Address
	if host == nil {
		c.giveUp(tcp, ending{failed.kind(), failed.String()})
		return
	}
	c.announce(chosen.Address, failed.String())
	c.forward(ctx)
}

// giveUp ends a connection that never reached a host.
func (c *conn) giveUp(tcp *net.TCPConn, why ending) {
	c.announce("", "")
	c.conclude(why)
	_ = tcp.SetLinger(0) // Best effort: an orderly close is fine too.
	_ = tcp.Close()      // Nothing can be done about an error.
}

// handshakeEnding says why TLS with the terminal did not come about.
func handshakeEnding(ctx context.Context, err error) ending {
	detail := "TLS handshake: " + err.Error()
	switch {
	case ctx.Err() != nil:
		return ending{txn.LinkClose, "gateway stopped: " + context.Cause(ctx).Error()}
	case isTimeout(err):
		return ending{txn.LinkTimeout, detail}
	case errors.Is(err, syscall.ECONNRESET):
		return ending{txn.LinkReset, detail}
	}
	return ending{txn.LinkTLSAlert, detail}
}

// forward runs both pumps, tells the ending, and closes both legs.
func (c *conn) forward(ctx context.Context) {
	dataSeen := false
	c.toHost.init(c, txn.ToHost, c.terminal, c.host, &dataSeen)
	c.toTerminal.init(c, txn.ToTerminal, c.host, c.terminal, &dataSeen)
	c.listener.gateway.enter(c)
	defer c.listener.gateway.leave(c)
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		c.toTerminal.run()
	}()
	c.toHost.run()
	<-finished
	c.conclude(c.lastWord())
	c.close(ctx)
}

// lastWord is the ending to tell, with the remark that an answer was owed.
func (c *conn) lastWord() ending {
	e := c.ended.Load()
	if e == nil {
		return ending{txn.LinkClose, sender(c.first.Load().dir) + " closed first"}
	}
	if owed, _ := c.owed(); owed {
		return ending{e.kind, e.detail + "; an answer was owed"}
	}
	return *e
}

// close closes both legs; the ends are sent to both before either is waited for.
func (c *conn) close(ctx context.Context) {
	deadline := time.Now().Add(lingerTime)
	if ctx.Err() != nil {
		deadline = longAgo
	}
	c.terminal.finish()
	c.host.finish()
	c.terminal.linger(deadline)
	c.host.linger(deadline)
}

// touch notes that something came just now.
func (c *conn) touch(now time.Time) { c.moved.Store(int64(now.Sub(c.accepted))) }

// end notes the first failure; later ones are its consequences.
func (c *conn) end(e ending) { c.ended.CompareAndSwap(nil, &e) }

// cut ends both pumps at once.
func (c *conn) cut() {
	c.round.Add(1)
	c.terminal.interrupt()
	c.host.interrupt()
}

// halt ends the connection from outside.
func (c *conn) halt(reason string) {
	c.end(ending{txn.LinkClose, reason})
	c.cut()
}

// wake makes both pumps look at what has changed. A pump that is about to wait
// sees the new round, one that waits is woken by its deadline.
func (c *conn) wake() {
	c.round.Add(1)
	_ = c.terminal.SetReadDeadline(longAgo) // An error means that it is closed already.
	_ = c.host.SetReadDeadline(longAgo)     // As above.
}
