package eqn

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Dim is a physical dimension: the exponents of metre, kilogram, second,
// ampere, kelvin, mole and candela, each in units of 1/120, so that square and
// cube roots are exact. The zero value is a pure number. Dims compare with ==.
type Dim [7]int16

// Indices of Dim.
const (
	Metre = iota
	Kilogram
	Second
	Ampere
	Kelvin
	Mole
	Candela
)

const dimUnit = 120

// scaleExponent holds the powers of two of rule 8.
var scaleExponent = [7]int{Metre: -20, Kilogram: -40, Second: -10, Ampere: -40, Mole: -60}

func base(i int) (d Dim) { d[i] = dimUnit; return d }

// Mul is the dimension of a product.
func (d Dim) Mul(e Dim) Dim {
	for i := range d {
		d[i] = within(int(d[i]) + int(e[i]))
	}
	return d
}

// Div is the dimension of a quotient.
func (d Dim) Div(e Dim) Dim {
	for i := range d {
		d[i] = within(int(d[i]) - int(e[i]))
	}
	return d
}

// within keeps an exponent that Beyond tells of from turning into another one.
func within(n int) int16 { return int16(max(-math.MaxInt16, min(n, math.MaxInt16))) }

// mostExponent is beyond all use: some 266 times a unit.
const mostExponent = 32000

// Beyond says that an exponent is larger than can be kept: what has such a unit is an error.
func (d Dim) Beyond() bool {
	for _, n := range d {
		if n > mostExponent || n < -mostExponent {
			return true
		}
	}
	return false
}

// Pow is the dimension of a power; ok is false where an exponent would not be a
// multiple of 1/120 or grow beyond all use.
func (d Dim) Pow(p float64) (r Dim, ok bool) {
	for i := range d {
		x := float64(float64(d[i]) * p)
		n := math.Round(x)
		if math.Abs(x-n) > 1e-6 || math.Abs(n) > mostExponent || n != n {
			return Dim{}, false
		}
		r[i] = int16(n)
	}
	return r, true
}

// IsOne says that d is a pure number.
func (d Dim) IsOne() bool { return d == Dim{} }

// Scale is the power of two of design section 3, rule 8: a value in internal
// units is its SI value divided by Scale. Odd roots of units round the exponent;
// Lower corrects products and roots for that.
func (d Dim) Scale() float64 {
	e := 0
	for i := range d {
		e += int(d[i]) * scaleExponent[i]
	}
	return math.Ldexp(1, int(math.Floor(float64(e)/dimUnit+0.5)))
}

// String prints the dimension as a product of SI units, with a unit's own name
// where it has one: "volt", "amp", "metre ** 2 * second ** -1", "1".
func (d Dim) String() string {
	if d.IsOne() {
		return "1"
	}
	if n, ok := dimNames[d]; ok {
		return n
	}
	var parts []string
	for i, name := range [7]string{"metre", "kilogram", "second", "amp", "kelvin", "mole", "candela"} {
		switch {
		case d[i] == dimUnit:
			parts = append(parts, name)
		case d[i] != 0:
			parts = append(parts, name+" ** "+exponent(d[i]))
		}
	}
	return strings.Join(parts, " * ")
}

func exponent(n int16) string {
	if n%dimUnit == 0 {
		return strconv.Itoa(int(n) / dimUnit)
	}
	return strconv.FormatFloat(float64(n)/dimUnit, 'g', 4, 64)
}

// Quantity is a number with a dimension, in SI units.
type Quantity struct {
	Value float64
	Dim   Dim
}

// String prints the value with its base unit: "0.02 s" is "0.02 second".
func (q Quantity) String() string {
	v := strconv.FormatFloat(q.Value, 'g', -1, 64)
	if q.Dim.IsOne() {
		return v
	}
	return fmt.Sprintf("%s %s", v, q.Dim)
}

// Internal is the value in internal units, float64.
func (q Quantity) Internal() float64 { return q.Value / q.Dim.Scale() }
