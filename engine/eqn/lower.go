package eqn

import (
	"math"
	"slices"

	"synfire/engine/ir"
)

// Lower writes statements into b. Each variable is loaded where it is first
// read and stored once, with its last value, at the end; "+=" on Summed symbols
// goes to Machine.Add as it comes. It may be called several times on one
// Builder. Bound names (those of a Scheme) need no Scope but for dt.
func Lower(b *ir.Builder, stmts []Stmt, sc Scope, m Machine) error {
	list, err := bindStmts(stmts, sc)
	if err != nil {
		return err
	}
	l := newLowerer(b, sc, m)
	for _, a := range list {
		l.assign(a)
		if l.err != nil {
			return l.err
		}
	}
	for _, sym := range l.dirty {
		l.m.Store(sym, l.convert(l.cur[sym], sym))
		if sym.TwoWords {
			l.m.StoreLow(sym, l.low[sym])
		}
	}
	if l.err == nil {
		l.err = b.Err()
	}
	return l.err
}

// LowerExpr writes an expression into b: F32 in internal units of the
// expression's dimension, I32, or Bool.
func LowerExpr(b *ir.Builder, e Expr, sc Scope, m Machine) (ir.Value, Type, Dim, error) {
	x, err := (&binder{sc: sc}).bind(e)
	if err != nil {
		return ir.None, 0, Dim{}, err
	}
	d, t, err := check(x)
	if err != nil {
		return ir.None, 0, Dim{}, err
	}
	l := newLowerer(b, sc, m)
	v := l.expr(x)
	var r ir.Value
	switch t {
	case Float:
		r = l.f32(v)
	case Integer:
		r = l.i32(v)
	default:
		r = l.truth(v)
	}
	if l.err == nil {
		l.err = b.Err()
	}
	return r, t, d, l.err
}

type lowerer struct {
	b     *ir.Builder
	m     Machine
	dt    float64 // SI
	step  float64 // the network's, in which times are kept
	tick  int64   // steps of the network in dt
	cur   map[*Symbol]val
	low   map[*Symbol]ir.Value
	dirty []*Symbol // assigned, in order of the first assignment
	types map[Expr]info
	class map[Expr]class
	err   error

	relaxing *Symbol // whose great rates are limited; nil: as a rule, none
}

type info struct {
	dim Dim
	typ Type
}

func newLowerer(b *ir.Builder, sc Scope, m Machine) *lowerer {
	l := &lowerer{b: b, m: m, cur: map[*Symbol]val{}, low: map[*Symbol]ir.Value{}, types: map[Expr]info{}, class: map[Expr]class{}}
	if sc != nil {
		if dt := sc.Resolve("dt"); dt != nil {
			l.dt, l.step, l.tick = dt.Value, dt.Value, 1
			if dt.Step != 0 {
				l.step, l.tick = dt.Step, max(1, int64(math.Round(dt.Value/dt.Step)))
			}
		}
	}
	return l
}

func (l *lowerer) fail(err error) {
	if l.err == nil {
		l.err = err
	}
}

func (l *lowerer) info(e Expr) info {
	i, ok := l.types[e]
	if !ok {
		d, t, err := check(e)
		if err != nil {
			l.fail(err)
		}
		i = info{d, t}
		l.types[e] = i
	}
	return i
}

func (l *lowerer) classOf(e Expr) class {
	c, ok := l.class[e]
	if !ok {
		c = classOf(e)
		l.class[e] = c
	}
	return c
}

func (l *lowerer) constant(e Expr) float64 {
	v, err := evalBound(e, nil)
	if err != nil {
		l.fail(err)
	}
	if v != v {
		l.fail(At(e.Pos(), "", "'%s' has no value", e))
		v = 0
	}
	return v
}

func (l *lowerer) assign(a assign) {
	sym := a.sym
	if sym.Steps {
		l.set(sym, val{typ: Integer, v: l.stepsOf(a)})
		return
	}
	x := l.expr(a.x)
	if a.op == "+=" {
		switch {
		case sym.Summed:
			if err := l.m.Add(sym, l.convert(x, sym)); err != nil {
				l.fail(err)
			}
			delete(l.cur, sym)
			return
		case sym.TwoWords:
			low, ok := l.low[sym]
			if !ok {
				low = l.m.LoadLow(sym)
			}
			hi, lo := l.b.AddTwo(l.f32(l.load(sym)), low, l.f32(x))
			l.set(sym, float(hi))
			l.low[sym] = lo
			return
		}
		x = l.plus(l.load(sym), x, sym)
	}
	if sym.Kind == Local {
		l.cur[sym] = x
		return
	}
	l.set(sym, l.typed(x, sym))
	if sym.TwoWords {
		l.low[sym] = l.b.F(0)
	}
}

