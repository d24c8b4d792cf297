package script

import (
	"fmt"
	"slices"

	"go.starlark.net/starlark"

	"synfire/engine/figure"
	"synfire/engine/script/array"
)

// Here stand the words of pylab that draw areas, lines across the axes, strokes and texts.

func errorbar(p *pylab, a *figure.Axes, args starlark.Tuple, o *opts) (starlark.Value, error) {
	args, o = named(args, o, "x", "y")
	x, y, err := xy("errorbar", args)
	if err != nil {
		return nil, err
	}
	yerr, xerr, form := o.take("yerr"), o.take("xerr"), o.text("fmt")
	for k, v := range args[2:] {
		switch k {
		case 0:
			yerr = v
		case 1:
			xerr = v
		case 2:
			form, _ = starlark.AsString(v)
		}
	}
	n := len(x.V)
	m := figure.Mark{Kind: figure.Errors, X: slices.Clone(x.V), Y: slices.Clone(y.V)}
	read := func(v starlark.Value) (low, high []float64, err error) {
		e, err := values(v)
		if err != nil {
			return nil, nil, err
		}
		if e.Table && e.Rows() == 2 && e.Cols == n {
			return slices.Clone(e.V[:n]), slices.Clone(e.V[n:]), nil
		}
		low, err = spread(e.V, n, 0)
		return low, low, err
	}
	if m.YLow, m.YHigh, err = read(yerr); err != nil {
		return nil, fmt.Errorf("yerr= %w", err)
	}
	if m.XLow, m.XHigh, err = read(xerr); err != nil {
		return nil, fmt.Errorf("xerr= %w", err)
	}
	none := form == "none" || form == "None"
	if none {
		form = ""
	}
	bar := o.color(figure.RGBA{}, "ecolor")
	s, l := o.lineStyle(a, form)
	m.Style = s
	if bar.A > 0 {
		m.Color = bar
	}
	if err := o.end(); err != nil {
		return nil, err
	}
	line := figure.Mark{Kind: figure.Line, X: m.X, Y: m.Y, Style: s, Label: l}
	if none {
		return p.add(a, m)
	}
	return p.add(a, m, line)
}

func fillBetween(p *pylab, a *figure.Axes, args starlark.Tuple, o *opts) (starlark.Value, error) {
	args, o = named(args, o, "x", "y1")
	x, y, err := xy2("fill_between", args)
	if err != nil {
		return nil, err
	}
	second := o.take("y2")
	if len(args) > 2 {
		second = args[2]
	}
	y2, err := values(second)
	if err != nil {
		return nil, err
	}
	n := len(x.V)
	m := figure.Mark{Kind: figure.Fill, X: slices.Clone(x.V)}
	if m.Y, err = spread(y.V, n, 0); err != nil {
		return nil, err
	}
	if m.Y2, err = spread(y2.V, n, 0); err != nil {
		return nil, err
	}
	if v := o.take("where"); v != nil {
		w, err := values(v)
		if err != nil || len(w.V) != n {
			return nil, fmt.Errorf("where= takes a truth value for each x")
		}
		for _, t := range w.V {
			m.Blank = append(m.Blank, t == 0)
		}
	}
	o.take("interpolate", "step")
	if v := o.take("facecolor", "fc", "facecolors"); v != nil {
		o.left["color"] = v
	}
	edge := o.color(figure.RGBA{}, "ec", "edgecolor", "edgecolors")
	m.Style, m.Label = o.lineStyle(a, "")
	m.Edge = edge
	if err := o.end(); err != nil {
		return nil, err
	}
	return p.add(a, m)
}

// xy2 is xy where y may be one number.
func xy2(fn string, args starlark.Tuple) (x, y array.Operand, err error) {
	if len(args) < 2 {
		return x, y, fmt.Errorf("%s() takes x and y", fn)
	}
	if x, err = values(args[0]); err == nil {
		y, err = values(args[1])
	}
	return
}

func fill(p *pylab, a *figure.Axes, args starlark.Tuple, o *opts) (starlark.Value, error) {
	x, y, err := xy("fill", args)
	if err != nil {
		return nil, err
	}
	form := ""
	if len(args) > 2 {
		form, _ = starlark.AsString(args[2])
	}
	m := figure.Mark{Kind: figure.Area, X: slices.Clone(x.V), Y: slices.Clone(y.V)}
	m.Style, m.Label = o.lineStyle(a, form)
	if err := o.end(); err != nil {
		return nil, err
	}
	return p.add(a, m)
}

