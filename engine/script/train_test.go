package script_test

import (
	"context"
	"strings"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/script"
	"synfire/kernels"
)

const trainee = `
X = NeuronGroup(2, '''dv/dt = (drive - v)/(10*ms) : 1
drive : 1''', threshold='v > 1', reset='v = 0', method='exact')
G = SpikeGeneratorGroup(2, [0], [1]*ms)
O = NeuronGroup(2, '''dv/dt = -v/tau : volt
tau : second
n : integer''', threshold='v > 10*mV', reset='v = 0*mV', method='euler')
O.tau = 10*ms
S = Synapses(X, O, '''w : volt
k : integer''', on_pre='v_post += w')
S.connect()
S.w = 'mV*(4 + rand())'
T = Synapses(G, O, 'w : volt', on_pre='v_post += w')
T.connect()
U = Synapses(X, X, 'w : 1', on_pre='drive_post += w')
U.connect()
wide = surrogate.triangle(width=10*mV)
`

func runScript(t *testing.T, src string) (string, error) {
	t.Helper()
	var out strings.Builder
	_, err := script.Run(context.Background(), script.Options{File: "t.star", Src: []byte(src), Stdout: &out,
		Open: func() (backend.Backend, error) { return kernels.New(2), nil }})
	return out.String(), err
}

// TestTrain: units, inputs of both kinds, parameters of neurons, and what a run gives.
func TestTrain(t *testing.T) {
	out, err := runScript(t, trainee+`
shown = [([0, 0], [1, 2]*ms), ([1], [3]*ms)]
both = [(X.drive, [[3, 0], [0, 3]]), (G, shown)]
r = train(30*ms, [S.w, T.w, parameter(O.tau, lr=0.1*ms, low=5*ms, high=20*ms)], ce_count_loss(O), inputs=both, targets=[0, 1],
          optimizer=Adam(lr=0.2*mV), surrogate=wide, epochs=15, batch_size=1)
print(r.loss[0] > 2*r.loss[-1], r.accuracy[-1], len(r.loss))
e = evaluate(30*ms, ce_count_loss(O), inputs=both)
X.drive = [0, 3]
G.set_spikes([1], [3]*ms)
M = SpikeMonitor(O)
run(30*ms)
print(list(M.count) == [int(n) for n in e.output[1]], min(O.tau) >= 5*ms)
r = train(5*ms, S.w, mse_membrane_loss(O.v), targets=[[1, 2]]*mV, optimizer=SGD(lr=1*mV*mV), surrogate=wide, epochs=2, clip_norm=1)
print(len(r.loss))
`)
	if want := "True 1.0 15\nTrue True\n2\n"; err != nil || out != want {
		t.Errorf("%q, %v; expected %q", out, err, want)
	}
}

