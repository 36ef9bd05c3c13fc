// SPDX-License-Identifier: Apache-2.0

package sim

import "fmt"

// Scenario is what a seat of a fleet plays.
type Scenario uint8

// The scenarios.
const (
	Healthy Scenario = iota
	MerchantNotRegistered
	TerminalNotRegistered
	MerchantFrozen
	CardWithoutFunds
	WrongMasterKey
	PINPadBroken
	ClonedTerminal
	VersionChanged
	ParametersStale
	SilentConnection
	AnswersLost
	IssuerDown
	KeyRecordMissing
	NotSignedIn
	BatchMismatch
	WrongOriginal
	StuckReversal
	UnbalancedSettlement
	FeeRejected
	MerchantLimit
)

// Facets of a merchant's status, see [ScenarioInfo].
const (
	FacetIdentity  = "identity"
	FacetAccount   = "account"
	FacetDevice    = "device"
	FacetSoftware  = "software"
	FacetNetwork   = "network"
	FacetService   = "service"
	FacetOperation = "operation"
	FacetFees      = "fees"
)

// ScenarioInfo says what a scenario is, and what a diagnosis ought to make of it.
type ScenarioInfo struct {
	Scenario Scenario
	Name     string // for flags and files
	Facet    string // which facet of the status it hits; empty for Healthy
	Cause    string // the cause that it plays, by its id in the knowledge base; empty for Healthy
	Zh, En   string // what happens, for a reader
	// Terminals is how many terminals it takes to see it.
	Terminals int
	// Shop is set when it hits a merchant, so that the terminal gets a shop of its own.
	Shop bool
	// Host is set when the host must play along.
	Host bool
	// Works is set when the terminal takes money all the same.
	Works bool
}

