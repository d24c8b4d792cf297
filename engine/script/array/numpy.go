package array

import (
	"fmt"
	"math"
	"slices"
	"sort"

	"go.starlark.net/starlark"

	"synfire/engine/eqn"
	"synfire/engine/script/argument"
)

// Function is one of NumPy's: its parameters, as argument.Match takes them, and
// what it does.
type Function struct {
	Params string
	Do     func(c argument.Call) (starlark.Value, error)
}

// Functions are NumPy's functions of arrays beside those that have files of their
// own. They keep units where NumPy's on Brian2's quantities do.
var Functions = map[string]Function{
	"dot":    {"a b", func(c argument.Call) (starlark.Value, error) { return Dot(c.Val["a"], c.Val["b"]) }},
	"matmul": {"a b", func(c argument.Call) (starlark.Value, error) { return Dot(c.Val["a"], c.Val["b"]) }},
	"outer": {"a b", func(c argument.Call) (starlark.Value, error) {
		a, b, err := pair(c, "a", "b")
		if err != nil {
			return nil, err
		}
		r, err := table(len(a.V), len(b.V))
		if err != nil {
			return nil, err
		}
		r.Dim, r.Kind = a.Dim.Mul(b.Dim), min(a.Kind, b.Kind, Ints)
		for k := range r.V {
			r.V[k] = a.V[k/len(b.V)] * b.V[k%len(b.V)]
		}
		return r.Value(), nil
	}},
	"eye":      {"N / M=None k=0", eye},
	"identity": {"N", eye},
	"diag": {"v", func(c argument.Call) (starlark.Value, error) {
		a, err := list(c, "v")
		if err != nil {
			return nil, err
		}
		if a.Table {
			r := Operand{Dim: a.Dim, Kind: a.Kind}
			for k := range min(a.Rows(), a.Cols) {
				r.V = append(r.V, a.V[k*a.Cols+k])
			}
			return r.Value(), nil
		}
		r, err := table(len(a.V), len(a.V))
		if err != nil {
			return nil, err
		}
		r.Dim, r.Kind = a.Dim, a.Kind
		for k, x := range a.V {
			r.V[k*len(a.V)+k] = x
		}
		return r.Value(), nil
	}},
	"trace": {"a", func(c argument.Call) (starlark.Value, error) {
		a, err := list(c, "a")
		if err != nil {
			return nil, err
		}
		if !a.Table {
			return nil, fmt.Errorf("trace() takes a table")
		}
		s := 0.0
		for k := range min(a.Rows(), a.Cols) {
			s += a.V[k*a.Cols+k]
		}
		return Scalar(s, a.Dim, min(a.Kind, Ints)), nil
	}},
	"triu": {"m / k=0", triangle(true)},
	"tril": {"m / k=0", triangle(false)},
	"transpose": {"a", func(c argument.Call) (starlark.Value, error) {
		o, err := numbersOf(c, "a")
		if err != nil || o.One {
			return c.Val["a"], err
		}
		return o.Value().(*Array).transposed()
	}},
	"reshape": {"a shape", func(c argument.Call) (starlark.Value, error) { return Reshape(c.Val["a"], c.Val["shape"]) }},
	"ravel":   {"a", func(c argument.Call) (starlark.Value, error) { return flat(c, "a") }},
	"squeeze": {"a", squeeze},
	"atleast_1d": {"a", func(c argument.Call) (starlark.Value, error) {
		o, err := numbersOf(c, "a")
		o.One = false
		return o.Value(), err
	}},
	"atleast_2d": {"a", func(c argument.Call) (starlark.Value, error) {
		o, err := numbersOf(c, "a")
		if err == nil && !o.Table {
			o.Table, o.Cols, o.One, o.hollow = true, len(o.V), false, 1
		}
		return o.Value(), err
	}},
	"vstack":       {"arrays", func(c argument.Call) (starlark.Value, error) { return Stack(c.Val["arrays"], true) }},
	"row_stack":    {"arrays", func(c argument.Call) (starlark.Value, error) { return Stack(c.Val["arrays"], true) }},
	"column_stack": {"arrays", func(c argument.Call) (starlark.Value, error) { return Stack(c.Val["arrays"], false) }},
	"stack": {"arrays / axis=0", func(c argument.Call) (starlark.Value, error) {
		axis, err := whole(c, "axis", 0)
		if err != nil {
			return nil, err
		}
		return Stack(c.Val["arrays"], axis == 0)
	}},
	"meshgrid": {"x y", func(c argument.Call) (starlark.Value, error) {
		x, y, err := pair(c, "x", "y")
		if err != nil {
			return nil, err
		}
		a, err := table(len(y.V), len(x.V))
		if err != nil {
			return nil, err
		}
		b, err := table(len(y.V), len(x.V))
		if err != nil {
			return nil, err
		}
		a.Dim, a.Kind, b.Dim, b.Kind = x.Dim, x.Kind, y.Dim, y.Kind
		for k := range a.V {
			a.V[k], b.V[k] = x.V[k%len(x.V)], y.V[k/len(x.V)]
		}
		return starlark.NewList([]starlark.Value{a.Value(), b.Value()}), nil
	}},
	"append": {"arr values", func(c argument.Call) (starlark.Value, error) {
		a, b, err := pair(c, "arr", "values")
		if err != nil {
			return nil, err
		}
		a.Table, b.Table, a.One, b.One = false, false, false, false
		return Concatenate(starlark.Tuple{a.Value(), b.Value()})
	}},
	"delete": {"arr obj", func(c argument.Call) (starlark.Value, error) {
		a, err := list(c, "arr")
		if err != nil {
			return nil, err
		}
		pick, _, err := axis(c.Val["obj"], len(a.V))
		if err != nil || a.Table {
			return nil, fmt.Errorf("delete() takes an array and indices: %v", err)
		}
		gone := make([]bool, len(a.V))
		for _, k := range pick {
			gone[k] = true
		}
		r := Operand{Dim: a.Dim, Kind: a.Kind, V: []float64{}}
		for k, x := range a.V {
			if !gone[k] {
				r.V = append(r.V, x)
			}
		}
		return r.Value(), nil
	}},
	"roll": {"a shift", func(c argument.Call) (starlark.Value, error) {
		a, err := list(c, "a")
		if err != nil {
			return nil, err
		}
		n, err := whole(c, "shift", 0)
		if err != nil {
			return nil, err
		}
		v := make([]float64, len(a.V))
		for k, x := range a.V {
			v[((k+n)%len(v)+len(v))%len(v)] = x
		}
		a.V = v
		return a.Value(), nil
	}},
	"flip":   {"m", reversed(true, true)},
	"flipud": {"m", reversed(true, false)},
	"fliplr": {"m", reversed(false, true)},
	"logspace": {"start stop / num=50 base=10", func(c argument.Call) (starlark.Value, error) {
		n, err := whole(c, "num", 50)
		if err != nil {
			return nil, err
		}
		if n < 0 || n > MaxElements {
			return nil, fmt.Errorf("num= must be between 0 and %d", MaxElements)
		}
		base := 10.0
		if c.Has("base") {
			if base, err = ToMeasure(c.Val["base"], eqn.Dim{}); err != nil {
				return nil, fmt.Errorf("base= %w", err)
			}
		}
		e, err := Linspace(c.Val["start"], c.Val["stop"], n)
		if err != nil {
			return nil, err
		}
		return Power(starlark.Float(base), e)
	}},
	"isnan":         {"x", each(func(x float64) bool { return x != x })},
	"isinf":         {"x", each(func(x float64) bool { return math.IsInf(x, 0) })},
	"isfinite":      {"x", each(func(x float64) bool { return x-x == 0 })},
	"logical_not":   {"x", each(func(x float64) bool { return x == 0 })},
	"logical_and":   {"x1 x2", both(func(x, y float64) float64 { return truth(x != 0 && y != 0) }, true)},
	"logical_or":    {"x1 x2", both(func(x, y float64) float64 { return truth(x != 0 || y != 0) }, true)},
	"logical_xor":   {"x1 x2", both(func(x, y float64) float64 { return truth((x != 0) != (y != 0)) }, true)},
	"isclose":       {"a b / rtol=1e-5 atol=1e-8", close1},
	"allclose":      {"a b / rtol=1e-5 atol=1e-8", func(c argument.Call) (starlark.Value, error) { return allOf(close1(c)) }},
	"array_equal":   {"a b", equalArrays},
	"arctan2":       {"x1 x2", both(math.Atan2, false)},
	"hypot":         {"x1 x2", both(math.Hypot, false)},
	"mod":           {"x1 x2", both(mod, false)},
	"fmod":          {"x1 x2", both(math.Mod, false)},
	"square":        {"x", func(c argument.Call) (starlark.Value, error) { return Power(c.Val["x"], starlark.MakeInt(2)) }},
	"deg2rad":       {"x", pure(func(x float64) float64 { return x * (math.Pi / 180) })},
	"rad2deg":       {"x", pure(func(x float64) float64 { return x * (180 / math.Pi) })},
	"radians":       {"x", pure(func(x float64) float64 { return x * (math.Pi / 180) })},
	"degrees":       {"x", pure(func(x float64) float64 { return x * (180 / math.Pi) })},
	"rint":          {"x", pure(math.RoundToEven)},
	"trunc":         {"x", pure(math.Trunc)},
	"flatnonzero":   {"a", func(c argument.Call) (starlark.Value, error) { return indicesWhere(c, "a") }},
	"count_nonzero": {"a", countNonzero},
	"isin":          {"element test_elements", isin},
	"in1d":          {"element test_elements", isin},
	"searchsorted": {"a v / side='left'", func(c argument.Call) (starlark.Value, error) {
		a, v, err := pair(c, "a", "v")
		if err != nil {
			return nil, err
		}
		right := c.Get("side") == starlark.String("right")
		return found(v, func(x float64) int {
			return sort.Search(len(a.V), func(k int) bool { return a.V[k] > x || !right && a.V[k] == x })
		})
	}},
	"digitize": {"x bins / right=False", func(c argument.Call) (starlark.Value, error) {
		x, b, err := pair(c, "x", "bins")
		if err != nil {
			return nil, err
		}
		right := c.Has("right") && bool(c.Val["right"].Truth())
		return found(x, func(x float64) int {
			return sort.Search(len(b.V), func(k int) bool { return b.V[k] > x || right && b.V[k] == x })
		})
	}},
	"bincount": {"x / weights=None minlength=0", bincount},
	"interp": {"x xp fp", func(c argument.Call) (starlark.Value, error) {
		x, xp, err := pair(c, "x", "xp")
		if err != nil {
			return nil, err
		}
		fp, err := list(c, "fp")
		if err != nil || len(fp.V) != len(xp.V) || len(xp.V) == 0 {
			return nil, fmt.Errorf("interp() takes xp and fp of one size")
		}
		r := x
		r.Dim, r.Kind = fp.Dim, Floats
		r.V = make([]float64, len(x.V))
		for i, at := range x.V {
			k := sort.SearchFloat64s(xp.V, at)
			switch {
			case k == 0:
				r.V[i] = fp.V[0]
			case k == len(xp.V):
				r.V[i] = fp.V[k-1]
			default:
				r.V[i] = fp.V[k-1] + float64((fp.V[k]-fp.V[k-1])*((at-xp.V[k-1])/(xp.V[k]-xp.V[k-1])))
			}
		}
		return r.Value(), nil
	}},
	"convolve":  {"a v / mode='full'", convolved(false)},
	"correlate": {"a v / mode='valid'", convolved(true)},
	"average": {"a / weights=None", func(c argument.Call) (starlark.Value, error) {
		a, err := list(c, "a")
		if err != nil {
			return nil, err
		}
		w := Operand{V: []float64{1}, One: true}
		if c.Has("weights") {
			if w, err = list(c, "weights"); err != nil {
				return nil, err
			}
			if len(w.V) != len(a.V) {
				return nil, fmt.Errorf("%d weights for %d values", len(w.V), len(a.V))
			}
		}
		s, t := 0.0, 0.0
		for k, x := range a.V {
			s += float64(x * w.get(k))
			t += w.get(k)
		}
		if t == 0 {
			return nil, fmt.Errorf("average() of weights whose sum is 0")
		}
		return Scalar(s/t, a.Dim, Floats), nil
	}},
	"percentile": {"a q", quantile(100)},
	"quantile":   {"a q", quantile(1)},
	"corrcoef": {"x y", func(c argument.Call) (starlark.Value, error) {
		x, y, err := pair(c, "x", "y")
		if err != nil || len(x.V) != len(y.V) || len(x.V) == 0 {
			return nil, fmt.Errorf("corrcoef() takes two lists of one size")
		}
		mx, my, s := total(x.V)/float64(len(x.V)), total(y.V)/float64(len(y.V)), 0.0
		for k := range x.V {
			s += float64((x.V[k] - mx) * (y.V[k] - my))
		}
		r := s / float64(len(x.V)) / math.Sqrt(variance(x.V)*variance(y.V))
		return (&Operand{V: []float64{1, r, r, 1}, Table: true, Cols: 2, Kind: Floats}).Value(), nil
	}},
	"trapezoid": {"y / x=None dx=1", trapezoid},
	"trapz":     {"y / x=None dx=1", trapezoid},
	"gradient": {"f / dx=1", func(c argument.Call) (starlark.Value, error) {
		f, err := list(c, "f")
		if err != nil || f.Table || len(f.V) < 2 {
			return nil, fmt.Errorf("gradient() takes a list of two values at least")
		}
		dx := Operand{V: []float64{1}, One: true}
		if c.Has("dx") {
			if dx, err = numbersOf(c, "dx"); err != nil || !dx.One || dx.V[0] == 0 {
				return nil, fmt.Errorf("the step of gradient() is a number")
			}
		}
		n := len(f.V)
		r := Operand{V: make([]float64, n), Dim: f.Dim.Div(dx.Dim), Kind: Floats}
		for k := range r.V {
			lo, hi := max(k-1, 0), min(k+1, n-1)
			r.V[k] = (f.V[hi] - f.V[lo]) / float64(hi-lo) / dx.V[0]
		}
		return r.Value(), nil
	}},
	"prod": {"a", product},
	"cumprod": {"a", func(c argument.Call) (starlark.Value, error) {
		return running(c, func(s, x float64) float64 { return s * x })
	}},
	"ptp":        {"a", func(c argument.Call) (starlark.Value, error) { o, err := list(c, "a"); return spanOf(o, err) }},
	"nan_to_num": {"x", pure(func(x float64) float64 { return map[bool]float64{true: 0, false: x}[x != x] })},
	"nanmean":    {"a", withoutNaN("mean")},
	"nansum":     {"a", withoutNaN("sum")},
	"nanmax":     {"a", withoutNaN("max")},
	"nanmin":     {"a", withoutNaN("min")},
	"nanstd":     {"a", withoutNaN("std")},
	"full_like":  {"a fill_value", func(c argument.Call) (starlark.Value, error) { return filledLike(c.Val["a"], c.Val["fill_value"]) }},
	"empty_like": {"a", func(c argument.Call) (starlark.Value, error) { return Like("empty_like", c.Val["a"], 0) }},
	"copy":       {"a", func(c argument.Call) (starlark.Value, error) { return Make(starlark.Tuple{c.Val["a"]}) }},
	"size": {"a", func(c argument.Call) (starlark.Value, error) {
		o, err := numbersOf(c, "a")
		return starlark.MakeInt(len(o.V)), err
	}},
	"ndim": {"a", func(c argument.Call) (starlark.Value, error) {
		o, err := numbersOf(c, "a")
		return starlark.MakeInt(o.dimensions()), err
	}},
	"shape": {"a", func(c argument.Call) (starlark.Value, error) {
		o, err := numbersOf(c, "a")
		switch {
		case err != nil || o.One:
			return starlark.Tuple{}, err
		case o.Table:
			return starlark.Tuple{starlark.MakeInt(o.Rows()), starlark.MakeInt(o.Cols)}, nil
		}
		return starlark.Tuple{starlark.MakeInt(len(o.V))}, nil
	}},
}

