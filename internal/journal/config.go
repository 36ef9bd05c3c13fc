// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Durability says what an acknowledgement is worth.
type Durability uint8

const (
	// Fsync means that an acknowledged entry has been synced to disk: it survives a
	// killed process and a power cut. With an external server this holds only
	// when that server runs with "sync_interval: always", which a client cannot see.
	Fsync Durability = iota
	// Fast means that an acknowledged entry has been handed to the operating system.
	// It survives a killed process; a power cut or a kernel crash may take what
	// was acknowledged within the last second (fastSyncInterval). A reader may then
	// have seen what is no longer there: see ErrAhead.
	Fast
	// Replicated means that a majority of the replicas of an external cluster has
	// the entry. It survives the loss of a minority of machines; give the replicas
	// separate power, or run the servers with "sync_interval: always" as well.
	Replicated
)

// durabilityNames are the words of the configuration, in the order of the constants.
var durabilityNames = []string{"fsync", "fast", "replicated"}

// String gives the word that the configuration uses.
func (d Durability) String() string {
	if int(d) < len(durabilityNames) {
		return durabilityNames[d]
	}
	return fmt.Sprintf("durability(%d)", uint8(d))
}

// MarshalText gives the word that the configuration uses.
func (d Durability) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads the word that the configuration uses.
func (d *Durability) UnmarshalText(text []byte) error {
	i := slices.Index(durabilityNames, string(text))
	if i < 0 {
		return fmt.Errorf("durability: %q is none of %s", text, strings.Join(durabilityNames, ", "))
	}
	*d = Durability(i)
	return nil
}

// Limits and defaults of Config.
const (
	DefaultMinFreeBytes = 512 << 20        // room for other programs, and for us to notice and tell
	DefaultAckTimeout   = 10 * time.Second // a healthy disk answers in milliseconds; a busy one was seen to stall for seconds

	maxAckTimeout    = duplicateWindow        // later, a batch that is sent again might be stored twice
	minMaxAge        = 100 * time.Millisecond // the smallest that the server takes
	minMaxBytes      = 1 << 20                // some full batches
	minReplicas      = 3                      // fewer cannot lose one and still have a majority
	maxReplicas      = 5                      // the most that the server takes
	fastSyncInterval = time.Second            // what Fast may lose in a power cut
)

// Config says where the journal is kept, how surely and how long.
type Config struct {
	// Dir is the directory of the embedded server. It is created when missing, and
	// belongs to one process at a time. It is not used when URL is set.
	Dir string
	// Durability is what an acknowledgement is worth; the zero value is Fsync.
	Durability Durability

	// MaxAge removes entries older than this. 0 keeps them whatever their age.
	MaxAge time.Duration
	// MaxBytes bounds the journal's size on disk, in bytes; at least 1 MiB. When it
	// is reached the oldest entries are removed, unless KeepAll is set. 0 means
	// that only age and the free space of the disk are limits.
	MaxBytes int64
	// KeepAll refuses new entries with ErrFull at MaxBytes in place of removing the
	// oldest ones.
	KeepAll bool
	// MinFreeBytes is the free space, in bytes, that the journal leaves on the disk
	// of Dir: with less, entries are refused with ErrFull before the disk is
	// really full, which the server would not survive well. 0 means
	// DefaultMinFreeBytes, a negative value no reserve. Not used with URL.
	MinFreeBytes int64
	// AckTimeout is how long a batch may take to become durable before its callers
	// get an error. 0 means DefaultAckTimeout; at most one minute.
	AckTimeout time.Duration

	// URL is the external NATS servers, separated by commas, such as
	// "tls://nats-1:4222,tls://nats-2:4222". Empty means the embedded server.
	URL string
	// Credentials is the path of a NATS credentials file for URL; optional.
	Credentials string
	// Replicas is the number of servers of the cluster that keep a copy: 0 or 1, or
	// 3 to 5, which Replicated needs. An embedded journal has one.
	Replicas int
}

