package compile

import (
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"math"
	"sort"
	"sync"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/eqn"
	"synfire/engine/ir"
	"synfire/engine/model"
)

// accumulator gathers what the pathways of one order add to a variable: one
// word for each neuron of each population that has the variable, laid end to end
// (design section 3, rule 6).
type accumulator struct {
	name  string // the variable's
	dim   eqn.Dim
	segs  []segment
	size  int
	two   bool // 64-bit sums of contributions without a proved bound
	parts []*part
	buf   backend.BufID
	scale float64
	exact bool         // the sums of the parts' weights bound it, not their in-degrees times the largest
	small *accumulator // what is below smallest/scale, where two
}

// smallest, in units of an accumulator's scale, is the least contribution of
// which no more than 2^-13 is rounded away.
const smallest = 0x1p12

type segment struct {
	v   *model.Variable
	off int
}

// part is what one pathway of one connect call adds, where it depends on
// nothing that changes: constant synapses.
type part struct {
	s      *model.Synapses
	w      *model.Path
	conn   *model.Conn
	weight connect.Column
	fixed  bool // one weight for all: weight.Const
	model.Carried
	v      *model.Variable
	need   float64                    // the coarsest rounding that will do, see compiler.needs
	need16 float64                    // the same in a table of 16 bits
	least  float64                    // magnitude of given weights that are not 0, and a
	grain  float64                    // power of two of which all are multiples
	sd     float64                    // of drawn ones
	proj   *connect.Proj              // with weights, once it was measured
	effect func(a *accumulator) error // plans it synapse by synapse
}

func (a *accumulator) segment(v *model.Variable) int {
	for k := range a.segs {
		if a.segs[k].v == v {
			return k
		}
	}
	a.segs = append(a.segs, segment{v, a.size})
	a.size += (v.Group.Size + 63) / 64 * 64
	return len(a.segs) - 1
}

// offset is where a group's neurons begin.
func (a *accumulator) offset(g *model.NeuronGroup) int {
	for _, s := range a.segs {
		if s.v.Group == g {
			if a.two {
				return 2 * s.off
			}
			return s.off
		}
	}
	return 0
}

// order is one order of pathways within the slot 'synapses'.
type order struct {
	c    *compiler
	accs []*accumulator // open: not applied yet
	ops  []func() error
}

