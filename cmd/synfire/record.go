package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"sort"
	"time"

	"synfire/engine"
	"synfire/engine/backend"
	"synfire/engine/host"
	"synfire/engine/plot"
	"synfire/engine/plot/term"
	"synfire/engine/rundir"
	"synfire/engine/script"
	"synfire/engine/store"
)

// record gathers the manifest of a run.
type record struct {
	m       *store.Manifest // of the run directory, if there is one
	backend backend.Backend
	profile []backend.Phase
	held    []backend.Held
	begin   time.Time // of the run() that is on, or of what comes before it
}

func (r *record) opened(b backend.Backend) {
	r.backend = b
	rundir.Device(r.m, b)
	r.begin = time.Now()
}

// afterRun takes in what a run() did.
func (r *record) afterRun(res *script.Result) error {
	last := res.Runs[len(res.Runs)-1]
	if r.m.TimeS.FirstSpike == 0 && last.FirstSpike > 0 {
		r.m.TimeS.FirstSpike = r.begin.Sub(started).Seconds() + last.FirstSpike
	}
	r.begin = time.Now()
	return rundir.Ran(r.m, res.Net, r.backend)
}

// finish fills the manifest in from what a script has made, err being how it ended.
func (r *record) finish(res *script.Result, err error) {
	m := r.m
	rundir.End(m, err)
	m.Bytes.Peak = host.PeakMemory()
	if res == nil {
		return
	}
	m.ScriptSHA256 = res.SHA256
	rundir.Seeds(m, res.Seed, res.NetworkSeed)
	names := make([]string, 0, len(res.Set))
	for n := range res.Set {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		m.Set.Set(n, res.Set[n])
	}
	rundir.Describe(m, res.Runs, append([]*engine.Network{res.Net}, res.Others...)...)
	if n := len(res.Runs); n > 0 {
		r.profile, r.held = res.Runs[n-1].Profile, res.Runs[n-1].Held
	}
}

// trains are the spikes that were recorded with indices and times, by the name of what fired. Of more than limit spikes
// there are none: what is drawn of them must fit into the memory.
func trains(res *script.Result, limit int64) []term.Spikes {
	if res == nil {
		return nil
	}
	var out []term.Spikes
	total := int64(0)
	for _, mon := range res.Monitors() {
		m, ok := mon.(*engine.SpikeMonitor)
		if !ok || m.Event() != "spike" || !m.Recording() {
			continue
		}
		if total += m.Num(); total > limit {
			return nil
		}
		out = append(out, term.Spikes{Name: m.Source(), I: m.I(), T: m.T(), N: m.N()})
	}
	return out
}

// The summary draws so many spikes, a picture so many values: 100 MB and 2 GB in memory.
const (
	chartSpikes = 1 << 23
	plotValues  = 1 << 27
)

// figure is the picture of what was recorded.
func figure(res *script.Result) (*plot.Figure, error) {
	f := &plot.Figure{Title: filepath.Base(res.File)}
	values := int64(0)
	for _, mon := range res.Monitors() {
		for _, c := range mon.Columns() {
			values += int64(c.Len() * max(c.Rows, 1))
		}
	}
	if values > plotValues {
		return nil, fmt.Errorf("--plot: %s recorded values are too many for a picture (%s at most): plot a part of the arrays of --out", count(values), count(plotValues))
	}
	for _, t := range trains(res, plotValues) {
		f.Spikes = append(f.Spikes, plot.Spikes(t))
	}
	var of []string
	for _, mon := range res.Monitors() {
		cols := mon.Columns()
		at := slices.IndexFunc(cols, func(c *engine.Column) bool { return c.Name == "t" })
		if at < 0 || mon.Len() == 0 {
			continue
		}
		times, err := cols[at].Floats()
		if err != nil {
			return nil, err
		}
		for _, c := range cols {
			if c.Rows == 0 {
				continue
			}
			t := plot.Trace{Name: c.Name, T: times}
			if !c.Unit.IsOne() {
				t.Unit = symbol(c.Unit.String())
			}
			values, err := c.Floats()
			if err != nil {
				return nil, err
			}
			for r := range c.Rows {
				v := make([]float32, c.Len())
				for k, x := range values[r*c.Len() : (r+1)*c.Len()] {
					v[k] = float32(x)
				}
				t.V = append(t.V, v)
			}
			f.Traces, of = append(f.Traces, t), append(of, mon.Name())
		}
	}
	tellApart(f.Traces, of)
	f.Stop = res.Net.T()
	return f, nil
}

// symbol is the short form of a unit's name, where it has one.
func symbol(unit string) string {
	for _, s := range [][2]string{{"volt", "V"}, {"amp", "A"}, {"siemens", "S"}, {"ohm", "Ω"}, {"farad", "F"}, {"coulomb", "C"},
		{"hertz", "Hz"}, {"second", "s"}, {"metre", "m"}, {"joule", "J"}, {"watt", "W"}, {"newton", "N"}} {
		if s[0] == unit {
			return s[1]
		}
	}
	return unit
}
