package kernels

import "unsafe"

// fetch asks for so many bytes that are about to be needed, one line of memory after
// the other, so that the waits for them are one wait.
//
//go:noescape
func fetch(at unsafe.Pointer, n int)

// fetchEach asks for words at[0] to at[n-1] of what begins at of.
//
//go:noescape
func fetchEach(of unsafe.Pointer, at *uint32, n int)
