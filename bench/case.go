package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"time"

	"gonum.org/v1/gonum/stat"

	"synfire/engine/backend"
	"synfire/engine/host"
	"synfire/engine/script"
	_ "synfire/kernels" // registers itself, as the others do
	_ "synfire/kernels/ref"
	_ "synfire/shaders"
)

// order is what a child process is asked to do; it is its argument, as JSON.
type order struct {
	Case
	Script string            `json:"script"`
	Set    map[string]string `json:"set"`
	Spikes string            `json:"spikes,omitempty"` // a folder into which a peer writes its spikes
	Began  int64             `json:"began_ns"`         // Unix time when the child was started
}

// message is one line of what a child says.
type message struct {
	Progress []int64 `json:"progress,omitempty"` // steps done and to do
	Sample   *Sample `json:"sample,omitempty"`
	Error    string  `json:"error,omitempty"`
}

// RunCase runs one case in this process and reports on w, one JSON object a
// line. It is what a child of Runner does with its argument.
func RunCase(ctx context.Context, text string, w io.Writer) error {
	enc := json.NewEncoder(w)
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return fmt.Errorf("--case takes what `synfire bench` gives its children: %w", err)
	}
	s, err := o.run(ctx, func(done, total int64) { enc.Encode(message{Progress: []int64{done, total}}) })
	if err != nil {
		return enc.Encode(message{Error: err.Error()})
	}
	return enc.Encode(message{Sample: s})
}

// open opens the case's backend.
func (c Case) open() (backend.Backend, error) {
	return backend.Open(c.Backend, backend.Options{Threads: c.Threads, FixedThreads: c.Threads > 0, Device: c.Device})
}

// run makes a sample of the last run() of the script; time to compile and to
// build are those of all.
func (o *order) run(ctx context.Context, progress func(done, total int64)) (*Sample, error) {
	s := &Sample{Idle: residentMemory(), Rates: map[string]float64{}, Phases: map[string]float64{}}
	if o.Set == nil {
		o.Set = map[string]string{}
	}
	began := time.Unix(0, o.Began)
	var opened, told time.Time
	var first float64 // seconds after began
	res, err := script.Run(ctx, script.Options{
		File: o.Script, Set: o.Set, Seed: &o.Seed, Threads: o.Threads,
		Open: func() (backend.Backend, error) {
			b, err := o.open()
			if err == nil {
				s.Device = b.Caps().Device
			}
			opened = time.Now()
			return b, err
		},
		Progress: func(done, total int64) {
			if time.Since(told) > 200*time.Millisecond {
				told = time.Now()
				progress(done, total)
			}
		},
		AfterRun: func(r *script.Result) error {
			last := r.Runs[len(r.Runs)-1]
			if first == 0 && last.FirstSpike > 0 {
				first = opened.Sub(began).Seconds() + last.FirstSpike
			}
			opened = time.Now()
			spikes, state, err := r.Net.Hash()
			s.Hash = spikes + "/" + state
			if _, plan := r.Net.Program(); plan != nil {
				s.Work = workOf(plan)
			}
			return err
		},
	})
	if err != nil {
		return nil, err
	}
	if len(res.Runs) == 0 {
		return nil, fmt.Errorf("%s has no run()", filepath.Base(o.Script))
	}
	for _, r := range res.Runs {
		s.Compile += r.Compile
		s.Build += r.Build
		s.PlanBytes = max(s.PlanBytes, r.PlanBytes)
	}
	last := res.Runs[len(res.Runs)-1]
	s.Run, s.Model, s.Steps = last.Wall, last.Duration, last.Steps
	s.Synapses, s.Events, s.FirstSpike = last.Synapses, last.Events, first
	for _, g := range res.Net.Groups() {
		s.Neurons += int64(g.N())
		n, ok := last.Spikes[g.Name()]
		s.Spikes += n
		if ok && last.Duration > 0 && g.N() > 0 {
			s.Rates[g.Name()] = float64(n) / float64(g.N()) / last.Duration
		}
	}
	for _, y := range res.Net.AllSynapses() {
		v, err := y.Var("w")
		if err != nil || !v.Learned() {
			continue
		}
		a, err := v.Get(nil)
		if err != nil {
			return nil, err
		}
		mean, sd := stat.PopMeanStdDev(a.V, nil)
		if s.Weights == nil {
			s.Weights = map[string]Spread{}
		}
		s.Weights[y.Name()] = Spread{mean, sd}
	}
	for _, p := range last.Profile {
		s.Phases[p.Name] = p.Time.Seconds()
	}
	s.Peak = host.PeakMemory()
	s.Total = time.Since(began).Seconds()
	return s, nil
}

// settings are the parameters of a case's script.
func (w Workload) settings(c Case, extra map[string]string) map[string]string {
	set := map[string]string{w.Param: strconv.FormatFloat(c.Size, 'f', -1, 64), "duration": fmt.Sprintf("%v*second", c.Duration)}
	for k, v := range w.Set {
		set[k] = v
	}
	for k, v := range extra {
		set[k] = v
	}
	return set
}
