package compile

import (
	"fmt"
	"slices"

	"synfire/engine/backend"
	"synfire/engine/eqn"
	"synfire/engine/ir"
	"synfire/engine/model"
)

// groupFlags are the flags that a NeuronGroup's equations may carry.
var groupFlags = map[eqn.EqKind][]string{
	eqn.Differential: {"unless refractory", "shared", "compensated"},
	eqn.Sub:          {"shared", "constant over dt"},
	eqn.Parameter:    {"constant", "shared", "linked"},
}

// equations solves the equations of a population and checks its code: which
// method, which variables have a second word, what is worked out on the host.
func (c *compiler) equations(g *model.NeuronGroup) error {
	if g.Generator != nil {
		return nil
	}
	sc := c.scope(g)
	if err := eqn.CheckEquations(g.Eqs, sc, groupFlags); err != nil {
		return sc.Explain(err)
	}
	opt := eqn.Options{Method: g.Method, Substeps: g.Parts(), Slow: g.Slow, Dt: g.Dt(), Values: c.values}
	if n := g.Parts(); n > model.MostSubsteps {
		return fmt.Errorf("%s: a step of %g s has %d substeps of %.4g s, and may have %d: give it a longer one, or a smaller dt (method_options=)", g.Name(), g.Dt(), n, g.Longest, model.MostSubsteps)
	}
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
	for _, r := range g.Reactions {
		sc := sc.Within(r.Code)
		if err := eqn.CheckStatements(r.Code, sc); err != nil {
			return sc.Explain(err)
		}
		if err := noShared(r.Code, sc, r.What); err != nil {
			return err
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
			in[k][q] = model.Value(m.Sym, c.n.StepSize, w)
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
			w, err := model.Encode(y, c.n.StepSize, x)
			if err != nil {
				return fmt.Errorf("%s, neuron %d: %w", g.Name(), lane, err)
			}
			v.Words[lane] = w
		}
	}
	return nil
}

// overDt plans the subexpressions that are constant over dt.
func (c *compiler) overDt(g *model.NeuronGroup) error {
	sc := c.scope(g)
	var code []eqn.Stmt
	for _, e := range g.Eqs.List {
		if v := g.ByName[e.Name]; v.OverDt {
			code = append(code, eqn.Stmt{Target: &eqn.Name{At: e.At, ID: e.Name, Sym: c.writable(v)}, Op: "=", X: e.X})
		}
	}
	if len(code) == 0 {
		return nil
	}
	code, err := c.shared(g, code, sc, "constant over dt", c.flag(g.Dt()))
	if err != nil {
		return err
	}
	l := c.lanes(g, "constant over dt")
	if err := eqn.Lower(l.B, code, sc, l); err != nil {
		return sc.Explain(err)
	}
	return c.stage(l, g.Size, c.flag(g.Dt()), nil)
}

// update plans one step of the equations: shared variables first, as in Brian2,
// then not_refractory, then the neurons.
func (c *compiler) update(g *model.NeuronGroup) error {
	scheme := c.Schemes[g]
	if scheme == nil { // a SpikeGeneratorGroup
		return nil
	}
	sc := c.scope(g)
	shared := slices.ContainsFunc(g.Eqs.List, func(e *eqn.Equation) bool { return e.Kind == eqn.Differential && g.ByName[e.Name].Shared })
	if shared && g.Size > 0 {
		l := c.lanes(g, "update")
		l.Single = true
		if err := eqn.Lower(l.B, sharedOnly(scheme.Stmts, sc), sc, l); err != nil {
			return sc.Explain(err)
		}
		if err := c.stage(l, 1, c.flag(g.Dt()), nil); err != nil {
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
	return c.stage(l, g.Size, c.flag(g.Dt()), nil)
}

// writable is a symbol that the engine itself assigns though scripts cannot.
func (c *compiler) writable(v *model.Variable) *eqn.Symbol {
	y := *c.image(v).Sym
	y.ReadOnly = false
	return &y
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
		if k := g.Every(); k > 1 {
			most := l.B.I(int32(ir.FarStep / k))
			steps = l.B.MulI(l.B.Sel(l.B.LtI(steps, most), steps, most), l.B.I(int32(k)))
		}
		free = l.FreeAfter(l.Load(g.ByName["lastspike"].Symbol), steps)
	case dim.IsOne() && typ == eqn.Boolean:
		free = l.B.OrB(l.Load(nr.Symbol), l.B.NotB(x))
	default:
		return model.ErrorAt(g.Refractory.Pos(), "refractory= is a time or a condition, but %q has the unit %v", g.Refractory.String(), dim).Of(eqn.Dimension)
	}
	l.Store(nr.Symbol, free)
	return nil
}

// threshold plans the condition of an event; a spike begins the refractory time.
func (c *compiler) threshold(g *model.NeuronGroup, e *model.GroupEvent) error {
	sc := c.scope(g)
	l := c.lanes(g, "threshold")
	if e.Name != "spike" {
		l.Site += "\x00" + e.Name
		l.B = ir.NewBuilder(g.Name() + " " + e.Name)
		l.HostWord = c.host(l.B)
	}
	if g.Rests() { // no event
		l.B.StoreBit(l.Slot("events", ir.Mask, ir.Bool, model.Memory{Event: e}), l.B.B(false))
		return c.stage(l, g.Size, -1, nil)
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
	return c.stage(l, g.Size, c.flag(g.Dt()), nil)
}

// react plans the code of an event.
func (c *compiler) react(g *model.NeuronGroup, r *model.Reaction) error {
	sc := c.scope(g).Within(r.Code)
	l := c.lanes(g, "reset")
	if r.Event != "spike" {
		l.Site += "\x00" + r.Event
	}
	l.Mask = l.B.Bit(l.Slot("spikes", ir.Mask, ir.Bool, model.Memory{Event: g.Event(r.Event)}))
	if err := eqn.Lower(l.B, r.Code, sc, l); err != nil {
		return sc.Explain(err)
	}
	return c.stage(l, g.Size, c.flag(g.Dt()), nil)
}

// limits plans the check of rule 4 at the end of each step.
func (c *compiler) limits() error {
	nth := -1 // of all variables that a step changes
	for pop, g := range c.n.Groups() {
		var l *model.Lanes
		var traps []backend.Trap
		for _, v := range g.Vars {
			if m := c.image(v); !c.written[v] || model.IrType(m.Sym) != ir.F32 || m.Words == nil || g.Generator != nil {
				continue
			}
			if nth++; v.Shared {
				continue
			}
			if l == nil {
				l = c.lanes(g, "limits")
			}
			l.B.LimitTrap(l.Load(v.Symbol), len(traps))
			traps = append(traps, backend.Trap{Pop: pop, Var: nth, Object: g.Name(), Name: v.Name, Why: "passed the largest value that a variable can hold, 2^40 in its unit"})
		}
		if l != nil {
			at := len(c.Plan.Stages)
			if err := c.stage(l, g.Size, -1, traps); err != nil {
				return err
			}
			c.share(at, Share{g.AutoName + "_stateupdater", 1})
		}
	}
	return nil
}
