package eqn

import (
	"slices"
	"strings"
)

// assign is a bound statement: "=" sets, "+=" adds an increment to a variable.
type assign struct {
	sym *Symbol
	op  string
	x   Expr
	at  Pos
}

// bindStmts resolves statements in order. Local variables get Symbols of their
// own, a new one for each assignment, so that their types may differ; locals
// that depend on constants and time alone are written out where they are used.
func bindStmts(stmts []Stmt, sc Scope) ([]assign, error) {
	b := &binder{sc: sc, locals: map[string]Expr{}}
	var list []assign
	for _, s := range stmts {
		x, err := b.bind(s.X)
		if err != nil {
			return nil, err
		}
		sym, err := b.target(s)
		if err != nil {
			return nil, err
		}
		op := s.Op
		if op != "=" && (sym == nil || op != "+=" && op != "-=") {
			left, err := b.bind(s.Target)
			if err != nil {
				return nil, err
			}
			x, op = &Binary{At: s.Target.At, Op: strings.TrimSuffix(op, "="), X: left, Y: x}, "="
		}
		if op == "-=" {
			x, op = &Unary{At: x.Pos(), Op: "-", X: x}, "+="
		}
		d, t, err := check(x)
		if err != nil {
			return nil, err
		}
		if sym == nil {
			if old, ok := b.locals[s.Target.ID]; ok {
				if was, _, _ := check(old); was != d {
					return nil, At(s.Target.At, "use another name", "'%s' has had unit %s so far; now it would have %s", s.Target.ID, was, d).Of(Dimension)
				}
			}
			if classOf(x) <= isHost {
				b.locals[s.Target.ID] = x
				continue
			}
			sym = &Symbol{Name: s.Target.ID, Kind: Local, Dim: d, Type: t}
			b.locals[s.Target.ID] = &Name{s.Target.At, s.Target.ID, sym}
		} else if d != sym.Dim {
			return nil, At(s.Target.At, "", "'%s' has unit %s, but '%s' has unit %s", s.Target.ID, sym.Dim, x, d).Of(Dimension)
		}
		if sym.Shared && sym.Kind == Variable && !sharedValue(x) {
			return nil, notShared(s.Target.At, s.Target.ID, s.X)
		}
		list = append(list, assign{sym, op, x, s.Target.At})
	}
	return list, nil
}

// target is the variable that a statement sets; nil for a local one.
func (b *binder) target(s Stmt) (*Symbol, error) {
	n := s.Target
	sym := n.Sym
	if sym == nil {
		if _, ok := b.locals[n.ID]; ok {
			return nil, nil
		}
		sym = b.sc.Resolve(n.ID)
	}
	switch {
	case sym != nil && sym.Kind == Local: // of a Scheme
		return sym, nil
	case sym == nil || sym.Kind == Constant && !sym.ReadOnly:
		if slices.Contains(keywords, n.ID) || sym == nil && s.Op != "=" {
			var names []string
			for _, m := range b.sc.Names() {
				if v := b.sc.Resolve(m); v != nil && v.Kind == Variable && !v.ReadOnly {
					names = append(names, m)
				}
			}
			return nil, At(n.At, Nearest(n.ID, names), "unknown variable '%s'", n.ID).Of(UnknownName)
		}
		return nil, nil
	case sym.Kind == Subexpression:
		return nil, At(n.At, "", "'%s' is a subexpression and cannot be assigned to", n.ID)
	case sym.Kind != Variable || sym.ReadOnly:
		return nil, At(n.At, "", "'%s' cannot be assigned to", n.ID)
	case sym.Constant:
		return nil, At(n.At, "", "'%s' is declared (constant): statements cannot change it during a run", n.ID)
	}
	return sym, nil
}

func notShared(at Pos, name string, e Expr) error {
	return At(at, "", "the shared variable '%s' cannot be set from '%s', which differs between neurons", name, e)
}

// sharedValue says that a bound expression is the same for all lanes.
func sharedValue(e Expr) bool {
	ok := true
	walk(e, func(x Expr) {
		if n, is := x.(*Name); is && n.Sym != nil && n.Sym.Kind == Variable && !n.Sym.Shared {
			ok = false
		}
	})
	return ok
}

// CheckStatements checks units and assignability of statements, as Brian2 does.
func CheckStatements(stmts []Stmt, sc Scope) error {
	_, err := bindStmts(stmts, sc)
	return err
}

// CheckEquations checks each equation against its declared unit and type, the
// use of xi, and that subexpressions do not depend on each other in a circle.
// allowed names the flags that the object takes for each kind of equation; nil
// allows all. sc resolves the model's own names too.
func CheckEquations(eqs *Equations, sc Scope, allowed map[EqKind][]string) error {
	var xi *Equation
	for _, q := range eqs.List {
		if err := checkFlags(q, allowed); err != nil {
			return err
		}
		if q.X == nil {
			continue
		}
		b := &binder{sc: sc}
		if q.Kind == Differential {
			b.noise = map[string]*Symbol{}
		} else if sym := sc.Resolve(q.Name); sym != nil && sym.Kind == Subexpression {
			b.within = []*Symbol{sym}
		}
		x, err := b.bind(q.X)
		if err != nil {
			return err
		}
		if b.noise["xi"] != nil {
			if xi != nil {
				return At(q.At, "name them xi_..., the same name for the same noise", "'xi' stands in the equations of '%s' and '%s'", xi.Name, q.Name)
			}
			xi = q
		}
		d, t, err := check(x)
		if err != nil {
			return err
		}
		want := q.Dim
		if q.Kind == Differential {
			want = want.Div(base(Second))
		}
		switch {
		case d != want:
			return At(q.At, "", "the %s of '%s' should have unit %s, but '%s' has unit %s", q.Kind, q.Name, want, q.X, d).Of(Dimension)
		case q.Type == Boolean && t != Boolean:
			return At(q.At, "", "'%s' is boolean, but '%s' is a %s", q.Name, q.X, t)
		case q.Type != Boolean && t == Boolean:
			return At(q.At, "write ': boolean', or int(...)", "'%s' is a truth value, but '%s' is declared as a number", q.X, q.Name)
		}
	}
	return nil
}

func checkFlags(q *Equation, allowed map[EqKind][]string) error {
	for _, f := range q.Flags {
		if allowed != nil && !slices.Contains(allowed[q.Kind], f) {
			hint := "a " + q.Kind.String() + " takes no flags here"
			if len(allowed[q.Kind]) > 0 {
				hint = "allowed here: " + strings.Join(allowed[q.Kind], ", ")
			}
			return At(q.At, hint, "the %s of '%s' cannot have the flag '%s'", q.Kind, q.Name, f)
		}
	}
	for _, pair := range [][2]string{{"event-driven", "clock-driven"}, {"shared", "event-driven"}, {"constant", "linked"}} {
		if q.Has(pair[0]) && q.Has(pair[1]) {
			return At(q.At, "", "the flags '%s' and '%s' of '%s' exclude each other", pair[0], pair[1], q.Name)
		}
	}
	return nil
}
