package engine_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"synfire/engine"
	"synfire/engine/backend"
	"synfire/engine/script"
	"synfire/kernels"
	"synfire/kernels/ref"
)

// run executes a script on a backend and returns what it printed and its hash.
func run(t *testing.T, src string, open func() backend.Backend) (out, hash string) {
	t.Helper()
	var b bytes.Buffer
	r, err := script.Run(context.Background(), script.Options{File: t.Name() + ".star", Src: []byte(src), Stdout: &b,
		Open: func() (backend.Backend, error) { return open(), nil }})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Net.Close()
	spikes, state, err := r.Net.Hash()
	if err != nil {
		t.Fatal(err)
	}
	return b.String(), spikes + " " + state
}

func onCPU(threads int) func() backend.Backend {
	return func() backend.Backend { return kernels.New(threads) }
}

func onRef() backend.Backend { return ref.New() }

// scenarios touch every part that the engine compiles.
var scenarios = map[string]string{
	"delays and weights changed between runs": `
inp = SpikeGeneratorGroup(3, [0,1,2,0,1,2,0,1,2], [1,1,1,4.5,4.7,4.8,9,9,9]*ms)
G = NeuronGroup(3, 'dv/dt = -v/(10*ms) : 1', method='exact')
S = Synapses(inp, G, 'w : 1', on_pre='v += w')
S.connect(i=[0,1,2], j=[0,1,2])
S.w = [1, 2, 3]
S.delay = [0.5, 1, 6]*ms
run(5*ms)
S.delay = '2*ms'
S.w = '0.5*w'
run(2*ms)
S.connect(i=[0], j=[2])
S.w = 'w + 10*i'
run(3*ms)
S.delay[1] = 0.2*ms
run(10*ms)
print(G.v[:])
`,
	"effects, post pathways, wide sums": `
G = NeuronGroup(40, '''dv/dt = (1.2 + 0.1*i/N - v)/(5*ms) : 1 (unless refractory)
dge/dt = -ge/(3*ms) : 1
x : 1''', threshold='v > 1', reset='v = 0', refractory=1*ms, method='exact')
S = Synapses(G, G, 'w : 1', on_pre='ge_post += w*v_pre + 0.1*x_post', on_post='x_pre += w')
S.connect(p=0.3)
S.w = 'rand()'
S.pre.delay = '(i % 7)*0.1*ms'
T = Synapses(G, G, on_pre='x_post = x_pre + 1')
T.connect(j='(i + 1) % N_post')
run(60*ms)
print(sum(G.x[:]), sum(G.ge[:]))
`,
	"noise, inputs, regular operations, refractory forms": `
stim = TimedArray([0, 1, 0.5, 2], dt=5*ms)
G = NeuronGroup(200, '''dv/dt = (stim(t) + 0.5 - v)/tau + 0.3*sqrt(2/tau)*xi : 1 (unless refractory)
tau : second
n : integer
hot = v > 0.8 : boolean''', threshold='v > 1 and not hot or v > 1.2', reset='v = 0.1*randn(); n += 1; tau *= 1.001', refractory='1*ms + n*0.1*ms', method='euler')
G.tau = '(5 + 5*rand())*ms'
H = NeuronGroup(50, 'dv/dt = -v/(10*ms) : 1', threshold='v > 1', reset='v = 0', refractory='v > 0.2', method='exact')
P = PoissonGroup(60, rates='50*Hz*(1 + 0.5*sin(2*pi*20*Hz*t))')
S = Synapses(P, H, on_pre='v += 0.3', delay=0.5*ms)
S.connect(rule='fixed_indegree', indegree=10)
I = PoissonInput(G[:100], 'v', N=50, rate=20*Hz, weight=0.05)
G.run_regularly('v += 0.01*poisson(2)', dt=2*ms)
M = StateMonitor(G, ['v', 'hot'], record=[0, 150], dt=1*ms)
run(30*ms)
H.v = 'rand()'
run(30*ms)
print(sum(G.n[:]), M.v[0][20])
`,
}

// TestIdentity holds every backend and number of threads to the reference, word
// for word.
func TestIdentity(t *testing.T) {
	for name, src := range scenarios {
		t.Run(name, func(t *testing.T) {
			out, hash := run(t, src, onRef)
			for _, threads := range []int{1, 2, 3, 7} {
				if o, h := run(t, src, onCPU(threads)); o != out || h != hash {
					t.Errorf("%d threads: %s%s, ref: %s%s", threads, o, h, out, hash)
				}
			}
		})
	}
}

// TestCut cuts a run into many: the hash stays the same.
func TestCut(t *testing.T) {
	model := `
P = NeuronGroup(300, '''dv/dt = (ge + gi - v + 11)/(20*ms) : 1 (unless refractory)
dge/dt = -ge/(5*ms) : 1
dgi/dt = -gi/(10*ms) : 1''', threshold='v > 10', reset='v = 0', refractory=2*ms, method='exact')
P.v = 'rand()*10'
E = Synapses(P[:240], P, 'w : 1', on_pre='ge += w'); E.connect(p=0.1); E.w = '0.3*(1 + rand())'; E.delay = '(0.1 + 3*rand())*ms'
I = Synapses(P[240:], P, on_pre='gi -= 2', delay=0.8*ms); I.connect(p=0.1)
`
	_, whole := run(t, model+"run(50*ms)\n", onCPU(2))
	for _, pieces := range []string{"for k in range(10):\n    run(5*ms)\n", "run(0.1*ms)\nrun(17.3*ms)\nrun(32.6*ms)\n"} {
		if _, h := run(t, model+pieces, onCPU(2)); h != whole {
			t.Errorf("cut by %q: %s, whole: %s", pieces, h, whole)
		}
	}
}

