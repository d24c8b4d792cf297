package num

import "math"

var (
	piDD    = dd{pi1, pi2}
	halfPi  = dd{pi1 / 2, pi2 / 2}
	atanTab = atanTable() // atan(i/8)
)

func atanTable() (tab [9]dd) {
	// atan(i/8) - atan((i-1)/8) = atan(8/(64 + i(i-1)))
	for i := 1; i < len(tab); i++ {
		t := ratio(8, float64(64+i*(i-1)))
		z := t.mul(t).neg()
		s := oddInv[20]
		for n := 19; n >= 0; n-- {
			s = s.mul(z).add(oddInv[n])
		}
		tab[i] = tab[i-1].add(s.mul(t))
	}
	return tab
}

// atanDD returns atan t for t in [0, 1].
func atanDD(t dd) dd {
	i := int(math.Floor(float64(t.hi*8) + 0.5))
	c := float64(i) / 8
	u := t
	if i > 0 {
		u = t.addF(-c).div(t.mulF(c).addF(1))
	}
	// |u| <= 1/16
	z := float64(u.hi * u.hi)
	p := oddInv[7].hi
	for n := 6; n >= 1; n-- {
		p = oddInv[n].hi - float64(p*z)
	}
	s := fastSum(u.hi, u.lo-float64(float64(u.hi*z)*p))
	return atanTab[i].add(s)
}

// angle returns the argument of x + iy in [0, pi], for y >= 0, both finite and not both 0.
func angle(y, x dd) dd {
	ax := x
	if x.hi < 0 {
		ax = x.neg()
	}
	var a dd
	if y.hi <= ax.hi {
		a = atanDD(y.div(ax))
	} else {
		a = halfPi.sub(atanDD(ax.div(y)))
	}
	if x.hi < 0 {
		return piDD.sub(a)
	}
	return a
}

// Atan returns the arctangent of x.
func Atan(x float64) float64 {
	a := math.Abs(x)
	switch {
	case x != x || a < 0x1p-27:
		return x
	case a > 0x1p60:
		return math.Copysign(pi1/2, x)
	}
	return math.Copysign(angle(dd{a, 0}, dd{1, 0}).hi, x)
}

// Atan2 returns the angle of the point (x, y), in (-pi, pi].
func Atan2(y, x float64) float64 {
	switch {
	case x != x || y != y:
		return math.NaN()
	case y == 0:
		if math.Signbit(x) {
			return math.Copysign(pi1, y)
		}
		return math.Copysign(0, y)
	case x == 0 || math.IsInf(y, 0) && !math.IsInf(x, 0):
		return math.Copysign(pi1/2, y)
	case math.IsInf(x, 0):
		var a float64
		switch {
		case math.IsInf(y, 0) && x > 0:
			a = pi1 / 4
		case math.IsInf(y, 0):
			a = 3 * pi1 / 4
		case x < 0:
			a = pi1
		}
		return math.Copysign(a, y)
	}
	my, ky := exponent(math.Abs(y))
	mx, kx := exponent(math.Abs(x))
	d := ky - kx
	switch {
	case d > 70:
		return math.Copysign(pi1/2, y)
	case d < -70:
		if x < 0 {
			return math.Copysign(pi1, y)
		}
		return math.Copysign(scale(ratio(my, mx).hi, d), y)
	}
	return math.Copysign(angle(dd{scale(my, d), 0}, dd{math.Copysign(mx, x), 0}).hi, y)
}

// Asin returns the arcsine of x.
func Asin(x float64) float64 {
	a := math.Abs(x)
	switch {
	case x != x || a > 1:
		return math.NaN()
	case a < 0x1p-27:
		return x
	}
	return math.Copysign(angle(dd{a, 0}, coside(a)).hi, x)
}

// Acos returns the arccosine of x.
func Acos(x float64) float64 {
	if x != x || math.Abs(x) > 1 {
		return math.NaN()
	}
	if x == 1 {
		return 0
	}
	return angle(coside(x), dd{x, 0}).hi
}

// coside returns sqrt(1 - x^2).
func coside(x float64) dd { return twoProd(x, x).neg().addF(1).sqrt() }
