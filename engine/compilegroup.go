package engine

import (
	"fmt"
	"slices"
	"strings"

	"synfire/engine/backend"
	"synfire/engine/eqn"
	"synfire/engine/ir"
	"synfire/engine/num"
)

// groupFlags are the flags that a NeuronGroup's equations may carry.
var groupFlags = map[eqn.EqKind][]string{
	eqn.Differential: {"unless refractory", "shared", "compensated"},
	eqn.Sub:          {"shared", "constant over dt"},
	eqn.Parameter:    {"constant", "shared"},
}

// group plans a population: the update of its equations, thresholds, resets,
// and the record of its spikes.
func (c *compiler) group(g *NeuronGroup) error {
	sc := c.scope(g)
	if g.generator != nil {
		return c.inject(g)
	}
	if err := eqn.CheckEquations(g.eqs, sc, groupFlags); err != nil {
		return sc.explain(err)
	}
	opt := eqn.Options{Method: g.method, Dt: c.n.dt, Values: c.values}
	if g.refKind != refNone {
		opt.Refractory = g.byName["not_refractory"].sym
	}
	scheme, err := eqn.Integrate(g.eqs, sc, opt)
	if err != nil {
		return sc.explain(err)
	}
	c.schemes[g] = scheme
	for _, name := range scheme.Two {
		if m := c.image(g.byName[name]); m.low == nil {
			m.low = make([]uint32, len(m.words))
			m.sym.TwoWords = true
		}
	}
	for _, d := range scheme.Derived {
		if err := c.derive(g, d); err != nil {
			return err
		}
	}
	if err := c.update(g, sc, scheme); err != nil {
		return err
	}
	for k, e := range g.events {
		if err := c.threshold(g, sc, e, k); err != nil {
			return err
		}
	}
	for _, r := range g.reactions {
		if err := c.react(g, sc, r); err != nil {
			return err
		}
	}
	for _, v := range g.vars {
		if m := c.image(v); c.written[v] && irType(m.sym) == ir.F32 && m.words != nil {
			c.traps = append(c.traps, limit{g, v})
		}
	}
	return nil
}

// values gives a parameter's present values, for the decision of rule 10.
func (c *compiler) values(y *eqn.Symbol) []float64 {
	v, ok := y.Ref.(*Variable)
	if !ok || v.words == nil || c.written[v] && v.eq != nil && v.eq.Kind == eqn.Differential {
		return nil
	}
	return v.decode(v.words).V
}

// derive works hidden constants out on the host, in float64 (rule 11).
func (c *compiler) derive(g *NeuronGroup, d *eqn.Derived) error {
	shared := true
	for _, y := range d.In {
		shared = shared && y.Shared
	}
	size := g.n
	if shared {
		size = 1
	}
	in, out := make([][]float64, len(d.In)), make([][]float64, len(d.Out))
	for k, y := range d.In {
		m := c.image(y.Ref.(*Variable))
		words := m.words
		if words == nil { // a subexpression
			var err error
			if words, err = g.evalVisit(c.w, g.span(), &eqn.Name{ID: y.Name}, m.sym, 0); err != nil {
				return err
			}
		}
		in[k] = make([]float64, len(words))
		for q, w := range words {
			in[k][q] = value(m.sym, c.n.dt, w)
		}
	}
	for k := range out {
		out[k] = make([]float64, size)
	}
	d.Fill(size, in, out)
	for k, y := range d.Out {
		v := &Variable{g: g, name: y.Name, sym: y, n: size, shared: shared}
		v.alloc(0)
		y.Ref, y.Shared = v, shared
		for lane, x := range out[k] {
			w, err := encode(y, c.n.dt, x)
			if err != nil {
				return fmt.Errorf("%s, neuron %d: %w", g.Name(), lane, err)
			}
			v.words[lane] = w
		}
	}
	return nil
}

