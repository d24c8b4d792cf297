package compile

import (
	"fmt"
	"slices"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/eqn"
	"synfire/engine/ir"
	"synfire/engine/model"
)

// effectLanes is the eqn.Machine of a FormEffect program: one lane for each
// synapse whose effect is due, numbered as in its projection.
type effectLanes struct {
	model.Lanes
	c    *compiler
	s    *model.Synapses
	conn int
	by   side                         // each: lanes are synapses; else neurons of that side
	acc  *accumulator                 // what sums add to, but for
	accs map[*eqn.Symbol]*accumulator // those of these targets
	own  []ownSlot
	err  error
	path *model.Path // by neuron: lanes are the neurons and their delays of this pathway; nil: the neurons

	name   string                               // of its program
	mapped bool                                 // of a Map: the ends are constants
	picked []uint32                             // of a Map: the numbers of its synapses; nil: all
	catch  func(y *eqn.Symbol, x ir.Value) bool // takes what would be stored
}

// effectLanes starts the program of a visit.
func (c *compiler) effectLanes(x *visit, what string) *effectLanes {
	s, w := x.syn(), x.path
	m := &effectLanes{Lanes: *model.NewLanes(c.n, nil, s.Name()+" "+w.Name+" "+what, ""), c: c, s: s, conn: x.Life.Conn, by: x.by, path: x.grouped, accs: map[*eqn.Symbol]*accumulator{}}
	m.HostWord, m.View, m.Random = c.host(m.B), c.image, c.random
	m.Clock = &s.Object
	m.Site = "path\x00" + c.random.Draws(s) + "_" + w.Name
	m.Traps = []backend.Trap{{Pop: len(c.n.Objects), Object: s.Name(), Name: w.Name, Why: "gave a contribution beyond the bound of its sum"}}
	return m
}

// learned is a variable that the synapses keep of their own.
func (m *effectLanes) learned(l *learned) ir.Value {
	slot := m.words(l)
	switch {
	case l.by == each && m.picked != nil:
		return m.B.Gather(slot, m.lane(), l.rng())
	case m.itsOwn(l):
		return m.B.LoadRange(slot, l.rng())
	case l.by == single:
		return m.B.Uniform(slot, l.rng())
	case l.path != nil:
		key := fmt.Sprintf("%s %s groups %d", m.s.AutoName, l.path.Name, m.conn)
		of := backend.Binding{Buf: m.c.table(key, key, ir.U32, l.groups[m.conn].Of), Event: -1}
		if m.picked != nil {
			return m.B.Gather(slot, m.B.Gather(m.bound(key, ir.Table, ir.U32, of), m.lane(), ir.Range{}), l.rng())
		}
		return m.B.Gather(slot, m.B.Load(m.bound(key, ir.Array, ir.U32, of)), l.rng())
	}
	return m.B.Gather(slot, m.index(l.by == byTarget), l.rng())
}

// itsOwn says that a lane has a word of a variable for itself.
func (m *effectLanes) itsOwn(l *learned) bool {
	return l.by == m.by && (l.by == each || l.path == m.path) && m.picked == nil
}

// words is the slot of such a variable.
func (m *effectLanes) words(l *learned) uint32 {
	kind, off := ir.Table, 0
	if m.itsOwn(l) {
		kind = ir.Array
	}
	if l.by != single {
		off = l.off[m.conn]
	}
	return m.bound(l.v.FullName(), kind, model.IrType(l.v.Symbol), backend.Binding{Buf: l.buf, Off: off, Event: -1})
}

// keep stores such a variable. What passes the limit of rule 4 ends the run.
func (m *effectLanes) keep(l *learned, x ir.Value) {
	if model.IrType(l.v.Symbol) == ir.F32 && l.lo == 0 && l.hi == 0 {
		if r := m.B.Range(x); max(r.Hi, -r.Lo) >= 0x1p40 {
			m.B.LimitTrap(x, len(m.Traps))
			m.Traps = append(m.Traps, backend.Trap{Pop: len(m.c.n.Objects), Var: len(m.Traps), Object: m.s.Name(), Name: l.v.Name, Why: "passed the largest value that a variable can hold, 2^40 in its unit"})
		}
	}
	m.B.Store(m.words(l), x)
}

