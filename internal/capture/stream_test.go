// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// badly is a stream that was captured badly, and what a sink is told of it.
type badly struct {
	name    string
	packets func() []packet
	want    string
	gaps    int
}

// What a sink is told of the beginning of a connection that the capture saw, or not.
const (
	anew   = "open 10.0.0.7:40112 192.0.2.1:5000"
	opened = anew + "\n! open +1ms"
)

// begun is a connection that is established.
func begun() *wire { return newWire(pos, host).shake(0) }

func rebuild(t *testing.T, cases []badly) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			n, sum := read(t, pcap(t, c.packets()...), Options{})
			if diff := cmp.Diff(c.want, n.text()); diff != "" {
				t.Error(diff)
			}
			if sum.Gaps != c.gaps {
				t.Errorf("%d gaps, want %d", sum.Gaps, c.gaps)
			}
		})
	}
}

// TestOrder plays segments that came out of order, twice or in pieces.
func TestOrder(t *testing.T) {
	one, two, reply, again := sale(t, "000001"), sale(t, "000002"), answer(t, "000001", "00"), answer(t, "000002", "00")
	rebuild(t, []badly{
		{"out of order", func() []packet {
			p := begun().add(10, up, "A", one[:20]).add(11, up, "A", one[20:40]).add(12, up, "PA", one[40:]).packets
			p[3], p[5] = p[5], p[3]
			return p
		}, fmt.Sprintf("%s\n> %x\n> %x\n> %x", opened, one[:20], one[20:40], one[40:]), 0},
		{"sent twice", func() []packet {
			p := begun().add(10, up, "PA", one).add(300, down, "PA", reply).packets
			return append(p, p[3], p[4], p[3])
		}, fmt.Sprintf("%s\n> %x\n< %x", opened, one, reply), 0},
		{"sent again in other pieces", func() []packet {
			p := begun().add(10, up, "A", one[:20]).packets
			more := p[3]
			more.data = one
			return append(p, more)
		}, fmt.Sprintf("%s\n> %x\n> %x", opened, one[:20], one[20:]), 0},
		{"early twice, the second time with more", func() []packet {
			p := begun().add(10, up, "A", one[:20]).add(11, up, "A", one[20:40]).packets
			longer := p[4]
			longer.data = one[20:]
			p[3], p[4] = p[4], p[3]
			return slices.Insert(p, 4, p[3], longer)
		}, fmt.Sprintf("%s\n> %x\n> %x", opened, one[:20], one[20:]), 0},
		{"kept alive", func() []packet {
			p := begun().add(10, up, "PA", one).packets
			probe := packet{at: ms(60000), src: pos, dst: host, seq: p[3].seq + uint32(len(one)) - 1, ack: 7001, flags: "A", data: []byte{0}}
			return append(p, probe)
		}, fmt.Sprintf("%s\n> %x", opened, one), 0},
		{"two frames in a segment", func() []packet {
			return begun().add(10, up, "PA", slices.Concat(one, two)).packets
		}, fmt.Sprintf("%s\n> %x%x", opened, one, two), 0},
		{"an answer without the question after it", func() []packet {
			return begun().add(10, up, "PA", one).add(300, down, "PA", reply).add(400, up, "PA", two).add(700, down, "PA", again).packets
		}, fmt.Sprintf("%s\n> %x\n< %x\n> %x\n< %x", opened, one, reply, two, again), 0},
	})
}

