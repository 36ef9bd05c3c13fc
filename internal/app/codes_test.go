// SPDX-License-Identifier: Apache-2.0

package app

import (
	"strings"
	"testing"

	"github.com/tillmend/tillmend/internal/diagnosis"
	"github.com/tillmend/tillmend/internal/knowledge"
)

// declineFor plays a sign-in and one declined sale and gives what is said of it.
func declineFor(t *testing.T, b *knowledge.Base, code string) diagnosis.Diagnosis {
	t.Helper()
	r := NewReplay(b, upos(t), "")
	s := &script{t: t, di: upos(t), r: r, last: map[string]map[string]string{}}
	s.run(strings.ReplaceAll(`10:00:00 10.0.0.7:40112 > sign_in stan=1
10:00:01 10.0.0.7:40112 < 00 batch=1
10:05:00 10.0.0.7:40112 > sale stan=2
10:05:01 10.0.0.7:40112 < 00
10:10:00 10.0.0.7:40112 > sale stan=3 card=b
10:10:01 10.0.0.7:40112 < CODE
`, "CODE", code))
	return r.Finish()[0]
}

// otherByContext are the codes whose meaning the conversation around them
// decides: here a terminal that is signed in and has just taken money.
var otherByContext = map[string]knowledge.CauseID{
	"03": "MER-FROZEN-RISK", // it traded before, so it is registered
	"A0": "TERM-KEY-STALE",  // not the first payment after the sign-in
	"99": "TERM-PINPAD-KEY",
}

// TestEveryStandardCode: one decline with each code of the standard layer gives
// the cause that its table puts first.
func TestEveryStandardCode(t *testing.T) {
	b := testBase(t)
	n := 0
	for _, layer := range b.Layers {
		if layer.Name != knowledge.Standard {
			continue
		}
		for _, c := range layer.Codes {
			if len(c.Causes) == 0 || len(c.Code) != 2 || c.Scope == knowledge.ScopeOK || c.Class == "A" {
				continue
			}
			n++
			d := declineFor(t, b, c.Code)
			want := c.Causes[0]
			if id, ok := otherByContext[c.Code]; ok {
				want = id
			}
			if top := d.Top(); top == nil || top.Cause.ID != want {
				t.Errorf("code %s: want %s\n%s", c.Code, want, show(&d))
			}
		}
	}
	if n < 60 {
		t.Errorf("%d codes, want the standard table", n)
	}
}

// TestEmptyAccountIsNoFault: a decline that lies with the card leaves the terminal
// well, whatever the code.
func TestEmptyAccountIsNoFault(t *testing.T) {
	b := testBase(t)
	for _, layer := range b.Layers {
		for _, c := range layer.Codes {
			if layer.Name != knowledge.Standard || c.Scope != knowledge.ScopeCard || len(c.Code) != 2 || len(c.Causes) == 0 {
				continue
			}
			k, _ := b.Cause(c.Causes[0])
			if k.Effect != knowledge.OneCard {
				continue
			}
			if d := declineFor(t, b, c.Code); d.Status != diagnosis.OK {
				t.Errorf("code %s: terminal is %s\n%s", c.Code, d.Status, show(&d))
			}
		}
	}
}
