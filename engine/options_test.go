package engine_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"synfire/engine"
	"synfire/engine/eqn"
	"synfire/engine/host/hosttest"
	"synfire/kernels/ref"
)

// trial is a network under construction: the first error ends it.
type trial struct {
	n   *engine.Network
	err error
	out strings.Builder // what shows that an option has done something
}

func of[T any](t *trial, v T, err error) T {
	t.keep(err)
	return v
}

func (t *trial) keep(err error) {
	if t.err == nil {
		t.err = err
	}
}

func (t *trial) see(a ...any) { fmt.Fprintln(&t.out, a...) }

// group is two neurons whose v grows by one in each step.
func (t *trial) group(o engine.GroupOptions) *engine.NeuronGroup {
	g := of(t, (*engine.NeuronGroup)(nil), nil)
	if t.err == nil {
		v, err := t.n.NeuronGroup(2, "dv/dt = 10/ms : 1\nw : 1", o)
		g = of(t, v, err)
	}
	return g
}

func (t *trial) firing() *engine.NeuronGroup {
	return t.group(engine.GroupOptions{Threshold: "v > 3", Reset: "v = 0", Events: map[string]string{"hot": "v > 2"}})
}

func (t *trial) run(o engine.RunOptions) *engine.RunResult {
	if t.err != nil {
		return nil
	}
	if o.Backend == nil {
		o.Backend = ref.New()
	}
	r, err := t.n.Run(context.Background(), 1e-3, o)
	return of(t, r, err)
}

// value runs the network and shows a variable.
func (t *trial) value(g *engine.NeuronGroup, name string) {
	t.run(engine.RunOptions{})
	if t.err != nil {
		return
	}
	v, err := g.Var(name)
	if t.keep(err); t.err != nil {
		return
	}
	a, err := v.Get(nil)
	t.keep(err)
	t.see(a.V)
}

// columns runs the network and shows what a monitor has recorded.
func (t *trial) columns(m engine.Monitor, err error) {
	t.keep(err)
	t.run(engine.RunOptions{})
	if t.err != nil {
		return
	}
	t.see(m.Name(), m.Len())
	for _, c := range m.Columns() {
		v, err := c.Floats()
		t.keep(err)
		t.see(c.Name, v)
	}
}

// stored is the state of a network such as t's after three steps.
func (t *trial) stored() *engine.Snapshot {
	o := &trial{n: engine.NewNetwork(engine.Options{})}
	o.firing()
	o.run(engine.RunOptions{MaxSteps: 3})
	s, err := o.n.Store()
	t.keep(err)
	t.keep(o.err)
	return s
}

// checkpoints runs with a function to take them, or without.
func (t *trial) checkpoints(every time.Duration, taken bool) {
	t.firing()
	_, err := t.n.NetworkOperation(func(float64) error { return nil }, engine.OperationOptions{})
	t.keep(err)
	o := engine.RunOptions{Every: every}
	if taken {
		o.Checkpoint = func(*engine.Snapshot) error { t.see("checkpoint"); return nil }
	}
	t.run(o)
}

func (t *trial) regularly(g *engine.NeuronGroup, code string, o engine.RegularOptions) {
	if t.err == nil {
		_, err := g.RunRegularly(code, o)
		t.keep(err)
	}
}

// synapses shows the target's w after a run.
func (t *trial) synapses(o engine.SynapsesOptions) {
	g := t.firing()
	if t.err != nil {
		return
	}
	s, err := t.n.Synapses(g, g, o)
	if t.keep(err); t.err == nil {
		t.see(s.Name(), s.VarNames())
		t.keep(s.Connect(engine.ConnectOptions{}))
		t.value(g, "w")
	}
}

// connect shows the synapses that a call makes.
func (t *trial) connect(o engine.ConnectOptions) {
	g, err := t.n.NeuronGroup(4, "v : 1", engine.GroupOptions{})
	t.keep(err)
	s, err := t.n.Synapses(g, g, engine.SynapsesOptions{})
	t.keep(err)
	if t.err == nil {
		t.keep(s.Connect(o))
	}
	for _, name := range []string{"i", "j"} {
		if t.err == nil {
			v, _ := s.Var(name)
			a, err := v.Get(nil)
			t.keep(err)
			t.see(a.V)
		}
	}
}

func given[T any](with bool, v T) (r T) {
	if with {
		r = v
	}
	return r
}

var no = false

