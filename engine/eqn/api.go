package eqn

import (
	"encoding/binary"
	"math"
	"slices"

	"synfire/engine/ir"
)

// Scheme is what Integrate makes of the differential equations.
type Scheme struct {
	Method  string
	Stmts   []Stmt     // of one step, bound, over the variables, locals and derived symbols
	Derived []*Derived // hidden constants that Stmts use
	Two     []string   // variables that shall carry a second word (rule 10); set TwoWords of their Symbols before Lower
	Noise   []string   // xi names in use
	Coeffs  []Coeff    // for `synfire info`
}

// Coeff is a coefficient as compiled: Row's new value holds Value times Of ("" for the constant).
// Where Row carries a second word, Value stands in its increment.
type Coeff struct {
	Row, Of string
	Value   Quantity
}

// Derived is a set of hidden constants that are worked out from constant
// parameters before a run (and anew after a script assigns to one): propagators
// and whatever else need not be computed in every step. The symbols of Out are
// Variables, Constant, and Shared if all of In are; Ref is free for the caller.
type Derived struct {
	In   []*Symbol
	Out  []*Symbol
	Of   []string                // what each of Out is, for `synfire info`
	Eval func(in, out []float64) // SI values of one lane; may be called from several goroutines
}

// Fill works out n lanes: column k of in holds the SI values of In[k], one for
// each lane or a single one for all; out likewise has n values for each of Out.
// Lanes with the same parameters are worked out once.
func (d *Derived) Fill(n int, in, out [][]float64) {
	x, y := make([]float64, len(d.In)), make([]float64, len(d.Out))
	seen := map[string][]float64{}
	key := make([]byte, 8*len(x))
	for i := range n {
		for k := range x {
			x[k] = in[k][min(i, len(in[k])-1)]
			binary.LittleEndian.PutUint64(key[8*k:], math.Float64bits(x[k]))
		}
		v, ok := seen[string(key)]
		if !ok {
			d.Eval(x, y)
			v = y
			if len(seen) < 1<<16 {
				v = slices.Clone(y)
				seen[string(key)] = v
			}
		}
		for k := range y {
			out[k][i] = v[k]
		}
	}
}

// Options steer Integrate.
type Options struct {
	Method   string  // "" for Brian2's choice
	Substeps int     // of rk2 and rk4 in a step; 0: one
	Dt       float64 // seconds
	Slow     float64 // a variable that loses less than this part of itself in a step has a second word (rule 10); 0: 2^-14
	// Values gives the present SI values of a parameter (one for each lane, or
	// one), for the decision of rule 10; nil, or a nil result, means unknown.
	Values func(*Symbol) []float64
	// Refractory is the symbol of not_refractory, nil if the group has none.
	Refractory *Symbol
	// Elapsed, where it is not nil, integrates the event-driven equations over
	// this time (t - lastupdate) instead of the others over a step.
	Elapsed Expr
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
	Refuse(bad ir.Value, what, why string)            // ends the run with an error where bad holds
	Array(ta *TimedArray, row, col ir.Value) ir.Value // element of a table: I32 row and column, already clipped; col None for one dimension
}
