//go:build !goexperiment.simd || !amd64

package kernels

// widen writes base + src to dst.
func widen(dst []uint32, src []uint16, base uint32) { widenPlain(dst, src, base) }

// fill writes first, first + step, ... to dst.
func fill(dst []uint32, first, step uint32) { fillPlain(dst, first, step) }
