package script

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"synfire/engine/analysis"
	"synfire/engine/eqn"
	"synfire/engine/script/array"
	"synfire/engine/script/memory"
)

// measure is a function of the module analysis.
type measure struct {
	name, params string // params as bind has them
	doc          string // for docs/language.md: what it gives, with its unit
	f            func(c *call) (starlark.Value, error)
}

// window are the parameters of all functions of spikes: what part of the record counts, and of how many neurons.
const window = " start stop n"

// measures are the functions of the module analysis. docs/language.md shows this table (MeasureTable).
var measures = []measure{
	{"rates", "spikes /" + window, "rate of each neuron, Hz", ofSpikes(func(c *call, s *analysis.Spikes) (starlark.Value, error) {
		return list(s.Rates(), hertz), nil
	})},
	{"mean_rate", "spikes /" + window, "mean rate of the neurons, Hz", ofSpikes(func(c *call, s *analysis.Spikes) (starlark.Value, error) {
		return array.Scalar(s.MeanRate(), hertz, array.Floats), nil
	})},
	{"counts", "spikes bin / each=False" + window, "spikes in each bin of a width: of all neurons; `each=True`: a row for each neuron", ofSpikes(func(c *call, s *analysis.Spikes) (starlark.Value, error) {
		bin, err := c.bin(s)
		if err != nil {
			return nil, err
		}
		if c.boolean("each", false) {
			return rowsOf(s.CountsEach(bin), eqn.Dim{})
		}
		return list(s.Counts(bin), eqn.Dim{}), nil
	})},
	{"population_rate", "spikes bin /" + window, "mean rate of the neurons in each bin, Hz", ofSpikes(func(c *call, s *analysis.Spikes) (starlark.Value, error) {
		bin, err := c.bin(s)
		if err != nil {
			return nil, err
		}
		return list(s.PopulationRate(bin), hertz), nil
	})},
	{"isi", "spikes /" + window, "inter-spike intervals of all neurons, one neuron after the other, s", ofSpikes(func(c *call, s *analysis.Spikes) (starlark.Value, error) {
		return list(slices.Concat(s.ISI()...), second), nil
	})},
	{"cv", "spikes / least=3 each=False" + window, "coefficient of variation of the intervals: the mean over neurons with at least `least=3` of them; `each=True`: of each neuron", ofSpikes(func(c *call, s *analysis.Spikes) (starlark.Value, error) {
		mean, of := s.CV(c.integer("least", 3))
		return c.meanOrEach(mean, of)
	})},
	{"cv2", "spikes / least=3 each=False" + window, "the same of successive intervals (Holt et al. 1996)", ofSpikes(func(c *call, s *analysis.Spikes) (starlark.Value, error) {
		mean, of := s.CV2(c.integer("least", 3))
		return c.meanOrEach(mean, of)
	})},
	{"fano", "counts", "Fano factor, variance over mean, of counts; of each row of a table", func(c *call) (starlark.Value, error) {
		rows, _, one, err := c.rows("counts")
		if err != nil {
			return nil, err
		}
		var f []float64
		for _, r := range rows {
			f = append(f, analysis.Fano(r))
		}
		if one {
			return starlark.Float(f[0]), nil
		}
		return list(f, eqn.Dim{}), nil
	}},
	{"correlation", "spikes bin /" + window, "mean over pairs of neurons of the correlation coefficient of their counts in bins, of those whose counts vary", ofSpikes(func(c *call, s *analysis.Spikes) (starlark.Value, error) {
		bin, err := c.bin(s)
		if err != nil {
			return nil, err
		}
		mean, _ := s.Correlation(bin)
		return starlark.Float(mean), nil
	})},
	{"correlation_matrix", "rows", "correlation coefficient of every two rows of a table, such as `counts(S, bin, each=True)`", func(c *call) (starlark.Value, error) {
		rows, _, _, err := c.rows("rows")
		if err != nil {
			return nil, err
		}
		if err := memory.Room(len(rows)*len(rows), 16); err != nil {
			return nil, err
		}
		if n := float64(len(rows)); n*n*float64(len(rows[0])) > 1e11 {
			c.failf("rows", "correlations of %d rows of %d values are too many for a script", len(rows), len(rows[0]))
			return nil, c.err
		}
		return rowsOf(analysis.CorrelationMatrix(rows), eqn.Dim{})
	}},
	{"cross_correlogram", "spikes i j bin lag /" + window, "lags up to `lag`, s, and how many spikes of neuron j come so long after one of neuron i", ofSpikes(func(c *call, s *analysis.Spikes) (starlark.Value, error) {
		bin, err := c.bin(s)
		if err != nil {
			return nil, err
		}
		i, j, lag := c.integer("i", 0), c.integer("j", 0), c.seconds("lag", 0)
		for name, k := range map[string]int{"i": i, "j": j} {
			if k < 0 || k >= s.N {
				c.failf(name, "%s=%d: there are %d neurons", name, k, s.N)
			}
		}
		if !(lag >= 0 && lag <= s.Duration()) {
			c.failf("lag", "lag= must be a time between 0 and what was observed, %g s", s.Duration())
		}
		if c.err != nil {
			return nil, c.err
		}
		lags, counts := s.CrossCorrelogram(i, j, bin, lag)
		return starlark.Tuple{list(lags, second), list(counts, eqn.Dim{})}, nil
	})},
	{"spectrum", "x / dt window=0.5*second", "frequencies, Hz, and power spectral density (Welch; Hann windows of `window=0.5*second` that overlap by half), in the square of x's unit per Hz; x is a list of samples `dt=` apart, or a PopulationRateMonitor", spectrum},
	{"coherence", "x y / dt window=0.5*second", "frequencies, Hz, and magnitude-squared coherence of two signals", coherence},
	{"band_power", "frequencies power low high", "power between two frequencies of a spectrum, in the square of the signal's unit", bandPower},
	{"peak", "frequencies power / low high", "frequency at which a spectrum is largest, Hz; `low=`, `high=`: between them", peak},
	{"synchrony", "v", "chi squared of Golomb and Rinzel (1994) of a table with a row for each neuron (`M.v`): 1 for equal rows, 1/N for N independent ones", func(c *call) (starlark.Value, error) {
		rows, _, _, err := c.rows("v")
		if err != nil {
			return nil, err
		}
		return starlark.Float(analysis.Synchrony(rows)), nil
	}},
	{"kuramoto", "spikes / dt=1*ms" + window, "times, `dt=1*ms` apart, s, and Kuramoto's order parameter of the phases between spikes: 1 for one phase, 1/sqrt(N) for N independent ones", ofSpikes(kuramoto)},
	{"victor_purpura", "a b q", "distance of two lists of times (Victor and Purpura 1996); q, Hz: what it costs to move a spike", func(c *call) (starlark.Value, error) {
		a, b := c.train("a"), c.train("b")
		q := c.measure("q", hertz, 0)
		if c.err == nil && !(q >= 0) {
			c.failf("q", "q= must be a rate, 0 or more")
		}
		if c.err == nil && float64(len(a))*float64(len(b)) > 1e10 {
			c.failf("b", "%d and %d spikes are too many for a script", len(a), len(b))
		}
		return starlark.Float(analysis.VictorPurpura(a, b, q)), c.err
	}},
	{"van_rossum", "a b tau", "distance of two lists of times (van Rossum 2001; one spike more makes 1)", func(c *call) (starlark.Value, error) {
		a, b := c.train("a"), c.train("b")
		tau := c.positive("tau")
		if n := float64(len(a) + len(b)); c.err == nil && n*n > 1e9 {
			c.failf("b", "%d and %d spikes are too many for a script", len(a), len(b))
		}
		return starlark.Float(analysis.VanRossum(a, b, tau)), c.err
	}},
	{"bursts", "times isi / least", "beginnings, s, ends, s, and numbers of spikes of the runs of at least `least=3` times with no interval above isi (`S.t`: network bursts; `S.spike_trains()[3]`: those of a neuron)", func(c *call) (starlark.Value, error) {
		t, isi, least := c.train("times"), c.positive("isi"), c.integer("least", 3)
		if c.err != nil {
			return nil, c.err
		}
		var start, stop, n []float64
		for _, b := range analysis.Bursts(t, isi, least) {
			start, stop, n = append(start, b.Start), append(stop, b.Stop), append(n, float64(b.Spikes))
		}
		return starlark.Tuple{list(start, second), list(stop, second), integers(n)}, nil
	}},
	{"avalanches", "spikes bin /" + window, "sizes (spikes) and lengths (bins) of the avalanches: runs of bins with spikes, between empty ones (Beggs and Plenz 2003)", ofSpikes(func(c *call, s *analysis.Spikes) (starlark.Value, error) {
		bin, err := c.bin(s)
		if err != nil {
			return nil, err
		}
		sizes, lengths := s.Avalanches(bin)
		return starlark.Tuple{whole(sizes), whole(lengths)}, nil
	})},
	{"branching_ratio", "spikes bin /" + window, "mean of the spikes in the next bin over those in a bin, of bins with spikes", ofSpikes(func(c *call, s *analysis.Spikes) (starlark.Value, error) {
		bin, err := c.bin(s)
		if err != nil {
			return nil, err
		}
		return starlark.Float(s.BranchingRatio(bin)), nil
	})},
	{"degrees", "w", "links of each node of an undirected network: a symmetric table of weights, 0 for no link", ofGraph(func(c *call, g *analysis.Graph) (starlark.Value, error) {
		return integers(g.Degrees()), nil
	})},
	{"clustering", "w", "clustering coefficient of each node; weights do not matter (Watts and Strogatz 1998)", ofGraph(func(c *call, g *analysis.Graph) (starlark.Value, error) {
		return list(g.Clustering(), eqn.Dim{}), nil
	})},
	{"path_length", "w", "mean number of links on the shortest path between two nodes that have one; weights do not matter", ofGraph(func(c *call, g *analysis.Graph) (starlark.Value, error) {
		mean, _ := g.PathLength()
		return starlark.Float(mean), nil
	})},
	{"small_world", "w", "clustering and path length over those of random networks with as many links, and their quotient sigma (Humphries and Gurney 2008)", ofGraph(func(c *call, g *analysis.Graph) (starlark.Value, error) {
		a, b, sigma := g.SmallWorld()
		return starlark.Tuple{starlark.Float(a), starlark.Float(b), starlark.Float(sigma)}, nil
	})},
	{"communities", "w", "community of each node, found by the method of Blondel et al. (2008)", ofGraph(func(c *call, g *analysis.Graph) (starlark.Value, error) {
		return whole(g.Communities()), nil
	})},
	{"modularity", "w communities", "modularity Q of a division into communities (Newman and Girvan 2004)", ofGraph(func(c *call, g *analysis.Graph) (starlark.Value, error) {
		q, err := g.Modularity(c.indices("communities"))
		c.fail("communities", err)
		return starlark.Float(q), c.err
	})},
	{"participation", "w communities", "participation coefficient of each node: how evenly its links are spread over communities (Guimera and Amaral 2005)", ofGraph(func(c *call, g *analysis.Graph) (starlark.Value, error) {
		p, err := g.Participation(c.indices("communities"))
		c.fail("communities", err)
		return list(p, eqn.Dim{}), c.err
	})},
	{"within_module_z", "w communities", "z of each node: how far its links within its community exceed the community's mean, in standard deviations", ofGraph(func(c *call, g *analysis.Graph) (starlark.Value, error) {
		z, err := g.WithinModuleZ(c.indices("communities"))
		c.fail("communities", err)
		return list(z, eqn.Dim{}), c.err
	})},
}

