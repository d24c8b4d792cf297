package compile

import (
	"errors"
	"fmt"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/eqn"
	"synfire/engine/host"
	"synfire/engine/ir"
	"synfire/engine/model"
)

// sourceRows lays the populations that send to a table end to end.
type sourceRows struct {
	list []backend.Source
	n    int
	ids  map[*model.GroupEvent]int
}

// row is the first row of a range of a population.
func (r *sourceRows) row(c *compiler, s model.Span, ev string) int {
	e := s.Group.Event(ev)
	k, ok := r.ids[e]
	if !ok {
		k = len(r.list)
		r.ids[e] = k
		r.list = append(r.list, backend.Source{Event: c.event(s.Group, e), Lo: 0, Hi: s.Group.Size, Row0: r.n})
		r.n += s.Group.Size
	}
	return r.list[k].Row0 + s.Lo
}

// apply plans the addition of an accumulator to its variable, and clears it.
func (c *compiler) apply(a *accumulator) error {
	for _, s := range a.segs {
		g := s.v.Group
		l := c.lanes(g, "receive "+a.name)
		if a.two {
			// Elements of two words, read by index: lane k has words 2k and 2k+1. The
			// backend clears them, as all Scratch, when the step has ended.
			read := l.Slot("sum", ir.Table, ir.U32, model.Memory{Acc: a})
			lo := l.B.Shl(l.B.Lane(), l.B.I(1))
			hi := l.B.AddI(lo, l.B.I(1))
			x := l.B.Gather(read, lo, ir.Range{})
			if s.v.Symbol.Type == eqn.Float {
				x = l.B.Unfix64(x, l.B.Gather(read, hi, ir.Range{}), a.scale)
				read = l.Slot("sum of small ones", ir.Table, ir.U32, model.Memory{Acc: a.small})
				x = l.B.Add(x, l.B.Unfix64(l.B.Gather(read, lo, ir.Range{}), l.B.Gather(read, hi, ir.Range{}), a.small.scale))
			}
			c.increment(l, s.v, x)
		} else {
			sum := l.Slot("sum", ir.Array, ir.I32, model.Memory{Acc: a})
			c.increment(l, s.v, l.B.Unfix32(l.B.Load(sum), a.scale))
			l.B.Store(sum, l.B.I(0))
		}
		if err := c.stage(l, g.Size, -1, nil); err != nil {
			return err
		}
	}
	return nil
}

// effectLanes is the eqn.Machine of a FormEffect program: one lane for each
// synapse whose effect is due, numbered as in its projection.
type effectLanes struct {
	model.Lanes
	c   *compiler
	s   *model.Synapses
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
	if s, ok := m.Slots[name]; ok {
		return s
	}
	s := m.Slot(name, k, t, model.Memory{})
	m.own = append(m.own, ownSlot{s, b})
	return s
}

func (m *effectLanes) index(post bool) ir.Value {
	if post {
		return m.B.Load(m.bound("j", ir.Array, ir.U32, backend.Binding{Buf: backend.NoBuf, Off: backend.SlotTarget, Event: -1}))
	}
	return m.B.Load(m.bound("i", ir.Array, ir.U32, backend.Binding{Buf: backend.NoBuf, Off: backend.SlotSource, Event: -1}))
}

func (m *effectLanes) end(v *model.Variable, post, low bool, use string) (uint32, ir.Value) {
	sp := m.s.Src
	if post {
		sp = m.s.Tgt
	}
	name := fmt.Sprintf("%s %s.%s %v %v", use, v.Group.Name(), v.Name, post, low)
	off := sp.Lo
	if v.Shared {
		off = 0
	}
	return m.bound(name, ir.Table, model.IrType(m.c.image(v).Sym), backend.Binding{Buf: m.c.variable(v, low), Off: off, Event: -1}), m.index(post)
}

