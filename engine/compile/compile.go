// Package compile turns a model.Network into a backend.Plan. Compile is a
// function: it changes nothing in the network, and gives the plan together with
// what has to be known to run it. What it decided (second words, tables that a
// later run may use again) becomes part of the network by Compiled.Adopt, once a
// backend has loaded the plan.
//
// This file is the step in its order. The stages are made in neurons.go (with
// shared.go), inputs.go, synapses.go (which statement is a sum and which an effect:
// sums.go, effects.go) and records.go; plan.go is what all of them write on.
package compile

import (
	"fmt"
	"slices"
	"sort"

	"synfire/engine/eqn"
	"synfire/engine/model"
)

// Compile turns a network, as it is now, into a plan.
func Compile(n *model.Network, w model.Work) (*Compiled, error) {
	if err := n.Check(); err != nil {
		return nil, err
	}
	return compile(n, w, n.Externals(), false)
}

// Continue is Compile of a network in the middle of a run, as a snapshot has it.
func Continue(n *model.Network, w model.Work) (*Compiled, error) {
	if err := n.Check(); err != nil {
		return nil, err
	}
	return compile(n, w, n.Externals(), true)
}

// Again compiles the network anew in the middle of a run, where names from outside
// keep the values that they had as it began.
func (c *Compiled) Again(w model.Work) (*Compiled, error) { return compile(c.n, w, c.ext, true) }

func compile(n *model.Network, w model.Work, ext *model.Externals, middle bool) (*Compiled, error) {
	c := newCompiler(n, w, ext)
	c.middle = middle
	c.findWritten()
	c.linked()
	if err := c.prepare(); err != nil {
		return nil, err
	}
	if err := c.findLearned(); err != nil {
		return nil, err
	}
	pathways, err := c.pathways()
	if err != nil {
		return nil, err
	}
	step, err := c.step(pathways)
	if err != nil {
		return nil, err
	}
	last := ""
	for k := range step {
		if err := w.Err(); err != nil {
			return nil, err
		}
		x, before := &step[k], len(c.Plan.Stages)
		if x.operation != nil {
			err = c.operate(x.operation, last)
		} else if err = x.plan(); err == nil {
			err = c.planned(x, before)
			c.share(before, Share{x.name, 1})
		}
		if err != nil {
			return nil, err
		}
		if len(c.Plan.Stages) > before {
			last = x.name
		}
	}
	if c.mirrored != nil {
		return nil, c.mirrored
	}
	if err := c.history(); err != nil {
		return nil, err
	}
	c.Plan.Host = len(c.Hosts)
	return c.Compiled, c.Plan.Check()
}

// prepare solves the equations and checks the code of all groups, before any
// synapse is counted.
func (c *compiler) prepare() error {
	for _, g := range c.n.Groups() {
		if err := c.equations(g); err != nil {
			return err
		}
	}
	for r := range all[*model.Regular](c.n.Objects) {
		if err := c.checkRegular(r); err != nil {
			return err
		}
	}
	for _, m := range c.n.Monitors() {
		for _, w := range m.Watches() {
			if w.Event != nil && len(w.Values) == 0 && !m.Base().Rests() {
				c.watched[w.Event] = append(c.watched[w.Event], w.To)
			}
		}
	}
	return nil
}

