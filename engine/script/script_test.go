package script

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"synfire/engine"
	"synfire/engine/backend"
	"synfire/engine/eqn"
	"synfire/kernels/ref"
)

// runText runs a script without a backend and returns what it prints.
func runText(t *testing.T, src string, o Options) (string, *Result, error) {
	t.Helper()
	var out strings.Builder
	if o.File == "" {
		o.File = filepath.Join(t.TempDir(), "test.star")
	}
	o.Src, o.Stdout = []byte(src), &out
	res, err := run(context.Background(), o)
	return out.String(), res, err
}

// TestPrinting prints each expression and compares with what follows "##".
func TestPrinting(t *testing.T) {
	// The right sides are what Brian2 2.10 prints.
	for _, c := range []string{
		"20*ms ## 20. ms",
		"0.5*second ## 0.5 s",
		"1*mV + 0.5*mV ## 1.5 mV",
		"-70*mV ## -70. mV",
		"250*pF ## 250. pF",
		"0*mV ## 0. V",
		"1*second/3 ## 0.33333333 s",
		"100*pA/nS ## 100. mV",
		"20*ms/(5*ms) ## 4.0",
		"[1, 2, 3]*mV ## [1. 2. 3.] mV",
		"[1, 2.5, 3.25]*mV ## [1.   2.5  3.25] mV",
		"arange(5) ## [0 1 2 3 4]",
		"arange(0, 1, 0.25) ## [0.   0.25 0.5  0.75]",
		"linspace(0, 1, 3)*ms ## [0.  0.5 1. ] ms",
		"linspace(-1, 1, 5) ## [-1.  -0.5  0.   0.5  1. ]",
		"array([1e-10, 1.0]) ## [1.e-10 1.e+00]",
		"array([1e9, 2.5e9]) ## [1.0e+09 2.5e+09]",
		"zeros(3) ## [0. 0. 0.]",
		"zeros(3, dtype=int) ## [0 0 0]",
		"ones(2, dtype=bool) ## [ True  True]",
		"arange(3, dtype=float) ## [0. 1. 2.]",
		"arange(1, 4, dtype='int32')/2 ## [0.5 1.  1.5]",
		"array([1.5, -2.7], dtype=int) ## [ 1 -2]",
		"array([0.0, 0.5], dtype=bool) ## [False  True]",
		"zeros_like(arange(2)*mV, dtype='float64') ## [0. 0.] V",
		"ones_like(arange(2), dtype=None) ## [1 1]",
		"array([1, 2]) > 1 ## [False  True]",
		"mV*mV ## 1. mV^2",
		"1*amp/second ## 1. s^-1 A",
		"sqrt(4*volt*volt) ## 2. V",
		"pow(3*mV, 2) ## 9. mV^2",
		"pow(2, 10) ## 1024",
		"abs(-3*mV) ## 3. mV",
		"max([1, 5, 3]*mV) ## 5. mV",
		"max(3, 4) ## 4",
		"min(3*mV, 0.2*mV) ## 200. uV",
		"sum(arange(10)) ## 45",
		"mean([1, 2, 3]*ms) ## 2. ms",
		"std([1, 2, 3, 4]) ## 1.118033988749895",
		"ones(2)*Hz ## [1. 1.] Hz",
		"3*mV > 2*mV ## True",
		"3*mV == 0.003*volt ## True",
		"5 % 3 ## 2",
		"-5*ms % (3*ms) ## 1. ms",
		"7*ms // (2*ms) ## 3.0",
		"'%.2f Hz, %d, %s' % (3.14159, 4, 2*ms) ## 3.14 Hz, 4, 2. ms",
		"arange(6)[1:4] ## [1 2 3]",
		"arange(6)[::-2] ## [5 3 1]",
		"arange(6)[-1] ## 5",
		"arange(6)[[0, 2]] ## [0 2]",
		"[x for x in arange(3)*ms] ## [0. * second, 1. * msecond, 2. * msecond]",
		"len(arange(7)) ## 7",
		"exp(0) ## 1.0",
		"(10*mV).in_unit(uvolt) ## 10000. uV",
		"in_unit([1, 2]*mV, volt) ## [0.001 0.002] V",
		"clip([1, 5, 9], 2, 8) ## [2 5 8]",
		"where(array([1, 2, 3]) > 1, 10, 20) ## [20 10 10]",
		"where(array([1, 2, 3]) > 1)[0], nonzero([0, 2])[0] ## [1 2] [1]",
		"array([[0, 2], [3, 0]]).nonzero() ## ([0 1], [1 0])",
		"array([[0, 2], [3, 4]])[[0, 1], [1, 0]], array([[0, 2], [3, 4]])[[1, 0], 1] ## [2 3] [4 2]",
		"array([[0, 2], [3, 4]]).flatten() ## [0 2 3 4]",
		"mean([[1, 2], [3, 4]]*mV, axis=0), array([[1, 2], [3, 4]]).max(axis=1), sum([[1, 2], [3, 4]]) ## [2. 3.] mV [2 4] 10",
		"np.sin(np.pi*np.array([0, 0.5])), np.random.rand(3).size ## [0. 1.] 3",
		"array([[1, 2], [3, 4]]).cumsum(), unique([[1, 2], [2, 4]]) ## [ 1  3  6 10] [1 2 4]",
		"array([1, 2]*mV), np.asarray(3*mV), array([1, 2]*ms) > 0.001 ## [0.001 0.002] [0.003] [False  True]", // NumPy's arrays have no unit
		"2**100, 10**20 + 1, 3**40 % 7, (-1)**(10**30 + 1), 0**0, 2**-1, 2**(3 > 2) ## 1267650600228229401496703205376 100000000000000000001 4 -1 1 0.5 2",
		// A truth value is a number, as in Python.
		"2.5*(3 > 2), (1 < 2) + (2 < 3), 3 - (2 > 1), (1 > 2) - 1.5, True/2, 7 // True, 3*mV*(2 > 1), 2*(not 0) ## 2.5 2 2 -1.5 0.5 7 3. mV 2",
		"True == 1, False == 0, 1.0 == True, 2 == True, True != 1, True < 2, False >= 0.5, 'x' == True, None == False ## True True True False False True False False False",
		"(1 < 2) & (2 < 1), (1 < 2) | False, True ^ True, (1 < 2) & 3, (array([1, 2]) > 1)[1] == 1 ## False True False 1 True",
		"nan == nan, nan != nan, nan == 1, 1 != nan, np.nan == None ## False True False True False",
		"int(3.7) ## 3",
		"round(2.567, 1) ## 2.6",
		"float(3*mV) ## 0.003",
		"pi ## 3.141592653589793",
		"zeros((2, 3)) ## [[0. 0. 0.]\n [0. 0. 0.]]",
		"concatenate([[1, 2], [3]]) ## [1 2 3]",
		"1*umetre2 ## 1. um^2",
		"5*mM ## 5. mM",
		"-2**2*3, 2**-1, 2**3**2, 10//3**2, (3*mV)**2, 'a**b' ## -12 0.5 512 1 9. mV^2 a**b",
		"Equations('dx/dt = -x/tau : 1 # x', x='y', tau=5*ms) + 'z : 1' ## dy/dt = -y/(0.005*second) : 1 # x\nz : 1",
		"20*nS/usiemens ## 0.02",
		"cumsum([1, 2, 3]) ## [1 3 6]",
		"-array([1.5, 0]) ## [-1.5  0. ]",
		"2*mV in [1, 2]*mV ## True",
	} {
		expr, want, _ := strings.Cut(c, " ## ")
		got, _, err := runText(t, "print("+expr+")", Options{})
		if err != nil {
			t.Errorf("%s: %v", expr, err)
		} else if got != want+"\n" {
			t.Errorf("%s prints %q, want %q", expr, got, want)
		}
	}
}

