package main

import (
	"errors"
	"path/filepath"
	"sort"
	"time"

	"synfire/engine"
	"synfire/engine/backend"
	"synfire/engine/plot"
	"synfire/engine/plot/term"
	"synfire/engine/script"
	"synfire/engine/store"
)

// record gathers the manifest of a run.
type record struct {
	m       store.Manifest
	backend backend.Backend
	profile []backend.Phase
	begin   time.Time // of the run() that is on, or of what comes before it
}

func (r *record) opened(b backend.Backend) {
	r.backend = b
	r.describe()
	r.begin = time.Now()
}

// describe notes what runs the network; how many threads, only a loaded plan tells.
func (r *record) describe() {
	caps := r.backend.Caps()
	r.m.Backend, r.m.Device, r.m.Threads, r.m.SIMD, r.m.Inexact = r.backend.Name(), caps.Device, caps.Threads, caps.SIMD, caps.Inexact
}

// afterRun takes in what a run() did; the hash can only be had while the program is loaded.
func (r *record) afterRun(res *script.Result) error {
	last := res.Runs[len(res.Runs)-1]
	if r.m.TimeS.FirstSpike == 0 && last.FirstSpike > 0 {
		r.m.TimeS.FirstSpike = r.begin.Sub(started).Seconds() + last.FirstSpike
	}
	r.begin = time.Now()
	r.describe()
	var err error
	r.m.Hash.Spikes, r.m.Hash.State, err = res.Net.Hash()
	return err
}

// finish fills the manifest in from what a script has made, err being how it ended.
func (r *record) finish(res *script.Result, err error) {
	m := &r.m
	switch {
	case err == nil:
		m.Status = store.Complete
	case errors.Is(err, engine.ErrInterrupted):
		m.Status = store.Interrupted
	default:
		m.Status, m.Error = store.Failed, err.Error()
	}
	m.Bytes.Peak = peakMemory()
	if res == nil {
		return
	}
	m.ScriptSHA256, m.Seed = res.SHA256, res.Seed
	names := make([]string, 0, len(res.Set))
	for n := range res.Set {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		m.Set.Set(n, res.Set[n])
	}
	net := res.Net
	m.DtS = net.Dt()
	for _, g := range res.Groups() {
		m.Populations.Set(g.Name(), int64(g.N()))
		m.Neurons += int64(g.N())
	}
	for _, x := range res.Runs {
		run := store.Run{StartS: x.Start, DurationS: x.Duration, Steps: x.Steps, WallS: x.Wall, Events: int64(x.Events)}
		if x.Duration > 0 {
			run.RealTimeFactor = x.Wall / x.Duration
		}
		for _, g := range res.Groups() {
			if n, ok := x.Spikes[g.Name()]; ok {
				run.Spikes.Set(g.Name(), int64(n))
			}
		}
		m.Runs = append(m.Runs, run)
		m.TimeS.Compile += x.Compile
		m.TimeS.Build += x.Build
		m.Synapses = x.Synapses
		m.Bytes.Plan = max(m.Bytes.Plan, x.PlanBytes)
		r.profile = x.Profile
	}
	for _, mon := range res.Monitors() {
		d := store.Monitor{Kind: mon.Kind()}
		switch x := mon.(type) {
		case *engine.SpikeMonitor:
			d.Events, d.Variables = x.Num(), x.Variables()
		case *engine.StateMonitor:
			d.Recorded, d.Samples, d.Variables = int64(len(x.Recorded())), int64(x.Len()), x.Variables()
		case *engine.RateMonitor:
			d.Samples = int64(x.Len())
		}
		m.Monitors.Set(mon.Name(), d)
	}
}

