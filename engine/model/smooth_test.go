package model

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestConvolveFast holds the fast convolution against the direct one.
func TestConvolveFast(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 2, 3, 17, 100, 511, 512, 513} {
		for _, half := range []int{0, 1, 5, 100, 400} {
			rate, w := make([]float64, n), make([]float64, 2*half+1)
			for k := range rate {
				rate[k] = 1000 * r.Float64()
			}
			for k := range w {
				w[k] = r.Float64() // not symmetric
			}
			want, got := convolve(rate, w, half), convolveFast(rate, w, half)
			for k := range want {
				if d := math.Abs(got[k] - want[k]); !(d < 1e-9*1000*float64(len(w))) {
					t.Fatalf("%d steps, window of %d: step %d is %g, want %g", n, len(w), k, got[k], want[k])
				}
			}
		}
	}
}
