package backend

import (
	"math"

	"synfire/engine/ir"
)

// An End is where the program of an effect finds its place in a buffer.
type End uint8

const (
	Own       End = iota // at the synapse's number
	AtSource             // at its source
	AtTarget             // at its target
	Elsewhere            // at some other value
)

// index is the word of a buffer that an instruction touches.
type index struct {
	end   End
	value ir.Value // Elsewhere
	off   int
}

// IndexOf says at which end of a synapse an instruction of a FormEffect stage finds
// its word, and from which word of the buffer on the words of that end lie.
func IndexOf(st *Stage, in *ir.Instr) (end End, off int) {
	i := indexOf(st, in)
	return i.end, i.off
}

// indexOf finds what word of a slot an instruction touches.
func indexOf(st *Stage, in *ir.Instr) index {
	i := index{off: st.Bind[in.Imm].Off}
	switch in.Op {
	case ir.Load, ir.Store:
		return i
	case ir.Uniform:
		return index{end: Elsewhere, value: ir.None, off: i.off}
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
		case x.Op == ir.Load && st.Bind[x.Imm].Buf == NoBuf && st.Bind[x.Imm].Off == SlotSource:
			i.end = AtSource
		case x.Op == ir.Load && st.Bind[x.Imm].Buf == NoBuf:
			i.end = AtTarget
		default:
			i.end, i.value = Elsewhere, v
		}
		return i
	}
}

// Sharing says how the due synapses of a FormEffect stage may be worked off. With
// inOrder, one of them may see what another wrote, and they must run one after
// the other. Else those of one source, or of one target, are for one thread to
// work off; elsewhere: all of them are, for what they write is not told apart.
func (p *Plan) Sharing(st *Stage) (by End, inOrder bool) {
	table := &p.Tables[st.Table]
	for n, a := range table.Sources { // a synapse may be due twice in a step
		for _, b := range table.Sources[:n] {
			if a.Row0 < b.Row0+b.Hi-b.Lo && b.Row0 < a.Row0+a.Hi-a.Lo {
				return Elsewhere, true
			}
		}
	}
	type touch struct {
		index
		op   ir.Op
		slot uint32
		bool bool
	}
	// Words of a buffer that the ends of synapses have in common count together.
	type words struct {
		buf BufID
		end End // apart from all others of the buffer, where they are none of the other end's
	}
	touches, written := map[words][]touch{}, map[words]bool{} // touches in the order of the text
	all := p.program(st, nil)
	for _, a := range all {
		if a.Event >= 0 {
			continue
		}
		in := &st.Prog.Ins[a.Instr]
		w := words{buf: a.Buf}
		t := touch{indexOf(st, in), in.Op, in.Imm, in.Type == ir.Bool}
		if apart(st, table, all, a.Buf) {
			w.end = t.end
		}
		touches[w] = append(touches[w], t)
		written[w] = written[w] || a.Write
	}
	by = Own
	for b, write := range written {
		if !write {
			continue
		}
		first := touches[b][0]
		var wrote *touch
		for _, t := range touches[b] {
			switch read := t.op == ir.Load || t.op == ir.Gather || t.op == ir.Uniform; {
			case t.op == first.op && (t.op == ir.Scatter || t.op == ir.Scatter2 && (t.off-first.off)%2 == 0): // any order does
				if t.index != first.index {
					by = Elsewhere
				}
			case t.op == ir.Scatter, t.op == ir.Scatter2, first.op == ir.Scatter, first.op == ir.Scatter2, t.index != first.index:
				return Elsewhere, true
			case !read:
				wrote = &t
			case wrote != nil && (t.slot != wrote.slot || t.bool != wrote.bool):
				return Elsewhere, true
			}
		}
		switch {
		case first.end == Own || first.end == by:
		case by == Own:
			by = first.end
		default:
			by = Elsewhere
		}
	}
	return by, false
}

// apart says that a buffer's words at the sources of synapses are others than
// those at the targets, and that it is not touched elsewhere: both ends lie in
// one population, in parts that do not overlap.
func apart(st *Stage, table *Table, all []Access, buf BufID) bool {
	lo, hi := [2]int{math.MaxInt, math.MaxInt}, [2]int{}
	for _, a := range all {
		if a.Buf != buf || a.Event >= 0 {
			continue
		}
		in := &st.Prog.Ins[a.Instr]
		if in.Op == ir.Uniform || a.Add {
			return false
		}
		i, side, words := indexOf(st, in), 0, table.Spec.NSrc
		switch i.end {
		case AtSource:
		case AtTarget:
			side, words = 1, table.Spec.NTgt
		default:
			return false
		}
		lo[side], hi[side] = min(lo[side], i.off), max(hi[side], i.off+words)
	}
	return hi[0] <= lo[1] || hi[1] <= lo[0]
}
