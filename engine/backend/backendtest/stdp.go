package backendtest

import (
	"fmt"
	"math"
	"os"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/ir"
	"synfire/kernels/ref"
)

// stdp is a network whose synapses change with pairs of spikes: a weight for each
// synapse, a trace for each source and one for each target, which are two words:
// the value as last assigned and the step of that assignment.
type stdp struct {
	rule     connect.Rule
	lo, hi   int      // delays of the synapses
	late     int      // delay of on_post
	first    bool     // on_post comes before on_pre
	wide     bool     // two-word sums
	static   bool     // constant synapses add to the same sums
	triplet  bool     // on_post reads its own trace, on_pre that of its source
	random   bool     // on_pre draws
	trap     bool     // a weight that grows too large is an error
	scaled   bool     // weights are scaled now and then
	look     []uint32 // weights that are recorded, with a flag; nil: none; empty: all
	n, m     int
	rate     float64
	subgroup int // the targets begin with this neuron of their population
}

func (o stdp) String() string {
	return fmt.Sprintf("rule %d, delays %d to %d, late %d, first %t, wide %t, static %t, triplet %t, random %t, trap %t, scaled %t, look %d, %d to %d, rate %g",
		o.rule, o.lo, o.hi, o.late, o.first, o.wide, o.static, o.triplet, o.random, o.trap, o.scaled, len(o.look), o.n, o.m, o.rate)
}

// fading is a trace at a step: each step since its assignment takes 1/64 of it, linearly.
func (c *text) fading(value, since, step ir.Value) ir.Value {
	d := c.i(ir.SubI, step, since)
	far := c.b(ir.LtI, c.word(64), d)
	left := c.f(ir.SubF, c.float(1), c.f(ir.MulZ, c.f(ir.I2F, d), c.float(0x1p-6)))
	return c.f(ir.MulZ, value, c.f(ir.Sel, far, c.float(0), left))
}

func (c *text) clip(x ir.Value, most float32) ir.Value {
	x = c.f(ir.Sel, c.b(ir.LtF, x, c.float(0)), c.float(0), x)
	return c.f(ir.Canon, c.f(ir.Sel, c.b(ir.LtF, c.float(most), x), c.float(most), x))
}

func (c *text) now() ir.Value { return c.put(ir.Instr{Op: ir.Step, Type: ir.I32}) }

