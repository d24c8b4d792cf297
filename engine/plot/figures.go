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
		if w := of[d.a.Within]; d.a.Within != nil && w != nil { // which has been drawn
			r := cellOf(draw.Canvas{Canvas: c.Canvas, Rectangle: w.data}, d.a.Place)
			d.cell = vg.Rectangle{Min: vg.Point{X: r.Min.X - m[0], Y: r.Min.Y - m[2]}, Max: vg.Point{X: r.Max.X + m[1], Y: r.Max.Y + m[3]}}
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
