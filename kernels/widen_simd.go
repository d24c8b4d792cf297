//go:build goexperiment.simd && amd64

package kernels

import "simd/archsimd"

var wide = archsimd.X86.AVX512()

// widen writes base + src to dst.
func widen(dst []uint32, src []uint16, base uint32) {
	n := 0
	if wide {
		src = src[:len(dst)]
		from := archsimd.BroadcastUint32x16(base)
		for ; n+16 <= len(dst); n += 16 {
			x := archsimd.LoadUint16x16((*[16]uint16)(src[n : n+16]))
			x.ExtendToUint32().Add(from).Store((*[16]uint32)(dst[n : n+16]))
		}
		archsimd.ClearAVXUpperBits()
	}
	widenPlain(dst[n:], src[n:], base)
}
