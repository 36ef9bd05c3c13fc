// SPDX-License-Identifier: Apache-2.0

// Package journal is the event log: what it has acknowledged survives a killed
// process and, with the default durability, a power cut. It knows nothing of
// payments; an [Entry] is opaque bytes and a key.
//
// # Why it packs
//
// The log is a NATS JetStream stream, kept by a nats-server inside this process
// (no listening socket) or by an external cluster, by the same code. A synced
// stream pays one disk sync per message, which allows some hundreds of messages
// a second whatever the number of publishers. So the journal publishes no entry
// alone: while one message is being synced, whatever arrives waits in a bounded
// queue, and all of it (up to [MaxBatchEntries] entries or [MaxBatchBytes]
// bytes) becomes the next message. There is no timer: an idle journal writes a
// lone entry at once, a busy one shares each sync among hundreds of callers, and
// every caller is told only after the sync that covers its own entry.
//
// # Partitions and order
//
// A key belongs to one of [Partitions] partitions for ever ([PartitionOf]);
// readers share the work out by the partition in each [Record]. A message is not
// confined to one partition: with 256 of them and some hundred waiting callers,
// a message per partition would hold one or two entries, and the gain of packing
// would be gone. There is one packer per process and one stream, so entries have
// a total order, which contains the order of each key. The subject of a message
// names the range of partitions that it may hold, "ev.0-255" today, so that
// narrower ranges can be told apart should they ever be written.
//
// # What a caller may rely on
//
//   - An entry whose Append returned without error, or whose done function got
//     no error, is found by Read, Follow and Get until retention removes it.
//   - [ErrFull], [ErrBackpressure], [ErrTooLarge] and [ErrClosed] mean that the
//     entry was not taken. After any other error the outcome is unknown: the entry
//     may have been stored. Append it again; readers must drop duplicates by an
//     identity of their own inside the data, such as terminal, boot and sequence.
//   - Entries appended one after another with the same key keep that order.
//   - A batch that cannot be decoded is skipped, logged and counted
//     ([Stats.Damaged]); one that a newer program wrote stops the reader with
//     [ErrVersion], because skipping it would lose good data.
package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Names inside the NATS account. Two installations that share a cluster need an
// account each.
const (
	streamName     = "tillmend-events"
	streamSubjects = "ev.*"
	packedSubject  = "ev.0-255" // every partition
)

// Errors that callers tell apart.
var (
	// ErrFull means that the entry was refused for want of room: the disk has less
	// free space than the reserve, or the journal has reached MaxBytes and keeps
	// all. Make room, or raise the limit; appending works again at once, without
	// a restart. Senders should keep what they have and try again later.
	ErrFull = errors.New("journal is full")
	// ErrBackpressure means that the entry was refused because as many entries wait
	// for the disk as the journal is willing to hold. A caller with a sender that
	// can wait should stop reading from that sender until a done function has been
	// called, then try again; a caller that must not wait drops the entry and
	// counts it.
	ErrBackpressure = errors.New("journal takes no more entries until those waiting are on disk")
	// ErrTooLarge means that the key or the data exceeds MaxKeyBytes or MaxDataBytes.
	ErrTooLarge = errors.New("journal entry is too large")
	// ErrNotFound means that the journal holds no entry at the position: it was
	// never given out, or retention has removed it.
	ErrNotFound = errors.New("no such journal entry")
	// ErrAhead means that a reader asked to resume after a position that the journal
	// has not reached: the journal was replaced, or lost its tail in a power cut
	// without Fsync. Discard what was derived from it and read from 0.
	ErrAhead = errors.New("position is beyond the end of the journal")
	// ErrVersion means that a newer version of the program wrote the batch.
	ErrVersion = errors.New("journal batch is of an unknown version")
	// ErrClosed means that the journal has been closed.
	ErrClosed = errors.New("journal is closed")
)

// Journal is an open event log. Its methods may be called at once from any
// number of goroutines.
type Journal struct {
	cfg    Config
	log    *slog.Logger
	engine *engine // nil when the server is external
	nc     *nats.Conn
	js     jetstream.JetStream
	stream jetstream.Stream
	queue  *queue
	counts counters

	packed chan struct{}   // closed when the packer has written all it was given
	life   context.Context // ends when readers must stop
	end    context.CancelFunc

	mu      sync.Mutex // guards closed and readers
	closed  bool
	readers map[*reader]struct{}
	reading sync.WaitGroup // one for every reader; Add only under mu while not closed
	once    sync.Once
}

