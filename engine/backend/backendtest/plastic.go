package backendtest

import (
	"math"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/ir"
)

// plastic is a network whose synapses learn, with stages as a compiler makes
// them of pair STDP: two connect calls, whose words lie end to end, from all and
// from part of the sources, each with a delay of its own (lo at least) and
// post steps back to the synapse. w is a word for each synapse; the traces, one
// value and the step of its last assignment, are words for each neuron of either
// side. A clock-driven variable, a summed one and sums out of a Map stage over
// the synapses stand beside it.
func plastic(seed uint64, sources, targets, count, lo, post int) *net {
	p := newNet(seed, 24)
	a, b := p.pop("A", sources, lo+8), p.pop("B", targets, post+4)
	every := len(p.Events)
	p.Events = append(p.Events, backend.Event{Name: "A.every", N: a.n, History: 1, Masks: p.buf("A.every", backend.State, ir.U32, (a.n+31)/32)})
	type call struct{ lo, n, off, delay int }
	calls := []call{{0, count, 0, lo}, {a.n / 3, count / 3, count, lo + 3}}
	total := count + count/3
	buf := func(name string, t ir.Type, n int) backend.BufID { return p.buf("S."+name, backend.State, t, n) }
	w, x := buf("w", ir.F32, total), buf("x", ir.F32, total)
	for range total {
		p.Bufs[w].Init = append(p.Bufs[w].Init, math.Float32bits(float32(p.rng.IntN(1<<10))*0x1p-10))
	}
	pre, preSince := buf("Apre", ir.F32, 2*a.n), buf("Apre#since", ir.I32, 2*a.n)
	dep, depSince := buf("Apost", ir.F32, 2*b.n), buf("Apost#since", ir.I32, 2*b.n)
	ge, sum := p.acc("ge", b.n), p.buf("sum", backend.Scratch, ir.I32, 2*b.n)
	one, two := p.acc("one", b.n), p.buf("two", backend.Scratch, ir.I32, 2*a.n)
	drive := buf("drive", ir.F32, b.n)
	counted := p.buf("A.counted", backend.State, ir.I32, a.n)

	var pres, posts []int // tables by call
	var ends [2][2]backend.BufID
	for k, c := range calls {
		spec := p.pairs(a.n-c.lo, b.n, c.n, c.delay, c.delay, 32)
		i, j := p.buf("S.i", backend.Constant, ir.U32, c.n), p.buf("S.j", backend.Constant, ir.U32, c.n)
		p.Bufs[i].Init, p.Bufs[j].Init = spec.Projs[0].I, spec.Projs[0].J
		ends[k] = [2]backend.BufID{i, j}
		rows := backend.Source{Event: a.event, Lo: c.lo, Hi: a.n}
		pres = append(pres, p.table(spec, c.delay, c.delay, rows), p.table(each(a.n-c.lo, c.delay), c.delay, c.delay, rows))
		back := *spec.Projs[0]
		back.Delay = connect.Column{Const: float64(post), Lo: float64(post), Hi: float64(post)}
		again := spec.Rounded(spec.Scale, spec.Width, spec.Uniform)
		again.Projs = []*connect.Proj{&back}
		posts = append(posts, p.table(again, post, post, from(b, 0)), p.table(each(b.n, post), post, post, from(b, 0)))
	}
	always := backend.Source{Event: every, Hi: a.n}
	summed := p.table(p.pairs(a.n, b.n, count/2, 0, 0, 32), 0, 0, always)

	// The summed variable, from the values at the start of the step.
	p.eval(coin(1, 0), a.n, bits(every))
	c := write("S summed")
	from, to, v, acc := c.slot("i", ir.Array, ir.U32), c.slot("j", ir.Array, ir.U32), c.slot("v_pre", ir.Table, ir.F32), c.slot("sum", ir.Accum, ir.I32)
	g := c.i(ir.F2I, c.f(ir.MulZ, c.f(ir.SubF, c.of(ir.Gather, v, c.of(ir.Load, from)), c.float(0.5)), c.float(0x1p24)))
	c.of(ir.Scatter2, acc, c.of(ir.Load, to), g, c.i(ir.ShrS, g, c.word(31)))
	p.effect(c, summed, false, sourceEnd, targetEnd, at(a.v, 0), at(sum, 0)).Count = 0
	c = write("S sum")
	out, in := c.slot("summed", ir.Array, ir.F32), c.slot("sum", ir.Table, ir.I32)
	low := c.of(ir.Gather, in, c.i(ir.Shl, c.i(ir.Lane), c.word(1)))
	c.of(ir.Store, out, c.f(ir.Canon, c.f(ir.MulF, c.f(ir.I2F, low), c.float(0x1p-24))))
	p.eval(&c.Prog, b.n, at(drive, 0), at(sum, 0))

	p.update(a, 0.04, 0.1, 1)
	p.update(b, 0.05, 0.1, 2)
	p.spikes(b, 0, b.n/10, 24*(b.n/10), false)
	// Synapses' own equation, which reads the neurons' new state and adds up what
	// it comes to at both ends.
	for k, d := range calls {
		c := write("S update")
		xs, from, to := c.slot("x", ir.Array, ir.F32), c.slot("i", ir.Array, ir.U32), c.slot("j", ir.Array, ir.U32)
		va, vb := c.slot("v_pre", ir.Table, ir.F32), c.slot("v_post", ir.Table, ir.F32)
		ones, twos := c.slot("one", ir.Accum, ir.I32), c.slot("two", ir.Accum, ir.I32)
		i, j := c.of(ir.Load, from), c.of(ir.Load, to)
		both := c.f(ir.MulZ, c.of(ir.Gather, va, i), c.of(ir.Gather, vb, j))
		y := c.f(ir.Canon, c.f(ir.AddF, c.f(ir.MulZ, c.of(ir.Load, xs), c.float(0.96875)), c.f(ir.MulZ, both, c.float(0.03125))))
		c.of(ir.Store, xs, y)
		n := c.i(ir.F2I, c.f(ir.MulZ, y, c.float(0x1p12)))
		c.of(ir.Scatter, ones, j, n)
		c.of(ir.Scatter2, twos, i, n, c.i(ir.ShrS, n, c.word(31)))
		p.eval(&c.Prog, d.n, at(x, d.off), at(ends[k][0], 0), at(ends[k][1], 0), at(a.v, d.lo), at(b.v, 0), at(one, 0), at(two, 2*d.lo))
	}
	c = write("A count")
	n, counts := c.slot("counted", ir.Array, ir.I32), c.slot("two", ir.Table, ir.I32)
	c.of(ir.Store, n, c.i(ir.AddI, c.of(ir.Load, n), c.of(ir.Gather, counts, c.i(ir.Shl, c.i(ir.Lane), c.word(1)))))
	p.eval(&c.Prog, a.n, at(counted, 0), at(two, 0))

	for k, d := range calls {
		p.effect(learn("S pre", 0.0625, true), pres[2*k], false, at(w, d.off), targetEnd, at(dep, k*b.n), at(depSince, k*b.n), at(ge, 0))
		p.effect(assign("S pre by source", 0.125), pres[2*k+1], false, at(pre, k*a.n+d.lo), at(preSince, k*a.n+d.lo)).Count = 0
	}
	p.apply(b, ge, 0)
	for k, d := range calls {
		p.effect(learn("S post", 1, false), posts[2*k], true, at(w, d.off), sourceEnd, at(pre, k*a.n+d.lo), at(preSince, k*a.n+d.lo)).Count = 0
		p.effect(assign("S post by target", -0.125), posts[2*k+1], false, at(dep, k*b.n), at(depSince, k*b.n)).Count = 0
	}
	p.apply(b, one, 0)
	p.reset(a)
	p.reset(b)
	p.sampleOf(w, []uint32{0, uint32(count), uint32(total - 1)}, 24)
	return p
}

