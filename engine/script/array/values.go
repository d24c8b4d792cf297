// Package array is the numbers of a script: quantities with units and arrays of
// them as values of Starlark, their arithmetic, NumPy's functions of them, and how
// they are printed. Of a model it knows only dimensions (eqn.Dim).
//
// OperandOf reads any value that is numbers (a number, a quantity, an array, a
// list, a Viewer); Operand.Value makes a value of the result. What a value has to
// be for a caller (one whole number, a time) ToInt, ToInts and ToMeasure read.
package array

import (
	"fmt"
	"math"
	"slices"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"synfire/engine/eqn"
	"synfire/engine/script/argument"
	"synfire/engine/script/memory"
)

// Kind is the type of an array's elements.
type Kind uint8

// Arithmetic takes the first of two kinds in this order. Singles are floats that
// come from the state of a model: they are printed with the digits of a float32.
const (
	Singles Kind = iota
	Floats
	Ints
	Bools
)

// Quantity is a number with a dimension; pure numbers are Starlark's own.
type Quantity struct {
	Value  float64 // in SI units
	Dim    eqn.Dim
	single bool   // of a model's state
	unit   string // of a unit by its name: how it prints, ms, where 1*ms prints as 1. ms
}

// Array is a list of numbers that share a dimension; or a table of rows of Cols
// numbers, kept row by row.
type Array struct {
	V      []float64 // in SI units; Floats gives them in any case
	Packed *Packed   // where V is not made yet
	Dim    eqn.Dim
	Kind   Kind
	Table  bool
	Cols   int
	Hollow int // rows of a table without columns
}

// Packed is numbers in another form, times a unit. Nothing changes them, so that
// others may keep them.
type Packed struct {
	From later
	Unit float64 // in SI units
}

// later is numbers that are made when something first wants them: what a file
// holds, in the file's type.
type later interface {
	Len() int
	Floats() []float64
}

// Floats are the elements. They are made when something first wants them.
func (a *Array) Floats() []float64 {
	if p := a.Packed; p != nil {
		a.V, a.Packed = p.From.Floats(), nil
		for k := range a.V {
			a.V[k] *= p.Unit
		}
	}
	return a.V
}

// Size is the number of elements.
func (a *Array) Size() int {
	if a.Packed != nil {
		return a.Packed.From.Len()
	}
	return len(a.V)
}

var (
	_ starlark.HasBinary  = Quantity{}
	_ starlark.HasUnary   = Quantity{}
	_ starlark.Comparable = Quantity{}
	_ starlark.HasAttrs   = Quantity{}
	_ starlark.HasBinary  = (*Array)(nil)
	_ starlark.HasUnary   = (*Array)(nil)
	_ starlark.HasAttrs   = (*Array)(nil)
	_ starlark.Mapping    = (*Array)(nil)
	_ starlark.HasSetKey  = (*Array)(nil)
	_ starlark.Sequence   = (*Array)(nil)
	_ starlark.Container  = (*Array)(nil)
)

func (q Quantity) String() string       { return formatQuantity(q) }
func (q Quantity) Type() string         { return "Quantity" }
func (q Quantity) Freeze()              {}
func (q Quantity) Truth() starlark.Bool { return q.Value != 0 }
func (q Quantity) Hash() (uint32, error) {
	b := math.Float64bits(q.Value)
	return uint32(b>>32) ^ uint32(b), nil
}

