package model

import (
	"fmt"
	"math"
	"slices"
	"sort"

	"synfire/engine/eqn"
	"synfire/engine/ir"
)

// Clocks (design section 1). An object may have a step of its own, dt=; what
// belongs to a group goes by the group's. A network advances by the largest step of
// which all of these are multiples, StepSize, and an object takes part in every so
// many of them. Times that are kept in steps, delays and the steps of events count
// StepSize, whatever the clock of their object.

// DefaultClock, as a dt, is the default clock's, whatever that will be: for what goes by
// the clock of a group otherwise.
const DefaultClock = -math.MaxFloat64

// partsOfStep is the most steps of a network in one of its fastest clock.
const partsOfStep = 10000

// Dt is the step of the object's own clock in seconds: dt=, else that of what it
// belongs to, else the default clock's.
func (o *Object) Dt() float64 {
	switch {
	case o.ownDt == DefaultClock:
		return o.Net.dt
	case o.ownDt != 0:
		return o.ownDt
	case o.of != nil:
		return o.of.Dt()
	}
	return o.Net.dt
}

// Every is how many steps of the network one of the object's clock takes.
func (o *Object) Every() int64 { return o.Net.Every(o.Dt()) }

// Every is how many steps of the network one of a clock takes.
func (n *Network) Every(dt float64) int64 { return max(1, int64(roundHalf(dt/n.StepSize))) }

// Ticks is the step at which the object's clock stands when the network has made
// so many: the one that it makes next, or is making.
func (o *Object) Ticks(step int64) int64 {
	k := o.Every()
	return (step + k - 1) / k
}

// now is the step of the network at which the object's clock stands between runs;
// the default clock is one for all networks of a script.
func (o *Object) now() int64 {
	if o.ownDt == 0 && o.of != nil {
		return o.of.now()
	}
	if o.ownDt == 0 || o.ownDt == DefaultClock {
		return o.Net.Default.Step * o.Every()
	}
	return o.Net.Step
}

// Next is the first step of the network from step on at which the object acts:
// one of its clock, or of its list of times.
func (o *Object) Next(step int64) int64 {
	if o.moments == nil {
		k := o.Every()
		return (step + k - 1) / k * k
	}
	k := o.moment(step)
	if k == len(o.moments) {
		return math.MaxInt64
	}
	return o.Net.stepOf(o.moments[k])
}

// moment is the index of the first time in its list that lies in a step from step on.
func (o *Object) moment(step int64) int {
	return sort.Search(len(o.moments), func(k int) bool { return o.Net.stepOf(o.moments[k]) >= step })
}

// stepOf is the step of the network in which a time of a list lies.
func (n *Network) stepOf(t float64) int64 { return int64(min(1e18, math.Round(t/n.StepSize))) }

// Regularly says that the object acts at each step of its clock, not at times of a list.
func (o *Object) Regularly() bool { return o.moments == nil }

// TimeOf is the time of the object's clock at a step of the network, in seconds.
func (o *Object) TimeOf(step int64) float64 {
	if o.moments == nil {
		return float64(float64(o.Ticks(step)) * o.Dt())
	}
	if k := o.moment(step); k < len(o.moments) && o.Net.stepOf(o.moments[k]) == step {
		return o.moments[k]
	}
	return float64(float64(step) * o.Net.StepSize)
}

// acts has the object act at times of a list, in seconds. Those before 0 never come.
func (o *Object) acts(times []float64, what string) error {
	if times == nil {
		return nil
	}
	list := make([]float64, 0, len(times))
	for _, t := range times {
		if math.IsNaN(t) {
			return argErrorf("times", "%s: a time was expected, got %g s", what, t)
		}
		if t >= 0 {
			list = append(list, t)
		}
	}
	slices.Sort(list)
	o.moments = list
	for k := range list[:max(0, len(list)-1)] {
		if list[k] == list[k+1] {
			return argErrorf("times", "%s: the time %g s stands there twice", what, list[k])
		}
	}
	return nil
}

// T is the time of the object's clock, in seconds.
func (o *Object) T() float64 { return float64(float64(o.Ticks(o.now())) * o.Dt()) }

// nextTick and lastTick are host words of a clock that ticks every k steps: the
// step of the network at which it stands, and that at which it ticked last, not
// counting the present step with before.
func nextTick(k int64) *eqn.HostExpr {
	return eqn.StepWord(fmt.Sprintf("next of %d", k), func(s int64) int64 { return (s + k - 1) / k * k })
}

func lastTick(k int64, before bool) *eqn.HostExpr {
	return eqn.StepWord(fmt.Sprintf("last of %d, %v", k, before), func(s int64) int64 {
		if before {
			s += k - 1
			return s/k*k - k
		}
		return s / k * k
	})
}

// align chooses the network's step for the clocks that its objects have now.
func (n *Network) align() error {
	step, err := n.commonStep(n.Objects)
	if err == nil && step != n.StepSize {
		n.regrid(step)
	}
	return err
}

