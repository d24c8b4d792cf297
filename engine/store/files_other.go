//go:build !unix

package store

// spareFiles is how many files a run directory may keep open; further ones are opened anew whenever something is written.
func spareFiles() int { return 64 }

// lockless says that a file system knows no locks.
func lockless(error) bool { return false }
