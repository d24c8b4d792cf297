//go:build linux || darwin

package bench

import (
	"runtime"
	"syscall"
)

// peakMemory is the largest resident size that this process had, in bytes.
func peakMemory() int64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return int64(u.Maxrss) * rssUnit()
}

// rssUnit is the unit of Maxrss: bytes on macOS, KiB elsewhere.
func rssUnit() int64 {
	if runtime.GOOS == "darwin" {
		return 1
	}
	return 1024
}
