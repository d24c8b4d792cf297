package eqn

// Integrate turns the differential equations into the statements of one step.
func Integrate(eqs *Equations, sc Scope, opt Options) (*Scheme, error) { panic("todo") }
