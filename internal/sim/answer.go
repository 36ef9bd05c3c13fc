// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"

	"github.com/tillmend/tillmend/internal/txn"
	"github.com/tillmend/tillmend/iso8583"
)

const acquirerID = "00085500" // field 32, and the second half of field 44

// request is one message as the host reads it.
type request struct {
	msg      *iso8583.Message
	kind     txn.Kind
	tid, mid string
	trace    trace
	account  *account // nil for a terminal that is not known
	card     Card     // 0 for no card, or one that is not known
	pan      string   // the number of whatever card it is; empty for none
	amount   int64
	fault    Fault

	reference string // the host's number of this message, field 37
}

// reply is what the host says: a response code, which fields go back as they came,
// and what it adds.
type reply struct {
	code string
	set  map[int]string
}

// answer reads a frame and gives the answer, and what goes wrong with it on the way.
// A frame that cannot be read gets no answer, and its connection is ended.
func (h *Host) answer(b []byte) ([]byte, Fault) {
	m := new(iso8583.Message)
	if !m.Decode(upos(), b) {
		h.cfg.Log.Warn("malformed message", "why", m.Malformed())
		return nil, Fault{}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.readLocked(m)
	r.fault = h.faultLocked(r.tid, r.mid, r.card.BIN(), r.kind)
	rep := h.decideLocked(&r)
	out, err := h.writeLocked(&r, rep)
	if err != nil {
		h.cfg.Log.Error("answer", "error", err)
		return nil, Fault{}
	}
	return out, r.fault
}

func (h *Host) readLocked(m *iso8583.Message) request {
	de60 := m.Text(60)
	r := request{msg: m, kind: kindOf(m), tid: m.Text(41), mid: m.Text(42), amount: number(m.Text(4))}
	r.trace = trace{batch: uint32(number(part(de60, 2, 8))), stan: uint32(number(m.Text(11)))} //nolint:gosec // six digits each
	r.account = h.terminals[r.tid]
	if r.account == nil && h.cfg.AutoRegister && len(r.mid) == 15 &&
		h.registerLocked(r.tid, r.mid, TestMasterKey(r.tid)) == nil {
		r.account = h.terminals[r.tid]
	}
	r.reference = reference(&r)
	if r.pan = m.Text(2); r.pan == "" {
		r.pan, _, _ = strings.Cut(m.Text(35), "D")
	}
	r.card = cardOf(r.pan)
	return r
}

// decideLocked gives the response: what goes wrong on purpose, then who asks, then what.
func (h *Host) decideLocked(r *request) reply {
	if r.fault.Code != "" {
		return reply{code: r.fault.Code}
	}
	switch {
	case !h.merchants[r.mid]:
		return reply{code: "03"}
	case r.account == nil || r.account.mid != r.mid:
		return reply{code: "97"}
	case r.kind == txn.KindUnknown:
		return reply{code: "40"}
	}
	if r.kind.Financial() {
		return h.payLocked(r)
	}
	if do, ok := chores[r.kind]; ok {
		return do(h, r)
	}
	return reply{code: "40"}
}

// echoed are the fields that an answer repeats when the request has them.
var echoed = []int{3, 4, 11, 14, 23, 25, 41, 42, 49, 53, 60}

// writeLocked makes the frame of an answer.
func (h *Host) writeLocked(r *request, rep reply) ([]byte, error) {
	d := iso8583.Draft{MTI: fmt.Sprintf("%04X", r.msg.MTI()|0x10), Fields: h.fields(r, rep)}
	f := r.msg.Frame()
	tpdu, header := f.TPDU(), slices.Clone(f.Header())
	swapped := slices.Concat(tpdu[:1], tpdu[3:5], tpdu[1:3]) // the addresses change places
	header[2] = header[2]&0xF0 | r.fault.Order
	d.TPDU, d.Header = hex.EncodeToString(swapped), hex.EncodeToString(header)
	if r.account == nil || !r.msg.Has(macField) || rep.code == "A0" || len(r.account.keys.mac) == 0 {
		return seal(d, nil)
	}
	d.Fields[macField] = strings.Repeat("0", 2*macSize)
	out, err := seal(d, r.account.keys.mac)
	if err == nil && r.fault.WrongMAC {
		out[len(out)-1] ^= 1
	}
	return out, err
}

// fields gives the contents of an answer, but for the MAC.
func (h *Host) fields(r *request, rep reply) map[int]string {
	now := h.cfg.Now()
	set := map[int]string{12: now.Format("150405"), 13: now.Format("0102")}
	for _, de := range echoed {
		if r.msg.Has(de) {
			set[de] = r.msg.Text(de)
		}
	}
	if rep.code != "" {
		set[39] = rep.code
	}
	if r.msg.Has(11) {
		set[32], set[37] = acquirerID, r.reference
	}
	if r.kind.Financial() || r.kind == txn.Reversal || r.kind == txn.Settlement {
		set[15] = now.Format("0102")
	}
	if r.pan != "" {
		set[2] = r.pan
		set[44] = fmt.Sprintf("%-11s%-11s", r.card.data().issuer, acquirerID)
	}
	maps.Copy(set, rep.set)
	return set
}

// reference numbers a message: who asked, and how many times that was answered, so
// that it does not depend on what others do.
func reference(r *request) string {
	sum := fnv.New32a()
	sum.Write([]byte(r.tid))
	n := uint64(0)
	if r.account != nil {
		r.account.answers++
		n = r.account.answers
	}
	return fmt.Sprintf("%06d%06d", sum.Sum32()%1_000_000, n%1_000_000)
}
