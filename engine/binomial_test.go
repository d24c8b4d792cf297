package engine_test

import (
	"fmt"
	"math"
	"testing"
)

// TestBinomialFunction: what its texts draw has the distribution's mean, variance and
// tail, in values, conditions and code, also where a trial is rare.
func TestBinomialFunction(t *testing.T) {
	src := `
f = BinomialFunction(100, 0.3)
h = BinomialFunction(1000, 0.9)
r = BinomialFunction(10, 1e-6)
G = NeuronGroup(20000, '''x : 1
                           y : 1
                           z : 1
                           k : integer''', threshold='f() > 35', reset='k += 1')
G.x = 'f()'
G.y = 'h()'
G.run_regularly('z += r()')
run(10*ms)
print(mean(G.x[:]), std(G.x[:]), mean(G.y[:]), std(G.y[:]), mean(G.k[:])/100, sum(G.z[:]))
`
	out, hash := run(t, src, onRef)
	if again, other := run(t, src, onCPU(2)); again != out || other != hash {
		t.Error("the cpu backend draws otherwise")
	}
	var got [6]float64
	if _, err := fmt.Sscan(out, &got[0], &got[1], &got[2], &got[3], &got[4], &got[5]); err != nil {
		t.Fatal(out, err)
	}
	root := math.Sqrt(20000)
	for k, want := range [6][2]float64{ // value, and five standard errors of it
		{30, 5 * 4.583 / root}, {4.583, 5 * 4.583 / root}, {900, 5 * 9.487 / root}, {9.487, 5 * 9.487 / root}, {0.11608, 5 * 0.3203 / root / 10}, {20, 5 * 4.5},
	} {
		if math.Abs(got[k]-want[0]) > want[1] {
			t.Errorf("value %d: %g, expected %g within %.2g", k, got[k], want[0], want[1])
		}
	}
}
