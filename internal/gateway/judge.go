// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/tillmend/tillmend/internal/txn"
)

// hurryWait is how often a connection that owes an answer is asked again in
// the second half of a drain: it may be busy, and free only for moments.
const hurryWait = 100 * time.Millisecond

// shortestWait keeps a connection that may not go yet from being asked all the time.
const shortestWait = time.Millisecond

// judge decides whether the connection must end, or how long to wait before
// judging again.
func (c *conn) judge() (time.Duration, *ending) {
	limit := c.listener.cfg.IdleTimeout
	if c.toHost.done.Load() || c.toTerminal.done.Load() {
		limit = c.listener.cfg.HalfCloseTimeout
	}
	quiet := time.Since(c.accepted) - time.Duration(c.moved.Load())
	if quiet >= limit {
		e := c.silence(limit)
		return 0, &e
	}
	wait := limit - quiet
	if c.listener.gateway.isDraining() {
		rest, free := c.release(quiet)
		if free {
			return 0, &ending{txn.LinkClose, "drained by the gateway"}
		}
		wait = min(wait, rest)
	}
	return max(wait, shortestWait), nil
}

// silence says whose silence it was. A terminal that has closed, and is owed
// nothing, is not to blame for a host that does not close.
func (c *conn) silence(limit time.Duration) ending {
	owed, known := c.owed()
	if !known {
		owed = c.asked.Load()
	}
	switch {
	case owed:
		return ending{txn.LinkHostTimeout, fmt.Sprintf("the host sent no answer for %v", limit)}
	case c.toHost.done.Load():
		return ending{txn.LinkClose, fmt.Sprintf("terminal closed, the host did not for %v", limit)}
	}
	return ending{txn.LinkTimeout, fmt.Sprintf("no bytes for %v", limit)}
}

// release decides whether a drain may end the connection; if not, it gives the
// time after which to ask again.
func (c *conn) release(quiet time.Duration) (rest time.Duration, free bool) {
	cfg := &c.listener.gateway.cfg
	owed, known := c.owed()
	needed, rest := cfg.DrainGrace, cfg.DrainGrace
	switch {
	case !known:
		needed = cfg.DrainQuiet
	case c.listener.gateway.hurry.Load():
		needed, rest = 0, min(hurryWait, rest)
	}
	if quiet < needed {
		return needed - quiet, false
	}
	busy := owed || c.toTerminal.moving.Load() || c.terminal.unread() || c.host.unread()
	return rest, !busy
}

// failure tells what an error means on the side that sends in direction dir.
func (p *pump) failure(dir txn.Direction, doing string, err error) ending {
	reset, timeout, tlsAlert, to := txn.LinkReset, txn.LinkTimeout, txn.LinkTLSAlert, "terminal"
	if dir == txn.ToTerminal {
		reset, timeout, tlsAlert, to = txn.LinkHostReset, txn.LinkHostTimeout, txn.LinkHostTLSAlert, "host"
	}
	detail := fmt.Sprintf("%s %s: %v", doing, to, err)
	switch {
	case isTimeout(err):
		return ending{timeout, detail}
	case isTLS(err):
		return ending{tlsAlert, detail}
	}
	return ending{reset, detail}
}

// isTLS tells an error of TLS from one of TCP: an alert that was sent or
// received, or bytes that are no TLS.
func isTLS(err error) bool {
	var (
		op     *net.OpError
		header tls.RecordHeaderError
	)
	if errors.As(err, &op) {
		return op.Op == "remote error" || op.Op == "local error"
	}
	return errors.As(err, &header)
}
