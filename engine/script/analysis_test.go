package script

import (
	"math/rand/v2"
	"strings"
	"testing"

	"synfire/engine/backend"
	"synfire/kernels/ref"
)

func onRef() (backend.Backend, error) { return ref.New(), nil }

// TestMeasures gives the functions of analysis what monitors have recorded, and lists.
func TestMeasures(t *testing.T) {
	const recorded = `
C = SpikeGeneratorGroup(3, [0]*10 + [1]*5, ([10*k + 1 for k in range(10)] + [20*k + 1 for k in range(5)])*ms)
S, R = SpikeMonitor(C), PopulationRateMonitor(C)
G = NeuronGroup(2, 'v = sin(2*pi*100*Hz*t + i*pi/2) : 1')
M = StateMonitor(G, 'v', record=True)
run(100*ms)
`
	for _, c := range []struct{ name, src, want string }{
		{"rates", "print(analysis.rates(S), analysis.mean_rate(S))", "[100.  50.   0.] Hz 50. Hz"},
		{"a window", "print(analysis.rates(S, start=50*ms, stop=90*ms))", "[100.  50.   0.] Hz"},
		{"S.it", "print(analysis.rates(S.it, stop=100*ms))", "[100.  50.] Hz"},
		{"S.it and n", "print(analysis.rates(S.it, stop=100*ms, n=3))", "[100.  50.   0.] Hz"},
		{"trains", "print(analysis.rates(S.spike_trains(), stop=100*ms))", "[100.  50.   0.] Hz"},
		{"lists", "print(analysis.rates([[1, 2]*ms, [], [3]*ms], stop=100*ms))", "[20.  0. 10.] Hz"},
		{"two lists", "print(analysis.rates([[1, 2]*ms, [3, 4]*ms], stop=100*ms))", "[20. 20.] Hz"},
		{"one list", "print(analysis.mean_rate([1, 2]*ms, stop=100*ms), analysis.mean_rate([1*ms, 2*ms], stop=100*ms))", "20. Hz 20. Hz"},
		{"counts", "print(analysis.counts(S, 50*ms), analysis.counts(S, 50*ms, each=True))", "[8. 7.] [[5. 5.]\n [3. 2.]\n [0. 0.]]"},
		{"population rate", "print(analysis.population_rate(S, 50*ms))", "[53.33333333 46.66666667] Hz"},
		{"intervals", "print(analysis.isi(S))", "[10. 10. 10. 10. 10. 10. 10. 10. 10. 20. 20. 20. 20.] ms"},
		{"irregularity", "print(round(analysis.cv(S), 12), analysis.cv(S, least=5, each=True)[1], round(analysis.cv2(S), 12))", "0.0 nan 0.0"},
		{"Fano", "print(analysis.fano([2, 4]), analysis.fano([[2, 4], [1, 1]]))", "0.3333333333333333 [0.33333333 0.        ]"},
		{"correlation", "print(round(analysis.correlation([[1, 11]*ms, [1, 21]*ms], 10*ms, stop=40*ms), 12), analysis.correlation_matrix([[1, 0, 1, 0], [0, 1, 0, 1]]))", "0.0 [[ 1. -1.]\n [-1.  1.]]"},
		{"correlogram", "print(*analysis.cross_correlogram(S, 0, 1, bin=10*ms, lag=10*ms))", "[-10.   0.  10.] ms [5. 5. 4.]"},
		{"spectrum", "f, p = analysis.spectrum(M.v[0], dt=0.1*ms, window=50*ms)\nprint(analysis.peak(f, p), round(analysis.band_power(f, p, 50*Hz, 150*Hz), 6))", "100. Hz 0.5"},
		{"spectrum of a rate", "f, p = analysis.spectrum(R, window=20*ms)\nprint(len(f), p.dim)", "101 hertz"},
		{"coherence", "f, c = analysis.coherence(M.v[0], M.v[1], dt=0.1*ms, window=20*ms)\nprint(round(c[2], 6))", "1.0"},
		{"synchrony", "print(round(analysis.synchrony(M.v), 6))", "0.5"},
		{"Kuramoto", "t, r = analysis.kuramoto([[0, 10, 20]*ms, [5, 15, 25]*ms], dt=6*ms, stop=26*ms)\nprint(t, [round(x, 9) for x in r])", "[ 0.  6. 12. 18.] ms [1.0, 0.0, 0.0, 0.0]"},
		{"distances", "print(analysis.victor_purpura([1, 2]*ms, [1]*ms, 5*Hz), analysis.van_rossum([1, 2]*second, [1]*second, 1*ms))", "1.0 1.0"},
		{"bursts", "print(*analysis.bursts([1, 2, 3, 9]*ms, isi=1*ms))", "[1.] ms [3.] ms [3]"},
		{"avalanches", "print(*analysis.avalanches(S, 2*ms))", "[1 2 1 2 1 2 1 2 1] [1 1 1 1 1 1 1 1 1]"},
		{"no avalanches", "print(*analysis.avalanches([]*ms, 2*ms, stop=10*ms, n=1))", "[] []"},
		{"branching", "print(analysis.branching_ratio(S, 2*ms))", "0.0"},
		{"graph", "W = array([[0, 1, 1, 0], [1, 0, 1, 0], [1, 1, 0, 1], [0, 0, 1, 0]])\nprint(analysis.degrees(W), mean(analysis.clustering(W)), analysis.path_length(W))\nc = [0, 0, 0, 1]\nprint(analysis.modularity(W, c), round(analysis.participation(W, c)[2], 12), analysis.within_module_z(W, c)[2], analysis.communities(W > 0))",
			"[2 2 3 1] 0.5833333333333334 1.3333333333333333\n-0.03125 0.444444444444 0.0 [0 0 1 1]"},
		{"small world", "print(len(analysis.small_world(eye(4, k=1) + eye(4, k=-1))))", "3"},
		{"no spikes", "print(analysis.cv([]*ms, n=2, stop=1*ms), analysis.correlation([]*ms, 1*ms, n=2, stop=1*ms), analysis.mean_rate([]*ms, n=2, stop=1*ms))", "nan nan 0. Hz"},
		{"a monitor made later", "L = SpikeMonitor(C)\nrun(100*ms)\nprint(analysis.mean_rate(L), analysis.mean_rate(L, start=0*ms))", "0. Hz 0. Hz"},
		{"one made later, of a cell that fires", "P = SpikeGeneratorGroup(1, [0], [5]*ms, period=10*ms)\nrun(50*ms)\nL = SpikeMonitor(P)\nrun(50*ms)\nprint(analysis.mean_rate(L), analysis.mean_rate(L, start=50*ms))", "100. Hz 33.33333333 Hz"},
		{"an import", "import analysis\nfrom analysis import mean_rate as r\nprint(r(S), analysis.mean_rate(S))", "50. Hz 50. Hz"},
	} {
		out, _, err := runText(t, recorded+c.src, Options{Open: onRef})
		if out = strings.TrimSpace(out); err != nil || out != c.want {
			t.Errorf("%s: printed\n%s\nexpected\n%s\n%v", c.name, out, c.want, err)
		}
	}
}

