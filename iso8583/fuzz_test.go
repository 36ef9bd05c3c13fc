// SPDX-License-Identifier: Apache-2.0

package iso8583_test

import (
	"encoding/json"
	"testing"

	"github.com/tillmend/tillmend/iso8583"
	"github.com/tillmend/tillmend/iso8583/dialect"
	"github.com/tillmend/tillmend/iso8583/frame"
)

// check uses everything that reads a message, and verifies what must hold of any bytes.
func check(t *testing.T, m *iso8583.Message, sound bool, raw []byte) {
	t.Helper()
	bad := m.Malformed()
	if sound != (bad == nil) {
		t.Fatalf("Decode says %v, Malformed %v", sound, bad)
	}
	if bad != nil && (bad.Field < 0 || bad.Field > 128 || bad.Offset < 0 || bad.Offset > len(raw) || bad.Error() == "") {
		t.Fatalf("impossible place: %+v", bad)
	}
	var x iso8583.Extract
	m.Extract(&x)
	for de := range m.Fields {
		if m.Text(de); len(m.Raw(de)) > len(raw) {
			t.Fatalf("field %d is longer than the frame", de)
		}
		m.Number(de)
	}
	m.CardKey(nil)
	if _, err := json.Marshal(m.View()); err != nil {
		t.Fatal(err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(v.raw)
	}
	f.Add(chipSale(f))
	var dialects, slow []*dialect.Dialect
	for _, d := range known(f) {
		dialects = append(dialects, d, d.WithFrame(frame.Format{}), d.WithFrame(frame.Format{TPDU: true, Header: 6}))
	}
	for _, d := range dialects {
		slow = append(slow, careful(d))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var m iso8583.Message
		for i, d := range dialects {
			sameBothWays(t, d, slow[i], raw)
			sound := m.Decode(d, raw)
			check(t, &m, sound, raw)
			if !sound {
				continue
			}
			// What was read can be written, and reads the same again.
			draft := iso8583.Draft{MTI: m.View().MTI, Fields: map[int]string{}}
			for de := range m.Fields {
				draft.Fields[de] = m.Text(de)
			}
			if draft.MTI == "" {
				draft.MTI = "0000"
			}
			again, err := draft.Encode(d)
			if err != nil {
				t.Fatalf("%s: %v", d.Name, err)
			}
			var n iso8583.Message
			if !n.Decode(d, again) {
				t.Fatalf("%s: %v", d.Name, n.Malformed())
			}
			for de, text := range draft.Fields {
				if n.Text(de) != text {
					t.Fatalf("%s: field %d changed", d.Name, de)
				}
			}
		}
		iso8583.Describe(raw)
	})
}

func FuzzDetect(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(v.raw)
	}
	all := known(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		d := iso8583.Detect(raw, all)
		for _, fit := range d.Fits {
			var m iso8583.Message
			if !m.Decode(fit.Dialect, raw) {
				t.Fatalf("%s fits and does not read: %v", fit.Dialect.Name, m.Malformed())
			}
		}
		for _, c := range d.Failed {
			if c.Reason == "" {
				t.Fatalf("%s fails without a reason", c.Dialect)
			}
		}
		d.Ambiguous()
	})
}
