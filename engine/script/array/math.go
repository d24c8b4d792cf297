package array

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"synfire/engine/eqn"
	"synfire/engine/num"
	"synfire/engine/script/argument"
	"synfire/engine/script/memory"
)

// Pure are the functions of a pure number, worked out by package num so that
// their bits are the same on every machine (design section 3, rule 11).
var Pure = map[string]func(float64) float64{
	"exp": num.Exp, "expm1": num.Expm1, "exprel": num.Exprel, "log": num.Log, "log1p": num.Log1p, "log2": num.Log2, "log10": num.Log10,
	"sin": num.Sin, "cos": num.Cos, "tan": num.Tan, "sinh": num.Sinh, "cosh": num.Cosh, "tanh": num.Tanh,
	"arcsin": num.Asin, "arccos": num.Acos, "arctan": num.Atan,
	"floor": math.Floor, "ceil": math.Ceil,
}

// domain says what a function cannot take.
var domain = map[string]func(float64) bool{
	"log": positive, "log2": positive, "log10": positive,
	"log1p":  func(x float64) bool { return x > -1 },
	"arcsin": func(x float64) bool { return math.Abs(x) <= 1 },
	"arccos": func(x float64) bool { return math.Abs(x) <= 1 },
}

func positive(x float64) bool { return x > 0 }

// mapped applies f to each element.
func mapped(v starlark.Value, name string, f func(o Operand) (eqn.Dim, Kind, func(float64) (float64, error), error)) (starlark.Value, error) {
	o, ok, err := OperandOf(v)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("%s() takes numbers, not %s", name, Describe(v))
	}
	d, k, g, err := f(o)
	if err != nil {
		return nil, err
	}
	r := o
	r.Dim, r.Kind = d, k
	if r.V, err = numbers(len(o.V)); err != nil {
		return nil, err
	}
	for i, x := range o.V {
		if r.V[i], err = g(x); err != nil {
			return nil, err
		}
	}
	return r.Value(), nil
}

// ApplyPure is one of the functions of pure.
func ApplyPure(name string, v starlark.Value) (starlark.Value, error) {
	f := Pure[name]
	return mapped(v, name, func(o Operand) (eqn.Dim, Kind, func(float64) (float64, error), error) {
		if !o.Dim.IsOne() {
			return o.Dim, Floats, nil, fmt.Errorf("%s() takes a pure number, not %s: divide by its unit", name, o.Show())
		}
		return o.Dim, min(o.Kind, Floats), func(x float64) (float64, error) {
			if in := domain[name]; in != nil && !in(x) {
				return 0, fmt.Errorf("%s(%g) is not defined", name, x)
			}
			return f(x), nil
		}, nil
	})
}

// Sqrt is the square root, whose unit is the root of the unit.
func Sqrt(v starlark.Value) (starlark.Value, error) {
	return mapped(v, "sqrt", func(o Operand) (eqn.Dim, Kind, func(float64) (float64, error), error) {
		d, ok := o.Dim.Pow(0.5)
		if !ok {
			return d, Floats, nil, eqn.As(eqn.Dimension, fmt.Errorf("the square root of %s has no unit", UnitName(o.Dim)))
		}
		return d, min(o.Kind, Floats), func(x float64) (float64, error) {
			if x < 0 {
				return 0, fmt.Errorf("sqrt(%g) is not real", x)
			}
			return math.Sqrt(x), nil
		}, nil
	})
}

// Abs is the absolute value, with the unit.
func Abs(v starlark.Value) (starlark.Value, error) {
	return mapped(v, "abs", func(o Operand) (eqn.Dim, Kind, func(float64) (float64, error), error) {
		k := o.Kind
		if k == Bools {
			k = Ints
		}
		return o.Dim, k, func(x float64) (float64, error) { return math.Abs(x), nil }, nil
	})
}

// Reductions are the functions from an array to a number. Sums run in the order
// of the elements.
var Reductions = map[string]func(starlark.Value) (starlark.Value, error){}

