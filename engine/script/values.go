package script

import (
	"fmt"
	"math"
	"slices"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"synfire/engine"
	"synfire/engine/eqn"
	"synfire/engine/store"
)

// kind is the type of an array's elements.
type kind uint8

// Arithmetic takes the first of two kinds in this order. Singles are floats that
// come from the state of a model: they are printed with the digits of a float32.
const (
	singles kind = iota
	floats
	ints
	bools
)

// quantity is a number with a dimension, in SI units; pure numbers are Starlark's own.
type quantity struct {
	Value  float64
	Dim    eqn.Dim
	single bool
}

// array is a list of numbers that share a dimension, in SI units; or a table of
// rows of cols numbers, kept row by row.
type array struct {
	v      []float64
	packed *packed // where v is not made yet
	dim    eqn.Dim
	kind   kind
	table  bool
	cols   int
	hollow int // rows of a table without columns
}

// packed is what a file holds, in the file's type, times a unit. Nothing
// changes it, so the engine may keep it.
type packed struct {
	*store.Packed
	unit float64
}

// floats are the elements. They are made when something first wants them.
func (a *array) floats() []float64 {
	if p := a.packed; p != nil {
		a.v, a.packed = p.Floats(), nil
		for k := range a.v {
			a.v[k] *= p.unit
		}
	}
	return a.v
}

// size is the number of elements.
func (a *array) size() int {
	if a.packed != nil {
		return a.packed.Len()
	}
	return len(a.v)
}

var (
	_ starlark.HasBinary  = quantity{}
	_ starlark.HasUnary   = quantity{}
	_ starlark.Comparable = quantity{}
	_ starlark.HasAttrs   = quantity{}
	_ starlark.HasBinary  = (*array)(nil)
	_ starlark.HasUnary   = (*array)(nil)
	_ starlark.HasAttrs   = (*array)(nil)
	_ starlark.Mapping    = (*array)(nil)
	_ starlark.HasSetKey  = (*array)(nil)
	_ starlark.Sequence   = (*array)(nil)
	_ starlark.Container  = (*array)(nil)
)

func (q quantity) String() string       { return formatQuantity(q) }
func (q quantity) Type() string         { return "Quantity" }
func (q quantity) Freeze()              {}
func (q quantity) Truth() starlark.Bool { return q.Value != 0 }
func (q quantity) Hash() (uint32, error) {
	b := math.Float64bits(q.Value)
	return uint32(b>>32) ^ uint32(b), nil
}

func (q quantity) CompareSameType(op syntax.Token, y starlark.Value, _ int) (bool, error) {
	r := y.(quantity)
	if q.Dim != r.Dim {
		switch op {
		case syntax.EQL:
			return false, nil
		case syntax.NEQ:
			return true, nil
		}
		return false, mismatch(op.String(), q, r)
	}
	return compareFloats(op, q.Value, r.Value), nil
}

func (q quantity) Binary(op syntax.Token, y starlark.Value, side starlark.Side) (starlark.Value, error) {
	return binary(op, q, y, side)
}
func (q quantity) Unary(op syntax.Token) (starlark.Value, error) { return unary(op, q) }

func (q quantity) Attr(name string) (starlark.Value, error) { return unitAttr(q, name) }
func (q quantity) AttrNames() []string                      { return []string{"in_best_unit", "in_unit", "dim"} }

func (a *array) String() string        { return formatArray(a) }
func (a *array) Type() string          { return "array" }
func (a *array) Freeze()               {}
func (a *array) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable: array") }

// Truth of one element is the element's; of more, whether all are true.
func (a *array) Truth() starlark.Bool {
	for _, x := range a.floats() {
		if x == 0 {
			return false
		}
	}
	return a.size() > 0
}

func (a *array) Len() int {
	if a.table {
		if a.cols == 0 {
			return a.hollow
		}
		return a.size() / a.cols
	}
	return a.size()
}

