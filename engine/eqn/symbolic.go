package eqn

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Small algebra on bound expressions; nil is 0.

func ref(s *Symbol) Expr { return &Name{ID: s.Name, Sym: s} }

func local(name string) Expr { return &Name{ID: name} }

func isOne(e Expr) bool { n, ok := e.(*Num); return ok && n.Value == 1 }

func isZero(e Expr) bool { n, ok := e.(*Num); return e == nil || ok && n.Value == 0 }

func add(x, y Expr) Expr {
	switch {
	case x == nil:
		return y
	case y == nil:
		return x
	}
	if u, ok := y.(*Unary); ok && u.Op == "-" {
		return &Binary{At: y.Pos(), Op: "-", X: x, Y: u.X}
	}
	return &Binary{At: y.Pos(), Op: "+", X: x, Y: y}
}

func sub(x, y Expr) Expr {
	switch {
	case y == nil:
		return x
	case x == nil:
		return neg(y)
	}
	if u, ok := y.(*Unary); ok && u.Op == "-" {
		return &Binary{At: y.Pos(), Op: "+", X: x, Y: u.X}
	}
	return &Binary{At: y.Pos(), Op: "-", X: x, Y: y}
}

func neg(x Expr) Expr {
	if x == nil {
		return nil
	}
	if u, ok := x.(*Unary); ok && u.Op == "-" {
		return u.X
	}
	return &Unary{At: x.Pos(), Op: "-", X: x}
}

func mul(x, y Expr) Expr {
	switch {
	case isZero(x) || isZero(y):
		return nil
	case isOne(x):
		return y
	case isOne(y):
		return x
	}
	if u, ok := x.(*Unary); ok && u.Op == "-" {
		return neg(mul(u.X, y))
	}
	if u, ok := y.(*Unary); ok && u.Op == "-" {
		return neg(mul(x, u.X))
	}
	return &Binary{At: y.Pos(), Op: "*", X: x, Y: y}
}

func div(x, y Expr) Expr {
	if x == nil || isOne(y) {
		return x
	}
	if u, ok := x.(*Unary); ok && u.Op == "-" {
		return neg(div(u.X, y))
	}
	return &Binary{At: y.Pos(), Op: "/", X: x, Y: y}
}

func fun(name string, x Expr) Expr {
	return &Call{At: x.Pos(), Func: name, Args: []Expr{x}, Sym: Builtin(name)}
}

// cond is If ? x : y.
func cond(c *Symbol, x, y Expr) Expr { return &Cond{ref(c), x, y} }

// uses says whether a bound expression refers to one of the symbols.
func uses(e Expr, syms ...*Symbol) bool {
	found := false
	walk(e, func(x Expr) {
		if n, ok := x.(*Name); ok && n.Sym != nil && slices.Contains(syms, n.Sym) {
			found = true
		}
	})
	return found
}

// linearIn writes e as sum(coef[i]*vars[i]) + rest, where neither contains one
// of vars; ok is false where e is not of that form as it is written.
func linearIn(e Expr, vars []*Symbol) (coef []Expr, rest Expr, ok bool) {
	coef = make([]Expr, len(vars))
	if !uses(e, vars...) {
		return coef, e, true
	}
	switch e := e.(type) {
	case *Name:
		for i, v := range vars {
			if e.Sym == v {
				coef[i] = &Num{Value: 1}
			}
		}
		return coef, nil, true
	case *Unary:
		if e.Op == "not" {
			return nil, nil, false
		}
		coef, rest, ok = linearIn(e.X, vars)
		if ok && e.Op == "-" {
			for i := range coef {
				coef[i] = neg(coef[i])
			}
			rest = neg(rest)
		}
		return coef, rest, ok
	case *Binary:
		switch e.Op {
		case "+", "-":
			c1, r1, ok1 := linearIn(e.X, vars)
			c2, r2, ok2 := linearIn(e.Y, vars)
			if !ok1 || !ok2 {
				return nil, nil, false
			}
			join := add
			if e.Op == "-" {
				join = sub
			}
			for i := range coef {
				coef[i] = join(c1[i], c2[i])
			}
			return coef, join(r1, r2), true
		case "*", "/":
			x, by, left := e.X, e.Y, false
			if uses(by, vars...) {
				if e.Op == "/" || uses(x, vars...) {
					return nil, nil, false
				}
				x, by, left = e.Y, e.X, true
			}
			coef, rest, ok = linearIn(x, vars)
			if !ok {
				return nil, nil, false
			}
			scale := func(c Expr) Expr {
				switch {
				case c == nil:
					return nil
				case e.Op == "/":
					return div(c, by)
				case left:
					return mul(by, c)
				}
				return mul(c, by)
			}
			for i := range coef {
				coef[i] = scale(coef[i])
			}
			return coef, scale(rest), true
		}
	}
	return nil, nil, false
}

