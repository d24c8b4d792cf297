package script

import (
	"fmt"
	"math"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"synfire/engine/eqn"
	"synfire/engine/num"
)

// binary is arithmetic on quantities and arrays, element by element; nil, nil
// where y is nothing to calculate with.
func binary(op syntax.Token, x, y starlark.Value, side starlark.Side) (starlark.Value, error) {
	a, b, ok, err := pairOf(x, y)
	if err != nil || !ok {
		return nil, err
	}
	if side == starlark.Right {
		a, b = b, a
	}
	return calculate(op, a, b)
}

// pairOf reads two operands; ok is false where one of them is none.
func pairOf(x, y starlark.Value) (a, b operand, ok bool, err error) {
	a, ok, err = operandOf(x)
	if err != nil {
		return a, b, false, err
	}
	b, ok2, err := operandOf(y)
	return a, b, ok && ok2, err
}

// mismatch is the error of units that do not go together.
func mismatch(op string, x, y starlark.Value) error {
	a, b, _, _ := pairOf(x, y)
	return unitsDiffer(op, a, b)
}

func unitsDiffer(op string, a, b operand) error {
	return fmt.Errorf("cannot calculate %s %s %s: the units do not match (%s and %s)", a.show(), op, b.show(), unitName(a.dim), unitName(b.dim))
}

// shape finds the form of a result of two operands.
func shape(a, b operand) (operand, error) {
	r := a
	switch {
	case a.one:
		r = b
	case b.one:
	case a.table && !b.table && len(b.v) == a.cols && a.cols > 0, b.table && !a.table && len(a.v) == b.cols && b.cols > 0:
		return r, fmt.Errorf("a table and a row cannot be combined: use a loop over the rows")
	case len(a.v) != len(b.v) || a.table != b.table || a.table && (a.cols != b.cols || a.rows() != b.rows()):
		return r, fmt.Errorf("the arrays have different sizes: %d and %d", len(a.v), len(b.v))
	}
	var err error
	r.v, err = numbers(len(r.v))
	return r, err
}

// calculate is a op b for the arithmetic operators and & and |.
func calculate(op syntax.Token, a, b operand) (starlark.Value, error) {
	r, err := shape(a, b)
	if err != nil {
		return nil, err
	}
	r.kind = min(a.kind, b.kind, ints)
	switch op {
	case syntax.PLUS, syntax.MINUS, syntax.PERCENT:
		r.dim = a.dim
		switch {
		case a.dim == b.dim:
		case a.wild() && op != syntax.PERCENT:
			r.dim = b.dim
		case b.wild() && op != syntax.PERCENT:
		default:
			return nil, unitsDiffer(op.String(), a, b)
		}
	case syntax.STAR:
		r.dim = a.dim.Mul(b.dim)
	case syntax.SLASH:
		r.dim, r.kind = a.dim.Div(b.dim), min(r.kind, floats)
	case syntax.SLASHSLASH:
		if a.dim != b.dim {
			return nil, unitsDiffer("//", a, b)
		}
		r.dim = eqn.Dim{}
	case syntax.AMP, syntax.PIPE, syntax.CIRCUMFLEX:
		if a.kind != bools || b.kind != bools {
			return nil, nil
		}
		r.dim, r.kind = eqn.Dim{}, bools
	default:
		return nil, nil
	}
	for k := range r.v {
		x, y := a.get(k), b.get(k)
		switch op {
		case syntax.PLUS:
			x += y
		case syntax.MINUS:
			x -= y
		case syntax.STAR:
			x *= y
		case syntax.SLASH, syntax.SLASHSLASH, syntax.PERCENT:
			if y == 0 {
				return nil, fmt.Errorf("division by zero: %s %s %s", a.show(), op, b.show())
			}
			switch op {
			case syntax.SLASH:
				x /= y
			case syntax.SLASHSLASH:
				x = math.Floor(x / y)
			default:
				x = mod(x, y)
			}
		case syntax.AMP:
			x = truth(x != 0 && y != 0)
		case syntax.PIPE:
			x = truth(x != 0 || y != 0)
		case syntax.CIRCUMFLEX:
			x = truth((x != 0) != (y != 0))
		}
		r.v[k] = x
	}
	return r.value(), nil
}

