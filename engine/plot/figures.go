package plot

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"synfire/engine/figure"
)

// SaveFigure draws a figure that a script has described into a file, whose name
// ends in .png or .svg.
func SaveFigure(f *figure.Figure, path string) error {
	w, h := vg.Length(f.Width)*vg.Inch, vg.Length(f.Height)*vg.Inch
	var c vg.CanvasWriterTo
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".png":
		c = vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(w, h), vgimg.UseDPI(figureDPI), vgimg.UseBackgroundColor(color.White))}
	case ".svg":
		c = vgsvg.New(w, h)
	default:
		return fmt.Errorf("%s: a picture's name ends in .png or .svg", path)
	}
	drawFigure(draw.New(c), f)
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = c.WriteTo(file)
	if e := file.Close(); err == nil {
		err = e
	}
	if err != nil { // a picture that does not fit on the disk leaves none behind
		os.Remove(path)
		return fmt.Errorf("%s is not written: %w", path, err)
	}
	return nil
}

const figureDPI = 120

// diagram is one of the axes, ready to be drawn.
type diagram struct {
	a      *figure.Axes
	p      *plot.Plot
	x, y   [2]float64 // limits
	cell   vg.Rectangle
	margin [4]vg.Length // left, right, bottom, top, that its numbers and texts take
	twins  []*diagram
	data   vg.Rectangle
}

func drawFigure(c draw.Canvas, f *figure.Figure) {
	if f.Title != "" {
		s := textStyle(13, figure.RGBA{A: 1})
		s.XAlign, s.YAlign = draw.XCenter, draw.YTop
		c.FillText(s, vg.Point{X: (c.Min.X + c.Max.X) / 2, Y: c.Max.Y - 0.08*vg.Inch}, readable(f.Title))
		c = draw.Crop(c, 0, 0, 0, -0.32*vg.Inch)
	}
	limits := shared(f.Axes)
	for k, a := range f.Axes {
		limits[k][0], limits[k][1] = sensible(limits[k][0], a.X.Log), sensible(limits[k][1], a.Y.Log)
	}
	var list []*diagram
	of := map[*figure.Axes]*diagram{}
	for k, a := range f.Axes {
		d := &diagram{a: a, x: limits[k][0], y: limits[k][1]}
		of[a] = d
		if base := of[a.Twin]; a.Twin != nil && base != nil {
			base.twins = append(base.twins, d)
			continue
		}
		d.cell = cellOf(c, a.Place)
		list = append(list, d)
	}
	for _, d := range list {
		d.prepare()
		at := draw.Canvas{Canvas: c.Canvas, Rectangle: d.cell}
		data := d.p.DataCanvas(at)
		d.margin = [4]vg.Length{data.Min.X - d.cell.Min.X, d.cell.Max.X - data.Max.X, data.Min.Y - d.cell.Min.Y, d.cell.Max.Y - data.Max.Y}
		if d.a.Colorbar {
			d.margin[1] += 0.75 * vg.Inch
		}
		if len(d.twins) > 0 {
			d.margin[1] += 0.55 * vg.Inch
		}
	}
	for _, d := range list {
		m := d.margin // data areas that begin or end together in the grid do so in the picture
		if d.a.Place.Inset == nil {
			for _, e := range list {
				p, q := d.a.Place, e.a.Place
				if q.Inset != nil || p.Rows != q.Rows || p.Cols != q.Cols {
					continue
				}
				if p.Col0 == q.Col0 {
					m[0] = max(m[0], e.margin[0])
				}
				if p.Col1 == q.Col1 {
					m[1] = max(m[1], e.margin[1])
				}
				if p.Row1 == q.Row1 {
					m[2] = max(m[2], e.margin[2])
				}
				if p.Row0 == q.Row0 {
					m[3] = max(m[3], e.margin[3])
				}
			}
		}
		d.draw(c, m)
	}
}

// cellOf is the part of a figure that axes have with all their texts.
func cellOf(c draw.Canvas, p figure.Place) vg.Rectangle {
	w, h := c.Max.X-c.Min.X, c.Max.Y-c.Min.Y
	if i := p.Inset; i != nil {
		x, y := c.Min.X+vg.Length(i[0])*w, c.Min.Y+vg.Length(i[1])*h
		return vg.Rectangle{Min: vg.Point{X: x, Y: y}, Max: vg.Point{X: x + vg.Length(i[2])*w, Y: y + vg.Length(i[3])*h}}
	}
	const gap = 0.08 * vg.Inch
	part := func(n, from, to int, size vg.Length, weights []float64) (vg.Length, vg.Length) {
		at := make([]float64, n+1)
		for k := range n {
			x := 1.0
			if k < len(weights) {
				x = weights[k]
			}
			at[k+1] = at[k] + x
		}
		return size * vg.Length(at[from]/at[n]), size * vg.Length(at[to]/at[n])
	}
	x0, x1 := part(p.Cols, p.Col0, p.Col1, w, p.Widths)
	y0, y1 := part(p.Rows, p.Row0, p.Row1, h, p.Heights)
	return vg.Rectangle{Min: vg.Point{X: c.Min.X + x0 + gap, Y: c.Max.Y - y1 + gap}, Max: vg.Point{X: c.Min.X + x1 - gap, Y: c.Max.Y - y0 - gap}}
}

