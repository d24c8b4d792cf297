package eqn

import (
	"math"
	"math/rand/v2"

	"synfire/engine/num"
)

// linear is a system x' = A x + B.
type linear struct {
	a [][]Expr // nil is 0
	b []Expr   // nil is 0
}

// lin reads the equations as a linear system.
func (s *system) linear() (*linear, error) {
	m := &linear{}
	for _, o := range s.odes {
		row, rest, ok := make([]Expr, len(s.vars)), Expr(nil), true
		if o.f != nil {
			row, rest, ok = linearIn(o.f, s.vars)
		}
		if !ok {
			return nil, At(o.eq.At, "use method='exponential_euler', 'euler' or 'rk4'", "exact needs linear equations; that of '%s' is not linear in %s", o.eq.Name, s.list())
		}
		m.a, m.b = append(m.a, row), append(m.b, rest)
	}
	return m, nil
}

func (s *system) list() string {
	t := ""
	for i, v := range s.vars {
		if i > 0 {
			t += ", "
		}
		t += v.Name
	}
	return t
}

// checkExact says why the exact method does not apply.
func (s *system) checkExact() error {
	if len(s.noise) > 0 {
		return At(s.at[0], "use method='euler', or 'heun' for multiplicative noise", "exact cannot integrate noise")
	}
	m, err := s.linear()
	if err != nil {
		return err
	}
	for i, o := range s.odes {
		for _, e := range append(m.a[i][:len(m.a[i]):len(m.a[i])], m.b[i]) {
			if !s.constantOver(e) {
				return At(e.Pos(), "use method='euler' or 'rk4'", "exact needs terms that are constant during a step; '%s' in the equation of '%s' is not", e, o.eq.Name)
			}
		}
	}
	return nil
}

// solvable says that Brian2 can solve the linear system: its matrix is not
// singular and its solution real. A zero coefficient is judged from the text,
// as there: names stand for arbitrary numbers.
func (s *system) solvable() bool {
	m, err := s.linear()
	if err != nil {
		return false
	}
	n := len(s.odes)
	r := rand.New(rand.NewPCG(1, 2)) // feeds no bit: only whether a determinant is 0
	at := map[*Symbol]Expr{}
	a := make([]float64, n*n)
	for i := range n {
		for j := range n {
			if m.a[i][j] == nil {
				continue
			}
			if compares(m.a[i][j]) {
				return false // Brian2's algebra does not separate such coefficients
			}
			x := replace(m.a[i][j], func(e Expr) Expr {
				if q, ok := e.(*Name); ok {
					if at[q.Sym] == nil {
						at[q.Sym] = &Num{Value: 0.5 + r.Float64()}
					}
					return at[q.Sym]
				}
				return nil
			})
			v, err := evalBound(x, &moment{dt: 1})
			if err != nil || v != v || math.IsInf(v, 0) {
				v = 1
			}
			a[i*n+j] = v
		}
	}
	if singular(a, n) {
		return false
	}
	for _, group := range components(m.a, true) {
		switch {
		case len(group) == 1:
		case len(group) > 2:
			return false // no closed form with real terms
		default:
			i, j := group[0], group[1]
			v := [4]float64{}
			for k, e := range []Expr{m.a[i][i], m.a[i][j], m.a[j][i], m.a[j][j]} {
				if e == nil {
					continue
				}
				x, err := evalBound(e, nil)
				if err != nil {
					return true // parameters: Brian2 takes them as they come
				}
				v[k] = x
			}
			d := v[0] - v[3]
			if float64(d*d)+float64(4*float64(v[1]*v[2])) < 0 {
				return false
			}
		}
	}
	return true
}

// compares says that e holds a comparison.
func compares(e Expr) bool {
	found := false
	walk(e, func(x Expr) {
		if b, ok := x.(*Binary); ok && flipped[b.Op] != "" {
			found = true
		}
	})
	return found
}

func singular(a []float64, n int) bool {
	for c := range n {
		p := c
		for r := c; r < n; r++ {
			if math.Abs(a[r*n+c]) > math.Abs(a[p*n+c]) {
				p = r
			}
		}
		if math.Abs(a[p*n+c]) < 1e-12 {
			return true
		}
		for k := range n {
			a[c*n+k], a[p*n+k] = a[p*n+k], a[c*n+k]
		}
		for r := c + 1; r < n; r++ {
			if a[r*n+c] == 0 { // most are
				continue
			}
			f := a[r*n+c] / a[c*n+c]
			for k := c; k < n; k++ {
				a[r*n+k] -= float64(f * a[c*n+k])
			}
		}
	}
	return false
}

