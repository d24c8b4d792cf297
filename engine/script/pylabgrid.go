package script

import (
	"fmt"

	"go.starlark.net/starlark"

	"synfire/engine/figure"
	"synfire/engine/script/array"
)

// Here stand figures and the grids of axes in them.

// sizeOf reads width and height; nil where there are none.
func sizeOf(v starlark.Value) []float64 {
	o, ok, err := array.OperandOf(v)
	if err != nil || !ok {
		return nil
	}
	return o.V
}

// newFigureOf is figure(number, figsize=).
func (p *pylab) newFigureOf(args starlark.Tuple, o *opts) (starlark.Value, error) {
	size := o.take("figsize")
	num := o.take("num")
	if len(args) > 0 {
		num = args[0]
	}
	if len(args) > 1 {
		size = args[1]
	}
	o.take("dpi", "layout", "constrained_layout", "tight_layout", "clear")
	if err := o.end(); err != nil {
		return nil, err
	}
	number := 0
	if num != nil {
		if n, err := array.ToInt(num); err == nil {
			number = n
		} else if _, text := num.(starlark.String); !text && num != starlark.None {
			return nil, fmt.Errorf("a figure has a number or a name, not %s", array.Describe(num))
		}
	}
	for _, f := range p.open {
		if number > 0 && f.Number == number {
			p.current = f
			return &figureValue{p: p, f: f}, nil
		}
		if number == 0 {
			continue
		}
	}
	if len(p.open) >= maxFigures {
		return nil, fmt.Errorf("more than %d figures are open: show() or close() them", maxFigures)
	}
	if number == 0 {
		number = 1
		for _, f := range p.open {
			number = max(number, f.Number+1)
		}
	}
	f := p.newFigure(number)
	p.current = f
	if size != nil {
		if err := f.Resize(sizeOf(size)); err != nil {
			return nil, err
		}
	}
	return &figureValue{p: p, f: f}, nil
}

// subplot is subplot(211), subplot(2, 1, 1), subplot(gs[0, :]).
func (p *pylab) subplot(f *figure.Figure, args starlark.Tuple, o *opts) (starlark.Value, error) {
	shareX, shareY := o.take("sharex"), o.take("sharey")
	label := o.left["xlabel"]
	delete(o.left, "xlabel")
	if v := o.take("projection"); v != nil || o.truth(false, "polar") {
		return nil, withHint(elsewherePictures, "there are no projections of axes here")
	}
	o.take("facecolor", "title", "autoscale_on")
	if err := o.end(); err != nil {
		return nil, err
	}
	place := figure.Place{Rows: 1, Cols: 1, Row1: 1, Col1: 1}
	var last starlark.Value
	switch len(args) {
	case 0:
	case 1:
		switch v := args[0].(type) {
		case *gridCell:
			place = v.place
		case *axesValue:
			p.axes[f] = v.a
			return v, nil
		default:
			n, err := array.ToInt(v)
			if err != nil || n < 111 || n > 999 {
				return nil, fmt.Errorf("subplot() takes rows, columns and a number, or all as one number such as 211, not %s", array.Describe(v))
			}
			place.Rows, place.Cols, last = n/100, n/10%10, starlark.MakeInt(n%10)
		}
	case 3:
		r, err := array.ToInt(args[0])
		c, err2 := array.ToInt(args[1])
		if err != nil || err2 != nil {
			return nil, fmt.Errorf("subplot() takes rows, columns and a number")
		}
		place.Rows, place.Cols, last = r, c, args[2]
	default:
		return nil, fmt.Errorf("subplot() takes rows, columns and a number")
	}
	if place.Rows < 1 || place.Cols < 1 || place.Rows > 100 || place.Cols > 100 {
		return nil, fmt.Errorf("subplot() of %d rows and %d columns is not possible", place.Rows, place.Cols)
	}
	if last != nil {
		cells, err := array.ToInts(last)
		if err != nil || len(cells) == 0 {
			return nil, fmt.Errorf("the number of a subplot %v", err)
		}
		for k, n := range cells {
			if n < 1 || n > place.Rows*place.Cols {
				return nil, fmt.Errorf("there is no subplot %d of %d by %d", n, place.Rows, place.Cols)
			}
			row, col := (n-1)/place.Cols, (n-1)%place.Cols
			if k == 0 {
				place.Row0, place.Row1, place.Col0, place.Col1 = row, row+1, col, col+1
			} else {
				place.Row0, place.Row1 = min(place.Row0, row), max(place.Row1, row+1)
				place.Col0, place.Col1 = min(place.Col0, col), max(place.Col1, col+1)
			}
		}
	}
	for _, a := range f.Axes { // the same place again
		if a.Twin == nil && a.Place.Same(place) {
			p.axes[f] = a
			return &axesValue{p: p, a: a, f: f}, nil
		}
	}
	a := p.addAxes(f, place)
	if s, ok := shareX.(*axesValue); ok {
		a.ShareX = s.a
	}
	if s, ok := shareY.(*axesValue); ok {
		a.ShareY = s.a
	}
	if label != nil {
		a.X.Label = array.Plain(label)
	}
	p.current = f
	return &axesValue{p: p, a: a, f: f}, nil
}

