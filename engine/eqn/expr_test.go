package eqn

import (
	"math"
	"strings"
	"testing"

	"synfire/engine/ir"
)

// TestBrian2Expressions compares what is accepted, dimensions, types and values
// with Brian2's.
func TestBrian2Expressions(t *testing.T) {
	var file struct {
		Values map[string][]any
		Cases  []struct {
			Text, Type, Error string
			OK                bool
			Dims              []float64
			Value             []*float64
		}
	}
	readGolden(t, "expressions.json", &file)
	for _, c := range file.Cases {
		m := newBench(t, 3)
		for name, unit := range map[string]string{"v": "volt", "x": "1", "k": "integer", "b": "boolean", "w": "siemens", "tq": "second", "q": "1"} {
			var values []float64
			for _, v := range file.Values[name] {
				switch v := v.(type) {
				case float64:
					values = append(values, v)
				case bool:
					values = append(values, one(v))
				}
			}
			m.variable(name, unit, values...)
		}
		m.variable("i", "integer", 0, 1, 2).ReadOnly = true
		m.constant("N", "integer", 3)
		m.constant("tau", "second", 10e-3)
		m.constant("El", "volt", -70e-3)
		m.constant("a", "integer", 3)
		m.constant("g0", "siemens", 2e-9)
		e, err := ParseExpr(&Source{Text: c.Text})
		var d Dim
		var typ Type
		if err == nil {
			d, typ, err = Check(e, m.scope)
		}
		if (err == nil) != c.OK {
			t.Errorf("%s: error %v, Brian2: %q", c.Text, err, c.Error)
			continue
		}
		if err != nil {
			continue
		}
		for i, x := range c.Dims {
			if float64(d[i])/dimUnit != x {
				t.Errorf("%s: dimension %s, Brian2 has %v", c.Text, d, c.Dims)
			}
		}
		if typ.String() != c.Type && !strings.HasPrefix(c.Text, "b+") && c.Text != "abs(b)" && c.Text != "not x" {
			t.Errorf("%s is %s, in Brian2 %s", c.Text, typ, c.Type)
		}
		if again, err := ParseExpr(&Source{Text: e.String()}); err != nil || again.String() != e.String() {
			t.Errorf("%s prints as %s, which reads as %v, %v", c.Text, e, again, err)
		}
		if c.Value == nil || c.Text == "b+b" { // arithmetic on truth values counts here: 2, not 1
			continue
		}
		m.text("q = " + c.Text)
		m.run(0, 1)
		for lane, want := range c.Value {
			if want == nil {
				continue
			}
			if got := m.get("q", lane); math.Abs(got-*want) > 2e-6*math.Max(1, math.Abs(*want)) {
				t.Errorf("%s = %.9g in lane %d, Brian2 has %.9g", c.Text, got, lane, *want)
			}
		}
	}
}

// TestStatements checks locals, order, types and augmented assignments.
func TestStatements(t *testing.T) {
	for _, c := range []struct {
		text string
		want float64 // of x, which begins at 2.75; k is -7, b true
	}{
		{"x = 5", 5},
		{"x += 1; x *= 2", 7.5},
		{"x -= 1\nx /= 2", 0.875},
		{"x //= 2", 1},
		{"x %= 2", 0.75},
		{"x **= 2", 7.5625},
		{"y = x*2; x = y + 1", 6.5},
		{"y = 3; x = y*y", 9},
		{"y = x; x = 10; x = x + y", 12.75},
		{"k = x*3; x = k", 8},
		{"k = -x; x = k", -2},
		{"k += 1.9; x = k", -5},
		{"k /= 2; x = k", -3},
		{"b = x > 3; x = int(b)", 0},
		{"b = x; x = b", 1},
		{"y = x > 1; x = x*int(y and b)", 2.75},
		{"a = 1; a = a + 0.5; x = a", 1.5},
		{"x = 1 # comment; not this\n# nor this\n", 1},
		{"x = (1 +\n 2)", 3},
	} {
		m := newBench(t, 1)
		m.variable("x", "1", 2.75)
		m.variable("k", "integer", -7)
		m.variable("b", "boolean", 1)
		m.text(c.text)
		m.run(0, 1)
		if got := m.get("x", 0); got != c.want {
			t.Errorf("%q: x = %v, want %v", c.text, got, c.want)
		}
	}
}

