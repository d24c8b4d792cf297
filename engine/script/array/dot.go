package array

import (
	"fmt"

	"go.starlark.net/starlark"

	"synfire/engine/script/memory"
)

// Dot is x @ y of arrays and tables, sums in the order of the elements.
func Dot(x, y starlark.Value) (starlark.Value, error) {
	a, b, ok, err := PairOf(x, y)
	if err != nil {
		return nil, err
	}
	if !ok || a.One || b.One {
		return nil, fmt.Errorf("a product of matrices takes arrays, not %s and %s", Describe(x), Describe(y))
	}
	rows, inner, cols := 1, len(a.V), 1
	if a.Table {
		rows, inner = a.Rows(), a.Cols
	}
	height := len(b.V)
	if b.Table {
		height, cols = b.Rows(), b.Cols
	}
	if inner != height {
		return nil, fmt.Errorf("a product of matrices: %d columns and %d rows", inner, height)
	}
	if err := memory.RoomFor(8 * float64(rows) * float64(cols)); err != nil {
		return nil, err
	}
	if float64(rows)*float64(cols)*float64(inner) > 1e10 {
		return nil, fmt.Errorf("a product of %d by %d and %d by %d is too large for a script", rows, inner, inner, cols)
	}
	r := Operand{V: make([]float64, rows*cols), Dim: a.Dim.Mul(b.Dim), Kind: min(a.Kind, b.Kind, Ints), One: !a.Table && !b.Table, Table: a.Table && b.Table, Cols: cols, hollow: rows}
	for i := range rows {
		for j := range cols {
			s := 0.0
			for k := range inner {
				s += float64(a.V[i*inner+k] * b.V[k*cols+j])
			}
			r.V[i*cols+j] = s
		}
	}
	if !r.Table {
		r.Cols = 0
	}
	return r.Value(), nil
}