func init() {
	reduce := func(name string, f func(o Operand) (float64, eqn.Dim, Kind)) {
		Reductions[name] = func(v starlark.Value) (starlark.Value, error) {
			o, ok, err := OperandOf(v)
			if err != nil {
				return nil, err
			}
			if !ok {
				return nil, fmt.Errorf("%s() takes a list or an array of numbers, not %s", name, Describe(v))
			}
			if len(o.V) == 0 && name != "sum" {
				return nil, fmt.Errorf("%s() of nothing: the array is empty", name)
			}
			x, d, k := f(o)
			return Scalar(x, d, k), nil
		}
	}
	reduce("sum", func(o Operand) (float64, eqn.Dim, Kind) { return total(o.V), o.Dim, min(o.Kind, Ints) })
	reduce("mean", func(o Operand) (float64, eqn.Dim, Kind) {
		return total(o.V) / float64(len(o.V)), o.Dim, min(o.Kind, Floats)
	})
	reduce("var", func(o Operand) (float64, eqn.Dim, Kind) {
		d, _ := o.Dim.Pow(2)
		return variance(o.V), d, min(o.Kind, Floats)
	})
	reduce("std", func(o Operand) (float64, eqn.Dim, Kind) { return math.Sqrt(variance(o.V)), o.Dim, min(o.Kind, Floats) })
	reduce("median", func(o Operand) (float64, eqn.Dim, Kind) {
		s := slices.Clone(o.V)
		slices.SortFunc(s, ascending)
		if math.IsNaN(s[len(s)-1]) {
			return math.NaN(), o.Dim, Floats
		}
		return (s[(len(s)-1)/2] + s[len(s)/2]) / 2, o.Dim, min(o.Kind, Floats)
	})
	reduce("min", func(o Operand) (float64, eqn.Dim, Kind) { return slices.Min(o.V), o.Dim, o.Kind })
	reduce("max", func(o Operand) (float64, eqn.Dim, Kind) { return slices.Max(o.V), o.Dim, o.Kind })
	reduce("argmin", func(o Operand) (float64, eqn.Dim, Kind) {
		return float64(indexOf(o.V, slices.Min(o.V))), eqn.Dim{}, Ints
	})
	reduce("argmax", func(o Operand) (float64, eqn.Dim, Kind) {
		return float64(indexOf(o.V, slices.Max(o.V))), eqn.Dim{}, Ints
	})
}

// Reduced is mean(x, axis) and the like: of all elements, or of a table along its
// rows (axis 0) or columns (axis 1).
func Reduced(name string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	c, err := argument.Match(name, args, kwargs, "x / axis=None", nil)
	if err != nil {
		return nil, err
	}
	x := c.Val["x"]
	if !c.Has("axis") {
		return Reductions[name](x)
	}
	axis, err := ToInt(c.Val["axis"])
	if err != nil {
		return nil, &argument.Error{Name: "axis", Index: c.Pos["axis"], Err: fmt.Errorf("axis= %v", err)}
	}
	o, ok, err := OperandOf(x)
	if err != nil || !ok || o.One || axis < 0 || axis > 1 || axis == 1 && !o.Table {
		return nil, &argument.Error{Name: "axis", Index: c.Pos["axis"], Err: fmt.Errorf("axis= is 0, or 0 or 1 of a table")}
	}
	if !o.Table {
		return Reductions[name](x)
	}
	rows, cols := o.Rows(), o.Cols
	n, each := cols, rows
	if axis == 1 {
		n, each = rows, cols
	}
	if err := memory.Room(n, 48); err != nil {
		return nil, err
	}
	out := make([]starlark.Value, n)
	line := &Array{Dim: o.Dim, Kind: o.Kind}
	for k := range n {
		line.V = line.V[:0]
		for m := range each {
			at := m*cols + k
			if axis == 1 {
				at = k*cols + m
			}
			line.V = append(line.V, o.V[at])
		}
		if out[k], err = Reductions[name](line); err != nil {
			return nil, err
		}
	}
	r, _, err := OperandOf(starlark.NewList(out))
	return r.Value(), err
}

// ascending orders numbers as NumPy does, nan behind all others.
func ascending(x, y float64) int {
	if a, b := math.IsNaN(x), math.IsNaN(y); a || b {
		return int(truth(a) - truth(b))
	}
	return cmp.Compare(x, y)
}

// indexOf is where x is first, which may be nan.
func indexOf(v []float64, x float64) int {
	return slices.IndexFunc(v, func(y float64) bool { return ascending(x, y) == 0 })
}

func total(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s += x
	}
	return s
}

func variance(v []float64) float64 {
	m, s := total(v)/float64(len(v)), 0.0
	for _, x := range v {
		s += float64((x - m) * (x - m))
	}
	return s / float64(len(v))
}

// Transforms are the functions from a list or an array to an array.
var Transforms = map[string]func(o Operand) (Operand, error){
	"sort": func(o Operand) (Operand, error) {
		o.V = slices.Clone(o.V)
		slices.SortFunc(o.V, ascending)
		return o, nil
	},
	"argsort": func(o Operand) (Operand, error) {
		at := make([]float64, len(o.V))
		for k := range at {
			at[k] = float64(k)
		}
		slices.SortStableFunc(at, func(i, j float64) int { return ascending(o.V[int(i)], o.V[int(j)]) })
		return Operand{V: at, Kind: Ints}, nil
	},
	"unique": func(o Operand) (Operand, error) {
		o.V = slices.Clone(o.V)
		slices.SortFunc(o.V, ascending)
		o.V = slices.CompactFunc(o.V, func(x, y float64) bool { return ascending(x, y) == 0 })
		return o, nil
	},
	"cumsum": func(o Operand) (Operand, error) {
		o.V = slices.Clone(o.V)
		for k := 1; k < len(o.V); k++ {
			o.V[k] += o.V[k-1]
		}
		o.Kind = min(o.Kind, Ints)
		return o, nil
	},
	"diff": func(o Operand) (Operand, error) {
		d := make([]float64, max(0, len(o.V)-1))
		for k := range d {
			d[k] = o.V[k+1] - o.V[k]
		}
		o.V, o.Kind = d, min(o.Kind, Ints)
		return o, nil
	},
}