func (c *compiler) update(g *NeuronGroup, sc *scope, scheme *eqn.Scheme) error {
	var overDt, sharedStmts []eqn.Stmt
	for _, e := range g.eqs.List {
		if v := g.byName[e.Name]; v.overDt {
			overDt = append(overDt, eqn.Stmt{Target: &eqn.Name{At: e.At, ID: e.Name, Sym: c.writable(v)}, Op: "=", X: e.X})
		}
		if v := g.byName[e.Name]; v.shared && e.Kind == eqn.Differential {
			sharedStmts = scheme.Stmts
		}
	}
	if len(overDt) > 0 {
		c.add("before_start", g.order, g.auto+"_subexpression_update", func() error {
			code, err := c.shared(g, overDt, sc, "constant over dt", -1)
			if err != nil {
				return err
			}
			l := c.lanes(g, "constant over dt")
			if err := eqn.Lower(l.b, code, sc, l); err != nil {
				return sc.explain(err)
			}
			return c.stage(l, g.n, -1, nil)
		})
	}
	c.add("groups", g.order, g.auto+"_stateupdater", func() error {
		if sharedStmts != nil && g.n > 0 {
			l := c.lanes(g, "update")
			l.single = true
			if err := eqn.Lower(l.b, sharedOnly(sharedStmts, sc), sc, l); err != nil {
				return sc.explain(err)
			}
			if err := c.stage(l, 1, -1, nil); err != nil {
				return err
			}
		}
		l := c.lanes(g, "update")
		if g.refKind == refExpr {
			if err := c.notRefractory(g, sc, l); err != nil {
				return err
			}
		}
		if err := eqn.Lower(l.b, scheme.Stmts, sc, l); err != nil {
			return sc.explain(err)
		}
		return c.stage(l, g.n, -1, nil)
	})
	return nil
}

// writable is a symbol that the engine itself assigns though scripts cannot.
func (c *compiler) writable(v *Variable) *eqn.Symbol {
	y := *c.image(v).sym
	y.ReadOnly = false
	return &y
}

// shared plans the assignments to shared variables as a stage of one lane, which
// comes first as in Brian2, and returns the statements that are left.
func (c *compiler) shared(g *NeuronGroup, code []eqn.Stmt, sc *scope, what string, flag int) ([]eqn.Stmt, error) {
	var rest []eqn.Stmt
	for _, s := range code {
		if !toShared(s, sc) {
			rest = append(rest, s)
		}
	}
	if len(rest) == len(code) {
		return code, nil
	}
	alone := sharedOnly(code, sc)
	for _, s := range code {
		if toShared(s, sc) && !slices.ContainsFunc(alone, func(t eqn.Stmt) bool { return t.Target == s.Target }) {
			return nil, sc.explain(eqn.At(s.Target.At, "use shared variables, constants and t only", "the shared variable '%s' cannot take a value that differs between neurons", s.Target.ID))
		}
	}
	l := c.lanes(g, what+" shared")
	l.single = true
	if err := eqn.Lower(l.b, alone, sc, l); err != nil {
		return nil, sc.explain(err)
	}
	return rest, c.stage(l, 1, flag, nil)
}

func toShared(s eqn.Stmt, sc *scope) bool {
	y := s.Target.Sym
	if y == nil {
		y = sc.Resolve(s.Target.ID)
	}
	return y != nil && y.Kind == eqn.Variable && y.Shared
}

// noShared refuses code that runs for some neurons or synapses only and assigns
// to a shared variable, as Brian2 does.
func noShared(code []eqn.Stmt, sc *scope, what string) error {
	for _, s := range code {
		if toShared(s, sc) {
			return sc.explain(eqn.At(s.Target.At, "count in a variable of each neuron, or assign it in run_regularly", "%s cannot assign to the shared variable '%s': one value stands for all neurons", what, s.Target.ID))
		}
	}
	return nil
}

