package script

import (
	"fmt"
	"strings"

	"go.starlark.net/starlark"

	"synfire/engine"
	"synfire/engine/eqn"
)

var hertz = eqn.Dim{eqn.Second: -unitExponent}

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

func times(t []float64) *array { return &array{v: t, dim: second, kind: floats} }

func whole[T int | int32 | int64](v []T) *array {
	r := &array{kind: ints, v: make([]float64, len(v))}
	for k, x := range v {
		r.v[k] = float64(x)
	}
	return r
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
	if a, ok := v.(*array); ok && bare {
		c := *a
		c.dim = eqn.Dim{}
		return &c, nil
	}
	if v == nil && err == nil {
		hint := "it has " + strings.Join(m.AttrNames(), ", ")
		if n := nearest(name, m.AttrNames()); n != "" {
			hint = fmt.Sprintf("did you mean %s?", n)
		}
		err = withHint(hint, "%s has no %s", m.m.Name(), name)
	}
	return v, err
}

func (m *monitor) attr(name string) (starlark.Value, error) {
	if err := room(m.m.Len(), 16); err != nil {
		return nil, err
	}
	switch e := m.m.(type) {
	case *engine.SpikeMonitor:
		switch name {
		case "i":
			return whole(e.I()), nil
		case "t":
			return times(e.T()), nil
		case "it":
			return starlark.Tuple{whole(e.I()), times(e.T())}, nil
		case "count":
			return whole(e.Count()), nil
		case "num_spikes", "num_events", "N":
			return starlark.MakeInt64(e.Num()), nil
		case "spike_trains", "event_trains":
			return m.x.method(m, name, func(*call) (starlark.Value, error) { return trains(e, times(e.T())) }), nil
		case "all_values":
			return m.x.method(m, name, func(*call) (starlark.Value, error) {
				d := starlark.NewDict(2)
				for _, v := range append([]string{"t"}, e.Variables()...) {
					a, err := m.attr(v)
					if err != nil {
						return nil, err
					}
					each, err := trains(e, a.(*array))
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
				a, err := m.attr(c.str("var", ""))
				if err != nil || a == nil {
					return nil, fmt.Errorf("%s does not record %q", e.Name(), c.str("var", ""))
				}
				return trains(e, a.(*array))
			}), nil
		}
		if contained(e.Variables(), name) {
			a, err := e.Values(name)
			return fromEngine(a, singles), err
		}
	case *engine.StateMonitor:
		switch name {
		case "t":
			return times(e.T()), nil
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
		if contained(e.Variables(), name) {
			rows, d, err := e.Values(name)
			if err != nil {
				return nil, err
			}
			if err := room(len(rows)*e.Len(), 8); err != nil {
				return nil, err
			}
			r := &array{dim: d, kind: singles, table: true, cols: e.Len(), v: make([]float64, 0, len(rows)*e.Len())}
			for _, row := range rows {
				r.v = append(r.v, row...)
			}
			return r, nil
		}
	case *engine.RateMonitor:
		switch name {
		case "t":
			return times(e.T()), nil
		case "N":
			return starlark.MakeInt(e.Len()), nil
		case "rate":
			return &array{v: e.Rate(), dim: hertz, kind: floats}, nil
		case "smooth_rate":
			return m.x.method(m, name, func(c *call) (starlark.Value, error) {
				if a, ok := c.get("window").(*array); ok && !a.table && a.dim.IsOne() && !c.has("width") {
					if err := room(e.Len()+a.size(), 200); err != nil {
						return nil, err
					}
					v, err := e.SmoothWith(a.floats())
					return &array{v: v, dim: hertz, kind: floats}, err
				}
				window, width := c.str("window", "gaussian"), c.seconds("width", 0)
				if !c.has("width") {
					return nil, fmt.Errorf("smooth_rate() needs width=, a time")
				}
				if c.err != nil {
					return nil, c.err
				}
				if err := room(e.Len(), 200); err != nil {
					return nil, err
				}
				v, err := e.Smooth(window, width)
				return &array{v: v, dim: hertz, kind: floats}, err
			}), nil
		}
	}
	return nil, nil
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

// trains is a dictionary from each neuron to the values of its events.
func trains(e *engine.SpikeMonitor, a *array) (starlark.Value, error) {
	n := e.N()
	if err := room(n, 200); err != nil {
		return nil, err
	}
	lists := make([][]float64, n)
	for k, i := range e.I() {
		lists[i] = append(lists[i], a.v[k])
	}
	d := starlark.NewDict(n)
	for i, l := range lists {
		if l == nil {
			l = []float64{}
		}
		if err := d.SetKey(starlark.MakeInt(i), &array{v: l, dim: a.dim, kind: a.kind}); err != nil {
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
	i, err := toInt(ix)
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
	v, err := r.m.Attr(name)
	if a, ok := v.(*array); ok && a.table {
		if a.Len() == 1 { // a shared variable has one row
			return a.at(0), nil
		}
		return a.at(r.row), nil
	}
	return v, err
}
func (r *record) AttrNames() []string { return r.m.AttrNames() }
