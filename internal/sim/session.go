// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tillmend/tillmend/internal/txn"
	"github.com/tillmend/tillmend/iso8583"
)

// operator is the cashier's number, field 63.
const operator = "01 "

// Management messages that carry a trace number.
func (t *Terminal) managed(kind txn.Kind, mti, network string) (iso8583.Draft, Result) {
	d := t.draft(mti, typeManagement, network)
	stan := t.nextSTAN()
	d.Fields[11] = fmt.Sprintf("%06d", stan)
	return d, Result{Kind: kind, STAN: stan}
}

// ask sends a message that is not a payment and reads the response code.
func (t *Terminal) ask(ctx context.Context, d iso8583.Draft, r *Result) *iso8583.Message {
	m, err := t.exchange(ctx, d, false)
	if err != nil {
		r.Err = err
		return nil
	}
	r.Code, r.RRN = m.Text(39), m.Text(37)
	r.Approved = r.Code == "00"
	return m
}

// SignIn asks for a session: batch number and working keys.
func (t *Terminal) SignIn(ctx context.Context) Result {
	d, r := t.managed(txn.SignIn, "0800", codeSignIn)
	d.Fields[63] = operator
	m := t.ask(ctx, d, &r)
	if m == nil || !r.Approved {
		return r
	}
	keys, err := unwrapKeys(t.cfg.MasterKey, m.Raw(62))
	if err != nil && (!t.Habits.TrustKeys || !errors.Is(err, errCheckValue)) {
		r.Approved, r.Refused, r.Err = false, RefusedKeys, err
		return r
	}
	t.keys = keys
	t.mem.SignedIn = t.today()
	if batch := uint32(number(part(m.Text(60), 2, 8))); batch != 0 { //nolint:gosec // six digits
		t.mem.Batch = batch
	}
	r.Err = t.persist()
	return r
}

// SignOff ends the session. A terminal with payments that are not settled refuses.
func (t *Terminal) SignOff(ctx context.Context) Result {
	if len(t.mem.Journal) > 0 && !t.Habits.Lenient {
		return Result{Kind: txn.SignOff, Refused: RefusedSettle}
	}
	d, r := t.managed(txn.SignOff, "0820", codeSignOff)
	t.ask(ctx, d, &r)
	if r.Approved {
		t.mem.SignedIn = ""
		r.Err = t.persist()
	}
	return r
}

// Echo asks whether the host is there. It carries no trace number.
func (t *Terminal) Echo(ctx context.Context) Result {
	r := Result{Kind: txn.Echo}
	t.ask(ctx, t.draft("0820", typeManagement, codeEcho), &r)
	return r
}

// partTags are the tags of a status report, with the part that each is about.
var partTags = [...]struct {
	tag  string
	part txn.Part
}{{"01", txn.Keyboard}, {"02", txn.PINPad}, {"03", txn.CardReader}, {"04", txn.Printer}, {"05", txn.Display}}

// StatusUpload reports which parts work.
func (t *Terminal) StatusUpload(ctx context.Context) Result {
	r := Result{Kind: txn.StatusUpload}
	var report strings.Builder
	for _, p := range partTags {
		value := "1"
		if t.Habits.Broken&p.part != 0 {
			value = "0"
		}
		report.WriteString(p.tag + value)
	}
	d := t.draft("0820", typeManagement, codeStatus)
	d.Fields[62] = fmt.Sprintf("%X", report.String())
	t.ask(ctx, d, &r)
	return r
}

// Download fetches the parameters and tells the host when it has them.
func (t *Terminal) Download(ctx context.Context) Result {
	r := Result{Kind: txn.Download}
	m := t.ask(ctx, t.draft("0800", typeManagement, codeParams), &r)
	if m == nil || !r.Approved {
		return r
	}
	r.Params = string(m.Raw(62))
	t.ask(ctx, t.draft("0800", typeManagement, codeParamsEnd), &r)
	return r
}

// The orders of a host in the header of its answers.
const (
	orderDownload = 1
	orderStatus   = 2
	orderSignIn   = 3
)

// comply does what the host asked for in the header of an answer.
func (t *Terminal) comply(ctx context.Context, m *iso8583.Message) {
	if t.Habits.IgnoreOrders {
		return
	}
	switch m.HostOrder() {
	case orderDownload:
		t.Download(ctx)
	case orderStatus:
		t.StatusUpload(ctx)
	case orderSignIn:
		t.SignIn(ctx)
	}
}
