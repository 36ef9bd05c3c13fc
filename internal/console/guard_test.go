// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/tillmend/tillmend/internal/console"
	"github.com/tillmend/tillmend/internal/console/consoletest"
	"github.com/tillmend/tillmend/internal/terminal"
)

// TestWireTextIsNoMarkup shows what came over the wire on every kind of page.
func TestWireTextIsNoMarkup(t *testing.T) {
	s := open(t)
	pages := []string{"/", "/terminals", "/terminals?q=%3Cb%3E", "/terminals/" + url.PathEscape(string(consoletest.Hostile)), "/explain?q=%3Cscript%3Ealert(1)%3C/script%3E"}
	for _, l := range links(s.page(t, pages[3])) {
		if strings.HasPrefix(l, "/events/") {
			pages = append(pages, l)
		}
	}
	if len(pages) < 6 {
		t.Fatal("no record of the hostile terminal")
	}
	for _, p := range pages {
		page := s.page(t, p)
		for _, bad := range []string{"<b>\"", "<img", "<script>a", "onerror=alert(1)>"} {
			if strings.Contains(page, bad) {
				t.Errorf("%s contains %s", p, bad)
			}
		}
	}
}

func TestFragmentIsTheMainRegionAlone(t *testing.T) {
	s := open(t)
	part := s.page(t, "/terminals?status=blocked&fragment=1")
	whole := s.page(t, "/terminals?status=blocked")
	if !strings.HasPrefix(part, `<main id="main" tabindex="-1" data-at="10:44:07" data-live>`) || !strings.Contains(whole, strings.TrimSpace(part)) {
		t.Errorf("the fragment is not the main region of the page:\n%.300s", part)
	}
}

func TestGuard(t *testing.T) {
	s := open(t)
	for _, target := range []string{"/", "/nope", "/health", "/terminals.csv"} {
		h := s.get(target).Header()
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
			"X-Content-Type-Options":  "nosniff", "Referrer-Policy": "same-origin", "Cache-Control": "no-store", "X-Frame-Options": "DENY",
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", target, name, got, want)
			}
		}
	}
	if page := s.page(t, "/terminals/10000201"); regexp.MustCompile(`<style|style="|<script>|\son\w+=`).MatchString(page) {
		t.Error("the page has inline style or script, which its policy forbids")
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS"} {
		if w := s.do(method, "/terminals"); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: status %d, Allow %q", method, w.Code, w.Header().Get("Allow"))
		}
	}
	for _, target := range []string{"/", "/live"} {
		if w := s.do(http.MethodHead, target); w.Code != http.StatusOK {
			t.Errorf("HEAD %s: status %d", target, w.Code)
		}
	}
	if w := s.get("/terminals?q=" + strings.Repeat("x", 5000)); w.Code != http.StatusRequestURITooLong {
		t.Errorf("a long address: status %d", w.Code)
	}
}

func TestAssets(t *testing.T) {
	s := open(t)
	page := s.page(t, "/")
	for _, m := range regexp.MustCompile(`(?:href|src)="(/assets/[^"#]*)`).FindAllStringSubmatch(page, -1) {
		w := s.get(m[1])
		if w.Code != http.StatusOK || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: status %d, %q", m[1], w.Code, w.Header().Get("Cache-Control"))
		}
		if strings.HasSuffix(m[1], ".js") && w.Body.Len() > 3<<10 {
			t.Errorf("%s has %d bytes; a module has at most 3 KiB", m[1], w.Body.Len())
		}
	}
	if w := s.get("/assets/000000/console.css"); w.Code != http.StatusNotFound {
		t.Errorf("an old address of an asset: status %d, want 404", w.Code)
	}
}

// broken is a source whose records cannot be read.
type broken struct {
	*consoletest.Fleet
	err error
}

func (b broken) Event(context.Context, terminal.EventID) (terminal.Event, error) {
	if b.err == nil {
		panic("disk on fire")
	}
	return terminal.Event{}, b.err
}

func TestFailuresCarryTheNumberOfTheRequest(t *testing.T) {
	b, _ := shipped()
	for err, want := range map[error]int{
		errors.New("secret detail"): http.StatusInternalServerError, context.DeadlineExceeded: http.StatusGatewayTimeout,
		nil: http.StatusInternalServerError,
	} {
		s := open(t, func(o *console.Options) { o.Source = broken{consoletest.Empty(b, at), err} })
		w := s.get("/events/e1")
		id := w.Header().Get("X-Request-Id")
		if w.Code != want || len(id) != 16 {
			t.Errorf("%v: status %d, request %q; want %d", err, w.Code, id, want)
		}
		wantText(t, w.Body.String(), id)
		if !strings.Contains(s.log.String(), id) || strings.Contains(w.Body.String(), "secret") || strings.Contains(w.Body.String(), "fire") {
			t.Errorf("%v: the log must tell what the page must not:\n%s", err, s.log)
		}
	}
}

func TestDemoIsSaidOnEveryPage(t *testing.T) {
	s := open(t, func(o *console.Options) { o.Demo = true })
	for _, p := range []string{"/", "/terminals", "/terminals/10000201", "/explain"} {
		wantText(t, s.page(t, p), "演示数据")
	}
}
