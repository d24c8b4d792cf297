package model

import (
	"errors"
	"slices"
	"strings"

	"synfire/engine/eqn"
	"synfire/engine/ir"
)

// Driven is a set of event-driven equations that depend on one another. Their
// variables are kept as they were last assigned, and Since is the step of that;
// a read advances them from there in closed form (design section 3, rule 12).
type Driven struct {
	Vars  []*Variable // in the order of the text
	Since *Variable   // the step to which the words of Vars belong
}

// Summed is a summed variable: at every step, a variable of the neurons at one end
// is the sum of an expression over their synapses.
type Summed struct {
	Equation *eqn.Equation
	Var      *Variable // of the neurons
	Post     bool      // the targets', else the sources'
	Order    int       // in the slot 'groups'
}

// LastRef is lastupdate: the step of a synapse's last event of any pathway.
type LastRef struct{ S *Synapses }

// seesNoDriven refuses names of event-driven variables of the synapses at an end: between
// their own events these have no value yet.
func (s *Synapses) seesNoDriven() error {
	check := func(at eqn.Pos, names ...string) error {
		for _, name := range names {
			for suffix, end := range map[string]*NeuronGroup{"_pre": s.Src.Group, "_post": s.Tgt.Group, "": s.Tgt.Group} {
				base, is := strings.CutSuffix(name, suffix)
				if !is || end.Mirror == nil || suffix == "" && s.ByName[name] != nil {
					continue
				}
				if v := end.Mirror.ByName[base]; v != nil && v.Driven != nil {
					return eqn.At(at, "declare '"+base+"' (clock-driven) there", "'%s': the variable '%s' of %s is event-driven, known at its own synapse's events alone", name, base, end.Mirror.Name()).Of(eqn.Unsupported)
				}
			}
		}
		return nil
	}
	for _, e := range s.Eqs.List {
		if err := check(e.At, append(eqn.Identifiers(e.X), e.Name)...); err != nil {
			return err
		}
	}
	for _, w := range s.Paths {
		for _, st := range w.Code {
			if err := check(st.Target.At, append(eqn.Identifiers(st.X), st.Target.ID)...); err != nil {
				return err
			}
		}
	}
	return nil
}

// synapseFlags says why an equation of Synapses cannot have a flag; "" where it can.
func synapseFlags(e *eqn.Equation) func(flag string) string {
	return func(flag string) string {
		has := map[eqn.EqKind][]string{
			eqn.Differential: {"event-driven", "clock-driven", "compensated"},
			eqn.Sub:          {"summed", "shared", "constant over dt"},
			eqn.Parameter:    {"constant", "shared"},
		}[e.Kind]
		if slices.Contains(has, flag) {
			return ""
		}
		if flag == "linked" {
			return "link a variable of the group at one end (G.x = linked_var(...)) and read x_pre or x_post here"
		}
		return "equations of Synapses take (event-driven) and (clock-driven), subexpressions (summed), (shared) and (constant over dt), parameters (constant) and (shared)"
	}
}

// declare makes the variables of the model's equations.
func (s *Synapses) declare() error {
	for _, e := range s.Eqs.List {
		if e.Has("summed") {
			if err := s.addSummed(e); err != nil {
				return err
			}
			continue
		}
		for _, end := range []struct {
			which string
			g     *NeuronGroup
		}{{"source", s.Src.Group}, {"target", s.Tgt.Group}} {
			if end.g.ByName[e.Name] != nil && e.Name != "lastupdate" {
				return eqn.At(e.At, "call it "+e.Name+"_syn, say", "'%s' is a variable of the synapses and of their %s %s: it would be unclear which is meant", e.Name, end.which, end.g.Name())
			}
		}
		v := &Variable{Syn: s, Name: e.Name}
		reserved := []string{"delay", "i", "j"}
		if s.eventDriven() {
			reserved = append(reserved, "lastupdate")
		}
		if err := s.DeclareEquation(v, e, reserved, "all Synapses (those with event-driven equations) have", synapseFlags(e)); err != nil {
			return err
		}
		v.OverDt = e.Has("constant over dt")
	}
	s.findDriven()
	return s.apart()
}

