package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"synfire/engine/analysis"
	"synfire/engine/host"
	"synfire/engine/rundir"
	"synfire/engine/store"
)

// recordFlags are what commands on a run directory take.
type recordFlags struct {
	Dir    string        `arg:"" help:"The run directory, as run --out makes it." placeholder:"DIR"`
	Start  time.Duration `help:"Leave out what was recorded before this time of the model." default:"0s" placeholder:"500ms"`
	Stop   time.Duration `help:"Leave out what was recorded from this time on; 0: nothing." default:"0s" placeholder:"10s"`
	Bin    time.Duration `help:"Width of the bins in which spikes are counted." default:"2ms" placeholder:"5ms"`
	Window time.Duration `help:"Length of the windows of spectra: the resolution is one over it." default:"500ms" placeholder:"1s"`
}

// open opens the directory; stop is where what is looked at ends, s. What is wrong with the flags, it says.
func (c *recordFlags) open() (r *rundir.Recorded, stop float64, err error) {
	for _, f := range []struct {
		name string
		d    time.Duration
	}{{"--bin", c.Bin}, {"--window", c.Window}} {
		if f.d <= 0 {
			return nil, 0, fmt.Errorf("%s %s: a positive time was expected, such as 5ms", f.name, f.d)
		}
	}
	if r, err = rundir.Open(c.Dir); err != nil {
		return nil, 0, err
	}
	start, reached := c.Start.Seconds(), r.Stop()
	if stop = c.Stop.Seconds(); stop == 0 {
		stop = reached
	}
	switch {
	case len(r.Manifest.Monitors) == 0 && len(r.Manifest.Connections) > 0: // there is nothing over time
	case reached == 0:
		err = fmt.Errorf("%s: nothing was simulated: the script has no run(), or ended before it", c.Dir)
	case len(r.Manifest.Monitors)+len(r.Manifest.Connections) == 0:
		err = fmt.Errorf("%s: nothing was recorded: the model has no monitors (SpikeMonitor, StateMonitor, PopulationRateMonitor), and there was no --synapses", c.Dir)
	case stop > reached*(1+1e-9):
		err = fmt.Errorf("--stop %s: the run ended at %s", c.Stop, modelTime(reached))
	case !(start >= 0 && start < stop):
		err = fmt.Errorf("--start %s: a time from 0 to %s, where what is looked at ends, was expected", c.Start, modelTime(stop))
	case c.Bin.Seconds() > stop-start:
		err = fmt.Errorf("--bin %s: longer than what is looked at, %s", c.Bin, modelTime(stop-start))
	default:
		err = (host.Work{}).Room(int64(32*(stop-start)/c.Bin.Seconds()), "counting in bins of %s", c.Bin)
	}
	return r, stop, err
}

type analyseCmd struct {
	recordFlags
	Least int  `help:"Neurons with fewer intervals than this have no part in CV and CV2." default:"3" placeholder:"N"`
	JSON  bool `name:"json" help:"Print the numbers as JSON, null where there is none."`
}

// number is a float64 that JSON has as null where it is none.
type number float64

func (n number) MarshalJSON() ([]byte, error) {
	if x := float64(n); math.IsNaN(x) || math.IsInf(x, 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

func (n *number) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*n = number(math.NaN())
		return nil
	}
	return json.Unmarshal(b, (*float64)(n))
}

func (n number) String() string {
	if n != n {
		return "-"
	}
	return fmt.Sprintf("%.4g", float64(n))
}

// measure is a number of the order of 1, or in Hz, whose roundings are not shown.
func (n number) measure() string {
	if math.Abs(float64(n)) < 1e-9 {
		n = 0
	}
	return n.String()
}

// measured is what analyse tells of a run.
type measured struct {
	Dir     string   `json:"dir"`
	Script  string   `json:"script"`
	Status  string   `json:"status"`
	StartS  float64  `json:"start_s"`
	StopS   float64  `json:"stop_s"`
	BinS    float64  `json:"bin_s"`
	WindowS float64  `json:"window_s"`
	Spikes  []spikes `json:"spikes"`
	Rates   []rate   `json:"rates"`
	Values  []values `json:"values"`
	Notes   []string `json:"notes"`
}

