package eqn

// CheckStatements checks units and assignability of statements, as Brian2 does.
func CheckStatements(stmts []Stmt, sc Scope) error { panic("todo") }

// CheckEquations checks each equation's units against its declared one, flags,
// StepVariables lists the names that statements assign from t alone: those are
// Integrate turns the differential equations into the statements of one step.
func Integrate(eqs *Equations, sc Scope, opt Options) (*Scheme, error) { panic("todo") }
