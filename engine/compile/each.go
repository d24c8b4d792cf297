package compile

import (
	"fmt"
	"math"
	"slices"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/eqn"
	"synfire/engine/ir"
	"synfire/engine/model"
)

// What happens to synapses apart from events: clock-driven equations, what is
// constant over a step, run_regularly, summed variables, values for monitors.

// eachLanes starts a Map program over the synapses of a connect call; picked are
// the numbers of those that are wanted, nil for all.
func (c *compiler) eachLanes(s *model.Synapses, what string, conn int, picked []uint32) *effectLanes {
	m := &effectLanes{Lanes: *model.NewLanes(c.n, nil, s.Name()+" "+what, ""), c: c, s: s, conn: conn, by: each, accs: map[*eqn.Symbol]*accumulator{}, mapped: true, picked: picked, name: s.Name() + " " + what}
	m.HostWord, m.View, m.Random, m.Tables = c.host(m.B), c.image, c.random, c.arrays
	m.Clock = &s.Object
	m.Site = "step\x00" + c.random.Draws(s) + "\x00" + what
	return m
}

// column is i, j or the numbers of the synapses of a Map, as constants.
func (m *effectLanes) column(name string) ir.Value {
	key := fmt.Sprintf("%s %d %s", m.s.AutoName, m.conn, name)
	if m.picked != nil {
		key += fmt.Sprintf(" of %s", m.name)
	}
	buf, ok := m.c.bufs[bufKey{key: key}]
	if !ok {
		words, err := m.columnWords(name)
		if err != nil && m.err == nil {
			m.err = err
		}
		buf = m.c.table(key, key, ir.U32, words)
	}
	return m.B.Load(m.bound(name, ir.Array, ir.U32, backend.Binding{Buf: buf, Event: -1}))
}

func (m *effectLanes) columnWords(name string) ([]uint32, error) {
	n, err := m.s.Count(m.c.w, m.conn)
	if err != nil {
		return nil, err
	}
	if name == "k" {
		return m.picked, nil
	}
	out := make([]uint32, 0, n)
	if m.picked != nil {
		out = make([]uint32, 0, len(m.picked))
	}
	next := map[uint32][]int{}
	for at, k := range m.picked {
		next[k] = append(next[k], at)
	}
	out = out[:cap(out)]
	err = m.s.Conns[m.conn].Proj.Walk(m.c.w.Single(), 0, n, 0, func(_ int, b *connect.Columns) error {
		ends := b.I
		if name == "j" {
			ends = b.J
		}
		for q, e := range ends {
			if m.picked == nil {
				out[b.K0+q] = e
				continue
			}
			for _, at := range next[uint32(b.K0+q)] {
				out[at] = e
			}
		}
		return nil
	})
	return out, err
}

// lane is the number of a Map's synapse within its connect call.
func (m *effectLanes) lane() ir.Value {
	if m.picked != nil {
		return m.column("k")
	}
	return m.B.Lane()
}

// mapStage appends a Map over synapses.
func (c *compiler) mapStage(m *effectLanes, lanes, flag int) error {
	if m.err != nil {
		return m.err
	}
	p, err := m.B.Prog()
	if err != nil || len(p.Ins) == 0 || lanes == 0 {
		return err
	}
	c.Plan.Stages = append(c.Plan.Stages, backend.Stage{Form: backend.FormMap, Name: p.Name, Flag: flag, N: lanes, Prog: p, Bind: m.bindings(p), Trap: m.Traps[:p.Traps], Acc: backend.NoBuf})
	return nil
}

