package eqn

import (
	"math"
	"slices"

	"synfire/engine/ir"
)

// val is a lowered value. Floats are linear forms that are not yet emitted, so
// that factors known on the host fold into each other in float64.
type val struct {
	typ   Type
	known bool     // Integer or Boolean constant c
	from  Pos      // of a constant
	v     ir.Value // Integer (I32) or Boolean (Bool), unless known
	f     ir.Value // Integer: the same as F32, if at hand (0 value: not)
	hasF  bool
	lin   // Float, in internal units; c is also the constant of the others
}

// fixed is an integer or truth constant.
func fixed(t Type, c float64) val { return val{typ: t, known: true, lin: lin{c: c}} }

// lin is K * (sum of t[i].k * t[i].v, and c before term at).
type lin struct {
	K  float64
	t  []term
	c  float64
	at int
}

type term struct {
	k     float64
	v     ir.Value
	i     ir.Value // where steps or whole: the I32 that v is the float of
	steps bool
	whole bool
	rand  *drawn    // where v is a rand(): what it is made from
	exp   *ir.Value // where v is an exp(): of what
}

type drawn struct{ word, more ir.Value }

func float(v ir.Value) val { return val{typ: Float, lin: lin{K: 1, t: []term{{k: 1, v: v}}}} }

func number64(c float64) val { return val{typ: Float, lin: lin{K: 1, c: c}} }

func (x val) isConst() bool {
	if x.typ == Float {
		return len(x.t) == 0
	}
	return x.known
}

// beyondWord says that x is a constant that no whole number of 32 bits can be.
func (x val) beyondWord() bool {
	return x.isConst() && !(x.constant() >= math.MinInt32 && x.constant() <= math.MaxInt32)
}

func (x val) constant() float64 {
	if x.typ == Float {
		return float64(x.K * x.c)
	}
	return x.c
}

// times scales a Float value by a number.
func (x val) times(k float64) val { x.K = float64(x.K * k); return x }

// single is the scale of a value of one term without constant.
func (x val) single() (k float64, t term, ok bool) {
	if x.typ != Float || len(x.t) != 1 || x.c != 0 {
		return 0, term{}, false
	}
	return float64(x.K * x.t[0].k), x.t[0], true
}

// split takes the common factor off: x = k * v.
func (l *lowerer) split(x val) (k float64, v ir.Value) {
	x = l.toFloat(x)
	if k, t, ok := x.single(); ok {
		return k, t.v
	}
	k = x.K
	x.K = 1
	return k, l.f32(x)
}

// distributes says that K*(a + b) takes fewer products as K*a + K*b.
func (x *lin) distributes() bool {
	scaled := 0
	for _, t := range x.t {
		if math.Abs(t.k) != 1 {
			scaled++
		}
	}
	return len(x.t) < scaled+1
}

// plusConst adds a constant (internal units).
func (l *lowerer) plusConst(x val, c float64) val {
	s := lin{K: 1}
	l.addTo(&s, 1, x)
	l.addTo(&s, 1, number64(c))
	return val{typ: Float, lin: s}
}

// addTo adds sign*x to the sum s (whose K is 1).
func (l *lowerer) addTo(s *lin, sign float64, x val) {
	switch {
	case len(x.t) == 0:
		l.addConst(s, float64(sign*x.K*x.c))
	case len(x.t) == 1 && x.c == 0:
		t := x.t[0]
		t.k = float64(t.k * float64(sign*x.K))
		s.add(t)
	case math.Abs(x.K) != 1 && x.distributes():
		for _, t := range x.t {
			t.k = float64(t.k * float64(sign*x.K))
			s.add(t)
		}
		l.addConst(s, float64(sign*x.K*x.c))
	default:
		k := float64(sign * x.K)
		x.K = 1
		s.add(term{k: k, v: l.f32(x)})
	}
}

func (l *lowerer) addConst(s *lin, c float64) {
	if s.c == 0 {
		s.at = len(s.t)
	}
	s.c += c
}

// add appends a term, or joins it with one of the same value.
func (s *lin) add(t term) {
	for i := range s.t {
		if s.t[i].v == t.v {
			if s.t[i].k += t.k; s.t[i].k == 0 {
				s.t = append(s.t[:i:i], s.t[i+1:]...)
				if s.at > i {
					s.at--
				}
			}
			return
		}
	}
	s.t = append(s.t[:len(s.t):len(s.t)], t)
}

