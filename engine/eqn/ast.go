package eqn

// Pos is a place in a source: line and column count from 1; the zero Pos is
// none. Src is the source it belongs to.
type Pos struct {
	Src       *Source
	Line, Col int // within Src.Text
}

// Source is a piece of model text and where it stands in its file.
type Source struct {
	File string // shown in errors
	Text string
	Line int // of the first character of Text in File, from 1
	Col  int // likewise; applies to the first line only

	// Pieces says where the parts of Text stand, if File does not have them in a row:
	// behind an escape such as \n, or as several texts side by side.
	Pieces []Piece
}

// Piece is a part of a text: from byte From on it stands at a place of the file.
type Piece struct {
	From      int
	Line, Col int
}

// Type is the type of an expression.
type Type uint8

// Types of expressions.
const (
	Float Type = iota
	Integer
	Boolean
)

func (t Type) String() string { return [...]string{"float", "integer", "boolean"}[t] }

// Expr is a node of an expression. String prints it as source text.
type Expr interface {
	Pos() Pos
	String() string
}

// Num is a number as written; whole ones without point or exponent are Integer.
type Num struct {
	At    Pos
	Value float64
	Int   bool
}

// Truth is True or False.
type Truth struct {
	At    Pos
	Value bool
}

// Name refers to whatever the Scope says, or to Sym if that is set.
type Name struct {
	At  Pos
	ID  string
	Sym *Symbol
}

// Unary is Op X with Op one of "-", "+", "not".
type Unary struct {
	At Pos
	Op string
	X  Expr
}

// Binary is X Op Y with Op one of + - * / // % ** < <= > >= == != and or.
type Binary struct {
	At   Pos // of the operator
	Op   string
	X, Y Expr
}

// Call is a function or a TimedArray applied to arguments.
type Call struct {
	At   Pos
	Func string
	Args []Expr
	Sym  *Symbol // of Func, set by binding
}

// Cond is If ? Then : Else. The language has no text for it; Integrate makes it
// for (unless refractory).
type Cond struct {
	If, Then, Else Expr
}

// Pos is the place of the number.
func (n *Num) Pos() Pos { return n.At }

// Pos is the place of the word.
func (n *Truth) Pos() Pos { return n.At }

// Pos is the place of the name.
func (n *Name) Pos() Pos { return n.At }

// Pos is the place of the operator.
func (n *Unary) Pos() Pos { return n.At }

// Pos is the place of the operator.
func (n *Binary) Pos() Pos { return n.At }

// Pos is the place of the function's name.
func (n *Call) Pos() Pos { return n.At }

// Pos is the place of the condition.
func (n *Cond) Pos() Pos { return n.If.Pos() }

// Stmt is an assignment. A target that the Scope does not know is a local
// variable, defined by its first assignment.
type Stmt struct {
	Target  *Name
	Op      string // "=", "+=", "-=", "*=", "/=", "//=", "%=", "**="
	X       Expr
	Comment string
}
