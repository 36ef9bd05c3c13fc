// SPDX-License-Identifier: Apache-2.0

package knowledge

import (
	"regexp"
	"strings"
)

// forbidden is what no step may ever advise, by what it would be.
var forbidden = []struct {
	what  string
	words *regexp.Regexp
}{
	{"splitting an amount", regexp.MustCompile(`拆分|拆单|拆成|分笔|分成[几两三多0-9]笔|分[几两三多]次刷|化整为零|(?i)\bsplit(ting)? (the |an? )?(amount|payment|sale|charge)|in smaller amounts|several smaller`)},
	{"changing the merchant", regexp.MustCompile(`换(个|一个|一家)?(虚拟)?商户|切换(虚拟)?商户|自选商户|换(个|一个)?(行业|MCC|类别)|改(成|换)?MCC|(?i)(switch|change|another|different|virtual) (to another |the |to a different )?(virtual )?(merchant( category| code| name)?|MCC)\b`)},
	{"fake sales", regexp.MustCompile(`自刷|自己的卡刷|刷自己的卡|养卡|养机|虚假交易|刷一笔小额保持|小额自|(?i)fake (small )?sales?|your own card|stay active|keep (it|the account) active`)},
	{"changing the serial number", regexp.MustCompile(`(修改|更改|改写|重置|重设|刷写|改)(机器)?(的)?(序列号|SN|TUSN)|(?i)(chang|edit|reset|rewrit)(e|ing) the serial`)},
	{"clearing a tamper alarm", regexp.MustCompile(`(清除|解除|清|消除|屏蔽)(防拆|自毁|触发|安全锁|拆机|攻击)|(?i)(clear|reset|bypass)(ing)? (the )?tamper`)},
	{"opening the case", regexp.MustCompile(`(拆开|打开|撬开)(机器|后盖|机壳|外壳)|自己拆机|(?i)open(ing)? the (case|housing)`)},
	{"entering keys by hand", regexp.MustCompile(`(手工|手动|自己|电话里?)(输入|录入|导入|输)(主|工作)?密钥|输入对方(念|给)的密钥|(?i)(enter|type|key in|import)(ing)? (a |the |an )?(master |working )?key\b`)},
	{"deleting records", regexp.MustCompile(`(删除|删掉|清除|清空|清掉|清理|清)(机器里?的?|终端的?)?(冲正|流水|交易记录|交易流水|日志|未结算)|(?i)(delet|clear|eras|wip)(e|ing) (the |any |all )?(pending )?(reversals?|journal|transactions?|records?|batch)`)},
	{"telling secrets", regexp.MustCompile(`(告诉|提供|报出|念出|说出|发)(给)?(对方|客服|他们|他)?(您的|客人的)?(密码|验证码|CVV|CVN|卡背.{0,4}码)|(?i)(tell|give|send|read out)( them| us| him| her| anyone)? (the |your |a )?(PIN|password|CVV|SMS code|verification code)`)},
	{"repeated retries", regexp.MustCompile(`(反复|一直|连续|不停|多次|继续)(地)?(重试|刷卡|刷|试|重刷)|(?i)(keep (re)?trying|retry repeatedly|again and again|over and over)`)},
}

// negation is what turns advice into its opposite when it stands before it in the same clause.
var negation = regexp.MustCompile(`不|别|勿|禁|严禁|没有|从不|绝不|避免|防止|停止|拒绝|(?i)\b(not|never|no|don't|without|stop|avoid|refuse|nobody|instead of)\b`)

// NeverAdvised names what s advises that may never be advised, such as evading
// risk control or destroying records; empty if it advises nothing of the kind.
// "Do not split the amount" advises nothing of the kind.
func NeverAdvised(s string) string {
	for _, f := range forbidden {
		if Advises(s, f.words) {
			return f.what
		}
	}
	return ""
}

// Advises reports whether a clause of s says what words matches without a
// negation before it. A negation holds up to the end of its sentence, since lists go on after commas.
func Advises(s string, words *regexp.Regexp) bool {
	for sentence := range strings.FieldsFuncSeq(s, endsSentence) {
		for _, hit := range words.FindAllStringIndex(sentence, -1) {
			if !negation.MatchString(sentence[:hit[0]]) {
				return true
			}
		}
	}
	return false
}

func endsSentence(r rune) bool {
	return strings.ContainsRune("。！？；!?;.", r)
}
