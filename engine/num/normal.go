package num

import "math"

const sqrt2Pi = 2.50662827463100050241576528481104525

var (
	sqrt2PiDD  = piDD.times2(2).sqrt()
	logSqrt2Pi = logOf(piDD.times2(2)).times2(0.5)
)

// NormInv returns the x below which a standard normal number stays with probability p, the inverse of
//
//	Phi(x) = integral from -inf to x of exp(-t^2/2)/sqrt(2 pi) dt
//
// -Inf at 0, +Inf at 1, NaN outside [0, 1].
func NormInv(p float64) float64 {
	switch {
	case !(p >= 0 && p <= 1):
		return math.NaN()
	case p == 0:
		return math.Inf(-1)
	case p == 1:
		return math.Inf(1)
	case p == 0.5:
		return 0
	}
	// Near the middle p - 1/2 is exact, in the tails p or 1-p is.
	if p >= 0.25 && p <= 0.75 {
		return centralInv(p - 0.5)
	}
	if p < 0.5 {
		return -tailInv(p)
	}
	return tailInv(1 - p)
}

// centralInv solves Phi(x) - 1/2 = d for |d| <= 1/4, by Halley's iteration.
func centralInv(d float64) float64 {
	x := float64(sqrt2Pi * d)
	for range 6 {
		z := float64(x * x)
		// (Phi(x) - 1/2)/phi(x) = x + x^3/3 + x^5/(3*5) + ...
		t, s := x, 0.0
		for n := 3.0; ; n += 2 {
			t = float64(t*z) / n
			if s+t == s {
				break
			}
			s += t
		}
		// less the same for d, the leading terms last
		g, _ := expDD(twoProd(x, x).times2(0.5))
		w := g.mul(sqrt2PiDD.mulF(d))
		e := (x - w.hi) + (s - w.lo)
		step := e / (1 + float64(float64(0.5*x)*e))
		x -= step
		if math.Abs(step) <= math.Abs(x)*0x1p-36 {
			break
		}
	}
	return x
}

// tailInv solves 1 - Phi(x) = q for 0 < q <= 1/4.
func tailInv(q float64) float64 {
	// log q = -x^2/2 - log(sqrt(2 pi)) + log M(x), with M(x) the Mills ratio: solved for x^2, to start.
	lq := logDD(q).add(logSqrt2Pi).hi
	x := sqrt(max(float64(-2*lq), 0.2))
	for range 3 {
		x = sqrt(max(float64(-2*(lq+Log(x+0.8/(x+0.6)))), 0.2))
	}
	for range 6 {
		// The difference of the logarithms, by Halley: f = log(M phi) - log q, f' = -1/M, f'' = (x - 1/M)/M.
		m := mills(x)
		h := -0.5 * float64(x*x)
		hl := -0.5 * twoProd(x, x).lo
		f := Log(m) + ((h - lq) + hl)
		if x < 5 { // without the rounding of a large logarithm
			f = Log1p((float64(float64(m*Exp(h))*(1+hl)) - float64(q*sqrt2Pi)) / float64(q*sqrt2Pi))
		}
		r := 1 / m
		step := float64(f*m) / (1 + float64(float64(0.5*f)*float64(m*(r-x))))
		x += step
		if math.Abs(step) <= x*0x1p-36 {
			break
		}
	}
	return x
}

// mills returns (1 - Phi(x))/phi(x) for x >= 0.6, by Laplace's continued fraction 1/(x + 1/(x + 2/(x + 3/(x + ...)))).
func mills(x float64) float64 {
	// Cutting after n terms costs exp(-2 x sqrt(n)) or so; less, where the rest is taken as v = x + n/v.
	n := math.Floor(260/float64(x*x)) + 20
	v := 0.5 * (x + sqrt(float64(x*x)+float64(4*n)))
	for ; n >= 1; n-- {
		v = x + n/v
	}
	return 1 / v
}