// TestErrors: each script, then where the error must stand and what it must say.
func TestErrors(t *testing.T) {
	for _, c := range []struct{ name, src, at, want string }{
		{"unknown name", "x = 20*ms\ny = x + tauum\ntaum = 3", "2:9", "unknown name tauum\n  y = x + tauum\n          ^\n  did you mean 'taum'?"},
		{"a slice of an array's", "a = arange(6)\na[1:3][0] = 7", "2:2", "a part of an array is a copy here, and what is assigned to it would be lost"},
		{"of a row's", "A = zeros((2, 4))\nA[0][1:3][1] = 7", "2:5", "a copy here"},
		{"a column's", "A = zeros((2, 4))\nA[:, 0][1] += 7", "2:2", "a copy here"},
		{"rows of a slice", "A = zeros((2, 4))\nA[0:2][0][1:2] = 7", "2:2", "a copy here"},
		{"a choice's, in a tuple", "a = arange(6)\na[a > 2][0], b = 7, 8", "2:2", "a copy here"},
		{"a variable's", "G = NeuronGroup(4, 'v : 1')\nG.v[1:3][0] = 7", "2:4", "a copy here"},
		{"a difference of truth values", "array([True]) - array([False])", "1:15", "arrays of truth values have no '-'"},
		{"minus a truth value", "b = True\nx = -b", "2:5", "int(x) makes one of it"},
		{"a truth value as an index", "b = True\nx = [1, 2][b]", "2:11", "int(x) makes one of it"},
		{"a negative width", "np.random.normal(0, [1, -1])", "1:11", "scale=[1, -1] is not possible: it must not be below 0"},
		{"a negative mean", "np.random.exponential(-1*ms)", "1:11", "it must not be below 0"},
		{"a great power", "x = 2**(10**9)", "1:6", "whole numbers have at most 1048576 bits"},
		{"an object by name", "x = Network()['x']", "1:14", "Brian2 finds an object of a Network by its name"},
		{"near unit", "x = 20*mvlt", "1:8", "did you mean 'mvolt'?"},
		{"decorated class", "x = 1\n@network_operation\nclass A: pass", "3:1", "'class' is Python"},
		{"absent name", "restore_initial_state('x')", "1:1", "Brian2 has restore_initial_state; Synfire does not yet"},
		{"wrong unit", "x = 20*ms + 3*mV", "1:11", "cannot calculate 20 ms + 3 mV: the units do not match (s and V)"},
		{"a type of few bits", "zeros(3, dtype='float32')", "1:1", "dtype= is int, float or bool"},
		{"a progression cut", "arange(0, 2, 0.5, dtype=int)", "1:1", "start and step are whole numbers"},
		{"no number", "array([1e300], dtype=int)", "1:1", "is no whole number"},
		{"dtype and another", "zeros(3, dtype=int, order=2)", "1:27", "zeros() has no argument order"},
		{"wrong unit in comparison", "if 20*ms > 3*mV:\n  pass", "1:10", "the units do not match"},
		{"argument unit", "run(3*mV)", "1:5", "duration= must be a quantity in s, not 3 mV"},
		{"argument without unit", "run(duration=3)", "1:14", "needs a unit"},
		{"division by zero", "a = 0\nx = 3*mV/a", "2:9", "division by zero"},
		{"division by zero of ints", "a = 0\nx = 3/a", "2:6", "division by zero"},
		{"recursion without an end", "def f(n):\n  return f(n + 1)\nf(3)", "2:12", "more than 1000 calls are in each other"},
		{"endless loop", "while True:\n  pass", "", "endless loop"},
		{"power of its own", "x = 3*mV\nx **= 2*mV", "2:3", "an exponent must be a pure number"},
		{"assigned within", "if (x := 3): pass", "1:7", "':=' is Python"},
		{"power of a quantity", "x = 2*3**(2*ms)", "1:8", "an exponent must be a pure number, not 2 ms"},
		{"Equations without a unit", "e = Equations('dv/dt = -v/tau')", "1:30", "':' and the unit"},
		{"value for a variable", "e = Equations('x : 1', x=[1, 2])", "1:26", "x= must be a name or a number"},
		{"import", "import os, pandas as pd\nx = pd.read_csv('x')", "2:5", "there is no module pandas here"},
		{"import in a function", "def f():\n  import pandas as pd\n  return pd.DataFrame()", "3:10", "there is no module pandas here"},
		{"import of a name that the language has", "from scipy.special import erf, exp\nx = exp(1)", "1:6", "there is no module scipy.special here"},
		{"import of a script's package without one", "from . import a", "1:6", "no package around this script"},
		{"end with a message", "import sys\nif True:\n  sys.exit('no data')", "3:7", "no data"},
		{"end with a number", "exit(3)", "1:1", "the script ends with status 3"},
		{"name of setattr", "G = NeuronGroup(1, 'v : 1')\nsetattr(G, 3, 1)", "2:1", "takes the name as a text"},
		{"import of a name", "from numpy import sin, foo as f, cos\nx = sin(0)\ny = f(2)", "3:5", "numpy has no foo here"},
		{"chained", "x = 0 < arange(3) < 2", "1:7", "comparisons of arrays cannot be chained"},
		{"chained later", "x = 0 < 1 < 3*mV", "1:7", "the units do not match"},
		{"f-string", "x = 2\nprint(f'rate {x:.1f} {y}')", "2:23", "unknown name y"},
		{"f-string's format", "print(f'{3*mV:q}')", "1:7", "no letter 'q'"},
		{"f-string's brace", "x = f'a {3'", "1:5", "no end"},
		{"equations side by side", "G = NeuronGroup(2, 'dv/dt = -v/ms : 1\\n'\n   r'dw/dt = -w/ms')", "2:19", "expected an operator"},
		{"equations with escapes", "G = NeuronGroup(2, 'dv/dt\\t= -v/ms : 1\\n\\x64w/dt = -w/')", "1:55", "expected"},
		{"with", "with 3 as f:\n  pass", "1:6", "with takes a Pool here, not 3"},
		{"try", "def f():\n  try:\n    pass", "2:3", "'try' is Python"},
		{"generator", "def f():\n  yield 3", "2:3", "'yield' is Python"},
		{"raised", "def f(x):\n  if x: raise ValueError('no', x)\nf(3)", "2:9", "ValueError: no, 3"},
		{"asserted", "assert 1 > 2, 'no'", "1:1", "no"},
		{"several runs of a device", "device.run(run_args={})", "1:8", "device has no run here"},
		{"way out of several runs", "device.run(run_args={})", "1:8", "store() before the first run()"},
		{"no defaultdict", "from collections import defaultdict\nd = defaultdict(list)", "2:5", "collections has no defaultdict here"},
		{"complex", "x = 2j", "1:5", "there are no complex numbers"},
		{"no end", "x = (1,\n  2", "2:4", "expected ')', got the end"},
		{"quotes", "x = “a”", "1:5", "straight quotes"},
		{"indented", "x = 1\n  y = 2", "2:3", "nothing before it begins a block"},
		{"dedented", "if 1:\n    x = 1\n  y = 2", "3:3", "indented as no line before"},
		{"not indented", "if 1:\nx = 1", "2:1", "an indented line should follow"},
		{"compared", "if x = 3: pass", "1:6", "== compares"},
		{"not assignable", "x = 3\nf(x) = 2", "2:1", "cannot be assigned to"},
		{"second target", "x = 3 = y", "1:5", "cannot be assigned to"},
		{"print of Python 2", "print 3", "1:7", "write print(...)"},
		{"index of a pair", "W = zeros((2, 3))\nx = W[2, :]", "2:6", "index 2 is out of range"},
		{"global without value", "def f():\n  global c\n  c += 1\nf()", "3:3", "c has no value yet"},
		{"class", "class A:\n  pass", "1:1", "Python"},
		{"index", "x = arange(5)[7]", "1:14", "index 7 is out of range: there are 5 elements, 0 to 4"},
		{"assigned below", "print(x)\nx = 3", "1:7", "x has no value yet"},
		{"unknown argument", "x = linspace(0, 1, nu=3)", "1:23", "linspace() has no argument nu\n  x = linspace(0, 1, nu=3)\n                        ^\n  did you mean 'num'?"},
		{"missing argument", "x = TimedArray([1, 2])", "1:5", "TimedArray() needs the argument dt"},
		{"in a function", "def f(x):\n  return x + 3*mV\nf(2*ms)", "2:12", "called from"},
		{"mixed list", "x = array([1*mV, 2*ms])", "1:5", "element 1 of the list is 2 ms, the others are V"},
		{"exp of a quantity", "x = exp(3*mV)", "1:5", "exp() takes a pure number, not 3 mV"},
		{"log of zero", "x = log(0)", "1:5", "log(0) is not defined"},
		{"missing file", "x = load_array('nothere.npy')", "1:16", "there is no file \"nothere.npy\""},
		{"outside", "x = load_array('../x.npy')", "1:16", "outside the script's folder"},
		{"absolute", "x = load_array('/etc/passwd')", "1:16", "outside the script's folder"},
		{"load missing", "load('other.star', 'f')", "1:1", "there is no file \"other.star\""},
		{"fail", "fail('no luck')", "1:1", "no luck"},
		{"huge", "x = zeros(1 << 60)", "1:5", "size"},
		{"self list", "x = [1]\nx.append(x)\ny = x*mV", "3:6", "holds itself"},
		{"breaks written in the text", "G = NeuronGroup(2, 'dv/dt = -v/ms : 1\\ndw/dt = -w/ms')", "1:53", "expected an operator"},
		{"summed", "G = NeuronGroup(2, 'v : 1')\nS = Synapses(G, G, 'v_post = 1*v_pre : 1 (summed)')", "2:21", "is read by its own equation"},
		{"degree", "G = NeuronGroup(5, 'v : 1')\nS = Synapses(G, G)\nS.connect(rule='fixed_indegree', indegree=10, allow_multapses=False)", "3:3", "cannot give 10: there are 5 sources"},
		{"no pathway", "G = NeuronGroup(5, 'v : 1')\nS = Synapses(G, G)\nS.delay = 1*ms", "3:3", "no pathway"},
		{"seed", "seed()", "1:1", "different every time"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := runText(t, c.src, Options{MaxOps: 1e6})
			if err == nil {
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error lacks %q:\n%v", c.want, err)
			}
			if c.at != "" && !strings.Contains(err.Error(), "test.star:"+c.at+":") {
				t.Errorf("the error is not at %s:\n%v", c.at, err)
			}
			var q *eqn.Error
			if !errors.As(err, &q) || q.Snippet == "" {
				t.Errorf("no place and line: %#v", err)
			}
		})
	}
}

