package connect

import (
	"fmt"
	"unsafe"

	"synfire/engine/ir"
	"synfire/engine/vm"
)

// program is a Column's or a condition's Prog, ready to run.
type program struct {
	code     *vm.Code
	slots    [][]uint32 // data at the slots of tables, nil elsewhere
	i, j     int        // slots, -1 where absent
	out      int
	traps    int
	seed     [2]uint32
	describe string // "Ce.delay", for errors
}

// compile checks that every slot of a program is one that connect binds.
func (p *Proj) compile(what string, prog *ir.Prog, data [][]uint32, want ir.Type) (*program, error) {
	pr := &program{i: -1, j: -1, out: -1, seed: p.Seed, traps: prog.Traps, describe: p.Name + "." + what, slots: make([][]uint32, len(prog.Slots))}
	for n, s := range prog.Slots {
		switch {
		case s.Kind == ir.Array && s.Name == "i":
			pr.i = n
		case s.Kind == ir.Array && s.Name == "j":
			pr.j = n
		case s.Kind == ir.Array && s.Name == "out":
			if s.Type != want {
				return nil, fmt.Errorf("%s: its program gives %v, %v is needed", pr.describe, s.Type, want)
			}
			pr.out = n
		case s.Kind == ir.Table && n < len(data) && len(data[n]) > 0:
			pr.slots[n] = data[n]
		default:
			return nil, fmt.Errorf("%s: its program reads %q, for which there is no data", pr.describe, s.Name)
		}
	}
	if pr.out < 0 {
		return nil, fmt.Errorf("%s: its program has no slot \"out\"", pr.describe)
	}
	var err error
	if pr.code, err = vm.Compile(prog); err != nil {
		return nil, fmt.Errorf("%s: %w", pr.describe, err)
	}
	return pr, nil
}

// env is a program bound to the memory of one worker.
type env struct {
	*program
	ir.Env
}

func (pr *program) bind() *env {
	e := &env{program: pr}
	e.Slots = append([][]uint32(nil), pr.slots...)
	e.Seed = pr.seed
	e.Traps = make([]uint32, pr.traps)
	for n := range e.Traps {
		e.Traps[n] = ir.NoTrap
	}
	return e
}

// run computes out for the pairs (i, j), which are items lane0, lane0+1, ...
func (e *env) run(lane0, step uint32, i, j, out []uint32) error {
	if len(out) == 0 {
		return nil
	}
	if e.i >= 0 {
		e.Slots[e.i] = i
	}
	if e.j >= 0 {
		e.Slots[e.j] = j
	}
	e.Slots[e.program.out] = out
	e.Lane0, e.Step = lane0, step
	e.code.Run(&e.Env, 0, len(out))
	for _, item := range e.Traps {
		if item != ir.NoTrap {
			n := item - lane0
			return fmt.Errorf("%s: the value for i = %d, j = %d is out of range", e.describe, i[n], j[n])
		}
	}
	return nil
}

// random is the program of a rule's own draws: out = word(k, step, draw), or, with a
// size, MulHi(word, size).
func (p *Proj) random(draw, size uint32) (*program, error) {
	prog := &ir.Prog{
		Name:  "rule",
		Slots: []ir.Slot{{Name: "out", Kind: ir.Array, Type: ir.U32}},
		Ins: []ir.Instr{
			{Op: ir.Lane, Type: ir.I32, A: ir.None, B: ir.None, C: ir.None},
			{Op: ir.Rand, Type: ir.U32, A: 0, B: ir.None, C: ir.None, Imm: p.Stream, Aux: draw},
		},
	}
	if size > 0 {
		prog.Ins = append(prog.Ins,
			ir.Instr{Op: ir.Const, Type: ir.U32, A: ir.None, B: ir.None, C: ir.None, Imm: size},
			ir.Instr{Op: ir.MulHi, Type: ir.U32, A: 1, B: 2, C: ir.None})
	}
	prog.Ins = append(prog.Ins, ir.Instr{Op: ir.Store, Type: ir.U32, A: ir.Value(len(prog.Ins) - 1), B: ir.None, C: ir.None})
	return p.compile("rule", prog, nil, ir.U32)
}

// words are the bits of floats, in place.
func words(f []float32) []uint32 {
	return unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(f))), len(f))
}

// Indices are indices as a Proj takes them, in place; none may be negative.
func Indices(x []int32) []uint32 {
	return unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(x))), len(x))
}

// resize gives a slice of n elements with any content, in s if it is large enough.
func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4+64)
	}
	return s[:n]
}
