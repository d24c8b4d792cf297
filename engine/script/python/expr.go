package python

import (
	"cmp"
	"slices"

	"go.starlark.net/syntax"
)

// tuple is one expression or several with commas between them, without brackets.
func (p *parser) tuple() syntax.Expr {
	x := p.element()
	if !p.is(",") {
		if u, ok := x.(*syntax.UnaryExpr); ok && u.Op == syntax.STAR {
			p.fail(u.OpPos, "write a comma behind it for a tuple", "* stands before one of several values")
		}
		return x
	}
	list := []syntax.Expr{x}
	for p.take(",") {
		if p.listEnds() {
			break
		}
		list = append(list, p.element())
	}
	return p.display(list, syntax.Start(x), func(l []syntax.Expr) syntax.Expr { return &syntax.TupleExpr{List: l} })
}

// listEnds says that no expression can begin here.
func (p *parser) listEnds() bool {
	switch p.tok.kind {
	case end, newline:
		return true
	case sign:
		switch p.tok.text {
		case "=", ")", "]", "}", ";", ":", "!":
			return true
		}
		_, ok := augmented[p.tok.text]
		return ok
	}
	return false
}

// element is an expression of a list, which may be *list.
func (p *parser) element() syntax.Expr {
	if !p.is("*") {
		return p.test()
	}
	at := p.next().at
	return &syntax.UnaryExpr{OpPos: at, Op: syntax.STAR, X: p.binary(0)}
}

// display makes a list or a tuple; where *x stands in it, a sum of lists.
func (p *parser) display(list []syntax.Expr, at syntax.Position, of func([]syntax.Expr) syntax.Expr) syntax.Expr {
	first := slices.IndexFunc(list, starred)
	if first < 0 || p.is("=") { // what is assigned to keeps its *x
		return of(list)
	}
	sum := syntax.Expr(&syntax.ListExpr{Lbrack: at, List: list[:first:first], Rbrack: at})
	for k := first; k < len(list); k++ {
		part := syntax.Expr(&syntax.ListExpr{Lbrack: syntax.Start(list[k]), List: list[k : k+1 : k+1], Rbrack: syntax.Start(list[k])})
		if u, ok := list[k].(*syntax.UnaryExpr); ok && u.Op == syntax.STAR {
			part = call(List, u.OpPos, u.X)
		}
		sum = &syntax.BinaryExpr{X: sum, OpPos: syntax.Start(list[k]), Op: syntax.PLUS, Y: part}
	}
	if _, ok := of(nil).(*syntax.TupleExpr); ok {
		return call(Tuple, at, sum)
	}
	return sum
}

func starred(e syntax.Expr) bool {
	u, ok := e.(*syntax.UnaryExpr)
	return ok && u.Op == syntax.STAR
}

// test is one expression.
func (p *parser) test() syntax.Expr {
	p.enter()
	defer p.leave()
	if p.is("lambda") {
		return p.lambda()
	}
	x := p.or()
	if p.is(":=") {
		p.fail(p.tok.at, "assign in a line of its own", "':=' is Python, which this script language does not have")
	}
	if !p.is("if") {
		return x
	}
	at := p.next().at
	cond := p.or()
	if !p.is("else") {
		p.fail(at, "write x if condition else y", "this if has no else")
	}
	other := p.next().at
	return &syntax.CondExpr{If: at, Cond: cond, True: x, ElsePos: other, False: p.test()}
}

func (p *parser) lambda() syntax.Expr {
	at := p.next().at
	l := &syntax.LambdaExpr{Lambda: at, Params: p.params(":")}
	p.need(":")
	l.Body = p.test()
	return l
}

func (p *parser) or() syntax.Expr {
	x := p.and()
	for p.is("or") {
		at := p.next().at
		x = &syntax.BinaryExpr{X: x, OpPos: at, Op: syntax.OR, Y: p.and()}
	}
	return x
}

