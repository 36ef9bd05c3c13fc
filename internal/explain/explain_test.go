// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tillmend/tillmend/internal/knowledge"
)

// TestNever asks every case in every way and language: no step may say what the
// case warns of, and no step may advise what is never advised.
func TestNever(t *testing.T) {
	ix := New(base(t))
	for _, c := range complaints(t, "cases.tsv") {
		for _, way := range ways {
			for _, lang := range []string{"zh", "en"} {
				for _, m := range ix.Explain(way.text(c), "", lang).Matches {
					for _, step := range m.Steps {
						if bad := knowledge.NeverAdvised(step); bad != "" {
							t.Errorf("%s: %s advises %s: %s", c.id, m.Cause, bad, step)
						}
						if c.never != "" && m.Cause == c.causes[0] && knowledge.Advises(step, regexp.MustCompile(c.never)) {
							t.Errorf("%s: %s advises what the case warns of: %s", c.id, m.Cause, step)
						}
					}
				}
			}
		}
	}
}

func TestMentions(t *testing.T) {
	book := newCodeBook(base(t))
	for _, c := range []struct{ text, want string }{
		{"97", "97"},
		{"显示97", "97"},
		{"星驿付机器显示 97 了", "97"},
		{"77交易失败", "77"},
		{"刷卡 ９６ 系统异常", "96"},
		{"状态码L3,下午开始全刷不了", "L3"},
		{"A0 MAC校验错", "A0"},
		{"错误代码：a0", "A0"},
		{"Z5 渠道商户状态异常", "Z5"},
		{"提示-20031", "-20031"},
		{"工行卡全部91", "91"},
		{"code 55 all cards", "55"},
		{"declined with 51", "51"},
		{"91或者96都有，显示91", "91"},
		{"换了两张卡都一样", ""},
		{"又扣了99流量费", ""},
		{"押金299不退", ""},
		{"刷了50元失败", ""},
		{"等了10分钟", ""},
		{"61岁的客人", ""},
		{"T1没到账", ""},
		{"4G没信号", ""},
		{"IC卡错误", ""},
		{"费率0.38变0.68", ""},
		{"12月31日办的", ""},
		{"", ""},
	} {
		var got []string
		found, _ := book.mentions(halfWidths(c.text))
		for _, m := range found {
			got = append(got, m.code)
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%q: codes %q; want %q", c.text, s, c.want)
		}
	}
}

func TestNormalize(t *testing.T) {
	n := newNormalizer([][]string{{"机器", "终端", "POS机"}, {"没", "没有", "未"}, {"密码", "PIN"}})
	for _, c := range []struct{ text, want string }{
		{"ＰＯＳ机未登记！", "机器没登记 "},
		{"終端異常，請聯繫", "机器异常 请联系"},
		{"没有　纸", "没 纸"},
		{"wrong PIN", "wrong 密码"},
		{"shopping pins", "shopping pins"},
		{"0.38%，１２.５元", "0.38 12.5元"},
		{"?!", ""},
	} {
		if got := string(n.normalize(c.text)); got != c.want {
			t.Errorf("%q: %q; want %q", c.text, got, c.want)
		}
	}
}

func TestTables(t *testing.T) {
	if a, b := utf8.RuneCountInString(traditional), utf8.RuneCountInString(simplified); a != b {
		t.Fatalf("%d traditional and %d simplified characters", a, b)
	}
	simple := []rune(simplified)
	for i, r := range []rune(traditional) {
		if r == simple[i] {
			t.Errorf("%c stands for itself", r)
		}
	}
}

// TestNothing asks what no one can answer.
func TestNothing(t *testing.T) {
	ix := New(base(t))
	for _, q := range []string{"", "   ", "。。。", "12345", "qwrtz", "明月几时有把酒问青天"} {
		a := ix.Explain(q, "", "zh")
		if a.Matches[0].Cause != knowledge.Other {
			t.Errorf("%q: %s %.2f; want %s", q, a.Matches[0].Cause, a.Matches[0].Score, knowledge.Other)
		}
		if a.Ask == nil || a.Ask.ID != askText {
			t.Errorf("%q: asks %+v; want %s", q, a.Ask, askText)
		}
	}
}

// TestLayers asks for codes that mean different things to different acquirers.
func TestLayers(t *testing.T) {
	ix := New(small(t))
	for _, c := range []struct {
		query, acquirer, cause, layer, ask string
	}{
		{"显示54", "", "CARD-EXPIRED", "standard", ""},
		{"显示54", "乙付", "MER-NOT-REGISTERED", "acquirer:second", ""},
		{"乙付显示54", "", "MER-NOT-REGISTERED", "acquirer:second", ""},
		{"显示XQ1", "", "CARD-EXPIRED", "acquirer:first", ""},
		{"显示XQ2", "", "", "", "which-acquirer"},
		{"显示XQ2", "first", "CARD-EXPIRED", "acquirer:first", ""},
		{"显示XQ2", "SECOND", "MER-NOT-REGISTERED", "acquirer:second", ""},
	} {
		a := ix.Explain(c.query, c.acquirer, "zh")
		got := ""
		if a.Ask != nil {
			got = a.Ask.ID
		}
		if c.ask != "" && got != c.ask {
			t.Errorf("%s at %q: asks %q; want %q", c.query, c.acquirer, got, c.ask)
		}
		if c.cause != "" && (string(a.Matches[0].Cause) != c.cause || a.Matches[0].Layer != c.layer) {
			t.Errorf("%s at %q: %s by %s; want %s by %s", c.query, c.acquirer, a.Matches[0].Cause, a.Matches[0].Layer, c.cause, c.layer)
		}
	}
}

