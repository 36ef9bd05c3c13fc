// SPDX-License-Identifier: Apache-2.0

// Package sim plays both ends of the wire: terminals that speak the UnionPay
// dialect as real ones do, and a host that answers them.
//
// It is there for demonstrations, for tests of the whole way from a message to a
// diagnosis, and for people who want to see a fault before they meet it. What it
// sends is genuine: working keys come encrypted under a master key, payments carry
// a PIN block and a MAC that the host verifies, and a terminal keeps the order of
// messages that real ones keep, with the refusals that never reach the wire.
//
// # The parts
//
//   - [Terminal] is one machine: sign-in, payments, reversals, settlement.
//   - [Host] is the acquirer. Its faults are data ([Fault]) and can be switched while it runs.
//   - [Fleet] drives some terminals through [Scenario]s, each a fault with the
//     cause that a diagnosis ought to name.
//
// # Cards
//
// Only public test numbers are used. A [Card] is an index into their table; printed
// it shows first six and last four digits, and nothing here logs more.
//
// # Time and chance
//
// The clock, the waits and the random numbers are given from outside, so that a
// fleet does the same again for the same seed, and a test need not wait.
package sim
