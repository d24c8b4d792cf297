package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"synfire/engine"
	"synfire/engine/backend"
	"synfire/engine/compare"
	"synfire/engine/script"
)

type verifyCmd struct {
	modelFlags
	Backends     []string `help:"Which to compare, the first being the one that the others must equal; without it all that this machine has." placeholder:"ref,cpu,gl"`
	Ranks        []int    `help:"Compare runs on so many ranks of MPI with one process, of 1 and of 2 threads (--threads names another number); it starts mpirun itself ($MPIRUN names another)." placeholder:"1,2,3"`
	Threads      threads  `help:"Threads of cpu, as for run." default:"0" placeholder:"N"`
	Device       string   `help:"The OpenGL device, by number or part of its name." placeholder:"NAME"`
	AllowInexact bool     `help:"Compare a device that fails its self-test."`
	Steps        int64    `help:"End the model after so many steps; 0: its own end." placeholder:"N" default:"0"`
	Inject       string   `help:"Make a difference on purpose, in the last backend, to see the check at work: the lowest bit of word INDEX of a variable when STEP is done (P.v:5:100), or one of the faults that gl can make: rounding, deliver-index, delay (of delays beyond one step)." placeholder:"VAR[:INDEX[:STEP]]"`
	JSON         bool     `name:"json" help:"Print the outcome as JSON."`
	Quiet        bool     `short:"q" help:"No progress."`
}

// errDiffers ends the command with status 1.
var errDiffers = errors.New("the backends differ")

// Run compares the backends.
func (c *verifyCmd) Run(env *environment) error {
	sides, err := c.sides(env)
	if err != nil {
		return err
	}
	bar := newProgress(env.err, env.errTerm, c.Quiet)
	m := &watchedModel{c: c, env: env, bar: bar, first: sides[0].Name}
	note := func(text string) {
		bar.clear()
		if !c.Quiet && env.errTerm.live {
			fmt.Fprintln(env.err, env.errTerm.faint("verify: "+text))
		}
	}
	r, err := compare.Compare(env.ctx, sides, m.run, compare.Options{Note: note})
	bar.clear()
	if err != nil {
		return err
	}
	if c.JSON {
		e := json.NewEncoder(env.out)
		e.SetIndent("", "  ")
		if err := e.Encode(r); err != nil {
			return err
		}
	} else {
		c.show(env, r, m.net)
	}
	switch {
	case !r.Equal:
		return &toldError{errDiffers}
	case r.Fault != nil:
		return r.Fault
	}
	return nil
}

// sides opens what was asked for once, so that what is missing is told before anything runs.
func (c *verifyCmd) sides(env *environment) ([]compare.Side, error) {
	names, asked := c.Backends, len(c.Backends) > 0
	if !asked {
		names = backend.Names()
		if c.Ranks != nil {
			names = []string{"cpu"}
		}
	}
	fault := ""
	var in *compare.Injection
	if slices.Contains([]string{"rounding", "deliver-index", "delay"}, c.Inject) {
		fault = c.Inject
	} else if c.Inject != "" {
		var err error
		if in, err = compare.ParseInjection(c.Inject, c.Steps); err != nil {
			return nil, fmt.Errorf("--inject %w", err)
		}
	}
	var sides []compare.Side
	for k, n := range names {
		n = strings.TrimSpace(n)
		if !slices.Contains(backend.Names(), n) {
			return nil, fmt.Errorf("--backends: there is no backend %q; there are %s", n, strings.Join(backend.Names(), ", "))
		}
		if slices.Contains(names[:k], n) {
			return nil, fmt.Errorf("--backends names %s twice", n)
		}
		o := deviceFlags{Threads: c.Threads, Device: c.Device, AllowInexact: c.AllowInexact || fault != ""}.options()
		o.Inject, o.Ctx = fault, env.ctx
		open := func() (backend.Backend, error) { return backend.Open(n, o) }
		if n == "gl" {
			b, err := open()
			if err != nil && asked {
				return nil, err
			}
			if err != nil {
				fmt.Fprintln(env.err, env.errTerm.faint("gl is left out: "+err.Error()))
				continue
			}
			b.Close()
		}
		sides = append(sides, compare.Side{Name: n, Open: open})
	}
	if c.Ranks != nil {
		more, err := c.rankSides()
		if err != nil {
			return nil, err
		}
		sides = append(sides, more...)
	}
	if len(sides) < 2 {
		return nil, errors.New("--backends: a comparison takes two or more, as in --backends ref,cpu")
	}
	if fault != "" && !slices.ContainsFunc(sides, func(s compare.Side) bool { return s.Name == "gl" }) {
		return nil, fmt.Errorf("--inject %s is a fault of the gl backend, which is not among those compared", fault)
	}
	sides[len(sides)-1].Inject = in
	return sides, nil
}

// watchedModel runs the script for compare.
type watchedModel struct {
	c      *verifyCmd
	env    *environment
	bar    *progress
	first  string // the side whose script prints
	passes int
	net    *engine.Network
}

