// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
)

// serverConfig reads the files of s.
func (s *ServerTLS) serverConfig() (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(s.CertFile, s.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("certificate %q with key %q: %w", s.CertFile, s.KeyFile, err)
	}
	cfg := baseTLS()
	cfg.Certificates = []tls.Certificate{pair}
	if s.ClientCAFile == "" {
		return cfg, nil
	}
	cfg.ClientAuth = tls.RequireAndVerifyClientCert
	cfg.ClientCAs, err = readPool(s.ClientCAFile)
	return cfg, err
}

// clientConfig reads the files of c, for a host at address.
func (c *ClientTLS) clientConfig(address string) (*tls.Config, error) {
	name, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("address %q: %w", address, err)
	}
	cfg := baseTLS()
	cfg.ServerName = orElse(c.ServerName, name)
	if c.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("certificate %q with key %q: %w", c.CertFile, c.KeyFile, err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	if c.CAFile != "" {
		cfg.RootCAs, err = readPool(c.CAFile)
	}
	return cfg, err
}

// baseTLS is what both legs share. A piece of bytes becomes one record, hence
// one write, so that the tap can be shown it in order.
func baseTLS() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, DynamicRecordSizingDisabled: true}
}

func readPool(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("authorities: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("authorities %q: want at least one PEM certificate", file)
	}
	return pool, nil
}
