package engine_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// flight is a plain model of spikes in flight: what a script written beside it
// should show.
type flight struct {
	text     strings.Builder
	r        *rand.Rand
	now      int
	src, tgt int // neurons
	objects  []*bundle
	due      map[int][]func()
	v, u     []int // of targets, of sources
	samples  [][]int
	network  bool // runs as a Network, to which objects are added
}

// bundle is one Synapses.
type bundle struct {
	name  string
	pairs [][2]int
	paths [3][]int // delays in steps: v_post by pre, x_post by pre (an effect), u_pre by post
	gain  int
	begun bool
}

func (f *flight) line(format string, a ...any) { fmt.Fprintf(&f.text, "    "+format+"\n", a...) }

// fires says whether a neuron spikes in a step.
func fires(n, k, period int) bool { return n%(period+k) == 1 }

func (b *bundle) weight(k int) int { return b.gain * (b.pairs[k][0] + 2*b.pairs[k][1] + 1) }

// run makes n steps.
func (f *flight) run(n int) {
	for _, b := range f.objects {
		b.begun = true
	}
	for range n {
		f.samples = append(f.samples, append(append([]int(nil), f.v...), f.u...))
		for _, b := range f.objects {
			for k, p := range b.pairs {
				at := func(d int, x *int) { f.due[f.now+d] = append(f.due[f.now+d], func() { *x += b.weight(k) }) }
				if fires(f.now, p[0], 3) {
					at(b.paths[0][k], &f.v[p[1]])
					at(b.paths[1][k], &f.v[p[1]])
				}
				if fires(f.now, p[1], 4) {
					at(b.paths[2][k], &f.u[p[0]])
				}
			}
		}
		for _, effect := range f.due[f.now] {
			effect()
		}
		delete(f.due, f.now)
		f.now++
	}
	call := "run"
	if f.network {
		call = "net.run"
	}
	f.line("%s(%d*defaultclock.dt)", call, n)
}

func (f *flight) synapses() {
	b := &bundle{name: fmt.Sprintf("S%d", len(f.objects)), gain: 1}
	f.objects = append(f.objects, b)
	f.line("%s = Synapses(A, B, 'w : 1', on_pre={'pre': 'v_post += w', 'fx': 'v_post += w*(1 + 0*u_pre)'}, on_post='u_pre += w')", b.name)
	if f.network {
		f.line("net.add(%s)", b.name)
	}
	f.connect(b)
}

func (f *flight) connect(b *bundle) {
	var i, j []int
	for range 1 + f.r.IntN(4) {
		p := [2]int{f.r.IntN(f.src), f.r.IntN(f.tgt)}
		i, j, b.pairs = append(i, p[0]), append(j, p[1]), append(b.pairs, p)
		for k := range b.paths {
			b.paths[k] = append(b.paths[k], 0)
		}
	}
	f.line("%s.connect(i=%s, j=%s)", b.name, list(i), list(j))
	f.weights(b)
}

func (f *flight) weights(b *bundle) { f.line("%s.w = '%d*(i + 2*j + 1)'", b.name, b.gain) }

func list(x []int) string { return strings.ReplaceAll(fmt.Sprint(x), " ", ", ") }

// delay changes the delays of a pathway.
func (f *flight) delay(b *bundle) {
	k := f.r.IntN(3)
	d := b.paths[k]
	path := b.name + "." + []string{"pre", "fx", "post"}[k] + ".delay"
	x := f.r.IntN(30)
	switch f.r.IntN(4) {
	case 0:
		for q := range d {
			d[q] = x
		}
		f.line("%s = %d*defaultclock.dt", path, x)
	case 1:
		for q := range d {
			d[q] = x + b.pairs[q][0]*3
		}
		f.line("%s = '(%d + 3*i)*dt'", path, x)
	case 2:
		for q := range d {
			d[q] = f.r.IntN(30)
		}
		f.line("%s = [float(q) for q in %s]*defaultclock.dt", path, list(d))
	case 3:
		for q := range d {
			if b.pairs[q][1] > 0 {
				d[q] = x
			}
		}
		f.line("%s['j > 0'] = %d*defaultclock.dt", path, x)
	}
}

// simulate writes a function that builds and runs a network, and what it prints.
func simulate(r *rand.Rand, number int) (text, want string) {
	f := &flight{r: r, src: 1 + r.IntN(3), tgt: 1 + r.IntN(3), due: map[int][]func(){}, network: r.IntN(3) == 0}
	f.u, f.v = make([]int, f.src), make([]int, f.tgt)
	fmt.Fprintf(&f.text, "def simulate%d():\n", number)
	f.line("A = NeuronGroup(%d, 'u : 1', threshold='int(t/dt + 0.5) %% (3 + i) == 1', reset='')", f.src)
	f.line("B = NeuronGroup(%d, 'v : 1', threshold='int(t/dt + 0.5) %% (4 + i) == 1', reset='')", f.tgt)
	f.line("MA = StateMonitor(A, 'u', record=True); MB = StateMonitor(B, 'v', record=True)")
	if f.network {
		f.line("net = Network(A, B, MA, MB)")
	}
	f.synapses()
	for range 3 + r.IntN(12) {
		b := f.objects[r.IntN(len(f.objects))]
		switch r.IntN(9) {
		case 0:
			f.connect(b)
		case 1:
			f.synapses()
		case 2:
			b.gain = 1 + r.IntN(3)
			f.weights(b)
		case 3, 4, 5:
			f.delay(b)
		default:
			f.run([]int{0, 1, 2, 5, 9, 24}[r.IntN(6)])
		}
	}
	f.run(40)
	f.line("for k in range(%d): print([int(x) for x in MB.v[k]])", f.tgt)
	f.line("for k in range(%d): print([int(x) for x in MA.u[k]])", f.src)
	var out strings.Builder
	for k := range f.samples[0] {
		row := make([]int, len(f.samples))
		for n := range row {
			row[n] = f.samples[n][k]
		}
		fmt.Fprintln(&out, list(row))
	}
	if r.IntN(3) == 0 {
		fmt.Fprintln(&f.text, "start_scope()")
	}
	fmt.Fprintf(&f.text, "simulate%d()\n", number)
	return f.text.String(), out.String()
}

// TestLives holds random sequences of runs, new delays, weights, connect calls
// and Synapses, in one simulation after another, to a model of spikes in flight:
// each arrives once, with the delay with which it left and the weight of the
// moment, at the synapses that there were.
func TestLives(t *testing.T) {
	networks := 40
	if testing.Short() {
		networks = 10
	}
	for seed := range networks {
		r := rand.New(rand.NewPCG(uint64(seed), 13))
		var text, want string
		for number := range 1 + r.IntN(3) {
			s, w := simulate(r, number)
			text, want = text+s, want+w
		}
		out, hash := run(t, text, onRef)
		if out != want {
			t.Fatalf("seed %d: got\n%s, want\n%s\n%s", seed, out, want, text)
		}
		for _, threads := range []int{1, 2} {
			if o, h := run(t, text, onCPU(threads)); o != out || h != hash {
				t.Fatalf("seed %d, %d threads: got\n%s, ref\n%s\n%s", seed, threads, o, out, text)
			}
		}
	}
}