// Load implements eqn.Machine.
func (m *effectLanes) Load(y *eqn.Symbol) ir.Value {
	switch r := y.Ref.(type) {
	case model.IndexRef:
		return m.index(r.Name == "j")
	case model.EndRef:
		if r.Var.Builtin {
			return m.index(r.Post)
		}
		if r.Var.Name == "not_refractory" && r.Var.Group.RefKind == model.RefConst {
			return m.free(r.Var.Group, r.Post)
		}
		slot, at := m.end(r.Var, r.Post, false, "read")
		if r.Var.Shared {
			return m.B.Uniform(slot, ir.Range{})
		}
		return m.B.Gather(slot, at, ir.Range{})
	case model.DegreeRef:
		w, err := m.s.Degrees(m.c.w, r.Post, len(m.s.Conns))
		if err != nil && m.err == nil {
			m.err = err
		}
		key := fmt.Sprintf("%s degrees %v", m.s.AutoName, r.Post)
		return m.B.Gather(m.bound(key, ir.Table, ir.I32, backend.Binding{Buf: m.c.table(key, key, ir.I32, w), Event: -1}), m.index(r.Post), ir.Range{})
	case *model.Variable:
		w, err := r.ConnWords(m.c.w, m.k)
		if err == nil {
			key := fmt.Sprintf("%s.%s %d", m.s.Name(), r.Name, m.k)
			return m.B.Load(m.bound(key, ir.Array, model.IrType(r.Symbol), backend.Binding{Buf: m.c.table(key, key, model.IrType(r.Symbol), w), Event: -1}))
		}
		if m.err == nil {
			m.err = err
		}
		return m.B.F(0)
	}
	panic(y.Name + " is not a name of synapses")
}

// free is not_refractory of a neuron at one end.
func (m *effectLanes) free(g *model.NeuronGroup, post bool) ir.Value {
	if g.RefKind == model.RefConst {
		slot, at := m.end(g.ByName["lastspike"], post, false, "read")
		return m.FreeAfter(m.B.Gather(slot, at, ir.Range{}), m.B.I(g.RefSteps()))
	}
	slot, at := m.end(g.ByName["not_refractory"], post, false, "read")
	return m.B.Gather(slot, at, ir.Range{})
}

// LoadLow implements eqn.Machine.
func (m *effectLanes) LoadLow(y *eqn.Symbol) ir.Value {
	r := y.Ref.(model.EndRef)
	slot, at := m.end(r.Var, r.Post, true, "read")
	return m.B.Gather(slot, at, ir.Range{})
}

// Store implements eqn.Machine: each neuron has at most one synapse here.
func (m *effectLanes) Store(y *eqn.Symbol, x ir.Value) { m.put(y, x, false) }

// StoreLow implements eqn.Machine.
func (m *effectLanes) StoreLow(y *eqn.Symbol, x ir.Value) { m.put(y, x, true) }

func (m *effectLanes) put(y *eqn.Symbol, x ir.Value, low bool) {
	r := y.Ref.(model.EndRef)
	if r.Var.UnlessRef && r.Var.Group.RefKind != model.RefNone {
		old, at := m.end(r.Var, r.Post, low, "read")
		x = m.B.Sel(m.free(r.Var.Group, r.Post), x, m.B.Gather(old, at, ir.Range{}))
	}
	slot, at := m.end(r.Var, r.Post, low, "write")
	m.B.Put(slot, at, x)
}

// Item implements eqn.Machine.
func (m *effectLanes) Item() ir.Value { return m.B.Lane() }

// Add implements eqn.Machine: a contribution whose bound nothing proves. Small
// ones have a sum of their own, of a scale 2^30 times as fine. Of a sum of whole
// numbers the low word is the sum, which wraps as they do.
func (m *effectLanes) Add(y *eqn.Symbol, x ir.Value) error {
	r := y.Ref.(model.EndRef)
	a := m.acc
	seg := a.segment(r.Var)
	sp := m.s.Src
	if r.Post {
		sp = m.s.Tgt
	}
	at := m.B.AddI(m.index(r.Post), m.B.I(int32(a.segs[seg].off+sp.Lo)))
	slot := m.bound("sum", ir.Accum, ir.I32, backend.Binding{Buf: a.buf, Event: -1})
	if y.Type != eqn.Float {
		m.B.Scatter2(slot, at, x, m.B.I(0))
		return nil
	}
	b, none := m.B, m.B.I(0)
	small := b.Lt(b.Abs(x), b.F(smallest/a.scale))
	lo, hi := b.Fix64(b.Sel(small, b.Mul(x, b.F(a.small.scale/a.scale)), x), a.scale, 0x1p61/a.scale, 0)
	b.Scatter2(slot, at, b.Sel(small, none, lo), b.Sel(small, none, hi))
	slot = m.bound("sum of small ones", ir.Accum, ir.I32, backend.Binding{Buf: a.small.buf, Event: -1})
	b.Scatter2(slot, at, b.Sel(small, lo, none), b.Sel(small, hi, none))
	return nil
}

