// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	moov "github.com/moov-io/iso8583"

	"github.com/tillmend/tillmend/iso8583"
	"github.com/tillmend/tillmend/iso8583/dialect"
)

// chipSale is a sale with a chip card, 271 bytes with its frame.
var chipSale = iso8583.Draft{
	MTI: "0200", TPDU: "6000050000", Header: "613100311108",
	Fields: map[int]string{
		2: "6200000000000005", 3: "000000", 4: "000000012345", 11: "000123", 14: "3012", 22: "051", 23: "001",
		25: "00", 26: "12", 35: "6200000000000005D30122010000000000000", 41: "T0000001", 42: "898000000000001", 49: "156",
		52: "0123456789ABCDEF", 53: "2600000000000000", 60: "22000001000601", 64: "3531443837343145",
		55: "9F2608AABBCCDDEEFF00119F2701809F101307010103A0A802010A01000000000001020304" +
			"9F3704112233449F36020047950500000408009A032606039C01009F02060000000123455F2A02015682027C00" +
			"9F1A0201569F03060000000000009F3303E0F9C89F34030203009F3501229F1E0830303030303030318408A000000333010101" +
			"9F09020030",
	},
}

const (
	chipSaleSize = 271
	// beforeMessage is the length prefix, the TPDU and the header, which the other library does not read.
	beforeMessage = 2 + 5 + 6
)

// contest holds the three decoders with the same message.
type contest struct {
	raw          []byte
	upos         *dialect.Dialect
	ours         iso8583.Message
	extract      iso8583.Extract
	stock, tuned *moov.Message
}

func newContest(t testing.TB) *contest {
	t.Helper()
	upos, ok := dialect.Named("upos")
	if !ok {
		t.Fatal("no dialect upos")
	}
	raw, err := chipSale.Encode(upos)
	if err != nil {
		t.Fatal(err)
	}
	if len(raw) != chipSaleSize {
		t.Fatalf("the message has %d bytes, want %d", len(raw), chipSaleSize)
	}
	return &contest{raw: raw, upos: upos, stock: moov.NewMessage(spec(stock)), tuned: moov.NewMessage(spec(tuned))}
}

func (c *contest) runOurs(t testing.TB) {
	if !c.ours.Decode(c.upos, c.raw) {
		t.Fatal(c.ours.Malformed())
	}
}

func (c *contest) runOursExtract(t testing.TB) {
	c.runOurs(t)
	c.ours.Extract(&c.extract)
}

func (c *contest) runMoov(t testing.TB, m *moov.Message) {
	if err := m.Unpack(c.raw[beforeMessage:]); err != nil {
		t.Fatal(err)
	}
}

// TestSameFields proves that the three read the same.
func TestSameFields(t *testing.T) {
	c := newContest(t)
	c.runOurs(t)
	for name, m := range map[string]*moov.Message{"stock": c.stock, "tuned": c.tuned} {
		c.runMoov(t, m)
		for de, want := range chipSale.Fields {
			got, err := m.GetString(de)
			if err != nil {
				t.Fatalf("%s: field %d: %v", name, de, err)
			}
			if upper, err := hex.DecodeString(got); err == nil && c.upos.Fields[de].Class == dialect.B {
				got = string(upper)
				raw, _ := hex.DecodeString(want)
				want = string(raw)
			}
			if got != want {
				t.Errorf("%s: field %d: %q, want %q", name, de, got, want)
			}
			if !c.ours.Has(de) || c.ours.Text(de) != chipSale.Fields[de] {
				t.Errorf("ours: field %d: %q", de, c.ours.Text(de))
			}
		}
	}
}

// The ratios that a release must keep, for reading a message and taking from it what the
// diagnosis needs.
const (
	stockRatio = 300
	tunedRatio = 10
)

