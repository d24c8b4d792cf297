package script

import (
	"fmt"
	"maps"
	"math"
	"path"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"synfire/engine/eqn"
	"synfire/engine/figure"
	"synfire/engine/script/argument"
	"synfire/engine/script/array"
	"synfire/engine/script/memory"
)

// Here stand pylab's words: they describe figures (package figure), which
// Options.Draw draws. What changes only how a picture looks, beyond colours,
// lines, markers and sizes, is taken and left out.

// pylab is what a script has drawn and not shown yet.
type pylab struct {
	x       *script
	open    []*figure.Figure
	current *figure.Figure
	axes    map[*figure.Figure]*figure.Axes // the current ones of each
	rc      *starlark.Dict
	shown   int  // figures that show() has drawn
	kept    bool // savefig() has drawn some
	dropped bool
}

// figureOf is the current figure, made if there is none.
func (p *pylab) figure() *figure.Figure {
	if p.current == nil {
		p.current = p.newFigure(len(p.open) + 1)
	}
	return p.current
}

func (p *pylab) newFigure(number int) *figure.Figure {
	f := &figure.Figure{Number: number, Width: 6.4, Height: 4.8}
	if v, ok, _ := p.rc.Get(starlark.String("figure.figsize")); ok {
		if o, ok, err := array.OperandOf(v); ok && err == nil && len(o.V) == 2 {
			f.Width, f.Height = o.V[0], o.V[1]
		}
	}
	p.open = append(p.open, f)
	return f
}

// maxFigures and maxMarks bound what a script describes before it shows it.
const maxFigures, maxMarks = 1000, 100000

// ax are the current axes, made if there are none.
func (p *pylab) ax() *figure.Axes {
	f := p.figure()
	if p.axes[f] == nil {
		p.addAxes(f, figure.Place{Rows: 1, Cols: 1, Row1: 1, Col1: 1})
	}
	return p.axes[f]
}

func (p *pylab) addAxes(f *figure.Figure, place figure.Place) *figure.Axes {
	a := figure.NewAxes(place)
	f.Axes = append(f.Axes, a)
	p.axes[f] = a
	return a
}

// opts are the arguments by name of a drawing call; those that nobody takes must
// be ones of appearance.
type opts struct {
	fn   string
	left map[string]starlark.Value
	err  error
}

func newOpts(fn string, kwargs []starlark.Tuple) *opts {
	o := &opts{fn: fn, left: map[string]starlark.Value{}}
	for _, kw := range kwargs {
		o.left[string(kw[0].(starlark.String))] = kw[1]
	}
	return o
}

// take is an argument under one of its names, nil if it is absent or None.
func (o *opts) take(names ...string) starlark.Value {
	var r starlark.Value
	for _, n := range names {
		if v, ok := o.left[n]; ok {
			if delete(o.left, n); v != starlark.None {
				r = v
			}
		}
	}
	return r
}

func (o *opts) fail(name string, format string, a ...any) {
	if o.err == nil {
		o.err = &argument.Error{Name: name, Index: -1, Err: fmt.Errorf(format, a...)}
	}
}

func (o *opts) text(names ...string) string {
	v := o.take(names...)
	if v == nil {
		return ""
	}
	s, ok := starlark.AsString(v)
	if !ok {
		o.fail(names[0], "%s= must be a text, not %s", names[0], array.Describe(v))
	}
	return s
}

func (o *opts) number(def float64, names ...string) float64 {
	v := o.take(names...)
	if v == nil {
		return def
	}
	n, ok, err := array.OperandOf(v)
	if err != nil || !ok || len(n.V) != 1 {
		o.fail(names[0], "%s= must be a number, not %s", names[0], array.Describe(v))
		return def
	}
	return n.V[0]
}

func (o *opts) truth(def bool, names ...string) bool {
	if v := o.take(names...); v != nil {
		return bool(v.Truth())
	}
	return def
}

// appearance are arguments that pictures here do without.
var appearance = map[string]bool{}

