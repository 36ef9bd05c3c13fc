// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestLists checks which terminals each filter lets pass, in which order.
func TestLists(t *testing.T) {
	s := open(t)
	for _, c := range []struct{ query, want string }{
		{"status=offline", "10000206"},
		{"status=offline,unknown", "10000206 10000207"},
		{"cause=TERM-CLONE", "10000201"},
		{"cause=OP-NOT-SIGNED-IN&sort=-terminal", "10000223 10000222 10000221 10000209"},
		{"cause=OP-NOT-SIGNED-IN&sort=since", "10000223 10000222 10000221 10000209"},
		{"cause=OP-NOT-SIGNED-IN&sort=-since", "10000209 10000221 10000222 10000223"},
		{"actor=acquirer&cause=TERM-CLONE,TERM-NOT-REGISTERED&sort=terminal", "10000201 10000202 10000224"},
		{"actor=clerk&cause=TERM-CLONE", ""},
		{"actor=acquirer,service_provider&q=1&sort=-actor&cause=TERM-CLONE,TERM-CERT", "unnamed@198.51.100.77 10000201"},
		{"q=898000000000201", "10000201"},
		{"q=UNNAMED", "unnamed@198.51.100.77"},
		{"status=attention&q=10", "10000205 10000210"},
		{"status=blocked&cause=CARD-FUNDS", ""},
	} {
		var rows []struct{ Terminal string }
		if err := json.Unmarshal(s.get("/terminals.json?"+c.query).Body.Bytes(), &rows); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range rows {
			got = append(got, r.Terminal)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s", c.query, got, c.want)
		}
		var shown []string
		for _, m := range regexp.MustCompile(`<th scope="row" class="c-id"><a href="/terminals/([^"]*)"`).FindAllStringSubmatch(s.page(t, "/terminals?"+c.query), -1) {
			id, err := url.PathUnescape(m[1])
			if err != nil {
				t.Fatal(err)
			}
			shown = append(shown, id)
		}
		if !slices.Equal(shown, got) {
			t.Errorf("%s: the page shows %v, JSON has %v", c.query, shown, got)
		}
	}
}

// TestListShowsOnePageAtATime: a page has 50 terminals, the exports have all.
func TestListShowsOnePageAtATime(t *testing.T) {
	s := open(t)
	all := len(s.Terminals())
	first, second, beyond := s.page(t, "/terminals"), s.page(t, "/terminals?page=2"), s.page(t, "/terminals?page=999")
	if a, b := strings.Count(first, "<tr data-row>"), strings.Count(second, "<tr data-row>"); a != 50 || a+b != all {
		t.Errorf("pages have %d and %d rows, want 50 and %d", a, b, all-50)
	}
	if strings.Count(beyond, "<tr data-row>") != all-50 {
		t.Error("a page beyond the last does not show the last")
	}
	wantText(t, first, fmt.Sprintf("第 1–50 台，共 %d 台", all))
	if rows := strings.Count(s.get("/terminals.csv?page=2").Body.String(), "\n"); rows != all+1 {
		t.Errorf("CSV has %d lines, want %d", rows, all+1)
	}
}

func TestListReportsWhatItIgnores(t *testing.T) {
	page := open(t).page(t, "/terminals?status=blocked,broken&cause=NO-SUCH&actor=me&sort=size&page=-1&city=%3Cb%3E")
	wantText(t, page, "status=broken", "cause=NO-SUCH", "actor=me", "sort=size", "page=-1", "city=<b>")
	if strings.Contains(page, "city=<b>") {
		t.Error("the address is shown unescaped")
	}
}

func TestListWithoutMatchOffersTheNearest(t *testing.T) {
	page := open(t).page(t, "/terminals?status=offline&cause=TERM-CLONE")
	wantText(t, page, "没有符合条件的终端", "去掉「状态：失联」 → 1 台", "去掉「原因：", "清除筛选")
	if !slices.Contains(links(page), "/terminals?cause=TERM-CLONE") {
		t.Error("no link to the list without the status")
	}
}

func TestExportsAreSafeAndComplete(t *testing.T) {
	s := open(t)
	w := s.get("/terminals.csv?q=script")
	body := strings.TrimPrefix(w.Body.String(), "\uFEFF")
	if body == w.Body.String() {
		t.Error("no mark of UTF-8 at the start")
	}
	rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil || len(rows) != 2 {
		t.Fatalf("rows %v, error %v; want the heading and one terminal", rows, err)
	}
	if rows[1][1] != "'=1+1<script>a" {
		t.Errorf("merchant %q can be taken for a formula", rows[1][1])
	}
	var list []map[string]any
	if err := json.Unmarshal(s.get("/terminals.json?cause=TERM-CLONE&lang=en").Body.Bytes(), &list); err != nil {
		t.Fatal(err)
	}
	got := list[0]
	if got["status"] != "blocked" || got["actor"] != "acquirer" || got["title"] != "Cloned or swapped terminal number: two machines use it" ||
		got["confidence"] != "certain" || got["last_payment"] != "2026-06-03T09:35:27.32+08:00" {
		t.Errorf("JSON: %v", got)
	}
}
