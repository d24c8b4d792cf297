package array

// Arrays of another form, put together or turned round.

import (
	"fmt"
	"slices"

	"go.starlark.net/starlark"

	"synfire/engine/eqn"
	"synfire/engine/script/argument"
	"synfire/engine/script/memory"
)

// table is one of zeros.
func table(rows, cols int) (Operand, error) {
	if cols > 0 && rows > MaxElements/cols {
		return Operand{}, fmt.Errorf("an array of %d by %d is too large", rows, cols)
	}
	v, err := numbers(rows * cols)
	return Operand{V: v, Table: true, Cols: cols, hollow: rows, Kind: Floats}, err
}

func eye(c argument.Call) (starlark.Value, error) {
	n, err := count(c.Val["N"])
	if err != nil {
		return nil, err
	}
	m := n
	if c.Has("M") {
		if m, err = count(c.Val["M"]); err != nil {
			return nil, err
		}
	}
	k, err := whole(c, "k", 0)
	if err != nil {
		return nil, err
	}
	r, err := table(n, m)
	if err != nil {
		return nil, err
	}
	for i := range n {
		if j := i + k; j >= 0 && j < m {
			r.V[i*m+j] = 1
		}
	}
	return r.Value(), nil
}

func triangle(upper bool) func(argument.Call) (starlark.Value, error) {
	return func(c argument.Call) (starlark.Value, error) {
		a, err := list(c, "m")
		if err != nil || !a.Table {
			return nil, fmt.Errorf("%s() takes a table", c.Fn)
		}
		k, err := whole(c, "k", 0)
		if err != nil {
			return nil, err
		}
		a.V = slices.Clone(a.V)
		for i := range a.V {
			if d := i%a.Cols - i/a.Cols; upper && d < k || !upper && d > k {
				a.V[i] = 0
			}
		}
		return a.Value(), nil
	}
}

// Reshape gives an array another form, of as many elements; -1 stands for what
// follows from the others.
func Reshape(v, form starlark.Value) (starlark.Value, error) {
	o, ok, err := OperandOf(v)
	if err != nil || !ok {
		return nil, fmt.Errorf("reshape() takes numbers, not %s", Describe(v))
	}
	n, err := ToInts(form)
	if one, e := ToInt(form); e == nil {
		n, err = []int{one}, nil
	}
	if err != nil || len(n) < 1 || len(n) > 2 {
		return nil, fmt.Errorf("arrays have one or two dimensions here: reshape(n), reshape(rows, columns)")
	}
	n = slices.Clone(n)
	known, open := 1, -1
	for k, x := range n {
		switch {
		case x == -1 && open < 0:
			open = k
		case x < 0 || x > MaxElements:
			return nil, fmt.Errorf("a form of %d elements is not possible", x)
		default:
			known *= x
		}
	}
	if open >= 0 && known > 0 {
		n[open] = len(o.V) / known
		known *= n[open]
	}
	if known != len(o.V) {
		return nil, fmt.Errorf("%d elements cannot take the form %v", len(o.V), n)
	}
	if err := memory.Room(len(o.V), 8); err != nil {
		return nil, err
	}
	r := Operand{V: slices.Clone(o.V), Dim: o.Dim, Kind: o.Kind}
	if len(n) == 2 {
		r.Table, r.Cols, r.hollow = true, n[1], n[0]
	}
	return r.Value(), nil
}

func flat(c argument.Call, name string) (starlark.Value, error) {
	o, err := numbersOf(c, name)
	if err == nil {
		err = memory.Room(len(o.V), 8)
	}
	if err != nil {
		return nil, err
	}
	return (&Operand{V: slices.Clone(o.V), Dim: o.Dim, Kind: o.Kind}).Value(), nil
}

func squeeze(c argument.Call) (starlark.Value, error) {
	o, err := numbersOf(c, "a")
	if err != nil {
		return nil, err
	}
	switch {
	case len(o.V) == 1:
		return Scalar(o.V[0], o.Dim, o.Kind), nil
	case o.Table && (o.Cols == 1 || o.Rows() == 1):
		o.Table, o.Cols = false, 0
	}
	return o.Value(), nil
}

// Stack puts arrays below each other, as rows, or beside each other, as columns.
func Stack(arrays starlark.Value, rows bool) (starlark.Value, error) {
	seq, ok := arrays.(starlark.Iterable)
	if !ok {
		return nil, fmt.Errorf("a list of arrays was expected, not %s", Describe(arrays))
	}
	var parts []Operand
	r := Operand{Kind: Bools, Table: true}
	n, other := 0, -1 // along the axis, and across
	for v := range starlark.Elements(seq) {
		o, ok, err := OperandOf(v)
		if err != nil || !ok {
			return nil, fmt.Errorf("a list of arrays was expected, with %s in it", Describe(v))
		}
		if len(parts) == 0 {
			r.Dim = o.Dim
		} else if o.Dim != r.Dim && !o.Wild() {
			return nil, eqn.As(eqn.Dimension, fmt.Errorf("the units do not match (%s and %s)", UnitName(r.Dim), UnitName(o.Dim)))
		}
		h, w := 1, len(o.V)
		if o.Table {
			h, w = o.Rows(), o.Cols
		} else if !rows {
			h, w = w, h
		}
		if !rows {
			h, w = w, h
		}
		if other >= 0 && w != other {
			return nil, fmt.Errorf("the arrays have different sizes: %d and %d", other, w)
		}
		other, n = w, n+h
		parts, r.Kind = append(parts, o), min(r.Kind, o.Kind)
	}
	if len(parts) == 0 {
		return nil, fmt.Errorf("there are no arrays to put together")
	}
	h, w := n, other
	if !rows {
		h, w = w, h
	}
	t, err := table(h, w)
	if err != nil {
		return nil, err
	}
	t.Dim, t.Kind = r.Dim, r.Kind
	at := 0
	for _, o := range parts {
		if rows {
			at += copy(t.V[at:], o.V)
			continue
		}
		cols := 1
		if o.Table {
			cols = o.Cols
		}
		for k, x := range o.V {
			t.V[k/cols*w+at+k%cols] = x
		}
		at += cols
	}
	return t.Value(), nil
}

func reversed(rows, cols bool) func(argument.Call) (starlark.Value, error) {
	return func(c argument.Call) (starlark.Value, error) {
		a, err := list(c, "m")
		if err != nil {
			return nil, err
		}
		if !a.Table {
			a.V = slices.Clone(a.V)
			slices.Reverse(a.V)
			return a.Value(), nil
		}
		v, h := make([]float64, len(a.V)), a.Rows()
		for k, x := range a.V {
			i, j := k/a.Cols, k%a.Cols
			if rows {
				i = h - 1 - i
			}
			if cols {
				j = a.Cols - 1 - j
			}
			v[i*a.Cols+j] = x
		}
		a.V = v
		return a.Value(), nil
	}
}
