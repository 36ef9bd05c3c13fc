// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/s2"
)

// envelopeOf encodes entries.
func envelopeOf(entries ...Entry) []byte {
	var enc encoder
	var batch []pending
	for _, e := range entries {
		batch = append(batch, pending{entry: e})
	}
	return enc.encode(batch)
}

// sealed makes an envelope with a right sum around any body.
func sealed(body []byte) []byte {
	out := binary.LittleEndian.AppendUint32([]byte{envelopeVersion}, checksum(body))
	return append(out, s2.Encode(nil, body)...)
}

func TestEnvelopeLimits(t *testing.T) {
	if n := envelopeHeader + s2.MaxEncodedLen(MaxBatchBytes); n > maxStoredBytes {
		t.Errorf("a batch that does not compress takes %d bytes, maxStoredBytes is %d", n, maxStoredBytes)
	}
	if MaxBatchEntries > 1<<indexBits {
		t.Error("a position cannot tell the entries of a batch apart")
	}
	var worst []Entry
	for range 1000 {
		worst = append(worst, Entry{Data: make([]byte, 200)})
	}
	got, err := decode(envelopeOf(worst...))
	if err != nil || len(got) != 1000 {
		t.Errorf("a full batch gives %d entries, %v", len(got), err)
	}
}

func TestEnvelopeRefusals(t *testing.T) {
	good := envelopeOf(Entry{Key: "T1", Data: []byte("data")}, Entry{Key: "T2"})
	if _, err := decode(good); err != nil {
		t.Fatal(err)
	}
	newer := slices.Clone(good)
	newer[0] = envelopeVersion + 1
	if _, err := decode(newer); !errors.Is(err, ErrVersion) || errors.Is(err, errDamaged) {
		t.Errorf("a newer version gives %v, want ErrVersion", err)
	}
	for i := range good {
		if i == 0 {
			continue
		}
		bad := slices.Clone(good)
		bad[i] ^= 0x40
		if got, err := decode(bad); !errors.Is(err, errDamaged) {
			t.Errorf("byte %d changed: %v, %v, want errDamaged", i, got, err)
		}
		if got, err := decode(good[:i]); !errors.Is(err, errDamaged) {
			t.Errorf("cut to %d bytes: %v, %v, want errDamaged", i, got, err)
		}
	}
	huge := binary.AppendUvarint(slices.Clone(good[:envelopeHeader]), math.MaxUint32)
	for name, bad := range map[string][]byte{
		"empty":         nil,
		"no entries":    sealed([]byte{0}),
		"too many":      sealed(binary.AppendUvarint(nil, MaxBatchEntries+1)),
		"long key":      sealed(append(binary.AppendUvarint([]byte{1}, MaxKeyBytes+1), make([]byte, 1000)...)),
		"cut data":      sealed([]byte{1, 0, 5, 'a'}),
		"trailing":      sealed([]byte{1, 0, 0, 0}),
		"huge body":     append(huge, 0),
		"huge envelope": make([]byte, maxStoredBytes+1),
		"overflow":      sealed(bytes.Repeat([]byte{0xff}, 11)),
	} {
		if got, err := decode(bad); !errors.Is(err, errDamaged) {
			t.Errorf("%s: %v, %v, want errDamaged", name, got, err)
		}
	}
}

// FuzzDecode feeds the decoder anything; what it accepts must come out the same
// after another round.
func FuzzDecode(f *testing.F) {
	f.Add(envelopeOf(Entry{Key: "T1", Data: []byte("data")}))
	f.Add(envelopeOf(Entry{}, Entry{Key: "终端", Data: bytes.Repeat([]byte("a"), 500)}))
	f.Add(sealed([]byte{2, 0, 0, 1, 'k'}))
	f.Add([]byte{envelopeVersion})
	f.Fuzz(func(t *testing.T, input []byte) {
		for _, envelope := range [][]byte{input, sealed(input)} {
			entries, err := decode(envelope)
			if err != nil {
				continue
			}
			again, err := decode(envelopeOf(entries...))
			if err != nil || !slices.EqualFunc(entries, again, sameEntry) {
				t.Fatalf("%v became %v, %v", entries, again, err)
			}
		}
	})
}

