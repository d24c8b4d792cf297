package model

import (
	"sync"

	"synfire/engine/connect"
)

// Pool is one trial's part in the tables that trials of a network have in common. The first
// that comes to a table defines it, and it is kept until the last has come.
type Pool struct {
	*pooled
	had  map[SpecKey]bool
	over bool
}

// pooled is what all have.
type pooled struct {
	mu     sync.Mutex
	trials int
	ended  int
	specs  map[SpecKey]*waiting
}

// waiting is a table for which some trials are still to come.
type waiting struct {
	spec *connect.Spec
	had  int // trials that have come, of those that go on
}

// Pools are those of so many trials, each to be used by one goroutine.
func Pools(trials int) []*Pool {
	all := &pooled{trials: trials, specs: map[SpecKey]*waiting{}}
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
	if p.over || p.had[key] {
		return s
	}
	x := p.specs[key]
	if x == nil {
		x = &waiting{spec: s}
		p.specs[key] = x
		s.Hold()
	}
	p.had[key] = true
	x.had++
	p.settle(key, x)
	return x.spec
}

// End says that the trial is over, and will come to no further table.
func (p *Pool) End() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return
	}
	p.over = true
	p.ended++
	for key, x := range p.specs {
		if p.had[key] {
			x.had--
		}
		p.settle(key, x)
	}
}

// settle lets go of a table to which all have come that go on.
func (p *pooled) settle(key SpecKey, x *waiting) {
	if x.had >= p.trials-p.ended {
		delete(p.specs, key)
		x.spec.Release()
	}
}
