package eqn

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"synfire/engine/ir"
	"synfire/engine/num"
)

// moment is what a host evaluation knows besides constants.
type moment struct {
	step  int64
	dt    float64
	value map[*Symbol]float64 // of parameters, SI
}

// evalBound works a bound expression out in float64 and SI units; truth values
// are 0 and 1. With a nil moment it must be constant.
func evalBound(e Expr, m *moment) (float64, error) {
	switch e := e.(type) {
	case *Num:
		return e.Value, nil
	case *Truth:
		return one(e.Value), nil
	case *Name:
		switch {
		case e.Sym == nil:
		case e.Sym.Kind == Constant:
			return e.Sym.Value, nil
		case m == nil:
		case e.Sym.Kind == Time && e.Sym.Type == Integer:
			return float64(m.step), nil
		case e.Sym.Kind == Time:
			return float64(float64(m.step) * m.dt), nil
		case m.value != nil:
			if v, ok := m.value[e.Sym]; ok {
				return v, nil
			}
		}
		return 0, At(e.At, "", "'%s' is not a constant", e.ID)
	case *Unary:
		x, err := evalBound(e.X, m)
		switch e.Op {
		case "-":
			return 0 - x, err
		case "not":
			return one(x == 0), err
		}
		return x, err
	case *Cond:
		c, err := evalBound(e.If, m)
		if err != nil {
			return 0, err
		}
		if c != 0 {
			return evalBound(e.Then, m)
		}
		return evalBound(e.Else, m)
	case *Binary:
		x, err := evalBound(e.X, m)
		if err != nil {
			return 0, err
		}
		y, err := evalBound(e.Y, m)
		if err != nil {
			return 0, err
		}
		if y == 0 && m == nil && (e.Op == "/" || e.Op == "//" || e.Op == "%") {
			return 0, At(e.At, "", "division by zero: '%s' is 0", e.Y)
		}
		return apply(e.Op, x, y), nil
	case *Call:
		return evalCall(e, m)
	}
	return 0, fmt.Errorf("eqn: no such node: %T", e)
}

func evalCall(e *Call, m *moment) (float64, error) {
	args := make([]float64, len(e.Args))
	for i, a := range e.Args {
		v, err := evalBound(a, m)
		if err != nil {
			return 0, err
		}
		args[i] = v
	}
	switch e.Func {
	case phaseFunc:
		return phase(args[0]), nil
	case rowFunc:
		return float64(e.Sym.Array.Row(args[0], m.dt)), nil
	}
	if e.Sym != nil && e.Sym.Kind == Timed {
		if m == nil {
			return 0, At(e.At, "", "the TimedArray '%s' is not a constant", e.Func)
		}
		if ta := e.Sym.Array; ta.TwoD && (args[1] <= -1 || args[1] >= float64(ta.Cols)) {
			return 0, noColumn(e, args[1])
		}
		return e.Sym.Array.At(args[0], args[1:], m.dt), nil
	}
	f := functions[e.Sym.Name].eval
	if f == nil {
		return 0, At(e.At, "", "%s() is random and cannot stand where a constant is needed", e.Func)
	}
	return f(args), nil
}

func noColumn(e *Call, col float64) error {
	return At(e.Args[1].Pos(), fmt.Sprintf("its columns are 0 to %d", e.Sym.Array.Cols-1), "the TimedArray '%s' has no column %g: it has %s", e.Func, col, plural(e.Sym.Array.Cols, "column"))
}

