// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"slices"
	"testing"
)

// alerts scans a stream in pieces of the given size.
func alerts(stream []byte, pieceSize int) []string {
	var (
		found []string
		data  bool
		r     = records{data: &data}
	)
	for piece := range slices.Chunk(stream, max(pieceSize, 1)) {
		r.scan(piece, func(a alert) { found = append(found, a.String()) })
	}
	return found
}

func TestRecords(t *testing.T) {
	const (
		hello    = "\x16\x03\x01\x00\x03abc"
		data     = "\x17\x03\x03\x00\x02xy"
		notify   = "\x15\x03\x03\x00\x02\x01\x00"
		expired  = "\x15\x03\x03\x00\x02\x02\x2d"
		warning  = "\x15\x03\x03\x00\x02\x01\x5a"
		unknown  = "\x15\x03\x03\x00\x02\x02\xc8"
		sealed   = "\x15\x03\x03\x00\x04abcd"
		empty    = "\x17\x03\x03\x00\x00"
		noTLS    = "\x00\x3c\x60\x00\x05\x00\x00"
		ssl2     = "\x16\x02\x00\x00\x01a"
		wasFatal = "fatal alert 45 (certificate_expired)"
	)
	cases := []struct {
		name, stream string
		want         []string
	}{
		{"nothing", "", nil},
		{"a session", hello + data + empty + data + notify, nil},
		{"refusal", hello + expired, []string{wasFatal}},
		{"two alerts", warning + expired, []string{"warning alert 90 (user_canceled)", wasFatal}},
		{"alert without a name", unknown, []string{"fatal alert 200 (unassigned)"}},
		{"encrypted in the handshake", hello + sealed, []string{"an encrypted alert before any data"}},
		{"encrypted after data", hello + data + sealed, nil},
		{"after an empty record", empty + expired, []string{wasFatal}},
		{"no TLS", noTLS + expired, nil},
		{"older than TLS", ssl2 + expired, nil},
		{"cut off", hello + expired[:6], nil},
	}
	for _, c := range cases {
		for _, size := range []int{1, 2, 3, 7, 4096} {
			if got := alerts([]byte(c.stream), size); !slices.Equal(got, c.want) {
				t.Errorf("%s in pieces of %d: %q, want %q", c.name, size, got, c.want)
			}
		}
	}
}

// How a stream is cut into pieces makes no difference.
func FuzzRecords(f *testing.F) {
	f.Add([]byte("\x16\x03\x01\x00\x03abc\x15\x03\x03\x00\x02\x02\x2d"), 3)
	f.Add([]byte("\x15\x03\x03\x00\x04abcd\x17\x03\x03\x00\x00\x15\x03\x03\x00\x02\x01\x5a"), 1)
	f.Fuzz(func(t *testing.T, stream []byte, size int) {
		if whole, cut := alerts(stream, len(stream)), alerts(stream, size); !slices.Equal(whole, cut) {
			t.Fatalf("whole %q, in pieces of %d %q", whole, size, cut)
		}
	})
}
