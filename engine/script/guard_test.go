package script

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"synfire/engine"
	"synfire/engine/backend"
	"synfire/kernels/ref"
)

// TestMemoryOfScripts holds scripts to a limit of 256 MB: each would take much more.
func TestMemoryOfScripts(t *testing.T) {
	if testing.Short() {
		t.Skip("fills 256 MB some fifty times")
	}
	for name, src := range map[string]string{
		"text doubled":      "x = 'a'\nfor i in range(40): x = x + x",
		"text added":        "x = 'a'\nfor i in range(40): x += x",
		"list doubled":      "x = [1]\nfor i in range(40): x = x + x",
		"list added":        "x = [1]\nfor i in range(40): x += x",
		"list in a list":    "x = [[1]]\nfor i in range(40): x[0] += x[0]",
		"list in a table":   "x = {'a': [1]}\nfor i in range(40): x['a'] += x['a']",
		"tuple doubled":     "x = (1,)\nfor i in range(40): x = x + x",
		"list times":        "x = [0]*10**9",
		"times list":        "x = 2**31*[0]",
		"text times":        "x = 'ab'*10**10",
		"times in place":    "x = [0]\nx *= 10**10",
		"bytes times":       "x = b'ab'*10**10",
		"tuple times":       "x = (1, 2)*(1 << 40)",
		"big times":         "x = [0]*(1 << 100)",
		"list of range":     "x = list(range(10**10))",
		"tuple of range":    "x = tuple(range(10**10))",
		"set of range":      "x = set(range(10**10))",
		"sorted range":      "x = sorted(range(10**10))",
		"enumerate":         "x = enumerate(range(10**10))",
		"zip":               "x = zip(range(10**10), range(10**10))",
		"reversed":          "x = reversed(range(10**10))",
		"array of range":    "x = array(range(10**12))",
		"unit of range":     "x = range(10**12)*mV",
		"concatenate range": "x = concatenate(range(10**12))",
		"max of range":      "x = max(range(10**12))",
		"extend":            "x = []\nx.extend(range(10**10))",
		"extend by getattr": "x = []\ngetattr(x, 'extend')(range(10**10))",
		"extend held":       "x = []\nf = x.extend\nf(range(10**10))",
		"list plus range":   "x = []\nx += range(10**10)",
		"set update":        "x = set()\nx.update(range(10**10))",
		"set union":         "x = set().union(range(10**10))",
		"replace":           "x = ('a'*10**6).replace('a', 'b'*10**5)",
		"replace nothing":   "x = ('a'*10**6).replace('', 'b'*10**5)",
		"join":              "x = ('a'*10**5).join(['b']*10**5)",
		"split":             "x = ('a,'*10**8).split(',')",
		"format":            "x = '{0}{0}{0}{0}'.format('a'*10**8)",
		"format by name":    "x = '{a}{a}{a}{a}'.format(a='a'*10**8)",
		"percent":           "x = '%s%s%s' % tuple(['a'*10**8]*3)",
		"shared text":       "x = []\nfor i in range(40): x = [x, x]\ny = str(x)",
		"shared print":      "x = ()\nfor i in range(40): x = (x, x)\nprint(x)",
		"shared percent":    "x = []\nfor i in range(40): x = [x, x]\ny = '%s' % [x]",
		"many lists":        "x = []\nfor i in range(10**8): x.append([i])",
		"many texts":        "x = []\nfor i in range(10**8): x.append('a'*1000)",
		"many arrays":       "x = []\nfor i in range(10**6): x.append(zeros(10**4))",
		"comprehension":     "x = [[i, i] for i in range(10**8)]",
		"arrays joined":     "x = ones(2)\nfor i in range(40): x = concatenate([x, x])",
		"zeros":             "x = zeros(10**8)",
		"zeros table":       "x = zeros((10**4, 10**4))",
		"arange":            "x = arange(10**8)",
		"linspace":          "x = linspace(0, 1, 10**8)",
		"rand":              "x = rand(10**8)",
		"full":              "x = full(10**8, 1)",
		"repeat":            "x = repeat([1], 10**8)",
		"tile":              "x = tile([1, 2], 10**8)",
		"nested list":       "x = [0]*10**5\ny = array([x]*10**5)",
		"equations":         "e = Equations('v : 1')\nfor k in range(60): e = e + '\\n' + e",
		"equations' names":  "e = Equations('v = a : 1')\nfor k in range(60): e = Equations(e, a='(a + a)')",
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := runText(t, src, Options{MaxMemory: 256 << 20, MaxOps: 1e9})
			var f *failure
			if err == nil || !errors.As(err, &f) || f.at.Line == 0 {
				t.Fatalf("the error is %v", err)
			}
			for _, word := range []string{"memory", "limit", "too many", "too large", "more than", "most", "must be between", "not possible"} {
				if strings.Contains(err.Error(), word) {
					return
				}
			}
			t.Errorf("the error is %v", err)
		})
	}
}

