package script

import (
	"strings"
	"testing"

	"synfire/engine/backend"
	"synfire/kernels/ref"
)

// TestSpikes reads who fired in the last step, as Brian2's group.spikes: also of a
// group with a longer step, of a part, inside an operation, and of a restored network.
func TestSpikes(t *testing.T) {
	run := func(src string) string {
		t.Helper()
		out, _, err := runText(t, src, Options{Open: func() (backend.Backend, error) { return ref.New(), nil }})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	out := run(`
G = NeuronGroup(40, 'x : 1', threshold='(i + t_in_timesteps) % 20 == 3')
H = NeuronGroup(3, 'x : 1', threshold='i == 1', dt=0.5*ms)
print(list(G.spikes))
run(0.3*ms)
print(list(G.spikes), list(G[10:30].spikes), list(H.spikes))
store()
op = NetworkOperation(lambda: print('op', list(G.spikes)), when='end')
run(0.2*ms)
op.active = False
print(list(G.spikes), list(H.spikes))
`)
	want := `[]
[1, 21] [11] [1]
op [0, 20]
op [19, 39]
[19, 39] [1]
`
	if out != want {
		t.Errorf("%s\nexpected\n%s", out, want)
	}
	if out = run(`
G = NeuronGroup(40, 'x : 1', threshold='(i + t_in_timesteps) % 20 == 3')
H = NeuronGroup(3, 'x : 1', threshold='i == 1', dt=0.5*ms)
run(0.3*ms)
store()
run(0.5*ms)
restore()
print(list(G.spikes), list(H.spikes))
`); out != "[1, 21] [1]\n" {
		t.Error(out)
	}
	if _, _, err := runText(t, "G = NeuronGroup(1, 'x : 1')\nprint(G.spikes)", Options{}); err == nil || !strings.Contains(err.Error(), "it has no threshold") {
		t.Error(err)
	}
}
