package train

import (
	"context"
	"fmt"
	"math"
	"testing"

	"synfire/engine"
	"synfire/engine/backend"
	"synfire/engine/model"
	"synfire/kernels"
)

func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func variable(o interface {
	Var(string) (*model.Var, error)
}, name string) *model.Var {
	return must(o.Var(name))
}

func on(code string) []engine.Pathway { return []engine.Pathway{{Name: "pre", Code: code}} }

// layers is a network of two LIF layers behind inputs that spike, with delays, recurrent
// conductances, a parameter of its own for each neuron, a refractory time and noise.
func layers(noise bool) (*engine.Network, map[string]*engine.Synapses, map[string]*engine.NeuronGroup) {
	net := engine.NewNetwork(engine.Options{Seed: 3})
	xi := ""
	if noise {
		xi = " + 0.1*xi*tau**-0.5"
	}
	in := must(net.SpikeGeneratorGroup(6, []int{0, 1, 2, 3, 4, 5, 0, 2, 4, 1, 3, 5}, []float64{0, .001, .002, .003, .004, .005, .006, .007, .008, .009, .01, .012}, engine.GeneratorOptions{Name: "X"}))
	h := must(net.NeuronGroup(8, "dv/dt = (a*ge - v + drive)/tau"+xi+" : 1 (unless refractory)\ndge/dt = -ge/(4*ms) : 1\ntau : second\na : 1\ndrive : 1",
		engine.GroupOptions{Name: "H", Threshold: "v > 1", Reset: "v = 0.1", Refractory: engine.Q("2*ms"), Method: "euler"}))
	o := must(net.NeuronGroup(3, "dv/dt = -v/(10*ms) : 1", engine.GroupOptions{Name: "O", Threshold: "v > 1", Reset: "v -= 1", Method: "exact"}))
	check(variable(h, "tau").Set(nil, "(5 + i)*ms"))
	check(variable(h, "a").Set(nil, 1.5))
	s := map[string]*engine.Synapses{}
	add := func(name string, from, to *engine.NeuronGroup, on_pre string, w string, delay any) {
		x := must(net.Synapses(from, to, engine.SynapsesOptions{Name: name, Model: "w : 1", OnPre: on(on_pre), Delay: delay}))
		check(x.Connect(engine.ConnectOptions{}))
		check(variable(x, "w").Set(nil, w))
		s[name] = x
	}
	add("XH", in, h, "ge_post += w", "0.8 + 0.4*rand()", engine.Q("0.3*ms"))
	add("HH", h, h, "ge_post += w*(2 - v_post)", "0.1*randn()", engine.Q("1*ms"))
	add("HO", h, o, "v_post += 0.5*w", "0.3 + 0.3*rand()", nil)
	return net, s, map[string]*engine.NeuronGroup{"X": in, "H": h, "O": o}
}

// TestForwardIsARun: a sample goes through the states of a run, word by word.
func TestForwardIsARun(t *testing.T) {
	for _, noise := range []bool{false, true} {
		trainer := func() *Trainer {
			net, s, g := layers(noise)
			return must(New(net, Options{Duration: 0.03, Loss: CountCE(g["O"]), Rate: 1e-3, Threads: 2, Parameters: []Parameter{
				{Var: variable(s["XH"], "w")}, {Var: variable(s["HH"], "w")}, {Var: variable(s["HO"], "w")}, {Var: variable(g["H"], "tau"), Rate: 1e-5}}}))
		}
		tr := trainer()
		for training := range 2 {
			got := must(tr.Evaluate(context.Background(), []Sample{{}}))
			w := tr.worlds[0]
			twin := tr.net
			if training == 0 {
				twin = trainer().net // tr's own would go on from the end of the run
			}
			res := must(twin.Run(context.Background(), 0.03, engine.RunOptions{Backend: kernels.New(2)}))
			prog, plan := twin.Program()
			spikes := 0.0
			for _, x := range got.Outputs[0] {
				spikes += x
			}
			if res.Spikes["O"] == 0 || uint64(spikes) != res.Spikes["O"] {
				t.Errorf("%g spikes of O, %d in a run", spikes, res.Spikes["O"])
			}
			for k := range plan.Bufs {
				b := &plan.Bufs[k]
				if b.Kind != 0 {
					continue
				}
				words := make([]uint32, b.Len)
				check(prog.Read(backend.BufID(k), words))
				for i := range words {
					if words[i] != w.bufs[k][i] {
						t.Fatalf("noise %v: %s[%d] is %#x, %#x in a run", noise, b.Name, i, w.bufs[k][i], words[i])
					}
				}
			}
			check(twin.Close())
			if training == 0 {
				must(tr.Step(context.Background(), []Sample{{Target: []float64{1}}, {Target: []float64{2}}}))
			}
		}
	}
}

