// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/tillmend/tillmend/internal/txn"
)

// up and down are short for the directions.
const (
	up   = txn.ToHost
	down = txn.ToTerminal
)

// talk is a whole conversation: two sales, the second in pieces.
func talk(t testing.TB, src, dst netip.AddrPort) *wire {
	t.Helper()
	w := newWire(src, dst).shake(0)
	first, second := sale(t, "000001"), sale(t, "000002")
	w.add(10, up, "PA", first).add(11, down, "A", nil).add(300, down, "PA", answer(t, "000001", "00")).add(301, up, "A", nil)
	w.add(2000, up, "A", second[:30]).add(2001, up, "PA", second[30:]).add(2300, down, "PA", answer(t, "000002", "51"))
	return w.bye(3000)
}

// wantTalk is what a sink is told of it.
func wantTalk(t testing.TB, src, dst netip.AddrPort) string {
	t.Helper()
	second := sale(t, "000002")
	return fmt.Sprintf("open %s %s\n! open +1ms\n> %x\n< %x\n> %x\n> %x\n< %x\n! close +3.001s", src, dst,
		sale(t, "000001"), answer(t, "000001", "00"), second[:30], second[30:], answer(t, "000002", "51"))
}

func TestPcapLinks(t *testing.T) {
	for _, c := range []struct {
		name  string
		link  layers.LinkType
		vlans int
	}{
		{"ethernet", layers.LinkTypeEthernet, 0},
		{"one VLAN tag", layers.LinkTypeEthernet, 1},
		{"two VLAN tags", layers.LinkTypeEthernet, 2},
		{"cooked", layers.LinkTypeLinuxSLL, 0},
		{"cooked, second form", layers.LinkTypeLinuxSLL2, 0},
		{"loopback", layers.LinkTypeNull, 0},
		{"raw", layers.LinkTypeRaw, 0},
		{"raw, BSD", 12, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, ends := range [][2]netip.AddrPort{{pos, host}, {pos6, hst6}} {
				n, sum := read(t, pcapOf(t, c.link, c.vlans, talk(t, ends[0], ends[1]).packets), Options{})
				if diff := cmp.Diff(wantTalk(t, ends[0], ends[1]), n.text()); diff != "" {
					t.Error(diff)
				}
				if sum.Connections != 1 || sum.Foreign+sum.Gaps+sum.Errors+sum.Warnings != 0 || sum.Hosts[ends[1].String()] != 1 {
					t.Errorf("summary: %+v", sum)
				}
				if !sum.First.Equal(ms(0)) || !sum.Last.Equal(ms(3002)) {
					t.Errorf("from %s to %s", sum.First, sum.Last)
				}
			}
		})
	}
}

func TestPcapForms(t *testing.T) {
	packets := talk(t, pos, host).packets
	plain := pcap(t, packets...)
	var micro, ng, zipped bytes.Buffer
	w := pcapgo.NewWriter(&micro)
	if err := w.WriteFileHeader(65535, layers.LinkTypeEthernet); err != nil {
		t.Fatal(err)
	}
	nw, err := pcapgo.NewNgWriter(&ng, layers.LinkTypeEthernet)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packets {
		b := p.bytes(t, layers.LinkTypeEthernet, 0)
		writePacket(t, w, p.at, b)
		if err := nw.WritePacket(gopacket.CaptureInfo{Timestamp: p.at, CaptureLength: len(b), Length: len(b)}, b); err != nil {
			t.Fatal(err)
		}
	}
	if err := nw.Flush(); err != nil {
		t.Fatal(err)
	}
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write(ng.Bytes()); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, format string
		file         []byte
	}{
		{"nanoseconds", FormatPcap, plain},
		{"microseconds", FormatPcap, micro.Bytes()},
		{"big endian", FormatPcap, swapped(plain)},
		{"big endian microseconds", FormatPcap, swapped(micro.Bytes())},
		{"pcapng", FormatPcapng, ng.Bytes()},
		{"pcapng in gzip", FormatPcapng, zipped.Bytes()},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, sum := read(t, c.file, Options{})
			if diff := cmp.Diff(wantTalk(t, pos, host), n.text()); diff != "" {
				t.Error(diff)
			}
			if sum.Format != c.format || sum.Packets != len(packets) {
				t.Errorf("summary: %+v", sum)
			}
			var again notes
			if _, err := ReadPcap(t.Context(), bytes.NewReader(c.file), "test", &again, Options{}); err != nil || again.text() != n.text() {
				t.Errorf("ReadPcap: %v", err)
			}
		})
	}
}

