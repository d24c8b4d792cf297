package examples

import (
	"math"
	"math/cmplx"
	"os"
	"testing"

	"synfire/engine"
	"synfire/kernels"
)

func long(t *testing.T) {
	if os.Getenv("SYNFIRE_LONG") == "" {
		t.Skip("takes minutes: set SYNFIRE_LONG=1")
	}
}

// within fails unless lo <= x <= hi.
func within(t *testing.T, what string, x, lo, hi float64) {
	t.Helper()
	t.Logf("%s %.4g (gate %g to %g)", what, x, lo, hi)
	if !(x >= lo && x <= hi) {
		t.Errorf("%s is %.4g, outside %g to %g", what, x, lo, hi)
	}
}

// intervals are the inter-spike intervals of each neuron, in seconds.
func intervals(m *engine.SpikeMonitor) [][]float64 {
	last, out := make([]float64, m.N()), make([][]float64, m.N())
	for k := range last {
		last[k] = -1
	}
	at := m.T()
	for k, i := range m.I() {
		if last[i] >= 0 {
			out[i] = append(out[i], at[k]-last[i])
		}
		last[i] = at[k]
	}
	return out
}

// cv is the mean over cells with five intervals or more of std/mean.
func cv(m *engine.SpikeMonitor) float64 {
	sum, n := 0.0, 0
	for _, isi := range intervals(m) {
		if len(isi) < 5 {
			continue
		}
		var s, q float64
		for _, x := range isi {
			s += x
		}
		s /= float64(len(isi))
		for _, x := range isi {
			q += (x - s) * (x - s)
		}
		sum, n = sum+math.Sqrt(q/float64(len(isi)))/s, n+1
	}
	return sum / float64(n)
}

func rate(m *engine.SpikeMonitor, seconds float64) float64 {
	return float64(m.Num()) / float64(m.N()) / seconds
}

// counts is the population count in bins of a millisecond from t0 on.
func counts(m *engine.SpikeMonitor, t0, seconds float64) []float64 {
	c := make([]float64, int(math.Round(seconds*1000)))
	for _, t := range m.T() {
		if k := int(math.Floor((t-t0)*1000 + 1e-6)); k >= 0 && k < len(c) {
			c[k]++
		}
	}
	return c
}

// peak is the frequency at which the spectrum of counts in 1-ms bins is largest
// (Hann segments of 256, half overlapping), above the lowest two bins, up to hi.
func peak(c []float64, hi float64) float64 {
	const seg = 256
	mean := 0.0
	for _, x := range c {
		mean += x
	}
	mean /= float64(len(c))
	power := make([]float64, seg/2+1)
	for s := 0; s+seg <= len(c); s += seg / 2 {
		for f := range power {
			var z complex128
			for k := range seg {
				w := 0.5 - 0.5*math.Cos(2*math.Pi*float64(k)/(seg-1))
				z += complex((c[s+k]-mean)*w, 0) * cmplx.Exp(complex(0, -2*math.Pi*float64(f*k)/seg))
			}
			power[f] += real(z)*real(z) + imag(z)*imag(z)
		}
	}
	best := 2
	for f := 2; f < len(power) && float64(f)*1000/seg <= hi; f++ {
		if power[f] > power[best] {
			best = f
		}
	}
	return float64(best) * 1000 / seg
}

func fano(c []float64) float64 {
	var s, q float64
	for _, x := range c {
		s += x
	}
	s /= float64(len(c))
	for _, x := range c {
		q += (x - s) * (x - s)
	}
	return q / float64(len(c)) / s
}

func TestLongCUBA(t *testing.T) {
	long(t)
	_, res := play(t, "cuba", nil, kernels.New(0), nil)
	e, i := spikesOf(t, res, "E"), spikesOf(t, res, "I")
	within(t, "E rate", rate(e, 1), 5.0, 6.4)
	within(t, "I rate", rate(i, 1), 5.3, 5.9)
	within(t, "CV", cv(e), 0.50, 0.58)
}

func TestLongCOBA(t *testing.T) {
	long(t)
	_, res := play(t, "coba", nil, kernels.New(0), nil)
	e, i := spikesOf(t, res, "E"), spikesOf(t, res, "I")
	within(t, "E rate", rate(e, 1), 16, 22)
	within(t, "I rate", rate(i, 1), 18, 21)
	within(t, "CV", cv(e), 1.55, 1.80)
}

func TestLongCOBAHH(t *testing.T) {
	long(t)
	_, res := play(t, "cobahh", nil, kernels.New(0), nil)
	e, i := spikesOf(t, res, "E"), spikesOf(t, res, "I")
	within(t, "E rate", rate(e, 1), 34, 42)
	within(t, "I rate", rate(i, 1), 35, 38)
	within(t, "CV", cv(e), 1.85, 2.3)
}

