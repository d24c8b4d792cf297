package eqn

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseEquations(t *testing.T) {
	eqs, err := ParseEquations(&Source{Text: `
		# a model
		dv/dt = (ge + gi -   # excitation and
		         (v - El))/taum : volt (unless refractory)  # the membrane
		dge/dt = -ge/taue : volt
		I = sin(2*pi*f*t)*
		    nA : amp
		w : siemens/metre**2 (constant,   shared)
		n : integer
		on : boolean (constant over dt)`})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"dv/dt = (ge + gi - (v - El))/taum : volt (unless refractory)",
		"dge/dt = -ge/taue : volt",
		"I = sin(2*pi*f*t)*nA : amp",
		"w : metre ** -4 * kilogram ** -1 * second ** 3 * amp ** 2 (constant, shared)",
		"n : integer",
		"on : boolean (constant over dt)",
	}
	for i, q := range eqs.List {
		if i >= len(want) || q.String() != want[i] {
			t.Errorf("equation %d is %q", i, q)
		}
	}
	if len(eqs.List) != len(want) {
		t.Errorf("%d equations, want %d", len(eqs.List), len(want))
	}
	if c := eqs.List[0].Comment; c != "the membrane" {
		t.Errorf("comment %q", c)
	}
	if p := At(eqs.Find("I").At, "", ""); p.Line != 6 || p.Caret != 1 {
		t.Errorf("I stands at line %d, caret %d", p.Line, p.Caret)
	}
}

// TestFaultyEquations lists texts with the place and part of the message.
func TestFaultyEquations(t *testing.T) {
	for _, c := range []struct{ text, at, want string }{
		{"dv/dt = -v/tau : volts", "1:18", "did you mean 'volt'"},
		{"dv/dt = -v/tau : mV", "1:18", "write 'volt'"},
		{"dv/dt = -v/tau", "1:15", "':' and the unit"},
		{"dv/dt -v/tau : 1", "1:7", "'='"},
		{"v/dt = 1 : 1", "1:1", "dx/dt"},
		{"v : 1\nv : 1", "2:1", "second time"},
		{"mV : 1", "1:1", "is a unit"},
		{"exp : 1", "1:1", "is a function"},
		{"xi : 1", "1:1", "meaning of its own"},
		{"lambda : 1", "1:1", "keyword"},
		{"_v : 1", "1:1", "underscore"},
		{"v : 1 (constnt)", "1:8", "did you mean 'constant'"},
		{"v : 1 (constant, constant)", "1:18", "twice"},
		{"v : 1 (constant", "1:16", "')'"},
		{"v : bool", "1:5", "boolean"},
		{"v : 2*volt", "1:5", "number"},
		{"v : volt+volt", "1:9", "not a unit"},
		{"dv/dt = 1/second : integer", "1:2", "float variable"},
		{"v = 1 : 1 2", "1:11", "end of the line"},
		{"v = a < b < c : boolean", "1:11", "chained"},
		{"v = 3mV : volt", "1:5", "write '*'"},
		{"v = 1e999 : 1", "1:5", "out of range"},
		{"v = f(1,,2) : 1", "1:9", "expression"},
		{"v = (1 + 2 : 1", "1:12", "')'"},
		{"v = " + strings.Repeat("(", 300) + "1 : 1", "1:", "nested"},
		{"3 : 1", "1:1", "equation"},
		{"v : 1 # fine\n  w = 2 ** : 1", "2:12", "expression"},
	} {
		_, err := ParseEquations(&Source{File: "m", Text: c.text})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "m:"+c.at) {
			t.Errorf("%.40q: error %v, want %q at %s", c.text, err, c.want, c.at)
		}
	}
}

