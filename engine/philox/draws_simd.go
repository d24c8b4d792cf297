//go:build goexperiment.simd && amd64

package philox

import "simd/archsimd"

// drawsSIMD makes eight draws at a time, as many as there are whole eights of,
// and tells how many these are. They are in two sets of vectors, so that the
// latency of one hides behind the other; counters sit in the even elements, where
// the multiplication wants them, and odd ones hold rubbish. One set has draws 0,
// 1, 4 and 5, the other 2, 3, 6 and 7, which one shuffle puts in order.
func drawsSIMD(dst [4][]uint32, c [4]uint32, key [2]uint32) int {
	n := len(dst[0]) &^ 7
	if n == 0 || !archsimd.X86.AVX2() {
		return 0
	}
	var keys [2 * Rounds][8]uint32
	for r := range keys {
		k := key[r%2] + uint32(r/2)*[2]uint32{W0, W1}[r%2]
		keys[r] = [8]uint32{k, k, k, k, k, k, k, k}
	}
	m0, m1 := archsimd.BroadcastUint32x8(M0), archsimd.BroadcastUint32x8(M1)
	first, step, stream := archsimd.BroadcastUint32x8(c[0]), archsimd.BroadcastUint32x8(c[1]), archsimd.BroadcastUint32x8(c[3])
	d := c[2]
	draw, two := archsimd.LoadUint32x8(&[8]uint32{d, 0, d + 1, 0, d + 4, 0, d + 5, 0}), archsimd.BroadcastUint32x8(2)
	six := archsimd.BroadcastUint32x8(6)
	for k := 0; k < n; k += 8 {
		a0, a1, a2, a3 := first, step, draw, stream
		b0, b1, b2, b3 := first, step, draw.Add(two), stream
		draw = b2.Add(six)
		for r := 0; r < len(keys); r += 2 {
			k0, k1 := archsimd.LoadUint32x8(&keys[r]), archsimd.LoadUint32x8(&keys[r+1])
			p0, p1 := a0.MulEvenWiden(m0).AsUint32x8(), a2.MulEvenWiden(m1).AsUint32x8()
			q0, q1 := b0.MulEvenWiden(m0).AsUint32x8(), b2.MulEvenWiden(m1).AsUint32x8()
			a0, a2 = high(p1).Xor(a1).Xor(k0), high(p0).Xor(a3).Xor(k1)
			b0, b2 = high(q1).Xor(b1).Xor(k0), high(q0).Xor(b3).Xor(k1)
			a1, a3, b1, b3 = p1, p0, q1, q0
		}
		a0.SelectFromPairGrouped(0, 2, 4, 6, b0).Store((*[8]uint32)(dst[0][k:]))
		a1.SelectFromPairGrouped(0, 2, 4, 6, b1).Store((*[8]uint32)(dst[1][k:]))
		a2.SelectFromPairGrouped(0, 2, 4, 6, b2).Store((*[8]uint32)(dst[2][k:]))
		a3.SelectFromPairGrouped(0, 2, 4, 6, b3).Store((*[8]uint32)(dst[3][k:]))
	}
	archsimd.ClearAVXUpperBits()
	return n
}

// high puts the upper words of products where their lower ones are.
func high(p archsimd.Uint32x8) archsimd.Uint32x8 { return p.PermuteScalarsGrouped(1, 1, 3, 3) }
