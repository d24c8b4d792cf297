package plot

import (
	"image/color"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// timeAxis is the axis of time that all panels share, in the unit that makes for short numbers.
type timeAxis struct {
	lo, hi float64 // in unit
	unit   string
	scale  float64 // units in a second
}

func newTimeAxis(lo, hi float64) timeAxis {
	t := timeAxis{unit: "s", scale: 1}
	if hi-lo < 2 {
		t = timeAxis{unit: "ms", scale: 1e3}
	}
	t.lo, t.hi = lo*t.scale, hi*t.scale
	return t
}

// Ticks places a label at multiples of 1, 2 or 5 times a power of ten, smaller ticks between them.
func (t timeAxis) Ticks(lo, hi float64) []plot.Tick { return ticks(lo, hi, 9) }

// unlabelled is an axis whose numbers stand under another panel.
type unlabelled struct{ plot.Ticker }

func (u unlabelled) Ticks(lo, hi float64) []plot.Tick {
	t := u.Ticker.Ticks(lo, hi)
	for k := range t {
		if t[k].Label != "" {
			t[k].Label = " " // a tick of full length
		}
	}
	return t
}

// nice is a ticker for axes of values, with at most n labels.
type nice int

func (n nice) Ticks(lo, hi float64) []plot.Tick { return ticks(lo, hi, int(n)) }

// indices is a ticker for an axis of whole numbers.
type indices int

func (n indices) Ticks(lo, hi float64) []plot.Tick {
	return ticks(lo, hi, min(int(n), max(int(hi-lo), 1)))
}

func ticks(lo, hi float64, n int) []plot.Tick {
	if !(hi > lo) {
		return []plot.Tick{{Value: lo, Label: strconv.FormatFloat(lo, 'g', 4, 64)}}
	}
	step := niceStep((hi - lo) / float64(n))
	decimals := max(0, int(-math.Floor(math.Log10(step)+1e-9)))
	var ts []plot.Tick
	for k := math.Ceil(lo/step - 1e-9); k*step <= hi+step*1e-9 && math.Abs(k) < 1<<50 && len(ts) < 1000; k++ { // beyond, k+1 is k
		v := k * step
		if k == 0 {
			v = 0
		}
		ts = append(ts, plot.Tick{Value: v, Label: strconv.FormatFloat(v, 'f', decimals, 64)})
	}
	return ts
}

// niceStep returns the least of 1, 2, 5 times a power of ten that is at least x.
func niceStep(x float64) float64 {
	p := math.Pow(10, math.Floor(math.Log10(x)))
	for _, m := range []float64{1, 2, 5, 10} {
		if m*p >= x*(1-1e-9) {
			return m * p
		}
	}
	return 10 * p
}

// grid draws faint lines at the labelled ticks.
type grid struct{}

func (grid) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	s := draw.LineStyle{Color: faint, Width: 0.5}
	for _, t := range p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max) {
		if at := x(t.Value); t.Label != "" && at > c.Min.X+1 && at < c.Max.X-1 {
			c.StrokeLine2(s, at, c.Min.Y, at, c.Max.Y)
		}
	}
	for _, t := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
		if at := y(t.Value); t.Label != "" && at > c.Min.Y+1 && at < c.Max.Y-1 {
			c.StrokeLine2(s, c.Min.X, at, c.Max.X, at)
		}
	}
}

// note writes a remark above the panel, at its right end.
type note string

func (n note) Plot(c draw.Canvas, p *plot.Plot) {
	s := draw.TextStyle{Color: color.Gray{90}, Font: sans(9), XAlign: draw.XRight, YAlign: draw.YBottom, Handler: plot.DefaultTextHandler}
	c.FillText(s, vg.Point{X: c.Max.X, Y: c.Max.Y + 3}, string(n))
}