// TestWholeNumbersEnd holds whole numbers to a length whose arithmetic is quick.
func TestWholeNumbersEnd(t *testing.T) {
	for _, src := range []string{
		"x = 10\nfor i in range(40): x = x*x", "x = 1\nfor i in range(10**6): x = x << 511", "x = 1\nfor i in range(10**6): x <<= 511", "x = 3\nfor i in range(40): x *= x",
		"x = int('9'*3000000)", "x = " + strings.Repeat("9", 1<<20), "x = 1 << 500\nx = x*x*x*mV",
	} {
		if _, _, err := runText(t, src, Options{}); err == nil || !strings.Contains(err.Error(), "bits") && !strings.Contains(err.Error(), "too large") {
			t.Errorf("%.60s: the error is %v", src, err)
		}
	}
	out, _, err := runText(t, "print('%d' % (1 << 70), '%x' % (1 << 70), '%d' % 1e20, '%d' % -2.7, '%c%c' % ('a', 98))", Options{})
	if want := "1180591620717411303424 400000000000000000 100000000000000000000 -2 ab\n"; err != nil || out != want {
		t.Errorf("printed %q, %v; want %q", out, err, want)
	}
}

// TestListsThatHoldThemselves follows lists, dictionaries and tuples that hold
// themselves, directly or through another, and deep ones.
func TestListsThatHoldThemselves(t *testing.T) {
	for _, start := range []string{"a = []\na.append(a)\n", "a = []\nb = [a]\na.append(b)\n", "a = []\nt = (a,)\na.append(t)\n", "a = []\nd = {'x': a}\na.append(d)\n", "a = [1]\nfor i in range(10**5): a = [a]\n", "a = (1,)\nfor i in range(10**5): a = (a,)\n"} {
		for _, use := range []string{"max(a)", "array(a)", "save_array('x', a)", "Network(a)", "a*mV", "sum(a)", "NeuronGroup(a, 'v : 1')", "a < 2*mV", "TimedArray(a, dt=1*ms)", "print(a)", "str(a)", "'%s' % [a]", "param('x', a)",
			"NeuronGroup(1, 'v : 1', namespace={'a': a})", "concatenate(a)", "where(a)", "sorted(a)", "a == a", "Network({'x': a})", "PoissonGroup(1, a)", "len(a)", "min(a, a)", "fail(a)", "repeat(a, 2)", "zeros(a)", "Equations('v : x', x=a)"} {
			_, _, err := runText(t, start+use, Options{})
			if err != nil && err.Error() == "" {
				t.Errorf("%s%s: an error without a text", start, use)
			}
		}
	}
}

