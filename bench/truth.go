package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"synfire/engine"
	"synfire/engine/analysis"
	"synfire/engine/store"
)

// Truth holds workloads against other simulators: spike trains where nothing is drawn, for networks the distributions over
// neurons of rate, irregularity and correlation, which must lie as near to the peer's as the peer's own seeds lie to each
// other (truthcompare.go). All runs are those that users make: `synfire run`, and the scripts of peers/.
type Truth struct {
	Exe       string   // the synfire that is held against the peers
	Version   string   // of it
	Command   string   // what was asked for
	Workloads []string // nil: all that have a twin
	Peers     []string // nil: nest and brian2
	Size      float64  // 0: each case's own
	Duration  float64  // model seconds; 0: each case's own
	Seeds     int      // on both sides
	Python    string   // interpreter that has the peers; "": found as for the benchmarks
	Log       io.Writer
}

// ErrTruth is the error of a comparison that found a difference.
var ErrTruth = errors.New("it differs from the peer")

// truthCase is one network that both simulate.
type truthCase struct {
	workload string
	about    string            // what differs from the workload as it is measured
	size     float64           // as Workload.Param says
	duration float64           // model seconds
	warmup   float64           // before them
	set      map[string]string // parameters of the script, which the peers know as well
	peers    []string
	parts    []part
	fixed    bool              // nothing is drawn: spike trains must be the same, but for what single precision makes of the peer's
	known    map[string]string // peers that must differ, and why
}

// part is a population, as shares of all cells: how large it is, and where it begins among the cells of a monitor of ours
// and among those of one of the peer's populations.
type part struct {
	name          string
	share         float64
	monitor       string
	begins        float64
	peer          string
	beginsAtPeers float64
}

var (
	excAndInh = []part{{"E", .8, "E", 0, "P", 0}, {"I", .2, "I", 0, "P", .8}}
	splitInS  = []part{{"E", .8, "S", 0, "P", 0}, {"I", .2, "S", .8, "P", .8}}
	allInS    = []part{{"cells", 1, "S", 0, "P", 0}}
	allInM    = []part{{"cells", 1, "M", 0, "P", 0}}
)

// layers are the populations of the microcircuit.
func layers() (p []part) {
	names := []string{"L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I"}
	for k, n := range []float64{20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948} {
		p = append(p, part{names[k], n / 77169, "of_" + names[k], 0, names[k], 0})
	}
	return p
}

// Why rows beside NEST differ (results/2026-11-30/truth.md).
const (
	otherOrder = "NEST tests potentials behind a step's input, ours before it"
	fewSeeds   = "with five seeds some rows differ, with ten none does: by chance"
)

var both = []string{"nest", "brian2"}

// truthCases are small enough for minutes; --sizes and --duration make them larger.
var truthCases = []truthCase{
	{workload: "update", about: "potentials evenly apart at first", size: 1000, duration: 1, set: map[string]string{"fixed": "True"}, peers: both[1:], parts: allInS, fixed: true},
	{workload: "izhikevich", about: "kinds and currents evenly apart", size: 1000, duration: 1, set: map[string]string{"fixed": "True"}, peers: both[1:], parts: allInS, fixed: true},
	{workload: "hh", about: "currents evenly apart", size: 200, duration: 1, set: map[string]string{"fixed": "True"}, peers: both[1:], parts: allInS, fixed: true},
	{workload: "fly", about: "kicks in every step in place of Poisson's", size: 13864, duration: 0.1, set: map[string]string{"rate": "10000*Hz"}, peers: both[1:], parts: allInM, fixed: true},
	{workload: "lif", size: 2000, duration: 1, peers: both[1:], parts: allInS},
	{workload: "cuba", size: 4000, duration: 1, peers: both, parts: excAndInh},
	{workload: "coba", size: 4000, duration: 1, peers: both, parts: excAndInh, known: map[string]string{"nest": fewSeeds}},
	{workload: "cobahh", size: 4000, duration: 1, peers: both, parts: excAndInh},
	{workload: "brunel", about: "500 inputs each", size: 5000, duration: 1, warmup: 0.1, set: map[string]string{"indegree": "500"}, peers: both, parts: splitInS, known: map[string]string{"nest": otherOrder}},
	{workload: "brunel_stdp", size: 0.1, duration: 1, warmup: 0.1, set: map[string]string{"record": "True"}, peers: both, parts: splitInS, known: map[string]string{"nest": fewSeeds}},
	{workload: "stdp", size: 1000, duration: 10, set: map[string]string{"record": "True"}, peers: both[1:], parts: []part{{"cells", 10. / 1010, "M", 0, "P", 0}}},
	{workload: "potjans_diesmann", size: 0.1, duration: 5, warmup: 0.1, set: map[string]string{"raster": "True"}, peers: both[:1], parts: layers()},
	{workload: "fly", size: 13864, duration: 1, peers: both[1:], parts: allInM},
}

