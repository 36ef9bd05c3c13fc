// SPDX-License-Identifier: Apache-2.0

package app

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/tillmend/tillmend/internal/gateway"
	"github.com/tillmend/tillmend/internal/journal"
	"github.com/tillmend/tillmend/iso8583/dialect"
)

// Config is everything that `tillmend serve` can be told. It is read from a YAML
// file; every key with its meaning stands in config.example.yaml. Relative paths
// start at the folder of the file.
type Config struct {
	Data      string         `yaml:"data"`
	Dialects  []string       `yaml:"dialects"`
	Acquirer  string         `yaml:"acquirer"`
	Knowledge string         `yaml:"knowledge"`
	Gateway   GatewayConfig  `yaml:"gateway"`
	Journal   JournalConfig  `yaml:"journal"`
	Console   ConsoleConfig  `yaml:"console"`
	Engine    EngineConfig   `yaml:"engine"`
	Log       LogConfig      `yaml:"log"`
	dir       string         // of the file
	loaded    []namedDialect // from Dialects
}

// GatewayConfig is the inline proxy.
type GatewayConfig struct {
	Listeners      []ListenerConfig `yaml:"listeners"`
	ReusePort      bool             `yaml:"reuse_port"`
	HealthInterval time.Duration    `yaml:"health_interval"`
	DrainTimeout   time.Duration    `yaml:"drain_timeout"`
	DrainGrace     time.Duration    `yaml:"drain_grace"`
	DrainQuiet     time.Duration    `yaml:"drain_quiet"`
	AnswerTimeout  time.Duration    `yaml:"answer_timeout"`
	Queue          int              `yaml:"queue"`
}

// ListenerConfig is one port for terminals.
type ListenerConfig struct {
	Name             string        `yaml:"name"`
	Listen           string        `yaml:"listen"`
	Mode             string        `yaml:"mode"`
	Dialect          string        `yaml:"dialect"`
	Hosts            []HostConfig  `yaml:"hosts"`
	TLS              *ServerTLS    `yaml:"tls"`
	MaxConnections   int           `yaml:"max_connections"`
	ConnectTimeout   time.Duration `yaml:"connect_timeout"`
	HandshakeTimeout time.Duration `yaml:"handshake_timeout"`
	IdleTimeout      time.Duration `yaml:"idle_timeout"`
	WriteTimeout     time.Duration `yaml:"write_timeout"`
	HalfCloseTimeout time.Duration `yaml:"half_close_timeout"`
	KeepAlive        time.Duration `yaml:"keep_alive"`
}

// HostConfig is one host, tried in the order of the list.
type HostConfig struct {
	Name    string     `yaml:"name"`
	Address string     `yaml:"address"`
	TLS     *ClientTLS `yaml:"tls"`
}

// ServerTLS ends the terminals' TLS at the gateway.
type ServerTLS struct {
	Cert     string `yaml:"cert"`
	Key      string `yaml:"key"`
	ClientCA string `yaml:"client_ca"`
}

// ClientTLS makes the gateway speak TLS to a host.
type ClientTLS struct {
	ServerName string `yaml:"server_name"`
	CA         string `yaml:"ca"`
	Cert       string `yaml:"cert"`
	Key        string `yaml:"key"`
}

// JournalConfig is the event log.
type JournalConfig struct {
	Durability   journal.Durability `yaml:"durability"`
	MaxAge       time.Duration      `yaml:"max_age"`
	MaxBytes     int64              `yaml:"max_bytes"`
	KeepAll      bool               `yaml:"keep_all"`
	MinFreeBytes int64              `yaml:"min_free_bytes"`
	URL          string             `yaml:"url"`
	Credentials  string             `yaml:"credentials"`
	Replicas     int                `yaml:"replicas"`
}

// ConsoleConfig is the pages.
type ConsoleConfig struct {
	Listen string `yaml:"listen"`
}

// EngineConfig is the states and the diagnosis.
type EngineConfig struct {
	SurveyInterval   time.Duration `yaml:"survey_interval"`
	SnapshotInterval time.Duration `yaml:"snapshot_interval"`
}

// LogConfig is what is written to standard error.
type LogConfig struct {
	Level string `yaml:"level"`
}

type namedDialect struct {
	name string
	d    *dialect.Dialect
}

// Defaults of the configuration.
const (
	DefaultConsole          = "127.0.0.1:8080"
	DefaultSurveyInterval   = 10 * time.Second
	DefaultSnapshotInterval = 5 * time.Minute
	DefaultDrainTimeout     = 2 * time.Minute // above the minute that a terminal waits for an answer
	DefaultJournalAge       = 90 * 24 * time.Hour
	// DefaultQueue holds about two seconds of 30,000 messages a second, at about
	// half a kilobyte each.
	DefaultQueue = 1 << 16
	// maxConfig bounds the file: a thousand listeners take a tenth of it.
	maxConfig = 4 << 20
)

// LoadConfig reads and checks a configuration file. The error lists everything
// that is wrong with it.
func LoadConfig(path string) (*Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	c, err := ReadConfig(io.LimitReader(f, maxConfig), filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("configuration %s: %w", path, err)
	}
	return c, nil
}

// ReadConfig reads and checks a configuration whose relative paths start at dir.
func ReadConfig(r io.Reader, dir string) (*Config, error) {
	c := &Config{dir: dir}
	c.Journal.MaxAge = DefaultJournalAge
	dec := yaml.NewDecoder(r)
	dec.KnownFields(true)
	if err := dec.Decode(c); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	c.setDefaults()
	return c, c.validate()
}