// across is axhline(y) or axvline(x).
func across(upright bool) drawing {
	return func(p *pylab, a *figure.Axes, args starlark.Tuple, o *opts) (starlark.Value, error) {
		at, name := 0.0, "y"
		if upright {
			name = "x"
		}
		if v := o.take(name); v != nil {
			args = append(starlark.Tuple{v}, args...)
		}
		if len(args) > 0 {
			v, err := values(args[0])
			if err != nil || len(v.V) != 1 {
				return nil, fmt.Errorf("%s() takes one number, not %s", o.fn, array.Describe(args[0]))
			}
			at = v.V[0]
		}
		m := figure.Mark{Kind: figure.Across, Across: upright, Lo: o.number(0, "xmin", "ymin"), Hi: o.number(1, "xmax", "ymax")}
		if len(args) > 2 {
			lo, _ := values(args[1])
			hi, _ := values(args[2])
			if len(lo.V) == 1 && len(hi.V) == 1 {
				m.Lo, m.Hi = lo.V[0], hi.V[0]
			}
		}
		if upright {
			m.X = []float64{at}
		} else {
			m.Y = []float64{at}
		}
		m.Style, m.Label = o.lineStyle(a, "")
		if err := o.end(); err != nil {
			return nil, err
		}
		return p.add(a, m)
	}
}

// band is axhspan(lo, hi) or axvspan(lo, hi).
func band(upright bool) drawing {
	return func(p *pylab, a *figure.Axes, args starlark.Tuple, o *opts) (starlark.Value, error) {
		names := [2]string{"ymin", "ymax"}
		if upright {
			names = [2]string{"xmin", "xmax"}
		}
		args, o = named(args, o, names[0], names[1])
		lo, hi, err := xy(o.fn, args)
		if err != nil || len(lo.V) != 1 {
			return nil, fmt.Errorf("%s() takes two numbers", o.fn)
		}
		m := figure.Mark{Kind: figure.Band, Across: upright}
		if both := []float64{lo.V[0], hi.V[0]}; upright {
			m.X = both
		} else {
			m.Y = both
		}
		edge := o.color(figure.RGBA{}, "ec", "edgecolor")
		if v := o.take("facecolor", "fc"); v != nil {
			o.left["color"] = v
		}
		m.Style, m.Label = o.lineStyle(a, "")
		m.Edge = edge
		if err := o.end(); err != nil {
			return nil, err
		}
		return p.add(a, m)
	}
}

// lines is vlines(x, lo, hi) or hlines(y, lo, hi).
func lines(upright bool) drawing {
	return func(p *pylab, a *figure.Axes, args starlark.Tuple, o *opts) (starlark.Value, error) {
		names := []string{"y", "xmin", "xmax"}
		if upright {
			names = []string{"x", "ymin", "ymax"}
		}
		for k := len(args); k < 3; k++ {
			v := o.take(names[k])
			if v == nil {
				return nil, fmt.Errorf("%s() takes places, and where the lines begin and end", o.fn)
			}
			args = append(args[:len(args):len(args)], v)
		}
		var part [3][]float64
		for k := range part {
			v, err := values(args[k])
			if err != nil {
				return nil, err
			}
			part[k] = v.V
		}
		if len(args) > 3 {
			o.left["color"] = args[3]
		}
		n := len(part[0])
		for k := range part {
			var err error
			if part[k], err = spread(part[k], n, 0); err != nil {
				return nil, err
			}
		}
		m := figure.Mark{Kind: figure.Segments, X: part[0], X2: part[0], Y: part[1], Y2: part[2]}
		if !upright {
			m.X, m.X2, m.Y, m.Y2 = part[1], part[2], part[0], part[0]
		}
		if v := o.take("colors"); v != nil {
			o.left["color"] = v
		}
		m.Style, m.Label = o.lineStyle(a, "")
		if err := o.end(); err != nil {
			return nil, err
		}
		return p.add(a, m)
	}
}

// events is eventplot(lists): a row of ticks for each list.
func events(p *pylab, a *figure.Axes, args starlark.Tuple, o *opts) (starlark.Value, error) {
	if len(args) == 0 {
		return nil, fmt.Errorf("eventplot() takes lists of times")
	}
	offsets, length := o.take("lineoffsets"), o.number(1, "linelengths")
	rows := []starlark.Value{args[0]}
	if l, ok := args[0].(starlark.Sequence); ok {
		if o, _, err := array.OperandOf(args[0]); err != nil || o.Table || o.V == nil {
			rows = slices.Collect(starlark.Elements(l))
		}
	}
	at, err := values(offsets)
	if err != nil {
		return nil, err
	}
	if v := o.take("colors"); v != nil {
		o.left["color"] = v
	}
	m := figure.Mark{Kind: figure.Segments}
	for k, r := range rows {
		v, err := values(r)
		if err != nil {
			return nil, err
		}
		y := float64(k)
		if k < len(at.V) {
			y = at.V[k]
		}
		for _, t := range v.V {
			m.X, m.X2, m.Y, m.Y2 = append(m.X, t), append(m.X2, t), append(m.Y, y-length/2), append(m.Y2, y+length/2)
		}
	}
	m.Style, m.Label = o.lineStyle(a, "")
	if err := o.end(); err != nil {
		return nil, err
	}
	return p.add(a, m)
}

