package model

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"synfire/engine/connect"
	"synfire/engine/eqn"
)

// Pathway is code that runs for a synapse when a neuron at one end spikes.
type Pathway struct {
	Name string // "pre", "post", or a name of the script's
	Code string // statements, such as "v_post += w"
}

// SynapsesOptions are the arguments of Synapses beside its two ends.
type SynapsesOptions struct {
	Name, Model, Method string            // name=; the equations; the integration method
	Substeps            int               // of rk2 and rk4 in a step; 0: one
	OnPre, OnPost       []Pathway         // code for spikes of the source, and of the target
	OnEvent             map[string]string // pathway name -> event, "spike" where absent
	Delay               any               // Quantity: of the pathway "pre"
	Delays              map[string]any    // of pathways by name
	Namespace           map[string]any    // names for this object's texts
	Dt                  float64           // seconds; 0: the default clock's
	Order               int               // of the object; pathways have their own (SetOrder)
	When                string            // the slot of the pathways; "": synapses. Before the thresholds no delay may be 0
	Multisynaptic       string            // the name of a synapse's number among those of its pair; "": none
}

// Synapses are the connections from one group to another.
type Synapses struct {
	Owner
	Src, Tgt Span    // the two ends
	parts    [2]bool // an end is a subgroup
	srcName  string
	tgtName  string
	number   *Variable              // multisynaptic_index
	Paths    []*Path                // pre pathways, then post ones
	Conns    []*Conn                // one for each connect call
	Driven   []*Driven              // its event-driven equations
	Summed   []*Summed              // its summed variables
	Hidden   []*Variable            // what it keeps beside its variables
	mirror   *NeuronGroup           // it, as an end of other Synapses
	ends     map[string]*eqn.Symbol // x_pre, x_post, i, j, ... by name
	specs    map[string]*connect.Spec
}

// Path is the code of a pathway and the delays with which it runs.
type Path struct {
	Name  string     // "pre", "post" or the script's
	Post  bool       // it runs for spikes of the target
	Event string     // to which it listens
	When  string     // the slot in which it runs
	Order int        // among pathways of a step
	Code  []eqn.Stmt // its statements
	Delay *Variable  // its delays, in seconds
	Last  *Variable  // the step of its last event, where equations are event-driven
	past  []*Life    // with delays since replaced, in the order of their ends
	open  []*Life    // with the delays of now, one for each conn

	Inactive bool // it does not run
	rests    bool // see Rests
	asleep   bool // it did not run in the last run
}

// Life is the spikes that the synapses of one conn carry with one set of
// delays: those of steps first to last. A spike keeps the delay with which it
// left, and none reaches a synapse that is younger (design section 4). Until its
// Synapses has run, which is when it is known in which network, first says
// nothing: the life begins with the first run.
type Life struct {
	Conn        int // index in Synapses.Conns
	delays      Held
	first, Last int64   // steps of emission
	longest     int     // delay in steps, once planned
	Groups      *Groups // of its synapses, where their delays differ and something is kept by delay
}

// Conn is one call of connect.
type Conn struct {
	Proj *connect.Proj // what it connects
	n    int           // synapses, -1: not counted yet
}

// Held is the values of one conn's synapses: an expression that is worked out
// when it is needed, values by synapse, or one value in SI units.
type Held struct {
	Value float64   // SI; where neither List nor Lazy is set
	List  *list     // by synapse
	Lazy  *lazyExpr // a text, worked out when it is needed
	Near  *nearby   // words by neuron, equal for all synapses of one
}

