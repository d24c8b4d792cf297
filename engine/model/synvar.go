package model

import (
	"fmt"
	"math"
	"slices"

	"synfire/engine/connect"
	"synfire/engine/eqn"
	"synfire/engine/ir"
	"synfire/engine/vm"
)

// ofSynapses is what the synapses of each connect call hold.
type ofSynapses struct {
	v *Variable
	w Work
}

func (k *ofSynapses) lanes() (int, error) { return k.v.Syn.N(k.w) }

func (k *ofSynapses) find(ix any) ([]int, error) { return k.v.Syn.synapses(k.w, ix) }

func (k *ofSynapses) free(at []int) ([]int, error) { return at, nil }

func (k *ofSynapses) read(at []int) (Array, error) {
	v := k.v
	if at != nil {
		return v.at(k.w, at)
	}
	all, err := v.all(k.w)
	if err == nil && v.Shared {
		if len(all.V) == 0 && v.later.List == nil && v.later.Lazy == nil {
			all.V = []float64{v.later.Value} // before the first connect
		}
		all.V = all.V[:min(1, len(all.V))]
	}
	return all, err
}

// at is the values of chosen synapses.
func (v *Variable) at(w Work, at []int) (Array, error) {
	out := Array{Dim: v.Symbol.Dim}
	if err := w.Room(16*int64(len(at)), "%s.%s: %d values", v.Syn.Name(), v.Name, len(at)); err != nil {
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

func (v *Variable) all(w Work) (Array, error) {
	out := Array{Dim: v.Symbol.Dim}
	n, err := v.Syn.N(w)
	if err == nil {
		err = w.Room(8*int64(n), "%s.%s: the values of %d synapses", v.Syn.Name(), v.Name, n)
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
func (v *Variable) each(w Work, f func(k0, n int, value func(k int) float64) error) error {
	base := 0
	for c := range v.Syn.Conns {
		n, err := v.Syn.Count(w, c)
		if err == nil {
			err = v.block(w, c, n, v.Driven != nil, func(k0, n int, value func(int) float64) error { return f(base+k0, n, value) })
		}
		if err != nil {
			return err
		}
		base += n
	}
	return nil
}

// ConnWords are the values of one conn's synapses as a device holds them.
func (v *Variable) ConnWords(w Work, c int) ([]uint32, error) {
	h := v.Col(c)
	if l, err := h.List.home(); err != nil || l != nil && l.words != nil {
		if err != nil {
			return nil, err
		}
		return l.words, nil
	}
	n, err := v.Syn.Count(w, c)
	if err == nil && h.Near != nil {
		return h.Near.expand(w, v.Syn.Conns[c].Proj, n)
	}
	if word, ok := v.Uniform(c); err == nil && ok {
		if err := w.Room(4*int64(n), "%s.%s: the values of %d synapses", v.Syn.Name(), v.Name, n); err != nil {
			return nil, err
		}
		words := make([]uint32, n)
		for k := range words {
			words[k] = word
		}
		return words, nil
	}
	if err == nil {
		err = w.Room(4*int64(n), "%s.%s: the values of %d synapses", v.Syn.Name(), v.Name, n)
	}
	if err != nil {
		return nil, err
	}
	out := make([]uint32, n)
	return out, v.encoded(w, c, n, func(k0 int, words []uint32) error {
		copy(out[k0:], words)
		return nil
	})
}

// encoded calls take with the words of one conn's n synapses, in order, some at a time.
func (v *Variable) encoded(w Work, c, n int, take func(k0 int, words []uint32) error) error {
	scale, float := v.Symbol.Dim.Scale(), IrType(v.Symbol) == ir.F32
	var out []uint32
	return v.block(w, c, n, false, func(k0, n int, value func(int) float64) error {
		out = slices.Grow(out[:0], n)[:n]
		for k := range out {
			word, ok := uint32(0), false
			if x := value(k); float {
				word, ok = single(x / scale)
			}
			if !ok {
				var err error
				if word, err = Encode(v.Symbol, v.Dt(), value(k)); err != nil {
					return err
				}
			}
			out[k] = word
		}
		return take(k0, out)
	})
}

// block is each of one conn's n synapses; with shown, of an event-driven variable
// the values at the synapses' last events, where Brian2 leaves them.
func (v *Variable) block(w Work, c, n int, shown bool, f func(k0, n int, value func(k int) float64) error) error {
	s := v.Syn
	s.fetch()
	const span = 1 << 16
	col := v.Col(c)
	var err error
	if col.List, err = col.List.home(); err != nil {
		return err
	}
	_, stored := v.Symbol.Ref.(*Variable)
	if stored && v.Symbol.Kind == eqn.Variable && col.Lazy == nil && col.Near == nil && !shown {
		for k0 := 0; k0 < n; k0 += span {
			if err := w.Err(); err != nil {
				return err
			}
			value := func(int) float64 { return col.Value }
			if col.List != nil {
				value = func(k int) float64 { return col.List.At(k0 + k) }
			}
			if err := f(k0, min(span, n-k0), value); err != nil {
				return err
			}
		}
		return nil
	}
	if v.path != nil && col.Lazy != nil {
		l, err := col.Lazy.Exact(s, func() *ColumnLanes {
			m := s.ColumnLanes(w, s.Net.Random, v.Name, "read", 0, col.Lazy.sc)
			m.Conn = c
			return m
		})
		if err != nil {
			return err
		}
		if l != nil {
			return l.block(w, s.Conns[c].Proj, n, f)
		}
	}
	sc := s.Scope(s.Net.Externals())
	m := s.ColumnLanes(w, s.Net.Random, v.Name, "read", 0, sc)
	m.Conn = c
	var x ir.Value
	switch {
	case shown:
		x, err = m.shown(v)
	case stored && v.Symbol.Kind == eqn.Variable:
		x = m.column(v)
	case v.Symbol.Steps: // lastupdate, or a neuron's
		x = m.Load(v.Symbol)
	default:
		var typ eqn.Type
		if x, typ, _, err = eqn.LowerExpr(m.B, &eqn.Name{ID: v.Name, Sym: v.Symbol}, sc, m); err == nil {
			x = As(m.B, x, typ, v.Symbol)
		}
	}
	if err == nil {
		err = m.Err
	}
	if err != nil {
		return sc.Explain(err)
	}
	m.Out(x, IrType(v.Symbol))
	p, err := m.B.Prog()
	if err != nil {
		return err
	}
	code, err := vm.Compile(p)
	if err != nil {
		return err
	}
	var words []uint32
	return s.Conns[c].Proj.Walk(w.Single(), 0, n, 0, func(_ int, b *connect.Columns) error {
		words = slices.Grow(words[:0], len(b.I))[:len(b.I)]
		e := &ir.Env{Slots: m.Data(), Seed: s.Conns[c].Proj.Seed, Lane0: uint32(b.K0)}
		for name, cells := range map[string][]uint32{"i": b.I, "j": b.J, "out": words} {
			if k, ok := m.Slots[name]; ok {
				e.Slots[k] = cells
			}
		}
		some := trapped(code.Run, p, m.Traps, e, 0, len(words)) // is it one that is asked for?
		var refused error
		err := f(b.K0, len(words), func(k int) float64 {
			if refused == nil && some != nil {
				if err := trappedAt(p, m.Traps, e, k); err != nil {
					refused = fmt.Errorf("%s.%s: %w", s.Name(), v.Name, err)
				}
			}
			if refused == nil && IrType(v.Symbol) == ir.F32 && words[k]&(1<<31-1) >= math.Float32bits(MostShown) {
				_, err := WordOf(v.Symbol, v.Dt(), words[k], eqn.Float, MostShown)
				refused = fmt.Errorf("%s, synapse %d: %w", s.Name(), b.K0+k, err)
			}
			return Value(v.Symbol, v.Dt(), words[k])
		})
		if err == nil {
			err = refused
		}
		return err
	})
}

// synapses resolves an index to synapse numbers, all conns laid end to end.
func (s *Synapses) synapses(w Work, ix any) ([]int, error) {
	switch x := ix.(type) {
	case string:
		e, err := eqn.ParseExpr(s.Net.source(x))
		if err != nil {
			return nil, err
		}
		y := &Variable{Syn: s, Name: "condition", Symbol: &eqn.Symbol{Name: "condition", Kind: eqn.Subexpression, Expr: e, Type: eqn.Boolean}}
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
	case [3]any:
		return s.numberIndex(w, x)
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
	for e, sp := range []Span{s.Src, s.Tgt} {
		if x[e] == nil {
			continue
		}
		list, err := positions(w, x[e], sp.Hi-sp.Lo, [2]string{"the source " + s.srcName, "the target " + s.tgtName}[e])
		if err != nil {
			return nil, err
		}
		want[e] = map[int]bool{}
		for _, k := range list {
			want[e][k] = true
		}
	}
	out, base := []int{}, 0
	for c := range s.Conns {
		n, err := s.Count(w, c)
		if err != nil {
			return nil, err
		}
		err = s.Conns[c].Proj.Walk(w.Single(), 0, n, 0, func(_ int, b *connect.Columns) error {
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

// numberIndex is S.w[i, j, k]: of the synapses of a pair the kth, by multisynaptic_index.
func (s *Synapses) numberIndex(w Work, x [3]any) ([]int, error) {
	some, err := s.pairIndex(w, [2]any{x[0], x[1]})
	if err != nil || x[2] == nil {
		return some, err
	}
	most, err := s.PerPair(w)
	if err != nil {
		return nil, err
	}
	list, err := positions(w, x[2], most, "each pair of "+s.Name()+" at most")
	if err != nil {
		return nil, err
	}
	want := make([]bool, most)
	for _, k := range list {
		want[k] = true
	}
	out, next := []int{}, 0
	err = s.number.each(w, func(k0, n int, value func(int) float64) error {
		for ; next < len(some) && some[next] < k0+n; next++ {
			if want[int(value(some[next]-k0))] {
				out = append(out, some[next])
			}
		}
		return nil
	})
	return out, err
}

// PerPair is the most synapses that a pair of neurons has, by multisynaptic_index.
func (s *Synapses) PerPair(w Work) (int, error) {
	if s.number == nil {
		return 0, fmt.Errorf("%s: a third index is the number of a synapse among those of its pair: give Synapses(..., multisynaptic_index='k')", s.Name())
	}
	most := 0
	err := s.number.each(w, func(_, n int, value func(int) float64) error {
		for k := range n {
			most = max(most, int(value(k))+1)
		}
		return nil
	})
	return most, err
}

// open makes the columns explicit. A delay given before the first connect is that of
// all to come.
func (k *ofSynapses) open(all bool, x any) (done bool, err error) {
	v, s := k.v, k.v.Syn
	_, own := v.Symbol.Ref.(*Variable)
	if err := v.assignable(own); err != nil {
		return false, err
	}
	if len(s.Conns) == 0 {
		if q, ok := x.(Quantity); ok && v.path != nil && all && q.Dim == Second {
			v.later, v.single = Held{Value: q.Value}, true
			return true, nil
		}
		return false, fmt.Errorf("%s.%s: call connect before assigning", s.Name(), v.Name)
	}
	if v.path != nil {
		v.path.retire()
	}
	v.fill()
	return false, v.bringUp(k.w)
}

func (k *ofSynapses) store(at []int, vals *list) error {
	v := k.v
	if err := v.clearSecond(k.w, at); err != nil {
		return err
	}
	if at != nil {
		return v.scatter(k.w, at, vals)
	}
	if vals.Len() == 1 {
		if _, err := Encode(v.Symbol, v.Dt(), vals.At(0)); err != nil {
			return err
		}
		for c := range v.cols {
			v.cols[c] = Held{Value: vals.At(0)}
		}
		if v.single {
			v.later = Held{Value: vals.At(0)}
		}
		return nil
	}
	n, err := v.Syn.N(k.w)
	if err == nil {
		err = v.suits(vals, n)
	}
	if err == nil {
		err = v.fits(k.w, n)
	}
	if err != nil {
		return err
	}
	vals.wide = slices.Clone(vals.wide)
	return v.give(k.w, vals)
}

// storeText keeps the expression, where it stands for all synapses and depends on
// nothing that a run changes, until its values are needed.
func (k *ofSynapses) storeText(chosen []int, all bool, x eqn.Expr) error {
	v, w, s := k.v, k.w, k.v.Syn
	sc := s.Scope(s.Net.Externals())
	if v.Shared {
		if err := eqn.CheckShared(v.Name, x, sc); err != nil {
			return sc.Explain(err)
		}
	}
	site := "value\x00" + s.Net.Random.Draws(s) + "\x00" + v.Name
	if v.path != nil {
		site += "\x00" + v.path.Name
	}
	if q, err := eqn.EvalHost(x, sc); err == nil && all {
		values, err := v.given(q)
		if err != nil {
			return err
		}
		return k.store(nil, values)
	}
	if err := v.clearSecond(w, chosen); err != nil {
		return err
	}
	z := &lazyExpr{x: x, sc: sc, site: site, visit: s.Net.Random.visit(site), step: s.now(), key: s.Net.networkKey(), made: len(s.Conns), snap: map[*Variable]*Image{}, cols: map[*Variable][]Held{}}
	for _, old := range append(append([]*Variable(nil), s.Vars...), v) {
		z.cols[old] = append([]Held(nil), old.cols...)
	}
	// Lower it once now: names and units are checked, values are taken.
	m := s.ColumnLanes(w, s.Net.Random, v.Name, site, z.visit, sc)
	if _, err := z.Lower(m, v.Symbol); err != nil {
		return err
	}
	if m.Err != nil {
		return m.Err
	}
	if all && !slices.ContainsFunc(s.uses(x), (*Variable).live) {
		for c := range v.cols {
			v.cols[c] = Held{Lazy: z}
		}
		return nil
	}
	tmp := &Variable{Syn: s, Name: v.Name, Symbol: v.Symbol, path: v.path}
	for range s.Conns {
		tmp.cols = append(tmp.cols, Held{Lazy: z})
	}
	if all { // what a later run will change is read now
		vals, err := tmp.all(w)
		if err != nil {
			return err
		}
		return v.give(w, &list{wide: vals.V})
	}
	vals, err := tmp.at(w, chosen)
	if err != nil {
		return err
	}
	return v.scatter(w, chosen, &list{wide: vals.V})
}

// fits refuses values for each of n synapses that the memory does not hold: 8
// bytes as given, 4 as a device holds them, the table's entries, and what is in use while
// it is made (32 in all, as measured).
func (v *Variable) fits(w Work, n int) error {
	return w.Room(32*int64(n), "%s.%s: a value of its own for each of %d synapses", v.Syn.Name(), v.Name, n)
}

// scatter puts values at chosen synapses, which makes the columns explicit.
func (v *Variable) scatter(w Work, at []int, vals *list) error {
	s := v.Syn
	total, err := s.N(w)
	if err == nil {
		err = v.fits(w, total)
	}
	if err != nil {
		return err
	}
	all, err := v.all(w)
	if err != nil {
		return err
	}
	n := vals.Len()
	if err := v.suits(vals, len(at)); err != nil {
		return err
	}
	for k, p := range at {
		all.V[p] = vals.At(min(k, n-1))
	}
	return v.give(w, &list{wide: all.V})
}

// give makes vals, which nobody changes any more, the values of all synapses.
func (v *Variable) give(w Work, vals *list) error {
	words, err := vals.encode(v.Symbol, v.Dt())
	if err != nil {
		return err
	}
	if v.path == nil {
		vals.words = words
	}
	lo := 0
	for c := range v.cols {
		n, err := v.Syn.Count(w, c)
		if err != nil {
			return err
		}
		v.cols[c] = Held{}
		if n > 0 {
			v.cols[c].List = vals.cut(lo, lo+n)
		}
		lo += n
	}
	return nil
}

// begin opens the life of the conn made last.
func (w *Path) begin() {
	w.Delay.fill()
	w.open = append(w.open, &Life{Conn: len(w.open), first: w.Delay.Syn.Net.Step, Last: forever, longest: connect.MaxDelay})
}

// retire ends the lives of a pathway whose delays are about to change, and opens
// those of the spikes to come.
func (w *Path) retire() {
	s := w.Delay.Syn
	for c, l := range w.open {
		fresh := &Life{Conn: c, first: l.first, Last: forever, longest: connect.MaxDelay}
		if w.carries() && l.first < s.Net.Step {
			l.Last, l.delays = s.Net.Step-1, w.Delay.cols[c]
			w.past, fresh.first = append(w.past, l), s.Net.Step
		}
		w.open[c] = fresh
	}
}

// Carried is a life as a plan holds it.
type Carried struct {
	Life   *Life // what is carried
	Delays Held  // of its synapses
	First  int64 // the first step whose spikes it carries
}

// Lives lists those of a pathway that can still have effects.
func (w *Path) Lives() []Carried {
	s := w.Delay.Syn
	var out []Carried
	for _, l := range w.past {
		if l.Last+int64(l.longest) >= s.Net.Step {
			out = append(out, Carried{l, l.delays, l.first})
		}
	}
	for c, l := range w.open {
		first := l.first
		if !w.carries() {
			first = s.Net.Step
		}
		out = append(out, Carried{l, w.Delay.cols[c], first})
	}
	for k, l := range out {
		if l.First+int64(l.Life.longest) <= s.Net.Step { // no older spike is under way
			out[k].First = 0
		}
	}
	return out
}

// Settle keeps what a plan that is loaded has found out about the lives of
// pathways, and forgets those whose last effect has been.
func (s *Synapses) Settle(longest map[*Life]int) {
	for _, w := range s.Paths {
		for _, l := range append(w.past[:len(w.past):len(w.past)], w.open...) {
			if d, ok := longest[l]; ok {
				l.longest = d
			}
			if !w.carries() {
				l.first = s.Net.Step
			}
		}
		w.past = slices.DeleteFunc(w.past, func(l *Life) bool { return l.Last+int64(l.longest) < s.Net.Step })
		w.rest()
	}
}