// options has for each field what gives it, and the refusal ("": the result is
// another than without). A second row of a field has a number behind it.
var options = map[string]struct {
	try     func(t *trial, with bool)
	refusal string
}{
	"GroupOptions.Name": {func(t *trial, with bool) {
		t.see(t.group(engine.GroupOptions{Name: given(with, "abc")}).Name())
	}, ""},
	"GroupOptions.Threshold": {func(t *trial, with bool) {
		g := t.group(engine.GroupOptions{Threshold: given(with, "v > 3"), Events: map[string]string{"hot": "v > 2"}})
		t.see(g.Event("spike") != nil)
	}, ""},
	"GroupOptions.Reset": {func(t *trial, with bool) {
		t.value(t.group(engine.GroupOptions{Threshold: "v > 3", Reset: given(with, "v = 0")}), "v")
	}, ""},
	"GroupOptions.Reset 2": {func(t *trial, with bool) { t.group(engine.GroupOptions{Reset: given(with, "v = 0")}) }, "needs a threshold"},
	"GroupOptions.Refractory": {func(t *trial, with bool) {
		g := t.group(engine.GroupOptions{Threshold: "v > 3", Refractory: given[any](with, engine.Q("0.3*ms"))})
		m, err := t.n.SpikeMonitor(g, engine.SpikeMonitorOptions{})
		t.columns(m, err)
	}, ""},
	"GroupOptions.Method": {func(t *trial, with bool) { t.group(engine.GroupOptions{Method: given(with, "eular")}) }, "did you mean 'euler'?"},
	"GroupOptions.Method 2": {func(t *trial, with bool) {
		g, err := t.n.NeuronGroup(1, "dv/dt = (1 - v)/ms : 1", engine.GroupOptions{Method: given(with, "euler")})
		t.keep(err)
		t.value(g, "v")
	}, ""},
	"GroupOptions.Substeps": {func(t *trial, with bool) {
		g, err := t.n.NeuronGroup(1, "dv/dt = (1 - v**2)/ms : 1", engine.GroupOptions{Method: "rk2", Substeps: given(with, 3)})
		t.keep(err)
		t.value(g, "v")
	}, ""},
	"GroupOptions.Longest": {func(t *trial, with bool) {
		g, err := t.n.NeuronGroup(1, "dv/dt = (1 - v**2)/ms : 1", engine.GroupOptions{Method: "rk2", Longest: given(with, 3e-5)})
		t.keep(err)
		t.value(g, "v")
	}, ""},
	"GroupOptions.Longest 2":  {func(t *trial, with bool) { t.group(engine.GroupOptions{Method: "euler", Longest: given(with, 3e-5)}) }, "substeps are those of"},
	"GroupOptions.Slow":       {func(t *trial, with bool) { t.group(engine.GroupOptions{Slow: given(with, 2.0)}) }, "between 0 and 1"},
	"GroupOptions.Substeps 2": {func(t *trial, with bool) { t.group(engine.GroupOptions{Method: "euler", Substeps: given(with, 3)}) }, "substeps are those of"},
	"GroupOptions.Events": {func(t *trial, with bool) {
		t.see(t.group(engine.GroupOptions{Events: given(with, map[string]string{"e": "v > 1"})}).Event("e") != nil)
	}, ""},
	"GroupOptions.Events 2": {func(t *trial, with bool) {
		t.group(engine.GroupOptions{Events: given(with, map[string]string{"a b": "v > 1"})})
	}, "cannot name an event"},
	"GroupOptions.Namespace": {func(t *trial, with bool) {
		c := 1.0
		if with {
			c = 2
		}
		g, err := t.n.NeuronGroup(1, "dv/dt = c/ms : 1", engine.GroupOptions{Namespace: map[string]any{"c": c}})
		t.keep(err)
		t.value(g, "v")
	}, ""},
	"GroupOptions.Dt": {func(t *trial, with bool) { t.value(t.group(engine.GroupOptions{Dt: given(with, 3e-4)}), "v") }, ""},
	"GroupOptions.Dt 2": {func(t *trial, with bool) {
		g := t.group(engine.GroupOptions{Dt: given(with, 1e-4)})
		t.keep(t.n.SetDt(1e-3))
		t.see(g.Dt(), t.n.StepSize)
	}, ""},
	"GroupOptions.Order": {func(t *trial, with bool) {
		g := t.group(engine.GroupOptions{Order: given(with, -1)})
		t.regularly(g, "v = 0", engine.RegularOptions{When: "groups"})
		t.value(g, "v")
	}, ""},

	"RegularOptions.Name": {func(t *trial, with bool) {
		g := t.firing()
		t.regularly(g, "w = 1", engine.RegularOptions{Name: "abc"})
		t.regularly(g, "w = 1", engine.RegularOptions{Name: given(with, "abc")})
	}, "exists already"},
	"RegularOptions.Dt": {func(t *trial, with bool) {
		g := t.firing()
		t.regularly(g, "w += 1", engine.RegularOptions{Dt: given(with, 2e-4)})
		t.value(g, "w")
	}, ""},
	"RegularOptions.Dt 2": {func(t *trial, with bool) {
		t.regularly(t.firing(), "w += 1", engine.RegularOptions{Dt: given(with, -1e-4)})
	}, "positive time"},
	"RegularOptions.Times": {func(t *trial, with bool) {
		g, o := t.firing(), engine.RegularOptions{}
		if with {
			o.Times = []float64{2e-4, 5e-4}
		}
		t.regularly(g, "w += 1", o)
		t.value(g, "w")
	}, ""},
	"RegularOptions.When": {func(t *trial, with bool) {
		g := t.firing()
		t.regularly(g, "v = 9", engine.RegularOptions{When: given(with, "end")})
		t.value(g, "v")
	}, ""},
	"RegularOptions.When 2": {func(t *trial, with bool) {
		t.regularly(t.firing(), "v = 9", engine.RegularOptions{When: given(with, "ends")})
	}, "did you mean 'end'?"},
	"RegularOptions.Order": {func(t *trial, with bool) {
		g := t.firing()
		t.regularly(g, "v = 8", engine.RegularOptions{When: "end"})
		t.regularly(g, "v = 9", engine.RegularOptions{When: "end", Order: given(with, -1)})
		t.value(g, "v")
	}, ""},

	"Schedule.When": {func(t *trial, with bool) {
		g := t.firing()
		t.keep(g.RunOnEvent("hot", "v = 0", engine.Schedule{When: given(with, "before_groups")}))
		t.value(g, "v")
	}, ""},
	"Schedule.When 2": {func(t *trial, with bool) {
		t.keep(t.firing().RunOnEvent("hot", "v = 0", engine.Schedule{When: given(with, "befor_groups")}))
	}, "did you mean 'before_groups'?"},
	"Schedule.Order": {func(t *trial, with bool) {
		g, one := t.firing(), 1
		t.keep(g.RunOnEvent("hot", "w = 7", engine.Schedule{When: "end", Order: given(with, &one)}))
		t.regularly(g, "w = 2*w + 1", engine.RegularOptions{When: "end", Name: "z"})
		t.value(g, "w")
	}, ""},

	"SynapsesOptions.Name":  {func(t *trial, with bool) { t.synapses(engine.SynapsesOptions{Name: given(with, "abc")}) }, ""},
	"SynapsesOptions.Model": {func(t *trial, with bool) { t.synapses(engine.SynapsesOptions{Model: given(with, "q : 1")}) }, ""},
	"SynapsesOptions.Substeps": {func(t *trial, with bool) {
		t.synapses(engine.SynapsesOptions{Method: "euler", Substeps: given(with, 3)})
	}, "substeps are those of"},
	"SynapsesOptions.Method":   {func(t *trial, with bool) { t.synapses(engine.SynapsesOptions{Method: given(with, "no_such_method")}) }, "is not a method of integration"},
	"SynapsesOptions.Method 2": {func(t *trial, with bool) { t.synapses(engine.SynapsesOptions{Method: given(with, "euler")}) }, "warning: Synapses: method=\"euler\" has no effect"},
	"SynapsesOptions.OnPre":    {func(t *trial, with bool) { t.synapses(engine.SynapsesOptions{OnPre: given(with, pre("w += 1"))}) }, ""},
	"SynapsesOptions.When": {func(t *trial, with bool) {
		t.synapses(engine.SynapsesOptions{OnPre: pre("w += 1"), When: given(with, "nonsense")})
	}, "is not a slot"},
	"SynapsesOptions.OnPost": {func(t *trial, with bool) { t.synapses(engine.SynapsesOptions{OnPost: given(with, pre("w += 1"))}) }, ""},
	"SynapsesOptions.OnEvent": {func(t *trial, with bool) {
		t.synapses(engine.SynapsesOptions{OnPre: pre("w += 1"), OnEvent: given(with, map[string]string{"pre": "hot"})})
	}, ""},
	"SynapsesOptions.OnEvent 2": {func(t *trial, with bool) {
		t.synapses(engine.SynapsesOptions{OnPre: pre("w += 1"), OnEvent: given(with, map[string]string{"prr": "hot"})})
	}, "did you mean 'pre'?"},
	"SynapsesOptions.OnEvent 3": {func(t *trial, with bool) {
		t.synapses(engine.SynapsesOptions{OnPre: pre("w += 1"), OnEvent: given(with, map[string]string{"pre": "hott"})})
	}, "did you mean 'hot'?"},
	"SynapsesOptions.Delay": {func(t *trial, with bool) {
		t.synapses(engine.SynapsesOptions{OnPre: pre("w += 1"), Delay: given[any](with, engine.Q("0.5*ms"))})
	}, ""},
	"SynapsesOptions.Delay 2": {func(t *trial, with bool) {
		t.synapses(engine.SynapsesOptions{Delay: given[any](with, engine.Q("0.5*ms"))})
	}, "there is no pathway"},
	"SynapsesOptions.Delays": {func(t *trial, with bool) {
		t.synapses(engine.SynapsesOptions{OnPre: pre("w += 1"), Delays: given(with, map[string]any{"pre": engine.Q("0.5*ms")})})
	}, ""},
	"SynapsesOptions.Delays 2": {func(t *trial, with bool) {
		t.synapses(engine.SynapsesOptions{OnPre: pre("w += 1"), Delays: given(with, map[string]any{"prr": engine.Q("0.5*ms")})})
	}, "did you mean 'pre'?"},
	"SynapsesOptions.Delays 3": {func(t *trial, with bool) {
		t.synapses(engine.SynapsesOptions{OnPre: pre("w += 1"), Delay: engine.Q("1*ms"), Delays: given(with, map[string]any{"pre": engine.Q("0.5*ms")})})
	}, "given twice"},
	"SynapsesOptions.Namespace": {func(t *trial, with bool) {
		c := 1.0
		if with {
			c = 2
		}
		t.synapses(engine.SynapsesOptions{OnPre: pre("w += c"), Namespace: map[string]any{"c": c}})
	}, ""},
	"SynapsesOptions.Dt": {func(t *trial, with bool) {
		t.synapses(engine.SynapsesOptions{OnPre: pre("w += dt/ms"), Dt: given(with, 2e-4)})
	}, ""},
	"SynapsesOptions.Order":           {func(t *trial, with bool) { t.synapses(engine.SynapsesOptions{Order: given(with, 2)}) }, "warning: Synapses: order=2 has no effect"},
	"SynapsesOptions.Multisynaptic":   {func(t *trial, with bool) { t.synapses(engine.SynapsesOptions{Multisynaptic: given(with, "k")}) }, ""},
	"SynapsesOptions.Multisynaptic 2": {func(t *trial, with bool) { t.synapses(engine.SynapsesOptions{Multisynaptic: given(with, "a b")}) }, "cannot name a variable"},
	"Pathway.Name": {func(t *trial, with bool) {
		name := "b"
		if with {
			name = "a b"
		}
		t.synapses(engine.SynapsesOptions{OnPre: []engine.Pathway{{Name: name, Code: "w += 1"}}})
	}, "cannot name a pathway"},
	"Pathway.Name 2": {func(t *trial, with bool) {
		t.synapses(engine.SynapsesOptions{OnPre: pre("w += 1"), OnPost: given(with, pre("w += 1"))})
	}, "two pathways"},
	"Pathway.Code": {func(t *trial, with bool) { t.synapses(engine.SynapsesOptions{OnPre: pre(given(with, "w += 1"))}) }, ""},

	"ConnectOptions.Condition": {func(t *trial, with bool) { t.connect(engine.ConnectOptions{Condition: given(with, "i != j")}) }, ""},
	"ConnectOptions.P":         {func(t *trial, with bool) { t.connect(engine.ConnectOptions{P: given[any](with, 0.3)}) }, ""},
	"ConnectOptions.P 2": {func(t *trial, with bool) {
		t.connect(engine.ConnectOptions{I: []int{1}, J: []int{2}, P: given[any](with, 0.3)})
	}, "not available"},
	"ConnectOptions.N":    {func(t *trial, with bool) { t.connect(engine.ConnectOptions{N: given[any](with, 2)}) }, ""},
	"ConnectOptions.I":    {func(t *trial, with bool) { t.connect(engine.ConnectOptions{I: given[any](with, []int{1})}) }, ""},
	"ConnectOptions.J":    {func(t *trial, with bool) { t.connect(engine.ConnectOptions{J: given[any](with, "i")}) }, ""},
	"ConnectOptions.Rule": {func(t *trial, with bool) { t.connect(engine.ConnectOptions{Rule: given(with, "one_to_one")}) }, ""},
	"ConnectOptions.RuleN": {func(t *trial, with bool) {
		t.connect(engine.ConnectOptions{Rule: "fixed_indegree", RuleN: given(with, 2)})
	}, ""},
	"ConnectOptions.RuleN 2": {func(t *trial, with bool) { t.connect(engine.ConnectOptions{RuleN: given(with, 2)}) }, "go with rule="},
	"ConnectOptions.RuleN 3": {func(t *trial, with bool) { t.connect(engine.ConnectOptions{Rule: "all_to_all", RuleN: given(with, 2)}) }, "takes no number"},
	"ConnectOptions.Autapses": {func(t *trial, with bool) {
		t.connect(engine.ConnectOptions{Rule: "all_to_all", Autapses: given(with, &no)})
	}, ""},
	"ConnectOptions.Autapses 2": {func(t *trial, with bool) { t.connect(engine.ConnectOptions{Autapses: given(with, &no)}) }, "goes with rule="},
	"ConnectOptions.Multapses": {func(t *trial, with bool) {
		t.connect(engine.ConnectOptions{Rule: "fixed_indegree", RuleN: 4, Multapses: given(with, &no)})
	}, ""},
	"ConnectOptions.Multapses 2":   {func(t *trial, with bool) { t.connect(engine.ConnectOptions{Multapses: given(with, &no)}) }, "goes with rule="},
	"ConnectOptions.SkipIfInvalid": {func(t *trial, with bool) { t.connect(engine.ConnectOptions{Rule: "all_to_all", SkipIfInvalid: with}) }, "goes with i= and j="},
	"ConnectOptions.SkipIfInvalid 2": {func(t *trial, with bool) {
		t.connect(engine.ConnectOptions{I: []int{1, 9}, J: []int{1, 1}, SkipIfInvalid: !with})
	}, "out of range"},
	"ConnectOptions.Work": {func(t *trial, with bool) {
		ctx, stop := context.WithCancel(context.Background())
		stop()
		t.connect(engine.ConnectOptions{J: "k for k in range(N_post)", Work: given(with, engine.Work{Ctx: ctx})})
	}, "interrupted"},

	"InputOptions.Name":    {func(t *trial, with bool) { t.input(engine.InputOptions{Name: given(with, "abc")}) }, ""},
	"InputOptions.When":    {func(t *trial, with bool) { t.input(engine.InputOptions{When: given(with, "after_end")}) }, ""},
	"InputOptions.When 2":  {func(t *trial, with bool) { t.input(engine.InputOptions{When: given(with, "synapse")}) }, "did you mean 'synapses'?"},
	"InputOptions.Order":   {func(t *trial, with bool) { t.input(engine.InputOptions{Order: given(with, -1)}) }, ""},
	"PoissonOptions.Name":  {func(t *trial, with bool) { t.poisson("rates", engine.PoissonOptions{Name: given(with, "abc")}) }, ""},
	"PoissonOptions.Order": {func(t *trial, with bool) { t.poisson("rates", engine.PoissonOptions{Order: given(with, -1)}) }, ""},
	"PoissonOptions.Dt": {func(t *trial, with bool) {
		g, err := t.n.PoissonGroup(1, engine.Q("5*kHz"), engine.PoissonOptions{Dt: given(with, 2e-4)})
		if t.keep(err); err == nil {
			m, err := t.n.SpikeMonitor(g, engine.SpikeMonitorOptions{})
			t.columns(m, err)
		}
	}, ""},
	"PoissonOptions.Namespace": {func(t *trial, with bool) {
		r := engine.Q("0*Hz")
		if with {
			r = engine.Q("10*kHz")
		}
		t.poisson("", engine.PoissonOptions{Namespace: map[string]any{"r": r}})
	}, ""},
	"GeneratorOptions.Name":     {func(t *trial, with bool) { t.generator(engine.GeneratorOptions{Name: given(with, "abc")}, "") }, ""},
	"GeneratorOptions.Period":   {func(t *trial, with bool) { t.generator(engine.GeneratorOptions{Period: given(with, 3e-4)}, "") }, ""},
	"GeneratorOptions.Period 2": {func(t *trial, with bool) { t.generator(engine.GeneratorOptions{Period: given(with, -3e-4)}, "") }, "is not a time"},
	"GeneratorOptions.Dt":       {func(t *trial, with bool) { t.generator(engine.GeneratorOptions{Dt: given(with, 2e-4)}, "") }, ""},
	"GeneratorOptions.Order":    {func(t *trial, with bool) { t.generator(engine.GeneratorOptions{Order: given(with, 1)}, "thresholds") }, "lies before the events"},

	"SpikeMonitorOptions.Name":      {func(t *trial, with bool) { t.spikes(engine.SpikeMonitorOptions{Name: given(with, "abc")}) }, ""},
	"SpikeMonitorOptions.CountOnly": {func(t *trial, with bool) { t.spikes(engine.SpikeMonitorOptions{CountOnly: with}) }, ""},
	"SpikeMonitorOptions.Variables": {func(t *trial, with bool) { t.spikes(engine.SpikeMonitorOptions{Variables: given(with, []string{"v"})}) }, ""},
	"SpikeMonitorOptions.Variables 2": {func(t *trial, with bool) {
		t.spikes(engine.SpikeMonitorOptions{Variables: given(with, []string{"vv"})})
	}, "did you mean 'v'?"},
	"SpikeMonitorOptions.When": {func(t *trial, with bool) {
		t.spikes(engine.SpikeMonitorOptions{Variables: []string{"v"}, When: given(with, "end")})
	}, ""},
	"SpikeMonitorOptions.When 2": {func(t *trial, with bool) { t.spikes(engine.SpikeMonitorOptions{When: given(with, "nonsense")}) }, "is not a slot"},
	"SpikeMonitorOptions.When 3": {func(t *trial, with bool) { t.spikes(engine.SpikeMonitorOptions{When: given(with, "start")}) }, "lies before the events"},
	"SpikeMonitorOptions.Order": {func(t *trial, with bool) {
		t.spikes(engine.SpikeMonitorOptions{Variables: []string{"w"}, When: "end", Order: given(with, -1)})
	}, ""},
	"SpikeMonitorOptions.Order 2": {func(t *trial, with bool) { t.spikes(engine.SpikeMonitorOptions{Order: given(with, 1)}) }, "goes with when="},

	"StateMonitorOptions.Name":      {func(t *trial, with bool) { t.states(engine.StateMonitorOptions{Name: given(with, "abc")}) }, ""},
	"StateMonitorOptions.Variables": {func(t *trial, with bool) { t.states(engine.StateMonitorOptions{Variables: given(with, []string{"v"})}) }, ""},
	"StateMonitorOptions.Record":    {func(t *trial, with bool) { t.states(engine.StateMonitorOptions{Record: given[any](with, 1)}) }, ""},
	"StateMonitorOptions.Record 2":  {func(t *trial, with bool) { t.states(engine.StateMonitorOptions{Record: given[any](with, 7)}) }, "index 7 is outside"},
	"StateMonitorOptions.Dt":        {func(t *trial, with bool) { t.states(engine.StateMonitorOptions{Dt: given(with, 2e-4)}) }, ""},
	"StateMonitorOptions.Dt 2":      {func(t *trial, with bool) { t.states(engine.StateMonitorOptions{Dt: given(with, -1.0)}) }, "positive time"},
	"StateMonitorOptions.Times": {func(t *trial, with bool) {
		o := engine.StateMonitorOptions{}
		if with {
			o.Times = []float64{2e-4, 5e-4}
		}
		t.states(o)
	}, ""},
	"StateMonitorOptions.When":   {func(t *trial, with bool) { t.states(engine.StateMonitorOptions{When: given(with, "end")}) }, ""},
	"StateMonitorOptions.When 2": {func(t *trial, with bool) { t.states(engine.StateMonitorOptions{When: given(with, "ends")}) }, "did you mean 'end'?"},
	"StateMonitorOptions.Order":  {func(t *trial, with bool) { t.states(engine.StateMonitorOptions{Order: given(with, -1)}) }, ""},
	"RateMonitorOptions.Name": {func(t *trial, with bool) {
		m, err := t.n.PopulationRateMonitor(t.firing(), engine.RateMonitorOptions{Name: given(with, "abc")})
		t.columns(m, err)
	}, ""},

	"RunOptions.Backend": {func(t *trial, with bool) {
		o := engine.RunOptions{Backend: ref.New()}
		if with {
			o.Backend = nil
		}
		t.firing()
		_, err := t.n.Run(context.Background(), 1e-3, o)
		t.keep(err)
	}, "RunOptions.Backend is nil"},
	"RunOptions.Threads": {func(t *trial, with bool) { t.firing(); t.run(engine.RunOptions{Threads: given(with, -1)}) }, "RunOptions.Threads = -1"},
	"RunOptions.Ranks": {func(t *trial, with bool) {
		world := hosttest.New(1)
		g := t.firing()
		s, err := t.n.Synapses(g, g, engine.SynapsesOptions{OnPre: pre("v += 1")})
		if t.keep(err); err == nil {
			t.keep(s.Connect(engine.ConnectOptions{}))
		}
		t.run(engine.RunOptions{Ranks: given(with, world.Rank(0))})
		t.see(world.Words() > 0)
	}, ""},
	"RunOptions.MaxSteps": {func(t *trial, with bool) {
		t.firing()
		t.see(t.run(engine.RunOptions{MaxSteps: given(with, int64(3))}).Steps)
	}, ""},
	"RunOptions.MaxSteps 2": {func(t *trial, with bool) { t.firing(); t.run(engine.RunOptions{MaxSteps: given(with, int64(-3))}) }, "RunOptions.MaxSteps = -3"},
	"RunOptions.Progress": {func(t *trial, with bool) {
		t.firing()
		t.run(engine.RunOptions{Progress: given(with, func(done, total int64) { t.see(done, total) })})
	}, ""},
	"RunOptions.Resume": {func(t *trial, with bool) {
		t.firing()
		t.run(engine.RunOptions{Resume: given(with, t.stored()), Progress: func(_, total int64) { t.see(total) }})
	}, ""},
	"RunOptions.Resume 2": {func(t *trial, with bool) {
		t.firing()
		t.run(engine.RunOptions{MaxSteps: 2, Resume: given(with, t.stored())})
	}, "of step 3, which is not in this run"},
	"RunOptions.Finished": {func(t *trial, with bool) {
		t.firing()
		t.see(t.run(engine.RunOptions{Resume: t.stored(), Finished: given(with, true)}).Steps)
	}, ""},
	"RunOptions.Finished 2": {func(t *trial, with bool) { t.firing(); t.run(engine.RunOptions{Finished: given(with, true)}) }, "RunOptions.Finished is of Resume"},
	"RunOptions.Every":      {func(t *trial, with bool) { t.checkpoints(given(with, time.Nanosecond), true) }, ""},
	"RunOptions.Every 2":    {func(t *trial, with bool) { t.checkpoints(given(with, -time.Second), true) }, "RunOptions.Every = -1s"},
	"RunOptions.Checkpoint": {func(t *trial, with bool) { t.checkpoints(time.Nanosecond, !with) }, "RunOptions.Checkpoint is nil"},
	"RunOptions.Records": {func(t *trial, with bool) {
		t.spikes(engine.SpikeMonitorOptions{})
		t.run(engine.RunOptions{Records: given[engine.Recorder](with, full{})})
	}, "the disk is full"},

	"RunOptions.Stages": {func(t *trial, with bool) {
		t.firing()
		r := t.run(engine.RunOptions{Stages: with})
		t.see(r != nil && len(r.Stages) > 0)
	}, ""},
	"Options.Pool": {func(t *trial, with bool) {
		p := engine.Pools(1)[0]
		defer p.End()
		t.n = engine.NewNetwork(engine.Options{Pool: given(with, p)})
		t.see(t.n.Pool() != nil)
	}, ""},
	"Options.Seed": {func(t *trial, with bool) {
		t.n = engine.NewNetwork(engine.Options{Seed: given(with, uint64(5))})
		t.connect(engine.ConnectOptions{P: 0.5})
	}, ""},
	"Options.Dt": {func(t *trial, with bool) {
		t.n = engine.NewNetwork(engine.Options{Dt: given(with, 2e-4)})
		t.see(t.n.Dt())
	}, ""},
	"Options.Dt 2": {func(t *trial, with bool) {
		t.n = engine.NewNetwork(engine.Options{Dt: given(with, -1e-4)})
		t.value(t.firing(), "v")
	}, "Options.Dt = -0.0001 s"},
	"Options.Lookup": {func(t *trial, with bool) {
		c := given(!with, 7.0)
		t.n = engine.NewNetwork(engine.Options{Lookup: func(string) (any, bool) { return c, true }})
		g, err := t.n.NeuronGroup(1, "dv/dt = c/ms : 1", engine.GroupOptions{})
		t.keep(err)
		t.value(g, "v")
	}, ""},
	"Options.Names": {func(t *trial, with bool) {
		c := "xyz"
		if with {
			c = "taum"
		}
		t.n = engine.NewNetwork(engine.Options{Lookup: func(string) (any, bool) { return nil, false }, Names: func() []string { return []string{c} }})
		g, _ := t.n.NeuronGroup(1, "dv/dt = 1/taumm : 1", engine.GroupOptions{})
		t.value(g, "v")
		t.see(t.err)
		t.err = nil
	}, ""},
	"Options.Locate": {func(t *trial, with bool) {
		t.n = engine.NewNetwork(engine.Options{Locate: given(with, func(s string) eqn.Source { return eqn.Source{File: "f", Text: s, Line: 7, Col: 1} })})
		_, err := t.n.NeuronGroup(1, "v = : 1", engine.GroupOptions{})
		t.see(err)
	}, ""},
	"Options.Warn": {func(t *trial, with bool) {
		t.n = engine.NewNetwork(engine.Options{Warn: given(with, func(s string) { t.see(s) })})
		t.synapses(engine.SynapsesOptions{Order: 3})
	}, ""},
}

