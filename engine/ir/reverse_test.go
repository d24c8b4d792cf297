package ir

import (
	"math"
	"testing"
)

// gradient runs p backwards over lanes: the derivatives of the sum of out with
// respect to the words of its other slots.
func gradient(t *testing.T, p *Prog, slots [][]uint32, n int, surrogate func(float64) float64) [][]float64 {
	t.Helper()
	varies := make([]bool, len(p.Slots))
	d := &Derivatives{Surrogate: surrogate}
	for k, s := range p.Slots {
		varies[k] = s.Type == F32 && s.Name != "out"
		d.Slots = append(d.Slots, make([]float64, max(n, len(slots[k]))))
		if s.Name == "out" {
			for i := range n {
				d.Slots[k][i] = 1
			}
		}
	}
	r, err := NewReverse(p, varies)
	if err != nil {
		t.Fatal(err)
	}
	e := &Env{Slots: append([][]uint32{}, slots...)}
	var tape [][]uint32
	for range r.Columns {
		tape = append(tape, make([]uint32, n))
	}
	e.Slots = append(e.Slots, tape...)
	Eval(r.Tape, e, 0, n)
	r.Lanes(tape, n, d, &Scratch{})
	return d.Slots
}

// TestReverseFunctions holds the derivatives of all functions against closed forms.
func TestReverseFunctions(t *testing.T) {
	for _, c := range []struct {
		name   string
		lo, hi float64
		f      func(b *Builder, x Value) Value
		df     func(x float64) float64
	}{
		{"exp", -20, 20, (*Builder).Exp, math.Exp},
		{"expm1", -10, 10, (*Builder).Expm1, math.Exp},
		{"log", 0.01, 100, (*Builder).Log, func(x float64) float64 { return 1 / x }},
		{"log10", 0.01, 100, (*Builder).Log10, func(x float64) float64 { return 1 / (x * math.Ln10) }},
		{"log1p", -0.9, 100, (*Builder).Log1p, func(x float64) float64 { return 1 / (1 + x) }},
		{"sqrt", 0.01, 100, (*Builder).Sqrt, func(x float64) float64 { return 0.5 / math.Sqrt(x) }},
		{"reciprocal", 0.01, 100, func(b *Builder, x Value) Value { return b.Div(b.F(1), x) }, func(x float64) float64 { return -1 / (x * x) }},
		{"sin", -30, 30, (*Builder).Sin, math.Cos},
		{"cos", -30, 30, (*Builder).Cos, func(x float64) float64 { return -math.Sin(x) }},
		{"tan", -1.4, 1.4, (*Builder).Tan, func(x float64) float64 { return 1 / (math.Cos(x) * math.Cos(x)) }},
		{"asin", -0.95, 0.95, (*Builder).Asin, func(x float64) float64 { return 1 / math.Sqrt(1-x*x) }},
		{"acos", -0.95, 0.95, (*Builder).Acos, func(x float64) float64 { return -1 / math.Sqrt(1-x*x) }},
		{"atan", -10, 10, (*Builder).Atan, func(x float64) float64 { return 1 / (1 + x*x) }},
		{"sinh", -8, 8, (*Builder).Sinh, math.Cosh},
		{"cosh", -8, 8, (*Builder).Cosh, math.Sinh},
		{"tanh", -5, 5, (*Builder).Tanh, func(x float64) float64 { return 1 / (math.Cosh(x) * math.Cosh(x)) }},
		{"exprel", 0.5, 8, (*Builder).Exprel, func(x float64) float64 { return (math.Exp(x)*(x-1) + 1) / (x * x) }},
		{"x^3", -5, 5, func(b *Builder, x Value) Value { return b.Pow(x, b.F(3)) }, func(x float64) float64 { return 3 * x * x }},
		{"x^2.5", 0.1, 10, func(b *Builder, x Value) Value { return b.Pow(x, b.F(2.5)) }, func(x float64) float64 { return 2.5 * math.Pow(x, 1.5) }},
		{"2^x", -5, 5, func(b *Builder, x Value) Value { return b.Pow(b.F(2), x) }, func(x float64) float64 { return math.Ln2 * math.Pow(2, x) }},
		{"abs", -5, 5, (*Builder).Abs, func(x float64) float64 { return math.Copysign(1, x) }},
		{"floor", -5, 5, (*Builder).Floor, func(float64) float64 { return 0 }},
		{"clip", -5, 5, func(b *Builder, x Value) Value { return b.Clip(x, b.F(-1), b.F(2)) }, func(x float64) float64 {
			if x > -1 && x < 2 {
				return 1
			}
			return 0
		}},
		{"fixed 32", -5, 5, func(b *Builder, x Value) Value { return b.Unfix32(b.Fix32(x, 0x1p20, 8, -1), 0x1p20) }, func(float64) float64 { return 1 }},
		{"fixed 64", -5, 5, func(b *Builder, x Value) Value {
			lo, hi := b.Fix64(x, 0x1p30, 0x1p30, -1)
			return b.Unfix64(lo, hi, 0x1p30)
		}, func(float64) float64 { return 1 }},
	} {
		const n = 1000
		b := NewBuilder(c.name)
		in, out := b.Slot("x", Array, F32), b.Slot("out", Array, F32)
		b.StoreRaw(out, c.f(b, b.LoadRange(in, Range{Lo: -200, Hi: 200})))
		p, err := b.Prog()
		if err != nil {
			t.Fatal(err)
		}
		x := make([]uint32, n)
		for k := range x {
			x[k] = math.Float32bits(float32(c.lo + (c.hi-c.lo)*(float64(k)+0.37)/n))
		}
		g := gradient(t, p, [][]uint32{x, make([]uint32, n)}, n, nil)[in]
		worst, at := 0.0, 0.0
		for k := range x {
			at64 := float64(math.Float32frombits(x[k]))
			want := c.df(at64)
			if e := math.Abs(g[k]-want) / (0.01 + math.Abs(want)); e > worst {
				worst, at = e, at64
			}
		}
		if worst > 5e-4 {
			t.Errorf("%s: the derivative is off by %.2g of itself at %g", c.name, worst, at)
		} else {
			t.Logf("%s: within %.2g", c.name, worst)
		}
	}
}

