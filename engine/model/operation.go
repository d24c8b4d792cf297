package model

import (
	"fmt"

	"synfire/engine/eqn"
)

// OperationOptions are the further arguments of NetworkOperation.
type OperationOptions struct {
	Name  string    // "": Brian2's automatic name
	Dt    float64   // interval in seconds, 0: every step
	Times []float64 // in seconds; not nil: it is called at these times
	When  string    // slot: "start" (also ""), "end", or one with before_ or after_
	Order int       // in the slot
}

// Operation is a function that the host calls while a network runs: Brian2's
// NetworkOperation. It may read and set what a program may between two runs.
type Operation struct {
	Object
	F func(t float64) error // gets the time of its clock in seconds; an error ends the run
}

// NetworkOperation has f called at the start or at the end of steps.
func (n *Network) NetworkOperation(f func(t float64) error, o OperationOptions) (*Operation, error) {
	if f == nil {
		return nil, argErrorf("function", "NetworkOperation: a function was expected, got nil")
	}
	if err := checkDt(o.Dt, "NetworkOperation"); err != nil {
		return nil, err
	}
	p := &Operation{F: f}
	p.ownDt = o.Dt
	if err := p.acts(o.Times, "NetworkOperation"); err != nil {
		return nil, err
	}
	if err := p.place(o.When, "start", o.Order); err != nil {
		return nil, err
	}
	first, _ := SlotRank("after_start")
	last, _ := SlotRank("before_end")
	if at, _ := SlotRank(p.When); at > first && at < last {
		return nil, eqn.As(eqn.Unsupported, argErrorf("when", "NetworkOperation: the host acts between steps, in the slots start and end (with before_ and after_), not in %s", p.When))
	}
	return p, n.register(p, o.Name, "networkoperation")
}

// AtEnd says that it stands behind the step, not before it.
func (p *Operation) AtEnd() bool {
	first, _ := SlotRank("after_start")
	at, _ := SlotRank(p.When)
	return at > first
}

// Stop ends the run in progress when its step is done, as Brian2's stop() does.
// Outside a run it does nothing.
func (n *Network) Stop() { n.Stopped = true }

// Live is what of a network is elsewhere while it runs: operations find its
// variables there.
type Live interface {
	Fetch(v *Variable)   // brings the words of v, which are about to be read
	Changed(v *Variable) // hears that values of v were set; nil: that something else was
}

// still refuses what cannot change while the network runs.
func (n *Network) still(what string) error {
	if n.Live != nil {
		return fmt.Errorf("%s: a network_operation cannot do this, for the network is running: do it between two runs", what)
	}
	return nil
}

// fetch brings the words of a variable where an operation reads it.
func (v *Variable) fetch() {
	if n := v.net(); n.Live != nil {
		n.Live.Fetch(v)
	}
}

func (v *Variable) net() *Network {
	if v.Syn != nil {
		return v.Syn.Net
	}
	return v.Group.Net
}

// setting is what goes with an assignment inside an operation, of all values or
// of some: what it returns is called with the outcome.
func (v *Variable) setting(all bool) func(error) {
	live := v.net().Live
	if live == nil {
		return func(error) {}
	}
	if !all {
		live.Fetch(v)
	}
	return func(err error) {
		if err == nil || !all { // else the words that were there come back with the next Fetch
			live.Changed(v)
		}
	}
}
