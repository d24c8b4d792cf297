package script

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"synfire/engine/figure"
	"synfire/engine/script/array"
	"synfire/engine/script/memory"
)

// drawing is a word that draws on axes, or sets something of them.
type drawing func(p *pylab, a *figure.Axes, args starlark.Tuple, o *opts) (starlark.Value, error)

// drawings are those that pyplot and axes have under one name.
var drawings map[string]drawing

// settings are those whose name of axes begins with set_: plt.xlabel, ax.set_xlabel.
var settings map[string]drawing

func init() {
	drawings = map[string]drawing{
		"plot": plot, "semilogx": logged(true, false), "semilogy": logged(false, true), "loglog": logged(true, true), "step": steps, "stem": stem,
		"scatter": scatter, "hist": hist, "bar": bars(false), "barh": bars(true), "imshow": image, "matshow": image, "pcolor": mesh, "pcolormesh": mesh,
		"errorbar": errorbar, "fill_between": fillBetween, "fill": fill, "axhline": across(false), "axvline": across(true), "axhspan": band(false), "axvspan": band(true),
		"hlines": lines(false), "vlines": lines(true), "text": words, "annotate": annotate, "arrow": arrow, "legend": legend, "grid": grid, "axis": axis, "colorbar": colorbar, "eventplot": events,
	}
	settings = map[string]drawing{
		"xlabel": label(false), "ylabel": label(true), "title": title, "xlim": limit(false), "ylim": limit(true), "xticks": ticks(false), "yticks": ticks(true),
		"xticklabels": tickLabels(false), "yticklabels": tickLabels(true), "xscale": scale(false), "yscale": scale(true), "aspect": aspect, "axis_off": axisOff, "axis_on": axisOn, "prop_cycle": setPropCycle,
		"xbound": limit(false), "ybound": limit(true), "label": func(*pylab, *figure.Axes, starlark.Tuple, *opts) (starlark.Value, error) { return starlark.None, nil },
	}
}

// plot is plot([x], y, [format], ...).
func plot(p *pylab, a *figure.Axes, args starlark.Tuple, o *opts) (starlark.Value, error) {
	if v := o.take("scalex"); v != nil {
		o.take("scaley")
	}
	var all []figure.Mark
	for len(args) > 0 {
		n, form := 1, ""
		if len(args) > 1 {
			if _, text := args[1].(starlark.String); !text {
				n = 2
			}
		}
		if len(args) > n {
			if s, text := starlark.AsString(args[n]); text {
				form = s
			}
		}
		var x array.Operand
		y, err := values(args[n-1])
		if err != nil {
			return nil, err
		}
		if n == 2 {
			if x, err = values(args[0]); err != nil {
				return nil, err
			}
		}
		if args = args[n:]; form != "" || len(args) > 0 && args[0] == starlark.String("") {
			args = args[1:]
		}
		if y.Table && x.V != nil && !x.Table && y.Rows() != len(x.V) || !y.Table && !x.Table && x.V != nil && len(x.V) != len(y.V) || x.Table && y.Table && x.Rows() != y.Rows() {
			return nil, fmt.Errorf("x and y have different sizes: %s and %s", form2(x), form2(y))
		}
		cols := 1
		if y.Table {
			cols = y.Cols
		}
		if x.Table {
			cols = max(cols, x.Cols)
		}
		if len(all)+cols > maxMarks {
			return nil, fmt.Errorf("%d lines are too many for one diagram", cols)
		}
		given := o.left
		for k := range cols {
			o.left = cloneValues(given)
			m := figure.Mark{Kind: figure.Line, Y: slices.Clone(column(y, min(k, max(0, y.Cols-1))))}
			m.Style, m.Label = o.lineStyle(a, form)
			if k > 0 && len(all) > 0 && m.Label != "" {
				m.Label = ""
			}
			if x.V != nil {
				m.X = slices.Clone(column(x, min(k, max(0, x.Cols-1))))
			} else {
				m.X = make([]float64, len(m.Y))
				for i := range m.X {
					m.X[i] = float64(i)
				}
			}
			all = append(all, m)
		}
		if len(args) > 0 {
			o.left = given
		}
	}
	if err := o.end(); err != nil {
		return nil, err
	}
	from := len(a.Marks)
	if _, err := p.add(a, all...); err != nil {
		return nil, err
	}
	list := make([]starlark.Value, len(all))
	for k := range list {
		list[k] = &artist{p: p, a: a, from: from + k, to: from + k + 1}
	}
	return starlark.NewList(list), nil
}

