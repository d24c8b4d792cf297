package train

import (
	"fmt"
	"math"

	"synfire/engine/eqn"
	"synfire/engine/model"
)

// Surrogate stands for the derivative of a spike by what decides it: the distance of
// the two sides of the threshold's comparison, in units of Width.
type Surrogate struct {
	Name  string
	Shape func(x float64) float64
	Width float64 // SI; 0: 1 of a threshold without unit
	Dim   eqn.Dim // of Width
}

// FastSigmoid is 1/(1 + slope |x|)^2, of Zenke and Ganguli (2018).
func FastSigmoid(slope float64) Surrogate {
	return Surrogate{Name: "fast_sigmoid", Shape: func(x float64) float64 {
		y := 1 + float64(slope*math.Abs(x))
		return 1 / float64(y*y)
	}}
}

// Arctan is alpha/2 / (1 + (pi/2 alpha x)^2), of Fang et al. (2021).
func Arctan(alpha float64) Surrogate {
	return Surrogate{Name: "atan", Shape: func(x float64) float64 {
		y := math.Pi / 2 * alpha * x
		return alpha / 2 / (1 + float64(y*y))
	}}
}

// Boxcar is 1/(2 half) within +-half, 0 beyond: its area is 1.
func Boxcar(half float64) Surrogate {
	return Surrogate{Name: "boxcar", Shape: func(x float64) float64 {
		if math.Abs(x) > half {
			return 0
		}
		return 0.5 / half
	}}
}

// Triangle is gamma max(0, 1 - |x|), of Bellec et al. (2018, 2020).
func Triangle(gamma float64) Surrogate {
	return Surrogate{Name: "triangle", Shape: func(x float64) float64 { return gamma * max(0, 1-math.Abs(x)) }}
}

// of is the derivative in internal units of the threshold of a group.
func (s Surrogate) of(g *model.NeuronGroup) (func(x float64) float64, error) {
	e := g.Event("spike")
	dim, ok := compared(e.Cond, g.Scope(g.Net.Externals()))
	if !ok {
		return nil, fmt.Errorf("%s: the threshold %q compares nothing, so that a spike has no surrogate derivative", g.Name(), e.Cond)
	}
	width := s.Width
	switch {
	case dim.IsOne() && (width == 0 || !s.Dim.IsOne()): // a width with a unit is of the other groups
		return s.Shape, nil
	case width == 0:
		return nil, fmt.Errorf("%s: the threshold %q compares values of the unit %v: give the surrogate a width of that unit, such as the distance from rest to threshold (%s(..., width=15*mV))", g.Name(), e.Cond, dim, s.Name)
	case dim != s.Dim:
		return nil, fmt.Errorf("%s: the threshold %q compares values of the unit %v, but the surrogate's width has %v", g.Name(), e.Cond, dim, s.Dim)
	}
	width /= dim.Scale()
	return func(x float64) float64 { return s.Shape(x/width) / width }, nil
}

// compared finds the unit of the first comparison in a condition.
func compared(x eqn.Expr, sc eqn.Scope) (eqn.Dim, bool) {
	switch x := x.(type) {
	case *eqn.Binary:
		switch x.Op {
		case "<", "<=", ">", ">=":
			dim, _, err := eqn.Check(x.X, sc)
			if dim.IsOne() && err == nil { // 0 stands for any unit
				dim, _, err = eqn.Check(x.Y, sc)
			}
			return dim, err == nil
		}
		if dim, ok := compared(x.X, sc); ok {
			return dim, true
		}
		return compared(x.Y, sc)
	case *eqn.Unary:
		return compared(x.X, sc)
	}
	return eqn.Dim{}, false
}
