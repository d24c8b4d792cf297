package kernels

import (
	"math"
	"math/bits"
	"slices"
	"time"

	"synfire/engine/backend"
	"synfire/engine/connect"
)

// part is a share of the network: what one thread owns when all are at work. Who
// runs a part changes with the number of threads, what it holds does not.
type part struct {
	id    int
	first []int                      // by event: the first neuron that is its own
	last  []int                      // by event: one past the last
	masks [][]uint32                 // by event: this step's bits of its own neurons
	lists [][][]uint32               // by event and step modulo their number, a power of two: its own neurons that fired, ascending
	accs  map[backend.BufID][]uint32 // its share, for each step of a ring, with room behind for a full tile
	recs  []spikeRecord              // by stage
}

// thread runs one part or several that follow one another.
type thread struct {
	progress
	p        *program
	id       int
	parts    []*part
	alone    bool // it runs what no other thread, and each rank, runs: parts are all there are
	barriers int64
	ended    int // steps made, where no fault counts

	from   int // the first step of the stretch that is being made
	to     int // one past its last
	row    int // the accumulator of this step
	fault  *backend.Fault
	due    uint64 // synaptic events of this Run, as Plan.Due counts them
	work   uint64 // synapses visited in this Run
	visits []visit
	late   []delivery // of which something is to come
	found  found

	bound   bool   // in this run bind was tried
	release func() // ends what bind began

	waited time.Duration // since the team began or the last round ended, but for looks
	spun   int           // looks, of pauseTime each

	clock  [phases]time.Duration
	stages []time.Duration // by stage, where they are timed apart
	timed  bool            // this step is
	since  time.Time
}

func newPart(p *program, id int) *part {
	h := &part{id: id, accs: map[backend.BufID][]uint32{}, recs: make([]spikeRecord, len(p.plan.Stages))}
	lag := 0
	for i := range p.plan.Tables {
		lag = max(lag, p.plan.Tables[i].MinDelay)
	}
	for e := range p.plan.Events {
		ev := &p.plan.Events[e]
		lo, hi := p.lay.part(p.lay.event[e], ev.N, id)
		h.first, h.last = append(h.first, lo), append(h.last, hi)
		h.masks = append(h.masks, aligned((hi-lo+31)/32+1))
		h.lists = append(h.lists, make([][]uint32, 1<<bits.Len(uint(ev.History+min(lag, ev.History)+1+mostSteps))))
	}
	for b, a := range p.lay.accs {
		if !slices.Contains(p.own, id) { // another process has it
			break
		}
		n := a.words(id)
		h.accs[b] = aligned(p.sched.rows*a.stride(id) + connect.MaxTile)
		if p.lay.plain {
			p.bufs[b] = h.accs[b][:n]
		}
	}
	return h
}

// run makes the steps from s on, round by round, as the first thread of the team says.
func (t *thread) run(s int) {
	p := t.p
	t.found = found{} // a step may be made again
	defer t.unbind()
	for int64(s) <= p.stop.Load() {
		until := t.round(s)
		if until == s {
			break
		}
		for s < until && int64(s) <= p.stop.Load() {
			if p.sched.blocks {
				t.from, t.to = s, min(s+p.sched.rows, until)
				t.blocks()
				s = t.to
			} else {
				t.from, t.to = p.from, p.to
				t.row = (s - t.from) % p.sched.rows
				t.step(s)
				s++
			}
			t.progress.done.Store(p.step0 + int64(s))
		}
	}
	t.ended = s
	if t.id == 0 {
		p.until.Store(gone)
	}
	t.progress.done.Store(gone)
	t.progress.met.Store(gone)
}

// unbind lets the system choose the processor again.
func (t *thread) unbind() {
	if t.release != nil {
		t.release()
	}
	t.bound, t.release = false, nil
}

// round says up to which step the team may go from step s on; s: it is to part.
// The first thread decides, when all have made the steps before.
func (t *thread) round(s int) int {
	p := t.p
	if t.id > 0 {
		t.reach(&p.until, p.step0+int64(s)+1)
		if u := p.until.Load(); u != gone {
			return int(u - p.step0)
		}
		// The first thread may have met a fault and gone: the step of the fault is finished everywhere, so that the least
		// one is found.
		if f := p.stop.Load(); f != math.MaxInt64 {
			return max(s, int(f)+1)
		}
		return s
	}
	t.await(p.step0 + int64(s))
	until := p.round(s)
	if until > s {
		p.until.Store(p.step0 + int64(until))
	}
	return until
}

