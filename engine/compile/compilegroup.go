package compile

import (
	"fmt"
	"slices"
	"strings"

	"synfire/engine/backend"
	"synfire/engine/eqn"
	"synfire/engine/ir"
	"synfire/engine/model"
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
func (c *compiler) group(g *model.NeuronGroup) error {
	sc := c.scope(g)
	if g.Generator != nil {
		return c.inject(g)
	}
	if err := eqn.CheckEquations(g.Eqs, sc, groupFlags); err != nil {
		return sc.Explain(err)
	}
	opt := eqn.Options{Method: g.Method, Dt: g.Dt(), Values: c.values}
	if g.RefKind != model.RefNone {
		opt.Refractory = g.ByName["not_refractory"].Symbol
	}
	scheme, err := eqn.Integrate(g.Eqs, sc, opt)
	if err != nil {
		return sc.Explain(err)
	}
	c.Schemes[g] = scheme
	for _, name := range scheme.Two {
		if m := c.image(g.ByName[name]); m.Low == nil {
			m.Low = make([]uint32, len(m.Words))
			m.Sym.TwoWords = true
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
	for k, e := range g.Events {
		if err := c.threshold(g, sc, e, k); err != nil {
			return err
		}
	}
	for _, r := range g.Reactions {
		if err := c.react(g, sc, r); err != nil {
			return err
		}
	}
	for _, v := range g.Vars {
		if m := c.image(v); c.written[v] && model.IrType(m.Sym) == ir.F32 && m.Words != nil {
			c.traps = append(c.traps, limit{g, v})
		}
	}
	return nil
}

// values gives a parameter's present values, for the decision of rule 10.
func (c *compiler) values(y *eqn.Symbol) []float64 {
	v, ok := y.Ref.(*model.Variable)
	if !ok || v.Words == nil || c.written[v] && v.Equation != nil && v.Equation.Kind == eqn.Differential {
		return nil
	}
	return v.Decode(v.Words).V
}

// derive works hidden constants out on the host, in float64 (rule 11).
func (c *compiler) derive(g *model.NeuronGroup, d *eqn.Derived) error {
	shared := true
	for _, y := range d.In {
		shared = shared && y.Shared
	}
	size := g.Size
	if shared {
		size = 1
	}
	in, out := make([][]float64, len(d.In)), make([][]float64, len(d.Out))
	for k, y := range d.In {
		m := c.image(y.Ref.(*model.Variable))
		words := m.Words
		if words == nil { // a subexpression
			var err error
			if words, err = g.EvalVisit(c.w, g.Span(), &eqn.Name{ID: y.Name}, m.Sym, 0); err != nil {
				return err
			}
		}
		in[k] = make([]float64, len(words))
		for q, w := range words {
			in[k][q] = model.Value(m.Sym, g.Dt(), w)
		}
	}
	for k := range out {
		out[k] = make([]float64, size)
	}
	d.Fill(size, in, out)
	for k, y := range d.Out {
		v := &model.Variable{Group: g, Name: y.Name, Symbol: y, Count: size, Shared: shared}
		v.Alloc(0)
		y.Ref, y.Shared = v, shared
		for lane, x := range out[k] {
			w, err := model.Encode(y, g.Dt(), x)
			if err != nil {
				return fmt.Errorf("%s, neuron %d: %w", g.Name(), lane, err)
			}
			v.Words[lane] = w
		}
	}
	return nil
}

func (c *compiler) update(g *model.NeuronGroup, sc *model.Scope, scheme *eqn.Scheme) error {
	var overDt, sharedStmts []eqn.Stmt
	for _, e := range g.Eqs.List {
		if v := g.ByName[e.Name]; v.OverDt {
			overDt = append(overDt, eqn.Stmt{Target: &eqn.Name{At: e.At, ID: e.Name, Sym: c.writable(v)}, Op: "=", X: e.X})
		}
		if v := g.ByName[e.Name]; v.Shared && e.Kind == eqn.Differential {
			sharedStmts = scheme.Stmts
		}
	}
	if len(overDt) > 0 {
		c.add("before_start", g.InSlot, g.AutoName+"_subexpression_update", func() error {
			code, err := c.shared(g, overDt, sc, "constant over dt", -1)
			if err != nil {
				return err
			}
			l := c.lanes(g, "constant over dt")
			if err := eqn.Lower(l.B, code, sc, l); err != nil {
				return sc.Explain(err)
			}
			return c.stage(l, g.Size, -1, nil)
		})
	}
	c.add("groups", g.InSlot, g.AutoName+"_stateupdater", func() error {
		if sharedStmts != nil && g.Size > 0 {
			l := c.lanes(g, "update")
			l.Single = true
			if err := eqn.Lower(l.B, sharedOnly(sharedStmts, sc), sc, l); err != nil {
				return sc.Explain(err)
			}
			if err := c.stage(l, 1, -1, nil); err != nil {
				return err
			}
		}
		l := c.lanes(g, "update")
		if g.RefKind == model.RefExpr {
			if err := c.notRefractory(g, sc, l); err != nil {
				return err
			}
		}
		if err := eqn.Lower(l.B, scheme.Stmts, sc, l); err != nil {
			return sc.Explain(err)
		}
		return c.stage(l, g.Size, -1, nil)
	})
	return nil
}

// writable is a symbol that the engine itself assigns though scripts cannot.
func (c *compiler) writable(v *model.Variable) *eqn.Symbol {
	y := *c.image(v).Sym
	y.ReadOnly = false
	return &y
}

// shared plans the assignments to shared variables as a stage of one lane, which
// comes first as in Brian2, and returns the statements that are left.
func (c *compiler) shared(g *model.NeuronGroup, code []eqn.Stmt, sc *model.Scope, what string, flag int) ([]eqn.Stmt, error) {
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
			return nil, sc.Explain(eqn.At(s.Target.At, "use shared variables, constants and t only", "the shared variable '%s' cannot take a value that differs between neurons", s.Target.ID))
		}
	}
	l := c.lanes(g, what+" shared")
	l.Single = true
	if err := eqn.Lower(l.B, alone, sc, l); err != nil {
		return nil, sc.Explain(err)
	}
	return rest, c.stage(l, 1, flag, nil)
}

func toShared(s eqn.Stmt, sc *model.Scope) bool {
	y := s.Target.Sym
	if y == nil {
		y = sc.Resolve(s.Target.ID)
	}
	return y != nil && y.Kind == eqn.Variable && y.Shared
}

// noShared refuses code that runs for some neurons or synapses only and assigns
// to a shared variable, as Brian2 does.
func noShared(code []eqn.Stmt, sc *model.Scope, what string) error {
	for _, s := range code {
		if toShared(s, sc) {
			return sc.Explain(eqn.At(s.Target.At, "count in a variable of each neuron, or assign it in run_regularly", "%s cannot assign to the shared variable '%s': one value stands for all neurons", what, s.Target.ID))
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
func (c *compiler) notRefractory(g *model.NeuronGroup, sc *model.Scope, l *model.Lanes) error {
	nr := g.ByName["not_refractory"]
	x, typ, dim, err := eqn.LowerExpr(l.B, g.Refractory, sc, l)
	if err != nil {
		return sc.Explain(err)
	}
	var free ir.Value
	switch {
	case dim == model.Second:
		// Steps since the last spike >= floor(r/dt + 0.001); a period that is negative is none.
		per := l.B.F(eqn.WholeSteps * model.Second.Scale() / g.Dt())
		steps := l.B.F2I(l.B.Max(l.B.F(0), l.B.Floor(l.B.Add(l.B.Mul(model.As(l.B, x, typ, &eqn.Symbol{}), per), l.B.F(1e-3)))))
		free = l.FreeAfter(l.Load(g.ByName["lastspike"].Symbol), steps)
	case dim.IsOne() && typ == eqn.Boolean:
		free = l.B.OrB(l.Load(nr.Symbol), l.B.NotB(x))
	default:
		return model.ErrorAt(g.Refractory.Pos(), "refractory= is a time or a condition, but %q has the unit %v", g.Refractory.String(), dim)
	}
	l.Store(nr.Symbol, free)
	return nil
}

func (c *compiler) threshold(g *model.NeuronGroup, sc *model.Scope, e *model.GroupEvent, nth int) error {
	c.add(e.When, e.Order, g.AutoName+"_"+e.Name+"_thresholder", func() error {
		l := c.lanes(g, "threshold")
		if e.Name != "spike" {
			l.Site += "\x00" + e.Name
			l.B = ir.NewBuilder(g.Name() + " " + e.Name)
			l.HostWord = c.host(l.B)
		}
		x, typ, _, err := eqn.LowerExpr(l.B, e.Cond, sc, l)
		if err != nil {
			return sc.Explain(err)
		}
		if typ != eqn.Boolean {
			return model.ErrorAt(e.Cond.Pos(), "a threshold is a condition, but %q is a number", e.Cond.String())
		}
		if e.Name == "spike" && g.RefKind != model.RefNone {
			nr, last := g.ByName["not_refractory"], g.ByName["lastspike"]
			x = l.B.AndB(x, l.Load(nr.Symbol))
			l.Store(last.Symbol, l.B.Sel(x, l.B.Step(), l.Load(last.Symbol)))
			if g.RefKind == model.RefExpr {
				l.Store(nr.Symbol, l.B.AndB(l.Load(nr.Symbol), l.B.NotB(x)))
			}
		}
		l.B.StoreBit(l.Slot("events", ir.Mask, ir.Bool, model.Memory{Event: e}), x)
		return c.stage(l, g.Size, -1, nil)
	})
	c.spikes(g, e)
	return nil
}

// inject plans a SpikeGeneratorGroup.
func (c *compiler) inject(g *model.NeuronGroup) error {
	e := g.Events[0]
	gen, err := g.Generator.InSteps(g.Name(), g.Dt())
	if err != nil {
		return err
	}
	c.add("thresholds", g.InSlot, g.AutoName, func() error {
		c.Plan.Stages = append(c.Plan.Stages, backend.Stage{Form: backend.FormInject, Name: g.Name() + " spikes", Flag: -1, Event: c.event(g, e),
			Steps: gen.Steps, Start: gen.Start, Index: gen.Index, Period: gen.Period, Acc: backend.NoBuf})
		return nil
	})
	c.spikes(g, e)
	return nil
}

// regular plans a run_regularly operation.
func (c *compiler) regular(r *model.Regular) error {
	g := r.Src.Group
	sc := c.scope(g).Sized(r.Src)
	if err := eqn.CheckStatements(r.Code, sc); err != nil {
		return sc.Explain(err)
	}
	flag, err := c.flag(r.Every, "run_regularly")
	if err != nil {
		return err
	}
	return c.add(r.When, r.InSlot, r.AutoName, func() error {
		code, err := c.shared(g, c.respectful(g, r.Code), sc, "run_regularly "+c.random.Draws(r), flag)
		if err != nil {
			return err
		}
		l := c.lanes(g, "run_regularly "+c.random.Draws(r))
		l.Off, l.Ago, l.Respect = r.Src.Lo, c.ago(r.When), true
		c.within(l, r.Src)
		if err := eqn.Lower(l.B, code, sc, l); err != nil {
			return sc.Explain(err)
		}
		return c.stage(l, g.Size, flag, nil)
	})
}

// respectful makes assignments to (unless refractory) variables conditional, so
// that the statements that follow read the value that was kept. Variables of
// two words are left to the store.
func (c *compiler) respectful(g *model.NeuronGroup, code []eqn.Stmt) []eqn.Stmt {
	out := make([]eqn.Stmt, len(code))
	for k, s := range code {
		out[k] = s
		v := g.ByName[s.Target.ID]
		if v == nil || !v.UnlessRef || c.image(v).Low != nil || g.RefKind == model.RefNone {
			continue
		}
		old := &eqn.Name{At: s.Target.At, ID: v.Name}
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
	if r, err := model.SlotRank(when); err == nil && r < 4 {
		return 1
	}
	return 0
}

// within restricts stores to a range of the group.
func (c *compiler) within(l *model.Lanes, s model.Span) {
	if s.Lo == 0 && s.Hi == s.Group.Size {
		return
	}
	at := l.B.Lane()
	in := l.B.LtI(at, l.B.I(int32(s.Hi)))
	if s.Lo > 0 {
		in = l.B.AndB(in, l.B.NotB(l.B.LtI(at, l.B.I(int32(s.Lo)))))
	}
	if l.Mask != ir.None {
		in = l.B.AndB(in, l.Mask)
	}
	l.Mask = in
}

// poissonInput plans a PoissonInput: one product, one addition, one store.
func (c *compiler) poissonInput(p *model.PoissonInput) error {
	g := p.Target.Group
	sc := c.scope(g)
	return c.add(p.When, p.InSlot, p.AutoName, func() error {
		l := c.lanes(g, "input "+c.random.Draws(p))
		l.Off = p.Target.Lo
		c.within(l, p.Target)
		var w ir.Value
		if p.Value != nil {
			w = l.B.F(p.Value.Internal())
		} else {
			x, typ, dim, err := eqn.LowerExpr(l.B, p.Weight, sc, l)
			if err != nil {
				return sc.Explain(err)
			}
			if dim != p.Var.Symbol.Dim {
				return model.ErrorAt(p.Weight.Pos(), "weight= has the unit %v, but %s has %v", dim, p.Var.Name, p.Var.Symbol.Dim)
			}
			w = model.As(l.B, x, typ, p.Var.Symbol)
		}
		count, err := drawCount(l.B, l.Item(), c.random.Stream("input", c.random.Draws(p), "", 0), p.Trials, float64(p.Rate*g.Dt()))
		if err != nil {
			return fmt.Errorf("PoissonInput %s: %w", p.Name(), err)
		}
		c.increment(l, p.Var, l.B.Mul(l.B.I2F(count), w))
		lanes := g.Size
		if p.Target.Hi <= g.Size/4 { // few: not worth numbers for all, though the stage then stands by itself
			lanes = p.Target.Hi
		}
		return c.stage(l, lanes, -1, nil)
	})
}

// drawCount is a binomial number with n trials of probability p. Trials are cut
// into parts whose tables stay short; sums of binomial numbers are binomial.
func drawCount(b *ir.Builder, item ir.Value, stream uint32, n int, p float64) (ir.Value, error) {
	if err := model.Countable(n, p); err != nil {
		return ir.None, err
	}
	parts := max(1, int(float64(n)*p/16+0.999))
	parts = min(parts, model.MostParts)
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
func (c *compiler) increment(l *model.Lanes, v *model.Variable, x ir.Value) {
	mask := l.Mask
	if v.UnlessRef && v.Group.RefKind != model.RefNone {
		free := l.Load(v.Group.ByName["not_refractory"].Symbol)
		if mask != ir.None {
			free = l.B.AndB(mask, free)
		}
		l.Mask = free
	}
	if c.image(v).Low != nil {
		hi, lo := l.B.AddTwo(l.Load(v.Symbol), l.LoadLow(v.Symbol), x)
		l.StoreLow(v.Symbol, lo)
		l.Store(v.Symbol, hi)
	} else if v.Symbol.Type == eqn.Integer {
		l.Store(v.Symbol, l.B.AddI(l.Load(v.Symbol), x))
	} else {
		l.Store(v.Symbol, l.B.Add(l.Load(v.Symbol), x))
	}
	l.Mask = mask
}

// limits plans the check of rule 4 at the end of each step.
func (c *compiler) limits() {
	groups := c.n.Groups()
	c.add("after_end", 1<<30, "limits", func() error {
		for pop, g := range groups {
			var l *model.Lanes
			var traps []backend.Trap
			for nth, t := range c.traps {
				if t.g != g || t.v.Shared {
					continue
				}
				if l == nil {
					l = c.lanes(g, "limits")
				}
				l.B.LimitTrap(l.Load(t.v.Symbol), len(traps))
				traps = append(traps, backend.Trap{Pop: pop, Var: nth, Object: g.Name(), Name: t.v.Name, Why: "passed the largest value that a variable can hold, 2^40 in its unit"})
			}
			if l != nil {
				if err := c.stage(l, g.Size, -1, traps); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// react plans the code of an event.
func (c *compiler) react(g *model.NeuronGroup, sc *model.Scope, r *model.Reaction) error {
	if err := eqn.CheckStatements(r.Code, sc); err != nil {
		return sc.Explain(err)
	}
	if err := noShared(r.Code, sc, r.What); err != nil {
		return err
	}
	return c.add(r.When, r.Order, g.AutoName+"_"+r.Event+"_resetter", func() error {
		l := c.lanes(g, "reset")
		if r.Event != "spike" {
			l.Site += "\x00" + r.Event
		}
		l.Mask = l.B.Bit(l.Slot("spikes", ir.Mask, ir.Bool, model.Memory{Event: g.Event(r.Event)}))
		if err := eqn.Lower(l.B, r.Code, sc, l); err != nil {
			return sc.Explain(err)
		}
		return c.stage(l, g.Size, -1, nil)
	})
}
