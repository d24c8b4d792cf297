package compile

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/eqn"
	"synfire/engine/ir"
	"synfire/engine/model"
)

// How finely weights are kept (design section 3 rule 6, section 6). What is added to
// a variable goes into one sum of 32 bits where its scale, bounded by the largest
// sum, is fine enough for every projection; else into several, by magnitude; and a
// projection whose own weights lie too far apart adds to sums of 64 bits.

// looseBound is the bound of weights, in internal units, above which the weights
// themselves are looked at: the range of an expression may be far too wide.
const looseBound = 4096

// weigh makes a program of the weights of a part.
func (c *compiler) weigh(p *part, x eqn.Expr, sc *model.Scope) error {
	m := c.columns(p.syn(), "weight", sc)
	m.Conn = p.Life.Conn
	val, typ, _, err := eqn.LowerExpr(m.B, x, sc, m)
	if err == nil {
		err = m.Err
	}
	if err != nil {
		return sc.Explain(err)
	}
	val = m.B.Canon(model.As(m.B, val, typ, &eqn.Symbol{}))
	rg := m.B.Range(val)
	m.Out(val, ir.F32)
	prog, err := m.B.Prog()
	if err != nil {
		return err
	}
	p.weight = connect.Column{Prog: prog, Data: m.Data(), Lo: rg.Lo, Hi: rg.Hi}
	if rg.Hi > looseBound || rg.Lo < -looseBound { // proved, but too loose to be of use: find it
		return p.measureWeight(c.w)
	}
	return nil
}

// measureWeight finds the bound of weights whose expression proves none of use.
func (p *part) measureWeight(w model.Work) error {
	lo, hi, err := p.conn.Proj.With(p.weight, connect.Column{}).Bounds(w)
	p.weight.Lo, p.weight.Hi = lo, hi
	return err
}

// tableGroup is parts of an accumulator that share a table.
type tableGroup struct {
	first, last int64
	weight      float64 // where it is fixed
	fixed       bool    // one weight for all
	parts       []*part
	rows        sourceRows
	spec        *connect.Spec // with weights not rounded yet
	print       uint64        // of its content
	stats       *connect.Stats
}

// tables groups an accumulator's parts into tables and measures them.
func (c *compiler) tables(a *accumulator) ([]*tableGroup, error) {
	// Constants that differ in more than two values share a table with the rest.
	values := map[float64]bool{}
	for _, p := range a.parts {
		if p.fixed {
			values[p.weight.Const] = true
		}
	}
	merge := len(values) > 2
	var groups []*tableGroup
	for _, p := range a.parts {
		var at *tableGroup
		fixed := p.fixed && !merge
		for _, g := range groups {
			if g.first == p.First && g.last == p.Life.Last && g.fixed == fixed && (!fixed || g.weight == p.weight.Const) {
				at = g
			}
		}
		if at == nil {
			at = &tableGroup{first: p.First, last: p.Life.Last, weight: p.weight.Const, fixed: fixed}
			groups = append(groups, at)
		}
		at.parts = append(at.parts, p)
	}
	for _, g := range groups {
		g.rows.ids = map[*model.GroupEvent]int{}
		spec := &connect.Spec{Name: fmt.Sprintf("%s order %d", a.name, g.parts[0].path.Order), NTgt: a.size}
		for _, p := range g.parts {
			delay, unit, err := c.delayColumn(p.syn(), p.path, p.Life.Conn, p.Delays)
			if err != nil {
				return nil, err
			}
			q := p.conn.Proj.With(p.weight, delay)
			q.Unit = unit
			q.Row0 = g.rows.row(c, p.syn().Src, p.path.Event)
			q.Tgt0 = a.segs[a.segment(p.v)].off + p.syn().Tgt.Lo
			spec.Projs = append(spec.Projs, q)
		}
		spec.NSrc = g.rows.n
		g.print = c.fingerprint(g.parts, spec)
		g.spec = c.spec(g.print, spec)
		var err error
		if g.stats, err = c.measure(g.spec); err != nil {
			return nil, err
		}
		for k, p := range g.parts {
			if p.proj == nil {
				p.proj = g.spec.Projs[k]
				if err := c.needs(p, g.stats.Shape[k]); err != nil {
					return nil, err
				}
			}
		}
	}
	return groups, nil
}

