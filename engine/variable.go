package engine

import (
	"fmt"
	"math"
	"sort"

	"synfire/engine/eqn"
	"synfire/engine/ir"
)

// Variable is a named value of every neuron (or, shared, of the group): its
// symbol in the equation language and, between runs, its words. Words are what
// backends hold: float32 in internal units (design section 3, rule 8), int32,
// or 0 and 1.
type Variable struct {
	g         *NeuronGroup
	name      string
	sym       *eqn.Symbol
	eq        *eqn.Equation
	n         int // words: the group's size, 1 if shared
	shared    bool
	unlessRef bool
	builtin   bool // i: no storage
	overDt    bool // (constant over dt)
	words     []uint32
	low       []uint32 // second words (rule 10), nil without
}

func (v *Variable) alloc(word uint32) {
	v.words = make([]uint32, v.n)
	for k := range v.words { // zeros are written too: memory that was not written to counts as free
		v.words[k] = word
	}
}

// image is a variable as a plan or an expression holds it: its symbol and words
// with what was decided about them (steps, a second word).
type image struct {
	sym        *eqn.Symbol
	words, low []uint32
}

// inSteps is the image of a time in whole steps (rule 9).
func (m *image) inSteps(dt float64) *image {
	if m.sym.Steps {
		return m
	}
	y := *m.sym
	y.Steps = true
	out := &image{sym: &y, words: make([]uint32, len(m.words))}
	for k, w := range m.words {
		out.words[k] = stepsWord(timeOf(m.sym, w), dt)
	}
	return out
}

// irType is the type of the variable's words.
func (v *Variable) irType() ir.Type { return irType(v.sym) }

func irType(s *eqn.Symbol) ir.Type {
	switch {
	case s.Steps || s.Type == eqn.Integer:
		return ir.I32
	case s.Type == eqn.Boolean:
		return ir.Bool
	}
	return ir.F32
}

