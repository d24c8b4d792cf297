package engine

import (
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
	Code string
}

// SynapsesOptions are the arguments of Synapses beside its two ends.
type SynapsesOptions struct {
	Name, Model, Method string
	OnPre, OnPost       []Pathway
	OnEvent             map[string]string // pathway name -> event, "spike" where absent
	Delay               any               // Quantity: of the pathway "pre"
	Delays              map[string]any    // of pathways by name
	Namespace           map[string]any
	Dt                  float64
	Order               int
	Multisynaptic       string // the name of a synapse's number among those of its pair; "": none
}

// Synapses are the connections from one group to another.
type Synapses struct {
	Object
	src, tgt  span
	srcName   string
	tgtName   string
	namespace map[string]any
	eqs       *eqn.Equations
	vars      []*synVar
	byName    map[string]*synVar
	number    *synVar // multisynaptic_index
	paths     []*pathway
	conns     []*conn
	ends      map[string]*eqn.Symbol // x_pre, x_post, i, j, ... by name
	specs     map[string]*connect.Spec
}

// pathway is the code of a pathway and the delays with which it runs.
type pathway struct {
	name  string
	post  bool
	event string
	order int
	code  []eqn.Stmt
	delay *synVar
	past  []*life // with delays since replaced, in the order of their ends
	open  []*life // with the delays of now, one for each conn
}

// life is the spikes that the synapses of one conn carry with one set of
// delays: those of steps first to last. A spike keeps the delay with which it
// left, and none reaches a synapse that is younger (design section 4). Until its
// Synapses has run, which is when it is known in which network, first says
// nothing: the life begins with the first run.
type life struct {
	conn        int
	delays      column
	first, last int64
	longest     int // delay in steps, once planned
}

// conn is one call of connect.
type conn struct {
	proj *connect.Proj
	n    int // synapses, -1: not counted yet
}

// synVar is a variable of synapses: one column for each conn.
type synVar struct {
	s      *Synapses
	name   string
	sym    *eqn.Symbol
	cols   []column
	shared bool     // one value; kept for each synapse like the others
	later  column   // of connect calls to come: a delay given to the constructor
	path   *pathway // a delay
	single bool     // a delay given before the first connect: of all connect calls, also to come
}

// column is the values of one conn's synapses: an expression that is worked out
// when it is needed, values by synapse, or one value in SI units.
type column struct {
	value float64
	list  *list // by synapse
	lazy  *lazyExpr
}

// Synapses connects source to target; connect makes the synapses.
func (n *Network) Synapses(source, target Cells, o SynapsesOptions) (*Synapses, error) {
	s := &Synapses{src: source.span(), tgt: target.span(), srcName: source.Name(), tgtName: target.Name(), namespace: o.Namespace,
		byName: map[string]*synVar{}, ends: map[string]*eqn.Symbol{}, specs: map[string]*connect.Spec{}}
	s.net, s.order = n, o.Order
	if err := n.sameClock(o.Dt, "Synapses"); err != nil {
		return nil, err
	}
	eqs, err := eqn.ParseEquations(n.source(o.Model))
	if err != nil {
		return nil, err
	}
	s.eqs = eqs
	for _, e := range eqs.List {
		if e.Kind == eqn.Differential {
			return nil, plastic(e.At, e.Name)
		}
		for _, f := range e.Flags {
			if f != "constant" && f != "shared" {
				if f == "summed" {
					return nil, eqn.At(e.At, "gap junctions and graded synapses come with the full language", "'%s': (summed) variables of Synapses are not available yet", e.Name)
				}
				return nil, errorAt(e.At, "%s: the flag (%s) of Synapses is not available yet", e.Name, f)
			}
		}
		if s.byName[e.Name] != nil || e.Name == "delay" || e.Name == "i" || e.Name == "j" {
			return nil, errorAt(e.At, "%q is defined twice, or is a name that all Synapses have", e.Name)
		}
		if err := notAnEnd(e); err != nil {
			return nil, err
		}
		v := s.declare(e.Name, e.Dim, e.Type)
		v.shared = slices.Contains(e.Flags, "shared")
		if e.Kind == eqn.Sub {
			v.sym.Kind, v.sym.Expr, v.sym.ReadOnly = eqn.Subexpression, e.X, true
		}
	}
	if name := o.Multisynaptic; name != "" {
		if s.byName[name] != nil || s.end(name) != nil || name == "delay" {
			return nil, fmt.Errorf("Synapses: multisynaptic_index=%q names a variable that there is already", name)
		}
		s.number = s.declare(name, eqn.Dim{}, eqn.Integer)
		s.number.sym.ReadOnly = true
	}
	for k, list := range [][]Pathway{o.OnPre, o.OnPost} {
		for _, p := range list {
			if err := s.addPathway(p, k == 1, o); err != nil {
				return nil, err
			}
		}
	}
	for _, w := range s.paths {
		keepSteps(w.code, func(name string) *Variable {
			if y := s.end(name); y != nil {
				if r, ok := y.Ref.(endRef); ok {
					return r.v
				}
			}
			return nil
		})
	}
	return s, n.register(s, o.Name, "synapses")
}