// FuzzRoundTrip packs entries cut from the input and unpacks them.
func FuzzRoundTrip(f *testing.F) {
	f.Add("T1", []byte("some data"), 3)
	f.Add("", []byte(nil), 1)
	f.Fuzz(func(t *testing.T, key string, data []byte, n int) {
		if len(key) > MaxKeyBytes || len(data) > 1000 || n < 1 || n > 200 {
			t.Skip()
		}
		var want []Entry
		for i := range n {
			want = append(want, Entry{Key: key[:len(key)*i/n], Data: data[len(data)*i/n:]})
		}
		got, err := decode(envelopeOf(want...))
		if err != nil || !slices.EqualFunc(want, got, sameEntry) {
			t.Fatalf("%v became %v, %v", want, got, err)
		}
	})
}

func sameEntry(a, b Entry) bool { return a.Key == b.Key && bytes.Equal(a.Data, b.Data) }

// TestPartitionOf pins the function: stored positions of readers rest on it.
func TestPartitionOf(t *testing.T) {
	for key, want := range map[string]uint8{"": 0xc5, "a": 0x2c, "foobar": 0x68} { // from the published FNV-1a vectors
		if got := PartitionOf(key); got != want {
			t.Errorf("PartitionOf(%q) = %#x, want %#x", key, got, want)
		}
	}
	var count [Partitions]int
	for i := range 50_000 {
		count[PartitionOf(fmt.Sprintf("%08d", i))]++
	}
	if lo, hi := slices.Min(count[:]), slices.Max(count[:]); lo < 150 || hi > 250 {
		t.Errorf("50,000 terminals in a row give partitions of %d to %d, want about 195", lo, hi)
	}
}

func TestPosition(t *testing.T) {
	p := newPosition(7, 999)
	if p.seq() != 7 || p.index() != 999 || p.String() != "7.999" {
		t.Errorf("%v: seq %d, index %d", p, p.seq(), p.index())
	}
	if newPosition(1, 0) == 0 || newPosition(8, 0) <= p || newPosition(7, 998) >= p {
		t.Error("positions are not ordered as the entries are")
	}
}

func TestConfig(t *testing.T) {
	dir := Config{Dir: "d"}
	for want, change := range map[string]func(*Config){
		"":              func(*Config) {},
		"Dir":           func(c *Config) { c.Dir = "" },
		"Durability:":   func(c *Config) { c.Durability = 9 },
		"Durability: r": func(c *Config) { c.Durability = Replicated },
		"MaxAge":        func(c *Config) { c.MaxAge = -1 },
		"MaxBytes":      func(c *Config) { c.MaxBytes = minMaxBytes - 1 },
		"KeepAll":       func(c *Config) { c.KeepAll = true },
		"AckTimeout":    func(c *Config) { c.AckTimeout = -1 },
		"Replicas: 3":   func(c *Config) { c.Replicas = 3 },
		"Credentials":   func(c *Config) { c.Credentials = "file" },
		"address 2":     func(c *Config) { c.URL = "nats://a:1,http://user:secret@b:2" },
		"Replicas: 6":   func(c *Config) { c.URL, c.Replicas = "nats://a:1", 6 },
		"at least 3":    func(c *Config) { c.URL, c.Durability = "nats://a:1", Replicated },
	} {
		cfg := dir
		change(&cfg)
		err := cfg.Validate()
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret")) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	for _, d := range []Durability{Fsync, Fast, Replicated} {
		text, err := d.MarshalText()
		var back Durability
		if err != nil || back.UnmarshalText(text) != nil || back != d {
			t.Errorf("%v became %v by way of %q", d, back, text)
		}
	}
	var d Durability
	if err := d.UnmarshalText([]byte("Fsync")); err == nil {
		t.Error("an unknown word was accepted")
	}
}
