package engine

import (
	"fmt"
	"math"
	"slices"

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
	s    *Synapses
	conn int // which call: for the columns of synaptic variables
	snap map[*Variable][]uint32
	cols map[*synVar][]column // synaptic variables as they were; nil: as they are
	ids  map[any]int          // tables in the order of their first use, which tells apart values of one name
	deg  func(post bool) ([]uint32, error)
	err  error
}

func (s *Synapses) columnLanes(name, site string, visit uint32, sc *scope) *columnLanes {
	m := &columnLanes{lanes: *newLanes(s.net, nil, name, site+"\x00"+s.auto), s: s, conn: len(s.conns), snap: map[*Variable][]uint32{}, ids: map[any]int{}}
	m.visit = visit
	m.host = nowHost(m.b, s.net.step)
	m.deg = s.degrees
	return m
}

// Load implements eqn.Machine.
func (m *columnLanes) Load(y *eqn.Symbol) ir.Value {
	switch r := y.Ref.(type) {
	case indexRef:
		return m.index(r.name)
	case endRef:
		return m.endValue(r)
	case degreeRef:
		w, err := m.deg(r.post)
		if err != nil && m.err == nil {
			m.err = err
		}
		name, at := "outgoing", "i"
		if r.post {
			name, at = "incoming", "j"
		}
		return m.b.Gather(m.slot("N_"+name, ir.Table, ir.I32, memory{data: w, key: name}), m.index(at), ir.Range{})
	case *synVar:
		return m.column(r)
	}
	panic(fmt.Sprintf("%s is not a name of synapses", y.Name))
}

func (m *columnLanes) index(name string) ir.Value {
	r := ir.Range{}
	switch name {
	case "i":
		r = ir.Range{Hi: float64(m.s.src.hi - m.s.src.lo - 1), Tiny: 1, Grain: 1}
	case "j":
		r = ir.Range{Hi: float64(m.s.tgt.hi - m.s.tgt.lo - 1), Tiny: 1, Grain: 1}
	}
	return m.b.LoadRange(m.slot(name, ir.Array, ir.U32, memory{}), r)
}

func (m *columnLanes) endValue(r endRef) ir.Value {
	sp, suffix, at := m.s.src, "_pre", "i"
	if r.post {
		sp, suffix, at = m.s.tgt, "_post", "j"
	}
	if r.v.builtin {
		return m.index(at)
	}
	words := m.snapshot(r.v)
	t := r.v.irType()
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

// snapshot is a copy of a variable's words, so that what is worked out later
// uses the values of now.
func (m *columnLanes) snapshot(v *Variable) []uint32 {
	if w := m.snap[v]; w != nil {
		return w
	}
	words := v.words
	if v.name == "not_refractory" && v.g.refKind == refConst {
		words, _ = v.g.evalWords(v.g.span(), &eqn.Name{ID: v.name}, v.sym)
	}
	w := append([]uint32(nil), words...)
	m.snap[v] = w
	return w
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
	m.b.Store(m.slot("out", ir.Array, t, memory{}), v)
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
	snap  map[*Variable][]uint32
	cols  map[*synVar][]column
}

func (z *lazyExpr) lower(m *columnLanes, target *eqn.Symbol) (ir.Value, error) {
	inner := *m
	inner.site, inner.visit, inner.snap, inner.cols = z.site, z.visit, z.snap, z.cols
	inner.host = nowHost(m.b, z.step)
	v, typ, dim, err := eqn.LowerExpr(m.b, z.x, z.sc, &inner)
	m.mem, m.slots = inner.mem, inner.slots
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
		v = m.b.Canon(v)
	}
	return v, nil
}

func isZero(x eqn.Expr) bool {
	n, ok := x.(*eqn.Num)
	return ok && n.Value == 0
}

