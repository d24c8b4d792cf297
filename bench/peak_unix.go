//go:build linux || darwin

package bench

import (
	"runtime"
	"syscall"
)

// peakMemory is the largest resident size that this process had, in bytes. Linux
// counts the parent's size in getrusage's figure (exec keeps it), so the high
// water mark of this process's own memory comes first.
func peakMemory() int64 {
	if n := procKB("/proc/self/status", "VmHWM"); n > 0 {
		return n
	}
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return int64(u.Maxrss)
	}
	return int64(u.Maxrss) * 1024
}
