package irtest

import (
	"fmt"

	"synfire/engine/ir"

	"pgregory.net/rapid"
)

type gen struct {
	t                   *rapid.T
	b                   *ir.Builder
	o                   Options
	f, i, c             []ir.Value // floats, words, truth values
	af, ai, m           []uint32
	tf, ti, own, a1, a2 uint32
	draws               uint32
}

func newGen(t *rapid.T, b *ir.Builder, o Options) *gen {
	g := &gen{t: t, b: b, o: o}
	for n := range 4 {
		g.af = append(g.af, b.Slot(fmt.Sprint("f", n), ir.Array, ir.F32))
	}
	for n := range 2 {
		g.ai = append(g.ai, b.Slot(fmt.Sprint("i", n), ir.Array, ir.I32))
		g.m = append(g.m, b.Slot(fmt.Sprint("m", n), ir.Mask, ir.Bool))
	}
	g.tf, g.ti = b.Slot("tf", ir.Table, ir.F32), b.Slot("ti", ir.Table, ir.I32)
	g.own = b.Slot("own", ir.Table, ir.F32)
	g.a1, g.a2 = b.Slot("acc", ir.Accum, ir.I32), b.Slot("acc2", ir.Accum, ir.I32)
	b.Traps(3)
	return g
}

func pick[T any](g *gen, what string, list []T) T {
	return list[rapid.IntRange(0, len(list)-1).Draw(g.t, what)]
}

// recent prefers late values, so that programs grow deep.
func recent(g *gen, list []ir.Value) ir.Value {
	n := len(list)
	k := rapid.IntRange(0, n-1).Draw(g.t, "operand")
	if n > 6 && rapid.Bool().Draw(g.t, "late") {
		k = n - 1 - k%6
	}
	return list[k]
}

func (g *gen) F() ir.Value { return recent(g, g.f) }
func (g *gen) I() ir.Value { return recent(g, g.i) }
func (g *gen) C() ir.Value { return recent(g, g.c) }

func (g *gen) constant() float64 {
	return pick(g, "const", []float64{0, 1, -1, 0.5, -0.125, 3, 1e-3, -70, 0.99, 20, 1e-6, 0x1p-80, 0x1p40, -0x1p40, 1e9,
		float64(StoredFloat(rapid.Uint32().Draw(g.t, "u"), rapid.Uint32().Draw(g.t, "v")))})
}

func (g *gen) index() ir.Value { return g.b.AndI(g.I(), g.b.U(TableWords-1)) }

func (g *gen) run() {
	b := g.b
	g.f = append(g.f, b.Load(g.af[0]), b.Load(g.af[1]), b.F(g.constant()))
	g.i = append(g.i, b.Load(g.ai[0]), b.Lane(), b.I(rapid.Int32Range(-50, 50).Draw(g.t, "int")))
	g.c = append(g.c, b.Bit(g.m[0]), b.Lt(g.f[0], g.f[1]))
	n := g.o.Ops
	if n == 0 {
		n = rapid.IntRange(5, 40).Draw(g.t, "ops")
	}
	kinds := len(steps)
	for range n {
		if g.o.Phases > 0 {
			b.SetPhase(uint8(rapid.IntRange(0, g.o.Phases).Draw(g.t, "phase")))
		}
		steps[rapid.IntRange(0, kinds-1).Draw(g.t, "op")](g)
	}
	b.Store(pick(g, "slot", g.af), g.F())
	b.Store(pick(g, "slot", g.ai), g.I())
	b.StoreBit(pick(g, "mask", g.m), g.C())
	if g.o.Scatter {
		at := b.AndI(b.Lane(), b.U(TableWords-1))
		old := b.Gather(g.own, at, ir.Range{})
		b.Put(g.own, at, b.Add(old, g.F()))
		b.Scatter(g.a1, g.index(), g.I())
		lo, hi := b.Fix64(g.F(), 0x1p20, 0x1p40, 2)
		b.Scatter2(g.a2, g.index(), lo, hi)
	}
	b.Trap(g.C(), 0)
	b.LimitTrap(g.F(), 1)
}

func (g *gen) pushF(v ir.Value) { g.f = append(g.f, v) }
func (g *gen) pushI(v ir.Value) { g.i = append(g.i, v) }
func (g *gen) pushC(v ir.Value) { g.c = append(g.c, v) }

