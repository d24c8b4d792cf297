package engine

import (
	"fmt"
	"math"
	"slices"

	"synfire/engine/backend"
	"synfire/engine/eqn"
	"synfire/engine/ir"
	"synfire/engine/vm"
)

// memory says what a program's slot stands for. The compiler turns it into a
// backend.Binding, evalWords into a slice of the host's words.
type memory struct {
	v     *Variable
	low   bool
	event *groupEvent
	acc   any      // the compilation's: what gathers the sums of synapses
	data  []uint32 // a constant table
	key   string   // of data
	out   *scratch
}

// scratch is a temporary of one word per lane.
type scratch struct {
	name string
	typ  ir.Type
	n    int
}

// lanes is the eqn.Machine of programs that run once per neuron of a group.
type lanes struct {
	b       *ir.Builder
	n       *Network
	g       *NeuronGroup
	mem     []memory // one for each slot of b
	slots   map[string]uint32
	traps   []backend.Trap
	mask    ir.Value // stores happen where it holds; ir.None: everywhere
	off     int      // neuron of the group that counts as i = 0
	respect bool     // stores leave variables that are (unless refractory) alone while a neuron is
	ago     int      // not_refractory is that of Step-ago: 1 in the slot 'start'
	single  bool     // one lane: shared variables
	site    string   // purpose and object of its random streams
	visit   uint32
	host    func(*eqn.HostExpr) ir.Value
	view    func(*Variable) *image // variables as a compilation holds them; nil: as they are
	random  *randomness
	sums    func(*eqn.Symbol, ir.Value) error
	item    func() ir.Value
}

func newLanes(n *Network, g *NeuronGroup, name, site string) *lanes {
	l := &lanes{b: ir.NewBuilder(name), n: n, g: g, slots: map[string]uint32{}, mask: ir.None, site: site, random: n.random}
	return l
}

// refSteps is a constant refractory period in steps.
func (g *NeuronGroup) refSteps() int32 {
	return int32(max(1, min(ir.FarStep, floorSteps(g.refTime/g.net.dt))))
}

// freeAfter says that the last spike is so many steps ago, 0 or more. Of last and
// of the present step the sum and difference with a period stay within a word.
func (l *lanes) freeAfter(last, steps ir.Value) ir.Value {
	return l.b.NotB(l.b.LtI(l.b.SubI(l.b.Step(), steps), last))
}

// slot returns the builder's slot for a memory, the same for the same name.
func (l *lanes) slot(name string, k ir.Kind, t ir.Type, m memory) uint32 {
	if s, ok := l.slots[name]; ok {
		return s
	}
	s := l.b.Slot(name, k, t)
	for int(s) >= len(l.mem) {
		l.mem = append(l.mem, memory{})
	}
	l.mem[s] = m
	l.slots[name] = s
	return s
}

func (l *lanes) variable(v *Variable, low bool) (slot uint32, uniform bool) {
	name := v.g.Name() + "." + v.name
	if low {
		name += "#lo"
	}
	kind := ir.Array
	if v.shared && !l.single {
		kind = ir.Table
	}
	return l.slot(name, kind, irType(l.image(v).sym), memory{v: v, low: low}), kind == ir.Table
}

// image is a variable as these lanes see it.
func (l *lanes) image(v *Variable) *image {
	if l.view != nil {
		return l.view(v)
	}
	return &image{v.sym, v.words, v.low}
}

