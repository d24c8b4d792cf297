package ir

import "math"

// logR8: (log(1+f) - f + f^2/2)/f^3 on [sqrt(1/2)-1, sqrt(2)-1], 6.6e-8.
var logR8 = []float64{0.3333333134651184, -0.24999994039535522, 0.20000699162483215, -0.1666804552078247, 0.1424967348575592,
	-0.1242055594921112, 0.11674618721008301, -0.11511202156543732, 0.07039192318916321}

// Pow is x^y: 4 ulp for |y| up to 16, about |y|/4 ulp beyond. For a constant
// whole y up to 1024 it is PowInt, for one half Sqrt. 0^y is 0, 1 or 2^100 as y is
// positive, 0 or negative; a negative x has a power where y is whole, else
// -2^100. Results saturate as Exp's do.
func (b *Builder) Pow(x, y Value) Value {
	if !b.want(AddF, 'f', x, y) {
		return b.dummy(F32)
	}
	if w, ok := b.constant(y); ok {
		switch c := float64(float32From(w)); {
		case c == math.Floor(c) && math.Abs(c) <= 1024:
			return b.PowInt(x, int(c))
		case c == 0.5:
			return b.Sqrt(x)
		}
	}
	x, y = b.clamp(b.coarse(x), -0x1p60, 0x1p60), b.clamp(b.coarse(y), -0x1p40, 0x1p40)
	o, one := b.F(0), b.F(1)
	neg, zero := b.Lt(x, o), b.Eq(x, o)
	v := b.power(b.Abs(x), y)
	whole := b.Eq(b.Floor(y), y)
	half := b.Mul(y, b.F(0.5))
	odd := b.Ne(b.Floor(half), half)
	v = b.Sel(neg, b.Sel(whole, b.withSign(odd, v), b.lit(-huge)), v)
	return b.Sel(zero, b.Sel(b.Lt(o, y), o, b.Sel(b.Lt(y, o), b.lit(huge), one)), v)
}

// upper is x cut to 12 significant bits, and the rest: products of two such
// upper parts are exact.
func (b *Builder) upper(x Value) (up, rest Value) {
	r := b.r[x]
	t := Range{Lo: r.Lo, Hi: r.Hi, Tiny: float64(0.999 * r.Tiny), Grain: r.Grain}
	if r.Lo > 0 {
		t.Lo = float64(t.Lo * 0.999)
	}
	if r.Hi < 0 {
		t.Hi = float64(t.Hi * 0.999)
	}
	up = b.float(b.AndI(b.bits(x), b.U(0xfffff000)), t)
	return up, b.Assume(b.Sub(x, up), Range{Lo: -r.mag() * 0x1p-11, Hi: r.mag() * 0x1p-11})
}

// power is a^y, where a is not 0, as e^(y*log a) with the logarithm and the
// product in two words each.
func (b *Builder) power(a, y Value) Value {
	e, m := b.octaves(a)
	n := b.Mul(e, b.lit(0x1p-23))
	b.Assume(n, Range{Lo: -256, Hi: 256, Tiny: 1, Grain: 1})
	// log m = f - f^2/2 + f^3*R(f), the first two terms exactly.
	f := b.Sub(m, b.F(1))
	fu, fr := b.upper(f)
	sq := b.Mul(b.Mul(fu, fu), b.F(0.5))
	s := b.Sub(f, sq)
	lost := b.Sub(b.Sub(f, s), sq)
	tail := b.Sub(b.Mul(b.Mul(b.Mul(f, f), f), b.horner(f, logR8...)), b.Mul(b.Mul(b.Add(f, fu), fr), b.F(0.5)))
	tail = b.Assume(b.Add(tail, lost), Range{Lo: -0.05, Hi: 0.05})
	// log a = high + low.
	big := b.Mul(n, b.lit(ln2Hi))
	high := b.Add(big, s)
	low := b.Add(b.Add(b.Assume(b.Sub(s, b.Sub(high, big)), Range{Lo: -0x1p-16, Hi: 0x1p-16}), b.Mul(n, b.lit(ln2Lo))), tail)
	b.Assume(high, Range{Lo: -180, Hi: 180, Tiny: 0x1p-50, Grain: 0x1p-74})
	hu, hr := b.upper(high)
	low = b.Add(hr, low)
	// y * log a = p + q, p exact.
	yu, yr := b.upper(y)
	p := b.Mul(yu, hu)
	q := b.Add(b.Mul(y, low), b.Mul(yr, hu))
	sum := b.Add(p, q)
	over, under := b.Lt(b.lit(expHigh), sum), b.Lt(sum, b.lit(expLow))
	out := b.OrB(over, under)
	p = b.Assume(b.Sel(out, b.F(0), p), Range{Lo: -75, Hi: 75})
	q = b.Assume(b.Sel(out, b.F(0), q), Range{Lo: -75, Hi: 75})
	sum = b.Assume(b.Sel(out, b.F(0), sum), Range{Lo: expLow, Hi: expHigh})
	k := b.whole(b.Add(b.Mul(sum, b.lit(log2e)), b.lit(magic)))
	w := b.Assume(b.Sub(k, b.lit(magic)), Range{Lo: -101, Hi: 101, Tiny: 1, Grain: 1})
	r := b.Sub(b.Sub(p, b.Mul(w, b.lit(ln2Hi))), b.Mul(w, b.lit(ln2Lo)))
	r = b.Assume(b.Add(r, q), Range{Lo: -0.35, Hi: 0.35})
	r = b.coarse(r)
	v := b.float(b.AddI(b.bits(b.horner(r, exp5...)), b.Shl(b.bits(k), b.I(23))), Range{Lo: 0x1p-101, Hi: 0x1.01p100})
	return b.Sel(under, b.F(0), b.Sel(over, b.lit(huge), v))
}
