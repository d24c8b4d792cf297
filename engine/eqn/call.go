package eqn

import (
	"fmt"
	"math"

	"synfire/engine/ir"
	"synfire/engine/num"
)

// compare lowers a comparison. Factors go to the side that the host knows, whole
// numbers and steps are compared as integers, rand() with a known probability
// as a word with a threshold.
func (l *lowerer) compare(e *Binary) val {
	if v, ok := l.below(e); ok {
		return val{typ: Boolean, v: v}
	}
	if l.hasSteps(e.X) || l.hasSteps(e.Y) {
		terms := spine(e.Y, -1, spine(e.X, 1, nil))
		return val{typ: Boolean, v: l.order(e.Op, l.total(terms), number64(0))}
	}
	x, y := l.expr(e.X), l.expr(e.Y)
	if x.typ == Boolean || y.typ == Boolean {
		if x.typ == y.typ && (e.Op == "==" || e.Op == "!=") {
			a, b := l.truth(x), l.truth(y)
			same := l.b.OrB(l.b.AndB(a, b), l.b.AndB(l.b.NotB(a), l.b.NotB(b)))
			if e.Op == "!=" {
				same = l.b.NotB(same)
			}
			return val{typ: Boolean, v: same}
		}
		x, y = l.number(x), l.number(y)
	}
	if x.typ == Integer && y.typ == Integer && !x.beyondWord() && !y.beyondWord() {
		return val{typ: Boolean, v: l.orderI(e.Op, l.i32(x), l.i32(y))}
	}
	return val{typ: Boolean, v: l.order(e.Op, l.toFloat(x), l.toFloat(y))}
}

// number makes an integer of a truth value.
func (l *lowerer) number(x val) val {
	if x.typ == Boolean {
		if x.known {
			return fixed(Integer, x.c)
		}
		return val{typ: Integer, v: l.i32(x)}
	}
	return x
}

func (l *lowerer) hasSteps(e Expr) bool {
	for _, t := range spine(e, 1, nil) {
		if n, ok := t.x.(*Name); ok && n.Sym.Steps {
			return true
		}
	}
	return false
}

var flipped = map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}

// below is rand() < p for a constant p, which the whole word decides; a very small
// one leaves it to what is behind the word.
func (l *lowerer) below(e *Binary) (ir.Value, bool) {
	x, y, op := e.X, e.Y, e.Op
	if isRand(y) {
		x, y, op = y, x, flipped[op]
	}
	if !isRand(x) || op == "==" || op == "!=" || l.classOf(y) != isConst {
		return ir.None, false
	}
	p := l.constant(y)
	if p > 0 && p < ir.Rarely {
		return ir.None, false
	}
	word, more := l.words(x.(*Call))
	v := l.b.Below(word, p)
	if p < 1 && p > 1-ir.Rarely {
		v = l.b.NotB(l.b.Le(l.b.Unit(l.b.XorI(word, l.b.U(^uint32(0))), more), l.b.F(1-p)))
	}
	if op == ">" || op == ">=" {
		v = l.b.NotB(v)
	}
	return v, true
}

func isRand(e Expr) bool {
	c, ok := e.(*Call)
	return ok && c.Sym != nil && c.Sym.Kind == Function && c.Sym.Name == "rand"
}

// order compares floats in internal units.
func (l *lowerer) order(op string, x, y val) ir.Value {
	if x.isConst() || len(y.t) == 1 && y.t[0].rand != nil {
		x, y, op = y, x, flipped[op]
	}
	if v, ok := l.mostly(op, x, y); ok {
		return v
	}
	if x.isConst() {
		return l.b.B(apply(op, x.constant(), y.constant()) != 0)
	}
	if y.isConst() {
		c, k := y.constant()/x.K, x.K
		x.K = 1
		if len(x.t) == 1 {
			c, k = (c-x.c)/x.t[0].k, float64(k*x.t[0].k)
			x.c, x.t = 0, []term{{k: 1, v: x.t[0].v, i: x.t[0].i, steps: x.t[0].steps, whole: x.t[0].whole}}
		}
		if k < 0 {
			op = flipped[op]
		}
		if t := x.t[0]; len(x.t) == 1 && (t.steps && math.Abs(c) < ir.FarStep || t.whole) {
			return l.orderWhole(op, t, c)
		}
		return l.orderF(op, l.f32(x), l.b.F(c))
	}
	kx, vx := l.split(x)
	ky, vy := l.split(y)
	if kx == 0 || ky == 0 {
		return l.orderF(op, l.f32(x), l.f32(y))
	}
	if kx < 0 {
		op = flipped[op]
	}
	return l.orderF(op, vx, l.f32(float(vy).times(ky/kx)))
}

