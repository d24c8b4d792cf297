package ir

import "math"

// Fixed-point sums (rule 6) and two-word floats (rule 10).

// AddTwo adds inc to the two-word float (hi, lo) by two-sum: hi2 + lo2 is the sum
// within 2^-48 of it, and |lo2| is at most half an ulp of hi2.
func (b *Builder) AddTwo(hi, lo, inc Value) (hi2, lo2 Value) {
	if !b.want(AddF, 'f', hi, lo, inc) {
		return b.dummy(F32), b.dummy(F32)
	}
	inc = b.clamp(inc, -0x1p100, 0x1p100)
	s := b.Add(hi, inc)
	part := b.Sub(s, hi)
	lost := b.Add(b.Sub(hi, b.Sub(s, part)), b.Sub(inc, part))
	m := b.r[s].mag()
	b.Assume(lost, Range{Lo: -m * 0x1p-23, Hi: m * 0x1p-23})
	rest := b.Add(lo, lost)
	hi2 = b.Add(s, rest)
	lo2 = b.Sub(rest, b.Sub(hi2, s))
	m = b.r[hi2].mag()
	return hi2, b.Assume(lo2, Range{Lo: -m * 0x1p-23, Hi: m * 0x1p-23})
}

// beyond clamps x to +-bound and traps code where it was outside (code < 0: the
// maker has proved that it is not).
func (b *Builder) beyond(x Value, bound float64, code int) Value {
	bound = float64(float32(bound))
	if code >= 0 {
		b.Trap(b.Lt(b.lit(bound), b.Abs(x)), code)
	}
	return b.clamp(x, -bound, bound)
}

// powerOfTwo checks a scale.
func (b *Builder) powerOfTwo(scale float64) bool {
	if f, e := math.Frexp(scale); f != 0.5 || e < -60 || e > 101 {
		b.fail("scale %g of a fixed-point sum is no power of two in [2^-61, 2^100]", scale)
		return false
	}
	return true
}

// Fix32 is floor(x*scale + 1/2) as I32, exactly; scale is a power of two and
// bound*scale below 2^31. Beyond +-bound x is clamped and code is trapped (code
// < 0: no trap, the bound is proved).
func (b *Builder) Fix32(x Value, scale, bound float64, code int) Value {
	if !b.want(AddF, 'f', x) || !b.powerOfTwo(scale) {
		return b.dummy(I32)
	}
	if !(bound*scale < 0x1p31-128) {
		b.fail("fixed point: bound %g times scale %g is not below 2^31", bound, scale)
		return b.dummy(I32)
	}
	x = b.beyond(x, bound, code)
	t := b.Mul(x, b.lit(scale))
	f := b.Floor(t)
	up := b.Le(b.F(0.5), b.Sub(t, f))
	n := b.AddI(b.F2I(f), b.Sel(up, b.I(1), b.I(0)))
	b.means(Meaning{Rounded, n, x, scale})
	return n
}

// Fix64 is Fix32 in two words; bound*scale is below 2^62.
func (b *Builder) Fix64(x Value, scale, bound float64, code int) (lo, hi Value) {
	if !b.want(AddF, 'f', x) || !b.powerOfTwo(scale) {
		return b.dummy(U32), b.dummy(U32)
	}
	if !(bound*scale <= 0x1p62) {
		b.fail("fixed point: bound %g times scale %g is beyond 2^62", bound, scale)
		return b.dummy(U32), b.dummy(U32)
	}
	x = b.beyond(x, bound, code)
	_, e := math.Frexp(scale)
	o, one := b.U(0), b.U(1)
	w := b.bits(x)
	neg := b.LtI(w, b.I(0))
	m := b.OrI(b.AndI(w, b.U(0x7fffff)), b.U(0x800000))
	// |x| * scale is m * 2^n.
	n := b.SubI(b.AndI(b.ShrU(w, b.I(23)), b.U(255)), b.I(int32(151-e)))
	// n < 0: shift right by s, halves towards +infinity; nothing is left at 31.
	s := b.NegI(n)
	s = b.Sel(b.LtI(s, b.I(31)), s, b.I(31))
	half := b.SubI(b.Shl(one, b.SubI(s, one)), b.Sel(neg, one, o))
	right := b.ShrU(b.AddI(m, half), s)
	// n >= 0: shift left, over the border of the words.
	low := b.Sel(b.LtI(n, b.I(32)), b.Shl(m, n), o)
	high := b.Sel(b.LtI(n, b.I(32)), b.ShrU(b.ShrU(m, one), b.SubI(b.I(31), n)), b.Shl(m, n))
	left := b.LtI(b.I(-1), n)
	lo, hi = b.neg64(neg, b.Sel(left, low, right), b.Sel(left, high, o))
	b.means(Meaning{Rounded, lo, x, scale})
	return lo, hi
}

// neg64 negates the two-word number where cond holds.
func (b *Builder) neg64(cond, lo, hi Value) (Value, Value) {
	flip := b.Sel(cond, b.U(^uint32(0)), b.U(0))
	carry := b.AndB(cond, b.EqI(lo, b.I(0)))
	l := b.SubI(b.XorI(lo, flip), flip)
	h := b.AddI(b.XorI(hi, flip), b.Sel(carry, b.U(1), b.U(0)))
	return l, h
}

// Unfix32 is the float of a fixed-point sum, acc / scale.
func (b *Builder) Unfix32(acc Value, scale float64) Value {
	if !b.powerOfTwo(scale) {
		return b.dummy(F32)
	}
	return b.Mul(b.I2F(acc), b.lit(1/scale))
}

// Unfix64 is Unfix32 of a two-word sum, within 2 ulp.
func (b *Builder) Unfix64(lo, hi Value, scale float64) Value {
	if !b.want(AddI, 'i', lo, hi) || !b.powerOfTwo(scale) {
		return b.dummy(F32)
	}
	neg, sum := b.LtI(hi, b.I(0)), lo
	lo, hi = b.neg64(neg, lo, hi)
	low := b.Add(b.Mul(b.I2F(b.ShrU(lo, b.I(16))), b.lit(0x1p16)), b.I2F(b.AndI(lo, b.U(0xffff))))
	high := b.Mul(b.I2F(hi), b.lit(0x1p32))
	b.Assume(high, Range{Lo: -0x1p63, Hi: 0x1p63})
	v := b.withSign(neg, b.Mul(b.Add(high, low), b.lit(1/scale)))
	b.means(Meaning{Total, v, sum, scale})
	return v
}