// ownSlot is a slot that lanes.mem does not describe.
type ownSlot struct {
	slot uint32
	bind backend.Binding
}

func (m *effectLanes) bound(name string, k ir.Kind, t ir.Type, b backend.Binding) uint32 {
	for s, ok := m.Slots[name]; ok; s, ok = m.Slots[name] {
		if slices.Contains(m.own, ownSlot{s, b}) {
			return s
		}
		name += "'" // it is another's, such as that of the variable's sum of another width
	}
	s := m.Slot(name, k, t, model.Memory{})
	m.own = append(m.own, ownSlot{s, b})
	return s
}

func (m *effectLanes) index(post bool) ir.Value {
	if m.mapped {
		return m.column(map[bool]string{false: "i", true: "j"}[post])
	}
	if post {
		return m.B.Load(m.bound("j", ir.Array, ir.U32, backend.Binding{Buf: backend.NoBuf, Off: backend.SlotTarget, Event: -1}))
	}
	return m.B.Load(m.bound("i", ir.Array, ir.U32, backend.Binding{Buf: backend.NoBuf, Off: backend.SlotSource, Event: -1}))
}

// span is the neurons of one end.
func (m *effectLanes) span(post bool) model.Span {
	if post {
		return m.s.Tgt
	}
	return m.s.Src
}

func (m *effectLanes) end(v *model.Variable, post, low bool, use string) (uint32, ir.Value) {
	sp := m.span(post)
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
		if to, _ := r.Var.Shown(); to != nil {
			return m.shown(r.Var, r.Post)
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
	case model.LastRef:
		var last ir.Value
		for k, w := range r.S.Paths {
			x := m.learned(m.c.learned[w.Last])
			if k == 0 {
				last = x
			} else {
				last = m.B.Sel(m.B.LtI(last, x), x, last)
			}
		}
		return last
	case *model.Variable:
		if l := m.c.learned[r]; l != nil {
			return m.learned(l)
		}
		if m.by != each && !r.Shared {
			return m.near(r)
		}
		if r.Shared {
			w, err := r.SharedWord(m.c.w)
			if err != nil && m.err == nil {
				m.err = err
			}
			key := m.s.AutoName + "." + r.Name
			return m.B.Uniform(m.bound(key, ir.Table, model.IrType(r.Symbol), backend.Binding{Buf: m.c.table(key, key, model.IrType(r.Symbol), []uint32{w}), Event: -1}), ir.Range{})
		}
		if m.picked == nil && m.c.ranked() {
			key := fmt.Sprintf("%s.%s %d", m.s.Name(), r.Name, m.conn)
			b, ok := m.c.bufs[bufKey{key: key}]
			if !ok {
				p, err := r.Part(m.c.w, m.conn)
				if err != nil && m.err == nil {
					m.err = err
				}
				b = m.c.parted(key, backend.Constant, model.IrType(r.Symbol), []backend.Part{p})
				m.c.bufs[bufKey{key: key}] = b
			}
			return m.B.Load(m.bound(key, ir.Array, model.IrType(r.Symbol), backend.Binding{Buf: b, Event: -1}))
		}
		w, err := r.ConnWords(m.c.w, m.conn)
		if err == nil {
			key := fmt.Sprintf("%s.%s %d", m.s.Name(), r.Name, m.conn)
			if m.picked != nil {
				return m.B.Gather(m.bound(key, ir.Table, model.IrType(r.Symbol), backend.Binding{Buf: m.c.table(key, key, model.IrType(r.Symbol), w), Event: -1}), m.lane(), ir.Range{})
			}
			return m.B.Load(m.bound(key, ir.Array, model.IrType(r.Symbol), backend.Binding{Buf: m.c.table(key, key, model.IrType(r.Symbol), w), Event: -1}))
		}
		if m.err == nil {
			m.err = err
		}
		return m.B.F(0)
	}
	panic(y.Name + " is not a name of synapses")
}

