package engine

import (
	"errors"
	"fmt"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/eqn"
	"synfire/engine/host"
	"synfire/engine/ir"
)

// sourceRows lays the populations that send to a table end to end.
type sourceRows struct {
	list []backend.Source
	n    int
	ids  map[*groupEvent]int
}

// row is the first row of a range of a population.
func (r *sourceRows) row(c *compiler, s span, ev string) int {
	e := s.g.event(ev)
	k, ok := r.ids[e]
	if !ok {
		k = len(r.list)
		r.ids[e] = k
		r.list = append(r.list, backend.Source{Event: c.event(s.g, e), Lo: 0, Hi: s.g.n, Row0: r.n})
		r.n += s.g.n
	}
	return r.list[k].Row0 + s.lo
}

// apply plans the addition of an accumulator to its variable, and clears it.
func (c *compiler) apply(a *accumulator) error {
	for _, s := range a.segs {
		g := s.v.g
		l := c.lanes(g, "receive "+a.name)
		if a.two {
			// Elements of two words, read by index: lane k has words 2k and 2k+1. The
			// backend clears them, as all Scratch, when the step has ended.
			read := l.slot("sum", ir.Table, ir.U32, memory{acc: a})
			lo := l.b.Shl(l.b.Lane(), l.b.I(1))
			hi := l.b.AddI(lo, l.b.I(1))
			x := l.b.Gather(read, lo, ir.Range{})
			if s.v.sym.Type == eqn.Float {
				x = l.b.Unfix64(x, l.b.Gather(read, hi, ir.Range{}), a.scale)
				read = l.slot("sum of small ones", ir.Table, ir.U32, memory{acc: a.small})
				x = l.b.Add(x, l.b.Unfix64(l.b.Gather(read, lo, ir.Range{}), l.b.Gather(read, hi, ir.Range{}), a.small.scale))
			}
			c.increment(l, s.v, x)
		} else {
			sum := l.slot("sum", ir.Array, ir.I32, memory{acc: a})
			c.increment(l, s.v, l.b.Unfix32(l.b.Load(sum), a.scale))
			l.b.Store(sum, l.b.I(0))
		}
		if err := c.stage(l, g.n, -1, nil); err != nil {
			return err
		}
	}
	return nil
}

// effectLanes is the eqn.Machine of a FormEffect program: one lane for each
// synapse whose effect is due, numbered as in its projection.
type effectLanes struct {
	lanes
	c   *compiler
	s   *Synapses
	k   int
	acc *accumulator
	ends
	err error
}

type ends struct{ own []ownSlot }

// ownSlot is a slot that lanes.mem does not describe.
type ownSlot struct {
	slot uint32
	bind backend.Binding
}

func (m *effectLanes) bound(name string, k ir.Kind, t ir.Type, b backend.Binding) uint32 {
	if s, ok := m.slots[name]; ok {
		return s
	}
	s := m.slot(name, k, t, memory{})
	m.own = append(m.own, ownSlot{s, b})
	return s
}

func (m *effectLanes) index(post bool) ir.Value {
	if post {
		return m.b.Load(m.bound("j", ir.Array, ir.U32, backend.Binding{Buf: backend.NoBuf, Off: backend.SlotTarget, Event: -1}))
	}
	return m.b.Load(m.bound("i", ir.Array, ir.U32, backend.Binding{Buf: backend.NoBuf, Off: backend.SlotSource, Event: -1}))
}

func (m *effectLanes) end(v *Variable, post, low bool, use string) (uint32, ir.Value) {
	sp := m.s.src
	if post {
		sp = m.s.tgt
	}
	name := fmt.Sprintf("%s %s.%s %v %v", use, v.g.Name(), v.name, post, low)
	off := sp.lo
	if v.shared {
		off = 0
	}
	return m.bound(name, ir.Table, irType(m.c.image(v).sym), backend.Binding{Buf: m.c.variable(v, low), Off: off, Event: -1}), m.index(post)
}

