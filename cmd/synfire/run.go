package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"synfire/engine"
	"synfire/engine/backend"
	drawing "synfire/engine/figure"
	"synfire/engine/host"
	"synfire/engine/plot"
	"synfire/engine/rundir"
	"synfire/engine/script"
	"synfire/engine/store"
	"synfire/kernels"
)

// deviceFlags choose where a model runs.
type deviceFlags struct {
	Backend      string  `help:"auto, cpu, gl (OpenGL compute) or ref (the slow definition)." enum:"auto,cpu,gl,ref" default:"auto"`
	Threads      threads `help:"The most threads; 0: as many as there are processors. Fewer are at work where that is faster: for a small network, or beside other programs. N! takes N whatever happens. Results do not depend on it." default:"0" placeholder:"N"`
	Device       string  `help:"The OpenGL device, by number or part of its name." placeholder:"NAME"`
	AllowInexact bool    `help:"Run on a device that fails its self-test; the manifest says so."`
}

// modelFlags are what every command on a model takes.
type modelFlags struct {
	Model       string   `arg:"" help:"The script (.py or .star)." placeholder:"MODEL"`
	Seed        *uint64  `help:"Seed of all random numbers, instead of the script's." placeholder:"N"`
	NetworkSeed *uint64  `help:"Another seed for what the network is made of: connections, delays, values of synapses, parameters of neurons, and what the script itself draws. Noise, Poisson input and initial values stay with the other." placeholder:"N"`
	Set         settings `help:"Give a parameter of the script a value: --set scale=0.1 --set 'duration=2*second'." placeholder:"NAME=VALUE" mapsep:"none"`

	ScriptMemory float64 `help:"Gigabytes that the script itself may keep: the numbers, lists and texts that it computes, not the network; 0: 2, or half of what is free." placeholder:"GB" default:"0"`
}

// settings are what --set gives, by name.
type settings map[string]string

// Decode reads one NAME=VALUE. (For kong, whose own maps take the last of several without a word.)
func (s *settings) Decode(ctx *kong.DecodeContext) error {
	var text string
	if err := ctx.Scan.PopValueInto("NAME=VALUE", &text); err != nil {
		return err
	}
	name, value, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return fmt.Errorf("expected NAME=VALUE but got %q", text)
	}
	if old, twice := (*s)[name]; twice {
		return fmt.Errorf("%s is given twice, %s and %s", name, old, value)
	}
	if *s == nil {
		*s = settings{}
	}
	(*s)[name] = value
	return nil
}

// memory is ScriptMemory in bytes.
func (m *modelFlags) memory() int64 { return gigabytes(m.ScriptMemory) }

func gigabytes(n float64) int64 { return int64(min(max(n, 0), 1e9) * 1e9) }

type runCmd struct {
	modelFlags
	deviceFlags
	Out      *string `help:"Write what is recorded into this directory while the run goes on. It is made if need be; an earlier run in it is replaced when the model has compiled." placeholder:"DIR"`
	Synapses bool    `help:"With --out: write the synapses, too, as they are at the end: neurons, delays and variables of each, for \"synfire plot --kind matrix,weights,delays\"."`
	JSON     bool    `name:"json" help:"Print the manifest instead of a summary (what the script prints goes to standard error)."`
	Plot     *string `help:"Draw raster, rates and traces into this file, .png or .svg." placeholder:"FILE"`
	Plots    *string `help:"Put the figures that the script draws (plot, show, savefig) into this directory; without it they stand beside the script." placeholder:"DIR"`
	Quiet    bool    `short:"q" help:"No progress and no summary."`

	Trials *int `help:"Run N trials of one network beside one another, which share its tables: trial K is the run with K added to the seed, and the network seed of the first. They are written into DIR/trial-K; auto is the cpu, one trial on each processor." placeholder:"N"`

	Ranks *int `help:"Start so many ranks of MPI, which make the run together: what mpirun -np N synfire-mpi does, and interrupted (130) where this is ($MPIRUN names another starter)." placeholder:"N"`

	Checkpoint *string       `help:"Keep the state of the run in progress in FILE, and the ends of finished ones in FILE.1, FILE.2, ..., until the script has come to its end." placeholder:"FILE"`
	Every      time.Duration `help:"Time between checkpoints." default:"60s" placeholder:"10s"`
	Resume     *string       `help:"Go on from a checkpoint of the same script, parameters and seed, on any backend; the results are those of a run without interruption." placeholder:"FILE"`
}

