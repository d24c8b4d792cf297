package num

import "math"

// log1pDD returns k ln 2 + log(1 + f), for 1+f in [0.7, 1.42]. Relative error some 2^-70.
//
//	log(1+f) = 2 atanh(s) = 2 (s + s^3/3 + s^5/5 + ...),  s = f/(2+f)
func log1pDD(k int, f dd) dd {
	s := f.div(f.addF(2))
	z := s.mul(s)
	p := oddInv[15].hi
	for n := 14; n >= 5; n-- {
		p = float64(p*z.hi) + oddInv[n].hi
	}
	q := dd{p, 0}
	for n := 4; n >= 1; n-- {
		q = q.mul(z).add(oddInv[n])
	}
	r := s.add(s.mul(z).mul(q)).times2(2)
	if k == 0 {
		return r
	}
	t := twoSum(float64(float64(k)*ln2Hi), 0).add(twoProd(float64(k), ln2Mid))
	return t.add(r)
}

// logDD returns log x in two words, for finite x > 0.
func logDD(x float64) dd {
	m, k := exponent(x)
	if m > math.Sqrt2 {
		m, k = float64(0.5*m), k+1
	}
	return log1pDD(k, dd{m - 1, 0})
}

// Log returns the natural logarithm of x.
func Log(x float64) float64 {
	if v, ok := logSpecial(x); ok {
		return v
	}
	return logDD(x).hi
}

func logSpecial(x float64) (float64, bool) {
	switch {
	case x != x || math.IsInf(x, 1):
		return x, true
	case x == 0:
		return math.Inf(-1), true
	case x < 0:
		return math.NaN(), true
	}
	return 0, false
}

// Log1p returns log(1 + x).
func Log1p(x float64) float64 {
	switch {
	case x < -1:
		return math.NaN()
	case x == -1:
		return math.Inf(-1)
	case bad(x) || math.Abs(x) < 0x1p-54:
		return x
	case x > 0x1p60:
		return Log(x)
	}
	u := twoSum(1, x)
	m, k := exponent(u.hi)
	if m > math.Sqrt2 {
		m, k = float64(0.5*m), k+1
	}
	return log1pDD(k, twoSum(m-1, scale(u.lo, -k))).hi
}

var (
	inv2  = dd{1, 0}.div(logDD(2))  // 1/ln 2
	inv10 = dd{1, 0}.div(logDD(10)) // 1/ln 10
)

// Log2 returns the binary logarithm of x, exact for powers of two.
func Log2(x float64) float64 {
	if v, ok := logSpecial(x); ok {
		return v
	}
	m, k := exponent(x)
	if m > math.Sqrt2 {
		m, k = float64(0.5*m), k+1
	}
	return log1pDD(0, dd{m - 1, 0}).mul(inv2).addF(float64(k)).hi
}

// Log10 returns the decimal logarithm of x, exact for powers of ten.
func Log10(x float64) float64 {
	if v, ok := logSpecial(x); ok {
		return v
	}
	return logDD(x).mul(inv10).hi
}

// Pow returns x^y. Special cases as math.Pow.
func Pow(x, y float64) float64 {
	switch {
	case y == 0 || x == 1:
		return 1
	case x != x || y != y:
		return math.NaN()
	}
	whole := math.Floor(y) == y
	odd := whole && math.Abs(y) < 0x1p53 && int64(y)&1 != 0
	a := math.Abs(x)
	sign := 1.0
	if math.Signbit(x) && odd {
		sign = -1
	}
	switch {
	case math.IsInf(y, 0):
		switch {
		case a == 1:
			return 1
		case a > 1 == (y > 0):
			return math.Inf(1)
		}
		return 0
	case a == 0 || math.IsInf(a, 0):
		if (a == 0) == (y > 0) {
			return math.Copysign(0, sign)
		}
		return math.Copysign(math.Inf(1), sign)
	case x < 0 && !whole:
		return math.NaN()
	case y == 1:
		return x
	case y == 0.5:
		return sqrt(x)
	}
	if math.Abs(y) > 0x1p70 { // |log a| >= 2^-53 wherever a is not 1
		if a == 1 {
			return sign
		}
		return math.Copysign(Pow(a, math.Copysign(math.Inf(1), y)), sign)
	}
	p := logDD(a).mulF(y)
	switch {
	case p.hi > 709.79:
		return math.Copysign(math.Inf(1), sign)
	case p.hi < -745.2:
		return math.Copysign(0, sign)
	}
	e, k := expDD(p)
	return math.Copysign(scale(e.hi, k), sign)
}

// Cbrt returns the cube root of x.
func Cbrt(x float64) float64 {
	if bad(x) || x == 0 {
		return x
	}
	m, k := exponent(math.Abs(x))
	for k%3 != 0 {
		m, k = float64(2*m), k-1
	}
	// m in [1, 8): a line to start with, then Newton, the last step in two words.
	t := 0.75 + float64(0.17*m)
	for range 4 {
		t -= (t - m/float64(t*t)) / 3
	}
	r := dd{m, 0}.sub(twoProd(t, t).mulF(t))
	t += r.hi / float64(3*float64(t*t))
	return math.Copysign(scale(t, k/3), x)
}