func (s *Synapses) addPathway(p Pathway, post bool, o SynapsesOptions) error {
	code, err := eqn.ParseStatements(s.net.source(p.Code))
	if err != nil {
		return err
	}
	w := &pathway{name: p.Name, post: post, code: code, order: -1, event: "spike"}
	if post {
		w.order = 1
	}
	if e := o.OnEvent[p.Name]; e != "" {
		w.event = e
	}
	end := s.src
	if post {
		end = s.tgt
	}
	if end.g.event(w.event) == nil {
		which := "source"
		if post {
			which = "target"
		}
		return fmt.Errorf("Synapses: the %s %s has no event %q: give it a threshold", which, end.g.Name(), w.event)
	}
	w.delay = &synVar{s: s, name: "delay", path: w}
	w.delay.sym = &eqn.Symbol{Name: "delay", Kind: eqn.Variable, Dim: second, Ref: w.delay}
	d := o.Delays[p.Name]
	if d == nil && p.Name == "pre" {
		d = o.Delay
	}
	if d != nil {
		q, ok := d.(Quantity)
		if !ok || q.Dim != second {
			return fmt.Errorf("Synapses: delay= needs a time, got %v; assign arrays and expressions to S.delay after connect", d)
		}
		w.delay.later, w.delay.single = column{value: q.Value}, true
	}
	s.paths = append(s.paths, w)
	return nil
}

func (s *Synapses) declare(name string, dim eqn.Dim, t eqn.Type) *synVar {
	v := &synVar{s: s, name: name}
	v.sym = &eqn.Symbol{Name: name, Kind: eqn.Variable, Dim: dim, Type: t, Ref: v, Constant: true}
	s.vars = append(s.vars, v)
	s.byName[name] = v
	return v
}

// col is a variable's column for conn c.
func (v *synVar) col(c int) column {
	if c < len(v.cols) {
		return v.cols[c]
	}
	return v.later
}

// fill makes the columns explicit for all conns so far.
func (v *synVar) fill() {
	cols := make([]column, len(v.s.conns))
	for c := range cols {
		cols[c] = v.col(c)
	}
	v.cols = cols
}

// Pathways lists the names of the pathways.
func (s *Synapses) Pathways() []string {
	var out []string
	for _, p := range s.paths {
		out = append(out, p.name)
	}
	return out
}

func (s *Synapses) pathway(name string) (*pathway, error) {
	for _, p := range s.paths {
		if p.name == name {
			return p, nil
		}
	}
	return nil, unknown(name, "pathway of "+s.Name(), s.Pathways())
}

// Delay is the delay of a pathway ("" is "pre", or the only one).
func (s *Synapses) Delay(name string) (*Var, error) {
	if name == "" {
		name = "pre"
		if len(s.paths) == 1 {
			name = s.paths[0].name
		}
	}
	p, err := s.pathway(name)
	if err != nil {
		return nil, err
	}
	return &Var{syn: p.delay}, nil
}

// Order is the order of a pathway within its step.
func (s *Synapses) Order(name string) (int, error) {
	p, err := s.pathway(name)
	if err != nil {
		return 0, err
	}
	return p.order, nil
}

// SetOrder sets the order of a pathway within its step.
func (s *Synapses) SetOrder(name string, order int) error {
	p, err := s.pathway(name)
	if err == nil {
		p.order = order
	}
	return err
}

// Var finds a variable of the synapses: i, j, delay, N_incoming, N_outgoing or
// one of the model.
func (s *Synapses) Var(name string) (*Var, error) {
	if name == "delay" {
		return s.Delay("")
	}
	if v := s.byName[name]; v != nil {
		return &Var{syn: v}, nil
	}
	if y := s.end(name); y != nil {
		return &Var{syn: &synVar{s: s, name: name, sym: y}}, nil
	}
	return nil, unknown(name, "variable of "+s.Name(), s.VarNames())
}

// VarNames lists the variables.
func (s *Synapses) VarNames() []string {
	out := []string{"i", "j", "delay", "N_incoming", "N_outgoing"}
	for _, v := range s.vars {
		out = append(out, v.name)
	}
	return out
}

