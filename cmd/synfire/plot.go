package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"synfire/engine/analysis"
	drawing "synfire/engine/figure"
	"synfire/engine/plot"
	"synfire/engine/rundir"
)

type plotCmd struct {
	recordFlags
	Kind   []string `help:"What to draw: raster (with rates), traces, rates (of neurons), isi, cv, spectrum, correlation (of pairs of neurons), avalanches, phase (of two recorded variables), learning (variables of synapses over time); matrix, weights and delays (of synapses, which run --synapses writes); all: whatever can be drawn." default:"raster" placeholder:"KIND,..." sep:","`
	Model  *string  `name:"nullclines" help:"Of phase: the script of the run, whose equations give the nullclines of the two variables." placeholder:"MODEL"`
	Output *string  `short:"o" help:"The file, .png or .svg, of one kind; without it DIR/KIND.png." placeholder:"FILE"`
}

// picture draws one kind of what a run has recorded into a file.
type picture struct {
	kind string
	draw func(r *recorded, file string) error
}

// pictures are the kinds, in the order of a report.
var pictures = []picture{
	{"raster", drawRaster},
	{"traces", drawTraces},
	{"rates", histogram("rates of the neurons", "rate (Hz)", func(r *recorded, s *analysis.Spikes) ([]float64, float64) { return s.Rates(), 1 / s.Duration() })},
	{"isi", histogram("intervals between spikes", "interval (ms)", func(r *recorded, s *analysis.Spikes) (ms []float64, _ float64) {
		for _, x := range slices.Concat(s.ISI()...) {
			ms = append(ms, x*1e3)
		}
		return ms, r.Manifest.DtS * 1e3
	})},
	{"cv", histogram("irregularity of the neurons with three intervals or more", "CV of the intervals", func(_ *recorded, s *analysis.Spikes) ([]float64, float64) {
		_, cv := s.CV(3)
		return slices.DeleteFunc(cv, func(x float64) bool { return x != x }), 0
	})},
	{"spectrum", drawSpectrum},
	{"correlation", drawCorrelation},
	{"avalanches", drawAvalanches},
	{"phase", drawPhase},
	{"learning", drawLearning},
	{"matrix", drawMatrix},
	{"weights", drawWeights},
	{"delays", drawDelays},
}

// errNothing is that of a picture for which nothing was recorded.
var errNothing = errors.New("nothing was recorded that it could be made of")

// recorded is what a run directory holds within a span of time.
type recorded struct {
	*rundir.Recorded
	start, stop, bin, window float64
	spikes                   []train
	synapses                 []*rundir.Connected // read once, by connected
	ctx                      context.Context
	model                    string // the script whose nullclines are drawn; "": none are
}

// train is what a SpikeMonitor has recorded.
type train struct {
	name string
	s    *analysis.Spikes
}

// gather reads the spikes of a run directory.
func (c *recordFlags) gather(ctx context.Context) (*recorded, error) {
	d, stop, err := c.open()
	if err != nil {
		return nil, err
	}
	r := &recorded{Recorded: d, start: c.Start.Seconds(), stop: stop, bin: c.Bin.Seconds(), window: c.Window.Seconds(), ctx: ctx}
	for _, m := range d.Manifest.Monitors {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if m.Value.Kind != "spikes" && m.Value.Kind != "events" || !d.Records(m.Name) {
			continue
		}
		i, t, n, _, err := d.Spikes(m.Name)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			continue
		}
		start := max(r.start, m.Value.StartS)
		if r.stop-start < r.bin {
			continue
		}
		s, err := analysis.NewSpikes(i, t, n, start, r.stop)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.Name, err)
		}
		r.spikes = append(r.spikes, train{m.Name, s})
	}
	return r, nil
}