// MeasureTable is the table of the module analysis in docs/language.md.
func MeasureTable() string {
	var b strings.Builder
	b.WriteString("| function | gives |\n|---|---|\n")
	for _, m := range measures {
		fmt.Fprintf(&b, "| `%s` | %s |\n", signature(m.name, strings.TrimSuffix(m.params, window)), m.doc)
	}
	return b.String()
}

// analysisModule are the functions of the module.
func (x *script) analysisModule() starlark.StringDict {
	d := starlark.StringDict{}
	for _, m := range measures {
		d[m.name] = starlark.NewBuiltin(m.name, func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			c, err := bind(m.name, args, kwargs, m.params)
			if err != nil {
				return nil, err
			}
			v, err := m.f(c)
			if c.err != nil {
				return nil, c.err
			}
			return v, err
		})
	}
	return d
}

func list(v []float64, d eqn.Dim) *array.Array {
	if v == nil {
		v = []float64{}
	}
	return &array.Array{V: v, Dim: d, Kind: array.Floats}
}

func integers(v []float64) *array.Array {
	a := list(v, eqn.Dim{})
	a.Kind = array.Ints
	return a
}

// rowsOf is a table.
func rowsOf(rows [][]float64, d eqn.Dim) (starlark.Value, error) {
	a := list(nil, d)
	if len(rows) > 0 {
		if err := memory.Room(len(rows)*len(rows[0]), 8); err != nil {
			return nil, err
		}
		a.V, a.Cols = slices.Concat(rows...), len(rows[0])
	}
	if a.V == nil {
		a.V = []float64{}
	}
	a.Table, a.Hollow = true, len(rows)
	return a, nil
}

