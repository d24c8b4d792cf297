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
		"xticklabels": tickLabels(false), "yticklabels": tickLabels(true), "xscale": scale(false), "yscale": scale(true), "aspect": aspect, "axis_off": axisOff, "axis_on": axisOn,
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