// evalColumns works an expression out on the host for n lanes with given
// columns i, j (and loop variables).
func (s *Synapses) evalColumns(what string, x eqn.Expr, sc *scope, n int, cols map[string][]uint32, t eqn.Type) ([]uint32, error) {
	site := "connect " + what
	m := s.columnLanes(what, site, s.net.visit(site+"\x00"+s.auto), sc)
	v, typ, _, err := eqn.LowerExpr(m.b, x, sc, m)
	if err == nil {
		err = m.err
	}
	if err != nil {
		return nil, sc.explain(err)
	}
	target := &eqn.Symbol{Name: what, Type: t}
	m.out(as(m.b, v, typ, target), irType(target))
	p, err := m.b.Prog()
	if err != nil {
		return nil, err
	}
	out := make([]uint32, n)
	e := &ir.Env{Slots: m.data(), Seed: s.net.key(), Step: uint32(s.net.step)}
	for name, k := range m.slots {
		if w, ok := cols[name]; ok {
			e.Slots[k] = w
		}
	}
	e.Slots[m.slots["out"]] = out
	return out, runProg(p, e, n)
}

// degrees counts the synapses at each target or source, all calls together.
func (s *Synapses) degrees(post bool) ([]uint32, error) {
	n := s.src.hi - s.src.lo
	if post {
		n = s.tgt.hi - s.tgt.lo
	}
	out := make([]uint32, n)
	for c := range s.conns {
		size, err := s.count(c)
		if err != nil {
			return nil, err
		}
		err = s.conns[c].proj.Walk(0, size, 1, 0, func(_ int, b *connect.Columns) error {
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

// get returns the values of a synaptic variable in SI units.
func (v *synVar) get(ix any) (Array, error) {
	all, err := v.all()
	if err == nil && v.shared {
		if len(all.V) == 0 && v.later.list == nil && v.later.lazy == nil {
			all.V = []float64{v.later.value} // before the first connect
		}
		all.V = all.V[:min(1, len(all.V))]
		return all, nil
	}
	if err != nil || ix == nil {
		return all, err
	}
	at, err := v.s.synapses(ix)
	if err != nil {
		return Array{}, err
	}
	out := Array{Dim: all.Dim, V: make([]float64, len(at))}
	for k, n := range at {
		out.V[k] = all.V[n]
	}
	return out, nil
}

func (v *synVar) all() (Array, error) {
	out := Array{Dim: v.sym.Dim}
	for c := range v.s.conns {
		vals, err := v.values(c)
		if err != nil {
			return Array{}, err
		}
		out.V = append(out.V, vals...)
	}
	return out, nil
}

// words are the values of one conn's synapses as a device holds them.
func (v *synVar) words(c int) ([]uint32, error) {
	if l := v.col(c).list; l != nil && l.words != nil {
		return l.words, nil
	}
	x, err := v.values(c)
	if err != nil {
		return nil, err
	}
	return (&list{wide: x}).encode(v.sym, v.s.net.dt)
}

// values are the SI values of one conn's synapses.
func (v *synVar) values(c int) ([]float64, error) {
	s := v.s
	n, err := s.count(c)
	if err != nil {
		return nil, err
	}
	col := v.col(c)
	out := make([]float64, n)
	_, stored := v.sym.Ref.(*synVar)
	switch {
	case stored && v.sym.Kind == eqn.Variable && col.list != nil:
		for k := range out {
			out[k] = col.list.at(k)
		}
		return out, nil
	case stored && v.sym.Kind == eqn.Variable && col.lazy == nil:
		for k := range out {
			out[k] = col.value
		}
		return out, nil
	}
	sc := s.scope(s.net.externals())
	m := s.columnLanes(v.name, "read", 0, sc)
	m.conn = c
	var x ir.Value
	if stored && v.sym.Kind == eqn.Variable {
		x = m.column(v)
	} else {
		var typ eqn.Type
		if x, typ, _, err = eqn.LowerExpr(m.b, &eqn.Name{ID: v.name, Sym: v.sym}, sc, m); err == nil {
			x = as(m.b, x, typ, v.sym)
		}
	}
	if err == nil {
		err = m.err
	}
	if err != nil {
		return nil, sc.explain(err)
	}
	m.out(x, irType(v.sym))
	p, err := m.b.Prog()
	if err != nil {
		return nil, err
	}
	code, err := vm.Compile(p)
	if err != nil {
		return nil, err
	}
	err = s.conns[c].proj.Walk(0, n, 1, 0, func(_ int, b *connect.Columns) error {
		words := make([]uint32, len(b.I))
		e := &ir.Env{Slots: m.data(), Seed: s.conns[c].proj.Seed, Lane0: uint32(b.K0)}
		for name, cells := range map[string][]uint32{"i": b.I, "j": b.J, "out": words} {
			if k, ok := m.slots[name]; ok {
				e.Slots[k] = cells
			}
		}
		code.Run(e, 0, len(words))
		for k, w := range words {
			out[b.K0+k] = value(v.sym, s.net.dt, w)
		}
		return nil
	})
	return out, err
}

// synapses resolves an index to synapse numbers, all conns laid end to end.
func (s *Synapses) synapses(ix any) ([]int, error) {
	switch x := ix.(type) {
	case string:
		e, err := eqn.ParseExpr(s.net.source(x))
		if err != nil {
			return nil, err
		}
		y := &synVar{s: s, name: "condition", sym: &eqn.Symbol{Name: "condition", Kind: eqn.Subexpression, Expr: e, Type: eqn.Boolean}}
		all, err := y.all()
		if err != nil {
			return nil, err
		}
		out := []int{}
		for k, b := range all.V {
			if b != 0 {
				out = append(out, k)
			}
		}
		return out, nil
	case [2]any:
		return s.pairIndex(x)
	}
	n, err := s.N()
	if err != nil {
		return nil, err
	}
	return positions(ix, n, s.Name()+" (synapses)")
}

// pairIndex is S.w[i, j].
func (s *Synapses) pairIndex(x [2]any) ([]int, error) {
	var want [2]map[int]bool
	for e, sp := range []span{s.src, s.tgt} {
		if x[e] == nil {
			continue
		}
		list, err := positions(x[e], sp.hi-sp.lo, [2]string{"the source " + s.srcName, "the target " + s.tgtName}[e])
		if err != nil {
			return nil, err
		}
		want[e] = map[int]bool{}
		for _, k := range list {
			want[e][k] = true
		}
	}
	out, base := []int{}, 0
	for c := range s.conns {
		n, err := s.count(c)
		if err != nil {
			return nil, err
		}
		err = s.conns[c].proj.Walk(0, n, 1, 0, func(_ int, b *connect.Columns) error {
			for k := range b.I {
				if (want[0] == nil || want[0][int(b.I[k])]) && (want[1] == nil || want[1][int(b.J[k])]) {
					out = append(out, base+b.K0+k)
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		base += n
	}
	return out, nil
}

// set assigns to a synaptic variable.
func (v *synVar) set(ix, x any) error {
	s := v.s
	if _, own := v.sym.Ref.(*synVar); !own || v.sym.ReadOnly {
		return fmt.Errorf("%s.%s cannot be assigned: it is read-only", s.Name(), v.name)
	}
	if len(s.conns) == 0 {
		if v.path != nil && ix == nil {
			if q, ok := x.(Quantity); ok && q.Dim == second { // a delay for all connects to come
				v.later = column{value: q.Value}
				return nil
			}
		}
		return fmt.Errorf("%s.%s: call connect before assigning", s.Name(), v.name)
	}
	if v.path != nil {
		v.path.retire()
	}
	v.fill()
	if text, ok := x.(string); ok {
		return v.setText(ix, text)
	}
	vals, dim, err := listOf(x)
	if err != nil {
		return fmt.Errorf("%s.%s: %w", s.Name(), v.name, err)
	}
	if dim != v.sym.Dim && !vals.zero() {
		return fmt.Errorf("%s.%s has the unit %v, but the value has %v", s.Name(), v.name, v.sym.Dim, dim)
	}
	if ix == nil && vals.len() == 1 {
		if _, err := encode(v.sym, s.net.dt, vals.at(0)); err != nil {
			return err
		}
		for c := range v.cols {
			v.cols[c] = column{value: vals.at(0)}
		}
		return nil
	}
	if ix == nil {
		n, err := s.N()
		if err != nil {
			return err
		}
		if vals.len() != n {
			return fmt.Errorf("%s.%s: %d values for %d synapses", s.Name(), v.name, vals.len(), n)
		}
		vals.wide = slices.Clone(vals.wide)
		return v.give(vals)
	}
	return v.scatter(ix, vals)
}

func (v *synVar) setText(ix any, text string) error {
	s := v.s
	x, err := eqn.ParseExpr(s.net.source(text))
	if err != nil {
		return err
	}
	sc := s.scope(s.net.externals())
	site := "value\x00" + s.auto + "\x00" + v.name
	if v.path != nil {
		site += "\x00" + v.path.name
	}
	if q, err := eqn.EvalHost(x, sc); err == nil && ix == nil {
		return v.set(nil, q)
	}
	z := &lazyExpr{x: x, sc: sc, site: site, visit: s.net.visit(site), step: s.net.step, snap: map[*Variable][]uint32{}, cols: map[*synVar][]column{}}
	for _, old := range append(append([]*synVar(nil), s.vars...), v) {
		z.cols[old] = append([]column(nil), old.cols...)
	}
	// Lower it once now: names and units are checked, values are taken.
	m := s.columnLanes(v.name, site, z.visit, sc)
	if _, err := z.lower(m, v.sym); err != nil {
		return err
	}
	if m.err != nil {
		return m.err
	}
	if ix == nil {
		for c := range v.cols {
			v.cols[c] = column{lazy: z}
		}
		return nil
	}
	tmp := &synVar{s: s, name: v.name, sym: v.sym}
	for range s.conns {
		tmp.cols = append(tmp.cols, column{lazy: z})
	}
	at, err := s.synapses(ix)
	if err != nil {
		return err
	}
	all, err := tmp.all()
	if err != nil {
		return err
	}
	vals := &list{wide: make([]float64, len(at))}
	for k, n := range at {
		vals.wide[k] = all.V[n]
	}
	return v.scatter(at, vals)
}

// scatter puts values at chosen synapses, which makes the columns explicit.
func (v *synVar) scatter(ix any, vals *list) error {
	s := v.s
	all, err := v.all()
	if err != nil {
		return err
	}
	at, err := s.synapses(ix)
	if err != nil {
		return err
	}
	n := vals.len()
	if n != 1 && n != len(at) {
		return fmt.Errorf("%s.%s: %d values for %d synapses", s.Name(), v.name, n, len(at))
	}
	for k, p := range at {
		all.V[p] = vals.at(min(k, n-1))
	}
	return v.give(&list{wide: all.V})
}

// give makes vals, which nobody changes any more, the values of all synapses.
func (v *synVar) give(vals *list) error {
	words, err := vals.encode(v.sym, v.s.net.dt)
	if err != nil {
		return err
	}
	if v.path == nil {
		vals.words = words
	}
	lo := 0
	for c := range v.cols {
		n, err := v.s.count(c)
		if err != nil {
			return err
		}
		v.cols[c] = column{}
		if n > 0 {
			v.cols[c].list = vals.cut(lo, lo+n)
		}
		lo += n
	}
	return nil
}

// retire keeps the delays of now for the spikes that are in flight, since a
// spike keeps the delay with which it left (design section 4).
func (w *pathway) retire() {
	s := w.delay.s
	if s.net.step == 0 || len(s.conns) == 0 {
		return
	}
	last := s.net.step - 1
	if len(w.past) > 0 && w.past[len(w.past)-1].last == last {
		return
	}
	w.delay.fill()
	w.past = append(w.past, era{last: last, conns: append([]*conn(nil), s.conns...), cols: append([]column(nil), w.delay.cols...)})
}
