// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"fmt"
	"strings"

	"github.com/tillmend/tillmend/internal/txn"
)

// Settle closes the batch: totals are compared, the batch is uploaded when they
// differ, and its end is told. The journal is then empty and the next step is a
// sign-in. When something breaks off, the terminal wants to settle again first.
func (t *Terminal) Settle(ctx context.Context) Result {
	if !t.signedIn() && !t.Habits.Lenient {
		return Result{Kind: txn.Settlement, Refused: RefusedSignIn}
	}
	if rev := t.Reversal(ctx); t.mem.Pending != nil {
		return Result{Kind: txn.Settlement, Refused: RefusedReversal, Tries: rev.Tries, Err: rev.Err}
	}
	d, r := t.managed(txn.Settlement, "0500", codeSettlement)
	sum := t.mem.totals()
	d.Fields[48] = settlementText(sum, '0') + settlementText(totals{}, '0')
	d.Fields[49], d.Fields[63] = currencyYuan, operator
	t.mem.Halted = true
	if r.Err = t.persist(); r.Err != nil {
		return r
	}
	m := t.ask(ctx, d, &r)
	if m == nil {
		return r
	}
	verdict := part(m.Text(48), settlementHalf-1, settlementHalf)
	r.Balanced = uint8(number(verdict)) //nolint:gosec // one digit
	switch {
	case verdict == string(balancedVerdict):
		r.Approved = t.endBatch(ctx, codeEndEqual, &r)
	case verdict == string(unequalVerdict) && t.Habits.NoUpload:
		r.Approved = false
	case verdict == string(unequalVerdict):
		r.Approved = t.upload(ctx, &r) && t.endBatch(ctx, codeEndUnequal, &r)
	default: // refused as a whole, such as for want of a sign-in
		t.mem.Halted = false
		r.Approved = false
	}
	if r.Approved {
		t.mem.Halted, t.mem.Journal, t.mem.SignedIn = false, nil, ""
	}
	if err := t.persist(); err != nil && r.Err == nil {
		r.Err = err
	}
	return r
}

// settlementText writes one currency of field 48.
func settlementText(s totals, verdict byte) string {
	return fmt.Sprintf("%012d%03d%012d%03d%c", s.debit, s.debits%1000, s.credit, s.credits%1000, verdict)
}

// upload sends the journal record by record.
func (t *Terminal) upload(ctx context.Context, r *Result) bool {
	for from := 0; from < len(t.mem.Journal); from += uploadsAtOnce {
		some := t.mem.Journal[from:min(from+uploadsAtOnce, len(t.mem.Journal))]
		d, sent := t.managed(txn.BatchUpload, "0320", codeSettlement)
		var text strings.Builder
		fmt.Fprintf(&text, "%02d", len(some))
		for i := range some {
			rec := &some[i]
			pan := rec.Card.data().pan
			fmt.Fprintf(&text, "00%06d%s%s%012d", rec.STAN, strings.Repeat("0", 20-len(pan)), pan, rec.Amount)
		}
		d.Fields[48] = text.String()
		t.ask(ctx, d, &sent)
		if !sent.Approved {
			r.Code, r.Err = sent.Code, sent.Err
			return false
		}
	}
	return true
}

// endBatch tells the host that the terminal is done with the batch.
func (t *Terminal) endBatch(ctx context.Context, network string, r *Result) bool {
	d, sent := t.managed(txn.BatchEnd, "0320", network)
	d.Fields[48] = fmt.Sprintf("%04d", len(t.mem.Journal))
	t.ask(ctx, d, &sent)
	if !sent.Approved {
		r.Code, r.Err = sent.Code, sent.Err
	}
	return sent.Approved
}
