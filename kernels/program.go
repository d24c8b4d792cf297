package kernels

import (
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"synfire/engine/backend"
	"synfire/engine/host"
	"synfire/engine/ir"
)

// program is a plan on threads.
type program struct {
	cpu     *cpu
	work    host.Work // of building; while it loads
	plan    *backend.Plan
	lay     *layout
	sched   *schedule
	apart   bool       // stages are timed apart, in every step
	raises  []int      // by event: the stage that it comes from
	single  []int      // the numbers of stages, for lists of one
	bufs    [][]uint32 // by BufID, in canonical form; nil for accumulators and records of spikes
	parts   []*part
	own     []int     // those of this process: all, where it is alone
	over    *over     // the ranks that share the plan out; nil: it is not shared out
	threads []*thread // as many as there are own parts
	team    []*thread // those at work
	tables  []*built  // by stage
	effects []*effect // by stage
	owed    []*owed   // by stage: what is made up later
	// Where words of synapses lie that do not lie by number, by buffer; and which of them
	// only the rank has that has the synapses.
	segments map[backend.BufID][]segment
	owned    owning
	ends     [][]int     // by stage and source of its table: see due
	samples  []*sampling // by stage
	epoch    int64       // steps done when word Step was last 0
	fault    *backend.Fault

	// Spikes in flight are kept twice: as masks (canonical) and as lists. After
	// a Run the lists are newer, after a Write of masks the masks are.
	masksOld, listsOld bool
	given              uint32 // tells initial words apart that were made as they were asked for
	moved              bool   // the state was written, and what is owed begins anew

	pace    *pace
	base    float64 // work of a step without its synaptic events, in seconds as a guess
	crowded bool    // more threads than processors
	wish    int     // parts, were all processors free
	light   bool

	// During a Run.
	step0    int64
	host     []uint32
	n        int          // steps that are wanted
	from, to int          // the stretch of steps whose deliveries go together; where there is room for records
	full     bool         // there is no more
	stop     atomic.Int64 // step of the Run in which the earliest fault lies
	until    atomic.Int64 // the step before which the team may make steps
	stride   int          // steps of a round
	last     roundEnd
}

// roundEnd is when and where the last round of steps ended.
type roundEnd struct {
	at     time.Time
	step   int
	events uint64
}

func newProgram(w host.Work, c *cpu, plan *backend.Plan, parts int) (*program, error) {
	if !c.beside {
		w.Threads = c.threads
	}
	if !light(plan) { // what the last program left is worth a collection
		runtime.GC()
	}
	p := &program{cpu: c, work: w, plan: plan, lay: newLayout(w, plan, parts), wish: c.wish(plan), light: light(plan)}
	p.sched = newSchedule(plan, p.lay)
	for i := range plan.Stages {
		p.single = append(p.single, i)
	}
	if c.ranks != nil && c.ranks.Size() > 1 && !p.lay.plain {
		if p.over = newOver(c.ranks, p); p.over == nil {
			p.owned = owning{}
			p.lay = newLayout(w, plan, c.threads)
			p.sched = newSchedule(plan, p.lay)
		}
	}
	for k := range p.lay.parts {
		if p.over == nil || k/c.threads == p.over.Rank() {
			p.own = append(p.own, k)
		}
	}
	p.crowded = runtime.GOMAXPROCS(0) < len(p.own)
	p.pace, p.base, p.stride = c.paceFor(len(p.own)), baseWork(plan), p.sched.rows
	if err := p.loadTables(); err != nil {
		p.Close()
		return nil, err
	}
	p.bufs = make([][]uint32, len(plan.Bufs))
	grows := map[backend.BufID]bool{} // as spikes are recorded
	for i := range plan.Stages {
		if st := &plan.Stages[i]; st.Form == backend.FormSpikes {
			grows[st.Rec.Index] = true
			for _, d := range st.Rec.Dst {
				grows[d] = true
			}
		}
	}
	for i := range plan.Bufs {
		if id := backend.BufID(i); p.lay.accs[id] == nil && !grows[id] {
			p.bufs[i] = aligned(p.held(id))
			if err := p.setFirst(id); err != nil {
				p.Close()
				return nil, err
			}
		}
	}
	for _, all := range p.segments {
		for _, s := range all {
			if s.list != nil && !s.list.keep {
				s.list.number = nil
			}
		}
	}
	for k := range p.lay.parts {
		p.parts = append(p.parts, newPart(p, k))
	}
	for k := range p.own {
		p.threads = append(p.threads, &thread{p: p, id: k})
	}
	p.samples = make([]*sampling, len(plan.Stages))
	for _, o := range p.sched.ops {
		for _, it := range o.items {
			err := w.Err()
			if err != nil {
				p.Close()
				return nil, err
			}
			switch it.kind {
			case itemMap:
				it.mapped, err = newMapped(p, it)
			case itemEffect:
				if o := p.owed[it.stages[0]]; o != nil {
					o.bind(p)
				} else {
					p.effects[it.stages[0]].bind(p)
				}
			case itemSample:
				p.samples[it.stages[0]], err = newSampling(p, it, o.kind == opLocal)
			}
			if err != nil {
				p.Close()
				return nil, err
			}
		}
	}
	p.masksOld, p.listsOld, p.moved = false, true, true
	if p.over != nil {
		p.over.keep()
	}
	return p, nil
}

