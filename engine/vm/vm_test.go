package vm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"synfire/engine/ir"
	"synfire/engine/philox"
)

// text lists a program, for failures.
func text(p *ir.Prog) string {
	var b strings.Builder
	for n := range p.Ins {
		in := &p.Ins[n]
		fmt.Fprintf(&b, "%3d %v %v %v imm=%#x aux=%d phase=%d\n", n, in.Op, in.Type, in.Operands(), in.Imm, in.Aux, in.Phase)
	}
	return b.String()
}

// differ says where memory parts after want and got ran, "" if nowhere.
func differ(p *ir.Prog, want, got *ir.Env) string {
	for k := range want.Slots {
		for i, w := range want.Slots[k] {
			if g := got.Slots[k][i]; g != w {
				return fmt.Sprintf("slot %s word %d: got %#08x (%g), want %#08x (%g)", p.Slots[k].Name, i,
					g, math.Float32frombits(g), w, math.Float32frombits(w))
			}
		}
	}
	if !slices.Equal(want.Traps, got.Traps) {
		return fmt.Sprintf("traps: got %d, want %d", got.Traps, want.Traps)
	}
	return ""
}

// compare runs p in every mode and by ir.Eval on the same memory.
func compare(t *testing.T, p *ir.Prog, e *ir.Env, lo, hi int) {
	t.Helper()
	want := cloneEnv(e)
	ir.Eval(p, want, lo, hi)
	for _, m := range Modes() {
		c, err := CompileMode(p, m)
		if err != nil {
			t.Fatal(err)
		}
		got := cloneEnv(e)
		c.Run(got, lo, hi)
		if d := differ(p, want, got); d != "" {
			t.Fatalf("%v, lanes %d to %d: %s\n%s%s", m, lo, hi, d, c.Listing(), text(p))
		}
	}
}

var sizes = []int{0, 1, 5, 15, 16, 17, 31, 32, 33, 64, 100, 1023, 1024, 1025, 2100}

func TestRandomPrograms(t *testing.T) {
	programs := 600
	if testing.Short() {
		programs = 100
	}
	for seed := range uint64(programs) {
		checkSeed(t, seed)
		if t.Failed() {
			return
		}
	}
}

func checkSeed(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 1))
	p := randomProg(r, []int{12, 40, 150, 400}[r.IntN(4)])
	lo, n := 32*r.IntN(3), sizes[r.IntN(len(sizes))]
	defer func() {
		if x := recover(); x != nil {
			t.Fatalf("seed %d: %v\n%s", seed, x, text(p))
		}
	}()
	compare(t, p, newEnv(r, lo+n), lo, lo+n)
	if t.Failed() {
		t.Logf("seed %d", seed)
	}
}

func FuzzRandomPrograms(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) { checkSeed(t, seed) })
}