// TestGaps plays captures that lack bytes.
func TestGaps(t *testing.T) {
	one, two, three, reply := sale(t, "000001"), sale(t, "000002"), sale(t, "000003"), answer(t, "000001", "00")
	rebuild(t, []badly{
		{"request not captured, seen by its answer", func() []packet {
			p := begun().add(10, up, "PA", one).add(300, down, "PA", reply).add(900, up, "PA", two).packets
			return slices.Delete(p, 3, 4)
		}, fmt.Sprintf("%s\n%s\n< %x\n> %x", opened, anew, reply, two), 1},
		{"first half not captured: the rest comes before the answer", func() []packet {
			p := begun().add(10, up, "A", one[:20]).add(11, up, "PA", one[20:]).add(300, down, "PA", reply).packets
			return slices.Delete(p, 3, 4)
		}, fmt.Sprintf("%s\n%s\n> %x\n< %x", opened, anew, one[20:], reply), 1},
		{"a request lost, its repetition waited for in vain", func() []packet {
			p := begun().add(10, up, "PA", one).add(500, up, "PA", two).add(9000, up, "PA", three).packets
			return slices.Delete(p, 3, 4)
		}, fmt.Sprintf("%s\n%s\n> %x\n> %x", opened, anew, two, three), 1},
		{"lost and never known", func() []packet {
			p := begun().add(10, up, "PA", one).add(500, up, "PA", two).packets
			return slices.Delete(p, 3, 4)
		}, fmt.Sprintf("%s\n%s\n> %x", opened, anew, two), 1},
		{"the end lost with the last bytes", func() []packet {
			p := begun().add(10, up, "PA", one).bye(500).packets
			return slices.Delete(p, 3, 4)
		}, fmt.Sprintf("%s\n%s\n! close +501ms", opened, anew), 1},
	})
}

// TestLife plays connections whose beginning or end is unusual.
func TestLife(t *testing.T) {
	one, two, reply := sale(t, "000001"), sale(t, "000002"), answer(t, "000001", "00")
	rebuild(t, []badly{
		{"begun before the capture, the host known by its lower port", func() []packet {
			return begun().add(10, up, "PA", one).add(300, down, "PA", reply).packets[4:]
		}, fmt.Sprintf("%s\n< %x", anew, reply), 0},
		{"begun before the capture, the terminal first", func() []packet {
			return begun().add(10, up, "PA", one).add(300, down, "PA", reply).packets[3:]
		}, fmt.Sprintf("%s\n> %x\n< %x", anew, one, reply), 0},
		{"SYN not captured", func() []packet {
			return begun().add(10, up, "PA", one).packets[1:]
		}, fmt.Sprintf("%s\n! open +0s\n> %x", anew, one), 0},
		{"answer to SYN not captured", func() []packet {
			return slices.Delete(begun().add(10, up, "PA", one).packets, 1, 2)
		}, fmt.Sprintf("%s\n! open +2ms\n> %x", anew, one), 0},
		{"only one side closes", func() []packet {
			return begun().add(10, up, "PA", one).add(500, up, "FA", nil).packets
		}, fmt.Sprintf("%s\n> %x\n! close +500ms only one side closed", opened, one), 0},
		{"end before the bytes that belong before it", func() []packet {
			p := begun().add(10, up, "PA", one).add(20, up, "FA", nil).add(21, down, "FA", nil).packets
			p[3], p[4] = p[4], p[3]
			return p
		}, fmt.Sprintf("%s\n> %x\n! close +21ms", opened, one), 0},
		{"one side closes, the other still answers", func() []packet {
			return begun().add(10, up, "FPA", one).add(300, down, "PA", reply).add(301, down, "FA", nil).packets
		}, fmt.Sprintf("%s\n> %x\n< %x\n! close +301ms", opened, one, reply), 0},
		{"port used again", func() []packet {
			p := begun().add(10, up, "PA", one).packets
			w := newWire(pos, host)
			w.up, w.down = 50, 60
			return append(p, w.shake(100).add(110, up, "PA", two).packets...)
		}, fmt.Sprintf("%s\n> %x\n%s\n> %x", opened, one, opened, two), 0},
		{"port used again, its SYN not captured", func() []packet {
			w := newWire(pos, host)
			w.up, w.down = 1<<30, 60
			return append(begun().add(10, up, "PA", one).packets, w.add(110, up, "PA", two).packets...)
		}, fmt.Sprintf("%s\n> %x\n%s\n> %x", opened, one, anew, two), 1},
		{"port used again long after the end, its SYN not captured", func() []packet {
			return begun().add(10, up, "PA", one).bye(20).add(90000, up, "PA", two).packets
		}, fmt.Sprintf("%s\n> %x\n! close +21ms\n%s\n> %x", opened, one, anew, two), 0},
		{"echoes of an ended connection", func() []packet {
			w := begun().add(10, up, "PA", one).bye(20)
			return append(w.packets, w.packets[3], w.packets[4], w.packets[5])
		}, fmt.Sprintf("%s\n> %x\n! close +21ms", opened, one), 0},
	})
}