func TestParam(t *testing.T) {
	src := "n = param('n', 10)\nd = param('duration', 1*second)\nr = param('regime', 'AI')\nprint(n, d, r)"
	for _, c := range []struct {
		set  map[string]string
		want string
	}{
		{nil, "10 1. s AI\n"},
		{map[string]string{"n": "3", "duration": "2*ms"}, "3 2. ms AI\n"},
		{map[string]string{"regime": "SIfast"}, "10 1. s SIfast\n"},
		{map[string]string{"regime": "mV"}, "10 1. s mV\n"},
		{map[string]string{"n": "0.5"}, "0.5 1. s AI\n"},
	} {
		got, res, err := runText(t, src, Options{Set: c.set})
		if err != nil || got != c.want {
			t.Errorf("%v: %q, %v", c.set, got, err)
		}
		if len(res.Params) != 3 || len(res.Set) != len(c.set) {
			t.Errorf("%v: params %v, set %v", c.set, res.Params, res.Set)
		}
	}
	for _, c := range []struct {
		set  map[string]string
		want string
	}{
		{map[string]string{"duration": "3"}, "--set duration=3 is in 1; the default, 1 s, is in s"},
		{map[string]string{"duration": "3*mV"}, "is in V"},
		{map[string]string{"n": "many"}, "not a value"},
		{map[string]string{"duratoin": "1*second"}, "did you mean 'duration'?"},
	} {
		_, _, err := runText(t, src, Options{Set: c.set})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.set, err, c.want)
		}
	}
	_, res, err := runText(t, src, Options{Set: map[string]string{"duration": "1*second"}})
	if err != nil || res.Set["duration"] != "1 s" {
		t.Errorf("the manifest gets %q, want 1 s (%v)", res.Set["duration"], err)
	}
}

