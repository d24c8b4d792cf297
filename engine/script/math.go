package script

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/big"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"synfire/engine/eqn"
	"synfire/engine/num"
	"synfire/engine/philox"
)

// pure are the functions of a pure number, worked out by package num so that
// their bits are the same on every machine (design section 3, rule 11).
var pure = map[string]func(float64) float64{
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

// keeping are the functions that keep the unit.
var keeping = map[string]func(float64) float64{
	"abs": math.Abs,
	"round": func(x float64) float64 {
		return math.RoundToEven(x)
	},
}

// mapped applies f to each element.
func mapped(v starlark.Value, name string, f func(o operand) (eqn.Dim, kind, func(float64) (float64, error), error)) (starlark.Value, error) {
	o, ok, err := operandOf(v)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("%s() takes numbers, not %s", name, describe(v))
	}
	d, k, g, err := f(o)
	if err != nil {
		return nil, err
	}
	r := o
	r.dim, r.kind = d, k
	if r.v, err = numbers(len(o.v)); err != nil {
		return nil, err
	}
	for i, x := range o.v {
		if r.v[i], err = g(x); err != nil {
			return nil, err
		}
	}
	return r.value(), nil
}

// applyPure is one of the functions of pure.
func applyPure(name string, v starlark.Value) (starlark.Value, error) {
	f := pure[name]
	return mapped(v, name, func(o operand) (eqn.Dim, kind, func(float64) (float64, error), error) {
		if !o.dim.IsOne() {
			return o.dim, floats, nil, fmt.Errorf("%s() takes a pure number, not %s: divide by its unit", name, o.show())
		}
		return o.dim, min(o.kind, floats), func(x float64) (float64, error) {
			if in := domain[name]; in != nil && !in(x) {
				return 0, fmt.Errorf("%s(%g) is not defined", name, x)
			}
			return f(x), nil
		}, nil
	})
}

func squareRoot(v starlark.Value) (starlark.Value, error) {
	return mapped(v, "sqrt", func(o operand) (eqn.Dim, kind, func(float64) (float64, error), error) {
		d, ok := o.dim.Pow(0.5)
		if !ok {
			return d, floats, nil, fmt.Errorf("the square root of %s has no unit", unitName(o.dim))
		}
		return d, min(o.kind, floats), func(x float64) (float64, error) {
			if x < 0 {
				return 0, fmt.Errorf("sqrt(%g) is not real", x)
			}
			return math.Sqrt(x), nil
		}, nil
	})
}

func applyKeeping(name string, v starlark.Value) (starlark.Value, error) {
	return mapped(v, name, func(o operand) (eqn.Dim, kind, func(float64) (float64, error), error) {
		k := o.kind
		if k == bools {
			k = ints
		}
		return o.dim, k, func(x float64) (float64, error) { return keeping[name](x), nil }, nil
	})
}

// reductions are the functions from an array to a number. Sums run in the order
// of the elements.
var reductions = map[string]func(starlark.Value) (starlark.Value, error){}

func init() {
	reduce := func(name string, f func(o operand) (float64, eqn.Dim, kind)) {
		reductions[name] = func(v starlark.Value) (starlark.Value, error) {
			o, ok, err := operandOf(v)
			if err != nil {
				return nil, err
			}
			if !ok {
				return nil, fmt.Errorf("%s() takes a list or an array of numbers, not %s", name, describe(v))
			}
			if len(o.v) == 0 && name != "sum" {
				return nil, fmt.Errorf("%s() of nothing: the array is empty", name)
			}
			x, d, k := f(o)
			return scalar(x, d, k), nil
		}
	}
	reduce("sum", func(o operand) (float64, eqn.Dim, kind) { return total(o.v), o.dim, min(o.kind, ints) })
	reduce("mean", func(o operand) (float64, eqn.Dim, kind) {
		return total(o.v) / float64(len(o.v)), o.dim, min(o.kind, floats)
	})
	reduce("var", func(o operand) (float64, eqn.Dim, kind) {
		d, _ := o.dim.Pow(2)
		return variance(o.v), d, min(o.kind, floats)
	})
	reduce("std", func(o operand) (float64, eqn.Dim, kind) { return math.Sqrt(variance(o.v)), o.dim, min(o.kind, floats) })
	reduce("median", func(o operand) (float64, eqn.Dim, kind) {
		s := slices.Clone(o.v)
		sort.Float64s(s)
		return (s[(len(s)-1)/2] + s[len(s)/2]) / 2, o.dim, min(o.kind, floats)
	})
	reduce("min", func(o operand) (float64, eqn.Dim, kind) { return slices.Min(o.v), o.dim, o.kind })
	reduce("max", func(o operand) (float64, eqn.Dim, kind) { return slices.Max(o.v), o.dim, o.kind })
	reduce("argmin", func(o operand) (float64, eqn.Dim, kind) {
		return float64(slices.Index(o.v, slices.Min(o.v))), eqn.Dim{}, ints
	})
	reduce("argmax", func(o operand) (float64, eqn.Dim, kind) {
		return float64(slices.Index(o.v, slices.Max(o.v))), eqn.Dim{}, ints
	})
}

