package eqn

import "strconv"

// The explicit methods, with the formulas of Brian2's state updaters.

// substitute replaces variables (nil: as they are) and t by t + shift.
func (s *system) substitute(e Expr, vars map[*Symbol]Expr, shift Expr) Expr {
	if e == nil {
		return nil
	}
	return replace(e, func(x Expr) Expr {
		n, ok := x.(*Name)
		if !ok || n.Sym == nil {
			return nil
		}
		if n.Sym.Kind == Time && n.Sym.Type == Float && shift != nil && n.Sym.Ref != (theirs{}) {
			return add(n, shift)
		}
		return vars[n.Sym]
	})
}

// unless is x, or 0 of its dimension for the refractory where the equation says so.
func (s *system) unless(o *ode, x Expr, d Dim) Expr {
	if x == nil || !o.frozen {
		return x
	}
	return cond(s.opt.Refractory, x, literal(0, d))
}

// drawNoise defines one local for each noise: a normal number of variance dt.
func (s *system) drawNoise() []Expr {
	dW := make([]Expr, len(s.noise))
	for k, name := range s.noise {
		draw := &Call{At: s.at[k], Func: "randn", Sym: Builtin("randn")}
		dW[k] = s.emit("_"+name, mul(fun("sqrt", s.dt), draw))
	}
	return dW
}

// drift is dt*f.
func (s *system) drift(o *ode) Expr { return mul(s.dt, o.f) }

func (s *system) euler() {
	dW := s.drawNoise()
	s.finish(func(o *ode, _ int, increment bool) Expr {
		d := s.drift(o)
		for k, g := range o.g {
			if g != nil {
				d = add(d, mul(g, dW[k]))
			}
		}
		return s.step(o, d, increment)
	})
}

// step is x + d, or d where an increment is asked for. The terms of d follow x
// one by one, so that those of x itself join it.
func (s *system) step(o *ode, d Expr, increment bool) Expr {
	if increment || d == nil {
		return add(d, atZero(increment, o))
	}
	x := ref(o.x)
	for _, t := range spine(d, 1, nil) {
		x = join2(x, t)
	}
	return x
}

// atZero is what a variable becomes by no change: nil for an increment.
func atZero(increment bool, o *ode) Expr {
	if increment {
		return nil
	}
	return ref(o.x)
}

// stage is dt*f at x + change + scale*k, t + shift, as locals; dt is that of a
// substep.
func (s *system) stage(name string, change, k []Expr, scale float64, shift Expr) []Expr {
	at := map[*Symbol]Expr{}
	for i, o := range s.odes {
		var more Expr
		if k != nil && k[i] != nil {
			more = mul(&Num{Value: scale}, k[i])
		}
		if change != nil && change[i] != nil {
			more = add(change[i], more)
		}
		if more != nil {
			at[o.x] = add(ref(o.x), more)
		}
	}
	out := make([]Expr, len(s.odes))
	for i, o := range s.odes {
		x := mul(s.substep(1), s.substitute(o.f, at, shift))
		out[i] = s.emit(name+"_"+o.eq.Name, s.unless(o, x, o.x.Dim))
	}
	return out
}

// substep is so many substeps of the step, as a time.
func (s *system) substep(n float64) Expr {
	if all := float64(max(1, s.opt.Substeps)); n != all {
		return mul(s.dt, &Num{Value: n / all})
	}
	return s.dt
}

// substeps makes the substeps of a step: one gives the change of each variable in
// a substep, from that at its begin and from what its names end with.
func (s *system) substeps(one func(change []Expr, name string, begin float64) []Expr) {
	var change []Expr
	for n := range max(1, s.opt.Substeps) {
		name := ""
		if n > 0 {
			name = "_" + strconv.Itoa(n)
		}
		d := one(change, name, float64(n))
		for i, o := range s.odes {
			if s.opt.Substeps <= 1 || d[i] == nil {
				continue
			}
			if n > 0 {
				d[i] = add(change[i], d[i])
			}
			d[i] = s.emit("_change"+name+"_"+o.eq.Name, d[i])
		}
		change = d
	}
	s.finish(func(o *ode, i int, increment bool) Expr { return s.step(o, change[i], increment) })
}

// later is a time, nil for none.
func (s *system) later(n float64) Expr {
	if n == 0 {
		return nil
	}
	return s.substep(n)
}