func (q Quantity) CompareSameType(op syntax.Token, y starlark.Value, _ int) (bool, error) {
	r := y.(Quantity)
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

func (q Quantity) Binary(op syntax.Token, y starlark.Value, side starlark.Side) (starlark.Value, error) {
	return Binary(op, q, y, side)
}
func (q Quantity) Unary(op syntax.Token) (starlark.Value, error) { return Unary(op, q) }

func (q Quantity) Attr(name string) (starlark.Value, error) { return unitAttr(q, name) }
func (q Quantity) AttrNames() []string                      { return []string{"in_best_unit", "in_unit", "dim"} }

func (a *Array) String() string        { return formatArray(a) }
func (a *Array) Type() string          { return "array" }
func (a *Array) Freeze()               {}
func (a *Array) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable: array") }

// Truth of one element is the element's; of more, whether all are true.
func (a *Array) Truth() starlark.Bool {
	for _, x := range a.Floats() {
		if x == 0 {
			return false
		}
	}
	return a.Size() > 0
}

// Len is the number of elements, or of rows of a table.
func (a *Array) Len() int {
	if a.Table {
		if a.Cols == 0 {
			return a.Hollow
		}
		return a.Size() / a.Cols
	}
	return a.Size()
}

// At is element k, or row k of a table.
func (a *Array) At(k int) starlark.Value {
	if a.Table {
		return &Array{V: a.Floats()[k*a.Cols : (k+1)*a.Cols], Dim: a.Dim, Kind: a.Kind}
	}
	return Scalar(a.Floats()[k], a.Dim, a.Kind)
}

type arrayIterator struct {
	a *Array
	k int
}

func (it *arrayIterator) Next(p *starlark.Value) bool {
	if it.k >= it.a.Len() {
		return false
	}
	*p = it.a.At(it.k)
	it.k++
	return true
}
func (it *arrayIterator) Done() {}

func (a *Array) Iterate() starlark.Iterator { return &arrayIterator{a: a} }

// Has is `x in array`.
func (a *Array) Has(x starlark.Value) (bool, error) {
	o, ok, err := OperandOf(x)
	if err != nil || !ok || !o.One || o.Dim != a.Dim {
		return false, err
	}
	return slices.Contains(a.Floats(), o.V[0]), nil
}

// Pick is the elements, or rows of a table, at some places.
func (a *Array) Pick(pick []int) (*Array, error) {
	each := 1
	if a.Table {
		each = a.Cols
	}
	if err := memory.Room(len(pick), 8*each); err != nil {
		return nil, err
	}
	r := &Array{Dim: a.Dim, Kind: a.Kind, Table: a.Table, Cols: a.Cols, Hollow: len(pick), V: make([]float64, 0, len(pick)*each)}
	v := a.Floats()
	for _, k := range pick {
		if a.Table {
			r.V = append(r.V, v[k*a.Cols:(k+1)*a.Cols]...)
		} else {
			r.V = append(r.V, v[k])
		}
	}
	return r, nil
}

func (a *Array) Binary(op syntax.Token, y starlark.Value, side starlark.Side) (starlark.Value, error) {
	return Binary(op, a, y, side)
}
func (a *Array) Unary(op syntax.Token) (starlark.Value, error) { return Unary(op, a) }

// transposed has the rows as columns.
func (a *Array) transposed() (starlark.Value, error) {
	if !a.Table {
		return a, nil
	}
	t, err := numbers(a.Size())
	if err != nil {
		return nil, err
	}
	v, rows := a.Floats(), a.Len()
	for k := range t {
		t[k] = v[k%rows*a.Cols+k/rows]
	}
	return &Array{V: t, Dim: a.Dim, Kind: a.Kind, Table: true, Cols: rows, Hollow: a.Cols}, nil
}

func (a *Array) Attr(name string) (starlark.Value, error) {
	switch name {
	case "shape":
		if a.Table {
			return starlark.Tuple{starlark.MakeInt(a.Len()), starlark.MakeInt(a.Cols)}, nil
		}
		return starlark.Tuple{starlark.MakeInt(a.Size())}, nil
	case "size":
		return starlark.MakeInt(a.Size()), nil
	case "T":
		return a.transposed()
	case "sum", "mean", "std", "var", "min", "max", "argmin", "argmax":
		return starlark.NewBuiltin(name, func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			return Reduced(name, append(starlark.Tuple{a}, args...), kwargs)
		}).BindReceiver(a), nil
	case "nonzero", "flatten", "tolist", "copy":
		return Method(a, name, func(args starlark.Tuple) (starlark.Value, error) {
			if len(args) > 0 {
				return nil, fmt.Errorf("%s() of an array takes no argument", name)
			}
			if err := memory.Room(max(a.Size(), a.Len()), 48); err != nil {
				return nil, err
			}
			switch name {
			case "nonzero":
				return Nonzero(a)
			case "tolist":
				var l []starlark.Value
				for k := range a.Len() {
					l = append(l, a.At(k))
				}
				return starlark.NewList(l), nil
			}
			r := &Array{V: slices.Clone(a.Floats()), Dim: a.Dim, Kind: a.Kind}
			if name == "copy" {
				r.Table, r.Cols, r.Hollow = a.Table, a.Cols, a.Hollow
			}
			return r, nil
		}), nil
	case "ndim":
		return starlark.MakeInt(a.dimensions()), nil
	case "flat":
		return &Array{V: a.Floats(), Dim: a.Dim, Kind: a.Kind}, nil
	case "reshape":
		return Method(a, name, func(args starlark.Tuple) (starlark.Value, error) {
			if len(args) == 1 {
				return Reshape(a, args[0])
			}
			return Reshape(a, args)
		}), nil
	case "all", "any":
		return Method(a, name, func(args starlark.Tuple) (starlark.Value, error) {
			if len(args) > 0 {
				return nil, fmt.Errorf("%s() of an array takes no argument: any(x, axis=0) is not there yet", name)
			}
			o, _, err := OperandOf(a)
			if name == "all" {
				return starlark.Bool(Every(o)), err
			}
			return starlark.Bool(Some(o)), err
		}), nil
	case "round", "clip", "repeat", "item", "fill", "sort", "astype":
		return Method(a, name, func(args starlark.Tuple) (starlark.Value, error) { return a.method(name, args) }), nil
	}
	if Methods[name] {
		return Method(a, name, func(args starlark.Tuple) (starlark.Value, error) {
			if Transforms[name] != nil {
				if len(args) > 0 {
					return nil, fmt.Errorf("%s() of an array takes no argument", name)
				}
				return Transform(name, a)
			}
			f := Functions[name]
			c, err := argument.Match(name, append(starlark.Tuple{a}, args...), nil, f.Params, nil)
			if err != nil {
				return nil, err
			}
			return f.Do(c)
		}), nil
	}
	return unitAttr(a, name)
}