// Load implements eqn.Machine.
func (m *effectLanes) Load(y *eqn.Symbol) ir.Value {
	switch r := y.Ref.(type) {
	case indexRef:
		return m.index(r.name == "j")
	case endRef:
		if r.v.builtin {
			return m.index(r.post)
		}
		if r.v.name == "not_refractory" && r.v.g.refKind == refConst {
			return m.free(r.v.g, r.post)
		}
		slot, at := m.end(r.v, r.post, false, "read")
		if r.v.shared {
			return m.b.Uniform(slot, ir.Range{})
		}
		return m.b.Gather(slot, at, ir.Range{})
	case degreeRef:
		w, err := m.s.degrees(m.c.w, r.post, len(m.s.conns))
		if err != nil && m.err == nil {
			m.err = err
		}
		key := fmt.Sprintf("%s degrees %v", m.s.auto, r.post)
		return m.b.Gather(m.bound(key, ir.Table, ir.I32, backend.Binding{Buf: m.c.table(key, key, ir.I32, w), Event: -1}), m.index(r.post), ir.Range{})
	case *synVar:
		w, err := r.words(m.c.w, m.k)
		if err == nil {
			key := fmt.Sprintf("%s.%s %d", m.s.Name(), r.name, m.k)
			return m.b.Load(m.bound(key, ir.Array, irType(r.sym), backend.Binding{Buf: m.c.table(key, key, irType(r.sym), w), Event: -1}))
		}
		if m.err == nil {
			m.err = err
		}
		return m.b.F(0)
	}
	panic(y.Name + " is not a name of synapses")
}

// free is not_refractory of a neuron at one end.
func (m *effectLanes) free(g *NeuronGroup, post bool) ir.Value {
	if g.refKind == refConst {
		slot, at := m.end(g.byName["lastspike"], post, false, "read")
		return m.freeAfter(m.b.Gather(slot, at, ir.Range{}), m.b.I(g.refSteps()))
	}
	slot, at := m.end(g.byName["not_refractory"], post, false, "read")
	return m.b.Gather(slot, at, ir.Range{})
}

// LoadLow implements eqn.Machine.
func (m *effectLanes) LoadLow(y *eqn.Symbol) ir.Value {
	r := y.Ref.(endRef)
	slot, at := m.end(r.v, r.post, true, "read")
	return m.b.Gather(slot, at, ir.Range{})
}

// Store implements eqn.Machine: each neuron has at most one synapse here.
func (m *effectLanes) Store(y *eqn.Symbol, x ir.Value) { m.put(y, x, false) }

// StoreLow implements eqn.Machine.
func (m *effectLanes) StoreLow(y *eqn.Symbol, x ir.Value) { m.put(y, x, true) }

func (m *effectLanes) put(y *eqn.Symbol, x ir.Value, low bool) {
	r := y.Ref.(endRef)
	if r.v.unlessRef && r.v.g.refKind != refNone {
		old, at := m.end(r.v, r.post, low, "read")
		x = m.b.Sel(m.free(r.v.g, r.post), x, m.b.Gather(old, at, ir.Range{}))
	}
	slot, at := m.end(r.v, r.post, low, "write")
	m.b.Put(slot, at, x)
}

// Item implements eqn.Machine.
func (m *effectLanes) Item() ir.Value { return m.b.Lane() }

