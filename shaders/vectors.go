package shaders

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/ir"
)

// The self-test is a plan: for every operation, and for compositions that
// compilers like to fuse, a Map stage over some thousand vectors of inputs.
// Its cases include those that facts about real drivers suggest: conversions at
// the ends of their ranges, products whose rounding shows in a sum, 0-0,
// minimum and maximum as comparison and select, wide integers, shifts by 31
// and 32, bit patterns that look like subnormals or NaN and pass through as integers.

// testCase is one stage of the self-test.
type testCase struct {
	name string
	prog *ir.Prog
	in   [][]uint32
}

const testLanes = 2800

// testFloats are edge values: no subnormal, no -0, no infinity, no NaN.
var testFloats = []float32{0, 1, -1, 0.5, -0.5, 0.49999997, 0.50000006, 0.99999994, 1.0000001, 1.5, -1.5, 2, 2.5, -2.5, 2.999999, -2.999999, 3, 255.5,
	65535.996, 8388607.5, -8388607.5, 8388608, 16777215, 16777216, -16777217, 2147483520, -2147483648, 2147483648, 4294967040, -3e9, 0x1p40, -0x1p40, 0x1.000002p40,
	0x1.fffffep39, 0x1p-80, 0x1.fffffep-81, -0x1p-80, -0x1.fffffep-81, 0x1p-100, 0x1p-24, 0x1.fffffep-25, 0x1p-50, 0x1.000002p-50, 3.1415927, 0x1p60, 0x1.5p59, 1e-12}

var testInts = []uint32{0, 1, 2, 3, 31, 32, 33, 63, 64, 255, 256, 65535, 65536, 65537, 1<<23 - 1, 1 << 23, 1<<24 - 1, 1 << 24, 1<<24 + 1, 1<<24 + 3, 1<<25 + 2, 1<<25 + 6,
	1<<30 - 1, 1 << 30, 1<<31 - 65, 1<<31 - 64, 1<<31 - 1, 1 << 31, 1<<31 + 1, 1<<31 + 64, 1<<31 + 65, 0xd2511f53, 0xcd9e8d57, 0x7f800000, 0x7fc00000, 0xff800001, 0x00400000,
	0xfffffe00, 1<<32 - 65, 1<<32 - 33, 1<<32 - 32, 1<<32 - 2, 1<<32 - 1}

// assembler writes programs that no Builder would optimise.
type assembler struct{ ir.Prog }

func (a *assembler) op(op ir.Op, t ir.Type, args ...ir.Value) ir.Value {
	in := ir.Instr{Op: op, Type: t, A: ir.None, B: ir.None, C: ir.None}
	for i, v := range args {
		*[]*ir.Value{&in.A, &in.B, &in.C}[i] = v
	}
	a.Ins = append(a.Ins, in)
	return ir.Value(len(a.Ins) - 1)
}

func (a *assembler) with(imm uint32, v ir.Value) ir.Value { a.Ins[v].Imm = imm; return v }

func (a *assembler) slot(k ir.Kind, t ir.Type) uint32 {
	a.Slots = append(a.Slots, ir.Slot{Name: fmt.Sprintf("s%d", len(a.Slots)), Kind: k, Type: t})
	return uint32(len(a.Slots) - 1)
}

func (a *assembler) load(t ir.Type) ir.Value { return a.with(a.slot(ir.Array, t), a.op(ir.Load, t)) }
func (a *assembler) store(t ir.Type, v ir.Value) {
	a.with(a.slot(ir.Array, t), a.op(ir.Store, t, v))
}

