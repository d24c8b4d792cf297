package main

import (
	"errors"
	"fmt"
	"math/bits"

	"synfire/engine"
	"synfire/engine/backend"
	"synfire/engine/script"
	"synfire/kernels"
)

type infoCmd struct {
	modelFlags
	Ranks     int     `help:"Tell, too, what each of so many ranks of MPI will hold, and estimate the time of a step (docs/cluster.md)." placeholder:"N"`
	Nodes     int     `help:"Nodes of the cluster that the ranks are on." default:"1" placeholder:"N"`
	Threads   int     `help:"Threads of each rank." default:"1" placeholder:"N"`
	Rate      float64 `help:"How often a neuron fires in a second, in the mean." default:"5" placeholder:"HZ"`
	Latency   float64 `help:"Microseconds that a message between two nodes takes." default:"2" placeholder:"US"`
	Bandwidth float64 `help:"Gigabytes in a second that a node takes in." default:"12" placeholder:"GB"`
	EventNs   float64 `help:"Nanoseconds that a thread takes for a synaptic event; \"synfire bench\" measures it." default:"0.5" placeholder:"NS"`
	VisitNs   float64 `help:"Nanoseconds that a thread takes to look up a spike, whether or not it has targets there." default:"12" placeholder:"NS"`
}

// Run shows the model as compiled at its first run().
func (c *infoCmd) Run(env *environment) error {
	for name, x := range map[string]float64{"rate": c.Rate, "latency": c.Latency, "bandwidth": c.Bandwidth, "event-ns": c.EventNs, "visit-ns": c.VisitNs} {
		if !(x >= 0 && x <= 1e6) || x == 0 && name == "bandwidth" {
			return fmt.Errorf("--%s %g: a positive number was expected, of a million at the most", name, x)
		}
	}
	switch {
	case c.Ranks < 0 || c.Ranks > 1<<20 || c.Nodes < 1 || c.Threads < 1 || c.Threads > 1<<12:
		return errors.New("--ranks, --nodes and --threads are positive numbers, of a million ranks and 4,096 threads of each at the most")
	case c.Ranks*c.Threads > 1<<20:
		return fmt.Errorf("--ranks %d --threads %d: a million threads of all ranks together are the most that can be foreseen", c.Ranks, c.Threads)
	case c.Ranks == 0 && (c.Nodes > 1 || c.Threads > 1):
		return errors.New("--nodes and --threads go with --ranks N, the number of ranks on the nodes, of so many threads each")
	case c.Ranks > 0 && c.Nodes > c.Ranks:
		return fmt.Errorf("--nodes %d: %d ranks are on as many nodes at the most", c.Nodes, c.Ranks)
	}
	o := script.Options{
		File: c.Model, Set: c.Set, Seed: c.Seed, NetworkSeed: c.NetworkSeed, MaxMemory: c.memory(), Info: env.out, Stdout: env.err,
		Warn: func(msg string) { fmt.Fprintln(env.err, env.errTerm.amber("warning:"), msg) },
	}
	told := false
	if c.Ranks > 0 {
		o.BeforeRun = enough(c.Ranks)
		o.Plan = func(w engine.Work, p *backend.Plan) error {
			neurons := 0
			for i := range p.Events {
				neurons += p.Events[i].N
			}
			told = true
			c.foresee(env, kernels.Foresee(w, p, c.Ranks, c.Threads), neurons, p.Dt)
			return nil
		}
	}
	res, err := script.Run(env.ctx, o)
	if err == nil && !res.Ended {
		return fmt.Errorf("%s has no run(): there is nothing to compile", c.Model)
	}
	if err == nil && c.Ranks > 0 && !told {
		return fmt.Errorf("--ranks: %s begins with train(), of which nothing is foreseen: a run() was expected", c.Model)
	}
	return err
}

// foresee tells what is foreseen of ranks, and estimates the time of a step.
func (c *infoCmd) foresee(env *environment, f kernels.Foreseen, neurons int, dt float64) {
	w, t := env.out, env.outTerm
	ranks := float64(c.Ranks)
	fmt.Fprintf(w, "\n%s of %d threads on %d nodes\n", t.bold(fmt.Sprintf("%d ranks", c.Ranks)), c.Threads, c.Nodes)
	if !f.Shared {
		fmt.Fprintln(w, "  they cannot share this network out: each computes all of it")
		return
	}
	e := c.estimate(f, neurons, dt)
	fmt.Fprintf(w, "  a rank holds: tables %s, their index %s, variables and parameters %s, second copies of what is written %s\n",
		bytes(f.Entries), bytes(f.Index), bytes(f.Words), bytes(f.Copies))
	fmt.Fprintf(w, "  at %g Hz: %.4g spikes and %.4g synaptic events of a rank in a step; ranks exchange once in %d steps, %s of each rank, %s in all\n",
		c.Rate, e.spikes/ranks, e.events, f.Window, bytes(int64(e.told)), bytes(int64(e.told*ranks)))
	if f.InStep > 0 {
		fmt.Fprintf(w, "  of which %s in each step are variables and spikes that other ranks ask for within the step\n", bytes(4*f.InStep))
	}
	us := func(x float64) string { return fmt.Sprintf("%.3g us", x*1e6) }
	fmt.Fprintf(w, "  %s: a step %s (neurons %s, delivery %s, exchange %s), a second of the model %.3g s\n", t.bold("estimate"), us(e.step()), us(e.update), us(e.deliver), us(e.exchange), e.step()/dt)
}

// estimate is what a step of ranks is made of.
type estimate struct {
	spikes, events            float64 // of all ranks; of one
	told                      float64 // bytes of a rank in each exchange
	update, deliver, exchange float64 // seconds
}

func (e estimate) step() float64 { return e.update + e.deliver + e.exchange }

func (c *infoCmd) estimate(f kernels.Foreseen, neurons int, dt float64) (e estimate) {
	ranks, threads, window := float64(c.Ranks), float64(c.Threads), float64(f.Window)
	e.spikes, e.events = float64(neurons)*c.Rate*dt, float64(f.Synapses)*c.Rate*dt/ranks
	e.told = 4 * (float64(f.Told) + e.spikes*window/ranks + window*float64(f.InStep))
	e.update, e.deliver = f.Update/threads, e.events*c.EventNs*1e-9/threads+e.spikes*c.VisitNs*1e-9 // all threads look at all spikes
	// A gather takes the logarithm of the ranks in messages, and each node takes in the words of all others. Older spikes are delivered
	// beside it.
	if c.Ranks > 1 {
		took := c.Latency*1e-6*float64(bits.Len(uint(c.Ranks-1))) + e.told*ranks/(c.Bandwidth*1e9)
		e.exchange = max(took-f.Older*e.deliver, 0) / window
	}
	return e
}
