package eqn

import (
	"fmt"
	"slices"
)

// binder resolves the names of an expression: the result refers to Symbols and
// has its subexpressions written out.
type binder struct {
	sc     Scope
	locals map[string]Expr // what a local variable stands for, in statements
	noise  map[string]*Symbol
	within []*Symbol // subexpressions being expanded
	nodes  *int      // written out so far
	others bool      // within a subexpression of another object
}

// maxNodes bounds what subexpressions may expand to.
const maxNodes = 1 << 18

func (b *binder) bind(e Expr) (Expr, error) {
	if b.nodes == nil {
		b.nodes = new(int)
	}
	if *b.nodes++; *b.nodes > maxNodes {
		return nil, At(e.Pos(), "use fewer subexpressions within each other", "the expressions have more than %d parts when written out", maxNodes)
	}
	switch e := e.(type) {
	case *Name:
		return b.name(e)
	case *Unary:
		x, err := b.bind(e.X)
		if err != nil {
			return nil, err
		}
		return &Unary{e.At, e.Op, x}, nil
	case *Binary:
		x, err := b.bind(e.X)
		if err != nil {
			return nil, err
		}
		y, err := b.bind(e.Y)
		if err != nil {
			return nil, err
		}
		return &Binary{e.At, e.Op, x, y}, nil
	case *Cond:
		c, err := b.bind(e.If)
		if err != nil {
			return nil, err
		}
		x, err := b.bind(e.Then)
		if err != nil {
			return nil, err
		}
		y, err := b.bind(e.Else)
		if err != nil {
			return nil, err
		}
		return &Cond{c, x, y}, nil
	case *Call:
		return b.call(e)
	}
	return e, nil
}

func (b *binder) call(e *Call) (Expr, error) {
	c := &Call{At: e.At, Func: e.Func, Sym: e.Sym}
	if c.Sym == nil {
		sym := b.sc.Resolve(e.Func)
		switch {
		case sym == nil && functions[e.Func].args != nil:
			sym = Builtin(e.Func)
		case sym == nil:
			return nil, At(e.At, Nearest(e.Func, b.callable()), "unknown function '%s'", e.Func).Of(UnknownName)
		case sym.Kind != Function && sym.Kind != Timed:
			return nil, At(e.At, "write '*' to multiply", "'%s' is not a function", e.Func)
		}
		if sym.Formula != nil {
			return b.formula(e, sym)
		}
		if _, ok := functions[sym.Name]; sym.Kind == Function && !ok {
			return nil, At(e.At, "", "the function '%s' has no meaning in equations", e.Func)
		}
		c.Sym = sym
	}
	for _, a := range e.Args {
		x, err := b.bind(a)
		if err != nil {
			return nil, err
		}
		c.Args = append(c.Args, x)
	}
	return c, nil
}

func (b *binder) callable() (names []string) {
	for _, n := range b.sc.Names() {
		if s := b.sc.Resolve(n); s != nil && (s.Kind == Function || s.Kind == Timed) {
			names = append(names, n)
		}
	}
	return names
}

func (b *binder) name(e *Name) (Expr, error) {
	sym := e.Sym
	if sym == nil {
		if x, ok := b.locals[e.ID]; ok {
			return x, nil
		}
		if b.noise != nil && isNoise(e.ID) {
			s := b.noise[e.ID]
			if s == nil {
				d, _ := base(Second).Pow(-0.5)
				s = &Symbol{Name: e.ID, Kind: Noise, Dim: d}
				b.noise[e.ID] = s
			}
			return &Name{e.At, e.ID, s}, nil
		}
		sym = b.sc.Resolve(e.ID)
	}
	if sym == nil {
		if isNoise(e.ID) {
			return nil, At(e.At, "write randn() in statements", "'%s' stands for noise and belongs in differential equations only", e.ID)
		}
		names := b.sc.Names()
		for n := range b.locals {
			names = append(names, n)
		}
		return nil, At(e.At, Nearest(e.ID, names), "unknown name '%s'", e.ID).Of(UnknownName)
	}
	switch sym.Kind {
	case Function, Timed:
		hint := "write " + e.ID + "(...)"
		if sym.Kind == Timed {
			hint = "write " + e.ID + "(t)"
		}
		return nil, At(e.At, hint, "'%s' is a function but stands here without arguments", e.ID)
	case Subexpression:
		if slices.Contains(b.within, sym) {
			return nil, At(e.At, "", "the subexpressions %s depend on each other in a circle", circle(b.within, sym))
		}
		if len(b.within) > maxDepth {
			return nil, At(e.At, "", "subexpressions are nested more than %d deep", maxDepth)
		}
		inner := &binder{sc: sym.Scope, nodes: b.nodes, within: append(slices.Clone(b.within), sym)}
		if inner.sc == nil {
			inner.sc = b.sc
		}
		inner.others = b.others || sym.Scope != nil
		x, err := inner.bind(sym.Expr)
		if err != nil {
			return nil, err
		}
		if _, typ, err := check(x); err == nil && sym.Type == Integer && typ == Float {
			x = &Call{At: e.At, Func: "int", Args: []Expr{x}, Sym: Builtin("int")}
		}
		return x, nil
	}
	if sym.Kind == Time && b.others {
		t := *sym
		t.Ref = theirs{}
		sym = &t
	}
	return &Name{e.At, e.ID, sym}, nil
}

