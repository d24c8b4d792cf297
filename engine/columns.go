package engine

import (
	"fmt"
	"math"
	"slices"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/eqn"
	"synfire/engine/ir"
	"synfire/engine/vm"
)

// columnLanes is the eqn.Machine of programs that run once per synapse of one
// connect call, on the host or within package connect: conditions, weights,
// delays. Lanes are synapse numbers; i and j are columns; variables of neurons
// are read as they are at the moment.
type columnLanes struct {
	lanes
	work  Work
	s     *Synapses
	conn  int // which call: for the columns of synaptic variables
	snap  map[*Variable]*image
	cols  map[*synVar][]column // synaptic variables as they were; nil: as they are
	ids   map[any]int          // tables in the order of their first use, which tells apart values of one name
	stray string               // i or j, where it holds what is no index
	made  int                  // connect calls that N_incoming and N_outgoing count
	err   error
}

func (s *Synapses) columnLanes(w Work, r *randomness, name, site string, visit uint32, sc *scope) *columnLanes {
	m := &columnLanes{lanes: *newLanes(s.net, nil, name, site+"\x00"+r.draws(s)), work: w, s: s, conn: len(s.conns), snap: map[*Variable]*image{}, ids: map[any]int{}}
	m.visit, m.random = visit, r
	m.host = nowHost(m.b, s.net.clock.step, &m.err)
	m.made = len(s.conns)
	return m
}

// Load implements eqn.Machine.
func (m *columnLanes) Load(y *eqn.Symbol) ir.Value {
	switch r := y.Ref.(type) {
	case indexRef:
		return m.index(r.name)
	case endRef:
		return m.endValue(r, y)
	case degreeRef:
		w, err := m.s.degrees(m.work, r.post, m.made)
		if err != nil && m.err == nil {
			m.err = err
		}
		name, at := "N_outgoing", "i"
		if r.post {
			name, at = "N_incoming", "j"
		}
		name = m.numbered(name, [2]any{r.post, m.made})
		return m.b.Gather(m.slot(name, ir.Table, ir.I32, memory{data: w, key: name}), m.index(at), ir.Range{})
	case *synVar:
		return m.column(r)
	}
	panic(fmt.Sprintf("%s is not a name of synapses", y.Name))
}

func (m *columnLanes) index(name string) ir.Value {
	r := ir.Range{}
	switch name {
	case m.stray:
	case "i":
		r = ir.Range{Hi: float64(m.s.src.hi - m.s.src.lo - 1), Tiny: 1, Grain: 1}
	case "j":
		r = ir.Range{Hi: float64(m.s.tgt.hi - m.s.tgt.lo - 1), Tiny: 1, Grain: 1}
	}
	return m.b.LoadRange(m.slot(name, ir.Array, ir.U32, memory{}), r)
}

func (m *columnLanes) endValue(r endRef, y *eqn.Symbol) ir.Value {
	sp, suffix, at := m.s.src, "_pre", "i"
	if r.post {
		sp, suffix, at = m.s.tgt, "_post", "j"
	}
	if r.v.builtin {
		return m.index(at)
	}
	v := m.snapshot(r.v)
	if y.Steps {
		v = v.inSteps(m.n.dt)
	}
	words, t := v.words, irType(v.sym)
	slot := func(w []uint32) uint32 {
		name := m.numbered(r.v.name+suffix, &words[0])
		return m.slot(name, ir.Table, t, memory{data: w, key: name})
	}
	if r.v.shared {
		return m.b.Uniform(slot(words), ir.Range{})
	}
	return m.b.Gather(slot(words[sp.lo:sp.hi]), m.index(at), ir.Range{})
}

// numbered is a slot's name for one of several tables of a variable.
func (m *columnLanes) numbered(name string, table any) string {
	k, ok := m.ids[table]
	if !ok {
		k = len(m.ids)
		m.ids[table] = k
	}
	return fmt.Sprintf("%s#%d", name, k)
}

// snapshot is a copy of a variable, so that what is worked out later uses the
// values of now.
func (m *columnLanes) snapshot(v *Variable) *image {
	if c := m.snap[v]; c != nil {
		return c
	}
	c := *m.image(v)
	if v.name == "not_refractory" && v.g.refKind == refConst {
		c.words, _ = v.g.evalVisit(m.work, v.g.span(), &eqn.Name{ID: v.name}, v.sym, 0)
	}
	y := *c.sym
	c.sym, c.words = &y, slices.Clone(c.words)
	m.snap[v] = &c
	return &c
}

