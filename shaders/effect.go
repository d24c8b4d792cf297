package shaders

import (
	"fmt"

	"synfire/engine/backend"
	"synfire/engine/ir"
)

// ends are the arrays of sources and of targets by synapse, where an effect asks
// for the end that is not its row.
type ends struct{ source, target region }

// effectKernel runs the program of a FormEffect stage for each synapse that is
// due. Entries of its shards are numbers of synapses.
func (l *layout) effectKernel(stage, params, shards, group, team int, at ends) *kernel {
	s := &l.plan.Stages[stage]
	return l.walkKernel(stage, params, shards, group, team, func(k *kernel) {
		k.line("uint lane = word(h, P[H + 3u] + e);")
		array := func(r region, off int, index string) string {
			return fmt.Sprintf("%s[0x%xu + %s]", k.arena(r.arena), r.off+off, index)
		}
		slot := func(n uint32, index string) string {
			switch b := s.Bind[n]; {
			case b.Buf != backend.NoBuf:
				return array(l.bufs[b.Buf], b.Off, index)
			case (b.Off == backend.SlotSource) != s.Post:
				return "row"
			case b.Off == backend.SlotSource:
				return array(at.source, 0, index)
			}
			return array(at.target, 0, index)
		}
		emit(&k.text, s.Prog, &memory{
			lane: "lane", step: "step",
			host:  func(n uint32) string { return fmt.Sprintf("P[P[%d] + s * %du + %du]", parHost, l.hostN, n) },
			load:  func(n uint32) string { return slot(n, "lane") },
			store: func(n uint32, word string) string { return slot(n, "lane") + " = " + word + ";" },
			at:    slot,
			bit:   func(n uint32) string { return "false" }, // refused by effectLacks
			trap: func(code uint32) string {
				return fmt.Sprintf("atomicMin(C[%d], lane); atomicMin(C[%d], s);", l.faults+l.rank[[2]int{stage, int(code)}], ctlFault)
			},
		})
	})
}

// effectLacks says what of an effect's program this backend cannot do.
func effectLacks(p *backend.Plan, s *backend.Stage) error {
	if _, inOrder := p.Sharing(s); inOrder {
		return fmt.Errorf("stage %s: a synapse may read what another one writes in the same step, so that they have to run one after the other; the gl backend cannot do that, --backend cpu can", s.Name)
	}
	for _, in := range s.Prog.Ins {
		if in.Op == ir.Bit || in.Op == ir.StoreBit {
			return fmt.Errorf("stage %s: masks in the program of an effect", s.Name)
		}
	}
	return nil
}