func TestFiles(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("x.csv", "a,b\n1,2\n3,4\n")
	write("one.csv", "0.5\n1.5\n")
	write("bad.csv", "1,2\n3\n")
	write("edges.csv", "pre,post,w,where\n0,7,0.5,LAL\n1,8,1.5,\"x, y\"\n")
	write("trunc.npy", "\x93NUMPY\x01\x00v\x00{'descr': '<f8'")
	write("lib.star", "def double(x):\n    return 2*x + offset\noffset = 0*mV\nhalf = 0.5\n")
	write("ids.csv", "id,k\n720575940621754367,1\n-9007199254740993,2\n")
	write("void.csv", "\n\n")
	write("noted.csv", "# made by hand\n\npre,post,where\n# two edges\n\n0,7,LAL\n#1,8,MB\n2,9,MB\n")
	write("large.npy", "\x93NUMPY\x01\x00v\x00"+fmt.Sprintf("%-117s\n", "{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }")+"\x01\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x20\x00")
	write("loop.star", "load('loop.star', 'x')\nx = 1\n")
	if err := os.WriteFile(filepath.Join(outside, "secret.csv"), []byte("1\n2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(outside, "secret.csv"), filepath.Join(dir, "link.csv")); err != nil {
		t.Skip(err)
	}
	file := filepath.Join(dir, "test.star")
	for src, want := range map[string]string{
		"T = load_table('edges.csv'); print(T, len(T), T.columns, T['pre'], T['w']*mV)":                                                                                                       "<table edges.csv, 2 rows of pre, post, w, where> 2 ['pre', 'post', 'w', 'where'] [0 1] [0.5 1.5] mV\n",
		"T = load_table('edges.csv', columns=['pre', 'post'])\nG = NeuronGroup(9, 'v : 1', threshold='v > 1')\nS = Synapses(G, G)\nS.connect(i=T['pre'], j=T['post'])\nprint(S.i[:], S.j[:])": "[0 1] [7 8]\n",
		"T = load_table('noted.csv'); print(len(T), T['pre'], T['post'])":                                                                                                                     "2 [0 2] [7 9]\n",
		"T = load_table('ids.csv'); print(T.list('id'), T.list('k'), T['k'])":                                                                                                                 "[720575940621754367, -9007199254740993] [1, 2] [1 2]\n",
		"print(load_array('x.csv'))":                                  "[[1 2]\n [3 4]]\n",
		"print(load_array('one.csv', mV))":                            "[0.5 1.5] mV\n",
		"load('lib.star', 'double')\nprint(double(3*mV))":             "6. mV\n",
		"save_array('a', [1, 2]*mV)\nsave_array('a', 3)\nprint('ok')": "ok\n",
		// Texts of a function see what its file loads.
		"load('lib.star', 'half')\ndef f():\n    G = NeuronGroup(1, 'x : 1')\n    G.x = '3*half'\n    return G.x[0]\nprint(f())": "1.5\n",
	} {
		if got, _, err := runText(t, src, Options{File: file}); err != nil || got != want {
			t.Errorf("%s: %q, %v", src, got, err)
		}
	}
	for src, want := range map[string]string{
		"load_array('bad.csv')":                    "line 2",
		"load_array('ids.csv')":                    "line 2:1: an array, where whole numbers are exact to 2^53, would round 720575940621754367",
		"load_array('large.npy')":                  "element 1 is 9007199254740993, which an array, where whole numbers are exact to 2^53, would round",
		"load_table('bad.csv')":                    "line 1 must name the columns",
		"load_table('void.csv')":                   "the file is empty: its first line names the columns",
		"load_table('noted.csv')['pro']":           "\n  did you mean 'pre'?",
		"load_table('noted.csv', columns='where')": "line 6: column 'where' must be a number, not 'LAL'",
		"load_table('ids.csv')['id']":              "column 'id' of ids.csv holds whole numbers beyond 2^53, such as 720575940621754367, which an array would round",
		"load_table('edges.csv').list('w')":        "holds other than whole numbers",
		"load_table('edges.csv').list('pro')":      "did you mean 'pre'?",
		"load_table('edges.csv').list()":           "takes the name of one column",
		"load_table('edges.csv')['pro']":           "did you mean 'pre'?",
		"load_table('edges.csv')['where']":         "holds no numbers but 'LAL'",
		"load_table('edges.csv', columns='where')": "line 2: column 'where' must be a number",
		"load_table('trunc.npy')":                  "must end in .csv",
		"load_array('trunc.npy')":                  "trunc.npy",
		"load_array('link.csv')":                   "outside the script's folder",
		"load_array('x.cvs')":                      "did you mean 'x.csv'?",
		"load_array('lib.star')":                   "must end in .npy or .csv",
		"load('loop.star', 'x')":                   "loads itself",
		"load('lib.star', 'duoble')":               "duoble",
		"load_array('.')":                          "not a file",
	} {
		if _, _, err := runText(t, src, Options{File: file}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", src, err, want)
		}
	}
}

// TestBrianImport: the first line of a Brian2 script may stay.
func TestBrianImport(t *testing.T) {
	got, _, err := runText(t, "from brian2 import *\nprint(3*mV)\n", Options{})
	if err != nil || got != "3. mV\n" {
		t.Error(got, err)
	}
}

// As in Brian2, what a script puts into a namespace counts from the next run on.
func TestNamespacesAreFollowed(t *testing.T) {
	got, _, err := runText(t, `
names = {'c': 1, 'tau': 10*ms}
G = NeuronGroup(1, 'v = c : 1', namespace=names)
H = NeuronGroup(1, 'dx/dt = -x/tau : 1', namespace=names, method='exact')
M = StateMonitor(G, 'v', record=0)
H.x = 1
run(0.1*ms)
names['c'] = 2
names['tau'] = 0*ms + 0.1*ms
H.x = 1
run(0.1*ms)
print(M.v[0], H.x)
`, Options{Open: func() (backend.Backend, error) { return ref.New(), nil }})
	if err != nil || got != "[1. 2.] <H.x: [0.36787945]>\n" {
		t.Error(got, err)
	}
	_, _, err = runText(t, "names = {'c': 1}\nG = NeuronGroup(1, 'v = c : 1', namespace=names)\nrun(0.1*ms)\nnames['c'] = [1, 'a']\nrun(0.1*ms)", Options{Open: func() (backend.Backend, error) { return ref.New(), nil }})
	if err == nil || !strings.Contains(err.Error(), "c of namespace=") {
		t.Error(err)
	}
}

// A text that a function assigns keeps the values of the function's names.
func TestTextsKeepTheNamesOfFunctions(t *testing.T) {
	got, _, err := runText(t, `
def net(k):
    G = NeuronGroup(3, 'v : 1', threshold='v > 1', reset='')
    S = Synapses(G, G, 'w : 1', on_pre='v += w')
    S.connect()
    S.w = 'k + 0*rand()'
    return G, S
k = 7
G, S = net(5)
H, T = net(6)
run(0.1*ms)
print(S.w[0], T.w[0])
`, Options{Open: func() (backend.Backend, error) { return ref.New(), nil }})
	if err != nil || got != "5.0 6.0\n" {
		t.Error(got, err)
	}
}

func TestRandomArrays(t *testing.T) {
	src := "a = rand(5)\nb = rand(5)\nc = randn(2000)\nprint(sum(a == b), abs(mean(c)) < 0.1, abs(std(c) - 1) < 0.1, all(a < 1))\nprint(a)"
	one, _, err := runText(t, src, Options{})
	if err != nil || !strings.HasPrefix(one, "0 True True True\n") {
		t.Fatal(one, err)
	}
	if two, _, _ := runText(t, "\n\n"+src, Options{}); two != one {
		t.Errorf("the same lines elsewhere draw other numbers: %s, %s", one, two)
	}
	seed := uint64(5)
	if two, _, _ := runText(t, src, Options{Seed: &seed}); two == one {
		t.Error("another seed draws the same numbers")
	}
}

func TestInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := run(ctx, Options{File: "t.star", Src: []byte("while True:\n  pass")})
	if !errors.Is(err, engine.ErrInterrupted) {
		t.Error(err)
	}
}

