package analysis

import "math"

// Correlation returns the mean over all pairs of neurons of Pearson's correlation coefficient of their spike counts in
// bins of the given width, s, and how many neurons entered: those whose counts vary. NaN with fewer than two. No unit.
//
// With z_i the counts of neuron i brought to mean 0 and variance 1, the mean over pairs is (Var(sum z_i) - n)/(n(n-1)).
func (s *Spikes) Correlation(width float64) (mean float64, neurons int) {
	nb := s.bins(width)
	sum, square := make([]float64, s.N), make([]float64, s.N)
	s.perBin(width, func(_ int, neurons []int, count []float64) {
		for _, j := range neurons {
			sum[j] += count[j]
			square[j] += count[j] * count[j]
		}
	})
	sd := make([]float64, s.N)
	for j := range sd {
		m := sum[j] / float64(nb)
		if v := square[j]/float64(nb) - m*m; v > 1e-12 {
			sd[j] = math.Sqrt(v)
			neurons++
		}
	}
	total := make([]float64, nb) // the sum of z over neurons, but for the mean, which no variance sees
	s.perBin(width, func(bin int, neurons []int, count []float64) {
		for _, j := range neurons {
			if sd[j] > 0 {
				total[bin] += count[j] / sd[j]
			}
		}
	})
	if neurons < 2 {
		return math.NaN(), neurons
	}
	_, v := meanVar(total)
	return (v - float64(neurons)) / (float64(neurons) * float64(neurons-1)), neurons
}

// perBin calls f for each bin that has spikes with the neurons that fired in it and the numbers of their spikes, those of
// neuron j at j.
func (s *Spikes) perBin(width float64, f func(bin int, neurons []int, count []float64)) {
	count := make([]float64, s.N)
	var neurons []int
	last := -1
	flush := func() {
		if len(neurons) > 0 {
			f(last, neurons, count)
		}
		for _, j := range neurons {
			count[j] = 0
		}
		neurons = neurons[:0]
	}
	s.binned(width, func(j, bin int) { // in order of time
		if bin != last {
			flush()
			last = bin
		}
		if count[j] == 0 {
			neurons = append(neurons, j)
		}
		count[j]++
	})
	flush()
}

// CorrelationMatrix returns Pearson's correlation coefficient of every two rows,
//
//	r_ij = mean((x_i - mean(x_i)) (x_j - mean(x_j))) / (sd(x_i) sd(x_j))
//
// 0 where a row does not vary, 1 on the diagonal. No unit. The rows are of one length.
func CorrelationMatrix(rows [][]float64) [][]float64 {
	z := make([][]float64, len(rows))
	for i, x := range rows {
		m, v := meanVar(x)
		z[i] = make([]float64, len(x))
		for k := range x {
			if v > float64(1e-12*m*m) {
				z[i][k] = (x[k] - m) / math.Sqrt(v*float64(len(x)))
			}
		}
	}
	r := make([][]float64, len(rows))
	for i := range r {
		r[i] = make([]float64, len(rows))
	}
	for i := range r {
		for j := range i {
			var sum float64
			for k := range z[i] {
				sum += float64(z[i][k] * z[j][k]) // not fused: equal correlations are equal everywhere, and so is their order
			}
			r[i][j], r[j][i] = sum, sum
		}
		r[i][i] = 1
	}
	return r
}

// CrossCorrelogram returns how often neuron j spikes a lag after neuron i: with their counts a and b in bins of the given
// width, s,
//
//	C(l) = sum_k a_k b_(k+l)
//
// for lags of -maxLag to maxLag, s, in whole bins. Counts of pairs, without correction for the ends of the record.
// (Perkel, Gerstein and Moore, Biophys. J. 7:419, 1967.)
func (s *Spikes) CrossCorrelogram(i, j int, width, maxLag float64) (lags, counts []float64) {
	each := [2]map[int]float64{{}, {}}
	s.binned(width, func(n, b int) {
		if n == i {
			each[0][b]++
		}
		if n == j {
			each[1][b]++
		}
	})
	most := int(maxLag/width + 1e-3)
	for l := -most; l <= most; l++ {
		sum := 0.0
		for k, a := range each[0] {
			sum += a * each[1][k+l] // whole numbers: their order does not matter
		}
		lags, counts = append(lags, float64(l)*width), append(counts, sum)
	}
	return lags, counts
}
