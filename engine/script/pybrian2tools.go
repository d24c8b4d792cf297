package script

import (
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"synfire/engine"
	"synfire/engine/script/argument"
	"synfire/engine/script/array"
)

// Here stands brian2tools, as far as it draws what monitors and synapses hold.

func (x *script) brian2tools(plt starlark.StringDict) starlark.StringDict {
	t := &tools{x: x, plt: plt}
	d := starlark.StringDict{}
	add := func(name, params string, draw func(c argument.Call, ax starlark.Value, rest []starlark.Tuple) error) {
		d[name] = starlark.NewBuiltin(name, func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			var own, rest []starlark.Tuple // rest goes to the function that draws
			for _, kw := range kwargs {
				if key, _ := starlark.AsString(kw[0]); strings.Contains(" "+params+" ", " "+key+" ") {
					own = append(own, kw)
				} else {
					rest = append(rest, kw)
				}
			}
			c, err := argument.Match(name, args, own, params, nil)
			if err != nil {
				return nil, err
			}
			if c.Get("axes") == nil {
				if c.Val["axes"], err = starlark.Call(x.thread, plt["gca"], nil, nil); err != nil {
					return nil, inner(err)
				}
			}
			err = draw(c, c.Val["axes"], rest)
			return c.Val["axes"], err
		})
	}
	add("plot_raster", "spike_indices spike_times / time_unit axes", func(c argument.Call, ax starlark.Value, rest []starlark.Tuple) error {
		return t.raster(c, ax, c.Val["spike_indices"], c.Val["spike_times"], rest)
	})
	add("plot_state", "times values / time_unit var_unit var_name axes", func(c argument.Call, ax starlark.Value, rest []starlark.Tuple) error {
		return t.state(c, ax, c.Val["times"], c.Val["values"], "", rest)
	})
	add("plot_rate", "times rate / time_unit rate_unit axes", func(c argument.Call, ax starlark.Value, rest []starlark.Tuple) error {
		return t.rate(c, ax, c.Val["times"], c.Val["rate"], rest)
	})
	add("plot_synapses", "sources targets / values var_unit var_name plot_type axes", func(c argument.Call, ax starlark.Value, rest []starlark.Tuple) error {
		return t.synapses(c, ax, c.Val["sources"], c.Val["targets"], c.Get("values"), "", rest)
	})
	add("brian_plot", "brian_obj / axes time_unit rate_unit var_unit var_name plot_type", func(c argument.Call, ax starlark.Value, rest []starlark.Tuple) error {
		return t.any(c, ax, c.Val["brian_obj"], rest)
	})
	return d
}

type tools struct {
	x   *script
	plt starlark.StringDict
}

// get is of.name.
func (t *tools) get(of starlark.Value, name string) (starlark.Value, error) {
	h, ok := of.(starlark.HasAttrs)
	if !ok {
		return nil, fmt.Errorf("a %s has no .%s", of.Type(), name)
	}
	v, err := h.Attr(name)
	if err == nil && v == nil {
		err = fmt.Errorf("a %s has no .%s", of.Type(), name)
	}
	return v, err
}

// do is of.name(args).
func (t *tools) do(of starlark.Value, name string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	f, err := t.get(of, name)
	if err != nil {
		return nil, err
	}
	v, err := starlark.Call(t.x.thread, f, args, kwargs)
	return v, inner(err)
}

// in divides values by the unit of an argument, else by the one in which they print, and says the label with it.
func (t *tools) in(values, unit starlark.Value, name string) (starlark.Value, string, error) {
	o, ok, err := array.OperandOf(values)
	if err != nil || !ok {
		return nil, "", fmt.Errorf("what is drawn must be numbers, not %s", array.Describe(values))
	}
	values = o.Value()
	if unit == nil {
		unit = array.BestUnit(o.V, o.Dim)
	}
	if unit == nil {
		return values, name, nil
	}
	r, err := array.Binary(syntax.SLASH, values, unit, starlark.Left)
	return r, fmt.Sprintf("%s (%s)", name, array.Plain(unit)), err
}

// plot draws y over t, with labels.
func (t *tools) plot(c argument.Call, ax, times, y starlark.Value, label string, rest []starlark.Tuple, format ...starlark.Value) error {
	unit := c.Get("time_unit")
	if unit == nil {
		unit = t.x.predeclared["ms"]
	}
	at, under, err := t.in(times, unit, "time")
	if err == nil {
		_, err = t.do(ax, "plot", append(starlark.Tuple{at, y}, format...), rest)
	}
	if err == nil {
		_, err = t.do(ax, "set_xlabel", starlark.Tuple{starlark.String(under)}, nil)
	}
	if err == nil {
		_, err = t.do(ax, "set_ylabel", starlark.Tuple{starlark.String(label)}, nil)
	}
	return err
}

func (t *tools) raster(c argument.Call, ax, i, times starlark.Value, rest []starlark.Tuple) error {
	return t.plot(c, ax, times, i, "neuron index", rest, starlark.String("."))
}

func (t *tools) state(c argument.Call, ax, times, values starlark.Value, name string, rest []starlark.Tuple) error {
	if n, ok := starlark.AsString(c.Val["var_name"]); ok {
		name = n
	}
	y, label, err := t.in(values, c.Get("var_unit"), name)
	if err != nil {
		return err
	}
	return t.plot(c, ax, times, y, label, rest)
}

