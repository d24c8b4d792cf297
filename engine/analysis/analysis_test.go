package analysis

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
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

// spikes are those of neurons i at t, s.
func spikes(t *testing.T, i []int32, x []float64, n int, start, stop float64) *Spikes {
	t.Helper()
	s, err := NewSpikes(i, x, n, start, stop)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func noise(n int, rate, duration float64, seed uint64) *Spikes {
	i, x := poisson(n, rate, duration, seed)
	return &Spikes{i, x, n, 0, duration}
}

func TestNewSpikes(t *testing.T) {
	s := spikes(t, []int32{1, 0, 1, 0}, []float64{0.3, 0.1, 0.1 + 1e-12, 0.3 - 1e-12}, 2, 0.1, 0.3)
	if !slices.Equal(s.T, []float64{0.1, 0.1 + 1e-12}) || !slices.Equal(s.I, []int32{0, 1}) {
		t.Errorf("from 0.1 to 0.3 there are %v of %v", s.T, s.I)
	}
	for _, c := range []struct {
		i           []int32
		x           []float64
		n           int
		start, stop float64
		err         string
	}{
		{[]int32{0}, nil, 1, 0, 1, "1 indices of neurons, but 0 times"},
		{nil, nil, 0, 0, 1, "no neurons"},
		{nil, nil, 1, 1, 1, "nothing was observed"},
		{nil, nil, 1, 0, math.NaN(), "nothing was observed"},
		{[]int32{2}, []float64{0}, 2, 0, 1, "spike 0 is of neuron 2, but there are 2"},
		{[]int32{-1}, []float64{0}, 2, 0, 1, "neuron -1"},
		{[]int32{0}, []float64{math.NaN()}, 2, 0, 1, "no time"},
	} {
		if _, err := NewSpikes(c.i, c.x, c.n, c.start, c.stop); err == nil || !strings.Contains(err.Error(), c.err) {
			t.Errorf("%v gives %v, expected %q", c, err, c.err)
		}
	}
}

func TestRates(t *testing.T) {
	s := spikes(t, []int32{0, 2, 2, 2}, []float64{0, 0, 0.1, 0.2}, 3, 0, 0.5)
	if r := s.Rates(); !slices.Equal(r, []float64{2, 0, 6}) {
		t.Errorf("%v", r)
	}
	near(t, "mean rate", s.MeanRate(), 8.0/3, 1e-15)
}

func TestOf(t *testing.T) {
	s := &Spikes{I: []int32{3, 0, 1, 3}, T: []float64{1, 2, 3, 4}, N: 4, Stop: 5}
	if got := s.Of([]int{3, 2, 1}); got.N != 3 || got.Stop != 5 || !slices.Equal(got.I, []int32{0, 2, 0}) || !slices.Equal(got.T, []float64{1, 3, 4}) {
		t.Errorf("%+v", got)
	}
}

func TestIrregularity(t *testing.T) {
	// A clock has 0; intervals 1 and 3 have sd 1 over mean 2, and 2*2/4; one interval is too few.
	s := spikes(t, []int32{0, 1, 2, 0, 1, 2, 0, 1, 0}, []float64{0, 0, 0, 1, 1, 1, 2, 4, 3}, 3, 0, 5)
	mean, cv := s.CV(2)
	near(t, "CV of a clock", cv[0], 0, 1e-12)
	near(t, "CV of 1 and 3", cv[1], 0.5, 1e-12)
	near(t, "mean CV", mean, 0.25, 1e-12)
	mean, cv2 := s.CV2(2)
	near(t, "CV2 of a clock", cv2[0], 0, 1e-12)
	near(t, "CV2 of 1 and 3", cv2[1], 1, 1e-12)
	near(t, "mean CV2", mean, 0.5, 1e-12)
	if cv[2] == cv[2] || cv2[2] == cv2[2] {
		t.Errorf("one interval gives %v, %v", cv[2], cv2[2])
	}
	s = noise(20, 50, 40, 1)
	mean, _ = s.CV(10)
	near(t, "CV of Poisson", mean, 1, 0.02)
	mean, _ = s.CV2(10)
	near(t, "CV2 of Poisson", mean, 1, 0.02)
}

func TestCounts(t *testing.T) {
	// Times on a grid of 0.1 ms belong into the bin that they begin, whatever their rounding.
	s := &Spikes{N: 5, Stop: 0.1}
	for k := range 1000 {
		s.I, s.T = append(s.I, int32(k%5)), append(s.T, float64(k)*1e-4)
	}
	c := s.Counts(1e-3)
	if len(c) != 100 {
		t.Fatalf("%d bins", len(c))
	}
	for k, n := range c {
		if n != 10 {
			t.Errorf("bin %d holds %v", k, n)
		}
	}
	if c := s.CountsEach(1e-3); len(c) != 5 || len(c[4]) != 100 || c[4][99] != 2 {
		t.Errorf("%v", c)
	}
	if c := s.Counts(0.03); len(c) != 3 || c[2] != 300 {
		t.Errorf("%v", c)
	}
	if c := s.Counts(0); len(c) != 0 {
		t.Errorf("width 0: %v", c)
	}
	near(t, "population rate", s.PopulationRate(1e-3)[3], 10/(5*1e-3), 1e-9)
}

func TestFano(t *testing.T) {
	near(t, "2, 4", Fano([]float64{2, 4}), 1.0/3, 1e-15)
	near(t, "Poisson", Fano(noise(1, 200, 200, 2).Counts(0.1)), 1, 0.1)
}

func TestSynchrony(t *testing.T) {
	a, b := []float64{1, 2, 3, 4}, []float64{4, 3, 2, 1}
	near(t, "equal traces", Synchrony([][]float64{a, a}), 1, 1e-12)
	near(t, "opposite traces", Synchrony([][]float64{a, b}), 0, 1e-12)
	if x := Synchrony([][]float64{slices.Repeat([]float64{0.1}, 10), slices.Repeat([]float64{0.3}, 10)}); x == x {
		t.Errorf("constants: %g, want NaN", x)
	}
	r := rand.New(rand.NewPCG(3, 3))
	v := make([][]float64, 50)
	for k := range v {
		for range 2000 {
			v[k] = append(v[k], r.NormFloat64())
		}
	}
	near(t, "50 independent traces", Synchrony(v), 1.0/50, 0.003)
}

// TestKuramoto holds the order parameter against its closed forms: neurons that fire together, in turn, in two
// halves, and without relation.
func TestKuramoto(t *testing.T) {
	at := []float64{1.25, 1.5, 2.75}
	for _, c := range []struct {
		what  string
		phase func(j int) float64
		r     float64
	}{
		{"together", func(int) float64 { return 0 }, 1},
		{"in turn", func(j int) float64 { return float64(j) / 4 }, 0},
		{"a quarter apart", func(j int) float64 { return float64(j%2) / 4 }, math.Sqrt2 / 2},
	} {
		s := &Spikes{N: 5, Stop: 4} // the fifth is silent, and does not count
		for k := range 4 {
			for j := range 4 {
				s.I, s.T = append(s.I, int32(j)), append(s.T, float64(k)+c.phase(j))
			}
		}
		for m, r := range s.Kuramoto(at) {
			near(t, c.what, r, c.r, 1e-12)
			if m == 2 && r != r {
				t.Error("no phase at 2.75")
			}
		}
		if r := s.Kuramoto([]float64{-1, 3.9}); r[0] == r[0] || r[1] == r[1] {
			t.Errorf("%s: before and after all spikes there is %v", c.what, r)
		}
	}
	var sum float64
	r := noise(100, 20, 20, 7).Kuramoto([]float64{2, 4, 6, 8, 10, 12, 14, 16, 18})
	for _, x := range r {
		sum += x * x / float64(len(r))
	}
	near(t, "R squared of 100 Poisson trains", sum, 1.0/100, 0.008)
}

func TestCorrelation(t *testing.T) {
	// Three neurons over four bins: counts 1 0 1 0, the same, and 0 1 0 1, so that r is 1, -1 and -1.
	s := spikes(t, []int32{0, 1, 2, 0, 1, 2}, []float64{0.1, 0.2, 1.1, 2.1, 2.2, 3.1}, 4, 0, 4) // the fourth is silent
	mean, n := s.Correlation(1)
	if n != 3 {
		t.Errorf("%d neurons", n)
	}
	near(t, "mean", mean, -1.0/3, 1e-12)
	m := CorrelationMatrix(s.CountsEach(1))
	for i, row := range [][]float64{{1, 1, -1, 0}, {1, 1, -1, 0}, {-1, -1, 1, 0}, {0, 0, 0, 1}} {
		for j, r := range row {
			near(t, "r", m[i][j], r, 1e-12)
		}
	}
	s = noise(40, 20, 100, 4)
	mean, n = s.Correlation(0.02)
	near(t, "independent", mean, 0, 0.003)
	if n != 40 {
		t.Errorf("%d neurons", n)
	}
	if mean, _ := (&Spikes{N: 3, Stop: 1}).Correlation(0.1); mean == mean {
		t.Errorf("no spikes give %v", mean)
	}
	// Neuron 1 follows neuron 0 by 2 ms, but for the first time.
	s = &Spikes{N: 2, Stop: 1}
	for k := range 9 {
		s.I, s.T = append(s.I, 0), append(s.T, float64(k)*0.1)
		if k > 0 {
			s.I, s.T = append(s.I, 1), append(s.T, float64(k)*0.1+0.002)
		}
	}
	lags, c := s.CrossCorrelogram(0, 1, 0.001, 0.003)
	if len(lags) != 7 || !slices.Equal(c, []float64{0, 0, 0, 0, 0, 8, 0}) {
		t.Errorf("%v at %v", c, lags)
	}
	near(t, "last lag", lags[6], 0.003, 1e-15)
}

func TestDistances(t *testing.T) {
	a, b := []float64{1, 2, 3}, []float64{1, 2.1}
	near(t, "Victor-Purpura, moved and removed", VictorPurpura(a, b, 5), 0.5+1, 1e-12)
	near(t, "Victor-Purpura, not worth moving", VictorPurpura(a, b, 30), 3, 1e-12)
	near(t, "Victor-Purpura, numbers alone", VictorPurpura(a, b, 0), 1, 1e-12)
	near(t, "Victor-Purpura of nothing", VictorPurpura(nil, b, 5), 2, 1e-12)
	near(t, "Victor-Purpura of itself", VictorPurpura(a, a, 5), 0, 1e-12)
	near(t, "van Rossum, one spike more", VanRossum(a, a[:2], 1e-3), 1, 1e-12)
	near(t, "van Rossum of itself", VanRossum(a, a, 1), 0, 1e-7)
	near(t, "van Rossum, moved", VanRossum([]float64{1}, []float64{1.5}, 0.5), math.Sqrt(2-2*math.Exp(-1)), 1e-12)
	near(t, "van Rossum of nothing", VanRossum(nil, nil, 1), 0, 0)
}

func TestBursts(t *testing.T) {
	b := Bursts([]float64{0, 1, 1.1, 1.2, 3, 3.1, 5, 5.05, 5.15, 5.25}, 0.1, 3)
	if len(b) != 2 || b[0] != (Burst{1, 1.2, 3}) || b[1] != (Burst{5, 5.25, 4}) {
		t.Errorf("%v", b)
	}
	if b := Bursts(nil, 1, 2); len(b) != 0 {
		t.Errorf("%v", b)
	}
	// Bins of 1: 2 0 1 3 0 0 1 0 1: the first and last touch the ends.
	s := &Spikes{I: make([]int32, 8), T: []float64{0.1, 0.2, 2.5, 3.1, 3.2, 3.3, 6.5, 8.5}, N: 1, Stop: 9}
	sizes, lengths := s.Avalanches(1)
	if !slices.Equal(sizes, []int{4, 1}) || !slices.Equal(lengths, []int{2, 1}) {
		t.Errorf("sizes %v, lengths %v", sizes, lengths)
	}
	near(t, "branching ratio", s.BranchingRatio(1), (0+3+0+0)/4.0, 1e-12)
}

// TestGraph holds the measures against closed forms: a ring, two triangles with a link between them, a star.
func TestGraph(t *testing.T) {
	of := func(n int, links ...[2]int) *Graph {
		w := make([][]float64, n)
		for i := range w {
			w[i] = make([]float64, n)
			w[i][i] = 7 // does not count
		}
		for _, l := range links {
			w[l[0]][l[1]], w[l[1]][l[0]] = 1, 1
		}
		g, err := NewGraph(w)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	const n, k = 20, 4 // a ring with k neighbours: C = 3 (k-2)/(4 (k-1))
	var ring [][2]int
	for i := range n {
		ring = append(ring, [2]int{i, (i + 1) % n}, [2]int{i, (i + 2) % n})
	}
	g := of(n, ring...)
	near(t, "clustering of a ring", meanOf(g.Clustering()), 3*(k-2)/(4.0*(k-1)), 1e-12)
	length, all := g.PathLength()
	near(t, "path length of a ring", length, 55.0/19, 1e-12) // 4 each at 1, 2, 3, 4, and 3 at 5
	near(t, "connected", all, 1, 0)
	if g.Links() != 40 || !slices.Equal(g.Degrees()[:2], []float64{4, 4}) {
		t.Errorf("%d links, degrees %v", g.Links(), g.Degrees())
	}
	if c, _, sigma := g.SmallWorld(); !(c > 1.5 && sigma > 1) {
		t.Errorf("a ring's clustering is %v times that of random networks, sigma %v", c, sigma)
	}

	g = of(6, [2]int{0, 1}, [2]int{1, 2}, [2]int{2, 0}, [2]int{3, 4}, [2]int{4, 5}, [2]int{5, 3}, [2]int{2, 3})
	c := g.Communities()
	if !slices.Equal(c, []int{0, 0, 0, 1, 1, 1}) {
		t.Errorf("two triangles are the communities %v", c)
	}
	q, err := g.Modularity(c)
	near(t, "modularity of two triangles", q, 6.0/7-0.5, 1e-12)
	p, err2 := g.Participation(c)
	near(t, "participation within", p[0], 0, 1e-12)
	near(t, "participation of a bridge", p[2], 1-4.0/9-1.0/9, 1e-12)
	z, err3 := g.WithinModuleZ(c)
	near(t, "z", z[2], 0, 1e-12)
	if err != nil || err2 != nil || err3 != nil {
		t.Error(err, err2, err3)
	}

	g = of(5, [2]int{0, 1}, [2]int{0, 2}, [2]int{0, 3}) // the fifth is alone
	near(t, "clustering of a star", meanOf(g.Clustering()), 0, 0)
	length, all = g.PathLength()
	near(t, "path length of a star", length, 1.5, 1e-12)
	near(t, "connected", all, 0.6, 1e-12)
	z, _ = g.WithinModuleZ([]int{0, 0, 0, 0, 1})
	near(t, "z of the hub", z[0], math.Sqrt(3), 1e-12)
	if length, _ := of(2).PathLength(); length == length {
		t.Errorf("the path length without links is %v", length)
	}
	if q, _ := of(2).Modularity([]int{0, 0}); q == q {
		t.Errorf("the modularity without links is %v", q)
	}
	if len(of(1).Communities()) != 1 {
		t.Error("one node")
	}
	of(1).SmallWorld()
	if _, err := g.Modularity([]int{0}); err == nil {
		t.Error("communities of one of five nodes are taken")
	}
	for _, c := range []struct {
		w   [][]float64
		err string
	}{
		{nil, "no nodes"},
		{[][]float64{{0, 1}}, "no square"},
		{[][]float64{{0, 1}, {2, 0}}, "1 and 2 in the two directions"},
		{[][]float64{{0, -1}, {-1, 0}}, "is -1"},
		{[][]float64{{0, math.NaN()}, {math.NaN(), 0}}, "NaN"},
	} {
		if _, err := NewGraph(c.w); err == nil || !strings.Contains(err.Error(), c.err) {
			t.Errorf("%v gives %v, expected %q", c.w, err, c.err)
		}
	}
}

func TestSpectrum(t *testing.T) {
	// A sine of amplitude 3 at 50 Hz holds 4.5 of power; white noise of variance 1 at 1 kHz has 2/1000 everywhere.
	const rate = 1000.0
	x := make([]float64, 8192)
	for k := range x {
		x[k] = 3*math.Sin(2*math.Pi*50*float64(k)/rate) + 7
	}
	f, p, err := Spectrum(x, rate, 1000)
	if err != nil {
		t.Fatal(err)
	}
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
	f, p, _ = Spectrum(x, rate, 256)
	sum = 0
	for _, v := range p {
		sum += v * (f[1] - f[0])
	}
	near(t, "variance of noise", sum, 1, 0.1)
	near(t, "last frequency", f[len(f)-1], rate/2, 1e-9)
	near(t, "power between 100 and 200 Hz", BandPower(f, p, 100, 200), 0.2, 0.05)
	if _, _, err := Spectrum(x[:10], rate, 256); err == nil || !strings.Contains(err.Error(), "10 samples, fewer than one segment of 256") {
		t.Errorf("too short: %v", err)
	}
	if f, _ := Peak(f, p, 600, 700); f == f {
		t.Errorf("a peak at %v beyond the spectrum", f)
	}

	// y is x, later by a sample, and noise of half its variance: the coherence is 1/(1 + 1/2).
	y := make([]float64, len(x))
	for k := range y {
		y[k] = x[max(k-1, 0)] + math.Sqrt(0.5)*r.NormFloat64()
	}
	_, c, err := Coherence(x, y, rate, 128)
	near(t, "coherence", meanOf(c[1:]), 2.0/3, 0.03)
	if _, _, e := Coherence(x, y[1:], rate, 128); e == nil || err != nil {
		t.Error("signals of two lengths are taken", err)
	}
}
