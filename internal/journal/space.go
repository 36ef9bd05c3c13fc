// SPDX-License-Identifier: Apache-2.0

package journal

import "fmt"

// freeFunc measures the free space of the file system that holds dir, in bytes.
type freeFunc func(dir string) (uint64, error)

// reserve watches over the free space that the journal must leave.
type reserve struct {
	dir  string
	min  int64 // bytes; 0 or less: no reserve
	free freeFunc
}

// check returns ErrFull while less than the reserve is free. It is asked before
// every batch, so appending works again as soon as there is room.
func (r *reserve) check() error {
	if r.min <= 0 {
		return nil
	}
	free, err := r.free(r.dir)
	if err != nil {
		return fmt.Errorf("%w: the free space of %s cannot be measured: %w", ErrFull, r.dir, err)
	}
	if free < uint64(r.min) {
		return fmt.Errorf("%w: the disk of %s has %d MiB free and %d MiB are to stay free (MinFreeBytes): make room on the disk, or lower MaxBytes or MaxAge and restart",
			ErrFull, r.dir, free>>20, r.min>>20)
	}
	return nil
}
