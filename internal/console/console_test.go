// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tillmend/tillmend/internal/console"
	"github.com/tillmend/tillmend/internal/console/consoletest"
	"github.com/tillmend/tillmend/internal/diagnosis"
	"github.com/tillmend/tillmend/internal/explain"
	"github.com/tillmend/tillmend/internal/knowledge"
)

// at is when the tests look at the fleet: a morning in the zone of the terminals.
var at = time.Date(2026, 6, 3, 10, 44, 7, 0, time.FixedZone("", 8*60*60))

var shipped = sync.OnceValues(func() (*knowledge.Base, *explain.Index) {
	b, err := knowledge.Default()
	if err != nil {
		panic(err)
	}
	return b, explain.New(b)
})

// site is a console over a fleet.
type site struct {
	*consoletest.Fleet
	h   http.Handler
	log *bytes.Buffer
}

func open(t *testing.T, change ...func(*console.Options)) *site {
	t.Helper()
	b, ix := shipped()
	return openOver(t, consoletest.New(b, at), ix, change...)
}

func openOver(t *testing.T, f *consoletest.Fleet, ix *explain.Index, change ...func(*console.Options)) *site {
	t.Helper()
	b, _ := shipped()
	s := &site{Fleet: f, log: &bytes.Buffer{}}
	o := console.Options{Source: f, Base: b, Explain: ix, Now: f.Now, Log: slog.New(slog.NewTextHandler(s.log, nil))}
	for _, c := range change {
		c(&o)
	}
	h, err := console.New(o)
	if err != nil {
		t.Fatal(err)
	}
	s.h = h
	return s
}

func (s *site) get(target string, header ...string) *httptest.ResponseRecorder {
	return s.do(http.MethodGet, target, header...)
}

func (s *site) do(method, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.h.ServeHTTP(w, r)
	return w
}

// page gets a page that must be there.
func (s *site) page(t *testing.T, target string, header ...string) string {
	t.Helper()
	w := s.get(target, header...)
	if w.Code != http.StatusOK {
		t.Fatalf("GET %s: status %d, want 200; log:\n%s", target, w.Code, s.log)
	}
	return w.Body.String()
}

// text is a page as a reader sees it: without tags, with single spaces.
func text(page string) string {
	page = regexp.MustCompile(`(?s)<head>.*?</head>|<[^>]*>`).ReplaceAllString(page, " ")
	return strings.Join(strings.Fields(html.UnescapeString(page)), " ")
}

func wantText(t *testing.T, page string, parts ...string) {
	t.Helper()
	got := text(page)
	for _, p := range parts {
		if !strings.Contains(got, p) {
			t.Errorf("page lacks %q; it says:\n%s", p, got)
		}
	}
}

// links gives the addresses that a page leads to.
func links(page string) []string {
	var list []string
	for _, m := range regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		list = append(list, html.UnescapeString(m[1]))
	}
	return list
}

func TestNewNamesWhatIsMissing(t *testing.T) {
	b, ix := shipped()
	f := consoletest.Empty(b, at)
	for want, o := range map[string]console.Options{
		"Source": {Base: b, Explain: ix}, "Base": {Source: f, Explain: ix}, "Explain": {Source: f, Base: b},
	} {
		if _, err := console.New(o); err == nil || !strings.Contains(err.Error(), "Options."+want+" is nil") {
			t.Errorf("without %s: error %v, want one that names it", want, err)
		}
	}
}

// TestEveryPageLeadsOn walks the whole site from its front page: every link leads
// to a page that is there, in both languages, and no template fails.
func TestEveryPageLeadsOn(t *testing.T) {
	for _, lang := range []string{"zh", "en"} {
		t.Run(lang, func(t *testing.T) {
			s := open(t)
			seen := map[string]bool{"/": true}
			for queue := []string{"/"}; len(queue) > 0; queue = queue[1:] {
				w := s.get(queue[0], "Cookie", "lang="+lang)
				if w.Code != http.StatusOK {
					t.Fatalf("GET %s: status %d", queue[0], w.Code)
				}
				for _, l := range links(w.Body.String()) {
					l, _, _ = strings.Cut(l, "#")
					if l != "" && !seen[l] && !strings.Contains(l, "lang=") && len(seen) < 600 {
						seen[l] = true
						queue = append(queue, l)
					}
				}
			}
			if s.log.Len() > 0 {
				t.Errorf("log:\n%s", s.log)
			}
			for _, must := range []string{"/terminals/10000201", "/terminals?page=2", "/terminals?status=blocked", "/terminals.csv", "/health"} {
				if !seen[must] {
					t.Errorf("no page leads to %s", must)
				}
			}
		})
	}
}

func TestOverview(t *testing.T) {
	s := open(t)
	page := s.page(t, "/")
	counts := map[diagnosis.Status]int{}
	for _, d := range s.Terminals() {
		counts[d.Status]++
	}
	for status, word := range map[diagnosis.Status]string{
		diagnosis.Blocked: "■ 不能收款", diagnosis.Offline: "○ 失联", diagnosis.Attention: "▲ 需留意", diagnosis.Unknown: "? 未知", diagnosis.OK: "● 正常",
	} {
		if counts[status] == 0 {
			t.Errorf("the fleet has no terminal with status %s", status)
		}
		wantText(t, page, fmt.Sprintf("%s %d", word, counts[status]))
		if !slices.Contains(links(page), "/terminals?status="+string(status)) {
			t.Errorf("no link to the terminals with status %s", status)
		}
	}
	wantText(t, page, fmt.Sprintf("现在有 %d 台终端不能收款。", counts[diagnosis.Blocked]), "最多的原因", "今天还没签到 4 台，其中 4 台已确认到可以处理 4 收银员",
		"轮到谁", "收单机构", "71 条连接 · 旁路记下 128,456 条，丢 0 条 · 日志位置 128456")
	wantText(t, s.page(t, "/", "Accept-Language", "en-GB"), "Not signed in today", "71 connections · tap recorded 128,456, dropped 0")
}

func TestOverviewWithoutTerminals(t *testing.T) {
	b, ix := shipped()
	s := openOver(t, consoletest.Empty(b, at), ix)
	wantText(t, s.page(t, "/"), "还没有看到任何终端")
	wantText(t, s.page(t, "/terminals"), "还没有看到任何终端")
}

func TestOverviewTellsOwnProblems(t *testing.T) {
	s := open(t)
	s.SetHealth(func(h *console.Health) {
		h.Dropped, h.Journal.Fault, h.Journal.Lag = 3, "no space left on device", 99
		h.Listeners[0].Hosts[0].Failing = true
	})
	wantText(t, s.page(t, "/"), "日志写不进去", "网关连不上一个主机", "有报文没能记下来", "判断落后于交易", "no space left on device", "pos → main")
	var got struct {
		Status   string
		Problems []console.Problem
		Dropped  uint64
	}
	if err := json.Unmarshal(s.get("/health").Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := []console.Problem{console.ProblemJournal, console.ProblemHost, console.ProblemDropped, console.ProblemBehind}
	if got.Status != "degraded" || got.Dropped != 3 || !slices.Equal(got.Problems, want) {
		t.Errorf("/health: %+v, want degraded with %v", got, want)
	}
	if body := open(t).page(t, "/healthz"); body != "ok\n" {
		t.Errorf("/healthz: %q", body)
	}
}