// TestRefusals lists faulty texts with a part of the message or hint.
func TestRefusals(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"v = 3", "unit"},
		{"v += x", "unit"},
		{"x = vv", "did you mean 'v'"},
		{"xx += 1", "did you mean 'x'"},
		{"t = 3*second", "cannot be assigned"},
		{"mV = 3", "cannot be assigned"},
		{"exp = 3", "cannot be assigned"},
		{"p = 3", "declared (constant)"},
		{"s = x", "differs between neurons"},
		{"x = 1/0", "division by zero"},
		{"x = x/(3 - 3)", "division by zero"},
		{"x = k % 0", "division by zero"},
		{"x == 3", "'='"},
		{"x = 3 = 4", "write '=='"},
		{"x = xi", "randn()"},
		{"sub = 3", "subexpression"},
		{"y = x; y = v", "another name"},
		{"if x: y = 3", "variable"},
		{"x = exp(v)", "unit volt; it should have unit 1"},
		{"x = x^2", "write '**'"},
		{"x = loop1", "circle"},
	} {
		m := newBench(t, 1)
		m.variable("x", "1")
		m.variable("v", "volt")
		m.variable("k", "integer")
		m.variable("p", "1").Constant = true
		m.variable("s", "1").Shared = true
		for name, text := range map[string]string{"sub": "x + 1", "loop1": "loop2", "loop2": "loop1*2"} {
			e, err := ParseExpr(&Source{Text: text})
			if err != nil {
				t.Fatal(err)
			}
			m.scope.Symbols[name] = &Symbol{Name: name, Kind: Subexpression, Expr: e}
		}
		stmts, err := ParseStatements(&Source{File: "f", Text: c.text, Line: 7, Col: 3})
		if err == nil {
			if err = CheckStatements(stmts, m.scope); err == nil {
				err = Lower(m.b, stmts, m.scope, m)
			}
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error %v, want %q", c.text, err, c.want)
		} else if c.text != "x = loop1" && !strings.HasPrefix(err.Error(), "f:7:") || !strings.Contains(err.Error(), "^") {
			t.Errorf("%q: no place in %q", c.text, err)
		}
	}
}

// TestTime checks rule 9: host words, steps, phases.
func TestTime(t *testing.T) {
	m := newBench(t, 2)
	m.variable("x", "1", 0.5)
	m.variable("y", "1")
	m.variable("r", "second", 2e-3, 3e-3)
	last := m.variable("lastspike", "second")
	last.Steps = true
	m.put(last, 95, 80)
	m.variable("old", "second").Steps = true
	m.variable("b", "boolean")
	m.variable("c", "boolean")
	m.variable("d", "boolean")
	m.variable("since", "second")
	m.variable("n", "integer")
	ta := &TimedArray{Name: "ta", Dt: 1e-3, Rows: 4, Cols: 1, Values: []float64{1, 2, 4, 8}}
	m.scope.Symbols["ta"] = &Symbol{Name: "ta", Kind: Timed, Array: ta}
	tb := &TimedArray{Name: "tb", Dt: 2e-3, Rows: 2, Cols: 2, Values: []float64{1, 2, 4, 8}, TwoD: true}
	m.scope.Symbols["tb"] = &Symbol{Name: "tb", Kind: Timed, Array: tb}
	m.variable("i", "integer", 0, 1)
	m.variable("z", "1")
	m.text(`y = x*sin(2*pi*10*Hz*t)*3 + t/second
		b = t - lastspike > 1*ms
		c = t - lastspike >= 0.5*ms and t > 5*ms
		d = lastspike + r <= t
		since = t - lastspike
		n = timestep(t - lastspike, dt)
		z = ta(t - 8*ms)*tb(t - 9*ms, i) + sin(2*pi*1*kHz*t + x)
		old = lastspike
		lastspike = t`)
	m.run(100, 101) // t = 10 ms
	near := func(name string, lane int, want float64) {
		t.Helper()
		if got := m.get(name, lane); math.Abs(got-want) > 2e-6*math.Max(1, math.Abs(want)) {
			t.Errorf("%s[%d] = %v, want %v", name, lane, got, want)
		}
	}
	for lane := range 2 {
		near("y", lane, 1.5*math.Sin(2*math.Pi*0.1)+0.01)
		near("b", lane, float64(lane))
		near("c", lane, 1)
		near("d", lane, []float64{0, 0}[lane]+one(lane == 0 && 95+20 <= 100 || lane == 1 && 80+30 <= 100))
		near("since", lane, []float64{0.5e-3, 2e-3}[lane])
		near("n", lane, []float64{5, 20}[lane])
		near("z", lane, 4*[]float64{1, 2}[lane]+math.Sin(0.5))
		near("old", lane, []float64{95, 80}[lane])
		near("lastspike", lane, 100)
	}
	if len(m.hosts) > 6 {
		t.Errorf("%d host words: %v", len(m.hosts), m.hosts)
	}
}

