package model

import (
	"sync"

	"synfire/engine/connect"
)

// Pool is one trial's part in the tables that trials of a network have in common. The first
// that comes to a table defines it, and it is kept until the last has come, or until a trial
// is over that has not: then it is not one of all.
type Pool struct {
	*pooled
	had map[SpecKey]bool
}

// pooled is what all have.
type pooled struct {
	mu    sync.Mutex
	left  int // trials that are not over
	specs map[SpecKey]*waiting
}

// waiting is a table for which some trials are still to come.
type waiting struct {
	spec *connect.Spec
	left int
}

// Pools are those of so many trials, each to be used by one goroutine.
func Pools(trials int) []*Pool {
	all := &pooled{left: trials, specs: map[SpecKey]*waiting{}}
	out := make([]*Pool, trials)
	for k := range out {
		out[k] = &Pool{pooled: all, had: map[SpecKey]bool{}}
	}
	return out
}

// Spec is the table of that content that another trial has, or s.
func (p *Pool) Spec(key SpecKey, s *connect.Spec) *connect.Spec {
	if p == nil {
		return s
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.had[key] {
		return s
	}
	p.had[key] = true
	x := p.specs[key]
	if x == nil {
		x = &waiting{s, p.left}
		p.specs[key] = x
		s.Hold()
	}
	if x.left--; x.left == 0 {
		p.release(key)
	}
	return x.spec
}

// End says that the trial is over, and will come to no further table. It is called once.
func (p *Pool) End() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left--
	for key := range p.specs {
		if !p.had[key] {
			p.release(key)
		}
	}
}

func (p *pooled) release(key SpecKey) {
	p.specs[key].spec.Release()
	delete(p.specs, key)
}
