package num

import (
	"fmt"
	"math"
)

// Bernoulli numbers B2n/(2n(2n-1)) of Stirling's series.
var stirling = [...]dd{
	ratio(1, 12), ratio(-1, 360), ratio(1, 1260), ratio(-1, 1680), ratio(1, 1188),
	ratio(-691, 360360), ratio(1, 156), ratio(-3617, 122400), ratio(43867, 244188), ratio(-174611, 125400),
	ratio(77683, 5796), ratio(-236364091, 1506960),
}

// LogGamma returns the natural logarithm of the gamma function for x > 0; NaN below 0, +Inf at 0.
func LogGamma(x float64) float64 {
	switch {
	case x < 0 || x != x:
		return math.NaN()
	case x == 0 || math.IsInf(x, 1):
		return math.Inf(1)
	case x == 1 || x == 2:
		return 0
	case x < 0x1p-60:
		return -Log(x)
	}
	return logGamma(x).hi
}

// logGamma returns log Gamma(x) in two words, to some 2^-70 of its largest term.
func logGamma(x float64) dd {
	// Gamma(x) = Gamma(x+n)/(x(x+1)...(x+n-1)) moves x to where Stirling's series serves.
	prod, y := dd{1, 0}, dd{x, 0}
	for y.hi < 20 {
		prod = prod.mul(y)
		y = y.addF(1)
	}
	l := logOf(y)
	s := y.addF(-0.5).mul(l).sub(y).add(logSqrt2Pi)
	if y.hi < 1e30 {
		z := dd{1, 0}.div(y)
		z2 := z.mul(z)
		t := stirling[len(stirling)-1]
		for i := len(stirling) - 2; i >= 0; i-- {
			t = t.mul(z2).add(stirling[i])
		}
		s = s.add(t.mul(z))
	}
	if x < 20 {
		s = s.sub(logOf(prod))
	}
	return s
}

// logOf returns log x in two words, to some 2^-70 of 1 or of itself, for x > 0.
func logOf(x dd) dd {
	m, k := exponent(x.hi)
	if m > math.Sqrt2 {
		m, k = float64(0.5*m), k+1
	}
	return log1pDD(k, twoSum(m-1, scale(x.lo, -k)))
}

// tail is what the tables of this file leave out at their upper end: half of what a 32-bit word can tell.
const tail = 0x1p-33

// PoissonTable returns the cumulative distribution of the Poisson distribution: element k is the probability of at most
// k events, the last element at least 1 - 2^-33. A mean of 0 gives {1}; one that is negative, not a number or above
// 1e7 is an error.
func PoissonTable(mean float64) ([]float64, error) {
	if !(mean >= 0 && mean <= 1e7) {
		return nil, fmt.Errorf("poisson: mean %g is outside 0 to 1e7", mean)
	}
	if mean == 0 {
		return []float64{1}, nil
	}
	mode := math.Floor(mean)
	top := logDD(mean).mulF(mode).addF(-mean).sub(logGamma(mode + 1))
	return cumulate(int(mode), top, math.MaxInt,
		func(k int) float64 { return mean / float64(k) }), nil
}

// BinomialTable returns the cumulative distribution of the number of successes in n trials of probability p: element k
// is the probability of at most k, the last element at least 1 - 2^-33.
func BinomialTable(n int, p float64) ([]float64, error) {
	if n < 0 || n > 1e9 || !(p >= 0 && p <= 1) {
		return nil, fmt.Errorf("binomial: n = %d, p = %g: n must be within 0 and 1e9, p within 0 and 1", n, p)
	}
	switch {
	case n == 0 || p == 0:
		return []float64{1}, nil
	case p == 1:
		t := make([]float64, n+1)
		t[n] = 1
		return t, nil
	case float64(float64(n)*p) > 1e7:
		return nil, fmt.Errorf("binomial: mean %g is above 1e7", float64(float64(n)*p))
	}
	mode := min(int(math.Floor(float64(float64(n+1)*p))), n)
	m, r := float64(mode), float64(n-mode)
	top := logGamma(float64(n) + 1).sub(logGamma(m + 1)).sub(logGamma(r + 1))
	top = top.add(logDD(p).mulF(m)).add(logOf(twoSum(1, -p)).mulF(r))
	odds := p / (1 - p)
	return cumulate(mode, top, n,
		func(k int) float64 { return float64(float64(n-k+1)*odds) / float64(k) }), nil
}

// PoissonTails is for means so small that 32 bits do not tell one event: element k is the probability of more than k, the
// last one above 2^-64.
func PoissonTails(mean float64) []float64 {
	return tails(float64(mean*Exp(-mean)), func(k int) float64 { return mean / float64(k) })
}

// BinomialTails is PoissonTails for the number of successes in n trials of probability p.
func BinomialTails(n int, p float64) []float64 {
	odds := p / (1 - p)
	return tails(float64(float64(float64(n)*p)*Exp(float64(float64(n-1)*Log1p(-p)))),
		func(k int) float64 { return float64(float64(n-k+1)*odds) / float64(k) })
}

// tails sums the probabilities that follow from that of 1 and ratio(k) = P(k)/P(k-1), from the least on.
func tails(p float64, ratio func(k int) float64) []float64 {
	var t []float64
	for k := 2; p > 0x1p-64; k++ {
		t = append(t, p)
		p = float64(p * ratio(k))
	}
	for k := len(t) - 2; k >= 0; k-- {
		t[k] += t[k+1]
	}
	return t
}

// cumulate sums the probabilities that follow from top = log P(mode) and ratio(k) = P(k)/P(k-1), up to last.
func cumulate(mode int, top dd, last int, ratio func(k int) float64) []float64 {
	t := make([]float64, mode+1, mode+16)
	e, x := expDD(top)
	t[mode] = scale(e.hi, x)
	for k := mode; k > 0 && t[k] > 0; k-- {
		t[k-1] = t[k] / ratio(k)
	}
	// Upwards while what follows, at most a geometric series, still counts.
	for k, p := mode+1, t[mode]; k <= last; k++ {
		r := ratio(k)
		p = float64(p * r)
		t = append(t, p)
		if r < 1 && float64(p*r) < (1-r)*(tail/4) {
			break
		}
	}
	var sum, low float64
	for k, p := range t {
		s := twoSum(sum, p)
		sum, low = s.hi, low+s.lo
		t[k] = min(sum+low, 1)
		if k > 0 {
			t[k] = max(t[k], t[k-1])
		}
		if 1-t[k] <= tail && k >= mode {
			return t[:k+1]
		}
	}
	t[len(t)-1] = 1 // reached only where the last element is n of n
	return t
}
