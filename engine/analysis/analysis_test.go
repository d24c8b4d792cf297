package analysis

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s is %v, want %v within %v", what, got, want, tol)
	}
}

// poisson returns the spikes of n Poisson neurons at rate Hz, in time order.
func poisson(n int, rate, duration float64, seed uint64) (i []int32, t []float64) {
	r := rand.New(rand.NewPCG(seed, 1))
	for x := r.ExpFloat64() / (rate * float64(n)); x < duration; x += r.ExpFloat64() / (rate * float64(n)) {
		t = append(t, x)
		i = append(i, int32(r.IntN(n)))
	}
	return i, t
}

func TestRates(t *testing.T) {
	if r := Rates([]int32{0, 2, 2, 2}, 3, 0.5); !slices.Equal(r, []float64{2, 0, 6}) {
		t.Errorf("%v", r)
	}
	near(t, "mean rate", MeanRate(4, 3, 0.5), 8.0/3, 1e-15)
	near(t, "mean rate of nobody", MeanRate(0, 0, 0.5), 0, 0)
}

func TestISICV(t *testing.T) {
	// A clock has 0; intervals 1 and 3 have sd 1 over mean 2; one interval is too few.
	i := []int32{0, 1, 2, 0, 1, 2, 0, 1, 0}
	x := []float64{0, 0, 0, 1, 1, 1, 2, 4, 3}
	mean, cv := ISICV(i, x, 3, 2)
	near(t, "clock", cv[0], 0, 1e-12)
	near(t, "1 and 3", cv[1], 0.5, 1e-12)
	if cv[2] == cv[2] {
		t.Errorf("one interval gives %v", cv[2])
	}
	near(t, "mean", mean, 0.25, 1e-12)
	if mean, _ := ISICV(nil, nil, 3, 2); mean == mean {
		t.Errorf("no spikes give %v", mean)
	}
	i, x = poisson(20, 50, 40, 1)
	mean, _ = ISICV(i, x, 20, 10)
	near(t, "Poisson", mean, 1, 0.02)
}

func TestBinCounts(t *testing.T) {
	// Times on a grid of 0.1 ms belong into the bin that they begin, whatever their rounding.
	var x []float64
	for k := range 1000 {
		x = append(x, float64(k)*1e-4)
	}
	c := BinCounts(x, 0, 0.1, 1e-3)
	if len(c) != 100 {
		t.Fatalf("%d bins", len(c))
	}
	for k, n := range c {
		if n != 10 {
			t.Errorf("bin %d holds %v", k, n)
		}
	}
	if c := BinCounts([]float64{-1, 0, 5}, 0, 1, 0.3); len(c) != 3 || c[0] != 1 || c[1]+c[2] != 0 {
		t.Errorf("%v", c)
	}
	if c := BinCounts(x, 0, 1, 0); len(c) != 0 {
		t.Errorf("width 0: %v", c)
	}
	r := PopulationRate(x, 5, 0, 0.1, 1e-3)
	near(t, "population rate", r[3], 10/(5*1e-3), 1e-9)
}

func TestFano(t *testing.T) {
	near(t, "2, 4", Fano([]float64{2, 4}), 1.0/3, 1e-15)
	_, x := poisson(1, 200, 200, 2)
	near(t, "Poisson", Fano(BinCounts(x, 0, 200, 0.1)), 1, 0.1)
}

func TestSynchrony(t *testing.T) {
	a, b := []float32{1, 2, 3, 4}, []float32{4, 3, 2, 1}
	near(t, "equal traces", Synchrony([][]float32{a, a}), 1, 1e-12)
	near(t, "opposite traces", Synchrony([][]float32{a, b}), 0, 1e-12)
	r := rand.New(rand.NewPCG(3, 3))
	v := make([][]float32, 50)
	for k := range v {
		for range 2000 {
			v[k] = append(v[k], float32(r.NormFloat64()))
		}
	}
	near(t, "50 independent traces", Synchrony(v), 1.0/50, 0.003)
}

func TestCorrelation(t *testing.T) {
	// Three neurons over four bins: counts 1 0 1 0, the same, and 0 1 0 1, so that r is 1, -1 and -1.
	i := []int32{0, 1, 2, 0, 1, 2}
	x := []float64{0.1, 0.2, 1.1, 2.1, 2.2, 3.1}
	mean, n := Correlation(i, x, 4, 0, 4, 1) // the fourth neuron is silent
	if n != 3 {
		t.Errorf("%d neurons", n)
	}
	near(t, "mean", mean, -1.0/3, 1e-12)
	i, x = poisson(40, 20, 100, 4)
	mean, n = Correlation(i, x, 40, 0, 100, 0.02)
	near(t, "independent", mean, 0, 0.003)
	if n != 40 {
		t.Errorf("%d neurons", n)
	}
	if mean, _ := Correlation(nil, nil, 3, 0, 1, 0.1); mean == mean {
		t.Errorf("no spikes give %v", mean)
	}
}

func TestSpectrum(t *testing.T) {
	// A sine of amplitude 3 at 50 Hz holds 4.5 of power; white noise of variance 1 at 1 kHz has 2/1000 everywhere.
	const rate = 1000.0
	x := make([]float64, 8192)
	for k := range x {
		x[k] = 3*math.Sin(2*math.Pi*50*float64(k)/rate) + 7
	}
	f, p := Spectrum(x, rate, 1000)
	peak := slices.Index(p, slices.Max(p))
	near(t, "peak", f[peak], 50, 1e-9)
	var sum float64
	for _, v := range p {
		sum += v * (f[1] - f[0])
	}
	near(t, "power", sum, 4.5, 0.01)
	r := rand.New(rand.NewPCG(5, 5))
	for k := range x {
		x[k] = r.NormFloat64()
	}
	f, p = Spectrum(x, rate, 256)
	sum = 0
	for _, v := range p {
		sum += v * (f[1] - f[0])
	}
	near(t, "variance of noise", sum, 1, 0.1)
	near(t, "last frequency", f[len(f)-1], rate/2, 1e-9)
	if f, p := Spectrum(x[:10], rate, 256); f != nil || p != nil {
		t.Error("too short, yet a spectrum")
	}
}