// theirs marks the t of another object's subexpression: it is that of the step,
// also where a method looks within the step, as in Brian2.
type theirs struct{}

func circle(within []*Symbol, sym *Symbol) string {
	s := ""
	for _, w := range within[slices.Index(within, sym):] {
		s += "'" + w.Name + "', "
	}
	return s[:max(0, len(s)-2)]
}

// check finds the dimension and type of a bound expression.
func check(e Expr) (Dim, Type, error) {
	switch e := e.(type) {
	case *Num:
		if e.Int {
			return Dim{}, Integer, nil
		}
		return Dim{}, Float, nil
	case *Truth:
		return Dim{}, Boolean, nil
	case *Name:
		if e.Sym == nil {
			return Dim{}, 0, At(e.At, "", "unknown name '%s'", e.ID).Of(UnknownName)
		}
		return e.Sym.Dim, e.Sym.Type, nil
	case *Unary:
		return checkUnary(e)
	case *Binary:
		return checkBinary(e)
	case *Cond:
		d, t, err := check(e.Then)
		if err != nil {
			return d, t, err
		}
		d2, t2, err := check(e.Else)
		if err == nil && d != d2 {
			err = At(e.Pos(), "", "the two values of a choice have different units").Of(Dimension)
		}
		return d, min(t, t2), err
	case *Call:
		return checkCall(e)
	}
	return Dim{}, 0, fmt.Errorf("eqn: no such node: %T", e)
}

func checkUnary(e *Unary) (Dim, Type, error) {
	d, t, err := check(e.X)
	if err != nil {
		return d, t, err
	}
	switch {
	case e.Op != "not" && t == Boolean:
		return d, t, At(e.At, "int(...) makes 0 or 1 of it", "the sign '%s' stands before a truth value", e.Op)
	}
	if e.Op == "not" { // of a number: whether it is 0
		return Dim{}, Boolean, nil
	}
	return d, t, nil
}

