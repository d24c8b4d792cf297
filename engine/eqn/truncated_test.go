package eqn

import (
	"math"
	"testing"
)

// TestTruncatedNormal compares moments with those of the normal distribution
// restricted to an interval, worked out by numerical integration.
func TestTruncatedNormal(t *testing.T) {
	for _, c := range []struct {
		text             string
		m, sd, low, high float64
	}{
		{"truncated_normal(1.5*ms, 0.75*ms, 0.05*ms, 9*ms)", 1.5e-3, 0.75e-3, 0.05e-3, 9e-3},
		{"truncated_normal(-351*ms, 35.1*ms, -702*ms, 0*ms)", -351e-3, 35.1e-3, -702e-3, 0},
		{"truncated_normal(0*ms, 1*ms, 1*ms, 2*ms)", 0, 1e-3, 1e-3, 2e-3},
		{"truncated_normal(0*ms, 1*ms, -3*ms, -2.5*ms)", 0, 1e-3, -3e-3, -2.5e-3},
		{"truncated_normal(0*ms, 1*ms, -1*second, 1*second)", 0, 1e-3, -1, 1},
	} {
		const n = 200000
		m := newBench(t, n)
		m.variable("x", "second")
		e, err := ParseExpr(&Source{Text: c.text})
		if err != nil {
			t.Fatal(err)
		}
		v, _, _, err := LowerExpr(m.b, e, m.scope, m)
		if err != nil {
			t.Fatal(c.text, err)
		}
		m.Store(m.scope.Symbols["x"], v)
		m.run(0, 1)
		var s, s2, w, e1, e2 float64
		for k := range n {
			x := m.get("x", k)
			if x < c.low-1e-9 || x > c.high+1e-9 {
				t.Fatalf("%s gives %g", c.text, x)
			}
			s, s2 = s+x, s2+x*x
		}
		lo, hi := max(c.low, c.m-8*c.sd), min(c.high, c.m+8*c.sd)
		for k := range 100000 {
			x := lo + (hi-lo)*(float64(k)+0.5)/100000
			p := math.Exp(-(x - c.m) * (x - c.m) / (2 * c.sd * c.sd))
			w, e1, e2 = w+p, e1+p*x, e2+p*x*x
		}
		mean, sd := e1/w, math.Sqrt(e2/w-e1/w*e1/w)
		gotM := s / n
		gotSD := math.Sqrt(s2/n - gotM*gotM)
		if math.Abs(gotM-mean) > 4*sd/math.Sqrt(n) || math.Abs(gotSD/sd-1) > 0.01 {
			t.Errorf("%s: mean %g, sd %g; want %g, %g", c.text, gotM, gotSD, mean, sd)
		}
	}
}

func TestTruncatedNormalRefuses(t *testing.T) {
	for _, text := range []string{"truncated_normal(0, 1, 2, 1)", "truncated_normal(0, -1, 0, 1)", "truncated_normal(0, 1, 40, 41)", "truncated_normal(v, 1, 0, 1)",
		"truncated_normal(0*ms, 1*ms, 0*mV, 1*ms)"} {
		m := newBench(t, 1)
		m.variable("v", "1")
		e, err := ParseExpr(&Source{Text: text})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, _, err := LowerExpr(m.b, e, m.scope, m); err == nil {
			t.Errorf("%s is accepted", text)
		}
	}
}
