package engine_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/script"
	"synfire/kernels"
)

// TestTimesFarAway: times before and after everything stay there, and read as what
// they are, at fine steps, as numbers and as texts, in every kind of code.
func TestTimesFarAway(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"a parameter in the past", `
G = NeuronGroup(8, '''tl : second
ok1 = int(t - tl > 5*ms) : 1
ok2 = int(t > tl + 5*ms) : 1
ok3 = int(tl < t - 5*ms) : 1
far = int(t - tl > 1e7*second) : 1
age = t - tl : second
w = exp(-clip((t - tl)/(10*ms), -5, 1e9)) : 1''', threshold='t - tl > 5.05*ms', reset='tl = t')
G.tl = [-1, -1e5, -3e5, -1e6, -1e8, -9e8, 0.02, 1e8]*second
M = StateMonitor(G, ['ok1', 'ok2', 'ok3', 'w', 'age', 'far'], record=True)
S = SpikeMonitor(G)
run(1*ms)
print([int(M.ok1[k][0]) for k in range(8)], [int(M.ok2[k][0]) for k in range(8)], [int(M.ok3[k][0]) for k in range(8)], [int(M.far[k][0]) for k in range(8)])
print([float(M.w[k][0]) for k in range(6)], M.w[6][0] > 7, ['%.5g' % float(M.age[k][0]) for k in range(8)])
print(S.count[:], ['%.5g' % float(x) for x in G.tl[:]])
`, "[1, 1, 1, 1, 1, 1, 0, 0] [1, 1, 1, 1, 1, 1, 0, 0] [1, 1, 1, 1, 1, 1, 0, 0] [0, 0, 0, 0, 1, 1, 0, 0]\n" +
			"[0.0, 0.0, 0.0, 0.0, 0.0, 0.0] True ['1', '1e+05', '3e+05', '1e+06', '1e+08', '9e+08', '-0.02', '-1e+08']\n" +
			"[1 1 1 1 1 1 0 0] ['0', '0', '0', '0', '0', '0', '0.02', '1e+08']\n"},
		{"texts and infinities", `
out = []
for t0 in ['-1.5e5*second', '-inf*second', -inf*second, '-1e30*second', 'inf*second', '-1*second*i']:
    start_scope()
    G = NeuronGroup(2, 'tl : second', threshold='t - tl > 5.05*ms', reset='tl = t')
    G.tl = t0
    shown = str(float(G.tl[1]))
    S = SpikeMonitor(G)
    run(11*ms)
    out.append((shown, list(S.count[:])))
print(out)
`, `[('-150000.0', [3, 3]), ('-inf', [3, 3]), ('-inf', [3, 3]), ('-inf', [3, 3]), ('inf', [0, 0]), ('-1.0', [2, 3])]` + "\n"},
		{"run_regularly, synapses, events", `
G = NeuronGroup(2, '''tl : second
tr : second
te : second
n : integer''', events={'e': 't - te > 3.05*ms'})
G.tl = -1e6*second; G.tr = '-inf*second'; G.te = -1e7*second
G.run_regularly('n += int(t - tr > 1e5*second); tr = t', dt=1*ms)
G.run_on_event('e', 'te = t')
P = SpikeGeneratorGroup(1, [0, 0], [1, 4]*ms)
S = Synapses(P, G, on_pre='n_post += 100*int(t - tl_post > 1*second)\ntl_post = t'); S.connect()
E = EventMonitor(G, 'e')
run(7*ms)
print(G.n[:], E.t/ms, G.tl/ms)
`, "[101 101] [0.  0.  3.1 3.1 6.2 6.2] [4. 4.]\n"},
		{"sums of times", `
G = NeuronGroup(1, '''a : second
b : second''')
G.run_regularly('''a = t
b = t
a = t + 3*ms
b = b - 2*ms''', dt=1*ms)
G.a = -1e9*second
run(1.5*ms)
print(G.a/ms, G.b/ms)
`, "[4.] [-1.]\n"},
		{"a clock that is set late", `
G = NeuronGroup(1, 'tl : second', threshold='True', refractory=1*ms, reset='tl = t')
G.tl = -3*ms
defaultclock.dt = 0.5*ms
print(G.tl/ms, G.lastspike[0] < -9999*second)
run(1*ms)
print(G.tl/ms, G.lastspike/ms)
`, "[-3.] True\n[0.] [0.]\n"},
		{"refractory periods of seconds from a reset", `
defaultclock.dt = 1*ms
G = NeuronGroup(6, '''dv/dt = 1/(10.5*ms) : 1
ref : second''', threshold='v > 1 and not_refractory', reset='v = 0; ref = 0.7*second + i*0.3*second', refractory='ref', method='euler')
G.ref = '1*second + i*0.7*second'
S = SpikeMonitor(G)
run(5*second)
d = []
for k in range(6):
    x = [float(S.t[q]/ms) for q in range(len(S.t)) if S.i[q] == k]
    d += ['%g' % (x[1] - x[0])]
print(d)
`, `['700', '1000', '1300', '1600', '1900', '2200']` + "\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, open := range []func() backend.Backend{onRef, onCPU(2)} {
				if out, _ := run(t, c.src, open); out != c.want {
					t.Errorf("got\n%s\nwant\n%s", out, c.want)
				}
			}
		})
	}
}