func (o *Operand) dimensions() int {
	switch {
	case o.One:
		return 0
	case o.Table:
		return 2
	}
	return 1
}

// numbersOf is an argument that is numbers.
func numbersOf(c argument.Call, name string) (Operand, error) {
	o, ok, err := OperandOf(c.Val[name])
	if err == nil && !ok {
		err = fmt.Errorf("%s() takes numbers, not %s", c.Fn, Describe(c.Val[name]))
	}
	return o, err
}

// list is an argument that is a list or a table of numbers.
func list(c argument.Call, name string) (Operand, error) {
	o, err := numbersOf(c, name)
	if err == nil && o.One {
		err = fmt.Errorf("%s() takes a list or an array of numbers, not %s", c.Fn, Describe(c.Val[name]))
	}
	return o, err
}

func pair(c argument.Call, a, b string) (x, y Operand, err error) {
	if x, err = numbersOf(c, a); err == nil {
		y, err = numbersOf(c, b)
	}
	return
}

func whole(c argument.Call, name string, def int) (int, error) {
	if !c.Has(name) {
		return def, nil
	}
	n, err := ToInt(c.Val[name])
	if err != nil {
		err = fmt.Errorf("%s= %w", name, err)
	}
	return n, err
}

func bincount(c argument.Call) (starlark.Value, error) {
	at, err := ToInts(c.Val["x"])
	if err != nil {
		return nil, fmt.Errorf("bincount(): the values %w", err)
	}
	n, err := whole(c, "minlength", 0)
	if err != nil {
		return nil, err
	}
	for _, k := range at {
		if k < 0 || k >= MaxElements {
			return nil, fmt.Errorf("bincount() counts whole numbers from 0 on, not %d", k)
		}
		n = max(n, k+1)
	}
	if n < 0 || n > MaxElements {
		return nil, fmt.Errorf("minlength=%d is not possible", n)
	}
	r := Operand{Kind: Ints}
	var w Operand
	if c.Has("weights") {
		if w, err = list(c, "weights"); err != nil {
			return nil, err
		}
		if len(w.V) != len(at) {
			return nil, fmt.Errorf("%d weights for %d values", len(w.V), len(at))
		}
		r.Kind, r.Dim = Floats, w.Dim
	}
	if r.V, err = numbers(n); err != nil {
		return nil, err
	}
	for i, k := range at {
		if w.V != nil {
			r.V[k] += w.V[i]
		} else {
			r.V[k]++
		}
	}
	return r.Value(), nil
}