// testCases lists the stages. kinds of inputs: f any float, s a float of
// middling size, i a word, b a truth value.
func testCases() []testCase {
	rng := rand.New(rand.NewPCG(1, 2))
	var out []testCase
	add := func(name, kinds string, write func(a *assembler, v []ir.Value) (ir.Type, ir.Value)) {
		a := &assembler{}
		a.Name = "self-test " + name
		var v []ir.Value
		var in [][]uint32
		for k := range kinds {
			typ := map[byte]ir.Type{'f': ir.F32, 's': ir.F32, 'i': ir.U32, 'b': ir.Bool}[kinds[k]]
			v = append(v, a.load(typ))
			in = append(in, testInputs(rng, kinds[k], k))
		}
		typ, x := write(a, v)
		a.store(typ, x)
		out = append(out, testCase{name, &a.Prog, in})
	}
	simple := func(op ir.Op, t ir.Type, kinds string) {
		add(op.String(), kinds, func(a *assembler, v []ir.Value) (ir.Type, ir.Value) { return t, a.op(op, t, v...) })
	}
	for _, op := range []ir.Op{ir.AddF, ir.SubF, ir.MulZ} {
		simple(op, ir.F32, "ff")
	}
	simple(ir.MulF, ir.F32, "ss")
	for _, op := range []ir.Op{ir.NegF, ir.AbsF, ir.FloorF, ir.Canon} {
		simple(op, ir.F32, "f")
	}
	for _, op := range []ir.Op{ir.LtF, ir.LeF, ir.EqF} {
		simple(op, ir.Bool, "ff")
	}
	simple(ir.F2I, ir.I32, "f")
	simple(ir.I2F, ir.F32, "i")
	simple(ir.Bits, ir.U32, "f")
	for _, op := range []ir.Op{ir.AddI, ir.SubI, ir.MulI, ir.MulHi, ir.And, ir.Or, ir.Xor, ir.Shl, ir.ShrU, ir.ShrS} {
		simple(op, ir.U32, "ii")
	}
	for _, op := range []ir.Op{ir.LtI, ir.LtU, ir.EqI} {
		simple(op, ir.Bool, "ii")
	}
	simple(ir.AndB, ir.Bool, "bb")
	simple(ir.OrB, ir.Bool, "bb")
	simple(ir.NotB, ir.Bool, "b")
	simple(ir.Sel, ir.F32, "bff")
	simple(ir.Sel, ir.U32, "bii")

	compose := func(name, kinds string, ops func(f func(op ir.Op, v ...ir.Value) ir.Value, v []ir.Value) ir.Value) {
		add(name, kinds, func(a *assembler, v []ir.Value) (ir.Type, ir.Value) {
			return ir.F32, ops(func(op ir.Op, v ...ir.Value) ir.Value {
				t := ir.F32
				if op == ir.LtF || op == ir.LeF {
					t = ir.Bool
				}
				return a.op(op, t, v...)
			}, v)
		})
	}
	type fn = func(op ir.Op, v ...ir.Value) ir.Value
	compose("a*b+c", "sss", func(f fn, v []ir.Value) ir.Value { return f(ir.AddF, f(ir.MulF, v[0], v[1]), v[2]) })
	compose("c-a*b", "sss", func(f fn, v []ir.Value) ir.Value { return f(ir.SubF, v[2], f(ir.MulF, v[0], v[1])) })
	compose("a*b-a*b", "ss", func(f fn, v []ir.Value) ir.Value {
		return f(ir.SubF, f(ir.MulF, v[0], v[1]), f(ir.MulF, v[0], v[1]))
	})
	compose("a*b+c*d", "ssss", func(f fn, v []ir.Value) ir.Value {
		return f(ir.AddF, f(ir.MulF, v[0], v[1]), f(ir.MulF, v[2], v[3]))
	})
	compose("(a+b)-a", "ss", func(f fn, v []ir.Value) ir.Value { return f(ir.SubF, f(ir.AddF, v[0], v[1]), v[0]) })
	compose("two-sum", "ss", func(f fn, v []ir.Value) ir.Value {
		s := f(ir.AddF, v[0], v[1])
		b := f(ir.SubF, s, v[0])
		return f(ir.AddF, f(ir.SubF, v[0], f(ir.SubF, s, b)), f(ir.SubF, v[1], b))
	})
	compose("a*b*c", "sss", func(f fn, v []ir.Value) ir.Value { return f(ir.MulF, f(ir.MulF, v[0], v[1]), v[2]) })
	compose("a*c+b*c", "sss", func(f fn, v []ir.Value) ir.Value {
		return f(ir.AddF, f(ir.MulF, v[0], v[2]), f(ir.MulF, v[1], v[2]))
	})
	compose("min", "ff", func(f fn, v []ir.Value) ir.Value { return f(ir.Sel, f(ir.LtF, v[1], v[0]), v[1], v[0]) })
	compose("max", "ff", func(f fn, v []ir.Value) ir.Value { return f(ir.Sel, f(ir.LtF, v[0], v[1]), v[1], v[0]) })
	compose("clip", "fff", func(f fn, v []ir.Value) ir.Value {
		low := f(ir.Sel, f(ir.LtF, v[0], v[1]), v[1], v[0])
		return f(ir.Sel, f(ir.LtF, v[2], low), v[2], low)
	})
	compose("x-floor(x)", "f", func(f fn, v []ir.Value) ir.Value { return f(ir.SubF, v[0], f(ir.FloorF, v[0])) })
	add("philox", "i", func(a *assembler, v []ir.Value) (ir.Type, ir.Value) {
		x := a.with(0x12345678, a.op(ir.Rand, ir.U32, v[0]))
		a.Ins[x].Aux = 0x9abcdef0
		return ir.U32, x
	})
	add("bits", "i", func(a *assembler, v []ir.Value) (ir.Type, ir.Value) { return ir.U32, a.op(ir.Xor, ir.U32, v[0], v[0]) })
	return out
}

