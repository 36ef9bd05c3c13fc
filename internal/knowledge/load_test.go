// SPDX-License-Identifier: Apache-2.0

package knowledge

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestDefault holds that the embedded base is sound: every name known, every text
// in both languages, every cause with steps.
func TestDefault(t *testing.T) {
	b, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := Default(); again != b {
		t.Error("the base was read twice")
	}
	if len(b.Causes) < 172 || len(b.Questions) < 15 || len(b.Layers) < 2 || len(b.Screens) < 50 {
		t.Errorf("%d causes, %d questions, %d layers, %d screens; too few", len(b.Causes), len(b.Questions), len(b.Layers), len(b.Screens))
	}
	for i := range b.Causes {
		if c := &b.Causes[i]; c.ID != Other && len(c.Says) < 5 {
			t.Errorf("%s: %d ways of saying it; want at least 5", c.ID, len(c.Says))
		}
	}
	for i := range b.Questions {
		if q := &b.Questions[i]; !q.Open && (len(q.Yes) == 0 || len(q.No) == 0) {
			t.Errorf("question %s parts nothing: causes on both sides are wanted", q.ID)
		}
	}
}

// sound is a small base without a fault; every file of testdata/bad spoils it.
func sound(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "sound.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// loadText loads a base and the overlays over it, beside an acquirer's layer.
func loadText(text ...string) (*Base, error) {
	const acquirer = `
layer: acquirer:some
names: [某付]
source: test
codes:
  - {code: "97", class: D, scope: terminal, title: {zh: 某九七, en: their 97}, causes: [OTHER]}
  - {code: Q9, class: D, scope: private, title: {zh: 某九, en: their Q9}, causes: [OTHER]}
`
	var trees []tree
	for i, s := range text {
		trees = append(trees, tree{strings.Repeat("overlay ", i), fstest.MapFS{"base.yaml": {Data: []byte(s)}}})
	}
	trees[0].FS.(fstest.MapFS)["acquirer.yaml"] = &fstest.MapFile{Data: []byte(acquirer)}
	return load(trees...)
}

func TestSound(t *testing.T) {
	b, err := loadText(sound(t))
	if err != nil {
		t.Fatal(err)
	}
	if c, ok := b.Cause("TERM-ONE"); !ok || c.Actor != Clerk || c.Prior != 0.01 {
		t.Errorf("TERM-ONE: %+v", c)
	}
	if e, ok := b.About("silence"); !ok || e.For["TERM-ONE"] != 5 {
		t.Errorf("declined: %+v", e)
	}
	if _, ok := b.Cause("NO-SUCH"); ok {
		t.Error("found a cause that is not there")
	}
	if _, ok := b.About("no-such"); ok {
		t.Error("found evidence that is not there")
	}
}

// TestFaults loads the sound base with one line replaced and compares the error
// with the golden one: each must say where, what and what was expected.
func TestFaults(t *testing.T) {
	var out strings.Builder
	good := sound(t)
	for _, f := range faults {
		if strings.Count(good, f.old) == 0 {
			t.Fatalf("%s: %q is not in the sound base", f.name, f.old)
		}
		_, err := loadText(strings.Replace(good, f.old, f.new, 1))
		if err == nil {
			t.Errorf("%s: no error", f.name)
			continue
		}
		for line := range strings.Lines(err.Error()) {
			if !strings.Contains(line, "base.yaml") && !strings.Contains(line, "expected") {
				t.Errorf("%s: says neither where nor what was expected: %s", f.name, line)
			}
		}
		out.WriteString("-- " + f.name + " --\n" + err.Error() + "\n")
	}
	golden(t, "faults.txt", out.String())
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not as it was (-update writes it anew):\n%s", file, got)
	}
}

// TestAllAtOnce holds that one fault does not hide another.
func TestAllAtOnce(t *testing.T) {
	text := strings.Replace(sound(t), "actor: clerk", "actor: shop", 1)
	text = strings.Replace(text, "prior: 0.01", "prior: 2", 1)
	_, err := loadText(text)
	if err == nil || !strings.Contains(err.Error(), `actor "shop"`) || !strings.Contains(err.Error(), "prior 2") {
		t.Errorf("got %v; want both faults", err)
	}
}

func TestOverlay(t *testing.T) {
	const over = `
causes:
  - id: TERM-ONE
    title: {en: Our own title}
    now:
      - {zh: 打我们的电话。, en: Call us.}
  - id: OUR-OWN
    area: ours
    facet: service
    effect: blocks
    actor: service_provider
    prior: 0.02
    origin: ours
    title: {zh: 我们的, en: Ours}
    what: {zh: 我们的。, en: Ours.}
    now: [{zh: 等。, en: Wait.}]
    avoid: [{zh: 不要急。, en: Do not hurry.}]
    proof: {zh: 看记录。, en: See the record.}
evidence:
  - finding: silence
    for: {OUR-OWN: 3}
screens:
  - text: 收款失败
    causes: [OUR-OWN]
synonyms:
  - [机器, 收银盒]
layer: operator
source: ours
codes:
  - {code: "97", class: D, scope: terminal, title: {zh: 我们的九七, en: our 97}, causes: [OUR-OWN]}
`
	b, err := loadText(sound(t), over)
	if err != nil {
		t.Fatal(err)
	}
	c, _ := b.Cause("TERM-ONE")
	if c.Title.EN != "Our own title" || c.Title.ZH != "一号" || len(c.Now) != 1 || c.Actor != Clerk {
		t.Errorf("a field-wise overlay gave %+v", c)
	}
	if e, _ := b.About("silence"); e.For["OUR-OWN"] != 3 || e.For["TERM-ONE"] != 5 {
		t.Errorf("weights %v; want old and new", e.For)
	}
	if s := b.Screens[0]; s.Causes[0] != "OUR-OWN" || !slices.Contains(s.Also, "收不了款") {
		t.Errorf("screen %+v", s)
	}
	if !slices.Equal(b.Synonyms[0], []string{"机器", "收银盒"}) {
		t.Errorf("synonyms %v", b.Synonyms)
	}
	if in := b.Codes("97", ""); len(in) != 2 || in[0].Layer != Operator || in[1].Layer != Standard {
		t.Errorf("97 means %+v; want the operator's first", in)
	}
}

