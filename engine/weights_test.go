package engine_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"synfire/engine"
	"synfire/engine/backend"
	"synfire/engine/script"
	"synfire/kernels"
)

// Backends on which every weight is followed to its target; gl joins where it is built.
var everyBackend = map[string]func(testing.TB) backend.Backend{
	"ref":       func(testing.TB) backend.Backend { return onRef() },
	"1 thread":  func(testing.TB) backend.Backend { return kernels.New(1) },
	"3 threads": func(testing.TB) backend.Backend { return kernels.New(3) },
}

// delivery is a random network whose targets forget, after each step, what they received,
// and what a plain loop in double precision says of it.
type delivery struct {
	text    strings.Builder
	r       *rand.Rand
	sources int
	targets [2]int
	spikes  [][2]int // source, step
	bundles []sent
	runs    []int // steps
	before  map[string]ColumnList
}

// sent is one Synapses: what each of its statements adds to, and how finely.
type sent struct {
	name   string
	path   string // whose delay changes: "S0", "S0.a"
	lo     int    // of its sources
	target int
	adds   []addition
}

type addition struct {
	to     string
	factor float64 // of S.w, or all of the weight where w is false
	w      bool
	kind   byte // 'g' given, 'd' drawn, 's' skewed
}

func (d *delivery) line(format string, a ...any) { fmt.Fprintf(&d.text, format+"\n", a...) }

// listOf is some text for each of n values.
func listOf(n int, f func(k int) string) string {
	var out []string
	for k := range n {
		out = append(out, f(k))
	}
	return "[" + strings.Join(out, ", ") + "]"
}

func newDelivery(seed uint64) *delivery {
	d := &delivery{r: rand.New(rand.NewPCG(seed, 13)), runs: []int{9, 11}}
	r := d.r
	d.sources, d.targets = 3+r.IntN(30), [2]int{1 + r.IntN(90), 1 + r.IntN(40)}
	for s := range d.sources {
		for n := range 12 {
			if r.IntN(6) == 0 {
				d.spikes = append(d.spikes, [2]int{s, n})
			}
		}
	}
	d.line("seed(%d)", seed)
	d.line("P = SpikeGeneratorGroup(%d, %s, %s*0.1*ms)", d.sources, listOf(len(d.spikes), func(k int) string { return fmt.Sprint(d.spikes[k][0]) }),
		"array("+listOf(len(d.spikes), func(k int) string { return fmt.Sprint(d.spikes[k][1]) })+")")
	for g, n := range d.targets {
		d.line("G%d = NeuronGroup(%d, 'x : 1\\ny : 1\\ng : siemens')", g, n)
		d.line("G%d.run_regularly('x = 0; y = 0; g = 0*siemens', dt=defaultclock.dt, order=1)", g)
		d.line("M%d = StateMonitor(G%d, ['x', 'y', 'g'], record=True)", g, g)
	}
	for k := range 1 + r.IntN(5) {
		d.synapses(fmt.Sprintf("S%d", k))
	}
	d.line("run(%d*defaultclock.dt)", d.runs[0])
	for _, b := range d.bundles {
		switch r.IntN(4) {
		case 0:
			d.line("%s.delay = %s", b.path, d.delay())
		case 1:
			if b.adds[0].w {
				d.line("%s.w = '2*w'", b.name)
			}
		}
	}
	d.line("run(%d*defaultclock.dt)", d.runs[1])
	return d
}

func (d *delivery) delay() string {
	switch d.r.IntN(3) {
	case 0:
		return fmt.Sprintf("%d*defaultclock.dt", d.r.IntN(5))
	case 1:
		return "'rand()*0.6*ms'"
	}
	return fmt.Sprintf("'(i %% %d)*0.1*ms'", 1+d.r.IntN(6))
}