// N is the number of synapses made so far.
func (s *Synapses) N(w Work) (int, error) {
	total := 0
	for c := range s.conns {
		n, err := s.count(w, c)
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

func (s *Synapses) count(w Work, c int) (int, error) {
	k := s.conns[c]
	if k.n < 0 {
		n, err := k.proj.Count(w)
		if err != nil {
			return 0, err
		}
		k.n = n
	}
	return k.n, nil
}

// scope is the names of a synapse's texts: its own variables, i, j, x_pre,
// x_post, then the target's variables without suffix.
func (s *Synapses) scope(ext *externals) *scope {
	dt := &eqn.Symbol{Name: "dt", Kind: eqn.Constant, Dim: second, Value: s.net.dt, ReadOnly: true}
	return &scope{
		ext: ext, object: s.Name(), namespace: s.namespace,
		own: func(name string) *eqn.Symbol {
			if name == "dt" {
				return dt
			}
			if v := s.byName[name]; v != nil {
				return v.sym
			}
			return s.end(name)
		},
		ownNames: func() []string {
			out := append(s.VarNames(), "N_pre", "N_post", "dt", "t")
			for _, v := range s.src.g.vars {
				out = append(out, v.name+"_pre")
			}
			for _, v := range s.tgt.g.vars {
				out = append(out, v.name+"_post", v.name)
			}
			return out
		},
	}
}

// endRef is a variable of the neuron at one end of a synapse.
type endRef struct {
	v    *Variable
	post bool
}

// indexRef is i, j, or the loop variable of a generator: a column of numbers.
type indexRef struct{ name string }

// degreeRef is N_incoming or N_outgoing.
type degreeRef struct{ post bool }

// end resolves the names that come from the ends of a synapse.
func (s *Synapses) end(name string) *eqn.Symbol {
	if y, ok := s.ends[name]; ok {
		if y != nil {
			if r, ok := y.Ref.(endRef); ok { // a run, or an object made since, may have decided
				y.Steps, y.TwoWords = r.v.sym.Steps, r.v.sym.TwoWords
			}
		}
		return y
	}
	y := &eqn.Symbol{Name: name, Kind: eqn.Variable, Type: eqn.Integer, ReadOnly: true, Constant: true}
	find := func(sp span, base string, post bool) *eqn.Symbol {
		switch base {
		case "N":
			return &eqn.Symbol{Name: name, Kind: eqn.Constant, Type: eqn.Integer, Value: float64(sp.hi - sp.lo), ReadOnly: true}
		case "i":
			y.Ref = indexRef{map[bool]string{false: "i", true: "j"}[post]}
			return y
		}
		v := sp.g.byName[base]
		if v == nil {
			return nil
		}
		z := *v.sym
		z.Name, z.Shared = name, v.shared
		if z.Kind == eqn.Subexpression {
			z.Scope = &suffixed{s: s, post: post}
		} else {
			z.Ref = endRef{v, post}
		}
		return &z
	}
	switch {
	case name == "i" || name == "j":
		y.Ref = indexRef{name}
	case name == "N_incoming" || name == "N_outgoing":
		y.Ref = degreeRef{name == "N_incoming"}
	case strings.HasSuffix(name, "_pre"):
		y = find(s.src, strings.TrimSuffix(name, "_pre"), false)
	case strings.HasSuffix(name, "_post"):
		y = find(s.tgt, strings.TrimSuffix(name, "_post"), true)
	case name == "N":
		return nil
	default:
		y = find(s.tgt, name, true)
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
	sc   *scope
}

// Resolve implements eqn.Scope.
func (x *suffixed) Resolve(name string) *eqn.Symbol {
	sp, suffix := x.s.src, "_pre"
	if x.post {
		sp, suffix = x.s.tgt, "_post"
	}
	switch { // i and N of a subexpression are the whole group's
	case name == "N":
		return &eqn.Symbol{Name: name, Kind: eqn.Constant, Type: eqn.Integer, Value: float64(sp.g.n), ReadOnly: true}
	case name == "i" && sp.lo > 0:
		return &eqn.Symbol{Name: name, Kind: eqn.Subexpression, Type: eqn.Integer, ReadOnly: true, Scope: x.s.scope(x.s.net.externals()),
			Expr: &eqn.Binary{Op: "+", X: &eqn.Name{ID: name + suffix}, Y: &eqn.Num{Value: float64(sp.lo), Int: true}}}
	case sp.g.byName[name] != nil:
		return x.s.end(name + suffix)
	}
	if x.sc == nil {
		x.sc = sp.g.scope(x.s.net.externals())
	}
	return x.sc.Resolve(name)
}

// Names implements eqn.Scope.
func (x *suffixed) Names() []string {
	if x.post {
		return x.s.tgt.g.VarNames()
	}
	return x.s.src.g.VarNames()
}

// Ends are the populations that synapses lead from and to.
func (s *Synapses) Ends() (src, tgt Cells) { return s.src.cells(), s.tgt.cells() }

// plastic is the error of synapses whose variables change.
func plastic(at eqn.Pos, name string) error {
	return eqn.At(at, "on_pre and on_post may change variables of the neurons: x_pre, x_post", "'%s' would change during a run: plastic synapses (STDP, short-term plasticity) are not available yet", name)
}

// forever is the last emission step of a table that serves all spikes to come.
const forever = math.MaxInt64

func (w *pathway) fullName() string { return w.delay.s.auto + "_" + w.name }
