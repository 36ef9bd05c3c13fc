// SPDX-License-Identifier: Apache-2.0

package frame_test

import (
	"bytes"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tillmend/tillmend/iso8583/frame"
)

// split feeds a stream in the given pieces and gives the frames.
func split(s *frame.Splitter, pieces ...[]byte) (frames [][]byte) {
	for _, p := range pieces {
		s.Feed(p, func(f []byte) { frames = append(frames, slices.Clone(f)) })
	}
	return frames
}

// formatsToSplit are all that a stream can be cut by.
var formatsToSplit = []frame.Format{
	{Length: frame.Binary2, TPDU: true, Header: 6},
	{Length: frame.Binary2},
	{Length: frame.Binary2, LengthCountsSelf: true, TPDU: true},
	{Length: frame.BCD2, TPDU: true},
	{Length: frame.BCD2, LengthCountsSelf: true},
	{Length: frame.ASCII4, TPDU: true},
	{Length: frame.ASCII4, LengthCountsSelf: true},
}

// write makes a frame of the format around rest.
func write(f frame.Format, rest []byte) []byte {
	n := len(rest)
	if f.LengthCountsSelf {
		n += f.Length.Size()
	}
	digits := [4]byte{byte(n / 1000), byte(n / 100 % 10), byte(n / 10 % 10), byte(n % 10)}
	switch f.Length {
	case frame.None:
	case frame.Binary2:
		return append([]byte{byte(n >> 8), byte(n)}, rest...)
	case frame.BCD2:
		return append([]byte{digits[0]<<4 | digits[1], digits[2]<<4 | digits[3]}, rest...)
	case frame.ASCII4:
		return append([]byte{'0' + digits[0], '0' + digits[1], '0' + digits[2], '0' + digits[3]}, rest...)
	}
	return rest
}

// TestSplitterGivesTheFramesWhateverThePieces is the contract: how a stream is cut into
// reads makes no difference.
func TestSplitterGivesTheFramesWhateverThePieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.SampledFrom(formatsToSplit).Draw(t, "format")
		var want [][]byte
		var stream []byte
		for range rapid.IntRange(1, 5).Draw(t, "frames") {
			body := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "body")
			rest := append([]byte{0x60}, body...) // a TPDU, and nothing that looks like another protocol
			want = append(want, write(f, rest))
			stream = append(stream, want[len(want)-1]...)
		}
		s := frame.NewSplitter(f)
		var got [][]byte
		for len(stream) > 0 {
			n := rapid.IntRange(1, len(stream)).Draw(t, "read")
			got = append(got, split(s, stream[:n])...)
			stream = stream[n:]
		}
		if reason, ok := s.Opaque(); ok {
			t.Fatalf("opaque: %s", reason)
		}
		if !slices.EqualFunc(got, want, bytes.Equal) || s.Pending() != 0 {
			t.Fatalf("%d frames, want %d; %d bytes pending", len(got), len(want), s.Pending())
		}
	})
}

func TestSplitterPassesWholeFramesWithoutACopy(t *testing.T) {
	stream := slices.Concat(write(upos, append([]byte{0x60}, make([]byte, 60)...)), write(upos, append([]byte{0x60}, make([]byte, 90)...)))
	s := frame.NewSplitter(upos)
	var at []*byte
	if n := testing.AllocsPerRun(10, func() {
		at = at[:0]
		s.Feed(stream, func(f []byte) { at = append(at, &f[0]) })
	}); n > 1 { // the list of the test itself, once
		t.Errorf("%v allocations", n)
	}
	if len(at) != 2 || at[0] != &stream[0] || at[1] != &stream[63] {
		t.Error("a frame was copied or cut at the wrong place")
	}
}

func TestSplitterKeepsOnlyTheUnfinishedFrame(t *testing.T) {
	whole := write(upos, append([]byte{0x60}, make([]byte, 1000)...))
	s := frame.NewSplitter(upos)
	if frames := split(s, whole, whole[:10], whole[10:500]); len(frames) != 1 || s.Pending() != 500 {
		t.Fatalf("%d frames, %d pending", len(frames), s.Pending())
	}
	if frames := split(s, whole[500:], whole[:1]); len(frames) != 1 || s.Pending() != 1 {
		t.Fatalf("%d frames, %d pending", len(frames), s.Pending())
	}
	if frames := split(s, whole[1:]); len(frames) != 1 || !bytes.Equal(frames[0], whole) || s.Pending() != 0 {
		t.Fatalf("%d frames, %d pending", len(frames), s.Pending())
	}
}

