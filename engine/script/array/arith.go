package array

import (
	"fmt"
	"math"
	"math/big"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"synfire/engine/eqn"
	"synfire/engine/num"
)

// Binary is arithmetic on quantities and arrays, element by element; nil, nil
// where y is nothing to calculate with.
func Binary(op syntax.Token, x, y starlark.Value, side starlark.Side) (starlark.Value, error) {
	a, b, ok, err := PairOf(x, y)
	if err != nil || !ok {
		return nil, err
	}
	if side == starlark.Right {
		a, b = b, a
	}
	return calculate(op, a, b)
}

// PairOf reads two operands; ok is false where one of them is none.
func PairOf(x, y starlark.Value) (a, b Operand, ok bool, err error) {
	a, ok, err = OperandOf(x)
	if err != nil {
		return a, b, false, err
	}
	b, ok2, err := OperandOf(y)
	return a, b, ok && ok2, err
}

// mismatch is the error of units that do not go together.
func mismatch(op string, x, y starlark.Value) error {
	a, b, _, _ := PairOf(x, y)
	return unitsDiffer(op, a, b)
}

func unitsDiffer(op string, a, b Operand) error {
	return eqn.As(eqn.Dimension, fmt.Errorf("cannot calculate %s %s %s: the units do not match (%s and %s)", a.Show(), op, b.Show(), UnitName(a.Dim), UnitName(b.Dim)))
}

// shape finds the form of a result of two operands. A row or a column beside a
// table becomes one, as in NumPy; so do a row and a column.
func shape(a, b *Operand) (Operand, error) {
	r := *a
	switch {
	case a.One:
		r = *b
	case b.One:
	case !a.Table && !b.Table && len(b.V) == 1 && len(a.V) > 0:
		b.One = true
	case !a.Table && !b.Table && len(a.V) == 1 && len(b.V) > 0:
		a.One, r = true, *b
	case (a.Table || b.Table) && a.broadcasts(*b):
		cols, rows := max(a.width(), b.width()), max(a.height(), b.height())
		if a.width() == 0 || b.width() == 0 || a.height() == 0 || b.height() == 0 {
			cols, rows = 0, 0
		}
		for _, o := range []*Operand{a, b} {
			if err := o.expand(rows, cols); err != nil {
				return r, err
			}
		}
		r = *a
	case len(a.V) != len(b.V) || a.Table != b.Table || a.Table && (a.Cols != b.Cols || a.Rows() != b.Rows()):
		return r, fmt.Errorf("the arrays have different sizes: %d and %d", len(a.V), len(b.V))
	}
	var err error
	r.V, err = numbers(len(r.V))
	return r, err
}

func (o *Operand) width() int {
	if o.Table {
		return o.Cols
	}
	return len(o.V)
}

func (o *Operand) height() int {
	if o.Table {
		return o.Rows()
	}
	return 1
}

// broadcasts says that two operands of which one is a table go together.
func (o *Operand) broadcasts(p Operand) bool {
	fit := func(m, n int) bool { return m == n || m == 1 || n == 1 }
	return (o.width() != p.width() || o.height() != p.height() || o.Table != p.Table) && fit(o.width(), p.width()) && fit(o.height(), p.height())
}

// expand repeats rows or columns up to a form.
func (o *Operand) expand(rows, cols int) error {
	if cols > 0 && rows > MaxElements/cols {
		return fmt.Errorf("an array of %d by %d is too large", rows, cols)
	}
	w, h := o.width(), o.height()
	v, err := numbers(rows * cols)
	if err != nil {
		return err
	}
	for k := range v {
		i, j := k/cols, k%cols
		if h == 1 {
			i = 0
		}
		if w == 1 {
			j = 0
		}
		v[k] = o.V[i*w+j]
	}
	o.V, o.Table, o.Cols, o.hollow = v, true, cols, rows
	return nil
}

