package backendtest

import (
	"testing"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/ir"
)

// ends of a synapse, as a FormEffect stage binds them.
var (
	sourceEnd = backend.Binding{Buf: backend.NoBuf, Off: backend.SlotSource}
	targetEnd = backend.Binding{Buf: backend.NoBuf, Off: backend.SlotTarget}
)

// effect adds a FormEffect stage.
func (p *net) effect(c *text, table int, post bool, bind ...backend.Binding) *backend.Stage {
	return p.stage(backend.Stage{Form: backend.FormEffect, Name: c.Name, Prog: &c.Prog, Table: table, Count: 1, Post: post, Bind: bind,
		Trap: make([]backend.Trap, c.Traps)})
}

// testEffect runs a program for each synapse that is due: a weight that counts
// its events, and a sum at the target.
func testEffect(t *testing.T, open Open) {
	for _, post := range []bool{false, true} {
		for _, n := range []int{1, 33, 500} {
			p := newNet(uint64(n), 32)
			a, b := p.pop("A", n, 6), p.pop("B", n+7, 6)
			const count = 900
			spec := p.pairs(a.n, b.n, count, 0, 5, 16)
			w := p.buf("S.w", backend.State, ir.F32, count)
			acc := p.acc("acc", b.n)
			rows := from(a, 0)
			if post {
				rows = from(b, 0)
			}
			p.chance(a, 0.1, 1)
			p.update(b, 0.05, 0.1, 2)
			c := write("on event")
			ws, i, j, as := c.slot("w", ir.Array, ir.F32), c.slot("i", ir.Array, ir.U32), c.slot("j", ir.Array, ir.U32), c.slot("acc", ir.Accum, ir.I32)
			x := c.f(ir.Canon, c.f(ir.AddF, c.f(ir.MulZ, c.of(ir.Load, ws), c.float(0.875)), c.unit(c.rand(4, 0))))
			c.of(ir.Store, ws, x)
			sum := c.i(ir.AddI, c.i(ir.F2I, c.f(ir.MulZ, x, c.float(64))), c.of(ir.Load, i))
			c.of(ir.Scatter, as, c.of(ir.Load, j), sum)
			p.effect(c, p.table(spec, 0, 5, rows), post, at(w, 0), sourceEnd, targetEnd, at(acc, 0))
			p.apply(b, acc, 0)
			p.reset(b)
			same(t, open, p, 100, nil)
		}
	}
}

