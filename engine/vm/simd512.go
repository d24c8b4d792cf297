//go:build goexperiment.simd && amd64

package vm

import (
	"simd/archsimd"

	"synfire/engine/ir"
)

func words16(s []uint32, i int) archsimd.Uint32x16 {
	return archsimd.LoadUint32x16((*[16]uint32)(s[i : i+16]))
}

func floats16(s []uint32, i int) archsimd.Float32x16 { return words16(s, i).AsFloat32x16() }

func ints16(s []uint32, i int) archsimd.Int32x16 { return words16(s, i).AsInt32x16() }

func save16(s []uint32, i int, x archsimd.Uint32x16) { x.Store((*[16]uint32)(s[i : i+16])) }

func saveF16(s []uint32, i int, x archsimd.Float32x16) { save16(s, i, x.AsUint32x16()) }

// truth16 stores a mask as words 0 and 1.
func truth16(s []uint32, i int, m archsimd.Mask32x16) {
	save16(s, i, m.ToInt32x16().AsUint32x16().And(archsimd.BroadcastUint32x16(1)))
}

// atLeast16 keeps x where its magnitude is not below least, and is 0 elsewhere.
func atLeast16(x, least archsimd.Float32x16) archsimd.Float32x16 {
	abs := x.AsUint32x16().And(archsimd.BroadcastUint32x16(1<<31 - 1)).AsFloat32x16()
	return x.Masked(abs.GreaterEqual(least))
}

// kernel512 is the AVX-512 kernel; lanes past the last whole group of 16 are
// left to the portable one.
func kernel512(op ir.Op, d, a, b, c []uint32) {
	n := len(d) &^ 15
	switch {
	case n == 0:
	case op.Args() == 1:
		unary512(op, d[:n], a[:n])
	case op.Args() == 3:
		zero := archsimd.BroadcastUint32x16(0)
		for i := 0; i < n; i += 16 {
			save16(d, i, words16(c, i).Merge(words16(b, i), words16(a, i).Equal(zero)))
		}
	case op >= ir.AddI:
		int512(op, d[:n], a[:n], b[:n])
	default:
		float512(op, d[:n], a[:n], b[:n])
	}
	archsimd.ClearAVXUpperBits()
	rest(op, n, d, a, b, c)
}

func unary512(op ir.Op, d, a []uint32) {
	switch op {
	case ir.NegF: // 0 - A is +0 for both zeros
		zero := archsimd.BroadcastFloat32x16(0)
		for i := 0; i < len(d); i += 16 {
			saveF16(d, i, zero.Sub(floats16(a, i)))
		}
	case ir.AbsF:
		mask := archsimd.BroadcastUint32x16(1<<31 - 1)
		for i := 0; i < len(d); i += 16 {
			save16(d, i, words16(a, i).And(mask))
		}
	case ir.FloorF:
		for i := 0; i < len(d); i += 16 {
			saveF16(d, i, floats16(a, i).FloorScaled(0))
		}
	case ir.Canon:
		least := archsimd.BroadcastFloat32x16(ir.FlushStore)
		top, bottom := archsimd.BroadcastFloat32x16(ir.Saturate), archsimd.BroadcastFloat32x16(-ir.Saturate)
		for i := 0; i < len(d); i += 16 {
			saveF16(d, i, atLeast16(floats16(a, i), least).Min(top).Max(bottom))
		}
	case ir.F2I:
		top, bottom := archsimd.BroadcastFloat32x16(0x1p31-128), archsimd.BroadcastFloat32x16(-0x1p31)
		for i := 0; i < len(d); i += 16 {
			save16(d, i, floats16(a, i).Min(top).Max(bottom).ConvertToInt32().AsUint32x16())
		}
	case ir.I2F:
		for i := 0; i < len(d); i += 16 {
			saveF16(d, i, ints16(a, i).ConvertToFloat32())
		}
	case ir.NotB:
		one := archsimd.BroadcastUint32x16(1)
		for i := 0; i < len(d); i += 16 {
			save16(d, i, words16(a, i).Xor(one))
		}
	default:
		unaryKernel(op, d, a)
	}
}

