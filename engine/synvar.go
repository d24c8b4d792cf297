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

// get returns the values of a synaptic variable in SI units.
func (v *synVar) get(w Work, ix any) (Array, error) {
	if ix != nil && !v.shared {
		at, err := v.s.synapses(w, ix)
		if err != nil {
			return Array{}, err
		}
		return v.at(w, at)
	}
	all, err := v.all(w)
	if err == nil && v.shared {
		if len(all.V) == 0 && v.later.list == nil && v.later.lazy == nil {
			all.V = []float64{v.later.value} // before the first connect
		}
		all.V = all.V[:min(1, len(all.V))]
		return all, nil
	}
	return all, err
}

// at is the values of chosen synapses.
func (v *synVar) at(w Work, at []int) (Array, error) {
	out := Array{Dim: v.sym.Dim}
	if err := w.Room(16*int64(len(at)), "%s.%s: %d values", v.s.Name(), v.name, len(at)); err != nil {
		return out, err
	}
	out.V = make([]float64, len(at))
	by := make([]int, len(at)) // positions in at, by synapse
	for k := range by {
		by[k] = k
	}
	if !slices.IsSorted(at) {
		slices.SortFunc(by, func(a, b int) int { return at[a] - at[b] })
	}
	err := v.each(w, func(k0, n int, value func(int) float64) error {
		for ; len(by) > 0 && at[by[0]] < k0+n; by = by[1:] {
			out.V[by[0]] = value(at[by[0]] - k0)
		}
		return nil
	})
	return out, err
}

func (v *synVar) all(w Work) (Array, error) {
	out := Array{Dim: v.sym.Dim}
	n, err := v.s.N(w)
	if err == nil {
		err = w.Room(8*int64(n), "%s.%s: the values of %d synapses", v.s.Name(), v.name, n)
	}
	if err != nil {
		return out, err
	}
	out.V = make([]float64, n)
	err = v.each(w, func(k0, n int, value func(int) float64) error {
		for k := range out.V[k0 : k0+n] {
			out.V[k0+k] = value(k)
		}
		return nil
	})
	return out, err
}

// each calls f with the values of all synapses, in order, some at a time: n of
// them from synapse k0 on, and a function that gives the k-th of these.
func (v *synVar) each(w Work, f func(k0, n int, value func(k int) float64) error) error {
	base := 0
	for c := range v.s.conns {
		n, err := v.s.count(w, c)
		if err == nil {
			err = v.block(w, c, n, func(k0, n int, value func(int) float64) error { return f(base+k0, n, value) })
		}
		if err != nil {
			return err
		}
		base += n
	}
	return nil
}

