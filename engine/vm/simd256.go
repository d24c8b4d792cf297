//go:build goexperiment.simd && amd64

package vm

import (
	"simd/archsimd"

	"synfire/engine/ir"
	"synfire/engine/philox"
)

func words8(s []uint32, i int) archsimd.Uint32x8 {
	return archsimd.LoadUint32x8((*[8]uint32)(s[i : i+8]))
}

func floats8(s []uint32, i int) archsimd.Float32x8 { return words8(s, i).AsFloat32x8() }

func ints8(s []uint32, i int) archsimd.Int32x8 { return words8(s, i).AsInt32x8() }

func save8(s []uint32, i int, x archsimd.Uint32x8) { x.Store((*[8]uint32)(s[i : i+8])) }

func saveF8(s []uint32, i int, x archsimd.Float32x8) { save8(s, i, x.AsUint32x8()) }

// truth8 stores a mask as words 0 and 1.
func truth8(s []uint32, i int, m archsimd.Mask32x8) {
	save8(s, i, m.ToInt32x8().AsUint32x8().And(archsimd.BroadcastUint32x8(1)))
}

// atLeast8 keeps x where its magnitude is not below least, and is 0 elsewhere.
func atLeast8(x, least archsimd.Float32x8) archsimd.Float32x8 {
	abs := x.AsUint32x8().And(archsimd.BroadcastUint32x8(1<<31 - 1)).AsFloat32x8()
	return x.Masked(abs.GreaterEqual(least))
}

// kernel256 is the AVX2 kernel; lanes past the last whole group of 8 are
// left to the portable one.
func kernel256(op ir.Op, d, a, b, c []uint32) {
	n := len(d) &^ 7
	switch {
	case n == 0:
	case op.Args() == 1:
		unary256(op, d[:n], a[:n])
	case op.Args() == 3:
		zero := archsimd.BroadcastUint32x8(0)
		for i := 0; i < n; i += 8 {
			save8(d, i, words8(c, i).Merge(words8(b, i), words8(a, i).Equal(zero)))
		}
	case op >= ir.AddI:
		int256(op, d[:n], a[:n], b[:n])
	default:
		float256(op, d[:n], a[:n], b[:n])
	}
	archsimd.ClearAVXUpperBits()
	rest(op, n, d, a, b, c)
}

func unary256(op ir.Op, d, a []uint32) {
	switch op {
	case ir.NegF: // 0 - A is +0 for both zeros
		zero := archsimd.BroadcastFloat32x8(0)
		for i := 0; i < len(d); i += 8 {
			saveF8(d, i, zero.Sub(floats8(a, i)))
		}
	case ir.AbsF:
		mask := archsimd.BroadcastUint32x8(1<<31 - 1)
		for i := 0; i < len(d); i += 8 {
			save8(d, i, words8(a, i).And(mask))
		}
	case ir.FloorF:
		for i := 0; i < len(d); i += 8 {
			saveF8(d, i, floats8(a, i).Floor())
		}
	case ir.Canon:
		least := archsimd.BroadcastFloat32x8(ir.FlushStore)
		top, bottom := archsimd.BroadcastFloat32x8(ir.Saturate), archsimd.BroadcastFloat32x8(-ir.Saturate)
		for i := 0; i < len(d); i += 8 {
			saveF8(d, i, atLeast8(floats8(a, i), least).Min(top).Max(bottom))
		}
	case ir.F2I:
		top, bottom := archsimd.BroadcastFloat32x8(0x1p31-128), archsimd.BroadcastFloat32x8(-0x1p31)
		for i := 0; i < len(d); i += 8 {
			save8(d, i, floats8(a, i).Min(top).Max(bottom).ConvertToInt32().AsUint32x8())
		}
	case ir.I2F:
		for i := 0; i < len(d); i += 8 {
			saveF8(d, i, ints8(a, i).ConvertToFloat32())
		}
	case ir.NotB:
		one := archsimd.BroadcastUint32x8(1)
		for i := 0; i < len(d); i += 8 {
			save8(d, i, words8(a, i).Xor(one))
		}
	default:
		unaryKernel(op, d, a)
	}
}

func float256(op ir.Op, d, a, b []uint32) {
	switch op {
	case ir.AddF:
		for i := 0; i < len(d); i += 8 {
			saveF8(d, i, floats8(a, i).Add(floats8(b, i)))
		}
	case ir.SubF:
		for i := 0; i < len(d); i += 8 {
			saveF8(d, i, floats8(a, i).Sub(floats8(b, i)))
		}
	case ir.MulF:
		for i := 0; i < len(d); i += 8 {
			saveF8(d, i, floats8(a, i).Mul(floats8(b, i)))
		}
	case ir.MulZ:
		least := archsimd.BroadcastFloat32x8(ir.FlushProduct)
		for i := 0; i < len(d); i += 8 {
			saveF8(d, i, atLeast8(floats8(a, i).Mul(floats8(b, i)), least))
		}
	case ir.LtF:
		for i := 0; i < len(d); i += 8 {
			truth8(d, i, floats8(a, i).Less(floats8(b, i)))
		}
	case ir.LeF:
		for i := 0; i < len(d); i += 8 {
			truth8(d, i, floats8(a, i).LessEqual(floats8(b, i)))
		}
	case ir.EqF:
		for i := 0; i < len(d); i += 8 {
			truth8(d, i, floats8(a, i).Equal(floats8(b, i)))
		}
	default:
		floatKernel(op, d, a, b)
	}
}