// shared are the limits of all axes, x and y, one for those that share them.
func shared(axes []*figure.Axes) [][2][2]float64 {
	r := make([][2][2]float64, len(axes))
	at := map[*figure.Axes]int{}
	for k, a := range axes {
		r[k][0], r[k][1] = a.Limits()
		at[a] = k
	}
	for dim := range 2 {
		with := func(k int) int { // the axes whose limits axes k take
			for range axes {
				a := axes[k]
				to := a.ShareX
				if dim == 1 {
					to = a.ShareY
				}
				n, ok := at[to]
				if to == nil || !ok || n == k {
					break
				}
				k = n
			}
			return k
		}
		groups := map[int][]int{}
		for k := range axes {
			groups[with(k)] = append(groups[with(k)], k)
		}
		for _, g := range groups {
			if len(g) == 1 {
				continue
			}
			lo, hi := math.Inf(1), math.Inf(-1)
			setLo, setHi := math.NaN(), math.NaN()
			for _, k := range g {
				x := []*figure.Axis{&axes[k].X, &axes[k].Y}[dim]
				if len(axes[k].Marks) > 0 || len(g) == 1 {
					l := r[k][dim]
					lo, hi = min(lo, l[0], l[1]), max(hi, l[0], l[1])
				}
				if !math.IsNaN(x.Lo) {
					setLo = x.Lo
				}
				if !math.IsNaN(x.Hi) {
					setHi = x.Hi
				}
			}
			if !math.IsNaN(setLo) {
				lo = setLo
			}
			if !math.IsNaN(setHi) {
				hi = setHi
			}
			if !(lo < hi) {
				continue
			}
			for _, k := range g {
				if r[k][dim][0] > r[k][dim][1] {
					r[k][dim] = [2]float64{hi, lo}
				} else {
					r[k][dim] = [2]float64{lo, hi}
				}
			}
		}
	}
	return r
}

// sensible are limits that an axis can have: finite, apart, and positive where it
// is logarithmic.
func sensible(l [2]float64, log bool) [2]float64 {
	lo, hi := min(l[0], l[1]), max(l[0], l[1])
	const most = 1e300
	switch {
	case log && !(lo > 1/most && hi < most && hi > lo*(1+1e-9)):
		lo = max(1/most, min(lo, most/10))
		if lo-lo != 0 {
			lo = 0.1
		}
		hi = max(lo*10, min(hi, most))
		if hi-hi != 0 {
			hi = lo * 10
		}
	case !log && !(lo > -most && hi < most && hi-lo > 1e-9*max(math.Abs(lo), math.Abs(hi)) && hi-lo > 1/most):
		lo = max(-most, min(lo, most/2))
		if lo-lo != 0 {
			lo = 0
		}
		hi = max(lo+max(1, math.Abs(lo)*1e-6), min(hi, most))
		if hi-hi != 0 {
			hi = lo + max(1, math.Abs(lo)*1e-6)
		}
	}
	if l[0] > l[1] {
		return [2]float64{hi, lo}
	}
	return [2]float64{lo, hi}
}

// prepare makes the plot with its axes.
func (d *diagram) prepare() {
	p := plot.New()
	d.p, p.BackgroundColor = p, nil
	p.Title.Text = readable(d.a.Title)
	p.Title.TextStyle.Font, p.Title.TextStyle.Color, p.Title.Padding = sans(12), ink, 4
	for k, x := range []*plot.Axis{&p.X, &p.Y} {
		from := []*figure.Axis{&d.a.X, &d.a.Y}[k]
		l := [][2]float64{d.x, d.y}[k]
		x.Label.Text = readable(from.Label)
		x.Label.TextStyle.Font, x.Label.TextStyle.Color = sans(10), ink
		x.Tick.Label.Font, x.Tick.Label.Color = sans(9), ink
		x.LineStyle.Color, x.Tick.LineStyle.Color = ink, ink
		x.LineStyle.Width, x.Tick.LineStyle.Width, x.Tick.Length = 0.8, 0.8, 3.5
		x.Padding, x.Label.Padding = 0, 3
		x.Min, x.Max = min(l[0], l[1]), max(l[0], l[1])
		if !(x.Max > x.Min) {
			x.Max = x.Min + 1
		}
		if from.Log {
			x.Scale = plot.LogScale{}
		}
		if l[0] > l[1] {
			x.Scale = plot.InvertedScale{Normalizer: x.Scale}
		}
		size := []vg.Length{d.cell.Max.X - d.cell.Min.X, d.cell.Max.Y - d.cell.Min.Y}[k]
		x.Tick.Marker = ticker{from, max(1, min(7, int(size/[]vg.Length{52, 22}[k])-1)), float64(size) / []float64{30, 11}[k]}
	}
	if d.a.Hidden {
		p.HideAxes()
	}
	if d.a.Bare["left"] {
		p.Y.LineStyle.Width = 0
	}
	if d.a.Bare["bottom"] {
		p.X.LineStyle.Width = 0
	}
}

// ticker places the ticks of an axis: about n where they are not given, and
// numbers at most of them as have room.
type ticker struct {
	*figure.Axis
	n    int
	room float64
}

