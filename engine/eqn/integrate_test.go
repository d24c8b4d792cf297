package eqn

import (
	"math"
	"strings"
	"testing"
)

// TestMethodChoice compares the choice without method= with Brian2's.
func TestMethodChoice(t *testing.T) {
	var file struct{ Cases [][2]string }
	readGolden(t, "methods.json", &file)
	for _, c := range file.Cases {
		m := newBench(t, 1)
		m.constant("tau", "second", 10e-3)
		m.constant("tau2", "second", 3e-3)
		m.constant("El", "volt", -70e-3)
		m.constant("a", "1", 2)
		m.constant("c", "1", 3)
		m.constant("sigma", "1", 0.5)
		for name, dt := range map[string]float64{"ta": 1e-3, "tb": 0.05e-3} {
			m.scope.Symbols[name] = &Symbol{Name: name, Kind: Timed, Array: &TimedArray{Name: name, Dt: dt, Rows: 3, Cols: 1, Values: []float64{1, 2, 3}}}
		}
		if strings.Contains(c[0], "refractory") {
			m.variable("not_refractory", "boolean", 1)
		}
		s, err := Integrate(m.model(c[0]), m.scope, Options{Dt: testDt, Refractory: m.scope.Symbols["not_refractory"]})
		if err != nil {
			t.Errorf("%s: %v", c[0], err)
		} else if s.Method != c[1] {
			t.Errorf("%s: %s is chosen, Brian2 takes %s", c[0], s.Method, c[1])
		}
	}
}

// TestSlowVariables checks rule 10: a second word below 2^-14 per step, and the
// closed form after many steps.
func TestSlowVariables(t *testing.T) {
	for _, c := range []struct {
		model, method string
		two           bool
	}{
		{"dv/dt = -v/(1*second) : 1", "exact", false},
		{"dv/dt = -v/(1.7*second) : 1", "exact", true},
		{"dv/dt = -v/(1000*second) : 1", "euler", true},
		{"dv/dt = 3*Hz : 1", "", true},
		{"dv/dt = -v**3/second : 1", "euler", false},
		{"dv/dt = -v/(10*ms) : 1 (compensated)", "exact", true},
		{"dv/dt = -v/(10*ms) + xi*second**-0.5 : 1", "euler", false},
	} {
		m := newBench(t, 1)
		s, err := Integrate(m.model(c.model), m.scope, Options{Dt: testDt, Method: c.method})
		if err != nil {
			t.Fatal(err)
		}
		if (len(s.Two) == 1) != c.two {
			t.Errorf("%s: second words %v, want %v", c.model, s.Two, c.two)
		}
	}
	m := newBench(t, 1)
	m.model("dv/dt = -v/(100*second) : 1")
	m.put(m.scope.Symbols["v"], 1)
	m.scheme("dv/dt = -v/(100*second) : 1", "exact")
	m.run(0, 100000) // 10 s
	if got, want := m.get("v", 0), math.Exp(-0.1); math.Abs(got-want) > 1e-7 {
		t.Errorf("after 10 s of tau = 100 s v = %.9f, want %.9f", got, want)
	}
	// a parameter decides by its least magnitude
	eqs := m.model("dw/dt = -w/tau : 1\ntau : second (constant)")
	m.put(m.scope.Symbols["tau"], 0.01)
	for _, c := range []struct {
		values []float64
		two    bool
	}{{[]float64{0.01, 0.02}, false}, {[]float64{0.01, 100}, true}, {nil, false}} {
		s, err := Integrate(eqs, m.scope, Options{Dt: testDt, Values: func(*Symbol) []float64 { return c.values }})
		if err != nil || (len(s.Two) == 1) != c.two {
			t.Errorf("tau = %v: second words %v, error %v", c.values, s.Two, err)
		}
	}
}

// TestDerived checks that constant parameters leave no division and no
// exponential in the step.
func TestDerived(t *testing.T) {
	for _, method := range []string{"exact", "exponential_euler", "euler"} {
		m := newBench(t, 3)
		model := "dv/dt = (R*I + El - v)/tau : volt\nI : amp (constant)\ntau : second (constant)\nR : ohm (constant, shared)"
		m.constant("El", "volt", -0.07)
		m.model(model)
		m.put(m.scope.Symbols["tau"], 0.01, 0.02, 0.005)
		m.put(m.scope.Symbols["I"], 1e-10, 2e-10, 0)
		m.put(m.scope.Symbols["R"], 1e8)
		m.put(m.scope.Symbols["v"], -0.06)
		m.scheme(model, method)
		p := m.run(0, 100)
		work := 0
		for _, in := range p.Ins {
			if in.Op.Args() > 0 && in.Op.Defines() {
				work++
			}
		}
		if work > 5 {
			t.Errorf("%s: %d operations in the step\n%s", method, work, p)
		}
		for lane, tau := range []float64{0.01, 0.02, 0.005} {
			end := -0.07 + []float64{0.01, 0.02, 0}[lane]
			want := end + (-0.06-end)*math.Exp(-0.01/tau)
			if got := m.get("v", lane); math.Abs(got-want) > 3e-5 {
				t.Errorf("%s, tau = %v: v = %v, want %v", method, tau, got, want)
			}
		}
	}
}