// eventDriven says whether the model has event-driven equations.
func (s *Synapses) eventDriven() bool {
	return slices.ContainsFunc(s.Eqs.List, func(e *eqn.Equation) bool { return e.Has("event-driven") })
}

// hide adds a variable that no text names: a step, 0 at first.
func (s *Synapses) hide(name string) *Variable {
	v := &Variable{Syn: s, Name: name}
	v.Symbol = &eqn.Symbol{Name: name, Kind: eqn.Variable, Dim: Second, Steps: true, Ref: v}
	s.Hidden = append(s.Hidden, v)
	return v
}

// uses lists the variables of the model that an expression depends on, through
// subexpressions.
func (s *Synapses) uses(x eqn.Expr) []*Variable {
	var out []*Variable
	var walk func(x eqn.Expr)
	walk = func(x eqn.Expr) {
		for _, id := range eqn.Identifiers(x) {
			v := s.ByName[id]
			if v == nil || slices.Contains(out, v) {
				continue
			}
			out = append(out, v)
			if v.Symbol.Kind == eqn.Subexpression {
				walk(v.Symbol.Expr)
			}
		}
	}
	walk(x)
	return out
}

// findDriven groups the event-driven equations by what depends on what.
func (s *Synapses) findDriven() {
	for _, e := range s.Eqs.List {
		if !e.Has("event-driven") {
			continue
		}
		d := &Driven{Vars: []*Variable{s.ByName[e.Name]}}
		near := s.uses(e.X)
		s.Driven = slices.DeleteFunc(s.Driven, func(o *Driven) bool {
			tied := slices.ContainsFunc(o.Vars, func(v *Variable) bool {
				return slices.Contains(near, v) || slices.Contains(s.uses(v.Equation.X), d.Vars[0]) || slices.Contains(s.uses(v.Equation.X), s.ByName[e.Name])
			})
			if tied {
				d.Vars = append(o.Vars, d.Vars...)
			}
			return tied
		})
		s.Driven = append(s.Driven, d)
	}
	for _, d := range s.Driven {
		slices.SortFunc(d.Vars, func(a, b *Variable) int { return slices.Index(s.Vars, a) - slices.Index(s.Vars, b) })
		d.Since = s.hide(d.Vars[0].Name + "#since")
		for _, v := range d.Vars {
			v.Driven = d
		}
	}
}

// apart refuses equations that need values at times at which others have none:
// what is worked out at every step cannot depend on what is only known at
// events, nor the other way.
func (s *Synapses) apart() error {
	for _, e := range s.Eqs.List {
		if e.Kind != eqn.Differential && !e.Has("summed") {
			continue
		}
		for _, v := range s.uses(e.X) {
			switch {
			case v.Driven != nil && !e.Has("event-driven"):
				return eqn.At(e.At, "declare both (clock-driven), or both (event-driven)", "the equation of '%s', which holds at every step, depends on '%s', which is known at events alone (event-driven)", e.Name, v.Name).Of(eqn.Unsupported)
			case v.Driven == nil && v.Equation != nil && v.Equation.Kind == eqn.Differential && e.Has("event-driven"):
				return eqn.At(e.At, "declare both (clock-driven), or both (event-driven)", "the event-driven equation of '%s' depends on '%s', which changes at every step (clock-driven)", e.Name, v.Name).Of(eqn.Unsupported)
			}
		}
	}
	return nil
}

// keepUp has every pathway advance the event-driven variables whose equations
// depend on what may change, as all of Brian2's pathways do: what it is at one event
// holds since the one before.
func (s *Synapses) keepUp() {
	for _, d := range s.Driven {
		if !slices.ContainsFunc(d.Vars, func(v *Variable) bool { return s.varies(v.Equation.X) }) {
			continue
		}
		v := d.Vars[0]
		for _, w := range s.Paths {
			name := &eqn.Name{At: v.Equation.At, ID: v.Name}
			w.Code = append([]eqn.Stmt{{Target: name, Op: "=", X: name}}, w.Code...)
		}
	}
}

