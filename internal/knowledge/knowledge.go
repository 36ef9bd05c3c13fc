// SPDX-License-Identifier: Apache-2.0

// Package knowledge is what Tillmend knows about things that go wrong: causes,
// kinds of findings and what they speak for, response codes, screen texts, and
// the questions that tell causes apart. It is data: YAML files embedded in the
// binary, with an overlay folder for the operator of a fleet, and a loader that
// refuses a base in which anything is unknown, contradictory or untranslated.
//
// # Layers
//
// One response code hides many host reasons, and the same code means different
// things at different acquirers. Codes are therefore looked up in layers, the
// most specific first: operator, acquirer, standard. Every statement made from
// a code says which layer it rests on.
//
// # Where the numbers come from
//
// Each base rate and each weight of evidence names its origin. Today most are
// "assumed", some are laws of the message protocol; learning from closed cases
// replaces the assumed ones.
package knowledge

// Text is a sentence in both languages of the product. Both must be there.
type Text struct {
	ZH string `yaml:"zh" json:"zh"`
	EN string `yaml:"en" json:"en"`
}

// In gives the text in the language lang, "zh" or "en"; anything else gives Chinese.
func (t Text) In(lang string) string {
	if lang == "en" {
		return t.EN
	}
	return t.ZH
}

// CauseID names a cause, such as TERM-CLONE: area, dash, what is wrong.
type CauseID string

// Other is the mandatory cause for what the base does not know.
const Other CauseID = "OTHER"

// Actor is who can act on a cause.
type Actor string

// The actors, in the words of the machine-readable forms.
const (
	Clerk           Actor = "clerk"
	Cardholder      Actor = "cardholder"
	MerchantOwner   Actor = "merchant_owner"
	ServiceProvider Actor = "service_provider"
	Acquirer        Actor = "acquirer"
	Issuer          Actor = "issuer"
	Carrier         Actor = "carrier"
	Vendor          Actor = "vendor"
	WalletProvider  Actor = "wallet_provider"
	Regulator       Actor = "regulator"
	Nobody          Actor = "none"
)

// Facet is one side of a terminal's status.
type Facet string

// The facets of a status, in the order in which pages show them.
const (
	Identity  Facet = "identity"  // verification, permissions
	Account   Facet = "account"   // the merchant's sell and settle flags, the cardholder's card
	Device    Facet = "device"    // the machine and its keys
	Software  Facet = "software"  // versions and parameters
	Network   Facet = "network"   // the way to the host
	Service   Facet = "service"   // host, issuer, maintenance
	Operation Facet = "operation" // what is done at the counter, and in which order
	Fees      Facet = "fees"      // tariffs, deposits, arrears
)

// Facets lists all facets in the order in which pages show them.
var Facets = [...]Facet{Identity, Account, Device, Software, Network, Service, Operation, Fees}

// Effect is what a cause does to taking money at the terminal.
type Effect string

// The effects of a cause.
const (
	Blocks    Effect = "blocks"    // no payment goes through while it lasts
	Limits    Effect = "limits"    // some payments go through
	Threatens Effect = "threatens" // payments go through now and will not for long
	OneCard   Effect = "one_card"  // only this customer's card; the terminal is well
	NoEffect  Effect = "none"      // taking money is not touched (settlement, fees)
)

// Cause is something that can be wrong.
type Cause struct {
	ID      CauseID `yaml:"id" json:"id"`
	Area    string  `yaml:"area" json:"area"`       // group of the catalogue, such as merchant_status
	Facet   Facet   `yaml:"facet" json:"facet"`     // side of the status that it spoils
	Effect  Effect  `yaml:"effect" json:"effect"`   // what it does to taking money
	Actor   Actor   `yaml:"actor" json:"actor"`     // who acts first
	Helpers []Actor `yaml:"helpers" json:"helpers"` // who else may have to act, in order
	// Prior is the share of abnormal episodes that this cause accounts for
	// before anything is seen, relative to the other causes.
	Prior  float64 `yaml:"prior" json:"prior"`
	Origin string  `yaml:"origin" json:"origin"` // where Prior comes from: "assumed", "protocol" or a source
	Title  Text    `yaml:"title" json:"title"`   // a few words
	What   Text    `yaml:"what" json:"what"`     // what it is, for a shopkeeper
	Now    []Text  `yaml:"now" json:"now"`       // what to do now, one to three steps
	Avoid  []Text  `yaml:"avoid" json:"avoid"`   // what not to do, and why
	Proof  Text    `yaml:"proof" json:"proof"`   // how it is proven
	// Says are ways in which a merchant, a customer or a screen speaks of this
	// cause, in Chinese or English. They are searched, never shown.
	Says []string `yaml:"says" json:"-"`
}

// Scope is what a response code speaks about.
type Scope string