// mapped plans code that runs for every synapse: the assignments to shared
// variables once, as in Brian2 first, then the rest for each connect call.
func (c *compiler) mapped(s *model.Synapses, what, told string, code []eqn.Stmt, flag int) error {
	base := c.pathScope(s, -1, code)
	if err := eqn.CheckStatements(code, base); err != nil {
		return base.Explain(err)
	}
	var rest []eqn.Stmt
	shared := false
	for _, st := range code {
		y := base.Resolve(st.Target.ID)
		if y != nil {
			if v, own := y.Ref.(*model.Variable); !own || c.learned[v] == nil {
				return eqn.At(st.Target.At, "assign to it in the group's own run_regularly, or with a (summed) variable", "%s of synapses cannot assign to '%s', which is not one of their own variables", told, st.Target.ID).Of(eqn.Unsupported)
			}
		}
		if toShared(st, base) {
			shared = true
		} else {
			rest = append(rest, st)
		}
	}
	if shared {
		alone := sharedOnly(code, base)
		for _, st := range code {
			if toShared(st, base) && !slices.ContainsFunc(alone, func(t eqn.Stmt) bool { return t.Target == st.Target }) {
				return base.Explain(eqn.At(st.Target.At, "use shared variables, constants and t only", "the shared variable '%s' cannot take a value that differs between synapses", st.Target.ID))
			}
		}
		m := c.eachLanes(s, what+" shared", 0, nil)
		m.by = single
		if err := eqn.Lower(m.B, alone, base, m); err != nil {
			return base.Explain(err)
		}
		if err := c.mapStage(m, 1, flag); err != nil {
			return err
		}
	}
	if !slices.ContainsFunc(rest, func(st eqn.Stmt) bool { return base.Resolve(st.Target.ID) != nil }) {
		return nil
	}
	for k := range s.Conns {
		n, err := s.Count(c.w, k)
		if err != nil {
			return err
		}
		sc, advance, err := c.program(&visit{path: apart(s), Carried: model.Carried{Life: &model.Life{Conn: k}}, code: rest, own: slices.Repeat([]bool{true}, len(rest)), to: s.End("lastupdate")})
		if err != nil {
			return err
		}
		m := c.eachLanes(s, what, k, nil)
		if err := eqn.Lower(m.B, append(advance, rest...), sc, m); err != nil {
			return sc.Explain(err)
		}
		if err := c.mapStage(m, n, flag); err != nil {
			return err
		}
	}
	return nil
}

// synapseEquations checks the equations of synapses, before any are counted.
func (c *compiler) synapseEquations(s *model.Synapses) error {
	sc := c.pathScope(s, -1, nil)
	return sc.Explain(eqn.CheckEquations(s.Eqs, sc, nil))
}

// synapsesOverDt plans the subexpressions that are constant over dt.
func (c *compiler) synapsesOverDt(s *model.Synapses) error {
	var code []eqn.Stmt
	for _, e := range s.Eqs.List {
		if v := s.ByName[e.Name]; v != nil && v.OverDt && c.learned[v] != nil {
			y := *c.pathScope(s, -1, nil).Resolve(e.Name)
			y.ReadOnly = false
			code = append(code, eqn.Stmt{Target: &eqn.Name{At: e.At, ID: e.Name, Sym: &y}, Op: "=", X: e.X})
		}
	}
	if len(code) == 0 {
		return nil
	}
	return c.mapped(s, "constant over dt", "a subexpression", code, c.flag(s.Dt()))
}

// synapsesUpdate plans one step of the clock-driven equations.
func (c *compiler) synapsesUpdate(s *model.Synapses) error {
	if !slices.ContainsFunc(s.Eqs.List, func(e *eqn.Equation) bool { return e.Kind == eqn.Differential && !e.Has("event-driven") }) {
		return nil
	}
	for k := range s.Conns {
		sc, scheme, err := c.synapsesScheme(s, k)
		if err != nil {
			return err
		}
		if c.Clocked[s] == nil {
			if c.Clocked == nil {
				c.Clocked = map[*model.Synapses]*eqn.Scheme{}
			}
			c.Clocked[s] = scheme
		}
		n, err := s.Count(c.w, k)
		if err != nil {
			return err
		}
		m := c.eachLanes(s, "update", k, nil)
		if err := eqn.Lower(m.B, scheme.Stmts, sc, m); err != nil {
			return sc.Explain(err)
		}
		if err := c.mapStage(m, n, c.flag(s.Dt())); err != nil {
			return err
		}
	}
	return nil
}

