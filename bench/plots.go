package bench

import (
	"fmt"
	"image/color"
	"path/filepath"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	palette "synfire/engine/plot"
)

// plots draws the report's pictures: scaling with size, time by phase, and the
// ratio to each peer, those of them that there are figures for.
func (r *Results) plots(dir string) ([]picture, error) {
	var out []picture
	save := func(name, title string, p *plot.Plot, w, h vg.Length) error {
		if p == nil {
			return nil
		}
		p.Title.Text = title
		for _, ext := range []string{".png", ".svg"} {
			if err := p.Save(w, h, filepath.Join(dir, name+ext)); err != nil {
				return err
			}
		}
		out = append(out, picture{name, title})
		return nil
	}
	var names []string
	for k := range r.Rows {
		if n := r.Rows[k].Workload; !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	for _, n := range names {
		p, err := r.scalingPlot(n)
		if err == nil {
			err = save("scaling_"+n, "Scaling of "+n, p, 6*vg.Inch, 4*vg.Inch)
		}
		if err != nil {
			return out, err
		}
	}
	p, bars, err := r.phasePlot()
	if err == nil {
		err = save("phases", "Time by phase", p, 8*vg.Inch, vg.Length(bars)*0.28*vg.Inch+1.2*vg.Inch)
	}
	if err != nil {
		return out, err
	}
	p, points, err := r.peerPlot()
	if err == nil {
		err = save("peers", "Time of peers over ours, same model, machine and threads", p, 8*vg.Inch, vg.Length(points)*0.28*vg.Inch+1.2*vg.Inch)
	}
	return out, err
}

func newPlot() *plot.Plot {
	p := plot.New()
	p.BackgroundColor = color.White
	sans := func(size vg.Length) font.Font { return font.Font{Typeface: "Liberation", Variant: "Sans", Size: size} }
	p.Title.TextStyle.Font, p.Legend.TextStyle.Font = sans(12), sans(9)
	p.Title.Padding = 6
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Label.TextStyle.Font, a.Tick.Label.Font = sans(10), sans(9)
	}
	return p
}

// scalingPlot draws real-time factor over size, both logarithmic; nil where no
// backend has two sizes.
func (r *Results) scalingPlot(name string) (*plot.Plot, error) {
	series := map[string]plotter.XYs{}
	var order []string
	sizes := map[float64]bool{}
	for k := range r.Rows {
		row := &r.Rows[k]
		if row.Workload != name || len(row.Samples) == 0 {
			continue
		}
		f := row.figures(&r.Machine)
		y := f.rtf
		if name == "build" {
			y = f.build + f.compile
		}
		if y <= 0 {
			continue
		}
		label := fmt.Sprintf("%s, %d thr", row.where(), max(row.Threads, 1))
		if row.Backend == "gl" {
			label = row.where()
		}
		if series[label] == nil {
			order = append(order, label)
		}
		series[label] = append(series[label], plotter.XY{X: row.Size, Y: y})
		sizes[row.Size] = true
	}
	if len(sizes) < 2 {
		return nil, nil
	}
	p := newPlot()
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.LogTicks{Prec: -1}, plot.LogTicks{Prec: -1}
	p.X.Label.Text, p.Y.Label.Text = workload(name).Param, "wall time / model time"
	if name == "build" {
		p.Y.Label.Text = "construction (s)"
	}
	p.Legend.Top, p.Legend.Left = true, true
	p.Add(plotter.NewGrid())
	for k, label := range order {
		xy := series[label]
		slices.SortFunc(xy, func(a, b plotter.XY) int {
			if a.X < b.X {
				return -1
			}
			return 1
		})
		line, points, err := plotter.NewLinePoints(xy)
		if err != nil {
			return nil, err
		}
		line.Color, line.Width = palette.Color(k), 1.5
		points.Color, points.Shape, points.Radius = palette.Color(k), draw.CircleGlyph{}, 2.5
		p.Add(line, points)
		p.Legend.Add(label, line, points)
	}
	return widen(p), nil
}

// widen keeps an axis from having no length.
func widen(p *plot.Plot) *plot.Plot {
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		if _, log := a.Scale.(plot.LogScale); log {
			a.Min, a.Max = a.Min/1.3, a.Max*1.3
		}
	}
	return p
}

