package script

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.starlark.net/starlark"

	"synfire/engine/backend"
	"synfire/engine/script/argument"
	"synfire/engine/script/array"
	"synfire/kernels/ref"
)

// writer writes scripts of random calls, attributes and assignments. Each
// statement stands in attempt(), so that the next ones come to their turn.
type writer struct {
	choices []byte // from which everything is chosen; when they end, so does the script
	text    strings.Builder
	vars    int
}

func (w *writer) choose(n int) int {
	if len(w.choices) == 0 {
		return 0
	}
	c := int(w.choices[0])
	w.choices = w.choices[1:]
	if n > 256 && len(w.choices) > 0 {
		c = c<<8 | int(w.choices[0])
		w.choices = w.choices[1:]
	}
	return c % n
}

// fields are the parts of a list, which | separates and lines may break.
func fields(list string) []string {
	return strings.Split(strings.ReplaceAll(strings.ReplaceAll(list, "\n", ""), `\n`, "\n"), "|")
}

func oneOf(w *writer, list []string) string { return list[w.choose(len(list))] }

// plain are values without objects; texts are what the language puts in quotes.
var (
	plain = fields(`0|1|2|3|-1|-2|5|0.5|2.5|-0.0|1e9|1e30|1e300|1e-30|1<<31|1<<63|1<<500|2**31|-2**63|inf|-inf|inf-inf|True|False|None|
1*ms|0.1*ms|0.05*ms|10*ms|-1*ms|0*ms|1e15*second|inf*ms|(inf-inf)*ms|5*mV|-70*mV|1*Hz|1e9*Hz|-5*Hz|3*nA|mV|second|
[]|[0]|[1, 2]|[3, 1, 2, 0]|[0.5, -1]|[1, None]|[1*ms, 2*ms]|[1*mV, 1*ms]|[[1, 2], [3, 4]]|[[]]|[[[1]]]|[inf]|['v']|['v', 'w']|['v', 'v']|[True, False, True, False]|(1, 2)|()|(1,)|
array([1, 2, 3])|array([])|array([[1, 2, 3], [4, 5, 6]])|arange(4)|arange(4)*ms|zeros(4)|zeros((2, 3))|zeros((0, 3))|zeros((3, 0))|ones(4)*mV|linspace(0, 1, 4)|rand(4)|arange(4) > 1|
range(4)|range(10**12)|range(0)|range(3, 0, -1)|{}|{'a': 1}|{1: 2}|{'pre': 1*ms}|{'pre': 'v += 1'}|{'a': 'v += 1', 'b': 'w += 1'}|{'spike': 'v > 1'}|{'hot': 'w > 1'}|{'tau': 5*ms}|{'tau': [1, 2]*ms}|
set([1, 2])|(lambda: 1)|(lambda t: None)|print|len|NeuronGroup|run|np|np.random|defaultclock|deep|cyclic|big`)
	texts = fields(`|v|w|x|i|j|t|dt|N|abc|pre|post|spike|hot|start|end|thresholds|gaussian|flat|euler|exact|rk4|milstein|linear|1|0|-1|1.5|i|i == j|i != j|v > 1|v >|w > 0.5|True|rand() < 0.5|rand()|1e30|5*mV|1*ms|i*ms|1/i|v = 0|v += w|v_post += w|v_post += 1|w = v|v_pre|x_post|v = v_post|k = 1; v = k|
k for k in range(N_post)|k for k in range(i, i + 2)|k for k in sample(N_post, p=0.5)|k for k in sample(N_post, size=2) if k != i|i|all_to_all|one_to_one|fixed_indegree|fixed_total_number|pairwise_bernoulli|
dv/dt = -v/tau : 1|dv/dt = (1 - v)/(10*ms) : 1 (unless refractory)|dv/dt = -v/(10*ms) + xi*(10*ms)**-0.5 : 1|v : 1|v : volt|w : 1|w : 1 (shared)|w : integer|w : boolean (constant)|v = t/ms : 1|tau : second|dw/dt = -w/ms : 1 (event-driven)|dw/dt = -w/ms : 1 (clock-driven)|
(|)|'|µ|%d|%s %s|%.3f|{}|a.npy|t.csv|../x|0.1*ms|clip(v, 0, 1)|TA(t)|TA(t, i)|exp(1000*i)|i % 0|i // 0|v[i]|__class__|lastspike|not_refractory|x : 1 (summed)|
dv/dt = 1/ms : 1\ndw/dt = -w/ms : 1|v : 1\nw : 1\nx : second|w = 2*v : 1\nv : 1`)
	operations = strings.Fields("+ - * / // % ** == != < <= > >= & | ^ << >> in")
	attributes = append(strings.Fields(`N name dt t v w x i j s tau delay pre post order count record rate source target start stop shape size T dim sum mean std var min max argmin argmax
nonzero flatten tolist copy in_unit in_best_unit v_ t_ i_ it num_spikes num_events spike_trains event_trains values all_values record_variables smooth_rate run_regularly run_on_event set_event_schedule
set_spikes connect add collect run store restore remove objects substitute N_pre N_post N_incoming N_outgoing lastupdate lastspike not_refractory events threshold random text
append extend insert pop clear items keys update get setdefault upper join split replace format elems strip union difference __init__ __compare__ a b spike hot`), slices.Sorted(maps.Keys(absentAttrs))...)
)

