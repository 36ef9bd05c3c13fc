// SPDX-License-Identifier: Apache-2.0

package gateway

import "time"

// Defaults of the limits. A zero field of the configuration means its default.
const (
	// DefaultMaxConnections is per listener. An acquirer's host pool takes
	// less; the figure bounds memory to well under a gigabyte.
	DefaultMaxConnections = 20_000
	// DefaultConnectTimeout is per host: a terminal gives up after about a
	// minute, so that a second and a third host can still be tried.
	DefaultConnectTimeout = 5 * time.Second
	// DefaultHandshakeTimeout allows a TLS handshake of several round trips
	// on a slow mobile link.
	DefaultHandshakeTimeout = 15 * time.Second
	// DefaultIdleTimeout is above the heartbeat of terminals that keep their
	// connection, which is a few minutes.
	DefaultIdleTimeout = 10 * time.Minute
	// DefaultWriteTimeout is how long a side may take nothing at all.
	DefaultWriteTimeout = 30 * time.Second
	// DefaultHalfCloseTimeout is above the minute a terminal waits for an answer.
	DefaultHalfCloseTimeout = 75 * time.Second
	// DefaultKeepAlive is below the five minutes after which mobile carriers
	// forget a silent connection.
	DefaultKeepAlive = 60 * time.Second
	// DefaultHealthInterval finds a dead host before most terminals do.
	DefaultHealthInterval = 10 * time.Second
	// DefaultDrainGrace lets a terminal that has just connected, or has just
	// had its answer, go on with what it is doing.
	DefaultDrainGrace = 2 * time.Second
	// DefaultDrainQuiet is above the minute a terminal waits for an answer, so
	// that silence that long means that nobody waits any more.
	DefaultDrainQuiet = 75 * time.Second
)

// Mode says what a listener's bytes are.
type Mode string

// The modes of a listener.
const (
	// ModeTCP is for payment frames in clear, at least within the gateway: a
	// leg may still be TLS that the gateway terminates. The tap sees the bytes.
	ModeTCP Mode = "tcp"
	// ModeTLSPassthrough is for TLS between terminal and host for which the
	// gateway has no key. The tap sees connection events and TLS alerts.
	ModeTLSPassthrough Mode = "tls-passthrough"
)

type (
	// Config is everything the gateway can be told. Durations and counts that
	// are zero take the default of the same name.
	Config struct {
		// Listeners are the ports that terminals connect to; at least one.
		Listeners []Listener
		// ReusePort binds with SO_REUSEPORT, so that a new process can bind the
		// same ports while the old one drains. Linux only. Any process of the
		// same user can then bind the port as well, by mistake too. A terminal
		// whose connection is being made in the very instant in which the old
		// process closes its socket is reset before it has sent anything, unless
		// the system's net.ipv4.tcp_migrate_req is 1.
		ReusePort bool
		// HealthInterval is the time between two health checks of a host: a
		// connection (with TLS handshake, if the host has TLS) that is closed
		// at once. A host that fails is tried last. Negative: no checks.
		HealthInterval time.Duration
		// DrainGrace is how long a connection must be silent before a drain
		// closes it, when the tap says that no answer is owed. In the second
		// half of a drain with a deadline, no silence is asked for any more.
		DrainGrace time.Duration
		// DrainQuiet is the same when the tap cannot say whether an answer is owed.
		DrainQuiet time.Duration
	}

	// Listener is one port for terminals.
	Listener struct {
		// Name tells the listener in logs and statistics; required, unique.
		Name string
		// Address is host:port to bind; the host may be empty (all addresses),
		// the port may be 0 (any free port, for tests).
		Address string
		// Mode is what the bytes are; empty means ModeTCP.
		Mode Mode
		// Hosts are tried in order; at least one.
		Hosts []Host
		// TLS makes the gateway end the terminals' TLS; nil: it does not.
		TLS *ServerTLS
		// MaxConnections is how many terminals may be connected at once; one
		// more is accepted and closed, and seen as overloaded.
		MaxConnections int
		// ConnectTimeout is how long to wait for one host to accept.
		ConnectTimeout time.Duration
		// HandshakeTimeout is how long a TLS handshake may take, on each leg.
		HandshakeTimeout time.Duration
		// IdleTimeout ends a connection on which no byte moved for so long.
		IdleTimeout time.Duration
		// WriteTimeout ends a connection of which one side takes no bytes for so long.
		WriteTimeout time.Duration
		// HalfCloseTimeout takes the place of IdleTimeout once one side has closed.
		HalfCloseTimeout time.Duration
		// KeepAlive is the time of silence before TCP keep-alive probes are
		// sent, on both legs. Three lost probes, a quarter of it apart, end a
		// connection whose far end has vanished. Negative: no probes.
		KeepAlive time.Duration
	}

	// Host is where payments go.
	Host struct {
		// Name tells the host in logs and statistics; empty means Address.
		Name string
		// Address is host:port to connect to.
		Address string
		// TLS makes the gateway speak TLS to the host; nil: it does not.
		TLS *ClientTLS
	}

	// ServerTLS is how the gateway answers terminals with TLS 1.2 or later.
	ServerTLS struct {
		// CertFile and KeyFile are PEM files: the chain, and its private key.
		CertFile, KeyFile string
		// ClientCAFile is a PEM file of authorities; when it is set, terminals
		// must show a certificate of one of them.
		ClientCAFile string
	}

	// ClientTLS is how the gateway speaks TLS 1.2 or later to a host. The
	// host's certificate is always verified.
	ClientTLS struct {
		// ServerName is the name expected in the certificate; empty means the
		// host of the address.
		ServerName string
		// CAFile is a PEM file of authorities; empty means those of the system.
		CAFile string
		// CertFile and KeyFile are PEM files with the certificate to show to
		// the host; both or neither.
		CertFile, KeyFile string
	}
)

// withDefaults gives a copy in which every limit has a value.
func (c Config) withDefaults() Config {
	c.HealthInterval = orElse(c.HealthInterval, DefaultHealthInterval)
	c.DrainGrace = orElse(c.DrainGrace, DefaultDrainGrace)
	c.DrainQuiet = orElse(c.DrainQuiet, DefaultDrainQuiet)
	listeners := make([]Listener, len(c.Listeners))
	for i, l := range c.Listeners {
		listeners[i] = l.withDefaults()
	}
	c.Listeners = listeners
	return c
}

func (l Listener) withDefaults() Listener {
	l.Mode = orElse(l.Mode, ModeTCP)
	l.MaxConnections = orElse(l.MaxConnections, DefaultMaxConnections)
	l.ConnectTimeout = orElse(l.ConnectTimeout, DefaultConnectTimeout)
	l.HandshakeTimeout = orElse(l.HandshakeTimeout, DefaultHandshakeTimeout)
	l.IdleTimeout = orElse(l.IdleTimeout, DefaultIdleTimeout)
	l.WriteTimeout = orElse(l.WriteTimeout, DefaultWriteTimeout)
	l.HalfCloseTimeout = orElse(l.HalfCloseTimeout, DefaultHalfCloseTimeout)
	l.KeepAlive = orElse(l.KeepAlive, DefaultKeepAlive)
	hosts := make([]Host, len(l.Hosts))
	for i, h := range l.Hosts {
		h.Name = orElse(h.Name, h.Address)
		hosts[i] = h
	}
	l.Hosts = hosts
	return l
}

func orElse[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}