// TestCheckEquations lists models that parse but mean nothing.
func TestCheckEquations(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"dv/dt = -v : volt", "should have unit"},
		{"I = v : amp\nv : volt", "should have unit amp"},
		{"a = b : 1\nb = a : 1", "circle"},
		{"dv/dt = xi*second**-0.5 : 1\ndw/dt = xi*second**-0.5 : 1", "xi_"},
		{"v = xi*second**0.5 : 1", "differential equations only"},
		{"v = x > 1 : 1\nx : 1", "truth value"},
		{"v = x : boolean\nx : 1", "boolean"},
		{"v : 1 (unless refractory)", "cannot have the flag"},
		{"dv/dt = -v/tua : 1\ntau : second", "did you mean 'tau'"},
		{"dv/dt = -v/second + tnah(v)/second : 1", "did you mean 'tanh'"},
	} {
		eqs, err := ParseEquations(&Source{Text: c.text})
		if err != nil {
			t.Fatal(err)
		}
		m := newBench(t, 1)
		for _, q := range eqs.List {
			s := &Symbol{Name: q.Name, Kind: Variable, Dim: q.Dim, Type: q.Type}
			if q.Kind == Sub {
				s.Kind, s.Expr = Subexpression, q.X
			}
			m.scope.Symbols[q.Name] = s
		}
		allowed := map[EqKind][]string{Differential: {"unless refractory"}, Sub: {"shared"}, Parameter: {"constant"}}
		if err := CheckEquations(eqs, m.scope, allowed); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error %v, want %q", c.text, err, c.want)
		}
	}
}

// TestExpansionLimit: thirty doublings are an error, not a hang.
func TestExpansionLimit(t *testing.T) {
	m := newBench(t, 1)
	m.variable("a0", "1")
	for i := 1; i <= 30; i++ {
		prev, name := fmt.Sprintf("a%d", i-1), fmt.Sprintf("a%d", i)
		e, _ := ParseExpr(&Source{Text: prev + " + " + prev})
		m.scope.Symbols[name] = &Symbol{Name: name, Kind: Subexpression, Expr: e}
	}
	e, _ := ParseExpr(&Source{Text: "a30"})
	if _, _, err := Check(e, m.scope); err == nil || !strings.Contains(err.Error(), "written out") {
		t.Errorf("error %v", err)
	}
}

// drawExpr makes a random expression of dimensionless names.
func drawExpr(t *rapid.T, depth int) Expr {
	kind := rapid.IntRange(0, 6).Draw(t, "kind")
	if depth == 0 {
		kind %= 2
	}
	switch kind {
	case 0:
		return &Num{Value: float64(rapid.IntRange(0, 9).Draw(t, "n")), Int: true}
	case 1:
		return &Name{ID: rapid.SampledFrom([]string{"x", "y", "z", "dt", "t", "c"}).Draw(t, "name")}
	case 2:
		return &Unary{Op: rapid.SampledFrom([]string{"-", "+", "not"}).Draw(t, "op"), X: drawExpr(t, depth-1)}
	case 3:
		return &Call{Func: rapid.SampledFrom([]string{"exp", "abs", "int"}).Draw(t, "f"), Args: []Expr{drawExpr(t, depth-1)}}
	}
	op := rapid.SampledFrom([]string{"+", "-", "*", "/", "//", "%", "**", "<", "<=", ">", ">=", "==", "!=", "and", "or"}).Draw(t, "op")
	return &Binary{Op: op, X: drawExpr(t, depth-1), Y: drawExpr(t, depth-1)}
}

// same compares trees, places aside.
func same(a, b Expr) bool {
	switch a := a.(type) {
	case *Num:
		b, ok := b.(*Num)
		return ok && a.Value == b.Value && a.Int == b.Int
	case *Name:
		b, ok := b.(*Name)
		return ok && a.ID == b.ID
	case *Unary:
		b, ok := b.(*Unary)
		return ok && a.Op == b.Op && same(a.X, b.X)
	case *Binary:
		b, ok := b.(*Binary)
		return ok && a.Op == b.Op && same(a.X, b.X) && same(a.Y, b.Y)
	case *Call:
		b, ok := b.(*Call)
		return ok && a.Func == b.Func && len(a.Args) == len(b.Args) && same(a.Args[0], b.Args[0])
	}
	return false
}

// TestPrintParse: what is printed reads back as the same tree.
func TestPrintParse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := drawExpr(t, 4)
		back, err := ParseExpr(&Source{Text: e.String()})
		if err != nil {
			t.Fatalf("%s: %v", e, err)
		}
		if !same(e, back) {
			t.Fatalf("%s reads as %s", e, back)
		}
	})
}

