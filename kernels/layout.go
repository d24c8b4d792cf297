package kernels

import (
	"sort"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/host"
	"synfire/engine/ir"
)

// A domain is a set of lanes that belong together: those of a population, say.
// Buffers, events and stages whose lanes coincide lie in one domain, each at
// its own shift; a part has a range of coordinates of each domain, and with
// it the words of all its buffers there. So whatever a stage does lane by lane
// needs no other thread.
type domain struct {
	lo, hi int   // coordinates
	cut    []int // part t has cut[t] to cut[t+1]-1
}

// layout says what belongs to which part: as many as threads may be at work.
type layout struct {
	work    host.Work
	parts   int
	plain   bool // lanes do not coincide anywhere consistently: one thread, nothing fused
	domains []domain
	stage   []place // lane 0 of each FormMap stage
	event   []place // neuron 0
	buf     []place // word 0; domain -1: in none
	accs    map[backend.BufID]*accumulator
	by      []backend.End // by which end each FormEffect stage is shared: see sharedBy
	shares  []shares      // of its synapses
	lags    map[int]*lag  // effects that are made up later
}

// place is a coordinate in a domain.
type place struct{ dom, at int }

// accumulator is the layout of an accumulator that only Deliver stages and
// lanes touch: each part has its own share of it, its ranges laid end to end.
type accumulator struct {
	ranges [][]connect.Range // of each part, ascending
	spans  []span            // stages' views, while the layout is worked out
}

// span is words off to off+n-1 of an accumulator, of which word off lies at a place.
type span struct {
	off, n int
	at     place
}

// tiles are a part's ranges among the first n targets, cut where a tile is full.
func (a *accumulator) tiles(part, n int) (tiles [][]connect.Range) {
	var tile []connect.Range
	room := connect.MaxTile
	for _, r := range a.ranges[part] {
		for r.Hi = min(r.Hi, n); r.Lo < r.Hi; {
			k := min(room, r.Hi-r.Lo)
			tile = append(tile, connect.Range{Lo: r.Lo, Hi: r.Lo + k})
			r.Lo += k
			if room -= k; room == 0 {
				tiles, tile, room = append(tiles, tile), nil, connect.MaxTile
			}
		}
	}
	if len(tile) > 0 {
		tiles = append(tiles, tile)
	}
	return tiles
}

// position is where word w of the accumulator lies in a part's share.
func (a *accumulator) position(part, w int) int {
	at := 0
	for _, r := range a.ranges[part] {
		if w < r.Hi {
			return at + max(w-r.Lo, 0)
		}
		at += r.Hi - r.Lo
	}
	return at
}

func (a *accumulator) words(part int) (n int) {
	for _, r := range a.ranges[part] {
		n += r.Hi - r.Lo
	}
	return n
}

// stride is the distance between a part's shares for one step of a span and
// the next: whole lines.
func (a *accumulator) stride(part int) int { return (a.words(part) + 15) &^ 15 }

// forest joins nodes whose words correspond: word w of a node is word w+shift
// of its parent.
type forest struct {
	parent, shift []int
	conflict      bool
}

func (f *forest) find(x int) (root, shift int) {
	for f.parent[x] != x {
		shift += f.shift[x]
		x = f.parent[x]
	}
	return x, shift
}

// join says that word wx of x is the same lane as word wy of y.
func (f *forest) join(x, wx, y, wy int) {
	rx, sx := f.find(x)
	ry, sy := f.find(y)
	if rx == ry {
		f.conflict = f.conflict || wx+sx != wy+sy
		return
	}
	f.parent[rx], f.shift[rx] = ry, wy+sy-wx-sx
}

// may is join where nothing contradicts it.
func (f *forest) may(x, wx, y, wy int) {
	old := f.conflict
	f.join(x, wx, y, wy)
	f.conflict = old
}

// newLayout divides the plan's lanes into parts.
func newLayout(w host.Work, plan *backend.Plan, parts int) *layout {
	l := &layout{work: w, parts: parts, accs: map[backend.BufID]*accumulator{}}
	for i := range plan.Stages {
		if s := &plan.Stages[i]; s.Form == backend.FormDeliver {
			l.accs[s.Acc] = &accumulator{}
		}
	}
	l.by = make([]backend.End, len(plan.Stages))
	for i := range plan.Stages {
		if s := &plan.Stages[i]; s.Form == backend.FormEffect {
			l.by[i] = sharedBy(plan, s)
		}
	}
	if !l.divide(plan) {
		l.plain, l.parts = true, 1
		for _, a := range l.accs {
			*a = accumulator{}
		}
		l.divide(plan)
	}
	l.lags = l.findLags(plan)
	return l
}

