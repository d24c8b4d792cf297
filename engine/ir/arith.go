package ir

import "math"

// Arithmetic of single operations: floats with their clamps and flushes,
// integers, truth values.

// Add is a + b.
func (b *Builder) Add(x, y Value) Value {
	if !b.want(AddF, 'f', x, y) {
		return b.dummy(F32)
	}
	switch {
	case b.isF(x, 0):
		return y
	case b.isF(y, 0):
		return x
	case b.p.Ins[y].Op == NegF:
		return b.Sub(x, b.p.Ins[y].A)
	case b.p.Ins[x].Op == NegF:
		return b.Sub(y, b.p.Ins[x].A)
	}
	x, y = b.bounded(x, y, b.r[x].add(b.r[y]))
	return b.op(AddF, F32, x, y)
}

// Sub is a - b.
func (b *Builder) Sub(x, y Value) Value {
	if !b.want(SubF, 'f', x, y) {
		return b.dummy(F32)
	}
	switch {
	case b.isF(y, 0):
		return x
	case b.isF(x, 0):
		return b.Neg(y)
	case x == y:
		return b.F(0)
	case b.p.Ins[y].Op == NegF:
		return b.Add(x, b.p.Ins[y].A)
	}
	x, y = b.bounded(x, y, b.r[x].add(b.r[y].neg()))
	return b.op(SubF, F32, x, y)
}

// Mul is a * b, +0 where the product's magnitude is below 2^-100 (rule 3). A
// negative constant is multiplied by its magnitude, since 0 times it were -0.
func (b *Builder) Mul(x, y Value) Value {
	if !b.want(MulF, 'f', x, y) {
		return b.dummy(F32)
	}
	if b.isConst(x) {
		x, y = y, x
	}
	switch {
	case b.isF(y, 0):
		return y
	case b.isF(y, 1):
		return x
	case b.isConst(x) && b.isConst(y):
		x, y = b.bounded(x, y, b.r[x].mul(b.r[y]))
		return b.op(MulZ, F32, x, y)
	case b.isConst(y) && b.r[y].Hi < 0:
		return b.Neg(b.Mul(x, b.Neg(y)))
	case b.p.Ins[x].Op == NegF:
		return b.Neg(b.Mul(b.p.Ins[x].A, y))
	case b.p.Ins[y].Op == NegF:
		return b.Neg(b.Mul(x, b.p.Ins[y].A))
	}
	x, y = b.bounded(x, y, b.r[x].mul(b.r[y]))
	if needsFlush(b.r[x], b.r[y], x == y) {
		return b.op(MulZ, F32, x, y)
	}
	return b.op(MulF, F32, x, y)
}

// needsFlush says that a product of such values may fall below 2^-100, or be 0
// times a negative number.
func needsFlush(r, s Range, square bool) bool {
	if r.Tiny*s.Tiny < FlushProduct {
		return true
	}
	return !square && (r.zero() && s.Lo < 0 || s.zero() && r.Lo < 0)
}

// bounded clamps the operands to +-2^60 where their result t could pass 2^126.
func (b *Builder) bounded(x, y Value, t Range) (Value, Value) {
	if t.within(boundMax) {
		return x, y
	}
	for _, v := range []*Value{&x, &y} {
		if c := b.clamp(*v, -boundClamp, boundClamp); c != *v {
			*v = c
			b.clamps++
		}
	}
	return x, y
}

// Within is x, clamped to +-limit where it could lie outside.
func (b *Builder) Within(x Value, limit float64) Value {
	if !b.want(AddF, 'f', x) {
		return b.dummy(F32)
	}
	return b.clamp(x, -limit, limit)
}

// clamp brings x into [lo, hi] by at most two comparisons and selects.
func (b *Builder) clamp(x Value, lo, hi float64) Value {
	if b.r[x].Lo < lo {
		x = b.Max(x, b.lit(lo))
	}
	if b.r[x].Hi > hi {
		x = b.Min(x, b.lit(hi))
	}
	return x
}

// lit is a constant of any size, for the expansions.
func (b *Builder) lit(x float64) Value { return b.con(F32, math.Float32bits(float32(x))) }

// Neg is -a, and 0 for 0.
func (b *Builder) Neg(x Value) Value {
	if b.ok(x) && b.p.Ins[x].Op == NegF {
		return b.p.Ins[x].A
	}
	return b.op(NegF, F32, x)
}

