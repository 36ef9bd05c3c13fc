// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"slices"
	"time"

	"github.com/tillmend/tillmend/internal/terminal"
)

// whichCards: one card or all cards? It is the most useful single question.
func whichCards(e *episode) []Finding {
	list := e.payments()
	n := cards(list)
	var out []Finding
	switch {
	case n >= 2:
		out = e.of(AllCards, list)
	case n == 1 && len(list) >= 2:
		out = e.of(OneCard, list)
	}
	if n == 1 {
		out = append(out, otherCardWorks(e, list)...)
	}
	return out
}

// otherCardWorks: around the failures of one card, another went through.
func otherCardWorks(e *episode, fails []terminal.Exchange) []Finding {
	var ok []terminal.Exchange
	for i := range e.all {
		x := &e.all[i]
		if served(x) && x.Card != 0 && x.Card != fails[0].Card && x.At >= fails[0].At {
			ok = append(ok, *x)
		}
	}
	f := e.of(OtherCardWorks, ok)
	if f != nil {
		f[0].State, f[0].Until, f[0].Code = Present, time.Time{}, ""
	}
	return f
}

// whichIssuers: one issuer or all issuers?
func whichIssuers(e *episode) []Finding {
	var fails []terminal.Exchange
	for _, x := range e.all {
		if x.Kind.Financial() && x.Outcome.Failed() {
			fails = append(fails, x)
		}
	}
	n := issuers(fails)
	switch {
	case n >= 2 && issuers(e.payments()) >= 2:
		return e.of(AllIssuers, e.payments())
	case n == 1 && len(fails) >= 2 && cards(fails) >= 2 && otherIssuerServed(e, fails):
		f := e.of(OneIssuer, fails)
		f[0].State, f[0].Until = Present, time.Time{}
		return f
	}
	return nil
}

func otherIssuerServed(e *episode, fails []terminal.Exchange) bool {
	return slices.ContainsFunc(e.all, func(x terminal.Exchange) bool {
		return served(&x) && x.Issuer != 0 && x.Issuer != fails[0].Issuer && x.At >= fails[0].At
	})
}

// declines: the response codes of the episode, each as evidence of its own.
func declines(e *episode) []Finding {
	var codes []string
	for i := range e.fails {
		if c := e.fails[i].CodeString(); c != "" && c != "00" && !slices.Contains(codes, c) {
			codes = append(codes, c)
		}
	}
	var out []Finding
	for _, c := range codes {
		f := e.of(DeclinedWithCode, e.where(func(x *terminal.Exchange) bool {
			return x.CodeString() == c && x.Outcome.Failed()
		}))
		if f != nil {
			f[0].Code = c
		}
		out = append(out, f...)
	}
	return out
}
