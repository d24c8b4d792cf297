package ir

import "math"

// Random numbers from words (design section 3, rule 7).

// Unit is a uniform number between 0 and 1, neither of which it takes, from a
// random word: its upper 24 bits, or, where the first eight are 0, the whole
// word and more beyond, as precisely as a float can. So it is below p with
// probability p within 2^-17 of p, however small.
func (b *Builder) Unit(word, more Value) Value {
	if !b.want(And, 'i', word, more) {
		return b.dummy(F32)
	}
	small := b.LtU(word, b.U(1<<24))
	rest := b.Mul(b.I2F(b.OrI(b.ShrU(more, b.I(7)), b.U(1))), b.F(0x1p-25))
	fine := b.Mul(b.Add(b.Assume(b.I2F(b.Sel(small, word, b.U(0))), Range{Lo: 0, Hi: 0x1p24}), rest), b.F(0x1p-32))
	coarse := b.Mul(b.I2F(b.ShrU(word, b.I(8))), b.F(0x1p-24))
	return b.Assume(b.Sel(small, fine, coarse), Range{Lo: 0x1p-57, Hi: 1 - 0x1p-24})
}

// More is a word behind an item's random word, for Unit. One draw for all items,
// moved on by a constant from each to the next, is enough: it decides where the
// first word has left it to one part in 2^32.
func (b *Builder) More(item Value, stream, draw uint32) Value {
	return b.AddI(b.MulI(item, b.U(0x9e3779b9)), b.Rand(b.I(0), stream, draw))
}

var (
	// log2f8: log2(1+f)/f on [sqrt(1/2)-1, sqrt(2)-1], fitted for the relative error
	// of the product below 0 and half its absolute error above: 2.9e-8.
	log2f8 = []float64{1.4426950216293335, -0.7213466763496399, 0.480909138917923, -0.3607500195503235, 0.28797879815101624,
		-0.23807041347026825, 0.2143835425376892, -0.2122785747051239, 0.13502560555934906}
	// normal8: z/L in u = 1/sqrt(L + 1.6) - 0.48, where z is the normal deviate of
	// upper tail 2^-(L+1), 0 <= L <= 32: 3.6e-8.
	normal8 = []float64{0.5257669687271118, 1.0474622249603271, 0.04018896445631981, 0.37051352858543396,
		0.18816865980625153, 0.20462743937969208, 0.2695782482624054, 0.17835989594459534, 0.5285599827766418}
)

// Normal is a standard normal number from a random word, by the inverse of the
// distribution: the upper bit is the side, bits 30 to 1 are k, and the tail
// probability is (k + 1/2)/2^31 (the last bit would cost a rounding near the
// centre and reach 6.34 in place of 6.23). Within 4 ulp from a
// magnitude of 1/2 on, within 2^-22 below.
//
// One smooth function serves centre and tail: with L = -log2 of twice the
// probability, z/L is a polynomial in 1/sqrt(L + 1.6).
func (b *Builder) Normal(word Value) Value {
	if !b.want(And, 'i', word) {
		return b.dummy(F32)
	}
	r := b.I2F(b.OrI(b.AndI(word, b.U(0x7fffffff)), b.U(1)))
	two := b.Mul(b.Assume(r, Range{Lo: 1, Hi: 0x1p31}), b.lit(0x1p-31)) // twice the probability
	e, m := b.octaves(two)
	f := b.Sub(m, b.F(1))
	minus := b.Add(b.Mul(e, b.lit(0x1p-23)), b.Mul(f, b.horner(f, log2f8...))) // -L
	b.Assume(minus, Range{Lo: -32, Hi: 0, Tiny: 0x1p-25})
	x := b.Sub(b.lit(1.6), minus)
	u := b.Sub(b.inverseRoot(x), b.lit(0.48))
	b.Assume(u, Range{Lo: -0.3076, Hi: 0.3107})
	g := b.horner(u, normal8...)
	g = b.float(b.XorI(b.bits(g), b.AndI(word, b.U(0x80000000))), Range{Lo: -1, Hi: 1, Tiny: 0.15})
	return b.Assume(b.Mul(minus, g), Range{Lo: -6.4, Hi: 6.4})
}

