package eqn

import (
	"math"

	"synfire/engine/num"
)

// function describes a built-in function: Brian2's DEFAULT_FUNCTIONS.
type function struct {
	args   []argRule
	ret    retRule
	typ    typeRule
	random bool
	eval   func(a []float64) float64 // float64, SI; nil for random ones
}

type argRule uint8

const (
	argOne   argRule = iota // dimensionless
	argAny                  // any dimension
	argFirst                // that of the first argument
	argTime                 // seconds
)

type retRule uint8

const (
	retOne retRule = iota
	retFirst
	retRoot // square root of the first
)

type typeRule uint8

const (
	typeFloat typeRule = iota
	typeInteger
	typeHighest
)

func real1(f func(float64) float64) function {
	return function{args: []argRule{argOne}, eval: func(a []float64) float64 { return f(a[0]) }}
}

var functions = map[string]function{
	"sin": real1(num.Sin), "cos": real1(num.Cos), "tan": real1(num.Tan),
	"sinh": real1(num.Sinh), "cosh": real1(num.Cosh), "tanh": real1(num.Tanh),
	"arcsin": real1(num.Asin), "arccos": real1(num.Acos), "arctan": real1(num.Atan),
	"exp": real1(num.Exp), "log": real1(num.Log), "log10": real1(num.Log10),
	"log1p": real1(num.Log1p), "expm1": real1(num.Expm1), "exprel": real1(num.Exprel),
	"sqrt":  {args: []argRule{argAny}, ret: retRoot, eval: func(a []float64) float64 { return math.Sqrt(a[0]) }},
	"ceil":  {args: []argRule{argAny}, ret: retFirst, eval: func(a []float64) float64 { return math.Ceil(a[0]) }},
	"floor": {args: []argRule{argAny}, ret: retFirst, eval: func(a []float64) float64 { return math.Floor(a[0]) }},
	"abs":   {args: []argRule{argAny}, ret: retFirst, typ: typeHighest, eval: func(a []float64) float64 { return math.Abs(a[0]) }},
	"sign":  {args: []argRule{argAny}, typ: typeHighest, eval: func(a []float64) float64 { return sign(a[0]) }},
	"clip": {args: []argRule{argAny, argFirst, argFirst}, ret: retFirst, typ: typeHighest,
		eval: func(a []float64) float64 { return min(max(a[0], a[1]), a[2]) }},
	"int":      {args: []argRule{argOne}, typ: typeInteger, eval: func(a []float64) float64 { return math.Trunc(a[0]) }},
	"timestep": {args: []argRule{argTime, argTime}, typ: typeInteger, eval: func(a []float64) float64 { return timestep(a[0], a[1]) }},
	"rand":     {random: true},
	"randn":    {random: true},
	"poisson":  {args: []argRule{argOne}, typ: typeInteger, random: true},

	binomialName: {args: []argRule{}, random: true},
	// mean, sd, low, high: NEST's redraw, the normal distribution restricted to the interval
	"truncated_normal": {args: []argRule{argAny, argFirst, argFirst, argFirst}, ret: retFirst, random: true},
}

// phaseFunc reduces a phase modulo 2 pi on the host; Lower puts it in.
const phaseFunc = "_phase"

// rowFunc is the row of a TimedArray for a time; Lower puts it in.
const rowFunc = "_row"

func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}

// timestep is Brian2's: the step of a time, with a thousandth of a step to spare.
func timestep(t, dt float64) float64 { return math.Trunc((t + float64(1e-3*dt)) / dt) }

func phase(x float64) float64 {
	const turn = 2 * math.Pi
	return x - float64(turn*math.Floor(x/turn))
}

func floorMod(x, y float64) float64 {
	r := math.Mod(x, y)
	if r != 0 && (r < 0) != (y < 0) {
		r += y
	}
	return r
}
