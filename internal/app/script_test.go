// SPDX-License-Identifier: Apache-2.0

package app

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tillmend/tillmend/iso8583"
	"github.com/tillmend/tillmend/iso8583/dialect"

	"github.com/tillmend/tillmend/internal/txn"
)

// A script is a conversation in words, one message or connection event a line:
//
//	10:44:00 10.0.0.7:40112 > sign_in tid=T0000001 stan=1
//	10:44:01 10.0.0.7:40112 < 00 batch=1
//	10:44:09 10.0.0.7:40112 ! reset
//
// A request names its kind and what differs from the defaults; an answer names
// its response code and answers the last request of its peer. A time may have a
// date in front (06-03T10:44:00). The test turns it into frames as they are on
// the wire, so that what is tested begins with bytes.
type script struct {
	t    *testing.T
	di   *dialect.Dialect
	r    player
	last map[string]map[string]string // the last request of each peer
}

// player is what a script plays to.
type player interface {
	Frame(peer, host string, dir txn.Direction, at time.Time, frame []byte, line int)
	Link(l txn.Link)
}

// Public test card numbers.
var testPANs = map[string]string{
	"a": "6200000000000005", "b": "6205500000000000004", "c": "6225000000000014", "d": "3566002020360505", "e": "6224242000000021", "f": "6251880000051688",
}

// requests gives what each kind is on the wire: type, processing code, DE60.1, DE60.3.
var requests = map[string][4]string{
	"sign_in": {"0800", "", "00", "003"}, "sign_off": {"0820", "", "00", "002"}, "echo": {"0820", "", "00", "301"},
	"status_upload": {"0820", "", "00", "362"}, "download": {"0800", "", "00", "360"},
	"sale": {"0200", "000000", "22", "000"}, "void": {"0200", "200000", "23", "000"}, "refund": {"0220", "200000", "25", "000"},
	"balance": {"0200", "310000", "01", "000"}, "pre_auth": {"0100", "030000", "10", "000"}, "completion": {"0200", "000000", "20", "000"},
	"reversal": {"0400", "000000", "22", "000"}, "settlement": {"0500", "", "00", "201"}, "batch_upload": {"0320", "", "00", "201"},
	"batch_end": {"0320", "", "00", "202"},
}

func (s *script) run(text string) {
	for n, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, "#")
		if strings.TrimSpace(line) == "" {
			continue
		}
		if err := s.line(strings.Fields(line)); err != nil {
			s.t.Fatalf("script line %d: %q: %v", n+1, line, err)
		}
	}
}

func (s *script) line(words []string) error {
	if len(words) < 4 {
		return fmt.Errorf("want time, peer, sign and what")
	}
	stamp := words[0]
	if !strings.Contains(stamp, "T") {
		stamp = "06-03T" + stamp
	}
	at, err := time.Parse("2006-01-02T15:04:05Z07:00", "2026-"+stamp+"+08:00")
	if err != nil {
		return err
	}
	peer, sign, what := words[1], words[2], words[3]
	args := map[string]string{}
	for _, w := range words[4:] {
		k, v, _ := strings.Cut(w, "=")
		args[k] = v
	}
	switch sign {
	case ">":
		return s.request(at, peer, what, args)
	case "<":
		return s.answer(at, peer, what, args)
	case "!":
		kind, ok := txn.ParseLinkKind(what)
		if !ok {
			return fmt.Errorf("no such event")
		}
		s.r.Link(txn.Link{At: at, Kind: kind, Peer: peer})
		return nil
	}
	return errors.New("want one of > < ! after the peer")
}

func or(args map[string]string, key, otherwise string) string {
	if v, ok := args[key]; ok {
		return v
	}
	return otherwise
}

func pad(v string, n int) string {
	i, _ := strconv.Atoi(v)
	return fmt.Sprintf("%0*d", n, i)
}