// mod has Python's sign: that of y.
func mod(x, y float64) float64 {
	m := math.Mod(x, y)
	if m != 0 && (m < 0) != (y < 0) {
		m += y
	}
	return m
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func unary(op syntax.Token, v starlark.Value) (starlark.Value, error) {
	o, _, err := operandOf(v)
	if err != nil {
		return nil, err
	}
	r := o
	if r.v, err = numbers(len(o.v)); err != nil {
		return nil, err
	}
	for k, x := range o.v {
		switch {
		case op == syntax.PLUS:
			r.v[k] = x
		case op == syntax.MINUS && o.kind != bools:
			r.v[k] = 0 - x
		case op == syntax.TILDE && o.kind == bools:
			r.v[k] = 1 - x
		default:
			return nil, nil
		}
	}
	return r.value(), nil
}

// compare is what the comparison operators become: element by element where an
// array takes part.
func compare(op syntax.Token, x, y starlark.Value) (starlark.Value, error) {
	if !calculable(x) && !calculable(y) {
		r, err := starlark.Compare(op, x, y)
		return starlark.Bool(r), err
	}
	a, b, ok, err := pairOf(x, y)
	switch {
	case err != nil:
		return nil, err
	case !ok:
		if op == syntax.EQL || op == syntax.NEQ {
			return starlark.Bool(op == syntax.NEQ), nil
		}
		return nil, fmt.Errorf("a %s and a %s cannot be compared", x.Type(), y.Type())
	case a.dim != b.dim && !a.wild() && !b.wild():
		return nil, unitsDiffer(op.String(), a, b)
	}
	r, err := shape(a, b)
	if err != nil {
		return nil, err
	}
	r.dim, r.kind = eqn.Dim{}, bools
	state := a.kind == singles || b.kind == singles // compared as float32, or P.v == 3*mV would fail after P.v = 3*mV
	for k := range r.v {
		x, y := a.get(k), b.get(k)
		if state {
			x, y = float64(float32(x)), float64(float32(y))
		}
		r.v[k] = truth(compareFloats(op, x, y))
	}
	return r.value(), nil
}

// calculable says that comparisons of v are ours.
func calculable(v starlark.Value) bool {
	switch v.(type) {
	case quantity, *array, viewer:
		return true
	}
	return false
}

func compareFloats(op syntax.Token, x, y float64) bool {
	switch op {
	case syntax.EQL:
		return x == y
	case syntax.NEQ:
		return x != y
	case syntax.LT:
		return x < y
	case syntax.LE:
		return x <= y
	case syntax.GT:
		return x > y
	}
	return x >= y
}

// power is pow(x, p).
func power(x, p starlark.Value) (starlark.Value, error) {
	a, b, ok, err := pairOf(x, p)
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, fmt.Errorf("pow takes numbers, not %s and %s", x.Type(), p.Type())
	case !b.dim.IsOne():
		return nil, fmt.Errorf("an exponent must be a pure number, not %s", b.show())
	case !a.dim.IsOne() && !b.one:
		return nil, fmt.Errorf("a quantity can be raised to one power only, not to an array of them")
	}
	r, err := shape(a, b)
	if err != nil {
		return nil, err
	}
	if !a.dim.IsOne() {
		d, ok := a.dim.Pow(b.v[0])
		if !ok {
			return nil, fmt.Errorf("%s to the power of %g has no unit", unitName(a.dim), b.v[0])
		}
		r.dim = d
	}
	r.kind = min(a.kind, b.kind, ints)
	for k := range r.v {
		x, p := a.get(k), b.get(k)
		if x == 0 && p < 0 {
			return nil, fmt.Errorf("division by zero: 0 to the power of %g", p)
		}
		if x < 0 && p != math.Floor(p) {
			return nil, fmt.Errorf("%g to the power of %g is not real", x, p)
		}
		if p < 0 {
			r.kind = min(r.kind, floats)
		}
		r.v[k] = num.Pow(x, p)
	}
	return r.value(), nil
}
