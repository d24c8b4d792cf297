package python

import (
	"strings"

	"go.starlark.net/syntax"
)

// statement reads one line, or one compound statement with its blocks.
func (p *parser) statement(list []syntax.Stmt) []syntax.Stmt {
	p.enter()
	defer p.leave()
	switch {
	case p.tok.kind == newline: // an empty one, behind what has no end of its own
		p.next()
		return list
	case p.tok.kind == indent:
		p.fail(p.tok.at, "", "this line is indented, and nothing before it begins a block")
	case p.is("if"):
		return append(list, p.ifs())
	case p.is("for"):
		at := p.next().at
		f := &syntax.ForStmt{For: at, Vars: p.targets()}
		p.need("in")
		f.X = p.tuple()
		f.Body = p.loop()
		return append(list, f)
	case p.is("while"):
		at := p.next().at
		w := &syntax.WhileStmt{While: at, Cond: p.test()}
		w.Body = p.loop()
		return append(list, w)
	case p.is("def"):
		return append(list, p.def())
	case p.is("@"):
		return p.decorated(list)
	case p.is("with"):
		return p.with(list)
	case p.is("class"), p.is("try"), p.is("async"), p.is("except"), p.is("finally"):
		p.refuse()
	}
	return p.line(list)
}

// line reads simple statements up to the end of their line.
func (p *parser) line(list []syntax.Stmt) []syntax.Stmt {
	for {
		list = p.simple(list)
		if !p.take(";") || p.tok.kind == newline {
			break
		}
	}
	if p.tok.kind != newline && p.tok.kind != end {
		if t := p.tok; p.src[:t.off] != "" && len(list) > 0 {
			if x, ok := list[len(list)-1].(*syntax.ExprStmt); ok {
				if id, ok := x.X.(*syntax.Ident); ok && (id.Name == "print" || id.Name == "exec") {
					p.fail(t.at, "write "+id.Name+"(...)", "%s is a function", id.Name)
				}
			}
		}
		p.unexpected("the end of the line")
	}
	p.next()
	return list
}

// block is what follows a colon.
func (p *parser) block() []syntax.Stmt {
	p.need(":")
	var list []syntax.Stmt
	at := p.tok.at
	if p.tok.kind != newline {
		list = p.line(nil)
	} else {
		p.next()
		if p.tok.kind != indent {
			p.fail(p.tok.at, "write pass where nothing is to be done", "an indented line should follow the colon")
		}
		p.next()
		for p.tok.kind != dedent && p.tok.kind != end {
			list = p.statement(list)
		}
		if p.tok.kind == dedent {
			p.next()
		}
	}
	if len(list) == 0 { // nothing but declarations
		list = append(list, &syntax.BranchStmt{Token: syntax.PASS, TokenPos: at})
	}
	return list
}

func (p *parser) loop() []syntax.Stmt {
	b := p.block()
	if p.is("else") {
		p.fail(p.tok.at, "set a variable where the loop breaks, and ask it", "a loop has no else here")
	}
	return b
}

// with is with a as x, b: its block, behind the assignments. What may stand there is asked when it runs.
func (p *parser) with(list []syntax.Stmt) []syntax.Stmt {
	p.next()
	for {
		at := p.tok.at
		x := call(With, at, p.test())
		if p.is("as") {
			as := p.next().at
			target := p.ident()
			list = append(list, &syntax.AssignStmt{OpPos: as, Op: syntax.EQ, LHS: target, RHS: x})
		} else {
			list = append(list, &syntax.ExprStmt{X: x})
		}
		if !p.take(",") {
			return append(list, p.block()...)
		}
	}
}

func (p *parser) ifs() syntax.Stmt {
	first := &syntax.IfStmt{If: p.next().at}
	for s := first; ; {
		s.Cond = p.test()
		s.True = p.block()
		switch {
		case p.is("elif"):
			s.ElsePos = p.next().at
			e := &syntax.IfStmt{If: s.ElsePos}
			s.False = []syntax.Stmt{e}
			s = e
			continue
		case p.is("else"):
			s.ElsePos = p.next().at
			s.False = p.block()
		}
		return first
	}
}

func (p *parser) def() *syntax.DefStmt {
	d := &syntax.DefStmt{Def: p.next().at, Name: p.ident()}
	d.Lparen = p.need("(")
	d.Params = p.params(")")
	d.Rparen = p.need(")")
	if p.take("->") {
		p.test()
	}
	p.declared = append(p.declared, nil)
	d.Body = p.block()
	last := len(p.declared) - 1
	p.declares[d], p.declared = p.declared[last], p.declared[:last]
	return d
}

