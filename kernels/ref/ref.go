// Package ref is the reference backend: scalar, sequential, a direct reading of
// the Plan through ir.Eval. It defines what a Plan means; it is not fast.
package ref

import (
	"fmt"
	"time"

	"synfire/engine/backend"
	"synfire/engine/host"
	"synfire/engine/ir"
)

func init() {
	backend.Register("ref", func(backend.Options) (backend.Backend, error) { return New(), nil })
}

// New opens the reference backend.
func New() backend.Backend { return reference{} }

type reference struct{}

func (reference) Name() string { return "ref" }
func (reference) Caps() backend.Caps {
	return backend.Caps{Device: "ir.Eval", Threads: 1, SIMD: "none"}
}
func (reference) Close() error { return nil }

func (reference) Load(w host.Work, plan *backend.Plan) (backend.Program, error) {
	if err := plan.Check(); err != nil {
		return nil, err
	}
	p := &program{plan: plan, used: make([]int, len(plan.Stages))}
	for i := range plan.Bufs {
		b := &plan.Bufs[i]
		words := make([]uint32, b.Len)
		copy(words, b.Init)
		p.bufs = append(p.bufs, words)
	}
	p.synapses = make([]*synapses, len(plan.Stages))
	for i := range plan.Stages {
		if s := &plan.Stages[i]; s.Form == backend.FormDeliver || s.Form == backend.FormEffect {
			var err error
			if p.synapses[i], err = listSynapses(w, plan.Tables[s.Table].Spec, s.Post); err != nil {
				return nil, fmt.Errorf("stage %s: %w", s.Name, err)
			}
			if err := p.synapses[i].check(plan, s); err != nil {
				return nil, fmt.Errorf("stage %s: %w", s.Name, err)
			}
		}
	}
	return p, nil
}

type program struct {
	plan     *backend.Plan
	bufs     [][]uint32  // by BufID, in canonical form all the time
	synapses []*synapses // by stage
	epoch    int64       // steps done when word Step was last 0
	fault    *backend.Fault

	// During a Run.
	row  int      // steps made by this Run
	host []uint32 // host words of this step and those that follow
	used []int    // by stage: entries of its records

	times []time.Duration // by stage, where they are asked for
}

func (p *program) step() int64 { return p.epoch + int64(p.bufs[p.plan.Step][0]) }

func (p *program) Run(n int, host []uint32) (int, error) {
	if err := p.guard().Run(n, host); err != nil {
		return 0, err
	}
	clear(p.used)
	for i := range p.plan.Stages {
		if s := &p.plan.Stages[i]; s.Form == backend.FormSample || s.Form == backend.FormSpikes {
			clear(p.bufs[s.Rec.Count])
		}
	}
	for p.row = 0; p.row < n; p.row++ {
		p.host = host[p.row*p.plan.Host:]
		if !p.fits() {
			break
		}
		p.advance()
		if p.fault != nil {
			return p.row + 1, p.fault
		}
	}
	return p.row, nil
}

// advance makes one step: design section 2, in the order of the stages.
func (p *program) advance() {
	for i := range p.plan.Events {
		clear(p.mask(i, p.step()))
	}
	for i := range p.plan.Stages {
		begin := time.Time{}
		if p.times != nil {
			begin = time.Now()
		}
		if s := &p.plan.Stages[i]; p.runs(s) {
			switch s.Form {
			case backend.FormMap:
				p.eval(s, p.env(s), 0, s.N)
			case backend.FormInject:
				p.inject(s)
			case backend.FormDeliver:
				p.deliver(s, p.synapses[i])
			case backend.FormEffect:
				p.effect(s, p.synapses[i])
			case backend.FormSample:
				p.sample(s, &p.used[i])
			case backend.FormSpikes:
				p.spikes(s, &p.used[i])
			}
		}
		if p.times != nil {
			p.times[i] += time.Since(begin)
		}
	}
	for i := range p.plan.Bufs {
		if p.plan.Bufs[i].Kind == backend.Scratch {
			clear(p.bufs[i])
		}
	}
	if p.bufs[p.plan.Step][0]++; p.bufs[p.plan.Step][0] == 0 {
		p.epoch += 1 << 32
	}
}

// TimeStages has every stage timed from now on.
func (p *program) TimeStages() { p.times = make([]time.Duration, len(p.plan.Stages)) }

// StageTimes is the time of each stage since TimeStages.
func (p *program) StageTimes() []time.Duration { return p.times }

var _ backend.StageTimer = (*program)(nil)

// runs says whether the stage runs in this step.
func (p *program) runs(s *backend.Stage) bool { return s.Flag < 0 || p.host[s.Flag] != 0 }