// save writes what the monitors hold, the script's own arrays and the manifest. Where the arrays do not fit on the disk,
// the manifest still says so.
func (r *record) save(dir *store.Dir, res *script.Result) error {
	var errs []error
	if res != nil {
		for _, mon := range res.Monitors() {
			errs = append(errs, saveMonitor(dir, mon))
		}
		for _, a := range res.Arrays {
			shape := []int{len(a.Values)}
			if a.Cols > 0 {
				shape = []int{len(a.Values) / a.Cols, a.Cols}
			}
			if !a.Integer {
				errs = append(errs, dir.Save(a.Name, a.Values, shape...))
				continue
			}
			ints := make([]int64, len(a.Values))
			for k, x := range a.Values {
				ints[k] = int64(x)
			}
			errs = append(errs, dir.SaveInts(a.Name, ints, shape...))
		}
	}
	errs = append(errs, dir.Close())
	err := errors.Join(errs...)
	if err != nil {
		r.m.Status, r.m.Error = store.Failed, err.Error()
	}
	return errors.Join(err, dir.WriteManifest(&r.m))
}

func saveMonitor(dir *store.Dir, mon engine.Monitor) error {
	name := mon.Name()
	vector := func(file string, v []float64) error {
		w, err := dir.Vector(name+"/"+file, store.Float64)
		if err != nil {
			return err
		}
		return errors.Join(w.AppendFloat64(v), w.Close())
	}
	switch x := mon.(type) {
	case *engine.SpikeMonitor:
		if !x.Recording() {
			return nil
		}
		w, err := dir.Vector(name+"/i", store.Int32)
		if err != nil {
			return err
		}
		if err := errors.Join(w.AppendInt32(x.I()), w.Close(), vector("t", x.T())); err != nil {
			return err
		}
		for _, v := range x.Variables() {
			if v == "i" || v == "t" {
				continue
			}
			a, err := x.Values(v)
			if err != nil {
				return err
			}
			w, err := dir.Vector(name+"/"+v, store.Float32)
			if err != nil {
				return err
			}
			f := make([]float32, len(a.V))
			for k, y := range a.V {
				f[k] = float32(y)
			}
			if err := errors.Join(w.AppendFloat32(f), w.Close()); err != nil {
				return err
			}
		}
	case *engine.StateMonitor:
		if err := vector("t", x.T()); err != nil {
			return err
		}
		for _, v := range x.Variables() {
			f, rows, err := x.Samples(v)
			if err != nil || rows == 0 {
				return err
			}
			w, err := dir.Matrix(name+"/"+v, store.Float32, rows)
			if err != nil {
				return err
			}
			if err := errors.Join(w.AppendFloat32(f), w.Close()); err != nil {
				return err
			}
		}
	case *engine.RateMonitor:
		return errors.Join(vector("t", x.T()), vector("rate", x.Rate()))
	}
	return nil
}

// trains are the spikes that were recorded with indices and times, by the name of what fired.
func trains(res *script.Result) []term.Spikes {
	if res == nil {
		return nil
	}
	var out []term.Spikes
	for _, mon := range res.Monitors() {
		if m, ok := mon.(*engine.SpikeMonitor); ok && m.Recording() && m.Event() == "spike" {
			out = append(out, term.Spikes{Name: m.Source(), I: m.I(), T: m.T(), N: m.N()})
		}
	}
	return out
}

// figure is the picture of what was recorded.
func figure(res *script.Result) *plot.Figure {
	f := &plot.Figure{Title: filepath.Base(res.File)}
	for _, t := range trains(res) {
		f.Spikes = append(f.Spikes, plot.Spikes(t))
	}
	for _, mon := range res.Monitors() {
		m, ok := mon.(*engine.StateMonitor)
		if !ok || m.Len() == 0 {
			continue
		}
		for _, name := range m.Variables() {
			values, dim, err := m.Values(name)
			if err != nil {
				continue
			}
			t := plot.Trace{Name: name, T: m.T()}
			if !dim.IsOne() {
				t.Unit = symbol(dim.String())
			}
			for _, row := range values {
				v := make([]float32, len(row))
				for k, x := range row {
					v[k] = float32(x)
				}
				t.V = append(t.V, v)
			}
			f.Traces = append(f.Traces, t)
		}
	}
	f.Stop = res.Net.T()
	return f
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