// mostly is rand() < 1 - p and its like, which a float close to 1 could not tell
// for a small p: the distance of rand() from 1 is compared with p.
func (l *lowerer) mostly(op string, x, y val) (ir.Value, bool) {
	if len(x.t) != 1 || x.t[0].rand == nil || op == "==" || op == "!=" {
		return ir.None, false
	}
	k, r := float64(x.K*x.t[0].k), x.t[0].rand
	y = l.plusConst(y, -float64(x.K*x.c)).times(1 / k) // rand() is compared with y
	if k < 0 {
		op = flipped[op]
	}
	one := float64(y.K*y.c) == 1
	if t := y.t; len(t) == 1 && t[0].exp != nil && (one && float64(y.K*t[0].k) == -1 || y.c == 0 && float64(y.K*t[0].k) == 1) {
		less := l.b.Neg(l.b.Expm1(*t[0].exp)) // 1 - exp
		if one {
			return l.orderF(op, l.b.Unit(r.word, r.more), less), true
		}
		y, one = l.plusConst(float(less).times(-1), 1), true
	}
	if !one || len(y.t) == 0 {
		return ir.None, false
	}
	p := l.f32(l.plusConst(y, -1).times(-1))
	return l.orderF(flipped[op], l.b.Unit(l.b.XorI(r.word, l.b.U(^uint32(0))), r.more), p), true
}

func (l *lowerer) orderF(op string, x, y ir.Value) ir.Value {
	switch op {
	case "<":
		return l.b.Lt(x, y)
	case "<=":
		return l.b.Le(x, y)
	case ">":
		return l.b.Gt(x, y)
	case ">=":
		return l.b.Ge(x, y)
	case "==":
		return l.b.Eq(x, y)
	}
	return l.b.Ne(x, y)
}

func (l *lowerer) orderI(op string, x, y ir.Value) ir.Value {
	switch op {
	case "<":
		return l.b.LtI(x, y)
	case "<=":
		return l.b.NotB(l.b.LtI(y, x))
	case ">":
		return l.b.LtI(y, x)
	case ">=":
		return l.b.NotB(l.b.LtI(x, y))
	case "==":
		return l.b.EqI(x, y)
	}
	return l.b.NotB(l.b.EqI(x, y))
}

// orderWhole compares an integer with a number known on the host. A time in
// steps that is whole but for rounding is taken as whole.
func (l *lowerer) orderWhole(op string, t term, c float64) ir.Value {
	if r := math.Round(c); t.steps && math.Abs(c-r) <= 1e-6*max(1, math.Abs(r)) {
		c = r
	}
	if op == "==" || op == "!=" {
		if c != math.Floor(c) || math.Abs(c) > math.MaxInt32 {
			return l.b.B(op == "!=")
		}
		return l.orderI(op, t.i, l.b.I(int32(c)))
	}
	// t < least or its negation
	least := math.Ceil(c) // of < and >=
	if op == "<=" || op == ">" {
		least = math.Floor(c) + 1
	}
	less := op == "<" || op == "<="
	switch {
	case least > math.MaxInt32:
		return l.b.B(less)
	case least <= math.MinInt32:
		return l.b.B(!less)
	}
	v := l.b.LtI(t.i, l.b.I(int32(least)))
	if !less {
		v = l.b.NotB(v)
	}
	return v
}

// word is the random word of a place in the text.
func (l *lowerer) word(c *Call) ir.Value {
	w, _ := l.words(c)
	return w
}

// words are the random word of a place and what is behind it.
func (l *lowerer) words(c *Call) (word, more ir.Value) {
	stream, draw := l.m.Stream(Site{c.Sym.Name, c.At})
	item := l.m.Item()
	return l.b.Rand(item, stream, draw), l.b.More(item, stream, draw+1)
}

