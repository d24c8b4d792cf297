package model

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

// ColumnLanes is the eqn.Machine of programs that run once per synapse of one
// connect call, on the host or within package connect: conditions, weights,
// delays. Lanes are synapse numbers; i and j are columns; variables of neurons
// are read as they are at the moment.
type ColumnLanes struct {
	Lanes
	work   Work
	s      *Synapses
	Conn   int // which call: for the columns of synaptic variables
	snap   map[*Variable]*Image
	cols   map[*Variable][]Held // synaptic variables as they were; nil: as they are
	ids    map[any]int          // tables in the order of their first use, which tells apart values of one name
	stray  string               // i or j, where it holds what is no index
	made   int                  // connect calls that N_incoming and N_outgoing count
	Err    error                // the first error of a Load, which cannot return one
	asKept bool                 // event-driven variables are read as they are kept, not at the last event
	exact  bool                 // whole numbers do not wrap: numbers of synapses, bounds
}

// Strict says that a whole number that would wrap is refused.
func (m *ColumnLanes) Strict() bool { return m.exact }

// ColumnLanes starts a program over the synapses of the connect call made last (Conn names another).
func (s *Synapses) ColumnLanes(w Work, r *Randomness, name, site string, visit uint32, sc *Scope) *ColumnLanes {
	m := &ColumnLanes{Lanes: *NewLanes(s.Net, nil, name, site+"\x00"+r.Draws(s)), work: w, s: s, Conn: len(s.Conns), snap: map[*Variable]*Image{}, ids: map[any]int{}}
	m.Clock = &s.Object
	m.visit, m.Random = visit, r
	m.HostWord = nowHost(m.B, s.now(), &m.Err)
	m.made = len(s.Conns)
	return m
}

// Load implements eqn.Machine.
func (m *ColumnLanes) Load(y *eqn.Symbol) ir.Value {
	switch r := y.Ref.(type) {
	case IndexRef:
		return m.index(r.Name)
	case EndRef:
		return m.endValue(r, y)
	case LastRef:
		var last ir.Value
		for k, w := range r.S.Paths {
			x := m.column(w.Last)
			if k == 0 {
				last = x
			} else {
				last = m.B.Sel(m.B.LtI(last, x), x, last)
			}
		}
		return last
	case DegreeRef:
		w, err := m.s.Degrees(m.work, r.Post, m.made)
		if err != nil && m.Err == nil {
			m.Err = err
		}
		name, at := "N_outgoing", "i"
		if r.Post {
			name, at = "N_incoming", "j"
		}
		name = m.numbered(name, [2]any{r.Post, m.made})
		return m.B.Gather(m.Slot(name, ir.Table, ir.I32, Memory{Data: w, Key: name}), m.index(at), ir.Range{})
	case *Variable:
		if r.Driven == nil || m.asKept {
			return m.column(r)
		}
		x, err := m.shown(r)
		if err != nil && m.Err == nil {
			m.Err = err
		}
		return x
	}
	panic(fmt.Sprintf("%s is not a name of synapses", y.Name))
}

func (m *ColumnLanes) index(name string) ir.Value {
	r := ir.Range{}
	switch name {
	case m.stray:
	case "i":
		r = ir.Range{Hi: float64(m.s.Src.Hi - m.s.Src.Lo - 1), Tiny: 1, Grain: 1}
	case "j":
		r = ir.Range{Hi: float64(m.s.Tgt.Hi - m.s.Tgt.Lo - 1), Tiny: 1, Grain: 1}
	}
	return m.B.LoadRange(m.Slot(name, ir.Array, ir.U32, Memory{}), r)
}

func (m *ColumnLanes) endValue(r EndRef, y *eqn.Symbol) ir.Value {
	sp, suffix, at := m.s.Src, "_pre", "i"
	if r.Post {
		sp, suffix, at = m.s.Tgt, "_post", "j"
	}
	if r.Var.Builtin {
		return m.index(at)
	}
	v := m.snapshot(r.Var)
	if y.Steps {
		v = v.inSteps(m.s.Net.StepSize)
	}
	words, t := v.Words, IrType(v.Sym)
	slot := func(w []uint32) uint32 {
		name := m.numbered(r.Var.Name+suffix, &words[0])
		return m.Slot(name, ir.Table, t, Memory{Data: w, Key: name})
	}
	if r.Var.Shared {
		return m.B.Uniform(slot(words), ir.Range{})
	}
	return m.B.Gather(slot(words[sp.Lo:sp.Hi]), m.index(at), ir.Range{})
}