// varies says whether an event-driven equation depends on t or on variables that are
// not event-driven.
func (s *Synapses) varies(x eqn.Expr) bool {
	for _, id := range eqn.Identifiers(x) {
		if v := s.ByName[id]; v != nil {
			if v.Symbol.Kind == eqn.Subexpression && s.varies(v.Symbol.Expr) || v.Symbol.Kind != eqn.Subexpression && v.Driven == nil {
				return true
			}
			continue
		}
		if id == "t" {
			return true
		}
		if y := s.End(id); y != nil {
			if r, ok := y.Ref.(EndRef); ok && !r.Var.Builtin {
				return true
			}
		}
	}
	return false
}

// Advance are the statements that bring the variables of d from the time of their
// last assignment to another one; at that time itself they leave them alone.
func (s *Synapses) Advance(d *Driven, sc eqn.Scope, to *eqn.Name) ([]eqn.Stmt, error) {
	since := &eqn.Name{ID: d.Since.Name, Sym: d.Since.Symbol}
	var some eqn.Equations
	for _, v := range d.Vars {
		some.List = append(some.List, v.Equation)
	}
	scheme, err := eqn.Integrate(&some, &eqn.Renamed{Scope: sc, Means: eqn.Varying(sc.Resolve)}, eqn.Options{Dt: s.Dt(), Elapsed: &eqn.Binary{At: d.Vars[0].Equation.At, Op: "-", X: to, Y: since}})
	if err != nil {
		var e *eqn.Error
		if errors.As(err, &e) {
			return nil, eqn.At(d.Vars[0].Equation.At, "declare it (clock-driven)", "the event-driven equation of '%s' cannot be solved from one event to the next: %s", d.Vars[0].Name, e.Msg).Of(eqn.Unsupported)
		}
		return nil, err
	}
	if len(scheme.Derived) > 0 || len(scheme.Noise) > 0 {
		return nil, eqn.At(d.Vars[0].Equation.At, "declare it (clock-driven)", "the event-driven equation of '%s' has no closed form", d.Vars[0].Name).Of(eqn.Unsupported)
	}
	code := slices.Clone(scheme.Stmts)
	for k, st := range code {
		y := st.Target.Sym
		if y == nil || y.Kind != eqn.Variable {
			continue
		}
		code[k].X = &eqn.Cond{If: &eqn.Binary{Op: "==", X: since, Y: to}, Then: &eqn.Name{ID: y.Name, Sym: y}, Else: st.X}
	}
	return code, nil
}

// live says that a run changes the words which hold v's values.
func (v *Variable) live() bool {
	return slices.ContainsFunc(v.cols, func(h Held) bool { return h.Near != nil || h.List != nil && h.List.live })
}

// shown is an event-driven variable as scripts see it: at the synapse's last event.
func (m *ColumnLanes) shown(v *Variable) (ir.Value, error) {
	last := m.s.End("lastupdate")
	sc := m.s.Scope(m.s.Net.Externals())
	own, plain := sc.Own, map[string]*eqn.Symbol{}
	sc.Own = func(name string) *eqn.Symbol { // nothing of it is worked out ahead
		if y := plain[name]; y != nil {
			return y
		}
		y := own(name)
		if y == nil || y.Kind != eqn.Variable {
			return y
		}
		z := *y
		z.Constant, z.ReadOnly = false, false
		plain[name] = &z
		return &z
	}
	code, err := m.s.Advance(v.Driven, sc, &eqn.Name{ID: last.Name, Sym: last})
	if err != nil {
		return ir.None, err
	}
	out := &eqn.Symbol{Name: "shown", Kind: eqn.Variable, Dim: v.Symbol.Dim, Ref: shownRef{}}
	code = append(code, eqn.Stmt{Target: &eqn.Name{ID: out.Name, Sym: out}, Op: "=", X: &eqn.Name{ID: v.Name}})
	s := &showing{ColumnLanes: m}
	m.asKept = true
	defer func() { m.asKept = false }()
	err = eqn.Lower(m.B, code, sc, s)
	return s.value, err
}

