package engine

import (
	"fmt"
	"slices"
	"strings"

	"synfire/engine/eqn"
	"synfire/engine/ir"
)

// Cells is a group of neurons or a range of one: what synapses connect and
// monitors watch.
type Cells interface {
	Name() string
	N() int
	span() span
}

// span is neurons lo to hi-1 of a group.
type span struct {
	g      *NeuronGroup
	lo, hi int
}

// GroupOptions are the arguments of NeuronGroup beside its size and equations.
type GroupOptions struct {
	Name       string
	Threshold  string            // condition; "" : never spikes
	Reset      string            // statements
	Refractory any               // nil, a Quantity (time) or a string (time or condition)
	Method     string            // "" : Brian2's choice
	Events     map[string]string // custom events: name and condition
	Namespace  map[string]any
	Dt         float64
	Order      int
}

// NeuronGroup is a population whose neurons share equations. PoissonGroup and
// SpikeGeneratorGroup are NeuronGroups too.
type NeuronGroup struct {
	Object
	n         int
	eqs       *eqn.Equations
	method    string
	namespace map[string]any
	vars      []*Variable
	byName    map[string]*Variable

	threshold  eqn.Expr
	reactions  []*reaction
	refractory eqn.Expr // nil: none; a Num in seconds carries refTime
	refTime    float64  // constant refractory period in seconds
	refKind    refKind
	events     []*groupEvent // the first is "spike" where there is one
	regular    []*regular
	generator  *generator
}

type refKind uint8

const (
	refNone refKind = iota
	refConst
	refExpr // a time or a condition, decided by its units
)

// groupEvent is an event of a group: its condition, what runs on it, and the
// masks of the steps that are still in flight.
type groupEvent struct {
	name   string
	cond   eqn.Expr
	when   string // the slot where the condition is looked at
	order  int
	masks  []uint32 // rows of the last history steps, by step modulo history
	hist   int
	counts uint64 // events so far
}

// regular is a run_regularly operation.
type regular struct {
	Object
	src   span
	code  []eqn.Stmt
	every float64
}

// RegularOptions are the arguments of run_regularly.
type RegularOptions struct {
	Name  string
	Dt    float64 // interval in seconds, 0: every step
	When  string  // "" : start
	Order int
}

// NeuronGroup adds a population of N neurons described by model.
func (n *Network) NeuronGroup(N int, model string, o GroupOptions) (*NeuronGroup, error) {
	g, err := n.newGroup(N, model, o)
	if err != nil {
		return nil, err
	}
	return g, n.register(g, o.Name, "neurongroup")
}

// newGroup makes a group that is not yet part of the network.
func (n *Network) newGroup(N int, model string, o GroupOptions) (*NeuronGroup, error) {
	if N < 1 || N > 1<<31-64 {
		return nil, fmt.Errorf("NeuronGroup: N must be between 1 and 2^31-64, got %d", N)
	}
	g := &NeuronGroup{n: N, method: o.Method, namespace: o.Namespace, byName: map[string]*Variable{}}
	g.net = n
	g.order = o.Order
	if err := n.sameClock(o.Dt, "NeuronGroup"); err != nil {
		return nil, err
	}
	src := n.source(model)
	eqs, err := eqn.ParseEquations(src)
	if err != nil {
		return nil, err
	}
	g.eqs = eqs
	if o.Threshold != "" {
		x, err := eqn.ParseExpr(n.source(o.Threshold))
		if err != nil {
			return nil, err
		}
		g.threshold = x
		g.events = append(g.events, &groupEvent{name: "spike", cond: x, when: "thresholds", order: g.order})
	}
	if strings.TrimSpace(o.Reset) != "" {
		if o.Threshold == "" {
			return nil, fmt.Errorf("NeuronGroup: a reset needs a threshold")
		}
		code, err := eqn.ParseStatements(n.source(o.Reset))
		if err != nil {
			return nil, err
		}
		g.reactions = append(g.reactions, &reaction{event: "spike", code: code, what: "reset=", when: "resets", order: g.order})
	}
	if err := g.setRefractory(o.Refractory); err != nil {
		return nil, err
	}
	for _, name := range sortedKeys(o.Events) {
		x, err := eqn.ParseExpr(n.source(o.Events[name]))
		if err != nil {
			return nil, err
		}
		g.events = append(g.events, &groupEvent{name: name, cond: x, when: "after_thresholds", order: g.order})
	}
	if err := g.declare(); err != nil {
		return nil, err
	}
	for _, r := range g.reactions {
		keepSteps(r.code, g.lookup)
	}
	return g, nil
}