// testInputs are edge values against each other, then random ones. Column k of
// a case steps through the edges at a pace of its own, so that all pairs occur.
func testInputs(rng *rand.Rand, kind byte, k int) []uint32 {
	var edges []uint32
	switch kind {
	case 'f':
		for _, x := range testFloats {
			edges = append(edges, math.Float32bits(x))
		}
	case 's':
		for _, x := range testFloats {
			if x == 0 || x > 0x1p-30 && x < 0x1p30 {
				edges = append(edges, math.Float32bits(x))
			}
		}
	case 'i':
		edges = testInts
	case 'b':
		edges = []uint32{0, 1}
	}
	out := make([]uint32, testLanes)
	pace := []int{1, len(edges), len(edges) * len(edges), 7}[k]
	for i := range out {
		switch {
		case i < len(edges)*len(edges):
			out[i] = edges[i/pace%len(edges)]
			if k > 1 {
				out[i] = edges[rng.IntN(len(edges))]
			}
		case kind == 'b':
			out[i] = rng.Uint32() & 1
		case kind == 'i':
			out[i] = rng.Uint32() >> rng.IntN(32)
		default:
			span := map[byte]int{'f': 40, 's': 12}[kind]
			x := math.Ldexp(1+float64(rng.IntN(1<<23))*0x1p-23, rng.IntN(2*span)-span)
			out[i] = math.Float32bits(float32(x))
			if kind == 'f' {
				out[i] |= rng.Uint32() & (1 << 31)
			}
		}
	}
	return out
}