// near is a variable that nothing changes, where lanes are neurons.
func (m *effectLanes) near(v *model.Variable) ir.Value {
	w, _ := v.NearWords(m.conn, m.by == byTarget)
	key := fmt.Sprintf("%s.%s %d by neuron", m.s.Name(), v.Name, m.conn)
	t := model.IrType(v.Symbol)
	at := backend.Binding{Buf: m.c.table(key, key, t, w), Event: -1}
	if m.path != nil {
		return m.B.Gather(m.bound(key, ir.Table, t, at), m.index(m.by == byTarget), ir.Range{})
	}
	return m.B.Load(m.bound(key, ir.Array, t, at))
}

// free is not_refractory of a neuron at one end.
func (m *effectLanes) free(g *model.NeuronGroup, post bool) ir.Value {
	if g.RefKind == model.RefConst {
		slot, at := m.end(g.ByName["lastspike"], post, false, "read")
		last := m.B.Gather(slot, at, ir.Range{})
		return m.B.NotB(m.B.LtI(m.Holds(g), last))
	}
	slot, at := m.end(g.ByName["not_refractory"], post, false, "read")
	return m.B.Gather(slot, at, ir.Range{})
}

// LoadLow implements eqn.Machine.
func (m *effectLanes) LoadLow(y *eqn.Symbol) ir.Value {
	if v, ok := y.Ref.(*model.Variable); ok {
		return m.learned(m.c.learned[v].low)
	}
	r := y.Ref.(model.EndRef)
	slot, at := m.end(r.Var, r.Post, true, "read")
	return m.B.Gather(slot, at, ir.Range{})
}

// Store implements eqn.Machine: each neuron has at most one synapse here.
func (m *effectLanes) Store(y *eqn.Symbol, x ir.Value) { m.put(y, x, false) }

// StoreLow implements eqn.Machine.
func (m *effectLanes) StoreLow(y *eqn.Symbol, x ir.Value) { m.put(y, x, true) }

func (m *effectLanes) put(y *eqn.Symbol, x ir.Value, low bool) {
	if m.catch != nil && m.catch(y, x) {
		return
	}
	if v, ok := y.Ref.(*model.Variable); ok {
		switch l := m.c.learned[v]; {
		case l.by == single && m.by != single: // its own stage of one lane stores it
		case low:
			m.keep(l.low, x)
		default:
			m.keep(l, x)
		}
		return
	}
	r := y.Ref.(model.EndRef)
	if r.Var.UnlessRef && r.Var.Group.RefKind != model.RefNone {
		old, at := m.end(r.Var, r.Post, low, "read")
		x = m.B.Sel(m.free(r.Var.Group, r.Post), x, m.B.Gather(old, at, ir.Range{}))
	}
	slot, at := m.end(r.Var, r.Post, low, "write")
	m.B.Put(slot, at, x)
}

// Item implements eqn.Machine: the number of the synapse, all connect calls end to end.
func (m *effectLanes) Item() ir.Value {
	first := 0
	for k := range m.conn {
		n, err := m.s.Count(m.c.w, k)
		if err != nil && m.err == nil {
			m.err = err
		}
		first += n
	}
	if first == 0 {
		return m.lane()
	}
	return m.B.AddI(m.lane(), m.B.I(int32(first)))
}

// Add implements eqn.Machine: a contribution whose bound nothing proves. Small
// ones have a sum of their own, of a scale 2^30 times as fine. Of a sum of whole
// numbers the low word is the sum, which wraps as they do.
func (m *effectLanes) Add(y *eqn.Symbol, x ir.Value) error {
	r := y.Ref.(model.EndRef)
	a, of := m.acc, ""
	if own := m.accs[y]; own != nil {
		a, of = own, " of "+own.name
	}
	seg := a.segment(r.Var)
	sp := m.span(r.Post)
	at := m.B.AddI(m.index(r.Post), m.B.I(int32(a.segs[seg].off+sp.Lo)))
	slot := m.bound("sum"+of, ir.Accum, ir.I32, backend.Binding{Buf: a.buf, Event: -1})
	if a.fed {
		m.B.Scatter(slot, at, m.B.Fix32(x, a.scale, 0x1p30/a.scale, 0))
		return nil
	}
	if y.Type != eqn.Float {
		m.B.Scatter2(slot, at, x, m.B.I(0))
		return nil
	}
	b, none := m.B, m.B.I(0)
	small := b.Lt(b.Abs(x), b.F(smallest/a.scale))
	lo, hi := b.Fix64(b.Sel(small, b.Mul(x, b.F(a.small.scale/a.scale)), x), a.scale, 0x1p61/a.scale, 0)
	b.Scatter2(slot, at, b.Sel(small, none, lo), b.Sel(small, none, hi))
	slot = m.bound("sum of small ones"+of, ir.Accum, ir.I32, backend.Binding{Buf: a.small.buf, Event: -1})
	b.Scatter2(slot, at, b.Sel(small, lo, none), b.Sel(small, hi, none))
	return nil
}

