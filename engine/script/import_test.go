package script

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestImportAll: "from module import *" of a script beside the script.
func TestImportAll(t *testing.T) {
	for _, c := range []struct {
		name, want string
		files      map[string]string
	}{
		{"names", "5. ms 1 7 4", map[string]string{
			"main":   "from params import *\nprint(tau, last, twice(3), base)",
			"params": "from brian2 import *\nfrom more import *\ntau = 5*ms\n_own = 1\nfor k in range(2):\n    last = k\ndef twice(x):\n    return 2*x + _own\n",
			"more":   "base = 4"}},
		{"a name that is not assigned", "3", map[string]string{"main": "from params import *\nprint(z)", "params": "if False:\n    q = 1\nz = 3"}},
		{"it is an error where it is used", "main.py:2:7", map[string]string{"main": "from params import *\nprint(q)", "params": "if False:\n    q = 1\nz = 3"}},
		{"own names stay there", "unknown name _own", map[string]string{"main": "from params import *\nprint(_own)", "params": "_own = 1"}},
		{"in a ring", "a.py:1:15: not everything of b", map[string]string{"main": "from a import *", "a": "from b import *", "b": "from a import *"}},
		{"an error there", "params.py:2:3", map[string]string{"main": "from params import *", "params": "x = (1,\ny = 2"}},
		{"packages", "2. mV 6. mV 12 base 3", map[string]string{
			"main":         "import brian2 as b2\nimport net.cells.lif as lif\nfrom net.cells import adex, lif as same\nfrom net.tools import *\nimport net\nprint(lif.rest, adex.twice(3*mV), factor(2), net.cells.name, same.n)",
			"net/__init__": "", "net/cells/__init__": "name = 'base'", "net/cells/lif": "from brian2 import *\nrest = 2*mV\nn = 3",
			"net/cells/adex": "from . import lif\nfrom ..tools import factor as f\ndef twice(x):\n    return 2*x*f(1)/6*lif.n/3", "net/tools": "def factor(k):\n    return 6*k"}},
		{"a package's own name", "pkg has no b", map[string]string{"main": "from pkg import a, b\nprint(b)", "pkg/a": "x = 1"}},
		{"an error within", "pkg/a.py:1:5", map[string]string{"main": "import pkg.a", "pkg/a": "x = y"}},
		{"what nothing uses", "1", map[string]string{"main": "import seaborn as sns\nfrom pandas import (read_csv,\n  DataFrame)\nprint(1)"}},
		{"all of a module", "2.0 True", map[string]string{"main": "from brian2tools import *\nfrom math import *\nprint(sqrt(4), callable(brian_plot))"}},
		{"NEST's", "main.py:1:8: a script for nest does not run here: its neurons are there by their names, NeuronGroup(800, iaf_psc_exp())", map[string]string{"main": "import nest"}},
		{"PyNN's", "docs/from-nest.md", map[string]string{"main": "import pyNN.nest as sim"}},
		{"a script of that name", "1", map[string]string{"main": "import nest\nprint(nest.x)", "nest": "x = 1"}},
		{"no script", "not everything of os", map[string]string{"main": "from os import *"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range c.files {
				if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o777); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, name+".py"), []byte(text), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			var out strings.Builder
			_, err := Run(context.Background(), Options{File: filepath.Join(dir, "main.py"), Stdout: &out})
			got := strings.TrimSpace(out.String())
			if err != nil {
				got = err.Error()
			}
			if !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestUnusedImports: a module that is not there and that nothing uses is said once.
func TestUnusedImports(t *testing.T) {
	var said []string
	_, err := Run(context.Background(), Options{File: "model.py", Src: []byte("import sys, seaborn as sns\nfrom pandas import read_csv, DataFrame\nx = len(sys.argv)"), Warn: func(m string) { said = append(said, m) }})
	if err != nil {
		t.Fatal(err)
	}
	want := "model.py:1:13: there is no module seaborn here; nothing uses it; model.py:2:6: there is no module pandas here; nothing uses it"
	if got := strings.Join(said, "; "); got != want {
		t.Errorf("said %q, want %q", got, want)
	}
}

// TestPasted: words of scripts that people have written for Brian2, and what they print there.
func TestPasted(t *testing.T) {
	const none = "P = NeuronGroup(1, 'v : 1')\nG = SpikeGeneratorGroup(2, [0, 1], [1, 3]*ms)\n"
	for _, c := range []struct{ name, src, want string }{
		{"quantities in code", "V = -50*mV\nG = NeuronGroup(1, 'dv/dt = 1*volt/second : volt', threshold='v > ' + repr(V), reset='v = ' + repr(V - 1*mV), method='euler')\nM = SpikeMonitor(G)\nG.v = -60*mV\nrun(15*ms)\nprint(repr(V), V, M.num_spikes)", "-50. * mvolt -50. mV 5"},
		{"units", "print(ms, repr(ms), '%s' % mV, f'{nS}', str(second), [Mohm], 'time (%s)' % cm, 1*ms, repr(3*mV**2), [3*mV], repr(2/(metre**2*second)*amp))", "ms msecond mV nS s [Mohm] time (cm) 1. ms 3. * mvolt2 [3. * mvolt] 2. * metre ** -2 * second ** -1 * amp"},
		{"units stay numbers", "x = ms\nx *= 2\nprint(x, ms, ms == 1e-3*second, {ms: 1}[1*ms], sum([ms, ms]), -mV)", "2. ms ms True 1 2. ms -1. mV"},
		{"how many", "G = NeuronGroup(3, 'v : 1', threshold='True')\nM, S, R = SpikeMonitor(G, record=[0, 1]), StateMonitor(G, 'v', record=True), PopulationRateMonitor(G)\nrun(1*ms)\nprint(len(M), len(S), len(R))", "30 10 10"},
		{"names of packages", "import brian2 as b2\nprint(b2.units.fundamentalunits.have_same_dimensions(1*mV, volt), b2.numpy_.sum([1, 2]))", "True 3"},
		{"a type by place", "print(np.zeros((1, 2), int), np.ones(2, float))", "[[0 0]] [1. 1.]"},
		{"setattr", "G = NeuronGroup(2, 'v : volt')\nfor n in ['v']: setattr(G, n, 3*mV)\nprint(G.v[:])", "[3. 3.] mV"},
		{"copies", "import copy\na = {'x': [1, array([1, 2])]}\nb, c = copy.deepcopy(a), copy.copy(a)\nb['x'][1][0] = 5\nb['x'][0] = 7\nc['y'] = 1\nd = ([1], eye(1))\ne = copy.deepcopy(d)\ne[0][0] = 2\ncopy.copy(d[1])[0, 0] = 5\nprint(b['x'][0], a['x'][0], a['x'][1], len(a), d, e[0])", "7 1 [1 2] 1 ([1], [[1.]]) [2]"},
		{"arrays elsewhere", "x, y = zeros(2), ones(2)\nd, l = {'x': x}, [y]\nd['x'] += 1\nl[0] *= 3\nz = asarray(x)\nz **= 2\nz += 1\nq = [1, 2]*mV\nQuantity(q)[0] = 3*mV\nl += array([1])\nw = eye(2)\nv = w\nw @= array([[1, 2], [3, 4]])\nprint(x, y, q, l, v.flatten())", "[2. 2.] [3. 3.] [3. 2.] mV [[4. 4.]] [1. 2. 3. 4.]"},
		{"types of arrays", "x, b, f = arange(3), zeros(2, bool), sign(array([1.5, -2]))\nx[1] = 2.7\nx[2] += 1.5\nx[:1] = -0.5\nb[1] = 0.5\nf[0] = 0.5\nprint(x, b, f)", "[0 2 3] [False  True] [ 0.5 -1. ]"},
		{"the end", "import sys\nsys.stdout.write('a\\n')\nif len(sys.argv) < 2: sys.exit(0)\nprint('b')", "a"},
		{"axes", "fig, ax = plt.subplots(3, 2)\nfor a in ax[1:]: a[0].plot([1, 2])\nprint(len(ax[:2]), ax[::2].shape)", "2 (2, 2)"},
		{"folders", "import os\nif not os.path.exists('figures'): os.makedirs('figures')\nos.mkdir('x')\nprint(1)", "1"},
		{"names of numpy.random", "seed(1)\nprint(0 <= randint(5) < 5, choice([3]), len(permutation(4)), shape(normal(0, 1, 3)))", "True 3 4 (3,)"},
		{"no synapses: a monitor of them", none + "S = Synapses(G, P, 'c : 1', on_pre='c = rand()')\nS.connect(p=1e-9)\nM = StateMonitor(S, 'c', record=True, dt=1*ms)\nrun(3*ms)\nprint(M.c.shape, M.t)", "(0, 3) [0. 1. 2.] ms"},
		{"no synapses: none beside some", none + "S = Synapses(G, P, 'da/dt = -a/(20*ms) : 1 (event-driven)', on_pre='a += 1')\nS.connect(i=[], j=[])\nS.connect(j='0 for k in range(1)')\nS.delay = '0.1*i*ms'\nrun(2*ms)\nprint(S.a[:])", "[1. 0.]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, _, err := runText(t, "from brian2 import *\n"+c.src, Options{Open: onRef})
			if err != nil {
				t.Fatal(err)
			}
			if got = strings.TrimSpace(got); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
