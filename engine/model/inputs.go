package model

import (
	"fmt"
	"math"
	"slices"
	"sort"

	"synfire/engine/eqn"
	"synfire/engine/ir"
)

// TimedArray is a table of values over time, called in equations as name(t) or
// name(t, i).
type TimedArray = eqn.TimedArray

// Formula is a function that is an expression, called in equations as name(x, y).
type Formula = eqn.Formula

// NewTimedArray makes a table of rows x cols values (cols 0: one-dimensional),
// each row holding for dt seconds.
func NewTimedArray(values Array, rows, cols int, dt float64, name string) (*TimedArray, error) {
	if !(dt > 0) {
		return nil, argErrorf("dt", "TimedArray: dt must be a positive time, got %g s", dt)
	}
	for k, x := range values.V {
		if !(math.Abs(x/values.Dim.Scale()) < MostShown) {
			return nil, argErrorf("values", "TimedArray: value %d is %g: a number that a variable can hold was expected", k, x)
		}
	}
	if rows < 1 || rows*max(1, cols) != len(values.V) {
		return nil, fmt.Errorf("TimedArray: %d values do not make %d rows of %d", len(values.V), rows, max(1, cols))
	}
	return &TimedArray{Name: name, Dim: values.Dim, Dt: dt, Rows: rows, Cols: max(1, cols), Values: values.V, TwoD: cols > 0}, nil
}

// PoissonOptions are the further arguments of PoissonGroup.
type PoissonOptions struct {
	Name      string         // "": poissongroup, poissongroup_1, ...
	Namespace map[string]any // names that rates may use, before those of Options.Lookup
	Dt        float64        // seconds; 0: the default clock's, the only one there is
	Order     int            // within its slots
}

// PoissonGroup adds neurons that spike at random with given rates: a Quantity,
// an Array (one rate per neuron), in hertz, or an expression of that unit. Negative
// rates and other units are refused.
func (n *Network) PoissonGroup(N int, rates any, o PoissonOptions) (*NeuronGroup, error) {
	if _, text := rates.(string); !text {
		v, dim, err := numbers(rates)
		if err != nil {
			return nil, argErrorf("rates", "PoissonGroup: rates=: %w", err)
		}
		if dim != hertz && !allZero(v) {
			return nil, argErrorf("rates", "PoissonGroup: rates= needs a frequency, got the unit %v", dim)
		}
		for _, x := range v {
			if x < 0 {
				return nil, argErrorf("rates", "PoissonGroup: a rate of %g Hz is negative", x)
			}
		}
	}
	model := "rates : Hz"
	if text, ok := rates.(string); ok {
		model = "rates = " + text + " : Hz"
	}
	quiet := n.opt
	if quiet.Locate != nil { // the text around the expression is ours
		locate := quiet.Locate
		n.opt.Locate = func(text string) eqn.Source {
			if t, ok := rates.(string); ok && text == model {
				src := locate(t)
				src.Text = model
				src.Col = max(1, src.Col-len("rates = "))
				return src
			}
			return eqn.Source{Text: text, Line: 1, Col: 1}
		}
	}
	g := &NeuronGroup{}
	err := func() error {
		defer func() { n.opt = quiet }()
		made, err := n.newGroup(N, model, GroupOptions{Name: o.Name, Threshold: "rand() < rates*dt", Namespace: o.Namespace, Dt: o.Dt, Order: o.Order})
		g = made
		return err
	}()
	if err != nil {
		return nil, err
	}
	if _, text := rates.(string); !text {
		v, err := g.Var("rates")
		if err != nil {
			return nil, err
		}
		if err := v.Set(nil, rates); err != nil {
			return nil, err
		}
	}
	return g, n.register(g, o.Name, "poissongroup")
}

// GeneratorOptions are the further arguments of SpikeGeneratorGroup.
type GeneratorOptions struct {
	Name   string  // "": spikegeneratorgroup, ...
	Period float64 // seconds after which the spikes come again, a multiple of the step; 0: never
	Dt     float64 // seconds; 0: the default clock's
	Order  int     // in the slot thresholds
}

// generator is what a SpikeGeneratorGroup emits, by step.
type generator struct {
	indices []int
	times   []float64 // seconds
	seconds float64   // the period
}

// stepped is what a generator emits, by step of the clock.
type stepped struct {
	Steps  []int64
	Start  []int32
	Index  []uint32
	Period int64
}

