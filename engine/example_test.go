package engine_test

import (
	"context"
	"fmt"
	"log"

	"synfire/engine"
	"synfire/kernels"
)

// The network of Vogels and Abbott (2005) as in Brette et al. (2007), benchmark
// 2, built without a script: examples/cuba.star in Go.
func Example() {
	must := func(err error) {
		if err != nil {
			log.Fatal(err)
		}
	}
	net := engine.NewNetwork(engine.Options{Seed: 1})
	P, err := net.NeuronGroup(4000, `
		dv/dt  = (ge + gi - (v - El))/taum : volt (unless refractory)
		dge/dt = -ge/taue : volt
		dgi/dt = -gi/taui : volt
	`, engine.GroupOptions{Threshold: "v > Vt", Reset: "v = Vr", Refractory: engine.Q("5*ms"), Method: "exact", Namespace: map[string]any{
		"taum": engine.Q("20*ms"), "taue": engine.Q("5*ms"), "taui": engine.Q("10*ms"),
		"Vt": engine.Q("-50*mV"), "Vr": engine.Q("-60*mV"), "El": engine.Q("-49*mV"),
	}})
	must(err)
	v, err := P.Var("v")
	must(err)
	must(v.Set(nil, "Vr + rand()*(Vt - Vr)"))

	exc, err := P.Sub(0, 3200)
	must(err)
	inh, err := P.Sub(3200, 4000)
	must(err)
	connect := func(from engine.Cells, onPre string) {
		S, err := net.Synapses(from, P, engine.SynapsesOptions{OnPre: []engine.Pathway{{Name: "pre", Code: onPre}}, Delay: engine.Q("0.1*ms")})
		must(err)
		must(S.Connect(engine.ConnectOptions{P: 0.02}))
	}
	connect(exc, "ge += 1.62*mV")
	connect(inh, "gi -= 9*mV")
	S, err := net.SpikeMonitor(P, engine.SpikeMonitorOptions{})
	must(err)

	cpu := kernels.New(2)
	defer cpu.Close()
	res, err := net.Run(context.Background(), 0.1, engine.RunOptions{Backend: cpu})
	must(err)
	fmt.Println(res.Steps, "steps,", S.Num(), "spikes; the last of neuron", S.I()[S.Len()-1])
	// Output: 1000 steps, 2561 spikes; the last of neuron 885
}
