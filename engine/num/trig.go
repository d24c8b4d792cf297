package num

import (
	"math"
	"math/big"
	"sync"
)

// Pi in three words, each exact.
const (
	pi  = 3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534211706798214808651
	pi1 = 0x1.921fb54442d18p+1
	pi2 = 0x1.1a62633145c07p-53
	pi3 = pi - pi1 - pi2
)

// Sin returns the sine of x, in radian.
func Sin(x float64) float64 {
	if bad(x) {
		return math.NaN()
	}
	if math.Abs(x) < 0x1p-27 {
		return x
	}
	r, q := reduce(x)
	return quadrant(r, q).value()
}

// Cos returns the cosine of x, in radian.
func Cos(x float64) float64 {
	if bad(x) {
		return math.NaN()
	}
	r, q := reduce(x)
	return quadrant(r, q+1).value()
}

// Tan returns the tangent of x, in radian.
func Tan(x float64) float64 {
	if bad(x) {
		return math.NaN()
	}
	if math.Abs(x) < 0x1p-27 {
		return x
	}
	r, q := reduce(x)
	return quadrant(r, q).div(quadrant(r, q+1)).hi
}

// quadrant returns sin(r + q pi/2) for |r| <= pi/4 and a little.
func quadrant(r dd, q int) dd {
	var v dd
	if q&1 == 0 {
		v = sinDD(r)
	} else {
		v = cosDD(r)
	}
	if q&2 != 0 {
		return v.neg()
	}
	return v
}

func sinDD(r dd) dd {
	x := r.hi
	z := float64(x * x)
	p := -factInv[19].hi
	for n := 17; n >= 3; n -= 2 {
		c := factInv[n].hi
		if n&2 != 0 {
			c = -c
		}
		p = float64(p*z) + c
	}
	return fastSum(x, float64(float64(x*z)*p)+(r.lo-float64(float64(0.5*z)*r.lo)))
}

func cosDD(r dd) dd {
	x := r.hi
	z := twoProd(x, x)
	p := -factInv[18].hi
	for n := 16; n >= 4; n -= 2 {
		c := factInv[n].hi
		if n&2 != 0 {
			c = -c
		}
		p = float64(p*z.hi) + c
	}
	s := fastSum(1, -0.5*z.hi)
	return fastSum(s.hi, s.lo+(float64(float64(z.hi*z.hi)*p)-(0.5*z.lo+float64(x*r.lo))))
}

// reduce returns r and q with x = r + q pi/2 modulo 2 pi, |r| <= pi/4 and a little. The error of r is below 2^-115 for
// |x| <= 1e9, where no float64 comes nearer to a multiple of pi/2 than some 2^-62; beyond, integers do the work.
func reduce(x float64) (r dd, q int) {
	if math.Abs(x) <= 0.78 {
		return dd{x, 0}, 0
	}
	if math.Abs(x) > 1e9 {
		return reduceBig(x)
	}
	f := math.Floor(float64(x*(2/pi)) + 0.5)
	p := twoProd(f, pi1/2)
	a := twoSum(x-p.hi, -p.lo) // the first difference is exact
	p = twoProd(f, pi2/2)
	b := twoSum(a.hi, -p.hi)
	c := twoSum(a.lo, -p.lo)
	d := twoSum(b.lo, c.hi)
	s := twoSum(b.hi, d.hi)
	s = twoSum(s.hi, s.lo+(d.lo+(c.lo-float64(f*(pi3/2)))))
	return s, int(int64(f) & 3)
}

const bigBits = 1400 // of pi: 1024 for the largest argument, 300 to spare

// bigPi returns floor(pi 2^bigBits) by Machin's formula, pi = 16 atan(1/5) - 4 atan(1/239).
var bigPi = sync.OnceValue(func() *big.Int {
	const guard = 32
	atanInv := func(n int64) *big.Int {
		t := new(big.Int).Lsh(big.NewInt(1), bigBits+guard)
		t.Quo(t, big.NewInt(n))
		s, u, n2 := new(big.Int).Set(t), new(big.Int), big.NewInt(n*n)
		for k := int64(1); t.Sign() != 0; k++ {
			t.Quo(t, n2)
			u.Quo(t, big.NewInt(2*k+1))
			if k&1 == 1 {
				s.Sub(s, u)
			} else {
				s.Add(s, u)
			}
		}
		return s
	}
	p := new(big.Int).Mul(atanInv(5), big.NewInt(16))
	p.Sub(p, new(big.Int).Mul(atanInv(239), big.NewInt(4)))
	return p.Rsh(p, guard)
})

func reduceBig(x float64) (r dd, q int) {
	half := new(big.Int).Rsh(bigPi(), 1) // pi/2
	m, k := exponent(math.Abs(x))
	v := big.NewInt(int64(float64(m * 0x1p52)))
	v.Lsh(v, uint(bigBits+k-52))
	// The product of the quotient and the error of pi stays below 2^(1024-1400).
	n, rest := new(big.Int), new(big.Int)
	n.QuoRem(v, half, rest)
	if twice := new(big.Int).Lsh(rest, 1); twice.Cmp(half) > 0 {
		rest.Sub(rest, half)
		n.Add(n, big.NewInt(1))
	}
	q = int(new(big.Int).And(n, big.NewInt(3)).Int64())
	f := new(big.Float).SetPrec(bigBits).SetInt(rest)
	f.SetMantExp(f, -bigBits)
	hi, _ := f.Float64()
	lo, _ := new(big.Float).Sub(f, new(big.Float).SetFloat64(hi)).Float64()
	if x < 0 {
		return dd{-hi, -lo}, -q & 3
	}
	return dd{hi, lo}, q
}