func (m *watchedModel) run(ctx context.Context, side string, open func() (backend.Backend, error), max int64) ([]compare.Run, error) {
	limit := m.c.Steps
	if max > 0 && (limit == 0 || max < limit) {
		limit = max
	}
	m.passes++
	var stdout, talk io.Writer = io.Discard, io.Discard
	if m.passes == 1 { // once is enough
		stdout, talk = m.env.out, m.env.err
		if m.c.JSON {
			stdout = m.env.err
		}
	}
	var runs []compare.Run
	o := script.Options{
		File: m.c.Model, Set: m.c.Set, Seed: m.c.Seed, NetworkSeed: m.c.NetworkSeed, MaxMemory: m.c.memory(), Threads: m.c.Threads.forBuilding(), MaxSteps: limit, Open: open,
		Stdout:   &clearing{m.bar, stdout},
		Warn:     func(msg string) { m.bar.clear(); fmt.Fprintln(talk, m.env.errTerm.amber("warning:"), msg) },
		Progress: m.bar.step,
		AfterRun: func(r *script.Result) error {
			var run compare.Run
			for _, x := range r.Runs {
				run.Steps += x.Steps
				for _, n := range x.Spikes {
					run.Counts += n
				}
			}
			var err error
			run.Spikes, run.State, err = r.Net.Hash()
			runs = append(runs, run)
			return err
		},
	}
	if j := m.env.job; j != nil {
		o.BeforeRun, o.Ranks, o.Threads = enough(j.Size()), together(j), m.c.Threads.ofRank()
	}
	res, err := script.Run(ctx, o)
	if res != nil {
		m.net = res.Net
	}
	if err == nil && len(runs) == 0 {
		err = fmt.Errorf("%s has no run(): there is nothing to compare", m.c.Model)
	}
	return runs, err
}

// show prints the outcome for people.
func (c *verifyCmd) show(env *environment, r *compare.Report, net *engine.Network) {
	w, t := env.out, env.outTerm
	if r.Equal {
		var names []string
		for _, s := range r.Sides {
			names = append(names, s.Name)
			if s.Name == "gl" {
				names[len(names)-1] += " (" + s.Device + ")"
			}
		}
		last := compare.Run{Spikes: "none", State: "none"}
		if n := len(r.Sides[0].Runs); n > 0 {
			last = r.Sides[0].Runs[n-1]
		}
		fmt.Fprintf(w, "%s %s: %s steps, %s spikes, %s words of state at %d moments, %s words of records; hash spikes %s state %s\n", t.bold("equal:"),
			strings.Join(names, ", "), count(r.Steps), count(int64(last.Counts)), count(r.Words), r.States, count(r.Records), last.Spikes, last.State[:min(16, len(last.State))])
		return
	}
	d := r.First
	var same []string
	for _, s := range r.Sides {
		if s.Equal {
			same = append(same, s.Name)
		}
	}
	where := fmt.Sprintf("at step %s (t = %s)", count(d.Step), modelTime(d.TimeS))
	if d.Lost {
		where = fmt.Sprintf("between steps %s and %s", count(d.After), count(d.Step))
	}
	fmt.Fprintf(w, "%s: %s and %s part %s\n", t.red("DIFFERENT"), d.A, d.B, where)
	row := func(key, format string, a ...any) {
		fmt.Fprintf(w, "  %s  %s\n", t.faint(fmt.Sprintf("%-11s", key)), fmt.Sprintf(format, a...))
	}
	switch {
	case d.Lost:
		row("stage", "unknown: the difference did not come again when the model was run to be searched; a device or a machine that is not reliable does that")
	case d.Before:
		row("stage", "before the first: what the script assigned when %s steps were done", count(d.Step))
	case d.Stage != "":
		row("stage", "%s (%s)", d.Stage, d.Reason)
	default:
		row("stage", "%s", d.Reason)
	}
	if d.Record != "" {
		row("record", "%s; the states are equal", d.Record)
	}
	if d.FaultA != "" || d.FaultB != "" {
		row(d.A, "%s", orNone(d.FaultA))
		row(d.B, "%s", orNone(d.FaultB))
	}
	for k := range d.Words {
		x := &d.Words[k]
		if k == 0 {
			if x.Population != "" {
				row("population", "%s", x.Population)
			}
			row("variable", "%s", variableName(x))
			row("index", "%d (%s of its words differ)", x.Index, count(int64(x.Count)))
			row(d.A, "%s", wordText(net, x, x.A))
			row(d.B, "%s", wordText(net, x, x.B))
		} else if k <= 8 {
			row("also", "%s[%d]: %s, %s; %s words", x.Buffer, x.Index, wordText(net, x, x.A), wordText(net, x, x.B), count(int64(x.Count)))
		}
	}
	if n := len(d.Words); n > 9 {
		row("also", "%d more variables", n-9)
	}
	fmt.Fprintf(w, "  %s\n", t.faint("equal to each other: "+strings.Join(same, ", ")))
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func variableName(x *compare.Word) string {
	switch {
	case x.Type == "mask":
		return fmt.Sprintf("%s (the events of step %s)", x.Variable, count(x.EventStep))
	case x.Second:
		return x.Variable + " (its second word)"
	}
	return x.Variable
}

// wordText is a word in hex, as its type has it, and in SI units where its variable is known.
func wordText(net *engine.Network, x *compare.Word, w uint32) string {
	text := fmt.Sprintf("0x%08x", w)
	switch x.Type {
	case "mask":
		if w>>(uint(x.Index)%32)&1 == 1 {
			return text + "  neuron " + strconv.Itoa(x.Index) + " has the event"
		}
		return text + "  neuron " + strconv.Itoa(x.Index) + " does not"
	case "i32":
		return text + fmt.Sprintf("  %d", int32(w))
	case "f32":
	default:
		return text + fmt.Sprintf("  %d", w)
	}
	y := math.Float32frombits(w)
	text += fmt.Sprintf("  %s", strconv.FormatFloat(float64(y), 'g', -1, 32))
	if net == nil {
		return text
	}
	for _, g := range net.Groups() {
		if g.Name() != x.Population {
			continue
		}
		if v, err := g.Var(x.Variable); err == nil && !v.Dim().IsOne() {
			text += fmt.Sprintf("  (%.10g %s)", float64(float64(y)*v.Dim().Scale()), v.Dim())
		}
	}
	return text
}