func (t ticker) Ticks(lo, hi float64) []plot.Tick {
	var ts []plot.Tick
	switch {
	case t.Fixed:
		each, shown := 1, 0
		for _, v := range t.Axis.Ticks {
			if v >= lo && v <= hi {
				shown++
			}
		}
		if t.Labels == nil && t.room > 1 {
			each = max(1, int(math.Ceil(float64(shown)/t.room)))
		}
		for k, v := range t.Axis.Ticks {
			l := number(v, 0)
			if k%each > 0 {
				l = ""
			}
			if t.Labels != nil {
				l = ""
				if k < len(t.Labels) {
					l = readable(t.Labels[k])
				}
			}
			if v >= lo && v <= hi {
				if l == "" && each == 1 {
					l = " "
				}
				ts = append(ts, plot.Tick{Value: v, Label: l})
			}
		}
	case t.Log:
		first, last := int(math.Floor(math.Log10(lo))), int(math.Ceil(math.Log10(hi)))
		each := max(1, (last-first)/8)
		for e := first; e <= last; e++ {
			for m := 1.0; m < 10; m++ {
				v := m * math.Pow(10, float64(e))
				if v < lo*(1-1e-9) || v > hi*(1+1e-9) || m > 1 && each > 1 {
					continue
				}
				l := ""
				if m == 1 && (e-first)%each == 0 || last-first <= 1 && (m == 2 || m == 5) {
					l = number(v, 0)
				}
				ts = append(ts, plot.Tick{Value: v, Label: l})
			}
		}
	default:
		ts = ticks(lo, hi, t.n)
		step := 0.0
		if len(ts) > 1 {
			step = ts[1].Value - ts[0].Value
		}
		for k := range ts {
			ts[k].Label = number(ts[k].Value, step)
			if t.Labels != nil {
				ts[k].Label = " "
				if k < len(t.Labels) {
					ts[k].Label = readable(t.Labels[k])
				}
			}
		}
	}
	if t.Unnamed {
		for k := range ts {
			if ts[k].Label != "" {
				ts[k].Label = " "
			}
		}
	}
	return ts
}

// number is a short text of a tick's value.
func number(v, step float64) string {
	if a := math.Abs(v); step > 0 && step >= 1e-4 && a < 1e6 {
		return strconv.FormatFloat(v, 'f', max(0, int(-math.Floor(math.Log10(step)+1e-9))), 64)
	}
	s := strconv.FormatFloat(v, 'g', 4, 64)
	return strings.NewReplacer("e+0", "e", "e+", "e", "e-0", "e-").Replace(s)
}

// draw draws the axes with these margins in its cell.
func (d *diagram) draw(c draw.Canvas, m [4]vg.Length) {
	cell := d.cell
	inner := vg.Rectangle{Min: vg.Point{X: cell.Min.X + m[0], Y: cell.Min.Y + m[2]}, Max: vg.Point{X: cell.Max.X - m[1], Y: cell.Max.Y - m[3]}}
	w, h := inner.Max.X-inner.Min.X, inner.Max.Y-inner.Min.Y
	if w < 4 || h < 4 {
		return // no room: a figure of many rows
	}
	if d.a.Equal {
		units := math.Abs(d.x[1]-d.x[0]) / math.Abs(d.y[1]-d.y[0])
		if fit := vg.Length(units) * h; fit < w {
			inner.Min.X, inner.Max.X = inner.Min.X+(w-fit)/2, inner.Max.X-(w-fit)/2
		} else if fit := w / vg.Length(units); fit < h {
			inner.Min.Y, inner.Max.Y = inner.Min.Y+(h-fit)/2, inner.Max.Y-(h-fit)/2
		}
	}
	// what gonum's own margins are around the data
	at := draw.Canvas{Canvas: c.Canvas, Rectangle: cell}
	data := d.p.DataCanvas(at)
	outer := vg.Rectangle{
		Min: vg.Point{X: inner.Min.X - (data.Min.X - cell.Min.X), Y: inner.Min.Y - (data.Min.Y - cell.Min.Y)},
		Max: vg.Point{X: inner.Max.X + (cell.Max.X - data.Max.X), Y: inner.Max.Y + (cell.Max.Y - data.Max.Y)},
	}
	d.data = inner
	area := draw.Canvas{Canvas: c.Canvas, Rectangle: inner}
	q := &painter{Canvas: area, x: d.x, y: d.y, a: d.a}
	if d.a.Grid && !d.a.Hidden {
		q.grid(d.p)
	}
	q.marks()
	for _, t := range d.twins {
		right := &painter{Canvas: area, x: d.x, y: t.y, a: t.a}
		right.marks()
		right.rightAxis()
	}
	d.p.Draw(draw.Canvas{Canvas: c.Canvas, Rectangle: outer})
	if !d.a.Hidden {
		s := draw.LineStyle{Color: ink, Width: 0.8}
		if !d.a.Bare["top"] {
			area.StrokeLine2(s, inner.Min.X, inner.Max.Y, inner.Max.X, inner.Max.Y)
		}
		if !d.a.Bare["right"] || len(d.twins) > 0 {
			area.StrokeLine2(s, inner.Max.X, inner.Min.Y, inner.Max.X, inner.Max.Y)
		}
	}
	if d.a.Legend {
		q.legend()
	}
	if d.a.Colorbar {
		q.colorbar()
	}
}

// painter draws marks into the area of the data.
type painter struct {
	draw.Canvas
	x, y [2]float64
	a    *figure.Axes
}

