package script

import (
	"fmt"
	"math"
	"strings"

	"go.starlark.net/starlark"

	"synfire/engine/eqn"
)

func linspaceBuiltin(_ *script, c *call) (starlark.Value, error) {
	n := c.integer("num", 50)
	if n < 0 || n > maxElements {
		c.failf("num", "num= must be between 0 and %d", maxElements)
	}
	a, b, err := pair(c.val["start"], c.val["stop"])
	if err != nil || c.err != nil {
		return nil, err
	}
	r, err := linspace(a, b, n)
	if err != nil {
		return nil, err
	}
	return r.value(), nil
}

// pair reads two single numbers.
func pair(u, v starlark.Value) (a, b operand, err error) {
	a, ok, err := operandOf(u)
	if err == nil && (!ok || !a.one) {
		err = fmt.Errorf("a number or quantity was expected, not %s", describe(u))
	}
	if err != nil {
		return a, b, err
	}
	b, ok, err = operandOf(v)
	if err == nil && (!ok || !b.one) {
		err = fmt.Errorf("a number or quantity was expected, not %s", describe(v))
	}
	return a, b, err
}

func arangeBuiltin(_ *script, args starlark.Tuple) (starlark.Value, error) {
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
	a, b, err := pair(lo, hi)
	if err != nil {
		return nil, err
	}
	s, _, err := pair(step, step)
	if err != nil {
		return nil, err
	}
	r, err := arange(a, b, s)
	if err != nil {
		return nil, err
	}
	return r.value(), nil
}

func filled(name string, args starlark.Tuple, x float64) (starlark.Value, error) {
	if len(args) != 1 {
		return nil, fmt.Errorf("%s() takes a size or (rows, columns)", name)
	}
	o, err := shapeOf(args[0])
	if err != nil {
		return nil, err
	}
	for k := range o.v {
		o.v[k] = x
	}
	return o.value(), nil
}

// like is zeros_like or ones_like: an array of the size and unit of another.
func like(name string, x float64) func(*script, starlark.Tuple) (starlark.Value, error) {
	return one(name, func(v starlark.Value) (starlark.Value, error) {
		return mapped(v, name, func(o operand) (eqn.Dim, kind, func(float64) (float64, error), error) {
			return o.dim, min(o.kind, ints), func(float64) (float64, error) { return x, nil }, nil
		})
	})
}

func fullBuiltin(_ *script, c *call) (starlark.Value, error) {
	o, err := shapeOf(c.val["shape"])
	if err != nil {
		return nil, err
	}
	v, _, err := pair(c.val["value"], c.val["value"])
	if err != nil {
		return nil, err
	}
	for k := range o.v {
		o.v[k] = v.v[0]
	}
	o.dim, o.kind = v.dim, v.kind
	return o.value(), err
}

// random is rand(n), rand(rows, cols) or rand(); randn alike.
func (x *script) random(name string, args starlark.Tuple) (starlark.Value, error) {
	o := operand{v: make([]float64, 1), kind: floats, one: true}
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
	x.draw(name, o.v)
	return o.value(), nil
}

func arrayBuiltin(_ *script, args starlark.Tuple) (starlark.Value, error) {
	if len(args) != 1 {
		return nil, fmt.Errorf("array() takes a list of numbers")
	}
	o, ok, err := operandOf(args[0])
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("array() takes a list of numbers, not %s", describe(args[0]))
	}
	if err := room(len(o.v), 8); err != nil {
		return nil, err
	}
	o.v, o.one = append([]float64{}, o.v...), false
	return o.value(), nil
}

// choose is minimum or maximum, element by element.
func choose(u, v starlark.Value, f func(a, b float64) float64) (starlark.Value, error) {
	a, b, ok, err := pairOf(u, v)
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, fmt.Errorf("numbers were expected, not %s and %s", describe(u), describe(v))
	case a.dim != b.dim && !a.wild() && !b.wild():
		return nil, unitsDiffer("and", a, b)
	}
	r, err := shape(a, b)
	if err != nil {
		return nil, err
	}
	r.kind = min(a.kind, b.kind)
	if r.dim = a.dim; a.wild() {
		r.dim = b.dim
	}
	for k := range r.v {
		r.v[k] = f(a.get(k), b.get(k))
	}
	return r.value(), nil
}