// TestTrainRefuses: what cannot be trained is said with its reason.
func TestTrainRefuses(t *testing.T) {
	for _, c := range []struct{ code, says string }{
		{"train(10*ms, [], ce_count_loss(O), targets=[0])", "parameters= is empty"},
		{"train(10*ms, [S.w], O, targets=[0])", "loss= must be a loss, such as ce_count_loss(O)"},
		{"train(10*ms, [S.w], ce_count_loss(O), optimizer=Adam(lr=1*mV))", "targets= is missing"},
		{"train(10*ms, [S.w], ce_count_loss(O), targets=[0], surrogate=wide)", "lr= is missing"},
		{"train(10*ms, [S.w], ce_count_loss(O), targets=[0], surrogate=wide, optimizer=Adam(lr=1))", "S.w has the unit volt, so that a step of Adam does too"},
		{"train(10*ms, [S.w], ce_count_loss(O), targets=[0], surrogate=wide, optimizer=SGD(lr=1*mV))", "that unit's square"},
		{"train(10*ms, [S.w], ce_count_loss(O), targets=[0], optimizer=Adam(lr=1*mV))", "give the surrogate a width of that unit"},
		{"train(10*ms, [S.w], ce_count_loss(O), targets=[0], optimizer=Adam(lr=1*mV), surrogate=surrogate.atan(width=1*ms))", "but the surrogate's width has"},
		{"train(10*ms, [S.w], ce_count_loss(O), targets=[2], optimizer=Adam(lr=1*mV), surrogate=wide)", "the label 2 is no neuron of O, which has 2"},
		{"train(10*ms, [S.w], ce_count_loss(O), targets=[0, 1], inputs=(X.drive, [1]), optimizer=Adam(lr=1*mV), surrogate=wide)", "targets= has 2 samples, inputs= 1"},
		{"train(10*ms, [S.w], ce_count_loss(O), targets=[0], inputs=(X.drive, [[1, 2, 3]]), optimizer=Adam(lr=1*mV), surrogate=wide)", "3 values for X.drive of 2 neurons"},
		{"train(10*ms, [S.w], ce_count_loss(O), targets=[0], inputs=(G, [([5], [1]*ms)]), optimizer=Adam(lr=1*mV), surrogate=wide)", "neuron 5 of 2"},
		{"train(10*ms, [S.w], ce_count_loss(O), targets=[0], inputs=(X, [1]), optimizer=Adam(lr=1*mV), surrogate=wide)", "inputs= must be a pair"},
		{"train(10*ms, [U.w], mse_membrane_loss(O.tau), targets=[[1, 2]]*ms, optimizer=Adam(lr=1), surrogate=wide)", "does not depend on what is trained"},
		{"train(10*ms, [S.k], ce_count_loss(O), targets=[0], optimizer=Adam(lr=1))", "holds no real numbers"},
		{"train(10*ms, [S.w, S.w], ce_count_loss(O), targets=[0], optimizer=Adam(lr=1*mV))", "stands twice"},
		{"train(0*ms, [S.w], ce_count_loss(O), targets=[0], optimizer=Adam(lr=1*mV))", "makes no step"},
		{"train(10*ms, [S.w], mse_membrane_loss(O.v), targets=[1, 2], optimizer=Adam(lr=1*mV), surrogate=wide)", "have the unit"},
		{"train(10*ms, [S.delay], ce_count_loss(O), targets=[0], optimizer=Adam(lr=1*ms), surrogate=wide)", "cannot be trained"},
		{"surrogate.boxcar(half=-1)", "half= must be from"},
		{"Adam(lr=0)", "lr= must be positive"},
		{"@network_operation\ndef f():\n    pass\ntrain(10*ms, [S.w], ce_count_loss(O), targets=[0], optimizer=Adam(lr=1*mV), surrogate=wide)", "derivatives cannot go through the host's functions"},
	} {
		out, err := runScript(t, trainee+c.code)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s\ngave %q, %v; expected %q", c.code, out, err, c.says)
		}
	}
}

