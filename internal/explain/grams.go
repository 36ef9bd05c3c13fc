// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"slices"
	"strings"
)

// A gram is what texts are compared by: a character, a pair of neighbouring
// characters, or a Latin word.
type gram uint64

// Kinds of grams differ in the bits above the characters.
const (
	runeBits = 21 // of one character
	latinBit = gram(1) << 63
)

// Shares that the kinds of grams have in a text, beside their rarity. A single
// character says less than a pair.
const (
	singleShare = 0.6
	pairShare   = 1.0
	latinShare  = 1.2
)

func (g gram) share() float64 {
	switch {
	case g&latinBit != 0:
		return latinShare
	case g>>runeBits != 0:
		return pairShare
	default:
		return singleShare
	}
}

// rate is the gram of every number with a decimal point: fees are told by such
// numbers, and which number it is does not matter.
const rate = "0.0"

// A spot is a gram and where its text starts, in characters.
type spot struct {
	gram gram
	at   int
}

// grams gives the grams of a normalized text in order, with repetitions. Whole
// numbers are left out: they are amounts, dates and codes, and codes are looked
// up as such.
func grams(text []rune) []spot {
	out := make([]spot, 0, 2*len(text))
	for i := 0; i < len(text); {
		switch r := text[i]; {
		case isLatin(r):
			end := i
			for end < len(text) && isLatin(text[end]) {
				end++
			}
			if w := word(string(text[i:end])); w != "" {
				out = append(out, spot{latinBit | hash(w), i})
			}
			i = end
		case isHan(r):
			out = append(out, spot{gram(r), i})
			if i+1 < len(text) && isHan(text[i+1]) {
				out = append(out, spot{gram(r)<<runeBits | gram(text[i+1]), i})
			}
			i++
		default:
			i++
		}
	}
	return out
}

// hash gives the gram of a word by FNV-1a: the same in every run, so that sums
// are made in the same order and answers do not change by a rounding.
func hash(w string) gram {
	h := gram(14695981039346656037)
	for i := range len(w) {
		h = (h ^ gram(w[i])) * 1099511628211
	}
	return h
}

// word gives the form in which a Latin word is compared: without the endings of
// English; nothing for whole numbers.
func word(w string) string {
	switch {
	case strings.Trim(w, "0123456789") == "":
		return ""
	case strings.Trim(w, "0123456789.") == "":
		return rate
	case len(w) > 4:
		for _, end := range []string{"ing", "ed", "es", "s"} {
			if stem, ok := strings.CutSuffix(w, end); ok && len(stem) > 2 {
				return stem
			}
		}
	}
	return w
}

// distinct gives the different grams of a text, in order.
func distinct(spots []spot) []gram {
	set := make([]gram, 0, len(spots))
	for _, s := range spots {
		set = append(set, s.gram)
	}
	slices.Sort(set)
	return slices.Compact(set)
}
