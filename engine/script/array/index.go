package array

import (
	"fmt"
	"math"
	"slices"

	"go.starlark.net/starlark"

	"synfire/engine/eqn"
	"synfire/engine/script/memory"
)

// Span is a slice within an index: the ':' of W[2, :]. Its ends are None where
// they are left out.
type Span struct{ Lo, Hi, Step starlark.Value }

func (s *Span) String() string {
	return "slice(" + s.Lo.String() + ", " + s.Hi.String() + ", " + s.Step.String() + ")"
}
func (s *Span) Type() string          { return "slice" }
func (s *Span) Freeze()               {}
func (s *Span) Truth() starlark.Bool  { return true }
func (s *Span) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable: slice") }

// All says that the slice leaves nothing out.
func (s *Span) All() bool {
	return s.Lo == starlark.None && s.Hi == starlark.None && s.Step == starlark.None
}

// Bounds applies Python's rules to x[lo:hi:step] of n elements.
func (s *Span) Bounds(n int) (lo, hi, step int, err error) {
	read := func(v starlark.Value, def int) int {
		if v == starlark.None {
			return def
		}
		i, ok := v.(starlark.Int)
		if !ok {
			k, e := ToInt(v)
			if _, view := v.(Viewer); (view || v.Type() == "array") && e == nil { // an element of an array is a whole number, too
				return k
			}
			if err == nil {
				err = fmt.Errorf("a slice takes whole numbers, not %s", Describe(v))
			}
			return 0
		}
		const far = 1 << 40 // beyond every array, and far from the ends of an int
		k, ok := i.Int64()
		if !ok {
			k = int64(i.Sign()) * far
		}
		return int(min(max(k, -far), far))
	}
	if step = read(s.Step, 1); err != nil {
		return
	}
	if step == 0 {
		return 0, 0, 0, fmt.Errorf("the step of a slice cannot be zero")
	}
	lo, hi = 0, n
	first, last := 0, n // bounds for a positive step
	if step < 0 {
		first, last = -1, n-1
		lo, hi = n-1, -1
	}
	for _, b := range []struct {
		v  starlark.Value
		to *int
	}{{s.Lo, &lo}, {s.Hi, &hi}} {
		k := read(b.v, 0)
		if err != nil {
			return
		}
		if b.v == starlark.None {
			continue
		}
		if k < 0 {
			k += n
		}
		*b.to = min(max(k, first), last)
	}
	if step > 0 {
		hi = max(hi, lo)
	} else {
		hi = min(hi, lo)
	}
	return
}

// Indices are the elements that the slice takes of n.
func (s *Span) Indices(n int) ([]int, error) {
	lo, hi, step, err := s.Bounds(n)
	if err != nil {
		return nil, err
	}
	toEnd := 1 // the last index is one before hi
	if step < 0 {
		toEnd = -1
	}
	count := max(0, (hi-lo+step-toEnd)/step)
	if err := memory.Room(count, 8); err != nil {
		return nil, err
	}
	r := make([]int, count)
	for k := range r {
		r[k] = lo + k*step
	}
	return r, nil
}

// axis is what an index takes of one axis; one says that it is a single element.
func axis(ix starlark.Value, n int) (pick []int, one bool, err error) {
	if s, ok := ix.(*Span); ok {
		pick, err = s.Indices(n)
		return pick, false, err
	}
	_, one = ix.(starlark.Int)
	pick, err = Selection(ix, n)
	return pick, one, err
}

// find is where the elements that an index names stand, and the form of the
// result: nothing (a number), its length, or rows and columns.
func (a *Array) find(ix starlark.Value) (at, form []int, err error) {
	t, ok := ix.(starlark.Tuple)
	if !ok {
		if o, isNumbers, _ := OperandOf(ix); isNumbers && o.Table && o.Kind == Bools { // W[W > 0]
			if !a.Table || o.Cols != a.Cols || o.Rows() != a.Len() {
				return nil, nil, fmt.Errorf("%d by %d truth values select from %d elements", o.Rows(), o.Cols, a.Size())
			}
			for k, x := range o.V {
				if x != 0 {
					at = append(at, k)
				}
			}
			return at, []int{len(at)}, nil
		}
		t = starlark.Tuple{ix}
	}
	if len(t) == 2 && !a.Table && (t[0] == starlark.None || t[1] == starlark.None) { // x[:, newaxis]
		rest := t[0]
		if rest == starlark.None {
			rest = t[1]
		}
		at, one, err := axis(rest, a.Size())
		if err != nil || one {
			return nil, nil, fmt.Errorf("a new axis goes with a slice: x[:, newaxis]")
		}
		form = []int{len(at), 1}
		if t[0] == starlark.None {
			form = []int{1, len(at)}
		}
		return at, form, nil
	}
	if len(t) == 1 && !a.Table {
		at, one, err := axis(t[0], a.Size())
		if err != nil || one {
			return at, nil, err
		}
		return at, []int{len(at)}, nil
	}
	if len(t) > 2 || len(t) == 0 || !a.Table {
		return nil, nil, fmt.Errorf("%d indices for an array of %d dimensions", len(t), a.dimensions())
	}
	if len(t) == 1 {
		t = starlark.Tuple{t[0], &Span{starlark.None, starlark.None, starlark.None}}
	}
	i, oneRow, err := axis(t[0], a.Len())
	if err != nil {
		return nil, nil, err
	}
	j, oneCol, err := axis(t[1], a.Cols)
	if err != nil {
		return nil, nil, err
	}
	_, span := t[0].(*Span)
	_, span2 := t[1].(*Span)
	if !span && !span2 && !oneRow { // pairs of indices
		if !oneCol && len(i) != len(j) {
			return nil, nil, fmt.Errorf("%d rows and %d columns are no pairs", len(i), len(j))
		}
		for k, row := range i {
			at = append(at, row*a.Cols+j[min(k, len(j)-1)])
		}
		return at, []int{len(at)}, nil
	}
	if err := memory.RoomFor(8 * float64(len(i)) * float64(len(j))); err != nil {
		return nil, nil, err
	}
	at = make([]int, 0, len(i)*len(j))
	for _, row := range i {
		for _, col := range j {
			at = append(at, row*a.Cols+col)
		}
	}
	switch {
	case oneRow && oneCol:
	case oneRow || oneCol:
		form = []int{len(at)}
	default:
		form = []int{len(i), len(j)}
	}
	return at, form, nil
}

