package script

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"go.starlark.net/starlark"

	"synfire/engine"
	"synfire/engine/backend"
	"synfire/engine/eqn"
	"synfire/engine/figure"
	"synfire/engine/host"
	"synfire/engine/script/memory"
)

// Options say what to run and how.
type Options struct {
	File string            // path of the script; its folder is where load() and load_array() read
	Src  []byte            // its text; nil: read from File
	Set  map[string]string // --set: parameters by name, as expressions of the script language
	Seed *uint64           // --seed: stands for the script's first seed(); nil: the script's, else 0

	// NetworkSeed, if set, does the same for what a network is made of alone: connections,
	// delays, values of synapses, parameters of neurons, and what the script draws itself.
	NetworkSeed *uint64
	// Trial is added to the seed of all else; Pool is what the networks of several trials share.
	Trial uint64
	Pool  *engine.Pool

	// Open opens the backend; it is called at the first run().
	Open func() (backend.Backend, error)

	Stdout   io.Writer               // of print; nil: dropped
	Warn     func(msg string)        // warnings; nil: dropped
	Progress func(done, total int64) // of each run(), now and then
	Threads  int                     // for building tables; 0: all cores

	// Records is where what is recorded goes while a run goes on; nil: it stays in
	// memory, and what save_array is given is dropped, with a warning before the run.
	Records Recorder

	// Draw draws a figure of the script into a file of that name; nil: figures are
	// dropped, with a warning.
	Draw func(f *figure.Figure, name string) error

	// DrawLeft has figures drawn at the end that neither show() nor savefig() has kept.
	DrawLeft bool

	// Info, if set, receives the network as compiled at the first run(), where
	// the script then ends: nothing is simulated.
	Info io.Writer
	// Plan, beside it, is given the plan.
	Plan func(engine.Work, *backend.Plan) error
	// Checkpoints keep the state of runs while they go on.
	Checkpoints Checkpoints
	// Ranks is set where several processes run the script alike, each a part of the network.
	Ranks *Ranks
	// MaxSteps ends the script after so many steps of the model; 0: no limit.
	MaxSteps int64
	// BeforeRun is called as each run() of the script begins, and AfterRun when it
	// has ended; an error ends the script.
	BeforeRun func(*engine.Network) error
	AfterRun  func(*Result) error
	// AtEnd is called when the script has come to its end and the backend still holds what ran last.
	AtEnd func(*Result) error
	// MaxOps bounds the script's own computation, against endless loops; 0: 3e8
	// steps of its interpreter.
	MaxOps uint64
	// MaxMemory bounds what scripts of this process keep in memory, in bytes: the
	// numbers, lists and texts that they compute, not the networks; 0: 2 GiB, or half of what is free where that is less.
	MaxMemory int64
}

// defaultMemory is the limit where Options give none.
const defaultMemory = 2 << 30

func (o Options) maxMemory() int64 {
	if o.MaxMemory > 0 {
		return o.MaxMemory
	}
	if free := host.Free(); free > 0 {
		return min(defaultMemory, free/2)
	}
	return defaultMemory
}

// Ranks are processes that run a script together. What it stores in files one of
// them writes, while the others wait.
type Ranks struct {
	Writes bool   // this is the one
	Meet   func() // waits for all of them
	All    host.Ranks
}

// ranks are the processes that run the script, nil where there is this one.
func (x *script) ranks() host.Ranks {
	if x.opt.Ranks == nil {
		return nil
	}
	return x.opt.Ranks.All
}

// writes calls write, where several processes run the script in one of them alone.
func (x *script) writes(write func() error) error {
	r := x.opt.Ranks
	if r == nil {
		return write()
	}
	defer r.Meet()
	if r.Writes {
		return write()
	}
	return nil
}

// Recorder keeps records, as of engine.RunOptions, and the arrays of save_array:
// row by row, cols being 0 for one dimension, in SI base units.
type Recorder interface {
	engine.Recorder
	Save(name string, values []float64, cols int, integer bool) error
}