// Load implements eqn.Machine.
func (l *lanes) Load(s *eqn.Symbol) ir.Value {
	v := s.Ref.(*Variable)
	switch {
	case v.builtin:
		if l.off == 0 {
			return l.b.Assume(l.b.Lane(), ir.Range{Lo: 0, Hi: float64(l.g.n - 1)})
		}
		return l.b.Assume(l.b.SubI(l.b.Lane(), l.b.I(int32(l.off))), ir.Range{Lo: float64(-l.off), Hi: float64(l.g.n - 1 - l.off)})
	case v.name == "not_refractory" && v.g.refKind == refConst:
		// Steps since the last spike; a spike of this very step counts as
		// refractory (design section 2).
		now := l.b.Step()
		if l.ago != 0 {
			now = l.b.SubI(now, l.b.I(int32(l.ago)))
		}
		last, _ := l.variable(v.g.byName["lastspike"], false)
		return l.b.NotB(l.b.LtI(l.b.SubI(now, l.b.I(v.g.refSteps())), l.b.Load(last)))
	}
	slot, uniform := l.variable(v, false)
	if uniform {
		return l.b.Uniform(slot, ir.Range{})
	}
	return l.b.Load(slot)
}

// Store implements eqn.Machine.
func (l *lanes) Store(s *eqn.Symbol, x ir.Value) { l.store(s.Ref.(*Variable), false, x) }

func (l *lanes) store(v *Variable, low bool, x ir.Value) {
	slot, uniform := l.variable(v, low)
	if uniform {
		return // a shared variable: its own single-lane stage stores it
	}
	if l.mask != ir.None {
		x = l.b.Sel(l.mask, x, l.b.Load(slot))
	}
	if l.respect && v.unlessRef && v.g.refKind != refNone {
		x = l.b.Sel(l.Load(v.g.byName["not_refractory"].sym), x, l.b.Load(slot))
	}
	l.b.Store(slot, x)
}

// LoadLow implements eqn.Machine.
func (l *lanes) LoadLow(s *eqn.Symbol) ir.Value {
	slot, uniform := l.variable(s.Ref.(*Variable), true)
	if uniform {
		return l.b.Uniform(slot, ir.Range{})
	}
	return l.b.Load(slot)
}

// StoreLow implements eqn.Machine.
func (l *lanes) StoreLow(s *eqn.Symbol, x ir.Value) { l.store(s.Ref.(*Variable), true, x) }

// Add implements eqn.Machine.
func (l *lanes) Add(s *eqn.Symbol, x ir.Value) error {
	if l.sums == nil {
		return fmt.Errorf("%s: sums over synapses do not occur here", s.Name)
	}
	return l.sums(s, x)
}

// Refuse implements eqn.Machine.
func (l *lanes) Refuse(bad ir.Value, what, why string) {
	if l.mask != ir.None {
		bad = l.b.AndB(l.mask, bad)
	}
	t := backend.Trap{Var: 1<<20 + len(l.traps), Name: what, Why: why}
	if l.g != nil {
		t.Object, t.Pop = l.g.Name(), slices.Index(l.n.Groups(), l.g)
	}
	l.b.Trap(bad, len(l.traps))
	l.traps = append(l.traps, t)
}

// Host implements eqn.Machine.
func (l *lanes) Host(h *eqn.HostExpr) ir.Value { return l.host(h) }

// Stream implements eqn.Machine.
func (l *lanes) Stream(s eqn.Site) (uint32, uint32) {
	return l.random.stream(l.site, "", fmt.Sprintf("%s@%d:%d", s.Func, s.At.Line, s.At.Col), l.visit), 0
}

// Item implements eqn.Machine.
func (l *lanes) Item() ir.Value {
	if l.item != nil {
		return l.item()
	}
	return l.b.Lane()
}

