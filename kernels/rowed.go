package kernels

import (
	"synfire/engine/backend"
	"synfire/engine/ir"
	"synfire/engine/vm"
)

// rowed is the program of a FormEffect stage for synapses of one row whose numbers
// follow one another: it runs on their words where they lie, and the row's end is
// the same for all lanes, so that what depends on it alone is worked out once.
type rowed struct {
	prog  *ir.Prog
	code  *vm.Code
	own   []int             // Array slots of the synapses' own words
	shift map[uint32]uint32 // as numbered has it
}

func alongRow(st *backend.Stage, apart func(backend.BufID) bool) (*rowed, error) {
	near := backend.SlotSource
	if st.Post {
		near = backend.SlotTarget
	}
	p := st.Prog
	q := &ir.Prog{Name: p.Name, Slots: append([]ir.Slot(nil), p.Slots...), Traps: p.Traps}
	r := &rowed{prog: q, shift: map[uint32]uint32{}}
	push := func(in ir.Instr) ir.Value {
		q.Ins = append(q.Ins, in)
		return ir.Value(len(q.Ins) - 1)
	}
	shifted := map[uint32]ir.Value{}
	for s, b := range st.Bind {
		switch {
		case b.Buf == backend.NoBuf && b.Off == near:
			q.Slots[s].Kind = ir.Table
		case b.Buf == backend.NoBuf:
		case apart(b.Buf):
			q.Slots = append(q.Slots, ir.Slot{Name: "shift", Kind: ir.Table, Type: ir.I32})
			slot := uint32(len(q.Slots) - 1)
			r.shift[uint32(s)] = slot
			shifted[uint32(s)] = push(ir.Instr{Op: ir.Uniform, Type: ir.I32, A: ir.None, B: ir.None, C: ir.None, Imm: slot})
		case p.Slots[s].Kind == ir.Array:
			r.own = append(r.own, s)
		}
	}
	now := make([]ir.Value, len(p.Ins))
	for at, in := range p.Ins {
		for _, v := range []*ir.Value{&in.A, &in.B, &in.C}[:in.Op.Args()] {
			*v = now[*v]
		}
		switch in.Op {
		case ir.Load:
			if b := st.Bind[in.Imm]; b.Buf == backend.NoBuf && b.Off == near {
				in.Op = ir.Uniform
			}
		case ir.Scatter:
			if by, have := shifted[in.Imm]; have {
				in.A = push(ir.Instr{Op: ir.AddI, Type: ir.I32, A: in.A, B: by, C: ir.None})
			}
		}
		now[at] = push(in)
	}
	var err error
	r.code, err = vm.Compile(q)
	return r, err
}
