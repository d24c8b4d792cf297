//go:build egl && cgo && linux

package shaders

import (
	"math"
	"slices"
	"time"

	"github.com/go-gl/gl/v4.3-core/gl"

	"synfire/engine/backend"
)

// Run hands a whole batch to the device: parameters and host words first, then
// passes, then one look at the control block and at the records.
func (p *program) Run(n int, host []uint32) (int, error) {
	j := p.begun
	if p.begun = nil; j != nil {
		<-j.ended
	} else {
		var err error
		if j, err = p.job(n, host); err != nil {
			return 0, err
		}
		p.d.run(j)
	}
	if j.err != nil {
		p.failed = j.err
		return 0, j.err
	}
	return p.adopt(j)
}

// Start begins a Run, which the thread of the context makes while the records of the last one are read.
func (p *program) Start(n int, host []uint32) error {
	j, err := p.job(n, host)
	if err != nil {
		return err
	}
	j.ended = make(chan struct{})
	p.begun = j
	go func() {
		p.d.run(j)
		close(j.ended)
	}()
	return nil
}

// job is a Run to be made.
func (p *program) job(n int, host []uint32) (*job, error) {
	if err := p.guard().Run(n, host); err != nil {
		return nil, err
	}
	words, samples, n := p.hostWords(min(n, p.l.batch), host)
	return &job{p: p, n: n, words: words, samples: samples}, nil
}

// hostWords puts the number of earlier samples of each sample stage beside a
// step's host words, and cuts the run before a sample that does not fit.
func (p *program) hostWords(n int, host []uint32) (words []uint32, taken [][]uint32, steps int) {
	stages := p.plan.Stages
	taken = make([][]uint32, len(stages)) // by stage: 1 for each step that takes a sample
	count := make([]uint32, len(stages))
	words = make([]uint32, 0, n*p.l.hostN)
	for s := range n {
		row := host[s*p.plan.Host : (s+1)*p.plan.Host]
		for i := range stages {
			if r := &stages[i].Rec; stages[i].Form == backend.FormSample && (stages[i].Flag < 0 || row[stages[i].Flag] != 0) {
				for _, d := range r.Dst {
					if (int(count[i])+1)*r.Width() > p.plan.Bufs[d].Len {
						return words, taken, s
					}
				}
			}
		}
		words = append(words, row...)
		for i := range stages {
			if stages[i].Form != backend.FormSample {
				continue
			}
			words = append(words, count[i])
			on := uint32(0)
			if stages[i].Flag < 0 || row[stages[i].Flag] != 0 {
				on = 1
			}
			taken[i] = append(taken[i], on)
			count[i] += on
		}
	}
	return words, taken, n
}

func (p *program) now() int64 { return p.epoch + int64(p.step) }

// run does a Run alone, on the thread of the context.
func (p *program) run(n int, words []uint32, samples [][]uint32) (int, error) {
	j := &job{p: p, n: n, words: words, samples: samples}
	if p.d.runAll([]*job{j}); j.err != nil {
		return 0, j.err
	}
	return p.adopt(j)
}

// begin does what comes before the dispatches of a Run.
func (j *job) begin() error {
	f, begin := &j.p.profile, time.Now()
	if !f.last.IsZero() {
		f.between += begin.Sub(f.last)
	}
	j.p.prepare(j.n, j.words)
	f.prepare += time.Since(begin)
	return j.p.d.check("preparing a run")
}

// end reads what a Run has made.
func (j *job) end() error {
	p, begin := j.p, time.Now()
	defer func() {
		p.profile.last = time.Now()
		p.profile.read += p.profile.last.Sub(begin)
		p.profile.steps += j.done
	}()
	j.control = make([]uint32, p.l.ctlN)
	p.control.read(0, j.control)
	if err := p.d.check("reading results"); err != nil {
		return err
	}
	if p.l.sc.single && j.n > 0 {
		p.primed = true
		copy(p.ahead, j.control[p.l.dueAt:])
	}
	j.done = min(j.n, int(j.control[ctlHalt]))
	if at := j.control[ctlFault]; int(at) < j.done {
		j.done = int(at) + 1
	}
	j.collect()
	return p.d.check("reading records")
}