func TestLongIzhikevich(t *testing.T) {
	long(t)
	for seed := range uint64(3) {
		_, res := play(t, "izhikevich2003", nil, kernels.New(0), &seed)
		e, i := spikesOf(t, res, "E"), spikesOf(t, res, "I")
		within(t, "E rate", rate(e, 1), 6.5, 8.5)
		within(t, "I rate", rate(i, 1), 6.5, 8.5)
		within(t, "peak", peak(counts(e, 0, 1), 1000), 7, 12)
	}
}

// TestLongBrunel: the four states, held to NEST's figures.
func TestLongBrunel(t *testing.T) {
	long(t)
	variability := map[string]float64{}
	for _, c := range []struct {
		regime                             string
		rateLo, rateHi, cvLo, cvHi, pl, ph float64
	}{
		{"SR", 300, 340, 0, 0.02, 300, 340},
		{"SIfast", 58.25 * 0.97, 58.25 * 1.03, 0.79 - 0.04, 0.82 + 0.04, 162, 198},
		{"AI", 37.57 * 0.97, 37.57 * 1.03, 0.427 - 0.04, 0.427 + 0.04, 0, 500},
		{"SIslow", 5.94 * 0.9, 5.94 * 1.1, 0.639 - 0.06, 0.639 + 0.06, 16, 27},
	} {
		t.Run(c.regime, func(t *testing.T) {
			_, res := play(t, "brunel2000", map[string]string{"regime": c.regime}, kernels.New(0), nil)
			e := spikesOf(t, res, "E")
			within(t, "E rate", rate(e, 2), c.rateLo, c.rateHi)
			within(t, "CV", cv(spikesOf(t, res, "sample")), c.cvLo, c.cvHi)
			n := counts(e, 0.5, 2)
			within(t, "spectral peak", peak(n, 500), c.pl, c.ph)
			variability[c.regime] = fano(n)
		})
	}
	if v := variability; !(v["SIfast"] > v["SIslow"] && v["SIslow"] > v["AI"]) {
		t.Errorf("the variability of the population count must order SIfast > SIslow > AI: %v", v)
	}
}

// TestFI: within one step for each interval of the closed form.
func TestFI(t *testing.T) {
	_, res := play(t, "lif_fi", nil, kernels.New(0), nil)
	isi := intervals(spikesOf(t, res, "S"))
	want := []float64{0, 22.071, 33.641, 63.040, 111.964, 149.253}
	for k, f := range want {
		if f == 0 {
			if len(isi[k]) > 0 {
				t.Errorf("current %d fires", k)
			}
			continue
		}
		for _, x := range isi[k] {
			if x < 1/f-1e-6 || x > 1/f+1.01e-4 {
				t.Errorf("current %d: an interval of %g s, closed form %g", k, x, 1/f)
				break
			}
		}
	}
}

// TestHodgkinHuxley: counts and rates of runs in double precision.
func TestHodgkinHuxley(t *testing.T) {
	_, res := play(t, "hodgkin_huxley", nil, kernels.New(0), nil)
	s := spikesOf(t, res, "S")
	for k, n := range []int64{0, 1, 1, 2, 3} {
		if got := s.Count()[k]; got != n {
			t.Errorf("current %d: %d spikes, want %d", k, got, n)
		}
	}
	isi := intervals(s)
	for k, f := range map[int]float64{5: 52.3, 6: 58.3, 7: 62.5, 8: 68.3, 9: 78.7, 10: 86.4} {
		last := isi[k][len(isi[k])-1]
		within(t, "rate", 1/last, f-0.5, f+0.5)
	}
	at := s.T()
	for k, i := range s.I() {
		if i == 8 {
			within(t, "first spike at 10 uA/cm2 (ms)", at[k]*1000, 1.8, 2.0)
			break
		}
	}
}

// potjans checks rates by population against gates in percent.
func potjans(t *testing.T, scale string, want, gate []float64) {
	names := []string{"L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I"}
	_, res := play(t, "potjans_diesmann", map[string]string{"scale": scale}, kernels.New(0), nil)
	run := res.Runs[1]
	sizes := map[string]int{}
	for _, g := range res.Net.Groups() {
		sizes[g.Name()] = g.N()
	}
	t.Logf("real-time factor %.2f, built in %.1f s", run.Wall/run.Duration, res.Runs[0].Build)
	for k, n := range names {
		r := float64(run.Spikes[n]) / float64(sizes[n]) / run.Duration
		within(t, n, r, want[k]*(1-gate[k]/100), want[k]*(1+gate[k]/100))
	}
}

func TestLongPotjansDiesmannTenth(t *testing.T) {
	long(t)
	potjans(t, "0.1", []float64{.470, 2.094, 3.970, 5.001, 6.571, 7.786, .828, 7.008}, []float64{15, 6, 6, 6, 15, 6, 15, 6})
}

func TestLongPotjansDiesmannFull(t *testing.T) {
	long(t)
	potjans(t, "1", []float64{.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829}, []float64{12, 8, 8, 8, 12, 8, 8, 8})
}