func (d *delivery) synapses(name string) {
	r := d.r
	b := sent{name: name, lo: r.IntN(d.sources), target: r.IntN(2)}
	magnitude := func() float64 { return math.Pow(10, -9+13*r.Float64()) * float64(1-2*r.IntN(2)) }
	scale, kind := magnitude(), byte('g')
	unit := "1"
	var add []string
	withW := r.IntN(4) > 0
	for range 1 + r.IntN(2) {
		a := addition{to: []string{"x", "y", "g"}[r.IntN(3)], w: withW, factor: 1}
		siemens := ""
		if a.to == "g" {
			siemens = "*nS"
		}
		switch {
		case withW && r.IntN(2) == 0:
			add = append(add, fmt.Sprintf("%s_post += w%s", a.to, siemens))
		case withW:
			a.factor = -0.25
			add = append(add, fmt.Sprintf("%s_post -= 0.25*w%s", a.to, siemens))
		default:
			a.factor = magnitude()
			add = append(add, fmt.Sprintf("%s_post += %.17g%s", a.to, a.factor, siemens))
		}
		if a.to == "g" {
			a.factor *= 1e-9
		}
		b.adds = append(b.adds, a)
	}
	code := "'" + strings.Join(add, "; ") + "'"
	if len(add) == 2 && r.IntN(2) == 0 {
		code = "{'a': '" + add[0] + "', 'b': '" + add[1] + "'}"
	}
	d.line("%s = Synapses(P[%d:], G%d, 'w : %s', on_pre=%s)", name, b.lo, b.target, unit, code)
	nTgt, nSrc := d.targets[b.target], d.sources-b.lo
	d.line("%s.connect(%s)", name, []string{"", "p=0.3", "condition='(i + j) % 3 == 0'", "rule='fixed_indegree', indegree=3", "rule='fixed_outdegree', outdegree=2",
		"rule='fixed_total_number', N=40", "j='k for k in range(i, i + 3)', skip_if_invalid=True", "p=0.5, n=2",
		fmt.Sprintf("i=%s, j=%s", listOf(20, func(k int) string { return fmt.Sprint(k * 7 % nSrc) }), listOf(20, func(k int) string { return fmt.Sprint(k * 5 % nTgt) }))}[r.IntN(9)])
	if withW {
		var value string
		switch r.IntN(9) {
		case 0:
			value = fmt.Sprintf("%.17g", scale)
		case 1:
			value = fmt.Sprintf("[%.17g]*len(%s.i)", scale, name)
		case 2:
			value = fmt.Sprintf("[%.17g*(1 + k %% 300) for k in range(len(%s.i))]", scale, name)
		case 3:
			value = fmt.Sprintf("[%.17g*10.0**(-(k %% 9)) for k in range(len(%s.i))]", scale, name)
		case 4:
			value = fmt.Sprintf("'%.17g*exp(-abs(i - j)/10.0)'", scale)
		case 5:
			value, kind = fmt.Sprintf("'%.17g*(1 + 0.1*randn())'", scale), 'd'
		case 6:
			value, kind = fmt.Sprintf("'%.17g*rand()'", scale), 'd'
		case 7:
			value, kind = fmt.Sprintf("'%.17g*exp(2*randn())'", scale), 's'
		case 8:
			value, kind = fmt.Sprintf("'%.17g*exp(randn())'", scale), 's'
		}
		d.line("%s.w = %s", name, value)
	}
	for k := range b.adds {
		b.adds[k].kind = kind
	}
	b.path = name
	if !strings.HasPrefix(code, "'") {
		b.path += ".a"
	}
	d.line("%s.delay = %s", b.path, d.delay())
	d.bundles = append(d.bundles, b)
}

// columns are what one run's synapses were.
type ColumnList struct{ i, j, w, delay, delay2 []float64 }

// TestEveryWeightArrives holds random tables to a plain loop: how often and how much.
func TestEveryWeightArrives(t *testing.T) {
	trials := 40
	if testing.Short() {
		trials = 8
	}
	for seed := range trials {
		d := newDelivery(uint64(seed))
		first := ""
		names := []string{}
		for name := range everyBackend {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			if name == "gl" && seed%4 != 0 { // each compiles shaders
				continue
			}
			hash := d.check(t, name, everyBackend[name])
			if t.Failed() {
				t.Fatalf("seed %d on %s:\n%s", seed, name, d.text.String())
			}
			if first == "" {
				first = hash
			} else if hash != first {
				t.Fatalf("seed %d: %s gives %s, %s gives %s:\n%s", seed, names[0], first, name, hash, d.text.String())
			}
		}
	}
}

