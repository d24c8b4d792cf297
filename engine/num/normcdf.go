package num

import "math"

// NormCDF is the probability that a standard normal number is at most x; its
// relative error stays below 1e-12 in either tail.
func NormCDF(x float64) float64 {
	switch {
	case x != x:
		return x
	case x > 0:
		return 1 - NormCDF(-x)
	case x < -39:
		return 0
	}
	z := float64(x * x)
	density := Exp(-z/2) / sqrt2Pi
	if x > -3 { // 1/2 + density (x + x^3/3 + x^5/(3*5) + ...)
		t, s := x, x
		for n := 3.0; n < 200; n += 2 {
			t = float64(t*z) / n
			if s+t == s {
				break
			}
			s += t
		}
		return 0.5 + float64(density*s)
	}
	// density/(x + 1/(x + 2/(x + 3/(x + ...)))), from the inside
	f := 0.0
	for n := 200.0; n >= 1; n-- {
		f = n / (math.Abs(x) + f)
	}
	return density / (math.Abs(x) + f)
}
