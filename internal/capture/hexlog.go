// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/tillmend/tillmend/internal/txn"
)

// hexLog reads one hex log.
type hexLog struct {
	in    *input
	sink  Sink
	zone  *time.Location
	sum   Summary
	line  int
	peers map[string]*hexPeer
	buf   []byte // the frame of the current line
}

// hexPeer is what is remembered of a connection of a hex log.
type hexPeer struct {
	name  string
	open  bool
	began time.Time // zero when its beginning was not logged
	last  time.Time
	line  int // where last comes from
}

// hexLog reads the file as a hex log.
func (in *input) hexLog(ctx context.Context, sink Sink, opt Options) (Summary, error) {
	h := &hexLog{in: in, sink: sink, zone: opt.Location, peers: map[string]*hexPeer{}}
	h.sum = Summary{Format: FormatHex, limit: opt.MaxProblems}
	err := in.lines(func(n int, line []byte, long bool) error {
		h.line, h.sum.Lines = n, n
		h.read(line, long)
		return ctx.Err()
	})
	clear(h.buf[:cap(h.buf)]) // it held a frame
	if err != nil {
		return h.sum, fmt.Errorf("%s: %w", h.place(0), err)
	}
	if h.sum.Errors > 0 && h.sum.Frames+h.sum.Events == 0 && len(h.sum.Problems) > 0 {
		return h.sum, fmt.Errorf("no line could be read as a hex log, with lines such as %s: %w", exampleLine, h.sum.Problems[0])
	}
	return h.sum, nil
}

// lines gives each line with its number from 1, without its end. A line that is too
// long is given without its text.
func (in *input) lines(each func(n int, line []byte, long bool) error) error {
	for n := 1; ; n++ {
		line, err := in.ReadSlice('\n')
		long := errors.Is(err, bufio.ErrBufferFull)
		for errors.Is(err, bufio.ErrBufferFull) {
			line = nil
			_, err = in.ReadSlice('\n')
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if len(line) > 0 || long {
			if why := each(n, line, long); why != nil {
				return why
			}
		}
		if err != nil {
			return nil
		}
	}
}

// place names a column of the current line, or the line for column 0.
func (h *hexLog) place(column int) string { return place(h.in.name, h.line, column) }

func place(name string, line, column int) string {
	if line > 0 {
		name += ":" + strconv.Itoa(line)
	}
	if column > 0 {
		name += ":" + strconv.Itoa(column)
	}
	return name
}

func (h *hexLog) read(line []byte, long bool) {
	if long {
		h.sum.note(Problem{Place: h.place(0), Reason: tooLong})
		return
	}
	text, column := bare(line)
	if len(text) == 0 {
		return
	}
	l, wrong := parseLine(text, column, h.zone)
	if wrong.reason == "" {
		wrong = h.tell(&l)
	}
	if wrong.reason != "" {
		h.sum.note(Problem{Place: h.place(wrong.column), Reason: wrong.reason})
	}
}

// tooLong is said of a line that does not fit in memory set aside for it.
var tooLong = "the line is longer than " + strconv.Itoa(bufferSize) + " bytes"

// tell tells the sink what a line says, unless something is wrong with its rest.
func (h *hexLog) tell(l *logLine) fault {
	if l.sign == '!' {
		kind, wrong := l.event()
		if wrong.reason == "" {
			h.event(h.peer(l), l.at, kind)
		}
		return wrong
	}
	var wrong fault
	if h.buf, wrong = unhex(h.buf[:0], l.rest, l.column); wrong.reason != "" {
		return wrong
	}
	p := h.peer(l)
	if !p.open {
		h.open(p, l.at, time.Time{})
	}
	h.sum.Frames++
	h.sum.Bytes += int64(len(h.buf))
	h.sink.Frame(p.name, "", l.direction(), l.at, h.buf, h.line)
	return fault{}
}

// peer gives the connection of a line, and warns when its time goes back.
func (h *hexLog) peer(l *logLine) *hexPeer {
	p := h.peers[string(l.peer)]
	if p == nil {
		if len(h.peers) >= maxConnections {
			clear(h.peers) // each begins anew when it comes again
		}
		p = &hexPeer{name: string(l.peer)}
		h.peers[p.name] = p
	}
	if l.at.Before(p.last) {
		back := p.last.Sub(l.at)
		h.sum.note(Problem{
			Place: h.place(0), Warning: true,
			Reason: fmt.Sprintf("the time is %s before that of the same connection in line %d", back, p.line),
		})
	} else {
		p.last, p.line = l.at, h.line
	}
	h.sum.see(l.at)
	return p
}

// open begins a connection; began is zero when it was there before the log.
func (h *hexLog) open(p *hexPeer, at, began time.Time) {
	p.open, p.began = true, began
	h.sum.Connections++
	h.sink.Open(p.name, "", at)
}

// event tells what happened to a connection.
func (h *hexLog) event(p *hexPeer, at time.Time, kind txn.LinkKind) {
	if kind == txn.LinkOpen {
		h.open(p, at, at)
	}
	l := txn.Link{At: at, Kind: kind, Peer: p.name}
	if !p.began.IsZero() {
		l.Age = max(0, at.Sub(p.began))
	}
	if ends(kind) {
		p.open, p.began = false, time.Time{}
	}
	h.sum.Events++
	h.sink.Link(l)
}

// ends reports whether an event of this kind is the last of its connection.
func ends(kind txn.LinkKind) bool {
	switch kind {
	case txn.LinkOpen, txn.LinkTLSAlert, txn.LinkHostTLSAlert, txn.LinkEOF:
		return false
	case txn.LinkClose, txn.LinkReset, txn.LinkTimeout, txn.LinkRefused, txn.LinkHostRefused, txn.LinkHostReset,
		txn.LinkHostTimeout, txn.LinkOverloaded:
	}
	return true
}
