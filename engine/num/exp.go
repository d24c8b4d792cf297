package num

import "math"

func sqrt(x float64) float64 { return math.Sqrt(x) }

// expSeries returns e^(r.hi + r.lo) - 1 - r.hi for |r| <= 0.36, so that the caller adds the leading terms exactly.
func expSeries(r dd) float64 {
	x := r.hi
	p := factInv[15].hi
	for n := 14; n >= 3; n-- {
		p = float64(p*x) + factInv[n].hi
	}
	x2 := twoProd(x, x)
	// x^2/2 in two words, x^3 times the rest, and the derivative e^x at r.lo.
	return 0.5*x2.hi + (float64(float64(x2.hi*x)*p) + (0.5*x2.lo + (r.lo + float64(r.lo*x))))
}

// expReduce returns e^x as 2^k (1 + r) with r in two words, |r| <= 0.42, for |x| < 800.
func expReduce(x dd) (e dd, k int) {
	f := math.Floor(float64(x.hi*log2e) + 0.5)
	k = int(f)
	r := twoSum(x.hi-float64(f*ln2Hi), x.lo) // the first difference is exact
	m := twoProd(f, ln2Mid)
	r = twoSum(r.hi, 0).add(dd{-m.hi, -m.lo}).addF(r.lo)
	return fastSum(r.hi, expSeries(r)), k
}

// expDD returns e^x as 2^k times e, |x| < 800.
func expDD(x dd) (e dd, k int) {
	m, k := expReduce(x)
	s := twoSum(1, m.hi)
	return fastSum(s.hi, s.lo+m.lo), k
}

// Exp returns e^x.
func Exp(x float64) float64 {
	switch {
	case x != x:
		return x
	case x > 709.79:
		return math.Inf(1)
	case x < -745.2:
		return 0
	}
	e, k := expDD(dd{x, 0})
	return scale(e.hi, k)
}

// Expm1 returns e^x - 1.
func Expm1(x float64) float64 {
	switch {
	case x != x || x == 0:
		return x
	case x > 709.79:
		return math.Inf(1)
	case x < -50:
		return -1
	case math.Abs(x) < 0x1p-54:
		return x
	}
	e, k := expm1DD(x)
	return scale(e.value(), k)
}

// expm1DD returns e^x - 1 as 2^k times e, for x within -50 and 710.
func expm1DD(x float64) (e dd, k int) {
	m, k := expReduce(dd{x, 0})
	if k == 0 {
		return m, 0
	}
	if k > 200 {
		s := twoSum(1, m.hi)
		return fastSum(s.hi, s.lo+m.lo), k
	}
	// 2^k (1 + m) - 1 with everything scaled by 2^-k.
	s := twoSum(1-scale(1, -k), m.hi) // exact for k in -53..53, and beyond -1 is lost against the rest
	if k < -52 || k > 52 {
		t := twoSum(1, -scale(1, -k))
		s = dd{t.hi, t.lo}.addF(m.hi)
	}
	return fastSum(s.hi, s.lo+m.lo), k
}

// Exprel returns (e^x - 1)/x, and 1 at 0.
func Exprel(x float64) float64 {
	switch {
	case x != x:
		return x
	case math.Abs(x) < 0x1p-53:
		return 1
	case math.IsInf(x, -1):
		return 0
	case x > 720:
		return math.Inf(1)
	case x < -50:
		return -1 / x
	}
	// Past 709.79 the quotient is finite where the numerator is not.
	e, k := expm1DD(x)
	return scale(e.div(dd{x, 0}).hi, k)
}

// Sinh returns the hyperbolic sine of x.
func Sinh(x float64) float64 {
	a := math.Abs(x)
	switch {
	case bad(x) || a < 0x1p-28:
		return x
	case a > 711:
		return math.Copysign(math.Inf(1), x)
	}
	var s float64
	if a < 0.35 {
		z := float64(a * a)
		p := factInv[15].hi
		for n := 13; n >= 3; n -= 2 {
			p = float64(p*z) + factInv[n].hi
		}
		s = a + float64(float64(z*p)*a)
	} else {
		e, k := expDD(dd{a, 0})
		if k < 60 {
			i := dd{1, 0}.div(e)
			e = e.sub(i.times2(scale(1, -2*k)))
		}
		s = scale(e.hi, k-1)
	}
	return math.Copysign(s, x)
}

// Cosh returns the hyperbolic cosine of x.
func Cosh(x float64) float64 {
	a := math.Abs(x)
	switch {
	case x != x:
		return x
	case a > 711:
		return math.Inf(1)
	}
	e, k := expDD(dd{a, 0})
	if k < 60 {
		i := dd{1, 0}.div(e)
		e = e.add(i.times2(scale(1, -2*k)))
	}
	return scale(e.hi, k-1)
}

// Tanh returns the hyperbolic tangent of x.
func Tanh(x float64) float64 {
	a := math.Abs(x)
	switch {
	case x != x || a < 0x1p-28:
		return x
	case a > 20:
		return math.Copysign(1, x)
	}
	e, k := expm1DD(2 * a)
	e = e.times2(scale(1, k))
	return math.Copysign(e.div(e.addF(2)).hi, x)
}
