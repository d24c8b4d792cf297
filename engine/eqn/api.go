package eqn

import "synfire/engine/ir"

// Scheme is what Integrate makes of the differential equations.
type Scheme struct {
	Method  string
	Stmts   []Stmt     // of one step, over the variables, locals and derived symbols
	Derived []*Derived // hidden per-lane constants that Stmts use
	Two     []string   // variables that shall carry a second word (rule 10)
	Noise   []string   // xi names in use
	Coeffs  []Coeff    // for `synfire info`
}

// Coeff is a coefficient as compiled: Row's new value holds Value times Of ("" for the constant).
type Coeff struct {
	Row, Of string
	Value   Quantity
}

// Derived is a set of hidden constants that are worked out from constant
// parameters before a run (and anew after a script assigns to one): propagators
// and whatever else need not be computed in every step. If all of In are
// Shared, so are Out.
type Derived struct {
	In   []*Symbol
	Out  []*Symbol               // Kind Variable, Constant; Ref is free for the caller
	Eval func(in, out []float64) // SI values of one lane (of one moment)
}

// Options steer Integrate.
type Options struct {
	Method string // "" for Brian2's choice
	Dt     float64
	// Values gives the present SI values of a parameter, for the decision of
	// rule 10; nil, or a nil result, means unknown (no second word).
	Values func(*Symbol) []float64
	// Refractory is the symbol of not_refractory, nil if the group has none.
	Refractory *Symbol
}

// Site is a place in the text that draws random numbers.
type Site struct {
	Func string // rand, randn, poisson, or the name of a xi
	At   Pos
}

// Machine is implemented by the caller of Lower: it knows where names live.
type Machine interface {
	Load(*Symbol) ir.Value                            // current value, internal units (rule 8); I32 for Integer and Steps, Bool for Boolean
	Store(*Symbol, ir.Value)                          // the last value assigned; of the symbol's type
	LoadLow(*Symbol) ir.Value                         // second word of a TwoWords symbol
	StoreLow(*Symbol, ir.Value)                       //
	Add(*Symbol, ir.Value) error                      // "+=" on a Summed symbol: the increment, F32
	Host(*HostExpr) ir.Value                          // Builder.Host of the word; equal Keys may share one
	Stream(Site) (stream, draw uint32)                // of a place; draws from draw on belong to it alone
	Item() ir.Value                                   // item number for Rand: the neuron or the synapse
	Array(ta *TimedArray, row, col ir.Value) ir.Value // element of a table: I32 row and column, already clipped; col None for one dimension
}
