// SPDX-License-Identifier: Apache-2.0

// Package estate says who and where: the identities that everything else
// speaks of. It is on the lowest floor, so that a payment message, a state, a
// finding and a page all mean the same terminal by the same value.
package estate

// TerminalID is the terminal number that a message carries in DE41, eight
// characters. Traffic that never named a terminal is kept under the address it
// came from, written as [Unnamed] does.
type TerminalID string

// MerchantID is the merchant number that a message carries in DE42, fifteen
// characters.
type MerchantID string

// unnamedPrefix starts the identity of a peer that never named a terminal. DE41
// is ans8, so no terminal number can be as long as the prefix and an address.
const unnamedPrefix = "unnamed@"

// Unnamed gives the identity of a peer, an IP address, whose traffic never
// named a terminal: a device whose connection fails before its first message
// must not vanish from the list.
func Unnamed(host string) TerminalID {
	return TerminalID(unnamedPrefix + host)
}

// IsUnnamed reports whether id stands for a peer that never named a terminal.
func (id TerminalID) IsUnnamed() bool {
	return len(id) > len(unnamedPrefix) && id[:len(unnamedPrefix)] == unnamedPrefix
}