// commonStep is the largest step that all clocks of objects are multiples of. What
// has run keeps its own, or a part of it.
func (n *Network) commonStep(objects []object) (float64, error) {
	step, fastest := n.dt, math.Inf(1)
	if n.Step > 0 {
		step = n.StepSize
	} else if len(objects) > 0 {
		step = objects[0].Base().Dt()
	}
	for _, ob := range objects {
		dt := ob.Base().Dt()
		if ob.Base().moments != nil { // it has a list of times, below
			continue
		}
		part, ok := denominator(dt / step)
		if fastest = min(fastest, dt); !ok || fastest*float64(part)/step > partsOfStep {
			return 0, argErrorf("dt", "%s: dt=%g s and the other steps of the network (%g s) have no common part, down to 1/%d of the smallest: choose multiples of one step", ob.Base().Name(), dt, step, partsOfStep)
		}
		if part > 1 {
			step /= float64(part)
		}
	}
	fastest = min(fastest, n.dt)
	for _, ob := range objects {
		for _, t := range ob.Base().moments {
			x := t / step
			if x > ir.FarStep || math.Abs(x-math.Round(x)) <= 1e-4 { // as near as Brian2 asks
				continue
			}
			part, ok := denominator(x)
			if !ok || fastest*float64(part)/step > partsOfStep {
				return 0, argErrorf("times", "%s: the time %g s and the steps of the network (%g s) have no common part, down to 1/%d of the smallest: choose times on one grid", ob.Base().Name(), t, step, partsOfStep)
			}
			step /= float64(part)
		}
	}
	for _, ob := range objects {
		times := ob.Base().moments
		for k := range times[:max(0, len(times)-1)] {
			if x := math.Round(times[k] / step); x == math.Round(times[k+1]/step) && x <= ir.FarStep {
				return 0, argErrorf("times", "%s: the times %g s and %g s lie in one step (%g s): it would act once", ob.Base().Name(), times[k], times[k+1], step)
			}
		}
	}
	return step, nil
}

// denominator is the least q with x*q a whole number, as far as floats tell.
func denominator(x float64) (q int64, ok bool) {
	for q = 1; q <= partsOfStep; q++ {
		p := float64(x * float64(q))
		if r := math.Round(p); r >= 1 && math.Abs(p-r) <= 1e-9*p {
			return q, true
		}
	}
	return 0, false
}

// regrid makes step the network's step: what counts steps counts the new ones. A
// network that has run is refined only.
func (n *Network) regrid(step float64) {
	old := n.StepSize
	n.StepSize = step
	for _, ob := range n.Objects {
		countIn(ob, old, step)
	}
	if n.Step == 0 {
		return
	}
	f := int64(roundHalf(old / step))
	for _, g := range n.Groups() {
		for _, e := range g.Events {
			e.refine(f, n.Step, (g.Size+31)/32)
		}
	}
	for _, s := range n.AllSynapses() {
		for _, w := range s.Paths {
			for _, l := range append(append([]*Life{}, w.past...), w.open...) {
				l.first *= f
				if l.Last != forever {
					l.Last *= f
				}
				l.longest *= int(f)
			}
		}
	}
	n.Step *= f
	n.Drawn *= f
}

// countIn turns times that an object keeps in steps of old seconds into such of step.
func countIn(ob object, old, step float64) {
	if old == step {
		return
	}
	var vars []*Variable
	switch x := ob.(type) {
	case *NeuronGroup:
		vars = x.Vars
	case *Synapses:
		vars = append(slices.Clone(x.Vars), x.Hidden...)
	}
	for _, v := range vars {
		if !v.Symbol.Steps {
			continue
		}
		turn := func(words []uint32) {
			for k, w := range words {
				words[k] = stepsWord(Value(v.Symbol, old, w), step)
			}
		}
		turn(v.Words)
		for c := range v.cols {
			if l := v.cols[c].List; l != nil && l.far != nil {
				far := *l
				far.lies, far.dt, far.far = nil, step, func(take func(int, []uint32) error) error {
					return l.far(func(k0 int, words []uint32) error {
						turn(words)
						return take(k0, words)
					})
				}
				v.cols[c].List = &far
			} else if l != nil && l.words != nil {
				turn(l.words)
				l.dt = step
			}
			if near := v.cols[c].Near; near != nil {
				turn(near.words)
			}
		}
	}
}

// refine spreads the masks of the last steps before step over f times as many.
func (e *GroupEvent) refine(f, step int64, words int) {
	if e.Hist == 0 || f == 1 {
		return
	}
	hist := int64(e.Hist) * f
	masks := make([]uint32, hist*int64(words))
	for s := max(0, step-int64(e.Hist)); s < step; s++ {
		from, to := int(s%int64(e.Hist))*words, int(s*f%hist)*words
		copy(masks[to:to+words], e.Masks[from:from+words])
	}
	e.Masks, e.Hist = masks, int(hist)
}

// checkDt refuses an interval that is no time, where one is given.
func checkDt(dt float64, what string) error {
	if dt != 0 && dt != DefaultClock && !(dt > 0 && dt/1e9 < ir.FarStep) {
		return argErrorf("dt", "%s: dt must be a positive time, got %g s", what, dt)
	}
	return nil
}
