package eqn

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// Methods are the integrators that a script may name.
var Methods = []string{"exact", "exponential_euler", "euler", "rk2", "rk4", "heun", "milstein"}

// ode is one differential equation, bound: dx/dt = f + sum(g[k]*noise[k]).
type ode struct {
	eq     *Equation
	x      *Symbol
	f      Expr   // nil is 0
	g      []Expr // nil is 0
	frozen bool   // does not change while refractory
	two    bool   // carries a second word
}

// system is a set of differential equations in the order of the text.
type system struct {
	odes  []*ode
	vars  []*Symbol
	noise []string
	at    []Pos // where each noise first stands
	dtSym *Symbol
	dt    Expr // a step, or Options.Elapsed
	opt   Options
	out   *Scheme
	hoist *hoister
}

// Integrate turns the differential equations (but those with the flag
// event-driven) into the statements of one step, in the manner of Brian2's
// state updaters. sc resolves the model's own names too: what it gives for a
// differential equation is the Variable to advance.
func Integrate(eqs *Equations, sc Scope, opt Options) (*Scheme, error) {
	s := &system{opt: opt, out: &Scheme{}, hoist: &hoister{byKey: map[string]*Symbol{}}}
	s.dtSym = &Symbol{Name: "dt", Kind: Constant, Dim: base(Second), Value: opt.Dt, ReadOnly: true}
	s.dt = ref(s.dtSym)
	if opt.Elapsed != nil {
		x, err := (&binder{sc: sc}).bind(opt.Elapsed)
		if err != nil {
			return nil, err
		}
		s.dt = x
	}
	if err := s.read(eqs, sc); err != nil {
		return nil, err
	}
	s.secondWords()
	if err := s.advance(); err != nil {
		return nil, err
	}
	for i := range s.out.Stmts {
		s.out.Stmts[i].X = s.hoist.expr(s.out.Stmts[i].X)
	}
	s.out.Derived = s.hoist.needed(rights(s.out.Stmts)...)
	s.out.Noise = s.noise
	return s.out, nil
}

// read binds the equations and splits off their noise.
func (s *system) read(eqs *Equations, sc Scope) error {
	b := &binder{sc: sc, noise: map[string]*Symbol{}}
	var rhs []Expr
	for _, q := range eqs.List {
		if q.Kind != Differential || q.Has("event-driven") != (s.opt.Elapsed != nil) {
			continue
		}
		x, err := b.bind(q.X)
		if err != nil {
			return err
		}
		d, _, err := check(x)
		if err != nil {
			return err
		}
		if want := q.Dim.Div(base(Second)); d != want {
			return At(q.At, "", "the differential equation of '%s' should have unit %s, but '%s' has unit %s", q.Name, want, q.X, d).Of(Dimension)
		}
		sym := sc.Resolve(q.Name)
		if sym == nil || sym.Kind != Variable {
			return At(q.At, "", "the scope does not hold the variable '%s'", q.Name)
		}
		o := &ode{eq: q, x: sym, frozen: q.Has("unless refractory")}
		if o.frozen && s.opt.Refractory == nil {
			o.frozen = false
		}
		s.odes = append(s.odes, o)
		s.vars = append(s.vars, sym)
		rhs = append(rhs, x)
	}
	for name := range b.noise {
		s.noise = append(s.noise, name)
	}
	slices.Sort(s.noise)
	syms := make([]*Symbol, len(s.noise))
	s.at = make([]Pos, len(s.noise))
	for k, name := range s.noise {
		syms[k] = b.noise[name]
	}
	for i, o := range s.odes {
		g, f, ok := linearIn(rhs[i], syms)
		if !ok {
			return At(o.eq.At, "noise must stand as a sum of terms such as sigma*sqrt(2/tau)*xi", "the noise in the equation of '%s' does not enter linearly", o.eq.Name)
		}
		o.f, o.g = f, g
		walk(rhs[i], func(x Expr) {
			if n, ok := x.(*Name); ok && n.Sym != nil && n.Sym.Kind == Noise {
				if k := slices.Index(s.noise, n.ID); s.at[k].Line == 0 {
					s.at[k] = n.At
				}
			}
		})
	}
	return nil
}

// advance chooses the method and writes its statements.
func (s *system) advance() error {
	method := strings.ToLower(s.opt.Method)
	switch {
	case len(s.odes) == 0:
		s.out.Method = "none"
		return nil
	case s.opt.Elapsed != nil:
		s.out.Method = "exact"
		if err := s.checkExact(); err != nil {
			return err
		}
		err := s.exact()
		if err != nil && s.doubling() {
			return nil
		}
		return err
	case method == "":
		method = "euler"
		if err := s.checkExact(); err == nil && s.solvable() && s.exact() == nil {
			s.out.Method = "exact"
			return nil
		}
		s.out.Stmts, s.out.Coeffs, s.hoist.list = nil, nil, nil
		if o, _ := s.multiplicative(); o != nil {
			method = "heun"
		}
	}
	s.out.Method = method
	switch method {
	case "exact", "linear":
		s.out.Method = "exact"
		if err := s.checkExact(); err != nil {
			return err
		}
		return s.exact()
	case "exponential_euler":
		return s.exponentialEuler()
	case "euler":
		if o, k := s.multiplicative(); o != nil {
			return At(o.eq.At, "use method='heun' or 'milstein'", "euler cannot integrate the equation of '%s': its factor of %s depends on state or time (multiplicative noise)", o.eq.Name, s.noise[k])
		}
		s.euler()
		return nil
	case "rk2", "rk4":
		if len(s.noise) > 0 {
			return At(s.at[0], "use method='euler', or 'heun' for multiplicative noise", "%s cannot integrate noise", method)
		}
		if method == "rk2" {
			s.rk2()
		} else {
			s.rk4()
		}
		return nil
	case "heun":
		s.heun()
		return nil
	case "milstein":
		return s.milstein()
	}
	hint := Nearest(method, Methods)
	if hint == "" {
		hint = "known: " + strings.Join(Methods, ", ")
	}
	return At(Pos{}, hint, "unknown integration method '%s'", s.opt.Method).Of(UnknownName)
}

