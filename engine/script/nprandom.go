package script

import (
	"fmt"
	"math"
	"slices"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"synfire/engine/num"
	"synfire/engine/script/argument"
	"synfire/engine/script/array"
	"synfire/engine/script/memory"
)

// numpyRandom is np.random: arrays drawn from distributions, of the script's own
// streams (see draw), so that they repeat.
func (x *script) numpyRandom(d starlark.StringDict) starlark.StringDict {
	r := starlark.StringDict{"rand": d["rand"], "randn": d["randn"], "seed": d["seed"]}
	add := func(name, params string, f func(c argument.Call) (starlark.Value, error)) {
		r[name] = fn(name, params, f)
	}
	// uniform numbers, or normal ones, in the form of size=, or of an argument that is an array
	shaped := func(c argument.Call, stream string, like ...string) (starlark.Value, error) {
		args := starlark.Tuple{}
		switch {
		case c.Has("size"):
			args = append(args, c.Val["size"])
		default:
			for _, n := range like {
				if o, ok, err := array.OperandOf(c.Val[n]); err == nil && ok && !o.One {
					args = append(args, starlark.MakeInt(len(o.V)))
					break
				}
			}
		}
		return array.Drawn(c.Fn, args, func(v []float64) { x.draw(stream, v) })
	}
	def := func(c argument.Call, name string, v float64) starlark.Value {
		if c.Has(name) {
			return c.Val[name]
		}
		return starlark.Float(v)
	}
	// linear is a + b*u.
	linear := func(a, b, u starlark.Value) (starlark.Value, error) {
		s, err := starlark.Binary(syntax.STAR, b, u)
		if err != nil {
			return nil, err
		}
		return starlark.Binary(syntax.PLUS, a, s)
	}
	add("uniform", "/ low=0 high=1 size=None", func(c argument.Call) (starlark.Value, error) {
		u, err := shaped(c, "uniform", "low", "high")
		if err != nil {
			return nil, err
		}
		low := def(c, "low", 0)
		width, err := starlark.Binary(syntax.MINUS, def(c, "high", 1), low)
		if err != nil {
			return nil, err
		}
		return linear(low, width, u)
	})
	// spread is an argument that is not below 0.
	spread := func(c argument.Call, name string) (starlark.Value, error) {
		v := def(c, name, 1)
		o, ok, err := array.OperandOf(v)
		if err == nil && ok && slices.ContainsFunc(o.V, func(x float64) bool { return !(x >= 0) }) {
			err = fmt.Errorf("%s=%s is not possible: it must not be below 0", name, array.Plain(v))
		}
		return v, err
	}
	add("normal", "/ loc=0 scale=1 size=None", func(c argument.Call) (starlark.Value, error) {
		u, err := shaped(c, "randn", "loc", "scale")
		if err != nil {
			return nil, err
		}
		scale, err := spread(c, "scale")
		if err != nil {
			return nil, err
		}
		return linear(def(c, "loc", 0), scale, u)
	})
	add("standard_normal", "/ size=None", func(c argument.Call) (starlark.Value, error) { return shaped(c, "randn") })
	for _, n := range []string{"random", "random_sample", "ranf"} {
		add(n, "/ size=None", func(c argument.Call) (starlark.Value, error) { return shaped(c, "uniform") })
	}
	each := func(c argument.Call, like string, f func(u, of float64) float64, k array.Kind) (starlark.Value, error) {
		u, err := shaped(c, c.Fn, like)
		if err != nil {
			return nil, err
		}
		o, _, err := array.OperandOf(u)
		if err != nil {
			return nil, err
		}
		p := array.Operand{V: []float64{0}, One: true}
		if v := c.Get(like); v != nil {
			var ok bool
			if p, ok, err = array.OperandOf(v); err != nil || !ok || !p.One && len(p.V) != len(o.V) {
				return nil, fmt.Errorf("%s= must be a number, or one for each that is drawn, not %s", like, array.Describe(v))
			}
		} else if like == "scale" {
			p.V[0] = 1
		}
		for i, y := range o.V {
			of := p.V[min(i, len(p.V)-1)]
			o.V[i] = f(y, of)
			if o.V[i] != o.V[i] {
				return nil, fmt.Errorf("%s=%g is not possible", like, of)
			}
		}
		o.Kind, o.Dim = k, p.Dim
		if k == array.Ints && !p.Dim.IsOne() {
			return nil, fmt.Errorf("%s= must be a pure number, not %s", like, array.Describe(c.Val[like]))
		}
		return o.Value(), nil
	}
	add("exponential", "/ scale=1 size=None", func(c argument.Call) (starlark.Value, error) {
		if _, err := spread(c, "scale"); err != nil {
			return nil, err
		}
		return each(c, "scale", func(u, s float64) float64 { return -s * num.Log1p(-u) }, array.Floats)
	})
	add("poisson", "/ lam=1 size=None", func(c argument.Call) (starlark.Value, error) {
		if !c.Has("lam") {
			c.Val["lam"] = starlark.Float(1)
		}
		return each(c, "lam", poissonOf, array.Ints)
	})
	add("gamma", "shape / scale=1 size=None", func(c argument.Call) (starlark.Value, error) {
		scale, err := spread(c, "scale")
		if err != nil {
			return nil, err
		}
		delete(c.Val, "scale")
		g, err := each(c, "shape", gammaOf, array.Floats)
		if err != nil {
			return nil, err
		}
		return starlark.Binary(syntax.STAR, scale, g)
	})
	add("lognormal", "/ mean=0 sigma=1 size=None", func(c argument.Call) (starlark.Value, error) {
		u, err := shaped(c, "randn", "mean", "sigma")
		if err != nil {
			return nil, err
		}
		sigma, err := spread(c, "sigma")
		if err != nil {
			return nil, err
		}
		v, err := linear(def(c, "mean", 0), sigma, u)
		if err != nil {
			return nil, err
		}
		return array.ApplyPure("exp", v)
	})
	add("binomial", "n p / size=None", func(c argument.Call) (starlark.Value, error) {
		n, err := array.ToInt(c.Val["n"])
		if err == nil && (n < 0 || n > 1<<20) {
			err = fmt.Errorf("must be from 0 to %d", 1<<20)
		}
		if err != nil {
			return nil, fmt.Errorf("n= %w", err)
		}
		return each(c, "p", func(u, p float64) float64 { return binomialOf(u, n, p) }, array.Ints)
	})
	add("randint", "low / high=None size=None dtype=None", func(c argument.Call) (starlark.Value, error) {
		lo, err := array.ToInt(c.Val["low"])
		if err != nil {
			return nil, fmt.Errorf("low= %w", err)
		}
		hi := lo
		if c.Has("high") {
			if hi, err = array.ToInt(c.Val["high"]); err != nil {
				return nil, fmt.Errorf("high= %w", err)
			}
		} else {
			lo = 0
		}
		if hi <= lo {
			return nil, fmt.Errorf("randint(): there is no number from %d to below %d", lo, hi)
		}
		return each(c, "", func(u, _ float64) float64 {
			return float64(lo) + math.Min(math.Floor(u*float64(hi-lo)), float64(hi-lo-1))
		}, array.Ints)
	})
	mixed := func(name string, n int) ([]int, error) {
		if err := memory.Room(n, 16); err != nil {
			return nil, err
		}
		at, u := make([]int, n), make([]float64, n)
		x.draw(name, u)
		for k := range at {
			at[k] = k
		}
		for k := n - 1; k > 0; k-- {
			j := min(k, int(u[k]*float64(k+1)))
			at[k], at[j] = at[j], at[k]
		}
		return at, nil
	}
	population := func(v starlark.Value) (*array.Array, error) {
		o, ok, err := array.OperandOf(v)
		if err != nil || !ok {
			return nil, fmt.Errorf("a number or a list was expected, not %s", array.Describe(v))
		}
		if o.One {
			a, err := array.Arange(starlark.Tuple{v})
			if err != nil {
				return nil, err
			}
			return a.(*array.Array), nil
		}
		a, err := array.Make(starlark.Tuple{v})
		if err != nil {
			return nil, err
		}
		return a.(*array.Array), nil
	}
	add("permutation", "x", func(c argument.Call) (starlark.Value, error) {
		a, err := population(c.Val["x"])
		if err != nil {
			return nil, err
		}
		at, err := mixed("permutation", a.Len())
		if err != nil {
			return nil, err
		}
		return a.Pick(at)
	})
	add("shuffle", "x", func(c argument.Call) (starlark.Value, error) {
		if l, ok := c.Val["x"].(*starlark.List); ok {
			at, err := mixed("shuffle", l.Len())
			if err != nil {
				return nil, err
			}
			old := elementsOf(l)
			for k, i := range at {
				if err := l.SetIndex(k, old[i]); err != nil {
					return nil, err
				}
			}
			return starlark.None, nil
		}
		a, ok := c.Val["x"].(*array.Array)
		if !ok {
			return nil, fmt.Errorf("shuffle() takes an array or a list, not %s", array.Describe(c.Val["x"]))
		}
		at, err := mixed("shuffle", a.Len())
		if err != nil {
			return nil, err
		}
		b, err := a.Pick(at)
		if err != nil {
			return nil, err
		}
		copy(a.Floats(), b.V)
		return starlark.None, nil
	})
	add("choice", "a / size=None replace=True p=None", func(c argument.Call) (starlark.Value, error) {
		a, err := population(c.Val["a"])
		if err != nil {
			return nil, err
		}
		n := a.Len()
		if n == 0 {
			return nil, fmt.Errorf("choice() from nothing")
		}
		if c.Has("replace") && !bool(c.Val["replace"].Truth()) && c.Has("size") {
			size, err := array.ToInt(c.Val["size"])
			if err != nil || size < 0 || size > n || c.Has("p") {
				return nil, fmt.Errorf("choice() of %s out of %d without replacing them is not possible here", array.Describe(c.Val["size"]), n)
			}
			at, err := mixed("choice", n)
			if err != nil {
				return nil, err
			}
			return a.Pick(at[:size])
		}
		var upto []float64
		if c.Has("p") {
			p, ok, err := array.OperandOf(c.Val["p"])
			if err != nil || !ok || len(p.V) != n {
				return nil, fmt.Errorf("p= are %d probabilities", n)
			}
			s := 0.0
			for _, x := range p.V {
				s += x
				upto = append(upto, s)
			}
			if math.Abs(s-1) > 1e-6 {
				return nil, fmt.Errorf("the probabilities p= have the sum %g, not 1", s)
			}
		}
		at, err := each(c, "", func(u, _ float64) float64 {
			if upto == nil {
				return math.Min(math.Floor(u*float64(n)), float64(n-1))
			}
			k := 0
			for k < n-1 && upto[k] <= u {
				k++
			}
			return float64(k)
		}, array.Ints)
		if err != nil {
			return nil, err
		}
		v, _, err := a.Get(at)
		return v, err
	})
	return r
}

