package script

import (
	"fmt"
	"math"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"synfire/engine/num"
	"synfire/engine/script/argument"
	"synfire/engine/script/array"
	"synfire/engine/script/memory"
)

// Here stand some functions of SciPy that scripts of models use: a regression, a root, a truncated normal distribution.

func (x *script) scipyStats() starlark.StringDict {
	return starlark.StringDict{
		"linregress": fn("linregress", "x y", func(c argument.Call) (starlark.Value, error) {
			a, err := values(c.Val["x"])
			if err != nil {
				return nil, err
			}
			b, err := values(c.Val["y"])
			switch {
			case err != nil:
				return nil, err
			case len(a.V) != len(b.V):
				return nil, fmt.Errorf("linregress() takes as many x as y, not %d and %d", len(a.V), len(b.V))
			case len(a.V) < 2:
				return nil, fmt.Errorf("linregress() takes two points at least, not %d", len(a.V))
			case !a.Dim.IsOne() || !b.Dim.IsOne():
				return nil, withHint("divide by a unit: linregress(t/ms, v/mV)", "linregress() takes pure numbers")
			}
			return regression(a.V, b.V)
		}),
		"truncnorm": &pymodule{name: "scipy.stats.truncnorm", members: starlark.StringDict{"rvs": fn("rvs", "a b / loc=0 scale=1 size random_state", func(c argument.Call) (starlark.Value, error) {
			return x.truncatedNormal(c)
		})}},
	}
}

// regression is SciPy's linregress: slope, intercept, correlation, probability (left out: nan) and standard error.
func regression(a, b []float64) (starlark.Value, error) {
	n := float64(len(a))
	var ma, mb, aa, ab, bb float64
	for k := range a {
		ma, mb = ma+a[k]/n, mb+b[k]/n
	}
	for k := range a {
		x, y := a[k]-ma, b[k]-mb
		aa, ab, bb = aa+float64(x*x), ab+float64(x*y), bb+float64(y*y)
	}
	if aa == 0 {
		return nil, fmt.Errorf("linregress(): all x are equal")
	}
	slope, r := ab/aa, 0.0
	if bb > 0 {
		r = math.Max(-1, math.Min(1, ab/math.Sqrt(float64(aa*bb))))
	}
	stderr := 0.0
	if n > 2 {
		stderr = math.Sqrt(float64(1-float64(r*r)) * bb / aa / (n - 2))
	}
	v := map[string]float64{"slope": slope, "intercept": mb - float64(slope*ma), "rvalue": r, "pvalue": math.NaN(), "stderr": stderr}
	named := &namedTuple{names: []string{"slope", "intercept", "rvalue", "pvalue", "stderr"}}
	for _, name := range named.names {
		named.Tuple = append(named.Tuple, starlark.Float(v[name]))
	}
	return named, nil
}

// namedTuple is a tuple whose elements have names.
type namedTuple struct {
	starlark.Tuple
	names []string
}

func (f *namedTuple) AttrNames() []string { return f.names }
func (f *namedTuple) Attr(name string) (starlark.Value, error) {
	for k, n := range f.names {
		if n == name {
			return f.Tuple[k], nil
		}
	}
	return nil, nil
}

// truncatedNormal draws by the inverse of the distribution's function.
func (x *script) truncatedNormal(c argument.Call) (starlark.Value, error) {
	arg := map[string][]float64{"loc": {0}, "scale": {1}}
	n, one := 1, true
	for _, name := range []string{"a", "b", "loc", "scale"} {
		if !c.Has(name) {
			continue
		}
		o, ok, err := array.OperandOf(c.Val[name])
		if err == nil && (!ok || !o.Dim.IsOne()) {
			err = fmt.Errorf("rvs(%s=) takes pure numbers, not %s", name, array.Describe(c.Val[name]))
		}
		if err != nil {
			return nil, err
		}
		if arg[name] = o.V; !o.One {
			if !one && len(o.V) != n {
				return nil, fmt.Errorf("rvs(): %s has %d values, others have %d", name, len(o.V), n)
			}
			n, one = len(o.V), false
		}
	}
	if c.Has("size") {
		k, err := array.ToInt(c.Val["size"])
		if err != nil || k < 0 || !one && k != n {
			return nil, fmt.Errorf("rvs(size=) takes a number of values, not %s", array.Describe(c.Val["size"]))
		}
		n, one = k, false
	}
	if err := memory.Room(n, 8); err != nil {
		return nil, err
	}
	v := make([]float64, n)
	x.draw("truncnorm", v)
	at := func(name string, k int) float64 { return arg[name][k%len(arg[name])] }
	for k, u := range v {
		a, b := at("a", k), at("b", k)
		if !(a < b) || !(at("scale", k) > 0) {
			return nil, fmt.Errorf("rvs(): the lower bound %g lies not below the upper one, %g, or scale is not above 0", a, b)
		}
		flip := a > 0 // in the lower tail numbers have more digits
		if flip {
			a, b = -b, -a
		}
		low, high := num.NormCDF(a), num.NormCDF(b)
		if high == 0 {
			return nil, fmt.Errorf("rvs(): no number of a normal distribution lies between the bounds a=%g and b=%g", at("a", k), at("b", k))
		}
		z := math.Max(a, math.Min(b, num.NormInv(low+float64(u*(high-low)))))
		if flip {
			z = -z
		}
		v[k] = at("loc", k) + float64(at("scale", k)*z)
	}
	if one {
		return starlark.Float(v[0]), nil
	}
	return floats(v), nil
}

