package script_test

import (
	"strings"
	"testing"

	"synfire/engine/script"
)

// TestFunctionsInEquations: a function of one expression under check_units is
// written out where equations call it, with the same values as without it.
func TestFunctionsInEquations(t *testing.T) {
	const model = `
import numpy as np
scale = 2
%s
G = NeuronGroup(3, '''dv/dt = (%s - v)/(10*ms) : volt
                      scale : 1''', threshold='v > 5*mV', reset='v = 0*mV', method='euler')
G.v = 'i*mV'
G.scale = 7
run(5*ms)
print(G.v[:])
`
	f := `@check_units(x=volt, k=1, result=volt)
def f(x, k=1):
    "Saturates."
    return scale*10*mV*np.tanh(x/(10*mV)) + k*mV`
	with := strings.Replace(strings.Replace(model, "%s", f, 1), "%s", "f(v + 1*mV, i)", 1)
	without := strings.Replace(strings.Replace(model, "%s", "", 1), "%s", "(2*10*mV*tanh((v + 1*mV)/(10*mV)) + i*mV)", 1)
	a, _, err := simulate(t, with, script.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b, _, err := simulate(t, without, script.Options{})
	if err != nil || a != b || a == "" {
		t.Errorf("with the function %q, without it %q, %v", a, b, err)
	}
	for _, c := range []struct{ name, def, call, at, want string }{
		{"wrong argument", f, "f(3*ms, i)", "8:35", "'x' of f() has the unit"},
		{"too few", f, "f(v)", "8:32", "f() takes 2 arguments, got 1"},
		{"wrong value", "@check_units(x=volt, result=1)\ndef f(x):\n    return x*x/mV", "f(v)*volt", "7:32", "what f() gives has the unit"},
		{"in its body", "@check_units(x=volt)\ndef f(x):\n    return x + scal*mV", "f(v)", "6:16", "unknown name scal"},
		{"several statements", "@check_units(x=volt)\ndef f(x):\n    y = x\n    return y", "f(v)", "8:32", "several statements"},
		{"circle", "@check_units(x=volt)\ndef f(x):\n    return f(x)", "f(v)", "6:12", "in a circle"},
		{"random", "@check_units(x=1)\ndef f(x):\n    return x*x*volt", "f(rand())", "7:34", "is drawn at random"},
	} {
		_, _, err := simulate(t, strings.Replace(strings.Replace(model, "%s", c.def, 1), "%s", c.call, 1), script.Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "test.star:"+c.at+":") {
			t.Errorf("%s: the error is not at %s or lacks %q:\n%v", c.name, c.at, c.want, err)
		}
	}
	out, _, err := simulate(t, f+"\nscale = 1\nprint(f(0*mV, k=2))", script.Options{})
	if err != nil || out != "2. mV\n" {
		t.Errorf("called from the script: %q, %v", out, err)
	}
	if _, _, err := simulate(t, f+"\nscale = 1\nf(3*ms)", script.Options{}); err == nil || !strings.Contains(err.Error(), "x of f() is in V, not 3 ms") {
		t.Errorf("called with a wrong unit: %v", err)
	}
}