func (p *parser) and() syntax.Expr {
	x := p.not()
	for p.is("and") {
		at := p.next().at
		x = &syntax.BinaryExpr{X: x, OpPos: at, Op: syntax.AND, Y: p.not()}
	}
	return x
}

func (p *parser) not() syntax.Expr {
	if !p.is("not") {
		return p.comparison()
	}
	p.enter()
	defer p.leave()
	at := p.next().at
	return &syntax.UnaryExpr{OpPos: at, Op: syntax.NOT, X: p.not()}
}

var comparisons = map[string]syntax.Token{"<": syntax.LT, "<=": syntax.LE, ">": syntax.GT, ">=": syntax.GE, "==": syntax.EQL, "!=": syntax.NEQ, "in": syntax.IN}

// compares reads a comparison operator: its name, and its place.
func (p *parser) compares() (op string, at syntax.Position) {
	at = p.tok.at
	switch {
	case p.is("not"):
		p.next()
		p.need("in")
		return "not in", at
	case p.is("is"):
		p.next()
		if p.take("not") {
			return "is not", at
		}
		return "is", at
	case (p.tok.kind == sign || p.tok.kind == word) && comparisons[p.tok.text] != 0:
		return p.next().text, at
	}
	return "", at
}

func (p *parser) comparison() syntax.Expr {
	x := p.binary(0)
	op, at := p.compares()
	if op == "" {
		return x
	}
	y := p.binary(0)
	next, then := p.compares()
	if next == "" {
		return compare(op, at, x, y)
	}
	args := []syntax.Expr{x, text(op, at), y}
	for ; next != ""; next, then = p.compares() {
		z := &syntax.LambdaExpr{Lambda: then, Body: p.binary(0)}
		args = append(args, text(next, then), z)
	}
	return call(Chain, at, args...)
}

// compare is x op y.
func compare(op string, at syntax.Position, x, y syntax.Expr) syntax.Expr {
	switch op {
	case "not in":
		return &syntax.BinaryExpr{X: x, OpPos: at, Op: syntax.NOT_IN, Y: y}
	case "is":
		return call(Is, at, x, y)
	case "is not":
		return &syntax.UnaryExpr{OpPos: at, Op: syntax.NOT, X: call(Is, at, x, y)}
	}
	return &syntax.BinaryExpr{X: x, OpPos: at, Op: comparisons[op], Y: y}
}

// operators are those of two operands, by how close they bind.
var operators = []map[string]syntax.Token{
	{"|": syntax.PIPE}, {"^": syntax.CIRCUMFLEX}, {"&": syntax.AMP}, {"<<": syntax.LTLT, ">>": syntax.GTGT}, {"+": syntax.PLUS, "-": syntax.MINUS},
	{"*": syntax.STAR, "/": syntax.SLASH, "//": syntax.SLASHSLASH, "%": syntax.PERCENT, "@": syntax.ILLEGAL},
}

func (p *parser) binary(level int) syntax.Expr {
	if level == len(operators) {
		return p.unary()
	}
	x := p.binary(level + 1)
	for p.tok.kind == sign {
		op, ok := operators[level][p.tok.text]
		if !ok {
			break
		}
		at := p.next().at
		y := p.binary(level + 1)
		if op == syntax.ILLEGAL {
			x = call(MatMul, at, x, y)
		} else {
			x = &syntax.BinaryExpr{X: x, OpPos: at, Op: op, Y: y}
		}
	}
	return x
}

func (p *parser) unary() syntax.Expr {
	op := syntax.ILLEGAL
	switch {
	case p.is("-"):
		op = syntax.MINUS
	case p.is("+"):
		op = syntax.PLUS
	case p.is("~"):
		op = syntax.TILDE
	default:
		return p.power()
	}
	p.enter()
	defer p.leave()
	at := p.next().at
	return &syntax.UnaryExpr{OpPos: at, Op: op, X: p.unary()}
}