// Abs is the magnitude.
func (b *Builder) Abs(x Value) Value {
	if b.ok(x) && b.TypeOf(x) == F32 {
		switch {
		case b.r[x].Lo >= 0:
			return x
		case b.p.Ins[x].Op == NegF:
			return b.Abs(b.p.Ins[x].A)
		}
	}
	return b.op(AbsF, F32, x)
}

// Floor is the largest whole number not above a.
func (b *Builder) Floor(x Value) Value {
	if b.ok(x) && b.r[x].Grain >= 1 {
		return x
	}
	return b.op(FloorF, F32, x)
}

// Ceil is the least whole number not below a.
func (b *Builder) Ceil(x Value) Value { return b.Neg(b.Floor(b.Neg(x))) }

// Trunc is a without its fraction, as a float.
func (b *Builder) Trunc(x Value) Value {
	t := b.Floor(b.Abs(x))
	return b.Sel(b.Lt(x, b.F(0)), b.Neg(t), t)
}

// Canon is what a store keeps of a.
func (b *Builder) Canon(x Value) Value {
	if b.ok(x) && b.TypeOf(x) == F32 && b.r[x].within(0x1p40) && b.r[x].Tiny >= FlushStore {
		return x
	}
	return b.op(Canon, F32, x)
}

// Lt is a < b.
func (b *Builder) Lt(x, y Value) Value { return b.compare(LtF, x, y) }

// Le is a <= b.
func (b *Builder) Le(x, y Value) Value { return b.compare(LeF, x, y) }

// Gt is a > b.
func (b *Builder) Gt(x, y Value) Value { return b.compare(LtF, y, x) }

// Ge is a >= b.
func (b *Builder) Ge(x, y Value) Value { return b.compare(LeF, y, x) }

// Eq is a == b.
func (b *Builder) Eq(x, y Value) Value { return b.compare(EqF, x, y) }

// Ne is a != b.
func (b *Builder) Ne(x, y Value) Value { return b.NotB(b.compare(EqF, x, y)) }

// compare folds what the ranges decide.
func (b *Builder) compare(op Op, x, y Value) Value {
	if !b.want(op, 'f', x, y) {
		return b.dummy(Bool)
	}
	r, s := b.r[x], b.r[y]
	switch {
	case x == y:
		return b.B(op != LtF)
	case r.Hi < s.Lo:
		return b.B(op != EqF)
	case r.Lo > s.Hi:
		return b.B(false)
	case op == LeF && r.Hi <= s.Lo:
		return b.B(true)
	case op == LtF && r.Lo >= s.Hi:
		return b.B(false)
	case op == EqF && b.isF(y, 0) && !r.zero(), op == EqF && b.isF(x, 0) && !s.zero():
		return b.B(false)
	}
	return b.op(op, Bool, x, y)
}

// Min is the lesser of a and b.
func (b *Builder) Min(x, y Value) Value {
	v := b.Sel(b.Lt(y, x), y, x)
	if b.ok(x) && b.ok(y) {
		b.Assume(v, Range{Lo: math.Inf(-1), Hi: min(b.r[x].Hi, b.r[y].Hi)})
	}
	return v
}

// Max is the greater of a and b.
func (b *Builder) Max(x, y Value) Value {
	v := b.Sel(b.Lt(x, y), y, x)
	if b.ok(x) && b.ok(y) {
		b.Assume(v, Range{Lo: max(b.r[x].Lo, b.r[y].Lo), Hi: math.Inf(1)})
	}
	return v
}

// Clip is min(max(x, lo), hi).
func (b *Builder) Clip(x, lo, hi Value) Value { return b.Min(b.Max(x, lo), hi) }

// Sel is x where cond holds, else y. Both are of one type.
func (b *Builder) Sel(cond, x, y Value) Value {
	if !b.want(Sel, 'b', cond) || !b.ok(x) || !b.ok(y) {
		b.fail("sel: an operand is no value")
		return b.dummy(b.TypeOf(x))
	}
	if w, ok := b.constant(cond); ok {
		if w != 0 {
			return x
		}
		return y
	}
	if x == y {
		return x
	}
	if b.p.Ins[cond].Op == NotB {
		cond, x, y = b.p.Ins[cond].A, y, x
	}
	return b.op(Sel, b.TypeOf(x), cond, x, y)
}

// I2F is the signed integer rounded to float.
func (b *Builder) I2F(x Value) Value { return b.op(I2F, F32, x) }

// F2I is a clamped to [-2^31, 2^31-128] and truncated towards zero.
func (b *Builder) F2I(x Value) Value { return b.op(F2I, I32, x) }