func (d *delivery) check(t *testing.T, name string, open func(testing.TB) backend.Backend) string {
	t.Helper()
	var printed bytes.Buffer
	src := d.text.String()
	at := strings.Index(src, fmt.Sprintf("run(%d*defaultclock.dt)", d.runs[0]))
	if d.before == nil { // what the synapses are in the first run
		half, err := script.Run(context.Background(), script.Options{File: "half.star", Src: []byte(src[:at] + "run(0*ms)\n"), Stdout: &printed,
			Open: func() (backend.Backend, error) { return onRef(), nil }})
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, src)
			return ""
		}
		d.before = d.ColumnList(t, half.Net)
		half.Net.Close()
	}
	var warned []string
	hash := ""
	res, err := script.Run(context.Background(), script.Options{File: "whole.star", Src: []byte(src), Stdout: &printed, Warn: func(m string) { warned = append(warned, m) },
		Open: func() (backend.Backend, error) { return open(t), nil },
		AfterRun: func(r *script.Result) error { // while the backend is open
			spikes, state, err := r.Net.Hash()
			hash = spikes + " " + state
			return err
		}})
	if err != nil {
		t.Errorf("%s: %v\n%s", name, err, src)
		return ""
	}
	defer res.Net.Close()
	if len(warned) > 0 {
		t.Errorf("warnings: %v", warned)
	}
	after := d.ColumnList(t, res.Net)
	steps := d.runs[0] + d.runs[1]
	type cell struct{ want, allowed, size float64 }
	want := map[string][][]cell{}
	for g, n := range d.targets {
		for _, v := range []string{"x", "y", "g"} {
			rows := make([][]cell, steps)
			for s := range rows {
				rows[s] = make([]cell, n)
			}
			want[fmt.Sprint(v, g)] = rows
		}
	}
	events := uint64(0)
	for _, b := range d.bundles {
		one, two := d.before[b.name], after[b.name]
		for n, a := range b.adds {
			rows := want[fmt.Sprint(a.to, b.target)]
			for k := range one.i {
				for _, sp := range d.spikes {
					if sp[0]-b.lo != int(one.i[k]) {
						continue
					}
					delays := one // a spike keeps the delay with which it left
					if sp[1] >= d.runs[0] {
						delays = two
					}
					delay := delays.delay[k]
					if n == 1 {
						delay = delays.delay2[k]
					}
					due := sp[1] + int(delay/1e-4+0.5)
					if due >= steps {
						continue
					}
					events++
					now := one // but adds the weight of the moment
					if due >= d.runs[0] {
						now = two
					}
					w, allowed := a.factor, math.Abs(a.factor)*0x1p-12
					if a.w {
						w = a.factor * now.w[k]
						allowed = allowance(a.kind, now.w, k) * math.Abs(a.factor)
					}
					c := &rows[due][int(one.j[k])]
					c.want += w
					c.allowed += allowed
					c.size += math.Abs(w)
				}
			}
		}
	}
	got := uint64(0)
	for _, r := range res.Runs {
		got += r.Events
	}
	if got != events {
		t.Errorf("%d deliveries, expected %d", got, events)
	}
	for _, m := range res.Net.Monitors() {
		s, ok := m.(*engine.StateMonitor)
		if !ok {
			continue
		}
		g := s.Name()[1:]
		for _, v := range s.Variables() {
			vals, _, err := s.Values(v)
			if err != nil {
				t.Fatal(err)
			}
			for i := range vals {
				for step, x := range vals[i] {
					if step == 0 { // what step n adds shows in sample n+1
						continue
					}
					c := want[v+g][step-1][i]
					if math.Abs(x-c.want) > 1.001*c.allowed+c.size*0x1p-21 {
						t.Errorf("G%s.%s[%d] received %g in step %d, expected %g within %g", g, v, i, x, step-1, c.want, c.allowed)
						return ""
					}
				}
			}
		}
	}
	return hash
}

