package bench

import (
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
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"synfire/engine"
)

// Beside measures how the number of threads is chosen, which is a matter of what else runs: each workload with fixed
// numbers and with those that the engine chooses, on the machine as it is, with one busy thread beside, and two at a time.
// All runs of a row are made by turns, so that what the machine does meanwhile meets all of them.
type Beside struct {
	Exe       string // the synfire that is measured
	Before    string // an earlier one beside it, whose --threads N are fixed; "": none
	Workloads []string
	Repeats   int
	Log       io.Writer // progress
}

// The bars: the chosen number takes at most so many times as long as the best fixed one, and two runs at once at most so
// many times as long as one after the other.
const (
	barQuiet  = 1.05
	barBusy   = 1.25
	barAtOnce = 1.2
)

// ErrBar is the error of a measurement that missed a bar.
var ErrBar = errors.New("beyond the bar")

// besideWorkloads are run unless others are named.
var besideWorkloads = []string{"potjans_diesmann", "cuba", "coba", "brunel", "fly"}

// contestant is one way to run a workload.
type contestant struct {
	exe, threads, label string
	fixed               bool
	earlier             bool
}

// runTold is what a run's manifest tells.
type runTold struct {
	Runs []struct {
		Wall float64 `json:"wall_s"`
	} `json:"runs"`
	Hash struct{ Spikes, State string } `json:"hash"`
}

