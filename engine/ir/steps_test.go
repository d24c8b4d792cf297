package ir_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"synfire/engine/ir"
)

// TestSteps holds the words of times to the numbers that they stand for, near and far.
func TestSteps(t *testing.T) {
	last := math.Inf(-1)
	for _, x := range []float64{math.Inf(-1), -1e30, -1e20, -5e12, -5e9, -1 << 32, -1<<32 + 1<<14, -ir.FarStep - 4096, -ir.FarStep, -5, 0, 7, ir.FarStep, ir.FarStep + 4096, 1 << 31, 1e10, 1e25, math.Inf(1)} {
		got := ir.StepsValue(ir.StepsWord(x))
		if got != x && math.Abs(got-x) > math.Abs(x)*0x1p-19 && math.Abs(x) < 1e28 || math.Abs(x) <= ir.FarStep && got != x || got < last || math.IsInf(x, 0) && got != x {
			t.Errorf("%g steps become %g, after %g", x, got, last)
		}
		last = got
	}
	rapid.Check(t, func(rt *rapid.T) {
		words := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) uint32 {
			edge := rapid.SampledFrom([]float64{0, 1 << 30, ir.FarStep, 1 << 31, 1e10, 1e20, math.Inf(1)}).Draw(rt, "edge")
			x := edge + float64(rapid.IntRange(-5000, 5000).Draw(rt, "off"))
			if rapid.Bool().Draw(rt, "past") {
				x = -x
			}
			return ir.StepsWord(x)
		}), 40, 40).Draw(rt, "steps")
		from := rapid.Permutation(words).Draw(rt, "from")
		b := ir.NewBuilder("steps")
		load := func(name string) ir.Value { return b.Load(b.Slot(name, ir.Array, ir.I32)) }
		store := func(name string, v ir.Value) { b.StoreRaw(b.Slot(name, ir.Array, b.TypeOf(v)), v) }
		to, fr := load("to"), load("from")
		store("value", b.FromSteps(to))
		store("word", b.ToSteps(b.FromSteps(to)))
		since, far := b.SinceSteps(to, fr)
		store("since", since)
		store("far", far)
		now := b.Assume(b.Step(), ir.Range{Lo: 0, Hi: ir.FarStep})
		since, far = b.SinceSteps(now, fr)
		store("since now", since)
		store("far now", far)
		store("sum", b.AddSteps(to, b.I(50)))
		p, err := b.Prog()
		if err != nil {
			rt.Fatal(err)
		}
		step := rapid.Uint32Range(0, ir.FarStep).Draw(rt, "step")
		e := &ir.Env{Step: step, Slots: [][]uint32{words, from}}
		for range 7 {
			e.Slots = append(e.Slots, make([]uint32, len(words)))
		}
		ir.Eval(p, e, 0, len(words))
		near := func(what string, got uint32, want, size float64) {
			x := float64(math.Float32frombits(got))
			if want = max(-0x1p96, min(0x1p96, want)); math.Abs(x-want) > size*0x1p-22 && !(math.Abs(want) > 0x1p93 && math.Signbit(x) == math.Signbit(want)) {
				rt.Fatalf("%s: %g, want %g", what, x, want)
			}
		}
		for k := range words {
			a, f := ir.StepsValue(words[k]), ir.StepsValue(from[k])
			near("value", e.Slots[2][k], a, math.Abs(a))
			if e.Slots[3][k] != words[k] && math.Abs(a) > ir.FarStep {
				rt.Fatalf("%g steps go to and fro as %#x, were %#x", a, e.Slots[3][k], words[k])
			}
			for q, to := range map[int]float64{4: a, 6: float64(step)} {
				d := to - f
				if d != d || d == math.MinInt32 || math.Abs(to) > ir.FarStep && math.Abs(f) > ir.FarStep {
					continue // both far away: their order counts alone
				}
				size := math.Abs(d)
				if max(math.Abs(to), math.Abs(f)) > ir.FarStep {
					size = max(math.Abs(to), math.Abs(f))
				}
				near("float", e.Slots[q+1][k], d, size)
				if got, want := int32(e.Slots[q][k]), max(-math.MaxInt32, min(math.MaxInt32, d)); float64(got) != want && (math.Abs(to) <= ir.FarStep && math.Abs(f) <= ir.FarStep || (got > 0) != (want > 0)) {
					rt.Fatalf("%g - %g = %d", to, f, got)
				}
			}
			if math.Abs(a) < ir.FarStep-1000 && int32(e.Slots[8][k]) != int32(a)+50 {
				rt.Fatalf("%g + 50 = %d", a, int32(e.Slots[8][k]))
			}
		}
	})
}