// column is the value of a synaptic variable: the expression that was assigned,
// inlined, or its values.
func (m *columnLanes) column(v *synVar) ir.Value {
	c := v.col(m.conn)
	if old, ok := m.cols[v]; ok {
		c = v.later
		if m.conn < len(old) {
			c = old[m.conn]
		}
	}
	switch {
	case c.lazy != nil:
		x, err := c.lazy.lower(m, v.sym)
		if err != nil && m.err == nil {
			m.err = err
		}
		return x
	case c.list != nil:
		words := c.list.words
		if len(words) == 0 {
			return m.b.F(0)
		}
		name := m.numbered(v.name, &words[0])
		return m.b.Gather(m.slot(name, ir.Table, irType(v.sym), memory{data: words, key: name}), m.b.Lane(), listRange(v.sym, words))
	}
	w, err := encode(v.sym, m.n.dt, c.value)
	if err != nil && m.err == nil {
		m.err = err
	}
	switch irType(v.sym) {
	case ir.F32:
		return m.b.F(float64(math.Float32frombits(w)))
	case ir.I32:
		return m.b.I(int32(w))
	}
	return m.b.B(w != 0)
}

// listRange bounds given values, so that their sums have a proved bound.
func listRange(y *eqn.Symbol, words []uint32) ir.Range {
	if irType(y) != ir.F32 || len(words) == 0 {
		return ir.Range{}
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, w := range words {
		x := float64(math.Float32frombits(w))
		lo, hi = min(lo, x), max(hi, x)
	}
	return ir.Range{Lo: lo, Hi: hi, Tiny: ir.FlushStore}
}

// Store and Add do not occur: columns are expressions.
func (m *columnLanes) Store(y *eqn.Symbol, _ ir.Value) {
	panic(y.Name + ": an expression stores nothing")
}

// out stores the program's result.
func (m *columnLanes) out(v ir.Value, t ir.Type) {
	m.b.StoreRaw(m.slot("out", ir.Array, t, memory{}), v)
}

// data lists the tables of the program by slot, as package connect wants them.
func (m *columnLanes) data() [][]uint32 {
	out := make([][]uint32, len(m.mem))
	for k := range m.mem {
		out[k] = m.mem[k].data
	}
	return out
}

// lazyExpr is an expression that was assigned to all synapses: its names and
// the values it reads are those of the moment of the assignment.
type lazyExpr struct {
	x     eqn.Expr
	sc    *scope
	site  string
	visit uint32
	step  int64
	key   [2]uint32 // of the seed in force
	made  int       // connect calls so far
	snap  map[*Variable]*image
	cols  map[*synVar][]column
}

// inside is m for what was assigned at another moment.
func (z *lazyExpr) inside(m *columnLanes) columnLanes {
	inner := *m
	inner.site, inner.visit, inner.snap, inner.cols, inner.made = z.site, z.visit, z.snap, z.cols, z.made
	if m.conn < len(m.s.conns) && m.s.conns[m.conn].proj.Seed != z.key { // its words are drawn with the seed of the connect call
		inner.site = fmt.Sprintf("%s\x00seed %x", z.site, z.key)
	}
	inner.host = nowHost(m.b, z.step, &inner.err)
	return inner
}

func (z *lazyExpr) lower(m *columnLanes, target *eqn.Symbol) (ir.Value, error) {
	inner := z.inside(m)
	v, typ, dim, err := eqn.LowerExpr(m.b, z.x, z.sc, &inner)
	m.mem, m.slots, m.traps = inner.mem, inner.slots, inner.traps
	if inner.err != nil && m.err == nil {
		m.err = inner.err
	}
	if err != nil {
		return m.b.F(0), z.sc.explain(err)
	}
	if dim != target.Dim && !isZero(z.x) {
		return v, errorAt(z.x.Pos(), "%s has the unit %v, but %q has %v", target.Name, target.Dim, z.x.String(), dim)
	}
	v = as(m.b, v, typ, target)
	if irType(target) == ir.F32 {
		m.Refuse(m.b.Le(m.b.F(0x1p40), m.b.Abs(v)), target.Name, "has no value, or one that passes the largest that a variable can hold, 2^40 in its unit")
		v = m.b.Canon(v)
	}
	return v, nil
}

// exactDelays are an expression of delays as Brian2 works it out, in float64.
type exactDelays struct {
	*eqn.Lanes64
	progs []connect.Column
	of    []leafOf
}

// leafOf is what a leaf's words stand for: values of a symbol, or i or j.
type leafOf struct {
	sym   *eqn.Symbol
	index string
}

// exact is the expression in float64; nil where a word of a device is the value:
// a number drawn, or a variable.
func (z *lazyExpr) exact(s *Synapses, fresh func() *columnLanes) (*exactDelays, error) {
	lanes, err := eqn.NewLanes64(z.x, z.sc, z.step, s.net.dt)
	if err != nil || lanes.Bare() {
		return nil, err
	}
	l := &exactDelays{Lanes64: lanes}
	for _, x := range lanes.Leaves {
		if n, ok := x.(*eqn.Name); ok {
			if r, ok := n.Sym.Ref.(indexRef); ok {
				l.of = append(l.of, leafOf{index: r.name})
				continue
			}
		}
		m := z.inside(fresh())
		v, typ, dim, err := eqn.LowerExpr(m.b, x, z.sc, &m)
		if err == nil {
			err = m.err
		}
		if err != nil {
			return nil, z.sc.explain(err)
		}
		sym := &eqn.Symbol{Name: "delay", Dim: dim, Type: typ}
		m.out(v, irType(sym))
		p, err := m.b.Prog()
		if err != nil {
			return nil, err
		}
		l.of = append(l.of, leafOf{sym: sym})
		l.progs = append(l.progs, connect.Column{Prog: p, Data: m.data()})
	}
	return l, nil
}

// block is each of the n synapses of a projection, as synVar.block.
func (l *exactDelays) block(w Work, proj *connect.Proj, n int, f func(k0, n int, value func(k int) float64) error) error {
	codes, words := make([]*vm.Code, len(l.progs)), make([][]uint32, len(l.progs))
	for k := range codes {
		var err error
		if codes[k], err = vm.Compile(l.progs[k].Prog); err != nil {
			return err
		}
	}
	return proj.Walk(w.Single(), 0, n, 0, func(_ int, b *connect.Columns) error {
		for k, code := range codes {
			words[k] = slices.Grow(words[k][:0], len(b.I))[:len(b.I)]
			e := &ir.Env{Slots: slices.Clone(l.progs[k].Data), Seed: proj.Seed, Lane0: uint32(b.K0)}
			for q, slot := range l.progs[k].Prog.Slots {
				if cells, ok := map[string][]uint32{"i": b.I, "j": b.J, "out": words[k]}[slot.Name]; ok {
					e.Slots[q] = cells
				}
			}
			code.Run(e, 0, len(b.I))
		}
		d, err := l.seconds(b.I, b.J, words)
		if err != nil {
			return err
		}
		return f(b.K0, len(d), func(k int) float64 { return d[k] })
	})
}

// seconds are the delays of synapses, from the words of the leaves that programs give.
func (l *exactDelays) seconds(i, j []uint32, words [][]uint32) ([]float64, error) {
	leaves, next := make([][]float64, len(l.of)), 0
	for n, of := range l.of {
		leaves[n] = make([]float64, len(i))
		var cells []uint32
		switch of.index {
		case "i":
			cells = i
		case "j":
			cells = j
		default:
			cells = words[next]
			next++
			for k, w := range cells {
				leaves[n][k] = value(of.sym, 0, w)
			}
			continue
		}
		for k, w := range cells {
			leaves[n][k] = float64(w)
		}
	}
	return l.Eval(len(i), leaves)
}

func isZero(x eqn.Expr) bool {
	n, ok := x.(*eqn.Num)
	return ok && n.Value == 0
}

// wholeNumber is an Integer that a Float, which would be cut, does not give.
const wholeNumber eqn.Type = 100

// columnExpr is an expression of connect that is worked out on the host for lanes
// with given columns, some at a time.
type columnExpr struct {
	s       *Synapses
	w       Work
	what    string
	x       eqn.Expr
	sc      *scope
	t       eqn.Type
	reads   indexed
	visit   uint32
	byStray map[string]*columnCode
}

// columnCode is the program of a columnExpr.
type columnCode struct {
	prog  *ir.Prog
	traps []backend.Trap
	code  *vm.Code // nil until there is enough to do
	slots map[string]uint32
	data  [][]uint32
}

func (s *Synapses) columnExpr(w Work, what string, x eqn.Expr, sc *scope, t eqn.Type) (*columnExpr, error) {
	reads, err := s.indices(x, sc)
	if err != nil {
		return nil, err
	}
	return &columnExpr{s: s, w: w, what: what, x: x, sc: sc, t: t, reads: reads, visit: s.net.random.visit("connect " + what + "\x00" + s.net.random.draws(s)), byStray: map[string]*columnCode{}}, nil
}

// lower makes the program; stray is i or j where it holds what is no index.
func (c *columnExpr) lower(stray string) (*columnCode, error) {
	m := c.s.columnLanes(c.w, c.s.net.random, c.what, "connect "+c.what, c.visit, c.sc)
	m.stray = stray
	v, typ, dim, err := eqn.LowerExpr(m.b, c.x, c.sc, m)
	if err == nil {
		err = m.err
	}
	if err != nil {
		return nil, c.sc.explain(err)
	}
	if !dim.IsOne() {
		return nil, errorAt(c.x.Pos(), "connect: '%s' has the unit %v, but a number was expected", c.x, dim)
	}
	t := c.t
	if t == wholeNumber {
		if t = eqn.Integer; typ != eqn.Integer {
			return nil, eqn.At(c.x.Pos(), "write int(...), or // for a division", "connect: '%s' is not a whole number", c.x)
		}
	}
	target := &eqn.Symbol{Name: c.what, Type: t}
	m.out(as(m.b, v, typ, target), irType(target))
	p, err := m.b.Prog()
	return &columnCode{prog: p, traps: m.traps, slots: m.slots, data: m.data()}, err
}

// run gives the values of lanes lane0, lane0+1, ...
func (c *columnExpr) run(cols columnsBy, lane0 int) ([]uint32, error) {
	for name := range c.reads.column {
		if _, ok := cols[name]; !ok {
			return nil, errorAt(c.x.Pos(), "connect: '%s' depends on %s, which is not known where it is worked out", c.x, name)
		}
	}
	stray := ""
	for name, size := range map[string]int{"i": c.s.src.hi - c.s.src.lo, "j": c.s.tgt.hi - c.s.tgt.lo} {
		if slices.ContainsFunc(cols[name], func(k uint32) bool { return k >= uint32(size) }) {
			stray = name
		}
	}
	code := c.byStray[stray]
	if code == nil {
		var err error
		if code, err = c.lower(stray); err != nil {
			return nil, err
		}
		c.byStray[stray] = code
	}
	n := cols.len()
	if err := c.w.Room(4*int64(n), "connect: %d values of '%s'", n, c.x); err != nil {
		return nil, err
	}
	net, out := c.s.net, make([]uint32, n)
	e := &ir.Env{Slots: slices.Clone(code.data), Seed: net.key(), Step: uint32(net.step), Drawn: uint32(net.drawnFrom()), Lane0: uint32(lane0)}
	for name, k := range code.slots {
		if cells, ok := cols[name]; ok {
			e.Slots[k] = cells
		}
	}
	e.Slots[code.slots["out"]] = out
	return out, runProg(c.w, code.prog, code.traps, &code.code, e, n)
}

// evalColumns is a columnExpr for all lanes at once.
func (s *Synapses) evalColumns(w Work, what string, x eqn.Expr, sc *scope, cols columnsBy, t eqn.Type) ([]uint32, error) {
	c, err := s.columnExpr(w, what, x, sc, t)
	if err != nil {
		return nil, err
	}
	return c.run(cols, 0)
}

// degrees counts the synapses of the first connect calls at each target or source.
func (s *Synapses) degrees(w Work, post bool, calls int) ([]uint32, error) {
	n := s.src.hi - s.src.lo
	if post {
		n = s.tgt.hi - s.tgt.lo
	}
	out := make([]uint32, n)
	for c := range s.conns[:calls] {
		size, err := s.count(w, c)
		if err != nil {
			return nil, err
		}
		err = s.conns[c].proj.Walk(w.Single(), 0, size, 0, func(_ int, b *connect.Columns) error {
			ends := b.I
			if post {
				ends = b.J
			}
			for _, k := range ends {
				out[k]++
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
