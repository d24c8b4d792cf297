package eqn

// ParseEquations reads a model: lines (expressions may run over several) of
// "dx/dt = e : unit (flags)", "x = e : unit (flags)" and "x : unit (flags)".
func ParseEquations(src *Source) (*Equations, error) { panic("todo") }

// ParseExpr reads one expression.
func ParseExpr(src *Source) (Expr, error) { panic("todo") }

// ParseStatements reads assignments, separated by lines or ';'.
func ParseStatements(src *Source) ([]Stmt, error) { panic("todo") }

// ParseUnit reads a unit expression of base units ("volt/metre**2", "1",
// "boolean", "integer").
func ParseUnit(src *Source) (Dim, Type, error) { panic("todo") }

// Identifiers lists the names that an expression or a function of it uses, functions included, each
// once, in the order of the text.
func Identifiers(e Expr) []string { panic("todo") }

// Builtin is the meaning of a unit, a constant, a function or t; nil if there is none.
func Builtin(name string) *Symbol { panic("todo") }

// BuiltinNames lists all of them, sorted.
func BuiltinNames() []string { panic("todo") }

// Check finds the dimension and type of e, or where its units disagree.
func Check(e Expr, sc Scope) (Dim, Type, error) { panic("todo") }

// CheckStatements checks units and assignability of statements, as Brian2 does.
func CheckStatements(stmts []Stmt, sc Scope) error { panic("todo") }

// CheckEquations checks each equation's units against its declared one, flags,
// types, cycles of subexpressions, and the use of xi. Flags names what the
// object allows, e.g. {"constant": true}.
func CheckEquations(eqs *Equations, sc Scope) error { panic("todo") }

// EvalHost works an expression of constants out in float64 (rule 11). Time, if
// it occurs, is an error.
func EvalHost(e Expr, sc Scope) (Quantity, error) { panic("todo") }

// StepVariables lists the names that statements assign from t alone: those are
// to be kept as int32 steps (Symbol.Steps, rule 9).
func StepVariables(stmts []Stmt, sc Scope) []string { panic("todo") }

// Integrate turns the differential equations into the statements of one step.
func Integrate(eqs *Equations, sc Scope, opt Options) (*Scheme, error) { panic("todo") }

// Eval is the word for a step: F32 bits, I32, or 0 and 1.
func (h *HostExpr) Eval(step int64) uint32 { panic("todo") }

// Key is equal for host expressions that give the same word at every step.
func (h *HostExpr) Key() string { panic("todo") }

// Resolve looks in Symbols, then among the built-in names.
func (m MapScope) Resolve(name string) *Symbol { panic("todo") }

// Names lists what Resolve knows.
func (m MapScope) Names() []string { panic("todo") }

// Error prints file:line:col: message, the line, a caret, and the hint.
func (e *Error) Error() string   { panic("todo") }
func (n *Num) String() string    { panic("todo") }
func (n *Truth) String() string  { panic("todo") }
func (n *Name) String() string   { panic("todo") }
func (n *Unary) String() string  { panic("todo") }
func (n *Binary) String() string { panic("todo") }
func (n *Call) String() string   { panic("todo") }
func (n *Cond) String() string   { panic("todo") }

var dimNames = map[Dim]string{}