// TestExportNIR: equations in the script's own words are NIR's nodes, and the graph spikes as they do.
func TestExportNIR(t *testing.T) {
	out, err := runScript(t, `
defaultclock.dt = 0.1*ms
tau, E_L, d = 10*ms, -65*mV, [0, 1, 2, 0]*ms
who, when = arange(24) % 4, (arange(24)*7.3 + 1)*ms
def network():
    start_scope()
    return SpikeGeneratorGroup(4, who, when, name='given')
def spikes(groups):
    M = [SpikeMonitor(g) for g in groups]
    run(200*ms)
    return [sorted([(i, int(x/(0.1*ms) + 0.5)) for i, x in zip(m.i, m.t)]) for m in M]
def near(a, b, steps):
    return len(a) == len(b) and len(a) > 5 and max([abs(x[1] - y[1]) if x[0] == y[0] else 99 for x, y in zip(a, b)]) <= steps
for method in ['euler', 'rk2', 'exact']:
    P = network()
    A = NeuronGroup(6, """dv/dt = (E_L - v)/tau + drive/(tau*2) : volt
                          drive : volt (constant)
                          th = -50*mV + extra : volt
                          extra : volt""", threshold='v > th', reset='v = -60*mV + extra', method=method, name='A')
    A.drive, A.extra = 'i*7*mV', 'i*0.1*mV'
    A.v = -65*mV
    S = Synapses(P, A[1:], 'w : 1', on_pre='v -= w*exp(log(2))*6*mV', delay=2*ms, name='S')
    S.connect(p=1)
    S.w = '-1 - 0.1*j'
    B = NeuronGroup(2, 'du/dt = (rate - 2*u + x)/unit : 1\nx : 1\nrate : 1\nunit : second', threshold='0.5 < u', reset='u = 0', method=method, name='B')
    B.unit, B.rate = 100*ms, 3
    B.run_regularly('x = 0', dt=0.1*ms, when='after_groups')
    T = Synapses(A, B, on_pre='x_post += 5*w_of_source', namespace={'w_of_source': 3}, name='T')
    T.connect(j='i % 2')
    T.delay = 'i*0.1*ms'
    C = NeuronGroup(1, 'dv/dt = 11*Hz : 1', threshold='v > 1', reset='v = 0', method='euler', name='C')
    U = Synapses(A, C, on_pre='v_post += 0.05', name='U')
    U.connect()
    text = export_nir()
    own = spikes([A, B, C])
    start_scope()
    P = SpikeGeneratorGroup(4, who, when)
    G = load_nir(text, inputs={'given': P}, method=method)
    G['A'].v = -0.065
    again = spikes([G['A'], G['B'], G['C']])
    print(method, [near(a, b, 0) for a, b in zip(own, again)])
    P = network()
    D = NeuronGroup(3, 'dv/dt = (ge*2 - (v - E_L))/tau : volt\ndge/dt = (0.5*mV - ge)/(4*ms) : volt', threshold='v > E_L + 10*mV', reset='v = E_L', method=method, name='D')
    D.v, D.ge = E_L, 0.5*mV
    V = Synapses(P, D, on_pre='ge += w', namespace={'w': 25*mV}, name='V')
    V.connect('i >= j')
    V.delay = 'i*ms + j*ms'
    text = export_nir()
    own = spikes([D])
    start_scope()
    P = SpikeGeneratorGroup(4, who, when)
    G = load_nir(text, inputs={'given': P}, method=method)
    G['D'].v = -0.065
    again = spikes([G['D']])
    print(G.names, near(own[0], again[0], 1) if method == 'euler' else abs(len(own[0]) - len(again[0])) <= 1)
`)
	want := ""
	for _, m := range []string{"euler", "rk2", "exact"} {
		want += m + " [True, True, True]\n['D', 'given', 'V_0', 'V_1', 'V_2', 'V_3', 'V_4', 'V_5'] True\n"
	}
	if err != nil || out != want {
		t.Errorf("%q, %v; expected %q", out, err, want)
	}
	out, err = runScript(t, "P = NeuronGroup(2, 'dv/dt = -v/(10*ms) : 1', threshold='v > 1', reset='v = 0', name='P')\nS = Synapses(P, P, 'w : 1', on_pre='v += w*2', name='S')\nS.connect(p=0)\nprint('\"weight\":[[0,0],[0,0]]' in export_nir())")
	if err != nil || out != "True\n" {
		t.Errorf("without synapses: %q, %v", out, err)
	}
	const lif = "P = NeuronGroup(2, 'dv/dt = -v/(10*ms) : 1', threshold='v > 1', reset='v = 0', name='P')\n"
	for _, c := range []struct{ code, says string }{
		{"", "there is no group to be written"},
		{"P = NeuronGroup(2, 'dv/dt = (v*v - v)/ms : 1', threshold='v > 1', reset='v = 0', name='P', method='euler')", "1:31: nir: P has no counterpart in NIR: v*v is not linear"},
		{"P = NeuronGroup(2, 'dv/dt = -v/ms : 1', threshold='v > 1', reset='v -= 1', name='P')", "P has no counterpart in NIR: its reset is v -= 1; NIR's is v = v_reset"},
		{"P = NeuronGroup(2, 'dv/dt = -v/ms : 1', threshold='v > 1', reset='v = 0', refractory=1*ms, name='P')", "NIR's neurons are not refractory"},
		{"P = NeuronGroup(2, 'dv/dt = -v/ms : 1', threshold='v >= 1', reset='v = 0', name='P')", "the threshold is v >= 1; NIR's is v > v_threshold"},
		{"P = NeuronGroup(2, 'dv/dt = -v/ms + xi*ms**-0.5 : 1', threshold='v > 1', reset='v = 0', name='P')", "the noise xi"},
		{"P = NeuronGroup(2, 'dv/dt = v/ms : 1', threshold='v > 1', reset='v = 0', name='P')", "grows with v"},
		{"P = NeuronGroup(2, 'dv/dt = sin(v)/ms : 1', threshold='v > 1', reset='v = 0', name='P')", "sin of a variable: it is not linear"},
		{"P = NeuronGroup(2, 'dv/dt = (t/ms - v)/ms : 1', threshold='v > 1', reset='v = 0', name='P', method='euler')", "it depends on the time t"},
		{"P = NeuronGroup(2, '''dv/dt = -v/ms : 1\ndw/dt = -w/ms : 1\ndx/dt = -x/ms : 1''', name='P')", "it has 3 differential equations"},
		{"P = NeuronGroup(2, '''dv/dt = (w - v)/ms : 1\ndw/dt = (v - w)/ms : 1''', name='P')", "one has to follow the other"},
		{lif + "I = PoissonInput(P, 'v', 10, 5*Hz, weight=0.1)", "has no counterpart in NIR, whose graphs are of neurons, synapses and inputs of spikes"},
		{lif + "P.run_regularly('v = 0', dt=1*ms)", "of run_regularly, only what clears"},
		{"P = NeuronGroup(2, {'model': 'dv/dt = -v/ms : 1', 'threshold': 'v > 1', 'reset': 'v = 0', 'receives': {'unit': '1', 'when': 'before_thresholds', 'receptors': [['v_post += {w}']]}})\n" +
			"S = Synapses(P, P, weight=0.5, name='S')\nS.connect()", "S has no counterpart in NIR: its spikes arrive in the slot 'before_thresholds', a step before"},
		{lif + "S = Synapses(P, P, 'w : 1', on_pre='v += w', on_post='w += 1', name='S')\nS.connect()", "S has no counterpart in NIR: NIR's connections are matrices"},
		{lif + "S = Synapses(P, P, on_pre='v *= 2', name='S')\nS.connect()", "its code is v *= ..., where a variable of the target and += were expected"},
		{lif + "S = Synapses(P, P, on_pre='v_post += v_pre', name='S')\nS.connect()", "what it adds, v_pre, changes"},
		{"P = NeuronGroup(2, '''dv/dt = (g - v)/ms : 1\ng : 1''', threshold='v > 1', reset='v = 0', name='P')\nS = Synapses(P, P, on_pre='g += 1', name='S')\nS.connect()", "dv/dt depends on g, which changes"},
		{lif + "P.active = False", "P is not active"},
		{"P = NeuronGroup(2, 'dv/dt = (k - v)/ms : 1\\nk = rand() : 1 (constant over dt)', threshold='v > 1', reset='v = 0', name='P')", "dv/dt depends on k, which changes"},
		{"P = NeuronGroup(2, 'dv/dt = -v/tau : 1\\ntau : second', threshold='v > 1', reset='v = 0', name='P')", "a time constant is 0"},
		{lif + "S = Synapses(P, P, on_pre='v += 1', name='S')\nS.connect()\nS.pre.active = False", "S is not active"},
	} {
		if out, err := runScript(t, c.code+"\nprint(export_nir())"); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s\ngave %q, %v; expected %q", c.code, out, err, c.says)
		}
	}
}

