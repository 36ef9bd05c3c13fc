// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"
)

// Validate reports everything that is wrong with the configuration, each with
// the field, its value and what was expected. Files are not opened here.
func (c Config) Validate() error {
	var v faults
	if len(c.Listeners) == 0 {
		v.add("listeners", "", "at least one listener")
	}
	v.notNegative("drain_grace", c.DrainGrace)
	v.notNegative("drain_quiet", c.DrainQuiet)
	if c.ReusePort && !reusePortSupported {
		v.add("reuse_port", "true", "false, since this system has no SO_REUSEPORT")
	}
	names := make(map[string]bool, len(c.Listeners))
	for i, l := range c.Listeners {
		l.validate(&v, fmt.Sprintf("listeners[%d]", i))
		if l.Name != "" && names[l.Name] {
			v.add(fmt.Sprintf("listeners[%d].name", i), l.Name, "a name that no other listener has")
		}
		names[l.Name] = true
	}
	return errors.Join(v...)
}

func (l Listener) validate(v *faults, at string) {
	if l.Name == "" {
		v.add(at+".name", "", "a name")
	}
	v.address(at+".address", l.Address, 0)
	switch l.Mode {
	case "", ModeTCP:
	case ModeTLSPassthrough:
		if l.TLS != nil {
			v.add(at+".tls", "set", "none, since mode tls-passthrough leaves TLS to terminal and host")
		}
	default:
		v.add(at+".mode", string(l.Mode), `"tcp" or "tls-passthrough"`)
	}
	if l.TLS != nil {
		v.required(at+".tls.cert_file", l.TLS.CertFile, "a PEM file")
		v.required(at+".tls.key_file", l.TLS.KeyFile, "a PEM file")
	}
	if l.MaxConnections < 0 {
		v.add(at+".max_connections", strconv.Itoa(l.MaxConnections), "0 (the default) or more")
	}
	v.notNegative(at+".connect_timeout", l.ConnectTimeout)
	v.notNegative(at+".handshake_timeout", l.HandshakeTimeout)
	v.notNegative(at+".idle_timeout", l.IdleTimeout)
	v.notNegative(at+".write_timeout", l.WriteTimeout)
	v.notNegative(at+".half_close_timeout", l.HalfCloseTimeout)
	if len(l.Hosts) == 0 {
		v.add(at+".hosts", "", "at least one host")
	}
	for i, h := range l.Hosts {
		h.validate(v, fmt.Sprintf("%s.hosts[%d]", at, i), l.Mode)
	}
}

func (h Host) validate(v *faults, at string, mode Mode) {
	v.address(at+".address", h.Address, 1)
	if name, _, err := net.SplitHostPort(h.Address); err == nil && name == "" {
		v.add(at+".address", h.Address, "a host before the port")
	}
	if h.TLS == nil {
		return
	}
	if mode == ModeTLSPassthrough {
		v.add(at+".tls", "set", "none, since mode tls-passthrough leaves TLS to terminal and host")
	}
	if h.TLS.CertFile != "" {
		v.required(at+".tls.key_file", h.TLS.KeyFile, "a PEM file, since cert_file is set")
	}
	if h.TLS.KeyFile != "" {
		v.required(at+".tls.cert_file", h.TLS.CertFile, "a PEM file, since key_file is set")
	}
}

// faults collects what is wrong.
type faults []error

func (v *faults) add(field, value, expected string) {
	*v = append(*v, fmt.Errorf("gateway: %s: %q: want %s", field, value, expected))
}

func (v *faults) required(field, value, expected string) {
	if value == "" {
		v.add(field, value, expected)
	}
}

func (v *faults) notNegative(field string, d time.Duration) {
	if d < 0 {
		v.add(field, d.String(), "0 (the default) or more")
	}
}

func (v *faults) address(field, address string, lowestPort int) {
	const highestPort = 65535
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		v.add(field, address, "host:port")
		return
	}
	if n, err := strconv.Atoi(port); err != nil || n < lowestPort || n > highestPort {
		v.add(field, address, fmt.Sprintf("a port from %d to %d", lowestPort, highestPort))
	}
}
