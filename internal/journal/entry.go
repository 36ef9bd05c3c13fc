// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"fmt"
	"hash/fnv"
	"io"
	"time"
)

// Partitions is the number of partitions. It is fixed for ever: another number
// would give almost every key another partition, and so another owner.
const Partitions = 256

// Limits of an entry.
const (
	MaxKeyBytes  = 256       // a terminal id has 8 to 15 characters
	MaxDataBytes = 128 << 10 // half a batch, so that one large entry does not starve the others
)

// Entry is what is appended.
type Entry struct {
	// Key says whose entry this is, usually a terminal id. Entries of a key keep
	// their order. At most MaxKeyBytes.
	Key string
	// Data is opaque to the journal. At most MaxDataBytes. It must not be changed
	// until the entry has been acknowledged.
	Data []byte
}

// Validate returns ErrTooLarge, with the field, for an entry beyond the limits.
func (e Entry) Validate() error {
	switch {
	case len(e.Key) > MaxKeyBytes:
		return fmt.Errorf("%w: Key has %d bytes, %d are allowed", ErrTooLarge, len(e.Key), MaxKeyBytes)
	case len(e.Data) > MaxDataBytes:
		return fmt.Errorf("%w: Data has %d bytes, %d are allowed", ErrTooLarge, len(e.Data), MaxDataBytes)
	}
	return nil
}

// Record is an entry as it is read back.
type Record struct {
	Position  Position
	Time      time.Time // when the batch was stored, by the server's clock; one for all entries of a batch
	Partition uint8     // of Key
	Key       string
	Data      []byte // may be kept, but shares memory with its batch: copy it to keep a few of many
}

// PartitionOf gives the partition of a key: its 32-bit FNV-1a hash modulo 256.
func PartitionOf(key string) uint8 {
	h := fnv.New32a()
	io.WriteString(h, key) //nolint:errcheck // a hash never fails to write
	return uint8(h.Sum32())
}

// Position identifies an entry: the sequence of its message in the stream, and
// its place in that message. Positions are ordered as the entries are, but are
// not consecutive. 0 is before the first entry.
type Position uint64

// indexBits holds the place of an entry in its batch.
const indexBits = 10

// newPosition joins a stream sequence and a place in a batch.
func newPosition(seq uint64, index int) Position {
	return Position(seq<<indexBits | uint64(index))
}

// seq is the sequence of the message in the stream.
func (p Position) seq() uint64 { return uint64(p) >> indexBits }

// index is the place of the entry in its message.
func (p Position) index() int { return int(p & (1<<indexBits - 1)) }

// String gives "sequence.index", for people.
func (p Position) String() string { return fmt.Sprintf("%d.%d", p.seq(), p.index()) }
