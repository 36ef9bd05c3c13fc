// SPDX-License-Identifier: Apache-2.0

package console

import (
	"fmt"
	"net/http"
	"time"
)

const (
	// maxStreams bounds the event streams that are open at once; a stream costs a
	// connection and a goroutine. One more is refused and its page still works.
	maxStreams = 512
	// leastGap is how long changes are gathered before a page is told, and how long
	// the fleet is kept: faster than that nobody reads.
	leastGap = time.Second
	// tick is how often a quiet stream says that it lives; pages then also renew
	// what depends on the time alone.
	tick = 20 * time.Second
)

// live is the stream of changes: an event "change" when something changed, "tick"
// when nothing did for a while, each with the clock time as its data.
func (c *console) live(w http.ResponseWriter, r *http.Request) {
	select {
	case c.streams <- struct{}{}:
		defer func() { <-c.streams }()
	default:
		w.Header().Set("Retry-After", "60")
		http.Error(w, "too many live pages; reload to see changes", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // proxies must not wait for more
	if r.Method == http.MethodHead {
		return
	}
	changes := c.Source.Watch(r.Context())
	timer := time.NewTicker(tick)
	defer timer.Stop()
	for open := c.tell(w, "tick"); open; {
		name := "change"
		select {
		case <-r.Context().Done():
			return
		case _, more := <-changes:
			if !more || !pause(r, leastGap) {
				return
			}
		case <-timer.C:
			name = "tick"
		}
		open = c.tell(w, name)
	}
}

// tell writes one event; false if the client is gone.
func (c *console) tell(w http.ResponseWriter, name string) bool {
	out := http.NewResponseController(w)
	if err := out.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return false
	}
	if _, err := fmt.Fprintf(w, "event: %s\ndata: %s\n\n", name, c.Now().Format(time.TimeOnly)); err != nil {
		return false
	}
	return out.Flush() == nil
}

// pause waits; false if the request ended meanwhile.
func pause(r *http.Request, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-r.Context().Done():
		return false
	case <-timer.C:
		return true
	}
}
