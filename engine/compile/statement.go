package compile

import (
	"slices"

	"synfire/engine/eqn"
	"synfire/engine/model"
)

// statement is a statement of a pathway, for the synapses of one connect call while
// they have one set of delays.
type statement struct {
	path *model.Path
	model.Carried
	locals []eqn.Stmt // what the pathway works out before it
	eqn.Stmt
	to *eqn.Symbol // what it assigns
}

func (s *statement) syn() *model.Synapses { return s.path.Delay.Syn }

func (s *statement) conn() int { return s.Life.Conn }

func (s *statement) ref() model.EndRef { return s.to.Ref.(model.EndRef) }

// end is the neurons of one end.
func (s *statement) end(post bool) model.Span {
	if post {
		return s.syn().Tgt
	}
	return s.syn().Src
}

// code is the statement with what it needs, assigning to target.
func (s *statement) code(target *eqn.Symbol) []eqn.Stmt {
	last := s.Stmt
	last.Target = &eqn.Name{At: s.Target.At, ID: s.Target.ID, Sym: target}
	code, names := []eqn.Stmt{last}, eqn.Identifiers(last.X)
	for _, local := range slices.Backward(s.locals) {
		if slices.Contains(names, local.Target.ID) {
			code, names = append(code, local), append(names, eqn.Identifiers(local.X)...)
		}
	}
	slices.Reverse(code)
	return code
}

// pathScope is the names of code of synapses, or of their equations (nil), for one
// connect call: variables of the synapses that have one value are constants.
func (c *compiler) pathScope(s *model.Synapses, k int, code []eqn.Stmt) *model.Scope {
	sc := s.Scope(c.ext).Within(code)
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
			if c.learned[r] != nil || c.written[r] {
				f.Constant = r.Equation != nil && r.Equation.Has("constant") // which assigning is told
				f.TwoWords = c.learned[r] != nil && c.learned[r].low != nil
				break
			}
			f.ReadOnly = true
			if k < 0 {
				f.ReadOnly = false
				break
			}
			f.Constant = false
			if _, ok := r.Uniform(k); ok {
				f.Kind, f.Value = eqn.Constant, r.Col(k).Value
			}
		case model.EndRef:
			m := c.image(r.Var).Sym
			f.ReadOnly, f.Steps, f.TwoWords = m.ReadOnly, m.Steps, m.TwoWords
			if c.changes(r.Var) || c.learned[r.Var.Mirror] != nil || r.Var.Builtin {
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

// learning says whether a pathway reads or assigns what its synapses keep of
// their own and a run changes.
func (c *compiler) learning(w *model.Path, sc eqn.Scope) bool {
	s := w.Delay.Syn
	if w.Last != nil {
		return true
	}
	for _, st := range w.Code {
		n := needs{reads: map[*model.Variable]bool{}}
		c.dependsOn(st.X, sc, nil, &n)
		if v := s.ByName[st.Target.ID]; v != nil && c.learned[v] != nil {
			return true
		}
		for v := range n.reads {
			if c.learned[v] != nil {
				return true
			}
		}
	}
	return false
}

// scopeWithout is a scope that does not know the variables of a set of event-driven
// equations: what their equations depend on beside one another.
func scopeWithout(sc eqn.Scope, d *model.Driven) eqn.Scope {
	return &eqn.Renamed{Scope: sc, Means: func(name string) *eqn.Symbol {
		if slices.ContainsFunc(d.Vars, func(v *model.Variable) bool { return v.Name == name }) {
			return nil
		}
		return sc.Resolve(name)
	}}
}

func (c *compiler) dependsOn(x eqn.Expr, sc eqn.Scope, locals []eqn.Stmt, n *needs) {
	for _, id := range eqn.Identifiers(x) {
		local := false
		for k, l := range locals {
			if l.Target.ID == id {
				c.dependsOn(l.X, sc, locals[:k], n)
				local = true
			}
		}
		if local {
			continue
		}
		y := sc.Resolve(id)
		switch {
		case y == nil:
		case y.Kind == eqn.Time, y.Kind == eqn.Timed, y.Binomial != nil, y.Kind == eqn.Function && (id == "rand" || id == "randn" || id == "poisson"):
			n.changes = true
		case y.Kind == eqn.Subexpression:
			inner := sc
			if y.Scope != nil {
				inner = y.Scope
			}
			c.dependsOn(y.Expr, inner, nil, n)
		case y.Kind == eqn.Variable:
			if r, ok := y.Ref.(model.EndRef); ok && !r.Var.Builtin {
				n.reads[r.Var] = true
				if r.Var.Mirror != nil {
					n.reads[r.Var.Mirror] = true
				}
				if to, _ := r.Var.Shown(); to != nil {
					n.reads[to] = true
				}
				n.changes = n.changes || !y.Constant
			}
			if v, ok := y.Ref.(*model.Variable); ok && c.learned[v] != nil {
				n.reads[v], n.changes = true, true
				if d := v.Driven; d != nil {
					for _, e := range append(slices.Clone(d.Vars), d.Since) {
						n.reads[e] = true
					}
					for _, e := range d.Vars {
						c.dependsOn(e.Equation.X, scopeWithout(sc, d), nil, n)
					}
				}
			}
			if r, ok := y.Ref.(model.LastRef); ok {
				n.changes = true
				for _, w := range r.S.Paths {
					n.reads[w.Last] = true
				}
			}
		}
	}
}

// An assignment whose value is the same for all synapses at a neuron, since it
// depends on what belongs to that neuron, does not depend on their order: it is
// done once for each neuron at which a synapse is due (assign).

// sameForAll says whether a value depends only on constants, time and other
// variables of the end at which target stands.
func sameForAll(x eqn.Expr, sc eqn.Scope, locals []eqn.Stmt, target model.EndRef) bool {
	return settledBy(x, sc, locals, func(ref any) bool {
		switch r := ref.(type) {
		case model.EndRef:
			return r.Var != target.Var && (r.Post == target.Post || r.Var.Shared)
		case model.IndexRef:
			return (r.Name == "j") == target.Post
		}
		return false
	})
}

// settledBy says whether a value depends on nothing but constants, time and the
// variables that known takes, through local variables and subexpressions; known gets
// the Ref of each variable. What is drawn depends on more.
func settledBy(x eqn.Expr, sc eqn.Scope, locals []eqn.Stmt, known func(ref any) bool) bool {
	for _, id := range eqn.Identifiers(x) {
		if k := lastOf(locals, id); k >= 0 {
			if !settledBy(locals[k].X, sc, locals[:k], known) {
				return false
			}
			continue
		}
		y := sc.Resolve(id)
		if y == nil {
			return false
		}
		ok := true
		switch y.Kind {
		case eqn.Constant, eqn.Time, eqn.Timed:
		case eqn.Function:
			ok = !eqn.IsRandom(id)
		case eqn.Subexpression:
			inner := sc
			if y.Scope != nil {
				inner = y.Scope
			}
			ok = settledBy(y.Expr, inner, nil, known)
		default:
			ok = known(y.Ref)
		}
		if !ok {
			return false
		}
	}
	return true
}

func lastOf(locals []eqn.Stmt, id string) int {
	for k := len(locals) - 1; k >= 0; k-- {
		if locals[k].Target.ID == id {
			return k
		}
	}
	return -1
}