func (c *call) meanOrEach(mean float64, of []float64) (starlark.Value, error) {
	if c.boolean("each", false) {
		return list(of, eqn.Dim{}), c.err
	}
	return starlark.Float(mean), c.err
}

// measure is a number of a unit.
func (c *call) measure(name string, d eqn.Dim, def float64) float64 {
	v := c.Get(name)
	if v == nil {
		return def
	}
	x, err := array.ToMeasure(v, d)
	if err != nil {
		c.failf(name, "%s= %v", name, err)
	}
	return x
}

// positive is a time above 0.
func (c *call) positive(name string) float64 {
	s := c.seconds(name, 0)
	if c.err == nil && !(s > 0 && !math.IsInf(s, 0)) {
		c.failf(name, "%s= must be a positive time, such as 5*ms", name)
	}
	return s
}

// bin is bin=, of which there is at least one.
func (c *call) bin(s *analysis.Spikes) (float64, error) {
	bin := c.positive("bin")
	if c.err == nil && bin > s.Duration()*(1+1e-9) {
		c.failf("bin", "bin= is %g s, longer than what was observed (%g s): no bin fits", bin, s.Duration())
	}
	if c.err != nil {
		return 0, c.err
	}
	n := s.Duration() / bin
	if c.Has("each") {
		n *= float64(s.N)
	}
	return bin, memory.RoomFor(8 * n)
}

