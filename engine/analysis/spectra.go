package analysis

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/dsp/fourier"
)

// welch averages, over segments of the given length that overlap by half, what each of the segments' Fourier
// coefficients of x and y is taken to. Each is without its mean and under a Hann window (Welch, IEEE Trans. Audio 15:70,
// 1967). norm is the sum of the window's squares, count the number of segments.
func welch(segment int, take func(k int, x, y complex128), x, y []float64) (norm float64, count int) {
	window := make([]float64, segment)
	for k := range window {
		window[k] = 0.5 - 0.5*math.Cos(2*math.Pi*float64(k)/float64(segment))
		norm += window[k] * window[k]
	}
	fft := fourier.NewFFT(segment)
	seg := make([]float64, segment)
	var cx, cy []complex128
	of := func(c []complex128, x []float64) []complex128 {
		m, _ := meanVar(x)
		for k := range seg {
			seg[k] = (x[k] - m) * window[k]
		}
		return fft.Coefficients(c, seg)
	}
	for at := 0; at+segment <= len(x); at += segment - segment/2 {
		cx = of(cx, x[at:at+segment])
		cy = cx
		if y != nil {
			cy = of(nil, y[at:at+segment])
		}
		for k := range cx {
			take(k, cx[k], cy[k])
		}
		count++
	}
	return norm, count
}

func checkSegment(n, segment int, rate float64) error {
	switch {
	case !(rate > 0):
		return fmt.Errorf("the rate of sampling must be positive, not %g Hz", rate)
	case segment < 2:
		return fmt.Errorf("a segment must have two samples or more, not %d", segment)
	case n < segment:
		return fmt.Errorf("the signal has %d samples, fewer than one segment of %d: take a shorter window, or run longer", n, segment)
	}
	return nil
}

// Spectrum returns the one-sided power spectral density of x, sampled at rate Hz, by Welch's method: segments of the
// given number of samples that overlap by half, each without its mean and under a Hann window w,
//
//	P(f) = 2 |sum_k w_k x_k exp(-2 pi i f k/rate)|^2 / (rate sum_k w_k^2),   halved at 0 and at rate/2
//
// averaged over the segments. freq is in Hz, power in the square of x's unit per Hz; the sum over frequencies times
// their distance is the variance.
func Spectrum(x []float64, rate float64, segment int) (freq, power []float64, err error) {
	if err := checkSegment(len(x), segment, rate); err != nil {
		return nil, nil, err
	}
	power = make([]float64, segment/2+1)
	norm, count := welch(segment, func(k int, c, _ complex128) { power[k] += real(c)*real(c) + imag(c)*imag(c) }, x, nil)
	for k := range power {
		power[k] *= 2 / (rate * norm * float64(count))
	}
	power[0] /= 2
	if segment%2 == 0 {
		power[len(power)-1] /= 2
	}
	return frequencies(segment, rate), power, nil
}

func frequencies(segment int, rate float64) []float64 {
	freq := make([]float64, segment/2+1)
	for k := range freq {
		freq[k] = float64(k) * rate / float64(segment)
	}
	return freq
}

// Coherence returns the magnitude-squared coherence of x and y, sampled at rate Hz, from the spectra that Spectrum takes,
//
//	C(f) = |P_xy(f)|^2 / (P_xx(f) P_yy(f))
//
// 1 where one is a linear function of the other, about 1/segments for independent ones. freq is in Hz; no unit. NaN where
// a signal has no power. (Carter, Knapp and Nuttall, IEEE Trans. Audio 21:337, 1973.)
func Coherence(x, y []float64, rate float64, segment int) (freq, c []float64, err error) {
	if len(x) != len(y) {
		return nil, nil, fmt.Errorf("the signals have %d and %d samples", len(x), len(y))
	}
	if err := checkSegment(len(x), segment, rate); err != nil {
		return nil, nil, err
	}
	n := segment/2 + 1
	xx, yy, xy := make([]float64, n), make([]float64, n), make([]complex128, n)
	welch(segment, func(k int, a, b complex128) {
		xx[k] += real(a)*real(a) + imag(a)*imag(a)
		yy[k] += real(b)*real(b) + imag(b)*imag(b)
		xy[k] += complex(real(a)*real(b)+imag(a)*imag(b), real(a)*imag(b)-imag(a)*real(b))
	}, x, y)
	c = make([]float64, n)
	for k := range c {
		c[k] = (real(xy[k])*real(xy[k]) + imag(xy[k])*imag(xy[k])) / (xx[k] * yy[k])
	}
	return frequencies(segment, rate), c, nil
}

// BandPower returns the power of a spectrum between low and high Hz, both included, in the square of the signal's unit:
//
//	sum over low <= f <= high of P(f) df
func BandPower(freq, power []float64, low, high float64) float64 {
	sum := 0.0
	for k, f := range freq {
		if len(freq) > 1 && f >= low && f <= high {
			sum += power[k] * (freq[1] - freq[0])
		}
	}
	return sum
}

// Peak returns the frequency between low and high Hz at which a spectrum is largest, and its value there; NaN if the
// spectrum has none there.
func Peak(freq, power []float64, low, high float64) (f, p float64) {
	f, p = math.NaN(), math.NaN()
	for k := range freq {
		if freq[k] >= low && freq[k] <= high && !(power[k] <= p) && power[k] == power[k] {
			f, p = freq[k], power[k]
		}
	}
	return f, p
}
