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
	prog *ir.Prog
	k    uint32 // Array slot: the numbers
	// trapped are Array slots, one for each Trap of the text: whether the lane
	// trapped. Of the lanes that did, the one of the least number counts, and it
	// need not come first.
	trapped []uint32
	codes   []uint32 // of those traps
}

// number rewrites the program of a stage. With forward, what was stored is not
// gathered again, as Verify demands: no lane sees what another one writes.
func number(st *backend.Stage, forward bool) (*numbered, error) {
	p := st.Prog
	q := &ir.Prog{Name: p.Name, Slots: append([]ir.Slot(nil), p.Slots...), Traps: p.Traps}
	slot := func(name string, t ir.Type) uint32 {
		q.Slots = append(q.Slots, ir.Slot{Name: name, Kind: ir.Array, Type: t})
		return uint32(len(q.Slots) - 1)
	}
	n := &numbered{prog: q, k: slot("number of the synapse", ir.I32)}
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
	now := make([]ir.Value, len(p.Ins)) // the value that each instruction of p has become
	stored := map[uint32]ir.Value{}     // by slot
	for at, in := range p.Ins {
		for _, v := range []*ir.Value{&in.A, &in.B, &in.C}[:in.Op.Args()] {
			*v = now[*v]
		}
		switch in.Op {
		case ir.Lane:
			now[at] = k
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
		case ir.Trap:
			n.trapped, n.codes = append(n.trapped, slot("trapped", ir.Bool)), append(n.codes, in.Imm)
			push(ir.Instr{Op: ir.Store, Type: ir.Bool, A: in.A, B: ir.None, C: ir.None, Imm: n.trapped[len(n.trapped)-1]})
		}
		now[at] = push(in)
	}
	return n, nil
}

// An end is where a program finds its place in a buffer.
type end uint8

const (
	own       end = iota // at the synapse's number
	source               // at its source
	target               // at its target
	elsewhere            // at some other value
)

// index is the word of a buffer that an instruction touches.
type index struct {
	end   end
	value ir.Value // elsewhere
	off   int
}

// indexOf finds what word of a slot an instruction touches.
func indexOf(st *backend.Stage, in *ir.Instr) index {
	i := index{off: st.Bind[in.Imm].Off}
	switch in.Op {
	case ir.Load, ir.Store:
		return i
	case ir.Uniform:
		return index{end: elsewhere, value: ir.None, off: i.off}
	}
	words := 1
	if in.Op == ir.Scatter2 {
		words = 2
	}
	ins := st.Prog.Ins
	for v := in.A; ; {
		x := &ins[v]
		switch {
		case x.Op == ir.AddI && ins[x.B].Op == ir.Const:
			i.off += words * int(int32(ins[x.B].Imm))
			v = x.A
			continue
		case x.Op == ir.AddI && ins[x.A].Op == ir.Const:
			i.off += words * int(int32(ins[x.A].Imm))
			v = x.B
			continue
		case x.Op == ir.Lane:
		case x.Op == ir.Load && st.Bind[x.Imm].Buf == backend.NoBuf && st.Bind[x.Imm].Off == backend.SlotSource:
			i.end = source
		case x.Op == ir.Load && st.Bind[x.Imm].Buf == backend.NoBuf:
			i.end = target
		default:
			i.end, i.value = elsewhere, v
		}
		return i
	}
}

// sharing says how the due synapses of a FormEffect stage may be worked off. With
// inOrder, one of them may see what another wrote, and they must run one after
// the other. Else those of one source, or of one target, are for one thread to
// work off; elsewhere: all of them are, for what they write is not told apart.
func sharing(st *backend.Stage, table *backend.Table) (by end, inOrder bool) {
	for n, a := range table.Sources { // a synapse may be due twice in a step
		for _, b := range table.Sources[:n] {
			if a.Row0 < b.Row0+b.Hi-b.Lo && b.Row0 < a.Row0+a.Hi-a.Lo {
				return elsewhere, true
			}
		}
	}
	type touch struct {
		index
		op   ir.Op
		slot uint32
		bool bool
	}
	touches := map[backend.BufID][]touch{} // in the order of the text
	written := map[backend.BufID]bool{}
	for n := range st.Prog.Ins {
		in := &st.Prog.Ins[n]
		switch in.Op {
		case ir.Store, ir.Put, ir.Scatter, ir.Scatter2:
			written[st.Bind[in.Imm].Buf] = true
		case ir.Load, ir.Gather, ir.Uniform:
		default:
			continue
		}
		b := st.Bind[in.Imm].Buf
		touches[b] = append(touches[b], touch{indexOf(st, in), in.Op, in.Imm, in.Type == ir.Bool})
	}
	by = own
	for b := range written {
		first := touches[b][0]
		var wrote *touch
		for _, t := range touches[b] {
			switch read := t.op == ir.Load || t.op == ir.Gather || t.op == ir.Uniform; {
			case t.op == first.op && (t.op == ir.Scatter || t.op == ir.Scatter2 && (t.off-first.off)%2 == 0): // any order does
				if t.index != first.index {
					by = elsewhere
				}
			case t.op == ir.Scatter, t.op == ir.Scatter2, first.op == ir.Scatter, first.op == ir.Scatter2, t.index != first.index:
				return elsewhere, true
			case !read:
				wrote = &t
			case wrote != nil && (t.slot != wrote.slot || t.bool != wrote.bool):
				return elsewhere, true
			}
		}
		switch {
		case first.end == own || first.end == by:
		case by == own:
			by = first.end
		default:
			by = elsewhere
		}
	}
	return by, false
}