// modules are what computes the peers' side: Brian2's default mode, whose compiled code stays for the next seed.
var modules = map[string]string{"nest": "nest", "brian2": "brian2-cython"}

// Run makes all runs and prints the tables, in Markdown; ErrTruth says that there is a difference without a known reason.
func (t *Truth) Run(ctx context.Context, out io.Writer) error {
	cases, err := t.choose()
	if err != nil {
		return err
	}
	r := &Runner{Python: t.Python}
	for _, p := range t.Peers {
		if _, err := r.python(modules[p]); err != nil {
			return fmt.Errorf("%s is %w", p, err)
		}
	}
	if r.dir, err = os.MkdirTemp("", "synfire-truth-"); err != nil {
		return err
	}
	defer os.RemoveAll(r.dir)
	versions := map[string]string{}
	var trains, networks strings.Builder
	var differ []string
	for _, c := range cases {
		seeds := t.Seeds
		if c.fixed {
			seeds = 1
		}
		ours, err := t.all(ctx, seeds, func(seed int) ([]*analysis.Spikes, error) { return t.ours(ctx, r, c, seed) })
		if err != nil {
			return fmt.Errorf("%s: synfire: %w", c.workload, err)
		}
		for _, p := range c.peers {
			if !slices.Contains(t.Peers, p) {
				continue
			}
			var theirs [][]*analysis.Spikes
			theirs, err = t.all(ctx, seeds, func(seed int) ([]*analysis.Spikes, error) {
				s, version, err := t.theirs(ctx, r, c, p, seed)
				versions[p] = version
				return s, err
			})
			if err != nil {
				return fmt.Errorf("%s: %w", c.workload, err)
			}
			var found []string
			if c.fixed {
				single := c
				single.set = maps.Clone(c.set)
				single.set["precision"] = "single"
				var own []*analysis.Spikes
				if own, _, err = t.theirs(ctx, r, single, p, 1); err != nil {
					return fmt.Errorf("%s: %w", c.workload, err)
				}
				found = writeTrains(&trains, c, p, ours[0], theirs[0], own)
			} else {
				found = writeDistances(&networks, c, p, ours, theirs)
			}
			if c.known[p] == "" {
				differ = append(differ, found...)
			}
		}
	}
	fmt.Fprintf(out, "# Synfire and its peers\n\n`%s`, %s. Synfire %s", t.Command, time.Now().UTC().Format("2006-01-02"), t.Version)
	for _, p := range t.Peers {
		if versions[p] != "" {
			fmt.Fprintf(out, ", %s %s", title(p), versions[p])
		}
	}
	fmt.Fprintf(out, "; seeds 1 to %d on each side; steps of 0.1 ms.\n", t.Seeds)
	if trains.Len() > 0 {
		io.WriteString(out, trainsHead+trains.String())
	}
	if networks.Len() > 0 {
		io.WriteString(out, networksHead+networks.String())
	}
	fmt.Fprintf(out, "\n%d of these differ without a reason that is known", len(differ))
	for _, d := range differ {
		fmt.Fprintf(out, "\n- %s", d)
	}
	fmt.Fprintln(out)
	if len(differ) > 0 {
		return fmt.Errorf("%w: %s", ErrTruth, strings.Join(differ, "; "))
	}
	return nil
}

// title is a peer's name as its makers write it.
func title(peer string) string {
	return map[string]string{"nest": "NEST", "brian2": "Brian2"}[peer]
}

// choose lists the cases, checked, with the size and duration that were asked for, and completes t.Peers.
func (t *Truth) choose() ([]truthCase, error) {
	if t.Seeds < 5 {
		return nil, fmt.Errorf("--repeats %d: expected 5 seeds at least (of equal networks, 2 to 4 %% of the rows differ by chance with 5, 17 to 20 %% with 3)", t.Seeds)
	}
	if len(t.Peers) == 0 {
		t.Peers = both
	}
	for _, p := range t.Peers {
		if modules[p] == "" {
			return nil, fmt.Errorf("spikes are compared with nest and brian2, not with %q", p)
		}
	}
	var cases []truthCase
	for _, n := range t.Workloads {
		if !slices.ContainsFunc(truthCases, func(c truthCase) bool { return c.workload == n }) {
			var known []string
			for _, c := range truthCases {
				known = append(known, c.workload)
			}
			return nil, fmt.Errorf("no peer's spikes are at hand for %q; for %s they are", n, strings.Join(slices.Compact(known), ", "))
		}
	}
	for _, c := range truthCases {
		if len(t.Workloads) > 0 && !slices.Contains(t.Workloads, c.workload) {
			continue
		}
		c.size, c.duration = cmp.Or(t.Size, c.size), cmp.Or(t.Duration, c.duration)
		if slices.ContainsFunc(c.peers, func(p string) bool { return slices.Contains(t.Peers, p) }) {
			cases = append(cases, c)
		}
	}
	if len(cases) == 0 {
		return nil, fmt.Errorf("none of these is written for %s", strings.Join(t.Peers, " or "))
	}
	return cases, nil
}

