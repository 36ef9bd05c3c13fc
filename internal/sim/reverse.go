// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tillmend/tillmend/internal/txn"
)

// Reversal takes the last payment back if its fate is unknown, as the terminal does by
// itself before the next payment. It tries three times and keeps the reversal when the
// host does not take it.
func (t *Terminal) Reversal(ctx context.Context) Result {
	p := t.mem.Pending
	if p == nil {
		return Result{Kind: txn.Reversal}
	}
	r := Result{Kind: txn.Reversal, STAN: p.STAN, Amount: p.Amount, Card: p.Card}
	for r.Tries < reversalTries && t.mem.Pending != nil && !errors.Is(r.Err, errMAC) {
		r.Tries++
		t.reverse(ctx, p, &r)
		if _, unsent := errors.AsType[errNotSent](r.Err); unsent || ctx.Err() != nil {
			break
		}
	}
	return r
}

// reverse sends the reversal once. After an answer with a wrong MAC it is not sent
// again at once: the keys are out of step.
func (t *Terminal) reverse(ctx context.Context, p *Record, r *Result) {
	f := forms[p.Kind]
	d := t.draft("0400", f.typ, codeNormal)
	t.common(d.Fields, f, p, false)
	d.Fields[60] = fmt.Sprintf("%s%06d%s50", f.typ, p.Batch, codeNormal)
	d.Fields[2] = p.Card.data().pan
	d.Fields[39] = t.mem.Reason
	m, err := t.exchange(ctx, d, false)
	if r.Err = err; err != nil {
		return
	}
	r.Code = m.Text(39)
	switch {
	case r.Code == "00" && !genuine(m, t.macKey()):
		r.Err = errMAC
	case r.Code != "" && strings.Contains(clearedBy, r.Code):
		r.Approved = true
		t.settled(r)
	default:
		t.mem.Reason = reasonOther
		r.Err = t.persist()
	}
}