func (t *tools) rate(c argument.Call, ax, times, rate starlark.Value, rest []starlark.Tuple) error {
	unit := c.Get("rate_unit")
	if unit == nil {
		unit = t.x.predeclared["Hz"]
	}
	y, label, err := t.in(rate, unit, "population rate")
	if err != nil {
		return err
	}
	return t.plot(c, ax, times, y, label, rest)
}

// synapses draws a square for each synapse, coloured by its value.
func (t *tools) synapses(c argument.Call, ax, i, j, values starlark.Value, name string, rest []starlark.Tuple) error {
	if v := c.Get("plot_type"); v != nil && v != starlark.String("scatter") {
		return fmt.Errorf("plot_type=%s: 'scatter' is the one there is", array.Repr(v))
	}
	if !slices.ContainsFunc(rest, func(kw starlark.Tuple) bool { return kw[0] == starlark.String("marker") }) {
		rest = append(rest, starlark.Tuple{starlark.String("marker"), starlark.String("s")})
	}
	if n, ok := starlark.AsString(c.Val["var_name"]); ok {
		name = n
	}
	label := ""
	if values != nil {
		v, l, err := t.in(values, c.Get("var_unit"), name)
		if err != nil {
			return err
		}
		label = l
		rest = append(rest, starlark.Tuple{starlark.String("c"), v})
	}
	_, err := t.do(ax, "scatter", starlark.Tuple{i, j}, rest)
	if err == nil && values != nil {
		_, err = starlark.Call(t.x.thread, t.plt["colorbar"], nil, []starlark.Tuple{{starlark.String("ax"), ax}, {starlark.String("label"), starlark.String(label)}})
		err = inner(err)
	}
	for k, l := range []string{"source neuron index", "target neuron index"} {
		if err == nil {
			_, err = t.do(ax, []string{"set_xlabel", "set_ylabel"}[k], starlark.Tuple{starlark.String(l)}, nil)
		}
	}
	return err
}

// any draws what an object holds.
func (t *tools) any(c argument.Call, ax, of starlark.Value, rest []starlark.Tuple) error {
	two := func(of starlark.Value, a, b string) (p, q starlark.Value, err error) {
		if p, err = t.get(of, a); err == nil {
			q, err = t.get(of, b)
		}
		return p, q, err
	}
	switch of := of.(type) {
	case *monitor:
		switch of.class {
		case "PopulationRateMonitor":
			times, err := t.get(of, "t")
			if err != nil {
				return err
			}
			rate, err := t.do(of, "smooth_rate", nil, []starlark.Tuple{{starlark.String("width"), t.x.predeclared["ms"]}})
			if err != nil {
				return err
			}
			return t.rate(c, ax, times, rate, rest)
		case "StateMonitor":
			return t.recorded(c, ax, of, of, rest)
		}
		i, times, err := two(of, "i", "t")
		if err != nil {
			return err
		}
		return t.raster(c, ax, i, times, rest)
	case *record:
		return t.recorded(c, ax, of, of.m, rest)
	case *synapses:
		i, j, err := two(of, "i", "j")
		if err != nil {
			return err
		}
		return t.synapses(c, ax, i, j, nil, "", rest)
	case *variable:
		for _, o := range t.x.objects {
			if s, ok := o.(*engine.Synapses); ok && s.Name() == of.owner {
				i, j, err := two(&synapses{x: t.x, s: s}, "i", "j")
				if err != nil {
					return err
				}
				return t.synapses(c, ax, i, j, of, of.name, rest)
			}
		}
	}
	return fmt.Errorf("brian_plot() draws monitors, synapses and their variables, not %s", array.Describe(of))
}

// recorded draws the variables of a StateMonitor, of several each in axes of its own.
func (t *tools) recorded(c argument.Call, ax, of starlark.Value, m *monitor, rest []starlark.Tuple) error {
	times, err := t.get(of, "t")
	if err != nil {
		return err
	}
	var names []string
	for _, col := range m.m.Columns() {
		if col.Name != "t" {
			names = append(names, col.Name)
		}
	}
	axes := []starlark.Value{ax}
	if len(names) > 1 {
		given, ok := c.Get("axes").(starlark.Iterable)
		if !ok {
			fig, err := starlark.Call(t.x.thread, t.plt["subplots"], starlark.Tuple{starlark.MakeInt(len(names)), starlark.MakeInt(1)}, nil)
			if err != nil {
				return inner(err)
			}
			c.Val["axes"] = fig.(starlark.Tuple)[1]
			given = c.Val["axes"].(starlark.Iterable)
		}
		axes = axes[:0]
		for a := range starlark.Elements(given) {
			axes = append(axes, a)
		}
		if len(axes) != len(names) {
			return fmt.Errorf("axes= must have as many as there are variables: %d, not %d", len(names), len(axes))
		}
	}
	for k, n := range names {
		v, err := t.get(of, n)
		if err != nil {
			return err
		}
		if a, ok := v.(starlark.HasAttrs); ok {
			if v, err = a.Attr("T"); err != nil {
				return err
			}
		}
		if err := t.state(c, axes[k], times, v, n, rest); err != nil {
			return err
		}
	}
	return nil
}
