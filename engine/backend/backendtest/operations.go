package backendtest

import (
	"math"
	"math/rand/v2"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/ir"
)

// edgeFloats are values at which operations change their behaviour; none that
// the contract excludes (subnormals, -0, infinities, NaN).
var edgeFloats = func() []uint32 {
	var out []uint32
	for _, x := range []float32{0x1p-100, 0x1p-81, 0x1p-80, 0x1.000002p-80, 0x1.fffffep-81, 0x1p-50, 0x1p-24, 0x1.fffffep-25, 0.25, 0.49999997,
		0.5, 0.50000006, 0.99999994, 1, 1.0000001, 1.5, 1.9999999, 2, 2.5, 3, 3.1415927, 255.5, 65535.996, 8388607.5, 8388608, 16777215, 16777216, 16777218,
		2147483520, 2147483648, 4294967040, 0x1.fffffep39, 0x1p40, 0x1.000002p40, 0x1p50, 0x1p60} {
		out = append(out, math.Float32bits(x), math.Float32bits(-x))
	}
	return append(out, 0)
}()

var edgeInts = []uint32{0, 1, 2, 3, 31, 32, 33, 63, 64, 255, 256, 65535, 65536, 65537, 1<<23 - 1, 1 << 23, 1<<24 - 1, 1 << 24, 1<<24 + 1, 1<<24 + 3,
	1<<30 - 1, 1 << 30, 1<<31 - 65, 1<<31 - 64, 1<<31 - 1, 1 << 31, 1<<31 + 1, 0xD2511F53, 0xCD9E8D57, 0xfffffe00, 1<<32 - 65, 1<<32 - 33, 1<<32 - 32, 1<<32 - 2, 1<<32 - 1}

// testOperations runs every operation on all pairs of edge values and on random
// ones.
func testOperations(t *testing.T, open Open) {
	type operation struct {
		op     ir.Op
		result ir.Type
		args   string // f: any float, p: positive and large enough for MulF, i: word, b: truth value
	}
	list := []operation{
		{ir.AddF, ir.F32, "ff"}, {ir.SubF, ir.F32, "ff"}, {ir.MulF, ir.F32, "pp"}, {ir.MulZ, ir.F32, "ff"}, {ir.NegF, ir.F32, "f"}, {ir.AbsF, ir.F32, "f"},
		{ir.FloorF, ir.F32, "f"}, {ir.LtF, ir.Bool, "ff"}, {ir.LeF, ir.Bool, "ff"}, {ir.EqF, ir.Bool, "ff"}, {ir.Canon, ir.F32, "f"},
		{ir.F2I, ir.I32, "f"}, {ir.I2F, ir.F32, "i"}, {ir.Bits, ir.U32, "f"}, {ir.AddI, ir.U32, "ii"}, {ir.SubI, ir.U32, "ii"}, {ir.MulI, ir.U32, "ii"},
		{ir.MulHi, ir.U32, "ii"}, {ir.And, ir.U32, "ii"}, {ir.Or, ir.U32, "ii"}, {ir.Xor, ir.U32, "ii"}, {ir.Shl, ir.U32, "ii"}, {ir.ShrU, ir.U32, "ii"},
		{ir.ShrS, ir.U32, "ii"}, {ir.LtI, ir.Bool, "ii"}, {ir.LtU, ir.Bool, "ii"}, {ir.EqI, ir.Bool, "ii"}, {ir.AndB, ir.Bool, "bb"}, {ir.OrB, ir.Bool, "bb"},
		{ir.NotB, ir.Bool, "b"}, {ir.Sel, ir.F32, "bff"}, {ir.Sel, ir.U32, "bii"},
	}
	p := newNet(1, 1)
	edges := map[byte][]uint32{'f': edgeFloats, 'i': edgeInts, 'b': {0, 1}, 'p': nil}
	for _, w := range edgeFloats {
		if x := math.Float32frombits(w); x == 0 || x > 0x1p-50 {
			edges['p'] = append(edges['p'], w)
		}
	}
	for _, o := range list {
		var in [3][]uint32
		add := func(w ...uint32) {
			for k := range in {
				in[k] = append(in[k], w[k])
			}
		}
		kind := func(k int) []uint32 { return edges[o.args[min(k, len(o.args)-1)]] }
		for _, a := range kind(0) {
			for _, b := range kind(1) {
				add(a, b, kind(2)[p.rng.IntN(len(kind(2)))])
			}
		}
		for range 500 {
			var w [3]uint32
			for k := range w {
				w[k] = randomWord(p.rng, o.args[min(k, len(o.args)-1)])
			}
			add(w[:]...)
		}
		n := len(in[0])
		c := write(o.op.String())
		var bind []backend.Binding
		var args []ir.Value
		for k := range o.args {
			typ := map[byte]ir.Type{'f': ir.F32, 'p': ir.F32, 'i': ir.U32, 'b': ir.U32}[o.args[k]]
			b := p.buf(o.op.String()+" in", backend.Constant, typ, n)
			p.Bufs[b].Init = in[k]
			bind = append(bind, at(b, 0))
			v := c.of(ir.Load, c.slot("in", ir.Array, typ))
			if o.args[k] == 'b' {
				v = c.b(ir.NotB, c.b(ir.EqI, v, c.word(0)))
			}
			args = append(args, v)
		}
		x := c.put(ir.Instr{Op: o.op, Type: o.result}, args...)
		c.of(ir.Store, c.slot("out", ir.Array, o.result), x)
		p.eval(&c.Prog, n, append(bind, at(p.buf(o.op.String()+" out", backend.State, o.result, n), 0))...)
	}
	same(t, open, p, 1, nil)
}