func convolved(correlate bool) func(argument.Call) (starlark.Value, error) {
	return func(c argument.Call) (starlark.Value, error) {
		a, v, err := pair(c, "a", "v")
		if err != nil {
			return nil, err
		}
		if a.Table || v.Table || len(a.V) == 0 || len(v.V) == 0 {
			return nil, fmt.Errorf("%s() takes two lists", c.Fn)
		}
		kernel, mode := slices.Clone(v.V), "full"
		if correlate {
			slices.Reverse(kernel)
			mode = "valid"
		}
		if m := c.Get("mode"); m != nil {
			mode, _ = starlark.AsString(m)
		}
		n, k := len(a.V), len(kernel)
		if float64(n)*float64(k) > 1e10 {
			return nil, fmt.Errorf("%s() of %d and %d values is too large for a script", c.Fn, n, k)
		}
		full, err := numbers(n + k - 1)
		if err != nil {
			return nil, err
		}
		for i, x := range a.V {
			for j, y := range kernel {
				full[i+j] += float64(x * y)
			}
		}
		lo, size := 0, len(full)
		switch mode {
		case "full":
		case "same":
			size = max(n, k)
			lo = (len(full) - size) / 2
		case "valid":
			size = max(n, k) - min(n, k) + 1
			lo = min(n, k) - 1
		default:
			return nil, fmt.Errorf("mode= is 'full', 'same' or 'valid'")
		}
		return (&Operand{V: full[lo : lo+size], Dim: a.Dim.Mul(v.Dim), Kind: min(a.Kind, v.Kind, Ints)}).Value(), nil
	}
}

