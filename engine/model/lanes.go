package model

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"synfire/engine/backend"
	"synfire/engine/eqn"
	"synfire/engine/ir"
	"synfire/engine/vm"
)

// Memory says what a program's slot stands for. The compiler turns it into a
// backend.Binding, evalWords into a slice of the host's words.
type Memory struct {
	V     *Variable   // a variable
	Low   bool        // its second words
	Event *GroupEvent // the mask of an event
	Acc   any         // the compilation's: what gathers the sums of synapses
	Whole bool        // all words of v, as a table
	Data  []uint32    // a constant table
	Lanes bool        // of data: a word for each neuron
	Key   string      // of data
	Out   *Scratch    // a temporary
}

// Scratch is a temporary of one word per lane.
type Scratch struct {
	Name string  // unique in the plan
	Typ  ir.Type // of its words
	N    int     // words
}

// Lanes is the eqn.Machine of programs that run once per neuron of a group.
type Lanes struct {
	B        *ir.Builder // the program that is being made
	n        *Network
	G        *NeuronGroup      // whose neurons; nil: of synapses
	Mem      []Memory          // one for each slot of b
	Slots    map[string]uint32 // by name
	Traps    []backend.Trap    // what the program's trap codes mean
	Mask     ir.Value          // stores happen where it holds; ir.None: everywhere
	Clock    *Object           // whose clock t is
	Off      int               // neuron of the group that counts as i = 0
	Respect  bool              // stores leave variables that are (unless refractory) alone while a neuron is
	Ago      int               // not_refractory is that of Step-ago: 1 in the slot 'start'
	Single   bool              // one lane: shared variables
	Site     string            // purpose and object of its random streams
	visit    uint32
	HostWord func(*eqn.HostExpr) ir.Value // gives the word of a value of time
	View     func(*Variable) *Image       // variables as a compilation holds them; nil: as they are
	Random   *Randomness                  // numbers its random streams
	Tables   map[*eqn.TimedArray]int      // TimedArrays read by index, numbered in the order of their first use
}

// NewLanes starts a program over the neurons of a group.
func NewLanes(n *Network, g *NeuronGroup, name, site string) *Lanes {
	l := &Lanes{B: ir.NewBuilder(name), n: n, G: g, Slots: map[string]uint32{}, Mask: ir.None, Site: site, Random: n.Random, Tables: map[*eqn.TimedArray]int{}}
	if g != nil {
		l.Clock = &g.Object
	}
	return l
}

// RefSteps is a constant refractory period in steps of the network.
func (g *NeuronGroup) RefSteps() int32 {
	return int32(min(ir.FarStep, float64(max(1, floorSteps(g.refTime/g.Dt()))*float64(g.Every()))))
}

// FreeAfter says that the last spike is so many steps ago, 0 or more. Of last and
// of the present step the sum and difference with a period stay within a word.
func (l *Lanes) FreeAfter(last, steps ir.Value) ir.Value {
	return l.B.NotB(l.B.LtI(l.B.SubI(l.B.Step(), steps), last))
}

// Holds is the step after which a spike still holds a neuron of a group with a
// constant period, at the update before; a spike of this very step counts as
// refractory (design section 2).
func (l *Lanes) Holds(g *NeuronGroup) ir.Value {
	now := l.B.Step()
	switch k := g.Every(); {
	case k > 1:
		now = l.HostWord(lastTick(k, l.Ago != 0))
	case l.Ago != 0:
		now = l.B.SubI(now, l.B.I(int32(l.Ago)))
	}
	return l.B.SubI(now, l.B.I(g.RefSteps()))
}

// Slot returns the builder's slot for a memory, the same for the same name.
func (l *Lanes) Slot(name string, k ir.Kind, t ir.Type, m Memory) uint32 {
	if s, ok := l.Slots[name]; ok {
		return s
	}
	s := l.B.Slot(name, k, t)
	for int(s) >= len(l.Mem) {
		l.Mem = append(l.Mem, Memory{})
	}
	l.Mem[s] = m
	l.Slots[name] = s
	return s
}

func (l *Lanes) variable(v *Variable, low bool) (slot uint32, uniform bool) {
	name := v.Group.Name() + "." + v.Name
	if low {
		name += "#lo"
	}
	kind := ir.Array
	if v.Shared && !l.Single {
		kind = ir.Table
	}
	return l.Slot(name, kind, IrType(l.image(v).Sym), Memory{V: v, Low: low}), kind == ir.Table
}

// image is a variable as these lanes see it.
func (l *Lanes) image(v *Variable) *Image {
	if l.View != nil {
		return l.View(v)
	}
	if v.Mirror != nil {
		return v.mirrored(Work{})
	}
	return &Image{v.Symbol, v.Words, v.Low}
}