// poissonOf is the number of a Poisson distribution at which its distribution
// function passes u.
func poissonOf(u, lam float64) float64 {
	if !(lam >= 0 && lam <= 1e6) {
		return math.NaN()
	}
	// from the mode's side, with logarithms: exp(-lam) alone would vanish
	k, lg := 0.0, -lam
	sum := num.Exp(lg)
	for sum < u && k < lam+40*math.Sqrt(lam)+100 {
		k++
		lg += num.Log(lam) - num.Log(k)
		sum += num.Exp(lg)
	}
	return k
}

func binomialOf(u float64, n int, p float64) float64 {
	if !(p >= 0 && p <= 1) {
		return math.NaN()
	}
	if p == 1 {
		return float64(n)
	}
	k, lg := 0, float64(n)*num.Log1p(-p)
	sum := num.Exp(lg)
	for sum < u && k < n {
		k++
		lg += num.Log(float64(n-k+1)) - num.Log(float64(k)) + num.Log(p) - num.Log1p(-p)
		sum += num.Exp(lg)
	}
	return float64(k)
}

// gammaOf inverts the distribution function of a gamma distribution by bisection.
func gammaOf(u, shape float64) float64 {
	if !(shape > 0 && shape < 1e6) {
		return math.NaN()
	}
	lo, hi := 0.0, shape+float64(20*math.Sqrt(shape))+20
	for range 200 {
		mid := (lo + hi) / 2
		if gammaUpTo(shape, mid) < u {
			lo = mid
		} else {
			hi = mid
		}
		if hi-lo <= 1e-15*hi {
			break
		}
	}
	return float64(float32((lo + hi) / 2)) // the last bits differ between machines
}

// gammaUpTo is the regularized lower incomplete gamma function (Abramowitz and
// Stegun 6.5.29 as a series, 6.5.31 as a continued fraction by Lentz's method).
func gammaUpTo(a, x float64) float64 {
	if x <= 0 {
		return 0
	}
	lg, _ := math.Lgamma(a)
	front := num.Exp(float64(a*num.Log(x)) - x - lg)
	if x < a+1 {
		term := 1 / a
		sum := term
		for n := a + 1; term > sum*1e-17; n++ {
			term *= x / n
			sum += term
		}
		return front * sum
	}
	const tiny = 1e-300
	b := x + 1 - a
	c, d := 1/tiny, 1/b
	h := d
	for i := 1.0; i < 10000; i++ {
		an := -i * (i - a)
		b += 2
		if d = float64(an*d) + b; math.Abs(d) < tiny {
			d = tiny
		}
		if c = b + an/c; math.Abs(c) < tiny {
			c = tiny
		}
		d = 1 / d
		h *= d * c
		if math.Abs(d*c-1) < 1e-16 {
			break
		}
	}
	return 1 - front*h
}
