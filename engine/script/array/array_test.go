package array_test

import (
	"strings"
	"testing"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"synfire/engine/eqn"
	"synfire/engine/script/array"
)

// unit is a unit of package eqn as a value.
func unit(t *testing.T, name string) starlark.Value {
	q, ok := eqn.LookupUnit(name)
	if !ok {
		t.Fatalf("no unit %s", name)
	}
	return array.Scalar(q.Value, q.Dim, array.Floats)
}

func list(x ...float64) *starlark.List {
	var v []starlark.Value
	for _, e := range x {
		v = append(v, starlark.Float(e))
	}
	return starlark.NewList(v)
}

// TestArithmetic calculates without a script: values, lists and what stands for
// an array, with their units.
func TestArithmetic(t *testing.T) {
	mV, ms := unit(t, "mV"), unit(t, "ms")
	v, err := starlark.Binary(syntax.STAR, list(1, 2, 3), mV)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		op   syntax.Token
		x, y starlark.Value
		want string // or the error
	}{
		{syntax.PLUS, v, mV, "[2. 3. 4.] mV"},
		{syntax.PLUS, mV, view{v}, "[2. 3. 4.] mV"},
		{syntax.SLASH, v, mV, "[1. 2. 3.]"},
		{syntax.MINUS, v, list(0, 0, 0), "[1. 2. 3.] mV"},
		{syntax.STAR, ms, unit(t, "Hz"), "0.001"},
		{syntax.PLUS, v, ms, "the units do not match (V and s)"},
		{syntax.PLUS, v, list(1, 2, 3), "the units do not match"},
		{syntax.STAR, v, list(1, 2), "different sizes: 3 and 2"},
		{syntax.SLASH, v, list(1, 0, 1), "division by zero"},
	} {
		r, err := starlark.Binary(c.op, c.x, c.y)
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			got = r.String()
		}
		if got != c.want && (err == nil || !strings.Contains(got, c.want)) {
			t.Errorf("%v %v %v is %s, expected %s", c.x, c.op, c.y, got, c.want)
		}
	}
}

// view stands for an array.
type view struct{ starlark.Value }

func (v view) View() (starlark.Value, error) { return v.Value, nil }

// file holds numbers, and counts how often they are made.
type file struct {
	v     []float64
	asked int
}

func (f *file) Len() int { return len(f.v) }
func (f *file) Floats() []float64 {
	f.asked++
	return append([]float64{}, f.v...)
}

// TestPacked: the numbers of a file are made once, when something wants them.
func TestPacked(t *testing.T) {
	f := &file{v: []float64{1, 2, 3}}
	a := &array.Array{Packed: &array.Packed{From: f, Unit: 2}, Kind: array.Floats}
	if a.Len() != 3 || a.Packed == nil || f.asked != 0 {
		t.Errorf("%d elements, made %d times before anything wanted them", a.Len(), f.asked)
	}
	for range 2 {
		if s := a.String(); s != "[2. 4. 6.]" || f.asked != 1 {
			t.Errorf("printed %s, made %d times", s, f.asked)
		}
	}
	if f.v[0] != 1 {
		t.Error("what the file holds has changed")
	}
}

// TestReduced: along the rows or columns of a table, and what is wrong with axis=.
func TestReduced(t *testing.T) {
	table, err := array.Make(starlark.Tuple{starlark.NewList([]starlark.Value{list(1, 2, 3), list(4, 5, 6)})})
	if err != nil {
		t.Fatal(err)
	}
	for axis, want := range map[starlark.Value]string{starlark.None: "21.0", starlark.MakeInt(0): "[5. 7. 9.]", starlark.MakeInt(1): "[ 6. 15.]", starlark.MakeInt(2): "axis= is 0", starlark.String("x"): "must be a whole number"} {
		r, err := array.Reduced("sum", starlark.Tuple{table}, []starlark.Tuple{{starlark.String("axis"), axis}})
		if err != nil && !strings.Contains(err.Error(), want) || err == nil && r.String() != want {
			t.Errorf("axis=%v: %v, %v; expected %s", axis, r, err, want)
		}
	}
}