// reduced is mean(x, axis) and the like: of all elements, or of a table along its
// rows (axis 0) or columns (axis 1).
func reduced(name string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	c, err := bind(name, args, kwargs, "x / axis")
	if err != nil {
		return nil, err
	}
	axis, x := c.integer("axis", -1), c.val["x"]
	if c.err != nil {
		return nil, c.err
	}
	if !c.has("axis") {
		return reductions[name](x)
	}
	o, ok, err := operandOf(x)
	if err != nil || !ok || o.one || axis < 0 || axis > 1 || axis == 1 && !o.table {
		return nil, &argError{name: "axis", index: c.pos["axis"], err: fmt.Errorf("axis= is 0, or 0 or 1 of a table")}
	}
	if !o.table {
		return reductions[name](x)
	}
	rows, cols := o.rows(), o.cols
	n, each := cols, rows
	if axis == 1 {
		n, each = rows, cols
	}
	if err := room(n, 48); err != nil {
		return nil, err
	}
	out := make([]starlark.Value, n)
	line := &array{dim: o.dim, kind: o.kind}
	for k := range n {
		line.v = line.v[:0]
		for m := range each {
			at := m*cols + k
			if axis == 1 {
				at = k*cols + m
			}
			line.v = append(line.v, o.v[at])
		}
		if out[k], err = reductions[name](line); err != nil {
			return nil, err
		}
	}
	r, _, err := operandOf(starlark.NewList(out))
	return r.value(), err
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

// arrays are the functions from an array to an array.
var arrays = map[string]func(o operand) (operand, error){
	"sort": func(o operand) (operand, error) {
		o.v = slices.Clone(o.v)
		sort.Float64s(o.v)
		return o, nil
	},
	"argsort": func(o operand) (operand, error) {
		at := make([]float64, len(o.v))
		for k := range at {
			at[k] = float64(k)
		}
		sort.SliceStable(at, func(i, j int) bool { return o.v[int(at[i])] < o.v[int(at[j])] })
		return operand{v: at, kind: ints}, nil
	},
	"unique": func(o operand) (operand, error) {
		o.v = slices.Clone(o.v)
		sort.Float64s(o.v)
		o.v = slices.Compact(o.v)
		return o, nil
	},
	"cumsum": func(o operand) (operand, error) {
		o.v = slices.Clone(o.v)
		for k := 1; k < len(o.v); k++ {
			o.v[k] += o.v[k-1]
		}
		o.kind = min(o.kind, ints)
		return o, nil
	},
	"diff": func(o operand) (operand, error) {
		d := make([]float64, max(0, len(o.v)-1))
		for k := range d {
			d[k] = o.v[k+1] - o.v[k]
		}
		o.v, o.kind = d, min(o.kind, ints)
		return o, nil
	},
}

// Bounds of an array that a script makes and of a group; variables, so that the
// fuzzer can lower them.
var (
	maxElements = 1 << 28
	maxCells    = 1<<31 - 64
)

func count(v starlark.Value) (int, error) {
	n, err := toInt(v)
	if err != nil {
		return 0, fmt.Errorf("the size %v", err)
	}
	if n < 0 || n > maxElements {
		return 0, fmt.Errorf("the size must be between 0 and %d, got %d", maxElements, n)
	}
	return n, nil
}

// shapeOf reads n or (rows, cols).
func shapeOf(v starlark.Value) (o operand, err error) {
	var n int
	if t, ok := v.(starlark.Tuple); ok && len(t) == 2 {
		o.table = true
		if o.cols, err = count(t[1]); err != nil {
			return o, err
		}
		if n, err = count(t[0]); err != nil {
			return o, err
		}
		o.hollow = n
		if o.cols > 0 && n > maxElements/o.cols {
			return o, fmt.Errorf("an array of %d by %d is too large", n, o.cols)
		}
		n *= o.cols
	} else if n, err = count(v); err != nil {
		return o, err
	}
	o.kind = floats
	o.v, err = numbers(n)
	return o, err
}

// linspace is NumPy's: n values from a to b, both included.
func linspace(a, b operand, n int) (operand, error) {
	if a.dim != b.dim && !a.wild() && !b.wild() {
		return a, unitsDiffer("to", a, b)
	}
	v, err := numbers(n)
	if err != nil {
		return a, err
	}
	r := operand{v: v, dim: a.dim, kind: floats}
	if a.wild() {
		r.dim = b.dim
	}
	lo, hi := a.v[0], b.v[0]
	for k := range r.v {
		r.v[k] = lo
		if n > 1 {
			r.v[k] = float64(float64(k)*((hi-lo)/float64(n-1))) + lo
		}
	}
	if n > 1 {
		r.v[n-1] = hi
	}
	return r, nil
}

// arange is NumPy's: lo, lo+step, ... below hi.
func arange(lo, hi, step operand) (operand, error) {
	d := hi.dim
	if lo.dim != d && !lo.wild() || step.dim != d && !(step.v[0] == 0) {
		return lo, fmt.Errorf("arange(%s, %s, %s): the units do not match", lo.show(), hi.show(), step.show())
	}
	if step.v[0] == 0 {
		return lo, fmt.Errorf("arange: the step is zero")
	}
	n := math.Ceil((hi.v[0] - lo.v[0]) / step.v[0])
	if !(n < float64(maxElements)) {
		return lo, fmt.Errorf("arange: %g elements are too many", n)
	}
	v, err := numbers(int(max(0, n)))
	if err != nil {
		return lo, err
	}
	r := operand{v: v, dim: d, kind: min(lo.kind, hi.kind, step.kind)}
	for k := range r.v {
		r.v[k] = lo.v[0] + float64(float64(k)*step.v[0])
	}
	return r, nil
}

// draw fills an array from the named stream of the place where the script
// calls (design section 3, rule 7).
func (x *script) draw(name string, v []float64) {
	pos := x.here()
	key := name + "\x00" + strings.TrimSpace(x.lineAt(pos))
	visit := x.draws[key]
	x.draws[key]++
	h := fnv.New32a()
	fmt.Fprintf(h, "script\x00%s\x00%d", key, visit)
	s := x.net.SeedValue()
	seed := [2]uint32{uint32(s), uint32(s >> 32)}
	for k := range v {
		u := (float64(philox.Word(uint32(k), 0, 0, h.Sum32(), seed)) + 0.5) / (1 << 32)
		if name == "randn" {
			u = num.NormInv(u)
		}
		v[k] = u
	}
}

// formatSpec is what stands between % and the letter: flags, width, precision.
var formatSpec = regexp.MustCompile(`^%[-+ #0]*(\d*)(?:\.(\d*))?$`)

// maxWidth bounds widths and precisions, as Go does.
const maxWidth = 1000000

// percent is Python's % between a text and values, with widths and precisions.
func percent(format string, v starlark.Value) (string, error) {
	args := starlark.Tuple{v}
	if t, ok := v.(starlark.Tuple); ok {
		args = t
	}
	var b strings.Builder
	used := 0
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			b.WriteByte(format[i])
			continue
		}
		j := i + 1
		for j < len(format) && strings.IndexByte("+- #0123456789.", format[j]) >= 0 {
			j++
		}
		if j >= len(format) {
			return "", fmt.Errorf("the format ends in the middle of %.40q", format[i:])
		}
		spec, verb := format[i:j], format[j]
		m := formatSpec.FindStringSubmatch(spec)
		if m == nil {
			return "", fmt.Errorf("%.40q is no format: flags, width, point and precision stand before its letter", format[i:j+1])
		}
		for _, n := range m[1:] {
			if w, err := strconv.Atoi(n); n != "" && (err != nil || w > maxWidth) {
				return "", fmt.Errorf("the format %.40q is wider than %d", format[i:j+1], maxWidth)
			}
		}
		i = j
		if verb == '%' {
			b.WriteByte('%')
			continue
		}
		if used >= len(args) {
			return "", fmt.Errorf("not enough values for the format %q", format)
		}
		a := args[used]
		used++
		if err := room(b.Len()+maxWidth, 2); err != nil {
			return "", err
		}
		switch verb {
		case 's', 'r':
			n, err := textSize(a)
			if err == nil {
				err = room(b.Len()+n, 2)
			}
			if err != nil {
				return "", err
			}
			s := a.String()
			if t, ok := starlark.AsString(a); ok && verb == 's' {
				s = t
			}
			fmt.Fprintf(&b, spec+"s", s)
		case 'd', 'i', 'x', 'X', 'o':
			n, err := toTrunc(a)
			if err != nil {
				return "", fmt.Errorf("%%%c %w", verb, err)
			}
			if verb == 'i' {
				verb = 'd'
			}
			fmt.Fprintf(&b, spec+string(verb), n)
		case 'f', 'F', 'e', 'E', 'g', 'G':
			f, err := toMeasure(a, eqn.Dim{})
			if err != nil {
				return "", fmt.Errorf("%%%c %w (divide a quantity by its unit: x/mV)", verb, err)
			}
			if (verb == 'g' || verb == 'G') && !strings.Contains(spec, ".") {
				spec += ".6"
			}
			fmt.Fprintf(&b, spec+string(verb), f)
		case 'c':
			s, ok := starlark.AsString(a)
			if n, err := toInt(a); err == nil && 0 <= n && n <= unicode.MaxRune {
				s, ok = string(rune(n)), true
			}
			if !ok || utf8.RuneCountInString(s) != 1 {
				return "", fmt.Errorf("%%c takes one letter, not %s", describe(a))
			}
			fmt.Fprintf(&b, spec+"s", s)
		default:
			return "", fmt.Errorf("unknown format %%%c", verb)
		}
	}
	if used < len(args) {
		return "", fmt.Errorf("%d values for the format %q, which takes %d", len(args), format, used)
	}
	return b.String(), nil
}

