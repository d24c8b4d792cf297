package script

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"go.starlark.net/syntax"

	"synfire/engine/eqn"
	"synfire/engine/script/python"
)

// source is one parsed file of a script: its lines, where its string literals
// and calls stand.
type source struct {
	name     string
	lines    []string
	tree     *syntax.File
	calls    map[place]*syntax.CallExpr // by the position of the parenthesis, which is where Starlark reports a call
	pieces   map[*syntax.Literal][]python.Piece
	shared   map[*syntax.Ident]bool
	returns  map[*syntax.ReturnStmt]python.Returned
	absent   map[string]python.Absent // names that an import asked for and did not get: why
	unused   []python.Absent          // modules that are not there
	assigned []string                 // the names that it assigns at its top, once they are asked for
	level    int                      // how deep expr and stmt are in the tree
	deep     *syntax.Position         // the first place that is nested too deep
}

// place is a position without its file.
type place struct{ line, col int32 }

func placeOf(p syntax.Position) place { return place{p.Line, p.Col} }

// dialect is what a script may do that Starlark's build files may not.
var dialect = &syntax.FileOptions{TopLevelControl: true, GlobalReassign: true, While: true, Recursion: true, Set: true, LoadBindsGlobally: true}

// parse reads a file, whose syntax is Python's (see package python), and prepares
// its tree: what Starlark cannot do with quantities and arrays (comparisons,
// slices that may fail, % of a string) becomes calls of hidden functions.
func parse(name string, src []byte, m python.Modules) (*source, error) {
	if u := utf16or32(src); u != "" {
		return nil, fmt.Errorf("%s: the file is written in %s: save it as UTF-8", name, u)
	}
	if !utf8.Valid(src) {
		at := 0
		for r, n := utf8.DecodeRune(src); r != utf8.RuneError || n > 1; r, n = utf8.DecodeRune(src[at:]) {
			at += n
		}
		return nil, fmt.Errorf("%s:%d: the file is not UTF-8 (byte %#x): save it as UTF-8", name, 1+bytes.Count(src[:at], []byte("\n")), src[at])
	}
	src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf")) // as Python does
	src = bytes.ReplaceAll(bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
	s := &source{name: name, lines: strings.Split(string(src), "\n"), calls: map[place]*syntax.CallExpr{}}
	read, err := python.Parse(name, src, dialect, m)
	if err != nil {
		return s, err
	}
	s.pieces, s.absent, s.unused, s.shared, s.returns = read.Pieces, read.Absent, read.Unused, read.Shared, read.Returns
	tree := read.Tree
	for i, st := range tree.Stmts {
		tree.Stmts[i] = s.stmt(st)
	}
	if s.deep != nil {
		return s, &python.Error{Pos: *s.deep, Msg: python.TooDeep}
	}
	s.tree = tree
	return s, nil
}

// utf16or32 names the encoding of a text that is not UTF-8, by its first bytes.
func utf16or32(src []byte) string {
	mark := func(m string) bool { return bytes.HasPrefix(src, []byte(m)) }
	zero := func(k int) bool { return len(src) > k && src[k] == 0 }
	switch {
	case mark("\x00\x00\xfe\xff"), mark("\xff\xfe\x00\x00"), zero(0) && zero(1) && zero(2), zero(1) && zero(2) && zero(3):
		return "UTF-32"
	case mark("\xfe\xff"), mark("\xff\xfe"), zero(0) && zero(2), zero(1) && zero(3):
		return "UTF-16"
	}
	return ""
}

// enter goes one level down in the tree, if n is not too deep in it; leave comes
// back. A chain of operations, calls or indices goes down to the left.
func (s *source) enter(n syntax.Node) bool {
	if s.level++; s.level <= python.MaxNesting && s.deep == nil {
		return true
	}
	if s.deep == nil {
		first := syntax.MakePosition(&s.name, 1, 1)
		s.deep = &first
		switch n := n.(type) { // not Start, which follows the whole chain
		case *syntax.BinaryExpr:
			s.deep = &n.OpPos
		case *syntax.CallExpr:
			s.deep = &n.Lparen
		case *syntax.DotExpr:
			s.deep = &n.Dot
		case *syntax.IndexExpr:
			s.deep = &n.Lbrack
		case *syntax.SliceExpr:
			s.deep = &n.Lbrack
		case *syntax.UnaryExpr:
			s.deep = &n.OpPos
		case *syntax.ParenExpr:
			s.deep = &n.Lparen
		case *syntax.Ident:
			s.deep = &n.NamePos
		case *syntax.Literal:
			s.deep = &n.TokenPos
		case *syntax.IfStmt:
			s.deep = &n.If
		}
	}
	return false
}

func (s *source) leave() { s.level-- }

// line returns a line of the file, from 1.
func (s *source) line(n int) string {
	if n < 1 || n > len(s.lines) {
		return ""
	}
	return strings.TrimRight(s.lines[n-1], "\r")
}

// uses says whether the file calls a function by its name.
func (s *source) uses(name string) bool {
	for _, c := range s.calls {
		if id, ok := c.Fn.(*syntax.Ident); ok && id.Name == name {
			return true
		}
	}
	return false
}

// texts calls f with each string literal below n and the place of its text.
func (s *source) texts(n syntax.Node, f func(text string, at eqn.Source)) {
	syntax.Walk(n, func(n syntax.Node) bool {
		if l, ok := n.(*syntax.Literal); ok && l.Token == syntax.STRING {
			at := eqn.Source{File: s.name, Text: l.Value.(string), Line: int(l.TokenPos.Line), Col: int(l.TokenPos.Col) + quoteLen(l.Raw)}
			for _, p := range s.pieces[l] {
				at.Pieces = append(at.Pieces, eqn.Piece(p))
			}
			f(at.Text, at)
		}
		return true
	})
}

// quoteLen is the length of a literal's prefix and opening quotes.
func quoteLen(raw string) int {
	n := strings.IndexAny(raw, `"'`)
	if n < 0 {
		return 0
	}
	if strings.HasPrefix(raw[n:], `"""`) || strings.HasPrefix(raw[n:], "'''") {
		return n + 3
	}
	return n + 1
}

// params lists the names of all param('name', ...) calls.
func (s *source) params() []string {
	var names []string
	for _, c := range s.calls {
		if id, ok := c.Fn.(*syntax.Ident); ok && id.Name == "param" && len(c.Args) > 0 {
			if l, ok := c.Args[0].(*syntax.Literal); ok && l.Token == syntax.STRING {
				names = append(names, l.Value.(string))
			}
		}
	}
	return names
}

// parses says whether the file has arguments of argparse, which are parameters, too.
func (s *source) parses() bool {
	for _, c := range s.calls {
		if d, ok := c.Fn.(*syntax.DotExpr); ok && d.Name.Name == "add_argument" {
			return true
		}
	}
	return false
}

// loads says whether the file loads others.
func (s *source) loads() bool {
	for _, st := range s.tree.Stmts {
		if _, ok := st.(*syntax.LoadStmt); ok {
			return true
		}
	}
	return false
}

// Names of the hidden functions: none that a script could write.
const (
	fnCompare  = "<compare>"
	fnFormat   = "<format>"
	fnSlice    = "<slice>"
	fnSetSlice = "<setslice>"
	fnGrow     = "<grow>"
	fnAugment  = "<augment>"
	fnUpdate   = "<update>"
	fnPlace    = "<place>"
	fnMethod   = "<method>"
	fnEach     = "<each>"
	fnPart     = "<part>"
	fnShared   = "<shared>" // no function: the names that functions declare global
)

func hidden(name string, at syntax.Position, args ...syntax.Expr) *syntax.CallExpr {
	return &syntax.CallExpr{Fn: &syntax.Ident{NamePos: at, Name: name}, Lparen: at, Args: args, Rparen: at}
}

// operator is a hidden function in the place of x op y: it begins where x does,
// for messages about it as an argument.
func operator(name string, e *syntax.BinaryExpr, args ...syntax.Expr) *syntax.CallExpr {
	c := hidden(name, e.OpPos, args...)
	c.Fn.(*syntax.Ident).NamePos = syntax.Start(e.X)
	return c
}

func textLit(s string, at syntax.Position) syntax.Expr {
	return &syntax.Literal{Token: syntax.STRING, TokenPos: at, Raw: fmt.Sprintf("%q", s), Value: s}
}

func orNone(e syntax.Expr, at syntax.Position) syntax.Expr {
	if e == nil {
		return &syntax.Ident{NamePos: at, Name: "None"}
	}
	return e
}

// augmented maps x op= y to op.
var augmented = map[syntax.Token]syntax.Token{
	syntax.PLUS_EQ: syntax.PLUS, syntax.MINUS_EQ: syntax.MINUS, syntax.STAR_EQ: syntax.STAR, syntax.SLASH_EQ: syntax.SLASH,
	syntax.SLASHSLASH_EQ: syntax.SLASHSLASH, syntax.PERCENT_EQ: syntax.PERCENT, syntax.AMP_EQ: syntax.AMP, syntax.PIPE_EQ: syntax.PIPE,
	syntax.CIRCUMFLEX_EQ: syntax.CIRCUMFLEX, syntax.LTLT_EQ: syntax.LTLT, syntax.GTGT_EQ: syntax.GTGT,
}

func (s *source) block(b []syntax.Stmt) {
	for i, st := range b {
		b[i] = s.stmt(st)
	}
}

func (s *source) stmt(st syntax.Stmt) syntax.Stmt {
	defer s.leave()
	if !s.enter(st) {
		return st
	}
	switch st := st.(type) {
	case *syntax.AssignStmt:
		st.RHS = s.expr(st.RHS)
		if sl, ok := st.LHS.(*syntax.SliceExpr); ok {
			at, v := sl.Lbrack, st.RHS
			if op, ok := augmented[st.Op]; ok {
				v = operation(&syntax.BinaryExpr{X: s.slice(sl), OpPos: st.OpPos, Op: op, Y: v})
			} else {
				s.slice(sl) // rewrites its parts
			}
			return &syntax.ExprStmt{X: hidden(fnSetSlice, at, part(sl.X), orNone(sl.Lo, at), orNone(sl.Hi, at), orNone(sl.Step, at), v)}
		}
		st.LHS = s.target(st.LHS)
		if op, ok := augmented[st.Op]; !ok {
		} else if id, ok := st.LHS.(*syntax.Ident); ok { // an array is changed where it stands
			x := &syntax.Ident{NamePos: id.NamePos, Name: id.Name}
			st.Op, st.RHS = syntax.EQ, hidden(fnUpdate, st.OpPos, textLit(op.String(), st.OpPos), x, st.RHS)
		} else if _, ok := st.LHS.(*syntax.IndexExpr); ok && op != syntax.PERCENT && op != syntax.LTLT && op != syntax.GTGT { // and one in a list or dictionary, too
			st.RHS = hidden(fnPlace, st.OpPos, st.RHS)
		} else if grows(op, st.LHS, st.RHS) {
			st.RHS = hidden(fnAugment, st.OpPos, textLit(op.String(), st.OpPos), st.RHS)
		}
	case *syntax.DefStmt:
		s.exprs(st.Params)
		s.block(st.Body)
	case *syntax.ExprStmt:
		st.X = s.expr(st.X)
	case *syntax.ForStmt:
		st.Vars = s.target(st.Vars)
		st.X = s.each(st.X)
		s.block(st.Body)
	case *syntax.WhileStmt:
		st.Cond = s.expr(st.Cond)
		s.block(st.Body)
	case *syntax.IfStmt:
		st.Cond = s.expr(st.Cond)
		s.block(st.True)
		s.block(st.False)
	case *syntax.ReturnStmt:
		if st.Result != nil {
			st.Result = s.expr(st.Result)
		}
	}
	return st
}

// each is what a loop goes through, which may be the letters of a text.
func (s *source) each(e syntax.Expr) syntax.Expr {
	switch e.(type) {
	case *syntax.ListExpr, *syntax.TupleExpr:
		return s.expr(e)
	case *syntax.CallExpr:
		if id, ok := e.(*syntax.CallExpr).Fn.(*syntax.Ident); ok && id.Name == "range" {
			return s.expr(e)
		}
	}
	return operator(fnEach, &syntax.BinaryExpr{X: e, OpPos: syntax.Start(e)}, s.expr(e))
}

func (s *source) exprs(list []syntax.Expr) {
	for i, e := range list {
		list[i] = s.expr(e)
	}
}

func (s *source) slice(e *syntax.SliceExpr) syntax.Expr {
	e.X = s.expr(e.X)
	for _, p := range []*syntax.Expr{&e.Lo, &e.Hi, &e.Step} {
		if *p != nil {
			*p = s.expr(*p)
		}
	}
	at := e.Lbrack
	return hidden(fnSlice, at, e.X, orNone(e.Lo, at), orNone(e.Hi, at), orNone(e.Step, at))
}

// operation is an operation whose operands have been rewritten.
func operation(e *syntax.BinaryExpr) syntax.Expr {
	switch e.Op {
	case syntax.LT, syntax.LE, syntax.GT, syntax.GE, syntax.EQL, syntax.NEQ:
		return operator(fnCompare, e, textLit(e.Op.String(), e.OpPos), e.X, e.Y)
	case syntax.PERCENT:
		return operator(fnFormat, e, e.X, e.Y)
	}
	if grows(e.Op, e.X, e.Y) || operators[e.Op.String()] == e.Op && (isTruth(e.X) || isTruth(e.Y)) {
		return operator(fnGrow, e, textLit(e.Op.String(), e.OpPos), e.X, e.Y)
	}
	return e
}

// isTruth says that e is a truth value as it stands: a comparison, not x, True.
func isTruth(e syntax.Expr) bool {
	switch e := e.(type) {
	case *syntax.ParenExpr:
		return isTruth(e.X)
	case *syntax.UnaryExpr:
		return e.Op == syntax.NOT
	case *syntax.Ident:
		return e.Name == "True" || e.Name == "False"
	case *syntax.BinaryExpr:
		return e.Op == syntax.AND || e.Op == syntax.OR || e.Op == syntax.IN || e.Op == syntax.NOT_IN
	case *syntax.CallExpr:
		id, ok := e.Fn.(*syntax.Ident)
		return ok && (id.Name == fnCompare || id.Name == python.Chain || id.Name == python.Is)
	}
	return false
}

// grows says whether x op y may be large: a sum with a number that stands there
// is not, nor a product with one that has a point.
func grows(op syntax.Token, x, y syntax.Expr) bool {
	written := func(e syntax.Expr, whole bool) bool {
		l, ok := e.(*syntax.Literal)
		return ok && (l.Token == syntax.FLOAT || whole && l.Token == syntax.INT)
	}
	switch op {
	case syntax.PLUS:
		return !written(x, true) && !written(y, true)
	case syntax.STAR:
		return !written(x, false) && !written(y, false)
	}
	return op == syntax.LTLT
}

// target prepares what is assigned to.
func (s *source) target(e syntax.Expr) syntax.Expr {
	switch e := e.(type) {
	case *syntax.DotExpr: // a field, even of a name that growing has
		e.X = s.expr(e.X)
		return e
	case *syntax.ParenExpr:
		defer s.leave()
		if s.enter(e) {
			e.X = s.target(e.X)
		}
		return e
	case *syntax.TupleExpr:
		s.targets(e.List)
		return e
	case *syntax.ListExpr:
		s.targets(e.List)
		return e
	case *syntax.IndexExpr:
		e.X, e.Y = part(s.expr(e.X)), s.expr(e.Y)
		return e
	}
	return s.expr(e)
}

// part is a[i] or a[lo:hi] where something is assigned to a part of it: of a table the row itself, no copy.
func part(e syntax.Expr) syntax.Expr {
	switch e := e.(type) {
	case *syntax.ParenExpr:
		return part(e.X)
	case *syntax.IndexExpr:
		return hidden(fnPart, e.Lbrack, part(e.X), e.Y)
	case *syntax.CallExpr:
		if id, ok := e.Fn.(*syntax.Ident); ok && id.Name == fnSlice {
			return hidden(fnPart, e.Lparen, part(e.Args[0]), hidden(python.Span, e.Lparen, e.Args[1:]...))
		}
	}
	return e
}

func (s *source) targets(list []syntax.Expr) {
	for k, e := range list {
		if s.enter(e) {
			list[k] = s.target(e)
		}
		s.leave()
	}
}

func (s *source) expr(e syntax.Expr) syntax.Expr {
	defer s.leave()
	if !s.enter(e) {
		return e
	}
	switch e := e.(type) {
	case *syntax.BinaryExpr:
		if e.Op == syntax.EQ { // name=value of a call
			e.Y = s.expr(e.Y)
			return e
		}
		e.X, e.Y = s.expr(e.X), s.expr(e.Y)
		return operation(e)
	case *syntax.CallExpr:
		e.Fn = s.expr(e.Fn)
		s.exprs(e.Args)
		if id, ok := e.Fn.(*syntax.Ident); !ok || !strings.HasPrefix(id.Name, "<") {
			s.calls[placeOf(e.Lparen)] = e
		}
	case *syntax.Comprehension:
		e.Body = s.expr(e.Body)
		for _, c := range e.Clauses {
			switch c := c.(type) {
			case *syntax.ForClause:
				c.Vars = s.target(c.Vars)
				c.X = s.each(c.X)
			case *syntax.IfClause:
				c.Cond = s.expr(c.Cond)
			}
		}
	case *syntax.CondExpr:
		e.Cond, e.True, e.False = s.expr(e.Cond), s.expr(e.True), s.expr(e.False)
	case *syntax.DictEntry:
		e.Key, e.Value = s.expr(e.Key), s.expr(e.Value)
	case *syntax.DictExpr:
		s.exprs(e.List)
	case *syntax.DotExpr:
		e.X = s.expr(e.X)
		if ours(e.Name.Name) {
			return hidden(fnMethod, e.Name.NamePos, e.X, textLit(e.Name.Name, e.Name.NamePos))
		}
	case *syntax.Ident:
		if s.shared[e] {
			return &syntax.DotExpr{X: &syntax.Ident{NamePos: e.NamePos, Name: fnShared}, Dot: e.NamePos, Name: e}
		}
	case *syntax.IndexExpr:
		e.X, e.Y = s.expr(e.X), s.expr(e.Y)
	case *syntax.LambdaExpr:
		s.exprs(e.Params)
		e.Body = s.expr(e.Body)
	case *syntax.ListExpr:
		s.exprs(e.List)
	case *syntax.ParenExpr:
		e.X = s.expr(e.X)
	case *syntax.SliceExpr:
		return s.slice(e)
	case *syntax.TupleExpr:
		s.exprs(e.List)
	case *syntax.UnaryExpr:
		if e.X != nil {
			e.X = s.expr(e.X)
		}
	}
	return e
}