// TestForm holds the machine-readable form that others build on.
func TestForm(t *testing.T) {
	a := New(base(t)).Explain("97", "", "en")
	text, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Query   string
		Matches []map[string]any
		Ask     map[string]any
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"cause", "area", "actor", "score", "layer", "title", "what", "steps", "avoid", "proof"} {
		if _, ok := got.Matches[0][key]; !ok {
			t.Errorf("no %s in %s", key, text)
		}
	}
	if got.Query != "97" || got.Matches[0]["cause"] != "TERM-NOT-REGISTERED" || got.Matches[0]["layer"] != "standard" {
		t.Errorf("got %s", text)
	}
	sum := 0.0
	for i, m := range a.Matches {
		sum += m.Score
		if m.Score < 0 || m.Score > 1 || i > 0 && m.Score > a.Matches[i-1].Score {
			t.Errorf("score %v at %d", m.Score, i)
		}
	}
	if sum > 1.001 {
		t.Errorf("scores sum to %v", sum)
	}
}

// TestCues holds that a manner of speaking moves the odds in the right direction.
func TestCues(t *testing.T) {
	ix := New(base(t))
	score := func(q string, id knowledge.CauseID) float64 {
		for _, c := range ix.rank(ix.read(q, "")) {
			if c.cause.ID == id {
				return c.p
			}
		}
		t.Fatalf("no cause %s", id)
		return 0
	}
	for _, c := range []struct {
		less, more string
		cause      knowledge.CauseID
	}{
		{"状态异常", "状态异常，换了两张卡都一样", "MER-FROZEN-RISK"},
		{"提示日期错误", "半夜提示日期错误", "SWITCH-CUTOVER"},
		{"收不了", "微信能收支付宝不能收", "QR-CHANNEL-STATUS"},
		{"商户停用", "半年没刷，商户停用", "MER-DORMANT"},
	} {
		if a, b := score(c.less, c.cause), score(c.more, c.cause); b <= a {
			t.Errorf("%s: %.3f with %q, %.3f with %q; want more", c.cause, a, c.less, b, c.more)
		}
	}
}

func TestAsk(t *testing.T) {
	ix := New(base(t))
	for _, q := range []string{"刷不了", "收不了款", "交易失败"} {
		a := ix.Explain(q, "", "zh")
		if a.Ask == nil || a.Ask.Question == "" || a.Ask.Why == "" {
			t.Errorf("%q: %v %.2f and no question", q, a.Matches[0].Cause, a.Matches[0].Score)
		}
	}
	if a := ix.Explain("显示97终端未登记", "", "zh"); a.Ask != nil && a.Matches[0].Score >= clear {
		t.Errorf("asks %q though %s is clear", a.Ask.Question, a.Matches[0].Cause)
	}
}

func TestGainPrefersTheQuestionThatParts(t *testing.T) {
	a, b := &knowledge.Cause{ID: "A"}, &knowledge.Cause{ID: "B"}
	list := []candidate{{cause: a, p: 0.5}, {cause: b, p: 0.5}}
	parts := &knowledge.Question{Yes: []knowledge.CauseID{"A"}, No: []knowledge.CauseID{"B"}}
	half := &knowledge.Question{Yes: []knowledge.CauseID{"A"}}
	none := &knowledge.Question{Yes: []knowledge.CauseID{"A", "B"}}
	p, h, n := gain(parts, list), gain(half, list), gain(none, list)
	if !(p > h && h > n && n < 1e-9) {
		t.Errorf("gains %.3f, %.3f, %.3f bits; want them to fall to 0", p, h, n)
	}
}

func FuzzExplain(f *testing.F) {
	ix := New(base(f))
	for _, s := range []string{"97", "用户状态异常", "A0 A0 Ａ０", "\xff\xfe", strings.Repeat("卡", 1000), "0.0.0", "微信能收支付宝不能收"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, q string) {
		a := ix.Explain(q, q, "en")
		if len(a.Matches) == 0 || len(a.Matches) > MaxMatches {
			t.Fatalf("%d matches", len(a.Matches))
		}
		for _, m := range a.Matches {
			if !(m.Score >= 0 && m.Score <= 1) || m.Title == "" || len(m.Steps) == 0 {
				t.Fatalf("match %+v", m)
			}
		}
	})
}

func BenchmarkExplain(b *testing.B) {
	ix := New(base(b))
	list := complaints(b, "cases.tsv")
	i := 0
	for b.Loop() {
		ix.Explain(list[i%len(list)].says, "", "zh")
		i++
	}
}