// net builds the plan; host word 0 is the flag of what runs now and then.
func (o stdp) net(seed uint64) *net {
	p := newNet(seed, 32)
	p.Host = 1
	longest := max(o.hi, o.late)
	a, b := p.pop("A", o.n, longest+1), p.pop("B", o.m+o.subgroup, longest+2)
	proj := &connect.Proj{Name: "S", Rule: o.rule, NPre: o.n, NPost: o.m, Unit: 1, P: 0.3, Seed: [2]uint32{uint32(seed), 1}, Stream: 5, Delay: connect.Column{Const: float64(o.lo), Lo: float64(o.lo), Hi: float64(o.lo)}}
	total := 0
	switch o.rule {
	case connect.FixedIndegree:
		proj.N = min(o.n, 40)
		total = proj.N * o.m
	case connect.FixedOutdegree:
		proj.N = min(o.m, 90)
		total = proj.N * o.n
	case connect.Given:
		total = 8 * o.n
		for range total {
			proj.I, proj.J = append(proj.I, uint32(p.rng.IntN(o.n))), append(proj.J, uint32(p.rng.IntN(o.m)))
		}
	default:
		total = o.n * o.m // at most
	}
	spec := &connect.Spec{Name: "S", NSrc: o.n, NTgt: o.m, Projs: []*connect.Proj{proj}, Scale: 1, Width: 32}
	if o.hi > o.lo {
		c := write("delay")
		out := c.slot("out", ir.Array, ir.F32)
		pick := c.i(ir.MulHi, c.rand(9, 0), c.word(uint32(o.hi-o.lo+1)))
		c.of(ir.Store, out, c.f(ir.I2F, c.i(ir.AddI, pick, c.word(uint32(o.lo)))))
		proj.Delay = connect.Column{Prog: &c.Prog, Data: make([][]uint32, 1), Lo: float64(o.lo), Hi: float64(o.hi)}
	}
	w := p.buf("S.w", backend.State, ir.F32, total+3)
	for range total + 3 {
		p.Bufs[w].Init = append(p.Bufs[w].Init, math.Float32bits(float32(p.rng.IntN(1000))*0x1p-10))
	}
	traces := func(name string, n int) [2]backend.BufID {
		return [2]backend.BufID{p.buf(name, backend.State, ir.F32, n), p.buf(name+".since", backend.State, ir.I32, n)}
	}
	apre, apost := traces("S.apre", o.n), traces("S.apost", o.m)
	acc := backend.NoBuf
	size := o.m + o.subgroup
	if o.wide {
		acc = p.buf("sum", backend.Scratch, ir.I32, 2*size)
	} else {
		acc = p.acc("sum", size)
	}
	p.chance(a, o.rate, 1)
	p.update(b, float32(o.rate), 0.2, 2)
	pre := p.table(spec, o.lo, o.hi, from(a, 0))
	late := *proj
	late.Delay = connect.Column{Const: float64(o.late), Lo: float64(o.late), Hi: float64(o.late)}
	behind := spec.Rounded(spec.Scale, spec.Width, spec.Uniform)
	behind.Projs = []*connect.Proj{&late}
	post := p.table(behind, o.late, o.late, backend.Source{Event: b.event, Lo: o.subgroup, Hi: b.n, Row0: 0})
	each := func(n, delay int, of backend.Source) int {
		one := &connect.Proj{Name: "each", Rule: connect.OneToOne, NPre: n, NPost: n, Unit: 1, Delay: connect.Column{Const: float64(delay), Lo: float64(delay), Hi: float64(delay)}}
		return p.table(&connect.Spec{Name: "each", NSrc: n, NTgt: n, Projs: []*connect.Proj{one}, Scale: 1, Width: 32}, delay, delay, of)
	}
	// trace adds to a trace at its own events.
	trace := func(name string, table int, of [2]backend.BufID, by float32) {
		c := write(name)
		v, since := c.slot("value", ir.Array, ir.F32), c.slot("since", ir.Array, ir.I32)
		x := c.fading(c.of(ir.Load, v), c.of(ir.Load, since), c.now())
		c.of(ir.Store, v, c.f(ir.Canon, c.f(ir.AddF, x, c.float(by))))
		c.of(ir.Store, since, c.now())
		p.effect(c, table, false, at(of[0], 0), at(of[1], 0)).Count = 0
	}
	onPre := func() {
		c := write("on_pre")
		ws, j, v, since, sum := c.slot("w", ir.Array, ir.F32), c.slot("j", ir.Array, ir.U32), c.slot("apost", ir.Table, ir.F32), c.slot("since", ir.Table, ir.I32), c.slot("sum", ir.Accum, ir.I32)
		bind := []backend.Binding{at(w, 2), targetEnd, at(apost[0], 0), at(apost[1], 0), at(acc, 0)}
		to := c.of(ir.Load, j)
		old := c.of(ir.Load, ws)
		g := c.i(ir.F2I, c.f(ir.MulF, old, c.float(0x1p10)))
		where := c.i(ir.AddI, to, c.word(uint32(o.subgroup)))
		if o.wide {
			c.of(ir.Scatter2, sum, where, g, c.i(ir.ShrS, g, c.word(31)))
		} else {
			c.of(ir.Scatter, sum, where, g)
		}
		x := c.fading(c.of(ir.Gather, v, to), c.of(ir.Gather, since, to), c.now())
		if o.triplet {
			i, v1, s1 := c.slot("i", ir.Array, ir.U32), c.slot("apre", ir.Table, ir.F32), c.slot("since", ir.Table, ir.I32)
			bind = append(bind, sourceEnd, at(apre[0], 0), at(apre[1], 0))
			at := c.of(ir.Load, i)
			x = c.f(ir.MulZ, x, c.f(ir.AddF, c.float(0.5), c.fading(c.of(ir.Gather, v1, at), c.of(ir.Gather, s1, at), c.now())))
		}
		if o.random {
			x = c.f(ir.MulZ, x, c.unit(c.rand(7, 0)))
		}
		y := c.f(ir.AddF, old, c.f(ir.MulZ, x, c.float(-0.25)))
		if o.trap {
			c.trap(c.b(ir.LtF, c.float(1.125), y), 0)
		}
		c.of(ir.Store, ws, c.clip(y, 3))
		p.effect(c, pre, false, bind...)
	}
	onPost := func() {
		c := write("on_post")
		ws, i, v, since := c.slot("w", ir.Array, ir.F32), c.slot("i", ir.Array, ir.U32), c.slot("apre", ir.Table, ir.F32), c.slot("since", ir.Table, ir.I32)
		bind := []backend.Binding{at(w, 2), sourceEnd, at(apre[0], 0), at(apre[1], 0)}
		from := c.of(ir.Load, i)
		x := c.fading(c.of(ir.Gather, v, from), c.of(ir.Gather, since, from), c.now())
		if o.triplet {
			j, v1, s1 := c.slot("j", ir.Array, ir.U32), c.slot("apost", ir.Table, ir.F32), c.slot("since", ir.Table, ir.I32)
			bind = append(bind, targetEnd, at(apost[0], 0), at(apost[1], 0))
			at := c.of(ir.Load, j)
			x = c.f(ir.MulZ, x, c.f(ir.AddF, c.float(0.5), c.fading(c.of(ir.Gather, v1, at), c.of(ir.Gather, s1, at), c.now())))
		}
		c.of(ir.Store, ws, c.clip(c.f(ir.AddF, c.f(ir.MulZ, c.of(ir.Load, ws), c.float(0.96875)), c.f(ir.MulZ, x, c.float(0.3125))), 3))
		p.effect(c, post, true, bind...).Count = 0
	}
	pres := func() {
		onPre()
		if o.hi == o.lo {
			trace("apre", each(o.n, o.lo, from(a, 0)), apre, 1)
		}
	}
	posts := func() {
		onPost()
		trace("apost", each(o.m, o.late, backend.Source{Event: b.event, Lo: o.subgroup, Hi: b.n, Row0: 0}), apost, 0.75)
	}
	apply := func() {
		if !o.wide {
			p.apply(b, acc, 0)
			return
		}
		c := write("receive")
		v, s := c.slot("v", ir.Array, ir.F32), c.slot("sum", ir.Table, ir.I32)
		low := c.of(ir.Gather, s, c.i(ir.Shl, c.i(ir.Lane), c.word(1)))
		c.of(ir.Store, v, c.f(ir.Canon, c.f(ir.AddF, c.of(ir.Load, v), c.f(ir.MulZ, c.f(ir.I2F, low), c.float(0x1p-12)))))
		p.eval(&c.Prog, b.n, at(b.v, 0), at(acc, 0))
	}
	if o.look != nil {
		r := backend.Rec{Items: o.look, N: total, Src: []backend.Binding{at(w, 2)}}
		if len(o.look) == 0 {
			r.Items = nil
		}
		r.Count = p.buf("looks", backend.Record, ir.U32, p.Batch)
		r.Dst = []backend.BufID{p.buf("seen", backend.Record, ir.F32, p.Batch*r.Width())}
		p.stage(backend.Stage{Form: backend.FormSample, Rec: r}).Flag = 0
	}
	if o.static && !o.wide {
		p.deliver(p.table(p.pairs(o.n, size, 4*o.n, 1, 3, 16), 1, 3, from(a, 0)), acc)
		p.Events[a.event].History = max(longest, 3) + 1
		p.Bufs[p.Events[a.event].Masks].Len = p.Events[a.event].History * ((o.n + 31) / 32)
	}
	if o.first {
		posts()
		pres()
		apply()
	} else {
		pres()
		apply()
		posts()
	}
	if o.scaled {
		c := write("scale")
		ws := c.slot("w", ir.Array, ir.F32)
		c.of(ir.Store, ws, c.f(ir.Canon, c.f(ir.MulZ, c.of(ir.Load, ws), c.float(0.9375))))
		p.eval(&c.Prog, total, at(w, 2)).Flag = 0
	}
	p.reset(b)
	return p
}

