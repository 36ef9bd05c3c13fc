// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCheckValues(t *testing.T) {
	// The check values that key loaders show for these well-known test keys.
	for key, want := range map[string]string{
		"0123456789ABCDEF":                 "d5d44ff7",
		"0123456789ABCDEFFEDCBA9876543210": "08d7b4fb",
	} {
		if got := hex.EncodeToString(checkValue(unhex(t, key))); got != want {
			t.Errorf("check value of %s: got %s, wanted %s", key, got, want)
		}
	}
}

func TestWorkingKeys(t *testing.T) {
	master := TestMasterKey(tid)
	keys := newWorkingKeys(1, tid, 1)
	field := keys.wrap(master)
	got, err := unwrapKeys(master, field)
	if err != nil || !bytes.Equal(got.pin, keys.pin) || !bytes.Equal(got.mac, keys.mac) {
		t.Fatalf("keys do not come back: %v", err)
	}
	if _, err := unwrapKeys(TestMasterKey("T0000002"), field); !errors.Is(err, errCheckValue) {
		t.Errorf("another master key: error %v", err)
	}
	if _, err := unwrapKeys(master, field[1:]); !errors.Is(err, errKeyLength) {
		t.Errorf("short field: error %v", err)
	}
	if bytes.Equal(newWorkingKeys(1, tid, 2).mac, keys.mac) {
		t.Error("the next sign-in gives the same keys")
	}
}

func TestMAC(t *testing.T) {
	// Worked out with openssl enc -des-ecb, step by step.
	key := unhex(t, "0123456789ABCDEF")
	for message, want := range macs {
		if got := string(messageMAC(key, []byte(message))); got != want {
			t.Errorf("MAC of %q: got %s, wanted %s", message, got, want)
		}
	}
}

func TestPINBlock(t *testing.T) {
	pan := CardC.data().pan
	if got, want := fmt.Sprintf("%X", clearPINBlock("123456", pan)), "06126456FFFFFFFE"; got != want {
		t.Errorf("clear PIN block: got %s, wanted %s", got, want)
	}
	key := bytes.Repeat([]byte{0x13, 0x57}, 8)
	sent := pinBlock(key, "123456", pan)
	if !pinMatches(key, sent, "123456", pan) {
		t.Error("the right PIN does not match")
	}
	if pinMatches(key, sent, "123457", pan) || pinMatches(key, sent, "123456", CardA.data().pan) || pinMatches(key, nil, "123456", pan) {
		t.Error("another PIN, card or no block matches")
	}
}

func TestCardsShowTenDigitsOnly(t *testing.T) {
	bins := map[string]bool{}
	for i := range cardTable {
		c := Card(i)
		pan := c.data().pan
		bins[c.BIN()] = true
		for _, verb := range []string{"%v", "%s", "%+v", "%#v", "%x", "%q", "%d"} {
			if text := fmt.Sprintf(verb, c); pan != "" && strings.Contains(text, pan[6:len(pan)-4]) {
				t.Errorf("%s shows the number of card %d", verb, i)
			}
		}
		if pan != "" && cardOf(pan) != c {
			t.Errorf("card %d is not found by its number", i)
		}
	}
	if len(bins) < 5 {
		t.Errorf("%d issuers, wanted some", len(bins))
	}
	if Card(200).String() != "" || cardOf("") != 0 {
		t.Error("no card shows something")
	}
}

var macs = map[string]string{
	"":                                 "DFB656BD",
	"12345678":                         "A4CCCFF0",
	"a message of more than one block": "019FC326",
}