// Become gives an array the value of another that was worked out from it, as x += y does. One of another unit is
// a new array, and one of another form has no place there.
func (a *Array) Become(v starlark.Value) (starlark.Value, error) {
	r, ok := v.(*Array)
	switch {
	case !ok || r.Dim != a.Dim:
		return v, nil
	case r.Table != a.Table || r.Size() != a.Size() || r.Table && r.Cols != a.Cols:
		return nil, fmt.Errorf("%s has no place in an array of %s: write x = x + y, which makes a new array", r.form(), a.form())
	}
	a.V, a.Packed, a.Kind = r.Floats(), nil, r.Kind
	return a, nil
}

func (a *Array) form() string {
	if a.Table {
		return fmt.Sprintf("%d by %d elements", a.Len(), a.Cols)
	}
	return fmt.Sprintf("%d elements", a.Size())
}

func (a *Array) dimensions() int {
	if a.Table {
		return 2
	}
	return 1
}

// Get indexes as NumPy does: an int gives an element (of a table a row), a slice
// or an array of ints or truth values a selection, a pair rows and columns.
func (a *Array) Get(ix starlark.Value) (starlark.Value, bool, error) {
	if _, ok := ix.(starlark.Int); ok {
		k, err := ElementIndex(ix, a.Len())
		if err != nil {
			return nil, false, err
		}
		return a.At(k), true, nil
	}
	at, form, err := a.find(ix)
	if err != nil {
		return nil, false, err
	}
	v := a.Floats()
	if form == nil {
		return Scalar(v[at[0]], a.Dim, a.Kind), true, nil
	}
	r := &Array{Dim: a.Dim, Kind: a.Kind, Table: len(form) == 2}
	if r.Table {
		r.Hollow, r.Cols = form[0], form[1]
	}
	if r.V, err = numbers(len(at)); err != nil {
		return nil, false, err
	}
	for k, x := range at {
		r.V[k] = v[x]
	}
	return r, true, nil
}

// SetKey assigns to the elements that an index names.
func (a *Array) SetKey(ix, v starlark.Value) error {
	at, form, err := a.find(ix)
	if err != nil {
		return err
	}
	src, ok, err := OperandOf(v)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("cannot put a %s into an array", v.Type())
	}
	if src.Dim != a.Dim && !src.Wild() && !a.Dim.IsOne() { // without a unit it takes values in SI units, as NumPy's do
		return eqn.As(eqn.Dimension, fmt.Errorf("an array of %s cannot hold %s", UnitName(a.Dim), src.Show()))
	}
	to := a.Floats()
	switch {
	case src.One || len(src.V) == len(at) && (!src.Table || len(form) == 2 && src.Cols == form[1]) || len(at) > 0 && len(src.V) == 1:
		if len(src.V) == 1 {
			src.One = true
		}
	case len(form) == 2 && !src.Table && len(src.V) == form[1]: // each row
		each := src.V
		src.V = make([]float64, 0, len(at))
		for range form[0] {
			src.V = append(src.V, each...)
		}
	default:
		return fmt.Errorf("%d values for %d elements", len(src.V), len(at))
	}
	if !src.One {
		src.V = slices.Clone(src.V) // W[:] = W[::-1]
	}
	hold := func(v float64) float64 { return v }
	switch { // an array keeps its type, as NumPy's do
	case a.Kind == Bools:
		hold = func(v float64) float64 { return truth(v != 0) }
	case a.Kind == Ints && src.Kind <= Floats:
		if !Finite(src.V) {
			return fmt.Errorf("an array of whole numbers has none for inf and nan: make it of floats, x = x*1.0")
		}
		hold = func(v float64) float64 { return math.Trunc(v) + 0 } // no -0
	}
	for k, i := range at {
		to[i] = hold(src.get(k))
	}
	if src.Kind <= Floats && a.Kind <= Floats {
		a.Kind = min(a.Kind, src.Kind)
	}
	return nil
}
