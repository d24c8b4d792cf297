// Package python reads scripts as people write them for Brian2: Python's syntax
// in, the syntax tree of Starlark out, which then runs it. Every node has the
// place of the user's own text.
//
//	tree, err := python.Parse("model.py", src, modules)
//
// What Starlark's grammar lacks and its machine can do becomes other statements
// (a = b = x, assert, decorators) or calls of functions that a script cannot name
// (x**y, a < b < c, f-strings, W[2, :]); whoever runs the tree has to predeclare
// them, see Functions. What it cannot do (classes, generators, try) is an
// error where it stands that says what to do instead.
package python

import (
	"fmt"

	"go.starlark.net/syntax"
)

// Functions that the tree calls; no script can write their names.
const (
	Power   = "<power>"   // x, y: x**y
	MatMul  = "<matmul>"  // x, y: x @ y
	Become  = "<become>"  // x, y: x with the value y, which was worked out from it
	Is      = "<is>"      // x, y: x is y
	Chain   = "<chain>"   // x, op, y, op, function that gives z, ...: x < y < z
	Span    = "<span>"    // lo, hi, step: a slice within an index
	Text    = "<text>"    // text, value, conversion, format, text, ...: an f-string
	Starred = "<starred>" // x, n, m: x as a tuple, all but the first n and last m as one list
	List    = "<list>"    // x: *x within a list
	Tuple   = "<tuple>"   // list: a tuple in which *x stands
	Set     = "<set>"     // list: {a, b}
	Delete  = "<delete>"  // x, key: del x[key]
	Raise   = "<raise>"   // message
	With    = "<with>"    // what with takes
	Module  = "<module>"  // name: what import gives
	Builtin = "<builtin>" // name: what the language has under it
)

// Functions are the names above.
var Functions = []string{Power, MatMul, Become, Is, Chain, Span, Text, Starred, List, Tuple, Set, Delete, Raise, With, Module, Builtin}

// temporary is the variable that holds a value which is assigned several times;
// it is None elsewhere.
const temporary = "<value>"

// Modules says what import may name.
type Modules struct {
	Package string // in which the text stands, for imports that begin with a dot; "": in none
	Whole   bool   // the text is all there is: what an import does not find may be left out where nothing uses it

	Known func(module string) bool           // there is such a module
	Has   func(module, name string) bool     // and it has such a name
	Bound func(module, name, as string) bool // a script sees the name ("": the module) as that without import

	Predeclared func(name string) bool // the language has the name

	All func(module string) ([]string, error) // the names that "from module import *" takes of a script of the folder
}

// Error is an error of the text.
type Error struct {
	Pos  syntax.Position
	Msg  string
	Hint string
}

func (e *Error) Error() string { return e.Pos.String() + ": " + e.Msg }

// MaxNesting bounds how deep brackets, signs, conditions and blocks nest, since
// the parser calls itself for each level.
const MaxNesting = 10000

// TooDeep is what is said of text that nests deeper.
const TooDeep = "this is nested more than 10000 deep"

// Script is a text that was read.
type Script struct {
	Tree   *syntax.File
	Pieces map[*syntax.Literal][]Piece // where the parts of a text stand that is not as written
	Absent map[string]Absent           // names that an import asked for and did not get
	Unused []Absent                    // one for each module that is not there, whose names nothing may need
	// Returns are the texts of what functions return, for those that are read otherwise, too.
	Returns map[*syntax.ReturnStmt]Returned
	Shared  map[*syntax.Ident]bool // names of the file that a function declares global: whoever runs the tree keeps them
}

// Absent is why an import has not given a name, and what to do instead.
type Absent struct {
	Pos       syntax.Position
	Msg, Hint string
}

// Returned is the text of an expression and where it begins.
type Returned struct {
	Text      string
	Line, Col int
}

// Piece is a part of a text's value: from byte From on it stands at a place.
type Piece struct {
	From      int
	Line, Col int
}

// Parse reads a script.
func Parse(name string, src []byte, o *syntax.FileOptions, m Modules) (s *Script, err error) {
	p := newParser(name, string(src), m)
	defer p.caught(&err)
	p.next()
	tree := &syntax.File{Path: name, Options: o}
	for p.tok.kind != end {
		tree.Stmts = p.statement(tree.Stmts)
	}
	shared := p.settle(tree)
	return &Script{Tree: tree, Pieces: p.pieces, Absent: p.absent, Unused: p.unused, Returns: p.returns, Shared: shared}, nil
}

