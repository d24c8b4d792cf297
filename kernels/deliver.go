package kernels

import (
	"synfire/engine/connect"
)

// deliver adds what is due at step s to the thread's own targets. Spikes of
// two and more steps ago are known before the threads have all come to the last
// one, so that those are delivered first, while the others finish.
func (t *thread) deliver(o *op, s int) {
	p := t.p
	st := &p.plan.Stages[o.stage]
	table := &p.plan.Tables[st.Table]
	layout := p.lay.accs[st.Acc]
	acc := t.accs[st.Acc][t.row*layout.stride(t.id):]
	if o.clear {
		clear(acc[:layout.words(t.id)])
	}
	b := p.tables[o.stage]
	step := p.step0 + int64(s)
	if !p.runs(o.stage, s) {
		t.await(step - int64(max(table.MinDelay, 1)) + 1) // all the same, since no thread may run far ahead
		return
	}
	near := 0 // delays of one step and less
	for near < len(b.delays) && b.delays[near] < 2 {
		near++
	}
	t.lap(phaseDeliver)
	if near < len(b.delays) {
		lag := int64(b.delays[near])
		t.await(step - lag + 1)
		t.lap(phaseWait)
		t.visit(table.Sources, table.First, table.Last, b.delays, near, len(b.delays), step)
		t.due += b.add(t.id, t.visits, acc)
		t.lap(phaseDeliver)
	}
	if near > 0 {
		t.await(step)
		t.lap(phaseWait)
		t.visit(table.Sources, table.First, table.Last, b.delays, 0, near, step)
		t.due += b.add(t.id, t.visits, acc)
		t.lap(phaseDeliver)
	}
}

// spare visits follow the last one: to the first group, which is always there.
var spare [ahead]uint32

// ahead is the number of visits beyond the last that a delivery may look at.
const ahead = 32

// add adds the groups of synapses to the thread's accumulator, tile by tile,
// and counts them. visits has spare ones behind its end.
func (b *built) add(thread int, visits []uint32, acc []uint32) (count uint64) {
	if len(visits) == 0 {
		return 0
	}
	visits = visits[:len(visits)+ahead]
	for _, tab := range b.tiles[thread] {
		count += addGroups(tab, visits, (*[connect.MaxTile]uint32)(acc))
		acc = acc[tab.NTgt:]
	}
	return count
}

// addPlain is what addGroups does, without looking ahead.
func addPlain(t *connect.Table, visits []uint32, acc *[connect.MaxTile]uint32) (count uint64) {
	for _, v := range visits {
		lo, hi := t.Index[v], t.Index[v+1]
		count += uint64(hi - lo)
		switch t.Width {
		case 0:
			for _, j := range t.Targets[lo:hi] {
				acc[j] += uint32(t.Uniform)
			}
		case 16:
			for _, e := range t.Packed[lo:hi] {
				acc[e&0xffff] += uint32(int32(e) >> 16)
			}
		default:
			weights := t.Weights[lo:hi]
			for k, j := range t.Targets[lo:hi] {
				acc[j] += uint32(weights[k])
			}
		}
	}
	return count
}
