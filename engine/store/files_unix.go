//go:build unix

package store

import (
	"errors"
	"syscall"
)

// spareFiles is how many files a run directory may keep open: a part of what the process may have. Further ones are
// opened anew whenever something is written.
func spareFiles() int {
	var r syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r) != nil {
		return 16
	}
	return int(min(r.Cur/4, 256))
}

// lockless says that a file system knows no locks.
func lockless(err error) bool {
	return errors.Is(err, syscall.ENOLCK) || errors.Is(err, syscall.ENOSYS) || errors.Is(err, syscall.ENOTSUP) || errors.Is(err, syscall.EINVAL)
}
