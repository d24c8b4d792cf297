package ref

import (
	"fmt"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/host"
	"synfire/engine/ir"
)

// synapses is the list of a Spec, and the way to it from the rows that spike:
// sources, or targets for an effect of postsynaptic spikes.
type synapses struct {
	source, target []uint32 // by number in the Spec
	weight         []int32
	at             *connect.Adjacency
}

func listSynapses(w host.Work, spec *connect.Spec, post bool) (*synapses, error) {
	s := &synapses{}
	for _, p := range spec.Projs {
		n, err := p.Count(w)
		if err != nil {
			return nil, err
		}
		c, err := p.Columns(w, 0, n, connect.WantWeight)
		if err != nil {
			return nil, err
		}
		for k := range n {
			s.source = append(s.source, uint32(p.Row0)+c.I[k])
			s.target = append(s.target, uint32(p.Tgt0)+c.J[k])
			w := spec.Uniform
			if spec.Width != 0 {
				w = int32(connect.Fix(c.Weight[k], spec.Scale))
			}
			s.weight = append(s.weight, w)
		}
	}
	var err error
	s.at, err = connect.Adjacent(spec, post, w)
	return s, err
}

// check says whether the delays are as the plan says, and whether the stage's
// buffers hold a word for each synapse, where they are indexed by synapse.
func (s *synapses) check(plan *backend.Plan, st *backend.Stage) error {
	t, d := &plan.Tables[st.Table], s.at.Delays
	if n := len(d); n > 0 && (int(d[0]) < t.MinDelay || int(d[n-1]) > t.MaxDelay) {
		return fmt.Errorf("delays of %d to %d steps, the plan says %d to %d", d[0], d[n-1], t.MinDelay, t.MaxDelay)
	}
	for i, b := range st.Bind {
		if b.Buf != backend.NoBuf && st.Prog.Slots[i].Kind == ir.Array && b.Off+len(s.target) > plan.Bufs[b.Buf].Len {
			return fmt.Errorf("%d words of buffer %s for %d synapses", plan.Bufs[b.Buf].Len, plan.Bufs[b.Buf].Name, len(s.target))
		}
	}
	return nil
}

// due calls f for each synapse whose effect is due at this step: those with
// delay d of the neurons that had the event d steps ago, if the table serves
// that step.
func (p *program) due(s *backend.Stage, syn *synapses, f func(k uint32)) {
	t := &p.plan.Tables[s.Table]
	count := uint64(0)
	for d, delay := range syn.at.Delays {
		emitted := p.step() - int64(delay)
		if emitted < t.First || emitted > t.Last {
			continue
		}
		for _, src := range t.Sources {
			for i := src.Lo; i < src.Hi; i++ {
				if !p.fired(src.Event, emitted, i) {
					continue
				}
				group := (src.Row0+i-src.Lo)*len(syn.at.Delays) + d
				for _, k := range syn.at.K[syn.at.Index[group]:syn.at.Index[group+1]] {
					f(k)
					count++
				}
			}
		}
	}
	due := p.bufs[p.plan.Due]
	count = count*uint64(s.Count) + (uint64(due[1])<<32 | uint64(due[0]))
	due[0], due[1] = uint32(count), uint32(count>>32)
}

// deliver adds the weights of what is due to the accumulators of their targets.
func (p *program) deliver(s *backend.Stage, syn *synapses) {
	acc := p.bufs[s.Acc]
	p.due(s, syn, func(k uint32) { acc[syn.target[k]] += uint32(syn.weight[k]) })
}

// effect runs the stage's program for each synapse that is due.
func (p *program) effect(s *backend.Stage, syn *synapses) {
	e := p.env(s)
	for i, b := range s.Bind {
		switch {
		case b.Buf == backend.NoBuf && b.Off == backend.SlotSource:
			e.Slots[i] = syn.source
		case b.Buf == backend.NoBuf && b.Off == backend.SlotTarget:
			e.Slots[i] = syn.target
		}
	}
	p.due(s, syn, func(k uint32) { p.eval(s, e, int(k), int(k)+1) })
}