// pairings are the networks of testSTDP.
func pairings() (all []stdp) {
	for _, rule := range []connect.Rule{connect.AllToAll, connect.Bernoulli, connect.FixedIndegree, connect.FixedOutdegree, connect.Given} {
		for k, d := range [][2]int{{0, 0}, {1, 1}, {6, 6}, {1, 4}, {0, 3}} {
			o := stdp{rule: rule, lo: d[0], hi: d[1], n: 60, m: 70, rate: 0.05}
			if rule == connect.AllToAll && k%2 == 1 {
				o.n, o.m = 20, 150
			}
			o.static = k%2 == 1
			o.first = (k+int(rule))%3 == 0
			o.subgroup = 37 * (k % 2)
			all = append(all, o)
		}
	}
	base := stdp{rule: connect.Bernoulli, lo: 2, hi: 2, n: 90, m: 130, rate: 0.05}
	with := func(f func(*stdp)) {
		o := base
		f(&o)
		all = append(all, o)
	}
	with(func(o *stdp) { o.late = 3 })
	with(func(o *stdp) { o.late, o.first = 1, true })
	with(func(o *stdp) { o.wide = true })
	with(func(o *stdp) { o.triplet = true })
	with(func(o *stdp) { o.triplet, o.late, o.static = true, 2, true })
	with(func(o *stdp) { o.random = true })
	with(func(o *stdp) { o.trap = true })
	with(func(o *stdp) { o.scaled = true })
	with(func(o *stdp) { o.look = []uint32{0, 5, 700, 701, 2000} })
	with(func(o *stdp) { o.look = []uint32{} })
	with(func(o *stdp) { o.rate = 0.5 })
	with(func(o *stdp) { o.rate = 0.004 })
	with(func(o *stdp) { o.n, o.m = 400, 3; o.look = []uint32{1, 2} })
	with(func(o *stdp) { o.n, o.m, o.rule = 3, 700, connect.AllToAll })
	return all
}

