// Package kernels is the cpu backend: all cores, the same bits for any number
// of threads. Threads own ranges of lanes and of targets (layout.go), so that
// nothing is locked and no word is written by two of them. The stages of a step
// are grouped and fused (schedule.go, mapped.go); synapses are delivered when
// their effect is due, from tables that the thread alone reads (deliver.go).
package kernels

import (
	"fmt"
	"runtime"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/host"
	"synfire/engine/vm"
)

// New opens the cpu backend with the given number of threads; 0 takes one for
// each processor that the process may use, fewer for a network whose steps are
// so short that threads would mostly wait for each other. The result is to be used by one
// goroutine at a time, and so are its programs. Its tables of synapses are kept
// between plans: a plan that names the same connect.Spec uses them again.
func New(threads int) backend.Backend {
	if threads <= 0 {
		return &cpu{threads: runtime.GOMAXPROCS(0), few: true}
	}
	return &cpu{threads: threads}
}

type cpu struct {
	threads int
	few     bool // small networks may take fewer
	used    int  // by the plan that was loaded last; 0: none was
	built   []*built
}

// team is the number of threads for a plan: none is to have less than some 2 us
// of work in a step, of which waiting for another takes a quarter.
func (c *cpu) team(plan *backend.Plan) int {
	if !c.few {
		return c.threads
	}
	const operation, event, effect, least = 0.01e-9, 1.5e-9, 5e-9, 2e-6 // seconds
	const rate = 10                                                     // spikes/s, a guess
	work := 0.0
	for i := range plan.Stages {
		each, n := operation, 0.0
		switch st := &plan.Stages[i]; st.Form {
		case backend.FormMap:
			n = float64(st.N * len(st.Prog.Ins))
		case backend.FormDeliver, backend.FormEffect:
			each = event
			if st.Form == backend.FormEffect {
				each = effect
			}
			n = float64(float64(connect.Estimate(plan.Tables[st.Table].Spec, 1, host.Work{Threads: 1}).Synapses) * rate * plan.Dt)
		}
		work += float64(each * n)
	}
	return int(max(1, min(float64(c.threads), work/least)))
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
	return backend.Caps{Device: fmt.Sprintf("%d thread%s, %s", threads, plural, vm.SIMD()), Threads: threads, SIMD: vm.SIMD()}
}

func (c *cpu) Load(w host.Work, plan *backend.Plan) (backend.Program, error) {
	if err := plan.Check(); err != nil {
		return nil, err
	}
	p, err := newProgram(w, c, plan)
	if err != nil {
		return nil, err
	}
	c.used = p.lay.threads
	return p, nil
}

func (c *cpu) Close() error {
	for _, b := range c.built {
		b.users = 0
	}
	c.drop(func(*built) bool { return true })
	return nil
}