// Open opens the journal that cfg describes, and creates it when it is not
// there. It fails when another process has the directory open, when the external
// server cannot be reached, and when ctx ends first.
func Open(ctx context.Context, cfg Config, log *slog.Logger) (*Journal, error) {
	return open(ctx, cfg, log, freeBytes)
}

// open is Open with the measure of free space as an argument.
func open(ctx context.Context, cfg Config, log *slog.Logger, free freeFunc) (*Journal, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	j := &Journal{
		cfg:     cfg.withDefaults(),
		log:     log,
		queue:   newQueue(),
		packed:  make(chan struct{}),
		readers: make(map[*reader]struct{}),
	}
	j.life, j.end = context.WithCancel(context.WithoutCancel(ctx))
	if err := j.connect(ctx); err != nil {
		j.disconnect()
		j.end()
		return nil, fmt.Errorf("open journal: %w", err)
	}
	reserve := &reserve{dir: j.cfg.Dir, min: j.cfg.MinFreeBytes, free: free}
	if j.engine == nil {
		reserve.min = 0 // the space is the cluster's to watch
	}
	go j.pack(reserve) //nolint:contextcheck // the packer outlives the call; Close ends it
	return j, nil
}

// connect starts or reaches the server and makes sure of the stream.
func (j *Journal) connect(ctx context.Context) (err error) {
	if j.cfg.URL == "" {
		if j.engine, err = startEngine(j.cfg, j.log); err != nil {
			return err
		}
	}
	if j.nc, err = dial(j.cfg, j.engine, j.log); err != nil {
		return err
	}
	if limit := j.nc.MaxPayload(); limit < maxStoredBytes {
		return fmt.Errorf("the server allows messages of %d bytes, the journal needs %d: raise max_payload", limit, maxStoredBytes)
	}
	if j.js, err = jetstream.New(j.nc); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, maxOpen)
	defer cancel()
	if j.stream, err = j.js.CreateOrUpdateStream(ctx, j.cfg.stream()); err != nil {
		return fmt.Errorf("stream %s: %w", streamName, err)
	}
	return nil
}

// disconnect undoes connect, as far as it came.
func (j *Journal) disconnect() {
	if j.nc != nil {
		j.nc.Close()
	}
	if j.engine != nil {
		j.engine.stop()
	}
}

// dial connects to the server inside this process, or to the external one.
func dial(cfg Config, e *engine, log *slog.Logger) (*nats.Conn, error) {
	opts := []nats.Option{
		nats.Name("tillmend journal"),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(reconnectWait),
		nats.ReconnectBufSize(-1), // a lost connection fails a publish at once; entries wait in our queue, not in the client
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			log.Warn("journal connection", "err", err)
		}),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				log.Warn("journal connection lost", "err", err)
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) { log.Info("journal connection restored") }),
	}
	if e != nil {
		nc, err := nats.Connect("", append(opts, nats.InProcessServer(e.server))...)
		if err != nil {
			return nil, fmt.Errorf("connect to the embedded server: %w", err)
		}
		return nc, nil
	}
	if cfg.Credentials != "" {
		opts = append(opts, nats.UserCredentials(cfg.Credentials))
	}
	nc, err := nats.Connect(cfg.URL, opts...)
	if err != nil {
		return nil, fmt.Errorf("connect to the external NATS servers: %w", err)
	}
	return nc, nil
}

// Close waits until every entry accepted so far is durable or has failed, stops
// all readers with ErrClosed, and releases the directory. It must not be called
// from a done function or from the function given to Read or Follow. Later calls
// of Close do nothing; other methods then return ErrClosed.
func (j *Journal) Close() error {
	j.once.Do(func() {
		j.queue.close()
		<-j.packed
		j.mu.Lock()
		j.closed = true
		j.mu.Unlock()
		j.end()
		j.reading.Wait()
		j.disconnect()
	})
	return nil
}

// withTimeout bounds one request to the server.
func (j *Journal) withTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, min(j.cfg.AckTimeout, maxRequest))
}

const (
	maxOpen       = 30 * time.Second       // a cluster that has just started elects leaders first
	maxRequest    = 5 * time.Second        // a question to the server is answered from memory
	reconnectWait = 500 * time.Millisecond // between two tries to reach the same server
)