// adopt makes what a Run has made the program's.
func (p *program) adopt(j *job) (int, error) {
	if at := j.control[ctlFault]; int(at) < j.done {
		p.fault = p.findFault(at, j.control)
	}
	p.keep(j)
	p.due += uint64(j.control[ctlDue+1])<<32 | uint64(j.control[ctlDue])
	if before := p.step; p.step+uint32(j.done) < before {
		p.epoch += 1 << 32
	}
	p.step += uint32(j.done)
	if p.fault != nil {
		return j.done, p.fault
	}
	return j.done, nil
}

// prepare writes what the device needs to know for n steps.
func (p *program) prepare(n int, words []uint32) {
	now, l := p.now(), p.l
	for e, m := range p.masks {
		p.giveMasks(e, m)
		delete(p.masks, e)
	}
	head := slices.Clone(l.params[:l.tableParam(len(p.plan.Tables))])
	key := p.plan.Key()
	head[parStep], head[parKey], head[parKey+1], head[parDrawn] = uint32(now), key[0], key[1], uint32(p.plan.Drawn)
	head[parSteps] = uint32(n)
	for e := range p.plan.Events {
		x := &l.events[e]
		ahead := l.sc.span
		if x.injected {
			ahead = min(n, x.rows)
		}
		p.fillRows(x.masks, p.plan.Events[e].Words(), x.rows, int(now%int64(x.rows)), ahead, 0)
	}
	for t := range l.tables {
		if x := &l.tables[t]; x.cap > 0 {
			p.fillRows(x.counts, 1, x.rows, int(now%int64(x.rows)), l.sc.span, 0)
		}
	}
	for t := range p.plan.Tables {
		tab := &p.plan.Tables[t]
		head[l.tableParam(t)] = clampStep(max(tab.First, 0) - now)
		head[l.tableParam(t)+1] = clampStep(tab.Last - now)
	}
	p.params.write(0, head)
	p.params.write(p.hostAt, words)
	control := make([]uint32, l.ctlN)
	control[ctlFault], control[ctlHalt] = unlisted, unlisted
	for i := l.faults; i < l.dueAt; i++ {
		control[i] = unlisted
	}
	if l.sc.single && !p.primed {
		clear(p.ahead)
		for b, use := range l.sc.scratch {
			if use == taken {
				p.fill(l.bufs[b], 0, l.bufs[b].words, 0)
			}
		}
	}
	copy(control[l.dueAt:], p.ahead)
	p.control.write(0, control)
	for i := range p.plan.Stages {
		if p.plan.Stages[i].Form == backend.FormInject {
			p.inject(&p.plan.Stages[i], n, words)
		}
	}
}

// fillRows fills rows row, row+1, ... of a ring of rows.
func (p *program) fillRows(r region, width, rows, row, n int, word uint32) {
	first := min(n, rows-row)
	p.fill(r, row*width, first*width, word)
	p.fill(r, 0, (n-first)*width, word)
}

func clampStep(s int64) uint32 { return uint32(int32(max(math.MinInt32, min(math.MaxInt32, s)))) }

// inject sets the bits of an injected event for n steps.
func (p *program) inject(s *backend.Stage, n int, words []uint32) {
	e, x := &p.plan.Events[s.Event], &p.l.events[s.Event]
	row := make([]uint32, e.Words())
	for at := range n {
		if s.Flag >= 0 && words[at*p.l.hostN+s.Flag] == 0 {
			continue
		}
		step := p.now() + int64(at)
		if s.Period > 0 {
			step %= s.Period
		}
		k, ok := slices.BinarySearch(s.Steps, step)
		if !ok || s.Start[k] == s.Start[k+1] {
			continue
		}
		off := int((p.now()+int64(at))%int64(x.rows)) * e.Words()
		p.get(x.masks, off, row) // another stage may inject into it too
		for _, i := range s.Index[s.Start[k]:s.Start[k+1]] {
			row[i/32] |= 1 << (i % 32)
		}
		p.put(x.masks, off, row)
	}
}