// TestEvents plays the ways in which connections begin and end.
func TestEvents(t *testing.T) {
	one := sale(t, "000001")
	late := func(at int) packet { // any packet of another connection, for the time
		w := newWire(netip.MustParseAddrPort("10.0.0.8:1025"), host).add(at, up, "A", nil)
		return w.packets[0]
	}
	dial := func() *wire { return newWire(pos, host).add(0, up, "S", nil) }
	for _, c := range []struct {
		name    string
		packets []packet
		want    []string
	}{
		{"reset by the terminal", begun().add(10, up, "RA", nil).packets, []string{"open 1ms", "reset 10ms"}},
		{"reset by the host", begun().add(10, up, "PA", one).add(20, down, "RA", nil).packets, []string{"open 1ms", "host-reset 20ms"}},
		{
			"reset instead of a close", begun().add(10, up, "FA", nil).add(20, down, "R", nil).packets,
			[]string{"open 1ms", "close 20ms reset after one side had closed"},
		},
		{"reset after the end", begun().bye(10).add(20, up, "R", nil).packets, []string{"open 1ms", "close 11ms"}},
		{"refused", dial().add(1, down, "RA", nil).packets, []string{"refused 1ms"}},
		{"refused twice for the same SYN", func() []packet {
			p := dial().add(1, down, "RA", nil).packets
			return append(p, p...)
		}(), []string{"refused 1ms"}},
		{"given up", dial().add(400, up, "R", nil).packets, []string{"timeout 400ms reset before the SYN was answered"}},
		{"no answer", append(dial().packets, late(30000)), []string{"timeout 20s no answer to the SYN"}},
		{
			"no answer, tried again from the same port", append(dial().packets,
				packet{at: ms(9000), src: pos, dst: host, seq: 1, flags: "S"}, packet{at: ms(9001), src: host, dst: pos, ack: 2, flags: "RA"}),
			[]string{"timeout 9s no answer to the SYN", "refused 1ms"},
		},
		{"no answer at the end of the capture", append(dial().packets, late(6000)), []string{"timeout 6s no answer to the SYN"}},
		{"too early to say", append(dial().packets, late(4000)), nil},
		{"still open", begun().add(10, up, "PA", one).packets, []string{"open 1ms"}},
		{"alert of the terminal", begun().add(10, up, "PA", []byte{22, 3, 1, 0, 1, 1}).add(20, down, "PA", []byte{22, 3, 3, 0, 1, 2}).
			add(30, up, "PA", []byte{21, 3, 3, 0, 2, 2, 48}).packets, []string{"open 1ms", "tls-alert 30ms unknown certificate authority (sent by the terminal)"}},
		{
			"alert of the host behind its hello", begun().add(20, down, "PA", []byte{22, 3, 3, 0, 1, 2, 21, 3, 3, 0, 2, 2, 40}).packets,
			[]string{"open 1ms", "tls-alert 20ms handshake failure (sent by the host)"},
		},
		{"goodbye of TLS, and an encrypted alert", begun().add(20, down, "PA", []byte{21, 3, 3, 0, 2, 1, 0}).
			add(30, down, "PA", append([]byte{21, 3, 3, 0, 26}, make([]byte, 26)...)).packets, []string{"open 1ms"}},
		{
			"what looks like an alert in a payment stream", begun().add(10, up, "PA", one).add(20, up, "PA", []byte{21, 3, 3, 0, 2, 2, 40}).packets,
			[]string{"open 1ms"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, sum := read(t, pcap(t, c.packets...), Options{})
			var got []string
			for _, l := range n.links {
				got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %s", l.Kind, l.Age, l.Detail)))
				if l.Peer != pos.String() || l.Host != host.String() {
					t.Errorf("event of %s and %s", l.Peer, l.Host)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if sum.Events != len(got) {
				t.Errorf("%d events counted, %d told", sum.Events, len(got))
			}
		})
	}
}
