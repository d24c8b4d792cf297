package script

import (
	"fmt"

	"go.starlark.net/starlark"

	"synfire/engine"
	"synfire/engine/eqn"
	"synfire/engine/script/array"
	"synfire/engine/script/memory"
)

var hertz = eqn.Dim{eqn.Second: -array.UnitExponent}

func rateMonitor(x *script, c *call) (starlark.Value, error) {
	c.refuse("codeobj_class", "dtype")
	o := engine.RateMonitorOptions{Name: c.objectName()}
	src := c.cells("source")
	if c.err != nil {
		return nil, c.err
	}
	m, err := x.net.PopulationRateMonitor(src, o)
	if err != nil {
		return nil, err
	}
	x.add(m)
	return &monitor{x: x, m: m, class: c.Fn, kind: rates{m}}, nil
}

// rates are what a PopulationRateMonitor has.
type rates struct{ *engine.RateMonitor }

func (e rates) names() []string { return []string{"rate", "smooth_rate"} }

func (e rates) attr(m *monitor, name string) (starlark.Value, error) {
	switch name {
	case "N":
		return starlark.MakeInt(e.Len()), nil
	case "smooth_rate":
		return m.x.method(m, name, e.smooth), nil
	}
	return nil, nil
}

func (e rates) smooth(c *call) (starlark.Value, error) {
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
}
