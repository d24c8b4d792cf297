package serve

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"regexp"
	"strconv"

	"go.starlark.net/starlark"

	"synfire/engine"
	"synfire/engine/eqn"
	"synfire/engine/script/array"
	"synfire/engine/store"
)

// defaultInline is how many values come within an answer where it does not say.
const defaultInline = 64

// value is a VALUE of the protocol in an answer.
type value struct {
	DType string          `json:"dtype,omitempty"`
	Shape []int           `json:"shape,omitzero"`
	Dim   []float64       `json:"dim,omitempty"`
	Value json.RawMessage `json:"value,omitempty"`
	NPY   string          `json:"npy,omitempty"`
	Text  *string         `json:"text,omitempty"`
}

// numbers are values on their way out.
type numbers struct {
	v     []float64
	dtype store.DType
	shape []int
	dim   eqn.Dim
}

var dtypes = map[store.DType]string{store.Float64: "float64", store.Int32: "int32", store.Bool: "bool"}

// shown makes a VALUE: within the answer, or as a file of the session's folder.
func (s *server) shown(n numbers, inline *int) (*value, error) {
	most := defaultInline
	if inline != nil {
		most = *inline
	}
	v := &value{DType: dtypes[n.dtype], Shape: n.shape, Dim: make([]float64, len(n.dim))}
	for k, e := range n.dim {
		v.Dim[k] = float64(e) / array.UnitExponent
	}
	if len(n.v) <= most && array.Finite(n.v) {
		v.Value = n.text()
		return v, nil
	}
	s.files++
	v.NPY = fmt.Sprintf("a%d.npy", s.files)
	return v, store.Save(filepath.Join(s.o.Dir, v.NPY), n.dtype, n.shape, n.v)
}

// text is the values as JSON: floats always with a point or an exponent.
func (n numbers) text() []byte {
	if len(n.shape) == 0 {
		return n.append(nil, n.v[0])
	}
	rows, cols := 1, len(n.v)
	b := []byte{'['}
	if len(n.shape) == 2 {
		rows, cols = n.shape[0], n.shape[1]
	}
	for r := range rows {
		if len(n.shape) == 2 {
			if r > 0 {
				b = append(b, ',')
			}
			b = append(b, '[')
		}
		for c := range cols {
			if c > 0 {
				b = append(b, ',')
			}
			b = n.append(b, n.v[r*cols+c])
		}
		if len(n.shape) == 2 {
			b = append(b, ']')
		}
	}
	return append(b, ']')
}

func (n numbers) append(b []byte, x float64) []byte {
	switch n.dtype {
	case store.Bool:
		return strconv.AppendBool(b, x != 0)
	case store.Int32:
		return strconv.AppendInt(b, int64(x), 10)
	}
	at := len(b)
	b = strconv.AppendFloat(b, x, 'g', -1, 64)
	for _, c := range b[at:] {
		if c == '.' || c == 'e' {
			return b
		}
	}
	return append(b, ".0"...)
}

// valueOf is what a path gave.
func (s *server) valueOf(v starlark.Value, inline *int) (*value, error) {
	if t, ok := starlark.AsString(v); ok {
		return &value{Text: &t}, nil
	}
	o, ok, err := array.OperandOf(v)
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, fmt.Errorf("%s is neither numbers nor a text", array.Describe(v))
	}
	n := numbers{v: o.V, dtype: store.Float64, shape: []int{len(o.V)}, dim: o.Dim}
	switch {
	case o.One:
		n.shape = []int{}
	case o.Table:
		n.shape = []int{o.Rows(), o.Cols}
	}
	switch o.Kind {
	case array.Bools:
		n.dtype = store.Bool
	case array.Ints:
		if fitsInt32(o.V) {
			n.dtype = store.Int32
		}
	}
	return s.shown(n, inline)
}

func fitsInt32(v []float64) bool {
	for _, x := range v {
		if x != float64(int32(x)) {
			return false
		}
	}
	return true
}

// given is a VALUE of a request: an array, a single value or a text.
type given struct {
	array *array.Array // nil: it is one
	one   float64
	kind  array.Kind // of one
	text  *string
	dim   eqn.Dim
}

var errNoValue = errors.New("a number, true, false, a list of numbers, or an object with value, npy or text was expected")

var npyRE = regexp.MustCompile(`^[A-Za-z0-9_.-]+\.npy$`)

