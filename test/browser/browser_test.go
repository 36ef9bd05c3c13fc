// SPDX-License-Identifier: Apache-2.0

// Package browser_test runs the tests of the console that need a real browser:
// console.test.mjs, with Node and Chromium.
package browser_test

import (
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/tillmend/tillmend/internal/console"
	"github.com/tillmend/tillmend/internal/console/consoletest"
	"github.com/tillmend/tillmend/internal/explain"
	"github.com/tillmend/tillmend/internal/knowledge"
)

// chromiumPaths are where systems put the browser.
var chromiumPaths = []string{"chromium", "chromium-browser", "google-chrome"}

// TestConsoleInABrowser serves a console over a fleet in memory and lets Node look
// at it. It is skipped unless asked for; when it is, nothing may be missing.
func TestConsoleInABrowser(t *testing.T) {
	if os.Getenv("CI") != "true" && os.Getenv("TILLMEND_BROWSER") != "1" {
		t.Skip("needs a browser: set TILLMEND_BROWSER=1, run npm ci in test/browser, install Chromium")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatalf("Node is missing: %v", err)
	}
	if _, err := os.Stat("node_modules/playwright-core"); errors.Is(err, fs.ErrNotExist) {
		t.Fatal("node_modules is missing: run npm ci in test/browser")
	}
	address := serve(t)
	run := exec.CommandContext(t.Context(), node, "--test", "--test-reporter=spec", "console.test.mjs")
	run.Env = append(os.Environ(), "TILLMEND_URL="+address, "TILLMEND_CHANGE="+address+"/test/change", "CHROMIUM="+chromium(t))
	out, err := run.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
}

func chromium(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("CHROMIUM"); path != "" {
		return path
	}
	for _, name := range chromiumPaths {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatalf("no browser: none of %v is on the path; set CHROMIUM", chromiumPaths)
	return ""
}

// serve starts the console with a switch that breaks a terminal.
func serve(t *testing.T) string {
	t.Helper()
	b, err := knowledge.Default()
	if err != nil {
		t.Fatal(err)
	}
	f := consoletest.New(b, time.Date(2026, 6, 3, 10, 44, 7, 0, time.FixedZone("", 8*60*60)))
	h, err := console.New(console.Options{Source: f, Base: b, Explain: explain.New(b), Now: f.Now})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", h)
	mux.HandleFunc("POST /test/change", func(w http.ResponseWriter, _ *http.Request) {
		f.Play(consoletest.Break(consoletest.Healthy))
		w.WriteHeader(http.StatusNoContent)
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := console.NewServer(t.Context(), mux)
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("serve: %v", err)
		}
	})
	return "http://" + l.Addr().String()
}
