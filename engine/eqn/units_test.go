package eqn

import (
	"math"
	"strconv"
	"strings"
	"testing"
)

// TestUnits checks values and dimensions that Brian2 2.10.1 gives for names of
// brian2.units.allunits and stdunits, and how many names there are.
func TestUnits(t *testing.T) {
	for _, c := range []struct {
		name  string
		value float64
		dims  [7]float64 // m kg s A K mol cd
	}{
		{"mV", 1e-3, [7]float64{2, 1, -3, -1}},
		{"pF", 1e-12, [7]float64{-2, -1, 4, 2}},
		{"nS", 1e-9, [7]float64{-2, -1, 3, 2}},
		{"Mohm", 1e6, [7]float64{2, 1, -3, -2}},
		{"umetre2", 1e-12, [7]float64{2}},
		{"ymetre3", 1e-72, [7]float64{3}},
		{"um3", 1e-18, [7]float64{3}},
		{"gram", 1e-3, [7]float64{0, 1}},
		{"kgram2", 1, [7]float64{0, 2}},
		{"mliter", 1e-6, [7]float64{3}},
		{"mM", 1, [7]float64{-3, 0, 0, 0, 0, 1}},
		{"umolar", 1e-3, [7]float64{-3, 0, 0, 0, 0, 1}},
		{"kHz", 1e3, [7]float64{0, 0, -1}},
		{"dasecond", 10, [7]float64{0, 0, 1}},
		{"radian", 1, [7]float64{}},
		{"llux", 0, [7]float64{}},
		{"ksecond3", 1e9, [7]float64{0, 0, 3}},
	} {
		q, ok := LookupUnit(c.name)
		if ok != (c.value != 0) || ok && q.Value != c.value {
			t.Errorf("%s = %v, %v; want %v", c.name, q.Value, ok, c.value)
		}
		for i, x := range c.dims {
			if float64(q.Dim[i])/dimUnit != x {
				t.Errorf("%s has dimension %s, want %v", c.name, q.Dim, c.dims)
			}
		}
	}
	if n := len(UnitNames()); n != 2095 {
		t.Errorf("%d units, want those of Brian2 2.10 and mS, which its import has", n)
	}
	if q, ok := LookupConstant("faraday_constant"); !ok || q.Value != 96485.33289 {
		t.Errorf("faraday_constant = %v", q)
	}
}

// TestScales checks rule 8: internal values near 1, and that odd roots of units,
// whose scale is no whole power of two, come out right.
func TestScales(t *testing.T) {
	for name, want := range map[string]float64{"ms": 1.024, "mV": 1.024, "pA": 1.0995, "nS": 1.0737, "pF": 1.0995, "um": 1.0486, "mM": 1} {
		q, _ := LookupUnit(name)
		if got := q.Internal(); math.Abs(got-want) > 1e-4 {
			t.Errorf("1 %s is %v internally, want %v", name, got, want)
		}
	}
	m := newBench(t, 1)
	m.variable("s", "second", 0.016)
	m.variable("x", "1")
	m.variable("y", "second")
	m.variable("z", "1")
	m.text("r = s**0.25; x = r*r*r*r/ms; y = r**4; z = sqrt(sqrt(s))/s**0.25 + (s/second)**1.25*second**0.5/sqrt(s)")
	m.run(0, 1)
	for name, want := range map[string]float64{"x": 16, "y": 0.016, "z": 1 + math.Pow(0.016, 0.75)} {
		if got := m.get(name, 0); math.Abs(got-want) > 3e-6*want {
			t.Errorf("%s = %v, want %v", name, got, want)
		}
	}
}

// TestText: a quantity is printed in a unit of scripts, and means itself.
func TestText(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"-9*mV", "-9 mV"}, {"1.62*mV", "1.62 mV"}, {"-0.2443885195585667*mV", "-244.3885 uvolt"}, {"6*nS", "6 nS"}, {"0.1*ms", "100 us"},
		{"360671.75*ohm", "360.6718 kohm"}, {"20*ms", "20 ms"}, {"999*pA", "999 pA"}, {"3*Hz", "3 Hz"}, {"12*kHz", "12 kHz"}, {"0*volt", "0 volt"}, {"2.5", "2.5"},
		{"3*volt/second", "3 " + dimVolt.Mul(dimHertz).String()}, {"5*gram", "0.005 kilogram"}, {"1e-40*volt", "1e-40 volt"},
	} {
		x, err := ParseExpr(&Source{Text: c.in, Line: 1, Col: 1})
		if err != nil {
			t.Fatal(err)
		}
		q, err := EvalHost(x, MapScope{})
		if got := q.Text(7); err != nil || got != c.want {
			t.Errorf("%s is printed as %s (%v), want %s", c.in, got, err, c.want)
		}
		number, unit, _ := strings.Cut(q.Text(-1), " ")
		v, err := strconv.ParseFloat(number, 64)
		if u, ok := LookupUnit(unit); ok {
			v *= u.Value
		}
		if err != nil || math.Abs(v-q.Value) > 1e-15*math.Abs(q.Value) {
			t.Errorf("%s means %g, not %g", q.Text(-1), v, q.Value)
		}
	}
}
