package vm

import (
	"fmt"
	"math"
	"testing"
	"time"

	"synfire/engine/ir"
)

// TestModes: every machine has the scalar mode; each mode has a name of its own and
// compiles a program; SIMD is one of them.
func TestModes(t *testing.T) {
	t.Log(SIMD(), Modes(), cpu())
	if Modes()[0] != Scalar {
		t.Errorf("the first mode is %v, not %v", Modes()[0], Scalar)
	}
	seen := map[string]bool{}
	for _, m := range Modes() {
		if seen[m.String()] {
			t.Errorf("two modes are called %v", m)
		}
		seen[m.String()] = true
		if _, err := CompileMode(lifProg(true), m); err != nil {
			t.Errorf("%v: %v", m, err)
		}
	}
	if !seen[SIMD()] {
		t.Errorf("SIMD() names %s, which this machine has not: %v", SIMD(), Modes())
	}
}

// lifProg is a leaky integrate-and-fire step with exponential current: three
// products, threshold, reset, and a refractory time by comparing steps; with
// noise, one normal number more.
func lifProg(noise bool) *ir.Prog {
	b := ir.NewBuilder("lif")
	slotV, slotI := b.Slot("v", ir.Array, ir.F32), b.Slot("i", ir.Array, ir.F32)
	slotLast, spikes := b.Slot("last", ir.Array, ir.I32), b.Slot("spike", ir.Mask, ir.Bool)
	v, i, last, step := b.Load(slotV), b.Load(slotI), b.Load(slotLast), b.Step()
	free := b.LtI(b.I(20), b.SubI(step, last))
	next := b.Add(b.Add(b.Mul(v, b.F(0.99)), b.Mul(i, b.F(0.08))), b.F(0.21))
	if noise {
		next = b.Add(next, b.Mul(b.Normal(b.Rand(b.Lane(), 5, 0)), b.F(0.05)))
	}
	next = b.Sel(free, next, v)
	fire := b.Lt(b.F(20), next)
	b.StoreBit(spikes, fire)
	b.Store(slotV, b.Sel(fire, b.F(10), next))
	b.Store(slotI, b.Mul(i, b.F(0.9)))
	b.Store(slotLast, b.Sel(fire, step, last))
	p, err := b.Prog()
	if err != nil {
		panic(err)
	}
	return p
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
					least := time.Duration(math.MaxInt64) // others may be at work on this machine
					for b.Loop() {
						start := time.Now()
						c.Run(e, 0, n)
						least = min(least, time.Since(start))
						e.Step++
					}
					b.ReportMetric(float64(least.Nanoseconds())/float64(n), "least-ns/neuron")
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
			least := time.Duration(math.MaxInt64)
			for b.Loop() {
				start := time.Now()
				fill(dst, 0, 1, 2, 3, [2]uint32{4, 5})
				least = min(least, time.Since(start))
			}
			b.ReportMetric(float64(least.Nanoseconds())/1024, "least-ns/word")
		})
	}
}
