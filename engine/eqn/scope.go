package eqn

// Kind says what a name stands for.
type Kind uint8

// Kinds of symbols.
const (
	Variable      Kind = iota // state or parameter, i, j, not_refractory, lastspike: Machine.Load
	Constant                  // Value, the same for all lanes and all of a run (dt and N too)
	Subexpression             // Expr, expanded where it is used, in Scope
	Timed                     // a TimedArray, to be called
	Function                  // a built-in function, to be called
	Time                      // t
	Noise                     // xi, xi_name: inside differential equations only
	Local                     // a variable that statements define by assigning to it
)

// Symbol is what a name means in a Scope. Two names that mean the same thing
// must resolve to the same *Symbol.
type Symbol struct {
	Name  string
	Kind  Kind
	Dim   Dim
	Type  Type
	Value float64 // Constant: in SI units; 0 or 1 for Boolean

	Expr    Expr  // Subexpression
	Scope   Scope // Subexpression: where Expr's names are resolved; nil: where it is used
	Array   *TimedArray
	Formula *Formula // Function: one of the caller's own

	ReadOnly bool      // assigning is an error
	Shared   bool      // one value for all lanes
	Constant bool      // Variable: does not change during a run, so that what is made of it may be precomputed
	Binomial *Binomial // of a function that draws from one
	Step     float64   // of dt: the network's step in seconds, of which it is a multiple; 0: dt itself
	Steps    bool      // Variable: kept as an int32 step (design section 3, rule 9); Load and Store pass I32
	TwoWords bool      // Variable: carries a second word (rule 10); Machine.LoadLow and StoreLow serve it
	Summed   bool      // Variable: "+=" goes to Machine.Add, "=" as Synapses allow it (accumulators)

	Ref any // the caller's
}

// Scope tells what names mean.
type Scope interface {
	Resolve(name string) *Symbol // nil: unknown
	Names() []string             // for the hint of the nearest name
}

// Renamed is a scope with other meanings of its names.
type Renamed struct {
	Scope
	Means func(name string) *Symbol
}

// Resolve implements Scope.
func (r *Renamed) Resolve(name string) *Symbol { return r.Means(name) }

// Before gives names of which some hide others.
func Before(some map[string]*Symbol, others func(name string) *Symbol) func(name string) *Symbol {
	return func(name string) *Symbol {
		if y := some[name]; y != nil {
			return y
		}
		return others(name)
	}
}

// Varying gives names so that no variable is constant, those of subexpressions of
// other scopes included: nothing is worked out ahead.
func Varying(names func(name string) *Symbol) func(name string) *Symbol {
	seen := map[string]*Symbol{}
	return Before(seen, func(name string) *Symbol {
		y := names(name)
		if y == nil {
			return nil
		}
		z := *y
		switch {
		case y.Kind == Variable && y.Constant:
			z.Constant = false
		case y.Kind == Subexpression && y.Scope != nil:
			z.Scope = &Renamed{y.Scope, Varying(y.Scope.Resolve)}
		default:
			return y
		}
		seen[name] = &z
		return &z
	})
}

// MapScope is a Scope over a map, falling back on the built-in names (units,
// constants, functions, t) unless Bare.
type MapScope struct {
	Symbols map[string]*Symbol
	Bare    bool
}

// TimedArray is a table of values over time: Rows steps of Dt seconds, Cols
// columns (1 for a one-dimensional array), in SI units, row by row.
type TimedArray struct {
	Name   string
	Dim    Dim
	Dt     float64
	Rows   int
	Cols   int
	Values []float64
	TwoD   bool // called with (t, i), also where Cols is 1
}

// Formula is a function that is an expression of its parameters. It is written out
// where it is called.
type Formula struct {
	Params []string
	Body   Expr
	Units  []*Dim // of the parameters and then of the value; nil: any
	Names  Scope  // where the other names of Body are resolved
}
