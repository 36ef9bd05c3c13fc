// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tillmend/tillmend/internal/card"
	"github.com/tillmend/tillmend/internal/tap"
	"github.com/tillmend/tillmend/internal/txn"
	"github.com/tillmend/tillmend/iso8583/dialect"
)

// tapped is a sink that reads what it is told with a tap.
type tapped struct {
	tap     *tap.Tap
	streams map[string]*tap.Stream
	legs    []txn.Leg
	links   []string
}

func newTapped(t *testing.T) *tapped {
	t.Helper()
	d, ok := dialect.Named("upos")
	if !ok {
		t.Fatal("no dialect upos")
	}
	return &tapped{tap: tap.New(d, card.NewCounter()), streams: map[string]*tap.Stream{}}
}

func (k *tapped) Open(peer, host string, _ time.Time) {
	k.streams[peer] = k.tap.Open(peer, host, func(l txn.Leg) {
		l.Host, l.At = "", l.At.UTC() // hex logs do not name the host, and captures no zone
		k.legs = append(k.legs, l)
	})
}

func (k *tapped) Data(peer, _ string, dir txn.Direction, at time.Time, b []byte) {
	k.streams[peer].Data(dir, at, b)
}

func (k *tapped) Frame(peer, _ string, dir txn.Direction, at time.Time, b []byte, _ int) {
	k.streams[peer].Frame(dir, at, b)
}

func (k *tapped) Link(l txn.Link) {
	k.links = append(k.links, fmt.Sprintf("%s %s %s", l.At.UTC(), l.Kind, l.Age))
}

// TestSameLegs plays one conversation as a hex log, as a capture, and as a capture
// that saw everything badly: a tap must read the same in all.
func TestSameLegs(t *testing.T) {
	var log strings.Builder
	w := newWire(pos, host)
	event := func(at int, kind txn.LinkKind) {
		fmt.Fprintf(&log, "%s %s ! %s\n", ms(at).Format(time.RFC3339Nano), pos, kind)
	}
	say := func(at int, dir txn.Direction, b []byte) {
		log.WriteString(logLineOf(ms(at), pos, dir, b))
		cut := len(b) / 3 // what completes the frame has its time
		w.add(at-2, dir, "A", b[:cut]).add(at-1, dir, "A", b[cut:2*cut]).add(at, dir, "PA", b[2*cut:])
	}
	event(1, txn.LinkOpen)
	w.add(1, up, "S", nil).add(1, down, "SA", nil)
	for i, code := range []string{"00", "51", "00"} {
		stan := fmt.Sprintf("%06d", i+1)
		say(1000*i+10, up, sale(t, stan))
		say(1000*i+300, down, answer(t, stan, code))
	}
	event(3001, txn.LinkClose)
	w.add(3000, up, "FA", nil).add(3001, down, "FA", nil)

	want := newTapped(t)
	if _, err := Read(t.Context(), strings.NewReader(log.String()), "log", want, Options{}); err != nil {
		t.Fatal(err)
	}
	if len(want.legs) != 6 || want.legs[3].Code != "51" || want.legs[0].Card != "620000******0005" || want.legs[0].CardNo != 1 {
		t.Fatalf("the hex log gives %d legs: %+v", len(want.legs), want.legs)
	}
	for name, packets := range map[string][]byte{"capture": pcap(t, w.packets...), "bad capture": pcap(t, mangled(w.packets)...)} {
		got := newTapped(t)
		if _, err := Read(t.Context(), bytes.NewReader(packets), name, got, Options{}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.legs, got.legs); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if diff := cmp.Diff(want.links, got.links); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// mangled swaps the first two pieces of every frame and repeats the last.
func mangled(packets []packet) []packet {
	var out []packet
	for i, p := range packets {
		out = append(out, p)
		if i+2 < len(packets) && p.flags == "A" && packets[i+1].flags == "A" {
			n := len(out) - 1
			out[n] = packets[i+1]
			continue
		}
		if i > 0 && p.flags == "A" && packets[i-1].flags == "A" {
			out[len(out)-1] = packets[i-1]
		}
		if p.flags == "PA" {
			out = append(out, p)
		}
	}
	return out
}
