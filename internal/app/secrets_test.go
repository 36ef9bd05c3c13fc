// SPDX-License-Identifier: Apache-2.0

package app

import (
	"bytes"
	"encoding/hex"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tillmend/tillmend/internal/capture"
	"github.com/tillmend/tillmend/internal/journal"
	"github.com/tillmend/tillmend/iso8583"
)

// Secrets of the messages below. The card is a public test card.
const (
	secretPAN   = "3566002020360505"
	secretTrack = "3566002020360505D4912120271828182"
	secretPIN   = "E6B52EFDA2C3F137"
	secretEMV   = "5A083566002020360505570F3566002020360505D4912120271828185F24034912315F20085445535420434152449F2608112233445566778895050000008000"
	secretCVN   = "92CV003987SF006112233TX11"
	secretMOTO  = "CV003987"
)

// saleFrame is a sale with everything that must not be kept.
func saleFrame(t testing.TB) []byte {
	t.Helper()
	return draft(t, "0200", map[int]string{
		2: secretPAN, 3: "000000", 4: "000000003600", 11: "000007", 14: "4912", 22: "051", 23: "001", 25: "00", 26: "12",
		35: secretTrack, 41: "T0000001", 42: "898000000000001", 49: "156", 52: secretPIN, 53: "2600000000000000",
		55: secretEMV, 60: "2200000100050", 62: hex.EncodeToString([]byte(secretCVN)), 64: "3531443837343145",
	})
}

func answerFrame(t testing.TB) []byte {
	t.Helper()
	return draft(t, "0210", map[int]string{
		2: secretPAN, 3: "000000", 4: "000000003600", 11: "000007", 12: "101500", 13: "0603", 14: "4912", 37: "000000000007",
		39: "00", 41: "T0000001", 42: "898000000000001", 44: "01020000   48025800   ", 49: "156", 60: "2200000100050", 64: "3531443837343145",
	})
}

func draft(t testing.TB, mti string, fields map[int]string) []byte {
	t.Helper()
	b, err := iso8583.Draft{MTI: mti, Fields: fields, TPDU: "6000050000", Header: "603100311108"}.Encode(upos(t))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// answerSales answers each sale of a connection.
func answerSales(t testing.TB, c net.Conn) {
	want, answer := len(saleFrame(t)), answerFrame(t)
	for {
		if _, err := io.ReadFull(c, make([]byte, want)); err != nil {
			return
		}
		if _, err := c.Write(answer); err != nil {
			return
		}
	}
}

// forbidden are the secrets in every form in which they could leak: as text, as
// hexadecimal, packed.
func forbidden(t *testing.T) map[string][]byte {
	t.Helper()
	forms := map[string][]byte{}
	add := func(name, text string) {
		forms[name+" as text"] = []byte(text)
		forms[name+" as hex of text"] = []byte(hex.EncodeToString([]byte(text)))
		if packed, err := hex.DecodeString(text); err == nil {
			forms[name+" packed"] = packed
		}
	}
	add("card number", secretPAN)
	add("card number less its ends", secretPAN[4:14])
	add("track", secretTrack)
	add("track after the card number", secretTrack[17:33])
	add("PIN block", secretPIN)
	add("EMV data", secretEMV[:40])
	add("security code", secretMOTO)
	return forms
}

// TestNothingSecretLeaves runs the service on messages full of secrets, sound ones
// and broken ones, and looks for the secrets in all that it writes and says.
func TestNothingSecretLeaves(t *testing.T) {
	s := startService(t, func(c net.Conn) { answerSales(t, c) })
	sale, answer := saleFrame(t), answerFrame(t)
	for cut := range 40 { // each connection: one sale, then one that ends too early
		c, err := net.Dial("tcp", s.Gateway("shops").String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write(sale); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, make([]byte, len(answer))); err != nil {
			t.Fatal(err)
		}
		broken := bytes.Clone(sale)
		broken[13+2+cut%8] ^= 1 << (cut / 8) // a wrong bitmap: all fields are read as others
		if _, err := c.Write(broken); err != nil {
			t.Fatal(err)
		}
		c.Close() //nolint:errcheck // the end of the conversation
	}
	s.until(t, "sales and broken messages", func() bool {
		st, _ := s.Engine().State("T0000001")
		return st.Approved == 40 && s.Engine().Len() >= 1 && s.recorder.queue.Len() == 0
	})
	said := sinks(t, s)
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	said["log"] = []byte(s.log.String())
	written(t, s, said)
	said["error texts"] = errorTexts(t, sale)
	for name, secret := range forbidden(t) {
		for sink, text := range said {
			if bytes.Contains(bytes.ToUpper(text), bytes.ToUpper(secret)) {
				t.Errorf("%s: %s", sink, name)
			}
		}
	}
	if !strings.Contains(string(said["/terminals/T0000001"]), "356600") && !slices.ContainsFunc(keys(said), func(k string) bool {
		return strings.HasPrefix(k, "/events/") && strings.Contains(string(said[k]), "356600******0505")
	}) {
		t.Error("the masked card number is on no page: the test looks at the wrong pages")
	}
}

func keys(m map[string][]byte) []string {
	var list []string
	for k := range m {
		list = append(list, k)
	}
	return list
}

// sinks gets every page.
func sinks(t *testing.T, s *service) map[string][]byte {
	t.Helper()
	said := map[string][]byte{}
	for _, path := range []string{
		"/", "/terminals", "/terminals.csv", "/terminals.json", "/terminals/T0000001", "/explain?q=" + secretPAN[:6], "/health", "/?lang=en",
	} {
		said[path] = []byte(s.get(t, path))
	}
	st, _ := s.Engine().State("T0000001")
	for _, x := range st.Exchanges(nil) {
		path := "/events/" + x.Event.String()
		said[path] = []byte(s.get(t, path))
	}
	return said
}

// written reads the data folder as it lies there, and the journal's entries as
// they are.
func written(t *testing.T, s *service, said map[string][]byte) {
	t.Helper()
	err := filepath.WalkDir(s.cfg.Data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		said[filepath.Base(path)], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(t.Context(), s.cfg.journal(), s.App.log)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close() //nolint:errcheck // only read
	n := 0
	err = j.Read(t.Context(), 0, func(r journal.Record) error {
		n++
		said["journal entries"] = append(said["journal entries"], r.Data...)
		return nil
	})
	if err != nil || n < 80 {
		t.Fatalf("%d entries, %v; want each sale, each broken message, each connection", n, err)
	}
}

// errorTexts decodes the sale cut short and changed at every byte, and gives all
// that is said of it.
func errorTexts(t *testing.T, sale []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	var m iso8583.Message
	for i := range sale {
		changed := bytes.Clone(sale)
		changed[i] ^= 0xFF
		for _, b := range [][]byte{sale[:i], changed} {
			if m.Decode(upos(t), b) {
				continue
			}
			if bad := m.Malformed(); bad != nil {
				out.WriteString(bad.Error() + "\n")
			}
			out.WriteString(iso8583.Describe(b).String() + "\n")
		}
	}
	r := NewReplay(testBase(t), upos(t), "")
	log := "2026-06-03T10:00:00+08:00 10.0.0.7:1 > " + hex.EncodeToString(sale) + "ZZ\n10.0.0.7:1 > " + hex.EncodeToString(sale) + "\n"
	sum, err := capture.Read(t.Context(), strings.NewReader(log), "log", r, capture.Options{})
	if err != nil {
		out.WriteString(err.Error())
	}
	for _, p := range sum.Problems {
		out.WriteString(p.Error() + "\n")
	}
	return out.Bytes()
}
