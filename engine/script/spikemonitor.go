package script

import (
	"fmt"
	"slices"

	"go.starlark.net/starlark"

	"synfire/engine"
	"synfire/engine/script/array"
	"synfire/engine/script/memory"
)

func spikeMonitor(x *script, c *call) (starlark.Value, error) {
	c.refuse("codeobj_class")
	switch v := c.Get("record").(type) {
	case nil, starlark.Bool:
	default: // Brian2 asks no more than whether there is something
		if x.opt.Warn != nil {
			x.opt.Warn(fmt.Sprintf("record= of %s() is True or False, not neurons: all of them are recorded, as in Brian2; a part is %s(G[:10]) (%s)", c.Fn, c.Fn, x.thread.CallFrame(1).Pos))
		}
		c.Val["record"] = v.Truth()
	}
	o := engine.SpikeMonitorOptions{Name: c.objectName(), CountOnly: !c.boolean("record", true), Variables: c.texts("variables"), When: c.str("when", ""), Order: c.integer("order", 0)}
	src, event := c.cells("source"), c.str("event", "")
	if c.Has("order") && !c.Has("when") {
		c.failf("order", "order= goes with when=: without it the monitor stands right after the event")
	}
	if c.err != nil {
		return nil, c.err
	}
	var m *engine.SpikeMonitor
	var err error
	if c.Fn == "EventMonitor" {
		m, err = x.net.EventMonitor(src, event, o)
	} else {
		m, err = x.net.SpikeMonitor(src, o)
	}
	if err != nil {
		return nil, err
	}
	x.add(m)
	return &monitor{x: x, m: m, class: c.Fn, kind: spikes{m}}, nil
}

// spikes are what SpikeMonitor and EventMonitor have.
type spikes struct{ *engine.SpikeMonitor }

func (e spikes) names() []string {
	return append([]string{"all_values", "count", "i", "it", "num_events", "num_spikes", "spike_trains", "values"}, e.Variables()...)
}

func (e spikes) attr(m *monitor, name string) (starlark.Value, error) {
	switch name {
	case "i": // of one that only counts
		return valueOf(m.column(name))
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
	return nil, nil
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
