package eqn

import (
	"math"
	"slices"
)

// removable is the limit of x/y where both are 0, as in the rates of ion channels:
// (v + 40*mV)/(1 - exp(-(v + 40*mV)/(10*mV))). It is worked out here, in float64,
// for each of the variables that y depends on, and must not depend on the others;
// ok is false where y has no such zero.
func removable(x, y Expr) (limit float64, ok bool) {
	vars := variables(y)
	if len(vars) == 0 || len(vars) > 4 || slices.ContainsFunc(variables(x), func(s *Symbol) bool { return !slices.Contains(vars, s) }) {
		return 0, false
	}
	for _, v := range vars {
		a, ok := limitAt(x, y, v, vars, 0.37)
		b, too := limitAt(x, y, v, vars, 0.61)
		if ok && too && math.Abs(a-b) <= 1e-6*math.Abs(a) {
			return a, true
		}
	}
	return 0, false
}

// limitAt is removable in v, with the other variables at a value.
func limitAt(x, y Expr, v *Symbol, others []*Symbol, value float64) (limit float64, ok bool) {
	m := &moment{value: map[*Symbol]float64{}}
	for _, o := range others {
		m.value[o] = float64(value * o.Dim.Scale())
	}
	at := func(e Expr, z float64) float64 {
		m.value[v] = z
		r, err := evalBound(e, m)
		if err != nil {
			return math.NaN()
		}
		return r
	}
	unit := v.Dim.Scale()
	for _, e := range append([]Expr{y}, arguments(y)...) {
		// A straight line e has its zero at z.
		a, b, c := at(e, 0), at(e, unit), at(e, 2*unit)
		slope := (b - a) / unit
		if !(math.Abs(c-b-(b-a)) <= 1e-12*(math.Abs(a)+math.Abs(b))) || slope == 0 {
			continue
		}
		z := 0 - a/slope
		near := math.Max(unit, math.Abs(z)) * 0x1p-30
		zero := func(e Expr) bool { return math.Abs(at(e, z)) <= 1e-3*math.Abs(at(e, float64(z+near))) }
		if !zero(y) || !zero(x) {
			continue
		}
		mean := func(h float64) float64 {
			return float64(at(x, z+h)/at(y, z+h)+at(x, z-h)/at(y, z-h)) / 2
		}
		for h := unit; h > unit*1e-6; h /= 4 {
			r, s := mean(h), mean(h/2)
			if limit = s + (s-r)/3; math.Abs(s-r) <= 1e-5*math.Abs(s) && !math.IsInf(limit, 0) {
				return limit, true
			}
		}
	}
	return 0, false
}

// variables are those that an expression depends on; none where time or chance
// come in.
func variables(e Expr) (list []*Symbol) {
	ok := true
	walk(e, func(x Expr) {
		switch x := x.(type) {
		case *Name:
			switch {
			case x.Sym == nil || x.Sym.Kind == Time || x.Sym.Type != Float && x.Sym.Kind != Constant || x.Sym.Steps:
				ok = false
			case x.Sym.Kind != Constant && !slices.Contains(list, x.Sym):
				list = append(list, x.Sym)
			}
		case *Call:
			ok = ok && x.Sym != nil && x.Sym.Kind == Function && functions[x.Sym.Name].eval != nil
		}
	})
	if !ok {
		return nil
	}
	return list
}

// arguments lists the arguments of the functions in e.
func arguments(e Expr) (list []Expr) {
	walk(e, func(x Expr) {
		if c, ok := x.(*Call); ok {
			list = append(slices.Clone(list), c.Args...)
		}
	})
	return list
}
