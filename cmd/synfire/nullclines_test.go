package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"synfire/engine/store"
)

// TestNullclines: of FitzHugh and Nagumo's cell and of the adaptive exponential one, with units, noise and a subexpression, against the closed forms.
func TestNullclines(t *testing.T) {
	file := filepath.Join(t.TempDir(), "m.star")
	with := func(text string, see func(slopes) error) error {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return model(context.Background(), file, &store.Manifest{ScriptSHA256: fmt.Sprintf("%x", sha256.Sum256([]byte(text)))}, see)
	}
	for _, c := range []struct {
		text   string
		row    int
		box    [4]float64
		by     [2]float64
		dx, dy func(x float64) float64
		within float64
	}{
		{"G = NeuronGroup(3, '''dv/dt = (v - v**3/3 - w + I)/ms : 1\ndw/dt = 0.08*(v + 0.7 - 0.8*w)/ms : 1\nI : 1''', method='euler')\nG.I = '0.25*i'\n" +
			"M = StateMonitor(G[1:], ['v', 'w'], record=[1])\nrun(1*ms)", 0, [4]float64{-2, 2, -1, 2}, [2]float64{1, 1},
			func(v float64) float64 { return v - v*v*v/3 + 0.5 }, func(v float64) float64 { return (v + 0.7) / 0.8 }, 1e-4},
		{"EL, gL, VT, DT = -70*mV, 10*nS, -50*mV, 2*mV\nG = NeuronGroup(1, '''dv/dt = (gL*(EL - v) + gL*DT*exp((v - VT)/DT) - w + I)/(200*pF) + mV/sqrt(20*ms)*xi : volt (unless refractory)\n" +
			"dw/dt = (a - w)/(30*ms) : amp\na = 2*nS*(v - EL) : amp\nI : amp''', threshold='v > 0*mV', reset='v = EL', refractory=2*ms, method='euler')\nG.I = 500*pA\n" +
			"M = StateMonitor(G, ['v', 'w'], record=True)\nrun(1*ms)", 0, [4]float64{-80, -45, -0.2, 0.7}, [2]float64{1e-3, 1e-9},
			func(v float64) float64 { return 0.01*(-70-v) + 0.02*math.Exp((v+50)/2) + 0.5 }, func(v float64) float64 { return 0.002 * (v + 70) }, 3e-4},
	} {
		if err := with(c.text, func(of slopes) error {
			dx, dy, err := nullclines(of, "M", c.row, c.box, c.by[0], c.by[1])
			if err != nil {
				return err
			}
			if len(dx.X) < nullclineGrid || len(dy.X) < nullclineGrid/2 {
				t.Errorf("%d and %d pieces", len(dx.X), len(dy.X))
			}
			for k := range dx.X {
				if d := math.Abs(dx.Y[k] - c.dx(dx.X[k])); !(d < c.within) {
					t.Fatalf("at %g: %g, want %g", dx.X[k], dx.Y[k], c.dx(dx.X[k]))
				}
			}
			for k := range dy.X {
				if d := math.Abs(dy.Y2[k] - c.dy(dy.X2[k])); !(d < c.within) {
					t.Fatalf("at %g: %g, want %g", dy.X2[k], dy.Y2[k], c.dy(dy.X2[k]))
				}
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
	}
	first := func(of slopes) error { _, _, err := of("M", 0, []float64{0}, []float64{0}); return err }
	for text, want := range map[string]string{
		"G = NeuronGroup(1, '''dv/dt = (w + u)/ms : 1\ndw/dt = -w/ms : 1\ndu/dt = -u/ms : 1''')\nM = StateMonitor(G, ['v', 'w'], record=0)\nrun(1*ms)": "dv/dt depends on 'u', too",
		"G = NeuronGroup(1, '''dv/dt = -v/ms : 1\nw : 1''')\nM = StateMonitor(G, ['v', 'w'], record=0)\nrun(1*ms)":                                     "no differential equation of 'w'",
		"G = NeuronGroup(1, '''dv/dt = -v/ms : 1\ndw/dt = -w/ms : 1''')\nrun(1*ms)\nM = StateMonitor(G, ['v', 'w'], record=0)\nrun(1*ms)":              "no StateMonitor M of neurons before its first run()",
		"print(1)": "has no run()",
		"x = y":    "y",
	} {
		if err := with(text, first); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n%v, want an error with %q", text, err, want)
		}
	}
	if err := model(context.Background(), file, &store.Manifest{ScriptSHA256: "abc"}, first); err == nil || !strings.Contains(err.Error(), "not the script of the run") {
		t.Error(err)
	}
}
