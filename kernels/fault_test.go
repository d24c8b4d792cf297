package kernels_test

import (
	"errors"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/host"
	"synfire/engine/ir"
	"synfire/kernels"
)

// TestLeastFault: where the first thread meets a fault and is gone before the
// others have begun, they still make the step, so that the fault is the least of
// all neurons (rule 4).
func TestLeastFault(t *testing.T) {
	const n = 4096
	b := ir.NewBuilder("faults")
	b.Trap(b.EqI(b.Lane(), b.I(n-1)), 0)
	b.Trap(b.EqI(b.Lane(), b.I(0)), 1)
	prog, err := b.Prog()
	if err != nil {
		t.Fatal(err)
	}
	p := newSketch()
	p.Stages = append(p.Stages, backend.Stage{Form: backend.FormMap, Name: "faults", Flag: -1, N: n, Prog: prog, Bind: make([]backend.Binding, len(prog.Slots)),
		Trap: []backend.Trap{{Var: 0, Name: "least"}, {Var: 1, Name: "other"}}, Acc: backend.NoBuf})
	for range 400 {
		for _, threads := range []int{2, 3} {
			be := kernels.New(threads)
			run, err := be.Load(host.Work{}, &p.Plan)
			if err != nil {
				t.Fatal(err)
			}
			var fault *backend.Fault
			if _, err := run.Run(100, nil); !errors.As(err, &fault) || fault.Trap.Var != 0 || fault.Item != n-1 || fault.Step != 0 {
				t.Fatalf("%d threads: %v, expected the fault of neuron %d at step 0", threads, err, n-1)
			}
			run.Close()
			be.Close()
		}
	}
}