// check tells what is wrong with the flags before anything runs.
func (c *runCmd) check() error {
	if c.Out != nil && *c.Out == "" {
		return errors.New("--out '': it names no directory (is a variable of the shell unset?)")
	}
	if c.Synapses && c.Out == nil {
		return errors.New("--synapses goes with --out DIR, into which they are written")
	}
	if c.Plots != nil && *c.Plots == "" {
		return errors.New("--plots '': it names no directory (is a variable of the shell unset?)")
	}
	for name, f := range map[string]*string{"--checkpoint": c.Checkpoint, "--resume": c.Resume} {
		if f != nil && *f == "" {
			return fmt.Errorf("%s '': it names no file (is a variable of the shell unset?)", name)
		}
	}
	if c.Trials != nil {
		if *c.Trials < 1 || *c.Trials > mostTrials {
			return fmt.Errorf("--trials %d: a number from 1 to %d was expected", *c.Trials, mostTrials)
		}
		for name, f := range map[string]*string{"--checkpoint": c.Checkpoint, "--resume": c.Resume, "--plot": c.Plot} {
			if f != nil {
				return fmt.Errorf("%s goes with one run, not with --trials (`synfire run --seed S --network-seed S0` is one trial alone, and `synfire plot DIR/trial-K` draws one)", name)
			}
		}
	}
	if c.Every <= 0 {
		return fmt.Errorf("--every %s: a positive time was expected, such as 10s", c.Every)
	}
	if c.Plot == nil {
		return nil
	}
	if ext := filepath.Ext(*c.Plot); ext != ".png" && ext != ".svg" {
		return fmt.Errorf("--plot %s: a picture's name ends in .png or .svg", *c.Plot)
	}
	folder := filepath.Dir(*c.Plot)
	if c.Out != nil && filepath.Clean(*c.Out) == folder {
		return nil // it will be made
	}
	if st, err := os.Stat(*c.Plot); err == nil && !st.Mode().IsRegular() {
		return fmt.Errorf("--plot %s: it is no file", *c.Plot)
	}
	f, err := os.CreateTemp(folder, ".synfire-*")
	if err != nil {
		return fmt.Errorf("--plot %s: nothing can be written there: %w", *c.Plot, err)
	}
	f.Close()
	return os.Remove(f.Name())
}

// drawn draws a figure of the script: into --plots, or beside the script. The
// script chooses the name of the file, not its folder.
func (c *runCmd) drawn(f *drawing.Figure, name string) (string, error) {
	dir := filepath.Dir(c.Model)
	if c.Plots != nil {
		dir = *c.Plots
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return "", err
		}
	}
	where := filepath.Join(dir, filepath.Base(filepath.FromSlash(name)))
	return where, plot.SaveFigure(f, where)
}

// writeSynapses writes them into a run directory when the script has come to its end.
func writeSynapses(ctx context.Context, dir *rundir.Dir, threads int) func(*script.Result) error {
	return func(res *script.Result) error {
		return dir.Connections(engine.Work{Ctx: ctx, Threads: threads}, res.Net)
	}
}

