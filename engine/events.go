package engine

import (
	"fmt"

	"synfire/engine/eqn"
)

// reaction is code that runs for the neurons of which an event is true: reset=
// and run_on_event.
type reaction struct {
	event string
	code  []eqn.Stmt
	what  string // how the script calls it
	when  string
	order int
}

// Schedule is the place in a step of what belongs to an event. When "" is
// Brian2's default; Order counts within the slot, nil: the group's.
type Schedule struct {
	When  string
	Order *int
}

// resolve fills in what is not given.
func (g *NeuronGroup) resolve(s Schedule, def string) (when string, order int, err error) {
	when, order = s.When, g.order
	if when == "" {
		when = def
	}
	if s.Order != nil {
		order = *s.Order
	}
	_, err = slotRank(when)
	return when, order, err
}

// RunOnEvent runs code for each neuron of which an event is true, by default in
// the slot after_resets. An event has one code at most, which reset= may be.
func (g *NeuronGroup) RunOnEvent(event, code string, s Schedule) error {
	e, err := g.needEvent(event)
	if err != nil {
		return err
	}
	for _, r := range g.reactions {
		if r.event == e.name {
			return fmt.Errorf("the event %q of %s has code already", event, g.Name())
		}
	}
	when, order, err := g.resolve(s, "after_resets")
	if err != nil {
		return err
	}
	stmts, err := eqn.ParseStatements(g.net.source(code))
	if err != nil {
		return err
	}
	keepSteps(stmts, g.lookup)
	g.reactions = append(g.reactions, &reaction{event: event, code: stmts, what: "run_on_event", when: when, order: order})
	return nil
}

// SetEventSchedule chooses the slot where the condition of an event is looked
// at, by default after_thresholds.
func (g *NeuronGroup) SetEventSchedule(event string, s Schedule) error {
	e, err := g.needEvent(event)
	if err != nil {
		return err
	}
	when, order, err := g.resolve(s, "after_thresholds")
	if err != nil {
		return err
	}
	first, _ := slotRank("after_groups")
	last, _ := slotRank("after_thresholds")
	if rank, _ := slotRank(when); rank < first || rank > last {
		return fmt.Errorf("the condition of an event is looked at between the slots after_groups and after_thresholds, not in %s", when)
	}
	e.when, e.order = when, order
	return nil
}

func (g *NeuronGroup) needEvent(name string) (*groupEvent, error) {
	if e := g.event(name); e != nil && g.generator == nil {
		return e, nil
	}
	var have []string
	for _, e := range g.events {
		have = append(have, e.name)
	}
	return nil, unknown(name, "event of "+g.Name(), have)
}

// schedule lists the slots of a step; each has a before_ and an after_.
var schedule = []string{"start", "groups", "thresholds", "synapses", "resets", "end"}

func slotRank(when string) (int, error) {
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
	return 0, unknown(when, "slot of the schedule (when=)", schedule)
}