// recorder is a run directory that panics when an array is saved.
type recorder struct{ began int }

func (r *recorder) Begin(*engine.Network) error { r.began++; return nil }
func (r *recorder) Save(string, []float64, int, bool) error {
	panic("as a fault of ours would")
}

// Fault H3: what was done before a panic is in the result.
func TestPanicKeepsWhatWasRecorded(t *testing.T) {
	src := `
P = NeuronGroup(2, 'dv/dt = 2/(10*ms) : 1', threshold='v > 1', reset='v = 0', method='euler')
S = SpikeMonitor(P)
run(20*ms)
save_array('x', S.count)
`
	r := &recorder{}
	res, err := Run(context.Background(), Options{File: "x.star", Src: []byte(src), Records: r, Open: func() (backend.Backend, error) { return ref.New(), nil }})
	if err == nil || !strings.Contains(err.Error(), "internal error: as a fault of ours would") {
		t.Errorf("%v", err)
	}
	if r.began != 1 || res == nil || len(res.Runs) != 1 || len(res.Monitors()) != 1 || res.Monitors()[0].Len() == 0 || res.Monitors()[0].Name() != "S" {
		t.Errorf("what was recorded is not in the result: %+v", res)
	}
}

// Fault M9: a monitor of a network of before is one of the result's.
func TestMonitorsOfEarlierScopesAreHeld(t *testing.T) {
	src := `
for k in range(2):
    start_scope()
    P = NeuronGroup(2, 'dv/dt = 2/(10*ms) : 1', threshold='v > 1', reset='v = 0', method='euler')
    S = SpikeMonitor(P)
    if k == 0:
        M1 = StateMonitor(P, 'v', record=True)
    run(20*ms)
`
	_, res, err := runText(t, src, Options{Open: func() (backend.Backend, error) { return ref.New(), nil }})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range res.Monitors() {
		names = append(names, m.Name())
	}
	if !slices.Contains(names, "M1") {
		t.Errorf("monitors %v", names)
	}
}

