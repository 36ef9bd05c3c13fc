// SPDX-License-Identifier: Apache-2.0

package terminal

import "github.com/tillmend/tillmend/internal/txn"

// device finds which machine sent a request, and remembers where it is now.
//
// A terminal has one connection at a time. It may come back from another port at
// every payment and from another address when its network changes, but then it
// does not return to the endpoint it left, and its trace numbers do not return to
// where they were before a jump. So an endpoint that was left and is used again
// means two machines, and so do trace numbers that go on where they were left; and
// a new address whose trace numbers do not continue the old ones means another
// machine.
func (s *State) device(a *txn.Attempt) uint8 {
	ep := EndpointOf(a.Peer)
	i := s.whoseEndpoint(ep, a.STAN)
	d := &s.Devices[i]
	if d.Now != ep {
		d.Before, d.Now = d.Now, ep
	}
	d.Last = At(a.At)
	d.Uses = up(d.Uses)
	if a.STAN != 0 && a.Kind != txn.Reversal {
		if d.STAN != 0 && a.STAN != d.STAN && !continues(d.STAN, a.STAN) {
			d.Jumped = d.STAN
		}
		d.STAN = a.STAN
	}
	return i
}

func (s *State) whoseEndpoint(ep Endpoint, stan uint32) uint8 {
	for i := range s.Devices {
		if d := &s.Devices[i]; d.Uses > 0 && d.Now == ep {
			return uint8(i)
		}
	}
	for i := range s.Devices {
		if d := &s.Devices[i]; d.Uses > 0 && (returned(d, ep) || goesBack(d, ep, stan)) {
			return s.another(uint8(i), ep, stan)
		}
	}
	for i := range s.Devices {
		d := &s.Devices[i]
		if d.Uses > 0 && (d.Now.IP == ep.IP || continues(d.STAN, stan)) {
			return uint8(i)
		}
	}
	return s.replaceOldest(ep, stan)
}

// returned reports whether the device left this endpoint before: the same
// connection of one address, or an address that it moved away from.
func returned(d *Device, ep Endpoint) bool {
	if d.Before == (Endpoint{}) {
		return false
	}
	if d.Before.IP == d.Now.IP {
		return d.Before == ep
	}
	return d.Before.IP == ep.IP
}

// goesBack reports whether trace numbers from the device's address go on where
// they were before they jumped.
func goesBack(d *Device, ep Endpoint, stan uint32) bool {
	return d.Jumped != 0 && d.Now.IP == ep.IP && continues(d.Jumped, stan) && !continues(d.STAN, stan)
}

// continues reports whether a trace number is one of the next after another.
func continues(last, stan uint32) bool {
	const gap = 3 // local numbers that never went out
	return stan > last && stan-last <= gap
}

// another splits off the machine that is still at an endpoint which device i was
// thought to have left.
func (s *State) another(i uint8, ep Endpoint, stan uint32) uint8 {
	s.Devices[i].Before, s.Devices[i].Jumped = Endpoint{}, 0
	for j := range s.Devices {
		if uint8(j) != i {
			s.Devices[j] = Device{Now: ep, STAN: stan}
			return uint8(j)
		}
	}
	return i // unreachable: there are two places
}

func (s *State) replaceOldest(ep Endpoint, stan uint32) uint8 {
	oldest := 0
	for i := range s.Devices {
		if s.Devices[i].Last < s.Devices[oldest].Last {
			oldest = i
		}
	}
	s.Devices[oldest] = Device{Now: ep, STAN: stan}
	return uint8(oldest)
}