// TestSlowVariables are as accurate as fast ones (rule 10): after one time
// constant a decay stands at 1/e.
func TestSlowVariables(t *testing.T) {
	for _, c := range []struct{ tau, steps float64 }{{100, 1e5}, {1000, 1e5}, {10000, 1e5}} {
		src := fmt.Sprintf(`
G = NeuronGroup(2, '''dx/dt = -x/(%g*second) : 1
dy/dt = 1/(%g*second) : 1''', method='euler')
G.x = 1
run(%g*second)
print(G.x[0], G.y[0])
`, c.tau, c.tau, c.steps*1e-4)
		out, _ := run(t, src, onCPU(1))
		var x, y float64
		if _, err := fmt.Sscan(out, &x, &y); err != nil {
			t.Fatalf("%q: %v", out, err)
		}
		wantX, wantY := math.Pow(1-1e-4/c.tau, c.steps), c.steps*1e-4/c.tau
		t.Logf("tau %g s after %g steps: x off by %.2g, y by %.2g", c.tau, c.steps, x-wantX, y-wantY)
		if math.Abs(x-wantX) > 1e-7 || math.Abs(y-wantY) > 1e-7*max(1, wantY) {
			t.Errorf("tau %g s: x = %.9g, want %.9g; y = %.9g, want %.9g", c.tau, x, wantX, y, wantY)
		}
	}
}

// TestFault says which variable outgrew its bound and keeps the records before.
func TestFault(t *testing.T) {
	for _, open := range []func() backend.Backend{onRef, onCPU(1), onCPU(3)} {
		var out bytes.Buffer
		r, err := script.Run(context.Background(), script.Options{File: "fault.star", Src: []byte(`
G = NeuronGroup(100, 'dv/dt = v*(i+1)/ms : 1', threshold='v > 100', method='euler')
G.v = 1
S = SpikeMonitor(G)
run(20*ms)
`), Stdout: &out, Open: func() (backend.Backend, error) { return open(), nil }})
		if err == nil || !strings.Contains(err.Error(), "G.v[90]") || !strings.Contains(err.Error(), "2^40") {
			t.Fatalf("got %v, want an error that names G.v[90]", err)
		}
		if r != nil && r.Net != nil {
			r.Net.Close()
		}
	}
}

// TestScales holds weights that an index bounds to a fine grid.
func TestScales(t *testing.T) {
	out, _ := run(t, `
G = SpikeGeneratorGroup(3, [2], [0]*ms)
H = NeuronGroup(2, 'x : 1')
S = Synapses(G, H, 'w : 1', on_pre='x += w')
S.connect()
S.w = '0.1*(i+1) + 0.01*j'
run(1*ms)
print(abs(H.x[0] - 0.3) < 1e-4, abs(H.x[1] - 0.31) < 1e-4)
`, onCPU(1))
	if out != "True True\n" {
		t.Errorf("got %s", out)
	}
}

// TestEdgeLists gives the same edges as lists of every type that Connect and Set take.
func TestEdgeLists(t *testing.T) {
	const n = 500
	var wide [2][]int
	var short [2][]int32
	var w32 []float32
	var w engine.Array
	for k := range n {
		for e, x := range []int{k * 7 % 30, k * 11 % 20} {
			wide[e], short[e] = append(wide[e], x), append(short[e], int32(x))
		}
		w32 = append(w32, float32(k%13)/7)
		w.V = append(w.V, float64(w32[k])*0.01)
	}
	hash := func(i, j, values any, skip bool) string {
		net := engine.NewNetwork(engine.Options{})
		defer net.Close()
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		src, err := net.NeuronGroup(30, "v : 1", engine.GroupOptions{Threshold: "v > -i", Name: "src"})
		must(err)
		tgt, err := net.NeuronGroup(20, "v : 1", engine.GroupOptions{Name: "tgt"})
		must(err)
		s, err := net.Synapses(src, tgt, engine.SynapsesOptions{Model: "w : 1", OnPre: []engine.Pathway{{Name: "pre", Code: "v += w"}}, Name: "s"})
		must(err)
		must(s.Connect(engine.ConnectOptions{I: i, J: j, SkipIfInvalid: skip}))
		v, err := s.Var("w")
		must(err)
		must(v.Set(nil, values))
		back, err := v.Get(nil)
		must(err)
		for k := range back.V {
			if back.V[k] != w.V[k] {
				t.Fatalf("w[%d] reads as %g, was given as %g", k, back.V[k], w.V[k])
			}
		}
		_, err = net.Run(context.Background(), 0.005, engine.RunOptions{Backend: ref.New()})
		must(err)
		_, state, err := net.Hash()
		must(err)
		return state
	}
	want := hash(wide[0], wide[1], w, false)
	packed := engine.Packed{V: w32, Unit: 0.01}
	if got := hash(short[0], short[1], packed, false); got != want {
		t.Error("[]int32 and Packed make another network than []int and Array")
	}
	beyond := func(x []int) []int { return append(append([]int{-1}, x...), 1<<40) }
	if got := hash(beyond(wide[0]), beyond(wide[1]), packed, true); got != want {
		t.Error("pairs that are out of range are not skipped")
	}
}
