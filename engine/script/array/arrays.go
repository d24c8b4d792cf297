package array

import (
	"fmt"
	"math"

	"go.starlark.net/starlark"

	"synfire/engine/eqn"
	"synfire/engine/script/memory"
)

// Linspace is NumPy's: n values from start to stop, both included.
func Linspace(start, stop starlark.Value, n int) (starlark.Value, error) {
	a, err := single(start)
	if err != nil {
		return nil, err
	}
	b, err := single(stop)
	if err != nil {
		return nil, err
	}
	r, err := spaced(a, b, n)
	if err != nil {
		return nil, err
	}
	return r.Value(), nil
}

// single reads a single number.
func single(v starlark.Value) (Operand, error) {
	o, ok, err := OperandOf(v)
	if err == nil && (!ok || !o.One) {
		err = fmt.Errorf("a number or quantity was expected, not %s", Describe(v))
	}
	return o, err
}

// Arange is NumPy's: arange(stop), or arange(start, stop, step).
func Arange(args starlark.Tuple) (starlark.Value, error) {
	if len(args) < 1 || len(args) > 3 {
		return nil, fmt.Errorf("arange() takes one to three arguments: arange(stop), arange(start, stop, step)")
	}
	lo, hi, step := starlark.Value(starlark.MakeInt(0)), args[0], starlark.Value(starlark.MakeInt(1))
	if len(args) > 1 {
		lo, hi = args[0], args[1]
	}
	if len(args) > 2 {
		step = args[2]
	}
	var o [3]Operand
	for k, v := range []starlark.Value{lo, hi, step} {
		var err error
		if o[k], err = single(v); err != nil {
			return nil, err
		}
	}
	r, err := stepped(o[0], o[1], o[2])
	if err != nil {
		return nil, err
	}
	return r.Value(), nil
}

// Filled is zeros or ones.
func Filled(name string, args starlark.Tuple, x float64) (starlark.Value, error) {
	if len(args) != 1 {
		return nil, fmt.Errorf("%s() takes a size or (rows, columns)", name)
	}
	o, err := shapeOf(args[0])
	if err != nil {
		return nil, err
	}
	for k := range o.V {
		o.V[k] = x
	}
	return o.Value(), nil
}

// Like is zeros_like or ones_like: an array of the size and unit of another.
func Like(name string, of starlark.Value, x float64) (starlark.Value, error) {
	return mapped(of, name, func(o Operand) (eqn.Dim, Kind, func(float64) (float64, error), error) {
		return o.Dim, min(o.Kind, Ints), func(float64) (float64, error) { return x, nil }, nil
	})
}

// Full is full(shape, value): an array of one value.
func Full(shape, value starlark.Value) (starlark.Value, error) {
	o, err := shapeOf(shape)
	if err != nil {
		return nil, err
	}
	v, err := single(value)
	if err != nil {
		return nil, err
	}
	for k := range o.V {
		o.V[k] = v.V[0]
	}
	o.Dim, o.Kind = v.Dim, v.Kind
	return o.Value(), err
}

// Drawn is name(n), name(rows, cols) or name(), filled by draw.
func Drawn(name string, args starlark.Tuple, draw func([]float64)) (starlark.Value, error) {
	o := Operand{V: make([]float64, 1), Kind: Floats, One: true}
	var err error
	switch len(args) {
	case 0:
	case 1:
		o, err = shapeOf(args[0])
	case 2:
		o, err = shapeOf(args)
	default:
		err = fmt.Errorf("%s() takes a size, or rows and columns", name)
	}
	if err != nil {
		return nil, err
	}
	draw(o.V)
	return o.Value(), nil
}

// Make is array(list).
func Make(args starlark.Tuple) (starlark.Value, error) {
	if len(args) != 1 {
		return nil, fmt.Errorf("array() takes a list of numbers")
	}
	o, ok, err := OperandOf(args[0])
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("array() takes a list of numbers, not %s", Describe(args[0]))
	}
	if err := memory.Room(len(o.V), 8); err != nil {
		return nil, err
	}
	o.V, o.One = append([]float64{}, o.V...), false
	return o.Value(), nil
}

