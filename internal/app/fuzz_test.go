// SPDX-License-Identifier: Apache-2.0

package app

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/tillmend/tillmend/internal/finding"
	"github.com/tillmend/tillmend/internal/journal"
	"github.com/tillmend/tillmend/internal/terminal"
)

// FuzzReadConfig: any file is either a configuration that can be served with, or
// an error.
func FuzzReadConfig(f *testing.F) {
	example, err := os.ReadFile(examplePath)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(example)
	f.Add([]byte("gateway: {listeners: [{name: a, listen: 127.0.0.1:0, hosts: [{address: 127.0.0.1:1}]}]}"))
	f.Add([]byte("gateway: [1]\nlog: {level: 7}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := ReadConfig(bytes.NewReader(text), t.TempDir())
		if err == nil && (len(c.Gateway.Listeners) == 0 || c.Console.Listen == "") {
			t.Errorf("%+v is taken for a configuration", c)
		}
	})
}

// FuzzEvent: any entry of a journal is either an event that a state can take, or
// an error.
func FuzzEvent(f *testing.F) {
	f.Add([]byte(`{"terminal":"T0000001","attempt":{"at":"2026-06-03T10:00:00+08:00","terminal":"T0000001","kind":"sale","outcome":"approved","timing":"on_time","amount_minor":100,"code":"00"}}`))
	f.Add([]byte(`{"terminal":"T0000001","link":{"at":"2026-06-03T10:00:00+08:00","kind":"reset","peer":"10.0.0.7:1"}}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := decodeEvent(&journal.Record{Position: 1, Data: data})
		if err != nil {
			return
		}
		var s terminal.State
		s.Apply(&e)
		finding.Detect(&s, time.Date(2026, 6, 3, 10, 0, 0, 0, time.UTC))
	})
}
