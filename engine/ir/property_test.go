package ir_test

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"synfire/engine/ir"
	"synfire/engine/ir/irtest"
)

// check looks at every value that lane computes: proper numbers, in their range.
func check(t *rapid.T, p *ir.Prog, r []ir.Range, e *ir.Env, lane int) {
	for n, w := range ir.Trace(p, e, lane) {
		in := &p.Ins[n]
		if !in.Op.Defines() {
			continue
		}
		x := float64(int32(w))
		if in.Type == ir.F32 {
			f := math.Float32frombits(w)
			if !irtest.Proper(f) {
				t.Fatalf("value %d (%s) is %g (%#08x) in\n%s", n, in.Op, f, w, p)
			}
			x = float64(f)
			if r != nil && x != 0 && (math.Abs(x) < r[n].Tiny || r[n].Grain > 0 && math.Mod(x, r[n].Grain) != 0) {
				t.Fatalf("value %d (%s) is %g (%b), not of magnitude %g or no multiple of %g in\n%s", n, in.Op, f, f, r[n].Tiny, r[n].Grain, p)
			}
		}
		if r != nil && (x < r[n].Lo || x > r[n].Hi) {
			t.Fatalf("value %d (%s) is %v, outside [%v, %v] in\n%s", n, in.Op, x, r[n].Lo, r[n].Hi, p)
		}
	}
}

// No path, chosen or not, makes a subnormal, -0, infinity or NaN, and what the
// builder claims about each value holds (rules 3 and 4).
func TestEveryValueIsProper(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := ir.NewBuilder("proper")
		irtest.Fill(t, b, irtest.Options{Scatter: true, Phases: 2})
		if err := b.Err(); err != nil {
			t.Fatal(err)
		}
		p, r := b.Unoptimised()
		e := irtest.RandomEnv(t, p, 8)
		for lane := range 8 {
			check(t, p, r, e, lane)
		}
	})
}

// Each expansion on the state's whole range, its result fed to another.
func TestExpansionsAreProper(t *testing.T) {
	list := irtest.Functions()
	rapid.Check(t, func(t *rapid.T) {
		b := ir.NewBuilder("proper")
		x, y := b.Load(b.Slot("x", ir.Array, ir.F32)), b.Load(b.Slot("y", ir.Array, ir.F32))
		f := rapid.IntRange(0, len(list)-1).Draw(t, "f")
		v := list[f](b, x, y)
		switch rapid.IntRange(0, 4).Draw(t, "then") {
		case 0:
			v = list[rapid.IntRange(0, len(list)-1).Draw(t, "g")](b, v, y)
		case 1:
			v = b.Div(v, b.Sub(v, x))
		case 2:
			v = b.Div(x, v)
		case 3:
			v = b.Mul(b.Mul(v, v), b.Mul(v, v))
		}
		b.Store(b.Slot("z", ir.Array, ir.F32), v)
		if err := b.Err(); err != nil {
			t.Fatal(err)
		}
		p, r := b.Unoptimised()
		e := irtest.RandomEnv(t, p, 64)
		for lane := range 64 {
			check(t, p, r, e, lane)
		}
	})
}

// The optimiser keeps every effect.
func TestOptimiseKeepsBits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := ir.NewBuilder("random")
		irtest.Fill(t, b, irtest.Options{Scatter: true, Phases: 1})
		p, _ := b.Unoptimised()
		q := ir.Optimise(p)
		if err := q.Verify(); err != nil {
			t.Fatal(err)
		}
		same(t, p, q, irtest.RandomEnv(t, p, 40), nil)
	})
}

// same runs p and q on copies of e and compares memory and traps.
func same(t *rapid.T, p, q *ir.Prog, e *ir.Env, after func(*ir.Env)) {
	f := irtest.CloneEnv(e)
	ir.Eval(p, e, 0, 40)
	if after != nil {
		after(e)
	}
	ir.Eval(q, f, 0, 40)
	for s := range e.Slots {
		if !slices.Equal(e.Slots[s], f.Slots[s]) {
			t.Fatalf("slot %d (%q) differs\n%s\n%s", s, p.Slots[s].Name, p, q)
		}
	}
	if !slices.Equal(e.Traps, f.Traps) {
		t.Fatalf("traps %v became %v\n%s\n%s", e.Traps, f.Traps, p, q)
	}
}

// Fused programs equal their parts one after the other, the second a step later.
func TestConcatKeepsBits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := irtest.RandomProg(t, irtest.Options{Phases: 1, Ops: 15})
		q := irtest.RandomProg(t, irtest.Options{Phases: 1, Ops: 15})
		ident := make([]uint32, len(p.Slots))
		for i := range ident {
			ident[i] = uint32(i)
		}
		c, err := ir.Concat("fused", ir.Part{Prog: p, Slots: ident}, ir.Part{Prog: q, Phase: 1, Slots: ident})
		if err != nil {
			t.Fatal(err)
		}
		e := irtest.RandomEnv(t, p, 40)
		f := irtest.CloneEnv(e)
		ir.Eval(p, e, 0, 40)
		e.Step++
		e.Host = e.Host[e.HostN:]
		second := make([]uint32, q.Traps)
		for i := range second {
			second[i] = ir.NoTrap
		}
		first := e.Traps
		e.Traps = second
		ir.Eval(q, e, 0, 40)
		f.Traps = slices.Repeat([]uint32{ir.NoTrap}, c.Traps)
		ir.Eval(c, f, 0, 40)
		for s := range e.Slots {
			if !slices.Equal(e.Slots[s], f.Slots[s]) {
				t.Fatalf("slot %d differs\n%s\n%s\n%s", s, p, q, c)
			}
		}
		if !slices.Equal(append(first, second...), f.Traps) {
			t.Fatalf("traps %v %v became %v", first, second, f.Traps)
		}
	})
}