// train is a list of times, in order.
func (c *call) train(name string) []float64 {
	o, ok, err := array.OperandOf(c.Val[name])
	switch {
	case err != nil:
		c.failf(name, "%s= %v", name, err)
	case !ok || o.Table:
		c.failf(name, "%s= must be a list of times, such as S.t, not %s", name, array.Describe(c.Val[name]))
	case len(o.V) > 0 && o.Dim != second:
		c.failf(name, "%s= must hold times in seconds, not %s: multiply by second or ms", name, o.Show())
	case slices.ContainsFunc(o.V, func(x float64) bool { return x != x }):
		c.failf(name, "%s= holds a time that is no number", name)
	}
	return slices.Sorted(slices.Values(o.V))
}

// ofSpikes is a function of spikes=, in the window from start= to stop=.
func ofSpikes(f func(c *call, s *analysis.Spikes) (starlark.Value, error)) func(*call) (starlark.Value, error) {
	return func(c *call) (starlark.Value, error) {
		s := c.spikes()
		if c.err != nil {
			return nil, c.err
		}
		return f(c, s)
	}
}

// spikes reads spikes=: a SpikeMonitor; (i, t) as S.it is; trains, as a dictionary (S.spike_trains()) or a list of lists of
// times; or one list of times.
func (c *call) spikes() *analysis.Spikes {
	const name = "spikes"
	v := c.Val[name]
	var i []int32
	var t []float64
	n, start, stop := 0, 0.0, math.NaN()
	trains := func(k int, v starlark.Value) {
		sub := &call{}
		sub.Val, sub.Pos = map[string]starlark.Value{name: v}, c.Pos
		for _, x := range sub.train(name) {
			i, t = append(i, int32(k)), append(t, x)
		}
		if sub.err != nil && c.err == nil {
			c.err = sub.err
		}
		n = max(n, k+1)
	}
	switch v := v.(type) {
	case *monitor:
		e, ok := v.kind.(spikes)
		switch {
		case !ok:
			c.failf(name, "spikes= must be a SpikeMonitor, not a %s", v.class)
			return nil
		case !e.Recording():
			c.failf(name, "%s counts spikes, but does not record them (record=False)", e.Name())
			return nil
		}
		if err := memory.Room(e.Len(), 40); err != nil {
			c.fail(name, err)
			return nil
		}
		i, t, n, start, stop = e.I(), e.T(), e.N(), e.Base().Began(), e.Base().T()
		if !e.Base().Ran() || !(stop > 0) {
			c.failf(name, "%s has recorded nothing yet: run() comes first", e.Name())
			return nil
		}
	case *starlark.Dict:
		for _, item := range v.Items() {
			k, err := array.ToInt(item[0])
			if err != nil || k < 0 || k > 1<<30 {
				c.failf(name, "spikes= as a dictionary has neurons as keys, as S.spike_trains() gives it, not %s", array.Describe(item[0]))
				return nil
			}
			trains(k, item[1])
		}
	case starlark.Tuple, *starlark.List:
		l := slices.Collect(starlark.Elements(v.(starlark.Iterable)))
		if o, ok, err := array.OperandOf(first(l)); len(l) == 2 && err == nil && ok && !o.One && o.Dim.IsOne() && len(o.V) > 0 { // S.it
			of, err := array.ToInts(l[0])
			c.fail(name, err)
			u, ok, err := array.OperandOf(l[1])
			if err != nil || !ok || u.Dim != second || len(u.V) != len(of) {
				c.failf(name, "spikes= as (i, t) has as many times as neurons: %d neurons, but %s", len(of), array.Describe(l[1]))
			}
			if c.err != nil {
				return nil
			}
			t = u.V
			for _, k := range of {
				if k < 0 || k > 1<<30 {
					c.failf(name, "spikes= has a spike of neuron %d", k)
					return nil
				}
				i, n = append(i, int32(k)), max(n, k+1)
			}
			break
		}
		if _, ok := first(l).(array.Quantity); ok || len(l) == 0 {
			trains(0, v)
			break
		}
		for k, e := range l {
			trains(k, e)
		}
	default:
		trains(0, v)
	}
	if c.Has("n") {
		n = c.integer("n", n)
	}
	start = c.seconds("start", start)
	stop = c.seconds("stop", stop)
	if c.err == nil && stop != stop {
		c.failf(name, "%s() needs stop=, the end of what was observed: a list of times does not tell it", c.Fn)
	}
	if c.err != nil {
		return nil
	}
	if n == 0 {
		c.failf(name, "spikes= has no neuron: n= tells how many there were")
		return nil
	}
	if err := memory.Room(n, 64); err != nil {
		c.fail(name, err)
		return nil
	}
	s, err := analysis.NewSpikes(i, t, n, start, stop)
	c.fail(name, err)
	return s
}