func (p *parser) power() syntax.Expr {
	x := p.primary()
	if !p.is("**") {
		return x
	}
	p.enter()
	defer p.leave()
	at := p.next().at
	return call(Power, at, x, p.unary())
}

func (p *parser) primary() syntax.Expr {
	x := p.atom()
	for {
		switch {
		case p.is("."):
			dot := p.next().at
			if p.tok.kind != word {
				p.unexpected("a name")
			}
			name := p.next()
			x = &syntax.DotExpr{X: x, Dot: dot, Name: &syntax.Ident{NamePos: name.at, Name: name.text}}
		case p.is("("):
			lparen := p.next().at
			args := p.args()
			x = &syntax.CallExpr{Fn: x, Lparen: lparen, Args: args, Rparen: p.need(")")}
		case p.is("["):
			x = p.subscript(x)
		default:
			return x
		}
	}
}

// subscript is x[...]: an index, a slice, or several of them.
func (p *parser) subscript(x syntax.Expr) syntax.Expr {
	lbrack := p.next().at
	var list []syntax.Expr
	var slice *syntax.SliceExpr
	comma := false
	for !p.is("]") {
		at := p.tok.at
		var lo, hi, step syntax.Expr
		if !p.is(":") {
			lo = p.element()
		}
		if !p.is(":") {
			list = append(list, lo)
		} else {
			p.next()
			if !p.is(":") && !p.is(",") && !p.is("]") {
				hi = p.test()
			}
			if p.take(":") && !p.is(",") && !p.is("]") {
				step = p.test()
			}
			slice = &syntax.SliceExpr{X: x, Lbrack: lbrack, Lo: lo, Hi: hi, Step: step}
			list = append(list, call(Span, at, orNone(lo, at), orNone(hi, at), orNone(step, at)))
		}
		if !p.take(",") {
			break
		}
		comma = true
	}
	if len(list) == 0 {
		p.unexpected("an index")
	}
	rbrack := p.need("]")
	switch {
	case comma || starred(list[0]):
		y := p.display(list, syntax.Start(list[0]), func(l []syntax.Expr) syntax.Expr { return &syntax.TupleExpr{List: l} })
		return &syntax.IndexExpr{X: x, Lbrack: lbrack, Y: y, Rbrack: rbrack}
	case slice != nil:
		slice.Rbrack = rbrack
		return slice
	}
	return &syntax.IndexExpr{X: x, Lbrack: lbrack, Y: list[0], Rbrack: rbrack}
}

func orNone(e syntax.Expr, at syntax.Position) syntax.Expr {
	if e == nil {
		return none(at)
	}
	return e
}

// args are the arguments of a call, in the order in which Starlark takes them.
func (p *parser) args() []syntax.Expr {
	var args []syntax.Expr
	for !p.is(")") {
		at := p.tok.at
		switch {
		case p.is("*"):
			p.next()
			args = append(args, &syntax.UnaryExpr{OpPos: at, Op: syntax.STAR, X: p.test()})
		case p.is("**"):
			p.next()
			args = append(args, &syntax.UnaryExpr{OpPos: at, Op: syntax.STARSTAR, X: p.test()})
		default:
			x := p.test()
			if p.is("=") {
				if _, ok := x.(*syntax.Ident); !ok {
					p.fail(p.tok.at, "== compares", "an argument by name begins with the name alone")
				}
				eq := p.next().at
				x = &syntax.BinaryExpr{X: x, OpPos: eq, Op: syntax.EQ, Y: p.test()}
			} else if p.is("for") || p.is("async") {
				x = p.comprehension(at, x, ")")
			}
			args = append(args, x)
		}
		if !p.take(",") {
			break
		}
	}
	return p.ordered(args)
}