// TestNIRWithin: what holds itself, and rows of nothing, are refused, and end.
func TestNIRWithin(t *testing.T) {
	for code, says := range map[string]string{
		"d = {'edges': []}\nd['nodes'] = d\nload_nir(d)":                                              "within themselves",
		"l = []\nl.append(l)\nload_nir({'nodes': {'a': {'type': 'Input', 'shape': l}}, 'edges': []})": "within themselves",
		"load_nir({'nodes': {'a': {'type': 'Linear', 'weight': [[], []]}}, 'edges': []})":             "weight is empty",
	} {
		if _, err := runScript(t, code); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s\ngave %v; expected %q", code, err, says)
		}
	}
}

// TestNIR: a graph given as a dictionary is a network that can be driven, trained and written.
func TestNIR(t *testing.T) {
	out, err := runScript(t, `
defaultclock.dt = 1*ms
G = load_nir({'nodes': {
    'in': {'type': 'Input', 'shape': [2]},
    'fc': {'type': 'Linear', 'weight': [[5, 4], [3, 4], [4, 5]]},
    'lif': {'type': 'LIF', 'tau': [0.01]*3, 'r': [1]*3, 'v_leak': [0]*3, 'v_threshold': [1]*3},
    'out': {'type': 'Output', 'shape': [3]}}, 'edges': [('in', 'fc'), ('fc', 'lif'), ('lif', 'out')]})
print(G.names, len(G['lif']), list(G['fc'].w))
spikes = [([0]*8, arange(8)*2*ms), ([1]*8, arange(8)*2*ms)]
r = train(20*ms, G['fc'].w, ce_count_loss(G['lif']), inputs=(G['in'], spikes), targets=[0, 2], optimizer=Adam(lr=0.1),
          surrogate=surrogate.fast_sigmoid(slope=5), epochs=10)
print(r.accuracy[-1], r.loss[-1] < r.loss[0])
again = load_nir({'nodes': {'x': {'type': 'Input', 'shape': [1]}}, 'edges': []})
print(len(G.json()) > 200)
`)
	if want := "['in', 'lif', 'fc'] 3 [5.0, 3.0, 4.0, 4.0, 4.0, 5.0]\n1.0 True\nTrue\n"; err != nil || out != want {
		t.Errorf("%q, %v; expected %q", out, err, want)
	}
	for code, says := range map[string]string{
		"load_nir('nothing.json')":                        "there is no file",
		"load_nir(3)":                                     "graph= is a file of JSON, its text, or a dictionary",
		"load_nir({'nodes': {'a': 1}, 'edges': []})":      "is no dictionary",
		"load_nir({'nodes': {}, 'edges': []})['x']":       "has no population and no synapses",
		"load_nir({'nodes': {}, 'edges': [1*mV]})":        "a number without unit",
		"load_nir({'nodes': {}, 'edges': []}, inputs=[])": "inputs= must be a dictionary",
	} {
		if _, err := runScript(t, code); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v; expected %q", code, err, says)
		}
	}
}
