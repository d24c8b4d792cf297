package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"synfire/bench"
)

type benchCmd struct {
	Workloads []string `arg:"" optional:"" help:"What to measure; none: everything, at each workload's first size." placeholder:"WORKLOAD"`
	Sizes     string   `help:"Sizes, as n=, scale= or what the workload's size is (--list tells): --sizes 4000,1e5; all: every size that it lists." placeholder:"N,..."`
	Duration  float64  `help:"Seconds of model time, instead of each workload's own." placeholder:"S"`
	Seed      uint64   `help:"Seed of all random numbers." default:"1"`
	Repeats   int      `help:"Measured runs of each case." default:"5"`
	NoWarmup  bool     `help:"No short run before the measured ones."`
	Threads   []int    `help:"Numbers of threads; peers take the largest. None: 1 and all cores." placeholder:"N,..."`
	Weak      bool     `help:"Weak scaling: sizes are those of one thread and grow with the number of threads."`
	Backends  []string `help:"cpu, ref, gl (each device) or gl:NAME, side by side." default:"cpu" placeholder:"NAME,..."`
	Peers     []string `help:"nest, brian2 (C++ standalone), brian2-cython, arbor, neuron, on the same models; see make peers." placeholder:"NAME,..."`
	JSON      bool     `name:"json" help:"Print all samples as JSON instead of tables."`
	CSV       bool     `name:"csv" help:"Print all samples as CSV, with the columns of beNNch."`
	Benchstat bool     `help:"Print all samples in Go's benchmark format, for benchstat."`
	Report    string   `help:"Write a report with pictures, and all formats, into this directory." type:"path" placeholder:"DIR"`
	Compare   string   `help:"Show what changed since these results of --json, and whether it is significant." type:"path" placeholder:"OLD.json"`
	Beside    bool     `help:"Measure instead how well the number of threads is chosen: quiet, with one busy thread beside, and two runs at once. Status 1 where a bar is missed."`
	Before    string   `help:"With --beside: an earlier synfire, measured by turns with this one." type:"existingfile" placeholder:"FILE"`
	Truth     bool     `help:"Hold spikes against NEST's and Brian2's (--peers) instead: trains where nothing is drawn, else the distributions over neurons with --repeats seeds. Markdown; status 1 where they differ."`
	List      bool     `help:"List the workloads and their sizes."`
	Case      string   `hidden:"" help:"Run one case in this process, for the harness itself."`
}

// Run measures, prints, and fails where hashes differ.
func (c *benchCmd) Run(env *environment) error {
	if c.Case != "" {
		return bench.RunCase(env.ctx, c.Case, env.out)
	}
	if c.List {
		return bench.WriteList(env.out)
	}
	sizes, all, err := bench.ParseSizes(c.Sizes)
	if err != nil {
		return err
	}
	var old *bench.Results
	if c.Compare != "" {
		if old, err = bench.Load(c.Compare); err != nil {
			return err
		}
	}
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	if c.Beside {
		b := &bench.Beside{Exe: exe, Before: c.Before, Workloads: c.Workloads, Repeats: c.Repeats, Log: env.err}
		err := b.Run(env.ctx, env.out)
		if errors.Is(err, bench.ErrBar) {
			fmt.Fprintln(env.err, env.errTerm.red("failed:"), err)
			return &toldError{errDiffers}
		}
		return err
	}
	if c.Truth {
		t := &bench.Truth{Exe: exe, Version: versionText(), Command: "synfire " + strings.Join(os.Args[1:], " "), Workloads: c.Workloads, Peers: c.Peers, Duration: c.Duration, Seeds: c.Repeats, Log: env.err}
		switch {
		case len(sizes) > 1 || all:
			return errors.New("--truth takes one size: --sizes N")
		case len(sizes) == 1 && len(c.Workloads) != 1:
			return errors.New("--truth takes a size for one workload: name it")
		case len(sizes) == 1:
			t.Size = sizes[0]
		}
		err := t.Run(env.ctx, env.out)
		if errors.Is(err, bench.ErrTruth) {
			fmt.Fprintln(env.err, env.errTerm.red("failed:"), err)
			return &toldError{errDiffers}
		}
		return err
	}
	r := &bench.Runner{Child: []string{exe, "bench", "--case"}, Version: versionText(), Command: "synfire " + strings.Join(os.Args[1:], " "),
		Log: env.err, Live: env.errTerm.live}
	res, err := r.Run(env.ctx, bench.Options{Workloads: c.Workloads, Sizes: sizes, AllSizes: all, Duration: c.Duration, Seed: c.Seed, Repeats: c.Repeats,
		Warmup: !c.NoWarmup, Threads: c.Threads, Weak: c.Weak, Backends: c.Backends, Peers: c.Peers})
	if res == nil {
		return err
	}
	if e := c.show(env, res, old); e != nil {
		return e
	}
	if failed := res.Failed(); err == nil && len(failed) > 0 {
		fmt.Fprintf(env.err, "%s %s\n", env.errTerm.red("failed:"), strings.Join(failed, "\n        "))
		return &toldError{errDiffers}
	}
	return err // of an interruption; the finished rows are printed
}

// show prints the results in the format that was asked for.
func (c *benchCmd) show(env *environment, res, old *bench.Results) error {
	var err error
	w, talk := env.out, io.Writer(env.out)
	if c.JSON || c.CSV || c.Benchstat {
		talk = env.err // a program reads w
	}
	switch {
	case c.JSON:
		err = res.WriteJSON(w)
	case c.CSV:
		err = res.WriteCSV(w)
	case c.Benchstat:
		err = res.WriteBenchmarks(w)
	default:
		err = res.WriteTable(w)
	}
	if err == nil && old != nil {
		err = bench.WriteComparison(talk, old, res)
	}
	if err == nil && c.Report != "" {
		if err = res.WriteReport(c.Report); err == nil {
			fmt.Fprintln(talk, "written:", c.Report)
		}
	}
	return err
}
