package analysis

import "math"

// ISI returns the inter-spike intervals of each neuron, s: ISI_k = t_(k+1) - t_k.
func (s *Spikes) ISI() [][]float64 {
	isi := make([][]float64, s.N)
	for j, t := range s.Trains() {
		for k := range len(t) - 1 {
			isi[j] = append(isi[j], t[k+1]-t[k])
		}
	}
	return isi
}

// each is the mean over neurons of a measure of their intervals, and that of each neuron, of those with at least so many.
func (s *Spikes) each(least int, measure func(isi []float64) float64) (mean float64, of []float64) {
	of = make([]float64, s.N)
	for j, isi := range s.ISI() {
		of[j] = math.NaN()
		if len(isi) >= least {
			of[j] = measure(isi)
		}
	}
	return meanOf(of), of
}

// CV returns the coefficient of variation of the inter-spike intervals of each neuron that has at least minISI of them,
// and their mean:
//
//	CV = sqrt(mean((ISI - mean(ISI))^2)) / mean(ISI)
//
// A Poisson process has 1, a clock 0. No unit. (Softky and Koch, J. Neurosci. 13:334, 1993.)
func (s *Spikes) CV(minISI int) (mean float64, cv []float64) {
	return s.each(max(minISI, 1), func(isi []float64) float64 {
		m, v := meanVar(isi)
		return math.Sqrt(v) / m
	})
}

// CV2 returns the local variation of successive intervals of each neuron that has at least minISI (two or more) of them,
// and their mean:
//
//	CV2 = mean_k 2 |ISI_(k+1) - ISI_k| / (ISI_(k+1) + ISI_k)
//
// 1 for a Poisson process, whether or not its rate changes slowly; 0 for a clock. No unit. (Holt et al., J. Neurophysiol.
// 75:1806, 1996.)
func (s *Spikes) CV2(minISI int) (mean float64, cv2 []float64) {
	return s.each(max(minISI, 2), func(isi []float64) float64 {
		sum := 0.0
		for k := range len(isi) - 1 {
			sum += 2 * math.Abs(isi[k+1]-isi[k]) / (isi[k+1] + isi[k])
		}
		return sum / float64(len(isi)-1)
	})
}

// Fano returns the Fano factor of counts, variance (divided by the number of values) over mean: 1 for a Poisson process.
// NaN if all are 0. No unit. (Fano, Phys. Rev. 72:26, 1947.)
func Fano(counts []float64) float64 {
	m, v := meanVar(counts)
	return v / m
}