// swapped turns the numbers of a pcap file round.
func swapped(file []byte) []byte {
	out := bytes.Clone(file)
	turn := func(at, size int) { slices.Reverse(out[at : at+size]) }
	turn(0, 4)
	turn(4, 2)
	turn(6, 2)
	for at := 8; at < 24; at += 4 {
		turn(at, 4)
	}
	for at := 24; at < len(file); {
		size := int(file[at+8]) | int(file[at+9])<<8
		for i := range 4 {
			turn(at+4*i, 4)
		}
		at += 16 + size
	}
	return out
}

func TestHostPorts(t *testing.T) {
	high := netip.MustParseAddrPort("192.0.2.1:50000")
	low := netip.MustParseAddrPort("10.0.0.7:1025")
	web := newWire(pos, netip.MustParseAddrPort("198.51.100.9:443")).shake(0).add(5, up, "PA", []byte("hello"))
	half := newWire(low, high).shake(0).add(10, up, "PA", sale(t, "000001")).packets[3:] // begun before the capture
	file := pcap(t, append(slices.Clone(half), web.packets...)...)
	n, sum := read(t, file, Options{HostPorts: []uint16{50000, 50001}})
	if want := fmt.Sprintf("open %s %s\n> %x", low, high, sale(t, "000001")); n.text() != want {
		t.Errorf("got %s\nwant %s", n.text(), want)
	}
	if sum.OtherPorts != len(web.packets) || sum.Connections != 1 {
		t.Errorf("summary: %+v", sum)
	}
	// Without ports, other connections show which end is the host.
	other := newWire(netip.MustParseAddrPort("10.0.0.8:1026"), high).shake(0)
	n, _ = read(t, pcap(t, append(other.packets, half...)...), Options{})
	if !strings.Contains(n.text(), fmt.Sprintf("open %s %s\n>", low, high)) {
		t.Errorf("got %s", n.text())
	}
}

func TestFragments(t *testing.T) {
	payload := bytes.Repeat(sale(t, "000001"), 4)
	for _, v6 := range []bool{false, true} {
		src, dst := pos, host
		if v6 {
			src, dst = pos6, hst6
		}
		w := newWire(src, dst).shake(0).add(10, up, "PA", payload).add(20, up, "FA", nil)
		var out bytes.Buffer
		pw := pcapgo.NewWriterNanos(&out)
		if err := pw.WriteFileHeader(65535, layers.LinkTypeRaw); err != nil {
			t.Fatal(err)
		}
		for i, p := range w.packets {
			whole := p.bytes(t, layers.LinkTypeRaw, 0)
			if i != 3 {
				writePacket(t, pw, p.at, whole)
				continue
			}
			for _, part := range fragments(t, &p, whole, v6) {
				writePacket(t, pw, p.at, part)
			}
		}
		n, sum := read(t, out.Bytes(), Options{})
		if !bytes.Equal(n.data[up], payload) || sum.Foreign != 0 || sum.Gaps != 0 {
			t.Errorf("v6 %v: %d bytes of %d, %+v", v6, len(n.data[up]), len(payload), sum)
		}
	}
}

// fragments cuts an IP packet in three, the last first.
func fragments(t *testing.T, p *packet, whole []byte, v6 bool) [][]byte {
	t.Helper()
	header := 20
	if v6 {
		header = 40
	}
	rest := whole[header:]
	var parts [][]byte
	for from := 0; from < len(rest); from += 160 {
		piece := rest[from:min(from+160, len(rest))]
		more := from+160 < len(rest)
		ip, _ := p.transport(t)
		list := []gopacket.SerializableLayer{ip}
		if v4, ok := ip.(*layers.IPv4); ok {
			v4.FragOffset = uint16(from / 8)
			if more {
				v4.Flags = layers.IPv4MoreFragments
			}
		} else {
			ip.(*layers.IPv6).NextHeader = layers.IPProtocolIPv6Fragment
			list = append(list, &layers.IPv6Fragment{
				NextHeader: layers.IPProtocolTCP, FragmentOffset: uint16(from / 8), MoreFragments: more, Identification: 9,
			})
		}
		buf := gopacket.NewSerializeBuffer()
		if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true}, append(list, gopacket.Payload(piece))...); err != nil {
			t.Fatal(err)
		}
		parts = append(parts, buf.Bytes())
	}
	slices.Reverse(parts)
	return parts
}