// Load implements eqn.Machine.
func (l *Lanes) Load(s *eqn.Symbol) ir.Value {
	v := s.Ref.(*Variable)
	switch {
	case v.link != nil:
		return l.shown(v)
	case v.Builtin:
		if l.Off == 0 {
			return l.B.Assume(l.B.Lane(), ir.Range{Lo: 0, Hi: float64(l.G.Size - 1)})
		}
		return l.B.Assume(l.B.SubI(l.B.Lane(), l.B.I(int32(l.Off))), ir.Range{Lo: float64(-l.Off), Hi: float64(l.G.Size - 1 - l.Off)})
	case v.Name == "not_refractory" && v.Group.RefKind == RefConst:
		last, _ := l.variable(v.Group.ByName["lastspike"], false)
		return l.B.NotB(l.B.LtI(l.Holds(v.Group), l.B.Load(last)))
	}
	slot, uniform := l.variable(v, false)
	if uniform {
		return l.B.Uniform(slot, ir.Range{})
	}
	return l.B.Load(slot)
}

// Store implements eqn.Machine.
func (l *Lanes) Store(s *eqn.Symbol, x ir.Value) { l.StoreIn(s.Ref.(*Variable), false, x) }

// StoreIn stores x where the mask holds and the neuron is not held.
func (l *Lanes) StoreIn(v *Variable, low bool, x ir.Value) {
	slot, uniform := l.variable(v, low)
	if uniform {
		return // a shared variable: its own single-lane stage stores it
	}
	if l.Mask != ir.None {
		x = l.B.Sel(l.Mask, x, l.B.Load(slot))
	}
	if l.Respect && v.UnlessRef && v.Group.RefKind != RefNone {
		x = l.B.Sel(l.Load(v.Group.ByName["not_refractory"].Symbol), x, l.B.Load(slot))
	}
	l.B.Store(slot, x)
}

// LoadLow implements eqn.Machine.
func (l *Lanes) LoadLow(s *eqn.Symbol) ir.Value {
	slot, uniform := l.variable(s.Ref.(*Variable), true)
	if uniform {
		return l.B.Uniform(slot, ir.Range{})
	}
	return l.B.Load(slot)
}

// StoreLow implements eqn.Machine.
func (l *Lanes) StoreLow(s *eqn.Symbol, x ir.Value) { l.StoreIn(s.Ref.(*Variable), true, x) }

// Add implements eqn.Machine.
func (l *Lanes) Add(s *eqn.Symbol, _ ir.Value) error {
	return fmt.Errorf("%s: sums over synapses do not occur here", s.Name)
}

// Refuse implements eqn.Machine.
func (l *Lanes) Refuse(bad ir.Value, what, why string) {
	if l.Mask != ir.None {
		bad = l.B.AndB(l.Mask, bad)
	}
	t := backend.Trap{Var: 1<<20 + len(l.Traps), Name: what, Why: why}
	if l.G != nil {
		t.Object, t.Pop = l.G.Name(), slices.Index(l.n.Groups(), l.G)
	}
	l.B.Trap(bad, len(l.Traps))
	l.Traps = append(l.Traps, t)
}

// Now is the step of the network at which the clock of the lanes' owner stands.
func (l *Lanes) Now() ir.Value {
	if l.Clock != nil && l.Clock.Every() > 1 {
		return l.HostWord(nextTick(l.Clock.Every()))
	}
	return l.B.Step()
}

// Host implements eqn.Machine.
func (l *Lanes) Host(h *eqn.HostExpr) ir.Value { return l.HostWord(h) }

// Stream implements eqn.Machine.
func (l *Lanes) Stream(s eqn.Site) (uint32, uint32) {
	return l.Random.Stream(l.Site, "", fmt.Sprintf("%s@%d:%d", s.Func, s.At.Line, s.At.Col), l.visit), 0
}

// Item implements eqn.Machine.
func (l *Lanes) Item() ir.Value {
	return l.B.Lane()
}

// Array implements eqn.Machine.
func (l *Lanes) Array(ta *eqn.TimedArray, row, col ir.Value) ir.Value {
	at := row
	if col != ir.None {
		at = l.B.AddI(l.B.MulI(row, l.B.I(int32(ta.Cols))), col)
	}
	k, ok := l.Tables[ta]
	if !ok {
		k = len(l.Tables)
		l.Tables[ta] = k
	}
	name := fmt.Sprintf("%s@%d", ta.Name, k)
	words, most := timedWords(ta)
	r := ir.Range{}
	if most > 1<<40 {
		r = ir.Range{Lo: -most, Hi: most, Tiny: ir.FlushStore}
	}
	return l.B.Gather(l.Slot(name, ir.Table, ir.F32, Memory{Data: words, Key: name}), at, r)
}