// constantOver says that an expression keeps its value during a step: it draws
// no random numbers, and time enters through TimedArrays of longer steps only.
func (s *system) constantOver(e Expr) bool {
	switch e := e.(type) {
	case nil:
		return true
	case *Name:
		return e.Sym == nil || e.Sym.Kind != Time
	case *Unary:
		return s.constantOver(e.X)
	case *Binary:
		return s.constantOver(e.X) && s.constantOver(e.Y)
	case *Cond:
		return s.constantOver(e.If) && s.constantOver(e.Then) && s.constantOver(e.Else)
	case *Call:
		if e.Sym != nil && functions[e.Sym.Name].random && e.Sym.Kind == Function {
			return false
		}
		args := e.Args
		if e.Sym != nil && e.Sym.Kind == Timed && e.Sym.Array.holds(s.opt.Dt) {
			if n, ok := args[0].(*Name); ok && n.Sym != nil && n.Sym.Kind == Time {
				args = args[1:]
			}
		}
		for _, a := range args {
			if !s.constantOver(a) {
				return false
			}
		}
	}
	return true
}

// holds says that the array changes at the beginnings of steps of dt only.
func (a *TimedArray) holds(dt float64) bool {
	if dt > a.Dt {
		return false
	}
	r := a.Dt / dt
	n := math.Floor(r + 0.5)
	return r-n < 1e-6*r && n-r < 1e-6*r
}

// multiplicative finds an equation and a noise whose factor depends on state or
// time, nil if there is none.
func (s *system) multiplicative() (*ode, int) {
	for _, o := range s.odes {
		for k, g := range o.g {
			if g != nil && (uses(g, s.vars...) || !s.constantOver(g)) {
				return o, k
			}
		}
	}
	return nil, 0
}

// secondWords decides which variables carry one (rule 10).
func (s *system) secondWords() {
	for _, o := range s.odes {
		if o.two = s.opt.Elapsed == nil && (o.eq.Has("compensated") || s.slow(o)); o.two {
			s.out.Two = append(s.out.Two, o.eq.Name)
		}
	}
}

// slow says that the coefficient of a variable in its own equation is absent,
// or constant or a parameter and below Options.Slow per step.
func (s *system) slow(o *ode) bool {
	for _, g := range o.g {
		if g != nil && uses(g, o.x) {
			return false
		}
	}
	if o.f == nil {
		return true
	}
	c, _, ok := linearIn(o.f, []*Symbol{o.x})
	if !ok {
		return false
	}
	if c[0] == nil {
		return true
	}
	if classOf(c[0]) == isConst {
		v, err := evalBound(c[0], nil)
		return err == nil && s.slowRate(v)
	}
	if uses(c[0], s.vars...) || !s.constantOver(c[0]) || s.opt.Values == nil {
		return false
	}
	in := params(c[0])
	values, n := make([][]float64, len(in)), 1
	for i, p := range in {
		if values[i] = s.opt.Values(p); len(values[i]) == 0 {
			return false
		}
		n = max(n, len(values[i]))
	}
	m := &moment{dt: s.opt.Dt, value: map[*Symbol]float64{}}
	last := make([]float64, len(in))
	for lane := range n {
		changed := lane == 0
		for i, p := range in {
			v := values[i][min(lane, len(values[i])-1)]
			changed = changed || v != last[i]
			m.value[p], last[i] = v, v
		}
		if !changed {
			continue
		}
		if v, err := evalBound(c[0], m); err == nil && s.slowRate(v) {
			return true
		}
	}
	return false
}

func (s *system) slowRate(v float64) bool {
	return math.Abs(v*s.opt.Dt) < cmp.Or(s.opt.Slow, 0x1p-14)
}

// emit appends a statement that defines a local variable.
func (s *system) emit(name string, x Expr) Expr {
	if x == nil {
		return nil
	}
	s.out.Stmts = append(s.out.Stmts, Stmt{Target: &Name{ID: name}, Op: "=", X: x})
	return local(name)
}

// finish appends the new values: news[i], or the increment incs[i] where the
// variable carries a second word; refractory neurons keep the old value of
// frozen variables. All are worked out before any is assigned.
func (s *system) finish(value func(o *ode, i int, increment bool) Expr) {
	var final []Stmt
	for i, o := range s.odes {
		x := value(o, i, o.two)
		var old Expr = ref(o.x)
		if o.two {
			old = literal(0, o.x.Dim)
		}
		if x == nil {
			x = literal(0, o.x.Dim)
		}
		if o.frozen {
			x = cond(s.opt.Refractory, x, old)
		}
		op, name := "=", "_"+o.eq.Name
		if o.two {
			op, name = "+=", "_d_"+o.eq.Name
		}
		target := &Name{At: o.eq.At, ID: o.x.Name, Sym: o.x}
		if len(s.odes) == 1 {
			s.out.Stmts = append(s.out.Stmts, Stmt{Target: target, Op: op, X: x})
			return
		}
		s.emit(name, x)
		final = append(final, Stmt{Target: target, Op: op, X: local(name)})
	}
	s.out.Stmts = append(s.out.Stmts, final...)
}
