package engine_test

import (
	"strings"
	"testing"
)

// TestRemovable: rates that are 0/0 at a value of the variable have their limit
// there, with every method, and where they are read.
func TestRemovable(t *testing.T) {
	for _, c := range []struct{ rate, limit string }{
		{"0.1*(v + 40*mV)/mV/(1 - exp(-(v + 40*mV)/(10*mV)))", "1"},
		{"0.1*(v + 40*mV)/mV/(1 - exp((-40*mV - v)/(10*mV)))", "1"},
		{"0.01*(-40*mV - v)/mV/(exp((-40*mV - v)/(10*mV)) - 1)", "0.1"},
		{"(v + 40*mV)/(5*mV)/tanh((v + 40*mV)/(5*mV))", "1"},
		{"3*sin((v + 40*mV)/mV)/((v + 40*mV)/mV)", "3"},
		{"(1 - exp(-(v + 40*mV)/(10*mV)))/((v + 40*mV)/(10*mV))", "1"},
		{"(v + 40*mV)/(5*mV)/expm1((v + 40*mV)/(5*mV))", "1"},
		{"0.5*(v - vt)/mV/(1 - exp(-(v - vt)/(2*mV)))", "1"},
		{"w*(v + 40*mV)/mV/(1 - exp(-(v + 40*mV)/(10*mV)))", "1"},
	} {
		for _, method := range []string{"exponential_euler", "euler", "rk2", "rk4"} {
			src := strings.NewReplacer("RATE", c.rate, "LIMIT", c.limit, "METHOD", method).Replace(`
G = NeuronGroup(3, '''dv/dt = 0*mV/ms : volt
a = RATE/ms : Hz
b = LIMIT/ms : Hz
w : 1
vt : volt (constant)
dm/dt = a*(1 - m) - m/ms : 1
dn/dt = b*(1 - n) - n/ms : 1''', method='METHOD')
G.v = [-40, -40.01, -39.99]*mV
G.vt = -40*mV; G.vt[2] = -40*mV
G.w = 0.1
G.m = 0.05; G.n = 0.05
run(0.5*ms)
print([abs(G.m[k] - G.n[k]) < 2e-3*G.n[k] for k in range(3)], abs(G.a[0]/G.b[0] - 1) < 1e-5)
`)
			if out, _ := run(t, src, onCPU(1)); out != "[True, True, True] True\n" {
				t.Errorf("%s, %s: %s", c.rate, method, out)
			}
		}
	}
}