// testNetwork is two populations with noise that excite and inhibit each other through synapses
// of several delays, and a record of spikes. All fire at the first step, so
// that delivery reads masks, and few later, so that it reads lists.
func testNetwork(delays ...float32) *backend.Plan {
	rng := rand.New(rand.NewPCG(5, 6))
	sizes, total, out := []int{300, 200}, 500, 12
	p := &backend.Plan{Dt: 1e-4, Seed: 0x123456789abcdef0, Batch: testSteps}
	buf := func(name string, k backend.BufKind, t ir.Type, n int) backend.BufID {
		p.Bufs = append(p.Bufs, backend.Buf{Name: name, Kind: k, Type: t, Len: n})
		return backend.BufID(len(p.Bufs) - 1)
	}
	p.Step, p.Due = buf("step", backend.State, ir.U32, 1), buf("due", backend.State, ir.U32, 2)
	acc := buf("acc", backend.Scratch, ir.I32, total)
	least, most := slices.Min(delays), slices.Max(delays)
	proj := &connect.Proj{Name: "self-test", Rule: connect.Given, NPre: total, NPost: total, Unit: 1,
		Weight: connect.Column{Lo: -1, Hi: 1}, Delay: connect.Column{Lo: float64(least), Hi: float64(most)}}
	for i := range total {
		for range out {
			w := 0.05 * rng.Float32()
			if i >= sizes[0] {
				w = -4 * w
			}
			proj.I, proj.J = append(proj.I, uint32(i)), append(proj.J, uint32(rng.IntN(total)))
			proj.Weight.Array, proj.Delay.Array = append(proj.Weight.Array, w), append(proj.Delay.Array, delays[rng.IntN(len(delays))])
		}
	}
	spec := &connect.Spec{Name: "self-test", NSrc: total, NTgt: total, Projs: []*connect.Proj{proj}, Scale: 1 << 12, Width: 16}
	table := backend.Table{Spec: spec, MinDelay: int(least), MaxDelay: int(most), Last: 1 << 40}
	p.Stages = append(p.Stages, backend.Stage{Form: backend.FormDeliver, Name: "self-test deliver", Flag: -1, Count: 1, Acc: acc})
	first := 0
	for e, n := range sizes {
		v := buf(fmt.Sprintf("v%d", e), backend.State, ir.F32, n)
		for range n {
			p.Bufs[v].Init = append(p.Bufs[v].Init, math.Float32bits(1.2))
		}
		history := int(most) + 1
		p.Events = append(p.Events, backend.Event{Name: "spike", N: n, History: history, Masks: buf(fmt.Sprintf("spikes%d", e), backend.State, ir.U32, history*((n+31)/32)), Spike: true})
		table.Sources = append(table.Sources, backend.Source{Event: e, Hi: n, Row0: first})
		a := &assembler{}
		a.Name = "self-test update"
		x, sum, bit := a.slot(ir.Array, ir.F32), a.slot(ir.Array, ir.I32), a.slot(ir.Mask, ir.Bool)
		c := func(f float32) ir.Value { return a.with(math.Float32bits(f), a.op(ir.Const, ir.F32)) }
		y := a.op(ir.MulZ, ir.F32, a.with(x, a.op(ir.Load, ir.F32)), c(0.95))
		y = a.op(ir.AddF, ir.F32, y, a.op(ir.MulZ, ir.F32, a.op(ir.I2F, ir.F32, a.with(sum, a.op(ir.Load, ir.I32))), c(0x1p-12)))
		word := a.with(uint32(e), a.op(ir.Rand, ir.U32, a.op(ir.Lane, ir.I32)))
		u := a.op(ir.MulF, ir.F32, a.op(ir.I2F, ir.F32, a.op(ir.ShrU, ir.U32, word, a.with(8, a.op(ir.Const, ir.U32)))), c(0x1p-24))
		y = a.op(ir.AddF, ir.F32, a.op(ir.AddF, ir.F32, y, c(0.02)), a.op(ir.MulZ, ir.F32, u, c(0.08)))
		fire := a.op(ir.LtF, ir.Bool, c(1), y)
		a.with(bit, a.op(ir.StoreBit, ir.Bool, fire))
		a.with(x, a.op(ir.Store, ir.F32, a.op(ir.Canon, ir.F32, a.op(ir.Sel, ir.F32, fire, c(0), y))))
		count, index := buf(fmt.Sprintf("count%d", e), backend.Record, ir.U32, testSteps), buf(fmt.Sprintf("index%d", e), backend.Record, ir.U32, n*testSteps)
		p.Stages = append(p.Stages, backend.Stage{Form: backend.FormMap, Name: a.Name, Flag: -1, N: n, Prog: &a.Prog, Bind: []backend.Binding{{Buf: v}, {Buf: acc, Off: first}, {Event: e}}},
			backend.Stage{Form: backend.FormSpikes, Name: "self-test record", Flag: -1, Event: e, Rec: backend.Rec{Count: count, Index: index, Hi: n}})
		first += n
	}
	p.Tables = []backend.Table{table}
	return p
}

// testSteps is how long a network of the self-test runs.
const testSteps = 80

// testNetworks are the networks of the self-test and the hash of what each leaves, which package ref gave.
var testNetworks = []struct {
	name   string
	delays []float32
	hash   uint64
}{
	{"delays of one step and more, a step at a time", []float32{1, 2, 5}, 0xdb5a1ca2fa5c0a74},
	{"delays of six steps and more, several steps at a time", []float32{6, 7, 11}, 0x8d9bdbf104c41484},
}