// reach is the transitive closure: reach[i][j] says that i depends on j (or is j).
func reach(a [][]Expr) [][]bool {
	n := len(a)
	on := make([][]int, n) // the equations are sparse
	for i := range a {
		for j := range a[i] {
			if a[i][j] != nil {
				on[i] = append(on[i], j)
			}
		}
	}
	r := make([][]bool, n)
	for i := range r {
		r[i] = make([]bool, n)
		r[i][i] = true
		for next := []int{i}; len(next) > 0; {
			k := next[len(next)-1]
			next = next[:len(next)-1]
			for _, j := range on[k] {
				if !r[i][j] {
					r[i][j], next = true, append(next, j)
				}
			}
		}
	}
	return r
}

// components groups variables: with strong those that depend on each other,
// else those that are linked at all.
func components(a [][]Expr, strong bool) [][]int {
	n := len(a)
	if !strong {
		sym := make([][]Expr, n)
		for i := range sym {
			sym[i] = make([]Expr, n)
			for j := range sym[i] {
				if sym[i][j] = a[i][j]; sym[i][j] == nil {
					sym[i][j] = a[j][i]
				}
			}
		}
		a = sym
	}
	r := reach(a)
	var out [][]int
	seen := make([]bool, n)
	for i := range n {
		if seen[i] {
			continue
		}
		var g []int
		for j := i; j < n; j++ {
			if r[i][j] && r[j][i] {
				g, seen[j] = append(g, j), true
			}
		}
		out = append(out, g)
	}
	return out
}

// propagator gives, for each variable, the coefficients of a step:
// x_i(t+dt) = sum_j e[i][j] x_j + sum_j phi[i][j] b_j + c_i; nil is 0.
// Diagonal elements of increments are e - 1.
type propagator struct {
	e, phi [][]Expr
	rest   []Expr // what of b is not in c
	c      []Expr
}

// exact writes the solution of the linear system over a step.
func (s *system) exact() error {
	m, err := s.linear()
	if err != nil {
		return err
	}
	p, err := s.propagate(m)
	if err != nil {
		return err
	}
	// while refractory, frozen variables stand still and the others see that
	still := &linear{}
	any := false
	for i, o := range s.odes {
		row, b := m.a[i], m.b[i]
		if o.frozen {
			row, b, any = make([]Expr, len(row)), nil, true
		}
		still.a, still.b = append(still.a, row), append(still.b, b)
	}
	affected := make([]bool, len(s.odes))
	if any {
		for i, r := range reach(m.a) {
			for j, o := range s.odes {
				affected[i] = affected[i] || r[j] && o.frozen && !s.odes[i].frozen
			}
		}
	}
	var q *propagator
	for _, a := range affected {
		if a && q == nil {
			if q, err = s.propagate(still); err != nil {
				return err
			}
		}
	}
	s.finish(func(o *ode, i int, increment bool) Expr {
		x := s.row(p, i)
		if affected[i] {
			x = cond(s.opt.Refractory, x, s.row(q, i))
		}
		return x
	})
	s.coefficients(p)
	return nil
}

// row is the new value of variable i, or its increment.
func (s *system) row(p *propagator, i int) Expr {
	x := mul(p.e[i][i], ref(s.vars[i]))
	for j, v := range s.vars {
		if j != i {
			x = add(x, mul(p.e[i][j], ref(v)))
		}
	}
	for j := range s.vars {
		if p.rest[j] == nil || p.phi[i][j] == nil {
			continue
		}
		if u, ok := p.rest[j].(*Unary); ok && u.Op == "-" {
			x = sub(x, mul(p.phi[i][j], u.X))
		} else {
			x = add(x, mul(p.phi[i][j], p.rest[j]))
		}
	}
	return add(x, p.c[i])
}