// allowance is how far weight k may be off (docs/language.md, Synapses).
func allowance(kind byte, w []float64, k int) float64 {
	switch kind {
	case 'd':
		mean, sum := 0.0, 0.0
		for _, x := range w {
			mean += x / float64(len(w))
		}
		for _, x := range w {
			sum += (x - mean) * (x - mean)
		}
		return max(math.Sqrt(sum/float64(len(w)))/512, math.Abs(w[k])*0x1p-12)
	case 's':
		sizes := make([]float64, len(w))
		for n, x := range w {
			sizes[n] = math.Abs(x)
		}
		slices.Sort(sizes)
		return 0x1p-8 * max(math.Abs(w[k]), sizes[len(w)/2]/100)
	}
	return math.Abs(w[k]) * 0x1p-12
}

func (d *delivery) ColumnList(t *testing.T, net *engine.Network) map[string]ColumnList {
	out := map[string]ColumnList{}
	for _, s := range net.AllSynapses() {
		get := func(v *engine.Var, err error) []float64 {
			if err != nil {
				t.Fatal(err)
			}
			a, err := v.Get(nil)
			if err != nil {
				t.Fatal(err)
			}
			return a.V
		}
		var c ColumnList
		c.i, c.j, c.w = get(s.Var("i")), get(s.Var("j")), get(s.Var("w"))
		c.delay = get(s.Delay(s.Pathways()[0]))
		c.delay2 = c.delay
		if len(s.Pathways()) > 1 {
			c.delay2 = get(s.Delay(s.Pathways()[1]))
		}
		out[s.Name()] = c
	}
	return out
}