// Validate reports the first field that cannot be right. It never repeats URL,
// which may hold a password.
func (c Config) Validate() error {
	switch {
	case c.Durability > Replicated:
		return fmt.Errorf("journal: Durability: %v is unknown", c.Durability)
	case c.MaxAge != 0 && c.MaxAge < minMaxAge:
		return fmt.Errorf("journal: MaxAge: %v is neither 0 nor at least %v", c.MaxAge, minMaxAge)
	case c.MaxBytes != 0 && c.MaxBytes < minMaxBytes:
		return fmt.Errorf("journal: MaxBytes: %d is neither 0 nor at least %d", c.MaxBytes, minMaxBytes)
	case c.KeepAll && c.MaxBytes == 0:
		return fmt.Errorf("journal: KeepAll: needs a MaxBytes")
	case c.AckTimeout < 0 || c.AckTimeout > maxAckTimeout:
		return fmt.Errorf("journal: AckTimeout: %v is not between 0 and %v", c.AckTimeout, maxAckTimeout)
	case c.URL == "":
		return c.validateEmbedded()
	}
	return c.validateExternal()
}

func (c Config) validateEmbedded() error {
	switch {
	case c.Dir == "":
		return fmt.Errorf("journal: Dir: is empty, and so is URL; one of them is needed")
	case c.Durability == Replicated:
		return fmt.Errorf("journal: Durability: replicated needs an external cluster (URL)")
	case c.Replicas < 0 || c.Replicas > 1:
		return fmt.Errorf("journal: Replicas: %d is not possible for the embedded server, which has one", c.Replicas)
	case c.Credentials != "":
		return fmt.Errorf("journal: Credentials: are for an external server (URL)")
	}
	return nil
}

func (c Config) validateExternal() error {
	for i, part := range strings.Split(c.URL, ",") {
		u, err := url.Parse(strings.TrimSpace(part))
		if err != nil || u.Host == "" || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, u.Scheme) {
			return fmt.Errorf("journal: URL: address %d is not of the form nats://host:port or tls://host:port", i+1)
		}
	}
	switch {
	case c.Replicas < 0 || c.Replicas > maxReplicas:
		return fmt.Errorf("journal: Replicas: %d is not between 0 and %d", c.Replicas, maxReplicas)
	case c.Durability == Replicated && c.Replicas < minReplicas:
		return fmt.Errorf("journal: Replicas: %d; replicated needs at least %d", c.Replicas, minReplicas)
	}
	return nil
}

// withDefaults fills in what zero stands for.
func (c Config) withDefaults() Config {
	if c.MinFreeBytes == 0 {
		c.MinFreeBytes = DefaultMinFreeBytes
	}
	if c.AckTimeout == 0 {
		c.AckTimeout = DefaultAckTimeout
	}
	c.Replicas = max(c.Replicas, 1)
	return c
}

// stream is the configuration of the stream. Nothing may be deleted or purged
// by hand: an event is a fact, and only retention removes it.
func (c Config) stream() jetstream.StreamConfig {
	s := jetstream.StreamConfig{
		Name:        streamName,
		Description: "Packed batches of events; each message holds up to a thousand",
		Subjects:    []string{streamSubjects},
		Retention:   jetstream.LimitsPolicy,
		Storage:     jetstream.FileStorage,
		Discard:     jetstream.DiscardOld,
		MaxAge:      c.MaxAge,
		MaxBytes:    -1,
		MaxMsgSize:  maxStoredBytes,
		Replicas:    c.Replicas,
		Duplicates:  duplicateWindow,
		DenyDelete:  true,
		DenyPurge:   true,
	}
	if c.MaxAge > 0 {
		s.Duplicates = min(s.Duplicates, c.MaxAge) // the server takes no longer window
	}
	if c.MaxBytes > 0 {
		s.MaxBytes = c.MaxBytes
	}
	if c.KeepAll {
		s.Discard = jetstream.DiscardNew
	}
	return s
}
