package ir_test

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"synfire/engine/ir"
)

func TestVerifyRefuses(t *testing.T) {
	slots := []ir.Slot{{Name: "x", Kind: ir.Array, Type: ir.F32}, {Name: "w", Kind: ir.Table, Type: ir.F32}, {Name: "m", Kind: ir.Mask, Type: ir.Bool}}
	lane := ir.Instr{Op: ir.Lane, Type: ir.I32}
	load := ir.Instr{Op: ir.Load, Type: ir.F32}
	step := ir.Instr{Op: ir.Step, Type: ir.I32}
	for _, c := range []struct {
		want string
		ins  []ir.Instr
	}{
		{"expected an earlier one", []ir.Instr{{Op: ir.NegF, Type: ir.F32, A: 0}}},
		{"expected an earlier one", []ir.Instr{load, {Op: ir.AddF, Type: ir.F32, A: 0, B: ir.None}}},
		{"has no value", []ir.Instr{load, {Op: ir.Store, Type: ir.F32, A: 0}, {Op: ir.NegF, Type: ir.F32, A: 1}}},
		{"operand 2 is i32", []ir.Instr{load, lane, {Op: ir.AddF, Type: ir.F32, A: 0, B: 1}}},
		{"cannot be f32", []ir.Instr{lane, {Op: ir.AddI, Type: ir.F32, A: 0, B: 0}}},
		{"expected array", []ir.Instr{{Op: ir.Load, Type: ir.F32, Imm: 1}}},
		{"expected mask", []ir.Instr{{Op: ir.Bit, Type: ir.Bool, Imm: 0}}},
		{"slot 7 of 3", []ir.Instr{{Op: ir.Load, Type: ir.F32, Imm: 7}}},
		{"holds f32", []ir.Instr{{Op: ir.Load, Type: ir.I32, Imm: 0}}},
		{"trap code 1", []ir.Instr{{Op: ir.Bit, Type: ir.Bool, Imm: 2}, {Op: ir.Trap, Type: ir.Bool, A: 0, Imm: 1}}},
		{"truth value", []ir.Instr{{Op: ir.Const, Type: ir.Bool, Imm: 2}}},
		{"unknown operation", []ir.Instr{{Op: 200}}},
		{"put at two indices", []ir.Instr{lane, step, load, {Op: ir.Put, Type: ir.F32, A: 0, B: 2, Imm: 1}, {Op: ir.Put, Type: ir.F32, A: 1, B: 2, Imm: 1}}},
		{"gathered only before", []ir.Instr{lane, step, {Op: ir.Gather, Type: ir.F32, A: 1, Imm: 1}, {Op: ir.Put, Type: ir.F32, A: 0, B: 2, Imm: 1}}},
		{"gathered only before", []ir.Instr{lane, load, {Op: ir.Put, Type: ir.F32, A: 0, B: 1, Imm: 1}, {Op: ir.Gather, Type: ir.F32, A: 0, Imm: 1}}},
	} {
		p := &ir.Prog{Name: "bad", Slots: slots, Ins: c.ins, Traps: 1}
		if err := p.Verify(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got %v, want %q in it", c.ins, err, c.want)
		}
	}
}

// A builder's mistakes are errors, never panics.
func TestBuilderKeepsItsFirstMistake(t *testing.T) {
	b := ir.NewBuilder("bad")
	x := b.Load(b.Slot("x", ir.Array, ir.F32))
	b.Store(99, b.Exp(b.Add(x, b.Lane())))
	b.Store(b.Slot("x", ir.Mask, ir.Bool), ir.Value(1000))
	b.Sel(x, x, ir.None)
	b.Fix32(x, 3, 1, 0)
	b.CountTable(x, []float64{0.5, 0.1})
	if _, err := b.Prog(); err == nil || !strings.Contains(err.Error(), "addf: operand 2 is i32") {
		t.Errorf("got %v", err)
	}
}

func TestListing(t *testing.T) {
	b := ir.NewBuilder("decay")
	x := b.Slot("x", ir.Array, ir.F32)
	v := b.Mul(b.Load(x), b.F(-0.5))
	b.Store(x, v)
	b.Trap(b.Lt(v, b.F(0)), 0)
	p, err := b.Prog()
	if err != nil {
		t.Fatal(err)
	}
	const want = `program "decay", 1 traps
slot 0 "x" array f32
0 f32 = load "x"
1 f32 = const 0x3f000000 0.5
2 f32 = mulf 0 1
3 f32 = negf 2
4 f32 = canon 3
store 4 "x"
6 f32 = const 0x00000000 0
7 bool = ltf 3 6
trap 7 code 0
`
	if got := p.String(); got != want {
		t.Errorf("got\n%s", got)
	}
}

// A fused step hands its value on: one load, one store, both traps.
func TestConcatForwards(t *testing.T) {
	b := ir.NewBuilder("step")
	x := b.Slot("x", ir.Array, ir.F32)
	v := b.Canon(b.Add(b.Load(x), b.F(1)))
	b.Store(x, v)
	b.LimitTrap(v, 0)
	p, err := b.Prog()
	if err != nil {
		t.Fatal(err)
	}
	c, err := ir.Concat("two", ir.Part{Prog: p, Slots: []uint32{0}}, ir.Part{Prog: p, Phase: 1, Slots: []uint32{0}})
	if err != nil {
		t.Fatal(err)
	}
	count := map[ir.Op]int{}
	for _, in := range c.Ins {
		count[in.Op]++
	}
	if count[ir.Load] != 1 || count[ir.Store] != 1 || count[ir.Trap] != 2 || count[ir.AddF] != 2 || c.Traps != 2 {
		t.Errorf("loads, stores, traps, sums: %v in\n%s", count, c)
	}
}

func TestIntegerDivision(t *testing.T) {
	b := ir.NewBuilder("divmod")
	x, y := b.Load(b.Slot("x", ir.Array, ir.I32)), b.Load(b.Slot("y", ir.Array, ir.I32))
	b.Store(b.Slot("q", ir.Array, ir.I32), b.DivI(x, y))
	b.Store(b.Slot("m", ir.Array, ir.I32), b.ModI(x, y))
	p, err := b.Prog()
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		edges := []int32{0, 1, -1, 2, -2, 3, 7, 10, math.MaxInt32, -math.MaxInt32, 1 << 24, 1<<24 + 1, 65536, 1 << 30}
		any := rapid.OneOf(rapid.SampledFrom(edges), rapid.Int32Range(-math.MaxInt32, math.MaxInt32), rapid.Int32Range(-1000, 1000))
		a, d := any.Draw(t, "a"), any.Draw(t, "d")
		e := &ir.Env{Slots: [][]uint32{{uint32(a)}, {uint32(d)}, {9}, {9}}}
		ir.Eval(p, e, 0, 1)
		var q, m int64
		if d != 0 {
			q = int64(math.Floor(float64(a) / float64(d)))
			m = int64(a) - q*int64(d)
		}
		if int64(int32(e.Slots[2][0])) != q || int64(int32(e.Slots[3][0])) != m {
			t.Fatalf("%d divmod %d = %d, %d; want %d, %d", a, d, int32(e.Slots[2][0]), int32(e.Slots[3][0]), q, m)
		}
	})
}
