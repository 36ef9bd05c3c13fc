// SPDX-License-Identifier: Apache-2.0

// Package capture reads payment traffic from files: packet captures (pcap and
// pcapng, also compressed with gzip) and hex logs.
//
// [Read] tells a [Sink] what a file holds, in the order of the file: connections,
// their bytes and their events. A tap behind the sink cannot tell a file from a
// gateway. [DecodeInput] gives single frames of any kind of file, for people who
// want to look at them.
//
// # Captures
//
// TCP streams are put together again from packets that came twice, out of order,
// in pieces, or whose connection began before the capture did. What the capture
// lost is not waited for: as soon as the other side has answered something that
// was never captured, or the rest has waited for some seconds, the stream goes on
// behind the gap, and [Sink.Open] is called again so that nobody joins the bytes
// before the gap to those behind it. A request is therefore never told after its
// answer.
//
// # Hex logs
//
// One frame or event a line; # begins a comment, and white space between the
// digits does not matter:
//
//	2026-06-03T10:44:00.123+08:00 10.0.0.7:40112 ! open
//	2026-06-03T10:44:00.123+08:00 10.0.0.7:40112 > 003C6000…
//	2026-06-03T10:44:00.480+08:00 10.0.0.7:40112 < 00796000…
//
// The sign > goes towards the host, < towards the terminal, and ! is followed by
// what happened to the connection, a word of [txn.ParseLinkKind].
//
// # Card data
//
// Files may hold card data. It is given to the sink and kept nowhere; errors name
// places and expectations and never quote what a file says. There is no writer.
package capture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/tillmend/tillmend/internal/txn"
)

// Sink is told what a file holds. All calls come from one goroutine, and bytes are
// valid only during the call. A connection is known by its peer, the terminal's
// side; host is empty in hex logs, which do not name it.
type Sink interface {
	// Open begins a connection, or begins it anew: whatever was unfinished on it
	// will never be completed. It comes before the first bytes of a connection, also
	// when its beginning is not in the file, and after each gap.
	Open(peer, host string, at time.Time)
	// Data takes the next bytes of a TCP stream.
	Data(peer, host string, dir txn.Direction, at time.Time, b []byte)
	// Frame takes one complete frame of a hex log and the line where it stands.
	Frame(peer, host string, dir txn.Direction, at time.Time, frame []byte, line int)
	// Link takes an event of a connection. A connection that was established
	// in sight of the file has Open first and LinkOpen after it.
	Link(l txn.Link)
}

// Options tell how to read a file. The zero value is good for most files.
type Options struct {
	// HostPorts are the TCP ports of hosts. With any, packets of connections to other
	// ports are passed over and counted. Without, every connection is told, and its
	// host is the side that got the SYN, or where that was not captured, the side
	// that more connections have in common, or the lower port.
	HostPorts []uint16
	// Location is used for times of hex logs that name no zone, which are refused
	// when it is nil.
	Location *time.Location
	// MaxProblems is how many problems are kept in the summary, 100 if zero. Those
	// above it are only counted.
	MaxProblems int
}

// defaultProblems is how many problems a person may still want to read.
const defaultProblems = 100

// Names of what was read, in [Summary.Format].
const (
	FormatPcap   = "pcap"
	FormatPcapng = "pcapng"
	FormatHex    = "hex log"
)