// fits says whether the records of this step fit if every recorded neuron fires.
func (p *program) fits() bool {
	for i := range p.plan.Stages {
		s := &p.plan.Stages[i]
		if s.Form != backend.FormSample && s.Form != backend.FormSpikes || !p.runs(s) {
			continue
		}
		after := p.used[i] + s.Rec.Width()
		if s.Form == backend.FormSpikes {
			after = p.used[i] + s.Rec.Hi - s.Rec.Lo
			if after > len(p.bufs[s.Rec.Index]) {
				return false
			}
		}
		for _, d := range s.Rec.Dst {
			if after > len(p.bufs[d]) {
				return false
			}
		}
	}
	return true
}

// mask is the bit mask of the event's step.
func (p *program) mask(event int, step int64) []uint32 {
	e := &p.plan.Events[event]
	row := int(step % int64(e.History))
	return p.bufs[e.Masks][row*e.Words() : (row+1)*e.Words()]
}

// fired says whether neuron i had the event at the step; no step before 0 was.
func (p *program) fired(event int, step int64, i int) bool {
	return step >= 0 && p.mask(event, step)[i/32]>>(i%32)&1 != 0
}

func (p *program) env(s *backend.Stage) *ir.Env {
	e := &ir.Env{Step: uint32(p.step()), Seed: p.plan.Key(), Drawn: uint32(p.plan.Drawn), Host: p.host, HostN: p.plan.Host, Traps: make([]uint32, len(s.Trap))}
	for i, b := range s.Bind {
		switch {
		case s.Prog.Slots[i].Kind == ir.Mask:
			e.Slots = append(e.Slots, p.mask(b.Event, p.step()))
		case b.Buf == backend.NoBuf:
			e.Slots = append(e.Slots, nil) // an end of the synapse, see effect
		default:
			e.Slots = append(e.Slots, p.bufs[b.Buf][b.Off:])
		}
	}
	return e
}

// eval runs lanes lo to hi-1 of the stage's program and keeps its least fault.
func (p *program) eval(s *backend.Stage, e *ir.Env, lo, hi int) {
	for i := range e.Traps {
		e.Traps[i] = ir.NoTrap
	}
	ir.Eval(s.Prog, e, lo, hi)
	for code, item := range e.Traps {
		if item != ir.NoTrap {
			f := &backend.Fault{Step: p.step(), Trap: s.Trap[code], Item: int(item)}
			if p.fault == nil || f.Less(p.fault) {
				p.fault = f
			}
		}
	}
}

func (p *program) inject(s *backend.Stage) {
	at := p.step()
	if s.Period > 0 {
		at %= s.Period
	}
	mask := p.mask(s.Event, p.step())
	for k, step := range s.Steps {
		if step == at {
			for _, i := range s.Index[s.Start[k]:s.Start[k+1]] {
				mask[i/32] |= 1 << (i % 32)
			}
		}
	}
}

// sample appends one word of each item.
func (p *program) sample(s *backend.Stage, used *int) {
	r := &s.Rec
	for n := range r.Width() {
		item := n
		if r.Items != nil {
			item = int(r.Items[n])
		}
		for k, src := range r.Src {
			p.bufs[r.Dst[k]][*used+n] = p.bufs[src.Buf][src.Off+item]
		}
	}
	*used += r.Width()
	p.bufs[r.Count][p.row] = 1
}

// spikes appends the neurons that have the event at this step.
func (p *program) spikes(s *backend.Stage, used *int) {
	r := &s.Rec
	for i := r.Lo; i < r.Hi; i++ {
		if !p.fired(s.Event, p.step(), i) {
			continue
		}
		p.bufs[r.Index][*used] = uint32(i)
		for k, src := range r.Src {
			p.bufs[r.Dst[k]][*used] = p.bufs[src.Buf][src.Off+i]
		}
		*used++
		p.bufs[r.Count][p.row]++
	}
}

func (p *program) guard() backend.Guard {
	return backend.Guard{Name: "ref", Plan: p.plan, Closed: p.bufs == nil, Fault: p.fault}
}

func (p *program) Read(b backend.BufID, dst []uint32) error {
	if err := p.guard().Read(b, len(dst)); err != nil {
		return err
	}
	copy(dst, p.bufs[b])
	return nil
}

func (p *program) Write(b backend.BufID, src []uint32) error {
	if err := p.guard().Write(b, len(src)); err != nil {
		return err
	}
	copy(p.bufs[b], src)
	return nil
}

func (p *program) Close() error {
	p.bufs, p.synapses = nil, nil
	return nil
}