// params are the parameters of a function, up to what closes them.
func (p *parser) params(closing string) []syntax.Expr {
	var list []syntax.Expr
	for !p.is(closing) {
		at := p.tok.at
		switch {
		case p.take("/"): // those before it go without names: nothing here needs to know
		case p.take("*"):
			u := &syntax.UnaryExpr{OpPos: at, Op: syntax.STAR}
			if !p.is(",") {
				u.X = p.param(closing)
			}
			list = append(list, u)
		case p.take("**"):
			list = append(list, &syntax.UnaryExpr{OpPos: at, Op: syntax.STARSTAR, X: p.param(closing)})
		default:
			var x syntax.Expr = p.param(closing)
			if p.is("=") {
				eq := p.next().at
				x = &syntax.BinaryExpr{X: x, OpPos: eq, Op: syntax.EQ, Y: p.test()}
			}
			list = append(list, x)
		}
		if !p.take(",") {
			break
		}
	}
	return list
}

// param is the name of a parameter, and its annotation, which means nothing.
func (p *parser) param(closing string) *syntax.Ident {
	id := p.ident()
	if closing == ")" && p.take(":") {
		p.test()
	}
	return id
}

// decorated is @d before def f: f = d(f) behind it, the last one first.
func (p *parser) decorated(list []syntax.Stmt) []syntax.Stmt {
	type decorator struct {
		at syntax.Position
		f  syntax.Expr
	}
	var ds []decorator
	for p.is("@") {
		at := p.next().at
		ds = append(ds, decorator{at, p.test()})
		if p.tok.kind != newline {
			p.unexpected("the end of the line")
		}
		p.next()
	}
	if !p.is("def") {
		if p.is("class") || p.is("async") {
			p.refuse()
		}
		p.unexpected("'def'")
	}
	d := p.def()
	list = append(list, d)
	for k := len(ds) - 1; k >= 0; k-- {
		at := ds[k].at
		c := &syntax.CallExpr{Fn: ds[k].f, Lparen: at, Args: []syntax.Expr{&syntax.Ident{NamePos: d.Name.NamePos, Name: d.Name.Name}}, Rparen: at}
		list = append(list, &syntax.AssignStmt{OpPos: at, Op: syntax.EQ, LHS: &syntax.Ident{NamePos: d.Name.NamePos, Name: d.Name.Name}, RHS: c})
	}
	return list
}

// simple is a statement of one line.
func (p *parser) simple(list []syntax.Stmt) []syntax.Stmt {
	at := p.tok.at
	expr := func(x syntax.Expr) []syntax.Stmt { return append(list, &syntax.ExprStmt{X: x}) }
	switch {
	case p.tok.kind != word:
	case p.is("pass"), p.is("break"), p.is("continue"):
		t := map[string]syntax.Token{"pass": syntax.PASS, "break": syntax.BREAK, "continue": syntax.CONTINUE}[p.next().text]
		return append(list, &syntax.BranchStmt{Token: t, TokenPos: at})
	case p.is("return"):
		p.next()
		r := &syntax.ReturnStmt{Return: at}
		if !p.listEnds() {
			from := p.tok
			r.Result = p.tuple()
			p.returns[r] = Returned{p.src[from.off:p.behind], int(from.at.Line), int(from.at.Col)}
		}
		return append(list, r)
	case p.is("import"):
		return p.imports(list)
	case p.is("from"):
		return p.importsFrom(list)
	case p.is("global"):
		p.next()
		for {
			id := p.ident()
			if n := len(p.declared); n > 0 {
				p.declared[n-1] = append(p.declared[n-1], id.Name)
				p.globals[id.Name] = true
			}
			if !p.take(",") {
				return list
			}
		}
	case p.is("assert"):
		p.next()
		cond := p.test()
		var msg syntax.Expr = text("AssertionError", at)
		if p.take(",") {
			msg = p.test()
		}
		return append(list, &syntax.IfStmt{If: at, Cond: &syntax.UnaryExpr{OpPos: at, Op: syntax.NOT, X: cond}, True: []syntax.Stmt{&syntax.ExprStmt{X: call(Raise, at, msg)}}})
	case p.is("raise"):
		p.next()
		if p.listEnds() {
			p.fail(at, "", "raise alone belongs into except, which there is not")
		}
		x := p.test()
		if p.take("from") {
			p.test()
		}
		return expr(call(Raise, at, x))
	case p.is("del"):
		p.next()
		x := p.tuple()
		targets := []syntax.Expr{x}
		if t, ok := x.(*syntax.TupleExpr); ok {
			targets = t.List
		}
		for _, x := range targets {
			switch x := x.(type) {
			case *syntax.Ident: // it holds nothing any more
				list = append(list, &syntax.AssignStmt{OpPos: at, Op: syntax.EQ, LHS: x, RHS: none(at)})
			case *syntax.IndexExpr:
				list = append(list, &syntax.ExprStmt{X: call(Delete, at, x.X, x.Y)})
			default:
				p.fail(syntax.Start(x), "", "del takes names, and elements of lists and dictionaries")
			}
		}
		return list
	case p.is("yield"), p.is("await"), p.is("nonlocal"):
		p.refuse()
	}
	x := p.tuple()
	switch {
	case p.is("="):
		return p.assign(list, x)
	case p.tok.kind == sign && augmented[p.tok.text] != 0:
		return p.augment(list, x)
	case p.is(":"): // an annotation, which means nothing
		if p.assignable(x); p.take(":") {
			p.test()
		}
		if p.is("=") {
			return p.assign(list, x)
		}
		return list
	}
	if l := p.load(x); l != nil && len(p.declared) == 0 {
		return append(list, l)
	}
	return expr(x)
}