func one(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func apply(op string, x, y float64) float64 {
	switch op {
	case "+":
		return x + y
	case "-":
		return x - y
	case "*":
		return float64(x * y)
	case "/":
		return x / y
	case "//":
		return math.Floor(x / y)
	case "%":
		return floorMod(x, y)
	case "**":
		return power64(x, y)
	case "<":
		return one(x < y)
	case "<=":
		return one(x <= y)
	case ">":
		return one(x > y)
	case ">=":
		return one(x >= y)
	case "==":
		return one(x == y)
	case "!=":
		return one(x != y)
	case "and":
		return one(x != 0 && y != 0)
	case "or":
		return one(x != 0 || y != 0)
	}
	return math.NaN()
}

// power64 gives square roots their exact value.
func power64(x, y float64) float64 {
	switch y {
	case 0.5:
		return math.Sqrt(x)
	case -0.5:
		return 1 / math.Sqrt(x)
	case 1:
		return x
	case 2:
		return float64(x * x)
	case -1:
		return 1 / x
	}
	return num.Pow(x, y)
}

// EvalHost works an expression of constants out in float64 (design section 3,
// rule 11). Time, variables and random numbers are errors.
func EvalHost(e Expr, sc Scope) (Quantity, error) {
	x, err := (&binder{sc: sc}).bind(e)
	if err != nil {
		return Quantity{}, err
	}
	d, _, err := check(x)
	if err != nil {
		return Quantity{}, err
	}
	v, err := evalBound(x, nil)
	return Quantity{v, d}, err
}

// At is the element for time t (SI), for the clock of a group of step dt:
// int((t/(D/K) + 0.5)/K) clipped to the ends, K = max(2^ceil(log2(8 D/dt)), 1).
func (a *TimedArray) At(t float64, col []float64, dt float64) float64 {
	row := a.Row(t, dt)
	j := 0
	if len(col) > 0 {
		j = int(max(0, min(col[0], float64(a.Cols-1))))
	}
	if i := row*a.Cols + j; i >= 0 && i < len(a.Values) {
		return a.Values[i]
	}
	return 0
}

// Row is the index of the row for time t.
func (a *TimedArray) Row(t, dt float64) int {
	k := a.fine(dt)
	i := math.Trunc((t/(a.Dt/k) + 0.5) / k)
	return int(max(0, min(i, float64(a.Rows-1))))
}

// fine is K, the number of parts into which a row's time is cut.
func (a *TimedArray) fine(dt float64) float64 {
	k := 1.0
	for k < 8*a.Dt/dt && k < 1<<60 {
		k = float64(2 * k)
	}
	return k
}

// HostExpr is a value that depends on time and constants alone: a word of rule 9.
type HostExpr struct {
	X    Expr    // bound
	Type ir.Type // F32, I32 or Bool
	Dim  Dim
	dt   float64
	tick int64                  // steps of the network in one of dt
	step func(step int64) int64 // the word is a step; X is nil
	key  string
}

// StepWord is a step of the network that follows from the present one.
func StepWord(key string, f func(step int64) int64) *HostExpr {
	return &HostExpr{Type: ir.I32, step: f, key: key}
}

func newHost(x Expr, t Type, d Dim, dt float64, tick int64) *HostExpr {
	h := &HostExpr{X: x, Dim: d, dt: dt, tick: tick, Type: [...]ir.Type{ir.F32, ir.I32, ir.Bool}[t]}
	var s strings.Builder
	fmt.Fprintf(&s, "%v %x ", h.Type, math.Float64bits(dt))
	writeKey(&s, x)
	h.key = s.String()
	return h
}

// writeKey writes a bound expression so that equal text means equal value.
func writeKey(s *strings.Builder, e Expr) {
	switch e := e.(type) {
	case *Num:
		s.WriteString(strconv.FormatUint(math.Float64bits(e.Value), 16))
	case *Truth:
		s.WriteString(e.String())
	case *Name:
		if e.Sym.Kind == Constant {
			s.WriteString(strconv.FormatUint(math.Float64bits(e.Sym.Value), 16))
		} else {
			s.WriteString(e.Sym.Name)
		}
	case *Unary:
		s.WriteString("(" + e.Op + " ")
		writeKey(s, e.X)
		s.WriteByte(')')
	case *Binary:
		s.WriteString("(" + e.Op + " ")
		writeKey(s, e.X)
		s.WriteByte(' ')
		writeKey(s, e.Y)
		s.WriteByte(')')
	case *Cond:
		s.WriteString("(if ")
		for _, x := range []Expr{e.If, e.Then, e.Else} {
			writeKey(s, x)
			s.WriteByte(' ')
		}
		s.WriteByte(')')
	case *Call:
		s.WriteString("(" + e.Func)
		if e.Sym != nil && e.Sym.Kind == Timed {
			fmt.Fprintf(s, "@%p", e.Sym.Array)
		}
		for _, x := range e.Args {
			s.WriteByte(' ')
			writeKey(s, x)
		}
		s.WriteByte(')')
	}
}

// Key is equal for host expressions that give the same word at every step.
func (h *HostExpr) Key() string { return h.key }

// String prints the expression as text.
func (h *HostExpr) String() string {
	if h.step != nil {
		return h.key
	}
	return h.X.String()
}

// Eval is the word for a step of the network: the bits of a float in internal units, an int32,
// or 0 and 1. What has no value (a division by zero, a log of nothing) is the
// end of the range; a number beyond it is an error.
func (h *HostExpr) Eval(step int64) (uint32, error) {
	if h.step != nil {
		return uint32(int32(h.step(step))), nil
	}
	step = (step + h.tick - 1) / h.tick // where its clock stands
	v, err := evalBound(h.X, &moment{step: step, dt: h.dt})
	if err != nil {
		return 0, err
	}
	switch h.Type {
	case ir.Bool:
		return uint32(one(v != 0)), nil
	case ir.I32:
		return uint32(int32(max(math.MinInt32, min(math.MaxInt32, v)))), nil
	}
	v /= h.Dim.Scale()
	switch {
	case v != v:
		v = -math.MaxFloat64
	case math.Abs(v) >= float64(ir.Saturate) && !math.IsInf(v, 0):
		return 0, At(h.X.Pos(), "", "'%s' is %g at %g s and passes the largest value that a variable can hold, 2^40 in its unit", h.X, float64(v*h.Dim.Scale()), float64(float64(step)*h.dt))
	}
	return math.Float32bits(ir.CanonF(float32(v))), nil
}
