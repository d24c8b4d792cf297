package analysis

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"
)

// reference is testdata/reference.json, which reference.py writes.
type reference struct {
	Spikes struct {
		Dt, Duration float64
		Steps        [][]int
	}
	Signals struct {
		Rate, Unit float64
		X, Y       []float64
	}
	Bin, Fano, Correlation                 float64
	Rates, ISI, CV, CV2, Counts, Coherence []float64
	CorrelationMatrix                      []float64                        `json:"correlation_matrix"`
	VictorPurpura                          []float64                        `json:"victor_purpura"`
	VanRossum                              []float64                        `json:"van_rossum"`
	CrossCorrelogram                       struct{ Lags, Counts []float64 } `json:"cross_correlogram"`
	Spectrum                               struct {
		Frequencies, Power []float64
		Odd                []float64 `json:"power_odd"`
	}
	Synchrony float64
	Kuramoto  struct {
		Times []float64
		R     []*float64
	}
	Bursts     [][3]float64
	Avalanches [][2]int
	Club       struct {
		Weights, Clustering, Participation []float64
		Halves                             []int
		PathLength                         float64 `json:"path_length"`
		Modularity, Louvain                float64
		Z                                  []float64 `json:"within_module_z"`
	}
	World struct {
		Links      [][2]int
		Nodes      int
		Clustering float64
		PathLength float64 `json:"path_length"`
	}
}