func (o Options) maxOps() uint64 {
	if o.MaxOps == 0 {
		return 3e8
	}
	return o.MaxOps
}

// Result is what a script has made.
type Result struct {
	Net    *engine.Network   // what the last run() ran
	Others []*engine.Network // further ones that have run and that the script still holds when it ends
	Runs   []*engine.RunResult
	File   string
	SHA256 string            // of the script's text
	Set    map[string]string // the parameters that were set, as values: "1 s"
	Params []Param           // all parameters that the script asked for, in order
	Seed   uint64
	// NetworkSeed is the seed of what the networks are made of.
	NetworkSeed uint64
	Ended       bool // ended early: by Info or MaxSteps
}

// Monitors are those of all networks.
func (r *Result) Monitors() []engine.Monitor {
	all := r.Net.Monitors()
	for _, n := range r.Others {
		all = append(all, n.Monitors()...)
	}
	return all
}

// Groups are those of all networks.
func (r *Result) Groups() []*engine.NeuronGroup {
	all := r.Net.Groups()
	for _, n := range r.Others {
		all = append(all, n.Groups()...)
	}
	return all
}

// Param is a parameter of the script.
type Param struct {
	Name, Value, Default string
	Set                  bool
}

// errEnd ends a script that has done what was asked.
var errEnd = errors.New("end of the script")

// script is one execution.
type script struct {
	opt         Options
	ctx         context.Context
	thread      *starlark.Thread
	predeclared starlark.StringDict
	more        starlark.StringDict // names that a test adds
	values      starlark.StringDict // those of predeclared that --set knows: they make and run nothing
	sources     map[string]*source
	main        *source
	final       starlark.StringDict // the script's globals when it has ended
	root        *os.Root            // the script's folder
	dir         string
	modules     map[string]*module
	starred     map[string][]string     // names that "import *" takes of scripts of the folder; nil while they are being found
	imports     map[string]*pymodule    // what import may name
	pylab       *pylab                  // what it has drawn and not shown yet
	shared      *shared                 // the names that functions declare global
	texts       map[string][]eqn.Source // string literals and where they stand
	namespace   starlark.StringDict     // of the run() in progress, nil: the script's names
	namespaces  []namespace             // those of objects
	draws       map[string]uint32       // how often a place has drawn since the last seed()
	firstSeed   *uint64
	net         *engine.Network
	objects     []object
	receivers   map[*engine.NeuronGroup]*receiver // of the neurons of the library
	ended       []object                          // have run with a step that defaultclock.dt has left
	aliased     int                               // how many objects there were when aliases were set
	own         map[string]bool                   // the names that these have without an alias; nil: to be gathered anew
	named       []object                          // those of them that have one
	be          backend.Backend
	steps       int64 // of the model, so far
	res         *Result
	taken       map[string]bool // parameters of Set that were asked for
	inside      atomic.Int32    // calls into the engine
	operating   int             // functions of operations that run
	stored      map[*engine.Network]map[string]*engine.Snapshot
	left        atomic.Bool   // nobody waits for the script any more
	session     *Session      // whose statements these are; nil: a script from its begin to its end
	unprinted   error         // of the last print()
	deep        chan struct{} // values within values fill the stack
}

type module struct {
	globals starlark.StringDict
	err     error
	loading bool
}

// Run executes a script. On an error the result holds what was done until then,
// recorded spikes included; it is nil only if the script could not be read.
func Run(ctx context.Context, o Options) (res *Result, err error) {
	x := newScript(ctx, o)
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *backend.Apart:
			res, err = x.res, r
		default:
			res, err = x.res, fmt.Errorf("%s: internal error: %v; please report it with the script", o.File, r)
		}
	}()
	return x.whole()
}

// run is Run without its guard, so that a fuzzer sees a panic.
func run(ctx context.Context, o Options) (*Result, error) { return newScript(ctx, o).whole() }