// effect plans the stage of a statement that runs synapse by synapse, and adds
// to a where it is a sum.
func (c *compiler) effect(e *statement, a *accumulator) error {
	if a != nil {
		if err := c.open(a); err != nil {
			return err
		}
	}
	m, p, err := c.effectProgram(e, a)
	if err != nil {
		return err
	}
	table, err := c.effectTable(e)
	if err != nil {
		return err
	}
	share := Share{e.path.FullName(), 1}
	c.Shares[len(c.Plan.Stages)] = []Share{share}
	if a != nil && !slices.Contains(a.from, share) {
		a.from = append(a.from, share)
	}
	c.Plan.Stages = append(c.Plan.Stages, backend.Stage{Form: backend.FormEffect, Name: e.syn().Name() + " " + e.path.Name, Flag: -1, Prog: p, Bind: m.bindings(p), Trap: m.Traps[:p.Traps],
		Table: table, Count: 1, Acc: backend.NoBuf, Post: e.path.Post})
	return nil
}

// effectProgram is what runs for each synapse that is due.
func (c *compiler) effectProgram(e *statement, a *accumulator) (*effectLanes, *ir.Prog, error) {
	s, v := e.syn(), e.ref().Var
	x := &visit{path: e.path, Carried: e.Carried, code: e.code(e.to)}
	x.own = make([]bool, len(x.code))
	sc, code, err := c.program(x)
	if err != nil {
		return nil, nil, err
	}
	m := &effectLanes{Lanes: *c.lanes(v.Group, "effect"), c: c, s: s, conn: e.conn(), acc: a}
	m.Clock = &s.Object
	m.Traps = []backend.Trap{{Pop: len(c.n.Objects), Object: s.Name(), Name: v.Name, Why: "received a contribution beyond the bound of its sum"}}
	m.Site = "path\x00" + c.random.Draws(s) + "_" + e.path.Name
	target := *sc.Resolve(e.Target.ID)
	if e.to.Summed { // not the variable, but a count at its place
		target = *e.to
	}
	target.Summed = a != nil
	if err := eqn.Lower(m.B, append(code, e.code(&target)...), sc, m); err != nil {
		return nil, nil, sc.Explain(err)
	}
	if m.err != nil {
		return nil, nil, m.err
	}
	p, err := m.B.Prog()
	return m, p, err
}

// effectTable is the table of the synapses of an effect, in the plan.
func (c *compiler) effectTable(e *statement) (int, error) {
	spec, err := c.pathSpec(e.path, e.Carried)
	if err != nil {
		return 0, err
	}
	stats, err := c.measure(spec)
	if err != nil {
		return 0, err
	}
	c.SynapsesN += stats.Total
	end := e.end(e.path.Post)
	src := backend.Source{Event: c.event(end.Group, end.Group.Event(e.path.Event)), Lo: end.Lo, Hi: end.Hi}
	c.longest[e.Life] = max(c.longest[e.Life], stats.MaxDelay)
	c.Rounding[len(c.Plan.Tables)] = "worked out synapse by synapse"
	c.Plan.Tables = append(c.Plan.Tables, backend.Table{Spec: spec, Sources: []backend.Source{src}, First: e.First, Last: e.Life.Last, MinDelay: stats.MinDelay, MaxDelay: stats.MaxDelay})
	return len(c.Plan.Tables) - 1, nil
}