// AddI is a + b, wrapping.
func (b *Builder) AddI(x, y Value) Value {
	switch {
	case b.isI(x, 0):
		return y
	case b.isI(y, 0):
		return x
	}
	return b.op(AddI, I32, x, y)
}

// SubI is a - b, wrapping.
func (b *Builder) SubI(x, y Value) Value {
	if b.isI(y, 0) {
		return x
	}
	return b.op(SubI, I32, x, y)
}

// MulI is a * b, wrapping.
func (b *Builder) MulI(x, y Value) Value {
	switch {
	case b.isI(x, 1):
		return y
	case b.isI(y, 1):
		return x
	}
	return b.op(MulI, I32, x, y)
}

// MulHi is the high word of the unsigned 64-bit product.
func (b *Builder) MulHi(x, y Value) Value { return b.op(MulHi, U32, x, y) }

// NegI is -a, wrapping.
func (b *Builder) NegI(x Value) Value { return b.op(SubI, I32, b.I(0), x) }

// AbsI is the magnitude (of -2^31 itself).
func (b *Builder) AbsI(x Value) Value { return b.Sel(b.LtI(x, b.I(0)), b.NegI(x), x) }

// AndI is the bitwise and.
func (b *Builder) AndI(x, y Value) Value { return b.op(And, U32, x, y) }

// OrI is the bitwise or.
func (b *Builder) OrI(x, y Value) Value { return b.op(Or, U32, x, y) }

// XorI is the bitwise exclusive or.
func (b *Builder) XorI(x, y Value) Value { return b.op(Xor, U32, x, y) }

// Shl shifts left; counts are taken modulo 32 here and below.
func (b *Builder) Shl(x, n Value) Value { return b.op(Shl, U32, x, n) }

// ShrU shifts right, filling with zeros.
func (b *Builder) ShrU(x, n Value) Value { return b.op(ShrU, U32, x, n) }

// ShrS shifts right, filling with the sign.
func (b *Builder) ShrS(x, n Value) Value { return b.op(ShrS, I32, x, n) }

// LtI is a < b, signed.
func (b *Builder) LtI(x, y Value) Value {
	if b.want(LtI, 'i', x, y) {
		switch r, s := b.r[x], b.r[y]; {
		case r.Hi < s.Lo:
			return b.B(true)
		case r.Lo >= s.Hi, x == y:
			return b.B(false)
		}
	}
	return b.op(LtI, Bool, x, y)
}

// LtU is a < b, unsigned.
func (b *Builder) LtU(x, y Value) Value { return b.op(LtU, Bool, x, y) }

// EqI is a == b.
func (b *Builder) EqI(x, y Value) Value { return b.op(EqI, Bool, x, y) }

// AndB is a and b.
func (b *Builder) AndB(x, y Value) Value {
	switch {
	case b.isB(x, true), b.isB(y, false), x == y:
		return y
	case b.isB(y, true), b.isB(x, false):
		return x
	}
	return b.op(AndB, Bool, x, y)
}

// OrB is a or b.
func (b *Builder) OrB(x, y Value) Value {
	switch {
	case b.isB(x, false), b.isB(y, true), x == y:
		return y
	case b.isB(y, false), b.isB(x, true):
		return x
	}
	return b.op(OrB, Bool, x, y)
}

// NotB is not a.
func (b *Builder) NotB(x Value) Value {
	if b.ok(x) && b.p.Ins[x].Op == NotB {
		return b.p.Ins[x].A
	}
	return b.op(NotB, Bool, x)
}

// bits is the word of a float.
func (b *Builder) bits(x Value) Value { return b.op(Bits, U32, x) }

// float is the float whose word is x; r is what the expansion proves about it.
func (b *Builder) float(x Value, r Range) Value {
	v := b.op(Float, F32, x)
	if !b.isConst(v) {
		b.r[v] = r.full()
	}
	return v
}

func (b *Builder) isConst(x Value) bool { _, ok := b.constant(x); return ok }

func (b *Builder) isF(x Value, f float32) bool {
	w, ok := b.constant(x)
	return ok && b.TypeOf(x) == F32 && w == math.Float32bits(f)
}

func (b *Builder) isI(x Value, i int32) bool {
	w, ok := b.constant(x)
	return ok && fits('i', b.TypeOf(x)) && w == uint32(i)
}

func (b *Builder) isB(x Value, t bool) bool {
	w, ok := b.constant(x)
	return ok && b.TypeOf(x) == Bool && w == truth(t)
}
