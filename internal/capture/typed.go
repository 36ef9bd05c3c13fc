// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"bytes"
	"fmt"
	"time"

	"github.com/tillmend/tillmend/iso8583/frame"
)

// maxBlock is how many bytes of lines that follow one another are taken together.
const maxBlock = 1 << 20

// printable reports whether a text is no hexadecimal but the characters of a message,
// as some dialects have no others. Its whole must then make sense.
func (in *input) printable() bool {
	head, _ := in.Peek(in.Buffered())
	for line := range bytes.Lines(head) {
		text, _ := bare(line)
		if len(text) == 0 {
			continue
		}
		if _, wrong := unhex(nil, text, 1); wrong.reason == "" || isLog(text) {
			return false
		}
		break
	}
	all, err := in.Peek(frame.MaxFrame + 1)
	return err != nil && (cut(all) != nil || fits(all))
}

// isLog reports whether a line has time, peer and sign before its digits: a time has
// hyphens, digits have none.
func isLog(text []byte) bool {
	first, _, _ := word(text, 1)
	return bytes.IndexByte(first, '-') >= 0
}

// block is what hexadecimal lines that follow one another say.
type block struct {
	out    *frames
	bytes  []byte
	origin marks // lines
}

// typed reads hexadecimal lines.
func (in *input) typed(out *frames) error {
	b := &block{out: out}
	var logged []byte // the frame of a line with time and peer
	err := in.lines(func(n int, line []byte, long bool) error {
		wrong := fault{reason: tooLong}
		if !long {
			text, column := bare(line)
			switch {
			case len(bytes.TrimSpace(line)) == 0:
				b.finish()
				return out.stopped()
			case len(text) == 0:
				return nil // a comment
			case isLog(text):
				b.finish()
				logged, wrong = b.logged(logged[:0], text, column, n)
			default:
				wrong = b.add(text, column, n)
			}
		}
		if wrong.reason != "" {
			out.fail(Problem{Place: place(out.name, n, wrong.column), Reason: wrong.reason})
		}
		return out.stopped()
	})
	b.finish()
	if err != nil {
		return fmt.Errorf("%s: %w", out.name, err)
	}
	return nil
}

// logged takes a line of a hex log. Its events are no frames.
func (b *block) logged(buf, text []byte, column, line int) ([]byte, fault) {
	l, wrong := parseLine(text, column, time.UTC)
	if wrong.reason != "" {
		return buf, wrong
	}
	if l.sign == '!' {
		_, wrong = l.event()
		return buf, wrong
	}
	if buf, wrong = unhex(buf, l.rest, l.column); wrong.reason == "" {
		b.out.send(place(b.out.name, line, 0), buf)
	}
	return buf, wrong
}

// add takes a line of digits.
func (b *block) add(text []byte, column, line int) fault {
	if len(b.bytes) > maxBlock {
		b.finish()
	}
	size := len(b.bytes)
	more, wrong := unhex(b.bytes, text, column)
	if wrong.reason != "" {
		return wrong
	}
	b.bytes = more
	b.origin.add(size, line)
	return fault{}
}

// finish hands out the frames of the block: all lines together if that makes sense,
// and each line otherwise.
func (b *block) finish() {
	all, origin := b.bytes, b.origin
	b.bytes, b.origin = nil, nil
	if len(origin) == 0 {
		return
	}
	spans := cut(all)
	switch {
	case spans != nil:
	case len(origin) == 1 || fits(all):
		spans = []span{{0, len(all)}}
	default:
		for i, m := range origin {
			end := len(all)
			if i+1 < len(origin) {
				end = origin[i+1].offset
			}
			spans = append(spans, span{m.offset, end})
		}
	}
	for _, s := range spans {
		b.out.send(place(b.out.name, origin.at(s.from), 0), all[s.from:s.to])
	}
}