// TestReference holds every measure against what Elephant (rates, intervals, CV, CV2, Fano, counts, correlations,
// correlogram, distances), SciPy (spectrum, coherence), networkx (clustering, path length, modularity), the Brain
// Connectivity Toolbox (participation, z) and NumPy (the rest) give for the same data.
func TestReference(t *testing.T) {
	text, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var r reference
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	same := func(what string, got, want []float64, tol float64) {
		t.Helper()
		if len(got) != len(want) || len(want) == 0 {
			t.Errorf("%s: %d values, expected %d", what, len(got), len(want))
			return
		}
		for k := range got {
			near(t, fmt.Sprintf("%s, %d", what, k), got[k], want[k], tol*max(1, math.Abs(want[k])))
		}
	}

	var i []int32
	var x []float64
	for j, steps := range r.Spikes.Steps {
		for _, s := range steps {
			i, x = append(i, int32(j)), append(x, float64(s)*r.Spikes.Dt)
		}
	}
	s := spikes(t, i, x, len(r.Spikes.Steps), 0, r.Spikes.Duration)
	trains := s.Trains()
	same("rates", s.Rates(), r.Rates, 1e-12)
	same("intervals", s.ISI()[5], r.ISI, 1e-12)
	_, cv := s.CV(1)
	same("CV", cv, r.CV, 1e-9)
	_, cv2 := s.CV2(2)
	same("CV2", cv2, r.CV2, 1e-9)
	var spikes []float64
	for _, own := range trains {
		spikes = append(spikes, float64(len(own)))
	}
	near(t, "Fano factor", Fano(spikes), r.Fano, 1e-12)
	same("counts", s.CountsEach(r.Bin)[2], r.Counts, 0)
	same("correlations", slices.Concat(CorrelationMatrix(s.CountsEach(r.Bin))...), r.CorrelationMatrix, 1e-12)
	mean, _ := s.Correlation(r.Bin)
	near(t, "mean correlation", mean, r.Correlation, 1e-12)
	lags, c := s.CrossCorrelogram(0, 1, r.Bin, 0.05)
	same("lags", lags, r.CrossCorrelogram.Lags, 1e-12)
	same("correlogram", c, r.CrossCorrelogram.Counts, 0)
	var vp, vr []float64
	for _, a := range trains {
		for _, b := range trains {
			vp, vr = append(vp, VictorPurpura(a, b, 50)), append(vr, VanRossum(a, b, 0.02))
		}
	}
	same("Victor-Purpura", vp, r.VictorPurpura, 1e-9)
	same("van Rossum", vr, r.VanRossum, 1e-6)
	for m, x := range s.Kuramoto(r.Kuramoto.Times) {
		if want := r.Kuramoto.R[m]; want != nil { // where each neuron has a phase
			near(t, fmt.Sprintf("Kuramoto's R, %d", m), x, *want, 1e-9)
		}
	}
	var bursts [][3]float64
	for _, b := range Bursts(trains[0], 0.02, 3) {
		bursts = append(bursts, [3]float64{b.Start, b.Stop, float64(b.Spikes)})
	}
	same("bursts", flat(bursts), flat(r.Bursts), 1e-9)
	var avalanches [][2]int
	sizes, lengths := s.Avalanches(r.Bin)
	for k := range sizes {
		avalanches = append(avalanches, [2]int{sizes[k], lengths[k]})
	}
	if !slices.Equal(avalanches, r.Avalanches) {
		t.Errorf("avalanches: %v, expected %v", avalanches, r.Avalanches)
	}

	a, b := r.Signals.X, r.Signals.Y
	for k := range a {
		a[k], b[k] = a[k]*r.Signals.Unit, b[k]*r.Signals.Unit
	}
	f, p, _ := Spectrum(a, r.Signals.Rate, 250)
	same("frequencies", f, r.Spectrum.Frequencies, 1e-12)
	same("spectrum", p, r.Spectrum.Power, 1e-12)
	_, p, _ = Spectrum(a, r.Signals.Rate, 101)
	same("spectrum, odd segments", p, r.Spectrum.Odd, 1e-12)
	_, p, _ = Coherence(a, b, r.Signals.Rate, 250)
	same("coherence", p, r.Coherence, 1e-9)
	v := make([][]float64, 6)
	for k := range v {
		v[k] = [][]float64{b, a}[k%2][k*50 : k*50+1000]
	}
	near(t, "synchrony", Synchrony(v), r.Synchrony, 1e-12)

	var w [][]float64
	n := len(r.Club.Halves)
	for k := range n {
		w = append(w, r.Club.Weights[k*n:(k+1)*n])
	}
	g, err := NewGraph(w)
	if err != nil {
		t.Fatal(err)
	}
	same("clustering", g.Clustering(), r.Club.Clustering, 1e-12)
	length, _ := g.PathLength()
	near(t, "path length", length, r.Club.PathLength, 1e-12)
	q, _ := g.Modularity(r.Club.Halves)
	near(t, "modularity", q, r.Club.Modularity, 1e-12)
	part, _ := g.Participation(r.Club.Halves)
	same("participation", part, r.Club.Participation, 1e-9)
	z, _ := g.WithinModuleZ(r.Club.Halves)
	same("z", z, r.Club.Z, 1e-9)
	if q, _ := g.Modularity(g.Communities()); q < r.Club.Louvain-1e-9 {
		t.Errorf("the communities found have a modularity of %v, those of networkx %v", q, r.Club.Louvain)
	}
	w = make([][]float64, r.World.Nodes)
	for k := range w {
		w[k] = make([]float64, r.World.Nodes)
	}
	for _, l := range r.World.Links {
		w[l[0]][l[1]], w[l[1]][l[0]] = 1, 1
	}
	if g, err = NewGraph(w); err != nil {
		t.Fatal(err)
	}
	length, _ = g.PathLength()
	near(t, "clustering of a small world", meanOf(g.Clustering()), r.World.Clustering, 1e-12)
	near(t, "path length of a small world", length, r.World.PathLength, 1e-12)
	if c, l, sigma := g.SmallWorld(); c < 1.5 || l < 1 || l > 1.5 || sigma < 1.2 {
		t.Errorf("a Watts-Strogatz network has %v times the clustering of random ones, %v times the paths, sigma %v", c, l, sigma)
	}
}

func flat(v [][3]float64) (all []float64) {
	for _, x := range v {
		all = append(all, x[:]...)
	}
	return all
}
