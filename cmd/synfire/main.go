// Command synfire runs networks of spiking neurons that are written in Brian2's words.
//
//	synfire run cuba.star --out results --plot cuba.png
//
// What a script prints, summaries and --json go to standard output; progress, warnings and errors to standard error.
// Exit status: 0 done, 1 a verification failed, 2 usage or an error of the model, 3 an error of the device, 130 interrupted
// (what was recorded is on disk).
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"

	"github.com/alecthomas/kong"

	"synfire/engine"
	"synfire/engine/backend"
	"synfire/engine/host"
	"synfire/shaders"
)

// started is when the process began, but for the runtime's own start.
var started = time.Now()

// version is set by the Makefile.
var version = ""

// The exit statuses.
const (
	exitDone        = 0
	exitDiffers     = 1
	exitModel       = 2
	exitDevice      = 3
	exitInterrupted = 130
)

// cli is the command line.
type cli struct {
	Run     runCmd     `cmd:"" help:"Run a model and show what came out."`
	Verify  verifyCmd  `cmd:"" help:"Run a model on several backends: the same spikes, the same state, to the bit, or where they part."`
	Analyse analyseCmd `cmd:"" help:"Measure what a run has recorded: rates, irregularity, correlation, synchrony, spectra."`
	Plot    plotCmd    `cmd:"" help:"Draw what a run has recorded: raster, traces, distributions, spectra, correlations."`
	Report  reportCmd  `cmd:"" help:"Make one page, which needs nothing else, of a run: what ran, measures, pictures, manifest."`
	Sweep   sweepCmd   `cmd:"" help:"Run a model with many values of its parameters and many seeds: a table and a picture."`
	Bench   benchCmd   `cmd:"" help:"Measure speed and memory on standard models, beside other simulators."`
	Devices devicesCmd `cmd:"" help:"List the OpenGL devices, their limits and whether they are exact."`
	Info    infoCmd    `cmd:"" help:"Show sizes, equations as compiled and memory, before anything is allocated."`
	Serve   serveCmd   `cmd:"" help:"Keep a network between the requests of another program (docs/serve.md)."`
	Version versionCmd `cmd:"" help:"Print the version."`
	Watch   watchCmd   `cmd:"" hidden:""`
}

// environment is what commands use of the process, so that tests can stand in for it.
type environment struct {
	ctx     context.Context
	out     *output
	err     io.Writer
	outTerm terminal
	errTerm terminal
	job     job // the ranks of which this process is one; nil: it is alone
}

func main() {
	if free := host.Free(); free > 0 && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(free - free/8) // the collector works harder before what it has not looked at fills the memory
	}
	if startJob != nil {
		os.Exit(ranksMain(os.Args[1:]))
	}
	os.Exit(realMain(os.Args[1:], os.Stdout, os.Stderr))
}

func realMain(args []string, stdout, stderr *os.File) int {
	code, _ := command(args, stdout, stderr, nil)
	return code
}

// command runs a command, as one of the ranks of a job if there is one, and returns the exit status and the error.
func command(args []string, stdout, stderr *os.File, j job) (status int, failure error) {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	heed(stop)
	env := &environment{ctx: ctx, out: &output{w: stdout, end: stop}, err: stderr, outTerm: newTerminal(stdout), errTerm: newTerminal(stderr), job: j}

	var c cli
	code := -1
	parser, err := kong.New(&c, kong.Name("synfire"), kong.UsageOnError(), kong.Writers(stdout, stderr),
		kong.Description("Simulates networks of spiking neurons, written in Brian2's words, with the same bits on every device."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Exit(func(int) {
			if code < 0 {
				code = exitDone // --help
			}
			panic(helpShown{})
		}),
		kong.Bind(env))
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitModel, err
	}
	return func() (status int, failure error) {
		defer func() {
			switch r := recover().(type) {
			case nil:
			case helpShown:
				status = code
			case *backend.Apart:
				failure = told(r)
				status = report(env, failure)
			default:
				panic(r)
			}
		}()
		k, err := parser.Parse(args)
		if err != nil {
			fmt.Fprintf(stderr, "%s %v\n", env.errTerm.red("synfire:"), err)
			fmt.Fprintln(stderr, "`synfire --help` and `synfire run --help` show what there is.")
			return exitModel, err
		}
		switch k.Selected().Target.Interface().(type) {
		case runCmd, watchCmd:
		default:
			if j == nil {
				break
			}
			err = fmt.Errorf("%s: of the commands, only run is for several ranks: leave mpirun out", k.Selected().Name)
			return report(env, err), err
		}
		err = k.Run()
		if e := env.out.failure(); e != nil && (err == nil || errors.Is(err, env.out.err) || errors.Is(err, engine.ErrInterrupted) || errors.Is(err, errDiffers)) {
			err = e
		}
		return report(env, err), err
	}()
}

type helpShown struct{}

// report prints an error and returns the exit status that it means.
func report(env *environment, err error) int {
	var told *toldError
	var device *shaders.DeviceError
	var status statusError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &told):
	default:
		printError(env, err)
	}
	switch {
	case errors.As(err, &status):
		return int(status)
	case errors.Is(err, engine.ErrInterrupted):
		return exitInterrupted
	case errors.As(err, &device):
		return exitDevice
	case errors.Is(err, errDiffers):
		return exitDiffers
	}
	return exitModel
}

// toldError is an error that has been printed.
type toldError struct{ error }

func (e *toldError) Unwrap() error { return e.error }

type versionCmd struct{}

// Run prints the version, the commit and the compiler.
func (versionCmd) Run(env *environment) error {
	fmt.Fprintf(env.out, "synfire %s\n", versionText())
	return nil
}

// versionText is the version that the build was given, else that of the module, or its commit.
func versionText() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value[:min(12, len(s.Value))]
		}
	}
	if v := info.Main.Version; v != "" {
		return v
	}
	return "unknown"
}
