package array

import (
	"fmt"
	"math"

	"go.starlark.net/starlark"

	"synfire/engine/eqn"
)

// Describe names a value for a message.
func Describe(v starlark.Value) string {
	switch v := v.(type) {
	case Quantity, starlark.Int, starlark.Float, starlark.Bool:
		return ValueText(v)
	case starlark.String:
		if len(v) < 40 {
			return fmt.Sprintf("the text %q", string(v))
		}
		return "a text"
	case *Array:
		return fmt.Sprintf("an array of %d", v.Size())
	case nil, starlark.NoneType:
		return "None"
	}
	return "a " + v.Type()
}

// ToInt reads a whole number; a float that is whole will do.
func ToInt(v starlark.Value) (int, error) {
	o, ok, err := OperandOf(v)
	if err != nil {
		return 0, err
	}
	if !ok || !o.One || !o.Dim.IsOne() || o.V[0] != math.Floor(o.V[0]) || math.Abs(o.V[0]) > 1<<53 {
		return 0, fmt.Errorf("must be a whole number, not %s", Describe(v))
	}
	return int(o.V[0]), nil
}

// ToMeasure reads one number of a dimension, in SI units.
func ToMeasure(v starlark.Value, d eqn.Dim) (float64, error) {
	want := "a pure number"
	if !d.IsOne() {
		want = "a quantity in " + UnitName(d)
	}
	o, ok, err := OperandOf(v)
	switch {
	case err != nil:
		return 0, err
	case !ok || !o.One:
		return 0, fmt.Errorf("must be %s, not %s", want, Describe(v))
	case o.Dim != d && !(o.V[0] == 0 && o.Wild()):
		if o.Dim.IsOne() {
			return 0, eqn.As(eqn.Dimension, fmt.Errorf("needs a unit: it must be %s, not %s", want, Describe(v)))
		}
		return 0, eqn.As(eqn.Dimension, fmt.Errorf("must be %s, not %s", want, Describe(v)))
	case math.IsNaN(o.V[0]) || math.IsInf(o.V[0], 0):
		return 0, fmt.Errorf("must be finite, not %s", Describe(v))
	}
	return o.V[0], nil
}

// ToInts reads a list of whole numbers.
func ToInts(v starlark.Value) ([]int, error) {
	o, ok, err := OperandOf(v)
	if err != nil {
		return nil, err
	}
	if !ok || o.Table || !o.Dim.IsOne() {
		return nil, fmt.Errorf("must be a list of whole numbers, not %s", Describe(v))
	}
	r := make([]int, len(o.V))
	for k, x := range o.V {
		if x != math.Floor(x) || math.Abs(x) > 1<<53 {
			return nil, fmt.Errorf("must be whole numbers: element %d is %g", k, x)
		}
		r[k] = int(x)
	}
	return r, nil
}

// Finite says that all of v are numbers.
func Finite(v []float64) bool {
	for _, x := range v {
		if x-x != 0 {
			return false
		}
	}
	return true
}
