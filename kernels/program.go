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
)

// program is a plan on threads.
type program struct {
	cpu     *cpu
	work    host.Work // of building; while it loads
	plan    *backend.Plan
	lay     *layout
	sched   *schedule
	bufs    [][]uint32 // by BufID, in canonical form; nil for accumulators and records of spikes
	threads []*thread
	tables  []*built    // by stage
	effects []*effect   // by stage
	ends    [][]int     // by stage and source of its table: see due
	samples []*sampling // by stage
	spins   int         // times that a waiting thread looks before it gives way
	epoch   int64       // steps done when word Step was last 0
	fault   *backend.Fault

	// Spikes in flight are kept twice: as masks (canonical) and as lists. After
	// a Run the lists are newer, after a Write of masks the masks are.
	masksOld, listsOld bool

	// During a Run.
	step0 int64
	host  []uint32
	stop  atomic.Int64 // step of the Run in which the earliest fault lies
}

func newProgram(w host.Work, c *cpu, plan *backend.Plan) (*program, error) {
	w.Threads = c.threads
	p := &program{cpu: c, work: w, plan: plan, lay: newLayout(plan, c.team(plan)), spins: 500}
	p.sched = newSchedule(plan, p.lay)
	if runtime.GOMAXPROCS(0) < p.lay.threads {
		p.spins = 1
	}
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
			p.bufs[i] = aligned(plan.Bufs[i].Len)
			copy(p.bufs[i], plan.Bufs[i].Init)
		}
	}
	for t := range p.lay.threads {
		p.threads = append(p.threads, newThread(p, t))
	}
	p.samples = make([]*sampling, len(plan.Stages))
	for _, o := range p.sched.ops {
		for _, it := range o.items {
			var err error
			switch it.kind {
			case itemMap:
				it.mapped, err = newMapped(p, it)
			case itemEffect:
				p.effects[it.stages[0]].bind(p)
			case itemSample:
				p.samples[it.stages[0]] = newSampling(p, it, o.kind == opLocal)
			}
			if err != nil {
				p.Close()
				return nil, err
			}
		}
	}
	p.masksOld, p.listsOld = false, true
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
	for _, t := range p.threads {
		t.begin(n)
	}
	var others sync.WaitGroup
	for _, t := range p.threads[1:] {
		others.Add(1)
		go func() {
			defer others.Done()
			t.run(n)
		}()
	}
	p.threads[0].run(n)
	others.Wait()
	return p.finish()
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
	p.gather(done)
	p.masksOld = true
	word := &p.bufs[p.plan.Step][0]
	if uint64(*word)+uint64(done) >= 1<<32 {
		p.epoch += 1 << 32
	}
	*word += uint32(done)
	due := p.bufs[p.plan.Due]
	count := uint64(due[1])<<32 | uint64(due[0])
	for _, t := range p.threads {
		count += t.due
	}
	due[0], due[1] = uint32(count), uint32(count>>32)
	p.threads[0].clock[phaseRecord] += time.Since(start)
	if p.fault != nil {
		return done, p.fault
	}
	return done, nil
}

func (p *program) guard() backend.Guard {
	return backend.Guard{Name: "cpu", Plan: p.plan, Closed: p.bufs == nil, Fault: p.fault, Room: func(b backend.BufID) int { return len(p.bufs[b]) }}
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
	if p.isMask(b) {
		p.freshenMasks()
	}
	copy(dst, p.bufs[b])
	return nil
}

// Write replaces canonical words.
func (p *program) Write(b backend.BufID, src []uint32) error {
	if err := p.guard().Write(b, len(src)); err != nil {
		return err
	}
	if b == p.plan.Step || p.isMask(b) {
		p.freshenMasks()
		p.listsOld = true
	}
	copy(p.bufs[b], src)
	return nil
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
	for _, b := range p.tables {
		if b != nil {
			b.users--
		}
	}
	p.bufs, p.threads, p.tables, p.effects = nil, nil, nil, nil
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
// clock in one step of sixteen.
func (p *program) Profile() []backend.Phase {
	out := []backend.Phase{{Name: "update"}, {Name: "deliver"}, {Name: "record"}, {Name: "wait"}}
	for _, t := range p.threads {
		for i := range out {
			out[i].Time += t.clock[i]
		}
	}
	return out
}

var _ backend.Profiler = (*program)(nil)
