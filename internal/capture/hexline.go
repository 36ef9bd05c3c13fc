// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"bytes"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/tillmend/tillmend/internal/txn"
	"github.com/tillmend/tillmend/iso8583/frame"
)

// fault is what is wrong with a line, and where: the column counts bytes from 1. An
// empty reason means nothing is.
type fault struct {
	column int
	reason string
}

// logLine is one line of a hex log, with its hexadecimal digits not yet read.
type logLine struct {
	at     time.Time
	peer   []byte
	sign   byte
	rest   []byte
	column int // where rest begins
}

const (
	wantTime = "expected a time such as 2026-06-03T10:44:00.123+08:00"
	wantPeer = "expected the terminal's side of the connection as address:port, such as 10.0.0.7:40112"
	wantSign = "expected > (to the host), < (to the terminal) or ! (event)"
	wantHex  = "expected hexadecimal digits"
	wantWord = "expected one of open, close, reset, timeout, refused, tls-alert, eof, host-refused, host-reset, " +
		"host-timeout, host-tls-alert, overloaded"
	// zoneless is a time without a zone.
	zoneless = "2006-01-02T15:04:05"
)

// bare takes comment, line end and surrounding white space off a line, and gives the
// column where the rest begins.
func bare(line []byte) (text []byte, column int) {
	if i := bytes.IndexByte(line, '#'); i >= 0 {
		line = line[:i]
	}
	text = bytes.TrimLeft(line, " \t")
	column = len(line) - len(text) + 1
	return bytes.TrimRight(text, " \t\r\n\f\v"), column
}

// word takes the first word off text.
func word(text []byte, column int) (first, rest []byte, next int) {
	end := bytes.IndexAny(text, " \t")
	if end < 0 {
		return text, nil, column + len(text)
	}
	rest = bytes.TrimLeft(text[end:], " \t")
	return text[:end], rest, column + len(text) - len(rest)
}

// parseLine takes the bare text of a line apart. Times without zone are in loc.
func parseLine(text []byte, column int, loc *time.Location) (logLine, fault) {
	var l logLine
	stamp, text, next := word(text, column)
	at, err := time.Parse(time.RFC3339Nano, string(stamp))
	if err != nil {
		where := loc
		if where == nil {
			where = time.UTC
		}
		if at, err = time.ParseInLocation(zoneless, string(stamp), where); err != nil {
			return l, fault{column, wantTime}
		}
		if loc == nil {
			return l, fault{column, "the time names no zone; " + wantTime}
		}
	}
	l.at = at
	column = next
	if l.peer, text, next = word(text, column); len(l.peer) == 0 {
		return l, fault{column, wantPeer}
	}
	peerColumn, column := column, next
	sign, text, next := word(text, column)
	if len(sign) != 1 || sign[0] != '>' && sign[0] != '<' && sign[0] != '!' {
		if !isPeer(string(l.peer)) {
			return l, fault{peerColumn, wantPeer}
		}
		return l, fault{column, wantSign}
	}
	l.sign, l.rest, l.column = sign[0], text, next
	if !isPeer(string(l.peer)) {
		return l, fault{peerColumn, wantPeer}
	}
	return l, fault{}
}

// maxName is the longest name of a host in bytes.
const maxName = 253

// isPeer reports whether a word is address:port or name:port.
func isPeer(text string) bool {
	if _, err := netip.ParseAddrPort(text); err == nil {
		return true
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil || host == "" || len(host) > maxName {
		return false
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return false
	}
	for _, c := range []byte(host) {
		letter, digit := 'a' <= c|0x20 && c|0x20 <= 'z', '0' <= c && c <= '9'
		if !letter && !digit && c != '.' && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// direction is that of the line's frame.
func (l *logLine) direction() txn.Direction {
	if l.sign == '<' {
		return txn.ToTerminal
	}
	return txn.ToHost
}

// event reads what happened to the connection.
func (l *logLine) event() (txn.LinkKind, fault) {
	name, more, next := word(l.rest, l.column)
	k, ok := txn.ParseLinkKind(string(name))
	switch {
	case !ok:
		return 0, fault{l.column, wantWord}
	case len(more) > 0:
		return 0, fault{next, "expected nothing more after the event"}
	}
	return k, fault{}
}

// unhex appends the bytes of hexadecimal text to dst, passing over white space.
func unhex(dst, text []byte, column int) ([]byte, fault) {
	start, half, high := len(dst), false, byte(0)
	for i, c := range text {
		n := digits[c]
		switch {
		case n == space:
			continue
		case n == other:
			return dst[:start], fault{column + i, wantHex}
		case !half:
			high = n << 4
		default:
			dst = append(dst, high|n)
		}
		half = !half
		if len(dst)-start > frame.MaxFrame {
			return dst[:start], fault{column + i, "the frame is longer than " + strconv.Itoa(frame.MaxFrame) + " bytes"}
		}
	}
	switch {
	case half:
		return dst[:start], fault{column + len(text), "the last byte has one digit; " + wantHex + " in pairs"}
	case len(dst) == start:
		return dst, fault{column, wantHex + ", found none"}
	}
	return dst, fault{}
}

// digits gives the value of a hexadecimal digit, or one of the values below.
var digits = digitTable()

const (
	space = 0xFE
	other = 0xFF
)

func digitTable() (table [256]byte) {
	for i := range table {
		c := byte(i)
		switch {
		case '0' <= c && c <= '9':
			table[i] = c - '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			table[i] = c | 0x20 - 'a' + 10
		case c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v':
			table[i] = space
		default:
			table[i] = other
		}
	}
	return table
}
