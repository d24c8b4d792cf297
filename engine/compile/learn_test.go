package compile_test

import (
	"context"
	"fmt"
	"testing"

	"synfire/engine"
	"synfire/engine/backend"
	"synfire/engine/compile"
	"synfire/engine/model"
	"synfire/kernels"
	"synfire/kernels/ref"
)

// plastic is a network that learns.
type plastic struct {
	name, model     string
	pre, post       string
	preDelay, delay any // of on_pre and on_post; a text is assigned after connect
	connects        []engine.ConnectOptions
	values          map[string]any
	near            int // variables that are kept by neuron
}

func ms(x float64) engine.Quantity { return engine.Quantity{Value: x / 1000, Dim: model.Second} }

var plastics = []plastic{
	{name: "pair STDP", near: 6,
		model: "w : 1\ndA/dt = -A/(20*ms) : 1 (event-driven)\ndB/dt = -B/(15*ms) : 1 (event-driven)",
		pre:   "I_post += w\nA += 0.02\nw = clip(w - B, 0, 1)", post: "B += 0.021\nw = clip(w + A, 0, 1)",
		connects: []engine.ConnectOptions{{P: 0.4}}, values: map[string]any{"w": "0.2*rand()"}},
	{name: "pair STDP, delays and two calls of connect", near: 6,
		model: "w : 1\ndA/dt = -A/(20*ms) : 1 (event-driven)\ndB/dt = -B/(15*ms) : 1 (event-driven)",
		pre:   "A += 0.02; I_post += w; w = clip(w - B, 0, 1)", post: "w = clip(w + A, 0, 1)\nB += 0.021",
		preDelay: ms(1.3), delay: ms(0.4),
		connects: []engine.ConnectOptions{{P: 0.2}, {Condition: "i == j"}}, values: map[string]any{"w": "0.2 + 0.001*i"}},
	{name: "pair STDP, delays that differ", near: 6,
		model: "w : 1\ndA/dt = -A/(20*ms) : 1 (event-driven)\ndB/dt = -B/(15*ms) : 1 (event-driven)",
		pre:   "I_post += w\nA += 0.02\nw = clip(w - B, 0, 1)", post: "B += 0.021\nw = clip(w + A, 0, 1)",
		preDelay: "0.1*ms + 2*ms*rand()", connects: []engine.ConnectOptions{{P: 0.4}}, values: map[string]any{"w": "0.2*rand()"}},
	{name: "traces with an offset, read after they were assigned", near: 6,
		model: "w : 1\ndA/dt = (0.1 - A)/(20*ms) : 1 (event-driven)\ndB/dt = (0.05 - B)/(15*ms) : 1 (event-driven)",
		pre:   "A += 0.2; w += 0.01*A; I_post += 0.1*w; w -= 0.01*B", post: "B += 0.21; w = w*(1 - 0.01*B) + 0.001*A",
		connects: []engine.ConnectOptions{{P: 0.4}}, values: map[string]any{"w": "0.1*rand()"}},
	{name: "short-term plasticity", near: 4,
		model:    "w : 1\nx : 1\nu : 1\nz : 1\nlast : second",
		pre:      "u = 0.2 + (u - 0.2)*exp(-(t - last)/(50*ms)); x = 1 + (x - 1)*exp(-(t - last)/(200*ms)); z = u*x; x -= z; u += 0.2*(1 - u); I_post += w*z; last = t",
		connects: []engine.ConnectOptions{{P: 0.4}}, values: map[string]any{"w": "0.5*rand()", "x": 1.0, "u": 0.2}},
	{name: "short-term plasticity, with a local variable", near: 4,
		model:    "w : 1\nx : 1\nu : 1\nlast : second",
		pre:      "u = 0.2 + (u - 0.2)*exp(-(t - last)/(50*ms)); x = 1 + (x - 1)*exp(-(t - last)/(200*ms)); q = u*x; x -= q; u += 0.2*(1 - u); I_post += w*q; last = t",
		connects: []engine.ConnectOptions{{P: 0.4}}, values: map[string]any{"w": "0.5*rand()", "x": 1.0, "u": 0.2}},
	{name: "short-term plasticity, with a local variable of the neuron that each of its statements needs", near: 5,
		model:    "w : 1\ndz/dt = -z/(200*ms) : 1 (event-driven)\ndu/dt = -u/(50*ms) : 1 (event-driven)",
		pre:      "u += 0.2*(1 - u); left = 1 - z; q = u*left; I_post += w*q; z += q",
		connects: []engine.ConnectOptions{{P: 0.4}}, values: map[string]any{"w": "0.5*rand()"}},
	{name: "a local variable of single synapses that is made of a trace before it changes", near: 2,
		model: "w : 1\nk : 1\ndA/dt = -A/(20*ms) : 1 (event-driven)",
		pre:   "q = w*(1 + A); A += 0.1; k = q; I_post += q", post: "w = clip(w + 0.01*A, 0, 1)",
		connects: []engine.ConnectOptions{{P: 0.4}}, values: map[string]any{"w": "0.5*rand()"}},
	{name: "short-term plasticity, with a local variable and delays that differ", near: 4, preDelay: "0.1*ms + 3*ms*rand()",
		model:    "w : 1\nx : 1\nu : 1\nlast : second",
		pre:      "u = 0.2 + (u - 0.2)*exp(-(t - last)/(50*ms)); x = 1 + (x - 1)*exp(-(t - last)/(200*ms)); q = u*x; x -= q; u += 0.2*(1 - u); I_post += w*q; last = t",
		connects: []engine.ConnectOptions{{P: 0.4}, {P: 0.1}}, values: map[string]any{"w": "0.5*rand()", "x": 1.0, "u": 0.2}},
	{name: "two traces that depend on one another", near: 5,
		model: "w : 1\ndA/dt = -A/(20*ms) : 1 (event-driven)\ndC/dt = (A - C)/(5*ms) : 1 (event-driven)",
		pre:   "A += 0.1; I_post += 0.3*w; w = clip(w + 0.01*C, 0, 1)", post: "w = clip(w - 0.005*C, 0, 1)",
		connects: []engine.ConnectOptions{{P: 0.4}}, values: map[string]any{"w": "0.3*rand()"}},
}