// ParseExpr reads one expression.
func ParseExpr(name string, src []byte) (e syntax.Expr, err error) {
	p := newParser(name, string(src), Modules{})
	defer p.caught(&err)
	p.depth = 1 // lines do not end it
	p.next()
	e = p.tuple()
	if p.tok.kind != end {
		p.unexpected("the end")
	}
	return e, nil
}

type parser struct {
	scanner
	tok      token
	level    int // how deep the parser is in the text
	mods     Modules
	pieces   map[*syntax.Literal][]Piece
	absent   map[string]Absent
	unused   []Absent
	returns  map[*syntax.ReturnStmt]Returned
	behind   int             // the last token that was read
	globals  map[string]bool // named in a global statement somewhere
	declares map[*syntax.DefStmt][]string
	declared [][]string // of the functions around, the names of their global statements
}

func newParser(name, src string, m Modules) *parser {
	return &parser{scanner: scanner{name: &name, src: src, line: 1, col: 1, indents: []int{0}, fresh: true}, mods: m,
		pieces: map[*syntax.Literal][]Piece{}, absent: map[string]Absent{}, globals: map[string]bool{}, returns: map[*syntax.ReturnStmt]Returned{}, declares: map[*syntax.DefStmt][]string{}}
}

func (p *parser) caught(err *error) {
	switch e := recover().(type) {
	case nil:
	case *Error:
		*err = e
	default:
		panic(e)
	}
}

func (s *scanner) fail(at syntax.Position, hint, format string, a ...any) {
	panic(&Error{at, fmt.Sprintf(format, a...), hint})
}

// enter goes one level deeper; leave comes back.
func (p *parser) enter() {
	if p.level++; p.level > MaxNesting {
		p.fail(p.tok.at, "", TooDeep)
	}
}
func (p *parser) leave() { p.level-- }

// next goes on to the next token and returns the last.
func (p *parser) next() token {
	t := p.tok
	p.behind = t.off + len(t.text)
	p.tok = p.scan()
	return t
}

// is says that the token is an operator or a keyword.
func (p *parser) is(text string) bool {
	return p.tok.text == text && (p.tok.kind == sign || p.tok.kind == word)
}

// take goes on if the token is an operator or a keyword.
func (p *parser) take(text string) bool {
	if p.is(text) {
		p.next()
		return true
	}
	return false
}

func (p *parser) need(text string) syntax.Position {
	if !p.is(text) {
		p.unexpected("'" + text + "'")
	}
	return p.next().at
}

func (p *parser) ident() *syntax.Ident {
	if p.tok.kind != word || keywords[p.tok.text] {
		p.unexpected("a name")
	}
	t := p.next()
	return &syntax.Ident{NamePos: t.at, Name: t.text}
}

func (p *parser) unexpected(want string) {
	hint := ""
	switch {
	case p.is("="):
		hint = "== compares"
	case p.tok.kind == word && instead[p.tok.text] != "":
		p.refuse()
	}
	p.fail(p.tok.at, hint, "expected %s, got %s", want, p.tok)
}

// elsewhere is the way out where a script needs Python itself.
const elsewhere = "run this script in Python with Brian2, whose device 'synfire' has the engine (docs/from-brian2.md)"

// simulators are other simulators whose models there are here, each with one of them.
var simulators = map[string]string{"nest": "iaf_psc_exp", "pyNN": "IF_cond_exp"}

// instead are the words of Python that scripts do not have, each with what to do.
var instead = map[string]string{
	"class": "write functions, lists and dictionaries; or " + elsewhere,
	"try":   "errors cannot be caught in a script; " + elsewhere, "except": "errors cannot be caught in a script", "finally": "errors cannot be caught in a script",
	"yield": "append to a list and return it; or " + elsewhere, "async": elsewhere, "await": elsewhere, "nonlocal": "return the value, or declare it global",
}

func (p *parser) refuse() {
	p.fail(p.tok.at, instead[p.tok.text], "'%s' is Python, which this script language does not have", p.tok.text)
}

func call(name string, at syntax.Position, args ...syntax.Expr) *syntax.CallExpr {
	return &syntax.CallExpr{Fn: &syntax.Ident{NamePos: at, Name: name}, Lparen: at, Args: args, Rparen: at}
}

func text(s string, at syntax.Position) *syntax.Literal {
	return &syntax.Literal{Token: syntax.STRING, TokenPos: at, Raw: "", Value: s}
}

func none(at syntax.Position) syntax.Expr { return &syntax.Ident{NamePos: at, Name: "None"} }

func number(n int, at syntax.Position) syntax.Expr {
	return &syntax.Literal{Token: syntax.INT, TokenPos: at, Raw: fmt.Sprint(n), Value: int64(n)}
}
