// SPDX-License-Identifier: Apache-2.0

package tap_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tillmend/tillmend/internal/card"
	"github.com/tillmend/tillmend/internal/tap"
	"github.com/tillmend/tillmend/internal/txn"
	"github.com/tillmend/tillmend/iso8583"
	"github.com/tillmend/tillmend/iso8583/dialect"
)

// TestShiftedFieldsNameNobody: when a length in front of track data is wrong, the
// fields behind it are read from the middle of the track. Digits of a card must not
// become a terminal's number.
func TestShiftedFieldsNameNobody(t *testing.T) {
	d, ok := dialect.Named("iso87-hexbitmap")
	if !ok {
		t.Fatal("no such dialect")
	}
	const track = "6225000000000014D49122019876543210"
	good, err := iso8583.Draft{MTI: "0200", Fields: map[int]string{
		3: "000000", 4: "000000003600", 11: "000007", 35: track, 41: "T0000001", 42: "898000000000001",
	}}.Encode(d)
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Index(string(good), track)
	if at < 2 {
		t.Fatal("the track is not in the message")
	}
	for length := range len(track) {
		bad := append([]byte(nil), good...)
		copy(bad[at-2:], fmt.Sprintf("%02d", length))
		tap.New(d, card.NewCounter()).Open("10.0.0.7:1", "", func(l txn.Leg) {
			if l.Terminal != "" || l.Merchant != "" || l.Card != "" || l.Fault == "" {
				t.Errorf("length %d: %+v", length, l)
			}
		}).Frame(txn.ToHost, start, bad)
	}
}
