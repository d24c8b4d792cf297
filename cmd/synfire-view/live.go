package main

import (
	"context"
	"sync"

	"synfire/engine/backend"
	"synfire/engine/host"
)

// pace lets a model advance as the person at the window wants it to.
type pace struct {
	mu     sync.Mutex
	more   sync.Cond
	allow  float64 // steps that may be made now
	paused bool
	speed  float64 // model time per wall time
	ended  bool    // the window is closed
}

func newPace(speed float64) *pace {
	p := &pace{speed: speed}
	p.more.L = &p.mu
	return p
}

// tick allows the steps of a stretch of wall time. What the model is too slow for is not owed to it.
func (p *pace) tick(seconds, dt float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.paused || dt == 0 {
		return
	}
	p.allow = min(p.allow+seconds*p.speed/dt, max(1, 0.1*p.speed/dt))
	p.more.Broadcast()
}

// step allows one step of a model that is paused; one that runs is paused.
func (p *pace) step() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.allow = 0
	if p.paused {
		p.allow = 1
	}
	p.paused = true
	p.more.Broadcast()
}

func (p *pace) toggle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.paused, p.allow = !p.paused, 0
}

func (p *pace) scale(f float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.speed = min(max(p.speed*f, 1.0/1024), 64)
}

func (p *pace) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	p.more.Broadcast()
}

func (p *pace) state() (paused bool, speed float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.paused, p.speed
}

// take waits until steps are allowed and returns how many of n may be made.
func (p *pace) take(n int) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.allow < 1 && !p.ended {
		p.more.Wait()
	}
	if p.ended {
		return 0, context.Canceled
	}
	k := min(n, int(p.allow))
	p.allow -= float64(k)
	return k, nil
}

// live is a backend that advances at the pace of a window and shows it the spikes.
type live struct {
	backend.Backend
	pace  *pace
	scene *scene
}

// Load implements backend.Backend.
func (l *live) Load(w host.Work, p *backend.Plan) (backend.Program, error) {
	prog, err := l.Backend.Load(w, p)
	if err != nil {
		return nil, err
	}
	x := &liveProgram{Program: prog, l: l, plan: p, of: map[backend.BufID]int{}, event: map[int]bool{}, counts: map[int][]uint32{}}
	for i := range p.Stages {
		s := &p.Stages[i]
		if s.Form != backend.FormSpikes || !p.Events[s.Event].Spike || x.event[s.Event] || s.Rec.Lo != 0 || s.Rec.Hi != p.Events[s.Event].N {
			continue
		}
		x.event[s.Event] = true
		x.of[s.Rec.Count], x.of[s.Rec.Index] = i, i
		l.scene.population(p.Events[s.Event].Name, p.Events[s.Event].N)
	}
	l.scene.clock(p.Dt)
	return x, nil
}

type liveProgram struct {
	backend.Program
	l      *live
	plan   *backend.Plan
	of     map[backend.BufID]int // the stage that a record belongs to
	event  map[int]bool
	counts map[int][]uint32
	steps  int64 // at which the last Run began
}

// Run implements backend.Program.
func (x *liveProgram) Run(n int, host []uint32) (int, error) {
	k, err := x.l.pace.take(n)
	if err != nil {
		return 0, err
	}
	x.steps = x.l.scene.steps()
	done, err := x.Program.Run(k, host[:k*x.plan.Host])
	x.l.scene.advance(int64(done))
	return done, err
}

// Read implements backend.Program: the engine takes in the records of every run, counts first.
func (x *liveProgram) Read(b backend.BufID, dst []uint32) error {
	if err := x.Program.Read(b, dst); err != nil {
		return err
	}
	i, ok := x.of[b]
	if !ok {
		return nil
	}
	s := &x.plan.Stages[i]
	if b == s.Rec.Count {
		x.counts[i] = append(x.counts[i][:0], dst...)
		return nil
	}
	at := 0
	for k, c := range x.counts[i] {
		x.l.scene.spikes(x.plan.Events[s.Event].Name, x.steps+int64(k), dst[at:at+int(c)])
		at += int(c)
	}
	return nil
}
