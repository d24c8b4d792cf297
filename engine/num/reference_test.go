package num

import (
	"math"
	"math/big"
	"testing"
)

// The reference: Taylor series in math/big, with prec bits, written without regard for speed.
const prec = 320

func num(x float64) *big.Float       { return new(big.Float).SetPrec(prec).SetFloat64(x) }
func mul(a, b *big.Float) *big.Float { return new(big.Float).SetPrec(prec).Mul(a, b) }
func quo(a, b *big.Float) *big.Float { return new(big.Float).SetPrec(prec).Quo(a, b) }
func add(a, b *big.Float) *big.Float { return new(big.Float).SetPrec(prec).Add(a, b) }
func sub(a, b *big.Float) *big.Float { return new(big.Float).SetPrec(prec).Sub(a, b) }

// small reports whether t no longer counts against s.
func small(t, s *big.Float) bool {
	return t.Sign() == 0 || s.Sign() != 0 && t.MantExp(nil) < s.MantExp(nil)-prec
}

func refExp(x *big.Float) *big.Float {
	if x.Sign() == 0 {
		return num(1)
	}
	// e^x = (e^(x/2^k))^(2^k)
	k := max(x.MantExp(nil)+12, 0)
	r := new(big.Float).SetPrec(prec).SetMantExp(x, -k)
	s, t := num(1), num(1)
	for n := 1; ; n++ {
		t = quo(mul(t, r), num(float64(n)))
		if small(t, s) {
			break
		}
		s = add(s, t)
	}
	for range k {
		s = mul(s, s)
	}
	return s
}

func refExpm1(x *big.Float) *big.Float {
	if x.MantExp(nil) > -20 {
		return sub(refExp(x), num(1))
	}
	s, t := new(big.Float).Copy(x), new(big.Float).Copy(x)
	for n := 2; !small(t, s); n++ {
		t = quo(mul(t, x), num(float64(n)))
		s = add(s, t)
	}
	return s
}

var refLn2 = func() *big.Float { return mul(num(2), refAtanh(quo(num(1), num(3)))) }()

func refAtanh(s *big.Float) *big.Float {
	sum, t, z := new(big.Float).Copy(s), new(big.Float).Copy(s), mul(s, s)
	for n := 3; !small(t, sum); n += 2 {
		t = mul(t, z)
		sum = add(sum, quo(t, num(float64(n))))
	}
	return sum
}

func refLog(x *big.Float) *big.Float {
	m := new(big.Float).SetPrec(prec)
	k := x.MantExp(m)
	if m.Cmp(num(0.7)) < 0 {
		m, k = add(m, m), k-1
	}
	l := mul(num(2), refAtanh(quo(sub(m, num(1)), add(m, num(1)))))
	return add(l, mul(num(float64(k)), refLn2))
}

func refPow(x, y float64) *big.Float { return refExp(mul(num(y), refLog(num(x)))) }

func refAtan(x *big.Float) *big.Float {
	// atan x = 2 atan(x/(1 + sqrt(1 + x^2)))
	x = new(big.Float).Copy(x)
	for range 8 {
		r := new(big.Float).SetPrec(prec).Sqrt(add(num(1), mul(x, x)))
		x = quo(x, add(num(1), r))
	}
	sum, t, z := new(big.Float).Copy(x), new(big.Float).Copy(x), mul(x, x)
	for n := 3; !small(t, sum); n += 2 {
		t = new(big.Float).Neg(mul(t, z))
		sum = add(sum, quo(t, num(float64(n))))
	}
	return mul(sum, num(256))
}

func refSinCos(x float64) (sin, cos *big.Float) {
	const p = 1600
	f := func(v float64) *big.Float { return new(big.Float).SetPrec(p).SetFloat64(v) }
	two := new(big.Float).SetPrec(p).SetInt(bigPi())
	two.SetMantExp(two, 1-bigBits)
	q := new(big.Float).SetPrec(p).Quo(f(x), two)
	i, _ := q.Int(nil)
	r := new(big.Float).SetPrec(p).Sub(f(x), new(big.Float).SetPrec(p).Mul(new(big.Float).SetPrec(p).SetInt(i), two))
	r.SetPrec(prec)
	sin, cos = new(big.Float).Copy(r), num(1)
	t := num(1)
	t = mul(t, r)
	if r.Sign() == 0 {
		return num(0), num(1)
	}
	for n := 2; n < 140; n++ {
		t = quo(mul(t, r), num(float64(n)))
		u := t
		if n&2 != 0 {
			u = new(big.Float).Neg(t)
		}
		if n&1 == 0 {
			cos = add(cos, u)
		} else {
			sin = add(sin, u)
		}
	}
	return sin, cos
}

// refTail returns the probability that a standard normal number is above x, for x >= 0.
func refTail(x float64) *big.Float {
	bx := num(x)
	phi := quo(refExp(mul(num(-0.5), mul(bx, bx))), new(big.Float).SetPrec(prec).Sqrt(mul(num(2), refPi())))
	if x > 6 {
		// The continued fraction of the Mills ratio.
		v := bx
		for n := 3000; n >= 1; n-- {
			v = add(bx, quo(num(float64(n)), v))
		}
		return quo(phi, v)
	}
	s, t, z := new(big.Float).Copy(bx), new(big.Float).Copy(bx), mul(bx, bx)
	for n := 3; !small(t, s); n += 2 {
		t = quo(mul(t, z), num(float64(n)))
		s = add(s, t)
	}
	return sub(num(0.5), mul(phi, s))
}

func refPi() *big.Float {
	p := new(big.Float).SetPrec(prec).SetInt(bigPi())
	return p.SetMantExp(p, -bigBits)
}

// ulps returns |got - want| in units of the last place of want.
func ulps(got float64, want *big.Float) float64 {
	w, _ := want.Float64()
	if math.IsInf(w, 0) || math.IsInf(got, 0) || got != got {
		if got == w {
			return 0
		}
		return math.Inf(1)
	}
	ulp := math.Nextafter(math.Abs(w), math.Inf(1)) - math.Abs(w)
	d := sub(num(got), want)
	u, _ := quo(d, num(ulp)).Float64()
	return math.Abs(u)
}

func TestReferenceAgreesWithMath(t *testing.T) {
	// The reference itself, against what everybody uses: a slip in it would hide slips in the package.
	s, c := refSinCos(2.5)
	for _, k := range []struct {
		name string
		got  *big.Float
		want float64
	}{
		{"exp", refExp(num(-3.25)), math.Exp(-3.25)}, {"expm1", refExpm1(num(1e-9)), math.Expm1(1e-9)},
		{"log", refLog(num(17)), math.Log(17)}, {"atan", refAtan(num(0.7)), math.Atan(0.7)},
		{"sin", s, math.Sin(2.5)}, {"cos", c, math.Cos(2.5)}, {"pi", refPi(), math.Pi},
		{"tail", refTail(1.5), math.Erfc(1.5/math.Sqrt2) / 2}, {"far tail", refTail(9), math.Erfc(9/math.Sqrt2) / 2},
	} {
		if u := ulps(k.want, k.got); u > 10 {
			t.Errorf("%s: the reference gives %v, package math %v: %.1f ulp", k.name, k.got.Text('g', 20), k.want, u)
		}
	}
}