// at is element k, or row k of a table.
func (a *array) at(k int) starlark.Value {
	if a.table {
		return &array{v: a.floats()[k*a.cols : (k+1)*a.cols], dim: a.dim, kind: a.kind}
	}
	return scalar(a.floats()[k], a.dim, a.kind)
}

type arrayIterator struct {
	a *array
	k int
}

func (it *arrayIterator) Next(p *starlark.Value) bool {
	if it.k >= it.a.Len() {
		return false
	}
	*p = it.a.at(it.k)
	it.k++
	return true
}
func (it *arrayIterator) Done() {}

func (a *array) Iterate() starlark.Iterator { return &arrayIterator{a: a} }

// Has is `x in array`.
func (a *array) Has(x starlark.Value) (bool, error) {
	o, ok, err := operandOf(x)
	if err != nil || !ok || !o.one || o.dim != a.dim {
		return false, err
	}
	return slices.Contains(a.floats(), o.v[0]), nil
}

// Get indexes: an int gives an element (of a table a row), a pair (row, column)
// an element of a table, an array of ints or bools a selection.
func (a *array) Get(ix starlark.Value) (starlark.Value, bool, error) {
	if t, ok := ix.(starlark.Tuple); ok && a.table && len(t) == 2 {
		if at, ok, err := a.pairs(t[0], t[1]); ok {
			r := &array{dim: a.dim, kind: a.kind, v: make([]float64, len(at))}
			for k, x := range at {
				r.v[k] = a.floats()[x]
			}
			return r, err == nil, err
		}
		row, _, err := a.Get(t[0])
		if err != nil {
			return nil, false, err
		}
		if r, ok := row.(*array); ok && !r.table {
			return r.Get(t[1])
		}
	}
	if _, ok := ix.(starlark.Int); ok {
		k, err := elementIndex(ix, a.Len())
		if err != nil {
			return nil, false, err
		}
		return a.at(k), true, nil
	}
	pick, err := selection(ix, a.Len())
	if err != nil {
		return nil, false, err
	}
	r, err := a.pick(pick)
	return r, err == nil, err
}

// pairs are the places of a table's elements at pairs of indices, W[rows, columns];
// ok is false where the rows are a single one.
func (a *array) pairs(rows, cols starlark.Value) (at []int, ok bool, err error) {
	if _, one := rows.(starlark.Int); one {
		return nil, false, nil
	}
	i, err := selection(rows, a.Len())
	if err != nil {
		return nil, true, err
	}
	j, err := selection(cols, a.cols)
	if err != nil {
		return nil, true, err
	}
	if _, one := cols.(starlark.Int); !one && len(i) != len(j) {
		return nil, true, fmt.Errorf("%d rows and %d columns are no pairs", len(i), len(j))
	}
	for k, row := range i {
		at = append(at, row*a.cols+j[min(k, len(j)-1)])
	}
	return at, true, nil
}

// places are the places of the elements that an index names, for assignment.
func (a *array) places(ix starlark.Value) ([]int, error) {
	if !a.table {
		return selection(ix, a.size())
	}
	t, ok := ix.(starlark.Tuple)
	if !ok || len(t) != 2 {
		return nil, fmt.Errorf("rows of a table cannot be assigned to: write W[row, column]")
	}
	if at, ok, err := a.pairs(t[0], t[1]); ok || err != nil {
		return at, err
	}
	row, err := elementIndex(t[0], a.Len())
	if err != nil {
		return nil, err
	}
	at, err := selection(t[1], a.cols)
	at = slices.Clone(at)
	for k := range at {
		at[k] += row * a.cols
	}
	return at, err
}

func (a *array) pick(pick []int) (*array, error) {
	each := 1
	if a.table {
		each = a.cols
	}
	if err := room(len(pick), 8*each); err != nil {
		return nil, err
	}
	r := &array{dim: a.dim, kind: a.kind, table: a.table, cols: a.cols, hollow: len(pick), v: make([]float64, 0, len(pick)*each)}
	v := a.floats()
	for _, k := range pick {
		if a.table {
			r.v = append(r.v, v[k*a.cols:(k+1)*a.cols]...)
		} else {
			r.v = append(r.v, v[k])
		}
	}
	return r, nil
}

