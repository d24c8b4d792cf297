package eqn

import "slices"

type parser struct {
	toks  []token
	i     int
	depth int
	lines bool // newlines end an expression (outside parentheses)
	units bool // a unit: no calls, no parentheses
	group Expr // the last expression closed by a parenthesis
}

const (
	maxDepth = 200  // of nested parentheses, signs and powers
	maxChain = 4096 // of terms or factors one after the other, each of which is one deeper in the tree
)

// keywords of Python that cannot be names.
var keywords = []string{"False", "None", "True", "and", "as", "assert", "async", "await", "break", "class",
	"continue", "def", "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in",
	"is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield"}

// ParseExpr reads one expression. Lines may be broken anywhere.
func ParseExpr(src *Source) (Expr, error) {
	toks, err := lex(src)
	if err != nil {
		return nil, err
	}
	p := &parser{toks: toks}
	e, err := p.expr(0)
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind != tokEnd {
		return nil, p.unexpected("an operator or the end of the expression")
	}
	return e, nil
}

func (p *parser) skipLines() {
	for !p.lines && p.toks[p.i].kind == tokNewline {
		p.i++
	}
}

func (p *parser) peek() *token { p.skipLines(); return &p.toks[p.i] }

func (p *parser) next() *token {
	t := p.peek()
	if t.kind != tokEnd {
		p.i++
	}
	return t
}

func (p *parser) op(text string) bool {
	if t := p.peek(); t.kind == tokOp && t.text == text {
		p.i++
		return true
	}
	return false
}

func (p *parser) unexpected(want string) error {
	t := p.peek()
	what := "'" + clip(t.text) + "'"
	if t.kind == tokEnd || t.kind == tokNewline {
		what = "the " + t.text
	}
	hint := ""
	switch {
	case t.kind == tokOp && t.text == "=":
		hint = "write '==' to compare"
	case t.kind == tokOp && t.text == ":":
		hint = "a ':' stands between an equation and its unit only"
	case t.kind == tokName && (t.text == "if" || t.text == "for" || t.text == "lambda"):
		hint = "equations have no '" + t.text + "'; int(condition) is 1 or 0"
	}
	return At(t.at, hint, "expected %s, found %s", want, what).Of(Syntax)
}

// Binding powers of the binary operators.
func power(t *token) int {
	if t.kind == tokName {
		switch t.text {
		case "or":
			return 1
		case "and":
			return 2
		}
		return 0
	}
	if t.kind != tokOp {
		return 0
	}
	switch t.text {
	case "<", "<=", ">", ">=", "==", "!=":
		return 4
	case "+", "-":
		return 5
	case "*", "/", "//", "%":
		return 6
	case "**":
		return 8
	}
	return 0
}

const (
	notPower  = 3
	signPower = 7
)

// expr reads an expression of operators that bind more strongly than least.
func (p *parser) expr(least int) (Expr, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, At(p.peek().at, "break it into subexpressions", "the expression is nested more than %d deep", maxDepth).Of(Syntax)
	}
	defer func() { p.depth-- }()
	x, err := p.prefix(least)
	if err != nil {
		return nil, err
	}
	for n := 0; ; n++ {
		t := p.peek()
		bp := power(t)
		if bp <= least {
			return x, nil
		}
		if n > maxChain {
			return nil, At(t.at, "break it into subexpressions", "the expression has more than %d terms", maxChain).Of(Syntax)
		}
		op, at := t.text, t.at
		if bp == 4 {
			if b, ok := x.(*Binary); ok && power(&token{kind: tokOp, text: b.Op}) == 4 && p.group != x {
				return nil, At(at, "write 'a < b and b < c'", "comparisons cannot be chained").Of(Syntax)
			}
		}
		p.i++
		under := bp
		if op == "**" {
			under = signPower - 1 // right-associative, and the exponent may have a sign
		}
		y, err := p.expr(under)
		if err != nil {
			return nil, err
		}
		x = &Binary{At: at, Op: op, X: x, Y: y}
	}
}

func (p *parser) prefix(least int) (Expr, error) {
	t := p.peek()
	switch {
	case t.kind == tokNumber:
		p.i++
		return &Num{At: t.at, Value: t.value, Int: t.whole}, nil
	case t.kind == tokOp && (t.text == "-" || t.text == "+"):
		p.i++
		x, err := p.expr(max(least, signPower))
		if err != nil {
			return nil, err
		}
		return &Unary{At: t.at, Op: t.text, X: x}, nil
	case t.kind == tokName && t.text == "not" && least < 4:
		p.i++
		x, err := p.expr(notPower)
		if err != nil {
			return nil, err
		}
		return &Unary{At: t.at, Op: "not", X: x}, nil
	case t.kind == tokOp && t.text == "(" && !p.units:
		p.i++
		lines := p.lines
		p.lines = false
		x, err := p.expr(0)
		if err == nil && !p.op(")") {
			err = p.unexpected("')'")
		}
		p.lines, p.group = lines, x
		return x, err
	case t.kind == tokName && (t.text == "True" || t.text == "False"):
		p.i++
		return &Truth{At: t.at, Value: t.text == "True"}, nil
	case t.kind == tokName && !slices.Contains(keywords, t.text):
		p.i++
		if n := p.peek(); !p.units && n.kind == tokOp && n.text == "(" {
			return p.call(t)
		}
		return &Name{At: t.at, ID: t.text}, nil
	}
	return nil, p.unexpected("an expression")
}

func (p *parser) call(name *token) (Expr, error) {
	lines := p.lines
	p.lines = false
	defer func() { p.lines = lines }()
	p.next() // (
	c := &Call{At: name.at, Func: name.text}
	if p.op(")") {
		return c, nil
	}
	for {
		a, err := p.expr(0)
		if err != nil {
			return nil, err
		}
		c.Args = append(c.Args, a)
		if p.op(")") {
			return c, nil
		}
		if !p.op(",") {
			return nil, p.unexpected("',' or ')'")
		}
		if p.op(")") { // a trailing comma
			return c, nil
		}
	}
}

var assignments = []string{"=", "+=", "-=", "*=", "/=", "//=", "%=", "**="}

// ParseStatements reads assignments, separated by lines or ';'.
func ParseStatements(src *Source) ([]Stmt, error) {
	toks, err := lex(src)
	if err != nil {
		return nil, err
	}
	p := &parser{toks: toks, lines: true}
	var list []Stmt
	for {
		for p.peek().kind == tokNewline || p.peek().kind == tokOp && p.peek().text == ";" {
			p.i++
		}
		t := p.next()
		if t.kind == tokEnd {
			return list, nil
		}
		if t.kind != tokName || slices.Contains(keywords, t.text) {
			p.i--
			return nil, p.unexpected("the name of a variable")
		}
		o := p.next()
		if o.kind != tokOp || !slices.Contains(assignments, o.text) {
			if o.kind != tokEnd {
				p.i--
			}
			return nil, p.unexpected("'=' or an operator such as '+='")
		}
		x, err := p.expr(0)
		if err != nil {
			return nil, err
		}
		end := p.peek()
		if end.kind != tokEnd && end.kind != tokNewline && !(end.kind == tokOp && end.text == ";") {
			return nil, p.unexpected("an operator or the end of the statement")
		}
		list = append(list, Stmt{Target: &Name{At: t.at, ID: t.text}, Op: o.text, X: x, Comment: end.note})
	}
}
