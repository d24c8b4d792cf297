package script

import (
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"synfire/engine/figure"
	"synfire/engine/script/array"
)

// axesValue are axes as a value of the script.
type axesValue struct {
	opaque
	p *pylab
	a *figure.Axes
	f *figure.Figure
}

func (v *axesValue) String() string { return "<Axes>" }
func (v *axesValue) Type() string   { return "Axes" }
func (v *axesValue) AttrNames() []string {
	r := []string{"set", "spines", "twinx", "xaxis", "yaxis", "get_xlim", "get_ylim"}
	for n := range drawings {
		r = append(r, n)
	}
	for n := range settings {
		r = append(r, "set_"+n)
	}
	slices.Sort(r)
	return r
}

// drawer binds a word to axes, which are asked for when it is called.
func (p *pylab) drawer(name string, f drawing, a func() *figure.Axes) *starlark.Builtin {
	return starlark.NewBuiltin(name, func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		return f(p, a(), args, newOpts(name, kwargs))
	})
}

func (v *axesValue) Attr(name string) (starlark.Value, error) {
	mine := func() *figure.Axes { return v.a }
	if f := drawings[name]; f != nil {
		return v.p.drawer(name, f, mine), nil
	}
	if f := settings[strings.TrimPrefix(name, "set_")]; f != nil && strings.HasPrefix(name, "set_") {
		return v.p.drawer(name, f, mine), nil
	}
	switch name {
	case "set":
		return starlark.NewBuiltin(name, func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			for _, kw := range kwargs {
				n := string(kw[0].(starlark.String))
				f := settings[n]
				switch {
				case f != nil:
					val := starlark.Tuple{kw[1]}
					if _, err := f(v.p, v.a, val, newOpts("set_"+n, nil)); err != nil {
						return nil, err
					}
				case !lookOnly("set_" + n):
					return nil, fmt.Errorf("axes have no set_%s here", n)
				}
			}
			return starlark.None, nil
		}), nil
	case "spines":
		return &spines{p: v.p, a: v.a}, nil
	case "xaxis", "yaxis":
		return &axisValue{p: v.p, a: v.a, upright: name == "yaxis"}, nil
	case "get_xaxis", "get_yaxis":
		return array.Method(v, name, func(starlark.Tuple) (starlark.Value, error) {
			return &axisValue{p: v.p, a: v.a, upright: name == "get_yaxis"}, nil
		}), nil
	case "transAxes", "transData":
		return &transform{relative: name == "transAxes"}, nil
	case "figure":
		return &figureValue{p: v.p, f: v.f}, nil
	case "get_xlim", "get_ylim":
		return array.Method(v, name, func(starlark.Tuple) (starlark.Value, error) {
			lo, hi := bounds(v.a, name == "get_ylim")
			return starlark.Tuple{starlark.Float(lo), starlark.Float(hi)}, nil
		}), nil
	case "get_figure":
		return array.Method(v, name, func(starlark.Tuple) (starlark.Value, error) { return &figureValue{p: v.p, f: v.f}, nil }), nil
	case "invert_yaxis", "invert_xaxis":
		return array.Method(v, name, func(starlark.Tuple) (starlark.Value, error) {
			x := axisOf(v.a, name == "invert_yaxis")
			x.Inverted = !x.Inverted
			return starlark.None, nil
		}), nil
	case "cla", "clear":
		return array.Method(v, name, func(starlark.Tuple) (starlark.Value, error) {
			*v.a = *figure.NewAxes(v.a.Place)
			return starlark.None, nil
		}), nil
	case "get_legend_handles_labels":
		return array.Method(v, name, func(starlark.Tuple) (starlark.Value, error) {
			var hs, ls []starlark.Value
			for k, m := range v.a.Marks {
				if m.Label != "" {
					hs, ls = append(hs, &artist{p: v.p, a: v.a, from: k, to: k + 1}), append(ls, starlark.String(m.Label))
				}
			}
			return starlark.Tuple{starlark.NewList(hs), starlark.NewList(ls)}, nil
		}), nil
	case "inset_axes":
		return starlark.NewBuiltin(name, func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			r, err := v.p.inset(v.figure(), args, newOpts(name, kwargs))
			if of, ok := r.(*axesValue); ok {
				of.a.Within = v.a
			}
			return r, err
		}), nil
	case "twinx":
		return array.Method(v, name, func(starlark.Tuple) (starlark.Value, error) {
			f := v.figure()
			t := v.p.addAxes(f, v.a.Place)
			t.Twin, t.ShareX = v.a, v.a
			return &axesValue{p: v.p, a: t, f: f}, nil
		}), nil
	case "sharex", "sharey":
		return array.Method(v, name, func(args starlark.Tuple) (starlark.Value, error) {
			var other *axesValue
			if len(args) == 1 {
				other, _ = args[0].(*axesValue)
			}
			if other == nil || other.a == v.a {
				return nil, fmt.Errorf("%s() takes other axes", name)
			}
			if name == "sharex" {
				v.a.ShareX = other.a
			} else {
				v.a.ShareY = other.a
			}
			return starlark.None, nil
		}), nil
	case "remove":
		return array.Method(v, name, func(starlark.Tuple) (starlark.Value, error) {
			f := v.figure()
			f.Axes = slices.DeleteFunc(f.Axes, func(a *figure.Axes) bool { return a == v.a })
			return starlark.None, nil
		}), nil
	case "tick_params":
		return starlark.NewBuiltin(name, func(_ *starlark.Thread, _ *starlark.Builtin, _ starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			for _, kw := range kwargs {
				switch kw[0] {
				case starlark.String("labelbottom"):
					v.a.X.Unnamed = !bool(kw[1].Truth())
				case starlark.String("labelleft"):
					v.a.Y.Unnamed = !bool(kw[1].Truth())
				}
			}
			return starlark.None, nil
		}), nil
	}
	if lookOnly(name) {
		return accepted(v, name), nil
	}
	return nil, withHint(elsewherePictures, "axes have no .%s here", name)
}