func init() {
	for _, n := range strings.Fields("zorder clip_on rasterized antialiased aa solid_capstyle solid_joinstyle dash_capstyle dash_joinstyle drawstyle fillstyle markevery picker snap gid url " +
		"fontfamily family fontname fontstyle fontvariant fontstretch fontproperties prop usetex linespacing wrap parse_math pad labelpad y x fancybox shadow frameon framealpha facecolor edgecolor borderpad labelspacing handlelength " +
		"handletextpad borderaxespad columnspacing numpoints scatterpoints markerscale mode ncol ncols bbox_to_anchor bbox_transform title_fontsize alignment which tight dpi layout constrained_layout squeeze clear num FigureClass " +
		"left right top bottom wspace hspace h_pad w_pad rect transparent bbox_inches pad_inches format metadata pad fraction shrink aspect_ cax use_gridspec extend ticks orientation_ drawedges spacing " +
		"interpolation_stage filternorm filterrad resample shading linewidths_ antialiaseds plotnonfinite elinewidth ecolor_ capsize capthick barsabove lolims uplims errorevery hatch joinstyle capstyle log_ emit auto minor rotation_mode " +
		"labelcolor direction length width_ colors_ labelsize labelrotation subplot_kw per_subplot_kw animated agg_filter path_effects sketch_params in_layout mouseover arrowprops_ annotation_clip xycoords textcoords visible cmap_ rwidth stacked") {
		appearance[strings.TrimSuffix(n, "_")] = true
	}
}

// end fails if an argument is left that is no matter of appearance.
func (o *opts) end() error {
	if o.err != nil {
		return o.err
	}
	for _, n := range slices.Sorted(maps.Keys(o.left)) {
		if !appearance[n] {
			return &argument.Error{Name: n, Index: -1, Err: withHint(eqn.Nearest(n, slices.Collect(maps.Keys(appearance))), "%s() has no argument %s here", o.fn, n)}
		}
	}
	return nil
}

// values are the numbers of a drawing call, in SI units.
func values(v starlark.Value) (array.Operand, error) {
	if v == starlark.None || v == nil {
		return array.Operand{}, nil
	}
	o, ok, err := array.OperandOf(v)
	if err == nil && !ok {
		err = fmt.Errorf("numbers were expected, not %s", array.Describe(v))
	}
	return o, err
}

// column is column k of a table, or the list itself.
func column(o array.Operand, k int) []float64 {
	if !o.Table {
		return o.V
	}
	r := make([]float64, o.Rows())
	for i := range r {
		r[i] = o.V[i*o.Cols+k]
	}
	return r
}

// sizes of texts by name.
var fontSizes = map[string]float64{"xx-small": 6, "x-small": 7, "small": 8, "medium": 10, "large": 12, "x-large": 14, "xx-large": 17, "larger": 12, "smaller": 8}

func (o *opts) fontSize(def float64) float64 {
	v := o.take("fontsize", "size")
	if s, ok := v.(starlark.String); ok {
		if n, ok := fontSizes[string(s)]; ok {
			return n
		}
		o.fail("fontsize", "there is no size '%s' of texts", string(s))
		return def
	}
	if v == nil {
		return def
	}
	o.left["fontsize"] = v
	return o.number(def, "fontsize")
}

// color reads a colour: a text, or three or four numbers.
func color(v starlark.Value) (figure.RGBA, error) {
	if s, ok := starlark.AsString(v); ok {
		if c, ok := figure.Color(s); ok {
			return c, nil
		}
		return figure.RGBA{}, fmt.Errorf("there is no colour '%s'", s)
	}
	o, ok, err := array.OperandOf(v)
	if err != nil || !ok || len(o.V) != 3 && len(o.V) != 4 {
		return figure.RGBA{}, fmt.Errorf("a colour is a name, '#rrggbb' or three numbers from 0 to 1, not %s", array.Describe(v))
	}
	c := figure.RGBA{R: o.V[0], G: o.V[1], B: o.V[2], A: 1}
	if len(o.V) == 4 {
		c.A = o.V[3]
	}
	return c, nil
}

func (o *opts) color(def figure.RGBA, names ...string) figure.RGBA {
	v := o.take(names...)
	if v == nil {
		return def
	}
	c, err := color(v)
	if err != nil {
		o.fail(names[0], "%s= %v", names[0], err)
	}
	return c
}

var dashes = map[string]string{"-": "-", "--": "--", ":": ":", "-.": "-.", "solid": "-", "dashed": "--", "dotted": ":", "dashdot": "-.", "None": "", "none": "", "": "", " ": ""}

func (o *opts) dash(def string) string {
	v := o.take("linestyle", "ls", "linestyles", "dashes")
	if v == nil {
		return def
	}
	s, ok := starlark.AsString(v)
	if d, known := dashes[s]; ok && known {
		return d
	}
	if t, ok := v.(starlark.Tuple); ok && len(t) > 0 { // (offset, lengths)
		return "--"
	}
	if l, ok := v.(*starlark.List); ok && l.Len() > 0 {
		return "--"
	}
	o.fail("linestyle", "there is no linestyle %s: '-', '--', ':', '-.' or 'None'", array.Describe(v))
	return def
}

