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
	"synfire/engine/vm"
)

// New opens the cpu backend with the given number of threads; 0 takes one for
// each processor that the process may use. The result is to be used by one
// goroutine at a time, and so are its programs. Its tables of synapses are kept
// between plans: a plan that names the same connect.Spec uses them again.
func New(threads int) backend.Backend {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	return &cpu{threads: threads}
}

type cpu struct {
	threads int
	built   []*built
}

func (c *cpu) Name() string { return "cpu" }

// FreeMemory is what the machine has left, in bytes; 0: not known.
func (c *cpu) FreeMemory() int64 { return available() }

func (c *cpu) Caps() backend.Caps {
	plural := "s"
	if c.threads == 1 {
		plural = ""
	}
	return backend.Caps{Device: fmt.Sprintf("%d thread%s, %s", c.threads, plural, vm.SIMD()), Threads: c.threads, SIMD: vm.SIMD()}
}

func (c *cpu) Load(plan *backend.Plan) (backend.Program, error) {
	if err := plan.Check(); err != nil {
		return nil, err
	}
	p, err := newProgram(c, plan)
	if err != nil {
		return nil, err
	}
	return p, nil
}

func (c *cpu) Close() error {
	for _, b := range c.built {
		b.users = 0
	}
	c.drop(func(*built) bool { return true })
	return nil
}