// method is x.round(2) and the like.
func (a *Array) method(name string, args starlark.Tuple) (starlark.Value, error) {
	want := map[string]int{"clip": 2, "repeat": 1, "fill": 1, "astype": 1}[name]
	if len(args) != want && !(name == "round" && len(args) < 2) {
		return nil, fmt.Errorf("%s() of an array takes %d arguments", name, want)
	}
	switch name {
	case "round":
		digits := 0
		if len(args) == 1 {
			var err error
			if digits, err = ToInt(args[0]); err != nil {
				return nil, err
			}
		}
		return Round(a, digits, false)
	case "clip":
		return Clip(a, args[0], args[1])
	case "repeat":
		n, err := ToInt(args[0])
		if err != nil {
			return nil, err
		}
		return Repeat("repeat", a, n)
	case "item":
		if a.Size() != 1 {
			return nil, fmt.Errorf("item() of %d elements", a.Size())
		}
		return Scalar(a.Floats()[0], a.Dim, a.Kind), nil
	case "fill":
		o, err := single(args[0])
		if err == nil && o.Dim != a.Dim && !o.Wild() {
			err = eqn.As(eqn.Dimension, fmt.Errorf("an array of %s cannot hold %s", UnitName(a.Dim), o.Show()))
		}
		if err != nil {
			return nil, err
		}
		v := a.Floats()
		for k := range v {
			v[k] = o.V[0]
		}
		return starlark.None, nil
	case "sort":
		if a.Table {
			return nil, fmt.Errorf("a table has no order")
		}
		slices.SortFunc(a.Floats(), ascending)
		return starlark.None, nil
	}
	return Typed("astype", a, args[0])
}

func (a *Array) AttrNames() []string {
	return []string{"T", "all", "any", "argmax", "argmin", "argsort", "astype", "clip", "copy", "cumsum", "dim", "dot", "fill", "flat", "flatten", "item", "ndim", "prod", "ptp", "ravel", "repeat", "reshape", "round", "sort", "squeeze", "trace", "transpose", "in_best_unit", "in_unit", "max", "mean", "min", "nonzero", "shape", "size", "std", "sum", "tolist", "var"}
}

// unitAttr serves what quantities and arrays share.
func unitAttr(v starlark.Value, name string) (starlark.Value, error) {
	switch name {
	case "dim":
		o, _, err := OperandOf(v)
		return starlark.String(o.Dim.String()), err
	case "in_best_unit":
		return Method(v, name, func(starlark.Tuple) (starlark.Value, error) { return starlark.String(v.String()), nil }), nil
	case "in_unit":
		return Method(v, name, func(args starlark.Tuple) (starlark.Value, error) {
			if len(args) != 1 {
				return nil, fmt.Errorf("in_unit() takes the unit")
			}
			return InUnit(v, args[0])
		}), nil
	}
	return nil, nil
}