func cloneValues(m map[string]starlark.Value) map[string]starlark.Value {
	r := make(map[string]starlark.Value, len(m))
	for k, v := range m {
		r[k] = v
	}
	return r
}

// form2 is the form of numbers for a message.
func form2(o array.Operand) string {
	if o.Table {
		return fmt.Sprintf("%d by %d", o.Rows(), o.Cols)
	}
	return fmt.Sprint(len(o.V))
}

func logged(x, y bool) drawing {
	return func(p *pylab, a *figure.Axes, args starlark.Tuple, o *opts) (starlark.Value, error) {
		a.X.Log, a.Y.Log = a.X.Log || x, a.Y.Log || y
		return plot(p, a, args, o)
	}
}

// steps is step(x, y): a line of stairs.
func steps(p *pylab, a *figure.Axes, args starlark.Tuple, o *opts) (starlark.Value, error) {
	where := o.text("where")
	r, err := plot(p, a, args, o)
	if err != nil {
		return nil, err
	}
	for _, h := range elementsOf(r.(*starlark.List)) {
		m := &a.Marks[h.(*artist).from]
		var x, y []float64
		for k := range m.X {
			if k > 0 {
				switch where {
				case "post":
					x, y = append(x, m.X[k]), append(y, m.Y[k-1])
				case "mid":
					mid := (m.X[k-1] + m.X[k]) / 2
					x, y = append(x, mid, mid), append(y, m.Y[k-1], m.Y[k])
				default:
					x, y = append(x, m.X[k-1]), append(y, m.Y[k])
				}
			}
			x, y = append(x, m.X[k]), append(y, m.Y[k])
		}
		m.X, m.Y = x, y
	}
	return r, nil
}

func stem(p *pylab, a *figure.Axes, args starlark.Tuple, o *opts) (starlark.Value, error) {
	r, err := plot(p, a, append(args[:len(args):len(args)], starlark.String("o")), o)
	if err != nil {
		return nil, err
	}
	m := a.Marks[elementsOf(r.(*starlark.List))[0].(*artist).from]
	s := figure.Mark{Kind: figure.Segments, X: m.X, X2: m.X, Y: make([]float64, len(m.Y)), Y2: m.Y, Style: m.Style}
	s.Dash, s.Marker = "-", ""
	return p.add(a, s)
}

// xy reads two lists of one size from the arguments.
func xy(fn string, args starlark.Tuple) (x, y array.Operand, err error) {
	if len(args) < 2 {
		return x, y, fmt.Errorf("%s() takes x and y", fn)
	}
	if x, err = values(args[0]); err != nil {
		return
	}
	if y, err = values(args[1]); err != nil {
		return
	}
	if len(x.V) != len(y.V) {
		err = fmt.Errorf("x and y have different sizes: %s and %s", form2(x), form2(y))
	}
	return
}

// spread gives n values of one or of n.
func spread(v []float64, n int, def float64) ([]float64, error) {
	switch len(v) {
	case n:
		return slices.Clone(v), nil
	case 0:
		v = []float64{def}
		fallthrough
	case 1:
		if err := memory.Room(n, 8); err != nil {
			return nil, err
		}
		return slices.Repeat(v[:1], n), nil
	}
	return nil, fmt.Errorf("%d values for %d", len(v), n)
}

func scatter(p *pylab, a *figure.Axes, args starlark.Tuple, o *opts) (starlark.Value, error) {
	args, o = named(args, o, "x", "y", "s", "c")
	x, y, err := xy("scatter", args)
	if err != nil {
		return nil, err
	}
	m := figure.Mark{Kind: figure.Line, X: slices.Clone(x.V), Y: slices.Clone(y.V), Lo: o.number(math.NaN(), "vmin"), Hi: o.number(math.NaN(), "vmax"), Map: o.cmap()}
	s, _ := values(o.take("s"))
	c := o.take("c")
	if len(args) > 2 {
		s, _ = values(args[2])
	}
	if len(args) > 3 {
		c = args[3]
	}
	if c != nil {
		if v, err := values(c); err == nil && len(v.V) == len(x.V) && len(v.V) > 0 && !v.Table {
			m.Z = slices.Clone(v.V)
		} else if list, ok := c.(starlark.Iterable); ok && err != nil {
			for e := range starlark.Elements(list) {
				one, err := color(e)
				if err != nil {
					return nil, err
				}
				m.Colors = append(m.Colors, one)
			}
			if len(m.Colors) != len(x.V) {
				return nil, fmt.Errorf("%d colours for %d points", len(m.Colors), len(x.V))
			}
		} else {
			o.left["color"] = c
		}
	}
	if v := o.take("edgecolors"); v != nil {
		o.left["mec"] = v
	}
	if v := o.take("facecolors"); v != nil {
		o.left["mfc"] = v
	}
	m.Style, m.Label = o.lineStyle(a, "o")
	m.Dash = ""
	if m.Sizes, err = spread(s.V, len(x.V), 36); err != nil {
		return nil, fmt.Errorf("s= %w", err)
	}
	for k, v := range m.Sizes {
		m.Sizes[k] = math.Sqrt(v) // an area
	}
	if err := o.end(); err != nil {
		return nil, err
	}
	return p.add(a, m)
}

