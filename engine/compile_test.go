package engine_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"reflect"
	"testing"

	"synfire/engine"
	"synfire/engine/backend"
	"synfire/engine/script"
)

// TestCompileTwice: a network gives the same plan however often it is compiled.
func TestCompileTwice(t *testing.T) {
	for name, src := range scenarios {
		t.Run(name, func(t *testing.T) {
			plans := 0
			_, err := script.Run(context.Background(), script.Options{File: "test.star", Src: []byte(src), Open: func() (backend.Backend, error) { return onRef(), nil },
				BeforeRun: func(n *engine.Network) error {
					first, err := n.Compile(engine.Work{})
					if err != nil {
						return err
					}
					second, err := n.Compile(engine.Work{})
					if err != nil {
						return err
					}
					plans++
					differ(t, "plan", reflect.ValueOf(*first), reflect.ValueOf(*second))
					return nil
				}})
			if err != nil {
				t.Fatal(err)
			}
			if plans == 0 {
				t.Error("the scenario has no run()")
			}
		})
	}
}

// TestPlansOfTwoNetworks: a script gives the same text of the plan each time it is
// run, several tables of one name among it.
func TestPlansOfTwoNetworks(t *testing.T) {
	const arrays = `
def drive(k): return TimedArray([[1 + k, 2], [3, 4 + k]]*mV, dt=1*ms)
a, b, c = drive(0), drive(1), drive(2)
G = NeuronGroup(2, '''dv/dt = (b(t, i) + a(t, i) - v)/(10*ms) : volt
u = c(t, i) : volt''', threshold='v > b(t, i)', reset='v = a(t, i)')
S = Synapses(G, G, on_pre='v_post += c(t, i)')
S.connect(p=0.5)
M = StateMonitor(G, ['v', 'u'], record=True)
run(1*ms)
`
	sources := maps.Clone(scenarios)
	sources["tables of one name"] = arrays
	for name, src := range sources {
		var plans []string
		for range 2 {
			_, err := script.Run(context.Background(), script.Options{File: "test.star", Src: []byte(src), Open: func() (backend.Backend, error) { return onRef(), nil },
				BeforeRun: func(n *engine.Network) error {
					p, err := n.Compile(engine.Work{})
					if err == nil {
						plans = append(plans, p.String())
					}
					return err
				}})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		half := len(plans) / 2
		for k := range half {
			if plans[k] != plans[half+k] {
				t.Errorf("%s: run %d has the plan\n%s\nand, of a second network,\n%s", name, k, plans[k], plans[half+k])
			}
		}
	}
}

// differ names the parts of two values that are not equal.
func differ(t *testing.T, name string, a, b reflect.Value) {
	t.Helper()
	switch {
	case reflect.DeepEqual(a.Interface(), b.Interface()):
	case a.Kind() == reflect.Func && !a.IsNil() && !b.IsNil(): // of the same text
	case a.Kind() == reflect.Pointer && !a.IsNil() && !b.IsNil():
		differ(t, name, a.Elem(), b.Elem())
	case a.Kind() == reflect.Struct:
		for k := range a.NumField() {
			if !a.Type().Field(k).IsExported() { // what was counted before
				continue
			}
			differ(t, name+"."+a.Type().Field(k).Name, a.Field(k), b.Field(k))
		}
	case a.Kind() == reflect.Slice && a.Len() == b.Len():
		for k := range a.Len() {
			differ(t, fmt.Sprintf("%s[%d]", name, k), a.Index(k), b.Index(k))
		}
	default:
		t.Errorf("%s is %v, then %v", name, a, b)
	}
}

// TestInfoDecidesNothing: a time constant that is slow when one looks and fast
// in the run needs no second word, and a time keeps its value.
func TestInfoDecidesNothing(t *testing.T) {
	const src = `
G = NeuronGroup(1, '''dx/dt = -x/tau : 1
tau : second (constant)
t0 : second''', threshold='t - t0 > 1*ms')
G.run_regularly('t0 = t0 + 0*t', dt=1*ms)
G.x, G.tau, G.t0 = 1, 10000*second, 0.25*ms
run(2*ms)
print(G.x[0])
`
	var hashes []string
	for _, look := range []bool{false, true} {
		_, err := script.Run(context.Background(), script.Options{File: "test.star", Src: []byte(src), Open: func() (backend.Backend, error) { return onRef(), nil },
			BeforeRun: func(n *engine.Network) error {
				g := n.Groups()[0]
				t0, err := g.Var("t0")
				if err != nil {
					return err
				}
				if look {
					if err := n.Info(engine.Work{}, io.Discard); err != nil {
						return err
					}
				}
				if a, err := t0.Get(nil); err != nil || a.V[0] < 2.49e-4 || a.V[0] > 2.51e-4 {
					t.Errorf("look %v: t0 is %v (%v), expected 0.25 ms", look, a.V, err)
				}
				tau, err := g.Var("tau")
				if err != nil {
					return err
				}
				return tau.Set(nil, engine.Quantity{Value: 0.01, Dim: tau.Dim()})
			},
			AfterRun: func(r *script.Result) error {
				_, state, err := r.Net.Hash()
				hashes = append(hashes, state)
				return err
			}})
		if err != nil {
			t.Fatal(err)
		}
	}
	if hashes[0] != hashes[1] {
		t.Errorf("the run after a look gives the state %s, without it %s", hashes[1], hashes[0])
	}
}
