package kernels

import (
	"maps"
	"slices"

	"synfire/engine/backend"
)

// opKind is what an op of the schedule does.
type opKind uint8

const (
	opLocal   opKind = iota // parts of one domain, each thread on its own lanes
	opDeliver               // a FormDeliver stage, each thread to its own targets
	opAll                   // one item, each thread on its share, seeing the words of others
	opSerial                // one item, by the first thread alone
	opClear                 // a scratch buffer that no domain has, each thread its share
	opBarrier               // all threads have come here
)

// op is an entry of the schedule: the stages of a step, grouped and put into an
// order in which the fewest barriers are needed.
type op struct {
	kind  opKind
	dom   int
	items []*item
	stage int           // opDeliver
	buf   backend.BufID // opClear
	clear bool          // opDeliver: zero the accumulator first
	ahead bool          // opDeliver: may be made before its step
	use   access
}

// itemKind is what an item of a group does.
type itemKind uint8

const (
	itemMap itemKind = iota
	itemClear
	itemInject
	itemSample
	itemExtract
	itemSpikes
	itemEffect
	itemOwed // what the first of stages is owed, before the second
)

// item is a part of a group. A Map item may hold several stages, fused.
type item struct {
	kind   itemKind
	stages []int
	at     place // of lane 0, or of the cleared buffer's first word
	n      int
	event  int           // itemExtract, itemClear of a mask
	buf    backend.BufID // itemClear; NoBuf: of a mask
	use    access
	mapped *mapped // itemMap: its programs
}

// access is what something reads and writes: resources by number, true where
// it may touch the words of other threads' lanes.
type access struct{ r, w map[int]bool }

func (a *access) read(r int, cross bool)  { put(&a.r, r, cross) }
func (a *access) write(r int, cross bool) { put(&a.w, r, cross) }

func put(m *map[int]bool, r int, cross bool) {
	if *m == nil {
		*m = map[int]bool{}
	}
	(*m)[r] = (*m)[r] || cross
}

func (a *access) add(b *access) {
	for r, x := range b.r {
		a.read(r, x)
	}
	for r, x := range b.w {
		a.write(r, x)
	}
}

// meets says whether the order of a and b matters; across: between threads.
func (a *access) meets(b *access) (order, across bool) {
	for r, x := range a.w {
		for _, m := range []map[int]bool{b.r, b.w} {
			if y, hit := m[r]; hit {
				order, across = true, across || x || y
			}
		}
	}
	for r, x := range a.r {
		if y, hit := b.w[r]; hit {
			order, across = true, across || x || y
		}
	}
	return order, across
}

// schedule is the order of one step.
type schedule struct {
	plan *backend.Plan
	lay  *layout
	ops  []*op
	due  []bool // events written since their spikes were last listed
	// rows is the number of steps for which there are accumulators, so that
	// deliveries may be made ahead. With blocks, so many steps are made on a block
	// of lanes before the next block: every domain is one op that needs no other,
	// and no delay is shorter.
	rows   int
	blocks bool
}

// A thread's state is beyond the caches near a core where it has more bytes
// than this; then several steps are made on each block of it at a time. A
// variable, so that tests can force it.
var nearBytes = 1 << 20

// The most steps, without delivery and with; the accumulators are to take no
// more than sumBytes.
const (
	mostSteps = 64
	mostRows  = 8
	sumBytes  = 640 << 10
)

// Resources: buffers, then for each event its mask and its list, then for each
// accumulator and domain the words there.
func (s *schedule) mask(e int) int { return len(s.plan.Bufs) + 2*e }
func (s *schedule) list(e int) int { return len(s.plan.Bufs) + 2*e + 1 }
func (s *schedule) acc(b backend.BufID, dom int) int {
	return len(s.plan.Bufs) + 2*len(s.plan.Events) + int(b)*len(s.lay.domains) + dom
}

func newSchedule(plan *backend.Plan, lay *layout) *schedule {
	s := &schedule{plan: plan, lay: lay, due: make([]bool, len(plan.Events))}
	for e := range s.due {
		s.due[e] = true
	}
	for i := range plan.Stages {
		s.stage(i)
	}
	for e := range plan.Events {
		s.extract(e)
	}
	s.clears()
	s.barriers()
	s.ahead()
	return s
}