// TestNesting parses what is nested very deep in every way the grammar has.
func TestNesting(t *testing.T) {
	r := strings.Repeat
	const n = 200000
	for _, src := range []string{
		"x = " + r("(", n) + "1" + r(")", n), "x = " + r("[", n) + r("]", n), "x = " + r("{1: ", n) + "1" + r("}", n), "x = " + r("-", n) + "1", "x = " + r("not ", n) + "1", "x = " + r("~", n) + "1", "x = " + r("+-", n) + "1",
		"x = " + r("lambda: ", n) + "1", "x = " + r("1 if 1 else ", n) + "1", "x = " + r("1+", n) + "1", "x = " + r("1*", n) + "1", "x = " + r("1**", n) + "1", "x = " + r("1**-", n) + "1", "x = " + r("1 and ", n) + "1", "x = 1\ny = x" + r(".a", n),
		"x = 1\ny = x" + r("()", n), "x = 1\ny = x" + r("[0]", n), "x = 1\ny = x" + r("[0:1]", n), "x = 1\nif x: pass\n" + r("elif x: pass\n", n), "x = [0 " + r("for a in [1] ", n) + "]", "x = " + r("f(", n) + r(")", n), r("(", n) + "a" + r(",)", n) + " = 1",
		r("(", n), r(")", n), r("[", n) + r(")", n), "x = (\n" + r("(\n", n) + "1" + r(")", n) + ")", "x = 1 " + r("\\\n+ 1", n), r("(-", n) + "1" + r(")", n),
	} {
		if _, _, err := runText(t, src, Options{}); err == nil {
			t.Errorf("%.20s: no error", src)
		}
	}
	for _, src := range []string{
		"x = " + r("(", 2000) + "1" + r(")", 2000) + "\nprint(x)", "x = " + r("1+", 9000) + "1\nprint(x - 9000)", "y = 1\nx = " + r("y*", 5000) + "1\nprint(x)", "x = [" + r("-1, ", 50000) + "]\nprint(-x[0])", "x = {" + r("1: -1,\n", 1) + "}\nprint(-x[1])",
	} {
		if out, _, err := runText(t, src, Options{}); err != nil || out != "1\n" {
			t.Errorf("%.20s: %q, %v", src, out, err)
		}
	}
	if _, _, err := runText(t, "x = param('a', 1)", Options{Set: map[string]string{"a": "param('a', 1)"}}); err == nil || !strings.Contains(err.Error(), "not a value") {
		t.Errorf("a parameter that asks for itself: %v", err)
	}
	if _, _, err := runText(t, "x = param('a', 1)", Options{Set: map[string]string{"a": r("(", n) + "1" + r(")", n)}}); err == nil {
		t.Error("a parameter of many parentheses: no error")
	}
}

// TestDeepKeys looks tuples within tuples up, where Starlark follows them to
// their end.
func TestDeepKeys(t *testing.T) {
	for _, c := range []struct{ use, want string }{{"{x: 1}", ""}, {"set([x])", ""}, {"{}.get(x)", ""}, {"x in {}", ""}, {"x == (x,)", "recursion"}} {
		_, _, err := runText(t, "x = ()\nfor i in range(200000): x = (x,)\ny = "+c.use, Options{})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v", c.use, err)
		}
	}
	defer func(old int64) { maxStack = old }(maxStack)
	maxStack = 16 << 20
	_, _, err := runText(t, "x = ()\nfor i in range(2000000): x = (x,)\ny = {x: 1}", Options{})
	if err == nil || !strings.Contains(err.Error(), "3:") || !strings.Contains(err.Error(), "a tuple within tuples") {
		t.Errorf("2 million levels: %v", err)
	}
	for end := time.Now().Add(time.Minute); executing.Load() > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("what was left to itself goes on")
		}
	}
	if out, _, err := runText(t, "n = 0\nfor i in range(10**6): n += 1\nprint(n)", Options{}); err != nil || out != "1000000\n" {
		t.Errorf("the next script: %q, %v", out, err) // it does not answer for the stacks that others left
	}
}

