// SPDX-License-Identifier: Apache-2.0

package knowledge

import "fmt"

// Describe puts a kind of finding into words. For a finding about a response code
// it says the code and what that means in the layer named by acquirer, or else in
// the standard.
func (b *Base) Describe(finding, code, acquirer string) Text {
	e, ok := b.About(finding)
	if !ok {
		return Text{ZH: finding, EN: finding}
	}
	if finding != declined || code == "" {
		return e.Title
	}
	t := Text{ZH: "含义不明", EN: "meaning not known"}
	if found := b.Codes(code, acquirer); len(found) > 0 {
		t = found[0].Title
	}
	return Text{ZH: fmt.Sprintf("主机应答 %s：%s", code, t.ZH), EN: fmt.Sprintf("the host answered %s: %s", code, t.EN)}
}

// declined is the kind of finding that is about a response code.
const declined = "declined"
