// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"bytes"
	"net/netip"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/ip4defrag"
	"github.com/gopacket/gopacket/ip6defrag"
	"github.com/gopacket/gopacket/layers"
)

// knownLinks names the link types that can be read.
const knownLinks = "Ethernet, Linux cooked (any), loopback or raw IP"

// Link types that the library has no name for.
const (
	linkRawBSD     layers.LinkType = 12
	linkRawOpenBSD layers.LinkType = 14
)

// maxFragments is how many bytes of IP fragments are kept before all are dropped.
// Payment messages fit in one packet, so there hardly ever are any.
const maxFragments = 16 << 20

// dissector finds the TCP segment in a packet: behind VLAN tags and tunnels, and
// joined from IP fragments. A segment is valid until the next call.
type dissector struct {
	waits bool // the latest packet was a fragment whose others are missing

	parsers map[gopacket.LayerType]*gopacket.DecodingLayerParser
	found   []gopacket.LayerType
	ip4     layers.IPv4
	ip6     layers.IPv6
	part    layers.IPv6Fragment
	tcp     layers.TCP
	out     segment

	whole4 *ip4defrag.IPv4Defragmenter
	whole6 *ip6defrag.IPv6Defragmenter
	kept   int // bytes of fragments since the defragmenters were made
}

func newDissector() *dissector {
	d := &dissector{parsers: map[gopacket.LayerType]*gopacket.DecodingLayerParser{}}
	d.forget()
	var (
		ethernet layers.Ethernet
		vlan     layers.Dot1Q
		cooked   layers.LinuxSLL
		cooked2  layers.LinuxSLL2
		loopback layers.Loopback
		tunnel   layers.GRE
		options  layers.IPv6ExtensionSkipper
	)
	for _, first := range []gopacket.LayerType{
		layers.LayerTypeEthernet, layers.LayerTypeLinuxSLL, layers.LayerTypeLinuxSLL2, layers.LayerTypeLoopback,
		layers.LayerTypeIPv4, layers.LayerTypeIPv6,
	} {
		p := gopacket.NewDecodingLayerParser(first, &ethernet, &vlan, &cooked, &cooked2, &loopback, &tunnel,
			&d.ip4, &d.ip6, &options, &d.part, &d.tcp)
		p.IgnoreUnsupported = true
		d.parsers[first] = p
	}
	return d
}

// forget drops the fragments that wait for others.
func (d *dissector) forget() {
	d.whole4, d.whole6, d.kept = ip4defrag.NewIPv4Defragmenter(), ip6defrag.NewIPv6Defragmenter(), 0
}

// firstLayers are what packets of the known link types begin with. Raw packets begin
// with either form of IP.
var firstLayers = map[layers.LinkType]gopacket.LayerType{
	layers.LinkTypeEthernet:  layers.LayerTypeEthernet,
	layers.LinkTypeLinuxSLL:  layers.LayerTypeLinuxSLL,
	layers.LinkTypeLinuxSLL2: layers.LayerTypeLinuxSLL2,
	layers.LinkTypeNull:      layers.LayerTypeLoopback,
	layers.LinkTypeLoop:      layers.LayerTypeLoopback,
	layers.LinkTypeRaw:       layers.LayerTypeIPv4,
	linkRawBSD:               layers.LayerTypeIPv4,
	linkRawOpenBSD:           layers.LayerTypeIPv4,
	layers.LinkTypeIPv4:      layers.LayerTypeIPv4,
	layers.LinkTypeIPv6:      layers.LayerTypeIPv6,
}

// parser gives the parser of a packet, nil when its link type is not known.
func (d *dissector) parser(link layers.LinkType, data []byte) *gopacket.DecodingLayerParser {
	first := firstLayers[link]
	if first == layers.LayerTypeIPv4 && len(data) > 0 && data[0]>>4 == 6 {
		first = layers.LayerTypeIPv6
	}
	return d.parsers[first]
}