// Synapses connects source to target; connect makes the synapses.
func (n *Network) Synapses(source, target Cells, o SynapsesOptions) (*Synapses, error) {
	for what, c := range map[string]Cells{"source": source, "target": target} {
		if err := notNil("Synapses: "+what, c); err != nil {
			return nil, err
		}
	}
	s := &Synapses{Src: source.Span(), Tgt: target.Span(), srcName: source.Name(), tgtName: target.Name(),
		Owner: Owner{Method: o.Method, Substeps: o.Substeps, Namespace: o.Namespace}, ends: map[string]*eqn.Symbol{}, specs: map[string]*connect.Spec{}}
	s.Net, s.InSlot, s.ownDt = n, o.Order, o.Dt
	for k, c := range []Cells{source, target} {
		_, whole := c.(*NeuronGroup)
		s.parts[k] = !whole
	}
	if err := checkDt(o.Dt, "Synapses"); err != nil {
		return nil, err
	}
	eqs, err := eqn.ParseEquations(n.source(o.Model))
	if err != nil {
		return nil, err
	}
	s.Eqs = eqs
	if err := n.checkMethod("Synapses", o.Method, o.Substeps, eqs); err != nil {
		return nil, err
	}
	if o.Order != 0 && !slices.ContainsFunc(eqs.List, func(e *eqn.Equation) bool { return e.Kind == eqn.Differential || e.Has("summed") }) {
		n.Warn("Synapses: order=%d has no effect: it is that of the equations, and there are none; S.pre.order is that of a pathway", o.Order)
	}
	if err := s.declare(); err != nil {
		return nil, err
	}
	if name := o.Multisynaptic; name != "" {
		if !isName(name) {
			return nil, argErrorf("multisynaptic_index", "Synapses: multisynaptic_index=%q cannot name a variable", name)
		}
		if s.ByName[name] != nil || s.End(name) != nil || name == "delay" {
			return nil, argErrorf("multisynaptic_index", "Synapses: multisynaptic_index=%q names a variable that there is already", name)
		}
		s.number = s.Declare(&Variable{Syn: s, Name: name}, eqn.Dim{}, eqn.Integer)
		s.number.Symbol.ReadOnly, s.number.Symbol.Constant = true, true
	}
	for k, list := range [][]Pathway{o.OnPre, o.OnPost} {
		for _, p := range list {
			if err := s.addPathway(p, k == 1, o); err != nil {
				return nil, err
			}
		}
	}
	if err := s.knownPathways(o); err != nil {
		return nil, err
	}
	if err := s.seesNoDriven(); err != nil {
		return nil, err
	}
	s.keepUp()
	if len(s.Driven) > 0 {
		for _, w := range s.Paths {
			w.Last = s.hide(w.Name + "#last")
		}
		y := &eqn.Symbol{Name: "lastupdate", Kind: eqn.Variable, Dim: Second, Steps: true, ReadOnly: true, Ref: LastRef{s}}
		s.ends[y.Name] = y
	}
	for _, w := range s.Paths {
		keepSteps(w.Code, func(name string) *Variable {
			if v := s.ByName[name]; v != nil {
				return v
			}
			if y := s.End(name); y != nil {
				if r, ok := y.Ref.(EndRef); ok {
					return r.Var
				}
			}
			return nil
		})
	}
	return s, n.register(s, o.Name, "synapses")
}

// knownPathways refuses delays and events of pathways that there are not.
func (s *Synapses) knownPathways(o SynapsesOptions) error {
	check := func(arg, name string) error {
		if slices.Contains(s.Pathways(), name) {
			return nil
		}
		if len(s.Paths) == 0 {
			return argErrorf(arg, "Synapses: %s= is of the pathway %q, and there is no pathway: give on_pre= or on_post=", arg, name)
		}
		return argErrorf(arg, "Synapses: %s=: %w (there is %s)", arg, unknown(name, "pathway", s.Pathways()), strings.Join(s.Pathways(), ", "))
	}
	for _, name := range sortedKeys(o.OnEvent) {
		if err := check("on_event", name); err != nil {
			return err
		}
	}
	for _, name := range sortedKeys(o.Delays) {
		if err := check("delay", name); err != nil {
			return err
		}
	}
	if o.Delay != nil {
		if o.Delays["pre"] != nil {
			return argErrorf("delay", "Synapses: the delay of the pathway pre is given twice")
		}
		return check("delay", "pre")
	}
	return nil
}

func (s *Synapses) addPathway(p Pathway, post bool, o SynapsesOptions) error {
	code, err := eqn.ParseStatements(s.Net.source(p.Code))
	if err != nil {
		return err
	}
	w := &Path{Name: p.Name, Post: post, Code: code, When: cmp.Or(o.When, "synapses"), Order: -1, Event: "spike"}
	if _, err := SlotRank(w.When); err != nil {
		return &ArgError{"when", err}
	}
	if post {
		w.Order = 1
	}
	if e := o.OnEvent[p.Name]; e != "" {
		w.Event = e
	}
	if !isName(p.Name) {
		return fmt.Errorf("Synapses: %q cannot name a pathway", p.Name)
	}
	if slices.Contains(s.Pathways(), p.Name) {
		return fmt.Errorf("Synapses: there are two pathways of the name %q", p.Name)
	}
	end := s.Src
	if post {
		end = s.Tgt
	}
	if end.Group.Event(w.Event) == nil {
		which := "source"
		if post {
			which = "target"
		}
		arg := "on_pre"
		if post {
			arg = "on_post"
		}
		if o.OnEvent[p.Name] != "" {
			arg = "on_event"
		}
		return argErrorf(arg, "Synapses: the %s %s has no event %q: %s", which, end.Group.Name(), w.Event, end.Group.lacks(w.Event))
	}
	w.Delay = &Variable{Syn: s, Name: "delay", path: w}
	w.Delay.Symbol = &eqn.Symbol{Name: "delay", Kind: eqn.Variable, Dim: Second, Ref: w.Delay}
	d := o.Delays[p.Name]
	if d == nil && p.Name == "pre" {
		d = o.Delay
	}
	if d != nil {
		q, ok := d.(Quantity)
		if !ok || q.Dim != Second {
			return argErrorf("delay", "Synapses: delay= needs a time, got %v; assign arrays and expressions to S.delay after connect", d)
		}
		w.Delay.later, w.Delay.single = Held{Value: q.Value}, true
	}
	s.Paths = append(s.Paths, w)
	return nil
}

