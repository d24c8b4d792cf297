package model

import (
	"fmt"
	"math"
	"slices"
	"sort"

	"synfire/engine/eqn"
	"synfire/engine/ir"
)

// Variable is a named value of every neuron (or, shared, of the group): its
// symbol in the equation language and, between runs, its words. Words are what
// backends hold: float32 in internal units (design section 3, rule 8), int32,
// or 0 and 1.
type Variable struct {
	Group     *NeuronGroup  // of neurons, or
	Syn       *Synapses     // of synapses
	Name      string        // as in the equations
	Symbol    *eqn.Symbol   // in the equation language; Ref is the Variable
	Equation  *eqn.Equation // that declared it; nil: the engine did
	Count     int           // words: the group's size, 1 if shared
	Shared    bool          // (shared): one value
	UnlessRef bool          // (unless refractory)
	Builtin   bool          // i: no storage
	OverDt    bool          // (constant over dt)
	link      *link         // (linked): what it shows
	Operated  bool          // operations set it while the network runs: it is state
	Remade    bool          // they do, but it has to be a constant: each time the plan is made anew
	Words     []uint32      // of neurons
	Low       []uint32      // second words (rule 10), nil without

	// Of synapses: what they hold for each connect call, and what those to come
	// will. A delay has its pathway; single: one that was given before the first
	// connect, which is that of all.
	cols   []Held
	later  Held
	path   *Path
	single bool
	Driven *Driven   // of an event-driven one
	Mirror *Variable // of Synapses: what this one shows to others
	Second *Variable // its second words (rule 10); nil: it has none
}

// Alloc gives the variable its words, all equal.
func (v *Variable) Alloc(word uint32) {
	v.Words = make([]uint32, v.Count)
	for k := range v.Words { // zeros are written too: memory that was not written to counts as free
		v.Words[k] = word
	}
}

// Image is a variable as a plan or an expression holds it: its symbol and words
// with what was decided about them (steps, a second word).
type Image struct {
	Sym        *eqn.Symbol // a copy, with the decisions
	Words, Low []uint32    // as of the moment; Low: second words, or nil
}

// inSteps is the image of a time in whole steps (rule 9).
func (m *Image) inSteps(dt float64) *Image {
	if m.Sym.Steps {
		return m
	}
	y := *m.Sym
	y.Steps = true
	out := &Image{Sym: &y, Words: make([]uint32, len(m.Words))}
	for k, w := range m.Words {
		out.Words[k] = stepsWord(timeOf(m.Sym, w), dt)
	}
	return out
}

// IrType is the type of the variable's words.
func (v *Variable) IrType() ir.Type { return IrType(v.Symbol) }

// IrType is the type of the words of a symbol.
func IrType(s *eqn.Symbol) ir.Type {
	switch {
	case s.Steps || s.Type == eqn.Integer:
		return ir.I32
	case s.Type == eqn.Boolean:
		return ir.Bool
	}
	return ir.F32
}

// Encode makes the word of an SI value. Values that would pass the bound of
// rule 4 are an error.
func Encode(s *eqn.Symbol, dt, x float64) (uint32, error) {
	switch IrType(s) {
	case ir.Bool:
		if x != 0 {
			return 1, nil
		}
		return 0, nil
	case ir.I32:
		if s.Steps {
			if math.IsNaN(x) {
				return 0, fmt.Errorf("%s: a time was expected, got nan", s.Name)
			}
			return stepsWord(x, dt), nil
		}
		if math.IsNaN(x) || x < -1<<31 || x >= 1<<31 {
			return 0, fmt.Errorf("%s: %g does not fit in a 32-bit integer", s.Name, x)
		}
		return uint32(int32(x)), nil
	}
	w, ok := single(x / s.Dim.Scale())
	if math.IsInf(x, 0) && s.Dim == Second { // a time before or after everything
		return w, nil
	}
	if !ok {
		return 0, tooLarge(s, x)
	}
	return w, nil
}

// encoder is Encode for many values.
func encoder(s *eqn.Symbol, dt float64) func(x float64) (uint32, error) {
	if IrType(s) != ir.F32 {
		return func(x float64) (uint32, error) { return Encode(s, dt, x) }
	}
	scale := s.Dim.Scale()
	return func(x float64) (uint32, error) {
		if w, ok := single(x / scale); ok {
			return w, nil
		}
		return Encode(s, dt, x)
	}
}

// MostShown is the largest float that is shown, in internal units: what is
// beyond comes from a clamp of rule 4, or has no value.
const MostShown = 1 << 60

