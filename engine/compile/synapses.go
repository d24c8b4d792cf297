package compile

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/eqn"
	"synfire/engine/model"
)

// order is one order of pathways within a slot of the step, as a rule 'synapses'.
type order struct {
	c    *compiler
	when string
	slot int // its rank
	at   int
	accs []*accumulator // open: not applied yet
	ops  []func() error
}

// pathways decides what the statements of all pathways are: sums, whose weights
// are constant and stand in tables, or effects, which run synapse by synapse.
func (c *compiler) pathways() ([]*order, error) {
	type place struct {
		slot, order int
	}
	byOrder := map[place][]*model.Path{}
	for _, s := range c.n.AllSynapses() {
		for _, w := range s.Paths {
			if w.Rests() {
				continue
			}
			slot, err := model.SlotRank(w.When)
			if err != nil {
				return nil, err
			}
			at := place{slot, w.Order}
			byOrder[at] = append(byOrder[at], w)
		}
	}
	var orders []*order
	for _, at := range slices.SortedFunc(maps.Keys(byOrder), func(a, b place) int {
		return cmp.Or(cmp.Compare(a.slot, b.slot), cmp.Compare(a.order, b.order))
	}) {
		paths := byOrder[at]
		sort.SliceStable(paths, func(a, b int) bool {
			return paths[a].FullName() < paths[b].FullName()
		})
		o := &order{c: c, when: paths[0].When, slot: at.slot, at: at.order}
		for _, w := range paths {
			if err := o.pathway(w); err != nil {
				return nil, err
			}
		}
		o.flush(func(*accumulator) bool { return true })
		orders = append(orders, o)
	}
	return orders, nil
}

// plan plans the stages of all its pathways. Before the thresholds the step's own
// spikes are not known yet.
func (o *order) plan() error {
	first := len(o.c.Plan.Stages)
	for _, op := range o.ops {
		if err := op(); err != nil {
			return err
		}
	}
	if known, err := model.SlotRank("synapses"); err != nil || o.slot >= known {
		return err
	}
	for _, s := range o.c.Plan.Stages[first:] {
		if s.Form != backend.FormDeliver && s.Form != backend.FormEffect {
			continue
		}
		if t := &o.c.Plan.Tables[s.Table]; t.MinDelay < 1 {
			return fmt.Errorf("%s: a delay is 0, but what these synapses do comes before the threshold of the step, as in NEST: give delays of a step (%g ms) or more", t.Spec.Name, o.c.Plan.Dt*1e3)
		}
	}
	return nil
}

func (o *order) pathway(w *model.Path) error {
	s := w.Delay.Syn
	if len(s.Conns) == 0 {
		return nil
	}
	base := o.c.pathScope(s, -1, w.Code)
	if err := eqn.CheckStatements(w.Code, base); err != nil {
		return base.Explain(err)
	}
	if err := noShared(w.Code, base, "a pathway"); err != nil {
		return err
	}
	if err := o.c.tellOrder(w, base); err != nil {
		return err
	}
	if o.c.learning(w, base) {
		return o.learn(w, o.c.scopeOf(w, -1))
	}
	alone := make([]*piece, len(w.Code))
	for n := range alone {
		alone[n] = &piece{}
	}
	if kept, err := o.c.keepLate(w, base, alone); err != nil {
		return err
	} else if kept {
		return o.learn(w, o.c.scopeOf(w, -1))
	}
	// Statement by statement, each for all synapses, whatever connect call and delays they are of: a statement reads what the ones before it have written.
	lives := w.Lives()
	var locals []eqn.Stmt
	for _, st := range w.Code {
		y := base.Resolve(st.Target.ID)
		if y == nil {
			locals = append(locals, st)
			continue
		}
		for _, l := range lives {
			if err := o.statement(&statement{path: w, Carried: l, locals: locals, Stmt: st, to: y}); err != nil {
				return err
			}
		}
	}
	return nil
}

// statement takes a statement into a sum, or makes an effect of it. What an effect
// reads or assigns must be up to date: sums that are open for it are applied first.
func (o *order) statement(e *statement) error {
	r, ok := e.to.Ref.(model.EndRef)
	if !ok {
		return model.ErrorAt(e.Target.At, "%q cannot be assigned here", e.Target.ID)
	}
	v := r.Var
	sc := o.c.scopeOf(e.path, e.conn())
	n := needs{reads: map[*model.Variable]bool{}}
	o.c.dependsOn(e.X, sc, e.locals, &n)
	sum := e.Op == "+=" || e.Op == "-="
	if sum && !n.changes && len(e.locals) == 0 && v.Symbol.Type == eqn.Float && !v.Shared && r.Post && !e.path.Post {
		return o.sum(e, sc)
	}
	o.flush(func(a *accumulator) bool {
		return slices.ContainsFunc(a.segs, func(g segment) bool { return n.reads[g.v] || !sum && g.v == v })
	})
	if v.Symbol.Type != eqn.Float { // whole numbers add up in any order
		_, typ, err := eqn.Check(e.X, sc)
		sum = sum && v.Symbol.Type == eqn.Integer && err == nil && typ != eqn.Float
	}
	return o.effect(e, sum && !n.reads[v])
}

