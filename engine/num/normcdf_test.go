package num

import (
	"math"
	"testing"
)

func TestNormCDF(t *testing.T) {
	for x := -37.0; x < 9; x += 0.0137 {
		want := math.Erfc(-x/math.Sqrt2) / 2
		if got := NormCDF(x); math.Abs(got-want) > 1e-12*want {
			t.Fatalf("NormCDF(%g) = %g, want %g", x, got, want)
		}
	}
	for p := 0.001; p < 1; p += 0.001 {
		if got := NormCDF(NormInv(p)); math.Abs(got-p) > 1e-14 {
			t.Fatalf("NormCDF(NormInv(%g)) = %g", p, got)
		}
	}
}