// collect writes e as coef*x + rest in the manner of Brian2's exponential_euler,
// which looks at powers of x only: a function of x, a quotient by a sum with x and
// the like are taken for constants, so both parts may contain x. ok is false
// where x stands in another power.
func collect(e Expr, x *Symbol) (coef, rest Expr, ok bool) {
	if coef, rest, ok := linearIn(e, []*Symbol{x}); ok {
		return coef[0], rest, true
	}
	switch e := e.(type) {
	case *Unary:
		coef, rest, ok = collect(e.X, x)
		if e.Op == "-" {
			coef, rest = neg(coef), neg(rest)
		}
		return coef, rest, ok && e.Op != "not"
	case *Binary:
		c1, r1, ok1 := collect(e.X, x)
		c2, r2, ok2 := collect(e.Y, x)
		if !ok1 || !ok2 {
			return nil, nil, false
		}
		switch e.Op {
		case "+":
			return add(c1, c2), add(r1, r2), true
		case "-":
			return sub(c1, c2), sub(r1, r2), true
		case "*":
			if c1 != nil && c2 != nil {
				return nil, nil, false
			}
			product := func(x, y Expr) Expr {
				if x == nil || y == nil {
					return nil
				}
				return mul(x, y)
			}
			return add(product(c1, r2), product(r1, c2)), product(r1, r2), true
		case "/":
			switch {
			case c2 != nil && r2 == nil:
				return nil, nil, false
			case c1 == nil:
				return nil, e, true
			case r1 == nil:
				return div(c1, e.Y), nil, true
			}
			return div(c1, e.Y), div(r1, e.Y), true
		case "**":
			n, whole := e.Y.(*Num)
			if c2 == nil && (c1 == nil || r1 != nil && !(whole && n.Value > 1 && n.Value == math.Floor(n.Value))) {
				return nil, e, true
			}
			return nil, nil, false
		}
		return nil, e, true
	}
	return nil, e, true
}

// parts lists the terms of a sum with factors of the given classes and below
// multiplied into them: (a + b)/tau is a/tau, b/tau.
func parts(e Expr, sign float64, upTo class) []signed {
	switch x := e.(type) {
	case nil:
		return nil
	case *Unary:
		switch x.Op {
		case "-":
			return parts(x.X, -sign, upTo)
		case "+":
			return parts(x.X, sign, upTo)
		}
	case *Binary:
		switch {
		case x.Op == "+":
			return append(parts(x.X, sign, upTo), parts(x.Y, sign, upTo)...)
		case x.Op == "-":
			return append(parts(x.X, sign, upTo), parts(x.Y, -sign, upTo)...)
		case x.Op == "/" && classOf(x.Y) <= upTo && classOf(x.X) > upTo:
			list := parts(x.X, sign, upTo)
			for i := range list {
				list[i].x = div(list[i].x, x.Y)
			}
			return list
		case x.Op == "*" && classOf(x.Y) <= upTo && classOf(x.X) > upTo:
			list := parts(x.X, sign, upTo)
			for i := range list {
				list[i].x = mul(list[i].x, x.Y)
			}
			return list
		case x.Op == "*" && classOf(x.X) <= upTo && classOf(x.Y) > upTo:
			list := parts(x.Y, sign, upTo)
			for i := range list {
				list[i].x = mul(x.X, list[i].x)
			}
			return list
		}
	}
	return []signed{{sign, e}}
}

