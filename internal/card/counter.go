// SPDX-License-Identifier: Apache-2.0

package card

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"hash"
	"strings"
	"sync"
	"time"
)

const (
	// maxCards is how many cards a counter tells apart before it begins anew: about 50 MB.
	maxCards = 1 << 20
	// maxTerminal is how many bytes of a terminal's id count; ids on the wire have 8.
	maxTerminal = 64
	// keySize is the size of the random key in bytes, that of the hash.
	keySize = sha256.Size
)

// Counter numbers the cards seen at each terminal in a day: 1 for the first, 2 for the
// next new one. Whether one card fails or all of them is the question that tells a card
// problem from a terminal problem, and it needs no card number to be kept.
//
// Cards are recognised by a keyed hash. The key is random, dies with the process, and is
// replaced every day and whenever there are too many cards; the numbers then begin
// again at 1. Neither key nor hash can be had from outside. A Counter may be used by
// any number of goroutines.
type Counter struct {
	mu       sync.Mutex
	day      int64 // the day that the numbers belong to, in days of the local calendar
	mac      hash.Hash
	ordinals map[tag]uint16    // the number of each card at its terminal
	cards    map[string]uint16 // how many cards each terminal has seen
	limit    int
	scratch  [maxTerminal + 1 + maxDigits]byte // what is hashed; wiped after use
	sum      [sha256.Size]byte
}

// tag recognises one card at one terminal: 128 bits of the keyed hash.
type tag [16]byte

// NewCounter makes a counter with a fresh key.
func NewCounter() *Counter {
	c := &Counter{limit: maxCards}
	c.renew()
	return c
}

// Format writes the same few words whatever the verb, so that no key is printed.
func (c *Counter) Format(s fmt.State, _ rune) { writeMasked(s, "(counter of cards)") }

// renew forgets everything, the key first.
func (c *Counter) renew() {
	var key [keySize]byte
	_, _ = rand.Read(key[:]) // never fails: the runtime ends the process first
	c.mac = hmac.New(sha256.New, key[:])
	clear(key[:])
	c.ordinals = make(map[tag]uint16)
	c.cards = make(map[string]uint16)
}

// Ordinal gives the number of the card at the terminal on the day of now. It gives 0
// for no card, and stays at 65,535 when a terminal sees more. It copies nothing of pan,
// and allocates nothing for a card seen before.
func (c *Counter) Ordinal(terminal string, pan []byte, now time.Time) uint16 {
	if len(pan) == 0 || len(pan) > maxDigits {
		return 0
	}
	_, offset := now.Zone()
	day := (now.Unix() + int64(offset)) / (24 * 60 * 60)

	c.mu.Lock()
	defer c.mu.Unlock()
	if day > c.day { // never back: a late event must not throw the new day away
		if c.day != 0 {
			c.renew()
		}
		c.day = day
	}
	t := c.tag(terminal, pan)
	if n, ok := c.ordinals[t]; ok {
		return n
	}
	if len(c.ordinals) >= c.limit {
		c.renew()
		t = c.tag(terminal, pan)
	}
	n := c.cards[terminal]
	if n < 1<<16-1 {
		n++
	}
	c.cards[strings.Clone(terminal)] = n
	c.ordinals[t] = n
	return n
}

// tag hashes terminal and card.
func (c *Counter) tag(terminal string, pan []byte) (t tag) {
	n := copy(c.scratch[:maxTerminal], terminal)
	c.scratch[n] = 0 // keeps terminal and card apart
	n++
	n += copy(c.scratch[n:], pan)
	c.mac.Reset()
	c.mac.Write(c.scratch[:n])
	clear(c.scratch[:])
	copy(t[:], c.mac.Sum(c.sum[:0]))
	return t
}
