// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"encoding/binary"
	"fmt"
)

// snapshotVersion is the first byte of an encoded state. A state of another
// version is refused, and is rebuilt from the journal.
const snapshotVersion = 1

var snapshotSize = binary.Size(State{})

// AppendBinary implements [encoding.BinaryAppender]. Equal states give equal bytes.
func (s *State) AppendBinary(dst []byte) ([]byte, error) {
	dst = append(dst, snapshotVersion)
	dst, err := binary.Append(dst, binary.LittleEndian, s)
	if err != nil {
		return dst, fmt.Errorf("terminal: encode state: %w", err) // unreachable: a state has a fixed size
	}
	return dst, nil
}

// UnmarshalBinary implements [encoding.BinaryUnmarshaler].
func (s *State) UnmarshalBinary(b []byte) error {
	if len(b) != 1+snapshotSize {
		return fmt.Errorf("terminal: a state takes %d bytes, not %d", 1+snapshotSize, len(b))
	}
	if b[0] != snapshotVersion {
		return fmt.Errorf("terminal: state has version %d, want %d", b[0], snapshotVersion)
	}
	if _, err := binary.Decode(b[1:], binary.LittleEndian, s); err != nil {
		return fmt.Errorf("terminal: decode state: %w", err)
	}
	if s.Next >= Recent || s.Count > Recent {
		return fmt.Errorf("terminal: state has its ring at %d of %d", s.Next, s.Count)
	}
	return nil
}