// coefficients lists the constant ones.
func (s *system) coefficients(p *propagator) {
	list := func(row, of string, e Expr) {
		if e == nil || classOf(e) != isConst {
			return
		}
		d, _, err := check(e)
		v, err2 := evalBound(e, nil)
		if err == nil && err2 == nil {
			s.out.Coeffs = append(s.out.Coeffs, Coeff{row, of, Quantity{v, d}})
		}
	}
	for i, o := range s.odes {
		for j, v := range s.vars {
			list(o.eq.Name, v.Name, p.e[i][j])
		}
		list(o.eq.Name, "", p.c[i])
	}
}

func grid(n int) [][]Expr {
	g := make([][]Expr, n)
	for i := range g {
		g[i] = make([]Expr, n)
	}
	return g
}

// propagate solves each part of the system that stands alone.
func (s *system) propagate(m *linear) (*propagator, error) {
	n := len(m.a)
	p := &propagator{e: grid(n), phi: grid(n), rest: make([]Expr, n), c: make([]Expr, n)}
	r := reach(m.a)
	for _, g := range components(m.a, false) {
		worst := isConst
		for _, i := range g {
			for _, j := range g {
				if m.a[i][j] != nil {
					worst = join(worst, classOf(m.a[i][j]))
				}
			}
		}
		var err error
		switch {
		case s.opt.Elapsed != nil || worst == isLane || worst == isHost:
			err = s.closedForm(m, g, p)
		default:
			err = s.byHost(m, g, r, p)
		}
		if err != nil {
			return nil, err
		}
	}
	return p, nil
}

// mostCoupled bounds the systems that are solved at once: the work grows with the
// third power of their size, that of a step with the second.
const mostCoupled = 100

// byHost works the coefficients out in float64: now if the matrix is constant,
// else for each neuron before the run, where it holds constant parameters.
func (s *system) byHost(m *linear, g []int, r [][]bool, p *propagator) error {
	n := len(g)
	if n > mostCoupled {
		return At(s.odes[g[0]].eq.At, "use method='exponential_euler', 'euler' or 'rk4'", "exact solves at most %d equations that depend on each other; '%s' is one of %d", mostCoupled, s.odes[g[0]].eq.Name, n)
	}
	var all []Expr
	known := make([]Expr, n)
	upTo := isConst
	for _, i := range g {
		all = append(all, m.a[i]...)
	}
	in := params(all...)
	if len(in) > 0 {
		upTo = isParam
	}
	for k, i := range g {
		known[k], p.rest[i] = divide(m.b[i], upTo)
	}
	in = params(append(all, known...)...)
	solve := func(at *moment) (e, phi []float64, c []float64, err error) {
		a, b := make([]float64, n*n), make([]float64, n)
		for k, i := range g {
			for l, j := range g {
				if m.a[i][j] != nil {
					v, err := evalBound(m.a[i][j], at)
					if err != nil {
						return nil, nil, nil, err
					}
					// internal units keep the matrix balanced
					a[k*n+l] = float64(v / s.vars[i].Dim.Scale() * s.vars[j].Dim.Scale())
				}
			}
			if known[k] != nil {
				if b[k], err = evalBound(known[k], at); err != nil {
					return nil, nil, nil, err
				}
				b[k] /= s.vars[i].Dim.Scale()
			}
		}
		e, phi = solveLinear(a, n, s.opt.Dt)
		c = make([]float64, n)
		for k, i := range g {
			for l, j := range g {
				c[k] += float64(phi[k*n+l] * b[l])
				if !r[i][j] {
					e[k*n+l], phi[k*n+l] = 0, 0
				}
			}
		}
		for k, i := range g {
			if s.odes[i].two { // e - 1 = A phi
				sum := 0.0
				for l := range g {
					sum += float64(a[k*n+l] * phi[l*n+k])
				}
				e[k*n+k] = sum
			}
			// back to SI
			for l, j := range g {
				f := s.vars[i].Dim.Scale() / s.vars[j].Dim.Scale()
				e[k*n+l] = float64(e[k*n+l] * f)
				phi[k*n+l] = float64(phi[k*n+l] * f)
			}
			c[k] = float64(c[k] * s.vars[i].Dim.Scale())
		}
		return e, phi, c, nil
	}
	if upTo == isConst {
		e, phi, c, err := solve(nil)
		if err != nil {
			return err
		}
		for _, v := range e {
			if v != v {
				return At(s.odes[g[0]].eq.At, "", "the matrix of the equations of %s is not finite", s.list())
			}
		}
		s.place(g, r, known, p, func(kind, k, l int, d Dim) Expr {
			v := [][]float64{e, phi, c}[kind][k*[]int{n, n, 1}[kind]+l]
			if v == 0 {
				return nil
			}
			return literal(v, d)
		})
		return nil
	}
	d := &Derived{In: in}
	type place struct{ kind, at int }
	var places []place
	s.place(g, r, known, p, func(kind, k, l int, dim Dim) Expr {
		sym := s.hoist.symbol(d, dim)
		names := s.odes[g[k]].eq.Name
		if kind < 2 {
			names += ", " + s.odes[g[l]].eq.Name
		}
		d.Of = append(d.Of, [...]string{"propagator of ", "input of ", "constant of "}[kind]+names)
		places = append(places, place{kind, k*[]int{n, n, 1}[kind] + l})
		return ref(sym)
	})
	d.Eval = func(x, out []float64) {
		at := &moment{value: make(map[*Symbol]float64, len(in)), dt: s.opt.Dt}
		for i, sym := range in {
			at.value[sym] = x[i]
		}
		e, phi, c, err := solve(at)
		for i, q := range places {
			if err != nil {
				out[i] = finite(0, err)
				continue
			}
			out[i] = finite([][]float64{e, phi, c}[q.kind][q.at], nil)
		}
	}
	if len(d.Out) > 0 {
		s.hoist.list = append(s.hoist.list, d)
	}
	return nil
}