// SetKey assigns to one element or to a selection.
func (a *array) SetKey(ix, v starlark.Value) error {
	pick, err := a.places(ix)
	if err != nil {
		return err
	}
	src, ok, err := operandOf(v)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("cannot put a %s into an array", v.Type())
	}
	if src.dim != a.dim && !src.wild() {
		return fmt.Errorf("an array of %s cannot hold %s", unitName(a.dim), src.show())
	}
	if !src.one && len(src.v) != len(pick) {
		return fmt.Errorf("%d values for %d elements", len(src.v), len(pick))
	}
	to := a.floats()
	for k, i := range pick {
		to[i] = src.get(k)
	}
	if src.kind <= floats {
		a.kind = min(a.kind, src.kind)
	}
	return nil
}

func (a *array) Binary(op syntax.Token, y starlark.Value, side starlark.Side) (starlark.Value, error) {
	return binary(op, a, y, side)
}
func (a *array) Unary(op syntax.Token) (starlark.Value, error) { return unary(op, a) }

func (a *array) Attr(name string) (starlark.Value, error) {
	switch name {
	case "shape":
		if a.table {
			return starlark.Tuple{starlark.MakeInt(a.Len()), starlark.MakeInt(a.cols)}, nil
		}
		return starlark.Tuple{starlark.MakeInt(a.size())}, nil
	case "size":
		return starlark.MakeInt(a.size()), nil
	case "T":
		if !a.table {
			return a, nil
		}
		t, err := numbers(a.size())
		if err != nil {
			return nil, err
		}
		v, rows := a.floats(), a.Len()
		for k := range t {
			t[k] = v[k%rows*a.cols+k/rows]
		}
		return &array{v: t, dim: a.dim, kind: a.kind, table: true, cols: rows, hollow: a.cols}, nil
	case "sum", "mean", "std", "var", "min", "max", "argmin", "argmax":
		return starlark.NewBuiltin(name, func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			return reduced(name, append(starlark.Tuple{a}, args...), kwargs)
		}).BindReceiver(a), nil
	case "nonzero", "flatten", "tolist", "copy":
		return method(a, name, func(args starlark.Tuple) (starlark.Value, error) {
			if len(args) > 0 {
				return nil, fmt.Errorf("%s() of an array takes no argument", name)
			}
			if err := room(max(a.size(), a.Len()), 48); err != nil {
				return nil, err
			}
			switch name {
			case "nonzero":
				return nonzero(a)
			case "tolist":
				var l []starlark.Value
				for k := range a.Len() {
					l = append(l, a.at(k))
				}
				return starlark.NewList(l), nil
			}
			r := &array{v: slices.Clone(a.floats()), dim: a.dim, kind: a.kind}
			if name == "copy" {
				r.table, r.cols, r.hollow = a.table, a.cols, a.hollow
			}
			return r, nil
		}), nil
	case "astype":
		return nil, fmt.Errorf("arrays have no astype: int_(x) truncates, x*1.0 makes floats")
	}
	return unitAttr(a, name)
}

func (a *array) AttrNames() []string {
	return []string{"T", "argmax", "argmin", "copy", "dim", "flatten", "in_best_unit", "in_unit", "max", "mean", "min", "nonzero", "shape", "size", "std", "sum", "tolist", "var"}
}

// unitAttr serves what quantities and arrays share.
func unitAttr(v starlark.Value, name string) (starlark.Value, error) {
	switch name {
	case "dim":
		o, _, err := operandOf(v)
		return starlark.String(o.dim.String()), err
	case "in_best_unit":
		return method(v, name, func(starlark.Tuple) (starlark.Value, error) { return starlark.String(v.String()), nil }), nil
	case "in_unit":
		return method(v, name, func(args starlark.Tuple) (starlark.Value, error) {
			if len(args) != 1 {
				return nil, fmt.Errorf("in_unit() takes the unit")
			}
			return inUnit(v, args[0])
		}), nil
	}
	return nil, nil
}

