package ir_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"synfire/engine/ir"
)

// run evaluates f on words (slot in, any type) and returns the words it stores.
func run(t testing.TB, in ir.Type, words []uint32, out ir.Type, f func(b *ir.Builder, x ir.Value) ir.Value) ([]uint32, *ir.Prog) {
	t.Helper()
	b := ir.NewBuilder("test")
	x := b.Load(b.Slot("x", ir.Array, in))
	b.StoreRaw(b.Slot("z", ir.Array, out), f(b, x))
	p, err := b.Prog()
	if err != nil {
		t.Fatal(err)
	}
	z := make([]uint32, len(words))
	e := &ir.Env{Slots: [][]uint32{words, z}, Traps: []uint32{ir.NoTrap, ir.NoTrap}}
	ir.Eval(p, e, 0, len(words))
	return z, p
}

// deviate is the normal number of a word in float64: Newton's method on erfc.
func deviate(w uint32) float64 {
	two := float64(w&0x7fffffff|1) / 0x1p31
	z := math.Sqrt2 * math.Erfinv(1-two)
	if two < 1e-3 {
		z = math.Sqrt(-2 * math.Log(two))
	}
	for range 50 {
		d := (math.Erfc(z/math.Sqrt2) - two) / (math.Sqrt(2/math.Pi) * math.Exp(-z*z/2))
		z += d
		if math.Abs(d) < 1e-14*z {
			break
		}
	}
	if w>>31 == 0 {
		return -z
	}
	return z
}

func TestNormal(t *testing.T) {
	var words []uint32
	for i := range uint32(60000) {
		words = append(words, i*71582+i>>3)
	}
	for i := range uint32(32) {
		for _, d := range []uint32{0, 1, 2, 3, 5, 0x80000000} {
			words = append(words, 1<<i+d, 1<<i-d, ^(1<<i)+d, uint32(d))
		}
	}
	z, p := run(t, ir.U32, words, ir.F32, func(b *ir.Builder, x ir.Value) ir.Value { return b.Normal(x) })
	worst, near, sum, squares := 0.0, 0.0, 0.0, 0.0
	for i, w := range words {
		got, want := math.Float32frombits(z[i]), deviate(w)
		if i < 60000 {
			sum += float64(got)
			squares += float64(got) * float64(got)
		}
		if math.Abs(want) >= 0.5 {
			worst = max(worst, ulps(got, want, 0))
		} else {
			near = max(near, math.Abs(float64(got)-want))
		}
	}
	t.Logf("normal: %.2f ulp above 1/2, error %.3g = 2^%.1f below, %d operations, mean %.5f, variance %.5f",
		worst, near, math.Log2(near), p.Cost(), sum/60000, squares/60000)
	if worst > 4 || near > 0x1p-22 {
		t.Errorf("normal: %.2f ulp above 1/2 (bound 4), error %.3g below (bound 2^-22)", worst, near)
	}
	if m, v := sum/60000, squares/60000; math.Abs(m) > 1e-3 || math.Abs(v-1) > 2e-3 {
		t.Errorf("evenly spread words give mean %v and variance %v", m, v)
	}
}

// TestUnit: rand() is never 0 or 1, ascends with its word, and is below a small p
// as often as it should be.
func TestUnit(t *testing.T) {
	b := ir.NewBuilder("unit")
	w, m := b.Load(b.Slot("w", ir.Array, ir.U32)), b.Load(b.Slot("m", ir.Array, ir.U32))
	b.StoreRaw(b.Slot("z", ir.Array, ir.F32), b.Unit(w, m))
	p, err := b.Prog()
	if err != nil {
		t.Fatal(err)
	}
	unit := func(w, m uint32) float64 {
		e := &ir.Env{Slots: [][]uint32{{w}, {m}, {0}}}
		ir.Eval(p, e, 0, 1)
		return float64(math.Float32frombits(e.Slots[2][0]))
	}
	last := 0.0
	for _, w := range []uint32{0, 1, 2, 100, 1<<23 - 1, 1 << 23, 1<<24 - 1, 1 << 24, 1<<24 + 256, 1 << 31, 1<<32 - 1} {
		for _, m := range []uint32{0, 1 << 20, 1 << 31, 1<<32 - 1} {
			z := unit(w, m)
			if z < last || z <= 0 || z >= 1 || math.Abs(z-float64(w)*0x1p-32) > max(0x1p-31, 0x1p-24*float64(w>>24|1)) {
				t.Errorf("the number of word %#x, %#x is %g, after %g", w, m, z, last)
			}
			last = z
		}
	}
	for _, p := range []float64{1e-9, 3e-10, 1e-10, 2e-12} {
		const n = 20000
		hits := 0
		for k := range uint32(n) {
			for w := range uint32(6) {
				if unit(w, k*(1<<32/n)) < p {
					hits++
				}
			}
		}
		if got := float64(hits) / n * 0x1p-32; math.Abs(got-p) > p*0.01+0x1p-32/n {
			t.Errorf("below %g with probability %g", p, got)
		}
	}
}