// encode makes the word of an SI value. Values that would pass the bound of
// rule 4 are an error.
func encode(s *eqn.Symbol, dt, x float64) (uint32, error) {
	switch irType(s) {
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
	if math.IsInf(x, 0) && s.Dim == second { // a time before or after everything
		return w, nil
	}
	if !ok {
		return 0, tooLarge(s, x)
	}
	return w, nil
}

// mostShown is the largest float that is shown, in internal units: what is
// beyond comes from a clamp of rule 4, or has no value.
const mostShown = 1 << 60

// wordOf turns the word of a value of type typ into one of s. A float of most or
// more (internal units) is an error, as the number would be.
func wordOf(s *eqn.Symbol, dt float64, w uint32, typ eqn.Type, most float64) (uint32, error) {
	x := float64(int32(w))
	if typ == eqn.Float {
		x = float64(math.Float32frombits(w))
	}
	switch t := irType(s); {
	case t == ir.Bool:
		return uint32(map[bool]uint32{true: 1}[x != 0]), nil
	case s.Steps:
		if math.Abs(x) >= mostShown {
			x = math.Inf(int(math.Copysign(1, x)))
		}
		return stepsWord(float64(x*s.Dim.Scale()), dt), nil
	case t == ir.I32:
		return encode(s, dt, x)
	case math.Abs(x) >= 1<<100 || math.Abs(x) >= most && most == mostShown:
		return 0, fmt.Errorf("%s has no value here that can be shown: divided by 0, the logarithm of 0 or the like, or more than %.3g of its unit", s.Name, mostShown*s.Dim.Scale())
	case math.Abs(x) >= most:
		return 0, tooLarge(s, float64(x*s.Dim.Scale()))
	}
	return math.Float32bits(float32(x)), nil
}

func tooLarge(s *eqn.Symbol, x float64) error {
	return fmt.Errorf("%s: the value %g passes the largest that a variable can hold (%g in its unit)", s.Name, x, float64(1<<40)*s.Dim.Scale())
}

// single is the word of a float in internal units, if a variable can hold it.
func single(y float64) (uint32, bool) {
	return math.Float32bits(ir.CanonF(float32(y))), math.Abs(y) < 1<<40
}

// value is the SI value of a word.
func value(s *eqn.Symbol, dt float64, w uint32) float64 {
	switch irType(s) {
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

func (v *Variable) decode(words []uint32) Array {
	a := Array{V: make([]float64, len(words)), Dim: v.sym.Dim}
	for k, w := range words {
		a.V[k] = value(v.sym, v.g.net.dt, w)
	}
	return a
}

// stepsWord is a time in seconds as a variable of steps keeps it.
func stepsWord(x, dt float64) uint32 { return ir.StepsWord(floorSteps(x / dt)) }

// keepSteps keeps the parameters that code assigns t to as steps (rule 9): then
// differences from t are exact at any time.
func keepSteps(code []eqn.Stmt, find func(name string) *Variable) {
	for _, s := range code {
		if x, ok := s.X.(*eqn.Name); !ok || x.ID != "t" || s.Op != "=" {
			continue
		}
		v := find(s.Target.ID)
		if v == nil || v.sym.Steps || v.eq == nil || v.eq.Kind != eqn.Parameter || v.sym.Type != eqn.Float || v.sym.Dim != second {
			continue
		}
		v.rescale(func(w uint32) uint32 { return stepsWord(timeOf(v.sym, w), v.g.net.dt) })
		v.sym.Steps = true
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
	for k, w := range v.words {
		v.words[k] = f(w)
	}
}

// floorSteps is the step that a time falls into, with Brian2's tolerance for
// rounding.
func floorSteps(x float64) float64 { return math.Floor(x + 1e-3) }

func roundHalf(x float64) float64 { return math.Floor(x + 0.5) }

func absf(x float64) float64 { return math.Abs(x) }

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
	syn    *synVar // a variable of Synapses; v is nil then
	w      Work
}

// In is the variable, to be read and assigned under other settings than the
// zero Work.
func (v *Var) In(w Work) *Var {
	in := *v
	in.w = w
	return &in
}

// Dim is the dimension of the values.
func (v *Var) Dim() eqn.Dim {
	if v.syn != nil {
		return v.syn.sym.Dim
	}
	return v.v.sym.Dim
}

// Scalar says that the variable is shared: one value for all.
func (v *Var) Scalar() bool {
	if v.syn != nil {
		return v.syn.shared
	}
	return v.v.shared
}

// Integer says that the values are whole numbers.
func (v *Var) Integer() bool { return v.symbol().Type == eqn.Integer }

// Boolean says that the values are truth values.
func (v *Var) Boolean() bool { return v.symbol().Type == eqn.Boolean }

func (v *Var) symbol() *eqn.Symbol {
	if v.syn != nil {
		return v.syn.sym
	}
	return v.v.sym
}

// Len is the number of values that Get(nil) returns.
func (v *Var) Len() (int, error) {
	if v.syn != nil && !v.Scalar() {
		return v.syn.s.N(v.w)
	}
	if v.Scalar() {
		return 1, nil
	}
	return v.hi - v.lo, nil
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
	if v.syn != nil {
		return v.syn.get(v.w, ix)
	}
	g := v.v.g
	var at []int
	if !v.v.shared {
		var err error
		if at, err = g.net.neurons(v.w, span{g, v.lo, v.hi}, ix); err != nil {
			return Array{}, err
		}
	}
	words, err := v.words()
	if err != nil {
		return Array{}, err
	}
	if at != nil {
		chosen := make([]uint32, len(at))
		for k, n := range at {
			chosen[k] = words[n-v.lo]
		}
		words = chosen
	}
	if err := v.w.Room(8*int64(len(words)), "%s.%s: %d values", g.Name(), v.v.name, len(words)); err != nil {
		return Array{}, err
	}
	return v.v.decode(words), nil
}

// words are those of the range: as they are stored, not to be changed, or worked out.
func (v *Var) words() ([]uint32, error) {
	g := v.v.g
	switch {
	case v.v.builtin:
		if err := v.w.Room(4*int64(v.hi-v.lo), "%s.%s of %d neurons", g.Name(), v.v.name, v.hi-v.lo); err != nil {
			return nil, err
		}
		words := make([]uint32, v.hi-v.lo)
		for k := range words {
			words[k] = uint32(k)
		}
		return words, nil
	case v.v.words == nil || v.v.name == "not_refractory" && g.refKind == refConst:
		// A subexpression, worked out now; its i and N are the whole group's.
		words, err := g.evalWords(v.w, g.span(), &eqn.Name{ID: v.v.name}, v.v.sym)
		if err != nil {
			return nil, err
		}
		if v.v.shared {
			return words[:min(1, len(words))], nil
		}
		return words[v.lo:v.hi], nil
	case v.v.shared:
		return v.v.words, nil
	}
	return v.v.words[v.lo:v.hi], nil
}

// Set assigns to the values at an index (nil: all). The value is a Quantity, a
// number, an Array (as long as the index selects), or a string expression that
// is worked out for every neuron now.
func (v *Var) Set(ix, x any) error {
	if v.syn != nil {
		return v.syn.set(v.w, ix, x)
	}
	g, s := v.v.g, v.v.sym
	if s.ReadOnly || v.v.words == nil {
		return fmt.Errorf("%s.%s cannot be assigned: it is read-only", g.Name(), s.Name)
	}
	span := span{g, v.lo, v.hi}
	if v.v.shared {
		span.lo, span.hi = 0, 1
		if ix != nil {
			if _, whole := ix.(Slice); !whole {
				return fmt.Errorf("%s.%s is shared: it has one value and no index", g.Name(), s.Name)
			}
		}
		ix = nil
	}
	at, err := g.net.neurons(v.w, span, ix)
	if err != nil {
		return err
	}
	if text, ok := x.(string); ok {
		return v.setText(span, at, text)
	}
	return v.set(span, at, x)
}

func (v *Var) set(span span, at []int, x any) error {
	g, s := v.v.g, v.v.sym
	values, dim, err := listOf(x)
	if err != nil {
		return fmt.Errorf("%s.%s: %w", g.Name(), s.Name, err)
	}
	if dim != s.Dim && !values.zero() {
		return fmt.Errorf("%s.%s has the unit %v, but the value has %v", g.Name(), s.Name, s.Dim, dim)
	}
	size := span.hi - span.lo
	if at != nil {
		size = len(at)
	}
	if values.len() != 1 && values.len() != size {
		return fmt.Errorf("%s.%s: %d values for %d neurons", g.Name(), s.Name, values.len(), size)
	}
	for k := range size {
		n := span.lo + k
		if at != nil {
			n = at[k]
		}
		w, err := encode(s, g.net.dt, values.at(min(k, values.len()-1)))
		if err != nil {
			return err
		}
		v.v.put(n, w)
	}
	return nil
}

func (v *Variable) put(n int, w uint32) {
	v.words[n] = w
	if v.low != nil {
		v.low[n] = 0
	}
}

func (v *Var) setText(s span, at []int, text string) error {
	g := v.v.g
	x, err := eqn.ParseExpr(g.net.source(text))
	if err != nil {
		return err
	}
	if q, err := eqn.EvalHost(x, g.scope(g.net.externals())); err == nil && math.IsInf(q.Value, 0) && q.Dim == second {
		return v.set(s, at, q)
	}
	words, typ, err := g.evaluate(v.w, s, x, v.v.sym, g.drawVisit(v.v.sym))
	if err != nil {
		return err
	}
	held := words // all or none are assigned
	if at != nil {
		held = make([]uint32, len(at))
	}
	for k := range held {
		if k%(1<<20) == 1<<20-1 && v.w.Err() != nil {
			return v.w.Err()
		}
		n := s.lo + k
		if at != nil {
			n = at[k]
		}
		w, err := wordOf(v.v.sym, g.net.dt, words[n-s.lo], typ, 1<<40)
		if err != nil {
			return errorAt(x.Pos(), "%s[%d]: %v", g.Name(), n, err)
		}
		if v.v.irType() == ir.F32 {
			w = math.Float32bits(ir.CanonF(math.Float32frombits(w)))
		}
		held[k] = w
	}
	for k, w := range held {
		if at != nil {
			v.v.put(at[k], w)
		} else {
			v.v.put(s.lo+k, w)
		}
	}
	return nil
}

// neurons resolves an index within a span to neurons of the group; nil means
// the whole span.
func (n *Network) neurons(w Work, s span, ix any) ([]int, error) {
	size := s.hi - s.lo
	switch x := ix.(type) {
	case nil:
		return nil, nil
	case string:
		e, err := eqn.ParseExpr(n.source(x))
		if err != nil {
			return nil, err
		}
		words, err := s.g.evalWords(w, s, e, &eqn.Symbol{Name: "condition", Type: eqn.Boolean})
		if err != nil {
			return nil, err
		}
		out := []int{}
		for k, w := range words {
			if w != 0 {
				out = append(out, s.lo+k)
			}
		}
		return out, nil
	}
	list, err := positions(w, ix, size, s.g.Name())
	for k := range list {
		list[k] += s.lo
	}
	return list, err
}

// positions resolves an int, []int or Slice over size items.
func positions(w Work, ix any, size int, what string) ([]int, error) {
	one := func(asked int) (int, error) {
		k := asked
		if k < 0 {
			k += size
		}
		if k < 0 || k >= size {
			return 0, fmt.Errorf("index %d is out of range: %s has %d", asked, what, size)
		}
		return k, nil
	}
	switch x := ix.(type) {
	case int:
		k, err := one(x)
		return []int{k}, err
	case []int:
		out := make([]int, len(x))
		for i := range x {
			k, err := one(x[i])
			if err != nil {
				return nil, err
			}
			out[i] = k
		}
		return out, nil
	case Slice:
		step := x.Step
		if step == 0 {
			step = 1
		}
		n := min(max(0, (x.Hi-x.Lo)/step+1), size)
		if err := w.Room(8*int64(n), "%d indices of %s", n, what); err != nil {
			return nil, err
		}
		out := make([]int, 0, n)
		for k := x.Lo; (step > 0 && k < x.Hi) || (step < 0 && k > x.Hi); k += step {
			if k >= 0 && k < size {
				out = append(out, k)
			}
		}
		return out, nil
	}
	return nil, fmt.Errorf("an index is a number, a list of numbers, a range or a condition, not %T", ix)
}