func checkBinary(e *Binary) (Dim, Type, error) {
	d, t, err := check(e.X)
	if err != nil {
		return d, t, err
	}
	d2, t2, err := check(e.Y)
	if err != nil {
		return d, t, err
	}
	high := min(t, t2) // Float < Integer < Boolean
	if high == Boolean {
		high = Integer // of arithmetic
	}
	switch e.Op {
	case "and", "or":
		for _, s := range []struct {
			x Expr
			t Type
		}{{e.X, t}, {e.Y, t2}} {
			if s.t != Boolean {
				return d, t, At(s.x.Pos(), "compare it with something, as in 'x > 0'", "'%s' needs truth values; '%s' is a %s", e.Op, s.x, s.t)
			}
		}
		return Dim{}, Boolean, nil
	case "<", "<=", ">", ">=", "==", "!=":
		if d != d2 {
			return d, t, At(e.At, "", "cannot compare '%s' (unit: %s) with '%s' (unit: %s)", e.X, d, e.Y, d2).Of(Dimension)
		}
		return Dim{}, Boolean, nil
	case "+", "-", "%":
		if d != d2 {
			return d, t, At(e.At, "", "inconsistent units in '%s': '%s' has unit %s, '%s' has unit %s", e, e.X, d, e.Y, d2).Of(Dimension)
		}
		return d, high, nil
	case "*", "/":
		r, t := d.Mul(d2), high
		if e.Op == "/" {
			r, t = d.Div(d2), Float
		}
		if r.Beyond() {
			return r, t, At(e.At, "", "'%s' has a unit to a power beyond all use", e).Of(Dimension)
		}
		return r, t, nil
	case "//":
		if !d.IsOne() || !d2.IsOne() {
			return d, t, At(e.At, "divide by a unit first, or use floor(a/b)", "'//' needs numbers without units").Of(Dimension)
		}
		return d, high, nil
	}
	if e.Op != "**" {
		return d, t, At(e.At, "", "unknown operator '%s'", e.Op)
	}
	if !d2.IsOne() {
		return d, t, At(e.At, "", "the exponent '%s' has unit %s", e.Y, d2).Of(Dimension)
	}
	known := classOf(e.Y) == isConst
	var n float64
	if known {
		if n, err = evalBound(e.Y, nil); err != nil {
			return d, t, err
		}
	}
	if high == Integer && !(known && n >= 0) {
		high = Float
	}
	if d.IsOne() {
		return d, high, nil
	}
	if !known {
		return d, t, At(e.Y.Pos(), "", "the exponent of '%s' (unit: %s) must be a constant", e.X, d).Of(Dimension)
	}
	r, ok := d.Pow(n)
	if !ok {
		return d, t, At(e.At, "", "the unit %s cannot have the power %v", d, n).Of(Dimension)
	}
	return r, Float, nil
}

func checkCall(e *Call) (Dim, Type, error) {
	if e.Func == rowFunc {
		return Dim{}, Integer, nil
	}
	if e.Sym != nil && e.Sym.Kind == Timed {
		return checkTimed(e)
	}
	f, ok := functions[e.Func]
	if e.Sym != nil {
		f, ok = functions[e.Sym.Name]
	}
	if e.Func == phaseFunc {
		f, ok = function{args: []argRule{argOne}}, true
	}
	if !ok {
		return Dim{}, 0, At(e.At, "", "unknown function '%s'", e.Func).Of(UnknownName)
	}
	if len(e.Args) != len(f.args) {
		return Dim{}, 0, At(e.At, "", "%s() takes %s, not %d", e.Func, plural(len(f.args), "argument"), len(e.Args))
	}
	var first Dim
	high := Boolean
	for i, a := range e.Args {
		d, t, err := check(a)
		if err != nil {
			return d, t, err
		}
		if i == 0 {
			first = d
		}
		high = min(high, t)
		want := d
		switch f.args[i] {
		case argOne:
			want = Dim{}
		case argFirst:
			want = first
		case argTime:
			want = base(Second)
		}
		if d != want {
			return d, t, At(a.Pos(), "", "argument %d of %s() is '%s' with unit %s; it should have unit %s", i+1, e.Func, a, d, want).Of(Dimension)
		}
	}
	typ := Float
	switch f.typ {
	case typeInteger:
		typ = Integer
	case typeHighest:
		typ = min(high, Integer)
	}
	switch f.ret {
	case retFirst:
		return first, typ, nil
	case retRoot:
		d, ok := first.Pow(0.5)
		if !ok {
			return d, typ, At(e.At, "", "the unit %s has no square root", first).Of(Dimension)
		}
		return d, typ, nil
	}
	return Dim{}, typ, nil
}

func checkTimed(e *Call) (Dim, Type, error) {
	n := 1
	if e.Sym.Array.TwoD {
		n = 2
	}
	if len(e.Args) != n {
		return Dim{}, 0, At(e.At, "", "the TimedArray '%s' takes %s, not %d", e.Func, plural(n, "argument"), len(e.Args))
	}
	d, t, err := check(e.Args[0])
	if err != nil {
		return d, t, err
	}
	if d != base(Second) {
		return d, t, At(e.Args[0].Pos(), "", "the TimedArray '%s' is indexed by a time; '%s' has unit %s", e.Func, e.Args[0], d).Of(Dimension)
	}
	if n == 2 {
		d, t, err := check(e.Args[1])
		if err != nil {
			return d, t, err
		}
		if !d.IsOne() {
			return d, t, At(e.Args[1].Pos(), "", "the column '%s' of the TimedArray '%s' has unit %s; it should be an index such as i", e.Args[1], e.Func, d).Of(Dimension)
		}
		if classOf(e.Args[1]) == isConst {
			if col, err := evalBound(e.Args[1], nil); err == nil && (col <= -1 || col >= float64(e.Sym.Array.Cols)) {
				return d, t, noColumn(e, col)
			}
		}
	}
	return e.Sym.Array.Dim, Float, nil
}

