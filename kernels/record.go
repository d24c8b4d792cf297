package kernels

import (
	"cmp"
	"math"
	"slices"
	"sort"

	"synfire/engine/backend"
)

// spikeRecord is what one part has recorded of a FormSpikes stage in this Run.
type spikeRecord struct {
	index  []uint32
	values [][]uint32
	cum    []uint32 // entries after each step
}

func (r *spikeRecord) begin(sources, n int) {
	r.index = r.index[:0]
	if r.values == nil {
		r.values = make([][]uint32, sources)
	}
	for k := range r.values {
		r.values[k] = r.values[k][:0]
	}
	if cap(r.cum) < n {
		r.cum = make([]uint32, n)
	}
	r.cum = r.cum[:n]
}

// spikes records a part's spikes of step s.
func (t *thread) spikes(h *part, it *item, s int) {
	p := t.p
	i := it.stages[0]
	r, rec := &h.recs[i], &p.plan.Stages[i].Rec
	if list := h.fired(it.event, p.step0+int64(s)); len(list) > 0 && p.runs(i, s) {
		lo := sort.Search(len(list), func(k int) bool { return int(list[k]) >= rec.Lo })
		hi := sort.Search(len(list), func(k int) bool { return int(list[k]) >= rec.Hi })
		r.index = append(r.index, list[lo:hi]...)
		for k, src := range rec.Src {
			words := p.bufs[src.Buf][src.Off:]
			for _, n := range list[lo:hi] {
				r.values[k] = append(r.values[k], words[n])
			}
		}
	}
	r.cum[s] = uint32(len(r.index))
}

// elastic is the number of entries that a record of spikes may come to, even if
// the plan asks for less room: records grow with what fires. A variable, so that
// tests can force it. Ranks, which hear late of what others have recorded, have
// room for all that could fire in so many windows besides.
var (
	elastic        = 1 << 24
	elasticWindows = 4
)

// roomUntil is the step, at most n, before which no record of spikes can
// overflow, given what was recorded before step s.
func (p *program) roomUntil(s, n int) int {
	until := n
	for i := range p.plan.Stages {
		st := &p.plan.Stages[i]
		if st.Form != backend.FormSpikes || st.Rec.Hi == st.Rec.Lo {
			continue
		}
		room := p.plan.Bufs[st.Rec.Index].Len
		for _, d := range st.Rec.Dst {
			room = min(room, p.plan.Bufs[d].Len)
		}
		room = max(room, elastic)
		if p.over != nil {
			room = max(room, min(elasticWindows*p.over.window*(st.Rec.Hi-st.Rec.Lo), math.MaxInt32))
			room -= p.over.taken[i]
		} else if s > 0 {
			for _, h := range p.parts {
				room -= int(h.recs[i].cum[s-1])
			}
		}
		left := room / (st.Rec.Hi - st.Rec.Lo)
		if st.Flag < 0 {
			until = min(until, s+left)
			continue
		}
		for k := s; k < until; k++ {
			if p.runs(i, k) {
				if left--; left < 0 {
					until = k
				}
			}
		}
	}
	return until
}

// sampling is a FormSample stage: which part takes which items.
type sampling struct {
	stage *backend.Stage
	index int
	parts []share // by part
	row   []int32 // by step of this Run: samples taken before it
}

// share is the positions in a sample that a part fills, by ascending item.
type share struct {
	lo, hi    int // where all items are taken: items lo to hi-1 at their own positions
	pos, item []uint32
	at        [][]uint32 // by source, where the items lie
}

func newSampling(p *program, it *item, local bool) (*sampling, error) {
	st := &p.plan.Stages[it.stages[0]]
	s := &sampling{stage: st, index: it.stages[0], parts: make([]share, p.lay.parts)}
	width := st.Rec.Width()
	placed, owned := false, false
	for _, src := range st.Rec.Src {
		placed, owned = placed || p.segments[src.Buf] != nil, owned || p.owned.bufs[src.Buf]
	}
	if owned {
		return s, p.ownItems(s, width)
	}
	owner := func(n, t int) bool {
		if !local {
			return n >= width*t/p.lay.parts && n < width*(t+1)/p.lay.parts
		}
		lo, hi := p.lay.part(it.at, it.n, t)
		item := n
		if st.Rec.Items != nil {
			item = int(st.Rec.Items[n])
		}
		return item >= lo && item < hi
	}
	for t := range s.parts {
		sh := &s.parts[t]
		if st.Rec.Items == nil && !placed {
			sh.lo, sh.hi = width*t/p.lay.parts, width*(t+1)/p.lay.parts
			if local {
				sh.lo, sh.hi = p.lay.part(it.at, it.n, t)
			}
			continue
		}
		for n := range width {
			if owner(n, t) {
				item := uint32(n)
				if st.Rec.Items != nil {
					item = st.Rec.Items[n]
				}
				sh.pos, sh.item = append(sh.pos, uint32(n)), append(sh.item, item)
			}
		}
		sort.Stable(sh)
		for _, src := range st.Rec.Src {
			at, err := p.placesOf(src, sh.item)
			if err != nil {
				return nil, err
			}
			sh.at = append(sh.at, at)
		}
	}
	return s, nil
}

