// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/tillmend/tillmend/iso8583/frame"
)

// Input is one frame to be decoded.
type Input struct {
	// Place is where it comes from: file:line, the file and the number of a packet, or
	// the file and the offset of a byte.
	Place string
	// Bytes is the frame. It belongs to the receiver.
	Bytes []byte
}

// maxBinary is how many bytes of a binary file are read. It holds thousands of frames;
// more than that is a recording of another kind.
const maxBinary = 16 << 20

// DecodeInput gives the frames in r, whatever it holds:
//
//   - a capture: the bytes that one side of a connection sends until the other answers
//     are cut into frames;
//   - hexadecimal lines, with or without the time, peer and sign of a hex log: lines
//     that follow one another are taken together if they then make up whole frames,
//     and are one frame each otherwise; an empty line separates;
//   - anything else: the bytes of one or more frames.
//
// Bytes are cut where a length prefix says so, if that leaves nothing over; what
// cannot be cut is one frame. Errors are each about one place, and what follows is
// still read.
func DecodeInput(r io.Reader, name string) iter.Seq2[Input, error] {
	return func(yield func(Input, error) bool) {
		in, err := open(r, name)
		if err != nil {
			yield(Input{}, err)
			return
		}
		out := &frames{name: name, yield: yield}
		switch {
		case in.kind == pcapFile || in.kind == pcapngFile:
			err = in.captured(out)
		case in.kind == textFile && !in.printable():
			err = in.typed(out)
		default:
			err = in.raw(out)
		}
		if err != nil && !errors.Is(err, errStopped) {
			out.fail(err)
		}
	}
}

// errStopped means that the receiver wants no more.
var errStopped = errors.New("no more frames are wanted")

// frames hands frames to the receiver.
type frames struct {
	name  string
	yield func(Input, error) bool
	ended bool
}

func (f *frames) send(place string, b []byte) {
	if !f.ended {
		f.ended = !f.yield(Input{Place: place, Bytes: bytes.Clone(b)}, nil)
	}
}

func (f *frames) fail(err error) {
	if !f.ended {
		f.ended = !f.yield(Input{}, err)
	}
}

// stopped gives errStopped once the receiver wants no more.
func (f *frames) stopped() error {
	if f.ended {
		return errStopped
	}
	return nil
}

// raw reads a binary file.
func (in *input) raw(out *frames) error {
	b, err := io.ReadAll(io.LimitReader(in.Reader, maxBinary+1))
	if err != nil {
		return fmt.Errorf("%s: %w", in.name, err)
	}
	if len(b) > maxBinary {
		return fmt.Errorf("%s: the file is longer than %d bytes; expected frames, a hex log or a packet capture", in.name, maxBinary)
	}
	spans := cut(b)
	if spans == nil {
		if len(b) > frame.MaxFrame {
			return fmt.Errorf("%s: expected frames with length prefixes, or one frame of at most %d bytes", in.name, frame.MaxFrame)
		}
		out.send(in.name, b)
		return nil
	}
	for _, s := range spans {
		out.send(fmt.Sprintf("%s: byte %d", in.name, s.from), b[s.from:s.to])
	}
	return nil
}

// captured reads a capture.
func (in *input) captured(out *frames) error {
	var sum Summary
	c, err := in.openPackets(&sum)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	turns := &turns{out: out, packets: &sum.Packets, conns: map[string]*turn{}}
	t := newTable(turns, nil, &sum)
	if err = c.each(ctx, func(s *segment) {
		if t.take(s); out.ended {
			stop()
		}
	}); out.ended {
		return errStopped
	}
	t.finish()
	turns.finish()
	for _, p := range sum.Problems {
		out.fail(p)
	}
	return err
}
