// Package kernels is the cpu backend: all cores, the same bits for any number
// of threads. Threads own ranges of lanes and of targets, so that nothing is
// locked and no word is written by two of them.
package kernels

import "synfire/engine/backend"

// New opens the cpu backend with the given number of threads; 0 takes one for
// each processor that the process may use. The result is safe to use by one
// goroutine at a time, and so are its programs.
func New(threads int) backend.Backend { panic("not yet") }