func TestCutPackets(t *testing.T) {
	w := newWire(pos, host).shake(0).add(10, up, "PA", sale(t, "000001")).add(300, down, "PA", answer(t, "000001", "00")).
		add(400, up, "PA", sale(t, "000002"))
	var out bytes.Buffer
	pw := pcapgo.NewWriterNanos(&out)
	if err := pw.WriteFileHeader(96, layers.LinkTypeEthernet); err != nil {
		t.Fatal(err)
	}
	for i, p := range w.packets {
		b := p.bytes(t, layers.LinkTypeEthernet, 0)
		info := gopacket.CaptureInfo{Timestamp: p.at, CaptureLength: len(b), Length: len(b)}
		if i == 3 {
			info.CaptureLength = 96
		}
		if err := pw.WritePacket(info, b[:info.CaptureLength]); err != nil {
			t.Fatal(err)
		}
	}
	n, sum := read(t, out.Bytes(), Options{})
	if sum.Cut != 1 || sum.Gaps != 1 || sum.Warnings != 1 || !bytes.HasSuffix(n.data[up], sale(t, "000002")) {
		t.Errorf("%+v\n%s", sum, n.text())
	}
	if want := "test: packet 4: the capture stored a part of the packet only; capture whole packets (tcpdump -s 0)"; sum.Problems[0].Error() != want {
		t.Errorf("%s", sum.Problems[0])
	}
}

func TestPcapErrors(t *testing.T) {
	good := pcap(t, talk(t, pos, host).packets...)
	bad := bytes.Clone(good)
	copy(bad[24+8:], []byte{0xff, 0xff, 0xff, 0x7f}) // the first packet's length
	late := bytes.Clone(good)
	second := 24 + 16 + int(good[24+8])
	copy(late[second+8:], []byte{0xff, 0xff, 0xff, 0x7f})
	for _, c := range []struct {
		name  string
		file  []byte
		want  string // of the error
		noted string
	}{
		{"empty", nil, "test: the file is empty", ""},
		{"no capture", []byte{0, 1, 2, 3, 4, 5, 6, 7}, "test: " + ErrFormat.Error(), ""},
		{"head only in part", good[:20], "test: the head of the pcap file cannot be read: unexpected EOF", ""},
		{"ends within a packet", good[:len(good)-10], "", "test: packet 12: the file ends within the packet after this one"},
		{
			"no packet can be read", bad, "test: packet 0: the packet after this one cannot be read: capture length exceeds snap length: 2147483647 > 65535",
			"test: packet 0: the packet after this one cannot be read: capture length exceeds snap length: 2147483647 > 65535",
		},
		{
			"a later packet cannot be read", late, "",
			"test: packet 1: the packet after this one cannot be read: capture length exceeds snap length: 2147483647 > 65535",
		},
		{"link type", pcapOf(t, layers.LinkTypePPP, 0, nil), "test: the packets are of link type 9 (PPP); expected " + knownLinks, ""},
		{"gzip", []byte{0x1f, 0x8b, 8}, "test: gzip: unexpected EOF", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var n notes
			sum, err := Read(t.Context(), bytes.NewReader(c.file), "test", &n, Options{})
			if got := fmt.Sprint(err); c.want == "" && err != nil || c.want != "" && got != c.want {
				t.Errorf("error %q, want %q", got, c.want)
			}
			if c.noted != "" && (len(sum.Problems) != 1 || sum.Problems[0].Error() != c.noted) {
				t.Errorf("noted %v, want %q", sum.Problems, c.noted)
			}
		})
	}
	t.Run("the reader fails", func(t *testing.T) {
		broken := errors.New("disk gone")
		var n notes
		_, err := Read(t.Context(), io.MultiReader(bytes.NewReader(good[:200]), iotest.ErrReader(broken)), "test", &n, Options{})
		if !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("not wanted any more", func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		stop()
		var n notes
		if _, err := Read(ctx, bytes.NewReader(good), "test", &n, Options{}); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a hex log is no capture", func(t *testing.T) {
		var n notes
		_, err := ReadPcap(t.Context(), strings.NewReader("# nothing\n"), "test", &n, Options{})
		if err == nil || err.Error() != "test: not a packet capture; expected pcap or pcapng, also with gzip" {
			t.Errorf("got %v", err)
		}
	})
}