// testSTDP compares networks that learn from pairs of spikes, as a whole and with
// the state read, written to a fresh program and gone on with in the middle.
func testSTDP(t *testing.T, open Open) {
	const steps = 160
	flag := func(s int) []uint32 { return []uint32{uint32((s % 29) / 28)} }
	for k, o := range pairings() {
		if os.Getenv("SYNFIRE_LONG") == "" && k%3 > 0 { // the others with make long
			continue
		}
		p := o.net(uint64(k))
		r, b := ref.New(), open(t)
		prog := load(t, r, p)
		start := states(t, prog, p)
		middle := run(t, prog, p, 0, 71, 32, flag)
		var want *trace
		if middle.fault == nil {
			want = run(t, prog, p, 71, steps-71, 32, flag)
		} else {
			want = middle
		}
		must(t, prog.Close())
		if (want.fault != nil) != o.trap {
			t.Errorf("reference: %v: fault %v", o, want.fault)
		}

		mine := load(t, b, p)
		got := run(t, mine, p, 0, 71, []int{32, 1, 7}[k%3], flag)
		if d := differ(p, middle, got); d != "" {
			t.Errorf("%s: %v: %s\n%s", b.Name(), o, d, firstStep(t, r, b, p, 71, flag))
		}
		if middle.fault == nil {
			got = run(t, mine, p, 71, steps-71, 5, flag)
			if d := differ(p, want, got); d != "" {
				t.Errorf("%s: %v: after a look at all state: %s", b.Name(), o, d)
			}
			// From the middle again, in the same program, which has gone on since, and in a fresh one.
			fresh := load(t, b, p)
			for k, prog := range []backend.Program{mine, fresh} {
				for id, w := range middle.state {
					if w != nil {
						must(t, prog.Write(backend.BufID(id), w))
					}
				}
				got := run(t, prog, p, 71, steps-71, 32, flag)
				if d := differ(p, want, got); d != "" {
					t.Errorf("%s: %v: state written to program %d: %s", b.Name(), o, k, d)
				}
			}
			must(t, fresh.Close())
		}
		must(t, mine.Close())
		must(t, b.Close())
		if middle.state != nil && differStates(p, start, middle.state) == "" {
			t.Errorf("reference: %v: nothing happened", o)
		}
		if t.Failed() {
			return
		}
	}
}

// Pairs is such a network, with constant synapses that add to the same sums and
// targets that are part of their population, for backends' own tests.
func Pairs() *backend.Plan {
	o := stdp{rule: connect.Bernoulli, lo: 2, hi: 2, n: 90, m: 130, rate: 0.05, static: true, subgroup: 37}
	return &o.net(1).Plan
}