// part is where a value lies between two limits, from 0 to 1.
func part(v float64, l [2]float64, log bool) float64 {
	if log {
		return (math.Log(v) - math.Log(l[0])) / (math.Log(l[1]) - math.Log(l[0]))
	}
	return (v - l[0]) / (l[1] - l[0])
}

// px is where a value of x stands, NaN if nowhere; far values stay in reach of
// drawing.
func (q *painter) px(v float64) vg.Length {
	return q.Min.X + vg.Length(clamp(part(v, q.x, q.a.X.Log)))*(q.Max.X-q.Min.X)
}

func (q *painter) py(v float64) vg.Length {
	return q.Min.Y + vg.Length(clamp(part(v, q.y, q.a.Y.Log)))*(q.Max.Y-q.Min.Y)
}

func clamp(x float64) float64 { return max(-1e4, min(1e4, x)) }

func missing(p vg.Point) bool { return p.X != p.X || p.Y != p.Y }

// paint is a colour with the transparency of its mark.
func paint(c figure.RGBA, alpha float64) color.Color {
	b := func(x float64) uint8 { return uint8(math.Round(255 * max(0, min(1, x)))) }
	return color.NRGBA{b(c.R), b(c.G), b(c.B), b(c.A * alpha)}
}

func stroke(s *figure.Style) draw.LineStyle {
	l := draw.LineStyle{Color: paint(s.Color, s.Alpha), Width: vg.Length(s.Width) * 0.9}
	switch unit := max(vg.Length(s.Width), 0.8); s.Dash {
	case "--":
		l.Dashes = []vg.Length{4 * unit, 2 * unit}
	case ":":
		l.Dashes = []vg.Length{unit, 1.6 * unit}
	case "-.":
		l.Dashes = []vg.Length{5 * unit, 2 * unit, unit, 2 * unit}
	}
	return l
}

func (q *painter) marks() {
	for k := range q.a.Marks {
		if q.a.Marks[k].Kind == figure.Image {
			q.image(&q.a.Marks[k])
		}
	}
	for k := range q.a.Marks {
		m := &q.a.Marks[k]
		switch m.Kind {
		case figure.Line:
			q.line(m)
		case figure.Bars:
			for i := range m.X {
				x0, x1, y0, y1 := m.X[i]-m.W[i]/2, m.X[i]+m.W[i]/2, m.Base[i], m.Base[i]+m.Y[i]
				if m.Sideways {
					x0, x1, y0, y1 = y0, y1, x0, x1
				}
				c := m.Face
				if i < len(m.Colors) {
					c = m.Colors[i]
				}
				q.area([]float64{x0, x1, x1, x0}, []float64{y0, y0, y1, y1}, c, m)
			}
		case figure.Errors:
			s := stroke(&m.Style)
			s.Dashes = nil
			for i := range m.X {
				if m.YLow[i] != 0 || m.YHigh[i] != 0 {
					q.segment(s, m.X[i], m.Y[i]-m.YLow[i], m.X[i], m.Y[i]+m.YHigh[i])
				}
				if m.XLow[i] != 0 || m.XHigh[i] != 0 {
					q.segment(s, m.X[i]-m.XLow[i], m.Y[i], m.X[i]+m.XHigh[i], m.Y[i])
				}
			}
		case figure.Fill:
			q.fill(m)
		case figure.Area:
			q.area(m.X, m.Y, m.Face, m)
		case figure.Across:
			s := stroke(&m.Style)
			if m.Across {
				if x := q.px(m.X[0]); x >= q.Min.X && x <= q.Max.X {
					h := q.Max.Y - q.Min.Y
					q.StrokeLine2(s, x, q.Min.Y+vg.Length(m.Lo)*h, x, q.Min.Y+vg.Length(m.Hi)*h)
				}
			} else if y := q.py(m.Y[0]); y >= q.Min.Y && y <= q.Max.Y {
				w := q.Max.X - q.Min.X
				q.StrokeLine2(s, q.Min.X+vg.Length(m.Lo)*w, y, q.Min.X+vg.Length(m.Hi)*w, y)
			}
		case figure.Band:
			x, y := q.x[:], q.y[:]
			if m.Across {
				x = m.X
			} else {
				y = m.Y
			}
			q.area([]float64{x[0], x[1], x[1], x[0]}, []float64{y[0], y[0], y[1], y[1]}, m.Face, m)
		case figure.Segments:
			s := stroke(&m.Style)
			for i := range m.X {
				q.segment(s, m.X[i], m.Y[i], m.X2[i], m.Y2[i])
			}
		case figure.Text:
			q.text(m)
		case figure.Arrow:
			q.arrow(m)
		}
	}
}

func (q *painter) segment(s draw.LineStyle, x0, y0, x1, y1 float64) {
	a, b := vg.Point{X: q.px(x0), Y: q.py(y0)}, vg.Point{X: q.px(x1), Y: q.py(y1)}
	if !missing(a) && !missing(b) {
		q.StrokeLines(s, q.ClipLinesXY([]vg.Point{a, b})...)
	}
}

