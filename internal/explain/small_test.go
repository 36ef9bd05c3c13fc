// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"testing"
	"testing/fstest"

	"github.com/tillmend/tillmend/internal/knowledge"
)

// small gives the base with two acquirers added, whose codes differ.
func small(t *testing.T) *knowledge.Base {
	t.Helper()
	const first = `
layer: acquirer:first
names: [甲付]
source: test
codes:
  - {code: XQ1, class: C, scope: card, title: {zh: 甲一, en: one}, causes: [CARD-EXPIRED]}
  - {code: XQ2, class: C, scope: card, title: {zh: 甲二, en: two}, causes: [CARD-EXPIRED]}
`
	const second = `
layer: acquirer:second
names: [乙付]
source: test
codes:
  - {code: "54", class: C, scope: merchant, title: {zh: 乙商户, en: merchant}, causes: [MER-NOT-REGISTERED]}
  - {code: XQ2, class: C, scope: merchant, title: {zh: 乙二, en: two}, causes: [MER-NOT-REGISTERED]}
`
	b, err := knowledge.Load(fstest.MapFS{"codes/first.yaml": {Data: []byte(first)}, "codes/second.yaml": {Data: []byte(second)}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}
