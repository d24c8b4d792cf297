package shaders

import (
	"math"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/host"
)

// Cost is roughly what a step of a plan takes on a wide GPU, in microseconds: 4 µs for a dispatch that
// waits for another, a microsecond for the chain of loads that each is at least, 10^13 operations and 3·10^10
// atomic additions a second. Estimates, not measurements.
func Cost(p *backend.Plan) float64 {
	w := p.Work()
	if w.InOrder {
		return math.Inf(1) // on one lane of the device
	}
	counts := map[int]int{}
	for i := range p.Stages {
		if s := &p.Stages[i]; s.Form == backend.FormEffect {
			counts[s.Table] = int(connect.Estimate(p.Tables[s.Table].Spec, 1, host.Work{}).Synapses)
		}
	}
	sc := cut(p, counts, 32, true)
	waits := 0
	for n, wait := range sc.waits() {
		if wait && (!sc.single || n == 0) {
			waits++
		}
	}
	return 5*float64(waits)/float64(sc.span) + 1e-7*w.Operations + (w.Events+3*w.Effects)/3e4
}