const markers = ".,ov^<>12348spP*hH+xXDd|_"

// format reads 'r.--': a colour, a marker and a line, in any order.
func format(s string) (c *figure.RGBA, marker, dash string, err error) {
	if whole, ok := figure.Color(s); ok && (len(s) > 1 || !strings.ContainsAny(s, "1234")) {
		return &whole, "", "", nil
	}
	for r := s; r != ""; {
		two := r[:min(2, len(r))]
		one := r[:1]
		switch {
		case (two == "--" || two == "-.") && dash == "":
			dash, r = two, r[2:]
		case (one == "-" || one == ":") && dash == "":
			dash, r = one, r[1:]
		case one == "C" && len(r) > 1 && c == nil && '0' <= r[1] && r[1] <= '9':
			x, _ := figure.Color(two)
			c, r = &x, r[2:]
		case strings.Contains("bgrcmykw", one) && c == nil:
			x, _ := figure.Color(one)
			c, r = &x, r[1:]
		case strings.Contains(markers, one) && marker == "":
			marker, r = one, r[1:]
		case one == " ":
			r = r[1:]
		default:
			return nil, "", "", withHint("such as 'r.', 'k--', '-o', 'C1'", "'%s' is no format of a line: %q is neither colour, marker nor line", s, one)
		}
	}
	return c, marker, dash, nil
}

// next is the next colour of the axes' cycle.
func next(a *figure.Axes) figure.RGBA {
	of := a
	if a.Twin != nil {
		of = a.Twin
	}
	all := figure.Cycle
	if of.Cycle != nil {
		all = of.Cycle
	}
	c := all[of.Colors%len(all)]
	of.Colors++
	return c
}

// lineStyle reads what all lines share; fmt is the format of the call.
func (o *opts) lineStyle(a *figure.Axes, form string) (figure.Style, string) {
	s := figure.Style{Width: 1.5, Size: 6, Alpha: 1}
	c, marker, dash, err := format(form)
	if err != nil && o.err == nil {
		o.err = err
	}
	s.Marker, s.Dash = marker, dash
	if dash == "" && marker == "" {
		s.Dash = "-"
	}
	s.Dash = o.dash(s.Dash)
	if v := o.take("marker"); v != nil {
		m, _ := starlark.AsString(v)
		if m == "None" || m == "none" || m == " " {
			m = ""
		}
		if len(m) > 1 || m != "" && !strings.Contains(markers, m) {
			o.fail("marker", "there is no marker %s: one of %s", array.Describe(v), markers)
		}
		s.Marker = m
	}
	s.Width = o.number(s.Width, "lw", "linewidth", "linewidths")
	s.Size = o.number(s.Size, "ms", "markersize")
	s.Alpha = o.number(1, "alpha")
	if given := o.take("color", "c"); given != nil {
		x, err := color(given)
		if err != nil {
			o.fail("color", "color= %v", err)
		}
		s.Color = x
	} else if c != nil {
		s.Color = *c
	} else {
		s.Color = next(a)
	}
	s.Face = o.color(s.Color, "mfc", "markerfacecolor")
	s.Edge = o.color(s.Face, "mec", "markeredgecolor")
	o.take("mew", "markeredgewidth")
	return s, o.label()
}

func (o *opts) label() string {
	v := o.take("label")
	if v == nil {
		return ""
	}
	return array.Plain(v)
}

// add keeps marks and gives the handle of those.
func (p *pylab) add(a *figure.Axes, marks ...figure.Mark) (starlark.Value, error) {
	if len(a.Marks)+len(marks) > maxMarks {
		return nil, fmt.Errorf("more than %d things in one diagram: give plot() arrays", maxMarks)
	}
	h := &artist{p: p, a: a, from: len(a.Marks)}
	a.Marks = append(a.Marks, marks...)
	h.to = len(a.Marks)
	return h, nil
}

// artist is what a drawing call returns: some marks of axes.
type artist struct {
	opaque
	p        *pylab
	a        *figure.Axes
	from, to int
}

