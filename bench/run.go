package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"synfire/engine"
	"synfire/shaders"
)

// Runner runs benchmarks.
type Runner struct {
	Child   []string // command that calls RunCase with its last argument, which is added
	Python  string   // interpreter that has the peers; "": found by FindPython
	Version string
	Command string
	Log     io.Writer // progress and warnings; nil: none
	Live    bool      // Log is a terminal: lines may be overwritten

	dir       string
	available func() int64 // for tests, like machine
	machine   *Machine
	total     float64 // cost of all cases
	done      float64 // cost of those that are finished
	spent     float64 // seconds that those took
	shown     Case    // the last case that progress told of, where Log is no terminal
}

// Run runs what the options ask for. If ctx ends, the rows that were finished
// are in the results and the error wraps engine.ErrInterrupted.
func (r *Runner) Run(ctx context.Context, o Options) (*Results, error) {
	rows, err := plan(o)
	if err != nil {
		return nil, err
	}
	if r.available == nil {
		r.available = availableMemory
	}
	if r.dir, err = os.MkdirTemp("", "synfire-bench-"); err != nil {
		return nil, err
	}
	defer os.RemoveAll(r.dir)
	res := &Results{Version: r.Version, Date: time.Now().UTC().Format(time.RFC3339), Command: r.Command}
	if r.machine == nil {
		r.status("measuring clock and memory")
		m := Probe(mostThreads(o))
		r.machine = &m
	}
	res.Machine = *r.machine

	for k := range rows {
		rows[k].Skipped = r.refusal(rows[k].Case)
		if rows[k].Skipped != "" {
			r.say("%s: not run: %s", rows[k].Case, rows[k].Skipped)
		} else {
			r.total += workload(rows[k].Workload).cost(rows[k].Case) * float64(o.Repeats)
		}
	}
	hashes := map[string]*Row{}
	for k := range rows {
		row := &rows[k]
		if row.Skipped == "" {
			r.measure(ctx, row, o)
			compareHash(row, hashes)
		}
		if ctx.Err() != nil && len(row.Samples) == 0 {
			res.Interrupted = true
			break
		}
		res.Rows = append(res.Rows, *row)
		if ctx.Err() != nil {
			res.Interrupted = true
			break
		}
	}
	r.clear()
	comparePeers(res.Rows)
	if res.Interrupted {
		return res, fmt.Errorf("%w: %d of %d rows are finished", engine.ErrInterrupted, len(res.Rows), len(rows))
	}
	return res, nil
}

// mostThreads is the largest number of threads that the options ask for, but no
// more than there are cores.
func mostThreads(o Options) int {
	if len(o.Threads) == 0 {
		return runtime.NumCPU()
	}
	return min(slices.Max(o.Threads), runtime.NumCPU())
}

// plan lists the cases in the order in which they run: a network's backends, then
// its peers.
func plan(o Options) ([]Row, error) {
	list, err := choose(o.Workloads)
	if err != nil {
		return nil, err
	}
	if o.Repeats < 1 {
		return nil, fmt.Errorf("%d repeats: at least one is needed", o.Repeats)
	}
	threads := o.Threads
	if len(threads) == 0 {
		threads = slices.Compact([]int{1, runtime.NumCPU()})
	}
	for _, t := range threads {
		if t < 1 || t > 4096 {
			return nil, fmt.Errorf("%d threads: expected between 1 and 4096", t)
		}
	}
	backends := o.Backends
	if len(backends) == 0 {
		backends = []string{"cpu"}
	}
	for _, b := range backends {
		if name, _, _ := strings.Cut(b, ":"); name != "cpu" && name != "ref" && name != "gl" || name != "gl" && name != b {
			return nil, fmt.Errorf("there is no backend %q; there are cpu, ref, gl (every device) and gl:NAME", b)
		}
	}
	for _, p := range o.Peers {
		if !slices.Contains(peers, p) {
			return nil, fmt.Errorf("there is no peer %q; there are %s", p, strings.Join(peers, ", "))
		}
	}
	var rows []Row
	for _, w := range list {
		sizes := o.Sizes
		switch {
		case len(sizes) > 0:
		case o.AllSizes:
			sizes = slices.Sorted(slices.Values(w.Sizes))
		default:
			sizes = w.Sizes[:1]
		}
		for _, size := range sizes {
			if !(size > 0) {
				return nil, fmt.Errorf("a size of %g: expected more than 0", size)
			}
			c := Case{Workload: w.Name, Size: size, Duration: w.Time, Seed: o.Seed}
			if o.Duration > 0 && w.Name != "build" {
				c.Duration = o.Duration
			}
			for _, b := range backends {
				c.Backend, c.Device, _ = strings.Cut(b, ":")
				switch c.Backend {
				case "cpu":
					for _, t := range threads {
						c.Threads, c.Size = t, size
						if o.Weak {
							c.Size = size * float64(t)
						}
						rows = append(rows, Row{Case: c})
					}
					c.Size = size
				case "gl":
					c.Threads = 0
					rows = append(rows, devices(c)...)
				default:
					c.Threads = 1
					rows = append(rows, Row{Case: c})
				}
			}
			c.Device = ""
			for _, p := range o.Peers {
				c.Backend, c.Threads = p, slices.Max(threads)
				if p == "brian2-cython" {
					c.Threads = 1
				}
				rows = append(rows, Row{Case: c})
			}
		}
	}
	return rows, nil
}