// effect plans a statement that runs synapse by synapse.
func (o *order) effect(w *model.Path, l model.Carried, locals []eqn.Stmt, st eqn.Stmt, y *eqn.Symbol, sum bool) error {
	s, c, k := w.Delay.Syn, o.c, l.Life.Conn
	r := y.Ref.(model.EndRef)
	var a *accumulator
	if sum {
		a = o.accumulator(r.Var, true)
		a.segment(r.Var)
		a.scale = 0x1p30
	} else if err := c.onlyOne(s, k, r, st); err != nil {
		var several *eqn.Error
		if st.Op != "=" || r.Var.Shared || !errors.As(err, &several) || !sameForAll(st.X, c.pathScope(s, k), locals, r) {
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
func (c *compiler) effect(w *model.Path, l model.Carried, locals []eqn.Stmt, st eqn.Stmt, y *eqn.Symbol, a *accumulator) error {
	s, k, r := w.Delay.Syn, l.Life.Conn, y.Ref.(model.EndRef)
	sc := c.pathScope(s, k)
	m := &effectLanes{Lanes: *c.lanes(r.Var.Group, "effect"), c: c, s: s, k: k, acc: a}
	m.Traps = []backend.Trap{{Pop: len(c.n.Objects), Object: s.Name(), Name: r.Var.Name, Why: "received a contribution beyond the bound of its sum"}}
	m.Site = "path\x00" + c.random.Draws(s) + "_" + w.Name
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
	if err := eqn.Lower(m.B, append(append([]eqn.Stmt(nil), locals...), last), sc, m); err != nil {
		return sc.Explain(err)
	}
	if m.err != nil {
		return m.err
	}
	p, err := m.B.Prog()
	if err != nil {
		return err
	}
	delay, unit, err := c.delayColumn(s, w, k, l.Delays)
	if err != nil {
		return err
	}
	q := s.Conns[k].Proj.With(connect.Column{}, delay)
	q.Unit, q.Row0, q.Tgt0 = unit, 0, 0
	spec := &connect.Spec{Name: s.Name() + " " + w.Name, Projs: []*connect.Proj{q}, NSrc: q.NPre, NTgt: q.NPost, Scale: 1, Width: 32}
	spec = c.spec(fingerprint([]*part{{conn: s.Conns[k]}}, spec), spec)
	stats, err := c.measure(spec)
	if err != nil {
		return err
	}
	c.SynapsesN += stats.Total
	end := s.Src
	if w.Post {
		end = s.Tgt
	}
	src := backend.Source{Event: c.event(end.Group, end.Group.Event(w.Event)), Lo: end.Lo, Hi: end.Hi}
	c.longest[l.Life] = max(c.longest[l.Life], stats.MaxDelay)
	c.Rounding[len(c.Plan.Tables)] = "worked out synapse by synapse"
	c.Plan.Tables = append(c.Plan.Tables, backend.Table{Spec: spec, Sources: []backend.Source{src}, First: l.First, Last: l.Life.Last, MinDelay: stats.MinDelay, MaxDelay: stats.MaxDelay})
	bind := make([]backend.Binding, len(p.Slots))
	for _, x := range m.own {
		bind[x.slot] = x.bind
	}
	for slot, mem := range m.Mem {
		if mem.Data != nil {
			bind[slot] = backend.Binding{Buf: c.table(mem.Key, mem.Key, p.Slots[slot].Type, mem.Data), Event: -1}
		}
	}
	c.Plan.Stages = append(c.Plan.Stages, backend.Stage{Form: backend.FormEffect, Name: s.Name() + " " + w.Name, Flag: -1, Prog: p, Bind: bind, Trap: m.Traps[:p.Traps],
		Table: len(c.Plan.Tables) - 1, Acc: backend.NoBuf, Post: w.Post})
	return nil
}

// onlyOne refuses a write whose result would depend on the order of synapses.
func (c *compiler) onlyOne(s *model.Synapses, k int, r model.EndRef, st eqn.Stmt) error {
	proj := s.Conns[k].Proj
	n, err := proj.Count(c.w)
	if err != nil {
		return err
	}
	sp := s.Src
	if r.Post {
		sp = s.Tgt
	}
	seen := make([]bool, sp.Hi-sp.Lo)
	return proj.Walk(c.w.Single(), 0, n, 0, func(_ int, b *connect.Columns) error {
		at := b.I
		if r.Post {
			at = b.J
		}
		for _, x := range at {
			if seen[x] {
				return model.ErrorAt(st.Target.At, "neuron %d of %s has more than one synapse here, so the result of %q would depend on their order; use += with a value that does not read %s", x, sp.Group.Name(), st.Target.ID+" "+st.Op+" "+st.X.String(), st.Target.ID)
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