func plural(n int, what string) string {
	switch n {
	case 0:
		return "no " + what + "s"
	case 1:
		return "one " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Check finds the dimension and type of e, or where its units disagree.
func Check(e Expr, sc Scope) (Dim, Type, error) {
	x, err := (&binder{sc: sc}).bind(e)
	if err != nil {
		return Dim{}, 0, err
	}
	return check(x)
}

// CheckShared is Check of what a (shared) variable is given: one value for all.
func CheckShared(name string, e Expr, sc Scope) error {
	x, err := (&binder{sc: sc}).bind(e)
	if err == nil && !sharedValue(x) {
		err = notShared(e.Pos(), name, e)
	}
	return err
}

// IsRandom says whether a function gives random numbers.
func IsRandom(name string) bool { return functions[name].random }

// class says what an expression depends on.
type class uint8

const (
	isConst class = iota // nothing that changes
	isHost               // time
	isParam              // constant variables
	isLane               // state, random numbers
)

func join(a, b class) class {
	if a+b == isHost+isParam && a != b {
		return isLane
	}
	return max(a, b)
}

// classOf works on a bound expression.
func classOf(e Expr) class {
	switch e := e.(type) {
	case *Name:
		switch {
		case e.Sym == nil:
			return isLane
		case e.Sym.Kind == Constant:
			return isConst
		case e.Sym.Kind == Time:
			return isHost
		case e.Sym.Kind == Variable && e.Sym.Constant && !e.Sym.Steps:
			return isParam
		}
		return isLane
	case *Unary:
		return classOf(e.X)
	case *Binary:
		return join(classOf(e.X), classOf(e.Y))
	case *Cond:
		return join(classOf(e.If), join(classOf(e.Then), classOf(e.Else)))
	case *Call:
		if e.Sym != nil && e.Sym.Kind == Function && functions[e.Sym.Name].random {
			return isLane
		}
		c := isConst
		for _, a := range e.Args {
			c = join(c, classOf(a))
		}
		if e.Sym != nil && e.Sym.Kind == Timed {
			c = join(c, isHost)
		}
		return c
	}
	return isConst
}

// Identifiers lists the names that an expression uses, functions included, each
// once, in the order of the text.
func Identifiers(e Expr) (names []string) {
	add := func(n string) {
		if !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	walk(e, func(x Expr) {
		switch x := x.(type) {
		case *Name:
			add(x.ID)
		case *Call:
			add(x.Func)
		}
	})
	return names
}

// walk visits e and everything in it, in the order of the text.
func walk(e Expr, f func(Expr)) {
	switch x := e.(type) {
	case *Call, *Name:
		f(e)
	case *Binary, *Unary, *Cond:
		defer f(e)
	default:
		f(x)
	}
	switch e := e.(type) {
	case *Unary:
		walk(e.X, f)
	case *Binary:
		walk(e.X, f)
		walk(e.Y, f)
	case *Cond:
		walk(e.If, f)
		walk(e.Then, f)
		walk(e.Else, f)
	case *Call:
		for _, a := range e.Args {
			walk(a, f)
		}
	}
}

// replace rebuilds e with f's answer where that is not nil.
func replace(e Expr, f func(Expr) Expr) Expr {
	if r := f(e); r != nil {
		return r
	}
	switch e := e.(type) {
	case *Unary:
		return &Unary{e.At, e.Op, replace(e.X, f)}
	case *Binary:
		return &Binary{e.At, e.Op, replace(e.X, f), replace(e.Y, f)}
	case *Cond:
		return &Cond{replace(e.If, f), replace(e.Then, f), replace(e.Else, f)}
	case *Call:
		c := &Call{At: e.At, Func: e.Func, Sym: e.Sym}
		for _, a := range e.Args {
			c.Args = append(c.Args, replace(a, f))
		}
		return c
	}
	return e
}