func (c *compiler) synapses() error {
	byOrder := map[int][]*model.Path{}
	for _, s := range c.n.AllSynapses() {
		for _, w := range s.Paths {
			byOrder[w.Order] = append(byOrder[w.Order], w)
		}
	}
	orders := make([]int, 0, len(byOrder))
	for ord := range byOrder {
		orders = append(orders, ord)
	}
	sort.Ints(orders)
	for _, ord := range orders {
		paths := byOrder[ord]
		sort.SliceStable(paths, func(a, b int) bool {
			return paths[a].FullName() < paths[b].FullName()
		})
		o := &order{c: c}
		for _, w := range paths {
			if err := o.pathway(w); err != nil {
				return err
			}
		}
		o.flush(func(*accumulator) bool { return true })
		if err := c.add("synapses", ord, "", func() error {
			for _, op := range o.ops {
				if err := op(); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

func (o *order) pathway(w *model.Path) error {
	s := w.Delay.Syn
	if len(s.Conns) == 0 {
		return nil
	}
	base := o.c.pathScope(s, -1)
	for _, st := range w.Code {
		if v := s.ByName[st.Target.ID]; v != nil && v.Symbol.Kind == eqn.Variable {
			return model.Plastic(st.Target.At, st.Target.ID)
		}
	}
	if err := eqn.CheckStatements(w.Code, base); err != nil {
		return base.Explain(err)
	}
	if err := noShared(w.Code, base, "a pathway"); err != nil {
		return err
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
			if err := o.statement(w, l, locals, st, y); err != nil {
				return err
			}
		}
	}
	return nil
}

// pathScope is the names of a pathway for one connect call: variables of the
// synapses that have one value are constants.
func (c *compiler) pathScope(s *model.Synapses, k int) *model.Scope {
	sc := s.Scope(c.ext)
	own, folded := sc.Own, map[string]*eqn.Symbol{}
	sc.Own = func(name string) *eqn.Symbol {
		if f := folded[name]; f != nil {
			return f
		}
		y := own(name)
		if y == nil || y.Kind != eqn.Variable {
			return y
		}
		f := *y
		switch r := y.Ref.(type) {
		case *model.Variable:
			f.ReadOnly = true
			if k < 0 {
				f.ReadOnly = false
				break
			}
			col := r.Col(k)
			if col.Lazy != nil || col.List != nil {
				return y
			}
			f.Kind, f.Value = eqn.Constant, col.Value
		case model.EndRef:
			m := c.image(r.Var).Sym
			f.ReadOnly, f.Steps, f.TwoWords = m.ReadOnly, m.Steps, m.TwoWords
			if c.written[r.Var] || r.Var.Builtin {
				f.Constant = false
				break
			}
			f.Constant = true
			if z := c.scope(r.Var.Group).Resolve(r.Var.Name); z != nil && z.Kind == eqn.Constant {
				f.Kind, f.Value = eqn.Constant, z.Value
			}
		default:
			return y
		}
		folded[name] = &f
		return &f
	}
	return sc
}

// needs says what an expression depends on.
type needs struct {
	changes bool // variables that a step writes, time, random numbers
	reads   map[*model.Variable]bool
}

func dependsOn(x eqn.Expr, sc eqn.Scope, locals []eqn.Stmt, n *needs) {
	for _, id := range eqn.Identifiers(x) {
		local := false
		for _, l := range locals {
			if l.Target.ID == id {
				dependsOn(l.X, sc, nil, n)
				local = true
			}
		}
		if local {
			continue
		}
		y := sc.Resolve(id)
		switch {
		case y == nil:
		case y.Kind == eqn.Time, y.Kind == eqn.Timed, y.Kind == eqn.Function && (id == "rand" || id == "randn" || id == "poisson"):
			n.changes = true
		case y.Kind == eqn.Subexpression:
			inner := sc
			if y.Scope != nil {
				inner = y.Scope
			}
			dependsOn(y.Expr, inner, nil, n)
		case y.Kind == eqn.Variable:
			if r, ok := y.Ref.(model.EndRef); ok && !r.Var.Builtin {
				n.reads[r.Var] = true
				n.changes = n.changes || !y.Constant
			}
		}
	}
}

func (o *order) statement(w *model.Path, l model.Carried, locals []eqn.Stmt, st eqn.Stmt, y *eqn.Symbol) error {
	s, c, k := w.Delay.Syn, o.c, l.Life.Conn
	r, ok := y.Ref.(model.EndRef)
	if !ok {
		if _, own := y.Ref.(*model.Variable); own {
			return model.Plastic(st.Target.At, st.Target.ID)
		}
		return model.ErrorAt(st.Target.At, "%q cannot be assigned here", st.Target.ID)
	}
	v := r.Var
	sc := c.pathScope(s, k)
	n := needs{reads: map[*model.Variable]bool{}}
	dependsOn(st.X, sc, locals, &n)
	// What an effect reads or assigns must be up to date.
	sum := st.Op == "+=" || st.Op == "-="
	static := sum && !n.changes && len(locals) == 0 && v.Symbol.Type == eqn.Float && !v.Shared && r.Post && !w.Post
	if !static {
		o.flush(func(a *accumulator) bool {
			for _, g := range a.segs {
				if n.reads[g.v] || !sum && g.v == v {
					return true
				}
			}
			return false
		})
		if v.Symbol.Type != eqn.Float { // whole numbers add up in any order
			_, typ, err := eqn.Check(st.X, sc)
			sum = sum && v.Symbol.Type == eqn.Integer && err == nil && typ != eqn.Float
		}
		return o.effect(w, l, locals, st, y, sum && !n.reads[v])
	}
	p := &part{s: s, w: w, conn: s.Conns[k], Carried: l, v: v}
	p.effect = func(a *accumulator) error { return c.effect(w, l, nil, st, y, a) }
	x := st.X
	if st.Op == "-=" {
		x = &eqn.Unary{At: st.X.Pos(), Op: "-", X: st.X}
	}
	if q, err := eqn.EvalHost(x, sc); err == nil {
		p.fixed = true
		p.weight = connect.Column{Const: float64(float32(q.Value / v.Symbol.Dim.Scale()))}
	} else {
		m := c.columns(s, "weight", sc)
		m.Conn = k
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
			if err := p.measureWeight(c.w); err != nil {
				return err
			}
		}
	}
	a := o.accumulator(v, false)
	a.segment(v)
	a.parts = append(a.parts, p)
	return nil
}

// accumulator finds the open accumulator that serves a variable, or opens one.
func (o *order) accumulator(v *model.Variable, two bool) *accumulator {
	for _, a := range o.accs {
		if a.name == v.Name && a.dim == v.Symbol.Dim && a.two == two && a.segs[0].v.Symbol.Type == v.Symbol.Type {
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
	a := &accumulator{name: v.Name, dim: v.Symbol.Dim, two: two, buf: backend.NoBuf}
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
			if !a.two {
				return o.c.deliver(a)
			}
			return o.c.apply(a)
		})
	}
	o.accs = open
}

// looseBound is the bound of weights, in internal units, above which the weights
// themselves are looked at: the range of an expression may be far too wide.
const looseBound = 4096

// measureWeight finds the bound of weights whose expression proves none of use.
func (p *part) measureWeight(w model.Work) error {
	n, err := p.s.Count(w, p.Life.Conn)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	lo, hi := 0.0, 0.0
	q := p.conn.Proj.With(p.weight, connect.Column{})
	err = q.Walk(w, 0, n, connect.WantWeight, func(_ int, c *connect.Columns) error {
		l, h := float32(0), float32(0)
		for _, w := range c.Weight {
			l, h = min(l, w), max(h, w)
		}
		mu.Lock()
		lo, hi = min(lo, float64(l)), max(hi, float64(h))
		mu.Unlock()
		return nil
	})
	p.weight.Lo, p.weight.Hi = lo, hi
	return err
}

// columns starts a program over the synapses of one connect call.
func (c *compiler) columns(s *model.Synapses, what string, sc *model.Scope) *model.ColumnLanes {
	m := s.ColumnLanes(c.w, c.random, s.Name()+" "+what, what, 0, sc)
	m.View = c.image
	return m
}

// delayColumn is a pathway's delays as package connect takes them.
func (c *compiler) delayColumn(s *model.Synapses, w *model.Path, k int, col model.Held) (connect.Column, float64, error) {
	dt := s.Dt()
	steps := func(d float64) (float64, error) {
		x := math.Floor(d/dt + 0.5)
		if x < 0 || x > 65535 || math.IsNaN(x) {
			return 0, fmt.Errorf("%s: a delay of %g s is outside 0 to 65535 steps of %g s", s.Name(), d, dt)
		}
		return x, nil
	}
	switch {
	case col.List != nil:
		out := make([]float32, col.List.Len())
		for i := range out {
			x, err := steps(col.List.At(i))
			if err != nil {
				return connect.Column{}, 0, fmt.Errorf("synapse %d: %w", i, err)
			}
			out[i] = float32(x)
		}
		return connect.Column{Array: out}, 1, nil
	case col.Lazy == nil:
		x, err := steps(col.Value)
		return connect.Column{Const: x}, 0, err
	}
	sc := s.Scope(s.Net.Externals())
	fresh := func() *model.ColumnLanes {
		m := c.columns(s, "delay", sc)
		m.Conn = k
		return m
	}
	m := fresh()
	x, err := col.Lazy.Lower(m, w.Delay.Symbol)
	if err == nil {
		err = m.Err
	}
	if err != nil {
		return connect.Column{}, 0, err
	}
	rg := m.B.Range(x)
	m.Out(x, ir.F32)
	p, err := m.B.Prog()
	if err != nil {
		return connect.Column{}, 0, err
	}
	out := connect.Column{Prog: p, Data: m.Data(), Lo: rg.Lo, Hi: rg.Hi}
	if l, err := col.Lazy.Exact(s, fresh); err != nil {
		return out, 0, err
	} else if l != nil {
		out.Exact = &connect.Exact{Key: fmt.Sprintf("%v %v", l.Key(), dt), Leaves: l.Progs, Steps: func(i, j []uint32, leaves [][]uint32) ([]float64, error) {
			d, err := l.Seconds(i, j, leaves)
			for n := range d {
				d[n] /= dt
			}
			return d, err
		}}
	}
	return out, model.Second.Scale() / dt, nil
}

// fingerprint tells whether a table of an earlier run can be used again.
func fingerprint(parts []*part, spec *connect.Spec) uint64 {
	var h maphash.Hash
	h.SetSeed(prints)
	fmt.Fprintf(&h, "%d %d;", spec.NSrc, spec.NTgt)
	projs := spec.Projs
	word := make([]byte, 0, 4096)
	add := func(w uint32) {
		if word = binary.LittleEndian.AppendUint32(word, w); len(word) == cap(word) {
			h.Write(word)
			word = word[:0]
		}
	}
	var col func(c *connect.Column)
	col = func(c *connect.Column) {
		fmt.Fprintf(&h, "%v %v %v %p %d;", c.Const, c.Lo, c.Hi, c.Array, len(c.Array))
		for _, x := range c.Array {
			add(math.Float32bits(x))
		}
		if c.Prog != nil {
			h.WriteString(c.Prog.String())
		}
		for _, d := range c.Data {
			for _, w := range d {
				add(w)
			}
		}
		if c.Exact != nil {
			fmt.Fprintf(&h, "%s;", c.Exact.Key)
			for k := range c.Exact.Leaves {
				col(&c.Exact.Leaves[k])
			}
		}
	}
	for k, p := range parts {
		fmt.Fprintf(&h, "%p %d %d ", p.conn, projs[k].Row0, projs[k].Tgt0)
		col(&projs[k].Weight)
		col(&projs[k].Delay)
	}
	h.Write(word)
	return h.Sum64()
}

// prints is the seed of fingerprints, which live no longer than the process.
var prints = maphash.MakeSeed()