func clipBuiltin(_ *script, c *call) (starlark.Value, error) {
	v, err := choose(c.val["x"], c.val["low"], math.Max)
	if err != nil {
		return nil, err
	}
	return choose(v, c.val["high"], math.Min)
}

func whereBuiltin(_ *script, c *call) (starlark.Value, error) {
	cond, ok, err := operandOf(c.val["condition"])
	if err != nil || !ok {
		return nil, fmt.Errorf("where() takes an array of truth values, not %s", describe(c.val["condition"]))
	}
	if !c.has("x") || !c.has("y") {
		if c.has("x") || c.has("y") {
			return nil, fmt.Errorf("where() takes the condition alone, or with what to choose where it is true and where not")
		}
		return nonzero(c.val["condition"])
	}
	if err := room(len(cond.v), 24); err != nil {
		return nil, err
	}
	k := -1
	return choose(expand(c.val["x"], len(cond.v)), expand(c.val["y"], len(cond.v)), func(a, b float64) float64 {
		if k++; cond.get(k) != 0 {
			return a
		}
		return b
	})
}

// expand makes an array of n elements of one number.
func expand(v starlark.Value, n int) starlark.Value {
	o, ok, err := operandOf(v)
	if err != nil || !ok || !o.one {
		return v
	}
	r := &array{dim: o.dim, kind: o.kind, v: make([]float64, n)}
	for k := range r.v {
		r.v[k] = o.v[0]
	}
	return r
}

// repeatBuiltin is repeat(x, n), each element n times, and tile(x, n), all n times.
func repeatBuiltin(_ *script, c *call) (starlark.Value, error) {
	o, ok, err := operandOf(c.val["x"])
	n := c.integer("n", 1)
	if err != nil || c.err != nil {
		return nil, err
	}
	if !ok || o.table || n < 0 || n > maxElements/max(1, len(o.v)) {
		return nil, fmt.Errorf("%s(%s, %d) is not possible", c.fn, describe(c.val["x"]), n)
	}
	r := operand{dim: o.dim, kind: o.kind}
	if r.v, err = numbers(n * len(o.v)); err != nil {
		return nil, err
	}
	r.v = r.v[:0]
	if c.fn == "tile" {
		for range n {
			r.v = append(r.v, o.v...)
		}
		return r.value(), nil
	}
	for _, x := range o.v {
		for range n {
			r.v = append(r.v, x)
		}
	}
	return r.value(), nil
}

// nonzero gives the indices of elements that are not 0, as NumPy does: a tuple of
// one array, of a table two, rows and columns.
func nonzero(v starlark.Value) (starlark.Value, error) {
	o, ok, err := operandOf(v)
	if err != nil || !ok || o.one {
		return nil, fmt.Errorf("nonzero() takes a list or an array of numbers, not %s", describe(v))
	}
	if err := room(len(o.v), 16); err != nil {
		return nil, err
	}
	row, col := &array{v: []float64{}, kind: ints}, &array{v: []float64{}, kind: ints}
	for k, x := range o.v {
		switch {
		case x == 0:
		case o.table:
			row.v, col.v = append(row.v, float64(k/o.cols)), append(col.v, float64(k%o.cols))
		default:
			row.v = append(row.v, float64(k))
		}
	}
	if o.table {
		return starlark.Tuple{row, col}, nil
	}
	return starlark.Tuple{row}, nil
}

