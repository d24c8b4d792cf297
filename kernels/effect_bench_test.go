package kernels_test

import (
	"fmt"
	"math"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/ir"
)

var targetEnd = backend.Binding{Buf: backend.NoBuf, Off: backend.SlotTarget}

// effects is n neurons that each reach k others after 1 to d steps, and what the
// stages of their synapses share.
type effects struct {
	*sketch
	n, synapses int
	v, w, sum   backend.BufID
	table       int
}

func newEffects(n, k, d int) *effects {
	p := &effects{sketch: newSketch(), n: n, synapses: n * k}
	e := p.lif(n, d+1)
	p.v = 2 // as lif makes it
	p.w = p.buf("w", backend.State, ir.F32, n*k)
	for s := range n * k {
		p.Bufs[p.w].Init = append(p.Bufs[p.w].Init, math.Float32bits(float32(s%1000)/4000))
	}
	p.sum = p.buf("sum", backend.Scratch, ir.I32, 2*n)
	delay := connect.Column{Const: 1, Lo: 1, Hi: 1}
	if d > 1 {
		bl := ir.NewBuilder("delay")
		out := bl.Slot("out", ir.Array, ir.F32)
		bl.StoreRaw(out, bl.I2F(bl.AddI(bl.MulHi(bl.Rand(bl.Lane(), 5, 0), bl.U(uint32(d))), bl.I(1))))
		prog, err := bl.Prog()
		if err != nil {
			panic(err)
		}
		delay = connect.Column{Prog: prog, Data: make([][]uint32, 1), Lo: 1, Hi: float64(d)}
	}
	proj := &connect.Proj{Name: "C", Rule: connect.FixedOutdegree, N: k, NPre: n, NPost: n, Seed: [2]uint32{1, 0}, Stream: 9, Unit: 1, Delay: delay}
	spec := &connect.Spec{Name: "C", NSrc: n, NTgt: n, Projs: []*connect.Proj{proj}, Scale: 1, Width: 32}
	p.Tables = append(p.Tables, backend.Table{Spec: spec, Sources: []backend.Source{{Event: e, Lo: 0, Hi: n}}, Last: math.MaxInt64, MinDelay: 1, MaxDelay: d})
	p.table = len(p.Tables) - 1
	return p
}

func (p *effects) effect(b *ir.Builder, post bool, bind ...backend.Binding) {
	prog, err := b.Prog()
	if err != nil {
		panic(err)
	}
	p.Stages = append(p.Stages, backend.Stage{Form: backend.FormEffect, Name: prog.Name, Flag: -1, Prog: prog, Bind: bind, Table: p.table, Count: 1, Post: post,
		Trap: make([]backend.Trap, prog.Traps)})
}

// receive adds the sums to v, scaled down until they matter little.
func (p *effects) receive() {
	b := ir.NewBuilder("receive")
	sv, ss := b.Slot("v", ir.Array, ir.F32), b.Slot("sum", ir.Table, ir.U32)
	lo := b.Shl(b.Lane(), b.I(1))
	x := b.Unfix64(b.Gather(ss, lo, ir.Range{}), b.Gather(ss, b.AddI(lo, b.I(1)), ir.Range{}), 0x1p30)
	b.Store(sv, b.Add(b.Load(sv), b.Mul(x, b.F(1e-6))))
	p.eval(b, p.n, at(p.v), at(p.sum))
}

// conductance is g_post += w*(E - v_post).
func (p *effects) conductance() {
	b := ir.NewBuilder("conductance")
	sw, sj, sv, ss := b.Slot("w", ir.Array, ir.F32), b.Slot("j", ir.Array, ir.U32), b.Slot("v", ir.Table, ir.F32), b.Slot("sum", ir.Accum, ir.I32)
	j := b.Load(sj)
	lo, hi := b.Fix64(b.Mul(b.Load(sw), b.Sub(b.F(2), b.Gather(sv, j, ir.Range{}))), 0x1p30, 0x1p31, 0)
	b.Scatter2(ss, j, lo, hi)
	p.effect(b, false, at(p.w), targetEnd, at(p.v), at(p.sum))
	p.receive()
}

// plastic is pair-based STDP with traces that decay from event to event:
//
//	apre = apre*exp((last - t)/tau), apost likewise; last = t
//	on_pre: g_post += w; apre += 0.01; w = clip(w + apost, 0, 0.25)
//	on_post: apost -= 0.0105; w = clip(w + apre, 0, 0.25)
func (p *effects) plastic() {
	apre, apost := p.buf("apre", backend.State, ir.F32, p.synapses), p.buf("apost", backend.State, ir.F32, p.synapses)
	last := p.buf("last", backend.State, ir.I32, p.synapses)
	for _, post := range []bool{false, true} {
		b := ir.NewBuilder("stdp")
		sw, sa, sb, sl := b.Slot("w", ir.Array, ir.F32), b.Slot("apre", ir.Array, ir.F32), b.Slot("apost", ir.Array, ir.F32), b.Slot("last", ir.Array, ir.I32)
		bind := []backend.Binding{at(p.w), at(apre), at(apost), at(last)}
		decay := b.Exp(b.Mul(b.I2F(b.SubI(b.Load(sl), b.Step())), b.F(0.005)))
		x, y, w := b.Mul(b.Load(sa), decay), b.Mul(b.Load(sb), decay), b.Load(sw)
		if post {
			y = b.Sub(y, b.F(0.0105))
			b.Store(sw, b.Clip(b.Add(w, x), b.F(0), b.F(0.25)))
		} else {
			sj, ss := b.Slot("j", ir.Array, ir.U32), b.Slot("sum", ir.Accum, ir.I32)
			bind = append(bind, targetEnd, at(p.sum))
			lo, hi := b.Fix64(w, 0x1p30, 0x1p31, 0)
			b.Scatter2(ss, b.Load(sj), lo, hi)
			x = b.Add(x, b.F(0.01))
			b.Store(sw, b.Clip(b.Add(w, y), b.F(0), b.F(0.25)))
		}
		b.Store(sa, x)
		b.Store(sb, y)
		b.Store(sl, b.Step())
		p.effect(b, post, bind...)
		if !post {
			p.receive()
		}
	}
}

// BenchmarkEffect is neurons with synapses that run a program when they are due.
func BenchmarkEffect(b *testing.B) {
	for _, c := range []struct {
		name    string
		n, k, d int
		build   func(*effects)
	}{
		{"conductance", 4000, 80, 1, (*effects).conductance},
		{"conductance", 100_000, 100, 20, (*effects).conductance},
		{"plastic", 4000, 80, 1, (*effects).plastic},
		{"plastic", 100_000, 100, 20, (*effects).plastic},
	} {
		for _, threads := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/n=%d/k=%d/delays=%d/threads=%d", c.name, c.n, c.k, c.d, threads), func(b *testing.B) {
				p := newEffects(c.n, c.k, c.d)
				c.build(p)
				bench(b, p.sketch, threads, 100)
			})
		}
	}
}