func randomWord(rng *rand.Rand, kind byte) uint32 {
	switch kind {
	case 'i':
		return rng.Uint32() >> rng.IntN(32)
	case 'b':
		return rng.Uint32() & 1
	case 'p':
		return math.Float32bits(float32(math.Ldexp(1+float64(rng.IntN(1<<23))*0x1p-23, rng.IntN(80)-40)))
	}
	x := float32(math.Ldexp(1+float64(rng.IntN(1<<23))*0x1p-23, rng.IntN(120)-70))
	return math.Float32bits(x) | rng.Uint32()&(1<<31)
}

// testPrograms runs random programs: values of all types, random words, host
// words and steps, conditional stores. Each float is kept canonical, so that
// the contract holds whatever the program does.
func testPrograms(t *testing.T, open Open) {
	for seed := range uint64(24) {
		p := newNet(seed, 8)
		p.Host = 4
		n := []int{1, 33, 700, 1025}[seed%4]
		randomMap(p, n, 40+int(seed)*5)
		same(t, open, p, 24, func(s int) []uint32 {
			return []uint32{math.Float32bits(float32(s) * 0x1p-3), uint32(s * s), ^uint32(s), math.Float32bits(-1.5)}
		})
		if t.Failed() {
			t.Fatalf("program of seed %d:\n%s", seed, p.Stages[0].Prog)
		}
	}
}