// augmented are the operators of x op= y.
var augmented = map[string]syntax.Token{"+=": syntax.PLUS_EQ, "-=": syntax.MINUS_EQ, "*=": syntax.STAR_EQ, "/=": syntax.SLASH_EQ, "//=": syntax.SLASHSLASH_EQ,
	"%=": syntax.PERCENT_EQ, "&=": syntax.AMP_EQ, "|=": syntax.PIPE_EQ, "^=": syntax.CIRCUMFLEX_EQ, "<<=": syntax.LTLT_EQ, ">>=": syntax.GTGT_EQ, "**=": syntax.STARSTAR, "@=": syntax.STARSTAR}

func (p *parser) augment(list []syntax.Stmt, x syntax.Expr) []syntax.Stmt {
	p.assignable(x)
	switch x.(type) {
	case *syntax.TupleExpr, *syntax.ListExpr:
		p.fail(p.tok.at, "", "%s takes one name, attribute or index", p.tok.text)
	}
	t := p.next()
	y := p.tuple()
	if fn := map[string]string{"**=": Power, "@=": MatMul}[t.text]; fn != "" {
		if id, ok := x.(*syntax.Ident); ok {
			old := func() syntax.Expr { return &syntax.Ident{NamePos: id.NamePos, Name: id.Name} }
			return append(list, &syntax.AssignStmt{OpPos: t.at, Op: syntax.EQ, LHS: x, RHS: call(Become, t.at, old(), call(fn, t.at, old(), y))})
		}
		return append(list, &syntax.AssignStmt{OpPos: t.at, Op: syntax.EQ, LHS: x, RHS: call(fn, t.at, x, y)})
	}
	return append(list, &syntax.AssignStmt{OpPos: t.at, Op: augmented[t.text], LHS: x, RHS: y})
}

// assign is x = y = ... = value.
func (p *parser) assign(list []syntax.Stmt, x syntax.Expr) []syntax.Stmt {
	targets := []syntax.Expr{x}
	var ops []syntax.Position
	var value syntax.Expr
	for p.is("=") {
		p.assignable(x)
		ops = append(ops, p.next().at)
		if p.is("yield") {
			p.refuse()
		}
		if x = p.tuple(); p.is("=") {
			targets = append(targets, x)
		}
	}
	value = x
	if len(targets) == 1 {
		return p.assignOne(list, targets[0], ops[0], value)
	}
	at := ops[len(ops)-1]
	held := func() syntax.Expr { return &syntax.Ident{NamePos: at, Name: temporary} }
	list = append(list, &syntax.AssignStmt{OpPos: at, Op: syntax.EQ, LHS: held(), RHS: value})
	for k, t := range targets {
		list = p.assignOne(list, t, ops[k], held())
	}
	return append(list, &syntax.AssignStmt{OpPos: at, Op: syntax.EQ, LHS: held(), RHS: none(at)})
}

