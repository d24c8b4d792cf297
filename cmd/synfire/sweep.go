package main

import (
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"synfire/engine"
	drawing "synfire/engine/figure"
	"synfire/engine/plot"
	"synfire/engine/rundir"
	"synfire/engine/script"
	"synfire/engine/store"
)

type sweepCmd struct {
	Model   string   `arg:"" help:"The script (.py or .star)." placeholder:"MODEL"`
	Set     settings `help:"Values of a parameter of the script: a range with both ends (g=4:6:0.5, tau=5:20:5*ms), a list (scale=0.1,0.2), or one value. Every combination runs." placeholder:"NAME=VALUES" mapsep:"none"`
	Seeds   int      `help:"So many seeds of each combination." default:"1" placeholder:"N"`
	Seed    uint64   `help:"The first seed." default:"1" placeholder:"N"`
	Jobs    int      `help:"Runs at a time, each with one thread; 0: as many as there are processors." default:"0" placeholder:"N"`
	Backend string   `help:"auto, cpu, gl (OpenGL compute) or ref." enum:"auto,cpu,gl,ref" default:"cpu"`
	Out     string   `help:"The directory for the table, the picture, and each run's numbers. The same command goes on where it stopped (files that the script loads are taken to be as they were)." required:"" placeholder:"DIR"`
	Show    string   `help:"The column of the table that the picture shows; without it the first that was measured." placeholder:"COLUMN"`
	Keep    bool     `help:"Keep what each run recorded, in DIR/runs/N."`
	Quiet   bool     `short:"q" help:"No progress and no summary."`
}

// The most runs of a sweep.
const mostPoints = 1 << 20

// point is one run of a sweep, and what was measured of it.
type point struct {
	Script string            `json:"script_sha256"`
	By     string            `json:"by"` // version and backend
	Set    map[string]string `json:"set"`
	Seed   uint64            `json:"seed"`
	Names  []string          `json:"names"` // of the values, in order
	Values []number          `json:"values"`
	WallS  float64           `json:"wall_s"`
	Hash   string            `json:"hash"`
	err    error
}

// same says whether two points are of the same run.
func (p *point) same(q *point) bool {
	return p.Script == q.Script && p.By == q.By && p.Seed == q.Seed && maps.Equal(p.Set, q.Set)
}

// setting are the values of one parameter.
type setting struct {
	name   string
	values []string
}

// settings reads --set, in the order of the names.
func (c *sweepCmd) settings() (list []setting, err error) {
	for _, name := range slices.Sorted(maps.Keys(c.Set)) {
		values, err := valuesOf(c.Set[name])
		if err != nil {
			return nil, fmt.Errorf("--set %s=%s: %w", name, c.Set[name], err)
		}
		list = append(list, setting{name, values})
	}
	return list, nil
}

// valuesOf reads FROM:TO:STEP, with a unit behind it or none, a list, or one value.
func valuesOf(text string) ([]string, error) {
	if strings.Contains(text, ":") && !strings.ContainsAny(text, "[{'\"") {
		part := strings.Split(text, ":")
		unit := ""
		if k := strings.IndexByte(part[len(part)-1], '*'); k >= 0 {
			part[len(part)-1], unit = part[len(part)-1][:k], part[len(part)-1][k:]
		}
		var x [3]float64
		for k, s := range part {
			v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
			if err != nil || len(part) != 3 || v-v != 0 {
				return nil, errors.New("a range is FROM:TO:STEP, such as 4:6:0.5 or 5:20:5*ms")
			}
			x[k] = v
		}
		n := math.Floor((x[1]-x[0])/x[2] + 1e-9)
		if x[2] == 0 || !(n >= 0) {
			return nil, fmt.Errorf("from %g one does not come to %g in steps of %g", x[0], x[1], x[2])
		}
		if n >= mostPoints {
			return nil, fmt.Errorf("from %g to %g in steps of %g are %.3g values, more than the %d that a sweep takes", x[0], x[1], x[2], n+1, mostPoints)
		}
		var out []string
		for k := range int(n) + 1 {
			v := x[0] + float64(k)*x[2]
			v = math.Round(v/x[2]*1e9) / 1e9 * x[2] // 4.1, not 4.1000000000000005
			out = append(out, strconv.FormatFloat(v, 'g', 12, 64)+unit)
		}
		return out, nil
	}
	var out []string
	depth := 0
	from := 0
	for k, r := range text { // commas in brackets are the value's own
		switch r {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		case ',':
			if depth == 0 {
				out, from = append(out, text[from:k]), k+1
			}
		}
	}
	out = append(out, text[from:])
	for k, v := range out {
		if out[k] = strings.TrimSpace(v); out[k] == "" {
			return nil, errors.New("a value is missing")
		}
	}
	return out, nil
}