// Add implements eqn.Machine: a contribution whose bound nothing proves. Small
// ones have a sum of their own, of a scale 2^30 times as fine. Of a sum of whole
// numbers the low word is the sum, which wraps as they do.
func (m *effectLanes) Add(y *eqn.Symbol, x ir.Value) error {
	r := y.Ref.(endRef)
	a := m.acc
	seg := a.segment(r.v)
	sp := m.s.src
	if r.post {
		sp = m.s.tgt
	}
	at := m.b.AddI(m.index(r.post), m.b.I(int32(a.segs[seg].off+sp.lo)))
	slot := m.bound("sum", ir.Accum, ir.I32, backend.Binding{Buf: a.buf, Event: -1})
	if y.Type != eqn.Float {
		m.b.Scatter2(slot, at, x, m.b.I(0))
		return nil
	}
	b, none := m.b, m.b.I(0)
	small := b.Lt(b.Abs(x), b.F(smallest/a.scale))
	lo, hi := b.Fix64(b.Sel(small, b.Mul(x, b.F(a.small.scale/a.scale)), x), a.scale, 0x1p61/a.scale, 0)
	b.Scatter2(slot, at, b.Sel(small, none, lo), b.Sel(small, none, hi))
	slot = m.bound("sum of small ones", ir.Accum, ir.I32, backend.Binding{Buf: a.small.buf, Event: -1})
	b.Scatter2(slot, at, b.Sel(small, lo, none), b.Sel(small, hi, none))
	return nil
}

// effect plans a statement that runs synapse by synapse.
func (o *order) effect(w *pathway, l carried, locals []eqn.Stmt, st eqn.Stmt, y *eqn.Symbol, sum bool) error {
	s, c, k := w.delay.s, o.c, l.life.conn
	r := y.Ref.(endRef)
	var a *accumulator
	if sum {
		a = o.accumulator(r.v, true)
		a.segment(r.v)
		a.scale = 0x1p30
	} else if err := c.onlyOne(s, k, r, st); err != nil {
		var several *eqn.Error
		if st.Op != "=" || r.v.shared || !errors.As(err, &several) || !sameForAll(st.X, c.pathScope(s, k), locals, r) {
			return err
		}
		o.ops = append(o.ops, func() error { return c.assign(w, l, locals, st, y) })
		return nil
	}
	o.ops = append(o.ops, func() error { return c.effect(w, l, locals, st, y, a) })
	return nil
}

// effect plans the stage of a statement that runs synapse by synapse, and adds
// to a where it is a sum.
func (c *compiler) effect(w *pathway, l carried, locals []eqn.Stmt, st eqn.Stmt, y *eqn.Symbol, a *accumulator) error {
	s, k, r := w.delay.s, l.life.conn, y.Ref.(endRef)
	sc := c.pathScope(s, k)
	m := &effectLanes{lanes: *c.lanes(r.v.g, "effect"), c: c, s: s, k: k, acc: a}
	m.traps = []backend.Trap{{Pop: len(c.n.objects), Object: s.Name(), Name: r.v.name, Why: "received a contribution beyond the bound of its sum"}}
	m.site = "path\x00" + c.random.draws(s) + "_" + w.name
	if a != nil && a.buf == backend.NoBuf {
		a.buf = c.blank(a.name+" wide sum", backend.Scratch, ir.I32, 2*a.size)
		if y.Type == eqn.Float {
			a.small = &accumulator{name: a.name, segs: a.segs, two: true, scale: a.scale * 0x1p30}
			a.small.buf = c.blank(a.name+" wide sum of small ones", backend.Scratch, ir.I32, 2*a.size)
		}
	}
	target := *sc.Resolve(st.Target.ID)
	if y.Summed { // not the variable, but a count at its place
		target = *y
	}
	target.Summed = a != nil
	last := st
	last.Target = &eqn.Name{At: st.Target.At, ID: st.Target.ID, Sym: &target}
	if err := eqn.Lower(m.b, append(append([]eqn.Stmt(nil), locals...), last), sc, m); err != nil {
		return sc.explain(err)
	}
	if m.err != nil {
		return m.err
	}
	p, err := m.b.Prog()
	if err != nil {
		return err
	}
	delay, unit, err := c.delayColumn(s, w, k, l.delays)
	if err != nil {
		return err
	}
	q := s.conns[k].proj.With(connect.Column{}, delay)
	q.Unit, q.Row0, q.Tgt0 = unit, 0, 0
	spec := &connect.Spec{Name: s.Name() + " " + w.name, Projs: []*connect.Proj{q}, NSrc: q.NPre, NTgt: q.NPost, Scale: 1, Width: 32}
	spec = c.spec(fingerprint([]*part{{conn: s.conns[k]}}, spec), spec)
	stats, err := c.measure(spec)
	if err != nil {
		return err
	}
	c.synapsesN += stats.Total
	end := s.src
	if w.post {
		end = s.tgt
	}
	src := backend.Source{Event: c.event(end.g, end.g.event(w.event)), Lo: end.lo, Hi: end.hi}
	c.longest[l.life] = max(c.longest[l.life], stats.MaxDelay)
	c.rounding[len(c.plan.Tables)] = "worked out synapse by synapse"
	c.plan.Tables = append(c.plan.Tables, backend.Table{Spec: spec, Sources: []backend.Source{src}, First: l.first, Last: l.life.last, MinDelay: stats.MinDelay, MaxDelay: stats.MaxDelay})
	bind := make([]backend.Binding, len(p.Slots))
	for _, x := range m.own {
		bind[x.slot] = x.bind
	}
	for slot, mem := range m.mem {
		if mem.data != nil {
			bind[slot] = backend.Binding{Buf: c.table(mem.key, mem.key, p.Slots[slot].Type, mem.data), Event: -1}
		}
	}
	c.plan.Stages = append(c.plan.Stages, backend.Stage{Form: backend.FormEffect, Name: s.Name() + " " + w.name, Flag: -1, Prog: p, Bind: bind, Trap: m.traps[:p.Traps],
		Table: len(c.plan.Tables) - 1, Acc: backend.NoBuf, Post: w.post})
	return nil
}

