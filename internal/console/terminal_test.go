// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/tillmend/tillmend/internal/console"
	"github.com/tillmend/tillmend/internal/console/consoletest"
	"github.com/tillmend/tillmend/internal/diagnosis"
	"github.com/tillmend/tillmend/internal/estate"
	"github.com/tillmend/tillmend/internal/terminal"
)

func TestTerminalPages(t *testing.T) {
	s := open(t)
	for id, want := range map[estate.TerminalID][]string{
		consoletest.Clone: {
			"■ 不能收款 从 09:56:07 · 已 47 分钟", "两台机器在用同一个终端号（克隆或装错）", "把握： 确定（", "条支持，0 条相反）", "现在做什么", "谁来办 收单机构",
			"不要做", "怎样算证实", "✔ 另一台机器用同一个终端号签到", "八个方面", "■ 问题在这里", "最近 10 次往来", "批次号和签到时不一样", "UTC+08:00",
		},
		consoletest.Reversing: {"待冲正", "¥256.80", "流水号 000403", "不要让客人再付一次"},
		consoletest.OneCard:   {"● 正常", "终端正常；有客人的卡被拒", "卡里可用的钱不够", "对这位客人怎么办"},
		consoletest.Recovered: {"● 正常", "已经恢复", "之前是："},
		consoletest.Quiet:     {"○ 失联", "06-02 03:"},
		consoletest.Stale:     {"? 未知", "没有足够的新数据来判断"},
		consoletest.Faulty:    {"▲ 需留意", "自报故障：读卡器"},
		consoletest.Healthy:   {"● 正常", "没有发现问题"},
		consoletest.Secure:    {"这个地址还没有报出终端号", "连续 5 次没带来报文（终端一侧安全连接失败）"},
	} {
		wantText(t, s.page(t, "/terminals/"+url.PathEscape(string(id))), want...)
	}
	wantText(t, s.page(t, "/terminals/10000201?lang=en"), "■ Cannot take payments since 09:56:07 · for 47 min",
		"Cloned or swapped terminal number: two machines use it", "Confidence: Certain (", "0 against)", "Who acts Acquirer")
	for _, d := range s.Terminals() {
		if d.Status == diagnosis.Blocked && d.Next.Question != nil {
			wantText(t, s.page(t, "/terminals/"+url.PathEscape(string(d.Terminal))), "还不清楚为什么 最像：", "先查一件事： "+d.Next.Question.Ask.ZH, "如果就是上面这个最像的原因：")
		}
	}
	if strings.Contains(s.page(t, "/terminals/10000204"), "不要让客人再付") {
		t.Error("a declined payment is in no doubt")
	}
}

// TestEvidenceOpensItsRecord follows every link of every terminal's page to a
// record: it is the record of that number, and one that the page's terminal or
// the scope it speaks of took part in.
func TestEvidenceOpensItsRecord(t *testing.T) {
	s := open(t)
	followed := 0
	for _, d := range s.Terminals() {
		page := s.page(t, "/terminals/"+url.PathEscape(string(d.Terminal)))
		cited := map[terminal.EventID]bool{}
		for _, c := range d.Candidates {
			for _, w := range append(slices.Clone(c.For), c.Against...) {
				if n := len(w.Finding.Events); n > 0 {
					cited[slices.Max(w.Finding.Events)] = true
				}
			}
		}
		for id := range cited {
			if !slices.Contains(links(page), "/events/"+id.String()) {
				t.Errorf("%s: evidence from %s has no link", d.Terminal, id)
			}
		}
		for _, l := range links(page) {
			name, ok := strings.CutPrefix(l, "/events/")
			if !ok {
				continue
			}
			id, _ := terminal.ParseEventID(name)
			e, err := s.Event(t.Context(), id)
			if err != nil {
				t.Fatalf("%s leads to %s: %v", d.Terminal, l, err)
			}
			if e.Terminal != d.Terminal && !cited[id] {
				t.Errorf("%s leads to %s, which is of %s", d.Terminal, l, e.Terminal)
			}
			wantText(t, s.page(t, l), string(e.Terminal), id.String())
			followed++
		}
	}
	if followed < 200 {
		t.Errorf("followed %d links only", followed)
	}
}

func TestEventShowsTheWholeRecord(t *testing.T) {
	s := open(t)
	for id := terminal.EventID(1); ; id++ {
		e, err := s.Event(t.Context(), id)
		if errors.Is(err, console.ErrNoEvent) {
			t.Fatal("no record of a payment with a card")
		}
		if e.Attempt == nil || e.Attempt.Card == "" {
			continue
		}
		stored, err := json.Marshal(e.Attempt)
		if err != nil {
			t.Fatal(err)
		}
		var fields map[string]any
		if err := json.Unmarshal(stored, &fields); err != nil {
			t.Fatal(err)
		}
		page := s.page(t, "/events/"+id.String())
		for key := range fields {
			wantText(t, page, " "+key+" ")
		}
		wantText(t, page, e.Attempt.Card, "卡号（已遮掩）", "插卡（芯片）、有密码", "这条记录里没有：")
		return
	}
}