// sum adds a statement whose value never changes to an open sum.
func (o *order) sum(e *statement, sc *model.Scope) error {
	p := &part{statement: e, conn: e.syn().Conns[e.conn()], v: e.ref().Var}
	x := e.X
	if e.Op == "-=" {
		x = &eqn.Unary{At: e.X.Pos(), Op: "-", X: e.X}
	}
	if q, err := eqn.EvalHost(x, sc); err == nil {
		p.fixed = true
		p.weight = connect.Column{Const: float64(float32(q.Value / p.v.Symbol.Dim.Scale()))}
	} else if err := o.c.weigh(p, x, sc); err != nil {
		return err
	}
	a := o.accumulator(p.v, false, nil)
	a.segment(p.v)
	a.parts = append(a.parts, p)
	return nil
}

// effect makes a statement run synapse by synapse: it adds to a sum, or is the
// only one to write its neuron, or writes the same whichever synapse is the last.
func (o *order) effect(e *statement, sum bool) error {
	r, c := e.ref(), o.c
	var a *accumulator
	if sum {
		a = o.accumulator(r.Var, true, nil)
		a.segment(r.Var)
		a.scale = 0x1p30
	} else if err := c.onlyOne(e); err != nil {
		var several *eqn.Error
		if e.Op != "=" || r.Var.Shared || !errors.As(err, &several) || !sameForAll(e.X, c.scopeOf(e.path, e.conn()), e.locals, r) {
			return err
		}
		o.ops = append(o.ops, func() error { return c.assign(e) })
		return nil
	}
	o.ops = append(o.ops, func() error { return c.effect(e, a) })
	return nil
}

// accumulator finds the open accumulator that serves a variable, or opens one: of
// 64 bits (two), of 32 for what programs add (fed), or of weights.
func (o *order) accumulator(v *model.Variable, two bool, fed *added) *accumulator {
	for _, a := range o.accs {
		if a.name == v.Name && a.dim == v.Symbol.Dim && a.two == two && a.fed == (fed != nil) && (fed == nil || fed.fine(a.added)) && a.segs[0].v.Symbol.Type == v.Symbol.Type {
			// One segment for each group.
			clash := false
			for _, g := range a.segs {
				clash = clash || g.v.Group == v.Group && g.v != v
			}
			if !clash {
				return a
			}
		}
	}
	a := &accumulator{name: v.Name, dim: v.Symbol.Dim, two: two, fed: fed != nil, buf: backend.NoBuf}
	o.accs = append(o.accs, a)
	return a
}

// flush applies the open accumulators that are wanted.
func (o *order) flush(wanted func(*accumulator) bool) {
	var open []*accumulator
	for _, a := range o.accs {
		if !wanted(a) {
			open = append(open, a)
			continue
		}
		o.ops = append(o.ops, func() error {
			if !a.two && !a.fed {
				return o.c.deliver(a)
			}
			return o.c.apply(a)
		})
	}
	o.accs = open
}

// tellOrder warns of a pathway in which one statement reads what another adds to a
// neuron: where several of its synapses are due at once, Brian2's result depends on
// their order; here each statement is done for all of them.
func (c *compiler) tellOrder(w *model.Path, base *model.Scope) error {
	for n, st := range w.Code {
		y := base.Resolve(st.Target.ID)
		if y == nil {
			continue
		}
		r, ok := y.Ref.(model.EndRef)
		if !ok || r.Var.Shared {
			continue
		}
		for k, other := range w.Code {
			if k == n || base.Resolve(other.Target.ID) == nil {
				continue
			}
			reads := needs{reads: map[*model.Variable]bool{}}
			c.dependsOn(other.X, base, c.localsBefore(w, k, base), &reads)
			if !reads.reads[r.Var] {
				continue
			}
			several, err := c.several(w, r.Post)
			if err == nil && several {
				c.n.Warn("%s: the pathway %s changes '%s' and reads it in another statement; where several synapses of a neuron are due at once, each statement is done for all of them, one after the other in Brian2", w.Delay.Syn.Name(), w.Name, st.Target.ID)
			}
			return err
		}
	}
	return nil
}

// several says whether some neuron at one end of a pathway has more than one synapse.
func (c *compiler) several(w *model.Path, post bool) (bool, error) {
	s := w.Delay.Syn
	all, err := s.Degrees(c.w, post, len(s.Conns))
	return len(all) > 0 && slices.Max(all) > 1, err
}