// named moves arguments given by name into their places.
func named(args starlark.Tuple, o *opts, names ...string) (starlark.Tuple, *opts) {
	for k, n := range names {
		if k > 1 || k < len(args) {
			continue
		}
		v := o.take(n)
		if v == nil {
			break
		}
		args = append(args[:len(args):len(args)], v)
	}
	return args, o
}

func (o *opts) cmap() string {
	v := o.take("cmap")
	if v == nil {
		return "viridis"
	}
	name, ok := starlark.AsString(v)
	if m, is := v.(*colorMap); is {
		name, ok = m.name, true
	}
	if !ok || !figure.HasMap(name) {
		o.fail("cmap", "there is no colour map %s here", array.Describe(v))
	}
	return name
}

func hist(p *pylab, a *figure.Axes, args starlark.Tuple, o *opts) (starlark.Value, error) {
	args, o = named(args, o, "x")
	if len(args) < 1 || len(args) > 2 {
		return nil, fmt.Errorf("hist() takes values, and the bins")
	}
	bins := o.take("bins")
	if len(args) > 1 {
		bins = args[1]
	}
	span, density, weights := o.take("range"), o.truth(false, "density", "normed"), o.take("weights")
	kind, sideways, cumulative := o.text("histtype"), o.text("orientation") == "horizontal", o.truth(false, "cumulative")
	lists := []starlark.Value{args[0]}
	if _, err := values(args[0]); err != nil { // several lists
		if l, ok := args[0].(starlark.Sequence); ok {
			lists = slices.Collect(starlark.Elements(l))
		}
	}
	var w []float64
	if weights != nil {
		o, err := values(weights)
		if err != nil {
			return nil, err
		}
		w = o.V
	}
	var result starlark.Tuple
	given := o.left
	for k, l := range lists {
		v, err := values(l)
		if err != nil {
			return nil, err
		}
		counts, edges, err := histogram(v.V, bins, span, w, density)
		if err != nil {
			return nil, err
		}
		if cumulative {
			for k := 1; k < len(counts); k++ {
				counts[k] += counts[k-1]
			}
		}
		o.left = cloneValues(given)
		if _, list := o.left["label"].(*starlark.List); list {
			o.left["label"] = starlark.String(array.Plain(o.left["label"].(*starlark.List).Index(k)))
		}
		m := figure.Mark{Kind: figure.Bars, Sideways: sideways}
		edge := o.color(figure.RGBA{}, "ec", "edgecolor")
		if v := o.take("fc", "facecolor"); v != nil {
			o.left["color"] = v
		}
		m.Style, m.Label = o.lineStyle(a, "")
		m.Edge = edge
		if strings.HasPrefix(kind, "step") {
			m.Edge = m.Color
			if kind == "step" {
				m.Face = figure.RGBA{}
			}
		}
		for k, c := range counts {
			m.X, m.W, m.Y, m.Base = append(m.X, (edges[k]+edges[k+1])/2), append(m.W, edges[k+1]-edges[k]), append(m.Y, c), append(m.Base, 0)
		}
		if kind == "step" { // an outline
			m = figure.Mark{Kind: figure.Line, Style: m.Style, Label: m.Label}
			m.Dash, m.Marker = "-", ""
			m.X, m.Y = append(m.X, edges[0]), append(m.Y, 0)
			for k, c := range counts {
				m.X, m.Y = append(m.X, edges[k], edges[k+1]), append(m.Y, c, c)
			}
			m.X, m.Y = append(m.X, edges[len(edges)-1]), append(m.Y, 0)
		}
		if err := o.end(); err != nil {
			return nil, err
		}
		h, err := p.add(a, m)
		if err != nil {
			return nil, err
		}
		result = starlark.Tuple{floats(counts), floats(edges), h}
	}
	return result, nil
}