func quantile(unit float64) func(argument.Call) (starlark.Value, error) {
	return func(c argument.Call) (starlark.Value, error) {
		a, q, err := pair(c, "a", "q")
		if err != nil {
			return nil, err
		}
		if len(a.V) == 0 {
			return nil, fmt.Errorf("%s() of nothing: the array is empty", c.Fn)
		}
		s := slices.Clone(a.V)
		slices.SortFunc(s, ascending)
		if math.IsNaN(s[len(s)-1]) { // as NumPy
			s = []float64{math.NaN()}
		}
		r := q
		r.Dim, r.Kind = a.Dim, Floats
		r.V = make([]float64, len(q.V))
		for k, x := range q.V {
			if !(x >= 0 && x <= unit) {
				return nil, fmt.Errorf("%s() takes parts from 0 to %g, not %g", c.Fn, unit, x)
			}
			at := x / unit * float64(len(s)-1)
			i := min(int(at), max(len(s)-2, 0))
			r.V[k] = s[i]
			if i+1 < len(s) {
				r.V[k] += float64((s[i+1] - s[i]) * (at - float64(i)))
			}
		}
		return r.Value(), nil
	}
}

func trapezoid(c argument.Call) (starlark.Value, error) {
	y, err := list(c, "y")
	if err != nil {
		return nil, err
	}
	s, d := 0.0, eqn.Dim{}
	if c.Has("x") {
		x, err := list(c, "x")
		if err != nil || len(x.V) != len(y.V) {
			return nil, fmt.Errorf("%s() takes x and y of one size", c.Fn)
		}
		d = x.Dim
		for k := 1; k < len(y.V); k++ {
			s += float64((x.V[k] - x.V[k-1]) * (y.V[k] + y.V[k-1]) / 2)
		}
		return Scalar(s, y.Dim.Mul(d), Floats), nil
	}
	dx := Operand{V: []float64{1}, One: true}
	if c.Has("dx") {
		if dx, err = numbersOf(c, "dx"); err != nil || !dx.One {
			return nil, fmt.Errorf("dx= is a number")
		}
	}
	for k := 1; k < len(y.V); k++ {
		s += float64(dx.V[0] * (y.V[k] + y.V[k-1]) / 2)
	}
	return Scalar(s, y.Dim.Mul(dx.Dim), Floats), nil
}

