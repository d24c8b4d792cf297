package ir

import "math"

var (
	// sin3: sin(sqrt z)/sqrt z on [0, (pi/4)^2], 4.0e-9.
	sin3 = []float64{1, -0.16666655242443085, 0.008332188241183758, -0.0001951809972524643}
	// cos4: cos(sqrt z) on [0, (pi/4)^2], 1.2e-10.
	cos4 = []float64{1, -0.5, 0.04166664555668831, -0.0013887310633435845, 2.4432552891084924e-05}
	// asin5: asin(sqrt z)/sqrt z on [0, 1/4], 4.9e-9.
	asin5 = []float64{1, 0.16666752099990845, 0.074953094124794, 0.04546914994716644, 0.024184778332710266, 0.042158305644989014}
	// atan8: atan(sqrt z)/sqrt z on [0, 1], 1.7e-8.
	atan8 = []float64{1, -0.33333152532577515, 0.19993767142295837, -0.14211003482341766, 0.10665785521268845,
		-0.07551723718643188, 0.043205857276916504, -0.01636413298547268, 0.0029197228141129017}
)

// trigLimit is the largest argument of sin, cos and tan.
const trigLimit = 0x1p26

// square is x*x plus 2^-60, which no rounding of what follows notices and which
// keeps products with it from needing a flush.
func (b *Builder) square(x Value) Value { return b.Add(b.Mul(x, x), b.lit(0x1p-60)) }

// quadrant gives sine and cosine of r = x - n*pi/2, |r| <= pi/4, and n in the low
// bits of word; over says that x is beyond the limit. A fine sine is within 1 ulp
// at the cost of a flush.
func (b *Builder) quadrant(x Value, fine bool) (sin, cos, word, over Value) {
	x = b.coarse(x)
	over = b.Lt(b.lit(trigLimit), b.Abs(x))
	t := b.r[x]
	x = b.Assume(b.Sel(over, b.F(0), x), Range{Lo: max(min(t.Lo, 0), -trigLimit), Hi: min(max(t.Hi, 0), trigLimit)})
	t = b.r[x]
	// pi/2 in parts of 11, 11, 11 and 24 bits: products with a whole number of up to
	// 13 bits are exact. Of a large x the quarters are counted in two such numbers, n
	// and q times 2^14, which is 0 up to 12,868.
	r, q, near := x, None, x
	if !t.within(1 << 13) {
		q = b.Sub(b.whole(b.Add(b.Mul(x, b.lit(0x1p-13/math.Pi)), b.lit(magic))), b.lit(magic))
		b.Assume(q, Range{Lo: -0x1p12, Hi: 0x1p12, Tiny: 1, Grain: 1})
		r = b.Sub(b.Sub(x, b.Mul(q, b.lit(0x1.92p14))), b.Mul(q, b.lit(0x1.fb4p2)))
		near = b.Assume(b.Sub(r, b.Mul(q, b.lit(0x1.444p-10))), Range{Lo: -0x1p14, Hi: 0x1p14})
	}
	less := func(n Value, part float64) {
		if n != None {
			r = b.Sub(r, b.Mul(n, b.lit(part)))
		}
	}
	k := b.whole(b.Add(b.Mul(near, b.lit(2/math.Pi)), b.lit(magic)))
	n := b.Assume(b.Sub(k, b.lit(magic)), Range{Lo: -0x1p14, Hi: 0x1p14, Tiny: 1, Grain: 1})
	less(n, 0x1.92p0)
	less(q, 0x1.444p-10)
	less(n, 0x1.fb4p-12)
	less(n, 0x1.444p-24)
	less(q, 0x1.68cp-25)
	less(q, 0x1.1a6264p-40)
	less(n, 0x1.68c234p-39)
	r = b.Assume(r, Range{Lo: -1, Hi: 1, Tiny: min(t.Tiny, 0x1p-66), Grain: min(t.Grain, 0x1p-66)})
	z := b.square(r)
	if !fine {
		sin = b.Mul(r, b.horner(z, sin3...))
	} else {
		sin = b.Sub(r, b.Mul(r, b.Neg(b.Mul(z, b.horner(z, sin3[1:]...)))))
	}
	cos = b.horner(z, cos4...)
	return sin, cos, b.bits(k), over
}

// Sin is the sine of x radians; +-2^100 beyond +-2^26.
func (b *Builder) Sin(x Value) Value { return b.circular(x, 0) }