// subplots is subplots(rows, columns): the figure and its axes.
func (p *pylab) subplots(f *figure.Figure, args starlark.Tuple, o *opts) (starlark.Value, error) {
	rows, cols := int(o.number(1, "nrows")), int(o.number(1, "ncols"))
	for k, to := range []*int{&rows, &cols} {
		if k < len(args) {
			n, err := array.ToInt(args[k])
			if err != nil {
				return nil, fmt.Errorf("subplots() takes rows and columns: it %v", err)
			}
			*to = n
		}
	}
	if rows < 1 || cols < 1 || rows > 100 || cols > 100 {
		return nil, fmt.Errorf("subplots() of %d rows and %d columns is not possible", rows, cols)
	}
	share := func(v starlark.Value) string {
		switch v {
		case nil, starlark.False, starlark.String("none"):
			return ""
		case starlark.True:
			return "all"
		}
		s, _ := starlark.AsString(v)
		return s
	}
	sx, sy := share(o.take("sharex")), share(o.take("sharey"))
	squeeze, size := o.truth(true, "squeeze"), o.take("figsize")
	place := figure.Place{Rows: rows, Cols: cols}
	ratios := func(v starlark.Value) []float64 { return sizeOf(v) }
	if d, ok := o.take("gridspec_kw").(*starlark.Dict); ok {
		for _, it := range d.Items() {
			switch it[0] {
			case starlark.String("height_ratios"):
				place.Heights = ratios(it[1])
			case starlark.String("width_ratios"):
				place.Widths = ratios(it[1])
			}
		}
	}
	if v := o.take("height_ratios"); v != nil {
		place.Heights = ratios(v)
	}
	if v := o.take("width_ratios"); v != nil {
		place.Widths = ratios(v)
	}
	if err := place.Check(); err != nil {
		return nil, err
	}
	if _, projected := o.take("subplot_kw").(*starlark.Dict); projected {
		return nil, withHint(elsewherePictures, "there are no projections of axes here")
	}
	if err := o.end(); err != nil {
		return nil, err
	}
	alone := f != nil // fig.subplots
	if f == nil {
		v, err := p.newFigureOf(nil, newOpts("figure", nil))
		if err != nil {
			return nil, err
		}
		f = v.(*figureValue).f
		if size != nil {
			if err := f.Resize(sizeOf(size)); err != nil {
				return nil, err
			}
		}
	}
	g := &axesGrid{rows: rows, cols: cols}
	var all []*figure.Axes
	for r := range rows {
		for c := range cols {
			at := place
			at.Row0, at.Row1, at.Col0, at.Col1 = r, r+1, c, c+1
			a := p.addAxes(f, at)
			with := func(how string) *figure.Axes {
				switch {
				case how == "all" && len(all) > 0:
					return all[0]
				case how == "col" && r > 0:
					return all[c]
				case how == "row" && c > 0:
					return all[r*cols]
				}
				return nil
			}
			a.ShareX, a.ShareY = with(sx), with(sy)
			a.X.Unnamed = (sx == "all" || sx == "col") && r < rows-1
			a.Y.Unnamed = (sy == "all" || sy == "row") && c > 0
			all = append(all, a)
			g.v = append(g.v, &axesValue{p: p, a: a, f: f})
		}
	}
	p.axes[f] = all[0]
	var axes starlark.Value = g
	switch {
	case !squeeze:
	case rows*cols == 1:
		axes = g.v[0]
	case rows == 1 || cols == 1:
		axes = &axesGrid{rows: rows * cols, v: g.v}
	}
	if alone {
		return axes, nil
	}
	return starlark.Tuple{&figureValue{p: p, f: f}, axes}, nil
}

// gridSpec is a grid of cells for axes that span several.
type gridSpec struct {
	opaque
	p     *pylab
	f     *figure.Figure
	place figure.Place
}

// gridCell are some cells of it.
type gridCell struct {
	opaque
	place figure.Place
}

func (g *gridCell) String() string { return "<cells of a grid>" }
func (g *gridCell) Type() string   { return "SubplotSpec" }

func (g *gridSpec) String() string      { return "<GridSpec>" }
func (g *gridSpec) Type() string        { return "GridSpec" }
func (g *gridSpec) AttrNames() []string { return []string{"subplots"} }
func (g *gridSpec) Attr(name string) (starlark.Value, error) {
	if name == "subplots" {
		return starlark.NewBuiltin(name, func(_ *starlark.Thread, _ *starlark.Builtin, _ starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			o := newOpts(name, kwargs)
			for n, v := range map[string][]float64{"height_ratios": g.place.Heights, "width_ratios": g.place.Widths} {
				if v != nil {
					o.left[n] = floats(v)
				}
			}
			f := g.f
			if f == nil {
				f = g.p.figure()
			}
			return g.p.subplots(f, starlark.Tuple{starlark.MakeInt(g.place.Rows), starlark.MakeInt(g.place.Cols)}, o)
		}), nil
	}
	if name == "update" || name == "tight_layout" {
		return accepted(g, name), nil
	}
	return nil, nil
}

