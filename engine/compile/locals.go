package compile

import (
	"maps"
	"slices"

	"synfire/engine/eqn"
	"synfire/engine/model"
)

// localsBefore are the local variables that a pathway has worked out before its
// nth statement.
func (c *compiler) localsBefore(w *model.Path, nth int, sc eqn.Scope) []eqn.Stmt {
	var out []eqn.Stmt
	for _, st := range w.Code[:nth] {
		if sc.Resolve(st.Target.ID) == nil {
			out = append(out, st)
		}
	}
	return out
}

// keepLocals finds the local variables of a pathway whose value another piece of
// it needs after the pathway has changed what they were worked out from, and
// which are the same for all synapses of a neuron: they are kept by neuron for as
// long as the step lasts.
func (c *compiler) keepLocals(w *model.Path, sides map[*model.Variable]side) error {
	s, at := w.Delay.Syn, sideOf(w.Post)
	if keepEach != nil {
		return nil
	}
	one, err := c.oneDelay(w)
	if err != nil || !one && !groupable(w) {
		return err
	}
	var path *model.Path
	if !one {
		path = w
	}
	base := c.pathScope(s, -1, w.Code)
	symbols, err := localSymbols(w.Code, base)
	if err != nil {
		return nil // told where the pathway is checked
	}
	for _, name := range slices.Sorted(maps.Keys(symbols)) {
		y := symbols[name]
		late, near := false, true
		for d, st := range w.Code {
			if st.Target.ID != name {
				continue
			}
			locals := c.localsBefore(w, d, base)
			near = near && c.near(s, st.X, base, locals, at, path, sides)
			reads := needs{reads: map[*model.Variable]bool{}}
			c.reads(st.X, base, locals, sides, &reads)
			changed := false
			for _, later := range w.Code[d+1:] {
				late = late || changed && slices.Contains(eqn.Identifiers(later.X), name)
				if to := base.Resolve(later.Target.ID); to != nil && changes(to, reads.reads) {
					changed = true
				}
			}
		}
		if !late || !near {
			continue
		}
		if err := c.keepLocal(w, y, at, path); err != nil {
			return err
		}
	}
	return nil
}

// keepLocal keeps a local variable of a pathway for as long as the step lasts.
func (c *compiler) keepLocal(w *model.Path, y *eqn.Symbol, by side, path *model.Path) error {
	v := &model.Variable{Syn: w.Delay.Syn, Name: w.Name + "#" + y.Name}
	v.Symbol = &eqn.Symbol{Name: y.Name, Kind: eqn.Variable, Dim: y.Dim, Type: y.Type, Ref: v}
	l := &learned{v: v, by: by, temp: true}
	if err := c.group(l, path); err != nil {
		return err
	}
	if err := c.lay(l); err != nil {
		return err
	}
	c.learned[v] = l
	c.Learned = append(c.Learned, l)
	if c.locals[w] == nil {
		c.locals[w] = map[string]*eqn.Symbol{}
	}
	c.locals[w][y.Name] = v.Symbol
	return nil
}

// reads is dependsOn before it is known what is learned.
func (c *compiler) reads(x eqn.Expr, sc eqn.Scope, locals []eqn.Stmt, sides map[*model.Variable]side, n *needs) {
	for _, id := range eqn.Identifiers(x) {
		if k := lastOf(locals, id); k >= 0 {
			c.reads(locals[k].X, sc, locals[:k], sides, n)
			continue
		}
		y := sc.Resolve(id)
		switch {
		case y == nil:
		case y.Kind == eqn.Subexpression && y.Scope == nil:
			c.reads(y.Expr, sc, nil, sides, n)
		case y.Kind == eqn.Variable:
			if v, ok := y.Ref.(*model.Variable); ok {
				n.reads[v] = true
				if v.Driven != nil {
					for _, e := range v.Driven.Vars {
						n.reads[e] = true
					}
				}
			} else if r, ok := y.Ref.(model.EndRef); ok {
				n.reads[r.Var] = true
			}
		}
	}
}