// place fills the propagator of a group by asking for each coefficient that may
// differ from 0: kind 0 is e, 1 phi, 2 c.
func (s *system) place(g []int, r [][]bool, known []Expr, p *propagator, coef func(kind, k, l int, d Dim) Expr) {
	for k, i := range g {
		constant := false
		for l, j := range g {
			if !r[i][j] {
				continue
			}
			d := s.vars[i].Dim.Div(s.vars[j].Dim)
			p.e[i][j] = coef(0, k, l, d)
			if p.rest[j] != nil {
				p.phi[i][j] = coef(1, k, l, d.Mul(base(Second)))
			}
			constant = constant || known[l] != nil
		}
		if constant {
			p.c[i] = coef(2, k, 0, s.vars[i].Dim)
		}
	}
}

// solveLinear returns exp(A dt) and its integral over the step.
func solveLinear(a []float64, n int, dt float64) (e, phi []float64) {
	if n == 1 {
		x := float64(a[0] * dt)
		return []float64{num.Exp(x)}, []float64{float64(dt * num.Exprel(x))}
	}
	// the exponential of [[A dt, I], [0, 0]]
	w := 2 * n
	big := make([]float64, w*w)
	for i := range n {
		for j := range n {
			big[i*w+j] = float64(a[i*n+j] * dt)
		}
		big[i*w+n+i] = 1
	}
	x := num.Expm(big, w)
	e, phi = make([]float64, n*n), make([]float64, n*n)
	for i := range n {
		for j := range n {
			e[i*n+j] = x[i*w+j]
			phi[i*n+j] = float64(dt * x[i*w+n+j])
		}
	}
	return e, phi
}

