// SPDX-License-Identifier: Apache-2.0

package console

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"runtime/debug"
	"time"
)

// pageTimeout is how long a page may take to be made. Streams are not pages.
const pageTimeout = 10 * time.Second

// policy lets a page load what this server serves, and nothing else: no inline
// script or style, no frames, no forms to elsewhere.
const policy = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"

// requestKey is the context key of a request's number.
type requestKey struct{}

// numberOf gives the number of a request, which the answer and the log share.
func numberOf(r *http.Request) string {
	id, _ := r.Context().Value(requestKey{}).(string)
	return id
}

// guard numbers requests, sets the headers that protect a reader, refuses what is
// no reading, and turns a panic into an error page.
func (c *console) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var number [8]byte
		_, _ = rand.Read(number[:]) // never fails
		id := hex.EncodeToString(number[:])
		r = r.WithContext(context.WithValue(r.Context(), requestKey{}, id))
		h := w.Header()
		h.Set("X-Request-Id", id)
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		h.Set("Cache-Control", "no-store")
		defer c.rescue(w, r)
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			h.Set("Allow", "GET, HEAD")
			c.fail(w, r, http.StatusMethodNotAllowed)
			return
		case len(r.URL.Path)+len(r.URL.RawQuery) > maxAddressBytes:
			c.fail(w, r, http.StatusRequestURITooLong)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, 0)
		next.ServeHTTP(w, r)
	})
}

// rescue, deferred, turns a panic into the error page.
func (c *console) rescue(w http.ResponseWriter, r *http.Request) {
	if what := recover(); what != nil {
		c.Log.ErrorContext(r.Context(), "console: panic", "request", numberOf(r), "path", r.URL.Path, "panic", what, "stack", string(debug.Stack()))
		c.fail(w, r, http.StatusInternalServerError)
	}
}

// fail answers with the error page for a status.
func (c *console) fail(w http.ResponseWriter, r *http.Request, status int) {
	q := c.request(r)
	c.write(w, q, &page{Template: "error", Status: status, Title: q.T("error.title"), Body: failure{status, numberOf(r), failureText(q, status)}})
}

// failure is what the error page shows.
type failure struct {
	Status  int
	Request string
	Text    string
}

func failureText(q *request, status int) string {
	switch status {
	case http.StatusMethodNotAllowed:
		return q.T("error.method")
	case http.StatusRequestURITooLong:
		return q.T("error.long")
	case http.StatusGatewayTimeout:
		return q.T("error.slow")
	}
	return q.T("error.internal")
}
