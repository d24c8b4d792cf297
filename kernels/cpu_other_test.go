//go:build !unix

package kernels_test

import "time"

var began = time.Now()

// processed is the time since the tests began, in nanoseconds, for want of the
// processor time of the process.
func processed() float64 { return float64(time.Since(began)) }
