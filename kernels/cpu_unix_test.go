//go:build unix

package kernels_test

import (
	"syscall"
	"testing"
)

// processed is the processor time of the process, in nanoseconds.
func processed() float64 {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return float64(u.Utime.Nano() + u.Stime.Nano())
}

var _ testing.B