func (s *system) rk2() {
	s.substeps(func(change []Expr, name string, begin float64) []Expr {
		k := s.stage("_k"+name, change, nil, 0, s.later(begin))
		return s.stage("_k2"+name, change, k, 0.5, s.later(begin+0.5))
	})
}

func (s *system) rk4() {
	s.substeps(func(change []Expr, name string, begin float64) []Expr {
		k1 := s.stage("_k1"+name, change, nil, 0, s.later(begin))
		k2 := s.stage("_k2"+name, change, k1, 0.5, s.later(begin+0.5))
		k3 := s.stage("_k3"+name, change, k2, 0.5, s.later(begin+0.5))
		k4 := s.stage("_k4"+name, change, k3, 1, s.later(begin+1))
		d := make([]Expr, len(s.odes))
		for i := range s.odes {
			if k1[i] != nil { // (k1 + 2 k2 + 2 k3 + k4)/6
				d[i] = div(add(add(k1[i], k4[i]), mul(&Num{Value: 2}, add(k2[i], k3[i]))), &Num{Value: 6})
			}
		}
		return d
	})
}

// support defines, for noise k, what each variable would become with it alone,
// with drift for milstein and the noise factor times by; only for those that a
// factor of the noise depends on.
func (s *system) support(k int, drift bool, by Expr) map[*Symbol]Expr {
	at := map[*Symbol]Expr{}
	for _, o := range s.odes {
		needed := false
		for _, p := range s.odes {
			needed = needed || p.g[k] != nil && uses(p.g[k], o.x)
		}
		if !needed {
			continue
		}
		var d Expr
		if drift {
			d = s.drift(o)
		}
		d = s.unless(o, add(d, mul(o.g[k], by)), o.x.Dim)
		at[o.x] = s.emit("_support_"+o.eq.Name+"_"+s.noise[k], add(ref(o.x), d))
	}
	return at
}

// heun is the stochastic Heun method, for Stratonovich equations.
func (s *system) heun() {
	dW := s.drawNoise()
	at := make([]map[*Symbol]Expr, len(dW))
	for k := range dW {
		at[k] = s.support(k, false, dW[k])
	}
	s.finish(func(o *ode, _ int, increment bool) Expr {
		d := s.drift(o)
		for k, g := range o.g {
			if g == nil {
				continue
			}
			both := mul(&Num{Value: 2}, g)
			if end := s.substitute(g, at[k], s.dt); uses(g, s.vars...) || !s.constantOver(g) {
				both = add(g, end)
			}
			d = add(d, mul(mul(&Num{Value: 0.5}, dW[k]), both))
		}
		return s.step(o, d, increment)
	})
}

// milstein is Brian2's derivative-free Milstein method for diagonal noise.
func (s *system) milstein() error {
	owner := make([]*ode, len(s.noise))
	for _, o := range s.odes {
		var mine []string
		for k, g := range o.g {
			if g == nil {
				continue
			}
			if owner[k] != nil {
				return At(o.eq.At, "use method='heun'", "milstein needs diagonal noise, but '%s' stands in the equations of '%s' and '%s'", s.noise[k], owner[k].eq.Name, o.eq.Name)
			}
			owner[k] = o
			mine = append(mine, s.noise[k])
		}
		if len(mine) > 1 {
			return At(o.eq.At, "use method='heun'", "milstein needs diagonal noise, but the equation of '%s' has %d noises", o.eq.Name, len(mine))
		}
	}
	dW := s.drawNoise()
	root := fun("sqrt", s.dt)
	at := make([]map[*Symbol]Expr, len(dW))
	for k := range dW {
		at[k] = s.support(k, true, root)
	}
	s.finish(func(o *ode, _ int, increment bool) Expr {
		d := s.drift(o)
		for k, g := range o.g {
			if g == nil {
				continue
			}
			d = add(d, mul(g, dW[k]))
			if uses(g, s.vars...) {
				change := sub(s.substitute(g, at[k], nil), g)
				square := &Binary{Op: "**", X: dW[k], Y: &Num{Value: 2, Int: true}}
				d = add(d, mul(div(&Num{Value: 1}, mul(&Num{Value: 2}, root)), mul(change, square)))
			}
		}
		return s.step(o, d, increment)
	})
	return nil
}