// submit dispatches n steps, waiting after as many as take some 25 ms. It says how many it made, which are fewer where the
// run is interrupted.
func (p *program) submit(n int, words []uint32) (int, error) {
	span, most := p.l.sc.span, p.d.opt.Submit
	if !p.primed && n > 0 {
		gl.MemoryBarrier(gl.SHADER_STORAGE_BARRIER_BIT) // it reads masks and lists of the last Run
		for i := range p.prime {
			p.dispatch(&p.prime[i], 0, span, 1)
		}
	}
	at, over := 0, false
	for at < n && !over && (at == 0 || p.work.Err() == nil) {
		begin := time.Now()
		steps := max(1, int(p.rate*0.025))
		if most > 0 {
			steps = most
		}
		if p.d.chainBad {
			steps = 1
		}
		end := min(n, at+(steps+span-1)/span*span)
		from := at
		times := (end - at + span - 1) / span
		if p.l.sc.single {
			p.stamp(-1)
			if p.looping() {
				p.makePasses(times)
			} else {
				p.repeat(&p.passes[0], times, 1)
			}
			p.stamp(0)
			at, times = end, 1
		}
		for ; at < end; at += span {
			p.pass(at, min(span, n-at), words, at == from)
		}
		at = min(at, n)
		gl.MemoryBarrier(gl.BUFFER_UPDATE_BARRIER_BIT)
		waits := time.Now()
		if err := p.d.wait(); err != nil {
			return at, err
		}
		p.profile.submit += waits.Sub(begin)
		p.profile.wait += time.Since(waits)
		p.stamped(times)
		var err error
		if at, over, err = p.reached(at, n); err != nil {
			return at, err
		}
		now := float64(at-from) / max(time.Since(begin).Seconds(), 1e-6)
		if p.rate == 0 || now < p.rate {
			p.rate = now
		} else {
			p.rate = min(now, 2*p.rate)
		}
	}
	return at, nil
}

// pass dispatches the kernels of k steps from step s of the run, and with timed notes how long each takes.
func (p *program) pass(s, k int, words []uint32, timed bool) {
	if timed {
		p.stamp(-1)
	}
	barrier := true // the next pass reads what the last one wrote
	for i := range p.passes {
		x := &p.passes[i]
		barrier = barrier || x.barrier // though it may not run itself
		if x.groups == 0 || x.flags != nil && !p.flagged(x.flags, s, k, words) {
			continue
		}
		if barrier {
			gl.MemoryBarrier(gl.SHADER_STORAGE_BARRIER_BIT)
			barrier = false
		}
		p.dispatch(x, s, k, 1)
		if timed {
			p.stamp(i)
		}
	}
}

// bindDispatch makes a kernel current, with what it binds and what does not change from step to step.
func (p *program) bindDispatch(x *dispatch) {
	gl.UseProgram(x.program)
	p.d.bind(x.buffers)
	gl.Uniform1ui(x.q, x.table)
	gl.Uniform1ui(x.n, x.bodies)
	p.place(x)
}

// shape is the number of work groups by axis.
func (x *dispatch) shape() (across, down uint32) {
	if x.groups <= wide {
		return uint32(x.groups), 1
	}
	return wide, uint32((x.groups + wide - 1) / wide)
}

// dispatch is for so many programs that lie beside one another, of which p is the first.
func (p *program) dispatch(x *dispatch, s, k, programs int) {
	p.bindDispatch(x)
	gl.Uniform1ui(x.s, uint32(s))
	gl.Uniform1ui(x.k, uint32(k))
	across, down := x.shape()
	gl.DispatchCompute(across, down, uint32(programs))
	dispatches.Add(1)
}

// repeat dispatches a kernel that is a whole pass n times, for so many programs: nothing but barriers stands between.
func (p *program) repeat(x *dispatch, n, programs int) {
	p.bindDispatch(x)
	across, down := x.shape()
	repeatDispatch(across, down, uint32(programs), n)
	dispatches.Add(int64(n))
}

func (p *program) flagged(flags []int, s, k int, words []uint32) bool {
	for at := s; at < s+k; at++ {
		for _, f := range flags {
			if words[at*p.l.hostN+f] != 0 {
				return true
			}
		}
	}
	return false
}

// findFault is the least fault of step at of the run.
func (p *program) findFault(at uint32, control []uint32) *backend.Fault {
	var least *backend.Fault
	row := p.l.faults + int(at)%p.l.sc.span*len(p.l.traps)
	for r, t := range p.l.traps {
		if item := control[row+r]; item != unlisted {
			f := &backend.Fault{Step: p.now() + int64(at), Trap: p.plan.Stages[t.stage].Trap[t.code], Item: int(item)}
			if least == nil || f.Less(least) {
				least = f
			}
		}
	}
	return least
}