func product(c argument.Call) (starlark.Value, error) {
	o, err := numbersOf(c, "a")
	if err != nil {
		return nil, err
	}
	d, ok := o.Dim.Pow(float64(len(o.V)))
	if !ok || d.Beyond() {
		return nil, eqn.As(eqn.Dimension, fmt.Errorf("the product of %d values in %s has no unit", len(o.V), UnitName(o.Dim)))
	}
	s := 1.0
	for _, x := range o.V {
		s *= x
	}
	return Scalar(s, d, min(o.Kind, Ints)), nil
}

func running(c argument.Call, f func(s, x float64) float64) (starlark.Value, error) {
	o, err := list(c, "a")
	if err != nil {
		return nil, err
	}
	if !o.Dim.IsOne() {
		return nil, fmt.Errorf("%s() takes pure numbers, not %s", c.Fn, o.Show())
	}
	o.V = slices.Clone(o.V)
	for k := 1; k < len(o.V); k++ {
		o.V[k] = f(o.V[k-1], o.V[k])
	}
	o.Kind, o.Table, o.Cols = min(o.Kind, Ints), false, 0
	return o.Value(), nil
}

func spanOf(o Operand, err error) (starlark.Value, error) {
	if err == nil && len(o.V) == 0 {
		err = fmt.Errorf("ptp() of nothing: the array is empty")
	}
	if err != nil {
		return nil, err
	}
	return Scalar(slices.Max(o.V)-slices.Min(o.V), o.Dim, min(o.Kind, Ints)), nil
}