// divide works the layout out; false where lanes contradict each other.
func (l *layout) divide(plan *backend.Plan) bool {
	nb, ne, ns := len(plan.Bufs), len(plan.Events), len(plan.Stages)
	f := &forest{parent: make([]int, nb+ne+ns), shift: make([]int, nb+ne+ns)}
	for i := range f.parent {
		f.parent[i] = i
	}
	odd := false
	for i := range plan.Stages {
		s := &plan.Stages[i]
		for _, src := range s.Rec.Src {
			odd = odd || l.accs[src.Buf] != nil
		}
		if s.Form != backend.FormMap {
			continue
		}
		for k, b := range s.Bind {
			kind := s.Prog.Slots[k].Kind
			switch {
			case kind == ir.Mask:
				f.join(nb+ne+i, 0, nb+b.Event, 0)
			case l.accs[b.Buf] != nil:
				odd = odd || kind != ir.Array
			case kind == ir.Array && plan.Bufs[b.Buf].Kind != backend.Constant:
				f.join(nb+ne+i, 0, int(b.Buf), b.Off)
			}
		}
	}
	anchors := map[int]anchor{}
	for i := range plan.Stages {
		if plan.Stages[i].Form == backend.FormEffect {
			l.joinEnds(plan, f, i, anchors)
		}
	}
	ok := !odd && !f.conflict

	// Domains and their extent.
	number := map[int]int{}
	l.domains = nil
	put := func(node, n int) place {
		root, shift := f.find(node)
		d, have := number[root]
		if !have {
			d = len(l.domains)
			number[root] = d
			l.domains = append(l.domains, domain{lo: shift, hi: shift})
		}
		l.domains[d].lo = min(l.domains[d].lo, shift)
		l.domains[d].hi = max(l.domains[d].hi, shift+n)
		return place{d, shift}
	}
	l.stage, l.event, l.buf = make([]place, ns), make([]place, ne), make([]place, nb)
	for i := range plan.Events {
		l.event[i] = put(nb+i, plan.Events[i].N)
	}
	for i := range plan.Stages {
		if plan.Stages[i].Form == backend.FormMap {
			l.stage[i] = put(nb+ne+i, plan.Stages[i].N)
		}
	}
	for i := range plan.Bufs {
		l.buf[i] = place{-1, 0}
		if k := plan.Bufs[i].Kind; (k == backend.State || k == backend.Scratch) && l.accs[backend.BufID(i)] == nil {
			l.buf[i] = put(i, plan.Bufs[i].Len)
		}
	}
	for d := range l.domains {
		l.domains[d].divide(d, l.parts)
	}
	ok = l.divideAccumulators(plan) && ok
	l.shares = make([]shares, ns)
	anyhow := make([]bool, ns) // no word of a neuron says how
	for i := range plan.Stages {
		if plan.Stages[i].Form == backend.FormEffect {
			var fits bool
			l.shares[i], anyhow[i], fits = l.share(plan, i)
			ok = ok && (fits || l.plain)
		}
	}
	for i, free := range anyhow {
		if free {
			l.follow(plan, i, anyhow)
		}
	}
	return ok
}

// divide cuts a domain into parts, at multiples of 64 lanes,
// or of 512 where there are many, so that no two of them share a line of memory.
func (d *domain) divide(number, parts int) {
	n := d.hi - d.lo
	grain := 64
	if n/parts >= 4096 {
		grain = 512
	}
	units := (n + grain - 1) / grain
	d.cut = make([]int, parts+1)
	for t := range d.cut {
		d.cut[t] = min(d.lo+units*t/parts*grain, d.hi)
		if units < parts { // too small to be divided: one has it all
			d.cut[t] = d.lo
			if t > number%parts {
				d.cut[t] = d.hi
			}
		}
	}
}

// part is the lanes of n that start at a place which belong to a part.
func (l *layout) part(at place, n, part int) (lo, hi int) {
	d := &l.domains[at.dom]
	lo, hi = min(max(d.cut[part]-at.at, 0), n), min(d.cut[part+1]-at.at, n)
	return lo, max(lo, hi)
}

// divideAccumulators gives each part the words of its lanes, and the first
// part those that no stage reads. False where a word has two owners.
func (l *layout) divideAccumulators(plan *backend.Plan) bool {
	for i := range plan.Stages {
		s := &plan.Stages[i]
		if s.Form != backend.FormMap {
			continue
		}
		for _, b := range s.Bind {
			if a := l.accs[b.Buf]; a != nil && b.Buf >= 0 {
				a.spans = append(a.spans, span{b.Off, s.N, l.stage[i]})
			}
		}
	}
	for id, a := range l.accs {
		if l.plain {
			a.ranges = [][]connect.Range{{{Lo: 0, Hi: plan.Bufs[id].Len}}}
			continue
		}
		if !a.divide(l, plan.Bufs[id].Len) {
			return false
		}
	}
	return true
}

func (a *accumulator) divide(l *layout, n int) bool {
	type owned struct {
		connect.Range
		part int
	}
	var all []owned
	for i, s := range a.spans {
		for _, o := range a.spans[:i] { // one word is one lane, whoever looks
			if s.off < o.off+o.n && o.off < s.off+s.n && (s.at.dom != o.at.dom || s.at.at-s.off != o.at.at-o.off) {
				return false
			}
		}
		for t := range l.parts {
			if lo, hi := l.part(s.at, s.n, t); lo < hi {
				all = append(all, owned{connect.Range{Lo: s.off + lo, Hi: s.off + hi}, t})
			}
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Lo < all[j].Lo })
	a.ranges = make([][]connect.Range, l.parts)
	give := func(t, lo, hi int) {
		r := a.ranges[t]
		if k := len(r); k > 0 && r[k-1].Hi == lo {
			r[k-1].Hi = hi
		} else if lo < hi {
			a.ranges[t] = append(r, connect.Range{Lo: lo, Hi: hi})
		}
	}
	at, owner := 0, -1
	for _, o := range all {
		if o.Lo < at && o.part != owner {
			return false
		}
		give(0, at, max(at, o.Lo))
		if o.Hi > max(at, o.Lo) {
			give(o.part, max(at, o.Lo), o.Hi)
			at, owner = o.Hi, o.part
		}
	}
	give(0, at, n)
	return true
}
