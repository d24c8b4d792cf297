package bench

import (
	"math"
	"math/bits"
	"testing"

	"pgregory.net/rapid"
)

// TestMannWhitney holds the exact probability against all ways to divide the
// values into two samples.
func TestMannWhitney(t *testing.T) {
	if p := mannWhitney([]float64{1, 2, 3, 4, 5}, []float64{6, 7, 8, 9, 10}); math.Abs(p-2.0/252) > 1e-12 {
		t.Errorf("five against five apart: p = %g, want 2/252", p)
	}
	if p := mannWhitney([]float64{1, 1, 1}, []float64{1, 1, 1}); p != 1 {
		t.Errorf("all equal: p = %g", p)
	}
	// With ties, SciPy: mannwhitneyu([1,2,2,3,5], [4,4,6,7,8], method='asymptotic').
	if p := mannWhitney([]float64{1, 2, 2, 3, 5}, []float64{4, 4, 6, 7, 8}); math.Abs(p-0.0355788332) > 1e-9 {
		t.Errorf("with ties: p = %g", p)
	}
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfNDistinct(rapid.Float64Range(-10, 10), 2, 9, rapid.ID[float64]).Draw(t, "values")
		n := rapid.IntRange(1, len(all)-1).Draw(t, "n")
		u := func(mask uint) float64 {
			u := 0.0
			for i, x := range all {
				for j, y := range all {
					if mask>>i&1 == 1 && mask>>j&1 == 0 && x > y {
						u++
					}
				}
			}
			return min(u, float64(n*(len(all)-n))-u)
		}
		mine, tail, total := u(1<<n-1), 0.0, 0.0
		for mask := uint(0); mask < 1<<len(all); mask++ {
			if bits.OnesCount(mask) != n {
				continue
			}
			total++
			if u(mask) <= mine {
				tail++
			}
		}
		if p := mannWhitney(all[:n], all[n:]); math.Abs(p-tail/total) > 1e-12 {
			t.Fatalf("p = %g, by counting %g", p, tail/total)
		}
	})
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		v            []float64
		median, want float64
	}{{nil, 0, 0}, {[]float64{3}, 3, 0}, {[]float64{4, 1, 2}, 2, .75}, {[]float64{4, 1, 2, 3}, 2.5, .6}} {
		if m, s := median(c.v), spread(c.v); m != c.median || math.Abs(s-c.want) > 1e-15 {
			t.Errorf("%v: median %g spread %g", c.v, m, s)
		}
	}
}