// Plastic is such a network, for backends' own tests.
func Plastic() *backend.Plan { return &plastic(5, 700, 600, 4000, 2, 1).Plan }

// each is a synapse from every neuron to itself.
func each(n, delay int) *connect.Spec {
	proj := &connect.Proj{Name: "each", Rule: connect.OneToOne, NPre: n, NPost: n, Delay: connect.Column{Const: float64(delay), Lo: float64(delay), Hi: float64(delay)}}
	return &connect.Spec{Name: "each", NSrc: n, NTgt: n, Projs: []*connect.Proj{proj}, Scale: 1, Width: 32}
}

// advanced is a trace as it is now: x fell in a straight line since its last assignment.
func (c *text) advanced(x, since ir.Value) ir.Value {
	left := c.f(ir.SubF, c.float(1), c.f(ir.MulZ, c.f(ir.I2F, c.i(ir.SubI, c.i(ir.Step), since)), c.float(0x1p-5)))
	return c.f(ir.MulZ, x, c.f(ir.Sel, c.b(ir.LtF, c.float(0), left), left, c.float(0)))
}

// learn: with deliver ge_post += w + 1/64; then w = clip(w + scale*trace, 0, 1), the
// trace that of the far end.
func learn(name string, scale float32, deliver bool) *text {
	c := write(name)
	ws, end, x, since := c.slot("w", ir.Array, ir.F32), c.slot("end", ir.Array, ir.U32), c.slot("x", ir.Table, ir.F32), c.slot("since", ir.Table, ir.I32)
	w, far := c.of(ir.Load, ws), c.of(ir.Load, end)
	if deliver {
		c.of(ir.Scatter, c.slot("ge", ir.Accum, ir.I32), far, c.i(ir.AddI, c.i(ir.F2I, c.f(ir.MulZ, w, c.float(64))), c.word(1)))
	}
	w = c.f(ir.AddF, w, c.f(ir.MulZ, c.advanced(c.of(ir.Gather, x, far), c.of(ir.Gather, since, far)), c.float(scale)))
	w = c.f(ir.Sel, c.b(ir.LtF, w, c.float(0)), c.float(0), w)
	c.of(ir.Store, ws, c.f(ir.Canon, c.f(ir.Sel, c.b(ir.LtF, c.float(1), w), c.float(1), w)))
	return c
}