// inverseRoot is 1/sqrt(x) within 1.5 ulp, for positive x.
func (b *Builder) inverseRoot(x Value) Value {
	r := b.r[x]
	g := Range{Lo: 0.5 / math.Sqrt(r.Hi), Hi: 1.5 / math.Sqrt(r.Lo)}
	y := b.float(b.SubI(b.U(0x5f0b3000), b.ShrU(b.bits(x), b.I(1))), g)
	t := b.exact(b.Mul(x, y), y, Range{Lo: 0.3, Hi: 1.1})
	y = b.exact(y, b.Sub(b.lit(1.891), t), g)
	t = b.exact(b.Mul(x, y), y, Range{Lo: 0.997, Hi: 1.003})
	e := b.Sub(b.F(1), t)
	k := b.Add(b.F(0.5), b.Mul(e, b.lit(0.375)))
	return b.Assume(b.Add(y, b.Mul(y, b.Mul(e, k))), Range{Lo: 0.9999 / math.Sqrt(r.Hi), Hi: 1.0001 / math.Sqrt(r.Lo)})
}

// threshold is p as a bound of random words.
func threshold(p float64) uint64 { return uint64(math.Floor(float64(max(0, min(1, p))*0x1p32) + 0.5)) }

// Below is true with probability p: word < round(p * 2^32), always for p >= 1.
func (b *Builder) Below(word Value, p float64) Value {
	if p != p {
		b.fail("a probability is not a number")
	}
	t := threshold(p)
	if t > math.MaxUint32 {
		return b.B(true)
	}
	if t == 0 {
		return b.B(false)
	}
	return b.LtU(word, b.U(uint32(t)))
}

// MaxCounts is the longest table of a CountTable.
const MaxCounts = 4096

// CountTable is the number of thresholds round(cdf[k] * 2^32) that are <= word:
// the draw of a distribution with cumulative probabilities cdf, which ascend
// (I32). At most 4096 thresholds.
func (b *Builder) CountTable(word Value, cdf []float64) Value {
	if len(cdf) > MaxCounts {
		b.fail("a table of %d counts is too long for a program (%d)", len(cdf), MaxCounts)
		return b.dummy(I32)
	}
	for k := 1; k < len(cdf); k++ {
		if !(cdf[k] >= cdf[k-1]) {
			b.fail("cumulative probabilities descend at %d", k)
			return b.dummy(I32)
		}
	}
	n := len(cdf)
	for n > 0 && threshold(cdf[n-1]) > math.MaxUint32 {
		n--
	}
	v := b.I(int32(n))
	for k := n - 1; k >= 0; k-- {
		if k > 0 && threshold(cdf[k]) == threshold(cdf[k-1]) {
			continue // k is never the count
		}
		v = b.Sel(b.LtU(word, b.U(uint32(threshold(cdf[k])))), b.I(int32(k)), v)
	}
	return v
}

// Rarely is the probability below which one word tells it too coarsely.
const Rarely = 0x1p-16

// CountRare is the number of tails, which descend, above a number between 0 and 1:
// the draw of a distribution with probabilities tails[k] of more than k, the first
// of which is small (I32). word and more are as for Unit.
func (b *Builder) CountRare(word, more Value, tails []float64) Value {
	u := b.Unit(word, more)
	v := b.I(0)
	for k, p := range tails {
		v = b.Sel(b.Lt(u, b.F(p)), b.I(int32(k+1)), v)
	}
	return v
}

// poissonCounts is how far the inversion is unrolled.
const poissonCounts = 32

// Poisson is a draw of mean lambda, a whole number (rule 7): by inversion of
// word(0) up to a mean of 10, from the upper end, so that small means are right,
// by a rounded normal of word(1) above. A negative mean gives 0. more is as for Unit.
func (b *Builder) Poisson(lambda Value, word func(draw uint32) Value, more Value) Value {
	if !b.want(AddF, 'f', lambda) {
		return b.dummy(F32)
	}
	lambda = b.clamp(b.coarse(lambda), 0, 0x1p40)
	one := b.F(1)
	small := b.clamp(lambda, 0, 10)
	u := b.Unit(b.XorI(word(0), b.U(^uint32(0))), more)
	p := b.Exp(b.Neg(small))
	above, n := b.Neg(b.Expm1(b.Neg(small))), b.F(0) // the probability of more than k
	for k := 1; k <= poissonCounts; k++ {
		n = b.Add(n, b.Sel(b.Lt(u, above), one, b.F(0)))
		if k < poissonCounts {
			p = b.Mul(p, b.Mul(small, b.lit(1/float64(k))))
			b.Assume(p, Range{Lo: 0, Hi: 1})
			above = b.Assume(b.Sub(above, p), Range{Lo: -0.001, Hi: 1})
		}
	}
	if b.r[lambda].Hi <= 10 {
		return n
	}
	z := b.Add(lambda, b.Mul(b.Sqrt(lambda), b.Normal(word(1))))
	many := b.Max(b.F(0), b.Floor(b.Add(z, b.F(0.5))))
	return b.Sel(b.Le(lambda, b.F(10)), n, many)
}
