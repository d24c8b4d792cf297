package compile

import (
	"fmt"
	"strings"

	"synfire/engine/backend"
	"synfire/engine/eqn"
	"synfire/engine/ir"
	"synfire/engine/model"
)

// inject plans a SpikeGeneratorGroup.
func (c *compiler) inject(g *model.NeuronGroup, e *model.GroupEvent) error {
	gen, err := g.Generator.InSteps(g.Name(), g.Dt(), g.Every())
	if err != nil {
		return err
	}
	if g.Rests() {
		gen.Steps, gen.Start, gen.Index, gen.Period = nil, []int32{0}, nil, 0
	}
	c.Plan.Stages = append(c.Plan.Stages, backend.Stage{Form: backend.FormInject, Name: g.Name() + " spikes", Flag: -1, Event: c.event(g, e),
		Steps: gen.Steps, Start: gen.Start, Index: gen.Index, Period: gen.Period, Acc: backend.NoBuf})
	return nil
}

func (c *compiler) checkRegular(r *model.Regular) error {
	if r.Syn != nil {
		return nil
	}
	sc := c.scope(r.Src.Group).Sized(r.Src).Within(r.Code)
	return sc.Explain(eqn.CheckStatements(r.Code, sc))
}

// regular plans a run_regularly operation.
func (c *compiler) regular(r *model.Regular) error {
	if r.Syn != nil {
		if len(r.Syn.Conns) == 0 {
			return nil
		}
		return c.mapped(r.Syn, "run_regularly "+c.random.Draws(r), "run_regularly", r.Code, c.flagOf(&r.Object))
	}
	g := r.Src.Group
	sc := c.scope(g).Sized(r.Src).Within(r.Code)
	flag := c.flagOf(&r.Object)
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
			return model.ErrorAt(p.Weight.Pos(), "weight= has the unit %v, but %s has %v", dim, p.Var.Name, p.Var.Symbol.Dim).Of(eqn.Dimension)
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
	return c.stage(l, lanes, c.flag(p.Dt()), nil)
}

// drawCount is a binomial number with n trials of probability p.
func drawCount(b *ir.Builder, item ir.Value, stream uint32, n int, p float64) (ir.Value, error) {
	if err := model.Countable(n, p); err != nil {
		return ir.None, err
	}
	return eqn.CountTrials(b, item, stream, 0, n, p)
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