// Choose is minimum or maximum, element by element.
func Choose(u, v starlark.Value, f func(a, b float64) float64) (starlark.Value, error) {
	a, b, ok, err := PairOf(u, v)
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, fmt.Errorf("numbers were expected, not %s and %s", Describe(u), Describe(v))
	case a.Dim != b.Dim && !a.Wild() && !b.Wild():
		return nil, unitsDiffer("and", a, b)
	}
	r, err := shape(&a, &b)
	if err != nil {
		return nil, err
	}
	r.Kind = min(a.Kind, b.Kind)
	if r.Dim = a.Dim; a.Wild() {
		r.Dim = b.Dim
	}
	for k := range r.V {
		r.V[k] = f(a.get(k), b.get(k))
	}
	return r.Value(), nil
}

// Clip is x, low where it is below, high where it is above.
func Clip(x, low, high starlark.Value) (starlark.Value, error) {
	v, err := Choose(x, low, math.Max)
	if err != nil {
		return nil, err
	}
	return Choose(v, high, math.Min)
}

// Where is x where the condition is true and y where not; without them (nil) the
// indices where it is true.
func Where(condition, x, y starlark.Value) (starlark.Value, error) {
	cond, ok, err := OperandOf(condition)
	if err != nil || !ok {
		return nil, fmt.Errorf("where() takes an array of truth values, not %s", Describe(condition))
	}
	if x == nil || y == nil {
		if x != nil || y != nil {
			return nil, fmt.Errorf("where() takes the condition alone, or with what to choose where it is true and where not")
		}
		return Nonzero(condition)
	}
	if err := memory.Room(len(cond.V), 24); err != nil {
		return nil, err
	}
	k := -1
	return Choose(expand(x, len(cond.V)), expand(y, len(cond.V)), func(a, b float64) float64 {
		if k++; cond.get(k) != 0 {
			return a
		}
		return b
	})
}

// expand makes an array of n elements of one number.
func expand(v starlark.Value, n int) starlark.Value {
	o, ok, err := OperandOf(v)
	if err != nil || !ok || !o.One {
		return v
	}
	r := &Array{Dim: o.Dim, Kind: o.Kind, V: make([]float64, n)}
	for k := range r.V {
		r.V[k] = o.V[0]
	}
	return r
}

// Repeat is repeat(x, n), each element n times, and tile(x, n), all n times.
func Repeat(name string, x starlark.Value, n int) (starlark.Value, error) {
	o, ok, err := OperandOf(x)
	if err != nil {
		return nil, err
	}
	if !ok || o.Table || n < 0 || n > MaxElements/max(1, len(o.V)) {
		return nil, fmt.Errorf("%s(%s, %d) is not possible", name, Describe(x), n)
	}
	r := Operand{Dim: o.Dim, Kind: o.Kind}
	if r.V, err = numbers(n * len(o.V)); err != nil {
		return nil, err
	}
	r.V = r.V[:0]
	if name == "tile" {
		for range n {
			r.V = append(r.V, o.V...)
		}
		return r.Value(), nil
	}
	for _, x := range o.V {
		for range n {
			r.V = append(r.V, x)
		}
	}
	return r.Value(), nil
}

// Nonzero gives the indices of elements that are not 0, as NumPy does: a tuple of
// one array, of a table two, rows and columns.
func Nonzero(v starlark.Value) (starlark.Value, error) {
	o, ok, err := OperandOf(v)
	if err != nil || !ok || o.One {
		return nil, fmt.Errorf("nonzero() takes a list or an array of numbers, not %s", Describe(v))
	}
	if err := memory.Room(len(o.V), 16); err != nil {
		return nil, err
	}
	row, col := &Array{V: []float64{}, Kind: Ints}, &Array{V: []float64{}, Kind: Ints}
	for k, x := range o.V {
		switch {
		case x == 0:
		case o.Table:
			row.V, col.V = append(row.V, float64(k/o.Cols)), append(col.V, float64(k%o.Cols))
		default:
			row.V = append(row.V, float64(k))
		}
	}
	if o.Table {
		return starlark.Tuple{row, col}, nil
	}
	return starlark.Tuple{row}, nil
}