// TestReverseEvents: thresholds hand on the surrogate, resets what they took away,
// conditions of the model nothing.
func TestReverseEvents(t *testing.T) {
	b := NewBuilder("events")
	v, out, mask := b.Slot("v", Array, F32), b.Slot("out", Array, F32), b.Slot("events", Mask, Bool)
	spike := b.AndB(b.Lt(b.F(1), b.Load(v)), b.B(true))
	b.StoreBit(mask, spike)
	b.Store(out, b.Sel(b.Lt(b.F(0.5), b.Load(v)), b.Mul(b.Load(v), b.F(3)), b.F(2)))
	p, err := b.Prog()
	if err != nil {
		t.Fatal(err)
	}
	f := func(x float32) uint32 { return math.Float32bits(x) }
	words := []uint32{f(0.25), f(0.75), f(1.5)}
	varies := []bool{true, false, false}
	r, err := NewReverse(p, varies)
	if err != nil {
		t.Fatal(err)
	}
	var tape [][]uint32
	for range r.Columns {
		tape = append(tape, make([]uint32, 3))
	}
	Eval(r.Tape, &Env{Slots: append([][]uint32{words, make([]uint32, 3), {0}}, tape...)}, 0, 3)
	d := &Derivatives{Slots: [][]float64{{0, 0, 0}, {1, 1, 1}, {10, 100, 1000}}, Surrogate: func(x float64) float64 { return 2 + x }}
	r.Lanes(tape, 3, d, &Scratch{})
	for k, want := range []float64{10 * 1.25, 3 + 100*1.75, 3 + 1000*2.5} {
		if got := d.Slots[0][k]; math.Abs(got-want) > 1e-9 {
			t.Errorf("lane %d: %g, expected %g", k, got, want)
		}
		if d.Slots[1][k] != 0 || d.Slots[2][k] != 0 {
			t.Errorf("lane %d: what was stored had no other value before", k)
		}
	}
}