// shownRef marks the value that a showing is for.
type shownRef struct{}

// showing is ColumnLanes whose stores are dropped, but for the value that is shown.
type showing struct {
	*ColumnLanes
	value ir.Value
}

// Store implements eqn.Machine.
func (s *showing) Store(y *eqn.Symbol, x ir.Value) {
	if _, ok := y.Ref.(shownRef); ok {
		s.value = x
	}
}

// bringUp moves the variables of an event-driven set, one of which is to be
// assigned, to the synapses' last events: what is assigned counts from there.
func (v *Variable) bringUp(w Work) error {
	d := v.Driven
	if d == nil || !v.Syn.HasRun {
		return nil
	}
	last := &Variable{Syn: v.Syn, Name: "lastupdate", Symbol: v.Syn.End("lastupdate")}
	at, err := last.all(w)
	if err != nil {
		return err
	}
	values := make([]Array, len(d.Vars))
	for k, x := range d.Vars {
		if values[k], err = x.all(w); err != nil {
			return err
		}
	}
	for k, x := range d.Vars {
		x.fill()
		if err := x.give(w, &list{wide: values[k].V}); err != nil {
			return err
		}
	}
	d.Since.fill()
	return d.Since.give(w, &list{wide: at.V})
}

// fetch brings what a run changes, where an operation reads it.
func (s *Synapses) fetch() {
	if s.Net.Live == nil {
		return
	}
	for _, v := range append(slices.Clone(s.Vars), s.Hidden...) {
		s.Net.Live.Fetch(v)
	}
}

// addSummed takes the equation of a summed variable.
func (s *Synapses) addSummed(e *eqn.Equation) error {
	sp, base, post := s.Src, strings.TrimSuffix(e.Name, "_pre"), false
	if strings.HasSuffix(e.Name, "_post") {
		sp, base, post = s.Tgt, strings.TrimSuffix(e.Name, "_post"), true
	}
	if base == e.Name {
		return eqn.At(e.At, "write "+e.Name+"_post for the targets, "+e.Name+"_pre for the sources", "the summed variable '%s' must end in _pre or _post: it belongs to the neurons at one end", e.Name)
	}
	if len(e.Flags) > 1 {
		return eqn.At(e.At, "", "'%s': the flag (summed) goes with no other", e.Name).Of(eqn.Unsupported)
	}
	v := sp.Group.ByName[base]
	switch {
	case v == nil || v.Equation == nil || v.Equation.Kind != eqn.Parameter || v.Shared || e.Kind != eqn.Sub:
		return eqn.At(e.At, "declare '"+base+" : ...' in the equations of that group", "the summed variable '%s' needs a parameter '%s' of %s", e.Name, base, sp.Group.Name())
	case v.Symbol.Constant:
		return eqn.At(e.At, "leave the flag away", "the summed variable '%s' would change '%s' of %s, which is declared (constant)", e.Name, base, sp.Group.Name())
	case v.Symbol.Dim != e.Dim:
		return eqn.At(e.At, "", "the summed variable '%s' has unit %s here, and unit %s in %s", e.Name, e.Dim, v.Symbol.Dim, sp.Group.Name()).Of(eqn.Dimension)
	}
	if x := s.readsEnd(e.X, v); x != "" {
		return eqn.At(e.At, "use a variable of its own for what is added up", "the summed variable '%s' is read by its own equation, as '%s'", e.Name, x).Of(eqn.Unsupported)
	}
	for _, o := range s.Net.AllSynapses() {
		if err := s.addsTwice(o, e, v, sp); err != nil {
			return err
		}
	}
	if err := s.addsTwice(s, e, v, sp); err != nil {
		return err
	}
	order := sp.Group.InSlot - 1
	if post && s.parts[1] || !post && s.parts[0] { // as in Brian2, where a subgroup's order is one more
		order++
	}
	s.Summed = append(s.Summed, &Summed{e, v, post, order})
	return nil
}

