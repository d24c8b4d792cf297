package kernels

import (
	"fmt"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/ir"
)

// synapses is the list of a Spec for a FormEffect stage, and the way to it from
// the rows that spike.
type synapses struct {
	source, target []uint32 // by number in the Spec
	at             *connect.Adjacency
	env            ir.Env
}

func (p *program) listSynapses(i int) (*synapses, error) {
	st := &p.plan.Stages[i]
	spec := p.plan.Tables[st.Table].Spec
	s := &synapses{}
	for _, proj := range spec.Projs {
		n, err := proj.Count(p.cpu.threads)
		if err != nil {
			return nil, err
		}
		c, err := proj.Columns(0, n, 0)
		if err != nil {
			return nil, err
		}
		for k := range n {
			s.source = append(s.source, uint32(proj.Row0)+c.I[k])
			s.target = append(s.target, uint32(proj.Tgt0)+c.J[k])
		}
	}
	for k, b := range st.Bind {
		if b.Buf != backend.NoBuf && st.Prog.Slots[k].Kind == ir.Array && b.Off+len(s.target) > p.plan.Bufs[b.Buf].Len {
			return nil, fmt.Errorf("%d words of buffer %s for %d synapses", p.plan.Bufs[b.Buf].Len, p.plan.Bufs[b.Buf].Name, len(s.target))
		}
	}
	var err error
	s.at, err = connect.Adjacent(spec, st.Post, p.cpu.threads)
	return s, err
}

// effect runs the stage's program for each synapse whose effect is due: on one
// thread, synapse after synapse.
func (t *thread) effect(i, s int) {
	p := t.p
	st, syn := &p.plan.Stages[i], p.effects[i]
	table := &p.plan.Tables[st.Table]
	e := &syn.env
	step := p.step0 + int64(s)
	e.Step, e.Host, e.HostN, e.Seed = uint32(step), p.host[s*p.plan.Host:], p.plan.Host, p.plan.Key()
	if e.Slots == nil {
		e.Slots = p.slots(st)
		for k, b := range st.Bind {
			switch {
			case st.Prog.Slots[k].Kind == ir.Mask || b.Buf != backend.NoBuf:
			case b.Off == backend.SlotSource:
				e.Slots[k] = syn.source
			case b.Off == backend.SlotTarget:
				e.Slots[k] = syn.target
			}
		}
		e.Traps = make([]uint32, len(st.Trap))
	}
	for k := range e.Traps {
		e.Traps[k] = ir.NoTrap
	}
	t.visit(&due{table: table, delays: syn.at.Delays, step: step, end: step + 1, rows: 1, turn: 1, every: 1}, 0, step+1)
	for _, v := range t.visits {
		for _, k := range syn.at.K[syn.at.Index[v.group]:syn.at.Index[v.group+1]] {
			ir.Eval(st.Prog, e, int(k), int(k)+1)
			t.due++
		}
	}
	for code, item := range e.Traps {
		if item != ir.NoTrap {
			t.trapped(&backend.Fault{Step: step, Trap: st.Trap[code], Item: int(item)})
		}
	}
}