// all gathers the runs with every seed.
func (t *Truth) all(ctx context.Context, seeds int, one func(seed int) ([]*analysis.Spikes, error)) (runs [][]*analysis.Spikes, err error) {
	for seed := 1; seed <= seeds; seed++ {
		s, err := one(seed)
		if ctx.Err() != nil {
			return nil, engine.ErrInterrupted
		}
		if err != nil {
			return nil, fmt.Errorf("seed %d: %w", seed, err)
		}
		runs = append(runs, s)
	}
	return runs, nil
}

// prepare writes a case's scripts and arrays and is what both sides are asked.
func (t *Truth) prepare(r *Runner, c truthCase, backend string, seed int) (order, error) {
	w := workload(c.workload)
	dir := filepath.Join(r.dir, fmt.Sprintf("%s-%g", c.workload, c.size))
	set := map[string]string{}
	err := os.MkdirAll(dir, 0o755)
	if err == nil && w.files != nil {
		var extra map[string]string
		extra, err = w.files(dir, c.size)
		for k, v := range extra {
			set[k] = v
		}
	}
	if err == nil {
		err = unpack(dir)
	}
	for k, v := range c.set {
		set[k] = v
	}
	o := order{Case: Case{Workload: c.workload, Size: c.size, Duration: c.duration, Seed: uint64(seed), Backend: backend, Threads: 1}, Script: w.path(dir)}
	o.Set = w.settings(o.Case, set)
	o.Spikes = filepath.Join(dir, backend)
	os.RemoveAll(o.Spikes)
	return o, err
}

func (t *Truth) say(c truthCase, who string, seed int) {
	if t.Log != nil {
		fmt.Fprintf(t.Log, "%s: %s, seed %d\n", strings.TrimSuffix(c.workload+", "+c.about, ", "), who, seed)
	}
}

// ours are the spikes of one run of ours, by part.
func (t *Truth) ours(ctx context.Context, r *Runner, c truthCase, seed int) ([]*analysis.Spikes, error) {
	t.say(c, "synfire", seed)
	o, err := t.prepare(r, c, "cpu", seed)
	if err != nil {
		return nil, err
	}
	args := []string{"run", o.Script, "--backend", "cpu", "--quiet", "--seed", fmt.Sprint(seed), "--out", o.Spikes}
	for k, v := range o.Set {
		args = append(args, "--set", k+"="+v)
	}
	if said, err := exec.CommandContext(ctx, t.Exe, args...).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, lastLines(string(said), 3))
	}
	return c.spikes(o.Spikes, c.warmup, func(p part) (string, float64) { return p.monitor, p.begins })
}

// theirs are the spikes of one run of a peer's, by part, and the peer's version.
func (t *Truth) theirs(ctx context.Context, r *Runner, c truthCase, peer string, seed int) ([]*analysis.Spikes, string, error) {
	t.say(c, title(peer), seed)
	o, err := t.prepare(r, c, modules[peer], seed)
	if err != nil {
		return nil, "", err
	}
	sample, err := r.peer(ctx, o, "")
	if err != nil {
		return nil, "", err
	}
	s, err := c.spikes(o.Spikes, 0, func(p part) (string, float64) { return p.peer, p.beginsAtPeers })
	return s, sample.Version, err
}

// spikes reads what lies in a folder for each recorded population: i.npy and t.npy. What is counted begins at start.
func (c truthCase) spikes(dir string, start float64, where func(part) (name string, begins float64)) (all []*analysis.Spikes, err error) {
	cells, _ := workload(c.workload).Shape(c.size)
	for _, p := range c.parts {
		name, begins := where(p)
		index, err := store.ReadArray(filepath.Join(dir, name, "i.npy"))
		if err != nil {
			return nil, err
		}
		times, err := store.ReadArray(filepath.Join(dir, name, "t.npy"))
		if err != nil {
			return nil, err
		}
		n, first := int(math.Round(cells*p.share)), int(math.Round(cells*begins))
		var i []int32
		var at []float64
		for k, x := range index.F[:min(len(index.F), len(times.F))] {
			if j := int(x) - first; j >= 0 && (j < n || begins+p.share > .9999) { // beyond the last part there is nothing: NewSpikes says so
				i, at = append(i, int32(j)), append(at, times.F[k]-start)
			}
		}
		s, err := analysis.NewSpikes(i, at, n, 0, c.duration)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, s)
	}
	return all, nil
}
