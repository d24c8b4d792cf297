package plot

import (
	"image"
	"image/color"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"synfire/engine/figure"
)

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