// needs finds the coarsest rounding that will do for a part, as the distance of
// neighbouring values: weights that are given arrive within 2^-12 of themselves;
// drawn ones within 1/512 of their standard deviation or, where few large ones make
// that, within 2^-8 of themselves down to a hundredth of their median.
func (c *compiler) needs(p *part, shape connect.Shape) error {
	const given, skewed = 0x1p-11, 0x1p-7
	switch {
	case p.fixed:
		w := float32(p.weight.Const)
		p.grain, p.least = connect.Grain(w), math.Abs(float64(w))
		p.need, p.need16 = max(p.least*given, p.grain), p.grain
		return nil
	case drawn(p.weight.Prog) && shape.SD > 0 && shape.Skewed():
		p.sd = shape.SD
		p.need = min(max(shape.Median/100, shape.Least)*skewed, shape.SD/256)
	case drawn(p.weight.Prog) && shape.SD > 0:
		p.sd = shape.SD
		p.need = shape.SD / 256
	default:
		w, err := p.proj.Weights(c.w)
		if err != nil {
			return err
		}
		p.grain, p.least = w.Grain, w.Least
		p.need = max(p.least*given, p.grain)
		if shape.SD == 0 {
			p.need16 = p.grain
			return nil
		}
	}
	p.need16 = min(p.need, shape.SD/256)
	return nil
}

// drawn says whether a program of weights draws random numbers.
func drawn(p *ir.Prog) bool {
	return p != nil && slices.ContainsFunc(p.Ins, func(in ir.Instr) bool { return in.Op == ir.Rand })
}

// deliver plans the tables that add to an accumulator, and its application; of
// several accumulators where one is not enough.
func (c *compiler) deliver(a *accumulator) error {
	groups, err := c.tables(a)
	if err != nil {
		return err
	}
	if a.scale, err = c.scale(a, groups); err != nil {
		return err
	}
	if coarse := slices.ContainsFunc(a.parts, func(p *part) bool { return 1/a.scale > p.need }); coarse {
		switch {
		case !a.exact:
			return c.deliver(a.of(a.parts, true))
		case len(a.parts) == 1:
			return c.wide(a)
		}
		same, rest, err := c.alike(a)
		if err != nil {
			return err
		}
		if err := c.deliver(a.of(same, true)); err != nil {
			return err
		}
		return c.deliver(a.of(rest, true))
	}
	width, apart := narrow(a, groups)
	if len(apart) > 0 {
		rest := slices.DeleteFunc(slices.Clone(a.parts), func(p *part) bool { return slices.Contains(apart, p) })
		if err := c.deliver(a.of(rest, a.exact)); err != nil {
			return err
		}
		return c.deliver(a.of(apart, a.exact))
	}
	a.buf = c.blank(a.name+" sum", backend.Scratch, ir.I32, a.size)
	for _, g := range groups {
		spec := g.spec.Rounded(a.scale, width, 0)
		if g.fixed {
			spec = g.spec.Rounded(a.scale, 0, int32(connect.Fix(float32(g.weight), a.scale)))
		}
		spec = c.spec(g.print, spec)
		for _, p := range g.parts {
			c.longest[p.Life] = max(c.longest[p.Life], g.stats.MaxDelay)
		}
		c.SynapsesN += g.stats.Total
		c.Rounding[len(c.Plan.Tables)] = g.rounding(spec)
		c.Plan.Tables = append(c.Plan.Tables, backend.Table{Spec: spec, Sources: g.rows.list, First: g.first, Last: g.last, MinDelay: g.stats.MinDelay, MaxDelay: g.stats.MaxDelay})
		for k, p := range g.parts {
			share := Share{p.path.FullName(), max(float64(g.stats.Count[k]), 1)}
			c.Shares[len(c.Plan.Stages)] = append(c.Shares[len(c.Plan.Stages)], share)
			a.from = append(a.from, share)
		}
		c.Plan.Stages = append(c.Plan.Stages, backend.Stage{Form: backend.FormDeliver, Name: a.name + " deliver", Flag: -1, Table: len(c.Plan.Tables) - 1, Count: 1, Acc: a.buf})
	}
	return c.apply(a)
}

