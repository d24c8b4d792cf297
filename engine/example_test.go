package engine_test

import (
	"context"
	"fmt"
	"log"

	"synfire/engine"
	"synfire/engine/eqn"
	"synfire/kernels"
)

// The network of Vogels and Abbott (2005) as in Brette et al. (2007), benchmark
// 2, built without a script: examples/cuba.star in Go.
func Example() {
	unit := func(x float64, name string) engine.Quantity {
		u, _ := eqn.LookupUnit(name)
		return engine.Quantity{Value: x * u.Value, Dim: u.Dim}
	}
	names := map[string]any{
		"taum": unit(20, "ms"), "taue": unit(5, "ms"), "taui": unit(10, "ms"),
		"Vt": unit(-50, "mV"), "Vr": unit(-60, "mV"), "El": unit(-49, "mV"),
	}
	net := engine.NewNetwork(engine.Options{
		Seed:   1,
		Lookup: func(name string) (any, bool) { v, ok := names[name]; return v, ok },
	})
	must := func(err error) {
		if err != nil {
			log.Fatal(err)
		}
	}
	P, err := net.NeuronGroup(4000, `
		dv/dt  = (ge + gi - (v - El))/taum : volt (unless refractory)
		dge/dt = -ge/taue : volt
		dgi/dt = -gi/taui : volt
	`, engine.GroupOptions{Name: "P", Threshold: "v > Vt", Reset: "v = Vr", Refractory: unit(5, "ms"), Method: "exact"})
	must(err)
	v, err := P.Var("v")
	must(err)
	must(v.Set(nil, "Vr + rand()*(Vt - Vr)"))
	exc, err := P.Sub(0, 3200)
	must(err)
	inh, err := P.Sub(3200, 4000)
	must(err)
	for _, s := range []struct {
		from engine.Cells
		code string
	}{{exc, "ge += 1.62*mV"}, {inh, "gi -= 9*mV"}} {
		S, err := net.Synapses(s.from, P, engine.SynapsesOptions{OnPre: []engine.Pathway{{Name: "pre", Code: s.code}}, Delay: unit(0.1, "ms")})
		must(err)
		must(S.Connect(engine.ConnectOptions{P: 0.02}))
	}
	cpu := kernels.New(2)
	defer cpu.Close()
	res, err := net.Run(context.Background(), 0.1, engine.RunOptions{Backend: cpu})
	must(err)
	rate := float64(res.Spikes["P"]) / 4000 / res.Duration
	fmt.Println(res.Steps, "steps; rate between 3 and 12 Hz:", rate > 3 && rate < 12)
	// Output: 1000 steps; rate between 3 and 12 Hz: true
}
