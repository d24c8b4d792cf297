// Package analysis computes the usual statistics of spike trains and membrane potentials: rates, irregularity,
// variability, synchrony, correlation, spectra.
//
// Spikes come as a monitor gives them: i, the indices of the neurons that fired, and t, the times in seconds, in time
// order. Nothing here decides a bit of a simulation; what is returned may differ in the last place between processors.
package analysis

import (
	"math"

	"gonum.org/v1/gonum/dsp/fourier"
)

// Rates returns the rate of each of n neurons over duration seconds, in Hz: spikes/duration.
func Rates(i []int32, n int, duration float64) []float64 {
	r := make([]float64, n)
	for _, k := range i {
		if k >= 0 && int(k) < n {
			r[k] += 1 / duration
		}
	}
	return r
}

// MeanRate returns the mean rate of n neurons that fired spikes times in duration seconds, in Hz; 0 if there are none.
func MeanRate(spikes int64, n int, duration float64) float64 {
	if n <= 0 || duration <= 0 {
		return 0
	}
	return float64(spikes) / (float64(n) * duration)
}

// ISICV returns the coefficient of variation of the inter-spike intervals of each neuron, standard deviation over mean
// (the intervals' own mean, divided by their number), and their mean over the neurons that have at least minISI
// intervals. A Poisson process has 1, a clock 0. Where no neuron has enough, the mean is NaN; neurons left out are NaN.
func ISICV(i []int32, t []float64, n, minISI int) (mean float64, cv []float64) {
	last := make([]float64, n)
	sum, square, count := make([]float64, n), make([]float64, n), make([]int, n)
	for k := range last {
		last[k] = math.NaN()
	}
	for k, x := range t {
		j := i[k]
		if d := x - last[j]; d == d {
			sum[j] += d
			square[j] += d * d
			count[j]++
		}
		last[j] = x
	}
	cv = make([]float64, n)
	var total float64
	var used int
	for j := range cv {
		cv[j] = math.NaN()
		if count[j] < max(minISI, 1) || sum[j] == 0 {
			continue
		}
		m := sum[j] / float64(count[j])
		cv[j] = math.Sqrt(max(square[j]/float64(count[j])-m*m, 0)) / m
		total += cv[j]
		used++
	}
	return total / float64(used), cv
}

// BinCounts returns how many of the times fall into each bin of the given width between start and stop, all in seconds:
// bin k is [start + k width, start + (k+1) width). The last bin is a whole one.
func BinCounts(t []float64, start, stop, width float64) []float64 {
	n := bins(start, stop, width)
	c := make([]float64, n)
	for _, x := range t {
		if k := binOf(x, start, width); k >= 0 && k < n {
			c[k]++
		}
	}
	return c
}

// A time on the grid of the simulation is up to a rounding off: a thousandth of a bin puts it where it belongs.
func bins(start, stop, width float64) int {
	if !(width > 0) || !(stop > start) {
		return 0
	}
	return int((stop-start)/width + 1e-3)
}

func binOf(x, start, width float64) int { return int(math.Floor((x-start)/width + 1e-3)) }

// PopulationRate returns the rate of a population of n neurons in bins of the given width, in Hz.
func PopulationRate(t []float64, n int, start, stop, width float64) []float64 {
	c := BinCounts(t, start, stop, width)
	for k := range c {
		c[k] /= float64(n) * width
	}
	return c
}

// Fano returns the Fano factor of counts, variance over mean: 1 for a Poisson process. NaN if all are 0.
func Fano(counts []float64) float64 {
	m, v := meanVar(counts)
	return v / m
}

// meanVar returns the mean and the variance (divided by the number of values).
func meanVar(x []float64) (m, v float64) {
	for _, a := range x {
		m += a
	}
	m /= float64(len(x))
	for _, a := range x {
		v += (a - m) * (a - m)
	}
	return m, v / float64(len(x))
}