// The scopes of a code.
const (
	ScopeOK        Scope = "ok"        // approved
	ScopeCard      Scope = "card"      // this card or its holder
	ScopePayment   Scope = "payment"   // this one payment (amount, entry, order of keys)
	ScopeMerchant  Scope = "merchant"  // the merchant's registration, standing or permissions
	ScopeTerminal  Scope = "terminal"  // the terminal's registration or software
	ScopeKeys      Scope = "keys"      // working keys, sign-in, batch
	ScopeOrder     Scope = "order"     // the order of operations
	ScopeParameter Scope = "parameter" // parameters to be downloaded
	ScopeLimit     Scope = "limit"     // an amount or a count is over a limit
	ScopeIssuer    Scope = "issuer"    // the issuer's system
	ScopeNetwork   Scope = "network"   // switch, route, host
	ScopeFee       Scope = "fee"       // tariffs
	ScopePrivate   Scope = "private"   // the acquirer's own meaning, not known in this layer
)

// Code is one response code in one layer.
type Code struct {
	Code   string    `yaml:"code" json:"code"`               // DE39 or a host's longer private code
	Class  string    `yaml:"class" json:"class"`             // A approved, B may retry, C no retry, D operator acts, E system fault; empty: not known
	Title  Text      `yaml:"title" json:"title"`             // the meaning
	Screen []string  `yaml:"screen" json:"screen,omitempty"` // what terminals display
	Scope  Scope     `yaml:"scope" json:"scope"`             // what it speaks about
	Causes []CauseID `yaml:"causes" json:"causes"`           // most likely first; empty only when approved
	Note   Text      `yaml:"note" json:"note"`               // what tells the causes apart; may be empty
	Says   []string  `yaml:"says" json:"-"`                  // searched, never shown
}

// Layer is a set of codes that hold in one place.
type Layer struct {
	Name    string   `yaml:"layer" json:"layer"`     // "standard", "acquirer:NAME" or "operator"
	Names   []string `yaml:"names" json:"names"`     // other names people use for the acquirer, brand or app
	Source  string   `yaml:"source" json:"source"`   // what kind of document the meanings were taken from
	Default bool     `yaml:"default" json:"default"` // searched when no acquirer was named
	Codes   []Code   `yaml:"codes" json:"codes"`
}

// Screen is a text that terminals, apps or hosts show and that is no code.
type Screen struct {
	Text   string    `yaml:"text" json:"text"`     // as shown
	Also   []string  `yaml:"also" json:"also"`     // variants and what merchants say of it
	Causes []CauseID `yaml:"causes" json:"causes"` // most likely first
	Local  bool      `yaml:"local" json:"local"`   // shown by the terminal itself: never on the wire
}

// Question is a check that tells causes apart. An open question is answered in
// words, which are then searched; the others are answered by yes or no.
type Question struct {
	ID      string `yaml:"id" json:"id"`
	Ask     Text   `yaml:"ask" json:"ask"`
	Why     Text   `yaml:"why" json:"why"` // what the answer decides
	Who     Actor  `yaml:"who" json:"who"`
	Minutes int    `yaml:"minutes" json:"minutes"` // what the check takes
	Open    bool   `yaml:"open" json:"open"`       // answered in words
	// Told are regular expressions over the normalized query; where one matches,
	// the answer is in the query already and is not asked for.
	Told []string  `yaml:"told" json:"-"`
	Yes  []CauseID `yaml:"yes" json:"yes"` // causes that a yes speaks for
	No   []CauseID `yaml:"no" json:"no"`   // causes that a no speaks for
}

// Evidence says what a kind of finding speaks for and against. A weight is the
// likelihood ratio: how many times more often the finding is there when the
// cause is, than when it is not. Below one it speaks against, zero rules out.
type Evidence struct {
	Finding string              `yaml:"finding" json:"finding"`
	Title   Text                `yaml:"title" json:"title"`
	For     map[CauseID]float64 `yaml:"for" json:"for"`
	Against map[CauseID]float64 `yaml:"against" json:"against"`
	// Effects are weights for all causes that have an effect, such as "several
	// cards fail" against every cause that lies with one card.
	Effects map[Effect]float64 `yaml:"effects" json:"effects"`
	// Context marks a kind that is no sign of trouble by itself: it only shifts
	// the weights of causes for which there are signs.
	Context bool   `yaml:"context" json:"context"`
	Origin  string `yaml:"origin" json:"origin"` // "protocol", "assumed" or a source
}

// Base is everything that is known. It is read-only once loaded.
type Base struct {
	Causes    []Cause
	Layers    []Layer
	Screens   []Screen
	Questions []Question
	Evidence  []Evidence
	Cues      []Cue
	Glossary  []Term
	// Synonyms are groups of words that mean the same to a merchant; the first
	// word of a group is the one that texts are normalized to.
	Synonyms [][]string

	causes map[CauseID]*Cause
	found  map[string]*Evidence
}

// Cause gives the cause with this id; ok is false if the base has none.
func (b *Base) Cause(id CauseID) (c *Cause, ok bool) {
	c, ok = b.causes[id]
	return c, ok
}

// About gives what a kind of finding speaks for; ok is false for an unknown kind.
func (b *Base) About(finding string) (e *Evidence, ok bool) {
	e, ok = b.found[finding]
	return e, ok
}