func concatenate(_ *script, c *call) (starlark.Value, error) {
	list, ok := c.val["arrays"].(starlark.Sequence)
	if !ok {
		return nil, fmt.Errorf("concatenate() takes a list of arrays, not %s", describe(c.val["arrays"]))
	}
	if err := room(list.Len(), 128); err != nil {
		return nil, err
	}
	it := list.Iterate()
	defer it.Done()
	var parts []operand
	var v starlark.Value
	r, n := operand{kind: bools}, 0
	for it.Next(&v) {
		o, ok, err := operandOf(v)
		if err != nil || !ok || o.table {
			return nil, fmt.Errorf("concatenate() takes a list of arrays, not %s", describe(v))
		}
		if len(parts) == 0 {
			r.dim = o.dim
		} else if o.dim != r.dim {
			return nil, fmt.Errorf("concatenate(): the units do not match (%s and %s)", unitName(r.dim), unitName(o.dim))
		}
		parts, n, r.kind = append(parts, o), n+len(o.v), min(r.kind, o.kind)
	}
	if err := room(n, 8); err != nil {
		return nil, err
	}
	r.v = make([]float64, 0, n)
	for _, o := range parts {
		r.v = append(r.v, o.v...)
	}
	return r.value(), nil
}

func roundBuiltin(_ *script, c *call) (starlark.Value, error) {
	digits := c.integer("ndigits", 0)
	if c.err != nil {
		return nil, c.err
	}
	v := c.val["x"]
	if digits < -15 || digits > 15 {
		return v, nil
	}
	o, ok, err := operandOf(v)
	if err != nil || !ok || !o.dim.IsOne() {
		return nil, fmt.Errorf("round() takes pure numbers, not %s: divide by the unit", describe(v))
	}
	ten := math.Pow10(digits)
	r := o
	if r.v, err = numbers(len(o.v)); err != nil {
		return nil, err
	}
	for k, x := range o.v {
		r.v[k] = math.RoundToEven(x*ten) / ten
	}
	if o.one && !c.has("ndigits") {
		r.kind = ints // Python: round(x) is an int
	}
	return r.value(), nil
}

func truncate(v starlark.Value) (starlark.Value, error) {
	o, ok, err := operandOf(v)
	if err != nil || !ok || !o.dim.IsOne() {
		return nil, fmt.Errorf("int_() takes pure numbers, not %s", describe(v))
	}
	r := o
	r.kind = ints
	if r.v, err = numbers(len(o.v)); err != nil {
		return nil, err
	}
	for k, x := range o.v {
		r.v[k] = math.Trunc(x)
	}
	return r.value(), nil
}

func signOf(v starlark.Value) (starlark.Value, error) {
	return mapped(v, "sign", func(operand) (eqn.Dim, kind, func(float64) (float64, error), error) {
		return eqn.Dim{}, ints, func(x float64) (float64, error) { return truth(x > 0) - truth(x < 0), nil }, nil
	})
}

// toFloat is float(x): texts as Starlark reads them, pure numbers, one element.
func toFloat(v starlark.Value) (starlark.Value, error) {
	if _, text := v.(starlark.String); !text {
		o, ok, err := operandOf(v)
		if err != nil {
			return nil, err
		}
		if ok && len(o.v) == 1 {
			return starlark.Float(o.v[0]), nil // Brian2: the value in SI units
		}
		return nil, fmt.Errorf("float() takes one number, not %s", describe(v))
	}
	r, err := starlark.Call(new(starlark.Thread), starlark.Universe["float"], starlark.Tuple{v}, nil)
	return r, inner(err)
}

func toInteger(v starlark.Value) (starlark.Value, error) {
	switch v := v.(type) {
	case starlark.Int, starlark.Float, starlark.Bool, starlark.String:
		if n, _ := elements(v); n > maxBits/4 { // a digit has less than four bits
			return nil, fmt.Errorf("int() of a text of %d letters: whole numbers have at most %d bits", n, maxBits)
		}
		r, err := starlark.Call(new(starlark.Thread), starlark.Universe["int"], starlark.Tuple{v}, nil)
		return r, inner(err)
	}
	o, ok, err := operandOf(v)
	if err != nil {
		return nil, err
	}
	if !ok || len(o.v) != 1 || !o.dim.IsOne() || !finite(o.v) {
		return nil, fmt.Errorf("int() takes one pure number, not %s", strings.TrimSpace(describe(v)))
	}
	return starlark.NumberToInt(starlark.Float(o.v[0]))
}