// timedWords are an array's values in internal units, and the largest magnitude.
func timedWords(ta *eqn.TimedArray) (words []uint32, most float64) {
	words = make([]uint32, len(ta.Values))
	scale := ta.Dim.Scale()
	for k, x := range ta.Values {
		if x /= scale; math.Abs(x) >= ir.FlushStore {
			words[k] = math.Float32bits(float32(x))
			most = max(most, math.Abs(x))
		}
	}
	return words, most
}

// As converts a value to the type that a symbol's words have.
func As(b *ir.Builder, x ir.Value, from eqn.Type, s *eqn.Symbol) ir.Value {
	switch to := IrType(s); {
	case to == ir.F32 && from == eqn.Integer:
		return b.I2F(x)
	case to == ir.F32 && from == eqn.Boolean:
		return b.Sel(x, b.F(1), b.F(0))
	case to == ir.I32 && from == eqn.Float:
		return b.F2I(x)
	case to == ir.I32 && from == eqn.Boolean:
		return b.Sel(x, b.I(1), b.I(0))
	case to == ir.Bool && from == eqn.Float:
		return b.NotB(b.Eq(x, b.F(0)))
	case to == ir.Bool && from == eqn.Integer:
		return b.NotB(b.EqI(x, b.I(0)))
	}
	return x
}

// nowHost turns host words into constants of the present step; err is the first
// error of one.
func nowHost(b *ir.Builder, step int64, err *error) func(*eqn.HostExpr) ir.Value {
	return func(h *eqn.HostExpr) ir.Value {
		w, e := h.Eval(step)
		if e != nil && *err == nil {
			*err = e
		}
		switch h.Type {
		case ir.Bool:
			return b.B(w != 0)
		case ir.F32:
			return b.F(float64(math.Float32frombits(w)))
		}
		return b.I(int32(w))
	}
}

// ofNetwork says that a value is part of what the network is made of, not where a trial begins: that of a parameter, or a condition.
func ofNetwork(target *eqn.Symbol) bool {
	v, ok := target.Ref.(*Variable)
	return target.Ref == nil || ok && v.Equation != nil && v.Equation.Kind == eqn.Parameter
}

// evalWords works an expression out for every neuron of a span, now, as words
// of the target's type: conditions of an index, subexpressions.
func (g *NeuronGroup) evalWords(w Work, s Span, x eqn.Expr, target *eqn.Symbol) ([]uint32, error) {
	return g.EvalVisit(w, s, x, target, g.drawVisit(target))
}

// drawVisit numbers a visit to the place that gives a variable's values.
func (g *NeuronGroup) drawVisit(target *eqn.Symbol) uint32 {
	return g.Net.Random.visit("init\x00" + g.Net.Random.Draws(g) + "\x00" + target.Name)
}

// EvalVisit is evalWords on a numbered visit of the place, which tells apart
// what is drawn there.
func (g *NeuronGroup) EvalVisit(w Work, s Span, x eqn.Expr, target *eqn.Symbol, visit uint32) ([]uint32, error) {
	return g.evalAt(w, s, nil, x, target, visit)
}

// evalAt is EvalVisit for some neurons of the span, in their order (nil: all):
// what others lack is nothing to them.
func (g *NeuronGroup) evalAt(w Work, s Span, at []int, x eqn.Expr, target *eqn.Symbol, visit uint32) ([]uint32, error) {
	words, typ, err := g.evaluate(w, s, at, x, target, visit)
	if err != nil {
		return nil, err
	}
	for k := range words {
		if k%(1<<20) == 1<<20-1 && w.Err() != nil {
			return nil, w.Err()
		}
		if words[k], err = WordOf(target, g.Net.StepSize, words[k], typ, MostShown); err != nil {
			n := s.Lo + k
			if at != nil {
				n = at[k]
			}
			return nil, fmt.Errorf("%s[%d]: %w", g.Name(), n, err)
		}
	}
	return words, nil
}

