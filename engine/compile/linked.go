package compile

import (
	"fmt"

	"synfire/engine/backend"
	"synfire/engine/ir"
	"synfire/engine/model"
)

// before has a program that reads all of a variable, through a link, and writes it
// read a copy: what the variable is before the stage, whichever lane comes first.
func (c *compiler) before(l *model.Lanes, p *ir.Prog, bind []backend.Binding, flag int) error {
	for k := range p.Slots {
		if m := l.Mem[k]; !m.Whole || !writes(l, p, m.V) {
			continue
		}
		v := l.Mem[k].V
		t := p.Slots[k].Type
		b := ir.NewBuilder(v.FullName() + " before " + p.Name)
		b.StoreRaw(b.Slot("copy", ir.Array, t), b.Load(b.Slot("value", ir.Array, t)))
		copying, err := b.Prog()
		if err != nil {
			return err
		}
		out := c.blank(copying.Name, backend.Scratch, t, v.Count)
		at := make([]backend.Binding, len(copying.Slots))
		for q := range copying.Slots {
			at[q] = backend.Binding{Buf: bind[k].Buf, Event: -1}
			if copying.Slots[q].Name == "copy" {
				at[q].Buf = out
			}
		}
		c.Plan.Stages = append(c.Plan.Stages, backend.Stage{Form: backend.FormMap, Name: copying.Name, Flag: flag, N: v.Count, Prog: copying, Bind: at, Acc: backend.NoBuf})
		bind[k].Buf = out
	}
	return nil
}

// writes says whether a program stores a variable.
func writes(l *model.Lanes, p *ir.Prog, v *model.Variable) bool {
	for _, in := range p.Ins {
		if in.Op == ir.Store && l.Mem[in.Imm].V == v && !l.Mem[in.Imm].Low {
			return true
		}
	}
	return false
}

// shown is what a linked variable of the neuron at one end shows.
func (m *effectLanes) shown(v *model.Variable, post bool) ir.Value {
	to, at := v.Shown()
	sp, k := m.span(post), m.index(post)
	switch {
	case at != nil:
		key := fmt.Sprintf("%s.%s shows", v.Group.AutoName, v.Name)
		k = m.B.Gather(m.bound(fmt.Sprintf("%s %v", key, post), ir.Table, ir.U32, backend.Binding{Buf: m.c.table(key, key, ir.U32, at), Off: sp.Lo, Event: -1}), k, ir.Range{})
	case sp.Lo > 0:
		k = m.B.AddI(k, m.B.I(int32(sp.Lo)))
	}
	all := func(v *model.Variable) uint32 {
		return m.bound("all of "+v.Group.AutoName+"."+v.Name, ir.Table, model.IrType(m.c.image(v).Sym), backend.Binding{Buf: m.c.variable(v, false), Event: -1})
	}
	switch {
	case to.Builtin:
		return k
	case to.Name == "not_refractory" && to.Group.RefKind == model.RefConst:
		last := m.B.Gather(all(to.Group.ByName["lastspike"]), k, ir.Range{})
		return m.B.NotB(m.B.LtI(m.Holds(to.Group), last))
	case to.Shared:
		return m.B.Uniform(all(to), ir.Range{})
	}
	return m.B.Gather(all(to), k, ir.Range{})
}