// f32 emits a value as a float.
func (l *lowerer) f32(x val) ir.Value {
	x = l.toFloat(x)
	b := l.b
	if len(x.t) == 0 {
		return b.F(float64(x.K * x.c))
	}
	k := x.K
	if k == -1 || k != 1 && x.distributes() {
		terms := make([]term, len(x.t))
		for i, t := range x.t {
			t.k = float64(t.k * k)
			terms[i] = t
		}
		x.t, x.c, k = terms, float64(x.c*k), 1
	}
	// parts with signs; the first positive one leads, so that none is negated
	type part struct {
		neg bool
		v   ir.Value
	}
	var parts []part
	for i := 0; i <= len(x.t); i++ {
		if i == min(x.at, len(x.t)) && x.c != 0 {
			parts = append(parts, part{x.c < 0, b.F(math.Abs(x.c))})
		}
		if i == len(x.t) {
			break
		}
		t := x.t[i]
		p := part{t.k < 0, t.v}
		if m := math.Abs(t.k); m != 1 {
			p.v = b.Mul(t.v, b.F(m))
		}
		parts = append(parts, p)
	}
	if len(parts) > 1 && parts[0].neg && !parts[1].neg {
		parts[0], parts[1] = parts[1], parts[0]
	}
	v, neg := parts[0].v, parts[0].neg
	for _, p := range parts[1:] {
		if p.neg == neg {
			v = b.Add(v, p.v)
		} else {
			v = b.Sub(v, p.v)
		}
	}
	if neg {
		k = -k
	}
	switch k {
	case 1:
		return v
	case -1:
		return b.Neg(v)
	}
	return b.Mul(v, b.F(k))
}

// toFloat converts integers and truth values.
func (l *lowerer) toFloat(x val) val {
	switch {
	case x.typ == Float:
		return x
	case x.known:
		return number64(x.c)
	case x.typ == Boolean:
		return float(l.b.Sel(x.v, l.b.F(1), l.b.F(0)))
	case x.hasF:
		return float(x.f)
	}
	return val{typ: Float, lin: lin{K: 1, t: []term{{k: 1, v: l.b.I2F(x.v), i: x.v, whole: true}}}}
}

// i32 emits a value as an integer, floats truncated towards zero.
func (l *lowerer) i32(x val) ir.Value {
	switch {
	case x.isConst():
		c := math.Trunc(x.constant())
		if !(c >= math.MinInt32 && c <= math.MaxInt32) {
			l.fail(At(x.from, "whole numbers have 32 bits; a float is written with a point, as 3e9", "%.15g does not fit in a whole number", c))
			c = 0
		}
		return l.b.I(int32(c))
	case x.typ == Integer:
		return x.v
	case x.typ == Boolean:
		return l.b.Sel(x.v, l.b.I(1), l.b.I(0))
	}
	if k, t, ok := x.single(); ok && k == 1 && (t.steps || t.whole) {
		return t.i
	}
	return l.b.F2I(l.f32(x))
}

// truth emits a value as a truth value: not zero.
func (l *lowerer) truth(x val) ir.Value {
	switch {
	case x.isConst():
		return l.b.B(x.constant() != 0)
	case x.typ == Boolean:
		return x.v
	case x.typ == Integer:
		return l.b.NotB(l.b.EqI(x.v, l.b.I(0)))
	}
	return l.b.Ne(l.f32(x), l.b.F(0))
}

// signed is a term of a sum.
type signed struct {
	sign float64
	x    Expr
}

// spine lists the terms of a sum, from the left, without opening parentheses on
// the right.
func spine(e Expr, sign float64, list []signed) []signed {
	if b, ok := e.(*Binary); ok && (b.Op == "+" || b.Op == "-") {
		list = spine(b.X, sign, list)
		if b.Op == "-" {
			sign = -sign
		}
		return append(list, signed{sign, b.Y})
	}
	return append(list, signed{sign, e})
}

// sum lowers a sum: constants fold, what the host knows becomes one word.
func (l *lowerer) sum(e Expr) val { return l.total(spine(e, 1, nil)) }

func (l *lowerer) total(terms []signed) val {
	s := lin{K: 1}
	terms = l.stepPairs(&s, terms)
	var host Expr
	where := -1
	for _, t := range terms {
		switch l.classOf(t.x) {
		case isConst:
			if host == nil {
				l.addConst(&s, t.sign*l.constant(t.x)/l.info(t.x).dim.Scale())
				continue
			}
			host = join2(host, t)
		case isHost:
			if host == nil {
				where = len(s.t)
			}
			host = join2(host, t)
		default:
			l.addTo(&s, t.sign, l.toFloat(l.expr(t.x)))
		}
	}
	if host != nil {
		in := l.info(host)
		if s.c != 0 { // constants that came before
			host = &Binary{At: host.Pos(), Op: "+", X: literal(float64(s.c*in.dim.Scale()), in.dim), Y: host}
			s.c = 0
		}
		if len(s.t) == 0 {
			return l.host(host, info{in.dim, Float})
		}
		h := l.host(host, info{in.dim, Float}).t[0]
		where = min(where, len(s.t))
		s.t = append(s.t[:where:where], append([]term{h}, s.t[where:]...)...)
	}
	return val{typ: Float, lin: s}
}