// TestGradientSmooth holds gradients against finite differences where nothing spikes
// but the inputs: weights, time constants, initial values and gains.
func TestGradientSmooth(t *testing.T) {
	build := func() (*Trainer, func() float64) {
		net, s, g := layers(false)
		check(variable(g["H"], "drive").Set(nil, "-0.05*i"))
		check(variable(s["XH"], "w").Set(nil, "0.05 + 0.05*rand()"))
		target := []float64{.1, .2, .3, .4, .5, .6, .7, .8}
		tr := must(New(net, Options{Duration: 0.02, Loss: MSE(variable(g["H"], "v")), Rate: 1e-3, Memory: 20000, Threads: 1, Surrogate: Boxcar(1e-3), Parameters: []Parameter{
			{Var: variable(s["XH"], "w")}, {Var: variable(g["H"], "tau"), Rate: 1e-5}, {Var: variable(g["H"], "a")}, {Var: variable(g["H"], "v")}, {Var: variable(g["H"], "drive")}}}))
		return tr, func() float64 {
			tr.l = nil
			return must(tr.Gradient(context.Background(), []Sample{{Target: target}})).Loss
		}
	}
	tr, loss := build()
	loss()
	if n := tr.l.tapeBytes(); 20000/n >= int64(tr.steps) {
		t.Errorf("one segment: %d bytes a step", n)
	}
	for k, x := range tr.worlds[0].read.X {
		if x > 0.99 {
			t.Fatalf("value %d is %g, near the threshold", k, x)
		}
	}
	for k, p := range tr.params {
		loss()
		want, most := tr.GradientOf(k), 0.0
		for _, x := range want {
			most = max(most, math.Abs(x))
		}
		if k == 0 {
			want = want[:12]
		}
		for i := range want {
			old := p.x[i]
			h := 0.02 * max(math.Abs(old), 0.2)
			p.x[i] = old + h
			check(p.set(tr))
			up := loss()
			p.x[i] = old - h
			check(p.set(tr))
			down := loss()
			p.x[i] = old
			check(p.set(tr))
			got := (up - down) / (2 * h) / p.scale
			if math.Abs(got-want[i]) > 5e-4*most {
				t.Errorf("%s[%d]: %g by reverse mode, %g by differences", p.v.FullName(), i, want[i], got)
			}
		}
	}
}

// closed is a LIF layer's gradient worked out by hand: v' = b v (1 - s) + w x + r s, in float64.
func ExampleTrainer() {
	net := engine.NewNetwork(engine.Options{Seed: 1})
	in := must(net.SpikeGeneratorGroup(1, []int{0, 0}, []float64{0, 0.001}, engine.GeneratorOptions{}))
	out := must(net.NeuronGroup(1, "dv/dt = -v/(10*ms) : 1", engine.GroupOptions{Threshold: "v > 1", Reset: "v = 0", Method: "exact"}))
	s := must(net.Synapses(in, out, engine.SynapsesOptions{Model: "w : 1", OnPre: on("v_post += w")}))
	check(s.Connect(engine.ConnectOptions{}))
	t := must(New(net, Options{Duration: 0.02, Rate: 0.1, Parameters: []Parameter{{Var: variable(s, "w")}}, Loss: CountMSE(out, 0.01, 0)}))
	for range 50 {
		must(t.Step(context.Background(), []Sample{{Target: []float64{0}}}))
	}
	r := must(t.Evaluate(context.Background(), []Sample{{Target: []float64{0}}}))
	fmt.Printf("loss %.2f, %g spikes\n", r.Loss, r.Outputs[0][0])
	// Output: loss 0.00, 2 spikes
}