func TestCodes(t *testing.T) {
	b, err := loadText(sound(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ code, acquirer, want string }{
		{"97", "", "standard"},
		{"97", "some", "acquirer:some standard"},
		{"97", "某付", "acquirer:some standard"},
		{"97", "SOME", "acquirer:some standard"},
		{"97", "nobody", "standard"},
		{"q9", "", ""}, // a private code, and nobody was named
		{"q9", "acquirer:some", "acquirer:some"},
		{"no", "", ""},
	} {
		var got []string
		for _, in := range b.Codes(c.code, c.acquirer) {
			got = append(got, in.Layer)
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s at %q: layers %q; want %q", c.code, c.acquirer, s, c.want)
		}
	}
	if in := b.Everywhere("97"); len(in) != 2 || in[0].Layer != Standard {
		t.Errorf("97 everywhere: %+v", in)
	}
}

func TestFiles(t *testing.T) {
	many := fstest.MapFS{}
	for i := range maxFiles + 1 {
		many["f"+strings.Repeat("x", i)+".yaml"] = &fstest.MapFile{}
	}
	for name, c := range map[string]struct {
		fs   fs.FS
		want string
	}{
		"too many": {many, "more than 500 files"},
		"too big":  {fstest.MapFS{"big.yaml": {Data: make([]byte, maxFileBytes+1)}}, "expected at most"},
		"not YAML": {fstest.MapFS{"x.yaml": {Data: []byte("a: [")}}, "overlay x.yaml: not YAML"},
		"no files": {os.DirFS(filepath.Join(t.TempDir(), "none")), "no such file"},
	} {
		if _, err := Load(c.fs); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
	if _, err := Load(os.DirFS(filepath.Join(t.TempDir(), "none"))); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v does not wrap the reason", err)
	}
	if _, err := Load(fstest.MapFS{"README.md": {Data: []byte("x")}, "empty.yaml": {Data: []byte("# nothing\n")}}); err != nil {
		t.Errorf("an overlay with nothing to say: %v", err)
	}
}

func TestNeverAdvised(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"把大额拆成几笔收。", "splitting an amount"},
		{"不要把大额拆成几笔收。", ""},
		{"Split the amount into two payments.", "splitting an amount"},
		{"Do not split the amount.", ""},
		{"切换商户再试。", "changing the merchant"},
		{"先清空流水再开机。", "deleting records"},
		{"千万别删除冲正记录。", ""},
		{"不要急。先清除防拆标志。", "clearing a tamper alarm"},
		{"修改序列号后重新激活。", "changing the serial number"},
		{"手工输入主密钥。", "entering keys by hand"},
		{"把验证码告诉他。", ""}, // the order of words is not read, only the phrases listed
		{"提供验证码给客服。", "telling secrets"},
		{"签到一次，再收款。", ""},
		{"换一张别的银行的卡。", ""},
		{"Keep trying until it works.", "repeated retries"},
	} {
		if got := NeverAdvised(c.text); got != c.want {
			t.Errorf("%q advises %q; want %q", c.text, got, c.want)
		}
	}
}

func TestFactor(t *testing.T) {
	k := &Cause{ID: "NET-SIM", Area: "network", Facet: Network, Effect: Blocks, Actor: Clerk}
	for who, want := range map[string]float64{
		"NET-SIM": 2, "NET-*": 2, "area:network": 2, "facet:network": 2, "effect:blocks": 2, "actor:clerk": 2,
		"NET": 1, "TERM-*": 1, "area:fee": 1, "what:ever": 1,
	} {
		if got := (&Cue{Odds: map[string]float64{who: 2}}).Factor(k); got != want {
			t.Errorf("%s: factor %v; want %v", who, got, want)
		}
	}
}

func FuzzLoad(f *testing.F) {
	good := sound(f)
	f.Add(good)
	for _, fault := range faults {
		f.Add(strings.Replace(good, fault.old, fault.new, 1))
	}
	f.Add("causes: &a [*a]")
	f.Add("{layer: {a: b}}")
	f.Add("? [a]\n: b\n<<: {}\n")
	f.Fuzz(func(t *testing.T, text string) {
		b, err := loadText(good, text)
		if (b == nil) == (err == nil) {
			t.Fatalf("base %v and error %v", b, err)
		}
	})
}
