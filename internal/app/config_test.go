// SPDX-License-Identifier: Apache-2.0

package app

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

const examplePath = "../../config.example.yaml"

// TestExampleDocumentsEveryKey: the example names every key of the configuration,
// and no other.
func TestExampleDocumentsEveryKey(t *testing.T) {
	text, err := os.ReadFile(examplePath)
	if err != nil {
		t.Fatal(err)
	}
	var shown map[string]any
	if err := yaml.Unmarshal(text, &shown); err != nil {
		t.Fatal(err)
	}
	compareKeys(t, "", reflect.TypeFor[Config](), shown)
}

func compareKeys(t *testing.T, path string, typ reflect.Type, shown any) {
	t.Helper()
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		if list, ok := shown.([]any); ok && typ.Kind() == reflect.Slice && len(list) > 0 {
			shown = list[0]
		}
		typ = typ.Elem()
	}
	m, isMap := shown.(map[string]any)
	if typ.Kind() != reflect.Struct || !isMap {
		return
	}
	known := map[string]bool{}
	for f := range typ.Fields() {
		key := f.Tag.Get("yaml")
		if !f.IsExported() {
			continue
		}
		known[key] = true
		value, ok := m[key]
		if !ok {
			t.Errorf("config.example.yaml does not show %s%s", path, key)
			continue
		}
		compareKeys(t, path+key+".", f.Type, value)
	}
	for key := range m {
		if !known[key] {
			t.Errorf("config.example.yaml shows %s%s, which does not exist", path, key)
		}
	}
}

// TestExampleShowsTheDefaults: a file that says nothing but what is required has
// the values that the example shows.
func TestExampleShowsTheDefaults(t *testing.T) {
	text, err := os.ReadFile(examplePath)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range []string{"server.pem", "server.key"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	whole, err := ReadConfig(strings.NewReader(string(text)), dir)
	if err != nil {
		t.Fatal(err)
	}
	small, err := ReadConfig(strings.NewReader("gateway: {listeners: [{name: shops, listen: 0.0.0.0:9000, hosts: [{name: host-a, address: 192.0.2.10:8583}]}]}"), dir)
	if err != nil {
		t.Fatal(err)
	}
	if whole.Data != small.Data || whole.Engine != small.Engine || whole.Console != small.Console || whole.Log != small.Log || whole.Journal.MaxAge != small.Journal.MaxAge {
		t.Errorf("the example has\n%+v\na small file\n%+v", whole, small)
	}
	if got, want := whole.Gateway.DrainTimeout, small.Gateway.DrainTimeout; got != want {
		t.Errorf("drain_timeout is %v, the default %v", got, want)
	}
	if whole.Gateway.Queue != small.Gateway.Queue || small.Gateway.Listeners[0].Dialect != "upos" || small.Journal.MaxAge != 90*24*time.Hour {
		t.Errorf("the example has queue %d, a small file %d", whole.Gateway.Queue, small.Gateway.Queue)
	}
}

// TestWrongConfigurations: an error names the key, the value and what is expected.
func TestWrongConfigurations(t *testing.T) {
	listener := "gateway: {listeners: [{name: a, listen: 127.0.0.1:0, hosts: [{address: 127.0.0.1:1}]%s}]}\n"
	for _, c := range []struct{ name, text, want string }{
		{"no listener", "data: x", "gateway.listeners: none"},
		{"unknown key", "dta: x", "field dta not found"},
		{"unknown dialect", fmt.Sprintf(listener, ", dialect: klingon"), `"klingon" is not known; shipped are`},
		{"missing certificate", fmt.Sprintf(listener, ", tls: {cert: nowhere.pem, key: nowhere.key}"), "gateway.listeners[0].tls.cert"},
		{"missing knowledge", fmt.Sprintf(listener, "") + "knowledge: nowhere", "knowledge:"},
		{"wrong durability", fmt.Sprintf(listener, "") + "journal: {durability: maybe}", "fsync, fast, replicated"},
		{"wrong level", fmt.Sprintf(listener, "") + "log: {level: loud}", `"loud"; want debug`},
		{"negative age", fmt.Sprintf(listener, "") + "journal: {max_age: -1h}", "MaxAge"},
		{"missing dialect file", fmt.Sprintf(listener, "") + "dialects: [nowhere.yaml]", "nowhere.yaml"},
		{"no host", "gateway: {listeners: [{name: a, listen: 127.0.0.1:0}]}", "want at least one host"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ReadConfig(strings.NewReader(c.text), t.TempDir())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v; want %q", err, c.want)
			}
		})
	}
}
