// SPDX-License-Identifier: Apache-2.0

package frame

// Splitter cuts one direction of a stream into frames. It never holds back bytes from
// anyone: it looks at what passes and keeps only the beginning of a frame whose rest
// has not come yet, at most [MaxFrame] bytes, in a buffer that exists only then.
//
// When the bytes cannot be frames of its format (encrypted, another protocol, a
// prefix that makes no sense), the splitter turns opaque for good: cutting at guessed
// places would make up messages. From then on it only counts.
//
// A Splitter belongs to one goroutine. The zero value is not usable; see [NewSplitter].
type Splitter struct {
	format  Format
	buf     []byte // the beginning of an unfinished frame; nil when there is none
	reason  string // why the stream is opaque; empty while it is not
	skipped int64  // bytes seen since the stream turned opaque, with those that made it so
}

// NewSplitter makes a splitter for streams of the format. It allocates no buffer.
func NewSplitter(f Format) *Splitter { return &Splitter{format: f} }

// Feed takes the next bytes of the stream and calls emit for each frame that they
// complete, in order. A frame that lies in b as a whole is passed without a copy; emit
// must not keep or change its argument. Without a length prefix every call is a frame.
func (s *Splitter) Feed(b []byte, emit func(frame []byte)) {
	if s.reason != "" {
		s.skipped += int64(len(b))
		return
	}
	if len(b) == 0 {
		return
	}
	if s.format.Length == None {
		s.whole(b, emit)
		return
	}
	if len(s.buf) > 0 {
		if b = s.finish(b, emit); s.reason != "" || len(s.buf) > 0 {
			return
		}
	}
	for len(b) > 0 {
		size := s.next(b)
		if s.reason != "" {
			s.skipped += int64(len(b))
			return
		}
		if size == 0 || size > len(b) {
			s.buf = append([]byte(nil), b...)
			return
		}
		emit(b[:size:size])
		b = b[size:]
	}
}

// whole passes one read of a stream without prefixes.
func (s *Splitter) whole(b []byte, emit func(frame []byte)) {
	if s.reason = foreign(b); s.reason == "" && s.format.TPDU && b[0] != tpduID {
		s.reason = reasonTPDU
	}
	if s.reason != "" {
		s.skipped += int64(len(b))
		return
	}
	emit(b)
}

// finish adds to the unfinished frame as much of b as it needs and gives the rest.
func (s *Splitter) finish(b []byte, emit func(frame []byte)) []byte {
	for len(b) > 0 {
		size := s.next(s.buf)
		need := 1 // until the prefix and the TPDU's first byte are known, byte by byte
		if size > 0 {
			need = size - len(s.buf)
		}
		take := min(need, len(b))
		s.buf = append(s.buf, b[:take]...)
		b = b[take:]
		if size = s.next(s.buf); s.reason != "" {
			s.skipped += int64(len(s.buf) + len(b))
			s.buf = nil
			return nil
		}
		if size > 0 && size == len(s.buf) {
			done := s.buf
			s.buf = nil
			emit(done)
			return b
		}
	}
	return nil
}

// Opaque tells whether the stream was given up, and why in words.
func (s *Splitter) Opaque() (reason string, ok bool) { return s.reason, s.reason != "" }

// Skipped is the number of bytes that were not cut into frames because the stream is opaque.
func (s *Splitter) Skipped() int64 { return s.skipped }

// Pending is the number of bytes kept of a frame whose rest has not come yet.
func (s *Splitter) Pending() int { return len(s.buf) }

// Reasons for giving up a stream.
const (
	reasonTLS    = "encrypted (TLS) records instead of messages"
	reasonHTTP   = "HTTP instead of bare messages"
	reasonTPDU   = "no TPDU where the length prefix puts it"
	reasonPrefix = "the length prefix is not decimal"
	reasonSize   = "the length prefix says less than its own size"
)

// next gives the size of the frame that b begins, 0 when more bytes are needed to tell.
// It sets the reason when b cannot begin a frame.
func (s *Splitter) next(b []byte) int {
	prefix := s.format.Length.Size()
	sure := prefix // how many bytes it takes to trust the prefix
	if s.format.TPDU {
		sure++
	}
	if len(b) < prefix {
		return 0
	}
	size, fault := s.format.announced(b)
	if size == prefix && fault == 0 {
		return size // an empty frame: some terminals keep a line alive so
	}
	if len(b) < max(sure, foreignSize) {
		return 0 // too early to rule out another protocol
	}
	plausible := s.format.TPDU && b[prefix] == tpduID
	if !plausible || fault != 0 {
		s.reason = foreign(b)
	}
	switch {
	case s.reason != "":
	case fault == PrefixTooSmall:
		s.reason = reasonSize
	case fault != 0:
		s.reason = reasonPrefix
	case s.format.TPDU && !plausible:
		s.reason = reasonTPDU
	default:
		return size
	}
	return 0
}

// foreignSize is how many bytes tell another protocol.
const foreignSize = 3

// foreign names another protocol that b begins with, if it is one that terminals speak.
func foreign(b []byte) string {
	if len(b) < foreignSize {
		return ""
	}
	if b[0] >= 0x14 && b[0] <= 0x17 && b[1] == 3 && b[2] <= 4 {
		return reasonTLS
	}
	switch string(b[:foreignSize]) {
	case "POS", "GET", "HTT", "PUT", "CON":
		return reasonHTTP
	}
	return ""
}
