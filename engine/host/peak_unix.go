//go:build linux || darwin

package host

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
)

// PeakMemory is the largest resident size that the process had, in bytes. On
// Linux getrusage's figure may be the parent's, which exec hands on; the high
// water mark of the process's own memory is not.
func PeakMemory() int64 {
	status, _ := os.ReadFile("/proc/self/status")
	if _, text, ok := strings.Cut(string(status), "\nVmHWM:"); ok {
		var kb int64
		if n, _ := fmt.Sscan(text, &kb); n == 1 {
			return kb << 10
		}
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
