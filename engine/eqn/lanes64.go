package eqn

import (
	"strings"
)

// Lanes64 is an expression that is worked out in float64 and SI units for many
// lanes at a time, as Brian2 works out what it assigns. What lanes differ in,
// variables and random numbers, are its leaves.
type Lanes64 struct {
	Leaves []Expr // bound; random calls and names of variables
	x      Expr
	at     map[Expr]int    // leaves by node
	names  map[*Symbol]int // leaves by variable
	now    *moment
}

// NewLanes64 binds an expression; time is that of a step.
func NewLanes64(e Expr, sc Scope, step int64, dt float64) (*Lanes64, error) {
	x, err := (&binder{sc: sc}).bind(e)
	if err != nil {
		return nil, err
	}
	if _, _, err := check(x); err != nil {
		return nil, err
	}
	l := &Lanes64{x: x, at: map[Expr]int{}, names: map[*Symbol]int{}, now: &moment{step: step, dt: dt}}
	l.find(x)
	return l, nil
}

func (l *Lanes64) find(e Expr) {
	leaf := func() {
		l.at[e] = len(l.Leaves)
		l.Leaves = append(l.Leaves, e)
	}
	switch e := e.(type) {
	case *Name:
		if e.Sym.Kind != Variable {
			return
		}
		if k, ok := l.names[e.Sym]; ok {
			l.at[e] = k
			return
		}
		l.names[e.Sym] = len(l.Leaves)
		leaf()
	case *Unary:
		l.find(e.X)
	case *Binary:
		l.find(e.X)
		l.find(e.Y)
	case *Cond:
		l.find(e.If)
		l.find(e.Then)
		l.find(e.Else)
	case *Call:
		if e.Sym != nil && e.Sym.Kind == Function && functions[e.Sym.Name].random {
			leaf()
			return
		}
		for _, a := range e.Args {
			l.find(a)
		}
	}
}

// Bare says that the expression is a leaf itself.
func (l *Lanes64) Bare() bool {
	_, ok := l.at[l.x]
	return ok
}

// Key is equal for expressions that give the same values of the same leaves.
func (l *Lanes64) Key() string {
	var s strings.Builder
	writeKey(&s, l.x)
	return s.String()
}

// many is a value of each lane, or one for all.
type many struct {
	all   []float64
	value float64
}

func (m many) at(k int) float64 {
	if m.all != nil {
		return m.all[k]
	}
	return m.value
}

// Eval works the expression out for n lanes from the values of its leaves.
func (l *Lanes64) Eval(n int, leaves [][]float64) ([]float64, error) {
	m, err := l.eval(l.x, n, leaves)
	if err != nil {
		return nil, err
	}
	out := make([]float64, n)
	for k := range out {
		out[k] = m.at(k)
	}
	return out, nil
}

func (l *Lanes64) eval(e Expr, n int, leaves [][]float64) (many, error) {
	if k, ok := l.at[e]; ok {
		return many{all: leaves[k]}, nil
	}
	if b, ok := e.(*Binary); ok && inverse[b.Op] != "" {
		return l.collect(b, n, leaves)
	}
	var parts []Expr
	var f func(a []float64) float64
	switch e := e.(type) {
	case *Unary:
		parts, f = []Expr{e.X}, func(a []float64) float64 { return a[0] }
		switch e.Op {
		case "-":
			f = func(a []float64) float64 { return 0 - a[0] }
		case "not":
			f = func(a []float64) float64 { return one(a[0] == 0) }
		}
	case *Binary:
		parts, f = []Expr{e.X, e.Y}, func(a []float64) float64 { return apply(e.Op, a[0], a[1]) }
	case *Cond:
		parts, f = []Expr{e.If, e.Then, e.Else}, func(a []float64) float64 {
			if a[0] != 0 {
				return a[1]
			}
			return a[2]
		}
	case *Call:
		parts = e.Args
		f = functions[e.Func].eval
		if e.Sym != nil {
			f = functions[e.Sym.Name].eval
			if e.Sym.Kind == Timed {
				f = func(a []float64) float64 { return e.Sym.Array.At(a[0], a[1:], l.now.dt) }
			}
		}
	}
	if parts == nil {
		v, err := evalBound(e, l.now)
		return many{value: v}, err
	}
	args, vary := make([]many, len(parts)), false
	for k, x := range parts {
		var err error
		if args[k], err = l.eval(x, n, leaves); err != nil {
			return many{}, err
		}
		vary = vary || args[k].all != nil
	}
	a := make([]float64, len(args))
	lane := func(k int) float64 {
		for q := range args {
			a[q] = args[q].at(k)
		}
		return f(a)
	}
	if !vary {
		return many{value: lane(0)}, nil
	}
	out := make([]float64, n)
	for k := range out {
		out[k] = lane(k)
	}
	return many{all: out}, nil
}

var inverse = map[string]string{"*": "/", "/": "*", "+": "-", "-": "+"}

// collect works out a chain of * and /, or of + and -, in Brian2's order: what
// is the same for all lanes first, numbers before names.
func (l *Lanes64) collect(e *Binary, n int, leaves [][]float64) (many, error) {
	op := map[string]string{"*": "*", "/": "*", "+": "+", "-": "+"}[e.Op]
	var groups [3][2]many // numbers, names, lanes; to multiply and to divide by
	var have [3][2]bool
	var gather func(x Expr, inverted int) error
	gather = func(x Expr, inverted int) error {
		if b, ok := x.(*Binary); ok && (b.Op == op || b.Op == inverse[op]) {
			if err := gather(b.X, inverted); err != nil {
				return err
			}
			if b.Op != op {
				inverted = 1 - inverted
			}
			return gather(b.Y, inverted)
		}
		m, err := l.eval(x, n, leaves)
		if err != nil {
			return err
		}
		kind := 1
		if _, ok := x.(*Num); ok {
			kind = 0
		} else if m.all != nil {
			kind = 2
		}
		if g := &groups[kind][inverted]; have[kind][inverted] {
			*g = both(op, *g, m, n)
		} else {
			*g, have[kind][inverted] = m, true
		}
		return nil
	}
	if err := gather(e, 0); err != nil {
		return many{}, err
	}
	sum := many{value: map[string]float64{"*": 1, "+": 0}[op]}
	for kind := range groups {
		if have[kind][0] {
			sum = both(op, sum, groups[kind][0], n)
		}
		if have[kind][1] {
			sum = both(inverse[op], sum, groups[kind][1], n)
		}
	}
	return sum, nil
}

// both is x op y.
func both(op string, x, y many, n int) many {
	if x.all == nil && y.all == nil {
		return many{value: apply(op, x.value, y.value)}
	}
	out := make([]float64, n)
	switch op {
	case "+":
		for k := range out {
			out[k] = x.at(k) + y.at(k)
		}
	case "-":
		for k := range out {
			out[k] = x.at(k) - y.at(k)
		}
	case "*":
		for k := range out {
			out[k] = float64(x.at(k) * y.at(k))
		}
	case "/":
		for k := range out {
			out[k] = x.at(k) / y.at(k)
		}
	}
	return many{all: out}
}
