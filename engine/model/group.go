package model

import (
	"fmt"
	"slices"
	"strings"

	"synfire/engine/eqn"
)

// Cells is a group of neurons or a range of one: what synapses connect and
// monitors watch.
type Cells interface {
	Name() string
	N() int
	Span() Span
}

// Span is neurons lo to hi-1 of a group.
type Span struct {
	Group  *NeuronGroup // whose neurons
	Lo, Hi int          // neurons Lo to Hi-1
}

// GroupOptions are the arguments of NeuronGroup beside its size and equations.
type GroupOptions struct {
	Name       string            // "": the script's variable, else Brian2's automatic name
	Threshold  string            // condition; "" : never spikes
	Reset      string            // statements
	Refractory any               // nil, a Quantity (time) or a string (time or condition)
	Method     string            // "" : Brian2's choice
	Substeps   int               // of rk2 and rk4 in a step; 0: as Longest says
	Longest    float64           // substep of rk2 and rk4 in seconds; 0: the step
	Slow       float64           // a variable that loses less than this part of itself in a step has a second word; 0: 2^-14
	Events     map[string]string // custom events: name and condition
	Namespace  map[string]any    // names for this object's texts
	Dt         float64           // seconds; 0: the default clock's
	Order      int               // within a slot of the step
}

// NeuronGroup is a population whose neurons share equations. PoissonGroup and
// SpikeGeneratorGroup are NeuronGroups too.
type NeuronGroup struct {
	Mirror *Synapses // these, as an end of others; nil: neurons
	Owner
	Size int // neurons

	threshold  eqn.Expr
	Reactions  []*Reaction   // code of events: reset= and run_on_event
	Refractory eqn.Expr      // nil: none; a Num in seconds carries refTime
	refTime    float64       // constant refractory period in seconds
	RefKind    refKind       // whether the period is none, a constant or worked out
	Events     []*GroupEvent // the first is "spike" where there is one
	regular    []*Regular
	Generator  *generator // of a SpikeGeneratorGroup, else nil
}

type refKind uint8

// What refractory= is: nothing, one time for all, or
const (
	RefNone refKind = iota
	RefConst
	RefExpr // a time or a condition, decided by its units
)

// GroupEvent is an event of a group: its condition, what runs on it, and the
// masks of the steps that are still in flight.
type GroupEvent struct {
	Name   string   // "spike" or a custom one
	Cond   eqn.Expr // true of the neurons that have it; nil of generators
	When   string   // the slot where the condition is looked at
	Order  int      // within the slot
	Masks  []uint32 // rows of the last history steps, by step modulo history
	Hist   int      // rows of Masks
	Counts uint64   // events so far
	last   []uint32 // the neurons that had it in the last step of the group
}

// Regular is a run_regularly operation.
type Regular struct {
	Object
	Src  Span       // the neurons for which it runs, or
	Syn  *Synapses  // the synapses
	Code []eqn.Stmt // its statements
}

// suffix is what its automatic name has behind the owner's.
func (r *Regular) suffix() string {
	if r.moments != nil {
		return "_run_at"
	}
	return "_run_regularly"
}

