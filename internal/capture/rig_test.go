// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/tillmend/tillmend/internal/txn"
	"github.com/tillmend/tillmend/iso8583"
	"github.com/tillmend/tillmend/iso8583/dialect"
)

// day is when the tests take place.
var day = time.Date(2026, 6, 3, 10, 44, 0, 0, time.FixedZone("", 8*3600))

// ms is a moment of the day.
func ms(n int) time.Time { return day.Add(time.Duration(n) * time.Millisecond) }

// upos is the dialect of the tests.
func upos(t testing.TB) *dialect.Dialect {
	t.Helper()
	d, ok := dialect.Named("upos")
	if !ok {
		t.Fatal("no dialect upos")
	}
	return d
}

// message writes a frame.
func message(t testing.TB, mti string, fields map[int]string) []byte {
	t.Helper()
	b, err := iso8583.Draft{MTI: mti, Fields: fields}.Encode(upos(t))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sale is a request with a public test card.
func sale(t testing.TB, stan string) []byte {
	t.Helper()
	return message(t, "0200", map[int]string{
		2: "6200000000000005", 3: "000000", 4: "000000000100", 11: stan, 22: "051", 25: "00",
		41: "T0000001", 42: "898000000000001", 49: "156", 60: "22000001",
	})
}

// answer answers a sale.
func answer(t testing.TB, stan, code string) []byte {
	t.Helper()
	return message(t, "0210", map[int]string{
		3: "000000", 4: "000000000100", 11: stan, 12: "104400", 13: "0603", 37: "123456789012", 39: code,
		41: "T0000001", 42: "898000000000001", 49: "156", 60: "22000001",
	})
}

// notes is a sink that writes down what it is told.
type notes struct {
	lines  []string
	data   [2][]byte
	frames [][]byte
	links  []txn.Link
}

func (n *notes) note(format string, args ...any) {
	n.lines = append(n.lines, fmt.Sprintf(format, args...))
}

func (n *notes) Open(peer, host string, _ time.Time) { n.note("open %s %s", peer, host) }

func (n *notes) Data(_, _ string, dir txn.Direction, _ time.Time, b []byte) {
	n.data[dir] = append(n.data[dir], b...)
	n.note("%s %x", dir, b)
}

func (n *notes) Frame(peer, _ string, dir txn.Direction, at time.Time, b []byte, line int) {
	n.frames = append(n.frames, bytes.Clone(b))
	n.note("%d %s %s %s %x", line, at.Format(time.RFC3339Nano), peer, dir, b)
}

func (n *notes) Link(l txn.Link) {
	n.links = append(n.links, l)
	text := fmt.Sprintf("! %s +%s %s", l.Kind, l.Age, l.Detail)
	n.lines = append(n.lines, strings.TrimSpace(text))
}

// text joins what was written down.
func (n *notes) text() string { return strings.Join(n.lines, "\n") }

// Ends of the connections of the tests.
var (
	pos  = netip.MustParseAddrPort("10.0.0.7:40112")
	host = netip.MustParseAddrPort("192.0.2.1:5000")
	pos6 = netip.MustParseAddrPort("[2001:db8::7]:40112")
	hst6 = netip.MustParseAddrPort("[2001:db8::1]:5000")
)

// packet is one packet of a test.
type packet struct {
	at       time.Time
	src, dst netip.AddrPort
	seq, ack uint32
	flags    string // of S A F R P
	data     []byte
}

// wire writes packets in order, keeping the sequence numbers of both ends. Its methods
// give the packet, so that a test can drop, repeat or move it.
type wire struct {
	src, dst netip.AddrPort // terminal, host
	up, down uint32         // what each sends next
	packets  []packet
}

func newWire(src, dst netip.AddrPort) *wire {
	return &wire{src: src, dst: dst, up: 0xFFFFFF00, down: 7000} // the terminal's numbers wrap soon
}

// add adds a packet of a direction.
func (w *wire) add(at int, dir txn.Direction, flags string, data []byte) *wire {
	p := packet{at: ms(at), src: w.src, dst: w.dst, seq: w.up, ack: w.down, flags: flags, data: data}
	mine := &w.up
	if dir == txn.ToTerminal {
		p.src, p.dst, p.seq, p.ack, mine = w.dst, w.src, w.down, w.up, &w.down
	}
	*mine += uint32(len(data))
	if strings.ContainsAny(flags, "SF") {
		*mine++
	}
	w.packets = append(w.packets, p)
	return w
}

// shake opens the connection.
func (w *wire) shake(at int) *wire {
	return w.add(at, txn.ToHost, "S", nil).add(at+1, txn.ToTerminal, "SA", nil).add(at+2, txn.ToHost, "A", nil)
}

// bye closes it, the terminal first.
func (w *wire) bye(at int) *wire {
	return w.add(at, txn.ToHost, "FA", nil).add(at+1, txn.ToTerminal, "FA", nil).add(at+2, txn.ToHost, "A", nil)
}

// transport makes the IP and TCP layers of a packet.
func (p *packet) transport(t testing.TB) (gopacket.SerializableLayer, *layers.TCP) {
	t.Helper()
	tcp := &layers.TCP{
		SrcPort: layers.TCPPort(p.src.Port()), DstPort: layers.TCPPort(p.dst.Port()), Seq: p.seq, Ack: p.ack, Window: 65000,
		SYN: strings.Contains(p.flags, "S"), ACK: strings.Contains(p.flags, "A"), FIN: strings.Contains(p.flags, "F"),
		RST: strings.Contains(p.flags, "R"), PSH: strings.Contains(p.flags, "P"),
	}
	if p.src.Addr().Is4() {
		ip := &layers.IPv4{
			Version: 4, TTL: 64, Protocol: layers.IPProtocolTCP, SrcIP: p.src.Addr().AsSlice(), DstIP: p.dst.Addr().AsSlice(), Id: 1,
		}
		if err := tcp.SetNetworkLayerForChecksum(ip); err != nil {
			t.Fatal(err)
		}
		return ip, tcp
	}
	ip := &layers.IPv6{
		Version: 6, HopLimit: 64, NextHeader: layers.IPProtocolTCP, SrcIP: p.src.Addr().AsSlice(), DstIP: p.dst.Addr().AsSlice(),
	}
	if err := tcp.SetNetworkLayerForChecksum(ip); err != nil {
		t.Fatal(err)
	}
	return ip, tcp
}

// around makes the layers below IP for a link type, VLAN tags included where vlans > 0.
func around(link layers.LinkType, v6 bool, vlans int) []gopacket.SerializableLayer {
	kind := layers.EthernetTypeIPv4
	family := layers.ProtocolFamilyIPv4
	if v6 {
		kind, family = layers.EthernetTypeIPv6, layers.ProtocolFamilyIPv6Linux
	}
	zeros := func(n int) []byte { return make([]byte, n) }
	if list, ok := map[layers.LinkType]gopacket.SerializableLayer{
		layers.LinkTypeLinuxSLL:  gopacket.Payload(append(zeros(14), byte(kind>>8), byte(kind))),
		layers.LinkTypeLinuxSLL2: gopacket.Payload(append([]byte{byte(kind >> 8), byte(kind)}, zeros(18)...)),
		layers.LinkTypeNull:      &layers.Loopback{Family: family},
	}[link]; ok {
		return []gopacket.SerializableLayer{list}
	}
	if link != layers.LinkTypeEthernet {
		return nil // raw IP
	}
	ether := &layers.Ethernet{SrcMAC: zeros(6), DstMAC: zeros(6), EthernetType: kind}
	list := []gopacket.SerializableLayer{ether}
	for i := range vlans {
		ether.EthernetType = layers.EthernetTypeDot1Q
		tag := &layers.Dot1Q{VLANIdentifier: uint16(100 + i), Type: kind}
		if i < vlans-1 {
			tag.Type = layers.EthernetTypeDot1Q
		}
		list = append(list, tag)
	}
	return list
}

// bytes writes a packet as it goes over a link.
func (p *packet) bytes(t testing.TB, link layers.LinkType, vlans int) []byte {
	t.Helper()
	ip, tcp := p.transport(t)
	list := append(around(link, p.src.Addr().Is6(), vlans), ip, tcp, gopacket.Payload(p.data))
	buf := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, list...); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// pcap writes packets as a pcap file of Ethernet packets.
func pcap(t testing.TB, packets ...packet) []byte {
	t.Helper()
	return pcapOf(t, layers.LinkTypeEthernet, 0, packets)
}

func pcapOf(t testing.TB, link layers.LinkType, vlans int, packets []packet) []byte {
	t.Helper()
	var out bytes.Buffer
	w := pcapgo.NewWriterNanos(&out)
	if err := w.WriteFileHeader(65535, link); err != nil {
		t.Fatal(err)
	}
	for i := range packets {
		writePacket(t, w, packets[i].at, packets[i].bytes(t, link, vlans))
	}
	return out.Bytes()
}

func writePacket(t testing.TB, w *pcapgo.Writer, at time.Time, b []byte) {
	t.Helper()
	if err := w.WritePacket(gopacket.CaptureInfo{Timestamp: at, CaptureLength: len(b), Length: len(b)}, b); err != nil {
		t.Fatal(err)
	}
}

// read reads a file that must be good.
func read(t testing.TB, file []byte, opt Options) (*notes, Summary) {
	t.Helper()
	var n notes
	sum, err := Read(t.Context(), bytes.NewReader(file), "test", &n, opt)
	if err != nil {
		t.Fatal(err)
	}
	return &n, sum
}

// logLineOf writes a line of a hex log.
func logLineOf(at time.Time, peer netip.AddrPort, dir txn.Direction, b []byte) string {
	return fmt.Sprintf("%s %s %s %s\n", at.Format("2006-01-02T15:04:05.000Z07:00"), peer, dir, strings.ToUpper(hex.EncodeToString(b)))
}