func newScript(ctx context.Context, o Options) *script {
	return &script{opt: o, ctx: ctx, dir: filepath.Dir(o.File), sources: map[string]*source{}, modules: map[string]*module{},
		texts: map[string][]eqn.Source{}, draws: map[string]uint32{}, stored: map[*engine.Network]map[string]*engine.Snapshot{}, taken: map[string]bool{}, deep: make(chan struct{})}
}

// whole runs the script from its file to its end.
func (x *script) whole() (*Result, error) {
	o := &x.opt
	if o.Src == nil {
		src, err := readScript(o.File)
		if err != nil {
			return nil, err
		}
		o.Src = src
	}
	if len(o.Src) > MaxSource {
		return nil, tooLong(o.File, int64(len(o.Src)))
	}
	x.begin()
	sum := sha256.Sum256(o.Src)
	x.res.SHA256 = hex.EncodeToString(sum[:])
	stop := context.AfterFunc(x.ctx, func() { x.thread.Cancel("interrupted") })
	defer stop()
	defer x.watch()()
	defer func() {
		if x.root != nil {
			x.root.Close()
		}
	}()
	defer x.settle() // after a panic, too

	err := x.execute(func() error {
		_, err := x.exec(x.opt.File, x.opt.Src, true)
		return err
	})
	switch {
	case errors.Is(err, errEnd):
		x.res.Ended = true
		err = nil
	case errors.Is(err, errExit):
		err = x.pylab.left()
	case err != nil && x.ctx.Err() != nil && !errors.Is(err, engine.ErrInterrupted):
		err = engine.ErrInterrupted
	case err == nil:
		if err = x.pylab.left(); err == nil {
			err = x.unusedSet()
		}
	}
	if err == nil && x.opt.AtEnd != nil {
		x.settle()
		err = x.opt.AtEnd(x.res)
	}
	if x.be != nil {
		if e := x.be.Close(); err == nil {
			err = e
		}
	}
	return x.res, err
}

// begin prepares what a script and a session need to execute anything.
func (x *script) begin() {
	memory.SetLimit(x.opt.maxMemory())
	x.res = &Result{File: x.opt.File, Set: map[string]string{}}
	eo := engine.Options{Pool: x.opt.Pool, Lookup: x.lookup, Names: x.visible, Locate: x.locate, Warn: x.opt.Warn}
	x.net = engine.NewNetwork(eo)
	x.net.Random.Seed, x.net.Random.Network = x.seeds(0, 0)
	x.res.Net = x.net
	x.thread = &starlark.Thread{Name: "script", Print: x.print, Load: x.load}
	x.allowSteps()
	x.predeclared = x.builtins()
	maps.Copy(x.predeclared, x.more)
}

// maxDepth is how many calls may be in each other, as in Python.
const maxDepth = 1000

// allowSteps begins to count the script's steps, and looks now and then how deep its calls are.
func (x *script) allowSteps() {
	x.thread.Steps = 0
	more := func() { x.thread.SetMaxExecutionSteps(min(x.thread.Steps+1000, x.opt.maxOps())) }
	more()
	x.thread.OnMaxSteps = func(th *starlark.Thread) {
		switch {
		case th.CallStackDepth() > maxDepth:
			th.Cancel(fmt.Sprintf("more than %d calls are in each other: is there a recursion without an end?", maxDepth))
		case th.Steps >= x.opt.maxOps():
			th.Cancel("too many steps")
		default:
			more()
		}
	}
}

// seeds are the seed in force, and that of what networks are made of, where a script gives seed s and gave first at first:
// those of the options stand for the first, and others stay as far from it.
func (x *script) seeds(s, first uint64) (seed, network uint64) {
	seed = s
	if x.opt.Seed != nil {
		seed = *x.opt.Seed + (s - first)
	}
	network = seed
	if x.opt.NetworkSeed != nil {
		network = *x.opt.NetworkSeed + (s - first)
	}
	return seed + x.opt.Trial, network
}