// Array implements eqn.Machine.
func (l *lanes) Array(ta *eqn.TimedArray, row, col ir.Value) ir.Value {
	at := row
	if col != ir.None {
		at = l.b.AddI(l.b.MulI(row, l.b.I(int32(ta.Cols))), col)
	}
	name := fmt.Sprintf("%s@%p", ta.Name, ta)
	words, most := timedWords(ta)
	r := ir.Range{}
	if most > 1<<40 {
		r = ir.Range{Lo: -most, Hi: most, Tiny: ir.FlushStore}
	}
	return l.b.Gather(l.slot(name, ir.Table, ir.F32, memory{data: words, key: name}), at, r)
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

// as converts a value to the type that a symbol's words have.
func as(b *ir.Builder, x ir.Value, from eqn.Type, s *eqn.Symbol) ir.Value {
	switch to := irType(s); {
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

// evalWords works an expression out for every neuron of a span, now, as words
// of the target's type: conditions of an index, subexpressions.
func (g *NeuronGroup) evalWords(w Work, s span, x eqn.Expr, target *eqn.Symbol) ([]uint32, error) {
	return g.evalVisit(w, s, x, target, g.drawVisit(target))
}

// drawVisit numbers a visit to the place that gives a variable's values.
func (g *NeuronGroup) drawVisit(target *eqn.Symbol) uint32 {
	return g.net.random.visit("init\x00" + g.net.random.draws(g) + "\x00" + target.Name)
}

// evalVisit is evalWords on a numbered visit of the place, which tells apart
// what is drawn there.
func (g *NeuronGroup) evalVisit(w Work, s span, x eqn.Expr, target *eqn.Symbol, visit uint32) ([]uint32, error) {
	words, typ, err := g.evaluate(w, s, x, target, visit)
	for k := 0; k < len(words) && err == nil; k++ {
		if k%(1<<20) == 1<<20-1 && w.Err() != nil {
			return nil, w.Err()
		}
		if words[k], err = wordOf(target, g.net.dt, words[k], typ, mostShown); err != nil {
			err = fmt.Errorf("%s[%d]: %w", g.Name(), s.lo+k, err)
		}
	}
	return words, err
}

// evaluate works an expression out for every neuron of a span, now. Its words are
// of its own type, floats as they come.
func (g *NeuronGroup) evaluate(w Work, s span, x eqn.Expr, target *eqn.Symbol, visit uint32) ([]uint32, eqn.Type, error) {
	sc := g.scope(g.net.externals()).sized(s)
	l := newLanes(g.net, g, "value of "+target.Name, "init\x00"+g.net.random.draws(g)+"\x00"+target.Name)
	l.visit = visit
	l.off, l.ago = s.lo, 1
	var bad error
	l.host = nowHost(l.b, g.net.clock.step, &bad)
	v, typ, dim, err := eqn.LowerExpr(l.b, x, sc, l)
	if err == nil {
		err = bad
	}
	if err != nil {
		return nil, typ, sc.explain(err)
	}
	if dim != target.Dim {
		if n, ok := x.(*eqn.Num); !ok || n.Value != 0 {
			return nil, typ, errorAt(x.Pos(), "%s has the unit %v, but %q has %v", target.Name, target.Dim, x.String(), dim)
		}
	}
	if err := w.Room(4*int64(s.hi-s.lo), "%s: %d values of %q", g.Name(), s.hi-s.lo, x); err != nil {
		return nil, typ, err
	}
	words := make([]uint32, s.hi-s.lo)
	out := l.slot("out", ir.Array, irType(&eqn.Symbol{Type: typ}), memory{})
	l.b.StoreRaw(out, v)
	p, err := l.b.Prog()
	if err != nil {
		return nil, typ, err
	}
	env := l.env(s)
	env.Slots[out] = words
	return words, typ, runProg(w, p, l.traps, new(*vm.Code), env, s.hi-s.lo)
}

// env binds the slots of a program to the host's words, from neuron lo on.
func (l *lanes) env(s span) *ir.Env {
	e := &ir.Env{Slots: make([][]uint32, len(l.mem)), Lane0: uint32(s.lo), Step: uint32(l.n.step), Seed: l.n.key(), Drawn: uint32(l.n.drawnFrom())}
	for k, m := range l.mem {
		switch {
		case m.data != nil:
			e.Slots[k] = m.data
		case m.v != nil:
			w := m.v.words
			if m.low {
				w = m.v.low
			}
			if !m.v.shared {
				w = w[s.lo:s.hi]
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
			return fmt.Errorf("%s.%s[%d] %s", t.Object, t.Name, at, t.Why)
		}
	}
	return nil
}