// divide separates the terms that are known (of class upTo and below, but not of
// time) from the others.
func divide(e Expr, upTo class) (known, rest Expr) {
	for _, t := range parts(e, 1, upTo) {
		x := t.x
		if t.sign < 0 {
			x = neg(x)
		}
		if c := classOf(x); c == isConst || c == upTo {
			known = add(known, x)
		} else {
			rest = add(rest, x)
		}
	}
	return known, rest
}

// hoister finds what need not be computed in every step: expressions of constant
// parameters become Derived values.
type hoister struct {
	list  []*Derived
	byKey map[string]*Symbol
}

func (h *hoister) expr(e Expr) Expr {
	if classOf(e) == isParam {
		if work(e) {
			return h.derive(e)
		}
		return e
	}
	switch x := e.(type) {
	case *Unary:
		return &Unary{x.At, x.Op, h.expr(x.X)}
	case *Cond:
		return &Cond{h.expr(x.If), h.expr(x.Then), h.expr(x.Else)}
	case *Call:
		c := &Call{At: x.At, Func: x.Func, Sym: x.Sym}
		for _, a := range x.Args {
			c.Args = append(c.Args, h.expr(a))
		}
		return c
	case *Binary:
		switch x.Op {
		case "+", "-":
			return h.sum(e)
		case "*", "/":
			return h.product(e)
		}
		return &Binary{x.At, x.Op, h.expr(x.X), h.expr(x.Y)}
	}
	return e
}

// work says that an expression contains an operation worth saving.
func work(e Expr) bool {
	found := false
	walk(e, func(x Expr) {
		switch x.(type) {
		case *Binary, *Call, *Cond:
			found = true
		}
	})
	return found
}

func (h *hoister) sum(e Expr) Expr {
	terms := spine(e, 1, nil)
	n, params := 0, 0
	var group Expr
	for _, t := range terms {
		if c := classOf(t.x); c == isConst || c == isParam {
			n++
			if c == isParam {
				params++
			}
			group = join2(group, t)
		}
	}
	grouped := params > 0 && n > 1
	var out Expr
	for _, t := range terms {
		c := classOf(t.x)
		switch {
		case grouped && (c == isConst || c == isParam):
			if group == nil {
				continue
			}
			t, group = signed{1, h.expr(group)}, nil
		default:
			t.x = h.expr(t.x)
		}
		out = join2(out, t)
	}
	return out
}

// deepFactors lists the factors of a product, opening parentheses too.
func deepFactors(e Expr, divisor bool, list []factor) []factor {
	if b, ok := e.(*Binary); ok && !divisor && (b.Op == "*" || b.Op == "/") {
		list = deepFactors(b.X, false, list)
		return deepFactors(b.Y, b.Op == "/", list)
	}
	return append(list, factor{e, divisor})
}

func (h *hoister) product(e Expr) Expr {
	list := deepFactors(e, false, nil)
	n, params, divisors := 0, 0, 0
	var group, out Expr
	for _, f := range list {
		if c := classOf(f.x); c == isConst || c == isParam {
			n++
			if c == isParam {
				params++
				if f.divisor || work(f.x) {
					divisors++
				}
			}
			group = joinFactor(group, f)
		}
	}
	if params == 0 || n < 2 && divisors == 0 {
		x := e.(*Binary)
		return &Binary{x.At, x.Op, h.expr(x.X), h.expr(x.Y)}
	}
	out = h.derive(group)
	for _, f := range list {
		if c := classOf(f.x); c != isConst && c != isParam {
			out = joinFactor(out, factor{h.expr(f.x), f.divisor})
		}
	}
	return out
}

func joinFactor(x Expr, f factor) Expr {
	switch {
	case x == nil && !f.divisor:
		return f.x
	case x == nil:
		return &Binary{At: f.x.Pos(), Op: "/", X: &Num{Value: 1}, Y: f.x}
	case f.divisor:
		return &Binary{At: f.x.Pos(), Op: "/", X: x, Y: f.x}
	}
	return &Binary{At: f.x.Pos(), Op: "*", X: x, Y: f.x}
}

