package script

import (
	"strings"
	"testing"

	"synfire/engine/backend"
	"synfire/kernels"
	"synfire/kernels/ref"
)

// TestDtBetweenRuns changes the step of the default clock between runs: clocks go on
// from the time that was reached, and what is on its way arrives when it is due.
func TestDtBetweenRuns(t *testing.T) {
	const model = `
G = NeuronGroup(2, 'dv/dt = (1.2 - v)/(3*ms) : 1 (unless refractory)', threshold='v > 1', reset='v = 0', refractory=1*ms, method='exact')
G.v = [0, 0.5]
S = Synapses(G, G, on_pre='v_post += 0.1', delay=1*ms)
S.connect(j='1 - i')
M = StateMonitor(G, 'v', record=True)
R = PopulationRateMonitor(G)
K = SpikeMonitor(G)
run(5*ms)
defaultclock.dt = 0.5*ms
run(2*ms)
print(M.t[48:]/ms, R.t[48:]/ms, M.v[1][52] - 0.42199 > 0.0999, defaultclock.t, G.dt)
store()
defaultclock.dt = 0.1*ms
run(0.3*ms)
defaultclock.dt = 0.02*ms
run(0.1*ms)
print(len(M.t), M.t[-1]/ms, M.t[57], G.t)
`
	want := `[4.8 4.9 5.  5.5 6.  6.5] [4.8 4.9 5.  5.5 6.  6.5] True 7. ms 0.5 ms
62 7.38 7.3 ms 7.4 ms
`
	hashes := map[string]bool{}
	for name, open := range map[string]func() backend.Backend{"ref": func() backend.Backend { return ref.New() }, "cpu": func() backend.Backend { return kernels.New(2) }} {
		out, _, err := runText(t, model, Options{Open: func() (backend.Backend, error) { return open(), nil }, AfterRun: func(r *Result) error {
			spikes, state, err := r.Net.Hash()
			if r.Net.Step > 100 { // the last run, in fine steps
				hashes[spikes+state] = true
			}
			return err
		}})
		if err != nil || out != want {
			t.Errorf("%s: %v\n%s\nexpected\n%s", name, err, out, want)
		}
	}
	if len(hashes) != 1 {
		t.Errorf("hashes %v", hashes)
	}
	for _, c := range []struct{ src, want string }{
		{"defaultclock.dt = 0.3*ms\nrun(1*ms)", "cannot change from 0.0001 s to 0.0003 s: G has run to 0.001 s, which is not a multiple of that"},
		{"defaultclock.dt = 0.3*ms\ndel G\nH = NeuronGroup(1, 'v : 1')\nrun(0.9*ms)\nprint(H.t)", ""},
		{"op = network_operation(change)\nrun(1*ms)", "a network_operation cannot do this"},
	} {
		_, _, err := runText(t, "def change():\n    defaultclock.dt = 0.5*ms\nG = NeuronGroup(1, 'v : 1')\nrun(1*ms)\n"+c.src, Options{Open: func() (backend.Backend, error) { return ref.New(), nil }})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v", c.src, err)
		}
	}
}
