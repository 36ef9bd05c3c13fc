// SPDX-License-Identifier: Apache-2.0

package console

import (
	"encoding/json"
	"net/http"
	"time"
)

// Health is the figures of the parts behind the console, as of now.
type Health struct {
	Started   time.Time  `json:"started"`
	Listeners []Listener `json:"listeners"`
	// Recorded and Dropped count the messages that the tap saw since the start:
	// those it passed on to be recorded, and those it could not. A dropped message
	// reached the host all the same.
	Recorded uint64  `json:"recorded"`
	Dropped  uint64  `json:"dropped"`
	Journal  Journal `json:"journal"`
}

// Listener is one address of the gateway.
type Listener struct {
	Name  string `json:"name"`
	Open  int    `json:"open"` // connections that terminals have open
	Hosts []Host `json:"hosts"`
}

// Host is one host that a listener forwards to.
type Host struct {
	Name    string `json:"name"`
	Address string `json:"address"`
	Failing bool   `json:"failing"` // the last try to connect failed
}

// Journal is how far recording and judging have come.
type Journal struct {
	Position string    `json:"position,omitempty"` // of the newest record, for people
	Last     time.Time `json:"last,omitzero"`      // when the newest record happened; zero: none yet
	Lag      uint64    `json:"lag"`                // batches recorded and not yet judged
	Fault    string    `json:"fault,omitempty"`    // why nothing can be recorded now; empty: it can
}

// lagNoticed is the lag, in batches, from which pages say that they are behind.
// Natural batching keeps it near zero; a burst after an outage passes it.
const lagNoticed = 50

// Problem is something wrong with Tillmend itself, not with a terminal.
type Problem string

// The problems.
const (
	ProblemDropped Problem = "dropped"      // messages went through unrecorded
	ProblemHost    Problem = "host_failing" // the gateway cannot reach a host
	ProblemJournal Problem = "journal"      // nothing can be recorded
	ProblemBehind  Problem = "behind"       // judging is behind recording
)

// Problems lists what is wrong, worst first.
func (h *Health) Problems() []Problem {
	var list []Problem
	add := func(is bool, p Problem) {
		if is {
			list = append(list, p)
		}
	}
	add(h.Journal.Fault != "", ProblemJournal)
	add(h.hostFails(), ProblemHost)
	add(h.Dropped > 0, ProblemDropped)
	add(h.Journal.Lag >= lagNoticed, ProblemBehind)
	return list
}

func (h *Health) hostFails() bool {
	for _, l := range h.Listeners {
		for _, host := range l.Hosts {
			if host.Failing {
				return true
			}
		}
	}
	return false
}

// Open counts the connections that terminals have open.
func (h *Health) Open() int {
	n := 0
	for _, l := range h.Listeners {
		n += l.Open
	}
	return n
}

// health answers with the figures as JSON, always with status 200: what is wrong
// behind the console is data, not a failure of the console.
func (c *console) health(w http.ResponseWriter, _ *http.Request) {
	h := c.Source.Health()
	problems := h.Problems()
	status := "ok"
	if len(problems) > 0 {
		status = "degraded"
	}
	c.writeJSON(w, struct {
		Status   string    `json:"status"`
		Problems []Problem `json:"problems"`
		At       time.Time `json:"at"`
		Health
	}{status, append([]Problem{}, problems...), c.Now(), h})
}

// alive answers that the console itself serves.
func (c *console) alive(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n")) // the client is gone if this fails
}

// writeJSON answers with v, indented for people.
func (c *console) writeJSON(w http.ResponseWriter, v any) {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		c.Log.Error("console: encode JSON", "err", err) // unreachable: plain structs
		http.Error(w, "cannot encode", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(append(text, '\n')) // the client is gone if this fails
}