// steps are the things that a random program does, likelier ones repeated.
var steps = []func(*gen){
	func(g *gen) { g.pushF(g.b.Add(g.F(), g.F())) },
	func(g *gen) { g.pushF(g.b.Add(g.F(), g.F())) },
	func(g *gen) { g.pushF(g.b.Sub(g.F(), g.F())) },
	func(g *gen) { g.pushF(g.b.Sub(g.F(), g.F())) },
	func(g *gen) { g.pushF(g.b.Mul(g.F(), g.F())) },
	func(g *gen) { g.pushF(g.b.Mul(g.F(), g.F())) },
	func(g *gen) { g.pushF(g.b.Mul(g.F(), g.b.F(g.constant()))) },
	func(g *gen) { g.pushF(g.b.Add(g.F(), g.b.F(g.constant()))) },
	func(g *gen) { g.pushF(g.b.Sub(g.b.F(g.constant()), g.F())) },
	func(g *gen) { g.pushF(g.b.Neg(g.F())) },
	func(g *gen) { g.pushF(g.b.Abs(g.F())) },
	func(g *gen) { g.pushF(g.b.Floor(g.F())) },
	func(g *gen) { g.pushF(g.b.Ceil(g.F())) },
	func(g *gen) { g.pushF(g.b.Trunc(g.F())) },
	func(g *gen) { g.pushF(g.b.Min(g.F(), g.F())) },
	func(g *gen) { g.pushF(g.b.Max(g.F(), g.F())) },
	func(g *gen) { g.pushF(g.b.Sel(g.C(), g.F(), g.F())) },
	func(g *gen) { g.pushF(g.b.I2F(g.I())) },
	func(g *gen) { g.pushF(g.b.Canon(g.F())) },
	func(g *gen) { g.pushF(g.b.Div(g.F(), g.F())) },
	func(g *gen) { g.pushF(g.b.Exp(g.F())) },
	func(g *gen) {
		g.pushF(functions[rapid.IntRange(0, len(functions)-1).Draw(g.t, "function")](g.b, g.F(), g.F()))
	},
	func(g *gen) { g.pushF(g.b.Unit(g.rand(), g.b.More(g.I(), 5, 6))) },
	func(g *gen) { g.pushF(g.b.Normal(g.rand())) },
	func(g *gen) { g.pushF(g.b.FromSteps(g.I())) },
	func(g *gen) { g.pushI(g.b.ToSteps(g.b.Floor(g.F()))) },
	func(g *gen) { g.pushI(g.b.AddSteps(g.I(), g.I())) },
	func(g *gen) { since, far := g.b.SinceSteps(g.I(), g.I()); g.pushI(since); g.pushF(far) },
	func(g *gen) { g.pushF(g.b.Gather(g.tf, g.index(), ir.Range{})) },
	func(g *gen) { g.pushF(g.b.Uniform(g.tf, ir.Range{})) },
	func(g *gen) {
		g.pushF(g.b.Host(rapid.Uint32Range(0, HostWords-1).Draw(g.t, "host"), ir.F32, ir.Range{}))
	},
	func(g *gen) { g.pushF(g.b.Load(pick(g, "slot", g.af))) },
	func(g *gen) { v := g.F(); g.b.Store(pick(g, "slot", g.af), v) },
	func(g *gen) { hi, lo := g.b.AddTwo(g.F(), g.F(), g.F()); g.f = append(g.f, hi, lo) },
	func(g *gen) { g.pushF(g.b.Unfix32(g.I(), 0x1p10)) },
	func(g *gen) { g.pushF(g.b.Unfix64(g.I(), g.I(), 0x1p30)) },

	func(g *gen) { g.pushI(g.b.F2I(g.F())) },
	func(g *gen) { g.pushI(g.b.AddI(g.I(), g.I())) },
	func(g *gen) { g.pushI(g.b.SubI(g.I(), g.I())) },
	func(g *gen) { g.pushI(g.b.MulI(g.I(), g.I())) },
	func(g *gen) { g.pushI(g.b.MulHi(g.I(), g.I())) },
	func(g *gen) { g.pushI(g.b.AndI(g.I(), g.I())) },
	func(g *gen) { g.pushI(g.b.OrI(g.I(), g.I())) },
	func(g *gen) { g.pushI(g.b.XorI(g.I(), g.I())) },
	func(g *gen) { g.pushI(g.b.Shl(g.I(), g.I())) },
	func(g *gen) { g.pushI(g.b.ShrU(g.I(), g.I())) },
	func(g *gen) { g.pushI(g.b.ShrS(g.I(), g.I())) },
	func(g *gen) { g.pushI(g.b.ShrS(g.I(), g.b.I(rapid.Int32Range(0, 31).Draw(g.t, "count")))) },
	func(g *gen) { g.pushI(g.b.Sel(g.C(), g.I(), g.I())) },
	func(g *gen) { g.pushI(g.b.Step()) },
	func(g *gen) { g.pushI(g.b.Gather(g.ti, g.index(), ir.Range{})) },
	func(g *gen) { g.pushI(g.rand()) },
	func(g *gen) { g.pushI(g.b.ModI(g.I(), g.I())) },
	func(g *gen) { g.pushI(g.b.Fix32(g.F(), 0x1p12, 0x1p15, 2)) },
	func(g *gen) { g.pushI(g.b.CountTable(g.rand(), []float64{0.2, 0.5, 0.9, 1})) },
	func(g *gen) { g.pushI(g.b.Load(pick(g, "slot", g.ai))) },
	func(g *gen) { v := g.I(); g.b.Store(pick(g, "slot", g.ai), v) },

	func(g *gen) { g.pushC(g.b.Lt(g.F(), g.F())) },
	func(g *gen) { g.pushC(g.b.Le(g.F(), g.F())) },
	func(g *gen) { g.pushC(g.b.Eq(g.F(), g.F())) },
	func(g *gen) { g.pushC(g.b.LtI(g.I(), g.I())) },
	func(g *gen) { g.pushC(g.b.LtU(g.I(), g.I())) },
	func(g *gen) { g.pushC(g.b.EqI(g.I(), g.I())) },
	func(g *gen) { g.pushC(g.b.AndB(g.C(), g.C())) },
	func(g *gen) { g.pushC(g.b.OrB(g.C(), g.C())) },
	func(g *gen) { g.pushC(g.b.NotB(g.C())) },
	func(g *gen) { g.pushC(g.b.Below(g.rand(), 0.3)) },
	func(g *gen) { g.pushC(g.b.Bit(pick(g, "mask", g.m))) },
	func(g *gen) { v := g.C(); g.b.StoreBit(pick(g, "mask", g.m), v) },
	func(g *gen) { v := g.C(); g.b.Trap(v, rapid.IntRange(0, 2).Draw(g.t, "code")) },
}

