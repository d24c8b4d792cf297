// Package analysis computes the usual statistics of spike trains, recorded signals and networks: rates, irregularity,
// variability, correlation, synchrony, spectra, distances between trains, bursts and avalanches, measures of graphs.
//
//	s, err := analysis.NewSpikes(m.I(), m.T(), m.N(), 0, 10)  // what a SpikeMonitor has recorded, of 10 s
//	cv, _ := s.CV(3)
//	r, pairs := s.Correlation(0.002)
//
// Times are in seconds, rates in Hz. Where there is too little to tell (no spikes, one neuron), the value is NaN. Nothing
// here decides a bit of a simulation; what is returned may differ in the last place between processors. testdata/
// reference.json holds what Elephant, SciPy and networkx give for the same data.
package analysis

import (
	"fmt"
	"math"
	"slices"
	"sort"
)

// Spikes are the spikes of N neurons between Start and Stop, in time order; NewSpikes makes them.
type Spikes struct {
	I           []int32   // the neuron of each spike
	T           []float64 // its time, s
	N           int
	Start, Stop float64 // s: what was observed, silence included
}

// NewSpikes takes spikes as a monitor gives them: those of n neurons with start <= t < stop. A time on the grid of the
// simulation is up to a rounding off, for which a nanosecond is allowed.
func NewSpikes(i []int32, t []float64, n int, start, stop float64) (*Spikes, error) {
	switch {
	case len(i) != len(t):
		return nil, fmt.Errorf("there are %d indices of neurons, but %d times", len(i), len(t))
	case n < 1:
		return nil, fmt.Errorf("there are no neurons: %d", n)
	case !(stop > start) || math.IsInf(stop-start, 0):
		return nil, fmt.Errorf("nothing was observed: from %g s to %g s", start, stop)
	}
	s := &Spikes{N: n, Start: start, Stop: stop}
	for k, x := range t {
		if i[k] < 0 || int(i[k]) >= n {
			return nil, fmt.Errorf("spike %d is of neuron %d, but there are %d neurons", k, i[k], n)
		}
		if x != x {
			return nil, fmt.Errorf("spike %d has no time (NaN)", k)
		}
		if x >= start-1e-9 && x < stop-1e-9 {
			s.I, s.T = append(s.I, i[k]), append(s.T, x)
		}
	}
	if !slices.IsSorted(s.T) {
		sort.Stable(byTime{s})
	}
	return s, nil
}

type byTime struct{ *Spikes }

func (b byTime) Len() int           { return len(b.T) }
func (b byTime) Less(j, k int) bool { return b.T[j] < b.T[k] }
func (b byTime) Swap(j, k int)      { b.T[j], b.T[k] = b.T[k], b.T[j]; b.I[j], b.I[k] = b.I[k], b.I[j] }

// Duration is Stop - Start, s.
func (s *Spikes) Duration() float64 { return s.Stop - s.Start }

// Trains returns the times of each neuron's spikes, s.
func (s *Spikes) Trains() [][]float64 {
	trains := make([][]float64, s.N)
	for k, j := range s.I {
		trains[j] = append(trains[j], s.T[k])
	}
	return trains
}

// Of is the spikes of some neurons, each with its place in the list as its number.
func (s *Spikes) Of(neurons []int) *Spikes {
	at := make(map[int32]int32, len(neurons))
	for k, j := range neurons {
		at[int32(j)] = int32(k)
	}
	part := &Spikes{N: len(neurons), Start: s.Start, Stop: s.Stop}
	for k, j := range s.I {
		if n, ok := at[j]; ok {
			part.I, part.T = append(part.I, n), append(part.T, s.T[k])
		}
	}
	return part
}

// Rates returns the rate of each neuron, in Hz: spikes/duration.
func (s *Spikes) Rates() []float64 {
	r := make([]float64, s.N)
	for _, j := range s.I {
		r[j]++
	}
	for j := range r {
		r[j] /= s.Duration()
	}
	return r
}

// MeanRate returns the mean of Rates, in Hz.
func (s *Spikes) MeanRate() float64 { return float64(len(s.T)) / (float64(s.N) * s.Duration()) }

// bins is how many whole bins of a width there are. A time on the grid of the simulation is up to a rounding off: a
// thousandth of a bin puts it where it belongs.
func (s *Spikes) bins(width float64) int {
	if !(width > 0) {
		return 0
	}
	return int(s.Duration()/width + 1e-3)
}

// binned calls f with each spike and its bin, of those that fall into a whole one.
func (s *Spikes) binned(width float64, f func(neuron, bin int)) {
	n := s.bins(width)
	for k, t := range s.T {
		if b := max(0, (t-s.Start)/width+1e-3); b < float64(n) {
			f(int(s.I[k]), int(b))
		}
	}
}

// Counts returns how many spikes of all neurons fall into each bin of the given width, s: bin k is
// [Start + k width, Start + (k+1) width). A rest that is no whole bin is left out.
func (s *Spikes) Counts(width float64) []float64 {
	c := make([]float64, s.bins(width))
	s.binned(width, func(_, k int) { c[k]++ })
	return c
}

// CountsEach returns the counts of each neuron: a row for each, a column for each bin, as Counts has them.
func (s *Spikes) CountsEach(width float64) [][]float64 {
	c := make([][]float64, s.N)
	n := s.bins(width)
	for j := range c {
		c[j] = make([]float64, n)
	}
	s.binned(width, func(j, k int) { c[j][k]++ })
	return c
}

// PopulationRate returns the mean rate of the neurons in bins of the given width, in Hz: Counts/(N width).
func (s *Spikes) PopulationRate(width float64) []float64 {
	c := s.Counts(width)
	for k := range c {
		c[k] /= float64(s.N) * width
	}
	return c
}

// meanVar returns the mean and the variance (divided by the number of values).
func meanVar(x []float64) (m, v float64) {
	for _, a := range x {
		m += a
	}
	m /= float64(len(x))
	for _, a := range x {
		v += float64((a - m) * (a - m))
	}
	return m, v / float64(len(x))
}

// meanOf is the mean of those values that are numbers; NaN if there is none.
func meanOf(x []float64) float64 {
	sum, n := 0.0, 0.0
	for _, a := range x {
		if a == a {
			sum, n = sum+a, n+1
		}
	}
	return sum / n
}
