package model

import (
	"fmt"

	"synfire/engine/backend"
	"synfire/engine/eqn"
	"synfire/engine/ir"
)

// list is SI values: float64, or float32 times a unit, which a long list that
// came from a file is left as.
type list struct {
	wide  []float64
	short []float32
	unit  float64
	words []uint32 // of a variable of synapses: the values encoded; alone, where a run has left them

	of   *eqn.Symbol // of words alone
	dt   float64     // of words alone
	live bool        // a run writes them

	// Of words alone that lie with the processes of a run: how many, and what gives them.
	n    int
	far  backend.Words
	lies *backend.Lying // nil: far turns them into others
}

// home is the list with all its words in this process.
func (l *list) home() (*list, error) {
	if l == nil || l.far == nil {
		return l, nil
	}
	near := *l
	near.words, near.far = make([]uint32, l.n), nil
	return &near, l.far(func(k0 int, words []uint32) error {
		copy(near.words[k0:], words)
		return nil
	})
}

// Len is the number of values.
func (l *list) Len() int {
	switch {
	case l.far != nil:
		return l.n
	case l.of != nil:
		return len(l.words)
	}
	return len(l.wide) + len(l.short)
}

// At is value k in SI units.
func (l *list) At(k int) float64 {
	switch {
	case l.of != nil:
		return Value(l.of, l.dt, l.words[k])
	case l.short != nil:
		return float64(float64(l.short[k]) * l.unit)
	}
	return l.wide[k]
}

// floats are the values, not to be changed.
func (l *list) floats() []float64 {
	if l.short == nil && l.of == nil {
		return l.wide
	}
	out := make([]float64, len(l.short))
	for k := range out {
		out[k] = l.At(k)
	}
	return out
}

func (l *list) zero() bool {
	for k := range l.Len() {
		if l.At(k) != 0 {
			return false
		}
	}
	return true
}

// cut is elements lo to hi-1.
func (l *list) cut(lo, hi int) *list {
	part := &list{unit: l.unit, of: l.of, dt: l.dt, live: l.live}
	if l.of != nil {
	} else if l.short != nil {
		part.short = l.short[lo:hi]
	} else {
		part.wide = l.wide[lo:hi]
	}
	if l.words != nil {
		part.words = l.words[lo:hi]
	}
	return part
}

// encode makes the words of a variable of all values.
func (l *list) encode(y *eqn.Symbol, dt float64) ([]uint32, error) {
	out := make([]uint32, l.Len())
	scale, float := y.Dim.Scale(), IrType(y) == ir.F32
	for k := range out {
		ok := false
		if float {
			out[k], ok = single(l.At(k) / scale)
		}
		if !ok {
			var err error
			if out[k], err = Encode(y, dt, l.At(k)); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// listOf takes a value apart into SI numbers and their dimension.
func listOf(x any) (*list, eqn.Dim, error) {
	switch x := x.(type) {
	case Quantity:
		return &list{wide: []float64{x.Value}}, x.Dim, nil
	case float64:
		return &list{wide: []float64{x}}, eqn.Dim{}, nil
	case int:
		return &list{wide: []float64{float64(x)}}, eqn.Dim{}, nil
	case bool:
		if x {
			return &list{wide: []float64{1}}, eqn.Dim{}, nil
		}
		return &list{wide: []float64{0}}, eqn.Dim{}, nil
	case Array:
		if len(x.V) == 0 {
			return nil, x.Dim, fmt.Errorf("an empty list of values")
		}
		return &list{wide: x.V}, x.Dim, nil
	case Packed:
		if len(x.V) == 0 {
			return nil, x.Dim, fmt.Errorf("an empty list of values")
		}
		return &list{short: x.V, unit: x.Unit}, x.Dim, nil
	case []float64:
		return listOf(Array{V: x})
	}
	return nil, eqn.Dim{}, fmt.Errorf("a value is a number, a quantity, a list of them or a string, not %T", x)
}

// numbers is listOf as float64.
func numbers(x any) ([]float64, eqn.Dim, error) {
	l, dim, err := listOf(x)
	if err != nil {
		return nil, dim, err
	}
	return l.floats(), dim, nil
}

func allZero(v []float64) bool { return (&list{wide: v}).zero() }