// bindings are those of the program's slots.
func (m *effectLanes) bindings(p *ir.Prog) []backend.Binding {
	bind := make([]backend.Binding, len(p.Slots))
	for _, x := range m.own {
		bind[x.slot] = x.bind
	}
	for slot, mem := range m.Mem {
		if mem.Data != nil {
			bind[slot] = backend.Binding{Buf: m.c.table(mem.Key, mem.Key, p.Slots[slot].Type, mem.Data), Event: -1}
		}
	}
	return bind
}

// onlyOne refuses a write whose result would depend on the order of synapses.
func (c *compiler) onlyOne(e *statement) error {
	r, st := e.ref(), e.Stmt
	proj := e.syn().Conns[e.conn()].Proj
	n, err := proj.Count(c.w)
	if err != nil {
		return err
	}
	sp := e.end(r.Post)
	seen := make([]bool, sp.Hi-sp.Lo)
	return proj.Walk(c.w.Single(), 0, n, 0, func(_ int, b *connect.Columns) error {
		at := b.I
		if r.Post {
			at = b.J
		}
		for _, x := range at {
			if seen[x] {
				return model.ErrorAt(st.Target.At, "neuron %d of %s has more than one synapse here, so the result of %q would depend on their order; use += with a value that does not read %s", x, sp.Group.Name(), st.Target.ID+" "+st.Op+" "+st.X.String(), st.Target.ID).Of(eqn.Unsupported)
			}
			seen[x] = true
		}
		return nil
	})
}

// assign plans such an assignment: the synapses that are due are counted at each
// neuron, in whole numbers, and a map over the neurons stores the value.
func (c *compiler) assign(e *statement) error {
	r := e.ref()
	a := &accumulator{name: r.Var.Name, two: true, buf: backend.NoBuf}
	a.segment(r.Var)
	one := *e
	one.locals, one.Op, one.X = nil, "+=", &eqn.Num{At: e.X.Pos(), Value: 1, Int: true}
	one.to = &eqn.Symbol{Name: e.to.Name, Kind: eqn.Variable, Type: eqn.Integer, Summed: true, Ref: r}
	if err := c.effect(&one, a); err != nil {
		return err
	}
	sc := c.scopeOf(e.path, e.conn())
	m := &endLanes{Lanes: *c.lanes(r.Var.Group, "assign "+r.Var.Name), sp: e.end(r.Post)}
	due := m.B.Gather(m.Slot("sum", ir.Table, ir.U32, model.Memory{Acc: a}), m.B.Shl(m.B.Lane(), m.B.I(1)), ir.Range{})
	m.Mask, m.Respect = m.B.NotB(m.B.EqI(due, m.B.I(0))), true
	target := *sc.Resolve(e.Target.ID)
	if err := eqn.Lower(m.B, e.code(&target), sc, m); err != nil {
		return sc.Explain(err)
	}
	at := len(c.Plan.Stages)
	err := c.stage(&m.Lanes, r.Var.Group.Size, -1, nil)
	c.share(at, Share{e.path.FullName(), 1})
	return err
}

// endLanes is the eqn.Machine of a synapse's code that runs for the neurons of
// one end.
type endLanes struct {
	model.Lanes
	sp model.Span
}

// Load implements eqn.Machine.
func (m *endLanes) Load(y *eqn.Symbol) ir.Value {
	r, ok := y.Ref.(model.EndRef)
	if !ok || r.Var.Builtin { // i or j, within the subgroup
		return m.B.SubI(m.B.Lane(), m.B.I(int32(m.sp.Lo)))
	}
	return m.Lanes.Load(r.Var.Symbol)
}

// LoadLow implements eqn.Machine.
func (m *endLanes) LoadLow(y *eqn.Symbol) ir.Value {
	return m.Lanes.LoadLow(y.Ref.(model.EndRef).Var.Symbol)
}

// Store implements eqn.Machine.
func (m *endLanes) Store(y *eqn.Symbol, x ir.Value) { m.StoreIn(y.Ref.(model.EndRef).Var, false, x) }

// StoreLow implements eqn.Machine.
func (m *endLanes) StoreLow(y *eqn.Symbol, x ir.Value) { m.StoreIn(y.Ref.(model.EndRef).Var, true, x) }
