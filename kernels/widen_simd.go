//go:build goexperiment.simd && amd64

package kernels

import "simd/archsimd"

var wide = archsimd.X86.AVX512()

// filled says which of 16 words are not 0.
func filled(words *[16]uint32) uint16 {
	some := archsimd.LoadUint32x16(words).NotEqual(archsimd.BroadcastUint32x16(0)).ToBits()
	archsimd.ClearAVXUpperBits()
	return some
}

// widen writes base + src to dst. Where both have room for it, up to 15 words more.
func widen(dst []uint32, src []uint16, base uint32) {
	n := 0
	if wide {
		if len(dst)&15 != 0 && cap(dst) >= len(dst)+15 && cap(src) >= len(dst)+15 {
			dst = dst[:(len(dst)+15)&^15]
		}
		src = src[:len(dst)]
		from := archsimd.BroadcastUint32x16(base)
		for ; n+16 <= len(dst); n += 16 {
			x := archsimd.LoadUint16x16((*[16]uint16)(src[n : n+16]))
			x.ExtendToUint32().Add(from).Store((*[16]uint32)(dst[n : n+16]))
		}
		archsimd.ClearAVXUpperBits()
	}
	if n < len(dst) {
		widenPlain(dst[n:], src[n:], base)
	}
}

var upTo16 = [16]uint32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}

// fill writes first, first + step, ... to dst; where there is room for it, up to 15 words more.
func fill(dst []uint32, first, step uint32) {
	n := 0
	if wide {
		if len(dst)&15 != 0 && cap(dst) >= len(dst)+15 {
			dst = dst[:(len(dst)+15)&^15]
		}
		x := archsimd.LoadUint32x16(&upTo16).Mul(archsimd.BroadcastUint32x16(step)).Add(archsimd.BroadcastUint32x16(first))
		by := archsimd.BroadcastUint32x16(16 * step)
		for ; n+16 <= len(dst); n += 16 {
			x.Store((*[16]uint32)(dst[n : n+16]))
			x = x.Add(by)
		}
		archsimd.ClearAVXUpperBits()
	}
	if n < len(dst) {
		fillPlain(dst[n:], first+uint32(n)*step, step)
	}
}