// scale is the largest power of two with M*scale + in-degree < 2^30 at every target,
// M being the sum of the bounds of its weights or, where a is exact, of the weights.
func (c *compiler) scale(a *accumulator, groups []*tableGroup) (float64, error) {
	sums, degree := make([]float64, a.size), make([]float64, a.size)
	if a.exact {
		for _, p := range a.parts {
			if err := c.sumUp(a, p, sums, degree); err != nil {
				return 0, err
			}
		}
		return fitScale(sums, degree, 1<<30), nil
	}
	for _, g := range groups {
		for t := range g.stats.In {
			sums[t] += g.stats.In[t]
			degree[t] += float64(g.stats.InDegree[t])
		}
	}
	return fitScale(sums, degree, 1<<30), nil
}

// sumUp adds the magnitudes of a part's weights at every target.
func (c *compiler) sumUp(a *accumulator, p *part, sums, degree []float64) error {
	w, err := p.proj.Sums(c.w)
	if err != nil {
		return err
	}
	off := a.segs[a.segment(p.v)].off + p.syn().Tgt.Lo
	for t, x := range w.In {
		sums[off+t] += x
		degree[off+t] += float64(w.Degree[t])
	}
	return nil
}

// finest is the largest scale of a sum: of the least value that a variable keeps
// (rule 3), 2^-80, 11 bits are left.
const finest = 0x1p91

func fitScale(sums, degree []float64, limit float64) float64 {
	scale := finest
	for t := range sums {
		if sums[t] == 0 {
			continue
		}
		for float64(sums[t]*scale)+degree[t] >= limit && scale > 0x1p-60 {
			scale /= 2
		}
	}
	return scale
}

// alike divides parts that one sum cannot serve: into those that can share one
// with the part that needs the coarsest rounding, and the rest.
func (c *compiler) alike(a *accumulator) (same, rest []*part, err error) {
	parts := slices.Clone(a.parts)
	slices.SortStableFunc(parts, func(p, q *part) int {
		switch {
		case p.need > q.need:
			return -1
		case p.need < q.need:
			return 1
		}
		return 0
	})
	sums, degree := make([]float64, a.size), make([]float64, a.size)
	for _, p := range parts {
		s, d := slices.Clone(sums), slices.Clone(degree)
		if err := c.sumUp(a, p, s, d); err != nil {
			return nil, nil, err
		}
		if len(same) > 0 && 1/fitScale(s, d, 1<<30) > p.need { // those before p need less
			rest = append(rest, p)
			continue
		}
		same, sums, degree = append(same, p), s, d
	}
	if last := len(same) - 1; len(rest) == 0 { // by a rounding of the sums
		same, rest = same[:last], same[last:]
	}
	return same, rest, nil
}

// narrow chooses the width of the tables' weights, and the scale that goes with it.
// Sixteen bits are taken where they are fine enough for all weights but those of
// tables of one weight; of these, the ones that need more want a sum of their own.
func narrow(a *accumulator, groups []*tableGroup) (width int, apart []*part) {
	all, many := 0.0, 0.0 // largest weights: of all tables, of those with many weights
	need, varied := math.Inf(1), false
	for _, g := range groups {
		for k, p := range g.parts {
			bound := g.stats.Bound[k]
			all = max(all, bound)
			if g.fixed || bound == 0 {
				continue
			}
			many = max(many, bound)
			need = min(need, p.need16)
			varied = varied || p.fixed || g.stats.Shape[k].SD > 0
		}
	}
	if !varied {
		return 32, nil
	}
	for _, largest := range []float64{all, many} {
		scale := a.scale
		for float64(largest*scale)+1 > 32767 {
			scale /= 2
		}
		if 1/scale > need {
			continue
		}
		apart = nil
		for _, g := range groups {
			if g.fixed && 1/scale > g.parts[0].need {
				apart = append(apart, g.parts...)
			}
		}
		if len(apart) == 0 || largest == many {
			if len(apart) == 0 {
				a.scale = scale
			}
			return 16, apart
		}
	}
	return 32, nil
}