// figure is the figure that the axes are in.
func (v *axesValue) figure() *figure.Figure {
	for _, f := range v.p.open {
		if slices.Contains(f.Axes, v.a) {
			return f
		}
	}
	return v.p.figure()
}

// transform is what transform= of texts takes.
type transform struct {
	opaque
	relative bool
}

func (t *transform) String() string { return "<transform>" }
func (t *transform) Type() string   { return "transform" }

// spines are the sides of the frame.
type spines struct {
	opaque
	p     *pylab
	a     *figure.Axes
	sides []string
}

func (s *spines) String() string { return "<spines>" }
func (s *spines) Type() string   { return "spines" }
func (s *spines) Get(ix starlark.Value) (starlark.Value, bool, error) {
	r := &spines{p: s.p, a: s.a}
	list := []starlark.Value{ix}
	if l, ok := ix.(starlark.Iterable); ok {
		list = slices.Collect(starlark.Elements(l))
	}
	for _, e := range list {
		side, _ := starlark.AsString(e)
		if !slices.Contains([]string{"top", "right", "bottom", "left"}, side) {
			return nil, false, fmt.Errorf("the sides of axes are 'top', 'right', 'bottom' and 'left', not %s", array.Describe(e))
		}
		r.sides = append(r.sides, side)
	}
	return r, true, nil
}
func (s *spines) AttrNames() []string {
	return []string{"set_visible", "top", "right", "bottom", "left"}
}
func (s *spines) Attr(name string) (starlark.Value, error) {
	if slices.Contains([]string{"top", "right", "bottom", "left"}, name) {
		return &spines{p: s.p, a: s.a, sides: []string{name}}, nil
	}
	if name == "set_visible" || name == "set_color" {
		return array.Method(s, name, func(args starlark.Tuple) (starlark.Value, error) {
			if len(args) != 1 {
				return nil, fmt.Errorf("%s() takes one argument", name)
			}
			for _, side := range s.sides {
				s.a.Bare[side] = args[0] == starlark.False || args[0] == starlark.String("none")
			}
			return starlark.None, nil
		}), nil
	}
	switch name {
	case "items", "values", "keys":
		return array.Method(s, name, func(starlark.Tuple) (starlark.Value, error) {
			var l []starlark.Value
			for _, side := range []string{"left", "right", "bottom", "top"} {
				var v starlark.Value = &spines{p: s.p, a: s.a, sides: []string{side}}
				switch name {
				case "items":
					v = starlark.Tuple{starlark.String(side), v}
				case "keys":
					v = starlark.String(side)
				}
				l = append(l, v)
			}
			return starlark.NewList(l), nil
		}), nil
	}
	if lookOnly(name) {
		return accepted(s, name), nil
	}
	return nil, fmt.Errorf("the sides of axes have no .%s here", name)
}

// axisValue is ax.xaxis or ax.yaxis.
type axisValue struct {
	opaque
	p       *pylab
	a       *figure.Axes
	upright bool
}