// Concatenate joins arrays end to end.
func Concatenate(arrays starlark.Value) (starlark.Value, error) {
	list, ok := arrays.(starlark.Sequence)
	if !ok {
		return nil, fmt.Errorf("concatenate() takes a list of arrays, not %s", Describe(arrays))
	}
	if err := memory.Room(list.Len(), 128); err != nil {
		return nil, err
	}
	it := list.Iterate()
	defer it.Done()
	var parts []Operand
	var v starlark.Value
	r, n := Operand{Kind: Bools}, 0
	for it.Next(&v) {
		o, ok, err := OperandOf(v)
		if err != nil || !ok || o.Table {
			return nil, fmt.Errorf("concatenate() takes a list of arrays, not %s", Describe(v))
		}
		if len(parts) == 0 {
			r.Dim = o.Dim
		} else if o.Dim != r.Dim {
			return nil, eqn.As(eqn.Dimension, fmt.Errorf("concatenate(): the units do not match (%s and %s)", UnitName(r.Dim), UnitName(o.Dim)))
		}
		parts, n, r.Kind = append(parts, o), n+len(o.V), min(r.Kind, o.Kind)
	}
	if err := memory.Room(n, 8); err != nil {
		return nil, err
	}
	r.V = make([]float64, 0, n)
	for _, o := range parts {
		r.V = append(r.V, o.V...)
	}
	return r.Value(), nil
}

// Round gives so many digits behind the point; a number without them (whole)
// becomes an int, as in Python.
func Round(v starlark.Value, digits int, whole bool) (starlark.Value, error) {
	if digits < -15 || digits > 15 {
		return v, nil
	}
	o, ok, err := OperandOf(v)
	if err != nil || !ok || !o.Dim.IsOne() {
		return nil, fmt.Errorf("round() takes pure numbers, not %s: divide by the unit", Describe(v))
	}
	ten := math.Pow10(digits)
	r := o
	if r.V, err = numbers(len(o.V)); err != nil {
		return nil, err
	}
	for k, x := range o.V {
		r.V[k] = math.RoundToEven(x*ten) / ten
	}
	if o.One && whole {
		r.Kind = Ints
	}
	return r.Value(), nil
}

// Truncate is int_(x).
func Truncate(v starlark.Value) (starlark.Value, error) {
	o, ok, err := OperandOf(v)
	if err != nil || !ok || !o.Dim.IsOne() {
		return nil, fmt.Errorf("int_() takes pure numbers, not %s", Describe(v))
	}
	r := o
	r.Kind = Ints
	if r.V, err = numbers(len(o.V)); err != nil {
		return nil, err
	}
	for k, x := range o.V {
		r.V[k] = math.Trunc(x)
	}
	return r.Value(), nil
}

// Sign is -1, 0 or 1.
func Sign(v starlark.Value) (starlark.Value, error) {
	return mapped(v, "sign", func(o Operand) (eqn.Dim, Kind, func(float64) (float64, error), error) {
		return eqn.Dim{}, min(o.Kind, Ints), func(x float64) (float64, error) { return truth(x > 0) - truth(x < 0), nil }, nil
	})
}

// Typed gives a new array the type that dtype= names: int, float or bool, or
// NumPy's names of the kinds that there are.
func Typed(name string, v, dtype starlark.Value) (starlark.Value, error) {
	if dtype == starlark.None {
		return v, nil
	}
	text, ok := starlark.AsString(dtype)
	if f, isType := dtype.(*starlark.Builtin); isType {
		text, ok = f.Name(), true
	}
	kinds := map[string]Kind{"int": Ints, "int_": Ints, "int32": Ints, "int64": Ints, "float": Floats, "float64": Floats, "bool": Bools}
	kind, known := kinds[text]
	if !ok || !known {
		return nil, fmt.Errorf("%s: dtype= is int, float or bool, not %s", name, Describe(dtype))
	}
	return mapped(v, name, func(o Operand) (eqn.Dim, Kind, func(float64) (float64, error), error) {
		if !o.Dim.IsOne() && kind != Floats {
			return o.Dim, kind, nil, fmt.Errorf("%s: dtype=%s is for pure numbers, not %s", name, text, o.Show())
		}
		return o.Dim, kind, func(x float64) (float64, error) {
			switch {
			case kind == Bools:
				return truth(x != 0), nil
			case kind != Ints:
				return x, nil
			case name == "arange" && x != math.Trunc(x): // NumPy's own answer is no progression
				return 0, fmt.Errorf("arange: with dtype=%s start and step are whole numbers; int_(arange(...)) cuts the others", text)
			case math.Abs(x) >= 1<<53 || math.IsNaN(x):
				return 0, fmt.Errorf("%s: %g is no whole number for dtype=%s", name, x, text)
			}
			return math.Trunc(x), nil
		}, nil
	})
}
