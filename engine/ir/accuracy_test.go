package ir_test

import (
	"math"
	"testing"

	"synfire/engine/ir"
)

type function struct {
	name   string
	build  func(b *ir.Builder, x, y ir.Value) ir.Value
	want   func(x, y float64) float64
	lo, hi float64 // range of x, swept evenly, and by magnitude down to 2^-40 where 0 is inside
	bound  float64 // ulp
	ylo    float64
	yhi    float64 // range of y, for two arguments
	scale  float64 // errors are in ulp of max(|result|, scale)
}

func one(f func(b *ir.Builder, x ir.Value) ir.Value) func(b *ir.Builder, x, y ir.Value) ir.Value {
	return func(b *ir.Builder, x, y ir.Value) ir.Value { return f(b, x) }
}

func of(f func(float64) float64) func(x, y float64) float64 {
	return func(x, y float64) float64 { return f(x) }
}

func exprel(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Expm1(x) / x
}

func pyMod(x, y float64) float64 {
	m := math.Mod(x, y)
	if m != 0 && (m < 0) != (y < 0) {
		m += y
	}
	return m
}

var functions = []function{
	{name: "div", build: (*ir.Builder).Div, want: func(x, y float64) float64 { return x / y }, lo: -0x1p40, hi: 0x1p40, bound: 3, ylo: -1000, yhi: 1000},
	{name: "div", build: (*ir.Builder).Div, want: func(x, y float64) float64 { return x / y }, lo: -9, hi: 9, bound: 3, ylo: 0x1p-70, yhi: 0x1p-60},
	{name: "div", build: (*ir.Builder).Div, want: func(x, y float64) float64 { return x / y }, lo: 1, hi: 2, bound: 3, ylo: 1, yhi: 2},
	{name: "1/x", build: one(func(b *ir.Builder, x ir.Value) ir.Value { return b.Div(b.F(1), x) }), want: of(func(x float64) float64 { return 1 / x }), lo: 1, hi: 2, bound: 3},
	{name: "x/3", build: one(func(b *ir.Builder, x ir.Value) ir.Value { return b.Div(x, b.F(3)) }), want: of(func(x float64) float64 { return x / 3 }), lo: -100, hi: 100, bound: 3},
	{name: "sqrt", build: one((*ir.Builder).Sqrt), want: of(math.Sqrt), lo: 0, hi: 4, bound: 2},
	{name: "sqrt", build: one((*ir.Builder).Sqrt), want: of(math.Sqrt), lo: 0, hi: 0x1p40, bound: 2},
	{name: "exp", build: one((*ir.Builder).Exp), want: of(math.Exp), lo: -69, hi: 69, bound: 4},
	{name: "exp", build: one((*ir.Builder).Exp), want: of(math.Exp), lo: -2, hi: 2, bound: 4},
	{name: "expm1", build: one((*ir.Builder).Expm1), want: of(math.Expm1), lo: -69, hi: 69, bound: 4},
	{name: "expm1", build: one((*ir.Builder).Expm1), want: of(math.Expm1), lo: -1, hi: 1, bound: 4},
	{name: "exprel", build: one((*ir.Builder).Exprel), want: of(exprel), lo: -69, hi: 69, bound: 4},
	{name: "exprel", build: one((*ir.Builder).Exprel), want: of(exprel), lo: -1, hi: 1, bound: 4},
	{name: "log", build: one((*ir.Builder).Log), want: of(math.Log), lo: 0x1p-30, hi: 4, bound: 4},
	{name: "log", build: one((*ir.Builder).Log), want: of(math.Log), lo: 1, hi: 0x1p40, bound: 4},
	{name: "log10", build: one((*ir.Builder).Log10), want: of(math.Log10), lo: 0x1p-30, hi: 4, bound: 4},
	{name: "log2", build: one((*ir.Builder).Log2), want: of(math.Log2), lo: 0x1p-30, hi: 4, bound: 4},
	{name: "log1p", build: one((*ir.Builder).Log1p), want: of(math.Log1p), lo: -0.999, hi: 3, bound: 4},
	{name: "log1p", build: one((*ir.Builder).Log1p), want: of(math.Log1p), lo: 0, hi: 0x1p40, bound: 4},
	{name: "pow", build: (*ir.Builder).Pow, want: math.Pow, lo: 0x1p-20, hi: 20, bound: 4, ylo: -16, yhi: 16},
	{name: "pow", build: (*ir.Builder).Pow, want: math.Pow, lo: 0, hi: 0x1p20, bound: 4, ylo: 0, yhi: 3},
	{name: "x^3", build: one(func(b *ir.Builder, x ir.Value) ir.Value { return b.PowInt(x, 3) }), want: of(func(x float64) float64 { return x * x * x }), lo: -100, hi: 100, bound: 4},
	{name: "sin", build: one((*ir.Builder).Sin), want: of(math.Sin), lo: -32, hi: 32, bound: 4},
	{name: "sin", build: one((*ir.Builder).Sin), want: of(math.Sin), lo: -0x1p26, hi: 0x1p26, bound: 4},
	{name: "sin", build: one((*ir.Builder).Sin), want: of(math.Sin), lo: -8192, hi: 8192, bound: 4},
	{name: "cos", build: one((*ir.Builder).Cos), want: of(math.Cos), lo: -32, hi: 32, bound: 4},
	{name: "cos", build: one((*ir.Builder).Cos), want: of(math.Cos), lo: -0x1p26, hi: 0x1p26, bound: 4},
	{name: "cos", build: one((*ir.Builder).Cos), want: of(math.Cos), lo: -8192, hi: 8192, bound: 4},
	{name: "tan", build: one((*ir.Builder).Tan), want: of(math.Tan), lo: -32, hi: 32, bound: 4},
	{name: "tan", build: one((*ir.Builder).Tan), want: of(math.Tan), lo: -0x1p26, hi: 0x1p26, bound: 5},
	{name: "tan", build: one((*ir.Builder).Tan), want: of(math.Tan), lo: -8192, hi: 8192, bound: 5},
	{name: "asin", build: one((*ir.Builder).Asin), want: of(math.Asin), lo: -1, hi: 1, bound: 4},
	{name: "acos", build: one((*ir.Builder).Acos), want: of(math.Acos), lo: -1, hi: 1, bound: 4},
	{name: "atan", build: one((*ir.Builder).Atan), want: of(math.Atan), lo: -50, hi: 50, bound: 4},
	{name: "sinh", build: one((*ir.Builder).Sinh), want: of(math.Sinh), lo: -60, hi: 60, bound: 4},
	{name: "cosh", build: one((*ir.Builder).Cosh), want: of(math.Cosh), lo: -60, hi: 60, bound: 4},
	{name: "tanh", build: one((*ir.Builder).Tanh), want: of(math.Tanh), lo: -12, hi: 12, bound: 4},
	{name: "mod", build: (*ir.Builder).Mod, want: pyMod, lo: -1000, hi: 1000, bound: 4, ylo: 1, yhi: 7},
	{name: "floor div", build: (*ir.Builder).FloorDiv, want: func(x, y float64) float64 { return math.Floor(x / y) }, lo: -1000, hi: 1000, bound: 0, ylo: -7, yhi: -1},
	{name: "ceil", build: one((*ir.Builder).Ceil), want: of(math.Ceil), lo: -100, hi: 100, bound: 0},
	{name: "trunc", build: one((*ir.Builder).Trunc), want: of(math.Trunc), lo: -100, hi: 100, bound: 0},
}