// testLearning has synapses that learn from both ends, in two stages on one
// table: three words of state each, one of them an integer, two populations as
// sources of part of the rows, spikes of some steps, thousands due at a time.
func testLearning(t *testing.T, open Open) {
	for _, lo := range []int{0, 1, 3} {
		for _, n := range []int{33, 700} {
			p := newNet(uint64(n+lo), 32)
			p.Host = 1
			a, b, q := p.pop("A", n, lo+4), p.pop("B", 50, lo+4), p.pop("C", n+7, lo+4)
			const count = 5000
			spec := p.pairs(a.n+b.n, q.n, count, lo, lo+3, 32)
			second := p.pairs(b.n, q.n, 200, lo, lo+3, 32).Projs[0] // numbered from count on
			second.Row0 = a.n
			spec.Projs = append(spec.Projs, second)
			w := p.buf("S.w", backend.State, ir.F32, count+200)
			trace := p.buf("S.trace", backend.State, ir.F32, 2*(count+200))
			last := p.buf("S.last", backend.State, ir.I32, count+200+3)
			seen := p.buf("S.seen", backend.State, ir.Bool, count+200)
			sum := p.buf("sum", backend.Scratch, ir.I32, 2*q.n+6)
			p.chance(a, 0.2, 1)
			p.chance(b, 1, 2)
			p.update(q, 0.05, 0.1, 3)
			pre, post := p.table(spec, lo, lo+3, from(a, 0), backend.Source{Event: b.event, Lo: 3, Hi: 50, Row0: a.n + 3}), p.table(spec, lo, lo+3, from(q, 0))
			p.Tables[pre].First, p.Tables[pre].Last = 5, 60
			for k, table := range []int{pre, post} {
				c := write("learn")
				ws, ts := c.slot("w", ir.Array, ir.F32), c.slot("trace", ir.Array, ir.F32)
				ls, ss := c.slot("last", ir.Array, ir.I32), c.slot("seen", ir.Array, ir.Bool)
				since := c.i(ir.SubI, c.put(ir.Instr{Op: ir.Step, Type: ir.I32}), c.of(ir.Load, ls))
				x := c.f(ir.MulZ, c.of(ir.Load, ts), c.f(ir.SubF, c.float(1), c.f(ir.MulZ, c.f(ir.I2F, since), c.float(0x1p-9))))
				c.of(ir.Store, ts, c.f(ir.Canon, c.f(ir.AddF, x, c.unit(c.rand(uint32(10+k), 1)))))
				old := c.f(ir.Sel, c.of(ir.Load, ss), x, c.float(0.25))
				c.of(ir.Store, ws, c.f(ir.Canon, c.f(ir.AddF, c.f(ir.MulZ, c.of(ir.Load, ws), c.float(0.875)), old)))
				c.of(ir.Store, ls, c.put(ir.Instr{Op: ir.Step, Type: ir.I32}))
				c.of(ir.Store, ss, c.b(ir.LtF, c.of(ir.Load, ts), c.of(ir.Load, ws))) // as just stored
				bind := []backend.Binding{at(w, 0), at(trace, k*(count+200)), at(last, 3), at(seen, 0)}
				if table == pre {
					bind = append(bind, targetEnd, at(q.v, 0), at(sum, 0))
					j, v, acc := c.slot("j", ir.Array, ir.U32), c.slot("v", ir.Table, ir.F32), c.slot("sum", ir.Accum, ir.I32)
					to := c.of(ir.Load, j)
					g := c.i(ir.F2I, c.f(ir.MulZ, c.f(ir.MulZ, c.of(ir.Load, ws), c.f(ir.SubF, c.float(1.5), c.of(ir.Gather, v, to))), c.float(0x1p20)))
					c.of(ir.Scatter2, acc, c.i(ir.AddI, to, c.word(3)), g, c.i(ir.ShrS, g, c.word(31)))
					p.effect(c, table, false, bind...).Count = 2
				} else {
					s := p.effect(c, table, true, bind...)
					s.Flag, s.Count = 0, 0
				}
			}
			c := write("receive")
			v, s := c.slot("v", ir.Array, ir.F32), c.slot("sum", ir.Table, ir.I32)
			low := c.of(ir.Gather, s, c.i(ir.AddI, c.i(ir.Shl, c.i(ir.Lane), c.word(1)), c.word(6)))
			c.of(ir.Store, v, c.f(ir.Canon, c.f(ir.AddF, c.of(ir.Load, v), c.f(ir.MulZ, c.f(ir.I2F, low), c.float(0x1p-26)))))
			p.eval(&c.Prog, q.n, at(q.v, 0), at(sum, 0))
			p.reset(q)
			p.spikes(q, 0, q.n, 32*q.n, true)
			same(t, open, p, 80, func(s int) []uint32 { return []uint32{uint32(s % 3)} })
		}
	}
}

