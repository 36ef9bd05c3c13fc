// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/gopacket/gopacket/layers"

	"github.com/tillmend/tillmend/internal/txn"
	"github.com/tillmend/tillmend/iso8583/frame"
)

// strict is a sink that checks the contract of Sink.
type strict struct {
	t     *testing.T
	open  map[string]bool
	bytes int64
	links int
}

func (s *strict) Open(peer, host string, _ time.Time) {
	if peer == "" || peer == host {
		s.t.Errorf("connection from %q to %q", peer, host)
	}
	s.open[peer+host] = true
}

func (s *strict) Data(peer, host string, dir txn.Direction, _ time.Time, b []byte) {
	if !s.open[peer+host] || len(b) == 0 || dir > txn.ToTerminal {
		s.t.Errorf("%d bytes of %s to %s %s, begun: %v", len(b), peer, host, dir, s.open[peer+host])
	}
	s.bytes += int64(len(b))
}

func (s *strict) Frame(peer, host string, _ txn.Direction, _ time.Time, b []byte, line int) {
	if !s.open[peer+host] || len(b) == 0 || len(b) > frame.MaxFrame || line < 1 {
		s.t.Errorf("frame of %d bytes in line %d, begun: %v", len(b), line, s.open[peer+host])
	}
	s.bytes += int64(len(b))
}

func (s *strict) Link(l txn.Link) {
	if l.Kind == 0 || l.Kind > txn.LinkOverloaded || l.Age < 0 || l.Kind == txn.LinkOpen && !s.open[l.Peer+l.Host] {
		s.t.Errorf("event %+v", l)
	}
	s.links++
}

// check reads a file and holds what must be true of any.
func check(t *testing.T, file []byte, opt Options) {
	s := &strict{t: t, open: map[string]bool{}}
	sum, err := Read(t.Context(), bytes.NewReader(file), "fuzz", s, opt)
	if err == nil && (sum.Bytes != s.bytes || sum.Events != s.links || len(sum.Problems) > sum.Errors+sum.Warnings) {
		t.Errorf("%+v, but told %d bytes and %d events", sum, s.bytes, s.links)
	}
}

func FuzzReadHexLog(f *testing.F) {
	bad, err := os.ReadFile("testdata/bad.hexlog")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(bad)
	f.Add([]byte(logLineOf(ms(0), pos, up, sale(f, "000001"))))
	f.Add([]byte("2026-06-03T10:44:00 [::1]:1 ! open\r\n2026-06-03T10:44:00Z a:1 < 0 0 # x\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		check(t, file, Options{Location: time.UTC})
		for in, err := range DecodeInput(bytes.NewReader(file), "fuzz") {
			if err == nil && (in.Place == "" || len(in.Bytes) == 0) {
				t.Errorf("empty frame at %q", in.Place)
			}
		}
	})
}

func FuzzRead(f *testing.F) {
	whole := pcap(f, talk(f, pos, host).packets...)
	f.Add(whole)
	f.Add(swapped(whole))
	f.Add(pcapOf(f, layers.LinkTypeLinuxSLL2, 0, talk(f, pos6, hst6).packets))
	f.Add(pcapOf(f, layers.LinkTypeEthernet, 2, newWire(pos, host).add(0, up, "S", nil).add(1, down, "RA", nil).packets))
	f.Add([]byte("\x0a\x0d\x0d\x0a\x1c\x00\x00\x00\x4d\x3c\x2b\x1a\x01\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\x1c\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, file []byte) {
		check(t, file, Options{})
		for in, err := range DecodeInput(bytes.NewReader(file), "fuzz") {
			if err == nil && (in.Place == "" || len(in.Bytes) == 0) {
				t.Errorf("empty frame at %q", in.Place)
			}
		}
	})
}

// FuzzStreams makes packets of its input, so that the streams themselves are
// fuzzed: four bytes say which packet, where in the stream, how long and with what flags.
func FuzzStreams(f *testing.F) {
	f.Add([]byte{0, 0, 0, 2, 1, 0, 0, 6, 0, 1, 9, 4, 1, 1, 9, 4, 0, 10, 0, 5, 1, 10, 0, 5})
	f.Add([]byte{0, 0, 0, 2, 0, 30, 9, 4, 1, 1, 9, 4, 0, 1, 40, 4, 2, 200, 9, 4})
	flags := []string{"", "R", "S", "RA", "A", "FA", "SA", "FPA"}
	f.Fuzz(func(t *testing.T, script []byte) {
		s := &strict{t: t, open: map[string]bool{}}
		var sum Summary
		tab := newTable(s, nil, &sum)
		body := make([]byte, 256)
		for i := 0; i+4 <= len(script) && i < 4*500; i += 4 {
			which, at, size, kind := script[i], script[i+1], int(script[i+2]), flags[script[i+3]&7]
			p := packet{src: pos, dst: host, flags: kind}
			if which&1 != 0 {
				p.src, p.dst = host, pos
			}
			seg := &segment{
				src: p.src, dst: p.dst, at: ms(i * int(which)), seq: uint32(at) - 16, ack: uint32(script[i+3]) - 16,
				data: body[:size], size: size + int(which>>7),
				syn: kind == "S" || kind == "SA", acks: len(kind) > 1, fin: kind == "FA" || kind == "FPA", rst: kind == "R" || kind == "RA",
			}
			sum.see(seg.at)
			tab.take(seg)
			waiting := 0
			for _, c := range tab.conns {
				waiting += c.held()
			}
			if waiting != tab.held {
				t.Fatalf("%d bytes wait, %d counted", waiting, tab.held)
			}
		}
		tab.finish()
		if tab.held != 0 {
			t.Errorf("%d bytes still wait", tab.held)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	w := newWire(pos, host).shake(0)
	for i := range 1000 {
		w.add(10*i, up, "PA", sale(b, "000001")).add(10*i+1, down, "A", nil).add(10*i+5, down, "PA", answer(b, "000001", "00")).add(10*i+6, up, "A", nil)
	}
	file := pcap(b, w.packets...)
	var log bytes.Buffer
	for i := range 1000 {
		log.WriteString(logLineOf(ms(10*i), pos, up, sale(b, "000001")))
		log.WriteString(logLineOf(ms(10*i+5), pos, down, answer(b, "000001", "00")))
	}
	for name, file := range map[string][]byte{"pcap": file, "hex": log.Bytes()} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(file)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Read(b.Context(), bytes.NewReader(file), "bench", discard{}, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// discard is a sink that does nothing.
type discard struct{}

func (discard) Open(string, string, time.Time)                              {}
func (discard) Data(string, string, txn.Direction, time.Time, []byte)       {}
func (discard) Frame(string, string, txn.Direction, time.Time, []byte, int) {}
func (discard) Link(txn.Link)                                               {}