func (l *lowerer) call(e *Call, in info) val {
	if e.Sym != nil && e.Sym.Kind == Timed {
		return l.timed(e)
	}
	b := l.b
	var x val
	if len(e.Args) > 0 && e.Func != "sin" && e.Func != "cos" && e.Func != "tan" {
		x = l.expr(e.Args[0])
	}
	switch e.Sym.Name {
	case "rand":
		w, more := l.words(e)
		x := float(b.Unit(w, more))
		x.t[0].rand = &drawn{w, more}
		return x
	case "randn":
		return float(b.Normal(l.word(e)))
	case "truncated_normal":
		return l.truncatedNormal(e, x)
	case "poisson":
		return l.poisson(e, x)
	case binomialName:
		return l.binomial(e)
	case "int":
		if x.typ == Boolean {
			return l.number(x)
		}
		return val{typ: Integer, v: l.i32(x)}
	case "timestep":
		return l.timestep(e, x)
	case "abs":
		if in.typ == Integer {
			return val{typ: Integer, v: b.AbsI(l.i32(x))}
		}
		k, v := l.split(x)
		return float(b.Abs(v)).times(math.Abs(k))
	case "sign":
		if in.typ == Integer {
			n := l.i32(x)
			neg := b.Sel(b.LtI(n, b.I(0)), b.I(-1), b.I(0))
			return val{typ: Integer, v: b.Sel(b.LtI(b.I(0), n), b.I(1), neg)}
		}
		k, v := l.split(x)
		return float(b.Sign(v)).times(sign(k))
	case "floor", "ceil":
		// of the value in SI units
		s := l.info(e.Args[0]).dim.Scale()
		v := l.f32(l.toFloat(x).times(s))
		if e.Sym.Name == "ceil" {
			return float(b.Ceil(v)).times(1 / s)
		}
		return float(b.Floor(v)).times(1 / s)
	case "clip":
		return l.clip(e, x, in)
	case "sqrt":
		return l.root(x, l.info(e.Args[0]).dim, in.dim)
	case "sin":
		return float(b.Sin(l.f32(l.angle(e.Args[0]))))
	case "cos":
		return float(b.Cos(l.f32(l.angle(e.Args[0]))))
	case "tan":
		return float(b.Tan(l.f32(l.angle(e.Args[0]))))
	}
	f := map[string]func(ir.Value) ir.Value{
		"sinh": b.Sinh, "cosh": b.Cosh, "tanh": b.Tanh, "arcsin": b.Asin, "arccos": b.Acos, "arctan": b.Atan,
		"exp": b.Exp, "expm1": b.Expm1, "exprel": b.Exprel, "log": b.Log, "log10": b.Log10, "log1p": b.Log1p,
	}[e.Sym.Name]
	if f == nil {
		l.fail(At(e.At, "", "%s() cannot be compiled", e.Func))
		return number64(0)
	}
	at := l.f32(x)
	x = float(f(at))
	if e.Sym.Name == "exp" {
		x.t[0].exp = &at
	}
	return x
}

// angle lowers the argument of a periodic function: what the host adds to it is
// reduced modulo 2 pi there.
func (l *lowerer) angle(e Expr) val {
	var host Expr
	var rest []signed
	for _, t := range spine(e, 1, nil) {
		if l.classOf(t.x) <= isHost {
			host = join2(host, t)
		} else {
			rest = append(rest, t)
		}
	}
	if host == nil || l.classOf(host) != isHost || len(rest) == 0 {
		return l.toFloat(l.expr(e))
	}
	return l.total(append(rest, signed{1, &Call{At: e.Pos(), Func: phaseFunc, Args: []Expr{host}}}))
}

