package ir

import "math"

// log1pf8: log(1+f)/f on [sqrt(1/2)-1, sqrt(2)-1], 3.0e-8.
var log1pf8 = []float64{1, -0.49999991059303284, 0.3333394527435303, -0.25001776218414307, 0.19962239265441895,
	-0.16570313274860382, 0.14916355907917023, -0.14307723939418793, 0.08738791942596436}

// Log is the natural logarithm; -2^100 where x is not positive.
func (b *Builder) Log(x Value) Value { return b.logarithm(x, ln2, 1) }

// Log10 is the decimal logarithm; -2^100 where x is not positive.
func (b *Builder) Log10(x Value) Value {
	return b.logarithm(x, 0.30102999566398120, 0.43429448190325183)
}

// Log2 is the binary logarithm; -2^100 where x is not positive.
func (b *Builder) Log2(x Value) Value { return b.logarithm(x, 1, log2e) }

func (b *Builder) logarithm(x Value, perOctave, perE float64) Value {
	if !b.want(AddF, 'f', x) {
		return b.dummy(F32)
	}
	e, m := b.octaves(x)
	f := b.Sub(m, b.F(1))
	t := b.r[x]
	v := b.logSum(e, f, perOctave, perE)
	_, lo := math.Frexp(max(t.Tiny, t.least()))
	_, hi := math.Frexp(max(t.Hi, 1))
	is := Range{Lo: float64(float64(lo-1)*perOctave) - 1e-4, Hi: float64(float64(hi)*perOctave) + 1e-4, Tiny: 0x1p-27}
	if t.Lo > 0 {
		return b.Assume(v, is)
	}
	b.Assume(v, Range{Lo: -math.MaxFloat32, Hi: math.MaxFloat32, Tiny: is.Tiny}) // not chosen values are any
	return b.Assume(b.Sel(b.Le(x, b.F(0)), b.lit(-huge), v), Range{Lo: -huge, Hi: is.Hi})
}

// octaves splits x = m * 2^n with m in [sqrt(1/2), sqrt(2)) by its bits; e is
// n * 2^23. For what is not positive m is still such a number.
func (b *Builder) octaves(x Value) (e, m Value) {
	w := b.bits(x)
	n := b.AndI(b.SubI(w, b.U(0x3f3504f3)), b.U(0xff800000))
	m = b.float(b.SubI(w, n), Range{Lo: 0.70710, Hi: 1.41422})
	e = b.Assume(b.I2F(n), Range{Lo: -0x1p31, Hi: 0x1p31, Tiny: 0x1p23, Grain: 0x1p23})
	return e, m
}

// logSum is the logarithm of (1+f) * 2^(e/2^23).
func (b *Builder) logSum(e, f Value, perOctave, perE float64) Value {
	c := make([]float64, len(log1pf8))
	for i := range c {
		c[i] = float64(log1pf8[i] * perE)
	}
	return b.Add(b.Mul(e, b.lit(perOctave*0x1p-23)), b.Mul(f, b.horner(f, c...)))
}

// Log1p is log(1 + x), accurate near 0; -2^100 at and below -1.
func (b *Builder) Log1p(x Value) Value {
	if !b.want(AddF, 'f', x) {
		return b.dummy(F32)
	}
	x = b.clamp(b.coarse(x), -0x1p100, 0x1p100)
	t := b.r[x]
	one := b.F(1)
	u := b.Add(one, x)
	bad := b.Le(u, b.F(0))
	// What the rounding of 1 + x lost (two-sum).
	back := b.Sub(u, one)
	lost := b.Add(b.Sub(x, back), b.Sub(one, b.Sub(u, back)))
	b.Assume(lost, Range{Lo: -b.r[u].mag() * 0x1p-23, Hi: b.r[u].mag() * 0x1p-23})
	u = b.Assume(b.Sel(bad, one, u), Range{Lo: 0x1p-24, Hi: max(1, b.r[u].Hi)})
	e, m := b.octaves(u)
	n := b.AndI(b.SubI(b.bits(u), b.U(0x3f3504f3)), b.U(0xff800000))
	s := b.float(b.SubI(b.U(0x3f800000), n), Range{Lo: 0.5 / b.r[u].Hi, Hi: 0x1p25})
	lost = b.Sel(b.OrB(bad, b.Lt(b.lit(0x1p40), u)), b.F(0), lost)
	small := b.Assume(b.Mul(lost, s), Range{Lo: -0x1p-22, Hi: 0x1p-22})
	f := b.Add(b.Sub(m, one), small)
	b.Assume(f, Range{Lo: -0.2930, Hi: 0.41423, Tiny: min(t.Tiny, 0x1p-66)})
	v := b.logSum(e, f, ln2, 1)
	_, hi := math.Frexp(b.r[u].Hi)
	b.Assume(v, Range{Lo: -18, Hi: float64(float64(hi)*ln2) + 1e-4, Tiny: float64(0.7 * min(t.Tiny, 0x1p-66))})
	return b.Sel(bad, b.lit(-huge), v)
}

// Sinh is the hyperbolic sine, 2^99 at most.
func (b *Builder) Sinh(x Value) Value {
	if !b.want(AddF, 'f', x) {
		return b.dummy(F32)
	}
	e := b.Expm1(b.Abs(x))
	b.Assume(e, Range{Lo: 0, Hi: 0x1p101})
	v := b.Mul(b.Add(e, b.Div(e, b.Add(e, b.F(1)))), b.F(0.5))
	return b.withSign(b.Lt(x, b.F(0)), v)
}

// Cosh is the hyperbolic cosine, 2^99 at most.
func (b *Builder) Cosh(x Value) Value {
	if !b.want(AddF, 'f', x) {
		return b.dummy(F32)
	}
	e := b.Exp(b.Abs(x))
	b.Assume(e, Range{Lo: 0.9999, Hi: 0x1p101})
	return b.Assume(b.Mul(b.Add(e, b.Div(b.F(1), e)), b.F(0.5)), Range{Lo: 0.9999, Hi: 0x1p101})
}

// Tanh is the hyperbolic tangent.
func (b *Builder) Tanh(x Value) Value {
	if !b.want(AddF, 'f', x) {
		return b.dummy(F32)
	}
	a := b.Mul(b.clamp(b.Abs(x), math.Inf(-1), 10), b.F(2))
	e := b.Assume(b.Expm1(a), Range{Lo: 0, Hi: 0x1p30})
	v := b.Div(e, b.Add(e, b.F(2)))
	b.Assume(v, Range{Lo: 0, Hi: 1.000001})
	return b.withSign(b.Lt(x, b.F(0)), v)
}