// build makes the network; duration is that of each of two runs.
func (p *plastic) build(t *testing.T) (*engine.Network, *engine.Synapses) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	n := engine.NewNetwork(engine.Options{Seed: 7})
	g, err := n.NeuronGroup(70, "dv/dt = (1.3*r - v)/(10*ms) + 0.1*xi/sqrt(ms) : 1\ndI/dt = -I/(5*ms) : 1\nr : 1", engine.GroupOptions{Threshold: "v + I > 1", Reset: "v = 0", Refractory: "2*ms", Method: "euler"})
	must(err)
	r, err := g.Var("r")
	must(err)
	must(r.Set(nil, "0.8 + 0.4*rand()"))
	o := engine.SynapsesOptions{Model: p.model, OnPre: []engine.Pathway{{Name: "pre", Code: p.pre}}}
	if p.post != "" {
		o.OnPost = []engine.Pathway{{Name: "post", Code: p.post}}
	}
	s, err := n.Synapses(g, g, o)
	must(err)
	for _, c := range p.connects {
		must(s.Connect(c))
	}
	for name, x := range p.values {
		v, err := s.Var(name)
		must(err)
		must(v.Set(nil, x))
	}
	for name, x := range map[string]any{"pre": p.preDelay, "post": p.delay} {
		if x != nil {
			v, err := s.Delay(name)
			must(err)
			must(v.Set(nil, x))
		}
	}
	return n, s
}

// run makes two runs and tells their hash, and what a script sees.
func (p *plastic) run(t *testing.T, b backend.Backend) (string, map[string][]float64) {
	t.Helper()
	n, s := p.build(t)
	defer n.Close()
	for range 2 {
		if _, err := n.Run(context.Background(), 0.06, engine.RunOptions{Backend: b}); err != nil {
			t.Fatal(err)
		}
	}
	spikes, state, err := n.Hash()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string][]float64{}
	for _, name := range s.VarNames() {
		v, err := s.Var(name)
		if err != nil {
			continue
		}
		a, err := v.Get(nil)
		if err != nil {
			t.Fatal(err)
		}
		seen[name] = a.V
	}
	return spikes + " " + state, seen
}

// TestLearningIsKeptAnyhow: what synapses learn is the same whether a variable that
// all synapses of a neuron share is kept once or by synapse, on every backend, for
// any number of threads.
func TestLearningIsKeptAnyhow(t *testing.T) {
	for _, p := range plastics {
		t.Run(p.name, func(t *testing.T) {
			want, seen := p.run(t, ref.New())
			if near := p.near; near != p.kept(t) {
				t.Errorf("%d variables are kept by neuron, expected %d", p.kept(t), near)
			}
			for _, threads := range []int{1, 3} {
				if got, _ := p.run(t, kernels.New(threads)); got != want {
					t.Errorf("cpu, %d threads: %s, ref %s", threads, got, want)
				}
			}
			compile.KeepEach(true)
			defer compile.KeepEach(false)
			for _, b := range []backend.Backend{ref.New(), kernels.New(2)} {
				got, each := p.run(t, b)
				if got != want {
					t.Errorf("%s, all kept by synapse: %s, else %s", b.Name(), got, want)
				}
				if fmt.Sprint(each) != fmt.Sprint(seen) {
					t.Errorf("%s: a script sees other values when all are kept by synapse", b.Name())
				}
			}
		})
	}
}

func (p *plastic) kept(t *testing.T) int {
	n, _ := p.build(t)
	defer n.Close()
	c, err := compile.Compile(n.Network, engine.Work{})
	if err != nil {
		t.Fatal(err)
	}
	return compile.Near(c)
}