// WordOf turns the word of a value of type typ into one of s. A float of most or
// more (internal units) is an error, as the number would be.
func WordOf(s *eqn.Symbol, dt float64, w uint32, typ eqn.Type, most float64) (uint32, error) {
	x := float64(int32(w))
	if typ == eqn.Float {
		x = float64(math.Float32frombits(w))
	}
	switch t := IrType(s); {
	case t == ir.Bool:
		return uint32(map[bool]uint32{true: 1}[x != 0]), nil
	case s.Steps:
		if math.Abs(x) >= MostShown {
			x = math.Inf(int(math.Copysign(1, x)))
		}
		return stepsWord(float64(x*s.Dim.Scale()), dt), nil
	case t == ir.I32:
		return Encode(s, dt, x)
	case math.Abs(x) >= 1<<100 || math.Abs(x) >= most && most == MostShown:
		return 0, fmt.Errorf("%s has no value here that can be shown: divided by 0, the logarithm of 0 or the like, or more than %.3g of its unit", s.Name, MostShown*s.Dim.Scale())
	case math.Abs(x) >= most:
		return 0, tooLarge(s, float64(x*s.Dim.Scale()))
	}
	return math.Float32bits(float32(x)), nil
}

func tooLarge(s *eqn.Symbol, x float64) error {
	if math.IsNaN(x) {
		return fmt.Errorf("%s: a number was expected, got nan", s.Name)
	}
	return fmt.Errorf("%s: the value %g passes the largest that a variable can hold (%g in its unit)", s.Name, x, float64(1<<40)*s.Dim.Scale())
}

// single is the word of a float in internal units, if a variable can hold it.
func single(y float64) (uint32, bool) {
	return math.Float32bits(ir.CanonF(float32(y))), math.Abs(y) < 1<<40
}

// Value is the SI value of a word.
func Value(s *eqn.Symbol, dt float64, w uint32) float64 {
	switch IrType(s) {
	case ir.Bool:
		return float64(w)
	case ir.I32:
		if s.Steps {
			return float64(ir.StepsValue(w) * dt)
		}
		return float64(int32(w))
	}
	return float64(float64(math.Float32frombits(w)) * s.Dim.Scale())
}

// Decode is the values of words in SI units.
func (v *Variable) Decode(words []uint32) Array {
	a, dt := Array{V: make([]float64, len(words)), Dim: v.Symbol.Dim}, v.Dt()
	if v.IrType() == ir.F32 {
		scale := v.Symbol.Dim.Scale()
		for k, w := range words {
			a.V[k] = float64(float64(math.Float32frombits(w)) * scale)
		}
		return a
	}
	for k, w := range words {
		a.V[k] = Value(v.Symbol, dt, w)
	}
	return a
}

// stepsWord is a time in seconds as a variable of steps keeps it.
func stepsWord(x, dt float64) uint32 { return ir.StepsWord(floorSteps(x / dt)) }

// keepSteps keeps the parameters that code assigns t to as steps (rule 9), and
// those that it gives such a time in turn (t2 = t1; t1 = t) and nothing else: then
// differences of times are exact at any time.
func keepSteps(code []eqn.Stmt, find func(name string) *Variable) {
	given := func(st eqn.Stmt) string { // the name that stands alone on the right
		if x, ok := st.X.(*eqn.Name); ok && st.Op == "=" {
			return x.ID
		}
		return ""
	}
	time := func(st eqn.Stmt) bool {
		y := find(given(st))
		return given(st) == "t" || y != nil && y.Symbol.Steps
	}
	for again := true; again; {
		again = false
		for _, st := range code {
			v := find(st.Target.ID)
			if v == nil || v.Symbol.Steps || v.Equation == nil || v.Equation.Kind != eqn.Parameter || v.Symbol.Type != eqn.Float || v.Symbol.Dim != Second {
				continue
			}
			other := slices.ContainsFunc(code, func(o eqn.Stmt) bool { return o.Target.ID == st.Target.ID && !time(o) })
			if given(st) != "t" && (other || !time(st)) {
				continue
			}
			v.rescale(func(w uint32) uint32 { return stepsWord(timeOf(v.Symbol, w), v.Dt()) })
			v.Symbol.Steps, again = true, true
		}
	}
}

// timeOf is the time that the word of a float stands for; the largest is an infinite one.
func timeOf(s *eqn.Symbol, w uint32) float64 {
	x := float64(math.Float32frombits(w))
	if math.Abs(x) >= 1<<40 {
		return math.Inf(int(math.Copysign(1, x)))
	}
	return float64(x * s.Dim.Scale())
}

func (v *Variable) rescale(f func(uint32) uint32) {
	for k, w := range v.Words {
		v.Words[k] = f(w)
	}
}

// floorSteps is the step that a time falls into, with Brian2's tolerance for
// rounding.
func floorSteps(x float64) float64 { return math.Floor(x + 1e-3) }

func roundHalf(x float64) float64 { return math.Floor(x + 0.5) }

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// Var is a variable as seen through a group or a range of one.
type Var struct {
	v      *Variable
	lo, hi int
	w      Work
}

// In is the variable, to be read and assigned under other settings than the
// zero Work.
func (v *Var) In(w Work) *Var {
	in := *v
	in.w = w
	return &in
}

// Of is the variable itself, and the neurons in sight.
func (v *Var) Of() (of *Variable, lo, hi int) { return v.v, v.lo, v.hi }

// Dim is the dimension of the values.
func (v *Var) Dim() eqn.Dim { return v.v.Symbol.Dim }

// Scalar says that the variable is shared: one value for all.
func (v *Var) Scalar() bool { return v.v.Shared }