func bars(sideways bool) drawing {
	return func(p *pylab, a *figure.Axes, args starlark.Tuple, o *opts) (starlark.Value, error) {
		fn, along, up := "bar", "width", "bottom"
		if sideways {
			fn, along, up = "barh", "height", "left"
			args, o = named(args, o, "y", "width")
		} else {
			args, o = named(args, o, "x", "height")
		}
		if len(args) < 2 {
			return nil, fmt.Errorf("%s() takes places and heights", fn)
		}
		m := figure.Mark{Kind: figure.Bars, Sideways: sideways}
		y, err := values(args[1])
		if err != nil {
			return nil, err
		}
		x, err := values(args[0])
		var names []string
		if err != nil { // categories
			if l, ok := args[0].(starlark.Iterable); ok {
				x = array.Operand{}
				for e := range starlark.Elements(l) {
					x.V, names = append(x.V, float64(len(names))), append(names, array.Plain(e))
				}
			} else {
				return nil, err
			}
		}
		width, err := values(o.take(along))
		if err != nil {
			return nil, err
		}
		base, err := values(o.take(up))
		if err != nil {
			return nil, err
		}
		if len(args) > 2 {
			if width, err = values(args[2]); err != nil {
				return nil, err
			}
		}
		if len(args) > 3 {
			if base, err = values(args[3]); err != nil {
				return nil, err
			}
		}
		n := max(len(x.V), len(y.V))
		for _, l := range []struct {
			to  *[]float64
			v   []float64
			def float64
		}{{&m.X, x.V, 0}, {&m.Y, y.V, 0}, {&m.W, width.V, 0.8}, {&m.Base, base.V, 0}} {
			if *l.to, err = spread(l.v, n, l.def); err != nil {
				return nil, err
			}
		}
		if o.text("align") == "edge" {
			for k := range m.X {
				m.X[k] += m.W[k] / 2
			}
		}
		edge := o.color(figure.RGBA{}, "ec", "edgecolor")
		xerr, yerr := o.take("xerr"), o.take("yerr")
		if list, ok := o.left["color"].(*starlark.List); ok && list.Len() == n && n > 0 {
			for e := range starlark.Elements(list) {
				c, err := color(e)
				if err != nil {
					return nil, err
				}
				m.Colors = append(m.Colors, c)
			}
			o.take("color")
		}
		m.Style, m.Label = o.lineStyleOf(a, m.Colors)
		m.Edge = edge
		if err := o.end(); err != nil {
			return nil, err
		}
		if names != nil {
			at := &a.X
			if sideways {
				at = &a.Y
			}
			at.Ticks, at.Labels, at.Fixed = m.X, names, true
		}
		h, err := p.add(a, m)
		if err != nil || xerr == nil && yerr == nil {
			return h, err
		}
		e := newOpts("errorbar", nil)
		for n, v := range map[string]starlark.Value{"xerr": xerr, "yerr": yerr} {
			if v != nil {
				e.left[n] = v
			}
		}
		e.left["color"], e.left["ls"] = starlark.String("k"), starlark.String("None")
		top := make([]float64, n)
		for k := range top {
			top[k] = m.Base[k] + m.Y[k]
		}
		ends := starlark.Tuple{floats(m.X), floats(top)}
		if sideways {
			ends[0], ends[1] = ends[1], ends[0]
		}
		_, err = errorbar(p, a, ends, e)
		return h, err
	}
}

// lineStyleOf is lineStyle where each mark may have its own colour.
func (o *opts) lineStyleOf(a *figure.Axes, colors []figure.RGBA) (figure.Style, string) {
	s, l := o.lineStyle(a, "")
	s.Colors = colors
	return s, l
}