// sharedOnly leaves out the assignments to variables of single neurons, and
// what needs them.
func sharedOnly(stmts []eqn.Stmt, sc eqn.Scope) (out []eqn.Stmt) {
	lane := map[string]bool{}
	for _, s := range stmts {
		y := s.Target.Sym
		if y == nil {
			y = sc.Resolve(s.Target.ID)
		}
		vector := y != nil && !y.Shared
		for _, id := range eqn.Identifiers(s.X) {
			z := sc.Resolve(id)
			vector = vector || lane[id] || z != nil && z.Kind == eqn.Variable && !z.Shared
		}
		if vector {
			lane[s.Target.ID] = true
			continue
		}
		out = append(out, s)
	}
	return out
}

// notRefractory works not_refractory out as the update begins, from an
// expression for the period or a condition that holds a neuron.
func (c *compiler) notRefractory(g *NeuronGroup, sc *scope, l *lanes) error {
	nr := g.byName["not_refractory"]
	x, typ, dim, err := eqn.LowerExpr(l.b, g.refractory, sc, l)
	if err != nil {
		return sc.explain(err)
	}
	var free ir.Value
	switch {
	case dim == second:
		// Steps since the last spike >= floor(r/dt + 0.001); a period that is negative is none.
		per := l.b.F(eqn.WholeSteps * second.Scale() / c.n.dt)
		steps := l.b.F2I(l.b.Max(l.b.F(0), l.b.Floor(l.b.Add(l.b.Mul(as(l.b, x, typ, &eqn.Symbol{}), per), l.b.F(1e-3)))))
		free = l.freeAfter(l.Load(g.byName["lastspike"].sym), steps)
	case dim.IsOne() && typ == eqn.Boolean:
		free = l.b.OrB(l.Load(nr.sym), l.b.NotB(x))
	default:
		return errorAt(g.refractory.Pos(), "refractory= is a time or a condition, but %q has the unit %v", g.refractory.String(), dim)
	}
	l.Store(nr.sym, free)
	return nil
}

func (c *compiler) threshold(g *NeuronGroup, sc *scope, e *groupEvent, nth int) error {
	c.add(e.when, e.order, g.auto+"_"+e.name+"_thresholder", func() error {
		l := c.lanes(g, "threshold")
		if e.name != "spike" {
			l.site += "\x00" + e.name
			l.b = ir.NewBuilder(g.Name() + " " + e.name)
			l.host = c.host(l.b)
		}
		x, typ, _, err := eqn.LowerExpr(l.b, e.cond, sc, l)
		if err != nil {
			return sc.explain(err)
		}
		if typ != eqn.Boolean {
			return errorAt(e.cond.Pos(), "a threshold is a condition, but %q is a number", e.cond.String())
		}
		if e.name == "spike" && g.refKind != refNone {
			nr, last := g.byName["not_refractory"], g.byName["lastspike"]
			x = l.b.AndB(x, l.Load(nr.sym))
			l.Store(last.sym, l.b.Sel(x, l.b.Step(), l.Load(last.sym)))
			if g.refKind == refExpr {
				l.Store(nr.sym, l.b.AndB(l.Load(nr.sym), l.b.NotB(x)))
			}
		}
		l.b.StoreBit(l.slot("events", ir.Mask, ir.Bool, memory{event: e}), x)
		return c.stage(l, g.n, -1, nil)
	})
	c.spikes(g, e)
	return nil
}

// inject plans a SpikeGeneratorGroup.
func (c *compiler) inject(g *NeuronGroup) error {
	e := g.events[0]
	gen, err := g.generator.inSteps(g.Name(), c.n.dt)
	if err != nil {
		return err
	}
	c.add("thresholds", g.order, g.auto, func() error {
		c.plan.Stages = append(c.plan.Stages, backend.Stage{Form: backend.FormInject, Name: g.Name() + " spikes", Flag: -1, Event: c.event(g, e),
			Steps: gen.steps, Start: gen.start, Index: gen.index, Period: gen.period, Acc: backend.NoBuf})
		return nil
	})
	c.spikes(g, e)
	return nil
}

