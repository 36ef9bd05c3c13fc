// SPDX-License-Identifier: Apache-2.0

package sim

// Card is one of the public test cards, an index into their table. It prints as first
// six and last four digits. The zero Card is no card.
type Card uint8

// The test cards. They belong to different issuers.
const (
	CardA     Card = iota + 1
	CardB          // 19 digits
	CardC          //
	CardD          //
	CardE          //
	CardSick       // the issuer that [IssuerDown] takes out; no other scenario uses it
	CardEmpty      // has no money
)

// Cards are the cards that healthy terminals see.
var Cards = []Card{CardA, CardB, CardC, CardD, CardE}

// cardData is what stands on a card and in its bank. The numbers are published test
// numbers, the PIN and the expiry are the same for all.
type cardData struct {
	pan     string
	issuer  string // institution number as field 44 gives it
	balance int64  // opening balance, minor units
}

const (
	testPIN    = "123456"
	testExpiry = "4912" // YYMM
	// plenty is an opening balance that no run uses up.
	plenty = 10_000_000_00
)

var cardTable = [...]cardData{
	CardA:     {"6200000000000005", "03080000", plenty},
	CardB:     {"6205500000000000004", "01020000", plenty},
	CardC:     {"6225000000000014", "03310000", plenty},
	CardD:     {"6251880000051688", "00625188", plenty},
	CardE:     {"3566002020360505", "00356600", plenty},
	CardSick:  {"6224242000000021", "00622424", plenty},
	CardEmpty: {"4111111111111111", "00411111", 0},
}

func (c Card) data() cardData {
	if int(c) < len(cardTable) {
		return cardTable[c]
	}
	return cardData{}
}

// BIN is the first six digits, which name the issuer; empty for no card.
func (c Card) BIN() string {
	if pan := c.data().pan; pan != "" {
		return pan[:6]
	}
	return ""
}

// String gives first six and last four digits, empty for no card.
func (c Card) String() string {
	pan := c.data().pan
	if pan == "" {
		return ""
	}
	return pan[:6] + "******" + pan[len(pan)-4:]
}

// track2 is the second track as field 35 carries it.
func (c Card) track2() string { return c.data().pan + "D" + testExpiry + "2200000" }

// cardOf finds the card of a number; 0 for a number that is no test card's.
func cardOf(pan string) Card {
	for i, d := range cardTable {
		if d.pan != "" && d.pan == pan {
			return Card(i)
		}
	}
	return 0
}

// Entry is how a card was read: field 22 without its last digit.
type Entry uint8

// The ways of reading a card.
const (
	Manual      Entry = 1
	Magstripe   Entry = 2
	Chip        Entry = 5
	Contactless Entry = 7
)
