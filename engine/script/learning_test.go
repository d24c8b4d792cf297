package script_test

import (
	"strings"
	"testing"

	"synfire/engine/script"
)

// TestSynapseOfPair: S.w[i, j, k] is the kth synapse of a pair, and S[a:b, :] takes slices.
func TestSynapseOfPair(t *testing.T) {
	got, _, err := simulate(t, `P = NeuronGroup(3, 'x : 1')
S = Synapses(P, P, 'w : 1', multisynaptic_index='k')
S.connect(i=[0, 0, 1], j=[0, 1, 1], n=3)
S.connect(i=0, j=1)
S.w = 'k + 10*i + 100*j'
print(S.w[0, 1, 3], S.w[0, :, 2], S.w[:, 1, ::2], S.w[2, :, 0])
S.w[:, :, 0] = -1
print(S.w[:], S[0, 1, 2], S[0:2, 1, :2], S[1:, :])`, script.Options{})
	const want = `[103.] [  2. 102.] [100. 102. 110. 112.] []
[ -1.   1.   2.  -1. 101. 102.  -1. 111. 112. 103.] [5] [3 4 6 7] [6 7 8]
`
	if err != nil || got != want {
		t.Errorf("%v\n%s", err, got)
	}
}

// TestLearningRefusals: what synapses that learn cannot do is told with a way out.
func TestLearningRefusals(t *testing.T) {
	const of = "P = SpikeGeneratorGroup(2, [0], [1]*ms)\nG = NeuronGroup(2, 'v : 1')\n"
	for _, c := range []struct{ name, src, at, want, hint string }{
		{"a third index without numbers", of + "S = Synapses(P, G, 'w : 1')\nS.connect()\nprint(S.w[0, :, 1:])", "5:10", "multisynaptic_index='k'", ""},
		{"a number beyond", of + "S = Synapses(P, G, 'w : 1', multisynaptic_index='k')\nS.connect()\nprint(S.w[0, 0, 1])", "5:10", "index 1 is out of range", ""},
		{"linked", of + "S = Synapses(P, G, 'x : 1 (linked)')", "3:21", "(linked) is not available", "x_pre or x_post"},
		{"event-driven, read from others", of + "S = Synapses(P, G, 'da/dt = -a/ms : 1 (event-driven)', on_pre='a += 1')\nS.connect()\nT = Synapses(P, S, 'x : 1', on_pre='x += a_post')", "5:37", "the variable 'a' of S is event-driven", "declare 'a' (clock-driven) there"},
		{"event-driven, assigned from others", of + "S = Synapses(P, G, 'da/dt = -a/ms : 1 (event-driven)', on_pre='a += 1')\nS.connect()\nT = Synapses(P, S, on_pre='a += 1')", "5:28", "the variable 'a' of S is event-driven", "declare 'a' (clock-driven) there"},
	} {
		_, _, err := simulate(t, c.src, script.Options{})
		if err == nil || !strings.Contains(err.Error(), "test.star:"+c.at) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.hint) {
			t.Errorf("%s: the error is not at %s or lacks %q and %q:\n%v", c.name, c.at, c.want, c.hint, err)
		}
	}
	if _, _, err := simulate(t, of+"S = Synapses(P, G, 'w : 1', on_pre='v_post += w', on_post='')\nS.connect()\nrun(2*ms)", script.Options{}); err != nil {
		t.Errorf("on_post='' is no pathway: %v", err)
	}
}