// TestRoundingOfWeights holds cases in which weights were rounded away, or got the
// scale of another sum.
func TestRoundingOfWeights(t *testing.T) {
	for _, c := range []struct{ name, src string }{
		{"one weight for two variables, of which another projection makes one's scale coarser", `
S = Synapses(P, G, 'w : 1', on_pre='x += w; y += w'); S.connect(); S.w = '0.5 + 0.1*i'
T = Synapses(P, G, on_pre='x += 1e5'); T.connect(i=0, j=3)
`},
		{"one constant for two variables", `
S = Synapses(P, G, on_pre={'a': 'x += 0.5', 'b': 'y += 0.5'}); S.connect()
T = Synapses(P, G, on_pre='x += 1e5'); T.connect(i=0, j=3)
`},
		{"an input of 1,000 V that never fires", `
S = Synapses(P, G, on_pre='x += 1e-5'); S.connect()
T = Synapses(never, G, on_pre='x += 1e6'); T.connect()
`},
		{"constants beside drawn weights", `
S = Synapses(never, G, 'w : 1', on_pre='x += w'); S.connect(p=0.9); S.w = '10 + randn()'
T = Synapses(P, G, on_pre='x += 0.0131'); T.connect()
U = Synapses(P, G, on_pre='x -= 0.0007'); U.connect()
`},
		{"an equal-valued list beside whole constants", `
S = Synapses(never, G, on_pre='x += 300'); S.connect()
T = Synapses(never, G, on_pre='x += 20'); T.connect()
V = Synapses(never, G, on_pre='x += 1'); V.connect()
U = Synapses(P, G, 'w : 1', on_pre='x += w'); U.connect(); U.w = [0.1]*len(U.i)
`},
		{"numbers without units, as small as 1e-20", `
S = Synapses(P, G, 'w : 1', on_pre='x += w'); S.connect(); S.w = '2.5e-20*(1 + j)'
`},
		{"twelve orders of magnitude in one list", `
S = Synapses(P, G, 'w : 1', on_pre='x += w'); S.connect(j='i'); S.w = [1e-6, 1e-2, 1e2, 1e6]
T = Synapses(never, G, on_pre='x += 7'); T.connect()
`},
		{"seven orders, negative ones, on two orders of pathways", `
S = Synapses(P, G, 'w : 1', on_pre={'a': 'x -= w', 'b': 'y += 2*w'}); S.connect(j='i'); S.w = [1e-4, 1, 10, 1e3]; S.b.order = 2
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			src := `
P = SpikeGeneratorGroup(4, [0, 1, 2, 3], [0.1, 0.2, 0.3, 0.4]*ms)
never = SpikeGeneratorGroup(300, [0], [1]*second)
G = NeuronGroup(4, 'x : 1\ny : 1')
G.run_regularly('x = 0; y = 0', dt=defaultclock.dt, order=1)
M = StateMonitor(G, ['x', 'y'], record=True)
` + c.src + `
run(1*ms)
`
			res, err := script.Run(context.Background(), script.Options{File: "w.star", Src: []byte(src), Open: func() (backend.Backend, error) { return kernels.New(1), nil },
				Warn: func(m string) { t.Errorf("warning: %s", m) }})
			if err != nil {
				t.Fatal(err)
			}
			defer res.Net.Close()
			m := res.Net.Monitors()[0].(*engine.StateMonitor)
			x, _, _ := m.Values("x")
			y, _, _ := m.Values("y")
			want := func(v byte, i, j int) float64 { // what source i sends to target j
				at := func(w ...float64) float64 {
					if i == j {
						return w[i]
					}
					return 0
				}
				switch {
				case strings.Contains(c.src, "0.5 + 0.1*i"):
					if v == 'x' && i == 0 && j == 3 {
						return 1e5 + 0.5
					}
					return 0.5 + 0.1*float64(i)
				case strings.Contains(c.src, "'y += 0.5'"):
					if v == 'x' && i == 0 && j == 3 {
						return 1e5 + 0.5
					}
					return 0.5
				case strings.Contains(c.src, "1e-6, 1e-2") && v == 'x':
					return at(1e-6, 1e-2, 1e2, 1e6)
				case strings.Contains(c.src, "1e-4, 1,"):
					return map[byte]float64{'x': -1, 'y': 2}[v] * at(1e-4, 1, 10, 1e3)
				case v == 'y':
					return 0
				case strings.Contains(c.src, "1e-5"):
					return 1e-5
				case strings.Contains(c.src, "0.0131"):
					return 0.0124
				case strings.Contains(c.src, "[0.1]"):
					return 0.1
				}
				return 2.5e-20 * float64(1+j)
			}
			for i := range 4 {
				for j := range 4 {
					for v, rows := range map[byte][][]float64{'x': x, 'y': y} {
						if got, w := rows[j][i+2], want(v, i, j); math.Abs(got-w) > math.Abs(w)*0x1p-12 {
							t.Errorf("%c[%d] received %g from %d, expected %g", v, j, got, i, w)
						}
					}
				}
			}
		})
	}
	var warned []string
	res, err := script.Run(context.Background(), script.Options{File: "w.star", Src: []byte(`
P = SpikeGeneratorGroup(2, [0], [0.1]*ms)
G = NeuronGroup(2, 'x : 1')
S = Synapses(P, G, 'w : 1', on_pre='x += w'); S.connect(j='i'); S.w = [1e-22, 1e9]
run(1*ms)
run(1*ms)
`), Open: func() (backend.Backend, error) { return onRef(), nil }, Warn: func(m string) { warned = append(warned, m) }})
	if err != nil {
		t.Fatal(err)
	}
	res.Net.Close()
	if len(warned) != 1 || !strings.Contains(warned[0], "S: ") || !strings.Contains(warned[0], "by up to") {
		t.Errorf("warnings %q, expected one that names S and the loss", warned)
	}
}

// TestSmallEffects: what an effect adds arrives however small it is.
func TestSmallEffects(t *testing.T) {
	out, _ := run(t, `
A = NeuronGroup(6, 's : 1', threshold='t < dt/2')
A.s = [1e-4, 1e-7, 1e-10, 1e-13, -3e-8, 5e4]
B = NeuronGroup(6, 'g : 1')
S = Synapses(A, B, on_pre='g_post += 2*s_pre'); S.connect(j='i')
T = Synapses(A, B, on_pre='g_post -= s_pre'); T.connect(j='i')
run(1*ms)
print(max(abs(B.g[:]/A.s[:] - 1)) < 2e-3, max(abs(B.g[:3]/A.s[:3] - 1)) < 1e-5)
`, onCPU(1))
	if out != "True True\n" {
		t.Errorf("got %s", out)
	}
}
