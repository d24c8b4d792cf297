package plot

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// rates draws the populations' rates in bins of time.
func rates(pops []Spikes, time timeAxis) *plot.Plot {
	p := newPlot()
	lo, hi := time.lo/time.scale, time.hi/time.scale
	// Some 300 bins, and enough spikes in them that the line shows the rate, not its shot noise alone.
	bin := max(niceStep((hi-lo)/300), min(1e-3, (hi-lo)/20))
	n := max(int((hi-lo)/bin+1e-3), 1)
	top := 0.0
	p.Add(grid{})
	for k, pop := range pops {
		count := make([]float64, n)
		for _, t := range pop.T {
			if b := int(math.Floor((t-lo)/bin + 1e-3)); b >= 0 && b < n {
				count[b]++
			}
		}
		line := make(plotter.XYs, 0, 2*n)
		for b, c := range count {
			r := c / (float64(max(pop.N, 1)) * bin)
			top = max(top, r)
			line = append(line, plotter.XY{X: (lo + float64(b)*bin) * time.scale, Y: r},
				plotter.XY{X: (lo + float64(b+1)*bin) * time.scale, Y: r})
		}
		p.Add(strokes{xy: line, color: Color(k), width: 1})
	}
	p.Y.Label.Text = "rate (Hz)"
	p.Y.Tick.Marker = nice(4)
	p.Y.Min, p.Y.Max = 0, max(top*1.05, 1e-9)
	if top == 0 {
		p.Y.Max = 1
	}
	p.Add(note(fmt.Sprintf("bins of %g ms", math.Round(bin*1e6)/1e3)))
	return p
}

// maxRows is how many rows of one variable a panel shows.
const maxRows = 8

// traces draws the rows of a recorded variable.
func traces(t Trace, time timeAxis) *plot.Plot {
	p := newPlot()
	lo, hi := math.Inf(1), math.Inf(-1)
	rows := min(len(t.V), maxRows)
	for _, v := range t.V[:rows] {
		for _, x := range v {
			if x := float64(x); !math.IsInf(x, 0) && x == x {
				lo, hi = min(lo, x), max(hi, x)
			}
		}
	}
	if lo > hi {
		lo, hi = 0, 0
	}
	scale, unit := prefix(max(math.Abs(lo), math.Abs(hi)), t.Unit)
	lo, hi = lo*scale, hi*scale
	pad := 0.06 * (hi - lo)
	if hi-lo < 1e-12*max(math.Abs(hi), 1e-30) || hi == lo {
		pad = max(math.Abs(hi)*0.05, 0.5)
	}
	p.Y.Min, p.Y.Max = lo-pad, hi+pad
	p.Y.Label.Text = shorten(t.Name, 18)
	if unit != "" {
		p.Y.Label.Text += " (" + unit + ")"
	}
	p.Y.Tick.Marker = nice(4)
	p.Add(grid{})
	for k, v := range t.V[:rows] {
		xy := make(plotter.XYs, 0, len(v))
		for s, x := range v[:min(len(v), len(t.T))] {
			if x := float64(x); !math.IsInf(x, 0) && x == x {
				xy = append(xy, plotter.XY{X: t.T[s] * time.scale, Y: x * scale})
			}
		}
		p.Add(strokes{xy: xy, color: Color(k), width: 0.9})
	}
	if len(t.V) > rows {
		p.Add(note(fmt.Sprintf("%d of %d recorded rows", rows, len(t.V))))
	}
	return p
}

// prefix returns the factor and the prefixed unit in which x is a number between 1 and 1000; only for simple units.
func prefix(x float64, unit string) (float64, string) {
	simple := unit != "" && len(unit) <= 3
	for _, r := range unit {
		simple = simple && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == 'Ω')
	}
	if !simple || x == 0 || unit == "kg" || unit == "rad" {
		return 1, unit
	}
	names := []string{"f", "p", "n", "µ", "m", "", "k", "M", "G"}
	k := min(max(int(math.Floor(math.Log10(x)/3+1e-9)), -5), 3)
	if k == -1 && unit == "Hz" || k == 1 && unit == "Hz" {
		k = 0
	}
	return math.Pow(10, float64(-3*k)), names[k+5] + unit
}

// strokes is a line of which at most four points fall on one column of pixels: first, least, greatest and last.
type strokes struct {
	xy    plotter.XYs
	color color.Color
	width vg.Length
}

func (s strokes) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	const columns = 3 // of a point
	var line []vg.Point
	for k := 0; k < len(s.xy); {
		column := math.Floor(float64(x(s.xy[k].X)) * columns)
		end, low, high := k, k, k
		for end < len(s.xy) && math.Floor(float64(x(s.xy[end].X))*columns) == column {
			if s.xy[end].Y < s.xy[low].Y {
				low = end
			}
			if s.xy[end].Y > s.xy[high].Y {
				high = end
			}
			end++
		}
		last := -1
		for _, m := range []int{k, min(low, high), max(low, high), end - 1} {
			if m != last {
				line = append(line, vg.Point{X: x(s.xy[m].X), Y: y(s.xy[m].Y)})
			}
			last = m
		}
		k = end
	}
	for _, l := range c.ClipLinesXY(line) {
		strokeLine(c, draw.LineStyle{Color: s.color, Width: s.width}, l)
	}
}

// strokeLine draws a line in pieces, where that looks the same: what the rasteriser does for each row of pixels grows with
// the square of the crossings there, which are many of a line that goes up and down.
func strokeLine(c draw.Canvas, s draw.LineStyle, l []vg.Point) {
	const piece = 128
	if _, _, _, a := s.Color.RGBA(); a != 0xffff || len(s.Dashes) > 0 {
		c.StrokeLines(s, l)
		return
	}
	for len(l) > piece {
		c.StrokeLines(s, l[:piece+1])
		l = l[piece:]
	}
	c.StrokeLines(s, l)
}