// plus adds an increment to a variable in its own type.
func (l *lowerer) plus(old, inc val, sym *Symbol) val {
	if sym.Type != Float && inc.typ != Float {
		return val{typ: Integer, v: l.b.AddI(l.i32(old), l.i32(inc))}
	}
	var s lin
	s.K = 1
	l.addTo(&s, 1, l.toFloat(old))
	l.addTo(&s, 1, l.toFloat(inc))
	return val{typ: Float, lin: s}
}

func (l *lowerer) set(sym *Symbol, v val) {
	if !slices.Contains(l.dirty, sym) {
		l.dirty = append(l.dirty, sym)
	}
	l.cur[sym] = v
}

// typed is x as the variable keeps it: emitted, and truncated where it is integer.
func (l *lowerer) typed(x val, sym *Symbol) val {
	switch sym.Type {
	case Float:
		return float(l.f32(x))
	case Integer:
		return val{typ: Integer, v: l.i32(x)}
	}
	return val{typ: Boolean, v: l.truth(x)}
}

func (l *lowerer) convert(x val, sym *Symbol) ir.Value {
	switch {
	case sym.Steps || sym.Type == Integer:
		return l.i32(x)
	case sym.Type == Boolean:
		return l.truth(x)
	}
	return l.f32(x)
}

// load is the current value of a variable.
func (l *lowerer) load(sym *Symbol) val {
	v, ok := l.cur[sym]
	if !ok {
		if sym.Kind != Variable {
			l.fail(At(Pos{}, "", "'%s' has no value yet", sym.Name))
			return float(l.b.F(0))
		}
		v = val{typ: sym.Type, v: l.m.Load(sym)}
		switch {
		case sym.Steps:
			v.typ = Integer
		case sym.Type == Float:
			v = float(v.v)
		}
		l.cur[sym] = v
	}
	return v
}

// expr lowers a bound expression.
func (l *lowerer) expr(e Expr) val {
	if l.err != nil {
		return number64(0)
	}
	in := l.info(e)
	if in.typ == Float && l.free(e) {
		return l.limited(l.any(e, in))
	}
	return l.any(e, in)
}

func (l *lowerer) any(e Expr, in info) val {
	switch l.classOf(e) {
	case isConst:
		v := l.constant(e)
		if in.typ == Float {
			x := number64(v / in.dim.Scale())
			x.from = e.Pos()
			return x
		}
		x := fixed(in.typ, v)
		x.from = e.Pos()
		return x
	case isHost:
		return l.host(e, in)
	}
	switch e := e.(type) {
	case *Name:
		if e.Sym.Steps {
			n := l.i32(l.load(e.Sym))
			return val{typ: Float, lin: lin{K: 1, t: []term{{k: l.stepInternal(), v: l.b.FromSteps(n), i: n, steps: true}}}}
		}
		return l.load(e.Sym)
	case *Unary:
		x := l.expr(e.X)
		switch {
		case e.Op == "not":
			return val{typ: Boolean, v: l.b.NotB(l.truth(x))}
		case e.Op == "+":
			return x
		case in.typ == Integer:
			return val{typ: Integer, v: l.b.SubI(l.b.I(0), l.i32(x))}
		}
		return l.toFloat(x).times(-1)
	case *Cond:
		return l.choose(e, in)
	case *Call:
		return l.call(e, in)
	case *Binary:
		switch e.Op {
		case "+", "-":
			if in.typ == Integer {
				return l.intOp(e)
			}
			return l.sum(e)
		case "*", "/":
			if in.typ == Integer {
				return l.intOp(e)
			}
			return l.product(e, in)
		case "//", "%":
			return l.division(e, in)
		case "**":
			return l.power(e, in)
		case "and", "or":
			return l.logic(e)
		}
		return l.compare(e)
	}
	l.fail(At(e.Pos(), "", "'%s' cannot be compiled", e))
	return number64(0)
}

// stepInternal is the network's step in internal units.
func (l *lowerer) stepInternal() float64 { return l.step / base(Second).Scale() }

// clock is the step of the network at which the clock of the code's object stands.
func (l *lowerer) clock() ir.Value {
	if m, ok := l.m.(interface{ Now() ir.Value }); ok {
		return m.Now()
	}
	return l.b.Step()
}

// host is a word of rule 9.
func (l *lowerer) host(e Expr, in info) val {
	if n, ok := e.(*Name); ok && n.Sym.Type == Integer && l.tick == 1 {
		return val{typ: Integer, v: l.b.Step()}
	}
	v := l.m.Host(newHost(e, in.typ, in.dim, l.dt, l.tick))
	if in.typ == Float {
		return float(v)
	}
	return val{typ: in.typ, v: v}
}