func (g *NeuronGroup) setRefractory(r any) error {
	switch r := r.(type) {
	case nil:
		return nil
	case bool:
		if r {
			return fmt.Errorf("refractory=True is not a time: give a time or a condition")
		}
		return nil
	case Quantity:
		if r.Dim != second {
			return fmt.Errorf("refractory= needs a time, got %v", r)
		}
		if r.Value < 0 {
			return fmt.Errorf("refractory= must not be negative, got %v", r)
		}
		g.refKind, g.refTime = refConst, r.Value
	case string:
		x, err := eqn.ParseExpr(g.net.source(r))
		if err != nil {
			return err
		}
		g.refKind, g.refractory = refExpr, x
	default:
		return fmt.Errorf("refractory= takes a time, a condition or False, got %T", r)
	}
	if g.threshold == nil {
		return fmt.Errorf("refractory= needs a threshold")
	}
	return nil
}

var (
	second   = eqn.Dim{eqn.Second: 120}
	hertz    = eqn.Dim{eqn.Second: -120}
	reserved = []string{"t", "dt", "i", "N", "j", "xi", "t_in_timesteps"}
)

// fits refuses a group whose neurons the memory does not hold when they run: each
// variable is kept by the host and by the program, and read once more for the hash.
func (g *NeuronGroup) fits() error {
	vars := 0
	if g.refKind != refNone {
		vars = 2 // not_refractory, lastspike
	}
	for _, e := range g.eqs.List {
		if !slices.Contains(e.Flags, "shared") && (e.Kind != eqn.Sub || slices.Contains(e.Flags, "constant over dt")) {
			vars++
		}
	}
	return Work{}.Room(4*int64(g.n)*int64(2*vars+1), "a group of %d neurons with %d variables each", g.n, vars)
}

// declare makes the variables that the equations and the options call for.
func (g *NeuronGroup) declare() error {
	if err := g.fits(); err != nil {
		return err
	}
	add := func(name string, dim eqn.Dim, t eqn.Type) *Variable {
		v := &Variable{g: g, name: name, n: g.n}
		v.sym = &eqn.Symbol{Name: name, Kind: eqn.Variable, Dim: dim, Type: t, Ref: v}
		g.vars = append(g.vars, v)
		g.byName[name] = v
		return v
	}
	i := add("i", eqn.Dim{}, eqn.Integer)
	i.sym.ReadOnly, i.sym.Constant, i.builtin = true, true, true
	if g.refKind != refNone {
		nr := add("not_refractory", eqn.Dim{}, eqn.Boolean)
		nr.alloc(1)
		ls := add("lastspike", second, eqn.Float)
		ls.sym.Steps = true
		ls.alloc(stepsWord(-1e4, g.net.dt))
	}
	for _, e := range g.eqs.List {
		if g.byName[e.Name] != nil || slices.Contains(reserved, e.Name) {
			return errorAt(e.At, "%q is defined twice, or is a name that every group has", e.Name)
		}
		if err := notAnEnd(e); err != nil {
			return err
		}
		v := add(e.Name, e.Dim, e.Type)
		v.eq = e
		flags := map[string]bool{}
		for _, f := range e.Flags {
			flags[f] = true
		}
		for _, f := range []string{"linked", "summed", "event-driven", "clock-driven"} {
			if flags[f] {
				return errorAt(e.At, "the flag (%s) is not available here", f)
			}
		}
		v.shared = flags["shared"]
		v.unlessRef = flags["unless refractory"]
		v.sym.Shared = v.shared
		v.sym.Constant = flags["constant"] && e.Kind == eqn.Parameter
		v.sym.ReadOnly = e.Kind == eqn.Sub
		if v.shared {
			v.n = 1
		}
		if v.unlessRef && g.refKind == refNone && g.threshold == nil {
			g.net.warn("%s: (unless refractory) has no effect on %s: the group has neither threshold= nor refractory=", g.Name(), e.Name)
			v.unlessRef = false
		}
		switch e.Kind {
		case eqn.Sub:
			v.sym.Kind, v.sym.Expr = eqn.Subexpression, e.X
			if flags["constant over dt"] {
				v.overDt = true
				v.sym.Kind, v.sym.Expr, v.sym.ReadOnly = eqn.Variable, nil, true
				v.alloc(0)
			}
		default:
			v.alloc(0)
		}
	}
	return nil
}

// notAnEnd refuses names that Synapses use for the variables at their ends.
func notAnEnd(e *eqn.Equation) error {
	for _, suffix := range []string{"_pre", "_post"} {
		if strings.HasSuffix(e.Name, suffix) {
			return eqn.At(e.At, "give it another name", "'%s' cannot be the name of a variable: in Synapses, names that end in _pre and _post are the variables of the neurons at their ends", e.Name)
		}
	}
	return nil
}

func (n *Network) sameClock(dt float64, what string) error {
	if dt != 0 && dt != n.dt {
		return fmt.Errorf("%s: dt=%g s differs from defaultclock.dt=%g s: several time steps in one network are not available yet", what, dt, n.dt)
	}
	return nil
}

