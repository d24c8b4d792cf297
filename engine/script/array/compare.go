package array

// What is asked of each element, and where it holds.

import (
	"fmt"
	"math"
	"slices"

	"go.starlark.net/starlark"

	"synfire/engine/eqn"
	"synfire/engine/script/argument"
)

// each is a question to each element.
func each(f func(float64) bool) func(argument.Call) (starlark.Value, error) {
	return func(c argument.Call) (starlark.Value, error) {
		o, err := numbersOf(c, "x")
		if err != nil {
			return nil, err
		}
		r := o
		r.Dim, r.Kind = eqn.Dim{}, Bools
		if r.V, err = numbers(len(o.V)); err != nil {
			return nil, err
		}
		for k, x := range o.V {
			r.V[k] = truth(f(x))
		}
		return r.Value(), nil
	}
}

// both is a function of two pure numbers, or of two of one unit.
func both(f func(x, y float64) float64, logical bool) func(argument.Call) (starlark.Value, error) {
	return func(c argument.Call) (starlark.Value, error) {
		a, b, err := pair(c, "x1", "x2")
		if err != nil {
			return nil, err
		}
		if a.Dim != b.Dim && !logical && !a.Wild() && !b.Wild() {
			return nil, unitsDiffer(c.Fn, a, b)
		}
		r, err := shape(&a, &b)
		if err != nil {
			return nil, err
		}
		if r.Kind = min(a.Kind, b.Kind, Floats); logical {
			r.Dim, r.Kind = eqn.Dim{}, Bools
		} else if c.Fn == "arctan2" {
			r.Dim = eqn.Dim{}
		} else if c.Fn != "hypot" {
			r.Kind = min(a.Kind, b.Kind, Ints)
		}
		for k := range r.V {
			r.V[k] = f(a.get(k), b.get(k))
		}
		return r.Value(), nil
	}
}

func pure(f func(float64) float64) func(argument.Call) (starlark.Value, error) {
	return func(c argument.Call) (starlark.Value, error) {
		return mapped(c.Val["x"], c.Fn, func(o Operand) (eqn.Dim, Kind, func(float64) (float64, error), error) {
			if !o.Dim.IsOne() && c.Fn != "nan_to_num" {
				return o.Dim, Floats, nil, fmt.Errorf("%s() takes a pure number, not %s: divide by its unit", c.Fn, o.Show())
			}
			return o.Dim, min(o.Kind, Floats), func(x float64) (float64, error) { return f(x), nil }, nil
		})
	}
}

func close1(c argument.Call) (starlark.Value, error) {
	a, b, err := pair(c, "a", "b")
	if err != nil {
		return nil, err
	}
	if a.Dim != b.Dim && !a.Wild() && !b.Wild() {
		return nil, unitsDiffer("and", a, b)
	}
	rtol, atol := 1e-5, 1e-8
	for name, to := range map[string]*float64{"rtol": &rtol, "atol": &atol} {
		if c.Has(name) {
			o, err := numbersOf(c, name)
			if err != nil || len(o.V) != 1 {
				return nil, fmt.Errorf("%s= is a number", name)
			}
			*to = o.V[0]
		}
	}
	r, err := shape(&a, &b)
	if err != nil {
		return nil, err
	}
	r.Dim, r.Kind = eqn.Dim{}, Bools
	for k := range r.V {
		x, y := a.get(k), b.get(k)
		r.V[k] = truth(x == y || math.Abs(x-y) <= atol+rtol*math.Abs(y))
	}
	return r.Value(), nil
}

func allOf(v starlark.Value, err error) (starlark.Value, error) {
	if err != nil {
		return nil, err
	}
	o, _, err := OperandOf(v)
	return starlark.Bool(!slices.Contains(o.V, 0)), err
}

func equalArrays(c argument.Call) (starlark.Value, error) {
	a, b, err := pair(c, "a", "b")
	if err != nil {
		return nil, err
	}
	return starlark.Bool(a.Dim == b.Dim && a.Table == b.Table && a.Cols == b.Cols && slices.Equal(a.V, b.V)), nil
}

func indicesWhere(c argument.Call, name string) (starlark.Value, error) {
	o, err := numbersOf(c, name)
	if err != nil {
		return nil, err
	}
	r := Operand{V: []float64{}, Kind: Ints}
	for k, x := range o.V {
		if x != 0 {
			r.V = append(r.V, float64(k))
		}
	}
	return r.Value(), nil
}

func countNonzero(c argument.Call) (starlark.Value, error) {
	o, err := numbersOf(c, "a")
	n := 0
	for _, x := range o.V {
		if x != 0 {
			n++
		}
	}
	return starlark.MakeInt(n), err
}

func isin(c argument.Call) (starlark.Value, error) {
	a, b, err := pair(c, "element", "test_elements")
	if err != nil {
		return nil, err
	}
	if a.Dim != b.Dim && !a.Wild() && !b.Wild() {
		return nil, unitsDiffer("in", a, b)
	}
	known := map[float64]bool{}
	for _, x := range b.V {
		known[x] = true
	}
	r := a
	r.Dim, r.Kind = eqn.Dim{}, Bools
	if r.V, err = numbers(len(a.V)); err != nil {
		return nil, err
	}
	for k, x := range a.V {
		r.V[k] = truth(known[x])
	}
	return r.Value(), nil
}

func found(v Operand, f func(float64) int) (starlark.Value, error) {
	r := v
	r.Dim, r.Kind = eqn.Dim{}, Ints
	var err error
	if r.V, err = numbers(len(v.V)); err != nil {
		return nil, err
	}
	for k, x := range v.V {
		r.V[k] = float64(f(x))
	}
	return r.Value(), nil
}