// SpikeGeneratorGroup adds neurons that spike at given times (seconds): indices[k]
// at times[k], in any order. It refuses an index outside 0 to N-1, a time that is
// negative or not below the period, and lists that differ in length; Run refuses
// two spikes of a neuron in one step.
func (n *Network) SpikeGeneratorGroup(N int, indices []int, times []float64, o GeneratorOptions) (*NeuronGroup, error) {
	gen, err := n.newGenerator(N, indices, times, o.Period)
	if err != nil {
		return nil, err
	}
	g, err := n.newGroup(N, "", GroupOptions{Name: o.Name, Dt: o.Dt, Order: o.Order})
	if err != nil {
		return nil, err
	}
	g.Generator = gen
	g.Events = []*GroupEvent{{Name: "spike"}}
	return g, n.register(g, o.Name, "spikegeneratorgroup")
}

// SetSpikes changes what a SpikeGeneratorGroup emits from the next run on; times
// and the period (0: none) are seconds.
func (g *NeuronGroup) SetSpikes(indices []int, times []float64, period float64) error {
	if g.Generator == nil {
		return fmt.Errorf("%s is no SpikeGeneratorGroup: its spikes cannot be set", g.Name())
	}
	gen, err := g.Net.newGenerator(g.Size, indices, times, period)
	if err != nil {
		return err
	}
	g.Generator = gen
	if g.Net.Live != nil {
		g.Net.Live.Changed(nil)
	}
	return nil
}

func (n *Network) newGenerator(N int, indices []int, times []float64, period float64) (*generator, error) {
	if !(period >= 0) || math.IsInf(period, 0) {
		return nil, argErrorf("period", "SpikeGeneratorGroup: period=%g s is not a time", period)
	}
	if len(indices) != len(times) {
		return nil, argErrorf("times", "SpikeGeneratorGroup: %d indices and %d times", len(indices), len(times))
	}
	for k, t := range times {
		if indices[k] < 0 || indices[k] >= N {
			return nil, eqn.As(eqn.BadIndex, argErrorf("indices", "SpikeGeneratorGroup: index %d of spike %d is out of range: the group has %d neurons", indices[k], k, N))
		}
		if t < 0 || math.IsNaN(t) || math.IsInf(t, 0) {
			return nil, argErrorf("times", "SpikeGeneratorGroup: the time %g s of spike %d is not a time", t, k)
		}
		if period != 0 && t >= period {
			return nil, argErrorf("times", "SpikeGeneratorGroup: the time %g s of spike %d is not below period=%g s", t, k, period)
		}
	}
	return &generator{indices: slices.Clone(indices), times: slices.Clone(times), seconds: period}, nil
}

// InSteps puts the spikes on the clock, which may be set after the group was made:
// one that ticks every so many steps of the network.
func (gen *generator) InSteps(name string, dt float64, every int64) (*stepped, error) {
	out := &stepped{}
	if gen.seconds != 0 {
		k := gen.seconds / dt
		if k < 1 || math.Abs(k-roundHalf(k)) > 1e-4*k {
			return nil, fmt.Errorf("%s: period=%g s is not a multiple of dt=%g s", name, gen.seconds, dt)
		}
		if k*float64(every) < ir.FarStep { // else no run comes round
			out.Period = int64(roundHalf(k)) * every
		}
	}
	type spike struct {
		step int64
		i    int
	}
	list := make([]spike, 0, len(gen.times))
	for k, t := range gen.times {
		if at := floorSteps(t / dt); at*float64(every) <= ir.FarStep { // none comes to a later one
			list = append(list, spike{int64(at) * every, gen.indices[k]})
		}
	}
	sort.Slice(list, func(a, b int) bool {
		return list[a].step < list[b].step || list[a].step == list[b].step && list[a].i < list[b].i
	})
	for k, s := range list {
		if k > 0 && s == list[k-1] {
			return nil, eqn.As(eqn.Unsupported, fmt.Errorf("%s: neuron %d spikes more than once in the step at %g s: leave one out, or take a smaller dt", name, s.i, float64(float64(s.step/every)*dt)))
		}
		if len(out.Steps) == 0 || out.Steps[len(out.Steps)-1] != s.step {
			out.Steps, out.Start = append(out.Steps, s.step), append(out.Start, int32(len(out.Index)))
		}
		out.Index = append(out.Index, uint32(s.i))
	}
	out.Start = append(out.Start, int32(len(out.Index)))
	return out, nil
}