// segment gives the TCP segment of a packet; ok is false when there is none, or none
// yet.
func (d *dissector) segment(link layers.LinkType, data []byte, info gopacket.CaptureInfo) (s *segment, ok bool) {
	d.waits = false
	p := d.parser(link, data)
	if p == nil {
		return nil, false
	}
	d.found = d.found[:0]
	if err := p.DecodeLayers(data, &d.found); err != nil || len(d.found) == 0 {
		return nil, false
	}
	missing := 0
	if p.Truncated {
		missing = max(0, info.Length-info.CaptureLength)
	}
	switch d.found[len(d.found)-1] {
	case layers.LayerTypeTCP:
	case layers.LayerTypeIPv4:
		if !d.join4(info) {
			return nil, false
		}
	case layers.LayerTypeIPv6Fragment:
		if !d.join6() {
			return nil, false
		}
	default:
		return nil, false
	}
	return d.fill(info, missing)
}

// join4 joins the latest fragment with those before it.
func (d *dissector) join4(info gopacket.CaptureInfo) bool {
	if d.ip4.Flags&layers.IPv4MoreFragments == 0 && d.ip4.FragOffset == 0 || d.ip4.Protocol != layers.IPProtocolTCP {
		return false
	}
	d.keep(len(d.ip4.Payload))
	mine := d.ip4
	mine.Payload, mine.Contents = bytes.Clone(mine.Payload), nil
	mine.SrcIP, mine.DstIP = bytes.Clone(mine.SrcIP), bytes.Clone(mine.DstIP)
	mine.Options, mine.Padding = nil, nil
	whole, err := d.whole4.DefragIPv4WithTimestamp(&mine, info.Timestamp)
	if d.waits = err == nil && whole == nil; whole == nil {
		return false
	}
	d.ip4.SrcIP, d.ip4.DstIP = whole.SrcIP, whole.DstIP
	d.found = append(d.found[:0], layers.LayerTypeIPv4)
	return d.tcp.DecodeFromBytes(whole.Payload, gopacket.NilDecodeFeedback) == nil
}

// join6 is join4 for IPv6.
func (d *dissector) join6() bool {
	d.keep(len(d.part.Payload))
	mine, part := d.ip6, d.part
	mine.HopByHop = nil
	mine.SrcIP, mine.DstIP = bytes.Clone(mine.SrcIP), bytes.Clone(mine.DstIP)
	part.Payload = bytes.Clone(part.Payload)
	whole := d.whole6.DefragIPv6(&mine, &part)
	if d.waits = whole == nil; d.waits || whole.NextHeader != layers.IPProtocolTCP {
		return false
	}
	d.ip6.SrcIP, d.ip6.DstIP = whole.SrcIP, whole.DstIP
	d.found = append(d.found[:0], layers.LayerTypeIPv6)
	return d.tcp.DecodeFromBytes(whole.Payload, gopacket.NilDecodeFeedback) == nil
}

// keep counts bytes of fragments.
func (d *dissector) keep(size int) {
	if d.kept += size; d.kept > maxFragments {
		d.forget()
	}
}

// fill makes the segment of what was found; missing is how many bytes of it the
// capture did not store.
func (d *dissector) fill(info gopacket.CaptureInfo, missing int) (*segment, bool) {
	var src, dst netip.Addr
	for _, layer := range d.found { // the innermost counts
		switch layer {
		case layers.LayerTypeIPv4:
			src, _ = netip.AddrFromSlice(d.ip4.SrcIP)
			dst, _ = netip.AddrFromSlice(d.ip4.DstIP)
		case layers.LayerTypeIPv6:
			src, _ = netip.AddrFromSlice(d.ip6.SrcIP)
			dst, _ = netip.AddrFromSlice(d.ip6.DstIP)
		}
	}
	if !src.IsValid() || !dst.IsValid() {
		return nil, false
	}
	t := &d.tcp
	if src == dst && t.SrcPort == t.DstPort {
		return nil, false // a connection to itself has no sides
	}
	d.out = segment{
		src: netip.AddrPortFrom(src.Unmap(), uint16(t.SrcPort)), dst: netip.AddrPortFrom(dst.Unmap(), uint16(t.DstPort)),
		at: info.Timestamp, seq: t.Seq, ack: t.Ack, syn: t.SYN, acks: t.ACK, fin: t.FIN, rst: t.RST,
		data: t.Payload, size: len(t.Payload) + missing,
	}
	return &d.out, true
}