// Scenarios lists all scenarios, Healthy first.
var Scenarios = []ScenarioInfo{
	{
		Scenario: Healthy, Name: "healthy", Terminals: 1, Works: true,
		Zh: "正常营业", En: "trades as it should",
	},
	{
		Scenario: MerchantNotRegistered, Name: "merchant-not-registered", Facet: FacetIdentity, Cause: "MER-NOT-REGISTERED",
		Terminals: 1, Shop: true, Host: true,
		Zh: "新商户还没有登记，签到和交易都返回 03", En: "a new merchant is not registered: sign-in and payments get 03",
	},
	{
		Scenario: TerminalNotRegistered, Name: "terminal-not-registered", Facet: FacetIdentity, Cause: "TERM-NOT-REGISTERED",
		Terminals: 1, Host: true,
		Zh: "终端号没有登记，什么报文都返回 97", En: "the terminal number is not registered: everything gets 97",
	},
	{
		Scenario: MerchantFrozen, Name: "merchant-frozen", Facet: FacetAccount, Cause: "MER-FROZEN-RISK",
		Terminals: 1, Shop: true, Host: true,
		Zh: "一直正常收款的商户突然全部返回 03", En: "a merchant that took money gets 03 for everything all at once",
	},
	{
		Scenario: CardWithoutFunds, Name: "card-without-funds", Facet: FacetAccount, Cause: "CARD-FUNDS",
		Terminals: 1, Works: true,
		Zh: "一位顾客的卡余额不足，别的卡正常", En: "one customer's card has no money; other cards go through",
	},
	{
		Scenario: WrongMasterKey, Name: "wrong-master-key", Facet: FacetDevice, Cause: "TERM-KEY", Terminals: 1,
		Zh: "主密钥灌错，每次签到成功后交易都是 A0", En: "the wrong master key: sign-in succeeds, then every payment gets A0",
	},
	{
		Scenario: PINPadBroken, Name: "pin-pad-broken", Facet: FacetDevice, Cause: "TERM-PINPAD", Terminals: 1,
		Zh: "密码键盘坏了，状态上送里报故障", En: "the PIN pad is broken and the status report says so",
	},
	{
		Scenario: ClonedTerminal, Name: "cloned-terminal", Facet: FacetDevice, Cause: "TERM-CLONE", Terminals: 1,
		Zh: "两台机器用同一个终端号，互相顶掉对方的签到", En: "two machines under one number throw each other's session out",
	},
	{
		Scenario: VersionChanged, Name: "version-changed", Facet: FacetSoftware, Cause: "TERM-VERSION", Terminals: 1, Host: true,
		Zh: "换了程序版本以后，交易都返回 30", En: "payments get 30 since the software changed",
	},
	{
		Scenario: ParametersStale, Name: "parameters-stale", Facet: FacetSoftware, Cause: "TERM-PARAM", Terminals: 1, Host: true,
		Zh: "主机要求下载参数，终端没有下载，交易返回 78", En: "the host wants parameters downloaded; payments get 78 until they are",
	},
	{
		Scenario: SilentConnection, Name: "silent-connection", Facet: FacetNetwork, Cause: "TERM-COMM-PARAM", Terminals: 1,
		Zh: "通讯参数改错，连上以后什么也不发", En: "wrong communication settings: connects and sends nothing",
	},
	{
		Scenario: AnswersLost, Name: "answers-lost", Facet: FacetNetwork, Cause: "NET-SIGNAL", Terminals: 1,
		Zh: "信号弱，应答到不了终端，终端发冲正", En: "weak signal: answers do not reach the terminal, which then reverses",
	},
	{
		Scenario: IssuerDown, Name: "issuer-down", Facet: FacetService, Cause: "ISSUER-DOWN", Terminals: 3, Host: true,
		Zh: "一家发卡行的系统停了，几台终端刷它的卡都返回 91", En: "one issuer is down: its cards get 91 on several terminals",
	},
	{
		Scenario: KeyRecordMissing, Name: "key-record-missing", Facet: FacetService, Cause: "ACQ-KEY-RECORD", Terminals: 1, Host: true,
		Zh: "加密机里没有这台终端的记录，签到返回 96", En: "the acquirer's security module has no record of the terminal: sign-in gets 96",
	},
	{
		Scenario: NotSignedIn, Name: "not-signed-in", Facet: FacetOperation, Cause: "OP-NOT-SIGNED-IN", Terminals: 1,
		Zh: "签退以后没有再签到就刷卡，返回 77", En: "payments after a sign-off and without a sign-in get 77",
	},
	{
		Scenario: BatchMismatch, Name: "batch-mismatch", Facet: FacetOperation, Cause: "TERM-BATCH-MISMATCH", Terminals: 1,
		Zh: "终端的批次号和中心不一致，返回 77", En: "the terminal's batch number is not the host's: payments get 77",
	},
	{
		Scenario: WrongOriginal, Name: "wrong-original", Facet: FacetOperation, Cause: "OP-ORDER", Terminals: 1,
		Zh: "撤销一笔中心没有的交易，返回 25", En: "voids of a payment that the host does not have get 25",
	},
	{
		Scenario: StuckReversal, Name: "stuck-reversal", Facet: FacetOperation, Cause: "TXN-REVERSAL-FAILED", Terminals: 1, Host: true,
		Zh: "冲正一直不被接受，终端不再做交易", En: "a reversal is never taken, and the terminal stops selling",
	},
	{
		Scenario: UnbalancedSettlement, Name: "unbalanced-settlement", Facet: FacetOperation, Cause: "TERM-BATCH-UNBALANCED",
		Terminals: 1, Host: true,
		Zh: "结算对账不平，批上送没做，终端不再做交易", En: "settlement totals differ, the batch is not uploaded, the terminal stops selling",
	},
	{
		Scenario: FeeRejected, Name: "fee-rejected", Facet: FacetFees, Cause: "FEE-CONFIG", Terminals: 1, Shop: true, Host: true,
		Zh: "商户费率没配好，交易返回 23", En: "the merchant's fee is set up wrongly: payments get 23",
	},
	{
		Scenario: MerchantLimit, Name: "merchant-limit", Facet: FacetAccount, Cause: "MER-LIMIT", Terminals: 1, Shop: true, Host: true,
		Zh: "商户超过限额，什么卡都返回 61", En: "the merchant is over its limit: every card gets 61",
	},
}

// Info gives what is known of a scenario.
func (s Scenario) Info() ScenarioInfo {
	if int(s) < len(Scenarios) {
		return Scenarios[s]
	}
	return ScenarioInfo{Scenario: s, Name: fmt.Sprintf("scenario-%d", uint8(s))}
}

// String gives the name.
func (s Scenario) String() string { return s.Info().Name }

// MarshalText implements [encoding.TextMarshaler].
func (s Scenario) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *Scenario) UnmarshalText(b []byte) error {
	found, ok := ParseScenario(string(b))
	if !ok {
		return fmt.Errorf("sim: %q is no scenario", b)
	}
	*s = found
	return nil
}

// ParseScenario is the inverse of String.
func ParseScenario(name string) (Scenario, bool) {
	for _, info := range Scenarios {
		if info.Name == name {
			return info.Scenario, true
		}
	}
	return Healthy, false
}