// value is an expression.
func (w *writer) value(depth int) string {
	switch k := w.choose(10); {
	case k < 3:
		return oneOf(w, plain)
	case k < 5:
		return quote(oneOf(w, texts))
	case k < 8 && w.vars > 0:
		return fmt.Sprintf("v%d", w.choose(w.vars))
	case depth > 2:
		return oneOf(w, plain)
	}
	return w.compute(depth + 1)
}

func quote(s string) string { return starlark.String(s).String() }

// compute is an expression that does something.
func (w *writer) compute(depth int) string {
	v := func() string { return w.value(depth + 1) }
	switch w.choose(9) {
	case 0:
		return "(" + v() + " " + oneOf(w, operations) + " " + v() + ")"
	case 1, 2:
		return "(" + v() + ")." + oneOf(w, attributes)
	case 3:
		return "(" + v() + ")[" + w.index(depth) + "]"
	case 4, 5:
		name := oneOf(w, slices.Sorted(maps.Keys(methodParams)))
		return "(" + v() + ")." + name + "(" + w.arguments(methodParams[name], depth) + ")"
	case 6:
		return "(" + v() + ")." + oneOf(w, attributes) + "(" + w.arguments("a b c", depth) + ")"
	case 7:
		names := slices.Sorted(maps.Keys(variadic))
		names = append(names, slices.Sorted(maps.Keys(array.Pure))...)
		names = append(names, slices.Sorted(maps.Keys(guards))...)
		names = append(names, slices.Sorted(maps.Keys(array.Reductions))...)
		return oneOf(w, append(names, slices.Sorted(maps.Keys(array.Transforms))...)) + "(" + w.arguments("a b c", depth) + ")"
	}
	name := oneOf(w, slices.Sorted(maps.Keys(functions)))
	return name + "(" + w.arguments(functions[name].params, depth) + ")"
}

func (w *writer) index(depth int) string {
	v := func() string {
		if w.choose(3) == 0 {
			return ""
		}
		return w.value(depth + 1)
	}
	switch w.choose(4) {
	case 0:
		return v() + ":" + v()
	case 1:
		return v() + ":" + v() + ":" + v()
	case 2:
		return w.value(depth+1) + ", " + w.value(depth+1)
	}
	return w.value(depth + 1)
}

// arguments are some of a function's parameters, by position or by name.
func (w *writer) arguments(params string, depth int) string {
	var list []string
	named := false
	for _, p := range argument.Params(params) {
		named = named || !p.Required
		switch {
		case w.choose(8) == 0 && p.Required, w.choose(3) > 0 && !p.Required:
			named = true // left out
		case named || w.choose(6) == 0:
			named = true
			list = append(list, p.Name+"="+w.fitting(p.Name, depth))
		default:
			list = append(list, w.fitting(p.Name, depth))
		}
	}
	return strings.Join(list, ", ")
}