// points are all runs: the last parameter moves fastest, seeds faster still.
func (c *sweepCmd) points(list []setting, sha string) ([]*point, error) {
	n := min(c.Seeds, mostPoints+1)
	for _, s := range list {
		n = min(n*len(s.values), mostPoints+1)
	}
	if n > mostPoints {
		return nil, fmt.Errorf("more than %d runs: fewer values or seeds are needed", mostPoints)
	}
	var out []*point
	for k := range n {
		p := &point{Script: sha, By: versionText() + " " + c.Backend, Set: map[string]string{}, Seed: c.Seed + uint64(k%c.Seeds)}
		rest := k / c.Seeds
		for _, s := range slices.Backward(list) {
			p.Set[s.name] = s.values[rest%len(s.values)]
			rest /= len(s.values)
		}
		out = append(out, p)
	}
	return out, nil
}

// Run runs every combination, and puts a table and a picture beside their numbers.
func (c *sweepCmd) Run(env *environment) error {
	if c.Seeds < 1 || c.Jobs < 0 || c.Out == "" {
		return errors.New("--seeds and --jobs are positive numbers, and --out names a directory")
	}
	src, err := os.ReadFile(c.Model)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(src)
	list, err := c.settings()
	if err != nil {
		return err
	}
	all, err := c.points(list, hex.EncodeToString(sum[:]))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(c.Out, "points"), 0o777); err != nil {
		return err
	}
	lock := flock.New(filepath.Join(c.Out, ".lock"))
	if ok, err := lock.TryLock(); err != nil || !ok {
		return errors.Join(fmt.Errorf("%s is in use by another sweep", c.Out), err)
	}
	defer lock.Unlock()
	c.run(env, all)
	var failed []*point
	for _, p := range all {
		if p.err != nil && !errors.Is(p.err, engine.ErrInterrupted) {
			failed = append(failed, p)
		}
	}
	if err := env.ctx.Err(); err != nil {
		fmt.Fprintf(env.err, "%s: the same command goes on from here\n", c.Out)
		return engine.ErrInterrupted
	}
	columns := columnsOf(all)
	if err := c.table(all, list, columns); err != nil {
		return err
	}
	if err := c.picture(env, all, list, columns); err != nil {
		return err
	}
	if len(failed) > 0 {
		return fmt.Errorf("%d of %d runs failed; the first, %s: %w", len(failed), len(all), failed[0].text(list), failed[0].err)
	}
	return nil
}

// text names a point.
func (p *point) text(list []setting) string {
	var s []string
	for _, x := range list {
		s = append(s, x.name+"="+p.Set[x.name])
	}
	return strings.Join(append(s, fmt.Sprintf("seed=%d", p.Seed)), " ")
}