// N is the number of neurons.
func (g *NeuronGroup) N() int { return g.n }

func (g *NeuronGroup) span() span { return span{g, 0, g.n} }

func (g *NeuronGroup) dt() float64 { return g.net.dt }

func (g *NeuronGroup) hasEvent(name string) bool { return g.event(name) != nil }

func (g *NeuronGroup) event(name string) *groupEvent {
	for _, e := range g.events {
		if e.name == name {
			return e
		}
	}
	return nil
}

func (g *NeuronGroup) lookup(name string) *Variable { return g.byName[name] }

// VarNames lists the group's variables.
func (g *NeuronGroup) VarNames() []string {
	var out []string
	for _, v := range g.vars {
		out = append(out, v.name)
	}
	return out
}

// Var finds a variable, parameter or subexpression.
func (g *NeuronGroup) Var(name string) (*Var, error) { return spanVar(g.span(), name) }

// Sub is the range of neurons lo to hi-1.
func (g *NeuronGroup) Sub(lo, hi int) (*Subgroup, error) { return subgroup(g.span(), g.Name(), lo, hi) }

// RunRegularly runs code for every neuron at fixed intervals.
func (g *NeuronGroup) RunRegularly(code string, o RegularOptions) error {
	return runRegularly(g.span(), code, o)
}

// Subgroup is a range of a group's neurons; indices count from its start.
type Subgroup struct {
	s span
}

func subgroup(s span, name string, lo, hi int) (*Subgroup, error) {
	if lo < 0 || hi > s.hi-s.lo || lo > hi {
		return nil, fmt.Errorf("%s[%d:%d] is outside the group, which has %d neurons", name, lo, hi, s.hi-s.lo)
	}
	if lo == hi {
		return nil, fmt.Errorf("%s[%d:%d] is empty", name, lo, hi)
	}
	return &Subgroup{span{s.g, s.lo + lo, s.lo + hi}}, nil
}

// Name is the group's name with the range.
func (s *Subgroup) Name() string { return fmt.Sprintf("%s[%d:%d]", s.s.g.Name(), s.s.lo, s.s.hi) }

// Bounds are the first neuron of the range and the one behind its last.
func (s *Subgroup) Bounds() (lo, hi int) { return s.s.lo, s.s.hi }

// N is the number of neurons in the range.
func (s *Subgroup) N() int { return s.s.hi - s.s.lo }

func (s *Subgroup) span() span { return s.s }

// Var finds a variable, seen through the range.
func (s *Subgroup) Var(name string) (*Var, error) { return spanVar(s.s, name) }

// Sub is a range of the range.
func (s *Subgroup) Sub(lo, hi int) (*Subgroup, error) { return subgroup(s.s, s.Name(), lo, hi) }

// RunRegularly runs code for the neurons of the range at fixed intervals.
func (s *Subgroup) RunRegularly(code string, o RegularOptions) error {
	return runRegularly(s.s, code, o)
}

// Group is the group that the range belongs to.
func (s *Subgroup) Group() *NeuronGroup { return s.s.g }

// cells is the whole group where the span is.
func (s span) cells() Cells {
	if s.lo == 0 && s.hi == s.g.n {
		return s.g
	}
	return &Subgroup{s}
}

// Group returns itself, as Subgroup does its own.
func (g *NeuronGroup) Group() *NeuronGroup { return g }

func runRegularly(s span, code string, o RegularOptions) error {
	n := s.g.net
	stmts, err := eqn.ParseStatements(n.source(code))
	if err != nil {
		return err
	}
	if o.Dt != 0 {
		if _, err := n.multiple(o.Dt, "run_regularly"); err != nil {
			return err
		}
	}
	r := &regular{src: s, code: stmts, every: o.Dt}
	r.when, r.order = o.When, o.Order
	if r.when == "" {
		r.when = "start"
	}
	s.g.regular = append(s.g.regular, r)
	keepSteps(stmts, s.g.lookup)
	return n.register(r, o.Name, s.g.auto+"_run_regularly")
}

// multiple turns an interval into whole steps of the clock.
func (n *Network) multiple(interval float64, what string) (int64, error) {
	k := interval / n.dt
	r := roundHalf(k)
	if r < 1 || absf(k-r) > 1e-4*k {
		return 0, fmt.Errorf("%s: dt=%g s is not a multiple of the clock's dt=%g s", what, interval, n.dt)
	}
	return int64(min(r, ir.FarStep)), nil
}

func spanVar(s span, name string) (*Var, error) {
	v := s.g.lookup(name)
	if v == nil {
		return nil, unknown(name, "variable of "+s.g.Name(), s.g.VarNames())
	}
	return &Var{v: v, lo: s.lo, hi: s.hi}, nil
}
