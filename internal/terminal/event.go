// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"strconv"
	"time"

	"github.com/tillmend/tillmend/internal/estate"
	"github.com/tillmend/tillmend/internal/txn"
)

// EventID is the place of an event in the journal, or its number in a replayed
// file. It grows with time and names one event for ever.
type EventID uint64

// String gives the form that evidence cites and pages link to, such as e4711.
func (id EventID) String() string { return "e" + strconv.FormatUint(uint64(id), 10) }

// ParseEventID is the inverse of String; ok is false for anything else.
func ParseEventID(s string) (id EventID, ok bool) {
	if len(s) < 2 || s[0] != 'e' {
		return 0, false
	}
	n, err := strconv.ParseUint(s[1:], 10, 64)
	return EventID(n), err == nil
}

// Event is an immutable fact with a time and a terminal: an attempt or a
// connection event. Exactly one of Attempt and Link is set.
type Event struct {
	ID       EventID           `json:"-"` // its place, given by what stores it
	Terminal estate.TerminalID `json:"terminal"`
	Attempt  *txn.Attempt      `json:"attempt,omitempty"`
	Link     *txn.Link         `json:"link,omitempty"`
}

// At is when the event happened.
func (e *Event) At() time.Time {
	switch {
	case e.Attempt != nil:
		return e.Attempt.At.Add(e.Attempt.Latency)
	case e.Link != nil:
		return e.Link.At
	}
	return time.Time{}
}
