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
	acc := t.accs[st.Acc]
	if o.clear {
		clear(acc[:p.lay.accs[st.Acc].words(t.id)])
	}
	if !p.runs(o.stage, s) {
		return
	}
	b := p.tables[o.stage]
	step := p.step0 + int64(s)
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

// ahead is the number of groups beyond the last that the delivery may look at.
const ahead = 32

// add adds the groups of synapses to the thread's accumulator, tile by tile,
// and counts them.
func (b *built) add(thread int, visits []uint32, acc []uint32) (count uint64) {
	if len(visits) == 0 {
		return 0
	}
	for _, tab := range b.tiles[thread] {
		tile := (*[connect.MaxTile]uint32)(acc)
		switch b.width {
		case 0:
			count += add0(visits, tab.Index, tab.Targets, uint32(tab.Uniform), tile)
		case 16:
			count += add16(visits, tab.Index, tab.Packed, tile)
		default:
			count += add32(visits, tab.Index, tab.Targets, tab.Weights, tile)
		}
		acc = acc[tab.NTgt:]
	}
	return count
}

func add0(visits, index []uint32, targets []uint16, w uint32, acc *[connect.MaxTile]uint32) (count uint64) {
	for _, v := range visits {
		group := targets[index[v]:index[v+1]]
		count += uint64(len(group))
		for _, j := range group {
			acc[j] += w
		}
	}
	return count
}

func add16(visits, index, packed []uint32, acc *[connect.MaxTile]uint32) (count uint64) {
	for _, v := range visits {
		group := packed[index[v]:index[v+1]]
		count += uint64(len(group))
		for _, e := range group {
			acc[e&0xffff] += uint32(int32(e) >> 16)
		}
	}
	return count
}

func add32(visits, index []uint32, targets []uint16, weights []int32, acc *[connect.MaxTile]uint32) (count uint64) {
	for _, v := range visits {
		lo, hi := index[v], index[v+1]
		group, ws := targets[lo:hi], weights[lo:hi]
		count += uint64(len(group))
		for k, j := range group {
			acc[j] += uint32(ws[k])
		}
	}
	return count
}