// randomMap adds a stage of n lanes with a random program of size operations
// or so on floats, integers and a mask.
func randomMap(p *net, n, size int) {
	c := write("random")
	var bind []backend.Binding
	var floats, ints, truths []ir.Value
	slot := func(name string, k ir.Kind, t ir.Type, b backend.Binding) uint32 {
		bind = append(bind, b)
		return c.slot(name, k, t)
	}
	state := func(name string, t ir.Type) uint32 {
		b := p.buf(name, backend.State, t, n)
		for range n {
			w := p.rng.Uint32()
			if t == ir.F32 {
				w = math.Float32bits(float32(int32(w)) * 0x1p-20)
			}
			p.Bufs[b].Init = append(p.Bufs[b].Init, w)
		}
		return slot(name, ir.Array, t, at(b, 0))
	}
	fs := []uint32{state("x", ir.F32), state("y", ir.F32), state("z", ir.F32)}
	is := []uint32{state("m", ir.U32), state("n", ir.I32)}
	tab := p.buf("table", backend.Constant, ir.F32, 64)
	for range 64 {
		p.Bufs[tab].Init = append(p.Bufs[tab].Init, randomWord(p.rng, 'p'))
	}
	ts := slot("table", ir.Table, ir.F32, at(tab, 0))
	event := len(p.Events)
	masks := p.buf("masks", backend.State, ir.U32, 2*((n+31)/32))
	p.Events = append(p.Events, backend.Event{Name: "random", N: n, History: 2, Masks: masks})
	mask := slot("mask", ir.Mask, ir.Bool, bits(event))

	for _, s := range fs {
		floats = append(floats, c.of(ir.Load, s))
	}
	for _, s := range is {
		ints = append(ints, c.of(ir.Load, s))
	}
	floats = append(floats, c.of(ir.Uniform, ts), c.put(ir.Instr{Op: ir.Host, Type: ir.F32, Imm: 0}), c.put(ir.Instr{Op: ir.Host, Type: ir.F32, Imm: 3}))
	ints = append(ints, c.i(ir.Lane), c.i(ir.Step), c.put(ir.Instr{Op: ir.Host, Type: ir.U32, Imm: 1}))
	truths = append(truths, c.b(ir.LtI, ints[0], ints[1]), c.of(ir.Bit, mask))
	f := func() ir.Value { return floats[p.rng.IntN(len(floats))] }
	i := func() ir.Value { return ints[p.rng.IntN(len(ints))] }
	b := func() ir.Value { return truths[p.rng.IntN(len(truths))] }
	canon := func(v ir.Value) { floats = append(floats, c.f(ir.Canon, v)) }
	for range size {
		switch p.rng.IntN(16) {
		case 0:
			canon(c.f(ir.AddF, f(), f()))
		case 1:
			canon(c.f(ir.SubF, f(), f()))
		case 2, 3:
			canon(c.f(ir.MulZ, f(), f()))
		case 4:
			canon(c.f([]ir.Op{ir.NegF, ir.AbsF, ir.FloorF}[p.rng.IntN(3)], f()))
		case 5:
			canon(c.f(ir.I2F, i()))
		case 6:
			ints = append(ints, c.i([]ir.Op{ir.F2I, ir.Bits}[p.rng.IntN(2)], f()))
		case 7, 8, 9:
			ops := []ir.Op{ir.AddI, ir.SubI, ir.MulI, ir.MulHi, ir.And, ir.Or, ir.Xor, ir.Shl, ir.ShrU, ir.ShrS}
			ints = append(ints, c.i(ops[p.rng.IntN(len(ops))], i(), i()))
		case 10:
			truths = append(truths, c.b([]ir.Op{ir.LtF, ir.LeF, ir.EqF}[p.rng.IntN(3)], f(), f()))
		case 11:
			truths = append(truths, c.b([]ir.Op{ir.LtI, ir.LtU, ir.EqI}[p.rng.IntN(3)], i(), i()))
		case 12:
			truths = append(truths, c.b([]ir.Op{ir.AndB, ir.OrB}[p.rng.IntN(2)], b(), b()), c.b(ir.NotB, b()))
		case 13:
			floats = append(floats, c.f(ir.Sel, b(), f(), f()))
			ints = append(ints, c.i(ir.Sel, b(), i(), i()))
			truths = append(truths, c.b(ir.Sel, b(), b(), b()))
		case 14:
			word := c.put(ir.Instr{Op: ir.Rand, Type: ir.U32, Imm: uint32(p.rng.IntN(3)), Aux: uint32(p.rng.IntN(2))}, []ir.Value{c.i(ir.Lane), i()}[p.rng.IntN(2)])
			ints = append(ints, word)
			floats = append(floats, c.unit(word))
		case 15:
			floats = append(floats, c.of(ir.Gather, ts, c.i(ir.And, i(), c.word(63))))
			s := fs[p.rng.IntN(len(fs))]
			c.of(ir.Store, s, f())
			floats = append(floats, c.of(ir.Load, s))
		}
	}
	for _, s := range fs {
		c.of(ir.Store, s, f())
	}
	for _, s := range is {
		c.of(ir.Store, s, i())
	}
	c.of(ir.StoreBit, mask, b())
	p.eval(&c.Prog, n, bind...)
}