func (h *artist) String() string { return fmt.Sprintf("<%d marks>", h.to-h.from) }
func (h *artist) Type() string   { return "artist" }
func (h *artist) AttrNames() []string {
	return []string{"get_color", "set_color", "set_label", "set_linestyle", "set_linewidth", "set_marker", "set_visible"}
}
func (h *artist) Attr(name string) (starlark.Value, error) {
	each := func(f func(m *figure.Mark) error) error {
		for k := h.from; k < h.to; k++ {
			if err := f(&h.a.Marks[k]); err != nil {
				return err
			}
		}
		return nil
	}
	switch name {
	case "get_color":
		return array.Method(h, name, func(starlark.Tuple) (starlark.Value, error) {
			var c figure.RGBA
			each(func(m *figure.Mark) error { c = m.Color; return nil })
			return starlark.Tuple{starlark.Float(c.R), starlark.Float(c.G), starlark.Float(c.B), starlark.Float(c.A)}, nil
		}), nil
	case "set_color", "set_label", "set_linewidth", "set_lw", "set_alpha":
		return array.Method(h, name, func(args starlark.Tuple) (starlark.Value, error) {
			if len(args) != 1 {
				return nil, fmt.Errorf("%s() takes one argument", name)
			}
			return starlark.None, each(func(m *figure.Mark) (err error) {
				switch name {
				case "set_color":
					m.Color, err = color(args[0])
					m.Face = m.Color
				case "set_label":
					m.Label = array.Plain(args[0])
					if m.Kind == figure.Image {
						h.a.ColorbarLabel = m.Label
					}
				default:
					var v float64
					v, err = array.ToMeasure(args[0], eqn.Dim{})
					if name == "set_alpha" {
						m.Alpha = v
					} else {
						m.Width = v
					}
				}
				return err
			})
		}), nil
	case "ax", "axes":
		return &axesValue{p: h.p, a: h.a}, nil
	case "get_position": // of a label: where it stands by itself
		return array.Method(h, name, func(starlark.Tuple) (starlark.Value, error) {
			return starlark.Tuple{starlark.Float(0), starlark.Float(0)}, nil
		}), nil
	case "set_ticks":
		return accepted(h, name), nil
	}
	if lookOnly(name) {
		return accepted(h, name), nil
	}
	return nil, withHint(elsewherePictures, "what is drawn has no .%s here", name)
}

const elsewherePictures = "save_array('name', values), and draw it in Python"

// looks are methods that change how a picture looks in ways that are left out here.
var looks = map[string]bool{}

func init() {
	for _, n := range strings.Fields("set_visible set_linestyle set_marker set_markersize set_zorder set_clip_on set_rasterized set_fontsize set_size set_fontweight set_rotation set_ha set_va set_bbox set_facecolor set_edgecolor " +
		"set_frame_on set_alpha set_position set_ticks_position set_label_position set_label_coords set_tick_params set_major_formatter set_minor_formatter set_major_locator set_minor_locator set_axisbelow tick_params ticklabel_format " +
		"minorticks_on minorticks_off margins autoscale autoscale_view locator_params set_markerfacecolor set_solid_capstyle set_path_effects set_clip_path set_bounds set_smart_bounds draw align_ylabels align_xlabels align_labels " +
		"set_tight_layout set_constrained_layout set_layout_engine tight_layout subplots_adjust autofmt_xdate set_dpi set_anchor set_box_aspect label_outer set_navigate relim") {
		looks[n] = true
	}
}

func lookOnly(name string) bool { return looks[name] }

// accepted is a method that changes nothing here.
func accepted(of starlark.Value, name string) starlark.Value {
	return starlark.NewBuiltin(name, func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
		return starlark.None, nil
	}).BindReceiver(of)
}

// show gives all open figures to be drawn, as script_1.png and so on, or one under
// a name of its own.
func (p *pylab) show() error {
	for _, f := range p.open {
		if f.Empty() {
			continue
		}
		p.shown++
		name := strings.TrimSuffix(path.Base(p.x.opt.File), path.Ext(p.x.opt.File))
		if err := p.draw(f, fmt.Sprintf("%s_%d.png", name, p.shown)); err != nil {
			return err
		}
	}
	p.open, p.current = nil, nil
	clear(p.axes)
	return nil
}

func (p *pylab) draw(f *figure.Figure, name string) error {
	if p.x.opt.Draw == nil {
		if !p.dropped && p.x.opt.Warn != nil {
			p.x.opt.Warn("pictures are not drawn here")
		}
		p.dropped = true
		return nil
	}
	return p.x.opt.Draw(f, name)
}

// left draws the figures that nothing has shown, or warns of them.
func (p *pylab) left() error {
	n := 0
	for _, f := range p.open {
		if !f.Empty() {
			n++
		}
	}
	switch {
	case n == 0 || p.dropped || p.shown > 0 || p.kept:
	case p.x.opt.DrawLeft:
		return p.show()
	case p.x.opt.Warn != nil:
		p.x.opt.Warn("the script has drawn, and neither show() nor savefig() keeps it: add show(), or run it with --plots DIR")
	}
	return nil
}

