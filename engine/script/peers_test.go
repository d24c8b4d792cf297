package script_test

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/script"
	"synfire/kernels"
)

const showFunction = "def show(name, x): print(name + ''.join([' %g' % float(v) for v in x]))\n"

// TestBrian2 runs the scripts of testdata/brian2 and compares what they show with
// what Brian2 2.10.1 shows for the same text (NAME.txt, made by run.py there with
// its numpy target): the same numbers to 10^-4 of the largest of a line.
func TestBrian2(t *testing.T) {
	files, err := filepath.Glob("testdata/brian2/*.star")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".star"), func(t *testing.T) {
			t.Parallel()
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(strings.TrimSuffix(file, ".star") + ".txt")
			if err != nil {
				t.Fatal(err)
			}
			got, _, err := simulate(t, showFunction+string(src), script.Options{})
			if err != nil {
				t.Fatal(err)
			}
			cpu, _, err := simulate(t, showFunction+string(src), script.Options{Open: func() (backend.Backend, error) { return kernels.New(2), nil }})
			if err != nil || cpu != got {
				t.Errorf("the cpu backend shows something else than the reference (%v)", err)
			}
			ours, theirs := strings.Split(got, "\n"), strings.Split(string(want), "\n")
			if len(ours) != len(theirs) {
				t.Fatalf("%d lines, Brian2 shows %d", len(ours), len(theirs))
			}
			for k := range ours {
				compareShown(t, strings.Fields(ours[k]), strings.Fields(theirs[k]))
			}
		})
	}
}

func compareShown(t *testing.T, ours, theirs []string) {
	t.Helper()
	if len(ours) != len(theirs) {
		t.Errorf("%.10q\nhas %d words, Brian2's %.10q\nhas %d", ours, len(ours), theirs, len(theirs))
		return
	}
	largest := 0.0
	for _, w := range theirs[min(1, len(theirs)):] {
		if v, err := strconv.ParseFloat(w, 64); err == nil {
			largest = max(largest, math.Abs(v))
		}
	}
	for k, w := range theirs {
		v, err := strconv.ParseFloat(w, 64)
		if err != nil {
			if w != ours[k] {
				t.Errorf("%q, Brian2: %q", ours[k], w)
			}
			continue
		}
		if u, err := strconv.ParseFloat(ours[k], 64); err != nil || math.Abs(u-v) > 1e-4*largest+1e-9 {
			t.Errorf("%s, value %d: %s, Brian2: %s", theirs[0], k-1, ours[k], w)
			return
		}
	}
}

// TestRunErrors: errors that run() finds, where they stand and what they say.
func TestRunErrors(t *testing.T) {
	const lack = "G = NeuronGroup(4, 'x : 1\\nq = 1/x : 1\\nw = ta(0*ms, i) : 1\\ny : 1')\nta = TimedArray([[1, 2], [3, 4]], dt=1*ms)\nG.x = [1, 2, 0, 4]\nS = Synapses(G, G, 'p = 1/x_pre : 1\\nz = ta(0*ms, i) : 1')\nS.connect(j='i')\n" // values of some neurons and synapses
	for _, c := range []struct{ name, src, at, want string }{
		{"list outside the equations", "G = NeuronGroup(1, 'dv/dt = -v/tau : 1')\ntau = [1, 2]*ms\nrun(1*ms)", "1:32", "'tau' is a list of values outside the equations"},
		{"shared in reset", "G = NeuronGroup(1, 'v : 1\\ng : 1 (shared)', threshold='v > 1', reset='g += 1')\nrun(1*ms)", "1:", "cannot assign to the shared variable 'g'"},
		{"shared in pathway", "G = NeuronGroup(1, 'v : 1\\ng : 1 (shared)', threshold='v > 1')\nS = Synapses(G, G, on_pre='g += 1')\nS.connect()\nrun(1*ms)", "2:28", "cannot assign to the shared variable 'g'"},
		{"asked for", lack + "print(G.q[2])", "6:", "G[2]: q has no value"},
		{"asked for among others", lack + "print(G.q[[0, 2]])", "6:", "G[2]: q has no value"},
		{"of a part", lack + "print(G[1:].q[:])", "6:", "G[2]: q has no value"},
		{"a column asked for", lack + "print(G.w[2])", "6:", "asks for a column"},
		{"a column for some", lack + "G.y['i > 1'] = 'ta(0*ms, i)'", "6:", "asks for a column"},
		{"a synapse's", lack + "print(S.p[2])", "6:", "S, synapse 2: p has no value"},
		{"a synapse's column", lack + "print(S.z[3])", "6:", "asks for a column"},
		{"recorded of some", lack + "H = NeuronGroup(3, 'x : 1\\nq = log(x) : 1')\nH.x = [1, 0, 1]\nM = StateMonitor(H, 'q', record=[1])\nrun(1*ms)", "9:", "H[1] at 0 s, as recorded: q has no value"},
		{"recorded of all that share it", lack + "H = NeuronGroup(3, 'x : 1 (shared)\\nq = log(x) : 1 (shared)')\nM = StateMonitor(H, 'q', record=True)\nrun(1*ms)", "8:", "H at 0 s, as recorded: q has no value"},
		{"a number that wraps", "G = NeuronGroup(3, 'k : integer\\nv : 1')\nG.k = [65536, 2, 3]\nS = Synapses(G, G)\nS.connect(n='k_pre*65536')", "4:", "does not fit in a whole number of 32 bits"},
		{"a bound that wraps", "G = NeuronGroup(3, 'k : integer\\nv : 1')\nG.k = [65536, 2, 3]\nS = Synapses(G, G)\nS.connect(j='x for x in range(k_pre*65536)')", "4:", "does not fit in a whole number of 32 bits"},
		{"an index that wraps", "G = NeuronGroup(3, 'k : integer\\nv : 1')\nG.k = [65536, 2, 3]\nS = Synapses(G, G)\nS.connect(j='k_pre*65536 + i', skip_if_invalid=True)", "4:", "does not fit in a whole number of 32 bits"},
		{"a constant in a product", "G = NeuronGroup(3, 'k : integer\\nv : 1')\nG.k = [65536, 2, 3]\nS = Synapses(G, G)\nG.v = 'k*3000000000'", "4:10", "3000000000 does not fit in a whole number"},
		{"a constant in a sum", "G = NeuronGroup(3, 'k : integer\\nv : 1')\nG.k = [65536, 2, 3]\nS = Synapses(G, G)\nG.v = '65536*65536 + i'", "4:", "4294967296 does not fit in a whole number"},
		{"a constant cut", "G = NeuronGroup(3, 'k : integer\\nv : 1')\nG.k = [65536, 2, 3]\nS = Synapses(G, G)\nG.v = 'int(3e9)'", "4:", "3000000000 does not fit in a whole number"},
		{"a constant outside", "G = NeuronGroup(3, 'k : integer\\nv : 1')\nG.k = [65536, 2, 3]\nS = Synapses(G, G)\nbig = 3000000000\nG.v = 'i*big'", "5:", "3000000000 does not fit in a whole number"},
		{"beyond memory", "G = NeuronGroup(1000000, 'v : 1', threshold='v>1')\nS = Synapses(G, G, on_pre='v_post += 1')\nS.connect(p=0.5)\nrun(1*ms)", "4:1", "memory"},
	} {
		_, _, err := simulate(t, c.src, script.Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "test.star:"+c.at) {
			t.Errorf("%s: the error is not at %s or lacks %q:\n%v", c.name, c.at, c.want, err)
		}
	}
}
