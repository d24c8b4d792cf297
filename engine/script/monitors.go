package script

import (
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"synfire/engine"
	"synfire/engine/eqn"
	"synfire/engine/script/array"
	"synfire/engine/script/memory"
	"synfire/engine/store"
)

var hertz = eqn.Dim{eqn.Second: -array.UnitExponent}

// monitor is a SpikeMonitor, EventMonitor, StateMonitor or PopulationRateMonitor.
type monitor struct {
	opaque
	x     *script
	m     engine.Monitor
	class string
}

func (m *monitor) String() string {
	return fmt.Sprintf("<%s %s, %d records>", m.class, m.m.Name(), m.m.Len())
}
func (m *monitor) Type() string   { return m.class }
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
			if e, ok := m.m.(*engine.StateMonitor); ok && rows == 1 { // a shared variable is recorded once and shown for each neuron
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
	if name == "name" {
		return starlark.String(m.m.Name()), nil
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
		err = withHint(hint, "%s has no %s", m.m.Name(), name)
	}
	return v, err
}

func (m *monitor) attr(name string) (starlark.Value, error) {
	switch name {
	case "t", "i", "rate":
		if slices.Contains(m.AttrNames(), name) {
			return valueOf(m.column(name))
		}
		return nil, nil
	}
	for _, c := range m.m.Columns() {
		if c.Name == name {
			return valueOf(m.column(name))
		}
	}
	switch e := m.m.(type) {
	case *engine.SpikeMonitor:
		switch name {
		case "it":
			i, err := m.column("i")
			if err != nil {
				return nil, err
			}
			t, err := m.column("t")
			return starlark.Tuple{i, t}, err
		case "count":
			return whole(e.Count()), nil
		case "num_spikes", "num_events", "N":
			return starlark.MakeInt64(e.Num()), nil
		case "spike_trains", "event_trains":
			return m.x.method(m, name, func(*call) (starlark.Value, error) { return m.trains(e.N(), "t") }), nil
		case "all_values":
			return m.x.method(m, name, func(*call) (starlark.Value, error) {
				d := starlark.NewDict(2)
				for _, v := range append([]string{"t"}, e.Variables()...) {
					each, err := m.trains(e.N(), v)
					if err != nil {
						return nil, err
					}
					if err := d.SetKey(starlark.String(v), each); err != nil {
						return nil, err
					}
				}
				return d, nil
			}), nil
		case "values":
			return m.x.method(m, name, func(c *call) (starlark.Value, error) {
				v := c.str("var", "")
				if v != "t" && !slices.Contains(e.Variables(), v) {
					return nil, fmt.Errorf("%s does not record %q", e.Name(), v)
				}
				return m.trains(e.N(), v)
			}), nil
		}
	case *engine.StateMonitor:
		switch name {
		case "N":
			return starlark.MakeInt(e.Len()), nil
		case "record":
			return whole(e.Recorded()), nil
		case "record_variables":
			var l []starlark.Value
			for _, v := range e.Variables() {
				l = append(l, starlark.String(v))
			}
			return starlark.NewList(l), nil
		}
		if slices.Contains(e.Variables(), name) { // of no neuron
			return &array.Array{V: []float64{}, Kind: array.Singles, Table: true, Cols: e.Len()}, nil
		}
	case *engine.RateMonitor:
		switch name {
		case "N":
			return starlark.MakeInt(e.Len()), nil
		case "smooth_rate":
			return m.x.method(m, name, func(c *call) (starlark.Value, error) {
				if a, ok := c.Get("window").(*array.Array); ok && !a.Table && a.Dim.IsOne() && !c.Has("width") {
					if err := memory.Room(e.Len()+a.Size(), 200); err != nil {
						return nil, err
					}
					v, err := e.SmoothWith(a.Floats())
					return &array.Array{V: v, Dim: hertz, Kind: array.Floats}, err
				}
				window, width := c.str("window", "gaussian"), c.seconds("width", 0)
				if !c.Has("width") {
					return nil, fmt.Errorf("smooth_rate() needs width=, a time")
				}
				if c.err != nil {
					return nil, c.err
				}
				if err := memory.Room(e.Len(), 200); err != nil {
					return nil, err
				}
				v, err := e.Smooth(window, width)
				return &array.Array{V: v, Dim: hertz, Kind: array.Floats}, err
			}), nil
		}
	}
	return nil, nil
}

// valueOf is an array as a value of the script: nil with an error.
func valueOf(a *array.Array, err error) (starlark.Value, error) {
	if err != nil {
		return nil, err
	}
	return a, nil
}

func (m *monitor) AttrNames() []string {
	switch e := m.m.(type) {
	case *engine.SpikeMonitor:
		return append([]string{"N", "all_values", "count", "i", "it", "name", "num_events", "num_spikes", "spike_trains", "t", "values"}, e.Variables()...)
	case *engine.StateMonitor:
		return append([]string{"N", "name", "record", "t"}, e.Variables()...)
	}
	return []string{"N", "name", "rate", "smooth_rate", "t"}
}

// trains is a dictionary from each of n neurons to the values of its events.
func (m *monitor) trains(n int, name string) (starlark.Value, error) {
	if err := memory.Room(n, 200); err != nil {
		return nil, err
	}
	of, err := m.column("i")
	if err != nil {
		return nil, err
	}
	a, err := m.column(name)
	if err != nil {
		return nil, err
	}
	lists := make([][]float64, n)
	for k, i := range of.V {
		lists[int(i)] = append(lists[int(i)], a.V[k])
	}
	d := starlark.NewDict(n)
	for i, l := range lists {
		if l == nil {
			l = []float64{}
		}
		if err := d.SetKey(starlark.MakeInt(i), &array.Array{V: l, Dim: a.Dim, Kind: a.Kind}); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// Get is M[i] of a StateMonitor: the records of neuron i.
func (m *monitor) Get(ix starlark.Value) (starlark.Value, bool, error) {
	e, ok := m.m.(*engine.StateMonitor)
	if !ok {
		return nil, false, fmt.Errorf("a %s cannot be indexed: write %s.i, %s.t", m.class, m.m.Name(), m.m.Name())
	}
	i, err := array.ToInt(ix)
	if err != nil {
		return nil, false, fmt.Errorf("the index %w", err)
	}
	for k, r := range e.Recorded() {
		if r == i {
			return &record{m: m, row: k}, true, nil
		}
	}
	return nil, false, fmt.Errorf("%s does not record neuron %d: name it in record=", e.Name(), i)
}

// record is one neuron of a StateMonitor.
type record struct {
	opaque
	m   *monitor
	row int
}

func (r *record) String() string { return fmt.Sprintf("<record %d of %s>", r.row, r.m.m.Name()) }
func (r *record) Type() string   { return "record" }
func (r *record) Attr(name string) (starlark.Value, error) {
	for _, c := range r.m.m.Columns() {
		plain := strings.TrimSuffix(name, "_")
		if c.Name != plain && c.Name != name || c.Rows == 0 {
			continue
		}
		row := r.row
		if c.Rows == 1 { // a shared variable has one row
			row = 0
		}
		if err := memory.Room(c.Len(), 8); err != nil {
			return nil, err
		}
		v, err := c.Row(row)
		a := &array.Array{V: v, Dim: c.Unit, Kind: kindOfColumn(c)}
		if c.Name != name {
			a.Dim = eqn.Dim{}
		}
		return valueOf(a, err)
	}
	return r.m.Attr(name)
}
func (r *record) AttrNames() []string { return r.m.AttrNames() }