// TestOperations runs every pure operation on all pairs of edge values.
func TestOperations(t *testing.T) {
	for op := ir.AddF; op <= ir.Sel; op++ {
		var p ir.Prog
		p.Name = op.String()
		boolean := op == ir.AndB || op == ir.OrB || op == ir.NotB
		values := slices.Clone(edgeInts)
		typ := ir.U32
		switch op {
		case ir.AddF, ir.SubF, ir.MulF, ir.MulZ, ir.NegF, ir.AbsF, ir.FloorF, ir.LtF, ir.LeF, ir.EqF, ir.Canon, ir.F2I:
			values = append([]uint32{1 << 31}, floatWords()...)
			typ = ir.F32
		}
		if boolean {
			values, typ = []uint32{0, 1}, ir.Bool
		}
		result := typ
		switch op {
		case ir.LtF, ir.LeF, ir.EqF, ir.LtI, ir.LtU, ir.EqI:
			result = ir.Bool
		case ir.F2I:
			result = ir.I32
		case ir.I2F, ir.Float:
			result = ir.F32
		case ir.Bits:
			typ, result = ir.F32, ir.U32
		}
		p.Slots = []ir.Slot{{Name: "a", Kind: ir.Array, Type: typ}, {Name: "b", Kind: ir.Array, Type: typ},
			{Name: "d", Kind: ir.Array, Type: result}, {Name: "c", Kind: ir.Array, Type: ir.Bool}}
		p.Ins = []ir.Instr{{Op: ir.Load, Type: typ, A: -1, B: -1, C: -1, Imm: 0}, {Op: ir.Load, Type: typ, A: -1, B: -1, C: -1, Imm: 1},
			{Op: ir.Load, Type: ir.Bool, A: -1, B: -1, C: -1, Imm: 3}, {Op: op, Type: result, A: 0, B: 1, C: -1}, {Op: ir.Store, Type: result, A: 3, B: -1, C: -1, Imm: 2}}
		if op == ir.Sel {
			p.Ins[3].A, p.Ins[3].B, p.Ins[3].C = 2, 0, 1
		}
		if op.Args() == 1 {
			p.Ins[3].B = -1
		}
		e := &ir.Env{Slots: make([][]uint32, 4)}
		for i, a := range values {
			for j, b := range values {
				e.Slots[0] = append(e.Slots[0], a)
				e.Slots[1] = append(e.Slots[1], b)
				e.Slots[2] = append(e.Slots[2], 0)
				e.Slots[3] = append(e.Slots[3], uint32((i+j)%2))
			}
		}
		compare(t, &p, e, 0, len(e.Slots[0]))
		// The same with each side constant.
		for side := range min(op.Args(), 2) {
			if op == ir.Sel {
				side++
			}
			for _, x := range values {
				q := p
				q.Ins = slices.Clone(p.Ins)
				v := q.Ins[3].Operands()[side]
				q.Ins[v] = ir.Instr{Op: ir.Const, Type: typ, A: -1, B: -1, C: -1, Imm: x}
				compare(t, &q, e, 0, min(len(e.Slots[0]), 200))
			}
		}
	}
}

func floatWords() []uint32 {
	var w []uint32
	for _, x := range edgeFloats {
		w = append(w, math.Float32bits(x), math.Float32bits(math.Nextafter32(x, 1e30)), math.Float32bits(-x))
	}
	return w
}

// TestExtremes runs every way to write a minimum or maximum on pairs of edge
// values, both zeros among them.
func TestExtremes(t *testing.T) {
	values := append([]uint32{0, 1 << 31}, floatWords()...)
	e := &ir.Env{Slots: make([][]uint32, 3)}
	for _, a := range values {
		for _, b := range values {
			e.Slots[0], e.Slots[1], e.Slots[2] = append(e.Slots[0], a), append(e.Slots[1], b), append(e.Slots[2], 0)
		}
	}
	slots := []ir.Slot{{Name: "a", Kind: ir.Array, Type: ir.F32}, {Name: "b", Kind: ir.Array, Type: ir.F32}, {Name: "d", Kind: ir.Array, Type: ir.F32}}
	for _, op := range []ir.Op{ir.LtF, ir.LeF} {
		for k := range 4 {
			p := ir.Prog{Name: op.String(), Slots: slots, Ins: []ir.Instr{
				{Op: ir.Load, Type: ir.F32, A: -1, B: -1, C: -1, Imm: 0}, {Op: ir.Load, Type: ir.F32, A: -1, B: -1, C: -1, Imm: 1},
				{Op: op, Type: ir.Bool, A: ir.Value(k % 2), B: ir.Value(1 - k%2), C: -1},
				{Op: ir.Sel, Type: ir.F32, A: 2, B: ir.Value(k / 2), C: ir.Value(1 - k/2)},
				{Op: ir.Store, Type: ir.F32, A: 3, B: -1, C: -1, Imm: 2}}}
			compare(t, &p, e, 0, len(e.Slots[0]))
		}
	}
}