// spikes are the measures of a SpikeMonitor or EventMonitor.
type spikes struct {
	Monitor     string `json:"monitor"`
	Source      string `json:"source,omitempty"`
	Neurons     int    `json:"neurons"`
	Active      int    `json:"active"` // neurons with a spike
	Spikes      int    `json:"spikes"`
	Rate        number `json:"rate_hz"`
	CV          number `json:"cv"`
	CV2         number `json:"cv2"`
	Fano        number `json:"fano"`
	Correlation number `json:"correlation"`
	Kuramoto    number `json:"kuramoto"`
	Branching   number `json:"branching_ratio"`
	Avalanches  int    `json:"avalanches"`
	Peak        number `json:"peak_hz"`
}

// rate are those of a PopulationRateMonitor.
type rate struct {
	Monitor string `json:"monitor"`
	Samples int    `json:"samples"`
	Mean    number `json:"mean_hz"`
	SD      number `json:"sd_hz"`
	Peak    number `json:"peak_hz"`
}

// values are those of a variable of a StateMonitor, in SI units.
type values struct {
	Monitor   string `json:"monitor"`
	Variable  string `json:"variable"`
	Unit      string `json:"unit,omitempty"`
	Rows      int    `json:"rows"`
	Samples   int    `json:"samples"`
	Mean      number `json:"mean"`
	SD        number `json:"sd"`
	Min       number `json:"min"`
	Max       number `json:"max"`
	Synchrony number `json:"synchrony"`
	Peak      number `json:"peak_hz"`
}

// Run measures what a run has recorded.
func (c *analyseCmd) Run(env *environment) error {
	r, stop, err := c.open()
	if err != nil {
		return err
	}
	m, err := c.measure(env, r, stop)
	if err != nil {
		return err
	}
	if c.JSON {
		b, err := json.MarshalIndent(m, "", " ")
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(env.out, "%s\n", b)
		return err
	}
	m.show(env.out, env.outTerm)
	return nil
}