// regular plans a run_regularly operation.
func (c *compiler) regular(r *regular) error {
	g := r.src.g
	sc := c.scope(g).sized(r.src)
	if err := eqn.CheckStatements(r.code, sc); err != nil {
		return sc.explain(err)
	}
	flag, err := c.flag(r.every, "run_regularly")
	if err != nil {
		return err
	}
	return c.add(r.when, r.order, r.auto, func() error {
		code, err := c.shared(g, c.respectful(g, r.code), sc, "run_regularly "+c.random.draws(r), flag)
		if err != nil {
			return err
		}
		l := c.lanes(g, "run_regularly "+c.random.draws(r))
		l.off, l.ago, l.respect = r.src.lo, c.ago(r.when), true
		c.within(l, r.src)
		if err := eqn.Lower(l.b, code, sc, l); err != nil {
			return sc.explain(err)
		}
		return c.stage(l, g.n, flag, nil)
	})
}

// respectful makes assignments to (unless refractory) variables conditional, so
// that the statements that follow read the value that was kept. Variables of
// two words are left to the store.
func (c *compiler) respectful(g *NeuronGroup, code []eqn.Stmt) []eqn.Stmt {
	out := make([]eqn.Stmt, len(code))
	for k, s := range code {
		out[k] = s
		v := g.byName[s.Target.ID]
		if v == nil || !v.unlessRef || c.image(v).low != nil || g.refKind == refNone {
			continue
		}
		old := &eqn.Name{At: s.Target.At, ID: v.name}
		x := s.X
		if s.Op != "=" {
			x = &eqn.Binary{At: s.X.Pos(), Op: strings.TrimSuffix(s.Op, "="), X: old, Y: s.X}
		}
		out[k].Op, out[k].X = "=", &eqn.Cond{If: &eqn.Name{At: s.Target.At, ID: "not_refractory"}, Then: x, Else: old}
	}
	return out
}

// ago is 1 in slots before the update, where not_refractory is still that of
// the step before.
func (c *compiler) ago(when string) int {
	if r, err := slotRank(when); err == nil && r < 4 {
		return 1
	}
	return 0
}

// within restricts stores to a range of the group.
func (c *compiler) within(l *lanes, s span) {
	if s.lo == 0 && s.hi == s.g.n {
		return
	}
	at := l.b.Lane()
	in := l.b.LtI(at, l.b.I(int32(s.hi)))
	if s.lo > 0 {
		in = l.b.AndB(in, l.b.NotB(l.b.LtI(at, l.b.I(int32(s.lo)))))
	}
	if l.mask != ir.None {
		in = l.b.AndB(in, l.mask)
	}
	l.mask = in
}

// poissonInput plans a PoissonInput: one product, one addition, one store.
func (c *compiler) poissonInput(p *PoissonInput) error {
	g := p.target.g
	sc := c.scope(g)
	return c.add(p.when, p.order, p.auto, func() error {
		l := c.lanes(g, "input "+c.random.draws(p))
		l.off = p.target.lo
		c.within(l, p.target)
		var w ir.Value
		if p.value != nil {
			w = l.b.F(p.value.Internal())
		} else {
			x, typ, dim, err := eqn.LowerExpr(l.b, p.weight, sc, l)
			if err != nil {
				return sc.explain(err)
			}
			if dim != p.v.sym.Dim {
				return errorAt(p.weight.Pos(), "weight= has the unit %v, but %s has %v", dim, p.v.name, p.v.sym.Dim)
			}
			w = as(l.b, x, typ, p.v.sym)
		}
		count, err := drawCount(l.b, l.Item(), c.random.stream("input", c.random.draws(p), "", 0), p.n, float64(p.rate*c.n.dt))
		if err != nil {
			return fmt.Errorf("PoissonInput %s: %w", p.Name(), err)
		}
		c.increment(l, p.v, l.b.Mul(l.b.I2F(count), w))
		lanes := g.n
		if p.target.hi <= g.n/4 { // few: not worth numbers for all, though the stage then stands by itself
			lanes = p.target.hi
		}
		return c.stage(l, lanes, -1, nil)
	})
}