// Run draws.
func (c *plotCmd) Run(env *environment) error {
	kinds := c.Kind
	for _, k := range kinds {
		if k != "all" && !slices.ContainsFunc(pictures, func(p picture) bool { return p.kind == k }) {
			var names []string
			for _, p := range pictures {
				names = append(names, p.kind)
			}
			return fmt.Errorf("--kind %s: there are %s and all", k, strings.Join(names, ", "))
		}
	}
	all := slices.Contains(kinds, "all")
	if c.Output != nil {
		if ext := filepath.Ext(*c.Output); ext != ".png" && ext != ".svg" {
			return fmt.Errorf("-o %s: a picture's name ends in .png or .svg", *c.Output)
		}
		if all || len(kinds) > 1 {
			return errors.New("-o names one file: several kinds go into DIR/KIND.png")
		}
	}
	r, err := c.gather(env.ctx)
	if err != nil {
		return err
	}
	if c.Model != nil {
		if !all && !slices.Contains(kinds, "phase") {
			return errors.New("--nullclines belongs to --kind phase")
		}
		r.model = *c.Model
	}
	drawn := 0
	for _, p := range pictures {
		if !all && !slices.Contains(kinds, p.kind) {
			continue
		}
		if err := env.ctx.Err(); err != nil {
			return err
		}
		file := filepath.Join(c.Dir, p.kind+".png")
		if c.Output != nil {
			file = *c.Output
		}
		err := p.draw(r, file)
		if errors.Is(err, errNothing) && all {
			continue
		}
		if err != nil {
			return fmt.Errorf("--kind %s: %w", p.kind, err)
		}
		drawn++
		fmt.Fprintln(env.out, "written:", file)
	}
	if drawn == 0 {
		return fmt.Errorf("%s: %w", c.Dir, errNothing)
	}
	return nil
}

func drawRaster(r *recorded, file string) error {
	f := &plot.Figure{Title: r.Manifest.Script, Start: r.start, Stop: r.stop}
	for _, x := range r.spikes {
		f.Spikes = append(f.Spikes, plot.Spikes{Name: x.name, I: x.s.I, T: x.s.T, N: x.s.N})
	}
	if len(f.Spikes) == 0 {
		return fmt.Errorf("%w: no SpikeMonitor", errNothing)
	}
	return f.Save(file)
}

func drawTraces(r *recorded, file string) error {
	f := &plot.Figure{Title: r.Manifest.Script, Start: r.start, Stop: r.stop}
	var of []string
	for _, m := range r.Manifest.Monitors {
		if m.Value.Kind != "state" {
			continue
		}
		for _, v := range m.Value.Variables {
			rows, t, err := r.Values(m.Name, v)
			if err != nil {
				return err
			}
			if len(rows) == 0 {
				continue
			}
			x := plot.Trace{Name: v, T: t}
			if unit := r.Unit(m.Name, v); unit != "1" {
				x.Unit = symbol(unit)
			}
			for _, row := range rows {
				single := make([]float32, len(row))
				for k, y := range row {
					single[k] = float32(y)
				}
				x.V = append(x.V, single)
			}
			f.Traces, of = append(f.Traces, x), append(of, m.Name)
		}
	}
	tellApart(f.Traces, of)
	if len(f.Traces) == 0 {
		return fmt.Errorf("%w: no StateMonitor", errNothing)
	}
	return f.Save(file)
}

// tellApart names the monitor, too, where two have recorded variables of one name.
func tellApart(traces []plot.Trace, of []string) {
	several := map[string]int{}
	for _, t := range traces {
		several[t.Name]++
	}
	for k := range traces {
		if t := &traces[k]; several[t.Name] > 1 {
			t.Name = of[k] + "." + t.Name
		}
	}
}

// panels are axes below each other with a title above them all.
func panels(title string, n int, height float64) *drawing.Figure {
	f := &drawing.Figure{Number: 1, Width: 6.4, Height: 0.5 + height*float64(n), Title: title}
	if n == 1 {
		f.Title = ""
	}
	for k := range n {
		f.Axes = append(f.Axes, drawing.NewAxes(drawing.Place{Rows: n, Cols: 1, Row0: k, Row1: k + 1, Col1: 1}))
	}
	if n == 1 {
		f.Axes[0].Title = title
	}
	return f
}