// derive makes a hidden constant of an expression of constant parameters.
func (h *hoister) derive(e Expr) Expr {
	d, typ, err := check(e)
	if err != nil || typ != Float {
		return e
	}
	var s strings.Builder
	keyOf(&s, e)
	if sym := h.byKey[s.String()]; sym != nil {
		return ref(sym)
	}
	v := &Derived{Of: []string{e.String()}}
	// what e is made of: parameters, and values derived before
	var from []*Derived
	for _, p := range params(e) {
		if o := h.owner(p); o != nil {
			if !slices.Contains(from, o) {
				from = append(from, o)
			}
			continue
		}
		v.In = append(v.In, p)
	}
	for _, o := range from {
		for _, p := range o.In {
			if !slices.Contains(v.In, p) {
				v.In = append(v.In, p)
			}
		}
	}
	sym := h.symbol(v, d)
	in := v.In
	v.Eval = func(x, out []float64) {
		m := &moment{value: make(map[*Symbol]float64, len(in))}
		for i, s := range in {
			m.value[s] = x[i]
		}
		for _, o := range from {
			y, r := make([]float64, len(o.In)), make([]float64, len(o.Out))
			for i, p := range o.In {
				y[i] = m.value[p]
			}
			o.Eval(y, r)
			for i, p := range o.Out {
				m.value[p] = r[i]
			}
		}
		out[0] = finite(evalBound(e, m))
	}
	h.byKey[s.String()] = sym
	h.list = append(h.list, v)
	return ref(sym)
}

// owner is the Derived that a hidden symbol comes from, nil for a parameter.
func (h *hoister) owner(s *Symbol) *Derived {
	for _, d := range h.list {
		if slices.Contains(d.Out, s) {
			return d
		}
	}
	return nil
}

// needed lists the Derived values that statements use.
func (h *hoister) needed(exprs ...Expr) (list []*Derived) {
	used := params(exprs...)
	for _, d := range h.list {
		v := &Derived{In: d.In}
		var at []int
		for k, s := range d.Out {
			if slices.Contains(used, s) {
				v.Out, v.Of, at = append(v.Out, s), append(v.Of, d.Of[k]), append(at, k)
			}
		}
		if len(at) == 0 {
			continue
		}
		n := len(d.Out)
		v.Eval = d.Eval
		if len(at) < n {
			v.Eval = func(in, out []float64) {
				all := make([]float64, n)
				d.Eval(in, all)
				for i, k := range at {
					out[i] = all[k]
				}
			}
		}
		list = append(list, v)
	}
	return list
}

func (h *hoister) symbol(v *Derived, d Dim) *Symbol {
	n := len(v.Out)
	for _, o := range h.list {
		n += len(o.Out)
	}
	shared := true
	for _, s := range v.In {
		shared = shared && s.Shared
	}
	sym := &Symbol{Name: fmt.Sprintf("_c%d", n), Kind: Variable, Dim: d, ReadOnly: true, Constant: true, Shared: shared}
	v.Out = append(v.Out, sym)
	return sym
}

// finite stands in for what has no value, as rule 4 does.
func finite(v float64, err error) float64 {
	switch {
	case err != nil || v != v:
		return -math.MaxFloat64
	}
	return v
}

// params lists the constant variables that e uses.
func params(list ...Expr) (in []*Symbol) {
	for _, e := range list {
		if e == nil {
			continue
		}
		walk(e, func(x Expr) {
			if n, ok := x.(*Name); ok && n.Sym != nil && n.Sym.Kind == Variable && !slices.Contains(in, n.Sym) {
				in = append(in, n.Sym)
			}
		})
	}
	return in
}

// keyOf is writeKey with symbols told apart by identity.
func keyOf(s *strings.Builder, e Expr) {
	writeKey(s, e)
	for _, p := range params(e) {
		fmt.Fprintf(s, " %p", p)
	}
}

func rights(stmts []Stmt) (list []Expr) {
	for _, s := range stmts {
		list = append(list, s.X)
	}
	return list
}