func TestSplitterIsBounded(t *testing.T) {
	s := frame.NewSplitter(upos)
	piece := append([]byte{0xFF, 0xFF, 0x60}, make([]byte, 1000)...)
	for range 200 {
		split(s, piece)
		if s.Pending() > frame.MaxFrame {
			t.Fatalf("%d bytes kept", s.Pending())
		}
	}
}

func TestSplitterTurnsOpaque(t *testing.T) {
	ascii, bare := frame.Format{Length: frame.ASCII4}, frame.Format{Length: frame.Binary2}
	for _, tc := range []struct {
		name   string
		format frame.Format
		stream string
		want   string
	}{
		{"TLS", upos, "\x16\x03\x01\x02\x00", "encrypted (TLS) records instead of messages"},
		{"TLS without a TPDU to tell", bare, "\x17\x03\x03\x02\x00", "encrypted (TLS) records instead of messages"},
		{"TLS where each read is a frame", frame.Format{}, "\x16\x03\x01\x02\x00", "encrypted (TLS) records instead of messages"},
		{"HTTP", upos, "POST / HTTP/1.1\r\n", "HTTP instead of bare messages"},
		{"another protocol", upos, "SSH-2.0", "no TPDU where the length prefix puts it"},
		{"no TPDU in a read", frame.Format{TPDU: true}, "SSH-2.0", "no TPDU where the length prefix puts it"},
		{"not decimal", ascii, "00x0....", "the length prefix is not decimal"},
		{"less than itself", frame.Format{Length: frame.Binary2, LengthCountsSelf: true}, "\x00\x01\x00", "the length prefix says less than its own size"},
		{"after a good frame", upos, "\x00\x02\x60\x00\x00\x02\x61\x00", "no TPDU where the length prefix puts it"},
	} {
		for _, bytewise := range []bool{false, true} {
			s := frame.NewSplitter(tc.format)
			pieces := [][]byte{[]byte(tc.stream)}
			if bytewise && tc.format.Length != frame.None {
				pieces = slices.Collect(slices.Chunk([]byte(tc.stream), 1))
			}
			frames := split(s, pieces...)
			reason, ok := s.Opaque()
			if !ok || reason != tc.want {
				t.Errorf("%s: reason %q, want %q", tc.name, reason, tc.want)
			}
			total := 0
			for _, f := range frames {
				total += len(f)
			}
			if split(s, []byte("more")) != nil || s.Pending() != 0 || s.Skipped() != int64(len(tc.stream)-total+4) {
				t.Errorf("%s: %d pending, %d skipped after giving up", tc.name, s.Pending(), s.Skipped())
			}
		}
	}
}

func TestSplitterPassesEmptyFrames(t *testing.T) {
	s := frame.NewSplitter(upos)
	whole := write(upos, []byte{0x60, 1, 2})
	frames := split(s, []byte{0, 0}, slices.Concat([]byte{0, 0}, whole), []byte{0}, []byte{0})
	if len(frames) != 4 || !bytes.Equal(frames[2], whole) {
		t.Errorf("%d frames", len(frames))
	}
	split(s, nil)
	if s.Pending() != 0 {
		t.Error("bytes are pending")
	}
}

func FuzzSplitter(f *testing.F) {
	f.Add(uint8(0), []byte("\x00\x05\x60\x00\x01\x02\x03\x00\x02\x60\x00"), uint16(3))
	f.Add(uint8(1), []byte("\x16\x03\x01\x00\x00"), uint16(1))
	f.Add(uint8(5), []byte("0005`1234"), uint16(2))
	f.Fuzz(func(t *testing.T, which uint8, stream []byte, step uint16) {
		format := formatsToSplit[int(which)%len(formatsToSplit)]
		whole, pieces := frame.NewSplitter(format), frame.NewSplitter(format)
		want := split(whole, stream)
		got := split(pieces, slices.Collect(slices.Chunk(stream, int(step)+1))...)
		if !slices.EqualFunc(got, want, bytes.Equal) || whole.Pending() != pieces.Pending() || whole.Skipped() != pieces.Skipped() {
			t.Fatalf("%d frames in pieces, %d in one: %d and %d pending, %d and %d skipped",
				len(got), len(want), pieces.Pending(), whole.Pending(), pieces.Skipped(), whole.Skipped())
		}
		total := int64(whole.Pending()) + whole.Skipped()
		for _, f := range want {
			total += int64(len(f))
		}
		if total != int64(len(stream)) {
			t.Fatalf("%d bytes accounted for, %d fed", total, len(stream))
		}
	})
}