// ordered puts *x behind the arguments by name, which Starlark wants, and joins several.
func (p *parser) ordered(args []syntax.Expr) []syntax.Expr {
	order := func(e syntax.Expr) int {
		switch e := e.(type) {
		case *syntax.BinaryExpr:
			if e.Op == syntax.EQ {
				return 1
			}
		case *syntax.UnaryExpr:
			switch e.Op {
			case syntax.STAR:
				return 2
			case syntax.STARSTAR:
				return 3
			}
		}
		return 0
	}
	first := slices.IndexFunc(args, starred)
	if first >= 0 {
		rest := args[first:]
		var list, others []syntax.Expr
		for _, e := range rest {
			if k := order(e); k == 0 || k == 2 {
				list = append(list, e)
			} else {
				others = append(others, e)
			}
		}
		if at := syntax.Start(rest[0]); len(list) > 1 {
			sum := p.display(list, at, func(l []syntax.Expr) syntax.Expr { return &syntax.ListExpr{Lbrack: at, List: l, Rbrack: at} })
			list = []syntax.Expr{&syntax.UnaryExpr{OpPos: at, Op: syntax.STAR, X: sum}}
		}
		args = append(append(args[:first:first], others...), list...)
	}
	if dicts := slices.IndexFunc(args, func(e syntax.Expr) bool { return order(e) == 3 }); dicts >= 0 {
		joined := args[dicts].(*syntax.UnaryExpr)
		args = slices.DeleteFunc(args, func(e syntax.Expr) bool {
			if order(e) != 3 || e == syntax.Expr(joined) {
				return false
			}
			u := e.(*syntax.UnaryExpr)
			joined.X = &syntax.BinaryExpr{X: joined.X, OpPos: u.OpPos, Op: syntax.PIPE, Y: u.X}
			return true
		})
	}
	slices.SortStableFunc(args, func(a, b syntax.Expr) int { return cmp.Compare(order(a), order(b)) })
	return args
}

// comprehension is what follows the body: for clauses and conditions, then the
// bracket that closes it, which stays where it closes a call.
func (p *parser) comprehension(at syntax.Position, body syntax.Expr, closing string) syntax.Expr {
	if starred(body) {
		p.fail(at, "", "*x cannot be the element of a comprehension")
	}
	c := &syntax.Comprehension{Curly: closing == "}", Lbrack: at, Body: body}
	for p.is("for") || p.is("if") || p.is("async") {
		if p.is("async") {
			p.refuse()
		}
		p.enter() // Starlark calls itself for each
		defer p.leave()
		if at := p.next(); at.text == "if" {
			c.Clauses = append(c.Clauses, &syntax.IfClause{If: at.at, Cond: p.condition()})
		} else {
			vars := p.targets()
			in := p.need("in")
			c.Clauses = append(c.Clauses, &syntax.ForClause{For: at.at, Vars: vars, In: in, X: p.or()})
		}
	}
	if !p.is(closing) {
		p.unexpected("'" + closing + "'")
	}
	c.Rbrack = p.tok.at
	return c
}

func (p *parser) condition() syntax.Expr {
	if p.is("lambda") {
		return p.lambda()
	}
	return p.or()
}

// targets are what a loop assigns to.
func (p *parser) targets() syntax.Expr {
	target := func() syntax.Expr {
		if p.is("*") {
			p.fail(p.tok.at, "take the whole and slice it", "a loop does not take *names")
		}
		p.enter()
		defer p.leave()
		x := p.primary()
		p.assignable(x)
		return x
	}
	x := target()
	if !p.is(",") {
		return x
	}
	list := []syntax.Expr{x}
	for p.take(",") {
		if p.is("in") {
			break
		}
		list = append(list, target())
	}
	return &syntax.TupleExpr{List: list}
}

// atom is a name, a number, a text or something in brackets.
func (p *parser) atom() syntax.Expr {
	switch t := p.tok; t.kind {
	case word:
		if t.text == "lambda" {
			return p.lambda()
		}
		if keywords[t.text] {
			p.unexpected("an expression")
		}
		p.next()
		return &syntax.Ident{NamePos: t.at, Name: t.text}
	case num:
		return p.number()
	case quoted:
		return p.texts()
	case sign:
		switch t.text {
		case "(":
			return p.parens()
		case "[":
			return p.list()
		case "{":
			return p.braces()
		case "...":
			p.next()
			return call(Span, t.at, none(t.at), none(t.at), none(t.at))
		}
	}
	p.unexpected("an expression")
	return nil
}

