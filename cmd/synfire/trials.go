package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"synfire/engine"
	"synfire/engine/backend"
	drawing "synfire/engine/figure"
	"synfire/engine/rundir"
	"synfire/engine/script"
	"synfire/engine/store"
)

const (
	mostTrials = 1 << 16
	mostBeside = 64 // on a GPU at a time: each has its state there
)

// trials are runs of one network beside one another.
type trials struct {
	c    *runCmd
	env  *environment
	open func() (backend.Backend, error) // the backend of one trial
	pool []*engine.Pool
	all  []*trial

	mu     sync.Mutex // of all below
	bar    *progress
	warned map[string]bool
	begun  int  // trials, in their order
	told   int  // those whose output has been printed
	passed bool // one has come to its end
	over   error
}

// trial is one of them.
type trial struct {
	*record
	err   error
	out   strings.Builder // what the script printed
	ended bool

	before, done, total int64 // steps of runs that ended, and of the one that is on
}

// runTrials runs n trials, tells of them in their order, and of all in one table.
func (c *runCmd) runTrials(env *environment, n int) error {
	t := &trials{c: c, env: env, pool: engine.Pools(n), bar: newProgress(env.err, env.errTerm, c.Quiet), warned: map[string]bool{}}
	for range n {
		t.all = append(t.all, &trial{record: &record{m: &store.Manifest{}}})
	}
	if err := c.vacant(n); err != nil {
		return err
	}
	workers, shut, err := t.backend(n)
	if err != nil {
		return err
	}
	if why := c.Threads.beyond(); why != "" && !c.Quiet {
		fmt.Fprintln(env.err, env.errTerm.faint(why))
	}
	begin := time.Now()
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for k := t.next(); k < n; k = t.next() {
				t.run(k)
			}
		})
	}
	wg.Wait()
	wall := time.Since(begin)
	if err := shut(); err != nil && t.over == nil {
		t.over = err
	}
	t.bar.clear()
	return t.end(wall)
}

// vacant refuses a directory that holds something else than trials with numbers below n.
func (c *runCmd) vacant(n int) error {
	if c.Out == nil {
		return nil
	}
	list, err := os.ReadDir(*c.Out)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("--out %s: %w", *c.Out, err)
	}
	for _, e := range list {
		number, found := strings.CutPrefix(e.Name(), "trial-")
		if k, err := strconv.Atoi(number); !found || err != nil || k < 0 || k >= n {
			return fmt.Errorf("--out %s: %s is there, which is none of trial-0 to trial-%d: name another directory, or remove it", *c.Out, e.Name(), n-1)
		}
	}
	return nil
}

// backend opens what the trials run on, and says how many are to run at a time.
func (t *trials) backend(n int) (workers int, shut func() error, err error) {
	c := t.c
	name := c.Backend
	if name == "auto" || name == "" {
		if name = "cpu"; c.Device != "" {
			name = "gl"
		}
	}
	o := c.deviceFlags.options()
	o.Ctx = t.env.ctx
	most := c.Threads.forBuilding()
	if most == 0 {
		most = runtime.GOMAXPROCS(0)
	}
	switch name {
	case "gl":
		workers = min(n, mostBeside)
	default:
		workers = min(n, most)
		o.Threads, o.FixedThreads = max(1, most/workers), true
	}
	first, err := backend.Open(name, o)
	if err != nil {
		return 0, nil, err
	}
	beside, ok := first.(backend.Neighbourly)
	if !ok {
		t.open = func() (backend.Backend, error) { return backend.Open(name, o) }
	} else {
		t.open = func() (backend.Backend, error) { return beside.Beside(), nil }
	}
	return workers, first.Close, nil
}

// next is the trial to run next; as many as there are: none.
func (t *trials) next() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.begun == len(t.all) || t.over != nil || t.env.ctx.Err() != nil {
		return len(t.all)
	}
	t.begun++
	return t.begun - 1
}

