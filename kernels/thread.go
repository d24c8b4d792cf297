package kernels

import (
	"math"
	"time"

	"synfire/engine/backend"
	"synfire/engine/connect"
)

// thread is one of the program's threads: what it owns.
type thread struct {
	progress
	p        *program
	id       int
	barriers int64
	ended    int // steps made, where no fault counts

	first  []int                      // by event: the first neuron that is its own
	last   []int                      // by event: one past the last
	masks  [][]uint32                 // by event: this step's bits of its own neurons
	lists  [][][]uint32               // by event and step modulo their number: its own neurons that fired, ascending
	accs   map[backend.BufID][]uint32 // its own part, for each step of a ring, with room behind for a full tile
	from   int                        // the first step of the stretch that is being made
	to     int                        // one past its last
	row    int                        // the accumulator of this step
	recs   []spikeRecord              // by stage
	fault  *backend.Fault
	due    uint64
	visits []visit

	clock [phases]time.Duration
	timed bool // this step is
	since time.Time
}

func newThread(p *program, id int) *thread {
	t := &thread{p: p, id: id, accs: map[backend.BufID][]uint32{}, recs: make([]spikeRecord, len(p.plan.Stages))}
	lag := 0
	for i := range p.plan.Tables {
		lag = max(lag, p.plan.Tables[i].MinDelay)
	}
	for e := range p.plan.Events {
		ev := &p.plan.Events[e]
		lo, hi := p.lay.part(p.lay.event[e], ev.N, id)
		t.first, t.last = append(t.first, lo), append(t.last, hi)
		t.masks = append(t.masks, aligned((hi-lo+31)/32+1))
		t.lists = append(t.lists, make([][]uint32, ev.History+min(lag, ev.History)+2+mostSteps))
	}
	for b, a := range p.lay.accs {
		n := a.words(id)
		t.accs[b] = aligned(p.sched.rows*a.stride(id) + connect.MaxTile)
		if p.lay.plain {
			p.bufs[b] = t.accs[b][:n]
		}
	}
	return t
}

// begin readies the thread for a run of at most n steps.
func (t *thread) begin(n int) {
	t.barriers, t.ended, t.fault, t.due = 0, 0, nil, 0
	t.progress.done.Store(t.p.step0)
	t.progress.met.Store(0)
	for i := range t.recs {
		if t.p.plan.Stages[i].Form == backend.FormSpikes {
			t.recs[i].begin(len(t.p.plan.Stages[i].Rec.Src), n)
		}
	}
}

// run makes up to n steps. Every thread decides alike where the run ends.
func (t *thread) run(n int) {
	p := t.p
	s, check := 0, 0
	for s < n && int64(s) <= p.stop.Load() {
		if s >= check {
			t.await(p.step0 + int64(s))
			if check = p.roomUntil(s, n); check == s {
				break
			}
		}
		t.from, t.to = s, min(check, n)
		if p.sched.blocks {
			t.to = min(t.to, s+p.sched.rows)
			t.blocks()
			s = t.to
			t.progress.done.Store(p.step0 + int64(s))
			continue
		}
		for ; s < t.to && int64(s) <= p.stop.Load(); s++ {
			t.row = (s - t.from) % p.sched.rows
			t.step(s)
			t.progress.done.Store(p.step0 + int64(s) + 1)
		}
	}
	t.ended = s
	t.progress.done.Store(gone)
	t.progress.met.Store(gone)
}

// timedSteps is the number of steps of which one is timed.
const timedSteps = 16

// step makes one step: every op of the schedule.
func (t *thread) step(s int) {
	t.timed = (t.p.step0+int64(s))%timedSteps == timedSteps/2 // no Run begins there as a rule
	if t.timed {
		t.since = time.Now()
	}
	for _, o := range t.p.sched.ops {
		switch o.kind {
		case opLocal:
			for _, it := range o.items {
				t.item(it, s, math.MinInt, math.MaxInt, true)
			}
		case opAll:
			t.item(o.items[0], s, math.MinInt, math.MaxInt, true)
		case opSerial:
			if t.id == 0 {
				t.serial(o.items[0], s)
			}
			t.lap(phaseUpdate)
		case opClear:
			t.clear(o.buf)
		case opDeliver:
			t.deliver(o, s)
		case opBarrier:
			t.meet()
			t.lap(phaseWait)
		}
	}
}

// lap adds the time since the last lap to a phase. Of single steps only some
// are timed, and stand for the others.
func (t *thread) lap(phase int) {
	if t.timed {
		now := time.Now()
		d := now.Sub(t.since)
		if !t.p.sched.blocks {
			d *= timedSteps
		}
		t.clock[phase] += d
		t.since = now
	}
}