func (p *parser) parens() syntax.Expr {
	lparen := p.next().at
	if p.is(")") {
		return &syntax.TupleExpr{Lparen: lparen, Rparen: p.next().at}
	}
	if p.is("yield") {
		p.refuse()
	}
	at := p.tok.at
	x := p.element()
	if p.is("for") || p.is("async") {
		c := p.comprehension(at, x, ")")
		return &syntax.ParenExpr{Lparen: lparen, X: c, Rparen: p.next().at}
	}
	if p.is(",") || starred(x) {
		list := []syntax.Expr{x}
		for p.take(",") {
			if p.is(")") {
				break
			}
			list = append(list, p.element())
		}
		rparen := p.need(")")
		x = p.display(list, syntax.Start(x), func(l []syntax.Expr) syntax.Expr { return &syntax.TupleExpr{List: l} })
		return &syntax.ParenExpr{Lparen: lparen, X: x, Rparen: rparen}
	}
	return &syntax.ParenExpr{Lparen: lparen, X: x, Rparen: p.need(")")}
}

func (p *parser) list() syntax.Expr {
	lbrack := p.next().at
	var list []syntax.Expr
	for !p.is("]") {
		x := p.element()
		if len(list) == 0 && (p.is("for") || p.is("async")) {
			c := p.comprehension(lbrack, x, "]")
			p.next()
			return c
		}
		if list = append(list, x); !p.take(",") {
			break
		}
	}
	rbrack := p.need("]")
	return p.display(list, lbrack, func(l []syntax.Expr) syntax.Expr { return &syntax.ListExpr{Lbrack: lbrack, List: l, Rbrack: rbrack} })
}

// braces are a dictionary or a set.
func (p *parser) braces() syntax.Expr {
	lbrace := p.next().at
	var dicts syntax.Expr // **x among the entries: dictionaries joined by |
	d := &syntax.DictExpr{Lbrace: lbrace}
	join := func(at syntax.Position, x syntax.Expr) {
		if dicts == nil {
			dicts = x
		} else {
			dicts = &syntax.BinaryExpr{X: dicts, OpPos: at, Op: syntax.PIPE, Y: x}
		}
	}
	for n := 0; !p.is("}"); n++ {
		if at := p.tok.at; p.is("**") {
			p.next()
			if len(d.List) > 0 {
				join(at, d)
			}
			join(at, p.binary(0))
			d = &syntax.DictExpr{Lbrace: at}
		} else {
			key := p.element()
			if n == 0 && !p.is(":") {
				return p.set(lbrace, key)
			}
			e := &syntax.DictEntry{Key: key, Colon: p.need(":")}
			e.Value = p.test()
			if n == 0 && (p.is("for") || p.is("async")) {
				c := p.comprehension(lbrace, e, "}")
				p.next()
				return c
			}
			d.List = append(d.List, e)
		}
		if !p.take(",") {
			break
		}
	}
	d.Rbrace = p.need("}")
	if dicts == nil {
		return d
	}
	join(lbrace, d)
	return dicts
}

func (p *parser) set(at syntax.Position, first syntax.Expr) syntax.Expr {
	if p.is("for") || p.is("async") {
		c := p.comprehension(at, first, "}").(*syntax.Comprehension)
		c.Curly = false
		p.next()
		return call(Set, at, c)
	}
	list := []syntax.Expr{first}
	for p.take(",") && !p.is("}") {
		list = append(list, p.element())
	}
	p.need("}")
	return call(Set, at, p.display(list, at, func(l []syntax.Expr) syntax.Expr { return &syntax.ListExpr{Lbrack: at, List: l, Rbrack: at} }))
}
