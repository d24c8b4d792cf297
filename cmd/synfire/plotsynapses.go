package main

import (
	"fmt"
	"math"
	"slices"
	"strings"

	drawing "synfire/engine/figure"
	"synfire/engine/plot"
	"synfire/engine/rundir"
)

// Pictures of synapses, and of recorded variables against each other.

// shownCells is how many rows and columns a matrix has at most: more neurons share cells.
const shownCells = 400

// errNoSynapses says how a run directory comes to hold synapses.
var errNoSynapses = fmt.Errorf("%w: no synapses, which `synfire run MODEL --out DIR --synapses` writes", errNothing)

// connected is the synapses of the directory.
func (r *recorded) connected() ([]*rundir.Connected, error) {
	for _, m := range r.Manifest.Connections[len(r.synapses):] {
		c, err := r.Connections(m.Name)
		if err != nil {
			return nil, err
		}
		r.synapses = append(r.synapses, c)
	}
	if len(r.synapses) == 0 {
		return nil, errNoSynapses
	}
	return r.synapses, nil
}

// weightOf is the name of the variable that is the weight: w or weight, else the first that is no delay; "": there is none.
func weightOf(c *rundir.Connected) string {
	for _, n := range []string{"w", "weight"} {
		if slices.Contains(c.Variables, n) {
			return n
		}
	}
	for _, n := range c.Variables {
		if n != "delay" {
			return n
		}
	}
	return ""
}

// scale is a unit in which values of up to most are written well, and what an SI value is divided by.
func scale(most float64, unit string) (by float64, label string) {
	if unit == "" || unit == "1" {
		return 1, ""
	}
	name := symbol(unit)
	if name == unit { // a product of units: no prefix goes before it
		return 1, " (" + unit + ")"
	}
	for _, p := range []struct {
		by     float64
		prefix string
	}{{1, ""}, {1e-3, "m"}, {1e-6, "µ"}, {1e-9, "n"}, {1e-12, "p"}} {
		if most >= 0.1*p.by || p.prefix == "p" {
			return p.by, " (" + p.prefix + name + ")"
		}
	}
	return 1, ""
}

// largest is the largest finite absolute value.
func largest(v []float64) (most float64) {
	for _, x := range v {
		if x = math.Abs(x); x-x == 0 {
			most = max(most, x)
		}
	}
	return most
}

// weights are the values of the weight of synapses in a unit that suits, and its label; 1 for each where they have none.
func (r *recorded) weights(c *rundir.Connected) (v []float64, label string, err error) {
	name := weightOf(c)
	if name == "" {
		v = make([]float64, len(c.I))
		for k := range v {
			v[k] = 1
		}
		return v, "synapses", nil
	}
	v, unit, err := r.Variable(c, name)
	if err != nil {
		return nil, "", err
	}
	by, in := scale(largest(v), unit)
	for k := range v {
		v[k] /= by
	}
	return v, name + in, nil
}

// drawMatrix draws the weights between neurons, a panel for each Synapses.
func drawMatrix(r *recorded, file string) error {
	all, err := r.connected()
	if err != nil {
		return err
	}
	f := panels("weights from neuron to neuron", len(all), 4)
	for k, c := range all {
		w, label, err := r.weights(c)
		if err != nil {
			return err
		}
		m, note := matrix(c, w)
		a := f.Axes[k]
		a.Marks = append(a.Marks, m)
		a.Title = c.Name + note
		a.X.Label, a.Y.Label, a.Y.Inverted = "target neuron ("+c.Target+")", "source neuron ("+c.Source+")", true
		for axis, n := range map[*drawing.Axis]int64{&a.X: c.Targets, &a.Y: c.Sources} { // a few neurons: each has its number
			for i := range n {
				if axis.Fixed = n <= 8; axis.Fixed {
					axis.Ticks = append(axis.Ticks, float64(i))
				}
			}
		}
		a.Colorbar, a.ColorbarLabel, a.Equal = true, label, c.Sources == c.Targets
	}
	return plot.SaveFigure(f, file)
}