func (g *gen) rand() ir.Value {
	g.draws++
	item := g.b.Lane()
	if rapid.IntRange(0, 3).Draw(g.t, "item") == 0 {
		item = g.I()
	}
	return g.b.Rand(item, rapid.Uint32().Draw(g.t, "stream"), g.draws)
}

// functions are the expansions, for whoever wants each of them once.
var functions = []func(b *ir.Builder, x, y ir.Value) ir.Value{
	func(b *ir.Builder, x, y ir.Value) ir.Value { return b.Sqrt(x) },
	func(b *ir.Builder, x, y ir.Value) ir.Value { return b.Expm1(x) },
	func(b *ir.Builder, x, y ir.Value) ir.Value { return b.Exprel(x) },
	func(b *ir.Builder, x, y ir.Value) ir.Value { return b.Log(x) },
	func(b *ir.Builder, x, y ir.Value) ir.Value { return b.Log1p(x) },
	func(b *ir.Builder, x, y ir.Value) ir.Value { return b.Log10(x) },
	func(b *ir.Builder, x, y ir.Value) ir.Value { return b.Log2(x) },
	func(b *ir.Builder, x, y ir.Value) ir.Value { return b.PowInt(x, 3) },
	func(b *ir.Builder, x, y ir.Value) ir.Value { return b.Pow(x, y) },
	func(b *ir.Builder, x, y ir.Value) ir.Value { return b.Sin(x) },
	func(b *ir.Builder, x, y ir.Value) ir.Value { return b.Cos(x) },
	func(b *ir.Builder, x, y ir.Value) ir.Value { return b.Tan(x) },
	func(b *ir.Builder, x, y ir.Value) ir.Value { return b.Asin(x) },
	func(b *ir.Builder, x, y ir.Value) ir.Value { return b.Acos(x) },
	func(b *ir.Builder, x, y ir.Value) ir.Value { return b.Atan(x) },
	func(b *ir.Builder, x, y ir.Value) ir.Value { return b.Sinh(x) },
	func(b *ir.Builder, x, y ir.Value) ir.Value { return b.Cosh(x) },
	func(b *ir.Builder, x, y ir.Value) ir.Value { return b.Tanh(x) },
	func(b *ir.Builder, x, y ir.Value) ir.Value { return b.Mod(x, y) },
	func(b *ir.Builder, x, y ir.Value) ir.Value { return b.FloorDiv(x, y) },
	func(b *ir.Builder, x, y ir.Value) ir.Value { return b.Sign(x) },
	func(b *ir.Builder, x, y ir.Value) ir.Value { return b.Clip(x, b.F(-1), y) },
	func(b *ir.Builder, x, y ir.Value) ir.Value {
		return b.Poisson(x, func(d uint32) ir.Value { return b.Rand(b.Lane(), 77, d) }, b.More(b.Lane(), 77, 2))
	},
}
