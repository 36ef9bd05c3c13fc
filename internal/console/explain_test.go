// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestExplain(t *testing.T) {
	s := open(t)
	wantText(t, s.page(t, "/explain"), "屏幕上写着什么？", "试试：", "商户状态异常")
	wantText(t, s.page(t, "/explain?q=97"), "终端号没有登记", "谁来办 收单机构", "不要做", "先问一句", "根据 通用码表 97", "其他可能")
	wantText(t, s.page(t, "/explain?q=97&lang=en"), "The terminal is not registered", "One question that would tell", "Rests on common codes 97", "about 1 min)")
	wantText(t, s.page(t, "/explain?q=8980000000002"), "号码对得上的终端", "■ 10000201")
	page := s.page(t, "/explain?q=54&acquirer=acquirer:yisheng")
	if !strings.Contains(page, `value="acquirer:yisheng" selected`) {
		t.Error("the acquirer that was chosen is not")
	}
	if w := s.get("/explain?q=+10000201"); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/terminals/10000201" {
		t.Errorf("the number of a terminal leads to %d %s", w.Code, w.Header().Get("Location"))
	}
}

func TestLost(t *testing.T) {
	s := open(t)
	for target, want := range map[string]string{
		"/terminals/10000299": "相近的终端号", "/events/e99999999": "e99999999", "/events/4711": "没有找到「4711」", "/nope": "没有这个页面",
		"/terminals/%3Cscript%3E": "<script>",
	} {
		w := s.get(target)
		if w.Code != http.StatusNotFound {
			t.Errorf("GET %s: status %d, want 404", target, w.Code)
		}
		wantText(t, w.Body.String(), want)
		if strings.Contains(w.Body.String(), "<script>") {
			t.Errorf("GET %s: unescaped", target)
		}
	}
	if !strings.Contains(s.get("/terminals/10000299").Body.String(), `value="10000299"`) {
		t.Error("the search is not ready for the missing number")
	}
}

func TestLanguages(t *testing.T) {
	s := open(t)
	for _, c := range []struct {
		target string
		header []string
		want   string
	}{
		{"/", nil, "总览"},
		{"/", []string{"Accept-Language", "zh-TW"}, "总览"},
		{"/", []string{"Accept-Language", "en-US,en;q=0.9"}, "Overview"},
		{"/", []string{"Accept-Language", "fr"}, "Overview"},
		{"/", []string{"Accept-Language", "en", "Cookie", "lang=zh"}, "总览"},
		{"/?lang=en", []string{"Cookie", "lang=zh"}, "Overview"},
		{"/?lang=xx", nil, "总览"},
	} {
		wantText(t, s.page(t, c.target, c.header...), c.want)
	}
	w := s.get("/?lang=en")
	if c := w.Header().Get("Set-Cookie"); !strings.HasPrefix(c, "lang=en;") || !strings.Contains(c, "HttpOnly") {
		t.Errorf("cookie %q", c)
	}
	if !slices.Contains(links(s.page(t, "/terminals?q=1&fragment=0")), "/terminals?lang=en&q=1") {
		t.Error("no link to the same page in the other language")
	}
}