// saved is savefig(name).
func (p *pylab) saved(f *figure.Figure, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	o := newOpts("savefig", kwargs)
	var name string
	if v := o.take("fname"); v != nil {
		args = append(args, v)
	}
	if len(args) == 1 {
		name, _ = starlark.AsString(args[0])
	}
	if err := o.end(); err != nil {
		return nil, err
	}
	switch ext := path.Ext(name); {
	case name == "":
		return nil, fmt.Errorf("savefig() takes the file's name")
	case ext == "":
		name += ".png"
	case ext == ".pdf" || ext == ".eps" || ext == ".ps":
		name = strings.TrimSuffix(name, ext) + ".svg"
		if p.x.opt.Warn != nil {
			p.x.opt.Warn(fmt.Sprintf("pictures are .png or .svg: %s instead of %s", path.Base(name), ext))
		}
	case ext != ".png" && ext != ".svg":
		return nil, fmt.Errorf("a picture's name ends in .png or .svg, not %s", ext)
	}
	p.kept = true
	for k, g := range p.open {
		if g == f { // it is kept: show() does not draw it a second time
			defer func() { p.open[k] = f }()
		}
	}
	return starlark.None, p.draw(f, name)
}

// bounds are the limits of an axis as they are now.
func bounds(a *figure.Axes, upright bool) (lo, hi float64) {
	x, y := a.Limits()
	if upright {
		return y[0], y[1]
	}
	return x[0], x[1]
}

// floats makes an array of numbers.
func floats(v []float64) *array.Array { return &array.Array{V: v, Kind: array.Floats} }

// histogram counts values in bins, NumPy's way.
func histogram(v []float64, bins starlark.Value, span starlark.Value, weights []float64, density bool) (counts, edges []float64, err error) {
	n := 10
	if bins != nil {
		if s, text := bins.(starlark.String); text {
			if s != "auto" {
				return nil, nil, fmt.Errorf("bins= is a number or the edges, not '%s'", string(s))
			}
			n = max(1, int(math.Ceil(math.Log2(float64(max(1, len(v)))))+1))
		} else {
			o, ok, err := array.OperandOf(bins)
			if err != nil || !ok {
				return nil, nil, fmt.Errorf("bins= is a number or the edges, not %s", array.Describe(bins))
			}
			if o.One {
				n = int(o.V[0])
			} else {
				edges = slices.Clone(o.V)
			}
		}
	}
	if edges == nil {
		if n < 1 || n > 1<<24 {
			return nil, nil, fmt.Errorf("bins=%d is not possible", n)
		}
		lo, hi := math.Inf(1), math.Inf(-1)
		for _, x := range v {
			lo, hi = min(lo, x), max(hi, x)
		}
		if span != nil {
			o, _, err := array.OperandOf(span)
			if err != nil || len(o.V) != 2 {
				return nil, nil, fmt.Errorf("range= is a pair of numbers, not %s", array.Describe(span))
			}
			lo, hi = o.V[0], o.V[1]
		}
		if !(lo <= hi) {
			lo, hi = 0, 1
		}
		if lo == hi {
			lo, hi = lo-0.5, hi+0.5
		}
		if err := memory.Room(n, 32); err != nil {
			return nil, nil, err
		}
		edges = make([]float64, n+1)
		for k := range edges {
			edges[k] = lo + float64(float64(k)*((hi-lo)/float64(n)))
		}
		edges[n] = hi
	}
	if len(edges) < 2 || !slices.IsSorted(edges) {
		return nil, nil, fmt.Errorf("the edges of bins ascend, and there are two at least")
	}
	counts = make([]float64, len(edges)-1)
	for k, x := range v {
		if x != x || x < edges[0] || x > edges[len(edges)-1] {
			continue
		}
		at, found := slices.BinarySearch(edges, x)
		if found {
			for at+1 < len(edges) && edges[at+1] == x { // the last of equal edges
				at++
			}
			at++
		}
		at = min(max(at-1, 0), len(counts)-1)
		if weights != nil {
			counts[at] += weights[min(k, len(weights)-1)]
		} else {
			counts[at]++
		}
	}
	if density {
		total := 0.0
		for _, c := range counts {
			total += c
		}
		for k := range counts {
			if w := (edges[k+1] - edges[k]) * total; w > 0 {
				counts[k] /= w
			}
		}
	}
	return counts, edges, nil
}
