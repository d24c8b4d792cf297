package script

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"synfire/engine/script/array"
)

// FuzzRun feeds texts to the front end: whatever it is, no panic. Runs of the
// model are refused for want of a backend.
func FuzzRun(f *testing.F) {
	examples, _ := filepath.Glob("../../examples/*.star")
	for _, name := range examples {
		src, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	scripts, _ := filepath.Glob("testdata/python/*.py")
	for _, name := range scripts {
		src, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	for _, s := range []string{
		"plot([1, 2], 'r.--', label='a'); legend(loc='best'); show()", "fig, ax = subplots(2, 2, sharex=True)\nax[0, :][1].hist([1, 2], bins=3)\nax.T[0][1].set(xlim=(1, 0), yscale='log')\nfig.savefig('../x.svg')",
		"imshow([[1, 2], [3, 4]]); colorbar().set_label('x'); clim(0, 1); axis('off')", "subplot(2, 1, (1, 2)); errorbar([1], [2], yerr=[[1], [2]], fmt='o'); text(0, 1, 'x', transform=gca().transAxes)", "bar(['a', 'b'], [1, 2], color=['r', 'b']); vlines(1, *gca().get_ylim())",
		"gs = figure().add_gridspec(2, 2)\nsubplot(gs[:, 1]); fill_between([1, 2], 0, [1, 2], where=[True, False])", "np.random.gamma(1, 2, size=3); np.random.choice(3, p=[0.5, 0.5, 0]); np.random.poisson(5, (2, 2))", "r_[1:3, 4]; W = zeros((2, 2)); W[:, newaxis] = 1", "from random import *", "from random import randint as r\nprint(r(1, 2))",
		"import os; os.path.join('a', '/b'); os.path.exists('../x')", "'{:{}}|{0.real}'.format(1, 2)", "f'{1e300:.3f}{[1]!r:>9}'", "a, *b = 'abc'", "print(*map(lambda x: x, 'ab'), sep='', end='')",
		"", "x = 1\n", "x = 20*ms + 3*mV", "x = [1, [2, 3]]*mV", "a = arange(3)\na[1:2] = 5*mV\nprint(a[::-1])", "print('%5.2f %s' % (1, 2*mV))", "print('%' % 1)",
		"P = NeuronGroup(3, 'v : volt')\nP.v[0:2] += 1*mV\nP.v['i'] = 3", "P = NeuronGroup(2, '''dv/dt = -v/(10*ms) : 1''', threshold='v > 1', reset='v = 0')\nP[:1].v = 'rand()'\nprint(P)",
		"S = Synapses(PoissonGroup(2, 3*Hz), on_pre={'a': 'x += 1'})\nS.connect(p='i/j')", "TimedArray([[1], [2]], dt=1*ms)(0*ms, -1)", "pow(2*mV, 0.5); pow(0, -1); 1 << 600",
		"x = zeros((3, 0)); print(x, x.T, x[0])", "def f(*a, **k): return f\nf(1)(2)", "load_array('\\x00')", "load('.', 'x')", "linspace(0, 1, -3)", "print(array([]).min())",
		"x = param('a', None)", "a = [1]; a[0] = a; print(a*mV)", "print(inf - inf, [inf]*mV, -inf)", "seed(-1)", "clip([], 1, 2)", "{}[[1]*mV]", "repeat([1], 1 << 40)",
		"for i in range(3):\n  for j in arange(2): pass", "x = (1*mV)[0]", "from brian2 import *\nx = 3**2", "print(3*mV in [3*mV])", "sorted([3*mV, 1*ms])", "max([])", "min('a', 3)",
	} {
		f.Add([]byte(s))
	}
	dir := f.TempDir()
	array.MaxElements, maxCells = 1<<12, 1<<12
	f.Fuzz(func(t *testing.T, src []byte) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_, err := run(ctx, Options{File: filepath.Join(dir, "fuzz.star"), Src: src, MaxOps: 20000})
		if err != nil && err.Error() == "" {
			t.Error("an error without a message")
		}
	})
}