// area fills a polygon.
func (q *painter) area(x, y []float64, face figure.RGBA, m *figure.Mark) {
	var pts []vg.Point
	for k := range x {
		if p := (vg.Point{X: q.px(x[k]), Y: q.py(y[k])}); !missing(p) {
			pts = append(pts, p)
		} else if q.a.Y.Log { // a bar from 0
			p.Y = q.Min.Y
			if !missing(p) {
				pts = append(pts, p)
			}
		}
	}
	if len(pts) < 3 {
		return
	}
	if face.A > 0 {
		q.FillPolygon(paint(face, m.Alpha), q.ClipPolygonXY(pts))
	}
	if m.Edge.A > 0 && m.Kind != figure.Line && m.Kind != figure.Area {
		q.StrokeLines(draw.LineStyle{Color: paint(m.Edge, m.Alpha), Width: 0.8}, q.ClipLinesXY(append(pts, pts[0]))...)
	}
}

func (q *painter) fill(m *figure.Mark) {
	from := 0
	flush := func(to int) {
		if to-from > 1 {
			var x, y []float64
			for k := from; k < to; k++ {
				x, y = append(x, m.X[k]), append(y, m.Y[k])
			}
			for k := to - 1; k >= from; k-- {
				x, y = append(x, m.X[k]), append(y, m.Y2[k])
			}
			q.area(x, y, m.Face, m)
		}
		from = to + 1
	}
	for k := range m.X {
		if k < len(m.Blank) && m.Blank[k] || m.X[k]-m.X[k] != 0 || m.Y[k]-m.Y[k] != 0 || m.Y2[k]-m.Y2[k] != 0 {
			flush(k)
		}
	}
	flush(len(m.X))
}

// line draws a line and its markers.
func (q *painter) line(m *figure.Mark) {
	pts := make([]vg.Point, len(m.X))
	for k := range pts {
		pts[k] = vg.Point{X: q.px(m.X[k]), Y: q.py(m.Y[k])}
	}
	if m.Dash != "" && m.Width > 0 {
		s := stroke(&m.Style)
		from := 0
		for k := 0; k <= len(pts); k++ {
			if k < len(pts) && !missing(pts[k]) {
				continue
			}
			if k-from > 1 {
				for _, l := range q.ClipLinesXY(thinned(pts[from:k])) {
					strokeLine(q.Canvas, s, l)
				}
			}
			from = k + 1
		}
	}
	if m.Marker == "" {
		return
	}
	lo, hi := ends(m)
	seen := map[[2]int32]bool{}
	for k, p := range pts {
		if missing(p) || p.X < q.Min.X-1 || p.X > q.Max.X+1 || p.Y < q.Min.Y-1 || p.Y > q.Max.Y+1 {
			continue
		}
		s := m.Style
		switch {
		case k < len(m.Colors):
			s.Face, s.Edge = m.Colors[k], m.Colors[k]
		case k < len(m.Z):
			s.Face = figure.Mapped(m.Map, (m.Z[k]-lo)/(hi-lo))
			s.Edge = s.Face
		default:
			if len(pts) > 2000 && len(m.Sizes) == 0 { // one marker for what would lie on each other
				at := [2]int32{int32(p.X * 2), int32(p.Y * 2)}
				if seen[at] {
					continue
				}
				seen[at] = true
			}
		}
		if k < len(m.Sizes) {
			s.Size = m.Sizes[k]
		}
		q.marker(p, &s)
	}
}

// ends are the values of a colour map's ends.
func ends(m *figure.Mark) (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, z := range m.Z {
		if z-z == 0 {
			lo, hi = min(lo, z), max(hi, z)
		}
	}
	if !math.IsNaN(m.Lo) {
		lo = m.Lo
	}
	if !math.IsNaN(m.Hi) {
		hi = m.Hi
	}
	if !(hi > lo) {
		hi = lo + 1
	}
	return
}

// thinned leaves of a long line's points the first, the least, the greatest and
// the last of each column of the picture: what is drawn is the same.
func thinned(pts []vg.Point) []vg.Point {
	if len(pts) < 5000 {
		return pts
	}
	var r []vg.Point
	for k := 0; k < len(pts); {
		col := int(pts[k].X * 2)
		lo, hi, end := k, k, k
		for end < len(pts) && int(pts[end].X*2) == col {
			if pts[end].Y < pts[lo].Y {
				lo = end
			}
			if pts[end].Y > pts[hi].Y {
				hi = end
			}
			end++
		}
		last := -1
		for _, i := range []int{k, min(lo, hi), max(lo, hi), end - 1} {
			if i > last {
				r, last = append(r, pts[i]), i
			}
		}
		k = end
	}
	return r
}