func first(l []starlark.Value) starlark.Value {
	if len(l) == 0 {
		return starlark.None
	}
	return l[0]
}

// rows are the rows of a table; one says that it was a list. It has rows, and values in them.
func (c *call) rows(name string) (rows [][]float64, d eqn.Dim, one bool, err error) {
	o, ok, err := array.OperandOf(c.Val[name])
	switch {
	case err != nil:
		c.failf(name, "%s= %v", name, err)
	case !ok || o.One:
		c.failf(name, "%s= must be a list or a table of numbers, not %s", name, array.Describe(c.Val[name]))
	case len(o.V) == 0:
		c.failf(name, "%s= has no values", name)
	}
	if c.err != nil {
		return nil, d, false, c.err
	}
	if !o.Table {
		return [][]float64{o.V}, o.Dim, true, nil
	}
	for k := range o.Rows() {
		rows = append(rows, o.V[k*o.Cols:(k+1)*o.Cols])
	}
	return rows, o.Dim, false, nil
}

// signal is a list of samples, and how far apart they are where that is known (NaN if not).
func (c *call) signal(name string) (v []float64, d eqn.Dim, dt float64) {
	if m, ok := c.Val[name].(*monitor); ok {
		if r, ok := m.kind.(rates); ok {
			return r.Rate(), hertz, r.Base().Dt()
		}
		c.failf(name, "%s= must be a list of samples or a PopulationRateMonitor, not a %s", name, m.class)
		return nil, d, 0
	}
	rows, d, one, err := c.rows(name)
	if err != nil {
		return nil, d, 0
	}
	if !one && len(rows) != 1 {
		c.failf(name, "%s= must be one list of samples, not a table of %d rows: take M.v[0], or mean(M.v, axis=0)", name, len(rows))
		return nil, d, 0
	}
	return rows[0], d, math.NaN()
}