// Summary is what was found in a file.
type Summary struct {
	Format string `json:"format"`
	// First and Last are the times of the first and the latest thing in the file.
	First time.Time `json:"first,omitzero"`
	Last  time.Time `json:"last,omitzero"`
	// Connections counts those begun, Events the connection events told to the sink.
	Connections int `json:"connections"`
	Events      int `json:"events"`
	// Bytes counts what was given to the sink as data or frames.
	Bytes int64 `json:"bytes"`

	// Lines and Frames count those of a hex log.
	Lines  int `json:"lines,omitempty"`
	Frames int `json:"frames,omitempty"`

	// Packets counts those of a capture.
	Packets int `json:"packets,omitempty"`
	// Foreign counts packets that hold no TCP, OtherPorts those passed over for
	// their ports, Cut those that the capture stored in part only.
	Foreign    int `json:"foreign,omitempty"`
	OtherPorts int `json:"other_ports,omitempty"`
	Cut        int `json:"cut,omitempty"`
	// Gaps counts the places where bytes of a stream were not captured.
	Gaps int `json:"gaps,omitempty"`
	// Forgotten counts connections given up for want of room while they were open.
	Forgotten int `json:"forgotten,omitempty"`
	// Hosts counts the connections of each host, as far as told apart.
	Hosts map[string]int `json:"hosts,omitempty"`

	// Problems are what could not be read and what looks wrong, the first ones only.
	// Errors and Warnings count all.
	Problems []Problem `json:"problems,omitempty"`
	Errors   int       `json:"errors"`
	Warnings int       `json:"warnings"`

	limit int
}

// Problem is one thing wrong with a file. As an error it says where, and what was
// expected. It never quotes the file.
type Problem struct {
	// Place is file:line:column, or the file and the number of a packet.
	Place string `json:"place"`
	// Reason says what is wrong there.
	Reason string `json:"reason"`
	// Warning is set when what stands there was used nevertheless.
	Warning bool `json:"warning,omitempty"`
}

// Error gives place and reason in one line.
func (p Problem) Error() string { return p.Place + ": " + p.Reason }

// note keeps a problem.
func (s *Summary) note(p Problem) {
	if p.Warning {
		s.Warnings++
	} else {
		s.Errors++
	}
	if s.limit == 0 {
		s.limit = defaultProblems
	}
	if len(s.Problems) < s.limit {
		s.Problems = append(s.Problems, p)
	}
}

// see keeps the time span of the file.
func (s *Summary) see(at time.Time) {
	if s.First.IsZero() {
		s.First = at
	}
	if at.After(s.Last) {
		s.Last = at
	}
}

// Read finds out what r holds and tells it to sink. The name stands in errors and
// places.
//
// What cannot be read is noted in the summary, and the rest is read. An error means
// that the file is of no known kind, that nothing in it could be read, that r failed,
// or that ctx ended; the summary then covers what was read until then.
func Read(ctx context.Context, r io.Reader, name string, sink Sink, opt Options) (Summary, error) {
	in, err := open(r, name)
	if err != nil {
		return Summary{}, err
	}
	switch in.kind {
	case pcapFile, pcapngFile:
		return in.packets(ctx, sink, opt)
	case textFile:
		return in.hexLog(ctx, sink, opt)
	case binaryFile:
	}
	return Summary{}, fmt.Errorf("%s: %w", name, ErrFormat)
}

// ErrFormat means that a file is of no kind that can be read here.
var ErrFormat = errors.New("neither a packet capture (pcap or pcapng, also with gzip) nor a hex log with lines such as " + exampleLine)

// exampleLine shows what a line of a hex log looks like.
const exampleLine = "“2026-06-03T10:44:00.123+08:00 10.0.0.7:40112 > 003C60…”"

// ReadHexLog is [Read] for a file that must be a hex log.
func ReadHexLog(ctx context.Context, r io.Reader, name string, sink Sink, opt Options) (Summary, error) {
	in, err := open(r, name)
	if err != nil {
		return Summary{}, err
	}
	if in.kind != textFile {
		return Summary{}, fmt.Errorf("%s: not text; expected a hex log with lines such as %s", name, exampleLine)
	}
	return in.hexLog(ctx, sink, opt)
}

// ReadPcap is [Read] for a file that must be a packet capture.
func ReadPcap(ctx context.Context, r io.Reader, name string, sink Sink, opt Options) (Summary, error) {
	in, err := open(r, name)
	if err != nil {
		return Summary{}, err
	}
	if in.kind != pcapFile && in.kind != pcapngFile {
		return Summary{}, fmt.Errorf("%s: not a packet capture; expected pcap or pcapng, also with gzip", name)
	}
	return in.packets(ctx, sink, opt)
}