// truncatedNormal is mean + sd*z, z normal between (low-mean)/sd and
// (high-mean)/sd: the inverse of the distribution at a uniform number between the
// probabilities of the two ends.
func (l *lowerer) truncatedNormal(e *Call, mean val) val {
	var p [4]float64
	for k, x := range []val{mean, l.expr(e.Args[1]), l.expr(e.Args[2]), l.expr(e.Args[3])} {
		if x = l.toFloat(x); !x.isConst() {
			l.fail(At(e.Args[k].Pos(), "draw with randn() and clip() where they vary", "the arguments of truncated_normal() must be constants"))
			return number64(0)
		}
		p[k] = x.constant()
	}
	m, sd, lo, hi := p[0], p[1], p[2], p[3]
	if !(sd >= 0) || !(lo < hi) {
		l.fail(At(e.At, "truncated_normal(mean, sd, low, high)", "truncated_normal() needs low < high and a standard deviation that is not negative"))
		return number64(0)
	}
	word := l.word(e)
	if sd == 0 {
		return number64(min(max(m, lo), hi))
	}
	a, z := math.Floor(num.NormCDF((lo-m)/sd)*(1<<32)), math.Ceil(num.NormCDF((hi-m)/sd)*(1<<32))
	if z-a < 1<<8 {
		l.fail(At(e.At, "choose the mean nearer to the interval", "truncated_normal(): the interval lies so far from the mean that almost nothing falls into it"))
		return number64(0)
	}
	b := l.b
	if a > 0 || z < 1<<32 {
		// c, uniform in [a, z), counts from the lower end; Normal wants the distance from the nearer end below the side's bit
		c := b.AddI(b.MulHi(word, b.U(uint32(z-a))), b.U(uint32(a)))
		side := b.SubI(b.U(0), b.ShrU(c, b.I(31)))
		word = b.XorI(c, b.AndI(side, b.U(0x7fffffff)))
	}
	v := b.Add(b.Mul(b.F(sd), b.Normal(word)), b.F(m))
	if !math.IsInf(lo, 0) {
		v = b.Max(v, b.F(lo))
	}
	if !math.IsInf(hi, 0) {
		v = b.Min(v, b.F(hi))
	}
	return float(v)
}

func (l *lowerer) poisson(e *Call, x val) val {
	stream, draw := l.m.Stream(Site{"poisson", e.At})
	word := func(n uint32) ir.Value { return l.b.Rand(l.m.Item(), stream, draw+n) }
	if x.isConst() {
		mean := x.constant()
		if !(mean >= 0) {
			l.fail(At(e.Args[0].Pos(), "", "poisson() of a negative mean, %v", mean))
			return number64(0)
		}
		if mean < ir.Rarely {
			return val{typ: Integer, v: l.b.CountRare(word(0), l.b.More(l.m.Item(), stream, draw+2), num.PoissonTails(mean))}
		}
		if table, err := num.PoissonTable(min(mean, 2*maxTable)); err == nil && len(table) <= maxTable { // a longer one is not looked at
			return val{typ: Integer, v: l.b.CountTable(word(0), table)}
		}
	}
	f := l.b.Poisson(l.f32(x), word, l.b.More(l.m.Item(), stream, draw+2))
	return val{typ: Integer, v: l.b.F2I(f), f: f, hasF: true}
}

// maxTable is the most thresholds that a random word is compared with.
const maxTable = 512

// WholeSteps is what a time kept as a float is multiplied with before it is cut to
// steps: some roundings below a whole number of them are that number.
const WholeSteps = 1 + 0x1p-22

func (l *lowerer) timestep(e *Call, x val) val {
	y := l.expr(e.Args[1])
	x = l.toFloat(x)
	if !y.isConst() {
		dt := l.f32(y)
		v := l.b.Add(l.f32(x), l.b.Mul(dt, l.b.F(1e-3)))
		return val{typ: Integer, v: l.b.F2I(l.b.Div(v, dt))}
	}
	dt := y.constant()
	if k, t, ok := x.single(); ok && t.steps && k == dt {
		return val{typ: Integer, v: t.i}
	}
	return val{typ: Integer, v: l.b.F2I(l.f32(l.plusConst(x.times(WholeSteps/dt), 1e-3)))}
}

// clip limits as numpy does: min(max(x, lo), hi); an infinite bound is none.
func (l *lowerer) clip(e *Call, x val, in info) val {
	lo, hi := l.expr(e.Args[1]), l.expr(e.Args[2])
	b := l.b
	if in.typ == Integer {
		v := l.i32(x)
		y := l.i32(lo)
		v = b.Sel(b.LtI(v, y), y, v)
		y = l.i32(hi)
		return val{typ: Integer, v: b.Sel(b.LtI(y, v), y, v)}
	}
	v := l.f32(x)
	if !lo.isConst() || !math.IsInf(lo.constant(), -1) {
		v = b.Max(v, l.f32(lo))
	}
	if !hi.isConst() || !math.IsInf(hi.constant(), 1) {
		v = b.Min(v, l.f32(hi))
	}
	return float(v)
}