// localSymbols are the local variables of a pathway, with the units and types that
// they have.
func localSymbols(code []eqn.Stmt, base eqn.Scope) (map[string]*eqn.Symbol, error) {
	out := map[string]*eqn.Symbol{}
	sc := &eqn.Renamed{Scope: base, Means: eqn.Before(out, base.Resolve)}
	for _, st := range code {
		if base.Resolve(st.Target.ID) != nil {
			continue
		}
		d, t, err := eqn.Check(st.X, sc)
		if err != nil {
			return nil, err
		}
		if y := out[st.Target.ID]; y != nil && t != y.Type {
			t = eqn.Float
		}
		out[st.Target.ID] = &eqn.Symbol{Name: st.Target.ID, Kind: eqn.Local, Dim: d, Type: t}
	}
	return out, nil
}

// scopeOf is the names of a pathway for one connect call, its kept local variables
// among them.
func (c *compiler) scopeOf(w *model.Path, conn int) *model.Scope {
	sc := c.pathScope(w.Delay.Syn, conn, w.Code)
	sc.Own = eqn.Before(c.locals[w], sc.Own)
	return sc
}

// uses says whether statements of a piece depend on the local variable that the
// dth statement works out, directly or through further ones.
func uses(code []eqn.Stmt, d int, nth []int, sc eqn.Scope) bool {
	names := []string{code[d].Target.ID}
	for n := d + 1; n < len(code); n++ {
		if !slices.ContainsFunc(eqn.Identifiers(code[n].X), func(id string) bool { return slices.Contains(names, id) }) {
			if code[n].Op == "=" { // the name has another value from here on
				names = slices.DeleteFunc(names, func(id string) bool { return id == code[n].Target.ID })
			}
			continue
		}
		if slices.Contains(nth, n) {
			return true
		}
		if sc.Resolve(code[n].Target.ID) == nil {
			names = append(names, code[n].Target.ID)
		}
	}
	return false
}

// keepLate finds the local variables of a pathway that a piece needs after another one
// has changed what they are worked out from: the synapses keep them for as long as the
// step lasts. It says whether there were any.
func (c *compiler) keepLate(w *model.Path, base *model.Scope, of []*piece) (bool, error) {
	var late []string
	for n, st := range w.Code {
		if base.Resolve(st.Target.ID) == nil {
			continue
		}
		need := eqn.Identifiers(st.X)
		for d := n - 1; d >= 0; d-- {
			local := w.Code[d]
			if name := local.Target.ID; base.Resolve(name) != nil || !slices.Contains(need, name) {
				continue
			}
			need = append(need, eqn.Identifiers(local.X)...)
			reads := needs{reads: map[*model.Variable]bool{}}
			c.dependsOn(local.X, base, nil, &reads)
			for k := d + 1; k < n; k++ {
				if y := base.Resolve(w.Code[k].Target.ID); y != nil && of[k] != of[n] && !slices.Contains(late, local.Target.ID) && changes(y, reads.reads) {
					late = append(late, local.Target.ID)
				}
			}
		}
	}
	if len(late) == 0 {
		return false, nil
	}
	symbols, err := localSymbols(w.Code, base)
	if err != nil {
		return false, err
	}
	for _, name := range late {
		if err := c.keepLocal(w, symbols[name], each, nil); err != nil {
			return false, err
		}
	}
	return true, nil
}

// changes says whether assigning y changes one of some variables.
func changes(y *eqn.Symbol, some map[*model.Variable]bool) bool {
	switch r := y.Ref.(type) {
	case *model.Variable:
		return some[r]
	case model.EndRef:
		to, _ := r.Var.Shown()
		return some[r.Var] || r.Var.Mirror != nil && some[r.Var.Mirror] || to != nil && some[to]
	}
	return false
}
