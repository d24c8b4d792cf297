package python

import (
	"slices"

	"go.starlark.net/syntax"
)

// Starlark settles what a name means before a script runs, for the whole file:
// functions cannot assign to the file's names, and a name that the file assigns
// anywhere is its own everywhere. Here Python's rules are put in the tree's place.

// scope is a function, a comprehension or the file.
type scope struct {
	around   *scope // nil of the file
	bound    map[string]bool
	declared map[string]bool // global
}

// walk goes through the tree as it runs.
type walk struct {
	*scope
	use, bind func(*syntax.Ident, *scope)
	of        map[*syntax.DefStmt][]string // global statements
}

// global says that a name is the file's, seen from a scope.
func (s *scope) global(name string) bool {
	for ; s.around != nil; s = s.around {
		if s.declared[name] {
			return true
		}
		if s.bound[name] {
			return false
		}
	}
	return true
}

// settle marks the names that functions share with the file by global statements,
// and lets the language's own names be used before the file makes them its own.
func (p *parser) settle(tree *syntax.File) map[*syntax.Ident]bool {
	shared := map[*syntax.Ident]bool{}
	if len(p.globals) > 0 {
		mark := func(id *syntax.Ident, s *scope) {
			if p.globals[id.Name] && s.global(id.Name) {
				shared[id] = true
			}
		}
		w := &walk{scope: &scope{}, use: mark, bind: mark, of: p.declares}
		w.stmts(tree.Stmts)
		p.shareFunctions(&tree.Stmts, shared)
	}
	if p.mods.Predeclared == nil {
		return shared
	}
	assigned, early := map[string]bool{}, map[string]syntax.Position{}
	w := &walk{scope: &scope{}, of: p.declares}
	w.use = func(id *syntax.Ident, s *scope) {
		if _, known := early[id.Name]; !known && !assigned[id.Name] && !shared[id] && s.global(id.Name) && p.mods.Predeclared(id.Name) {
			early[id.Name] = id.NamePos
		}
	}
	w.bind = func(id *syntax.Ident, s *scope) {
		if s.around == nil && !shared[id] {
			assigned[id.Name] = true
		}
	}
	w.stmts(tree.Stmts)
	var first []syntax.Stmt
	for name, at := range early {
		if assigned[name] {
			first = append(first, &syntax.AssignStmt{OpPos: at, Op: syntax.EQ, LHS: &syntax.Ident{NamePos: at, Name: name}, RHS: call(Builtin, at, text(name, at))})
		}
	}
	slices.SortFunc(first, func(a, b syntax.Stmt) int {
		x, y := syntax.Start(a), syntax.Start(b)
		return int(x.Line-y.Line)*1e6 + int(x.Col-y.Col)
	})
	tree.Stmts = append(first, tree.Stmts...)
	return shared
}

// shareFunctions lets def f assign to f where that is shared.
func (p *parser) shareFunctions(list *[]syntax.Stmt, shared map[*syntax.Ident]bool) {
	for k := 0; k < len(*list); k++ {
		switch st := (*list)[k].(type) {
		case *syntax.DefStmt:
			if shared[st.Name] {
				delete(shared, st.Name)
				to := &syntax.Ident{NamePos: st.Name.NamePos, Name: st.Name.Name}
				shared[to] = true
				from := &syntax.Ident{NamePos: st.Name.NamePos, Name: st.Name.Name}
				*list = slices.Insert(*list, k+1, syntax.Stmt(&syntax.AssignStmt{OpPos: st.Def, Op: syntax.EQ, LHS: to, RHS: from}))
				k++
			}
			p.shareFunctions(&st.Body, shared)
		case *syntax.IfStmt:
			p.shareFunctions(&st.True, shared)
			p.shareFunctions(&st.False, shared)
		case *syntax.ForStmt:
			p.shareFunctions(&st.Body, shared)
		case *syntax.WhileStmt:
			p.shareFunctions(&st.Body, shared)
		}
	}
}

func (w *walk) stmts(list []syntax.Stmt) {
	for _, st := range list {
		switch st := st.(type) {
		case *syntax.AssignStmt:
			w.expr(st.RHS)
			if id, ok := st.LHS.(*syntax.Ident); ok && st.Op != syntax.EQ {
				w.use(id, w.scope)
			}
			w.target(st.LHS)
		case *syntax.DefStmt:
			w.defaults(st.Params)
			w.bind(st.Name, w.scope)
			in := &scope{around: w.scope, bound: map[string]bool{}, declared: map[string]bool{}}
			for _, n := range w.of[st] {
				in.declared[n] = true
			}
			for _, id := range params(st.Params) {
				in.bound[id.Name] = true
			}
			bindings(st.Body, in.bound)
			for n := range in.declared {
				delete(in.bound, n)
			}
			w.within(in, func() { w.stmts(st.Body) })
		case *syntax.ExprStmt:
			w.expr(st.X)
		case *syntax.ForStmt:
			w.expr(st.X)
			w.target(st.Vars)
			w.stmts(st.Body)
		case *syntax.WhileStmt:
			w.expr(st.Cond)
			w.stmts(st.Body)
		case *syntax.IfStmt: // a chain of elif is long, not deep
			for next := st; next != nil; {
				w.expr(next.Cond)
				w.stmts(next.True)
				following, chained := (*syntax.IfStmt)(nil), false
				if len(next.False) == 1 {
					following, chained = next.False[0].(*syntax.IfStmt)
				}
				if !chained {
					w.stmts(next.False)
				}
				next = following
			}
		case *syntax.ReturnStmt:
			w.expr(st.Result)
		case *syntax.LoadStmt:
			for _, id := range st.To {
				w.bind(id, w.scope)
			}
		}
	}
}

