package ir

import "math"

// Expansions (design section 3, rule 5): everything that is not one operation.
// The polynomials are minimax fits (Lawson's weighted least squares on 1,500
// Chebyshev points, 40 digits), coefficients rounded to float32 one after the
// other, the rest fitted anew each time; names give function, degree and error.

// huge stands for what has no value: x/0, log 0, arguments out of range.
const huge = 0x1p100

// horner is c[0] + x*(c[1] + x*(c[2] + ...)). Signs are kept outside so that
// each product is of x and a positive number: 0 times it is never -0.
func (b *Builder) horner(x Value, c ...float64) Value {
	n := len(c) - 1
	neg := c[n] < 0
	acc := b.lit(math.Abs(c[n]))
	for i := n - 1; i >= 0; i-- {
		p := b.Mul(x, acc)
		if neg == (c[i] < 0) {
			acc = b.Add(b.lit(math.Abs(c[i])), p)
		} else {
			acc = b.Sub(b.lit(math.Abs(c[i])), p)
		}
		neg = c[i] < 0
	}
	if neg {
		return b.Neg(acc)
	}
	return acc
}

// exact is a product of which the caller proves that it is in r where it is not
// 0, at least 2^-100, and never -0.
func (b *Builder) exact(x, y Value, r Range) Value { return b.Assume(b.op(MulF, F32, x, y), r) }

// coarse drops what is below 2^-80, where the range does not exclude it.
func (b *Builder) coarse(x Value) Value {
	if b.r[x].Tiny >= 0x1p-86 {
		return x
	}
	v := b.Sel(b.Lt(b.Abs(x), b.lit(FlushStore)), b.F(0), x)
	return b.Assume(v, Range{Lo: min(0, b.r[x].Lo), Hi: max(0, b.r[x].Hi), Tiny: FlushStore, Grain: 0x1p-103})
}

// withSign is v with a minus where neg holds.
func (b *Builder) withSign(neg, v Value) Value { return b.Sel(neg, b.Neg(v), v) }

// Div is x / y within 3 ulp; y = 0 gives +-2^100 with the sign of x. Where y may
// be smaller than 2^-80 or larger than 2^100 and x is out of proportion, the
// quotient saturates beyond 2^40. A constant divisor is multiplied by its
// reciprocal (2 ulp at most).
func (b *Builder) Div(x, y Value) Value {
	if !b.want(AddF, 'f', x, y) {
		return b.dummy(F32)
	}
	if w, ok := b.constant(y); ok && w != 0 {
		return b.Mul(x, b.lit(1/float64(float32From(w))))
	}
	if b.p.Ins[y].Op == NegF {
		return b.Neg(b.Div(x, b.p.Ins[y].A))
	}
	zero := b.Eq(y, b.F(0))
	d := b.Sel(zero, b.F(1), y)
	if b.r[d].Tiny < 0x1p-81 || b.r[d].mag() > 0x1p100 {
		x, d = b.scaled(x, d)
	}
	q := b.Mul(x, b.reciprocal(d))
	return b.Sel(zero, b.Sel(b.Lt(x, b.F(0)), b.lit(-huge), b.lit(huge)), q)
}

// scaled multiplies numerator and denominator by a power of two that brings the
// latter into the middle of the exponents.
func (b *Builder) scaled(x, d Value) (Value, Value) {
	r, one := b.r[d], b.F(1)
	a, s := b.Abs(d), one
	if r.mag() > 0x1p100 {
		s = b.Sel(b.Lt(b.lit(0x1p60), a), b.lit(0x1p-60), s)
	}
	if r.Tiny < 0x1p-81 {
		s = b.Sel(b.Lt(a, b.lit(0x1p-40)), b.lit(0x1p60), s)
	}
	lim := 0x1p67
	if r.mag() <= 0x1p100 {
		lim = 0x1p100
	}
	t := Range{Lo: max(r.Lo, -lim), Hi: min(r.Hi, lim), Tiny: min(r.Tiny, 1)}
	if r.Tiny < 0x1p-81 {
		t = Range{Lo: min(t.Lo, -0x1p20), Hi: max(t.Hi, 0x1p20), Tiny: min(0x1p-41, r.Tiny*0x1p60)}
		if r.Lo >= 0 {
			t.Lo = 0
		}
		if r.Lo > 0 {
			t.Lo = t.Tiny
		}
	}
	if r.Lo > 0 {
		t.Lo = t.Tiny
	}
	return b.Mul(x, s), b.exact(d, s, t)
}