// marker draws one of matplotlib's markers.
func (q *painter) marker(p vg.Point, s *figure.Style) {
	r := vg.Length(s.Size) / 2
	face, edge := paint(s.Face, s.Alpha), draw.LineStyle{Color: paint(s.Color, s.Alpha), Width: max(0.6, r/4)}
	if len(s.Colors) > 0 || s.Edge != s.Face || s.Face != s.Color {
		edge.Color = paint(s.Edge, s.Alpha)
	}
	polygon := func(n int, turn, size float64) {
		pts := make([]vg.Point, n)
		for k := range pts {
			a := turn + 2*math.Pi*float64(k)/float64(n)
			pts[k] = vg.Point{X: p.X + r*vg.Length(size*math.Cos(a)), Y: p.Y + r*vg.Length(size*math.Sin(a))}
		}
		q.FillPolygon(face, pts)
		if s.Edge != s.Face {
			q.StrokeLines(draw.LineStyle{Color: paint(s.Edge, s.Alpha), Width: 0.8}, append(pts, pts[0]))
		}
	}
	cross := func(dx, dy vg.Length) { q.StrokeLine2(edge, p.X-dx, p.Y-dy, p.X+dx, p.Y+dy) }
	if s.Face.A == 0 && strings.Contains("osD^v<>ph", s.Marker) { // hollow
		face = color.Transparent
	}
	switch s.Marker {
	case ",":
		r = 0.4
		polygon(4, math.Pi/4, 1.4)
	case ".":
		r = max(r/2, 0.5)
		if r < 1.2 {
			polygon(8, 0, 1)
		} else {
			polygon(16, 0, 1)
		}
	case "o", "8":
		polygon(20, 0, 1)
	case "s":
		polygon(4, math.Pi/4, 1.3)
	case "D":
		polygon(4, 0, 1.3)
	case "d":
		polygon(4, 0, 1)
	case "^", "2":
		polygon(3, math.Pi/2, 1.2)
	case "v", "1":
		polygon(3, -math.Pi/2, 1.2)
	case "<", "3":
		polygon(3, math.Pi, 1.2)
	case ">", "4":
		polygon(3, 0, 1.2)
	case "p":
		polygon(5, math.Pi/2, 1.1)
	case "h", "H":
		polygon(6, math.Pi/2, 1.1)
	case "|":
		cross(0, r)
	case "_":
		cross(r, 0)
	case "+", "P":
		cross(r, 0)
		cross(0, r)
	case "x", "X":
		cross(r*0.8, r*0.8)
		cross(r*0.8, -r*0.8)
	case "*":
		cross(0, r)
		cross(r*0.87, r*0.5)
		cross(r*0.87, -r*0.5)
	}
}

// image draws a table of values: each point of the picture has its cell's colour.
func (q *painter) image(m *figure.Mark) {
	lo, hi := ends(m)
	r := vg.Rectangle{Min: vg.Point{X: q.px(m.X[0]), Y: q.py(m.Y[0])}, Max: vg.Point{X: q.px(m.X[1]), Y: q.py(m.Y[1])}}
	left, right := r.Min.X, r.Max.X
	bottom, top := r.Min.Y, r.Max.Y
	x0, x1 := max(min(left, right), q.Min.X), min(max(left, right), q.Max.X)
	y0, y1 := max(min(bottom, top), q.Min.Y), min(max(bottom, top), q.Max.Y)
	if !(x1 > x0 && y1 > y0) {
		return
	}
	w, h := max(1, int((x1-x0)*figureDPI/72)), max(1, int((y1-y0)*figureDPI/72))
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for j := range h {
		y := y1 - (vg.Length(j)+0.5)*(y1-y0)/vg.Length(h)
		v := float64((y-bottom)/(top-bottom)) * float64(m.Rows)
		for i := range w {
			x := x0 + (vg.Length(i)+0.5)*(x1-x0)/vg.Length(w)
			u := float64((x-left)/(right-left)) * float64(m.Cols)
			z := cell(m, u, v)
			img.Set(i, j, paint(figure.Mapped(m.Map, (z-lo)/(hi-lo)), m.Alpha))
		}
	}
	q.DrawImage(vg.Rectangle{Min: vg.Point{X: x0, Y: y0}, Max: vg.Point{X: x1, Y: y1}}, img)
}

// cell is a value of a table, between the cells where it is smooth.
func cell(m *figure.Mark, u, v float64) float64 {
	at := func(i, j int) float64 {
		return m.Z[max(0, min(m.Rows-1, i))*m.Cols+max(0, min(m.Cols-1, j))]
	}
	if !m.Smooth {
		return at(int(math.Floor(v)), int(math.Floor(u)))
	}
	u, v = u-0.5, v-0.5
	i, j := int(math.Floor(v)), int(math.Floor(u))
	fu, fv := u-float64(j), v-float64(i)
	return at(i, j)*(1-fu)*(1-fv) + at(i, j+1)*fu*(1-fv) + at(i+1, j)*(1-fu)*fv + at(i+1, j+1)*fu*fv
}

func textStyle(size float64, c figure.RGBA) draw.TextStyle {
	return draw.TextStyle{Color: paint(c, 1), Font: sans(vg.Length(size)), Handler: plot.DefaultTextHandler}
}

func (q *painter) text(m *figure.Mark) {
	p := vg.Point{X: q.px(m.X[0]), Y: q.py(m.Y[0])}
	if m.Relative {
		p = vg.Point{X: q.Min.X + vg.Length(m.X[0])*(q.Max.X-q.Min.X), Y: q.Min.Y + vg.Length(m.Y[0])*(q.Max.Y-q.Min.Y)}
	}
	if w := q.Max.X - q.Min.X; missing(p) || p.X < q.Min.X-w || p.X > q.Max.X+w || p.Y < q.Min.Y-w || p.Y > q.Max.Y+w {
		return
	}
	s := textStyle(m.Font, m.Color)
	if m.Bold {
		s.Font.Weight = 3
	}
	s.XAlign = map[string]draw.XAlignment{"center": draw.XCenter, "right": draw.XRight}[m.HAlign]
	s.YAlign = map[string]draw.YAlignment{"center": draw.YCenter, "top": draw.YTop}[m.VAlign]
	s.Rotation = m.Rotated * math.Pi / 180
	words := readable(m.Words)
	if m.Backdrop && words != "" {
		b := s.Rectangle(words).Add(p)
		q.FillPolygon(color.White, []vg.Point{b.Min, {X: b.Max.X, Y: b.Min.Y}, b.Max, {X: b.Min.X, Y: b.Max.Y}})
	}
	q.FillText(s, p, words)
}

