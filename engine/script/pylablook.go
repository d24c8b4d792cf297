package script

import (
	"fmt"
	"slices"

	"go.starlark.net/starlark"

	"synfire/engine/figure"
	"synfire/engine/script/array"
)

// Here stand the words of pylab that set how axes look: limits, numbers, texts, scales, legend and colour bar.

func legend(p *pylab, a *figure.Axes, args starlark.Tuple, o *opts) (starlark.Value, error) {
	handles, labels := o.take("handles"), o.take("labels")
	switch {
	case len(args) == 2:
		handles, labels = args[0], args[1]
	case len(args) == 1:
		labels = args[0]
	}
	a.Legend = true
	if v := o.take("loc"); v != nil {
		a.LegendAt, _ = starlark.AsString(v)
		if n, err := array.ToInt(v); err == nil {
			at := []string{"best", "upper right", "upper left", "lower left", "lower right", "right", "center left", "center right", "lower center", "upper center", "center"}
			if n < 0 || n >= len(at) {
				return nil, fmt.Errorf("loc= is a place such as 'upper right', or a number up to 10")
			}
			a.LegendAt = at[n]
		}
	}
	o.fontSize(10)
	o.take("title")
	if err := o.end(); err != nil {
		return nil, err
	}
	if labels == nil {
		return starlark.None, nil
	}
	list, ok := labels.(starlark.Iterable)
	if !ok {
		return nil, fmt.Errorf("legend() takes a list of texts, not %s", array.Describe(labels))
	}
	var at []int
	if hs, ok := handles.(starlark.Iterable); ok {
		for h := range starlark.Elements(hs) {
			if l, ok := h.(*starlark.List); ok && l.Len() > 0 {
				h = l.Index(0)
			}
			if h, ok := h.(*artist); ok && h.a == a {
				at = append(at, h.to-1)
			}
		}
	} else {
		for k, m := range a.Marks {
			if m.Kind == figure.Line || m.Kind == figure.Bars {
				at = append(at, k)
			}
		}
	}
	for k := range a.Marks {
		a.Marks[k].Label = ""
	}
	k := 0
	for l := range starlark.Elements(list) {
		if k < len(at) {
			a.Marks[at[k]].Label = array.Plain(l)
		}
		k++
	}
	return starlark.None, nil
}

func grid(_ *pylab, a *figure.Axes, args starlark.Tuple, o *opts) (starlark.Value, error) {
	on := o.truth(true, "visible", "b")
	if len(args) > 0 {
		on = bool(args[0].Truth())
	}
	a.Grid = on
	o.take("axis", "color", "c", "linestyle", "ls", "linewidth", "lw", "alpha")
	return starlark.None, o.end()
}

func axis(_ *pylab, a *figure.Axes, args starlark.Tuple, o *opts) (starlark.Value, error) {
	if len(args) == 0 {
		x, y := a.Limits()
		return starlark.Tuple{starlark.Float(x[0]), starlark.Float(x[1]), starlark.Float(y[0]), starlark.Float(y[1])}, o.end()
	}
	if s, ok := starlark.AsString(args[0]); ok {
		switch s {
		case "off":
			a.Hidden = true
		case "on":
			a.Hidden = false
		case "equal", "scaled", "square", "image":
			a.Equal = true
		case "tight", "auto":
		default:
			return nil, fmt.Errorf("axis() takes 'off', 'on', 'equal', 'tight' or four limits, not '%s'", s)
		}
		return starlark.None, o.end()
	}
	v, err := values(args[0])
	if err != nil || len(v.V) != 4 {
		return nil, fmt.Errorf("axis() takes 'off', 'on', 'equal', 'tight' or four limits")
	}
	a.X.Lo, a.X.Hi, a.Y.Lo, a.Y.Hi = v.V[0], v.V[1], v.V[2], v.V[3]
	return starlark.None, o.end()
}

func axisOff(_ *pylab, a *figure.Axes, _ starlark.Tuple, o *opts) (starlark.Value, error) {
	a.Hidden = true
	return starlark.None, o.end()
}

func axisOn(_ *pylab, a *figure.Axes, _ starlark.Tuple, o *opts) (starlark.Value, error) {
	a.Hidden = false
	return starlark.None, o.end()
}

func colorbar(p *pylab, a *figure.Axes, args starlark.Tuple, o *opts) (starlark.Value, error) {
	h, _ := o.take("mappable").(*artist)
	if len(args) > 0 {
		h, _ = args[0].(*artist)
	}
	if v, ok := o.take("ax").(*axesValue); ok {
		a = v.a
	} else if h != nil {
		a = h.a
	}
	a.Colorbar = true
	if l := o.label(); l != "" {
		a.ColorbarLabel = l
	}
	o.take("format", "ticks", "location", "orientation", "aspect")
	if err := o.end(); err != nil {
		return nil, err
	}
	for k := range a.Marks {
		if a.Marks[k].Kind == figure.Image {
			return &artist{p: p, a: a, from: k, to: k + 1}, nil
		}
	}
	return &artist{p: p, a: a}, nil
}

func axisOf(a *figure.Axes, upright bool) *figure.Axis {
	if upright {
		return &a.Y
	}
	return &a.X
}