// assign: x += by.
func assign(name string, by float32) *text {
	c := write(name)
	x, since := c.slot("x", ir.Array, ir.F32), c.slot("since", ir.Array, ir.I32)
	c.of(ir.Store, x, c.f(ir.Canon, c.f(ir.AddF, c.advanced(c.of(ir.Load, x), c.of(ir.Load, since)), c.float(by))))
	c.of(ir.Store, since, c.i(ir.Step))
	return c
}

// testPlastic runs networks that learn, in one Run, step by step, and from a
// state saved in the middle.
func testPlastic(t *testing.T, open Open) {
	for _, lo := range []int{0, 1, 3} {
		p := plastic(uint64(lo), 90, 70, 4000, lo, lo/3*2)
		tr := same(t, open, p, 72, nil)
		w, changed := tr.state[p.Stages[len(p.Stages)-1].Rec.Src[0].Buf], 0
		for k := range w {
			if w[k] != p.Bufs[p.Stages[len(p.Stages)-1].Rec.Src[0].Buf].Init[k] {
				changed++
			}
		}
		if changed < len(w)/2 || tr.state[p.Due][0] == 0 {
			t.Errorf("reference: %d of %d weights changed, %d events", changed, len(w), tr.state[p.Due][0])
		}
	}
	p := plastic(9, 60, 50, 1000, 1, 2)
	split(t, open, p, 48, []int{1, 7}, nil)
	restore(t, open, p, []int{1, 26}, 24, nil)
}