// stage places a stage.
func (s *schedule) stage(i int) {
	st := &s.plan.Stages[i]
	for _, k := range slices.Sorted(maps.Keys(s.lay.lags)) {
		if g := s.lay.lags[k]; g.first == i || slices.Contains(g.looks, i) {
			it := &item{kind: itemOwed, stages: []int{k, i}}
			s.effectAccess(k, &it.use)
			if g.first == i {
				s.rowsOf(g.lead, it)
			}
			s.append(&op{kind: opAll, items: []*item{it}})
		}
	}
	it := &item{stages: []int{i}, n: st.N}
	switch st.Form {
	case backend.FormMap:
		it.at = s.lay.stage[i]
		serial := s.programAccess(i, &it.use)
		if serial {
			s.append(&op{kind: opSerial, items: []*item{it}})
			return
		}
	case backend.FormInject:
		it.kind, it.event, it.at, it.n = itemInject, st.Event, s.lay.event[st.Event], s.plan.Events[st.Event].N
		it.use.write(s.mask(st.Event), false)
		s.due[st.Event] = true
	case backend.FormDeliver:
		s.deliver(i)
		return
	case backend.FormEffect:
		it.kind = itemEffect
		s.effectAccess(i, &it.use)
		o := &op{kind: opAll, items: []*item{it}}
		if s.lay.by[i] == backend.Elsewhere {
			o.kind = opSerial
		}
		s.rowsOf(i, it)
		s.append(o)
		return
	case backend.FormSample:
		it.kind = itemSample
		it.at, it.n = s.sampled(st, &it.use)
		if it.at.dom < 0 {
			s.append(&op{kind: opAll, items: []*item{it}})
			return
		}
	case backend.FormSpikes:
		s.extract(st.Event)
		it.kind, it.event = itemSpikes, st.Event
		it.at, it.n = s.lay.event[st.Event], s.plan.Events[st.Event].N
		it.use.read(s.list(st.Event), false)
		if !s.values(st, it) {
			s.append(&op{kind: opAll, items: []*item{it}})
			return
		}
	}
	s.local(it)
}

// rowsOf has the spikes listed that an effect's rows are.
func (s *schedule) rowsOf(i int, it *item) {
	t, serial := &s.plan.Tables[s.plan.Stages[i].Table], s.lay.by[i] == backend.Elsewhere
	if t.MinDelay > 0 && !serial { // the effect waits for the steps that it looks back to
		return
	}
	for _, src := range t.Sources {
		s.extract(src.Event)
		it.use.read(s.list(src.Event), serial || !s.lay.ownRows(s.plan, i))
	}
}

// sampled is where item 0 of a sample lies if all its sources lie in one domain.
func (s *schedule) sampled(st *backend.Stage, use *access) (place, int) {
	at, n := place{-1, 0}, st.Rec.Reach()
	local := true
	for _, src := range st.Rec.Src {
		b := s.lay.buf[src.Buf]
		if b.dom < 0 || s.lay.plain {
			local = local && s.plan.Bufs[src.Buf].Kind == backend.Constant && !s.lay.plain
			continue
		}
		here := place{b.dom, b.at + src.Off}
		local = local && (at.dom < 0 || at == here)
		at = here
	}
	for _, src := range st.Rec.Src {
		use.read(int(src.Buf), !local || at.dom < 0)
	}
	if !local {
		at.dom = -1
	}
	return at, n
}

// values notes what a spike record reads, and says whether it lies at the
// neurons' own lanes.
func (s *schedule) values(st *backend.Stage, it *item) bool {
	local := !s.lay.plain
	for _, src := range st.Rec.Src {
		if s.plan.Bufs[src.Buf].Kind != backend.Constant {
			b := s.lay.buf[src.Buf]
			local = local && b.dom == it.at.dom && b.at+src.Off == it.at.at
		}
	}
	for _, src := range st.Rec.Src {
		it.use.read(int(src.Buf), !local)
	}
	return local
}

