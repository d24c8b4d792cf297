// Package kernels is the cpu backend: all cores, the same bits for any number
// of threads. Threads own ranges of lanes and of targets (layout.go), so that
// nothing is locked and no word is written by two of them. The stages of a step
// are grouped and fused (schedule.go, mapped.go); synapses are delivered when
// their effect is due, from tables that the thread alone reads (deliver.go).
package kernels

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/host"
	"synfire/engine/vm"
)

func init() {
	backend.Register("cpu", func(o backend.Options) (backend.Backend, error) {
		if o.FixedThreads {
			return New(o.Threads), nil
		}
		return UpTo(o.Threads), nil
	})
}

// New opens the cpu backend with as many threads, always; 0 is UpTo(0). The
// result is to be used by one goroutine at a time, and so are its programs. Its
// tables of synapses are kept between plans: a plan that names the same
// connect.Spec uses them again.
func New(threads int) backend.Backend {
	if threads <= 0 {
		return UpTo(0)
	}
	return &cpu{threads: threads, fixed: true, shelf: &shelf{backends: 1}}
}

// UpTo opens the cpu backend with so many threads at the most, 0: as many as the
// process may use processors. How many are at work is decided while it runs
// (pace.go): fewer where something else runs or where they would mostly wait for
// each other.
func UpTo(threads int) backend.Backend {
	if most := runtime.GOMAXPROCS(0); threads <= 0 || threads > most {
		threads = most
	}
	c := &cpu{threads: threads, shelf: &shelf{backends: 1}}
	if threads > 1 {
		if l := lookedAhead.Swap(nil); l != nil && time.Since(l.begun) < time.Second {
			c.looked = l.found
		} else {
			c.looked = newLook().found
		}
	}
	return c
}

// Look begins to look how many processors are free, for a backend that UpTo opens
// within a second: a program that calls it first waits for it nowhere, since it
// takes some milliseconds, in which a script is read and a plan compiled.
func Look() { lookedAhead.Store(newLook()) }

var lookedAhead atomic.Pointer[look]

// look is how many processors are free, as soon as that is known.
type look struct {
	begun time.Time
	found chan int
}

func newLook() *look {
	l := &look{time.Now(), make(chan int, 1)}
	free := free // tests put the variable back
	go func() { l.found <- free() }()
	return l
}

// Beside is another backend of as many threads, always, with the same tables of synapses.
func (c *cpu) Beside() backend.Backend {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.backends++
	return &cpu{threads: c.threads, fixed: true, beside: true, shelf: c.shelf}
}

type cpu struct {
	threads int
	fixed   bool     // always as many
	looked  chan int // how many processors were free when the backend was opened; nil: a plan was loaded since
	beside  bool     // others run at the same time: it builds with the threads that it is given
	used    int      // at the most, by the plan that was loaded last; 0: none was
	pace    *pace    // of that plan
	division
	*shelf
	lists []*listing // of effects, those that are the same for every program
	ranks Ranks      // this process is one of several; nil: it is alone
}

// wish is the number of parts that a plan would have if all processors were free,
// the most threads that could be at work: none is to have less than some 1.5 us of
// work in a step. (cuba's 3 us take 17 on two threads where one takes 20.)
func (c *cpu) wish(plan *backend.Plan) int {
	if c.fixed {
		return c.threads
	}
	const least = 1.5e-6 // seconds
	return int(max(1, min(float64(c.threads), (baseWork(plan)+synapticWork(plan))/least)))
}

// parts is the number of parts that a plan gets. One thread is slower with several
// than with one, by a tenth as a rule and by a third where a source's synapses of
// one delay are few; so there are no more than there are free processors, or than
// the tables have that an earlier plan left.
func (c *cpu) parts(plan *backend.Plan) int {
	wish, looked := c.wish(plan), c.looked
	c.looked = nil // a later plan's look is its own
	if c.fixed || wish == 1 || !light(plan) {
		return wish
	}
	switch {
	case looked != nil:
		c.most = <-looked
	case c.most == 0 || len(c.built) == 0:
		c.most = free()
	}
	return min(wish, c.most)
}

// Guesses of what work takes on one thread, in seconds.
const (
	operationWork = 0.01e-9
	eventWork     = 1.5e-9
	effectWork    = 5e-9
)

// baseWork is what a step takes of the neurons.
func baseWork(plan *backend.Plan) (work float64) {
	for i := range plan.Stages {
		if st := &plan.Stages[i]; st.Form == backend.FormMap {
			work += float64(operationWork * float64(st.N*len(st.Prog.Ins)))
		}
	}
	return work
}

// synapticWork is what a step takes of the synapses if neurons fire 10 times a second.
func synapticWork(plan *backend.Plan) (work float64) {
	const rate = 10
	for i := range plan.Stages {
		st := &plan.Stages[i]
		if st.Form != backend.FormDeliver && st.Form != backend.FormEffect {
			continue
		}
		each := eventWork
		if st.Form == backend.FormEffect {
			each = effectWork
		}
		n := connect.Estimate(plan.Tables[st.Table].Spec, 1, host.Work{Threads: 1}).Synapses
		work += float64(each * float64(n) * rate * plan.Dt)
	}
	return work
}

// paceFor is what chooses the number of threads for a program of so many parts:
// the one of the last program, for what it has learnt, if that had as many.
func (c *cpu) paceFor(parts int) *pace {
	switch {
	case c.fixed && shuffle == nil:
		return &pace{sizes: []int{parts}}
	case c.pace == nil || c.pace.sizes[len(c.pace.sizes)-1] != parts:
		c.pace = newPace(parts)
	}
	return c.pace
}

func (c *cpu) Name() string { return "cpu" }

func (c *cpu) Caps() backend.Caps {
	threads, plural := c.threads, "s"
	if c.used > 0 {
		threads = c.used
	}
	if threads == 1 {
		plural = ""
	}
	if c.ranks != nil && c.ranks.Size() > 1 {
		n := c.ranks.Size()
		return backend.Caps{Device: fmt.Sprintf("%d ranks of %d thread%s, %s", n, threads, plural, vm.SIMD()), Threads: n * threads, SIMD: vm.SIMD()}
	}
	return backend.Caps{Device: fmt.Sprintf("%d thread%s, %s", threads, plural, vm.SIMD()), Threads: threads, SIMD: vm.SIMD()}
}

func (c *cpu) Load(w host.Work, plan *backend.Plan) (backend.Program, error) {
	if err := plan.Check(); err != nil {
		return nil, err
	}
	if c.ranks != nil {
		return c.loadRanked(w, plan)
	}
	start := time.Now()
	p, err := newProgram(w, c, plan, c.parts(plan))
	if err != nil {
		return nil, err
	}
	c.used = p.lay.parts
	c.took = max(c.took, time.Since(start))
	return &divided{p, w}, nil
}

func (c *cpu) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lists = nil
	if c.backends--; c.backends > 0 {
		return nil
	}
	for _, b := range c.built {
		b.close()
	}
	c.built = nil
	return nil
}