// TestMeasuresErrors gives them what they cannot take.
func TestMeasuresErrors(t *testing.T) {
	const recorded = `
G = NeuronGroup(2, 'v : 1', threshold='v > 1', reset='')
S, Q, M = SpikeMonitor(G), SpikeMonitor(G, record=False), StateMonitor(G, 'v', record=True)
run(1*ms)
L = SpikeMonitor(NeuronGroup(1, 'v : 1', threshold='v > 1', reset=''))
`
	for _, c := range []struct{ src, want string }{
		{"analysis.rates(M)", "spikes= must be a SpikeMonitor, not a StateMonitor"},
		{"analysis.rates(Q)", "counts spikes, but does not record them"},
		{"analysis.rates(L)", "has recorded nothing yet: run() comes first"},
		{"analysis.rates([1, 2], stop=1*second)", "must hold times in seconds"},
		{"analysis.rates([1, 2]*ms)", "needs stop=, the end of what was observed"},
		{"analysis.rates('S')", "spikes= must be a list of times, such as S.t, not"},
		{"analysis.rates(([0, 1], [1]*ms), stop=1*ms)", "as many times as neurons"},
		{"analysis.rates(([0, -1], [1, 2]*ms), stop=1*ms)", "a spike of neuron -1"},
		{"analysis.rates({'a': [1]*ms}, stop=1*ms)", "has neurons as keys"},
		{"analysis.rates([], stop=1*ms)", ""},
		{"analysis.rates([[1]*ms, [2]*ms], n=1, stop=5*ms)", "there are 1 neurons"},
		{"analysis.rates({}, stop=1*ms)", "has no neuron"},
		{"analysis.rates(S, start=1*ms)", "nothing was observed: from 0.001 s to 0.001 s"},
		{"analysis.counts(S, 0*ms)", "bin= must be a positive time"},
		{"analysis.counts(S, 1)", "needs a unit"},
		{"analysis.counts(S, 1*second)", "longer than what was observed"},
		{"analysis.counts(S, 1e-30*second)", "memory"},
		{"analysis.counts(S)", "counts() needs the argument bin"},
		{"analysis.cv(S, leest=3)", "did you mean 'least'?"},
		{"analysis.fano(S)", "counts= must be a list or a table of numbers"},
		{"analysis.fano([])", "has no values"},
		{"analysis.cross_correlogram(S, 0, 2, 0.1*ms, 0.1*ms)", "j=2: there are 2 neurons"},
		{"analysis.cross_correlogram(S, 0, 1, 0.1*ms, 1*second)", "lag= must be a time between 0 and"},
		{"analysis.spectrum([1, 2, 3])", "spectrum() needs dt="},
		{"analysis.spectrum([1, 2, 3], dt=1*ms)", "the signal has 3 samples, fewer than one segment of 500"},
		{"analysis.spectrum(M.v, dt=1*ms)", "must be one list of samples, not a table of 2 rows"},
		{"analysis.spectrum(S)", "must be a list of samples or a PopulationRateMonitor"},
		{"analysis.spectrum([1]*9, dt=1*ms, window=1*ms)", "two samples or more"},
		{"analysis.coherence([1]*9, [1]*8, dt=1*ms, window=4*ms)", "9 and 8 samples"},
		{"analysis.band_power([1, 2], [1, 2], 1*Hz, 2*Hz)", "frequencies= must be in Hz"},
		{"analysis.band_power([1, 2]*Hz, [1], 1*Hz, 2*Hz)", "2 frequencies, but 1 values"},
		{"analysis.band_power([1, 2]*Hz, [1, 2], 2*Hz, 1*Hz)", "low= must be below high="},
		{"analysis.victor_purpura([1]*ms, [2]*ms, -1*Hz)", "0 or more"},
		{"analysis.van_rossum([1]*ms, [2]*ms, 0*ms)", "tau= must be a positive time"},
		{"analysis.bursts([[1], [2]]*ms, 1*ms)", "times= must be a list of times"},
		{"analysis.clustering([1, 2])", "w= must be a table of n by n weights"},
		{"analysis.clustering([[0, 1], [2, 0]])", "take W + W.T"},
		{"analysis.clustering([[0, -1], [-1, 0]])", "take a threshold first"},
		{"analysis.modularity([[0, 1], [1, 0]], [1])", "there are 2 nodes, but communities of 1"},
		{"analysis.entropy(S)", "analysis has no entropy here"},
	} {
		_, _, err := runText(t, recorded+c.src, Options{Open: onRef})
		if c.want == "" {
			if err != nil {
				t.Errorf("%s gives %v", c.src, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s gives %v\nexpected %q", c.src, err, c.want)
		}
	}
}

// TestRandomMeasures calls them with random arguments: none panics.
func TestRandomMeasures(t *testing.T) {
	defer lowLimits()()
	dir := t.TempDir()
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 15))
		w := &writer{choices: make([]byte, 6000)}
		for k := range w.choices {
			w.choices[k] = byte(r.Uint32())
		}
		src := randomScript(nil) + "run(0.3*ms)\n"
		w.vars = 12
		for _, m := range measures {
			for range 4 {
				src += "attempt(lambda: analysis." + m.name + "(" + w.arguments(m.params, 1) + "))\n"
			}
		}
		runRandom(t, dir, src)
	}
}