func pre(code string) []engine.Pathway { return []engine.Pathway{{Name: "pre", Code: code}} }

func (t *trial) input(o engine.InputOptions) {
	g := t.firing()
	p, err := t.n.PoissonInput(g, "w", 1, engine.Q("10*kHz"), 1.0, o)
	if t.keep(err); t.err == nil {
		t.see(p.Name())
		t.regularly(g, "w = 0", engine.RegularOptions{When: "synapses"})
		m, err := t.n.StateMonitor(g, engine.StateMonitorOptions{Variables: []string{"w"}, Record: true, When: "end"})
		t.columns(m, err)
	}
}

func (t *trial) poisson(rates string, o engine.PoissonOptions) {
	var g *engine.NeuronGroup
	var err error
	if rates == "" {
		g, err = t.n.PoissonGroup(1, "r", o)
	} else if g, err = t.n.PoissonGroup(1, engine.Q("10*kHz"), o); err == nil {
		t.regularly(g, rates+" = 0*Hz", engine.RegularOptions{When: "thresholds", Name: "p"})
	}
	if t.keep(err); t.err == nil {
		t.see(g.Name())
		m, err := t.n.SpikeMonitor(g, engine.SpikeMonitorOptions{})
		t.columns(m, err)
	}
}

func (t *trial) generator(o engine.GeneratorOptions, when string) {
	g, err := t.n.SpikeGeneratorGroup(1, []int{0}, []float64{1e-4}, o)
	if t.keep(err); t.err == nil {
		t.see(g.Name())
		m, err := t.n.SpikeMonitor(g, engine.SpikeMonitorOptions{When: when})
		t.columns(m, err)
	}
}

