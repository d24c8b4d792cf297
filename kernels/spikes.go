package kernels

import (
	"math/bits"
	"sort"

	"synfire/engine/backend"
)

// extract lists the spikes of the step among the part's bits lo to hi-1; the
// first block of a step begins the list.
func (h *part) extract(event int, step int64, lo, hi int, first bool) {
	at := h.list(event, step)
	list := *at
	if first {
		list = list[:0]
	}
	mask, base := h.masks[event][lo/32:(hi+31)/32], uint32(h.first[event]+lo/32*32)
	for ; wide && len(mask) >= 16; mask, base = mask[16:], base+16*32 {
		for some := filled((*[16]uint32)(mask)); some != 0; some &= some - 1 {
			w := bits.TrailingZeros16(some)
			for m := mask[w]; m != 0; m &= m - 1 {
				list = append(list, base+uint32(32*w+bits.TrailingZeros32(m)))
			}
		}
	}
	for len(mask) > 0 {
		m := uint64(mask[0])
		if mask = mask[1:]; len(mask) > 0 { // two words at a time
			m |= uint64(mask[0]) << 32
			mask = mask[1:]
		}
		for ; m != 0; m &= m - 1 {
			list = append(list, base+uint32(bits.TrailingZeros64(m)))
		}
		base += 64
	}
	*at = list
}

// list is where the part's list of a step is, and of others long before and after.
func (h *part) list(event int, step int64) *[]uint32 {
	ring := h.lists[event]
	return &ring[step&int64(len(ring)-1)]
}

// fired is the part's list of a step; steps before 0 have none.
func (h *part) fired(event int, step int64) []uint32 {
	if step < 0 {
		return nil
	}
	return *h.list(event, step)
}

// inject sets the bits, among lo to hi-1 of the part's, of spikes known ahead.
func (h *part) inject(st *backend.Stage, step int64, lo, hi int) {
	if st.Period > 0 {
		step %= st.Period
	}
	k := sort.Search(len(st.Steps), func(k int) bool { return st.Steps[k] >= step })
	if k == len(st.Steps) || st.Steps[k] != step {
		return
	}
	mask := h.masks[st.Event]
	for _, i := range st.Index[st.Start[k]:st.Start[k+1]] {
		if b := int(i) - h.first[st.Event]; b >= lo && b < hi {
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
		for _, h := range p.parts {
			for k := range h.lists[e] {
				h.lists[e][k] = h.lists[e][k][:0]
			}
		}
		for step := max(0, now-int64(ev.History)); step < now; step++ {
			mask := p.mask(e, step)
			for _, h := range p.parts {
				list := h.list(e, step)
				for i := h.first[e]; i < h.last[e]; i++ {
					if mask[i/32] == 0 {
						i |= 31
					} else if mask[i/32]>>(i%32)&1 != 0 {
						*list = append(*list, uint32(i))
					}
				}
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
			for _, h := range p.parts {
				for _, i := range h.fired(e, step) {
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