// Col is a variable's column for conn c.
func (v *Variable) Col(c int) Held {
	if c < len(v.cols) {
		return v.cols[c]
	}
	return v.later
}

// fill makes the columns explicit for all conns so far.
func (v *Variable) fill() {
	cols := make([]Held, len(v.Syn.Conns))
	for c := range cols {
		cols[c] = v.Col(c)
	}
	v.cols = cols
}

// Pathways lists the names of the pathways.
func (s *Synapses) Pathways() []string {
	var out []string
	for _, p := range s.Paths {
		out = append(out, p.Name)
	}
	return out
}

func (s *Synapses) pathway(name string) (*Path, error) {
	for _, p := range s.Paths {
		if p.Name == name {
			return p, nil
		}
	}
	return nil, unknown(name, "pathway of "+s.Name(), s.Pathways())
}

// Delay is the delay of a pathway ("" is "pre", or the only one).
func (s *Synapses) Delay(name string) (*Var, error) {
	if name == "" {
		name = "pre"
		if len(s.Paths) == 1 {
			name = s.Paths[0].Name
		}
	}
	p, err := s.pathway(name)
	if err != nil {
		return nil, err
	}
	return &Var{v: p.Delay}, nil
}

// Order is the order of a pathway within its step.
func (s *Synapses) Order(name string) (int, error) {
	p, err := s.pathway(name)
	if err != nil {
		return 0, err
	}
	return p.Order, nil
}

// SetOrder sets the order of a pathway within its step.
func (s *Synapses) SetOrder(name string, order int) error {
	p, err := s.pathway(name)
	if err == nil {
		err = s.Net.still("the order of a pathway")
	}
	if err == nil {
		p.Order = order
	}
	return err
}

// Var finds a variable of the synapses: i, j, delay, N_incoming, N_outgoing or
// one of the model.
func (s *Synapses) Var(name string) (*Var, error) {
	if name == "delay" {
		return s.Delay("")
	}
	if v := s.ByName[name]; v != nil {
		return &Var{v: v}, nil
	}
	if y := s.End(name); y != nil {
		return &Var{v: &Variable{Syn: s, Name: name, Symbol: y}}, nil
	}
	return nil, unknown(name, "variable of "+s.Name(), s.VarNames())
}

// VarNames lists the variables.
func (s *Synapses) VarNames() []string {
	names := append([]string{"i", "j", "delay", "N_incoming", "N_outgoing"}, s.declared()...)
	if len(s.Driven) > 0 {
		names = append(names, "lastupdate")
	}
	return names
}