// textStyle reads what all texts share.
func (o *opts) textStyle() figure.Style {
	s := figure.Style{Color: figure.RGBA{A: 1}, Alpha: 1, HAlign: "left", VAlign: "baseline", Font: o.fontSize(10)}
	s.Color = o.color(s.Color, "color", "c")
	if v := o.text("ha", "horizontalalignment"); v != "" {
		s.HAlign = v
	}
	if v := o.text("va", "verticalalignment"); v != "" {
		s.VAlign = v
	}
	if v := o.take("weight", "fontweight"); v != nil {
		s.Bold = v == starlark.String("bold")
	}
	if v := o.take("rotation"); v != nil {
		if t, ok := starlark.AsString(v); ok {
			s.Rotated = map[string]float64{"vertical": 90}[t]
		} else {
			o.left["rotation"] = v
			s.Rotated = o.number(0, "rotation")
		}
	}
	s.Backdrop = o.take("backgroundcolor", "bbox") != nil
	s.Alpha = o.number(1, "alpha")
	return s
}

func words(p *pylab, a *figure.Axes, args starlark.Tuple, o *opts) (starlark.Value, error) {
	for k := len(args); k < 3; k++ {
		v := o.take([]string{"x", "y", "s"}[k])
		if v == nil {
			return nil, fmt.Errorf("text() takes x, y and the text")
		}
		args = append(args[:len(args):len(args)], v)
	}
	x, y, err := xy("text", args)
	if err != nil || len(x.V) != 1 {
		return nil, fmt.Errorf("text() takes x, y and the text")
	}
	if x.V[0]-x.V[0] != 0 || y.V[0]-y.V[0] != 0 {
		return nil, fmt.Errorf("text() at %g, %g", x.V[0], y.V[0])
	}
	m := figure.Mark{Kind: figure.Text, X: x.V, Y: y.V, Words: array.Plain(args[2])}
	if v, ok := o.take("transform").(*transform); ok {
		m.Relative = v.relative
	}
	m.Style = o.textStyle()
	if err := o.end(); err != nil {
		return nil, err
	}
	return p.add(a, m)
}

func annotate(p *pylab, a *figure.Axes, args starlark.Tuple, o *opts) (starlark.Value, error) {
	text := o.take("text", "s")
	if len(args) > 0 {
		text, args = args[0], args[1:]
	}
	at := o.take("xy")
	if len(args) > 0 {
		at, args = args[0], args[1:]
	}
	from := o.take("xytext")
	if len(args) > 0 {
		from = args[0]
	}
	to, err := values(at)
	if err != nil || len(to.V) != 2 || text == nil {
		return nil, fmt.Errorf("annotate() takes a text and xy=, the place that it is about")
	}
	where := to
	offset := o.text("textcoords")
	if from != nil {
		if where, err = values(from); err != nil || len(where.V) != 2 {
			return nil, fmt.Errorf("xytext= is a place: x and y")
		}
	}
	m := figure.Mark{Kind: figure.Text, X: []float64{where.V[0]}, Y: []float64{where.V[1]}, Words: array.Plain(text), Relative: o.text("xycoords") == "axes fraction"}
	if offset != "" && offset != "data" { // some points beside it
		m.X, m.Y = to.V[:1], to.V[1:]
	}
	arrows := o.take("arrowprops")
	m.Style = o.textStyle()
	if err := o.end(); err != nil {
		return nil, err
	}
	if arrows != nil && from != nil && offset == "" {
		arrow := figure.Mark{Kind: figure.Arrow, X: []float64{where.V[0], to.V[0]}, Y: []float64{where.V[1], to.V[1]}, Style: m.Style}
		arrow.Width = 1
		return p.add(a, arrow, m)
	}
	return p.add(a, m)
}

func arrow(p *pylab, a *figure.Axes, args starlark.Tuple, o *opts) (starlark.Value, error) {
	if len(args) != 4 {
		return nil, fmt.Errorf("arrow() takes x, y, dx and dy")
	}
	var v [4]float64
	for k := range v {
		n, err := values(args[k])
		if err != nil || len(n.V) != 1 {
			return nil, fmt.Errorf("arrow() takes x, y, dx and dy")
		}
		v[k] = n.V[0]
	}
	o.take("head_width", "head_length", "length_includes_head", "shape", "overhang", "head_starts_at_zero")
	if c := o.take("fc", "facecolor", "ec", "edgecolor"); c != nil {
		o.left["color"] = c
	}
	m := figure.Mark{Kind: figure.Arrow, X: []float64{v[0], v[0] + v[2]}, Y: []float64{v[1], v[1] + v[3]}}
	m.Style, m.Label = o.lineStyle(a, "")
	if err := o.end(); err != nil {
		return nil, err
	}
	return p.add(a, m)
}