// timedSteps is the number of steps of which one is timed.
const timedSteps = 64

// step makes one step: every op of the schedule.
func (t *thread) step(s int) {
	t.timed = t.p.apart || (t.p.step0+int64(s))%timedSteps == timedSteps/2 // no Run begins there as a rule
	if t.timed {
		t.since = time.Now()
	}
	for ops := t.p.sched.ops; len(ops) > 0; ops = ops[1:] {
		o := ops[0]
		switch o.kind {
		case opLocal, opAll:
			if o.items[0].kind == itemEffect {
				t.effect(o.items[0].stages[0], s)
				continue
			}
			if o.items[0].kind == itemOwed {
				t.makeUp(o.items[0].stages[0], o.items[0].stages[1], s)
				continue
			}
			for _, h := range t.parts {
				for _, it := range o.items {
					t.item(h, it, s, math.MinInt, math.MaxInt, true)
				}
			}
		case opSerial:
			if t.id == 0 {
				t.serial(o.items[0], s)
			}
			t.lap(phaseUpdate, nil)
		case opClear:
			for _, h := range t.parts {
				t.clear(h, o.buf)
			}
		case opDeliver:
			n := deliveries(ops)
			t.deliver(ops[:n], s)
			ops = ops[n-1:]
		case opBarrier:
			t.meet()
			if t.p.over != nil {
				if t.id == 0 {
					t.p.over.meet(o, s)
				}
				t.meet()
			}
			t.lap(phaseWait, nil)
		}
	}
}

// deliveries is the number of those that come first.
func deliveries(ops []*op) (n int) {
	for n < len(ops) && ops[n].kind == opDeliver {
		n++
	}
	return n
}

// lap adds the time since the last lap to a phase, and to stages where these are
// timed apart. Otherwise only some of single steps are timed, and stand for the others.
func (t *thread) lap(phase int, stages []int) {
	if t.timed {
		t.look(phase, stages)
	}
}

func (t *thread) look(phase int, stages []int) {
	now := time.Now()
	d := now.Sub(t.since)
	if !t.p.sched.blocks && !t.p.apart {
		d *= timedSteps
	}
	t.clock[phase] += d
	t.since = now
	if t.p.apart && len(stages) > 0 {
		t.p.plan.Share(t.stages, d, stages)
	}
}

// blocks makes the steps of a stretch block of lanes by block of lanes.
func (t *thread) blocks() {
	s, to := t.from, t.to
	t.timed, t.since = true, time.Now()
	for k := s; k < to; k++ {
		t.row = k - s
		for ops := t.p.sched.ops; len(ops) > 0; {
			n := deliveries(ops)
			t.deliver(ops[:n], k)
			ops = ops[max(n, 1):]
		}
	}
	for _, o := range t.p.sched.ops {
		if o.kind != opLocal {
			continue
		}
		t.timed = t.p.apart
		for _, h := range t.parts {
			t.blocksOf(h, o)
		}
		t.timed = true
		t.lap(phaseUpdate, nil)
	}
	t.row = 0
}

// blocksOf makes the steps of a stretch on the blocks of a part.
func (t *thread) blocksOf(h *part, o *op) {
	lo, hi := t.p.lay.domains[o.dom].cut[h.id], t.p.lay.domains[o.dom].cut[h.id+1]
	lanes := o.block()
	for x := lo; x < hi || x == lo; x += lanes {
		y := min(x+lanes, hi)
		if y == hi {
			y = math.MaxInt
		}
		for k := t.from; k < t.to; k++ {
			t.row = k - t.from
			for _, it := range o.items {
				if it.kind != itemSpikes {
					t.item(h, it, k, x, y, x == lo)
				}
			}
		}
	}
	for k := t.from; k < t.to; k++ {
		for _, it := range o.items {
			if it.kind == itemSpikes {
				t.spikes(h, it, k)
			}
		}
	}
}

// block is the number of lanes whose words stay in the caches near a core.
func (o *op) block() int {
	slots := 1
	for _, it := range o.items {
		if it.mapped != nil {
			slots += it.mapped.width
		}
	}
	return min(max(1<<15/slots&^31, 512), chunk)
}

