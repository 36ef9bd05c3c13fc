// SPDX-License-Identifier: Apache-2.0

package tap_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tillmend/tillmend/internal/card"
	"github.com/tillmend/tillmend/internal/tap"
	"github.com/tillmend/tillmend/internal/txn"
	"github.com/tillmend/tillmend/iso8583"
	"github.com/tillmend/tillmend/iso8583/dialect"
)

var start = time.Date(2026, 6, 3, 10, 0, 0, 0, time.UTC)

func upos(t testing.TB) *dialect.Dialect {
	t.Helper()
	d, ok := dialect.Named("upos")
	if !ok {
		t.Fatal("no dialect upos")
	}
	return d
}

// message encodes a message of T0000001; a field given as - is left out.
func message(t testing.TB, mti string, change map[int]string) []byte {
	t.Helper()
	f := map[int]string{
		3: "000000", 4: "000000003600", 11: "000007", 22: "051", 25: "00", 41: "T0000001", 42: "898000000000001", 49: "156",
		60: "2200000100050", 64: "3531443837343145",
	}
	for de, v := range change {
		f[de] = v
		if v == "-" {
			delete(f, de)
		}
	}
	b, err := iso8583.Draft{MTI: mti, Fields: f, TPDU: "6000050000", Header: "603100311108"}.Encode(upos(t))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// open gives a stream and the legs that it emits.
func open(t testing.TB) (*tap.Stream, *[]txn.Leg) {
	t.Helper()
	legs := &[]txn.Leg{}
	s := tap.New(upos(t), card.NewCounter()).Open("10.0.0.7:40000", "192.0.2.1:8583", func(l txn.Leg) { *legs = append(*legs, l) })
	return s, legs
}

// TestPiecesMakeLegs: however the bytes come, one leg comes of each message.
func TestPiecesMakeLegs(t *testing.T) {
	one, two := message(t, "0200", nil), message(t, "0200", map[int]string{11: "000008"})
	all := append(bytes.Clone(one), two...)
	for _, size := range []int{1, 7, len(one), len(one) + 3, len(all)} {
		s, legs := open(t)
		for rest := all; len(rest) > 0; {
			n := min(size, len(rest))
			s.Data(txn.ToHost, start, rest[:n])
			rest = rest[n:]
		}
		if len(*legs) != 2 || (*legs)[0].STAN != 7 || (*legs)[1].STAN != 8 {
			t.Errorf("in pieces of %d: %+v", size, *legs)
		}
	}
}

// TestLegHoldsWhatStagesNeed: a leg has the fields that are judged, and the card
// number masked.
func TestLegHoldsWhatStagesNeed(t *testing.T) {
	s, legs := open(t)
	s.Data(txn.ToHost, start, message(t, "0200", map[int]string{2: "6225000000000014", 61: "0000010000050603"}))
	s.Data(txn.ToTerminal, start, message(t, "0210", map[int]string{
		2: "6225000000000014", 12: "100001", 13: "0603", 22: "-", 37: "000000000007", 38: "A1B2C3", 39: "00", 44: "01020000   48025800   ",
	}))
	sent := txn.Leg{
		At: start, Peer: "10.0.0.7:40000", Host: "192.0.2.1:8583", Kind: txn.Sale, Terminal: "T0000001", Merchant: "898000000000001",
		Amount: 3600, STAN: 7, Card: "622500******0014", CardNo: 1, Batch: 1,
	}
	req, ans := sent, sent
	req.Direction, req.MTI, req.Entry, req.Issuer = txn.ToHost, 0x0200, 51, "622500"
	req.Original = txn.Original{Batch: 1, STAN: 5, Date: "0603"}
	ans.Direction, ans.MTI, ans.Issuer = txn.ToTerminal, 0x0210, "01020000"
	ans.Code, ans.RRN, ans.AuthCode, ans.Clock = "00", "000000000007", "A1B2C3", "0603100001"
	ignore := cmpopts.IgnoreFields(txn.Leg{}, "Size", "Layout", "Version")
	if d := cmp.Diff([]txn.Leg{req, ans}, *legs, ignore); d != "" {
		t.Error(d)
	}
	if l := (*legs)[0]; l.Layout == "" || l.Version == "" || l.Size == 0 {
		t.Errorf("layout %q, version %q, %d bytes", l.Layout, l.Version, l.Size)
	}
}

// TestCardsAreTold: the same card has the same number in request and answer, from
// its number or its track; another card has another; an encrypted track has none.
func TestCardsAreTold(t *testing.T) {
	s, legs := open(t)
	for _, f := range []map[int]string{
		{2: "6225000000000014"},
		{35: "6225000000000014D49121200001820000"},
		{2: "6224242000000021"},
		{35: "6225000000000014D49121200001820000", 53: "2610000000000000"},
		{},
	} {
		s.Data(txn.ToHost, start, message(t, "0200", f))
	}
	var got []uint16
	for _, l := range *legs {
		got = append(got, l.CardNo)
	}
	if want := []uint16{1, 1, 2, 0, 0}; len(got) != 5 || !bytes.Equal(low(got), low(want)) {
		t.Errorf("cards are %v, want %v", got, want)
	}
}

func low(list []uint16) []byte {
	b := make([]byte, len(list))
	for i, n := range list {
		b[i] = byte(n)
	}
	return b
}

// TestFaultsAreNamed: a message that cannot be read whole becomes a leg that says
// where, and what was before the fault may be trusted no more.
func TestFaultsAreNamed(t *testing.T) {
	s, legs := open(t)
	bad := message(t, "0200", nil)
	bad[15] ^= 0x08 // field 5 seems to be there
	s.Data(txn.ToHost, start, bad)
	if l := (*legs)[0]; !strings.Contains(l.Fault, "field 5") || l.Card != "" {
		t.Errorf("%+v", l)
	}
}

// TestOwed: an answer is owed from a request until its answer has passed.
func TestOwed(t *testing.T) {
	s, _ := open(t)
	steps := []struct {
		dir  txn.Direction
		mti  string
		owed bool
	}{
		{txn.ToTerminal, "0210", false}, // nobody asked
		{txn.ToHost, "0200", true},
		{txn.ToHost, "0200", true},
		{txn.ToTerminal, "0210", true},
		{txn.ToTerminal, "0210", false},
	}
	for i, st := range steps {
		s.Data(st.dir, start, message(t, st.mti, nil))
		if s.Owed() != st.owed {
			t.Errorf("after step %d owed is %v", i, s.Owed())
		}
	}
}

// TestTLSIsOpaque: bytes of TLS are no messages, and the stream says why.
func TestTLSIsOpaque(t *testing.T) {
	s, legs := open(t)
	s.Data(txn.ToHost, start, []byte{0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xFC, 0x03, 0x03})
	if reason, ok := s.Opaque(); !ok || reason == "" || len(*legs) != 0 {
		t.Errorf("opaque %v (%s), %d legs", ok, reason, len(*legs))
	}
}

// BenchmarkFrame is one sale and its answer through the tap.
func BenchmarkFrame(b *testing.B) {
	s := tap.New(upos(b), card.NewCounter()).Open("10.0.0.7:40000", "", func(txn.Leg) {})
	req, ans := message(b, "0200", map[int]string{2: "6225000000000014"}), message(b, "0210", map[int]string{39: "00"})
	b.ReportAllocs()
	for b.Loop() {
		s.Data(txn.ToHost, start, req)
		s.Data(txn.ToTerminal, start, ans)
	}
}
