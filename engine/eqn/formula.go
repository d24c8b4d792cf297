package eqn

import "slices"

// formula writes out a call of a function that is an expression.
func (b *binder) formula(e *Call, sym *Symbol) (Expr, error) {
	f := sym.Formula
	switch {
	case len(e.Args) != len(f.Params):
		return nil, At(e.At, "", "%s() takes %s, got %d", e.Func, plural(len(f.Params), "argument"), len(e.Args))
	case slices.Contains(b.within, sym):
		return nil, At(e.At, "", "the functions %s call each other in a circle", circle(b.within, sym))
	case len(b.within) > maxDepth:
		return nil, At(e.At, "", "functions are nested more than %d deep", maxDepth)
	}
	locals := map[string]Expr{}
	for k, a := range e.Args {
		x, err := b.bind(a)
		if err != nil {
			return nil, err
		}
		if err := fits(x, f.Units[k], a.Pos(), "'"+f.Params[k]+"' of "+e.Func+"()"); err != nil {
			return nil, err
		}
		uses := 0
		walk(f.Body, func(y Expr) {
			if n, ok := y.(*Name); ok && n.ID == f.Params[k] {
				uses++
			}
		})
		if uses > 1 && draws(x) {
			return nil, At(a.Pos(), "give the number to a variable first", "'%s' of %s() is drawn at random, and the function uses it %d times", f.Params[k], e.Func, uses)
		}
		locals[f.Params[k]] = x
	}
	inner := &binder{sc: f.Names, locals: locals, nodes: b.nodes, within: append(slices.Clone(b.within), sym)}
	x, err := inner.bind(f.Body)
	if err != nil {
		return nil, err
	}
	return x, fits(x, f.Units[len(f.Params)], e.At, "what "+e.Func+"() gives")
}

// fits fails if an expression is not of a unit.
func fits(x Expr, unit *Dim, at Pos, what string) error {
	if unit == nil {
		return nil
	}
	d, _, err := check(x)
	if err != nil {
		return err
	}
	if d != *unit && !zero(x) {
		return At(at, "", "%s has the unit %s, not %s", what, *unit, d).Of(Dimension)
	}
	return nil
}

// zero says that an expression is the number 0, which has any unit.
func zero(x Expr) bool {
	n, ok := x.(*Num)
	return ok && n.Value == 0
}

// draws says that an expression draws random numbers.
func draws(e Expr) bool {
	found := false
	walk(e, func(x Expr) {
		c, ok := x.(*Call)
		found = found || ok && c.Sym != nil && functions[c.Sym.Name].random
	})
	return found
}