// given reads a VALUE, and takes its file away, in which infinite numbers may be if
// unbounded is true: they are times.
func (s *server) given(raw json.RawMessage, unbounded bool) (*given, error) {
	var one any
	if err := unmarshal(raw, &one); err != nil {
		return nil, err
	}
	fields, isObject := one.(map[string]any)
	if !isObject {
		return plain(one)
	}
	g := &given{}
	var dim eqn.Dim
	var shape []int
	for name, x := range fields {
		switch name {
		case "dtype":
			if t, ok := x.(string); !ok || t != "float64" && t != "float32" && t != "int32" && t != "int64" && t != "bool" {
				return nil, fmt.Errorf("dtype: float64, int32 or bool was expected, not %v", x)
			}
		case "shape":
			if err := json.Unmarshal(encoded(x), &shape); err != nil {
				return nil, fmt.Errorf("shape: a list of whole numbers was expected")
			}
		case "dim":
			var e []float64
			if err := json.Unmarshal(encoded(x), &e); err != nil || len(e) != len(dim) {
				return nil, fmt.Errorf("dim: a list of %d exponents was expected", len(dim))
			}
			for k, y := range e {
				if y = math.Round(y * array.UnitExponent); !(math.Abs(y) <= math.MaxInt16) {
					return nil, fmt.Errorf("dim: the exponent %g cannot be that of a unit", e[k])
				}
				dim[k] = int16(y)
			}
		case "value", "npy", "text":
		default:
			return nil, fmt.Errorf("a value has no field %q", name)
		}
	}
	v, has := fields["value"]
	npy, file := fields["npy"]
	text, words := fields["text"]
	switch {
	case has && !file && !words:
		var err error
		if g, err = plain(v); err != nil {
			return nil, err
		}
	case file && !has && !words:
		name, ok := npy.(string)
		if !ok || !npyRE.MatchString(name) {
			return nil, fmt.Errorf("npy: %v is no name of a file that ends in .npy", npy)
		}
		a, err := s.session.Array(name, unbounded)
		if err != nil {
			return nil, err
		}
		g.array = a
	case words && !has && !file:
		t, ok := text.(string)
		if !ok {
			return nil, fmt.Errorf("text: a text was expected")
		}
		g.text = &t
	default:
		return nil, errNoValue
	}
	if g.dim = dim; g.array != nil {
		if g.array.Dim = dim; !dim.IsOne() {
			g.array.Kind = array.Floats
		}
	}
	return g, nil
}

func encoded(x any) []byte {
	b, _ := json.Marshal(x)
	return b
}

// plain is a number, a truth value, or a list of either.
func plain(x any) (*given, error) {
	one := func(x any) (float64, array.Kind, error) {
		switch x := x.(type) {
		case bool:
			if x {
				return 1, array.Bools, nil
			}
			return 0, array.Bools, nil
		case json.Number:
			f, err := x.Float64()
			if err != nil {
				return 0, 0, fmt.Errorf("%s is beyond all numbers", x)
			}
			if _, err := x.Int64(); err == nil {
				return f, array.Ints, nil
			}
			return f, array.Floats, nil
		}
		return 0, 0, errNoValue
	}
	list, ok := x.([]any)
	if !ok {
		f, k, err := one(x)
		return &given{one: f, kind: k}, err
	}
	a := &array.Array{V: make([]float64, 0, len(list)), Kind: array.Bools}
	if len(list) == 0 {
		a.Kind = array.Ints
	}
	for r, e := range list {
		row, table := e.([]any)
		if r > 0 && (table != a.Table || table && len(row) != a.Cols) {
			return nil, fmt.Errorf("a list whose rows differ")
		}
		if !table {
			row = []any{e}
		} else {
			a.Table, a.Cols = true, len(row)
		}
		for _, y := range row {
			f, k, err := one(y)
			if err != nil {
				return nil, err
			}
			a.V, a.Kind = append(a.V, f), min(a.Kind, k)
		}
	}
	if a.Table && a.Cols == 0 {
		a.Hollow = len(list)
	}
	return &given{array: a}, nil
}

// starlark is the value as a text of the script would have it.
func (g *given) starlark() starlark.Value {
	switch {
	case g.text != nil:
		return starlark.String(*g.text)
	case g.array != nil:
		return g.array
	case !g.dim.IsOne():
		return array.Quantity{Value: g.one, Dim: g.dim}
	case g.kind == array.Bools:
		return starlark.Bool(g.one != 0)
	case g.kind == array.Ints:
		return starlark.MakeInt64(int64(g.one))
	}
	return starlark.Float(g.one)
}

// engine is the value as a variable of the engine takes it, whatever its dimension.
func (g *given) engine(dim eqn.Dim) any {
	switch {
	case g.text != nil:
		return *g.text
	case g.array == nil:
		return engine.Quantity{Value: g.one, Dim: dim}
	case g.array.Packed != nil:
		if p, ok := g.array.Packed.From.(*store.Packed); ok && p.F32 != nil {
			return engine.Packed{V: p.F32, Unit: 1, Dim: dim}
		}
	}
	o, _, _ := array.OperandOf(g.array)
	return engine.Array{V: o.V, Dim: dim}
}

// index is an INDEX of the protocol as one of the script language; nil: there is none.
func (s *server) index(raw json.RawMessage) (starlark.Value, error) {
	if raw == nil {
		return nil, nil
	}
	var slice struct {
		Slice *[]*int64 `json:"slice"`
	}
	if strict(raw, &slice) == nil && slice.Slice != nil {
		var at [3]starlark.Value
		if n := len(*slice.Slice); n > 3 {
			return nil, eqn.As(eqn.BadIndex, fmt.Errorf("a slice has three numbers, not %d", n))
		}
		for k := range at {
			if at[k] = starlark.None; k < len(*slice.Slice) && (*slice.Slice)[k] != nil {
				at[k] = starlark.MakeInt64(*(*slice.Slice)[k])
			}
		}
		return &array.Span{Lo: at[0], Hi: at[1], Step: at[2]}, nil
	}
	var text string
	if json.Unmarshal(raw, &text) == nil && raw[0] == '"' {
		return starlark.String(text), nil
	}
	g, err := s.given(raw, false)
	if err != nil {
		return nil, eqn.As(eqn.BadIndex, fmt.Errorf("index: %w", err))
	}
	return g.starlark(), nil
}
