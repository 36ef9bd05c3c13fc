// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/tillmend/tillmend/internal/diagnosis"
	"github.com/tillmend/tillmend/internal/finding"
	"github.com/tillmend/tillmend/internal/knowledge"
)

// words are the few words that the command line adds to the knowledge's own.
type words struct {
	cause, who, step, avoid, restsOn, ask, since, why, against, missing, next, over, evidence string
	states                                                                                    map[diagnosis.Status]string
	actors                                                                                    map[knowledge.Actor]string
	confidence                                                                                map[diagnosis.Confidence]string
	presence                                                                                  map[finding.Presence]string
}

func wordsIn(lang string) *words {
	if lang == "en" {
		return &english
	}
	return &chinese
}

// actor gives who acts.
func (w *words) actor(a knowledge.Actor) string { return w.actors[a] }

var chinese = words{
	cause: "%s（%s）", who: "谁来办：", step: "现在做", avoid: "不要做：", restsOn: "依据：应答码 ", ask: "先问一句：", since: "从", why: "为什么：",
	against: "反对：", missing: "还不知道：", next: "下一步：", over: "已经恢复；刚才那次是因为：", evidence: "%s（%d 条支持，%d 条相反）",
	states: map[diagnosis.Status]string{
		diagnosis.Blocked: "■ 不能收款", diagnosis.Offline: "○ 失联", diagnosis.Attention: "▲ 需留意", diagnosis.Unknown: "? 未知", diagnosis.OK: "● 正常",
	},
	actors: map[knowledge.Actor]string{
		knowledge.Clerk: "店员", knowledge.Cardholder: "持卡人", knowledge.MerchantOwner: "商户负责人", knowledge.ServiceProvider: "服务商",
		knowledge.Acquirer: "收单机构", knowledge.Issuer: "发卡行", knowledge.Carrier: "运营商", knowledge.Vendor: "厂商",
		knowledge.WalletProvider: "钱包机构", knowledge.Regulator: "监管投诉平台", knowledge.Nobody: "不用处理",
	},
	confidence: map[diagnosis.Confidence]string{
		diagnosis.Certain: "确定", diagnosis.VeryLikely: "很可能", diagnosis.Likely: "可能", diagnosis.Unclear: "还不清楚",
	},
	presence: map[finding.Presence]string{finding.Present: "✔", finding.Absent: "·", finding.Unknown: "?"},
}

var english = words{
	cause: "%s (%s)", who: "Who acts: ", step: "Now ", avoid: "Do not: ", restsOn: "Rests on: code ", ask: "Ask first: ", since: "since", why: "Why: ",
	against: "Against: ", missing: "Not known: ", next: "Next: ", over: "Well again; what it was: ", evidence: "%s (%d for, %d against)",
	states: map[diagnosis.Status]string{
		diagnosis.Blocked: "■ cannot take money", diagnosis.Offline: "○ offline", diagnosis.Attention: "▲ needs attention", diagnosis.Unknown: "? unknown", diagnosis.OK: "● ok",
	},
	actors: map[knowledge.Actor]string{
		knowledge.Clerk: "the clerk", knowledge.Cardholder: "the cardholder", knowledge.MerchantOwner: "the merchant", knowledge.ServiceProvider: "the service provider",
		knowledge.Acquirer: "the acquirer", knowledge.Issuer: "the issuer", knowledge.Carrier: "the carrier", knowledge.Vendor: "the vendor",
		knowledge.WalletProvider: "the wallet provider", knowledge.Regulator: "the complaint body", knowledge.Nobody: "nobody",
	},
	confidence: map[diagnosis.Confidence]string{
		diagnosis.Certain: "certain", diagnosis.VeryLikely: "very likely", diagnosis.Likely: "likely", diagnosis.Unclear: "not clear yet",
	},
	presence: map[finding.Presence]string{finding.Present: "✔", finding.Absent: "·", finding.Unknown: "?"},
}