// aligned returns n zero words that begin a line of memory.
func aligned(n int) []uint32 {
	all := make([]uint32, n+16)
	off := 0
	for uintptr(unsafe.Pointer(&all[off]))%64 != 0 {
		off++
	}
	return all[off : off+n : off+n]
}

func (p *program) now() int64 { return p.epoch + int64(p.bufs[p.plan.Step][0]) }

func (p *program) runs(stage, s int) bool {
	f := p.plan.Stages[stage].Flag
	return f < 0 || p.host[s*p.plan.Host+f] != 0
}

// Run advances up to n steps.
func (p *program) Run(n int, host []uint32) (int, error) {
	if err := p.guard().Run(n, host); err != nil {
		return 0, err
	}
	p.host, p.step0 = host, p.now()
	p.stop.Store(math.MaxInt64)
	n, err := p.prepare(n)
	if err != nil {
		return 0, err
	}
	p.freshenLists()
	p.beginOwing()
	p.n, p.from, p.to, p.full = n, 0, 0, false
	if p.over != nil {
		p.over.begin()
	}
	p.last = roundEnd{at: time.Now()}
	for _, t := range p.threads {
		t.ended, t.fault, t.due, t.work = 0, nil, 0, 0
	}
	for _, h := range p.parts {
		for i := range h.recs {
			if st := &p.plan.Stages[i]; st.Form == backend.FormSpikes {
				h.recs[i].begin(len(st.Rec.Src), n)
			}
		}
	}
	for s := 0; s < n && !p.full && int64(s) <= p.stop.Load(); {
		s = p.together(s, p.pace.size())
	}
	return p.finish()
}

// together makes steps from s on with so many threads, until the run ends or
// another number is to be at work, and returns the step to go on with.
func (p *program) together(s, threads int) int {
	p.team = p.threads[:threads]
	p.until.Store(p.step0 + int64(s))
	for k, t := range p.team {
		t.parts = p.parts[p.own[0]:][k*len(p.own)/threads : (k+1)*len(p.own)/threads]
		t.barriers, t.waited, t.spun = 0, 0, 0
		t.progress.done.Store(p.step0 + int64(s))
		t.progress.met.Store(0)
	}
	var others sync.WaitGroup
	for _, t := range p.team[1:] {
		others.Go(func() { t.run(s) })
	}
	p.team[0].run(s)
	others.Wait()
	p.measure(p.team[0].ended)
	return p.team[0].ended
}

// round ends a round of steps at step s, where the whole team is, and returns
// where the next one ends; s where there is none.
func (p *program) round(s int) int {
	if p.over != nil {
		return p.over.round(s)
	}
	p.measure(s)
	if p.pace.size() != len(p.team) {
		return s
	}
	if s == p.to {
		p.from, p.to = s, p.roomUntil(s, p.n)
		p.full = s == p.to
	}
	return min(s+p.stride, p.to)
}

// A round is as many steps as take about so long: short enough to leave a team
// that is held up at once, long enough that its start costs nothing.
const roundTime = 500 * time.Microsecond

// measure tells the pace what the last round was, which ended at step s.
func (p *program) measure(s int) {
	if s == p.last.step {
		return
	}
	now := roundEnd{at: time.Now(), step: s}
	var waited time.Duration
	for _, t := range p.threads { // who is not at work has delivered before
		now.events += t.work
		waited += t.waited + time.Duration(t.spun)*pauseTime()
		t.waited, t.spun = 0, 0
	}
	took, steps := now.at.Sub(p.last.at), s-p.last.step
	p.pace.add(took, float64(p.base*float64(steps))+float64(eventWork*float64(now.events-p.last.events)), waited)
	p.last = now

	p.stride = min(2*p.stride, int(float64(steps)*float64(roundTime)/float64(max(took, 1))))
	if p.sched.blocks {
		p.stride -= p.stride % p.sched.rows
	}
	if shuffle != nil {
		p.stride = 1 + shuffle(9)
		return
	}
	p.stride = max(p.stride, p.sched.rows)
}

// prepare sets up what the host words decide, and says how many of the n steps
// the records of samples have room for.
func (p *program) prepare(n int) (int, error) {
	for _, s := range p.samples {
		if s != nil {
			n = s.prepare(p, n)
		}
	}
	for _, o := range p.sched.ops {
		for _, it := range o.items {
			if it.kind != itemMap || it.mapped.always != nil {
				continue
			}
			it.mapped.steps = it.mapped.steps[:0]
			for s := range n {
				v, err := it.mapped.prepare(p.host[s*p.plan.Host : (s+1)*p.plan.Host])
				if err != nil {
					return 0, err
				}
				it.mapped.steps = append(it.mapped.steps, v)
			}
		}
	}
	return n, nil
}