// reciprocal is 1/d for d that is never 0 and of magnitude 2^-81 to 2^100: a
// first guess by subtracting exponents, one step of Newton's method (error
// 1.4e-3) and one of third order.
func (b *Builder) reciprocal(d Value) Value {
	r := b.r[d]
	least := max(r.Tiny, r.least())
	g := Range{Lo: -1.2 / least, Hi: 1.2 / least, Tiny: 0.8 / r.mag()}
	switch {
	case r.Lo > 0:
		g.Lo = 0.8 / r.Hi
	case r.Hi < 0:
		g.Hi = 0.8 / r.Lo
	}
	y := b.float(b.SubI(b.U(0x7ef33000), b.bits(d)), g)
	t := b.exact(d, y, Range{Lo: 0.85, Hi: 1.15})
	y = b.exact(y, b.Sub(b.lit(2.0012), t), g)
	t = b.exact(d, y, Range{Lo: 1 - 0x1p-9, Hi: 1 + 0x1p-9})
	e := b.Sub(b.F(1), t)
	p := b.Assume(b.Add(e, b.Mul(e, e)), Range{Lo: -0x1p-9, Hi: 0x1.01p-9, Tiny: 0x1p-26})
	if needsFlush(b.r[y], b.r[p], false) {
		return b.exact(y, b.Add(b.F(1), p), g)
	}
	return b.Assume(b.Add(y, b.Mul(y, p)), g)
}

// Sqrt is the square root within 2 ulp; -2^100 of a negative number.
func (b *Builder) Sqrt(x Value) Value {
	if !b.want(AddF, 'f', x) {
		return b.dummy(F32)
	}
	neg := b.Lt(x, b.F(0))
	a := b.Abs(x)
	r := b.r[a]
	root := Range{Lo: float64(0.999 * math.Sqrt(r.least())), Hi: float64(1.001 * math.Sqrt(r.Hi)), Tiny: float64(0.999 * math.Sqrt(r.Tiny))}
	if r.Hi == 0 {
		return b.Sel(neg, b.lit(-huge), b.F(0))
	}
	least := 0.5 / math.Sqrt(r.Hi)
	g := Range{Lo: least, Hi: max(0x1p65, 1.5/math.Sqrt(r.Tiny))}
	y := b.float(b.SubI(b.U(0x5f0b3000), b.ShrU(b.bits(a), b.I(1))), g)
	t := b.exact(a, y, Range{Hi: float64(1.5 * root.Hi), Tiny: 0.5 * root.Tiny})
	t = b.exact(t, y, Range{Hi: 1.1, Tiny: 0.3})
	y = b.exact(y, b.Sub(b.lit(1.891), t), g) // 1/sqrt(a) within 8.9e-4
	s := b.exact(a, y, Range{Hi: float64(1.001 * root.Hi), Tiny: float64(0.999 * root.Tiny)})
	h := b.Mul(y, b.F(0.5))
	e := b.Sub(b.F(0.5), b.exact(s, h, Range{Hi: 0.502, Tiny: 0.498}))
	k := b.Mul(b.Add(b.F(1), b.Mul(e, b.F(1.5))), e)
	v := b.Add(s, b.exact(s, k, Range{Lo: -root.Hi, Hi: root.Hi, Tiny: root.Tiny * 0x1p-26}))
	return b.Sel(neg, b.lit(-huge), b.Assume(v, root))
}

// exp5: e^r on +-ln(2)/2, 1.05e-7.
var exp5 = []float64{1, 1, 0.499992311000824, 0.16667115688323975, 0.041890256106853485, 0.008312467485666275}

// expm1r5: (e^r - 1)/r on +-ln(2)/2, 1.37e-8.
var expm1r5 = []float64{1, 0.4999999701976776, 0.1666654646396637, 0.04166743531823158, 0.00836626160889864, 0.0013870657421648502}

const (
	log2e   = 1.4426950408889634
	ln2     = 0.6931471805599453
	ln2Hi   = 0.693145751953125 // 16 bits: products with whole numbers up to 255 are exact
	ln2Lo   = 1.42860682030941723e-6
	magic   = 0x1.8p23 // adding it rounds to a whole number, which then stands in the low bits
	expHigh = 69.31471
	expLow  = -69.3
	halfLn2 = 0.3465
)

// reduce splits x = n*ln(2) + r, |r| <= ln(2)/2, for |x| below 100; word<<23 is
// n as an exponent.
func (b *Builder) reduce(x Value) (r, word Value) {
	t := b.r[x]
	k := b.whole(b.Add(b.Mul(x, b.lit(log2e)), b.lit(magic)))
	n := b.Assume(b.Sub(k, b.lit(magic)), Range{Lo: math.Floor(float64(t.Lo*log2e) - 0.51), Hi: math.Ceil(float64(t.Hi*log2e) + 0.51), Tiny: 1, Grain: 1})
	r = b.Sub(b.Sub(x, b.Mul(n, b.lit(ln2Hi))), b.Mul(n, b.lit(ln2Lo)))
	r = b.Assume(r, Range{Lo: -0.3475, Hi: 0.3475, Tiny: min(t.Tiny, 0x1p-44), Grain: min(t.Grain, 0x1p-44)})
	return r, b.Shl(b.bits(k), b.I(23))
}

