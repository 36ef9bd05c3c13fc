// SPDX-License-Identifier: Apache-2.0

// Package explain answers the question a merchant asks at the counter: the
// screen says this, why, and what now? It takes a few words, a response code or
// both, in Chinese or English, and names the most likely causes of the knowledge
// base, who must act, what to do, and the one question that would tell the
// remaining causes apart.
//
// # How it searches
//
// Short Chinese text has no word gaps, so texts are compared by their characters
// and pairs of neighbouring characters (see [grams]); a character that few causes
// use counts more. What a query says is compared with the ways in which people
// speak of a cause and with the texts of screens and codes. A response code in
// the query is looked up in the layers of the base; cues, such as "换了两张卡都一样",
// change the odds of whole groups of causes. All of it is added up as the
// logarithm of odds, and what no cause of the base explains goes to
// [knowledge.Other].
//
// An [Index] is read-only and may be asked by many at once.
package explain

import "github.com/tillmend/tillmend/internal/knowledge"

// MaxMatches is how many causes an answer names at most: more than that is no
// help at a counter.
const MaxMatches = 5

// MaxQueryRunes is how much of a query is read. A longer text is a story, and
// what matters in it is said early.
const MaxQueryRunes = 400

// ScreenText is the layer of a match that rests on words rather than on a code.
const ScreenText = "screen-text"

// Answer is what is known about a query, best first.
type Answer struct {
	Query   string  `json:"query"`
	Matches []Match `json:"matches"` // never empty: OTHER when nothing fits
	Ask     *Ask    `json:"ask,omitempty"`
}

// Match is one cause that fits the query.
type Match struct {
	Cause knowledge.CauseID `json:"cause"`
	Area  string            `json:"area"`
	Actor knowledge.Actor   `json:"actor"`
	Score float64           `json:"score"` // how likely this cause is among all, 0 to 1
	// Layer says what the match rests on: the layer of a code, or [ScreenText].
	Layer string   `json:"layer"`
	Code  string   `json:"code,omitempty"` // the response code, if it rests on one
	Title string   `json:"title"`
	What  string   `json:"what"`
	Steps []string `json:"steps"`
	Avoid []string `json:"avoid"`
	Proof string   `json:"proof"`
}

// Ask is the question that best tells the matches apart.
type Ask struct {
	ID       string          `json:"id"`
	Question string          `json:"question"`
	Why      string          `json:"why"`
	Who      knowledge.Actor `json:"who"`
	Minutes  int             `json:"minutes"`
}

// Explain answers query. The acquirer, by any of the names that the base knows,
// makes its private codes count; empty, it is taken from the query if that names
// one. lang is "zh" or "en", the language of the answer; anything else is
// Chinese.
func (ix *Index) Explain(query, acquirer, lang string) Answer {
	q := ix.read(query, acquirer)
	ranked := ix.rank(q)
	a := Answer{Query: query, Matches: ix.matches(ranked, q, lang)}
	if ask := ix.ask(ranked, q); ask != nil {
		a.Ask = &Ask{ask.ID, ask.Ask.In(lang), ask.Why.In(lang), ask.Who, ask.Minutes}
	}
	return a
}

// minShare is the least probability with which a cause is named beside the best one.
const minShare = 0.01

func (ix *Index) matches(ranked []candidate, q *query, lang string) []Match {
	var list []Match
	for _, c := range ranked {
		if len(list) == MaxMatches || len(list) > 0 && c.p < minShare {
			break
		}
		m := Match{
			Cause: c.cause.ID, Area: c.cause.Area, Actor: c.cause.Actor, Score: round(c.p), Layer: ScreenText,
			Title: c.cause.Title.In(lang), What: c.cause.What.In(lang), Proof: c.cause.Proof.In(lang),
			Steps: texts(c.cause.Now, lang), Avoid: texts(c.cause.Avoid, lang),
		}
		if by := q.basis(c.cause.ID); by != nil {
			m.Layer, m.Code = by.layer, by.code
		}
		list = append(list, m)
	}
	return list
}

func texts(list []knowledge.Text, lang string) []string {
	out := make([]string, 0, len(list))
	for _, t := range list {
		out = append(out, t.In(lang))
	}
	return out
}
