package kernels

import "synfire/engine/backend"

// Cost is roughly what a step of a plan takes on so many threads, in microseconds:
// 0.03 ns an operation and 1.5 ns an event, as measured with AVX-512 on one core of a
// server (0.06 without), some 20 ns where an event runs a program, and 0.1 µs a stage.
func Cost(p *backend.Plan, threads int) float64 {
	w := p.Work()
	each := float64(0.03e-3*w.Operations) + float64(1.5e-3*w.Events) + float64(20e-3*w.Effects)
	n := max(1, min(float64(threads), each/2)) // a thread is for 2 µs of work
	return each/n + float64(0.1*float64(len(p.Stages)))
}