// item runs one item at step s on a part's lanes with coordinates x to y-1.
func (t *thread) item(h *part, it *item, s, x, y int, first bool) {
	p := t.p
	step := p.step0 + int64(s)
	switch it.kind {
	case itemMap:
		v := it.mapped.always
		if v == nil {
			v = it.mapped.steps[s]
		}
		for _, u := range v.units {
			from := u.lane0[h.id] + it.at.at
			lo, hi := max(x, from)-from, min(y, from+u.lanes[h.id])-from
			if lo < hi {
				u.run(t, h.id, step, p.host[s*p.plan.Host:], lo, hi)
			}
			t.lap(phaseUpdate, u.stages)
		}
	case itemClear:
		if it.buf == backend.NoBuf {
			lo, hi := h.within(it.event, it.at, x, y)
			clear(h.masks[it.event][lo/32 : (hi+31)/32])
			return
		}
		lo, hi := p.lay.part(it.at, it.n, h.id)
		lo, hi = max(lo, clampSub(x, it.at.at)), min(hi, clampSub(y, it.at.at))
		if lo < hi {
			clear(p.bufs[it.buf][lo:hi])
		}
	case itemInject:
		if p.runs(it.stages[0], s) {
			lo, hi := h.within(it.event, it.at, x, y)
			h.inject(&p.plan.Stages[it.stages[0]], step, lo, hi)
		}
		t.lap(phaseUpdate, it.stages)
	case itemExtract:
		lo, hi := h.within(it.event, it.at, x, y)
		h.extract(it.event, step, lo, hi, first)
		if p.apart {
			t.lap(phaseRecord, p.one(p.raises[it.event]))
		} else {
			t.lap(phaseRecord, nil)
		}
	case itemSample:
		if p.runs(it.stages[0], s) {
			p.samples[it.stages[0]].take(p, h.id, s, clampSub(x, it.at.at), clampSub(y, it.at.at))
		}
		t.lap(phaseRecord, it.stages)
	case itemSpikes:
		t.spikes(h, it, s)
		t.lap(phaseRecord, it.stages)
	}
}

// within is the range of the part's bits of an event, counted from its first,
// with coordinates x to y-1.
func (h *part) within(event int, at place, x, y int) (lo, hi int) {
	lo = max(h.first[event], clampSub(x, at.at)) - h.first[event]
	hi = min(h.last[event], clampSub(y, at.at)) - h.first[event]
	if lo >= hi { // the event may end long before the block begins
		return 0, 0
	}
	return lo, hi
}

// clampSub is a-b where a may stand for no limit.
func clampSub(a, b int) int {
	if a == math.MinInt || a == math.MaxInt {
		return a
	}
	return a - b
}

// serial runs an item alone, on the lanes of all parts.
func (t *thread) serial(it *item, s int) {
	p := t.p
	if it.kind == itemEffect {
		own := t.parts
		t.parts, t.alone = p.parts, true
		t.effect(it.stages[0], s)
		t.parts, t.alone = own, false
		return
	}
	v := it.mapped.always
	if v == nil {
		v = it.mapped.steps[s]
	}
	for _, u := range v.units {
		for k := range p.parts {
			u.run(t, k, p.step0+int64(s), p.host[s*p.plan.Host:], 0, u.lanes[k])
		}
		t.lap(phaseUpdate, u.stages)
	}
}

// clear zeroes a part's share of a scratch buffer.
func (t *thread) clear(h *part, b backend.BufID) {
	if a := t.p.lay.accs[b]; a != nil {
		clear(h.accs[b][t.row*a.stride(h.id):][:a.words(h.id)])
		return
	}
	words := t.p.bufs[b]
	n := len(t.p.parts)
	clear(words[len(words)*h.id/n : len(words)*(h.id+1)/n])
}

// count notes that so many synapses were due in a stage.
func (t *thread) count(st *backend.Stage, synapses uint64) {
	if !t.alone || t.p.over == nil || t.p.over.Rank() == 0 {
		t.due += synapses * uint64(st.Count)
	}
	t.work += synapses
}

// trapped keeps the least fault; no thread goes on past its step.
func (t *thread) trapped(f *backend.Fault) {
	if t.fault == nil || f.Less(t.fault) {
		t.fault = f
	}
	if t.p.over != nil { // all ranks come to the end of the round, and then tell
		return
	}
	s := f.Step - t.p.step0
	for old := t.p.stop.Load(); s < old && !t.p.stop.CompareAndSwap(old, s); {
		old = t.p.stop.Load()
	}
}