// sweep is n points of [lo, hi]: half even, half by magnitude.
func sweep(lo, hi float64, n int) []float32 {
	var x []float32
	h := uint64(1)
	next := func() float64 { h = h*6364136223846793005 + 1442695040888963407; return float64(h>>11) * 0x1p-53 }
	for i := range n {
		x = append(x, float32(lo+(hi-lo)*(float64(i)+next())/float64(n)))
	}
	top := math.Log2(max(math.Abs(lo), math.Abs(hi)))
	low := math.Log2(max(0x1p-40, min(math.Abs(lo), math.Abs(hi))))
	if lo < 0 && hi > 0 {
		low = -40
	}
	for i := range n {
		v := math.Exp2(low + (top-low)*(float64(i)+next())/float64(n))
		for _, s := range []float64{v, -v} {
			if s >= lo && s <= hi {
				x = append(x, float32(s))
			}
		}
	}
	return append(x, float32(lo), float32(hi))
}

func ulps(got float32, want, scale float64) float64 {
	_, e := math.Frexp(max(math.Abs(want), scale, 0x1p-100))
	return math.Abs(float64(got)-want) / math.Ldexp(1, e-24)
}

func TestAccuracy(t *testing.T) {
	t.Logf("%-10s %-28s %-20s %8s %8s %5s %5s", "function", "x", "y", "max ulp", "mean ulp", "ops", "(range known)")
	n := 100000
	if testing.Short() {
		n = 10000
	}
	for _, f := range functions {
		b := ir.NewBuilder(f.name)
		x, y := b.Slot("x", ir.Array, ir.F32), b.Slot("y", ir.Array, ir.F32)
		b.StoreRaw(b.Slot("z", ir.Array, ir.F32), f.build(b, b.Load(x), b.Load(y)))
		p, err := b.Prog()
		if err != nil {
			t.Errorf("%s: %v", f.name, err)
			continue
		}
		k := ir.NewBuilder(f.name)
		x, y = k.Slot("x", ir.Array, ir.F32), k.Slot("y", ir.Array, ir.F32)
		yr := ir.Range{Lo: f.ylo, Hi: f.yhi}
		k.StoreRaw(k.Slot("z", ir.Array, ir.F32), f.build(k, k.LoadRange(x, ir.Range{Lo: f.lo, Hi: f.hi}), k.LoadRange(y, yr)))
		q, err := k.Prog()
		if err != nil {
			t.Errorf("%s: %v", f.name, err)
			continue
		}
		xs := sweep(f.lo, f.hi, n)
		ys := sweep(f.ylo, f.yhi, len(xs))
		mem := make([][]uint32, 3)
		for i, v := range xs {
			if v == 0 {
				v = 0
			}
			w := ys[(i*7919)%len(ys)]
			mem[0] = append(mem[0], math.Float32bits(v))
			mem[1] = append(mem[1], math.Float32bits(w))
			mem[2] = append(mem[2], 0)
		}
		ops := [2]int{}
		worst, sum, at := 0.0, 0.0, 0
		for pass, prog := range []*ir.Prog{p, q} {
			ops[pass] = prog.Cost()
			ir.Eval(prog, &ir.Env{Slots: mem}, 0, len(xs))
			for i := range xs {
				a, c := float64(math.Float32frombits(mem[0][i])), float64(math.Float32frombits(mem[1][i]))
				want := f.want(a, c)
				if math.Abs(want) > 0x1p99 || want != 0 && math.Abs(want) < 0x1p-79 {
					continue
				}
				e := ulps(math.Float32frombits(mem[2][i]), want, f.scale)
				if sum += e; e > worst || e != e {
					worst, at = e, i
				}
			}
		}
		ystring := ""
		if f.yhi != 0 {
			ystring = ir.Interval(f.ylo, f.yhi)
		}
		t.Logf("%-10s %-28s %-20s %8.2f %8.2f %5d %5d", f.name, ir.Interval(f.lo, f.hi), ystring, worst, sum/float64(2*len(xs)), ops[0], ops[1])
		if !(worst <= f.bound) {
			t.Errorf("%s: %.2f ulp at x = %v, y = %v; the bound is %g", f.name, worst, math.Float32frombits(mem[0][at]), math.Float32frombits(mem[1][at]), f.bound)
		}
	}
}
