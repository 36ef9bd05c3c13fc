// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"strings"
	"testing"

	"github.com/tillmend/tillmend/internal/gateway"
)

func TestValidateNamesFieldValueAndExpectation(t *testing.T) {
	cases := []struct {
		name string
		edit func(c *gateway.Config)
		want string
	}{
		{"no listeners", func(c *gateway.Config) { c.Listeners = nil }, `listeners: "": want at least one listener`},
		{"no name", func(c *gateway.Config) { c.Listeners[0].Name = "" }, `listeners[0].name: "": want a name`},
		{"same name", func(c *gateway.Config) { c.Listeners = append(c.Listeners, c.Listeners[0]) }, `listeners[1].name: "shops": want a name that no other`},
		{"no port", func(c *gateway.Config) { c.Listeners[0].Address = "127.0.0.1" }, `listeners[0].address: "127.0.0.1": want host:port`},
		{"high port", func(c *gateway.Config) { c.Listeners[0].Address = ":65536" }, `listeners[0].address: ":65536": want a port from 0 to 65535`},
		{"named port", func(c *gateway.Config) { c.Listeners[0].Address = ":http" }, `listeners[0].address: ":http": want a port`},
		{"mode", func(c *gateway.Config) { c.Listeners[0].Mode = "udp" }, `listeners[0].mode: "udp": want "tcp" or "tls-passthrough"`},
		{"no hosts", func(c *gateway.Config) { c.Listeners[0].Hosts = nil }, `listeners[0].hosts: "": want at least one host`},
		{"host port", func(c *gateway.Config) { c.Listeners[0].Hosts[0].Address = "h:0" }, `listeners[0].hosts[0].address: "h:0": want a port from 1`},
		{"host without name", func(c *gateway.Config) { c.Listeners[0].Hosts[0].Address = ":8583" }, `listeners[0].hosts[0].address: ":8583": want a host before the port`},
		{"negative limit", func(c *gateway.Config) { c.Listeners[0].IdleTimeout = -1 }, `listeners[0].idle_timeout: "-1ns": want 0 (the default) or more`},
		{"negative count", func(c *gateway.Config) { c.Listeners[0].MaxConnections = -5 }, `listeners[0].max_connections: "-5": want 0 (the default) or more`},
		{"negative grace", func(c *gateway.Config) { c.DrainGrace = -1 }, `drain_grace: "-1ns": want 0`},
		{"no key", func(c *gateway.Config) { c.Listeners[0].TLS = &gateway.ServerTLS{CertFile: "c.pem"} }, `listeners[0].tls.key_file: "": want a PEM file`},
		{"half a client certificate", func(c *gateway.Config) { c.Listeners[0].Hosts[0].TLS = &gateway.ClientTLS{CertFile: "c.pem"} }, `listeners[0].hosts[0].tls.key_file: "": want a PEM file, since cert_file is set`},
		{"half a client key", func(c *gateway.Config) { c.Listeners[0].Hosts[0].TLS = &gateway.ClientTLS{KeyFile: "k.pem"} }, `listeners[0].hosts[0].tls.cert_file: "": want a PEM file, since key_file is set`},
		{"TLS in passthrough", func(c *gateway.Config) {
			c.Listeners[0].Mode = gateway.ModeTLSPassthrough
			c.Listeners[0].TLS = &gateway.ServerTLS{CertFile: "c", KeyFile: "k"}
		}, `listeners[0].tls: "set": want none`},
		{"TLS to the host in passthrough", func(c *gateway.Config) {
			c.Listeners[0].Mode = gateway.ModeTLSPassthrough
			c.Listeners[0].Hosts[0].TLS = &gateway.ClientTLS{}
		}, `listeners[0].hosts[0].tls: "set": want none`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			cfg := one("127.0.0.1:8583")
			if err := cfg.Validate(); err != nil {
				t.Fatalf("the sound configuration: %v", err)
			}
			c.edit(&cfg)
			err := cfg.Validate()
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want %q in it", err, c.want)
			}
			if _, newErr := gateway.New(cfg, nil, nil); newErr == nil || newErr.Error() != err.Error() {
				t.Fatalf("New gave %v, want the same error", newErr)
			}
		})
	}
}

func TestValidateReportsEverythingAtOnce(t *testing.T) {
	cfg := one("nowhere")
	cfg.Listeners[0].Name, cfg.Listeners[0].WriteTimeout = "", -1
	err := cfg.Validate()
	for _, field := range []string{"listeners[0].name", "listeners[0].hosts[0].address", "listeners[0].write_timeout"} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("error %v, want %s in it", err, field)
		}
	}
}