// TestLowerAgrees: folding and lowering give what float64 evaluation of the text
// gives, to the precision of float32.
func TestLowerAgrees(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var draw func(depth int) Expr
		draw = func(depth int) Expr {
			if depth == 0 {
				switch rapid.IntRange(0, 2).Draw(rt, "leaf") {
				case 0:
					return &Num{Value: rapid.SampledFrom([]float64{0.5, 1, 2, 3, 0.25}).Draw(rt, "n")}
				case 1:
					return &Name{ID: rapid.SampledFrom([]string{"x", "y", "z"}).Draw(rt, "name")}
				}
				return &Name{ID: rapid.SampledFrom([]string{"c", "h"}).Draw(rt, "name")}
			}
			switch rapid.IntRange(0, 5).Draw(rt, "kind") {
			case 0:
				return &Unary{Op: "-", X: draw(depth - 1)}
			case 1:
				return draw(0)
			}
			op := rapid.SampledFrom([]string{"+", "-", "*", "*", "-"}).Draw(rt, "op")
			return &Binary{Op: op, X: draw(depth - 1), Y: draw(depth - 1)}
		}
		e := draw(5)
		m := newBench(t, 1)
		values := map[string]float64{"x": 0.75, "y": -1.5, "z": 3.25, "c": -0.375, "h": 10 * testDt}
		for _, v := range []string{"x", "y", "z"} {
			m.variable(v, "1", values[v])
		}
		m.constant("c", "1", values["c"])
		h, _ := ParseExpr(&Source{Text: "t/second"})
		m.scope.Symbols["h"] = &Symbol{Name: "h", Kind: Subexpression, Expr: h}
		m.variable("q", "1")
		var eval func(e Expr) (v, size float64)
		eval = func(e Expr) (v, size float64) {
			switch e := e.(type) {
			case *Num:
				return e.Value, math.Abs(e.Value)
			case *Name:
				return values[e.ID], math.Abs(values[e.ID])
			case *Unary:
				v, size = eval(e.X)
				return -v, size
			case *Binary:
				x, sx := eval(e.X)
				y, sy := eval(e.Y)
				if e.Op == "*" {
					return x * y, sx * sy
				}
				return apply(e.Op, x, y), sx + sy
			}
			return 0, 0
		}
		want, size := eval(e)
		m.text("q = " + e.String())
		m.run(10, 11)
		if got := m.get("q", 0); math.Abs(got-want) > 1e-5*math.Max(size, 1e-6) {
			rt.Fatalf("%s = %v, want %v", e, got, want)
		}
	})
}

func FuzzParseEquations(f *testing.F) {
	for _, s := range []string{"dv/dt = (ge + gi - (v - El))/taum : volt (unless refractory)\n dge/dt = -ge/taue : volt # x",
		"x = 2*y : 1 (shared, constant over dt)", "w : siemens/metre**2", "n : integer", "dv/dt=-v/tau+s*xi*tau**-.5:1", "a:1\na:1",
		"d/dt = 1 : 1", "v : volt ** -2 ** 3", "v:1(", "\\\n:", "x = -a**-b if not c : 1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		eqs, err := ParseEquations(&Source{File: "f", Text: text})
		if err != nil {
			_ = err.Error()
			return
		}
		scope := MapScope{Symbols: map[string]*Symbol{"dt": {Name: "dt", Kind: Constant, Dim: base(Second), Value: testDt, ReadOnly: true}}}
		for _, q := range eqs.List {
			if back, err := ParseEquations(&Source{Text: q.String()}); err != nil || back.List[0].String() != q.String() {
				t.Fatalf("%q prints as %q: %v", text, q, err)
			}
			s := &Symbol{Name: q.Name, Kind: Variable, Dim: q.Dim, Type: q.Type, Constant: q.Has("constant")}
			if q.Kind == Sub {
				s.Kind, s.Expr = Subexpression, q.X
			}
			scope.Symbols[q.Name] = s
		}
		if CheckEquations(eqs, scope, nil) == nil {
			for _, method := range append([]string{""}, Methods...) {
				_, _ = Integrate(eqs, scope, Options{Dt: testDt, Method: method})
			}
		}
	})
}

func FuzzParseStatements(f *testing.F) {
	for _, s := range []string{"v = Vr", "x += 1; y = x*2", "x **= 2\n\n# c\ny //= 3", "a = b = c", "x = (1 +\n2)", ";", "x=t%2>1 and not y", "x = clip(x, -inf, inf)**0.5//3",
		"x = exp(1000)*inf - inf", "k = k**31 % 7", "y = poisson(3)*rand()"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		stmts, err := ParseStatements(&Source{File: "f", Text: text})
		if err != nil {
			_ = err.Error()
			return
		}
		m := newBench(t, 1)
		m.variable("x", "1", 1.5)
		m.variable("y", "1", -2)
		m.variable("k", "integer", 3)
		if Lower(m.b, stmts, m.scope, m) == nil {
			m.run(0, 1)
		}
	})
}
