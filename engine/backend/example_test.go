package backend_test

import (
	"context"
	"fmt"
	"log"

	"synfire/engine"
	"synfire/engine/backend"
	"synfire/engine/host"
	"synfire/kernels/ref"
)

// counting is a backend that has another one do the work, and counts steps.
type counting struct {
	backend.Backend
	steps *int
}

// Load brings a plan onto the device. The programs of counting are those of the other backend, but for Run.
func (b counting) Load(w host.Work, p *backend.Plan) (backend.Program, error) {
	program, err := b.Backend.Load(w, p)
	return counted{program, b.steps}, err
}

type counted struct {
	backend.Program
	steps *int
}

// Run makes up to n steps and tells how many it made.
func (p counted) Run(n int, hostWords []uint32) (int, error) {
	done, err := p.Program.Run(n, hostWords)
	*p.steps += done
	return done, err
}

// A backend is two small interfaces; docs/adding.md tells the rest.
func Example() {
	net := engine.NewNetwork(engine.Options{})
	G, err := net.NeuronGroup(1, "dv/dt = (2 - v)/(10*ms) : 1", engine.GroupOptions{Threshold: "v > 1", Reset: "v = 0", Method: "exact"})
	if err != nil {
		log.Fatal(err)
	}
	S, err := net.SpikeMonitor(G, engine.SpikeMonitorOptions{})
	if err != nil {
		log.Fatal(err)
	}
	steps := 0
	if _, err := net.Run(context.Background(), 0.05, engine.RunOptions{Backend: counting{ref.New(), &steps}}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(steps, "steps,", S.Num(), "spikes")
	// Output: 500 steps, 7 spikes
}