func (c *analyseCmd) measure(env *environment, r *rundir.Recorded, stop float64) (*measured, error) {
	m := &measured{Dir: c.Dir, Script: r.Manifest.Script, Status: string(r.Manifest.Status), StartS: c.Start.Seconds(), StopS: stop,
		BinS: c.Bin.Seconds(), WindowS: c.Window.Seconds(), Spikes: []spikes{}, Rates: []rate{}, Values: []values{}, Notes: []string{}}
	switch r.Manifest.Status {
	case store.Complete:
	case store.Running:
		m.note("the run goes on, or was killed: this is what was recorded until now")
	default:
		m.note("the run was %s: this is what was recorded until then", r.Manifest.Status)
	}
	if n := r.Simulations(); n > 1 {
		m.note("the script ran %d networks, each from time 0 on: what is told of one that ran for less than %s counts silence at its end (--stop)", n, modelTime(r.Stop()))
	}
	for _, mon := range r.Manifest.Monitors {
		if err := env.ctx.Err(); err != nil {
			return nil, err
		}
		var err error
		switch mon.Value.Kind {
		case "spikes", "events":
			err = c.spikes(m, r, mon.Name)
		case "rate":
			err = c.rate(m, r, mon.Name)
		case "state":
			for _, v := range mon.Value.Variables {
				if err = c.values(m, r, mon.Name, v); err != nil {
					break
				}
			}
		default:
			m.note("%s: this version of synfire knows nothing of monitors of the kind %q (the run is of version %s)", mon.Name, mon.Value.Kind, r.Manifest.Version)
		}
		if err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *measured) note(format string, a ...any) {
	m.Notes = append(m.Notes, fmt.Sprintf(format, a...))
}

func (c *analyseCmd) spikes(m *measured, r *rundir.Recorded, name string) error {
	mon, _ := r.Manifest.Monitors.Get(name)
	if !r.Records(name) {
		m.note("%s counted %s events and did not record them (record=False)", name, count(mon.Events))
		return nil
	}
	i, t, n, exact, err := r.Spikes(name)
	if err != nil {
		return err
	}
	if !exact {
		if n == 0 {
			m.note("%s: no spikes, and the run, of version %s, does not tell of how many neurons: left out", name, r.Manifest.Version)
			return nil
		}
		m.note("%s: the run, of version %s, does not tell how many neurons were watched: the last with a spike, %d, is taken for the last", name, r.Manifest.Version, n-1)
	}
	start := max(m.StartS, mon.StartS)
	if start > m.StartS {
		m.note("%s watches from %s on", name, modelTime(start))
	}
	if m.StopS-start < m.BinS {
		m.note("%s: less than a bin of %s is left: left out", name, modelTime(m.BinS))
		return nil
	}
	s, err := analysis.NewSpikes(i, t, n, start, m.StopS)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	x := spikes{Monitor: name, Source: mon.Source, Neurons: n, Spikes: len(s.T), Rate: number(s.MeanRate())}
	for _, f := range s.Rates() {
		if f > 0 {
			x.Active++
		}
	}
	cv, _ := s.CV(c.Least)
	cv2, _ := s.CV2(c.Least)
	corr, _ := s.Correlation(m.BinS)
	x.CV, x.CV2, x.Correlation, x.Branching = number(cv), number(cv2), number(corr), number(s.BranchingRatio(m.BinS))
	x.Fano = number(analysis.Fano(s.Counts(m.BinS)))
	sizes, _ := s.Avalanches(m.BinS)
	x.Avalanches = len(sizes)
	times := make([]float64, 1000)
	for k := range times {
		times[k] = s.Start + s.Duration()*(float64(k)+0.5)/float64(len(times))
	}
	sum, phases := 0.0, 0
	for _, r := range s.Kuramoto(times) {
		if r == r {
			sum, phases = sum+r, phases+1
		}
	}
	x.Kuramoto = number(sum / float64(phases))
	x.Peak = number(math.NaN())
	switch {
	case len(s.T) == 0:
		m.note("%s: no spikes: there is nothing but the rate", name)
	case cv != cv:
		m.note("%s: no neuron has %d intervals: no CV (--least)", name, c.Least)
	}
	if n == 1 {
		m.note("%s: one neuron: there is nothing to correlate or to synchronise", name)
		x.Kuramoto = number(math.NaN())
	}
	if len(s.T) > 0 {
		x.Peak = m.peak(name, s.PopulationRate(m.BinS), 1/m.BinS)
	}
	m.Spikes = append(m.Spikes, x)
	return nil
}

// peak is the frequency at which the spectrum of a signal is largest, from that of two periods in a window on.
func (m *measured) peak(name string, x []float64, hz float64) number {
	f, p, err := analysis.Spectrum(x, hz, int(m.WindowS*hz+0.5))
	if err != nil {
		m.note("%s: no spectrum: %v (--window)", name, err)
		return number(math.NaN())
	}
	at, power := analysis.Peak(f, p, 1.5/m.WindowS, math.Inf(1)) // between one period and two, since frequencies are rounded
	if power == 0 {
		return number(math.NaN())
	}
	return number(at)
}

// within are the samples of a row between start and stop.
func (m *measured) within(row, t []float64) []float64 {
	var v []float64
	for k, x := range row {
		if t[k] >= m.StartS-1e-9 && t[k] < m.StopS-1e-9 {
			v = append(v, x)
		}
	}
	return v
}

func spread(rows [][]float64) (mean, sd, low, high number) {
	sum, square, n, lo, hi := 0.0, 0.0, 0.0, math.Inf(1), math.Inf(-1)
	for _, v := range rows {
		for _, x := range v {
			sum, n, lo, hi = sum+x, n+1, min(lo, x), max(hi, x)
		}
	}
	for _, v := range rows {
		for _, x := range v {
			square += (x - sum/n) * (x - sum/n)
		}
	}
	if n == 0 {
		none := number(math.NaN())
		return none, none, none, none
	}
	return number(sum / n), number(math.Sqrt(square / n)), number(lo), number(hi)
}

func (c *analyseCmd) rate(m *measured, r *rundir.Recorded, name string) error {
	v, t, err := r.Rate(name)
	if err != nil {
		return err
	}
	if v = m.within(v, t); len(v) == 0 {
		m.note("%s: no samples from %s to %s", name, modelTime(m.StartS), modelTime(m.StopS))
		return nil
	}
	x := rate{Monitor: name, Samples: len(v)}
	x.Mean, x.SD, _, _ = spread([][]float64{v})
	x.Peak = m.peak(name, v, interval(t))
	m.Rates = append(m.Rates, x)
	return nil
}

// interval is how many samples there are in a second.
func interval(t []float64) float64 {
	if len(t) < 2 {
		return math.NaN()
	}
	return float64(len(t)-1) / (t[len(t)-1] - t[0])
}

func (c *analyseCmd) values(m *measured, r *rundir.Recorded, name, variable string) error {
	rows, t, err := r.Values(name, variable)
	if err != nil {
		return err
	}
	what := name + "." + variable
	for k, row := range rows {
		rows[k] = m.within(row, t)
	}
	if len(rows) == 0 || len(rows[0]) == 0 {
		m.note("%s: no samples from %s to %s", what, modelTime(m.StartS), modelTime(m.StopS))
		return nil
	}
	x := values{Monitor: name, Variable: variable, Unit: symbol(r.Unit(name, variable)), Rows: len(rows), Samples: len(rows[0]), Synchrony: number(math.NaN())}
	x.Mean, x.SD, x.Min, x.Max = spread(rows)
	mean := make([]float64, len(rows[0]))
	for _, row := range rows {
		for k := range mean {
			mean[k] += row[k] / float64(len(rows))
		}
	}
	if len(rows) > 1 {
		x.Synchrony = number(analysis.Synchrony(rows))
	}
	x.Peak = number(math.NaN())
	if slices.ContainsFunc(rows, func(row []float64) bool { return slices.Min(row) != slices.Max(row) }) { // of constants there is what rounding leaves
		x.Peak = m.peak(what, mean, interval(t))
	}
	m.Values = append(m.Values, x)
	return nil
}

// show prints the tables.
func (m *measured) show(w io.Writer, t terminal) {
	fmt.Fprintf(w, "%s, from %s to %s; bins of %s, spectra of windows of %s\n", t.bold(m.Script), modelTime(m.StartS), modelTime(m.StopS), modelTime(m.BinS), modelTime(m.WindowS))
	if len(m.Spikes) > 0 {
		rows := [][]string{{"spikes", "neurons", "active", "spikes", "rate (Hz)", "CV", "CV2", "Fano", "corr.", "Kuramoto", "avalanches", "branching", "peak (Hz)"}}
		for _, x := range m.Spikes {
			rows = append(rows, []string{x.Monitor, fmt.Sprint(x.Neurons), fmt.Sprint(x.Active), fmt.Sprint(x.Spikes), x.Rate.measure(), x.CV.measure(), x.CV2.measure(), x.Fano.measure(),
				x.Correlation.measure(), x.Kuramoto.measure(), fmt.Sprint(x.Avalanches), x.Branching.measure(), x.Peak.measure()})
		}
		fmt.Fprintln(w)
		table(w, t, rows)
	}
	if len(m.Rates) > 0 {
		rows := [][]string{{"rates", "samples", "mean (Hz)", "sd (Hz)", "peak (Hz)"}}
		for _, x := range m.Rates {
			rows = append(rows, []string{x.Monitor, fmt.Sprint(x.Samples), x.Mean.measure(), x.SD.measure(), x.Peak.measure()})
		}
		fmt.Fprintln(w)
		table(w, t, rows)
	}
	if len(m.Values) > 0 {
		rows := [][]string{{"values", "unit", "rows", "samples", "mean", "sd", "min", "max", "chi squared", "peak (Hz)"}}
		for _, x := range m.Values {
			unit := x.Unit
			if unit == "" {
				unit = "SI"
			}
			rows = append(rows, []string{x.Monitor + "." + x.Variable, unit, fmt.Sprint(x.Rows), fmt.Sprint(x.Samples), x.Mean.String(), x.SD.String(), x.Min.String(), x.Max.String(),
				x.Synchrony.measure(), x.Peak.measure()})
		}
		fmt.Fprintln(w)
		table(w, t, rows)
	}
	if len(m.Notes) > 0 {
		fmt.Fprintf(w, "\n%s\n", strings.Join(m.Notes, "\n"))
	}
}
