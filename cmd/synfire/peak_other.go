//go:build !linux && !darwin

package main

import "runtime"

// peakMemory is what the Go runtime has from the system: here nobody tells more.
func peakMemory() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys)
}