func (v *axisValue) String() string { return "<Axis>" }
func (v *axisValue) Type() string   { return "Axis" }
func (v *axisValue) AttrNames() []string {
	return []string{"set_label_text", "set_ticks", "set_ticklabels", "set_visible"}
}
func (v *axisValue) Attr(name string) (starlark.Value, error) {
	mine := func() *figure.Axes { return v.a }
	switch name {
	case "set_ticks":
		return v.p.drawer(name, ticks(v.upright), mine), nil
	case "set_ticklabels":
		return v.p.drawer(name, tickLabels(v.upright), mine), nil
	case "set_label_text":
		return v.p.drawer(name, label(v.upright), mine), nil
	case "set_visible":
		return array.Method(v, name, func(args starlark.Tuple) (starlark.Value, error) {
			x := axisOf(v.a, v.upright)
			if len(args) == 1 && !bool(args[0].Truth()) {
				x.Ticks, x.Fixed, x.Label = nil, true, ""
			}
			return starlark.None, nil
		}), nil
	case "label":
		return &artist{p: v.p, a: v.a}, nil
	case "get_label":
		return array.Method(v, name, func(starlark.Tuple) (starlark.Value, error) { return &artist{p: v.p, a: v.a}, nil }), nil
	case "set_inverted":
		return array.Method(v, name, func(args starlark.Tuple) (starlark.Value, error) {
			axisOf(v.a, v.upright).Inverted = len(args) == 1 && bool(args[0].Truth())
			return starlark.None, nil
		}), nil
	}
	if lookOnly(name) || name == "tick_right" || name == "tick_left" || name == "tick_top" || name == "tick_bottom" {
		return accepted(v, name), nil
	}
	return nil, withHint(elsewherePictures, "an axis has no .%s here", name)
}

// axesGrid are the axes of subplots(), one or two dimensions of them.
type axesGrid struct {
	opaque
	rows, cols int // cols 0: one dimension
	v          []starlark.Value
}

func (g *axesGrid) String() string { return fmt.Sprintf("<%d axes>", len(g.v)) }
func (g *axesGrid) Type() string   { return "axes" }
func (g *axesGrid) Len() int       { return g.rows }
func (g *axesGrid) row(k int) starlark.Value {
	if g.cols == 0 {
		return g.v[k]
	}
	return &axesGrid{rows: g.cols, v: g.v[k*g.cols : (k+1)*g.cols]}
}
func (g *axesGrid) Iterate() starlark.Iterator {
	l := make([]starlark.Value, g.rows)
	for k := range l {
		l[k] = g.row(k)
	}
	return starlark.Tuple(l).Iterate()
}
func (g *axesGrid) AttrNames() []string {
	return []string{"T", "flat", "flatten", "ravel", "shape", "size"}
}
func (g *axesGrid) Attr(name string) (starlark.Value, error) {
	all := &axesGrid{rows: len(g.v), v: g.v}
	switch name {
	case "flat":
		return all, nil
	case "flatten", "ravel":
		return array.Method(g, name, func(starlark.Tuple) (starlark.Value, error) { return all, nil }), nil
	case "shape":
		if g.cols == 0 {
			return starlark.Tuple{starlark.MakeInt(g.rows)}, nil
		}
		return starlark.Tuple{starlark.MakeInt(g.rows), starlark.MakeInt(g.cols)}, nil
	case "size":
		return starlark.MakeInt(len(g.v)), nil
	case "T":
		if g.cols == 0 {
			return g, nil
		}
		t := &axesGrid{rows: g.cols, cols: g.rows}
		for c := range g.cols {
			for r := range g.rows {
				t.v = append(t.v, g.v[r*g.cols+c])
			}
		}
		return t, nil
	}
	return nil, nil
}

// Get indexes as an array of numbers: the numbers are places in g.v.
func (g *axesGrid) Get(ix starlark.Value) (starlark.Value, bool, error) {
	at := &array.Array{Kind: array.Ints, Table: g.cols > 0, Cols: g.cols}
	for k := range g.v {
		at.V = append(at.V, float64(k))
	}
	v, ok, err := at.Get(ix)
	if err != nil || !ok {
		return nil, ok, err
	}
	if a, many := v.(*array.Array); many {
		r := &axesGrid{rows: a.Len()}
		if a.Table {
			r.cols = a.Cols
		}
		for _, k := range a.Floats() {
			r.v = append(r.v, g.v[int(k)])
		}
		return r, true, nil
	}
	k, err := array.ToInt(v)
	return g.v[k], true, err
}

// figureValue is a figure as a value of the script.
type figureValue struct {
	opaque
	p *pylab
	f *figure.Figure
}