// synapsesScheme solves the clock-driven equations of a connect call.
func (c *compiler) synapsesScheme(s *model.Synapses, conn int) (*model.Scope, *eqn.Scheme, error) {
	sc := c.pathScope(s, conn, nil)
	sc.Own = eqn.Varying(sc.Own)
	values := func(y *eqn.Symbol) []float64 { return nil }
	scheme, err := eqn.Integrate(s.Eqs, sc, eqn.Options{Method: s.Method, Substeps: s.Parts(), Dt: s.Dt(), Values: values})
	if err != nil {
		return nil, nil, sc.Explain(err)
	}
	if len(scheme.Derived) > 0 {
		return nil, nil, fmt.Errorf("internal: %s has constants to be worked out", s.Name())
	}
	return sc, scheme, nil
}

// summed plans a summed variable: all of its synapses add to their neurons, whose
// variable then takes the sum; neurons of the end without synapses take 0.
func (c *compiler) summed(s *model.Synapses, u *model.Summed) error {
	r := model.EndRef{Var: u.Var, Post: u.Post}
	sp := s.Src
	if u.Post {
		sp = s.Tgt
	}
	flag := c.flag(sp.Group.Dt())
	a := &accumulator{name: u.Var.Name, two: true, buf: backend.NoBuf, scale: 0x1p30}
	a.segment(u.Var)
	base := c.pathScope(s, -1, nil)
	d, _, err := eqn.Check(u.Equation.X, base)
	if err != nil {
		return base.Explain(err)
	}
	if d != u.Var.Symbol.Dim {
		return eqn.At(u.Equation.At, "", "the summed variable '%s' should have unit %s, but '%s' has unit %s", u.Equation.Name, u.Var.Symbol.Dim, u.Equation.X, d).Of(eqn.Dimension)
	}
	if err := c.open(a); err != nil {
		return err
	}
	for k, conn := range s.Conns {
		sc := c.pathScope(s, k, nil)
		q := conn.Proj.With(connect.Column{}, connect.Column{})
		q.Row0, q.Tgt0 = 0, 0
		spec := &connect.Spec{Name: s.Name() + " summed", Projs: []*connect.Proj{q}, NSrc: q.NPre, NTgt: q.NPost, Scale: 1, Width: 32}
		spec = c.spec(c.fingerprint([]*part{{conn: conn}}, spec), spec)
		stats, err := c.measure(spec)
		if err != nil {
			return err
		}
		c.SynapsesN += stats.Total
		table := len(c.Plan.Tables)
		c.Rounding[table] = "worked out synapse by synapse, at every step"
		c.Plan.Tables = append(c.Plan.Tables, backend.Table{Spec: spec, Sources: []backend.Source{{Event: c.everyStep(s.Src.Hi - s.Src.Lo), Hi: s.Src.Hi - s.Src.Lo}}, Last: math.MaxInt64})
		m := c.eachLanes(s, "summed "+u.Var.Name, k, nil)
		m.mapped = false
		m.Traps = []backend.Trap{{Pop: len(c.n.Objects), Object: s.Name(), Name: u.Equation.Name, Why: "received a contribution beyond the bound of its sum"}}
		target := eqn.Symbol{Name: u.Equation.Name, Kind: eqn.Variable, Dim: u.Var.Symbol.Dim, Type: u.Var.Symbol.Type, Summed: true, Ref: r}
		m.accs[&target] = a
		if err := eqn.Lower(m.B, []eqn.Stmt{{Target: &eqn.Name{At: u.Equation.At, ID: target.Name, Sym: &target}, Op: "+=", X: u.Equation.X}}, sc, m); err != nil {
			return sc.Explain(err)
		}
		if m.err != nil {
			return m.err
		}
		p, err := m.B.Prog()
		if err != nil {
			return err
		}
		c.Plan.Stages = append(c.Plan.Stages, backend.Stage{Form: backend.FormEffect, Name: s.Name() + " " + u.Equation.Name, Flag: flag, Prog: p, Bind: m.bindings(p), Trap: m.Traps[:p.Traps], Table: table, Acc: backend.NoBuf})
	}
	l := c.lanes(sp.Group, "sum "+u.Var.Name)
	c.within(l, sp)
	l.Store(c.writable(u.Var), wideSum(l, a, u.Var))
	return c.stage(l, sp.Group.Size, flag, nil)
}