// TestRatios holds the two ratios. A busy machine can spoil a measurement but not improve
// the ratio of two best times for long, so one good measurement of a few is enough.
func TestRatios(t *testing.T) {
	if testing.Short() {
		t.Skip("measuring takes seconds")
	}
	const tries = 5
	best := measure(t)
	for n := 1; n < tries && !best.enough(); n++ {
		t.Logf("again, after %v", best)
		best = measure(t)
	}
	t.Log(best)
	if best.toStock() < stockRatio {
		t.Errorf("%.0f times faster than the stock codec, want %d", best.toStock(), stockRatio)
	}
	if best.toTuned() < tunedRatio {
		t.Errorf("%.1f times faster than the tuned codec, want %d", best.toTuned(), tunedRatio)
	}
}

// TestNoAllocations holds that reading and extracting allocate nothing.
func TestNoAllocations(t *testing.T) {
	c := newContest(t)
	if n := testing.AllocsPerRun(1000, func() { c.runOursExtract(t) }); n != 0 {
		t.Errorf("%v allocations a message", n)
	}
}

// times are how long one message takes.
type times struct{ decode, extract, stock, tuned time.Duration } // extract includes decode

func (b times) toStock() float64 { return float64(b.stock) / float64(b.extract) }
func (b times) toTuned() float64 { return float64(b.tuned) / float64(b.extract) }

func (b times) enough() bool { return b.toStock() >= stockRatio && b.toTuned() >= tunedRatio }

// String tells all times, and the ratios of both decoding alone and decoding with extraction.
func (b times) String() string {
	return fmt.Sprintf("decode and extract %v: stock %v is %.0f times that, tuned %v %.1f times; decode alone %v: %.0f and %.1f times",
		b.extract, b.stock, b.toStock(), b.tuned, b.toTuned(),
		b.decode, float64(b.stock)/float64(b.decode), float64(b.tuned)/float64(b.decode))
}

// measure runs all in turn, many rounds of about a millisecond each, and takes the best
// round of each: whatever else the machine does can only make a round slower. Rounds of
// the same duration meet the same disturbances.
func measure(t testing.TB) (best times) {
	c := newContest(t)
	runs := []struct {
		do    func()
		times int
		best  *time.Duration
	}{
		{func() { c.runOurs(t) }, 14_000, &best.decode},
		{func() { c.runOursExtract(t) }, 10_000, &best.extract},
		{func() { c.runMoov(t, c.stock) }, 25, &best.stock},
		{func() { c.runMoov(t, c.tuned) }, 450, &best.tuned},
	}
	const rounds = 150
	for range rounds {
		for _, r := range runs {
			start := time.Now()
			for range r.times {
				r.do()
			}
			if took := time.Since(start) / time.Duration(r.times); *r.best == 0 || took < *r.best {
				*r.best = took
			}
		}
	}
	return best
}

// BenchmarkRatios reports the same as metrics.
func BenchmarkRatios(b *testing.B) {
	var best times
	for b.Loop() {
		best = measure(b)
	}
	b.ReportMetric(best.toStock(), "stock/ours")
	b.ReportMetric(best.toTuned(), "tuned/ours")
	b.ReportMetric(float64(best.decode.Nanoseconds()), "decode-ns")
	b.ReportMetric(float64(best.extract.Nanoseconds()), "decode-extract-ns")
}

func BenchmarkOurs(b *testing.B)        { c := newContest(b); loop(b, func() { c.runOurs(b) }) }
func BenchmarkOursExtract(b *testing.B) { c := newContest(b); loop(b, func() { c.runOursExtract(b) }) }

func BenchmarkMoovStock(b *testing.B) { c := newContest(b); loop(b, func() { c.runMoov(b, c.stock) }) }

func BenchmarkMoovTuned(b *testing.B) { c := newContest(b); loop(b, func() { c.runMoov(b, c.tuned) }) }

func loop(b *testing.B, do func()) {
	b.ReportAllocs()
	b.SetBytes(chipSaleSize)
	for b.Loop() {
		do()
	}
}