// words are the values of one conn's synapses as a device holds them.
func (v *synVar) words(w Work, c int) ([]uint32, error) {
	if l := v.col(c).list; l != nil && l.words != nil {
		return l.words, nil
	}
	n, err := v.s.count(w, c)
	if err == nil {
		err = w.Room(12*int64(n), "%s.%s: the values of %d synapses", v.s.Name(), v.name, n)
	}
	if err != nil {
		return nil, err
	}
	x := make([]float64, n)
	err = v.block(w, c, n, func(k0, n int, value func(int) float64) error {
		for k := range x[k0 : k0+n] {
			x[k0+k] = value(k)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return (&list{wide: x}).encode(v.sym, v.s.net.dt)
}

// block is each of one conn's n synapses.
func (v *synVar) block(w Work, c, n int, f func(k0, n int, value func(k int) float64) error) error {
	s := v.s
	const span = 1 << 16
	col := v.col(c)
	_, stored := v.sym.Ref.(*synVar)
	if stored && v.sym.Kind == eqn.Variable && col.lazy == nil {
		for k0 := 0; k0 < n; k0 += span {
			if err := w.Err(); err != nil {
				return err
			}
			value := func(int) float64 { return col.value }
			if col.list != nil {
				value = func(k int) float64 { return col.list.at(k0 + k) }
			}
			if err := f(k0, min(span, n-k0), value); err != nil {
				return err
			}
		}
		return nil
	}
	if v.path != nil {
		l, err := col.lazy.exact(s, func() *columnLanes {
			m := s.columnLanes(w, s.net.random, v.name, "read", 0, col.lazy.sc)
			m.conn = c
			return m
		})
		if err != nil {
			return err
		}
		if l != nil {
			return l.block(w, s.conns[c].proj, n, f)
		}
	}
	sc := s.scope(s.net.externals())
	m := s.columnLanes(w, s.net.random, v.name, "read", 0, sc)
	m.conn = c
	var x ir.Value
	var err error
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
		return sc.explain(err)
	}
	m.out(x, irType(v.sym))
	p, err := m.b.Prog()
	if err != nil {
		return err
	}
	code, err := vm.Compile(p)
	if err != nil {
		return err
	}
	var words []uint32
	return s.conns[c].proj.Walk(w.Single(), 0, n, 0, func(_ int, b *connect.Columns) error {
		words = slices.Grow(words[:0], len(b.I))[:len(b.I)]
		e := &ir.Env{Slots: m.data(), Seed: s.conns[c].proj.Seed, Lane0: uint32(b.K0)}
		for name, cells := range map[string][]uint32{"i": b.I, "j": b.J, "out": words} {
			if k, ok := m.slots[name]; ok {
				e.Slots[k] = cells
			}
		}
		if err := trapped(code.Run, p, m.traps, e, 0, len(words)); err != nil {
			return fmt.Errorf("%s.%s: %w", s.Name(), v.name, err)
		}
		for k, w := range words {
			if irType(v.sym) == ir.F32 && w&(1<<31-1) >= math.Float32bits(mostShown) {
				_, err := wordOf(v.sym, s.net.dt, w, eqn.Float, mostShown)
				return fmt.Errorf("%s, synapse %d: %w", s.Name(), b.K0+k, err)
			}
		}
		return f(b.K0, len(words), func(k int) float64 { return value(v.sym, s.net.dt, words[k]) })
	})
}

// synapses resolves an index to synapse numbers, all conns laid end to end.
func (s *Synapses) synapses(w Work, ix any) ([]int, error) {
	switch x := ix.(type) {
	case string:
		e, err := eqn.ParseExpr(s.net.source(x))
		if err != nil {
			return nil, err
		}
		y := &synVar{s: s, name: "condition", sym: &eqn.Symbol{Name: "condition", Kind: eqn.Subexpression, Expr: e, Type: eqn.Boolean}}
		out := []int{}
		err = y.each(w, func(k0, n int, value func(int) float64) error {
			for k := range n {
				if value(k) != 0 {
					out = append(out, k0+k)
				}
			}
			return s.roomFor(w, out)
		})
		return out, err
	case [2]any:
		return s.pairIndex(w, x)
	}
	n, err := s.N(w)
	if err != nil {
		return nil, err
	}
	return positions(w, ix, n, s.Name()+" (synapses)")
}

// roomFor asks for memory for as many chosen synapses again.
func (s *Synapses) roomFor(w Work, chosen []int) error {
	return w.Room(8*int64(len(chosen)), "%s: more than %d chosen synapses", s.Name(), len(chosen))
}

// pairIndex is S.w[i, j].
func (s *Synapses) pairIndex(w Work, x [2]any) ([]int, error) {
	var want [2]map[int]bool
	for e, sp := range []span{s.src, s.tgt} {
		if x[e] == nil {
			continue
		}
		list, err := positions(w, x[e], sp.hi-sp.lo, [2]string{"the source " + s.srcName, "the target " + s.tgtName}[e])
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
		n, err := s.count(w, c)
		if err != nil {
			return nil, err
		}
		err = s.conns[c].proj.Walk(w.Single(), 0, n, 0, func(_ int, b *connect.Columns) error {
			for k := range b.I {
				if (want[0] == nil || want[0][int(b.I[k])]) && (want[1] == nil || want[1][int(b.J[k])]) {
					out = append(out, base+b.K0+k)
				}
			}
			return s.roomFor(w, out)
		})
		if err != nil {
			return nil, err
		}
		base += n
	}
	return out, nil
}

// set assigns to a synaptic variable.
func (v *synVar) set(w Work, ix, x any) error {
	s := v.s
	if _, own := v.sym.Ref.(*synVar); !own || v.sym.ReadOnly {
		return fmt.Errorf("%s.%s cannot be assigned: it is read-only", s.Name(), v.name)
	}
	if len(s.conns) == 0 {
		if v.path != nil && ix == nil {
			if q, ok := x.(Quantity); ok && q.Dim == second { // a delay for all connects to come
				v.later, v.single = column{value: q.Value}, true
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
		return v.setText(w, ix, text)
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
		if v.single {
			v.later = column{value: vals.at(0)}
		}
		return nil
	}
	if ix == nil {
		n, err := s.N(w)
		if err != nil {
			return err
		}
		if vals.len() != n {
			return fmt.Errorf("%s.%s: %d values for %d synapses", s.Name(), v.name, vals.len(), n)
		}
		if err := v.fits(w, n); err != nil {
			return err
		}
		vals.wide = slices.Clone(vals.wide)
		return v.give(w, vals)
	}
	return v.scatter(w, ix, vals)
}

func (v *synVar) setText(w Work, ix any, text string) error {
	s := v.s
	x, err := eqn.ParseExpr(s.net.source(text))
	if err != nil {
		return err
	}
	sc := s.scope(s.net.externals())
	site := "value\x00" + s.net.random.draws(s) + "\x00" + v.name
	if v.path != nil {
		site += "\x00" + v.path.name
	}
	if q, err := eqn.EvalHost(x, sc); err == nil && ix == nil {
		return v.set(w, nil, q)
	}
	z := &lazyExpr{x: x, sc: sc, site: site, visit: s.net.random.visit(site), step: s.net.clock.step, key: s.net.key(), made: len(s.conns), snap: map[*Variable]*image{}, cols: map[*synVar][]column{}}
	for _, old := range append(append([]*synVar(nil), s.vars...), v) {
		z.cols[old] = append([]column(nil), old.cols...)
	}
	// Lower it once now: names and units are checked, values are taken.
	m := s.columnLanes(w, s.net.random, v.name, site, z.visit, sc)
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
	tmp := &synVar{s: s, name: v.name, sym: v.sym, path: v.path}
	for range s.conns {
		tmp.cols = append(tmp.cols, column{lazy: z})
	}
	at, err := s.synapses(w, ix)
	if err != nil {
		return err
	}
	vals, err := tmp.at(w, at)
	if err != nil {
		return err
	}
	return v.scatter(w, at, &list{wide: vals.V})
}

// fits refuses values for each of n synapses that the memory does not hold: 8
// bytes as given, 4 as a device holds them, the table's entries, and what is in use while
// it is made (32 in all, as measured).
func (v *synVar) fits(w Work, n int) error {
	return w.Room(32*int64(n), "%s.%s: a value of its own for each of %d synapses", v.s.Name(), v.name, n)
}

// scatter puts values at chosen synapses, which makes the columns explicit.
func (v *synVar) scatter(w Work, ix any, vals *list) error {
	s := v.s
	total, err := s.N(w)
	if err == nil {
		err = v.fits(w, total)
	}
	if err != nil {
		return err
	}
	at, err := s.synapses(w, ix)
	if err != nil {
		return err
	}
	all, err := v.all(w)
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
	return v.give(w, &list{wide: all.V})
}

// give makes vals, which nobody changes any more, the values of all synapses.
func (v *synVar) give(w Work, vals *list) error {
	words, err := vals.encode(v.sym, v.s.net.dt)
	if err != nil {
		return err
	}
	if v.path == nil {
		vals.words = words
	}
	lo := 0
	for c := range v.cols {
		n, err := v.s.count(w, c)
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

// begin opens the life of the conn made last.
func (w *pathway) begin() {
	w.delay.fill()
	w.open = append(w.open, &life{conn: len(w.open), first: w.delay.s.net.step, last: forever, longest: connect.MaxDelay})
}

// retire ends the lives of a pathway whose delays are about to change, and opens
// those of the spikes to come.
func (w *pathway) retire() {
	s := w.delay.s
	for c, l := range w.open {
		fresh := &life{conn: c, first: l.first, last: forever, longest: connect.MaxDelay}
		if s.ran && l.first < s.net.step {
			l.last, l.delays = s.net.step-1, w.delay.cols[c]
			w.past, fresh.first = append(w.past, l), s.net.step
		}
		w.open[c] = fresh
	}
}

// carried is a life as a plan holds it.
type carried struct {
	life   *life
	delays column
	first  int64
}

// lives lists those of a pathway that can still have effects.
func (w *pathway) lives() []carried {
	s := w.delay.s
	var out []carried
	for _, l := range w.past {
		if l.last+int64(l.longest) >= s.net.step {
			out = append(out, carried{l, l.delays, l.first})
		}
	}
	for c, l := range w.open {
		first := l.first
		if !s.ran {
			first = s.net.step
		}
		out = append(out, carried{l, w.delay.cols[c], first})
	}
	for k, l := range out {
		if l.first+int64(l.life.longest) <= s.net.step { // no older spike is under way
			out[k].first = 0
		}
	}
	return out
}

// settle keeps what a plan that is loaded has found out about the lives of
// pathways, and forgets those whose last effect has been.
func (s *Synapses) settle(longest map[*life]int) {
	for _, w := range s.paths {
		for _, l := range append(w.past[:len(w.past):len(w.past)], w.open...) {
			if d, ok := longest[l]; ok {
				l.longest = d
			}
			if !s.ran {
				l.first = s.net.step
			}
		}
		w.past = slices.DeleteFunc(w.past, func(l *life) bool { return l.last+int64(l.longest) < s.net.step })
	}
}
