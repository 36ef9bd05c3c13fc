// SPDX-License-Identifier: Apache-2.0

package dialect_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tillmend/tillmend/iso8583/dialect"
	"github.com/tillmend/tillmend/iso8583/frame"
)

func TestShippedDialects(t *testing.T) {
	for _, name := range dialect.Names() {
		d, ok := dialect.Named(name)
		if !ok || d.Name != name || d.Title == "" {
			t.Errorf("%s: %v", name, ok)
			continue
		}
		for de, op := range d.Ops() {
			if (op.Prefix == dialect.Absent) != (d.Fields[de].Class == dialect.Undefined) {
				t.Errorf("%s: field %d is compiled wrongly", name, de)
			}
		}
	}
	if _, ok := dialect.Named("none"); ok {
		t.Error("there is a dialect none")
	}
	names := dialect.Names()
	names[0] = "changed"
	if dialect.Names()[0] != "upos" {
		t.Error("the list of names can be changed from outside")
	}
}

func TestExtendsChangesWhatItNames(t *testing.T) {
	const text = `name: bill-pay
title: a terminal that pays bills
extends: upos
frame: {length: ascii4, length_counts_self: true, tpdu: true, ani: 14, header: 6}
fields:
  48: {class: ans, lll: 999, prefix: bcd, unit: bytes, packing: ascii, free: true}
  44: {class: none}
  22: {class: n, size: 3, align: right, pad: F}
`
	d, err := dialect.Load(strings.NewReader(text), "bill-pay.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := frame.Format{Length: frame.ASCII4, LengthCountsSelf: true, TPDU: true, ANI: 14, Header: 6}
	if d.Frame != want || d.Name != "bill-pay" || !d.UnionPay {
		t.Errorf("got %+v", d.Frame)
	}
	upos, _ := dialect.Named("upos")
	for de := range dialect.Fields {
		changed := de == 22 || de == 44 || de == 48
		if same := d.Fields[de] == upos.Fields[de]; same == changed {
			t.Errorf("field %d: changed is %v", de, !same)
		}
	}
	if upos.Fields[44].Class != dialect.ANS || d.Ops()[44].Prefix != dialect.Absent {
		t.Error("the base was changed, or the field is still there")
	}
}

func TestWithFrameLeavesTheOriginal(t *testing.T) {
	upos, _ := dialect.Named("upos")
	if v := upos.WithFrame(frame.Format{}); v.Frame != (frame.Format{}) || upos.Frame.Header != 6 || v.Ops()[2] != upos.Ops()[2] {
		t.Error("WithFrame changes more than the frame of the copy")
	}
}

// TestErrorsAreGolden loads every wrong file of testdata and compares what it is told.
func TestErrorsAreGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(strings.TrimSuffix(file, ".yaml") + ".want")
		if err != nil {
			t.Fatal(err)
		}
		_, err = dialect.Load(bytes.NewReader(text), filepath.Base(file))
		if err == nil {
			t.Errorf("%s is accepted", file)
			continue
		}
		if got := err.Error() + "\n"; got != string(want) {
			t.Errorf("%s:\ngot  %swant %s", file, got, want)
		}
	}
}

var errBroken = errors.New("broken")

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errBroken }

func TestLoadReportsReading(t *testing.T) {
	if _, err := dialect.Load(broken{}, "x.yaml"); !errors.Is(err, errBroken) || !strings.HasPrefix(err.Error(), "x.yaml: ") {
		t.Errorf("got %v", err)
	}
	long := io.LimitReader(endless{}, 2<<20)
	if _, err := dialect.Load(long, "x.yaml"); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("got %v", err)
	}
}

type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = '#'
	}
	return len(b), nil
}

func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/*.yaml", "builtin/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := dialect.Load(bytes.NewReader(text), "fuzz.yaml")
		switch {
		case err != nil:
			for line := range strings.Lines(err.Error()) {
				if !strings.HasPrefix(line, "fuzz.yaml:") && !strings.HasPrefix(line, " ") {
					t.Errorf("no file in %q", line)
				}
			}
		case d.Name == "" || d.MaxField != 64 && d.MaxField != 128:
			t.Errorf("accepted %+v", d)
		}
	})
}
