// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
)

// gap parts what does not belong together: it stands for punctuation and space.
const gap = ' '

// traditional and simplified are pairs of characters, for those that occur at a
// counter.
const (
	traditional = "帐戶狀態異終簽機碼錯誤帳號絡無線網訊連額銀聯繫請務費電話開關閉門認證執營業發過個張單筆幣貨換錢來時間後動數據結賬餘現顯氣壞報紙讀寫條輸驗記錄鎖凍權辦種類處戰點擊選擇確實際頁環續圖標題會員經說這邊區縣設備產廠維護師萬億為與對應從沒檢測試麼還給聽嗎導傳響當擋價優遲緩斷傷隨進遠"
	simplified  = "账户状态异终签机码错误账号络无线网讯连额银联系请务费电话开关闭门认证执营业发过个张单笔币货换钱来时间后动数据结账余现显气坏报纸读写条输验记录锁冻权办种类处战点击选择确实际页环续图标题会员经说这边区县设备产厂维护师万亿为与对应从没检测试么还给听吗导传响当挡价优迟缓断伤随进远"
)

// A normalizer brings texts into the one form in which they are compared.
type normalizer struct {
	fold map[rune]rune
	// words are the synonyms by their first character, longest first.
	words map[rune][]synonym
}

type synonym struct{ from, to []rune }

func newNormalizer(groups [][]string) *normalizer {
	n := &normalizer{fold: map[rune]rune{}, words: map[rune][]synonym{}}
	simple := []rune(simplified)
	for i, r := range []rune(traditional) {
		n.fold[r] = simple[i]
	}
	for _, g := range groups {
		first := n.plain(g[0])
		for _, w := range g {
			from := n.plain(w)
			if len(from) > 0 { // the first word stands for itself, so that no shorter word tears it
				n.words[from[0]] = append(n.words[from[0]], synonym{from, first})
			}
		}
	}
	for _, list := range n.words {
		slices.SortStableFunc(list, func(a, b synonym) int { return cmp.Compare(len(b.from), len(a.from)) })
	}
	return n
}

// normalize gives text in half width, lower case and simplified characters, with
// synonyms replaced and a gap for every run of punctuation and space.
func (n *normalizer) normalize(text string) []rune {
	in := n.plain(text)
	out := make([]rune, 0, len(in))
	for i := 0; i < len(in); {
		s := n.synonymAt(in, i)
		if s == nil {
			out = append(out, in[i])
			i++
			continue
		}
		out = append(out, s.to...)
		i += len(s.from)
	}
	return out
}

// synonymAt finds the longest synonym that starts at i, nil if there is none. A
// Latin word counts only as a whole.
func (n *normalizer) synonymAt(in []rune, i int) *synonym {
	list := n.words[in[i]]
	for j := range list {
		end := i + len(list[j].from)
		switch {
		case end > len(in) || !slices.Equal(in[i:end], list[j].from):
		case isLatin(in[i]) && i > 0 && isLatin(in[i-1]):
		case isLatin(in[end-1]) && end < len(in) && isLatin(in[end]):
		default:
			return &list[j]
		}
	}
	return nil
}

// plain does all of normalize but the synonyms.
func (n *normalizer) plain(text string) []rune {
	in := []rune(text)
	in = in[:min(len(in), MaxQueryRunes)]
	out := make([]rune, 0, len(in))
	for i, r := range in {
		r = unicode.ToLower(halfWidth(r))
		if s, ok := n.fold[r]; ok {
			r = s
		}
		inNumber := r == '.' && i > 0 && i+1 < len(in) && isDigit(in[i-1]) && isDigit(in[i+1])
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), inNumber:
			out = append(out, r)
		case len(out) > 0 && out[len(out)-1] != gap:
			out = append(out, gap)
		}
	}
	return out
}

// halfWidth gives the half-width form of a full-width letter, digit or sign.
func halfWidth(r rune) rune {
	switch {
	case r >= '！' && r <= '～':
		return r - '！' + '!'
	case r == '　':
		return ' '
	default:
		return r
	}
}

func isDigit(r rune) bool {
	return r >= '0' && r <= '9' || r >= '０' && r <= '９'
}

func isLatin(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.'
}

func isHan(r rune) bool {
	return unicode.Is(unicode.Han, r)
}

// halfWidths gives text with full-width letters, digits and signs in half width, its case kept.
func halfWidths(text string) string {
	return strings.Map(halfWidth, text)
}