// method binds a function to a value.
func method(recv starlark.Value, name string, f func(starlark.Tuple) (starlark.Value, error)) starlark.Value {
	return starlark.NewBuiltin(name, func(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		if len(kwargs) > 0 {
			return nil, fmt.Errorf("%s() takes no argument by name", name)
		}
		return f(args)
	}).BindReceiver(recv)
}

// scalar makes the value of one element: Starlark's own type where there is no
// dimension.
func scalar(x float64, d eqn.Dim, k kind) starlark.Value {
	switch {
	case !d.IsOne():
		return quantity{Value: x, Dim: d, single: k == singles}
	case k == bools:
		return starlark.Bool(x != 0)
	case k == ints && math.Abs(x) < 1<<53:
		return starlark.MakeInt64(int64(x))
	}
	return starlark.Float(x)
}

// elementIndex resolves an index, which may count from the end.
func elementIndex(v starlark.Value, n int) (int, error) {
	i, ok := v.(starlark.Int)
	k, ok2 := i.Int64()
	if !ok {
		return 0, fmt.Errorf("an index must be an int, not %s", v.Type())
	}
	if !ok2 || k < int64(-n) || k >= int64(n) {
		return 0, fmt.Errorf("index %s is out of range: there are %d elements, 0 to %d", v, n, n-1)
	}
	if k < 0 {
		k += int64(n)
	}
	return int(k), nil
}

// selection resolves an int, a list or array of ints, or an array of bools.
func selection(v starlark.Value, n int) ([]int, error) {
	if _, ok := v.(starlark.Int); ok {
		k, err := elementIndex(v, n)
		return []int{k}, err
	}
	o, ok, err := operandOf(v)
	if err != nil {
		return nil, err
	}
	if !ok || o.one || !o.dim.IsOne() || (o.kind <= floats && len(o.v) > 0) {
		return nil, fmt.Errorf("an index must be an int, a list of ints or an array of bools, not %s", v.Type())
	}
	var pick []int
	if o.kind == bools {
		if len(o.v) != n {
			return nil, fmt.Errorf("%d truth values select from %d elements", len(o.v), n)
		}
		for k, x := range o.v {
			if x != 0 {
				pick = append(pick, k)
			}
		}
		return pick, nil
	}
	for _, x := range o.v {
		k, err := elementIndex(starlark.MakeInt64(int64(x)), n)
		if err != nil {
			return nil, err
		}
		pick = append(pick, k)
	}
	return pick, nil
}

// operand is a number or array as arithmetic sees it.
type operand struct {
	v      []float64
	dim    eqn.Dim
	kind   kind
	one    bool // a single number
	table  bool
	cols   int
	hollow int // as an array's
}

// rows is the number of rows of a table.
func (o *operand) rows() int {
	if o.cols == 0 {
		return o.hollow
	}
	return len(o.v) / o.cols
}

func (o *operand) get(k int) float64 {
	if o.one {
		return o.v[0]
	}
	return o.v[k]
}

// wild says that o is 0 or infinite without a unit, which goes with every unit, as in Brian2.
func (o *operand) wild() bool {
	if !o.dim.IsOne() {
		return false
	}
	for _, x := range o.v {
		if x != 0 && !math.IsInf(x, 0) && x == x {
			return false
		}
	}
	return true
}

// show prints an operand for an error message.
func (o *operand) show() string {
	if o.one {
		return valueText(scalar(o.v[0], o.dim, o.kind))
	}
	return fmt.Sprintf("an array of %s", unitName(o.dim))
}