func (q *painter) arrow(m *figure.Mark) {
	a, b := vg.Point{X: q.px(m.X[0]), Y: q.py(m.Y[0])}, vg.Point{X: q.px(m.X[1]), Y: q.py(m.Y[1])}
	if missing(a) || missing(b) {
		return
	}
	m.Dash = "-"
	s := stroke(&m.Style)
	q.StrokeLines(s, q.ClipLinesXY([]vg.Point{a, b})...)
	if l := math.Hypot(float64(b.X-a.X), float64(b.Y-a.Y)); l > 0 && q.Contains(b) {
		ux, uy := vg.Length(float64(b.X-a.X)/l), vg.Length(float64(b.Y-a.Y)/l)
		q.FillPolygon(s.Color, []vg.Point{b, {X: b.X - 6*ux - 3*uy, Y: b.Y - 6*uy + 3*ux}, {X: b.X - 6*ux + 3*uy, Y: b.Y - 6*uy - 3*ux}})
	}
}

func (q *painter) grid(p *plot.Plot) {
	s := draw.LineStyle{Color: color.Gray{205}, Width: 0.5}
	for _, t := range p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max) {
		if at := q.px(t.Value); t.Label != "" {
			q.StrokeLine2(s, at, q.Min.Y, at, q.Max.Y)
		}
	}
	for _, t := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
		if at := q.py(t.Value); t.Label != "" {
			q.StrokeLine2(s, q.Min.X, at, q.Max.X, at)
		}
	}
}

// rightAxis draws the y axis of axes that share another one's x.
func (q *painter) rightAxis() {
	s := draw.LineStyle{Color: ink, Width: 0.8}
	t := textStyle(9, figure.RGBA{R: 0.16, G: 0.16, B: 0.16, A: 1})
	t.YAlign = draw.YCenter
	for _, k := range (ticker{&q.a.Y, 6, 20}).Ticks(min(q.y[0], q.y[1]), max(q.y[0], q.y[1])) {
		y := q.py(k.Value)
		q.StrokeLine2(s, q.Max.X, y, q.Max.X+3.5, y)
		if strings.TrimSpace(k.Label) != "" {
			q.FillText(t, vg.Point{X: q.Max.X + 5, Y: y}, k.Label)
		}
	}
	if q.a.Y.Label != "" {
		t = textStyle(10, figure.RGBA{R: 0.16, G: 0.16, B: 0.16, A: 1})
		t.Rotation, t.XAlign, t.YAlign = math.Pi/2, draw.XCenter, draw.YTop
		q.FillText(t, vg.Point{X: q.Max.X + 30, Y: (q.Min.Y + q.Max.Y) / 2}, readable(q.a.Y.Label))
	}
}

// colorbar draws the colours of the first image at the right of its axes.
func (q *painter) colorbar() {
	var m *figure.Mark
	for k := range q.a.Marks {
		if x := &q.a.Marks[k]; len(x.Z) > 0 {
			m = x
			break
		}
	}
	if m == nil {
		return
	}
	lo, hi := ends(m)
	x0, x1 := q.Max.X+0.1*vg.Inch, q.Max.X+0.25*vg.Inch
	img := image.NewNRGBA(image.Rect(0, 0, 1, 256))
	for k := range 256 {
		img.Set(0, 255-k, paint(figure.Mapped(m.Map, float64(k)/255), 1))
	}
	bar := vg.Rectangle{Min: vg.Point{X: x0, Y: q.Min.Y}, Max: vg.Point{X: x1, Y: q.Max.Y}}
	q.DrawImage(bar, img)
	s := draw.LineStyle{Color: ink, Width: 0.6}
	q.StrokeLines(s, []vg.Point{bar.Min, {X: x1, Y: q.Min.Y}, bar.Max, {X: x0, Y: q.Max.Y}, bar.Min})
	t := textStyle(8, figure.RGBA{R: 0.16, G: 0.16, B: 0.16, A: 1})
	t.YAlign = draw.YCenter
	for _, k := range (ticker{&figure.Axis{}, 6, 20}).Ticks(lo, hi) {
		y := q.Min.Y + vg.Length((k.Value-lo)/(hi-lo))*(q.Max.Y-q.Min.Y)
		q.StrokeLine2(s, x1, y, x1+3, y)
		q.FillText(t, vg.Point{X: x1 + 5, Y: y}, k.Label)
	}
	if q.a.ColorbarLabel != "" {
		t.Rotation, t.XAlign, t.YAlign = math.Pi/2, draw.XCenter, draw.YTop
		q.FillText(t, vg.Point{X: x1 + 30, Y: (q.Min.Y + q.Max.Y) / 2}, readable(q.a.ColorbarLabel))
	}
}