func float512(op ir.Op, d, a, b []uint32) {
	switch op {
	case ir.AddF:
		for i := 0; i < len(d); i += 16 {
			saveF16(d, i, floats16(a, i).Add(floats16(b, i)))
		}
	case ir.SubF:
		for i := 0; i < len(d); i += 16 {
			saveF16(d, i, floats16(a, i).Sub(floats16(b, i)))
		}
	case ir.MulF:
		for i := 0; i < len(d); i += 16 {
			saveF16(d, i, floats16(a, i).Mul(floats16(b, i)))
		}
	case ir.MulZ:
		least := archsimd.BroadcastFloat32x16(ir.FlushProduct)
		for i := 0; i < len(d); i += 16 {
			saveF16(d, i, atLeast16(floats16(a, i).Mul(floats16(b, i)), least))
		}
	case ir.LtF:
		for i := 0; i < len(d); i += 16 {
			truth16(d, i, floats16(a, i).Less(floats16(b, i)))
		}
	case ir.LeF:
		for i := 0; i < len(d); i += 16 {
			truth16(d, i, floats16(a, i).LessEqual(floats16(b, i)))
		}
	case ir.EqF:
		for i := 0; i < len(d); i += 16 {
			truth16(d, i, floats16(a, i).Equal(floats16(b, i)))
		}
	default:
		floatKernel(op, d, a, b)
	}
}

func int512(op ir.Op, d, a, b []uint32) {
	count := archsimd.BroadcastUint32x16(31)
	switch op {
	case ir.AddI:
		for i := 0; i < len(d); i += 16 {
			save16(d, i, words16(a, i).Add(words16(b, i)))
		}
	case ir.SubI:
		for i := 0; i < len(d); i += 16 {
			save16(d, i, words16(a, i).Sub(words16(b, i)))
		}
	case ir.MulI:
		for i := 0; i < len(d); i += 16 {
			save16(d, i, words16(a, i).Mul(words16(b, i)))
		}
	case ir.And, ir.AndB:
		for i := 0; i < len(d); i += 16 {
			save16(d, i, words16(a, i).And(words16(b, i)))
		}
	case ir.Or, ir.OrB:
		for i := 0; i < len(d); i += 16 {
			save16(d, i, words16(a, i).Or(words16(b, i)))
		}
	case ir.Xor:
		for i := 0; i < len(d); i += 16 {
			save16(d, i, words16(a, i).Xor(words16(b, i)))
		}
	case ir.Shl:
		for i := 0; i < len(d); i += 16 {
			save16(d, i, words16(a, i).ShiftLeft(words16(b, i).And(count)))
		}
	case ir.ShrU:
		for i := 0; i < len(d); i += 16 {
			save16(d, i, words16(a, i).ShiftRight(words16(b, i).And(count)))
		}
	case ir.ShrS:
		for i := 0; i < len(d); i += 16 {
			save16(d, i, ints16(a, i).ShiftRight(words16(b, i).And(count).AsInt32x16()).AsUint32x16())
		}
	case ir.LtI:
		for i := 0; i < len(d); i += 16 {
			truth16(d, i, ints16(a, i).Less(ints16(b, i)))
		}
	case ir.LtU: // with the highest bits turned over
		sign := archsimd.BroadcastUint32x16(1 << 31)
		for i := 0; i < len(d); i += 16 {
			truth16(d, i, words16(a, i).Xor(sign).AsInt32x16().Less(words16(b, i).Xor(sign).AsInt32x16()))
		}
	case ir.EqI:
		for i := 0; i < len(d); i += 16 {
			truth16(d, i, words16(a, i).Equal(words16(b, i)))
		}
	case ir.MulHi: // archsimd widens eight at most
		int256(op, d, a, b)
	default:
		intKernel(op, d, a, b)
	}
}

// pack512 is storeBits for AVX-512.
func pack512(mask, a []uint32) {
	zero := archsimd.BroadcastUint32x16(0)
	for len(a) >= 32 {
		lo, hi := words16(a, 0).NotEqual(zero).ToBits(), words16(a, 16).NotEqual(zero).ToBits()
		mask[0] = uint32(hi)<<16 | uint32(lo)
		mask, a = mask[1:], a[32:]
	}
	archsimd.ClearAVXUpperBits()
	storeBits(mask, a)
}