// testEnds writes to neurons: one synapse for each, which puts what it makes of
// its own neuron's word, and sums at sources and at both ends.
func testEnds(t *testing.T, open Open) {
	for _, post := range []bool{false, true} {
		for _, n := range []int{33, 1500} {
			p := newNet(uint64(n), 32)
			a, b := p.pop("A", n, 4), p.pop("B", n, 4)
			proj := &connect.Proj{Name: "one to one", Rule: connect.Given, NPre: n, NPost: n, Unit: 1}
			proj.Delay = connect.Column{Const: 2, Lo: 2, Hi: 2}
			for i, j := range p.rng.Perm(n) {
				proj.I, proj.J = append(proj.I, uint32(i)), append(proj.J, uint32(j))
			}
			single := &connect.Spec{Name: "single", NSrc: n, NTgt: n, Projs: []*connect.Proj{proj}, Scale: 1, Width: 32}
			many := p.pairs(n, n, 3000, 1, 3, 32)
			part := p.pairs(n-5, n-7, 500, 1, 3, 32).Projs[0]
			part.Row0, part.Tgt0 = 5, 7
			many.Projs = append(many.Projs, part)
			rows := from(a, 0)
			if post {
				rows = from(b, 0)
			}
			ins, outs := p.buf("A.in", backend.State, ir.I32, n), p.buf("B.in", backend.State, ir.I32, n)
			p.chance(a, 0.7, 1)
			p.update(b, 0.05, 0.1, 2)
			for k, end := range []backend.Binding{sourceEnd, targetEnd} {
				c := write("put")
				e, v, out := c.slot("end", ir.Array, ir.U32), c.slot("read", ir.Table, ir.F32), c.slot("write", ir.Table, ir.F32)
				to := c.of(ir.Load, e)
				x := c.f(ir.AddF, c.f(ir.MulZ, c.of(ir.Gather, v, to), c.float(0.5)), c.f(ir.MulZ, c.unit(c.rand(uint32(20+k), 0)), c.float(0.125)))
				c.of(ir.Put, out, to, c.f(ir.Canon, x))
				on := []*pop{a, b}[k]
				p.effect(c, p.table(single, 2, 2, rows), post, end, at(on.v, 0), at(on.v, 0))
			}
			for _, ends := range []int{1, 2} { // one end, then both in one program
				c := write("sum")
				i, j, as, bs := c.slot("i", ir.Array, ir.U32), c.slot("j", ir.Array, ir.U32), c.slot("A.in", ir.Accum, ir.I32), c.slot("B.in", ir.Accum, ir.I32)
				from, to := c.of(ir.Load, i), c.of(ir.Load, j)
				c.of(ir.Scatter, as, from, c.i(ir.AddI, c.i(ir.Lane), to))
				if ends == 2 {
					c.of(ir.Scatter, bs, to, c.i(ir.Xor, c.i(ir.Lane), from))
				}
				p.effect(c, p.table(many, 1, 3, rows), post, sourceEnd, targetEnd, at(ins, 0), at(outs, 0))
			}
			p.reset(b)
			same(t, open, p, 60, nil)
		}
	}
}

// testDropped has sums that are looked at in some steps alone: what came in the
// others is gone.
func testDropped(t *testing.T, open Open) {
	p := newNet(4, 32)
	p.Host = 1
	a, b := p.pop("A", 50, 4), p.pop("B", 40, 1)
	p.chance(a, 0.3, 1)
	acc := p.acc("acc", b.n)
	c := write("add")
	j, sum := c.slot("j", ir.Array, ir.U32), c.slot("acc", ir.Accum, ir.I32)
	c.of(ir.Scatter, sum, c.of(ir.Load, j), c.word(3))
	p.effect(c, p.table(p.pairs(a.n, b.n, 300, 1, 3, 32), 1, 3, from(a, 0)), false, targetEnd, at(acc, 0))
	p.apply(b, acc, 0)
	p.Stages[len(p.Stages)-1].Flag = 0
	same(t, open, p, 60, func(s int) []uint32 { return []uint32{uint32(s % 3 / 2)} })
}

// testEffectFaults has synapses that fail, of which the one of the least number
// is told, though others are due before it.
func testEffectFaults(t *testing.T, open Open) {
	for seed := range uint64(6) {
		post := seed%2 == 1
		p := newNet(seed, 32)
		const n, count = 300, 4000
		q := p.pop("P", n, 8)
		p.chance(q, 0.3, 1)
		c := write("fail")
		w := c.slot("w", ir.Array, ir.F32)
		x := c.f(ir.AddF, c.of(ir.Load, w), c.unit(c.rand(3, 0)))
		c.trap(c.b(ir.LtF, c.float(float32(4+seed)), x), 1)
		c.of(ir.Store, w, x)
		c.trap(c.b(ir.LtF, c.float(float32(5+seed)), x), 0)
		c.trap(c.b(ir.LtF, c.of(ir.Load, w), c.float(-0.5)), 1)
		s := p.effect(c, p.table(p.pairs(n, n, count, 1, 7, 32), 1, 7, from(q, 0)), post, at(p.buf("S.w", backend.State, ir.F32, count), 0))
		s.Trap = []backend.Trap{{Pop: 2, Object: "S", Name: "w", Why: "is large"}, {Pop: int(1 + seed%2*2), Object: "S", Name: "w", Why: "is beyond"}}
		if tr := same(t, open, p, 300, nil); tr.fault == nil {
			t.Errorf("reference: no synapse failed")
		}
	}
}