// Exp is e^x: 0 below 2^-100, about 2^100 at most.
func (b *Builder) Exp(x Value) Value {
	if !b.want(AddF, 'f', x) {
		return b.dummy(F32)
	}
	x = b.coarse(x)
	if b.r[x].within(halfLn2) {
		return b.horner(x, exp5...)
	}
	x = b.clamp(x, math.Inf(-1), expHigh)
	low := b.Lt(x, b.lit(expLow))
	t := b.r[x]
	x = b.Sel(low, b.lit(expLow), x)
	x = b.Assume(x, Range{Lo: max(t.Lo, expLow), Hi: max(t.Hi, expLow)})
	t = b.r[x]
	r, n := b.reduce(x)
	lo, hi := expBounds(t.Lo, t.Hi)
	y := b.float(b.AddI(b.bits(b.horner(r, exp5...)), n), Range{Lo: float64(0.99999 * lo), Hi: float64(1.00001 * hi)})
	return b.Sel(low, b.F(0), y)
}

// expBounds are powers of two about e^lo and e^hi (no transcendental function of
// the host has a part in what the program becomes).
func expBounds(lo, hi float64) (float64, float64) {
	return math.Ldexp(1, int(math.Floor(lo*log2e))), math.Ldexp(1, int(math.Ceil(hi*log2e)))
}

// Expm1 is e^x - 1, accurate near 0; 2^100 at most.
func (b *Builder) Expm1(x Value) Value {
	if !b.want(AddF, 'f', x) {
		return b.dummy(F32)
	}
	x = b.coarse(x)
	if b.r[x].within(halfLn2) {
		return b.Mul(x, b.horner(x, expm1r5...))
	}
	y, _ := b.expm1(b.clamp(x, -18, expHigh))
	return y
}

// expm1 also returns (e^r - 1)/r, which is exprel(x) where |x| <= halfLn2.
func (b *Builder) expm1(x Value) (y, rel Value) {
	t := b.r[x]
	r, n := b.reduce(x)
	rel = b.horner(r, expm1r5...)
	em := b.Mul(r, rel)
	_, hi := expBounds(t.Lo, t.Hi)
	s := b.float(b.AddI(b.U(0x3f800000), n), Range{Lo: 0x1p-26, Hi: 2 * max(1, hi)})
	// Where n is not 0, r is at least 2^-44; where it is, s is 1.
	u := b.exact(s, em, Range{Lo: -b.r[s].Hi, Hi: b.r[s].Hi, Tiny: min(b.r[em].Tiny, 0x1p-71)})
	b.r[u].Grain = max(b.r[u].Grain, ulp(b.r[u].Tiny))
	bound := Range{Lo: 0, Hi: 0, Tiny: float64(0.8 * min(t.Tiny, 0x1p-24))}
	if t.Lo < 0 {
		bound.Lo = -1.00001
	}
	if t.Hi > 0 {
		bound.Hi = float64(1.00001 * hi)
	}
	y = b.Assume(b.Add(u, b.Sub(s, b.F(1))), bound)
	return y, rel
}

// Exprel is (e^x - 1)/x, 1 at 0, about 2^94 at most.
func (b *Builder) Exprel(x Value) Value {
	if !b.want(AddF, 'f', x) {
		return b.dummy(F32)
	}
	x = b.coarse(x)
	if b.r[x].within(halfLn2) {
		return b.horner(x, expm1r5...)
	}
	x = b.clamp(x, math.Inf(-1), expHigh)
	y, rel := b.expm1(b.clamp(x, -18, math.Inf(1)))
	small := b.Lt(b.Abs(x), b.lit(0.34))
	d := b.Sel(small, b.F(1), x)
	b.Assume(d, Range{Lo: b.r[d].Lo, Hi: b.r[d].Hi, Tiny: 0.34})
	if b.r[d].mag() > 0x1p100 {
		d = b.clamp(d, -0x1p100, 0x1p100)
	}
	q := b.Sel(small, rel, b.Mul(y, b.reciprocal(d)))
	return b.Assume(q, Range{Lo: 0, Hi: 0x1p95})
}

// PowInt is x^n by multiplication, n up to +-2^20; 1/x^-n for negative n.
func (b *Builder) PowInt(x Value, n int) Value {
	if n < -1<<20 || n > 1<<20 {
		b.fail("power %d is beyond 2^20", n)
		return b.dummy(F32)
	}
	if n < 0 {
		return b.Div(b.F(1), b.PowInt(x, -n))
	}
	v := b.F(1)
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			v = b.Mul(v, x)
		}
		if n > 1 {
			x = b.Mul(x, x)
		}
	}
	return v
}

// Sign is -1, 0 or 1.
func (b *Builder) Sign(x Value) Value {
	return b.Sel(b.Lt(x, b.F(0)), b.F(-1), b.Sel(b.Lt(b.F(0), x), b.F(1), b.F(0)))
}

// Heaviside is 1 where x > 0, 0 where x < 0, one half at 0.
func (b *Builder) Heaviside(x Value) Value {
	return b.Sel(b.Lt(x, b.F(0)), b.F(0), b.Sel(b.Lt(b.F(0), x), b.F(1), b.F(0.5)))
}