// PoissonInput adds independent Poisson input to one variable of a target.
type PoissonInput struct {
	Object
	Target Span      // the neurons that receive it
	Var    *Variable // of the target
	Trials int       // inputs of each neuron
	Rate   float64   // of each of them, Hz
	Weight eqn.Expr  // what each adds; nil where it is Value
	Value  *Quantity // the weight, where it is a quantity
}

// InputOptions are the further arguments of PoissonInput.
type InputOptions struct {
	Name  string // "": poissoninput, ...
	When  string // slot; "": synapses
	Order int    // in the slot: inputs come between pre pathways (-1) and post pathways (1)
}

// PoissonInput adds, in every step and for every neuron of target, weight times
// a binomial number (N, rate*dt) to a variable. rate is a Quantity in hertz; weight
// is a Quantity with the variable's unit, or an expression of one. It refuses a
// rate that is negative, other units, and a variable that target does not have;
// Run refuses more events in a step than can be drawn.
func (n *Network) PoissonInput(target Cells, targetVar string, N int, rate any, weight any, o InputOptions) (*PoissonInput, error) {
	if err := notNil("PoissonInput: target", target); err != nil {
		return nil, err
	}
	p := &PoissonInput{Target: target.Span(), Trials: N}
	if p.Var = p.Target.Group.lookup(targetVar); p.Var == nil {
		return nil, &ArgError{"target_var", unknown(targetVar, "variable of "+target.Name(), p.Target.Group.VarNames())}
	}
	if p.Var.Symbol.ReadOnly || p.Var.Symbol.Type != eqn.Float || p.Var.Shared {
		return nil, argErrorf("target_var", "PoissonInput: %s.%s cannot receive input", target.Name(), targetVar)
	}
	if N < 0 {
		return nil, argErrorf("N", "PoissonInput: N=%d is negative", N)
	}
	q, ok := rate.(Quantity)
	if !ok || q.Dim != (eqn.Dim{eqn.Second: -120}) {
		return nil, argErrorf("rate", "PoissonInput: rate= needs a frequency, got %v", rate)
	}
	p.Rate = q.Value
	if err := p.countable(); err != nil {
		return nil, err
	}
	switch w := weight.(type) {
	case string:
		x, err := eqn.ParseExpr(n.source(w))
		if err != nil {
			return nil, err
		}
		p.Weight = x
	default:
		v, dim, err := numbers(w)
		if err != nil || len(v) != 1 {
			return nil, argErrorf("weight", "PoissonInput: weight= is a quantity or an expression, not %T", w)
		}
		if dim != p.Var.Symbol.Dim {
			return nil, argErrorf("weight", "PoissonInput: weight= has the unit %v, but %s has %v", dim, targetVar, p.Var.Symbol.Dim)
		}
		p.Value = &Quantity{Value: v[0], Dim: dim}
	}
	if err := p.place(o.When, "synapses", o.Order); err != nil {
		return nil, err
	}
	p.of = &p.Target.Group.Object
	return p, n.register(p, o.Name, "poissoninput")
}

func (p *PoissonInput) check() error { return p.countable() }

// countable refuses inputs whose number in a step cannot be drawn.
func (p *PoissonInput) countable() error {
	dt := p.Target.Group.Dt()
	mean := float64(p.Rate * dt)
	if !(mean >= 0 && mean <= 1) {
		return argErrorf("rate", "PoissonInput: rate*dt = %g is not a probability: the rate is %g Hz, the step of the clock %g s", mean, p.Rate, dt)
	}
	if err := Countable(p.Trials, mean); err != nil {
		return argErrorf("N", "PoissonInput: %w", err)
	}
	return nil
}

// Countable refuses binomial numbers whose tables would be too long for a
// program before any of them is made.
func Countable(n int, p float64) error {
	if mean := float64(float64(n) * p); mean > MostParts*ir.MaxCounts || n > MostParts*1e9 {
		return fmt.Errorf("N = %d inputs that each come with probability %g in a step are %.3g events in every step; %d can be drawn: take fewer inputs, a lower rate or a smaller dt", n, p, mean, MostParts*ir.MaxCounts)
	}
	return nil
}

// MostParts is into how many parts of one table each a number of trials is cut.
const MostParts = eqn.MostParts