// root is the square root of a value of dimension d.
func (l *lowerer) root(x val, d, out Dim) val {
	x = l.toFloat(x)
	fix := math.Sqrt(d.Scale()) / out.Scale()
	if k, v := l.split(x); k > 0 {
		return float(l.b.Sqrt(v)).times(float64(math.Sqrt(k) * fix))
	}
	return float(l.b.Sqrt(l.f32(x))).times(fix)
}

func (l *lowerer) power(e *Binary, in info) val {
	x := l.expr(e.X)
	b := l.b
	if l.classOf(e.Y) != isConst {
		return float(b.Pow(l.f32(x), l.f32(l.expr(e.Y))))
	}
	n := l.constant(e.Y)
	if in.typ == Integer {
		if v, ok := l.powerI(l.i32(x), n); ok {
			return val{typ: Integer, v: v}
		}
		return val{typ: Integer, v: b.F2I(b.Pow(l.f32(x), b.F(n)))}
	}
	d := l.info(e.X).dim
	x = l.toFloat(x)
	switch {
	case n == 0:
		return number64(1)
	case n == 1:
		return x
	case n == 0.5:
		return l.root(x, d, in.dim)
	}
	k, v := l.split(x)
	fix := num.Pow(d.Scale(), n) / in.dim.Scale()
	switch {
	case n == math.Trunc(n) && math.Abs(n) <= 64:
		r := b.PowInt(v, int(math.Abs(n)))
		if n < 0 {
			return float(b.Div(b.F(float64(num.Pow(k, n)*fix)), r))
		}
		return float(r).times(float64(num.Pow(k, n) * fix))
	case k > 0 && n == -0.5:
		return float(b.Div(b.F(fix/math.Sqrt(k)), b.Sqrt(v)))
	case k > 0:
		return float(b.Pow(v, b.F(n))).times(float64(num.Pow(k, n) * fix))
	}
	return float(b.Pow(l.f32(x), b.F(n))).times(fix)
}

func (l *lowerer) powerI(x ir.Value, n float64) (ir.Value, bool) {
	if n != math.Trunc(n) || n < 0 || n > 31 {
		return ir.None, false
	}
	r := l.b.I(1)
	for i := int(n); i > 0; i >>= 1 {
		if i&1 != 0 {
			r = l.b.MulI(r, x)
		}
		x = l.b.MulI(x, x)
	}
	return r, true
}

// timed lowers an element of a TimedArray whose row or column differs between
// lanes.
func (l *lowerer) timed(e *Call) val {
	b, ta := l.b, e.Sym.Array
	row := ir.None
	if l.classOf(e.Args[0]) <= isHost {
		row = l.m.Host(newHost(&Call{At: e.At, Func: rowFunc, Args: e.Args[:1], Sym: e.Sym}, Integer, Dim{}, l.dt, l.tick))
	} else {
		// (t/(D/K) + 0.5)/K
		t := l.toFloat(l.expr(e.Args[0])).times(base(Second).Scale() / ta.Dt)
		row = l.limit(b.F2I(l.f32(l.plusConst(t, 0.5/ta.fine(l.dt)))), ta.Rows)
	}
	col := ir.None
	if ta.TwoD {
		at := l.i32(l.expr(e.Args[1]))
		col = l.limit(at, ta.Cols)
		l.m.Refuse(b.NotB(b.EqI(at, col)), e.String(), fmt.Sprintf("asks for a column that the TimedArray does not have (0 to %d)", ta.Cols-1))
	}
	return float(l.m.Array(ta, row, col))
}

// limit clips an index to 0..n-1.
func (l *lowerer) limit(i ir.Value, n int) ir.Value {
	b := l.b
	i = b.Sel(b.LtI(i, b.I(0)), b.I(0), i)
	top := b.I(int32(n - 1))
	return b.Sel(b.LtI(top, i), top, i)
}
