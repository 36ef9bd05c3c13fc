// SPDX-License-Identifier: Apache-2.0

// Package gateway is the inline TCP proxy between payment terminals and their
// host. Money never waits for it: bytes go on first, unchanged, and only then
// a copy is shown to whoever watches.
//
// # The way of a connection
//
// A terminal connects to a [Listener]. The gateway connects to the first
// [Host] of that listener that accepts, healthy ones first, and from then on
// moves bytes both ways until both sides have closed. It knows no message
// format: nothing is parsed, re-encoded, added or answered here, so a frame
// may come in pieces, several may come at once, and none can be too long.
// A side that closes its sending half (FIN) is shown to the other side as
// just that.
//
// # The tap
//
// A [Tap] sees every connection as a [Stream]: its bytes and its events
// ([txn.Link]). The order is causal: an answer is never shown before the request
// that it answers, although two goroutines move them. That holds because a
// piece of bytes is written to the socket without waiting and shown within one
// short critical section of its connection; only when the socket is full does
// the gateway wait, and then outside that section. When TLS is terminated the
// written piece is a TLS record, and the same holds.
//
// A Stream that panics is switched off for its connection, counted and logged,
// and forwarding goes on. A Stream that blocks stops its own connection: it
// must hand over to a [Queue], which drops and counts when it is full.
//
// # Events
//
// Every connection gives [txn.LinkOpen] first and exactly one ending last:
// LinkClose, LinkReset, LinkTimeout, LinkHostRefused, LinkHostReset,
// LinkHostTimeout or LinkOverloaded, those kinds of which [txn.LinkKind.Ends]
// is true. In between there may be LinkEOF, at the moment when a side closed
// while an answer was owed (an answer may still come, if only the sending half
// was closed), and LinkTLSAlert or LinkHostTLSAlert: read off the wire with
// passthrough, or the reason of the end that follows at once, when a handshake
// or a terminated session failed. The ending names the side that failed, so
// that a dead host is never counted against a terminal's link: in particular a
// connection that falls silent while the host owes an answer ends with
// LinkHostTimeout.
//
// # Limits
//
// Each wait has a deadline and each buffer a size; the constants say which and
// why. A connection without data holds two goroutines and no buffer. A side
// that reads slowly is waited for by not reading the other side, so TCP's own
// flow control holds the sender back.
//
// # Restart without loss
//
// [Gateway.Drain] stops accepting and lets each connection go when it owes no
// answer. With [Config.ReusePort] the next process binds the same ports first,
// so that terminals find it while the old one drains.
package gateway