// calculate is a op b for the arithmetic operators and & and |.
func calculate(op syntax.Token, a, b Operand) (starlark.Value, error) {
	r, err := shape(&a, &b)
	if err != nil {
		return nil, err
	}
	r.Kind = min(a.Kind, b.Kind, Ints)
	if a.Kind == Bools && b.Kind == Bools { // as in NumPy
		switch op {
		case syntax.PLUS:
			op = syntax.PIPE
		case syntax.STAR:
			op = syntax.AMP
		case syntax.MINUS:
			return nil, fmt.Errorf("arrays of truth values have no '-': a ^ b says where they differ, 1*a - b takes them as numbers")
		}
	}
	switch op {
	case syntax.PLUS, syntax.MINUS, syntax.PERCENT:
		r.Dim = a.Dim
		switch {
		case a.Dim == b.Dim:
		case a.Wild() && op != syntax.PERCENT:
			r.Dim = b.Dim
		case b.Wild() && op != syntax.PERCENT:
		default:
			return nil, unitsDiffer(op.String(), a, b)
		}
	case syntax.STAR, syntax.SLASH:
		if r.Dim = a.Dim.Mul(b.Dim); op == syntax.SLASH {
			r.Dim, r.Kind = a.Dim.Div(b.Dim), min(r.Kind, Floats)
		}
		if r.Dim.Beyond() {
			return nil, fmt.Errorf("%s %s %s has a unit to a power beyond all use", a.Show(), op, b.Show())
		}
	case syntax.SLASHSLASH:
		if a.Dim != b.Dim {
			return nil, unitsDiffer("//", a, b)
		}
		r.Dim = eqn.Dim{}
	case syntax.AMP, syntax.PIPE, syntax.CIRCUMFLEX:
		if a.Kind != Bools || b.Kind != Bools {
			return nil, nil
		}
		r.Dim, r.Kind = eqn.Dim{}, Bools
	default:
		return nil, nil
	}
	for k := range r.V {
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
				return nil, fmt.Errorf("division by zero: %s %s %s", a.Show(), op, b.Show())
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
		r.V[k] = x
	}
	return r.Value(), nil
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

// Unary is + or - of numbers, or ~ of truth values; nil, nil for others.
func Unary(op syntax.Token, v starlark.Value) (starlark.Value, error) {
	o, _, err := OperandOf(v)
	if err != nil {
		return nil, err
	}
	r := o
	if r.V, err = numbers(len(o.V)); err != nil {
		return nil, err
	}
	for k, x := range o.V {
		switch {
		case op == syntax.PLUS:
			r.V[k] = x
		case op == syntax.MINUS && o.Kind != Bools:
			r.V[k] = 0 - x
		case op == syntax.TILDE && o.Kind == Bools:
			r.V[k] = 1 - x
		default:
			return nil, nil
		}
	}
	return r.Value(), nil
}

// maxCompared is how many values a comparison may look at, in a second or so, a list
// or the like counting as 16: those that hold others more than once have more than
// memory bounds.
const maxCompared = 1 << 26

// within counts down the values that v holds; what is nested too deep Starlark tells.
func within(v starlark.Value, depth int, left *int) bool {
	if *left--; *left < 0 || depth > maxPrinted {
		return *left >= 0
	}
	all := func(it starlark.Iterator) bool {
		*left -= 15
		defer it.Done()
		var e starlark.Value
		for it.Next(&e) {
			if !within(e, depth+1, left) {
				return false
			}
		}
		return true
	}
	switch v := v.(type) {
	case *starlark.List:
		return all(v.Iterate())
	case starlark.Tuple:
		return all(v.Iterate())
	case *starlark.Dict:
		*left -= 15
		for _, e := range v.Items() {
			if !within(e[1], depth+1, left) {
				return false
			}
		}
	}
	return true
}

// Compare is what the comparison operators become: element by element where an
// array takes part.
func Compare(op syntax.Token, x, y starlark.Value) (starlark.Value, error) {
	if !calculable(x) && !calculable(y) {
		x, y = Counted(x, y)
		if isNaN(x) && countable(y) || isNaN(y) && countable(x) {
			return starlark.Bool(op == syntax.NEQ), nil
		}
		for _, v := range []starlark.Value{x, y} {
			left := maxCompared
			if !within(v, 0, &left) {
				return nil, fmt.Errorf("these are too large to compare: they hold more than %d lists and the like, those held more than once counted each time", maxCompared/16)
			}
		}
		r, err := starlark.Compare(op, x, y)
		return starlark.Bool(r), err
	}
	a, b, ok, err := PairOf(x, y)
	switch {
	case err != nil:
		return nil, err
	case !ok:
		if op == syntax.EQL || op == syntax.NEQ {
			return starlark.Bool(op == syntax.NEQ), nil
		}
		return nil, fmt.Errorf("a %s and a %s cannot be compared", x.Type(), y.Type())
	case a.Dim != b.Dim && !a.Wild() && !b.Wild():
		return nil, unitsDiffer(op.String(), a, b)
	}
	r, err := shape(&a, &b)
	if err != nil {
		return nil, err
	}
	r.Dim, r.Kind = eqn.Dim{}, Bools
	state := a.Kind == Singles || b.Kind == Singles // compared as float32, or P.v == 3*mV would fail after P.v = 3*mV
	for k := range r.V {
		x, y := a.get(k), b.get(k)
		if state {
			x, y = float64(float32(x)), float64(float32(y))
		}
		r.V[k] = truth(compareFloats(op, x, y))
	}
	return r.Value(), nil
}

// Counted are x and y as Python calculates with them: where both are numbers or
// truth values, True is 1 and False is 0. (Starlark's truth values are no numbers.)
func Counted(x, y starlark.Value) (starlark.Value, starlark.Value) {
	if !countable(x) || !countable(y) {
		return x, y
	}
	return counted(x), counted(y)
}

func countable(v starlark.Value) bool {
	switch v.(type) {
	case starlark.Bool, starlark.Int, starlark.Float, Quantity:
		return true
	}
	return false
}

func counted(v starlark.Value) starlark.Value {
	if b, ok := v.(starlark.Bool); ok {
		return starlark.MakeInt(int(truth(bool(b))))
	}
	return v
}

// isNaN says that v equals nothing, itself included. (Starlark's NaN equals itself.)
func isNaN(v starlark.Value) bool {
	f, ok := v.(starlark.Float)
	return ok && f != f
}

// calculable says that comparisons of v are ours.
func calculable(v starlark.Value) bool {
	switch v.(type) {
	case Quantity, *Array, Viewer:
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

// MaxBits bounds whole numbers, whose arithmetic takes more than linear time.
const MaxBits = 1 << 20

// wholePower is a power of whole numbers, exact as in Python.
func wholePower(x, p starlark.Int) (starlark.Value, error) {
	b, e := x.BigInt(), p.BigInt()
	if b.BitLen() > 1 && (e.BitLen() > 32 || int64(b.BitLen()-1)*e.Int64() >= MaxBits) {
		return nil, fmt.Errorf("whole numbers have at most %d bits, and this power would have more", MaxBits)
	}
	if b.BitLen() <= 1 && e.BitLen() > 2 { // 0, 1 or -1, to a power even or odd
		e = big.NewInt(2 + int64(e.Bit(0)))
	}
	return starlark.MakeBigInt(new(big.Int).Exp(b, e, nil)), nil
}

// Power is pow(x, p).
func Power(x, p starlark.Value) (starlark.Value, error) {
	if u, whole := x.(starlark.Int); whole {
		if v, whole := p.(starlark.Int); whole && v.Sign() >= 0 {
			return wholePower(u, v)
		}
	}
	a, b, ok, err := PairOf(x, p)
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, fmt.Errorf("pow takes numbers, not %s and %s", x.Type(), p.Type())
	case !b.Dim.IsOne():
		return nil, fmt.Errorf("an exponent must be a pure number, not %s", b.Show())
	case !a.Dim.IsOne() && !b.One:
		return nil, fmt.Errorf("a quantity can be raised to one power only, not to an array of them")
	}
	r, err := shape(&a, &b)
	if err != nil {
		return nil, err
	}
	if !a.Dim.IsOne() {
		d, ok := a.Dim.Pow(b.V[0])
		if !ok {
			return nil, eqn.As(eqn.Dimension, fmt.Errorf("%s to the power of %g has no unit", UnitName(a.Dim), b.V[0]))
		}
		r.Dim = d
	}
	r.Kind = min(a.Kind, b.Kind, Ints)
	for k := range r.V {
		x, p := a.get(k), b.get(k)
		if x == 0 && p < 0 {
			return nil, fmt.Errorf("division by zero: 0 to the power of %g", p)
		}
		if x < 0 && p != math.Floor(p) {
			return nil, fmt.Errorf("%g to the power of %g is not real", x, p)
		}
		if p < 0 {
			r.Kind = min(r.Kind, Floats)
		}
		r.V[k] = num.Pow(x, p)
	}
	return r.Value(), nil
}