func label(upright bool) drawing {
	return func(_ *pylab, a *figure.Axes, args starlark.Tuple, o *opts) (starlark.Value, error) {
		args, o = named(args, o, "label")
		if v := o.take("xlabel", "ylabel"); v != nil {
			args = append(args, v)
		}
		if len(args) < 1 {
			return nil, fmt.Errorf("%s() takes the text", o.fn)
		}
		axisOf(a, upright).Label = array.Plain(args[0])
		o.textStyle()
		o.take("loc")
		return starlark.None, o.end()
	}
}

func title(_ *pylab, a *figure.Axes, args starlark.Tuple, o *opts) (starlark.Value, error) {
	args, o = named(args, o, "label")
	if len(args) < 1 {
		return nil, fmt.Errorf("title() takes the text")
	}
	a.Title = array.Plain(args[0])
	o.textStyle()
	o.take("loc", "fontdict")
	return starlark.None, o.end()
}

func limit(upright bool) drawing {
	return func(p *pylab, a *figure.Axes, args starlark.Tuple, o *opts) (starlark.Value, error) {
		x := axisOf(a, upright)
		lo, hi := o.take("left", "bottom", "xmin", "ymin"), o.take("right", "top", "xmax", "ymax")
		set := lo != nil || hi != nil || len(args) > 0
		if len(args) > 0 {
			v, err := values(args[0])
			switch {
			case err == nil && len(v.V) == 2 && !v.One:
				args = nil
				x.Lo, x.Hi = v.V[0], v.V[1]
			case args[0] != starlark.None:
				lo = args[0]
			}
			if len(args) > 1 && args[1] != starlark.None {
				hi = args[1]
			}
		}
		for _, b := range []struct {
			v  starlark.Value
			to *float64
		}{{lo, &x.Lo}, {hi, &x.Hi}} {
			if b.v == nil {
				continue
			}
			n, err := values(b.v)
			if err != nil || len(n.V) != 1 || n.V[0]-n.V[0] != 0 {
				return nil, fmt.Errorf("a limit is a number, not %s", array.Describe(b.v))
			}
			*b.to = n.V[0]
		}
		if err := o.end(); err != nil {
			return nil, err
		}
		if set && x.Lo > x.Hi { // given from right to left
			x.Lo, x.Hi, x.Inverted = x.Hi, x.Lo, true
		} else if set && x.Lo < x.Hi {
			x.Inverted = false
		}
		a1, b1 := bounds(a, upright)
		return starlark.Tuple{starlark.Float(a1), starlark.Float(b1)}, nil
	}
}

func ticks(upright bool) drawing {
	return func(_ *pylab, a *figure.Axes, args starlark.Tuple, o *opts) (starlark.Value, error) {
		x := axisOf(a, upright)
		args, o = named(args, o, "ticks")
		labels := o.take("labels")
		if len(args) > 1 {
			labels = args[1]
		}
		if len(args) > 0 {
			v, err := values(args[0])
			if err != nil {
				return nil, err
			}
			x.Ticks, x.Fixed, x.Labels = slices.Clone(v.V), true, nil
		}
		o.textStyle()
		if err := o.end(); err != nil {
			return nil, err
		}
		if labels != nil {
			return named2(x, labels)
		}
		return starlark.Tuple{floats(slices.Clone(x.Ticks)), starlark.NewList(nil)}, nil
	}
}

// named2 gives the ticks of an axis their labels.
func named2(x *figure.Axis, labels starlark.Value) (starlark.Value, error) {
	l, ok := labels.(starlark.Iterable)
	if !ok {
		return nil, fmt.Errorf("labels of ticks are a list of texts, not %s", array.Describe(labels))
	}
	x.Labels = []string{}
	for e := range starlark.Elements(l) {
		x.Labels = append(x.Labels, array.Plain(e))
	}
	x.Unnamed = len(x.Labels) == 0
	return starlark.None, nil
}

func tickLabels(upright bool) drawing {
	return func(_ *pylab, a *figure.Axes, args starlark.Tuple, o *opts) (starlark.Value, error) {
		args, o = named(args, o, "labels")
		o.textStyle()
		if err := o.end(); err != nil {
			return nil, err
		}
		if len(args) < 1 {
			return nil, fmt.Errorf("%s() takes the texts", o.fn)
		}
		return named2(axisOf(a, upright), args[0])
	}
}

func scale(upright bool) drawing {
	return func(_ *pylab, a *figure.Axes, args starlark.Tuple, o *opts) (starlark.Value, error) {
		name := ""
		if len(args) > 0 {
			name, _ = starlark.AsString(args[0])
		}
		switch name {
		case "linear", "log":
			axisOf(a, upright).Log = name == "log"
		default:
			return nil, fmt.Errorf("a scale is 'linear' or 'log' here")
		}
		o.take("base", "subs", "nonpositive")
		return starlark.None, o.end()
	}
}

func aspect(_ *pylab, a *figure.Axes, args starlark.Tuple, o *opts) (starlark.Value, error) {
	if len(args) > 0 {
		a.Equal = args[0] == starlark.String("equal")
	}
	o.take("adjustable", "anchor", "share")
	return starlark.None, o.end()
}