func TestThresholds(t *testing.T) {
	words := []uint32{0, 1, 0x3fffffff, 0x40000000, 0x7fffffff, 0x80000000, 0xbfffffff, 0xc0000000, 0xffffffff}
	z, _ := run(t, ir.U32, words, ir.I32, func(b *ir.Builder, x ir.Value) ir.Value {
		return b.CountTable(x, []float64{0, 0.25, 0.5, 0.5, 0.75, 1, 1})
	})
	for i, want := range []uint32{1, 1, 1, 2, 2, 4, 4, 5, 5} {
		if z[i] != want {
			t.Errorf("count of %#x is %d, want %d", words[i], z[i], want)
		}
	}
	for _, c := range []struct {
		p    float64
		want int
	}{{0, 0}, {-1, 0}, {0.25, 3}, {0.5, 5}, {1, 9}, {2, 9}} {
		z, _ := run(t, ir.U32, words, ir.I32, func(b *ir.Builder, x ir.Value) ir.Value {
			return b.Sel(b.Below(x, c.p), b.I(1), b.I(0))
		})
		n := 0
		for _, v := range z {
			n += int(v)
		}
		if n != c.want {
			t.Errorf("%d words below probability %v, want %d", n, c.p, c.want)
		}
	}
}

// TestCountRare: counts of small probability come as often as they should, though a
// word tells one in 2^32.
func TestCountRare(t *testing.T) {
	for _, p := range []float64{1e-9, 2.5e-10, 1e-12} {
		b := ir.NewBuilder("rare")
		word, more := b.Load(b.Slot("w", ir.Array, ir.U32)), b.Load(b.Slot("m", ir.Array, ir.U32))
		b.StoreRaw(b.Slot("n", ir.Array, ir.I32), b.CountRare(word, more, []float64{p, p / 16, p / 1e6}))
		prog, err := b.Prog()
		if err != nil {
			t.Fatal(err)
		}
		const each, n = 50000, 6 * 50000
		e := &ir.Env{Slots: [][]uint32{make([]uint32, n), make([]uint32, n), make([]uint32, n)}}
		for k := range n {
			e.Slots[0][k], e.Slots[1][k] = uint32(k%6), uint32(k/6)*(1<<32/each)
		}
		ir.Eval(prog, e, 0, n)
		once, twice := 0, 0
		for _, c := range e.Slots[2] {
			if c >= 1 {
				once++
			}
			if c >= 2 {
				twice++
			}
		}
		for _, c := range []struct {
			got  int
			want float64
		}{{once, p}, {twice, p / 16}} {
			if got := float64(c.got) / each * 0x1p-32; math.Abs(got-c.want) > 0.01*c.want+0x1p-32/each {
				t.Errorf("a count of probability %g comes with %g", c.want, got)
			}
		}
	}
}

func TestPoisson(t *testing.T) {
	for _, mean := range []float64{0, 0.01, 1, 9.9, 10.1, 300} {
		b := ir.NewBuilder("poisson")
		l := b.Load(b.Slot("l", ir.Array, ir.F32))
		b.Store(b.Slot("n", ir.Array, ir.F32), b.Poisson(l, func(d uint32) ir.Value { return b.Rand(b.Lane(), 5, d) }, b.More(b.Lane(), 5, 2)))
		p, err := b.Prog()
		if err != nil {
			t.Fatal(err)
		}
		const n = 40000
		e := &ir.Env{Slots: [][]uint32{make([]uint32, n), make([]uint32, n)}, Seed: [2]uint32{1, 2}}
		for i := range n {
			e.Slots[0][i] = math.Float32bits(float32(mean))
		}
		ir.Eval(p, e, 0, n)
		sum, squares := 0.0, 0.0
		for _, w := range e.Slots[1] {
			x := float64(math.Float32frombits(w))
			if x < 0 || x != math.Floor(x) {
				t.Fatalf("a count of %v", x)
			}
			sum += x
			squares += (x - mean) * (x - mean)
		}
		// Four standard errors of mean and variance.
		m, v := sum/n, squares/n
		se, sv := math.Sqrt(mean/n), math.Sqrt((2*mean*mean+mean)/n)
		if math.Abs(m-mean) > 4*se || math.Abs(v-mean) > 4*sv+0.1*min(1, mean/10) {
			t.Errorf("mean %v: got mean %v, variance %v", mean, m, v)
		}
	}
}