// toTrunc is a number without what stands behind its point.
func toTrunc(v starlark.Value) (*big.Int, error) {
	if n, ok := v.(starlark.Int); ok {
		return n.BigInt(), nil
	}
	f, err := toMeasure(v, eqn.Dim{})
	if err != nil {
		return nil, err
	}
	n, _ := big.NewFloat(f).Int(nil)
	return n, nil
}

// inUnit is in_unit(x, u): the value in another unit, as a text.
func inUnit(v, unit starlark.Value) (starlark.Value, error) {
	r, err := starlark.Binary(syntax.SLASH, v, unit)
	if err != nil {
		return nil, err
	}
	o, ok, err := operandOf(r)
	if err != nil || !ok || !o.dim.IsOne() {
		return nil, fmt.Errorf("%s cannot be shown in the unit of %s", describe(v), describe(unit))
	}
	u, _, _ := operandOf(unit)
	name := ""
	for _, x := range displayUnits()[u.dim] {
		if x.value == u.v[0] {
			name = " " + x.name
		}
	}
	if o.one {
		return starlark.String(floatTexts(o.v, digitsOf(o.kind == singles))[0] + name), nil
	}
	return starlark.String(formatArray(&array{v: o.v, kind: o.kind, table: o.table, cols: o.cols}) + name), nil
}