func colored(m drawing.Mark, k int) drawing.Mark {
	m.Color = drawing.Cycle[k%len(drawing.Cycle)]
	m.Face, m.Edge, m.Alpha, m.Width = m.Color, m.Color, 1, 1.2
	return m
}

// histogram draws how some values of neurons are distributed, one panel for each monitor. Values that are multiples of
// some unit fall into bins of as many of these each.
func histogram(title, label string, of func(*recorded, *analysis.Spikes) (values []float64, unit float64)) func(*recorded, string) error {
	return func(r *recorded, file string) error {
		var shown []train
		var values [][]float64
		var units []float64
		for _, x := range r.spikes {
			v, u := of(r, x.s)
			if len(v) > 0 {
				shown, values, units = append(shown, x), append(values, v), append(units, u)
			}
		}
		if len(shown) == 0 {
			return fmt.Errorf("%w: too few spikes", errNothing)
		}
		f := panels(title, len(shown), 1.6)
		for k, v := range values {
			a := f.Axes[k]
			a.Marks = append(a.Marks, colored(bars(v, units[k]), k))
			if len(f.Axes) == 1 {
				f.Title = title
			}
			a.Title = fmt.Sprintf("%s: %s values, mean %.3g", shown[k].name, count(int64(len(v))), mean(v))
			a.Y.Label = "number"
		}
		f.Axes[len(f.Axes)-1].X.Label = label
		return plot.SaveFigure(f, file)
	}
}

