package plot

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// maxSpikes is how many spikes a raster shows. With more it would be a black field that takes long to draw; then every
// k-th neuron is shown with all its spikes, so that each row stays what it was.
const maxSpikes = 50_000

// rasterPlot draws spikes as small marks, the first population on top.
type rasterPlot struct {
	pops  []Spikes
	lower []float64 // the row at which each population begins, from below
	every int       // every k-th neuron is shown
	time  timeAxis
}

// thin returns the least k for which every k-th neuron has at most limit spikes in all within lo and hi (seconds), and
// the share of neurons that it leaves.
func thin(pops []Spikes, lo, hi float64, limit int) int {
	total := 0
	for _, p := range pops {
		for _, t := range p.T {
			if t >= lo && t <= hi {
				total++
			}
		}
	}
	most := 1
	for _, p := range pops {
		most = max(most, p.N)
	}
	for k := max(1, total/limit); ; k++ {
		n := 0
		for _, p := range pops {
			for s, t := range p.T {
				if t >= lo && t <= hi && int(p.I[s])%k == 0 {
					n++
				}
			}
		}
		if n <= limit || k >= most {
			return k
		}
		if n > limit+limit/4 {
			k = max(k, k*n/limit-1)
		}
	}
}

func raster(pops []Spikes, time timeAxis) *plot.Plot {
	r := &rasterPlot{pops: pops, time: time, lower: make([]float64, len(pops))}
	r.every = thin(pops, time.lo/time.scale, time.hi/time.scale, maxSpikes)
	total := 0
	for _, p := range pops {
		total += p.N
	}
	at := float64(total)
	var names []plot.Tick
	for k, p := range pops {
		at -= float64(p.N)
		r.lower[k] = at
		names = append(names, plot.Tick{Value: at + float64(p.N-1)/2, Label: shorten(p.Name, 18)})
	}
	p := newPlot()
	p.Y.Min, p.Y.Max = -0.5, max(float64(total), 1)-0.5
	p.Y.Label.Text = "neuron"
	if len(pops) == 1 {
		p.Y.Label.Text = "neuron of " + shorten(pops[0].Name, 24)
		p.Y.Tick.Marker = indices(6)
	} else {
		p.Y.Label.Text = ""
		p.Y.Tick.Marker = spread(names, float64(total))
		p.Y.Tick.Length = 3
		p.Y.Tick.LineStyle.Color = color.Transparent
	}
	p.Add(r)
	if r.every > 1 {
		p.Add(note(fmt.Sprintf("every %s neuron is shown", ordinal(r.every))))
	}
	return p
}

// spread moves labels apart that would overlap, those of populations too small for a line of text; with more labels than
// lines it leaves out those that have no room.
func spread(names []plot.Tick, total float64) plot.ConstantTicks {
	line := total * float64(13/(rasterHeight-20))
	if float64(len(names))*line <= total {
		for k := 1; k < len(names); k++ { // downwards
			names[k].Value = min(names[k].Value, names[k-1].Value-line)
		}
		for k := len(names) - 1; k >= 0; k-- { // and back up from the lower edge
			low := line / 2
			if k < len(names)-1 {
				low = names[k+1].Value + line
			}
			names[k].Value = max(names[k].Value, low)
		}
		return names
	}
	last := math.Inf(1)
	for k, t := range names {
		if last-t.Value >= line {
			last = t.Value
		} else {
			names[k].Label = ""
		}
	}
	return names
}

func ordinal(n int) string {
	switch {
	case n%100/10 == 1:
		return fmt.Sprintf("%dth", n)
	case n%10 == 1:
		return fmt.Sprintf("%dst", n)
	case n%10 == 2:
		return fmt.Sprintf("%dnd", n)
	case n%10 == 3:
		return fmt.Sprintf("%drd", n)
	}
	return fmt.Sprintf("%dth", n)
}

func (r *rasterPlot) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	// A mark is as high as a row, within limits that keep it visible and distinct.
	row := math.Abs(float64(y(1) - y(0)))
	h := vg.Length(min(max(row*float64(r.every)*0.8, 1.1), 7))
	w := vg.Length(1.1)
	shown := 0
	for _, p := range r.pops {
		shown += len(p.T)
	}
	if shown < 4000 {
		w = 1.5
		h = max(h, 1.8)
	}
	const cells = 4 // of a point: marks that fall into one cell are drawn once
	for k, pop := range r.pops {
		seen := map[[2]int32]bool{}
		var path vg.Path
		c.SetColor(Color(k))
		for s, t := range pop.T {
			if t *= r.time.scale; int(pop.I[s])%r.every != 0 || t < r.time.lo || t > r.time.hi {
				continue
			}
			cx, cy := x(t), y(r.lower[k]+float64(pop.I[s]))
			cell := [2]int32{int32(cx * cells), int32(cy * cells)}
			if seen[cell] {
				continue
			}
			seen[cell] = true
			path.Move(vg.Point{X: cx - w/2, Y: cy - h/2})
			path.Line(vg.Point{X: cx + w/2, Y: cy - h/2})
			path.Line(vg.Point{X: cx + w/2, Y: cy + h/2})
			path.Line(vg.Point{X: cx - w/2, Y: cy + h/2})
			path.Close()
			if len(path) > 5000 {
				c.Fill(path)
				path = path[:0]
			}
		}
		if len(path) > 0 {
			c.Fill(path)
		}
		// The band at the left edge ties the name to the colour; a line parts the populations.
		if len(r.pops) > 1 {
			top, bottom := y(r.lower[k]+float64(pop.N)-0.5), y(r.lower[k]-0.5)
			c.FillPolygon(Color(k), []vg.Point{{X: c.Min.X - 4, Y: bottom + 0.3}, {X: c.Min.X - 0.8, Y: bottom + 0.3},
				{X: c.Min.X - 0.8, Y: top - 0.3}, {X: c.Min.X - 4, Y: top - 0.3}})
			if k > 0 {
				c.StrokeLine2(draw.LineStyle{Color: color.Gray{170}, Width: 0.5}, c.Min.X, top, c.Max.X, top)
			}
		}
	}
}