func withoutNaN(of string) func(argument.Call) (starlark.Value, error) {
	return func(c argument.Call) (starlark.Value, error) {
		o, err := numbersOf(c, "a")
		if err != nil {
			return nil, err
		}
		r := &Array{Dim: o.Dim, Kind: o.Kind, V: []float64{}}
		for _, x := range o.V {
			if x == x {
				r.V = append(r.V, x)
			}
		}
		return Reductions[of](r)
	}
}

func filledLike(a, value starlark.Value) (starlark.Value, error) {
	o, ok, err := OperandOf(a)
	if err != nil || !ok {
		return nil, fmt.Errorf("full_like() takes numbers, not %s", Describe(a))
	}
	v, err := single(value)
	if err != nil {
		return nil, err
	}
	r := o
	r.Dim, r.Kind = v.Dim, min(v.Kind, o.Kind)
	if r.V, err = numbers(len(o.V)); err != nil {
		return nil, err
	}
	for k := range r.V {
		r.V[k] = v.V[0]
	}
	return r.Value(), nil
}

// Every is all(x) and Some any(x) of numbers, along an axis if there is one.
func Every(o Operand) bool { return !slices.Contains(o.V, 0) }

// Some is any(x).
func Some(o Operand) bool {
	return slices.ContainsFunc(o.V, func(x float64) bool { return x != 0 })
}

// Methods are the methods of arrays that are functions of the same name.
var Methods = map[string]bool{"dot": true, "ravel": true, "squeeze": true, "prod": true, "cumprod": true, "ptp": true, "trace": true, "transpose": true, "cumsum": true, "argsort": true, "searchsorted": true}