// bars are the bins of a histogram.
func bars(v []float64, unit float64) drawing.Mark {
	lo, hi := slices.Min(v), slices.Max(v)
	if lo >= 0 && lo < hi/2 {
		lo = 0
	}
	width := (hi - lo) / float64(min(60, max(10, int(math.Sqrt(float64(len(v)))))))
	if unit > 0 {
		width = math.Ceil(width/unit-1e-6) * unit
		lo -= unit / 2
	}
	if !(width > 0) {
		width = max(math.Abs(lo)*0.02, unit, 1e-3)
	}
	m := drawing.Mark{Kind: drawing.Bars}
	bins := int((hi-lo)/width+1e-6) + 1
	if unit <= 0 && bins > 1 { // the largest value belongs to the last bin
		bins--
	}
	for b := range bins {
		m.X, m.Y, m.W, m.Base = append(m.X, lo+(float64(b)+0.5)*width), append(m.Y, 0), append(m.W, width), append(m.Base, 0)
	}
	for _, x := range v {
		m.Y[min(int((x-lo)/width+1e-6), len(m.Y)-1)]++
	}
	return m
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

// drawSpectrum draws the power spectral densities of the populations' rates.
func drawSpectrum(r *recorded, file string) error {
	f := panels(fmt.Sprintf("spectra of the populations' rates (Welch, windows of %s)", modelTime(r.window)), 1, 4)
	a := f.Axes[0]
	a.X.Label, a.Y.Label, a.Y.Log, a.Legend, a.LegendAt = "frequency (Hz)", "power (Hz²/Hz)", true, true, "upper right"
	var why error
	for k, x := range r.spikes {
		freq, power, err := analysis.Spectrum(x.s.PopulationRate(r.bin), 1/r.bin, int(r.window/r.bin+0.5))
		if err != nil {
			why = err
			continue
		}
		m := drawing.Mark{Kind: drawing.Line, Label: x.name}
		for n := 1; n < len(freq); n++ {
			if power[n] > 0 {
				m.X, m.Y = append(m.X, freq[n]), append(m.Y, power[n])
			}
		}
		if len(m.X) == 0 {
			continue
		}
		m = colored(m, k)
		m.Dash = "-"
		a.Marks = append(a.Marks, m)
	}
	if len(a.Marks) == 0 {
		if why != nil {
			return fmt.Errorf("%w: %w", errNothing, why)
		}
		return fmt.Errorf("%w: no spikes", errNothing)
	}
	return plot.SaveFigure(f, file)
}

// shownPairs is how many neurons of each monitor a picture of correlations shows.
const shownPairs = 100

// drawCorrelation draws the correlation coefficients of the counts of pairs of neurons, of those with most spikes.
func drawCorrelation(r *recorded, file string) error {
	var rows [][]float64
	var names []string
	for _, x := range r.spikes {
		rates := x.s.Rates()
		order := make([]int, len(rates))
		for k := range order {
			order[k] = k
		}
		slices.SortStableFunc(order, func(a, b int) int {
			switch {
			case rates[a] > rates[b]:
				return -1
			case rates[a] < rates[b]:
				return 1
			}
			return 0
		})
		order = order[:min(len(order), shownPairs)]
		slices.Sort(order)
		part := x.s.Of(order)
		if len(part.T) == 0 {
			continue
		}
		rows = append(rows, part.CountsEach(r.bin)...)
		some := fmt.Sprintf("%s (%d)", x.name, part.N)
		if part.N < x.s.N {
			some = fmt.Sprintf("%s (the %d of %s that fire most)", x.name, part.N, count(int64(x.s.N)))
		}
		names = append(names, some)
	}
	if len(rows) < 2 {
		return fmt.Errorf("%w: two neurons with spikes are needed", errNothing)
	}
	n := len(rows)
	m := drawing.Mark{Kind: drawing.Image, Rows: n, Cols: n, Map: "viridis", X: []float64{-0.5, float64(n) - 0.5}, Y: []float64{-0.5, float64(n) - 0.5}, Lo: math.NaN(), Hi: math.NaN()}
	least, most := math.Inf(1), math.Inf(-1)
	for i, row := range analysis.CorrelationMatrix(rows) {
		for j, x := range row {
			if i != j {
				least, most = min(least, x), max(most, x)
			}
		}
		m.Z = append(m.Z, row...)
	}
	m.Lo, m.Hi = min(least, 0), max(most, 1e-3) // the diagonal is 1
	f := panels(fmt.Sprintf("correlation of counts in bins of %s", modelTime(r.bin)), 1, 5)
	a := f.Axes[0]
	m.Alpha = 1
	a.Marks = append(a.Marks, m)
	a.Equal, a.Colorbar, a.ColorbarLabel = true, true, "coefficient"
	a.X.Label = strings.Join(names, ", then ")
	a.Y.Label = "neuron"
	return plot.SaveFigure(f, file)
}

// drawAvalanches draws how often avalanches of each size occur.
func drawAvalanches(r *recorded, file string) error {
	f := panels(fmt.Sprintf("sizes of avalanches, in bins of %s", modelTime(r.bin)), 1, 4)
	a := f.Axes[0]
	a.X.Label, a.Y.Label, a.X.Log, a.Y.Log, a.Legend, a.LegendAt = "spikes in an avalanche", "number of avalanches", true, true, true, "upper right"
	for k, x := range r.spikes {
		sizes, _ := x.s.Avalanches(r.bin)
		if len(sizes) == 0 {
			continue
		}
		number := map[int]float64{}
		for _, n := range sizes {
			number[n]++
		}
		m := drawing.Mark{Kind: drawing.Line, Label: x.name}
		var each []int
		for n := range number {
			each = append(each, n)
		}
		slices.Sort(each)
		for _, n := range each {
			m.X, m.Y = append(m.X, float64(n)), append(m.Y, number[n])
		}
		m = colored(m, k)
		m.Marker, m.Size = "o", 4
		a.Marks = append(a.Marks, m)
	}
	if len(a.Marks) == 0 {
		return fmt.Errorf("%w: no bin is empty, or there are no spikes (--bin)", errNothing)
	}
	return plot.SaveFigure(f, file)
}