func (w *walk) within(in *scope, f func()) {
	around := w.scope
	w.scope = in
	f()
	w.scope = around
}

// bindings adds the names that a function's body assigns.
func bindings(list []syntax.Stmt, to map[string]bool) {
	w := &walk{scope: &scope{}, use: func(*syntax.Ident, *scope) {}}
	w.bind = func(id *syntax.Ident, s *scope) {
		if s.around == nil {
			to[id.Name] = true
		}
	}
	w.stmts(list)
}

// params are the names of parameters.
func params(list []syntax.Expr) []*syntax.Ident {
	var r []*syntax.Ident
	for _, e := range list {
		switch x := e.(type) {
		case *syntax.BinaryExpr:
			e = x.X
		case *syntax.UnaryExpr:
			e = x.X
		}
		if id, ok := e.(*syntax.Ident); ok {
			r = append(r, id)
		}
	}
	return r
}

func (w *walk) defaults(list []syntax.Expr) {
	for _, e := range list {
		if b, ok := e.(*syntax.BinaryExpr); ok {
			w.expr(b.Y)
		}
	}
}

func (w *walk) target(e syntax.Expr) {
	switch e := e.(type) {
	case *syntax.Ident:
		w.bind(e, w.scope)
	case *syntax.ParenExpr:
		w.target(e.X)
	case *syntax.TupleExpr:
		w.targets(e.List)
	case *syntax.ListExpr:
		w.targets(e.List)
	default:
		w.expr(e)
	}
}

func (w *walk) targets(list []syntax.Expr) {
	for _, e := range list {
		w.target(e)
	}
}

func (w *walk) exprs(list []syntax.Expr) {
	for _, e := range list {
		w.expr(e)
	}
}

func (w *walk) expr(e syntax.Expr) {
	switch e := e.(type) {
	case *syntax.Ident:
		w.use(e, w.scope)
	case *syntax.BinaryExpr:
		for { // a chain is long, not deep
			if e.Op != syntax.EQ {
				w.expr(e.Y)
			} else {
				w.expr(e.Y)
				return // name=value
			}
			left, ok := e.X.(*syntax.BinaryExpr)
			if !ok {
				break
			}
			e = left
		}
		w.expr(e.X)
	case *syntax.CallExpr:
		w.expr(e.Fn)
		w.exprs(e.Args)
	case *syntax.Comprehension:
		w.comprehension(e)
	case *syntax.CondExpr:
		w.expr(e.Cond)
		w.expr(e.True)
		w.expr(e.False)
	case *syntax.DictEntry:
		w.expr(e.Key)
		w.expr(e.Value)
	case *syntax.DictExpr:
		w.exprs(e.List)
	case *syntax.DotExpr:
		w.expr(e.X)
	case *syntax.IndexExpr:
		w.expr(e.X)
		w.expr(e.Y)
	case *syntax.LambdaExpr:
		w.defaults(e.Params)
		in := &scope{around: w.scope, bound: map[string]bool{}}
		for _, id := range params(e.Params) {
			in.bound[id.Name] = true
		}
		w.within(in, func() { w.expr(e.Body) })
	case *syntax.ListExpr:
		w.exprs(e.List)
	case *syntax.ParenExpr:
		w.expr(e.X)
	case *syntax.SliceExpr:
		w.expr(e.X)
		w.expr(e.Lo)
		w.expr(e.Hi)
		w.expr(e.Step)
	case *syntax.TupleExpr:
		w.exprs(e.List)
	case *syntax.UnaryExpr:
		w.expr(e.X)
	}
}

func (w *walk) comprehension(e *syntax.Comprehension) {
	in := &scope{around: w.scope, bound: map[string]bool{}}
	var names func(e syntax.Expr)
	names = func(e syntax.Expr) {
		if id, ok := e.(*syntax.Ident); ok {
			in.bound[id.Name] = true
		}
		for _, x := range elements(e) {
			names(x)
		}
	}
	for k, c := range e.Clauses {
		switch c := c.(type) {
		case *syntax.ForClause:
			if k == 0 { // the first is worked out outside
				w.expr(c.X)
			} else {
				w.within(in, func() { w.expr(c.X) })
			}
			names(c.Vars)
		case *syntax.IfClause:
			w.within(in, func() { w.expr(c.Cond) })
		}
	}
	w.within(in, func() { w.expr(e.Body) })
}
