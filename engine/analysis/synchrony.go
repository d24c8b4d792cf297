package analysis

import (
	"math"
	"slices"
)

// Synchrony returns the measure chi^2 of Golomb and Rinzel (Physica D 72:259, 1994) of traces v[neuron][sample]:
//
//	chi^2 = Var_t(mean_i v_i) / mean_i Var_t(v_i)
//
// 1 for identical traces, near 1/N for N independent ones. NaN where nothing varies. No unit.
func Synchrony(v [][]float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	mean := make([]float64, len(v[0]))
	var each float64
	still := true // rounding leaves the variances of constants some remainder
	for _, row := range v {
		still = still && !slices.ContainsFunc(row, func(x float64) bool { return x != row[0] })
		for k := range row {
			mean[k] += row[k] / float64(len(v))
		}
		_, s := meanVar(row)
		each += s / float64(len(v))
	}
	if still {
		return math.NaN()
	}
	_, all := meanVar(mean)
	return all / each
}

// Kuramoto returns the order parameter of the neurons' phases at the given times (s, in order):
//
//	R(t) = |mean_j exp(i phi_j(t))|,   phi_j(t) = 2 pi (t - t_k)/(t_(k+1) - t_k)   between the spikes t_k of neuron j
//
// over the neurons that have a spike at or before t and one after it. 1 where all have one phase, near 1/sqrt(N) for N
// independent ones; NaN where no neuron has a phase. No unit. (Kuramoto 1975; phases from spikes: Pikovsky, Rosenblum and
// Kurths, Synchronization, 2001.)
func (s *Spikes) Kuramoto(times []float64) []float64 {
	sum, n := make([]complex128, len(times)), make([]float64, len(times))
	for _, t := range s.Trains() {
		k := 0
		for m, x := range times {
			for k+1 < len(t) && t[k+1] <= x {
				k++
			}
			if k+1 >= len(t) || t[k] > x {
				continue
			}
			sin, cos := math.Sincos(2 * math.Pi * (x - t[k]) / (t[k+1] - t[k]))
			sum[m] += complex(cos, sin)
			n[m]++
		}
	}
	r := make([]float64, len(times))
	for m := range r {
		r[m] = math.Hypot(real(sum[m]), imag(sum[m])) / n[m]
	}
	return r
}