// run runs trial k.
func (t *trials) run(k int) {
	c, x := t.c, t.all[k]
	defer t.pool[k].End()
	err := func() error {
		opt := script.Options{File: c.Model, Set: c.Set, Seed: c.Seed, NetworkSeed: c.NetworkSeed, Trial: uint64(k), Pool: t.pool[k], MaxMemory: c.memory(), Threads: c.Threads.forBuilding(), Stdout: &x.out}
		var dir *rundir.Dir
		if c.Out != nil {
			var err error
			if dir, err = rundir.Create(filepath.Join(*c.Out, fmt.Sprintf("trial-%d", k))); err != nil {
				return err
			}
			defer dir.Close()
			x.m, opt.Records = &dir.Manifest, dir
		}
		if c.Synapses {
			opt.AtEnd = writeSynapses(t.env.ctx, dir, opt.Threads)
		}
		x.m.Version, x.m.Script = versionText(), filepath.Base(c.Model)
		x.m.TimeS.Start = time.Since(started).Seconds()
		opt.Open = func() (backend.Backend, error) {
			b, err := t.open()
			if err == nil {
				x.opened(b)
			}
			return b, err
		}
		opt.Warn = func(msg string) { t.warn(k, msg) }
		opt.Progress = func(done, total int64) { t.progress(x, done, total) }
		opt.AfterRun = func(res *script.Result) error {
			t.mu.Lock()
			x.before, x.done, x.total = x.before+x.done, 0, 0
			t.mu.Unlock()
			return x.afterRun(res)
		}
		opt.Draw = func(f *drawing.Figure, name string) error {
			_, err := c.drawn(f, fmt.Sprintf("trial-%d-%s", k, filepath.Base(filepath.FromSlash(name))))
			return err
		}
		res, err := script.Run(t.env.ctx, opt)
		x.finish(res, err)
		if res != nil {
			res.Net.Close() // or what it has on the device, and of tables, would stay until the last trial is over
		}
		if dir != nil {
			if e := dir.Finish(err); e != nil && err == nil {
				err = e
			}
		}
		return err
	}()
	t.mu.Lock()
	defer t.mu.Unlock()
	x.err, x.ended = err, true
	t.passed = t.passed || err == nil
	if fault := (*backend.Fault)(nil); err != nil && t.over == nil && !t.passed && !errors.As(err, &fault) {
		t.over = err // the others would come to the same, as far as is known
	}
	t.bar.clear()
	for t.told < len(t.all) && t.all[t.told].ended { // in their order, whichever ends first
		t.print(t.told)
		t.told++
	}
}

// print shows what a trial's script has printed.
func (t *trials) print(k int) {
	w := io.Writer(t.env.out)
	if t.c.JSON {
		w = t.env.err
	}
	for line := range strings.Lines(t.all[k].out.String()) {
		fmt.Fprintf(w, "trial %d: %s", k, line)
	}
	t.all[k].out.Reset()
}

// warn passes a warning on once.
func (t *trials) warn(k int, msg string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.warned[msg] {
		t.warned[msg] = true
		t.bar.clear()
		fmt.Fprintf(t.env.err, "%s trial %d: %s\n", t.env.errTerm.amber("warning:"), k, msg)
	}
}

// progress shows the steps of all trials, of which each is taken to make as many as the one that knows of most.
func (t *trials) progress(x *trial, done, total int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	x.done, x.total = done, total
	var made, most int64
	for _, y := range t.all {
		made += y.before + y.done
		most = max(most, y.before+max(y.total, y.done))
	}
	t.bar.step(made, most*int64(len(t.all)))
}

// end shows what came out, and returns how it ended.
func (t *trials) end(wall time.Duration) error {
	if t.env.ctx.Err() != nil {
		t.over = engine.ErrInterrupted
	}
	for k := t.told; k < len(t.all); k++ {
		t.print(k)
	}
	var ran []int
	failed := map[string][]string{}
	var texts []string
	var err error
	for k, x := range t.all {
		if len(x.m.Runs) > 0 {
			ran = append(ran, k)
		}
		if x.err != nil {
			if err == nil {
				err = x.err
			}
			text := x.err.Error()
			if failed[text] == nil {
				texts = append(texts, text)
			}
			failed[text] = append(failed[text], strconv.Itoa(k))
		}
	}
	if err == nil {
		err = t.over
	}
	switch {
	case t.c.JSON:
		var all struct {
			Trials []*store.Manifest `json:"trials"`
		}
		for _, x := range t.all {
			if x.ended {
				all.Trials = append(all.Trials, x.m)
			}
		}
		b, e := json.MarshalIndent(all, "", "  ")
		if e == nil {
			_, e = t.env.out.Write(append(b, '\n'))
		}
		if e != nil {
			return e
		}
	case !t.c.Quiet && len(ran) > 0:
		t.summarize(ran, wall)
		if t.c.Out != nil {
			fmt.Fprintf(t.env.out, "written: %s\n", filepath.Join(*t.c.Out, fmt.Sprintf("trial-0 to trial-%d", t.begun-1)))
		}
	}
	if left := len(t.all) - t.begun; left > 0 {
		fmt.Fprintln(t.env.err, t.env.errTerm.faint(fmt.Sprintf("%d of %d trials were not run, from trial %d on", left, len(t.all), t.begun)))
	}
	if len(ran) == len(t.all) && len(ran) > 1 && t.alike() && !t.c.Quiet {
		fmt.Fprintln(t.env.err, t.env.errTerm.amber("warning:"), "all trials are alike: nothing differs between them but initial values, given as texts, of variables with an equation, noise, Poisson input, and rand() in what a network computes (`synfire sweep MODEL --seeds N` runs other networks)")
	}
	if err == nil {
		return nil
	}
	if errors.Is(err, engine.ErrInterrupted) || len(texts) == 0 || len(t.all) == 1 {
		return err
	}
	for _, text := range texts {
		which := "trial " + failed[text][0]
		if n := len(failed[text]); n > 1 {
			which += fmt.Sprintf(" and %d more", n-1)
		}
		fmt.Fprintf(t.env.err, "%s %s: %s\n", t.env.errTerm.red("synfire:"), which, text)
	}
	return &toldError{err}
}