// rounding tells how a table keeps its weights, and how far at most they are from
// those that were asked for.
func (g *tableGroup) rounding(s *connect.Spec) string {
	given, drawn := 0.0, 0.0
	quantum := 1 / s.Scale
	for _, p := range g.parts {
		switch {
		case p.sd > 0:
			drawn = max(drawn, quantum/2/p.sd)
		case p.least > 0 && quantum > p.grain:
			given = max(given, quantum/2/p.least)
		}
	}
	d := g.parts[0].v.Symbol.Dim
	off := "exact"
	switch {
	case given > 0 && drawn > 0:
		off = fmt.Sprintf("given ones within 2^%.0f of themselves, drawn ones within 1/%.0f of their standard deviation", math.Ceil(math.Log2(given)), math.Floor(1/drawn))
	case given > 0:
		off = fmt.Sprintf("within 2^%.0f of themselves", math.Ceil(math.Log2(given)))
	case drawn > 0:
		off = fmt.Sprintf("within 1/%.0f of their standard deviation", math.Floor(1/drawn))
	}
	if s.Width == 0 {
		off = strings.Replace(off, "themselves", "itself", 1)
		return fmt.Sprintf("one weight of %s, %s", model.Quantity{Value: float64(g.weight * d.Scale()), Dim: d}.Text(7), off)
	}
	return fmt.Sprintf("weights in %d bits, multiples of %s, %s", s.Width, model.Quantity{Value: float64(quantum * d.Scale()), Dim: d}.Text(7), off)
}

// wide plans a part whose weights lie too far apart for a sum of 32 bits synapse by
// synapse, with sums of 64 bits.
func (c *compiler) wide(a *accumulator) error {
	p := a.parts[0]
	sums, degree := make([]float64, a.size), make([]float64, a.size)
	if err := c.sumUp(a, p, sums, degree); err != nil {
		return err
	}
	b := a.of(a.parts, true)
	b.two = true
	b.scale = min(fitScale(sums, degree, 0x1p60), 0x1p60)
	b.from = []Share{{p.path.FullName(), 1}}
	if err := c.effect(p.statement, b); err != nil {
		return err
	}
	if quantum := 1 / b.small.scale; quantum > p.need {
		w, err := p.proj.Weights(c.w)
		if err != nil {
			return err
		}
		unit := p.v.Symbol.Dim.Scale()
		c.n.Warn("%s: the weights of pathway %s that add to %s lie too far apart, from %.3g to %.3g (SI units): all are rounded to multiples of %.3g, the smallest by up to %.2g of itself",
			p.syn().Name(), p.path.Name, p.v.Name, float64(w.Least*unit), float64(w.Most*unit), float64(quantum*unit), min(1, quantum/2/w.Least))
	}
	return c.apply(b)
}

// apply plans the addition of an accumulator to its variable, and clears it.
func (c *compiler) apply(a *accumulator) error {
	for _, s := range a.segs {
		g := s.v.Group
		l := c.lanes(g, "receive "+a.name)
		if a.two {
			// Elements of two words, read by index: lane k has words 2k and 2k+1. The
			// backend clears them, as all Scratch, when the step has ended.
			c.increment(l, s.v, wideSum(l, a, s.v))
		} else {
			sum := l.Slot("sum", ir.Array, ir.I32, model.Memory{Acc: a})
			c.increment(l, s.v, l.B.Unfix32(l.B.Load(sum), a.scale))
			l.B.Store(sum, l.B.I(0))
		}
		at := len(c.Plan.Stages)
		if err := c.stage(l, g.Size, -1, nil); err != nil {
			return err
		}
		from := a.from
		for _, p := range a.added {
			from = append(from, Share{p.x.path.FullName(), 1})
		}
		if len(from) > 0 {
			c.share(at, from...)
		}
	}
	return nil
}

// wideSum is the sum of 64 bits for a lane's neuron.
func wideSum(l *model.Lanes, a *accumulator, v *model.Variable) ir.Value {
	read := l.Slot("sum", ir.Table, ir.U32, model.Memory{Acc: a})
	lo := l.B.Shl(l.B.Lane(), l.B.I(1))
	hi := l.B.AddI(lo, l.B.I(1))
	x := l.B.Gather(read, lo, ir.Range{})
	if v.Symbol.Type == eqn.Float {
		x = l.B.Unfix64(x, l.B.Gather(read, hi, ir.Range{}), a.scale)
		read = l.Slot("sum of small ones", ir.Table, ir.U32, model.Memory{Acc: a.small})
		x = l.B.Add(x, l.B.Unfix64(l.B.Gather(read, lo, ir.Range{}), l.B.Gather(read, hi, ir.Range{}), a.small.scale))
	}
	return x
}
