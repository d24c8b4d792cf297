package engine

import (
	"fmt"
	"slices"

	"synfire/engine/connect"
	"synfire/engine/eqn"
	"synfire/engine/ir"
	"synfire/engine/vm"
)

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
