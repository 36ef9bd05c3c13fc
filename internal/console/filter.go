// SPDX-License-Identifier: Apache-2.0

package console

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tillmend/tillmend/internal/diagnosis"
	"github.com/tillmend/tillmend/internal/knowledge"
)

// filter is what a list is asked for. All of it stands in the address.
type filter struct {
	Status []diagnosis.Status
	Cause  []knowledge.CauseID
	Actor  []knowledge.Actor
	Q      string // part of a terminal or merchant number
	Sort   string // a key of orders
	Down   bool   // the other way round
	Page   int    // from 1
}

// order is a way to sort a list.
type order struct {
	key  string
	less func(a, b *diagnosis.Diagnosis) int
}

// orders are the ways to sort a list; the first is the usual one. Equal terminals
// are in the order of their numbers.
var orders = []order{
	{"status", func(a, b *diagnosis.Diagnosis) int {
		return cmp.Or(cmp.Compare(rank(a.Status), rank(b.Status)), b.Since.Compare(a.Since))
	}},
	{"terminal", func(_, _ *diagnosis.Diagnosis) int { return 0 }},
	{"merchant", func(a, b *diagnosis.Diagnosis) int { return cmp.Compare(a.Merchant, b.Merchant) }},
	{"cause", func(a, b *diagnosis.Diagnosis) int { return cmp.Compare(causeOf(a), causeOf(b)) }},
	{"actor", func(a, b *diagnosis.Diagnosis) int { return cmp.Compare(turnOf(a), turnOf(b)) }},
	{"since", func(a, b *diagnosis.Diagnosis) int { return a.Since.Compare(b.Since) }},
}

func rank(s diagnosis.Status) int { return slices.Index(diagnosis.Statuses[:], s) }

// known are the parameters that any page takes.
var known = []string{"lang", "fragment"}

// readFilter reads an address. What it does not understand it leaves out and
// names in ignored, as it stands in the address.
func readFilter(q url.Values, base *knowledge.Base) (f filter, ignored []string) {
	f = filter{Sort: orders[0].key, Page: 1}
	for _, name := range slices.Sorted(maps.Keys(q)) {
		value := q.Get(name)
		switch name {
		case "q":
			f.Q = strings.TrimSpace(value)
		case "status":
			ignored = append(ignored, pick(name, value, &f.Status, func(s diagnosis.Status) bool { return rank(s) >= 0 })...)
		case "cause":
			ignored = append(ignored, pick(name, value, &f.Cause, func(id knowledge.CauseID) bool { _, ok := base.Cause(id); return ok })...)
		case "actor":
			ignored = append(ignored, pick(name, value, &f.Actor, func(a knowledge.Actor) bool { return slices.Contains(actors, a) })...)
		case "sort":
			key, down := strings.CutPrefix(value, "-")
			if !isOrder(key) {
				ignored = append(ignored, name+"="+value)
				continue
			}
			f.Sort, f.Down = key, down
		case "page":
			n, err := strconv.Atoi(value)
			if err != nil || n < 1 {
				ignored = append(ignored, name+"="+value)
				continue
			}
			f.Page = n
		default:
			if !slices.Contains(known, name) {
				ignored = append(ignored, name+"="+value)
			}
		}
	}
	return f, ignored
}

// actors are those that a filter may name, in the order of pages.
var actors = []knowledge.Actor{
	knowledge.Clerk, knowledge.Cardholder, knowledge.MerchantOwner, knowledge.ServiceProvider, knowledge.Acquirer, knowledge.Issuer,
	knowledge.Carrier, knowledge.Vendor, knowledge.WalletProvider, knowledge.Regulator, knowledge.Nobody,
}

func isOrder(key string) bool {
	return slices.ContainsFunc(orders, func(o order) bool { return o.key == key })
}

// pick reads a list of values with commas between them, each once.
func pick[T ~string](name, value string, into *[]T, ok func(T) bool) (ignored []string) {
	for part := range strings.SplitSeq(value, ",") {
		part = strings.TrimSpace(part)
		switch v := T(part); {
		case part == "":
		case !ok(v):
			ignored = append(ignored, name+"="+part)
		case !slices.Contains(*into, v):
			*into = append(*into, v)
		}
	}
	return ignored
}

// On reports whether the filter leaves anything out.
func (f filter) On() bool {
	return len(f.Status)+len(f.Cause)+len(f.Actor) > 0 || f.Q != ""
}

// match reports whether a terminal passes.
func (f filter) match(d *diagnosis.Diagnosis) bool {
	return among(f.Status, d.Status) && among(f.Cause, causeOf(d)) && among(f.Actor, turnOf(d)) &&
		(f.Q == "" || within(string(d.Terminal), f.Q) || within(string(d.Merchant), f.Q))
}

func among[T comparable](list []T, v T) bool { return len(list) == 0 || slices.Contains(list, v) }

func within(text, part string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(part))
}

// apply gives the terminals that pass, in order.
func (f filter) apply(all []diagnosis.Diagnosis) []*diagnosis.Diagnosis {
	var list []*diagnosis.Diagnosis
	for i := range all {
		if f.match(&all[i]) {
			list = append(list, &all[i])
		}
	}
	f.sort(list)
	return list
}

func (f filter) sort(list []*diagnosis.Diagnosis) {
	at := slices.IndexFunc(orders, func(o order) bool { return o.key == f.Sort })
	less := orders[at].less
	slices.SortFunc(list, func(a, b *diagnosis.Diagnosis) int {
		by := cmp.Or(less(a, b), cmp.Compare(a.Terminal, b.Terminal))
		if f.Down {
			return -by
		}
		return by
	})
}

// values writes the filter as it stands in an address, without what is usual.
func (f filter) values() url.Values {
	v := url.Values{}
	set := func(name, value string, usual bool) {
		if !usual {
			v.Set(name, value)
		}
	}
	set("status", join(f.Status), len(f.Status) == 0)
	set("cause", join(f.Cause), len(f.Cause) == 0)
	set("actor", join(f.Actor), len(f.Actor) == 0)
	set("q", f.Q, f.Q == "")
	sort := f.Sort
	if f.Down {
		sort = "-" + sort
	}
	set("sort", sort, sort == orders[0].key)
	set("page", strconv.Itoa(f.Page), f.Page == 1)
	return v
}

func join[T ~string](list []T) string {
	parts := make([]string, 0, len(list))
	for _, v := range list {
		parts = append(parts, string(v))
	}
	return strings.Join(parts, ",")
}

// at gives the address of the filter under a path. Commas stay readable.
func (f filter) at(path string) string {
	v := f.values()
	if len(v) == 0 {
		return path
	}
	return path + "?" + strings.ReplaceAll(v.Encode(), "%2C", ",")
}

// on gives the filter at another page.
func (f filter) on(page int) filter {
	f.Page = page
	return f
}

// by gives the filter sorted by another key, from its first page; the other way
// round if it is sorted so already.
func (f filter) by(key string) filter {
	f.Down = f.Sort == key && !f.Down
	f.Sort, f.Page = key, 1
	return f
}

// without gives the filter less one of its conditions.
func (f filter) without(name string) filter {
	f.Page = 1
	switch name {
	case "status":
		f.Status = nil
	case "cause":
		f.Cause = nil
	case "actor":
		f.Actor = nil
	case "q":
		f.Q = ""
	}
	return f
}