// addsTwice refuses a second sum that some neuron would take.
func (s *Synapses) addsTwice(o *Synapses, e *eqn.Equation, v *Variable, sp Span) error {
	for _, u := range o.Summed {
		other := o.Src
		if u.Post {
			other = o.Tgt
		}
		if u.Var == v && other.Lo < sp.Hi && sp.Lo < other.Hi {
			return eqn.At(e.At, "sum into two variables, and add them in the equations", "'%s' of %s takes another summed variable already", v.Name, sp.Group.Name()).Of(eqn.Unsupported)
		}
	}
	return nil
}

// RunRegularly has code run for all synapses every dt seconds, or every step.
func (s *Synapses) RunRegularly(code string, o RegularOptions) (*Regular, error) {
	stmts, err := eqn.ParseStatements(s.Net.source(code))
	if err != nil {
		return nil, err
	}
	if err := checkDt(o.Dt, "run_regularly"); err != nil {
		return nil, err
	}
	r := &Regular{Syn: s, Code: stmts}
	r.ownDt, r.of = o.Dt, &s.Object
	if err := r.acts(o.Times, "run_at"); err != nil {
		return nil, err
	}
	if err := r.place(o.When, "start", o.Order); err != nil {
		return nil, err
	}
	keepSteps(stmts, func(name string) *Variable { return s.ByName[name] })
	return r, s.Net.register(r, o.Name, s.AutoName+r.suffix())
}

// Find are the numbers of the synapses at an index: a condition, a pair, a range, a list.
func (s *Synapses) Find(w Work, ix any) ([]int, error) { return s.synapses(w, ix) }

// NewSecond is a variable for the second words of v, all 0.
func (v *Variable) NewSecond() *Variable {
	low := &Variable{Syn: v.Syn, Name: v.Name + "#lo"}
	low.Symbol = &eqn.Symbol{Name: low.Name, Kind: eqn.Variable, Dim: v.Symbol.Dim, Ref: low}
	return low
}

// clearSecond clears the second words of what was assigned.
func (v *Variable) clearSecond(w Work, at []int) error {
	low := v.Second
	if low == nil {
		return nil
	}
	low.fill()
	if at != nil {
		return low.scatter(w, at, &list{wide: []float64{0}})
	}
	for c := range low.cols {
		low.cols[c] = Held{}
	}
	return nil
}

// SharedWord is the one value of a shared variable.
func (v *Variable) SharedWord(w Work) (uint32, error) {
	a, err := (&ofSynapses{v, w}).read(nil)
	if err != nil || len(a.V) == 0 {
		return 0, err
	}
	return Encode(v.Symbol, v.Dt(), a.V[0])
}

// OwnerName is the name of the group or the synapses that have the variable.
func (v *Variable) OwnerName() string {
	if v.Syn != nil {
		return v.Syn.Name()
	}
	return v.Group.Name()
}

// readsEnd is the name by which an expression reads a variable of neurons; "" where
// it does not.
func (s *Synapses) readsEnd(x eqn.Expr, v *Variable) string {
	for _, id := range eqn.Identifiers(x) {
		if own := s.ByName[id]; own != nil {
			if own.Symbol.Kind == eqn.Subexpression {
				if y := s.readsEnd(own.Symbol.Expr, v); y != "" {
					return y
				}
			}
			continue
		}
		if y := s.End(id); y != nil {
			if r, ok := y.Ref.(EndRef); ok && r.Var == v {
				return id
			}
		}
	}
	return ""
}

// Learned says that the values are those that a run has left.
func (v *Var) Learned() bool { return v.v.Syn != nil && v.v.live() }
