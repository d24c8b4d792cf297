package nir

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"synfire/engine/eqn"
	"synfire/engine/model"
)

// form is a sum: numbers, one for each neuron or synapse or one for all, times variables; "" is what stands alone.
type form map[string][]float64

func (f form) constant() []float64 {
	if f[""] == nil {
		return []float64{0}
	}
	return f[""]
}

// alone says that no variables are in it.
func (f form) alone() bool { return len(f) == 0 || len(f) == 1 && f[""] != nil }

func both(a, b []float64, f func(x, y float64) float64) []float64 {
	n := max(len(a), len(b))
	if len(a) == 0 || len(b) == 0 { // of synapses, of which there are none
		n = 0
	}
	out := make([]float64, n)
	for k := range out {
		out[k] = f(a[min(k, len(a)-1)], b[min(k, len(b)-1)])
	}
	return out
}

func (f form) plus(g form, sign float64) form {
	out := form{}
	for k, v := range f {
		out[k] = v
	}
	for k, v := range g {
		if out[k] == nil {
			out[k] = []float64{0}
		}
		out[k] = both(out[k], v, func(x, y float64) float64 { return x + sign*y })
	}
	return out
}

func (f form) times(v []float64, op func(x, y float64) float64) form {
	out := form{}
	for k, x := range f {
		out[k] = both(x, v, op)
	}
	return out
}

// reader takes expressions of an object apart.
type reader struct {
	whose string // the object, for errors
	scope eqn.Scope
	moves func(y *eqn.Symbol) bool               // it is no constant: a variable of the sum
	get   func(y *eqn.Symbol) ([]float64, error) // the values of a constant one
	depth int                                    // of subexpressions
}

var (
	mul = func(x, y float64) float64 { return x * y }
	div = func(x, y float64) float64 { return x / y }
)

// calls are the functions of constants.
var calls = map[string]func(float64) float64{"exp": math.Exp, "log": math.Log, "sqrt": math.Sqrt, "abs": math.Abs, "sin": math.Sin, "cos": math.Cos, "tanh": math.Tanh, "log10": math.Log10}

func (r *reader) fail(at eqn.Pos, format string, args ...any) error {
	return eqn.At(at, "", "nir: %s has no counterpart in NIR: %s", r.whose, fmt.Sprintf(format, args...))
}

func (r *reader) read(x eqn.Expr) (form, error) {
	switch x := x.(type) {
	case *eqn.Num:
		return form{"": {x.Value}}, nil
	case *eqn.Name:
		y := x.Sym
		if y == nil {
			y = r.scope.Resolve(x.ID)
		}
		switch {
		case y == nil && (x.ID == "xi" || strings.HasPrefix(x.ID, "xi_")):
			return nil, r.fail(x.At, "the noise %s", x.ID)
		case y == nil:
			return nil, eqn.At(x.At, "", "nir: %s: there is nothing of the name %q", r.whose, x.ID)
		case y.Type == eqn.Boolean:
			return nil, r.fail(x.At, "it depends on the truth value %s", x.ID)
		case y.Kind == eqn.Constant:
			return form{"": {y.Value}}, nil
		case y.Kind == eqn.Subexpression:
			inner := *r
			if inner.depth++; inner.depth > 100 {
				return nil, r.fail(x.At, "%s goes on without end", x.ID)
			}
			if y.Scope != nil {
				inner.scope = y.Scope
			}
			return inner.read(y.Expr)
		case y.Kind == eqn.Time:
			return nil, r.fail(x.At, "it depends on the time t")
		case y.Kind != eqn.Variable:
			return nil, r.fail(x.At, "%s is no number", x.ID)
		case r.moves(y):
			return form{y.Name: {1}}, nil
		}
		v, err := r.get(y)
		if err != nil {
			return nil, r.fail(x.At, "%v", err)
		}
		return form{"": v}, nil
	case *eqn.Unary:
		f, err := r.read(x.X)
		if err != nil || x.Op == "+" {
			return f, err
		}
		if x.Op == "-" {
			return f.times([]float64{-1}, mul), nil
		}
		return nil, r.fail(x.At, "'%s'", x.Op)
	case *eqn.Call:
		f := calls[x.Func]
		if f == nil || len(x.Args) != 1 {
			return nil, r.fail(x.At, "the function %s", x.Func)
		}
		a, err := r.read(x.Args[0])
		if err != nil {
			return nil, err
		}
		if !a.alone() {
			return nil, r.fail(x.At, "%s of a variable: it is not linear", x.Func)
		}
		return form{"": both(a.constant(), []float64{0}, func(v, _ float64) float64 { return f(v) })}, nil
	case *eqn.Binary:
		a, err := r.read(x.X)
		if err != nil {
			return nil, err
		}
		b, err := r.read(x.Y)
		if err != nil {
			return nil, err
		}
		switch x.Op {
		case "+":
			return a.plus(b, 1), nil
		case "-":
			return a.plus(b, -1), nil
		case "*":
			if a.alone() {
				a, b = b, a
			}
			if b.alone() {
				return a.times(b.constant(), mul), nil
			}
		case "/":
			if b.alone() {
				return a.times(b.constant(), div), nil
			}
		case "**":
			if a.alone() && b.alone() {
				return a.times(b.constant(), math.Pow), nil
			}
		}
		return nil, r.fail(x.At, "%s is not linear", x)
	}
	return nil, r.fail(x.Pos(), "%s", x)
}

// stepping is what a variable that decays has left of itself after a step, as the method of integration has it.
func stepping(method string, substeps int, dt float64, tau float64) (float64, error) {
	z := dt / tau / float64(max(substeps, 1))
	e := 0.0
	switch method {
	case "", "exact", "exponential_euler":
		return math.Exp(-dt / tau), nil
	case "euler", "milstein":
		e = 1 - z
	case "rk2", "heun":
		e = 1 - z + z*z/2
	case "rk4":
		e = 1 - z + z*z/2 - z*z*z/6 + z*z*z*z/24
	default:
		return 0, fmt.Errorf("nir: the method %q", method)
	}
	return math.Pow(e, float64(max(substeps, 1))), nil
}

// assigned are the variables that code assigns.
func assigned(to map[*model.Variable]bool, code []eqn.Stmt, find func(string) *model.Variable) {
	for _, st := range code {
		if v := find(st.Target.ID); v != nil {
			to[v] = true
		}
	}
}

func isAll(v []float64, f func(float64) bool) bool {
	return !slices.ContainsFunc(v, func(x float64) bool { return !f(x) })
}