// assignOne is one assignment. Slices and *names among several targets become
// assignments of their own.
func (p *parser) assignOne(list []syntax.Stmt, x syntax.Expr, op syntax.Position, value syntax.Expr) []syntax.Stmt {
	var after []syntax.Stmt
	var simple func(x syntax.Expr, top bool) syntax.Expr
	each := func(l []syntax.Expr) {
		for k, e := range l {
			l[k] = simple(e, false)
		}
	}
	simple = func(x syntax.Expr, top bool) syntax.Expr {
		switch x := x.(type) {
		case *syntax.ParenExpr:
			x.X = simple(x.X, top)
		case *syntax.TupleExpr:
			each(x.List)
		case *syntax.ListExpr:
			each(x.List)
		case *syntax.SliceExpr:
			if !top {
				t := &syntax.Ident{NamePos: x.Lbrack, Name: temporary + strings.Repeat("'", len(after)+1)}
				after = append(after, &syntax.AssignStmt{OpPos: op, Op: syntax.EQ, LHS: x, RHS: t})
				return &syntax.Ident{NamePos: t.NamePos, Name: t.Name}
			}
		}
		return x
	}
	x = simple(x, true)
	if l := elements(x); l != nil {
		for k, e := range l {
			if u, ok := e.(*syntax.UnaryExpr); ok {
				l[k] = u.X
				value = call(Starred, op, value, number(k, op), number(len(l)-1-k, op))
				break
			}
		}
	}
	return append(append(list, &syntax.AssignStmt{OpPos: op, Op: syntax.EQ, LHS: x, RHS: value}), after...)
}

// elements are those of a tuple or list, nil of others.
func elements(x syntax.Expr) []syntax.Expr {
	switch x := x.(type) {
	case *syntax.ParenExpr:
		return elements(x.X)
	case *syntax.TupleExpr:
		return x.List
	case *syntax.ListExpr:
		return x.List
	}
	return nil
}

// assignable fails if x cannot be assigned to.
func (p *parser) assignable(x syntax.Expr) {
	p.enter()
	defer p.leave()
	stars := 0
	switch x := x.(type) {
	case *syntax.Ident, *syntax.DotExpr, *syntax.IndexExpr, *syntax.SliceExpr:
		return
	case *syntax.ParenExpr:
		p.assignable(x.X)
		return
	case *syntax.TupleExpr, *syntax.ListExpr:
		for _, e := range elements(x) {
			if u, ok := e.(*syntax.UnaryExpr); ok && u.Op == syntax.STAR {
				if stars++; stars > 1 {
					p.fail(u.OpPos, "", "two *names in one assignment")
				}
				e = u.X
			}
			p.assignable(e)
		}
		return
	}
	hint := "assign to a name, an attribute or an index"
	if _, compares := x.(*syntax.CallExpr); compares {
		hint += "; == compares"
	}
	p.fail(syntax.Start(x), hint, "this cannot be assigned to")
}

// load is the statement load('file', 'name', as='name'), nil for other expressions.
func (p *parser) load(x syntax.Expr) *syntax.LoadStmt {
	c, ok := x.(*syntax.CallExpr)
	if !ok {
		return nil
	}
	if fn, ok := c.Fn.(*syntax.Ident); !ok || fn.Name != "load" || len(c.Args) == 0 {
		return nil
	}
	literal := func(e syntax.Expr) *syntax.Literal {
		if l, ok := e.(*syntax.Literal); ok && l.Token == syntax.STRING {
			return l
		}
		return nil
	}
	l := &syntax.LoadStmt{Load: syntax.Start(c.Fn), Module: literal(c.Args[0]), Rparen: c.Rparen}
	if l.Module == nil {
		return nil
	}
	for _, a := range c.Args[1:] {
		var to *syntax.Ident
		if b, ok := a.(*syntax.BinaryExpr); ok && b.Op == syntax.EQ {
			to, a = b.X.(*syntax.Ident), b.Y
		}
		name := literal(a)
		if name == nil {
			p.fail(syntax.Start(a), "", "load() takes a file and names, as texts")
		}
		from := &syntax.Ident{NamePos: name.TokenPos, Name: name.Value.(string)}
		if to == nil {
			to = from
		}
		l.From, l.To = append(l.From, from), append(l.To, to)
	}
	if len(l.From) == 0 {
		p.fail(c.Rparen, "load('file.star', 'name')", "load() takes the names that are wanted")
	}
	return l
}
