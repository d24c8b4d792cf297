package eqn

import (
	"fmt"
	"math"
)

// mostSteps is the number of bits of the longest time between two events, in steps.
const mostSteps = 31

// doubling writes the solution over a number of steps that only a run knows, of a
// linear system with constant coefficients that has no closed form per element
// (equations that depend on one another): the matrices of 1, 2, 4, ... steps are
// worked out in float64, and applied where the number has that bit. It returns
// false where the coefficients are not constant.
func (s *system) doubling() bool {
	m, err := s.linear()
	if err != nil {
		return false
	}
	n := len(s.odes)
	a, b := make([]float64, n*n), make([]float64, n)
	known := func(e Expr, to *float64, scale float64) bool {
		if e == nil {
			return true
		}
		if classOf(e) != isConst {
			return false
		}
		v, err := evalBound(e, nil)
		*to = float64(v * scale)
		return err == nil && !math.IsNaN(v) && !math.IsInf(v, 0)
	}
	for i := range n {
		unit := s.vars[i].Dim.Scale()
		for j := range n {
			if !known(m.a[i][j], &a[i*n+j], s.vars[j].Dim.Scale()/unit) {
				return false
			}
		}
		if !known(m.b[i], &b[i], 1/unit) {
			return false
		}
	}
	e, phi := solveLinear(a, n, s.opt.Dt)
	c := times(phi, b, n, 1)
	s.emit("_left0", fun("floor", add(div(s.dt, ref(s.dtSym)), &Num{Value: 0.5})))
	for i, v := range s.vars {
		s.emit(fmt.Sprintf("_%s0", s.odes[i].eq.Name), ref(v))
	}
	for k := range mostSteps {
		left, next := local(fmt.Sprintf("_left%d", k)), fmt.Sprintf("_left%d", k+1)
		s.emit(next, fun("floor", mul(&Num{Value: 0.5}, left)))
		bit := fmt.Sprintf("_bit%d", k)
		s.emit(bit, sub(left, mul(&Num{Value: 2}, local(next))))
		for i := range n {
			change := literal(float64(c[i]*s.vars[i].Dim.Scale()), s.vars[i].Dim)
			for j := range n {
				f := e[i*n+j]
				if i == j {
					f--
				}
				change = add(change, mul(literal(float64(f*s.vars[i].Dim.Scale()/s.vars[j].Dim.Scale()), s.vars[i].Dim.Div(s.vars[j].Dim)), local(fmt.Sprintf("_%s%d", s.odes[j].eq.Name, k))))
			}
			was := fmt.Sprintf("_%s%d", s.odes[i].eq.Name, k)
			s.emit(fmt.Sprintf("_%s%d", s.odes[i].eq.Name, k+1), add(local(was), mul(local(bit), change)))
		}
		// twice as many steps
		ec := times(e, c, n, 1)
		for i := range n {
			c[i] = bounded(c[i] + ec[i])
		}
		e = times(e, e, n, n)
		for i := range e {
			e[i] = bounded(e[i])
		}
	}
	s.finish(func(o *ode, _ int, _ bool) Expr { return local(fmt.Sprintf("_%s%d", o.eq.Name, mostSteps)) })
	return true
}

// times is the product of an n x n matrix and an n x m one.
func times(a, b []float64, n, m int) []float64 {
	out := make([]float64, n*m)
	for i := range n {
		for k := range m {
			for j := range n {
				out[i*m+k] += float64(a[i*n+j] * b[j*m+k])
			}
		}
	}
	return out
}

// bounded keeps what grows without end within numbers that a device has.
func bounded(x float64) float64 { return max(-1e25, min(1e25, x)) }