// fixed is floor(x*scale + 1/2): both products and sums are exact in float64 up
// to 2^52, beyond which x*scale is whole.
func fixed(x float32, scale float64) int64 {
	v := float64(x) * scale
	if math.Abs(v) > 0x1p51 {
		return int64(v)
	}
	f := math.Floor(v)
	if v-f >= 0.5 {
		f++
	}
	return int64(f)
}

func TestFixedPoint(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		e := rapid.IntRange(-20, 60).Draw(rt, "scale")
		scale := math.Ldexp(1, e)
		x := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) float32 {
			m := math.Ldexp(float64(rapid.IntRange(-1<<24, 1<<24).Draw(rt, "mantissa")), rapid.IntRange(-50, 39).Draw(rt, "exponent")-e-24)
			return ir.CanonF(float32(m))
		}), 20, 20).Draw(rt, "x")
		words := make([]uint32, len(x))
		for i := range x {
			words[i] = math.Float32bits(x[i])
		}
		bound := math.Min(0x1p40, math.Ldexp(1, 40-e))
		lo, _ := run(t, ir.F32, words, ir.U32, func(b *ir.Builder, v ir.Value) ir.Value {
			l, _ := b.Fix64(v, scale, bound, 0)
			return l
		})
		hi, _ := run(t, ir.F32, words, ir.U32, func(b *ir.Builder, v ir.Value) ir.Value {
			_, h := b.Fix64(v, scale, bound, 0)
			return h
		})
		small := math.Min(0x1p40, math.Ldexp(1, 30-e))
		one, _ := run(t, ir.F32, words, ir.I32, func(b *ir.Builder, v ir.Value) ir.Value { return b.Fix32(v, scale, small, 0) })
		for i, v := range x {
			c := float32(max(-bound, min(bound, float64(v))))
			if got, want := int64(uint64(hi[i])<<32|uint64(lo[i])), fixed(c, scale); got != want {
				rt.Fatalf("Fix64(%b, 2^%d) = %d, want %d", v, e, got, want)
			}
			c = float32(max(-small, min(small, float64(v))))
			if got, want := int64(int32(one[i])), fixed(c, scale); got != want {
				rt.Fatalf("Fix32(%b, 2^%d) = %d, want %d", v, e, got, want)
			}
		}
	})
}

func TestUnfix(t *testing.T) {
	for _, v := range []int64{0, 1, -1, 5, -1 << 31, 1<<31 - 1, -1 << 32, 1<<32 + 1, -(1<<32 + 12345), 1 << 61, -(1<<61 - 1), 0x123456789abcdef, 1<<24 + 1} {
		b := ir.NewBuilder("unfix")
		lo, hi := b.Load(b.Slot("lo", ir.Array, ir.U32)), b.Load(b.Slot("hi", ir.Array, ir.U32))
		b.StoreRaw(b.Slot("z", ir.Array, ir.F32), b.Unfix64(lo, hi, 0x1p30))
		p, err := b.Prog()
		if err != nil {
			t.Fatal(err)
		}
		e := &ir.Env{Slots: [][]uint32{{uint32(v)}, {uint32(v >> 32)}, {0}}}
		ir.Eval(p, e, 0, 1)
		if got, want := math.Float32frombits(e.Slots[2][0]), float64(v)/0x1p30; ulps(got, want, 0) > 2 {
			t.Errorf("Unfix64(%d) = %v, want %v", v, got, want)
		}
	}
}

// A time constant of 10,000 s at 0.1 ms steps: one word never moves, two words
// leave e^-1 after one time constant (rule 10). Here a million steps stand for
// it, at a coefficient of the same size.
func TestTwoWordsDecay(t *testing.T) {
	b := ir.NewBuilder("slow")
	h, l := b.Slot("x", ir.Array, ir.F32), b.Slot("x#lo", ir.Array, ir.F32)
	hi, lo := b.Load(h), b.Load(l)
	hi2, lo2 := b.AddTwo(hi, lo, b.Mul(hi, b.F(-1e-8)))
	b.Store(h, hi2)
	b.Store(l, lo2)
	p, err := b.Prog()
	if err != nil {
		t.Fatal(err)
	}
	e := &ir.Env{Slots: [][]uint32{{math.Float32bits(1)}, {0}}}
	const steps = 1000000
	for range steps {
		ir.Eval(p, e, 0, 1)
	}
	got := float64(math.Float32frombits(e.Slots[0][0])) + float64(math.Float32frombits(e.Slots[1][0]))
	want := math.Exp(-1e-8 * steps)
	t.Logf("after %d steps: %.9f, exactly %.9f; %d operations", steps, got, want, p.Cost())
	if math.Abs(got-want) > 1e-8 {
		t.Errorf("%v, want %v", got, want)
	}
}
