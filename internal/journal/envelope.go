// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/klauspost/compress/s2"
)

// Limits of a batch.
const (
	MaxBatchEntries = 1000      // Position leaves room for 1,024
	MaxBatchBytes   = 256 << 10 // before compression; a quarter of the server's usual limit of a message

	maxStoredBytes = MaxBatchBytes + MaxBatchBytes/64 + envelopeHeader // what s2 cannot compress grows by less than 1/64
)

// The envelope of a batch, version 1:
//
//	byte      version
//	4 bytes   CRC-32C of the version and the body, little endian
//	rest      the body as one s2 block
//
// and its body:
//
//	uvarint   number of entries, 1 to MaxBatchEntries
//	per entry uvarint length of key, key, uvarint length of data, data
//
// The sum is of the body as it was before compression, so it also covers the
// compressor.
const (
	envelopeVersion = 1
	envelopeHeader  = 1 + 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errDamaged is a batch that cannot be what was written.
var errDamaged = errors.New("damaged journal batch")

// encoder builds envelopes. It reuses its memory: an envelope is valid until the
// next call.
type encoder struct {
	body []byte
	out  []byte
}

// encode packs the entries of a batch that take has bounded.
func (e *encoder) encode(batch []pending) []byte {
	e.body = binary.AppendUvarint(e.body[:0], uint64(len(batch)))
	for _, p := range batch {
		e.body = binary.AppendUvarint(e.body, uint64(len(p.entry.Key)))
		e.body = append(e.body, p.entry.Key...)
		e.body = binary.AppendUvarint(e.body, uint64(len(p.entry.Data)))
		e.body = append(e.body, p.entry.Data...)
	}
	if need := envelopeHeader + s2.MaxEncodedLen(len(e.body)); cap(e.out) < need {
		e.out = make([]byte, need)
	}
	out := e.out[:cap(e.out)]
	out[0] = envelopeVersion
	binary.LittleEndian.PutUint32(out[1:], checksum(e.body))
	block := s2.Encode(out[envelopeHeader:], e.body)
	return out[:envelopeHeader+len(block)]
}

// checksum is the sum over the version and the body.
func checksum(body []byte) uint32 {
	return crc32.Update(crc32.Checksum([]byte{envelopeVersion}, castagnoli), castagnoli, body)
}

// decode unpacks an envelope. It never allocates more than a few times
// MaxBatchBytes, whatever the input claims. The data share one buffer, which is
// the caller's.
func decode(envelope []byte) ([]Entry, error) {
	body, err := openEnvelope(envelope)
	if err != nil {
		return nil, err
	}
	count, body, err := takeUvarint(body, MaxBatchEntries)
	if err != nil || count == 0 {
		return nil, fmt.Errorf("%w: number of entries", errDamaged)
	}
	entries := make([]Entry, count)
	for i := range entries {
		var key []byte
		if key, body, err = takeBytes(body, MaxKeyBytes); err != nil {
			return nil, fmt.Errorf("%w: key of entry %d", err, i)
		}
		if entries[i].Data, body, err = takeBytes(body, MaxDataBytes); err != nil {
			return nil, fmt.Errorf("%w: data of entry %d", err, i)
		}
		entries[i].Key = string(key)
	}
	if len(body) != 0 {
		return nil, fmt.Errorf("%w: %d bytes after the last entry", errDamaged, len(body))
	}
	return entries, nil
}

// openEnvelope checks the version and the sum, and gives the body.
func openEnvelope(envelope []byte) ([]byte, error) {
	switch {
	case len(envelope) < envelopeHeader || len(envelope) > maxStoredBytes:
		return nil, fmt.Errorf("%w: it has %d bytes", errDamaged, len(envelope))
	case envelope[0] != envelopeVersion:
		return nil, fmt.Errorf("%w: it is version %d, this program knows %d; upgrade it", ErrVersion, envelope[0], envelopeVersion)
	}
	block := envelope[envelopeHeader:]
	if n, err := s2.DecodedLen(block); err != nil || n > MaxBatchBytes {
		return nil, fmt.Errorf("%w: length of the body", errDamaged)
	}
	body, err := s2.Decode(nil, block)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	if binary.LittleEndian.Uint32(envelope[1:]) != checksum(body) {
		return nil, fmt.Errorf("%w: the checksum does not match", errDamaged)
	}
	return body, nil
}

// takeUvarint takes a number of at most limit off the front of b.
func takeUvarint(b []byte, limit uint64) (value uint64, rest []byte, err error) {
	value, n := binary.Uvarint(b)
	if n <= 0 || value > limit {
		return 0, nil, errDamaged
	}
	return value, b[n:], nil
}

// takeBytes takes a length of at most limit, and as many bytes, off the front of b.
func takeBytes(b []byte, limit uint64) (value, rest []byte, err error) {
	n, b, err := takeUvarint(b, limit)
	if err != nil || n > uint64(len(b)) {
		return nil, nil, errDamaged
	}
	return b[:n:n], b[n:], nil
}
