package kernels

import (
	"fmt"

	"synfire/engine/backend"
	"synfire/engine/ir"
)

// numbered is the program of a FormEffect stage, rewritten for blocks of synapses
// whose numbers do not follow one another. A lane is a place in a block; the
// synapse's number, which was the lane, is loaded from a slot of its own, and
// its words are gathered and put at that number.
type numbered struct {
	prog   *ir.Prog
	k      uint32 // Array slot: the numbers, or the places of the synapses' own words
	number uint32 // Array slot: the numbers, where those are places
	// trapped are Array slots, one for each Trap of the text: whether the lane
	// trapped. Of the lanes that did, the one of the least number counts, and it
	// need not come first.
	trapped []uint32
	codes   []uint32 // of those traps
	// shift are Table slots of a word: how far an Accum slot's words lie from where
	// the text has them, by the Accum slot; of those alone that hold a part's share.
	shift map[uint32]uint32
}

// number rewrites the program of a stage. With forward, what was stored is not
// gathered again, as Verify demands: no lane sees what another one writes. apart
// says that of a buffer each part has its own share; away, that the synapses' own
// words do not lie by number.
func number(st *backend.Stage, forward bool, apart func(backend.BufID) bool, away bool) (*numbered, error) {
	p := st.Prog
	q := &ir.Prog{Name: p.Name, Slots: append([]ir.Slot(nil), p.Slots...), Traps: p.Traps}
	slot := func(name string, t ir.Type) uint32 {
		q.Slots = append(q.Slots, ir.Slot{Name: name, Kind: ir.Array, Type: t})
		return uint32(len(q.Slots) - 1)
	}
	n := &numbered{prog: q, k: slot("number of the synapse", ir.I32), shift: map[uint32]uint32{}}
	for s, b := range st.Bind {
		switch kind := p.Slots[s].Kind; {
		case kind == ir.Mask:
			return nil, fmt.Errorf("slot %s: an effect's lanes are synapses, which have no bits in a mask", p.Slots[s].Name)
		case b.Buf == backend.NoBuf && kind != ir.Array:
			return nil, fmt.Errorf("slot %s: the ends of synapses are bound to Array slots alone", p.Slots[s].Name)
		case b.Buf != backend.NoBuf && kind == ir.Array:
			q.Slots[s].Kind = ir.Table
		}
	}
	push := func(in ir.Instr) ir.Value {
		q.Ins = append(q.Ins, in)
		return ir.Value(len(q.Ins) - 1)
	}
	k := push(ir.Instr{Op: ir.Load, Type: ir.I32, A: ir.None, B: ir.None, C: ir.None, Imm: n.k})
	lane := k
	if n.number = n.k; away && asksNumber(p) {
		n.number = slot("number of the synapse", ir.I32)
		lane = push(ir.Instr{Op: ir.Load, Type: ir.I32, A: ir.None, B: ir.None, C: ir.None, Imm: n.number})
	}
	shifted := map[uint32]ir.Value{}
	for s, b := range st.Bind {
		if b.Buf != backend.NoBuf && apart(b.Buf) {
			n.shift[uint32(s)] = slot("shift", ir.I32)
			q.Slots[n.shift[uint32(s)]].Kind = ir.Table
			shifted[uint32(s)] = push(ir.Instr{Op: ir.Uniform, Type: ir.I32, A: ir.None, B: ir.None, C: ir.None, Imm: n.shift[uint32(s)]})
		}
	}
	now := make([]ir.Value, len(p.Ins)) // the value that each instruction of p has become
	stored := map[uint32]ir.Value{}     // by slot
	for at, in := range p.Ins {
		for _, v := range []*ir.Value{&in.A, &in.B, &in.C}[:in.Op.Args()] {
			*v = now[*v]
		}
		switch in.Op {
		case ir.Lane:
			now[at] = lane
			continue
		case ir.Load:
			if v, have := stored[in.Imm]; have && forward {
				now[at] = v
				continue
			}
			if st.Bind[in.Imm].Buf != backend.NoBuf {
				in.Op, in.A = ir.Gather, k
			}
		case ir.Store:
			stored[in.Imm] = in.A
			in.Op, in.A, in.B = ir.Put, k, in.A
		case ir.Scatter:
			if by, have := shifted[in.Imm]; have {
				in.A = push(ir.Instr{Op: ir.AddI, Type: ir.I32, A: in.A, B: by, C: ir.None})
			}
		case ir.Trap:
			n.trapped, n.codes = append(n.trapped, slot("trapped", ir.Bool)), append(n.codes, in.Imm)
			push(ir.Instr{Op: ir.Store, Type: ir.Bool, A: in.A, B: ir.None, C: ir.None, Imm: n.trapped[len(n.trapped)-1]})
		}
		now[at] = push(in)
	}
	return n, nil
}
