// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// kind is what sort of file it is.
type kind uint8

const (
	binaryFile kind = iota
	pcapFile
	pcapngFile
	textFile
)

const (
	// bufferSize is the longest line of a hex log in bytes: the longest frame, with a
	// space after every digit.
	bufferSize = 256 << 10
	// sniffSize is how many bytes are looked at to tell text from binary.
	sniffSize = 512
	// magicSize is how many bytes tell a capture: the magic number of a pcapng file
	// stands after eight others.
	magicSize = 12
)

// input is an opened file.
type input struct {
	*bufio.Reader
	name   string
	kind   kind
	failed *witness
}

// open finds out what r holds, and unpacks it if it is compressed with gzip.
func open(r io.Reader, name string) (*input, error) {
	in := &input{name: name, failed: &witness{r: r}}
	in.Reader = bufio.NewReaderSize(in.failed, bufferSize)
	head, err := in.sniff()
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(head, []byte{0x1f, 0x8b}) {
		packed, err := gzip.NewReader(in.Reader)
		if err != nil {
			return nil, fmt.Errorf("%s: gzip: %w", name, err)
		}
		in.Reader = bufio.NewReaderSize(packed, bufferSize)
		if head, err = in.sniff(); err != nil {
			return nil, err
		}
	}
	in.kind = kindOf(head)
	if in.kind == textFile && mark(head) {
		text := transform.NewReader(in.Reader, unicode.BOMOverride(transform.Nop))
		in.Reader = bufio.NewReaderSize(text, bufferSize)
	}
	return in, nil
}

// sniff looks at the beginning. It waits for no more bytes than a magic number has,
// so that lines can be read as they come.
func (in *input) sniff() ([]byte, error) {
	head, err := in.Peek(magicSize)
	if len(head) == 0 && errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: the file is empty", in.name)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %w", in.name, err)
	}
	return in.Peek(min(in.Buffered(), sniffSize))
}

// pcapMagics are the first four bytes of captures: times in microseconds or
// nanoseconds, in either order of bytes.
var pcapMagics = []uint32{0xA1B2C3D4, 0xD4C3B2A1, 0xA1B23C4D, 0x4D3CB2A1}

// sectionHeader begins a pcapng file; orderMagic stands eight bytes after it.
const (
	sectionHeader = 0x0A0D0D0A
	orderMagic    = 0x1A2B3C4D
)

func kindOf(head []byte) kind {
	if len(head) >= 4 && slices.Contains(pcapMagics, binary.BigEndian.Uint32(head)) {
		return pcapFile
	}
	if len(head) >= magicSize && binary.BigEndian.Uint32(head) == sectionHeader {
		big, little := binary.BigEndian.Uint32(head[8:]), binary.LittleEndian.Uint32(head[8:])
		if big == orderMagic || little == orderMagic {
			return pcapngFile
		}
	}
	if mark(head) {
		return textFile
	}
	for _, c := range head {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0x7f {
			return binaryFile
		}
	}
	return textFile
}

// mark reports whether a text begins with a byte order mark. Some editors and shells
// write one before UTF-8, and UTF-16 always has it.
func mark(head []byte) bool {
	return bytes.HasPrefix(head, []byte("\xef\xbb\xbf")) ||
		bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff"))
}

// witness remembers the error of a reader, which the readers above it may rename.
type witness struct {
	r   io.Reader
	err error
}

func (w *witness) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err
}
