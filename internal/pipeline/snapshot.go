// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/tillmend/tillmend/internal/estate"
	"github.com/tillmend/tillmend/internal/terminal"
)

// magic begins a snapshot; its last byte is the version of the form.
const magic = "tillmend states\x01"

// Limits of a snapshot.
const (
	maxTerminals = 100_000_000 // twice the largest fleet there is
	maxState     = 64 << 10    // bytes of a state: far above what one takes, far below what hurts
)

// ErrSnapshot is wrapped by every error about a snapshot that cannot be used. The
// states can then be rebuilt from the journal alone.
var ErrSnapshot = errors.New("the snapshot cannot be used")

// Snapshot writes all states with the position that they are of. Equal engines
// write equal bytes.
func (g *Engine) Snapshot(w io.Writer) error {
	g.mu.RLock()
	defer g.mu.RUnlock()
	sum := crc32.NewIEEE()
	out := bufio.NewWriter(io.MultiWriter(w, sum))
	buf := append([]byte(nil), magic...)
	buf = binary.LittleEndian.AppendUint64(buf, uint64(g.last))
	buf = binary.LittleEndian.AppendUint64(buf, uint64(terminal.At(g.lastAt)))
	buf = binary.LittleEndian.AppendUint32(buf, uint32(len(g.states))) //nolint:gosec // below maxTerminals
	if _, err := out.Write(buf); err != nil {
		return fmt.Errorf("pipeline: write snapshot: %w", err)
	}
	for _, id := range slices.Sorted(maps.Keys(g.states)) {
		body, err := g.states[id].AppendBinary(nil)
		if err != nil {
			return fmt.Errorf("pipeline: write snapshot: terminal %s: %w", id, err)
		}
		buf = append(buf[:0], byte(len(id)))
		buf = append(buf, id...)
		buf = binary.LittleEndian.AppendUint32(buf, uint32(len(body))) //nolint:gosec // below maxState
		buf = append(buf, body...)
		if _, err := out.Write(buf); err != nil {
			return fmt.Errorf("pipeline: write snapshot: %w", err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("pipeline: write snapshot: %w", err)
	}
	if _, err := w.Write(binary.LittleEndian.AppendUint32(nil, sum.Sum32())); err != nil {
		return fmt.Errorf("pipeline: write snapshot: %w", err)
	}
	return nil
}

// Restore reads what Snapshot wrote. On error the engine is left as it was.
func (g *Engine) Restore(r io.Reader) error {
	sum := crc32.NewIEEE()
	src := bufio.NewReader(r)
	in := io.TeeReader(src, sum)
	head := make([]byte, len(magic)+20)
	if _, err := io.ReadFull(in, head); err != nil {
		return fmt.Errorf("pipeline: %w: %w", ErrSnapshot, err)
	}
	if string(head[:len(magic)]) != magic {
		return fmt.Errorf("pipeline: %w: it is of another form", ErrSnapshot)
	}
	head = head[len(magic):]
	n := binary.LittleEndian.Uint32(head[16:])
	if n > maxTerminals {
		return fmt.Errorf("pipeline: %w: it claims %d terminals", ErrSnapshot, n)
	}
	states := map[estate.TerminalID]*terminal.State{}
	for range n {
		id, s, err := readState(in)
		if err != nil {
			return fmt.Errorf("pipeline: %w: %w", ErrSnapshot, err)
		}
		states[id] = s
	}
	want := sum.Sum32()
	var tail [4]byte
	if _, err := io.ReadFull(src, tail[:]); err != nil || binary.LittleEndian.Uint32(tail[:]) != want {
		return fmt.Errorf("pipeline: %w: its checksum is wrong", ErrSnapshot)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.states, g.last = states, terminal.EventID(binary.LittleEndian.Uint64(head))
	g.lastAt = terminal.Millis(binary.LittleEndian.Uint64(head[8:])).Time(time.UTC)
	return nil
}

func readState(in io.Reader) (estate.TerminalID, *terminal.State, error) {
	var n [4]byte
	if _, err := io.ReadFull(in, n[:1]); err != nil {
		return "", nil, err
	}
	id := make([]byte, n[0])
	if _, err := io.ReadFull(in, id); err != nil {
		return "", nil, err
	}
	if _, err := io.ReadFull(in, n[:]); err != nil {
		return "", nil, err
	}
	size := binary.LittleEndian.Uint32(n[:])
	if size > maxState {
		return "", nil, fmt.Errorf("terminal %q claims %d bytes", id, size)
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(in, body); err != nil {
		return "", nil, err
	}
	s := &terminal.State{}
	return estate.TerminalID(id), s, s.UnmarshalBinary(body)
}