func (s *script) request(at time.Time, peer, what string, args map[string]string) error {
	form, ok := requests[what]
	if !ok {
		return fmt.Errorf("no such request")
	}
	args["what"] = what
	s.last[peer] = args
	f := map[int]string{
		41: or(args, "tid", "T0000001"), 42: or(args, "mid", "898000000000001"),
		60: form[2] + pad(or(args, "batch", "1"), 6) + or(args, "function", form[3]),
	}
	if what != "echo" && what != "download" && what != "status_upload" {
		f[11] = pad(or(args, "stan", "1"), 6)
	}
	switch form[0] {
	case "0200", "0100", "0220", "0400":
		f[3], f[4], f[22], f[25], f[49] = form[1], pad(or(args, "amount", "3600"), 12), "051", "00", "156"
		f[60] += or(args, "f60", "50")
		if c := or(args, "card", "a"); c != "-" {
			f[2] = testPANs[c]
		}
		if what == "reversal" {
			f[39] = or(args, "reason", "98")
		} else {
			f[64] = "3531443837343145"
		}
		if o, ok := args["orig"]; ok {
			f[61] = pad(or(args, "batch", "1"), 6) + pad(o, 6) + "0603"
		}
	case "0500":
		f[48], f[49], f[63] = strings.Repeat("0", 62), "156", "01 "
	case "0320":
		f[48] = "0000"
	case "0800":
		f[63] = "01 "
	}
	if c, ok := args["clock"]; ok {
		f[13], f[12] = c[:4], c[4:]
	}
	if h, ok := args["status"]; ok {
		f[62] = fmt.Sprintf("%x", h)
	}
	return s.send(txn.ToHost, at, peer, iso8583.Draft{MTI: form[0], Fields: f, TPDU: "6000050000", Header: or(args, "header", "603100311108")}, args)
}

func (s *script) answer(at time.Time, peer, code string, args map[string]string) error {
	req, ok := s.last[peer]
	if !ok {
		return fmt.Errorf("no request of this peer")
	}
	if as, ok := args["for"]; ok {
		req = s.last[as]
	}
	form := requests[req["what"]]
	f := map[int]string{
		12: at.Format("150405"), 13: at.Format("0102"), 37: "000000" + pad(or(req, "stan", "1"), 6), 39: code,
		41: or(req, "tid", "T0000001"), 42: or(req, "mid", "898000000000001"),
		60: form[2] + pad(or(args, "batch", or(req, "batch", "1")), 6) + or(req, "function", form[3]),
	}
	if req["what"] != "echo" && req["what"] != "download" && req["what"] != "status_upload" {
		f[11] = pad(or(req, "stan", "1"), 6)
	}
	switch form[0] {
	case "0200", "0100", "0220", "0400":
		f[3], f[4], f[49] = form[1], pad(or(req, "amount", "3600"), 12), "156"
		if c := or(req, "card", "a"); c != "-" {
			f[2] = testPANs[c]
			f[44] = fmt.Sprintf("%-11s%-11s", pad(or(args, "issuer", testPANs[c][:6]), 8), "48025800")
		}
		f[64] = "3531443837343145"
	case "0500":
		d := or(args, "balanced", "1")
		f[48] = strings.Repeat("0", 30) + d + strings.Repeat("0", 30) + d
		f[49] = "156"
	case "0320":
		f[48] = "0000"
	}
	if req["what"] == "sign_in" && code == "00" {
		f[62] = strings.Repeat("AB", 40)
	}
	header := "603100" + "311108"
	if h, ok := args["order"]; ok {
		header = "60310" + h + "311108"
	}
	answers := map[string]string{"0200": "0210", "0100": "0110", "0220": "0230", "0400": "0410", "0500": "0510", "0320": "0330", "0800": "0810", "0820": "0830"}
	return s.send(txn.ToTerminal, at, peer, iso8583.Draft{MTI: answers[form[0]], Fields: f, TPDU: "6000000005", Header: header}, args)
}

func (s *script) send(dir txn.Direction, at time.Time, peer string, d iso8583.Draft, args map[string]string) error {
	frame, err := d.Encode(s.di)
	if err != nil {
		return err
	}
	if n, ok := args["cut"]; ok {
		k, _ := strconv.Atoi(n)
		frame = frame[:len(frame)-k]
	}
	s.r.Frame(peer, "", dir, at, frame, 0)
	return nil
}