// RegularOptions are the arguments of run_regularly.
type RegularOptions struct {
	Name  string    // "": Brian2's automatic name
	Dt    float64   // interval in seconds, 0: every step
	Times []float64 // in seconds; not nil: it runs at these times, as Brian2's run_at
	When  string    // "" : start
	Order int       // within the slot
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
	g := &NeuronGroup{Owner: Owner{Method: o.Method, Substeps: o.Substeps, Longest: o.Longest, Slow: o.Slow, Namespace: o.Namespace}, Size: N}
	g.Net = n
	g.InSlot, g.ownDt = o.Order, o.Dt
	if err := checkDt(o.Dt, "NeuronGroup"); err != nil {
		return nil, err
	}
	src := n.source(model)
	eqs, err := eqn.ParseEquations(src)
	if err != nil {
		return nil, err
	}
	g.Eqs = eqs
	if o.Substeps == 0 && o.Longest > 0 {
		o.Substeps = 1 // for the check
	}
	if o.Longest < 0 || o.Slow < 0 || o.Slow > 1 {
		return nil, argErrorf("method_options", "NeuronGroup: method_options=: longest= is a time above 0, slow= a number between 0 and 1")
	}
	if err := n.checkMethod("NeuronGroup", o.Method, o.Substeps, eqs); err != nil {
		return nil, err
	}
	if o.Threshold != "" {
		x, err := eqn.ParseExpr(n.source(o.Threshold))
		if err != nil {
			return nil, err
		}
		g.threshold = x
		g.Events = append(g.Events, &GroupEvent{Name: "spike", Cond: x, When: "thresholds", Order: g.InSlot})
	}
	if strings.TrimSpace(o.Reset) != "" {
		if o.Threshold == "" {
			return nil, fmt.Errorf("NeuronGroup: a reset needs a threshold")
		}
		code, err := eqn.ParseStatements(n.source(o.Reset))
		if err != nil {
			return nil, err
		}
		g.Reactions = append(g.Reactions, &Reaction{Event: "spike", Code: code, What: "reset=", When: "resets", Order: g.InSlot})
	}
	if err := g.setRefractory(o.Refractory); err != nil {
		return nil, err
	}
	for _, name := range sortedKeys(o.Events) {
		if !isName(name) || g.hasEvent(name) {
			return nil, argErrorf("events", "NeuronGroup: events= has %q, which cannot name an event or names one that there is already", name)
		}
		x, err := eqn.ParseExpr(n.source(o.Events[name]))
		if err != nil {
			return nil, err
		}
		g.Events = append(g.Events, &GroupEvent{Name: name, Cond: x, When: "after_thresholds", Order: g.InSlot})
	}
	if err := g.declare(); err != nil {
		return nil, err
	}
	for _, r := range g.Reactions {
		keepSteps(r.Code, g.lookup)
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
		if r.Dim != Second {
			return fmt.Errorf("refractory= needs a time, got %v", r)
		}
		if r.Value < 0 {
			return fmt.Errorf("refractory= must not be negative, got %v", r)
		}
		g.RefKind, g.refTime = RefConst, r.Value
	case string:
		x, err := eqn.ParseExpr(g.Net.source(r))
		if err != nil {
			return err
		}
		g.RefKind, g.Refractory = RefExpr, x
	default:
		return fmt.Errorf("refractory= takes a time, a condition or False, got %T", r)
	}
	if g.threshold == nil {
		return fmt.Errorf("refractory= needs a threshold")
	}
	return nil
}

// Second is the dimension of times.
var (
	Second   = eqn.Dim{eqn.Second: 120}
	hertz    = eqn.Dim{eqn.Second: -120}
	reserved = []string{"t", "dt", "i", "N", "j", "xi", "t_in_timesteps"}
)

// fits refuses a group whose neurons the memory does not hold when they run: each
// variable is kept by the host and by the program, and read once more for the hash.
func (g *NeuronGroup) fits() error {
	vars := 0
	if g.RefKind != RefNone {
		vars = 2 // not_refractory, lastspike
	}
	for _, e := range g.Eqs.List {
		if !slices.Contains(e.Flags, "shared") && (e.Kind != eqn.Sub || slices.Contains(e.Flags, "constant over dt")) {
			vars++
		}
	}
	return Work{}.Room(4*int64(g.Size)*int64(2*vars+1), "a group of %d neurons with %d variables each", g.Size, vars)
}