// settle brings into the result what the script holds at its end.
func (x *script) settle() {
	x.res.Seed, x.res.NetworkSeed = x.net.Random.Seed, x.net.Random.Network
	x.setAliases()
	x.res.Others = x.otherNetworks()
}

// work is the settings of what the script asks of the engine.
func (x *script) work() engine.Work {
	return engine.Work{Ctx: x.ctx, Threads: x.opt.Threads, Ranks: x.ranks()}
}

// grace is how long an interrupted script may take to hear of it.
const grace = 300 * time.Millisecond

// executing counts the scripts that execute, those that were left included.
var executing atomic.Int32

// execute runs the script itself, which f does. A function of Starlark's, or of ours on an
// array, does not hear of an interruption before it returns: it is then left to
// itself, since it changes nothing that anybody looks at afterwards; so is one
// that follows values too deep. The engine is waited for.
func (x *script) execute(f func() error) error {
	type end struct {
		err      error
		panicked any
	}
	ended := make(chan end, 1)
	executing.Add(1)
	go func() {
		var e end
		defer executing.Add(-1)
		defer func() {
			switch r := recover().(type) {
			case nil:
			case *backend.Apart:
				e.err = r
			default:
				e.panicked = fmt.Sprintf("%v\n%s", r, debug.Stack())
			}
			ended <- e
		}()
		e.err = f()
		if x.left.Load() {
			runtime.GC() // until it has not met a deep stack, Go begins every stack with such a size
		}
	}()
	var e end
	select {
	case e = <-ended:
	case <-x.deep:
		if x.left.CompareAndSwap(false, true) {
			x.thread.Cancel("left to itself") // once it has come back from the depth
			return x.explain(&starlark.EvalError{Msg: "a tuple within tuples, too many to be looked up", CallStack: x.thread.CallStack()})
		}
	case <-x.ctx.Done():
		for over := time.Now().Add(grace); ; {
			select {
			case e = <-ended:
			case <-time.After(10 * time.Millisecond):
				if time.Now().After(over) && x.inside.Load() == 0 && x.left.CompareAndSwap(false, true) {
					return engine.ErrInterrupted
				}
				continue
			}
			break
		}
	}
	if e.panicked != nil {
		panic(e.panicked)
	}
	return e.err
}

func (x *script) print(_ *starlark.Thread, msg string) {
	if x.opt.Stdout != nil {
		if _, err := fmt.Fprintln(x.opt.Stdout, msg); err != nil {
			x.unprinted = fmt.Errorf("print: the output cannot be written: %w", err)
		}
	}
}

// object is a part of the network that has a name.
type object interface {
	Name() string
	SetAlias(string)
	Network() *engine.Model
	Ran() bool
}

// holder is a value of the script that stands for an object.
type holder interface{ object() object }

// checkSet refuses parameters of --set that the script never asks for, before
// anything runs.
func (x *script) checkSet() error {
	names := x.main.params()
	for n := range x.opt.Set {
		if !slices.Contains(names, n) {
			return unknownParam(x.opt.File, n, names)
		}
	}
	return nil
}

// unusedSet is the same after a script whose parameters are asked for elsewhere.
func (x *script) unusedSet() error {
	for n := range x.opt.Set {
		if !x.taken[n] && !slices.Contains(x.main.params(), n) {
			var names []string
			for _, p := range x.res.Params {
				names = append(names, p.Name)
			}
			return unknownParam(x.opt.File, n, names)
		}
	}
	return nil
}

func unknownParam(file, name string, names []string) error {
	msg := fmt.Sprintf("--set %s: %s has no param(%q, ...)", name, file, name)
	if near := eqn.Nearest(name, names); near != "" {
		return fmt.Errorf("%s: %s", msg, near)
	}
	if len(names) > 0 {
		return fmt.Errorf("%s; it has %s", msg, strings.Join(slices.Sorted(slices.Values(names)), ", "))
	}
	return errors.New(msg)
}
