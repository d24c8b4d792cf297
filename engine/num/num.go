// Package num holds the host's float64 functions: exp, log, sin, pow, the matrix exponential, tables of distributions.
//
// Whatever the host works out and hands to a simulation (propagators, coefficients, threshold tables, the values of t)
// decides bits of its result. Those bits must be the same on every processor, so nothing here uses the transcendental
// functions of package math, whose assembly differs between architectures, and no product is left where a compiler
// might fuse it with a sum: each is converted, float64(x*y), as the language specification provides. What remains is
// + - * /, the square root, floor and integer operations, all of which IEEE 754 and the language define to the bit.
//
// Accuracy: every function is within 2 ulp (most within 0.6), as the tests measure against math/big. Special cases are
// those of the functions of the same name in package math, unless said otherwise.
//
// The method is the same throughout: reduce the argument exactly, keep what the reduction loses in a second word (see
// dd), sum a Taylor series in which only small terms are rounded, and add the leading term last.
package num

import "math"

const (
	// Log2e is 1/ln 2.
	log2e = 1.44269504088896340735992468100189214
	// ln2Hi has 32 significant bits, so that k*ln2Hi is exact for every exponent k.
	ln2Hi = 0x1.62e42feep-1
	ln2   = 0.693147180559945309417232121458176568075500134360255254120680009493393621969694715605863326996418687
	// ln2Mid has 53 bits; ln2Hi + ln2Mid is ln 2 to some 2^-86.
	ln2Mid = ln2 - ln2Hi
)

// exponent returns k and m with x = m * 2^k and m in [1, 2), for finite x > 0.
func exponent(x float64) (m float64, k int) {
	if x < 0x1p-1022 {
		x = float64(x * 0x1p54)
		k = -54
	}
	b := math.Float64bits(x)
	k += int(b>>52&0x7ff) - 1023
	return math.Float64frombits(b&(1<<52-1) | 1023<<52), k
}

// scale returns x * 2^k, rounded once (to a subnormal, to infinity or not at all).
func scale(x float64, k int) float64 {
	switch {
	case k > 1023:
		x = float64(x * 0x1p1023)
		if k -= 1023; k > 1023 {
			x = float64(x * 0x1p1023)
			if k -= 1023; k > 1023 {
				k = 1023
			}
		}
	case k < -1022:
		// The last step rounds, those before must not reach a subnormal that rounds: 2^-969 keeps 53 bits.
		x = float64(x * 0x1p-969)
		if k += 969; k < -1022 {
			x = float64(x * 0x1p-969)
			if k += 969; k < -1022 {
				k = -1022
			}
		}
	}
	return float64(x * math.Float64frombits(uint64(k+1023)<<52))
}

func bad(x float64) bool { return x != x || x-x != 0 }