// phasePlot draws where the time of each case goes, as shares; bars is how many
// cases there are.
func (r *Results) phasePlot() (p *plot.Plot, bars int, err error) {
	phases := []string{"compile", "build", "update", "deliver", "record", "wait", "run, not told apart"}
	values := make([]plotter.Values, len(phases))
	var labels []string
	for k := len(r.Rows) - 1; k >= 0; k-- { // the first stands on top
		row := &r.Rows[k]
		if len(row.Samples) == 0 {
			continue
		}
		s := &row.Samples[0]
		f := row.figures(&r.Machine)
		all := 0.0
		for _, t := range s.Phases {
			all += t
		}
		total := f.compile + f.build + f.run
		if total <= 0 {
			continue
		}
		for i, name := range phases {
			v := 0.0
			switch {
			case i == 0:
				v = f.compile
			case i == 1:
				v = f.build
			case i == len(phases)-1 && all == 0:
				v = f.run
			case all > 0:
				v = f.run * s.Phases[name] / all
			}
			values[i] = append(values[i], 100*v/total)
		}
		labels = append(labels, "   "+row.String()+", "+secondsText(total))
	}
	if len(labels) == 0 {
		return nil, 0, nil
	}
	p = newPlot()
	var below *plotter.BarChart
	for i, v := range values {
		b, err := plotter.NewBarChart(v, 0.18*vg.Inch)
		if err != nil {
			return nil, 0, err
		}
		b.Horizontal, b.Color, b.LineStyle.Width = true, palette.Color(i), 0
		if below != nil {
			b.StackOn(below)
		}
		below = b
		if slices.Max(v) > 0 {
			p.Add(b)
			p.Legend.Add(phases[i], b)
		}
	}
	p.Legend.Top, p.Legend.YOffs = true, 0
	p.X.Label.Text, p.X.Min, p.X.Max = "share of compile + build + run (%)", 0, 125
	p.X.Tick.Marker = plot.ConstantTicks{{Value: 0, Label: "0"}, {Value: 25, Label: "25"}, {Value: 50, Label: "50"}, {Value: 75, Label: "75"}, {Value: 100, Label: "100"}}
	p.NominalY(labels...)
	return p, len(labels), nil
}

// peerPlot draws each ratio to a peer on a logarithmic axis.
func (r *Results) peerPlot() (p *plot.Plot, points int, err error) {
	list := r.ratios()
	if len(list) == 0 {
		return nil, 0, nil
	}
	slices.Reverse(list)
	p = newPlot()
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	p.X.Label.Text = "times as long (right of 1: ours is faster)"
	var labels []string
	for k, f := range []func(ratio) float64{func(q ratio) float64 { return q.run }, func(q ratio) float64 { return q.build }, func(q ratio) float64 { return q.first }} {
		var xy plotter.XYs
		for i, q := range list {
			if v := f(q); v > 0 {
				xy = append(xy, plotter.XY{X: v, Y: float64(i)})
			}
			if k == 0 {
				label := fmt.Sprintf("   %s %g, %s", q.row.Workload, q.row.Size, q.peer.where())
				if !q.sound {
					label += " (rates differ)"
				}
				labels = append(labels, label)
			}
		}
		if len(xy) == 0 {
			continue
		}
		s, err := plotter.NewScatter(xy)
		if err != nil {
			return nil, 0, err
		}
		s.Color, s.Shape, s.Radius = palette.Color(k), []draw.GlyphDrawer{draw.CircleGlyph{}, draw.PyramidGlyph{}, draw.SquareGlyph{}}[k], 3.5
		p.Add(s)
		p.Legend.Add([]string{"run", "build", "start to end"}[k], s)
	}
	line, err := plotter.NewLine(plotter.XYs{{X: 1, Y: -0.5}, {X: 1, Y: float64(len(list)) - 0.5}})
	if err != nil {
		return nil, 0, err
	}
	line.Color = color.Gray{140}
	p.Add(line)
	p.NominalY(labels...)
	p.Legend.Top = true
	widen(p)
	p.X.Max *= 4 // room for the legend
	return p, len(labels), nil
}