// closedForm writes the solution with coefficients that change from step to
// step: each variable alone, or fed by others that are fed by none. exp of
// the divided difference between two rates a and b is dt exp(b dt) exprel((a-b) dt),
// which holds for a = b too.
func (s *system) closedForm(m *linear, g []int, p *propagator) error {
	for _, i := range g {
		x := mul(m.a[i][i], s.dt)
		switch {
		case x == nil && s.odes[i].two:
		case x == nil:
			p.e[i][i] = &Num{Value: 1}
		case s.odes[i].two:
			p.e[i][i] = fun("expm1", x)
		default:
			p.e[i][i] = fun("exp", x)
		}
		p.rest[i] = m.b[i]
		if m.b[i] != nil {
			p.phi[i][i] = s.dt
			if x != nil {
				p.phi[i][i] = mul(s.dt, fun("exprel", x))
			}
		}
		for _, j := range g {
			if j == i || m.a[i][j] == nil {
				continue
			}
			for _, k := range g {
				if k != j && m.a[j][k] != nil {
					return At(s.odes[i].eq.At, "declare the parameters (constant), or use method='exponential_euler'",
						"exact has no closed form for the equation of '%s', whose coefficients may change during the run: '%s', which it depends on, depends on '%s'",
						s.odes[i].eq.Name, s.odes[j].eq.Name, s.odes[k].eq.Name)
				}
			}
			if m.b[j] != nil && m.a[j][j] == nil {
				return At(s.odes[i].eq.At, "declare the parameters (constant), or use method='exponential_euler'",
					"exact has no closed form for the equation of '%s', whose coefficients may change during the run: '%s', which it depends on, grows without end", s.odes[i].eq.Name, s.odes[j].eq.Name)
			}
			f := s.dt
			if y := mul(m.a[j][j], s.dt); y != nil {
				f = mul(f, fun("exp", y))
			}
			if diff := sub(m.a[i][i], m.a[j][j]); diff != nil {
				f = mul(f, fun("exprel", mul(diff, s.dt)))
			}
			p.e[i][j] = mul(m.a[i][j], f)
			if m.b[j] != nil { // x_j + b/a decays to 0, and x_i has -b/a as a constant input
				p.phi[i][j] = div(p.e[i][j], m.a[j][j])
				p.rest[i] = sub(p.rest[i], mul(m.a[i][j], div(m.b[j], m.a[j][j])))
				if p.phi[i][i] == nil {
					p.phi[i][i] = s.dt
					if x != nil {
						p.phi[i][i] = mul(s.dt, fun("exprel", x))
					}
				}
			}
		}
	}
	return nil
}

// exponentialEuler treats each equation as linear in its own variable (see
// collect), the others as constant: x' = a x + b gives x exp(a dt) + b dt exprel(a dt), which is
// Brian2's (x + b/a) exp(a dt) - b/a and holds for a = 0 too.
func (s *system) exponentialEuler() error {
	if len(s.noise) > 0 {
		return At(s.at[0], "use method='euler', or 'heun' for multiplicative noise", "exponential_euler cannot integrate noise")
	}
	n := len(s.odes)
	p := &propagator{e: grid(n), phi: grid(n), rest: make([]Expr, n), c: make([]Expr, n)}
	lane := make([]Expr, n)
	alone := &linear{a: grid(n), b: make([]Expr, n)}
	self := reach(alone.a)
	for i, o := range s.odes {
		if o.f == nil {
			p.e[i][i] = &Num{Value: one(!o.two)}
			continue
		}
		a, rest, ok := collect(o.f, o.x)
		if !ok {
			return At(o.eq.At, "use method='euler' or 'rk4'", "exponential_euler needs an equation that is linear in its own variable; that of '%s' is not", o.eq.Name)
		}
		if a == nil {
			lane[i] = s.drift(o)
			continue
		}
		if k := classOf(a); k == isConst || k == isParam {
			alone.a[i][i], alone.b[i] = a, rest
			if err := s.byHost(alone, []int{i}, self, p); err != nil {
				return err
			}
			continue
		}
		x := mul(a, s.dt)
		if rest == nil {
			lane[i] = mul(fun("expm1", x), ref(o.x))
			if !o.two {
				p.e[i][i] = fun("exp", x)
				lane[i] = nil
			}
			continue
		}
		lane[i] = mul(mul(s.dt, relaxing(x, o.x)), o.f)
	}
	s.finish(func(o *ode, i int, increment bool) Expr {
		if lane[i] != nil {
			return s.step(o, lane[i], increment)
		}
		return s.row(p, i)
	})
	s.coefficients(p)
	return nil
}

// relaxation marks the exprel of a rate of x times dt, in a product with the
// derivative of x.
type relaxation struct{ x *Symbol }

func relaxing(rate Expr, x *Symbol) Expr {
	y := *Builtin("exprel")
	y.Ref = relaxation{x}
	return &Call{At: rate.Pos(), Func: y.Name, Args: []Expr{rate}, Sym: &y}
}

// relaxes is the variable of a factor that is a relaxation, else nil.
func relaxes(f factor) *Symbol {
	if c, ok := f.x.(*Call); ok && c.Sym != nil {
		if r, ok := c.Sym.Ref.(relaxation); ok {
			return r.x
		}
	}
	return nil
}