// fitting is an argument that often suits the parameter.
func (w *writer) fitting(param string, depth int) string {
	suits := map[string][]string{
		"N": {"4", "1", "3"}, "source": {"G", "P", "G[1:3]", "S"}, "target": {"G", "P", "G[:2]"}, "variables": {"'v'", "['v', 'w']", "True"}, "variable": {"'v'"}, "var": {"'v'", "'t'"},
		"model": {"M", "'v : 1\\nw : 1'", "Equations('v : 1')"}, "threshold": {"'v > 1'", "'rand() < 0.1'"}, "reset": {"'v = 0'", "''"}, "refractory": {"1*ms", "'v > 0.5'", "True"},
		"record": {"True", "[0, 1]", "0"}, "dt": {"0.1*ms", "1*ms"}, "duration": {"0.5*ms", "1*ms"}, "rates": {"10*Hz", "'1*kHz'"}, "rate": {"10*Hz"}, "weight": {"1", "'rand()'"}, "target_var": {"'v'"},
		"indices": {"[0, 1]", "array([2, 2])"}, "times": {"[0, 0.2]*ms", "array([0.1, 0.3])*ms"}, "on_pre": {"'v_post += w'", "'v += 1'", "{'a': 'v += 1'}"}, "on_post": {"'w += 1'", "None"},
		"event": {"'spike'", "'hot'"}, "events": {"{'hot': 'w > 1'}"}, "code": {"'v = 0'", "'v += 0.1'"}, "p": {"0.5", "1", "'i/4'"}, "i": {"[0, 1]", "1", "'k for k in range(N_pre)'"}, "j": {"[1, 2]", "'i'", "'k for k in range(N_post)'"},
		"condition": {"'i != j'", "True", "'v_pre > 0'"}, "values": {"arange(4)", "[[1, 2], [3, 4]]", "array([1, 2])*mV"}, "width": {"1*ms", "0.3*ms"}, "window": {"'flat'", "array([1, 2, 1])"}, "method": {"'euler'", "'exact'"},
		"delay": {"1*ms", "{'pre': 0.2*ms}"}, "name": {"'name1'", "'G'"}, "file": {"'a.npy'"}, "unit": {"mV"}, "when": {"'start'", "'end'"}, "namespace": {"{}", "{'tau': 1*ms}"}, "n": {"2", "'i + 1'"}, "arrays": {"[arange(3), ones(2)]"},
	}[param]
	if len(suits) > 0 && w.choose(4) > 0 {
		return oneOf(w, suits)
	}
	return w.value(depth + 1)
}

// statement adds one statement.
func (w *writer) statement() {
	k := w.choose(12)
	switch {
	case k < 2 && w.vars > 0:
		fmt.Fprintf(&w.text, "def f():\n    (%s).%s %s %s\nattempt(f)\n", w.value(1), oneOf(w, attributes), oneOf(w, []string{"=", "=", "+=", "*="}), w.value(1))
	case k < 4 && w.vars > 0:
		target := "(" + w.value(1) + ")"
		if w.choose(2) == 0 {
			target += "." + oneOf(w, attributes)
		}
		fmt.Fprintf(&w.text, "def f():\n    %s[%s] %s %s\nattempt(f)\n", target, w.index(1), oneOf(w, []string{"=", "=", "+=", "%="}), w.value(1))
	case k < 5:
		w.text.WriteString("attempt(lambda: run(0.3*ms))\n")
	default:
		fmt.Fprintf(&w.text, "v%d = attempt(lambda: %s)\n", w.vars, w.compute(0))
		w.vars++
	}
}

