package engine_test

import (
	"strings"
	"testing"

	"synfire/engine/backend"
)

// TestOnTheirWay: spikes that are on their way when synapses become inactive are
// lost, as are those of the time in which they are; what comes later arrives.
func TestOnTheirWay(t *testing.T) {
	const src = `
K = SpikeGeneratorGroup(1, [0]*9, [0.1, 0.8, 0.95, 1.05, 1.15, 1.4, 2.1, 2.9, 3.2]*ms)
H = NeuronGroup(3, 'n : 1')
S = Synapses(K, H, 'w : 1', on_pre='n_post += 1', delay=0.3*ms)
S.connect()
T = Synapses(K, H, 'w : 1', on_pre={'pre': 'n_post += 10', 'learn': 'w += 1'}, delay={'pre': 0.3*ms, 'learn': 0.3*ms})
T.connect(j='1')
V = StateMonitor(T, 'w', record=[0], dt=0.5*ms)
`
	for _, c := range []struct{ name, code, want string }{
		{"always", "run(3.6*ms)", "[ 9. 99.  9.] [9.]"},
		{"off for a moment", "run(1*ms); S.active = False; T.active = False; run(0.1*ms); S.active = True; T.active = True; run(2.5*ms)", "[ 6. 66.  6.] [6.]"},
		{"off at first", "S.active = False; T.active = False; run(1*ms); S.active = True; T.active = True; run(2.6*ms)", "[ 6. 66.  6.] [6.]"},
		{"a pathway", "run(1*ms); T.learn.active = False; run(1*ms); T.learn.active = True; run(1.6*ms)", "[ 9. 99.  9.] [4.]"},
		{"a pathway of sums", "run(1*ms); T.pre.active = False; run(1*ms); T.pre.active = True; run(1.6*ms)", "[ 9. 49.  9.] [9.]"},
		{"new delays meanwhile", "run(1*ms); S.active = False; T.active = False; run(0.1*ms); S.delay = 0.1*ms; run(0.1*ms); S.active = True; T.active = True; run(2.4*ms)", "[ 5. 55.  5.] [5.]"},
		{"off at the end", "run(3*ms); S.active = False; T.active = False; run(1*ms)", "[ 7. 77.  7.] [7.]"},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			for _, open := range []func() backend.Backend{onRef, onCPU(1), onCPU(3)} {
				out, _ := run(t, src+c.code+"\nprint(H.n[:], T.w[:])", open)
				if strings.TrimSpace(out) != c.want {
					t.Errorf("prints %s, want %s", out, c.want)
				}
			}
		})
	}
}