// sampling reads dt= and window= of a signal: samples a second, and in a segment.
func (c *call) sampling(dt float64) (rate float64, segment int) {
	if c.Has("dt") {
		dt = c.positive("dt")
	}
	w := 0.5
	if c.Has("window") {
		w = c.positive("window")
	}
	if c.err == nil && dt != dt {
		c.failf("x", "%s() needs dt=, the time between samples", c.Fn)
	}
	if c.err != nil {
		return 0, 0
	}
	if w/dt > 1<<30 {
		c.failf("window", "window= of %g s has too many samples %g s apart", w, dt)
	}
	return 1 / dt, int(w/dt + 0.5)
}

func spectrum(c *call) (starlark.Value, error) {
	x, d, dt := c.signal("x")
	rate, segment := c.sampling(dt)
	if c.err != nil {
		return nil, c.err
	}
	f, p, err := analysis.Spectrum(x, rate, segment)
	if err != nil {
		return nil, err
	}
	return starlark.Tuple{list(f, hertz), list(p, d.Mul(d).Div(hertz))}, nil
}

func coherence(c *call) (starlark.Value, error) {
	x, _, dt := c.signal("x")
	y, _, _ := c.signal("y")
	rate, segment := c.sampling(dt)
	if c.err != nil {
		return nil, c.err
	}
	f, p, err := analysis.Coherence(x, y, rate, segment)
	if err != nil {
		return nil, err
	}
	return starlark.Tuple{list(f, hertz), list(p, eqn.Dim{})}, nil
}

// density reads a spectrum, frequencies= and power=.
func (c *call) density() (f, p []float64, d eqn.Dim) {
	f, unit, _ := c.signal("frequencies")
	p, d, _ = c.signal("power")
	switch {
	case c.err != nil:
	case unit != hertz:
		c.failf("frequencies", "frequencies= must be in Hz, as spectrum() gives them, not in %s", array.UnitName(unit))
	case len(f) != len(p):
		c.failf("power", "there are %d frequencies, but %d values of power", len(f), len(p))
	}
	return f, p, d
}

func bandPower(c *call) (starlark.Value, error) {
	f, p, d := c.density()
	low, high := c.measure("low", hertz, 0), c.measure("high", hertz, 0)
	if c.err == nil && !(low < high) {
		c.failf("high", "low= must be below high=")
	}
	if c.err != nil {
		return nil, c.err
	}
	return array.Scalar(analysis.BandPower(f, p, low, high), d.Mul(hertz), array.Floats), nil
}

func peak(c *call) (starlark.Value, error) {
	f, p, _ := c.density()
	low, high := c.measure("low", hertz, 0), c.measure("high", hertz, math.Inf(1))
	if c.err != nil {
		return nil, c.err
	}
	at, _ := analysis.Peak(f, p, low, high)
	return array.Scalar(at, hertz, array.Floats), nil
}

func kuramoto(c *call, s *analysis.Spikes) (starlark.Value, error) {
	dt := 1e-3
	if c.Has("dt") {
		dt = c.positive("dt")
	}
	if c.err != nil {
		return nil, c.err
	}
	if err := memory.RoomFor(40 * s.Duration() / dt); err != nil {
		return nil, err
	}
	times := make([]float64, int(s.Duration()/dt+1e-3))
	for k := range times {
		times[k] = s.Start + float64(float64(k)*dt)
	}
	return starlark.Tuple{list(times, second), list(s.Kuramoto(times), eqn.Dim{})}, nil
}

// ofGraph is a function of w=, the weights of an undirected network.
func ofGraph(f func(c *call, g *analysis.Graph) (starlark.Value, error)) func(*call) (starlark.Value, error) {
	return func(c *call) (starlark.Value, error) {
		rows, _, one, err := c.rows("w")
		if err != nil {
			return nil, err
		}
		if one {
			c.failf("w", "w= must be a table of n by n weights, not one list")
			return nil, c.err
		}
		if err := memory.Room(len(rows)*len(rows), 24); err != nil {
			return nil, err
		}
		g, err := analysis.NewGraph(rows)
		if err != nil {
			c.fail("w", err)
			return nil, c.err
		}
		return f(c, g)
	}
}
