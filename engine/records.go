package engine

import (
	"fmt"
	"math"
	"slices"

	"synfire/engine/backend"
	"synfire/engine/eqn"
	"synfire/engine/ir"
)

// recordRef is a record of the plan and whom its entries are for.
type recordRef struct {
	rec   backend.Rec
	vars  []*Variable // of each value
	to    []taker
	event *groupEvent // a record of all events of a population; nil: another one
	pop   int         // the number of the population, in the hash of spikes
}

// shown refuses values of subexpressions that have none, or that a clamp has
// changed: a record holds what Brian2 would record, or there is none.
func (r *recordRef) shown(n *Network, b *batch) error {
	for k, v := range r.vars {
		if v.words != nil || v.irType() != ir.F32 {
			continue
		}
		for q, w := range b.values[k] {
			if w&(1<<31-1) < math.Float32bits(mostShown) {
				continue
			}
			at, each := 0, r.rec.N // the step of the entry, and the neuron
			for left := q; at < len(b.counts)-1; at++ {
				entries := int(b.counts[at]) * max(1, each)
				if left -= entries; left < 0 {
					break
				}
			}
			var i int
			switch {
			case b.index != nil:
				i = int(b.index[q])
			case r.rec.Items != nil:
				i = int(r.rec.Items[q%each])
			}
			_, err := wordOf(v.sym, n.dt, w, eqn.Float, mostShown)
			return fmt.Errorf("%s[%d] at %g s, as recorded: %w", v.g.Name(), i, float64(float64(b.step+int64(at))*n.dt), err)
		}
	}
	return nil
}

// spikes plans the record of an event of a whole population: counts, the hash,
// and the monitors that want no values.
func (c *compiler) spikes(g *NeuronGroup, e *groupEvent) {
	r := &recordRef{event: e, pop: slices.Index(c.n.Groups(), g)}
	for _, ob := range c.n.objects {
		switch m := ob.(type) {
		case *SpikeMonitor:
			if m.src.g == g && m.event == e.name && len(m.vars) == 0 {
				r.to = append(r.to, m)
			}
		case *RateMonitor:
			if m.src.g == g && e.name == "spike" {
				r.to = append(r.to, m)
			}
		}
	}
	if e.name != "spike" && r.to == nil {
		return
	}
	when, order := "after_thresholds", -1<<30
	if e.when == when {
		order = e.order + 1
	}
	c.add(when, order, g.auto+"_"+e.name, func() error {
		c.record(backend.Stage{Form: backend.FormSpikes, Name: g.Name() + " record " + e.name, Flag: -1, Event: c.event(g, e), Rec: backend.Rec{Lo: 0, Hi: g.n}}, g.n+max(1<<14, g.n/4), nil, r)
		return nil
	})
}

// record adds a record stage with room for entries entries; src are the values
// taken at each.
func (c *compiler) record(s backend.Stage, entries int, src []backend.Binding, ref *recordRef) {
	s.Acc = backend.NoBuf
	r := &s.Rec
	r.Index = backend.NoBuf
	r.Count = c.blank(s.Name+" count", backend.Record, ir.U32, c.plan.Batch)
	if s.Form == backend.FormSpikes {
		r.Index = c.blank(s.Name+" index", backend.Record, ir.U32, entries)
	}
	r.Src = src
	for k, b := range src {
		r.Dst = append(r.Dst, c.blank(fmt.Sprintf("%s value %d", s.Name, k), backend.Record, c.plan.Bufs[b.Buf].Type, entries))
	}
	c.plan.Stages = append(c.plan.Stages, s)
	ref.rec = s.Rec
	c.recs = append(c.recs, ref)
}

// source is where a recorded variable's words are: its buffer, or a temporary
// that a Map stage fills where it is worked out from others.
func (c *compiler) source(v *Variable, owner string, ago int) (backend.Binding, error) {
	y := c.image(v).sym
	derived := v.words == nil || v.name == "not_refractory" && v.g.refKind == refConst
	if !derived {
		return backend.Binding{Buf: c.variable(v, false), Event: -1}, nil
	}
	g := v.g
	sc := c.scope(g)
	l := c.lanes(g, "value of "+v.name+" for "+owner)
	l.ago = ago
	l.single = v.shared
	x, typ, _, err := eqn.LowerExpr(l.b, &eqn.Name{ID: v.name}, sc, l)
	if err != nil {
		return backend.Binding{}, sc.explain(err)
	}
	n := v.n
	out := &scratch{name: g.Name() + "." + v.name + " for " + owner, typ: irType(y), n: n}
	l.b.StoreRaw(l.slot("out", ir.Array, out.typ, memory{out: out}), as(l.b, x, typ, y))
	if err := c.stage(l, n, -1, nil); err != nil {
		return backend.Binding{}, err
	}
	return backend.Binding{Buf: c.bufs[memory0{key: out}], Event: -1}, nil
}