// ownItems divides those items of a sample among the own parts that this rank has.
func (p *program) ownItems(s *sampling, width int) error {
	items := s.stage.Rec.Items
	if items == nil {
		items = make([]uint32, width)
		fill(items, 0, 1)
	}
	mine := make([]bool, width)
	var all [][]uint32
	for x, src := range s.stage.Rec.Src {
		at, err := p.placesOf(src, items)
		if err != nil {
			return err
		}
		for n, place := range at {
			mine[n] = (x == 0 || mine[n]) && place != none
		}
		all = append(all, at)
	}
	var own []uint32
	for n, yes := range mine {
		if yes {
			own = append(own, uint32(n))
		}
	}
	slices.SortStableFunc(own, func(a, b uint32) int { return cmp.Compare(items[a], items[b]) })
	for k, t := range p.own {
		sh := &s.parts[t]
		sh.pos = own[len(own)*k/len(p.own) : len(own)*(k+1)/len(p.own)]
		sh.at = make([][]uint32, len(all))
		for _, n := range sh.pos {
			sh.item = append(sh.item, items[n])
			for x, at := range all {
				sh.at[x] = append(sh.at[x], at[n])
			}
		}
	}
	return nil
}

// placesOf finds where items of a buffer lie; none: with another rank.
func (p *program) placesOf(src backend.Binding, items []uint32) ([]uint32, error) {
	at := make([]uint32, len(items))
	for x, item := range items {
		at[x] = uint32(src.Off) + item
	}
	for _, s := range p.segments[src.Buf] {
		var which, of []uint32
		for x, item := range items {
			if k := src.Off + int(item) - s.lo; k >= 0 && k < s.n {
				which, of = append(which, uint32(x)), append(of, uint32(k))
			}
		}
		places := of
		if s.list != nil {
			var err error
			if places, err = s.list.places(of); err != nil {
				return nil, err
			}
		}
		for x, place := range places {
			if at[which[x]] = none; place != none {
				at[which[x]] = place + uint32(s.at)
			}
		}
	}
	return at, nil
}

func (s *share) Len() int           { return len(s.pos) }
func (s *share) Less(i, j int) bool { return s.item[i] < s.item[j] }
func (s *share) Swap(i, j int) {
	s.pos[i], s.pos[j], s.item[i], s.item[j] = s.pos[j], s.pos[i], s.item[j], s.item[i]
}

// prepare numbers the samples of n steps and returns how many steps have room.
func (s *sampling) prepare(p *program, n int) int {
	s.row = s.row[:0]
	rows := n
	if w := s.stage.Rec.Width(); w > 0 {
		for _, d := range s.stage.Rec.Dst {
			rows = min(rows, p.plan.Bufs[d].Len/w)
		}
	}
	taken := int32(0)
	for k := range n {
		if p.runs(s.index, k) && int(taken) == rows {
			return k
		}
		s.row = append(s.row, taken)
		if p.runs(s.index, k) {
			taken++
		}
	}
	return n
}

// take takes a part's items lo to hi-1 at step k of the Run.
func (s *sampling) take(p *program, part, k, lo, hi int) {
	sh := &s.parts[part]
	at := int(s.row[k]) * s.stage.Rec.Width()
	for n, src := range s.stage.Rec.Src {
		from, to := p.bufs[src.Buf], p.bufs[s.stage.Rec.Dst[n]][at:]
		if sh.at == nil {
			from = from[src.Off:]
			if a, b := max(lo, sh.lo), min(hi, sh.hi); a < b {
				copy(to[a:b], from[a:b])
			}
			continue
		}
		first := sort.Search(len(sh.item), func(j int) bool { return int(sh.item[j]) >= lo })
		for j := first; j < len(sh.item) && int(sh.item[j]) < hi; j++ {
			to[sh.pos[j]] = from[sh.at[n][j]]
		}
	}
}

// gather puts the parts' records together, for the steps that count.
func (p *program) gather(done int) {
	for i := range p.plan.Stages {
		st := &p.plan.Stages[i]
		switch st.Form {
		case backend.FormSample:
			count := p.bufs[st.Rec.Count]
			clear(count)
			for s := range done {
				if p.runs(i, s) {
					count[s] = 1
				}
			}
		case backend.FormSpikes:
			count := p.bufs[st.Rec.Count]
			clear(count)
			total := 0
			for _, h := range p.parts {
				if done > 0 {
					total += int(h.recs[i].cum[done-1])
				}
			}
			p.record(st.Rec.Index, total)
			for _, d := range st.Rec.Dst {
				p.record(d, total)
			}
			if len(p.parts) == 1 { // in order as they are
				r, last := &p.parts[0].recs[i], uint32(0)
				copy(p.bufs[st.Rec.Index], r.index[:total])
				for k, d := range st.Rec.Dst {
					copy(p.bufs[d], r.values[k][:total])
				}
				for s, n := range r.cum[:done] {
					count[s], last = n-last, n
				}
				continue
			}
			at := 0
			for s := range done {
				for _, h := range p.parts {
					r := &h.recs[i]
					lo, hi := uint32(0), r.cum[s]
					if s > 0 {
						lo = r.cum[s-1]
					}
					if lo == hi {
						continue
					}
					copy(p.bufs[st.Rec.Index][at:], r.index[lo:hi])
					for k, d := range st.Rec.Dst {
						copy(p.bufs[d][at:], r.values[k][lo:hi])
					}
					at += int(hi - lo)
					count[s] += hi - lo
				}
			}
		}
	}
}

// record makes room for entries of a record of spikes.
func (p *program) record(b backend.BufID, entries int) {
	if cap(p.bufs[b]) < entries {
		p.bufs[b] = make([]uint32, entries+entries/4)
	}
	p.bufs[b] = p.bufs[b][:entries]
}