// Method binds a function to a value.
func Method(recv starlark.Value, name string, f func(starlark.Tuple) (starlark.Value, error)) starlark.Value {
	return starlark.NewBuiltin(name, func(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		if len(kwargs) > 0 {
			return nil, fmt.Errorf("%s() takes no argument by name", name)
		}
		return f(args)
	}).BindReceiver(recv)
}

// Scalar makes the value of one element: Starlark's own type where there is no
// dimension.
func Scalar(x float64, d eqn.Dim, k Kind) starlark.Value {
	switch {
	case !d.IsOne():
		return Quantity{Value: x, Dim: d, single: k == Singles}
	case k == Bools:
		return starlark.Bool(x != 0)
	case k == Ints && math.Abs(x) < 1<<53:
		return starlark.MakeInt64(int64(x))
	}
	return starlark.Float(x)
}

// ElementIndex resolves an index, which may count from the end.
func ElementIndex(v starlark.Value, n int) (int, error) {
	i, ok := v.(starlark.Int)
	k, ok2 := i.Int64()
	if !ok {
		return 0, fmt.Errorf("an index must be an int, not %s", v.Type())
	}
	if !ok2 || k < int64(-n) || k >= int64(n) {
		return 0, eqn.As(eqn.BadIndex, fmt.Errorf("index %s is out of range: there are %d elements, 0 to %d", v, n, n-1))
	}
	if k < 0 {
		k += int64(n)
	}
	return int(k), nil
}

// Selection resolves an int, a list or array of ints, or an array of bools.
func Selection(v starlark.Value, n int) ([]int, error) {
	if _, ok := v.(starlark.Int); ok {
		k, err := ElementIndex(v, n)
		return []int{k}, err
	}
	o, ok, err := OperandOf(v)
	if err != nil {
		return nil, err
	}
	if !ok || o.One || !o.Dim.IsOne() || (o.Kind <= Floats && len(o.V) > 0) {
		return nil, fmt.Errorf("an index must be an int, a list of ints or an array of bools, not %s", v.Type())
	}
	var pick []int
	if o.Kind == Bools {
		if len(o.V) != n {
			return nil, fmt.Errorf("%d truth values select from %d elements", len(o.V), n)
		}
		for k, x := range o.V {
			if x != 0 {
				pick = append(pick, k)
			}
		}
		return pick, nil
	}
	for _, x := range o.V {
		k, err := ElementIndex(starlark.MakeInt64(int64(x)), n)
		if err != nil {
			return nil, err
		}
		pick = append(pick, k)
	}
	return pick, nil
}

// Operand is a number or array as arithmetic sees it.
type Operand struct {
	V      []float64
	Dim    eqn.Dim
	Kind   Kind
	One    bool // a single number
	Table  bool
	Cols   int
	hollow int // as an array's
}

// Rows is the number of rows of a table.
func (o *Operand) Rows() int {
	if o.Cols == 0 {
		return o.hollow
	}
	return len(o.V) / o.Cols
}

func (o *Operand) get(k int) float64 {
	if o.One {
		return o.V[0]
	}
	return o.V[k]
}

// Wild says that o is 0 or infinite without a unit, which goes with every unit, as in Brian2.
func (o *Operand) Wild() bool {
	if !o.Dim.IsOne() {
		return false
	}
	for _, x := range o.V {
		if x != 0 && !math.IsInf(x, 0) && x == x {
			return false
		}
	}
	return true
}

// Show prints an operand for an error message.
func (o *Operand) Show() string {
	if o.One {
		return ValueText(Scalar(o.V[0], o.Dim, o.Kind))
	}
	return fmt.Sprintf("an array of %s", UnitName(o.Dim))
}

// Value is the operand as a value of the script.
func (o *Operand) Value() starlark.Value {
	if o.One {
		return Scalar(o.V[0], o.Dim, o.Kind)
	}
	return &Array{V: o.V, Dim: o.Dim, Kind: o.Kind, Table: o.Table, Cols: o.Cols, Hollow: o.hollow}
}