// drawCount is a binomial number with n trials of probability p. Trials are cut
// into parts whose tables stay short; sums of binomial numbers are binomial.
func drawCount(b *ir.Builder, item ir.Value, stream uint32, n int, p float64) (ir.Value, error) {
	if err := countable(n, p); err != nil {
		return ir.None, err
	}
	parts := max(1, int(float64(n)*p/16+0.999))
	parts = min(parts, mostParts)
	var sum ir.Value = ir.None
	tables := map[int][]float64{} // by trials: parts differ by one at most
	for k := range parts {
		trials := n*(k+1)/parts - n*k/parts
		table := tables[trials]
		if table == nil {
			var err error
			if table, err = num.BinomialTable(trials, p); err != nil {
				return ir.None, err
			}
			tables[trials] = table
		}
		x := b.CountTable(b.Rand(item, stream, uint32(k)), table)
		if sum == ir.None {
			sum = x
		} else {
			sum = b.AddI(sum, x)
		}
	}
	return sum, nil
}

// increment adds x to a variable as every synaptic effect does: it respects
// (unless refractory) and the second word.
func (c *compiler) increment(l *lanes, v *Variable, x ir.Value) {
	mask := l.mask
	if v.unlessRef && v.g.refKind != refNone {
		free := l.Load(v.g.byName["not_refractory"].sym)
		if mask != ir.None {
			free = l.b.AndB(mask, free)
		}
		l.mask = free
	}
	if c.image(v).low != nil {
		hi, lo := l.b.AddTwo(l.Load(v.sym), l.LoadLow(v.sym), x)
		l.StoreLow(v.sym, lo)
		l.Store(v.sym, hi)
	} else if v.sym.Type == eqn.Integer {
		l.Store(v.sym, l.b.AddI(l.Load(v.sym), x))
	} else {
		l.Store(v.sym, l.b.Add(l.Load(v.sym), x))
	}
	l.mask = mask
}

// limits plans the check of rule 4 at the end of each step.
func (c *compiler) limits() {
	groups := c.n.Groups()
	c.add("after_end", 1<<30, "limits", func() error {
		for pop, g := range groups {
			var l *lanes
			var traps []backend.Trap
			for nth, t := range c.traps {
				if t.g != g || t.v.shared {
					continue
				}
				if l == nil {
					l = c.lanes(g, "limits")
				}
				l.b.LimitTrap(l.Load(t.v.sym), len(traps))
				traps = append(traps, backend.Trap{Pop: pop, Var: nth, Object: g.Name(), Name: t.v.name, Why: "passed the largest value that a variable can hold, 2^40 in its unit"})
			}
			if l != nil {
				if err := c.stage(l, g.n, -1, traps); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// react plans the code of an event.
func (c *compiler) react(g *NeuronGroup, sc *scope, r *reaction) error {
	if err := eqn.CheckStatements(r.code, sc); err != nil {
		return sc.explain(err)
	}
	if err := noShared(r.code, sc, r.what); err != nil {
		return err
	}
	return c.add(r.when, r.order, g.auto+"_"+r.event+"_resetter", func() error {
		l := c.lanes(g, "reset")
		if r.event != "spike" {
			l.site += "\x00" + r.event
		}
		l.mask = l.b.Bit(l.slot("spikes", ir.Mask, ir.Bool, memory{event: g.event(r.event)}))
		if err := eqn.Lower(l.b, r.code, sc, l); err != nil {
			return sc.explain(err)
		}
		return c.stage(l, g.n, -1, nil)
	})
}