func (c *Config) setDefaults() {
	set(&c.Data, "data")
	set(&c.Console.Listen, DefaultConsole)
	set(&c.Engine.SurveyInterval, DefaultSurveyInterval)
	set(&c.Engine.SnapshotInterval, DefaultSnapshotInterval)
	set(&c.Gateway.DrainTimeout, DefaultDrainTimeout)
	set(&c.Gateway.Queue, DefaultQueue)
	set(&c.Log.Level, "info")
	for i := range c.Gateway.Listeners {
		set(&c.Gateway.Listeners[i].Dialect, "upos")
		set(&c.Gateway.Listeners[i].Mode, string(gateway.ModeTCP))
	}
	c.Data = c.path(c.Data)
}

func set[T comparable](to *T, value T) {
	var zero T
	if *to == zero {
		*to = value
	}
}

// path makes a path of the file absolute to its folder.
func (c *Config) path(p string) string {
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(c.dir, p)
}

func (c *Config) validate() error {
	var errs []error
	for _, file := range c.Dialects {
		if err := c.loadDialect(c.path(file)); err != nil {
			errs = append(errs, err)
		}
	}
	errs = append(errs, c.missingFiles()...)
	for i, l := range c.Gateway.Listeners {
		if _, ok := c.dialect(l.Dialect); !ok {
			errs = append(errs, fmt.Errorf("gateway.listeners[%d].dialect: %q is not known; shipped are %s", i, l.Dialect, strings.Join(dialect.Names(), ", ")))
		}
	}
	if len(c.Gateway.Listeners) == 0 {
		errs = append(errs, errors.New("gateway.listeners: none; terminals need at least one port to connect to"))
	} else if err := c.gateway().Validate(); err != nil {
		errs = append(errs, err)
	}
	if err := c.journal().Validate(); err != nil {
		errs = append(errs, err)
	}
	if c.Gateway.Queue < 0 {
		errs = append(errs, fmt.Errorf("gateway.queue: %d; want the number of messages that may wait", c.Gateway.Queue))
	}
	if _, err := logLevel(c.Log.Level); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// missingFiles gives an error for each file that is named and not there.
func (c *Config) missingFiles() (errs []error) {
	look := func(key, path string) {
		if path == "" {
			return
		}
		if _, err := os.Stat(c.path(path)); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", key, err))
		}
	}
	look("knowledge", c.Knowledge)
	look("journal.credentials", c.Journal.Credentials)
	for i, l := range c.Gateway.Listeners {
		key := fmt.Sprintf("gateway.listeners[%d]", i)
		if t := l.TLS; t != nil {
			look(key+".tls.cert", t.Cert)
			look(key+".tls.key", t.Key)
			look(key+".tls.client_ca", t.ClientCA)
		}
		for j, h := range l.Hosts {
			if t := h.TLS; t != nil {
				host := fmt.Sprintf("%s.hosts[%d].tls", key, j)
				look(host+".ca", t.CA)
				look(host+".cert", t.Cert)
				look(host+".key", t.Key)
			}
		}
	}
	return errs
}

func (c *Config) loadDialect(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("dialects: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	d, err := dialect.Load(io.LimitReader(f, maxConfig), path)
	if err != nil {
		return fmt.Errorf("dialects: %w", err)
	}
	c.loaded = append(c.loaded, namedDialect{d.Name, d})
	return nil
}

// dialect gives a dialect by name: one from a file before a shipped one.
func (c *Config) dialect(name string) (*dialect.Dialect, bool) {
	for _, n := range c.loaded {
		if n.name == name {
			return n.d, true
		}
	}
	return dialect.Named(name)
}

func (c *Config) gateway() gateway.Config {
	g := gateway.Config{
		ReusePort: c.Gateway.ReusePort, HealthInterval: c.Gateway.HealthInterval,
		DrainGrace: c.Gateway.DrainGrace, DrainQuiet: c.Gateway.DrainQuiet,
	}
	for _, l := range c.Gateway.Listeners {
		out := gateway.Listener{
			Name: l.Name, Address: l.Listen, Mode: gateway.Mode(l.Mode), MaxConnections: l.MaxConnections,
			ConnectTimeout: l.ConnectTimeout, HandshakeTimeout: l.HandshakeTimeout, IdleTimeout: l.IdleTimeout,
			WriteTimeout: l.WriteTimeout, HalfCloseTimeout: l.HalfCloseTimeout, KeepAlive: l.KeepAlive,
		}
		if t := l.TLS; t != nil {
			out.TLS = &gateway.ServerTLS{CertFile: c.path(t.Cert), KeyFile: c.path(t.Key), ClientCAFile: c.path(t.ClientCA)}
		}
		for _, h := range l.Hosts {
			host := gateway.Host{Name: h.Name, Address: h.Address}
			if t := h.TLS; t != nil {
				host.TLS = &gateway.ClientTLS{
					ServerName: t.ServerName, CAFile: c.path(t.CA), CertFile: c.path(t.Cert), KeyFile: c.path(t.Key),
				}
			}
			out.Hosts = append(out.Hosts, host)
		}
		g.Listeners = append(g.Listeners, out)
	}
	return g
}

func (c *Config) journal() journal.Config {
	j := c.Journal
	out := journal.Config{
		Durability: j.Durability, MaxAge: j.MaxAge, MaxBytes: j.MaxBytes, KeepAll: j.KeepAll, MinFreeBytes: j.MinFreeBytes,
		URL: j.URL, Credentials: c.path(j.Credentials), Replicas: j.Replicas,
	}
	if j.URL == "" {
		out.Dir = filepath.Join(c.Data, "journal")
	}
	return out
}