// devices makes one case for each device, if none is named.
func devices(c Case) []Row {
	if c.Device != "" {
		return []Row{{Case: c}}
	}
	list, err := shaders.Devices()
	var rows []Row
	for _, d := range list {
		c.Device = fmt.Sprint(d.Number)
		rows = append(rows, Row{Case: c})
	}
	if err != nil || len(rows) == 0 {
		return []Row{{Case: c}} // its error will say what is missing
	}
	return rows
}

// refusal says why a case is not even started.
func (r *Runner) refusal(c Case) string {
	w := workload(c.Workload)
	if c.isPeer() && !slices.Contains(w.Peers, c.Backend) {
		return "this workload is not written for the peer"
	}
	n, s := w.Shape(c.Size)
	if steps := c.Duration * 1e4; c.Backend == "ref" && n*steps+s*w.Rate*c.Duration > 3e8 {
		return "too large for ref, which is the definition and not a speed; a smaller --sizes or --duration will do"
	}
	need, have := w.bytesNeeded(c.Size, c.Backend), float64(r.available())
	if have > 0 && need > have {
		fit := c.Size
		for w.bytesNeeded(fit, c.Backend) > have && fit > c.Size*1e-9 {
			fit *= 0.9
		}
		return fmt.Sprintf("too large: it needs about %s, %s are available; %s=%.3g would fit", bytesText(need), bytesText(have), w.Param, fit)
	}
	if c.isPeer() {
		if _, err := r.python(c.Backend); err != nil {
			return err.Error()
		}
	}
	return ""
}

// measure fills in a row's samples.
func (r *Runner) measure(ctx context.Context, row *Row, o Options) {
	w := workload(row.Workload)
	dir := r.dir
	var extra map[string]string
	var err error
	if w.files != nil {
		dir = filepath.Join(r.dir, fmt.Sprintf("%s-%g", w.Name, row.Size))
		r.status("%s: writing its arrays", row.Case)
		if err = os.MkdirAll(dir, 0o755); err == nil {
			extra, err = w.files(dir, row.Size)
		}
	}
	if err == nil {
		err = unpack(dir)
	}
	if err != nil {
		row.Error = err.Error()
		return
	}
	ord := order{Case: row.Case, Script: w.path(dir), Set: w.settings(row.Case, extra)}
	share := w.cost(row.Case)
	_, synapses := w.Shape(row.Size)
	if o.Warmup && !row.isPeer() && synapses < 3e7 && w.Time > 1e-3 {
		warm := ord
		warm.Duration /= 10
		warm.Set = w.settings(warm.Case, extra)
		r.child(ctx, warm, "warm-up") // an error will come again
	}
	for k := range o.Repeats {
		if ctx.Err() != nil {
			return
		}
		t := time.Now()
		s, err := r.one(ctx, ord, fmt.Sprintf("%d/%d", k+1, o.Repeats))
		if ctx.Err() != nil {
			return
		}
		r.done += share
		r.spent += time.Since(t).Seconds()
		if err != nil {
			row.Error = err.Error()
			if row.isPeer() { // a peer's failure is not ours
				row.Skipped, row.Error = row.Error, ""
			}
			r.done += share * float64(o.Repeats-k-1)
			return
		}
		row.Samples = append(row.Samples, *s)
	}
}

func (r *Runner) one(ctx context.Context, o order, label string) (*Sample, error) {
	if o.isPeer() {
		return r.peer(ctx, o, label)
	}
	return r.child(ctx, o, label)
}

// child runs a case in a process of its own.
func (r *Runner) child(ctx context.Context, o order, label string) (*Sample, error) {
	o.Began = time.Now().UnixNano()
	text, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, r.Child[0], append(slices.Clone(r.Child[1:]), string(text))...)
	cmd.Env = os.Environ()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	r.progress(o.Case, label, 0)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	var last message
	for d := json.NewDecoder(out); ; {
		var m message
		if d.Decode(&m) != nil {
			break
		}
		if len(m.Progress) == 2 {
			r.progress(o.Case, label, float64(m.Progress[0])/float64(max(m.Progress[1], 1)))
			continue
		}
		last = m
	}
	io.Copy(io.Discard, out)
	err = cmd.Wait()
	switch {
	case last.Sample != nil && err == nil:
		return last.Sample, nil
	case last.Error != "":
		return nil, errors.New(last.Error)
	}
	return nil, fmt.Errorf("the process ended without a result: %v\n%s", err, lastLines(stderr.String(), 5))
}

func lastLines(s string, n int) string {
	l := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(l[max(0, len(l)-n):], "\n")
}

// compareHash makes a row whose network had another hash an error.
func compareHash(row *Row, seen map[string]*Row) {
	if row.isPeer() || len(row.Samples) == 0 {
		return
	}
	first := seen[row.network()]
	if first == nil {
		first = row
		seen[row.network()] = row
	}
	want := first.Samples[0].Hash
	for k, s := range row.Samples {
		if s.Hash != want {
			what := fmt.Sprintf("repeat %d of %s", k+1, row.Case)
			row.Error = fmt.Sprintf("hash differs: %s has %s, %s has %s", what, shortHash(s.Hash), first.Case, shortHash(want))
			return
		}
	}
}

// shortHash shows the hash of the spikes and the beginning of the state's.
func shortHash(h string) string {
	spikes, state, _ := strings.Cut(h, "/")
	return spikes + "/" + state[:min(12, len(state))]
}
