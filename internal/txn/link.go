// SPDX-License-Identifier: Apache-2.0

package txn

import "time"

// Direction tells which way bytes travel.
type Direction uint8

// The two directions of a payment connection.
const (
	ToHost Direction = iota
	ToTerminal
)

// String gives the sign that hex logs use: > towards the host, < towards the terminal.
func (d Direction) String() string {
	if d == ToHost {
		return ">"
	}
	return "<"
}

// LinkKind is what happened to a connection.
type LinkKind uint8

// The connection events that the tap tells apart. A refused, hanging or failing
// leg towards the host has its own kinds, so that a host fault is never counted
// against the terminal's link.
const (
	LinkOpen         LinkKind = iota + 1 // the terminal's connection was accepted
	LinkClose                            // orderly end
	LinkReset                            // the terminal's side was reset
	LinkTimeout                          // the terminal's side sent nothing, or took nothing, within the deadline
	LinkRefused                          // the terminal could not connect (captures only)
	LinkTLSAlert                         // a TLS alert was seen, or the TLS handshake with the terminal failed
	LinkEOF                              // a side closed while an answer was owed
	LinkHostRefused                      // no host of the listener accepted a connection
	LinkHostReset                        // the host reset the connection
	LinkHostTimeout                      // the host could not be reached, or took nothing, within the deadline
	LinkHostTLSAlert                     // the TLS handshake with the host failed
	LinkOverloaded                       // the gateway was at its connection limit
)

var linkNames = [...]string{
	LinkOpen: "open", LinkClose: "close", LinkReset: "reset", LinkTimeout: "timeout", LinkRefused: "refused",
	LinkTLSAlert: "tls-alert", LinkEOF: "eof", LinkHostRefused: "host-refused", LinkHostReset: "host-reset",
	LinkHostTimeout: "host-timeout", LinkHostTLSAlert: "host-tls-alert", LinkOverloaded: "overloaded",
}

// String gives the word used in hex logs, events and the API.
func (k LinkKind) String() string {
	if int(k) < len(linkNames) && linkNames[k] != "" {
		return linkNames[k]
	}
	return "unknown"
}

// Ends reports whether an event of this kind is the end of its connection.
func (k LinkKind) Ends() bool {
	switch k {
	case LinkOpen, LinkTLSAlert, LinkHostTLSAlert, LinkEOF:
		return false
	case LinkClose, LinkReset, LinkTimeout, LinkRefused, LinkHostRefused, LinkHostReset, LinkHostTimeout, LinkOverloaded:
		return true
	}
	return false
}

// ParseLinkKind is the inverse of String; ok is false for an unknown word.
func ParseLinkKind(word string) (k LinkKind, ok bool) {
	for i, name := range linkNames {
		if name != "" && name == word {
			return LinkKind(i), true
		}
	}
	return 0, false
}

// Link is one connection event.
type Link struct {
	At     time.Time     `json:"at"`
	Kind   LinkKind      `json:"kind"`
	Peer   string        `json:"peer"`             // the terminal's side, ip:port
	Host   string        `json:"host,omitempty"`   // the host's address, when one was chosen
	Age    time.Duration `json:"age,omitempty"`    // how long the connection had lived, in nanoseconds
	Detail string        `json:"detail,omitempty"` // the cause in technical words, never payment data
	// Messages counts the messages seen on the connection until then. A terminal's
	// connections overlap at their ends, so this tells a connection that came to
	// nothing from one that did its work.
	Messages int `json:"messages,omitempty"`
	// Opaque tells that bytes may have passed that the tap cannot read: TLS, or
	// another dialect. Then no messages say nothing.
	Opaque bool `json:"opaque,omitempty"`
}