// declare makes the variables that the equations and the options call for.
func (g *NeuronGroup) declare() error {
	if err := g.fits(); err != nil {
		return err
	}
	own := func(name string, dim eqn.Dim, t eqn.Type) *Variable {
		return g.Declare(&Variable{Group: g, Name: name, Count: g.Size}, dim, t)
	}
	i := own("i", eqn.Dim{}, eqn.Integer)
	i.Symbol.ReadOnly, i.Symbol.Constant, i.Builtin = true, true, true
	if g.RefKind != RefNone {
		own("not_refractory", eqn.Dim{}, eqn.Boolean).Alloc(1)
		ls := own("lastspike", Second, eqn.Float)
		ls.Symbol.Steps = true
		ls.Alloc(stepsWord(-1e4, g.Net.StepSize))
	}
	for _, e := range g.Eqs.List {
		v := &Variable{Group: g, Name: e.Name, Count: g.Size}
		if err := g.DeclareEquation(v, e, reserved, "every group has", func(flag string) string {
			switch flag {
			case "linked":
				if e.Kind == eqn.Parameter && !e.Has("shared") {
					return ""
				}
				return "a linked variable is written 'x : unit (linked)'"
			case "summed", "event-driven", "clock-driven":
				return "a variable of neurons is a differential equation, a parameter or a subexpression"
			}
			return ""
		}); err != nil {
			return err
		}
		if v.Shared {
			v.Count = 1
		}
		if v.UnlessRef = e.Has("unless refractory"); v.UnlessRef && g.RefKind == RefNone && g.threshold == nil {
			g.Net.Warn("%s: (unless refractory) has no effect on %s: the group has neither threshold= nor refractory=", g.Name(), e.Name)
			v.UnlessRef = false
		}
		v.OverDt = e.Kind == eqn.Sub && e.Has("constant over dt")
		switch {
		case e.Has("linked"):
			v.Symbol.ReadOnly = true
		case e.Kind != eqn.Sub, v.OverDt:
			v.Alloc(0)
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

// N is the number of neurons.
func (g *NeuronGroup) N() int { return g.Size }

// Span is all neurons of the group.
func (g *NeuronGroup) Span() Span { return Span{g, 0, g.Size} }

func (g *NeuronGroup) hasEvent(name string) bool { return g.Event(name) != nil }

// Event is the event of a name; nil: the group has none.
func (g *NeuronGroup) Event(name string) *GroupEvent {
	for _, e := range g.Events {
		if e.Name == name {
			return e
		}
	}
	return nil
}

func (g *NeuronGroup) lookup(name string) *Variable { return g.ByName[name] }

// VarNames lists the group's variables.
func (g *NeuronGroup) VarNames() []string { return g.declared() }

// Var finds a variable, parameter or subexpression.
func (g *NeuronGroup) Var(name string) (*Var, error) { return spanVar(g.Span(), name) }

// Sub is the range of neurons lo to hi-1.
func (g *NeuronGroup) Sub(lo, hi int) (*Subgroup, error) { return subgroup(g.Span(), g.Name(), lo, hi) }

// RunRegularly runs code for every neuron at fixed intervals.
func (g *NeuronGroup) RunRegularly(code string, o RegularOptions) (*Regular, error) {
	return runRegularly(g.Span(), code, o)
}

// notNil refuses a group that is nil: what is the argument's name for errors.
func notNil(what string, c Cells) error {
	switch x := c.(type) {
	case nil:
	case *NeuronGroup:
		if x != nil {
			return nil
		}
	case *Subgroup:
		if x != nil {
			return nil
		}
	}
	return fmt.Errorf("%s: a group of neurons was expected, got nil", what)
}

// Subgroup is a range of a group's neurons; indices count from its start.
type Subgroup struct {
	s Span
}

func subgroup(s Span, name string, lo, hi int) (*Subgroup, error) {
	if lo < 0 || hi > s.Hi-s.Lo || lo > hi {
		return nil, eqn.As(eqn.BadIndex, fmt.Errorf("%s[%d:%d] is outside the group, which has %d neurons", name, lo, hi, s.Hi-s.Lo))
	}
	if lo == hi {
		return nil, fmt.Errorf("%s[%d:%d] is empty", name, lo, hi)
	}
	return &Subgroup{Span{s.Group, s.Lo + lo, s.Lo + hi}}, nil
}

// Name is the group's name with the range.
func (s *Subgroup) Name() string { return fmt.Sprintf("%s[%d:%d]", s.s.Group.Name(), s.s.Lo, s.s.Hi) }

// Bounds are the first neuron of the range and the one behind its last.
func (s *Subgroup) Bounds() (lo, hi int) { return s.s.Lo, s.s.Hi }

// N is the number of neurons in the range.
func (s *Subgroup) N() int { return s.s.Hi - s.s.Lo }

// Span is the range.
func (s *Subgroup) Span() Span { return s.s }

// Var finds a variable, seen through the range.
func (s *Subgroup) Var(name string) (*Var, error) { return spanVar(s.s, name) }

// Sub is a range of the range.
func (s *Subgroup) Sub(lo, hi int) (*Subgroup, error) { return subgroup(s.s, s.Name(), lo, hi) }

// RunRegularly runs code for the neurons of the range at fixed intervals.
func (s *Subgroup) RunRegularly(code string, o RegularOptions) (*Regular, error) {
	return runRegularly(s.s, code, o)
}

// Group is the group that the range belongs to.
func (s *Subgroup) Group() *NeuronGroup { return s.s.Group }

// cells is the whole group where the span is.
func (s Span) cells() Cells {
	if s.Lo == 0 && s.Hi == s.Group.Size {
		return s.Group
	}
	return &Subgroup{s}
}

// Group returns itself, as Subgroup does its own.
func (g *NeuronGroup) Group() *NeuronGroup { return g }

func runRegularly(s Span, code string, o RegularOptions) (*Regular, error) {
	n := s.Group.Net
	stmts, err := eqn.ParseStatements(n.source(code))
	if err != nil {
		return nil, err
	}
	if err := checkDt(o.Dt, "run_regularly"); err != nil {
		return nil, err
	}
	r := &Regular{Src: s, Code: stmts}
	r.ownDt, r.of = o.Dt, &s.Group.Object
	if err := r.acts(o.Times, "run_at"); err != nil {
		return nil, err
	}
	if err := r.place(o.When, "start", o.Order); err != nil {
		return nil, err
	}
	s.Group.regular = append(s.Group.regular, r)
	keepSteps(stmts, s.Group.lookup)
	return r, n.register(r, o.Name, s.Group.AutoName+r.suffix())
}

func spanVar(s Span, name string) (*Var, error) {
	v := s.Group.lookup(name)
	if v == nil {
		return nil, unknown(name, "variable of "+s.Group.Name(), s.Group.VarNames())
	}
	return &Var{v: v, lo: s.Lo, hi: s.Hi}, nil
}