func join2(host Expr, t signed) Expr {
	switch {
	case host == nil && t.sign > 0:
		return t.x
	case host == nil:
		return &Unary{At: t.x.Pos(), Op: "-", X: t.x}
	case t.sign > 0:
		return &Binary{At: t.x.Pos(), Op: "+", X: host, Y: t.x}
	}
	return &Binary{At: t.x.Pos(), Op: "-", X: host, Y: t.x}
}

// literal is a constant with a dimension, in SI units.
func literal(v float64, d Dim) Expr {
	if d.IsOne() {
		return &Num{Value: v}
	}
	q := Quantity{v, d}
	return &Name{ID: "(" + q.Text(-1) + ")", Sym: &Symbol{Name: q.String(), Kind: Constant, Dim: d, Value: v}}
}

// stepPairs takes differences of t and step variables out of a sum and makes
// them in steps (rule 9).
func (l *lowerer) stepPairs(s *lin, terms []signed) []signed {
	var rest []signed
	used := make([]bool, len(terms))
	for i, a := range terms {
		if used[i] {
			continue
		}
		if n, ok := a.x.(*Name); ok && n.Sym.Steps {
			for j, p := range terms {
				m, ok := p.x.(*Name)
				if !ok || used[j] || j == i || p.sign != -a.sign || !(m.Sym.Steps || m.Sym.Kind == Time && m.Sym.Type == Float) {
					continue
				}
				from, to := l.i32(l.load(n.Sym)), l.now()
				if m.Sym.Steps {
					to = l.i32(l.load(m.Sym))
				}
				d, v := l.b.SinceSteps(to, from) // p - a
				s.add(term{k: float64(p.sign * l.stepInternal()), v: v, i: d, steps: true})
				used[i], used[j] = true, true
				break
			}
		}
	}
	for i, t := range terms {
		if !used[i] {
			rest = append(rest, t)
		}
	}
	return rest
}

// now is the present step, which a run keeps below FarStep.
func (l *lowerer) now() ir.Value {
	return l.b.Assume(l.clock(), ir.Range{Lo: 0, Hi: ir.FarStep})
}

// factor is a factor of a product, or a divisor.
type factor struct {
	x       Expr
	divisor bool
}

func factors(e Expr, divisor bool, list []factor) []factor {
	if b, ok := e.(*Binary); ok && (b.Op == "*" || b.Op == "/") && !divisor {
		list = factors(b.X, false, list)
		return append(list, factor{b.Y, b.Op == "/"})
	}
	return append(list, factor{e, divisor})
}

// product lowers a product: constants fold into one factor that stays pending,
// what the host knows becomes one word, a truth value selects.
func (l *lowerer) product(e Expr, in info) val {
	k := 1.0 / in.dim.Scale() // SI factor to internal result
	var host Expr
	var lanes []factor
	hostAt := 0
	for _, f := range factors(e, false, nil) {
		switch l.classOf(f.x) {
		case isConst:
			c := l.constant(f.x)
			if f.divisor {
				if c == 0 {
					l.fail(At(f.x.Pos(), "", "division by zero: '%s' is 0", f.x))
					return number64(0)
				}
				k /= c
			} else {
				k = float64(k * c)
			}
		case isHost:
			switch {
			case host == nil && !f.divisor:
				host, hostAt = f.x, len(lanes)
			case host == nil:
				host, hostAt = &Binary{At: f.x.Pos(), Op: "/", X: &Num{Value: 1}, Y: f.x}, len(lanes)
			case f.divisor:
				host = &Binary{At: f.x.Pos(), Op: "/", X: host, Y: f.x}
			default:
				host = &Binary{At: f.x.Pos(), Op: "*", X: host, Y: f.x}
			}
		default:
			lanes = append(lanes, f)
		}
	}
	if k == 0 {
		return number64(0)
	}
	if len(lanes) == 1 && host == nil && !lanes[0].divisor && l.gate(lanes[0]) == nil {
		x := l.toFloat(l.expr(lanes[0].x))
		return x.times(float64(k * l.info(lanes[0].x).dim.Scale()))
	}
	// numerators and divisors, in the order of the text
	type part struct {
		v       ir.Value
		divisor bool
		gate    bool
		free    bool // of the variable that relaxes
	}
	var parts []part
	var relaxed *Symbol
	clamps := 0 // in what a relaxation is multiplied by
	for i := 0; i <= len(lanes); i++ {
		if host != nil && i == hostAt {
			parts = append(parts, part{}) // filled below, when the constant is complete
			hostAt = len(parts) - 1
		}
		if i == len(lanes) {
			break
		}
		f := lanes[i]
		before := l.b.Clamps()
		if g := l.gate(f); g != nil {
			parts = append(parts, part{v: l.truth(l.expr(g)), gate: true})
			continue
		}
		c, v := l.factor(f)
		v = l.fill(f, lanes, v)
		if f.divisor {
			k /= c
		} else {
			k = float64(k * c)
		}
		parts = append(parts, part{v: v, divisor: f.divisor, free: l.free(f.x)})
		if x := relaxes(f); x != nil {
			relaxed = x
		} else {
			clamps += l.b.Clamps() - before
		}
	}
	if host != nil {
		d := l.info(host).dim
		if k = float64(k * d.Scale()); k != 1 {
			host = &Binary{At: host.Pos(), Op: "*", X: &Num{Value: k}, Y: host}
			k = 1
		}
		parts[hostAt].v = l.m.Host(newHost(host, Float, d, l.dt, l.tick))
	}
	for i, p := range parts { // 1/x*y is y/x
		if !p.divisor && !p.gate {
			copy(parts[1:i+1], parts[:i])
			parts[0] = p
			break
		}
	}
	acc := ir.None
	for _, p := range parts {
		switch {
		case p.gate:
		case p.divisor:
			if acc == ir.None {
				acc, k = l.b.F(k), 1
			}
			before := l.b.Clamps()
			acc = l.quotient(acc, p.v, p.free)
			clamps += l.b.Clamps() - before
		case acc == ir.None:
			acc = p.v
		default:
			acc = l.b.Mul(acc, p.v)
		}
	}
	if relaxed != nil && l.relaxing == nil && clamps > 0 {
		l.relaxing = relaxed
		defer func() { l.relaxing = nil }()
		return l.product(e, in)
	}
	for _, p := range parts {
		if p.gate {
			if acc == ir.None {
				acc, k = l.b.F(k), 1
			}
			acc = l.b.Sel(p.v, acc, l.b.F(0))
		}
	}
	return float(acc).times(k)
}

