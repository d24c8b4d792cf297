//go:build !linux && !darwin

package host

import "runtime"

// PeakMemory is what the Go runtime has from the system: here nobody tells more.
func PeakMemory() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys)
}
