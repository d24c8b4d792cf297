package engine_test

import (
	"testing"

	"synfire/engine/backend"
)

// TestSeedRestarts: what is drawn after seed(s) repeats from the same state of the
// script, whatever draws it, and what is drawn after one seed does not repeat itself.
func TestSeedRestarts(t *testing.T) {
	const trial = `
def trial(s, scope, named):
    if scope: start_scope()
    if s != None: seed(s)
    P = PoissonGroup(20, rates=100*Hz, name='P' if named else None)
    Q = PoissonGroup(20, rates='(100 + i)*Hz', name='Q' if named else None)
    G = NeuronGroup(20, '''dv/dt = -v/(10*ms) + xi/sqrt(ms) : 1
        u : 1
        w : 1''', method='euler', threshold='rand() < 0.01', reset='w += randn()', name='G' if named else None)
    G.u = 'rand()'
    G.u['rand() < 0.5'] = 'randn()'
    G.run_regularly('w += rand() + poisson(2)', dt=1*ms)
    S = Synapses(P, G, 'k : 1', on_pre='v_post += k*rand()', name='S' if named else None); S.connect(p=0.3); S.connect(j='k for k in sample(N_post, p=0.1)')
    S.k = 'rand()'
    S.k['rand() < 0.5'] = 2
    S.delay = '1*ms*rand()'
    X = PoissonInput(G, 'v', N=10, rate=100*Hz, weight=0.1)
    M = SpikeMonitor(P); O = SpikeMonitor(Q); L = StateMonitor(G, 'v', record=[3])
    net = Network(P, Q, G, S, X, M, O, L)
    net.run(20*ms)
    r = [list(G.u[:]), list(G.v[:]), list(G.w[:]), list(M.t[:]), list(O.t[:]), list(S.i[:]), list(S.j[:]), list(S.k[:]), list(S.delay[:]), list(rand(5)), list(randn(5))]
    net.run(20*ms)
    return r + [list(G.v[:]), list(O.t[:])]
def shows(what, seeds, scope, named, same, other):
    r = [trial(s, scope, named) for s in seeds]
    ok = all([r[same[0]][k] == r[same[1]][k] for k in range(len(r[0]))]) if same else True
    differ = all([r[other[0]][k] != r[other[1]][k] for k in range(len(r[0]))])
    print(what, ok, differ)
`
	for _, c := range []struct{ name, src, want string }{
		{"trials of one seed are equal", trial + "shows('scope', [5, 6, 5], True, False, [0, 2], [0, 1])\nshows('loop', [5, 6, 5], False, False, [0, 2], [0, 1])\n", "scope True True\nloop True True\n"},
		{"named objects", trial + "shows('named', [5, 6, 5], True, True, [0, 2], [0, 1])\n", "named True True\n"},
		{"the seed at first", trial + "seed(3)\nshows('again', [3, None, 3], True, False, [0, 2], [0, 1])\n", "again True True\n"},
		{"without a seed trials differ", trial + "shows('differ', [None, None], True, False, [], [0, 1])\nshows('named', [None, None], True, True, [], [0, 1])\n", "differ True True\nnamed True True\n"},
		{"after one seed trials differ", trial + "seed(1)\nshows('differ', [None, None], True, False, [], [0, 1])\nseed(1)\nshows('named', [None, None], True, True, [], [0, 1])\n", "differ True True\nnamed True True\n"},
		{"noise is frozen, run after run", `
G = NeuronGroup(5, 'dv/dt = -v/(10*ms) + xi/sqrt(ms) : 1', method='euler')
H = NeuronGroup(5, 'dv/dt = -v/(10*ms) + xi/sqrt(ms) : 1', method='euler')
P = PoissonGroup(50, rates=200*Hz)
M = SpikeMonitor(P)
net = Network(G, H, P, M)
v, n = [], []
for s in [9, 9, 4, 9]:
    seed(s)
    before = M.num_spikes
    H.v = 'rand()'; G.v = 'rand()'
    net.run(5*ms); net.run(2.5*ms)
    v.append(list(G.v[:]) + list(H.v[:])); n.append(M.num_spikes - before)
print(v[0] == v[1], v[0] == v[2], v[0] == v[3], n[0] == n[1], n[0] == n[3])
print(v[0][:5] != v[0][5:])
`, "True False True True True\nTrue\n"},
		{"old and new objects in one network draw numbers of their own", `
seed(1)
A = NeuronGroup(100, 'dv/dt = -v/(10*ms) + xi/sqrt(ms) : 1', method='euler')
run(1*ms)
seed(1)
B = NeuronGroup(100, 'dv/dt = -v/(10*ms) + xi/sqrt(ms) : 1', method='euler')
A.v = 0
run(1*ms)
print(list(A.v[:]) != list(B.v[:]))
`, "True\n"},
		{"weights that stay are those of their seed", `
P = NeuronGroup(10, 'v : 1'); S = Synapses(P, P, 'w : 1'); S.connect()
seed(7); S.w = 'rand()'; a = list(S.w[:])
seed(8); b = list(S.w[:]); S.w = 'rand()'; c = list(S.w[:])
seed(7); S.w = 'rand()'; d = list(S.w[:])
print(a == b, a == c, a == d)
run(1*ms)
`, "True False True\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var hash string
			for _, open := range []func() backend.Backend{onRef, onCPU(2)} {
				out, h := run(t, c.src, open)
				if out != c.want {
					t.Errorf("got\n%s\nwant\n%s", out, c.want)
				}
				if hash == "" {
					hash = h
				} else if h != hash {
					t.Error("the backends differ")
				}
			}
		})
	}
}