// numbered is a slot's name for one of several tables of a variable.
func (m *ColumnLanes) numbered(name string, table any) string {
	k, ok := m.ids[table]
	if !ok {
		k = len(m.ids)
		m.ids[table] = k
	}
	return fmt.Sprintf("%s#%d", name, k)
}

// snapshot is a copy of a variable, so that what is worked out later uses the
// values of now.
func (m *ColumnLanes) snapshot(v *Variable) *Image {
	if c := m.snap[v]; c != nil {
		return c
	}
	v.fetch()
	c := *m.image(v)
	if v.link != nil || v.Name == "not_refractory" && v.Group.RefKind == RefConst {
		c.Words, _ = v.Group.EvalVisit(m.work, v.Group.Span(), &eqn.Name{ID: v.Name}, v.Symbol, 0)
	}
	y := *c.Sym
	c.Sym, c.Words = &y, slices.Clone(c.Words)
	m.snap[v] = &c
	return &c
}

// column is the value of a synaptic variable: the expression that was assigned,
// inlined, or its values.
func (m *ColumnLanes) column(v *Variable) ir.Value {
	c := v.Col(m.Conn)
	if old, ok := m.cols[v]; ok {
		c = v.later
		if m.Conn < len(old) {
			c = old[m.Conn]
		}
	}
	switch {
	case c.Lazy != nil:
		x, err := c.Lazy.Lower(m, v.Symbol)
		if err != nil && m.Err == nil {
			m.Err = err
		}
		return x
	case c.Near != nil:
		words := c.Near.words
		if len(words) == 0 {
			return m.constant(v.Symbol, 0)
		}
		name := m.numbered(v.Name, &words[0])
		if g := c.Near.groups; g != nil {
			of := m.numbered("group", &g.Of[0])
			at := m.B.Gather(m.Slot(of, ir.Table, ir.U32, Memory{Data: g.Of, Key: of}), m.B.Lane(), ir.Range{})
			return m.B.Gather(m.Slot(name, ir.Table, IrType(v.Symbol), Memory{Data: words, Key: name}), at, listRange(v.Symbol, words))
		}
		return m.B.Gather(m.Slot(name, ir.Table, IrType(v.Symbol), Memory{Data: words, Key: name}), m.index(map[bool]string{false: "i", true: "j"}[c.Near.post]), listRange(v.Symbol, words))
	case c.List != nil:
		l, err := c.List.home()
		if err != nil && m.Err == nil {
			m.Err = err
		}
		words := l.words
		if len(words) == 0 {
			return m.constant(v.Symbol, 0)
		}
		name := m.numbered(v.Name, &words[0])
		return m.B.Gather(m.Slot(name, ir.Table, IrType(v.Symbol), Memory{Data: words, Key: name}), m.B.Lane(), listRange(v.Symbol, words))
	}
	w, err := Encode(v.Symbol, v.Dt(), c.Value)
	if err != nil && m.Err == nil {
		m.Err = err
	}
	return m.constant(v.Symbol, w)
}

// constant is a word of a variable as a constant of its type.
func (m *ColumnLanes) constant(y *eqn.Symbol, w uint32) ir.Value {
	switch IrType(y) {
	case ir.F32:
		return m.B.F(float64(math.Float32frombits(w)))
	case ir.I32:
		return m.B.I(int32(w))
	}
	return m.B.B(w != 0)
}

