// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin || freebsd

package journal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
)

// freeBytes is the space that this process may still fill, in bytes.
func freeBytes(dir string) (uint64, error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return 0, fmt.Errorf("statfs: %w", err)
	}
	return uint64(fs.Bavail) * uint64(fs.Bsize), nil //nolint:unconvert,nolintlint // the types differ between systems
}

// lockFile takes the lock on path, which the kernel releases when the process
// ends in whatever way, and leaves the process id in it for people.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK):
		holder, _ := io.ReadAll(io.LimitReader(f, 32)) // without it the message is poorer
		err = fmt.Errorf("the directory is in use by another process (%s, lock %s): stop that one, or use another directory",
			strings.TrimSpace(string(holder)), path)
	case err != nil:
		err = fmt.Errorf("lock %s: %w", path, err)
	default:
		err = sign(f)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// sign writes the process id into the lock file.
func sign(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return fmt.Errorf("write the lock: %w", err)
	}
	if _, err := fmt.Fprintf(f, "process %d\n", os.Getpid()); err != nil {
		return fmt.Errorf("write the lock: %w", err)
	}
	return nil
}

// unlockFile releases the lock by closing the file. The file stays: removing it
// could take the lock from under a process that has just opened it.
func unlockFile(f *os.File) {
	f.Close() //nolint:errcheck // the lock goes with the descriptor in any case
}
