package script

import (
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"synfire/engine"
	"synfire/engine/eqn"
	"synfire/engine/script/argument"
	"synfire/engine/script/array"
	"synfire/engine/script/memory"
	"synfire/engine/store"
)

// monitor is a SpikeMonitor, EventMonitor, StateMonitor, PopulationRateMonitor ...:
// what it has recorded, and what its kind has of its own.
type monitor struct {
	opaque
	x     *script
	m     engine.Monitor
	class string
	kind  kind
	own   starlark.StringDict // attributes of add_attribute()
}

// kind is what one kind of monitor has besides its columns, and the names of all
// that it has besides N, name and t.
type kind interface {
	attr(m *monitor, name string) (starlark.Value, error) // nil: there is none
	names() []string
}

// rowed is a kind of monitor whose columns have a row for each of some neurons.
type rowed interface{ Recorded() []int }

func (m *monitor) String() string {
	return fmt.Sprintf("<%s %s, %d records>", m.class, m.m.Name(), m.m.Len())
}
func (m *monitor) Type() string   { return m.class }
func (m *monitor) Len() int       { return m.m.Len() }
func (m *monitor) object() object { return m.m.(object) }

func whole[T int | int32 | int64](v []T) *array.Array {
	r := &array.Array{Kind: array.Ints, V: make([]float64, len(v))}
	for k, x := range v {
		r.V[k] = float64(x)
	}
	return r
}

// column is what the monitor has recorded under a name; an empty array where it
// does not record that.
func (m *monitor) column(name string) (*array.Array, error) {
	r := &array.Array{V: []float64{}, Kind: array.Floats}
	for _, c := range m.m.Columns() {
		if c.Name != name {
			continue
		}
		if err := memory.Room(c.Len()*max(c.Rows, 1), 8); err != nil {
			return nil, err
		}
		v, err := c.Floats()
		if err != nil {
			return nil, err
		}
		r.V, r.Dim = v, c.Unit
		r.Kind = kindOfColumn(c)
		if rows := c.Rows; rows > 0 {
			if e, ok := m.kind.(rowed); ok && rows == 1 { // a shared variable is recorded once and shown for each neuron
				rows = len(e.Recorded())
				if err := memory.Room(c.Len()*rows, 8); err != nil {
					return nil, err
				}
				r.V = slices.Repeat(v, rows)
			}
			r.Table, r.Cols, r.Hollow = true, c.Len(), rows
		}
	}
	return r, nil
}

func kindOfColumn(c *engine.Column) array.Kind {
	switch c.Type {
	case store.Int32:
		return array.Ints
	case store.Float32:
		return array.Singles
	}
	return array.Floats
}

func (m *monitor) Attr(name string) (starlark.Value, error) {
	m.x.aliases()
	switch name {
	case "name":
		return starlark.String(m.m.Name()), nil
	case "active":
		return starlark.Bool(m.m.Base().Active()), nil
	}
	if v := m.own[name]; v != nil {
		return v, nil
	}
	if name == "add_attribute" {
		return fn(name, "name", func(c argument.Call) (starlark.Value, error) {
			n, ok := starlark.AsString(c.Val["name"])
			if !ok {
				return nil, fmt.Errorf("add_attribute() takes a name, not %s", array.Describe(c.Val["name"]))
			}
			if slices.Contains(m.AttrNames(), n) {
				return nil, fmt.Errorf("%s has %s already", m.m.Name(), n)
			}
			if m.own == nil {
				m.own = starlark.StringDict{}
			}
			m.own[n] = starlark.None
			return starlark.None, nil
		}), nil
	}
	v, err := m.attr(name)
	bare := v == nil && err == nil && strings.HasSuffix(name, "_")
	if bare {
		v, err = m.attr(strings.TrimSuffix(name, "_"))
	}
	if a, ok := v.(*array.Array); ok && bare {
		c := *a
		c.Dim = eqn.Dim{}
		return &c, nil
	}
	if v == nil && err == nil {
		hint := eqn.Nearest(name, m.AttrNames())
		if hint == "" {
			hint = "it has " + strings.Join(m.AttrNames(), ", ")
		}
		err = eqn.As(eqn.UnknownName, withHint(hint, "%s has no %s", m.m.Name(), name))
	}
	return v, err
}

func (m *monitor) SetField(name string, v starlark.Value) error {
	if m.own[name] != nil {
		m.own[name] = v
		return nil
	}
	return onlyActive(m.m, name, v)
}

func (m *monitor) attr(name string) (starlark.Value, error) {
	if name == "t" { // also of a monitor that only counts
		return valueOf(m.column(name))
	}
	for _, c := range m.m.Columns() {
		if c.Name == name {
			return valueOf(m.column(name))
		}
	}
	return m.kind.attr(m, name)
}

// valueOf is an array as a value of the script: nil with an error.
func valueOf(a *array.Array, err error) (starlark.Value, error) {
	if err != nil {
		return nil, err
	}
	return a, nil
}

func (m *monitor) AttrNames() []string {
	names := append([]string{"N", "active", "name", "t"}, m.kind.names()...)
	slices.Sort(names)
	return slices.Compact(names)
}

// Get is M[i]: the records of neuron i, of a monitor that has a row for each; M[[i, j]]: of several.
func (m *monitor) Get(ix starlark.Value) (starlark.Value, bool, error) {
	e, ok := m.kind.(rowed)
	if !ok {
		return nil, false, fmt.Errorf("a %s cannot be indexed: write %s.i, %s.t", m.class, m.m.Name(), m.m.Name())
	}
	list := []int{0}
	var err error
	_, several := ix.(starlark.Sequence)
	if several = several || isArray(ix); several {
		list, err = array.ToInts(ix)
	} else {
		list[0], err = array.ToInt(ix)
	}
	if err != nil {
		return nil, false, fmt.Errorf("the index %w", err)
	}
	r := &record{m: m, several: several}
	for _, i := range list {
		k := slices.Index(e.Recorded(), i)
		if k < 0 {
			return nil, false, fmt.Errorf("%s does not record neuron %d: name it in record=", m.m.Name(), i)
		}
		r.rows = append(r.rows, k)
	}
	return r, true, nil
}
