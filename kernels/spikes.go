package kernels

import (
	"math/bits"
	"sort"

	"synfire/engine/backend"
)

// extract lists the spikes of the step among the thread's bits lo to hi-1; the
// first block of a step begins the list.
func (t *thread) extract(event int, step int64, lo, hi int, first bool) {
	ring := t.lists[event]
	at := &ring[step%int64(len(ring))]
	list := *at
	if first {
		list = list[:0]
	}
	mask, base := t.masks[event], uint32(t.first[event])
	for w := lo / 32; w < (hi+31)/32; w++ {
		for m := mask[w]; m != 0; m &= m - 1 {
			list = append(list, base+uint32(32*w+bits.TrailingZeros32(m)))
		}
	}
	*at = list
}

// fired is the thread's list of a step; steps before 0 have none.
func (t *thread) fired(event int, step int64) []uint32 {
	if step < 0 {
		return nil
	}
	ring := t.lists[event]
	return ring[step%int64(len(ring))]
}

// inject sets the bits, among lo to hi-1 of the thread's, of spikes known ahead.
func (t *thread) inject(st *backend.Stage, step int64, lo, hi int) {
	if st.Period > 0 {
		step %= st.Period
	}
	k := sort.Search(len(st.Steps), func(k int) bool { return st.Steps[k] >= step })
	if k == len(st.Steps) || st.Steps[k] != step {
		return
	}
	mask := t.masks[st.Event]
	for _, i := range st.Index[st.Start[k]:st.Start[k+1]] {
		if b := int(i) - t.first[st.Event]; b >= lo && b < hi {
			mask[b/32] |= 1 << (b % 32)
		}
	}
}

// freshenLists makes the lists of spikes in flight from the masks.
func (p *program) freshenLists() {
	if !p.listsOld {
		return
	}
	p.listsOld = false
	now := p.now()
	for e := range p.plan.Events {
		ev := &p.plan.Events[e]
		for _, t := range p.threads {
			for k := range t.lists[e] {
				t.lists[e][k] = t.lists[e][k][:0]
			}
		}
		for step := max(0, now-int64(ev.History)); step < now; step++ {
			mask := p.mask(e, step)
			for _, t := range p.threads {
				ring := t.lists[e]
				list := ring[step%int64(len(ring))]
				for i := t.first[e]; i < t.last[e]; i++ {
					if mask[i/32] == 0 {
						i |= 31
					} else if mask[i/32]>>(i%32)&1 != 0 {
						list = append(list, uint32(i))
					}
				}
				ring[step%int64(len(ring))] = list
			}
		}
	}
}

// freshenMasks makes the canonical masks from the lists.
func (p *program) freshenMasks() {
	if !p.masksOld {
		return
	}
	p.masksOld = false
	now := p.now()
	for e := range p.plan.Events {
		ev := &p.plan.Events[e]
		clear(p.bufs[ev.Masks])
		for step := max(0, now-int64(ev.History)); step < now; step++ {
			mask := p.mask(e, step)
			for _, t := range p.threads {
				for _, i := range t.fired(e, step) {
					mask[i/32] |= 1 << (i % 32)
				}
			}
		}
	}
}

// mask is the canonical mask of an event's step.
func (p *program) mask(event int, step int64) []uint32 {
	e := &p.plan.Events[event]
	row := int(step % int64(e.History))
	return p.bufs[e.Masks][row*e.Words() : (row+1)*e.Words()]
}