// Run runs the model.
func (c *runCmd) Run(env *environment) error {
	if c.Ranks != nil {
		return c.onRanks(env, os.Args[1:])
	}
	if env.job != nil {
		if err := c.share(env.job); err != nil {
			return err
		}
	}
	if err := c.check(); err != nil {
		return err
	}
	if c.Trials != nil {
		return c.runTrials(env, *c.Trials)
	}
	if env.job == nil && (c.Backend == "cpu" || c.Backend == "auto") && !c.Threads.fixed && c.Threads.n != 1 {
		kernels.Look()
	}
	r := &record{m: &store.Manifest{}}
	opt := script.Options{File: c.Model, Set: c.Set, Seed: c.Seed, NetworkSeed: c.NetworkSeed, MaxMemory: c.memory(), Threads: c.Threads.forBuilding()}
	if c.Checkpoint != nil {
		opt.Checkpoints.File, opt.Checkpoints.Every = *c.Checkpoint, c.Every
	}
	if c.Resume != nil {
		if _, err := os.Stat(*c.Resume); err != nil {
			if _, e := os.Stat(*c.Resume + ".1"); e != nil {
				return fmt.Errorf("--resume %s: there is no such file", *c.Resume)
			}
		}
		opt.Checkpoints.From = *c.Resume
	}
	var dir *rundir.Dir
	if c.Out != nil {
		var err error
		if env.job == nil {
			dir, err = rundir.Create(*c.Out)
		} else {
			dir, err = rundir.Join(*c.Out, env.job)
		}
		if err != nil {
			return err
		}
		defer dir.Close()
		r.m, opt.Records = &dir.Manifest, dir
	}
	if c.Synapses {
		opt.AtEnd = writeSynapses(env.ctx, dir, opt.Threads)
	}
	m := r.m
	m.Version, m.Script = versionText(), filepath.Base(c.Model)

	bar := newProgress(env.err, env.errTerm, c.Quiet)
	if why := c.Threads.beyond(); why != "" && !c.Quiet && env.job == nil {
		fmt.Fprintln(env.err, env.errTerm.faint(why))
	}
	stdout := io.Writer(env.out)
	if c.JSON {
		stdout = env.err
	}
	m.TimeS.Start = time.Since(started).Seconds()
	opt.Open = func() (backend.Backend, error) {
		return openBackend(env.ctx, c.Backend, c.deviceFlags, func(why string) {
			bar.clear()
			if !c.Quiet {
				fmt.Fprintln(env.err, env.errTerm.faint(why))
			}
		}, r.opened)
	}
	if j := env.job; j != nil {
		opt.Open = func() (backend.Backend, error) {
			b := c.openRanks(j)
			r.opened(b)
			return b, nil
		}
		opt.BeforeRun, opt.Ranks, opt.Threads = enough(j.Size()), together(j), c.Threads.ofRank()
		write := opt.AtEnd
		opt.AtEnd = func(res *script.Result) error { // no rank says that all is done before all have
			var err error
			if write != nil {
				err = write(res)
			}
			_, err = host.Work{Ranks: j.For(host.MeetEnd)}.Meet(0, j.Rank(), err)
			return err
		}
	}
	opt.Stdout = &clearing{bar, stdout}
	opt.Warn = func(msg string) { bar.clear(); fmt.Fprintln(env.err, env.errTerm.amber("warning:"), msg) }
	opt.DrawLeft = c.Plots != nil
	opt.Draw = func(f *drawing.Figure, name string) error {
		if env.job != nil && env.job.Rank() > 0 {
			return nil
		}
		where, err := c.drawn(f, name)
		if bar.clear(); err == nil && !c.Quiet {
			fmt.Fprintln(env.err, env.errTerm.faint(fmt.Sprintf("figure %d is in %s", f.Number, where)))
		}
		return err
	}
	opt.Progress, opt.AfterRun = bar.step, r.afterRun
	res, err := script.Run(env.ctx, opt)
	if apart := (*backend.Apart)(nil); errors.As(err, &apart) {
		err = told(apart)
	}
	if e := env.out.failure(); e != nil && errors.Is(err, engine.ErrInterrupted) {
		err = e
	}
	bar.clear()
	r.finish(res, err)
	if dir != nil {
		if e := dir.Finish(err); e != nil && (err == nil || !strings.Contains(err.Error(), e.Error())) {
			e = fmt.Errorf("%w (the run itself: %s)", e, status(err))
			if err != nil {
				printError(env, err)
			}
			return e
		}
	}
	if err == nil && (env.job == nil || env.job.Rank() == 0) {
		opt.Checkpoints.Done(len(res.Runs))
	}
	if err == nil || errors.Is(err, engine.ErrInterrupted) {
		if c.Plot != nil {
			f, e := figure(res)
			if e == nil {
				e = f.Save(*c.Plot)
			}
			if e != nil && err != nil {
				printError(env, e)
			}
			if err == nil {
				err = e
			}
		}
		if e := c.show(env, r, res); e != nil {
			return e
		}
	}
	if err != nil && res != nil && len(res.Runs) > 0 {
		printError(env, err)
		fmt.Fprintln(env.err, kept(m, dir))
		return &toldError{err}
	}
	return err
}

// status is how a run ended, in a word.
func status(err error) store.Status {
	var m store.Manifest
	rundir.End(&m, err)
	return m.Status
}

// show prints the manifest or the summary.
func (c *runCmd) show(env *environment, r *record, res *script.Result) error {
	switch {
	case c.JSON:
		b, err := r.m.JSON()
		if err != nil {
			return err
		}
		_, err = env.out.Write(b)
		return err
	case !c.Quiet:
		summarize(env.out, env.outTerm, r.m, r.profile, r.held, trains(res, chartSpikes))
		for _, f := range []*string{c.Out, c.Plot} {
			if f != nil {
				fmt.Fprintln(env.out, "written:", *f)
			}
		}
	}
	return nil
}

// kept says what is left of a run that did not come to its end.
func kept(m *store.Manifest, dir *rundir.Dir) string {
	var model float64
	for _, r := range m.Runs {
		model += r.DurationS
	}
	if dir == nil {
		return fmt.Sprintf("The model ran for %s; nothing is kept, since there was no --out.", duration(model))
	}
	return fmt.Sprintf("The model ran for %s; what was recorded until then is in %s.", duration(model), dir.Path())
}

// clearing takes the progress bar away before it writes.
type clearing struct {
	bar *progress
	w   io.Writer
}

func (c *clearing) Write(b []byte) (int, error) {
	c.bar.clear()
	return c.w.Write(b)
}
