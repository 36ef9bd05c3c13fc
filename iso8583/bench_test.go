// SPDX-License-Identifier: Apache-2.0

package iso8583_test

import (
	"testing"

	"github.com/tillmend/tillmend/iso8583"
)

// chipSaleSize is the size of the message that speed is measured with, in bytes.
const chipSaleSize = 271

// chipSale writes a sale with a chip card, with most of the fields that a terminal sends.
func chipSale(t testing.TB) []byte {
	t.Helper()
	b, err := iso8583.Draft{
		MTI: "0200", TPDU: "6000050000", Header: "613100311108",
		Fields: map[int]string{
			2: "6200000000000005", 3: "000000", 4: "000000012345", 11: "000123", 14: "3012", 22: "051", 23: "001",
			25: "00", 26: "12", 35: "6200000000000005D30122010000000000000", 41: "T0000001", 42: "898000000000001", 49: "156",
			52: "0123456789ABCDEF", 53: "2600000000000000", 55: chipData, 60: "22000001000601", 64: "3531443837343145",
		},
	}.Encode(named(t, "upos"))
	if err != nil {
		t.Fatal(err)
	}
	if len(b) != chipSaleSize {
		t.Fatalf("%d bytes, want %d", len(b), chipSaleSize)
	}
	return b
}

var chipData = "9F2608AABBCCDDEEFF00119F2701809F101307010103A0A802010A01000000000001020304" +
	"9F370411223344" + "9F36020047" + "950500000408009A032606039C0100" + "9F0206000000012345" + "5F2A020156" + "82027C00" +
	"9F1A0201569F03060000000000009F3303E0F9C89F34030203009F3501229F1E083030303030303031" +
	"8408A000000333010101" + "9F09020030"

func BenchmarkDecode(b *testing.B) {
	raw := chipSale(b)
	d := named(b, "upos")
	var m iso8583.Message
	b.ReportAllocs()
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if !m.Decode(d, raw) {
			b.Fatal(m.Malformed())
		}
	}
}

func BenchmarkDecodeExtract(b *testing.B) {
	raw := chipSale(b)
	d := named(b, "upos")
	var m iso8583.Message
	var x iso8583.Extract
	b.ReportAllocs()
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if !m.Decode(d, raw) {
			b.Fatal(m.Malformed())
		}
		m.Extract(&x)
	}
}
