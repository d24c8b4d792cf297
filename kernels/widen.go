//go:build !goexperiment.simd || !amd64

package kernels

const wide = false

// filled says which of 16 words are not 0.
func filled(*[16]uint32) uint16 { panic("vectors alone ask") }

// widen writes base + src to dst.
func widen(dst []uint32, src []uint16, base uint32) { widenPlain(dst, src, base) }

// fill writes first, first + step, ... to dst.
func fill(dst []uint32, first, step uint32) { fillPlain(dst, first, step) }