// Synchrony returns the measure chi^2 of Golomb and Rinzel (Physica D 72:259, 1994) of traces v[neuron][sample]:
//
//	chi^2 = Var_t(mean_i v_i) / mean_i Var_t(v_i)
//
// 1 for identical traces, near 1/N for N independent ones. NaN where nothing varies.
func Synchrony(v [][]float32) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	mean := make([]float64, len(v[0]))
	trace := make([]float64, len(v[0]))
	var each float64
	for _, row := range v {
		for k := range trace {
			trace[k] = float64(row[k])
			mean[k] += trace[k] / float64(len(v))
		}
		_, s := meanVar(trace)
		each += s / float64(len(v))
	}
	_, all := meanVar(mean)
	return all / each
}

// Correlation returns the mean over all pairs of neurons of Pearson's correlation coefficient of their spike counts in
// bins of the given width between start and stop (seconds), and how many neurons entered: those whose counts vary.
// NaN with fewer than two.
//
// With z_i the counts of neuron i brought to mean 0 and variance 1, the mean over pairs is (Var(sum z_i) - n)/(n(n-1)).
func Correlation(i []int32, t []float64, n int, start, stop, width float64) (mean float64, neurons int) {
	nb := bins(start, stop, width)
	sum, square := make([]float64, n), make([]float64, n)
	counts := map[[2]int]float64{}
	for k, x := range t {
		if b := binOf(x, start, width); b >= 0 && b < nb {
			j := int(i[k])
			c := counts[[2]int{j, b}]
			counts[[2]int{j, b}] = c + 1
			sum[j]++
			square[j] += 2*c + 1 // (c+1)^2 - c^2
		}
	}
	sd := make([]float64, n)
	total := make([]float64, nb) // the sum of z over neurons, but for the mean, which no variance sees
	for j := range sd {
		m := sum[j] / float64(nb)
		if v := square[j]/float64(nb) - m*m; v > 1e-12 {
			sd[j] = math.Sqrt(v)
			neurons++
		}
	}
	for key, c := range counts {
		if s := sd[key[0]]; s > 0 {
			total[key[1]] += c / s
		}
	}
	if neurons < 2 {
		return math.NaN(), neurons
	}
	_, v := meanVar(total)
	return (v - float64(neurons)) / (float64(neurons) * float64(neurons-1)), neurons
}

// Spectrum returns the one-sided power spectral density of x, sampled at rate Hz, by Welch's method (IEEE Trans. Audio
// 15:70, 1967): segments of the given length that overlap by half, each without its mean and under a Hann window,
//
//	P(f) = 2 |sum_k w_k x_k exp(-2 pi i f k/rate)|^2 / (rate sum_k w_k^2),   halved at 0 and at rate/2
//
// averaged over the segments. freq is in Hz, power in the square of x's unit per Hz; the sum over frequencies times
// their distance is the variance. nil if x is shorter than a segment.
func Spectrum(x []float64, rate float64, segment int) (freq, power []float64) {
	if segment < 2 || len(x) < segment {
		return nil, nil
	}
	window := make([]float64, segment)
	var norm float64
	for k := range window {
		window[k] = 0.5 - 0.5*math.Cos(2*math.Pi*float64(k)/float64(segment))
		norm += window[k] * window[k]
	}
	fft := fourier.NewFFT(segment)
	seg := make([]float64, segment)
	power = make([]float64, segment/2+1)
	var coeff []complex128
	var count int
	for at := 0; at+segment <= len(x); at += max(segment/2, 1) {
		m, _ := meanVar(x[at : at+segment])
		for k := range seg {
			seg[k] = (x[at+k] - m) * window[k]
		}
		coeff = fft.Coefficients(coeff, seg)
		for k, c := range coeff {
			power[k] += real(c)*real(c) + imag(c)*imag(c)
		}
		count++
	}
	freq = make([]float64, len(power))
	for k := range power {
		freq[k] = float64(k) * rate / float64(segment)
		power[k] *= 2 / (rate * norm * float64(count))
	}
	power[0] /= 2
	if segment%2 == 0 {
		power[len(power)-1] /= 2
	}
	return freq, power
}
