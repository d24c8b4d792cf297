package vm

import (
	"fmt"
	"math"
	"testing"

	"synfire/engine/ir"
)

func TestModes(t *testing.T) { t.Log(SIMD(), Modes(), cpu()) }

// lifProg is a leaky integrate-and-fire step with exponential current and a
// refractory count: 3 products, threshold, reset, compare.
func lifProg(noise bool) *ir.Prog {
	p := &ir.Prog{Name: "lif", Slots: []ir.Slot{{Name: "v", Kind: ir.Array, Type: ir.F32}, {Name: "i", Kind: ir.Array, Type: ir.F32},
		{Name: "last", Kind: ir.Array, Type: ir.I32}, {Name: "spike", Kind: ir.Mask, Type: ir.Bool}}}
	add := func(op ir.Op, typ ir.Type, imm uint32, args ...ir.Value) ir.Value {
		in := ir.Instr{Op: op, Type: typ, Imm: imm, A: ir.None, B: ir.None, C: ir.None}
		for k, a := range args {
			*[]*ir.Value{&in.A, &in.B, &in.C}[k] = a
		}
		p.Ins = append(p.Ins, in)
		return ir.Value(len(p.Ins) - 1)
	}
	f := func(x float32) ir.Value { return add(ir.Const, ir.F32, math.Float32bits(x)) }
	v, i, last := add(ir.Load, ir.F32, 0), add(ir.Load, ir.F32, 1), add(ir.Load, ir.I32, 2)
	step := add(ir.Step, ir.I32, 0)
	free := add(ir.LtI, ir.Bool, 0, add(ir.Const, ir.I32, 20), add(ir.SubI, ir.I32, 0, step, last))
	drive := add(ir.AddF, ir.F32, 0, add(ir.MulF, ir.F32, 0, i, f(0.08)), add(ir.MulF, ir.F32, 0, v, f(0.99)))
	drive = add(ir.AddF, ir.F32, 0, drive, f(0.21))
	if noise {
		w := add(ir.Rand, ir.U32, 5, add(ir.Lane, ir.I32, 0))
		n := normalSketch(add, f, w)
		drive = add(ir.AddF, ir.F32, 0, drive, add(ir.MulZ, ir.F32, 0, n, f(0.05)))
	}
	next := add(ir.Sel, ir.F32, 0, free, drive, v)
	fire := add(ir.LtF, ir.Bool, 0, f(20), next)
	add(ir.StoreBit, ir.Bool, 3, fire)
	add(ir.Store, ir.F32, 0, add(ir.Canon, ir.F32, 0, add(ir.Sel, ir.F32, 0, fire, f(10), next)))
	add(ir.Store, ir.F32, 1, add(ir.Canon, ir.F32, 0, add(ir.MulZ, ir.F32, 0, i, f(0.9))))
	add(ir.Store, ir.I32, 2, add(ir.Sel, ir.I32, 0, fire, step, last))
	return p
}

// normalSketch has the operations of an inverse normal distribution: a float
// between -1 and 1, a logarithm by polynomial, and two polynomials to choose from.
func normalSketch(add func(ir.Op, ir.Type, uint32, ...ir.Value) ir.Value, f func(float32) ir.Value, w ir.Value) ir.Value {
	mul := func(a, b ir.Value) ir.Value { return add(ir.MulF, ir.F32, 0, a, b) }
	sum := func(a, b ir.Value) ir.Value { return add(ir.AddF, ir.F32, 0, a, b) }
	poly := func(x ir.Value, n int) ir.Value {
		y := f(0.01)
		for k := range n {
			y = sum(mul(y, x), f(float32(k)*0.1))
		}
		return y
	}
	u := mul(add(ir.I2F, ir.F32, 0, w), f(0x1p-31))
	x := add(ir.SubF, ir.F32, 0, f(1), mul(u, u))
	e := add(ir.I2F, ir.F32, 0, add(ir.ShrU, ir.U32, 0, add(ir.Bits, ir.U32, 0, x), add(ir.Const, ir.U32, 23)))
	m := add(ir.Or, ir.U32, 0, add(ir.And, ir.U32, 0, add(ir.Bits, ir.U32, 0, x), add(ir.Const, ir.U32, 0x7fffff)), add(ir.Const, ir.U32, 0x3f800000))
	log := sum(mul(e, f(0.69)), poly(add(ir.Float, ir.F32, 0, m), 8))
	tail := add(ir.LtF, ir.Bool, 0, log, f(-5))
	return mul(u, add(ir.Sel, ir.F32, 0, tail, poly(log, 8), poly(log, 8)))
}

func BenchmarkLIF(b *testing.B) {
	for _, noise := range []bool{false, true} {
		for _, m := range Modes() {
			for _, n := range []int{16384, 1 << 20} {
				b.Run(fmt.Sprintf("noise=%v/%v/%d", noise, m, n), func(b *testing.B) {
					c, err := CompileMode(lifProg(noise), m)
					if err != nil {
						b.Fatal(err)
					}
					e := &ir.Env{Slots: [][]uint32{make([]uint32, n), make([]uint32, n), make([]uint32, n), make([]uint32, n/32)}}
					for i := range n {
						e.Slots[1][i] = math.Float32bits(float32(i%100) * 0.1)
					}
					for b.Loop() {
						c.Run(e, 0, n)
						e.Step++
					}
					b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/neuron")
				})
			}
		}
	}
}

func TestLIF(t *testing.T) {
	for _, noise := range []bool{false, true} {
		p := lifProg(noise)
		n := 1000
		e := &ir.Env{Slots: [][]uint32{make([]uint32, n), make([]uint32, n), make([]uint32, n), make([]uint32, (n+31)/32)}}
		for i := range n {
			e.Slots[1][i] = math.Float32bits(float32(i%100) * 0.5)
		}
		for range 50 {
			compare(t, p, e, 0, n)
			ir.Eval(p, e, 0, n)
			e.Step++
		}
		c, _ := Compile(p)
		t.Log(c.Listing())
	}
}

func BenchmarkFill(b *testing.B) {
	for _, m := range Modes() {
		b.Run(m.String(), func(b *testing.B) {
			fill, dst := fillerOf(m), make([]uint32, 1024)
			for b.Loop() {
				fill(dst, 0, 1, 2, 3, [2]uint32{4, 5})
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1024, "ns/word")
		})
	}
}