// everyStep is an event of n neurons that all have at every step.
func (c *compiler) everyStep(n int) int {
	if k, ok := c.always[n]; ok {
		return k
	}
	k := len(c.Plan.Events)
	c.Plan.Events = append(c.Plan.Events, backend.Event{Name: fmt.Sprintf("every step of %d", n), N: n, History: 1, Masks: backend.NoBuf})
	c.always[n] = k
	b := ir.NewBuilder(fmt.Sprintf("every step of %d", n))
	b.StoreBit(b.Slot("events", ir.Mask, ir.Bool), b.B(true))
	p, err := b.Prog()
	if err != nil {
		panic(err)
	}
	c.Plan.Stages = append(c.Plan.Stages, backend.Stage{Form: backend.FormMap, Name: p.Name, Flag: -1, N: n, Prog: p, Bind: []backend.Binding{{Buf: backend.NoBuf, Event: k}}, Acc: backend.NoBuf})
	return k
}

// pickedSource is where the values of some synapses stand, in their order: those of
// a variable that stands by synapse in its own buffer, others in a temporary.
func (c *compiler) pickedSource(v *model.Variable, owner string, items []int, flag int) (backend.Binding, []uint32, error) {
	s := v.Syn
	at := make([]uint32, len(items))
	if v.Shared {
		if l := c.learned[v]; l != nil {
			return backend.Binding{Buf: l.buf, Event: -1}, []uint32{0}, nil
		}
	}
	if l := c.learned[v]; l != nil && l.by == each && v.Driven == nil && len(items) > 0 {
		for k, i := range items {
			at[k] = uint32(i)
		}
		return backend.Binding{Buf: l.buf, Event: -1}, at, nil
	}
	y := v.Symbol
	n := max(1, len(items))
	out := c.blank(s.Name()+"."+v.Name+" for "+owner, backend.Scratch, model.IrType(y), n)
	first, done := 0, 0
	for k := range s.Conns {
		size, err := s.Count(c.w, k)
		if err != nil {
			return backend.Binding{}, nil, err
		}
		var picked []uint32
		for q, i := range items {
			if i >= first && i < first+size {
				picked = append(picked, uint32(i-first))
				at[q] = uint32(done + len(picked) - 1)
			}
		}
		if v.Shared { // one value, that of any connect call
			picked = []uint32{0}[:min(1, 1-done)]
		}
		first += size
		if len(picked) == 0 {
			continue
		}
		m := c.eachLanes(s, "value of "+v.Name+" for "+owner, k, picked)
		x, err := c.shownValue(m, v)
		if err != nil {
			return backend.Binding{}, nil, err
		}
		m.B.StoreRaw(m.bound("out", ir.Array, model.IrType(y), backend.Binding{Buf: out, Off: done, Event: -1}), x)
		if err := c.mapStage(m, len(picked), flag); err != nil {
			return backend.Binding{}, nil, err
		}
		done += len(picked)
	}
	if v.Shared {
		at = []uint32{0}
	}
	return backend.Binding{Buf: out, Event: -1}, at, nil
}

// shownValue is the value of a synapse's variable as scripts see it: what depends
// on event-driven variables is that of the synapse's last event.
func (c *compiler) shownValue(m *effectLanes, v *model.Variable) (ir.Value, error) {
	s := v.Syn
	out := *v.Symbol
	out.Kind, out.Expr, out.ReadOnly, out.Constant, out.Ref = eqn.Variable, nil, false, false, nil
	code := []eqn.Stmt{{Target: &eqn.Name{ID: "value", Sym: &out}, Op: "=", X: &eqn.Name{ID: v.Name}}}
	sc, advance, err := c.program(&visit{path: apart(s), Carried: model.Carried{Life: &model.Life{Conn: m.conn}}, code: code, own: []bool{false}, to: s.End("lastupdate")})
	if err != nil {
		return ir.None, err
	}
	value := ir.None
	m.catch = func(y *eqn.Symbol, x ir.Value) bool {
		if y == &out {
			value = x
		}
		return true
	}
	if err := eqn.Lower(m.B, append(advance, code...), sc, m); err != nil {
		return ir.None, sc.Explain(err)
	}
	return value, m.err
}

// apart stands for a pathway where there is none.
func apart(s *model.Synapses) *model.Path { return &model.Path{Delay: &model.Variable{Syn: s}} }