// N is the number of synapses made so far.
func (s *Synapses) N(w Work) (int, error) {
	total := 0
	for c := range s.Conns {
		n, err := s.Count(w, c)
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

// Count is the number of synapses of connect call c.
func (s *Synapses) Count(w Work, c int) (int, error) {
	k := s.Conns[c]
	if k.n < 0 {
		n, err := k.Proj.Count(w)
		if err != nil {
			return 0, err
		}
		k.n = n
	}
	return k.n, nil
}

// Scope is the names of a synapse's texts: its own variables, i, j, x_pre,
// x_post, then the target's variables without suffix.
func (s *Synapses) Scope(ext *Externals) *Scope {
	dt := &eqn.Symbol{Name: "dt", Kind: eqn.Constant, Dim: Second, Value: s.Dt(), Step: s.Net.StepSize, ReadOnly: true}
	return &Scope{
		ext: ext, object: s.Name(), namespace: s.Namespace,
		Own: func(name string) *eqn.Symbol {
			if name == "dt" {
				return dt
			}
			if v := s.ByName[name]; v != nil {
				return v.Symbol
			}
			return s.End(name)
		},
		ownNames: func() []string {
			out := append(s.VarNames(), "N_pre", "N_post", "dt", "t")
			for _, v := range s.Src.Group.Vars {
				out = append(out, v.Name+"_pre")
			}
			for _, v := range s.Tgt.Group.Vars {
				out = append(out, v.Name+"_post", v.Name)
			}
			return out
		},
	}
}

// EndRef is a variable of the neuron at one end of a synapse.
type EndRef struct {
	Var  *Variable // the neuron's variable
	Post bool      // the target's, else the source's
}

// IndexRef is i, j, or the loop variable of a generator: a column of numbers.
type IndexRef struct{ Name string }

// DegreeRef is N_incoming or N_outgoing.
type DegreeRef struct{ Post bool }

// End resolves the names that come from the ends of a synapse.
func (s *Synapses) End(name string) *eqn.Symbol {
	if y, ok := s.ends[name]; ok {
		if y != nil {
			if r, ok := y.Ref.(EndRef); ok { // a run, or an object made since, may have decided
				y.Steps, y.TwoWords = r.Var.Symbol.Steps, r.Var.Symbol.TwoWords
			}
		}
		return y
	}
	y := &eqn.Symbol{Name: name, Kind: eqn.Variable, Type: eqn.Integer, ReadOnly: true, Constant: true}
	find := func(sp Span, base string, post bool) *eqn.Symbol {
		switch base {
		case "N":
			return &eqn.Symbol{Name: name, Kind: eqn.Constant, Type: eqn.Integer, Value: float64(sp.Hi - sp.Lo), ReadOnly: true}
		case "i":
			y.Ref = IndexRef{map[bool]string{false: "i", true: "j"}[post]}
			return y
		}
		v := sp.Group.ByName[base]
		if v == nil {
			return nil
		}
		z := *v.Symbol
		z.Name, z.Shared = name, v.Shared
		if far, ok := z.Scope.(*linkedScope); ok {
			z.Scope = linkedEnd{far, post}
		} else if z.Kind == eqn.Subexpression {
			z.Scope = &suffixed{s: s, post: post}
		} else {
			z.Ref = EndRef{v, post}
		}
		return &z
	}
	switch {
	case name == "i" || name == "j":
		y.Ref = IndexRef{name}
	case name == "N_incoming" || name == "N_outgoing":
		y.Ref = DegreeRef{name == "N_incoming"}
	case strings.HasSuffix(name, "_pre"):
		y = find(s.Src, strings.TrimSuffix(name, "_pre"), false)
	case strings.HasSuffix(name, "_post"):
		y = find(s.Tgt, strings.TrimSuffix(name, "_post"), true)
	case name == "N":
		return nil
	default:
		y = find(s.Tgt, name, true)
	}
	if y != nil {
		s.ends[name] = y
	}
	return y
}

// suffixed resolves the names of a subexpression of the group at one end.
type suffixed struct {
	s    *Synapses
	post bool
	sc   *Scope
}

// Resolve implements eqn.Scope.
func (x *suffixed) Resolve(name string) *eqn.Symbol {
	sp, suffix := x.s.Src, "_pre"
	if x.post {
		sp, suffix = x.s.Tgt, "_post"
	}
	switch { // i and N of a subexpression are the whole group's
	case name == "N":
		return &eqn.Symbol{Name: name, Kind: eqn.Constant, Type: eqn.Integer, Value: float64(sp.Group.Size), ReadOnly: true}
	case name == "i" && sp.Lo > 0:
		return &eqn.Symbol{Name: name, Kind: eqn.Subexpression, Type: eqn.Integer, ReadOnly: true, Scope: x.s.Scope(x.s.Net.Externals()),
			Expr: &eqn.Binary{Op: "+", X: &eqn.Name{ID: name + suffix}, Y: &eqn.Num{Value: float64(sp.Lo), Int: true}}}
	case sp.Group.ByName[name] != nil:
		return x.s.End(name + suffix)
	}
	if x.sc == nil {
		x.sc = sp.Group.Scope(x.s.Net.Externals())
	}
	return x.sc.Resolve(name)
}

// Names implements eqn.Scope.
func (x *suffixed) Names() []string {
	if x.post {
		return x.s.Tgt.Group.VarNames()
	}
	return x.s.Src.Group.VarNames()
}

// Ends are the populations that synapses lead from and to.
func (s *Synapses) Ends() (src, tgt Cells) { return s.Src.cells(), s.Tgt.cells() }

// forever is the last emission step of a table that serves all spikes to come.
const forever = math.MaxInt64

// FullName is the name by which pathways of one order are ordered.
func (w *Path) FullName() string { return w.Delay.Syn.AutoName + "_" + w.Name }