// TestTextsThatAreNone reads scripts that are no text, and those that other
// systems write.
func TestTextsThatAreNone(t *testing.T) {
	utf16 := func(s string, first, second int) string {
		var b strings.Builder
		for _, c := range []byte(s) {
			b.WriteString(strings.Repeat("\x00", first) + string(c) + strings.Repeat("\x00", second))
		}
		return b.String()
	}
	text := "print(1)\nprint(2)\n"
	for name, src := range map[string]string{
		"in a line": "print(1)\nx = 1\x00\nprint(2)", "in a comment": "print(1)\n# a\x00b\nprint(2)", "first": "\x00print(1)", "last": "print(1)\x00", "in a function": "def f():\n    print(1)\n\x00\n    print(2)\nf()", "after a blank": "print(1) \x00",
		"after a text": "print('a')\x00\nprint(2)", "in brackets": "print(1,\x00\n2)", "after a comment": "#\n\x00", "in a long text's line": "'''a'''\x00\nprint(2)",
		"UTF-16LE": utf16(text, 0, 1), "UTF-16BE": utf16(text, 1, 0), "UTF-16LE with mark": "\xff\xfe" + utf16(text, 0, 1), "UTF-16BE with mark": "\xfe\xff" + utf16(text, 1, 0), "UTF-32LE": utf16(text, 0, 3), "UTF-32BE": utf16(text, 3, 0),
	} {
		dir := t.TempDir()
		out, _, err := runText(t, src, Options{File: filepath.Join(dir, "m.star")})
		if err == nil || out != "" || !strings.Contains(err.Error(), "NUL") && !strings.Contains(err.Error(), "UTF") {
			t.Errorf("%s: printed %q, error %v", name, out, err)
		}
		os.WriteFile(filepath.Join(dir, "part.star"), []byte(src), 0o666)
		if _, _, err := runText(t, "load('part.star', 'x')", Options{File: filepath.Join(dir, "m.star")}); err == nil || !strings.Contains(err.Error(), "NUL") && !strings.Contains(err.Error(), "UTF") {
			t.Errorf("%s, loaded: error %v", name, err)
		}
	}
	for name, src := range map[string]string{
		"CRLF": "from brian2 import *\r\nimport numpy as np  # arrays\r\nx = 3**2\r\nprint(x)\r\n", "CR": "# a\rx = 3**2\rprint(x)\r", "mark": "\ufefffrom brian2 import *\nprint(9)\n", "mark and CRLF": "\ufefffrom brian2 import *\r\nprint(3**2)\r\n",
	} {
		if out, _, err := runText(t, src, Options{}); err != nil || out != "9\n" {
			t.Errorf("%s: printed %q, error %v", name, out, err)
		}
	}
	if out, _, err := runText(t, "print(len('a\x00b'))", Options{}); err != nil || out != "3\n" {
		t.Errorf("a NUL in a text: %q, %v", out, err)
	}
}

// TestInterruptedAnywhere interrupts what runs long in one step of the script.
func TestInterruptedAnywhere(t *testing.T) {
	for _, src := range []string{
		"x = rand(10**7)\nfor i in range(10**6): sort(x)", "x = [0]*10**7\nfor i in range(10**9): sorted(x)", "x = ['ab']*10**7\nfor i in range(10**9): ','.join(x)", "for i in range(10**9): pass", "x = list(range(8*10**6))\nfor i in range(10**9): str(x)",
	} {
		ctx, cancel := context.WithCancel(context.Background())
		began := time.Now()
		stop := context.AfterFunc(ctx, func() { began = time.Now() })
		time.AfterFunc(500*time.Millisecond, cancel)
		_, err := run(ctx, Options{File: "m.star", Src: []byte(src), MaxOps: 1e12})
		stop()
		if !errors.Is(err, engine.ErrInterrupted) {
			t.Errorf("%s: the error is %v", src, err)
		}
		if d := time.Since(began); d > 5*time.Second { // half a second on a quiet machine
			t.Errorf("%s: ended %v after the interruption", src, d)
		}
	}
}

// full is an output that takes nothing.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// TestPrintToFullDevice ends the script where its output is lost.
func TestPrintToFullDevice(t *testing.T) {
	_, err := run(context.Background(), Options{File: "m.star", Src: []byte("print(1)\nprint(2)"), Stdout: full{}})
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "m.star:1:1") {
		t.Errorf("the error is %v", err)
	}
}

// TestAttributesThatCannotBeAssigned assigns what is no variable.
func TestAttributesThatCannotBeAssigned(t *testing.T) {
	start := "G = NeuronGroup(4, 'v : 1\\ns : 1 (shared)', threshold='v > 1', reset='v = 0')\nC = SpikeGeneratorGroup(1, [0], [0]*ms)\nS = Synapses(G, G, on_pre='v += 1')\nS.connect()\n"
	for _, src := range []string{"G.run_on_event = 5", "G[0:2].start = 3", "G[0:2].stop = 3", "C.set_spikes = G", "G.set_event_schedule = None", "S.pre = 3", "S.connect = 1", "S.source = G", "G.N = 3", "S.pre.order = 'x'", "G.v.mean = 3", "__compare__()", "__slice__(1)", "__setslice__([1])", "__format__", "__power__(1, 2)", "__compare__('zz', 1, 2)"} {
		if _, _, err := runText(t, start+src, Options{}); err == nil || strings.Contains(err.Error(), "interface conversion") {
			t.Errorf("%s: the error is %v", src, err)
		}
	}
	out, _, err := runText(t, start+"G.s = 3\nprint(G.s.mean(), G.s.shape, G.s.size, G.s.max(), G.s[:])", Options{})
	if err != nil || out != "3.0 () 1 3.0 3.0\n" {
		t.Errorf("a shared variable: %q, %v", out, err)
	}
}