func (l *lowerer) choose(e *Cond, in info) val {
	c := l.truth(l.expr(e.If))
	x, y := l.expr(e.Then), l.expr(e.Else)
	switch in.typ {
	case Float:
		return float(l.b.Sel(c, l.f32(x), l.f32(y)))
	case Integer:
		return val{typ: Integer, v: l.b.Sel(c, l.i32(x), l.i32(y))}
	}
	return val{typ: Boolean, v: l.b.Sel(c, l.truth(x), l.truth(y))}
}

func (l *lowerer) intOp(e *Binary) val {
	x, y := l.i32(l.expr(e.X)), l.i32(l.expr(e.Y))
	v := val{typ: Integer}
	switch e.Op {
	case "+":
		v.v = l.b.AddI(x, y)
	case "-":
		v.v = l.b.SubI(x, y)
	default:
		v.v = l.b.MulI(x, y)
	}
	if m, ok := l.m.(interface{ Strict() bool }); ok && m.Strict() { // they do not wrap
		f, g := l.b.I2F(x), l.b.I2F(y)
		switch e.Op {
		case "+":
			f = l.b.Add(f, g)
		case "-":
			f = l.b.Sub(f, g)
		default:
			f = l.b.Mul(f, g)
		}
		l.m.Refuse(l.b.Le(l.b.F(0x1p31), l.b.Abs(f)), e.String(), "does not fit in a whole number of 32 bits")
	}
	return v
}

// division is // and %, with the sign of the divisor as in Python.
func (l *lowerer) division(e *Binary, in info) val {
	x, y := l.expr(e.X), l.expr(e.Y)
	if y.isConst() && y.constant() == 0 {
		l.fail(At(e.At, "", "division by zero: '%s' is 0", e.Y))
		return number64(0)
	}
	if in.typ == Integer {
		if e.Op == "//" {
			return val{typ: Integer, v: l.b.DivI(l.i32(x), l.i32(y))}
		}
		return val{typ: Integer, v: l.b.ModI(l.i32(x), l.i32(y))}
	}
	if e.Op == "//" {
		return float(l.b.FloorDiv(l.f32(x), l.f32(y)))
	}
	return float(l.b.Mod(l.f32(x), l.f32(y)))
}

// logic joins truth values; what the host knows is worked out there.
func (l *lowerer) logic(e *Binary) val {
	var known Expr
	var rest []Expr
	var collect func(Expr)
	collect = func(x Expr) {
		if b, ok := x.(*Binary); ok && b.Op == e.Op && l.classOf(x) > isHost {
			collect(b.X)
			collect(b.Y)
			return
		}
		switch {
		case l.classOf(x) > isHost:
			rest = append(rest, x)
		case known == nil:
			known = x
		default:
			known = &Binary{At: e.At, Op: e.Op, X: known, Y: x}
		}
	}
	collect(e)
	if known != nil {
		rest = append([]Expr{known}, rest...)
	}
	v := l.truth(l.expr(rest[0]))
	for _, x := range rest[1:] {
		y := l.truth(l.expr(x))
		if e.Op == "and" {
			v = l.b.AndB(v, y)
		} else {
			v = l.b.OrB(v, y)
		}
	}
	return val{typ: Boolean, v: v}
}

// stepsOf is the step to keep in a Steps variable (rule 9).
func (l *lowerer) stepsOf(a assign) ir.Value {
	x := a.x
	if a.op == "+=" {
		x = &Binary{At: a.at, Op: "+", X: &Name{a.at, a.sym.Name, a.sym}, Y: x}
	}
	if n, ok := x.(*Name); ok {
		switch {
		case n.Sym.Kind == Time && n.Sym.Type == Float:
			return l.clock()
		case n.Sym.Steps:
			return l.i32(l.load(n.Sym))
		}
	}
	if l.classOf(x) == isConst {
		return l.b.I(int32(ir.StepsWord(math.Floor(l.constant(x)/l.step + 0.5))))
	}
	// t or a Steps variable and something: the rest alone is rounded to steps.
	terms := spine(x, 1, nil)
	for k, t := range terms {
		n, ok := t.x.(*Name)
		if !ok || t.sign < 0 || len(terms) == 1 || !(n.Sym.Steps || n.Sym.Kind == Time && n.Sym.Type == Float) {
			continue
		}
		at := l.clock()
		if n.Sym.Steps {
			at = l.i32(l.load(n.Sym))
		}
		return l.b.AddSteps(at, l.toSteps(l.total(append(terms[:k:k], terms[k+1:]...))))
	}
	return l.toSteps(l.expr(x))
}

// toSteps rounds a time to steps.
func (l *lowerer) toSteps(x val) ir.Value {
	if x.isConst() {
		return l.b.I(int32(ir.StepsWord(math.Floor(x.constant()/l.stepInternal() + 0.5))))
	}
	if k, t, ok := x.single(); ok && t.steps && k == l.stepInternal() {
		return t.i
	}
	return l.b.ToSteps(l.b.Floor(l.f32(l.plusConst(l.toFloat(x).times(1/l.stepInternal()), 0.5))))
}
