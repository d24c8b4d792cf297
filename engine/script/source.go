package script

import (
	"fmt"
	"regexp"
	"strings"

	"go.starlark.net/syntax"

	"synfire/engine/eqn"
)

// source is one parsed file of a script: its lines, where its string literals
// and calls stand.
type source struct {
	name  string
	lines []string
	tree  *syntax.File
	calls map[place]*syntax.CallExpr // by the position of the parenthesis, which is where Starlark reports a call
	// powers are the places of ** in the text, where the tree has //.
	powers map[place]bool
}

// place is a position without its file.
type place struct{ line, col int32 }

func placeOf(p syntax.Position) place { return place{p.Line, p.Col} }

// dialect is what a script may do that Starlark's build files may not.
var dialect = &syntax.FileOptions{TopLevelControl: true, GlobalReassign: true, While: true, Set: true}

// brianImport are the lines that a Brian2 script begins with; their names are here
// without them.
var brianImport = regexp.MustCompile(`(?m)^(from brian2 import \*|import numpy as np)[ \t]*(#.*)?$`)

// parse reads a file and prepares its tree: what Starlark cannot do with
// quantities and arrays (comparisons, slices that may fail, % of a string, **)
// becomes calls of hidden functions.
func parse(name string, src []byte) (*source, error) {
	src = brianImport.ReplaceAllFunc(src, func(b []byte) []byte {
		return []byte("pass" + strings.Repeat(" ", len(b)-4))
	})
	s := &source{name: name, lines: strings.Split(string(src), "\n"), calls: map[place]*syntax.CallExpr{}}
	src, s.powers = powers(src)
	tree, err := dialect.Parse(name, src, 0)
	if err != nil {
		return s, err
	}
	s.tree = tree
	for i, st := range tree.Stmts {
		tree.Stmts[i] = s.stmt(st)
	}
	return s, nil
}

// line returns a line of the file, from 1.
func (s *source) line(n int) string {
	if n < 1 || n > len(s.lines) {
		return ""
	}
	return strings.TrimRight(s.lines[n-1], "\r")
}

// texts calls f with each string literal below n and the place of its text.
func (s *source) texts(n syntax.Node, f func(text string, at eqn.Source)) {
	syntax.Walk(n, func(n syntax.Node) bool {
		if l, ok := n.(*syntax.Literal); ok && l.Token == syntax.STRING {
			text := l.Value.(string)
			f(text, eqn.Source{File: s.name, Text: text, Line: int(l.TokenPos.Line), Col: int(l.TokenPos.Col) + quoteLen(l.Raw),
				Flat: strings.Contains(text, "\n") && !strings.Contains(l.Raw, "\n")})
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

// loads says whether the file loads others.
func (s *source) loads() bool {
	for _, st := range s.tree.Stmts {
		if _, ok := st.(*syntax.LoadStmt); ok {
			return true
		}
	}
	return false
}

// Names of the hidden functions.
const (
	fnCompare  = "__compare__"
	fnFormat   = "__format__"
	fnPower    = "__power__"
	fnSlice    = "__slice__"
	fnSetSlice = "__setslice__"
)

func hidden(name string, at syntax.Position, args ...syntax.Expr) *syntax.CallExpr {
	return &syntax.CallExpr{Fn: &syntax.Ident{NamePos: at, Name: name}, Lparen: at, Args: args, Rparen: at}
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
}

func (s *source) block(b []syntax.Stmt) {
	for i, st := range b {
		b[i] = s.stmt(st)
	}
}

func (s *source) stmt(st syntax.Stmt) syntax.Stmt {
	switch st := st.(type) {
	case *syntax.AssignStmt:
		st.RHS = s.expr(st.RHS)
		if sl, ok := st.LHS.(*syntax.SliceExpr); ok {
			at, v := sl.Lbrack, st.RHS
			if op, ok := augmented[st.Op]; ok {
				v = &syntax.BinaryExpr{X: s.slice(sl), OpPos: st.OpPos, Op: op, Y: v}
			} else {
				s.slice(sl) // rewrites its parts
			}
			return &syntax.ExprStmt{X: hidden(fnSetSlice, at, sl.X, orNone(sl.Lo, at), orNone(sl.Hi, at), orNone(sl.Step, at), v)}
		}
		st.LHS = s.expr(st.LHS)
	case *syntax.DefStmt:
		s.exprs(st.Params)
		s.block(st.Body)
	case *syntax.ExprStmt:
		st.X = s.expr(st.X)
	case *syntax.ForStmt:
		st.X = s.expr(st.X)
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
		return hidden(fnCompare, e.OpPos, textLit(e.Op.String(), e.OpPos), e.X, e.Y)
	case syntax.PERCENT:
		return hidden(fnFormat, e.OpPos, e.X, e.Y)
	}
	return e
}

func (s *source) expr(e syntax.Expr) syntax.Expr {
	switch e := e.(type) {
	case *syntax.BinaryExpr:
		if e.Op == syntax.EQ { // name=value of a call
			e.Y = s.expr(e.Y)
			return e
		}
		if product(e.Op) {
			return s.chain(e)
		}
		e.X, e.Y = s.expr(e.X), s.expr(e.Y)
		return operation(e)
	case *syntax.CallExpr:
		e.Fn = s.expr(e.Fn)
		s.exprs(e.Args)
		s.calls[placeOf(e.Lparen)] = e
	case *syntax.Comprehension:
		e.Body = s.expr(e.Body)
		for _, c := range e.Clauses {
			switch c := c.(type) {
			case *syntax.ForClause:
				c.X = s.expr(c.X)
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