// TestMixedSums adds words and two-word sums to one slot, where order shows.
func TestMixedSums(t *testing.T) {
	none := ir.None
	p := ir.Prog{Name: "mixed", Slots: []ir.Slot{{Name: "x", Kind: ir.Array, Type: ir.I32}, {Name: "sum", Kind: ir.Accum, Type: ir.I32}}, Ins: []ir.Instr{
		{Op: ir.Load, Type: ir.I32, A: none, B: none, C: none}, {Op: ir.Const, Type: ir.I32, A: none, B: none, C: none},
		{Op: ir.Scatter, Type: ir.I32, A: 1, B: 0, C: none, Imm: 1}, {Op: ir.Scatter2, Type: ir.I32, A: 1, B: 0, C: 1, Imm: 1}}}
	r := rand.New(rand.NewPCG(1, 2))
	e := &ir.Env{Slots: [][]uint32{make([]uint32, 3000), {0, 0}}}
	for i := range e.Slots[0] {
		e.Slots[0][i] = r.Uint32()
	}
	compare(t, &p, e, 0, 3000)
}

// TestConcurrent runs one Code on several goroutines.
func TestConcurrent(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	p := randomProg(r, 200)
	for _, m := range Modes() {
		c, err := CompileMode(p, m)
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for g := range uint64(4) {
			e := newEnv(rand.New(rand.NewPCG(g, 3)), 3000)
			want := cloneEnv(e)
			ir.Eval(p, want, 0, 3000)
			wg.Go(func() {
				for range 20 {
					got := cloneEnv(e)
					c.Run(got, 0, 3000)
					if d := differ(p, want, got); d != "" {
						t.Errorf("%v: %s", m, d)
						return
					}
				}
			})
		}
		wg.Wait()
	}
}

// TestNoAllocation holds a warm run to no allocation.
func TestNoAllocation(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool drop what it holds")
	}
	r := rand.New(rand.NewPCG(9, 9))
	p := randomProg(r, 100)
	e := newEnv(r, 2000)
	for _, m := range Modes() {
		c, err := CompileMode(p, m)
		if err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(100, func() { c.Run(e, 0, 2000) }); n >= 1 {
			t.Errorf("%v: %v allocations per run", m, n)
		}
	}
}

func TestCompileErrors(t *testing.T) {
	bad := []ir.Prog{
		{Ins: []ir.Instr{{Op: ir.Load, Imm: 0}}},
		{Ins: []ir.Instr{{Op: ir.NotB, A: 0}}},
		{Ins: []ir.Instr{{Op: ir.Nop}, {Op: ir.NotB, A: 0}}},
		{Ins: []ir.Instr{{Op: 250}}},
		{Ins: []ir.Instr{{Op: ir.Const}, {Op: ir.Trap, A: 0, Imm: 0}}},
	}
	for k := range bad {
		if _, err := Compile(&bad[k]); err == nil {
			t.Errorf("program %d compiles:\n%s", k, text(&bad[k]))
		}
	}
	if _, err := CompileMode(&ir.Prog{}, numModes); err == nil {
		t.Error("a mode that does not exist compiles")
	}
}

// TestFill compares fillers with package philox, over the end of the counters too.
func TestFill(t *testing.T) {
	for _, m := range Modes() {
		fill := fillerOf(m)
		for _, first := range []uint32{0, 4, 400, 1<<32 - 64, 1<<32 - 4, 1<<32 - 160} {
			dst := make([]uint32, 256)
			key := [2]uint32{0x12345678, 0x9abcdef0}
			fill(dst, first, 7, 3, 99, key)
			for i, w := range dst {
				if want := philox.Word(first+uint32(i), 7, 3, 99, key); w != want {
					t.Fatalf("%v: item %d: got %#x, want %#x", m, first+uint32(i), w, want)
				}
			}
		}
	}
}
