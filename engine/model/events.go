package model

import (
	"fmt"

	"synfire/engine/eqn"
)

// Reaction is code that runs for the neurons of which an event is true: reset=
// and run_on_event.
type Reaction struct {
	Event string     // its name
	Code  []eqn.Stmt // runs for each neuron that has the event
	What  string     // how the script calls it
	When  string     // slot
	Order int        // in the slot
}

// Schedule is the place in a step of what belongs to an event. When "" is
// Brian2's default; Order counts within the slot, nil: the group's.
type Schedule struct {
	When  string // slot: one of start, groups, thresholds, synapses, resets, end, or one with before_ or after_
	Order *int   // within the slot; nil: the group's
}

// resolve fills in what is not given.
func (g *NeuronGroup) resolve(s Schedule, def string) (when string, order int, err error) {
	when, order = s.When, g.InSlot
	if when == "" {
		when = def
	}
	if s.Order != nil {
		order = *s.Order
	}
	if _, err = SlotRank(when); err != nil {
		err = &ArgError{"when", err}
	}
	return when, order, err
}

// RunOnEvent runs code for each neuron of which an event is true, by default in
// the slot after_resets. An event has one code at most, which reset= may be.
func (g *NeuronGroup) RunOnEvent(event, code string, s Schedule) error {
	if err := g.Net.still("run_on_event"); err != nil {
		return err
	}
	e, err := g.needEvent(event)
	if err != nil {
		return err
	}
	for _, r := range g.Reactions {
		if r.Event == e.Name {
			return argErrorf("event", "the event %q of %s has code already", event, g.Name())
		}
	}
	when, order, err := g.resolve(s, "after_resets")
	if err != nil {
		return err
	}
	stmts, err := eqn.ParseStatements(g.Net.source(code))
	if err != nil {
		return err
	}
	keepSteps(stmts, g.lookup)
	g.Reactions = append(g.Reactions, &Reaction{Event: event, Code: stmts, What: "run_on_event", When: when, Order: order})
	return nil
}

// SetEventSchedule chooses the slot where the condition of an event is looked
// at, by default after_thresholds.
func (g *NeuronGroup) SetEventSchedule(event string, s Schedule) error {
	if err := g.Net.still("set_event_schedule"); err != nil {
		return err
	}
	e, err := g.needEvent(event)
	if err != nil {
		return err
	}
	when, order, err := g.resolve(s, "after_thresholds")
	if err != nil {
		return err
	}
	first, _ := SlotRank("after_groups")
	last, _ := SlotRank("after_thresholds")
	if rank, _ := SlotRank(when); rank < first || rank > last {
		return argErrorf("when", "the condition of an event is looked at between the slots after_groups and after_thresholds, not in %s", when)
	}
	e.When, e.Order = when, order
	return nil
}

func (g *NeuronGroup) needEvent(name string) (*GroupEvent, error) {
	if e := g.Event(name); e != nil && g.Generator == nil {
		return e, nil
	}
	var have []string
	for _, e := range g.Events {
		have = append(have, e.Name)
	}
	return nil, &ArgError{"event", unknown(name, "event of "+g.Name(), have)}
}

// schedule lists the slots of a step; each has a before_ and an after_.
var schedule = []string{"start", "groups", "thresholds", "synapses", "resets", "end"}

// place is the slot and the order of an object; when "" is def.
func (o *Object) place(when, def string, order int) error {
	if when == "" {
		when = def
	}
	o.When, o.InSlot = when, order
	if _, err := SlotRank(when); err != nil {
		return &ArgError{"when", err}
	}
	return nil
}

// SlotRank is the place of a slot among those of a step.
func SlotRank(when string) (int, error) {
	for k, s := range schedule {
		switch when {
		case "before_" + s:
			return 3 * k, nil
		case s:
			return 3*k + 1, nil
		case "after_" + s:
			return 3*k + 2, nil
		}
	}
	var all []string
	for _, s := range schedule {
		all = append(all, "before_"+s, s, "after_"+s)
	}
	return 0, unknown(when, "slot of the schedule (when=)", all)
}

// Take counts the events of its group, and keeps those of the last step of that one.
func (e *GroupEvent) Take(b *Batch, of *NeuronGroup) {
	e.Counts += uint64(len(b.Index))
	end := len(b.Index)
	for k := len(b.Counts) - 1; k >= 0; k-- {
		begin := end - int(b.Counts[k])
		if s := b.Step + int64(k); of.Next(s) == s {
			e.last = append(make([]uint32, 0, end-begin), b.Index[begin:end]...)
			return
		}
		end = begin
	}
}

// Spikes are the neurons that fired in the last step, in their order: Brian2's
// spikes of a group. It is empty before the first step.
func (g *NeuronGroup) Spikes() ([]int, error) { return g.Span().spikes() }

// Spikes are those of the part, which count from its first neuron.
func (s *Subgroup) Spikes() ([]int, error) { return s.s.spikes() }

func (s Span) spikes() ([]int, error) {
	e := s.Group.Event("spike")
	if e == nil {
		return nil, eqn.As(eqn.UnknownName, fmt.Errorf("%s does not spike: it has no threshold", s.Group.Name()))
	}
	out := []int{}
	take := func(i int) {
		if i >= s.Lo && i < s.Hi {
			out = append(out, i-s.Lo)
		}
	}
	for _, i := range e.last {
		take(int(i))
	}
	return out, nil
}