// Transform is one of the transforms.
func Transform(name string, v starlark.Value) (starlark.Value, error) {
	o, ok, err := OperandOf(v)
	if o.Table && (name == "cumsum" || name == "unique") { // of all elements, as in NumPy
		o.Table, o.Cols, o.hollow = false, 0, 0
	}
	if err != nil || !ok || o.One || o.Table {
		return nil, fmt.Errorf("%s() takes a list or an array of numbers, not %s", name, Describe(v))
	}
	if err := memory.Room(len(o.V), 8); err != nil {
		return nil, err
	}
	r, err := Transforms[name](o)
	return r.Value(), err
}

// MaxElements bounds an array that a script makes; a variable, so that the fuzzer
// can lower it.
var MaxElements = 1 << 28

func count(v starlark.Value) (int, error) {
	n, err := ToInt(v)
	if err != nil {
		return 0, fmt.Errorf("the size %v", err)
	}
	if n < 0 || n > MaxElements {
		return 0, fmt.Errorf("the size must be between 0 and %d, got %d", MaxElements, n)
	}
	return n, nil
}

// shapeOf reads n or (rows, cols).
func shapeOf(v starlark.Value) (o Operand, err error) {
	var n int
	if t, ok := v.(starlark.Tuple); ok && len(t) == 2 {
		o.Table = true
		if o.Cols, err = count(t[1]); err != nil {
			return o, err
		}
		if n, err = count(t[0]); err != nil {
			return o, err
		}
		o.hollow = n
		if o.Cols > 0 && n > MaxElements/o.Cols {
			return o, fmt.Errorf("an array of %d by %d is too large", n, o.Cols)
		}
		n *= o.Cols
	} else if n, err = count(v); err != nil {
		return o, err
	}
	o.Kind = Floats
	o.V, err = numbers(n)
	return o, err
}

// spaced are n values from a to b, both included.
func spaced(a, b Operand, n int) (Operand, error) {
	if a.Dim != b.Dim && !a.Wild() && !b.Wild() {
		return a, unitsDiffer("to", a, b)
	}
	v, err := numbers(n)
	if err != nil {
		return a, err
	}
	r := Operand{V: v, Dim: a.Dim, Kind: Floats}
	if a.Wild() {
		r.Dim = b.Dim
	}
	lo, hi := a.V[0], b.V[0]
	for k := range r.V {
		r.V[k] = lo
		if n > 1 {
			r.V[k] = float64(float64(k)*((hi-lo)/float64(n-1))) + lo
		}
	}
	if n > 1 {
		r.V[n-1] = hi
	}
	return r, nil
}

// stepped is lo, lo+step, ... below hi.
func stepped(lo, hi, step Operand) (Operand, error) {
	d := hi.Dim
	if lo.Dim != d && !lo.Wild() || step.Dim != d && !(step.V[0] == 0) {
		return lo, fmt.Errorf("arange(%s, %s, %s): the units do not match", lo.Show(), hi.Show(), step.Show())
	}
	if step.V[0] == 0 {
		return lo, fmt.Errorf("arange: the step is zero")
	}
	n := math.Ceil((hi.V[0] - lo.V[0]) / step.V[0])
	if !(n < float64(MaxElements)) {
		return lo, fmt.Errorf("arange: %g elements are too many", n)
	}
	v, err := numbers(int(max(0, n)))
	if err != nil {
		return lo, err
	}
	r := Operand{V: v, Dim: d, Kind: min(lo.Kind, hi.Kind, step.Kind)}
	for k := range r.V {
		r.V[k] = lo.V[0] + float64(float64(k)*step.V[0])
	}
	return r, nil
}

// InUnit is in_unit(x, u): the value in another unit, as a text.
func InUnit(v, unit starlark.Value) (starlark.Value, error) {
	r, err := starlark.Binary(syntax.SLASH, v, unit)
	if err != nil {
		return nil, err
	}
	o, ok, err := OperandOf(r)
	if err != nil || !ok || !o.Dim.IsOne() {
		return nil, fmt.Errorf("%s cannot be shown in the unit of %s", Describe(v), Describe(unit))
	}
	u, _, _ := OperandOf(unit)
	name := ""
	for _, x := range displayUnits()[u.Dim] {
		if x.value == u.V[0] {
			name = " " + x.name
		}
	}
	if o.One {
		return starlark.String(floatTexts(o.V, digitsOf(o.Kind == Singles))[0] + name), nil
	}
	return starlark.String(formatArray(&Array{V: o.V, Kind: o.Kind, Table: o.Table, Cols: o.Cols}) + name), nil
}
