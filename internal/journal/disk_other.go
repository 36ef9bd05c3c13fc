// SPDX-License-Identifier: Apache-2.0

//go:build !(linux || darwin || freebsd)

package journal

import (
	"errors"
	"fmt"
	"os"
)

// freeBytes cannot be measured here.
func freeBytes(string) (uint64, error) { return 0, errors.ErrUnsupported }

// lockFile refuses: two processes in one directory would destroy the journal.
func lockFile(path string) (*os.File, error) {
	return nil, fmt.Errorf("lock %s: the embedded journal needs Linux, macOS or FreeBSD; use an external server (URL): %w", path, errors.ErrUnsupported)
}

func unlockFile(*os.File) {}