// legend draws the labels of marks, where they hide least.
func (q *painter) legend() {
	var list []*figure.Mark
	t := textStyle(9, figure.RGBA{A: 1})
	t.YAlign = draw.YCenter
	var w vg.Length
	for k := range q.a.Marks {
		if m := &q.a.Marks[k]; m.Label != "" && !strings.HasPrefix(m.Label, "_") {
			list = append(list, m)
			w = max(w, t.Width(readable(m.Label)))
		}
	}
	if len(list) == 0 {
		return
	}
	const row, sample, pad = 13, 22, 5
	w, h := w+sample+3*pad, vg.Length(len(list))*row+2*pad
	at := func(dx, dy vg.Length) vg.Rectangle { // parts of the free room
		x := q.Min.X + 6 + dx*(q.Max.X-q.Min.X-w-12)
		y := q.Min.Y + 6 + dy*(q.Max.Y-q.Min.Y-h-12)
		return vg.Rectangle{Min: vg.Point{X: x, Y: y}, Max: vg.Point{X: x + w, Y: y + h}}
	}
	places := map[string][2]vg.Length{"upper right": {1, 1}, "upper left": {0, 1}, "lower left": {0, 0}, "lower right": {1, 0}, "right": {1, 0.5}, "center left": {0, 0.5}, "center right": {1, 0.5}, "lower center": {0.5, 0}, "upper center": {0.5, 1}, "center": {0.5, 0.5}}
	box := at(1, 1)
	if p, ok := places[q.a.LegendAt]; ok {
		box = at(p[0], p[1])
	} else {
		least := math.MaxInt
		for _, name := range []string{"upper right", "upper left", "lower left", "lower right", "center right", "center left", "upper center", "lower center"} {
			b := at(places[name][0], places[name][1])
			n := 0
			for k := range q.a.Marks {
				m := &q.a.Marks[k]
				if m.Kind != figure.Line {
					continue
				}
				for i := 0; i < len(m.X); i += 1 + len(m.X)/2000 {
					if x, y := q.px(m.X[i]), q.py(m.Y[i]); x > b.Min.X && x < b.Max.X && y > b.Min.Y && y < b.Max.Y {
						n++
					}
				}
			}
			if n < least {
				box, least = b, n
			}
		}
	}
	q.FillPolygon(color.NRGBA{255, 255, 255, 215}, []vg.Point{box.Min, {X: box.Max.X, Y: box.Min.Y}, box.Max, {X: box.Min.X, Y: box.Max.Y}})
	q.StrokeLines(draw.LineStyle{Color: color.Gray{200}, Width: 0.6}, []vg.Point{box.Min, {X: box.Max.X, Y: box.Min.Y}, box.Max, {X: box.Min.X, Y: box.Max.Y}, box.Min})
	for k, m := range list {
		y := box.Max.Y - pad - row*(vg.Length(k)+0.5)
		x0, x1 := box.Min.X+pad, box.Min.X+pad+sample
		switch m.Kind {
		case figure.Bars, figure.Fill, figure.Band, figure.Area:
			q.FillPolygon(paint(m.Face, m.Alpha), []vg.Point{{X: x0, Y: y - 3.5}, {X: x1, Y: y - 3.5}, {X: x1, Y: y + 3.5}, {X: x0, Y: y + 3.5}})
		default:
			if m.Dash != "" {
				q.StrokeLine2(stroke(&m.Style), x0, y, x1, y)
			}
			if m.Marker != "" {
				s := m.Style
				s.Size = min(max(s.Size, 4), 8)
				q.marker(vg.Point{X: (x0 + x1) / 2, Y: y}, &s)
			}
		}
		q.FillText(t, vg.Point{X: x1 + pad, Y: y}, readable(m.Label))
	}
}

// greek are TeX's letters in labels.
var greek = strings.NewReplacer(`\alpha`, "α", `\beta`, "β", `\gamma`, "γ", `\delta`, "δ", `\epsilon`, "ε", `\varepsilon`, "ε", `\eta`, "η", `\theta`, "θ", `\lambda`, "λ", `\mu`, "µ", `\nu`, "ν", `\pi`, "π", `\rho`, "ρ", `\sigma`, "σ",
	`\tau`, "τ", `\phi`, "φ", `\varphi`, "φ", `\chi`, "χ", `\psi`, "ψ", `\omega`, "ω", `\Omega`, "Ω", `\Delta`, "Δ", `\Gamma`, "Γ", `\Sigma`, "Σ", `\Phi`, "Φ", `\Theta`, "Θ", `\infty`, "∞", `\cdot`, "·", `\times`, "×", `\pm`, "±", `\circ`, "°",
	`\mathrm`, "", `\mathbf`, "", `\mathit`, "", `\text`, "", `\rm`, "", `\langle`, "<", `\rangle`, ">", `\leq`, "≤", `\geq`, "≥", `\approx`, "≈", `\rightarrow`, "→", `\,`, " ", `\ `, " ", `\;`, " ", `^2`, "²", `^3`, "³", `^{2}`, "²", `^{3}`, "³", "{", "", "}", "")

// readable is a text without TeX's marks: what stands between two $ is read as
// far as letters go.
func readable(s string) string {
	parts := strings.Split(s, "$")
	if len(parts) < 3 {
		return s
	}
	for k := 1; k < len(parts); k += 2 {
		if k == len(parts)-1 {
			break
		}
		parts[k] = greek.Replace(parts[k])
	}
	return strings.Join(parts, "")
}