// finish gathers what the threads have done.
func (p *program) finish() (int, error) {
	start := time.Now()
	done := p.threads[0].ended
	for _, t := range p.threads {
		if t.fault != nil && (p.fault == nil || t.fault.Less(p.fault)) {
			p.fault = t.fault
		}
	}
	if p.fault != nil {
		done = int(p.fault.Step-p.step0) + 1
	}
	fresh := uint64(0)
	for _, t := range p.threads {
		fresh += t.due
	}
	if p.over != nil {
		fresh = p.over.gather(done, fresh)
	}
	p.gather(done)
	p.masksOld = true
	word := &p.bufs[p.plan.Step][0]
	if uint64(*word)+uint64(done) >= 1<<32 {
		p.epoch += 1 << 32
	}
	*word += uint32(done)
	due := p.bufs[p.plan.Due]
	count := (uint64(due[1])<<32 | uint64(due[0])) + fresh
	due[0], due[1] = uint32(count), uint32(count>>32)
	p.threads[0].clock[phaseRecord] += time.Since(start)
	if p.fault != nil {
		return done, p.fault
	}
	return done, nil
}

func (p *program) guard() backend.Guard {
	return backend.Guard{Name: "cpu", Plan: p.plan, Closed: p.bufs == nil, Fault: p.fault, Room: p.room}
}

// Read copies canonical words.
func (p *program) Read(b backend.BufID, dst []uint32) error {
	if err := p.guard().Read(b, len(dst)); err != nil {
		return err
	}
	if p.plan.Bufs[b].Kind == backend.Scratch {
		clear(dst)
		return nil
	}
	p.settleFor(b)
	switch {
	case p.isMask(b):
		p.freshenMasks()
	case p.over != nil:
		p.over.read(b)
	}
	if err := p.wordsOf(b, dst); err != nil || !p.owned.bufs[b] {
		return err
	}
	p.over.For(host.MeetRead).Or(dst)
	return nil
}

// room is the number of words of a buffer, as far as they can be read and written.
func (p *program) room(b backend.BufID) int {
	if p.owned.bufs[b] {
		return p.plan.Bufs[b].Len
	}
	return len(p.bufs[b])
}

// Write replaces canonical words.
func (p *program) Write(b backend.BufID, src []uint32) error {
	if err := p.guard().Write(b, len(src)); err != nil {
		return err
	}
	p.settle()
	p.moved = true
	if b == p.plan.Step || p.isMask(b) {
		p.freshenMasks()
		p.listsOld = true
	}
	if p.over == nil {
		return p.setWords(b, src)
	}
	p.over.read(b)
	err := p.setWords(b, src)
	p.over.wrote(b)
	return err
}

func (p *program) isMask(b backend.BufID) bool {
	for i := range p.plan.Events {
		if p.plan.Events[i].Masks == b {
			return true
		}
	}
	return false
}

// Close gives the program's memory back; tables stay with the backend until a
// plan without them is loaded.
func (p *program) Close() error {
	p.cpu.mu.Lock()
	defer p.cpu.mu.Unlock()
	for _, b := range p.tables {
		if b != nil {
			b.users--
		}
	}
	p.over = nil
	p.bufs, p.parts, p.threads, p.team, p.tables, p.effects, p.owed = nil, nil, nil, nil, nil, nil, nil
	return nil
}

// Phases of a profile.
const (
	phaseUpdate = iota
	phaseDeliver
	phaseRecord
	phaseWait
	phases
)

// Profile says where the time went, summed over threads. Threads look at the
// clock in one step of 64.
func (p *program) Profile() []backend.Phase {
	out := []backend.Phase{{Name: "update"}, {Name: "deliver"}, {Name: "record"}, {Name: "wait"}}
	for _, t := range p.threads {
		for i := range out {
			out[i].Time += t.clock[i]
		}
	}
	return out
}

var (
	_ backend.Profiler   = (*program)(nil)
	_ backend.StageTimer = (*program)(nil)
)

// TimeStages has every step timed, stage by stage. The listing of an event's spikes
// counts for the stage that raises it.
func (p *program) TimeStages() {
	p.apart, p.raises = true, make([]int, len(p.plan.Events))
	for i := range p.plan.Stages {
		st := &p.plan.Stages[i]
		if st.Form == backend.FormInject {
			p.raises[st.Event] = i
		}
		if st.Form != backend.FormMap {
			continue
		}
		for _, in := range st.Prog.Ins {
			if in.Op == ir.StoreBit {
				p.raises[st.Bind[in.Imm].Event] = i
			}
		}
	}
	for _, t := range p.threads {
		t.stages = make([]time.Duration, len(p.plan.Stages))
	}
}

// StageTimes is the time of each stage, summed over threads, since TimeStages.
func (p *program) StageTimes() []time.Duration {
	out := make([]time.Duration, len(p.plan.Stages))
	for _, t := range p.threads {
		for i, d := range t.stages {
			out[i] += d
		}
	}
	return out
}

// one is the list of one stage.
func (p *program) one(stage int) []int { return p.single[stage : stage+1] }