// evaluate works an expression out for every neuron of a span, now, or for some
// of them (at is not nil). Its words are of its own type, floats as they come.
func (g *NeuronGroup) evaluate(w Work, s Span, at []int, x eqn.Expr, target *eqn.Symbol, visit uint32) ([]uint32, eqn.Type, error) {
	sc := g.Scope(g.Net.Externals())
	if !target.Shared { // else the span is one lane, of a value for the whole group
		sc = sc.Sized(s)
	}
	l := NewLanes(g.Net, g, "value of "+target.Name, "init\x00"+g.Net.Random.Draws(g)+"\x00"+target.Name)
	l.visit = visit
	l.Off, l.Ago = s.Lo, 1
	var bad error
	l.HostWord = nowHost(l.B, g.now(), &bad)
	v, typ, dim, err := eqn.LowerExpr(l.B, x, sc, l)
	if err == nil {
		err = bad
	}
	if err != nil {
		return nil, typ, sc.Explain(err)
	}
	if dim != target.Dim {
		if n, ok := x.(*eqn.Num); !ok || n.Value != 0 {
			return nil, typ, ErrorAt(x.Pos(), "%s has the unit %v, but %q has %v", target.Name, target.Dim, x.String(), dim).Of(eqn.Dimension)
		}
	}
	if err := w.Room(4*int64(s.Hi-s.Lo), "%s: %d values of %q", g.Name(), s.Hi-s.Lo, x); err != nil {
		return nil, typ, err
	}
	words := make([]uint32, s.Hi-s.Lo)
	out := l.Slot("out", ir.Array, IrType(&eqn.Symbol{Type: typ}), Memory{})
	l.B.StoreRaw(out, v)
	p, err := l.B.Prog()
	if err != nil {
		return nil, typ, err
	}
	env := l.env(s)
	env.Slots[out] = words
	if ofNetwork(target) {
		env.Seed = g.Net.networkKey()
	}
	err = runProg(w, p, l.Traps, new(*vm.Code), env, s.Hi-s.Lo)
	if at == nil {
		return words, typ, err
	}
	if some := (*refusal)(nil); errors.As(err, &some) { // is it one of these?
		err = nil
		for k := 0; k < len(at) && err == nil; k++ {
			err = trappedAt(p, l.Traps, env, at[k]-s.Lo)
			if k%(1<<12) == 1<<12-1 && w.Err() != nil {
				err = w.Err()
			}
		}
	}
	chosen := make([]uint32, len(at))
	for k, n := range at {
		chosen[k] = words[n-s.Lo]
	}
	return chosen, typ, err
}

// trappedAt is what one lane refuses.
func trappedAt(p *ir.Prog, traps []backend.Trap, e *ir.Env, lane int) error {
	e.Traps = nil
	return trapped(func(e *ir.Env, lo, hi int) { ir.Eval(p, e, lo, hi) }, p, traps, e, lane, lane+1)
}

// refusal says what a lane has refused.
type refusal struct{ text string }

// Error says what went wrong, for which lane.
func (r *refusal) Error() string { return r.text }

// env binds the slots of a program to the host's words, from neuron lo on.
func (l *Lanes) env(s Span) *ir.Env {
	e := &ir.Env{Slots: make([][]uint32, len(l.Mem)), Lane0: uint32(s.Lo), Step: uint32(l.n.Step), Seed: l.n.key(), Drawn: uint32(l.n.drawnFrom())}
	for k, m := range l.Mem {
		switch {
		case m.Data != nil && m.Lanes:
			e.Slots[k] = m.Data[s.Lo:s.Hi]
		case m.Data != nil:
			e.Slots[k] = m.Data
		case m.V != nil:
			m.V.fetch()
			w := m.V.Words
			if m.Low {
				w = m.V.Low
			}
			if !m.V.Shared && !m.Whole {
				w = w[s.Lo:s.Hi]
			}
			e.Slots[k] = w
		}
	}
	return e
}

// runProg runs a program on the host, and keeps its code for the next time.
func runProg(w Work, p *ir.Prog, traps []backend.Trap, code **vm.Code, e *ir.Env, n int) error {
	if n < 256 { // not worth compiling
		return trapped(func(e *ir.Env, lo, hi int) { ir.Eval(p, e, lo, hi) }, p, traps, e, 0, n)
	}
	if *code == nil {
		var err error
		if *code, err = vm.Compile(p); err != nil {
			return err
		}
	}
	const span = 1 << 20
	for lo := 0; lo < n; lo += span {
		if err := w.Err(); err != nil {
			return err
		}
		if err := trapped((*code).Run, p, traps, e, lo, min(lo+span, n)); err != nil {
			return err
		}
	}
	return nil
}

// trapped runs lanes of a program that may refuse what it finds.
func trapped(run func(e *ir.Env, lo, hi int), p *ir.Prog, traps []backend.Trap, e *ir.Env, lo, hi int) error {
	for len(e.Traps) < p.Traps {
		e.Traps = append(e.Traps, ir.NoTrap)
	}
	run(e, lo, hi)
	for code, at := range e.Traps {
		if at != ir.NoTrap {
			t := traps[code]
			what := t.Name
			if t.Object != "" {
				what = t.Object + "." + what
			}
			return &refusal{fmt.Sprintf("%s[%d] %s", what, at, t.Why)}
		}
	}
	return nil
}