func (v *figureValue) String() string { return fmt.Sprintf("<Figure %d>", v.f.Number) }
func (v *figureValue) Type() string   { return "Figure" }
func (v *figureValue) AttrNames() []string {
	return []string{"add_axes", "add_gridspec", "add_subplot", "axes", "colorbar", "gca", "legend", "savefig", "set_size_inches", "show", "subplots", "suptitle"}
}

func (v *figureValue) Attr(name string) (starlark.Value, error) {
	p := v.p
	fn := func(f func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error)) (starlark.Value, error) {
		return starlark.NewBuiltin(name, func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			return f(args, kwargs)
		}), nil
	}
	switch name {
	case "add_subplot":
		return fn(func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			return p.subplot(v.f, args, newOpts(name, kwargs))
		})
	case "subplots":
		return fn(func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			return p.subplots(v.f, args, newOpts(name, kwargs))
		})
	case "add_gridspec":
		return fn(func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			return p.gridSpec(v.f, args, newOpts(name, kwargs))
		})
	case "add_axes":
		return fn(func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			return p.inset(v.f, args, newOpts(name, kwargs))
		})
	case "suptitle":
		return fn(func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			return p.above(v.f, args, newOpts(name, kwargs))
		})
	case "savefig":
		return fn(func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			return p.saved(v.f, args, kwargs)
		})
	case "show":
		return fn(func(starlark.Tuple, []starlark.Tuple) (starlark.Value, error) { return starlark.None, p.show() })
	case "gca":
		return fn(func(starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
			p.current = v.f
			return &axesValue{p: p, a: p.ax(), f: v.f}, nil
		})
	case "colorbar", "legend":
		p.current = v.f
		return p.drawer(name, drawings[name], p.ax), nil
	case "set_size_inches":
		return fn(func(args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
			if len(args) == 2 {
				args = starlark.Tuple{args}
			}
			if len(args) != 1 {
				return nil, fmt.Errorf("set_size_inches() takes width and height")
			}
			return starlark.None, v.f.Resize(sizeOf(args[0]))
		})
	case "axes":
		var l []starlark.Value
		for _, a := range v.f.Axes {
			l = append(l, &axesValue{p: p, a: a, f: v.f})
		}
		return starlark.NewList(l), nil
	case "number":
		return starlark.MakeInt(v.f.Number), nil
	}
	if lookOnly(name) {
		return accepted(v, name), nil
	}
	return nil, withHint(elsewherePictures, "a figure has no .%s here", name)
}

