package analysis

import "math"

// Correlation returns the mean over all pairs of neurons of Pearson's correlation coefficient of their spike counts in
// bins of the given width, s, and how many neurons entered: those whose counts vary. NaN with fewer than two. No unit.
//
// With z_i the counts of neuron i brought to mean 0 and variance 1, the mean over pairs is (Var(sum z_i) - n)/(n(n-1)).
func (s *Spikes) Correlation(width float64) (mean float64, neurons int) {
	nb := s.bins(width)
	sum, square := make([]float64, s.N), make([]float64, s.N)
	counts := map[[2]int]float64{}
	var order [][2]int // of the keys, so that sums have one
	s.binned(width, func(j, b int) {
		c, there := counts[[2]int{j, b}]
		if !there {
			order = append(order, [2]int{j, b})
		}
		counts[[2]int{j, b}] = c + 1
		sum[j]++
		square[j] += 2*c + 1 // (c+1)^2 - c^2
	})
	sd := make([]float64, s.N)
	total := make([]float64, nb) // the sum of z over neurons, but for the mean, which no variance sees
	for j := range sd {
		m := sum[j] / float64(nb)
		if v := square[j]/float64(nb) - m*m; v > 1e-12 {
			sd[j] = math.Sqrt(v)
			neurons++
		}
	}
	for _, key := range order {
		if s := sd[key[0]]; s > 0 {
			total[key[1]] += counts[key] / s
		}
	}
	if neurons < 2 {
		return math.NaN(), neurons
	}
	_, v := meanVar(total)
	return (v - float64(neurons)) / (float64(neurons) * float64(neurons-1)), neurons
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
			if v > 1e-12*m*m {
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
				sum += z[i][k] * z[j][k]
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
