package backend

import (
	"synfire/engine/connect"
	"synfire/engine/host"
	"synfire/engine/ir"
)

// Work is roughly what a step takes, whatever computes it: for a choice between
// backends, before anything is built.
type Work struct {
	Operations float64 // of the IR, over all lanes; a random word counts for thirty
	Events     float64 // synaptic events through constant synapses
	Effects    float64 // synaptic events that run a program
	InOrder    bool    // some of these one after the other
}

// workRate is the rate at which neurons are taken to fire, in Hz.
const workRate = 10

// Work estimates a step of the plan, in which neurons fire at 10 Hz.
func (p *Plan) Work() Work {
	var w Work
	for i := range p.Stages {
		s := &p.Stages[i]
		switch s.Form {
		case FormMap:
			w.Operations += float64(float64(operations(s.Prog)) * float64(s.N))
		case FormDeliver, FormEffect:
			n := float64(float64(connect.Estimate(p.Tables[s.Table].Spec, 1, host.Work{}).Synapses) * workRate * p.Dt)
			if s.Form == FormDeliver {
				w.Events += n
				continue
			}
			w.Effects += n
			_, inOrder := p.Sharing(s)
			w.InOrder = w.InOrder || inOrder
		}
	}
	return w
}

// operations is what a lane of a program costs; a random word is some 30.
func operations(p *ir.Prog) int {
	ops := 0
	for _, in := range p.Ins {
		switch in.Op {
		case ir.Const, ir.Lane:
		case ir.Rand:
			ops += 30
		default:
			ops++
		}
	}
	return ops
}