// Integer says that the values are whole numbers.
func (v *Var) Integer() bool { return v.v.Symbol.Type == eqn.Integer }

// Boolean says that the values are truth values.
func (v *Var) Boolean() bool { return v.v.Symbol.Type == eqn.Boolean }

// keeping is where the values of a variable are kept: the words of a range of
// neurons, or what the synapses of each connect call hold. Whatever reads, sets and
// indexes a variable (Var) is the same for both, and asks for no more than this. Lanes
// are numbered as in the whole group, or all connect calls end to end; a list of them
// that is nil stands for all in sight.
type keeping interface {
	lanes() (int, error)                            // in sight
	find(ix any) ([]int, error)                     // at a condition, an index, a range, a pair
	read(at []int) (Array, error)                   // in SI units
	open(all bool, x any) (done bool, err error)    // before an assignment; done: it was all there is to do
	free(at []int) ([]int, error)                   // those that code of the model may set
	store(at []int, values *list) error             // one value, or one for each lane
	storeText(at []int, all bool, x eqn.Expr) error // an expression
}

// kept is where the values are.
func (v *Var) kept() keeping {
	if v.v.Syn != nil {
		return &ofSynapses{v.v, v.w}
	}
	return &ofNeurons{v}
}

// Len is the number of values that Get(nil) returns.
func (v *Var) Len() (int, error) {
	if v.Scalar() {
		return 1, nil
	}
	return v.kept().lanes()
}

// Get returns the values at an index (nil: all) in SI units.
func (v *Var) Get(ix any) (Array, error) {
	if s, ok := ix.(Slice); ok && s.Lo == 0 && s.Step <= 1 && s.Step >= 0 && !v.Scalar() {
		if n, err := v.Len(); err != nil {
			return Array{}, err
		} else if s.Hi == n {
			ix = nil
		}
	}
	k := v.kept()
	if ix == nil || v.v.Shared {
		return k.read(nil)
	}
	at, err := k.find(ix)
	if err != nil {
		return Array{}, err
	}
	return k.read(at)
}

// Set assigns to the values at an index (nil: all). The value is a Quantity, a
// number, an Array (as long as the index selects), or a string expression that
// is worked out for every neuron or synapse now.
func (v *Var) Set(ix, x any) (err error) {
	if v.v.path != nil {
		if err := v.v.net().still("a delay"); err != nil {
			return err
		}
	}
	set := v.v.setting(ix == nil && v.v.Group != nil && v.lo == 0 && v.hi == v.v.Group.Size)
	defer func() { set(err) }()
	if v.v.Shared && ix != nil {
		if _, whole := ix.(Slice); !whole {
			return fmt.Errorf("%s is shared: it has one value and no index", v.v.FullName())
		}
		ix = nil
	}
	k := v.kept()
	if done, err := k.open(ix == nil, x); done || err != nil {
		return err
	}
	var at []int
	if ix != nil {
		if at, err = k.find(ix); err != nil {
			return err
		}
	}
	text, isText := x.(string)
	if _, chosen := ix.(string); isText || chosen { // as code of the model, it leaves neurons that are refractory alone
		if at, err = k.free(at); err != nil {
			return err
		}
	}
	if isText {
		e, err := eqn.ParseExpr(v.v.net().source(text))
		if err != nil {
			return err
		}
		return k.storeText(at, ix == nil, e)
	}
	values, err := v.v.given(x)
	if err != nil {
		return err
	}
	return k.store(at, values)
}

// FullName is the name with its owner's: P.v, S.w.
func (v *Variable) FullName() string {
	if v.Syn != nil {
		return v.Syn.Name() + "." + v.Name
	}
	return v.Group.Name() + "." + v.Name
}

// Dt is the step in which times are kept that a variable holds in steps, the
// network's, in seconds.
func (v *Variable) Dt() float64 { return v.net().StepSize }

// assignable refuses what scripts cannot set; kept: the variable keeps values.
func (v *Variable) assignable(kept bool) error {
	if v.Symbol.ReadOnly || !kept {
		return fmt.Errorf("%s cannot be assigned: it is read-only", v.FullName())
	}
	return nil
}

// given takes a value that is to be assigned apart: numbers in SI units, of the
// variable's dimension.
func (v *Variable) given(x any) (*list, error) {
	values, dim, err := listOf(x)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", v.FullName(), err)
	}
	if dim != v.Symbol.Dim && !values.zero() {
		return nil, fmt.Errorf("%s has the unit %v, but the value has %v", v.FullName(), v.Symbol.Dim, dim)
	}
	return values, nil
}

// suits refuses other numbers of values than one, or one for each of n lanes.
func (v *Variable) suits(values *list, n int) error {
	if k := values.Len(); k != 1 && k != n {
		lanes := "neurons"
		if v.Syn != nil {
			lanes = "synapses"
		}
		return fmt.Errorf("%s: %d values for %d %s", v.FullName(), k, n, lanes)
	}
	return nil
}

func (v *Variable) put(n int, w uint32) {
	v.Words[n] = w
	if v.Low != nil {
		v.Low[n] = 0
	}
}
