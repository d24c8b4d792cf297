//go:build !linux && !darwin

package bench

// peakMemory is not known on this system.
func peakMemory() int64 { return 0 }
