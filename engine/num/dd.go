package num

// dd is an unevaluated sum hi + lo with |lo| <= ulp(hi)/2: some 106 bits. (Dekker 1971; Knuth, TAOCP 2, 4.2.2.)
type dd struct{ hi, lo float64 }

// twoSum returns a+b exactly.
func twoSum(a, b float64) dd {
	s := a + b
	t := s - a
	return dd{s, (a - (s - t)) + (b - t)}
}

// fastSum returns a+b exactly where |a| >= |b| or a is 0.
func fastSum(a, b float64) dd {
	s := a + b
	return dd{s, b - (s - a)}
}

// split parts x into two halves of at most 26 bits; |x| < 2^996.
func split(x float64) (hi, lo float64) {
	t := float64(x * 134217729) // 2^27 + 1
	hi = t - (t - x)
	return hi, x - hi
}

// twoProd returns a*b exactly, unless a part of it is subnormal.
func twoProd(a, b float64) dd {
	p := float64(a * b)
	ah, al := split(a)
	bh, bl := split(b)
	e := float64(al*bl) - (((p - float64(ah*bh)) - float64(al*bh)) - float64(ah*bl))
	return dd{p, e}
}

func (a dd) add(b dd) dd {
	s := twoSum(a.hi, b.hi)
	t := twoSum(a.lo, b.lo)
	s = fastSum(s.hi, s.lo+t.hi)
	return fastSum(s.hi, s.lo+t.lo)
}

func (a dd) addF(b float64) dd {
	s := twoSum(a.hi, b)
	return fastSum(s.hi, s.lo+a.lo)
}

func (a dd) neg() dd     { return dd{-a.hi, -a.lo} }
func (a dd) sub(b dd) dd { return a.add(b.neg()) }

func (a dd) mul(b dd) dd {
	p := twoProd(a.hi, b.hi)
	return fastSum(p.hi, p.lo+(float64(a.hi*b.lo)+float64(a.lo*b.hi)))
}

func (a dd) mulF(b float64) dd {
	p := twoProd(a.hi, b)
	return fastSum(p.hi, p.lo+float64(a.lo*b))
}

// times2 returns a * p for a power of two p.
func (a dd) times2(p float64) dd { return dd{float64(a.hi * p), float64(a.lo * p)} }

func (a dd) div(b dd) dd {
	q := a.hi / b.hi
	r := a.sub(b.mulF(q))
	q1 := r.hi / b.hi
	r = r.sub(b.mulF(q1))
	s := fastSum(q, q1)
	return s.addF(r.hi / b.hi)
}

func (a dd) sqrt() dd {
	if a.hi <= 0 {
		return dd{}
	}
	h := sqrt(a.hi)
	r := a.sub(twoProd(h, h))
	return fastSum(h, r.hi/float64(2*h))
}

func (a dd) value() float64 { return a.hi + a.lo }

// ratio returns a/b in two words.
func ratio(a, b float64) dd { return dd{a, 0}.div(dd{b, 0}) }

// Coefficients in two words.
var (
	oddInv  = oddInverses()       // 1/(2n+1)
	factInv = factorialInverses() // 1/n!
)

func oddInverses() (c [32]dd) {
	for n := range c {
		c[n] = ratio(1, float64(2*n+1))
	}
	return c
}

func factorialInverses() (c [32]dd) {
	c[0] = dd{1, 0}
	for n := 1; n < len(c); n++ {
		c[n] = c[n-1].div(dd{float64(n), 0})
	}
	return c
}