func (x *script) scipyOptimize() starlark.StringDict {
	// eval is f(x) of one number, with the args= that it was given.
	eval := func(c argument.Call, x0 float64, asList bool) (float64, error) {
		var arg starlark.Value = starlark.Float(x0)
		if asList {
			arg = floats([]float64{x0})
		}
		args := starlark.Tuple{arg}
		if t, ok := c.Get("args").(starlark.Tuple); ok {
			args = append(args, t...)
		} else if v := c.Get("args"); v != nil {
			args = append(args, v)
		}
		v, err := starlark.Call(x.thread, c.Val["func"], args, nil)
		if err != nil {
			return 0, err
		}
		o, ok, err := array.OperandOf(v)
		if err == nil && (!ok || len(o.V) != 1) {
			err = withHint(elsewhereFunctions, "the function must return one number here, not %s", array.Describe(v))
		}
		if err != nil {
			return 0, err
		}
		return o.V[0], nil
	}
	return starlark.StringDict{
		"fsolve": fn("fsolve", "func x0 / args xtol=1.49012e-08 maxfev", func(c argument.Call) (starlark.Value, error) {
			o, ok, err := array.OperandOf(c.Val["x0"])
			if err == nil && (!ok || len(o.V) != 1) {
				err = withHint(elsewhereFunctions, "fsolve() looks for one number here, and x0 is %s", array.Describe(c.Val["x0"]))
			}
			if err != nil {
				return nil, err
			}
			r, err := secant(o.V[0], func(v float64) (float64, error) { return eval(c, v, true) })
			if err != nil {
				return nil, err
			}
			return floats([]float64{r}), nil
		}),
		"newton": fn("newton", "func x0 / fprime args tol maxiter", func(c argument.Call) (starlark.Value, error) {
			x0, err := number(c, "x0")
			if err != nil {
				return nil, err
			}
			r, err := secant(x0, func(v float64) (float64, error) { return eval(c, v, false) })
			return starlark.Float(r), err
		}),
	}
}

const elsewhereFunctions = "SciPy has more in Python; here fsolve() and newton() find one number"

var signs = map[string]syntax.Token{"+": syntax.PLUS, "-": syntax.MINUS, "*": syntax.STAR, "/": syntax.SLASH, "//": syntax.SLASHSLASH, "%": syntax.PERCENT, "&": syntax.AMP, "|": syntax.PIPE, "^": syntax.CIRCUMFLEX}

// secant finds where f is 0, from x on: by the secant through the last two places, and in smaller steps where that leads away.
func secant(x float64, f func(float64) (float64, error)) (float64, error) {
	fx, err := f(x)
	if err != nil || fx == 0 {
		return x, err
	}
	start, h := x, 1e-6*math.Max(math.Abs(x), 1e-6)
	before := x + h
	fb, err := f(before)
	if err != nil {
		return 0, err
	}
	for range 200 {
		if fx == fb || math.IsNaN(fx) {
			break
		}
		step := -fx * (x - before) / (fx - fb)
		var to, ft float64
		for range 30 {
			to = x + step
			if ft, err = f(to); err != nil {
				return 0, err
			}
			if math.Abs(ft) < math.Abs(fx) || math.Abs(step) <= 1e-14*math.Abs(x) {
				break
			}
			step /= 2
		}
		if math.Abs(step) <= 1e-13*math.Max(math.Abs(to), 1e-300) || ft == 0 {
			return to, nil
		}
		before, fb, x, fx = x, fx, to, ft
	}
	return 0, fmt.Errorf("no root was found from %g on: the function is %g at %g", start, fx, x)
}
