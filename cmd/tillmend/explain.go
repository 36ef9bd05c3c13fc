// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"strings"

	"github.com/tillmend/tillmend/internal/explain"
)

type explainCmd struct {
	Text     []string `arg:"" help:"A screen text, a response code or a complaint."`
	Acquirer string   `placeholder:"NAME" help:"Whose codes to use first; the same code can mean different things at different acquirers."`
	All      bool     `help:"Show all matches, not only the first three."`
}

// Help is printed below the flags.
func (explainCmd) Help() string {
	return `Examples:
  tillmend explain 显示97
  tillmend explain "换了两张卡都不行,提示请重新签到"
  tillmend --lang en explain "declined with 51"
  tillmend explain --acquirer basewin A9
  tillmend -o json explain "商户状态异常 M002"

Exit code: 0 when something was recognized, 1 when not.`
}

// Run answers the question.
func (c *explainCmd) Run(all *cli, std *streams) error {
	b, err := all.base()
	if err != nil {
		return err
	}
	a := explain.New(b).Explain(strings.Join(c.Text, " "), c.Acquirer, all.Lang)
	if all.Output == "json" {
		if err := json.NewEncoder(std.out).Encode(a); err != nil {
			return err
		}
	} else {
		c.print(std, all.Lang, &a)
	}
	if a.Matches[0].Cause == "OTHER" {
		return errWrong
	}
	return nil
}

func (c *explainCmd) print(std *streams, lang string, a *explain.Answer) {
	w := wordsIn(lang)
	n := len(a.Matches)
	if !c.All {
		n = min(n, 3)
	}
	for i, m := range a.Matches[:n] {
		std.sayf("%d. "+w.cause+"\n", i+1, m.Title, m.Cause)
		if i > 0 && !c.All {
			std.sayf("   %s%s\n", w.who, w.actor(m.Actor))
			continue
		}
		std.sayf("   %s\n", m.What)
		std.sayf("   %s%s\n", w.who, w.actor(m.Actor))
		for j, s := range m.Steps {
			std.sayf("   %s%d %s\n", w.step, j+1, s)
		}
		for _, s := range m.Avoid {
			std.sayf("   %s%s\n", w.avoid, s)
		}
		if m.Code != "" {
			std.sayf("   %s%s @ %s\n", w.restsOn, m.Code, m.Layer)
		}
	}
	if a.Ask != nil {
		std.sayf("\n%s%s\n   %s\n", w.ask, a.Ask.Question, a.Ask.Why)
	}
}