// Run measures and prints the table; ErrBar says that a bar was missed.
func (b *Beside) Run(ctx context.Context, out io.Writer) error {
	names := b.Workloads
	if len(names) == 0 {
		names = besideWorkloads
	}
	list, err := choose(names)
	if err != nil {
		return err
	}
	if b.Repeats < 1 {
		return fmt.Errorf("%d repeats: at least one is needed", b.Repeats)
	}
	all := fmt.Sprint(runtime.NumCPU())
	field := []contestant{{b.Exe, "1!", "1!", true, false}, {b.Exe, all + "!", all + "!", true, false}, {b.Exe, all, all, false, false}, {b.Exe, "0", "default", false, false}}
	if b.Before != "" {
		field = append([]contestant{{b.Before, "1", "before: 1", true, true}, {b.Before, all, "before: " + all, true, true}, {b.Before, "0", "before: default", false, true}}, field...)
	}
	dir, err := os.MkdirTemp("", "synfire-beside-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	fmt.Fprintf(out, "medians of %d runs by turns, in ms; %s processors; load %s\n", b.Repeats, all, loadText())
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "workload\t")
	for _, c := range field {
		fmt.Fprint(t, c.label+"\t")
	}
	fmt.Fprintf(t, "%s / best\tdefault / best\tbar\t\n", all)
	var missed []string
	for _, w := range list {
		args, err := w.arguments(filepath.Join(dir, w.Name))
		if err != nil {
			return err
		}
		for _, busy := range []bool{false, true} {
			name, bar := w.Name+", quiet", barQuiet
			if busy {
				name, bar = w.Name+", busy", barBusy
			}
			times, err := b.turns(ctx, name, args, field, busy)
			if err != nil {
				return err
			}
			fmt.Fprintf(t, "%s\t", name)
			best := 0.0
			for k, c := range field {
				fmt.Fprintf(t, "%.1f\t", 1e3*times[k])
				if c.fixed && !c.earlier && (best == 0 || times[k] < best) {
					best = times[k]
				}
			}
			for k, c := range field {
				if !c.fixed && !c.earlier {
					fmt.Fprintf(t, "%.2f\t", times[k]/best)
					if times[k] > bar*best {
						missed = append(missed, fmt.Sprintf("%s, --threads %s: %.2f", name, c.threads, times[k]/best))
					}
				}
			}
			fmt.Fprintf(t, "%.2f\t\n", bar)
		}
		ratio, err := b.atOnce(ctx, w.Name, args)
		if err != nil {
			return err
		}
		fmt.Fprintf(t, "%s, two at once\t%s%.2f\t%.2f\t\n", w.Name, strings.Repeat("\t", len(field)+1), ratio, barAtOnce)
		if ratio > barAtOnce {
			missed = append(missed, fmt.Sprintf("%s, two at once: %.2f", w.Name, ratio))
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if len(missed) > 0 {
		return fmt.Errorf("%w: %s", ErrBar, strings.Join(missed, "; "))
	}
	return nil
}

// arguments write the workload's files into dir and are what `synfire run` takes.
func (w Workload) arguments(dir string) ([]string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if err := unpack(dir); err != nil {
		return nil, err
	}
	c := Case{Workload: w.Name, Size: w.Sizes[0], Duration: w.Time}
	var extra map[string]string
	if w.files != nil {
		var err error
		if extra, err = w.files(dir, c.Size); err != nil {
			return nil, err
		}
	}
	args := []string{"run", w.path(dir), "--backend", "cpu", "--json", "--quiet", "--seed", "1"}
	for k, v := range w.settings(c, extra) {
		args = append(args, "--set", k+"="+v)
	}
	return args, nil
}

// turns are the medians of the contestants' times, which run by turns, forwards and backwards.
func (b *Beside) turns(ctx context.Context, name string, args []string, field []contestant, busy bool) ([]float64, error) {
	if busy {
		defer spin()()
	}
	all, hash := make([][]float64, len(field)), map[bool]string{}
	for n := range b.Repeats {
		for k := range field {
			if n%2 == 1 {
				k = len(field) - 1 - k
			}
			c := field[k]
			if b.Log != nil {
				fmt.Fprintf(b.Log, "%s: %d of %d, %s\n", name, n+1, b.Repeats, c.label)
			}
			m, err := c.run(ctx, args)
			if err != nil {
				return nil, err
			}
			h := m.Hash.Spikes + "/" + m.Hash.State
			if hash[c.earlier] == "" {
				hash[c.earlier] = h
			} else if hash[c.earlier] != h {
				return nil, fmt.Errorf("%s: hash %s with --threads %s, %s before", name, h, c.threads, hash[c.earlier])
			}
			all[k] = append(all[k], m.Runs[len(m.Runs)-1].Wall)
		}
	}
	out := make([]float64, len(field))
	for k := range all {
		slices.Sort(all[k])
		out[k] = all[k][len(all[k])/2]
	}
	return out, nil
}

// atOnce is how much longer two whole runs take at once than one after the other; the median.
func (b *Beside) atOnce(ctx context.Context, name string, args []string) (float64, error) {
	c := contestant{exe: b.Exe, threads: "0"}
	var all []float64
	for n := range b.Repeats {
		if b.Log != nil {
			fmt.Fprintf(b.Log, "%s, two at once: %d of %d\n", name, n+1, b.Repeats)
		}
		start := time.Now()
		for range 2 {
			if _, err := c.run(ctx, args); err != nil {
				return 0, err
			}
		}
		after := time.Since(start)
		start = time.Now()
		var both sync.WaitGroup
		var errs [2]error
		for k := range errs {
			both.Go(func() { _, errs[k] = c.run(ctx, args) })
		}
		both.Wait()
		for _, err := range errs {
			if err != nil {
				return 0, err
			}
		}
		all = append(all, time.Since(start).Seconds()/after.Seconds())
	}
	slices.Sort(all)
	return all[len(all)/2], nil
}

// run runs a workload once.
func (c *contestant) run(ctx context.Context, args []string) (*runTold, error) {
	cmd := exec.CommandContext(ctx, c.exe, append(slices.Clone(args), "--threads="+c.threads)...)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return nil, engine.ErrInterrupted
	}
	var m runTold
	if err == nil {
		err = json.Unmarshal(out, &m)
	}
	if err == nil && len(m.Runs) == 0 {
		err = fmt.Errorf("it told of no run")
	}
	if err != nil {
		return nil, fmt.Errorf("%s --threads=%s: %w\n%s", c.exe, c.threads, err, lastLines(said.String(), 5))
	}
	return &m, nil
}

// spin keeps one processor busy until the function that it returns is called.
func spin() (stop func()) {
	var over atomic.Bool
	var gone sync.WaitGroup
	gone.Go(func() {
		for !over.Load() {
		}
	})
	return func() { over.Store(true); gone.Wait() }
}

// loadText is the machine's load.
func loadText() string {
	text, err := os.ReadFile("/proc/loadavg")
	if f := strings.Fields(string(text)); err == nil && len(f) > 2 {
		return strings.Join(f[:3], " ")
	}
	return "unknown"
}
