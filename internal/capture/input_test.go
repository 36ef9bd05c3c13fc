// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/tillmend/tillmend/iso8583"
	"github.com/tillmend/tillmend/iso8583/dialect"
	"github.com/tillmend/tillmend/iso8583/frame"
)

// decoded lists what DecodeInput gives: place and bytes, or the error.
func decoded(file []byte) []string {
	var got []string
	for in, err := range DecodeInput(bytes.NewReader(file), "in") {
		if err != nil {
			got = append(got, "error "+err.Error())
			continue
		}
		got = append(got, fmt.Sprintf("%s %x", in.Place, in.Bytes))
	}
	return got
}

// bareMessage is a message of printable characters without anything around it.
func bareMessage(t testing.TB) []byte {
	t.Helper()
	d, ok := dialect.Named("basei")
	if !ok {
		t.Fatal("no dialect basei")
	}
	b, err := iso8583.Draft{MTI: "0800", Fields: map[int]string{7: "0416161616", 11: "654321", 12: "161616", 13: "0604", 41: "TERMNET1"}}.Encode(d.WithFrame(frame.Format{}))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// cutOff takes the last bytes off a file.
func cutOff(file []byte) string { return string(file[:len(file)-10]) }

func TestDecodeInput(t *testing.T) {
	one, two := sale(t, "000001"), answer(t, "000001", "00")
	bare1, bare2 := one[13:], two[13:] // without length, TPDU and header
	text := bareMessage(t)
	h := hex.EncodeToString
	wrapped := func(b []byte) string { // as hex dumps are: sixteen bytes a line
		var lines []string
		for part := range slices.Chunk(b, 16) {
			lines = append(lines, fmt.Sprintf("% X", part))
		}
		return strings.Join(lines, "\n") + "\n"
	}
	stamp := "2026-06-03T10:44:00+08:00 10.0.0.7:40112 "
	begun := newWire(pos, host).shake(0)
	for _, c := range []struct {
		name string
		file string
		want []string
	}{
		{"a frame a line", h(one) + "\n" + h(two) + "\n", []string{"in:1 " + h(one), "in:2 " + h(two)}},
		{"without prefix, a message a line", h(bare1) + "\n" + h(bare2) + "\n", []string{"in:1 " + h(bare1), "in:2 " + h(bare2)}},
		{"comments and white space", "# sale\n" + fmt.Sprintf("% X", one) + " # mine\n\n# answer\n\t" + h(two), []string{"in:2 " + h(one), "in:5 " + h(two)}},
		{"a frame over lines", wrapped(one), []string{"in:1 " + h(one)}},
		{"two frames over lines, with a comment between", wrapped(one) + "# answer\n" + wrapped(two), []string{"in:1 " + h(one), fmt.Sprintf("in:%d %x", 2+strings.Count(wrapped(one), "\n"), two)}},
		{"a message without prefix over lines", wrapped(bare1) + "\n" + h(two), []string{"in:1 " + h(bare1), fmt.Sprintf("in:%d %x", 2+strings.Count(wrapped(bare1), "\n"), two)}},
		{"two frames in a line", h(one) + h(two), []string{"in:1 " + h(one), "in:1 " + h(two)}},
		{"damaged frames stay in their lines", h(one[:40]) + "\n" + h(two) + "\n", []string{"in:1 " + h(one[:40]), "in:2 " + h(two)}},
		{"an empty frame", "0000\n", []string{"in:1 0000"}},
		{"hex log", stamp + "! open\n" + stamp + "> " + h(one) + "\n" + stamp + "< " + h(two) + "\n", []string{"in:2 " + h(one), "in:3 " + h(two)}},
		{"hex log without zone", strings.ReplaceAll(stamp, "+08:00", "") + "> " + h(one), []string{"in:1 " + h(one)}},
		{"wrong lines", h(one) + "\n\nfoo bar\n00F\n" + stamp + "> x\n" + stamp + "! no\n" + h(two), []string{
			"in:1 " + h(one), "error in:3:2: " + wantHex, "error in:4:4: the last byte has one digit; " + wantHex + " in pairs",
			"error in:5:44: " + wantHex, "error in:6:44: " + wantWord, "in:7 " + h(two),
		}},
		{"binary frame", string(one), []string{"in: byte 0 " + h(one)}},
		{"binary frames", string(one) + string(two), []string{"in: byte 0 " + h(one), fmt.Sprintf("in: byte %d %x", len(one), two)}},
		{"binary frames with an empty one between", string(one) + "\x00\x00" + string(two), []string{"in: byte 0 " + h(one), fmt.Sprintf("in: byte %d %x", len(one)+2, two)}},
		{"binary message without prefix", string(bare1), []string{"in " + h(bare1)}},
		{"binary frame with a byte too many", string(one) + "\x00", []string{"in " + h(one) + "00"}},
		{"printable message", string(text), []string{"in " + h(text)}},
		{
			"printable frames with decimal length", fmt.Sprintf("%04d%s%04d%s", len(text), text, len(text), text),
			[]string{fmt.Sprintf("in: byte 0 %s%x", h([]byte(fmt.Sprintf("%04d", len(text)))), text), fmt.Sprintf("in: byte %d %s%x", len(text)+4, h([]byte(fmt.Sprintf("%04d", len(text)))), text)},
		},
		{"a letter", "dear all,\n", []string{"error in:1:4: " + wantHex}},
		{"nothing", "", []string{"error in: the file is empty"}},
		{"comments only", "# nothing\n", nil},
		{"capture", string(pcap(t, talk(t, pos, host).packets...)), []string{
			"in: packet 4 " + h(one), "in: packet 6 " + h(two), "in: packet 8 " + h(sale(t, "000002")), "in: packet 10 " + h(answer(t, "000002", "51")),
		}},
		{
			"capture of messages without prefix", string(pcap(t, newWire(pos, host).shake(0).add(5, up, "PA", bare1).add(9, down, "PA", bare2).packets...)),
			[]string{"in: packet 4 " + h(bare1), "in: packet 5 " + h(bare2)},
		},
		{
			"capture with TLS", string(pcap(t, begun.add(5, up, "PA", []byte{22, 3, 1, 0, 1, 1}).add(9, down, "PA", []byte{22, 3, 3, 0, 1, 2}).packets...)),
			[]string{"error in: packet 4: encrypted (TLS) records instead of messages"},
		},
		{
			"capture cut off", cutOff(pcap(t, newWire(pos, host).shake(0).add(5, up, "PA", one).add(6, down, "A", nil).packets...)),
			[]string{"in: packet 4 " + h(one), "error in: packet 4: the file ends within the packet after this one"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, decoded([]byte(c.file))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestDecodeInputStops: a receiver that has enough is not called again.
func TestDecodeInputStops(t *testing.T) {
	for name, file := range map[string][]byte{
		"hex":     []byte(strings.Repeat("00\n", 9)),
		"errors":  []byte(strings.Repeat("x\n", 9)),
		"binary":  slices.Repeat(sale(t, "000001"), 9),
		"capture": pcap(t, talk(t, pos, host).packets...),
	} {
		count := 0
		for in, err := range DecodeInput(bytes.NewReader(file), "in") {
			if (err == nil) == (in.Bytes == nil) {
				t.Errorf("%s: %v with %d bytes", name, err, len(in.Bytes))
			}
			if count++; count == 2 {
				break
			}
		}
		if count != 2 {
			t.Errorf("%s: %d", name, count)
		}
	}
}

func TestDecodeInputFails(t *testing.T) {
	for _, c := range []struct {
		name, want string
		file       []byte
	}{
		{"binary of no form", "in: expected frames with length prefixes, or one frame of at most 65539 bytes", bytes.Repeat([]byte{0xff, 0}, 50000)},
		{"binary without end", "in: the file is longer than 16777216 bytes; expected frames, a hex log or a packet capture", make([]byte, maxBinary+1)},
	} {
		if diff := cmp.Diff([]string{"error " + c.want}, decoded(c.file)); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
	var got []string
	for _, err := range DecodeInput(iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("00\n"))), "in") {
		got = append(got, fmt.Sprint(err))
	}
	if len(got) != 1 || got[0] != "in: timeout" {
		t.Errorf("got %q", got)
	}
}