// spikeMonitor plans a monitor that takes values at each event.
func (c *compiler) spikeMonitor(m *SpikeMonitor) error {
	if len(m.vars) == 0 {
		return nil
	}
	e := m.src.g.event(m.event)
	when, order := m.when, m.order
	if when == "" {
		when = "after_thresholds"
		if e.when == when {
			order = e.order + 1
		}
	}
	return c.add(when, order, m.auto, func() error {
		var src []backend.Binding
		for _, v := range m.slots {
			b, err := c.source(v, c.random.draws(m), 0)
			if err != nil {
				return err
			}
			src = append(src, b)
		}
		size := m.src.hi - m.src.lo
		c.record(backend.Stage{Form: backend.FormSpikes, Name: m.auto, Flag: -1, Event: c.event(m.src.g, e), Rec: backend.Rec{Lo: m.src.lo, Hi: m.src.hi}},
			size+max(1<<14, size/4), src, &recordRef{vars: m.slots, to: []taker{m}})
		return nil
	})
}

// stateMonitor plans a StateMonitor.
func (c *compiler) stateMonitor(m *StateMonitor) error {
	flag, err := c.flag(m.every, "StateMonitor")
	if err != nil {
		return err
	}
	return c.add(m.when, m.order, m.auto, func() error {
		timed := false // a variable that is sampled brings the times
		for k, v := range m.slots {
			b, err := c.source(v, c.random.draws(m), c.ago(m.when))
			if err != nil {
				return err
			}
			rec := backend.Rec{}
			if v.shared {
				rec.N = 1
			} else {
				rec.N = len(m.items)
				rec.Items = make([]uint32, len(m.items))
				for q, i := range m.items {
					rec.Items[q] = uint32(m.src.lo + i)
				}
			}
			if rec.N == 0 {
				continue
			}
			samples := max(1, min(c.plan.Batch, 1<<22/rec.N))
			c.record(backend.Stage{Form: backend.FormSample, Name: m.auto + "." + m.vars[k], Flag: flag, Event: -1, Rec: rec}, samples*rec.N, []backend.Binding{b},
				&recordRef{vars: []*Variable{v}, to: []taker{&sampled{m: m, k: k, times: !timed}}})
			timed = true
		}
		return nil
	})
}

// history gives every event the masks that its longest delay asks for, once it is
// known that the host and the program have room for them.
func (c *compiler) history() error {
	need := make([]int, len(c.plan.Events))
	for k := range need {
		need[k] = 1
	}
	for _, t := range c.plan.Tables {
		for _, s := range t.Sources {
			need[s.Event] = max(need[s.Event], t.MaxDelay+1)
		}
	}
	events := make([]*groupEvent, len(c.plan.Events))
	for e, k := range c.evs {
		events[k] = e
	}
	masks, largest := int64(0), 0
	for k := range events {
		p := &c.plan.Events[k]
		p.History = need[k]
		masks += 4 * int64(need[k]) * int64(p.Words())
		if need[k]*p.Words() > need[largest]*c.plan.Events[largest].Words() {
			largest = k
		}
	}
	word := int64(0) // of the largest buffer of state: Hash reads one after the other
	for k := range c.plan.Bufs {
		if c.plan.Bufs[k].Kind == backend.State {
			word = max(word, int64(c.plan.Bufs[k].Len))
		}
	}
	if len(events) > 0 {
		p := &c.plan.Events[largest]
		word = max(word, int64(p.History)*int64(p.Words()))
		if err := c.w.Room(2*masks+4*word, "%s is kept for the %d steps of the longest delay", p.Name, p.History-1); err != nil {
			return fmt.Errorf("%w; shorten the longest delays, or take a larger dt", err)
		}
	}
	c.own = masks + 4*word
	for k, e := range events {
		p := &c.plan.Events[k]
		words := p.Words()
		masks := make([]uint32, need[k]*words)
		for s := c.n.step - 1; s >= 0 && s > c.n.step-1-int64(min(e.hist, need[k])); s-- {
			from, to := int(s%int64(e.hist))*words, int(s%int64(need[k]))*words
			copy(masks[to:to+words], e.masks[from:from+words])
		}
		c.masks[e] = mask{masks, need[k]}
		p.Masks = c.buffer(p.Name+" masks", backend.State, ir.U32, masks)
		c.keep = append(c.keep, kept{p.Masks, masks})
	}
	return nil
}
