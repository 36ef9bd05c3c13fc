// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// packets reads the packets of a capture, whatever its form.
type packets interface {
	ZeroCopyReadPacketData() ([]byte, gopacket.CaptureInfo, error)
}

// capture is a capture file that is being read.
type capture struct {
	in      *input
	packets packets
	link    layers.LinkType // of all packets; of pcapng files each packet has its own
	mixed   bool
	dissect *dissector
	sum     *Summary
}

// openPackets reads the head of a capture file.
func (in *input) openPackets(sum *Summary) (*capture, error) {
	c := &capture{in: in, dissect: newDissector(), sum: sum}
	if in.kind == pcapngFile {
		ng, err := pcapgo.NewNgReader(in.Reader, pcapgo.NgReaderOptions{WantMixedLinkType: true, SkipUnknownVersion: true})
		if err != nil {
			return nil, fmt.Errorf("%s: the head of the pcapng file cannot be read: %w", in.name, err)
		}
		sum.Format, c.packets, c.mixed = FormatPcapng, ng, true
		return c, nil
	}
	old, err := pcapgo.NewReader(in.Reader)
	if err != nil {
		return nil, fmt.Errorf("%s: the head of the pcap file cannot be read: %w", in.name, err)
	}
	sum.Format, c.packets, c.link = FormatPcap, old, old.LinkType()
	if _, ok := firstLayers[c.link]; !ok {
		return nil, fmt.Errorf("%s: the packets are of link type %d (%s); expected %s", in.name, c.link, c.link, knownLinks)
	}
	return c, nil
}

// each gives the TCP segments of the capture. It ends without an error at the end of
// the file and at the first packet that cannot be read, which is noted.
func (c *capture) each(ctx context.Context, take func(*segment)) error {
	for ctx.Err() == nil {
		data, info, err := c.packets.ZeroCopyReadPacketData()
		if err != nil {
			return c.stop(err)
		}
		c.sum.Packets++
		c.sum.see(info.Timestamp)
		link := c.link
		if c.mixed && len(info.AncillaryData) > 0 {
			link, _ = info.AncillaryData[0].(layers.LinkType)
		}
		s, ok := c.dissect.segment(link, data, info)
		if !ok {
			if !c.dissect.waits {
				c.sum.Foreign++
			}
			continue
		}
		if s.size > len(s.data) {
			if c.sum.Cut++; c.sum.Cut == 1 {
				c.sum.note(Problem{Place: c.place(), Reason: "the capture stored a part of the packet only; capture whole packets (tcpdump -s 0)", Warning: true})
			}
		}
		take(s)
	}
	return fmt.Errorf("%s: %w", c.place(), ctx.Err())
}

// stop judges why no more packets can be read.
func (c *capture) stop(err error) error {
	switch {
	case c.in.failed.err != nil:
		return fmt.Errorf("%s: %w", c.place(), c.in.failed.err)
	case errors.Is(err, io.EOF):
	case errors.Is(err, io.ErrUnexpectedEOF):
		c.sum.note(Problem{Place: c.place(), Reason: "the file ends within the packet after this one", Warning: true})
	default:
		c.sum.note(Problem{Place: c.place(), Reason: "the packet after this one cannot be read: " + err.Error()})
	}
	return nil
}

// place names the latest packet.
func (c *capture) place() string { return fmt.Sprintf("%s: packet %d", c.in.name, c.sum.Packets) }

// packets reads the file as a capture.
func (in *input) packets(ctx context.Context, sink Sink, opt Options) (Summary, error) {
	sum := Summary{limit: opt.MaxProblems}
	c, err := in.openPackets(&sum)
	if err != nil {
		return sum, err
	}
	t := newTable(sink, opt.HostPorts, &sum)
	err = c.each(ctx, t.take)
	t.finish()
	if err == nil && sum.Packets == 0 && sum.Errors > 0 {
		err = sum.Problems[0]
	}
	return sum, err
}