// fails runs a script that ends with an error.
func fails(t *testing.T, src string) string {
	t.Helper()
	_, err := script.Run(context.Background(), script.Options{File: "test.star", Src: []byte(src), Stdout: new(bytes.Buffer),
		Open: func() (backend.Backend, error) { return kernels.New(1), nil }})
	if err == nil {
		t.Errorf("no error:\n%s", src)
		return ""
	}
	return err.Error()
}

// TestBeyond: what passes the range of a variable, a step or a table is an error
// that says so, and no other value.
func TestBeyond(t *testing.T) {
	const group = "G = NeuronGroup(3, '''v : 1\ntau : second\nk : integer''')\n"
	for _, c := range []struct{ src, says string }{
		{group + "G.v = '1e30*i'", "passes the largest"},
		{group + "G.v = '1e30'", "passes the largest"},
		{group + "G.tau = '10*ms/i'", "G[0]"},
		{group + "G.k = '1e30'", "does not fit"},
		{group + "G.k = 'i*1e10'", "does not fit"},
		{group + "G.v['i > 0'] = '1e20/i'", "G[1]"},
		{"G = NeuronGroup(3, 'v : 1', threshold='v > 1')\nS = Synapses(G, G, 'w : 1', on_pre='v_post += w'); S.connect(); S.w = '1.0/i'\nprint(S.w[:])", "no value"},
		{"G = NeuronGroup(3, 'v : 1', threshold='v > 1')\nS = Synapses(G, G, 'w : 1', on_pre='v_post += w'); S.connect(); S.w = '1.0/i'\nrun(1*ms)", "out of range"},
		{"stim = TimedArray([1, inf], dt=1*ms)", "value 1 is"},
		{"stim = TimedArray([inf - inf, 1], dt=1*ms)", "value 0 is"},
		{"stim = TimedArray([1, 1e300], dt=1*ms)", "value 1 is"},
		{"stim = TimedArray(array([[1, 2], [3, 4]]), dt=1*ms)\nG = NeuronGroup(3, 'x = stim(t, i) : 1')\nprint(G.x[:])", "column"},
		{"stim = TimedArray(array([[1, 2], [3, 4]]), dt=1*ms)\nG = NeuronGroup(3, 'x = stim(t, 2) : 1')\nrun(1*ms)", "no column 2"},
		{"stim = TimedArray(array([[1, 2], [3, 4]]), dt=1*ms)\nG = NeuronGroup(3, 'x = stim(t, -1) : 1')\nrun(1*ms)", "no column -1"},
		{"stim = TimedArray(array([[1, 2], [3, 4]]), dt=1*ms)\nG = NeuronGroup(3, '''x = stim(t, int(t/ms)) : 1\ny : 1''')\nG.run_regularly('y = x')\nrun(5*ms)", "no column 2"},
		{"stim = TimedArray(array([[1, 2], [3, 4]]), dt=1*ms)\nG = NeuronGroup(3, '''k : integer\ny : 1''', threshold='k > 0', reset='y = stim(t, k)')\nG.k = [0, 1, 2]\nrun(1*ms)", "[2] asks for a column"},
		{"G = NeuronGroup(2, '''x : 1\ny = 1/x : 1''')\nG.x[1] = 1\nM = StateMonitor(G, 'y', record=True)\nrun(1*ms)", "G[0] at 0 s"},
		{"G = NeuronGroup(2, '''x : 1\ny = 1/x : 1''')\nprint(G.y[:])", "G[0]"},
		{group + "run(1e15*second)", "run: 1e+15 s"},
		{group + "run(1e300*second)", "run: 1e+300 s"},
		{"G = NeuronGroup(1, '''y : amp\nz = 1*kamp*sin(t/ms)*amp : amp**2''')\nG.run_regularly('y = 2e6*amp*(t > 1*ms)')\nrun(3*ms)", "passes the largest"},
	} {
		if got := fails(t, c.src); !strings.Contains(got, c.says) {
			t.Errorf("%s\nsays %s", c.src, got)
		}
	}
	out, _ := run(t, `
G = NeuronGroup(2, '''r : ohm
u : volt
x = u/r : amp''', threshold='u > 0*mV')
G.r = 0.5*mohm
G.u = [1, 2]*mV
stim = TimedArray([2, 3]*amp, dt=1*ms)
H = NeuronGroup(2, '''s = stim(t) : amp
p = stim(t + i*ms) : amp''')
S = SpikeMonitor(G, variables=['x'])
M = StateMonitor(G, 'x', record=True)
N = StateMonitor(H, 'p', record=True)
run(0.1*ms)
print(G.x/amp, [float(M.x[k][0]/amp) for k in range(2)], S.x/amp, [float(N.p[k][0]/amp) for k in range(2)])
`, onCPU(1))
	if out != "[2. 4.] [2.0, 4.0] [2. 4.] [2.0, 3.0]\n" {
		t.Error(out)
	}
	// Columns that are there are read without a check, elsewhere they are not read.
	out, _ = run(t, `
stim = TimedArray(array([[1, 2, 3], [4, 5, 6]]), dt=1*ms)
G = NeuronGroup(5, '''y : 1
z : 1''', threshold='i == 1', reset='z = stim(t, 2*i)')
G[:3].run_regularly('y = stim(t, i)')
run(1*ms)
print(G.y[:], G.z[:])
`, onCPU(1))
	if out != "[1. 2. 3. 0. 0.] [0. 3. 0. 0. 0.]\n" {
		t.Error(out)
	}
}