// step lists what happens in a step, from top to bottom (design section 2). A slot
// here is where a thing stands unless the model says otherwise (when=, order=).
func (c *compiler) step(pathways []*order) ([]item, error) {
	var s sequence
	groups, monitors, synapses, objects := active(c.n.Groups()), active(c.n.Monitors()), active(c.n.AllSynapses()), active(c.n.Objects)
	for _, s := range synapses {
		if len(s.Conns) == 0 { // an error in Brian2, if connect() was never called
			c.n.Warn("%s has no synapses: no call of connect() has made any", s.Name())
		}
	}

	// Start: what holds for the whole step, operations, samples.
	for _, g := range groups {
		s.add("before_start", g.InSlot, g.AutoName+"_subexpression_update", func() error { return c.overDt(g) })
	}
	for r := range all[*model.Regular](objects) {
		s.add(r.When, r.InSlot, r.AutoName, func() error { return c.regular(r) })
	}
	for _, m := range monitors {
		for _, w := range m.Watches() {
			if w.Sampled != nil {
				s.add(w.When, w.Order, m.AutomaticName(), func() error { return c.sample(m, &w) })
			}
		}
	}

	// The host's operations stand before or behind all else.
	for p := range all[*model.Operation](objects) {
		s.items = append(s.items, item{operation: p, name: p.AutoName, order: p.InSlot})
		s.items[len(s.items)-1].slot, _ = model.SlotRank(p.When)
	}

	for _, x := range synapses {
		s.add("before_start", x.InSlot, x.AutoName+"_subexpression_update", func() error { return c.synapsesOverDt(x) })
	}

	// Update: who is refractory, then the equations from n to n+1.
	for _, g := range groups {
		s.add("groups", g.InSlot, g.AutoName+"_stateupdater", func() error { return c.update(g) })
	}

	for _, x := range synapses {
		for _, u := range x.Summed {
			s.add("groups", u.Order, x.AutoName+"_summed_variable_"+u.Equation.Name, func() error { return c.summed(x, u) })
		}
		s.add("groups", x.InSlot, x.AutoName+"_stateupdater", func() error { return c.synapsesUpdate(x) })
	}

	// Threshold: who fires, or has an event, and the record of it with time n*dt: nobody in a group that is not active.
	for _, g := range c.n.Groups() {
		for _, e := range g.Events {
			if g.Generator != nil {
				s.add("thresholds", g.InSlot, g.AutoName, func() error { return c.inject(g, e) })
			} else {
				s.add(e.When, e.Order, g.AutoName+"_"+e.Name+"_thresholder", func() error { return c.threshold(g, e) })
			}
			s.add(recorded, afterEvent(e, -1<<30), g.AutoName+"_"+e.Name, func() error { return c.spikes(g, e) })
		}
	}
	for _, m := range monitors {
		for _, w := range m.Watches() {
			when, order := w.When, w.Order
			if w.Event == nil || len(w.Values) == 0 {
				continue // not of events, or one of those for whom the record of all is
			}
			if when == "" {
				when, order = recorded, afterEvent(w.Event, order)
			}
			s.add(when, order, m.AutomaticName(), func() error { return c.valuesAt(m, &w) })
		}
	}

	// Synapses: the effects that are due, order by order, and the inputs.
	for _, o := range pathways {
		s.add(o.when, o.at, "", o.plan)
	}
	for p := range all[*model.PoissonInput](objects) {
		s.add(p.When, p.InSlot, p.AutoName, func() error { return c.poissonInput(p) })
	}

	// Reset: what follows from events.
	for _, g := range groups {
		for _, r := range g.Reactions {
			s.add(r.When, r.Order, g.AutoName+"_"+r.Event+"_resetter", func() error { return c.react(g, r) })
		}
	}

	// End: no variable has passed its limit (rule 4).
	s.add("after_end", 1<<30, limitsName, c.limits)
	return s.sorted()
}

const limitsName = "limits"

// recorded is the slot in which events are recorded, unless when= says otherwise.
const recorded = "after_thresholds"

// afterEvent is an order in the slot recorded: behind an event's condition, where
// that stands in it, else order.
func afterEvent(e *model.GroupEvent, order int) int {
	if e.When == recorded {
		return e.Order + 1
	}
	return order
}

// item is a part of the step, and how its stages are planned.
type item struct {
	slot, order int
	name        string
	plan        func() error
	operation   *model.Operation // of the host, which has no stages
}

// share says whom the stages from at on work for that have not been said to work for
// somebody.
func (c *compiler) share(at int, with ...Share) {
	for k := at; k < len(c.Plan.Stages); k++ {
		if c.Shares[k] == nil && with[0].Object != "" {
			c.Shares[k] = with
		}
	}
}

// operate takes an operation of the host into the plan: those at the start of the
// step must come before all stages, those at its end behind them.
func (c *compiler) operate(p *model.Operation, last string) error {
	switch {
	case p.AtEnd():
		c.End = append(c.End, p)
	case len(c.Plan.Stages) > 0:
		return eqn.As(eqn.Unsupported, fmt.Errorf("%s: a network_operation at the start of the step must come before all else, but %s comes before it (when=%q, order=%d): give it an earlier order= or when='before_start'", p.Name(), last, p.When, p.InSlot))
	default:
		c.Start = append(c.Start, p)
	}
	return nil
}

// planned refuses stages behind an operation at the end of the step.
func (c *compiler) planned(x *item, before int) error {
	if len(c.End) == 0 || len(c.Plan.Stages) == before || x.name == limitsName {
		return nil
	}
	p := c.End[len(c.End)-1]
	return eqn.As(eqn.Unsupported, fmt.Errorf("%s: a network_operation at the end of the step must come after all else, but %s comes after it (when=%q, order=%d): give it a later order= or when='after_end'", p.Name(), x.name, p.When, p.InSlot))
}

// sequence gathers items.
type sequence struct {
	items []item
	err   error
}

func (s *sequence) add(when string, order int, name string, plan func() error) {
	slot, err := model.SlotRank(when)
	if err != nil && s.err == nil {
		s.err = err
	}
	s.items = append(s.items, item{slot: slot, order: order, name: name, plan: plan})
}

// sorted are the items in the order of a step: by slot, order and name.
func (s *sequence) sorted() ([]item, error) {
	sort.SliceStable(s.items, func(a, b int) bool {
		x, y := &s.items[a], &s.items[b]
		switch {
		case x.slot != y.slot:
			return x.slot < y.slot
		case x.order != y.order:
			return x.order < y.order
		}
		return x.name < y.name
	})
	return s.items, s.err
}

// active are those that take part in the run.
func active[T interface{ Base() *model.Object }](list []T) []T {
	return slices.DeleteFunc(slices.Clone(list), func(x T) bool { return x.Base().Rests() })
}

// all are the objects of one type.
func all[T any, O any](objects []O) func(func(T) bool) {
	return func(yield func(T) bool) {
		for _, ob := range objects {
			if x, ok := any(ob).(T); ok && !yield(x) {
				return
			}
		}
	}
}