// listRange bounds given values, so that their sums have a proved bound.
func listRange(y *eqn.Symbol, words []uint32) ir.Range {
	if IrType(y) != ir.F32 || len(words) == 0 {
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
func (m *ColumnLanes) Store(y *eqn.Symbol, _ ir.Value) {
	panic(y.Name + ": an expression stores nothing")
}

// Out stores the program's result.
func (m *ColumnLanes) Out(v ir.Value, t ir.Type) {
	m.B.StoreRaw(m.Slot("out", ir.Array, t, Memory{}), v)
}

// Data lists the tables of the program by slot, as package connect wants them.
func (m *ColumnLanes) Data() [][]uint32 {
	out := make([][]uint32, len(m.Mem))
	for k := range m.Mem {
		out[k] = m.Mem[k].Data
	}
	return out
}

// lazyExpr is an expression that was assigned to all synapses: its names and
// the values it reads are those of the moment of the assignment.
type lazyExpr struct {
	x     eqn.Expr
	sc    *Scope
	site  string
	visit uint32
	step  int64
	key   [2]uint32 // of the network's seed in force
	made  int       // connect calls so far
	snap  map[*Variable]*Image
	cols  map[*Variable][]Held
}

// inside is m for what was assigned at another moment.
func (z *lazyExpr) inside(m *ColumnLanes) ColumnLanes {
	inner := *m
	inner.Site, inner.visit, inner.snap, inner.cols, inner.made = z.site, z.visit, z.snap, z.cols, z.made
	if m.Conn < len(m.s.Conns) && m.s.Conns[m.Conn].Proj.Seed != z.key { // its words are drawn with the seed of the connect call
		inner.Site = fmt.Sprintf("%s\x00seed %x", z.site, z.key)
	}
	inner.HostWord = nowHost(m.B, z.step, &inner.Err)
	return inner
}

// Lower makes the expression part of the program of m, as a value of target.
func (z *lazyExpr) Lower(m *ColumnLanes, target *eqn.Symbol) (ir.Value, error) {
	inner := z.inside(m)
	v, typ, dim, err := eqn.LowerExpr(m.B, z.x, z.sc, &inner)
	m.Mem, m.Slots, m.Traps = inner.Mem, inner.Slots, inner.Traps
	if inner.Err != nil && m.Err == nil {
		m.Err = inner.Err
	}
	if err != nil {
		return m.B.F(0), z.sc.Explain(err)
	}
	if dim != target.Dim && !isZero(z.x) {
		return v, ErrorAt(z.x.Pos(), "%s has the unit %v, but %q has %v", target.Name, target.Dim, z.x.String(), dim).Of(eqn.Dimension)
	}
	v = As(m.B, v, typ, target)
	if IrType(target) == ir.F32 {
		m.Refuse(m.B.Le(m.B.F(0x1p40), m.B.Abs(v)), target.Name, "has no value, or one that passes the largest that a variable can hold, 2^40 in its unit")
		v = m.B.Canon(v)
	}
	return v, nil
}

// exactDelays are an expression of delays as Brian2 works it out, in float64.
type exactDelays struct {
	*eqn.Lanes64
	Progs []connect.Column
	of    []leafOf
}

// leafOf is what a leaf's words stand for: values of a symbol, or i or j.
type leafOf struct {
	sym   *eqn.Symbol
	index string
}

// Exact is the expression in float64; nil where a word of a device is the value:
// a number drawn, or a variable.
func (z *lazyExpr) Exact(s *Synapses, fresh func() *ColumnLanes) (*exactDelays, error) {
	lanes, err := eqn.NewLanes64(z.x, z.sc, s.Ticks(z.step), s.Dt())
	if err != nil || lanes.Bare() {
		return nil, err
	}
	l := &exactDelays{Lanes64: lanes}
	for _, x := range lanes.Leaves {
		if n, ok := x.(*eqn.Name); ok {
			if r, ok := n.Sym.Ref.(IndexRef); ok {
				l.of = append(l.of, leafOf{index: r.Name})
				continue
			}
		}
		m := z.inside(fresh())
		v, typ, dim, err := eqn.LowerExpr(m.B, x, z.sc, &m)
		if err == nil {
			err = m.Err
		}
		if err != nil {
			return nil, z.sc.Explain(err)
		}
		sym := &eqn.Symbol{Name: "delay", Dim: dim, Type: typ}
		m.Out(v, IrType(sym))
		p, err := m.B.Prog()
		if err != nil {
			return nil, err
		}
		l.of = append(l.of, leafOf{sym: sym})
		l.Progs = append(l.Progs, connect.Column{Prog: p, Data: m.Data()})
	}
	return l, nil
}

// block is each of the n synapses of a projection, as synVar.block.
func (l *exactDelays) block(w Work, proj *connect.Proj, n int, f func(k0, n int, value func(k int) float64) error) error {
	codes, words := make([]*vm.Code, len(l.Progs)), make([][]uint32, len(l.Progs))
	for k := range codes {
		var err error
		if codes[k], err = vm.Compile(l.Progs[k].Prog); err != nil {
			return err
		}
	}
	return proj.Walk(w.Single(), 0, n, 0, func(_ int, b *connect.Columns) error {
		for k, code := range codes {
			words[k] = slices.Grow(words[k][:0], len(b.I))[:len(b.I)]
			e := &ir.Env{Slots: slices.Clone(l.Progs[k].Data), Seed: proj.Seed, Lane0: uint32(b.K0)}
			for q, slot := range l.Progs[k].Prog.Slots {
				if cells, ok := map[string][]uint32{"i": b.I, "j": b.J, "out": words[k]}[slot.Name]; ok {
					e.Slots[q] = cells
				}
			}
			code.Run(e, 0, len(b.I))
		}
		d, err := l.Seconds(b.I, b.J, words)
		if err != nil {
			return err
		}
		return f(b.K0, len(d), func(k int) float64 { return d[k] })
	})
}

// Seconds are the delays of synapses, from the words of the leaves that programs give.
func (l *exactDelays) Seconds(i, j []uint32, words [][]uint32) ([]float64, error) {
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
				leaves[n][k] = Value(of.sym, 0, w)
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
	sc      *Scope
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

func (s *Synapses) columnExpr(w Work, what string, x eqn.Expr, sc *Scope, t eqn.Type) (*columnExpr, error) {
	reads, err := s.indices(x, sc)
	if err != nil {
		return nil, err
	}
	return &columnExpr{s: s, w: w, what: what, x: x, sc: sc, t: t, reads: reads, visit: s.Net.Random.visit("connect " + what + "\x00" + s.Net.Random.Draws(s)), byStray: map[string]*columnCode{}}, nil
}

// lower makes the program; stray is i or j where it holds what is no index.
func (c *columnExpr) lower(stray string) (*columnCode, error) {
	m := c.s.ColumnLanes(c.w, c.s.Net.Random, c.what, "connect "+c.what, c.visit, c.sc)
	m.stray, m.exact = stray, true
	v, typ, dim, err := eqn.LowerExpr(m.B, c.x, c.sc, m)
	if err == nil {
		err = m.Err
	}
	if err != nil {
		return nil, c.sc.Explain(err)
	}
	if !dim.IsOne() {
		return nil, ErrorAt(c.x.Pos(), "connect: '%s' has the unit %v, but a number was expected", c.x, dim).Of(eqn.Dimension)
	}
	t := c.t
	if t == wholeNumber {
		if t = eqn.Integer; typ != eqn.Integer {
			return nil, eqn.At(c.x.Pos(), "write int(...), or // for a division", "connect: '%s' is not a whole number", c.x)
		}
	}
	target := &eqn.Symbol{Name: c.what, Type: t}
	m.Out(As(m.B, v, typ, target), IrType(target))
	p, err := m.B.Prog()
	return &columnCode{prog: p, traps: m.Traps, slots: m.Slots, data: m.Data()}, err
}

// run gives the values of lanes lane0, lane0+1, ...
func (c *columnExpr) run(cols columnsBy, lane0 int) ([]uint32, error) {
	for name := range c.reads.column {
		if _, ok := cols[name]; !ok {
			return nil, ErrorAt(c.x.Pos(), "connect: '%s' depends on %s, which is not known where it is worked out", c.x, name)
		}
	}
	stray := ""
	for name, size := range map[string]int{"i": c.s.Src.Hi - c.s.Src.Lo, "j": c.s.Tgt.Hi - c.s.Tgt.Lo} {
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
	net, out := c.s.Net, make([]uint32, n)
	e := &ir.Env{Slots: slices.Clone(code.data), Seed: net.networkKey(), Step: uint32(net.Step), Drawn: uint32(net.drawnFrom()), Lane0: uint32(lane0)}
	for name, k := range code.slots {
		if cells, ok := cols[name]; ok {
			e.Slots[k] = cells
		}
	}
	e.Slots[code.slots["out"]] = out
	return out, runProg(c.w, code.prog, code.traps, &code.code, e, n)
}

// evalColumns is a columnExpr for all lanes at once.
func (s *Synapses) evalColumns(w Work, what string, x eqn.Expr, sc *Scope, cols columnsBy, t eqn.Type) ([]uint32, error) {
	c, err := s.columnExpr(w, what, x, sc, t)
	if err != nil {
		return nil, err
	}
	return c.run(cols, 0)
}

// Degrees counts the synapses of the first connect calls at each target or source.
func (s *Synapses) Degrees(w Work, post bool, calls int) ([]uint32, error) {
	return s.degrees(w, post, 0, calls)
}

// DegreesOf counts the synapses of one connect call at each target or source.
func (s *Synapses) DegreesOf(w Work, post bool, conn int) ([]uint32, error) {
	return s.degrees(w, post, conn, conn+1)
}

func (s *Synapses) degrees(w Work, post bool, from, to int) ([]uint32, error) {
	n := s.Src.Hi - s.Src.Lo
	if post {
		n = s.Tgt.Hi - s.Tgt.Lo
	}
	out := make([]uint32, n)
	for c := from; c < to; c++ {
		size, err := s.Count(w, c)
		if err != nil {
			return nil, err
		}
		err = s.Conns[c].Proj.Walk(w.Single(), 0, size, 0, func(_ int, b *connect.Columns) error {
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