// matrix is the sum of the weights of each pair of neurons. Of more neurons than there are cells, several share one, which
// shows the mean over its pairs, those without a synapse counting as 0.
func matrix(c *rundir.Connected, w []float64) (m drawing.Mark, note string) {
	per := func(n int64) int { return int((n + shownCells - 1) / shownCells) }
	down, across := per(c.Sources), per(c.Targets)
	rows, cols := (int(c.Sources)+down-1)/down, (int(c.Targets)+across-1)/across
	m = drawing.Mark{Kind: drawing.Image, Rows: rows, Cols: cols, X: []float64{-0.5, float64(cols*across) - 0.5}, Y: []float64{-0.5, float64(rows*down) - 0.5}}
	m.Alpha = 1
	m.Z = make([]float64, rows*cols)
	there := make([]bool, rows*cols)
	for k, i := range c.I {
		at := int(i)/down*cols + int(c.J[k])/across
		m.Z[at] += w[k]
		there[at] = true
	}
	if down*across > 1 {
		for at := range m.Z { // the last cells have fewer pairs
			pairs := min(down, int(c.Sources)-at/cols*down) * min(across, int(c.Targets)-at%cols*across)
			m.Z[at] /= float64(pairs)
		}
		note = fmt.Sprintf(": means over %d by %d neurons", down, across)
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	for at, x := range m.Z {
		if !there[at] && down*across == 1 || x-x != 0 {
			m.Z[at] = math.NaN() // nothing, or no number: white
			continue
		}
		lo, hi = min(lo, x), max(hi, x)
	}
	switch m.Map = "viridis"; {
	case lo < 0 && hi > 0: // red and blue, 0 in the middle
		hi = max(hi, -lo)
		lo, m.Map = -hi, "coolwarm"
	case lo >= 0:
		lo = 0
	case hi <= 0:
		hi = 0
	}
	if !(lo < hi) {
		lo, hi = 0, 1
	}
	m.Lo, m.Hi = lo, hi
	return m, note
}

// drawWeights draws how weights are distributed at the end.
func drawWeights(r *recorded, file string) error {
	return r.synapseBars(file, "weights at the end", func(c *rundir.Connected) ([]float64, string, float64, error) {
		if weightOf(c) == "" {
			return nil, "", 0, nil
		}
		v, label, err := r.weights(c)
		return v, label, 0, err
	}, "no variable of the synapses is a weight: where it stands in on_pre, it is the same for all")
}

// drawDelays draws how delays are distributed.
func drawDelays(r *recorded, file string) error {
	return r.synapseBars(file, "delays", func(c *rundir.Connected) ([]float64, string, float64, error) {
		if !slices.Contains(c.Variables, "delay") {
			return nil, "", 0, nil
		}
		v, _, err := r.Variable(c, "delay")
		for k := range v {
			v[k] *= 1e3
		}
		return v, "delay (ms)", r.Manifest.DtS * 1e3, err
	}, "the synapses have no pathway pre")
}

// synapseBars draws a histogram for each Synapses that has values.
func (r *recorded) synapseBars(file, title string, of func(c *rundir.Connected) (v []float64, label string, unit float64, err error), none string) error {
	all, err := r.connected()
	if err != nil {
		return err
	}
	type part struct {
		v           []float64
		name, label string
		unit        float64
	}
	var parts []part
	for _, c := range all {
		v, label, unit, err := of(c)
		if err != nil {
			return err
		}
		if v = slices.DeleteFunc(v, func(x float64) bool { return x-x != 0 }); len(v) > 0 {
			parts = append(parts, part{v, c.Name, label, unit})
		}
	}
	if len(parts) == 0 {
		return fmt.Errorf("%w: %s", errNothing, none)
	}
	f := panels(title, len(parts), 1.9)
	for k, p := range parts {
		a := f.Axes[k]
		a.Marks = append(a.Marks, colored(bars(p.v, p.unit), k))
		a.Title = fmt.Sprintf("%s: %s synapses, mean %.3g", p.name, count(int64(len(p.v))), mean(p.v))
		a.X.Label, a.Y.Label = p.label, "number"
	}
	if len(parts) == 1 {
		f.Title, f.Height = title, f.Height+1
	}
	return plot.SaveFigure(f, file)
}

// trajectories are the first rows of what a StateMonitor has recorded of a variable in the span that is looked at, in a unit that suits.
func (r *recorded) trajectories(monitor, variable string, first int) (rows [][]float64, t []float64, by float64, label string, err error) {
	rows, t, err = r.Values(monitor, variable)
	if err != nil {
		return nil, nil, 1, "", err
	}
	lo, _ := slices.BinarySearch(t, r.start)
	hi, _ := slices.BinarySearch(t, r.stop)
	rows = rows[:min(len(rows), first)]
	most := 0.0
	for k := range rows {
		rows[k] = rows[k][lo:hi]
		most = max(most, largest(rows[k]))
	}
	by, in := scale(most, r.Unit(monitor, variable))
	for _, row := range rows {
		for k := range row {
			row[k] /= by
		}
	}
	return rows, t[lo:hi], by, variable + in, nil
}

// drawLearning draws what StateMonitors have recorded of synapses over time: the median, the range of half of them, of nine
// tenths, and some single ones.
func drawLearning(r *recorded, file string) error {
	type part struct {
		title, label string
		t            []float64
		rows         [][]float64
	}
	var parts []part
	for _, m := range r.Manifest.Monitors {
		if _, cells := r.Manifest.Populations.Get(m.Value.Source); m.Value.Kind != "state" || cells || m.Value.Source == "" {
			continue
		}
		for _, v := range m.Value.Variables {
			rows, t, _, label, err := r.trajectories(m.Name, v, math.MaxInt)
			if err != nil {
				return err
			}
			if len(t) < 2 || len(rows) == 0 {
				continue
			}
			parts = append(parts, part{fmt.Sprintf("%s: %s of %s synapses of %s", m.Name, v, count(int64(len(rows))), m.Value.Source), label, t, rows})
		}
	}
	if len(parts) == 0 {
		return fmt.Errorf("%w: no StateMonitor of synapses, such as StateMonitor(S, 'w', record=True, dt=10*ms)", errNothing)
	}
	f := panels("synapses over time", len(parts), 2.4)
	for k, p := range parts {
		a := f.Axes[k]
		a.Title, a.X.Label, a.Y.Label = p.title, "time (s)", p.label
		every := (len(p.t) + shownSamples - 1) / shownSamples // a sample of so many: values between them are not drawn
		if every > 1 {
			a.Title += fmt.Sprintf(", every %dth sample", every)
		}
		var q [5][]float64
		var t []float64
		at := make([]float64, len(p.rows))
		for s := 0; s < len(p.t); s += every {
			for n, row := range p.rows {
				at[n] = row[s]
			}
			slices.Sort(at)
			t = append(t, p.t[s])
			for n, part := range []float64{0.05, 0.25, 0.5, 0.75, 0.95} {
				q[n] = append(q[n], at[int(part*float64(len(at)-1)+0.5)])
			}
		}
		if len(p.rows) >= 10 {
			for n, band := range [][2]int{{0, 4}, {1, 3}} {
				m := colored(drawing.Mark{Kind: drawing.Fill, X: t, Y: q[band[0]], Y2: q[band[1]], Label: []string{"9 of 10", "half"}[n]}, 0)
				m.Alpha = []float64{0.2, 0.35}[n]
				a.Marks = append(a.Marks, m)
			}
			m := colored(drawing.Mark{Kind: drawing.Line, X: t, Y: q[2], Label: "median"}, 0)
			m.Dash, m.Width = "-", 1.8
			a.Marks = append(a.Marks, m)
			lo, hi := slices.Min(q[0]), slices.Max(q[4])
			a.Y.Hi = hi + 0.45*(hi-lo) + 1e-9 // room for the legend
			for _, row := range p.rows {
				a.Y.Hi = max(a.Y.Hi, slices.Max(row))
			}
			a.Legend, a.LegendAt = true, "upper right"
		}
		for n := range min(len(p.rows), 5) { // evenly among them
			row := p.rows[n*len(p.rows)/min(len(p.rows), 5)]
			m := drawing.Mark{Kind: drawing.Line, X: t}
			for s := 0; s < len(p.t); s += every {
				m.Y = append(m.Y, row[s])
			}
			m = colored(m, n+1)
			m.Dash, m.Width = "-", 0.6
			a.Marks = append(a.Marks, m)
		}
	}
	return plot.SaveFigure(f, file)
}

// shownSamples is how many points a line has at most.
const shownSamples = 2000

// drawPhase draws the first two variables that a StateMonitor records against each other: the trajectories of up to five
// neurons, with where they begin.
func drawPhase(r *recorded, file string) error {
	type part struct {
		name, title, x, y string
		variables         []string
		v                 [2][][]float64
		by                [2]float64 // SI units in those of the axes
	}
	var parts []part
	for _, m := range r.Manifest.Monitors {
		if m.Value.Kind != "state" || len(m.Value.Variables) < 2 {
			continue
		}
		p := part{name: m.Name, title: m.Name, variables: m.Value.Variables}
		var labels [2]string
		for n, v := range m.Value.Variables[:2] {
			rows, _, by, label, err := r.trajectories(m.Name, v, 5)
			if err != nil {
				return err
			}
			labels[n], p.v[n], p.by[n] = label, rows, by
		}
		p.x, p.y = labels[0], labels[1]
		if len(p.v[0]) == 0 || len(p.v[0]) != len(p.v[1]) || len(p.v[0][0]) < 2 {
			continue
		}
		if all := int(m.Value.Recorded); all > len(p.v[0]) {
			p.title += fmt.Sprintf(": the first %d of %d", len(p.v[0]), all)
		}
		parts = append(parts, p)
	}
	if len(parts) == 0 {
		return fmt.Errorf("%w: no StateMonitor of two variables, such as StateMonitor(G, ['v', 'u'], record=0)", errNothing)
	}
	f := panels("phase plane", len(parts), 4)
	for k, p := range parts {
		a := f.Axes[k]
		a.Title, a.X.Label, a.Y.Label = p.title, p.x, p.y
		for n := range p.v[0] {
			x, y := p.v[0][n], p.v[1][n]
			if over := len(x) - 10*shownSamples; over > 0 { // the end, as it is: a thinned trajectory would cut its corners
				x, y = x[over:], y[over:]
				if n == 0 {
					a.Title += fmt.Sprintf(", the last %s samples", count(int64(len(x))))
				}
			}
			m := colored(drawing.Mark{Kind: drawing.Line, X: x, Y: y}, n)
			m.Dash, m.Width, m.Alpha = "-", 0.8, 0.7
			begin := colored(drawing.Mark{Kind: drawing.Line, X: x[:1], Y: y[:1]}, n)
			begin.Marker, begin.Size = "o", 6
			a.Marks = append(a.Marks, m, begin)
		}
	}
	if r.model != "" {
		if err := model(r.ctx, r.model, r.Manifest, func(of slopes) error {
			for k, p := range parts {
				if err := drawNullclines(f.Axes[k], of, p.name, p.variables, len(p.v[0]), p.by); err != nil {
					return fmt.Errorf("--nullclines %s: %s: %w", r.model, p.name, err)
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return plot.SaveFigure(f, file)
}

// drawNullclines draws where the slopes of both variables are 0 behind the trajectories of a monitor's first neurons. Those that all have are grey.
func drawNullclines(a *drawing.Axes, of slopes, monitor string, variables []string, neurons int, by [2]float64) error {
	x, y := a.Limits()
	var lines [2][]drawing.Mark
	for row := range neurons {
		dx, dy, err := nullclines(of, monitor, row, [4]float64{x[0], x[1], y[0], y[1]}, by[0], by[1])
		if err != nil {
			return err
		}
		lines[0], lines[1] = append(lines[0], dx), append(lines[1], dy)
	}
	var marks []drawing.Mark
	var outside []string
	for n, of := range lines {
		one := !slices.ContainsFunc(of, func(m drawing.Mark) bool { return !slices.Equal(m.Y, of[0].Y) || !slices.Equal(m.X, of[0].X) })
		label := "d" + variables[n] + "/dt = 0"
		if !slices.ContainsFunc(of, func(m drawing.Mark) bool { return len(m.X) > 0 }) {
			outside = append(outside, label)
		}
		for row, m := range of {
			m = colored(m, row)
			m.Dash, m.Width, m.Alpha = "-", []float64{1.4, 2.6}[n], []float64{0.9, 0.4}[n] // dashes of so short pieces would not be seen
			if one {
				m.Color = drawing.RGBA{R: 0.25, G: 0.25, B: 0.25, A: 1}
			}
			if len(m.X) > 0 {
				m.Label, label = label, "" // one for all
				marks = append(marks, m)
			}
			if one {
				break
			}
		}
	}
	a.Marks = append(marks, a.Marks...)
	a.Title += "; nullclines as at the first run()"
	if len(outside) > 0 {
		a.Title += ", outside: " + strings.Join(outside, ", ")
	}
	a.Legend, a.LegendAt = true, "upper right"
	a.X.Lo, a.X.Hi, a.Y.Lo, a.Y.Hi = x[0], x[1], y[0], y[1]
	return nil
}