// TestNoise recomputes heun, milstein and euler in float64 with the same draws,
// by the formulas that Brian2 2.10 prints for the model.
func TestNoise(t *testing.T) {
	const tau, s, dt = 0.01, 0.4, testDt
	draw := func(name string, step int) float64 {
		m := newBench(t, 1)
		m.variable("x", "1")
		m.text("x = randn()")
		m.run(step, step+1)
		return m.get("x", 0)
	}
	for _, method := range []string{"euler", "heun", "milstein"} {
		model := "dv/dt = -v/tau + s*v*xi*tau**-0.5 : 1"
		if method == "euler" {
			model = "dv/dt = -v/tau + s*xi*tau**-0.5 : 1"
		}
		m := newBench(t, 1)
		m.constant("tau", "second", tau)
		m.constant("s", "1", s)
		m.model(model)
		m.put(m.scope.Symbols["v"], 0.8)
		m.scheme(model, method)
		m.run(0, 20)
		v := 0.8
		for step := range 20 {
			xi := math.Sqrt(dt) * draw("xi", step)
			switch method {
			case "euler":
				v = v - dt*v/tau + s*xi/math.Sqrt(tau)
			case "heun":
				sup := s*v*xi/math.Sqrt(tau) + v
				g := sup * s / math.Sqrt(tau)
				v = 0.5*g*xi - dt*v/tau + 0.5*s*v*xi/math.Sqrt(tau) + v
			case "milstein":
				sup := math.Sqrt(dt)*s*v/math.Sqrt(tau) - dt*v/tau + v
				g := sup * s / math.Sqrt(tau)
				k := g*xi*xi/(2*math.Sqrt(dt)) - s*v*xi*xi/(2*math.Sqrt(dt)*math.Sqrt(tau))
				v = k - dt*v/tau + s*v*xi/math.Sqrt(tau) + v
			}
		}
		if got := m.get("v", 0); math.Abs(got-v) > 3e-6 {
			t.Errorf("%s: v = %.8f, want %.8f", method, got, v)
		}
	}
}

func TestIntegrateErrors(t *testing.T) {
	for _, c := range []struct{ model, method, want string }{
		{"dv/dt = -v*v/second : 1", "exact", "not linear"},
		{"dv/dt = -v/second + xi*second**-0.5 : 1", "exact", "noise"},
		{"dv/dt = -v/second + v*xi*second**-0.5 : 1", "euler", "multiplicative"},
		{"dv/dt = -v/second + xi*second**-0.5 : 1", "rk4", "noise"},
		{"dv/dt = -v/second + xi*xi : 1", "", "linearly"},
		{"dv/dt = -v/second : 1", "ruler", "did you mean 'euler'"},
		{"dv/dt = -v/second + xi_a*w*second**-0.5 : 1\ndw/dt=xi_a*second**-0.5:1", "milstein", "diagonal"},
		{"dv/dt = sin(t/second)/second : 1", "exact", "constant during a step"},
		{"dv/dt = (x - v)/a : 1\ndx/dt = (y - x)/a : 1\ndy/dt = -y/a : 1\na : second", "exact", "closed form"},
		{"dv/dt = v**2/second : 1", "exponential_euler", "linear in its own"},
	} {
		m := newBench(t, 1)
		_, err := Integrate(m.model(c.model), m.scope, Options{Dt: testDt, Method: c.method})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s with %s: error %v, want %q", c.model, c.method, err, c.want)
		}
	}
}

// TestEventDriven checks decay over the time since the last update, in steps.
func TestEventDriven(t *testing.T) {
	m := newBench(t, 1)
	m.constant("tau", "second", 0.02)
	last := m.variable("lastupdate", "second")
	last.Steps = true
	m.put(last, 70)
	eqs := m.model("da/dt = -a/tau : 1 (event-driven)\nw : 1")
	m.put(m.scope.Symbols["a"], 1)
	elapsed, err := ParseExpr(&Source{Text: "t - lastupdate"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := Integrate(eqs, m.scope, Options{Dt: testDt, Elapsed: elapsed})
	if err != nil {
		t.Fatal(err)
	}
	m.lower(s.Stmts)
	m.text("a += 1; lastupdate = t")
	m.run(170, 171)
	if got, want := m.get("a", 0), math.Exp(-0.5)+1; math.Abs(got-want) > 1e-6 {
		t.Errorf("a = %v, want %v", got, want)
	}
	if got := m.get("lastupdate", 0); got != 170 {
		t.Errorf("lastupdate is step %v, want 170", got)
	}
}
