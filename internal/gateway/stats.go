// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"sync/atomic"

	"github.com/tillmend/tillmend/internal/txn"
)

type (
	// Stats are the gateway's figures since its start.
	Stats struct {
		Accepted        uint64                  // connections accepted, overloaded ones too
		AcceptFailures  uint64                  // failed accepts, usually for want of file descriptors
		BytesToHost     uint64                  // bytes forwarded from terminals
		BytesToTerminal uint64                  // bytes forwarded to terminals
		TapPanics       uint64                  // connections whose stream panicked
		Events          map[txn.LinkKind]uint64 // connection events by kind; kinds never seen are absent
		Draining        bool                    // a drain has begun
		Listeners       []ListenerStats         // in the order of the configuration
	}

	// ListenerStats are the figures of one listener.
	ListenerStats struct {
		Name  string
		Open  int // connections that terminals have open now
		Hosts []HostStats
	}

	// HostStats are the figures of one host.
	HostStats struct {
		Name     string
		Address  string
		Failing  bool   // the last try to connect failed
		Failures uint64 // tries to connect that failed, health checks included
	}
)

// lastLinkKind bounds the array of event counts.
const lastLinkKind = txn.LinkOverloaded

// counters are the figures that all connections add to.
type counters struct {
	accepted       atomic.Uint64
	acceptFailures atomic.Uint64
	tapPanics      atomic.Uint64
	bytes          [2]atomic.Uint64 // by direction
	events         [lastLinkKind + 1]atomic.Uint64
}

// Stats gives the figures of now.
func (g *Gateway) Stats() Stats {
	s := Stats{
		Accepted:        g.stats.accepted.Load(),
		AcceptFailures:  g.stats.acceptFailures.Load(),
		BytesToHost:     g.stats.bytes[txn.ToHost].Load(),
		BytesToTerminal: g.stats.bytes[txn.ToTerminal].Load(),
		TapPanics:       g.stats.tapPanics.Load(),
		Events:          make(map[txn.LinkKind]uint64),
		Draining:        g.isDraining(),
	}
	for kind := range g.stats.events {
		if n := g.stats.events[kind].Load(); n > 0 {
			s.Events[txn.LinkKind(kind)] = n
		}
	}
	for _, l := range g.listeners {
		ls := ListenerStats{Name: l.cfg.Name, Open: int(l.open.Load())}
		for _, h := range l.hosts {
			ls.Hosts = append(ls.Hosts, HostStats{
				Name: h.Name, Address: h.Address, Failing: h.failing.Load(), Failures: h.failures.Load(),
			})
		}
		s.Listeners = append(s.Listeners, ls)
	}
	return s
}