func int256(op ir.Op, d, a, b []uint32) {
	count := archsimd.BroadcastUint32x8(31)
	switch op {
	case ir.AddI:
		for i := 0; i < len(d); i += 8 {
			save8(d, i, words8(a, i).Add(words8(b, i)))
		}
	case ir.SubI:
		for i := 0; i < len(d); i += 8 {
			save8(d, i, words8(a, i).Sub(words8(b, i)))
		}
	case ir.MulI:
		for i := 0; i < len(d); i += 8 {
			save8(d, i, words8(a, i).Mul(words8(b, i)))
		}
	case ir.And, ir.AndB:
		for i := 0; i < len(d); i += 8 {
			save8(d, i, words8(a, i).And(words8(b, i)))
		}
	case ir.Or, ir.OrB:
		for i := 0; i < len(d); i += 8 {
			save8(d, i, words8(a, i).Or(words8(b, i)))
		}
	case ir.Xor:
		for i := 0; i < len(d); i += 8 {
			save8(d, i, words8(a, i).Xor(words8(b, i)))
		}
	case ir.Shl:
		for i := 0; i < len(d); i += 8 {
			save8(d, i, words8(a, i).ShiftLeft(words8(b, i).And(count)))
		}
	case ir.ShrU:
		for i := 0; i < len(d); i += 8 {
			save8(d, i, words8(a, i).ShiftRight(words8(b, i).And(count)))
		}
	case ir.ShrS:
		for i := 0; i < len(d); i += 8 {
			save8(d, i, ints8(a, i).ShiftRight(words8(b, i).And(count).AsInt32x8()).AsUint32x8())
		}
	case ir.LtI:
		for i := 0; i < len(d); i += 8 {
			truth8(d, i, ints8(a, i).Less(ints8(b, i)))
		}
	case ir.LtU: // with the highest bits turned over
		sign := archsimd.BroadcastUint32x8(1 << 31)
		for i := 0; i < len(d); i += 8 {
			truth8(d, i, words8(a, i).Xor(sign).AsInt32x8().Less(words8(b, i).Xor(sign).AsInt32x8()))
		}
	case ir.EqI:
		for i := 0; i < len(d); i += 8 {
			truth8(d, i, words8(a, i).Equal(words8(b, i)))
		}
	case ir.MulHi:
		high := archsimd.BroadcastUint64x4(0xffffffff_00000000).AsUint32x8()
		low := archsimd.BroadcastUint64x4(0xffffffff).AsUint32x8()
		for i := 0; i < len(d); i += 8 {
			x, y := words8(a, i), words8(b, i)
			even := x.MulEvenWiden(y).AsUint32x8().PermuteScalarsGrouped(1, 1, 3, 3)
			odd := x.PermuteScalarsGrouped(1, 1, 3, 3).MulEvenWiden(y.PermuteScalarsGrouped(1, 1, 3, 3))
			save8(d, i, even.And(low).Or(odd.AsUint32x8().And(high)))
		}
	default:
		intKernel(op, d, a, b)
	}
}

// pack256 is storeBits for AVX2.
func pack256(mask, a []uint32) {
	zero := archsimd.BroadcastUint32x8(0)
	for len(a) >= 32 {
		w := uint32(0)
		for i := 0; i < 32; i += 8 {
			w |= uint32(^words8(a, i).Equal(zero).ToBits()) << i
		}
		mask[0] = w
		mask, a = mask[1:], a[32:]
	}
	archsimd.ClearAVXUpperBits()
	storeBits(mask, a)
}

// fillSIMD makes the words of four counters at a time. Their words sit in the
// even elements of vectors, where the multiplication wants them.
func fillSIMD(dst []uint32, first, step, draw, stream uint32, key [2]uint32) {
	if skip := int(-first & 3); skip > 0 {
		skip = min(skip, len(dst))
		scalarFill(dst[:skip], first, step, draw, stream, key)
		dst, first = dst[skip:], first+uint32(skip)
	}
	m0, m1 := archsimd.BroadcastUint32x8(philox.M0), archsimd.BroadcastUint32x8(philox.M1)
	// Spreading words in the loop would mix in SSE moves, which are slow there.
	var keys [2 * philox.Rounds][8]uint32
	for r := range keys {
		k := key[r%2] + uint32(r/2)*[2]uint32{philox.W0, philox.W1}[r%2]
		for i := range keys[r] {
			keys[r][i] = k
		}
	}
	steps, draws, streams := archsimd.BroadcastUint32x8(step), archsimd.BroadcastUint32x8(draw), archsimd.BroadcastUint32x8(stream)
	for len(dst) >= 16 {
		// Item 2^32 is item 0 again.
		k := first / 4
		at := [8]uint32{k, 0, (k + 1) & (1<<30 - 1), 0, (k + 2) & (1<<30 - 1), 0, (k + 3) & (1<<30 - 1), 0}
		c0, c1, c2, c3 := archsimd.LoadUint32x8(&at), steps, draws, streams
		for r := 0; r < len(keys); r += 2 {
			p0, p1 := c0.MulEvenWiden(m0), c2.MulEvenWiden(m1)
			c0 = p1.AsUint32x8().PermuteScalarsGrouped(1, 1, 3, 3).Xor(c1).Xor(archsimd.LoadUint32x8(&keys[r]))
			c2 = p0.AsUint32x8().PermuteScalarsGrouped(1, 1, 3, 3).Xor(c3).Xor(archsimd.LoadUint32x8(&keys[r+1]))
			c1, c3 = p1.AsUint32x8(), p0.AsUint32x8()
		}
		var w [4][8]uint32
		c0.Store(&w[0])
		c1.Store(&w[1])
		c2.Store(&w[2])
		c3.Store(&w[3])
		for i := range 16 {
			dst[i] = w[i%4][i/4*2]
		}
		dst, first = dst[16:], first+16
	}
	archsimd.ClearAVXUpperBits()
	scalarFill(dst, first, step, draw, stream, key)
}