// alike says that no trial differs from another.
func (t *trials) alike() bool {
	for _, x := range t.all {
		if x.err != nil || x.m.Hash != t.all[0].m.Hash || x.m.Hash.State == "" {
			return false
		}
	}
	return true
}

// summarize shows a line for each trial, and what they have in common.
func (t *trials) summarize(ran []int, wall time.Duration) {
	w, term, m := t.env.out, t.env.outTerm, t.all[ran[0]].m
	network := m.Seed
	if m.NetworkSeed != nil {
		network = *m.NetworkSeed
	}
	fmt.Fprintf(w, "%s: %d trials of %s neurons, %s synapses, dt %s, network seed %d\n", term.bold(m.Script), len(ran), count(m.Neurons), count(m.Synapses), duration(m.DtS), network)
	for _, s := range m.Set {
		fmt.Fprintf(w, "  %s = %s\n", s.Name, s.Value)
	}
	device := m.Device
	if device != "" {
		device = ", " + device
	}
	fmt.Fprintf(w, "%s%s\n\n", m.Backend, device)
	var names []string // of populations that can spike
	for _, p := range m.Populations {
		if _, ok := m.Runs[len(m.Runs)-1].Spikes.Get(p.Name); ok && p.Value > 0 {
			names = append(names, p.Name)
		}
	}
	rates := func(m *store.Manifest) (out []float64) {
		for _, n := range names {
			spikes, time := int64(0), 0.0
			for _, r := range m.Runs {
				k, _ := r.Spikes.Get(n)
				spikes, time = spikes+k, time+r.DurationS
			}
			size, _ := m.Populations.Get(n)
			out = append(out, float64(spikes)/(float64(size)*time))
		}
		return out
	}
	const most = 6 // columns
	shown := names[:min(len(names), most)]
	head := []string{"trial", "seed"}
	for _, n := range shown {
		head = append(head, n+" (Hz)")
	}
	rows := [][]string{append(head, "spikes hash", "state hash")}
	sum, squares := make([]float64, len(names)), make([]float64, len(names))
	var steps, events int64
	for _, k := range ran {
		x := t.all[k].m
		row := []string{strconv.Itoa(k), strconv.FormatUint(x.Seed, 10)}
		for i, r := range rates(x) {
			if sum[i], squares[i] = sum[i]+r, squares[i]+r*r; i < len(shown) {
				row = append(row, fmt.Sprintf("%.3f", r))
			}
		}
		for _, r := range x.Runs {
			steps, events = steps+r.Steps, events+r.Events
		}
		rows = append(rows, append(row, x.Hash.Spikes, x.Hash.State[:min(16, len(x.Hash.State))]))
	}
	mean, sd, n := []string{"mean", ""}, []string{"sd", ""}, float64(len(ran))
	for i := range shown {
		of := sum[i] / n
		mean = append(mean, fmt.Sprintf("%.3f", of))
		sd = append(sd, fmt.Sprintf("%.3f", math.Sqrt(max(0, squares[i]-n*of*of)/max(n-1, 1))))
	}
	rows = append(rows, append(mean, "", ""), append(sd, "", ""))
	table(w, term, rows)
	fmt.Fprintf(w, "\n%s   %s steps and %s synaptic events of all trials in %s", term.bold("time"), short(float64(steps)), short(float64(events)), duration(wall.Seconds()))
	if wall > 0 {
		fmt.Fprintf(w, ", %s steps/s", short(float64(steps)/wall.Seconds()))
	}
	fmt.Fprintln(w)
}