// TestArraysTimesWholeNumbers: a product of an array is as large as the array, whatever the factor.
func TestArraysTimesWholeNumbers(t *testing.T) {
	out, _, err := runText(t, "x = arange(100000)\nprint((x*1000000)[2], (1000000*x)[2], (x + arange(100000))[2])", Options{})
	if err != nil || out != "2000000 2000000 4\n" {
		t.Errorf("%q, %v", out, err)
	}
}

// TestArgparseSet: what --set gives an argument is what Python's command line would.
func TestArgparseSet(t *testing.T) {
	const src = `import argparse
p = argparse.ArgumentParser()
p.add_argument('--mode', action='store_const', const=5, default=0)
p.add_argument('--some', nargs='+', type=float, default=[1.0], choices=[1, 3, 4])
p.add_argument('--more', action='append')
a = p.parse_args()
print(a.mode, a.some, a.more)
`
	for _, c := range []struct {
		set  map[string]string
		want string
	}{
		{nil, "0 [1.0] None"},
		{map[string]string{"mode": "True", "some": "3", "more": "[1, 2]"}, "5 [3.0] [1, 2]"},
		{map[string]string{"mode": "False", "some": "[3, 4]", "more": "7"}, "0 [3.0, 4.0] [7]"},
		{map[string]string{"some": "[3, 5]"}, "the argument --some is one of"},
		{map[string]string{"some": "x"}, "--set some=x"},
	} {
		if out, _, err := runText(t, src, Options{Set: c.set}); err == nil && out != c.want+"\n" || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %q, %v; expected %q", c.set, out, err, c.want)
		}
	}
}

// TestTruncnormTail: far from the mean numbers are drawn between the bounds, not at them.
func TestTruncnormTail(t *testing.T) {
	const src = "from scipy.stats import truncnorm\nx, y = truncnorm.rvs(10, 12, size=1000), truncnorm.rvs(-inf, [-9], size=1)\n"
	out, _, err := runText(t, src+"print(min(x) >= 10, max(x) < 11.5, 10.09 < mean(x) and mean(x) < 10.107, -9.5 < y[0] and y[0] < -9)\ntruncnorm.rvs(40, 41)", Options{})
	if out != "True True True True\n" || err == nil || !strings.Contains(err.Error(), "no number of a normal distribution lies between the bounds a=40 and b=41") {
		t.Error(out, err) // the mean is 10.098, its standard error 0.003
	}
}

// TestTruncnormMemory: more numbers than there is memory for are refused before they are drawn.
func TestTruncnormMemory(t *testing.T) {
	if _, _, err := runText(t, "from scipy.stats import truncnorm\ntruncnorm.rvs(-1, 1, size=10**13)", Options{}); err == nil || !strings.Contains(err.Error(), "memory") {
		t.Error(err)
	}
}