func image(p *pylab, a *figure.Axes, args starlark.Tuple, o *opts) (starlark.Value, error) {
	if len(args) != 1 {
		return nil, fmt.Errorf("imshow() takes a table of values")
	}
	z, err := values(args[0])
	if err != nil {
		return nil, err
	}
	if !z.Table || z.Cols == 0 {
		return nil, fmt.Errorf("imshow() takes a table of values, not %s", array.Describe(args[0]))
	}
	rows, cols := z.Rows(), z.Cols
	m := figure.Mark{Kind: figure.Image, Z: slices.Clone(z.V), Rows: rows, Cols: cols, Lo: o.number(math.NaN(), "vmin"), Hi: o.number(math.NaN(), "vmax"), Map: o.cmap()}
	upper := o.text("origin") != "lower"
	m.X, m.Y = []float64{-0.5, float64(cols) - 0.5}, []float64{-0.5, float64(rows) - 0.5}
	if upper {
		m.Y[0], m.Y[1] = m.Y[1], m.Y[0]
	}
	if v := o.take("extent"); v != nil {
		e, err := values(v)
		if err != nil || len(e.V) != 4 {
			return nil, fmt.Errorf("extent= is left, right, bottom, top")
		}
		m.X, m.Y = []float64{e.V[0], e.V[1]}, []float64{e.V[2], e.V[3]}
	}
	// Rows are kept from the bottom upwards: Y[0] is where the first one begins.
	if upper {
		flipRows(&m)
	}
	switch v := o.take("aspect"); {
	case v == nil || v == starlark.String("equal"):
		a.Equal = true
	}
	if m.Y[0] > m.Y[1] { // the axis runs downwards
		m.Y[0], m.Y[1] = m.Y[1], m.Y[0]
		flipRows(&m)
		a.Y.Inverted = true
	}
	if s := o.text("interpolation"); s != "" && s != "nearest" && s != "none" && s != "None" && s != "antialiased" && s != "auto" {
		m.Smooth = true
	}
	m.Alpha, m.Label = o.number(1, "alpha"), o.label()
	o.take("norm", "fignum")
	if err := o.end(); err != nil {
		return nil, err
	}
	return p.add(a, m)
}

func flipRows(m *figure.Mark) {
	for k := range m.Rows / 2 {
		for j := range m.Cols {
			x, y := k*m.Cols+j, (m.Rows-1-k)*m.Cols+j
			m.Z[x], m.Z[y] = m.Z[y], m.Z[x]
		}
	}
}

// mesh is pcolor([x, y,] z).
func mesh(p *pylab, a *figure.Axes, args starlark.Tuple, o *opts) (starlark.Value, error) {
	if len(args) != 1 && len(args) != 3 {
		return nil, fmt.Errorf("%s() takes a table of values, or x, y and the table", o.fn)
	}
	z, err := values(args[len(args)-1])
	if err != nil || !z.Table || z.Cols == 0 {
		return nil, fmt.Errorf("%s() takes a table of values, not %s", o.fn, array.Describe(args[len(args)-1]))
	}
	m := figure.Mark{Kind: figure.Image, Z: slices.Clone(z.V), Rows: z.Rows(), Cols: z.Cols, Lo: o.number(math.NaN(), "vmin"), Hi: o.number(math.NaN(), "vmax"), Map: o.cmap(), X: []float64{0, float64(z.Cols)}, Y: []float64{0, float64(z.Rows())}}
	if len(args) == 3 {
		for k, to := range []*[]float64{&m.X, &m.Y} {
			v, err := values(args[k])
			if err != nil {
				return nil, err
			}
			at, n := v.V, []int{m.Cols, m.Rows}[k]
			if v.Table && k == 0 {
				at = v.V[:v.Cols]
			} else if v.Table {
				at = column(v, 0)
			}
			if *to, err = ends(at, n); err != nil {
				return nil, err
			}
		}
	}
	m.Alpha, m.Label = o.number(1, "alpha"), o.label()
	o.take("norm", "edgecolors", "shading", "lw", "linewidth")
	if err := o.end(); err != nil {
		return nil, err
	}
	return p.add(a, m)
}

// ends are the first and the last edge of n cells, whose edges or centres are given.
func ends(at []float64, n int) ([]float64, error) {
	if len(at) != n && len(at) != n+1 || len(at) < 2 {
		return nil, fmt.Errorf("%d places for %d cells", len(at), n)
	}
	step := (at[len(at)-1] - at[0]) / float64(len(at)-1)
	for k := range at {
		if math.Abs(at[k]-at[0]-float64(float64(k)*step)) > 1e-3*math.Abs(step) {
			return nil, withHint(elsewherePictures, "the cells are not evenly spaced")
		}
	}
	if len(at) == n {
		return []float64{at[0] - step/2, at[n-1] + step/2}, nil
	}
	return []float64{at[0], at[n]}, nil
}
