// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"regexp"
	"slices"
	"strings"

	"github.com/tillmend/tillmend/internal/knowledge"
)

// How sure it is that a token of a query is a response code.
const (
	named  = 1.0 // "错误码97", "显示97", or nothing but the code
	likely = 0.8 // "97交易失败", "Z5 渠道商户…"
	bare   = 0.6 // "工行卡全部91"
)

// A codeBook knows all codes of all layers.
type codeBook map[string]bool

func newCodeBook(b *knowledge.Base) codeBook {
	book := codeBook{}
	for i := range b.Layers {
		for j := range b.Layers[i].Codes {
			book[strings.ToUpper(b.Layers[i].Codes[j].Code)] = true
		}
	}
	return book
}

// A mention is a response code in a query.
type mention struct {
	code string
	sure float64
}

var (
	// A codeForm is a token that may be a code: "97", "A0", "Z5", "YK", "S2001", "-20031".
	codeForm = regexp.MustCompile(`-?[A-Za-z0-9.]+`)
	// A codeIntro stands right before a code.
	codeIntro = regexp.MustCompile(`(?i)((机器|机子|POS机?|刷卡)?(显示|提示|报|返回|弹出?|打出)?(错误代码|状态代码|代码|错误码|状态码|应答码|响应码|返回码)|报错|错误|码|显示|提示|返回|报|弹出?|出现?|出来|显|写着|跳|结果|是|编号|code|error|err|response|shows?|says|with|de39|got|returns?)[:：是为\s"“「『(（]*$`)
	// A codeTail stands right after a code.
	codeTail = regexp.MustCompile(`(?i)^[\s"”」』)）,，、:：]*(交易|失败|错误|号错|代码|什么意思|是什么|怎么|啥|无效|请|系统|error|failed|decline|code|what|means?)`)
	// A unitTail after a number says that it is a count, an amount or a time.
	unitTail = regexp.MustCompile(`^\s*([元块张笔台天个次分秒点月年号%％万千百毛角岁度人家位层楼寸米路折倍遍回把条单套款排名届种样代]|多|几|来|小时|流量|押金|服务费|月租|年费|手续费|点|以[上下内]|左右|[:：]\d|yuan|rmb|minutes?|days?|times|hours?|%)`)
	// An amountHead before a number says that it is an amount, a count or a date.
	amountHead = regexp.MustCompile(`(扣了?|收了?|押金|费|付了?|刷了?|退了?|差了?|少了?|多了?|第|近|约|共|才|满|每|过了?|型号|¥|￥|\$|版本)\s*$`)
	// endOfClause stands after a number that is no count.
	endOfClause = regexp.MustCompile(`^\s*($|[,，。.;；!！?？])`)
	// notCodes are short words that look like codes and mean something else unless
	// they are named as codes.
	notCodes = []string{"T0", "T1", "D0", "D1", "S0", "2G", "3G", "4G", "5G", "M1", "IC", "ID", "IP", "OK", "QR", "NO", "MY", "IS", "IN", "ON", "IT", "AT", "TO", "OR", "OF", "WE", "SO", "UP", "AM", "PM", "PC", "TV"}
)

// mentions finds the response codes in text, which is in half width and has its
// case. The rest is the text without them and what introduces them: codes are
// looked up, not compared.
func (book codeBook) mentions(text string) (found []mention, rest string) {
	var words strings.Builder
	end := 0
	for _, at := range codeForm.FindAllStringIndex(text, -1) {
		token := strings.TrimRight(text[at[0]:at[1]], ".")
		before, after := text[:at[0]], text[at[0]+len(token):]
		sure := book.sure(token, before, after)
		if sure == 0 {
			continue
		}
		between := text[end:at[0]]
		if intro := codeIntro.FindStringIndex(between); intro != nil {
			between = between[:intro[0]]
		}
		words.WriteString(between + " ")
		end = at[0] + len(token)
		code := strings.ToUpper(token)
		if !slices.ContainsFunc(found, func(m mention) bool { return m.code == code }) {
			found = append(found, mention{code, sure})
		}
	}
	return found, words.String() + text[end:]
}

// sure says how sure it is that token, between before and after, is a code of the book.
func (book codeBook) sure(token, before, after string) float64 {
	code := strings.ToUpper(token)
	if !book[code] {
		return 0
	}
	numeric := strings.Trim(token, "-0123456789") == ""
	intro := codeIntro.MatchString(before)
	switch {
	case strings.Trim(before+after, aroundCode) == "":
		return named
	case numeric && (unitTail.MatchString(after) || amountHead.MatchString(before)):
		return 0
	case slices.Contains(notCodes, code) && !intro:
		return 0
	case intro && (strings.ToLower(token) != token || strings.ContainsAny(token, "0123456789") || codeTail.MatchString(after)):
		return named
	case numeric:
		return sureNumber(token, before, after)
	case strings.ToLower(token) != token: // "ef" in small letters is a word
		return likely
	default:
		return 0
	}
}

// aroundCode is what may stand around a code that is all there is of a query.
const aroundCode = " \t\n.,，。:：?？!！\"“”「」()（）"

// sureNumber says how sure it is that a number without an introduction is a code.
func sureNumber(token, before, after string) float64 {
	switch {
	case len(token) > 2 && token[0] != '-': // "299" need not be a code
		if codeTail.MatchString(after) {
			return likely
		}
		return 0
	case len(token) > 2, before == "", codeTail.MatchString(after):
		return likely
	case endOfClause.MatchString(after):
		return bare
	default:
		return 0
	}
}

// A maker is an acquirer that a query may name.
type maker struct {
	name  string // in small letters
	layer string
}

// newMakers gives the names of all acquirers of the base.
func newMakers(b *knowledge.Base) []maker {
	var list []maker
	for i := range b.Layers {
		l := &b.Layers[i]
		own, ok := strings.CutPrefix(l.Name, "acquirer:")
		if !ok {
			continue
		}
		for _, n := range append([]string{own}, l.Names...) {
			list = append(list, maker{strings.ToLower(n), own})
		}
	}
	return list
}

// acquirerIn gives the acquirer that text names, empty if none.
func (ix *Index) acquirerIn(text string) string {
	text = strings.ToLower(text)
	for _, m := range ix.makers {
		if len(m.name) > 3 && strings.Contains(text, m.name) { // three bytes are one character
			return m.layer
		}
	}
	return ""
}