// A rate of a relaxation beyond mostRate (1.1e18 Hz) counts for that, in its internal
// unit: its product with 1 V, or with 1,000, stays below 2^60. It is looked at where
// it could pass anyRate, so that the product with a variable could pass 2^126.
const (
	mostRate = 0x1p50
	anyRate  = 0x1p85
)

// limited clamps a part of an equation that is free of the variable which relaxes.
// Such a rate stands in the derivative and in exprel, whose product is right only
// as long as both mean the same number; clamps where a result could pass 2^126
// would see to one of them alone.
func (l *lowerer) limited(x val) val {
	x.t = slices.Clone(x.t)
	for k := range x.t {
		x.t[k].v = l.rate(x.t[k].v)
	}
	return x
}

func (l *lowerer) rate(v ir.Value) ir.Value {
	if r := l.b.Range(v); r.Lo < -anyRate || r.Hi > anyRate {
		return l.b.Within(v, mostRate)
	}
	return v
}

// free says that an expression does not depend on the variable that relaxes.
func (l *lowerer) free(e Expr) bool {
	return l.relaxing != nil && !uses(e, l.relaxing) && relaxes(factor{x: e}) == nil
}

// quotient is x/y; in an equation that relaxes at great rates, 1/y is such a rate
// where y is free of the variable.
func (l *lowerer) quotient(x, y ir.Value, free bool) ir.Value {
	if free {
		return l.b.Mul(x, l.rate(l.b.Div(l.b.F(1), y)))
	}
	return l.b.Div(x, y)
}

// factor is the value of a factor, in SI units as c*v.
func (l *lowerer) factor(f factor) (c float64, v ir.Value) {
	c, v = l.split(l.expr(f.x))
	return float64(c * l.info(f.x).dim.Scale()), v
}

// fill takes a factor v that is 0 together with another one of its quotient, at a
// value of the variable where the quotient has a limit, so that it has this limit
// there: the divisor becomes 1, the numerator the limit.
func (l *lowerer) fill(f factor, all []factor, v ir.Value) ir.Value {
	for _, g := range all {
		if g.divisor == f.divisor || l.gate(g) != nil {
			continue
		}
		x, y := f, g
		if f.divisor {
			x, y = g, f
		}
		limit, ok := removable(x.x, y.x)
		if !ok {
			continue
		}
		cx, _ := l.factor(x)
		cy, w := l.factor(y)
		is := 1.0
		if !f.divisor {
			is = float64(limit*cy) / cx
		}
		return l.b.Sel(l.b.Eq(w, l.b.F(0)), l.b.F(is), v)
	}
	return v
}

// gate is the truth value of a factor that is 0 or 1.
func (l *lowerer) gate(f factor) Expr {
	if f.divisor {
		return nil
	}
	if c, ok := f.x.(*Call); ok && c.Func == "int" && len(c.Args) == 1 && l.info(c.Args[0]).typ == Boolean {
		return c.Args[0]
	}
	if l.info(f.x).typ == Boolean {
		return f.x
	}
	return nil
}