// hashOf is a hash of all state and records of a program.
func hashOf(p *backend.Plan, read func(b backend.BufID, words []uint32) error) (uint64, error) {
	h := fnv.New64a()
	var bytes []byte
	for id := range p.Bufs {
		b := &p.Bufs[id]
		if b.Kind != backend.State && b.Kind != backend.Record {
			continue
		}
		words := make([]uint32, b.Len)
		if err := read(backend.BufID(id), words); err != nil {
			return 0, err
		}
		bytes = bytes[:0]
		for _, w := range words {
			bytes = binary.LittleEndian.AppendUint32(bytes, w)
		}
		h.Write(bytes)
	}
	return h.Sum64(), nil
}

// testPlan lays the cases out as stages of one step, each with its own output,
// and after them a chain: words that each step passes on to other lanes, in two
// dependent dispatches, so that hundreds of steps are one long chain.
func testPlan(cases []testCase) *backend.Plan {
	p := &backend.Plan{Dt: 1e-4, Seed: 0x9abcdef012345678, Batch: 256}
	buf := func(name string, k backend.BufKind, n int, init []uint32) backend.BufID {
		p.Bufs = append(p.Bufs, backend.Buf{Name: name, Kind: k, Type: ir.U32, Len: n, Init: init})
		return backend.BufID(len(p.Bufs) - 1)
	}
	p.Step, p.Due = buf("step", backend.State, 1, nil), buf("due", backend.State, 2, nil)
	if cases == nil {
		const n = 1024
		x, y, to := buf("x", backend.State, n, nil), buf("y", backend.State, n, nil), buf("to", backend.Constant, n, nil)
		for i := range n {
			p.Bufs[x].Init = append(p.Bufs[x].Init, uint32(i)*2654435761)
			p.Bufs[to].Init = append(p.Bufs[to].Init, uint32(i*5+3)%n)
		}
		for _, hop := range [][2]backend.BufID{{x, y}, {y, x}} {
			a := &assembler{}
			a.Name = "self-test chain"
			from, index := a.slot(ir.Table, ir.U32), a.load(ir.U32)
			v := a.with(from, a.op(ir.Gather, ir.U32, index))
			a.store(ir.U32, a.op(ir.AddI, ir.U32, a.op(ir.MulI, ir.U32, v, index), a.op(ir.Step, ir.I32)))
			p.Stages = append(p.Stages, backend.Stage{Form: backend.FormMap, Name: a.Name, Flag: -1, N: n, Prog: &a.Prog, Bind: []backend.Binding{{Buf: hop[0]}, {Buf: to}, {Buf: hop[1]}}})
		}
		return p
	}
	for _, c := range cases {
		s := backend.Stage{Form: backend.FormMap, Name: c.prog.Name, Flag: -1, N: testLanes, Prog: c.prog}
		for k, in := range c.in {
			s.Bind = append(s.Bind, backend.Binding{Buf: buf(fmt.Sprintf("%s in %d", c.name, k), backend.Constant, testLanes, in)})
		}
		s.Bind = append(s.Bind, backend.Binding{Buf: buf(c.name+" out", backend.State, testLanes, nil)})
		p.Stages = append(p.Stages, s)
	}
	return p
}

// expected runs n steps of a plan of Map stages through ir.Eval.
func expected(p *backend.Plan, n int) [][]uint32 {
	bufs := make([][]uint32, len(p.Bufs))
	for i := range p.Bufs {
		bufs[i] = make([]uint32, p.Bufs[i].Len)
		copy(bufs[i], p.Bufs[i].Init)
	}
	for step := range n {
		for i := range p.Stages {
			s := &p.Stages[i]
			e := &ir.Env{Step: uint32(step), Seed: p.Key(), Drawn: uint32(p.Drawn)}
			for _, b := range s.Bind {
				e.Slots = append(e.Slots, bufs[b.Buf][b.Off:])
			}
			ir.Eval(s.Prog, e, 0, s.N)
		}
	}
	return bufs
}