// blocks makes the steps of a stretch block of lanes by block of lanes.
func (t *thread) blocks() {
	s, to := t.from, t.to
	t.timed, t.since = true, time.Now()
	for k := s; k < to; k++ {
		t.row = k - s
		for _, o := range t.p.sched.ops {
			if o.kind == opDeliver {
				t.deliver(o, k)
			}
		}
	}
	for _, o := range t.p.sched.ops {
		if o.kind != opLocal {
			continue
		}
		t.timed = false
		d := &t.p.lay.domains[o.dom]
		lanes := o.block()
		for x := d.cut[t.id]; x < d.cut[t.id+1] || x == d.cut[t.id]; x += lanes {
			y := min(x+lanes, d.cut[t.id+1])
			if y == d.cut[t.id+1] {
				y = math.MaxInt
			}
			for k := s; k < to; k++ {
				t.row = k - s
				for _, it := range o.items {
					if it.kind != itemSpikes {
						t.item(it, k, x, y, x == d.cut[t.id])
					}
				}
			}
		}
		for k := s; k < to; k++ {
			for _, it := range o.items {
				if it.kind == itemSpikes {
					t.spikes(it, k)
				}
			}
		}
		t.timed = true
		t.lap(phaseUpdate)
	}
	t.row = 0
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

// item runs one item at step s on the thread's lanes with coordinates x to y-1.
func (t *thread) item(it *item, s, x, y int, first bool) {
	p := t.p
	step := p.step0 + int64(s)
	switch it.kind {
	case itemMap:
		v := it.mapped.always
		if v == nil {
			v = it.mapped.steps[s]
		}
		for _, u := range v.units {
			from := u.lane0[t.id] + it.at.at
			lo, hi := max(x, from)-from, min(y, from+u.lanes[t.id])-from
			if lo < hi {
				u.run(t, t.id, step, p.host[s*p.plan.Host:], lo, hi)
			}
		}
		t.lap(phaseUpdate)
	case itemClear:
		if it.buf == backend.NoBuf {
			lo, hi := t.within(it.event, it.at, x, y)
			clear(t.masks[it.event][lo/32 : (hi+31)/32])
			return
		}
		lo, hi := p.lay.part(it.at, it.n, t.id)
		lo, hi = max(lo, clampSub(x, it.at.at)), min(hi, clampSub(y, it.at.at))
		if lo < hi {
			clear(p.bufs[it.buf][lo:hi])
		}
	case itemInject:
		if p.runs(it.stages[0], s) {
			lo, hi := t.within(it.event, it.at, x, y)
			t.inject(&p.plan.Stages[it.stages[0]], step, lo, hi)
		}
	case itemExtract:
		lo, hi := t.within(it.event, it.at, x, y)
		t.extract(it.event, step, lo, hi, first)
		t.lap(phaseRecord)
	case itemSample:
		if p.runs(it.stages[0], s) {
			p.samples[it.stages[0]].take(p, t.id, s, clampSub(x, it.at.at), clampSub(y, it.at.at))
		}
		t.lap(phaseRecord)
	case itemSpikes:
		t.spikes(it, s)
		t.lap(phaseRecord)
	case itemEffect:
		t.effect(it.stages[0], s)
	}
}

// within is the range of the thread's bits of an event, counted from its first,
// with coordinates x to y-1.
func (t *thread) within(event int, at place, x, y int) (lo, hi int) {
	lo = max(t.first[event], clampSub(x, at.at)) - t.first[event]
	hi = min(t.last[event], clampSub(y, at.at)) - t.first[event]
	return lo, max(lo, hi)
}

// clampSub is a-b where a may stand for no limit.
func clampSub(a, b int) int {
	if a == math.MinInt || a == math.MaxInt {
		return a
	}
	return a - b
}

// serial runs an item alone, on the lanes of all threads.
func (t *thread) serial(it *item, s int) {
	p := t.p
	if it.kind == itemEffect {
		t.effect(it.stages[0], s)
		return
	}
	v := it.mapped.always
	if v == nil {
		v = it.mapped.steps[s]
	}
	for _, u := range v.units {
		for part := range p.threads {
			u.run(t, part, p.step0+int64(s), p.host[s*p.plan.Host:], 0, u.lanes[part])
		}
	}
}

// clear zeroes the thread's share of a scratch buffer.
func (t *thread) clear(b backend.BufID) {
	if a := t.p.lay.accs[b]; a != nil {
		clear(t.accs[b][t.row*a.stride(t.id):][:a.words(t.id)])
		return
	}
	words := t.p.bufs[b]
	n := len(t.p.threads)
	clear(words[len(words)*t.id/n : len(words)*(t.id+1)/n])
}

// trapped keeps the least fault; no thread goes on past its step.
func (t *thread) trapped(f *backend.Fault) {
	if t.fault == nil || f.Less(t.fault) {
		t.fault = f
	}
	s := f.Step - t.p.step0
	for old := t.p.stop.Load(); s < old && !t.p.stop.CompareAndSwap(old, s); {
		old = t.p.stop.Load()
	}
}
