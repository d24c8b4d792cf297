package engine

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

// NewTimedArray makes a table of rows x cols values (cols 0: one-dimensional),
// each row holding for dt seconds.
func NewTimedArray(values Array, rows, cols int, dt float64, name string) (*TimedArray, error) {
	if !(dt > 0) {
		return nil, fmt.Errorf("TimedArray: dt must be a positive time, got %g s", dt)
	}
	for k, x := range values.V {
		if !(math.Abs(x/values.Dim.Scale()) < mostShown) {
			return nil, fmt.Errorf("TimedArray: value %d is %g: a number that a variable can hold was expected", k, x)
		}
	}
	if rows < 1 || rows*max(1, cols) != len(values.V) {
		return nil, fmt.Errorf("TimedArray: %d values do not make %d rows of %d", len(values.V), rows, max(1, cols))
	}
	return &TimedArray{Name: name, Dim: values.Dim, Dt: dt, Rows: rows, Cols: max(1, cols), Values: values.V, TwoD: cols > 0}, nil
}

// PoissonOptions are the further arguments of PoissonGroup.
type PoissonOptions struct {
	Name      string
	Namespace map[string]any
	Dt        float64
	Order     int
}

// PoissonGroup adds neurons that spike at random with given rates: a Quantity,
// an Array (one rate per neuron) or an expression.
func (n *Network) PoissonGroup(N int, rates any, o PoissonOptions) (*NeuronGroup, error) {
	if _, text := rates.(string); !text {
		v, dim, err := numbers(rates)
		if err != nil {
			return nil, fmt.Errorf("PoissonGroup: rates=: %w", err)
		}
		if dim != hertz && !allZero(v) {
			return nil, fmt.Errorf("PoissonGroup: rates= needs a frequency, got the unit %v", dim)
		}
		for _, x := range v {
			if x < 0 {
				return nil, fmt.Errorf("PoissonGroup: a rate of %g Hz is negative", x)
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
	Name   string
	Period float64 // seconds; 0: none
	Dt     float64
	Order  int
}

// generator is what a SpikeGeneratorGroup emits, by step.
type generator struct {
	indices []int
	times   []float64 // seconds
	seconds float64   // the period
}

// stepped is what a generator emits, by step of the clock.
type stepped struct {
	steps  []int64
	start  []int32
	index  []uint32
	period int64
}

// SpikeGeneratorGroup adds neurons that spike at given times (seconds).
func (n *Network) SpikeGeneratorGroup(N int, indices []int, times []float64, o GeneratorOptions) (*NeuronGroup, error) {
	if err := n.sameClock(o.Dt, "SpikeGeneratorGroup"); err != nil {
		return nil, err
	}
	gen, err := n.newGenerator(N, indices, times, o.Period)
	if err != nil {
		return nil, err
	}
	g, err := n.newGroup(N, "", GroupOptions{Name: o.Name, Order: o.Order})
	if err != nil {
		return nil, err
	}
	g.generator = gen
	g.events = []*groupEvent{{name: "spike"}}
	return g, n.register(g, o.Name, "spikegeneratorgroup")
}

// SetSpikes changes what a SpikeGeneratorGroup emits from the next run on; times
// and the period (0: none) are seconds.
func (g *NeuronGroup) SetSpikes(indices []int, times []float64, period float64) error {
	gen, err := g.net.newGenerator(g.n, indices, times, period)
	if err != nil {
		return err
	}
	g.generator = gen
	return nil
}

func (n *Network) newGenerator(N int, indices []int, times []float64, period float64) (*generator, error) {
	if len(indices) != len(times) {
		return nil, fmt.Errorf("SpikeGeneratorGroup: %d indices and %d times", len(indices), len(times))
	}
	for k, t := range times {
		if indices[k] < 0 || indices[k] >= N {
			return nil, fmt.Errorf("SpikeGeneratorGroup: index %d of spike %d is out of range: the group has %d neurons", indices[k], k, N)
		}
		if t < 0 || math.IsNaN(t) || math.IsInf(t, 0) {
			return nil, fmt.Errorf("SpikeGeneratorGroup: the time %g s of spike %d is not a time", t, k)
		}
		if period != 0 && t >= period {
			return nil, fmt.Errorf("SpikeGeneratorGroup: the time %g s of spike %d is not below period=%g s", t, k, period)
		}
	}
	return &generator{indices: slices.Clone(indices), times: slices.Clone(times), seconds: period}, nil
}

// inSteps puts the spikes on the clock, which may be set after the group was made.
func (gen *generator) inSteps(name string, dt float64) (*stepped, error) {
	out := &stepped{}
	if gen.seconds != 0 {
		k := gen.seconds / dt
		if k < 1 || math.Abs(k-roundHalf(k)) > 1e-4*k {
			return nil, fmt.Errorf("%s: period=%g s is not a multiple of dt=%g s", name, gen.seconds, dt)
		}
		if k < ir.FarStep { // else no run comes round
			out.period = int64(roundHalf(k))
		}
	}
	type spike struct {
		step int64
		i    int
	}
	list := make([]spike, 0, len(gen.times))
	for k, t := range gen.times {
		if at := floorSteps(t / dt); at <= ir.FarStep { // none comes to a later one
			list = append(list, spike{int64(at), gen.indices[k]})
		}
	}
	sort.Slice(list, func(a, b int) bool {
		return list[a].step < list[b].step || list[a].step == list[b].step && list[a].i < list[b].i
	})
	for k, s := range list {
		if k > 0 && s == list[k-1] {
			return nil, fmt.Errorf("%s: neuron %d spikes more than once in the step at %g s: leave one out, or take a smaller dt", name, s.i, float64(float64(s.step)*dt))
		}
		if len(out.steps) == 0 || out.steps[len(out.steps)-1] != s.step {
			out.steps, out.start = append(out.steps, s.step), append(out.start, int32(len(out.index)))
		}
		out.index = append(out.index, uint32(s.i))
	}
	out.start = append(out.start, int32(len(out.index)))
	return out, nil
}

// PoissonInput adds independent Poisson input to one variable of a target.
type PoissonInput struct {
	Object
	target span
	v      *Variable
	n      int
	rate   float64
	weight eqn.Expr
	value  *Quantity
}

// InputOptions are the further arguments of PoissonInput.
type InputOptions struct {
	Name  string
	When  string
	Order int
}

// PoissonInput adds, in every step and for every neuron of target, weight times
// a binomial number (N, rate*dt) to a variable.
func (n *Network) PoissonInput(target Cells, targetVar string, N int, rate any, weight any, o InputOptions) (*PoissonInput, error) {
	p := &PoissonInput{target: target.span(), n: N}
	if p.v = p.target.g.lookup(targetVar); p.v == nil {
		return nil, unknown(targetVar, "variable of "+target.Name(), p.target.g.VarNames())
	}
	if p.v.sym.ReadOnly || p.v.sym.Type != eqn.Float || p.v.shared {
		return nil, fmt.Errorf("PoissonInput: %s.%s cannot receive input", target.Name(), targetVar)
	}
	if N < 0 {
		return nil, fmt.Errorf("PoissonInput: N=%d is negative", N)
	}
	q, ok := rate.(Quantity)
	if !ok || q.Dim != (eqn.Dim{eqn.Second: -120}) {
		return nil, fmt.Errorf("PoissonInput: rate= needs a frequency, got %v", rate)
	}
	if q.Value < 0 || q.Value*n.dt > 1 {
		return nil, fmt.Errorf("PoissonInput: rate*dt = %g is not a probability", float64(q.Value*n.dt))
	}
	if err := countable(N, float64(q.Value*n.dt)); err != nil {
		return nil, fmt.Errorf("PoissonInput: %w", err)
	}
	p.rate = q.Value
	switch w := weight.(type) {
	case string:
		x, err := eqn.ParseExpr(n.source(w))
		if err != nil {
			return nil, err
		}
		p.weight = x
	default:
		v, dim, err := numbers(w)
		if err != nil || len(v) != 1 {
			return nil, fmt.Errorf("PoissonInput: weight= is a quantity or an expression, not %T", w)
		}
		if dim != p.v.sym.Dim {
			return nil, fmt.Errorf("PoissonInput: weight= has the unit %v, but %s has %v", dim, targetVar, p.v.sym.Dim)
		}
		p.value = &Quantity{Value: v[0], Dim: dim}
	}
	p.when, p.order = o.When, o.Order
	if p.when == "" {
		p.when = "synapses"
	}
	return p, n.register(p, o.Name, "poissoninput")
}

// countable refuses binomial numbers whose tables would be too long for a
// program before any of them is made.
func countable(n int, p float64) error {
	if mean := float64(float64(n) * p); mean > mostParts*ir.MaxCounts || n > mostParts*1e9 {
		return fmt.Errorf("N = %d inputs that each come with probability %g in a step are %.3g events in every step; %d can be drawn: take fewer inputs, a lower rate or a smaller dt", n, p, mean, mostParts*ir.MaxCounts)
	}
	return nil
}

// mostParts is into how many parts of one table each a number of trials is cut.
const mostParts = 64