// Viewer is a value that stands for an array which is worked out when needed:
// a variable of a group.
type Viewer interface {
	starlark.Value
	View() (starlark.Value, error) // an array or a scalar
}

// OperandOf reads a number, quantity, array, variable or list of numbers; ok is
// false for anything else. Its values are not to be changed.
func OperandOf(v starlark.Value) (o Operand, ok bool, err error) { return operandAt(v, 0) }

// MaxListed bounds how deep lists of lists are followed.
const MaxListed = 100

// ErrListed is the error of lists that are nested deeper.
var ErrListed = fmt.Errorf("lists nested more than %d deep, or one that holds itself", MaxListed)

// operandAt is operandOf inside so many lists.
func operandAt(v starlark.Value, depth int) (o Operand, ok bool, err error) {
	switch v := v.(type) {
	case starlark.Bool:
		x := 0.0
		if v {
			x = 1
		}
		return Operand{V: []float64{x}, Kind: Bools, One: true}, true, nil
	case starlark.Int:
		x := float64(v.Float())
		if math.IsInf(x, 0) {
			return Operand{}, false, fmt.Errorf("a whole number of %d bits is too large to calculate with", Bits(v))
		}
		return Operand{V: []float64{x}, Kind: Ints, One: true}, true, nil
	case starlark.Float:
		return Operand{V: []float64{float64(v)}, Kind: Floats, One: true}, true, nil
	case Quantity:
		k := Floats
		if v.single {
			k = Singles
		}
		return Operand{V: []float64{v.Value}, Dim: v.Dim, Kind: k, One: true}, true, nil
	case *Array:
		return Operand{V: v.Floats(), Dim: v.Dim, Kind: v.Kind, Table: v.Table, Cols: v.Cols, hollow: v.Hollow}, true, nil
	case Viewer:
		w, err := v.View()
		if err != nil {
			return Operand{}, false, err
		}
		return operandAt(w, depth)
	case starlark.String, *starlark.Dict, *starlark.Set, starlark.Bytes:
		return Operand{}, false, nil
	case starlark.Sequence:
		return listOperand(v, depth)
	}
	return Operand{}, false, nil
}

// listOperand reads a list, tuple or range of numbers, or of lists of one length.
func listOperand(s starlark.Sequence, depth int) (o Operand, ok bool, err error) {
	if depth > MaxListed {
		return Operand{}, false, ErrListed
	}
	it := s.Iterate()
	defer it.Done()
	var x starlark.Value
	o = Operand{V: []float64{}, Kind: Bools}
	for k := 0; it.Next(&x); k++ {
		e, isNumber, err := operandAt(x, depth+1)
		if err != nil || !isNumber || e.Table {
			return Operand{}, false, err
		}
		if k == 0 {
			o.Dim, o.Table, o.Cols = e.Dim, !e.One, len(e.V)
			if err := memory.RoomFor(8 * float64(s.Len()) * float64(len(e.V))); err != nil {
				return Operand{}, false, err
			}
			o.V = make([]float64, 0, s.Len()*len(e.V))
		}
		if o.hollow = k + 1; e.One == o.Table || (o.Table && len(e.V) != o.Cols) {
			return Operand{}, false, fmt.Errorf("a table needs rows of one length: row %d differs from the first", k)
		}
		if e.Dim != o.Dim && !e.Wild() {
			if prev := (Operand{V: o.V, Dim: o.Dim}); prev.Wild() {
				o.Dim = e.Dim
			} else {
				return Operand{}, false, eqn.As(eqn.Dimension, fmt.Errorf("element %d of the list is %s, the others are %s", k, e.Show(), UnitName(o.Dim)))
			}
		}
		o.V = append(o.V, e.V...)
		o.Kind = min(o.Kind, e.Kind) // floats < ints < bools
	}
	if len(o.V) == 0 {
		o.Kind = Floats
	}
	return o, true, nil
}

// numbers are n zeros, if there is room for them.
func numbers(n int) ([]float64, error) {
	if err := memory.Room(n, 8); err != nil {
		return nil, err
	}
	return make([]float64, n), nil
}

// Bits are the length of a whole number.
func Bits(n starlark.Int) int {
	if _, small := n.Int64(); small {
		return 64
	}
	return n.BigInt().BitLen()
}