// onlyOne refuses a write whose result would depend on the order of synapses.
func (c *compiler) onlyOne(s *Synapses, k int, r endRef, st eqn.Stmt) error {
	proj := s.conns[k].proj
	n, err := proj.Count(c.w)
	if err != nil {
		return err
	}
	sp := s.src
	if r.post {
		sp = s.tgt
	}
	seen := make([]bool, sp.hi-sp.lo)
	return proj.Walk(c.w.Single(), 0, n, 0, func(_ int, b *connect.Columns) error {
		at := b.I
		if r.post {
			at = b.J
		}
		for _, x := range at {
			if seen[x] {
				return errorAt(st.Target.At, "neuron %d of %s has more than one synapse here, so the result of %q would depend on their order; use += with a value that does not read %s", x, sp.g.Name(), st.Target.ID+" "+st.Op+" "+st.X.String(), st.Target.ID)
			}
			seen[x] = true
		}
		return nil
	})
}

// measure counts the synapses of a table. What cannot fit into memory is told
// before it is drawn.
func (c *compiler) measure(spec *connect.Spec) (*connect.Stats, error) {
	const most = 1 << 36
	sure := &connect.Spec{NSrc: spec.NSrc, NTgt: spec.NTgt}
	for _, p := range spec.Projs {
		if p.Cond == nil && p.PProg == nil { // of the others nothing is known yet
			sure.Projs = append(sure.Projs, p)
		}
	}
	m := connect.Estimate(sure, 1, c.w.Single())
	if free := c.w.Free(); free > 0 && m.Entries > free {
		return nil, fmt.Errorf("%s: some %.2g synapses need at least %s of memory, %s are free; %.2g of them would fit: connect fewer neurons, or with a smaller p=",
			spec.Name, float64(m.Synapses), host.Size(m.Entries), host.Size(free), float64(float64(free)/float64(max(m.Entries, 1))*float64(m.Synapses)))
	}
	if m.Synapses > most {
		return nil, fmt.Errorf("%s: some %.2g synapses are more than a table holds, 2^36", spec.Name, float64(m.Synapses))
	}
	return connect.Measure(spec, c.w)
}