// Cos is the cosine of x radians; 2^100 beyond +-2^26.
func (b *Builder) Cos(x Value) Value { return b.circular(x, 1) }

func (b *Builder) circular(x Value, quarter int32) Value {
	if !b.want(AddF, 'f', x) {
		return b.dummy(F32)
	}
	sin, cos, n, over := b.quadrant(x, false)
	n = b.AddI(n, b.I(quarter))
	even := b.EqI(b.AndI(n, b.I(1)), b.I(0))
	plus := b.EqI(b.AndI(n, b.I(2)), b.I(0))
	v := b.Sel(even, sin, cos)
	v = b.Sel(plus, v, b.Neg(v))
	b.Assume(v, Range{Lo: -1.0001, Hi: 1.0001})
	out := b.lit(huge)
	if quarter == 0 {
		out = b.Sel(b.Lt(x, b.F(0)), b.lit(-huge), out)
	}
	return b.Sel(over, out, v)
}

// Tan is the tangent of x radians, with the limits of Sin.
func (b *Builder) Tan(x Value) Value {
	if !b.want(AddF, 'f', x) {
		return b.dummy(F32)
	}
	sin, cos, n, over := b.quadrant(x, true)
	even := b.EqI(b.AndI(n, b.I(1)), b.I(0))
	v := b.Div(b.Sel(even, sin, cos), b.Sel(even, cos, sin))
	v = b.Sel(even, v, b.Neg(v))
	return b.Sel(over, b.Sel(b.Lt(x, b.F(0)), b.lit(-huge), b.lit(huge)), v)
}

// arc gives asin(s)'s polynomial for a = |x|: s = a up to one half, else
// sqrt((1-a)/2), for which asin a = pi/2 - 2 asin s.
func (b *Builder) arc(x Value) (p, big, over Value) {
	a := b.Abs(b.coarse(x))
	over = b.Lt(b.F(1), a)
	a = b.clamp(a, 0, 1)
	big = b.Lt(b.F(0.5), a)
	half := b.Assume(b.Mul(b.Sub(b.F(1), a), b.F(0.5)), Range{Lo: 0, Hi: 0.5})
	s := b.Sel(big, b.Sqrt(half), a)
	b.Assume(s, Range{Lo: 0, Hi: 0.5001})
	return b.Mul(s, b.horner(b.square(s), asin5...)), big, over
}

// Asin is the inverse sine; +-2^100 outside [-1, 1].
func (b *Builder) Asin(x Value) Value {
	if !b.want(AddF, 'f', x) {
		return b.dummy(F32)
	}
	p, big, over := b.arc(x)
	v := b.Sel(big, b.Sub(b.lit(math.Pi/2), b.Mul(p, b.F(2))), p)
	b.Assume(v, Range{Lo: 0, Hi: 1.5708})
	return b.withSign(b.Lt(x, b.F(0)), b.Sel(over, b.lit(huge), v))
}

// Acos is the inverse cosine; 2^100 below -1 and -2^100 above 1.
func (b *Builder) Acos(x Value) Value {
	if !b.want(AddF, 'f', x) {
		return b.dummy(F32)
	}
	p, big, over := b.arc(x)
	neg := b.Lt(x, b.F(0))
	q := b.Mul(p, b.F(2))
	v := b.Sel(big, b.Sel(neg, b.Sub(b.lit(math.Pi), q), q), b.Sub(b.lit(math.Pi/2), b.withSign(neg, p)))
	return b.Sel(over, b.Sel(neg, b.lit(huge), b.lit(-huge)), v)
}

// Atan is the inverse tangent.
func (b *Builder) Atan(x Value) Value {
	if !b.want(AddF, 'f', x) {
		return b.dummy(F32)
	}
	a := b.Abs(b.coarse(x))
	inv := b.Lt(b.F(1), a)
	t := b.Sel(inv, b.Div(b.F(1), b.clamp(a, 1, 0x1p60)), a)
	b.Assume(t, Range{Lo: 0, Hi: 1.00001})
	p := b.Mul(t, b.horner(b.square(t), atan8...))
	v := b.Sel(inv, b.Sub(b.lit(math.Pi/2), p), p)
	b.Assume(v, Range{Lo: 0, Hi: 1.5708})
	return b.withSign(b.Lt(x, b.F(0)), v)
}