// run makes what is not there yet, several runs at a time.
func (c *sweepCmd) run(env *environment, all []*point) {
	jobs := c.Jobs
	if jobs == 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	var todo []int
	for k, p := range all {
		_, gone := os.Stat(c.dir(k))
		if q, err := c.read(k); err == nil && q.same(p) && (!c.Keep || gone == nil) {
			*p = *q
		} else {
			todo = append(todo, k)
		}
	}
	tell := func(format string, a ...any) {
		if !c.Quiet {
			fmt.Fprintf(env.err, format+"\n", a...)
		}
	}
	if had := len(all) - len(todo); had > 0 {
		tell("%d of %d runs were there already", had, len(all))
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	began, told, done := time.Now(), time.Now(), 0
	work := make(chan int)
	for range min(jobs, len(todo)) {
		wg.Go(func() {
			for k := range work {
				all[k].err = c.one(env.ctx, k, all[k])
				mu.Lock()
				done++
				if all[k].err != nil && env.ctx.Err() == nil {
					tell("run %d: %v", k, all[k].err)
				}
				if now := time.Now(); now.Sub(told) > 5*time.Second || done == len(todo) {
					told = now
					left := now.Sub(began) / time.Duration(done) * time.Duration(len(todo)-done)
					tell("%d of %d runs, about %s left", len(all)-len(todo)+done, len(all), left.Round(time.Second))
				}
				mu.Unlock()
			}
		})
	}
	for _, k := range todo {
		select {
		case work <- k:
			continue
		case <-env.ctx.Done():
		}
		break
	}
	close(work)
	wg.Wait()
}

func (c *sweepCmd) file(k int) string {
	return filepath.Join(c.Out, "points", strconv.Itoa(k)+".json")
}

// dir is where run k records.
func (c *sweepCmd) dir(k int) string { return filepath.Join(c.Out, "runs", strconv.Itoa(k)) }

func (c *sweepCmd) read(k int) (*point, error) {
	b, err := os.ReadFile(c.file(k))
	if err != nil {
		return nil, err
	}
	p := &point{}
	return p, json.Unmarshal(b, p)
}

// one makes run k in a process of its own, and keeps what is measured of it.
func (c *sweepCmd) one(ctx context.Context, k int, p *point) error {
	dir := c.dir(k)
	if err := os.MkdirAll(filepath.Dir(dir), 0o777); err != nil {
		return err
	}
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	args := []string{"run", c.Model, "-q", "--backend", c.Backend, "--threads", "1", "--seed", strconv.FormatUint(p.Seed, 10), "--out", dir, "--plots", filepath.Join(dir, "plots")}
	for _, name := range slices.Sorted(maps.Keys(p.Set)) {
		args = append(args, "--set", name+"="+p.Set[name])
	}
	cmd := exec.CommandContext(ctx, exe, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	var told strings.Builder
	cmd.Stderr = &told
	if err := cmd.Run(); ctx.Err() != nil {
		return engine.ErrInterrupted
	} else if err != nil {
		if text := strings.TrimSpace(told.String()); text != "" {
			return errors.New(text)
		}
		return err
	}
	if err := p.measure(ctx, dir); err != nil {
		return err
	}
	if !c.Keep {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	b, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.file(k)+".new", b, 0o666); err != nil {
		return err
	}
	return os.Rename(c.file(k)+".new", c.file(k))
}

// measure takes what is to be told of a run: the rates of its populations, what
// `synfire analyse` measures of its spikes, and numbers that it saved.
func (p *point) measure(ctx context.Context, dir string) error {
	r, err := rundir.Open(dir)
	if err != nil {
		return err
	}
	p.Names, p.Values = nil, nil
	add := func(name string, v float64) { p.Names, p.Values = append(p.Names, name), append(p.Values, number(v)) }
	m := r.Manifest
	p.Hash = m.Hash.State
	total, spikes := 0.0, map[string]int64{}
	for _, run := range m.Runs {
		total += run.DurationS
		p.WallS += run.WallS
		for _, s := range run.Spikes {
			spikes[s.Name] += s.Value
		}
	}
	for _, pop := range m.Populations {
		if n, ok := spikes[pop.Name]; ok && total > 0 {
			add(pop.Name+" rate (Hz)", float64(n)/float64(pop.Value)/total)
		}
	}
	for _, f := range m.Files {
		if name, ok := strings.CutSuffix(f, ".npy"); ok && !strings.Contains(name, "/") {
			if a, err := store.ReadNPY(filepath.Join(dir, f)); err == nil && len(a.F) == 1 {
				add(name, a.F[0])
			}
		}
	}
	if len(m.Monitors) == 0 {
		return nil
	}
	a := analyseCmd{recordFlags: recordFlags{Dir: dir, Bin: 2 * time.Millisecond, Window: 500 * time.Millisecond}, Least: 3} // as `synfire analyse` by default
	if stop := r.Stop(); a.Bin.Seconds() > stop {
		return nil // too short to measure: the rates are there
	}
	got, err := a.measure(&environment{ctx: ctx, err: io.Discard}, r, r.Stop())
	if err != nil {
		return err
	}
	for _, s := range got.Spikes {
		add(s.Monitor+" CV", float64(s.CV))
		add(s.Monitor+" Fano", float64(s.Fano))
		add(s.Monitor+" correlation", float64(s.Correlation))
		add(s.Monitor+" Kuramoto", float64(s.Kuramoto))
		add(s.Monitor+" peak (Hz)", float64(s.Peak))
	}
	for _, v := range got.Values {
		add(v.Monitor+"."+v.Variable+" mean", float64(v.Mean))
		add(v.Monitor+"."+v.Variable+" sd", float64(v.SD))
	}
	return nil
}

// columnsOf are the names of all values, in the order in which runs have them.
func columnsOf(all []*point) (names []string) {
	for _, p := range all {
		for _, n := range p.Names {
			if !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
	}
	return names
}

func (p *point) value(column string) float64 {
	if k := slices.Index(p.Names, column); k >= 0 {
		return float64(p.Values[k])
	}
	return math.NaN()
}

// table writes table.csv: parameters, seed, what was measured, time and hash.
func (c *sweepCmd) table(all []*point, list []setting, columns []string) error {
	var b strings.Builder
	w := csv.NewWriter(&b)
	var head []string
	for _, s := range list {
		head = append(head, s.name)
	}
	w.Write(append(append(append(head, "seed"), columns...), "wall (s)", "hash", "error"))
	for _, p := range all {
		var row []string
		for _, s := range list {
			row = append(row, p.Set[s.name])
		}
		row = append(row, strconv.FormatUint(p.Seed, 10))
		for _, n := range columns {
			text := ""
			if v := p.value(n); v == v {
				text = strconv.FormatFloat(v, 'g', 7, 64)
			}
			row = append(row, text)
		}
		told := ""
		if p.err != nil {
			told, _, _ = strings.Cut(p.err.Error(), "\n")
		}
		w.Write(append(row, strconv.FormatFloat(p.WallS, 'g', 4, 64), p.Hash, told))
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(c.Out, "table.csv"), []byte(b.String()), 0o666)
}

// picture draws sweep.png: the mean over the seeds, against one parameter or two.
func (c *sweepCmd) picture(env *environment, all []*point, list []setting, columns []string) error {
	show := c.Show
	if show == "" && len(columns) > 0 {
		show = columns[0]
	}
	if !slices.Contains(columns, show) && c.Show != "" {
		return fmt.Errorf("--show %s: no run has such a number; there are %s", show, strings.Join(columns, ", "))
	}
	var varied []setting
	for _, s := range list {
		if len(s.values) > 1 {
			varied = append(varied, s)
		}
	}
	finish := func(what string) error {
		if !c.Quiet {
			fmt.Fprintf(env.out, "%d runs; %s is the table%s\n", len(all), filepath.Join(c.Out, "table.csv"), what)
		}
		return nil
	}
	if len(columns) == 0 || len(varied) == 0 || len(varied) > 2 {
		return finish("")
	}
	// means by the places of the two parameters, over seeds and the others
	x, y := varied[len(varied)-1], setting{values: []string{""}}
	if len(varied) == 2 {
		y = varied[0]
	}
	var rows []string
	for _, yv := range y.values {
		var row []string
		for _, xv := range x.values {
			sum, n := 0.0, 0
			for _, p := range all {
				if v := p.value(show); v == v && p.Set[x.name] == xv && (y.name == "" || p.Set[y.name] == yv) {
					sum, n = sum+v, n+1
				}
			}
			if n == 0 {
				row = append(row, "nan")
			} else {
				row = append(row, strconv.FormatFloat(sum/float64(n), 'g', -1, 64))
			}
		}
		rows = append(rows, "["+strings.Join(row, ", ")+"]")
	}
	quoted := func(v []string) string { b, _ := json.Marshal(v); return string(b) }
	var src strings.Builder
	fmt.Fprintf(&src, "import numpy as np\nimport matplotlib.pyplot as plt\nnan = float('nan')\nx = %s\nz = np.array([%s])\nplt.figure(figsize=(5.5, 4))\n", quoted(x.values), strings.Join(rows, ", "))
	if y.name != "" {
		fmt.Fprintf(&src, "y = %s\nplt.imshow(z, origin='lower', aspect='auto')\nplt.colorbar(label=%s)\nplt.yticks(list(range(len(y))), y)\nplt.ylabel(%s)\n", quoted(y.values), strconv.Quote(show), strconv.Quote(y.name))
	} else {
		fmt.Fprintf(&src, "plt.plot(list(range(len(x))), z[0, :], 'o-')\nplt.ylabel(%s)\n", strconv.Quote(show))
	}
	fmt.Fprintf(&src, "plt.xticks(list(range(len(x))), x)\nplt.xlabel(%s)\nplt.title(%s)\nplt.savefig('sweep.png')\n", strconv.Quote(x.name), strconv.Quote(strings.TrimSuffix(filepath.Base(c.Model), filepath.Ext(c.Model))))
	where := filepath.Join(c.Out, "sweep.png")
	_, err := script.Run(env.ctx, script.Options{File: "sweep.star", Src: []byte(src.String()), Draw: func(f *drawing.Figure, _ string) error { return plot.SaveFigure(f, where) }})
	if err != nil {
		return fmt.Errorf("the picture: %w", err)
	}
	return finish(fmt.Sprintf(", %s shows %s", where, show))
}
