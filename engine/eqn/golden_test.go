package eqn

import (
	"encoding/json"
	"math"
	"os"
	"testing"
)

// goldenCase is one run of Brian2: see provenance in the file.
type goldenCase struct {
	Name, Model, Method string
	Dt                  float64
	Steps               int
	NR                  *float64 // not_refractory, where the model asks for it
	Consts              map[string][2]any
	Init, Expect        map[string]float64
}

func readGolden(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

// TestBrian2Integrators runs models through ir.Eval and compares the state with
// that of Brian2's own integrators: the same formulas, float32 against float64.
func TestBrian2Integrators(t *testing.T) {
	var file struct{ Cases []goldenCase }
	readGolden(t, "integrators.json", &file)
	for _, c := range file.Cases {
		t.Run(c.Name, func(t *testing.T) {
			m := newBench(t, 1)
			m.scope.Symbols["dt"].Value = c.Dt
			for name, v := range c.Consts {
				m.constant(name, v[0].(string), v[1].(float64))
			}
			if c.NR != nil {
				m.variable("not_refractory", "boolean", *c.NR)
			}
			m.model(c.Model)
			for name, v := range c.Init {
				m.put(m.scope.Symbols[name], v)
			}
			m.scheme(c.Model, c.Method)
			m.run(0, c.Steps)
			for name, want := range c.Expect {
				got := m.get(name, 0)
				scale := math.Max(math.Abs(want), math.Abs(c.Init[name]))
				if !(math.Abs(got-want) <= 4e-6*scale) {
					t.Errorf("%s = %.9g, Brian2 has %.9g (relative error %.2g)", name, got, want, (got-want)/scale)
				}
			}
		})
	}
}