func (g *gridSpec) Get(ix starlark.Value) (starlark.Value, bool, error) {
	at := &array.Array{Kind: array.Ints, Table: true, Cols: g.place.Cols, V: make([]float64, g.place.Rows*g.place.Cols)}
	for k := range at.V {
		at.V[k] = float64(k)
	}
	if k, one := ix.(starlark.Int); one { // counts through the rows
		n, err := array.ElementIndex(k, len(at.V))
		if err != nil {
			return nil, false, err
		}
		ix = starlark.Tuple{starlark.MakeInt(n / g.place.Cols), starlark.MakeInt(n % g.place.Cols)}
	}
	v, ok, err := at.Get(ix)
	if err != nil || !ok {
		return nil, ok, err
	}
	o, _, err := array.OperandOf(v)
	if err != nil || len(o.V) == 0 {
		return nil, false, fmt.Errorf("no cell of the grid")
	}
	c := &gridCell{place: g.place}
	first, last := int(o.V[0]), int(o.V[len(o.V)-1])
	c.place.Row0, c.place.Row1 = first/g.place.Cols, last/g.place.Cols+1
	c.place.Col0, c.place.Col1 = first%g.place.Cols, last%g.place.Cols+1
	return c, true, nil
}

func (p *pylab) gridSpec(f *figure.Figure, args starlark.Tuple, o *opts) (starlark.Value, error) {
	rows, cols := int(o.number(1, "nrows")), int(o.number(1, "ncols"))
	for k, to := range []*int{&rows, &cols} {
		if k < len(args) {
			n, err := array.ToInt(args[k])
			if err != nil {
				return nil, fmt.Errorf("a grid has rows and columns: it %v", err)
			}
			*to = n
		}
	}
	if rows < 1 || cols < 1 || rows > 100 || cols > 100 {
		return nil, fmt.Errorf("a grid of %d rows and %d columns is not possible", rows, cols)
	}
	g := &gridSpec{p: p, f: f, place: figure.Place{Rows: rows, Cols: cols, Heights: sizeOf(orNothing(o.take("height_ratios"))), Widths: sizeOf(orNothing(o.take("width_ratios")))}}
	o.take("figure")
	if err := g.place.Check(); err != nil {
		return nil, err
	}
	return g, o.end()
}

func orNothing(v starlark.Value) starlark.Value {
	if v == nil {
		return starlark.None
	}
	return v
}

// inset is axes([left, bottom, width, height]).
func (p *pylab) inset(f *figure.Figure, args starlark.Tuple, o *opts) (starlark.Value, error) {
	if len(args) == 0 {
		return p.subplot(f, starlark.Tuple{starlark.MakeInt(111)}, o)
	}
	r := sizeOf(args[0])
	if len(r) != 4 {
		return nil, fmt.Errorf("axes() takes left, bottom, width and height, as parts of the figure")
	}
	o.take("sharex", "sharey", "facecolor", "zorder")
	if err := o.end(); err != nil {
		return nil, err
	}
	a := p.addAxes(f, figure.Place{Rows: 1, Cols: 1, Row1: 1, Col1: 1, Inset: (*[4]float64)(r)})
	return &axesValue{p: p, a: a, f: f}, nil
}

// above is suptitle(text).
func (p *pylab) above(f *figure.Figure, args starlark.Tuple, o *opts) (starlark.Value, error) {
	args, o = named(args, o, "t")
	if len(args) < 1 {
		return nil, fmt.Errorf("suptitle() takes the text")
	}
	f.Title = array.Plain(args[0])
	o.textStyle()
	return starlark.None, o.end()
}

// colorMap is plt.cm.NAME: called with a value from 0 to 1 it gives a colour.
type colorMap struct {
	opaque
	name string
}

func (c *colorMap) String() string { return "<colour map " + c.name + ">" }
func (c *colorMap) Type() string   { return "Colormap" }
func (c *colorMap) Name() string   { return c.name }
func (c *colorMap) CallInternal(_ *starlark.Thread, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
	if len(args) < 1 {
		return nil, fmt.Errorf("a colour map takes a number from 0 to 1")
	}
	o, ok, err := array.OperandOf(args[0])
	if err != nil || !ok || !o.One {
		return nil, fmt.Errorf("a colour map takes a number from 0 to 1, not %s", array.Describe(args[0]))
	}
	x := o.V[0]
	if _, whole := args[0].(starlark.Int); whole {
		x /= 255
	}
	m := figure.Mapped(c.name, x)
	return starlark.Tuple{starlark.Float(m.R), starlark.Float(m.G), starlark.Float(m.B), starlark.Float(m.A)}, nil
}

// colorMaps is plt.cm.
type colorMaps struct{ opaque }

func (colorMaps) String() string      { return "<colour maps>" }
func (colorMaps) Type() string        { return "module" }
func (colorMaps) AttrNames() []string { return []string{"gray", "hot", "jet", "viridis"} }
func (colorMaps) Attr(name string) (starlark.Value, error) {
	if !figure.HasMap(name) {
		return nil, fmt.Errorf("there is no colour map %s here", name)
	}
	return &colorMap{name: name}, nil
}