func (o *operand) value() starlark.Value {
	if o.one {
		return scalar(o.v[0], o.dim, o.kind)
	}
	return &array{v: o.v, dim: o.dim, kind: o.kind, table: o.table, cols: o.cols, hollow: o.hollow}
}

// viewer is a value that stands for an array which is worked out when needed:
// a variable of a group.
type viewer interface {
	starlark.Value
	view() (starlark.Value, error) // an array or a scalar
}

// operandOf reads a number, quantity, array, variable or list of numbers; ok is
// false for anything else. Its values are not to be changed.
func operandOf(v starlark.Value) (o operand, ok bool, err error) { return operandAt(v, 0) }

// maxListed bounds how deep lists of lists are followed.
const maxListed = 100

var errListed = fmt.Errorf("lists nested more than %d deep, or one that holds itself", maxListed)

// operandAt is operandOf inside so many lists.
func operandAt(v starlark.Value, depth int) (o operand, ok bool, err error) {
	switch v := v.(type) {
	case starlark.Bool:
		x := 0.0
		if v {
			x = 1
		}
		return operand{v: []float64{x}, kind: bools, one: true}, true, nil
	case starlark.Int:
		x := float64(v.Float())
		if math.IsInf(x, 0) {
			return operand{}, false, fmt.Errorf("a whole number of %d bits is too large to calculate with", bits(v))
		}
		return operand{v: []float64{x}, kind: ints, one: true}, true, nil
	case starlark.Float:
		return operand{v: []float64{float64(v)}, kind: floats, one: true}, true, nil
	case quantity:
		k := floats
		if v.single {
			k = singles
		}
		return operand{v: []float64{v.Value}, dim: v.Dim, kind: k, one: true}, true, nil
	case *array:
		return operand{v: v.floats(), dim: v.dim, kind: v.kind, table: v.table, cols: v.cols, hollow: v.hollow}, true, nil
	case viewer:
		w, err := v.view()
		if err != nil {
			return operand{}, false, err
		}
		return operandAt(w, depth)
	case starlark.String, *starlark.Dict, *starlark.Set, starlark.Bytes:
		return operand{}, false, nil
	case starlark.Sequence:
		return listOperand(v, depth)
	}
	return operand{}, false, nil
}

// listOperand reads a list, tuple or range of numbers, or of lists of one length.
func listOperand(s starlark.Sequence, depth int) (o operand, ok bool, err error) {
	if depth > maxListed {
		return operand{}, false, errListed
	}
	it := s.Iterate()
	defer it.Done()
	var x starlark.Value
	o = operand{v: []float64{}, kind: bools}
	for k := 0; it.Next(&x); k++ {
		e, isNumber, err := operandAt(x, depth+1)
		if err != nil || !isNumber || e.table {
			return operand{}, false, err
		}
		if k == 0 {
			o.dim, o.table, o.cols = e.dim, !e.one, len(e.v)
			if n := float64(s.Len()) * float64(len(e.v)); roomFor(8*n) != nil {
				return operand{}, false, outOfMemory(8 * n)
			}
			o.v = make([]float64, 0, s.Len()*len(e.v))
		}
		if o.hollow = k + 1; e.one == o.table || (o.table && len(e.v) != o.cols) {
			return operand{}, false, fmt.Errorf("a table needs rows of one length: row %d differs from the first", k)
		}
		if e.dim != o.dim && !e.wild() {
			if prev := (operand{v: o.v, dim: o.dim}); prev.wild() {
				o.dim = e.dim
			} else {
				return operand{}, false, fmt.Errorf("element %d of the list is %s, the others are %s", k, e.show(), unitName(o.dim))
			}
		}
		o.v = append(o.v, e.v...)
		o.kind = min(o.kind, e.kind) // floats < ints < bools
	}
	if len(o.v) == 0 {
		o.kind = floats
	}
	return o, true, nil
}

// fromEngine makes a value of what the engine gives.
func fromEngine(a engine.Array, k kind) *array {
	return &array{v: a.V, dim: a.Dim, kind: k}
}
