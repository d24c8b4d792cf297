package train

import (
	"context"
	"fmt"
	"math"
	"strings"
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

func on(code string) []engine.Pathway {
	if code == "" {
		return nil
	}
	return []engine.Pathway{{Name: "pre", Code: code}}
}

// layers is a network of two LIF layers behind inputs that spike, with delays, recurrent
// conductances, a parameter of its own for each neuron, a refractory time and noise.
func layers(noise bool) (*engine.Network, map[string]*engine.Synapses, map[string]*engine.NeuronGroup) {
	net := engine.NewNetwork(engine.Options{Seed: 3})
	xi := ""
	if noise {
		xi = " + 0.1*xi*tau**-0.5"
	}
	in := must(net.SpikeGeneratorGroup(6, []int{0, 1, 2, 3, 4, 5, 0, 2, 4, 1, 3, 5}, []float64{0, .001, .002, .003, .004, .005, .006, .007, .008, .009, .01, .012}, engine.GeneratorOptions{Name: "X"}))
	h := must(net.NeuronGroup(8, "dv/dt = (a*ge - v + drive + s)/tau"+xi+" : 1 (unless refractory)\ndge/dt = -ge/(4*ms) : 1\ntau : second\na : 1\ndrive : 1\ns : 1",
		engine.GroupOptions{Name: "H", Threshold: "v > 1", Reset: "v = 0.1", Refractory: engine.Q("2*ms"), Method: "euler"}))
	o := must(net.NeuronGroup(3, "dv/dt = -v/(10*ms) : 1", engine.GroupOptions{Name: "O", Threshold: "v > 1", Reset: "v -= 1", Method: "exact"}))
	check(variable(h, "tau").Set(nil, "(5 + i)*ms"))
	check(variable(h, "a").Set(nil, 1.5))
	s := map[string]*engine.Synapses{}
	add := func(name string, from, to *engine.NeuronGroup, on_pre string, w string, delay any, more ...string) {
		x := must(net.Synapses(from, to, engine.SynapsesOptions{Name: name, Model: strings.Join(append([]string{"w : 1"}, more...), "\n"), OnPre: on(on_pre), Delay: delay}))
		check(x.Connect(engine.ConnectOptions{}))
		check(variable(x, "w").Set(nil, w))
		s[name] = x
	}
	add("XH", in, h, "ge_post += w", "0.8 + 0.4*rand()", engine.Q("0.3*ms"))
	add("HH", h, h, "ge_post += w*(2 - v_post)", "0.1*randn()", engine.Q("1*ms"))
	add("rule", in, h, "ge_post += w*trace; trace += 0.5; w = clip(w + 0.1*trace*(1 - w), 0, 1)", "0.05*rand()", nil, "dtrace/dt = -trace/(5*ms) : 1 (event-driven)")
	add("gap", h, h, "", "0.1*rand()", nil, "s_post = w*(v_pre - v_post)/8 : 1 (summed)")
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

// TestThreads: what is learned does not depend on threads, nor on how much is kept for the way back.
func TestThreads(t *testing.T) {
	var first []float64
	for _, o := range []Options{{Threads: 1}, {Threads: 2}, {Threads: 7}, {Threads: 3, Memory: 50000}} {
		net, s, g := layers(true)
		o.Duration, o.Loss, o.Rate, o.Surrogate = 0.02, RateCE(g["O"]), 1e-3, FastSigmoid(5)
		o.Parameters = []Parameter{{Var: variable(s["XH"], "w")}, {Var: variable(s["rule"], "w")}, {Var: variable(g["H"], "tau"), Rate: 1e-5}}
		o.Inputs = []Input{{Var: variable(g["H"], "drive")}}
		tr := must(New(net, o))
		var samples []Sample
		for k := range 5 {
			samples = append(samples, Sample{Inputs: []Value{{Values: []float64{0.2 * float64(k)}}}, Target: []float64{float64(k % 3)}})
		}
		epochs := must(tr.Fit(context.Background(), samples, FitOptions{Epochs: 2, Batch: 3}))
		got := []float64{epochs[0].Loss, epochs[1].Loss}
		for k := range tr.params {
			got = append(got, tr.GradientOf(k)...)
			got = append(got, tr.params[k].x...)
		}
		if first == nil {
			first = got
		}
		for k := range got {
			if got[k] != first[k] {
				t.Fatalf("%d threads, memory %d: number %d is %v, with one %v", o.Threads, o.Memory, k, got[k], first[k])
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
			{Var: variable(s["XH"], "w")}, {Var: variable(g["H"], "tau"), Rate: 1e-5}, {Var: variable(g["H"], "a")}, {Var: variable(g["H"], "v")}, {Var: variable(g["H"], "drive")},
			{Var: variable(s["rule"], "w")}, {Var: variable(s["gap"], "w")}}}))
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
		if p.v.Syn != nil {
			want = want[:5]
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

// reference is a network of two LIF layers and its gradient, written down by hand in
// float64 as a program for tensors would have it: h' = b h + U x, s = [h > 1], h -= s
// (detached), o' = b o + W s (a step later), the loss of mean squares.
func reference(x [][]float64, U, W [][]float64, b float64, target []float64, surrogate func(float64) float64) (loss float64, dU, dW [][]float64) {
	T, nx, nh, no := len(x), len(U), len(W), len(W[0])
	table := func(n, m int) [][]float64 {
		t := make([][]float64, n)
		for k := range t {
			t[k] = make([]float64, m)
		}
		return t
	}
	pre, s, o, do := table(T, nh), table(T, nh), table(T, no), table(T, no)
	h, out := make([]float64, nh), make([]float64, no)
	for t := range T {
		for j := range h {
			h[j] *= b
			pre[t][j] = h[j]
			if h[j] > 1 {
				s[t][j] = 1
			}
			for i := range nx {
				h[j] += U[i][j] * x[t][i]
			}
			h[j] -= s[t][j]
		}
		for k := range out {
			out[k] *= b
			for j := range h {
				out[k] += W[j][k] * s[t][j]
			}
			o[t][k] = out[k]
			e := o[t][k] - target[k]
			loss += e * e / float64(T*no)
			do[t][k] = 2 * e / float64(T*no)
		}
	}
	dU, dW = table(nx, nh), table(nh, no)
	dh, dout := make([]float64, nh), make([]float64, no)
	for t := T - 1; t >= 0; t-- {
		ds := make([]float64, nh)
		for k := range dout {
			dout[k] += do[t][k]
			for j := range nh {
				dW[j][k] += dout[k] * s[t][j]
				ds[j] += dout[k] * W[j][k]
			}
			dout[k] *= b
		}
		for j := range nh {
			for i := range nx {
				dU[i][j] += dh[j] * x[t][i]
			}
			dh[j] += ds[j] * surrogate(pre[t][j]-1)
			dh[j] *= b
		}
	}
	return loss, dU, dW
}

// TestGradientReference holds the gradient of a spiking network against one written by hand.
func TestGradientReference(t *testing.T) {
	const T, nx, nh, no, dt = 40, 5, 7, 3, 1e-3
	net := engine.NewNetwork(engine.Options{Seed: 5})
	x := make([][]float64, T)
	var index, steps []int
	for s := range x {
		x[s] = make([]float64, nx)
		for i := range x[s] {
			if (s*7+i*3)%5 < 2 {
				x[s][i] = 1
				index, steps = append(index, i), append(steps, s)
			}
		}
	}
	check(net.SetDt(dt))
	in := must(net.SpikeGeneratorGroup(nx, nil, nil, engine.GeneratorOptions{Name: "X"}))
	layer := func(name string, n int, reset string) *engine.NeuronGroup {
		return must(net.NeuronGroup(n, "dv/dt = -v/(10*ms) : 1", engine.GroupOptions{Name: name, Threshold: "v > 1", Reset: reset, Method: "exact"}))
	}
	h, o := layer("H", nh, "v -= 1"), must(net.NeuronGroup(no, "dv/dt = -v/(10*ms) : 1", engine.GroupOptions{Name: "O", Method: "exact"}))
	weights := func(from, to *engine.NeuronGroup, text string) (*model.Var, [][]float64) {
		s := must(net.Synapses(from, to, engine.SynapsesOptions{Model: "w : 1", OnPre: on("v_post += w")}))
		check(s.Connect(engine.ConnectOptions{}))
		w := variable(s, "w")
		check(w.Set(nil, text))
		var rows [][]float64
		for all := must(w.Get(nil)).V; len(all) > 0; all = all[to.Size:] {
			rows = append(rows, all[:to.Size])
		}
		return w, rows
	}
	wu, U := weights(in, h, "0.4*rand()")
	ww, W := weights(h, o, "randn()")
	for _, surrogate := range []Surrogate{FastSigmoid(5), Arctan(2), Boxcar(0.5), Triangle(0.3)} {
		target := []float64{0.5, -1, 2}
		tr := must(New(net, Options{Duration: T * dt, Loss: MSE(variable(o, "v")), Rate: 1, Surrogate: surrogate, DetachReset: true,
			Parameters: []Parameter{{Var: wu}, {Var: ww}}, Inputs: []Input{{Generator: in}}}))
		r := must(tr.Gradient(context.Background(), []Sample{{Inputs: []Value{{Spikes: Spikes{index, steps}}}, Target: target}}))
		loss, dU, dW := reference(x, U, W, math.Exp(-0.1), target, surrogate.Shape)
		if math.Abs(r.Loss-loss) > 1e-5*loss {
			t.Errorf("%s: loss %g, %g by hand", surrogate.Name, r.Loss, loss)
		}
		for k, want := range [][][]float64{dU, dW} {
			got, most, worst := tr.GradientOf(k), 0.0, 0.0
			for i, row := range want {
				for j, y := range row {
					most = max(most, math.Abs(y))
					worst = max(worst, math.Abs(y-got[i*len(row)+j]))
				}
			}
			if most < 1e-3 || worst > 1e-4*most {
				t.Errorf("%s: gradient %d is off by %g of at most %g", surrogate.Name, k, worst, most)
			}
			t.Logf("%s: gradient %d within %.1g of its largest element", surrogate.Name, k, worst/most)
		}
	}
}

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