// TestRandom checks that a place draws once, and thresholds of known probability.
func TestRandom(t *testing.T) {
	const n = 20000
	m := newBench(t, n)
	m.variable("x", "1")
	m.variable("y", "1")
	m.variable("b", "boolean")
	m.variable("c", "integer")
	m.variable("g", "1")
	e, err := ParseExpr(&Source{Text: "rand()"})
	if err != nil {
		t.Fatal(err)
	}
	m.scope.Symbols["noise"] = &Symbol{Name: "noise", Kind: Subexpression, Expr: e}
	m.text("x = noise; y = noise; b = rand() < 0.3; c = poisson(2.5); g = randn()")
	m.run(3, 4)
	var hits, count, sum, square float64
	for lane := range n {
		if m.get("x", lane) != m.get("y", lane) || math.Abs(m.get("x", lane)-uniform(uint32(lane), 3, 0)) > 0x1p-32 {
			t.Fatalf("lane %d: one place gives %v and %v, the word %v", lane, m.get("x", lane), m.get("y", lane), uniform(uint32(lane), 3, 0))
		}
		hits += m.get("b", lane)
		count += m.get("c", lane)
		sum += m.get("g", lane)
		square += m.get("g", lane) * m.get("g", lane)
	}
	for _, c := range []struct {
		what           string
		got, want, tol float64
	}{{"rand() < 0.3", hits / n, 0.3, 0.013}, {"poisson(2.5)", count / n, 2.5, 0.045}, {"randn() mean", sum / n, 0, 0.03}, {"randn() square", square / n, 1, 0.04}} {
		if math.Abs(c.got-c.want) > c.tol {
			t.Errorf("%s: mean %v, want %v", c.what, c.got, c.want)
		}
	}
	if len(m.sites) != 4 {
		t.Errorf("%d places draw: %v", len(m.sites), m.sites)
	}
}

// TestFewOperations holds the number of float operations of common models.
func TestFewOperations(t *testing.T) {
	for _, c := range []struct {
		text string
		most int
	}{
		{"x = x + dt*((E - x)/tau)", 3},
		{"x = (x - E)*3/tau*dt/2", 2},
		{"b = (x - E)/tau > 2*Hz", 1},
		{"x = x*2*exp(0)*3/4", 1},
		{"x = a*x + 1 + 2 + b2", 3},
		{"b = rand() < 0.1", 1},
		{"x = x + dt*(-x/tau)", 1},
		{"x = x*int(b)", 2},
	} {
		m := newBench(t, 1)
		m.variable("x", "1", 1)
		m.variable("a", "1", 1)
		m.variable("b2", "1", 1)
		m.variable("b", "boolean")
		m.constant("E", "1", 3)
		m.constant("tau", "second", 0.01)
		m.text(c.text)
		n := 0
		for _, in := range m.run(0, 1).Ins {
			switch in.Op {
			case ir.Canon, ir.NotB:
			default:
				if in.Op.Args() > 0 && in.Op.Defines() {
					n++
				}
			}
		}
		if n > c.most+1 {
			t.Errorf("%q takes %d operations, want %d", c.text, n, c.most)
		}
	}
}

func TestSummed(t *testing.T) {
	m := newBench(t, 1)
	m.sums = map[string]bool{}
	m.variable("w", "siemens", 3e-9)
	m.variable("g_post", "siemens").Summed = true
	m.variable("refused", "siemens").Summed = true
	m.text("g_post += w*2")
	m.run(0, 1)
	if got := float64(math.Float32frombits(m.data["g_post#sum"][0])) * m.scope.Symbols["g_post"].Dim.Scale(); math.Abs(got-6e-9) > 1e-15 {
		t.Errorf("increment %v, want 6 nS", got)
	}
	stmts, _ := ParseStatements(&Source{Text: "refused -= w"})
	if err := Lower(m.b, stmts, m.scope, m); err == nil {
		t.Error("the machine's refusal is lost")
	}
}
