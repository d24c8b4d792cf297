package vm

import (
	"math"
	"math/bits"

	"synfire/engine/ir"
)

// scalarKernel is the portable kernel. Products are converted, so that no
// architecture fuses them with a sum.
func scalarKernel(op ir.Op, d, a, b, c []uint32) {
	switch op.Args() {
	case 1:
		unaryKernel(op, d, a[:len(d)])
	case 2:
		if op >= ir.AddI {
			intKernel(op, d, a[:len(d)], b[:len(d)])
		} else {
			floatKernel(op, d, a[:len(d)], b[:len(d)])
		}
	case 3: // Sel
		a, b, c = a[:len(d)], b[:len(d)], c[:len(d)]
		for i := range d {
			x := c[i]
			if a[i] != 0 {
				x = b[i]
			}
			d[i] = x
		}
	}
}

func unaryKernel(op ir.Op, d, a []uint32) {
	switch op {
	case ir.NegF:
		for i, x := range a {
			if x != 0 {
				x ^= 1 << 31
			}
			d[i] = x
		}
	case ir.AbsF:
		for i, x := range a {
			d[i] = x &^ (1 << 31)
		}
	case ir.FloorF:
		for i, x := range a {
			d[i] = word(float32(math.Floor(float64(float(x)))))
		}
	case ir.Canon:
		for i, x := range a {
			d[i] = word(ir.CanonF(float(x)))
		}
	case ir.F2I:
		for i, x := range a {
			d[i] = uint32(int32(max(-0x1p31, min(0x1p31-128, float(x)))))
		}
	case ir.I2F:
		for i, x := range a {
			d[i] = word(float32(int32(x)))
		}
	case ir.Bits, ir.Float:
		copy(d, a)
	case ir.NotB:
		for i, x := range a {
			d[i] = x ^ 1
		}
	}
}

func floatKernel(op ir.Op, d, a, b []uint32) {
	switch op {
	case ir.AddF:
		for i := range d {
			d[i] = word(float(a[i]) + float(b[i]))
		}
	case ir.SubF:
		for i := range d {
			d[i] = word(float(a[i]) - float(b[i]))
		}
	case ir.MulF:
		for i := range d {
			d[i] = word(float32(float(a[i]) * float(b[i])))
		}
	case ir.MulZ:
		for i := range d {
			x := float32(float(a[i]) * float(b[i]))
			if x < ir.FlushProduct && x > -ir.FlushProduct {
				x = 0
			}
			d[i] = word(x)
		}
	case ir.LtF:
		for i := range d {
			d[i] = truth(float(a[i]) < float(b[i]))
		}
	case ir.LeF:
		for i := range d {
			d[i] = truth(float(a[i]) <= float(b[i]))
		}
	case ir.EqF:
		for i := range d {
			d[i] = truth(float(a[i]) == float(b[i]))
		}
	}
}

func intKernel(op ir.Op, d, a, b []uint32) {
	switch op {
	case ir.AddI:
		for i := range d {
			d[i] = a[i] + b[i]
		}
	case ir.SubI:
		for i := range d {
			d[i] = a[i] - b[i]
		}
	case ir.MulI:
		for i := range d {
			d[i] = a[i] * b[i]
		}
	case ir.MulHi:
		for i := range d {
			d[i], _ = bits.Mul32(a[i], b[i])
		}
	case ir.And, ir.AndB:
		for i := range d {
			d[i] = a[i] & b[i]
		}
	case ir.Or, ir.OrB:
		for i := range d {
			d[i] = a[i] | b[i]
		}
	case ir.Xor:
		for i := range d {
			d[i] = a[i] ^ b[i]
		}
	case ir.Shl:
		for i := range d {
			d[i] = a[i] << (b[i] & 31)
		}
	case ir.ShrU:
		for i := range d {
			d[i] = a[i] >> (b[i] & 31)
		}
	case ir.ShrS:
		for i := range d {
			d[i] = uint32(int32(a[i]) >> (b[i] & 31))
		}
	case ir.LtI:
		for i := range d {
			d[i] = truth(int32(a[i]) < int32(b[i]))
		}
	case ir.LtU:
		for i := range d {
			d[i] = truth(a[i] < b[i])
		}
	case ir.EqI:
		for i := range d {
			d[i] = truth(a[i] == b[i])
		}
	}
}

func truth(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}