// randomScript is a script that the choices write.
func randomScript(choices []byte) string {
	w := &writer{choices: choices}
	w.text.WriteString(`M = '''dv/dt = (1.2 - v)/(5*ms) : 1 (unless refractory)
w : 1
s : 1 (shared)
tau : second'''
G = NeuronGroup(4, M, threshold='v > 1', reset='v = 0', refractory=0.2*ms, method='euler', events={'hot': 'w > 1'})
P = PoissonGroup(3, 500*Hz)
C = SpikeGeneratorGroup(3, [0, 1, 2], [0.1, 0.2, 0.3]*ms)
S = Synapses(G, G, 'sw : 1', on_pre='v_post += sw')
S.connect(p=0.5)
SM, SV, EM, RM = SpikeMonitor(G), StateMonitor(G, ['v', 's'], record=[0, 2]), EventMonitor(G, 'hot'), PopulationRateMonitor(G)
TA = TimedArray(arange(4)*1.0, dt=0.1*ms)
deep, cyclic, big = [], [], 'abc'
for k in range(2000): deep = [deep]
c2 = {'c': cyclic}
cyclic.append(c2)
for k in range(12): big = big + big
v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11 = G, P, C, S, SM, SV, EM, RM, G[1:3], S.pre, G.v, TA
`)
	w.vars = 12
	for len(w.choices) > 0 && w.vars < 40 {
		w.statement()
	}
	return w.text.String()
}

// runRandom runs a random script on the reference backend: whatever it asks, no
// panic, and an error has a text.
func runRandom(t *testing.T, dir, src string) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	defer func() {
		if r := recover(); r != nil {
			t.Fatalf("%v\nthe script:\n%s", r, src)
		}
	}()
	x := newScript(ctx, Options{File: filepath.Join(dir, "random.star"), Src: []byte(src), MaxOps: 200000, MaxSteps: 40, Stdout: io.Discard,
		Open: func() (backend.Backend, error) { return ref.New(), nil }})
	x.more = starlark.StringDict{"attempt": starlark.NewBuiltin("attempt", func(th *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		v, err := starlark.Call(th, args[0], nil, nil)
		if err == nil {
			return v, nil
		}
		if err = x.explain(err); err.Error() == "" || strings.Contains(err.Error(), "internal error") {
			t.Errorf("the error %q\nthe script:\n%s", err, src)
		}
		return starlark.None, nil
	})}
	if _, err := x.whole(); err != nil && strings.Contains(err.Error(), "syntax") {
		t.Errorf("the writer's fault: %v\n%s", err, src)
	}
	if ctx.Err() != nil {
		t.Errorf("no end in 20 s:\n%s", src)
	}
}

// TestRandomCalls runs scripts of random calls, attributes and assignments.
func TestRandomCalls(t *testing.T) {
	defer lowLimits()()
	dir, n := t.TempDir(), 300
	if _, err := run(context.Background(), Options{File: "start.star", Src: []byte(randomScript(nil))}); err != nil {
		t.Fatalf("what every script begins with: %v", err)
	}
	if testing.Short() {
		n = 100
	}
	for seed := range n {
		r := rand.New(rand.NewPCG(uint64(seed), 14))
		choices := make([]byte, 400)
		for k := range choices {
			choices[k] = byte(r.Uint32())
		}
		runRandom(t, dir, randomScript(choices))
	}
}

// lowLimits makes arrays and groups small, for fuzzers.
func lowLimits() (restore func()) {
	e, c := array.MaxElements, maxCells
	array.MaxElements, maxCells = 1<<12, 1<<12
	return func() { array.MaxElements, maxCells = e, c }
}

// FuzzAPI is TestRandomCalls from the choices of the fuzzer.
func FuzzAPI(f *testing.F) {
	for seed := range 8 {
		r := rand.New(rand.NewPCG(uint64(seed), 7))
		choices := make([]byte, 200)
		for k := range choices {
			choices[k] = byte(r.Uint32())
		}
		f.Add(choices)
	}
	defer lowLimits()()
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, choices []byte) {
		if len(choices) < 2000 {
			runRandom(t, dir, randomScript(choices))
		}
	})
}