// programAccess notes what a program touches, and says whether one thread must
// run it: it adds to words that lanes share, or sees one buffer in two ways.
func (s *schedule) programAccess(i int, use *access) (serial bool) {
	all := s.plan.Accesses(&s.plan.Stages[i])
	for _, a := range all {
		r := int(a.Buf)
		switch {
		case a.Instr < 0: // spikes of sources: read from lists (stage)
			continue
		case a.Event >= 0:
			r = s.mask(a.Event)
			s.due[a.Event] = s.due[a.Event] || a.Write
		case s.lay.accs[a.Buf] != nil && !s.lay.plain:
			r = s.acc(a.Buf, s.lay.stage[i].dom)
		case s.lay.accs[a.Buf] != nil:
			r = s.acc(a.Buf, 0)
		}
		serial = serial || a.Add
		if !a.Write {
			use.read(r, !a.Lane)
			continue
		}
		use.write(r, !a.Lane)
		for _, b := range all { // one buffer seen in two ways
			serial = serial || a.Event < 0 && b.Buf == a.Buf && (b.Lo != a.Lo || b.Lane != a.Lane)
		}
	}
	if serial || s.lay.plain { // all that it touches lies with one thread
		for _, m := range []map[int]bool{use.r, use.w} {
			for r := range m {
				m[r] = true
			}
		}
	}
	return serial
}

func (s *schedule) append(o *op) {
	for _, it := range o.items {
		o.use.add(&it.use)
	}
	s.ops = append(s.ops, o)
}

// deliver places a delivery as early as what it touches allows: at the start of
// the step, unless a delay is 0.
func (s *schedule) deliver(i int) {
	st := &s.plan.Stages[i]
	t := &s.plan.Tables[st.Table]
	o := &op{kind: opDeliver, stage: i}
	for d := range s.lay.domains {
		o.use.write(s.acc(st.Acc, d), false)
		if s.lay.plain {
			break
		}
	}
	if t.MinDelay == 0 {
		for _, src := range t.Sources {
			s.extract(src.Event)
			o.use.read(s.list(src.Event), true)
		}
	}
	at := len(s.ops)
	for at > 0 {
		if order, _ := o.use.meets(&s.ops[at-1].use); order && (s.lay.plain || !s.ops[at-1].effect()) { // which adds to it, as this does
			break
		}
		at--
	}
	s.ops = append(s.ops[:at], append([]*op{o}, s.ops[at:]...)...)
}

// extract lists the event's spikes of this step, if they may have changed.
func (s *schedule) extract(e int) {
	if !s.due[e] {
		return
	}
	s.due[e] = false
	it := &item{kind: itemExtract, event: e, at: s.lay.event[e], n: s.plan.Events[e].N}
	it.use.read(s.mask(e), false)
	it.use.write(s.list(e), false)
	s.local(it)
}

// local adds an item to the open group of its domain, or begins another group.
func (s *schedule) local(it *item) {
	p := len(s.ops) - 1
	for p >= 0 && (s.ops[p].kind != opLocal || s.ops[p].dom != it.at.dom) {
		if order, _ := it.use.meets(&s.ops[p].use); order {
			p = -1
			break
		}
		p--
	}
	if p < 0 {
		s.append(&op{kind: opLocal, dom: it.at.dom, items: []*item{it}})
		return
	}
	g := s.ops[p]
	if order, across := it.use.meets(&g.use); order && across || s.lay.plain {
		s.append(&op{kind: opLocal, dom: it.at.dom, items: []*item{it}})
		return
	}
	g.join(it)
}

// join adds an item to a group: a program to an earlier one over the same lanes,
// if nothing between minds; a sample or injected spikes as early as can be.
func (o *op) join(it *item) {
	o.use.add(&it.use)
	at := len(o.items)
	for at > 0 {
		q := o.items[at-1]
		if it.kind == itemMap && q.kind == itemMap && q.at == it.at && q.n == it.n {
			q.stages = append(q.stages, it.stages...)
			q.use.add(&it.use)
			return
		}
		if order, _ := it.use.meets(&q.use); order {
			break
		}
		at--
	}
	if it.kind != itemSample && it.kind != itemInject {
		at = len(o.items)
	}
	o.items = append(o.items[:at], append([]*item{it}, o.items[at:]...)...)
}

// effect says that an op is a FormEffect stage.
func (o *op) effect() bool { return len(o.items) == 1 && o.items[0].kind == itemEffect }