// words of pyplot, for the script and for the module.
func (x *script) newPylab() (*pylab, starlark.StringDict) {
	p := &pylab{x: x, axes: map[*figure.Figure]*figure.Axes{}, rc: new(starlark.Dict)}
	p.rc.SetKey(starlark.String("axes.prop_cycle"), propCycle())
	d := starlark.StringDict{}
	add := func(name string, f func(args starlark.Tuple, o *opts) (starlark.Value, error)) {
		d[name] = starlark.NewBuiltin(name, func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			return f(args, newOpts(name, kwargs))
		})
	}
	for n, f := range drawings {
		d[n] = p.drawer(n, f, p.ax)
	}
	for _, n := range []string{"xlabel", "ylabel", "title", "xlim", "ylim", "xticks", "yticks", "xscale", "yscale"} {
		d[n] = p.drawer(n, settings[n], p.ax)
	}
	add("figure", p.newFigureOf)
	add("subplot", func(args starlark.Tuple, o *opts) (starlark.Value, error) { return p.subplot(p.figure(), args, o) })
	add("subplots", func(args starlark.Tuple, o *opts) (starlark.Value, error) { return p.subplots(nil, args, o) })
	add("subplot2grid", func(args starlark.Tuple, o *opts) (starlark.Value, error) {
		if len(args) < 2 {
			return nil, fmt.Errorf("subplot2grid() takes the form of the grid and a cell of it")
		}
		shape, at := sizeOf(args[0]), sizeOf(args[1])
		down, across := int(o.number(1, "rowspan")), int(o.number(1, "colspan"))
		if len(shape) != 2 || len(at) != 2 {
			return nil, fmt.Errorf("subplot2grid() takes the form of the grid and a cell of it")
		}
		place := figure.Place{Rows: int(shape[0]), Cols: int(shape[1]), Row0: int(at[0]), Col0: int(at[1])}
		place.Row1, place.Col1 = place.Row0+down, place.Col0+across
		if place.Rows < 1 || place.Cols < 1 || place.Rows > 100 || place.Cols > 100 || place.Row0 < 0 || place.Col0 < 0 || place.Row1 > place.Rows || place.Col1 > place.Cols || down < 1 || across < 1 {
			return nil, fmt.Errorf("the cell lies outside the grid")
		}
		return p.subplot(p.figure(), starlark.Tuple{&gridCell{place: place}}, o)
	})
	add("axes", func(args starlark.Tuple, o *opts) (starlark.Value, error) { return p.inset(p.figure(), args, o) })
	add("suptitle", func(args starlark.Tuple, o *opts) (starlark.Value, error) { return p.above(p.figure(), args, o) })
	add("gca", func(_ starlark.Tuple, o *opts) (starlark.Value, error) {
		a := p.ax()
		return &axesValue{p: p, a: a, f: p.current}, nil
	})
	add("gcf", func(starlark.Tuple, *opts) (starlark.Value, error) { return &figureValue{p: p, f: p.figure()}, nil })
	add("sca", func(args starlark.Tuple, _ *opts) (starlark.Value, error) {
		if len(args) == 1 {
			if v, ok := args[0].(*axesValue); ok {
				f := v.figure()
				p.current, p.axes[f] = f, v.a
				return starlark.None, nil
			}
		}
		return nil, fmt.Errorf("sca() takes axes")
	})
	add("twinx", func(starlark.Tuple, *opts) (starlark.Value, error) {
		v, _ := (&axesValue{p: p, a: p.ax(), f: p.figure()}).Attr("twinx")
		return starlark.Call(x.thread, v, nil, nil)
	})
	add("show", func(_ starlark.Tuple, o *opts) (starlark.Value, error) {
		o.take("block")
		if err := o.end(); err != nil {
			return nil, err
		}
		return starlark.None, p.show()
	})
	d["savefig"] = starlark.NewBuiltin("savefig", func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		return p.saved(p.figure(), args, kwargs)
	})
	add("close", func(args starlark.Tuple, _ *opts) (starlark.Value, error) {
		all := len(args) == 1 && args[0] == starlark.String("all")
		gone := p.current
		if len(args) == 1 && !all {
			if v, ok := args[0].(*figureValue); ok {
				gone = v.f
			} else if n, err := array.ToInt(args[0]); err == nil {
				gone = nil
				for _, f := range p.open {
					if f.Number == n {
						gone = f
					}
				}
			}
		}
		p.open = slices.DeleteFunc(p.open, func(f *figure.Figure) bool { return all || f == gone })
		if p.current = nil; len(p.open) > 0 {
			p.current = p.open[len(p.open)-1]
		}
		return starlark.None, nil
	})
	add("clf", func(starlark.Tuple, *opts) (starlark.Value, error) {
		f := p.figure()
		f.Axes, f.Title = nil, ""
		delete(p.axes, f)
		return starlark.None, nil
	})
	add("cla", func(starlark.Tuple, *opts) (starlark.Value, error) {
		a := p.ax()
		*a = *figure.NewAxes(a.Place)
		return starlark.None, nil
	})
	add("GridSpec", func(args starlark.Tuple, o *opts) (starlark.Value, error) { return p.gridSpec(nil, args, o) })
	add("get_cmap", func(args starlark.Tuple, _ *opts) (starlark.Value, error) {
		name := "viridis"
		if len(args) > 0 {
			name, _ = starlark.AsString(args[0])
		}
		return colorMaps{}.Attr(name)
	})
	d["cm"] = colorMaps{}
	d["rcParams"] = p.rc
	for _, n := range []string{"tight_layout", "subplots_adjust", "rc", "ion", "ioff", "draw", "box", "margins", "autoscale", "tick_params", "ticklabel_format", "minorticks_on", "setp", "style.use"} {
		d[n] = accepted(starlark.None, n)
	}
	d["style"] = &pymodule{name: "matplotlib.style", members: starlark.StringDict{"use": d["style.use"]}}
	delete(d, "style.use")
	add("clim", func(args starlark.Tuple, o *opts) (starlark.Value, error) {
		lo, hi := o.number(0, "vmin"), o.number(1, "vmax")
		if len(args) == 2 {
			v, err := values(args)
			if err != nil {
				return nil, err
			}
			lo, hi = v.V[0], v.V[1]
		}
		for k := range p.ax().Marks {
			if m := &p.ax().Marks[k]; m.Kind == figure.Image {
				m.Lo, m.Hi = lo, hi
			}
		}
		return starlark.None, o.end()
	})
	return p, d
}