func (t *trial) spikes(o engine.SpikeMonitorOptions) {
	g := t.firing()
	t.regularly(g, "w += 1", engine.RegularOptions{When: "end"})
	m, err := t.n.SpikeMonitor(g, o)
	t.keep(err)
	t.columns(m, t.err)
}

func (t *trial) states(o engine.StateMonitorOptions) {
	g := t.firing()
	t.regularly(g, "w += 1", engine.RegularOptions{})
	if o.Variables == nil {
		o.Variables = []string{"v", "w"}
	}
	if o.Record == nil {
		o.Record = true
	}
	m, err := t.n.StateMonitor(g, o)
	t.keep(err)
	t.columns(m, t.err)
}

// full is a Recorder whose disk has no room.
type full struct{ engine.Recorder }

func (full) Begin(*engine.Network) error { return errors.New("the disk is full") }

// TestOptions: each field of the Go API's options changes what a network does, or
// is refused. A field without a row fails.
func TestOptions(t *testing.T) {
	for name, row := range options {
		try := func(with bool) (string, error) {
			x := &trial{}
			x.n = engine.NewNetwork(engine.Options{Warn: func(s string) { x.see("warning: " + s) }})
			row.try(x, with)
			return x.out.String(), x.err
		}
		out, err := try(true)
		without, err2 := try(false)
		warned := strings.HasPrefix(row.refusal, "warning: ")
		switch {
		case err2 != nil:
			t.Errorf("%s: without: %v", name, err2)
		case row.refusal == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case row.refusal == "" && out == without:
			t.Errorf("%s: with and without it the result is\n%s", name, out)
		case warned && !strings.Contains(out, row.refusal):
			t.Errorf("%s: the result is\n%swant %q", name, out, row.refusal)
		case !warned && row.refusal != "" && (err == nil || !strings.Contains(err.Error(), row.refusal)):
			t.Errorf("%s: the error is %v, want %q", name, err, row.refusal)
		}
	}
	for _, o := range []any{engine.GroupOptions{}, engine.RegularOptions{}, engine.Schedule{}, engine.SynapsesOptions{}, engine.Pathway{}, engine.ConnectOptions{}, engine.InputOptions{},
		engine.PoissonOptions{}, engine.GeneratorOptions{}, engine.SpikeMonitorOptions{}, engine.StateMonitorOptions{}, engine.RateMonitorOptions{}, engine.RunOptions{}, engine.Options{}} {
		typ := reflect.TypeOf(o)
		for k := range typ.NumField() {
			name := typ.Name() + "." + typ.Field(k).Name
			if _, ok := options[name]; !ok {
				t.Errorf("%s has no row", name)
			}
		}
	}
}

// TestForeignObjects: what belongs to another network, or is of another kind, is
// refused.
func TestForeignObjects(t *testing.T) {
	mine, other := engine.NewNetwork(engine.Options{}), engine.NewNetwork(engine.Options{})
	g, err := other.NeuronGroup(1, "v : 1", engine.GroupOptions{Threshold: "v > 1", Name: "G"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := mine.SpikeMonitor(g, engine.SpikeMonitorOptions{Name: "M"}); err != nil {
		t.Fatal(err)
	}
	_, err = mine.Run(context.Background(), 1e-3, engine.RunOptions{Backend: ref.New()})
	if err == nil || !strings.Contains(err.Error(), "M needs G, which runs in another network") {
		t.Errorf("a monitor of another network's group: %v", err)
	}
	if err := g.SetSpikes([]int{0}, []float64{0}, 0); err == nil || !strings.Contains(err.Error(), "is no SpikeGeneratorGroup") {
		t.Errorf("SetSpikes of a NeuronGroup: %v", err)
	}
}