// TestSharedValuesCompared compares tuples and lists that hold one another 2^60 times.
func TestSharedValuesCompared(t *testing.T) {
	for _, src := range []string{"x = ()\nfor i in range(60): x = (x, x)\n", "x = []\nfor i in range(60): x = [x, x]\n", "x = {}\nfor i in range(60): x = {1: x, 2: x}\n"} {
		for _, op := range []string{"==", "!="} {
			if _, _, err := runText(t, src+"y = x "+op+" x", Options{}); err == nil || !strings.Contains(err.Error(), "too large to compare") {
				t.Errorf("%s: the error is %v", op, err)
			}
		}
	}
	if out, _, err := runText(t, "x = [[1, (2, 3)]]*1000\nprint(x == [[1, (2, 3)]]*1000, {1: x} == {1: []}, [1] < [2])", Options{}); err != nil || out != "True False True\n" {
		t.Errorf("%q, %v", out, err)
	}
}

// TestNotUTF8 refuses files in other encodings, where they leave UTF-8.
func TestNotUTF8(t *testing.T) {
	for src, want := range map[string]string{"print(1)\n# \xe4\n": "test.star:2: the file is not UTF-8 (byte 0xe4)", "print('\xff\xf0')": "test.star:1: ", "x = 'a\xed\xa0\x80'": "test.star:1: "} {
		if _, _, err := runText(t, src, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: the error is %v", src, err)
		}
	}
	if _, _, err := runText(t, "# \u00e4 \ufffd\nx = '\U0001f600'", Options{}); err != nil {
		t.Error(err)
	}
}

// TestPowersOfUnits ends where the exponent of a unit would come round to another unit, or to none.
func TestPowersOfUnits(t *testing.T) {
	for _, src := range []string{"x = 1*mV\nfor k in range(100): x = x*x", "x = 1/mV\nfor k in range(100): x = x/(1/x)", "x = [1, 2]*mV\nfor k in range(100): x = x*x",
		"G = NeuronGroup(1, 'dv/dt = v*(" + strings.Repeat("mV*", 400) + "1)/ms : 1', method='euler')\nrun(1*ms)"} {
		if _, _, err := runText(t, src, Options{Open: func() (backend.Backend, error) { return ref.New(), nil }}); err == nil || !strings.Contains(err.Error(), "beyond all use") {
			t.Errorf("%s: the error is %v", src[:20], err)
		}
	}
	if _, _, err := runText(t, "x = mV\nfor k in range(5): x = x*x\nfor k in range(31): x = x/volt\ny = x + 1*mV", Options{}); err != nil {
		t.Error(err)
	}
}

// TestManyEquations chooses the method of many equations in a moment, and refuses to solve too many at once.
func TestManyEquations(t *testing.T) {
	start := time.Now()
	model := func(n, next int, method string) string {
		return fmt.Sprintf("G = NeuronGroup(1, '\\n'.join(['dv%%d/dt = (v%%d - 2*v%%d)/ms : 1' %% (k, (k + %d) %% %d, k) for k in range(%d)])%s)\nrun(0.1*ms)", next, n, n, method)
	}
	for name, src := range map[string]string{"alone": model(400, 0, ""), "alone, exact": model(400, 0, ", method='exact'"), "alone, exponential": model(400, 0, ", method='exponential_euler'"),
		"together": model(100, 1, ", method='exact'"), "many together": model(400, 1, "")} {
		if _, _, err := runText(t, src, Options{Open: func() (backend.Backend, error) { return ref.New(), nil }}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := runText(t, model(101, 1, ", method='exact'"), Options{Open: func() (backend.Backend, error) { return ref.New(), nil }}); err == nil || !strings.Contains(err.Error(), "exact solves at most 100 equations") {
		t.Errorf("101 together: %v", err)
	}
	if d := time.Since(start); d > 20*time.Second {
		t.Errorf("%v", d)
	}
}
